import Configuration
import Consumers
import Crypto
import Interfaces
import Loop
import Wire

enum StatusCommand {
    static let usage = """
        usage: postern status [--config FILE] [--json]

        Domains, controllers, channels, logons by protocol, latencies and ages of secrets.

        """

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words, [Options.config, Options.json], usage: usage)
        guard let parsed else { return code }
        return AgentClient.command(.status, parsed, [], patience: 5_000)
    }
}

enum FindCommand {
    static let usage = """
        usage: postern find DOMAIN [--config FILE] [--json]

        What each way of locating a controller of the domain gives, and how they answer.

        """

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words, [Options.config, Options.json], usage: usage)
        guard let parsed else { return code }
        guard parsed.operands.count == 1 else {
            Terminal.writeError(usage)
            return .usage
        }
        return AgentClient.command(.find, parsed, parsed.operands, patience: 15_000)
    }
}

enum ExplainCommand {
    static let usage = """
        usage: postern explain DOMAIN [USER] [--report | --json] [--pcap FILE] [--config FILE]

        Looks for the domain's controllers once more, makes the channel to one anew, and shows
        each step with its frames, bytes and milliseconds, the documented figures beside them;
        with USER, logs that user on through it, twice (the password is asked for). Where a step
        fails, the cause and the remedy. Running logons wait for the new channel. --report is
        what it does anyway; --pcap writes what was sent and received as a capture file.

        """

    private static let options = [
        Options.config, Options.json, Options.Option(name: "report", takesValue: false),
        Options.Option(name: "pcap", takesValue: true),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        guard (1...2).contains(parsed.operands.count) else {
            Terminal.writeError(usage)
            return .usage
        }
        var arguments = [parsed.operands[0], ""]
        var secret: Secret?
        do throws(SystemError) {
            if parsed.operands.count == 2 {
                arguments[1] = parsed.operands[1]
                let name = "\(arguments[0])\\\(arguments[1])"
                secret = Secret(try Terminal.readSecret(prompt: "Password of \(name): ") ?? [])
            }
        } catch {
            Terminal.writeError("postern: \(error.description)\n")
            return .failed
        }
        let path = parsed.values["pcap"]
        if path != nil { arguments.append("capture") }
        var failure: SystemError?
        let made = AgentClient.command(
            .explain, parsed, arguments, secret: secret, patience: 30_000
        ) { file in
            do throws(SystemError) {
                if let path { try SystemFile.write(path, file) }
            } catch {
                failure = error
            }
        }
        if let failure {
            Terminal.writeError("postern: \(failure.description)\n")
            return .failed
        }
        return made
    }
}

enum LogonCommand {
    static let usage = """
        usage: postern logon DOMAIN\\USER [--workstation NAME] [--config FILE]

        One logon through the running agent, as a client would make it. The password is asked
        for, or read as one line from standard input.

        """

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words,
            [Options.config, Options.Option(name: "workstation", takesValue: true)], usage: usage)
        guard let parsed else { return code }
        guard parsed.operands.count == 1 else {
            Terminal.writeError(usage)
            return .usage
        }
        return logon(parsed, parsed.operands[0], workstation: parsed.values["workstation"])
    }

    static func logon(_ options: Options, _ account: String, workstation: String?) -> ExitCode {
        guard let configuration = Setup.configuration(options.configuration) else {
            return .failed
        }
        var domain: String?
        var user = account
        let parts = account.split(separator: "\\", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            domain = String(parts[0])
            user = String(parts[1])
        }
        let password: [UInt8]
        do throws(SystemError) {
            password = try Terminal.readSecret(prompt: "Password of \(account): ") ?? []
        } catch {
            Terminal.writeError("postern: \(error.description)\n")
            return .failed
        }
        do throws(AgentClient.Failure) {
            let client = try AgentClient(configuration.agent)
            var request = ControlLogonRequest(
                requestID: 1, domain: domain, user: user, credential: .password(Secret(password)))
            request.wants = [.text, .groups]
            request.workstation = workstation
            request.parameterControl =
                ParameterControl.allowServerTrustAccount.rawValue
                | ParameterControl.allowWorkstationTrustAccount.rawValue
            let began = SystemClock.microseconds
            let reply = try client.logon(
                request, deadline: SystemClock.milliseconds + 60_000)
            return report(reply, microseconds: SystemClock.microseconds - began)
        } catch {
            Terminal.writeError("postern: \(error.text)\n")
            return error.code
        }
    }

    private static func report(
        _ reply: ControlLogonReply, microseconds: UInt64
    ) -> ExitCode {
        let time = Columns.milliseconds(microseconds)
        switch reply.outcome {
        case .success:
            Terminal.show(
                "logon of \(reply.domain)\\\(reply.user): accepted in \(time) ms, "
                    + "\(reply.groupRIDs.count) groups\n")
            return .success
        case .refused, .badRequest:
            Terminal.show("logon refused in \(time) ms: \(reply.ntStatus.name), "
                + "\(reply.ntStatus.text)\n")
            return .failed
        case .unavailable, .overloaded:
            Terminal.showError("unavailable after \(time) ms: \(reply.text)\n")
            return .unavailable
        }
    }
}
