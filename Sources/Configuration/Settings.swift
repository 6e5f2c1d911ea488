import Wire

// What the configuration says, as plain values. Their initial values are the defaults; the tables
// in the Keys files print them.

/// `[agent]`: this program on this host.
package struct AgentSettings: Equatable, Sendable {
    /// Our NetBIOS computer name.
    package var name: String
    package var stateDirectory = "/var/lib/postern"
    /// Where the control socket is.
    package var runtimeDirectory = "/run/postern"
    package var logLevel = LogLevel.info
    package var winbindSocket = WinbindSocket.off
    /// Of libwbclient's two newest interfaces, which cannot be told apart, the one to try first.
    package var winbindInterface = 32
    /// Members of this group may use the control socket beside root.
    package var controlGroup = "root"
    /// Who the daemon becomes when it was started by root.
    package var user = "postern"
    /// What proves a user to programs of this host.
    package var logons = LogonProtocols.all

    package init(name: String) { self.name = name }

    package var controlSocket: String { runtimeDirectory + "/control" }

    /// The directory for the socket that libwbclient looks for, or nil where it is off.
    package var winbindDirectory: String? {
        switch winbindSocket {
        case .off: nil
        case .standard: runtimeDirectory + "/winbindd"
        case .directory(let path): path
        }
    }
}

package enum LogLevel: UInt8, Equatable, Sendable {
    case error, warning, info, debug
}

package enum WinbindSocket: Equatable, Sendable {
    case off
    /// In the runtime directory.
    case standard
    case directory(String)
}

/// `[listen]`: the legacy face.
package struct ListenSettings: Equatable, Sendable {
    /// Each sends every broadcast, and all ports are bound on each.
    package static let mostInterfaces = 16

    /// What to bind, and by its prefix where broadcasts go.
    package var interfaces: [IPv4Network] = []
    /// Added to 135, 137, 138, 139 and 445.
    package var portOffset: UInt16 = 0
    /// Where to register and resolve.
    package var winsServers: [IPv4Address] = []
    /// Whether to be a WINS server.
    package var wins = false
    /// Whether to take SMB sessions on 139 and 445, which makes this host a controller of the
    /// local domain for those who look for one.
    package var smb = false
    /// Whether to serve remote procedure calls over TCP, with the endpoint mapper on 135.
    package var rpc = false
    /// The port that the endpoint mapper names; 0: any that is free. The offset is not added.
    package var rpcPort: UInt16 = 0
    /// Whether clients that know nothing better may send passwords in clear.
    package var plainText = PlainTextPolicy.refuse
    /// What proves a user to the front; where a listener has none of its own.
    package var logons = LogonProtocols.all
    package var logons139: LogonProtocols?
    package var logons445: LogonProtocols?
    package var logonsRPC: LogonProtocols?
    /// Of logons that members and other controllers bring over their secure channels.
    package var logonsMembers: LogonProtocols?
    /// What is told to who proves nothing.
    package var anonymous = AnonymousPolicy.domain
    package var signing = SigningPolicy.offer

    package init() {}
}

/// `[domain NAME]`: a domain to which logons are passed.
package struct DomainSettings: Equatable, Sendable {
    package let name: String
    /// Controllers are located by DNS under this name.
    package var dnsName: String?
    /// Controllers in order of preference.
    package var controllers: [IPv4Address] = []
    package var profile = Profile.modern
    /// Nil: what the profile's controllers are usually reached over.
    package var transport: Transport?
    package var channel = ChannelKind.member
    /// The account whose secret establishes the channel; the agent's name and `$` by default.
    package var account = ""
    /// Whether to answer GETDC and SAM LOGON for this domain.
    package var answer = false
    package var ntlmv1 = NTLMv1Policy.mschap
    package var lm = LMPolicy.refuse
    /// Most connections to one controller.
    package var connections = 4
    /// For one logon, in milliseconds.
    package var deadline: UInt64 = 5_000
    /// How long the same wrong password is refused without asking, in milliseconds.
    package var refusedPasswords: UInt64 = 30_000
    /// Whether a controller that offers no sealing may be used without.
    package var unsealed = false
    /// Whether a controller that offers no AES may be used with RC4 and DES.
    package var rc4 = false
    /// How old the account's secret may become; nil: as its channel's kind wants it.
    package var changeSecret: MaximumAge?
    /// Added to the well-known ports of its controllers and name servers.
    package var portOffset: UInt16 = 0
    /// Instead of those of `[listen]`.
    package var winsServers: [IPv4Address] = []
    /// Instead of those of /etc/resolv.conf.
    package var nameServers: [Endpoint] = []
    /// Whether it is not in the file: the channel of a backup of a local domain to its primary.
    package var isOfBackup = false

    package init(name: String) { self.name = name }

    /// Where its nodes' name services listen.
    package var namePort: UInt16 { 137 &+ portOffset }

    /// How old the account's secret may become: a week for a trust's, as Windows NT has it. Other
    /// accounts may have been given to several programs, none of which can change it alone.
    package var secretAge: MaximumAge {
        changeSecret ?? (channel == .trust ? .limited(7 * 86_400_000) : .never)
    }
}

/// How to speak to a domain's controllers.
package enum Profile: Equatable, Sendable {
    /// AES, NetrLogonSamLogonEx.
    case modern
    /// NetrLogonSamLogon with the authenticator chain.
    case nt4

    package var usualTransport: Transport { self == .modern ? .tcp : .smb1 }
}

/// What remote procedure calls to a domain's controllers go over: TCP, or named pipes.
package enum Transport: Equatable, Sendable {
    case tcp, smb1, smb2

    /// As it is written in the file.
    package var name: String {
        switch self {
        case .tcp: "tcp"
        case .smb1: "smb1"
        case .smb2: "smb2"
        }
    }
}

/// As whom the channel is established.
package enum ChannelKind: Equatable, Sendable {
    case member, trust, bdc
}

package enum NTLMv1Policy: Equatable, Sendable {
    case refuse
    /// Only from callers that vouch for MS-CHAPv2.
    case mschap
    case allow
}

package enum LMPolicy: Equatable, Sendable {
    case refuse, allow
}

package enum PlainTextPolicy: Equatable, Sendable {
    case refuse, allow
}

/// Which protocols prove a user at a listener. The domain's own policy narrows it further.
package struct LogonProtocols: Equatable, Sendable {
    package var ntlmv2: Bool
    package var mschap: Bool
    package var ntlmv1: Bool
    package var lm: Bool

    package static let all = LogonProtocols(ntlmv2: true, mschap: true, ntlmv1: true, lm: true)

    package init(
        ntlmv2: Bool = false, mschap: Bool = false, ntlmv1: Bool = false, lm: Bool = false
    ) {
        self.ntlmv2 = ntlmv2
        self.mschap = mschap
        self.ntlmv1 = ntlmv1
        self.lm = lm
    }
}

package enum AnonymousPolicy: Equatable, Sendable {
    /// There are no null sessions.
    case nothing
    /// What members need before they have a secure channel.
    case domain
    /// Names and SIDs are translated too.
    case names
    /// Accounts are listed too.
    case all
}

package enum SigningPolicy: Equatable, Sendable {
    case off, offer, require
}

/// `[local domain NAME]`: the embedded domain.
package struct LocalDomainSettings: Equatable, Sendable {
    package let name: String
    /// Whether it has accounts of its own.
    package var accounts = true
    /// Of a new domain; nil: a random one.
    package var sid: SID?
    package var role = LocalDomainRole.primary
    /// Of a backup: where its primary is.
    package var primary: IPv4Address?
    /// How a backup speaks to its primary, and what of it may be weak.
    package var profile = Profile.modern
    package var transport: Transport?
    package var unsealed = false
    package var rc4 = false
    package var ntlmv1 = NTLMv1Policy.mschap
    package var lm = LMPolicy.refuse
    /// Accounts whose secure channels may be unsealed, or without AES.
    package var nt4Accounts: [String] = []
    /// What the share NETLOGON shows; nil: there is none.
    package var netlogonDirectory: String?
    // Nil: as the domain keeps it, since clients may set it too.
    package var lockoutThreshold: UInt16?
    /// In milliseconds.
    package var lockoutDuration: UInt64?
    package var minimumPasswordLength: UInt16?
    package var maximumPasswordAge: MaximumAge?

    package init(name: String) { self.name = name }
}

package enum LocalDomainRole: Equatable, Sendable {
    case primary, backup
}

package enum MaximumAge: Equatable, Sendable {
    case never
    /// In milliseconds.
    case limited(UInt64)
}
