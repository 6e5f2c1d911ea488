import Wire

/// One PDU in the buffer it came in: its header, and where its parts are.
///
///     | header 16 | body: own fields, stub or lists | padding | sec_trailer 8 | token |
///
/// A sealed PDU is verified and opened by whoever holds its keys, by `stub`, `signed` and
/// `auth.token`; nothing here looks into a stub.
package struct Fragment: Equatable, Sendable {
    package var header: PDUHeader
    /// Of the numbers in the header, the body and the stub.
    package var byteOrder: ByteOrder
    /// The PDU.
    package var whole: Range<Int>
    /// What follows the header, without padding and security trailer.
    package var body: Range<Int>
    package var auth: AuthTrailer?

    /// Parses the PDU that fills `reader`, which has its byte order then.
    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let prefix = try FragmentPrefix(parsing: &reader)
        if prefix.fragmentLength != reader.end - start {
            throw WireError(
                prefix.fragmentLength > reader.end - start ? .truncated : .trailing,
                layer: reader.layer, field: "frag_length", offset: start + 8,
                needed: prefix.fragmentLength, available: reader.end - start)
        }
        header = prefix.header
        byteOrder = reader.byteOrder
        whole = start..<reader.end
        let bodyStart = reader.offset
        if prefix.authLength > 0 {
            let trailer = try AuthTrailer(
                parsing: &reader, authLength: prefix.authLength, body: bodyStart)
            body = bodyStart..<(trailer.trailer.lowerBound - trailer.padLength)
            auth = trailer
        } else {
            body = reader.takeRest()
        }
    }

    /// What a signature covers where both ends sign headers: all but the token.
    @inlinable package var signed: Range<Int> {
        whole.lowerBound..<(auth?.token.lowerBound ?? whole.upperBound)
    }

    /// A reader of the body, in the order of its numbers.
    @inlinable
    @_lifetime(copy bytes)
    package func bodyReader(_ bytes: Span<UInt8>) -> WireReader {
        var reader = WireReader(bytes, layer: "RPC")
        reader.byteOrder = byteOrder
        return reader.part(body)
    }

    @inlinable package var isFirst: Bool { header.flags.contains(.firstFragment) }
    @inlinable package var isLast: Bool { header.flags.contains(.lastFragment) }
}

/// A header with its lengths, which only reading needs.
package struct FragmentPrefix: Equatable, Sendable {
    package var header: PDUHeader
    package var fragmentLength: Int
    package var authLength: Int

    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        let version = try reader.uint8("rpc_vers")
        if version != 5 { throw reader.invalid("rpc_vers", Int(version), width: 1) }
        let minor = try reader.uint8("rpc_vers_minor")
        if minor > 1 { throw reader.invalid("rpc_vers_minor", Int(minor), width: 1) }
        let type = try reader.uint8("PTYPE")
        let flags = try reader.uint8("pfc_flags")
        let representation = try reader.uint8("packed_drep")
        guard let order = PDUHeader.byteOrder(representation) else {
            throw reader.invalid("packed_drep", Int(representation), width: 1)
        }
        reader.byteOrder = order
        _ = try reader.take(3, "packed_drep")
        fragmentLength = Int(try reader.uint16("frag_length"))
        if fragmentLength < PDUHeader.byteCount {
            throw reader.invalid("frag_length", fragmentLength, width: 2)
        }
        authLength = Int(try reader.uint16("auth_length"))
        let callID = try reader.uint32("call_id")
        header = PDUHeader(
            PDUType(rawValue: type), PDUFlags(rawValue: flags), callID: callID,
            minorVersion: minor)
    }
}

/// Cuts a stream into PDUs.
package enum FragmentCutter {
    /// The largest PDU there can be.
    package static let maximumFragment = 65_535

    /// The length of the PDU that begins at `start` of what was received, or nil while more must
    /// come before it is known or there. What cannot become a PDU throws as soon as that shows,
    /// and so does one longer than `limit`, the size that this end announced it would receive.
    @inlinable
    package static func length(
        _ received: Span<UInt8>, from start: Int = 0, limit: Int = maximumFragment
    ) throws(WireError) -> Int? {
        let available = received.count - start
        if available > 0, received[start] != 5 {
            throw wrong("rpc_vers", start, Int(received[start]))
        }
        if available < 5 { return nil }
        guard let order = PDUHeader.byteOrder(received[start + 4]) else {
            throw wrong("packed_drep", start + 4, Int(received[start + 4]))
        }
        if available < 10 { return nil }
        let (low, high) = order == .littleEndian ? (8, 9) : (9, 8)
        let length = Int(received[start + low]) | Int(received[start + high]) << 8
        if length < PDUHeader.byteCount { throw wrong("frag_length", start + 8, length) }
        if length > limit {
            throw WireError(
                .limit, layer: "RPC", field: "frag_length", offset: start + 8,
                needed: length, available: limit)
        }
        return available < length ? nil : length
    }

    @usableFromInline
    static func wrong(_ field: StaticString, _ offset: Int, _ value: Int) -> WireError {
        WireError(.invalid, layer: "RPC", field: field, offset: offset, needed: value)
    }
}
