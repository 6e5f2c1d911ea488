import Agent
import Configuration
import Consumers
import Loop
import SecureChannel
import Wire

/// The sockets of winbindd, for programs that are linked with libwbclient: one for everybody, and
/// one for logons by response, in a directory that only members of the control group may enter.
final class WinbindSocket {
    private let daemon: Daemon
    private let host: WinbindHost
    private var listeners: [LocalListener] = []
    private var clients: [UInt32: Client] = [:]
    private var nextClient: UInt32 = 0
    /// Clients, and requests whose client has left, by user: both take of the user's share.
    private var sharesOfUser: [UInt32: Int] = [:]
    /// Whose the requests are that are under way for nobody any more, by their client's number.
    private var orphans: [UInt32: UInt32] = [:]
    private var peers: WinbindPeers
    private var timer: Timer!
    private(set) var counters = WinbindCounters()
    private(set) var refusedClients = 0
    /// Once this is closed: who keeps the connections on which something still waits.
    private var closing: ClosingConnections?
    /// Until when requests that cannot be read are not told of.
    private var quietUntil: UInt64 = 0

    private enum Limit {
        static let clients = 1_024
        /// Clients of one user but root, and requests that they left behind.
        static let sharesOfUser = 256
        /// Milliseconds that a request may be under way from its first byte to its last.
        static let patience: UInt64 = 10_000
        /// Milliseconds from one line about such requests to the next: everybody on the host may
        /// send them, and nobody is to fill the log.
        static let quiet: UInt64 = 60_000
        /// Bytes that wait for one client: a list of as many accounts as there may be.
        static let answer = 4 << 20
    }

    private final class Client {
        let connection: LocalConnection
        let conversation: WinbindConversation

        init(_ connection: LocalConnection, _ conversation: WinbindConversation) {
            self.connection = connection
            self.conversation = conversation
        }
    }

    /// Nil where the configuration has it off. Binds at once, while this is root: clients trust no
    /// socket and no directory of anybody else.
    init?(_ daemon: Daemon) throws(SystemError) {
        let agent = daemon.configuration.agent
        guard let directory = agent.winbindDirectory else { return nil }
        self.daemon = daemon
        let privileged = Self.privileged(directory)
        host = WinbindHost(
            name: agent.name, domain: daemon.agent.winbindDomain,
            version: "Postern " + Main.version, privilegedDirectory: privileged)
        peers = WinbindPeers(
            standard: WinbindInterface(rawValue: UInt32(agent.winbindInterface)) ?? .v32)
        timer = Timer(daemon.loop) { [self] in endTheSlow() }
        daemon.agent.asksForSIDs = true
        if !Privileges.isRoot {
            daemon.log.warning(
                "winbind socket: not started by root, so that programs of other users refuse it")
        }
        var group = Privileges.group
        if Privileges.isRoot, let found = try UserDatabase.group(agent.controlGroup) {
            group = found
        }
        do throws(SystemError) {
            try SystemFile.makeOwnDirectory(directory, mode: 0o755, group: Privileges.group)
            try SystemFile.makeOwnDirectory(privileged, mode: 0o750, group: group)
            try listen(directory, isPrivileged: false)
            try listen(privileged, isPrivileged: true)
        } catch {
            for listener in listeners { listener.close() }
            timer.close()
            for problem in Self.problems(agent, isRunning: false) { daemon.log.error(problem) }
            throw error
        }
    }

    private static func privileged(_ directory: String) -> String { directory + "/privileged" }

    private static func pipe(_ directory: String) -> String { directory + "/pipe" }

    private func listen(_ directory: String, isPrivileged: Bool) throws(SystemError) {
        // Who may connect is the directories' affair, and that of the credentials.
        var options = LocalListener.Options(mode: 0o777)
        options.queueLimit = Limit.answer
        let listener = try LocalListener(
            daemon.loop, path: Self.pipe(directory), options: options
        ) { [self] in accepted($0, isPrivileged: isPrivileged) }
        listeners.append(listener)
    }

    /// Stops listening, and leaves clients to `closing` until they have read what they were sent.
    func close(_ closing: ClosingConnections) {
        for listener in listeners { listener.close() }
        listeners = []
        for (id, client) in clients { closing.add(Self.number(id), client.connection) }
        clients = [:]
        self.closing = closing
        timer.close()
    }

    /// Tells our connections from those of the control socket, whose numbers are smaller.
    private static func number(_ id: UInt32) -> UInt64 { 1 << 32 | UInt64(id) }

    var openConnections: Int { clients.count }

    // MARK: Clients

    private func accepted(_ connection: LocalConnection, isPrivileged: Bool) {
        let user = connection.peer.user
        let isOneTooMany = user != 0 && sharesOfUser[user, default: 0] >= Limit.sharesOfUser
        if isOneTooMany || clients.count >= Limit.clients,
            !endIdle(of: isOneTooMany ? user : nil)
        {
            refusedClients += 1
            return connection.close()
        }
        nextClient &+= 1
        let id = nextClient
        clients[id] = Client(
            connection,
            WinbindConversation(host, isPrivileged: isPrivileged, now: daemon.loop.now))
        sharesOfUser[user, default: 0] += 1
        connection.start(
            received: { [self] in received(id, $0) }, closed: { [self] _ in left(id) })
    }

    /// Ends the client that was silent for the longest time, as libwbclient comes back by itself.
    private func endIdle(of user: UInt32?) -> Bool {
        var silent: (since: UInt64, id: UInt32)?
        for (id, client) in clients where !client.conversation.isBusy {
            if let user, client.connection.peer.user != user { continue }
            let other = (since: client.conversation.lastHeard, id: id)
            if silent.map({ other < $0 }) ?? true { silent = other }
        }
        guard let silent else { return false }
        end(silent.id)
        return true
    }

    private func end(_ id: UInt32) {
        guard let client = clients.removeValue(forKey: id) else { return }
        let user = client.connection.peer.user
        if client.conversation.isBusy {
            // Who leaves and comes again is not to have more under way than who stays.
            orphans[id] = user
        } else {
            giveBackShare(of: user)
        }
        client.connection.close()
    }

    private func giveBackShare(of user: UInt32) {
        let left = sharesOfUser[user, default: 0] - 1
        sharesOfUser[user] = left > 0 ? left : nil
    }

    /// The client has gone by itself.
    private func left(_ id: UInt32) {
        if closing?.ended(Self.number(id)) == true { return }
        if let client = clients[id], client.conversation.onlyAskedForVersion,
            let interface = client.conversation.interface
        {
            let peer = client.connection.peer
            peers.refused(interface, user: peer.user, process: peer.process)
        }
        end(id)
    }

    private func received(_ id: UInt32, _ bytes: Span<UInt8>) {
        guard let client = clients[id] else { return }
        // Who does not read what it was answered asks for nothing more.
        if client.connection.queuedBytes > 0 { return end(id) }
        if client.conversation.interface == nil {
            let peer = client.connection.peer
            client.conversation.presumed = peers.presumed(
                user: peer.user, process: peer.process)
        }
        do throws(WireError) {
            try client.conversation.received(bytes, now: daemon.loop.now)
        } catch {
            return fault(id, client, error)
        }
        proceed(id)
    }

    private func fault(_ id: UInt32, _ client: Client, _ error: WireError) {
        if daemon.loop.now >= quietUntil {
            quietUntil = daemon.loop.now + Limit.quiet
            daemon.log.info(
                "winbind socket, \(client.connection.peer.description): \(error.description)")
        }
        end(id)
    }

    private func proceed(_ id: UInt32) {
        guard let client = clients[id] else { return }
        do throws(WireError) {
            while clients[id] === client,
                let step = try client.conversation.next(&counters, now: daemon.loop.now)
            {
                switch step {
                case .send(let bytes): client.connection.send(bytes)
                case .ask(let request): see(to: request, of: id)
                }
            }
        } catch {
            return fault(id, client, error)
        }
        if let since = client.conversation.partialSince, timer.deadline == nil {
            timer.arm(at: since + Limit.patience)
        }
    }

    private func endTheSlow() {
        var next = UInt64.max
        for (id, client) in clients {
            guard !client.conversation.isBusy, let since = client.conversation.partialSince else {
                continue
            }
            if since + Limit.patience <= daemon.loop.now {
                end(id)
            } else {
                next = min(next, since + Limit.patience)
            }
        }
        timer.arm(at: next == .max ? nil : next)
    }

    // MARK: Requests

    private func see(to request: WinbindRequest, of id: UInt32) {
        switch daemon.agent.decide(request) {
        case .answer(let response): answer(id, response)
        case .logon(let call):
            daemon.logon(call) { [self] outcome in
                answer(id, Agent.winbindResponse(to: request, outcome))
            }
        case .translate(let question, let domain):
            daemon.translate(question, domain: domain) { [self] outcome in
                answer(id, daemon.agent.winbindResponse(to: request, outcome))
            }
        }
    }

    private func answer(_ id: UInt32, _ response: WinbindResponse) {
        if let user = orphans.removeValue(forKey: id) { return giveBackShare(of: user) }
        guard let client = clients[id] else { return }
        client.connection.send(client.conversation.answer(response))
        proceed(id)
    }

    // MARK: What is wrong

    /// Why clients would not be served, in words for the operator. Where the agent is running, the
    /// sockets that answer are its own.
    static func problems(_ agent: AgentSettings, isRunning: Bool) -> [String] {
        guard let directory = agent.winbindDirectory else { return [] }
        var found: [String] = []
        let parent = directory.split(separator: "/").dropLast().joined(separator: "/")
        if DirectoryEntry("/" + parent) == nil {
            found.append("winbind socket: there is no /\(parent): make it, owned by root")
        }
        let privileged = privileged(directory)
        for (path, mode) in [(directory, "755"), (privileged, "750")] {
            guard let entry = DirectoryEntry(path) else { continue }
            if !entry.isDirectory {
                found.append("winbind socket: \(path) is no directory: remove it")
            } else if entry.user != Privileges.user {
                let group = path == privileged ? agent.controlGroup : "root"
                found.append(
                    "winbind socket: \(path) is user \(entry.user)'s, and clients refuse that: "
                        + "chown root:\(group) \(path) && chmod \(mode) \(path)")
            }
        }
        let pipe = pipe(directory)
        if !isRunning, LocalListener.isServed(pipe) {
            found.append(
                "winbind socket: \(pipe) is served by another program: stop winbindd "
                    + "(systemctl disable --now winbind), or name another directory")
        }
        return found
    }
}
