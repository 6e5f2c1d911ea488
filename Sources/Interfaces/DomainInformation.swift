import RPC
import Wire

/// A member's domain and those that it trusts (MS-NRPC 2.2.1.3.11, NETLOGON_DOMAIN_INFO):
/// ```
/// PrimaryDomain(92)  TrustedDomainCount(4)  TrustedDomains(4)  LsaPolicy(8)
/// DnsHostNameInDs(8)  DummyString2(8) ... DummyString4(8)
/// WorkstationFlags(4)  SupportedEncTypes(4)  DummyLong3(4)  DummyLong4(4)
/// ```
package struct DomainInformation: NDRMessage, Equatable, Sendable {
    package static let maximumTrustedDomains = 1_024

    package var primaryDomain: OneDomainInfo
    package var trustedDomains: [OneDomainInfo]
    package var dnsHostNameInDS: String?
    package var workstationFlags: UInt32
    package var supportedEncryptionTypes: UInt32

    package init(
        primaryDomain: OneDomainInfo, trustedDomains: [OneDomainInfo] = [],
        dnsHostNameInDS: String? = nil, workstationFlags: UInt32 = 0,
        supportedEncryptionTypes: UInt32 = 0
    ) {
        self.primaryDomain = primaryDomain
        self.trustedDomains = trustedDomains
        self.dnsHostNameInDS = dnsHostNameInDS
        self.workstationFlags = workstationFlags
        self.supportedEncryptionTypes = supportedEncryptionTypes
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        try stub.align(4, "PrimaryDomain")
        let primary: OneDomainInfo.Deferred
        (primaryDomain, primary) = try OneDomainInfo.parse(&stub)
        let announced = Int(clamping: try stub.uint32("TrustedDomainCount"))
        let hasTrusted = try stub.pointer("TrustedDomains")
        let policy = try LSAPolicyInfo(parsing: &stub)
        let hostName = try stub.countedString("DnsHostNameInDs")
        let second = try stub.countedString("DummyString2")
        let third = try stub.countedString("DummyString3")
        let fourth = try stub.countedString("DummyString4")
        workstationFlags = try stub.uint32("WorkstationFlags")
        supportedEncryptionTypes = try stub.uint32("SupportedEncTypes")
        _ = try stub.uint32("DummyLong3")
        _ = try stub.uint32("DummyLong4")
        trustedDomains = []
        try primaryDomain.parsePointees(primary, from: &stub)
        if hasTrusted {
            try parseTrustedDomains(announced, from: &stub)
        } else if announced > 0 {
            throw stub.wire.invalid("TrustedDomainCount", announced)
        }
        try policy.parsePolicy(from: &stub)
        dnsHostNameInDS = try stub.text(of: hostName, "DnsHostNameInDs")
        _ = try stub.buffer(of: second, "DummyString2")
        _ = try stub.buffer(of: third, "DummyString3")
        _ = try stub.buffer(of: fourth, "DummyString4")
    }

    private mutating func parseTrustedDomains(
        _ announced: Int, from stub: inout NDRReader
    ) throws(WireError) {
        let count = try stub.conformance(
            elementSize: OneDomainInfo.byteCount, limit: Self.maximumTrustedDomains,
            "TrustedDomains")
        if count != announced { throw stub.wire.invalid("TrustedDomains", count, width: 4) }
        var deferred: [OneDomainInfo.Deferred] = []
        for _ in 0..<count {
            let (domain, pointees) = try OneDomainInfo.parse(&stub)
            trustedDomains.append(domain)
            deferred.append(pointees)
        }
        for index in 0..<count {
            try trustedDomains[index].parsePointees(deferred[index], from: &stub)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.align(4)
        primaryDomain.write(into: &stub)
        stub.uint32(UInt32(trustedDomains.count))
        stub.pointer(!trustedDomains.isEmpty)
        LSAPolicyInfo().write(into: &stub)
        stub.countedString(dnsHostNameInDS)
        for _ in 0..<3 { stub.countedString(nil) }
        stub.uint32(workstationFlags)
        stub.uint32(supportedEncryptionTypes)
        stub.uint32(0)
        stub.uint32(0)
        primaryDomain.writePointees(into: &stub)
        if !trustedDomains.isEmpty {
            stub.uint32(UInt32(trustedDomains.count))
            for domain in trustedDomains { domain.write(into: &stub) }
            for domain in trustedDomains { domain.writePointees(into: &stub) }
        }
        stub.buffer(of: dnsHostNameInDS)
    }
}
