import Crypto
import NTLM
import Wire

/// Whose server a helper is, and what it cannot have of itself.
package struct HelperContext {
    package var identity: ServerHandshake.Identity
    package var random: (Int) -> [UInt8]
    /// The time as a FILETIME.
    package var now: () -> UInt64

    package init(
        identity: ServerHandshake.Identity, random: @escaping (Int) -> [UInt8],
        now: @escaping () -> UInt64
    ) {
        self.identity = identity
        self.random = random
        self.now = now
    }
}

/// Squid's protocols for NTLM, whose tokens are in base64: those of `squid-2.5-ntlmssp` are
/// NTLMSSP's, those of `gss-spnego` may be SPNEGO's, and there each answer has a token, or `*`.
///
///     YR negotiate           TT challenge
///     KK authenticate        AF DOMAIN\user   or NA status, or BH status: nobody could be asked
///     GK                     GK session key
///     SF …, PW …             OK: neither has an effect
package struct SquidNTLMHelper {
    private let options: NTLMAuthOptions
    private let context: HelperContext
    private let isSPNEGO: Bool
    private var acceptor: SecurityAcceptor?
    private var sessionKey: Bytes16?

    init(_ options: NTLMAuthOptions, _ context: HelperContext, isSPNEGO: Bool) {
        self.options = options
        self.context = context
        self.isSPNEGO = isSPNEGO
    }

    mutating func line(_ line: LineCutter.Line) -> HelperStep {
        guard case .line(let secret) = line else { return HelperStep("BH Line too long\n") }
        let bytes = secret.bytes
        if bytes.isEmpty { return HelperStep(error: "ERR\n") }
        guard bytes.count >= 2 else { return HelperStep("BH Query invalid\n") }
        let word = String(decoding: bytes[..<2], as: UTF8.self)
        let argument = Array(bytes.dropFirst(3))
        switch word {
        case "YR": return begin(argument)
        case "KK" where !argument.isEmpty: return advance(argument)
        case "SF" where !argument.isEmpty, "PW" where !argument.isEmpty:
            return HelperStep("OK\n")
        case "GK":
            guard let sessionKey else { return HelperStep("BH No session key\n") }
            return HelperStep("GK \(Self.base64(sessionKey.bytes))\n")
        case _: return HelperStep("BH SPNEGO request invalid prefix\n")
        }
    }

    /// A conversation begins anew, whatever became of the one before.
    private mutating func begin(_ argument: [UInt8]) -> HelperStep {
        sessionKey = nil
        acceptor = SecurityAcceptor(
            identity: context.identity, challenge: Bytes8(context.random(8)))
        if argument.isEmpty, isSPNEGO {
            return answer("TT", SecurityAcceptor.hint(), "")
        }
        return advance(argument)
    }

    private mutating func advance(_ argument: [UInt8]) -> HelperStep {
        guard let token = Base64.bytes(argument), !token.isEmpty, var acceptor else {
            return refused(.invalidParameter)
        }
        self.acceptor = nil
        let step: SecurityAcceptor.Step
        do throws(SecurityAcceptor.Refused) {
            step = try acceptor.accept(token, now: context.now())
        } catch {
            return refused(error == .integrity ? .logonFailure : .invalidParameter)
        }
        switch step {
        case .continues(let token):
            self.acceptor = acceptor
            return answer("TT", token, "")
        case .anonymous:
            return refused(.logonFailure)
        case .validate(let answered):
            guard let request = request(answered) else { return refused(.noSuchUser) }
            self.acceptor = acceptor
            return HelperStep(request: request)
        }
    }

    private func request(_ answered: SecurityAcceptor.Answered) -> ControlLogonRequest? {
        let domain = answered.domain.isEmpty ? options.domain : answered.domain
        var request = ControlLogonRequest(
            requestID: 0, domain: domain, user: answered.user,
            credential: .response(
                challenge: answered.challenge, nt: answered.ntResponse,
                lm: answered.lmResponse))
        request.workstation = answered.workstation
        request.requiredGroup = options.requiredGroup
        // Both keys belong to the session's.
        request.wants = [.text, .ntKey, .lmKey]
        request.parameterControl = NTLMAuthOptions.parameterControl(forMSChapV2: false)
        return request.isWithinLimits ? request : nil
    }

    mutating func answered(_ reply: ControlLogonReply?) -> [UInt8] {
        defer { acceptor = nil }
        guard let reply else { return answer("BH", [], NTStatus.noLogonServers.name).output }
        switch reply.outcome {
        case .success: return accepted(reply).output
        case .refused, .badRequest: return refused(reply.ntStatus).output
        case .unavailable, .overloaded: return answer("BH", [], reply.ntStatus.name).output
        }
    }

    private mutating func accepted(_ reply: ControlLogonReply) -> HelperStep {
        guard var acceptor else { return refused(.invalidParameter) }
        let session: SecurityAcceptor.Session
        do throws(SecurityAcceptor.Refused) {
            session = try acceptor.finish(
                sessionKey: Self.key(reply.ntKey), lmKey: Self.key(reply.lmKey))
        } catch {
            return refused(.logonFailure)
        }
        sessionKey = session.exportedSessionKey
        return answer("AF", session.blob, "\(reply.domain)\\\(reply.user)")
    }

    private static func key<let count: Int>(_ secret: Secret?) -> FixedBytes<count> {
        guard let secret, secret.bytes.count >= count else { return FixedBytes<count>() }
        return FixedBytes<count>(secret.bytes)
    }

    private func refused(_ status: NTStatus) -> HelperStep { answer("NA", [], status.name) }

    /// `gss-spnego` has a token in each answer, or an asterisk, and ends a challenge with one.
    private func answer(_ code: String, _ token: [UInt8], _ word: String) -> HelperStep {
        let text = token.isEmpty ? "" : Self.base64(token)
        if isSPNEGO {
            return HelperStep(
                "\(code) \(text.isEmpty ? "*" : text) \(word.isEmpty ? "*" : word)\n")
        }
        return HelperStep("\(code) \(word.isEmpty ? text : word)\n")
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.text(bytes), as: UTF8.self)
    }
}
