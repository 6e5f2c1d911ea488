import Wire

/// NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1), the client's offer:
///
///     Signature           8   NTLMSSP, zero
///     MessageType 1       4
///     NegotiateFlags      4
///     DomainNameFields    8
///     WorkstationFields   8
///     Version             8   not from Windows 2000 and older
///     Payload                 names in the OEM code page
package struct NegotiateMessage: CustomStringConvertible {
    package var negotiateFlags: NegotiateFlags
    package var domainName: String
    package var workstation: String
    package var version: ProductVersion?

    package init(
        negotiateFlags: NegotiateFlags, domainName: String = "", workstation: String = "",
        version: ProductVersion? = nil
    ) {
        self.negotiateFlags = negotiateFlags
        self.domainName = domainName
        self.workstation = workstation
        self.version = version
    }

    private static let header = 32

    /// Reads all that is left, because the payload has no end of its own.
    package init(parsing reader: inout WireReader) throws(WireError) {
        var fields = PayloadFields(reader)
        try NTLMMessageType.expect(.negotiate, &reader)
        negotiateFlags = NegotiateFlags(rawValue: try reader.uint32LE("NegotiateFlags"))
        domainName = ""
        workstation = ""
        // The oldest clients end here.
        if reader.isAtEnd { return }
        // Clients leave anything in fields that their flags declare empty: those are not read.
        if negotiateFlags.contains(.oemDomainSupplied) {
            let domain = try fields.field(&reader, "DomainName", header: Self.header)
            domainName = try reader.name(domain, unicode: false, "DomainName")
        } else {
            _ = try reader.take(PayloadFields.size, "DomainName")
        }
        if negotiateFlags.contains(.oemWorkstationSupplied) {
            let station = try fields.field(&reader, "Workstation", header: Self.header)
            workstation = try reader.name(station, unicode: false, "Workstation")
        } else {
            _ = try reader.take(PayloadFields.size, "Workstation")
        }
        if negotiateFlags.contains(.version), fields.reaches(Self.header + 8) {
            version = try ProductVersion(parsing: &reader)
        }
        _ = reader.takeRest()
    }

    package func write(into writer: inout WireWriter) {
        let base = writer.count
        NTLMMessageType.negotiate.write(into: &writer)
        var flags = negotiateFlags.subtracting([
            .version, .oemDomainSupplied, .oemWorkstationSupplied,
        ])
        if version != nil { flags.insert(.version) }
        if !domainName.isEmpty { flags.insert(.oemDomainSupplied) }
        if !workstation.isEmpty { flags.insert(.oemWorkstationSupplied) }
        writer.uint32LE(flags.rawValue)
        let domain = writer.reserveField()
        let station = writer.reserveField()
        version?.write(into: &writer)
        for (field, name) in [(station, workstation), (domain, domainName)] where !name.isEmpty {
            let start = writer.count
            writer.name(name, unicode: false)
            writer.fill(field, base: base, from: start)
        }
    }

    package var description: String {
        var text = "NTLM NEGOTIATE \(negotiateFlags.description)"
        if !domainName.isEmpty { text += " domain \(domainName)" }
        if !workstation.isEmpty { text += " workstation \(workstation)" }
        if let version { text += " " + version.description }
        return text
    }
}
