import RPC
import Wire

/// What carries the PDUs of an RPC connection: here a TCP stream; a named pipe is a subclass.
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
    /// Whether more of what was begun must come: the rest of a PDU, or of a response's fragments.
    private(set) var expectsMore = false

    /// Whether calls may be sent before those before them are answered.
    var carriesSeveral: Bool { true }

    final func takeOutgoing() -> [[UInt8]] {
        var taken: [[UInt8]] = []
        swap(&taken, &outgoing)
        return taken
    }

    final func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    final func emit(_ bytes: [UInt8]) { outgoing.append(bytes) }
    final func fail(_ loss: ConnectionLoss) { events.append(.failed(loss)) }

    func opened() { events.append(.open) }

    func send(_ pdu: [UInt8], isLast: Bool) { emit(pdu) }

    func received(_ bytes: Span<UInt8>) {
        guard buffer.count + bytes.count <= Self.bufferLimit else {
            fail(.nonsense("more than \(Self.bufferLimit) bytes of one PDU"))
            return
        }
        if buffer.isEmpty {
            // Mostly whole PDUs come: they need not wait here.
            let taken = cut(bytes)
            buffer.append(copying: bytes.extracting(taken...))
        } else {
            buffer.append(copying: bytes)
            buffer.removeFirst(cut(buffer.span))
        }
        if !buffer.isEmpty { expectsMore = true }
    }

    /// Takes the whole PDUs that `bytes` begin with, and tells how many bytes those are.
    private func cut(_ bytes: Span<UInt8>) -> Int {
        var start = 0
        do throws(WireError) {
            while start < bytes.count,
                let length = try FragmentCutter.length(bytes, from: start)
            {
                let pdu = [UInt8](copying: bytes.extracting(start..<(start + length)))
                let flags = PDUFlags(rawValue: pdu[3])
                expectsMore = !flags.contains(.lastFragment)
                events.append(.pdu(pdu))
                start += length
            }
        } catch {
            fail(.nonsense(error.description))
        }
        return start
    }
}
