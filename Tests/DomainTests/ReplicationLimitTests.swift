import Crypto
import Interfaces
import RPC
import Testing
import Wire

@testable import Domain

/// What a primary says that no backup can keep.
@Suite struct ReplicationLimitTests {
    /// A world whose primary's accounts travel changed by `change`, however they are asked for.
    private func world(
        sid: SID? = World.sid, _ change: @escaping (NetlogonDelta) -> NetlogonDelta
    ) throws -> ReplicationWorld {
        let world = try ReplicationWorld(sid: sid)
        for number in 0..<3 { try world.primary.user("user\(number)") }
        let group = try world.primary.domain.createGroup("players")
        try world.primary.domain.addMember(1_001, to: group.rid)
        world.tampers = { request, stub in
            var reader = WireReader(stub.span, layer: "test")
            var writer = NDRWriter()
            switch request.kind {
            case .deltas:
                guard var page = try? NetrDatabaseDeltas.Response(parsing: &reader) else {
                    return []
                }
                page.deltas = page.deltas.map { NetlogonDeltaArray($0.deltas.map(change)) }
                page.write(into: &writer)
            case .sync:
                guard var page = try? NetrDatabaseSync2.Response(parsing: &reader) else {
                    return []
                }
                page.deltas = page.deltas.map { NetlogonDeltaArray($0.deltas.map(change)) }
                page.write(into: &writer)
            case .redo:
                guard var page = try? NetrDatabaseRedo.Response(parsing: &reader) else {
                    return []
                }
                page.deltas = page.deltas.map { NetlogonDeltaArray($0.deltas.map(change)) }
                page.write(into: &writer)
            }
            return writer.wire.finish()
        }
        return world
    }

    private static let wide = [String](
        repeating: String(repeating: "€", count: 341), count: 64
    ).joined(separator: ",")

    @Test func accountThatNoRecordHoldsFailsAlone() throws {
        let world = try world { delta in
            guard case .user(1_001, var content) = delta else { return delta }
            content.workStations = Self.wide
            return .user(rid: 1_001, content)
        }
        try world.run()
        #expect(world.backup.account("user0") != nil && world.backup.account("user2") != nil)
        #expect(world.backup.account("user1") == nil)
        #expect(world.carried.contains { $0.opnum == NetrDatabaseRedo.opnum })
        #expect(world.notices.contains(.trouble(.sam, .incomplete)))
        #expect(world.records.values.allSatisfy { $0.count < 64_000 })
    }

    @Test func namesAndCommentsThatNoRecordHoldsFailToo() throws {
        let long = String(repeating: "€", count: 20_000)
        let world = try world { delta in
            switch delta {
            case .group(let rid, var content) where rid >= 1_000:
                content.adminComment = long
                return .group(rid: rid, content)
            case .user(1_002, var content):
                content.userName = long
                return .user(rid: 1_002, content)
            case .alias(544, var content):
                content.comment = long
                return .alias(rid: 544, content)
            case .domain(let rid, var content):
                content.oemInformation = long
                return .domain(rid: rid, content)
            case _: return delta
            }
        }
        try world.run()
        #expect(world.backup.group("players") == nil && world.backup.accounts[1_002] == nil)
        #expect(world.backup.builtinAliases[544] == nil)
        #expect(world.backup.header.comment == "" && world.backup.account("user0") != nil)
        #expect(world.records.values.allSatisfy { $0.count < 64_000 })
    }

    @Test func trustsWithoutRoomAreLeftOut() throws {
        let world = try ReplicationWorld()
        let backup = world.backup!
        var application = DeltaApplication(
            backup, .lsa, key: Bytes16(), now: 1, awaited: [])
        var content = NetlogonDeltaTrustedDomain()
        try backup.change { () throws(DomainError) in
            content.domainName = String(repeating: "X", count: 300)
            application.apply([.trustedDomain(sid: SID("S-1-5-21-9-9-9")!, content)])
            for number in 0...UInt32(LocalDomain.trustLimit) {
                content.domainName = "DOM\(number)"
                let sid = SID(identifierAuthority: 5, subAuthorities: [21, 9, 9, number])
                application.apply([.trustedDomain(sid: sid, content)])
            }
        }
        #expect(backup.trusts.count == LocalDomain.trustLimit)
        #expect(backup.trust("DOM0") != nil && application.failed.isEmpty)
    }

    @Test func domainWithoutRoomForAccountsIsNotTakenOver() throws {
        let full = SID(identifierAuthority: 5, subAuthorities: [UInt32](repeating: 21, count: 15))
        let world = try world(sid: nil) { delta in
            guard case .policy(_, var content) = delta else { return delta }
            content.primaryDomainSID = full
            return .policy(sid: full, content)
        }
        try world.run()
        #expect(world.backup.sid == .notKnownYet && !world.backup.hasCopy)
        let trouble = PullTrouble.otherDomain(full, own: .notKnownYet)
        #expect(world.notices.contains(.trouble(.lsa, trouble)))
    }

    @Test func serialNumbersWithoutRoomAreNotTakenOver() throws {
        let world = try world { delta in
            guard case .domain(let rid, var content) = delta else { return delta }
            content.domainModifiedCount = .max
            return .domain(rid: rid, content)
        }
        try world.run()
        #expect(world.notices.contains(.trouble(.sam, .incomplete)))
        #expect(world.backup.serial(of: .sam) == 0 && !world.backup.hasCopy)
    }

    @Test func membersOfTheLargestGroupTravelWhole() throws {
        let world = World()
        let domain = try #require(world.domain)
        let last = 1_000 + UInt32(LocalDomain.accountLimit) - UInt32(domain.accounts.count)
        for rid in 1_000..<last { domain.accounts.put(Account(rid: rid, name: "")) }
        let group = try #require(domain.groups[513])
        // All but the guest.
        let count = LocalDomain.accountLimit - 1
        let members = DomainDeltas(domain: domain, key: Bytes16(), now: 1).members(group)
        var writer = NDRWriter()
        NetlogonDeltaArray([members]).write(into: &writer)
        let bytes = writer.wire.finish()
        var stub = NDRReader(WireReader(bytes.span, layer: "test"))
        let read = try NetlogonDeltaArray(parsing: &stub)
        guard case .groupMembers(513, let content) = read.deltas.first else {
            Issue.record("no members")
            return
        }
        #expect(content.members.count == count)
        writer = NDRWriter()
        SamrGetMembersInGroup.Response(members: content.members).write(into: &writer)
        let told = writer.wire.finish()
        var reader = WireReader(told.span, layer: "test")
        #expect(try SamrGetMembersInGroup.Response(parsing: &reader).members?.count == count)
    }

    @Test func anOrderedCopyIsWhole() throws {
        let world = try world { $0 }
        try world.run()
        world.forget()
        world.pull.look(now: world.now)
        try world.run()
        #expect(world.carried.count == 3)
        for request in world.carried { #expect(request.opnum == NetrDatabaseDeltas.opnum) }
        world.forget()
        world.pull.look(now: world.now, isWhole: true)
        try world.run()
        #expect(world.notices.contains(.begins(.sam, .ordered)))
        #expect(world.carried.count == 3 && world.differences() == [])
        for request in world.carried { #expect(request.opnum == NetrDatabaseSync2.opnum) }
    }

    @Test func promotedBackupKeepsToItsOwnConfiguration() throws {
        let world = try world { $0 }
        try world.run()
        var overrides = PolicyOverrides()
        overrides.lockoutThreshold = 3
        try world.backup.setOverrides(overrides)
        #expect(world.backup.policy.lockoutThreshold == 10)
        try world.backup.setRole(.primary)
        try world.backup.setPolicy { $0.lockoutThreshold = 0 }
        #expect(world.backup.policy.lockoutThreshold == 3)
    }
}
