import Crypto
import Simulation
import Testing
import Wire

@testable import SecureChannel

/// What must hold in every scenario: nothing impossible was asked for, nobody was answered twice
/// or late, and no password was looked at twice.
func expectSound(
    _ world: ChannelWorld, _ controllers: [SimulatedController] = [],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(world.problems == [], sourceLocation: sourceLocation)
    for controller in controllers {
        #expect(controller.mostValidations <= 1, sourceLocation: sourceLocation)
    }
}

extension ChannelWorld {
    /// A world whose channel is ready, with what led there forgotten.
    static func ready(
        connections: Int = 1, profile: ChannelSettings.Profile = .modern,
        transport: ChannelSettings.Transport? = nil,
        configure: (SimulatedController) -> Void = { _ in }
    ) -> (ChannelWorld, SimulatedController) {
        let world = ChannelWorld(
            connections: connections, profile: profile, transport: transport)
        let controller = world.addController()
        configure(controller)
        world.use([controller])
        world.run(100)
        #expect(world.channel.stateName == "ready")
        world.forgetTraffic()
        return (world, controller)
    }
}

@Suite struct ChannelPortTests {
    /// Windows NT 4.0 listens on 139 alone, some hosts of today on 445 alone.
    @Test func portThatIsRefusedIsFollowedByTheOther() throws {
        let settings = ChannelSettings(
            domain: "OLD", profile: .nt4, kind: .workstation, account: "GATE$",
            computer: "GATE", connections: 1, allowsRC4: true, allowsUnsealed: true)
        let channel = Channel(settings: settings, epoch: 0, random: { [UInt8](1...UInt8($0)) })
        let address = IPv4Address(10, 77, 0, 20)
        channel.useSecrets([Bytes16()], now: 0)
        channel.useControllers([ControllerAddress(address: address, name: "NT4PDC")], now: 0)
        #expect(opened(channel.takeOutputs()) == [Endpoint(address, 445)])
        channel.linkClosed(1, .refused, now: 1)
        #expect(opened(channel.takeOutputs()) == [Endpoint(address, 139)])
        channel.linkOpened(2, now: 2)
        guard case .send(2, let bytes) = channel.takeOutputs().first else {
            Issue.record("nothing is sent")
            return
        }
        // SESSION REQUEST (RFC 1002 4.3.2).
        #expect(bytes[0] == 0x81)
        channel.linkClosed(2, .refused, now: 3)
        let end = channel.takeOutputs()
        #expect(opened(end).isEmpty && channel.stateName == "no controller reachable")
    }

    private func opened(_ outputs: [Channel.Output]) -> [Endpoint] {
        outputs.compactMap {
            if case .open(_, let endpoint) = $0 { return endpoint }
            return nil
        }
    }
}

@Suite struct ChannelSetupTests {
    @Test func coldStartFindsThePortMakesAKeyAndPassesTheLogonThrough() {
        let world = ChannelWorld()
        let controller = world.addController()
        let logon = world.logon("anna")
        world.run(50)
        #expect(world.outcome(logon) == "none", "it waits until the locator has spoken")
        world.use([controller])
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(world.opened.map(\.to.port) == [135, 49_152])
        #expect(world.mapped == [49_152])
        #expect(controller.keysMade == 1 && world.channel.counters.keysMade == 1)
        // To the mapper: bind, ept_map. To Netlogon: bind, challenge, authenticate, the secured
        // context, the logon.
        #expect(world.sends.count == 7)
        #expect(world.channel.controller?.address == controller.address)
        expectSound(world, [controller])
    }

    @Test func rememberedPortSavesTheMapper() {
        let world = ChannelWorld()
        let controller = world.addController()
        world.use([controller], port: 49_152)
        world.run(100)
        #expect(world.channel.stateName == "ready")
        #expect(world.opened.map(\.to.port) == [49_152] && controller.mappings == 0)
        expectSound(world)
    }

    @Test func rememberedPortThatIsRefusedIsAskedForAgain() {
        let world = ChannelWorld()
        let controller = world.addController()
        controller.netlogonPort = 50_001
        world.use([controller], port: 49_152)
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(world.opened.map(\.to.port) == [49_152, 135, 50_001])
        #expect(world.mapped == [50_001] && world.failures.isEmpty)
        expectSound(world)
    }

    @Test func portThatIsRefusedAfterTheMapperNamedItMovesToTheNextController() {
        let world = ChannelWorld()
        let filtered = world.addController(10)
        let other = world.addController(11)
        filtered.isFiltered = true
        world.use([filtered, other])
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(filtered.mappings == 1)
        #expect(world.failures.map(\.address) == [filtered.address])
        expectSound(world)
    }

    @Test func silentControllerIsPassedOverAfterTheSetupTimeout() {
        let world = ChannelWorld()
        let hung = world.addController(10)
        let other = world.addController(11)
        hung.isHung = true
        world.use([hung, other])
        let start = world.now
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        let answered = world.answers[logon]!.at - start
        #expect(answered >= ChannelLimit.setup && answered < ChannelLimit.setup + 100)
        #expect(world.failures.count == 1 && world.failures[0].fault == .silent)
        #expect(world.failures[0].address == hung.address)
        expectSound(world)
    }

    @Test func controllerThatTakesNoConnectionIsPassedOverSooner() {
        let world = ChannelWorld()
        let dark = world.addController(10)
        let other = world.addController(11)
        dark.reception = .dark
        world.use([dark, other])
        let start = world.now
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        let answered = world.answers[logon]!.at - start
        #expect(answered >= ChannelLimit.connect && answered < ChannelLimit.connect + 100)
        expectSound(world)
    }

    @Test func allControllersDownAnswersAtOnceAndOneThatComesBackIsUsed() {
        let world = ChannelWorld()
        let controllers = [world.addController(10), world.addController(11)]
        for controller in controllers { controller.reception = .refused }
        world.use(controllers)
        let first = world.logon("anna")
        world.run(50)
        #expect(world.unavailable(first) == .noController)
        #expect(world.failures.map(\.address) == controllers.map(\.address))
        let before = world.now
        let second = world.logon("berta")
        #expect(world.unavailable(second) == .noController)
        #expect(world.answers[second]?.at == before)
        controllers[1].reception = .taken
        world.use([controllers[1]])
        let third = world.logon("carla")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(third))
        expectSound(world)
    }

    @Test func noControllerKnownAnswersWhoeverWaits() {
        let world = ChannelWorld()
        let logon = world.logon("anna")
        world.use([])
        #expect(world.unavailable(logon) == .noController)
        expectSound(world)
    }

    @Test func weakControllerIsTakenOnlyWhereTheDomainAllowsIt() {
        for allowed in [false, true] {
            let world = ChannelWorld(allowsRC4: allowed)
            let controller = world.addController()
            controller.capabilities = .strongKeyOnly
            world.use([controller])
            let logon = world.logon("anna")
            world.run(200)
            #expect(world.isAccepted(logon) == allowed)
            #expect(world.unavailable(logon) == (allowed ? nil : .channelRefused(.accessDenied)))
            expectSound(world, [controller])
        }
    }

    @Test func controllerWithoutASealIsRefused() {
        let world = ChannelWorld()
        let controller = world.addController()
        controller.capabilities = NegotiateFlags.modern.subtracting(.secureRPC)
        world.use([controller])
        let logon = world.logon("anna")
        world.run(200)
        #expect(world.unavailable(logon) == .noController)
        #expect(world.failures.last?.fault == .unwilling)
        expectSound(world, [controller])
    }

    @Test func channelWithoutASecretRefusesAndWaitsForOne() {
        let world = ChannelWorld()
        let controller = world.addController()
        world.input { $0.useSecrets([], now: world.now) }
        let first = world.logon("anna")
        world.use([controller])
        world.run(100)
        #expect(world.unavailable(first) == .channelRefused(.noTrustLSASecret))
        #expect(world.opened.isEmpty)
        world.input { $0.useSecrets([ChannelWorld.secret], now: world.now) }
        let second = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(second))
        expectSound(world)
    }
}

@Suite struct ChannelSecretTests {
    @Test func formerSecretIsTriedAfterTheCurrentOne() {
        let world = ChannelWorld()
        let controller = world.addController()
        world.input { $0.useSecrets([ChannelWorld.secret, ChannelWorld.formerSecret], now: 0) }
        controller.accounts[ChannelWorld.account] = ChannelWorld.formerSecret
        world.use([controller])
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(controller.refusedAuthentications == 1)
        #expect(world.count { if case .usedFormerSecret = $0 { true } else { false } } == 1)
        // The change arrives, and the next key needs the current secret again.
        controller.accounts[ChannelWorld.account] = ChannelWorld.secret
        controller.forgetKeys()
        let next = world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(next))
        expectSound(world, [controller])
    }

    @Test func unknownAccountIsExplainedAndAskedForAfterGrowingPauses() {
        let world = ChannelWorld()
        let controller = world.addController()
        controller.accounts = [:]
        world.use([controller])
        let first = world.logon("anna")
        world.run(100)
        #expect(world.unavailable(first) == .channelRefused(.noTrustSAMAccount))
        #expect(world.channel.stateName == "refused: NT_STATUS_NO_TRUST_SAM_ACCOUNT")
        let second = world.logon("berta")
        #expect(world.unavailable(second) == .channelRefused(.noTrustSAMAccount))
        world.run(200_000)
        // After 1, 2, 4, 8, 16, then every 30 seconds.
        let times = controller.challenges
        #expect((9...12).contains(times))
        let refusals = world.count { if case .accountRefused = $0 { true } else { false } }
        #expect(refusals == times)
        controller.accounts[ChannelWorld.account] = ChannelWorld.secret
        world.run(31_000)
        let third = world.logon("carla")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(third))
        expectSound(world, [controller])
    }

    @Test func refusedAccountIsTriedAtTheNextController() {
        let world = ChannelWorld()
        let late = world.addController(10)
        let current = world.addController(11)
        late.accounts = [:]
        world.use([late, current])
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        #expect(world.channel.controller?.address == current.address)
        expectSound(world, [late, current])
    }

    @Test func changedSecretIsTriedAtOnce() {
        let (world, controller) = ChannelWorld.ready()
        let new = MD4.hash([1, 2, 3])
        controller.accounts[ChannelWorld.account] = new
        controller.restart()
        world.run(200)
        #expect(world.channel.stateName == "refused: NT_STATUS_ACCESS_DENIED")
        world.input { $0.useSecrets([new], now: world.now) }
        let before = world.now
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon) && world.now - before < 50)
        expectSound(world, [controller])
    }

    @Test func secretChangedWhileTheFormerOneIsBeingTriedIsTriedToo() {
        let world = ChannelWorld()
        let controller = world.addController()
        let new = MD4.hash([1, 2, 3])
        controller.accounts[ChannelWorld.account] = new
        world.network.latency = 10
        world.use([controller], port: 49_152)
        let logon = world.logon("anna")
        // Opened after 20 ms, bound after 40, the challenge is there after 60.
        world.run(70)
        world.input { $0.useSecrets([new], now: world.now) }
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(logon))
        expectSound(world, [controller])
    }
}
