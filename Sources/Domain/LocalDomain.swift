import Crypto
import NTLM
import Wire

/// One record that a change wrote, or removed where it has no content.
package struct DomainChange {
    package let key: String
    package let content: [UInt8]?
}

/// The embedded domain: its accounts, groups, aliases and trusts in memory, each of which is a
/// record of the state too.
///
/// Every change is whole or not at all: its records are handed to `commit`, and where that says
/// no, memory is as it was before. Each change has serial numbers in the change log, by which
/// backup controllers follow.
package final class LocalDomain {
    package typealias Commit = ([DomainChange]) -> Bool

    package static let accountLimit = 100_000
    package static let groupLimit = 5_000
    package static let aliasLimit = 5_000
    package static let trustLimit = 128

    /// What a name stands for: accounts, groups and aliases have one name space.
    package enum Named: Equatable {
        case account(UInt32)
        case group(UInt32)
        case alias(UInt32)
    }

    package internal(set) var header: DomainHeader
    package internal(set) var accounts = RIDTable<Account>()
    package internal(set) var groups = RIDTable<Group>()
    /// The domain's own aliases.
    package internal(set) var aliases = RIDTable<Alias>()
    /// Those of `S-1-5-32`.
    package internal(set) var builtinAliases = RIDTable<Alias>()
    package internal(set) var trusts: [Trust] = []
    package let proofs: ProofPolicy
    var logs: InlineArray<3, ChangeLog> = [ChangeLog(), ChangeLog(), ChangeLog()]
    var names: [String: Named] = [:]
    /// Accounts whose record is behind what logons left in memory.
    private var unsaved: Set<UInt32> = []
    var edit = Edit()
    private let commit: Commit
    /// Is told that changes were logged, once for each that was kept.
    package var onLogged: (() -> Void)?

    /// A domain without content; see `create` and `DomainLoader`.
    init(header: DomainHeader, proofs: ProofPolicy, commit: @escaping Commit) {
        self.header = header
        self.proofs = proofs
        self.commit = commit
    }

    package var name: String { header.name }
    package var sid: SID { header.sid }
    package var role: DomainRole { header.role }
    package var policy: AccountPolicy { header.policy }

    // MARK: Looking up

    /// The form in which names are compared.
    package static func fold(_ name: String) -> String { UpperCase.text(name) }

    package func lookup(_ name: String) -> Named? { names[Self.fold(name)] }

    package func lookup(rid: UInt32) -> Named? {
        if accounts[rid] != nil { return .account(rid) }
        if groups[rid] != nil { return .group(rid) }
        return aliases[rid] == nil ? nil : .alias(rid)
    }

    package func account(_ name: String) -> Account? {
        guard case .account(let rid) = lookup(name) else { return nil }
        return accounts[rid]
    }

    package func group(_ name: String) -> Group? {
        guard case .group(let rid) = lookup(name) else { return nil }
        return groups[rid]
    }

    package func alias(_ name: String, in home: Alias.Home = .account) -> Alias? {
        switch home {
        case .account:
            guard case .alias(let rid) = lookup(name) else { return nil }
            return aliases[rid]
        case .builtin:
            let folded = Self.fold(name)
            return builtinAliases.elements.first { Self.fold($0.name) == folded }
        }
    }

    package func alias(rid: UInt32, in home: Alias.Home) -> Alias? {
        switch home {
        case .account: aliases[rid]
        case .builtin: builtinAliases[rid]
        }
    }

    package func trust(_ name: String) -> Trust? {
        let folded = Self.fold(name)
        return trusts.first { Self.fold($0.name) == folded }
    }

    /// The numbers of a group's members, in order.
    package func members(of group: UInt32) -> [UInt32] {
        var members: [UInt32] = []
        for account in accounts.elements where account.isMember(of: group) {
            members.append(account.rid)
        }
        return members
    }

    /// The aliases that have one of `sids` as a member: of the domain, or of `S-1-5-32`.
    package func aliases(of sids: [SID], in home: Alias.Home) -> [UInt32] {
        let table = home == .account ? aliases : builtinAliases
        var found: [UInt32] = []
        for alias in table.elements where alias.members.contains(where: { sids.contains($0) }) {
            found.append(alias.rid)
        }
        return found
    }

    package func sid(of rid: UInt32) -> SID {
        guard let sid = header.sid.appending(rid) else {
            preconditionFailure("a domain's SID with 15 sub-authorities")
        }
        return sid
    }

    // MARK: The change log

    package func serial(of database: DomainDatabase) -> UInt64 { header.serial(of: database) }

    /// The changes after `serial`; nil where the log does not reach back to it, or `serial` is
    /// none of ours: the other side then needs everything.
    package func changes(
        in database: DomainDatabase, after serial: UInt64
    ) -> ArraySlice<ChangeEntry>? {
        logs[Int(database.rawValue)].after(serial, current: header.serial(of: database))
    }

    // MARK: Changing

    /// Runs `body`, whose changes then are kept together, or not at all where it throws or they
    /// cannot be written. Within another `change` they become part of that one; thrown out of
    /// this one only its own are undone.
    package func change<Result>(
        _ body: () throws(DomainError) -> Result
    ) throws(DomainError) -> Result {
        let before = edit.savepoint(header)
        edit.depth += 1
        defer { edit.depth -= 1 }
        do throws(DomainError) {
            let result = try body()
            if edit.depth == 1, !finish() { throw DomainError(.internalError) }
            return result
        } catch {
            rollBack(to: before)
            throw error
        }
    }

    /// Writes what the running change touched. Says whether that worked.
    private func finish() -> Bool {
        for group in edit.memberships { log(.sam, .changeGroupMembers, rid: group) }
        var records = changedRecords()
        defer { edit.clear() }
        guard !records.isEmpty else { return true }
        let done = write(&records)
        if done {
            for entry in edit.entries {
                logs[Int(entry.database.rawValue)].append(entry)
            }
            for case .account(let rid, _) in edit.undo { unsaved.remove(rid) }
            if !edit.entries.isEmpty { onLogged?() }
        } else {
            rollBack(to: edit.beginning)
        }
        return done
    }

    private func write(_ records: inout [DomainChange]) -> Bool {
        let done = commit(records)
        records.removeAll()
        return done
    }

    /// Notes that the account's record is behind what a logon left in memory.
    func keepInMemory(_ account: Account) {
        accounts.put(account)
        unsaved.insert(account.rid)
    }

    /// Writes what logons left behind since the last time. Says whether that worked; where not,
    /// it is tried again with the next.
    @discardableResult
    package func saveStatistics() -> Bool {
        var records: [DomainChange] = []
        for rid in unsaved {
            if let account = accounts[rid] { records.append(account.record) }
        }
        guard records.isEmpty || write(&records) else { return false }
        unsaved.removeAll()
        return true
    }

    package var hasUnsavedStatistics: Bool { !unsaved.isEmpty }
}
