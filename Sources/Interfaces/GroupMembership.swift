import RPC
import Wire

/// A group of the user's domain that the user is in (MS-PAC 2.2.2, GROUP_MEMBERSHIP).
package struct GroupMembership: Hashable, Sendable {
    package static let byteCount = 8
    /// Mandatory, enabled by default, enabled: what a plain group has (MS-PAC 2.2.1).
    package static let plainAttributes: UInt32 = 7

    package var relativeID: UInt32
    package var attributes: UInt32

    package init(relativeID: UInt32, attributes: UInt32 = plainAttributes) {
        self.relativeID = relativeID
        self.attributes = attributes
    }
}

/// A group of any domain that the user is in (MS-PAC 2.2.3, KERB_SID_AND_ATTRIBUTES).
package struct SIDAndAttributes: Hashable, Sendable {
    package var sid: SID
    package var attributes: UInt32

    package init(sid: SID, attributes: UInt32 = GroupMembership.plainAttributes) {
        self.sid = sid
        self.attributes = attributes
    }
}

/// The groups of the user's domain: where they are in the bytes they came in, or a list of ours.
package enum GroupList: Equatable, Sendable {
    /// More than Windows lets a user be in (1,015), and than any token could hold.
    package static let maximum = 32_768

    case received(Range<Int>)
    case list([GroupMembership])

    package var count: Int {
        switch self {
        case .received(let range): range.count / GroupMembership.byteCount
        case .list(let list): list.count
        }
    }

    /// `reader` reads the span that the message was parsed from.
    package func memberships(in reader: borrowing WireReader) throws(WireError) -> [GroupMembership]
    {
        switch self {
        case .list(let list): return list
        case .received(let range):
            var part = reader.part(range)
            var list: [GroupMembership] = []
            list.reserveCapacity(count)
            while !part.isAtEnd {
                let relativeID = try part.uint32LE("RelativeId")
                let attributes = try part.uint32LE("Attributes")
                list.append(GroupMembership(relativeID: relativeID, attributes: attributes))
            }
            return list
        }
    }

    func writeCount(into stub: inout NDRWriter) { stub.uint32(UInt32(count)) }

    /// The list of a message that is ours, or was made so by `owned`.
    var own: [GroupMembership] {
        switch self {
        case .list(let list): return list
        case .received: preconditionFailure("received groups are written only once they are owned")
        }
    }
}

/// The groups of other domains: where they are in the bytes they came in, or a list of ours.
package enum ExtraSIDList: Equatable, Sendable {
    package static let maximum = 8_192

    case received(count: Int, Range<Int>)
    case list([SIDAndAttributes])

    package var count: Int {
        switch self {
        case .received(let count, _): count
        case .list(let list): list.count
        }
    }

    /// `reader` reads the span that the message was parsed from.
    package func sids(in reader: borrowing WireReader) throws(WireError) -> [SIDAndAttributes] {
        switch self {
        case .list(let list): return list
        case .received(let count, let range):
            var stub = NDRReader(reader.part(range))
            var attributes: [UInt32] = []
            attributes.reserveCapacity(count)
            for _ in 0..<count {
                _ = try stub.pointer("Sid")
                attributes.append(try stub.uint32("Attributes"))
            }
            var list: [SIDAndAttributes] = []
            list.reserveCapacity(count)
            for value in attributes {
                list.append(SIDAndAttributes(sid: try stub.sid("Sid"), attributes: value))
            }
            return list
        }
    }

    /// Parses the array that SidCount and ExtraSids announced. The range covers its elements and
    /// their SIDs, which are all multiples of 4 bytes.
    init(parsing stub: inout NDRReader, announced: Int) throws(WireError) {
        let count = try stub.conformance(elementSize: 8, limit: Self.maximum, "ExtraSids")
        if count != announced { throw stub.wire.invalid("ExtraSids", count, width: 4) }
        let start = stub.wire.offset
        for _ in 0..<count {
            if try !stub.pointer("Sid") { throw stub.wire.invalid("Sid", 0, width: 4) }
            _ = try stub.uint32("Attributes")
        }
        for _ in 0..<count { _ = try stub.sid("Sid") }
        self = .received(count: count, start..<stub.wire.offset)
    }

    func write(into stub: inout NDRWriter) {
        let list = own
        stub.uint32(UInt32(list.count))
        for item in list {
            stub.pointer(true)
            stub.uint32(item.attributes)
        }
        for item in list { stub.sid(item.sid) }
    }

    /// The list of a message that is ours, or was made so by `owned`.
    var own: [SIDAndAttributes] {
        switch self {
        case .list(let list): return list
        case .received: preconditionFailure("received SIDs are written only once they are owned")
        }
    }
}
