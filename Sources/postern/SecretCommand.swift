import Consumers
import Configuration
import Consumers
import Crypto
import Loop
import Store
import Wire

enum SecretCommand {
    static let usage = """
        usage: postern secret import DOMAIN [--file FILE] [--config FILE]
               postern secret rotate DOMAIN [--config FILE]
               postern secret show DOMAIN [--config FILE]

        DOMAIN has a section [domain DOMAIN], or is a local domain that this host is a backup of.
        import takes our account's password from FILE, or as one line from standard input, or
        asks for it. The running agent notices by itself. rotate has the running agent change it at
        the domain's controller; `change secret` in the domain's section says how often it does so
        by itself. show tells its age, never the secret.

        """

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words, [Options.config, Options.Option(name: "file", takesValue: true)],
            usage: usage)
        guard let parsed else { return code }
        let verb = parsed.operands.first ?? ""
        guard ["import", "rotate", "show"].contains(verb), parsed.operands.count == 2 else {
            Terminal.writeError(usage)
            return .usage
        }
        let read = verb == "import" ? ["file"] : []
        guard parsed.areRead(read, by: "secret \(verb)", usage: usage) else { return .usage }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        let name = parsed.operands[1].uppercased()
        guard configuration.domains.contains(where: { $0.name == name })
            || configuration.localDomains.contains(where: { $0.name == name })
        else {
            Terminal.writeError("postern: no [domain \(name)] in \(parsed.configuration)\n")
            return .failed
        }
        if verb == "rotate" {
            return AgentClient.command(.secretRotate, parsed, [name], patience: 100_000)
        }
        do throws(SetupFailure) {
            let store = try Setup.store(
                configuration, owner: try Setup.account(configuration))
            if verb == "show" { return try show(name, store) }
            let password = try Setup.password(
                parsed, prompt: "Password of our account in \(name): ")
            return try keep(password, name, store)
        } catch {
            return error.tell()
        }
    }

    /// What a person gave for a password must be one that the state holds.
    static func checkLength(_ count: Int) throws(SetupFailure) {
        if count > StoredSecret.limit {
            throw SetupFailure(
                text: "the password has \(count) bytes, more than \(StoredSecret.limit); "
                    + "nothing was changed")
        }
    }

    private static func keep(
        _ password: Secret, _ name: String, _ store: StateStore
    ) throws(SetupFailure) -> ExitCode {
        try checkLength(password.bytes.count)
        let fresh = StoredSecret(
            form: .password, since: SystemClock.unixSeconds, secret: password)
        do throws(StoreError) {
            try store.write { state throws(StoreError) in
                let old = try state.get(DomainSecrets.self, name)
                try state.put(
                    DomainSecrets(
                        sequence: (old?.sequence ?? 0) &+ 1, current: fresh,
                        previous: old?.current), name)
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
        Terminal.write("\(name): the secret is kept\n")
        return .success
    }

    private static func show(
        _ name: String, _ store: StateStore
    ) throws(SetupFailure) -> ExitCode {
        let record: DomainSecrets?
        do throws(StoreError) {
            record = try store.read { state throws(StoreError) in
                try state.get(DomainSecrets.self, name)
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
        guard let record else {
            Terminal.write("\(name): no secret; run `postern secret import \(name)`\n")
            return .failed
        }
        let now = SystemClock.unixSeconds
        func age(_ secret: StoredSecret) -> String { Columns.age(now, since: secret.since) }
        Terminal.write("\(name): change \(record.sequence), kept \(age(record.current)) ago\n")
        if let previous = record.previous {
            Terminal.write("  the former one was kept \(age(previous)) ago\n")
        }
        if let pending = record.pending {
            Terminal.write("  a pending one was made \(age(pending)) ago\n")
        }
        return .success
    }
}

extension Columns {
    /// The time between two moments in seconds since 1970, in its largest unit.
    static func age(_ now: UInt64, since: UInt64) -> String {
        let seconds = now > since ? now - since : 0
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7_200 { return "\(seconds / 60) min" }
        if seconds < 172_800 { return "\(seconds / 3_600) h" }
        return "\(seconds / 86_400) days"
    }
}
