import Crypto
import Interfaces
import NTLM
import RPC
import Testing
import Wire

@testable import Domain

/// What a primary tells of its objects.
@Suite struct DeltaTests {
    @Test func lockOutThatIsOverIsNotCopied() throws {
        let world = try ReplicationWorld()
        let anna = try world.primary.user("anna")
        for _ in 0..<world.primary.domain.policy.lockoutThreshold {
            _ = world.primary.logon("anna", "wrong")
        }
        #expect(world.primary.logon("anna") == .accountLockedOut)
        try world.run()
        let logon = LocalLogon(
            domain: "GATE", user: "anna", workstation: "",
            proof: .password(Secret(Array("secret".utf8))))
        func isAccepted(_ domain: LocalDomain) -> Bool {
            if case .accepted = domain.validate(logon, now: world.primary.now) { return true }
            return false
        }
        #expect(!isAccepted(world.backup))
        world.primary.now += world.primary.domain.policy.lockoutDuration + 1
        #expect(isAccepted(world.backup))
        try world.primary.domain.updateAccount(anna.rid) { $0.fullName = "Anna" }
        world.announce()
        try world.run()
        #expect(world.backup.account("anna")?.fullName == "Anna" && isAccepted(world.backup))
    }

    /// A backup that takes deltas one by one must know whom a membership names.
    @Test func membershipsComeBehindWhomTheyName() throws {
        let world = try ReplicationWorld()
        let domain = world.primary.domain!
        let before = domain.serial(of: .sam)
        let anna = try world.primary.user("anna")
        let group = try domain.createGroup("players")
        try domain.addMember(anna.rid, to: group.rid)
        try domain.updateAccount(anna.rid) { $0.fullName = "Anna" }
        try domain.updateGroup(group.rid) { $0.comment = "who plays" }
        let response = ReplicationSource(domain: domain, now: world.fileTime).deltas(
            .init(
                call: ReplicationWorld.call, databaseID: .account,
                domainModifiedCount: before, preferredMaximumLength: 65_535),
            key: ReplicationWorld.key)
        let deltas = try #require(response.deltas?.deltas)
        #expect(deltas.count == 4)
        let memberships = try #require(deltas.firstIndex { $0.isMembership })
        #expect(deltas[memberships...].allSatisfy { $0.isMembership })
        #expect(deltas[..<memberships].contains { $0.subject?.rid == anna.rid })
    }
}
