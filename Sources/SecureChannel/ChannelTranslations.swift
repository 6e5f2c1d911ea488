import Interfaces
import RPC
import Wire

/// Names or SIDs of a domain's accounts, for its controller to translate. Names are in the form
/// `DOMAIN\name`; a domain's own name stands alone.
package enum TranslationQuestion: Equatable, Sendable {
    case names([String])
    case sids([SID])

    package var count: Int {
        switch self {
        case .names(let names): names.count
        case .sids(let sids): sids.count
        }
    }
}

/// What a controller says of a name or a SID.
package struct Translation: Equatable, Sendable {
    package var use: SIDNameUse
    package var sid: SID
    /// Empty for a domain.
    package var name: String
    /// The domain's name, in the controller's spelling.
    package var domain: String

    package init(use: SIDNameUse, sid: SID, name: String, domain: String) {
        self.use = use
        self.sid = sid
        self.name = name
        self.domain = domain
    }
}

package enum TranslationOutcome: Equatable {
    /// In the order of what was asked; nil where the controller does not know it.
    case translated([Translation?])
    case unavailable(Unavailable)
}

/// The questions of a channel, one after the other, and the connection that carries them.
struct TranslationLine {
    struct Pending {
        var id: UInt32
        var question: TranslationQuestion
        var deadline: UInt64
        /// A logon, or the agent itself, waits for it.
        var isUrgent: Bool
        var wasRetried = false
    }

    struct Link {
        enum Step {
            /// Asks the endpoint mapper for the port.
            case mapping
            case opening
            case ready
            /// The first question is under way.
            case asked
        }

        var id: Int
        var association: Association
        var step: Step
        var controller: IPv4Address
        /// Which of the channel's keys seals it.
        var key: Int
        /// Until when it must be ready.
        var setupDeadline: UInt64
        var lastUsed: UInt64
        /// The opened policy, in the nt4 profile.
        var policy = ContextHandle.null
    }

    var pending: [Pending] = []
    var link: Link?
    /// Where the endpoint mappers said that the Local Security Authority is.
    var ports: [IPv4Address: UInt16] = [:]

    /// Puts a question behind those that are not less urgent, and behind the one under way; says
    /// whether there was room. Strangers ask what they like, so that what is urgent has a limit of
    /// its own.
    mutating func enter(_ question: Pending) -> Bool {
        let limit =
            question.isUrgent ? ChannelLimit.urgentTranslations : ChannelLimit.translations
        guard pending.count(where: { $0.isUrgent == question.isUrgent }) < limit else {
            return false
        }
        guard question.isUrgent else {
            pending.append(question)
            return true
        }
        var start = 0
        if case .asked? = link?.step { start = 1 }
        let place = pending.dropFirst(start).firstIndex { !$0.isUrgent }
        pending.insert(question, at: place ?? pending.endIndex)
        return true
    }

    var nextDeadline: UInt64 {
        var next = UInt64.max
        for each in pending { next = min(next, each.deadline) }
        guard let link else { return next }
        switch link.step {
        case .mapping, .opening: return min(next, link.setupDeadline)
        case .ready: return min(next, link.lastUsed + ChannelLimit.idle)
        case .asked: return next
        }
    }
}

/// Translations by the controller that holds the key: LsarLookupNames4 and LsarLookupSids3 under
/// the channel's seal (MS-LSAT 3.1.4), which need no handle; in the nt4 profile, which has no such
/// calls, LsarLookupNames and LsarLookupSids on the pipe of a null session.
///
/// Nothing is changed by them, so that each is asked once more where its connection was lost.
extension Channel {
    private static var callTag: UInt32 { 1 }
    /// Only what comes before the questions: an association fails where it is refused.
    private static var setupTag: UInt32 { 0 }

    /// The outcome comes as an output, at `deadline` at the latest. An urgent question goes ahead
    /// of those that are not.
    package func translate(
        _ id: UInt32, _ question: TranslationQuestion, isUrgent: Bool = false, deadline: UInt64,
        now: UInt64
    ) {
        let pending = TranslationLine.Pending(
            id: id, question: question, deadline: deadline, isUrgent: isUrgent)
        guard translations.enter(pending) else {
            return outputs.append(.translated(id, .unavailable(.overloaded)))
        }
        askNext(now: now)
    }

    /// Goes on with the first question, as far as the channel's state permits.
    func askNext(now: UInt64) {
        switch phase {
        case .down: return translationsFailed(.noController)
        case .refused(let status, _): return translationsFailed(.channelRefused(status))
        case .locating, .connecting: return
        case .keyed: break
        }
        guard let session, let first = translations.pending.first else { return }
        if let link = translations.link, link.key != counters.keysMade { closeTranslator() }
        guard let link = translations.link else { return openTranslator(session, now: now) }
        guard case .ready = link.step else { return }
        translations.link?.step = .asked
        translations.link?.lastUsed = now
        let (opnum, stub) = call(first.question, link.policy)
        link.association.call(tag: Self.callTag, opnum: opnum, stub: stub, random: random)
        flushTranslator()
    }

    private func openTranslator(_ session: Session, now: UInt64) {
        let port = translations.ports[session.controller.address]
        let isModern = settings.profile == .modern
        if isModern, !session.isSealed { return translationsFailed(.channelRefused(.accessDenied)) }
        let maps = settings.transport == .tcp && port == nil
        nextLink += 1
        let association = Association(
            settings, maps ? .mapper : .authority(port: port ?? 0),
            controller: session.controller,
            security: isModern && !maps
                ? Association.Security(
                    key: session.key, domain: settings.domain, computer: settings.computer)
                : nil,
            random: random)
        translations.link = TranslationLine.Link(
            id: nextLink, association: association, step: maps ? .mapping : .opening,
            controller: session.controller.address, key: counters.keysMade,
            setupDeadline: now + ChannelLimit.setup, lastUsed: now)
        outputs.append(.open(link: nextLink, to: association.endpoint))
    }

    // MARK: What comes of it

    /// Whether a connection is the translator's, and not one of the logons'.
    func isTranslator(_ id: Int) -> Bool { translations.link?.id == id }

    func pumpTranslator(now: UInt64) {
        guard let association = translations.link?.association else { return }
        flushTranslator()
        for event in association.takeEvents() {
            guard let link = translations.link, link.association === association else { return }
            switch event {
            case .ready: translatorBound(link, now: now)
            case .reply(Self.setupTag, let stub): setUp(link, stub, now: now)
            case .reply(_, let stub): translated(stub, now: now)
            case .notExecuted, .keyForgotten, .failed: translatorLost(now: now)
            }
        }
        flushTranslator()
    }

    private func flushTranslator() {
        guard let link = translations.link else { return }
        for bytes in link.association.takeOutgoing() {
            outputs.append(.send(link: link.id, bytes: bytes))
        }
    }

    private func translatorBound(_ link: TranslationLine.Link, now: UInt64) {
        var writer = WireWriter()
        var opnum = EptMap.opnum
        switch (link.step, settings.profile) {
        case (.mapping, _): EptMap.Request(mapTower: .tcp(LSA.interface)).write(into: &writer)
        case (_, .nt4):
            opnum = LsarOpenPolicy.opnum
            LsarOpenPolicy.Request(desiredAccess: LSAAccess.lookupNames).write(into: &writer)
        case (_, .modern):
            translations.link?.step = .ready
            return askNext(now: now)
        }
        link.association.call(
            tag: Self.setupTag, opnum: opnum, stub: writer.finish(), random: random)
    }

    private func setUp(_ link: TranslationLine.Link, _ stub: [UInt8], now: UInt64) {
        do throws(WireError) {
            var reader = WireReader(stub.span, layer: "LSA")
            if case .mapping = link.step {
                let reply = try EptMap.Response(parsing: &reader)
                guard let port = reply.towers.compactMap({ $0.tcpPort }).first, port != 0 else {
                    return translatorLost(now: now)
                }
                translations.ports[link.controller] = port
                closeTranslator()
            } else {
                let reply = try OpenedHandle(parsing: &reader)
                guard reply.status == .success else {
                    closeTranslator()
                    return translationsFailed(.channelRefused(reply.status))
                }
                translations.link?.policy = reply.handle
                translations.link?.step = .ready
            }
        } catch {
            return translatorLost(now: now)
        }
        askNext(now: now)
    }

    private func translated(_ stub: [UInt8], now: UInt64) {
        guard let first = translations.pending.first else { return }
        translations.pending.removeFirst()
        translations.link?.step = .ready
        var outcome = TranslationOutcome.unavailable(.badReply)
        do throws(WireError) {
            if let found = try answer(to: first.question, stub) { outcome = .translated(found) }
        } catch {
            counters.badReplies += 1
        }
        outputs.append(.translated(first.id, outcome))
        askNext(now: now)
    }

    /// The connection is gone, or did not come about. What it carried is asked once more; where
    /// that is of no use either, nobody waits on.
    func translatorLost(now: UInt64) {
        if let link = translations.link, case .opening = link.step {
            // The port that was known may be another program's by now.
            translations.ports[link.controller] = nil
        }
        closeTranslator()
        guard let first = translations.pending.first else { return }
        if first.wasRetried { return translationsFailed(.connectionLost) }
        translations.pending[0].wasRetried = true
        askNext(now: now)
    }

    func closeTranslator() {
        guard let link = translations.link else { return }
        translations.link = nil
        outputs.append(.close(link: link.id, abort: false))
    }

    func translationsFailed(_ why: Unavailable) {
        for each in translations.pending {
            outputs.append(.translated(each.id, .unavailable(why)))
        }
        translations.pending.removeAll()
        if case .asked? = translations.link?.step { closeTranslator() }
    }

    func tickTranslator(now: UInt64) {
        if let first = translations.pending.first, first.deadline <= now,
            case .asked? = translations.link?.step
        {
            // What comes late on this connection would be taken for the next answer.
            closeTranslator()
        }
        let late = translations.pending.filter { $0.deadline <= now }
        translations.pending.removeAll { $0.deadline <= now }
        for each in late { outputs.append(.translated(each.id, .unavailable(.deadline))) }
        if let link = translations.link {
            switch link.step {
            case .mapping, .opening: if link.setupDeadline <= now { translatorLost(now: now) }
            case .ready: if link.lastUsed + ChannelLimit.idle <= now { closeTranslator() }
            case .asked: break
            }
        }
        askNext(now: now)
    }

    // MARK: Calls

    private func call(
        _ question: TranslationQuestion, _ policy: ContextHandle
    ) -> (opnum: UInt16, stub: [UInt8]) {
        var writer = WireWriter()
        switch (question, settings.profile) {
        case (.names(let names), .modern):
            LsarLookupNames4.Request(names: names, clientRevision: 2).write(into: &writer)
            return (LsarLookupNames4.opnum, writer.finish())
        case (.sids(let sids), .modern):
            LsarLookupSids3.Request(sids: sids, clientRevision: 2).write(into: &writer)
            return (LsarLookupSids3.opnum, writer.finish())
        case (.names(let names), .nt4):
            LsarLookupNames.Request(policyHandle: policy, names: names).write(into: &writer)
            return (LsarLookupNames.opnum, writer.finish())
        case (.sids(let sids), .nt4):
            LsarLookupSids.Request(policyHandle: policy, sids: sids).write(into: &writer)
            return (LsarLookupSids.opnum, writer.finish())
        }
    }

    /// Nil where the answer does not go with the question.
    private func answer(
        to question: TranslationQuestion, _ stub: [UInt8]
    ) throws(WireError) -> [Translation?]? {
        var reader = WireReader(stub.span, layer: "LSA")
        switch (question, settings.profile) {
        case (.names(let names), .modern):
            let reply = try LsarLookupNames4.Response(parsing: &reader)
            return reply.answer(names.count) { index, each, domain in
                each.sid.flatMap { Self.made(each.use, $0, names[index], domain) }
            }
        case (.names(let names), .nt4):
            let reply = try LsarLookupNames.Response(parsing: &reader)
            return reply.answer(names.count) { index, each, domain in
                var sid = domain.sid
                if each.use != .domain { sid = sid?.appending(each.relativeID) }
                return sid.flatMap { Self.made(each.use, $0, names[index], domain) }
            }
        case (.sids(let sids), .modern):
            let reply = try LsarLookupSids3.Response(parsing: &reader)
            return reply.answer(sids.count) { index, each, domain in
                Self.made(each.account.use, sids[index], each.account.name ?? "", domain)
            }
        case (.sids(let sids), .nt4):
            let reply = try LsarLookupSids.Response(parsing: &reader)
            return reply.answer(sids.count) { index, each, domain in
                Self.made(each.use, sids[index], each.name ?? "", domain)
            }
        }
    }

    private static func made(
        _ use: SIDNameUse, _ sid: SID, _ name: String, _ domain: LSADomain
    ) -> Translation? {
        if use == .unknown || use == .invalid { return nil }
        let account = name.split(separator: "\\").last.map { String($0) } ?? ""
        return Translation(
            use: use, sid: sid, name: use == .domain ? "" : account, domain: domain.name ?? "")
    }
}

extension LookupResponse where Lookup.Translation: RefersToDomain {
    /// `make` is told each translation and the domain that it refers to.
    fileprivate func answer(
        _ count: Int, _ make: (Int, Lookup.Translation, LSADomain) -> Translation?
    ) -> [Translation?]? {
        if status == .noneMapped { return [Translation?](repeating: nil, count: count) }
        guard status == .success || status == .someNotMapped, translations.count == count else {
            return nil
        }
        let domains = referencedDomains?.domains ?? []
        return translations.indices.map { index in
            let place = Int(translations[index].domainIndex)
            guard domains.indices.contains(place) else { return nil }
            return make(index, translations[index], domains[place])
        }
    }
}

/// A translation names its domain by its place in the list beside it.
private protocol RefersToDomain {
    var domainIndex: Int32 { get }
}

extension TranslatedSID: RefersToDomain {}
extension TranslatedSIDEx2: RefersToDomain {}
extension TranslatedName: RefersToDomain {}
extension TranslatedNameEx: RefersToDomain {
    fileprivate var domainIndex: Int32 { account.domainIndex }
}
