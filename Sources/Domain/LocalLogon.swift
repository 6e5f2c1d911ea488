import Crypto
import Interfaces
import RPC
import Wire

/// One logon to be validated by the embedded domain.
package struct LocalLogon {
    package enum Proof {
        /// A server's challenge and the client's answers to it (MS-NRPC 2.2.1.4.5).
        case responses(challenge: Bytes8, nt: [UInt8], lm: [UInt8])
        /// The password's hashes (MS-NRPC 2.2.1.4.3); all zero counts as none.
        case hashes(nt: Secret?, lm: Secret?)
        /// The password itself, in UTF-8.
        case password(Secret)
    }

    /// As the client named it: it is part of what an NTLMv2 response proves.
    package var domain: String
    package var user: String
    /// The account that is meant, where the client named it in another form, such as
    /// `user@domain`: what it proves is of that form.
    package var account: String?
    package var workstation: String
    package var control: ParameterControl
    package var proof: Proof
    /// What is taken where the logon came from; the domain's own policy narrows it.
    package var taken = ProofPolicy.all

    package init(
        domain: String, user: String, account: String? = nil, workstation: String,
        control: ParameterControl = [], proof: Proof
    ) {
        self.domain = domain
        self.user = user
        self.account = account
        self.workstation = workstation
        self.control = control
        self.proof = proof
    }
}

/// What became of it.
package enum LocalOutcome {
    case accepted(LocalSession)
    case refused(NTStatus)
}

/// A user whom the domain vouches for.
package struct LocalSession {
    package var account: Account
    /// All zero where the logon gives none.
    package var sessionKey: Bytes16
    package var lmKey: Bytes8
    package var userFlags: UserFlags
    package var logoffTime: UInt64
    package var kickOffTime: UInt64
    package var passwordCanChange: UInt64
    package var passwordMustChange: UInt64
    package let domainName: String
    package let domainSID: SID

    /// What members and other controllers are told (MS-NRPC 2.2.1.4.11). `server` is the computer
    /// name of who validated. The keys are plain, and the caller's to conceal.
    package func validation(server: String) -> ValidationSAMInfo {
        var info = ValidationSAMInfo()
        info.logonTime = account.lastLogon
        info.logoffTime = logoffTime
        info.kickOffTime = kickOffTime
        info.passwordLastSet = account.passwordLastSet
        info.passwordCanChange = passwordCanChange
        info.passwordMustChange = passwordMustChange
        info.effectiveName = .text(account.name)
        info.fullName = .text(account.fullName)
        info.logonScript = .text(account.logonScript)
        info.profilePath = .text(account.profilePath)
        info.homeDirectory = .text(account.homeDirectory)
        info.homeDirectoryDrive = .text(account.homeDirectoryDrive)
        info.logonCount = account.logonCount
        info.badPasswordCount = account.badPasswordCount
        info.userID = account.rid
        info.primaryGroupID = account.primaryGroupRID
        info.groupIDs = .list(account.groupRIDs.map { GroupMembership(relativeID: $0) })
        info.userFlags = userFlags
        info.userSessionKey = sessionKey
        info.logonServer = .text(server)
        info.logonDomainName = .text(domainName)
        info.logonDomainID = domainSID
        info.lmKey = lmKey
        info.userAccountControl = account.flags.rawValue
        return info
    }
}
