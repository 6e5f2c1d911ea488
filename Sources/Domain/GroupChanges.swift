import Wire

extension LocalDomain {
    // MARK: Groups

    package func createGroup(_ name: String) throws(DomainError) -> Group {
        try requirePrimary()
        guard groups.count < Self.groupLimit else { throw DomainError(.insufficientResources) }
        try check(newName: name, limit: Self.groupNameLimit)
        return try change { () throws(DomainError) -> Group in
            let group = Group(rid: try takeRID(), name: name)
            put(group)
            log(.sam, .changeGroup, rid: group.rid)
            return group
        }
    }

    package func updateGroup(
        _ rid: UInt32, _ body: (inout Group) -> Void
    ) throws(DomainError) {
        try requirePrimary()
        guard let old = groups[rid] else { throw DomainError(.noSuchGroup) }
        var new = old
        body(&new)
        if new == old { return }
        try checkTexts([new.comment])
        if new.name != old.name {
            try check(newName: new.name, limit: Self.groupNameLimit, replacing: .group(rid))
        }
        try change { () throws(DomainError) in
            put(new)
            if new.name != old.name { log(.sam, .renameGroup, rid: rid, name: old.name) }
            log(.sam, .changeGroup, rid: rid)
        }
    }

    /// Only a group without members can go.
    package func deleteGroup(_ rid: UInt32) throws(DomainError) {
        try requirePrimary()
        guard let group = groups[rid] else { throw DomainError(.noSuchGroup) }
        if rid < WellKnownRID.firstFree { throw DomainError(.specialGroup) }
        if accounts.elements.contains(where: { $0.isMember(of: rid) }) {
            throw DomainError(.memberInGroup)
        }
        try change { () throws(DomainError) in
            dropFromAliases(sid(of: rid))
            remove(group: rid)
            log(.sam, .deleteGroup, rid: rid, name: group.name)
        }
    }

    package func addMember(_ account: UInt32, to group: UInt32) throws(DomainError) {
        try requirePrimary()
        guard groups[group] != nil else { throw DomainError(.noSuchGroup) }
        guard var member = accounts[account] else { throw DomainError(.noSuchUser) }
        if member.isMember(of: group) { throw DomainError(.memberInGroup) }
        guard member.otherGroupRIDs.count < Self.membershipLimit else {
            throw DomainError(.insufficientResources)
        }
        member.otherGroupRIDs.append(group)
        member.otherGroupRIDs.sort()
        try putMember(member, group)
    }

    /// The primary group cannot be left.
    package func removeMember(_ account: UInt32, from group: UInt32) throws(DomainError) {
        try requirePrimary()
        guard groups[group] != nil else { throw DomainError(.noSuchGroup) }
        guard var member = accounts[account] else { throw DomainError(.noSuchUser) }
        if member.primaryGroupRID == group { throw DomainError(.membersPrimaryGroup) }
        guard let index = member.otherGroupRIDs.firstIndex(of: group) else {
            throw DomainError(.memberNotInGroup)
        }
        member.otherGroupRIDs.remove(at: index)
        try putMember(member, group)
    }

    /// Groups that one account is in beside its primary one.
    package static let membershipLimit = 2_048

    private func putMember(_ member: Account, _ group: UInt32) throws(DomainError) {
        try change { () throws(DomainError) in
            put(member)
            logMembers(of: group)
        }
    }

    // MARK: Aliases

    package func createAlias(_ name: String) throws(DomainError) -> Alias {
        try requirePrimary()
        guard aliases.count < Self.aliasLimit else { throw DomainError(.insufficientResources) }
        try check(newName: name, limit: Self.groupNameLimit)
        return try change { () throws(DomainError) -> Alias in
            let alias = Alias(home: .account, rid: try takeRID(), name: name)
            put(alias)
            log(.sam, .changeAlias, rid: alias.rid)
            return alias
        }
    }

    package func updateAlias(
        _ rid: UInt32, in home: Alias.Home, _ body: (inout Alias) -> Void
    ) throws(DomainError) {
        try requirePrimary()
        guard let old = alias(rid: rid, in: home) else { throw DomainError(.noSuchAlias) }
        var new = old
        body(&new)
        new.members = old.members
        if new == old { return }
        try checkTexts([new.comment])
        if new.name != old.name {
            if home == .builtin { throw DomainError(.specialGroup) }
            try check(newName: new.name, limit: Self.groupNameLimit, replacing: .alias(rid))
        }
        try change { () throws(DomainError) in
            put(new)
            if new.name != old.name {
                log(Self.database(home), .renameAlias, rid: rid, name: old.name)
            }
            log(Self.database(home), .changeAlias, rid: rid)
        }
    }

    package func deleteAlias(_ rid: UInt32, in home: Alias.Home) throws(DomainError) {
        try requirePrimary()
        guard let alias = alias(rid: rid, in: home) else { throw DomainError(.noSuchAlias) }
        if home == .builtin { throw DomainError(.specialGroup) }
        try change { () throws(DomainError) in
            remove(alias: rid, in: home)
            log(Self.database(home), .deleteAlias, rid: rid, name: alias.name)
        }
    }

    package func addMember(
        _ sid: SID, toAlias rid: UInt32, in home: Alias.Home
    ) throws(DomainError) {
        try requirePrimary()
        guard var alias = alias(rid: rid, in: home) else { throw DomainError(.noSuchAlias) }
        if alias.members.contains(sid) { throw DomainError(.memberInAlias) }
        // One of ours must be there.
        if sid.domain == header.sid, let member = sid.relativeIdentifier,
            lookup(rid: member) == nil
        {
            throw DomainError(.noSuchMember)
        }
        guard alias.members.count < Alias.memberLimit else {
            throw DomainError(.insufficientResources)
        }
        alias.members.append(sid)
        try putMembers(alias)
    }

    package func removeMember(
        _ sid: SID, fromAlias rid: UInt32, in home: Alias.Home
    ) throws(DomainError) {
        try requirePrimary()
        guard var alias = alias(rid: rid, in: home) else { throw DomainError(.noSuchAlias) }
        guard let index = alias.members.firstIndex(of: sid) else {
            throw DomainError(.memberNotInAlias)
        }
        alias.members.remove(at: index)
        try putMembers(alias)
    }

    private func putMembers(_ alias: Alias) throws(DomainError) {
        try change { () throws(DomainError) in
            put(alias)
            log(Self.database(alias.home), .changeAliasMembers, rid: alias.rid)
        }
    }

    /// Takes what is deleted out of all aliases, as part of the running change.
    func dropFromAliases(_ sid: SID) {
        for var alias in aliases.elements + builtinAliases.elements
        where alias.members.contains(sid) {
            alias.members.removeAll { $0 == sid }
            put(alias)
            log(Self.database(alias.home), .changeAliasMembers, rid: alias.rid)
        }
    }

    static func database(_ home: Alias.Home) -> DomainDatabase {
        home == .account ? .sam : .builtin
    }

    // MARK: Trusts

    /// Adds a trust, or changes the one of that name.
    package func setTrust(_ trust: Trust) throws(DomainError) {
        try requirePrimary()
        if self.trust(trust.name) == trust { return }
        if self.trust(trust.name) == nil, trusts.count >= Self.trustLimit {
            throw DomainError(.insufficientResources)
        }
        try change { () throws(DomainError) in
            put(trust)
            log(.lsa, .changeTrust, name: trust.name, sid: trust.sid)
        }
    }

    package func removeTrust(_ name: String) throws(DomainError) {
        try requirePrimary()
        guard let trust = trust(name) else { throw DomainError(.noSuchDomain) }
        try change { () throws(DomainError) in
            remove(trust: trust.name)
            log(.lsa, .deleteTrust, name: trust.name, sid: trust.sid)
        }
    }
}
