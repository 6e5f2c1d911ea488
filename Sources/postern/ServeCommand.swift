import Agent
import Configuration
import Loop
import Store
import Wire

enum ServeCommand {
    static let usage = """
        usage: postern serve [--config FILE] [--check]

        Runs the agent in the foreground. With --check, validates the configuration, the state
        (which is made where there is none) and their permissions, prints what would be done and
        what is in the way, and exits. --help also lists the keys of the configuration.

        """

    private static let options = [
        Options.config, Options.Option(name: "check", takesValue: false),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words, options, usage: usage, more: "\n" + Configuration.keyTable)
        guard let parsed else { return code }
        guard parsed.operands.isEmpty else {
            Terminal.writeError("postern: serve takes no operand\n" + usage)
            return .usage
        }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        if parsed.has("check") { return ServiceCheck.run(configuration, parsed.configuration) }
        return serve(configuration)
    }

    private static func serve(_ configuration: Configuration) -> ExitCode {
        let log = Log(Log.Level(configuration.agent.logLevel))
        // Two that have the domain's state open would be in each other's way: the first one could
        // write nothing any more.
        if LocalListener.isServed(configuration.agent.controlSocket) {
            log.error(
                "\(configuration.agent.controlSocket): an agent serves this already; stop that one "
                    + "(systemctl stop postern), or set another `runtime directory =`")
            return .failed
        }
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
            log.error(error.description + remedy(error))
            return .failed
        }
        run(daemon, log)
        return .success
    }

    private static func remedy(_ error: SystemError) -> String {
        guard error.isOccupied else { return "" }
        return "; another program serves there, as nmbd, smbd and samba do for old clients: "
            + "`ss -tulpn` names it"
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
