import Crypto
import NTLM
import TestSupport
import Testing
import Wire

@Suite struct ResponseTests {
    @Test func upperCasesLetterByLetter() {
        #expect(UpperCase.text("straße-éñÿжᾀ") == "STRAßE-ÉÑ\u{178}Ж\u{1f88}")
        #expect(UpperCase.text("ﬁŉıſµა\u{10428}") == "ﬁŉıſµა\u{10428}")
    }

    /// The exFAT specification publishes its table in a compressed form and with a checksum: a
    /// unit for each unit, long runs without capitals as FFFF and their length.
    @Test func hasTheTableThatWindowsHas() {
        let identical: [UInt16: UInt16] = [
            0x587: 0x17f6, 0x2185: 0x34b, 0x24ea: 0x746, 0x2d26: 0xd21b,
        ]
        var checksum: UInt32 = 0
        func add(_ unit: UInt16) {
            for byte in [UInt32(unit & 0xff), UInt32(unit >> 8)] {
                checksum = (checksum << 31 | checksum >> 1) &+ byte
            }
        }
        var unit = 0
        while unit < 0x1_0000 {
            if let length = identical[UInt16(unit)] {
                add(0xffff)
                add(length)
                unit += Int(length)
            } else {
                add(UpperCase.unit(UInt16(unit)))
                unit += 1
            }
        }
        #expect(checksum == 0xe619_d30d)
    }

    @Test func hashesPasswordsInEveryForm() {
        let hash = NTOWF.v1(password: "päss\u{1f511}")
        #expect(hash == MD4.hash([0x70, 0, 0xe4, 0, 0x73, 0, 0x73, 0, 0x3d, 0xd8, 0x11, 0xdd]))
        #expect(hash == NTOWF.v1(password: Secret(Array("päss\u{1f511}".utf8))))
        #expect(NTOWF.v1(utf16LE: Secret([0x70, 0])) == NTOWF.v1(password: "p"))
        #expect(NTOWF.v1(password: Secret([0x70, 0xff])) == NTOWF.v1(password: "p\u{fffd}"))
    }

    @Test func hasNoLMHashWhereThePasswordAllowsNone() {
        #expect(LMOWF.v1(password: "0123456789abcde") == nil)
        #expect(LMOWF.v1(password: "пароль") == nil)
        #expect(LMOWF.v1(password: "Äpfel") == LMOWF.v1(password: "äPFEL"))
        #expect(LMOWF.v1(password: "ÿ") != nil)
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedLMHashes() throws {
        let cases = try VectorFile("samba_misc.json").root["deshash"] as? [[String: Any]] ?? []
        #expect(cases.count == 5)
        for item in cases {
            let password = item["input"] as? String ?? ""
            let expected = item["lm"] as? String
            let upper = Array(UpperCase.text(password).utf8)
            #expect(LMOWF.v1(oemUpperCase: upper).hex == expected)
            if item["pass_"] as? Bool == true {
                #expect(LMOWF.v1(password: password)?.hex == expected)
            } else {
                #expect(LMOWF.v1(password: password) == nil)
            }
        }
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedVersion1Values() throws {
        let file = try VectorFile("ms-nlmp_4.2.json")
        let password = file.text("common.Passwd")
        let server = Bytes8(file.bytes("common.ServerChallenge"))
        let client = Bytes8(file.bytes("common.ClientChallenge"))
        let ntowf = NTOWF.v1(password: password)
        let lmowf = try #require(LMOWF.v1(password: password))
        #expect(ntowf.bytes == file.bytes("v1.NTOWFv1"))
        #expect(lmowf.bytes == file.bytes("v1.LMOWFv1"))
        #expect(NTLMv1.sessionBaseKey(ntowf: ntowf).bytes == file.bytes("v1.SessionBaseKey"))
        let nt = NTLMv1.response(owf: ntowf, challenge: server)
        #expect(nt.bytes == file.bytes("v1.NTLMv1Response"))
        let lm = NTLMv1.response(owf: lmowf, challenge: server)
        #expect(lm.bytes == file.bytes("v1.LMv1Response"))
        let extended = NTLMv1.extendedResponse(
            ntowf: ntowf, serverChallenge: server, clientChallenge: client)
        #expect(extended.nt.bytes == file.bytes("v1_ess.NTResponse"))
        #expect(extended.lm.bytes == file.bytes("v1_ess.LMResponse"))
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedVersion2Values() throws {
        let file = try VectorFile("ms-nlmp_4.2.json")
        let ntowf = NTOWF.v1(password: file.text("common.Passwd"))
        let user = file.text("common.User")
        let domain = file.text("common.UserDom")
        let owf = NTOWF.v2(ntowf: ntowf, user: user, domain: domain)
        #expect(owf.bytes == file.bytes("v2.NTOWFv2"))
        let temp = file.bytes("v2.temp")
        let response = NTLMv2.response(
            ntowf: ntowf, user: user, domain: domain,
            serverChallenge: Bytes8(file.bytes("common.ServerChallenge")),
            clientChallenge: Bytes8(file.bytes("common.ClientChallenge")), timestamp: 0,
            targetInfo: Array(temp[28..<(temp.count - 4)]))
        #expect(response.nt == file.bytes("v2.NTProofStr") + temp)
        #expect(response.lm == file.bytes("v2.LMv2Response"))
        #expect(response.sessionBaseKey.bytes == file.bytes("v2.SessionBaseKey"))
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedDESResponses() throws {
        let file = try VectorFile("samba_auth_test_gnutls.json")
        let function = "torture_gnutls_SMBOWFencrypt"
        let response = NTLMv1.response(
            owf: Bytes16(file.array("password", function: function)),
            challenge: Bytes8(file.array("c8", function: function)))
        #expect(response.bytes == file.array("crypt_expected", function: function))
    }

    /// RFC 2759 9.2.
    @Test func givesTheMSCHAPv2ValuesOfItsRFC() {
        let authenticator = Hex.bytes("5b5d7c7d7b3f2f3e3c2c602132262628") ?? []
        let peer = Hex.bytes("21402324255e262a28295f2b3a337c7e") ?? []
        let challenge = MSCHAPv2.challengeHash(
            peerChallenge: Bytes16(peer), authenticatorChallenge: Bytes16(authenticator),
            userName: Array("User".utf8))
        #expect(challenge.hex == "d02e4386bce91226")
        let ntowf = NTOWF.v1(password: "clientPass")
        #expect(ntowf.hex == "44ebba8d5312b8d611474411f56989ae")
        let response = NTLMv1.response(owf: ntowf, challenge: challenge)
        #expect(response.hex == "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
    }

    @Test func readsBackTheClientChallengeItWrote() throws {
        var writer = WireWriter()
        let list: [UInt8] = [0, 0, 0, 0]
        NTLMv2ClientChallenge(timestamp: 7, challengeFromClient: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
            .write(targetInfo: list.span, into: &writer)
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "NTLM")
        let parsed = try NTLMv2ClientChallenge(parsing: &reader)
        #expect(parsed.timestamp == 7)
        #expect(parsed.challengeFromClient.hex == "0102030405060708")
        #expect(parsed.avPairs == 28..<36)
        for length in 0..<28 {
            var short = WireReader(bytes.span.extracting(0..<length), layer: "NTLM")
            #expect(throws: WireError.self) { try NTLMv2ClientChallenge(parsing: &short) }
        }
    }
}
