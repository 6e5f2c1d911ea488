import RPC
import Wire

/// What a SID names (MS-LSAT 2.2.13, SID_NAME_USE).
package struct SIDNameUse: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let user = SIDNameUse(rawValue: 1)
    package static let group = SIDNameUse(rawValue: 2)
    package static let domain = SIDNameUse(rawValue: 3)
    package static let alias = SIDNameUse(rawValue: 4)
    package static let wellKnownGroup = SIDNameUse(rawValue: 5)
    package static let deletedAccount = SIDNameUse(rawValue: 6)
    package static let invalid = SIDNameUse(rawValue: 7)
    package static let unknown = SIDNameUse(rawValue: 8)
    package static let computer = SIDNameUse(rawValue: 9)
}

/// How far a name or SID is to be looked for (MS-LSAT 2.2.16, LSAP_LOOKUP_LEVEL).
package struct LookupLevel: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// For a user of this machine: everywhere.
    package static let workstation = LookupLevel(rawValue: 1)
    /// For a member: the own domain and those that it trusts.
    package static let primaryDomain = LookupLevel(rawValue: 2)
    /// For a controller of a domain that trusts this one: the own domain.
    package static let trustedDomain = LookupLevel(rawValue: 3)
    package static let globalCatalog = LookupLevel(rawValue: 4)
    package static let trustedForest = LookupLevel(rawValue: 5)
    package static let forest = LookupLevel(rawValue: 6)

    /// One more is defined, for read-only controllers that ask another.
    package var isForEveryone: Bool { (1...6).contains(rawValue) }
}

/// The domains that an answer's entries are of (MS-LSAT 2.2.12, LSAPR_REFERENCED_DOMAIN_LIST):
/// Entries(4), the domains' pointer(4), MaxEntries(4), which means nothing.
package struct ReferencedDomains: NDRMessage, Equatable, Sendable {
    package static let maximum = 1_000
    /// What servers say that they have room for.
    private static let maxEntries: UInt32 = 32

    package var domains: [LSADomain]

    package init(_ domains: [LSADomain] = []) { self.domains = domains }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let array = try stub.countedArray("Domains")
        _ = try stub.uint32("MaxEntries")
        domains = try stub.elements(of: array, limit: Self.maximum, "Domains")
    }

    package func write(into stub: inout NDRWriter) {
        stub.countedArray(domains.count)
        stub.uint32(Self.maxEntries)
        stub.elements(of: domains)
    }
}

/// A name's account (MS-LSAT 2.2.14, LSA_TRANSLATED_SID): Use(2) and two that pad,
/// RelativeId(4) DomainIndex(4).
package struct TranslatedSID: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 12 }

    package var use: SIDNameUse
    package var relativeID: UInt32
    /// In the list of referenced domains; -1 for none.
    package var domainIndex: Int32

    package init(use: SIDNameUse, relativeID: UInt32 = 0, domainIndex: Int32 = -1) {
        self.use = use
        self.relativeID = relativeID
        self.domainIndex = domainIndex
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TranslatedSID, Void) {
        try stub.align(4, "Use")
        let use = SIDNameUse(rawValue: try stub.uint16("Use"))
        let relativeID = try stub.uint32("RelativeId")
        let index = Int32(bitPattern: try stub.uint32("DomainIndex"))
        return (TranslatedSID(use: use, relativeID: relativeID, domainIndex: index), ())
    }

    package mutating func parsePointees(
        _ pointees: Void, from stub: inout NDRReader
    ) throws(WireError) {}

    package func writeMembers(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(use.rawValue)
        stub.uint32(relativeID)
        stub.uint32(UInt32(bitPattern: domainIndex))
    }

    package func writePointees(into stub: inout NDRWriter) {}
}

/// The same with Flags(4) (MS-LSAT 2.2.22, LSAPR_TRANSLATED_SID_EX).
package struct TranslatedSIDEx: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 16 }

    package var account: TranslatedSID
    package var flags: UInt32

    package init(_ account: TranslatedSID, flags: UInt32 = 0) {
        self.account = account
        self.flags = flags
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TranslatedSIDEx, Void) {
        let (account, _) = try TranslatedSID.parse(&stub)
        return (TranslatedSIDEx(account, flags: try stub.uint32("Flags")), ())
    }

    package mutating func parsePointees(
        _ pointees: Void, from stub: inout NDRReader
    ) throws(WireError) {}

    package func writeMembers(into stub: inout NDRWriter) {
        account.writeMembers(into: &stub)
        stub.uint32(flags)
    }

    package func writePointees(into stub: inout NDRWriter) {}
}

/// The same with a whole SID (MS-LSAT 2.2.24, LSAPR_TRANSLATED_SID_EX2): Use(2) and two that pad,
/// Sid(4) DomainIndex(4) Flags(4).
package struct TranslatedSIDEx2: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 16 }

    package var use: SIDNameUse
    package var sid: SID?
    package var domainIndex: Int32
    package var flags: UInt32

    package init(use: SIDNameUse, sid: SID?, domainIndex: Int32 = -1, flags: UInt32 = 0) {
        self.use = use
        self.sid = sid
        self.domainIndex = domainIndex
        self.flags = flags
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TranslatedSIDEx2, Bool) {
        try stub.align(4, "Use")
        var translated = TranslatedSIDEx2(
            use: SIDNameUse(rawValue: try stub.uint16("Use")), sid: nil)
        let hasSID = try stub.pointer("Sid")
        translated.domainIndex = Int32(bitPattern: try stub.uint32("DomainIndex"))
        translated.flags = try stub.uint32("Flags")
        return (translated, hasSID)
    }

    package mutating func parsePointees(
        _ pointees: Bool, from stub: inout NDRReader
    ) throws(WireError) {
        if pointees { sid = try stub.sid("Sid") }
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(use.rawValue)
        stub.pointer(sid != nil)
        stub.uint32(UInt32(bitPattern: domainIndex))
        stub.uint32(flags)
    }

    package func writePointees(into stub: inout NDRWriter) {
        if let sid { stub.sid(sid) }
    }
}

/// A SID's name (MS-LSAT 2.2.19, LSAPR_TRANSLATED_NAME): Use(2) and two that pad, Name(8)
/// DomainIndex(4).
package struct TranslatedName: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 16 }

    package var use: SIDNameUse
    package var name: String?
    package var domainIndex: Int32

    package init(use: SIDNameUse, name: String?, domainIndex: Int32 = -1) {
        self.use = use
        self.name = name
        self.domainIndex = domainIndex
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TranslatedName, CountedString) {
        try stub.align(4, "Use")
        var translated = TranslatedName(
            use: SIDNameUse(rawValue: try stub.uint16("Use")), name: nil)
        let name = try stub.countedString("Name")
        translated.domainIndex = Int32(bitPattern: try stub.uint32("DomainIndex"))
        return (translated, name)
    }

    package mutating func parsePointees(
        _ pointees: CountedString, from stub: inout NDRReader
    ) throws(WireError) {
        name = try stub.text(of: pointees, "Name")
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(use.rawValue)
        stub.countedString(name)
        stub.uint32(UInt32(bitPattern: domainIndex))
    }

    package func writePointees(into stub: inout NDRWriter) { stub.buffer(of: name) }
}

/// The same with Flags(4) (MS-LSAT 2.2.21, LSAPR_TRANSLATED_NAME_EX).
package struct TranslatedNameEx: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 20 }

    package var account: TranslatedName
    package var flags: UInt32

    package init(_ account: TranslatedName, flags: UInt32 = 0) {
        self.account = account
        self.flags = flags
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TranslatedNameEx, CountedString) {
        let (account, name) = try TranslatedName.parse(&stub)
        return (TranslatedNameEx(account, flags: try stub.uint32("Flags")), name)
    }

    package mutating func parsePointees(
        _ pointees: CountedString, from stub: inout NDRReader
    ) throws(WireError) {
        try account.parsePointees(pointees, from: &stub)
    }

    package func writeMembers(into stub: inout NDRWriter) {
        account.writeMembers(into: &stub)
        stub.uint32(flags)
    }

    package func writePointees(into stub: inout NDRWriter) {
        account.writePointees(into: &stub)
    }
}
