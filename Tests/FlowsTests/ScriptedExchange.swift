import Wire

@testable import Flows

/// The world of a flow, scripted: a network of one host, and time that passes only while someone
/// waits.
final class ScriptedExchange: Exchange {
    final class Stream {
        let server: FakeController.Session
        var inbox: [UInt8] = []
        var isEnded = false
        /// Where LDAP is spoken and not SMB.
        var directory: FakeDirectory?

        init(_ server: FakeController.Session) { self.server = server }

        func answer(_ bytes: [UInt8]) -> [UInt8]? {
            if let directory { return directory.receive(bytes) }
            return server.receive(bytes)
        }
    }

    final class Port {
        let number: UInt16
        var inbox: [([UInt8], Endpoint)] = []

        init(_ number: UInt16) { self.number = number }
    }

    static let ourAddress = IPv4Address(10, 77, 0, 40)

    let host: FakeController
    var microseconds: UInt64 = 1_000_000
    var unixMicroseconds: UInt64 { 1_700_000_000_000_000 + microseconds }
    private var seed: UInt8 = 0
    private(set) var openStreams = 0

    init(_ host: FakeController) { self.host = host }

    func random(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            seed &+= 37
            return seed
        }
    }

    func connect(to peer: Endpoint, deadline: UInt64) throws(ExchangeFailure) -> Stream {
        microseconds += 100
        guard peer.address == host.address, host.ports.contains(peer.port) else {
            throw ExchangeFailure("connect \(peer.description): Connection refused")
        }
        openStreams += 1
        let stream = Stream(FakeController.Session(host, isDirect: peer.port == 445))
        if peer.port == 389 { stream.directory = FakeDirectory(host) }
        return stream
    }

    func local(of stream: Stream) -> Endpoint { Endpoint(Self.ourAddress, 50_000) }

    func send(
        _ bytes: [UInt8], on stream: Stream, deadline: UInt64
    ) throws(ExchangeFailure) {
        microseconds += 50
        if let answer = stream.answer(bytes) {
            stream.inbox += answer
        } else {
            stream.isEnded = true
        }
    }

    func receive(on stream: Stream, deadline: UInt64) throws(ExchangeFailure) -> [UInt8] {
        if !stream.inbox.isEmpty {
            microseconds += 50
            let count = min(stream.inbox.count, host.pieceSize)
            let bytes = Array(stream.inbox.prefix(count))
            stream.inbox.removeFirst(count)
            return bytes
        }
        if stream.isEnded { return [] }
        microseconds = max(microseconds, deadline * 1_000)
        throw .timeout
    }

    func close(_ stream: Stream) { openStreams -= 1 }

    func port(preferring wanted: UInt16?) throws(ExchangeFailure) -> Port {
        Port(wanted ?? 40_000)
    }

    func local(of port: Port, towards destination: IPv4Address) -> Endpoint {
        Endpoint(Self.ourAddress, port.number)
    }

    func send(
        _ bytes: [UInt8], to destination: Endpoint, from port: Port
    ) throws(ExchangeFailure) {
        microseconds += 20
        for answer in host.datagram(bytes, to: destination) {
            port.inbox.append((answer, Endpoint(host.address, destination.port)))
        }
    }

    func receive(
        on port: Port, deadline: UInt64
    ) throws(ExchangeFailure) -> ([UInt8], Endpoint) {
        if !port.inbox.isEmpty {
            microseconds += 20
            return port.inbox.removeFirst()
        }
        microseconds = max(microseconds, deadline * 1_000)
        throw .timeout
    }
}
