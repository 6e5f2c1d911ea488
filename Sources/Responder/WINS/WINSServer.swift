import NetBIOS
import Wire

/// The name server of RFC 1001 15.1 and RFC 1002 5.1.4, with what Windows added to it: groups that
/// list their members' addresses, nodes with several addresses, and names whose present owner is
/// asked before another takes them.
///
/// Names are the 16 bytes that came: nodes write them in upper case, and one that does not has
/// another name.
///
/// A released name and one whose time is over are forgotten: nobody replicates from here, and who
/// registers a forgotten name gets it as he would get a released one.
struct WINSServer {
    private let configuration: ResponderConfiguration
    private let random: () -> UInt32
    private(set) var table = WINSTable()
    private var challenges: [WINSChallenge] = []
    private var verdicts = WINSVerdicts()

    init(_ configuration: ResponderConfiguration, random: @escaping () -> UInt32) {
        self.configuration = configuration
        self.random = random
    }

    /// A request on its way to an answer.
    private struct Request {
        var packet: NameServicePacket
        var source: Endpoint
        var interface: Int
        var now: UInt64
    }

    // MARK: This agent's names

    /// Has a name of ours registered at all our addresses, for ever.
    mutating func addOwn(_ own: OwnName, now: UInt64) {
        if own.name.suffix == .masterBrowser { return }
        let key = ScopedName(own.name, scope: configuration.scope)
        let kind = WINSKind(own.name, NameFlags(group: own.isGroup, .hybrid), .registration)
        var record = WINSRecord(kind: kind, nodeType: .hybrid, owners: [])
        if let known = table.record(key, now: now), known.kind == kind, kind.isGroup {
            record = known
        }
        record.owners.removeAll { owner in
            configuration.interfaces.contains { $0.address == owner.address }
        }
        for interface in configuration.interfaces {
            record.owners.insert(
                WINSOwner(address: interface.address, expires: WINSOwner.never), at: 0)
        }
        if !kind.isGroup && record.owners.count > 1 { record.kind = .multihomed }
        challenges.removeAll { $0.key == key }
        table.set(key, record, isUrgent: false, now: now)
    }

    /// A name is not ours any more, or not yet again.
    mutating func removeOwn(_ name: NetBIOSName, now: UInt64) {
        let key = ScopedName(name, scope: configuration.scope)
        guard var record = table.record(key, now: now), record.hasOwn else { return }
        record.owners.removeAll { $0.isOwn }
        table.set(key, record.owners.isEmpty ? nil : record, isUrgent: false, now: now)
    }

    // MARK: What comes in

    /// Takes in a packet where it is the name server's: all that nodes say to one another is left
    /// to the keeper of our own names. Says whether it was.
    mutating func receive(
        _ packet: NameServicePacket, from source: Endpoint, interface: Int, now: UInt64,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) -> Bool {
        if packet.flags.isResponse {
            return takeResponse(packet, from: source, now: now, &outbox, &counters)
        }
        // What goes to everyone concerns the owners; a query without recursion, this node alone.
        if packet.flags.isBroadcast { return false }
        let request = Request(
            packet: packet, source: source, interface: interface, now: now)
        switch packet.flags.opcode {
        case .query:
            guard packet.flags.isRecursionDesired, let question = packet.question,
                question.type == .netBIOS
            else { return false }
            answer(question.name, request, &outbox, &counters)
        case .registration, .refresh, .alternativeRefresh, .multihomedRegistration:
            guard let (key, entry) = claim(packet, &counters) else { return true }
            register(key, entry, request, &outbox, &counters)
        case .release:
            guard let (key, entry) = claim(packet, &counters) else { return true }
            release(key, entry, request, &outbox, &counters)
        case _:
            return false
        }
        return true
    }

    /// The name and the address that a request is about.
    private func claim(
        _ packet: NameServicePacket, _ counters: inout ResponderCounters
    ) -> (ScopedName, AddressEntry)? {
        guard let key = packet.question?.name, let entry = packet.addresses.first,
            entry.address != .any, entry.address != .broadcast, !entry.address.isMulticast
        else {
            counters.malformedNamePackets += 1
            return nil
        }
        return (key, entry)
    }

    // MARK: Queries

    private func answer(
        _ name: ScopedName, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        // Each network has a master browser of its own; the name is answered for by broadcast.
        guard name.name.suffix != .masterBrowser,
            let record = table.record(name, now: request.now)
        else {
            NameServicePacket.negativeQueryResponse(
                to: request.packet, name, .nameError, recursionAvailable: true
            ).write(into: &outbox.writer)
            outbox.send(.name, interface: request.interface, to: request.source)
            counters.winsNegative += 1
            return
        }
        let flags = NameFlags(group: record.kind.isGroup, record.nodeType)
        var entries: [AddressEntry] = []
        var life = configuration.timeToLive
        if record.kind == .group {
            entries.append(AddressEntry(flags, .broadcast))
        } else {
            entries.reserveCapacity(record.owners.count)
            for owner in record.owners where owner.expires > request.now {
                entries.append(AddressEntry(flags, owner.address))
                if owner.isOwn { continue }
                let seconds = (owner.expires - request.now) / 1_000
                life = UInt32(clamping: min(UInt64(life), max(1, seconds)))
            }
        }
        if record.kind == .internetGroup { putPrimaryFirst(name, &entries, request.now) }
        NameServicePacket.positiveQueryResponse(
            to: request.packet, name, entries, timeToLive: life, recursionAvailable: true
        ).write(into: &outbox.writer)
        outbox.send(.name, interface: request.interface, to: request.source)
        counters.winsQueries += 1
    }

    /// Who looks for a domain's controllers tries the first one first: the primary controller,
    /// where it is known.
    private func putPrimaryFirst(
        _ key: ScopedName, _ entries: inout [AddressEntry], _ now: UInt64
    ) {
        var primary = key
        primary.name = key.name.with(.domainMasterBrowser)
        guard let record = table.record(primary, now: now) else { return }
        let isPrimary = { (entry: AddressEntry) in
            record.owners.contains { $0.address == entry.address }
        }
        guard let index = entries.firstIndex(where: isPrimary) else { return }
        entries.swapAt(0, index)
    }

    // MARK: Registrations

    private enum Decision {
        case store(WINSRecord)
        case refuse(owner: IPv4Address)
        case challenge([IPv4Address])
    }

    private mutating func register(
        _ key: ScopedName, _ entry: AddressEntry, _ request: Request,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        let (packet, source, now) = (request.packet, request.source, request.now)
        if key.name[0] == UInt8(ascii: "*") {
            reply(request, entry, 0, .refused, &outbox)
            return
        }
        if key.scope.count > WINSTable.longestScope {
            reply(request, entry, 0, .serverFailure, &outbox)
            counters.winsFull += 1
            return
        }
        if key.name.suffix == .masterBrowser {
            reply(
                request, entry, WINSTimes.granted(packet.additional?.timeToLive ?? 0),
                .success, &outbox)
            counters.winsRegistrations += 1
            return
        }
        if let owner = verdicts.owner(source, packet.transactionID, key.name, now: now) {
            reply(request, AddressEntry(entry.flags, owner), 0, .active, &outbox)
            counters.winsRefusals += 1
            return
        }
        if let index = challenges.firstIndex(where: { $0.key == key }) {
            rejoin(index, request, &outbox, &counters)
            return
        }
        let kind = WINSKind(key.name, entry.flags, packet.flags.opcode)
        switch decide(key, kind, entry, request) {
        case .store(let record):
            store(key, record, request, entry, &outbox, &counters)
        case .refuse(let owner):
            refuse(key, entry, owner, request, &outbox, &counters)
        case .challenge(let owners):
            challenge(key, kind, entry, owners, request, &outbox, &counters)
        }
    }

    private func decide(
        _ key: ScopedName, _ kind: WINSKind, _ entry: AddressEntry, _ request: Request
    ) -> Decision {
        let asked = request.packet.additional?.timeToLive ?? 0
        let expires = request.now + UInt64(WINSTimes.granted(asked)) * 1_000
        let fresh = WINSRecord(
            kind: kind, nodeType: entry.flags.nodeType,
            owners: [WINSOwner(address: entry.address, expires: expires)])
        guard var record = table.record(key, now: request.now) else { return .store(fresh) }
        let isOwner = record.isOwned(by: entry.address, now: request.now)
        // Anybody may say that an owner is there, who is; more is for it to say, from one of its
        // addresses.
        let isItself = isOwner && record.isOwned(by: request.source.address, now: request.now)
        let mayShorten = request.source.address == entry.address
        let owner = record.owners[0].address
        switch (record.kind, kind) {
        case (.group, .group), (.internetGroup, .internetGroup):
            record.dropExpired(now: request.now)
            record.add(entry.address, expires: expires, mayShorten: mayShorten)
            return .store(record)
        case (.group, _), (.internetGroup, _):
            return .refuse(owner: owner)
        case (_, .unique), (_, .multihomed):
            if isOwner {
                record.dropExpired(now: request.now)
                record.add(entry.address, expires: expires, mayShorten: mayShorten)
                if isItself {
                    if kind == .multihomed { record.kind = .multihomed }
                    record.nodeType = entry.flags.nodeType
                }
                return .store(record)
            }
        case (_, .group), (_, .internetGroup):
            // Its only owner may make a group of it.
            if isItself && record.owners.count == 1 && !record.hasOwn { return .store(fresh) }
        }
        if record.hasOwn { return .refuse(owner: owner) }
        return .challenge(
            record.owners.filter { $0.expires > request.now }.map { $0.address })
    }

    private mutating func store(
        _ key: ScopedName, _ record: WINSRecord, _ request: Request, _ entry: AddressEntry,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        let known = table.record(key, now: request.now)
        let isNew = known?.isOwned(by: entry.address, now: request.now) != true
            || known?.kind != record.kind
        guard table.set(key, record, isUrgent: isNew, now: request.now) else {
            reply(request, entry, 0, .serverFailure, &outbox)
            counters.winsFull += 1
            return
        }
        let life = WINSTimes.granted(request.packet.additional?.timeToLive ?? 0)
        reply(request, entry, life, .success, &outbox)
        counters.winsRegistrations += 1
    }

    private mutating func refuse(
        _ key: ScopedName, _ entry: AddressEntry, _ owner: IPv4Address, _ request: Request,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        verdicts.refuse(
            request.source, request.packet.transactionID, key.name, owner: owner,
            now: request.now)
        reply(request, AddressEntry(entry.flags, owner), 0, .active, &outbox)
        counters.winsRefusals += 1
    }

    private func reply(
        _ request: Request, _ entry: AddressEntry, _ life: UInt32, _ result: NameServiceResult,
        _ outbox: inout DatagramOutbox
    ) {
        guard let name = request.packet.question?.name else { return }
        NameServicePacket.registrationResponse(
            to: request.packet, name, entry, timeToLive: life, result, recursionAvailable: true
        ).write(into: &outbox.writer)
        outbox.send(.name, interface: request.interface, to: request.source)
    }

    // MARK: Releases

    /// Only an owner gives up a name, and only its own address. Giving up what nobody has is
    /// granted: it is so already when the first answer was lost.
    private mutating func release(
        _ key: ScopedName, _ entry: AddressEntry, _ request: Request,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        guard var record = table.record(key, now: request.now) else {
            reply(request, entry, 0, .success, &outbox)
            return
        }
        let isOwner = record.isOwned(by: request.source.address, now: request.now)
            && record.isOwned(by: entry.address, now: request.now)
        // Who is in a group is not counted, so that nobody's leaving ends it: its time does.
        if record.kind == .group {
            reply(request, entry, 0, .success, &outbox)
            return
        }
        let isOwn = record.owners.contains { $0.isOwn && $0.address == entry.address }
        guard isOwner, !isOwn else {
            reply(request, entry, 0, .active, &outbox)
            counters.winsRefusals += 1
            return
        }
        record.owners.removeAll { $0.address == entry.address || $0.expires <= request.now }
        table.set(
            key, record.owners.isEmpty ? nil : record, isUrgent: true, now: request.now)
        reply(request, entry, 0, .success, &outbox)
        counters.winsReleases += 1
    }
}

// MARK: Challenges

extension WINSServer {
    /// Asks the present owners whether they are there, and the registrant to wait for that.
    private mutating func challenge(
        _ key: ScopedName, _ kind: WINSKind, _ entry: AddressEntry, _ owners: [IPv4Address],
        _ request: Request, _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        if challenges.count == WINSChallenge.most {
            counters.winsBusy += 1
            return
        }
        askForPatience(request, owners.count, &outbox)
        var challenge = WINSChallenge(
            key: key, request: request.packet, registrant: request.source,
            interface: request.interface, kind: kind, entry: entry, owners: owners,
            transactionID: UInt16(truncatingIfNeeded: random()), sent: 0, deadline: request.now,
            acknowledged: request.now)
        ask(&challenge, now: request.now, &outbox)
        challenges.append(challenge)
        counters.winsChallenges += 1
    }

    /// The same request again, later: its sender did not hear that it has to wait. A copy that
    /// comes at once is the network's, and there are nodes that take a second call to wait for an
    /// error.
    private mutating func rejoin(
        _ index: Int, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        let pending = challenges[index]
        guard pending.isFor(request.packet, from: request.source) else {
            counters.winsBusy += 1
            return
        }
        if request.now < pending.acknowledged + WINSTimes.challengeRetry { return }
        challenges[index].acknowledged = request.now
        askForPatience(request, pending.owners.count, &outbox)
    }

    private func askForPatience(
        _ request: Request, _ owners: Int, _ outbox: inout DatagramOutbox
    ) {
        guard let name = request.packet.question?.name else { return }
        NameServicePacket.waitForAcknowledgement(
            of: request.packet, name, seconds: WINSTimes.patience(owners)
        ).write(into: &outbox.writer)
        outbox.send(.name, interface: request.interface, to: request.source)
    }

    private func ask(
        _ challenge: inout WINSChallenge, now: UInt64, _ outbox: inout DatagramOutbox
    ) {
        for owner in challenge.owners {
            NameServicePacket(
                transactionID: challenge.transactionID, NameServiceFlags(.query),
                question: .init(challenge.key, .netBIOS)
            ).write(into: &outbox.writer)
            outbox.send(
                .name, interface: challenge.interface,
                to: Endpoint(owner, configuration.ports.name))
        }
        challenge.sent += 1
        challenge.deadline = now + WINSTimes.challengeRetry
    }

    /// RFC 1002 5.1.4.1: an owner that answers for the name keeps it, unless the registrant is one
    /// more address of the same node, which its answer then lists.
    private mutating func takeResponse(
        _ packet: NameServicePacket, from source: Endpoint, now: UInt64,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) -> Bool {
        guard packet.flags.opcode == .query,
            let index = challenges.firstIndex(where: {
                $0.transactionID == packet.transactionID && $0.owners.contains(source.address)
                    && $0.key == packet.name
            })
        else { return false }
        let challenge = challenges[index]
        if packet.flags.result == .success, !packet.addresses.isEmpty {
            challenges.remove(at: index)
            // Nodes refresh each address as if it were the only one: the owner's word decides.
            let isSameNode = !challenge.kind.isGroup
                && packet.addresses.contains { $0.address == challenge.entry.address }
            if isSameNode {
                join(challenge, now: now, &outbox, &counters)
            } else {
                refuse(
                    challenge.key, challenge.entry, source.address, request(challenge, now),
                    &outbox, &counters)
            }
            return true
        }
        challenges[index].owners.removeAll { $0 == source.address }
        if challenges[index].owners.isEmpty {
            challenges.remove(at: index)
            takeOver(challenge, now: now, &outbox, &counters)
        }
        return true
    }

    private func request(_ challenge: WINSChallenge, _ now: UInt64) -> Request {
        Request(
            packet: challenge.request, source: challenge.registrant,
            interface: challenge.interface, now: now)
    }

    private func expiry(_ challenge: WINSChallenge, _ now: UInt64) -> UInt64 {
        let asked = challenge.request.additional?.timeToLive ?? 0
        return now + UInt64(WINSTimes.granted(asked)) * 1_000
    }

    private mutating func join(
        _ challenge: WINSChallenge, now: UInt64, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        var record = table.record(challenge.key, now: now)
            ?? WINSRecord(kind: .multihomed, nodeType: challenge.entry.flags.nodeType, owners: [])
        record.kind = .multihomed
        record.add(challenge.entry.address, expires: expiry(challenge, now))
        store(
            challenge.key, record, request(challenge, now), challenge.entry, &outbox, &counters)
    }

    /// The owners gave the name up, or are silent.
    private mutating func takeOver(
        _ challenge: WINSChallenge, now: UInt64, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        let owner = WINSOwner(
            address: challenge.entry.address, expires: expiry(challenge, now))
        let record = WINSRecord(
            kind: challenge.kind, nodeType: challenge.entry.flags.nodeType, owners: [owner])
        counters.winsTakeovers += 1
        store(
            challenge.key, record, request(challenge, now), challenge.entry, &outbox, &counters)
    }

    // MARK: Time

    var nextDeadline: UInt64? {
        var earliest = table.nextDeadline
        for challenge in challenges {
            earliest = min(earliest ?? challenge.deadline, challenge.deadline)
        }
        return earliest
    }

    mutating func advance(
        now: UInt64, _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        table.advance(now: now)
        var index = 0
        while index < challenges.count {
            if challenges[index].deadline > now {
                index += 1
            } else if challenges[index].sent < WINSTimes.challengeTries {
                ask(&challenges[index], now: now, &outbox)
                index += 1
            } else {
                let challenge = challenges.remove(at: index)
                takeOver(challenge, now: now, &outbox, &counters)
            }
        }
    }

    // MARK: Keeping

    mutating func takeChanges(now: UInt64, unix: UInt64, all: Bool) -> [WINSPage] {
        table.takeChanges(now: now, unix: unix, all: all)
    }

    mutating func notKept(_ taken: [WINSPage], now: UInt64) { table.notKept(taken, now: now) }

    mutating func load(_ page: WINSPage, now: UInt64, unix: UInt64) {
        table.load(page, now: now, unix: unix)
    }
}
