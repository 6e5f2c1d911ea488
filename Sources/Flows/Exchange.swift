import Wire

/// What a dialogue needs of the world: sockets that wait, each time by a deadline, a clock and
/// randomness. The program gives it the system's; a test scripts it.
///
/// Deadlines are milliseconds on the clock that `microseconds` counts.
package protocol Exchange: AnyObject {
    /// A TCP connection.
    associatedtype Stream
    /// A UDP socket.
    associatedtype Port

    /// On a clock that only goes forward.
    var microseconds: UInt64 { get }
    /// Since 1970, as people's clocks show it.
    var unixMicroseconds: UInt64 { get }

    func random(_ count: Int) -> [UInt8]

    func connect(to peer: Endpoint, deadline: UInt64) throws(ExchangeFailure) -> Stream
    /// Our end's address.
    func local(of stream: Stream) -> Endpoint
    func send(_ bytes: [UInt8], on stream: Stream, deadline: UInt64) throws(ExchangeFailure)
    /// What has come, in pieces of any size; nothing where the peer ended the stream.
    func receive(on stream: Stream, deadline: UInt64) throws(ExchangeFailure) -> [UInt8]
    func close(_ stream: Stream)

    /// A socket that may send broadcasts, on `wanted` where that is free, else on any port.
    func port(preferring wanted: UInt16?) throws(ExchangeFailure) -> Port
    /// Our address and port, as a peer at `destination` sees them.
    func local(of port: Port, towards destination: IPv4Address) -> Endpoint
    func send(
        _ bytes: [UInt8], to destination: Endpoint, from port: Port
    ) throws(ExchangeFailure)
    /// The next datagram; fails with a timeout at the deadline.
    func receive(on port: Port, deadline: UInt64) throws(ExchangeFailure) -> ([UInt8], Endpoint)
}

extension Exchange {
    package var now: UInt64 { microseconds / 1_000 }
}

/// Why the world did not do what a dialogue asked of it.
package struct ExchangeFailure: Error, Equatable, CustomStringConvertible {
    package let isTimeout: Bool
    package let text: String

    package init(_ text: String, isTimeout: Bool = false) {
        self.text = text
        self.isTimeout = isTimeout
    }

    package static let timeout = ExchangeFailure("no answer in time", isTimeout: true)
    package static let ended = ExchangeFailure("the peer ended the connection")

    package var description: String { text }
}
