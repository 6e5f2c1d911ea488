import SMB
import Simulation
import Testing
import Wire

@testable import SecureChannel

/// The modern profile over named pipes of SMB 2.
@Suite struct PipeTests {
    private static func ready(
        connections: Int = 1, configure: (SimulatedController) -> Void = { _ in }
    ) -> (ChannelWorld, SimulatedController) {
        ChannelWorld.ready(connections: connections, transport: .smb2, configure: configure)
    }

    @Test func controllerBehindAFirewallIsReachedThroughOnePort() {
        let (world, controller) = Self.ready { $0.isBehindFirewall = true }
        let right = world.logon("anna")
        let wrong = world.logon("berta", rightPassword: false)
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(right))
        #expect(world.outcome(wrong) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(controller.connectionsTaken == 1 && controller.keysMade == 1)
        expectSound(world, [controller])
    }

    @Test func thatFirewallStopsWhoComesOverTCP() {
        let world = ChannelWorld()
        let controller = world.addController()
        controller.isBehindFirewall = true
        world.use([controller])
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(logon) != nil)
    }

    @Test func noPortIsAskedForOrRemembered() {
        let world = ChannelWorld(transport: .smb2)
        let controller = world.addController()
        // Left over from when this domain was spoken to over TCP.
        world.use([controller], port: 49_999)
        world.ask { $0.translate(1, .names(["ADLAB\\anna"]), deadline: $1 + 5_000, now: $1) }
        world.logon("anna")
        #expect(world.runUntilAnswered())
        world.run(1_000)
        #expect(world.accepted == 1 && controller.mappings == 0)
        #expect(world.opened.map(\.to.port) == [445, 445])
        guard case .translated(let found)? = world.translations[1] else {
            Issue.record("no translation")
            return
        }
        #expect(found.map { $0?.name } == ["anna"])
        expectSound(world, [controller])
    }

    @Test func callsGoOneAtATimeOnEachOfSeveralConnections() {
        let (world, controller) = Self.ready(connections: 4) { $0.logonTime = 50 }
        let logons = (0..<20).map { world.logon("user\($0)") }
        #expect(world.sends.count == 1)
        #expect(world.runUntilAnswered())
        #expect(world.accepted == 20 && world.answerOrder.first == logons[0])
        #expect(world.channel.connections == 4 && controller.keysMade == 1)
        #expect(world.opened.count == 3 && world.opened.allSatisfy { $0.to.port == 445 })
        expectSound(world, [controller])
    }

    @Test func restartedControllerIsGivenAnotherKey() {
        let (world, controller) = Self.ready()
        controller.restart()
        world.run(100)
        world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.accepted == 1 && controller.keysMade == 2)
        expectSound(world, [controller])
    }

    @Test(arguments: [
        (SMB2.Command.negotiate, "SMB negotiate: NT_STATUS_NOT_SUPPORTED"),
        (.sessionSetup, "SMB session setup: NT_STATUS_NOT_SUPPORTED"),
        (.treeConnect, "SMB tree connect: NT_STATUS_NOT_SUPPORTED"),
        (.create, "pipe netlogon: NT_STATUS_NOT_SUPPORTED"),
        (.ioctl, "pipe netlogon: NT_STATUS_NOT_SUPPORTED"),
    ])
    func refusedSessionIsToldWithItsStage(_ step: SMB2.Command, _ reason: String) {
        let world = ChannelWorld(transport: .smb2)
        let controller = world.addController()
        controller.smbRefusals = [step: .notSupported]
        world.use([controller])
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.unavailable(logon) == .noController)
        #expect(world.failures.map(\.reason) == [reason])
        #expect(world.failures.map(\.fault) == [.unwilling])
    }
}
