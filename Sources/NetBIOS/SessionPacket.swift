import Wire

/// A session packet's kind, RFC 1002 4.3.1.
package struct SessionPacketType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let message = SessionPacketType(rawValue: 0x00)
    package static let request = SessionPacketType(rawValue: 0x81)
    package static let positiveResponse = SessionPacketType(rawValue: 0x82)
    package static let negativeResponse = SessionPacketType(rawValue: 0x83)
    package static let retargetResponse = SessionPacketType(rawValue: 0x84)
    package static let keepAlive = SessionPacketType(rawValue: 0x85)
}

/// What frames the messages of a TCP connection: the session service of port 139, or SMB directly
/// over port 445, which kept the header and gave the length all the bits.
package enum SessionFraming: Sendable {
    case netBIOS
    case direct

    /// The most bytes after the header.
    @inlinable package var longestMessage: Int { self == .netBIOS ? 0x1ffff : 0xff_ffff }
}

/// The four bytes before every session packet, RFC 1002 4.3.1, MS-SMB 2.1.
///
/// ```
/// TYPE(1) | FLAGS: 0 … E | LENGTH(2)        on 139: E is the length's bit 16
/// 0(1)    | StreamProtocolLength(3)         on 445
/// ```
package struct SessionHeader: Equatable, Sendable {
    package static let byteCount = 4

    package var type: SessionPacketType
    /// Of what follows.
    package var length: Int

    @inlinable
    package init(_ type: SessionPacketType, length: Int) {
        self.type = type
        self.length = length
    }

    @inlinable
    package init(
        parsing reader: inout WireReader, _ framing: SessionFraming
    ) throws(WireError) {
        type = SessionPacketType(rawValue: try reader.uint8("TYPE"))
        let flags = try reader.uint8("FLAGS")
        length = Int(flags) << 16 | Int(try reader.uint16BE("LENGTH"))
        switch framing {
        case .netBIOS:
            if flags > 1 { throw reader.invalid("FLAGS", Int(flags), width: 3) }
        case .direct:
            // Windows sends keep-alives on 445 too.
            if type != .message && type != .keepAlive {
                throw reader.invalid("TYPE", Int(type.rawValue), width: 4)
            }
        }
    }

    /// The length must fit the framing.
    @inlinable
    package func write(into writer: inout WireWriter, _ framing: SessionFraming) {
        precondition(length <= framing.longestMessage)
        writer.uint8(type.rawValue)
        writer.uint8(UInt8(truncatingIfNeeded: length >> 16))
        writer.uint16BE(UInt16(truncatingIfNeeded: length))
    }
}

/// Why a session was refused, RFC 1002 4.3.4.
package struct SessionErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let notListeningOnCalledName = SessionErrorCode(rawValue: 0x80)
    package static let notListeningForCallingName = SessionErrorCode(rawValue: 0x81)
    package static let calledNameNotPresent = SessionErrorCode(rawValue: 0x82)
    package static let insufficientResources = SessionErrorCode(rawValue: 0x83)
    package static let unspecified = SessionErrorCode(rawValue: 0x8f)

    package var description: String {
        switch self {
        case .notListeningOnCalledName: "not listening on called name"
        case .notListeningForCallingName: "not listening for calling name"
        case .calledNameNotPresent: "called name not present"
        case .insufficientResources: "insufficient resources"
        case .unspecified: "unspecified error"
        case _: "error \(rawValue)"
        }
    }
}

/// A packet of the session service, RFC 1002 4.3.2 to 4.3.7.
///
/// ```
/// request:   header | CALLED_NAME | CALLING_NAME
/// negative:  header | ERROR_CODE(1)
/// retarget:  header | RETARGET_IP_ADDRESS(4) | PORT(2)
/// positive, keep-alive: header
/// message:   header | USER_DATA
/// ```
package enum SessionPacket: Equatable, Sendable {
    /// The user data's range in what was parsed.
    case message(Range<Int>)
    case request(called: ScopedName, calling: ScopedName)
    case positiveResponse
    case negativeResponse(SessionErrorCode)
    case retargetResponse(Endpoint)
    case keepAlive

    package init(
        parsing reader: inout WireReader, _ framing: SessionFraming
    ) throws(WireError) {
        let header = try SessionHeader(parsing: &reader, framing)
        let range = try reader.take(header.length, "LENGTH")
        var body = reader.part(range)
        switch header.type {
        case .message:
            self = .message(body.takeRest())
        case .request:
            let called = try ScopedName(parsing: &body)
            self = .request(called: called, calling: try ScopedName(parsing: &body))
        case .positiveResponse:
            self = .positiveResponse
        case .negativeResponse:
            self = .negativeResponse(
                SessionErrorCode(rawValue: try body.uint8("ERROR_CODE")))
        case .retargetResponse:
            let address = IPv4Address(rawValue: try body.uint32BE("RETARGET_IP_ADDRESS"))
            self = .retargetResponse(Endpoint(address, try body.uint16BE("PORT")))
        case .keepAlive:
            self = .keepAlive
        case _:
            throw reader.invalid("TYPE", Int(header.type.rawValue))
        }
        try body.expectEnd("packet")
    }

    /// A message's bytes are not kept here: they come as `userData`, which only it has.
    package func write(
        userData: Span<UInt8>, into writer: inout WireWriter, _ framing: SessionFraming
    ) {
        switch self {
        case .message:
            SessionHeader(.message, length: userData.count).write(into: &writer, framing)
            writer.append(userData)
        case .request(let called, let calling):
            let length = called.byteCount + calling.byteCount
            SessionHeader(.request, length: length).write(into: &writer, framing)
            called.write(into: &writer)
            calling.write(into: &writer)
        case .positiveResponse:
            SessionHeader(.positiveResponse, length: 0).write(into: &writer, framing)
        case .negativeResponse(let code):
            SessionHeader(.negativeResponse, length: 1).write(into: &writer, framing)
            writer.uint8(code.rawValue)
        case .retargetResponse(let endpoint):
            SessionHeader(.retargetResponse, length: 6).write(into: &writer, framing)
            writer.uint32BE(endpoint.address.rawValue)
            writer.uint16BE(endpoint.port)
        case .keepAlive:
            SessionHeader(.keepAlive, length: 0).write(into: &writer, framing)
        }
    }
}
