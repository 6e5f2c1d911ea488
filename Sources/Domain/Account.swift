import Wire

/// Account control bits as SAM keeps them (MS-SAMR 2.2.1.12, USER_ACCOUNT codes).
package struct AccountFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let disabled = AccountFlags(rawValue: 0x1)
    package static let homeDirectoryRequired = AccountFlags(rawValue: 0x2)
    package static let passwordNotRequired = AccountFlags(rawValue: 0x4)
    package static let temporaryDuplicate = AccountFlags(rawValue: 0x8)
    package static let normal = AccountFlags(rawValue: 0x10)
    package static let mnsLogon = AccountFlags(rawValue: 0x20)
    package static let interdomainTrust = AccountFlags(rawValue: 0x40)
    package static let workstationTrust = AccountFlags(rawValue: 0x80)
    package static let serverTrust = AccountFlags(rawValue: 0x100)
    package static let passwordNeverExpires = AccountFlags(rawValue: 0x200)
    /// Told to others where an account is locked out; never stored.
    package static let autoLocked = AccountFlags(rawValue: 0x400)

    /// What an account is; every account has just one of them.
    package static let kinds: AccountFlags = [
        .temporaryDuplicate, .normal, .interdomainTrust, .workstationTrust, .serverTrust,
    ]
    /// Accounts of computers and of other domains, whose secrets machines change.
    package static let machines: AccountFlags = [
        .interdomainTrust, .workstationTrust, .serverTrust,
    ]
}

/// Relative identifiers that every domain has (MS-DTYP 2.4.2.4), and of the domain `S-1-5-32`.
package enum WellKnownRID {
    package static let administrator: UInt32 = 500
    package static let guest: UInt32 = 501
    package static let domainAdmins: UInt32 = 512
    package static let domainUsers: UInt32 = 513
    package static let domainGuests: UInt32 = 514
    package static let domainComputers: UInt32 = 515
    package static let domainControllers: UInt32 = 516
    package static let administrators: UInt32 = 544
    package static let users: UInt32 = 545
    package static let guests: UInt32 = 546

    /// Accounts, groups and aliases that are made later have this or more.
    package static let firstFree: UInt32 = 1_000
}

/// Times as SAM keeps them: 100 ns steps since 1601 (MS-DTYP 2.3.3, FILETIME).
package enum DomainTime {
    package static let never: UInt64 = 0x7fff_ffff_ffff_ffff
    package static let second: UInt64 = 10_000_000
    package static let minute = 60 * second
    package static let hour = 60 * minute
    package static let day = 24 * hour

    package static func at(unix seconds: UInt64) -> UInt64 { FileTime.at(unixSeconds: seconds) }

    /// Seconds since 1970; nil before, and for `never`.
    package static func unix(_ time: UInt64) -> UInt64? {
        let seconds = time / second
        return time >= never || seconds < FileTime.unixEpoch ? nil : seconds - FileTime.unixEpoch
    }
}

/// One account of the embedded domain: a user, a computer, or another domain that may trust ours.
///
/// Names and values as in USER_ALL_INFORMATION (MS-SAMR 2.2.6.6).
package struct Account: Equatable, Sendable, CustomStringConvertible {
    package let rid: UInt32
    package var name: String
    package var fullName = ""
    package var adminComment = ""
    package var userComment = ""
    package var homeDirectory = ""
    package var homeDirectoryDrive = ""
    package var logonScript = ""
    package var profilePath = ""
    /// The workstations that a user may log on from; empty: all.
    package var workstations: [String] = []
    package var parameters: [UInt8] = []
    package var flags: AccountFlags
    package var primaryGroupRID: UInt32
    /// The groups beside the primary one, in order.
    package var otherGroupRIDs: [UInt32] = []

    /// Nil: no password proves this account.
    package var ntHash: Bytes16?
    /// Nil too where the domain keeps none.
    package var lmHash: Bytes16?
    /// NT hashes that were current before, the last one first. Of a machine's account the first
    /// stays valid for its secure channel, because its owner may not have got to the new one.
    package var history: [Bytes16] = []

    package var logonHours = LogonHours.all
    /// Zero: the password must be changed at the next logon.
    package var passwordLastSet: UInt64 = 0
    package var accountExpires = DomainTime.never
    package var countryCode: UInt16 = 0
    package var codePage: UInt16 = 0

    // What logons leave behind. It is written now and then, and not replicated.
    package var lastLogon: UInt64 = 0
    package var lastLogoff: UInt64 = 0
    package var lastBadPassword: UInt64 = 0
    package var logonCount: UInt16 = 0
    package var badPasswordCount: UInt16 = 0
    /// When the account was locked out; zero: it is not.
    package var lockoutTime: UInt64 = 0

    package init(
        rid: UInt32, name: String, flags: AccountFlags = .normal,
        primaryGroupRID: UInt32 = WellKnownRID.domainUsers
    ) {
        self.rid = rid
        self.name = name
        self.flags = flags
        self.primaryGroupRID = primaryGroupRID
    }

    /// The primary group and the others.
    package var groupRIDs: [UInt32] { [primaryGroupRID] + otherGroupRIDs }

    package func isMember(of group: UInt32) -> Bool {
        primaryGroupRID == group || otherGroupRIDs.contains(group)
    }

    /// A computer's or another domain's, not a person's.
    package var isMachine: Bool { !flags.isDisjoint(with: .machines) }

    package var isDisabled: Bool { flags.contains(.disabled) }

    /// The hashes under which a secure channel may be established, the current one first.
    package var channelHashes: [Bytes16] {
        guard let ntHash else { return [] }
        return [ntHash] + history.prefix(1)
    }

    package var description: String {
        "account \(name) (\(rid)), flags 0x\(Hex.string(flags.rawValue))"
    }
}
