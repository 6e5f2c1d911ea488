import Wire

/// The body of a request before its stub (C706 12.6.4.9):
/// ```
/// alloc_hint(4)
/// p_cont_id(2)  opnum(2)
/// object(16)     where the header's flags have objectUUID
/// stub
/// ```
package struct RequestPDU: Equatable, Sendable {
    /// How long the whole call's stub may be; a hint, to be believed within bounds only.
    package var allocHint: UInt32
    package var contextID: UInt16
    package var opnum: UInt16
    package var object: GUID?

    @inlinable
    package init(allocHint: UInt32 = 0, contextID: UInt16, opnum: UInt16, object: GUID? = nil) {
        self.allocHint = allocHint
        self.contextID = contextID
        self.opnum = opnum
        self.object = object
    }

    /// Parses from a reader of `Fragment.body`, and leaves it at the stub, which is the rest.
    @inlinable
    package init(parsing reader: inout WireReader, flags: PDUFlags) throws(WireError) {
        allocHint = try reader.uint32("alloc_hint")
        contextID = try reader.uint16("p_cont_id")
        opnum = try reader.uint16("opnum")
        object = flags.contains(.objectUUID) ? try GUID(parsing: &reader) : nil
    }

    @inlinable
    package func write(into writer: inout WireWriter) {
        writer.uint32LE(allocHint)
        writer.uint16LE(contextID)
        writer.uint16LE(opnum)
        object?.write(into: &writer)
    }
}

/// The body of a response before its stub (C706 12.6.4.10):
/// ```
/// alloc_hint(4)
/// p_cont_id(2)  cancel_count(1)  reserved(1)
/// stub
/// ```
package struct ResponsePDU: Equatable, Sendable {
    package var allocHint: UInt32
    package var contextID: UInt16
    package var cancelCount: UInt8

    @inlinable
    package init(allocHint: UInt32 = 0, contextID: UInt16, cancelCount: UInt8 = 0) {
        self.allocHint = allocHint
        self.contextID = contextID
        self.cancelCount = cancelCount
    }

    /// Parses from a reader of `Fragment.body`, and leaves it at the stub, which is the rest.
    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        allocHint = try reader.uint32("alloc_hint")
        contextID = try reader.uint16("p_cont_id")
        cancelCount = try reader.uint8("cancel_count")
        _ = try reader.uint8("reserved")
    }

    @inlinable
    package func write(into writer: inout WireWriter) {
        writer.uint32LE(allocHint)
        writer.uint16LE(contextID)
        writer.uint8(cancelCount)
        writer.uint8(0)
    }
}

/// The body of a fault (C706 12.6.4.7, MS-RPCE 2.2.2.8):
/// ```
/// alloc_hint(4)
/// p_cont_id(2)  cancel_count(1)  flags(1)
/// status(4)
/// reserved2(4)
/// stub           extended error information, where the flags say so
/// ```
/// What follows the status is not looked at: it explains, and some peers leave it out.
package struct FaultPDU: PDUBody, Equatable, Sendable {
    package var contextID: UInt16
    package var cancelCount: UInt8
    package var status: FaultStatus

    package init(contextID: UInt16, cancelCount: UInt8 = 0, status: FaultStatus) {
        self.contextID = contextID
        self.cancelCount = cancelCount
        self.status = status
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        _ = try reader.uint32("alloc_hint")
        contextID = try reader.uint16("p_cont_id")
        cancelCount = try reader.uint8("cancel_count")
        _ = try reader.uint8("flags")
        status = FaultStatus(rawValue: try reader.uint32("status"))
        _ = reader.takeRest()
    }

    package func write(into writer: inout WireWriter) {
        // The hint of a fault without a stub is what Windows sends: its own fields.
        writer.uint32LE(32)
        writer.uint16LE(contextID)
        writer.uint8(cancelCount)
        writer.uint8(0)
        writer.uint32LE(status.rawValue)
        writer.uint32LE(0)
    }
}
