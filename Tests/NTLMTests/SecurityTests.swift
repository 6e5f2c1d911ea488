import Crypto
import NTLM
import TestSupport
import Testing
import Wire

@Suite struct SecurityTests {
    struct Session {
        let file: VectorFile
        let random: Bytes16
        let server: Bytes8

        init() throws {
            file = try VectorFile("ms-nlmp_4.2.json")
            random = Bytes16(file.bytes("common.RandomSessionKey"))
            server = Bytes8(file.bytes("common.ServerChallenge"))
        }

        func flags(_ version: String) -> NegotiateFlags {
            let bytes = file.bytes("\(version).flags_le")
            return NegotiateFlags(rawValue: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
        }

        func key(_ version: String, _ more: NegotiateFlags = [], lm: String) -> Bytes16 {
            SessionKeys.keyExchangeKey(
                flags: flags(version).union(more), isNTLMv2: version == "v2",
                sessionBaseKey: Bytes16(file.bytes("\(version).SessionBaseKey")),
                lmSessionKey: Bytes8(file.bytes("v1.LMOWFv1")), lmResponse: file.bytes(lm),
                serverChallenge: server)
        }

        /// The sealed message and its token.
        func seal(_ version: String, _ exported: Bytes16) -> (sealed: [UInt8], token: [UInt8]) {
            let text = file.bytes("common.Plaintext_utf16le")
            var security = MessageSecurity(
                flags: flags(version), exportedSessionKey: exported, isClient: true)
            var pdu = text + [UInt8](repeating: 0, count: 16)
            let body = 0..<text.count
            security.seal(&pdu, body: body, covered: body, token: text.count)
            return (Array(pdu[body]), Array(pdu[text.count...]))
        }
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedKeys() throws {
        let session = try Session()
        let file = session.file
        let plain = session.key("v1", lm: "v1.LMv1Response")
        #expect(plain.bytes == file.bytes("v1.SessionBaseKey"))
        let exchanged = SessionKeys.exchange(session.random, under: plain)
        #expect(exchanged.bytes == file.bytes("v1.EncryptedSessionKey"))
        #expect(SessionKeys.exchange(exchanged, under: plain) == session.random)
        let lm = session.key("v1", .lmKey, lm: "v1.LMv1Response")
        #expect(lm.bytes == file.bytes("v1.KeyExchangeKey_LM_KEY"))
        #expect(
            SessionKeys.exchange(session.random, under: lm).bytes
                == file.bytes("v1.EncryptedSessionKey_LM_KEY"))
        let non = session.key("v1", .requestNonNTSessionKey, lm: "v1.LMv1Response")
        #expect(
            SessionKeys.exchange(session.random, under: non).bytes
                == file.bytes("v1.EncryptedSessionKey_NON_NT"))
        let extended = session.key("v1_ess", lm: "v1_ess.LMResponse")
        #expect(extended.bytes == file.bytes("v1_ess.KeyExchangeKey"))
        let version2 = session.key("v2", lm: "v2.LMv2Response")
        #expect(
            SessionKeys.exchange(session.random, under: version2).bytes
                == file.bytes("v2.EncryptedSessionKey"))
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedSealsAndTokens() throws {
        let session = try Session()
        let file = session.file
        let exported = [
            "v1": session.random, "v2": session.random,
            "v1_ess": Bytes16(file.bytes("v1_ess.KeyExchangeKey")),
        ]
        for (version, key) in exported {
            let (sealed, token) = session.seal(version, key)
            #expect(sealed == file.bytes("\(version).Sealed"), "\(version)")
            #expect(token == file.bytes("\(version).Signature"), "\(version)")
            guard version != "v1" else { continue }
            let flags = session.flags(version)
            let seal = SessionKeys.sealKey(flags: flags, exported: key, fromClient: true)
            #expect(seal.bytes == file.bytes("\(version).SEALKEY"))
            let sign = SessionKeys.signKey(exported: key, fromClient: true)
            #expect(sign.bytes == file.bytes("\(version).SIGNKEY"))
        }
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedLMSessionKey() throws {
        let file = try VectorFile("samba_auth_test_gnutls.json")
        let function = "torture_gnutls_SMBsesskeygen_lm_sess_key"
        let key = SessionKeys.keyExchangeKey(
            flags: .lmKey, isNTLMv2: false, sessionBaseKey: Bytes16(),
            lmSessionKey: Bytes8(file.array("lm_hash", function: function)),
            lmResponse: file.array("lm_resp", function: function), serverChallenge: Bytes8())
        #expect(key.bytes == file.array("crypt_expected", function: function))
    }

    @Test(.enabled(if: Material.vectors != nil)) func givesThePublishedSignatures() throws {
        let cases = try VectorFile("samba_misc.json").root["ntlmssp_sign"] as? [[String: Any]] ?? []
        #expect(cases.count == 2)
        for item in cases {
            func bytes(_ name: String) -> [UInt8] { Hex.bytes(item[name] as? String ?? "") ?? [] }
            let extended = (item["flags"] as? String ?? "").contains("NTLM2")
            // The second has its weakened key given: 40 bits and the filling.
            let flags: NegotiateFlags =
                extended
                ? [.sign, .unicode, .encrypt128, .keyExchange, .extendedSessionSecurity]
                : [.sign, .unicode, .keyExchange, .lmKey]
            let key = bytes("session_key") + [UInt8](repeating: 0, count: 8)
            var security = MessageSecurity(
                flags: flags, exportedSessionKey: Bytes16(key), isClient: true)
            let data = bytes("data")
            var pdu = data + [UInt8](repeating: 0, count: 16)
            let body = 0..<data.count
            security.sign(&pdu, body: body, covered: body, token: data.count)
            let from = extended ? 0 : 8
            #expect(pdu[(data.count + from)...] == bytes("signature")[from...])
        }
    }

    static let agreements: [NegotiateFlags] = [
        [], [.lmKey], [.lmKey, .encrypt56], [.extendedSessionSecurity],
        [.extendedSessionSecurity, .encrypt56],
        [.extendedSessionSecurity, .encrypt128, .keyExchange],
    ]

    @Test(arguments: agreements) func opensWhatThePeerSealed(_ flags: NegotiateFlags) throws {
        let key = Bytes16(Array(1...16))
        var client = MessageSecurity(flags: flags, exportedSessionKey: key, isClient: true)
        var server = MessageSecurity(flags: flags, exportedSessionKey: key, isClient: false)
        let list: [UInt8] = [0x30, 2, 6, 0]
        try server.verify(mechListMIC: client.mechListMIC(list).bytes, list)
        try client.verify(mechListMIC: server.mechListMIC(list).bytes, list)
        for round in 0..<3 {
            let text = [UInt8](repeating: UInt8(round), count: 40)
            var pdu = text + [UInt8](repeating: 0, count: 16)
            client.seal(&pdu, body: 8..<40, covered: 0..<40, token: 40)
            #expect(pdu[..<40] != text[...])
            try server.unseal(&pdu, body: 8..<40, covered: 0..<40, token: 40..<56)
            #expect(Array(pdu[..<40]) == text)
            server.sign(&pdu, body: 8..<40, covered: 0..<40, token: 40)
            try client.verify(pdu, body: 8..<40, covered: 0..<40, token: 40..<56)
        }
    }

    @Test(arguments: agreements) func refusesWhatWasAltered(_ flags: NegotiateFlags) throws {
        let key = Bytes16(Array(1...16))
        var client = MessageSecurity(flags: flags, exportedSessionKey: key, isClient: true)
        let server = MessageSecurity(flags: flags, exportedSessionKey: key, isClient: false)
        var pdu = [UInt8](repeating: 7, count: 36)
        client.seal(&pdu, body: 0..<20, covered: 0..<20, token: 20)
        for index in pdu.indices {
            // The random pad of the plain token is not covered.
            if !flags.contains(.extendedSessionSecurity), (24..<28).contains(index) { continue }
            var altered = pdu
            altered[index] ^= 4
            var again = server
            #expect(throws: MessageSecurity.Refused.self, "byte \(index)") {
                try again.unseal(&altered, body: 0..<20, covered: 0..<20, token: 20..<36)
            }
        }
        var short = server
        #expect(throws: MessageSecurity.Refused.token) {
            try short.unseal(&pdu, body: 0..<20, covered: 0..<20, token: 20..<35)
        }
        var replayed = server
        let copy = pdu
        try replayed.unseal(&pdu, body: 0..<20, covered: 0..<20, token: 20..<36)
        pdu = copy
        #expect(throws: MessageSecurity.Refused.self) {
            try replayed.unseal(&pdu, body: 0..<20, covered: 0..<20, token: 20..<36)
        }
    }
}
