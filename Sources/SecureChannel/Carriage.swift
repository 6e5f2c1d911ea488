import RPC
import SMB
import Wire

/// What carries the PDUs of an RPC connection: a TCP stream, or a named pipe of an SMB1 session.
class Carriage {
    enum Event {
        /// PDUs may be sent.
        case open
        case pdu([UInt8])
        case failed(ConnectionLoss)
    }

    /// Bytes of unfinished PDUs that are kept.
    private static let bufferLimit = 2 * FragmentCutter.maximumFragment

    private var outgoing: [[UInt8]] = []
    private var events: [Event] = []
    private var buffer: [UInt8] = []

    /// Whether the peer may be asked for the Netlogon provider on the connection that was bound
    /// without one.
    var altersContexts: Bool { true }

    func takeOutgoing() -> [[UInt8]] {
        var taken: [[UInt8]] = []
        swap(&taken, &outgoing)
        return taken
    }

    func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    func opened() { events.append(.open) }

    /// Begins a connection of RPC's anew, where the one that is open cannot be altered.
    func reopen() {}

    func send(_ pdu: [UInt8], isLast: Bool) { outgoing.append(pdu) }

    func received(_ bytes: Span<UInt8>) {
        guard buffer.count + bytes.count <= Self.bufferLimit else {
            events.append(.failed(.nonsense("more than \(Self.bufferLimit) bytes of one PDU")))
            return
        }
        for index in 0..<bytes.count { buffer.append(bytes[index]) }
        var start = 0
        do {
            while let length = try FragmentCutter.length(buffer.span, from: start) {
                events.append(.pdu(Array(buffer[start..<(start + length)])))
                start += length
                if start == buffer.count { break }
            }
        } catch {
            events.append(.failed(.nonsense(error.description)))
        }
        buffer.removeFirst(start)
    }
}
