import NetBIOS
import Wire

/// Registers our names, refreshes and defends them, answers for them and releases them: the end
/// node of RFC 1002 5.1, hybrid where there is a name server. Of several servers the next one is
/// asked once one is silent.
///
/// Demands to give a name up are obeyed only in answer to our own registrations: on their own they
/// are the oldest way to silence a node, and every node since 2000 ignores them.
struct NameKeeper {
    static let mostEvents = 64

    private let configuration: ResponderConfiguration
    private let random: () -> UInt32
    private(set) var claims: [NameClaim] = []
    var events: [ResponderEvent] = []
    /// Rounds of releases sent, once `stop` began.
    private var releasing: (sent: Int, at: UInt64)?
    /// Counts what changed in which names are ours.
    private(set) var changes = 0

    init(_ configuration: ResponderConfiguration, random: @escaping () -> UInt32) {
        self.configuration = configuration
        self.random = random
    }

    var isStopped: Bool { (releasing?.sent ?? 0) == NameTimes.tries || claims.isEmpty }

    /// The names that are ours now.
    var owned: [OwnName] { claims.filter { $0.isOwned }.map { $0.own } }

    /// Whether each name is ours, or is known to be somebody else's.
    var isDecided: Bool { claims.allSatisfy { $0.isDecided } }

    // MARK: Time

    mutating func start(now: UInt64, _ outbox: inout DatagramOutbox) {
        releasing = nil
        claims = []
        changes += 1
        for own in configuration.names { add(own, now: now) }
        advance(now: now, &outbox)
    }

    private mutating func add(_ own: OwnName, now: UInt64) {
        var claim = NameClaim(
            own: own, state: .claiming(sent: 0, at: now), transactionID: newTransaction(),
            servers: [])
        if !configuration.nameServers.isEmpty && own.name.suffix != .masterBrowser {
            for _ in configuration.interfaces {
                claim.servers.append(
                    ServerClaim(
                        state: .registering(sent: 0, at: now),
                        transactionID: newTransaction()))
            }
        }
        claims.append(claim)
    }

    /// Claims one more name, which the configuration did not foresee.
    mutating func claim(_ own: OwnName, now: UInt64, _ outbox: inout DatagramOutbox) {
        if releasing != nil || claims.contains(where: { $0.own == own }) { return }
        add(own, now: now)
        advance(now: now, &outbox)
    }

    /// Releases a name that was claimed so.
    mutating func drop(_ own: OwnName, _ outbox: inout DatagramOutbox) {
        guard let index = claims.firstIndex(where: { $0.own == own }), releasing == nil else {
            return
        }
        release(claims.remove(at: index), &outbox)
        changes += 1
    }

    /// Begins to release all names; `isStopped` tells when it is done.
    mutating func stop(now: UInt64, _ outbox: inout DatagramOutbox) {
        if releasing != nil { return }
        releasing = (0, now)
        advance(now: now, &outbox)
    }

    var nextDeadline: UInt64? {
        if let releasing { return isStopped ? nil : releasing.at }
        var earliest: UInt64?
        for claim in claims {
            var deadline: UInt64?
            switch claim.state {
            case .claiming(_, let at): deadline = at
            case .conflict(let until): deadline = until
            case .owned: break
            }
            for server in claim.servers {
                deadline = min(deadline ?? server.state.deadline, server.state.deadline)
            }
            if let deadline { earliest = min(earliest ?? deadline, deadline) }
        }
        return earliest
    }

    mutating func advance(now: UInt64, _ outbox: inout DatagramOutbox) {
        if let releasing {
            if releasing.at <= now && !isStopped {
                release(&outbox)
                self.releasing = (releasing.sent + 1, now + NameTimes.broadcastRetry)
            }
            return
        }
        for index in claims.indices {
            advanceBroadcast(index, now, &outbox)
            for server in claims[index].servers.indices {
                advanceServer(index, server, now, &outbox)
            }
        }
    }

    private mutating func advanceBroadcast(
        _ index: Int, _ now: UInt64, _ outbox: inout DatagramOutbox
    ) {
        switch claims[index].state {
        case .claiming(let sent, let at) where at <= now:
            // After three claims without an objection the name is taken, and everyone told.
            // Where nobody hears them, nobody is waited for.
            let isLast = sent == NameTimes.tries || !configuration.hasNeighbours
            broadcastClaim(claims[index], overwrite: isLast, &outbox)
            if isLast {
                claims[index].state = .owned
                changes += 1
                report(.registered(claims[index].own.name))
            } else {
                claims[index].state = .claiming(
                    sent: sent + 1, at: now + NameTimes.broadcastRetry)
            }
        case .conflict(let until) where until <= now:
            claims[index].state = .claiming(sent: 0, at: now)
            claims[index].transactionID = newTransaction()
            for server in claims[index].servers.indices {
                claims[index].servers[server].state = .registering(sent: 0, at: now)
            }
            advanceBroadcast(index, now, &outbox)
        case .claiming, .conflict, .owned:
            break
        }
    }

    private mutating func advanceServer(
        _ index: Int, _ server: Int, _ now: UInt64, _ outbox: inout DatagramOutbox
    ) {
        let state = claims[index].servers[server].state
        if state.deadline > now { return }
        if case .conflict = claims[index].state { return }
        let sent: Int
        let refreshing: Bool
        switch state {
        case .registering(let count, _): (sent, refreshing) = (count, false)
        case .refreshing(let count, _): (sent, refreshing) = (count, true)
        case .waiting: (sent, refreshing) = (0, false)
        case .held: (sent, refreshing) = (0, true)
        }
        if sent == NameTimes.tries {
            leaveServer(index, server, now)
            return advanceServer(index, server, now, &outbox)
        }
        if sent == 0 { claims[index].servers[server].transactionID = newTransaction() }
        let at = now + NameTimes.serverRetry
        claims[index].servers[server].state =
            refreshing ? .refreshing(sent: sent + 1, at: at) : .registering(sent: sent + 1, at: at)
        askServer(claims[index], server, refreshing: refreshing, &outbox)
    }

    /// The server is silent: the next one is asked, at once unless all of them are.
    private mutating func leaveServer(_ index: Int, _ server: Int, _ now: UInt64) {
        let count = configuration.nameServers.count
        let silent = claims[index].servers[server].silent + 1
        claims[index].servers[server].server = (claims[index].servers[server].server + 1) % count
        claims[index].servers[server].silent = silent == count ? 0 : silent
        if silent == count {
            claims[index].servers[server].state = .waiting(until: now + NameTimes.serverPause)
            report(.serverUnreachable(claims[index].own.name))
        } else {
            claims[index].servers[server].state = .registering(sent: 0, at: now)
        }
    }

    // MARK: Sending

    private func newTransaction() -> UInt16 { UInt16(truncatingIfNeeded: random()) }

    private mutating func report(_ event: ResponderEvent) {
        if events.count < Self.mostEvents { events.append(event) }
    }

    private func scoped(_ name: NetBIOSName) -> ScopedName {
        ScopedName(name, scope: configuration.scope)
    }

    private func entry(_ own: OwnName, _ interface: Int) -> AddressEntry {
        AddressEntry(
            NameFlags(group: own.isGroup, configuration.nodeType),
            configuration.interfaces[interface].address)
    }

    private func broadcastClaim(
        _ claim: NameClaim, overwrite: Bool, _ outbox: inout DatagramOutbox
    ) {
        for (index, interface) in configuration.interfaces.enumerated()
        where interface.hasBroadcast {
            NameServicePacket.registration(
                claim.transactionID, scoped(claim.own.name), entry(claim.own, index),
                timeToLive: configuration.timeToLive, broadcast: true, overwrite: overwrite
            ).write(into: &outbox.writer)
            outbox.send(
                .name, interface: index,
                to: Endpoint(interface.broadcast, configuration.ports.name))
        }
    }

    private func askServer(
        _ claim: NameClaim, _ server: Int, refreshing: Bool, _ outbox: inout DatagramOutbox
    ) {
        let isMultihomed = configuration.interfaces.count > 1 && !claim.own.isGroup
        let opcode: NameServiceOpcode =
            refreshing ? .refresh : isMultihomed ? .multihomedRegistration : .registration
        NameServicePacket.registration(
            claim.servers[server].transactionID, scoped(claim.own.name),
            entry(claim.own, server), timeToLive: configuration.timeToLive, broadcast: false,
            opcode: opcode
        ).write(into: &outbox.writer)
        outbox.send(.name, interface: server, to: endpoint(of: claim.servers[server]))
    }

    private func endpoint(of server: ServerClaim) -> Endpoint {
        Endpoint(configuration.nameServers[server.server], configuration.ports.name)
    }

    /// Broadcasts are not answered and go out three times; the server's go with them, so that one
    /// lost datagram does not leave our names there for days.
    private func release(_ outbox: inout DatagramOutbox) {
        for claim in claims { release(claim, &outbox) }
    }

    private func release(_ claim: NameClaim, _ outbox: inout DatagramOutbox) {
        for (index, interface) in configuration.interfaces.enumerated() {
            let name = scoped(claim.own.name)
            let entry = entry(claim.own, index)
            if claim.isOwned, interface.hasBroadcast {
                NameServicePacket.release(
                    claim.transactionID, name, entry, broadcast: true
                ).write(into: &outbox.writer)
                outbox.send(
                    .name, interface: index,
                    to: Endpoint(interface.broadcast, configuration.ports.name))
            }
            if index < claim.servers.count {
                NameServicePacket.release(
                    claim.servers[index].transactionID, name, entry, broadcast: false
                ).write(into: &outbox.writer)
                outbox.send(.name, interface: index, to: endpoint(of: claim.servers[index]))
            }
        }
    }
}

// MARK: What comes in

extension NameKeeper {
    /// Takes in a packet of the name service from another node.
    mutating func receive(
        _ packet: NameServicePacket, from source: Endpoint, interface: Int, now: UInt64,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        if let scope = packet.name?.scope, scope != configuration.scope {
            counters.otherScopes += 1
            return
        }
        if packet.flags.isResponse {
            takeResponse(packet, from: source, now: now, &counters)
            return
        }
        switch packet.flags.opcode {
        case .query:
            answer(packet, to: source, interface, &outbox, &counters)
        case .registration, .refresh, .alternativeRefresh, .multihomedRegistration:
            defend(packet, against: source, interface, &outbox, &counters)
        case .release:
            // Only an owner of the same address may release; ours we release ourselves.
            if isOurs(packet.name?.name) { counters.unaskedDemands += 1 }
        case _:
            counters.unexpectedResponses += 1
        }
    }

    private func isOurs(_ name: NetBIOSName?) -> Bool {
        guard let name = name?.upcased else { return false }
        return claims.contains { $0.isOwned && $0.own.name == name }
    }

    private func answer(
        _ packet: NameServicePacket, to source: Endpoint, _ interface: Int,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        guard let question = packet.question, releasing == nil else {
            counters.malformedNamePackets += packet.question == nil ? 1 : 0
            return
        }
        let name = question.name.name.upcased
        let claim = claims.first { $0.isOwned && $0.own.name == name }
        switch question.type {
        case .nodeStatus where claim != nil || name == .wildcard:
            NameServicePacket.nodeStatusResponse(to: packet, question.name, status)
                .write(into: &outbox.writer)
            counters.nodeStatusAnswered += 1
        case .netBIOS where claim != nil:
            guard let own = claim?.own else { return }
            // The address on the asker's own network comes first.
            var entries = [entry(own, interface)]
            for other in configuration.interfaces.indices where other != interface {
                entries.append(entry(own, other))
            }
            NameServicePacket.positiveQueryResponse(
                to: packet, question.name, entries, timeToLive: configuration.timeToLive
            ).write(into: &outbox.writer)
            counters.nameQueriesAnswered += 1
        case _:
            counters.otherNames += 1
            return
        }
        outbox.send(.name, interface: interface, to: source)
    }

    private var status: NodeStatus {
        var entries: [NodeStatus.Entry] = []
        for own in owned {
            var flags = NameFlags(group: own.isGroup, configuration.nodeType)
            flags.rawValue |= NameFlags.active
            entries.append(NodeStatus.Entry(own.name, flags))
        }
        var statistics = NodeStatistics()
        statistics.unitID = configuration.unitID
        return NodeStatus(names: entries, statistics: statistics)
    }

    /// RFC 1002 5.1.1.5: another node's claim to a name of ours is contradicted, unless both mean
    /// a group.
    private func defend(
        _ packet: NameServicePacket, against source: Endpoint, _ interface: Int,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        guard let name = packet.question?.name, let claimed = packet.addresses.first else {
            counters.malformedNamePackets += 1
            return
        }
        let upcased = name.name.upcased
        guard let claim = claims.first(where: { $0.isOwned && $0.own.name == upcased }),
            releasing == nil
        else {
            counters.otherNames += 1
            return
        }
        if claim.own.isGroup && claimed.flags.isGroup { return }
        if configuration.interfaces.contains(where: { $0.address == claimed.address }) {
            counters.ownBroadcasts += 1
            return
        }
        NameServicePacket.registrationResponse(
            to: packet, name, entry(claim.own, interface), timeToLive: 0, .active
        ).write(into: &outbox.writer)
        outbox.send(.name, interface: interface, to: source)
        counters.namesDefended += 1
    }

    private mutating func takeResponse(
        _ packet: NameServicePacket, from source: Endpoint, now: UInt64,
        _ counters: inout ResponderCounters
    ) {
        let name = packet.name?.name.upcased
        guard let index = claims.firstIndex(where: { $0.own.name == name }) else {
            counters.unexpectedResponses += 1
            return
        }
        if let server = claims[index].servers.firstIndex(where: {
            $0.transactionID == packet.transactionID && endpoint(of: $0) == source
        }) {
            takeServerAnswer(packet, index, server, now: now)
            return
        }
        if case .claiming(let sent, _) = claims[index].state, sent > 0,
            packet.transactionID == claims[index].transactionID,
            packet.flags.opcode == .registration, packet.flags.result != .success,
            configuration.interfaces.contains(where: { $0.contains(source.address) })
        {
            lose(index, to: packet.addresses.first?.address ?? source.address, now: now)
            return
        }
        if packet.flags.result == .conflict {
            counters.unaskedDemands += 1
        } else {
            counters.unexpectedResponses += 1
        }
    }

    private mutating func lose(_ index: Int, to owner: IPv4Address, now: UInt64) {
        changes += 1
        claims[index].state = .conflict(until: now + NameTimes.conflictPause)
        for server in claims[index].servers.indices {
            claims[index].servers[server].state = .waiting(until: now + NameTimes.conflictPause)
        }
        report(.conflict(claims[index].own.name, owner))
    }

    private mutating func takeServerAnswer(
        _ packet: NameServicePacket, _ index: Int, _ server: Int, now: UInt64
    ) {
        let seconds = packet.answer?.timeToLive ?? 0
        let state = claims[index].servers[server].state
        claims[index].servers[server].silent = 0
        switch (packet.flags.opcode, state) {
        case (.waitForAcknowledgement, .registering(let sent, _)):
            let wait = min(UInt64(seconds) * 1_000, NameTimes.longestWait)
            claims[index].servers[server].state = .registering(sent: sent, at: now + wait)
        case (.registration, .registering), (.registration, .refreshing),
            (.refresh, .refreshing), (.multihomedRegistration, .registering):
            switch packet.flags.result {
            case .success:
                let half = UInt64(seconds) * 500
                let refresh = seconds == 0 ? NameTimes.longestRefresh : half
                claims[index].servers[server].state = .held(
                    refreshAt: now
                        + max(NameTimes.shortestRefresh, min(refresh, NameTimes.longestRefresh)))
                report(.registeredWithServer(claims[index].own.name, seconds))
            case .active, .conflict:
                lose(index, to: packet.addresses.first?.address ?? .any, now: now)
            case _:
                claims[index].servers[server].state = .waiting(
                    until: now + NameTimes.serverPause)
            }
        case _:
            break
        }
    }
}
