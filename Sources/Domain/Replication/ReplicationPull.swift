import Interfaces
import Mailslot
import RPC
import Wire

/// A backup's side of replication: what it asks its primary for, and what it does with the
/// answers (MS-NRPC 3.6).
///
/// A core: it is told of connections, of announcements, of answers and of the time, and yields one
/// request after the other. An answer is stored whole or not at all, and so are all the pages of a
/// database that is copied whole; the serial number moves on with what is stored, so that whatever
/// is cut off is asked for again.
///
/// Announcements prove nothing: what they say only leads to a question. Which domain it is and
/// when its databases were made, LSA's policy says, which is asked for first on each connection.
package final class ReplicationPull {
    package enum Limit {
        /// Milliseconds between looks at the primary where none of its announcements is heard.
        package static let poll: UInt64 = 300_000
        /// After a failure, doubled with each up to the most.
        package static let firstRetry: UInt64 = 2_000
        package static let lastRetry: UInt64 = 300_000
        /// The least from one question about a database to the next that an announcement prompts:
        /// anybody can announce any number of changes.
        package static let announced: UInt64 = 1_000
        /// The longest pause after a new connection.
        package static let reconnection: UInt64 = 10_000
        /// Objects that are asked for again by themselves; more are a reason to ask for all.
        package static let redos = 64
        /// Deltas of one database, where every object of every kind has one, and bytes of them.
        package static let deltas = 300_000
        package static let bytes = 256 << 20
        /// Seconds of a primary's random wait that are believed.
        package static let wait: UInt64 = 120
    }

    private enum Wish: Equatable {
        case nothing
        case deltas
        /// `isHint`: what the primary answers may show that there is no need.
        case whole(FullReason, isHint: Bool)
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

    /// A full synchronization, page by page, of which nothing is stored before the last one.
    private struct FullRun {
        var reason: FullReason
        var isHint: Bool
        var context: UInt32 = 0
        var deltas: [NetlogonDelta] = []
        var bytes = 0
        var stamp: DatabaseStamp?
    }

    /// LSA's first: it says whose databases they are.
    private static var order: InlineArray<3, DomainDatabase> { [.lsa, .sam, .builtin] }

    private let domain: LocalDomain
    private var progress: InlineArray<3, Progress> = [Progress(), Progress(), Progress()]
    private var inFlight: PullRequest?
    private var failures = 0
    private var retryAt: UInt64 = 0
    private var pollAt: UInt64
    private var notices: [PullNotice] = []
    /// The serial numbers that were last said to be reached.
    private var told: InlineArray<3, UInt64> = [.max, .max, .max]
    /// Until when announcements prompt no question about a database.
    private var pausedUntil: InlineArray<3, UInt64> = [0, 0, 0]
    /// Until when no other domain of our name is told of: anybody can announce any number of them.
    private var foreignersUntil: UInt64 = 0
    /// When the copy was last found to be the primary's, and what went wrong since.
    package private(set) var currentAt: UInt64?
    package private(set) var lastTrouble: PullTrouble?

    /// Everything is looked at once at the start.
    package init(domain: LocalDomain, now: UInt64) {
        self.domain = domain
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
        let order = Self.order
        for index in order.indices {
            let database = order[index]
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
        guard progress[index].due <= now, progress[index].wish != .nothing else { return nil }
        pausedUntil[index] = now + Limit.announced
        switch progress[index].wish {
        case .nothing: return nil
        case .deltas: return .deltas(since: domain.stamp(database).serial)
        case .whole(let reason, let isHint):
            progress[index].run = FullRun(reason: reason, isHint: isHint)
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

    private func wishDeltas(_ database: DomainDatabase, due: UInt64) {
        let isNew = domain.stamp(database).created == 0
        wish(database, isNew ? .whole(.new, isHint: false) : .deltas, due: due)
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
        // Everything is more than anything else, and more so where it is no mere hint.
        case .whole(_, let isHint):
            progress[index].due = min(progress[index].due, due)
            if isHint, case .whole = wish { progress[index].wish = wish }
        }
    }

    // MARK: What is heard

    /// The computer name of the primary, once it is known.
    package func isCopy(of name: String) {
        let folded = LocalDomain.fold(name)
        guard domain.role == .backup, folded != domain.header.replicaSource else { return }
        try? domain.change { () throws(DomainError) in domain.header.replicaSource = folded }
    }

    /// There is a new secure channel to the primary, which may be another than before by now.
    package func connected(now: UInt64) {
        // Whatever stood in the way may be over. It is not asked at once in any case, as what
        // stands in the way may be why the channel is new.
        retryAt = min(retryAt, now + Limit.reconnection)
        pollAt = now + Limit.poll
        for database in DomainDatabase.allCases { wishDeltas(database, due: now) }
        wish(.lsa, .whole(.connected, isHint: true), due: now)
    }

    /// Everything is compared now.
    package func look(now: UInt64) {
        retryAt = now
        for database in DomainDatabase.allCases { wishDeltas(database, due: now) }
    }

    /// The primary announced a change. It asks for a random wait, so that its backups do not all
    /// come at once: `random` is any number.
    package func announced(_ change: AnnounceChange, random: UInt64, now: UInt64) {
        let name = LocalDomain.fold(change.unicodeDomainName.description)
        guard name == domain.name, domain.role == .backup else { return }
        if let sid = change.domainSid, domain.hasCopy, sid != domain.sid {
            if now >= foreignersUntil {
                foreignersUntil = now + Limit.poll
                notices.append(
                    .foreign(
                        LocalDomain.fold(change.unicodePrimaryDCName.description), sid,
                        own: domain.sid))
            }
            return
        }
        let most = min(UInt64(change.random), Limit.wait) * 1_000
        let wait = random % (most + 1)
        for told in change.databases {
            guard let database = UInt8(exactly: told.index).flatMap({
                DomainDatabase(rawValue: $0)
            }) else { continue }
            let own = domain.stamp(database)
            let due = max(now + wait, pausedUntil[Int(database.rawValue)])
            if own.created == 0 {
                wish(database, .whole(.new, isHint: false), due: due)
            } else if told.dateAndTime != own.created {
                wish(database, .whole(.createdAnew, isHint: true), due: due)
            } else if told.largeSerialNumber < own.serial {
                wish(database, .whole(.serialBackwards, isHint: true), due: due)
            } else if told.largeSerialNumber > own.serial {
                wish(database, .deltas, due: due)
            }
        }
    }

    // MARK: What comes back

    /// The call did not come through: it is made again later. What a promotion cuts off is nobody's
    /// trouble.
    package func failed(now: UInt64) {
        guard let request = inFlight else { return }
        if domain.role != .backup { return inFlight = nil }
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
                take(response, context, bytes: stub.count, database, answer)
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
        let again: Wish = progress[index].isWhole
            ? .whole(.objectRefused, isHint: false) : .deltas
        progress[index] = Progress()
        progress[index].wish = wish == .nothing ? again : wish
        progress[index].due = now
        if lastTrouble != trouble { notices.append(.trouble(database, trouble)) }
        lastTrouble = trouble
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
        wish(database, .whole(reason, isHint: false), due: now)
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
        if let foreign = foreign(in: deltas) { return trouble(database, foreign, answer.now) }
        let target = DatabaseStamp(serial: serial, created: domain.stamp(database).created)
        guard let done = store(deltas, database, answer, isWhole: false, stamp: target) else {
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

    /// Another domain's policy: nothing of what comes with it is taken.
    private func foreign(in deltas: [NetlogonDelta]) -> PullTrouble? {
        for case .policy(let sid, let content) in deltas {
            let told = content.primaryDomainSID ?? sid
            if domain.isOfKnownSID, told != domain.sid {
                return .otherDomain(told, own: domain.sid)
            }
        }
        return nil
    }

    /// Stores deltas, and with them the stamp where nothing of them failed. `isWhole`: what they
    /// do not name goes. Nil: nothing was stored.
    private func store(
        _ deltas: [NetlogonDelta], _ database: DomainDatabase, _ answer: PullAnswer,
        isWhole: Bool, stamp: DatabaseStamp?
    ) -> DeltaApplication? {
        var application = DeltaApplication(
            domain, database, key: answer.key, now: answer.fileTime, awaited: awaited(database))
        do throws(DomainError) {
            try domain.change { () throws(DomainError) in
                application.apply(deltas)
                if isWhole { application.sweep() }
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
            current(database, target.serial, now)
        }
    }

    private func current(_ database: DomainDatabase, _ serial: UInt64, _ now: UInt64) {
        let index = Int(database.rawValue)
        currentAt = now
        if told[index] == serial, lastTrouble == nil { return }
        told[index] = serial
        lastTrouble = nil
        notices.append(.current(database, serial: serial))
    }

    // MARK: All of a database

    private func take(
        _ response: NetrDatabaseSync2.Response, _ context: UInt32, bytes: Int,
        _ database: DomainDatabase, _ answer: PullAnswer
    ) {
        let index = Int(database.rawValue)
        guard response.status == .success || response.status == .moreEntries else {
            return trouble(database, .refused(response.status), answer.now)
        }
        guard var run = progress[index].run else { return wentWell() }
        progress[index].run = nil
        let deltas = response.deltas?.deltas ?? []
        let hasMore = response.status == .moreEntries
        if let foreign = foreign(in: deltas) { return trouble(database, foreign, answer.now) }
        run.bytes += bytes
        let isTooMuch = run.deltas.count + deltas.count > Limit.deltas || run.bytes > Limit.bytes
        if hasMore, deltas.isEmpty || response.syncContext == context || isTooMuch {
            return trouble(database, .endless, answer.now)
        }
        if run.stamp == nil {
            guard let stamp = Self.stamp(in: deltas) else {
                return trouble(database, .incomplete, answer.now)
            }
            run.stamp = stamp
            if isNeedless(run, stamp, database, hasMore: hasMore, answer.now) { return }
            begins(database, run, stamp, answer.now)
        }
        run.deltas += deltas
        run.context = response.syncContext
        if !hasMore { return takeLast(run, database, answer) }
        progress[index].run = run
        wentWell()
    }

    /// Whether a hint was none: the databases are as they were, or the changes are enough.
    private func isNeedless(
        _ run: FullRun, _ stamp: DatabaseStamp, _ database: DomainDatabase, hasMore: Bool,
        _ now: UInt64
    ) -> Bool {
        let own = domain.stamp(database)
        guard run.isHint, stamp.created == own.created, stamp.serial >= own.serial,
            hasMore || stamp.serial == own.serial
        else { return false }
        wentWell()
        progress[Int(database.rawValue)] = Progress()
        if stamp.serial > own.serial {
            wish(database, .deltas, due: now)
        } else {
            current(database, own.serial, now)
        }
        return true
    }

    /// The first page tells more than the reason for which it was asked.
    private func begins(
        _ database: DomainDatabase, _ run: FullRun, _ stamp: DatabaseStamp, _ now: UInt64
    ) {
        let own = domain.stamp(database)
        var reason = run.reason
        if own.created != 0 {
            if stamp.created != own.created {
                reason = .createdAnew
            } else if stamp.serial < own.serial {
                reason = .serialBackwards
            }
        }
        // LSA's is asked for on each connection, and has nothing new mostly.
        if reason != .connected { notices.append(.begins(database, reason)) }
        guard database == .lsa, reason == .createdAnew else { return }
        for other in [DomainDatabase.sam, .builtin] {
            wish(other, .whole(.createdAnew, isHint: false), due: now)
        }
    }

    private func takeLast(_ run: FullRun, _ database: DomainDatabase, _ answer: PullAnswer) {
        guard let stamp = run.stamp,
            let done = store(run.deltas, database, answer, isWhole: true, stamp: stamp)
        else { return trouble(database, .notWritten, answer.now) }
        domain.forgetLog(database)
        wentWell()
        let index = Int(database.rawValue)
        progress[index] = Progress()
        progress[index].isWhole = true
        finish(database, done.failed, stamp, isLast: true, answer.now)
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
            response.deltas?.deltas ?? [], database, answer, isWhole: false,
            stamp: isLast ? target : nil)
        else { return trouble(database, .notWritten, answer.now) }
        guard done.failed.isEmpty else { return refusedObject(database, answer.now) }
        wentWell()
        progress[index].redo.removeFirst()
        guard isLast else { return }
        progress[index].target = nil
        progress[index].isWhole = false
        if progress[index].wish == .nothing {
            current(database, target.serial, answer.now)
        }
    }
}
