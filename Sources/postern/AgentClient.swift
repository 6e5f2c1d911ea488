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
    }

    private let client: LocalClient
    private let path: String
    private var cutter = FrameCutter(maximum: ControlFrame.maximumReply)

    /// Milliseconds to reach the agent, which is on this host.
    private static let patience: UInt64 = 2_000

    init(_ path: String) throws(Failure) {
        self.path = path
        do throws(SystemError) {
            client = try LocalClient(
                path: path, deadline: SystemClock.milliseconds + Self.patience)
        } catch {
            throw Failure(
                text: "the agent is not reachable at \(path): \(error.description)",
                code: .unavailable)
        }
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

    /// Runs a command in the agent and prints what it says. What it sends as a capture file is
    /// handed to `capture`, whole.
    static func command(
        _ kind: CommandKind, _ options: Options, _ arguments: [String], secret: Secret? = nil,
        patience: UInt64, capture: ([UInt8]) -> Void = { _ in }
    ) -> ExitCode {
        guard let configuration = Setup.configuration(options.configuration) else {
            return .failed
        }
        do throws(Failure) {
            let client = try AgentClient(configuration.agent.controlSocket)
            let request = CommandRequest(
                requestID: 1, command: kind, wantsJSON: options.has("json"),
                arguments: arguments, secret: secret)
            guard request.isWithinLimits else {
                throw Failure(text: "an argument is too long", code: .usage)
            }
            let deadline = SystemClock.milliseconds + patience
            var frame = ControlFrame.bytes { request.write(into: &$0) }
            defer { Wipe.bytes(&frame) }
            try client.send(frame, deadline: deadline)
            var file: [UInt8] = []
            let code = try client.relay(deadline: deadline, &file)
            if !file.isEmpty { capture(file) }
            return code
        } catch {
            Terminal.writeError("postern: \(error.text)\n")
            return error.code
        }
    }

    /// Runs a command in the agent and gives what it says.
    func run(
        _ kind: CommandKind, _ arguments: [String], patience: UInt64 = 30_000
    ) throws(Failure) -> (code: ExitCode, text: String) {
        let request = CommandRequest(
            requestID: 1, command: kind, wantsJSON: false, arguments: arguments)
        let deadline = SystemClock.milliseconds + patience
        try send(ControlFrame.bytes { request.write(into: &$0) }, deadline: deadline)
        var text = ""
        while true {
            let frame = try receive(deadline: deadline)
            do throws(WireError) {
                let (kind, _) = try ControlFrame.header(frame)
                var reader = WireReader(frame.span, layer: "control frame")
                if kind == .commandEnd {
                    let end = try CommandEnd(parsing: &reader)
                    return (ExitCode(rawValue: Int32(end.exitCode)) ?? .failed, text)
                }
                let output = try CommandOutput(parsing: &reader)
                if output.stream == .capture { continue }
                text += String(decoding: output.text, as: UTF8.self)
            } catch {
                throw Failure(text: error.description, code: .failed)
            }
        }
    }

    private func relay(
        deadline: UInt64, _ file: inout [UInt8]
    ) throws(Failure) -> ExitCode {
        while true {
            let frame = try receive(deadline: deadline)
            do throws(WireError) {
                let (kind, _) = try ControlFrame.header(frame)
                var reader = WireReader(frame.span, layer: "control frame")
                if kind == .commandEnd {
                    let end = try CommandEnd(parsing: &reader)
                    return ExitCode(rawValue: Int32(end.exitCode)) ?? .failed
                }
                let output = try CommandOutput(parsing: &reader)
                switch output.stream {
                case .standardOutput: Terminal.write(String(decoding: output.text, as: UTF8.self))
                case .standardError:
                    Terminal.writeError(String(decoding: output.text, as: UTF8.self))
                case .capture: file += output.text
                }
            } catch {
                throw Failure(text: error.description, code: .failed)
            }
        }
    }
}
