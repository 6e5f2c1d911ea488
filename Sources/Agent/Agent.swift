import Crypto
import Domain
import Interfaces
import Locator
import NetBIOS
import SecureChannel
import Wire

/// One logon as a consumer asks for it.
package struct LogonCall {
    package enum Proof {
        /// The password itself, in UTF-8.
        case password(Secret)
        /// A challenge, and the client's responses to it.
        case responses(challenge: Bytes8, nt: [UInt8], lm: [UInt8])
        /// The password's hashes, as a member's interactive logon carries them.
        case hashes(nt: Secret, lm: Secret?)
    }

    /// The NetBIOS or DNS name of a domain; empty: the first configured one.
    package var domain: String
    package var user: String
    package var workstation: String
    package var parameterControl: UInt32
    package var proof: Proof
    package var origin: LogonOrigin
    /// Milliseconds that the caller waits; zero: as configured.
    package var patience: UInt64
    /// Whether the answer must carry all that is said of the user.
    package var wantsWhole: Bool
    /// Whether the answer must carry the keys that the logon gives.
    package var wantsKeys: Bool
    /// SIDs and names of groups, between commas, one of which the user must be a member of; empty:
    /// anybody.
    package var requiredGroups: String

    package init(
        domain: String, user: String, workstation: String, parameterControl: UInt32,
        proof: Proof, origin: LogonOrigin = .host, patience: UInt64 = 0,
        wantsWhole: Bool = false, wantsKeys: Bool = true, requiredGroups: String = ""
    ) {
        self.domain = domain
        self.user = user
        self.workstation = workstation
        self.parameterControl = parameterControl
        self.proof = proof
        self.origin = origin
        self.patience = patience
        self.wantsWhole = wantsWhole
        self.wantsKeys = wantsKeys
        self.requiredGroups = requiredGroups
    }
}

package enum AgentOutput {
    case channel(domain: Int, Channel.Output)
    case locator(domain: Int, LocatorOutput)
    case answer(caller: UInt64, LogonOutcome)
    /// What became of the copy of an embedded domain that this host is a backup of.
    case copied(local: Int, PullNotice)
    /// Its primary has answered, or not.
    case looked(local: Int)
    case translated(caller: UInt64, TranslationOutcome)
    /// A domain's SID is known now, or another one than before: to be kept.
    case learned(domain: Int, SID)
    /// For the log.
    case blocked(CountedLogon)
}

/// The logon router: takes a logon to its domain's channel under that domain's policy, and keeps
/// each domain's locator and channel in step.
package final class Agent {
    package let name: String
    package let domains: [AgentDomain]
    /// The embedded domains, whose accounts are this host's own.
    package let locals: [AgentLocalDomain]
    /// Those of which this host is a backup.
    package let backups: [AgentBackup]
    let random: (Int) -> [UInt8]
    /// Seconds since 1970, by a clock that somebody may set meanwhile: it is read each time.
    let unixSeconds: () -> UInt64
    package var listeners = ListenerPolicies()
    package internal(set) var clients = ClientLedger()
    private var outputs: [AgentOutput] = []
    private var nextLogon: UInt32 = 0
    private var callers: [UInt32: Caller] = [:]
    private var nextTranslation: UInt32 = 0
    private var askers: [UInt32: Asker] = [:]
    /// Logons that wait for the SIDs of the groups that they are for.
    var gate = GroupGate()
    /// Whether somebody is served who has to be told the configured domains' SIDs.
    package var asksForSIDs = false

    /// Who wants a name or a SID translated.
    enum Asker {
        case caller(UInt64)
        /// The agent itself, for the domain's SID.
        case agent
        case gate(GroupGate.Ticket)

        /// Who asks for its own sake can wait, and may be anybody.
        var isUrgent: Bool {
            if case .caller = self { false } else { true }
        }
    }

    private struct Caller {
        var token: UInt64
        var domain: Int
        var logon: CountedLogon
        /// Microseconds on the caller's clock when the logon came.
        var since: UInt64
        /// The answer where this domain's controller gives none.
        var fallback: LogonOutcome?
        /// The password's, if it is one whose refusal would be kept.
        var mark: RefusalMemory.Mark?
        /// Of one of which the user must be a member; empty: anybody.
        var groups: [SID] = []
    }

    package init(
        name: String, domains: [AgentDomain], locals: [AgentLocalDomain] = [],
        backups: [AgentBackup] = [], unixSeconds: @escaping () -> UInt64,
        random: @escaping (Int) -> [UInt8]
    ) {
        self.name = name
        self.domains = domains
        self.locals = locals
        self.backups = backups
        self.unixSeconds = unixSeconds
        self.random = random
    }

    package func start(now: UInt64) {
        noteMarks(now: now)
        for index in domains.indices {
            domains[index].locator.start(now: now)
            domains[index].offerControllers(now: now)
            settle(index, now: now)
        }
    }

    package func takeOutputs() -> [AgentOutput] {
        var taken: [AgentOutput] = []
        swap(&taken, &outputs)
        return taken
    }

    package var nextDeadline: UInt64 {
        var next = UInt64.max
        for domain in domains { next = min(next, domain.nextDeadline) }
        for local in locals { next = min(next, local.nextDeadline) }
        for backup in backups { next = min(next, pullDeadline(backup)) }
        return next
    }

    package func tick(now: UInt64, microseconds: UInt64) {
        for local in locals { local.tick(now: now) }
        for index in domains.indices where domains[index].nextDeadline <= now {
            domains[index].tick(now: now)
            settle(index, now: now, microseconds: microseconds)
        }
        for backup in backups where pullDeadline(backup) <= now {
            settle(backup.channel, now: now, microseconds: microseconds)
        }
    }

    /// Ends the channels in order; what waits is answered.
    package func stop(microseconds: UInt64) {
        for local in locals { local.domain.saveStatistics() }
        closeGate()
        for index in domains.indices {
            domains[index].channel.stop()
            drain(index, microseconds: microseconds, now: 0)
        }
    }

    // MARK: Inputs that belong to a domain

    /// Gives `body` the domain's locator, then carries on with what came of it.
    package func locate(
        _ index: Int, now: UInt64, microseconds: UInt64, _ body: (Locator) -> Void
    ) {
        body(domains[index].locator)
        settle(index, now: now, microseconds: microseconds)
    }

    /// Gives `body` the domain's channel, then carries on with what came of it.
    package func channel(
        _ index: Int, now: UInt64, microseconds: UInt64, _ body: (Channel) -> Void
    ) {
        body(domains[index].channel)
        settle(index, now: now, microseconds: microseconds)
    }

    package func received(
        _ index: Int, link: Int, _ bytes: Span<UInt8>, now: UInt64, microseconds: UInt64
    ) {
        domains[index].channel.linkReceived(link, bytes, now: now)
        settle(index, now: now, microseconds: microseconds)
    }

    package func locatorReceived(
        _ index: Int, _ bytes: Span<UInt8>, from source: Endpoint, now: UInt64,
        microseconds: UInt64
    ) {
        _ = domains[index].locator.datagram(bytes, from: source, now: now)
        settle(index, now: now, microseconds: microseconds)
    }

    // MARK: Logons

    /// The first domain to which logons are passed, where there is one.
    var firstRoute: Int? { domains.firstIndex { !$0.isOfBackup } }

    package func domainIndex(named name: String) -> Int? {
        if name.isEmpty { return firstRoute }
        for index in domains.indices {
            if Self.same(domains[index].name, name) { return index }
            if !domains[index].dnsName.isEmpty, Self.same(domains[index].dnsName, name) {
                return index
            }
        }
        return nil
    }

    static func same(_ left: String, _ right: String) -> Bool {
        left == right
            || left.utf8.count == right.utf8.count && left.uppercased() == right.uppercased()
    }

    /// Validates a logon. The answer comes as an output with `caller`, by the deadline.
    ///
    /// A domain that is not configured goes to the first configured one: its controller knows
    /// whom it trusts. A logon for the embedded domain is answered at once.
    package func logon(
        _ call: LogonCall, caller: UInt64, now: UInt64, microseconds: UInt64
    ) {
        if call.requiredGroups.isEmpty {
            return logon(call, of: [], caller: caller, now: now, microseconds: microseconds)
        }
        enterGate(call, caller: caller, now: now, microseconds: microseconds)
    }

    /// Validates a logon that is for members of `groups` alone.
    func logon(
        _ call: LogonCall, of groups: [SID], caller: UInt64, now: UInt64, microseconds: UInt64
    ) {
        let counted = CountedLogon(call)
        var call = call
        // Groups of other domains are told in the whole answer alone.
        if !groups.isEmpty { call.wantsWhole = true }
        if let index = localIndex(domain: call.domain, user: call.user) {
            let outcome = logon(call, local: index, proof: counted.proof, now: now)
            guard let primary = primary(of: index, after: outcome) else {
                return answer(caller, outcome.admitting(groups), counted, now: now)
            }
            let asker = Caller(
                token: caller, domain: primary, logon: counted, since: microseconds,
                fallback: outcome, groups: groups)
            return pass(call, for: asker, now: now, microseconds: microseconds)
        }
        guard let index = domainIndex(named: call.domain) ?? firstRoute else {
            return answer(
                caller, .refused(.noSuchDomain, authoritative: false), counted, now: now)
        }
        let domain = domains[index]
        domain.ledger.asked(counted.proof)
        if policy(of: domain, for: call).blocks(counted.proof) {
            domain.ledger.answered(.blocked)
            return answer(
                caller, .refused(.ntlmBlocked, authoritative: true), counted, now: now)
        }
        var mark: RefusalMemory.Mark?
        if case .password(let secret) = call.proof {
            let asked = call.domain.isEmpty ? domain.name : call.domain
            mark = domain.refusals.mark(domain: asked, user: call.user, password: secret)
        }
        if let mark, let status = domain.refusals.refusal(of: mark, now: now) {
            domain.ledger.repeatedly()
            return answer(caller, .refused(status, authoritative: true), counted, now: now)
        }
        let asker = Caller(
            token: caller, domain: index, logon: counted, since: microseconds, mark: mark,
            groups: groups)
        pass(call, for: asker, now: now, microseconds: microseconds)
    }

    private func policy(of domain: AgentDomain, for call: LogonCall) -> ProofPolicy {
        domain.policy.proofs.narrowed(by: listeners[call.origin])
    }

    /// Answers a logon that no controller was asked about.
    private func answer(
        _ caller: UInt64, _ outcome: LogonOutcome, _ logon: CountedLogon, now: UInt64
    ) {
        count(logon, LogonResult(outcome), now: now)
        outputs.append(.answer(caller: caller, outcome))
    }

    /// Counts a logon by its client, and has the log tell of one whose protocol is not taken.
    func count(_ logon: CountedLogon, _ result: LogonResult, now: UInt64) {
        clients.note(logon, result, now: now)
        guard result == .blocked, clients.tells(of: logon.origin, now: now) else { return }
        outputs.append(.blocked(logon))
    }

    /// A logon whose protocol somebody else did not take: it is only counted.
    package func blocked(_ call: LogonCall, now: UInt64) {
        count(CountedLogon(call), .blocked, now: now)
    }

    private func pass(
        _ call: LogonCall, for caller: Caller, now: UInt64, microseconds: UInt64
    ) {
        let domain = domains[caller.domain]
        nextLogon &+= 1
        if nextLogon == 0 { nextLogon = 1 }
        callers[nextLogon] = caller
        domain.channel.logon(
            nextLogon, request(call, domain),
            deadline: now + Self.patience(of: call, domain.policy), now: now)
        settle(caller.domain, now: now, microseconds: microseconds)
    }

    static func patience(of call: LogonCall, _ policy: DomainPolicy) -> UInt64 {
        call.patience == 0 ? policy.deadline : min(call.patience, policy.deadline)
    }

    private func request(_ call: LogonCall, _ domain: AgentDomain) -> LogonRequest {
        let asked = call.domain.isEmpty ? domain.name : call.domain
        let proof: LogonRequest.Proof
        switch call.proof {
        case .responses(let challenge, let nt, let lm):
            // A policy that takes no LM sends none, even beside an NT response. What is no LM
            // response stays: LMv2, and a client's challenge in its place.
            let isNoLM = nt.count > 24
                || ParameterControl(rawValue: call.parameterControl).contains(.useClientChallenge)
            let keptLM = policy(of: domain, for: call).allowsLM || isNoLM ? lm : []
            proof = .network(challenge: challenge, nt: nt, lm: keptLM)
        case .hashes(let nt, let lm):
            proof = .interactive(nt: nt, lm: policy(of: domain, for: call).allowsLM ? lm : nil)
        case .password(let secret):
            proof = self.proof(
                of: secret, user: call.user, domain: asked, profile: domain.channel.profile)
        }
        return LogonRequest(
            domain: asked, user: call.user, workstation: workstation(of: call),
            parameterControl: call.parameterControl, proof: proof,
            wantsWhole: call.wantsWhole, wantsKeys: call.wantsKeys)
    }

    // MARK: Translations

    /// Asks the controller of the domain for names or SIDs. The answer comes as an output with
    /// `caller`, by the domain's deadline.
    package func translate(
        _ question: TranslationQuestion, domain name: String, caller: UInt64, now: UInt64,
        microseconds: UInt64
    ) {
        guard let index = domainIndex(named: name) else {
            outputs.append(.translated(caller: caller, .unavailable(.noController)))
            return
        }
        translate(question, index, .caller(caller), now: now)
        settle(index, now: now, microseconds: microseconds)
    }

    /// What comes of it is told once the domain is settled.
    func translate(
        _ question: TranslationQuestion, _ index: Int, _ asker: Asker, patience: UInt64 = .max,
        now: UInt64
    ) {
        nextTranslation &+= 1
        askers[nextTranslation] = asker
        let domain = domains[index]
        domain.channel.translate(
            nextTranslation, question, isUrgent: asker.isUrgent,
            deadline: now + min(patience, domain.policy.deadline), now: now)
    }

    private func translated(_ id: UInt32, _ outcome: TranslationOutcome, _ index: Int) {
        switch (askers.removeValue(forKey: id), outcome) {
        case (.caller(let caller), _): outputs.append(.translated(caller: caller, outcome))
        case (.gate(let ticket), _): gate.answered(ticket, outcome)
        case (.agent, .translated(let found)):
            guard let first = found.first, let own = first, own.use == .domain else { return }
            learn(own.sid, of: index)
        case (.agent, .unavailable), (nil, _): break
        }
    }

    private func learn(_ sid: SID, of index: Int) {
        if domains[index].sid == sid { return }
        domains[index].sid = sid
        outputs.append(.learned(domain: index, sid))
    }

    // MARK: Keeping in step

    func tell(_ output: AgentOutput) { outputs.append(output) }

    func settle(_ index: Int, now: UInt64, microseconds: UInt64 = 0) {
        settleCores(index, now: now, microseconds: microseconds)
        passGate(now: now, microseconds: microseconds)
    }

    private func settleCores(_ index: Int, now: UInt64, microseconds: UInt64) {
        // A locator's output may change the channel, whose failure may change the locator; each
        // round is caused by an output, and outputs run out.
        for _ in 0..<Self.rounds {
            var told = false
            while let output = domains[index].locator.nextOutput() {
                outputs.append(.locator(domain: index, output))
                told = true
            }
            if told { domains[index].offerControllers(now: now) }
            let before = outputs.count
            drain(index, microseconds: microseconds, now: now)
            pump(index, now: now)
            drain(index, microseconds: microseconds, now: now)
            if outputs.count == before, !told { return }
        }
    }

    private static let rounds = 8

    private func drain(_ index: Int, microseconds: UInt64, now: UInt64) {
        let domain = domains[index]
        for output in domain.channel.takeOutputs() {
            tellPull(index, output, now: now)
            switch output {
            case .answer(let logon, let said):
                let outcome = believed(said, from: domain)
                guard let caller = callers.removeValue(forKey: logon) else { continue }
                domain.ledger.answered(
                    LogonResult(outcome), microseconds: microseconds - caller.since)
                if let mark = caller.mark { domain.refusals.note(mark, outcome, now: now) }
                // A controller speaks for its own domain; of others it may be wrong.
                if case .accepted(let user) = outcome, let sid = user.domainSID,
                    Self.same(user.domain, domain.name)
                {
                    learn(sid, of: index)
                }
                var answer = outcome
                if case .unavailable = outcome { answer = caller.fallback ?? outcome }
                answer = answer.admitting(caller.groups)
                count(caller.logon, LogonResult(answer), now: now)
                outputs.append(.answer(caller: caller.token, answer))
            case .controllerFailed(let address, let failure, _):
                let reason: ControllerFailure
                switch failure {
                case .unreachable: reason = .connectionLost
                case .silent: reason = .timedOut
                case .unwilling: reason = .rejected
                }
                domain.locator.failed(address, reason, now: now)
                outputs.append(.channel(domain: index, output))
            case .controllerAnswered(let address):
                domain.locator.succeeded(address, now: now)
            case .mapped(let address, let port):
                domain.ports[address] = port
                outputs.append(.channel(domain: index, output))
            case .pulled: break
            case .translated(let id, let outcome): translated(id, outcome, index)
            case .notice(.keyed):
                outputs.append(.channel(domain: index, output))
                if asksForSIDs, domain.sid == nil, !domain.isOfBackup {
                    translate(.names([domain.name]), index, .agent, now: now)
                }
            case .controllerSilent, .open, .send, .close, .notice, .passwordSet:
                outputs.append(.channel(domain: index, output))
            }
        }
    }
}
