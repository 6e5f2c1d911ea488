import Agent
import CPosix
import Configuration
import Locator
import Loop
import NetBIOS
import SecureChannel
import Wire

/// The sockets of one domain: its channel's connections and its locator's questions. It does what
/// the cores ask, and tells them what came of it through `Daemon`.
final class DomainSockets {
    private let index: Int
    private let daemon: Daemon
    private let loop: EventLoop
    private var links: [Int: TCPConnection] = [:]
    /// Messages of all connections to controllers, and their bytes, in both directions.
    private(set) var traffic = (messages: 0, bytes: 0)
    private var probes: [Endpoint: Probe] = [:]
    private var socket: UDPSocket?
    /// Asks the domain's own name servers, or the host's; nil where it has no DNS name.
    let resolver: Resolver?

    /// A connection that only shows whether somebody is there.
    private struct Probe {
        var connection: TCPConnection
        var timer: Timer
    }

    private enum Limit {
        /// Seconds of silence after which the system asks whether the controller is there.
        static let keepAlive: UInt32 = 20
        /// Milliseconds without an acknowledgement after which the system gives a peer up.
        static let userTimeout: UInt32 = 5_000
    }

    init(_ index: Int, _ daemon: Daemon) {
        self.index = index
        self.daemon = daemon
        loop = daemon.loop
        let settings = daemon.configuration.domains[index]
        resolver = settings.dnsName == nil
            ? nil : try? Resolver(daemon.loop, servers: settings.nameServers)
    }

    // MARK: The channel's connections

    func open(_ link: Int, to endpoint: Endpoint) {
        let options = TCPConnection.Options(
            userTimeout: Limit.userTimeout, keepAlive: Limit.keepAlive)
        links[link] = TCPConnection(
            loop, to: endpoint, options: options,
            handlers: TCPConnection.Handlers(
                connected: {
                    self.noteConnected(link)
                    self.tell { $0.linkOpened(link, now: $1) }
                },
                failed: { _ in self.ended(link, .refused) },
                received: { bytes in
                    self.count(bytes.count)
                    self.daemon.channelReceived(self.index, link, bytes)
                },
                closed: { error in
                    let isReset = error.map { $0.code == ECONNRESET }
                    self.ended(link, isReset == true ? .reset : .closed)
                }))
    }

    private func noteConnected(_ link: Int) {
        guard let explanation = daemon.explanations[index], let local = links[link]?.local
        else { return }
        explanation.connected(link: link, from: local)
    }

    func send(_ link: Int, _ bytes: [UInt8]) {
        count(bytes.count)
        links[link]?.send(bytes)
    }

    private func count(_ bytes: Int) {
        traffic.messages += 1
        traffic.bytes += bytes
    }

    func close(_ link: Int) { links.removeValue(forKey: link)?.close() }

    private func ended(_ link: Int, _ loss: ConnectionLoss) {
        links.removeValue(forKey: link)?.close()
        tell { $0.linkClosed(link, loss, now: $1) }
    }

    private func tell(_ body: @escaping (Channel, UInt64) -> Void) {
        daemon.channel(index, body)
    }

    // MARK: The locator's questions

    func perform(_ output: LocatorOutput) {
        switch output {
        case .dnsSRV(let name):
            let limit = loop.now + LocatorLimit.lookupDeadline
            resolver?.services(name, deadline: limit) { answer in
                let records = (try? answer.get()) ?? []
                self.daemon.locator(self.index) { locator, now in
                    locator.srvAnswer(
                        name,
                        records.map {
                            SRVRecord(
                                priority: $0.priority, weight: $0.weight, port: $0.port,
                                target: $0.target)
                        }, now: now)
                }
            }
        case .dnsA(let host):
            let limit = loop.now + LocatorLimit.lookupDeadline
            resolver?.addresses(host, deadline: limit) { answer in
                let addresses = (try? answer.get()) ?? []
                self.daemon.locator(self.index) { $0.addressAnswer(host, addresses, now: $1) }
            }
        case .nbnsQuery(let name): daemon.names.query(name, domain: index)
        case .nodeStatus(let address): daemon.names.nodeStatus(address, domain: index)
        case .udp(let destination, let bytes): sendDatagram(bytes, to: destination)
        case .probeTCP(let endpoint, let deadline): probe(endpoint, deadline: deadline)
        case .persist(let known): daemon.persist(known, domain: index)
        case .changed: daemon.controllersChanged(index)
        }
    }

    private func sendDatagram(_ bytes: [UInt8], to destination: Endpoint) {
        if socket == nil {
            socket = try? UDPSocket(loop, bind: Endpoint(.any, 0)) { bytes, source in
                self.hear(bytes, source)
                self.daemon.locatorReceived(self.index, bytes, source)
            }
        }
        guard let socket else { return }
        socket.send(bytes, to: destination)
        daemon.explanations[index]?.datagram(
            bytes, peer: destination, port: socket.local.port, isOurs: true)
    }

    private func hear(_ bytes: Span<UInt8>, _ source: Endpoint) {
        guard let explanation = daemon.explanations[index], let socket else { return }
        var copy = WireWriter(capacity: bytes.count)
        copy.append(bytes)
        explanation.datagram(copy.finish(), peer: source, port: socket.local.port, isOurs: false)
    }

    private func probe(_ endpoint: Endpoint, deadline: UInt64) {
        guard probes[endpoint] == nil else { return }
        let timer = Timer(loop) { self.probeEnded(endpoint, connected: false) }
        timer.arm(at: deadline)
        let connection = TCPConnection(
            loop, to: endpoint,
            handlers: TCPConnection.Handlers(
                connected: { self.probeEnded(endpoint, connected: true) },
                failed: { _ in self.probeEnded(endpoint, connected: false) },
                received: { _ in }, closed: { _ in }))
        probes[endpoint] = Probe(connection: connection, timer: timer)
    }

    private func probeEnded(_ endpoint: Endpoint, connected: Bool) {
        guard let probe = probes.removeValue(forKey: endpoint) else { return }
        probe.timer.close()
        probe.connection.close()
        daemon.locator(index) {
            $0.connectAnswer(endpoint.address, connected: connected, now: $1)
        }
    }

    func close() {
        for link in links.values { link.close() }
        links.removeAll()
        for probe in probes.values {
            probe.timer.close()
            probe.connection.close()
        }
        probes.removeAll()
        socket?.close()
        socket = nil
        resolver?.close()
    }
}
