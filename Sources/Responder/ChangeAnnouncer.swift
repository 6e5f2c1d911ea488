import Mailslot
import NetBIOS
import Wire

/// What a primary controller announces of its domain.
package struct DomainNews: Equatable, Sendable {
    package var sid: SID
    package var databases: [AnnounceChange.Database]
    /// The computer names of the domain's backup controllers.
    package var backups: [NetBIOSName]

    package init(
        sid: SID, databases: [AnnounceChange.Database], backups: [NetBIOSName]
    ) {
        self.sid = sid
        self.databases = databases
        self.backups = backups
    }
}

/// Announces to a domain's backup controllers where its databases stand (MS-NRPC 3.6, flow F1):
/// soon after a change, and now and then without one, as a datagram may be lost.
///
/// Changes that follow one another closely make one announcement. It goes to each backup at its
/// own address; if any has none that can be found, all controllers in reach are told by broadcast.
struct ChangeAnnouncer {
    enum Limit {
        /// Milliseconds of quiet after a change, and from the first change that is waited at most.
        static let quiet: UInt64 = 100
        static let longest: UInt64 = 1_000
        /// Between announcements without a change; Windows NT's `Pulse`.
        static let pulse: UInt64 = 300_000
        /// As long as an address is believed; NetBT's time for its cache.
        static let addressAge: UInt64 = 600_000
        static let backups = 64
        /// Seconds within which backups come, where there are several; NT's `Randomize`.
        static let random: UInt32 = 1
    }

    /// The domain, with suffix 00.
    let domain: NetBIOSName
    /// Nil while we are not its primary.
    private let news: () -> DomainNews?
    private(set) var nextDeadline: UInt64 = .max
    private var firstChange: UInt64?
    private var addresses: [NetBIOSName: (address: IPv4Address, until: UInt64)] = [:]
    /// Whose address was asked for since the last announcement.
    private var sought: Set<NetBIOSName> = []
    private var hasBroadcast = false
    private var lastDatagramID: UInt16 = 0

    init(_ domain: NetBIOSName, news: @escaping () -> DomainNews?) {
        self.domain = domain.upcased.with(.workstation)
        self.news = news
    }

    /// `datagramID` is any number.
    mutating func start(datagramID: UInt16, now: UInt64) {
        lastDatagramID = datagramID
        changed(now: now)
    }

    mutating func stop() { nextDeadline = .max }

    mutating func changed(now: UInt64) {
        let first = firstChange ?? now
        firstChange = first
        nextDeadline = min(now + Limit.quiet, first + Limit.longest)
    }

    /// Announces where it is time to, and gives the names whose addresses are wanted.
    mutating func advance(
        now: UInt64, _ configuration: ResponderConfiguration, _ outbox: inout DatagramOutbox
    ) -> [NetBIOSName] {
        guard nextDeadline <= now else { return [] }
        firstChange = nil
        nextDeadline = now + Limit.pulse
        hasBroadcast = false
        sought.removeAll()
        guard let news = news() else { return [] }
        for backup in news.backups.prefix(Limit.backups) {
            if let known = addresses[backup], known.until > now {
                send(news, to: backup, at: known.address, configuration, &outbox)
            } else {
                sought.insert(backup)
            }
        }
        return Array(sought)
    }

    /// A wanted address; nil where nobody knows it.
    mutating func found(
        _ backup: NetBIOSName, _ address: IPv4Address?, now: UInt64,
        _ configuration: ResponderConfiguration, _ outbox: inout DatagramOutbox
    ) {
        guard sought.remove(backup) != nil, let news = news() else { return }
        if let address {
            if addresses.count >= Limit.backups { addresses.removeAll() }
            addresses[backup] = (address, now + Limit.addressAge)
            send(news, to: backup, at: address, configuration, &outbox)
        } else if !hasBroadcast {
            hasBroadcast = true
            broadcast(news, configuration, &outbox)
        }
    }

    // MARK: Datagrams

    private mutating func send(
        _ news: DomainNews, to backup: NetBIOSName, at address: IPv4Address,
        _ configuration: ResponderConfiguration, _ outbox: inout DatagramOutbox
    ) {
        let near = configuration.interfaces.firstIndex { $0.contains(address) }
        lastDatagramID &+= 1
        let message = message(news, configuration)
        configuration.send(
            .netlogon, .directUnique, id: lastDatagramID,
            to: ScopedName(backup.with(.workstation), scope: configuration.scope),
            at: Endpoint(address, configuration.ports.datagram), over: near ?? 0, &outbox
        ) { message.write(into: &$0) }
    }

    private mutating func broadcast(
        _ news: DomainNews, _ configuration: ResponderConfiguration,
        _ outbox: inout DatagramOutbox
    ) {
        let message = message(news, configuration)
        for (index, interface) in configuration.interfaces.enumerated()
        where interface.hasBroadcast {
            lastDatagramID &+= 1
            configuration.send(
                .netlogon, .directGroup, id: lastDatagramID,
                to: ScopedName(domain.with(.domainControllers), scope: configuration.scope),
                at: Endpoint(interface.broadcast, configuration.ports.datagram), over: index,
                &outbox
            ) { message.write(into: &$0) }
        }
    }

    /// A single backup need not wait for others.
    private func message(
        _ news: DomainNews, _ configuration: ResponderConfiguration
    ) -> AnnounceChange {
        let sam = news.databases.first
        return AnnounceChange(
            lowSerialNumber: UInt32(truncatingIfNeeded: sam?.largeSerialNumber ?? 0),
            dateAndTime: Self.unixSeconds(sam?.dateAndTime ?? 0),
            pulse: UInt32(Limit.pulse / 1_000),
            random: news.backups.count > 1 ? Limit.random : 0,
            primaryDCName: configuration.computerName.text, domainName: domain.text,
            databases: news.databases, domainSid: news.sid)
    }

    /// A FILETIME (MS-DTYP 2.3.3) as seconds since 1970.
    private static func unixSeconds(_ fileTime: UInt64) -> UInt32 {
        let seconds = fileTime / 10_000_000
        return seconds < FileTime.unixEpoch
            ? 0 : UInt32(truncatingIfNeeded: seconds - FileTime.unixEpoch)
    }
}

extension ResponderConfiguration {
    /// Sends what `body` writes to a mailslot of `name`, from our computer name.
    func send(
        _ slot: MailslotName, _ type: DatagramType, id: UInt16, to name: ScopedName,
        at destination: Endpoint, over interface: Int, _ outbox: inout DatagramOutbox,
        _ body: (inout WireWriter) -> Void
    ) {
        let own = Endpoint(interfaces[interface].address, ports.datagram)
        let datagram = DataDatagram.begin(
            DatagramHeader(type, nodeType, id: id, source: own),
            from: ScopedName(computerName.with(.workstation), scope: scope),
            to: name, into: &outbox.writer)
        let bytes = slot.bytes
        let open = MailslotWrite.begin(to: bytes.span, into: &outbox.writer)
        body(&outbox.writer)
        MailslotWrite.finish(open, in: &outbox.writer)
        DataDatagram.finish(datagram, in: &outbox.writer)
        outbox.send(.datagram, interface: interface, to: destination)
    }
}
