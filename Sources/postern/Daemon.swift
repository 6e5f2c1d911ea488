import Agent
import Configuration
import Consumers
import Crypto
import Domain
import Flows
import Locator
import Loop
import Mailslot
import SecureChannel
import Store
import Wire

/// The running agent: one loop, the cores, and the sockets that serve them.
///
/// Everything that arrives is told to a core, and whatever the cores want done is then done, in
/// `settle`, the only place where outputs are carried out.
final class Daemon {
    let loop: EventLoop
    let configuration: Configuration
    let agent: Agent
    let store: StateStore
    let log: Log
    private(set) var names: NameSockets!
    private(set) var sockets: [DomainSockets] = []
    private(set) var control: ControlSocket?
    private(set) var winbind: WinbindSocket?
    private(set) var front: FrontSockets?
    /// Local clients that are still to read what they were answered, once this is stopping.
    private let closing: ClosingConnections
    private var timer: Timer!
    private var isSettling = false
    private var isStopping = false
    /// Who waits for a domain's channel to be made anew, and is told why it was not.
    private var rebuilds: [Int: (_ failure: String?) -> Void] = [:]
    /// Who watches what a domain's locator and channel send and receive.
    private(set) var explanations: [Int: Explanation] = [:]
    private var secretsSeen: UInt64 = 0
    /// What the log was told of each domain's secrets that are not to be had.
    private var secretTroubles: [Int: String] = [:]
    private(set) var rotator: SecretRotator?
    /// Until when nobody is told of who announces itself as the primary of a domain of ours:
    /// anybody can announce anything, and nobody is to fill the log.
    private var rivalsUntil: UInt64 = 0
    private static let rivalPause: UInt64 = 60_000
    /// Milliseconds that local clients have for the end of an answer when the agent stops, less
    /// than a service manager's patience.
    private static let lastWord: UInt64 = 2_000
    /// Searches for `postern find` that are under way.
    var searches = 0
    /// Who waits for what a domain's primary answers.
    private var lookers: [Int: [() -> Void]] = [:]
    private var own: [UInt64: (SecureChannel.LogonOutcome) -> Void] = [:]
    private var questions: [UInt64: (TranslationOutcome) -> Void] = [:]
    private var lastOwn: UInt64 = 0
    let started: UInt64

    init(
        _ configuration: Configuration, store: StateStore, log: Log,
        loop: EventLoop = EventLoop()
    ) {
        self.loop = loop
        closing = ClosingConnections(loop, patience: Self.lastWord)
        self.store = store
        self.log = log
        let configuration = LocalDomains.withChannels(configuration, store, log)
        self.configuration = configuration
        loop.updateNow()
        started = loop.now
        agent = AgentBuilder.agent(configuration, store: store, now: loop.now, log: log)
        timer = Timer(loop) { [self] in
            readSecretsIfChanged()
            agent.tick(now: loop.now, microseconds: loop.microseconds)
            settle()
        }
        for index in agent.domains.indices { sockets.append(DomainSockets(index, self)) }
        names = NameSockets(self)
        front = FrontSockets(self)
    }

    /// Binds what needs privileges: the local sockets and the legacy face's ports.
    func bind() throws(SystemError) {
        control = try ControlSocket(self)
        winbind = try WinbindSocket(self)
        try names.bind()
        try front?.bind()
    }

    /// Calls `ready` when whoever asks can be answered.
    func start(ready: @escaping () -> Void) {
        readSecrets()
        agent.start(now: loop.now)
        rotator = SecretRotator(self)
        settle()
        names.start(ready: ready)
    }

    func run() { loop.run() }

    /// Answers who waits, closes everything, releases our names; the loop then ends, at once when
    /// told so again.
    func stop() {
        if isStopping { return loop.stop() }
        isStopping = true
        agent.stop(microseconds: loop.microseconds)
        settle()
        rotator?.close()
        control?.close(closing)
        winbind?.close(closing)
        front?.close()
        for socket in sockets { socket.close() }
        timer.close()
        names.stop { [self] in
            closing.whenEmpty { [self] in loop.stop() }
        }
    }

    // MARK: Cores

    func channel(_ index: Int, _ body: (Channel, UInt64) -> Void) {
        let now = loop.now
        agent.channel(index, now: now, microseconds: loop.microseconds) { body($0, now) }
        settle()
    }

    func channelReceived(_ index: Int, _ link: Int, _ bytes: Span<UInt8>) {
        explanations[index]?.received(bytes, link: link)
        agent.received(
            index, link: link, bytes, now: loop.now, microseconds: loop.microseconds)
        settle()
    }

    func locator(_ index: Int, _ body: (Locator, UInt64) -> Void) {
        let now = loop.now
        agent.locate(index, now: now, microseconds: loop.microseconds) { body($0, now) }
        settle()
    }

    func locatorReceived(_ index: Int, _ bytes: Span<UInt8>, _ source: Endpoint) {
        agent.locatorReceived(
            index, bytes, from: source, now: loop.now, microseconds: loop.microseconds)
        settle()
    }

    /// Tells logons of this program itself from those of its sockets.
    private static let ownMark: UInt64 = 1 << 62

    /// A logon of this program's own.
    func logon(_ call: LogonCall, answer: @escaping (SecureChannel.LogonOutcome) -> Void) {
        lastOwn += 1
        let caller = lastOwn | Self.ownMark
        own[caller] = answer
        logon(call, caller: caller)
    }

    func logon(_ call: LogonCall, caller: UInt64) {
        readSecretsIfChanged()
        agent.logon(call, caller: caller, now: loop.now, microseconds: loop.microseconds)
        settle()
    }

    /// A logon whose protocol the front did not take.
    func blocked(_ call: LogonCall) {
        agent.blocked(call, now: loop.now)
        settle()
    }

    /// A question of this program's own.
    func translate(
        _ question: TranslationQuestion, domain: String,
        answer: @escaping (TranslationOutcome) -> Void
    ) {
        lastOwn += 1
        let caller = lastOwn | Self.ownMark
        questions[caller] = answer
        translate(question, domain: domain, caller: caller)
    }

    func translate(_ question: TranslationQuestion, domain: String, caller: UInt64) {
        agent.translate(
            question, domain: domain, caller: caller, now: loop.now,
            microseconds: loop.microseconds)
        settle()
    }

    /// Does what the cores want done until they want nothing more, then sets the one timer.
    func settle() {
        if isSettling { return }
        isSettling = true
        var outputs = agent.takeOutputs()
        while !outputs.isEmpty {
            for output in outputs { perform(output) }
            outputs = agent.takeOutputs()
        }
        isSettling = false
        arm()
        for explanation in explanations.values { explanation.settled() }
    }

    private func arm() {
        let next = agent.nextDeadline
        timer.arm(at: next == .max ? nil : next)
    }

    /// The front may have validated logons, whose marks are to be written in time, and of which
    /// the log may have to be told.
    func noteMarks() {
        agent.noteMarks(now: loop.now)
        settle()
    }

    private func perform(_ output: AgentOutput) {
        switch output {
        case .answer(let caller, let outcome):
            if let answer = own.removeValue(forKey: caller) {
                answer(outcome)
            } else if FrontSockets.isOurs(caller) {
                front?.answered(caller, outcome)
            } else {
                control?.answer(caller, outcome)
            }
        case .translated(let caller, let outcome):
            if let answer = questions.removeValue(forKey: caller) {
                answer(outcome)
            } else {
                front?.translated(caller, outcome)
            }
        case .learned(let index, let sid):
            save("a domain's SID") { state throws(StoreError) in
                try state.put(LearnedDomain(sid: sid), agent.domains[index].name)
            }
        case .blocked(let logon): log.warning(logon.blocked)
        case .locator(let index, let wanted): sockets[index].perform(wanted)
        case .channel(let index, let wanted): perform(index, wanted)
        case .copied(let local, let notice): note(local, notice)
        case .looked(let local):
            for resume in lookers.removeValue(forKey: local) ?? [] { resume() }
        }
    }

    private func perform(_ index: Int, _ output: Channel.Output) {
        let socket = sockets[index]
        switch output {
        case .open(let link, let endpoint):
            explanations[index]?.calls(endpoint, link: link)
            socket.open(link, to: endpoint)
        case .send(let link, let bytes):
            explanations[index]?.sent(
                bytes, link: link, stage: agent.domains[index].channel.stage)
            socket.send(link, bytes)
        case .close(let link, _):
            explanations[index]?.closed(link: link)
            socket.close(link)
        case .mapped(let address, let port):
            persistPort(address, port, domain: index)
        case .controllerSilent(let address):
            agent.locate(index, now: loop.now, microseconds: loop.microseconds) {
                $0.probe(address, now: loop.now)
            }
        case .controllerFailed(let address, _, let reason):
            log.warning("\(agent.domains[index].name): \(address.description): \(reason)")
            explanations[index]?.failed(address, reason)
        case .notice(let notice): note(index, notice)
        case .passwordSet(let outcome): rotator?.passwordSet(index, outcome)
        case .answer, .controllerAnswered, .pulled, .translated: break
        }
    }

    // MARK: A second controller

    /// Somebody at `source` told that a domain of ours has changed.
    func announced(_ change: AnnounceChange, from source: IPv4Address) {
        let domain = change.unicodeDomainName.description
        let name = change.unicodePrimaryDCName.description
        for local in agent.locals
        where local.domain.role == .primary && local.domain.sid == change.domainSid
            && local.domain.name == domain.uppercased() && loop.now >= rivalsUntil {
            rivalsUntil = loop.now + Self.rivalPause
            log.error(
                "\(domain): \(name) at \(source.description) announces itself as the primary "
                    + "too; one of the two must be demoted, see `postern domain --help`")
        }
        agent.announced(
            change, random: UInt64(SystemRandom.number()), now: loop.now,
            microseconds: loop.microseconds)
        settle()
    }

    private func note(_ local: Int, _ notice: PullNotice) {
        let text = "\(agent.locals[local].domain.name): \(notice.description)"
        switch notice {
        case .begins, .current: log.info(text)
        case .trouble, .foreign: log.error(text)
        }
        names.serveLocalDomain(local)
    }

    /// Calls `done` once it is known whether the domain's primary answers, where it may.
    func look(_ local: Int, done: @escaping () -> Void) {
        lookers[local, default: []].append(done)
        if !agent.look(local, now: loop.now, microseconds: loop.microseconds) {
            for resume in lookers.removeValue(forKey: local) ?? [] { resume() }
        }
        settle()
    }

    /// Copies from the domain's primary, as soon as it is reached.
    func follow(_ local: Int, isWhole: Bool) {
        agent.follow(local, isWhole: isWhole, now: loop.now, microseconds: loop.microseconds)
        settle()
    }

    /// A domain's role has changed.
    func roleChanged(_ local: Int) {
        let domain = agent.locals[local].domain
        log.warning("\(domain.name): this host is its \(domain.role.name) now")
        if domain.role == .primary {
            agent.stopPulling(local, now: loop.now, microseconds: loop.microseconds)
        }
        names.roleChanged(local)
        settle()
    }

    // MARK: What the log says

    private func note(_ index: Int, _ notice: ChannelNotice) {
        let domain = agent.domains[index]
        switch notice {
        case .keyed(let controller, let cipher, let sealed):
            let how = sealed ? "sealed" : "without a seal"
            let suite = cipher == .aes ? "AES" : "RC4"
            log.info("\(domain.name): channel to \(controller.label), \(suite), \(how)")
            finishRebuild(index, failure: nil)
        case .lost(let controller, let reason):
            log.info("\(domain.name): connection to \(controller.label) is gone: \(reason)")
        case .takenOver(let controller):
            log.warning(
                "\(domain.name): another host uses our account \(domain.channel.account) at "
                    + "\(controller.label); give each host an account of its own")
        case .accountRefused(let controller, let status):
            let remedy = Remedy.text(status, account: domain.channel.account, domain: domain.name)
            log.error("\(domain.name): \(controller.label) refuses us: \(status.name); \(remedy)")
            finishRebuild(index, failure: "\(status.name): \(remedy)")
        case .usedFormerSecret(let controller):
            log.warning("\(domain.name): \(controller.label) still takes the former secret only")
        case .secretSpread(let controller):
            log.info("\(domain.name): \(controller.label) knows the new secret too")
            forgetPreference(index)
        case .weakened(let controller, let what):
            log.warning("\(domain.name): channel to \(controller.label) has \(what)")
        }
    }

    func controllersChanged(_ index: Int) {
        let domain = agent.domains[index]
        let list = domain.locator.candidates(now: loop.now)
        if list.isEmpty {
            let words = "no controller is reachable; try `postern find \(domain.name)`"
            log.warning("\(domain.name): \(words)")
            finishRebuild(index, failure: words)
        } else {
            let names = list.map { $0.hostName.isEmpty ? $0.address.description : $0.hostName }
            log.info("\(domain.name): controllers \(names.joined(separator: ", "))")
        }
        names.controllersChanged(index)
    }

    // MARK: State

    func persist(_ known: LocatorMemory, domain index: Int) {
        save("controllers") { state throws(StoreError) in
            try state.put(LocatorRecord(known), agent.domains[index].name)
        }
    }

    private func persistPort(_ address: IPv4Address, _ port: UInt16, domain index: Int) {
        let name = agent.domains[index].name
        save("ports") { state throws(StoreError) in
            var record =
                try state.get(Store.KnownControllers.self, name) ?? .init([])
            record.list.removeAll { $0.address == address }
            record.list.insert(
                KnownController(
                    name: "", address: address, netlogonPort: port,
                    lastGood: SystemClock.unixSeconds), at: 0)
            if record.list.count > Store.KnownControllers.limit { record.list.removeLast() }
            try state.put(record, name)
        }
    }

    /// What is remembered only makes the next start faster: a failure is logged, no more.
    private func save(_ what: String, _ body: (StateTransaction) throws(StoreError) -> Void) {
        do {
            try store.write(body)
        } catch {
            log.error("the state (\(what)) was not written: \(error.description)")
        }
    }

    func readSecretsIfChanged() {
        if store.generation != secretsSeen { readSecrets(tellsAgain: false) }
    }

    /// A domain whose secrets cannot be read keeps those that it has. Whatever is written to the
    /// state, by whomever's will, has them read again: what the log was told before, it is told
    /// again where an administrator has them read.
    func readSecrets(tellsAgain: Bool = true) {
        secretsSeen = store.generation
        for index in agent.domains.indices {
            let (found, trouble) = AgentBuilder.secrets(of: agent.domains[index].name, in: store)
            if let trouble, tellsAgain || secretTroubles[index] != trouble { log.error(trouble) }
            secretTroubles[index] = trouble
            guard let hashes = found else { continue }
            let preference = preference(index)
            agent.channel(index, now: loop.now, microseconds: loop.microseconds) {
                $0.prefer(preference?.controller, until: preference?.until ?? 0)
                $0.useSecrets(hashes, now: loop.now)
            }
        }
        settle()
    }

    /// The controller that was asked to take the newest secret, and until when it comes first.
    private func preference(_ index: Int) -> (controller: IPv4Address, until: UInt64)? {
        let record = try? store.read { state throws(StoreError) in
            try state.get(DomainSecrets.self, agent.domains[index].name)
        }
        guard let secrets = record ?? nil, let controller = secrets.askedController else {
            return nil
        }
        let age = SystemClock.unixSeconds - min(
            SystemClock.unixSeconds, (secrets.pending ?? secrets.current).since)
        let left = ChannelLimit.preference - min(ChannelLimit.preference, age * 1_000)
        return left == 0 ? nil : (controller, loop.now + left)
    }

    /// Another controller knows the newest secret: none need be preferred any more.
    private func forgetPreference(_ index: Int) {
        let name = agent.domains[index].name
        save("secrets") { state throws(StoreError) in
            guard var secrets = try state.get(DomainSecrets.self, name), secrets.pending == nil
            else { return }
            secrets.askedController = nil
            try state.put(secrets, name)
        }
    }

    /// For people.
    func secretAge(_ index: Int) -> String {
        let record = try? store.read { state throws(StoreError) in
            try state.get(DomainSecrets.self, agent.domains[index].name)
        }
        guard let secrets = record ?? nil else { return "none; run `postern secret import`" }
        return "kept " + Columns.age(SystemClock.unixSeconds, since: secrets.current.since) + " ago"
    }

    // MARK: Making a channel anew

    /// Makes the domain's channel anew and tells whether that worked.
    func rebuild(_ index: Int, done: @escaping (_ failure: String?) -> Void) {
        guard agent.domains[index].channel.hasSecret else {
            let name = agent.domains[index].name
            return done("no secret; run `postern secret import \(name)`")
        }
        let earlier = rebuilds[index]
        rebuilds[index] = {
            earlier?($0)
            done($0)
        }
        channel(index) { $0.rebuild(now: $1) }
    }

    private func finishRebuild(_ index: Int, failure: String?) {
        rebuilds.removeValue(forKey: index)?(failure)
    }

    /// Nil where the domain is being explained to somebody already.
    func explain(
        _ index: Int, user: LogonCall?, keepsFrames: Bool,
        done: @escaping (ChannelTrace, _ words: String, ExitCode) -> Void
    ) -> Explanation? {
        if explanations[index] != nil { return nil }
        let explanation = Explanation(
            index, self, user: user, keepsFrames: keepsFrames, done: done)
        explanations[index] = explanation
        return explanation
    }

    func ended(_ explanation: Explanation, _ index: Int) {
        if explanations[index] === explanation { explanations[index] = nil }
    }
}
