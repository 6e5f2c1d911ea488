import Mailslot
import NetBIOS
import Wire

/// The legacy face on UDP 137 and 138: owns our names, answers for them, and answers the logon
/// requests of every domain that it was told.
///
/// It does no I/O. Datagrams and the time go in; what to send is in `outbox`, which the caller
/// empties, and `nextDeadline` says when to call `advance`.
package final class Responder {
    package static let mostDomains = 64

    package let configuration: ResponderConfiguration
    package var outbox = DatagramOutbox()
    package private(set) var counters = ResponderCounters()
    private var names: NameKeeper
    private var logons: LogonAnswerer
    /// Where we are one.
    private var wins: WINSServer?
    /// Of the domain that we may be the primary of.
    private var announcer: ChangeAnnouncer?
    private let random: () -> UInt32
    /// The state of our names that the WINS server and the browser were told.
    private var namesSeen = 0
    private var wasMaster = false

    /// `random` gives transactions' numbers, which outsiders must not guess.
    package init(
        _ configuration: ResponderConfiguration, browser: BrowserConfiguration? = nil,
        random: @escaping () -> UInt32
    ) {
        self.configuration = configuration
        self.random = random
        names = NameKeeper(configuration, random: random)
        logons = LogonAnswerer(configuration, random: random)
        if let browser {
            logons.browser = Browser(browser, configuration, random: random)
        }
        if configuration.isNameServer { wins = WINSServer(configuration, random: random) }
    }

    // MARK: Time

    /// Begins to claim our names.
    package func start(now: UInt64) {
        names.start(now: now, &outbox)
        logons.browser?.start(now: now)
        announcer?.start(datagramID: UInt16(truncatingIfNeeded: random()), now: now)
        settle(now: now)
    }

    /// Begins to release them; after it `isStopped` tells when that is done.
    package func stop(now: UInt64) {
        logons.browser?.stop(&outbox)
        announcer?.stop()
        names.stop(now: now, &outbox)
    }

    package var isStopped: Bool { names.isStopped }

    package var nextDeadline: UInt64? {
        var earliest = names.nextDeadline ?? .max
        if let deadline = logons.browser?.nextDeadline { earliest = min(earliest, deadline) }
        if let deadline = wins?.nextDeadline { earliest = min(earliest, deadline) }
        if let announcer { earliest = min(earliest, announcer.nextDeadline) }
        return earliest == .max ? nil : earliest
    }

    package func advance(now: UInt64) {
        names.advance(now: now, &outbox)
        logons.browser?.advance(now: now, &outbox)
        wins?.advance(now: now, &outbox, &counters)
        for name in announcer?.advance(now: now, configuration, &outbox) ?? [] {
            names.events.append(.addressWanted(name))
        }
        settle(now: now)
    }

    /// What one part did concerns the others: our names are in our WINS server, and the master
    /// browser has two more of them, without which it is none.
    private func settle(now: UInt64) {
        let isMaster = logons.browser?.isMaster ?? false
        if isMaster != wasMaster {
            wasMaster = isMaster
            for own in logons.browser?.masterNames ?? [] {
                if wasMaster {
                    names.claim(own, now: now, &outbox)
                } else {
                    drop(own, now: now)
                }
            }
        }
        if names.changes == namesSeen { return }
        namesSeen = names.changes
        for claim in names.claims {
            if claim.isOwned {
                wins?.addOwn(claim.own, now: now)
                continue
            }
            wins?.removeOwn(claim.own.name, now: now)
            if case .conflict = claim.state, claim.own.name.suffix == .masterBrowser {
                logons.browser?.yieldMaster(now: now)
            }
        }
        // The two names of a master that yielded just now.
        if isMasterBrowser != wasMaster { settle(now: now) }
    }

    private func drop(_ own: OwnName, now: UInt64) {
        names.drop(own, &outbox)
        wins?.removeOwn(own.name, now: now)
    }

    /// What happened to our names since the last call.
    package func takeEvents() -> [ResponderEvent] {
        let events = names.events + logons.heard.map { .changeAnnounced($0, from: $1) }
        names.events = []
        logons.heard = []
        return events
    }

    /// The names that are ours now.
    package var ownedNames: [OwnName] { names.owned }

    /// Whether the claims have come to an end, for the time being: each name is ours, or known to
    /// be somebody else's. Without objections that takes `NameTimes.tries` broadcasts.
    package var areNamesDecided: Bool { names.isDecided }

    // MARK: Domains

    /// Begins to answer for a domain, or changes what is known of it. The first one is meant by
    /// requests to our computer name that say no domain. False where there are too many.
    @discardableResult
    package func serve(_ domain: ServedDomain) -> Bool {
        if let index = index(of: domain.name) {
            logons.domains[index].update(domain)
            return true
        }
        if logons.domains.count == Self.mostDomains { return false }
        logons.domains.append(DomainAnswers(domain))
        return true
    }

    /// Answers for the domain name this controller from now on; with nil, none is healthy and the
    /// domain is not answered for.
    package func setController(_ domain: NetBIOSName, _ controller: NamedController?) {
        guard let index = index(of: domain) else { return }
        logons.domains[index].name(controller, isFront: false)
    }

    /// Answers for the domain name this agent, which serves it, from now on.
    package func setFront(
        _ domain: NetBIOSName, dnsHostName: String? = nil, isPrimary: Bool = true,
        flags: ControllerFlags = [.writable]
    ) {
        guard let index = index(of: domain) else { return }
        let own = NamedController(
            name: configuration.computerName.text, address: .any, dnsHostName: dnsHostName,
            flags: flags, isPrimary: isPrimary)
        logons.domains[index].name(own, isFront: true)
    }

    /// Logons at the domain are paused: requests are told so, and GETDC is not answered.
    package func setPaused(_ domain: NetBIOSName, _ isPaused: Bool) {
        guard let index = index(of: domain) else { return }
        logons.domains[index].isPaused = isPaused
    }

    /// Who knows whether a domain has an account; without it every user is taken for known. It is
    /// asked in the middle of a request and must not call back.
    package func setLookup(
        _ lookup: ((_ domain: String, _ user: String, AccountControl) -> AccountKnowledge)?
    ) {
        logons.lookup = lookup
    }

    // MARK: Our own domain's changes

    /// What is announced of the domain to its backup controllers, before `start`. `news` is nil
    /// while we are not its primary.
    package func setAnnouncements(of domain: NetBIOSName, _ news: @escaping () -> DomainNews?) {
        announcer = ChangeAnnouncer(domain, news: news)
    }

    /// The domain's databases have changed, or we have become its primary.
    package func domainChanged(now: UInt64) { announcer?.changed(now: now) }

    /// The answer to `addressWanted`; nil where nobody knows it.
    package func found(_ backup: NetBIOSName, _ address: IPv4Address?, now: UInt64) {
        announcer?.found(backup, address, now: now, configuration, &outbox)
    }

    /// We have become the domain's primary controller, or are it no more: its name is claimed or
    /// given up, and the browser changes its part.
    package func setPrimary(_ domain: NetBIOSName, _ isPrimary: Bool, now: UInt64) {
        let own = OwnName(domain.with(.domainMasterBrowser))
        if isPrimary {
            names.claim(own, now: now, &outbox)
        } else {
            drop(own, now: now)
        }
        if logons.browser?.configuration.domain.hasText(of: domain.upcased) == true {
            logons.browser?.setPrimary(isPrimary, now: now, &outbox)
        }
        settle(now: now)
    }

    private func index(of name: NetBIOSName) -> Int? {
        let name = name.upcased
        return logons.domains.firstIndex { $0.domain.name.hasText(of: name) }
    }

    // MARK: What others read

    /// Names of the WINS server that changed and are due to be kept, or with `all` those that are
    /// not due yet. `unix` is the time in seconds since 1970.
    package func takeWINSChanges(now: UInt64, unix: UInt64, all: Bool = false) -> [WINSPage] {
        wins?.takeChanges(now: now, unix: unix, all: all) ?? []
    }

    /// What was taken could not be kept, and is due again a minute later.
    package func winsNotKept(_ taken: [WINSPage], now: UInt64) {
        wins?.notKept(taken, now: now)
    }

    /// Gives back what was kept, before `start`.
    package func loadWINS(_ page: WINSPage, now: UInt64, unix: UInt64) {
        wins?.load(page, now: now, unix: unix)
    }

    /// How many names the WINS server has; nil where it is none.
    package var winsNames: Int? { wins?.table.count }

    /// The network neighbourhood of our domain: the servers, and all domains.
    package func browseList(now: UInt64) -> (servers: [BrowseEntry], domains: [BrowseEntry]) {
        logons.browser?.expireList(now: now)
        guard let browser = logons.browser else { return ([], []) }
        let own = browser.ownEntry
        let domain = browser.ownDomain
        return (
            [own] + browser.list.servers.filter { $0.name != own.name },
            [domain] + browser.list.domains.filter { $0.name != domain.name }
        )
    }

    /// Whether we are the network's master browser.
    package var isMasterBrowser: Bool { logons.browser?.isMaster ?? false }

    // MARK: Datagrams

    /// Takes in a datagram that came from `source` to our port for `service`, over the interface
    /// with that index in the configuration.
    package func receive(
        _ datagram: Span<UInt8>, from source: Endpoint, at service: NetBIOSService,
        interface: Int, now: UInt64
    ) {
        if isImpossible(source, interface) {
            counters.impossibleSources += 1
            return
        }
        if isOwn(source, service) {
            counters.ownBroadcasts += 1
            return
        }
        switch service {
        case .name:
            do throws(WireError) {
                var reader = WireReader(datagram, layer: "NBNS")
                let packet = try NameServicePacket(parsing: &reader)
                let isServers = wins?.receive(
                    packet, from: source, interface: interface, now: now, &outbox, &counters)
                if isServers != true {
                    names.receive(
                        packet, from: source, interface: interface, now: now, &outbox,
                        &counters)
                }
            } catch {
                counters.malformedNamePackets += 1
            }
        case .datagram:
            let arrival = LogonAnswerer.Arrival(
                source: source, interface: interface, now: now)
            logons.receive(datagram, arrival, &outbox, &counters)
        }
        settle(now: now)
    }

    /// No node sends from such an address; an answer would go to many, or to none.
    private func isImpossible(_ source: Endpoint, _ interface: Int) -> Bool {
        let address = source.address
        return source.port == 0 || address == .any || address == .broadcast
            || address.isMulticast
            || (configuration.interfaces[interface].prefixLength < 31
                && address == configuration.interfaces[interface].broadcast)
    }

    /// From our address and our port: another program on this host has another port.
    private func isOwn(_ source: Endpoint, _ service: NetBIOSService) -> Bool {
        let port =
            service == .name ? configuration.ports.name : configuration.ports.datagram
        return source.port == port
            && configuration.interfaces.contains { $0.address == source.address }
    }
}
