import Crypto
import Wire

/// The keys of an NTLM session (MS-NLMP 3.4.5), from the session base key on.
package enum SessionKeys {
    /// KXKEY (3.4.5.1): the key under which the exported session key travels.
    ///
    /// - Parameters:
    ///   - isNTLMv2: the NT response is version 2's, whose base key is used as it is.
    ///   - lmSessionKey: the first half of LMOWFv1, as a controller returns it; zeros where the
    ///     account has none.
    ///   - lmResponse: as sent. A missing one counts as zeros.
    package static func keyExchangeKey(
        flags: NegotiateFlags, isNTLMv2: Bool, sessionBaseKey: Bytes16, lmSessionKey: Bytes8,
        lmResponse: [UInt8], serverChallenge: Bytes8
    ) -> Bytes16 {
        if isNTLMv2 { return sessionBaseKey }
        var first = [UInt8](repeating: 0, count: 8)
        for index in 0..<min(8, lmResponse.count) { first[index] = lmResponse[index] }
        if flags.contains(.extendedSessionSecurity) {
            return keyedCode(sessionBaseKey, serverChallenge.bytes, first)
        }
        if flags.contains(.lmKey) { return lmKey(lmSessionKey, Bytes8(first)) }
        if flags.contains(.requestNonNTSessionKey) {
            return Bytes16(lmSessionKey.bytes + [UInt8](repeating: 0, count: 8))
        }
        return sessionBaseKey
    }

    /// The response's first block under the two halves of LMOWFv1, the second half of which is
    /// one byte and a filling.
    private static func lmKey(_ lmSessionKey: Bytes8, _ block: Bytes8) -> Bytes16 {
        var first = (0..<7).map { lmSessionKey[$0] }
        var second = [lmSessionKey[7]] + [UInt8](repeating: 0xbd, count: 6)
        defer {
            Wipe.bytes(&first)
            Wipe.bytes(&second)
        }
        let left = DES.encrypt(block, key7: first)
        let right = DES.encrypt(block, key7: second)
        return Bytes16(left.bytes + right.bytes)
    }

    /// RC4K of one key under another: encrypts the exported session key, and decrypts it.
    package static func exchange(_ sessionKey: Bytes16, under key: Bytes16) -> Bytes16 {
        var secret = key.bytes
        var out = sessionKey.bytes
        defer {
            Wipe.bytes(&secret)
            Wipe.bytes(&out)
        }
        var cipher = RC4(key: secret)
        cipher.apply(&out, 0..<16)
        return Bytes16(out)
    }

    /// SIGNKEY (3.4.5.2) of messages that the client or the server sends, under extended session
    /// security; without it there is none.
    package static func signKey(exported: Bytes16, fromClient: Bool) -> Bytes16 {
        derived(exported.bytes, "signing", fromClient)
    }

    /// SEALKEY (3.4.5.3): weakened as agreed.
    package static func sealKey(
        flags: NegotiateFlags, exported: Bytes16, fromClient: Bool
    ) -> Secret {
        let whole = exported.bytes
        if flags.contains(.extendedSessionSecurity) {
            let strength =
                flags.contains(.encrypt128) ? 16 : flags.contains(.encrypt56) ? 7 : 5
            return Secret(derived(Array(whole[..<strength]), "sealing", fromClient).bytes)
        }
        if flags.contains(.lmKey) {
            return flags.contains(.encrypt56)
                ? Secret(Array(whole[..<7]) + [0xa0])
                : Secret(Array(whole[..<5]) + [0xe5, 0x38, 0xb0])
        }
        return Secret(whole)
    }

    private static func derived(
        _ key: [UInt8], _ purpose: String, _ fromClient: Bool
    ) -> Bytes16 {
        var key = key
        defer { Wipe.bytes(&key) }
        let direction = fromClient ? "client-to-server" : "server-to-client"
        let magic = "session key to \(direction) \(purpose) key magic constant\0"
        return MD5.hash(key, Array(magic.utf8))
    }

    /// The message integrity code (3.1.5.1.2) over the three messages as sent, the field of the
    /// code itself being zero.
    package static func messageIntegrityCode(
        exported: Bytes16, negotiate: [UInt8], challenge: [UInt8], authenticate: [UInt8]
    ) -> Bytes16 {
        keyedCode(exported, negotiate + challenge, authenticate)
    }

    private static func keyedCode(
        _ key: Bytes16, _ first: [UInt8], _ second: [UInt8]
    ) -> Bytes16 {
        var secret = key.bytes
        defer { Wipe.bytes(&secret) }
        return HMACMD5.code(key: secret, first, second)
    }
}
