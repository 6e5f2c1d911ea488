import Wire

/// The kinds of AV pairs (MS-NLMP 2.2.2.1).
package struct AVPairID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let endOfList = AVPairID(rawValue: 0)
    package static let nbComputerName = AVPairID(rawValue: 1)
    package static let nbDomainName = AVPairID(rawValue: 2)
    package static let dnsComputerName = AVPairID(rawValue: 3)
    package static let dnsDomainName = AVPairID(rawValue: 4)
    package static let dnsTreeName = AVPairID(rawValue: 5)
    package static let flags = AVPairID(rawValue: 6)
    package static let timestamp = AVPairID(rawValue: 7)
    package static let singleHost = AVPairID(rawValue: 8)
    package static let targetName = AVPairID(rawValue: 9)
    package static let channelBindings = AVPairID(rawValue: 10)
}

/// MsvAvFlags.
package struct AVPairFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let constrained = AVPairFlags(rawValue: 1)
    /// The AUTHENTICATE message has a MIC.
    package static let messageIntegrity = AVPairFlags(rawValue: 2)
    package static let unverifiedTarget = AVPairFlags(rawValue: 4)
}

/// AV_PAIR (MS-NLMP 2.2.2.1):
///
///     AvId     2
///     AvLen    2
///     Value    AvLen
package struct AVPair: Equatable, Sendable {
    package var id: AVPairID
    package var value: [UInt8]

    package init(_ id: AVPairID, _ value: [UInt8]) {
        self.id = id
        self.value = value
    }

    package init(_ id: AVPairID, text: String) {
        var writer = WireWriter(capacity: 32)
        writer.utf16LE(text)
        self.init(id, writer.finish())
    }

    package init(_ flags: AVPairFlags) {
        var writer = WireWriter(capacity: 4)
        writer.uint32LE(flags.rawValue)
        self.init(.flags, writer.finish())
    }

    /// `timestamp` is a FILETIME.
    package init(timestamp: UInt64) {
        var writer = WireWriter(capacity: 8)
        writer.uint64LE(timestamp)
        self.init(.timestamp, writer.finish())
    }
}

/// A list of AV pairs with its end. The values are copies, because the client answers with the
/// server's list and pairs of its own.
package struct AVPairList: Equatable, Sendable, CustomStringConvertible {
    /// Most pairs of a list; the specification has eleven kinds.
    package static let limit = 32

    package private(set) var pairs: [AVPair]

    package init(_ pairs: [AVPair] = []) {
        precondition(pairs.count <= Self.limit, "more AV pairs than the limit")
        self.pairs = pairs
    }

    /// Reads through the list's end. What follows, in a response four zeros, is left.
    package init(parsing reader: inout WireReader) throws(WireError) {
        pairs = []
        while true {
            let id = AVPairID(rawValue: try reader.uint16LE("AvId"))
            let length = Int(try reader.uint16LE("AvLen"))
            if id == .endOfList {
                if length != 0 { throw reader.invalid("AvLen", length, width: 2) }
                return
            }
            if pairs.count == Self.limit {
                throw WireError(
                    .limit, layer: "NTLM", field: "AvPairs", offset: reader.offset - 4,
                    needed: pairs.count + 1, available: Self.limit)
            }
            pairs.append(AVPair(id, reader.copy(try reader.take(length, "Value"))))
        }
    }

    package func write(into writer: inout WireWriter) {
        for pair in pairs {
            writer.uint16LE(pair.id.rawValue)
            let length = writer.reserve16()
            writer.append(pair.value)
            writer.patch16LE(length, pair.value.count)
        }
        writer.uint32LE(0)
    }

    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: 256)
        write(into: &writer)
        return writer.finish()
    }

    // MARK: Values

    package func value(_ id: AVPairID) -> [UInt8]? {
        for pair in pairs where pair.id == id { return pair.value }
        return nil
    }

    package func text(_ id: AVPairID) -> String? {
        guard let value = value(id) else { return nil }
        return WireReader(value.span, layer: "NTLM").utf16LE(0..<value.count)
    }

    package var flags: AVPairFlags {
        var bits: UInt32 = 0
        for byte in (value(.flags) ?? []).prefix(4).reversed() { bits = bits << 8 | UInt32(byte) }
        return AVPairFlags(rawValue: bits)
    }

    /// The server's clock, a FILETIME.
    package var timestamp: UInt64? {
        guard let value = value(.timestamp), value.count == 8 else { return nil }
        var time: UInt64 = 0
        for byte in value.reversed() { time = time << 8 | UInt64(byte) }
        return time
    }

    /// Puts the pair in place of the list's pair of that kind, or at the end.
    package mutating func set(_ pair: AVPair) {
        for index in pairs.indices where pairs[index].id == pair.id {
            pairs[index] = pair
            return
        }
        pairs.append(pair)
    }

    package var description: String {
        var text = "AV pairs"
        for pair in pairs { text += " \(pair.id.rawValue):\(pair.value.count)" }
        return text
    }
}
