import Agent
import Configuration
import Loop
import Store
import Wire

enum ServeCommand {
    static let usage = """
        usage: postern serve [--config FILE] [--check]

        Runs the agent in the foreground. With --check, validates the configuration, the state
        and their permissions, prints what would be done, and exits.

        """

    private static let options = [
        Options.config, Options.Option(name: "check", takesValue: false),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        guard parsed.operands.isEmpty else {
            Terminal.writeError("postern: serve takes no operand\n" + usage)
            return .usage
        }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        if parsed.has("check") { return check(configuration, parsed.configuration) }
        return serve(configuration)
    }

    private static func serve(_ configuration: Configuration) -> ExitCode {
        let log = Log(Log.Level(configuration.agent.logLevel))
        do throws(SystemError) {
            try Privileges.protectMemory()
            Privileges.raiseFileLimit()
            try SystemFile.makeDirectory(configuration.agent.runtimeDirectory, mode: 0o755)
        } catch {
            log.error(error.description)
            return .failed
        }
        let account: UserAccount?
        let store: StateStore
        do throws(SetupFailure) {
            account = try Setup.account(configuration)
            store = try Setup.store(configuration, owner: account)
        } catch {
            log.error(error.text)
            return .failed
        }
        let daemon = Daemon(configuration, store: store, log: log)
        do throws(SystemError) {
            try daemon.bind()
            if let account {
                try Privileges.become(account)
                // A change of user makes the process dumpable again (prctl(2)).
                try Privileges.protectMemory()
            }
        } catch {
            log.error(error.description)
            return .failed
        }
        run(daemon, log)
        return .success
    }

    private static func run(_ daemon: Daemon, _ log: Log) {
        let manager = ServiceManager()
        let stop = {
            manager.stopping()
            daemon.stop()
        }
        let watchers = [
            SignalWatcher(daemon.loop, .terminate, onSignal: stop),
            SignalWatcher(daemon.loop, .interrupt, onSignal: stop),
            SignalWatcher(daemon.loop, .hangUp) { daemon.readSecrets() },
        ]
        var watchdog: Timer?
        if let interval = manager.watchdogInterval {
            let timer = Timer(daemon.loop) {
                manager.alive()
                watchdog?.arm(after: interval / 2)
            }
            watchdog = timer
            timer.arm(after: interval / 2)
        }
        daemon.start {
            log.info("ready")
            let count = daemon.agent.domains.count { !$0.isOfBackup }
            manager.ready(status: "serving \(count) domains")
            Privileges.forgetStart()
        }
        daemon.run()
        for watcher in watchers { watcher.close() }
        watchdog?.close()
        log.info("stopped")
    }

    private static func check(_ configuration: Configuration, _ path: String) -> ExitCode {
        var problems: [String] = []
        do throws(SetupFailure) {
            let account = try Setup.account(configuration)
            let store = try Setup.store(configuration, owner: account)
            for domain in configuration.domains {
                let quiet = Log(.error)
                if AgentBuilder.secrets(of: domain.name, in: store, quiet)?.isEmpty == true {
                    problems.append(
                        "\(domain.name): no secret; run `postern secret import \(domain.name)`")
                }
            }
            for domain in configuration.localDomains where domain.role == .backup {
                if AgentBuilder.secrets(of: domain.name, in: store, Log(.error))?.isEmpty == true {
                    problems.append(
                        "\(domain.name): no secret; run `postern secret import \(domain.name)`")
                }
            }
            problems += LocalDomains.problems(configuration, store)
            let isRunning = LocalListener.isServed(configuration.agent.controlSocket)
            problems += WinbindSocket.problems(configuration.agent, isRunning: isRunning)
        } catch {
            problems.append(error.text)
        }
        Terminal.write("\(path): \(configuration.domains.count) domains\n")
        for domain in configuration.domains {
            var how = domain.profile == .modern ? "modern" : "nt4"
            if let transport = domain.transport { how += " over \(transport.name)" }
            let place = domain.dnsName ?? domain.controllers.map { $0.description }
                .joined(separator: ", ")
            Terminal.write("  \(domain.name): \(how), as \(domain.account), by \(place)\n")
        }
        for domain in configuration.localDomains {
            let role = domain.role == .primary ? "primary" : "backup"
            Terminal.write("  \(domain.name): local, \(role)\n")
        }
        for problem in problems { Terminal.writeError("postern: \(problem)\n") }
        if problems.isEmpty { Terminal.write("all is well\n") }
        return problems.isEmpty ? .success : .failed
    }
}

extension Log.Level {
    init(_ level: LogLevel) {
        switch level {
        case .error: self = .error
        case .warning: self = .warning
        case .info: self = .info
        case .debug: self = .debug
        }
    }
}
