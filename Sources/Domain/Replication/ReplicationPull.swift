import Interfaces
import Mailslot
import RPC
import Wire

/// A backup's side of replication: what it asks its primary for, and what it does with the
/// answers (MS-NRPC 3.6).
///
/// A core: it is told of announcements, of answers and of the time, and yields one request after
/// the other. A page of an answer is stored whole or not at all; the serial number moves on only
/// when all up to it is there, so that whatever is cut off is asked for again.
package final class ReplicationPull {
    package enum Limit {
        /// Milliseconds between looks at the primary where none of its announcements is heard.
        package static let poll: UInt64 = 300_000
        /// After a failure, doubled with each up to the most.
        package static let firstRetry: UInt64 = 2_000
        package static let lastRetry: UInt64 = 300_000
        /// Objects that are asked for again by themselves; more are a reason to ask for all.
        package static let redos = 64
        /// Deltas of one database, where every object of every kind has one.
        package static let deltas = 300_000
        /// Seconds of a primary's random wait that are believed.
        package static let wait: UInt64 = 120
    }

    private enum Wish: Equatable {
        case nothing
        case deltas
        case whole(FullReason)
    }

    /// One database on its way.
    private struct Progress {
        var wish = Wish.nothing
        var due: UInt64 = 0
        var run: FullRun?
        var redo: [ChangeLogEntry] = []
        /// Where the copy stands once the redos are done.
        var target: DatabaseStamp?
        /// The redos are those of a full synchronization.
        var isWhole = false
    }

    /// A full synchronization, page by page.
    private struct FullRun {
        var context: UInt32 = 0
        var seen = SeenObjects()
        var stamp: DatabaseStamp?
        var deltas = 0

        mutating func take(_ done: DeltaApplication, _ next: UInt32) {
            seen.formUnion(done.seen)
            for entry in done.failed { seen.insert(entry.objectRID) }
            if let told = done.stamp { stamp = told }
            context = next
        }
    }

    private let domain: LocalDomain
    private var progress: InlineArray<3, Progress> = [Progress(), Progress(), Progress()]
    private var inFlight: PullRequest?
    private var failures = 0
    private var retryAt: UInt64 = 0
    private var pollAt: UInt64
    private var notices: [PullNotice] = []
    /// The controller that announced last, else the one that the domain is a copy of.
    package private(set) var primary: String

    /// Everything is looked at once at the start.
    package init(domain: LocalDomain, now: UInt64) {
        self.domain = domain
        primary = LocalDomain.fold(domain.header.replicaSource)
        pollAt = now + Limit.poll
        for database in DomainDatabase.allCases { wishDeltas(database, due: now) }
    }

    // MARK: What is asked

    /// The next request, where one is due and none is on its way.
    package func nextRequest(now: UInt64) -> PullRequest? {
        guard domain.role == .backup, inFlight == nil, now >= retryAt else { return nil }
        if now >= pollAt {
            pollAt = now + Limit.poll
            for database in DomainDatabase.allCases { wishDeltas(database, due: now) }
        }
        for database in DomainDatabase.allCases {
            guard let kind = nextKind(database, now) else { continue }
            let request = PullRequest(database: database, kind: kind)
            inFlight = request
            return request
        }
        return nil
    }

    private func nextKind(_ database: DomainDatabase, _ now: UInt64) -> PullRequest.Kind? {
        let index = Int(database.rawValue)
        if let run = progress[index].run { return .sync(context: run.context) }
        if let entry = progress[index].redo.first { return .redo(entry) }
        guard progress[index].due <= now else { return nil }
        switch progress[index].wish {
        case .nothing: return nil
        case .deltas: return .deltas(since: domain.stamp(database).serial)
        case .whole(let reason):
            notices.append(.begins(database, reason))
            progress[index].run = FullRun()
            return .sync(context: 0)
        }
    }

    /// When `nextRequest` may have something that it has not now.
    package var nextDeadline: UInt64? {
        guard domain.role == .backup, inFlight == nil else { return nil }
        var deadline = pollAt
        for index in 0..<3 {
            if !progress[index].redo.isEmpty || progress[index].run != nil { deadline = 0 }
            if progress[index].wish != .nothing { deadline = min(deadline, progress[index].due) }
        }
        return max(deadline, retryAt)
    }

    package func takeNotices() -> [PullNotice] {
        var taken: [PullNotice] = []
        swap(&taken, &notices)
        return taken
    }

    /// Whether nothing is left to be asked for now.
    package var isIdle: Bool {
        guard inFlight == nil else { return false }
        for index in 0..<3 {
            if progress[index].wish != .nothing || progress[index].run != nil { return false }
            if !progress[index].redo.isEmpty { return false }
        }
        return true
    }

    private func wishDeltas(_ database: DomainDatabase, due: UInt64) {
        let isNew = domain.stamp(database).created == 0
        wish(database, isNew ? .whole(.new) : .deltas, due: due)
    }

    private func wish(_ database: DomainDatabase, _ wish: Wish, due: UInt64) {
        let index = Int(database.rawValue)
        switch progress[index].wish {
        case .nothing:
            progress[index].due = due
            progress[index].wish = wish
        case .deltas:
            progress[index].due = min(progress[index].due, due)
            progress[index].wish = wish
        // Everything is more than anything else.
        case .whole: progress[index].due = min(progress[index].due, due)
        }
    }

    // MARK: What is heard

    /// The primary announced a change. It asks for a random wait, so that its backups do not all
    /// come at once: `random` is any number.
    package func announced(_ change: AnnounceChange, random: UInt64, now: UInt64) {
        let name = LocalDomain.fold(change.unicodeDomainName.description)
        guard name == domain.name, change.domainSid == nil || change.domainSid == domain.sid
        else { return }
        primary = LocalDomain.fold(change.unicodePrimaryDCName.description)
        pollAt = now + Limit.poll
        let most = min(UInt64(change.random), Limit.wait) * 1_000
        let due = now + random % (most + 1)
        for told in change.databases {
            guard let database = UInt8(exactly: told.index).flatMap({
                DomainDatabase(rawValue: $0)
            }) else { continue }
            let own = domain.stamp(database)
            if own.created == 0 {
                wish(database, .whole(.new), due: due)
            } else if told.dateAndTime != own.created {
                wish(database, .whole(.createdAnew), due: due)
            } else if told.largeSerialNumber < own.serial {
                wish(database, .whole(.serialBackwards), due: due)
            } else if told.largeSerialNumber > own.serial {
                wish(database, .deltas, due: due)
            }
        }
    }

    // MARK: What comes back

    /// The call did not come through: it is made again later.
    package func failed(now: UInt64) {
        guard let request = inFlight else { return }
        trouble(request.database, .unreachable, now)
    }

    /// The answer's stub, whose authenticator the channel has checked. `key` is the session key.
    package func answered(_ stub: Span<UInt8>, key: Bytes16, fileTime: UInt64, now: UInt64) {
        guard let request = inFlight else { return }
        let database = request.database
        let answer = PullAnswer(key: key, fileTime: fileTime, now: now)
        var reader = NDRReader(WireReader(stub, layer: "replication"))
        do throws(WireError) {
            switch request.kind {
            case .deltas(let since):
                let response = try NetrDatabaseDeltas.Response(parsing: &reader)
                take(response, since, database, answer)
            case .sync(let context):
                let response = try NetrDatabaseSync2.Response(parsing: &reader)
                take(response, context, database, answer)
            case .redo(let entry):
                let response = try NetrDatabaseRedo.Response(parsing: &reader)
                take(response, entry, database, answer)
            }
        } catch {
            trouble(database, .unreadable(error), now)
        }
    }

    private struct PullAnswer {
        var key: Bytes16
        var fileTime: UInt64
        var now: UInt64
    }

    /// What was stored stays; a synchronization that was broken off begins again.
    private func trouble(_ database: DomainDatabase, _ trouble: PullTrouble, _ now: UInt64) {
        inFlight = nil
        let index = Int(database.rawValue)
        let wish = progress[index].wish
        let again: Wish = progress[index].isWhole ? .whole(.objectRefused) : .deltas
        progress[index] = Progress()
        progress[index].wish = wish == .nothing ? again : wish
        progress[index].due = now
        notices.append(.trouble(database, trouble))
        let wait = Limit.firstRetry << UInt64(min(failures, 8))
        failures += 1
        retryAt = now + min(wait, Limit.lastRetry)
    }

    private func wentWell() {
        inFlight = nil
        failures = 0
    }

    private func startOver(_ database: DomainDatabase, _ reason: FullReason, _ now: UInt64) {
        wentWell()
        let index = Int(database.rawValue)
        progress[index] = Progress()
        wish(database, .whole(reason), due: now)
    }

    // MARK: Deltas

    private func take(
        _ response: NetrDatabaseDeltas.Response, _ since: UInt64, _ database: DomainDatabase,
        _ answer: PullAnswer
    ) {
        if response.status == .synchronizationRequired {
            return startOver(database, .logTooShort, answer.now)
        }
        guard response.status == .success || response.status == .moreEntries else {
            return trouble(database, .refused(response.status), answer.now)
        }
        let serial = response.domainModifiedCount
        if serial < since { return startOver(database, .serialBackwards, answer.now) }
        let deltas = response.deltas?.deltas ?? []
        let hasMore = response.status == .moreEntries
        if hasMore, serial == since { return trouble(database, .endless, answer.now) }
        let target = DatabaseStamp(serial: serial, created: domain.stamp(database).created)
        guard let done = store(deltas, database, answer, sweeping: nil, stamp: target) else {
            return trouble(database, .notWritten, answer.now)
        }
        if let told = done.stamp, told.created != target.created {
            return startOver(database, .createdAnew, answer.now)
        }
        wentWell()
        let index = Int(database.rawValue)
        progress[index].wish = hasMore ? .deltas : .nothing
        progress[index].due = answer.now
        finish(database, done.failed, target, isLast: !hasMore, answer.now)
    }

    /// Stores a page, and with it the stamp where nothing of it failed. Nil: nothing was stored.
    private func store(
        _ deltas: [NetlogonDelta], _ database: DomainDatabase, _ answer: PullAnswer,
        sweeping seen: SeenObjects?, stamp: DatabaseStamp?
    ) -> DeltaApplication? {
        var application = DeltaApplication(
            domain, database, key: answer.key, now: answer.fileTime, awaited: awaited(database))
        do throws(DomainError) {
            try domain.change { () throws(DomainError) in
                application.apply(deltas)
                if var seen {
                    seen.formUnion(application.seen)
                    for entry in application.failed { seen.insert(entry.objectRID) }
                    application.sweep(seen)
                }
                if let stamp, application.failed.isEmpty { domain.setStamp(database, stamp) }
            }
        } catch {
            return nil
        }
        return application
    }

    /// The accounts that failed in pages before and are not in this one.
    private func awaited(_ database: DomainDatabase) -> Set<UInt32> {
        var waiting = progress[Int(database.rawValue)].redo[...]
        if case .redo = inFlight?.kind { waiting = waiting.dropFirst() }
        let user = UInt8(NetlogonDeltaType.addOrChangeUser.rawValue)
        return Set(waiting.filter { $0.deltaType == user }.map { $0.objectRID })
    }

    private func finish(
        _ database: DomainDatabase, _ failed: [ChangeLogEntry], _ target: DatabaseStamp,
        isLast: Bool, _ now: UInt64
    ) {
        let index = Int(database.rawValue)
        if failed.count > Limit.redos { return refusedObject(database, now) }
        if !failed.isEmpty {
            progress[index].redo = failed
            progress[index].target = target
        } else if isLast {
            notices.append(.current(database, serial: target.serial))
        }
    }

    // MARK: All of a database

    private func take(
        _ response: NetrDatabaseSync2.Response, _ context: UInt32, _ database: DomainDatabase,
        _ answer: PullAnswer
    ) {
        let index = Int(database.rawValue)
        guard response.status == .success || response.status == .moreEntries else {
            return trouble(database, .refused(response.status), answer.now)
        }
        guard var run = progress[index].run else { return wentWell() }
        let deltas = response.deltas?.deltas ?? []
        let hasMore = response.status == .moreEntries
        run.deltas += deltas.count
        if hasMore, deltas.isEmpty || response.syncContext == context || run.deltas > Limit.deltas {
            return trouble(database, .endless, answer.now)
        }
        if hasMore {
            guard let done = store(deltas, database, answer, sweeping: nil, stamp: nil) else {
                return trouble(database, .notWritten, answer.now)
            }
            run.take(done, response.syncContext)
            progress[index].redo += done.failed
            progress[index].run = run
            // Redos wait for the last page: what an object lacks may be in a later one.
            return wentWell()
        }
        takeLast(deltas, run, database, answer)
    }

    private func takeLast(
        _ deltas: [NetlogonDelta], _ run: FullRun, _ database: DomainDatabase,
        _ answer: PullAnswer
    ) {
        guard let stamp = run.stamp ?? Self.stamp(in: deltas) else {
            return trouble(database, .incomplete, answer.now)
        }
        let index = Int(database.rawValue)
        let pending = progress[index].redo
        guard let done = store(
            deltas, database, answer, sweeping: run.seen,
            stamp: pending.isEmpty ? stamp : nil)
        else { return trouble(database, .notWritten, answer.now) }
        wentWell()
        progress[index] = Progress()
        progress[index].isWhole = true
        finish(database, pending + done.failed, stamp, isLast: true, answer.now)
        if progress[index].redo.isEmpty { progress[index].isWhole = false }
    }

    private static func stamp(in deltas: [NetlogonDelta]) -> DatabaseStamp? {
        for delta in deltas {
            switch delta {
            case .domain(_, let content):
                return DatabaseStamp(
                    serial: content.domainModifiedCount, created: content.domainCreationTime)
            case .policy(_, let content):
                return DatabaseStamp(
                    serial: content.modifiedID, created: content.databaseCreationTime)
            case _: continue
            }
        }
        return nil
    }

    // MARK: One object

    /// What could not be taken twice is asked for with all the rest, and after that later.
    private func refusedObject(_ database: DomainDatabase, _ now: UInt64) {
        if progress[Int(database.rawValue)].isWhole { return trouble(database, .incomplete, now) }
        startOver(database, .objectRefused, now)
    }

    private func take(
        _ response: NetrDatabaseRedo.Response, _ entry: ChangeLogEntry,
        _ database: DomainDatabase, _ answer: PullAnswer
    ) {
        let index = Int(database.rawValue)
        guard response.status == .success, let target = progress[index].target else {
            return trouble(database, .refused(response.status), answer.now)
        }
        let isLast = progress[index].redo.count == 1
        guard let done = store(
            response.deltas?.deltas ?? [], database, answer, sweeping: nil,
            stamp: isLast ? target : nil)
        else { return trouble(database, .notWritten, answer.now) }
        guard done.failed.isEmpty else { return refusedObject(database, answer.now) }
        wentWell()
        progress[index].redo.removeFirst()
        guard isLast else { return }
        progress[index].target = nil
        progress[index].isWhole = false
        if progress[index].wish == .nothing {
            notices.append(.current(database, serial: target.serial))
        }
    }
}

extension SeenObjects {
    /// Something with that number is there, of whatever kind.
    mutating func insert(_ rid: UInt32) {
        users.insert(rid)
        groups.insert(rid)
        aliases.insert(rid)
    }
}
