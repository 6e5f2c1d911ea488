import Crypto
import Interfaces
import Mailslot
import RPC
import Testing
import Wire

@testable import Domain

/// A primary's domain, a backup's copy of it, and what travels between them.
final class ReplicationWorld {
    static let key = Bytes16((0..<16).map { UInt8($0 * 5) })

    let primary: World
    var records: [String: [UInt8]] = [:]
    var refusesWrites = false
    private(set) var backup: LocalDomain!
    private(set) var pull: ReplicationPull!
    var now: UInt64 = 1_000
    var fileTime: UInt64 { primary.now }
    /// The requests that were carried, in order.
    private(set) var carried: [PullRequest] = []
    private(set) var notices: [PullNotice] = []
    /// Bytes of a page that the primary gives at most.
    var pageBytes: UInt32 = 65_535
    /// Changes an answer's stub on its way.
    var tampers: ((PullRequest, [UInt8]) -> [UInt8])?

    init(proofs: ProofPolicy = ProofPolicy(), sid: SID? = World.sid) throws {
        primary = World(proofs: proofs)
        backup = LocalDomain.createBackup(
            name: "gate", sid: sid, primary: "pdc", proofs: proofs
        ) { [unowned self] in commit($0) }
        pull = ReplicationPull(domain: backup, now: now)
    }

    private func commit(_ changes: [DomainChange]) -> Bool {
        if refusesWrites { return false }
        for change in changes { records[change.key] = change.content }
        return true
    }

    /// The backup's process ends and begins again.
    func restart() throws {
        var loader = DomainLoader()
        for key in records.keys.sorted() { loader.take(key: key, records[key]!) }
        backup = loader.finish(proofs: ProofPolicy()) { [unowned self] in commit($0) }
        try #require(backup != nil)
        pull = ReplicationPull(domain: backup, now: now)
    }

    static let call = DatabaseCall(
        primaryName: "\\\\PDC", computerName: "BDC1", authenticator: NetlogonAuthenticator())

    /// What the primary answers.
    func answer(_ request: PullRequest) throws -> [UInt8] {
        let bytes = request.stub(Self.call)
        var reader = WireReader(bytes.span, layer: "replication")
        let source = ReplicationSource(domain: source, now: fileTime)
        var stub = NDRWriter()
        switch request.kind {
        case .deltas:
            var deltas = try NetrDatabaseDeltas.Request(parsing: &reader)
            deltas.preferredMaximumLength = pageBytes
            source.deltas(deltas, key: Self.key).write(into: &stub)
        case .sync:
            var sync = try NetrDatabaseSync2.Request(parsing: &reader)
            sync.preferredMaximumLength = pageBytes
            source.sync2(sync, key: Self.key).write(into: &stub)
        case .redo:
            source.redo(try NetrDatabaseRedo.Request(parsing: &reader), key: Self.key)
                .write(into: &stub)
        }
        return stub.wire.finish()
    }

    /// Carries requests until none is due, or `most` were.
    func run(most: Int = 10_000) throws {
        var left = most
        while left > 0, let request = pull.nextRequest(now: now) {
            left -= 1
            carried.append(request)
            var stub = try answer(request)
            if let tampers { stub = tampers(request, stub) }
            deliver(stub)
        }
        notices += pull.takeNotices()
    }

    func deliver(_ stub: [UInt8]) {
        pull.answered(stub.span, key: Self.key, fileTime: fileTime, now: now)
    }

    /// The primary is as it was when its state was `records`.
    func restorePrimary(_ records: [String: [UInt8]]) throws {
        var loader = DomainLoader()
        for key in records.keys.sorted() { loader.take(key: key, records[key]!) }
        original = loader.finish(proofs: ProofPolicy()) { _ in true }
        #expect(original != nil)
    }

    /// What the primary's answers come from.
    var source: LocalDomain { original ?? primary.domain }
    private var original: LocalDomain?

    /// Comes so long after what was before it that it is heeded at once, unless `after` is less.
    func announce(
        after: UInt64 = ReplicationPull.Limit.announced, random: UInt32 = 0,
        serial: UInt64? = nil, created: UInt64? = nil, sid: SID? = nil
    ) {
        now += after
        let domain = source
        let databases = DomainDatabase.allCases.map {
            AnnounceChange.Database(
                index: UInt32($0.rawValue), largeSerialNumber: serial ?? domain.serial(of: $0),
                dateAndTime: created ?? domain.header.created($0))
        }
        pull.announced(
            AnnounceChange(
                lowSerialNumber: 0, dateAndTime: 0, pulse: 300, random: random,
                primaryDCName: "PDC", domainName: "GATE", databases: databases,
                domainSid: sid ?? World.sid),
            random: 3_000_000_500, now: now)
    }

    func forget() {
        carried = []
        notices = []
    }

    /// Where the copy and the original differ, in what is replicated.
    func differences() -> [String] {
        var out: [String] = []
        let domain = source
        func bare(_ account: Account) -> Account {
            var bare = account
            bare.lastLogon = 0
            bare.lastBadPassword = 0
            bare.logonCount = 0
            bare.badPasswordCount = 0
            return bare
        }
        if domain.accounts.elements.map(bare) != backup.accounts.elements.map(bare) {
            out.append("accounts")
        }
        if domain.groups.elements != backup.groups.elements { out.append("groups") }
        if domain.aliases.elements != backup.aliases.elements { out.append("aliases") }
        if domain.builtinAliases.elements != backup.builtinAliases.elements {
            out.append("builtin")
        }
        if domain.policy != backup.policy { out.append("policy") }
        for database in DomainDatabase.allCases
        where domain.stamp(database) != backup.stamp(database) {
            out.append("stamp \(database.rawValue)")
        }
        return out
    }
}
