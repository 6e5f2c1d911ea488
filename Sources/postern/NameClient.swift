import Crypto
import Loop
import NetBIOS
import Wire

/// Asks for NetBIOS names from a port of its own: a `NameResolver` with its socket and its timer.
///
/// Peers answer to the port that they were asked from, so that this needs neither port 137 nor
/// the privilege for it. The socket is there while questions are.
final class NameClient {
    typealias Answer = (NameResolver.Result) -> Void

    private let loop: EventLoop
    private let resolver: NameResolver
    private var answers: [NameResolver.QueryID: Answer] = [:]
    private var socket: UDPSocket?
    private var timer: Timer!
    /// Told of each datagram, and of the peer that it went to or came from. Our port is told too,
    /// so that nobody holds the client in here for its sake.
    var onDatagram: ((_ bytes: [UInt8], _ peer: Endpoint, _ port: UInt16, _ isOurs: Bool) -> Void)?
    private var port: UInt16 { socket?.local.port ?? 0 }
    /// Where its broadcasts go.
    let networks: [IPv4Network]

    init(_ loop: EventLoop, _ configuration: NameResolver.Configuration) {
        self.loop = loop
        networks = configuration.interfaces
        resolver = NameResolver(configuration, random: { SystemRandom.number() })
        timer = Timer(loop) { [self] in
            resolver.advance(now: loop.now)
            settle()
        }
    }

    /// The networks to which broadcasts go where the configuration names none: the host's.
    static func hostNetworks() -> [IPv4Network] {
        let all = (try? Host.addresses()) ?? []
        let usable = all.filter {
            $0.isUp && !$0.isLoopback && $0.network.hasBroadcast
        }
        return Array(usable.map { $0.network }.prefix(mostNetworks))
    }

    private static let mostNetworks = 16

    /// Looks for the owners of `name`. Where nobody can be asked the answer comes at once.
    func resolve(_ name: NetBIOSName, answer: @escaping Answer) {
        begin(resolver.resolve(name, now: loop.now), answer)
    }

    /// Asks the node at `address` for its names.
    func nodeStatus(of address: IPv4Address, answer: @escaping Answer) {
        begin(resolver.nodeStatus(of: address, now: loop.now), answer)
    }

    var isIdle: Bool { answers.isEmpty }

    private func begin(_ id: NameResolver.QueryID?, _ answer: @escaping Answer) {
        guard let id else { return answer(.noAnswer) }
        answers[id] = answer
        settle()
    }

    /// Sends what is to be sent and tells what ended.
    private func settle() {
        if !resolver.outbox.isEmpty { send() }
        for completion in resolver.takeCompletions() {
            answers.removeValue(forKey: completion.id)?(completion.result)
        }
        timer.arm(at: resolver.nextDeadline)
        if answers.isEmpty {
            socket?.close()
            socket = nil
        }
    }

    private func send() {
        if socket == nil {
            socket = try? UDPSocket(
                loop, bind: Endpoint(.any, 0), options: UDPSocket.Options(broadcast: true)
            ) { [self] bytes, source in
                hear(bytes, source)
                resolver.receive(bytes, from: source, now: loop.now)
                settle()
            }
        }
        for envelope in resolver.outbox.envelopes {
            // A network that is down answers as little as one where nobody is.
            let datagram = resolver.outbox.datagram(envelope)
            socket?.send(datagram, to: envelope.destination)
            onDatagram?(datagram, envelope.destination, port, true)
        }
        resolver.outbox.removeAll()
    }

    private func hear(_ bytes: Span<UInt8>, _ source: Endpoint) {
        guard let onDatagram else { return }
        var copy = WireWriter(capacity: bytes.count)
        copy.append(bytes)
        onDatagram(copy.finish(), source, port, false)
    }

    func close() {
        onDatagram = nil
        answers.removeAll()
        socket?.close()
        socket = nil
        timer.close()
    }
}

extension SystemRandom {
    /// Uniform and unpredictable.
    static func number() -> UInt32 {
        var number: UInt32 = 0
        for byte in bytes(4) { number = number << 8 | UInt32(byte) }
        return number
    }
}
