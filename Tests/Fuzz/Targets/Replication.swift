import Domain
import Interfaces
import Mailslot
import RPC
import Wire

// What a primary, or who says to be one, may tell a backup.

extension FuzzTarget {
    static let replication: [FuzzTarget] = [
        FuzzTarget("backup-pull", seeds: [Steps.joined(copy())]) { pull($0) },
    ]

    private static let key = Bytes16((0..<16).map { UInt8($0 * 5) })

    private static func backup() -> LocalDomain? {
        LocalDomain.createBackup(name: "GATE") { _ in true }
    }

    /// Answers, announcements, connections and failures, whatever was asked for.
    private static func pull(_ bytes: [UInt8]) {
        guard let domain = backup() else { return }
        let pull = ReplicationPull(domain: domain, now: 0)
        var now: UInt64 = 0
        for step in Steps(bytes) {
            _ = pull.nextRequest(now: now)
            switch step.operation & 7 {
            case 4:
                var reader = WireReader(step.bytes.span, layer: "fuzz")
                if let change = try? AnnounceChange(parsing: &reader) {
                    pull.announced(change, random: UInt64(step.operation), now: now)
                }
            case 5: pull.connected(now: now)
            case 6: pull.failed(now: now)
            case 7: now = max(now, pull.nextDeadline ?? now)
            case _: pull.answered(step.bytes.span, key: key, fileTime: 1, now: now)
            }
            for notice in pull.takeNotices() { precondition(!notice.description.isEmpty) }
        }
        precondition(domain.role == .backup)
        precondition(domain.accounts.count <= LocalDomain.accountLimit)
    }

    /// What a primary answers to a new backup.
    private static func copy() -> [(operation: UInt8, bytes: [UInt8])] {
        let sid = SID(identifierAuthority: 5, subAuthorities: [21, 1, 2, 3])
        guard let domain = backup(),
            let primary = LocalDomain.create(name: "GATE", sid: sid, now: 7, commit: { _ in true })
        else { return [] }
        _ = try? primary.createAccount("anna")
        let source = ReplicationSource(domain: primary, now: 1)
        let pull = ReplicationPull(domain: domain, now: 0)
        let call = DatabaseCall(
            primaryName: "\\\\PDC", computerName: "BDC1", authenticator: NetlogonAuthenticator())
        var steps: [(operation: UInt8, bytes: [UInt8])] = []
        while let request = pull.nextRequest(now: 0), steps.count < 16 {
            let asked = request.stub(call)
            var reader = WireReader(asked.span, layer: "fuzz")
            guard let sync = try? NetrDatabaseSync2.Request(parsing: &reader) else { break }
            var stub = NDRWriter()
            source.sync2(sync, key: key).write(into: &stub)
            let answer = stub.wire.finish()
            pull.answered(answer.span, key: key, fileTime: 1, now: 0)
            steps.append((0, answer))
        }
        return steps
    }
}
