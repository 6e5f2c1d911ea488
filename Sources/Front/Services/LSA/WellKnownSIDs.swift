import Interfaces
import Wire

/// The accounts that are the same everywhere (MS-DTYP 2.4.2.4), by name and by SID.
enum WellKnownSIDs {
    struct Entry {
        var sid: SID
        var name: String
        /// The authority's name: that of the domain which the SID without its last part is.
        var authority: String
        var use: SIDNameUse = .wellKnownGroup
    }

    static let ntAuthority = "NT AUTHORITY"
    static let anonymous = "ANONYMOUS LOGON"
    static let builtin = "BUILTIN"

    static let entries: [Entry] = universal + ntAuthorities

    private static let universal: [Entry] = [
        entry(0, 0, "NULL SID"), entry(1, 0, "Everyone"), entry(2, 0, "LOCAL"),
        entry(3, 0, "CREATOR OWNER"), entry(3, 1, "CREATOR GROUP"),
        entry(3, 2, "CREATOR OWNER SERVER"), entry(3, 3, "CREATOR GROUP SERVER"),
    ]

    private static let ntAuthorities: [Entry] = [
        entry(5, 1, "DIALUP", ntAuthority), entry(5, 2, "NETWORK", ntAuthority),
        entry(5, 3, "BATCH", ntAuthority), entry(5, 4, "INTERACTIVE", ntAuthority),
        entry(5, 6, "SERVICE", ntAuthority), entry(5, 7, anonymous, ntAuthority),
        entry(5, 8, "PROXY", ntAuthority),
        entry(5, 9, "ENTERPRISE DOMAIN CONTROLLERS", ntAuthority),
        entry(5, 10, "SELF", ntAuthority), entry(5, 11, "Authenticated Users", ntAuthority),
        entry(5, 12, "RESTRICTED", ntAuthority),
        entry(5, 13, "TERMINAL SERVER USER", ntAuthority),
        entry(5, 14, "REMOTE INTERACTIVE LOGON", ntAuthority),
        entry(5, 15, "This Organization", ntAuthority), entry(5, 18, "SYSTEM", ntAuthority),
        entry(5, 19, "LOCAL SERVICE", ntAuthority), entry(5, 20, "NETWORK SERVICE", ntAuthority),
    ]

    private static func entry(
        _ authority: UInt64, _ number: UInt32, _ name: String, _ domain: String = ""
    ) -> Entry {
        Entry(
            sid: SID(identifierAuthority: authority, subAuthorities: [number]), name: name,
            authority: domain)
    }

    /// The authority `S-1-5` itself, which is a domain as names go.
    static let ntAuthoritySID = SID(identifierAuthority: 5, subAuthorities: [])
}
