import RPC
import Wire

/// A domain and how it is trusted (MS-NRPC 2.2.1.6.2, DS_DOMAIN_TRUSTSW):
/// ```
/// NetbiosDomainName(4)  DnsDomainName(4)  Flags(4)  ParentIndex(4)  TrustType(4)
/// TrustAttributes(4)  DomainSid(4)  DomainGuid(16)
/// ```
package struct DomainTrust: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 44 }

    /// Flags, also in requests to say which domains are wanted.
    package static let inForest: UInt32 = 0x01
    package static let directOutbound: UInt32 = 0x02
    package static let treeRoot: UInt32 = 0x04
    package static let primary: UInt32 = 0x08
    package static let nativeMode: UInt32 = 0x10
    package static let directInbound: UInt32 = 0x20

    package var netBIOSDomainName: String?
    package var dnsDomainName: String?
    package var flags: UInt32
    package var parentIndex: UInt32
    package var trustType: UInt32
    package var trustAttributes: UInt32
    package var domainSID: SID?
    package var domainGUID: GUID

    package init(
        netBIOSDomainName: String?, dnsDomainName: String? = nil, flags: UInt32,
        parentIndex: UInt32 = 0, trustType: UInt32 = TrustedDomainInformationEx.downlevel,
        trustAttributes: UInt32 = 0, domainSID: SID?, domainGUID: GUID = .zero
    ) {
        self.netBIOSDomainName = netBIOSDomainName
        self.dnsDomainName = dnsDomainName
        self.flags = flags
        self.parentIndex = parentIndex
        self.trustType = trustType
        self.trustAttributes = trustAttributes
        self.domainSID = domainSID
        self.domainGUID = domainGUID
    }

    package struct Pointees {
        var hasName: Bool
        var hasDNSName: Bool
        var hasSID: Bool
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (DomainTrust, Pointees) {
        let hasName = try stub.pointer("NetbiosDomainName")
        let hasDNSName = try stub.pointer("DnsDomainName")
        var trust = DomainTrust(
            netBIOSDomainName: nil, flags: try stub.uint32("Flags"), domainSID: nil)
        trust.parentIndex = try stub.uint32("ParentIndex")
        trust.trustType = try stub.uint32("TrustType")
        trust.trustAttributes = try stub.uint32("TrustAttributes")
        let hasSID = try stub.pointer("DomainSid")
        trust.domainGUID = try GUID(parsing: &stub.wire)
        return (trust, Pointees(hasName: hasName, hasDNSName: hasDNSName, hasSID: hasSID))
    }

    package mutating func parsePointees(
        _ pointees: Pointees, from stub: inout NDRReader
    ) throws(WireError) {
        if pointees.hasName { netBIOSDomainName = try stub.wideText("NetbiosDomainName") }
        if pointees.hasDNSName { dnsDomainName = try stub.wideText("DnsDomainName") }
        if pointees.hasSID { domainSID = try stub.sid("DomainSid") }
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.pointer(netBIOSDomainName != nil)
        stub.pointer(dnsDomainName != nil)
        stub.uint32(flags)
        stub.uint32(parentIndex)
        stub.uint32(trustType)
        stub.uint32(trustAttributes)
        stub.pointer(domainSID != nil)
        domainGUID.write(into: &stub.wire)
    }

    package func writePointees(into stub: inout NDRWriter) {
        if let netBIOSDomainName { stub.wideString(netBIOSDomainName) }
        if let dnsDomainName { stub.wideString(dnsDomainName) }
        if let domainSID { stub.sid(domainSID) }
    }
}

/// The request of all enumerations that only name a server.
package struct ServerQuery: NDRMessage, Equatable, Sendable {
    package var serverName: String?

    package init(serverName: String?) { self.serverName = serverName }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        serverName = try stub.optionalWideText("ServerName")
        try stub.expectEndOfRequest("ServerName")
    }

    package func write(into stub: inout NDRWriter) { stub.optionalWideString(serverName) }
}

/// The response of both newer enumerations (NETLOGON_TRUSTED_DOMAIN_ARRAY, 2.2.1.6.3).
package struct DomainTrusts: NDRMessage, Equatable, Sendable {
    package static let maximum = 4_096

    package var domains: [DomainTrust]
    package var status: NetStatus

    package init(domains: [DomainTrust], status: NetStatus = .success) {
        self.domains = domains
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let array = try stub.countedArray("Domains")
        domains = try stub.elements(of: array, limit: Self.maximum, "Domains")
        status = try stub.netStatus("status")
        try stub.expectEnd("Domains")
    }

    package func write(into stub: inout NDRWriter) {
        stub.countedArray(domains.count)
        stub.elements(of: domains)
        stub.netStatus(status)
    }
}

/// Lists the domains of the flags that are asked for (MS-NRPC 3.5.4.7.1).
package enum DsrEnumerateDomainTrusts: RemoteProcedure {
    package static let opnum: UInt16 = 40
    package typealias Response = DomainTrusts

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var flags: UInt32

        package init(serverName: String?, flags: UInt32) {
            self.serverName = serverName
            self.flags = flags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            flags = try stub.uint32("Flags")
            try stub.expectEndOfRequest("DsrEnumerateDomainTrusts")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.uint32(flags)
        }
    }
}

/// Lists the domains that this one trusts (MS-NRPC 3.5.4.7.2).
package enum NetrEnumerateTrustedDomainsEx: RemoteProcedure {
    package static let opnum: UInt16 = 36
    package typealias Request = ServerQuery
    package typealias Response = DomainTrusts
}

/// Lists their names (MS-NRPC 3.5.4.7.3).
package enum NetrEnumerateTrustedDomains: RemoteProcedure {
    package static let opnum: UInt16 = 19
    package typealias Request = ServerQuery

    /// DOMAIN_NAME_BUFFER (2.2.1.6.1): DomainNameByteCount(4) and a pointer(4) to the names in
    /// UTF-16LE, each with its null, and one more null.
    package struct Response: NDRMessage, Equatable, Sendable {
        package static let maximumBytes = 1 << 20

        package var domainNames: [String]
        package var status: NTStatus

        package init(domainNames: [String], status: NTStatus = .success) {
            self.domainNames = domainNames
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let array = try stub.countedArray("DomainNames")
            domainNames = []
            if array.hasElements {
                let count = try stub.conformance(
                    elementSize: 1, limit: Self.maximumBytes, "DomainNames")
                if count != array.count { throw stub.wire.invalid("DomainNames", array.count) }
                var names = stub.wire.part(try stub.wire.take(count, "DomainNames"))
                while !names.isAtEnd {
                    let name = try names.utf16LEZ("DomainNames")
                    if name.isEmpty { break }
                    domainNames.append(name)
                }
            }
            status = try stub.status("status")
            try stub.expectEnd("NetrEnumerateTrustedDomains")
        }

        package func write(into stub: inout NDRWriter) {
            var count = 2
            for name in domainNames { count += 2 * name.utf16.count + 2 }
            stub.countedArray(count)
            stub.uint32(UInt32(count))
            for name in domainNames {
                stub.wire.utf16LE(name)
                stub.wire.uint16LE(0)
            }
            stub.wire.uint16LE(0)
            stub.status(status)
        }
    }
}
