import Wire

/// What frames a link-layer packet, by the number that capture files give it (tcpdump's
/// LINKTYPE registry).
struct LinkType: RawRepresentable, Hashable {
    let rawValue: UInt32

    static let null = LinkType(rawValue: 0)
    static let ethernet = LinkType(rawValue: 1)
    static let rawBSD = LinkType(rawValue: 12)
    static let rawOpenBSD = LinkType(rawValue: 14)
    static let raw = LinkType(rawValue: 101)
    static let linuxCooked = LinkType(rawValue: 113)
    static let ipv4 = LinkType(rawValue: 228)
    static let linuxCooked2 = LinkType(rawValue: 276)
}

/// One packet of a capture.
struct CapturedFrame {
    var linkType: LinkType
    var data: Range<Int>
}

/// Walks the packets of a capture file, pcap or pcapng (IETF draft-ietf-opsawg-pcap and
/// -pcapng).
///
///     pcap:   magic(4) version(4) zone(4) sigfigs(4) snaplen(4) linktype(4)
///             { seconds(4) fraction(4) captured(4) original(4) data(captured) } …
///     pcapng: { type(4) length(4) body … length(4) } …, padded to 4
///
/// Numbers are in the writer's byte order, which the magic, or each section's, tells.
struct CaptureFile {
    static let layer: StaticString = "capture"
    /// Interfaces of one section. Captures of many have a few dozen.
    static let mostInterfaces = 256
    /// The largest packet: loopback's, with room.
    static let longestFrame = 262_144

    private static let sectionHeader: UInt32 = 0x0a0d_0d0a
    private static let byteOrderMagic: UInt32 = 0x1a2b_3c4d
    private static let interfaceDescription: UInt32 = 1
    private static let oldPacket: UInt32 = 2
    private static let simplePacket: UInt32 = 3
    private static let enhancedPacket: UInt32 = 6

    private let isNextGeneration: Bool
    private var isBigEndian: Bool
    private var interfaces: [LinkType]
    private var offset: Int

    static func isCapture(_ bytes: Span<UInt8>) -> Bool {
        var reader = WireReader(bytes, layer: layer)
        do throws(WireError) {
            return magic(try reader.uint32LE("magic")) != nil
        } catch {
            return false
        }
    }

    /// Whether the file is pcapng, and whether it is big-endian, if it is a capture at all.
    private static func magic(_ value: UInt32) -> (isNextGeneration: Bool, isBigEndian: Bool)? {
        switch value {
        case 0xa1b2_c3d4, 0xa1b2_3c4d: (false, false)
        case 0xd4c3_b2a1, 0x4d3c_b2a1: (false, true)
        case sectionHeader: (true, false)
        case _: nil
        }
    }

    init(_ bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(bytes, layer: Self.layer)
        let value = try reader.uint32LE("magic")
        guard let kind = Self.magic(value) else {
            throw reader.invalid("magic", Int(truncatingIfNeeded: value), width: 4)
        }
        (isNextGeneration, isBigEndian) = kind
        interfaces = []
        offset = 0
        if !isNextGeneration {
            _ = try reader.take(16, "header")
            // The upper bits tell of a checksum behind each frame, which IP's length leaves out.
            interfaces = [LinkType(rawValue: try number(&reader, "linktype") & 0xffff)]
            offset = reader.offset
        }
    }

    /// The next packet, or nil at the end.
    mutating func next(_ bytes: Span<UInt8>) throws(WireError) -> CapturedFrame? {
        var reader = WireReader(bytes, layer: Self.layer)
        try reader.seek(offset, "packet")
        if !isNextGeneration {
            if reader.isAtEnd { return nil }
            _ = try reader.take(8, "time")
            let data = try self.data(&reader)
            offset = reader.offset
            return CapturedFrame(linkType: interfaces[0], data: data)
        }
        // Every turn takes at least the twelve bytes that a block has.
        while !reader.isAtEnd {
            let frame = try block(&reader)
            offset = reader.offset
            if let frame { return frame }
        }
        return nil
    }

    private func data(_ reader: inout WireReader) throws(WireError) -> Range<Int> {
        let captured = Int(clamping: try number(&reader, "captured length"))
        _ = try number(&reader, "original length")
        if captured > Self.longestFrame {
            throw WireError(
                .limit, layer: reader.layer, field: "captured length", offset: reader.offset - 8,
                needed: captured, available: Self.longestFrame)
        }
        return try reader.take(captured, "data")
    }

    // MARK: pcapng

    private mutating func block(
        _ reader: inout WireReader
    ) throws(WireError) -> CapturedFrame? {
        var ahead = reader
        let isSection = try ahead.uint32LE("block type") == Self.sectionHeader
        if isSection {
            _ = try ahead.uint32LE("block length")
            isBigEndian = try ahead.uint32LE("byte-order magic") != Self.byteOrderMagic
            interfaces = []
        }
        let type = try number(&reader, "block type")
        let length = Int(clamping: try number(&reader, "block length"))
        if length < 12 || length % 4 != 0 {
            throw reader.invalid("block length", length, width: 4)
        }
        var body = reader.part(try reader.take(length - 12, "block"))
        _ = try reader.take(4, "block length")
        switch type {
        case Self.interfaceDescription:
            if interfaces.count == Self.mostInterfaces {
                throw WireError(
                    .limit, layer: body.layer, field: "interfaces", offset: body.offset,
                    needed: interfaces.count + 1, available: Self.mostInterfaces)
            }
            interfaces.append(LinkType(rawValue: UInt32(try number16(&body, "linktype"))))
        case Self.enhancedPacket:
            let interface = Int(clamping: try number(&body, "interface"))
            _ = try body.take(8, "time")
            return try frame(interface, &body)
        case Self.oldPacket:
            let interface = Int(try number16(&body, "interface"))
            _ = try body.take(10, "time")
            return try frame(interface, &body)
        case Self.simplePacket:
            let original = Int(clamping: try number(&body, "original length"))
            guard let linkType = interfaces.first else { throw body.invalid("interface", 0) }
            let data = try body.take(min(original, body.remaining), "data")
            return CapturedFrame(linkType: linkType, data: data)
        case _: break
        }
        return nil
    }

    private func frame(
        _ interface: Int, _ body: inout WireReader
    ) throws(WireError) -> CapturedFrame {
        if interface >= interfaces.count { throw body.invalid("interface", interface) }
        return CapturedFrame(linkType: interfaces[interface], data: try data(&body))
    }

    private func number(
        _ reader: inout WireReader, _ field: StaticString
    ) throws(WireError) -> UInt32 {
        isBigEndian ? try reader.uint32BE(field) : try reader.uint32LE(field)
    }

    private func number16(
        _ reader: inout WireReader, _ field: StaticString
    ) throws(WireError) -> UInt16 {
        isBigEndian ? try reader.uint16BE(field) : try reader.uint16LE(field)
    }
}
