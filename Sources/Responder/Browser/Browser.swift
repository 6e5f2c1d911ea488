import Mailslot
import NetBIOS
import Wire

/// What the browser is told at first; the role may change.
package struct BrowserConfiguration: Sendable {
    /// The domain or workgroup that we belong to; any suffix.
    package var domain: NetBIOSName
    /// Whether we are that domain's primary controller, and so its domain master browser. Another
    /// domain's member announces itself and leaves the rest to its controllers.
    package var isPrimary: Bool
    /// Whether we are one of its other controllers.
    package var isBackup: Bool
    package var comment: String

    package init(
        domain: NetBIOSName, isPrimary: Bool, isBackup: Bool = false,
        comment: String = "Postern"
    ) {
        self.domain = domain.upcased.with(.workstation)
        self.isPrimary = isPrimary
        self.isBackup = isBackup
        self.comment = String(decoding: comment.utf8.prefix(BrowseList.longestComment),
            as: UTF8.self)
    }
}

/// The browser of MS-BRWS: announces us, hears others, keeps their list, tells who has it, and is
/// the network's master browser for our domain where no better one is there.
struct Browser {
    private(set) var configuration: BrowserConfiguration
    private let responder: ResponderConfiguration
    private let random: () -> UInt32
    private let ownText: [UInt8]
    private var lastDatagramID: UInt16
    private(set) var list = BrowseList()
    private(set) var isMaster = false
    private var election = Election()
    private var started: UInt64 = 0
    private var announcement = Schedule(BrowserTimes.host)
    private var domainAnnouncement = Schedule(BrowserTimes.domain)
    /// When a request for announcements is answered, and when one was last.
    private var replyAt: UInt64?
    private var repliedAt: UInt64 = 0
    private var isStopped = false
    /// When our domain's master browser is missed, and who it was when last heard.
    private var masterMissed = UInt64.max
    private var masterName: [UInt8] = []

    init(
        _ configuration: BrowserConfiguration, _ responder: ResponderConfiguration,
        random: @escaping () -> UInt32
    ) {
        self.configuration = configuration
        self.responder = responder
        self.random = random
        ownText = responder.computerName.textBytes
        lastDatagramID = UInt16(truncatingIfNeeded: random())
    }

    /// Names that a master browser owns beside the others.
    var masterNames: [OwnName] {
        [
            OwnName(configuration.domain.with(.masterBrowser)),
            OwnName(.masterBrowsers, group: true),
        ]
    }

    // MARK: Time

    mutating func start(now: UInt64) {
        started = now
        isStopped = false
        announcement.begin(at: now + BrowserTimes.settling)
        if configuration.isPrimary {
            election.begin(at: now + BrowserTimes.settling, now: now)
        }
        masterMissed = now + BrowserTimes.masterSilence
    }

    /// Says that we are gone; a master that goes has the others elect one, MS-BRWS 3.3.7.
    mutating func stop(_ outbox: inout DatagramOutbox) {
        let wasMaster = isMaster
        isMaster = false
        isStopped = true
        announce(type: [], &outbox)
        if wasMaster { call(Election.withoutCandidate(), &outbox) }
        announcement.end()
        domainAnnouncement.end()
        election.giveUp()
        replyAt = nil
        masterMissed = .max
    }

    var nextDeadline: UInt64? {
        var earliest = min(announcement.at, domainAnnouncement.at)
        if configuration.isPrimary && !isMaster { earliest = min(earliest, masterMissed) }
        if let deadline = election.deadline { earliest = min(earliest, deadline) }
        if let replyAt { earliest = min(earliest, replyAt) }
        return earliest == .max ? nil : earliest
    }

    mutating func advance(now: UInt64, _ outbox: inout DatagramOutbox) {
        switch election.advance(now: now) {
        case .nothing: break
        case .call: call(candidacy(now: now), &outbox)
        case .won: becomeMaster(now: now, &outbox)
        }
        if configuration.isPrimary, !isMaster, masterMissed <= now {
            masterMissed = now + BrowserTimes.masterSilence
            election.begin(at: now, now: now)
        }
        if announcement.isDue(now: now) || replyAt.map({ $0 <= now }) == true {
            if replyAt != nil { repliedAt = now }
            replyAt = nil
            announce(type: serverType, &outbox)
        }
        if domainAnnouncement.isDue(now: now) { announceDomain(&outbox) }
    }

    mutating func expireList(now: UInt64) { list.expire(now: now) }

    /// We have become the domain's primary controller, or another of its controllers, and say so at
    /// once. The primary one is elected once its names are ours; a master that is none any more
    /// has the others elect one, MS-BRWS 3.3.7.
    mutating func setPrimary(
        _ isPrimary: Bool, now: UInt64, _ outbox: inout DatagramOutbox
    ) {
        if configuration.isPrimary == isPrimary { return }
        configuration.isPrimary = isPrimary
        configuration.isBackup = !isPrimary
        let wasMaster = isMaster
        yieldMaster(now: now)
        announcement.begin(at: now)
        if isPrimary { election.begin(at: now + BrowserTimes.settling, now: now) }
        advance(now: now, &outbox)
        if wasMaster { call(Election.withoutCandidate(), &outbox) }
    }

    // MARK: Being the master

    private mutating func becomeMaster(now: UInt64, _ outbox: inout DatagramOutbox) {
        isMaster = true
        announcement.begin(at: now)
        domainAnnouncement.begin(at: now)
        // Everyone here announces itself to its new master.
        let request = BrowserMessage.announcementRequest(
            unused: 0, responseName: OEMText(bytes: ownText))
        broadcast(to: configuration.domain.with(.browserElections), &outbox) { writer in
            let none: [UInt8] = []
            request.write(from: none.span, into: &writer)
        }
    }

    /// Another node is the master, or has the master's name.
    mutating func yieldMaster(now: UInt64) {
        election.giveUp()
        masterMissed = now + BrowserTimes.masterSilence
        if !isMaster { return }
        isMaster = false
        domainAnnouncement.end()
    }

    private func candidacy(now: UInt64) -> RequestElection {
        var criteria = Election.server | Election.version | Election.maintainsList
            | Election.backup
        if configuration.isPrimary {
            criteria |= Election.primaryController | Election.preferredMaster
        }
        if isMaster { criteria |= Election.runningMaster }
        return RequestElection(
            criteria: criteria, uptime: UInt32(truncatingIfNeeded: now - started),
            serverName: OEMText(bytes: ownText))
    }

    private mutating func call(_ frame: RequestElection, _ outbox: inout DatagramOutbox) {
        broadcast(to: configuration.domain.with(.browserElections), &outbox) { writer in
            frame.write(into: &writer)
        }
    }
}

// MARK: What is sent

extension Browser {
    /// What we are and offer.
    var serverType: ServerType {
        var type: ServerType = [.workstation, .server, .windowsNT, .serverNT]
        if configuration.isPrimary {
            type.formUnion([
                .domainController, .timeSource, .potentialBrowser, .backupBrowser,
                .domainMasterBrowser,
            ])
        } else {
            type.formUnion(
                configuration.isBackup ? [.backupDomainController, .timeSource] : .domainMember)
        }
        if isMaster { type.formUnion(.masterBrowser) }
        return type
    }

    /// What we tell of ourselves, for our own list.
    var ownEntry: BrowseEntry {
        BrowseEntry(
            name: ownText, major: BrowserTimes.osMajor, minor: BrowserTimes.osMinor,
            type: serverType, comment: OEMCodePage.bytes(configuration.comment),
            expires: .max)
    }

    /// Our domain, for our own list.
    var ownDomain: BrowseEntry {
        BrowseEntry(
            name: configuration.domain.textBytes, major: BrowserTimes.osMajor,
            minor: BrowserTimes.osMinor, type: [.windowsNT, .domainEnum],
            comment: configuration.isPrimary || isMaster ? ownText : [], expires: .max)
    }

    private mutating func announce(type: ServerType, _ outbox: inout DatagramOutbox) {
        let frame = BrowserAnnouncement(
            isMaster ? .localMasterAnnouncement : .hostAnnouncement,
            periodicity: UInt32(announcement.period), serverName: OEMText(bytes: ownText),
            osVersionMajor: BrowserTimes.osMajor, osVersionMinor: BrowserTimes.osMinor,
            serverType: type, comment: OEMText(bytes: OEMCodePage.bytes(configuration.comment)))
        // The master tells the other browsers; everyone else tells the master.
        let suffix: NetBIOSSuffix = isMaster ? .browserElections : .masterBrowser
        broadcast(to: configuration.domain.with(suffix), &outbox) { writer in
            frame.write(into: &writer)
        }
    }

    private mutating func announceDomain(_ outbox: inout DatagramOutbox) {
        let frame = BrowserAnnouncement(
            .domainAnnouncement, periodicity: UInt32(domainAnnouncement.period),
            serverName: OEMText(bytes: configuration.domain.textBytes),
            osVersionMajor: BrowserTimes.osMajor, osVersionMinor: BrowserTimes.osMinor,
            serverType: [.windowsNT, .domainEnum], comment: OEMText(bytes: ownText))
        broadcast(to: .masterBrowsers, &outbox) { writer in frame.write(into: &writer) }
    }

    private mutating func broadcast(
        to name: NetBIOSName, _ outbox: inout DatagramOutbox,
        _ body: (inout WireWriter) -> Void
    ) {
        for (index, interface) in responder.interfaces.enumerated() {
            send(
                .directGroup, to: ScopedName(name, scope: responder.scope),
                at: Endpoint(interface.broadcast, responder.ports.datagram), index, &outbox,
                body)
        }
    }

    private mutating func send(
        _ type: DatagramType, to name: ScopedName, at destination: Endpoint, _ interface: Int,
        _ outbox: inout DatagramOutbox, _ body: (inout WireWriter) -> Void
    ) {
        lastDatagramID &+= 1
        responder.send(
            .browse, type, id: lastDatagramID, to: name, at: destination, over: interface,
            &outbox, body)
    }
}

// MARK: What is heard

extension Browser {
    /// Where a frame came from and to whom.
    struct Arrival {
        var source: Endpoint
        var sender: ScopedName
        var destination: NetBIOSName
        var interface: Int
        var now: UInt64
    }

    /// Whether a datagram to `name`, in upper case, is the browser's.
    func listens(to name: NetBIOSName) -> Bool {
        if name == .masterBrowsers { return true }
        if name.hasText(of: responder.computerName) {
            return name.suffix == .workstation || name.suffix == .server
        }
        guard name.hasText(of: configuration.domain) else { return false }
        switch name.suffix {
        case .workstation, .browserElections, .masterBrowser: return true
        case .domainMasterBrowser: return configuration.isPrimary
        case _: return false
        }
    }

    mutating func receive(
        _ reader: inout WireReader, _ arrival: Arrival, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) throws(WireError) {
        let message = try BrowserMessage(parsing: &reader)
        // Elections and requests for announcements are broadcasts of a network's own nodes
        // (MS-BRWS 2.2.2, 2.2.3): who is elsewhere has no say in who its master is.
        let isNear = responder.interfaces.contains { $0.contains(arrival.source.address) }
        switch message {
        case _ where isStopped: counters.browserMessages += 1
        case .announcement(let frame): hear(frame, arrival, &counters)
        case .announcementRequest where isNear:
            counters.announcementRequests += 1
            if replyAt != nil { return }
            // All would answer at once else, MS-BRWS 3.2.5.1.
            let delay = isMaster ? 0 : UInt64(random()) % BrowserTimes.longestReply
            let soonest = repliedAt == 0 ? 0 : repliedAt + BrowserTimes.replyPause
            replyAt = max(arrival.now + delay, soonest)
        case .election(let frame) where isNear: hear(frame, arrival, &counters)
        case .backupListRequest(let count, let token):
            answer(count, token, arrival, &outbox, &counters)
        case .announcementRequest, .election, .backupListResponse, .becomeBackup,
            .masterAnnouncement, .resetState, .other:
            // From afar; or answers to nobody here, promotions that we need not, orders to stop.
            counters.browserMessages += 1
        }
    }

    private mutating func hear(
        _ frame: BrowserAnnouncement, _ arrival: Arrival, _ counters: inout ResponderCounters
    ) {
        let isDomain = frame.opcode == .domainAnnouncement
        // A server speaks for itself: its frame comes from its own name.
        let sender = BrowseList.name(arrival.sender.name.textBytes)
        guard isDomain || sender == BrowseList.name(frame.serverName.bytes),
            list.hear(frame, isDomain: isDomain, now: arrival.now)
        else {
            counters.refusedAnnouncements += 1
            return
        }
        counters.announcementsHeard += 1
        guard let sender, !isDomain, sender != ownText else { return }
        if frame.serverType.rawValue == 0 {
            // It leaves. Where it was the master, the next one is elected soon.
            if sender == masterName && !isMaster {
                masterMissed = arrival.now + BrowserTimes.settling
            }
            return
        }
        guard frame.opcode == .localMasterAnnouncement else { return }
        masterName = sender
        masterMissed = arrival.now + BrowserTimes.masterSilence
        // Two masters: an election says which.
        if isMaster { election.begin(at: arrival.now + Election.answerDelay, now: arrival.now) }
    }

    private mutating func hear(
        _ frame: RequestElection, _ arrival: Arrival, _ counters: inout ResponderCounters
    ) {
        counters.electionsHeard += 1
        if arrival.sender.name.upcased.hasText(of: responder.computerName) { return }
        // Only a controller of this domain cares who keeps its list.
        guard configuration.isPrimary else { return }
        if Election.wins(candidacy(now: arrival.now), over: frame) {
            election.begin(at: arrival.now + Election.answerDelay, now: arrival.now)
        } else {
            yieldMaster(now: arrival.now)
        }
    }

    /// MS-BRWS 3.3.5.6: the local master says who has the list, and the domain master to whoever
    /// asks for it by name.
    private mutating func answer(
        _ requestedCount: UInt8, _ token: UInt32, _ arrival: Arrival,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        guard isMaster || arrival.destination.suffix == .domainMasterBrowser
            || configuration.isPrimary && arrival.destination.hasText(of: responder.computerName)
        else {
            counters.browserMessages += 1
            return
        }
        list.expire(now: arrival.now)
        var names = [OEMText(bytes: ownText)]
        let most = min(max(1, Int(requestedCount)), BrowserTimes.mostBackups)
        for entry in list.servers where names.count < most && entry.name != ownText {
            if entry.type.contains(.backupBrowser) || entry.type.contains(.masterBrowser) {
                names.append(OEMText(bytes: entry.name))
            }
        }
        let frame = BackupListResponse(token: token, backupServerList: names)
        send(
            .directUnique, to: arrival.sender, at: arrival.source, arrival.interface, &outbox
        ) { writer in
            frame.write(into: &writer)
        }
        counters.backupListsAnswered += 1
    }
}

/// When something is announced: soon, then less and less often.
struct Schedule {
    private let periods: InlineArray<4, UInt64>
    private var step = 0
    private(set) var at = UInt64.max
    /// The time until the next one.
    private(set) var period: UInt64

    init(_ periods: InlineArray<4, UInt64>) {
        self.periods = periods
        period = periods[0]
    }

    mutating func begin(at: UInt64) {
        step = 0
        self.at = at
        period = periods[0]
    }

    mutating func end() { at = .max }

    mutating func isDue(now: UInt64) -> Bool {
        if at > now { return false }
        period = periods[step]
        step = min(step + 1, periods.count - 1)
        at = now + period
        return true
    }
}

/// The browser's times in milliseconds, and what it tells of us.
enum BrowserTimes {
    /// MS-BRWS 3.2.6: an announcement a minute after the first one, then after 4, 8 and 12.
    static let host: InlineArray<4, UInt64> = [60_000, 240_000, 480_000, 720_000]
    /// MS-BRWS 3.3.6: the domain every minute at first, then every 15 minutes.
    static let domain: InlineArray<4, UInt64> = [60_000, 60_000, 60_000, 900_000]
    /// Until our names are ours.
    static let settling: UInt64 = 1_000
    static let longestReply: UInt64 = 30_000
    /// From one answer to the next: each is a broadcast on all our networks.
    static let replyPause: UInt64 = 1_000
    /// A master that was not heard for three of its longest periods is gone.
    static let masterSilence: UInt64 = 2_160_000
    /// Names that fit a datagram of the browser.
    static let mostBackups = 16
    /// We offer what Windows NT 4.0 does.
    static let osMajor: UInt8 = 4
    static let osMinor: UInt8 = 0
}
