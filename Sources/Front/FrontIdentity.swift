import Crypto
import NTLM
import SecureChannel
import Wire

/// Whom a logon proved to be at the other end of a session.
package struct FrontIdentity: CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// A null session: nobody was named.
        case anonymous
        case guest
        /// A user of the embedded domain.
        case local
        /// A user of a domain that vouched for it.
        case remote
    }

    package var kind: Kind
    package var user: String
    package var domain: String
    package var domainSID: SID?
    package var userRID: UInt32
    package var groupRIDs: [UInt32]
    /// A member of `BUILTIN\Administrators`, as the embedded domain said at the logon.
    package var isInAdministrators: Bool
    /// The session's base key; all zero where the logon gave none.
    package var sessionKey: Bytes16

    package init(
        kind: Kind, user: String, domain: String, domainSID: SID? = nil, userRID: UInt32 = 0,
        groupRIDs: [UInt32] = [], isInAdministrators: Bool = false,
        sessionKey: Bytes16 = Bytes16()
    ) {
        self.kind = kind
        self.user = user
        self.domain = domain
        self.domainSID = domainSID
        self.userRID = userRID
        self.groupRIDs = groupRIDs
        self.isInAdministrators = isInAdministrators
        self.sessionKey = sessionKey
    }

    package static let anonymous = FrontIdentity(kind: .anonymous, user: "", domain: "")

    /// Of the embedded domain's users only: another domain's administrators have no say in ours.
    package var isAdministrator: Bool { kind == .local && isInAdministrators }

    package var description: String {
        switch kind {
        case .anonymous: "nobody"
        case .guest: "guest"
        case .local, .remote: "\(domain)\\\(user)"
        }
    }
}

/// What is told to who proved nothing, by a null session or without any; each more than the one
/// before.
package enum AnonymousAccess: Int, Comparable, Sendable {
    /// There are no null sessions.
    case nothing
    /// What members need before they have a secure channel: that, which domain this is, and whom
    /// it trusts.
    case domain
    /// Names and SIDs are translated too, as members of NT's time ask for it.
    case names
    /// Accounts are listed and described too, as on Windows NT unless it restricts that.
    case all

    package static func < (left: AnonymousAccess, right: AnonymousAccess) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A logon that the front wants validated: by the embedded domain or by a configured one's
/// controller, as the owner of the front decides. The answer comes back under the same token.
package struct FrontLogon {
    package enum Proof {
        /// A server's challenge and the client's answers to it.
        case responses(challenge: Bytes8, nt: [UInt8], lm: [UInt8])
        /// The password in clear, from dialects that know nothing better.
        case password(Secret)
        /// The password's hashes, as an interactive logon of a member carries them.
        case hashes(nt: Secret, lm: Secret?)
    }

    /// Where a logon enters.
    package enum Listener: Hashable, Sendable, CaseIterable {
        /// SMB on port 139, and on 445.
        case session, direct
        /// A user's bind of remote calls, over TCP or a pipe.
        case rpc
        /// A member, another controller or a trusting domain brings it over its secure channel.
        case member
    }

    /// Accounts of members and of other controllers may log on: computers since Windows 2000 do
    /// so with NTLMSSP. Older clients are told, as they expect, that it is such an account.
    package static let computersMayLogOn: UInt32 = 0x820

    package var domain: String
    package var user: String
    package var workstation: String
    /// MS-NRPC 2.2.1.4.15.
    package var parameterControl: UInt32
    package var proof: Proof
    package var listener: Listener
    package var peer: IPv4Address
    /// Whether the answer must carry all that the controller said of the user.
    package var wantsWhole: Bool

    package init(
        domain: String, user: String, workstation: String, parameterControl: UInt32 = 0,
        proof: Proof, at listener: Listener, from peer: IPv4Address, wantsWhole: Bool = false
    ) {
        self.domain = domain
        self.user = user
        self.workstation = workstation
        self.parameterControl = parameterControl
        self.proof = proof
        self.listener = listener
        self.peer = peer
        self.wantsWhole = wantsWhole
    }
}

extension FrontLogon {
    /// Bytes of the longest of its names.
    var longestName: Int {
        max(user.utf8.count, max(domain.utf8.count, workstation.utf8.count))
    }
}

/// How a logon ended.
package enum FrontVerdict {
    case accepted(FrontIdentity)
    /// The one who knows the user said no. An account of a computer or a trust has its own code.
    case refused(NTStatus)
    /// Nobody who knows the user could be asked.
    case unavailable

    package var status: NTStatus {
        switch self {
        case .accepted: .success
        case .refused(let status): status
        case .unavailable: .noLogonServers
        }
    }
}

extension SecurityAcceptor.Answered {
    var proof: FrontLogon.Proof {
        .responses(challenge: challenge, nt: ntResponse, lm: lmResponse)
    }
}
