import Domain
import Interfaces
import SecureChannel
import Wire

/// Accounts of the configured domains: lookups that wait for these domains' controllers, and what
/// was answered, for a minute.
final class ForeignAccounts {
    typealias Found = AccountTranslator.Found

    enum Limit {
        static let lookups = 1_024
        /// Names or SIDs of one lookup that are asked for elsewhere; those beyond stay unknown.
        static let asked = 1_000
        static let kept = 1_024
        /// Milliseconds.
        static let age: UInt64 = 60_000
    }

    /// What one lookup wants to know of one domain.
    struct Wanted {
        var domain: ConfiguredDomain
        var question: TranslationQuestion
        /// Where the answers belong among the lookup's.
        var places: [Int] = []
    }

    /// A lookup that waits.
    private final class Lookup {
        let ticket: UInt64
        let finish: ([Found?], Bool) -> ServiceReply
        var found: [Found?]
        var open: Int
        /// A controller did not answer.
        var isPartial = false

        init(
            _ ticket: UInt64, _ found: [Found?], open: Int,
            _ finish: @escaping ([Found?], Bool) -> ServiceReply
        ) {
            self.ticket = ticket
            self.found = found
            self.open = open
            self.finish = finish
        }
    }

    private struct Kept {
        var found: Found
        var until: UInt64
    }

    private var kept: [String: Kept] = [:]
    private var lookups = 0
    private var waiting: [UInt64: (lookup: Lookup, wanted: Wanted)] = [:]
    private var next: UInt64 = 0
    private var questions: [(token: UInt64, domain: String, TranslationQuestion)] = []

    // MARK: What is kept

    static func key(_ domain: String, _ account: String) -> String {
        LocalDomain.fold(domain) + "\\" + LocalDomain.fold(account)
    }

    func known(_ key: String, now: UInt64) -> Found? {
        guard let entry = kept[key], entry.until > now else { return nil }
        return entry.found
    }

    private func keep(_ found: Found, now: UInt64) {
        if kept.count >= Limit.kept { kept.removeAll() }
        let entry = Kept(found: found, until: now + Limit.age)
        kept[Self.key(found.domain.name ?? "", found.name)] = entry
        kept[found.sid.description] = entry
    }

    // MARK: Lookups

    /// Asks for what is wanted. `finish` is told what was found, and whether somebody was not to
    /// be reached; nil: there are too many.
    func wait(
        _ found: [Found?], _ wanted: [Wanted],
        _ finish: @escaping ([Found?], Bool) -> ServiceReply
    ) -> ServiceReply? {
        guard lookups < Limit.lookups else { return nil }
        lookups += 1
        next += 1
        let lookup = Lookup(next, found, open: wanted.count, finish)
        for each in wanted {
            next += 1
            waiting[next] = (lookup, each)
            questions.append((next, each.domain.name, each.question))
        }
        return .later(ticket: lookup.ticket)
    }

    func takeQuestions() -> [(token: UInt64, domain: String, TranslationQuestion)] {
        var taken: [(token: UInt64, domain: String, TranslationQuestion)] = []
        swap(&taken, &questions)
        return taken
    }

    /// The reply of the lookup whose last question this was.
    func answered(
        _ token: UInt64, _ outcome: TranslationOutcome, now: UInt64
    ) -> (ticket: UInt64, ServiceReply)? {
        guard let (lookup, wanted) = waiting.removeValue(forKey: token) else { return nil }
        switch outcome {
        case .translated(let answers):
            for (place, answer) in zip(wanted.places, answers) {
                guard let found = answer.flatMap({ Self.believed($0, of: wanted.domain) }) else {
                    continue
                }
                lookup.found[place] = found
                keep(found, now: now)
            }
        case .unavailable: lookup.isPartial = true
        }
        lookup.open -= 1
        guard lookup.open == 0 else { return nil }
        lookups -= 1
        return (lookup.ticket, lookup.finish(lookup.found, lookup.isPartial))
    }

    /// A controller's word counts for its own domain's accounts alone.
    private static func believed(_ answer: Translation, of domain: ConfiguredDomain) -> Found? {
        guard answer.use != .domain, let home = answer.sid.domain else { return nil }
        if let known = domain.sid, known != home { return nil }
        return Found(
            use: answer.use, sid: answer.sid, name: answer.name,
            domain: LSADomain(name: domain.name, sid: home))
    }
}

extension Array where Element == ForeignAccounts.Wanted {
    mutating func add(_ name: String, of domain: ConfiguredDomain, at place: Int) {
        let whole = domain.name + "\\" + name
        guard let index = firstIndex(where: { $0.domain.name == domain.name }) else {
            return append(
                Element(domain: domain, question: .names([whole]), places: [place]))
        }
        guard case .names(var names) = self[index].question,
            names.count < ForeignAccounts.Limit.asked
        else { return }
        names.append(whole)
        self[index].question = .names(names)
        self[index].places.append(place)
    }

    mutating func add(_ sid: SID, of domain: ConfiguredDomain, at place: Int) {
        guard let index = firstIndex(where: { $0.domain.name == domain.name }) else {
            return append(Element(domain: domain, question: .sids([sid]), places: [place]))
        }
        guard case .sids(var sids) = self[index].question,
            sids.count < ForeignAccounts.Limit.asked
        else { return }
        sids.append(sid)
        self[index].question = .sids(sids)
        self[index].places.append(place)
    }
}
