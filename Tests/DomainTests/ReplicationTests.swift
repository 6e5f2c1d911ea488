import Crypto
import Interfaces
import NTLM
import RPC
import Testing
import Wire

@testable import Domain

@Suite struct ReplicationTests {
    private func populated() throws -> ReplicationWorld {
        let world = try ReplicationWorld()
        for number in 0..<12 { try world.primary.user("user\(number)") }
        let group = try world.primary.domain.createGroup("players")
        try world.primary.domain.addMember(1_003, to: group.rid)
        let alias = try world.primary.domain.createAlias("printers")
        try world.primary.domain.addMember(
            SID("S-1-5-21-7-7-7-500")!, toAlias: alias.rid, in: .account)
        return world
    }

    private func copied() throws -> ReplicationWorld {
        let world = try populated()
        try world.run()
        world.forget()
        return world
    }

    @Test func newBackupCopiesEverything() throws {
        let world = try populated()
        try world.run()
        #expect(world.differences() == [])
        #expect(world.carried.count == 3)
        #expect(world.notices.contains(.begins(.sam, .new)))
        #expect(world.backup.role == .backup)
        let accepted = world.backup.validate(
            LocalLogon(
                domain: "GATE", user: "user3", workstation: "",
                proof: .password(Secret(Array("secret".utf8)))),
            now: World.begin)
        if case .refused(let status) = accepted { Issue.record("\(status)") }
    }

    @Test func smallPagesCopyEverythingToo() throws {
        let world = try populated()
        world.pageBytes = 1
        try world.run()
        #expect(world.differences() == [])
        #expect(world.carried.count > 25)
    }

    @Test func changesAreCopiedAsDeltas() throws {
        let world = try copied()
        let domain = world.primary.domain!
        try domain.setPassword(1_001, NewPassword(Secret(Array("new".utf8))), now: World.begin)
        try domain.deleteAccount(1_002)
        try domain.updateAccount(1_004) { $0.name = "renamed" }
        let added = try world.primary.user("added")
        try domain.addMember(added.rid, to: 512)
        try domain.setPolicy { $0.minimumPasswordLength = 3 }
        try domain.addMember(domain.sid(of: added.rid), toAlias: 544, in: .builtin)
        world.announce()
        try world.run()
        #expect(world.differences() == [])
        #expect(
            world.carried.map { $0.opnum } == [NetrDatabaseDeltas.opnum, NetrDatabaseDeltas.opnum])
        #expect(world.backup.account("renamed")?.rid == 1_004)
        #expect(world.backup.account("user2") == nil)
    }

    @Test func deltasComeInSmallPagesToo() throws {
        let world = try copied()
        world.pageBytes = 1
        for number in 0..<5 { try world.primary.user("more\(number)") }
        try world.primary.domain.updateAccount(1_000) { $0.name = "swapped" }
        try world.primary.user("user0")
        world.announce()
        try world.run()
        #expect(world.differences() == [])
        #expect(world.carried.count > 10)
    }

    @Test func announcementsAreWaitedForAtRandom() throws {
        let world = try copied()
        try world.primary.user("added")
        world.announce(random: 1)
        // 3,000,000,500 modulo 1,001 milliseconds.
        #expect(world.pull.nextRequest(now: world.now) == nil)
        let due = try #require(world.pull.nextDeadline)
        #expect(due > world.now && due <= world.now + 1_000)
        world.now = due
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func lostAnnouncementIsMadeUpFor() throws {
        let world = try copied()
        try world.primary.user("added")
        #expect(world.pull.nextRequest(now: world.now + 1_000) == nil)
        world.now = try #require(world.pull.nextDeadline)
        #expect(world.now <= 1_000 + ReplicationPull.Limit.poll)
        try world.run()
        #expect(world.differences() == [] && world.carried.count == 3)
    }

    @Test func restartedBackupGoesOnWithDeltas() throws {
        let world = try copied()
        try world.restart()
        #expect(world.differences() == [])
        try world.primary.user("added")
        try world.run()
        #expect(world.differences() == [])
        #expect(world.carried.allSatisfy { $0.opnum == NetrDatabaseDeltas.opnum })
    }

    @Test func restartInTheMiddleBeginsAgain() throws {
        let world = try populated()
        world.pageBytes = 1
        try world.run(most: 9)
        try world.restart()
        #expect(world.backup.stamp(.sam) == DatabaseStamp(serial: 0, created: 0))
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func olderPrimaryIsCopiedWhole() throws {
        let world = try copied()
        // The primary's change is lost, as it is restored to before it.
        let before = world.primary.records
        try world.primary.user("lost")
        world.announce()
        try world.run()
        world.forget()
        #expect(world.backup.account("lost") != nil)
        try world.restorePrimary(before)
        world.announce()
        try world.run()
        #expect(world.notices.contains(.begins(.sam, .serialBackwards)))
        #expect(world.backup.account("lost") == nil)
        #expect(world.differences() == [])
    }

    @Test func olderPrimaryIsNoticedOnItsNextConnectionToo() throws {
        let world = try copied()
        let before = world.primary.records
        try world.primary.user("lost")
        world.announce()
        try world.run()
        world.forget()
        try world.restorePrimary(before)
        world.pull.connected(now: world.now)
        try world.run()
        #expect(world.notices.contains { if case .begins(.sam, _) = $0 { true } else { false } })
        #expect(world.differences() == [])
    }

    @Test func databaseMadeAnewIsCopiedWhole() throws {
        let world = try copied()
        var records = world.primary.records
        var header = world.primary.domain.header
        header.created = InlineArray(repeating: 77)
        for index in 0..<3 { header.serials[index] += 40 }
        var writer = WireWriter()
        header.write(into: &writer)
        records["domain"] = writer.finish()
        try world.restorePrimary(records)
        world.pull.connected(now: world.now)
        try world.run()
        #expect(world.notices.contains(.begins(.sam, .createdAnew)))
        #expect(world.notices.contains(.begins(.builtin, .createdAnew)))
        #expect(world.differences() == [])
    }

    @Test func announcementsThatLieLeadToAQuestionOnly() throws {
        let world = try copied()
        let before = world.records
        for (serial, created) in [(nil, 77), (1, nil)] as [(UInt64?, UInt64?)] {
            world.forget()
            world.announce(serial: serial, created: created)
            try world.run()
            #expect(world.carried.count <= 3 && !world.carried.isEmpty)
            #expect(world.records == before)
            for notice in world.notices {
                if case .begins = notice { Issue.record("all is copied again") }
            }
        }
    }

    @Test func foreignDomainsAreToldOfNowAndThenAndNeverAskedAfter() throws {
        let world = try copied()
        let foreign = (1...40).map { SID.domain(random: [UInt8](repeating: UInt8($0), count: 12)) }
        for sid in foreign { world.announce(sid: sid) }
        world.announce(sid: foreign[0])
        #expect(world.pull.takeNotices().count == 1)
        #expect(world.pull.nextRequest(now: world.now + 1_000) == nil)
        world.now += ReplicationPull.Limit.poll
        for sid in foreign { world.announce(sid: sid) }
        #expect(world.pull.takeNotices().count == 1)
    }

    @Test func whichDomainItIsComesFromThePrimary() throws {
        let world = try ReplicationWorld(sid: nil)
        try world.primary.user("anna")
        #expect(!world.backup.hasCopy)
        #expect(throws: DomainError.self) { try world.backup.setRole(.primary) }
        try world.run()
        #expect(world.carried.first?.database == .lsa)
        #expect(world.backup.sid == World.sid && world.backup.hasCopy)
        try world.restart()
        #expect(world.backup.sid == World.sid)
        #expect(world.differences() == [])
    }

    @Test func anotherDomainOfTheNameIsNotTakenOver() throws {
        let world = try copied()
        let before = world.records
        let other = try #require(SID("S-1-5-21-9-9-9"))
        var records = world.primary.records
        var header = world.primary.domain.header
        header.sid = other
        header.serials[0] += 9
        var writer = WireWriter()
        header.write(into: &writer)
        records["domain"] = writer.finish()
        try world.restorePrimary(records)
        world.pull.connected(now: world.now)
        try world.run()
        #expect(world.notices == [.trouble(.lsa, .otherDomain(other, own: World.sid))])
        let text = try #require(world.notices.first?.description)
        #expect(text.contains("S-1-5-21-9-9-9") && text.contains(World.sid.description))
        #expect(world.records == before && world.carried.count == 1)
        // It goes on being asked, slowly, and nothing else is before that is settled.
        world.now = try #require(world.pull.nextDeadline)
        #expect(world.pull.nextRequest(now: world.now)?.database == .lsa)
    }

    @Test func aNewConnectionCostsThreeQuestions() throws {
        let world = try copied()
        let before = world.records
        world.pull.connected(now: world.now)
        try world.run()
        #expect(world.carried.map { $0.database } == [.lsa, .sam, .builtin])
        #expect(world.records == before)
    }

    @Test func shortLogLeadsToAFullCopy() throws {
        let world = try copied()
        for number in 0..<2_100 {
            try world.primary.domain.updateAccount(1_000) { $0.fullName = "\(number)" }
        }
        world.announce()
        try world.run()
        #expect(world.differences() == [])
        #expect(world.notices.contains(.begins(.sam, .logTooShort)))
    }

    @Test func announcementsPromptNoMoreThanOneQuestionASecond() throws {
        let world = try copied()
        let serial = world.source.serial(of: .sam)
        let end = world.now + 10_000
        var number: UInt64 = 0
        while world.now < end {
            number += 1
            world.announce(after: 10, serial: serial + number)
            try world.run()
        }
        #expect(world.carried.count { $0.database == .sam } == 10)
        // What is true among them waits no longer than that.
        try world.primary.user("added")
        world.announce(after: 10)
        world.now = try #require(world.pull.nextDeadline)
        #expect(world.now <= end + 1_010)
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func otherDomainsAnnouncementsAreNotHeard() throws {
        let world = try copied()
        try world.primary.user("added")
        world.pull.announced(
            .init(
                lowSerialNumber: 9, dateAndTime: 0, pulse: 300, random: 0, primaryDCName: "EVIL",
                domainName: "GATE",
                databases: [.init(index: 0, largeSerialNumber: 1, dateAndTime: 1)],
                domainSid: SID("S-1-5-21-9-9-9")),
            random: 0, now: world.now)
        #expect(world.pull.nextRequest(now: world.now) == nil)
        let notice = try #require(world.pull.takeNotices().first)
        #expect(notice.description.contains("S-1-5-21-9-9-9"))
    }
}

@Suite struct ReplicationFaultTests {
    private func copied() throws -> ReplicationWorld {
        let world = try ReplicationWorld()
        for number in 0..<3 { try world.primary.user("user\(number)") }
        try world.run()
        world.forget()
        try world.primary.user("added")
        try world.primary.domain.addMember(1_001, to: 512)
        world.announce()
        return world
    }

    @Test func streamCutAtEveryByteStoresNothing() throws {
        let world = try copied()
        let before = world.records
        let request = try #require(world.pull.nextRequest(now: world.now))
        let whole = try world.answer(request)
        for length in 0..<whole.count {
            world.deliver(Array(whole[..<length]))
            #expect(world.records == before)
            world.now = try #require(world.pull.nextDeadline)
            // The others are looked at between, when that is due.
            while let again = world.pull.nextRequest(now: world.now), again != request {
                world.deliver(try world.answer(again))
            }
        }
        world.deliver(whole)
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func wholeCopyCutAtEveryByteStoresNothing() throws {
        let world = try ReplicationWorld()
        for number in 0..<12 { try world.primary.user("user\(number)") }
        world.pageBytes = 1_500
        // LSA's page, then the first pages of the accounts, of which the third is cut.
        try world.run(most: 1)
        let before = world.records
        for cut in 0..<100 {
            var pages = 0
            world.tampers = { request, stub in
                guard request.database == .sam else { return stub }
                pages += 1
                return pages == 3 ? Array(stub.prefix(stub.count * cut / 100)) : stub
            }
            try world.run(most: 3)
            #expect(pages == 3)
            #expect(world.records == before && world.backup.accounts.count == 0)
            world.now = try #require(world.pull.nextDeadline)
        }
        world.tampers = nil
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func changedBytesNeverTrapAndNeverHalfStore() throws {
        let world = try copied()
        let request = try #require(world.pull.nextRequest(now: world.now))
        let whole = try world.answer(request)
        for index in stride(from: 0, to: whole.count, by: 7) {
            let other = try copied()
            _ = other.pull.nextRequest(now: other.now)
            var changed = whole
            changed[index] ^= 0xff
            other.deliver(changed)
        }
    }

    @Test func unwrittenPageLeavesMemoryAsItWas() throws {
        let world = try copied()
        world.refusesWrites = true
        try world.run()
        #expect(world.backup.account("added") == nil)
        #expect(world.notices.contains(.trouble(.sam, .notWritten)))
        world.refusesWrites = false
        world.now = try #require(world.pull.nextDeadline)
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func objectThatFailsIsAskedForByItself() throws {
        let world = try copied()
        world.tampers = { request, stub in
            guard case .deltas = request.kind, request.database == .sam else { return stub }
            // The member's user is not told: its private data is of another key.
            return Self.rewritten(stub) { delta in
                guard case .user(let rid, var content) = delta else { return delta }
                content.privateData[0] ^= 1
                return .user(rid: rid, content)
            }
        }
        try world.run()
        #expect(world.differences() == [])
        #expect(world.carried.contains { $0.opnum == NetrDatabaseRedo.opnum })
        for notice in world.notices {
            if case .begins = notice { Issue.record("all is copied again") }
        }
    }

    @Test func objectThatFailsTwiceLeadsToAFullCopyAndThenToWaiting() throws {
        let world = try copied()
        world.tampers = { request, stub in
            switch request.kind {
            case .redo:
                return Self.redo(stub) { delta in
                    guard case .user(let rid, var content) = delta else { return delta }
                    content.privateData[0] ^= 1
                    return .user(rid: rid, content)
                }
            case .deltas: return Self.rewritten(stub) { delta in
                guard case .user(let rid, var content) = delta else { return delta }
                content.privateData[0] ^= 1
                return .user(rid: rid, content)
            }
            case .sync: return stub
            }
        }
        try world.run()
        #expect(world.notices.contains(.begins(.sam, .objectRefused)))
        #expect(world.differences() == [])
    }

    @Test func wrongKeyNeverBecomesAPassword() throws {
        let world = try copied()
        let request = try #require(world.pull.nextRequest(now: world.now))
        let hash = world.backup.account("user0")?.ntHash
        let stub = try world.answer(request)
        world.pull.answered(
            stub.span, key: Bytes16(), fileTime: World.begin, now: world.now)
        #expect(world.backup.account("user0")?.ntHash == hash)
        #expect(world.backup.account("added") == nil)
    }

    @Test func pagesWithoutEndAreGivenUp() throws {
        let world = try copied()
        world.tampers = { request, stub in
            guard case .deltas(let since) = request.kind else { return stub }
            var writer = NDRWriter()
            NetrDatabaseDeltas.Response(
                domainModifiedCount: since, deltas: NetlogonDeltaArray([]), status: .moreEntries
            ).write(into: &writer)
            return writer.wire.finish()
        }
        try world.run()
        #expect(world.notices == [.trouble(.sam, .endless)])
        #expect(world.pull.nextRequest(now: world.now) == nil)
    }

    @Test func failuresAreTriedAgainLaterAndLater() throws {
        let world = try copied()
        var waits: [UInt64] = []
        for _ in 0..<12 {
            _ = try #require(world.pull.nextRequest(now: world.now))
            world.pull.failed(now: world.now)
            let next = try #require(world.pull.nextDeadline)
            waits.append(next - world.now)
            world.now = next
        }
        #expect(Array(waits.prefix(3)) == [2_000, 4_000, 8_000])
        #expect(waits.last == ReplicationPull.Limit.lastRetry)
        try world.run()
        #expect(world.differences() == [])
    }

    @Test func refusalIsSaid() throws {
        let world = try copied()
        world.primary.domain.header.role = .backup
        try world.run()
        #expect(world.notices == [.trouble(.sam, .refused(.invalidDomainRole))])
    }

    // MARK: Rewriting answers

    private static func rewritten(
        _ stub: [UInt8], _ change: (NetlogonDelta) -> NetlogonDelta
    ) -> [UInt8] {
        var reader = WireReader(stub.span, layer: "test")
        guard var response = try? NetrDatabaseDeltas.Response(parsing: &reader) else { return [] }
        response.deltas = response.deltas.map { NetlogonDeltaArray($0.deltas.map(change)) }
        var writer = NDRWriter()
        response.write(into: &writer)
        return writer.wire.finish()
    }

    private static func redo(
        _ stub: [UInt8], _ change: (NetlogonDelta) -> NetlogonDelta
    ) -> [UInt8] {
        var reader = WireReader(stub.span, layer: "test")
        guard var response = try? NetrDatabaseRedo.Response(parsing: &reader) else { return [] }
        response.deltas = response.deltas.map { NetlogonDeltaArray($0.deltas.map(change)) }
        var writer = NDRWriter()
        response.write(into: &writer)
        return writer.wire.finish()
    }
}

@Suite struct PromotionTests {
    @Test func backupValidatesByItselfAndChangesNothingByItself() throws {
        let world = try ReplicationWorld()
        let user = try world.primary.user("anna")
        try world.run()
        let refused = DomainError(.invalidDomainRole)
        let backup = world.backup!
        #expect(throws: refused) { try backup.createAccount("x") }
        #expect(throws: refused) { try backup.deleteAccount(user.rid) }
        #expect(throws: refused) { try backup.addMember(user.rid, to: 512) }
        #expect(throws: refused) {
            try backup.setPassword(user.rid, NewPassword(nt: Bytes16()), now: 1)
        }
        let logon = LocalLogon(
            domain: "GATE", user: "anna", workstation: "",
            proof: .password(Secret(Array("secret".utf8))))
        guard case .accepted = backup.validate(logon, now: World.begin) else {
            Issue.record("the backup does not know the password")
            return
        }
        // What a logon leaves behind stays when the account changes at the primary.
        try world.primary.domain.updateAccount(user.rid) { $0.fullName = "Anna" }
        world.announce()
        try world.run()
        #expect(backup.account("anna")?.fullName == "Anna")
        #expect(backup.account("anna")?.logonCount == 1)
    }

    @Test func promotedBackupIsAPrimaryThatOthersCopyWhole() throws {
        let world = try ReplicationWorld()
        try world.primary.user("anna")
        try world.run()
        let serial = world.backup.serial(of: .sam)
        #expect(throws: DomainError.self) { _ = try world.backup.createAccount("early") }
        try world.backup.setRole(.primary)
        let made = try world.backup.createAccount("later")
        #expect(made.rid > 1_000)
        #expect(world.backup.serial(of: .sam) > serial + LocalDomain.promotionIncrement)
        #expect(world.backup.changes(in: .sam, after: serial) == nil)
        #expect(world.pull.nextRequest(now: world.now + 1_000_000) == nil)
        try world.backup.setRole(.backup, primary: "OTHER")
        #expect(world.backup.role == .backup && world.backup.header.replicaSource == "OTHER")
    }

    @Test func lanManagersCallsAreNotImplemented() throws {
        let world = try ReplicationWorld()
        let source = ReplicationSource(domain: world.primary.domain, now: World.begin)
        let call = AccountDatabaseCall(
            primaryName: nil, computerName: "BDC1", authenticator: NetlogonAuthenticator())
        let sync = source.accountSync(
            .init(call: call, reference: 0, level: 0, bufferSize: 0xffff_ffff))
        #expect(sync.status == .notImplemented && sync.buffer.count == 65_536)
        let deltas = source.accountDeltas(
            .init(call: call, recordID: UASInfo(), count: 1, level: 0, bufferSize: 10))
        #expect(deltas.status == .notImplemented && deltas.buffer.count == 10)
    }

    @Test func redoTellsThatAnObjectIsGone() throws {
        let world = try ReplicationWorld()
        let source = ReplicationSource(domain: world.primary.domain, now: World.begin)
        let response = source.redo(
            .init(
                call: ReplicationWorld.call,
                entry: ChangeLogEntry(
                    serialNumber: 1, objectRID: 4_711, database: 0, deltaType: 5)),
            key: ReplicationWorld.key)
        #expect(response.deltas?.deltas == [.deleteUser(rid: 4_711)])
    }

    @Test func restartStateSaysWhereToGoOn() throws {
        let world = try ReplicationWorld()
        try world.primary.user("anna")
        try world.primary.user("berta")
        let response = ReplicationSource(domain: world.primary.domain, now: World.begin).sync2(
            .init(
                call: ReplicationWorld.call, databaseID: .account, restartState: .user,
                syncContext: 1_000),
            key: ReplicationWorld.key)
        guard case .user(1_001, let user) = response.deltas?.deltas.first else {
            Issue.record("another delta")
            return
        }
        #expect(user.userName == "berta")
    }
}
