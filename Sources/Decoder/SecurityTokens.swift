import NTLM
import RPC
import SecureChannel
import Wire

/// What security providers exchange: shown as far as it is no secret and cannot help to guess one.
enum SecurityTokenDecoder {
    static let layer: StaticString = "security token"

    /// The token in a PDU that opens or continues a security context.
    static func decode(
        _ reader: borrowing WireReader, of type: AuthType, into outline: inout Outline
    ) throws(WireError) {
        switch type {
        case .netlogon:
            var token = reader.part(reader.offset..<reader.end, layer: "NL_AUTH_MESSAGE")
            show(try NLAuthMessage(parsing: &token), into: &outline)
        case .gssNegotiate, .winNT:
            try decode(reader, into: &outline)
        case _:
            outline.withheld("token", reader.remaining)
        }
    }

    /// SPNEGO's tokens and NTLMSSP's messages, which their first bytes tell. Of other mechanisms,
    /// such as Kerberos, this program knows nothing.
    static func decode(
        _ reader: borrowing WireReader, into outline: inout Outline
    ) throws(WireError) {
        if reader.starts(with: NTLMMessageType.signature) {
            try message(reader, into: &outline)
            return
        }
        guard reader.starts(with: [0x60]) || reader.starts(with: [0xa1]) else {
            outline.withheld("token", reader.remaining)
            return
        }
        var blob = reader.part(reader.offset..<reader.end, layer: "SPNEGO")
        let token: NegotiationToken
        do throws(WireError) {
            token = try NegotiationToken(parsing: &blob)
        } catch {
            if error.field.description != "thisMech" { throw error }
            outline.withheld("token of another mechanism than SPNEGO", reader.remaining)
            return
        }
        outline.open("SPNEGO " + token.description)
        defer { outline.close() }
        guard let inner = token.mechToken, !inner.isEmpty else { return }
        let part = reader.part(inner)
        if part.starts(with: NTLMMessageType.signature) { try message(part, into: &outline) }
    }

    private static func message(
        _ reader: borrowing WireReader, into outline: inout Outline
    ) throws(WireError) {
        var message = reader.part(reader.offset..<reader.end, layer: "NTLM")
        var ahead = reader.part(reader.offset..<reader.end, layer: "NTLM")
        switch try NTLMMessageType(parsing: &ahead) {
        case .negotiate:
            let parsed = try NegotiateMessage(parsing: &message)
            outline.open("NTLM NEGOTIATE")
            outline.flags("NegotiateFlags", parsed.negotiateFlags.rawValue)
            if !parsed.domainName.isEmpty { outline.field("DomainName", parsed.domainName) }
            if !parsed.workstation.isEmpty { outline.field("Workstation", parsed.workstation) }
            outline.field("Version", parsed.version?.description)
            outline.close()
        case .challenge: try challenge(&message, into: &outline)
        case .authenticate: try authenticate(&message, into: &outline)
        case let type:
            throw ahead.invalid("MessageType", Int(clamping: type.rawValue), width: 4)
        }
    }

    private static func challenge(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let parsed = try ChallengeMessage(parsing: &reader)
        outline.open("NTLM CHALLENGE")
        defer { outline.close() }
        outline.flags("NegotiateFlags", parsed.negotiateFlags.rawValue)
        outline.field("TargetName", parsed.targetName)
        outline.withheld("ServerChallenge", 8)
        outline.field("Version", parsed.version?.description)
        if parsed.targetInfo.isEmpty { return }
        var info = reader.part(parsed.targetInfo)
        let list = try AVPairList(parsing: &info)
        outline.field("NbComputerName", list.text(.nbComputerName))
        outline.field("NbDomainName", list.text(.nbDomainName))
        outline.field("DnsComputerName", list.text(.dnsComputerName))
        outline.field("DnsDomainName", list.text(.dnsDomainName))
        outline.field("DnsTreeName", list.text(.dnsTreeName))
        if let timestamp = list.timestamp { outline.field("Timestamp", "\(timestamp)") }
    }

    private static func authenticate(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let parsed = try AuthenticateMessage(parsing: &reader)
        outline.open("NTLM AUTHENTICATE")
        defer { outline.close() }
        outline.field("DomainName", parsed.domainName)
        outline.field("UserName", parsed.userName)
        outline.field("Workstation", parsed.workstation)
        outline.flags("NegotiateFlags", parsed.negotiateFlags.rawValue)
        outline.withheld("LmChallengeResponse", parsed.lmChallengeResponse.count)
        outline.withheld("NtChallengeResponse", parsed.ntChallengeResponse.count)
        outline.withheld("EncryptedRandomSessionKey", parsed.encryptedRandomSessionKey.count)
        outline.field("Version", parsed.version?.description)
    }

    private static func show(_ message: NLAuthMessage, into outline: inout Outline) {
        switch message.kind {
        case .negotiate:
            outline.open("NL_AUTH_MESSAGE negotiate")
            outline.field("NetBIOS domain", text(message.netbiosDomain))
            outline.field("NetBIOS computer", text(message.netbiosComputer))
            outline.close()
        case .response: outline.line("NL_AUTH_MESSAGE response")
        }
    }

    private static func text(_ bytes: [UInt8]?) -> String? {
        guard let bytes else { return nil }
        return OEMCodePage.string(bytes)
    }

    static func name(_ type: AuthType) -> String {
        switch type {
        case .none: "none"
        case .gssNegotiate: "SPNEGO"
        case .winNT: "NTLM"
        case .gssSchannel: "Schannel (TLS)"
        case .kerberos: "Kerberos"
        case .netlogon: "Netlogon"
        case _: "provider \(type.rawValue)"
        }
    }

    static func name(_ level: AuthLevel) -> String {
        switch level {
        case .none: "none"
        case .connect: "connect"
        case .call: "call"
        case .packet: "packet"
        case .integrity: "integrity"
        case .privacy: "privacy"
        case _: "level \(level.rawValue)"
        }
    }
}
