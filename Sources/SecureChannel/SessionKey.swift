import Crypto
import Wire

/// How a secure channel computes its key and credentials; what both ends agreed on decides.
package enum ChannelCipher: Equatable, Sendable {
    /// MS-NRPC 3.1.4.3.1 and 3.1.4.4.1, NegotiateFlags bit W.
    case aes
    /// MS-NRPC 3.1.4.3.2, NegotiateFlags bit O: strong key, credentials by DES, sealing by RC4.
    case strongKey
    /// MS-NRPC 3.1.4.3.3: Windows NT 3.1 to 4.0 without strong keys.
    case des

    package init(negotiated flags: NegotiateFlags) {
        if flags.contains(.aes) {
            self = .aes
        } else if flags.contains(.strongKey) {
            self = .strongKey
        } else {
            self = .des
        }
    }
}

/// Capabilities that NetrServerAuthenticate2 and 3 negotiate (MS-NRPC 3.1.4.2).
package struct NegotiateFlags: OptionSet, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// K: RC4.
    package static let rc4 = NegotiateFlags(rawValue: 0x4)
    /// O: a 128-bit strong key.
    package static let strongKey = NegotiateFlags(rawValue: 0x4000)
    /// R: NetrServerPasswordSet2.
    package static let passwordSet2 = NegotiateFlags(rawValue: 0x20000)
    /// S: NetrLogonGetDomainInfo.
    package static let domainInfo = NegotiateFlags(rawValue: 0x40000)
    /// T: trusts across forests.
    package static let crossForest = NegotiateFlags(rawValue: 0x80000)
    /// W: AES and SHA-2.
    package static let aes = NegotiateFlags(rawValue: 0x100_0000)
    /// Y: secure RPC, without which no controller of today takes a logon.
    package static let secureRPC = NegotiateFlags(rawValue: 0x4000_0000)

    /// What a member of today asks for: all that is in use, AES among it.
    package static let modern = NegotiateFlags(rawValue: 0x612f_ffff)
    /// The same without AES, for a domain that allows RC4.
    package static let strongKeyOnly = NegotiateFlags(rawValue: 0x600f_ffff)
}

/// The key of a secure channel, and the credentials made with it.
package struct SessionKey {
    package let cipher: ChannelCipher
    /// The 16 bytes; the last 8 are zero for DES.
    package let key: Bytes16

    package init(cipher: ChannelCipher, key: Bytes16) {
        self.cipher = cipher
        self.key = key
    }

    /// The key from the shared secret's hash (`ownedHash`, the MD4 of the UTF-16LE password) and
    /// both challenges (MS-NRPC 3.1.4.3).
    package init(
        cipher: ChannelCipher, sharedSecret ownedHash: Bytes16,
        clientChallenge: Bytes8, serverChallenge: Bytes8
    ) {
        self.cipher = cipher
        let client = clientChallenge.bytes
        let server = serverChallenge.bytes
        switch cipher {
        case .aes:
            let code = HMACSHA256.code(key: ownedHash.bytes, client, server)
            key = Bytes16(Array(code.bytes[0..<16]))
        case .strongKey:
            let digest = MD5.hash([0, 0, 0, 0], client, server)
            key = HMACMD5.code(key: ownedHash.bytes, digest.bytes)
        case .des:
            var sum: [UInt8] = []
            for half in [0, 4] {
                let total = Self.word(client, half) &+ Self.word(server, half)
                for shift in [0, 8, 16, 24] as [UInt32] {
                    sum.append(UInt8(truncatingIfNeeded: total >> shift))
                }
            }
            let hash = ownedHash.bytes
            let first = DES.encrypt(Bytes8(sum), key7: Array(hash[0..<7]))
            let second = DES.encrypt(first, key7: Array(hash[9..<16]))
            key = Bytes16(second.bytes + [UInt8](repeating: 0, count: 8))
        }
    }

    /// The Netlogon credential over `input` (MS-NRPC 3.1.4.4).
    package func credential(_ input: Bytes8) -> Bytes8 {
        switch cipher {
        case .aes:
            var data = input.bytes
            var feedback = Bytes16()
            AES128CFB8(key: key).encrypt(&data, 0..<8, feedback: &feedback)
            return Bytes8(data)
        case .strongKey, .des:
            let bytes = key.bytes
            let first = DES.encrypt(input, key7: Array(bytes[0..<7]))
            return DES.encrypt(first, key7: Array(bytes[7..<14]))
        }
    }

    /// Encrypts a field that travels under the session key besides the seal, in place: a hash of
    /// an interactive logon, or decrypts a session key of a reply (MS-NRPC 2.2.1.4.3, 3.5.4.5.1).
    package func conceal(_ data: inout [UInt8]) {
        switch cipher {
        case .aes:
            var feedback = Bytes16()
            AES128CFB8(key: key).encrypt(&data, 0..<data.count, feedback: &feedback)
        case .strongKey, .des:
            var stream = RC4(key: key.bytes)
            stream.apply(&data, 0..<data.count)
        }
    }

    /// The opposite of `conceal`.
    package func reveal(_ data: inout [UInt8]) {
        switch cipher {
        case .aes:
            var feedback = Bytes16()
            AES128CFB8(key: key).decrypt(&data, 0..<data.count, feedback: &feedback)
        case .strongKey, .des:
            conceal(&data)
        }
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
            | UInt32(bytes[at + 3]) << 24
    }
}

/// The credential chain of one end (MS-NRPC 3.1.4.5): every authenticated call moves it on, so a
/// call can neither be repeated nor left out.
package struct CredentialChain {
    package let sessionKey: SessionKey
    private var stored: Bytes8
    /// An authenticator was made and the server's, which follows from it, has not been seen. The
    /// server may have moved on with it or not, so the next one is made with a new key.
    package private(set) var isUnanswered = false

    /// Starts where the NetrServerAuthenticate call left it: at the client's credential.
    package init(sessionKey: SessionKey, clientCredential: Bytes8) {
        self.sessionKey = sessionKey
        stored = clientCredential
    }

    /// The client's authenticator for a call at `timestamp`, in seconds since 1970.
    package mutating func next(timestamp: UInt32) -> Bytes8 {
        stored = Self.adding(timestamp, to: stored)
        isUnanswered = true
        return sessionKey.credential(stored)
    }

    /// Checks the server's return authenticator and moves on with it.
    package mutating func accepts(_ returned: Bytes8) -> Bool {
        let expected = Self.adding(1, to: stored)
        guard sessionKey.credential(expected) == returned else { return false }
        stored = expected
        isUnanswered = false
        return true
    }

    /// As the server: checks a client's authenticator and gives the return authenticator, or nil.
    package mutating func answer(_ credential: Bytes8, timestamp: UInt32) -> Bytes8? {
        let moved = Self.adding(timestamp, to: stored)
        guard sessionKey.credential(moved) == credential else { return nil }
        stored = Self.adding(1, to: moved)
        return sessionKey.credential(stored)
    }

    private static func adding(_ number: UInt32, to credential: Bytes8) -> Bytes8 {
        var out = credential
        var sum = UInt32(credential[0]) | UInt32(credential[1]) << 8
        sum |= UInt32(credential[2]) << 16 | UInt32(credential[3]) << 24
        sum &+= number
        for index in 0..<4 { out[index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
        return out
    }
}
