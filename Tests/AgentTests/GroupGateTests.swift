import Agent
import Crypto
import Domain
import SecureChannel
import Simulation
import Testing
import Wire

/// Logons that are for members of certain groups alone. A simulated controller gives any name a
/// number, and who is asked to be a user is one.
@Suite struct GroupGateTests {
    private static let foreign = "S-1-5-21-9-9-9-1"

    private func logon(
        _ world: AgentWorld, _ user: String, domain: String = "", of groups: String,
        patience: UInt64 = 0
    ) -> UInt64 {
        world.logon(
            LogonCall(
                domain: domain, user: user, workstation: "CLIENT", parameterControl: 0,
                proof: .responses(
                    challenge: SimulatedUser.challenge, nt: SimulatedUser.response(user), lm: []),
                patience: patience, wantsKeys: false, requiredGroups: groups))
    }

    private func outcome(_ world: AgentWorld, _ user: String, of groups: String) -> String {
        let caller = logon(world, user, of: groups)
        #expect(world.runUntilAnswered())
        #expect(world.problems == [])
        return world.outcome(caller)
    }

    private static let no = "refused NT_STATUS_LOGON_FAILURE"
    private static let unknown = "refused NT_STATUS_NO_SUCH_GROUP"

    @Test func namesAreTranslatedByTheirDomain() {
        let world = RoutingTests.twoDomains()
        #expect(outcome(world, "anna", of: "ADLAB\\anna") == "accepted")
        #expect(outcome(world, "anna", of: "anna") == "accepted")
        #expect(outcome(world, "anna", of: "ADLAB\\berta") == Self.no)
        #expect(outcome(world, "anna", of: "ADLAB\\berta,ADLAB\\anna") == "accepted")
        #expect(outcome(world, "anna", of: "ADLAB\\berta,\(Self.foreign)") == Self.no)
    }

    @Test func groupsThatNobodyKnowsLetNobodyIn() {
        let world = AgentWorld.one()
        #expect(outcome(world, "anna", of: "ADLAB\\nobody") == Self.unknown)
        #expect(outcome(world, "anna", of: ",") == Self.unknown)
        #expect(world.controllers[0][0].validations.isEmpty)
        // One that is known is enough.
        #expect(outcome(world, "anna", of: "ADLAB\\nobody,ADLAB\\anna") == "accepted")
        let many = (0...16).map { "S-1-5-21-9-9-9-\($0)" }.joined(separator: ",")
        #expect(outcome(world, "anna", of: many) == Self.unknown)
    }

    @Test func aNameIsAskedForOnceAMinute() {
        let world = AgentWorld.one()
        let controller = world.controllers[0][0]
        let before = controller.translations
        for _ in 0..<5 {
            #expect(outcome(world, "anna", of: "ADLAB\\anna") == "accepted")
            #expect(outcome(world, "anna", of: "ADLAB\\nobody") == Self.unknown)
        }
        #expect(controller.translations == before + 2)
        world.run(60_000)
        #expect(outcome(world, "anna", of: "ADLAB\\anna") == "accepted")
        #expect(controller.translations == before + 3)
    }

    @Test func whoAsksAtTheSameTimeWaitsForTheSameAnswer() {
        let world = AgentWorld.one()
        let controller = world.controllers[0][0]
        let before = controller.translations
        let callers = (0..<400).map { _ in logon(world, "anna", of: "ADLAB\\anna") }
        #expect(world.runUntilAnswered())
        for caller in callers { #expect(world.isAccepted(caller)) }
        #expect(controller.translations == before + 1)
        // But not for one that may come too late.
        controller.isHung = true
        let patient = logon(world, "anna", of: "ADLAB\\berta", patience: 3_000)
        let hasty = logon(world, "anna", of: "ADLAB\\berta", patience: 500)
        #expect(world.runUntilAnswered())
        #expect(world.answers[patient]?.after == 3_000 && world.answers[hasty]?.after == 500)
    }

    @Test func groupsOfOtherDomainsCount() {
        let world = AgentWorld.one()
        world.controllers[0][0].foreignGroups = [SID(Self.foreign)!]
        #expect(outcome(world, "anna", of: Self.foreign) == "accepted")
        #expect(outcome(world, "anna", of: "S-1-5-21-9-9-9-2") == Self.no)
    }

    @Test func ownUsersAreLetInByTheirGroupsNames() throws {
        let own = try LocalLogonTests.Own()
        let world = AgentWorld.ready([LocalLogonTests.adlab], locals: [own.domain])
        func outcome(_ groups: String) -> String {
            world.outcome(
                world.logon(
                    LogonCall(
                        domain: "GATE", user: "emma", workstation: "", parameterControl: 0,
                        proof: .password(Secret(Array("own".utf8))),
                        requiredGroups: groups)))
        }
        #expect(outcome("GATE\\Domain Users") == "accepted")
        #expect(outcome("GATE\\Domain Admins") == Self.no)
        #expect(outcome("GATE\\no such group") == Self.unknown)
    }

    @Test func withoutAControllerNobodyIsRefused() {
        let world = AgentWorld.one()
        world.controllers[0][0].isHung = true
        let caller = logon(world, "anna", of: "ADLAB\\anna", patience: 700)
        #expect(world.runUntilAnswered())
        #expect(world.answers[caller]?.after == 700)
        #expect(world.outcome(caller) == "unavailable: the controller did not answer in time")
    }

    /// Anybody may ask for names, over the network too.
    @Test func strangersQuestionsShutNobodyOut() {
        let world = AgentWorld.one()
        let controller = world.controllers[0][0]
        controller.isHung = true
        for caller: UInt64 in 1...300 {
            world.translate(["ADLAB\\stranger\(caller)"], domain: "ADLAB", caller: caller)
        }
        world.run(10)
        let caller = logon(world, "anna", of: "ADLAB\\anna")
        world.run(1_000)
        controller.isHung = false
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(caller))
        #expect(world.translations.count { $0.value != .unavailable(.overloaded) } < 20)
    }

    @Test func translationAndLogonShareOneDeadline() {
        let world = AgentWorld.one()
        world.controllers[0][0].logonTime = 10_000
        let caller = logon(world, "anna", of: "ADLAB\\anna", patience: 900)
        #expect(world.runUntilAnswered())
        #expect(world.answers[caller]?.after == 900)
    }

    @Test func whoWaitsIsAnsweredAtTheEnd() {
        let world = AgentWorld.one()
        world.controllers[0][0].isHung = true
        let caller = logon(world, "anna", of: "ADLAB\\anna")
        #expect(world.answers[caller] == nil)
        world.stop()
        #expect(world.outcome(caller) == "unavailable: no controller of the domain is reachable")
    }
}
