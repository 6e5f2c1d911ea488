import Interfaces
import Simulation
import Testing
import Wire

@testable import SecureChannel

/// Calls with the credential chain that end without their answer: the chain is not known from then
/// on, which is nobody's doing.
@Suite struct ChannelChainTests {
    private func ready() -> (ChannelWorld, SimulatedController) {
        ChannelWorld.ready { $0.answersPulls = true }
    }

    private func pull(_ world: ChannelWorld) {
        world.ask { channel, now in
            channel.pull(NetrDatabaseDeltas.opnum, deadline: now + 5_000, now: now) {
                var writer = WireWriter()
                NetrDatabaseDeltas.Request(
                    call: DatabaseCall(
                        primaryName: $0, computerName: ChannelWorld.computer, authenticator: $1),
                    databaseID: .account, domainModifiedCount: 0
                ).write(into: &writer)
                return writer.finish()
            }
        }
    }

    private func outcomes(_ world: ChannelWorld) -> [Bool] {
        world.pullOutcomes.map { if case .answered = $0 { true } else { false } }
    }

    enum Loss: CaseIterable {
        case late, closed, reset, fault, undecodable
    }

    @Test(arguments: Loss.allCases)
    func aPullWithoutItsAnswerIsNotTakenForATakeover(_ loss: Loss) {
        let (world, controller) = ready()
        pull(world)
        world.run(50)
        #expect(outcomes(world) == [true])
        switch loss {
        case .late:
            controller.isHung = true
            pull(world)
            world.run(5_000)
            controller.isHung = false
        case .closed:
            world.network.latency = 100
            pull(world)
            // The controller has carried it out, and its answer is on the way.
            world.run(150)
            for link in Array(world.links.keys) {
                world.input { $0.linkClosed(link, .closed, now: world.now) }
            }
            world.network.latency = 1
        case .reset:
            controller.isHung = true
            pull(world)
            world.run(10)
            controller.closeConnections()
            controller.isHung = false
        case .fault:
            controller.answersPulls = false
            pull(world)
            world.run(50)
            controller.answersPulls = true
        case .undecodable:
            world.ask { channel, now in
                channel.pull(NetrDatabaseDeltas.opnum, deadline: now + 5_000, now: now) { _, _ in
                    [UInt8](repeating: 0, count: 8)
                }
            }
        }
        world.run(500)
        #expect(outcomes(world) == [true, false])
        #expect(world.channel.stateName == "ready")
        let logon = world.logon("anna")
        pull(world)
        #expect(world.runUntilAnswered())
        world.run(50)
        #expect(outcomes(world) == [true, false, true] && world.isAccepted(logon))
        #expect(world.takeovers == 0 && world.channel.counters.takeovers == 0)
        #expect(controller.keysMade == 2)
        expectSound(world, [controller])
    }

    @Test func logonsThatAreUnderWayAreAnsweredUnderTheFormerKey() {
        let world = ChannelWorld(connections: 2)
        let controller = world.addController()
        controller.answersPulls = true
        controller.logonTime = 6_000
        world.use([controller])
        world.run(100)
        pull(world)
        world.run(10)
        // The pull waits behind the logon, and longer than it may.
        let logon = world.logon("anna", patience: 20_000)
        world.run(500)
        pull(world)
        world.run(5_100)
        #expect(outcomes(world) == [true, false])
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        world.run(1_000)
        pull(world)
        world.run(100)
        #expect(outcomes(world) == [true, false, true] && world.takeovers == 0)
        expectSound(world, [controller])
    }

    @Test func takeoverIsToldAllTheSame() {
        let (world, controller) = ready()
        controller.replaceKey(of: ChannelWorld.computer)
        pull(world)
        world.run(500)
        #expect(outcomes(world) == [false] && world.takeovers == 1)
        pull(world)
        world.run(50)
        #expect(outcomes(world) == [false, true])
        expectSound(world, [controller])
    }
}
