import Wire

/// One direction of a TCP connection: segments in, bytes in order out, within limits.
///
/// A segment that came early waits for those before it. Where more wait than the limits allow,
/// what is missing is given up: the capture does not have it.
struct SegmentQueue {
    static let mostWaiting = 32
    static let mostBytes = 262_144

    enum Piece: Equatable {
        case bytes([UInt8])
        /// So many bytes are not in the capture.
        case gap(Int)
    }

    private struct Waiting {
        var sequence: UInt32
        var bytes: [UInt8]
    }

    /// The number of the next byte in order, once there has been a segment.
    private var next: UInt32?
    /// In order of their numbers.
    private var waiting: [Waiting] = []
    private var waitingBytes = 0

    init() {}

    /// Takes the segment whose payload is `range` of `bytes`.
    mutating func add(
        _ segment: InternetPacket.Segment, _ range: Range<Int>, of bytes: Span<UInt8>
    ) -> [Piece] {
        if segment.isSynchronizing {
            // The one that opens the connection takes a number of its own.
            self = SegmentQueue()
            next = segment.sequence &+ 1
            return []
        }
        if range.isEmpty { return [] }
        var payload: [UInt8] = []
        payload.reserveCapacity(range.count)
        for index in range { payload.append(bytes[index]) }
        if next == nil { next = segment.sequence }
        insert(Waiting(sequence: segment.sequence, bytes: payload))
        return release()
    }

    /// What still waits, with the gaps before it: nothing more comes.
    mutating func finish() -> [Piece] {
        var pieces: [Piece] = []
        while !waiting.isEmpty { pieces += skip() + release() }
        return pieces
    }

    private mutating func insert(_ segment: Waiting) {
        var place = waiting.count
        while place > 0,
            Self.distance(from: waiting[place - 1].sequence, to: segment.sequence) < 0
        {
            place -= 1
        }
        waiting.insert(segment, at: place)
        waitingBytes += segment.bytes.count
    }

    private mutating func release() -> [Piece] {
        var pieces: [Piece] = []
        while let first = waiting.first {
            let ahead = Self.distance(from: next ?? first.sequence, to: first.sequence)
            if ahead > 0 {
                if waiting.count <= Self.mostWaiting && waitingBytes <= Self.mostBytes { break }
                pieces += skip()
                continue
            }
            waiting.removeFirst()
            waitingBytes -= first.bytes.count
            // What was there already has been sent again.
            let known = -ahead
            if known >= first.bytes.count { continue }
            pieces.append(.bytes(known == 0 ? first.bytes : Array(first.bytes[known...])))
            next = first.sequence &+ UInt32(truncatingIfNeeded: first.bytes.count)
        }
        return pieces
    }

    /// Goes on with the first segment that waits.
    private mutating func skip() -> [Piece] {
        guard let first = waiting.first else { return [] }
        let missing = Self.distance(from: next ?? first.sequence, to: first.sequence)
        next = first.sequence
        return missing > 0 ? [.gap(missing)] : []
    }

    /// Numbers wrap around: how far apart they are has a sign.
    private static func distance(from: UInt32, to: UInt32) -> Int {
        Int(Int32(bitPattern: to &- from))
    }
}
