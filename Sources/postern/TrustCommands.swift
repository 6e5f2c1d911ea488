import Configuration
import Consumers
import Crypto
import Flows
import Interfaces
import Loop
import NTLM
import SecureChannel
import Store
import Wire

/// `postern trust verify`.
enum VerifyCommand {
    static func run(_ trust: DomainDialogue) throws(SetupFailure) -> ExitCode {
        let name = trust.settings.name
        let user = try trust.user()
        let ends = try trust.ends(secret: Bytes16())
        let agent = trust.agent()
        // An agent's channel is proved by a logon over it, and would be broken by another one.
        let secrets = agent == nil ? try trust.secrets() : []
        let outcome: TrustFindings?
        var code = ExitCode.success
        do throws(FlowError) {
            outcome = try TrustVerify.run(
                trust.dialogue, ends, as: user?.account, secrets: secrets)
        } catch {
            outcome = nil
            code = trust.failed(error)
        }
        try trust.finish(
            "verification of \(name)", documented: "part of 111 frames, 24,000 bytes, 10 s")
        guard let findings = outcome else { return code }
        let place = findings.primary.controller.label
        Terminal.show(
            "\(name): \(place), \(findings.identity?.sid.description ?? "which speaks no SMB1")\n")
        if let agent { return try checkChannel(agent, trust, user) }
        guard findings.isProved else {
            Terminal.show("\(name): no secret is kept, so that no channel is verified\n")
            return findings.identity == nil ? .failed : .success
        }
        Terminal.show("\(name): the secret makes a channel\n")
        try noteVerified(trust)
        return .success
    }

    private static func noteVerified(_ trust: DomainDialogue) throws(SetupFailure) {
        let name = trust.settings.name
        do throws(StoreError) {
            try trust.store.write { state throws(StoreError) in
                guard var record = try state.get(TrustedDomain.self, name) else { return }
                record.verified = SystemClock.unixSeconds
                try state.put(record, name)
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    /// No account has this name (MS-SAMR 3.1.1.6), so that nobody's logon fails.
    private static let nobody = "?"

    /// A logon over the agent's live channel: the user's, or one that must be refused for want of
    /// such a user, which only the trusted domain can know.
    private static func checkChannel(
        _ agent: AgentClient, _ trust: DomainDialogue,
        _ user: (account: SessionAccount, password: Secret)?
    ) throws(SetupFailure) -> ExitCode {
        let name = trust.settings.name
        let began = SystemClock.microseconds
        let reply: ControlLogonReply
        do throws(AgentClient.Failure) {
            let request = ControlLogonRequest(
                requestID: 1, domain: name, user: user?.account.user ?? nobody,
                credential: .password(user?.password ?? Secret(Array("verify".utf8))))
            reply = try agent.logon(request, deadline: SystemClock.milliseconds + 15_000)
        } catch {
            Terminal.showError("postern: \(name): the channel: \(error.text)\n")
            return error.code
        }
        let time = Columns.milliseconds(SystemClock.microseconds - began)
        switch reply.outcome {
        case .success:
            Terminal.show("\(name): the channel is live, \(reply.user) logged on in \(time) ms\n")
        case .refused where user == nil && reply.isAuthoritative:
            Terminal.show("\(name): the channel is live, answered in \(time) ms\n")
        case .refused, .badRequest:
            Terminal.showError(
                "postern: \(name): the logon was refused: \(reply.ntStatus.name)\n")
            return .failed
        case .unavailable, .overloaded:
            Terminal.showError("postern: \(name): the channel: \(reply.text)\n")
            return .unavailable
        }
        try noteVerified(trust)
        return .success
    }
}

/// `postern trust accounts`.
enum TrustAccountsCommand {
    static func run(_ trust: DomainDialogue) throws(SetupFailure) -> ExitCode {
        let name = trust.settings.name
        let user = try trust.user()
        let ends = try trust.ends(secret: Bytes16())
        let printer = AccountPrinter(trust.options.has("json"), domain: name)
        var code = ExitCode.success
        do throws(FlowError) {
            _ = try TrustAccounts.run(
                trust.dialogue, ends, as: user?.account, taker: printer.taker)
            printer.end()
        } catch {
            printer.breakOff()
            code = trust.failed(error)
        }
        try trust.finish(
            "accounts of \(name)", documented: "111 frames, 24,000 bytes, 10 s")
        return code
    }
}

/// Prints accounts as they come, a page's worth at a time.
final class AccountPrinter {
    private let isJSON: Bool
    private let domain: String
    private var text = ""
    private var groups = 0
    private var users = 0

    /// Characters until what is there goes out.
    private static let pageSize = 8_192
    /// Users between two words on how far it is.
    private static let progressStep = 500

    init(_ isJSON: Bool, domain: String) {
        self.isJSON = isJSON
        self.domain = domain
    }

    var taker: TrustAccounts<SystemExchange>.Taker {
        TrustAccounts<SystemExchange>.Taker(
            group: { [self] in add($0) }, user: { [self] in add($0) })
    }

    private func add(_ group: SamrRIDName) {
        if isJSON {
            text += groups == 0 ? "{\"groups\":[" : ","
            var writer = JSONWriter()
            writer.object { object in
                object.member("name", group.name)
                object.member("rid", Int(group.relativeID))
            }
            text += writer.finish()
        } else {
            text += "group \(domain)\\\(group.name) \(group.relativeID)\n"
        }
        groups += 1
        flush(unless: Self.pageSize)
    }

    private func add(_ user: SamrDisplayEntry) {
        if isJSON {
            beginUsers()
            var writer = JSONWriter()
            writer.object { object in
                object.member("name", user.accountName)
                object.member("rid", Int(user.relativeID))
                object.member("flags", Int(user.accountControl))
                object.member("full name", user.fullName)
                object.member("comment", user.adminComment)
            }
            text += writer.finish()
        } else {
            text += "user \(domain)\\\(user.accountName) \(user.relativeID)"
            if !user.fullName.isEmpty { text += " \(user.fullName)" }
            text += "\n"
        }
        users += 1
        flush(unless: Self.pageSize)
        if Terminal.isInteractive, users % Self.progressStep == 0 {
            Terminal.writeError("\(users) users\n")
        }
    }

    private func beginUsers() {
        if users > 0 {
            text += ","
        } else {
            text += groups == 0 ? "{\"groups\":[],\"users\":[" : "],\"users\":["
        }
    }

    func end() {
        if isJSON {
            if users == 0 { beginUsers() }
            text += "]}\n"
        }
        flush(unless: 0)
    }

    /// What came is shown, and where it is JSON left unfinished, so that nobody takes a part for
    /// the whole.
    func breakOff() {
        if !text.isEmpty, isJSON { text += "\n" }
        flush(unless: 0)
    }

    private func flush(unless size: Int) {
        if text.utf8.count <= size { return }
        if isJSON { Terminal.write(text) } else { Terminal.show(text) }
        text = ""
    }
}

/// `postern trust permit`: lets a domain trust ours.
enum PermitCommand {
    static func run(
        _ configuration: Configuration, _ options: Options, _ name: String
    ) throws(SetupFailure) -> ExitCode {
        let orders = try LocalOrders(configuration)
        let secret = try Setup.password(options, prompt: "Password of the trust with \(name): ")
        let result = try orders.run(.account, ["permit", "", name], secret: secret)
        return LocalCommand.finish(result, usage: TrustCommand.usage)
    }
}

/// `postern trust list`: both directions.
enum TrustListCommand {
    static func run(
        _ configuration: Configuration, _ options: Options
    ) throws(SetupFailure) -> ExitCode {
        let trusting = try self.trusting(configuration)
        let store = try Setup.store(configuration, owner: try Setup.account(configuration))
        let now = SystemClock.unixSeconds
        var rows: [Row] = []
        for domain in configuration.domains where domain.channel == .trust {
            do throws(StoreError) {
                rows.append(
                    try store.read { state throws(StoreError) in
                        Row(
                            domain: domain.name, account: domain.account,
                            trusted: try state.get(TrustedDomain.self, domain.name),
                            secrets: try state.get(DomainSecrets.self, domain.name))
                    })
            } catch {
                throw SetupFailure(text: error.description)
            }
        }
        if options.has("json") {
            Terminal.write(json(rows, trusting))
        } else {
            Terminal.show(text(rows, trusting, now))
        }
        return .success
    }

    /// The domains that may trust ours; none where we have no domain of our own.
    private static func trusting(
        _ configuration: Configuration
    ) throws(SetupFailure) -> [String] {
        if !configuration.localDomains.contains(where: { $0.accounts }) { return [] }
        let result = try LocalOrders(configuration).run(.account, ["trusts", ""])
        if result.code != .success {
            throw SetupFailure(text: String(result.text.dropLast()), code: result.code)
        }
        return result.text.split(separator: "\n").map { String($0) }
    }

    private struct Row {
        var domain: String
        var account: String
        var trusted: TrustedDomain?
        var secrets: DomainSecrets?
    }

    private static func text(_ rows: [Row], _ trusting: [String], _ now: UInt64) -> String {
        if rows.isEmpty, trusting.isEmpty { return "there are no trusts\n" }
        var text = ""
        for row in rows {
            text += "\(row.domain): trusted, as \(row.account)"
            if let trusted = row.trusted {
                text += ", \(trusted.description), established "
                    + "\(Columns.age(now, since: trusted.established)) ago, verified "
                    + "\(Columns.age(now, since: trusted.verified)) ago"
            } else if row.secrets != nil {
                text += ", secret imported, never verified"
            } else {
                text += ", not established"
            }
            text += "\n"
        }
        for name in trusting { text += "\(name): may trust us\n" }
        return text
    }

    private static func json(_ rows: [Row], _ trusting: [String]) -> String {
        var writer = JSONWriter()
        writer.array { array in
            for row in rows {
                array.object { object in
                    object.member("domain", row.domain)
                    object.member("direction", "trusted")
                    object.member("account", row.account)
                    object.member("established", row.trusted != nil)
                    if let trusted = row.trusted {
                        object.member("sid", trusted.sid?.description ?? "")
                        object.member("primary", trusted.primary)
                        object.member("since", Int(trusted.established))
                        object.member("verified", Int(trusted.verified))
                    }
                    object.member("secret", row.secrets != nil)
                }
            }
            for name in trusting {
                array.object { object in
                    object.member("domain", name)
                    object.member("direction", "trusting")
                    object.member("account", name + "$")
                }
            }
        }
        return writer.finish() + "\n"
    }
}

/// `postern trust revoke`: both directions, as far as there are any.
enum RevokeCommand {
    static func run(
        _ configuration: Configuration, _ name: String
    ) throws(SetupFailure) -> ExitCode {
        let forgotten = try forget(configuration, name)
        if forgotten { Terminal.write("\(name): the trust is forgotten\n") }
        guard configuration.localDomains.contains(where: { $0.accounts }) else {
            if !forgotten { Terminal.writeError("postern: there is no trust with \(name)\n") }
            return forgotten ? .success : .failed
        }
        let result = try LocalOrders(configuration).run(.account, ["revoke", "", name])
        if result.code != .success, forgotten { return .success }
        return LocalCommand.finish(result, usage: TrustCommand.usage)
    }

    /// Whether something was kept of our trust in the domain.
    private static func forget(
        _ configuration: Configuration, _ name: String
    ) throws(SetupFailure) -> Bool {
        let isTrusting = configuration.domains.contains {
            $0.name == name && $0.channel == .trust
        }
        guard isTrusting else { return false }
        let store = try Setup.store(configuration, owner: try Setup.account(configuration))
        do throws(StoreError) {
            return try store.write { state throws(StoreError) in
                let secrets = try state.remove(DomainSecrets.self, name)
                return try state.remove(TrustedDomain.self, name) || secrets
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }
}
