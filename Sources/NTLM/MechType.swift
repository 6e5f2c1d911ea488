import Wire

/// A GSS-API mechanism: its object identifier, as the content of a DER element.
package struct MechType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// Longest identifier that is read, in bytes; the known ones have ten at most.
    package static let limit = 32

    package let rawValue: [UInt8]

    package init(rawValue: [UInt8]) { self.rawValue = rawValue }

    /// 1.3.6.1.4.1.311.2.2.10
    package static let ntlmssp = MechType(
        rawValue: [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a])
    /// 1.3.6.1.4.1.311.2.2.30
    package static let negoEx = MechType(
        rawValue: [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1e])
    /// 1.2.840.113554.1.2.2
    package static let kerberos = MechType(
        rawValue: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02])
    /// 1.2.840.48018.1.2.2, Kerberos as Windows 2000 misspelled it.
    package static let microsoftKerberos = MechType(
        rawValue: [0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02])
    /// 1.3.6.1.5.5.2
    package static let spnego = MechType(rawValue: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x02])

    /// Reads the whole element.
    init(parsing reader: inout WireReader, _ field: StaticString) throws(WireError) {
        let range = try reader.der(DERTag.objectIdentifier, field)
        if range.count > Self.limit {
            throw WireError(
                .limit, layer: "SPNEGO", field: field, offset: range.lowerBound,
                needed: range.count, available: Self.limit)
        }
        rawValue = reader.copy(range)
    }

    var element: [UInt8] { DER.element(DERTag.objectIdentifier, rawValue) }

    package var description: String {
        switch self {
        case .ntlmssp: "NTLMSSP"
        case .negoEx: "NegoEx"
        case .kerberos: "Kerberos"
        case .microsoftKerberos: "Microsoft Kerberos"
        case .spnego: "SPNEGO"
        case _: "mechanism \(Hex.string(rawValue))"
        }
    }
}
