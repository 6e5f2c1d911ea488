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

    @Test func aPrimaryWithoutSMB1IsAskedOverSMB2() throws {
        let world = TrustWorld()
        world.dialogue.speaksSMB2 = true
        world.host.ports = [445]
        let findings = try TrustVerify.run(world.dialogue, world.ends, as: nil)
        #expect(findings.identity?.sid == world.host.sid)
        let calls = world.host.log.filter { !$0.hasPrefix("name") }
        #expect(calls == [
            "GETDC", "bind lsarpc", "lsarpc 44", "lsarpc 7", "lsarpc 7", "lsarpc 0",
        ])
        var users: [UInt32] = []
        let counts = try TrustAccounts.run(
            world.dialogue, world.ends, as: nil,
            taker: .init(group: { _ in }, user: { users.append($0.relativeID) }))
        #expect(counts.users == 3 && users == [1_000, 1_001, 1_002])
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

    @Test func withoutSMB1TheChannelIsWhatIsLeft() throws {
        var world = TrustWorld()
        world.host.ports = []
        #expect(throws: FlowError.self) {
            try TrustVerify.run(world.dialogue, world.ends, as: Self.user)
        }
        world.ends.channelSettings = ChannelRunTests.settings(.modern)
        let findings = try TrustVerify.run(world.dialogue, world.ends, as: Self.user)
        #expect(findings.identity == nil && !findings.isProved)
        guard case .skipped = world.outcome("as a user") else {
            Issue.record("\(world.titles)")
            return
        }
    }

    @Test func theSecretThatIsKeptMakesAChannel() throws {
        var world = TrustWorld()
        world.host.grantsSeal = false
        world.ends.channelSettings = ChannelRunTests.settings()
        let findings = try TrustVerify.run(
            world.dialogue, world.ends, as: nil, secrets: [Bytes16(), world.host.secret])
        #expect(findings.isProved)
        #expect(world.titles.last == "secure channel as OURDOM$")
        let error = #expect(throws: FlowError.self) {
            try TrustVerify.run(world.dialogue, world.ends, as: nil, secrets: [Bytes16()])
        }
        #expect(error?.description.contains("known, but by another password") == true)
        #expect(world.link.openStreams == 0)
    }

    /// A page that never ends; nobody keeps it.
    @Test func groupsThatNeverEndAreGivenUpAtTheirStep() {
        let world = TrustWorld()
        world.host.groupsNeverEnd = true
        let error = #expect(throws: FlowError.self) {
            try TrustAccounts.run(
                world.dialogue, world.ends, as: nil, taker: .init(group: { _ in }, user: { _ in }))
        }
        #expect(
            error?.description
                == "list of global groups: the list of groups does not go forward")
        #expect(world.link.openStreams == 0)
    }
}
