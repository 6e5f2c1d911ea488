import Interfaces
import Wire

/// The privileges of Windows NT, by the numbers that they have everywhere (MS-LSAD 3.1.1.2.1), and
/// who has them: nobody but the aliases that every controller has, and what NT gives these. They
/// are told, as members and administrators' tools ask for them, and cannot be given or taken.
enum Privileges {
    struct Privilege {
        let name: String
        let displayName: String
        /// Administrators have it from the beginning.
        var isAdministrators = true
    }

    /// An account of LSA's: who may what on this host.
    struct Holder {
        let sid: SID
        /// The names of privileges.
        let privileges: [String]
        /// MS-LSAD 2.2.1.2.
        let systemAccess: UInt32

        /// With the rights to log on, as MS-LSAD 3.1.1.2.2 names them.
        var rights: [String] {
            var rights = privileges
            for (bit, name) in Privileges.logonRights where systemAccess & bit != 0 {
                rights.append(name)
            }
            return rights
        }
    }

    static let definitions: [PrivilegeDefinition] = all.enumerated().map { index, each in
        PrivilegeDefinition(name: each.name, localValue: UInt64(index) + first)
    }

    static func value(_ name: String) -> UInt64? {
        all.firstIndex { $0.name.lowercased() == name.lowercased() }.map { UInt64($0) + first }
    }

    static func privilege(_ value: UInt64) -> Privilege? {
        guard value >= first, value - first < UInt64(all.count) else { return nil }
        return all[Int(value - first)]
    }

    static func isRight(_ name: String) -> Bool {
        value(name) != nil
            || logonRights.contains { $0.name.lowercased() == name.lowercased() }
    }

    static let holders: [Holder] = [
        Holder(
            sid: alias(544), privileges: all.filter { $0.isAdministrators }.map { $0.name },
            systemAccess: interactive | network),
        Holder(sid: alias(545), privileges: [changeNotify], systemAccess: network),
        Holder(sid: alias(546), privileges: [changeNotify], systemAccess: network),
    ]

    private static func alias(_ rid: UInt32) -> SID {
        SID(identifierAuthority: 5, subAuthorities: [32, rid])
    }

    private static let interactive: UInt32 = 1
    private static let network: UInt32 = 2
    private static let logonRights: [(bit: UInt32, name: String)] = [
        (interactive, "SeInteractiveLogonRight"), (network, "SeNetworkLogonRight"),
    ]
    private static let changeNotify = "SeChangeNotifyPrivilege"
    private static let first: UInt64 = 2

    private static let all: [Privilege] = [
        .init("SeCreateTokenPrivilege", "Create a token object", of: false),
        .init("SeAssignPrimaryTokenPrivilege", "Replace a process level token", of: false),
        .init("SeLockMemoryPrivilege", "Lock pages in memory", of: false),
        .init("SeIncreaseQuotaPrivilege", "Increase quotas"),
        .init("SeMachineAccountPrivilege", "Add workstations to domain"),
        .init("SeTcbPrivilege", "Act as part of the operating system", of: false),
        .init("SeSecurityPrivilege", "Manage auditing and security log"),
        .init("SeTakeOwnershipPrivilege", "Take ownership of files or other objects"),
        .init("SeLoadDriverPrivilege", "Load and unload device drivers"),
        .init("SeSystemProfilePrivilege", "Profile system performance"),
        .init("SeSystemtimePrivilege", "Change the system time"),
        .init("SeProfileSingleProcessPrivilege", "Profile single process"),
        .init("SeIncreaseBasePriorityPrivilege", "Increase scheduling priority"),
        .init("SeCreatePagefilePrivilege", "Create a pagefile"),
        .init("SeCreatePermanentPrivilege", "Create permanent shared objects", of: false),
        .init("SeBackupPrivilege", "Back up files and directories"),
        .init("SeRestorePrivilege", "Restore files and directories"),
        .init("SeShutdownPrivilege", "Shut down the system"),
        .init("SeDebugPrivilege", "Debug programs"),
        .init("SeAuditPrivilege", "Generate security audits", of: false),
        .init("SeSystemEnvironmentPrivilege", "Modify firmware environment values"),
        .init("SeChangeNotifyPrivilege", "Bypass traverse checking"),
        .init("SeRemoteShutdownPrivilege", "Force shutdown from a remote system"),
        .init("SeUndockPrivilege", "Remove computer from docking station"),
        .init("SeSyncAgentPrivilege", "Synchronize directory service data", of: false),
        .init(
            "SeEnableDelegationPrivilege",
            "Enable computer and user accounts to be trusted for delegation", of: false),
        .init("SeManageVolumePrivilege", "Perform volume maintenance tasks"),
        .init("SeImpersonatePrivilege", "Impersonate a client after authentication"),
        .init("SeCreateGlobalPrivilege", "Create global objects"),
    ]
}

extension Privileges.Privilege {
    fileprivate init(_ name: String, _ displayName: String, of administrators: Bool = true) {
        self.init(name: name, displayName: displayName, isAdministrators: administrators)
    }
}
