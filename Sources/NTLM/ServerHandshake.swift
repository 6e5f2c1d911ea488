import Crypto
import Wire

/// The server's half of NTLM (MS-NLMP 3.2.5.1): a challenge, then the client's answer, which
/// somebody else validates, then the session.
package struct ServerHandshake {
    /// The names that the server goes by.
    package struct Identity {
        package var nbComputerName: String
        /// Nil for a server in no domain.
        package var nbDomainName: String?
        package var dnsComputerName: String?
        package var dnsDomainName: String?
        /// Whether an NTLMv2 response is bound to our domain's name too. A controller takes only
        /// those that name its own domain or none, so a server of users of several domains, of
        /// which it does not know yet whose is coming, binds them to its computer name alone.
        package var bindsDomain = true

        package init(
            nbComputerName: String, nbDomainName: String? = nil, dnsComputerName: String? = nil,
            dnsDomainName: String? = nil
        ) {
            self.nbComputerName = nbComputerName
            self.nbDomainName = nbDomainName
            self.dnsComputerName = dnsComputerName
            self.dnsDomainName = dnsDomainName
        }

        var targetName: String { nbDomainName ?? nbComputerName }

        func pairs(now: UInt64) -> AVPairList {
            var pairs: [AVPair] = []
            if bindsDomain { pairs.append(AVPair(.nbDomainName, text: targetName)) }
            pairs.append(AVPair(.nbComputerName, text: nbComputerName))
            if bindsDomain, let dnsDomainName {
                pairs.append(AVPair(.dnsDomainName, text: dnsDomainName))
            }
            if let dnsComputerName {
                pairs.append(AVPair(.dnsComputerName, text: dnsComputerName))
            }
            pairs.append(AVPair(timestamp: now))
            return AVPairList(pairs)
        }
    }

    /// What the client answered: the input of a network logon.
    package struct Answer: CustomStringConvertible {
        package var userName: String
        package var domainName: String
        package var workstation: String
        package var lmResponse: [UInt8]
        package var ntResponse: [UInt8]
        package var isAnonymous: Bool
        let flags: NegotiateFlags
        let encryptedSessionKey: [UInt8]
        let mic: Bytes16?

        /// Longer than version 1's, which has 24 bytes.
        package var isNTLMv2: Bool { ntResponse.count > 24 }

        /// Under extended session security, which some clients offer and then forget.
        var isOfBothChallenges: Bool {
            flags.contains(.extendedSessionSecurity) && ntResponse.count == 24
                && lmResponse.count >= 8
        }

        /// What whoever knows the password is to be shown. Under extended session security a
        /// version 1 response answers a challenge that both ends made (MS-NLMP 3.3.1), and the
        /// client's part of it stands in the LM response's place.
        package func networkProof(
            serverChallenge: Bytes8
        ) -> (challenge: Bytes8, lm: [UInt8]) {
            guard isOfBothChallenges else { return (serverChallenge, lmResponse) }
            let challenge = NTLMv1.sessionChallenge(
                server: serverChallenge, client: Bytes8(lmResponse))
            return (challenge, [])
        }

        package var description: String {
            "answer of \(domainName)\\\(userName) at \(workstation)"
        }
    }

    package enum Refused: Error, Equatable {
        /// The client promises a MIC, and there is none or another.
        case integrity
        /// The encrypted session key has not 16 bytes.
        case sessionKey
    }

    package static let allFlags: NegotiateFlags = [
        .unicode, .oem, .requestTarget, .sign, .seal, .ntlm, .alwaysSign,
        .extendedSessionSecurity, .encrypt128, .keyExchange, .encrypt56,
    ]

    /// The longest offer that is taken: it is kept until the answer has come, and its sender has
    /// proved nothing yet. Clients send 40 bytes and two short names.
    package static let negotiateLimit = 2_048

    package let serverChallenge: Bytes8
    private let identity: Identity
    private let accepted: NegotiateFlags
    private var negotiate: [UInt8] = []
    private var challenge: [UInt8] = []
    private var authenticate: [UInt8] = []
    private var flags: NegotiateFlags = []

    package init(
        identity: Identity, serverChallenge: Bytes8,
        flags: NegotiateFlags = ServerHandshake.allFlags
    ) {
        self.identity = identity
        self.serverChallenge = serverChallenge
        accepted = flags
    }

    /// The answer to the client's offer. `now` is a FILETIME.
    package mutating func challenge(
        negotiate bytes: [UInt8], now: UInt64
    ) throws(WireError) -> [UInt8] {
        if bytes.count > Self.negotiateLimit {
            throw WireError(
                .limit, layer: "NTLM", field: "NEGOTIATE", offset: 0, needed: bytes.count,
                available: Self.negotiateLimit)
        }
        var reader = WireReader(bytes.span, layer: "NTLM")
        let offer = try NegotiateMessage(parsing: &reader).negotiateFlags
        flags = offer.intersection(accepted)
        if flags.contains(.unicode) { flags.remove(.oem) }
        var info: [UInt8] = []
        var shown = flags
        if flags.contains(.requestTarget) {
            shown.insert(identity.nbDomainName == nil ? .targetTypeServer : .targetTypeDomain)
            // Without Unicode it is a client of an age that knows of none.
            if flags.contains(.unicode) { info = identity.pairs(now: now).bytes }
        }
        var writer = WireWriter(capacity: 128 + info.count)
        ChallengeMessage(
            targetName: flags.contains(.requestTarget) ? identity.targetName : "",
            negotiateFlags: shown, serverChallenge: serverChallenge,
            targetInfo: 0..<info.count
        ).write(from: info.span, into: &writer)
        negotiate = bytes
        challenge = writer.finish()
        return challenge
    }

    /// The bytes of the messages that are kept.
    var heldBytes: Int { negotiate.count + challenge.count + authenticate.count }

    /// Reads the client's answer to the challenge.
    package mutating func accept(authenticate bytes: [UInt8]) throws(WireError) -> Answer {
        precondition(!challenge.isEmpty, "an answer before the challenge")
        var reader = WireReader(bytes.span, layer: "NTLM")
        let message = try AuthenticateMessage(parsing: &reader, negotiated: flags)
        authenticate = bytes
        return Answer(
            userName: message.userName, domainName: message.domainName,
            workstation: message.workstation,
            lmResponse: reader.copy(message.lmChallengeResponse),
            ntResponse: reader.copy(message.ntChallengeResponse),
            isAnonymous: message.isAnonymous,
            flags: message.negotiateFlags.intersection(flags),
            encryptedSessionKey: reader.copy(message.encryptedRandomSessionKey),
            mic: message.mic)
    }

    /// The session, once the answer proved right. Both keys come with the validation.
    package func session(
        _ answer: Answer, sessionBaseKey: Bytes16, lmSessionKey: Bytes8
    ) throws(Refused) -> NTLMSession {
        var keyFlags = answer.flags
        if !answer.isOfBothChallenges { keyFlags.remove(.extendedSessionSecurity) }
        let key = SessionKeys.keyExchangeKey(
            flags: keyFlags, isNTLMv2: answer.isNTLMv2 || answer.isAnonymous,
            sessionBaseKey: sessionBaseKey, lmSessionKey: lmSessionKey,
            lmResponse: answer.lmResponse, serverChallenge: serverChallenge)
        var exported = key
        if answer.flags.contains(.keyExchange), !answer.encryptedSessionKey.isEmpty {
            guard answer.encryptedSessionKey.count == 16 else { throw .sessionKey }
            exported = SessionKeys.exchange(Bytes16(answer.encryptedSessionKey), under: key)
        }
        if promisesMIC(answer) { try check(answer, exported) }
        return NTLMSession(
            flags: answer.flags, exportedSessionKey: exported, isClient: false)
    }

    /// Whether the client's list of AV pairs, which its response protects, says that there is a
    /// MIC. A list that cannot be read says nothing: the response was validated with it.
    func promisesMIC(_ answer: Answer) -> Bool {
        guard answer.isNTLMv2 else { return false }
        var reader = WireReader(answer.ntResponse.span, layer: "NTLM")
        guard (try? reader.take(NTLMv2.proofLength, "NTProofStr")) != nil,
            let blob = try? NTLMv2ClientChallenge(parsing: &reader)
        else { return false }
        var inner = reader.part(blob.avPairs)
        guard let list = try? AVPairList(parsing: &inner) else { return false }
        return list.flags.contains(.messageIntegrity)
    }

    private func check(_ answer: Answer, _ exported: Bytes16) throws(Refused) {
        guard let mic = answer.mic else { throw .integrity }
        var zeroed = authenticate
        for index in 0..<16 { zeroed[AuthenticateMessage.micOffset + index] = 0 }
        let code = SessionKeys.messageIntegrityCode(
            exported: exported, negotiate: negotiate, challenge: challenge,
            authenticate: zeroed)
        guard code == mic else { throw .integrity }
    }
}
