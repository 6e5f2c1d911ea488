import Agent
import Crypto
import Domain
import Locator
import Mailslot
import SecureChannel
import Simulation
import Wire

/// An agent with its domains, each with its controllers, on virtual time.
final class AgentWorld {
    struct Domain {
        var name: String
        var dnsName = ""
        var policy = DomainPolicy(ntlmv1: .mschap, allowsLM: false, deadline: 5_000)
        /// The controllers' addresses, 10.77.0.x.
        var controllers: [UInt8]
    }

    struct Answer {
        var outcome: LogonOutcome
        var after: UInt64
    }

    private struct LinkKey: Hashable {
        var domain: Int
        var link: Int
    }

    static let secret = MD4.hash([1, 2, 3])
    static let start: UInt64 = 1_000

    /// The host's clock, which somebody may set.
    final class WallClock {
        /// Seconds by which it was set forward.
        var leap: UInt64 = 0

        func unix(at now: UInt64) -> UInt64 { 1_700_000_000 + now / 1_000 + leap }
    }

    let clock = VirtualClock(now: start)
    let wall = WallClock()
    let network: SimulatedNetwork
    let agent: Agent
    let controllers: [[SimulatedController]]
    private let setups: [Domain]
    private var links: [LinkKey: SimulatedConnection] = [:]
    private var askedAt: [UInt64: UInt64] = [:]
    private(set) var answers: [UInt64: Answer] = [:]
    private(set) var translations: [UInt64: TranslationOutcome] = [:]
    private(set) var learned: [(domain: Int, sid: SID)] = []
    private(set) var problems: [String] = []
    private(set) var notices: [ChannelNotice] = []
    private(set) var failures: [IPv4Address] = []
    private(set) var copied: [PullNotice] = []
    private(set) var looks = 0
    private(set) var blocked: [CountedLogon] = []
    /// Controllers that answer no ping.
    var deaf: Set<IPv4Address> = []
    private var nextCaller: UInt64 = 0

    /// `isBackup`: the first domain is the channel of the first local one to its primary.
    init(_ setups: [Domain], locals: [LocalDomain] = [], isBackup: Bool = false) {
        self.setups = setups
        let network = SimulatedNetwork(clock: clock)
        self.network = network
        var numbers = SeededNumbers(seed: 3)
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        controllers = setups.map { [clock] setup in
            setup.controllers.map { last in
                let controller = SimulatedController(
                    IPv4Address(10, 77, 0, last), name: "DC\(last)", clock: clock)
                controller.accounts["GATE1$"] = Self.secret
                network.add(controller)
                return controller
            }
        }
        let domains = setups.enumerated().map { index, setup in
            let channel = Channel(
                settings: ChannelSettings(
                    domain: setup.name, profile: .modern, kind: .workstation, account: "GATE1$",
                    computer: "GATE1", connections: 4, allowsRC4: false, allowsUnsealed: false),
                epoch: 1_700_000_000, random: random)
            let locator = Locator(
                LocatorConfiguration(
                    domain: setup.name, dnsName: setup.dnsName,
                    controllers: setup.controllers.map { IPv4Address(10, 77, 0, $0) },
                    hostName: "GATE1"),
                random: { UInt32(truncatingIfNeeded: numbers.next()) })
            return AgentDomain(
                name: setup.name, dnsName: setup.dnsName, policy: setup.policy,
                isOfBackup: isBackup && index == 0, locator: locator, channel: channel, ports: [:],
                random: random)
        }
        agent = Agent(
            name: "GATE1", domains: domains, locals: locals.map { AgentLocalDomain($0) },
            backups: isBackup
                ? [AgentBackup(
                    local: 0, channel: 0, pull: ReplicationPull(domain: locals[0], now: 0))]
                : [],
            unixSeconds: { [clock, wall] in wall.unix(at: clock.now) }, random: random)
        for index in domains.indices {
            agent.channel(index, now: now, microseconds: microseconds) {
                $0.useSecrets([Self.secret], now: Self.start)
            }
        }
    }

    var now: UInt64 { clock.now }
    private var microseconds: UInt64 { clock.now * 1_000 }

    func begin() {
        agent.start(now: now)
        settle()
    }

    /// A world whose domains are all ready.
    static func ready(
        _ setups: [Domain], locals: [LocalDomain] = [], isBackup: Bool = false
    ) -> AgentWorld {
        let world = AgentWorld(setups, locals: locals, isBackup: isBackup)
        world.begin()
        world.run(200)
        return world
    }

    static func one(
        ntlmv1: DomainPolicy.NTLMv1 = .mschap, allowsLM: Bool = false,
        controllers: [UInt8] = [10], refusalsKept: UInt64 = 0
    ) -> AgentWorld {
        ready([
            Domain(
                name: "ADLAB", dnsName: "ad.lab",
                policy: DomainPolicy(
                    ntlmv1: ntlmv1, allowsLM: allowsLM, deadline: 5_000,
                    refusalsKept: refusalsKept),
                controllers: controllers),
        ])
    }

    // MARK: Inputs

    func translate(_ names: [String], domain: String, caller: UInt64) {
        agent.translate(
            .names(names), domain: domain, caller: caller, now: now, microseconds: microseconds)
        settle()
    }

    @discardableResult
    func logon(_ call: LogonCall) -> UInt64 {
        nextCaller += 1
        let caller = nextCaller
        askedAt[caller] = now
        agent.logon(call, caller: caller, now: now, microseconds: microseconds)
        settle()
        return caller
    }

    @discardableResult
    func logon(
        _ user: String, domain: String = "", rightPassword: Bool = true, patience: UInt64 = 0
    ) -> UInt64 {
        logon(
            LogonCall(
                domain: domain, user: user, workstation: "CLIENT", parameterControl: 0,
                proof: .responses(
                    challenge: SimulatedUser.challenge,
                    nt: rightPassword
                        ? SimulatedUser.response(user) : SimulatedUser.wrongResponse(user),
                    lm: []), patience: patience))
    }

    /// Asks something of the first domain's channel.
    func input(_ body: (Channel, UInt64) -> Void) {
        agent.channel(0, now: now, microseconds: microseconds) { [now] in body($0, now) }
        settle()
    }

    /// Asks the first local domain's primary whether it is there.
    func look() -> Bool {
        let isAsked = agent.look(0, now: now, microseconds: microseconds)
        settle()
        return isAsked
    }

    func stop() {
        agent.stop(microseconds: microseconds)
        settle()
    }

    // MARK: Time

    func run(_ milliseconds: UInt64) {
        let end = now + milliseconds
        while true {
            let next = min(clock.next, agent.nextDeadline)
            if next > end { break }
            if !step(to: next) { return }
        }
        clock.advance(to: end)
    }

    @discardableResult
    func runUntilAnswered(limit: UInt64 = 30_000) -> Bool {
        let end = now + limit
        while answers.count < askedAt.count {
            let next = min(clock.next, agent.nextDeadline)
            if next > end || !step(to: next) { return false }
        }
        return true
    }

    private func step(to time: UInt64) -> Bool {
        clock.advance(to: time)
        if clock.happen() { return true }
        guard agent.nextDeadline <= now else { return true }
        agent.tick(now: now, microseconds: microseconds)
        settle()
        if agent.nextDeadline <= now {
            problems.append("the agent wants to be woken for \(agent.nextDeadline), at \(now)")
            return false
        }
        return true
    }

    // MARK: Outputs

    private func settle() {
        for _ in 0..<1_000 {
            let outputs = agent.takeOutputs()
            if outputs.isEmpty { return }
            for output in outputs { perform(output) }
        }
        problems.append("outputs do not run out")
    }

    private func perform(_ output: AgentOutput) {
        switch output {
        case .channel(let domain, let wanted): perform(domain, wanted)
        case .locator(let domain, let wanted): perform(domain, wanted)
        case .answer(let caller, let outcome):
            guard let since = askedAt[caller], answers[caller] == nil else {
                problems.append("an answer to \(caller), who waits for none")
                return
            }
            answers[caller] = Answer(outcome: outcome, after: now - since)
        case .copied(_, let notice): copied.append(notice)
        case .looked: looks += 1
        case .translated(let caller, let outcome): translations[caller] = outcome
        case .learned(let domain, let sid): learned.append((domain, sid))
        case .blocked(let logon): blocked.append(logon)
        }
    }

    private func perform(_ domain: Int, _ output: Channel.Output) {
        switch output {
        case .open(let link, let endpoint): open(domain, link, endpoint)
        case .send(let link, let bytes):
            links[LinkKey(domain: domain, link: link)]?.send(bytes)
        case .close(let link, _):
            links.removeValue(forKey: LinkKey(domain: domain, link: link))?.close()
        case .controllerSilent(let address):
            agent.locate(domain, now: now, microseconds: microseconds) { [now] in
                $0.probe(address, now: now)
            }
        case .controllerFailed(let address, _, _): failures.append(address)
        case .notice(let notice): notices.append(notice)
        case .passwordSet, .pulled: break
        case .answer, .controllerAnswered, .translated:
            problems.append("the agent keeps that to itself")
        case .mapped: break
        }
    }

    private func open(_ domain: Int, _ link: Int, _ endpoint: Endpoint) {
        let key = LinkKey(domain: domain, link: link)
        links[key] = SimulatedConnection(
            network, to: endpoint,
            SimulatedConnection.Handlers(
                opened: { [self] in
                    tell(domain) { [now] in $0.linkOpened(link, now: now) }
                },
                received: { [self] bytes in
                    agent.received(
                        domain, link: link, bytes.span, now: now, microseconds: microseconds)
                    settle()
                },
                closed: { [self] loss in
                    links[key] = nil
                    tell(domain) { [now] in $0.linkClosed(link, loss, now: now) }
                }))
    }

    private func tell(_ domain: Int, _ body: (Channel) -> Void) {
        agent.channel(domain, now: now, microseconds: microseconds, body)
        settle()
    }

    // MARK: The locator's questions

    private func perform(_ domain: Int, _ output: LocatorOutput) {
        switch output {
        case .udp(let to, let bytes): ping(domain, to, bytes)
        case .probeTCP(let to, let deadline):
            let taken = network.controllers[to.address]?.reception == .taken
            clock.at(taken ? now + 2 : deadline) { [self] in
                locate(domain) { [now] in
                    $0.connectAnswer(to.address, connected: taken, now: now)
                }
            }
        case .dnsSRV, .dnsA, .nbnsQuery, .nodeStatus, .persist, .changed: break
        }
    }

    private func locate(_ domain: Int, _ body: (Locator) -> Void) {
        agent.locate(domain, now: now, microseconds: microseconds, body)
        settle()
    }

    private func ping(_ domain: Int, _ to: Endpoint, _ bytes: [UInt8]) {
        guard let controller = network.controllers[to.address], controller.reception == .taken,
            !deaf.contains(to.address)
        else { return }
        var reader = WireReader(bytes.span, layer: "CLDAP")
        guard let request = try? CLDAPSearchRequest(parsing: &reader) else {
            problems.append("a ping that cannot be parsed")
            return
        }
        let dnsName = setups[domain].dnsName
        var writer = WireWriter()
        SAMLogonResponseEx(
            .samLogonResponseEx, flags: [.directoryService, .writable, .closest],
            domainGuid: .zero, dnsForestName: dnsName, dnsDomainName: dnsName,
            dnsHostName: controller.name.lowercased() + "." + dnsName,
            netbiosDomainName: setups[domain].name, netbiosComputerName: controller.name,
            userName: "", dcSiteName: "Site", clientSiteName: "Site"
        ).write(into: &writer)
        var answer = WireWriter()
        CLDAPSearchResponse(messageID: request.messageID).write(
            into: &answer, netlogon: writer.finish())
        let datagram = answer.finish()
        clock.after(2) { [self] in
            agent.locatorReceived(
                domain, datagram.span, from: to, now: now, microseconds: microseconds)
            settle()
        }
    }
}

// MARK: What tests ask for

extension AgentWorld {
    func outcome(_ caller: UInt64) -> String {
        guard let answer = answers[caller] else { return "none" }
        switch answer.outcome {
        case .accepted: return "accepted"
        case .refused(let status, let isAuthoritative):
            return "refused \(status.name)" + (isAuthoritative ? "" : ", others may know")
        case .unavailable(let why): return "unavailable: \(why.description)"
        }
    }

    func isAccepted(_ caller: UInt64) -> Bool { outcome(caller) == "accepted" }

    func health(_ domain: Int, _ controller: Int) -> ControllerHealth {
        let address = controllers[domain][controller].address
        return agent.domains[domain].locator.controllers.first { $0.address == address }?.health
            ?? .unknown
    }

    func inUse(_ domain: Int) -> IPv4Address? {
        agent.domains[domain].channel.controller?.address
    }
}
