import Domain
import Interfaces
import Wire

/// Translates between names and SIDs (MS-LSAT 3.1.1): of what is the same everywhere, of the
/// `BUILTIN` domain, of the embedded domain, and of the domains around it as such.
struct AccountTranslator {
    /// What a name or SID turned out to be.
    struct Found {
        var use: SIDNameUse
        var sid: SID
        /// Empty for a domain.
        var name: String
        var domain: LSADomain
    }

    let domain: LocalDomain
    let others: [ConfiguredDomain]
    let level: LookupLevel

    /// Predefined accounts are looked for on behalf of a machine's users only.
    private var includesPredefined: Bool { level == .workstation }

    /// Domains that are trusted do not count for those who trust this one.
    private var includesOthers: Bool { level == .workstation || level == .primaryDomain }

    /// Whether anything is looked for: one level is for the trusts between forests alone, of
    /// which there are none here.
    private var includesOwn: Bool { level != .trustedForest }

    private var own: LSADomain { LSADomain(name: domain.name, sid: domain.sid) }

    private static let builtin = LSADomain(name: WellKnownSIDs.builtin, sid: .builtinDomain)
    private static let authority = LSADomain(
        name: WellKnownSIDs.ntAuthority, sid: WellKnownSIDs.ntAuthoritySID)

    // MARK: Names

    /// `name`, `DOMAIN\name`, `name@DOMAIN` or a domain's own name.
    func find(_ text: String) -> Found? {
        guard includesOwn else { return nil }
        let bytes = Array(text.utf8)
        if let slash = bytes.firstIndex(of: UInt8(ascii: "\\")) {
            let home = String(decoding: bytes[..<slash], as: UTF8.self)
            let name = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
            return home.isEmpty ? findIsolated(name) : find(name, in: home)
        }
        if let found = findIsolated(text) { return found }
        guard let sign = bytes.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        return find(
            String(decoding: bytes[..<sign], as: UTF8.self),
            in: String(decoding: bytes[(sign + 1)...], as: UTF8.self))
    }

    /// The domain among `configured` that a name is of, and the account's name there. A name that
    /// stands alone is of no other domain: its sender would have to wait for all of them.
    func foreign(
        _ text: String, among configured: [ConfiguredDomain]
    ) -> (domain: ConfiguredDomain, account: String)? {
        guard includesOwn, includesOthers else { return nil }
        let bytes = Array(text.utf8)
        var parts: (home: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        if let slash = bytes.firstIndex(of: UInt8(ascii: "\\")) {
            parts = (bytes[..<slash], bytes[(slash + 1)...])
        } else if let sign = bytes.lastIndex(of: UInt8(ascii: "@")) {
            parts = (bytes[(sign + 1)...], bytes[..<sign])
        }
        guard let parts, !parts.name.isEmpty else { return nil }
        let home = String(decoding: parts.home, as: UTF8.self)
        guard let domain = configured.first(where: { NetlogonService.names($0, home) }) else {
            return nil
        }
        return (domain, String(decoding: parts.name, as: UTF8.self))
    }

    func foreign(_ sid: SID, among configured: [ConfiguredDomain]) -> ConfiguredDomain? {
        guard includesOwn, includesOthers, let home = sid.domain else { return nil }
        return configured.first { $0.sid == home }
    }

    private func findIsolated(_ name: String) -> Found? {
        // Since Windows 2000 no name at all is that of the builtin domain.
        if name.isEmpty { return includesPredefined ? Self.domain(Self.builtin) : nil }
        if let found = findDomain(name) { return found }
        return findPredefined(name, authority: nil) ?? findBuiltin(name) ?? findOwn(name)
    }

    private func find(_ name: String, in home: String) -> Found? {
        if name.isEmpty { return findDomain(home) }
        if isSame(home, domain.name) { return findOwn(name) }
        if isSame(home, WellKnownSIDs.builtin) { return findBuiltin(name) }
        return findPredefined(name, authority: home)
    }

    private func isSame(_ left: String, _ right: String) -> Bool {
        LocalDomain.fold(left) == LocalDomain.fold(right)
    }

    private func findDomain(_ name: String) -> Found? {
        if isSame(name, domain.name) { return Self.domain(own) }
        if includesPredefined {
            if isSame(name, WellKnownSIDs.builtin) { return Self.domain(Self.builtin) }
            if isSame(name, WellKnownSIDs.ntAuthority) { return Self.domain(Self.authority) }
        }
        guard includesOthers else { return nil }
        for other in others where other.sid != nil {
            if isSame(name, other.name) || other.dnsName.map({ isSame(name, $0) }) == true {
                return Self.domain(LSADomain(name: other.name, sid: other.sid))
            }
        }
        return nil
    }

    private func findPredefined(_ name: String, authority: String?) -> Found? {
        guard includesPredefined else { return nil }
        for entry in WellKnownSIDs.entries where isSame(entry.name, name) {
            if let authority, !isSame(authority, entry.authority) { continue }
            return Self.predefined(entry)
        }
        return nil
    }

    private func findBuiltin(_ name: String) -> Found? {
        guard includesPredefined, let alias = domain.alias(name, in: .builtin) else { return nil }
        return Self.builtin(alias)
    }

    private func findOwn(_ name: String) -> Found? {
        switch domain.lookup(name) {
        case .account(let rid): own(rid, domain.accounts[rid]?.name, .user)
        case .group(let rid): own(rid, domain.groups[rid]?.name, .group)
        case .alias(let rid): own(rid, domain.aliases[rid]?.name, .alias)
        case nil: nil
        }
    }

    // MARK: SIDs

    func find(_ sid: SID) -> Found? {
        guard includesOwn else { return nil }
        if sid == domain.sid { return Self.domain(own) }
        if let rid = sid.relativeIdentifier, sid.domain == domain.sid { return findOwn(rid) }
        if includesPredefined, let found = findPredefined(sid) { return found }
        guard includesOthers, let other = others.first(where: { $0.sid == sid }) else {
            return nil
        }
        return Self.domain(LSADomain(name: other.name, sid: sid))
    }

    private func findOwn(_ rid: UInt32) -> Found? {
        switch domain.lookup(rid: rid) {
        case .account: own(rid, domain.accounts[rid]?.name, .user)
        case .group: own(rid, domain.groups[rid]?.name, .group)
        case .alias: own(rid, domain.aliases[rid]?.name, .alias)
        case nil: nil
        }
    }

    private func findPredefined(_ sid: SID) -> Found? {
        if sid == .builtinDomain { return Self.domain(Self.builtin) }
        if sid == WellKnownSIDs.ntAuthoritySID { return Self.domain(Self.authority) }
        if sid.domain == .builtinDomain, let rid = sid.relativeIdentifier {
            return domain.alias(rid: rid, in: .builtin).map { Self.builtin($0) }
        }
        return WellKnownSIDs.entries.first { $0.sid == sid }.map { Self.predefined($0) }
    }

    /// The domain that an unknown account's SID is of, where that is known.
    func home(of sid: SID) -> LSADomain? {
        guard includesOwn, let home = sid.domain else { return nil }
        if home == domain.sid { return own }
        if home == .builtinDomain { return includesPredefined ? Self.builtin : nil }
        guard includesOthers, let other = others.first(where: { $0.sid == home }) else {
            return nil
        }
        return LSADomain(name: other.name, sid: home)
    }

    // MARK: What was found

    private func own(_ rid: UInt32, _ name: String?, _ use: SIDNameUse) -> Found? {
        guard let name else { return nil }
        return Found(use: use, sid: domain.sid(of: rid), name: name, domain: own)
    }

    private static func domain(_ domain: LSADomain) -> Found? {
        guard let sid = domain.sid else { return nil }
        return Found(use: .domain, sid: sid, name: "", domain: domain)
    }

    private static func predefined(_ entry: WellKnownSIDs.Entry) -> Found {
        Found(
            use: entry.use, sid: entry.sid, name: entry.name,
            domain: LSADomain(name: entry.authority, sid: entry.sid.domain))
    }

    private static func builtin(_ alias: Alias) -> Found {
        let sid = SID(identifierAuthority: 5, subAuthorities: [32, alias.rid])
        return Found(use: .alias, sid: sid, name: alias.name, domain: builtin)
    }
}

/// The domains that an answer refers to, each once, as its entries name them by index.
struct DomainReferences {
    private(set) var domains: [LSADomain] = []

    mutating func index(of domain: LSADomain) -> Int32 {
        if let index = domains.firstIndex(of: domain) { return Int32(index) }
        domains.append(domain)
        return Int32(domains.count - 1)
    }
}
