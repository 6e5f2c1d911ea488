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
    typealias Done = (_ text: String, _ code: ExitCode) -> Void

    /// `isOwner`: the caller may do what changes the state: root, or who runs the agent.
    static func run(
        _ request: CommandRequest, _ daemon: Daemon, isOwner: Bool,
        capture: @escaping (_ file: [UInt8]) -> Void, done: @escaping Done
    ) {
        switch request.command {
        case .account, .group:
            guard isOwner else {
                return done("only root and the agent's own user may do that\n", .failed)
            }
            let result = LocalOrders.run(
                request, daemon.agent.locals.map { $0.domain },
                now: daemon.agent.fileTime)
            done(result.text, ExitCode(result.outcome))
        case .domain:
            guard isOwner else {
                return done("only root and the agent's own user may do that\n", .failed)
            }
            domainOrder(request, daemon, done)
        case .status: done(StatusReport.text(daemon, json: request.wantsJSON), .success)
        case .find: find(request, daemon, done)
        case .explain: explain(request, daemon, capture, done)
        case .secretRotate:
            guard isOwner else {
                return done("only root and the agent's own user may do that\n", .failed)
            }
            rotate(request, daemon, done)
        case .reload:
            daemon.readSecrets()
            done("", .success)
        case _:
            done("this agent does not know command \(request.command.rawValue)\n", .usage)
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
            done(result.text, ExitCode(result.outcome))
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
            done("name a domain\n", .usage)
            return nil
        }
        if let index = daemon.agent.domainIndex(named: name) { return index }
        let known = daemon.agent.domains.map { $0.name }.joined(separator: ", ")
        done("domain \(name) is not configured; there is: \(known)\n", .failed)
        return nil
    }

    private static func rotate(
        _ request: CommandRequest, _ daemon: Daemon, _ done: @escaping Done
    ) {
        guard let index = domain(request, daemon, done) else { return }
        guard let rotator = daemon.rotator else { return done("not ready yet\n", .unavailable) }
        let name = daemon.agent.domains[index].name
        rotator.begin(index) { outcome in
            switch outcome {
            case .changed: done("\(name): the secret is changed\n", .success)
            case .unchanged(let reason):
                done("\(name): the secret was not changed: \(reason)\n", .failed)
            case .undecided(let reason):
                done(
                    "\(name): the secret may be changed or not, both are kept: \(reason)\n",
                    .unavailable)
            }
        }
    }

    private static func find(_ request: CommandRequest, _ daemon: Daemon, _ done: @escaping Done) {
        guard let index = domain(request, daemon, done) else { return }
        DomainSearch(index, daemon, json: request.wantsJSON, done: done).start()
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
            done(text, code)
        }
        guard let explanation else {
            return done("\(name) is being explained to somebody else; try again\n", .unavailable)
        }
        explanation.start()
    }
}
