import Simulation
import Testing
import Wire

@testable import SecureChannel

@Suite struct ChannelLossTests {
    @Test(arguments: [SimulatedController.Denial.fault, .status])
    func forgottenKeyIsMadeAnewOnceWhileManyWait(_ denial: SimulatedController.Denial) {
        let (world, controller) = ChannelWorld.ready()
        controller.denial = denial
        controller.forgetKeys()
        for number in 0..<100 { world.logon("user\(number)") }
        world.invariant = { [channel = world.channel] in
            let makers = channel.links.values.filter { $0.role == .maker && !$0.isReady }
            return makers.count > 1 ? "two keys are being made" : nil
        }
        #expect(world.runUntilAnswered())
        #expect(world.accepted == 100)
        #expect(controller.keysMade == 2 && controller.challenges == 2)
        expectSound(world, [controller])
    }

    @Test func forgottenKeyIsNotTakenForATakeoverByTheBindAlone() {
        let (world, controller) = ChannelWorld.ready()
        controller.restart()
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        world.run(100)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next), "\(world.outcome(logon))")
        #expect(controller.keysMade == 2 && world.takeovers == 0)
        expectSound(world, [controller])
    }

    @Test func logonIsAskedAgainOnceAtMost() {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [.forgetKey, .forgetKey, .forgetKey]
        let logon = world.logon("anna")
        world.run(1_000)
        #expect(world.unavailable(logon) != nil)
        #expect(world.channel.counters.retried == 1)
        #expect(controller.faults.count == 1)
        expectSound(world, [controller])
    }

    @Test func resetWithOneCallOutIsAskedAgain() {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [.reset]
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon) && world.channel.counters.retried == 1)
        #expect(controller.keysMade == 1, "the key outlives the connection")
        expectSound(world, [controller])
    }

    @Test func resetWithSeveralCallsOutIsNotAskedAgain() {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [.reset]
        let logons = (0..<3).map { world.logon("user\($0)", rightPassword: false) }
        #expect(world.runUntilAnswered())
        for logon in logons { #expect(world.unavailable(logon) == .connectionLost) }
        #expect(world.channel.counters.retried == 0)
        let next = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next))
        expectSound(world, [controller])
    }

    @Test func orderlyCloseIsNotAskedAgain() {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [.close]
        let logon = world.logon("anna", rightPassword: false)
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(logon) == .connectionLost)
        #expect(controller.validations["anna"] == 1)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next) && controller.keysMade == 1)
        expectSound(world, [controller])
    }

    @Test func lostConnectionIsOpenedBeforeTheNextLogonNeedsIt() {
        let (world, controller) = ChannelWorld.ready()
        controller.closeConnections()
        world.run(100)
        #expect(world.channel.stateName == "ready" && controller.keysMade == 1)
        world.forgetTraffic()
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon) && world.sends.count == 1)
        expectSound(world, [controller])
    }

    @Test func controllerThatWentAwayIsLeftForTheNextOne() {
        let world = ChannelWorld()
        let controllers = [world.addController(10), world.addController(11)]
        world.use(controllers)
        world.run(100)
        controllers[0].reception = .refused
        controllers[0].closeConnections()
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered(limit: 1_000))
        world.run(100)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered(limit: 1_000))
        #expect(world.isAccepted(next), "\(world.outcome(logon))")
        #expect(world.failures.map(\.address) == [controllers[0].address])
        #expect(world.channel.controller?.address == controllers[1].address)
        expectSound(world, controllers)
    }

    @Test func controllerThatWentAwayWhileASpareWasOpenedIsLeftToo() {
        let world = ChannelWorld(connections: 4)
        let controllers = [world.addController(10), world.addController(11)]
        for controller in controllers {
            controller.grantsMultiplexing = false
            controller.logonTime = 50
        }
        world.use(controllers)
        world.run(100)
        for number in 0..<5 { world.logon("user\(number)") }
        #expect(world.channel.links.count == 2)
        controllers[0].reception = .refused
        controllers[0].closeConnections()
        #expect(world.runUntilAnswered())
        #expect(world.failures.map(\.address) == [controllers[0].address])
        #expect(world.accepted == 4)
        #expect(world.channel.controller?.address == controllers[1].address)
        expectSound(world, controllers)
    }

    @Test func deadControllerIsLeftAtOnce() {
        let world = ChannelWorld()
        let controllers = [world.addController(10), world.addController(11)]
        world.use(controllers)
        world.run(100)
        controllers[0].reception = .dark
        for connection in world.links.values { connection.cut() }
        let lost = world.logon("anna", rightPassword: false)
        world.run(1_100)
        #expect(world.silences == [controllers[0].address])
        world.input { $0.controllerIsDead(controllers[0].address, now: world.now) }
        #expect(world.unavailable(lost) == .connectionLost)
        let next = world.logon("berta")
        let before = world.now
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next) && world.now - before < 100)
        expectSound(world, controllers)
    }

    @Test func controllerThatDiesWhileItIsConnectedToIsLeftAtOnce() {
        let world = ChannelWorld()
        let controllers = [world.addController(10), world.addController(11)]
        controllers[0].isHung = true
        world.use(controllers)
        world.run(50)
        let logon = world.logon("anna")
        world.input { $0.controllerIsDead(controllers[0].address, now: world.now) }
        let before = world.now
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon) && world.now - before < 100)
        expectSound(world, controllers)
    }

    @Test func takeoverByAnotherHostIsNoticed() {
        let (world, controller) = ChannelWorld.ready()
        controller.refusesReplacedKeys = true
        controller.replaceKey(of: ChannelWorld.computer)
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(world.takeovers == 1 && world.channel.counters.takeovers == 1)
        expectSound(world, [controller])
    }

    @Test func takeoverIsNoticedByTheNextConnectionWhereCallsGoOn() {
        let (world, controller) = ChannelWorld.ready()
        controller.replaceKey(of: ChannelWorld.computer)
        let first = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(first) && world.takeovers == 0)
        controller.closeConnections()
        world.run(100)
        let second = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(second) && world.takeovers == 1)
        #expect(world.channel.counters.keysMade == 2)
        expectSound(world, [controller])
    }

    @Test func callsThatWereCarriedOutUnderTheFormerKeyAreNotAskedAgain() {
        let (world, controller) = ChannelWorld.ready(connections: 2) {
            $0.grantsMultiplexing = false
            $0.logonTime = 50
        }
        for number in 0..<6 { world.logon("first\(number)") }
        #expect(world.runUntilAnswered())
        #expect(world.channel.connections == 2)
        // Two calls are out on two connections. One is validated, and its answer is slow to
        // come; then the other finds the key forgotten.
        let earlier = world.logon("anna", rightPassword: false)
        world.run(10)
        let later = world.logon("berta", rightPassword: false)
        world.network.latency = 100
        world.run(45)
        #expect(controller.validations["anna"] == 1 && controller.validations["berta"] == nil)
        world.network.latency = 1
        controller.forgetKeys()
        #expect(world.runUntilAnswered())
        #expect(world.outcome(earlier) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.outcome(later) == "refused NT_STATUS_WRONG_PASSWORD")
        expectSound(world, [controller])
    }

    @Test func rebuildLetsNobodyWaitForNothing() {
        let (world, controller) = ChannelWorld.ready()
        controller.logonTime = 5
        for number in 0..<30 { world.logon("user\(number)", rightPassword: number % 2 == 0) }
        world.run(23)
        world.input { $0.rebuild(now: world.now) }
        #expect(world.runUntilAnswered())
        world.run(100)
        for (logon, _) in world.asked { #expect(world.unavailable(logon) == nil) }
        #expect(controller.keysMade == 2)
        #expect(world.channel.stateName == "ready" && world.channel.connections == 1)
        #expect(controller.openConnections == 1)
        expectSound(world, [controller])
    }

    @Test func stopAnswersEverybodyAndClosesEverything() {
        for time: UInt64 in [0, 3, 5, 7, 9, 11, 50] {
            let world = ChannelWorld()
            let controller = world.addController()
            controller.logonTime = 10
            for number in 0..<30 { world.logon("user\(number)") }
            world.use([controller])
            world.run(time)
            world.input { $0.stop() }
            #expect(world.answers.count == 30 && world.links.isEmpty)
            let late = world.logon("anna")
            #expect(world.unavailable(late) == .noController)
            world.use([controller])
            world.run(120_000)
            #expect(world.links.isEmpty && controller.openConnections == 0)
            expectSound(world, [controller])
        }
    }
}
