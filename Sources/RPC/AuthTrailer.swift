import Wire

/// The security provider of an association (MS-RPCE 2.2.1.1.7).
package struct AuthType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable package static var none: AuthType { AuthType(rawValue: 0) }
    @inlinable package static var gssNegotiate: AuthType { AuthType(rawValue: 9) }
    @inlinable package static var winNT: AuthType { AuthType(rawValue: 10) }
    @inlinable package static var gssSchannel: AuthType { AuthType(rawValue: 14) }
    @inlinable package static var kerberos: AuthType { AuthType(rawValue: 16) }
    /// The Netlogon secure channel (MS-NRPC 3.3).
    @inlinable package static var netlogon: AuthType { AuthType(rawValue: 68) }
}

/// How much of a PDU is protected (MS-RPCE 2.2.1.1.8).
package struct AuthLevel: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable package static var none: AuthLevel { AuthLevel(rawValue: 1) }
    @inlinable package static var connect: AuthLevel { AuthLevel(rawValue: 2) }
    @inlinable package static var call: AuthLevel { AuthLevel(rawValue: 3) }
    @inlinable package static var packet: AuthLevel { AuthLevel(rawValue: 4) }
    /// Signed.
    @inlinable package static var integrity: AuthLevel { AuthLevel(rawValue: 5) }
    /// Sealed.
    @inlinable package static var privacy: AuthLevel { AuthLevel(rawValue: 6) }
}

/// Which security context protects a PDU, and how: a sec_trailer without its lengths.
package struct SecurityContext: Hashable, Sendable {
    package var type: AuthType
    package var level: AuthLevel
    package var id: UInt32

    @inlinable
    package init(_ type: AuthType, _ level: AuthLevel, id: UInt32) {
        self.type = type
        self.level = level
        self.id = id
    }
}

/// The end of a PDU that a security provider protects (MS-RPCE 2.2.2.11, sec_trailer):
/// ```
/// padding(auth_pad_length)
/// auth_type(1)  auth_level(1)  auth_pad_length(1)  auth_reserved(1)
/// auth_context_id(4)
/// auth_value(auth_length)
/// ```
/// The padding aligns what follows to 4 bytes from the PDU's start; before a sealed stub's
/// trailer, to 16 bytes from the stub's start.
package struct AuthTrailer: Equatable, Sendable {
    package static let byteCount = 8
    /// Alignment of the trailer in PDUs without a stub, from the PDU's start.
    package static let alignment = 4
    /// Alignment of the trailer after a stub, from the stub's start.
    package static let stubAlignment = 16

    package var context: SecurityContext
    /// Bytes of padding before the trailer.
    package var padLength: Int
    /// The eight bytes before the token.
    package var trailer: Range<Int>
    /// The provider's token.
    package var token: Range<Int>

    /// Parses the trailer that ends a PDU. `authLength` is the header's; `body` is where the
    /// PDU's own fields begin, which the padding may not reach into.
    @inlinable
    package init(
        parsing reader: inout WireReader, authLength: Int, body: Int
    ) throws(WireError) {
        let start = reader.end - authLength - Self.byteCount
        if start < body {
            throw WireError(
                .truncated, layer: reader.layer, field: "auth_length", offset: reader.offset,
                needed: authLength + Self.byteCount, available: reader.end - body)
        }
        try reader.seek(start, "sec_trailer")
        let type = try reader.uint8("auth_type")
        let level = try reader.uint8("auth_level")
        padLength = Int(try reader.uint8("auth_pad_length"))
        if padLength > start - body {
            throw reader.invalid("auth_pad_length", padLength, width: 1)
        }
        _ = try reader.uint8("auth_reserved")
        let id = try reader.uint32("auth_context_id")
        context = SecurityContext(
            AuthType(rawValue: type), AuthLevel(rawValue: level), id: id)
        trailer = start..<reader.offset
        token = reader.takeRest()
    }

    /// Pads from `base` to `alignment` and writes the trailer; the token follows.
    @inlinable
    package static func write(
        _ context: SecurityContext, into writer: inout WireWriter, base: Int, alignment: Int
    ) {
        let unpadded = writer.count
        writer.align(alignment, from: base)
        writer.uint8(context.type.rawValue)
        writer.uint8(context.level.rawValue)
        writer.uint8(UInt8(writer.count - 2 - unpadded))
        writer.uint8(0)
        writer.uint32LE(context.id)
    }
}
