import RPC
import Wire

/// What every call of a backup controller that pulls a database begins with. Both authenticators
/// and both names are there in any case.
package struct DatabaseCall: NDRMessage, Equatable, Sendable {
    package var primaryName: String
    package var computerName: String
    package var authenticator: NetlogonAuthenticator
    package var returnAuthenticator: NetlogonAuthenticator

    package init(
        primaryName: String, computerName: String, authenticator: NetlogonAuthenticator,
        returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator()
    ) {
        self.primaryName = primaryName
        self.computerName = computerName
        self.authenticator = authenticator
        self.returnAuthenticator = returnAuthenticator
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        primaryName = try stub.wideText("PrimaryName")
        computerName = try stub.wideText("ComputerName")
        authenticator = try NetlogonAuthenticator(parsing: &stub)
        returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.wideString(primaryName)
        stub.wideString(computerName)
        authenticator.write(into: &stub)
        returnAuthenticator.write(into: &stub)
    }
}

/// The changes since a serial number (MS-NRPC 3.5.4.6.1).
package enum NetrDatabaseDeltas: RemoteProcedure {
    package static let opnum: UInt16 = 7

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: DatabaseCall
        package var databaseID: NetlogonDatabase
        /// The serial number of the last change that the caller has.
        package var domainModifiedCount: UInt64
        package var preferredMaximumLength: UInt32

        package init(
            call: DatabaseCall, databaseID: NetlogonDatabase, domainModifiedCount: UInt64,
            preferredMaximumLength: UInt32 = 0xffff
        ) {
            self.call = call
            self.databaseID = databaseID
            self.domainModifiedCount = domainModifiedCount
            self.preferredMaximumLength = preferredMaximumLength
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try DatabaseCall(parsing: &stub)
            databaseID = NetlogonDatabase(rawValue: try stub.uint32("DatabaseID"))
            domainModifiedCount = try stub.longPair("DomainModifiedCount")
            preferredMaximumLength = try stub.uint32("PreferredMaximumLength")
            try stub.expectEndOfRequest("NetrDatabaseDeltas")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            stub.uint32(databaseID.rawValue)
            stub.longPair(domainModifiedCount)
            stub.uint32(preferredMaximumLength)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// The serial number of the last change that is in the answer.
        package var domainModifiedCount: UInt64
        /// Nil where the call failed.
        package var deltas: NetlogonDeltaArray?
        /// STATUS_MORE_ENTRIES where there are more changes than one answer holds.
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            domainModifiedCount: UInt64, deltas: NetlogonDeltaArray?, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.domainModifiedCount = domainModifiedCount
            self.deltas = deltas
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            domainModifiedCount = try stub.longPair("DomainModifiedCount")
            deltas = try stub.pointer("DeltaArray") ? try NetlogonDeltaArray(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("NetrDatabaseDeltas")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.longPair(domainModifiedCount)
            stub.pointer(deltas != nil)
            deltas?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// Where a full synchronization is to go on (MS-NRPC 2.2.1.5.29, SYNC_STATE).
package struct NetlogonSyncState: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// At the beginning, or where the context says.
    package static let normal = NetlogonSyncState(rawValue: 0)
    package static let domain = NetlogonSyncState(rawValue: 1)
    package static let group = NetlogonSyncState(rawValue: 2)
    package static let uasBuiltinGroup = NetlogonSyncState(rawValue: 3)
    package static let user = NetlogonSyncState(rawValue: 4)
    package static let groupMember = NetlogonSyncState(rawValue: 5)
    package static let alias = NetlogonSyncState(rawValue: 6)
    package static let aliasMember = NetlogonSyncState(rawValue: 7)
    package static let samDone = NetlogonSyncState(rawValue: 8)
}

/// A whole database, page by page, for clients of NT 3.1 (MS-NRPC 3.5.4.6.3).
package enum NetrDatabaseSync: RemoteProcedure {
    package static let opnum: UInt16 = 8

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: DatabaseCall
        package var databaseID: NetlogonDatabase
        /// Zero at first, then what the last page's response said.
        package var syncContext: UInt32
        package var preferredMaximumLength: UInt32

        package init(
            call: DatabaseCall, databaseID: NetlogonDatabase, syncContext: UInt32 = 0,
            preferredMaximumLength: UInt32 = 0xffff
        ) {
            self.call = call
            self.databaseID = databaseID
            self.syncContext = syncContext
            self.preferredMaximumLength = preferredMaximumLength
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try DatabaseCall(parsing: &stub)
            databaseID = NetlogonDatabase(rawValue: try stub.uint32("DatabaseID"))
            syncContext = try stub.uint32("SyncContext")
            preferredMaximumLength = try stub.uint32("PreferredMaximumLength")
            try stub.expectEndOfRequest("NetrDatabaseSync")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            stub.uint32(databaseID.rawValue)
            stub.uint32(syncContext)
            stub.uint32(preferredMaximumLength)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        package var syncContext: UInt32
        /// Nil where the call failed.
        package var deltas: NetlogonDeltaArray?
        /// STATUS_MORE_ENTRIES until the last page.
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            syncContext: UInt32, deltas: NetlogonDeltaArray?, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.syncContext = syncContext
            self.deltas = deltas
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            syncContext = try stub.uint32("SyncContext")
            deltas = try stub.pointer("DeltaArray") ? try NetlogonDeltaArray(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("NetrDatabaseSync")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.uint32(syncContext)
            stub.pointer(deltas != nil)
            deltas?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// The same, which may go on where it was broken off (MS-NRPC 3.5.4.6.2).
package enum NetrDatabaseSync2: RemoteProcedure {
    package static let opnum: UInt16 = 16
    package typealias Response = NetrDatabaseSync.Response

    package struct Request: NDRMessage, Equatable, Sendable {
        package var call: DatabaseCall
        package var databaseID: NetlogonDatabase
        package var restartState: NetlogonSyncState
        package var syncContext: UInt32
        package var preferredMaximumLength: UInt32

        package init(
            call: DatabaseCall, databaseID: NetlogonDatabase,
            restartState: NetlogonSyncState = .normal, syncContext: UInt32 = 0,
            preferredMaximumLength: UInt32 = 0xffff
        ) {
            self.call = call
            self.databaseID = databaseID
            self.restartState = restartState
            self.syncContext = syncContext
            self.preferredMaximumLength = preferredMaximumLength
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            call = try DatabaseCall(parsing: &stub)
            databaseID = NetlogonDatabase(rawValue: try stub.uint32("DatabaseID"))
            restartState = NetlogonSyncState(rawValue: try stub.uint16("RestartState"))
            syncContext = try stub.uint32("SyncContext")
            preferredMaximumLength = try stub.uint32("PreferredMaximumLength")
            try stub.expectEndOfRequest("NetrDatabaseSync2")
        }

        package func write(into stub: inout NDRWriter) {
            call.write(into: &stub)
            stub.uint32(databaseID.rawValue)
            stub.uint16(restartState.rawValue)
            stub.uint32(syncContext)
            stub.uint32(preferredMaximumLength)
        }
    }
}
