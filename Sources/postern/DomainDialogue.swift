import Configuration
import Consumers
import Crypto
import Flows
import Interfaces
import Loop
import NTLM
import NetBIOS
import Store
import Wire

/// What sub-commands share that go through a flow with a domain: its settings, the state, the
/// dialogue and its report.
final class DomainDialogue {
    let configuration: Configuration
    let options: Options
    let settings: DomainSettings
    let domain: NetBIOSName
    let store: StateStore
    let dialogue: Dialogue<SystemExchange>

    init(
        _ configuration: Configuration, _ options: Options, domain: String,
        hint: String = "    profile = nt4\n    channel = trust\n    account = OURDOMAIN$"
    ) throws(SetupFailure) {
        guard let settings = configuration.domains.first(where: { $0.name == domain }),
            let name = NetBIOSName(domain, .workstation)
        else {
            throw SetupFailure(
                text: "there is no [domain \(domain)] in \(options.configuration); add one with\n"
                    + hint)
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
        dialogue.speaksSMB2 = settings.transport == .smb2
        if options.has("report"), Terminal.isInteractive {
            dialogue.onStep = { Terminal.showError($0.title + "\n") }
        }
    }

    var directory: NameDirectory {
        NameDirectory(
            servers: settings.winsServers, networks: dialogue.link.networks)
    }

    /// Those that are configured, else those that DNS names.
    func controllers() -> [IPv4Address] {
        if !settings.controllers.isEmpty { return settings.controllers }
        guard let name = settings.dnsName else { return [] }
        return ControllerNames.addresses(of: name, servers: settings.nameServers)
    }

    /// The domain whose trust account ours is: the account's name without its `$`.
    var ourDomain: String {
        var name = settings.account
        if name.utf8.last == UInt8(ascii: "$") { name.removeLast() }
        return name
    }

    /// A user's name with the password, where one was named: `USER`, or `DOMAIN\USER`.
    func user(
        otherwise: String? = nil
    ) throws(SetupFailure) -> (account: SessionAccount, password: Secret)? {
        guard let named = options.values["user"] ?? otherwise else { return nil }
        var domain = settings.name
        var user = named
        let parts = named.split(separator: "\\", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            domain = String(parts[0]).uppercased()
            user = String(parts[1])
        }
        let password = try Setup.password(
            options, prompt: "Password of \(domain)\\\(user): ")
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

    /// The hashes of the secrets that are kept, in the order to try.
    func secrets() throws(SetupFailure) -> [Bytes16] {
        do throws(StoreError) {
            let record = try store.read { state throws(StoreError) in
                try state.get(DomainSecrets.self, settings.name)
            }
            return record.map { AgentBuilder.hashes($0) } ?? []
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    func ends(secret: Bytes16) throws(SetupFailure) -> TrustEnds {
        var ends = TrustEnds(
            domain: domain, ourDomain: ourDomain, account: settings.account, secret: secret,
            directory: directory)
        ends.controllers = settings.profile == .modern ? controllers() : settings.controllers
        ends.channelSettings = AgentBuilder.channelSettings(settings, configuration.agent.name)
        ends.allowsNTLMv1 = settings.ntlmv1 == .allow
        ends.ourSID = LocalDomains.sid(of: ourDomain, configuration, store)
        ends.knownSID = try trustedDomain()?.sid
        return ends
    }

    /// The agent that runs with this configuration, where one does.
    func agent() -> AgentClient? { try? AgentClient(configuration.agent) }

    /// The report and the capture file, where they are wanted; also of a flow that failed.
    func finish(_ title: String, documented: String?) throws(SetupFailure) {
        if options.has("report") {
            Terminal.show(
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
        Terminal.showError("postern: \(settings.name): \(error.description)\n")
        return error.isUnavailable ? .unavailable : .failed
    }

    /// Has the agent make its channel with the new secret; nil where that works.
    static func channelFailure(_ agent: AgentClient, _ name: String) -> String? {
        do throws(AgentClient.Failure) {
            _ = try agent.run(CommandRequest(requestID: 1, command: .reload))
            let answer = try agent.run(
                CommandRequest(requestID: 1, command: .explain, arguments: [name]))
            return answer.code == .success ? nil : answer.words
        } catch {
            return error.text
        }
    }
}
