import Agent
import Configuration
import Front
import Loop
import SecureChannel
import Wire

/// The front's TCP ports and connections: tells the front what comes, and does what it wants done.
final class FrontSockets {
    private let daemon: Daemon
    private let loop: EventLoop
    private let settings: ListenSettings
    private(set) var front: Front?
    private var listeners: [TCPListener] = []
    private var connections: [FrontConnection: TCPConnection] = [:]
    /// Those that the front is through with.
    private let closing: ClosingConnections
    private var nextSerial: UInt64 = 0
    private var serials: [FrontConnection: UInt64] = [:]
    /// Connections whose peers left bytes unread when last something was sent, with how many.
    private var unread: [FrontConnection: Int] = [:]
    private var unreadBytes = 0
    private var timer: Timer?
    private var isSettling = false
    /// Connections of clients over all ports.
    private let connectionLimit = Privileges.networkConnections(of: Privileges.fileLimit)
    private(set) var turnedAway = 0

    /// Bytes that wait for peers over all connections, also those that the front is through with.
    /// Beyond it the connection with the most of them ends.
    private static let unreadLimit = 16_777_216

    private enum Port {
        static let mapper: UInt16 = 135
        static let session: UInt16 = 139
        static let direct: UInt16 = 445
    }

    /// Tells the front's logons from those of the control socket, whose numbers are small.
    private static let mark: UInt64 = 1 << 63

    /// Nil where the configuration has the front off.
    init?(_ daemon: Daemon) {
        guard let settings = daemon.configuration.listen, settings.smb || settings.rpc else {
            return nil
        }
        self.daemon = daemon
        loop = daemon.loop
        self.settings = settings
        closing = ClosingConnections(daemon.loop)
    }

    // MARK: Life

    /// Binds all ports on all addresses, while there are privileges to do so.
    func bind() throws(SystemError) {
        var rpcPort: UInt16?
        if settings.rpc {
            rpcPort = try bindRPC()
            try listen(Port.mapper &+ settings.portOffset, .rpc(Port.mapper))
        }
        if settings.smb {
            try listen(Port.session &+ settings.portOffset, .session)
            try listen(Port.direct &+ settings.portOffset, .direct)
        }
        front = FrontBuilder.front(
            daemon.configuration, daemon.agent, rpcPort: rpcPort,
            neighbourhood: daemon.names.neighbourhood)
        timer = Timer(loop) { [self] in
            front?.tick(now: time)
            settle()
        }
    }

    /// One port on all addresses, chosen by the system on the first one unless it is configured.
    private func bindRPC() throws(SystemError) -> UInt16 {
        var port = settings.rpcPort
        for network in settings.interfaces {
            let listener = try listener(Endpoint(network.address, port), .rpc(port))
            port = listener.local.port
            listeners.append(listener)
        }
        return port
    }

    private func listen(_ port: UInt16, _ kind: FrontPort) throws(SystemError) {
        for network in settings.interfaces {
            listeners.append(try listener(Endpoint(network.address, port), kind))
        }
    }

    private func listener(
        _ endpoint: Endpoint, _ kind: FrontPort
    ) throws(SystemError) -> TCPListener {
        try TCPListener(loop, bind: endpoint) { [self] in accepted($0, kind) }
    }

    func close() {
        for listener in listeners { listener.close() }
        listeners = []
        for connection in connections.values { connection.close() }
        closing.close()
        connections = [:]
        timer?.close()
        front = nil
    }

    private var time: FrontTime { FrontTime(now: loop.now, unix: SystemClock.unixSeconds) }

    // MARK: Connections

    private func accepted(_ connection: TCPConnection, _ kind: FrontPort) {
        if connections.count + closing.count >= connectionLimit {
            turnedAway += 1
            return connection.close()
        }
        guard let front,
            let id = front.opened(from: connection.peer.address, on: kind, now: time)
        else { return connection.close() }
        nextSerial += 1
        let serial = nextSerial
        connections[id] = connection
        serials[id] = serial
        connection.start(
            received: { [self] bytes in
                self.front?.received(id, bytes, now: time)
                settle()
            },
            closed: { [self] _ in
                if closing.ended(serial) { return }
                lose(id)
                settle()
            })
        settle()
    }

    /// The connection is gone, and the front is told.
    private func lose(_ id: FrontConnection) {
        connections.removeValue(forKey: id)?.close()
        serials[id] = nil
        note(id, unread: 0)
        front?.closed(id, now: time)
    }

    private func end(_ id: FrontConnection) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        note(id, unread: 0)
        closing.add(serials.removeValue(forKey: id) ?? 0, connection)
    }

    // MARK: Logons

    /// Whether an answer of the router is for the front.
    static func isOurs(_ caller: UInt64) -> Bool { caller & mark != 0 }

    func answered(_ caller: UInt64, _ outcome: LogonOutcome) {
        front?.answered(caller & ~Self.mark, outcome, now: time)
        settle()
    }

    func translated(_ caller: UInt64, _ outcome: TranslationOutcome) {
        front?.translated(caller & ~Self.mark, outcome, now: time)
        settle()
    }

    // MARK: What the front wants done

    private func send(_ bytes: [UInt8], on id: FrontConnection) {
        guard let connection = connections[id] else { return }
        connection.send(bytes)
        note(id, unread: connection.queuedBytes)
        if unreadBytes + closing.queuedBytes > Self.unreadLimit { endLargest() }
    }

    private func endLargest() {
        // Some have read meanwhile.
        for id in Array(unread.keys) { note(id, unread: connections[id]?.queuedBytes ?? 0) }
        while unreadBytes + closing.queuedBytes > Self.unreadLimit {
            let most = unread.max { $0.value < $1.value }
            guard let most, most.value > closing.most else {
                closing.closeLargest()
                continue
            }
            daemon.log.warning(
                "\(connections[most.key]?.peer.description ?? "") does not read what it asks for")
            lose(most.key)
        }
    }

    private func note(_ id: FrontConnection, unread count: Int) {
        if count == 0 && unread.isEmpty { return }
        let before = unread[id] ?? 0
        unread[id] = count == 0 ? nil : count
        unreadBytes += count - before
    }

    private func settle() {
        if isSettling { return }
        isSettling = true
        while let output = front?.nextOutput() {
            switch output {
            case .send(let id, let bytes): send(bytes, on: id)
            case .close(let id): end(id)
            case .logon(let token, let logon):
                daemon.logon(LogonCall(logon), caller: token | Self.mark)
            case .blocked(let logon): daemon.blocked(LogonCall(logon))
            case .translate(let token, let domain, let question):
                daemon.translate(question, domain: domain, caller: token | Self.mark)
            }
        }
        isSettling = false
        daemon.noteMarks()
        if let next = front?.nextDeadline { timer?.arm(at: next == .max ? nil : next) }
    }

    // MARK: What `postern status` shows

    var openConnections: Int { connections.count }
}
