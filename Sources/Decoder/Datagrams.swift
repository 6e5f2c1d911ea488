import Mailslot
import NetBIOS
import Wire

/// The datagram service of port 138, and the mailslot messages in it.
enum DatagramDecoder {
    static let layer: StaticString = "NBDGM"

    static func decode(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> DataDatagram? {
        var ahead = reader
        let header = try DatagramHeader(parsing: &ahead)
        switch header.type {
        case .error:
            let error = try DatagramError(parsing: &reader)
            open(error.header, into: &outline)
            outline.flags("error code", UInt32(error.errorCode))
            outline.close()
            return nil
        case .queryRequest, .positiveQueryResponse, .negativeQueryResponse:
            let query = try DatagramQuery(parsing: &reader)
            open(query.header, into: &outline)
            outline.field("destination", query.destination.description)
            outline.close()
            return nil
        case _:
            break
        }
        let datagram = try DataDatagram(parsing: &reader)
        open(datagram.header, into: &outline)
        defer { outline.close() }
        outline.field("source", datagram.source.description)
        outline.field("destination", datagram.destination.description)
        if datagram.header.isFragment {
            outline.field(
                "fragment",
                "\(datagram.userData.count) bytes at \(datagram.packetOffset)"
                    + (datagram.header.hasMore ? ", more follow" : ", the last"))
            return datagram
        }
        try userData(reader.part(datagram.userData), into: &outline)
        return datagram
    }

    /// What a datagram carries; other things than mailslot messages are sent so too.
    static func userData(
        _ reader: borrowing WireReader, into outline: inout Outline
    ) throws(WireError) {
        var message = reader.part(reader.offset..<reader.end, layer: MailslotDecoder.layer)
        if !MailslotDecoder.looksLike(message) {
            outline.field("user data", "\(message.remaining) bytes")
            return
        }
        try MailslotDecoder.decode(&message, into: &outline)
    }

    private static func open(_ header: DatagramHeader, into outline: inout Outline) {
        outline.open(
            "NBDGM " + header.type.description + ", id \(header.id), from "
                + header.source.description)
    }
}

/// Mailslot messages: the envelope, then NETLOGON or BROWSE by the mailslot's name.
enum MailslotDecoder {
    static let layer: StaticString = "SMB mailslot"

    static func looksLike(_ reader: borrowing WireReader) -> Bool {
        reader.starts(with: [0xff, 0x53, 0x4d, 0x42, 0x25])
    }

    static func decode(_ reader: inout WireReader, into outline: inout Outline) throws(WireError) {
        let envelope = try MailslotWrite(parsing: &reader)
        let name = String(decoding: reader.copy(envelope.name), as: UTF8.self)
        outline.open(
            "mailslot message to " + name
                + ", class \(envelope.messageClass), \(envelope.data.count) bytes")
        defer { outline.close() }
        var data = reader.part(envelope.data)
        switch MailslotName.named(envelope.name, in: reader.span) {
        case .browse?, .lanman?:
            try browse(&data, into: &outline)
        case .netlogon?, .ntlogon?, .temporaryNetlogon?:
            try netlogon(&data, into: &outline)
        case nil:
            // A client names the mailslot for its answer as it likes; GETDC with digits is usual.
            if name.uppercased().hasPrefix("\\MAILSLOT\\NET\\") {
                try netlogon(&data, into: &outline)
            }
        }
    }

    static func netlogon(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        var message = reader.part(reader.offset..<reader.end, layer: "NETLOGON")
        let parsed = try NetlogonMessage(parsing: &message)
        try message.expectEnd("message")
        NetlogonMailslotDecoder.show(parsed, into: &outline)
    }

    static func browse(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        var frame = reader.part(reader.offset..<reader.end, layer: "BROWSE")
        show(try BrowserMessage(parsing: &frame), into: &outline)
    }

    private static func show(_ message: BrowserMessage, into outline: inout Outline) {
        outline.open("BROWSE " + message.description)
        defer { outline.close() }
        switch message {
        case .announcement(let frame):
            outline.field("update count", Int(frame.updateCount))
            outline.field("periodicity", "\(frame.periodicity) ms")
            outline.field("os version", "\(frame.osVersionMajor).\(frame.osVersionMinor)")
            outline.flags("server type", frame.serverType.rawValue)
            outline.field(
                "browser version", "\(frame.browserVersionMajor).\(frame.browserVersionMinor)")
            outline.flags("signature", UInt32(frame.signature))
        case .election(let frame):
            outline.field("version", Int(frame.version))
            outline.flags("criteria", frame.criteria)
            outline.field("uptime", "\(frame.uptime) ms")
        case .backupListRequest(_, let token): outline.flags("token", token)
        case .backupListResponse(let frame): outline.flags("token", frame.token)
        case .announcementRequest, .becomeBackup, .masterAnnouncement, .resetState, .other: break
        }
    }
}

extension WireReader {
    /// Whether the next bytes are these; they stay unread.
    func starts(with bytes: [UInt8]) -> Bool {
        if remaining < bytes.count { return false }
        for index in 0..<bytes.count where span[offset + index] != bytes[index] { return false }
        return true
    }
}
