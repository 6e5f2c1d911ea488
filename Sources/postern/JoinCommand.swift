import Configuration
import Consumers
import Crypto
import Flows
import Interfaces
import Loop
import SecureChannel
import Store
import Wire

/// `postern join`: the flow, while the new secret is kept in two phases.
enum JoinCommand {
    static let usage = """
        usage: postern join DOMAIN [--user ADMINISTRATOR] [--reset] [--file FILE]
                    [--report] [--pcap FILE] [--config FILE]

        Makes our account in DOMAIN, as its section says (`account =`, `channel = member | bdc`),
        with a random secret, by the rights of ADMINISTRATOR (`Administrator` if none is named),
        whose password is one line of FILE or of standard input, or asked for. An account that is
        there already is left alone, unless --reset takes it over: whoever used it is out then.

        A domain with `profile = nt4` is joined at its primary controller, over SMB1 or with
        `transport = smb2` over SMB2; one with `profile = modern` over LDAP, sealed by NTLM, at the
        controllers that are configured or that DNS names. Where neither is to be had, an
        administrator makes the account (`samba-tool computer create`, `New-ADComputer`), sets its
        password, and `postern secret import DOMAIN` is told it.

        """

    private static let options = [
        Options.config,
        Options.Option(name: "user", takesValue: true),
        Options.Option(name: "reset", takesValue: false),
        Options.Option(name: "file", takesValue: true),
        Options.Option(name: "report", takesValue: false),
        Options.Option(name: "pcap", takesValue: true),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        guard parsed.operands.count == 1 else {
            Terminal.writeError(usage)
            return .usage
        }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        do throws(SetupFailure) {
            return try run(
                try DomainDialogue(
                    configuration, parsed, domain: parsed.operands[0].uppercased(),
                    hint: "    profile = modern\n    dns name = its.dns.name"))
        } catch {
            return error.tell()
        }
    }

    private static func run(_ domain: DomainDialogue) throws(SetupFailure) -> ExitCode {
        let name = domain.settings.name
        let agent = domain.agent()
        let terms = try terms(domain, provesChannel: agent == nil)
        let password = SecretRotator.password()
        let keeper = SecretKeeper(domain.store, name, password)
        do throws(FlowError) {
            _ = try Join.run(
                domain.dialogue, terms, password: SecretRotator.wide(password),
                keeper: keeper.phases)
        } catch {
            try domain.finish("join of \(name)", documented: nil)
            let code = domain.failed(error)
            Terminal.writeError(keeper.words + "\n")
            return code
        }
        try domain.finish("join of \(name)", documented: nil)
        if let agent, let failure = DomainDialogue.channelFailure(agent, name) {
            Terminal.showError("postern: \(name): the secure channel: \(failure)\n")
            Terminal.writeError(keeper.words + "\n")
            return .failed
        }
        Terminal.write("\(name): joined as \(domain.settings.account)\n")
        return .success
    }

    private static func terms(
        _ domain: DomainDialogue, provesChannel: Bool
    ) throws(SetupFailure) -> JoinTerms {
        let settings = domain.settings
        let isModern = settings.profile == .modern
        let kind: JoinTerms.Kind
        switch settings.channel {
        case .member: kind = .member
        case .bdc where !isModern: kind = .backupController
        case .bdc:
            throw SetupFailure(
                text: "[domain \(settings.name)] wants a controller's account, which an AD domain "
                    + "gives to none but its own; set channel = member")
        case .trust:
            throw SetupFailure(
                text: "[domain \(settings.name)] is one that we trust: use `postern trust "
                    + "establish \(settings.name)`")
        }
        if isModern, settings.dnsName == nil {
            throw SetupFailure(text: "[domain \(settings.name)] needs its `dns name =`")
        }
        guard let administrator = try domain.user(otherwise: "Administrator") else {
            throw SetupFailure(text: "no administrator is named")
        }
        var terms = JoinTerms(
            domain: domain.domain, account: settings.account, kind: kind,
            way: isModern ? .directory : .sam, administrator: administrator.account,
            resets: domain.options.has("reset"), directory: domain.directory)
        terms.controllers = isModern ? domain.controllers() : settings.controllers
        terms.dnsName = settings.dnsName ?? ""
        if provesChannel {
            terms.channel = AgentBuilder.channelSettings(settings, domain.configuration.agent.name)
        }
        return terms
    }
}

/// Keeps a new secret in two phases, as a join goes on.
final class SecretKeeper {
    private let store: StateStore
    private let name: String
    private let password: Secret
    private var before: DomainSecrets?
    /// What an administrator is told where the join ends early.
    private(set) var words = "nothing was changed"

    init(_ store: StateStore, _ name: String, _ password: Secret) {
        self.store = store
        self.name = name
        self.password = password
    }

    var phases: JoinKeeper {
        JoinKeeper(
            keepPending: { self.keepPending() }, drop: { self.drop() },
            promote: { self.promote(at: $0) })
    }

    private var fresh: StoredSecret {
        StoredSecret(form: .password, since: SystemClock.unixSeconds, secret: password)
    }

    private func change(
        _ body: (inout DomainSecrets?) -> Void
    ) -> Bool {
        do throws(StoreError) {
            try store.write { state throws(StoreError) in
                var secrets = try state.get(DomainSecrets.self, name)
                body(&secrets)
                if let secrets {
                    try state.put(secrets, name)
                } else {
                    try state.remove(DomainSecrets.self, name)
                }
            }
            return true
        } catch {
            Terminal.writeError("postern: \(error.description)\n")
            return false
        }
    }

    /// A first secret has none to stand behind.
    private func keepPending() -> Bool {
        let fresh = self.fresh
        let isKept = change { secrets in
            before = secrets
            if secrets == nil {
                secrets = DomainSecrets(sequence: 1, current: fresh)
            } else {
                secrets?.begin(fresh)
            }
        }
        if isKept {
            words = "the new secret may be set or not; it is kept with the former one, and "
                + "`postern explain \(name)` shows which of them holds"
        }
        return isKept
    }

    private func drop() {
        let fresh = self.fresh
        let isDropped = change { secrets in
            guard let before, secrets?.sequence != before.sequence else {
                secrets = before
                return
            }
            // The agent has changed the secret meanwhile.
            secrets?.drop(fresh)
        }
        if isDropped { words = "nothing was changed" }
    }

    private func promote(at controller: IPv4Address) -> Bool {
        let fresh = self.fresh
        let isKept = change { secrets in
            var kept = secrets ?? DomainSecrets(sequence: 1, current: fresh)
            kept.succeed(by: fresh)
            kept.askedController = controller
            secrets = kept
        }
        if isKept { words = "the account is ours and its secret is kept" }
        return isKept
    }
}
