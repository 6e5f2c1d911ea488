import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

/// A name's or SID's translation in the form that one of the calls has.
protocol BuiltTranslation: NDRElement {
    /// Nil: it is unknown. `index` is the domain's among those that are referred to.
    init(_ found: AccountTranslator.Found?, index: Int32)
}

/// A SID's translation tells a name even where nothing is known.
protocol BuiltName: NDRElement {
    init(use: SIDNameUse, name: String, index: Int32)
}

extension TranslatedSID: BuiltTranslation {
    /// What a domain has for a relative identifier.
    private static let none: UInt32 = 0xffff_ffff

    init(_ found: AccountTranslator.Found?, index: Int32) {
        guard let found else {
            self.init(use: .unknown)
            return
        }
        let rid = found.use == .domain ? Self.none : found.sid.relativeIdentifier ?? Self.none
        self.init(use: found.use, relativeID: rid, domainIndex: index)
    }
}

extension TranslatedSIDEx: BuiltTranslation {
    init(_ found: AccountTranslator.Found?, index: Int32) {
        self.init(TranslatedSID(found, index: index))
    }
}

extension TranslatedSIDEx2: BuiltTranslation {
    init(_ found: AccountTranslator.Found?, index: Int32) {
        self.init(use: found?.use ?? .unknown, sid: found?.sid, domainIndex: index)
    }
}

extension TranslatedName: BuiltName {
    init(use: SIDNameUse, name: String, index: Int32) {
        self.init(use: use, name: name, domainIndex: index)
    }
}

extension TranslatedNameEx: BuiltName {
    init(use: SIDNameUse, name: String, index: Int32) {
        self.init(TranslatedName(use: use, name: name, domainIndex: index))
    }
}

extension LSAService {
    func lookupNames<Lookup: LSALookup>(
        _ request: LookupNamesRequest<Lookup>, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply where Lookup.Translation: BuiltTranslation {
        if let refused = refusal(Lookup.hasPolicyHandle, request.policyHandle, caller) {
            return refused.reply { Self.refused(Lookup.self, $0) }
        }
        guard request.lookupLevel.isForEveryone else {
            return Self.refused(Lookup.self, .invalidParameter)
        }
        let translator = AccountTranslator(
            domain: domain, others: trustedDomains(), level: request.lookupLevel)
        let others = configured()
        var found: [AccountTranslator.Found?] = []
        var wanted: [ForeignAccounts.Wanted] = []
        found.reserveCapacity(request.names.count)
        for (place, name) in request.names.enumerated() {
            var one = translator.find(name)
            if one == nil, let (home, account) = translator.foreign(name, among: others) {
                one = foreign.known(ForeignAccounts.key(home.name, account), now: now.now)
                if one == nil { wanted.add(account, of: home, at: place) }
            }
            found.append(one)
        }
        return finish(Lookup.self, found, wanted) { Self.names(Lookup.self, $0, $1) }
    }

    func lookupSIDs<Lookup: LSALookup>(
        _ request: LookupSIDsRequest<Lookup>, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply where Lookup.Translation: BuiltName {
        if let refused = refusal(Lookup.hasPolicyHandle, request.policyHandle, caller) {
            return refused.reply { Self.refused(Lookup.self, $0) }
        }
        guard request.lookupLevel.isForEveryone else {
            return Self.refused(Lookup.self, .invalidParameter)
        }
        let translator = AccountTranslator(
            domain: domain, others: trustedDomains(), level: request.lookupLevel)
        let others = configured()
        var found: [AccountTranslator.Found?] = []
        var wanted: [ForeignAccounts.Wanted] = []
        found.reserveCapacity(request.sids.count)
        for (place, sid) in request.sids.enumerated() {
            var one = translator.find(sid)
            if one == nil, let home = translator.foreign(sid, among: others) {
                one = foreign.known(sid.description, now: now.now)
                if one == nil { wanted.add(sid, of: home, at: place) }
            }
            found.append(one)
        }
        let sids = request.sids
        return finish(Lookup.self, found, wanted) {
            Self.sids(Lookup.self, sids, translator, $0, $1)
        }
    }

    /// Answers, at once where nobody else has to be asked.
    private func finish<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ found: [AccountTranslator.Found?],
        _ wanted: [ForeignAccounts.Wanted],
        _ reply: @escaping ([AccountTranslator.Found?], Bool) -> ServiceReply
    ) -> ServiceReply {
        if wanted.isEmpty { return reply(found, false) }
        return foreign.wait(found, wanted, reply)
            ?? Self.refused(lookup, .insufficientResources)
    }

    private static func names<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ found: [AccountTranslator.Found?], _ isPartial: Bool
    ) -> ServiceReply where Lookup.Translation: BuiltTranslation {
        var references = DomainReferences()
        var translations: [Lookup.Translation] = []
        translations.reserveCapacity(found.count)
        for one in found {
            let index = one.map { references.index(of: $0.domain) } ?? -1
            translations.append(Lookup.Translation(one, index: index))
        }
        return answer(lookup, references, translations, mapped(found), isPartial)
    }

    private static func sids<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ sids: [SID], _ translator: AccountTranslator,
        _ found: [AccountTranslator.Found?], _ isPartial: Bool
    ) -> ServiceReply where Lookup.Translation: BuiltName {
        var references = DomainReferences()
        var translations: [Lookup.Translation] = []
        translations.reserveCapacity(sids.count)
        for (sid, one) in zip(sids, found) {
            if let one {
                translations.append(
                    Lookup.Translation(
                        use: one.use, name: one.name, index: references.index(of: one.domain)))
            } else if let home = translator.home(of: sid), let rid = sid.relativeIdentifier {
                // Of a known domain: its number, as the domain is told by the index.
                translations.append(
                    Lookup.Translation(
                        use: .unknown, name: Hex.string(rid), index: references.index(of: home)))
            } else {
                translations.append(
                    Lookup.Translation(use: .unknown, name: sid.description, index: -1))
            }
        }
        return answer(lookup, references, translations, mapped(found), isPartial)
    }

    private static func mapped(_ found: [AccountTranslator.Found?]) -> Int {
        var count = 0
        for one in found where one != nil { count += 1 }
        return count
    }

    private static func answer<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ references: DomainReferences,
        _ translations: [Lookup.Translation], _ mapped: Int, _ isPartial: Bool
    ) -> ServiceReply {
        // Not "unknown", which members remember.
        if mapped == 0, isPartial { return refused(lookup, .trustedDomainFailure) }
        var status = NTStatus.success
        if mapped == 0 {
            status = .noneMapped
        } else if mapped < translations.count {
            status = .someNotMapped
        }
        return .stub(
            LookupResponse<Lookup>(
                referencedDomains: ReferencedDomains(references.domains),
                translations: translations, mappedCount: UInt32(mapped), status: status))
    }

    private static func refused<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ status: NTStatus
    ) -> ServiceReply {
        .stub(
            LookupResponse<Lookup>(
                referencedDomains: nil, translations: [], mappedCount: 0, status: status))
    }

    /// Calls without a handle are a member's, over its secure channel.
    private func refusal(
        _ hasHandle: Bool, _ handle: ContextHandle, _ caller: RemoteCaller
    ) -> Refusal? {
        if hasHandle {
            if let refused = refusal(handle, caller, needs: LSAAccess.lookupNames) {
                return refused
            }
            let isNobody = SAMRAccess.standing(caller) == .nobody
            return isNobody && anonymous < .names ? .status(.accessDenied) : nil
        }
        let isChannel = caller.netlogonComputer != nil
        let isProtected = caller.authLevel == .integrity || caller.authLevel == .privacy
        return isChannel && isProtected ? nil : .fault(.accessDenied)
    }
}
