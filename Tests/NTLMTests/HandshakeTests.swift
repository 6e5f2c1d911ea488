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

    @Test func serverOfSeveralDomainsBindsToItsOwnNameAlone() throws {
        var identity = Self.identity
        identity.bindsDomain = false
        var server = ServerHandshake(identity: identity, serverChallenge: Bytes8(Array(1...8)))
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        let challenge = try server.challenge(negotiate: client.negotiate, now: 99)
        var reader = WireReader(challenge.span, layer: "NTLM")
        let message = try ChallengeMessage(parsing: &reader)
        var inner = reader.part(message.targetInfo)
        let kinds = try AVPairList(parsing: &inner).pairs.map(\.id)
        #expect(kinds == [.nbComputerName, .dnsComputerName, .timestamp])
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

    /// The answer repeats the list in a field whose length has 16 bits.
    @Test func refusesATargetInfoOverTheLimit() throws {
        let client = ClientHandshake(account: Self.account, workstation: "WS1")
        let most = ClientHandshake.targetInfoLimit
        for length in [most, most + 1, 65_528] {
            // One name of that length with the list's end.
            let name = length - 8
            let info = [2, 0, UInt8(name & 0xff), UInt8(name >> 8)]
                + [UInt8](repeating: 0x41, count: name) + [0, 0, 0, 0]
            let bytes = Sample.bytes {
                ChallengeMessage(
                    targetName: "", negotiateFlags: [.unicode, .ntlm],
                    serverChallenge: Bytes8(), targetInfo: 0..<info.count
                ).write(from: info.span, into: &$0)
            }
            if length == most {
                _ = try client.authenticate(challenge: bytes, Self.nonces)
                continue
            }
            let error = #expect(throws: WireError.self) {
                _ = try client.authenticate(challenge: bytes, Self.nonces)
            }
            #expect(error?.reason == .limit && error?.needed == length)
        }
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

    /// An answer that the client of Samba 4.17 gave to this server's challenge, and the key that
    /// it ended with.
    @Test func agreesWithAnotherImplementation() throws {
        let offer = "4e544c4d535350000100000035820862"
            + "00000000280000000000000028000000060100000000000f"
        var server = Self.server()
        _ = try server.challenge(
            negotiate: Hex.bytes(offer) ?? [], now: 0x01d9_0000_0000_0000)
        let answer = try server.accept(authenticate: Hex.bytes(Self.sambaAnswer) ?? [])
        #expect(answer.userName == "jörg")
        let session = try server.session(
            answer, sessionBaseKey: Self.baseKey(answer, server.serverChallenge),
            lmSessionKey: Bytes8())
        #expect(session.exportedSessionKey.hex == "0b0eaa8a3063425fdc7f4eb20d03896b")
    }

    static let sambaAnswer = """
        4e544c4d53535000030000001800180058000000e000e000700000000600060050010000\
        0800080056010000060006005e010000100010006401000035820862060100000000000f\
        613ac26631877c37e80123d94d5771bf0000000000000000000000000000000000000000\
        000000004ab288d79ac91375ec468b80f08239570101000000000000000000000000d901\
        c250dc56e325d6d000000000020006004c00410042000100080047004100540045000400\
        16006c00610062002e006500780061006d0070006c006500030020006700610074006500\
        2e006c00610062002e006500780061006d0070006c00650007000800000000000000d901\
        0600040002000000080030003000000000000000000000000000000076768940a6462aa9\
        3a0523d575303d41cb205a5723d52bcf6cba1f4b8a02068f0a0010000000000000000000\
        0000000000000000000000004c00410042006a00f60072006700570053003100a1988d3c\
        a900aa6731aa7a42611bba6b
        """

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
