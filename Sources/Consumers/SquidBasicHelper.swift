import Crypto
import Wire

/// Squid's protocol for basic authentication: a line `user password`, both escaped as in a URL
/// (RFC 1738) from version 2.5 on, is answered by `OK` or `ERR`.
package struct SquidBasicHelper {
    private let options: NTLMAuthOptions
    private let isEscaped: Bool

    init(_ options: NTLMAuthOptions, isEscaped: Bool) {
        self.options = options
        self.isEscaped = isEscaped
    }

    func line(_ line: LineCutter.Line) -> HelperStep {
        guard case .line(let secret) = line else { return HelperStep("ERR\n") }
        // The tool that this one stands in for says nothing to an empty line, and so must we: a
        // caller would take an answer for that to its next line.
        if secret.bytes.isEmpty { return HelperStep(error: "ERR\n") }
        guard let request = request(secret.bytes) else { return HelperStep("ERR\n") }
        return HelperStep(request: request)
    }

    func answered(_ reply: ControlLogonReply?) -> [UInt8] {
        Array((reply?.outcome == .success ? "OK\n" : "ERR\n").utf8)
    }

    private func request(_ line: [UInt8]) -> ControlLogonRequest? {
        guard let space = line.firstIndex(of: 0x20) else { return nil }
        var user = Array(line[..<space])
        var password = Array(line[(space + 1)...])
        if isEscaped {
            user = Self.unescaped(user)
            password = Self.unescaped(password)
        }
        // No name or password has a null in it; elsewhere the text would end there.
        if user.isEmpty || user.contains(0) || password.contains(0) { return nil }
        let text = String(decoding: user, as: UTF8.self)
        if Array(text.utf8) != user { return nil }
        let name = AccountName(text)
        var request = ControlLogonRequest(
            requestID: 0, domain: name.domain ?? options.domain, user: name.user,
            credential: .password(Secret(password)))
        Wipe.bytes(&password)
        request.workstation = options.workstation
        request.requiredGroup = options.requiredGroup
        return request.isWithinLimits ? request : nil
    }

    /// Two digits after a percent sign become their byte; a percent sign without stays.
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = LooseHex.digit(text[index + 1]),
                let low = LooseHex.digit(text[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(text[index])
                index += 1
            }
        }
        return out
    }
}
