import Interfaces
import SecureChannel
import Testing
import Wire

@testable import Front

/// Verdicts find their way back to whoever waits for them, and to nobody else.
@Suite struct FrontTests {
    private static let users = ["anna", "alice", "carla", "dora"]

    private let world: WiredFront
    private let clients: [any WiredClient]

    init() throws {
        world = try WiredFront()
        clients = [
            try WiredSession(world, user: Self.users[0]), try WiredBinder(world),
            WiredMember(world, .modern, account: "PC1$", user: Self.users[2]),
            WiredMember(world, .nt4, account: "OLD$", user: Self.users[3]),
        ]
        for client in clients { try client.logOn() }
    }

    private static func accepted(_ logon: FrontLogon) -> LogonOutcome {
        .accepted(LogonIdentity(
            user: logon.user, domain: logon.domain, userRID: 1_100, primaryGroupRID: 513,
            domainSID: nil, groupRIDs: [513], sessionKey: WiredBinder.sessionKey(logon),
            whole: whole(logon)))
    }

    /// What a member is told of a user of another domain.
    private static func whole(_ logon: FrontLogon) -> WholeValidation {
        var info = ValidationSAMInfo()
        info.effectiveName = .text(logon.user)
        info.logonDomainName = .text(logon.domain)
        return WholeValidation(info)
    }

    @Test func eachLogonIsPassedOnOnceUnderATokenOfItsOwn() throws {
        #expect(world.logons.map(\.logon.user) == Self.users)
        #expect(world.logons.map(\.logon.domain) == ["ADLAB", "GATE", "ADLAB", "ADLAB"])
        #expect(Set(world.logons.map(\.token)).count == 4 && world.front.waitingLogons == 4)
        for client in clients { #expect(try client.verdict() == nil) }
    }

    /// Whoever it is that is let in, and in whatever order the verdicts come.
    @Test(arguments: 0..<4, [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]])
    func eachGetsItsOwnVerdictOutOfOrder(accepted: Int, order: [Int]) throws {
        var told: Set<Int> = []
        for index in order {
            let (token, logon) = world.logons[index]
            world.answer(
                token, index == accepted
                    ? Self.accepted(logon) : .refused(.accountDisabled, authoritative: true))
            told.insert(index)
            for (number, client) in clients.enumerated() {
                let expected: WiredVerdict = number == accepted ? .accepted : .refused
                #expect(
                    try client.verdict() == (told.contains(number) ? expected : nil),
                    "\(number) after \(index)")
            }
        }
        #expect(world.front.waitingLogons == 0)
    }

    /// A key is given up while logons are under way: they are answered under it.
    @Test func verdictUnderAnOldKeyIsOne() throws {
        for index in [2, 3] {
            let member = try #require(clients[index] as? WiredMember)
            try member.rebuild()
            let (token, logon) = world.logons[index]
            world.answer(token, Self.accepted(logon))
            #expect(try member.verdict() == .accepted, "\(logon.user)")
        }
        #expect(world.logons.count == 4)
    }

    @Test func unavailableControllerIsNoVerdictOnAPassword() throws {
        for (token, _) in world.logons { world.answer(token, .unavailable(.noController)) }
        for client in clients { #expect(try client.verdict() == .refused) }
    }

    @Test func nothingIsSentToThoseWhoHaveGone() throws {
        for client in clients { client.leave() }
        let before = world.sends
        for (token, logon) in world.logons.reversed() {
            world.answer(token, Self.accepted(logon))
            // A second verdict under the same token is nobody's.
            world.answer(token, Self.accepted(logon))
        }
        #expect(world.sends == before && world.front.waitingLogons == 0)
        #expect(world.logons.count == 4)
    }

    /// A connection that comes in another's place does not get what was meant for that one.
    @Test func verdictOfOneWhoHasGoneIsNobodyElses() throws {
        clients[0].leave()
        clients[1].leave()
        let next = try WiredSession(world, user: "emma")
        let binder = try WiredBinder(world)
        try next.logOn()
        try binder.logOn()
        #expect(world.logons.map(\.logon.user) == Self.users + ["emma", "alice"])
        for (token, logon) in world.logons[..<2] { world.answer(token, Self.accepted(logon)) }
        #expect(try next.verdict() == nil)
        #expect(try binder.verdict() == nil)
        for (token, logon) in world.logons[4...] { world.answer(token, Self.accepted(logon)) }
        #expect(try next.verdict() == .accepted)
        #expect(try binder.verdict() == .accepted)
    }
}
