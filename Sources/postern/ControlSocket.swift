import Agent
import Configuration
import Consumers
import Crypto
import Loop
import SecureChannel
import Wire

/// The local socket by which sub-commands and `ntlm_auth` callers reach the agent.
final class ControlSocket {
    private let daemon: Daemon
    private let listener: LocalListener
    private var clients: [UInt32: Client] = [:]
    private var nextClient: UInt32 = 0
    private var calls: [UInt64: Call] = [:]
    private var nextCall: UInt64 = 0
    private(set) var refusedClients = 0
    /// Once this is closed: who keeps the connections on which something still waits.
    private var closing: ClosingConnections?
    /// Until when groups that nobody knows are not told of.
    private var quietUntil: UInt64 = 0

    private enum Limit {
        /// Root and our own user may be more.
        static let clients = 4_096
        /// Requests of one client that are under way.
        static let calls = 512
        /// And of these the commands, which take more than a logon.
        static let commands = 16
        /// Bytes that wait for one client to read them: a list of as many accounts as there may be.
        static let answer = 64 << 20
        /// Milliseconds from one line about groups that nobody knows to the next, as a caller names
        /// the same one with every logon.
        static let quiet: UInt64 = 60_000
    }

    private final class Client {
        let connection: LocalConnection
        var cutter = FrameCutter(maximum: ControlFrame.maximumRequest)
        var calls = 0
        var commands = 0

        init(_ connection: LocalConnection) { self.connection = connection }
    }

    private struct Call {
        var client: UInt32
        var requestID: UInt32
        var wants: ControlLogonRequest.Wants
        var requiredGroups: String
    }

    init(_ daemon: Daemon) throws(SystemError) {
        self.daemon = daemon
        let agent = daemon.configuration.agent
        var options = LocalListener.Options()
        options.queueLimit = Limit.answer
        // Only root may give a file to another group: an agent without root is its owner's alone.
        if Privileges.isRoot {
            if let found = try UserDatabase.group(agent.controlGroup) {
                options.mode = 0o660
                options.group = found
            } else {
                daemon.log.error(Self.problem(ofMissing: agent.controlGroup))
            }
        }
        var accept: (LocalConnection) -> Void = { _ in }
        listener = try LocalListener(
            daemon.loop, path: agent.runtimeDirectory + "/control", options: options
        ) { accept($0) }
        accept = { [self] in accepted($0) }
    }

    private static func problem(ofMissing group: String) -> String {
        "there is no group '\(group)', so that only root may use the control socket and log on by "
            + "response at the winbind socket: see `control group =`"
    }

    /// Why clients would not be served, in words for the operator.
    static func problems(_ agent: AgentSettings) -> [String] {
        guard Privileges.isRoot else { return [] }
        do throws(SystemError) {
            let isThere = try UserDatabase.group(agent.controlGroup) != nil
            return isThere ? [] : [problem(ofMissing: agent.controlGroup)]
        } catch {
            return [error.description]
        }
    }

    /// Stops listening, and leaves clients to `closing` until they have read what they were sent.
    func close(_ closing: ClosingConnections) {
        listener.close()
        for (id, client) in clients { closing.add(UInt64(id), client.connection) }
        clients.removeAll()
        self.closing = closing
    }

    private func accepted(_ connection: LocalConnection) {
        if clients.count >= Limit.clients, !Privileges.isOwner(connection.peer.user) {
            refusedClients += 1
            connection.close()
            return
        }
        nextClient &+= 1
        let id = nextClient
        let client = Client(connection)
        clients[id] = client
        connection.start(
            received: { self.received(id, $0) }, closed: { _ in self.gone(id) })
    }

    private func gone(_ id: UInt32) {
        if closing?.ended(UInt64(id)) == true { return }
        clients.removeValue(forKey: id)?.connection.close()
    }

    private func received(_ id: UInt32, _ bytes: Span<UInt8>) {
        guard let client = clients[id] else { return }
        client.cutter.append(bytes)
        do throws(WireError) {
            while let frame = try client.cutter.next() {
                try take(frame, from: id, client)
                if clients[id] == nil { return }
            }
        } catch {
            daemon.log.warning(
                "control socket, \(client.connection.peer.description): \(error.description)")
            gone(id)
        }
    }

    private func take(_ frame: Secret, from id: UInt32, _ client: Client) throws(WireError) {
        let bytes = frame.bytes
        let (kind, requestID) = try ControlFrame.header(bytes)
        var reader = WireReader(bytes.span, layer: "control frame")
        switch kind {
        case .ping:
            let ping = try ControlPing(parsing: &reader)
            let pong = ControlPing(requestID: ping.requestID, isAnswer: true)
            send(ControlFrame.bytes { pong.write(into: &$0) }, to: id)
        case .logonRequest:
            let request = try ControlLogonRequest(parsing: &reader)
            if client.calls >= Limit.calls {
                reply(id, ControlLogonReply(
                    requestID: requestID, outcome: .overloaded,
                    ntStatus: .insufficientResources))
                return
            }
            logon(request, id, client)
        case .commandRequest:
            command(try CommandRequest(parsing: &reader), id, client)
        case _:
            throw WireError(
                .invalid, layer: "control frame", field: "kind", offset: 0,
                needed: Int(kind.rawValue))
        }
    }

    private func send(_ bytes: [UInt8], to id: UInt32) { clients[id]?.connection.send(bytes) }

    // MARK: Logons

    private func logon(_ request: ControlLogonRequest, _ id: UInt32, _ client: Client) {
        nextCall &+= 1
        calls[nextCall] = Call(
            client: id, requestID: request.requestID, wants: request.wants,
            requiredGroups: request.requiredGroup)
        client.calls += 1
        let proof: LogonCall.Proof
        switch request.credential {
        case .password(let secret): proof = .password(secret)
        case .response(let challenge, let nt, let lm):
            proof = .responses(challenge: challenge, nt: nt, lm: lm)
        }
        daemon.logon(
            LogonCall(
                domain: request.domain ?? "", user: request.user,
                workstation: request.workstation ?? "",
                parameterControl: request.parameterControl, proof: proof,
                patience: UInt64(request.deadline),
                wantsKeys: !request.wants.isDisjoint(with: [.ntKey, .lmKey]),
                requiredGroups: request.requiredGroup),
            caller: nextCall)
    }

    func answer(_ caller: UInt64, _ outcome: SecureChannel.LogonOutcome) {
        guard let call = calls.removeValue(forKey: caller) else { return }
        clients[call.client]?.calls -= 1
        var reply: ControlLogonReply
        switch outcome {
        case .accepted(let identity):
            reply = ControlLogonReply(
                requestID: call.requestID, outcome: .success, ntStatus: .success)
            if call.wants.contains(.ntKey) { reply.ntKey = Secret(identity.sessionKey.bytes) }
            if call.wants.contains(.lmKey) { reply.lmKey = Secret(identity.lmKey.bytes) }
            reply.domain = identity.domain
            reply.user = identity.user
            if call.wants.contains(.groups) {
                reply.groupRIDs = Array(
                    identity.groupRIDs.prefix(ControlLogonReply.maximumGroups))
            }
        case .refused(let status, let authoritative):
            reply = ControlLogonReply(
                requestID: call.requestID, outcome: .refused, ntStatus: status)
            reply.isAuthoritative = authoritative
            if status == .noSuchGroup, !call.requiredGroups.isEmpty {
                reply.text = unknown(call.requiredGroups)
            }
        case .unavailable(let reason):
            reply = ControlLogonReply(
                requestID: call.requestID,
                outcome: reason == .overloaded ? .overloaded : .unavailable,
                ntStatus: .noLogonServers)
            reply.isAuthoritative = false
            reply.text = reason.description
        }
        self.reply(call.client, reply)
    }

    /// What a person should know of required groups that nobody knows.
    private func unknown(_ groups: String) -> String {
        // A caller's text may not make lines of the log.
        let shown = groups.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
        let text = "no group is known as \(String(decoding: shown, as: UTF8.self)): name one as "
            + "DOMAIN\\group or by its SID"
        if daemon.loop.now >= quietUntil {
            quietUntil = daemon.loop.now + Limit.quiet
            daemon.log.warning("a logon was refused: \(text)")
        }
        return text
    }

    private func reply(_ client: UInt32, _ reply: ControlLogonReply) {
        send(ControlFrame.bytes { reply.write(into: &$0) }, to: client)
    }

    // MARK: Commands

    private func command(_ request: CommandRequest, _ id: UInt32, _ client: Client) {
        let requestID = request.requestID
        if client.commands >= Limit.commands {
            let words = "\(Limit.commands) commands of this connection are under way; try again\n"
            return finish(requestID, .failure(words, .unavailable), to: id)
        }
        client.commands += 1
        Commands.run(
            request, daemon, isOwner: Privileges.isOwner(client.connection.peer.user),
            capture: { self.output($0, .capture, requestID, to: id) }
        ) { outcome in
            client.commands -= 1
            self.finish(requestID, outcome, to: id)
        }
    }

    private func finish(_ requestID: UInt32, _ outcome: Commands.Outcome, to id: UInt32) {
        let code: ExitCode
        switch outcome {
        case .report(let text, let reached):
            output(Array(text.utf8), .standardOutput, requestID, to: id)
            code = reached
        case .failure(let text, let reason):
            output(Array(text.utf8), .standardError, requestID, to: id)
            code = reason
        }
        let end = CommandEnd(requestID: requestID, exitCode: UInt8(code.rawValue))
        send(ControlFrame.bytes { end.write(into: &$0) }, to: id)
    }

    private func output(
        _ bytes: [UInt8], _ stream: CommandOutput.Stream, _ requestID: UInt32, to id: UInt32
    ) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let piece = Array(bytes.prefix(CommandOutput.maximumText))
            bytes = bytes.dropFirst(piece.count)
            let output = CommandOutput(requestID: requestID, stream: stream, text: piece)
            send(ControlFrame.bytes { output.write(into: &$0) }, to: id)
        }
    }
}
