import Wire

/// What a backup controller takes over from its primary, as the primary's databases have it
/// (MS-NRPC 2.2.1.5). Objects come whole.
package enum ReplicaChange {
    /// What is said of the domain: its policy and comment.
    case domain(policy: AccountPolicy, comment: String)
    /// Without groups beside the primary one: those come as members of groups.
    case account(Account)
    case accountGone(UInt32)
    case group(Group)
    case groupGone(UInt32)
    /// All members of a group; those that are not known yet are left out.
    case members(group: UInt32, [UInt32])
    case alias(Alias)
    case aliasGone(Alias.Home, UInt32)
    case trust(Trust)
    case trustGone(String)
}

extension LocalDomain {
    /// A backup's domain before anything was copied.
    package static func createBackup(
        name: String, sid: SID, primary: String, proofs: ProofPolicy = ProofPolicy(),
        commit: @escaping Commit
    ) -> LocalDomain? {
        var header = DomainHeader(name: fold(name), sid: sid, role: .backup, now: 0)
        header.replicaSource = primary
        header.serials = InlineArray(repeating: 0)
        let domain = LocalDomain(header: header, proofs: proofs, commit: commit)
        return domain.writeHeader() ? domain : nil
    }

    /// Takes changes over, all of them or none. Afterwards the database has the primary's serial
    /// number and, where one is given, its creation time.
    ///
    /// `isWhole`: the changes are all there is; what they do not name goes. Then the log begins
    /// anew, because nothing is known of what led here.
    package func replicate(
        _ database: DomainDatabase, _ changes: [ReplicaChange], serial: UInt64,
        created: UInt64? = nil, isWhole: Bool = false
    ) throws(DomainError) {
        guard role == .backup else { throw DomainError(.invalidDomainRole) }
        let index = Int(database.rawValue)
        try change { () throws(DomainError) in
            if isWhole { removeUnnamed(by: changes, in: database) }
            for change in changes { take(change) }
            header.serials[index] = serial
            if let created { header.created[index] = created }
        }
        // Records of the old entries stay until newer ones push them out; a log with a gap is
        // not used when it is read again.
        if logs[index].newest != serial { logs[index].removeAll() }
    }

    /// Makes a backup the primary, or the other way round. A new primary's serial numbers are far
    /// above those of the old one, so that no backup confuses the two (MS-NRPC 3.5.4.6).
    package func setRole(_ role: DomainRole, primary: String = "") throws(DomainError) {
        if role == header.role { return }
        try change { () throws(DomainError) in
            header.role = role
            header.replicaSource = primary
            if role == .primary {
                for index in 0..<3 { header.serials[index] += Self.promotionIncrement }
            }
        }
        for index in 0..<3 { logs[index].removeAll() }
    }

    package static let promotionIncrement: UInt64 = 1 << 32

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

    // MARK: Single changes

    private func take(_ change: ReplicaChange) {
        switch change {
        case .domain(let policy, let comment):
            header.policy = policy
            header.comment = comment
        case .account(let account): takeAccount(account)
        case .accountGone(let rid):
            if accounts[rid] != nil { remove(account: rid) }
        case .group(let group):
            noteNumber(group.rid)
            put(group)
        case .groupGone(let rid):
            if groups[rid] != nil { remove(group: rid) }
        case .members(let group, let members): setMembers(Set(members), of: group)
        case .alias(let alias):
            if alias.home == .account { noteNumber(alias.rid) }
            put(alias)
        case .aliasGone(let home, let rid):
            if alias(rid: rid, in: home) != nil { remove(alias: rid, in: home) }
        case .trust(let trust): put(trust)
        case .trustGone(let name):
            if trust(name) != nil { remove(trust: name) }
        }
    }

    /// Numbers that this domain gives out one day, as its primary, follow those that it saw.
    private func noteNumber(_ rid: UInt32) {
        if rid < .max { header.nextRID = max(header.nextRID, rid + 1) }
    }

    private func takeAccount(_ account: Account) {
        var account = account
        account.otherGroupRIDs = accounts[account.rid]?.otherGroupRIDs ?? []
        account.otherGroupRIDs.removeAll { $0 == account.primaryGroupRID }
        if !proofs.allowsLM { account.lmHash = nil }
        noteNumber(account.rid)
        put(account)
    }

    private func setMembers(_ members: Set<UInt32>, of group: UInt32) {
        for var account in accounts.elements where account.primaryGroupRID != group {
            let index = account.otherGroupRIDs.firstIndex(of: group)
            if members.contains(account.rid) == (index != nil) { continue }
            if let index {
                account.otherGroupRIDs.remove(at: index)
            } else {
                account.otherGroupRIDs.append(group)
                account.otherGroupRIDs.sort()
            }
            put(account)
        }
    }

    /// Removes what a whole database does not name.
    private func removeUnnamed(by changes: [ReplicaChange], in database: DomainDatabase) {
        var numbers: Set<UInt32> = []
        var names: Set<String> = []
        for change in changes {
            switch change {
            case .account(let account): numbers.insert(account.rid)
            case .group(let group): numbers.insert(group.rid)
            case .alias(let alias): numbers.insert(alias.rid)
            case .trust(let trust): names.insert(Self.fold(trust.name))
            case .domain, .accountGone, .groupGone, .members, .aliasGone, .trustGone: break
            }
        }
        switch database {
        case .sam:
            for old in accounts.elements where !numbers.contains(old.rid) {
                remove(account: old.rid)
            }
            for old in groups.elements where !numbers.contains(old.rid) { remove(group: old.rid) }
            for old in aliases.elements where !numbers.contains(old.rid) {
                remove(alias: old.rid, in: .account)
            }
        case .builtin:
            for old in builtinAliases.elements where !numbers.contains(old.rid) {
                remove(alias: old.rid, in: .builtin)
            }
        case .lsa:
            for old in trusts where !names.contains(Self.fold(old.name)) {
                remove(trust: old.name)
            }
        }
    }
}
