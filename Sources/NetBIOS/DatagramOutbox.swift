import Wire

/// The two datagram services, whose sockets a core sends from.
package enum NetBIOSService: Sendable {
    /// UDP 137.
    case name
    /// UDP 138.
    case datagram
}

/// The ports of the two datagram services; tests and the demo shift them.
package struct NetBIOSPorts: Equatable, Sendable {
    package var name: UInt16
    package var datagram: UInt16

    package init(offset: UInt16 = 0) {
        name = 137 &+ offset
        datagram = 138 &+ offset
    }
}

/// What a core wants sent: the datagrams' bytes one behind the other in one writer that is kept,
/// so that answering allocates nothing.
package struct DatagramOutbox: ~Copyable {
    package struct Envelope: Equatable, Sendable {
        /// The socket to send from.
        package var service: NetBIOSService
        /// The interface to send from, as an index in the core's list.
        package var interface: Int
        package var destination: Endpoint
        /// In `bytes`.
        package var range: Range<Int>
    }

    /// A caller appends a datagram here and then calls `send`.
    package var writer: WireWriter
    package private(set) var envelopes: [Envelope] = []
    private var start = 0

    package init() {
        writer = WireWriter(capacity: 2_048)
        envelopes.reserveCapacity(16)
    }

    package var isEmpty: Bool { envelopes.isEmpty }
    package var bytes: [UInt8] { writer.bytes }

    /// A copy of one datagram's bytes, for tests and for callers that are not in a hurry.
    package func datagram(_ envelope: Envelope) -> [UInt8] { Array(writer.bytes[envelope.range]) }

    /// Makes a datagram of what was written since the last.
    package mutating func send(
        _ service: NetBIOSService, interface: Int, to destination: Endpoint
    ) {
        envelopes.append(
            Envelope(
                service: service, interface: interface, destination: destination,
                range: start..<writer.count))
        start = writer.count
    }

    /// Forgets everything and keeps the memory; what the caller does when all is sent.
    package mutating func removeAll() {
        writer.removeAll()
        envelopes.removeAll(keepingCapacity: true)
        start = 0
    }
}
