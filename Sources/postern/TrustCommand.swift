import Configuration
import Crypto
import Flows
import Interfaces
import Loop
import NTLM
import NetBIOS
import Store
import Wire

enum TrustCommand {
    static let usage = """
        usage: postern trust permit DOMAIN [--file FILE]
               postern trust establish DOMAIN [--file FILE]
               postern trust verify DOMAIN [--user USER]
               postern trust accounts DOMAIN [--user USER] [--json]
               postern trust list [--json]
               postern trust revoke DOMAIN
               (all of them: [--report] [--pcap FILE] [--config FILE])

        permit     lets DOMAIN trust our local domain: makes its interdomain trust account. The
                   password, which DOMAIN's side is told too, is one line of FILE or of standard
                   input, or asked for.
        establish  completes a trust that DOMAIN has permitted: its password is one line of FILE
                   or of standard input, or asked for. Nothing is kept unless all of it works.
        verify     asks DOMAIN who it is, as nobody and as USER, and the agent for its channel.
        accounts   lists DOMAIN's global groups and users.
        list       shows the trusts.
        revoke     removes DOMAIN's account, and forgets what is kept of our trust in it.

        The password of USER is read as one line, or asked for. --report prints each step with its
        frames, bytes and milliseconds, and the documented figures beside them; --pcap writes what
        was sent and received as a capture file.

        """

    private static let options = [
        Options.config, Options.json,
        Options.Option(name: "file", takesValue: true),
        Options.Option(name: "user", takesValue: true),
        Options.Option(name: "report", takesValue: false),
        Options.Option(name: "pcap", takesValue: true),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        let verb = parsed.operands.first ?? ""
        guard parsed.operands.count == (verb == "list" ? 1 : 2) else {
            Terminal.writeError(usage)
            return .usage
        }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        do throws(SetupFailure) {
            if verb == "list" { return try TrustListCommand.run(configuration, parsed) }
            let domain = parsed.operands[1].uppercased()
            switch verb {
            case "permit": return try PermitCommand.run(configuration, parsed, domain)
            case "establish":
                return try EstablishCommand.run(
                    try TrustDialogue(configuration, parsed, domain: domain))
            case "verify":
                return try VerifyCommand.run(
                    try TrustDialogue(configuration, parsed, domain: domain))
            case "accounts":
                return try TrustAccountsCommand.run(
                    try TrustDialogue(configuration, parsed, domain: domain))
            case "revoke": return try RevokeCommand.run(configuration, domain)
            case _:
                Terminal.writeError(usage)
                return .usage
            }
        } catch {
            Terminal.writeError("postern: \(error.text)\n")
            return .failed
        }
    }
}

/// What the trust sub-commands share: the domain, the state, the dialogue and its report.
final class TrustDialogue {
    let configuration: Configuration
    let options: Options
    let settings: DomainSettings
    let domain: NetBIOSName
    let store: StateStore
    let dialogue: Dialogue<SystemExchange>

    init(
        _ configuration: Configuration, _ options: Options, domain: String
    ) throws(SetupFailure) {
        guard let settings = configuration.domains.first(where: { $0.name == domain }),
            let name = NetBIOSName(domain, .workstation)
        else {
            throw SetupFailure(
                text: "there is no [domain \(domain)] in \(options.configuration); add one with\n"
                    + "    profile = nt4\n    channel = trust\n    account = OURDOMAIN$")
        }
        self.configuration = configuration
        self.options = options
        self.settings = settings
        self.domain = name
        store = try Setup.store(configuration, owner: try Setup.account(configuration))
        dialogue = Dialogue(
            SystemExchange(networks: Setup.networks(configuration)),
            computer: configuration.agent.name, keepsFrames: options.has("pcap"))
        dialogue.portOffset = settings.portOffset
        if options.has("report"), Terminal.isInteractive {
            dialogue.onStep = { Terminal.writeError($0.title + "\n") }
        }
    }

    var directory: NameDirectory {
        NameDirectory(
            servers: settings.winsServers, networks: dialogue.link.networks)
    }

    /// The domain whose trust account ours is: the account's name without its `$`.
    var ourDomain: String {
        var name = settings.account
        if name.utf8.last == UInt8(ascii: "$") { name.removeLast() }
        return name
    }

    /// One line of a file or of standard input, or what a person types.
    func secret(prompt: String) throws(SetupFailure) -> Secret {
        do throws(SystemError) {
            if let path = options.values["file"] {
                let bytes = try SystemFile.read(path, limit: 4_096)
                return Secret(Array(bytes.prefix { $0 != 10 && $0 != 13 }))
            }
            return Secret(try Terminal.readSecret(prompt: prompt) ?? [])
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    /// A user's name with the password, where one was named: `USER`, or `DOMAIN\USER`.
    func user() throws(SetupFailure) -> (account: SessionAccount, password: Secret)? {
        guard let named = options.values["user"] else { return nil }
        var domain = settings.name
        var user = named
        let parts = named.split(separator: "\\", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            domain = String(parts[0]).uppercased()
            user = String(parts[1])
        }
        let password = try secret(prompt: "Password of \(domain)\\\(user): ")
        return (
            SessionAccount(
                user: user, domain: domain, ntowf: NTOWF.v1(password: password),
                allowsNTLMv1: settings.ntlmv1 == .allow), password
        )
    }

    func trustedDomain() throws(SetupFailure) -> TrustedDomain? {
        do throws(StoreError) {
            return try store.read { state throws(StoreError) in
                try state.get(TrustedDomain.self, settings.name)
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    func ends(secret: Bytes16) throws(SetupFailure) -> TrustEnds {
        var ends = TrustEnds(
            domain: domain, ourDomain: ourDomain, account: settings.account, secret: secret,
            directory: directory)
        ends.controllers = settings.controllers
        ends.allowsNTLMv1 = settings.ntlmv1 == .allow
        ends.ourSID = LocalDomains.sid(of: ourDomain, configuration, store)
        ends.knownSID = try trustedDomain()?.sid
        return ends
    }

    /// The agent that runs with this configuration, where one does.
    func agent() -> AgentClient? { try? AgentClient(configuration.agent.controlSocket) }

    /// The report and the capture file, where they are wanted; also of a flow that failed.
    func finish(_ title: String, documented: String) throws(SetupFailure) {
        if options.has("report") {
            Terminal.write(
                FlowReport.text(dialogue.report, title: title, documented: documented))
        }
        if let path = options.values["pcap"] {
            do throws(SystemError) {
                try SystemFile.write(path, CaptureWriter.file(dialogue.report.frames))
            } catch {
                throw SetupFailure(text: error.description)
            }
        }
    }

    /// Tells why the flow ended early.
    func failed(_ error: FlowError) -> ExitCode {
        Terminal.writeError("postern: \(settings.name): \(error.description)\n")
        return error.isUnavailable ? .unavailable : .failed
    }
}
