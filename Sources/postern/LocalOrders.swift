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
    private let configuration: Configuration
    private let client: AgentClient?
    private let domains: [LocalDomain]

    /// Milliseconds for one order: a large import is many.
    private static let patience: UInt64 = 30_000

    init(_ configuration: Configuration) throws(SetupFailure) {
        self.configuration = configuration
        guard configuration.localDomains.contains(where: { $0.accounts }) else {
            throw SetupFailure(text: "there is no [local domain NAME] with accounts")
        }
        if try Self.isServed(configuration.agent.controlSocket) {
            do throws(AgentClient.Failure) {
                client = try AgentClient(configuration.agent.controlSocket)
            } catch {
                throw SetupFailure(text: error.text)
            }
            domains = []
            return
        }
        client = nil
        let store = try Setup.store(configuration, owner: try Setup.account(configuration))
        domains = LocalDomains.open(configuration, store, Log(.warning))
    }

    /// Whether an agent listens there. One that may not be asked is no reason to work behind its
    /// back.
    private static func isServed(_ path: String) throws(SetupFailure) -> Bool {
        do throws(SystemError) {
            _ = try LocalClient(path: path, deadline: SystemClock.milliseconds)
            return true
        } catch {
            if error.isAbsence { return false }
            throw SetupFailure(text: error.description)
        }
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
        guard let client else {
            let result = Self.run(
                request, domains, now: DomainTime.at(unix: SystemClock.unixSeconds))
            return (result.text, ExitCode(result.outcome))
        }
        do throws(AgentClient.Failure) {
            var frame = ControlFrame.bytes { request.write(into: &$0) }
            defer { Wipe.bytes(&frame) }
            let deadline = SystemClock.milliseconds + Self.patience
            try client.send(frame, deadline: deadline)
            return try client.collect(deadline: deadline)
        } catch {
            throw SetupFailure(text: error.text)
        }
    }
}

extension AgentClient {
    /// All that a command says, and its end.
    fileprivate func collect(
        deadline: UInt64
    ) throws(Failure) -> (text: String, code: ExitCode) {
        var bytes: [UInt8] = []
        while true {
            let frame = try receive(deadline: deadline)
            do throws(WireError) {
                let (kind, _) = try ControlFrame.header(frame)
                var reader = WireReader(frame.span, layer: "control frame")
                if kind == .commandEnd {
                    let code = ExitCode(
                        rawValue: Int32(try CommandEnd(parsing: &reader).exitCode))
                    return (String(decoding: bytes, as: UTF8.self), code ?? .failed)
                }
                bytes += try CommandOutput(parsing: &reader).text
            } catch {
                throw Failure(text: error.description, code: .failed)
            }
        }
    }
}

/// What `postern account` and `postern group` share.
enum LocalCommand {
    /// Says the text where it belongs and passes the code on.
    static func finish(_ result: (text: String, code: ExitCode), usage: String) -> ExitCode {
        switch result.code {
        case .success: Terminal.write(result.text)
        case .usage: Terminal.writeError("postern: \(result.text)\n\(usage)")
        case .failed, .unavailable: Terminal.writeError("postern: \(result.text)")
        }
        return result.code
    }

    /// One line of a file (`-`: of standard input), or what a person types.
    static func password(
        _ options: Options, _ name: String
    ) throws(SetupFailure) -> Secret {
        let line: [UInt8]?
        do throws(SystemError) {
            if let path = options.values["file"], path != "-" {
                let bytes = try SystemFile.read(path, limit: Terminal.lineLimit)
                line = Array(bytes.prefix { $0 != 10 && $0 != 13 })
            } else {
                line = try Terminal.readSecret(prompt: "Password of \(name): ")
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
        guard let line else {
            throw SetupFailure(text: "no password was given; nothing was changed")
        }
        return Secret(line)
    }
}
