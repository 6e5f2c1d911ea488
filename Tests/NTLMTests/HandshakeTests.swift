import Crypto
import NTLM
import TestSupport
import Testing
import Wire

@Suite struct HandshakeTests {
    static let ntowf = NTOWF.v1(password: "secret")
    static let account = ClientHandshake.Account(
        userName: "jörg", domainName: "LAB", ntowf: ntowf)
    static let nonces = ClientHandshake.Nonces(
        clientChallenge: Bytes8(Array(11...18)), sessionKey: Bytes16(Array(21...36)), now: 77)
    static let identity = ServerHandshake.Identity(
        nbComputerName: "GATE", nbDomainName: "LAB", dnsComputerName: "gate.lab.example",
        dnsDomainName: "lab.example")

    static func server(_ flags: NegotiateFlags = ServerHandshake.allFlags) -> ServerHandshake {
        ServerHandshake(
            identity: identity, serverChallenge: Bytes8(Array(1...8)), flags: flags)
    }

    /// What a controller returns for a right answer.
    static func baseKey(_ answer: ServerHandshake.Answer, _ challenge: Bytes8) -> Bytes16 {
        guard answer.isNTLMv2 else { return NTLMv1.sessionBaseKey(ntowf: ntowf) }
        let owf = NTOWF.v2(ntowf: ntowf, user: answer.userName, domain: answer.domainName)
        let proof = NTLMv2.proof(
            owf: owf, serverChallenge: challenge, blob: Array(answer.ntResponse[16...]))
        #expect(proof.bytes == Array(answer.ntResponse[..<16]))
        return NTLMv2.sessionBaseKey(owf: owf, proof: proof)
    }

    static let cases: [(ClientHandshake.Responses, NegotiateFlags)] = [
        (.ntlmv2, ServerHandshake.allFlags), (.ntlmv1, ServerHandshake.allFlags),
        (.ntlmv2, [.oem, .ntlm, .sign]), (.ntlmv1, [.oem, .ntlm, .sign]),
        (.ntlmv2, [.unicode, .requestTarget, .ntlm]),
        (.ntlmv1, [.unicode, .ntlm, .extendedSessionSecurity, .sign, .keyExchange]),
    ]

    @Test(arguments: cases) func bothEndsAgree(
        _ responses: ClientHandshake.Responses, _ flags: NegotiateFlags
    ) throws {
        let client = ClientHandshake(
            account: Self.account, workstation: "WS1", responses: responses)
        var server = Self.server(flags)
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        let (message, session) = try client.authenticate(challenge: challenge, Self.nonces)
        let answer = try server.accept(authenticate: message)
        #expect(answer.userName == "jörg")
        #expect(answer.domainName == "LAB")
        #expect(answer.workstation == "WS1")
        #expect(answer.isNTLMv2 == (responses == .ntlmv2))
        let theirs = try server.session(
            answer, sessionBaseKey: Self.baseKey(answer, server.serverChallenge),
            lmSessionKey: Bytes8())
        #expect(theirs.exportedSessionKey == session.exportedSessionKey)
        var sending = session.security
        var receiving = theirs.security
        var pdu = [UInt8](repeating: 5, count: 40)
        sending.seal(&pdu, body: 0..<24, covered: 0..<24, token: 24)
        try receiving.unseal(&pdu, body: 0..<24, covered: 0..<24, token: 24..<40)
        #expect(pdu[..<24].allSatisfy { $0 == 5 })
    }

    @Test func answersWithTheServersTimeAndAMIC() throws {
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        var server = Self.server()
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        let (message, _) = try client.authenticate(challenge: challenge, Self.nonces)
        let parsed = try authenticate(message)
        #expect(parsed.mic != nil && parsed.mic != Bytes16())
        #expect(message[parsed.lmChallengeResponse].allSatisfy { $0 == 0 })
        let nt = Array(message[parsed.ntChallengeResponse].dropFirst(NTLMv2.proofLength))
        var reader = WireReader(nt.span, layer: "NTLM")
        #expect(try NTLMv2ClientChallenge(parsing: &reader).timestamp == 99)
    }

    @Test func refusesAnAnswerWhoseMessagesWereAltered() throws {
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        var server = Self.server()
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        let (message, _) = try client.authenticate(challenge: challenge, Self.nonces)
        // The MIC, the flags, and a letter of the workstation's name.
        for index in [AuthenticateMessage.micOffset, 60, 88 + 6 + 8] {
            var altered = message
            altered[index] ^= 0x10
            var again = server
            let answer = try again.accept(authenticate: altered)
            let base = Self.baseKey(answer, server.serverChallenge)
            #expect(throws: ServerHandshake.Refused.integrity, "byte \(index)") {
                try again.session(answer, sessionBaseKey: base, lmSessionKey: Bytes8())
            }
        }
        // An offer that was cut down on its way.
        var other = client.negotiate
        other[15] &= 0x7f
        var cheated = Self.server()
        _ = try cheated.challenge(negotiate: other, now: 99)
        let answer = try cheated.accept(authenticate: message)
        let base = Self.baseKey(answer, server.serverChallenge)
        #expect(throws: ServerHandshake.Refused.integrity) {
            try cheated.session(answer, sessionBaseKey: base, lmSessionKey: Bytes8())
        }
    }

    @Test func agreesOnANullSession() throws {
        let client = ClientHandshake(account: nil, workstation: "")
        var server = Self.server()
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        let (message, session) = try client.authenticate(challenge: challenge, Self.nonces)
        let answer = try server.accept(authenticate: message)
        #expect(answer.isAnonymous)
        let theirs = try server.session(
            answer, sessionBaseKey: Bytes16(), lmSessionKey: Bytes8())
        #expect(theirs.exportedSessionKey == session.exportedSessionKey)
    }

    @Test func clientRefusesHostileChallenges() throws {
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        var server = Self.server()
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        for length in 0..<challenge.count {
            _ = try? client.authenticate(challenge: Array(challenge[..<length]), Self.nonces)
        }
        for index in challenge.indices {
            var altered = challenge
            altered[index] ^= 0xff
            _ = try? client.authenticate(challenge: altered, Self.nonces)
        }
        // Target info that does not end.
        var endless = challenge
        endless[endless.count - 4] = 1
        #expect(throws: WireError.self) {
            try client.authenticate(challenge: Array(endless), Self.nonces)
        }
    }

    @Test func serverSurvivesHostileAnswers() throws {
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        var server = Self.server()
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        let (message, _) = try client.authenticate(challenge: challenge, Self.nonces)
        for index in message.indices {
            for value: UInt8 in [0, 1, 0x7f, 0xff] {
                var altered = message
                altered[index] = value
                var again = server
                guard let answer = try? again.accept(authenticate: altered) else { continue }
                _ = try? again.session(
                    answer, sessionBaseKey: Bytes16(), lmSessionKey: Bytes8())
            }
        }
    }
}
