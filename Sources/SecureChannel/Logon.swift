import Crypto
import Interfaces
import Wire

/// One logon to be validated by a domain's controller.
package struct LogonRequest {
    /// What proves the user (MS-NRPC 2.2.1.4.5 and 2.2.1.4.3).
    package enum Proof {
        /// A server's challenge and the client's answers to it, as a network logon carries them.
        case network(challenge: Bytes8, nt: [UInt8], lm: [UInt8])
        /// The password's hashes, as an interactive logon carries them, under the session key.
        case interactive(nt: Secret, lm: Secret?)
    }

    package var domain: String
    package var user: String
    package var workstation: String
    /// MS-NRPC 2.2.1.4.15: whether computer accounts may log on, MS-CHAPv2 is meant, and more.
    package var parameterControl: UInt32
    package var proof: Proof
    /// Whether the answer must carry all that the controller said, for whoever passes it on.
    package var wantsWhole: Bool
    /// Whether the answer must carry the keys that the logon gives; else they are zero.
    package var wantsKeys: Bool

    package init(
        domain: String, user: String, workstation: String, parameterControl: UInt32, proof: Proof,
        wantsWhole: Bool = false, wantsKeys: Bool = true
    ) {
        self.domain = domain
        self.user = user
        self.workstation = workstation
        self.parameterControl = parameterControl
        self.proof = proof
        self.wantsWhole = wantsWhole
        self.wantsKeys = wantsKeys || wantsWhole
    }
}

/// What became of a logon.
package enum LogonOutcome {
    /// The controller vouches for the user.
    case accepted(LogonIdentity)
    /// The controller refused, for this reason. Not authoritative: another domain may know better.
    case refused(NTStatus, authoritative: Bool)
    /// No controller gave an answer; nothing is known of the user or the password.
    case unavailable(Unavailable)
}

/// Why no controller gave an answer.
package enum Unavailable: Equatable, Sendable {
    /// No controller is reachable.
    case noController
    /// The deadline passed.
    case deadline
    /// The connection was lost when the controller may already have counted the attempt.
    case connectionLost
    /// The controllers do not accept the machine account; `status` says why.
    case channelRefused(NTStatus)
    /// More logons wait than the agent holds.
    case overloaded
    /// The controller's reply could not be decoded.
    case badReply

    package var description: String {
        switch self {
        case .noController: "no controller of the domain is reachable"
        case .deadline: "the controller did not answer in time"
        case .connectionLost: "the connection to the controller was lost during the logon"
        case .channelRefused(let status): "the controller refuses our account: \(status.name)"
        case .overloaded: "too many logons are waiting"
        case .badReply: "the controller's reply could not be understood"
        }
    }
}

/// Who a controller says the user is. A reference, as it is handed on until the caller has it.
package final class LogonIdentity {
    package var user: String
    package var domain: String
    package var fullName: String
    package var userRID: UInt32
    package var primaryGroupRID: UInt32
    package var domainSID: SID?
    package var groupRIDs: [UInt32]
    /// All zero where the logon gave none.
    package var sessionKey: Bytes16
    package var lmKey: Bytes8
    package var userFlags: UInt32
    /// Whether our own domain vouches for the user, whatever the names say.
    package var isOurs: Bool
    /// Whether it has the user among its administrators.
    package var isInAdministrators = false
    /// All that was said, where it was asked for; its keys are plain.
    package var whole: WholeValidation?

    package init(
        user: String, domain: String, fullName: String = "", userRID: UInt32,
        primaryGroupRID: UInt32, domainSID: SID?, groupRIDs: [UInt32],
        sessionKey: Bytes16 = Bytes16(), lmKey: Bytes8 = Bytes8(), userFlags: UInt32 = 0,
        isOurs: Bool = false, whole: WholeValidation? = nil
    ) {
        self.user = user
        self.domain = domain
        self.fullName = fullName
        self.userRID = userRID
        self.primaryGroupRID = primaryGroupRID
        self.domainSID = domainSID
        self.groupRIDs = groupRIDs
        self.sessionKey = sessionKey
        self.lmKey = lmKey
        self.userFlags = userFlags
        self.isOurs = isOurs
        self.whole = whole
    }

    /// Nobody was authenticated: the controller takes unknown names for its guest (MS-NRPC
    /// 2.2.1.4.11, LOGON_GUEST).
    package var isGuest: Bool { userFlags & 1 != 0 }
}

/// A controller's whole word on a user, in memory of its own.
///
/// A reference, so that the many answers that nobody passes on carry no more than a pointer.
package final class WholeValidation {
    package var info: ValidationSAMInfo

    package init(_ info: ValidationSAMInfo) { self.info = info }
}
