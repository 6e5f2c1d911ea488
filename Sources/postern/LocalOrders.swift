import Agent
import Configuration
import Consumers
import Crypto
import Domain
import Loop
import Store
import Wire

extension ExitCode {
    init(_ outcome: OrderResult.Outcome) {
        switch outcome {
        case .done: self = .success
        case .refused: self = .failed
        case .misused: self = .usage
        }
    }
}

/// Orders about the domain, its accounts and groups, carried out by the running agent, whose memory
/// and state then agree, or on the state itself where no agent runs.
final class LocalOrders {
    private let settings: AgentSettings
    private let client: AgentClient?
    private let domains: [LocalDomain]
    /// Whether an order was carried out on the state.
    private var hasWritten = false

    /// Milliseconds for one order: a large import is many.
    private static let patience: UInt64 = 30_000

    init(_ configuration: Configuration) throws(SetupFailure) {
        settings = configuration.agent
        guard configuration.localDomains.contains(where: { $0.accounts }) else {
            throw SetupFailure(text: "there is no [local domain NAME] with accounts")
        }
        do throws(AgentClient.Failure) {
            client = try AgentClient(configuration.agent)
            domains = []
            return
        } catch {
            // One that may not be asked is no reason to work behind its back.
            if !error.isAbsence { throw SetupFailure(text: error.text, code: error.code) }
        }
        client = nil
        let store = try Setup.store(configuration, owner: try Setup.account(configuration))
        domains = LocalDomains.open(configuration, store, Log(.warning))
    }

    static func run(
        _ request: CommandRequest, _ domains: [LocalDomain], now: UInt64
    ) -> OrderResult {
        if request.command == .domain {
            return DomainOrders.run(
                request, domains,
                primary: { _ in .unknown("no agent runs here that could ask the primary") },
                state: { _ in nil },
                changed: { _ in })
        }
        return request.command == .group
            ? GroupOrders.run(request, domains) : AccountOrders.run(request, domains, now: now)
    }

    func run(
        _ command: CommandKind, _ arguments: [String], secret: Secret? = nil, json: Bool = false
    ) throws(SetupFailure) -> (text: String, code: ExitCode) {
        let request = CommandRequest(
            requestID: 1, command: command, wantsJSON: json, arguments: arguments,
            secret: secret)
        guard request.isWithinLimits else {
            throw SetupFailure(text: "a name or text is too long")
        }
        guard let client else { return try runHere(request) }
        do throws(AgentClient.Failure) {
            let answer = try client.run(request, patience: Self.patience)
            return (answer.words, answer.code)
        } catch {
            throw SetupFailure(text: error.text, code: error.code)
        }
    }

    /// On the state itself. An agent that was started while a person typed a password has what was
    /// there before in its memory, and could write nothing any more.
    private func runHere(
        _ request: CommandRequest
    ) throws(SetupFailure) -> (text: String, code: ExitCode) {
        if LocalListener.isServed(settings.controlSocket) {
            let rest = hasWritten ? "the rest was not done" : "nothing was changed"
            throw SetupFailure(text: "the agent has been started meanwhile; \(rest), try again")
        }
        let result = Self.run(
            request, domains, now: DomainTime.at(unix: SystemClock.unixSeconds))
        hasWritten = true
        return (result.text, ExitCode(result.outcome))
    }
}

/// What `postern account` and `postern group` share.
enum LocalCommand {
    /// Says the text where it belongs and passes the code on. Names may come from other hosts.
    static func finish(
        _ result: (text: String, code: ExitCode), isJSON: Bool = false, usage: String
    ) -> ExitCode {
        switch result.code {
        case .success where isJSON: Terminal.write(result.text)
        case .success: Terminal.show(result.text)
        case .usage: Terminal.showError("postern: \(result.text)\n\(usage)")
        case .failed, .unavailable: Terminal.showError("postern: \(result.text)")
        }
        return result.code
    }
}
