import Crypto
import NTLM
import Wire

/// A password on its way into an account.
package struct NewPassword {
    let nt: Bytes16
    let lm: Bytes16?
    /// Characters, where the password itself is known.
    let length: Int?

    /// A password in UTF-8, as people type it.
    package init(_ password: Secret) {
        nt = NTOWF.v1(password: password)
        let text = String(decoding: password.bytes, as: UTF8.self)
        lm = LMOWF.v1(password: text)
        length = text.utf16.count
    }

    /// A password in UTF-16LE, as protocols carry it; a machine's need not be text.
    package init(utf16LE password: Secret) {
        nt = NTOWF.v1(utf16LE: password)
        var units: [UInt16] = []
        units.reserveCapacity(password.bytes.count / 2)
        for index in 0..<(password.bytes.count / 2) {
            units.append(
                UInt16(password.bytes[2 * index]) | UInt16(password.bytes[2 * index + 1]) << 8)
        }
        lm = LMOWF.v1(password: String(decoding: units, as: UTF16.self))
        length = units.count
    }

    /// The hashes of a password that is not known itself.
    package init(nt: Bytes16, lm: Bytes16? = nil) {
        self.nt = nt
        self.lm = lm
        length = nil
    }
}

extension LocalDomain {
    /// Who sets a password: an administrator may set any, its owner is bound by the policy.
    package enum Setter: Equatable, Sendable {
        case administrator
        case owner
    }

    func requirePrimary() throws(DomainError) {
        if role != .primary { throw DomainError(.invalidDomainRole) }
    }

    // MARK: Accounts

    /// Makes an account without a password. `flags` says its kind.
    package func createAccount(
        _ name: String, flags: AccountFlags = .normal
    ) throws(DomainError) -> Account {
        try requirePrimary()
        guard accounts.count < Self.accountLimit else { throw DomainError(.insufficientResources) }
        try check(newName: name, limit: Self.accountNameLimit)
        try check(flags)
        return try change { () throws(DomainError) -> Account in
            let account = Account(
                rid: try takeRID(), name: name, flags: flags.subtracting(.autoLocked),
                primaryGroupRID: Self.primaryGroup(of: flags))
            put(account)
            log(.sam, .changeUser, rid: account.rid)
            logMembers(of: account.primaryGroupRID)
            return account
        }
    }

    private static func primaryGroup(of flags: AccountFlags) -> UInt32 {
        if flags.contains(.workstationTrust) { return WellKnownRID.domainComputers }
        return flags.contains(.serverTrust)
            ? WellKnownRID.domainControllers : WellKnownRID.domainUsers
    }

    private func check(_ flags: AccountFlags) throws(DomainError) {
        // Exactly one bit.
        let kind = flags.intersection(.kinds).rawValue
        if kind == 0 || kind & (kind - 1) != 0 { throw DomainError(.invalidParameter) }
    }

    /// Changes an account as `body` does it: all but its number, password and groups, which have
    /// calls of their own. Another primary group must be one that it is in.
    package func updateAccount(
        _ rid: UInt32, _ body: (inout Account) -> Void
    ) throws(DomainError) {
        try requirePrimary()
        guard let old = accounts[rid] else { throw DomainError(.noSuchUser) }
        var new = old
        body(&new)
        new.otherGroupRIDs = old.otherGroupRIDs
        new.flags.remove(.autoLocked)
        try check(new.flags)
        if !Self.holds(new) { throw DomainError(.invalidParameter) }
        if new.name != old.name {
            try check(newName: new.name, limit: Self.accountNameLimit, replacing: .account(rid))
        }
        if new.primaryGroupRID != old.primaryGroupRID {
            guard let index = old.otherGroupRIDs.firstIndex(of: new.primaryGroupRID) else {
                throw DomainError(.memberNotInGroup)
            }
            new.otherGroupRIDs[index] = old.primaryGroupRID
            new.otherGroupRIDs.sort()
        }
        if new == old { return }
        let isUrgent = new.ntHash != old.ntHash || new.lockoutTime != old.lockoutTime
        try change { () throws(DomainError) in
            put(new)
            if new.name != old.name { log(.sam, .renameUser, rid: rid, name: old.name) }
            log(.sam, .changeUser, flags: isUrgent ? .immediate : [], rid: rid)
        }
    }

    package func deleteAccount(_ rid: UInt32) throws(DomainError) {
        try requirePrimary()
        guard let account = accounts[rid] else { throw DomainError(.noSuchUser) }
        if rid < WellKnownRID.firstFree { throw DomainError(.specialAccount) }
        try change { () throws(DomainError) in
            dropFromAliases(sid(of: rid))
            remove(account: rid)
            log(.sam, .deleteUser, rid: rid, name: account.name)
        }
    }

    /// Bytes of a comment, a path and the like.
    package static let textLimit = 1_024
    /// Of all of an account's: with its parameters, its name, a history of passwords and every
    /// group that there can be, its record stays below the 64 KB that the state takes.
    package static let textsLimit = 16_384
    package static let workstationLimit = 64
    package static let parametersLimit = 8_192

    /// Whether a record holds all that the account says.
    static func holds(_ account: Account) -> Bool {
        let texts = [
            account.fullName, account.adminComment, account.userComment, account.homeDirectory,
            account.homeDirectoryDrive, account.logonScript, account.profilePath,
        ] + account.workstations
        return holds(texts) && texts.reduce(0) { $0 + $1.utf8.count } <= textsLimit
            && account.workstations.count <= workstationLimit
            && account.parameters.count <= parametersLimit
    }

    static func holds(_ texts: [String]) -> Bool {
        texts.allSatisfy { $0.utf8.count <= textLimit }
    }

    func checkTexts(_ texts: [String]) throws(DomainError) {
        if !Self.holds(texts) { throw DomainError(.invalidParameter) }
    }

    // MARK: Passwords

    /// Gives an account a new password. `mustChange`: its owner has to choose another at the next
    /// logon.
    package func setPassword(
        _ rid: UInt32, _ password: NewPassword, by setter: Setter = .administrator,
        mustChange: Bool = false, now: UInt64
    ) throws(DomainError) {
        try requirePrimary()
        guard var account = accounts[rid] else { throw DomainError(.noSuchUser) }
        if !account.isMachine { try check(password, for: account, by: setter, now: now) }
        if let old = account.ntHash {
            // An administrator gives a machine another secret because the old one is worth nothing.
            if setter == .administrator, account.isMachine {
                account.history = []
            } else {
                account.history.insert(old, at: 0)
            }
            let kept = max(Int(policy.passwordHistoryLength), Self.oldHashesKept)
            account.history = Array(account.history.prefix(min(kept, AccountPolicy.historyLimit)))
        }
        account.ntHash = password.nt
        account.lmHash = proofs.allowsLM && !account.isMachine ? password.lm : nil
        account.passwordLastSet = mustChange ? 0 : now
        account.badPasswordCount = 0
        account.lockoutTime = 0
        try change { () throws(DomainError) in
            put(account)
            log(.sam, .changeUser, flags: [.immediate, .changedPassword], rid: rid)
        }
    }

    /// A machine's channel may need the one before; a user's old one, tried again by something
    /// that remembers it, is not a guess.
    static let oldHashesKept = 2

    private func check(
        _ password: NewPassword, for account: Account, by setter: Setter, now: UInt64
    ) throws(DomainError) {
        if let length = password.length, length < policy.minimumPasswordLength {
            throw DomainError(.passwordRestriction)
        }
        guard setter == .owner else { return }
        if account.passwordLastSet != 0, account.passwordLastSet <= now,
            now - account.passwordLastSet < policy.minimumPasswordAge
        {
            throw DomainError(.passwordRestriction)
        }
        let length = Int(policy.passwordHistoryLength)
        guard length > 0 else { return }
        // The current one is the first of the history's (MS-SAMR 3.1.1.9.1).
        let barred = [account.ntHash].compactMap { $0 } + account.history.prefix(length - 1)
        if barred.contains(password.nt) { throw DomainError(.passwordRestriction) }
    }

    /// When an account's password must be changed; zero: at once.
    package func passwordMustChange(_ account: Account) -> UInt64 {
        if account.isMachine || account.flags.contains(.passwordNeverExpires) {
            return DomainTime.never
        }
        if account.passwordLastSet == 0 { return 0 }
        // No age is no limit (MS-SAMR 3.1.5.14.4).
        if policy.maximumPasswordAge == 0 { return DomainTime.never }
        return Self.sum(account.passwordLastSet, policy.maximumPasswordAge)
    }

    package func passwordCanChange(_ account: Account) -> UInt64 {
        account.passwordLastSet == 0
            ? 0 : Self.sum(account.passwordLastSet, policy.minimumPasswordAge)
    }

    /// A length of time after a moment, which is never after `never`.
    static func sum(_ moment: UInt64, _ length: UInt64) -> UInt64 {
        if moment >= DomainTime.never || length >= DomainTime.never - moment {
            return DomainTime.never
        }
        return moment + length
    }

    // MARK: Names and numbers

    /// LM20_UNLEN of the LAN Manager interfaces, which SAM keeps to.
    package static let accountNameLimit = 20
    package static let groupNameLimit = 256

    /// Refuses what is no name, and what is a name already of something else.
    func check(
        newName name: String, limit: Int, replacing own: Named? = nil
    ) throws(DomainError) {
        let refused = Array("\"/\\[]:|<>+=;?,*".utf8)
        var hasMore = false
        for unit in name.utf8 {
            if unit < 32 || refused.contains(unit) { throw DomainError(.invalidAccountName) }
            if unit != 32, unit != UInt8(ascii: ".") { hasMore = true }
        }
        if !hasMore || name.utf16.count > limit { throw DomainError(.invalidAccountName) }
        guard let taken = lookup(name), taken != own else { return }
        switch taken {
        case .account: throw DomainError(.userExists)
        case .group: throw DomainError(.groupExists)
        case .alias: throw DomainError(.aliasExists)
        }
    }

    func takeRID() throws(DomainError) -> UInt32 {
        let rid = header.nextRID
        // As many as fit into 30 bits, as in later SAMs.
        if rid >= 0x3fff_ffff { throw DomainError(.insufficientResources) }
        header.nextRID += 1
        return rid
    }

    // MARK: The domain

    package func setPolicy(_ body: (inout AccountPolicy) -> Void) throws(DomainError) {
        try setHeader {
            body(&$0.policy)
            overrides.apply(to: &$0.policy)
        }
    }

    /// Takes what the host's configuration says of the policy. It holds from now on, of a backup
    /// from its promotion on.
    package func setOverrides(_ new: PolicyOverrides) throws(DomainError) {
        overrides = new
        if role == .primary { try setPolicy { _ in } }
    }

    package func setComment(_ comment: String) throws(DomainError) {
        try setHeader { $0.comment = comment }
    }

    private func setHeader(_ body: (inout DomainHeader) -> Void) throws(DomainError) {
        try requirePrimary()
        var new = header
        body(&new)
        try checkTexts([new.comment, new.replicaSource])
        if new == header { return }
        try change { () throws(DomainError) in
            header = new
            log(.sam, .changeDomain)
        }
    }
}
