import Crypto
import Wire

// How SAM's calls carry passwords and hashes (MS-SAMR 2.2.11, 3.2.2).

/// One 16-byte hash under another key, by DES of its halves (MS-SAMR 2.2.11.1).
package enum HashEncryption {
    /// Under a key of 16 bytes: another hash, or a session key (2.2.11.1.1, .3). The halves' keys
    /// are its first 7 bytes and the 7 from the eighth on, counted from one.
    package static func encrypt(_ hash: Bytes16, key: Bytes16) -> Bytes16 {
        var bytes = key.bytes
        defer { Wipe.bytes(&bytes) }
        return apply(hash, Array(bytes[0..<7]), Array(bytes[7..<14]), encrypting: true)
    }

    package static func decrypt(_ hash: Bytes16, key: Bytes16) -> Bytes16 {
        var bytes = key.bytes
        defer { Wipe.bytes(&bytes) }
        return apply(hash, Array(bytes[0..<7]), Array(bytes[7..<14]), encrypting: false)
    }

    /// Under an account's RID (2.2.11.1.3): no secrecy, but another look in every account.
    package static func encrypt(_ hash: Bytes16, rid: UInt32) -> Bytes16 {
        let keys = keys(rid)
        return apply(hash, keys.0, keys.1, encrypting: true)
    }

    package static func decrypt(_ hash: Bytes16, rid: UInt32) -> Bytes16 {
        let keys = keys(rid)
        return apply(hash, keys.0, keys.1, encrypting: false)
    }

    /// The RID's bytes over and over, low one first; the second key begins with the last.
    private static func keys(_ rid: UInt32) -> ([UInt8], [UInt8]) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: rid >> UInt32(8 * $0)) }
        return ((0..<7).map { bytes[$0 % 4] }, (0..<7).map { bytes[($0 + 3) % 4] })
    }

    private static func apply(
        _ hash: Bytes16, _ first: [UInt8], _ second: [UInt8], encrypting: Bool
    ) -> Bytes16 {
        let bytes = hash.bytes
        let low = Bytes8(Array(bytes[0..<8]))
        let high = Bytes8(Array(bytes[8..<16]))
        if encrypting {
            return Bytes16(
                DES.encrypt(low, key7: first).bytes + DES.encrypt(high, key7: second).bytes)
        }
        return Bytes16(DES.decrypt(low, key7: first).bytes + DES.decrypt(high, key7: second).bytes)
    }
}

/// SAMPR_USER_PASSWORD (MS-SAMR 2.2.6.21): 512 bytes that end with the password and begin with
/// random ones, then the password's length(4); the whole RC4-encrypted.
package enum SAMPassword {
    /// Bytes of the longest password.
    package static let maximumByteCount = 512
    package static let byteCount = 516
    /// With the salt of MS-SAMR 2.2.6.22.
    package static let saltedByteCount = 532
    package static let saltByteCount = 16

    /// The password, in UTF-16LE or, from SamrOemChangePasswordUser2, in the OEM code page; nil
    /// where the key was another, which shows in the length only.
    package static func open(_ encrypted: FixedBytes<516>, key: [UInt8]) -> Secret? {
        var plain = RC4.apply(key: key, encrypted.bytes)
        defer { Wipe.bytes(&plain) }
        return content(plain)
    }

    /// The same under MD5 of the salt and the session key (MS-SAMR 3.2.2.2).
    package static func open(_ encrypted: FixedBytes<532>, sessionKey: Bytes16) -> Secret? {
        let bytes = encrypted.bytes
        var key = saltedKey(Array(bytes[byteCount...]), sessionKey)
        defer { Wipe.bytes(&key) }
        return open(FixedBytes<516>(bytes), key: key)
    }

    /// `random` is 512 bytes; `password` is 512 at most.
    package static func seal(
        _ password: Secret, key: [UInt8], random: [UInt8]
    ) -> FixedBytes<516> {
        precondition(random.count >= maximumByteCount)
        precondition(password.bytes.count <= maximumByteCount)
        var plain = Array(random[0..<maximumByteCount])
        plain.reserveCapacity(byteCount)
        defer { Wipe.bytes(&plain) }
        let start = maximumByteCount - password.bytes.count
        for index in password.bytes.indices { plain[start + index] = password.bytes[index] }
        let length = UInt32(password.bytes.count)
        for shift in [0, 8, 16, 24] as [UInt32] {
            plain.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        return FixedBytes<516>(RC4.apply(key: key, plain))
    }

    package static func seal(
        _ password: Secret, sessionKey: Bytes16, salt: Bytes16, random: [UInt8]
    ) -> FixedBytes<532> {
        var key = saltedKey(salt.bytes, sessionKey)
        defer { Wipe.bytes(&key) }
        return FixedBytes<532>(seal(password, key: key, random: random).bytes + salt.bytes)
    }

    private static func saltedKey(_ salt: [UInt8], _ sessionKey: Bytes16) -> [UInt8] {
        MD5.hash(salt, sessionKey.bytes).bytes
    }

    private static func content(_ plain: [UInt8]) -> Secret? {
        let length = (0..<4).reduce(0) { $0 | Int(plain[maximumByteCount + $1]) << (8 * $1) }
        guard length <= maximumByteCount else { return nil }
        return Secret(Array(plain[(maximumByteCount - length)..<maximumByteCount]))
    }
}
