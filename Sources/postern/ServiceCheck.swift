import Configuration
import Loop
import Store
import Wire

/// `postern serve --check`: what the agent would serve with this configuration, and what is in
/// the way.
enum ServiceCheck {
    static func run(_ configuration: Configuration, _ path: String) -> ExitCode {
        var problems: [String] = []
        // With the roles that the state keeps, once it can be read.
        var actual = configuration
        do throws(SetupFailure) {
            let account = try Setup.account(configuration)
            let store = try Setup.store(configuration, owner: account)
            actual = LocalDomains.withChannels(configuration, store, Log(.warning))
            problems += actual.domains.compactMap { secretProblem(of: $0.name, in: store) }
            problems += LocalDomains.problems(configuration, store)
            problems += ControlSocket.problems(configuration.agent)
            let isRunning = LocalListener.isServed(configuration.agent.controlSocket)
            problems += WinbindSocket.problems(configuration.agent, isRunning: isRunning)
            let reader = account ?? Privileges.account
            problems += actual.localDomains.compactMap { netlogonProblem(of: $0, for: reader) }
        } catch {
            problems.append(error.text)
        }
        Terminal.write("\(path): \(configuration.domains.count) domains\n" + outline(actual))
        for problem in problems { Terminal.showError("postern: \(problem)\n") }
        if problems.isEmpty { Terminal.write("all is well\n") }
        return problems.isEmpty ? .success : .failed
    }

    private static func outline(_ configuration: Configuration) -> String {
        var text = ""
        for domain in configuration.domains where !domain.isOfBackup {
            var how = domain.profile == .modern ? "modern" : "nt4"
            if let transport = domain.transport { how += " over \(transport.name)" }
            text += "  \(domain.name): \(how), as \(domain.account), by \(place(of: domain))\n"
        }
        for domain in configuration.localDomains {
            let role = domain.role == .primary ? "primary" : "backup"
            text += "  \(domain.name): local, \(role)\n"
        }
        return text
    }

    /// How its controllers are found.
    private static func place(of domain: DomainSettings) -> String {
        if let name = domain.dnsName { return name }
        if domain.controllers.isEmpty { return "NetBIOS names" }
        return domain.controllers.map { $0.description }.joined(separator: ", ")
    }

    private static func secretProblem(of name: String, in store: StateStore) -> String? {
        do throws(StoreError) {
            let record = try store.read { state throws(StoreError) in
                try state.get(DomainSecrets.self, name)
            }
            if record != nil { return nil }
            return "\(name): no secret; run `postern secret import \(name)`"
        } catch {
            var remedy = ""
            if case .damaged = error { remedy = "; run `postern secret import \(name)`" }
            return "\(name): \(error.description)\(remedy)"
        }
    }

    private static func netlogonProblem(
        of domain: LocalDomainSettings, for account: UserAccount
    ) -> String? {
        guard let directory = domain.netlogonDirectory,
            let problem = SystemTree.problem(root: directory, for: account)
        else { return nil }
        return "\(domain.name): netlogon directory: \(problem)"
    }
}
