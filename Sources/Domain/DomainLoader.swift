import Wire

extension LocalDomain {
    /// A new domain with what every domain has; nil where it cannot be written. Administrator has
    /// no password yet, so that nobody can log on as it.
    package static func create(
        name: String, sid: SID, policy: AccountPolicy = AccountPolicy(),
        proofs: ProofPolicy = ProofPolicy(), now: UInt64, commit: @escaping Commit
    ) -> LocalDomain? {
        var header = DomainHeader(name: fold(name), sid: sid, now: now)
        header.policy = policy
        let domain = LocalDomain(header: header, proofs: proofs, commit: commit)
        do throws(DomainError) {
            try domain.change { () throws(DomainError) in domain.addWellKnown() }
        } catch {
            return nil
        }
        return domain
    }

    private func addWellKnown() {
        for (rid, name, comment) in Self.wellKnownGroups {
            var group = Group(rid: rid, name: name)
            group.comment = comment
            put(group)
            log(.sam, .changeGroup, rid: rid)
        }
        var administrator = Account(
            rid: WellKnownRID.administrator, name: "Administrator",
            flags: [.normal, .passwordNeverExpires])
        administrator.otherGroupRIDs = [WellKnownRID.domainAdmins]
        administrator.adminComment = "Built-in account for administering the domain"
        var guest = Account(
            rid: WellKnownRID.guest, name: "Guest",
            flags: [.normal, .disabled, .passwordNeverExpires],
            primaryGroupRID: WellKnownRID.domainGuests)
        guest.adminComment = "Built-in account for guest access"
        for account in [administrator, guest] {
            put(account)
            log(.sam, .changeUser, rid: account.rid)
        }
        for (rid, name, comment, member) in Self.wellKnownAliases {
            var alias = Alias(home: .builtin, rid: rid, name: name)
            alias.comment = comment
            alias.members = [sid(of: member)]
            put(alias)
            log(.builtin, .changeAlias, rid: rid)
        }
    }

    private static let wellKnownGroups: [(UInt32, String, String)] = [
        (WellKnownRID.domainAdmins, "Domain Admins", "Administrators of the domain"),
        (WellKnownRID.domainUsers, "Domain Users", "All domain users"),
        (WellKnownRID.domainGuests, "Domain Guests", "All domain guests"),
        (WellKnownRID.domainComputers, "Domain Computers", "All members of the domain"),
        (WellKnownRID.domainControllers, "Domain Controllers", "All controllers of the domain"),
    ]

    private static let wellKnownAliases: [(UInt32, String, String, UInt32)] = [
        (WellKnownRID.administrators, "Administrators", "Members can administer the controllers",
            WellKnownRID.domainAdmins),
        (WellKnownRID.users, "Users", "Ordinary users", WellKnownRID.domainUsers),
        (WellKnownRID.guests, "Guests", "Users granted guest access", WellKnownRID.domainGuests),
    ]
}

/// Puts a domain together from its records, in any order; those of one kind come best in the order
/// of their keys.
package struct DomainLoader {
    private var header: DomainHeader?
    private var accounts = RIDTable<Account>()
    private var groups = RIDTable<Group>()
    private var aliases: [Alias] = []
    private var trusts: [Trust] = []
    private var entries: [ChangeEntry] = []
    /// Records that could not be read, by key, with the reason. Without the header there is no
    /// domain; anything else is missing alone.
    package private(set) var damaged: [(key: String, error: WireError)] = []

    package init() {}

    /// `key` is as the domain gave it in a change.
    package mutating func take(key: String, _ content: [UInt8]) {
        var reader = WireReader(content.span, layer: "domain")
        do throws(WireError) {
            try parse(key, &reader)
        } catch {
            damaged.append((key, error))
        }
    }

    private mutating func parse(
        _ key: String, _ reader: inout WireReader
    ) throws(WireError) {
        if key.hasPrefix(RecordKey.account) {
            let account = try Account(parsing: &reader)
            try reader.expectEnd("account")
            accounts.put(account)
        } else if key.hasPrefix(RecordKey.log) {
            let entry = try ChangeEntry(parsing: &reader)
            try reader.expectEnd("change")
            entries.append(entry)
        } else if key.hasPrefix(RecordKey.group) {
            let group = try Group(parsing: &reader)
            try reader.expectEnd("group")
            groups.put(group)
        } else if key.hasPrefix(RecordKey.alias) || key.hasPrefix(RecordKey.builtin) {
            let alias = try Alias(parsing: &reader)
            try reader.expectEnd("alias")
            aliases.append(alias)
        } else if key.hasPrefix(RecordKey.trust) {
            let trust = try Trust(parsing: &reader)
            try reader.expectEnd("trust")
            trusts.append(trust)
        } else if key == RecordKey.header {
            let header = try DomainHeader(parsing: &reader)
            try reader.expectEnd("domain")
            self.header = header
        } else {
            throw reader.invalid("key", 0)
        }
    }

    /// Whether there was anything at all.
    package var isEmpty: Bool {
        header == nil && damaged.isEmpty && accounts.count == 0 && entries.isEmpty
    }

    /// The domain; nil where its header is missing or damaged.
    package consuming func finish(
        proofs: ProofPolicy, commit: @escaping LocalDomain.Commit
    ) -> LocalDomain? {
        guard let header else { return nil }
        let domain = LocalDomain(header: header, proofs: proofs, commit: commit)
        domain.take(
            accounts: accounts, groups: groups, aliases: aliases, trusts: trusts,
            entries: entries)
        return domain
    }
}

extension LocalDomain {
    fileprivate func take(
        accounts: consuming RIDTable<Account>, groups: consuming RIDTable<Group>,
        aliases: [Alias], trusts: [Trust], entries: [ChangeEntry]
    ) {
        self.accounts = accounts
        self.groups = groups
        names.reserveCapacity(self.accounts.count + self.groups.count + aliases.count)
        for account in self.accounts.elements {
            names[Self.fold(account.name)] = .account(account.rid)
        }
        for group in self.groups.elements { names[Self.fold(group.name)] = .group(group.rid) }
        for alias in aliases { restore(alias: alias.rid, in: alias.home, alias) }
        self.trusts = trusts
        for entry in entries.sorted(by: { $0.serial < $1.serial }) { takeLogged(entry) }
        if !proofs.allowsLM { forgetLMHashes() }
        // A log that does not lead up to now says nothing.
        for database in DomainDatabase.allCases {
            let index = Int(database.rawValue)
            if logs[index].newest != header.serial(of: database) { logs[index].removeAll() }
        }
    }

    /// A domain that no longer takes LM keeps none of its hashes: they go from the state when it
    /// is next written.
    private func forgetLMHashes() {
        for var account in accounts.elements where account.lmHash != nil {
            account.lmHash = nil
            keepInMemory(account)
        }
    }

    /// What stands before a gap is of no use.
    private func takeLogged(_ entry: ChangeEntry) {
        let index = Int(entry.database.rawValue)
        if let newest = logs[index].newest, entry.serial != newest + 1 { logs[index].removeAll() }
        logs[index].append(entry)
    }
}
