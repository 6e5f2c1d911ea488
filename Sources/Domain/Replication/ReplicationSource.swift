import Interfaces
import RPC
import Wire

/// The primary's side of replication (MS-NRPC 3.5.4.6): what a backup controller that pulls is
/// given at one moment. It is stateless: where a full synchronization goes on, the caller says.
///
/// Responses lack the return authenticator, which is the secure channel's to add.
package struct ReplicationSource {
    /// The longest page, whatever a backup prefers.
    package static let mostBytes = 65_535
    /// The most deltas of a page.
    package static let mostDeltas = 4_096

    private let domain: LocalDomain

    /// As a FILETIME.
    private let now: UInt64

    package init(domain: LocalDomain, now: UInt64) {
        self.domain = domain
        self.now = now
    }

    // MARK: Deltas

    /// The changes since the serial number that the backup has. `key` seals the passwords.
    package func deltas(
        _ request: NetrDatabaseDeltas.Request, key: Bytes16
    ) -> NetrDatabaseDeltas.Response {
        let since = request.domainModifiedCount
        func refused(_ status: NTStatus) -> NetrDatabaseDeltas.Response {
            NetrDatabaseDeltas.Response(
                domainModifiedCount: since, deltas: nil, status: status)
        }
        guard domain.role == .primary else { return refused(.invalidDomainRole) }
        guard let database = Self.database(request.databaseID) else {
            return refused(.invalidLevel)
        }
        guard let entries = domain.changes(in: database, after: since) else {
            return refused(.synchronizationRequired)
        }
        let objects = DomainDeltas(domain: domain, key: key, now: now)
        var page = DeltaPage(preferred: request.preferredMaximumLength)
        var last = since
        for entry in entries {
            guard page.take(objects.deltas(entry)) else { break }
            last = entry.serial
        }
        return NetrDatabaseDeltas.Response(
            domainModifiedCount: last, deltas: NetlogonDeltaArray(page.finish()),
            status: last == domain.serial(of: database) ? .success : .moreEntries)
    }

    // MARK: The whole database

    package func sync(
        _ request: NetrDatabaseSync.Request, key: Bytes16
    ) -> NetrDatabaseSync.Response {
        sync(
            request.databaseID, SyncPlace(context: request.syncContext),
            request.preferredMaximumLength, key)
    }

    package func sync2(
        _ request: NetrDatabaseSync2.Request, key: Bytes16
    ) -> NetrDatabaseSync.Response {
        sync(
            request.databaseID,
            SyncPlace(restart: request.restartState, context: request.syncContext),
            request.preferredMaximumLength, key)
    }

    private func sync(
        _ id: NetlogonDatabase, _ start: SyncPlace, _ preferred: UInt32, _ key: Bytes16
    ) -> NetrDatabaseSync.Response {
        func refused(_ status: NTStatus) -> NetrDatabaseSync.Response {
            NetrDatabaseSync.Response(
                syncContext: start.context, deltas: nil, status: status)
        }
        guard domain.role == .primary else { return refused(.invalidDomainRole) }
        guard let database = Self.database(id) else { return refused(.invalidLevel) }
        var page = DeltaPage(preferred: preferred)
        var place = start
        let objects = DomainDeltas(domain: domain, key: key, now: now)
        let isWhole: Bool
        switch database {
        case .sam: isWhole = fillAccounts(&page, &place, objects)
        case .builtin: isWhole = fillBuiltin(&page, &place, objects)
        case .lsa:
            // A policy and some trusts: one page takes them all.
            page.force([objects.policy()] + domain.trusts.compactMap { objects.trust($0) })
            isWhole = true
        }
        return NetrDatabaseSync.Response(
            syncContext: isWhole ? 0 : place.context, deltas: NetlogonDeltaArray(page.finish()),
            status: isWhole ? .success : .moreEntries)
    }

    private func fillAccounts(
        _ page: inout DeltaPage, _ place: inout SyncPlace, _ objects: DomainDeltas
    ) -> Bool {
        if place == .beginning { page.force([objects.domainDelta(.sam)]) }
        if place.phase == .groups {
            for group in domain.groups.after(place.last) {
                guard page.take([objects.group(group)]) else { return false }
                place.last = group.rid
            }
            place = SyncPlace(.users)
        }
        if place.phase == .users {
            for account in domain.accounts.after(place.last) {
                guard page.take([objects.user(account)]) else { return false }
                place.last = account.rid
            }
            place = SyncPlace(.members)
        }
        if place.phase == .members {
            for group in domain.groups.after(place.last) {
                guard page.take([objects.members(group)]) else { return false }
                place.last = group.rid
            }
            place = SyncPlace(.aliases)
        }
        return fill(domain.aliases, &page, &place, objects)
    }

    private func fillBuiltin(
        _ page: inout DeltaPage, _ place: inout SyncPlace, _ objects: DomainDeltas
    ) -> Bool {
        if place == .beginning { page.force([objects.domainDelta(.builtin)]) }
        if place.phase != .aliases { place = SyncPlace(.aliases) }
        return fill(domain.builtinAliases, &page, &place, objects)
    }

    /// Each alias with its members.
    private func fill(
        _ aliases: RIDTable<Alias>, _ page: inout DeltaPage, _ place: inout SyncPlace,
        _ objects: DomainDeltas
    ) -> Bool {
        for alias in aliases.after(place.last) {
            guard page.take([objects.alias(alias), objects.members(alias)]) else { return false }
            place.last = alias.rid
        }
        return true
    }

    // MARK: One object

    /// The object of a change as it is now; that it is gone, if it is.
    package func redo(
        _ request: NetrDatabaseRedo.Request, key: Bytes16
    ) -> NetrDatabaseRedo.Response {
        guard domain.role == .primary else {
            return NetrDatabaseRedo.Response(deltas: nil, status: .invalidDomainRole)
        }
        let entry = request.entry
        guard let database = DomainDatabase(rawValue: entry.database) else {
            return NetrDatabaseRedo.Response(deltas: nil, status: .invalidLevel)
        }
        var name = ""
        var sid: SID?
        switch entry.object {
        case .rid: break
        case .sid(let value): sid = value
        case .name(let value): name = value
        }
        if name.isEmpty, let trusted = sid {
            name = domain.trusts.first { $0.sid == trusted }?.name ?? ""
        }
        let logged = ChangeEntry(
            serial: entry.serialNumber, database: database,
            type: DeltaType(rawValue: entry.deltaType), rid: entry.objectRID, name: name,
            sid: sid)
        var deltas = DomainDeltas(domain: domain, key: key, now: now).deltas(logged)
        if deltas.isEmpty { deltas = Self.deletion(logged) }
        return NetrDatabaseRedo.Response(deltas: NetlogonDeltaArray(deltas))
    }

    private static func deletion(_ entry: ChangeEntry) -> [NetlogonDelta] {
        switch entry.type {
        case .changeUser, .renameUser: return [.deleteUser(rid: entry.rid)]
        case .changeGroup, .renameGroup, .changeGroupMembers:
            return [.deleteGroup(rid: entry.rid)]
        case .changeAlias, .renameAlias, .changeAliasMembers:
            return [.deleteAlias(rid: entry.rid)]
        case .changeTrust: return entry.sid.map { [.deleteTrustedDomain(sid: $0)] } ?? []
        case _: return []
        }
    }

    // MARK: LAN Manager

    /// What Windows NT answers: its LAN Manager backups pull over SMB. The buffer is as long as
    /// its caller said, within reason.
    package func accountDeltas(
        _ request: NetrAccountDeltas.Request
    ) -> NetrAccountDeltas.Response {
        NetrAccountDeltas.Response(
            buffer: Self.buffer(request.bufferSize), nextRecordID: request.recordID,
            status: .notImplemented)
    }

    package func accountSync(_ request: NetrAccountSync.Request) -> NetrAccountSync.Response {
        NetrAccountSync.Response(
            buffer: Self.buffer(request.bufferSize), status: .notImplemented)
    }

    private static func buffer(_ size: UInt32) -> [UInt8] {
        [UInt8](repeating: 0, count: min(Int(size), NetrAccountDeltas.maximumBuffer))
    }

    static func database(_ id: NetlogonDatabase) -> DomainDatabase? {
        UInt8(exactly: id.rawValue).flatMap { DomainDatabase(rawValue: $0) }
    }
}

/// Where a full synchronization of the accounts goes on: the kind of objects, and the relative
/// identifier of the last one given. As a context, two bits and thirty, as many as a RID has.
struct SyncPlace: Equatable {
    enum Phase: UInt32 { case groups, users, members, aliases }

    static let beginning = SyncPlace(.groups)

    var phase: Phase
    var last: UInt32

    init(_ phase: Phase, after last: UInt32 = 0) {
        self.phase = phase
        self.last = last
    }

    init(context: UInt32) {
        phase = Phase(rawValue: context >> 30) ?? .groups
        last = context & 0x3fff_ffff
    }

    /// After a broken connection a backup names the kind that it was at, and its last RID
    /// (MS-NRPC 3.5.4.6.2).
    init(restart: NetlogonSyncState, context: UInt32) {
        switch restart {
        case .normal: self.init(context: context)
        case .group, .uasBuiltinGroup: self.init(.groups, after: context)
        case .user: self.init(.users, after: context)
        case .groupMember: self.init(.members, after: context)
        case .alias, .aliasMember: self.init(.aliases, after: context)
        case _: self = .beginning
        }
    }

    var context: UInt32 { phase.rawValue << 30 | last & 0x3fff_ffff }
}

/// The deltas of one answer, while it is filled: as long as the backup prefers, but never empty
/// where there is something. Of several that say the same of one object, the last one stays, and
/// what says who is a member comes behind all objects that it may name: a backup takes a delta as
/// it comes, and has to know them (deltas tell objects as they are now, not as they were).
struct DeltaPage {
    private var deltas: [NetlogonDelta] = []
    private var left: Int
    /// Deltas that are there in any case, beside which one more must have room.
    private var forced = 0

    init(preferred: UInt32) {
        left = min(Int(clamping: preferred), ReplicationSource.mostBytes)
    }

    mutating func force(_ more: [NetlogonDelta]) {
        for delta in more { left -= delta.size }
        deltas += more
        forced += more.count
    }

    /// Takes all of `more`, or says that there is no more room.
    mutating func take(_ more: [NetlogonDelta]) -> Bool {
        let size = more.reduce(0) { $0 + $1.size }
        let isFull = size > left || deltas.count + more.count > ReplicationSource.mostDeltas
        if isFull, deltas.count > forced, !more.isEmpty { return false }
        left -= size
        deltas += more
        return true
    }

    consuming func finish() -> [NetlogonDelta] {
        var seen: Set<NetlogonDelta.Subject> = []
        var kept: [NetlogonDelta] = []
        for delta in deltas.reversed() {
            if let subject = delta.subject, !seen.insert(subject).inserted { continue }
            kept.append(delta)
        }
        kept.reverse()
        return kept.filter { !$0.isMembership } + kept.filter { $0.isMembership }
    }
}
