import Agent
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

    private func backup() throws -> (AgentWorld, LocalDomain) {
        let own = try #require(
            LocalDomain.create(
                name: "GATE", sid: SID("S-1-5-21-7-8-9")!, now: 1, commit: { _ in true }))
        let account = try own.createAccount("emma")
        try own.setPassword(account.rid, NewPassword(Secret(Array("own".utf8))), now: 1)
        try own.setRole(.backup, primary: "DC10")
        return (AgentWorld.ready([Self.primary], locals: [own], isBackup: true), own)
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
        let (world, _) = try backup()
        world.controllers[0][0].reception = .refused
        world.controllers[0][0].closeConnections()
        world.run(3_000)
        let caller = world.logon(call("a guess"))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(caller) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.isAccepted(world.logon(call("own"))))
        #expect(world.agent.primaryState(0) == .away)
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
