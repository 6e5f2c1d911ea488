import Wire

/// What a running change has done so far: enough to undo it, and to know what to write.
struct Edit {
    enum Undo {
        case account(UInt32, Account?)
        case group(UInt32, Group?)
        case alias(Alias.Home, UInt32, Alias?)
        case trust(String, Trust?)
    }

    struct Savepoint {
        var undo: Int
        var entries: Int
        var memberships: Int
        var header: DomainHeader
    }

    /// How many `change` calls are running, one in another.
    var depth = 0
    var undo: [Undo] = []
    var entries: [ChangeEntry] = []
    /// Groups whose members changed: logged last, when all the members are, and once.
    var memberships: [UInt32] = []
    private(set) var beginning: Savepoint?

    mutating func savepoint(_ header: DomainHeader) -> Savepoint {
        let point = Savepoint(
            undo: undo.count, entries: entries.count, memberships: memberships.count,
            header: header)
        if depth == 0 { beginning = point }
        return point
    }

    mutating func clear() {
        undo.removeAll()
        entries.removeAll()
        memberships.removeAll()
        beginning = nil
    }
}

extension LocalDomain {
    func rollBack(to point: Edit.Savepoint?) {
        guard let point else { return }
        while edit.undo.count > point.undo, let step = edit.undo.popLast() {
            switch step {
            case .account(let rid, let old): restore(account: rid, old)
            case .group(let rid, let old): restore(group: rid, old)
            case .alias(let home, let rid, let old): restore(alias: rid, in: home, old)
            case .trust(let name, let old): restore(trust: name, old)
            }
        }
        if edit.entries.count > point.entries {
            edit.entries.removeLast(edit.entries.count - point.entries)
        }
        if edit.memberships.count > point.memberships {
            edit.memberships.removeLast(edit.memberships.count - point.memberships)
        }
        header = point.header
    }

    /// Notes that a group's members changed.
    func logMembers(of group: UInt32) {
        if !edit.memberships.contains(group) { edit.memberships.append(group) }
    }

    /// Adds an entry to the change log under the database's next serial number. What the running
    /// change has just said of an object is not said again.
    func log(
        _ database: DomainDatabase, _ type: DeltaType, flags: ChangeEntry.Flags = [],
        rid: UInt32 = 0, name: String = "", sid: SID? = nil
    ) {
        if let last = edit.entries.last, last.database == database, last.type == type,
            last.rid == rid, rid != 0, type == .changeUser
        {
            edit.entries[edit.entries.count - 1].flags.formUnion(flags)
            return
        }
        let index = Int(database.rawValue)
        header.serials[index] += 1
        edit.entries.append(
            ChangeEntry(
                serial: header.serials[index], database: database, type: type, flags: flags,
                rid: rid, name: name, sid: sid))
    }

    // MARK: Objects

    func put(_ account: Account) {
        let old = accounts[account.rid]
        edit.undo.append(.account(account.rid, old))
        restore(account: account.rid, account)
    }

    func put(_ group: Group) {
        edit.undo.append(.group(group.rid, groups[group.rid]))
        restore(group: group.rid, group)
    }

    func put(_ alias: Alias) {
        let old = self.alias(rid: alias.rid, in: alias.home)
        edit.undo.append(.alias(alias.home, alias.rid, old))
        restore(alias: alias.rid, in: alias.home, alias)
    }

    func put(_ trust: Trust) {
        edit.undo.append(.trust(trust.name, self.trust(trust.name)))
        restore(trust: trust.name, trust)
    }

    func remove(account rid: UInt32) {
        edit.undo.append(.account(rid, accounts[rid]))
        restore(account: rid, nil)
    }

    func remove(group rid: UInt32) {
        edit.undo.append(.group(rid, groups[rid]))
        restore(group: rid, nil)
    }

    func remove(alias rid: UInt32, in home: Alias.Home) {
        edit.undo.append(.alias(home, rid, alias(rid: rid, in: home)))
        restore(alias: rid, in: home, nil)
    }

    func remove(trust name: String) {
        edit.undo.append(.trust(name, trust(name)))
        restore(trust: name, nil)
    }

    /// Makes the account with that number what is given, and its name findable.
    func restore(account rid: UInt32, _ new: Account?) {
        let old = accounts[rid]?.name
        if let new { accounts.put(new) } else { accounts.remove(rid) }
        rename(old, new?.name, .account(rid))
    }

    func restore(group rid: UInt32, _ new: Group?) {
        let old = groups[rid]?.name
        if let new { groups.put(new) } else { groups.remove(rid) }
        rename(old, new?.name, .group(rid))
    }

    func restore(alias rid: UInt32, in home: Alias.Home, _ new: Alias?) {
        switch home {
        case .account:
            let old = aliases[rid]?.name
            if let new { aliases.put(new) } else { aliases.remove(rid) }
            rename(old, new?.name, .alias(rid))
        case .builtin:
            if let new { builtinAliases.put(new) } else { builtinAliases.remove(rid) }
        }
    }

    func restore(trust name: String, _ new: Trust?) {
        let folded = Self.fold(name)
        trusts.removeAll { Self.fold($0.name) == folded }
        if let new { trusts.append(new) }
    }

    private func rename(_ old: String?, _ new: String?, _ meaning: Named) {
        if old == new { return }
        if let old {
            let key = Self.fold(old)
            if names[key] == meaning { names[key] = nil }
        }
        if let new { names[Self.fold(new)] = meaning }
    }
}
