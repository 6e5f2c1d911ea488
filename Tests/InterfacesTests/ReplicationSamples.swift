import RPC
import TestSupport
import Wire

@testable import Interfaces

/// The calls by which a backup controller pulls its databases.
enum ReplicationSamples {
    static let all: [MessageSample] = calls + deltas.map { delta in
        NetlogonSamples.sample("delta \(delta.type.rawValue)", NetlogonDeltaArray([delta]))
    }

    private static func sample<M: NDRMessage & Sendable>(
        _ name: String, _ message: M
    ) -> MessageSample {
        NetlogonSamples.sample(name, message)
    }

    static let security = NetlogonDeltaSecurity(information: 7, descriptor: [1, 2, 3])
    static let sid = SamrSamples.sid

    static let domain: NetlogonDeltaDomain = {
        var domain = NetlogonDeltaDomain()
        domain.domainName = "GATE"
        domain.maxPasswordAge = 1 << 63
        domain.domainModifiedCount = 17
        domain.domainCreationTime = 0x01c0_0000_0000_0001
        domain.lockout = SamrSamples.lockout
        domain.passwordProperties = 1
        domain.security = security
        return domain
    }()
    static let group: NetlogonDeltaGroup = {
        var group = NetlogonDeltaGroup()
        group.name = "Domain Users"
        group.relativeID = 513
        group.attributes = 7
        group.adminComment = "all"
        group.security = security
        return group
    }()
    static let user: NetlogonDeltaUser = {
        var user = NetlogonDeltaUser()
        user.userName = "anna"
        user.fullName = "Anna Ängström"
        user.userID = 1_001
        user.primaryGroupID = 513
        user.scriptPath = "anna.bat"
        user.logonHours = SamrLogonHours(hours: [UInt8](repeating: 0xff, count: 21))
        user.userAccountControl = 0x10
        user.encryptedNTOwfPassword = NetlogonSamples.sixteen
        user.ntPasswordPresent = true
        user.sensitiveData = true
        user.privateData = [2, 0, 0, 0, 9]
        user.security = security
        user.profilePath = "\\\\GATE1\\profiles\\anna"
        return user
    }()
    static let alias: NetlogonDeltaAlias = {
        var alias = NetlogonDeltaAlias()
        alias.name = "Administrators"
        alias.relativeID = 544
        alias.comment = "may all"
        alias.security = security
        return alias
    }()
    static let policy: NetlogonDeltaPolicy = {
        var policy = NetlogonDeltaPolicy()
        policy.maximumLogSize = 0x8_0000
        policy.eventAuditingOptions = [0, 0, 3]
        policy.primaryDomainName = "GATE"
        policy.primaryDomainSID = sid
        policy.modifiedID = 4
        policy.security = security
        return policy
    }()
    static let trusted: NetlogonDeltaTrustedDomain = {
        var trusted = NetlogonDeltaTrustedDomain()
        trusted.domainName = "OTHER"
        trusted.controllerNames = ["\\\\PDC", "\\\\BDC1"]
        trusted.trustedPosixOffset = 0x8000_0000
        return trusted
    }()
    static let account: NetlogonDeltaAccount = {
        var account = NetlogonDeltaAccount()
        account.privilegeAttributes = [0, 3]
        account.privilegeNames = ["SeBackupPrivilege", "SeRestorePrivilege"]
        account.systemAccessFlags = 1
        account.quotaLimits.pagedPoolLimit = 0x200_0000
        return account
    }()
    static let secret: NetlogonDeltaSecret = {
        var secret = NetlogonDeltaSecret()
        secret.currentValue = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        secret.currentValueSetTime = 77
        secret.security = security
        return secret
    }()
    static let rename = NetlogonDeltaRename(oldName: "old", newName: "new")

    static let deltas: [NetlogonDelta] = [
        .domain(rid: 0, domain), .group(rid: 513, group), .deleteGroup(rid: 1_004),
        .renameGroup(rid: 1_005, rename), .user(rid: 1_001, user), .deleteUser(rid: 1_002),
        .renameUser(rid: 1_003, rename),
        .groupMembers(
            rid: 513, NetlogonDeltaGroupMembers(members: [GroupMembership(relativeID: 1_001)])),
        .alias(rid: 544, alias), .deleteAlias(rid: 1_006), .renameAlias(rid: 1_007, rename),
        .aliasMembers(rid: 544, NetlogonDeltaAliasMembers(members: [sid, sid])),
        .policy(sid: sid, policy), .trustedDomain(sid: sid, trusted),
        .deleteTrustedDomain(sid: sid), .account(sid: sid, account), .deleteAccount(sid: sid),
        .secret(name: "G$$OTHER", secret), .deleteSecret(name: "G$$OTHER"),
        .deleteGroupByName(rid: 1_004, NetlogonDeltaDelete(accountName: "gone")),
        .deleteUserByName(rid: 1_002, NetlogonDeltaDelete(accountName: nil)),
        .serialNumberSkip(modifiedCount: 18),
    ]

    static let call = DatabaseCall(
        primaryName: "\\\\PDC", computerName: "GATE1",
        authenticator: NetlogonSamples.authenticator)
    static let accountCall = AccountDatabaseCall(
        primaryName: nil, computerName: "GATE1", authenticator: NetlogonSamples.authenticator)

    static let calls: [MessageSample] = [
        sample(
            "DatabaseDeltas",
            NetrDatabaseDeltas.Request(
                call: call, databaseID: .account, domainModifiedCount: 17)),
        sample(
            "DatabaseDeltas response",
            NetrDatabaseDeltas.Response(
                domainModifiedCount: 18, deltas: NetlogonDeltaArray(deltas),
                status: .moreEntries)),
        sample(
            "DatabaseDeltas without any",
            NetrDatabaseDeltas.Response(
                domainModifiedCount: 18, deltas: NetlogonDeltaArray([]))),
        sample(
            "DatabaseDeltas refused",
            NetrDatabaseDeltas.Response(
                domainModifiedCount: 18, deltas: nil, status: .accessDenied)),
        sample("DatabaseSync", NetrDatabaseSync.Request(call: call, databaseID: .builtin)),
        sample(
            "DatabaseSync response",
            NetrDatabaseSync.Response(
                syncContext: 5, deltas: NetlogonDeltaArray(Array(deltas[0..<3])))),
        sample(
            "DatabaseSync refused",
            NetrDatabaseSync.Response(syncContext: 0, deltas: nil, status: .accessDenied)),
        sample(
            "DatabaseSync2",
            NetrDatabaseSync2.Request(
                call: call, databaseID: .lsa, restartState: .group, syncContext: 3)),
        sample(
            "DatabaseRedo",
            NetrDatabaseRedo.Request(
                call: call,
                entry: ChangeLogEntry(
                    serialNumber: 17, objectRID: 1_001, flags: .changedPassword, database: 0,
                    deltaType: 5))),
        sample(
            "DatabaseRedo by SID",
            NetrDatabaseRedo.Request(
                call: call,
                entry: ChangeLogEntry(
                    serialNumber: 17, objectRID: 0, database: 2, deltaType: 14,
                    object: .sid(sid)))),
        sample(
            "DatabaseRedo by name",
            NetrDatabaseRedo.Request(
                call: call,
                entry: ChangeLogEntry(
                    serialNumber: 17, objectRID: 0, database: 2, deltaType: 18,
                    object: .name("G$$OTHER")))),
        sample(
            "DatabaseRedo response",
            NetrDatabaseRedo.Response(deltas: NetlogonDeltaArray([deltas[4]]))),
        sample(
            "DatabaseRedo refused",
            NetrDatabaseRedo.Response(deltas: nil, status: .accessDenied)),
        sample(
            "AccountDeltas",
            NetrAccountDeltas.Request(
                call: accountCall, recordID: UASInfo(timeCreated: 1, serialNumber: 2), count: 3,
                level: 0, bufferSize: 4_096)),
        sample(
            "AccountDeltas response",
            NetrAccountDeltas.Response(buffer: [1, 2, 3], status: .notImplemented)),
        sample(
            "AccountSync",
            NetrAccountSync.Request(
                call: accountCall, reference: 0, level: 0, bufferSize: 4_096)),
        sample(
            "AccountSync response",
            NetrAccountSync.Response(buffer: [], status: .notImplemented)),
    ]
}
