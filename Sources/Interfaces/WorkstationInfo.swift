import RPC
import Wire

/// What a member tells of itself (MS-NRPC 2.2.1.3.6, NETLOGON_WORKSTATION_INFO):
/// ```
/// LsaPolicy(8)  DnsHostName(4)  SiteName(4)  Dummy1(4) ... Dummy4(4)
/// OsVersion(8)  OsName(8)  DummyString3(8)  DummyString4(8)
/// WorkstationFlags(4)  KerberosSupportedEncryptionTypes(4)  DummyLong3(4)  DummyLong4(4)
/// ```
/// The version is an opaque structure in a string's place, so it is bytes here. What is reserved
/// is read over and never written.
package struct WorkstationInfo: NDRMessage, Equatable, Sendable {
    package var dnsHostName: String?
    package var siteName: String?
    /// An even number of bytes.
    package var osVersion: [UInt8]?
    package var osName: String?
    package var workstationFlags: UInt32
    package var supportedEncryptionTypes: UInt32

    package init(
        dnsHostName: String? = nil, siteName: String? = nil, osVersion: [UInt8]? = nil,
        osName: String? = nil, workstationFlags: UInt32 = 0, supportedEncryptionTypes: UInt32 = 0
    ) {
        self.dnsHostName = dnsHostName
        self.siteName = siteName
        self.osVersion = osVersion
        self.osName = osName
        self.workstationFlags = workstationFlags
        self.supportedEncryptionTypes = supportedEncryptionTypes
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let policy = try LSAPolicyInfo(parsing: &stub)
        let hasHostName = try stub.pointer("DnsHostName")
        let hasSiteName = try stub.pointer("SiteName")
        var hasDummies = InlineArray<4, Bool>(repeating: false)
        for index in 0..<4 { hasDummies[index] = try stub.pointer("Dummy") }
        let version = try stub.countedString("OsVersion")
        let name = try stub.countedString("OsName")
        let third = try stub.countedString("DummyString3")
        let fourth = try stub.countedString("DummyString4")
        workstationFlags = try stub.uint32("WorkstationFlags")
        supportedEncryptionTypes = try stub.uint32("KerberosSupportedEncryptionTypes")
        _ = try stub.uint32("DummyLong3")
        _ = try stub.uint32("DummyLong4")
        try policy.parsePolicy(from: &stub)
        dnsHostName = hasHostName ? try stub.wideText("DnsHostName") : nil
        siteName = hasSiteName ? try stub.wideText("SiteName") : nil
        for index in 0..<4 where hasDummies[index] { _ = try stub.wideString("Dummy") }
        osVersion = nil
        if let range = try stub.buffer(of: version, "OsVersion") {
            osVersion = stub.wire.copy(range)
        }
        osName = try stub.text(of: name, "OsName")
        _ = try stub.buffer(of: third, "DummyString3")
        _ = try stub.buffer(of: fourth, "DummyString4")
    }

    package func write(into stub: inout NDRWriter) {
        LSAPolicyInfo().write(into: &stub)
        stub.pointer(dnsHostName != nil)
        stub.pointer(siteName != nil)
        for _ in 0..<4 { stub.pointer(false) }
        stub.countedBytes(osVersion)
        stub.countedString(osName)
        stub.countedString(nil)
        stub.countedString(nil)
        stub.uint32(workstationFlags)
        stub.uint32(supportedEncryptionTypes)
        stub.uint32(0)
        stub.uint32(0)
        if let dnsHostName { stub.wideString(dnsHostName) }
        if let siteName { stub.wideString(siteName) }
        if let osVersion { Self.writeVersion(osVersion, into: &stub) }
        stub.buffer(of: osName)
    }

    /// Its counts are in units of two bytes, as a string's are.
    private static func writeVersion(_ version: [UInt8], into stub: inout NDRWriter) {
        stub.varyingConformance(version.count / 2)
        stub.wire.append(version)
    }
}

/// A policy that never was defined (MS-NRPC 2.2.1.3.5, NETLOGON_LSA_POLICY_INFO): its size(4) and
/// its content's pointer(4).
struct LSAPolicyInfo {
    private var size = 0
    private var hasPolicy = false

    init() {}

    init(parsing stub: inout NDRReader) throws(WireError) {
        size = Int(clamping: try stub.uint32("LsaPolicySize"))
        hasPolicy = try stub.pointer("LsaPolicy")
    }

    func parsePolicy(from stub: inout NDRReader) throws(WireError) {
        guard hasPolicy else { return }
        let count = try stub.conformance(elementSize: 1, limit: size, "LsaPolicy")
        _ = try stub.wire.take(count, "LsaPolicy")
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(0)
        stub.pointer(false)
    }
}
