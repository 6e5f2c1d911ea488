import Wire

/// A mailslot message of class 2, MS-MAIL 2.2.1: the SMB_COM_TRANSACTION of MS-CIFS 2.2.4.33.1
/// with the subcommand TRANS_MAILSLOT_WRITE. It travels as a NetBIOS datagram's user data.
///
/// ```
/// SMB header(32): 0xFF 'S' 'M' 'B' 0x25 Status(4) Flags(1) Flags2(2) … PIDLow(2) UID(2) MID(2)
/// | WordCount(1) = 17
/// | TotalParameterCount(2) TotalDataCount(2) MaxParameterCount(2) MaxDataCount(2)
/// | MaxSetupCount(1) Reserved(1) Flags(2) Timeout(4) Reserved2(2) ParameterCount(2)
/// | ParameterOffset(2) DataCount(2) DataOffset(2) SetupCount(1) = 3 Reserved3(1)
/// | MailSlotOpcode(2) = 1 Priority(2) Class(2)
/// | ByteCount(2) | MailslotName | Padding | Databytes
/// ```
///
/// Bytes between the name and the data are padding, which senders choose. The data ends the
/// message: a count that says less, or more, is refused.
package struct MailslotWrite: Equatable, Sendable, CustomStringConvertible {
    package static let command: UInt8 = 0x25
    /// `\MAILSLOT\NET\GETDC52EAA8C0` and its like have less than 40.
    package static let longestName = 128
    package static let opcode: UInt16 = 1
    /// Class 2 is unreliable delivery, the only one that datagrams can give.
    package static let unreliable: UInt16 = 2

    package var timeout: UInt32
    package var priority: UInt16
    package var messageClass: UInt16
    /// In what was parsed, without the terminator.
    package var name: Range<Int>
    package var data: Range<Int>

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let magic = try reader.uint32LE("Protocol")
        if magic != 0x424d_53ff {
            throw reader.invalid("Protocol", Int(clamping: magic), width: 4)
        }
        let number = try reader.uint8("Command")
        if number != Self.command { throw reader.invalid("Command", Int(number), width: 1) }
        _ = try reader.take(27, "header")
        let words = try reader.uint8("WordCount")
        if words != 17 { throw reader.invalid("WordCount", Int(words), width: 1) }
        _ = try reader.uint16LE("TotalParameterCount")
        let totalDataCount = try reader.uint16LE("TotalDataCount")
        _ = try reader.take(8, "MaxParameterCount")
        timeout = try reader.uint32LE("Timeout")
        _ = try reader.take(6, "Reserved2")
        let dataCount = try reader.uint16LE("DataCount")
        if dataCount != totalDataCount {
            throw reader.invalid("DataCount", Int(dataCount), width: 2)
        }
        let dataOffset = Int(try reader.uint16LE("DataOffset"))
        let setup = try reader.uint16LE("SetupCount") & 0xff
        if setup != 3 { throw reader.invalid("SetupCount", Int(setup), width: 2) }
        let opcode = try reader.uint16LE("MailSlotOpcode")
        if opcode != Self.opcode { throw reader.invalid("MailSlotOpcode", Int(opcode), width: 2) }
        priority = try reader.uint16LE("Priority")
        messageClass = try reader.uint16LE("Class")
        _ = try reader.uint16LE("ByteCount")
        name = try reader.take(through: 0, "MailslotName")
        if name.count > Self.longestName {
            throw WireError(
                .limit, layer: reader.layer, field: "MailslotName", offset: name.lowerBound,
                needed: name.count, available: Self.longestName)
        }
        if start + dataOffset < reader.offset {
            throw reader.invalid("DataOffset", dataOffset)
        }
        try reader.seek(start + dataOffset, "DataOffset")
        data = try reader.take(Int(dataCount), "Databytes")
        try reader.expectEnd("Databytes")
    }

    /// Where the counts are that `finish` sets.
    package struct Open: Sendable {
        var start: Int
        var totalDataCount: Int
        var dataCount: Int
        var byteCount: Int
        var data: Int
    }

    /// Writes everything before the data to the mailslot `name`; the data follows, then `finish`.
    package static func begin(
        to name: Span<UInt8>, timeout: UInt32 = 1_000, priority: UInt16 = 0,
        messageClass: UInt16 = unreliable, into writer: inout WireWriter
    ) -> Open {
        let start = writer.count
        writer.uint32LE(0x424d_53ff)
        writer.uint8(command)
        writer.zeros(27)
        writer.uint8(17)
        writer.uint16LE(0)
        let totalDataCount = writer.reserve16()
        writer.zeros(8)
        writer.uint32LE(timeout)
        writer.zeros(6)
        let dataCount = writer.reserve16()
        let dataOffset = writer.reserve16()
        writer.uint16LE(3)
        writer.uint16LE(opcode)
        writer.uint16LE(priority)
        writer.uint16LE(messageClass)
        let byteCount = writer.reserve16()
        writer.append(name)
        writer.uint8(0)
        writer.patch16LE(dataOffset, writer.count - start)
        return Open(
            start: start, totalDataCount: totalDataCount, dataCount: dataCount,
            byteCount: byteCount, data: writer.count)
    }

    package static func finish(_ open: Open, in writer: inout WireWriter) {
        let count = writer.count - open.data
        writer.patch16LE(open.totalDataCount, count)
        writer.patch16LE(open.dataCount, count)
        writer.patch16LE(open.byteCount, writer.count - open.byteCount - 2)
    }

    package var description: String {
        "mailslot message, class \(messageClass), \(data.count) bytes"
    }
}

/// The mailslots that controllers and browsers listen on. Their names compare without case.
package enum MailslotName: Sendable, CaseIterable {
    /// LAN Manager's and Windows 95's logons.
    case netlogon
    /// Windows NT's.
    case ntlogon
    /// Where LAN Manager clients want their answer.
    case temporaryNetlogon
    case browse
    /// Announcements of LAN Manager servers.
    case lanman

    package var text: String {
        switch self {
        case .netlogon: "\\MAILSLOT\\NET\\NETLOGON"
        case .ntlogon: "\\MAILSLOT\\NET\\NTLOGON"
        case .temporaryNetlogon: "\\MAILSLOT\\TEMP\\NETLOGON"
        case .browse: "\\MAILSLOT\\BROWSE"
        case .lanman: "\\MAILSLOT\\LANMAN"
        }
    }

    package var bytes: [UInt8] { Array(text.utf8) }

    /// Which one `name` of `reader`'s span is; nil where none.
    package static func named(_ name: Range<Int>, in span: Span<UInt8>) -> MailslotName? {
        for candidate in [MailslotName.netlogon, .ntlogon, .temporaryNetlogon, .browse, .lanman]
        where matches(span, name, candidate.text) {
            return candidate
        }
        return nil
    }

    /// Whether a mailslot's name begins as all do: nothing else is ever answered to.
    package static func isMailslot(_ name: Span<UInt8>) -> Bool {
        let prefix: StaticString = "\\MAILSLOT\\"
        return name.count > prefix.utf8CodeUnitCount
            && matches(name, 0..<prefix.utf8CodeUnitCount, "\\MAILSLOT\\")
    }

    private static func matches(
        _ span: Span<UInt8>, _ range: Range<Int>, _ text: String
    ) -> Bool {
        if range.count != text.utf8.count { return false }
        var index = range.lowerBound
        for expected in text.utf8 {
            let byte = span[index]
            let upper = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
            if upper != expected { return false }
            index += 1
        }
        return true
    }
}
