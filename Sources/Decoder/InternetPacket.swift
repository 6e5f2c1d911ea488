import Wire

/// A UDP datagram or TCP segment, dug out of its frame.
struct InternetPacket {
    struct Segment {
        var sequence: UInt32
        var isSynchronizing: Bool
    }

    /// What a frame holds.
    enum Found {
        case packet(InternetPacket)
        /// A part of an IP datagram: those are not put together.
        case fragment
        /// Neither UDP nor TCP over IPv4.
        case foreign
    }

    static let layer: StaticString = "IPv4"
    /// Tags of VLANs, one in another. Two are usual where there are any.
    static let mostTags = 4

    private static let ipv4: UInt16 = 0x0800
    private static let tags: [UInt16] = [0x8100, 0x88a8, 0x9100]
    private static let tcp: UInt8 = 6
    private static let udp: UInt8 = 17

    var source: Endpoint
    var destination: Endpoint
    /// Nil in a UDP datagram.
    var segment: Segment?
    var payload: Range<Int>

    static func parse(_ frame: CapturedFrame, _ bytes: Span<UInt8>) throws(WireError) -> Found {
        var reader = WireReader(bytes, layer: layer).part(frame.data)
        return try isInternet(&reader, frame.linkType) ? try internet(&reader) : .foreign
    }

    /// Reads the link's header, and tells whether IPv4 follows it.
    private static func isInternet(
        _ reader: inout WireReader, _ linkType: LinkType
    ) throws(WireError) -> Bool {
        switch linkType {
        case .ethernet:
            _ = try reader.take(12, "addresses")
            var type = try reader.uint16BE("EtherType")
            for _ in 0..<mostTags where tags.contains(type) {
                _ = try reader.take(2, "tag")
                type = try reader.uint16BE("EtherType")
            }
            return type == ipv4
        case .linuxCooked:
            _ = try reader.take(14, "cooked header")
            return try reader.uint16BE("protocol") == ipv4
        case .linuxCooked2:
            let type = try reader.uint16BE("protocol")
            _ = try reader.take(18, "cooked header")
            return type == ipv4
        case .null:
            // AF_INET, in either byte order.
            let family = try reader.uint32LE("family")
            return family == 2 || family == 0x0200_0000
        case .raw, .rawBSD, .rawOpenBSD, .ipv4:
            return true
        case _:
            return false
        }
    }

    private static func internet(_ reader: inout WireReader) throws(WireError) -> Found {
        let start = reader.offset
        let first = try reader.uint8("version")
        if first >> 4 != 4 { return .foreign }
        let headerLength = Int(first & 15) * 4
        if headerLength < 20 { throw reader.invalid("IHL", headerLength / 4, width: 1) }
        _ = try reader.uint8("TOS")
        let total = Int(try reader.uint16BE("total length"))
        _ = try reader.uint16BE("identification")
        let fragment = try reader.uint16BE("fragment offset")
        _ = try reader.uint8("TTL")
        let protocolNumber = try reader.uint8("protocol")
        _ = try reader.uint16BE("checksum")
        let source = IPv4Address(rawValue: try reader.uint32BE("source"))
        let destination = IPv4Address(rawValue: try reader.uint32BE("destination"))
        try reader.seek(start + headerLength, "options")
        // A total of zero is a sending host's own view of what its adapter cuts up later. What the
        // capture cut off is missed by the parser of what it cut.
        var end = reader.end
        if total >= headerLength { end = min(end, start + total) }
        if fragment & 0x3fff != 0 { return .fragment }
        var body = reader.part(reader.offset..<end)
        switch protocolNumber {
        case udp: return .packet(try datagram(&body, source, destination))
        case tcp: return .packet(try segment(&body, source, destination))
        case _: return .foreign
        }
    }

    private static func datagram(
        _ reader: inout WireReader, _ source: IPv4Address, _ destination: IPv4Address
    ) throws(WireError) -> InternetPacket {
        let sourcePort = try reader.uint16BE("source port")
        let destinationPort = try reader.uint16BE("destination port")
        let length = Int(try reader.uint16BE("UDP length"))
        if length < 8 { throw reader.invalid("UDP length", length, width: 2) }
        _ = try reader.uint16BE("UDP checksum")
        return InternetPacket(
            source: Endpoint(source, sourcePort),
            destination: Endpoint(destination, destinationPort), segment: nil,
            payload: try reader.take(min(length - 8, reader.remaining), "data"))
    }

    private static func segment(
        _ reader: inout WireReader, _ source: IPv4Address, _ destination: IPv4Address
    ) throws(WireError) -> InternetPacket {
        let start = reader.offset
        let sourcePort = try reader.uint16BE("source port")
        let destinationPort = try reader.uint16BE("destination port")
        let sequence = try reader.uint32BE("sequence number")
        _ = try reader.uint32BE("acknowledgement number")
        let headerLength = Int(try reader.uint8("data offset") >> 4) * 4
        if headerLength < 20 { throw reader.invalid("data offset", headerLength / 4, width: 1) }
        let flags = try reader.uint8("TCP flags")
        try reader.seek(start + headerLength, "TCP options")
        return InternetPacket(
            source: Endpoint(source, sourcePort),
            destination: Endpoint(destination, destinationPort),
            segment: Segment(sequence: sequence, isSynchronizing: flags & 2 != 0),
            payload: reader.takeRest())
    }
}
