import Interfaces
import NTLM
import RPC
import Wire

/// Puts what a primary's deltas say into a backup's domain, as part of a running change.
///
/// Nothing is logged, as the serial numbers are the primary's. What logons here left behind on
/// an account stays; it is not replicated.
struct DeltaApplication {
    let domain: LocalDomain
    let database: DomainDatabase
    let key: Bytes16
    let now: UInt64
    /// Accounts that are to be asked for again.
    let awaited: Set<UInt32>
    /// Objects that could not be taken as they were sent, each to be asked for again.
    private(set) var failed: [ChangeLogEntry] = []
    /// What was told of, so that the rest can go at the end of a full synchronization.
    private var seen = SeenObjects()
    /// The count and time of creation that the database's own delta told.
    private(set) var stamp: DatabaseStamp?

    init(
        _ domain: LocalDomain, _ database: DomainDatabase, key: Bytes16, now: UInt64,
        awaited: Set<UInt32>
    ) {
        self.domain = domain
        self.database = database
        self.key = key
        self.now = now
        self.awaited = awaited
    }

    /// Accounts and groups before who is in which: a page may tell them in another order.
    mutating func apply(_ deltas: [NetlogonDelta]) {
        for delta in deltas where !delta.isMembership { apply(delta) }
        for delta in deltas where delta.isMembership { apply(delta) }
    }

    private mutating func apply(_ delta: NetlogonDelta) {
        switch delta {
        case .domain(_, let content): apply(content)
        case .user(let rid, let content): apply(content, rid)
        case .group(let rid, let content): apply(content, rid)
        case .alias(let rid, let content): apply(content, rid)
        case .groupMembers(let rid, let content): apply(content, rid)
        case .aliasMembers(let rid, let content): apply(content, rid)
        case .deleteUser(let rid), .deleteUserByName(let rid, _): remove(user: rid)
        case .deleteGroup(let rid), .deleteGroupByName(let rid, _): remove(group: rid)
        case .deleteAlias(let rid):
            if domain.alias(rid: rid, in: home) != nil { domain.remove(alias: rid, in: home) }
        case .renameUser(let rid, let content):
            guard var account = domain.accounts[rid], Self.isName(content.newName) else {
                return fail(delta.type, rid)
            }
            account.name = content.newName
            domain.put(account)
        case .renameGroup(let rid, let content):
            guard var group = domain.groups[rid], Self.isName(content.newName) else {
                return fail(delta.type, rid)
            }
            group.name = content.newName
            domain.put(group)
        case .renameAlias(let rid, let content):
            guard let alias = domain.alias(rid: rid, in: home), Self.isName(content.newName)
            else { return fail(delta.type, rid) }
            put(alias, name: content.newName, comment: alias.comment)
        case .policy(let sid, let content):
            stamp = DatabaseStamp(
                serial: content.modifiedID, created: content.databaseCreationTime)
            if !domain.isOfKnownSID { domain.header.sid = content.primaryDomainSID ?? sid }
        case .trustedDomain(let sid, let content): apply(content, sid)
        case .deleteTrustedDomain(let sid):
            if let trust = domain.trusts.first(where: { $0.sid == sid }) {
                domain.remove(trust: trust.name)
            }
        // Privileges and secrets have no place here; a serial number is told beside the deltas.
        case .account, .deleteAccount, .secret, .deleteSecret, .serialNumberSkip: break
        }
    }

    private var home: Alias.Home { database == .builtin ? .builtin : .account }

    /// What could not be taken is there all the same, of whatever kind.
    private mutating func fail(_ type: NetlogonDeltaType, _ rid: UInt32) {
        seen.users.insert(rid)
        seen.groups.insert(rid)
        seen.aliases.insert(rid)
        failed.append(
            ChangeLogEntry(
                serialNumber: 0, objectRID: rid, database: database.rawValue,
                deltaType: UInt8(truncatingIfNeeded: type.rawValue)))
    }

    /// A name of which a record's key can be made, or that a record holds.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf16.count <= LocalDomain.groupNameLimit
    }

    // MARK: The domain

    private mutating func apply(_ content: NetlogonDeltaDomain) {
        stamp = DatabaseStamp(
            serial: content.domainModifiedCount, created: content.domainCreationTime)
        guard database == .sam else { return }
        var header = domain.header
        // Without its comment a domain can be served.
        header.comment = LocalDomain.holds([content.oemInformation]) ? content.oemInformation : ""
        header.policy.forceLogoff = DomainLength.length(content.forceLogoff)
        header.policy.minimumPasswordLength = content.minPasswordLength
        header.policy.passwordHistoryLength = content.passwordHistoryLength
        header.policy.passwordProperties = content.passwordProperties
        header.policy.maximumPasswordAge = DomainLength.length(content.maxPasswordAge)
        header.policy.minimumPasswordAge = DomainLength.length(content.minPasswordAge)
        if let lockout = content.lockout {
            header.policy.lockoutDuration = DomainLength.length(lockout.lockoutDuration)
            header.policy.lockoutWindow = DomainLength.length(lockout.lockoutObservationWindow)
            header.policy.lockoutThreshold = lockout.lockoutThreshold
        }
        domain.header = header
    }

    /// A promoted backup gives out numbers above all that it has seen.
    private func raiseNextRID(above rid: UInt32) {
        if rid >= domain.header.nextRID, rid < 0x3fff_ffff { domain.header.nextRID = rid + 1 }
    }

    // MARK: Users

    private mutating func apply(_ content: NetlogonDeltaUser, _ rid: UInt32) {
        let flags = AccountFlags(rawValue: content.userAccountControl)
        guard content.userID == rid, Self.isName(content.userName),
            let secrets = secrets(content, rid),
            domain.accounts[rid] != nil || domain.accounts.count < LocalDomain.accountLimit
        else { return fail(.addOrChangeUser, rid) }
        var account = domain.accounts[rid]
            ?? Account(rid: rid, name: content.userName, primaryGroupRID: content.primaryGroupID)
        Self.setTexts(content, of: &account)
        guard LocalDomain.holds(account) else { return fail(.addOrChangeUser, rid) }
        if content.primaryGroupID != account.primaryGroupRID {
            account.otherGroupRIDs.removeAll { $0 == content.primaryGroupID }
            account.primaryGroupRID = content.primaryGroupID
        }
        account.logonHours = LogonHours(content.logonHours.hours) ?? .all
        account.accountExpires = content.accountExpires
        account.countryCode = content.countryCode
        account.codePage = content.codePage
        setLockOut(&account, content, flags)
        account.flags = flags.subtracting(.autoLocked)
        account.passwordLastSet = content.passwordExpired != 0 ? 0 : content.passwordLastSet
        account.ntHash = secrets.nt
        account.lmHash = domain.proofs.allowsLM ? secrets.lm : nil
        account.history = secrets.history
        seen.users.insert(rid)
        raiseNextRID(above: rid)
        domain.put(account)
    }

    private static func setTexts(_ content: NetlogonDeltaUser, of account: inout Account) {
        account.name = content.userName
        account.fullName = content.fullName
        account.adminComment = content.adminComment
        account.userComment = content.userComment
        account.homeDirectory = content.homeDirectory
        account.homeDirectoryDrive = content.homeDirectoryDrive
        account.logonScript = content.scriptPath
        account.profilePath = content.profilePath
        account.workstations = content.workStations.split(separator: ",").map { String($0) }
        var parameters = WireWriter(capacity: 2 * content.parameters.utf16.count)
        parameters.utf16LE(content.parameters)
        account.parameters = parameters.finish()
    }

    private func setLockOut(
        _ account: inout Account, _ content: NetlogonDeltaUser, _ flags: AccountFlags
    ) {
        if flags.contains(.autoLocked) {
            if account.lockoutTime == 0 { account.lockoutTime = now }
        } else if account.passwordLastSet != content.passwordLastSet || account.lockoutTime != 0 {
            account.lockoutTime = 0
            account.badPasswordCount = 0
        }
    }

    /// Nil where they cannot be read, or there are two sorts at once.
    private func secrets(_ content: NetlogonDeltaUser, _ rid: UInt32) -> UserSecrets? {
        if content.sensitiveData {
            return try? UserSecrets(sealed: content.privateData, rid: rid, key: key)
        }
        return UserSecrets(
            nt: content.ntPasswordPresent
                ? HashEncryption.decrypt(content.encryptedNTOwfPassword, rid: rid) : nil,
            lm: content.lmPasswordPresent
                ? HashEncryption.decrypt(content.encryptedLMOwfPassword, rid: rid) : nil)
    }

    private func remove(user rid: UInt32) {
        guard domain.accounts[rid] != nil else { return }
        dropFromAliases(rid)
        domain.remove(account: rid)
    }

    // MARK: Groups

    private mutating func apply(_ content: NetlogonDeltaGroup, _ rid: UInt32) {
        guard content.relativeID == rid, Self.isName(content.name),
            LocalDomain.holds([content.adminComment]),
            domain.groups[rid] != nil || domain.groups.count < LocalDomain.groupLimit
        else { return fail(.addOrChangeGroup, rid) }
        var group = domain.groups[rid] ?? Group(rid: rid, name: content.name)
        group.name = content.name
        group.comment = content.adminComment
        group.attributes = content.attributes
        seen.groups.insert(rid)
        raiseNextRID(above: rid)
        domain.put(group)
    }

    /// All members, so that whoever is not among them is none. One that is not known is made in
    /// a later change, which tells the members once more; unless it was to be in this page.
    private mutating func apply(_ content: NetlogonDeltaGroupMembers, _ rid: UInt32) {
        var members = Set(content.members.map { $0.relativeID })
        let missing = failed.contains { members.contains($0.objectRID) }
            || !members.isDisjoint(with: awaited)
        guard domain.groups[rid] != nil, !missing else {
            return fail(.changeGroupMembership, rid)
        }
        for account in domain.accounts.elements {
            let isMember = members.remove(account.rid) != nil
            if account.primaryGroupRID == rid { continue }
            guard isMember != account.otherGroupRIDs.contains(rid) else { continue }
            var changed = account
            if isMember {
                changed.otherGroupRIDs.append(rid)
                changed.otherGroupRIDs.sort()
            } else {
                changed.otherGroupRIDs.removeAll { $0 == rid }
            }
            domain.put(changed)
        }
    }

    private func remove(group rid: UInt32) {
        guard domain.groups[rid] != nil else { return }
        for account in domain.accounts.elements where account.otherGroupRIDs.contains(rid) {
            var changed = account
            changed.otherGroupRIDs.removeAll { $0 == rid }
            domain.put(changed)
        }
        dropFromAliases(rid)
        domain.remove(group: rid)
    }

    // MARK: Aliases

    private mutating func apply(_ content: NetlogonDeltaAlias, _ rid: UInt32) {
        let old = domain.alias(rid: rid, in: home)
        let hasRoom = home == .builtin || domain.aliases.count < LocalDomain.aliasLimit
        guard content.relativeID == rid, Self.isName(content.name),
            LocalDomain.holds([content.comment]), old != nil || hasRoom
        else { return fail(.addOrChangeAlias, rid) }
        seen.aliases.insert(rid)
        if home == .account { raiseNextRID(above: rid) }
        put(
            old ?? Alias(home: home, rid: rid, name: content.name), name: content.name,
            comment: content.comment)
    }

    private func put(_ alias: Alias, name: String, comment: String) {
        var changed = alias
        changed.name = name
        changed.comment = comment
        domain.put(changed)
    }

    private mutating func apply(_ content: NetlogonDeltaAliasMembers, _ rid: UInt32) {
        guard var alias = domain.alias(rid: rid, in: home),
            content.members.count <= Alias.memberLimit
        else { return fail(.changeAliasMembership, rid) }
        alias.members = content.members
        domain.put(alias)
    }

    private func dropFromAliases(_ rid: UInt32) {
        let sid = domain.sid(of: rid)
        for alias in domain.aliases.elements where alias.members.contains(sid) {
            var changed = alias
            changed.members.removeAll { $0 == sid }
            domain.put(changed)
        }
    }

    // MARK: Trusts

    /// One that has no room is left out: nothing here serves it.
    private mutating func apply(_ content: NetlogonDeltaTrustedDomain, _ sid: SID) {
        let name = LocalDomain.fold(content.domainName)
        guard !name.isEmpty, name.utf16.count <= Trust.nameLimit,
            domain.trust(name) != nil || domain.trusts.count < LocalDomain.trustLimit
        else { return }
        seen.trusts.insert(name)
        domain.put(Trust(name: name, sid: sid, direction: .outbound))
    }

    // MARK: The end of a full synchronization

    /// Removes what the primary has not told of, in the kinds of objects of this database.
    func sweep() {
        switch database {
        case .sam:
            for account in domain.accounts.elements where !seen.users.contains(account.rid) {
                remove(user: account.rid)
            }
            for group in domain.groups.elements where !seen.groups.contains(group.rid) {
                remove(group: group.rid)
            }
            for alias in domain.aliases.elements where !seen.aliases.contains(alias.rid) {
                domain.remove(alias: alias.rid, in: .account)
            }
        case .builtin:
            for alias in domain.builtinAliases.elements where !seen.aliases.contains(alias.rid) {
                domain.remove(alias: alias.rid, in: .builtin)
            }
        case .lsa:
            for trust in domain.trusts where !seen.trusts.contains(LocalDomain.fold(trust.name)) {
                domain.remove(trust: trust.name)
            }
        }
    }
}

/// What deltas have told of.
private struct SeenObjects {
    var users: Set<UInt32> = []
    var groups: Set<UInt32> = []
    var aliases: Set<UInt32> = []
    var trusts: Set<String> = []
}

extension NetlogonDelta {
    var isMembership: Bool {
        switch self {
        case .groupMembers, .aliasMembers: true
        case .domain, .group, .deleteGroup, .renameGroup, .user, .deleteUser, .renameUser,
            .alias, .deleteAlias, .renameAlias, .policy, .trustedDomain, .deleteTrustedDomain,
            .account, .deleteAccount, .secret, .deleteSecret, .deleteGroupByName,
            .deleteUserByName, .serialNumberSkip:
            false
        }
    }
}
