import Interfaces

/// The privileges of Windows NT, by the numbers that they have everywhere (MS-LSAD 3.1.1.2.1).
enum Privileges {
    static let all: [PrivilegeDefinition] = names.enumerated().map { index, name in
        PrivilegeDefinition(name: name, localValue: UInt64(index) + first)
    }

    private static let first: UInt64 = 2

    private static let names = [
        "SeCreateTokenPrivilege", "SeAssignPrimaryTokenPrivilege", "SeLockMemoryPrivilege",
        "SeIncreaseQuotaPrivilege", "SeMachineAccountPrivilege", "SeTcbPrivilege",
        "SeSecurityPrivilege", "SeTakeOwnershipPrivilege", "SeLoadDriverPrivilege",
        "SeSystemProfilePrivilege", "SeSystemtimePrivilege", "SeProfileSingleProcessPrivilege",
        "SeIncreaseBasePriorityPrivilege", "SeCreatePagefilePrivilege",
        "SeCreatePermanentPrivilege", "SeBackupPrivilege", "SeRestorePrivilege",
        "SeShutdownPrivilege", "SeDebugPrivilege", "SeAuditPrivilege",
        "SeSystemEnvironmentPrivilege", "SeChangeNotifyPrivilege", "SeRemoteShutdownPrivilege",
        "SeUndockPrivilege", "SeSyncAgentPrivilege", "SeEnableDelegationPrivilege",
        "SeManageVolumePrivilege", "SeImpersonatePrivilege", "SeCreateGlobalPrivilege",
    ]
}
