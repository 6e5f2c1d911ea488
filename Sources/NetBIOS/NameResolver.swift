import Wire

/// Finds names' owners as a hybrid node does, RFC 1002 5.1.2.2 and 5.1.4.2: the name servers first,
/// where there are some, then by broadcast; and asks nodes for their names. Several queries run at
/// a time. It does no I/O: datagrams and time go in, `outbox` and `takeCompletions` come out.
package final class NameResolver {
    /// RFC 1002 6, BCAST_REQ_RETRY_COUNT and BCAST_REQ_RETRY_TIMEOUT.
    package static let tries = 3
    package static let broadcastRetry: UInt64 = 250
    /// Milliseconds. The specification's 5 s for servers dates from slower networks.
    package static let serverRetry: UInt64 = 500
    /// How long the further owners of a group name are waited for after the first one's answer.
    package static let gatherTime: UInt64 = 250
    /// A server that asks for patience gets this at most.
    package static let longestWait: UInt64 = 5_000
    package static let mostQueries = 256
    package static let mostAddresses = 64

    package struct Configuration: Sendable {
        package var interfaces: [IPv4Network]
        /// In order of preference: the next one is asked where one has no answer, or says that
        /// there is no such name.
        package var nameServers: [IPv4Address]
        /// The port that name services listen on, 137 but for tests.
        package var port: UInt16
        package var scope: [UInt8]

        package init(
            interfaces: [IPv4Network], nameServers: [IPv4Address] = [], port: UInt16 = 137,
            scope: [UInt8] = []
        ) {
            self.interfaces = interfaces
            self.nameServers = nameServers
            self.port = port
            self.scope = scope
        }
    }

    package struct QueryID: Hashable, Sendable {
        fileprivate var value: UInt64
    }

    package enum Result: Equatable, Sendable {
        case addresses([AddressEntry])
        case nodeStatus(NodeStatus)
        /// The server knows the name to have no owner, and no broadcast found one.
        case noSuchName
        case noAnswer
    }

    package struct Completion: Equatable, Sendable {
        package var id: QueryID
        package var result: Result

        package init(id: QueryID, result: Result) {
            self.id = id
            self.result = result
        }
    }

    /// What was ignored, and why.
    package struct Counters: Equatable, Sendable {
        package var malformed = 0
        package var notResponses = 0
        package var unknownTransactions = 0
        package var wrongSources = 0
        package var wrongNames = 0
        package var contradictory = 0

        package init() {}
    }

    private enum Phase: Equatable {
        /// An index in the list of servers.
        case askingServer(Int)
        case broadcasting
        case gathering
        case askingNode(Endpoint)
    }

    private struct Query {
        var id: QueryID
        var transactionID: UInt16
        var name: NetBIOSName
        var phase: Phase
        var sent = 0
        var deadline: UInt64
        var found: [AddressEntry] = []
        var refusedByServer = false
    }

    package let configuration: Configuration
    package private(set) var counters = Counters()
    package var outbox = DatagramOutbox()
    private let random: () -> UInt32
    private var queries: [Query] = []
    private var completions: [Completion] = []
    private var lastID: UInt64 = 0

    /// `random` gives the transactions' numbers: who cannot see a query must not guess them.
    package init(_ configuration: Configuration, random: @escaping () -> UInt32) {
        self.configuration = configuration
        self.random = random
    }

    // MARK: Asking

    /// Begins to look for `name`; nil where there are too many queries already, or neither a
    /// server nor an interface to ask.
    package func resolve(_ name: NetBIOSName, now: UInt64) -> QueryID? {
        if configuration.nameServers.isEmpty && configuration.interfaces.isEmpty { return nil }
        let phase: Phase = configuration.nameServers.isEmpty ? .broadcasting : .askingServer(0)
        return begin(name.upcased, phase, now)
    }

    /// Begins to ask the node at `address` for its names.
    package func nodeStatus(of address: IPv4Address, now: UInt64) -> QueryID? {
        begin(.wildcard, .askingNode(Endpoint(address, configuration.port)), now)
    }

    /// Ends a query without a completion.
    package func cancel(_ id: QueryID) { queries.removeAll { $0.id == id } }

    /// What ended since the last call.
    package func takeCompletions() -> [Completion] {
        var taken: [Completion] = []
        swap(&taken, &completions)
        return taken
    }

    private func begin(_ name: NetBIOSName, _ phase: Phase, _ now: UInt64) -> QueryID? {
        if queries.count == Self.mostQueries { return nil }
        var transactionID = UInt16(truncatingIfNeeded: random())
        // Fewer queries than numbers: a free one follows.
        while queries.contains(where: { $0.transactionID == transactionID }) {
            transactionID &+= 1
        }
        lastID += 1
        let id = QueryID(value: lastID)
        queries.append(
            Query(id: id, transactionID: transactionID, name: name, phase: phase, deadline: now))
        advance(now: now)
        return id
    }

    // MARK: Time

    package var nextDeadline: UInt64? {
        var earliest: UInt64?
        for query in queries { earliest = min(earliest ?? query.deadline, query.deadline) }
        return earliest
    }

    /// Sends again, or gives up, where the time has come.
    package func advance(now: UInt64) {
        var index = 0
        while index < queries.count {
            if queries[index].deadline > now || !step(&queries[index], now) {
                index += 1
            } else {
                queries.remove(at: index)
            }
        }
    }

    /// Whether the query ended.
    private func step(_ query: inout Query, _ now: UInt64) -> Bool {
        if query.sent == Self.tries, case .askingServer(let server) = query.phase {
            askNext(after: server, &query)
        }
        switch query.phase {
        case .gathering:
            return complete(query, .addresses(query.found))
        case .askingServer, .broadcasting, .askingNode:
            if query.sent == Self.tries || query.phase == .broadcasting
                && configuration.interfaces.isEmpty
            {
                return complete(query, query.refusedByServer ? .noSuchName : .noAnswer)
            }
        }
        query.sent += 1
        send(query)
        switch query.phase {
        case .askingServer: query.deadline = now + Self.serverRetry
        case .broadcasting, .gathering, .askingNode: query.deadline = now + Self.broadcastRetry
        }
        return false
    }

    /// The next server, or the network itself after the last.
    private func askNext(after server: Int, _ query: inout Query) {
        let next = server + 1
        query.phase =
            next < configuration.nameServers.count ? .askingServer(next) : .broadcasting
        query.sent = 0
    }

    private func complete(_ query: Query, _ result: Result) -> Bool {
        completions.append(Completion(id: query.id, result: result))
        return true
    }

    private func send(_ query: Query) {
        let name = ScopedName(query.name, scope: configuration.scope)
        let port = configuration.port
        switch query.phase {
        case .askingServer(let server):
            NameServicePacket.query(query.transactionID, name, broadcast: false)
                .write(into: &outbox.writer)
            outbox.send(
                .name, interface: 0, to: Endpoint(configuration.nameServers[server], port))
        case .askingNode(let endpoint):
            NameServicePacket.nodeStatusRequest(query.transactionID, name)
                .write(into: &outbox.writer)
            outbox.send(.name, interface: 0, to: endpoint)
        case .broadcasting, .gathering:
            for (index, interface) in configuration.interfaces.enumerated() {
                NameServicePacket.query(query.transactionID, name, broadcast: true)
                    .write(into: &outbox.writer)
                outbox.send(.name, interface: index, to: Endpoint(interface.broadcast, port))
            }
        }
    }

    // MARK: Answers

    /// Takes in a datagram of the name service. One that answers nothing that was asked, or comes
    /// from another source than the one asked, is counted and changes nothing.
    package func receive(_ datagram: Span<UInt8>, from source: Endpoint, now: UInt64) {
        let packet: NameServicePacket
        do throws(WireError) {
            var reader = WireReader(datagram, layer: "NBNS")
            packet = try NameServicePacket(parsing: &reader)
        } catch {
            counters.malformed += 1
            return
        }
        if !packet.flags.isResponse {
            counters.notResponses += 1
            return
        }
        guard
            let index = queries.firstIndex(where: { $0.transactionID == packet.transactionID })
        else {
            counters.unknownTransactions += 1
            return
        }
        if !mayAnswer(source, queries[index].phase) {
            counters.wrongSources += 1
        } else if packet.name?.name.upcased != queries[index].name {
            counters.wrongNames += 1
        } else if take(packet, from: source.address, &queries[index], now) {
            queries.remove(at: index)
        }
    }

    private func mayAnswer(_ source: Endpoint, _ phase: Phase) -> Bool {
        if source.port != configuration.port { return false }
        switch phase {
        case .askingServer(let last):
            // A server that was given up may still answer.
            return configuration.nameServers.prefix(last + 1).contains(source.address)
        case .askingNode(let endpoint): return source == endpoint
        case .broadcasting, .gathering:
            // A server's answer may still come when broadcasting has begun.
            return configuration.nameServers.contains(source.address)
                || configuration.interfaces.contains { $0.contains(source.address) }
        }
    }

    /// Whether the answer ended the query.
    private func take(
        _ packet: NameServicePacket, from source: IPv4Address, _ query: inout Query,
        _ now: UInt64
    ) -> Bool {
        if packet.flags.opcode == .waitForAcknowledgement {
            let wait = min(UInt64(packet.answer?.timeToLive ?? 0) * 1_000, Self.longestWait)
            query.deadline = max(query.deadline, now + wait)
            return false
        }
        if packet.flags.opcode != .query {
            counters.contradictory += 1
            return false
        }
        if packet.flags.result != .success {
            // In a broadcast's wake only owners speak; a negative answer is a server's.
            guard case .askingServer(let server) = query.phase,
                source == configuration.nameServers[server]
            else { return false }
            query.refusedByServer = true
            askNext(after: server, &query)
            return step(&query, now)
        }
        switch (packet.answer?.data, query.phase) {
        case (.nodeStatus(let status)?, .askingNode):
            return complete(query, .nodeStatus(status))
        case (.addresses(let entries)?, .askingServer) where !entries.isEmpty:
            return complete(query, .addresses(Array(entries.prefix(Self.mostAddresses))))
        case (.addresses(let entries)?, .broadcasting) where !entries.isEmpty,
            (.addresses(let entries)?, .gathering) where !entries.isEmpty:
            return gather(entries, &query, now)
        case _:
            counters.contradictory += 1
            return false
        }
    }

    /// A unique name has one owner; a group's members answer each for itself.
    private func gather(
        _ entries: [AddressEntry], _ query: inout Query, _ now: UInt64
    ) -> Bool {
        for entry in entries
        where !query.found.contains(entry) && query.found.count < Self.mostAddresses {
            query.found.append(entry)
        }
        if !entries[0].flags.isGroup { return complete(query, .addresses(query.found)) }
        if query.phase != .gathering {
            query.phase = .gathering
            query.deadline = now + Self.gatherTime
        }
        return false
    }
}
