import Agent
import Crypto
import Loop
import Mailslot
import SecureChannel
import Wire

/// The demonstration's steps, one after the other; each begins when the one before it is answered.
final class DemoRun {
    private let world: DemoWorld
    private let client: DemoClient
    private(set) var report = DemoReport()
    private(set) var failure: String?
    private var cached: [UInt64] = []

    private static let cachedLogons = 100

    init(_ world: DemoWorld) throws(SetupFailure) {
        self.world = world
        do throws(SystemError) {
            client = try DemoClient(
                world.loop, name: "OLDCLIENT", address: DemoWorld.clientAddress,
                agent: world.agentDatagrams)
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    func start() {
        world.loop.updateNow()
        world.primary.start { [self] in
            world.agent.start {}
            firstLogon()
        }
    }

    private func end(_ failure: String? = nil) {
        self.failure = failure
        client.close()
        world.loop.stop()
    }

    // MARK: Steps

    /// The controller is found, the channel made, and the logon passed: flow F6.
    private func firstLogon() {
        logOn(DemoWorld.password) { [self] outcome, messages, bytes, time in
            guard case .accepted = outcome else {
                return end("the first logon: \(Self.words(outcome))")
            }
            report.rows.append(
                DemoReport.Row(
                    flow: "first logon (F6)", documented: "20 frames, 3,700 B, 200 ms",
                    messages: messages, bytes: bytes, microseconds: time,
                    outcome: Self.words(outcome)))
            askForPrimary()
        }
    }

    private func askForPrimary() {
        client.askForPrimary(of: DemoWorld.domain) { [self] answer in
            guard let answer, case .primaryResponse(let found) = answer.message else {
                return end("GETDC was not answered")
            }
            add(
                "GETDC (F2)", "of F2's 107 frames", answer,
                "primary controller \(found.primaryDCName.description)")
            askForLogonServer()
        }
    }

    private func askForLogonServer() {
        client.askForLogonServer(of: DemoWorld.domain, user: DemoWorld.user) { [self] answer in
            guard let answer, case .samLogonResponse(let found) = answer.message else {
                return end("SAM LOGON was not answered")
            }
            add(
                "SAM LOGON (F2)", "about 330 + 295 B", answer,
                "logon server \(found.unicodeLogonServer.description)")
            cachedLogon()
        }
    }

    private func add(
        _ flow: String, _ documented: String, _ answer: DemoClient.Answer, _ outcome: String
    ) {
        report.rows.append(
            DemoReport.Row(
                flow: flow, documented: documented, messages: 2, bytes: answer.bytes,
                microseconds: answer.microseconds, outcome: outcome))
    }

    /// One request, one response: flow F7. The median of many.
    private func cachedLogon() {
        logOn(DemoWorld.password) { [self] outcome, messages, bytes, time in
            guard case .accepted = outcome else {
                return end("a cached logon: \(Self.words(outcome))")
            }
            cached.append(time)
            if cached.count < Self.cachedLogons { return cachedLogon() }
            report.rows.append(
                DemoReport.Row(
                    flow: "cached logon (F7)", documented: "2 frames, 942 B, 13 ms",
                    messages: messages, bytes: bytes,
                    microseconds: cached.sorted()[cached.count / 2],
                    outcome: "\(Self.words(outcome)), median of \(cached.count)"))
            wrongPassword()
        }
    }

    private func wrongPassword() {
        logOn("not " + DemoWorld.password) { [self] outcome, messages, bytes, time in
            guard case .refused = outcome else {
                return end("a wrong password: \(Self.words(outcome))")
            }
            report.rows.append(
                DemoReport.Row(
                    flow: "wrong password", documented: "", messages: messages, bytes: bytes,
                    microseconds: time, outcome: Self.words(outcome)))
            end()
        }
    }

    private func logOn(
        _ password: String,
        done: @escaping (_ outcome: LogonOutcome, _ messages: Int, _ bytes: Int, _ time: UInt64)
            -> Void
    ) {
        let before = world.agent.sockets[0].traffic
        let since = world.loop.microseconds
        let call = LogonCall(
            domain: DemoWorld.domain, user: DemoWorld.user, workstation: "OLDCLIENT",
            parameterControl: 0, proof: .password(Secret(Array(password.utf8))))
        world.agent.logon(call) { [self] outcome in
            let after = world.agent.sockets[0].traffic
            let messages = after.messages - before.messages
            done(
                outcome, messages,
                after.bytes - before.bytes + messages * DemoReport.segmentOverhead,
                world.loop.microseconds - since)
        }
    }

    private static func words(_ outcome: LogonOutcome) -> String {
        switch outcome {
        case .accepted(let identity): "accepted, \(identity.domain)\\\(identity.user)"
        case .refused(let status, _): "refused, \(status.name)"
        case .unavailable(let why): "unavailable: \(why.description)"
        }
    }
}
