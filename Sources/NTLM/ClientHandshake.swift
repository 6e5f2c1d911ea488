import Crypto
import Wire

/// What a handshake ends in, at either end.
package struct NTLMSession {
    package let flags: NegotiateFlags
    /// The key that SMB and others derive theirs from.
    package let exportedSessionKey: Bytes16
    package let security: MessageSecurity

    init(flags: NegotiateFlags, exportedSessionKey: Bytes16, isClient: Bool) {
        self.flags = flags
        self.exportedSessionKey = exportedSessionKey
        security = MessageSecurity(
            flags: flags, exportedSessionKey: exportedSessionKey, isClient: isClient)
    }
}

/// The client's half of NTLM (MS-NLMP 3.1.5.1): an offer, then an answer to the challenge.
package struct ClientHandshake {
    package struct Account {
        package var userName: String
        package var domainName: String
        package var ntowf: Bytes16

        package init(userName: String, domainName: String, ntowf: Bytes16) {
            self.userName = userName
            self.domainName = domainName
            self.ntowf = ntowf
        }
    }

    package enum Responses: Sendable {
        /// Also to servers that send no target info, such as NT4 since its fourth service pack.
        case ntlmv2
        /// Under extended session security where the server has it. No LM response is sent.
        case ntlmv1
    }

    /// What the answer needs that cannot be repeated: unpredictable bytes, and a FILETIME.
    package struct Nonces {
        package var clientChallenge: Bytes8
        package var sessionKey: Bytes16
        package var now: UInt64

        package init(clientChallenge: Bytes8, sessionKey: Bytes16, now: UInt64) {
            self.clientChallenge = clientChallenge
            self.sessionKey = sessionKey
            self.now = now
        }
    }

    package static let allFlags: NegotiateFlags = [
        .unicode, .oem, .requestTarget, .sign, .seal, .ntlm, .alwaysSign,
        .extendedSessionSecurity, .targetInfo, .encrypt128, .keyExchange, .encrypt56,
    ]

    /// The longest TargetInfo that is answered. A server's has five names, and the answer repeats
    /// it in a field whose length has 16 bits.
    package static let targetInfoLimit = 4_096

    private let account: Account?
    private let workstation: String
    private let responses: Responses
    private let offered: NegotiateFlags
    /// The first message.
    package let negotiate: [UInt8]

    /// - Parameters:
    ///   - account: nil for a null session.
    ///   - flags: the most that is offered; which of them the session has, its flags say.
    package init(
        account: Account?, workstation: String, responses: Responses = .ntlmv2,
        flags: NegotiateFlags = ClientHandshake.allFlags
    ) {
        self.account = account
        self.workstation = workstation
        self.responses = responses
        offered = flags
        var writer = WireWriter(capacity: 64)
        NegotiateMessage(negotiateFlags: flags.subtracting(.targetInfo)).write(into: &writer)
        negotiate = writer.finish()
    }

    /// The last message, and the session as the server will have it if it takes the answer.
    package func authenticate(
        challenge bytes: [UInt8], _ nonces: Nonces
    ) throws(WireError) -> (message: [UInt8], session: NTLMSession) {
        var reader = WireReader(bytes.span, layer: "NTLM")
        let challenge = try ChallengeMessage(parsing: &reader)
        if challenge.targetInfo.count > Self.targetInfoLimit {
            throw WireError(
                .limit, layer: "NTLM", field: "TargetInfo",
                offset: challenge.targetInfo.lowerBound, needed: challenge.targetInfo.count,
                available: Self.targetInfoLimit)
        }
        var flags = challenge.negotiateFlags.intersection(offered)
        if flags.contains(.unicode) { flags.remove(.oem) }
        if account == nil { flags.insert(.anonymous) }
        let answer = try answer(challenge, reader.copy(challenge.targetInfo), flags, nonces)
        let key = SessionKeys.keyExchangeKey(
            flags: flags, isNTLMv2: responses == .ntlmv2 || account == nil,
            sessionBaseKey: answer.sessionBaseKey, lmSessionKey: Bytes8(),
            lmResponse: answer.lm, serverChallenge: challenge.serverChallenge)
        let exchanges =
            flags.contains(.keyExchange) && !flags.isDisjoint(with: [.sign, .seal])
        let exported = exchanges ? nonces.sessionKey : key
        let encrypted = exchanges ? SessionKeys.exchange(exported, under: key).bytes : []

        let payload = answer.lm + answer.nt + encrypted
        let nt = answer.lm.count..<(answer.lm.count + answer.nt.count)
        var writer = WireWriter(capacity: 256 + payload.count)
        AuthenticateMessage(
            lmChallengeResponse: 0..<answer.lm.count, ntChallengeResponse: nt,
            domainName: account?.domainName ?? "", userName: account?.userName ?? "",
            workstation: workstation,
            encryptedRandomSessionKey: nt.upperBound..<payload.count,
            negotiateFlags: flags, mic: answer.hasMIC ? Bytes16() : nil
        ).write(from: payload.span, into: &writer)
        if answer.hasMIC {
            let code = SessionKeys.messageIntegrityCode(
                exported: exported, negotiate: negotiate, challenge: bytes,
                authenticate: writer.bytes)
            writer.overwrite(AuthenticateMessage.micOffset, with: code.bytes)
        }
        return (
            writer.finish(),
            NTLMSession(flags: flags, exportedSessionKey: exported, isClient: true)
        )
    }

    private struct Answer {
        var nt: [UInt8]
        var lm: [UInt8]
        var sessionBaseKey: Bytes16
        var hasMIC = false
    }

    private func answer(
        _ challenge: ChallengeMessage, _ targetInfo: [UInt8], _ flags: NegotiateFlags,
        _ nonces: Nonces
    ) throws(WireError) -> Answer {
        guard let account else { return Answer(nt: [], lm: [0], sessionBaseKey: Bytes16()) }
        switch responses {
        case .ntlmv2:
            return try answerVersion2(account, challenge, targetInfo, nonces)
        case .ntlmv1:
            let base = NTLMv1.sessionBaseKey(ntowf: account.ntowf)
            if flags.contains(.extendedSessionSecurity) {
                let both = NTLMv1.extendedResponse(
                    ntowf: account.ntowf, serverChallenge: challenge.serverChallenge,
                    clientChallenge: nonces.clientChallenge)
                return Answer(nt: both.nt.bytes, lm: both.lm.bytes, sessionBaseKey: base)
            }
            let nt = NTLMv1.response(owf: account.ntowf, challenge: challenge.serverChallenge)
            // In place of an LM response, as clients do that may not send one.
            return Answer(nt: nt.bytes, lm: nt.bytes, sessionBaseKey: base)
        }
    }

    private func answerVersion2(
        _ account: Account, _ challenge: ChallengeMessage, _ targetInfo: [UInt8],
        _ nonces: Nonces
    ) throws(WireError) -> Answer {
        var list = AVPairList()
        if !targetInfo.isEmpty {
            var reader = WireReader(targetInfo.span, layer: "NTLM")
            list = try AVPairList(parsing: &reader)
        }
        // A server that tells its time expects a MIC, and no LM response.
        let time = list.timestamp
        if time != nil { list.set(AVPair(list.flags.union(.messageIntegrity))) }
        let both = NTLMv2.response(
            ntowf: account.ntowf, user: account.userName, domain: account.domainName,
            serverChallenge: challenge.serverChallenge, clientChallenge: nonces.clientChallenge,
            timestamp: time ?? nonces.now, targetInfo: list.bytes)
        let lm = time == nil ? both.lm : [UInt8](repeating: 0, count: 24)
        return Answer(
            nt: both.nt, lm: lm, sessionBaseKey: both.sessionBaseKey, hasMIC: time != nil)
    }
}
