import Configuration
import Consumers
import Crypto
import Flows
import Loop
import NTLM
import Store
import Wire

/// `postern trust establish`: the flow, then the secret is kept, then the channel is proved.
enum EstablishCommand {
    static func run(_ trust: DomainDialogue) throws(SetupFailure) -> ExitCode {
        let name = trust.settings.name
        guard trust.settings.channel == .trust else {
            throw SetupFailure(
                text: "[domain \(name)] has another channel; set channel = trust")
        }
        let password = try Setup.password(
            trust.options, prompt: "Password of the trust with \(name): ")
        try SecretCommand.checkLength(password.bytes.count)
        let ends = try trust.ends(secret: NTOWF.v1(password: password))
        let agent = trust.agent()
        let findings: TrustFindings
        do throws(FlowError) {
            findings = try TrustEstablish.run(
                trust.dialogue, ends, provesChannel: agent == nil)
        } catch {
            try finish(trust)
            let code = trust.failed(error)
            Terminal.writeError("nothing was changed\n")
            return code
        }
        try finish(trust)
        for warning in findings.warnings { Terminal.showError("postern: \(warning)\n") }
        let before = try keep(password, findings, trust)
        if let agent, let failure = DomainDialogue.channelFailure(agent, name) {
            try restore(before, trust)
            _ = try? trust.agent()?.run(CommandRequest(requestID: 1, command: .reload))
            Terminal.showError(
                "postern: \(name): the secure channel: \(failure)\nnothing was changed\n")
            return .failed
        }
        Terminal.write("\(name): the trust is established\n")
        return .success
    }

    private static func finish(_ trust: DomainDialogue) throws(SetupFailure) {
        try trust.finish(
            "trust with \(trust.settings.name)", documented: "107 frames, 15,230 bytes, 3 s")
    }

    // MARK: The state

    private struct Before {
        var secrets: DomainSecrets?
        var trusted: TrustedDomain?
    }

    /// Keeps the secret and what the domain is, and gives what was kept before. The secret of
    /// before is not kept as the former one: it belonged to another trust, or is the same.
    private static func keep(
        _ password: Secret, _ findings: TrustFindings, _ trust: DomainDialogue
    ) throws(SetupFailure) -> Before {
        let name = trust.settings.name
        let now = SystemClock.unixSeconds
        do throws(StoreError) {
            return try trust.store.write { state throws(StoreError) in
                let before = Before(
                    secrets: try state.get(DomainSecrets.self, name),
                    trusted: try state.get(TrustedDomain.self, name))
                try state.put(
                    DomainSecrets(
                        sequence: (before.secrets?.sequence ?? 0) &+ 1,
                        current: StoredSecret(form: .password, since: now, secret: password)),
                    name)
                try state.put(
                    TrustedDomain(
                        sid: findings.identity?.sid, primary: findings.primary.name,
                        established: now, verified: now), name)
                return before
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    private static func restore(
        _ before: Before, _ trust: DomainDialogue
    ) throws(SetupFailure) {
        let name = trust.settings.name
        do throws(StoreError) {
            try trust.store.write { state throws(StoreError) in
                let now = try state.get(DomainSecrets.self, name)
                if var secrets = before.secrets {
                    // What the agent sets meanwhile, a controller may have.
                    if let pending = now?.pending {
                        secrets.pending = pending
                        secrets.askedController = now?.askedController
                    }
                    if now?.sequence == secrets.sequence &+ 1 { try state.put(secrets, name) }
                } else {
                    try state.remove(DomainSecrets.self, name)
                }
                if let trusted = before.trusted {
                    try state.put(trusted, name)
                } else {
                    try state.remove(TrustedDomain.self, name)
                }
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }
}
