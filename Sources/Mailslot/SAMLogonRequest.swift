import Wire

/// NETLOGON_SAM_LOGON_REQUEST, MS-ADTS 6.3.1.6: a client looks for a controller that knows its
/// user, or a controller of a trusting domain for one that knows the trust's account.
///
/// ```
/// Opcode(2) = 0x12 | RequestCount(2) | UnicodeComputerName | UnicodeUserName | MailslotName
/// | AllowableAccountControlBits(4) | DomainSidSize(4) | pad to 4 | DomainSid
/// | NtVersion(4) | LmNtToken(2) | Lm20Token(2)
/// ```
package struct SAMLogonRequest: Equatable, Sendable, CustomStringConvertible {
    package var requestCount: UInt16
    package var unicodeComputerName: UnicodeText
    package var unicodeUserName: UnicodeText
    package var mailslotName: OEMText
    package var allowableAccountControlBits: AccountControl
    package var domainSid: SID?
    package var trailer: NetlogonTrailer

    package init(
        requestCount: UInt16 = 0, unicodeComputerName: UnicodeText, unicodeUserName: UnicodeText,
        mailslotName: OEMText, allowableAccountControlBits: AccountControl, domainSid: SID?,
        ntVersion: NetlogonVersion
    ) {
        self.requestCount = requestCount
        self.unicodeComputerName = unicodeComputerName
        self.unicodeUserName = unicodeUserName
        self.mailslotName = mailslotName
        self.allowableAccountControlBits = allowableAccountControlBits
        self.domainSid = domainSid
        trailer = NetlogonTrailer(ntVersion)
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        try reader.opcode(.samLogonRequest)
        requestCount = try reader.uint16LE("RequestCount")
        unicodeComputerName = try UnicodeText(parsing: &reader, "UnicodeComputerName")
        unicodeUserName = try UnicodeText(parsing: &reader, "UnicodeUserName")
        mailslotName = try OEMText(parsing: &reader, "MailslotName")
        allowableAccountControlBits = AccountControl(
            rawValue: try reader.uint32LE("AllowableAccountControlBits"))
        let length = Int(clamping: try reader.uint32LE("DomainSidSize"))
        domainSid = try reader.paddedSID(length, messageAt: start)
        trailer = try NetlogonTrailer(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(NetlogonOpcode.samLogonRequest.rawValue)
        writer.uint16LE(requestCount)
        unicodeComputerName.write(into: &writer)
        unicodeUserName.write(into: &writer)
        mailslotName.write(into: &writer)
        writer.uint32LE(allowableAccountControlBits.rawValue)
        writer.paddedSID(domainSid, messageAt: start)
        trailer.write(into: &writer)
    }

    package var description: String {
        var text = "SAM LOGON request of " + unicodeComputerName.description + " for "
        text += unicodeUserName.description + ", answer to " + mailslotName.description
        if let domainSid { text += ", domain " + domainSid.description }
        return text
    }
}
