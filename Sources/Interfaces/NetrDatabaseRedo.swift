import RPC
import Wire

/// A change by name (MS-NRPC 3.5.4.6.4, CHANGELOG_ENTRY), not aligned, without NDR:
/// ```
/// SerialNumber(8) ObjectRid(4) Flags(2) DBIndex(1) DeltaType(1)
/// ObjectSid (8 and 4 for each sub-authority)   flag 0x4
/// ObjectName (UTF-16LE, null-terminated)       flag 0x8
/// ```
package struct ChangeLogEntry: Equatable, Sendable, CustomStringConvertible {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let immediateReplicationRequired = Flags(rawValue: 0x1)
        package static let changedPassword = Flags(rawValue: 0x2)
        package static let sidIncluded = Flags(rawValue: 0x4)
        package static let nameIncluded = Flags(rawValue: 0x8)
        /// The first change after this primary was promoted.
        package static let firstPromotion = Flags(rawValue: 0x10)
    }

    /// The longest entry: with a SID, or with a name of a secret.
    package static let maximumByteCount = 1_024

    /// The object, beside its RID.
    package enum Object: Equatable, Sendable {
        case rid
        case sid(SID)
        case name(String)
    }

    package var serialNumber: UInt64
    package var objectRID: UInt32
    /// Without the two that say what follows, which the object does.
    package var flags: Flags
    package var database: UInt8
    package var deltaType: UInt8
    package var object: Object

    package init(
        serialNumber: UInt64, objectRID: UInt32, flags: Flags = [], database: UInt8,
        deltaType: UInt8, object: Object = .rid
    ) {
        self.serialNumber = serialNumber
        self.objectRID = objectRID
        self.flags = flags.subtracting([.sidIncluded, .nameIncluded])
        self.database = database
        self.deltaType = deltaType
        self.object = object
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        serialNumber = try reader.uint64LE("SerialNumber")
        objectRID = try reader.uint32LE("ObjectRid")
        let wireFlags = Flags(rawValue: try reader.uint16LE("Flags"))
        flags = wireFlags.subtracting([.sidIncluded, .nameIncluded])
        database = try reader.uint8("DBIndex")
        deltaType = try reader.uint8("DeltaType")
        if wireFlags.contains(.sidIncluded) {
            object = .sid(try SID(parsing: &reader))
        } else if wireFlags.contains(.nameIncluded) {
            object = .name(try reader.utf16LEZ("ObjectName"))
        } else {
            object = .rid
        }
        try reader.expectEnd("ChangeLogEntry")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint64LE(serialNumber)
        writer.uint32LE(objectRID)
        switch object {
        case .rid: writer.uint16LE(flags.rawValue)
        case .sid: writer.uint16LE(flags.union(.sidIncluded).rawValue)
        case .name: writer.uint16LE(flags.union(.nameIncluded).rawValue)
        }
        writer.uint8(database)
        writer.uint8(deltaType)
        switch object {
        case .rid: break
        case .sid(let sid): sid.write(into: &writer)
        case .name(let name):
            writer.utf16LE(name)
            writer.uint16LE(0)
        }
    }

    package var description: String {
        "serial \(serialNumber) object \(objectRID) type \(deltaType) database \(database)"
    }
}

/// One object as it is now, for a backup controller that has missed its change
/// (MS-NRPC 3.5.4.6.4).
package enum NetrDatabaseRedo: RemoteProcedure {
    package static let opnum: UInt16 = 17

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: DatabaseCall
        package var entry: ChangeLogEntry

        package init(call: DatabaseCall, entry: ChangeLogEntry) {
            self.call = call
            self.entry = entry
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try DatabaseCall(parsing: &stub)
            let count = try stub.conformance(
                elementSize: 1, limit: ChangeLogEntry.maximumByteCount, "ChangeLogEntry")
            let range = try stub.wire.take(count, "ChangeLogEntry")
            var part = stub.wire.part(range)
            entry = try ChangeLogEntry(parsing: &part)
            let size = Int(clamping: try stub.uint32("ChangeLogEntrySize"))
            if size != count { throw stub.wire.invalid("ChangeLogEntrySize", size, width: 4) }
            try stub.expectEndOfRequest("NetrDatabaseRedo")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            var writer = WireWriter(capacity: 64)
            entry.write(into: &writer)
            let bytes = writer.finish()
            stub.octets(bytes)
            stub.uint32(UInt32(bytes.count))
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// Nil where the call failed.
        package var deltas: NetlogonDeltaArray?
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            deltas: NetlogonDeltaArray?, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.deltas = deltas
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            deltas = try stub.pointer("DeltaArray") ? try NetlogonDeltaArray(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("NetrDatabaseRedo")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.pointer(deltas != nil)
            deltas?.write(into: &stub)
            stub.status(status)
        }
    }
}
