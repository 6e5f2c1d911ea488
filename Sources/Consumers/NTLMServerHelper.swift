import Crypto
import Wire

/// The protocol `ntlm-server-1`, which pppd and Radiator speak: lines `Key: value`, or
/// `Key:: value` in base64, ended by a line with a full stop. Keys have no case.
///
///     LANMAN-Challenge: 0123456789abcdef          Authenticated: Yes
///     NT-Response: 39f5…                          User-Session-Key: 5B82…
///     NT-Domain: ADLAB                    ─▶      .
///     Username: alice
///     Request-User-Session-Key: Yes
///     .
///
/// What is wrong with a line is said at once, in a block `Error: …` of its own; the line has no
/// effect. After a failed logon by response the block ends twice, as callers are used to.
package struct NTLMServerHelper {
    private struct Fields {
        var challenge: Bytes8?
        var ntResponse: [UInt8] = []
        var lmResponse: [UInt8] = []
        var password: Secret?
        var domain: String?
        var username: String?
        var fullUsername: String?
        var wantsUserKey = false
        var wantsLMKey = false
    }

    private let options: NTLMAuthOptions
    private var fields = Fields()
    private var asked = Fields()

    init(_ options: NTLMAuthOptions) { self.options = options }

    // MARK: Lines

    mutating func line(_ line: LineCutter.Line) -> HelperStep {
        guard case .line(let secret) = line else { return Self.error("Line too long!") }
        let bytes = secret.bytes
        if bytes.isEmpty { return HelperStep(error: "ERR\n") }
        if bytes == [UInt8(ascii: ".")] { return end() }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return Self.notFound }
        let isEncoded = colon + 1 < bytes.count && bytes[colon + 1] == UInt8(ascii: ":")
        let space = colon + (isEncoded ? 2 : 1)
        guard space < bytes.count, bytes[space] == 0x20 else { return Self.notFound }
        let key = String(decoding: bytes[..<colon], as: UTF8.self)
        var value = Array(bytes[(space + 1)...])
        defer { Wipe.bytes(&value) }
        if isEncoded {
            guard let decoded = Base64.bytes(value) else {
                return Self.error("base64 decode of \(key) failed!")
            }
            value = decoded
        }
        return take(key, value)
    }

    private mutating func take(_ key: String, _ value: [UInt8]) -> HelperStep {
        let text = String(decoding: value, as: UTF8.self)
        switch key.lowercased() {
        case "lanman-challenge":
            let bytes = LooseHex.bytes(text)
            fields.challenge = bytes.count == 8 ? Bytes8(bytes) : nil
            if bytes.count != 8 { return Self.badHex(text, "got \(bytes.count)", "expected 8") }
        case "nt-response":
            let bytes = LooseHex.bytes(text)
            fields.ntResponse = bytes.count >= 24 ? bytes : []
            if bytes.count < 24 {
                return Self.badHex(text, "only got \(bytes.count)", "needed at least 24")
            }
        case "lanman-response":
            let bytes = LooseHex.bytes(text)
            fields.lmResponse = bytes.count == 24 ? bytes : []
            if bytes.count != 24 { return Self.badHex(text, "got \(bytes.count)", "expected 24") }
        case "password": fields.password = Secret(value)
        case "nt-domain": fields.domain = text
        case "username": fields.username = text
        case "full-username": fields.fullUsername = text
        case "request-user-session-key": fields.wantsUserKey = text.lowercased() == "yes"
        case "request-lanman-session-key": fields.wantsLMKey = text.lowercased() == "yes"
        case _: return Self.error("Unknown request \(key)")
        }
        return HelperStep()
    }

    private static func error(_ text: String) -> HelperStep { HelperStep("Error: \(text)\n.\n") }

    private static var notFound: HelperStep { error("Parameter not found!") }

    private static func badHex(_ text: String, _ got: String, _ wanted: String) -> HelperStep {
        error("hex decode of \(text) failed! (\(got) bytes, \(wanted))")
    }

    // MARK: The logon

    private mutating func end() -> HelperStep {
        asked = fields
        fields = Fields()
        guard let name = accountName() else { return Self.error("No username supplied!") }
        let credential: ControlLogonRequest.Credential
        if let password = asked.password {
            credential = .password(password)
        } else if asked.ntResponse.isEmpty && asked.lmResponse.isEmpty {
            return Self.error("No password supplied!")
        } else if let challenge = asked.challenge {
            credential = .response(
                challenge: challenge, nt: asked.ntResponse, lm: asked.lmResponse)
        } else {
            return Self.error("No lanman-challenge supplied!")
        }
        var request = ControlLogonRequest(
            requestID: 0, domain: name.domain ?? options.domain, user: name.user,
            credential: credential)
        request.workstation = options.workstation
        request.requiredGroup = options.requiredGroup
        request.wants = .text
        if asked.wantsUserKey { request.wants.insert(.ntKey) }
        if asked.wantsLMKey { request.wants.insert(.lmKey) }
        if asked.password == nil {
            request.parameterControl = NTLMAuthOptions.parameterControl(
                forMSChapV2: options.allowsMSChapV2)
        }
        if request.isWithinLimits { return HelperStep(request: request) }
        return HelperStep(refusal(NTStatus.noSuchUser.text))
    }

    /// Where a caller gives both names, the full one counts with a password, the parts with a
    /// response: so does the tool that this one stands in for.
    private func accountName() -> AccountName? {
        let full = asked.fullUsername.map { AccountName($0) }
        var name: AccountName?
        if let username = asked.username {
            name = AccountName(user: username)
            name?.domain = asked.domain
        }
        if asked.password != nil { return full ?? name }
        if name == nil, var full {
            full.domain = asked.domain ?? full.domain
            return full
        }
        return name
    }

    mutating func answered(_ reply: ControlLogonReply?) -> [UInt8] {
        defer { asked = Fields() }
        return Array(answer(reply).utf8)
    }

    private func answer(_ reply: ControlLogonReply?) -> String {
        let lost = "Reading winbind reply failed!"
        guard let reply else { return refusal(lost) }
        switch reply.outcome {
        case .success: return success(reply)
        case .refused: return refusal(reply.ntStatus.text)
        case .unavailable, .overloaded:
            return refusal(reply.ntStatus == .noLogonServers ? reply.ntStatus.text : lost)
        case .badRequest: return refusal(NTStatus.invalidParameter.text)
        }
    }

    private func success(_ reply: ControlLogonReply) -> String {
        var text = "Authenticated: Yes\n"
        if asked.password == nil {
            if asked.wantsLMKey, let key = reply.lmKey, !NTLMAuthOptions.isZero(key) {
                text += "LANMAN-Session-Key: \(NTLMAuthOptions.digits(key))\n"
            }
            if asked.wantsUserKey, let key = reply.ntKey, !NTLMAuthOptions.isZero(key) {
                text += "User-Session-Key: \(NTLMAuthOptions.digits(key))\n"
            }
        }
        return text + ".\n"
    }

    private func refusal(_ text: String) -> String {
        asked.password == nil
            ? "Authenticated: No\nAuthentication-Error: \(text)\n.\n.\n" : "Authenticated: No\n.\n"
    }
}
