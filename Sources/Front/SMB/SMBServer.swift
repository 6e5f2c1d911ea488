import NetBIOS
import SMB
import Wire

/// The number that the owner gives a TCP connection; never given twice.
package struct SMBConnectionID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package var description: String { "connection \(rawValue)" }
}

/// The SMB1 server of legacy clients, for all their connections: the session service, every
/// dialect from the core one to NT LM 0.12, sessions, `IPC$` with its named pipes and remote
/// administration, and a read-only share NETLOGON where there is one. No other file service.
///
/// It does no I/O and has no clock. Connections, bytes, verdicts and the time go in;
/// `nextOutput` tells what is to be done, `nextDeadline` when `tick` is due.
///
///     bytes ─→ SMBConnection: frames, dialect, sessions, trees, open pipes
///                └→ SMBExchange: one request, its chain of commands, its response
package final class SMBServer {
    package enum Output {
        case send(SMBConnectionID, [UInt8])
        /// After what was to be sent is gone; `closed` is not called for it.
        case close(SMBConnectionID)
        /// A logon to be validated; `logonAnswered` brings the verdict under the same token.
        case logon(token: UInt64, FrontLogon)
        /// A logon that was refused by policy without asking, to be counted.
        case blocked(FrontLogon)
    }

    private let context: SMBContext
    private var connections: [SMBConnectionID: SMBConnection] = [:]
    private var peers: [IPv4Address: Int] = [:]
    /// Over all connections.
    private(set) var heldBytes = 0
    package var heldLimit = SMBLimits.heldBytes

    /// `random` gives unpredictable bytes: the challenges.
    package init(
        _ settings: SMBServerSettings, pipes: any PipeServer,
        administration: (any RemoteAdministration)?, files: (any SharedFiles)?,
        random: @escaping (Int) -> [UInt8]
    ) {
        context = SMBContext(settings, pipes, administration, files, random)
    }

    package var counters: SMBCounters { context.counters }

    package var connectionCount: Int { connections.count }

    // MARK: Connections

    /// A client has connected, to port 139 or 445 as `framing` says. False where there are too
    /// many: the owner closes it.
    package func opened(
        _ id: SMBConnectionID, from peer: IPv4Address, _ framing: SessionFraming, now: FrontTime
    ) -> Bool {
        let ofPeer = peers[peer] ?? 0
        if connections.count >= SMBLimits.connections || ofPeer >= SMBLimits.connectionsOfPeer {
            context.counters.refusedConnections += 1
            return false
        }
        precondition(connections[id] == nil, "a connection's number given twice")
        peers[peer] = ofPeer + 1
        connections[id] = SMBConnection(id, peer, framing, context, now)
        context.counters.connections += 1
        return true
    }

    package func received(_ id: SMBConnectionID, _ bytes: Span<UInt8>, now: FrontTime) {
        guard let connection = connections[id] else { return }
        connection.receive(bytes, now)
        settle(connection)
    }

    /// The client, or the network, has ended the connection.
    package func closed(_ id: SMBConnectionID) {
        guard let connection = connections[id] else { return }
        remove(connection)
    }

    // MARK: Answers of others

    /// Each token is answered once, also where its client is gone meanwhile.
    package func logonAnswered(_ token: UInt64, _ verdict: FrontVerdict, now: FrontTime) {
        let id = context.logons.answered(token, verdict, now: now.now)
        if let id { bring(verdict, under: token, to: id, now) }
        askWaiting(now: now)
    }

    /// What counts the failed logons of all who ask.
    var guesses: GuessLimiter { context.guesses }

    /// Asks for the logons whose turn has come. To be called after one of others was answered.
    func askWaiting(now: FrontTime) {
        while let ready = context.logons.nextReady(now: now.now) {
            switch ready {
            case .ask(let token, let logon): context.emit(.logon(token: token, logon))
            case .refuse(let id, let token):
                context.counters.refusedGuesses += 1
                bring(.refused(.accountLockedOut), under: token, to: id, now)
            }
        }
    }

    private func bring(
        _ verdict: FrontVerdict, under token: UInt64, to id: SMBConnectionID, _ now: FrontTime
    ) {
        guard let connection = connections[id] else { return }
        connection.logonAnswered(token, verdict, now)
        settle(connection)
    }

    /// Pipes have something to read: asks the pipe server which. To be called after anything was
    /// given to those who answer the pipes' calls.
    package func pipesAnswered(now: FrontTime) {
        while let pipe = context.pipes.nextReady() {
            guard let id = context.pipeOwners[pipe], let connection = connections[id] else {
                continue
            }
            connection.pipeReady(pipe, now)
            settle(connection)
        }
    }

    // MARK: Outputs

    /// What is to be done next, in order; nil when all has been told.
    package func nextOutput() -> Output? { context.nextOutput() }

    // MARK: Time

    package var nextDeadline: UInt64? { context.nextCheck }

    package func tick(now: FrontTime) {
        guard let check = context.nextCheck, now.now >= check else { return }
        context.nextCheck = nil
        for connection in Array(connections.values) {
            connection.expire(now)
            settle(connection)
        }
    }

    // MARK: Teardown

    /// Removes the connection if it has come to its end.
    private func settle(_ connection: SMBConnection) {
        if connection.isAuthenticated { uncount(connection) }
        count(connection)
        while heldBytes > heldLimit, let greediest {
            context.counters.overLimit += 1
            greediest.close()
            end(greediest)
        }
        if connection.isClosed, connections[connection.id] != nil { end(connection) }
    }

    /// Takes the bytes that it has us keep into the account.
    private func count(_ connection: SMBConnection) {
        let held = connection.isClosed ? 0 : connection.heldBytes
        heldBytes += held - connection.countedBytes
        connection.countedBytes = held
    }

    private var greediest: SMBConnection? {
        connections.values.max { $0.countedBytes < $1.countedBytes }
    }

    private func end(_ connection: SMBConnection) {
        context.emit(.close(connection.id))
        remove(connection)
    }

    private func remove(_ connection: SMBConnection) {
        connection.end()
        count(connection)
        connections[connection.id] = nil
        uncount(connection)
    }

    /// The connection no longer counts against its address.
    private func uncount(_ connection: SMBConnection) {
        guard connection.countsForPeer else { return }
        connection.countsForPeer = false
        let left = (peers[connection.peer] ?? 1) - 1
        peers[connection.peer] = left > 0 ? left : nil
    }
}

/// What happened, for those who watch.
package struct SMBCounters: Equatable, Sendable {
    package var connections = 0
    package var refusedConnections = 0
    /// Frames, messages and pipes' transactions that could not be read.
    package var malformed = 0
    /// Calls of remote administration whose parameters could not.
    package var malformedCalls = 0
    package var badSignatures = 0
    /// Frames that were not completed, and logons that did not come, in time.
    package var expired = 0
    /// Connections ended because too many bytes were kept, and theirs were the most.
    package var overLimit = 0
    package var logons = 0
    package var failedLogons = 0
    /// Logons refused without asking, as too many had failed.
    package var refusedGuesses = 0
    /// Passwords in plain that were not taken, as the policy is.
    package var plainPasswords = 0

    package init() {}
}

/// What all connections share: the settings, who serves what they ask for, and the outputs.
final class SMBContext {
    let settings: SMBServerSettings
    let pipes: any PipeServer
    let administration: (any RemoteAdministration)?
    let files: (any SharedFiles)?
    let random: (Int) -> [UInt8]
    var counters = SMBCounters()
    let guesses: GuessLimiter
    var logons: LogonQueue<SMBConnectionID>
    var pipeOwners: [PipeID: SMBConnectionID] = [:]
    var nextCheck: UInt64?
    private var outputs = OutputQueue<SMBServer.Output>()

    init(
        _ settings: SMBServerSettings, _ pipes: any PipeServer,
        _ administration: (any RemoteAdministration)?, _ files: (any SharedFiles)?,
        _ random: @escaping (Int) -> [UInt8]
    ) {
        self.settings = settings
        self.pipes = pipes
        self.administration = administration
        self.files = files
        self.random = random
        guesses = GuessLimiter(settings.guessing)
        logons = LogonQueue(guesses)
    }

    func emit(_ output: SMBServer.Output) { outputs.append(output) }

    func nextOutput() -> SMBServer.Output? { outputs.next() }

    /// Makes `tick` look at the deadlines no later than `time` and a bit: deadlines that lie
    /// close together are met at once.
    func check(at time: UInt64) {
        let rounded = (time / SMBLimits.tick + 1) * SMBLimits.tick
        nextCheck = min(nextCheck ?? rounded, rounded)
    }
}
