import RPC
import Wire

// The account database of LAN Manager 2.x (MS-NRPC 3.5.4.6.5 and .6). Windows NT answers both
// calls with STATUS_NOT_IMPLEMENTED, as its LAN Manager controllers pulled over SMB.

/// Where a LAN Manager database stands (MS-NRPC 2.2.1.5.30, UAS_INFO_0):
/// ```
/// ComputerName(16)  TimeCreated(4)  SerialNumber(4)
/// ```
package struct UASInfo: NDRMessage, Equatable, Sendable {
    /// Null-padded, in the OEM code page.
    package var computerName: Bytes16
    package var timeCreated: UInt32
    package var serialNumber: UInt32

    package init(
        computerName: Bytes16 = Bytes16(), timeCreated: UInt32 = 0, serialNumber: UInt32 = 0
    ) {
        self.computerName = computerName
        self.timeCreated = timeCreated
        self.serialNumber = serialNumber
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        try stub.align(4, "UasInfo")
        computerName = try stub.fixed("ComputerName")
        timeCreated = try stub.uint32("TimeCreated")
        serialNumber = try stub.uint32("SerialNumber")
    }

    package func write(into stub: inout NDRWriter) {
        stub.align(4)
        stub.fixed(computerName)
        stub.uint32(timeCreated)
        stub.uint32(serialNumber)
    }
}

/// What both calls begin with.
package struct AccountDatabaseCall: NDRMessage, Equatable, Sendable {
    package var primaryName: String?
    package var computerName: String
    package var authenticator: NetlogonAuthenticator
    package var returnAuthenticator: NetlogonAuthenticator

    package init(
        primaryName: String?, computerName: String, authenticator: NetlogonAuthenticator,
        returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator()
    ) {
        self.primaryName = primaryName
        self.computerName = computerName
        self.authenticator = authenticator
        self.returnAuthenticator = returnAuthenticator
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        primaryName = try stub.optionalWideText("PrimaryName")
        computerName = try stub.wideText("ComputerName")
        authenticator = try NetlogonAuthenticator(parsing: &stub)
        returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(primaryName)
        stub.wideString(computerName)
        authenticator.write(into: &stub)
        returnAuthenticator.write(into: &stub)
    }
}

/// The changes since a record.
package enum NetrAccountDeltas: RemoteProcedure {
    package static let opnum: UInt16 = 9
    /// The longest buffer of an answer.
    package static let maximumBuffer = 65_536

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: AccountDatabaseCall
        package var recordID: UASInfo
        package var count: UInt32
        package var level: UInt32
        package var bufferSize: UInt32

        package init(
            call: AccountDatabaseCall, recordID: UASInfo, count: UInt32, level: UInt32,
            bufferSize: UInt32
        ) {
            self.call = call
            self.recordID = recordID
            self.count = count
            self.level = level
            self.bufferSize = bufferSize
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try AccountDatabaseCall(parsing: &stub)
            recordID = try UASInfo(parsing: &stub)
            count = try stub.uint32("Count")
            level = try stub.uint32("Level")
            bufferSize = try stub.uint32("BufferSize")
            try stub.expectEndOfRequest("NetrAccountDeltas")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            recordID.write(into: &stub)
            stub.uint32(count)
            stub.uint32(level)
            stub.uint32(bufferSize)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// As long as the request's BufferSize says.
        package var buffer: [UInt8]
        package var countReturned: UInt32
        package var totalEntries: UInt32
        package var nextRecordID: UASInfo
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            buffer: [UInt8] = [], countReturned: UInt32 = 0, totalEntries: UInt32 = 0,
            nextRecordID: UASInfo = UASInfo(), status: NTStatus
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.buffer = buffer
            self.countReturned = countReturned
            self.totalEntries = totalEntries
            self.nextRecordID = nextRecordID
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            let size = try stub.conformance(
                elementSize: 1, limit: NetrAccountDeltas.maximumBuffer, "Buffer")
            buffer = stub.wire.copy(try stub.wire.take(size, "Buffer"))
            countReturned = try stub.uint32("CountReturned")
            totalEntries = try stub.uint32("TotalEntries")
            nextRecordID = try UASInfo(parsing: &stub)
            status = try stub.status("status")
            try stub.expectEnd("NetrAccountDeltas")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.octets(buffer)
            stub.uint32(countReturned)
            stub.uint32(totalEntries)
            nextRecordID.write(into: &stub)
            stub.status(status)
        }
    }
}

/// The whole database, page by page.
package enum NetrAccountSync: RemoteProcedure {
    package static let opnum: UInt16 = 10

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: AccountDatabaseCall
        package var reference: UInt32
        package var level: UInt32
        package var bufferSize: UInt32

        package init(
            call: AccountDatabaseCall, reference: UInt32, level: UInt32, bufferSize: UInt32
        ) {
            self.call = call
            self.reference = reference
            self.level = level
            self.bufferSize = bufferSize
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try AccountDatabaseCall(parsing: &stub)
            reference = try stub.uint32("Reference")
            level = try stub.uint32("Level")
            bufferSize = try stub.uint32("BufferSize")
            try stub.expectEndOfRequest("NetrAccountSync")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            stub.uint32(reference)
            stub.uint32(level)
            stub.uint32(bufferSize)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        package var buffer: [UInt8]
        package var countReturned: UInt32
        package var totalEntries: UInt32
        package var nextReference: UInt32
        package var lastRecordID: UASInfo
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            buffer: [UInt8] = [], countReturned: UInt32 = 0, totalEntries: UInt32 = 0,
            nextReference: UInt32 = 0, lastRecordID: UASInfo = UASInfo(), status: NTStatus
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.buffer = buffer
            self.countReturned = countReturned
            self.totalEntries = totalEntries
            self.nextReference = nextReference
            self.lastRecordID = lastRecordID
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            let size = try stub.conformance(
                elementSize: 1, limit: NetrAccountDeltas.maximumBuffer, "Buffer")
            buffer = stub.wire.copy(try stub.wire.take(size, "Buffer"))
            countReturned = try stub.uint32("CountReturned")
            totalEntries = try stub.uint32("TotalEntries")
            nextReference = try stub.uint32("NextReference")
            lastRecordID = try UASInfo(parsing: &stub)
            status = try stub.status("status")
            try stub.expectEnd("NetrAccountSync")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.octets(buffer)
            stub.uint32(countReturned)
            stub.uint32(totalEntries)
            stub.uint32(nextReference)
            lastRecordID.write(into: &stub)
            stub.status(status)
        }
    }
}
