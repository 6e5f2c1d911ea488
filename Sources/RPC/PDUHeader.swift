import Wire

/// What a PDU is (C706 12.6.4).
package struct PDUType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable package static var request: PDUType { PDUType(rawValue: 0) }
    @inlinable package static var response: PDUType { PDUType(rawValue: 2) }
    @inlinable package static var fault: PDUType { PDUType(rawValue: 3) }
    @inlinable package static var bind: PDUType { PDUType(rawValue: 11) }
    @inlinable package static var bindAck: PDUType { PDUType(rawValue: 12) }
    @inlinable package static var bindNak: PDUType { PDUType(rawValue: 13) }
    @inlinable package static var alterContext: PDUType { PDUType(rawValue: 14) }
    @inlinable package static var alterContextResponse: PDUType { PDUType(rawValue: 15) }
    /// MS-RPCE 2.2.2.5.
    @inlinable package static var auth3: PDUType { PDUType(rawValue: 16) }
    @inlinable package static var shutdown: PDUType { PDUType(rawValue: 17) }
    @inlinable package static var coCancel: PDUType { PDUType(rawValue: 18) }
    @inlinable package static var orphaned: PDUType { PDUType(rawValue: 19) }

    package var description: String {
        switch self {
        case .request: "request"
        case .response: "response"
        case .fault: "fault"
        case .bind: "bind"
        case .bindAck: "bind_ack"
        case .bindNak: "bind_nak"
        case .alterContext: "alter_context"
        case .alterContextResponse: "alter_context_resp"
        case .auth3: "auth3"
        case .shutdown: "shutdown"
        case .coCancel: "co_cancel"
        case .orphaned: "orphaned"
        case _: "type \(rawValue)"
        }
    }
}

/// pfc_flags (C706 12.6.3.1).
package struct PDUFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable package static var firstFragment: PDUFlags { PDUFlags(rawValue: 0x01) }
    @inlinable package static var lastFragment: PDUFlags { PDUFlags(rawValue: 0x02) }
    /// In a request: a cancel is pending.
    @inlinable package static var pendingCancel: PDUFlags { PDUFlags(rawValue: 0x04) }
    /// The same bit in a bind, an alter_context and their answers: the sender covers headers
    /// by its signatures (MS-RPCE 2.2.2.3).
    @inlinable package static var supportHeaderSign: PDUFlags { PDUFlags(rawValue: 0x04) }
    /// Several calls may be outstanding on one connection.
    @inlinable package static var concurrentMultiplexing: PDUFlags { PDUFlags(rawValue: 0x10) }
    /// In a fault: the call has certainly not been executed, so it may be made again.
    @inlinable package static var didNotExecute: PDUFlags { PDUFlags(rawValue: 0x20) }
    @inlinable package static var maybe: PDUFlags { PDUFlags(rawValue: 0x40) }
    /// In a request: the object's UUID stands before the stub.
    @inlinable package static var objectUUID: PDUFlags { PDUFlags(rawValue: 0x80) }

    @inlinable package static var single: PDUFlags { [.firstFragment, .lastFragment] }
}

/// The start of every connection-oriented PDU (C706 12.6.3.1):
/// ```
/// rpc_vers(1)=5  rpc_vers_minor(1)  PTYPE(1)  pfc_flags(1)
/// packed_drep(4)
/// frag_length(2)  auth_length(2)
/// call_id(4)
/// ```
/// frag_length and auth_length are not stored: the reader's `Fragment` has ranges, the writer
/// patches them.
///
/// The data representation is little-endian integers and ASCII characters (0x10) in all that this
/// program writes; big-endian integers (0x00) are read, as C706 14.1 has the receiver make it
/// right. EBCDIC is refused with `packed_drep`. Its floating-point format and its two reserved
/// bytes mean nothing here, as no interface carries floating-point numbers.
package struct PDUHeader: Equatable, Sendable {
    package static let byteCount = 16
    /// The format of integers and characters, in packed_drep's first byte.
    package static let littleEndianASCII: UInt8 = 0x10
    package static let bigEndianASCII: UInt8 = 0x00

    /// Nil for a representation that is not read.
    @inlinable
    package static func byteOrder(_ representation: UInt8) -> ByteOrder? {
        switch representation {
        case littleEndianASCII: .littleEndian
        case bigEndianASCII: .bigEndian
        case _: nil
        }
    }

    package var type: PDUType
    package var flags: PDUFlags
    package var callID: UInt32
    /// 0, or 1 from a peer that fragments binds.
    package var minorVersion: UInt8

    @inlinable
    package init(
        _ type: PDUType, _ flags: PDUFlags = .single, callID: UInt32, minorVersion: UInt8 = 0
    ) {
        self.type = type
        self.flags = flags
        self.callID = callID
        self.minorVersion = minorVersion
    }

    /// Writes the header with both lengths zero, for `finish`.
    @inlinable
    package func write(into writer: inout WireWriter) {
        writer.uint8(5)
        writer.uint8(minorVersion)
        writer.uint8(type.rawValue)
        writer.uint8(flags.rawValue)
        writer.uint32LE(UInt32(Self.littleEndianASCII))
        writer.uint32LE(0)
        writer.uint32LE(callID)
    }

    /// Patches the lengths of the PDU that began at `start` and ends where the writer is.
    @inlinable
    package static func finish(
        _ writer: inout WireWriter, start: Int, authLength: Int = 0
    ) {
        writer.patch16LE(start + 8, writer.count - start)
        writer.patch16LE(start + 10, authLength)
    }
}
