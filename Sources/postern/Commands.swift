import Agent
import Consumers
import Domain
import Flows
import Interfaces
import Locator
import Loop
import SecureChannel
import Wire

/// What the agent does for sub-commands that ask it through the control socket.
enum Commands {
    /// What a command ends with.
    enum Outcome {
        /// What was asked for, whether it is good news or not.
        case report(String, ExitCode)
        /// Why there is none, for people: never where a program waits for a table or JSON.
        case failure(String, ExitCode)

        init(_ result: OrderResult) {
            let code = ExitCode(result.outcome)
            self = code == .success ? .report(result.text, code) : .failure(result.text, code)
        }
    }

    typealias Done = (_ outcome: Outcome) -> Void

    /// Searches that may be under way for all clients: one takes files by the dozen.
    private static let mostSearches = 4

    /// What changes the state, or shows accounts.
    private static func isForOwner(_ command: CommandKind) -> Bool {
        [.account, .group, .domain, .secretRotate].contains(command)
    }

    /// `isOwner`: the caller may do what changes the state: root, or who runs the agent.
    static func run(
        _ request: CommandRequest, _ daemon: Daemon, isOwner: Bool,
        capture: @escaping (_ file: [UInt8]) -> Void, done: @escaping Done
    ) {
        if isForOwner(request.command), !isOwner {
            return done(.failure("only root and the agent's own user may do that\n", .failed))
        }
        switch request.command {
        case .account, .group:
            let result = LocalOrders.run(
                request, daemon.agent.locals.map { $0.domain },
                now: daemon.agent.fileTime)
            done(Outcome(result))
        case .domain: domainOrder(request, daemon, done)
        case .status:
            done(.report(StatusReport.text(daemon, json: request.wantsJSON), .success))
        case .find: find(request, daemon, done)
        case .explain: explain(request, daemon, capture, done)
        case .secretRotate: rotate(request, daemon, done)
        case .reload:
            daemon.readSecrets()
            done(.report("", .success))
        case _:
            let number = request.command.rawValue
            done(.failure("this agent does not know command \(number)\n", .usage))
        }
    }

    /// A promotion waits for what the primary says to it.
    private static func domainOrder(
        _ request: CommandRequest, _ daemon: Daemon, _ done: @escaping Done
    ) {
        let domains = daemon.agent.locals.map { $0.domain }
        let run = {
            let result = DomainOrders.run(
                request, domains, primary: { daemon.agent.primaryState($0) },
                state: { daemon.agent.pullState($0, now: daemon.loop.now) },
                changed: { daemon.roleChanged($0) })
            done(Outcome(result))
        }
        guard request.arguments.count >= 2, request.arguments[0] == "promote",
            case .found(let domain) = AccountOrders.find(request.arguments[1], domains),
            let local = domains.firstIndex(where: { $0 === domain })
        else { return run() }
        daemon.look(local, done: run)
    }

    private static func domain(
        _ request: CommandRequest, _ daemon: Daemon, _ done: Done
    ) -> Int? {
        guard let name = request.arguments.first, !name.isEmpty else {
            done(.failure("name a domain\n", .usage))
            return nil
        }
        if let index = daemon.agent.domainIndex(named: name) { return index }
        let known = daemon.agent.domains.map { $0.name }.joined(separator: ", ")
        done(.failure("domain \(name) is not configured; there is: \(known)\n", .failed))
        return nil
    }

    private static func rotate(
        _ request: CommandRequest, _ daemon: Daemon, _ done: @escaping Done
    ) {
        guard let index = domain(request, daemon, done) else { return }
        guard let rotator = daemon.rotator else {
            return done(.failure("not ready yet\n", .unavailable))
        }
        let name = daemon.agent.domains[index].name
        rotator.begin(index) { outcome in
            switch outcome {
            case .changed: done(.report("\(name): the secret is changed\n", .success))
            case .unchanged(let reason):
                done(.failure("\(name): the secret was not changed: \(reason)\n", .failed))
            case .undecided(let reason):
                let words = "the secret may be changed or not, both are kept"
                done(.failure("\(name): \(words): \(reason)\n", .unavailable))
            }
        }
    }

    private static func find(_ request: CommandRequest, _ daemon: Daemon, _ done: @escaping Done) {
        guard let index = domain(request, daemon, done) else { return }
        if daemon.searches >= mostSearches {
            let words = "\(mostSearches) searches are under way; try again\n"
            return done(.failure(words, .unavailable))
        }
        daemon.searches += 1
        let search = DomainSearch(index, daemon, json: request.wantsJSON) { text, code in
            daemon.searches -= 1
            done(.report(text, code))
        }
        search.start()
    }

    /// A domain, the user to log on where the request has a password, and whether the exchange is
    /// wanted as a capture.
    private static func explain(
        _ request: CommandRequest, _ daemon: Daemon,
        _ capture: @escaping (_ file: [UInt8]) -> Void, _ done: @escaping Done
    ) {
        guard let index = domain(request, daemon, done) else { return }
        let name = daemon.agent.domains[index].name
        let words = request.arguments
        var user: LogonCall?
        if let secret = request.secret, words.count > 1 {
            user = LogonCall(
                domain: name, user: words[1], workstation: "",
                parameterControl: ParameterControl.allowServerTrustAccount.rawValue
                    | ParameterControl.allowWorkstationTrustAccount.rawValue,
                proof: .password(secret))
        }
        let wantsFrames = words.contains("capture")
        let explanation = daemon.explain(index, user: user, keepsFrames: wantsFrames) {
            trace, words, code in
            if wantsFrames { capture(CaptureWriter.file(trace.frames)) }
            let text = request.wantsJSON
                ? trace.json(words, code)
                : trace.text + (code == .success ? "\n\(words)\n" : "\nfailed: \(words)\n")
            done(.report(text, code))
        }
        guard let explanation else {
            let words = "\(name) is being explained to somebody else; try again\n"
            return done(.failure(words, .unavailable))
        }
        explanation.start()
    }
}
