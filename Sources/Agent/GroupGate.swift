import SecureChannel
import Wire

/// Logons that are for members of certain groups alone, until each group's SID is known.
///
///     logon ─▶ next name ─ known, or of a domain here ─▶ … ─▶ last name ─▶ validated by SIDs
///                 │                                                ▲
///                 └── asked of its domain's controller ─ answered ─┘
///
/// A caller names the same group with every logon: what a controller said is kept for a minute, and
/// logons that come while it is asked wait for the same answer.
struct GroupGate {
    /// Names and SIDs of one logon.
    static let mostGroups = 16
    static let mostNames = 64
    /// Milliseconds that an answer holds.
    static let span: UInt64 = 60_000

    struct Ticket: Hashable {
        fileprivate var number: UInt32
    }

    fileprivate struct Waiting {
        var call: LogonCall
        var caller: UInt64
        var since: UInt64
        var groups: [SID] = []
        /// What is still to be found, the next one last.
        var names: [String] = []
    }

    /// A name that a controller is asked for, and who waits for it.
    fileprivate struct Question {
        var name: String
        var domain: Int
        var deadline: UInt64
        var logons: [Waiting]
    }

    private struct Known {
        var name: String
        var sid: SID?
        var until: UInt64
    }

    private var questions: [Ticket: Question] = [:]
    private var answered: [(Ticket, TranslationOutcome)] = []
    /// The oldest first.
    private var known: [Known] = []
    private var lastTicket: UInt32 = 0

    /// Adds the logon to those that wait for the name already, where their answer comes in time.
    fileprivate mutating func join(_ logon: Waiting, _ name: String, by deadline: UInt64) -> Bool {
        for (ticket, question) in questions
        where question.name == name && question.deadline <= deadline {
            questions[ticket]?.logons.append(logon)
            return true
        }
        return false
    }

    fileprivate mutating func ask(_ question: Question) -> Ticket {
        lastTicket &+= 1
        let ticket = Ticket(number: lastTicket)
        questions[ticket] = question
        return ticket
    }

    /// What became of the question under that ticket.
    mutating func answered(_ ticket: Ticket, _ outcome: TranslationOutcome) {
        answered.append((ticket, outcome))
    }

    fileprivate mutating func takeAnswered() -> (Question, TranslationOutcome)? {
        while !answered.isEmpty {
            let (ticket, outcome) = answered.removeFirst()
            if let question = questions.removeValue(forKey: ticket) { return (question, outcome) }
        }
        return nil
    }

    fileprivate mutating func takeWaiting() -> [Waiting] {
        defer { questions.removeAll() }
        return questions.values.flatMap { $0.logons }
    }

    /// Some SID or none, as was said of the name; an empty list where nothing is known.
    fileprivate mutating func recall(_ name: String, now: UInt64) -> [SID?] {
        known.removeAll { $0.until <= now }
        return known.filter { $0.name == name }.map { $0.sid }
    }

    fileprivate mutating func note(_ name: String, _ sid: SID?, now: UInt64) {
        if known.count == Self.mostNames { known.removeFirst() }
        known.append(Known(name: name, sid: sid, until: now + Self.span))
    }
}

extension Agent {
    /// Takes a logon that names groups. Without one that is known nobody is let in.
    func enterGate(_ call: LogonCall, caller: UInt64, now: UInt64, microseconds: UInt64) {
        var logon = GroupGate.Waiting(call: call, caller: caller, since: now)
        for part in call.requiredGroups.split(separator: ",").map({ String($0) }) {
            if let sid = SID(part) { logon.groups.append(sid) } else { logon.names.append(part) }
        }
        if logon.groups.count + logon.names.count > GroupGate.mostGroups {
            logon.groups = []
            logon.names = []
        }
        proceed(logon, now: now, microseconds: microseconds)
    }

    private func proceed(_ logon: GroupGate.Waiting, now: UInt64, microseconds: UInt64) {
        var logon = logon
        while let name = logon.names.last {
            if let sid = gate.recall(name, now: now).first {
                if let sid { logon.groups.append(sid) }
                logon.names.removeLast()
                continue
            }
            switch home(of: name, in: "") {
            case .here(let found):
                if let found { logon.groups.append(found.sid) }
                logon.names.removeLast()
            case .there(let index, let question):
                let deadline = now + patience(of: logon, now: now)
                if gate.join(logon, name, by: deadline) { return }
                let ticket = gate.ask(
                    GroupGate.Question(
                        name: name, domain: index, deadline: deadline, logons: [logon]))
                translate(
                    .names([question]), index, .gate(ticket), patience: deadline - now, now: now)
                return settle(index, now: now, microseconds: microseconds)
            }
        }
        guard !logon.groups.isEmpty else {
            return tell(
                .answer(caller: logon.caller, .refused(.noSuchGroup, authoritative: true)))
        }
        logon.call.patience = patience(of: logon, now: now)
        self.logon(
            logon.call, of: logon.groups, caller: logon.caller, now: now,
            microseconds: microseconds)
    }

    /// What is left of the time that the whole logon may take.
    private func patience(of logon: GroupGate.Waiting, now: UInt64) -> UInt64 {
        guard let index = domainIndex(named: logon.call.domain) ?? firstRoute else { return 1 }
        let whole = Self.patience(of: logon.call, domains[index].policy)
        let passed = now - min(now, logon.since)
        return max(1, whole - min(whole, passed))
    }

    /// Goes on with the logons whose questions were answered.
    func passGate(now: UInt64, microseconds: UInt64) {
        while let (question, outcome) = gate.takeAnswered() {
            switch outcome {
            case .unavailable(let reason):
                for logon in question.logons {
                    tell(.answer(caller: logon.caller, .unavailable(reason)))
                }
            case .translated(let answers):
                var sid: SID?
                if let first = answers.first, let group = first,
                    isBelieved(group, of: question.domain)
                {
                    sid = group.sid
                }
                gate.note(question.name, sid, now: now)
                for logon in question.logons {
                    proceed(logon, now: now, microseconds: microseconds)
                }
            }
        }
    }

    /// Nobody is let in any more.
    func closeGate() {
        for logon in gate.takeWaiting() {
            tell(.answer(caller: logon.caller, .unavailable(.noController)))
        }
    }
}

extension LogonOutcome {
    /// The outcome for members of `groups` alone; where there are none, for anybody.
    func admitting(_ groups: [SID]) -> LogonOutcome {
        guard case .accepted(let identity) = self, !identity.isMember(of: groups) else {
            return self
        }
        return .refused(.logonFailure, authoritative: true)
    }
}
