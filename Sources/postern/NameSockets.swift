import Agent
import Configuration
import Crypto
import Domain
import Locator
import Loop
import Mailslot
import NetBIOS
import Responder
import Wire

/// The NetBIOS face: the responder with its sockets on UDP 137 and 138, where `[listen]` wants
/// it, and the questions for names that locators have.
final class NameSockets {
    private let daemon: Daemon
    private let loop: EventLoop
    private let settings: ListenSettings?
    private let responder: Responder?
    /// Where we are a WINS server.
    private let keeper: WINSKeeper?
    private var interfaces: [Interface] = []
    /// On the networks' broadcast addresses; they only receive.
    private var broadcasts: [UDPSocket] = []
    /// A table that is kept from answer to answer.
    private var outgoing: [UDPSocket.Outgoing] = []
    private var clients: [Int: NameClient] = [:]
    /// Looks for our backup controllers.
    private var seeker: NameClient?
    private var timer: Timer?
    /// While the start waits for our names, and for the controllers that answers are to name.
    private var readiness: Readiness?
    private var onStopped: (() -> Void)?

    /// The sockets on one address of ours, from which everything is sent.
    private struct Interface {
        var name: UDPSocket
        var datagram: UDPSocket
    }

    private struct Readiness {
        var timer: Timer
        var done: () -> Void
    }

    /// Milliseconds that the start waits at most: names take three broadcasts of 250 ms, a healthy
    /// controller answers its ping at once.
    private static let longestStart: UInt64 = 1_500

    init(_ daemon: Daemon) {
        self.daemon = daemon
        loop = daemon.loop
        settings = daemon.configuration.listen
        responder = Self.responder(daemon.configuration)
        keeper = daemon.configuration.listen?.wins == true
            ? WINSKeeper(daemon.store, daemon.log) : nil
        timer = Timer(loop) { [self] in
            responder?.advance(now: loop.now)
            settle()
        }
    }

    private static func responder(_ configuration: Configuration) -> Responder? {
        guard let settings = configuration.listen,
            let computer = NetBIOSName(configuration.agent.name, .workstation)
        else { return nil }
        let domain = ownDomain(configuration)
        let isPrimary = configuration.embedded?.role == .primary
        let isBackup = configuration.embedded?.role == .backup
        // Who offers no service has nothing to announce.
        let browser = settings.smb ? domain : nil
        return Responder(
            ResponderConfiguration(
                computerName: computer, names: names(of: computer, in: domain, configuration),
                interfaces: settings.interfaces, nameServers: settings.winsServers,
                isNameServer: settings.wins,
                ports: NetBIOSPorts(offset: settings.portOffset)),
            browser: browser.map {
                BrowserConfiguration(domain: $0, isPrimary: isPrimary, isBackup: isBackup)
            },
            random: { SystemRandom.number() })
    }

    /// A host is of one domain: its own, or the first that it is a member of.
    private static func ownDomain(_ configuration: Configuration) -> NetBIOSName? {
        let name = configuration.localDomains.first?.name
            ?? configuration.domains.first { $0.channel == .member }?.name
        return name.flatMap { NetBIOSName($0, .workstation) }
    }

    /// Where the front serves the local domains, a controller's names are ours too.
    private static func names(
        of computer: NetBIOSName, in domain: NetBIOSName?, _ configuration: Configuration
    ) -> [OwnName] {
        var names = ResponderConfiguration.names(of: computer, in: domain)
        if configuration.listen?.smb != true { return names }
        if let local = configuration.embedded,
            let domain = NetBIOSName(local.name, .workstation)
        {
            let more = ResponderConfiguration.names(
                ofControllerIn: domain, isPrimary: local.role == .primary)
            names += more.filter { !names.contains($0) }
        }
        // The master browser has two more.
        return Array(names.prefix(ResponderConfiguration.mostNames - 2))
    }

    // MARK: Life

    /// Binds the two ports on each interface's address and on its broadcast address, to which
    /// Linux delivers broadcasts and not to the address itself.
    func bind() throws(SystemError) {
        guard let configuration = responder?.configuration else { return }
        let ports = configuration.ports
        var heard: [IPv4Address] = []
        for (index, network) in configuration.interfaces.enumerated() {
            interfaces.append(
                Interface(
                    name: try socket(.name, Endpoint(network.address, ports.name), index),
                    datagram: try socket(
                        .datagram, Endpoint(network.address, ports.datagram), index)))
            let address = network.broadcast
            if !network.hasBroadcast || heard.contains(address) { continue }
            heard.append(address)
            broadcasts.append(try socket(.name, Endpoint(address, ports.name), index))
            broadcasts.append(try socket(.datagram, Endpoint(address, ports.datagram), index))
        }
    }

    private func socket(
        _ service: NetBIOSService, _ endpoint: Endpoint, _ interface: Int
    ) throws(SystemError) -> UDPSocket {
        try UDPSocket(
            loop, bind: endpoint, options: UDPSocket.Options(broadcast: true),
            onBatch: { [self] in settle() }
        ) { [self] bytes, source in
            responder?.receive(
                bytes, from: source, at: service, interface: interface, now: loop.now)
        }
    }

    /// Claims our names and begins to answer, then calls `ready`: once the names are ours and it is
    /// known for each domain whom to name, so that who asks from then on has an answer, or when
    /// that takes too long.
    func start(ready: @escaping () -> Void) {
        guard let responder else { return ready() }
        for (index, domain) in daemon.configuration.domains.enumerated() where domain.answer {
            guard let name = NetBIOSName(domain.name, .workstation) else { continue }
            responder.serve(ServedDomain(name))
            controllersChanged(index)
        }
        serveLocalDomains(responder)
        keeper?.load(into: responder, now: loop.now)
        responder.start(now: loop.now)
        settle()
        let timer = Timer(loop) { [self] in endStart() }
        timer.arm(after: Self.longestStart)
        readiness = Readiness(timer: timer, done: ready)
        checkReadiness()
    }

    /// Answers name this agent for the domains that its front serves.
    private func serveLocalDomains(_ responder: Responder) {
        guard settings?.smb == true else { return }
        for index in daemon.agent.locals.indices { serveLocalDomain(index) }
        let agent = daemon.agent
        responder.setLookup { agent.knowledge(of: $1, in: $0, $2) }
        if let domain = agent.locals.first?.domain { announceChanges(of: domain, responder) }
    }

    /// What the domain's role and SID are, which a backup learns from its primary: before that it
    /// serves nobody.
    func serveLocalDomain(_ index: Int) {
        let domain = daemon.agent.locals[index].domain
        guard settings?.smb == true, let responder,
            let name = NetBIOSName(domain.name, .workstation)
        else { return }
        let isPrimary = domain.role == .primary
        responder.serve(ServedDomain(name, sid: domain.hasCopy ? domain.sid : nil))
        responder.setFront(name, isPrimary: isPrimary, flags: isPrimary ? [.writable] : [])
        responder.setPaused(name, !domain.hasCopy)
    }

    /// The primary's name is ours from now on, or no more.
    func roleChanged(_ index: Int) {
        let domain = daemon.agent.locals[index].domain
        serveLocalDomain(index)
        guard settings?.smb == true, let responder,
            let name = NetBIOSName(domain.name, .workstation)
        else { return }
        responder.setPrimary(name, domain.role == .primary, now: loop.now)
        settle()
    }

    // MARK: Our own domain's changes

    private func announceChanges(of domain: LocalDomain, _ responder: Responder) {
        guard let name = NetBIOSName(domain.name, .workstation) else { return }
        let own = daemon.configuration.agent.name
        responder.setAnnouncements(of: name) {
            domain.role == .primary ? Self.news(of: domain, but: own) : nil
        }
        domain.onLogged = { [self] in
            responder.domainChanged(now: loop.now)
            timer?.arm(at: responder.nextDeadline)
        }
    }

    private static func news(of domain: LocalDomain, but own: String) -> DomainNews {
        var backups: [NetBIOSName] = []
        for account in domain.accounts.elements
        where account.flags.contains(.serverTrust) && !account.isDisabled {
            let name = String(account.name.dropLast())
            if name != own, let name = NetBIOSName(name, .workstation) { backups.append(name) }
        }
        let databases = DomainDatabase.allCases.map {
            AnnounceChange.Database(
                index: UInt32($0.rawValue), largeSerialNumber: domain.stamp($0).serial,
                dateAndTime: domain.stamp($0).created)
        }
        return DomainNews(sid: domain.sid, databases: databases, backups: backups)
    }

    private func find(_ backup: NetBIOSName) {
        let client = seeker ?? NameClient(
            loop,
            NameResolver.Configuration(
                interfaces: networks, nameServers: settings?.winsServers ?? [],
                port: NetBIOSPorts(offset: settings?.portOffset ?? 0).name))
        seeker = client
        client.resolve(backup) { [self] result in
            var address: IPv4Address?
            if case .addresses(let entries) = result { address = entries.first?.address }
            responder?.found(backup, address, now: loop.now)
            settle()
        }
    }

    private func checkReadiness() {
        guard let responder, readiness != nil, responder.areNamesDecided else { return }
        for (index, domain) in daemon.configuration.domains.enumerated() where domain.answer {
            let locator = daemon.agent.domains[index].locator
            if named(by: locator) == nil, isSearching(locator) { return }
        }
        endStart()
    }

    /// Whether an answer is still to come that may tell a controller's name.
    private func isSearching(_ locator: Locator) -> Bool {
        locator.worthWaiting(now: loop.now) != nil
            || locator.controllers.contains {
                $0.health == .unknown || $0.health == .suspect
            }
    }

    private func endStart() {
        guard let ended = readiness else { return }
        readiness = nil
        ended.timer.close()
        ended.done()
    }

    /// Releases our names, closes all sockets, then calls `done`: within the time that the
    /// responder takes to say it three times.
    func stop(done: @escaping () -> Void) {
        for client in clients.values { client.close() }
        clients.removeAll()
        seeker?.close()
        seeker = nil
        readiness?.timer.close()
        readiness = nil
        guard let responder, onStopped == nil else { return close(done) }
        onStopped = done
        responder.stop(now: loop.now)
        settle()
    }

    private func close(_ done: () -> Void) {
        onStopped = nil
        if let responder { keeper?.keep(responder, now: loop.now, all: true) }
        timer?.close()
        for interface in interfaces {
            interface.name.close()
            interface.datagram.close()
        }
        for socket in broadcasts { socket.close() }
        interfaces = []
        broadcasts = []
        done()
    }

    // MARK: The responder

    /// Sends what the responder wants sent, notes what happened to our names, sets the timer.
    private func settle() {
        guard let responder else { return }
        if !responder.outbox.isEmpty {
            send(responder.outbox.envelopes, responder.outbox.bytes)
            responder.outbox.removeAll()
        }
        for event in responder.takeEvents() { note(event) }
        keeper?.keep(responder, now: loop.now, all: false)
        timer?.arm(at: responder.nextDeadline)
        checkReadiness()
        if let onStopped, responder.isStopped { close(onStopped) }
    }

    /// Sends from one socket after the other; each one's answers go together.
    private func send(_ envelopes: [DatagramOutbox.Envelope], _ bytes: [UInt8]) {
        for index in interfaces.indices {
            for service in [NetBIOSService.name, .datagram] {
                outgoing.removeAll(keepingCapacity: true)
                for envelope in envelopes
                where envelope.interface == index && envelope.service == service {
                    outgoing.append(
                        UDPSocket.Outgoing(envelope.range, to: envelope.destination))
                }
                if outgoing.isEmpty { continue }
                let interface = interfaces[index]
                let socket = service == .name ? interface.name : interface.datagram
                let failure = socket.send(bytes, outgoing)
                if let failure { daemon.log.debug(failure.description) }
            }
        }
    }

    private func note(_ event: ResponderEvent) {
        switch event {
        case .registered(let name):
            daemon.log.info("name \(name.description) is ours")
        case .registeredWithServer(let name, let seconds):
            daemon.log.debug("name \(name.description) is with WINS for \(seconds) s")
        case .conflict(let name, let owner):
            daemon.log.warning(
                "name \(name.description) belongs to \(owner.description) already; it is not "
                    + "answered for, and tried again in a while")
        case .serverUnreachable(let name):
            daemon.log.warning("no WINS server answers for name \(name.description)")
        case .addressWanted(let name): find(name)
        case .changeAnnounced(let change, let source): daemon.announced(change, from: source)
        }
    }

    /// Tells the responder whom to name for the domain: the first healthy controller, once its
    /// name is known; nobody where there is none.
    func controllersChanged(_ index: Int) {
        let settings = daemon.configuration.domains[index]
        guard let responder, settings.answer,
            let name = NetBIOSName(settings.name, .workstation)
        else { return }
        if let (address, identity) = named(by: daemon.agent.domains[index].locator) {
            responder.serve(ServedDomain(name, directory: Self.directory(identity)))
            responder.setController(name, Self.named(identity, address))
        } else {
            responder.setController(name, nil)
        }
        checkReadiness()
    }

    /// The controller that the locator prefers among the healthy ones whose names are known.
    private func named(by locator: Locator) -> (IPv4Address, ControllerIdentity)? {
        for candidate in locator.candidates(now: loop.now) where candidate.isHealthy {
            for controller in locator.controllers where controller.address == candidate.address {
                guard let identity = controller.identity, !identity.netbiosName.isEmpty else {
                    continue
                }
                return (controller.address, identity)
            }
        }
        return nil
    }

    private static func directory(
        _ identity: ControllerIdentity
    ) -> ServedDomain.Directory? {
        if identity.dnsDomain.isEmpty { return nil }
        return ServedDomain.Directory(
            dnsDomainName: identity.dnsDomain, dnsForestName: identity.dnsForest,
            domainGuid: identity.domainGUID, siteName: identity.controllerSite)
    }

    /// In a directory each writable controller takes changes, so that it can stand for the
    /// primary one; in an NT4 domain only that one does.
    private static func named(
        _ identity: ControllerIdentity, _ address: IPv4Address
    ) -> NamedController {
        let isPrimary = identity.flags.contains(.primary)
        return NamedController(
            name: identity.netbiosName, address: address,
            dnsHostName: identity.dnsHost.isEmpty ? nil : identity.dnsHost,
            flags: identity.flags, isPrimary: isPrimary,
            standsForPrimary: isPrimary || identity.flags.contains(.writable))
    }

    // MARK: Locators' questions

    /// Looks for the owners of `name` and tells the domain's locator.
    func query(_ name: NetBIOSName, domain: Int) {
        client(domain).resolve(name) { [self] result in
            var addresses: [IPv4Address] = []
            if case .addresses(let entries) = result { addresses = entries.map { $0.address } }
            daemon.locator(domain) { $0.nameAnswer(name, addresses, now: $1) }
        }
    }

    /// Asks the node at `address` for its names and tells the domain's locator.
    func nodeStatus(_ address: IPv4Address, domain: Int) {
        client(domain).nodeStatus(of: address) { [self] result in
            var names: [NodeStatus.Entry] = []
            if case .nodeStatus(let status) = result { names = status.names }
            daemon.locator(domain) { $0.nodeStatusAnswer(address, names, now: $1) }
        }
    }

    /// Whom a domain's questions go to: another one where the host's networks have changed since
    /// the last question.
    private func client(_ domain: Int) -> NameClient {
        let networks = networks
        if let client = clients[domain], !client.isIdle || client.networks == networks {
            return client
        }
        clients[domain]?.close()
        let settings = daemon.configuration.domains[domain]
        let client = NameClient(
            loop,
            NameResolver.Configuration(
                interfaces: networks,
                nameServers: settings.winsServers, port: settings.namePort))
        client.onDatagram = { [daemon] bytes, peer, port, isOurs in
            daemon.explanations[domain]?.datagram(
                bytes, peer: peer, port: port, isOurs: isOurs)
        }
        clients[domain] = client
        return client
    }

    /// Where broadcasts go.
    var networks: [IPv4Network] {
        settings?.interfaces.filter { $0.hasBroadcast } ?? NameClient.hostNetworks()
    }

    // MARK: What `postern status` shows

    var counters: ResponderCounters? { responder?.counters }

    /// The network neighbourhood, for whoever administers us; nil without the legacy face.
    var neighbourhood: BrowsedNeighbourhood? {
        responder.map { BrowsedNeighbourhood($0, loop) }
    }

    /// Names of others that the WINS server has, and our own; nil where we are none.
    var winsNames: Int? { responder?.winsNames }

    var isMasterBrowser: Bool { responder?.isMasterBrowser ?? false }

    var ownedNames: [String] { responder?.ownedNames.map { $0.name.description } ?? [] }
}
