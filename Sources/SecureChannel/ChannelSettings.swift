import Crypto
import Wire

/// What one domain's secure channel is to be: from the configuration.
package struct ChannelSettings {
    /// MS-NRPC 2.2.1.3.13, NETLOGON_SECURE_CHANNEL_TYPE.
    package enum Kind: UInt16, Sendable {
        case workstation = 2
        case trustedDomain = 4
        case backupController = 6
    }

    package enum Profile: Sendable {
        /// AES, sealed, NetrLogonSamLogonEx, several calls at once.
        case modern
        /// NetrLogonSamLogon with the credential chain, one call at a time.
        case nt4

        /// What its controllers are reached over where nobody says otherwise.
        package var usualTransport: Transport { self == .modern ? .tcp : .smb1 }
    }

    /// What RPC goes over.
    package enum Transport: Sendable {
        /// The ports of endpoint mapper and service.
        case tcp
        /// Named pipes in SMB1: all that there was before Windows 2000.
        case smb1
        /// Named pipes in SMB2 or later: one port, 445, where firewalls let nothing else through
        /// or SMB1 is switched off.
        case smb2
    }

    /// The domain's NetBIOS name.
    package var domain: String
    package var profile: Profile
    package var transport: Transport
    package var kind: Kind
    /// Our account there, with its final `$`.
    package var account: String
    /// Our NetBIOS computer name.
    package var computer: String
    /// Most connections to one controller.
    package var connections: Int
    /// Whether a key without AES is taken (Windows NT 4.0, old Samba).
    package var allowsRC4: Bool
    /// Whether logons may travel without a seal where the controller offers none.
    package var allowsUnsealed: Bool
    /// Added to the controllers' well-known ports, for controllers of tests.
    package var portOffset: UInt16 = 0

    package init(
        domain: String, profile: Profile, kind: Kind, account: String, computer: String,
        connections: Int, allowsRC4: Bool, allowsUnsealed: Bool
    ) {
        self.domain = domain
        self.profile = profile
        transport = profile.usualTransport
        self.kind = kind
        self.account = account
        self.computer = computer
        self.connections = connections
        self.allowsRC4 = allowsRC4
        self.allowsUnsealed = allowsUnsealed
    }
}

/// Named bounds of a channel. Times are in milliseconds.
package enum ChannelLimit {
    /// From the first SYN to a key, per controller: a controller that is slower is passed over.
    package static let setup: UInt64 = 2_500
    /// A TCP connect that takes longer is given up for the next controller.
    package static let connect: UInt64 = 1_000
    /// Calls in flight on one connection whose controller grants concurrent multiplexing.
    package static let callsPerConnection = 16
    /// Logons that wait for a connection or a key; a further one is answered `overloaded`.
    package static let waiting = 4_096
    /// UTF-16 units of a user's or a domain's name: MS-ADA3 2.222, sAMAccountName, has the most.
    package static let name = 256
    /// Questions for names and SIDs that wait for a controller; a further one is `overloaded`.
    package static let translations = 256
    /// Those that a logon waits for, each of them for one at least.
    package static let urgentTranslations = waiting
    /// After a second connection did not come about, until the next attempt.
    package static let sparePause: UInt64 = 5_000
    /// A second connection that nothing used for so long is closed.
    package static let idle: UInt64 = 60_000
    /// Silence with calls outstanding after which the controller's health is asked about.
    package static let silence: UInt64 = 1_000
    /// How long the controller that took a new secret is preferred, at most. Replication between
    /// sites is due within 3 hours (MS-ADTS 6.1.1.2.2.3), and may have failed once or twice.
    package static let preference: UInt64 = 12 * 3_600_000
    /// First and longest pause after controllers refused our account.
    package static let refusedPause: UInt64 = 1_000
    package static let refusedPauseMost: UInt64 = 30_000
}

/// A controller to connect to, as the locator found it.
package struct ControllerAddress: Equatable {
    package var address: IPv4Address
    /// The name that goes into the calls, such as `AD` or `ad.ad.lab`; empty where not known.
    package var name: String
    /// The Netlogon port that the endpoint mapper gave last time.
    package var netlogonPort: UInt16?

    /// Whether SMB is spoken over NetBIOS sessions (port 139), as before Windows 2000, or
    /// directly (port 445).
    package var usesSessionService = false

    package init(address: IPv4Address, name: String, netlogonPort: UInt16? = nil) {
        self.address = address
        self.name = name
        self.netlogonPort = netlogonPort
    }

    /// Where an SMB session is to be had.
    package var sessionPort: UInt16 { usesSessionService ? 139 : Self.directPort }
    /// SMB without NetBIOS (MS-SMB2 2.1).
    static let directPort: UInt16 = 445

    /// For people.
    package var label: String {
        name.isEmpty ? address.description : "\(name) (\(address.description))"
    }
}
