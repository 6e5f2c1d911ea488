import Wire

/// What a client appends to a request's stub so that the server can check fields that no
/// signature covers (MS-RPCE 2.2.2.13). It begins at a multiple of 4 from the stub's start:
/// ```
/// signature(8) = 8a e3 13 71 02 f4 36 71
/// { command(2)  length(2)  value(length) } each, the last with the end bit
/// ```
package struct VerificationTrailer: Equatable, Sendable {
    package static let maximumCommands = 8
    /// As a little-endian number.
    static let signature: UInt64 = 0x7136_f402_7113_e38a

    /// Bytes from the end of a stub in which it begins: with each command that is known it has 92.
    private static let longest = 128

    /// The bit of `bitmask`: the client supports the signing of headers.
    package static let signsHeaders: UInt32 = 1

    private static let typeMask: UInt16 = 0x3fff
    private static let end: UInt16 = 0x4000
    private static let mustProcess: UInt16 = 0x8000
    private static let bitmask1: UInt16 = 1
    private static let pcontext: UInt16 = 2
    private static let header2: UInt16 = 3

    /// Bit 0: the client supports header signing.
    package var bitmask: UInt32?
    /// The presentation context of the call.
    package var context: Context?
    /// The request's header fields.
    package var header: Header?

    package struct Context: Equatable, Sendable {
        package var interface: SyntaxID
        package var transferSyntax: SyntaxID

        package init(interface: SyntaxID, transferSyntax: SyntaxID) {
            self.interface = interface
            self.transferSyntax = transferSyntax
        }
    }

    package struct Header: Equatable, Sendable {
        package var type: PDUType
        package var callID: UInt32
        package var contextID: UInt16
        package var opnum: UInt16

        package init(type: PDUType, callID: UInt32, contextID: UInt16, opnum: UInt16) {
            self.type = type
            self.callID = callID
            self.contextID = contextID
            self.opnum = opnum
        }
    }

    package init(bitmask: UInt32? = nil, context: Context? = nil, header: Header? = nil) {
        self.bitmask = bitmask
        self.context = context
        self.header = header
    }

    /// The trailer at the end of a stub, which knows nothing of it, if it has one. An error is one
    /// of its own.
    package static func atEnd(
        of stub: borrowing WireReader
    ) throws(WireError) -> VerificationTrailer? {
        let begin = stub.offset
        // Aligned as the stub's own numbers are.
        let last = begin + ((stub.end - begin) & ~3)
        var place = max(begin, last - longest)
        while place + 8 <= stub.end {
            var reader = stub.part(place..<stub.end)
            reader.byteOrder = .littleEndian
            var ahead = stub.part(place..<stub.end)
            ahead.byteOrder = .littleEndian
            if try ahead.uint64LE("verification trailer") == signature {
                return try VerificationTrailer(parsing: &reader)
            }
            place += 4
        }
        return nil
    }

    /// Commands of other types are skipped, unless their sender demands that they be understood.
    package init(parsing reader: inout WireReader) throws(WireError) {
        let mark = try reader.uint64LE("verification trailer")
        if mark != Self.signature {
            throw reader.invalid(
                "verification trailer", Int(truncatingIfNeeded: mark), width: 8)
        }
        for _ in 0..<Self.maximumCommands {
            let command = try reader.uint16LE("command")
            let length = Int(try reader.uint16LE("command length"))
            let value = try reader.take(length, "command value")
            var part = reader.part(value)
            // Its numbers are little-endian, whatever the PDU's are.
            part.byteOrder = .littleEndian
            switch command & Self.typeMask {
            case Self.bitmask1: bitmask = try part.uint32LE("bitmask")
            case Self.pcontext:
                let interface = try SyntaxID(parsing: &part)
                let transfer = try SyntaxID(parsing: &part)
                context = Context(interface: interface, transferSyntax: transfer)
            case Self.header2: header = try Self.parseHeader(&part)
            case let type:
                if command & Self.mustProcess != 0 {
                    throw reader.invalid("command", Int(type), width: 4 + length)
                }
                _ = part.takeRest()
            }
            try part.expectEnd("command value")
            if command & Self.end != 0 { return }
        }
        throw WireError(
            .limit, layer: reader.layer, field: "commands", offset: reader.offset,
            needed: Self.maximumCommands + 1, available: Self.maximumCommands)
    }

    private static func parseHeader(
        _ reader: inout WireReader
    ) throws(WireError) -> Header {
        let type = PDUType(rawValue: try reader.uint8("ptype"))
        _ = try reader.take(7, "reserved and drep")
        let callID = try reader.uint32LE("call_id")
        let contextID = try reader.uint16LE("p_cont_id")
        let opnum = try reader.uint16LE("opnum")
        return Header(type: type, callID: callID, contextID: contextID, opnum: opnum)
    }

    /// Writes the trailer where the stub ends and is aligned to 4. At least one command is set.
    package func write(into writer: inout WireWriter) {
        writer.uint64LE(Self.signature)
        var last = writer.count
        if let bitmask {
            last = writer.count
            writer.uint16LE(Self.bitmask1)
            writer.uint16LE(4)
            writer.uint32LE(bitmask)
        }
        if let context {
            last = writer.count
            writer.uint16LE(Self.pcontext)
            writer.uint16LE(40)
            context.interface.write(into: &writer)
            context.transferSyntax.write(into: &writer)
        }
        if let header {
            last = writer.count
            writer.uint16LE(Self.header2)
            writer.uint16LE(16)
            writer.uint8(header.type.rawValue)
            writer.zeros(3)
            writer.uint32LE(UInt32(PDUHeader.littleEndianASCII))
            writer.uint32LE(header.callID)
            writer.uint16LE(header.contextID)
            writer.uint16LE(header.opnum)
        }
        precondition(last + 4 <= writer.count, "a trailer has a command")
        writer.patch8(last + 1, Int(Self.end >> 8))
    }
}
