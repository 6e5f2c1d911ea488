import RPC
import SecureChannel
import Wire

/// What security providers exchange: shown as far as it is no secret and cannot help to guess one.
enum SecurityTokenDecoder {
    static let layer: StaticString = "security token"

    /// The token in a PDU that opens or continues a security context.
    static func decode(
        _ reader: borrowing WireReader, of type: AuthType, into outline: inout Outline
    ) {
        switch type {
        case .netlogon:
            do throws(WireError) {
                var token = reader.part(reader.offset..<reader.end, layer: "NL_AUTH_MESSAGE")
                show(try NLAuthMessage(parsing: &token), into: &outline)
            } catch {
                outline.fail(error)
            }
        case _:
            decode(reader, into: &outline)
        }
    }

    /// A token whose provider its own first bytes tell.
    static func decode(_ reader: borrowing WireReader, into outline: inout Outline) {
        outline.field("token", "\(reader.remaining) bytes")
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
