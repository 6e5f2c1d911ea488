import Crypto
import NTLM
import Testing
import Wire

@testable import Domain

/// A backup's copy of a primary's databases.
@Suite struct ReplicaTests {
    private final class Backup {
        var records: [String: [UInt8]] = [:]
        var refuses = false
        private(set) var domain: LocalDomain!

        init() {
            domain = LocalDomain.createBackup(
                name: "GATE", sid: World.sid, primary: "PDC"
            ) { [unowned self] changes in
                if refuses { return false }
                for change in changes { records[change.key] = change.content }
                return true
            }
        }

        func reloaded() -> LocalDomain? {
            var loader = DomainLoader()
            for (key, content) in records { loader.take(key: key, content) }
            return loader.finish(proofs: .init()) { _ in false }
        }
    }

    /// All that the primary's SAM holds.
    private func whole(_ domain: LocalDomain) -> [ReplicaChange] {
        var changes: [ReplicaChange] = [
            .domain(policy: domain.policy, comment: domain.header.comment),
        ]
        changes += domain.groups.elements.map { .group($0) }
        changes += domain.accounts.elements.map { .account($0) }
        changes += domain.groups.elements.map {
            .members(group: $0.rid, domain.members(of: $0.rid))
        }
        changes += domain.aliases.elements.map { .alias($0) }
        return changes
    }

    private func copy(_ world: World, to backup: Backup) throws {
        try backup.domain.replicate(
            .sam, whole(world.domain), serial: world.domain.serial(of: .sam),
            created: world.domain.header.created(.sam), isWhole: true)
        try backup.domain.replicate(
            .builtin, world.domain.builtinAliases.elements.map { .alias($0) },
            serial: world.domain.serial(of: .builtin), isWhole: true)
    }

    @Test func wholeCopyIsThePrimarysDatabase() throws {
        let world = World()
        let user = try world.user("anna")
        try world.domain.addMember(user.rid, to: 512)
        _ = try world.domain.createAlias("local")
        try world.domain.setPolicy { $0.minimumPasswordLength = 9 }
        let backup = Backup()
        try copy(world, to: backup)
        let again = try #require(backup.reloaded())
        for found in [backup.domain!, again] {
            #expect(found.accounts.elements == world.domain.accounts.elements)
            #expect(found.groups.elements == world.domain.groups.elements)
            #expect(found.aliases.elements == world.domain.aliases.elements)
            #expect(found.builtinAliases.elements == world.domain.builtinAliases.elements)
            #expect(found.policy == world.domain.policy)
            #expect(found.header.nextRID == world.domain.header.nextRID)
            #expect(found.serial(of: .sam) == world.domain.serial(of: .sam))
            #expect(found.header.created(.sam) == world.domain.header.created(.sam))
            #expect(found.role == .backup && found.header.replicaSource == "PDC")
        }
    }

    @Test func backupValidatesByItselfAndChangesNothingByItself() throws {
        let world = World()
        let user = try world.user("anna")
        let backup = Backup()
        try copy(world, to: backup)
        let logon = LocalLogon(
            domain: "GATE", user: "anna", workstation: "",
            proof: .password(Secret(Array("secret".utf8))))
        guard case .accepted = backup.domain.validate(logon, now: world.now) else {
            Issue.record("the backup does not know the password")
            return
        }
        let refused = DomainError(.invalidDomainRole)
        #expect(throws: refused) { try backup.domain.createAccount("x") }
        #expect(throws: refused) { try backup.domain.deleteAccount(user.rid) }
        #expect(throws: refused) { try backup.domain.addMember(user.rid, to: 512) }
        #expect(throws: refused) {
            try backup.domain.setPassword(user.rid, NewPassword(nt: Bytes16()), now: 1)
        }
        #expect(throws: refused) { try world.domain.replicate(.sam, [], serial: 9) }
    }

    @Test func whatAWholeCopyDoesNotNameGoes() throws {
        let world = World()
        let user = try world.user("anna")
        let group = try world.domain.createGroup("staff")
        let backup = Backup()
        try copy(world, to: backup)
        try world.domain.deleteAccount(user.rid)
        try world.domain.deleteGroup(group.rid)
        try copy(world, to: backup)
        #expect(backup.domain.lookup("anna") == nil && backup.domain.lookup("staff") == nil)
        #expect(backup.domain.accounts.elements == world.domain.accounts.elements)
        #expect(backup.records["account/000003e8"] == nil)
    }

    @Test func partsAreTakenOverAsTheyCome() throws {
        let world = World()
        let user = try world.user("anna")
        let backup = Backup()
        try copy(world, to: backup)
        try world.domain.updateAccount(user.rid) { $0.name = "berta" }
        try world.domain.addMember(user.rid, to: 512)
        let renamed = try #require(world.domain.account("berta"))
        // A member that did not come yet is left out.
        try backup.domain.replicate(
            .sam, [.account(renamed), .members(group: 512, [500, user.rid, 4_711])],
            serial: world.domain.serial(of: .sam))
        #expect(backup.domain.account("berta") == renamed && backup.domain.lookup("anna") == nil)
        try backup.domain.replicate(.sam, [.accountGone(user.rid), .groupGone(999)], serial: 100)
        #expect(backup.domain.lookup("berta") == nil)
        #expect(backup.domain.serial(of: .sam) == 100)
    }

    @Test func refusedCopyChangesNothing() throws {
        let world = World()
        let backup = Backup()
        try copy(world, to: backup)
        try world.user("anna")
        backup.refuses = true
        #expect(throws: DomainError(.internalError)) { try copy(world, to: backup) }
        #expect(backup.domain.lookup("anna") == nil)
        #expect(backup.domain.header == backup.reloaded()?.header)
    }

    @Test func promotedBackupIsAheadOfItsPrimary() throws {
        let world = World()
        let backup = Backup()
        try copy(world, to: backup)
        let serial = backup.domain.serial(of: .sam)
        try backup.domain.setRole(.primary)
        #expect(backup.domain.serial(of: .sam) == serial + LocalDomain.promotionIncrement)
        #expect(try backup.domain.createAccount("anna").rid == world.domain.header.nextRID)
        let again = try #require(backup.reloaded())
        #expect(again.role == .primary && again.account("anna") != nil)
        #expect(again.changes(in: .sam, after: serial) == nil)
        #expect(again.changes(in: .sam, after: again.serial(of: .sam) - 1)?.count == 1)
    }
}
