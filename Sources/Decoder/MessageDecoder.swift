import NetBIOS
import Wire

/// What a message without its packet is.
package enum MessageKind: Equatable, Sendable, CaseIterable {
    case nbns, datagram, mailslot, netlogon, browse, session, smb, rpc, cldap, ntlmssp

    package var name: String {
        switch self {
        case .nbns: "nbns"
        case .datagram: "datagram"
        case .mailslot: "mailslot"
        case .netlogon: "netlogon"
        case .browse: "browse"
        case .session: "session"
        case .smb: "smb"
        case .rpc: "rpc"
        case .cldap: "cldap"
        case .ntlmssp: "ntlmssp"
        }
    }

    package init?(name: String) {
        for kind in Self.allCases where kind.name == name {
            self = kind
            return
        }
        return nil
    }
}

/// Shows one message, or several of a stream, given as bytes.
package enum MessageDecoder {
    /// Shows `bytes` as what `kind` says, or as what their shape says. The outline tells how much
    /// of it could be shown.
    package static func decode(_ bytes: [UInt8], as kind: MessageKind? = nil) -> Outline {
        if let kind { return outline(bytes, kind) }
        let kinds = candidates(bytes.span)
        for candidate in kinds {
            let attempt = outline(bytes, candidate)
            if attempt.decoded > 0 && attempt.failed == 0 { return attempt }
        }
        // Of what only began to look right, the first is as good as any.
        return outline(bytes, kinds.first ?? .nbns)
    }

    /// The kinds that the first bytes allow, the most particular first.
    private static func candidates(_ bytes: Span<UInt8>) -> [MessageKind] {
        let reader = WireReader(bytes, layer: "message")
        if reader.starts(with: [0xff, 0x53, 0x4d, 0x42, 0x25]) { return [.mailslot, .smb] }
        if SMBConversation.looksLike(reader) { return [.smb] }
        if reader.starts(with: Array("NTLMSSP\0".utf8)) { return [.ntlmssp] }
        guard let first = bytes.isEmpty ? nil : bytes[0] else { return [] }
        var kinds: [MessageKind] = []
        if RPCConversation.looksLike(reader) { kinds.append(.rpc) }
        switch first {
        case 0x10...0x16: kinds.append(.datagram)
        case 0x30: kinds.append(.cldap)
        case 0x60, 0xa1: kinds.append(.ntlmssp)
        case 0x00, 0x81...0x85: kinds.append(.session)
        case _: break
        }
        return kinds + [.nbns] + mailslotMessages(bytes)
    }

    /// NETLOGON's and the browser's messages have little shape: their opcode is a known one.
    private static func mailslotMessages(_ bytes: Span<UInt8>) -> [MessageKind] {
        var kinds: [MessageKind] = []
        if bytes.count > 1, bytes[0] <= 0x19, bytes[1] == 0 { kinds.append(.netlogon) }
        if bytes.count > 1, bytes[0] >= 1, bytes[0] <= 0x0f { kinds.append(.browse) }
        return kinds
    }

    private static func outline(_ bytes: [UInt8], _ kind: MessageKind) -> Outline {
        var outline = Outline()
        do throws(WireError) {
            try show(bytes, kind, into: &outline)
        } catch {
            outline.fail(error)
        }
        return outline
    }

    private static func show(
        _ bytes: [UInt8], _ kind: MessageKind, into outline: inout Outline
    ) throws(WireError) {
        switch kind {
        case .nbns:
            var reader = WireReader(bytes.span, layer: NameServiceDecoder.layer)
            try NameServiceDecoder.decode(&reader, into: &outline)
        case .datagram:
            var reader = WireReader(bytes.span, layer: DatagramDecoder.layer)
            _ = try DatagramDecoder.decode(&reader, into: &outline)
        case .mailslot:
            var reader = WireReader(bytes.span, layer: MailslotDecoder.layer)
            try MailslotDecoder.decode(&reader, into: &outline)
        case .netlogon:
            var reader = WireReader(bytes.span, layer: "NETLOGON")
            try MailslotDecoder.netlogon(&reader, into: &outline)
        case .browse:
            var reader = WireReader(bytes.span, layer: "BROWSE")
            try MailslotDecoder.browse(&reader, into: &outline)
        case .cldap:
            var reader = WireReader(bytes.span, layer: LDAPPingDecoder.layer)
            try LDAPPingDecoder.decode(&reader, into: &outline)
        case .session: try sessions(bytes, into: &outline)
        case .smb:
            var conversation = SMBConversation()
            conversation.show(
                WireReader(bytes.span, layer: SMBConversation.layer), into: &outline)
            return
        case .rpc:
            var conversation = RPCConversation()
            conversation.receive(bytes, from: .client, into: &outline)
            if conversation.isWaiting(.client) { outline.line("the last PDU is not whole") }
            return
        case .ntlmssp:
            try SecurityTokenDecoder.decode(
                WireReader(bytes.span, layer: SecurityTokenDecoder.layer), into: &outline)
        }
        outline.succeed()
    }

    private static func sessions(
        _ bytes: [UInt8], into outline: inout Outline
    ) throws(WireError) {
        var conversation = SMBConversation()
        var reader = WireReader(bytes.span, layer: SessionDecoder.layer)
        // Every packet takes at least its header.
        while !reader.isAtEnd {
            let start = reader.offset
            // Only a message can be of port 445.
            let framing = reader.starts(with: [0]) ? SessionFraming.direct : .netBIOS
            let header = try SessionHeader(parsing: &reader, framing)
            let end = try reader.take(header.length, "LENGTH").upperBound
            try SessionDecoder.decode(
                reader.part(start..<end), framing, &conversation, into: &outline)
        }
    }
}
