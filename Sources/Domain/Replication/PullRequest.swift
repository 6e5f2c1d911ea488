import Interfaces
import RPC
import Wire

/// What a backup asks its primary for next.
package struct PullRequest: Equatable, CustomStringConvertible {
    package enum Kind: Equatable {
        /// The changes since a serial number.
        case deltas(since: UInt64)
        /// The next page of the whole database.
        case sync(context: UInt32)
        /// One object.
        case redo(ChangeLogEntry)
    }

    package let database: DomainDatabase
    package let kind: Kind

    package var opnum: UInt16 {
        switch kind {
        case .deltas: NetrDatabaseDeltas.opnum
        case .sync: NetrDatabaseSync2.opnum
        case .redo: NetrDatabaseRedo.opnum
        }
    }

    /// The call's stub. `call` has the names and the authenticator of the secure channel.
    package func stub(_ call: DatabaseCall) -> [UInt8] {
        let id = NetlogonDatabase(rawValue: UInt32(database.rawValue))
        var stub = NDRWriter()
        switch kind {
        case .deltas(let since):
            NetrDatabaseDeltas.Request(call: call, databaseID: id, domainModifiedCount: since)
                .write(into: &stub)
        case .sync(let context):
            NetrDatabaseSync2.Request(call: call, databaseID: id, syncContext: context)
                .write(into: &stub)
        case .redo(let entry):
            NetrDatabaseRedo.Request(call: call, entry: entry).write(into: &stub)
        }
        return stub.wire.finish()
    }

    package var description: String {
        switch kind {
        case .deltas(let since): "changes of \(database.name) since \(since)"
        case .sync: "all of \(database.name)"
        case .redo(let entry):
            "object \(entry.objectRID) of \(database.name)"
        }
    }
}

/// What became of a pull, for the log and for who waits.
package enum PullNotice: Equatable, CustomStringConvertible {
    /// Everything is asked for, and why.
    case begins(DomainDatabase, FullReason)
    /// The copy is what the primary had at that serial number.
    case current(DomainDatabase, serial: UInt64)
    case trouble(DomainDatabase, PullTrouble)
    /// A computer says to be the primary of a domain of our name, with another SID.
    case foreign(String, SID, own: SID)

    package var description: String {
        switch self {
        case .begins(let database, let reason):
            "\(database.name) is copied whole: \(reason.description)"
        case .current(let database, let serial):
            "\(database.name) is as the primary's at \(serial)"
        case .trouble(let database, let trouble):
            "\(database.name) is not copied: \(trouble.description)"
        case .foreign(let name, let sid, let own):
            "\(name) announces itself as the primary of a domain of the same name with SID "
                + "\(sid.description); ours is \(own.description)"
        }
    }
}

package enum FullReason: Equatable, CustomStringConvertible {
    case new
    /// On a new connection, LSA's only.
    case connected
    case createdAnew
    case serialBackwards
    case logTooShort
    case objectRefused
    case ordered

    package var description: String {
        switch self {
        case .new: "there is no copy yet"
        case .connected: "the connection is new"
        case .createdAnew: "the primary's was made at another time"
        case .serialBackwards: "the primary's serial number went back"
        case .logTooShort: "the primary's log does not reach back"
        case .objectRefused: "an object could not be taken"
        case .ordered: "an administrator wants it so"
        }
    }
}

package enum PullTrouble: Equatable, CustomStringConvertible {
    case unreachable
    case refused(NTStatus)
    /// The answer is cut, or says what cannot be.
    case unreadable(WireError)
    /// Pages that lead nowhere.
    case endless
    case incomplete
    case notWritten
    /// The primary's domain is not the one that ours is a copy of.
    case otherDomain(SID, own: SID)

    package var description: String {
        switch self {
        case .unreachable: "the primary is not reached"
        case .refused(let status): "the primary says \(status.text)"
        case .unreadable(let error): error.description
        case .endless: "the primary's pages do not come to an end"
        case .incomplete: "the primary did not say what its database is"
        case .notWritten: "it cannot be written"
        case .otherDomain(let sid, let own):
            "the primary's domain has SID \(sid.description), the copy is of \(own.description); "
                + "nothing is taken from it"
        }
    }
}
