import RPC
import Wire

/// One of the seven calls that translate names to SIDs or back. They differ in what they say of
/// an account, and in what the later ones added: options and the client's revision, and, for
/// those over a secure channel, no handle.
package protocol LSALookup {
    associatedtype Translation: NDRElement & Equatable & Sendable

    static var hasPolicyHandle: Bool { get }
    static var hasOptions: Bool { get }
}

/// What limits a lookup: the most that servers take at once (MS-LSAT 2.2.18 and 3.1.4.5).
package enum LookupLimits {
    package static let names = 1_000
    package static let sids = 20_480
}

/// The request of an LsarLookupNames.
package struct LookupNamesRequest<Lookup: LSALookup>: NDRMessage, Equatable, Sendable {
    /// All zero where the call has none.
    package var policyHandle: ContextHandle
    package var names: [String]
    package var lookupLevel: LookupLevel
    package var lookupOptions: UInt32
    package var clientRevision: UInt32

    package init(
        policyHandle: ContextHandle = .null, names: [String],
        lookupLevel: LookupLevel = .workstation, lookupOptions: UInt32 = 0,
        clientRevision: UInt32 = 0
    ) {
        self.policyHandle = policyHandle
        self.names = names
        self.lookupLevel = lookupLevel
        self.lookupOptions = lookupOptions
        self.clientRevision = clientRevision
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        policyHandle = Lookup.hasPolicyHandle ? try stub.contextHandle("PolicyHandle") : .null
        let count = Int(clamping: try stub.uint32("Count"))
        let elements: [CountedName] = try stub.elements(limit: LookupLimits.names, "Names")
        if elements.count != count { throw stub.wire.invalid("Count", count) }
        names = elements.map { $0.text ?? "" }
        let translated = try stub.countedArray("TranslatedSids")
        let _: [Lookup.Translation] = try stub.elements(
            of: translated, limit: LookupLimits.names, "TranslatedSids")
        lookupLevel = LookupLevel(rawValue: try stub.uint16("LookupLevel"))
        _ = try stub.uint32("MappedCount")
        lookupOptions = Lookup.hasOptions ? try stub.uint32("LookupOptions") : 0
        clientRevision = Lookup.hasOptions ? try stub.uint32("ClientRevision") : 0
        try stub.expectEndOfRequest("LsarLookupNames")
    }

    package func write(into stub: inout NDRWriter) {
        if Lookup.hasPolicyHandle { stub.contextHandle(policyHandle) }
        stub.uint32(UInt32(names.count))
        stub.elements(names.map { CountedName($0) })
        stub.countedArray(0)
        stub.uint16(lookupLevel.rawValue)
        stub.uint32(0)
        if Lookup.hasOptions {
            stub.uint32(lookupOptions)
            stub.uint32(clientRevision)
        }
    }
}

/// The request of an LsarLookupSids.
package struct LookupSIDsRequest<Lookup: LSALookup>: NDRMessage, Equatable, Sendable {
    /// All zero where the call has none.
    package var policyHandle: ContextHandle
    package var sids: [SID]
    package var lookupLevel: LookupLevel
    package var lookupOptions: UInt32
    package var clientRevision: UInt32

    package init(
        policyHandle: ContextHandle = .null, sids: [SID],
        lookupLevel: LookupLevel = .workstation, lookupOptions: UInt32 = 0,
        clientRevision: UInt32 = 0
    ) {
        self.policyHandle = policyHandle
        self.sids = sids
        self.lookupLevel = lookupLevel
        self.lookupOptions = lookupOptions
        self.clientRevision = clientRevision
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        policyHandle = Lookup.hasPolicyHandle ? try stub.contextHandle("PolicyHandle") : .null
        let array = try stub.countedArray("SidEnumBuffer")
        let elements: [PointedSID] = try stub.elements(
            of: array, limit: LookupLimits.sids, "SidEnumBuffer")
        sids = elements.map { $0.sid }
        let translated = try stub.countedArray("TranslatedNames")
        let _: [Lookup.Translation] = try stub.elements(
            of: translated, limit: LookupLimits.sids, "TranslatedNames")
        lookupLevel = LookupLevel(rawValue: try stub.uint16("LookupLevel"))
        _ = try stub.uint32("MappedCount")
        lookupOptions = Lookup.hasOptions ? try stub.uint32("LookupOptions") : 0
        clientRevision = Lookup.hasOptions ? try stub.uint32("ClientRevision") : 0
        try stub.expectEndOfRequest("LsarLookupSids")
    }

    package func write(into stub: inout NDRWriter) {
        if Lookup.hasPolicyHandle { stub.contextHandle(policyHandle) }
        stub.countedArray(sids.count)
        stub.elements(of: sids.map { PointedSID($0) })
        stub.countedArray(0)
        stub.uint16(lookupLevel.rawValue)
        stub.uint32(0)
        if Lookup.hasOptions {
            stub.uint32(lookupOptions)
            stub.uint32(clientRevision)
        }
    }
}

/// The response of any of them: one translation for each name or SID, in their order.
package struct LookupResponse<Lookup: LSALookup>: NDRMessage, Equatable, Sendable {
    package var referencedDomains: ReferencedDomains?
    package var translations: [Lookup.Translation]
    package var mappedCount: UInt32
    package var status: NTStatus

    package init(
        referencedDomains: ReferencedDomains?, translations: [Lookup.Translation],
        mappedCount: UInt32, status: NTStatus = .success
    ) {
        self.referencedDomains = referencedDomains
        self.translations = translations
        self.mappedCount = mappedCount
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        referencedDomains =
            try stub.pointer("ReferencedDomains") ? try ReferencedDomains(parsing: &stub) : nil
        let array = try stub.countedArray("Translated")
        translations = try stub.elements(of: array, limit: LookupLimits.sids, "Translated")
        mappedCount = try stub.uint32("MappedCount")
        status = try stub.status("status")
        try stub.expectEnd("LsarLookup")
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(referencedDomains != nil)
        referencedDomains?.write(into: &stub)
        stub.countedArray(translations.count)
        stub.elements(of: translations)
        stub.uint32(mappedCount)
        stub.status(status)
    }
}

// MARK: Names to SIDs

/// Translates names (MS-LSAT 3.1.4.8).
package enum LsarLookupNames: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 14
    package static var hasPolicyHandle: Bool { true }
    package static var hasOptions: Bool { false }
    package typealias Translation = TranslatedSID
    package typealias Request = LookupNamesRequest<LsarLookupNames>
    package typealias Response = LookupResponse<LsarLookupNames>
}

/// The same of clients since Windows 2000 (MS-LSAT 3.1.4.7).
package enum LsarLookupNames2: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 58
    package static var hasPolicyHandle: Bool { true }
    package static var hasOptions: Bool { true }
    package typealias Translation = TranslatedSIDEx
    package typealias Request = LookupNamesRequest<LsarLookupNames2>
    package typealias Response = LookupResponse<LsarLookupNames2>
}

/// The same with whole SIDs (MS-LSAT 3.1.4.6).
package enum LsarLookupNames3: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 68
    package static var hasPolicyHandle: Bool { true }
    package static var hasOptions: Bool { true }
    package typealias Translation = TranslatedSIDEx2
    package typealias Request = LookupNamesRequest<LsarLookupNames3>
    package typealias Response = LookupResponse<LsarLookupNames3>
}

/// The same over a secure channel, without a handle (MS-LSAT 3.1.4.5).
package enum LsarLookupNames4: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 77
    package static var hasPolicyHandle: Bool { false }
    package static var hasOptions: Bool { true }
    package typealias Translation = TranslatedSIDEx2
    package typealias Request = LookupNamesRequest<LsarLookupNames4>
    package typealias Response = LookupResponse<LsarLookupNames4>
}

// MARK: SIDs to names

/// Translates SIDs (MS-LSAT 3.1.4.11).
package enum LsarLookupSids: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 15
    package static var hasPolicyHandle: Bool { true }
    package static var hasOptions: Bool { false }
    package typealias Translation = TranslatedName
    package typealias Request = LookupSIDsRequest<LsarLookupSids>
    package typealias Response = LookupResponse<LsarLookupSids>
}

/// The same of clients since Windows 2000 (MS-LSAT 3.1.4.10).
package enum LsarLookupSids2: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 57
    package static var hasPolicyHandle: Bool { true }
    package static var hasOptions: Bool { true }
    package typealias Translation = TranslatedNameEx
    package typealias Request = LookupSIDsRequest<LsarLookupSids2>
    package typealias Response = LookupResponse<LsarLookupSids2>
}

/// The same over a secure channel, without a handle (MS-LSAT 3.1.4.9).
package enum LsarLookupSids3: RemoteProcedure, LSALookup {
    package static let opnum: UInt16 = 76
    package static var hasPolicyHandle: Bool { false }
    package static var hasOptions: Bool { true }
    package typealias Translation = TranslatedNameEx
    package typealias Request = LookupSIDsRequest<LsarLookupSids3>
    package typealias Response = LookupResponse<LsarLookupSids3>
}
