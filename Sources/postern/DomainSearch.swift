import Agent
import CPosix
import Configuration
import Consumers
import Crypto
import Locator
import Loop
import NetBIOS
import Wire

/// `postern find`: looks for a domain's controllers by every method that applies, all at once, and
/// says what each answered and how fast.
///
///     DNS SRV ─▶ DNS A ─┐
///     configured list ──┼─▶ each address: CLDAP ping, node status, TCP
///     WINS, broadcast ──┘
///
/// It asks anew and apart from the locator, whose findings it neither uses nor changes.
final class DomainSearch {
    private let daemon: Daemon
    private let loop: EventLoop
    private let settings: DomainSettings
    private let resolver: Resolver?
    private let wantsJSON: Bool
    private let done: Done
    private var report: SearchReport
    private var addresses: [IPv4Address] = []
    private var hosts: [String] = []
    private var names: [NameClient] = []
    private var probes: [ControllerProbe] = []
    /// Answers that are still to come.
    private var pending = 0

    enum Limit {
        /// Milliseconds that one question waits for its answer.
        static let deadline: UInt64 = 2_000
        /// Until a ping is sent a second time, as UDP may lose one.
        static let repetition: UInt64 = 700
        static let addresses = 16
        static let hosts = 16
        /// The longest NetBIOS question goes to so many servers.
        static let nameServers = 4
    }

    typealias Done = (_ text: String, _ code: ExitCode) -> Void

    init(_ index: Int, _ daemon: Daemon, json: Bool, done: @escaping Done) {
        self.daemon = daemon
        loop = daemon.loop
        settings = daemon.configuration.domains[index]
        resolver = daemon.sockets[index].resolver
        wantsJSON = json
        self.done = done
        report = SearchReport(domain: settings.name)
    }

    func start() {
        // Held until all questions are asked, so that an early answer does not end the search.
        pending += 1
        if let name = settings.dnsName { askServices("_ldap._tcp.dc._msdcs." + name) }
        for address in settings.controllers { found(address) }
        if usesNetBIOS { askNames() }
        settled()
    }

    /// Names of NetBIOS are the nt4 profile's way; old clients' way to a modern domain is of
    /// interest where this agent has to do with them.
    private var usesNetBIOS: Bool {
        settings.profile == .nt4 || daemon.configuration.listen != nil
            || !settings.winsServers.isEmpty
    }

    private func add(
        _ method: SearchReport.Method, _ subject: String, _ answer: SearchReport.Answer,
        since: UInt64
    ) {
        report.add(method, subject, answer, microseconds: loop.microseconds - since)
    }

    /// One answer less to wait for.
    private func settled() {
        pending -= 1
        if pending > 0 { return }
        for client in names { client.close() }
        names = []
        probes = []
        done(
            wantsJSON ? report.json : report.text,
            report.found.isEmpty ? .unavailable : .success)
    }

    // MARK: DNS

    private func askServices(_ name: String) {
        let began = loop.microseconds
        guard let resolver else {
            return add(.srv, name, .failure("there is no resolver on this host"), since: began)
        }
        pending += 1
        resolver.services(name, deadline: loop.now + Limit.deadline) { [self] result in
            switch result {
            case .success(let records):
                let texts = records.map { $0.description }
                add(.srv, name, .answer(texts.joined(separator: ", ")), since: began)
                for record in records { askAddresses(of: record.target) }
            case .failure(let error):
                add(.srv, name, .failure(Self.words(error)), since: began)
            }
            settled()
        }
    }

    private func askAddresses(of host: String) {
        guard let resolver, !hosts.contains(host),
            hosts.count < Limit.hosts
        else { return }
        hosts.append(host)
        pending += 1
        let began = loop.microseconds
        resolver.addresses(host, deadline: loop.now + Limit.deadline) { [self] result in
            switch result {
            case .success(let list):
                let texts = list.map { $0.description }
                add(.host, host, .answer(texts.joined(separator: ", ")), since: began)
                for address in list { found(address) }
            case .failure(let error):
                add(.host, host, .failure(Self.words(error)), since: began)
            }
            settled()
        }
    }

    private static func words(_ error: ResolverError) -> String {
        switch error {
        case .notFound: "no such name"
        case .timeout: SearchReport.noAnswer(Limit.deadline)
        case .failed, .tooMany: error.description
        }
    }

    // MARK: NetBIOS names

    private func askNames() {
        let networks = daemon.names.networks
        let suffixes: [NetBIOSSuffix] = [.domainMasterBrowser, .domainControllers]
        for suffix in suffixes {
            guard let name = NetBIOSName(settings.name, suffix) else { continue }
            for server in settings.winsServers.prefix(Limit.nameServers) {
                ask(name, .wins, "\(name.description) at \(server.description)",
                    NameResolver.Configuration(
                        interfaces: [], nameServers: [server], port: settings.namePort))
            }
            for network in networks {
                ask(name, .broadcast, "\(name.description) at \(network.broadcast.description)",
                    NameResolver.Configuration(interfaces: [network], port: settings.namePort))
            }
        }
    }

    private func ask(
        _ name: NetBIOSName, _ method: SearchReport.Method, _ subject: String,
        _ configuration: NameResolver.Configuration
    ) {
        let client = NameClient(loop, configuration)
        names.append(client)
        pending += 1
        let began = loop.microseconds
        client.resolve(name) { [self] result in
            switch result {
            case .addresses(let entries):
                let texts = entries.map { $0.address.description }
                add(method, subject, .answer(texts.joined(separator: ", ")), since: began)
                for entry in entries { found(entry.address) }
            case .noSuchName:
                add(method, subject, .failure("no such name"), since: began)
            case .noAnswer, .nodeStatus:
                let waited = (loop.microseconds - began) / 1_000
                add(method, subject, .failure(SearchReport.noAnswer(waited)), since: began)
            }
            settled()
        }
    }

    // MARK: Addresses

    /// Asks who is at `address`, in all ways that profile and transport have.
    private func found(_ address: IPv4Address) {
        if addresses.contains(address) || addresses.count == Limit.addresses { return }
        addresses.append(address)
        if settings.profile == .modern { ping(address) }
        switch settings.transport ?? settings.profile.usualTransport {
        case .tcp: connect(address, 135 &+ settings.portOffset)
        case .smb1:
            connect(address, 445 &+ settings.portOffset)
            connect(address, 139 &+ settings.portOffset)
        case .smb2: connect(address, 445 &+ settings.portOffset)
        }
        if usesNetBIOS { askNode(address) }
    }

    private func ping(_ address: IPv4Address) {
        pending += 1
        let began = loop.microseconds
        let probe = ControllerProbe(
            loop, address, domain: settings, computer: daemon.configuration.agent.name
        ) { [self] outcome in
            switch outcome {
            case .identity(let identity):
                report.foundController(address, identity)
                add(.cldap, address.description, .answer(SearchReport.words(identity)),
                    since: began)
            case .otherDomain(let name):
                report.disowned.append(address)
                add(.cldap, address.description, .failure("serves \(name)"), since: began)
            case .failure(let words):
                add(.cldap, address.description, .failure(words), since: began)
            }
            settled()
        }
        probes.append(probe)
        probe.start()
    }

    private func askNode(_ address: IPv4Address) {
        let client = NameClient(
            loop, NameResolver.Configuration(interfaces: [], port: settings.namePort))
        names.append(client)
        pending += 1
        let began = loop.microseconds
        client.nodeStatus(of: address) { [self] result in
            if case .nodeStatus(let status) = result {
                let texts = status.names.map { $0.name.description }
                let identity = ControllerIdentity(names: status.names, domain: settings.name)
                if let identity { report.foundController(address, identity) }
                let answer = texts.joined(separator: ", ")
                if identity == nil && settings.profile == .nt4 { report.disowned.append(address) }
                add(.nodeStatus, address.description,
                    identity == nil
                        ? .failure("no controller of \(settings.name): \(answer)")
                        : .answer(answer),
                    since: began)
            } else {
                let waited = (loop.microseconds - began) / 1_000
                add(.nodeStatus, address.description,
                    .failure(SearchReport.noAnswer(waited)), since: began)
            }
            settled()
        }
    }

    private func connect(_ address: IPv4Address, _ port: UInt16) {
        pending += 1
        let began = loop.microseconds
        let attempt = ConnectionAttempt(loop, Endpoint(address, port))
        attempt.start { [self] failure in
            if let failure {
                add(.tcp, "\(address.description) port \(port)", .failure(failure), since: began)
            } else {
                report.reached.append(address)
                add(.tcp, "\(address.description) port \(port)", .answer("connected"),
                    since: began)
            }
            settled()
        }
    }
}

/// A connection that only shows whether somebody accepts it.
final class ConnectionAttempt {
    private let loop: EventLoop
    private let endpoint: Endpoint
    private var connection: TCPConnection?
    private var timer: Timer?

    init(_ loop: EventLoop, _ endpoint: Endpoint) {
        self.loop = loop
        self.endpoint = endpoint
    }

    /// Tells why there is no connection, or nil where there is one.
    func start(done: @escaping (_ failure: String?) -> Void) {
        let end: (String?) -> Void = { [self] failure in
            guard let open = connection else { return }
            connection = nil
            timer?.close()
            timer = nil
            open.close()
            done(failure)
        }
        timer = Timer(loop) { end(SearchReport.noAnswer(DomainSearch.Limit.deadline)) }
        timer?.arm(after: DomainSearch.Limit.deadline)
        connection = TCPConnection(
            loop, to: endpoint,
            handlers: TCPConnection.Handlers(
                connected: { end(nil) }, failed: { end(Self.words($0)) }, received: { _ in },
                closed: { _ in }))
    }

    private static func words(_ error: SystemError) -> String {
        switch error.code {
        case ECONNREFUSED: "refused"
        case ECONNRESET: "reset"
        case EHOSTUNREACH: "the host is unreachable"
        case ENETUNREACH: "the network is unreachable"
        case ETIMEDOUT: SearchReport.noAnswer(DomainSearch.Limit.deadline)
        case _: error.description
        }
    }
}
