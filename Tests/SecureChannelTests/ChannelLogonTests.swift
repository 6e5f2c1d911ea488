import Simulation
import Testing
import Wire

@testable import SecureChannel

@Suite struct ChannelLogonTests {
    @Test(arguments: [1, 4])
    func cachedLogonIsOneSendAndOneReceipt(_ connections: Int) {
        let (world, controller) = ChannelWorld.ready(connections: connections)
        for name in ["anna", "berta", "carla"] {
            world.forgetTraffic()
            let logon = world.logon(name)
            #expect(world.runUntilAnswered())
            #expect(world.isAccepted(logon))
            #expect(world.sends.count == 1 && world.receipts == 1 && world.opened.isEmpty)
            world.run(100_000)
        }
        expectSound(world, [controller])
    }

    @Test func refusalCarriesTheControllersWords() {
        let (world, controller) = ChannelWorld.ready()
        let wrong = world.logon("anna", rightPassword: false)
        let nobody = world.logon("nobody at all")
        #expect(world.runUntilAnswered())
        #expect(world.outcome(wrong) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.outcome(nobody) == "refused NT_STATUS_NO_SUCH_USER")
        #expect(world.channel.counters.refused == 2)
        expectSound(world, [controller])
    }

    @Test func logonsArePipelinedOnOneConnection() {
        let (world, controller) = ChannelWorld.ready()
        controller.logonTime = 1
        let logons = (0..<12).map { world.logon("user\($0)") }
        #expect(world.sends.count == 12, "none waits for another's answer")
        #expect(world.runUntilAnswered())
        for logon in logons { #expect(world.isAccepted(logon)) }
        #expect(world.answerOrder == logons)
        #expect(controller.connectionsTaken == 2)
        expectSound(world, [controller])
    }

    @Test func noMoreCallsAreOutThanOneConnectionCarries() {
        let (world, controller) = ChannelWorld.ready()
        controller.logonTime = 5
        let logons = (0..<50).map { world.logon("user\($0)") }
        #expect(world.sends.count == ChannelLimit.callsPerConnection)
        #expect(world.runUntilAnswered())
        #expect(world.answerOrder == logons, "who came first is answered first")
        #expect(world.accepted == 50)
        expectSound(world, [controller])
    }

    @Test func withoutMultiplexingThePoolGrowsUpToItsLimit() {
        let (world, controller) = ChannelWorld.ready(connections: 4) {
            $0.grantsMultiplexing = false
            $0.logonTime = 50
        }
        let logons = (0..<20).map { world.logon("user\($0)") }
        #expect(world.sends.count == 1, "one call at a time")
        #expect(world.runUntilAnswered())
        #expect(world.accepted == 20)
        #expect(world.channel.connections == 4)
        #expect(world.opened.count == 3 && controller.keysMade == 1)
        #expect(world.answerOrder.first == logons[0])
        expectSound(world, [controller])
    }

    @Test func spareConnectionsAreClosedAfterAMinute() {
        let (world, controller) = ChannelWorld.ready(connections: 4) {
            $0.grantsMultiplexing = false
            $0.logonTime = 50
        }
        for number in 0..<20 { world.logon("user\(number)") }
        #expect(world.runUntilAnswered())
        #expect(world.channel.connections == 4)
        world.run(ChannelLimit.idle + 100)
        #expect(world.channel.connections == 1 && controller.openConnections == 1)
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        expectSound(world, [controller])
    }

    @Test func spareConnectionThatIsRefusedIsNotAskedForAgainAtOnce() {
        let (world, controller) = ChannelWorld.ready(connections: 4) {
            $0.grantsMultiplexing = false
            $0.logonTime = 50
        }
        controller.isFiltered = true
        for number in 0..<20 { world.logon("user\(number)") }
        #expect(world.runUntilAnswered())
        #expect(world.accepted == 20)
        #expect(world.opened.count <= 2)
        expectSound(world, [controller])
    }

    @Test func eachLogonIsAnsweredAtItsDeadline() {
        let (world, controller) = ChannelWorld.ready()
        controller.isHung = true
        let start = world.now
        let logons = (1...20).map { world.logon("user\($0)", patience: UInt64($0) * 100) }
        #expect(world.runUntilAnswered())
        for (index, logon) in logons.enumerated() {
            #expect(world.unavailable(logon) == .deadline)
            #expect(world.answers[logon]?.at == start + UInt64(index + 1) * 100)
        }
        #expect(world.channel.counters.deadlines == 20)
        expectSound(world, [controller])
    }

    @Test func lateAnswerIsNobodysElse() {
        let (world, controller) = ChannelWorld.ready()
        controller.logonTime = 300
        let late = world.logon("anna", patience: 200)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(late) == .deadline && world.isAccepted(next))
        expectSound(world, [controller])
    }

    @Test func callThatIsNeverAnsweredDoesNotHoldItsConnectionForEver() {
        let (world, controller) = ChannelWorld.ready { $0.grantsMultiplexing = false }
        controller.faults = [.silence]
        let lost = world.logon("anna", patience: 1_000)
        world.run(1_500)
        #expect(world.unavailable(lost) == .deadline)
        #expect(world.silences == [controller.address])
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next))
        expectSound(world, [controller])
    }

    @Test func logonsBeyondTheLimitAreTurnedAway() {
        let world = ChannelWorld()
        let logons = (0...ChannelLimit.waiting).map { world.logon("user\($0)") }
        #expect(world.unavailable(logons.last!) == .overloaded)
        #expect(world.answers.count == 1 && world.channel.counters.overloaded == 1)
        let controller = world.addController()
        world.use([controller])
        #expect(world.runUntilAnswered())
        #expect(world.accepted == ChannelLimit.waiting)
        expectSound(world, [controller])
    }

    @Test func waitingLogonsThatExpiredLeaveNothingBehind() {
        let world = ChannelWorld()
        for round in 0..<20 {
            for number in 0..<100 { world.logon("user\(round * 100 + number)", patience: 50) }
            world.run(100)
        }
        #expect(world.channel.logons.isEmpty)
        #expect(world.channel.waiting.count <= 200)
        expectSound(world)
    }

    @Test func undecodableReplyFailsOneLogonAndTheChannelStays() {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [.undecodable]
        let first = world.logon("anna")
        let second = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(first) == .badReply && world.isAccepted(second))
        #expect(world.opened.isEmpty && world.channel.counters.badReplies == 1)
        expectSound(world, [controller])
    }

    @Test func nameThatNobodyCanHaveFailsOneLogonAndTheChannelStays() {
        let (world, controller) = ChannelWorld.ready()
        controller.nameOfAll = String(repeating: "語", count: 32_767)
        let first = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(first) == .badReply)
        controller.nameOfAll = String(repeating: "語", count: ChannelLimit.name + 1)
        let second = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(second) == .badReply)
        controller.nameOfAll = nil
        let third = world.logon("carla")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(third) && world.channel.counters.badReplies == 2)
        expectSound(world, [controller])
    }

    @Test(arguments: [SimulatedController.Fault.nonsense, .wrongToken])
    func connectionThatCannotBeTrustedIsLeft(_ fault: SimulatedController.Fault) {
        let (world, controller) = ChannelWorld.ready()
        controller.faults = [fault]
        let first = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(first) == .connectionLost)
        let second = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(second))
        expectSound(world, [controller])
    }

    @Test func userInThousandsOfGroupsComesInSeveralFragments() {
        let (world, controller) = ChannelWorld.ready()
        let big = world.logon("anna.2000")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(big) && world.receipts > 1)
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next) && world.opened.isEmpty)
        expectSound(world, [controller])
    }

    @Test func logonsBehindAResponseOfSeveralFragmentsAreAskedAgain() {
        let (world, controller) = ChannelWorld.ready()
        controller.logonTime = 5
        let before = world.logon("anna")
        let big = world.logon("berta.2000")
        let behind = (0..<8).map { world.logon("user\($0)") }
        #expect(world.runUntilAnswered())
        for logon in [before, big] + behind { #expect(world.isAccepted(logon)) }
        #expect(world.channel.counters.retried == 8 && controller.keysMade == 1)
        #expect(world.answerOrder == [before, big] + behind)
        expectSound(world, [controller])
    }
}
