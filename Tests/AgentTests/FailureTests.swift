import Agent
import Locator
import SecureChannel
import Simulation
import Testing
import Wire

@Suite struct FailureTests {
    @Test func controllerThatFailsIsTheLocatorsToKnow() {
        let world = AgentWorld.one(controllers: [10, 11])
        #expect(world.inUse(0) == world.controllers[0][0].address)
        world.controllers[0][0].reception = .refused
        world.controllers[0][0].closeConnections()
        world.run(50)
        #expect(world.failures == [world.controllers[0][0].address])
        #expect(world.health(0, 0) != .healthy && world.health(0, 1) == .healthy)
        let caller = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(caller))
        #expect(world.inUse(0) == world.controllers[0][1].address)
        #expect(world.problems == [])
    }

    @Test func controllerThatIsFoundDownIsNotWaitedFor() {
        let world = AgentWorld.one(controllers: [10, 11])
        // Its host is gone: nothing comes back any more.
        world.controllers[0][0].reception = .dark
        world.controllers[0][0].isHung = true
        let first = world.logon("anna")
        let start = world.now
        while world.inUse(0) != world.controllers[0][1].address, world.now < start + 6_000 {
            world.run(10)
        }
        // A second of silence, then three pings without an answer.
        #expect(world.now - start < 2_300)
        #expect(world.runUntilAnswered())
        #expect(!world.isAccepted(first))
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next) && world.answers[next]!.after < 10)
        #expect(world.problems == [])
    }

    @Test func serviceThatHangsOnALivingHostIsLeftAfterOneDeadline() {
        let world = AgentWorld.one(controllers: [10, 11])
        world.controllers[0][0].isHung = true
        let first = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.answers[first]?.after == 5_000)
        world.run(3_000)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next))
        #expect(world.answers[next]!.after < 10)
        #expect(world.inUse(0) == world.controllers[0][1].address)
        #expect(world.problems == [])
    }

    @Test(arguments: [SimulatedController.Reception.refused, .dark])
    func withoutAControllerLogonsAreUnavailableAtOnce(
        _ reception: SimulatedController.Reception
    ) {
        let world = AgentWorld.one(controllers: [10, 11])
        for controller in world.controllers[0] {
            controller.reception = reception
            if reception == .dark { controller.isHung = true }
            controller.closeConnections()
        }
        world.logon("anna")
        #expect(world.runUntilAnswered())
        world.run(3_000)
        for number in 0..<20 {
            let caller = world.logon("user\(number)")
            #expect(world.runUntilAnswered(limit: 10))
            #expect(world.outcome(caller)
                == "unavailable: no controller of the domain is reachable")
            world.run(777)
        }
        #expect(world.problems == [])
    }

    @Test(arguments: [SimulatedController.Reception.refused, .dark])
    func controllerThatComesBackIsUsedWithinASecond(
        _ reception: SimulatedController.Reception
    ) {
        for pause: UInt64 in [100, 1_000, 5_000, 20_000, 61_000] {
            let world = AgentWorld.one()
            let controller = world.controllers[0][0]
            controller.reception = reception
            controller.restart()
            world.logon("anna")
            world.run(5_000 + pause)
            controller.reception = .taken
            world.run(1_000)
            let caller = world.logon("berta")
            #expect(world.runUntilAnswered(limit: 50), "after \(pause) ms")
            #expect(world.isAccepted(caller), "after \(pause) ms: \(world.outcome(caller))")
            #expect(world.problems == [])
        }
    }

    @Test func controllerThatRefusesOurAccountLeavesTheOther() {
        let world = AgentWorld([
            AgentWorld.Domain(name: "ADLAB", dnsName: "ad.lab", controllers: [10, 11]),
        ])
        world.controllers[0][0].accounts = [:]
        world.begin()
        let caller = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(caller))
        #expect(world.inUse(0) == world.controllers[0][1].address)
    }

    @Test func oneDomainsTroubleIsNotTheOthers() {
        let world = AgentWorld.ready([
            AgentWorld.Domain(name: "ADLAB", dnsName: "ad.lab", controllers: [10, 11]),
            AgentWorld.Domain(name: "OTHER", dnsName: "other.example", controllers: [20]),
        ])
        for controller in world.controllers[0] {
            controller.reception = .dark
            controller.isHung = true
        }
        var others: [UInt64] = []
        for number in 0..<100 {
            world.logon("user\(number)", domain: "ADLAB")
            others.append(world.logon("user\(number)", domain: "OTHER"))
            world.run(70)
        }
        #expect(world.runUntilAnswered())
        for caller in others {
            #expect(world.isAccepted(caller) && world.answers[caller]!.after <= 2)
        }
        #expect(world.agent.domains[1].ledger.accepted == 100)
        #expect(world.agent.domains[0].ledger.unavailable == 100)
        #expect(world.problems == [])
    }

    @Test func stopAnswersEverybody() {
        let world = AgentWorld.one()
        world.controllers[0][0].logonTime = 50
        let callers = (0..<40).map { world.logon("user\($0)") }
        world.run(75)
        world.stop()
        for caller in callers { #expect(world.answers[caller] != nil) }
        let late = world.logon("anna")
        #expect(world.outcome(late).hasPrefix("unavailable"))
        #expect(world.problems == [])
    }

    @Test func anIdleDayWakesNobodyForNothing() {
        let world = AgentWorld.one(controllers: [10, 11])
        world.run(86_400_000)
        #expect(world.problems == [])
        let caller = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(caller) && world.answers[caller]!.after <= 2)
    }
}
