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
    package static let autoLocked = AccountFlags(rawValue: 0x400)

    /// What an account is; every account has just one of them.
    package static let kinds: AccountFlags = [
        .temporaryDuplicate, .normal, .interdomainTrust, .workstationTrust, .serverTrust,
    ]
}
