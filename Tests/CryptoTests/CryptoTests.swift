import Crypto
import TestSupport
import Testing
import Wire

@Suite struct CryptoTests {
    @Test func hashesMatchTheirStandards() {
        let abc = Array("abc".utf8)
        #expect(MD4.hash(abc).hex == "a448017aaf21d8525fc10ae87aa6729d")
        #expect(MD5.hash(abc).hex == "900150983cd24fb0d6963f7d28e17f72")
        #expect(SHA1.hash(abc).hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(SHA256.hash(abc).hex
            == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
    }

    @Test func macsMatchTheirStandards() {
        let key = Array("Jefe".utf8)
        let data = Array("what do ya want for nothing?".utf8)
        #expect(HMACMD5.code(key: key, data).hex == "750c783e6ab0b503eaa86e310a5db738")
        #expect(HMACSHA256.code(key: key, data).hex
            == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func macKeepsItsKeyFromCodeToCode() {
        var code = HMACSHA256(key: [1, 2, 3])
        code.update([9], 0..<1)
        let first: FixedBytes<32> = code.code()
        code.update([9], 0..<1)
        #expect(code.code() == first)
    }

    @Test func rc4MatchesTheKnownStream() {
        let out = RC4.apply(key: Array("Key".utf8), Array("Plaintext".utf8))
        #expect(Hex.string(out) == "bbf316e8d940af0ad3")
    }

    @Test func feedbackCarriesOverSplitData() {
        let cipher = AES128CFB8(key: Bytes16([UInt8](repeating: 7, count: 16)))
        var whole = [UInt8](0..<40)
        var feedback = Bytes16()
        cipher.encrypt(&whole, 0..<40, feedback: &feedback)
        var split = [UInt8](0..<40)
        feedback = Bytes16()
        cipher.encrypt(&split, 0..<13, feedback: &feedback)
        cipher.encrypt(&split, 13..<40, feedback: &feedback)
        #expect(split == whole)
        feedback = Bytes16()
        cipher.decrypt(&split, 0..<40, feedback: &feedback)
        #expect(split == [UInt8](0..<40))
    }

    @Test(.enabled(if: Material.vectors != nil))
    func cfb8MatchesThePublishedBuffers() throws {
        let file = try VectorFile("samba_auth_test_gnutls.json")
        let function = "torture_gnutls_aes_128_cfb"
        let key = file.array("_session_key", function: function)
        var iv = file.array("_seq_num_initial", function: function)
        iv += iv
        // The sealing key is the session key with every byte XOR 0xf0 (MS-NRPC 3.3.4.2.1).
        let cipher = AES128CFB8(key: Bytes16(key.map { $0 ^ 0xf0 }))
        var feedback = Bytes16(iv)
        var data = file.array("_confounder_initial", function: function)
        let clear = file.array("_clear_initial", function: function)
        data += clear
        cipher.encrypt(&data, 0..<data.count, feedback: &feedback)
        #expect(Array(data[0..<8]) == file.array("_confounder_expected", function: function))
    }

    @Test(.enabled(if: Material.vectors != nil))
    func desMatchesTheSAMRKeyBlocks() throws {
        let file = try VectorFile("ms-samr_4.3.json")
        #expect(DES.spread(file.bytes("key_block1_7")).map { $0 & 0xfe }
            == file.bytes("key_block1_8").map { $0 & 0xfe })
        let old = file.bytes("OldNT")
        let first = DES.encrypt(Bytes8(Array(old[0..<8])), key7: file.bytes("key_block1_7"))
        let second = DES.encrypt(Bytes8(Array(old[8..<16])), key7: file.bytes("key_block2_7"))
        #expect(first.bytes + second.bytes == file.bytes("OldNtOwfEncryptedWithNewNt"))
        #expect(DES.decrypt(first, key7: file.bytes("key_block1_7")).bytes == Array(old[0..<8]))
    }
}
