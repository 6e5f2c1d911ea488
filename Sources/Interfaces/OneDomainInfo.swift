import RPC
import Wire

/// How a domain and another trust each other (MS-NRPC 2.2.1.3.9, in NETLOGON_ONE_DOMAIN_INFO's
/// TrustExtension: four numbers in a string's place).
package struct TrustExtension: Equatable, Sendable {
    package var flags: UInt32
    package var parentIndex: UInt32
    package var trustType: UInt32
    package var trustAttributes: UInt32

    package init(
        flags: UInt32, parentIndex: UInt32 = 0, trustType: UInt32, trustAttributes: UInt32
    ) {
        self.flags = flags
        self.parentIndex = parentIndex
        self.trustType = trustType
        self.trustAttributes = trustAttributes
    }

    static let byteCount = 16

    init(parsing reader: inout WireReader) throws(WireError) {
        flags = try reader.uint32LE("Flags")
        parentIndex = try reader.uint32LE("ParentIndex")
        trustType = try reader.uint32LE("TrustType")
        trustAttributes = try reader.uint32LE("TrustAttributes")
    }
}

/// A domain, the member's own or one that it trusts (MS-NRPC 2.2.1.3.10,
/// NETLOGON_ONE_DOMAIN_INFO):
/// ```
/// DomainName(8)  DnsDomainName(8)  DnsForestName(8)  DomainGuid(16)  DomainSid(4)
/// TrustExtension(8)  DummyString2(8) ... DummyString4(8)  DummyLong1(4) ... DummyLong4(4)
/// ```
package struct OneDomainInfo: Equatable, Sendable {
    /// Of the members, without what they point to.
    static let byteCount = 92

    package var domainName: String?
    package var dnsDomainName: String?
    package var dnsForestName: String?
    package var domainGUID: GUID
    package var domainSID: SID?
    package var trustExtension: TrustExtension?

    package init(
        domainName: String?, dnsDomainName: String? = nil, dnsForestName: String? = nil,
        domainGUID: GUID = .zero, domainSID: SID?, trustExtension: TrustExtension? = nil
    ) {
        self.domainName = domainName
        self.dnsDomainName = dnsDomainName
        self.dnsForestName = dnsForestName
        self.domainGUID = domainGUID
        self.domainSID = domainSID
        self.trustExtension = trustExtension
    }

    /// The members whose content is yet to come.
    struct Deferred {
        var strings: InlineArray<7, CountedString>
        var hasSID: Bool
    }

    static func parse(_ stub: inout NDRReader) throws(WireError) -> (OneDomainInfo, Deferred) {
        var strings = InlineArray<7, CountedString>(
            repeating: CountedString(length: 0, maximumLength: 0, hasBuffer: false))
        for index in 0..<3 { strings[index] = try stub.countedString("domain names") }
        let guid = try GUID(parsing: &stub.wire)
        let hasSID = try stub.pointer("DomainSid")
        for index in 3..<7 { strings[index] = try stub.countedString("TrustExtension") }
        for _ in 0..<4 { _ = try stub.uint32("DummyLong") }
        let info = OneDomainInfo(domainName: nil, domainGUID: guid, domainSID: nil)
        return (info, Deferred(strings: strings, hasSID: hasSID))
    }

    mutating func parsePointees(
        _ deferred: Deferred, from stub: inout NDRReader
    ) throws(WireError) {
        domainName = try stub.text(of: deferred.strings[0], "DomainName")
        dnsDomainName = try stub.text(of: deferred.strings[1], "DnsDomainName")
        dnsForestName = try stub.text(of: deferred.strings[2], "DnsForestName")
        if deferred.hasSID { domainSID = try stub.sid("DomainSid") }
        if let range = try stub.buffer(of: deferred.strings[3], "TrustExtension") {
            var part = stub.wire.part(range)
            trustExtension = try TrustExtension(parsing: &part)
            try part.expectEnd("TrustExtension")
        }
        for index in 4..<7 { _ = try stub.buffer(of: deferred.strings[index], "DummyString") }
    }

    func write(into stub: inout NDRWriter) {
        stub.countedString(domainName)
        stub.countedString(dnsDomainName)
        stub.countedString(dnsForestName)
        domainGUID.write(into: &stub.wire)
        stub.pointer(domainSID != nil)
        let length = trustExtension == nil ? 0 : UInt16(TrustExtension.byteCount)
        stub.uint16(length)
        stub.uint16(length)
        stub.pointer(trustExtension != nil)
        for _ in 0..<3 { stub.countedString(nil) }
        stub.wire.zeros(16)
    }

    func writePointees(into stub: inout NDRWriter) {
        stub.buffer(of: domainName)
        stub.buffer(of: dnsDomainName)
        stub.buffer(of: dnsForestName)
        if let domainSID { stub.sid(domainSID) }
        if let trustExtension {
            stub.varyingConformance(TrustExtension.byteCount / 2)
            stub.uint32(trustExtension.flags)
            stub.uint32(trustExtension.parentIndex)
            stub.uint32(trustExtension.trustType)
            stub.uint32(trustExtension.trustAttributes)
        }
    }
}
