import CPosix
import Crypto
import Flows
import Loop
import Wire

/// The world of an administrator's flow: the system's sockets, which wait, and its clocks.
final class SystemExchange: Exchange {
    /// A connection, gone once it is closed.
    final class Stream {
        fileprivate var connection: BlockingTCP?

        fileprivate init(_ connection: BlockingTCP) { self.connection = connection }
    }

    typealias Port = BlockingUDP

    /// Our addresses with their networks, the first being the one for places beyond them.
    let networks: [IPv4Network]

    init(networks: [IPv4Network]) { self.networks = networks }

    var microseconds: UInt64 { SystemClock.microseconds }
    var unixMicroseconds: UInt64 { SystemClock.unixMicroseconds }

    func random(_ count: Int) -> [UInt8] { SystemRandom.bytes(count) }

    private static func failure(_ error: SystemError) -> ExchangeFailure {
        ExchangeFailure(error.description, isTimeout: error.isTimeout)
    }

    // MARK: TCP

    func connect(to peer: Endpoint, deadline: UInt64) throws(ExchangeFailure) -> Stream {
        do throws(SystemError) {
            return Stream(try BlockingTCP(to: peer, deadline: deadline))
        } catch {
            throw Self.failure(error)
        }
    }

    func local(of stream: Stream) -> Endpoint {
        stream.connection?.local ?? Endpoint(.any, 0)
    }

    func send(
        _ bytes: [UInt8], on stream: Stream, deadline: UInt64
    ) throws(ExchangeFailure) {
        guard let connection = stream.connection else { throw .ended }
        do throws(SystemError) {
            try connection.send(bytes, deadline: deadline)
        } catch {
            throw Self.failure(error)
        }
    }

    func receive(on stream: Stream, deadline: UInt64) throws(ExchangeFailure) -> [UInt8] {
        guard let connection = stream.connection else { throw .ended }
        do throws(SystemError) {
            return try connection.receive(deadline: deadline)
        } catch {
            throw Self.failure(error)
        }
    }

    func close(_ stream: Stream) { stream.connection = nil }

    // MARK: UDP

    func port(preferring wanted: UInt16?) throws(ExchangeFailure) -> BlockingUDP {
        if let wanted,
            let socket = try? BlockingUDP(bind: Endpoint(.any, wanted), broadcast: true)
        {
            return socket
        }
        do throws(SystemError) {
            return try BlockingUDP(broadcast: true)
        } catch {
            throw Self.failure(error)
        }
    }

    func local(of port: BlockingUDP, towards destination: IPv4Address) -> Endpoint {
        let network = networks.first { $0.contains(destination) } ?? networks.first
        return Endpoint(network?.address ?? .any, port.local?.port ?? 0)
    }

    func send(
        _ bytes: [UInt8], to destination: Endpoint, from port: BlockingUDP
    ) throws(ExchangeFailure) {
        do throws(SystemError) {
            try port.send(bytes, to: destination)
        } catch {
            throw Self.failure(error)
        }
    }

    func receive(
        on port: BlockingUDP, deadline: UInt64
    ) throws(ExchangeFailure) -> ([UInt8], Endpoint) {
        do throws(SystemError) {
            return try port.receive(deadline: deadline)
        } catch {
            throw Self.failure(error)
        }
    }
}
