import NetBIOS
import Testing
import Wire

@testable import Flows

@Suite struct TrustVerifyTests {
    static let user = SessionAccount(
        user: "alice", domain: "TRUSTED", ntowf: Bytes16(), allowsNTLMv1: true)

    @Test func asksAsNobodyAndThenAsTheUser() throws {
        let world = TrustWorld()
        let findings = try TrustVerify.run(world.dialogue, world.ends, as: Self.user)
        #expect(findings.identity?.sid == world.host.sid)
        let calls = world.host.log.filter { !$0.hasPrefix("name") && $0 != "NetBIOS session" }
        #expect(calls == [
            "GETDC", "session setup ", "bind lsarpc", "lsarpc 44", "lsarpc 7", "lsarpc 7",
            "lsarpc 0", "session setup alice", "bind wkssvc", "wkssvc 0", "bind lsarpc",
            "lsarpc 44", "lsarpc 7", "lsarpc 7", "lsarpc 0", "logoff",
        ])
        #expect(world.link.openStreams == 0)
    }

    @Test func theFourCallsCostNoMoreThanDocumented() throws {
        let world = TrustWorld()
        _ = try TrustVerify.run(world.dialogue, world.ends, as: nil)
        let step = world.dialogue.report.steps.first { $0.title == "four LSA calls" }
        #expect(step?.frames == 8)
        #expect(step?.bytes ?? .max <= 1_560)
    }

    @Test func aRefusedUserEndsTheFlow() {
        let world = TrustWorld()
        world.host.userStatus = .wrongPassword
        #expect(throws: FlowError.self) {
            try TrustVerify.run(world.dialogue, world.ends, as: Self.user)
        }
        #expect(world.link.openStreams == 0)
    }

    @Test func listsGroupsAndUsers() throws {
        let world = TrustWorld()
        var groups: [String] = []
        var users: [UInt32] = []
        let counts = try TrustAccounts.run(
            world.dialogue, world.ends, as: Self.user,
            taker: .init(group: { groups.append($0.name) }, user: { users.append($0.relativeID) }))
        #expect(groups == ["Domain Users", "Domain Admins"])
        #expect(users == [1_000, 1_001, 1_002])
        #expect(counts == .init(groups: 2, users: 3))
        #expect(world.dialogue.report.totalFrames <= 60)
        #expect(world.dialogue.report.totalBytes <= 12_000)
        #expect(world.link.openStreams == 0)
    }

    @Test func listsUsersPageByPage() throws {
        let world = TrustWorld()
        world.host.userCount = 1_234
        world.host.pageSize = 100
        var next: UInt32 = 1_000
        _ = try TrustAccounts.run(
            world.dialogue, world.ends, as: nil,
            taker: .init(
                group: { _ in },
                user: {
                    #expect($0.relativeID == next)
                    next += 1
                }))
        #expect(next == 2_234)
    }

    @Test func aListThatNeverEndsIsGivenUp() {
        let world = TrustWorld()
        world.host.listNeverEnds = true
        let error = #expect(throws: FlowError.self) {
            try TrustAccounts.run(
                world.dialogue, world.ends, as: nil, taker: .init(group: { _ in }, user: { _ in }))
        }
        #expect(error?.description == "list of users: the list of users does not go forward")
    }
}
