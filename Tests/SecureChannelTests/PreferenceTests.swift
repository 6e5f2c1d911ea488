import Crypto
import Simulation
import Testing
import Wire

@testable import SecureChannel

/// After a change of the secret, in a domain of two controllers of which one has not heard of it.
@Suite struct PreferenceTests {
    private static let former = ChannelWorld.secret
    private static let new = MD4.hash(Array("n\0e\0w\0".utf8))

    /// The second of the list took the new secret; the first has the former one.
    private func lagging(
        until: UInt64 = 3_600_000
    ) -> (world: ChannelWorld, near: SimulatedController, asked: SimulatedController) {
        let world = ChannelWorld()
        let near = world.addController(10)
        let asked = world.addController(11)
        asked.accounts[ChannelWorld.account] = Self.new
        world.input {
            $0.useSecrets([Self.new, Self.former], now: world.now)
            $0.prefer(asked.address, until: world.now + until)
        }
        return (world, near, asked)
    }

    private func spread(_ world: ChannelWorld) -> Int {
        world.notices.filter { if case .secretSpread = $0 { true } else { false } }.count
    }

    @Test func theControllerThatTookItComesFirst() {
        let (world, near, asked) = lagging()
        world.use([near, asked])
        world.run(1_000)
        #expect(world.channel.controller?.address == asked.address)
        #expect(world.channel.agreedSecret == Self.new)
        #expect(near.challenges == 0)
        // And after its connection is lost, and in a search from nothing.
        world.input { $0.rebuild(now: world.now) }
        world.run(1_000)
        #expect(world.channel.controller?.address == asked.address)
        #expect(near.challenges == 0)
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered() && world.isAccepted(logon))
        world.dissolve()
    }

    @Test func withoutItOthersAreTriedWithTheNewThenTheFormerSecret() {
        let (world, near, asked) = lagging()
        asked.isHung = true
        world.use([near, asked])
        world.run(5_000)
        #expect(world.channel.controller?.address == near.address)
        #expect(world.channel.agreedSecret == Self.former)
        #expect(spread(world) == 0)
        let logon = world.logon("anna")
        #expect(world.runUntilAnswered() && world.isAccepted(logon))
        world.dissolve()
    }

    @Test func theLocatorMayNotKnowItForAWhile() {
        let (world, near, asked) = lagging()
        world.use([near])
        world.run(1_000)
        #expect(world.channel.agreedSecret == Self.former)
        world.use([near, asked])
        world.input { $0.rebuild(now: world.now) }
        world.run(1_000)
        #expect(world.channel.controller?.address == asked.address)
        world.dissolve()
    }

    @Test func onceReplicationHasCaughtUpAllAreAlike() {
        let (world, near, asked) = lagging()
        near.accounts[ChannelWorld.account] = Self.new
        asked.isHung = true
        world.use([near, asked])
        world.run(5_000)
        #expect(world.channel.controller?.address == near.address)
        #expect(world.channel.agreedSecret == Self.new)
        #expect(spread(world) == 1)
        asked.isHung = false
        world.input { $0.rebuild(now: world.now) }
        world.run(1_000)
        #expect(world.channel.controller?.address == near.address)
        #expect(spread(world) == 1)
        world.dissolve()
    }

    @Test func thePreferenceEnds() {
        let (world, near, asked) = lagging(until: 10)
        near.accounts[ChannelWorld.account] = Self.new
        world.run(20)
        world.use([near, asked])
        world.run(1_000)
        #expect(world.channel.controller?.address == near.address)
        world.dissolve()
    }
}
