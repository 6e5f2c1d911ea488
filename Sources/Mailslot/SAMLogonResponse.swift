import Wire

/// NETLOGON_SAM_LOGON_RESPONSE_NT40 and NETLOGON_SAM_LOGON_RESPONSE, MS-ADTS 6.3.1.7 and 6.3.1.8:
/// an answer to a SAM LOGON request in the form of Windows NT 4.0, or with what Windows 2000
/// added, which NtVersion tells.
///
/// ```
/// Opcode(2) = 0x13, 0x14 or 0x15 | UnicodeLogonServer, with two backslashes
/// | UnicodeUserName | UnicodeDomainName
/// | NT5: DomainGuid(16) NullGuid(16) DnsForestName DnsDomainName DnsHostName DcIpAddress(4)
///        Flags(4)
/// | NtVersion(4) | LmNtToken(2) | Lm20Token(2)
/// ```
package struct SAMLogonResponse: Equatable, Sendable, CustomStringConvertible {
    /// What Windows 2000 added.
    package struct NT5: Equatable, Sendable {
        package var domainGuid: GUID
        package var dnsForestName: String
        package var dnsDomainName: String
        package var dnsHostName: String
        package var dcIPAddress: IPv4Address
        package var flags: ControllerFlags

        package init(
            domainGuid: GUID, dnsForestName: String, dnsDomainName: String, dnsHostName: String,
            dcIPAddress: IPv4Address, flags: ControllerFlags
        ) {
            self.domainGuid = domainGuid
            self.dnsForestName = dnsForestName
            self.dnsDomainName = dnsDomainName
            self.dnsHostName = dnsHostName
            self.dcIPAddress = dcIPAddress
            self.flags = flags
        }
    }

    package var opcode: NetlogonOpcode
    package var unicodeLogonServer: UnicodeText
    package var unicodeUserName: UnicodeText
    package var unicodeDomainName: UnicodeText
    package var nt5: NT5?
    package var trailer: NetlogonTrailer

    /// `opcode` is `samLogonResponse`, `samPauseResponse` or `samUserUnknown`; NtVersion says
    /// which form it is.
    package init(
        _ opcode: NetlogonOpcode, unicodeLogonServer: UnicodeText, unicodeUserName: UnicodeText,
        unicodeDomainName: UnicodeText, nt5: NT5? = nil
    ) {
        self.opcode = opcode
        self.unicodeLogonServer = unicodeLogonServer
        self.unicodeUserName = unicodeUserName
        self.unicodeDomainName = unicodeDomainName
        self.nt5 = nt5
        trailer = NetlogonTrailer(nt5 == nil ? .v1 : [.v1, .v5])
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        opcode = NetlogonOpcode(rawValue: try reader.uint16LE("Opcode"))
        switch opcode {
        case .samLogonResponse, .samPauseResponse, .samUserUnknown: break
        case _: throw reader.invalid("Opcode", Int(opcode.rawValue), width: 2)
        }
        unicodeLogonServer = try UnicodeText(parsing: &reader, "UnicodeLogonServer")
        unicodeUserName = try UnicodeText(parsing: &reader, "UnicodeUserName")
        unicodeDomainName = try UnicodeText(parsing: &reader, "UnicodeDomainName")
        if try NetlogonTrailer.peekVersion(&reader).contains(.v5) {
            nt5 = try Self.parseNT5(&reader, messageAt: start)
        }
        trailer = try NetlogonTrailer(parsing: &reader)
    }

    private static func parseNT5(
        _ reader: inout WireReader, messageAt start: Int
    ) throws(WireError) -> NT5 {
        let domainGuid = try GUID(parsing: &reader)
        _ = try reader.take(16, "NullGuid")
        let forest = try CompressedName.parse(&reader, messageAt: start, "DnsForestName")
        let domain = try CompressedName.parse(&reader, messageAt: start, "DnsDomainName")
        let host = try CompressedName.parse(&reader, messageAt: start, "DnsHostName")
        // The one field in the host's order, as the vectors show it.
        let address = IPv4Address(rawValue: try reader.uint32LE("DcIpAddress"))
        let flags = ControllerFlags(rawValue: try reader.uint32LE("Flags"))
        return NT5(
            domainGuid: domainGuid, dnsForestName: forest, dnsDomainName: domain,
            dnsHostName: host, dcIPAddress: address, flags: flags)
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(opcode.rawValue)
        unicodeLogonServer.write(into: &writer)
        unicodeUserName.write(into: &writer)
        unicodeDomainName.write(into: &writer)
        if let nt5 {
            nt5.domainGuid.write(into: &writer)
            writer.zeros(16)
            var names = NameCompressor(messageAt: start)
            names.write(nt5.dnsForestName, into: &writer)
            names.write(nt5.dnsDomainName, into: &writer)
            names.write(nt5.dnsHostName, into: &writer)
            writer.uint32LE(nt5.dcIPAddress.rawValue)
            writer.uint32LE(nt5.flags.rawValue)
        }
        trailer.write(into: &writer)
    }

    package var description: String {
        let kind: String
        switch opcode {
        case .samPauseResponse: kind = "SAM LOGON paused at "
        case .samUserUnknown: kind = "SAM LOGON user unknown to "
        case _: kind = "SAM LOGON response of "
        }
        return kind + unicodeLogonServer.description + " for " + unicodeUserName.description
            + " of " + unicodeDomainName.description
    }
}
