import Wire

/// NETLOGON_LOGON_QUERY, MS-ADTS 6.3.1.4: the query for the primary controller, GETDC.
///
/// ```
/// Opcode(2) = 0x07 | ComputerName | MailslotName | pad to even | UnicodeComputerName
/// | NtVersion(4) | LmNtToken(2) | Lm20Token(2)
/// ```
///
/// A LAN Manager client's ends after MailslotName with Lm20Token, or without it.
package struct PrimaryQuery: Equatable, Sendable, CustomStringConvertible {
    /// What Windows NT added.
    package struct NT: Equatable, Sendable {
        package var unicodeComputerName: UnicodeText
        package var trailer: NetlogonTrailer

        package init(_ unicodeComputerName: UnicodeText, _ ntVersion: NetlogonVersion) {
            self.unicodeComputerName = unicodeComputerName
            trailer = NetlogonTrailer(ntVersion)
        }
    }

    package enum Sender: Equatable, Sendable {
        case lanManager(lm20Token: UInt16?)
        case windowsNT(NT)
    }

    package var computerName: OEMText
    package var mailslotName: OEMText
    package var sender: Sender

    package init(computerName: OEMText, mailslotName: OEMText, _ sender: Sender) {
        self.computerName = computerName
        self.mailslotName = mailslotName
        self.sender = sender
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        try reader.opcode(.primaryQuery)
        computerName = try OEMText(parsing: &reader, "ComputerName")
        mailslotName = try OEMText(parsing: &reader, "MailslotName")
        switch reader.remaining {
        case 0:
            sender = .lanManager(lm20Token: nil)
        case 2:
            sender = .lanManager(lm20Token: try reader.uint16LE("Lm20Token"))
        case _:
            try reader.align(2, from: start, "UnicodeComputerName")
            var nt = NT(try UnicodeText(parsing: &reader, "UnicodeComputerName"), [])
            nt.trailer = try NetlogonTrailer(parsing: &reader)
            sender = .windowsNT(nt)
        }
        try reader.expectEnd("Lm20Token")
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(NetlogonOpcode.primaryQuery.rawValue)
        computerName.write(into: &writer)
        mailslotName.write(into: &writer)
        switch sender {
        case .lanManager(let lm20Token):
            if let lm20Token { writer.uint16LE(lm20Token) }
        case .windowsNT(let nt):
            writer.align(2, from: start)
            nt.unicodeComputerName.write(into: &writer)
            nt.trailer.write(into: &writer)
        }
    }

    package var description: String {
        "GETDC of " + computerName.description + ", answer to " + mailslotName.description
    }
}

/// NETLOGON_PRIMARY_RESPONSE, MS-ADTS 6.3.1.5: the primary controller's answer to GETDC.
///
/// ```
/// Opcode(2) = 0x0C | PrimaryDCName | pad to even | UnicodePrimaryDCName | UnicodeDomainName
/// | NtVersion(4) | LmNtToken(2) | Lm20Token(2)
/// ```
///
/// Windows appends NtVersion as it comes; Samba's nodes write and expect it at a multiple of four.
/// Both kinds of client read what is aligned, for Windows takes the trailer from the end.
///
/// To a LAN Manager client it ends after PrimaryDCName, with Lm20Token where the query had one.
/// The names have no backslashes.
package struct PrimaryResponse: Equatable, Sendable, CustomStringConvertible {
    package struct NT: Equatable, Sendable {
        package var unicodePrimaryDCName: UnicodeText
        package var unicodeDomainName: UnicodeText
        package var trailer: NetlogonTrailer
        /// Whether padding takes the trailer to a multiple of four.
        package var isAligned: Bool

        package init(
            _ unicodePrimaryDCName: UnicodeText, _ unicodeDomainName: UnicodeText,
            _ ntVersion: NetlogonVersion = .v1, isAligned: Bool = true
        ) {
            self.unicodePrimaryDCName = unicodePrimaryDCName
            self.unicodeDomainName = unicodeDomainName
            self.isAligned = isAligned
            trailer = NetlogonTrailer(ntVersion)
        }
    }

    package enum Reader: Equatable, Sendable {
        case lanManager(lm20Token: UInt16?)
        case windowsNT(NT)
    }

    package var primaryDCName: OEMText
    package var reader: Reader

    package init(primaryDCName: OEMText, _ reader: Reader) {
        self.primaryDCName = primaryDCName
        self.reader = reader
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        try reader.opcode(.primaryResponse)
        primaryDCName = try OEMText(parsing: &reader, "PrimaryDCName")
        switch reader.remaining {
        case 0:
            self.reader = .lanManager(lm20Token: nil)
            return
        case 2:
            self.reader = .lanManager(lm20Token: try reader.uint16LE("Lm20Token"))
            return
        case _:
            break
        }
        try reader.align(2, from: start, "UnicodePrimaryDCName")
        let name = try UnicodeText(parsing: &reader, "UnicodePrimaryDCName")
        var nt = NT(name, try UnicodeText(parsing: &reader, "UnicodeDomainName"))
        let isAtMultiple = (reader.offset - start) % 4 == 0
        nt.isAligned = isAtMultiple || reader.remaining > NetlogonTrailer.byteCount
        if nt.isAligned { try reader.align(4, from: start, "NtVersion") }
        nt.trailer = try NetlogonTrailer(parsing: &reader)
        self.reader = .windowsNT(nt)
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(NetlogonOpcode.primaryResponse.rawValue)
        primaryDCName.write(into: &writer)
        switch reader {
        case .lanManager(let lm20Token):
            if let lm20Token { writer.uint16LE(lm20Token) }
        case .windowsNT(let nt):
            writer.align(2, from: start)
            nt.unicodePrimaryDCName.write(into: &writer)
            nt.unicodeDomainName.write(into: &writer)
            if nt.isAligned { writer.align(4, from: start) }
            nt.trailer.write(into: &writer)
        }
    }

    package var description: String {
        var text = "GETDC response: " + primaryDCName.description
        if case .windowsNT(let nt) = reader {
            text += " for " + nt.unicodeDomainName.description
        }
        return text
    }
}
