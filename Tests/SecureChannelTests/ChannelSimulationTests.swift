import Crypto
import Foundation
import Simulation
import Testing
import Wire

@testable import SecureChannel

/// Hours of bad luck in seconds: random faults, the same for the same seed, under random logons.
///
/// `POSTERN_SEED=n` runs one seed and prints what happens in it, `POSTERN_SEEDS=n` the first n.
@Suite struct ChannelSimulationTests {
    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["POSTERN_SEED"].flatMap({ UInt64($0) }) { return [one] }
        let count = environment["POSTERN_SEEDS"].flatMap { UInt64($0) } ?? 200
        return Array(1...max(count, 1))
    }()

    @Test func everyLogonHasOneRightAnswerWhateverHappens() {
        var total = Storm.Sums()
        for seed in Self.seeds {
            let storm = Storm(seed: seed)
            if Self.seeds.count == 1 { storm.print() }
            storm.run()
            for problem in storm.problems { Issue.record("seed \(seed): \(problem)") }
            total.add(storm.sums)
        }
        // A storm in which nothing works, or nothing fails, would show nothing.
        #expect(total.accepted * 3 > total.logons && total.unavailable > 0)
        #expect(total.retried > 0 && total.keysMade > Self.seeds.count)
        if Self.seeds.count == 1 { print(total) }
    }
}

/// One run: a channel, its controllers, and what befalls them.
final class Storm {
    struct Sums {
        var logons = 0
        var accepted = 0
        var unavailable = 0
        var retried = 0
        var keysMade = 0
        var opened = 0

        mutating func add(_ other: Sums) {
            logons += other.logons
            accepted += other.accepted
            unavailable += other.unavailable
            retried += other.retried
            keysMade += other.keysMade
            opened += other.opened
        }
    }

    private enum Limit {
        static let duration: UInt64 = 20_000
        static let logons = 80
        static let mishaps = 14
        /// The longest that a mishap lasts.
        static let mishap: UInt64 = 4_000
        /// Connections that may be opened in any one second.
        static let opens = 60
    }

    let world: ChannelWorld
    let controllers: [SimulatedController]
    private var numbers: SeededNumbers
    private var secret = ChannelWorld.secret
    private var believedDown: Set<IPv4Address> = []
    private var found: [String] = []

    init(seed: UInt64) {
        numbers = SeededNumbers(seed: seed)
        // Every fourth storm is over pipes.
        world = ChannelWorld(
            connections: Int.random(in: 1...4, using: &numbers),
            transport: seed % 4 == 0 ? .smb2 : nil, seed: seed)
        let count = Int.random(in: 1...3, using: &numbers)
        controllers = (0..<count).map { [world] in world.addController(UInt8(10 + $0)) }
        for controller in controllers {
            controller.grantsMultiplexing = Bool.random(using: &numbers)
            controller.denial = Bool.random(using: &numbers) ? .fault : .status
            controller.refusesReplacedKeys = Bool.random(using: &numbers)
            controller.logonTime = UInt64.random(in: 0...30, using: &numbers)
        }
        world.network.latency = UInt64.random(in: 0...20, using: &numbers)
        world.network.jitter = UInt64.random(in: 0...20, using: &numbers)
        world.network.movesBoundaries = Bool.random(using: &numbers)
        world.invariant = { [channel = world.channel] in
            let makers = channel.links.values.filter { $0.role != .carrier && !$0.isReady }
            return makers.count > 1 ? "two keys are being made" : nil
        }
        world.whenFailed = { [unowned self] in disbelieve($0) }
        world.whenSilent = { [unowned self] in ask($0) }
    }

    func print() {
        world.trace = { Swift.print($0) }
        for controller in controllers { controller.trace = world.trace }
    }

    var problems: [String] { world.problems + found }

    var sums: Sums {
        let counters = world.channel.counters
        return Sums(
            logons: world.asked.count, accepted: world.accepted,
            unavailable: world.asked.keys.filter { world.unavailable($0) != nil }.count,
            retried: counters.retried, keysMade: counters.keysMade, opened: world.opened.count)
    }

    func run() {
        plan()
        offer()
        world.run(Limit.duration + Limit.mishap)
        heal()
        world.run(45_000)
        let after = (0..<3).map { world.logon("after\($0)") }
        if !world.runUntilAnswered() { found.append("somebody still waits") }
        for logon in after where !world.isAccepted(logon) {
            found.append("in calm weather: \(world.outcome(logon)), \(world.channel.stateName)")
        }
        world.run(2 * ChannelLimit.idle)
        checkEnd()
        world.links = [:]
    }

    private func checkEnd() {
        let channel = world.channel
        if !channel.logons.isEmpty { found.append("\(channel.logons.count) logons are left") }
        if !channel.waiting.isEmpty { found.append("\(channel.waiting.count) are in the line") }
        if channel.links.count != 1 { found.append("\(channel.links.count) links are left") }
        for link in channel.links.values where link.association.callsInFlight > 0 {
            found.append("a call is left in flight")
        }
        if world.links.count != channel.links.count { found.append("a connection was forgotten") }
        var validations: [String: Int] = [:]
        for controller in controllers {
            validations.merge(controller.validations, uniquingKeysWith: +)
        }
        for (user, count) in validations.sorted(by: { $0.key < $1.key }) where count > 1 {
            found.append("the password of \(user) was looked at \(count) times")
        }
        let times = world.opened.map(\.at)
        for (index, time) in times.enumerated() where index + Limit.opens < times.count {
            if times[index + Limit.opens] < time + 1_000 {
                found.append("a storm of connections at \(time)")
                break
            }
        }
    }

    // MARK: What befalls them

    private func plan() {
        for number in 0..<Limit.logons {
            let groups = Int.random(in: 0..<40, using: &numbers) == 0 ? ".2000" : ""
            let isRight = Int.random(in: 0..<4, using: &numbers) != 0
            let patience = UInt64.random(in: 100...5_000, using: &numbers)
            // Half of them come in bursts.
            var time = UInt64.random(in: 0..<Limit.duration, using: &numbers)
            if number % 2 == 0 { time -= time % 4_000 }
            world.clock.after(time) { [unowned self] in
                world.logon("user\(number)\(groups)", rightPassword: isRight, patience: patience)
            }
        }
        for _ in 0..<Int.random(in: 0...Limit.mishaps, using: &numbers) {
            let time = UInt64.random(in: 0..<Limit.duration, using: &numbers)
            world.clock.after(time) { [unowned self] in mishap() }
        }
    }

    private func mishap() {
        let controller = controllers.randomElement(using: &numbers)!
        let lasts = UInt64.random(in: 10...Limit.mishap, using: &numbers)
        let kind = Int.random(in: 0..<16, using: &numbers)
        world.trace?("\(world.now) mishap \(kind) of \(controller.name) for \(lasts)")
        switch kind {
        case 0: controller.closeConnections()
        case 1: controller.forgetKeys()
        case 2: controller.replaceKey(of: ChannelWorld.computer)
        case 3: controller.restart(port: Bool.random(using: &numbers) ? 50_000 : nil)
        case 4:
            controller.reception = Bool.random(using: &numbers) ? .refused : .dark
            if Bool.random(using: &numbers) { controller.closeConnections() }
            world.clock.after(lasts) { controller.reception = .taken }
        case 5:
            controller.isHung = true
            world.clock.after(lasts) { controller.isHung = false }
        case 6:
            for connection in world.links.values { connection.cut() }
        case 7: changeSecret()
        case 8:
            controller.accounts = [:]
            controller.forgetKeys()
            world.clock.after(lasts) { [unowned self] in
                controller.accounts[ChannelWorld.account] = secret
            }
        case 9: world.input { $0.rebuild(now: world.now) }
        case 10: controller.logonTime = UInt64.random(in: 0...600, using: &numbers)
        case 11:
            controller.isFiltered = true
            world.clock.after(lasts) { controller.isFiltered = false }
        case _:
            let faults: [SimulatedController.Fault] = [
                .silence, .reset, .close, .undecodable, .nonsense, .wrongToken, .forgetKey,
            ]
            for _ in 0..<3 { controller.faults.append(faults.randomElement(using: &numbers)!) }
        }
    }

    /// The secret is changed; the controllers learn of it in their time, and so does the channel.
    private func changeSecret() {
        let former = secret
        secret = MD4.hash(numbers.bytes(8))
        let new = secret
        for controller in controllers {
            world.clock.after(UInt64.random(in: 0...1_000, using: &numbers)) {
                [unowned self] in
                if secret == new { controller.accounts[ChannelWorld.account] = new }
            }
        }
        world.clock.after(UInt64.random(in: 0...1_000, using: &numbers)) { [unowned self] in
            if secret == new { world.input { $0.useSecrets([new, former], now: world.now) } }
        }
    }

    private func heal() {
        for controller in controllers {
            controller.reception = .taken
            controller.isFiltered = false
            controller.faults = []
            controller.isHung = false
            controller.logonTime = 1
            controller.accounts[ChannelWorld.account] = secret
        }
        world.input { $0.useSecrets([secret], now: world.now) }
        believedDown = []
        offer()
    }

    // MARK: The locator's part

    private func offer() {
        world.offer(controllers.filter { !believedDown.contains($0.address) })
    }

    private func disbelieve(_ address: IPv4Address) {
        believedDown.insert(address)
        let pause = UInt64.random(in: 100...800, using: &numbers)
        world.clock.after(0) { [unowned self] in offer() }
        world.clock.after(pause) { [unowned self] in
            believedDown.remove(address)
            offer()
        }
    }

    private func ask(_ address: IPv4Address) {
        world.clock.after(400) { [unowned self] in
            let controller = controllers.first { $0.address == address }!
            guard controller.isHung || controller.reception == .dark else { return }
            disbelieve(address)
            world.input { $0.controllerIsDead(address, now: world.now) }
        }
    }
}
