import Crypto
import SecureChannel
import TestSupport
import Testing
import Wire

@Suite(.enabled(if: Material.vectors != nil)) struct SessionKeyVectorTests {
    let file: VectorFile

    init() throws { file = try VectorFile("ms-nrpc_4.2_4.3.json") }

    func key(_ cipher: ChannelCipher) -> SessionKey {
        SessionKey(
            cipher: cipher, sharedSecret: MD4.hash(file.bytes("s4_2.ClearSharedSecret_utf16le")),
            clientChallenge: Bytes8(file.bytes("s4_2.ClientChallenge")),
            serverChallenge: Bytes8(file.bytes("s4_2.ServerChallenge")))
    }

    @Test func strongKeyIsThePublishedOne() {
        #expect(key(.strongKey).key.hex == file.text("s4_2.SessionKey_StrongKey"))
        let client = key(.strongKey).credential(Bytes8(file.bytes("s4_2.ClientChallenge")))
        #expect(client.hex == file.text("derived_NOT_PUBLISHED.StrongKey_ClientCredential_DES"))
    }

    @Test func aesKeyAndCredentialsAgreeWithTheCrossCheck() {
        #expect(key(.aes).key.hex == file.text("derived_NOT_PUBLISHED.AES_SessionKey"))
        let client = key(.aes).credential(Bytes8(file.bytes("s4_2.ClientChallenge")))
        let server = key(.aes).credential(Bytes8(file.bytes("s4_2.ServerChallenge")))
        #expect(client.hex == file.text("derived_NOT_PUBLISHED.AES_ClientCredential"))
        #expect(server.hex == file.text("derived_NOT_PUBLISHED.AES_ServerCredential"))
    }

    @Test func desKeyAgreesWithTheCrossCheck() {
        #expect(key(.des).key.hex == file.text("derived_NOT_PUBLISHED.Weak_DES_SessionKey"))
    }

    @Test func sealIsThePublishedToken() {
        let seal = NetlogonSeal(
            key: SessionKey(cipher: .aes, key: Bytes16(file.bytes("s4_3.SessionKey"))),
            isClient: true)
        let clear = file.bytes("s4_3.Cleartext")
        var pdu = clear + [UInt8](repeating: 0, count: seal.tokenLength)
        seal.seal(
            &pdu, body: 0..<clear.count, covered: 0..<clear.count, token: clear.count,
            sequence: 0, confounder: Bytes8(file.bytes("s4_3.Confounder")))
        #expect(Hex.string(Array(pdu[0..<clear.count])) == file.text("s4_3.EncryptedMessage"))
        let token = Array(pdu[clear.count..<(clear.count + 32)])
        #expect(Hex.string(token) == file.text("s4_3.FullSignature"))
    }

    @Test func sealWithSignedHeaderIsThePublishedToken() {
        let seal = NetlogonSeal(
            key: SessionKey(cipher: .aes, key: Bytes16(file.bytes("s4_3.SessionKey"))),
            isClient: true)
        let head = file.bytes("s4_3_1.RpcPduHeader")
        let clear = file.bytes("s4_3.Cleartext")
        let trailer = file.bytes("s4_3_1.SecTrailer")
        let end = head.count + clear.count + trailer.count
        var pdu = head + clear + trailer + [UInt8](repeating: 0, count: seal.tokenLength)
        seal.seal(
            &pdu, body: head.count..<(head.count + clear.count), covered: 0..<end, token: end,
            sequence: 0, confounder: Bytes8(file.bytes("s4_3.Confounder")))
        #expect(Hex.string(Array(pdu[end..<(end + 32)])) == file.text("s4_3_1.FullSignature"))
    }

    @Test(arguments: [
        ("torture_schannel_seal_aes", ChannelCipher.aes),
        ("torture_schannel_seal_rc4", ChannelCipher.strongKey),
    ])
    func sealedBuffersMatchTheSecondPublishedSet(_ which: (String, ChannelCipher)) throws {
        let file = try VectorFile("samba_auth_test_schannel.json")
        let clear = file.array("_clear_initial", function: which.0)
        let seal = NetlogonSeal(
            key: SessionKey(
                cipher: which.1, key: Bytes16(file.array("_session_key", function: which.0))),
            isClient: true)
        var pdu = clear + [UInt8](repeating: 0, count: seal.tokenLength)
        seal.seal(
            &pdu, body: 0..<clear.count, covered: 0..<clear.count, token: clear.count,
            sequence: 0, confounder: Bytes8(file.array("_confounder_initial", function: which.0)))
        #expect(Array(pdu[0..<clear.count]) == file.array("crypt_buffer", function: which.0))
        #expect(Array(pdu[(clear.count + 24)..<(clear.count + 32)])
            == file.array("_confounder_expected", function: which.0))
    }
}

@Suite struct NetlogonSealTests {
    let key = SessionKey(cipher: .aes, key: Bytes16([UInt8](1...16)))

    func sealed(
        _ seal: NetlogonSeal, _ text: [UInt8], sequence: UInt64 = 0
    ) -> [UInt8] {
        var pdu = text + [UInt8](repeating: 0, count: seal.tokenLength)
        seal.seal(
            &pdu, body: 0..<text.count, covered: 0..<text.count, token: text.count,
            sequence: sequence, confounder: Bytes8([9, 8, 7, 6, 5, 4, 3, 2]))
        return pdu
    }

    /// Why `server` does not take the five sealed bytes, or nil.
    func refusal(
        _ server: NetlogonSeal, _ pdu: inout [UInt8], sequence: UInt64 = 0
    ) -> NetlogonSeal.Refused? {
        do {
            try server.unseal(
                &pdu, body: 0..<5, covered: 0..<5, token: 5..<pdu.count, sequence: sequence)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [ChannelCipher.aes, .strongKey])
    func bothEndsOpenWhatTheOtherSealed(_ cipher: ChannelCipher) throws {
        let key = SessionKey(cipher: cipher, key: Bytes16([UInt8](1...16)))
        let client = NetlogonSeal(key: key, isClient: true)
        let server = NetlogonSeal(key: key, isClient: false)
        for round in 0..<3 {
            let text = [UInt8](repeating: UInt8(round), count: 33)
            let number = UInt64(round) * 2
            var pdu = sealed(client, text, sequence: number)
            try server.unseal(
                &pdu, body: 0..<33, covered: 0..<33, token: 33..<pdu.count, sequence: number)
            #expect(Array(pdu[0..<33]) == text)
            var back = sealed(server, text, sequence: number + 1)
            try client.unseal(
                &back, body: 0..<33, covered: 0..<33, token: 33..<back.count,
                sequence: number + 1)
            #expect(Array(back[0..<33]) == text)
        }
    }

    @Test func refusesEveryAlteredByte() {
        let client = NetlogonSeal(key: key, isClient: true)
        let pdu = sealed(client, [1, 2, 3, 4, 5])
        for index in 0..<(5 + 32) {
            let server = NetlogonSeal(key: key, isClient: false)
            var altered = pdu
            altered[index] ^= 1
            #expect(refusal(server, &altered) != nil)
        }
    }

    @Test func refusesARepeatedMessage() throws {
        let client = NetlogonSeal(key: key, isClient: true)
        let server = NetlogonSeal(key: key, isClient: false)
        let pdu = sealed(client, [1, 2, 3, 4, 5])
        var second = pdu
        #expect(refusal(server, &second, sequence: 1) == .sequence)
    }

    @Test func chainAcceptsOnlyTheNextAnswer() {
        let start = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
        var client = CredentialChain(sessionKey: key, clientCredential: start)
        var server = CredentialChain(sessionKey: key, clientCredential: start)
        for time: UInt32 in [1_000, 0xffff_fff0, 7] {
            let ask = client.next(timestamp: time)
            let reply = server.answer(ask, timestamp: time)
            #expect(reply != nil)
            let repeated = server.answer(ask, timestamp: time)
            let accepted = client.accepts(reply ?? Bytes8())
            let acceptedAgain = client.accepts(reply ?? Bytes8())
            #expect(repeated == nil && accepted && !acceptedAgain)
        }
    }

    @Test func bindTokenRoundTrips() throws {
        let message = NLAuthMessage(
            kind: .negotiate, netbiosDomain: Array("ADLAB".utf8),
            netbiosComputer: Array("GATE1".utf8))
        var writer = WireWriter()
        message.write(into: &writer)
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "NL_AUTH_MESSAGE")
        let parsed = try NLAuthMessage(parsing: &reader)
        #expect(parsed.netbiosDomain == Array("ADLAB".utf8))
        #expect(parsed.netbiosComputer == Array("GATE1".utf8))
        #expect(bytes.count == 8 + 6 + 6)
    }
}
