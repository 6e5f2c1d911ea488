import Configuration
import Consumers
import Crypto
import Loop
import NTLM
import Wire

/// `postern ntlm-auth`, and the program under the name `ntlm_auth`: a thin client of the agent,
/// whose options and outputs are those that callers of Samba's tool rely on.
enum NtlmAuthCommand {
    /// Milliseconds after which a caller gets an answer in any case.
    private static let patience: UInt64 = 60_000

    static func run(_ words: [String]) -> ExitCode {
        switch NTLMAuthOptions.parse(words, version: Main.version) {
        case .end(let output): return finish(output)
        case .helper(let kind, let options):
            let agent = Agent(options)
            return serve(StdioHelper(kind, options, agent.context), agent)
        case .logon(var options):
            if options.needsPassword {
                let read = (try? Terminal.readSecret(prompt: NTLMAuthOptions.prompt)) ?? nil
                options.password = Secret(read ?? [])
            }
            guard let request = options.request(id: 1, deadline: 0) else {
                return finish(options.outputForImpossibleName)
            }
            let agent = Agent(options)
            return finish(options.output(for: agent.logon(request)))
        }
    }

    private static func finish(_ output: ToolOutput) -> ExitCode {
        Terminal.write(output.standardOutput)
        Terminal.writeError(output.standardError)
        return ExitCode(rawValue: Int32(output.exitCode)) ?? .failed
    }

    /// A helper lives as long as its caller, and its connection to the agent as long as that
    /// lasts: one that broke is made anew for the next line.
    private static func serve(_ helper: StdioHelper, _ agent: Agent) -> ExitCode {
        var helper = helper
        var lines = LineCutter()
        while true {
            guard var piece = try? Terminal.readPiece() else { return .failed }
            if piece.isEmpty { return .success }
            lines.append(piece.span)
            Wipe.bytes(&piece)
            while let line = lines.next() {
                let step = helper.line(line)
                Terminal.writeError(String(decoding: step.error, as: UTF8.self))
                Terminal.write(String(decoding: step.output, as: UTF8.self))
                guard let request = step.request else { continue }
                let answer = helper.answered(agent.logon(request))
                Terminal.write(String(decoding: answer, as: UTF8.self))
            }
        }
    }

    /// The agent as the tool sees it: there or not.
    private final class Agent {
        private let configuration: Configuration?
        private var client: AgentClient?

        init(_ options: NTLMAuthOptions) {
            let file = options.configuration ?? Options.defaultConfiguration
            configuration = Setup.configuration(file)
        }

        /// Whose server the helper is: a controller takes an NTLMv2 response only where it names
        /// the computer that passes it on, and that computer's domain or none.
        var context: HelperContext {
            let domains = configuration?.domains ?? []
            let account = domains.first?.account ?? ""
            let name = account.utf8.last == UInt8(ascii: "$") ? String(account.dropLast()) : ""
            var identity = ServerHandshake.Identity(
                nbComputerName: name.isEmpty ? configuration?.agent.name ?? "" : name,
                nbDomainName: domains.first?.name ?? configuration?.localDomains.first?.name)
            identity.bindsDomain = domains.count == 1
            return HelperContext(
                identity: identity, random: { SystemRandom.bytes($0) },
                now: { FileTime.at(unixMicroseconds: SystemClock.unixMicroseconds) })
        }

        /// The agent's answer, or nil where there is none.
        func logon(_ request: ControlLogonRequest) -> ControlLogonReply? {
            guard let configuration else { return nil }
            let deadline = SystemClock.milliseconds + NtlmAuthCommand.patience
            do throws(AgentClient.Failure) {
                if client == nil { client = try AgentClient(configuration.agent) }
                return try client?.logon(request, deadline: deadline)
            } catch {
                client = nil
                Terminal.writeError("ntlm_auth: \(error.text)\n")
                return nil
            }
        }
    }
}
