import Agent
import Consumers
import Crypto
import Domain
import SecureChannel
import Simulation
import Testing
import Wire

/// A backup controller's logons, with its primary there or away.
@Suite struct BackupTests {
    private static let primary = AgentWorld.Domain(
        name: "GATE", dnsName: "gate.lab", controllers: [10])

    private func backup(
        isStarted: Bool = true, of primary: AgentWorld.Domain = Self.primary
    ) throws -> (AgentWorld, LocalDomain) {
        let own = try #require(
            LocalDomain.create(
                name: "GATE", sid: SID("S-1-5-21-7-8-9")!, now: 1, commit: { _ in true }))
        let account = try own.createAccount("emma")
        try own.setPassword(account.rid, NewPassword(Secret(Array("own".utf8))), now: 1)
        try own.setRole(.backup, primary: "DC10")
        return isStarted
            ? (AgentWorld.ready([primary], locals: [own], isBackup: true), own)
            : (AgentWorld([primary], locals: [own], isBackup: true), own)
    }

    private func call(_ password: String, domain: String = "GATE") -> LogonCall {
        LogonCall(
            domain: domain, user: "emma", workstation: "", parameterControl: 0,
            proof: .password(Secret(Array(password.utf8))))
    }

    @Test func whatItKnowsItDecidesByItself() throws {
        let (world, _) = try backup()
        let caller = world.logon(call("own"))
        #expect(world.outcome(caller) == "accepted")
        #expect(world.controllers[0][0].validations.isEmpty)
    }

    @Test func aPasswordThatIsNewerAtThePrimaryIsAskedForThere() throws {
        let (world, own) = try backup()
        let caller = world.logon(call(SimulatedUser.password("emma")))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(caller) == "accepted")
        #expect(world.controllers[0][0].validations == ["emma": 1])
        #expect(own.account("emma")?.badPasswordCount == 1)
    }

    @Test func whoItsPrimaryVouchesForIsAnAdministratorByTheCopy() throws {
        for isMember in [false, true] {
            let (world, own) = try backup()
            if isMember {
                try own.setRole(.primary)
                try own.addMember(own.sid(of: 513), toAlias: 544, in: .builtin)
                try own.setRole(.backup, primary: "DC10")
            }
            world.controllers[0][0].logonDomain = "GATE"
            let caller = world.logon(call(SimulatedUser.password("emma")))
            #expect(world.runUntilAnswered())
            guard case .accepted(let identity) = world.answers[caller]?.outcome else {
                Issue.record("not accepted")
                return
            }
            #expect(identity.isOurs && identity.isInAdministrators == isMember)
        }
    }

    @Test func whatIsWrongAtBothIsRefused() throws {
        let (world, _) = try backup()
        let caller = world.logon(call("a guess"))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(caller) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.controllers[0][0].validations == ["emma": 1])
    }

    @Test func withThePrimaryAwayItsOwnWordHolds() throws {
        let (world, own) = try backup()
        world.controllers[0][0].reception = .refused
        world.controllers[0][0].closeConnections()
        world.run(3_000)
        let caller = world.logon(call("a guess"))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(caller) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.isAccepted(world.logon(call("own"))))
        #expect(world.agent.primaryState(0) == .away)
        #expect(promote(world, own).outcome == .done && own.role == .primary)
    }

    /// A promotion without --force.
    private func promote(_ world: AgentWorld, _ own: LocalDomain) -> OrderResult {
        DomainOrders.run(
            CommandRequest(requestID: 1, command: .domain, arguments: ["promote", "GATE"]), [own],
            primary: { world.agent.primaryState($0) }, state: { _ in nil }, changed: { _ in })
    }

    enum Doubt: CaseIterable {
        case notLocated, notConnected, refused, unwilling, busy, silent, stopped
    }

    /// The primary may be at work in all of these.
    @Test(arguments: Doubt.allCases)
    func aPrimaryThatCannotBeAskedMayBeAtWork(_ doubt: Doubt) throws {
        let (world, own) = try backup(isStarted: doubt != .notLocated)
        let primary = world.controllers[0][0]
        switch doubt {
        case .notLocated: break
        case .notConnected:
            primary.isHung = true
            primary.closeConnections()
            world.run(20)
        case .refused:
            primary.accounts = [:]
            primary.restart()
            world.run(200)
        case .unwilling:
            primary.capabilities.remove(.secureRPC)
            primary.restart()
            let channel = world.agent.domains[0].channel
            for _ in 0..<500 where channel.stateName != "no controller reachable" { world.run(1) }
            #expect(channel.stateName == "no controller reachable")
        case .busy:
            primary.isHung = true
            world.input { channel, now in
                channel.setPassword(
                    Secret(Array("n\0e\0w\0".utf8)), deadline: now + 5_000, now: now)
            }
            #expect(world.look())
        case .silent:
            primary.isHung = true
            #expect(world.look())
            world.run(AgentBackup.deadline)
        case .stopped:
            world.agent.stopPulling(0, now: world.now, microseconds: 0)
        }
        expectDoubt(world, own, "\(doubt)")
    }

    private func expectDoubt(_ world: AgentWorld, _ own: LocalDomain, _ doubt: String) {
        guard case .unknown(let reason) = world.agent.primaryState(0) else {
            Issue.record("\(doubt): \(world.agent.primaryState(0))")
            return
        }
        let result = promote(world, own)
        #expect(result.outcome == .refused && own.role == .backup)
        #expect(result.text.contains(reason) && result.text.contains("--force"))
    }

    /// No name service knows it now, and so nobody has tried to reach it.
    @Test func aPrimaryThatIsNotFoundMayBeAtWork() throws {
        let (world, own) = try backup(
            of: AgentWorld.Domain(name: "GATE", dnsName: "gate.lab", controllers: []))
        world.run(60_000)
        #expect(world.agent.domains[0].channel.stateName == "no controller reachable")
        expectDoubt(world, own, "not found")
    }

    @Test func aPromotionIsNoTroubleOfThePull() throws {
        let (world, own) = try backup()
        world.controllers[0][0].isHung = true
        #expect(world.look())
        let before = world.copied.count
        try own.setRole(.primary)
        world.agent.stopPulling(0, now: world.now, microseconds: 0)
        world.run(60_000)
        #expect(world.copied.count == before && world.problems == [])
    }

    @Test func aPrimaryIsNoDomainThatLogonsArePassedTo() throws {
        let (world, _) = try backup()
        // Old clients name their workgroup: with no other domain that means ours.
        #expect(world.isAccepted(world.logon(call("own", domain: "WORKGROUP"))))
    }

    @Test func anUnreadableAnswerIsNoReasonToHurry() throws {
        let (world, own) = try backup()
        world.run(60_000)
        // The simulated controller knows nothing of databases.
        #expect(world.looks > 0 && world.looks < 20)
        #expect(own.accounts.count == 3 && world.problems == [])
    }
}
