import Wire

/// Puts fragmented datagrams together, RFC 1002 5.3.3, within limits that no sender can pass:
/// entries, bytes and fragments for each, and time.
///
/// A fragment that overlaps another or lies beyond the end drops its whole datagram, because an
/// honest sender sends neither. The same fragment once more is what networks make of one at times.
package struct DatagramReassembler: Sendable {
    /// RFC 1002 6, FRAGMENT_TO: milliseconds that a datagram may take to arrive.
    package static let timeout: UInt64 = 2_000
    /// Datagrams in pieces at one time; the oldest gives way.
    package static let mostDatagrams = 16
    package static let mostFragments = 16
    /// User data of one datagram: mailslot messages stay below 425 bytes, logon messages with long
    /// names below 1,500.
    package static let longestUserData = 4_096

    package enum Outcome: Equatable, Sendable {
        /// The whole datagram, header and names as in its first fragment, unfragmented.
        case complete([UInt8])
        case incomplete
        /// The fragment contradicts the others, or is over a limit; its datagram was dropped.
        case refused
    }

    private struct Key: Equatable {
        var sender: Endpoint
        var id: UInt16
    }

    private struct Fragment: Equatable {
        var offset: Int
        var bytes: [UInt8]
        var isLast: Bool
    }

    private struct Entry {
        var key: Key
        var deadline: UInt64
        var first: DataDatagram
        var fragments: [Fragment]
        /// The length of the whole, once the last fragment is there.
        var total: Int?
        var received: Int
    }

    private var entries: [Entry] = []

    package init() {}

    package var count: Int { entries.count }
    /// Datagrams that did not become whole in time or gave way to newer ones.
    package private(set) var abandoned = 0

    /// When the next entry's time is over; the caller may call `expire` then, or leave it to the
    /// next fragment.
    package var nextDeadline: UInt64? { entries.first?.deadline }

    package mutating func expire(now: UInt64) {
        while let oldest = entries.first, oldest.deadline <= now {
            entries.removeFirst()
            abandoned += 1
        }
    }

    /// Takes in a fragment that came from `sender` as `span`.
    package mutating func add(
        _ datagram: DataDatagram, _ span: Span<UInt8>, from sender: Endpoint, now: UInt64
    ) -> Outcome {
        expire(now: now)
        let key = Key(sender: sender, id: datagram.header.id)
        let index: Int
        if let known = entries.firstIndex(where: { $0.key == key }) {
            index = known
        } else {
            if entries.count == Self.mostDatagrams {
                entries.removeFirst()
                abandoned += 1
            }
            index = entries.count
            entries.append(
                Entry(
                    key: key, deadline: now + Self.timeout, first: datagram, fragments: [],
                    total: nil, received: 0))
        }
        if !insert(datagram, span, at: index) {
            entries.remove(at: index)
            return .refused
        }
        let entry = entries[index]
        if entry.received != entry.total { return .incomplete }
        entries.remove(at: index)
        return .complete(Self.assemble(entry))
    }

    private mutating func insert(
        _ datagram: DataDatagram, _ span: Span<UInt8>, at index: Int
    ) -> Bool {
        let start = Int(datagram.packetOffset)
        let end = start + datagram.userData.count
        let first = entries[index].first
        if datagram.source != first.source || datagram.destination != first.destination
            || datagram.header.type != first.header.type || datagram.header.isFirst != (start == 0)
            || end > Self.longestUserData || datagram.userData.isEmpty
        {
            return false
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(datagram.userData.count)
        for position in datagram.userData { bytes.append(span[position]) }
        let made = Fragment(offset: start, bytes: bytes, isLast: !datagram.header.hasMore)
        if entries[index].fragments.contains(made) { return true }
        if entries[index].fragments.count == Self.mostFragments { return false }
        if made.isLast {
            if entries[index].total != nil { return false }
            entries[index].total = end
        }
        var place = 0
        for fragment in entries[index].fragments {
            if fragment.offset < end && start < fragment.offset + fragment.bytes.count {
                return false
            }
            if fragment.offset < start { place += 1 }
        }
        entries[index].fragments.insert(made, at: place)
        entries[index].received += bytes.count
        if let total = entries[index].total, let last = entries[index].fragments.last {
            return last.offset + last.bytes.count <= total
        }
        return true
    }

    private static func assemble(_ entry: Entry) -> [UInt8] {
        var writer = WireWriter(capacity: 128 + entry.received)
        var header = entry.first.header
        header.flags = header.flags & ~DatagramHeader.more | DatagramHeader.first
        let length = DataDatagram.begin(
            header, from: entry.first.source, to: entry.first.destination, into: &writer)
        for fragment in entry.fragments { writer.append(fragment.bytes) }
        DataDatagram.finish(length, in: &writer)
        return writer.finish()
    }
}
