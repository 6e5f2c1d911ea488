import Crypto
import Domain
import SecureChannel
import Testing
import Wire

@testable import Front

/// A channel of the nt4 profile to a front of ours: SMB1, the pipe, and the credential chain.
final class PipeWorld {
    private let base: NetlogonWorld
    private let front: Front
    let channel: Channel
    private(set) var now: UInt64 = 10_000
    private var links: [Int: FrontConnection] = [:]
    private(set) var answers: [UInt32: LogonOutcome] = [:]
    private var nextLogon: UInt32 = 0
    /// What the channel sends, or is sent, gets lost.
    var losesRequests = false
    var losesAnswers = false

    init() throws {
        base = try NetlogonWorld()
        var numbers = SeededRandom(seed: 11)
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        front = Front(
            smb: SMBServer(
                SMBServerSettings(computerName: "GATE1", domainName: "GATE"), pipes: base.server,
                administration: nil, files: nil, random: random),
            rpc: base.server, netlogon: base.service)
        channel = Channel(
            settings: ChannelSettings(
                domain: "GATE", profile: .nt4, kind: .workstation, account: "PC1$",
                computer: "PC1", connections: 1, allowsRC4: false, allowsUnsealed: false),
            epoch: 1_700_000_000, random: random)
        channel.useSecrets([NetlogonWorld.machineSecret], now: now)
        channel.useControllers(
            [ControllerAddress(address: IPv4Address(10, 77, 0, 40), name: "GATE1")], now: now)
        settle()
    }

    private var time: FrontTime { FrontTime(now: now, unix: 1_700_000_000 + now / 1_000) }

    func run(_ milliseconds: UInt64) {
        now += milliseconds
        channel.tick(now: now)
        front.tick(now: time)
        settle()
    }

    /// All connections end, for the reason that the channel's side sees.
    func lose(_ loss: ConnectionLoss) {
        for (link, connection) in links {
            links[link] = nil
            front.closed(connection, now: time)
            channel.linkClosed(link, loss, now: now)
        }
        settle()
    }

    @discardableResult
    func logon(_ password: Secret = NetlogonWorld.password, patience: UInt64 = 5_000) -> UInt32 {
        nextLogon += 1
        channel.logon(
            nextLogon, NetlogonWorld.network("alice", password: password),
            deadline: now + patience, now: now)
        settle()
        return nextLogon
    }

    func isAccepted(_ logon: UInt32) -> Bool {
        if case .accepted = answers[logon] { true } else { false }
    }

    private func settle() {
        for _ in 0..<1_000 {
            let wanted = channel.takeOutputs()
            for output in wanted { perform(output) }
            var isQuiet = wanted.isEmpty
            while let output = front.nextOutput() {
                isQuiet = false
                perform(output)
            }
            if isQuiet { return }
        }
        Issue.record("outputs do not run out")
    }

    private func perform(_ output: Channel.Output) {
        switch output {
        case .open(let link, _):
            links[link] = front.opened(
                from: IPv4Address(10, 77, 0, 50), on: .direct, now: time)
            channel.linkOpened(link, now: now)
        case .send(let link, let bytes):
            guard !losesRequests, let connection = links[link] else { return }
            front.received(connection, bytes.span, now: time)
        case .close(let link, _):
            if let connection = links.removeValue(forKey: link) {
                front.closed(connection, now: time)
            }
        case .answer(let logon, let outcome): answers[logon] = outcome
        case .notice, .passwordSet, .translated, .pulled, .controllerFailed, .controllerSilent,
            .controllerAnswered, .mapped:
            break
        }
    }

    private func perform(_ output: Front.Output) {
        switch output {
        case .send(let connection, let bytes):
            for (link, other) in links where other == connection && !losesAnswers {
                channel.linkReceived(link, bytes.span, now: now)
            }
        case .close(let connection):
            for (link, other) in links where other == connection {
                links[link] = nil
                channel.linkClosed(link, .closed, now: now)
            }
        case .logon, .blocked, .translate: Issue.record("alice is a user of ours")
        }
    }
}

/// After a call without an answer nobody knows where the chain stands at the controller, so that
/// the next call needs a new key, and nobody else is to blame for that.
@Suite struct PipeChannelTests {
    private func ready() throws -> PipeWorld {
        let world = try PipeWorld()
        let first = world.logon()
        #expect(world.isAccepted(first) && world.isAccepted(world.logon()))
        #expect(world.channel.counters.keysMade == 1)
        return world
    }

    private func expectOneNewKey(_ world: PipeWorld) {
        let counters = world.channel.counters
        #expect(counters.keysMade == 2 && counters.takeovers == 0 && counters.badReplies == 0)
        #expect(world.channel.stateName == "ready" && world.channel.connections == 1)
    }

    @Test func callThatWasNotReadIsAskedAgainUnderANewKey() throws {
        let world = try ready()
        world.losesRequests = true
        let logon = world.logon()
        world.losesRequests = false
        world.lose(.reset)
        #expect(world.isAccepted(logon) && world.channel.counters.retried == 1)
        expectOneNewKey(world)
    }

    @Test(arguments: [true, false])
    func nextLogonAfterALostConnectionIsAnsweredAtOnce(_ isRead: Bool) throws {
        let world = try ready()
        world.losesRequests = !isRead
        world.losesAnswers = true
        let lost = world.logon()
        world.losesRequests = false
        world.losesAnswers = false
        world.lose(.closed)
        guard case .unavailable(.connectionLost) = world.answers[lost] else {
            Issue.record("\(String(describing: world.answers[lost]))")
            return
        }
        #expect(world.isAccepted(world.logon()))
        expectOneNewKey(world)
    }

    @Test(arguments: [100, 5_000] as [UInt64])
    func nextLogonAfterADeadlineIsAnsweredAtOnce(_ patience: UInt64) throws {
        let world = try ready()
        world.losesAnswers = true
        let late = world.logon(patience: patience)
        world.losesAnswers = false
        world.run(patience)
        guard case .unavailable(.deadline) = world.answers[late] else {
            Issue.record("\(String(describing: world.answers[late]))")
            return
        }
        world.run(10)
        #expect(world.isAccepted(world.logon()))
        expectOneNewKey(world)
    }

    @Test func othersWaitForTheNewKey() throws {
        let world = try ready()
        world.losesAnswers = true
        world.logon(patience: 100)
        let waiting = (0..<5).map { _ in world.logon() }
        world.run(100)
        world.losesAnswers = false
        #expect(world.isAccepted(world.logon()))
        for logon in waiting { #expect(world.isAccepted(logon)) }
        expectOneNewKey(world)
    }
}
