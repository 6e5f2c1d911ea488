import Configuration
import Consumers
import Crypto
import Loop
import Wire

/// A sub-command's connection to the running agent.
final class AgentClient {
    /// Why there is no answer, in words for the terminal.
    struct Failure: Error {
        let text: String
        let code: ExitCode
        /// Nobody listens where the agent would.
        var isAbsence = false
    }

    private let client: LocalClient
    private var cutter = FrameCutter(maximum: ControlFrame.maximumReply)

    /// Milliseconds to reach the agent, which is on this host.
    private static let patience: UInt64 = 2_000

    init(_ settings: AgentSettings) throws(Failure) {
        do throws(SystemError) {
            client = try LocalClient(
                path: settings.controlSocket, deadline: SystemClock.milliseconds + Self.patience)
        } catch {
            throw Failure(
                text: "the agent is not reachable: \(error.description)"
                    + Self.remedy(error, settings),
                code: .unavailable, isAbsence: error.isAbsence)
        }
    }

    private static func remedy(_ error: SystemError, _ settings: AgentSettings) -> String {
        if error.isAbsence { return "; start it: systemctl start postern" }
        if error.isRefusedRight {
            return "; ask as root, or as a member of the group \(settings.controlGroup) "
                + "(`control group =`)"
        }
        return ""
    }

    /// Sends one request; `deadline` in `SystemClock.milliseconds`.
    func send(_ frame: [UInt8], deadline: UInt64) throws(Failure) {
        do throws(SystemError) {
            try client.send(frame, deadline: deadline)
        } catch {
            throw Failure(text: error.description, code: .unavailable)
        }
    }

    /// The next frame that the agent sends.
    func receive(deadline: UInt64) throws(Failure) -> [UInt8] {
        while true {
            do throws(WireError) {
                if let frame = try cutter.next() { return frame.bytes }
            } catch {
                throw Failure(text: error.description, code: .failed)
            }
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try client.receive(deadline: deadline)
            } catch {
                let text = error.isTimeout
                    ? "the agent did not answer in time" : error.description
                throw Failure(text: text, code: .unavailable)
            }
            if bytes.isEmpty {
                throw Failure(text: "the agent ended the connection", code: .unavailable)
            }
            cutter.append(bytes.span)
        }
    }

    func logon(
        _ request: ControlLogonRequest, deadline: UInt64
    ) throws(Failure) -> ControlLogonReply {
        guard request.isWithinLimits else {
            throw Failure(text: "a name, password or response is too long", code: .usage)
        }
        var frame = ControlFrame.bytes { request.write(into: &$0) }
        defer { Wipe.bytes(&frame) }
        try send(frame, deadline: deadline)
        let answer = try receive(deadline: deadline)
        do throws(WireError) {
            var reader = WireReader(answer.span, layer: "control frame")
            return try ControlLogonReply(parsing: &reader)
        } catch {
            throw Failure(text: error.description, code: .failed)
        }
    }

    /// Runs a command in the agent and prints what it says, errors on standard error. What it
    /// sends as a capture file is handed to `capture`, whole.
    static func command(
        _ kind: CommandKind, _ options: Options, _ arguments: [String], secret: Secret? = nil,
        patience: UInt64, capture: ([UInt8]) -> Void = { _ in }
    ) -> ExitCode {
        guard let configuration = Setup.configuration(options.configuration) else {
            return .failed
        }
        let request = CommandRequest(
            requestID: 1, command: kind, wantsJSON: options.has("json"), arguments: arguments,
            secret: secret)
        do throws(Failure) {
            let answer = try AgentClient(configuration.agent).run(request, patience: patience)
            if !answer.capture.isEmpty { capture(answer.capture) }
            if request.wantsJSON { Terminal.write(answer.text) } else { Terminal.show(answer.text) }
            if !answer.problem.isEmpty { Terminal.showError("postern: \(answer.problem)") }
            return answer.code
        } catch {
            Terminal.writeError("postern: \(error.text)\n")
            return error.code
        }
    }

    /// What the agent says to a command.
    struct Answer {
        var text = ""
        /// Why there is not what was asked for.
        var problem = ""
        var capture: [UInt8] = []
        var code = ExitCode.failed

        var words: String { problem.isEmpty ? text : problem }
    }

    /// Runs a command in the agent and gives all that it says.
    func run(
        _ request: CommandRequest, patience: UInt64 = 30_000
    ) throws(Failure) -> Answer {
        guard request.isWithinLimits else {
            throw Failure(text: "a name or text is too long", code: .usage)
        }
        let deadline = SystemClock.milliseconds + patience
        var frame = ControlFrame.bytes { request.write(into: &$0) }
        defer { Wipe.bytes(&frame) }
        try send(frame, deadline: deadline)
        var answer = Answer()
        // A long text is cut into frames wherever its bytes happen to be.
        var text: [UInt8] = []
        var problem: [UInt8] = []
        while true {
            let frame = try receive(deadline: deadline)
            do throws(WireError) {
                let (kind, _) = try ControlFrame.header(frame)
                var reader = WireReader(frame.span, layer: "control frame")
                if kind == .commandEnd {
                    let end = try CommandEnd(parsing: &reader)
                    answer.code = ExitCode(rawValue: Int32(end.exitCode)) ?? .failed
                    answer.text = String(decoding: text, as: UTF8.self)
                    answer.problem = String(decoding: problem, as: UTF8.self)
                    return answer
                }
                let output = try CommandOutput(parsing: &reader)
                switch output.stream {
                case .standardOutput: text += output.text
                case .standardError: problem += output.text
                case .capture: answer.capture += output.text
                }
            } catch {
                throw Failure(text: error.description, code: .failed)
            }
        }
    }
}
