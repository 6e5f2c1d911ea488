import Wire

// How a domain becomes a backup's copy, and a copy the domain.

extension LocalDomain {
    /// A backup's domain before its first synchronization; nil where it cannot be written.
    /// `primary` is the computer name of the controller that it is a copy of.
    package static func createBackup(
        name: String, sid: SID, primary: String, proofs: ProofPolicy = ProofPolicy(),
        commit: @escaping Commit
    ) -> LocalDomain? {
        // Made at no time and without a serial number: no primary's database is like that.
        var header = DomainHeader(name: fold(name), sid: sid, role: .backup, now: 0)
        header.serials = InlineArray(repeating: 0)
        let domain = LocalDomain(header: header, proofs: proofs, commit: commit)
        do throws(DomainError) {
            // What is written is what changed: the source makes the header differ.
            try domain.change { () throws(DomainError) in
                domain.header.replicaSource = fold(primary)
            }
        } catch {
            return nil
        }
        return domain
    }

    /// What a promotion adds to serial numbers (as Windows NT does it), so that the last changes
    /// of the old primary, which nobody saw, do not share theirs with new ones.
    static let promotionIncrement: UInt64 = 1 << 36

    /// Makes a backup the primary. Other backups then need the whole databases once.
    package func promote() throws(DomainError) {
        if role == .primary { return }
        if header.created(.sam) == 0 { throw DomainError(.synchronizationRequired) }
        try change { () throws(DomainError) in
            header.role = .primary
            header.replicaSource = ""
            for index in 0..<3 {
                header.serials[index] += Self.promotionIncrement
            }
        }
        for index in 0..<3 { logs[index].removeAll() }
    }

    /// Makes a primary the backup of another computer, which must have been promoted.
    package func demote(to primary: String) throws(DomainError) {
        try change { () throws(DomainError) in
            header.role = .backup
            header.replicaSource = Self.fold(primary)
        }
    }

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
