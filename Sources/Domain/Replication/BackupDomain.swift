import Wire

extension SID {
    /// Of a backup's domain before its primary said which one it is: S-1-0-0, nobody.
    package static let notKnownYet = SID(identifierAuthority: 0, subAuthorities: [0])
}

/// Being a backup, and becoming the primary.
extension LocalDomain {
    /// A backup's domain before anything was copied; nil where it cannot be written. Without a
    /// SID it takes its primary's.
    package static func createBackup(
        name: String, sid: SID? = nil, primary: String = "", proofs: ProofPolicy = ProofPolicy(),
        commit: @escaping Commit
    ) -> LocalDomain? {
        var header = DomainHeader(
            name: fold(name), sid: sid ?? .notKnownYet, role: .backup, now: 0)
        header.replicaSource = primary
        header.serials = InlineArray(repeating: 0)
        let domain = LocalDomain(header: header, proofs: proofs, commit: commit)
        return domain.writeHeader() ? domain : nil
    }

    var isOfKnownSID: Bool { sid != .notKnownYet }

    /// Whether there is anything to serve: always but for a backup before its first copy.
    package var hasCopy: Bool { header.hasCopy }

    /// Makes a backup the primary, or the other way round. A new primary's serial numbers are far
    /// above those of the old one, so that no backup confuses the two (MS-NRPC 3.5.4.6).
    package func setRole(_ role: DomainRole, primary: String = "") throws(DomainError) {
        if role == header.role { return }
        guard hasCopy else { throw DomainError(.invalidDomainState) }
        try change { () throws(DomainError) in
            header.role = role
            header.replicaSource = primary
            if role == .primary {
                overrides.apply(to: &header.policy)
                for index in 0..<3 { header.serials[index] += Self.promotionIncrement }
            }
        }
        for database in DomainDatabase.allCases { forgetLog(database) }
        onLogged?()
    }

    package static let promotionIncrement: UInt64 = 1 << 32

    /// Nothing is known of what led to where the database is. Records of old entries stay until
    /// newer ones push them out; a log with a gap is not used when it is read again.
    func forgetLog(_ database: DomainDatabase) { logs[Int(database.rawValue)].removeAll() }

    /// Only what changes is written, so the header becomes what it is within a change.
    private func writeHeader() -> Bool {
        let wanted = header
        header.nextRID = 0
        do throws(DomainError) {
            try change { () throws(DomainError) in header = wanted }
            return true
        } catch {
            return false
        }
    }
}
