import Wire

/// A datagram's kind, RFC 1002 4.4.1.
package struct DatagramType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let directUnique = DatagramType(rawValue: 0x10)
    package static let directGroup = DatagramType(rawValue: 0x11)
    package static let broadcast = DatagramType(rawValue: 0x12)
    package static let error = DatagramType(rawValue: 0x13)
    package static let queryRequest = DatagramType(rawValue: 0x14)
    package static let positiveQueryResponse = DatagramType(rawValue: 0x15)
    package static let negativeQueryResponse = DatagramType(rawValue: 0x16)

    /// Whether it carries names and user data.
    @inlinable package var carriesData: Bool { rawValue >= 0x10 && rawValue <= 0x12 }

    package var description: String {
        switch self {
        case .directUnique: "direct unique"
        case .directGroup: "direct group"
        case .broadcast: "broadcast"
        case .error: "error"
        case .queryRequest: "query"
        case .positiveQueryResponse: "positive query response"
        case .negativeQueryResponse: "negative query response"
        case _: "type \(rawValue)"
        }
    }
}

/// What every datagram begins with, RFC 1002 4.4.1.
///
/// ```
/// MSG_TYPE(1) | FLAGS: 0 0 0 0 SNT(2) F M | DGM_ID(2) | SOURCE_IP(4) | SOURCE_PORT(2)
/// ```
package struct DatagramHeader: Equatable, Sendable {
    package static let first: UInt8 = 0x02
    package static let more: UInt8 = 0x01

    package var type: DatagramType
    package var flags: UInt8
    package var id: UInt16
    /// The sender as it gives itself; the UDP header knows better.
    package var source: Endpoint

    /// An unfragmented datagram's header.
    package init(_ type: DatagramType, _ node: NodeType, id: UInt16, source: Endpoint) {
        self.type = type
        // Hybrid nodes have no number of their own here: they say mixed.
        let number = node == .hybrid ? NodeType.mixed : node
        flags = number.rawValue << 2 | Self.first
        self.id = id
        self.source = source
    }

    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        type = DatagramType(rawValue: try reader.uint8("MSG_TYPE"))
        flags = try reader.uint8("FLAGS")
        id = try reader.uint16BE("DGM_ID")
        let address = IPv4Address(rawValue: try reader.uint32BE("SOURCE_IP"))
        source = Endpoint(address, try reader.uint16BE("SOURCE_PORT"))
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(type.rawValue)
        writer.uint8(flags)
        writer.uint16BE(id)
        writer.uint32BE(source.address.rawValue)
        writer.uint16BE(source.port)
    }

    @inlinable package var isFirst: Bool { flags & Self.first != 0 }
    @inlinable package var hasMore: Bool { flags & Self.more != 0 }
    @inlinable package var isFragment: Bool { hasMore || !isFirst }
}

/// DIRECT_UNIQUE, DIRECT_GROUP and BROADCAST datagrams, RFC 1002 4.4.2.
///
/// ```
/// header(10) | DGM_LENGTH(2) | PACKET_OFFSET(2) | SOURCE_NAME | DESTINATION_NAME | USER_DATA
/// ```
///
/// DGM_LENGTH counts from SOURCE_NAME to the end; one that disagrees with the datagram is refused,
/// for nobody pads. Names have no pointers here.
package struct DataDatagram: Equatable, Sendable, CustomStringConvertible {
    /// DGM_LENGTH has 16 bits; UDP leaves this much after the header.
    package static let longestLength = 65_507 - 14

    package var header: DatagramHeader
    /// Where a fragment's user data belongs.
    package var packetOffset: UInt16
    package var source: ScopedName
    package var destination: ScopedName
    /// In the datagram that was parsed.
    package var userData: Range<Int>

    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        header = try DatagramHeader(parsing: &reader)
        if !header.type.carriesData {
            throw reader.invalid("MSG_TYPE", Int(header.type.rawValue), width: 10)
        }
        let length = Int(try reader.uint16BE("DGM_LENGTH"))
        packetOffset = try reader.uint16BE("PACKET_OFFSET")
        try reader.need(length, "DGM_LENGTH")
        if length < reader.remaining {
            throw WireError(
                .trailing, layer: reader.layer, field: "DGM_LENGTH", offset: reader.offset,
                needed: length, available: reader.remaining - length)
        }
        source = try ScopedName(parsing: &reader)
        destination = try ScopedName(parsing: &reader)
        userData = reader.takeRest()
    }

    /// Writes the header and the names, and leaves DGM_LENGTH to `finish`. The user data follows.
    package static func begin(
        _ header: DatagramHeader, packetOffset: UInt16 = 0, from source: ScopedName,
        to destination: ScopedName, into writer: inout WireWriter
    ) -> Int {
        header.write(into: &writer)
        let length = writer.reserve16()
        writer.uint16BE(packetOffset)
        source.write(into: &writer)
        destination.write(into: &writer)
        return length
    }

    /// Ends the datagram that `begin` began, whose result is `length`.
    package static func finish(_ length: Int, in writer: inout WireWriter) {
        writer.patch16BE(length, writer.count - length - 4)
    }

    package func write(userData bytes: Span<UInt8>, into writer: inout WireWriter) {
        let length = Self.begin(
            header, packetOffset: packetOffset, from: source, to: destination, into: &writer)
        writer.append(bytes)
        Self.finish(length, in: &writer)
    }

    package var description: String {
        "datagram \(header.id), " + header.type.description + ", " + source.description + " to "
            + destination.description + ", \(userData.count) bytes"
    }
}

/// DATAGRAM_ERROR, RFC 1002 4.4.3.
///
/// ```
/// header(10) | ERROR_CODE(1)
/// ```
package struct DatagramError: Equatable, Sendable {
    package static let destinationNameNotPresent: UInt8 = 0x82
    package static let invalidSourceNameFormat: UInt8 = 0x83
    package static let invalidDestinationNameFormat: UInt8 = 0x84

    package var header: DatagramHeader
    package var errorCode: UInt8

    package init(_ header: DatagramHeader, errorCode: UInt8) {
        self.header = header
        self.errorCode = errorCode
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        header = try DatagramHeader(parsing: &reader)
        if header.type != .error {
            throw reader.invalid("MSG_TYPE", Int(header.type.rawValue), width: 10)
        }
        errorCode = try reader.uint8("ERROR_CODE")
        try reader.expectEnd("packet")
    }

    package func write(into writer: inout WireWriter) {
        header.write(into: &writer)
        writer.uint8(errorCode)
    }
}

/// DATAGRAM QUERY REQUEST, POSITIVE and NEGATIVE QUERY RESPONSE, RFC 1002 4.4.4.
///
/// ```
/// header(10) | DESTINATION_NAME
/// ```
package struct DatagramQuery: Equatable, Sendable {
    package var header: DatagramHeader
    package var destination: ScopedName

    package init(_ header: DatagramHeader, _ destination: ScopedName) {
        self.header = header
        self.destination = destination
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        header = try DatagramHeader(parsing: &reader)
        switch header.type {
        case .queryRequest, .positiveQueryResponse, .negativeQueryResponse: break
        case _: throw reader.invalid("MSG_TYPE", Int(header.type.rawValue), width: 10)
        }
        destination = try ScopedName(parsing: &reader)
        try reader.expectEnd("packet")
    }

    package func write(into writer: inout WireWriter) {
        header.write(into: &writer)
        destination.write(into: &writer)
    }
}
