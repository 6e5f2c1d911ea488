import Crypto
import SecureChannel
import Wire

/// A channel, its controllers, and the time between them: does what the channel wants, tells it
/// what came of it, and keeps account of what must hold.
package final class ChannelWorld {
    package struct Answer {
        package var outcome: LogonOutcome
        package var at: UInt64
    }

    package struct Asked {
        package var user: String
        package var isRight: Bool
        package var deadline: UInt64
    }

    package struct Failure {
        package var address: IPv4Address
        package var fault: ControllerFault
        package var reason: String
    }

    package static let computer = "GATE1"
    package static let account = "GATE1$"
    package static let secret = MD4.hash(Array("the secret".utf8))
    package static let formerSecret = MD4.hash(Array("the former secret".utf8))

    package let clock = VirtualClock()
    package let network: SimulatedNetwork
    package let channel: Channel
    package var links: [Int: SimulatedConnection] = [:]
    /// What each logon was asked for with, and what became of it.
    package private(set) var asked: [UInt32: Asked] = [:]
    package private(set) var answers: [UInt32: Answer] = [:]
    /// The order in which logons were answered.
    package private(set) var answerOrder: [UInt32] = []
    package private(set) var opened: [(at: UInt64, to: Endpoint)] = []
    package private(set) var sends: [(at: UInt64, link: Int, bytes: Int)] = []
    package private(set) var receipts = 0
    package private(set) var closes: [(link: Int, abort: Bool)] = []
    package private(set) var failures: [Failure] = []
    package private(set) var silences: [IPv4Address] = []
    package private(set) var mapped: [UInt16] = []
    /// The ports that were mapped last, as they are remembered.
    package private(set) var ports: [IPv4Address: UInt16] = [:]
    package private(set) var notices: [ChannelNotice] = []
    package private(set) var translations: [UInt32: TranslationOutcome] = [:]
    package private(set) var passwordOutcomes: [PasswordOutcome] = []
    package private(set) var pullOutcomes: [PullOutcome] = []
    /// What must never be, and was.
    package private(set) var problems: [String] = []
    /// Is told everything, for whoever looks for the cause of a problem.
    package var trace: ((String) -> Void)?
    /// Looked at whenever the channel has settled.
    package var invariant: (() -> String?)?
    package var whenFailed: ((IPv4Address) -> Void)?
    package var whenSilent: ((IPv4Address) -> Void)?
    private var nextLogon: UInt32 = 0
    private var made: [SimulatedConnection] = []
    private var isStuck = false

    private enum Limit {
        /// Outputs that one input may bring forth before the channel counts as raving.
        static let rounds = 10_000
        static let problems = 20
    }

    package init(
        connections: Int = 1, profile: ChannelSettings.Profile = .modern,
        transport: ChannelSettings.Transport? = nil, allowsRC4: Bool = false,
        allowsUnsealed: Bool = false, seed: UInt64 = 1
    ) {
        network = SimulatedNetwork(clock: clock, seed: seed)
        var numbers = SeededNumbers(seed: seed &+ 1_000)
        var settings = ChannelSettings(
            domain: "ADLAB", profile: profile, kind: .workstation, account: Self.account,
            computer: Self.computer, connections: connections, allowsRC4: allowsRC4,
            allowsUnsealed: allowsUnsealed)
        if let transport { settings.transport = transport }
        channel = Channel(
            settings: settings,
            epoch: 1_700_000_000, random: { numbers.bytes($0) })
        channel.useSecrets([Self.secret], now: clock.now)
    }

    package var now: UInt64 { clock.now }

    /// A controller that knows our account, at 10.77.0.`last`.
    @discardableResult
    package func addController(_ last: UInt8 = 10) -> SimulatedController {
        let controller = SimulatedController(
            IPv4Address(10, 77, 0, last), name: "DC\(last)", clock: clock)
        controller.accounts[Self.account] = Self.secret
        network.add(controller)
        return controller
    }

    // MARK: Inputs

    package func use(_ controllers: [SimulatedController], port: UInt16? = nil) {
        channel.useControllers(
            controllers.map {
                ControllerAddress(address: $0.address, name: $0.name, netlogonPort: port)
            }, now: now)
        settle()
    }

    /// The same, with the ports that are remembered.
    package func offer(_ controllers: [SimulatedController]) {
        channel.useControllers(
            controllers.map {
                ControllerAddress(
                    address: $0.address, name: $0.name, netlogonPort: ports[$0.address])
            }, now: now)
        settle()
    }

    package func input(_ body: (Channel) -> Void) {
        body(channel)
        settle()
    }

    @discardableResult
    package func logon(
        _ user: String, rightPassword: Bool = true, patience: UInt64 = 5_000
    ) -> UInt32 {
        nextLogon += 1
        let id = nextLogon
        trace?("\(now) logon \(id): \(user)")
        asked[id] = Asked(user: user, isRight: rightPassword, deadline: now + patience)
        channel.logon(
            id, SimulatedUser.request(user, rightPassword: rightPassword),
            deadline: now + patience, now: now)
        settle()
        return id
    }

    // MARK: Time

    /// Lets `milliseconds` pass.
    package func run(_ milliseconds: UInt64) {
        let end = now + milliseconds
        while !isStuck {
            let next = min(clock.next, channel.nextDeadline)
            if next > end { break }
            step(to: next)
        }
        clock.advance(to: end)
    }

    /// Runs until all logons are answered. False: one is not, and nothing more happens by
    /// `limit` milliseconds from now.
    @discardableResult
    package func runUntilAnswered(limit: UInt64 = 60_000) -> Bool {
        let end = now + limit
        while answers.count < asked.count, !isStuck {
            let next = min(clock.next, channel.nextDeadline)
            if next > end { return false }
            step(to: next)
        }
        return answers.count == asked.count
    }

    private func step(to time: UInt64) {
        clock.advance(to: time)
        if clock.happen() { return }
        guard channel.nextDeadline <= now else { return }
        channel.tick(now: now)
        settle()
        if channel.nextDeadline <= now {
            report("the channel wants to be woken for \(channel.nextDeadline), at \(now)")
            isStuck = true
        }
    }

    package func report(_ problem: String) {
        if problems.count < Limit.problems { problems.append("\(now): \(problem)") }
    }

    // MARK: Outputs

    private func settle() {
        for _ in 0..<Limit.rounds {
            let outputs = channel.takeOutputs()
            if outputs.isEmpty {
                if let broken = invariant?() { report(broken) }
                return
            }
            for output in outputs { perform(output) }
        }
        report("outputs do not run out")
        isStuck = true
    }

    private func perform(_ output: Channel.Output) {
        if let trace { trace("\(now) \(Self.text(output))") }
        switch output {
        case .open(let link, let endpoint):
            if links[link] != nil { report("link \(link) is opened twice") }
            opened.append((now, endpoint))
            open(link, endpoint)
        case .send(let link, let bytes):
            guard let connection = links[link] else {
                report("bytes for link \(link), which is not open")
                return
            }
            sends.append((now, link, bytes.count))
            connection.send(bytes)
        case .close(let link, let abort):
            // A link that its peer ended is gone already.
            closes.append((link, abort))
            links.removeValue(forKey: link)?.close()
        case .answer(let logon, let outcome): answered(logon, outcome)
        case .controllerFailed(let address, let fault, let reason):
            failures.append(Failure(address: address, fault: fault, reason: reason))
            whenFailed?(address)
        case .controllerSilent(let address):
            silences.append(address)
            whenSilent?(address)
        case .controllerAnswered: break
        case .mapped(let address, let port):
            mapped.append(port)
            ports[address] = port
        case .notice(let notice): notices.append(notice)
        case .passwordSet(let outcome): passwordOutcomes.append(outcome)
        case .pulled(let outcome): pullOutcomes.append(outcome)
        case .translated(let id, let outcome): translations[id] = outcome
        }
    }

    /// Asks something of the channel, and does what it then wants.
    package func ask(_ body: (Channel, UInt64) -> Void) {
        body(channel, now)
        settle()
    }

    /// Lets go of everything: its parts hold each other.
    package func dissolve() {
        for connection in made { connection.dissolve() }
        made = []
        links = [:]
        clock.clear()
        network.dissolve()
    }

    private func open(_ link: Int, _ endpoint: Endpoint) {
        let connection = SimulatedConnection(
            network, to: endpoint,
            SimulatedConnection.Handlers(
                opened: { [self] in
                    guard links[link] != nil else { return }
                    channel.linkOpened(link, now: now)
                    settle()
                },
                received: { [self] bytes in
                    guard links[link] != nil else { return }
                    receipts += 1
                    trace?("\(now) received on \(link): \(bytes.count) bytes")
                    channel.linkReceived(link, bytes.span, now: now)
                    settle()
                },
                closed: { [self] loss in
                    guard links.removeValue(forKey: link) != nil else { return }
                    trace?("\(now) \(link) ended: \(loss)")
                    channel.linkClosed(link, loss, now: now)
                    settle()
                }))
        links[link] = connection
        made.append(connection)
    }

    private func answered(_ logon: UInt32, _ outcome: LogonOutcome) {
        guard let question = asked[logon] else {
            report("an answer to logon \(logon), which nobody asked for")
            return
        }
        if answers[logon] != nil { report("logon \(logon) is answered twice") }
        if now > question.deadline {
            report("logon \(logon) is answered \(now - question.deadline) ms late")
        }
        answers[logon] = Answer(outcome: outcome, at: now)
        answerOrder.append(logon)
        switch outcome {
        case .accepted(let identity):
            if !question.isRight { report("a wrong password of \(question.user) is accepted") }
            if let fault = SimulatedUser.fault(identity, of: question.user) { report(fault) }
        case .refused(let status, _):
            let expected: NTStatus =
                SimulatedUser.exists(question.user) ? .wrongPassword : .noSuchUser
            if question.isRight, SimulatedUser.exists(question.user) {
                report("the right password of \(question.user) is refused: \(status.name)")
            } else if status != expected {
                report("\(question.user) is refused for \(status.name)")
            }
        case .unavailable: break
        }
    }
}

extension ChannelWorld {
    private static func text(_ output: Channel.Output) -> String {
        switch output {
        case .send(let link, let bytes): "send on \(link): \(bytes.count) bytes"
        case .answer(let logon, .accepted): "answer \(logon): accepted"
        case .open, .close, .answer, .controllerFailed, .controllerSilent, .controllerAnswered,
            .mapped, .notice, .passwordSet, .pulled, .translated:
            "\(output)"
        }
    }
}

// MARK: What tests ask for

extension ChannelWorld {
    /// What became of a logon, in one word or two.
    package func outcome(_ logon: UInt32) -> String {
        guard let answer = answers[logon] else { return "none" }
        switch answer.outcome {
        case .accepted: return "accepted"
        case .refused(let status, _): return "refused \(status.name)"
        case .unavailable(let why): return "unavailable: \(why.description)"
        }
    }

    package func unavailable(_ logon: UInt32) -> Unavailable? {
        if case .unavailable(let why)? = answers[logon]?.outcome { return why }
        return nil
    }

    package func isAccepted(_ logon: UInt32) -> Bool {
        if case .accepted? = answers[logon]?.outcome { return true }
        return false
    }

    /// How many logons were accepted.
    package var accepted: Int { asked.keys.filter { isAccepted($0) }.count }

    package func forgetTraffic() {
        opened = []
        sends = []
        receipts = 0
        closes = []
        failures = []
        notices = []
    }

    package func count(_ matches: (ChannelNotice) -> Bool) -> Int {
        notices.filter(matches).count
    }

    package var takeovers: Int {
        count { if case .takenOver = $0 { true } else { false } }
    }
}
