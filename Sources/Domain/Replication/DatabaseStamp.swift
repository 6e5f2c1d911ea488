import Wire

/// Where a database stands: the serial number of its last change, and when it was made.
package struct DatabaseStamp: Equatable, Sendable {
    /// A primary that is further says what cannot be: ours must be able to go on from there.
    static let lastSerial: UInt64 = 1 << 63

    package var serial: UInt64
    package var created: UInt64

    package init(serial: UInt64, created: UInt64) {
        self.serial = serial
        self.created = created
    }
}

extension LocalDomain {
    /// Where the copy of a database stands; both zero before its first synchronization.
    package func stamp(_ database: DomainDatabase) -> DatabaseStamp {
        DatabaseStamp(
            serial: header.serial(of: database), created: header.created(database))
    }

    /// As part of a running change.
    func setStamp(_ database: DomainDatabase, _ stamp: DatabaseStamp) {
        header.serials[Int(database.rawValue)] = stamp.serial
        header.created[Int(database.rawValue)] = stamp.created
    }
}
