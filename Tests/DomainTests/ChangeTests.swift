import Crypto
import NTLM
import Testing
import Wire

@testable import Domain

@Suite struct ChangeTests {
    @Test func newDomainHasWhatEveryDomainHas() throws {
        let domain = try #require(World().domain)
        #expect(domain.name == "GATE")
        #expect(domain.account("administrator")?.rid == 500)
        #expect(domain.account("GUEST")?.isDisabled == true)
        #expect(domain.members(of: WellKnownRID.domainAdmins) == [500])
        #expect(domain.groups.elements.map(\.rid) == [512, 513, 514, 515, 516])
        #expect(domain.builtinAliases.elements.map(\.rid) == [544, 545, 546])
        #expect(domain.alias("administrators", in: .builtin)?.members == [domain.sid(of: 512)])
    }

    @Test func accountsGroupsAndAliasesShareNamesAndNumbers() throws {
        let world = World()
        let domain = try #require(world.domain)
        let user = try world.user("Müller")
        let group = try domain.createGroup("staff")
        let alias = try domain.createAlias("printers")
        #expect([user.rid, group.rid, alias.rid] == [1_000, 1_001, 1_002])
        #expect(domain.lookup("MÜLLER") == .account(1_000))
        #expect(domain.lookup(rid: 1_002) == .alias(1_002))
        #expect(throws: DomainError(.userExists)) { try domain.createGroup("mÜller") }
        #expect(throws: DomainError(.groupExists)) { try domain.createAccount("STAFF") }
        #expect(throws: DomainError(.aliasExists)) { try domain.createAccount("Printers") }
    }

    @Test(arguments: ["", "a/b", "a\\b", " . ", "a@\u{1}", "a*b", "123456789012345678901"])
    func refusesWhatIsNoName(_ name: String) {
        let domain = World().domain!
        #expect(throws: DomainError(.invalidAccountName)) { try domain.createAccount(name) }
    }

    @Test func refusedCommitChangesNothing() throws {
        let world = World()
        let domain = try #require(world.domain)
        let user = try world.user("anna")
        let before = world.records
        let header = domain.header
        world.refuses = true
        #expect(throws: DomainError(.internalError)) { try domain.createAccount("bert") }
        #expect(throws: DomainError.self) { try domain.deleteAccount(user.rid) }
        #expect(throws: DomainError.self) { try domain.updateAccount(user.rid) { $0.name = "x" } }
        #expect(throws: DomainError.self) { try domain.addMember(user.rid, to: 512) }
        #expect(throws: DomainError.self) {
            try domain.setTrust(Trust(name: "OTHER", direction: .inbound))
        }
        world.refuses = false
        #expect(world.records == before)
        #expect(domain.header == header)
        #expect(domain.account("anna") == user)
        #expect(domain.lookup("bert") == nil && domain.lookup("x") == nil)
        #expect(domain.trusts.isEmpty)
        #expect(domain.changes(in: .sam, after: header.serial(of: .sam))?.count == 0)
        #expect(try world.user("bert").rid == user.rid + 1)
    }

    @Test func changesWithinOneAreKeptTogetherOrNotAtAll() throws {
        let world = World()
        let domain = try #require(world.domain)
        let commits = world.commits
        try domain.change { () throws(DomainError) in
            _ = try domain.createAccount("one")
            // What is refused within takes nothing else with it.
            _ = try? domain.createAccount("ONE")
            _ = try domain.createAccount("two")
        }
        #expect(world.commits == commits + 1)
        #expect(domain.account("two")?.rid == 1_001)
        let header = domain.header
        #expect(throws: DomainError.self) {
            try domain.change { () throws(DomainError) in
                _ = try domain.createAccount("three")
                _ = try domain.createAccount("two")
            }
        }
        #expect(domain.account("three") == nil)
        #expect(domain.header == header)
        #expect(world.reloaded()?.header == header)
    }

    @Test func reloadedDomainIsTheSame() throws {
        let world = World()
        let domain = try #require(world.domain)
        let user = try world.user("anna")
        try domain.updateAccount(user.rid) {
            $0.fullName = "Anna Zäh"
            $0.workstations = ["PC1", "PC2"]
            $0.parameters = [1, 2, 3]
            $0.logonHours = LogonHours([UInt8](repeating: 0x0f, count: 21))!
            $0.countryCode = 49
        }
        let group = try domain.createGroup("staff")
        try domain.addMember(user.rid, to: group.rid)
        let alias = try domain.createAlias("local")
        try domain.addMember(domain.sid(of: user.rid), toAlias: alias.rid, in: .account)
        try domain.setTrust(Trust(name: "OTHER", sid: World.sid, direction: [.inbound]))
        try domain.setPolicy { $0.minimumPasswordLength = 8 }
        let other = try #require(world.reloaded())
        #expect(other.header == domain.header)
        #expect(other.accounts.elements == domain.accounts.elements)
        #expect(other.groups.elements == domain.groups.elements)
        #expect(other.aliases.elements == domain.aliases.elements)
        #expect(other.builtinAliases.elements == domain.builtinAliases.elements)
        #expect(other.trusts == domain.trusts)
        #expect(other.lookup("ANNA") == .account(user.rid))
        for database in DomainDatabase.allCases {
            #expect(
                other.changes(in: database, after: 1).map { Array($0) }
                    == domain.changes(in: database, after: 1).map { Array($0) })
        }
    }

    @Test func everyChangeHasItsSerialNumber() throws {
        let world = World()
        let domain = try #require(world.domain)
        let start = domain.serial(of: .sam)
        let user = try world.user("anna")
        try domain.updateAccount(user.rid) { $0.name = "berta" }
        try domain.deleteAccount(user.rid)
        let changes = try #require(domain.changes(in: .sam, after: start))
        #expect(changes.map(\.type) == [
            .changeUser, .changeGroupMembers, .changeUser, .renameUser, .changeUser, .deleteUser,
        ])
        #expect(changes.map(\.serial) == Array((start + 1)...(start + 6)))
        #expect(changes.last?.name == "berta")
        #expect(domain.changes(in: .sam, after: start + 7) == nil)
        #expect(domain.serial(of: .lsa) == 1)
    }

    @Test func oneChangeSaysOfAnObjectOnlyOnceWhatBecameOfIt() throws {
        let world = World()
        let domain = try #require(world.domain)
        let start = domain.serial(of: .sam)
        try domain.change { () throws(DomainError) in
            for name in ["a", "b"] {
                let account = try domain.createAccount(name)
                try domain.setPassword(account.rid, NewPassword(nt: Bytes16()), now: world.now)
                _ = try? domain.change { () throws(DomainError) in
                    try domain.addMember(account.rid, to: 512)
                    throw DomainError(.cancelled)
                }
            }
        }
        let changes = try #require(domain.changes(in: .sam, after: start))
        #expect(changes.map(\.type) == [.changeUser, .changeUser, .changeGroupMembers])
        #expect(changes.map(\.rid) == [1_000, 1_001, 513])
        #expect(changes.first?.flags == [.immediate, .changedPassword])
        #expect(changes.map(\.serial) == Array((start + 1)...(start + 3)))
        #expect(domain.members(of: 512) == [500])
    }

    @Test func logIsBounded() throws {
        let world = World()
        let domain = try #require(world.domain)
        let start = domain.serial(of: .sam)
        for number in 0..<2_600 {
            try domain.updateAccount(500) { $0.countryCode = UInt16(number + 1) }
        }
        #expect(domain.changes(in: .sam, after: start) == nil)
        let serial = domain.serial(of: .sam)
        #expect(domain.changes(in: .sam, after: serial - 2_000)?.count == 2_000)
        #expect(domain.changes(in: .sam, after: serial - 2_001) == nil)
        #expect(world.records.keys.filter { $0.hasPrefix("log/0/") }.count == 2_000)
        #expect(world.reloaded()?.changes(in: .sam, after: serial - 2_000)?.count == 2_000)
    }

    @Test func largeChangeWritesOnlyWhatTheLogHolds() throws {
        let world = World()
        let domain = try #require(world.domain)
        try domain.change { () throws(DomainError) in
            for number in 0..<2_500 { _ = try domain.createAccount("user\(number)") }
        }
        #expect(world.records.keys.filter { $0.hasPrefix("log/0/") }.count == 2_000)
        let serial = domain.serial(of: .sam)
        #expect(world.reloaded()?.changes(in: .sam, after: serial - 2_000)?.count == 2_000)
    }

    @Test func membersAreKeptInOrderAndPrimaryGroupCannotBeLeft() throws {
        let world = World()
        let domain = try #require(world.domain)
        let user = try world.user("anna")
        let group = try domain.createGroup("staff")
        try domain.addMember(user.rid, to: group.rid)
        try domain.addMember(user.rid, to: 512)
        #expect(domain.account("anna")?.groupRIDs == [513, 512, group.rid])
        #expect(domain.members(of: 512) == [500, user.rid])
        #expect(throws: DomainError(.memberInGroup)) { try domain.addMember(user.rid, to: 512) }
        #expect(throws: DomainError(.membersPrimaryGroup)) {
            try domain.removeMember(user.rid, from: 513)
        }
        try domain.updateAccount(user.rid) { $0.primaryGroupRID = 512 }
        try domain.removeMember(user.rid, from: 513)
        #expect(domain.account("anna")?.groupRIDs == [512, group.rid])
        #expect(throws: DomainError(.memberNotInGroup)) {
            try domain.updateAccount(user.rid) { $0.primaryGroupRID = 514 }
        }
        #expect(throws: DomainError(.memberInGroup)) { try domain.deleteGroup(group.rid) }
        try domain.removeMember(user.rid, from: group.rid)
        try domain.deleteGroup(group.rid)
        #expect(domain.group("staff") == nil)
        #expect(throws: DomainError(.specialGroup)) { try domain.deleteGroup(512) }
        #expect(throws: DomainError(.specialAccount)) { try domain.deleteAccount(500) }
    }

    @Test func deletedAccountLeavesItsAliases() throws {
        let world = World()
        let domain = try #require(world.domain)
        let user = try world.user("anna")
        try domain.addMember(domain.sid(of: user.rid), toAlias: 544, in: .builtin)
        #expect(domain.aliases(of: [domain.sid(of: user.rid)], in: .builtin) == [544])
        try domain.deleteAccount(user.rid)
        #expect(domain.builtinAliases[544]?.members == [domain.sid(of: 512)])
        #expect(throws: DomainError(.noSuchMember)) {
            try domain.addMember(domain.sid(of: user.rid), toAlias: 544, in: .builtin)
        }
    }

    @Test func passwordsKeepToThePolicy() throws {
        var policy = AccountPolicy()
        policy.minimumPasswordLength = 6
        policy.passwordHistoryLength = 3
        policy.minimumPasswordAge = DomainTime.day
        let world = World(policy: policy)
        let domain = try #require(world.domain)
        let user = try world.user("anna", password: "first password")
        func set(_ text: String, by setter: LocalDomain.Setter) throws {
            try domain.setPassword(
                user.rid, NewPassword(Secret(Array(text.utf8))), by: setter, now: world.now)
        }
        #expect(throws: DomainError(.passwordRestriction)) { try set("other one", by: .owner) }
        world.now += DomainTime.day
        #expect(throws: DomainError(.passwordRestriction)) { try set("short", by: .administrator) }
        #expect(throws: DomainError(.passwordRestriction)) {
            try set("first password", by: .owner)
        }
        try set("second one", by: .owner)
        world.now += DomainTime.day
        #expect(throws: DomainError(.passwordRestriction)) {
            try set("first password", by: .owner)
        }
        try set("third one", by: .owner)
        world.now += DomainTime.day
        // Three in all, with the one that holds.
        for old in ["third one", "second one", "first password"] {
            #expect(throws: DomainError(.passwordRestriction)) { try set(old, by: .owner) }
        }
        try set("fourth one", by: .owner)
        world.now += DomainTime.day
        try set("first password", by: .owner)
        try set("second one", by: .administrator)
    }

    @Test func noMaximumAgeIsNoLimit() throws {
        var policy = AccountPolicy()
        policy.maximumPasswordAge = 0
        let world = World(policy: policy)
        let domain = try #require(world.domain)
        let user = try world.user("anna", password: "secret")
        world.now += DomainTime.day
        #expect(domain.passwordMustChange(user) == DomainTime.never)
        #expect(world.logon("anna") == nil)
        try domain.setPassword(
            user.rid, NewPassword(Secret(Array("secret".utf8))), now: world.now)
        try domain.updateAccount(user.rid) { $0.passwordLastSet = 0 }
        #expect(world.logon("anna") == .passwordMustChange)
    }

    @Test func onlyADomainThatTakesLMKeepsItsHashes() throws {
        for allowsLM in [false, true] {
            let world = World(proofs: ProofPolicy(ntlmv1: .allow, allowsLM: allowsLM))
            let user = try world.user("anna")
            #expect((user.lmHash != nil) == allowsLM)
            #expect(user.ntHash == NTOWF.v1(password: "secret"))
        }
    }

    @Test func whatNoRecordHoldsIsRefused() throws {
        let world = World()
        let user = try world.user("anna")
        let long = String(repeating: "x", count: LocalDomain.textLimit + 1)
        let refused = DomainError(.invalidParameter)
        let domain = try #require(world.domain)
        #expect(throws: refused) { try domain.updateAccount(user.rid) { $0.fullName = long } }
        #expect(throws: refused) { try domain.updateAccount(user.rid) { $0.workstations = [long] } }
        #expect(throws: refused) {
            try domain.updateAccount(user.rid) { $0.flags.insert(.serverTrust) }
        }
        #expect(throws: refused) { try domain.updateGroup(512) { $0.comment = long } }
        #expect(throws: refused) { try domain.updateAlias(544, in: .builtin) { $0.comment = long } }
        #expect(throws: refused) { try domain.setComment(long) }
        // Each is short enough, and all of them are not.
        let wide = [String](repeating: String(repeating: "€", count: 341), count: 64)
        #expect(throws: refused) { try domain.updateAccount(user.rid) { $0.workstations = wide } }
        #expect(domain.account("anna") == user)
    }

    @Test func longestAccountIsARecordOfTheState() throws {
        let world = World()
        let user = try world.user("anna")
        let domain = try #require(world.domain)
        let text = String(repeating: "x", count: LocalDomain.textLimit)
        try domain.updateAccount(user.rid) {
            $0.workstations = [String](
                repeating: text, count: LocalDomain.textsLimit / LocalDomain.textLimit)
            $0.parameters = [UInt8](repeating: 1, count: LocalDomain.parametersLimit)
            $0.history = [Bytes16](repeating: Bytes16(), count: AccountPolicy.historyLimit)
        }
        var longest = try #require(domain.accounts[user.rid])
        longest.name = String(repeating: "€", count: LocalDomain.groupNameLimit)
        longest.otherGroupRIDs = (0..<UInt32(LocalDomain.groupLimit)).map { $0 }
        // Less than the 64 KB that the state takes, with the name of the record's kind.
        #expect(longest.record.content.map { $0.count < 64_000 } == true)
    }

    @Test func whoIsInAdministratorsIsOne() throws {
        let world = World()
        let user = try world.user("anna")
        let domain = try #require(world.domain)
        func isAdministrator() -> Bool {
            let account = domain.accounts[user.rid]!
            return domain.isAdministrator(account.rid, groups: account.groupRIDs)
        }
        #expect(!isAdministrator())
        try domain.addMember(domain.sid(of: user.rid), toAlias: 544, in: .builtin)
        #expect(isAdministrator())
        try domain.removeMember(domain.sid(of: user.rid), fromAlias: 544, in: .builtin)
        #expect(!isAdministrator())
        let group = try domain.createGroup("helpers")
        try domain.addMember(user.rid, to: group.rid)
        try domain.addMember(domain.sid(of: group.rid), toAlias: 544, in: .builtin)
        #expect(isAdministrator())
        try domain.removeMember(user.rid, from: group.rid)
        try domain.addMember(user.rid, to: 512)
        #expect(isAdministrator())
        try domain.removeMember(domain.sid(of: 512), fromAlias: 544, in: .builtin)
        #expect(!isAdministrator())
        // Somebody can always undo it.
        #expect(domain.isAdministrator(500, groups: [513]))
    }

    @Test func whatIsConfiguredWinsOverWhatIsSet() throws {
        let world = World()
        let domain = try #require(world.domain)
        try domain.setPolicy { $0.lockoutThreshold = 0 }
        #expect(domain.policy.lockoutThreshold == 0)
        var overrides = PolicyOverrides()
        overrides.lockoutThreshold = 7
        overrides.lockoutDuration = DomainTime.hour
        overrides.minimumPasswordLength = 5
        overrides.maximumPasswordAge = DomainTime.day
        try domain.setOverrides(overrides)
        try domain.setPolicy {
            $0 = AccountPolicy()
            $0.passwordHistoryLength = 3
        }
        var expected = AccountPolicy()
        expected.passwordHistoryLength = 3
        expected.lockoutThreshold = 7
        expected.lockoutDuration = DomainTime.hour
        expected.lockoutWindow = DomainTime.hour
        expected.minimumPasswordLength = 5
        expected.maximumPasswordAge = DomainTime.day
        #expect(domain.policy == expected)
    }

    @Test func aThousandMembersAreSoughtAsFastAsOne() throws {
        let world = World()
        let domain = try #require(world.domain)
        let members = (0..<UInt32(Alias.memberLimit)).map { domain.sid(of: 100_000 + $0) }
        for rid in 2_000..<2_020 as Range<UInt32> {
            var alias = Alias(home: .account, rid: rid, name: "alias\(rid)")
            alias.members = members
            domain.restore(alias: rid, in: .account, alias)
        }
        let others = (0..<1_023 as Range<UInt32>).map { domain.sid(of: 200_000 + $0) }
        func time(_ sids: [SID], _ count: Int) -> Duration {
            let times = (0..<3).map { _ in
                ContinuousClock().measure {
                    #expect(domain.aliases(of: sids, in: .account).count == count)
                }
            }
            return times.min() ?? .zero
        }
        let one = time(Array(members.suffix(1)), 20)
        // Each compared with each would take five hundred times as long.
        #expect(time(others + members.suffix(1), 20) < one * 50)
        #expect(domain.aliases(of: others, in: .account) == [])
    }

    @Test func damagedRecordIsNamedAndMissingAlone() throws {
        let world = World()
        let user = try world.user("anna")
        try world.user("bert")
        world.records["account/000003e8"]?.removeLast()
        var loader = DomainLoader()
        for key in world.records.keys.sorted() { loader.take(key: key, world.records[key]!) }
        #expect(loader.damaged.map(\.key) == ["account/000003e8"])
        let domain = try #require(loader.finish(proofs: .init()) { _ in true })
        #expect(domain.accounts[user.rid] == nil && domain.account("bert") != nil)
        world.records["domain"] = [9]
        #expect(world.reloaded() == nil)
    }

    @Test func descriptionsShowNoSecrets() throws {
        let user = try World().user("anna")
        #expect(user.description == "account anna (1000), flags 0x00000010")
    }

    @Test func tenThousandAccountsLoadAtOnce() throws {
        let world = World()
        let domain = try #require(world.domain)
        try domain.change { () throws(DomainError) in
            for number in 0..<10_000 {
                let account = try domain.createAccount("user\(number)")
                try domain.setPassword(account.rid, NewPassword(nt: Bytes16()), now: world.now)
            }
        }
        let other = try #require(world.reloaded())
        #expect(other.accounts.count == 10_002)
        #expect(other.account("USER9999")?.rid == 10_999)
        #expect(other.accounts.after(10_998).map(\.rid) == [10_999])
    }
}
