import Wire

/// NEGOTIATE (MS-NLMP 2.2.2.5): what the ends of an NTLM session offer and agree upon.
package struct NegotiateFlags: OptionSet, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let unicode = NegotiateFlags(rawValue: 0x0000_0001)
    package static let oem = NegotiateFlags(rawValue: 0x0000_0002)
    package static let requestTarget = NegotiateFlags(rawValue: 0x0000_0004)
    package static let sign = NegotiateFlags(rawValue: 0x0000_0010)
    package static let seal = NegotiateFlags(rawValue: 0x0000_0020)
    package static let datagram = NegotiateFlags(rawValue: 0x0000_0040)
    package static let lmKey = NegotiateFlags(rawValue: 0x0000_0080)
    package static let ntlm = NegotiateFlags(rawValue: 0x0000_0200)
    package static let anonymous = NegotiateFlags(rawValue: 0x0000_0800)
    package static let oemDomainSupplied = NegotiateFlags(rawValue: 0x0000_1000)
    package static let oemWorkstationSupplied = NegotiateFlags(rawValue: 0x0000_2000)
    package static let alwaysSign = NegotiateFlags(rawValue: 0x0000_8000)
    package static let targetTypeDomain = NegotiateFlags(rawValue: 0x0001_0000)
    package static let targetTypeServer = NegotiateFlags(rawValue: 0x0002_0000)
    package static let extendedSessionSecurity = NegotiateFlags(rawValue: 0x0008_0000)
    package static let identify = NegotiateFlags(rawValue: 0x0010_0000)
    package static let requestNonNTSessionKey = NegotiateFlags(rawValue: 0x0040_0000)
    package static let targetInfo = NegotiateFlags(rawValue: 0x0080_0000)
    package static let version = NegotiateFlags(rawValue: 0x0200_0000)
    package static let encrypt128 = NegotiateFlags(rawValue: 0x2000_0000)
    package static let keyExchange = NegotiateFlags(rawValue: 0x4000_0000)
    package static let encrypt56 = NegotiateFlags(rawValue: 0x8000_0000)

    package var description: String { "flags \(Hex.string(rawValue))" }
}

/// VERSION (MS-NLMP 2.2.2.10), for people who read captures; no end acts on it:
///
///     ProductMajorVersion   1
///     ProductMinorVersion   1
///     ProductBuild          2
///     Reserved              3
///     NTLMRevisionCurrent   1
package struct ProductVersion: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 8
    /// The revision that every Windows since Server 2003 sends.
    package static let revision: UInt8 = 15

    package var major: UInt8
    package var minor: UInt8
    package var build: UInt16
    package var ntlmRevision: UInt8

    package init(
        major: UInt8, minor: UInt8, build: UInt16, ntlmRevision: UInt8 = ProductVersion.revision
    ) {
        self.major = major
        self.minor = minor
        self.build = build
        self.ntlmRevision = ntlmRevision
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        major = try reader.uint8("ProductMajorVersion")
        minor = try reader.uint8("ProductMinorVersion")
        build = try reader.uint16LE("ProductBuild")
        _ = try reader.take(3, "Reserved")
        ntlmRevision = try reader.uint8("NTLMRevisionCurrent")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(major)
        writer.uint8(minor)
        writer.uint16LE(build)
        writer.zeros(3)
        writer.uint8(ntlmRevision)
    }

    package var description: String { "version \(major).\(minor) build \(build)" }
}
