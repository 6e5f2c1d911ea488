import Crypto
import TestSupport
import Testing
import Wire

@testable import NTLM

@Suite struct SAMPasswordTests {
    private let key = Bytes16((1...16).map { UInt8($0) })
    private let random = (0..<512).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test func sealedPasswordOpens() throws {
        let password = Secret(Array("s\0e\0c\0r\0e\0t\0".utf8))
        let sealed = SAMPassword.seal(password, key: key.bytes, random: random)
        #expect(SAMPassword.open(sealed, key: key.bytes)?.bytes == password.bytes)
    }

    @Test func passwordOfEveryLengthOpens() {
        for count in [0, 1, 2, 511, 512] {
            let password = Secret([UInt8](repeating: 0x61, count: count))
            let sealed = SAMPassword.seal(password, key: key.bytes, random: random)
            #expect(SAMPassword.open(sealed, key: key.bytes)?.bytes == password.bytes)
        }
    }

    @Test func anotherKeyShowsInTheLength() {
        let sealed = SAMPassword.seal(Secret([1, 2]), key: key.bytes, random: random)
        #expect(SAMPassword.open(sealed, key: [9, 9, 9]) == nil)
    }

    @Test func saltMakesTheKey() {
        let salt = Bytes16((0..<16).map { UInt8(200 - $0) })
        let sealed = SAMPassword.seal(
            Secret([0x41, 0]), sessionKey: key, salt: salt, random: random)
        #expect(Array(sealed.bytes[516...]) == salt.bytes)
        #expect(SAMPassword.open(sealed, sessionKey: key)?.bytes == [0x41, 0])
        let digest = MD5.hash(salt.bytes, key.bytes)
        #expect(
            SAMPassword.open(FixedBytes<516>(sealed.bytes), key: digest.bytes)?.bytes == [0x41, 0])
    }

    @Test func hashesUnderHashesAndRelativeIdentifiers() {
        let hash = Bytes16((0..<16).map { UInt8($0 * 3) })
        let under = HashEncryption.encrypt(hash, key: key)
        #expect(under != hash && HashEncryption.decrypt(under, key: key) == hash)
        let obfuscated = HashEncryption.encrypt(hash, rid: 1_000)
        #expect(obfuscated != hash && HashEncryption.decrypt(obfuscated, rid: 1_000) == hash)
        #expect(HashEncryption.decrypt(obfuscated, rid: 1_001) != hash)
    }

    @Test(.enabled(if: Material.vectors != nil)) func publishedHashEncryption() throws {
        let file = try VectorFile("ms-samr_4.3.json")
        let newNT = Bytes16(file.bytes("NewNT"))
        #expect(NTOWF.v1(password: file.text("NewPassword")) == newNT)
        #expect(
            HashEncryption.encrypt(Bytes16(file.bytes("OldNT")), key: newNT).bytes
                == file.bytes("OldNtOwfEncryptedWithNewNt"))
        #expect(
            HashEncryption.encrypt(Bytes16(file.bytes("OldLM")), key: newNT).bytes
                == file.bytes("OldLmOwfEncryptedWithNewNt"))
    }
}
