import Consumers
import Domain
import Wire

/// What is known of a backup's primary when somebody wants to take its place.
package enum PrimaryState: Equatable {
    /// It answers, under this name.
    case answers(String)
    /// It is no primary any more, by its own word.
    case stepsBack
    /// It cannot be reached.
    case away
    /// It may be at work; why nobody can tell.
    case unknown(String)
}

/// What administrators order about the embedded domain itself: `postern domain …`.
///
///     show
///     promote [force]    this host becomes the primary
///     demote             and no longer is it
///
/// Before each stands the domain's name, which may be empty where there is one only.
package enum DomainOrders {
    /// `changed` is told of a domain whose role has changed, by its index.
    package static func run(
        _ request: CommandRequest, _ domains: [LocalDomain],
        primary: (Int) -> PrimaryState, state: (Int) -> PullState?,
        changed: (Int) -> Void
    ) -> OrderResult {
        guard request.arguments.count >= 2 else { return OrderResult(.misused, "no order\n") }
        let domain: LocalDomain
        switch AccountOrders.find(request.arguments[1], domains) {
        case .found(let found): domain = found
        case .none(let text): return .refused(text)
        }
        let index = domains.firstIndex { $0 === domain } ?? 0
        let rest = request.arguments.dropFirst(2)
        do throws(DomainError) {
            switch request.arguments[0] {
            case "show":
                return OrderResult(
                    .done, DomainReport(domain, state(index)).text(json: request.wantsJSON))
            case "promote":
                return try promote(
                    domain, primary(index), force: rest.first == "force") { changed(index) }
            case "demote": return try demote(domain) { changed(index) }
            case let verb: return OrderResult(.misused, "there is no order \(verb)\n")
            }
        } catch {
            return .refused("\(domain.name): \(error.description)")
        }
    }

    private static func promote(
        _ domain: LocalDomain, _ primary: PrimaryState, force: Bool, changed: () -> Void
    ) throws(DomainError) -> OrderResult {
        if domain.role == .primary {
            return .refused("\(domain.name): this host is the primary already")
        }
        if !domain.hasCopy {
            return .refused("\(domain.name): nothing has been copied yet that could be served")
        }
        let former = domain.header.replicaSource
        switch primary {
        case .answers(let name) where !force:
            return .refused(
                "\(domain.name): its primary \(name) answers; run `postern domain demote` there "
                    + "first, or promote with --force where two primaries do no harm")
        case .unknown(let reason) where !force:
            return .refused(
                "\(domain.name): \(reason), so its primary may be at work; try again, or promote "
                    + "with --force where two primaries do no harm")
        case .answers, .unknown, .stepsBack, .away: break
        }
        try domain.setRole(.primary)
        changed()
        let rest = former.isEmpty
            ? "" : "; \(former) must be demoted before it is on the network again"
        return .done(
            "\(domain.name): this host is the primary"
                + (primary == .stepsBack ? "" : rest))
    }

    private static func demote(
        _ domain: LocalDomain, changed: () -> Void
    ) throws(DomainError) -> OrderResult {
        if domain.role == .backup {
            return .refused("\(domain.name): this host is a backup already")
        }
        try domain.setRole(.backup)
        changed()
        return .done(
            "\(domain.name): this host is a backup; with its account's secret imported, a "
                + "restarted agent copies from the new primary")
    }
}

/// How the copy of a domain is kept, on a backup.
package struct PullState {
    /// The channel to the primary, in words.
    package var channel: String
    /// Seconds since the copy was last the primary's; nil where it has not been since the start.
    package var age: UInt64?
    /// What went wrong since.
    package var trouble: String?

    package init(channel: String, age: UInt64?, trouble: String?) {
        self.channel = channel
        self.age = age
        self.trouble = trouble
    }
}

/// `postern domain show`.
struct DomainReport {
    private let domain: LocalDomain
    private let state: PullState?

    init(_ domain: LocalDomain, _ state: PullState?) {
        self.domain = domain
        self.state = state
    }

    func text(json: Bool) -> String {
        if json {
            var writer = JSONWriter()
            writer.object { member(&$0) }
            return writer.finish() + "\n"
        }
        var text = "\(domain.name)  \(domain.sid.description)\n"
        text += line("role", domain.role.name)
        for database in DomainDatabase.allCases {
            text += line(database.key.description, "serial \(domain.serial(of: database))")
        }
        guard domain.role == .backup else { return text }
        text += line("primary", domain.header.replicaSource)
        guard let state else { return text + line("copy", "no agent runs that keeps it") }
        text += line("channel", state.channel)
        text += line("copy", state.words)
        return text
    }

    private func line(_ name: String, _ text: String) -> String {
        var padded = "  " + name
        while padded.utf8.count < 12 { padded += " " }
        return padded + text + "\n"
    }

    private func member(_ object: inout JSONWriter) {
        object.member("name", domain.name)
        object.member("sid", domain.sid.description)
        object.member("role", domain.role.name)
        object.object("serials") { serials in
            for database in DomainDatabase.allCases {
                serials.member(database.key, Int(clamping: domain.serial(of: database)))
            }
        }
        guard domain.role == .backup else { return }
        object.member("primary", domain.header.replicaSource)
        object.member("isCopied", domain.hasCopy)
        guard let state else { return }
        object.member("channel", state.channel)
        if let age = state.age { object.member("currentSecondsAgo", Int(clamping: age)) }
        if let trouble = state.trouble { object.member("trouble", trouble) }
    }
}

extension PullState {
    /// For people.
    package var words: String {
        let since = age.map { "as the primary's \($0) s ago" } ?? "not compared yet"
        return trouble.map { since + "; " + $0 } ?? since
    }
}

extension DomainDatabase {
    var key: StaticString {
        switch self {
        case .sam: "accounts"
        case .builtin: "builtin"
        case .lsa: "policy"
        }
    }
}
