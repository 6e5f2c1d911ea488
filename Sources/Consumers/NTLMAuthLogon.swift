import Crypto
import Wire

/// The one logon of an `ntlm_auth` command line: its request, and what is printed for the reply.
///
/// The formats are those that callers parse, byte for byte (checked against Samba 4.17):
///
/// | | by response | by password |
/// |---|---|---|
/// | success | `LM_KEY: …` and `NT_KEY: …` as requested, or nothing | `:  (0x0)` |
/// | refused | `text (0xstatus)` | `NT_STATUS_NAME: text (0xstatus)` |
/// | no controller | the same with 0xc000005e | the same |
/// | no agent | `Reading winbind reply failed! (0xc0000001)` | the same |
///
/// Whoever reads the output takes the last two for *unavailable*, and everything else for
/// *rejected*; so a logon that was not decided never ends in another text.
extension NTLMAuthOptions {
    private static var unavailableText: String { "Reading winbind reply failed!" }

    /// The request; `password` must be there where `needsPassword`. Nil where a name or response
    /// is longer than any that a controller knows.
    package func request(id: UInt32, deadline: UInt32) -> ControlLogonRequest? {
        let credential: ControlLogonRequest.Credential
        if let challenge {
            credential = .response(challenge: challenge, nt: ntResponse, lm: lmResponse)
        } else {
            guard let password else { return nil }
            credential = .password(password)
        }
        var request = ControlLogonRequest(
            requestID: id, domain: domain, user: username, credential: credential)
        request.workstation = workstation
        request.requiredGroup = requiredGroup
        request.deadline = deadline
        request.parameterControl = parameterControl
        request.wants = .text
        // A success with a password prints no key, whatever was asked for.
        if challenge != nil {
            if requestsNTKey { request.wants.insert(.ntKey) }
            if requestsLMKey { request.wants.insert(.lmKey) }
        }
        return request.isWithinLimits ? request : nil
    }

    private var parameterControl: UInt32 {
        challenge == nil ? 0 : Self.parameterControl(forMSChapV2: allowsMSChapV2)
    }

    /// Computers log on to networks too, by response; and only a response of MS-CHAPv2 is
    /// excepted from a domain's rule against NTLMv1.
    static func parameterControl(forMSChapV2 isMSChapV2: Bool) -> UInt32 {
        let computers =
            ControlLogonRequest.ParameterControl.serverTrustAccount
            | ControlLogonRequest.ParameterControl.workstationTrustAccount
        return isMSChapV2 ? computers | ControlLogonRequest.ParameterControl.msChapV2 : computers
    }

    /// What to print for `reply`; nil where no agent answered.
    package func output(for reply: ControlLogonReply?) -> ToolOutput {
        guard let reply else {
            let text = "\(Self.unavailableText) (0xc0000001)\n"
            return ToolOutput(text, exitCode: 1)
        }
        switch reply.outcome {
        case .success:
            return ToolOutput(challenge == nil ? ":  (0x0)\n" : keys(reply), exitCode: 0)
        case .refused:
            var output = failure(challenge == nil ? reply.ntStatus : Self.veiled(reply.ntStatus))
            if !reply.text.isEmpty { output.standardError = "ntlm_auth: \(reply.text)\n" }
            return output
        case .unavailable, .overloaded:
            if reply.ntStatus == .noLogonServers { return failure(reply.ntStatus) }
            let number = String(reply.ntStatus.rawValue, radix: 16)
            return ToolOutput("\(Self.unavailableText) (0x\(number))\n", exitCode: 1)
        case .badRequest:
            return failure(.invalidParameter)
        }
    }

    /// The answer to a request that could not be sent, because no such user can exist.
    package var outputForImpossibleName: ToolOutput {
        failure(challenge == nil ? .noSuchUser : .logonFailure)
    }

    private func keys(_ reply: ControlLogonReply) -> String {
        var text = ""
        if requestsLMKey, let key = reply.lmKey, !Self.isZero(key) {
            text += "LM_KEY: \(Self.digits(key))\n"
        }
        if requestsNTKey, let key = reply.ntKey, !Self.isZero(key) {
            text += "NT_KEY: \(Self.digits(key))\n"
        }
        return text
    }

    private func failure(_ status: NTStatus) -> ToolOutput {
        let name = challenge == nil ? status.name + ": " : ""
        return ToolOutput("\(name)\(status.line)\n", exitCode: 1)
    }

    /// Whether the name or the password was wrong is not told to those who try responses.
    static func veiled(_ status: NTStatus) -> NTStatus {
        status == .wrongPassword || status == .noSuchUser ? .logonFailure : status
    }

    static func digits(_ key: Secret) -> String { Hex.string(key.bytes).uppercased() }

    /// A guest's session has no key; zeros must not pass for one.
    static func isZero(_ key: Secret) -> Bool {
        var sum: UInt8 = 0
        for byte in key.bytes { sum |= byte }
        return sum == 0
    }
}
