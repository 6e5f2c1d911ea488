import Crypto
import Wire

/// Signs and seals RPC fragments with the key of a secure channel (MS-NRPC 3.3.4.2), in place.
///
/// One belongs to one connection. Both directions of a connection share one sequence of
/// numbers, which the caller counts; a token that is altered, or made for another number, is
/// refused.
package final class NetlogonSeal {
    /// Bytes of a token: NL_AUTH_SHA2_SIGNATURE (MS-NRPC 2.2.1.3.3) or NL_AUTH_SIGNATURE
    /// (2.2.1.3.2).
    /// Of the former's 32-byte checksum, peers fill and check 8 and put the confounder next, and
    /// leave the last 24 bytes of the token zero.
    package let tokenLength: Int
    private let key: SessionKey
    private let isClient: Bool
    private var checksumKey: HMACSHA256
    private let sealCipher: AES128CFB8
    private let sequenceCipher: AES128CFB8
    private let sealKey: Bytes16

    package enum Refused: Error, Equatable {
        /// Not a token of this key's kind.
        case token
        /// Made for another message of the connection.
        case sequence
        case checksum
    }

    package init(key: SessionKey, isClient: Bool) {
        self.key = key
        self.isClient = isClient
        tokenLength = key.cipher == .aes ? 56 : 32
        var flipped = key.key
        for index in 0..<16 { flipped[index] ^= 0xf0 }
        sealKey = flipped
        checksumKey = HMACSHA256(key: key.key.bytes)
        sealCipher = AES128CFB8(key: flipped)
        sequenceCipher = AES128CFB8(key: key.key)
    }

    /// What of a token is looked at: header, sequence, checksum, confounder, eight bytes each.
    private static let usedToken = 32

    /// Seals `body` and writes the token at `token`. `covered` is what the checksum covers: the
    /// body alone, or the whole PDU up to the token where both ends sign headers.
    package func seal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Int,
        sequence: UInt64, confounder: Bytes8
    ) {
        let header = header(seals: true)
        let number = copySequence(sequence, fromClient: isClient)
        let sum = checksum(header, confounder, pdu, covered)
        var secret = confounder
        encrypt(&pdu, body, &secret, number, encrypting: true)
        Self.put(header, into: &pdu, at: token)
        Self.put(conceal(number, sum), into: &pdu, at: token + 8)
        Self.put(sum, into: &pdu, at: token + 16)
        Self.put(secret, into: &pdu, at: token + 24)
        for index in Self.usedToken..<tokenLength { pdu[token + index] = 0 }
    }

    /// Opens what the peer sealed as message `sequence` of the connection.
    package func unseal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Range<Int>,
        sequence: UInt64
    ) throws(Refused) {
        let copied = [UInt8](copying: pdu.span.extracting(token))
        try unseal(&pdu, body: body, covered: covered, token: copied.span, sequence: sequence)
    }

    /// The same, with the token in other memory.
    package func unseal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Span<UInt8>,
        sequence: UInt64
    ) throws(Refused) {
        guard token.count >= Self.usedToken else { throw .token }
        let header = Self.part(0, of: token)
        guard header == self.header(seals: true) else { throw .token }
        let sum = Self.part(16, of: token)
        let number = copySequence(sequence, fromClient: !isClient)
        guard conceal(number, sum) == Self.part(8, of: token) else { throw .sequence }
        var secret = Self.part(24, of: token)
        encrypt(&pdu, body, &secret, number, encrypting: false)
        guard checksum(header, secret, pdu, covered) == sum else { throw .checksum }
    }

    // MARK: Signing alone

    /// Writes the token of a PDU that is signed and not sealed, at `token`: without a confounder,
    /// and with a header that says so.
    package func sign(
        _ pdu: inout [UInt8], covered: Range<Int>, token: Int, sequence: UInt64
    ) {
        let header = header(seals: false)
        let number = copySequence(sequence, fromClient: isClient)
        let sum = checksum(header, nil, pdu, covered)
        Self.put(header, into: &pdu, at: token)
        Self.put(conceal(number, sum), into: &pdu, at: token + 8)
        Self.put(sum, into: &pdu, at: token + 16)
        for index in 24..<tokenLength { pdu[token + index] = 0 }
    }

    /// Checks what the peer signed as message `sequence` of the connection.
    package func verify(
        _ pdu: [UInt8], covered: Range<Int>, token: Range<Int>, sequence: UInt64
    ) throws(Refused) {
        guard token.count >= Self.usedToken - 8 else { throw .token }
        let found = pdu.span.extracting(token)
        let header = Self.part(0, of: found)
        guard header == self.header(seals: false) else { throw .token }
        let number = copySequence(sequence, fromClient: !isClient)
        let sum = Self.part(16, of: found)
        guard conceal(number, sum) == Self.part(8, of: found) else { throw .sequence }
        guard checksum(header, nil, pdu, covered) == sum else { throw .checksum }
    }

    // MARK: Steps of MS-NRPC 3.3.4.2.1

    private static func part(_ start: Int, of token: Span<UInt8>) -> Bytes8 {
        var out = Bytes8()
        for index in 0..<8 { out[index] = token[start + index] }
        return out
    }

    private static func put(_ part: Bytes8, into pdu: inout [UInt8], at start: Int) {
        for index in 0..<8 { pdu[start + index] = part[index] }
    }

    /// SignatureAlgorithm, SealAlgorithm (none where the PDU is only signed), Pad, Flags.
    private func header(seals: Bool) -> Bytes8 {
        var out = Bytes8()
        out[0] = key.cipher == .aes ? 0x13 : 0x77
        out[2] = seals ? (key.cipher == .aes ? 0x1a : 0x7a) : 0xff
        out[3] = seals ? 0 : 0xff
        out[4] = 0xff
        out[5] = 0xff
        return out
    }

    private func copySequence(_ sequence: UInt64, fromClient: Bool) -> Bytes8 {
        var out = Bytes8()
        for index in 0..<4 {
            let shift = UInt64(24 - 8 * index)
            out[index] = UInt8(truncatingIfNeeded: sequence >> shift)
            out[4 + index] = UInt8(truncatingIfNeeded: sequence >> (32 + shift))
        }
        if fromClient { out[4] |= 0x80 }
        return out
    }

    private func checksum(
        _ header: Bytes8, _ confounder: Bytes8?, _ pdu: [UInt8], _ covered: Range<Int>
    ) -> Bytes8 {
        switch key.cipher {
        case .aes:
            checksumKey.update(header)
            if let confounder { checksumKey.update(confounder) }
            checksumKey.update(pdu, covered)
            return checksumKey.code()
        case .strongKey, .des:
            let digest = MD5.hash(
                [0, 0, 0, 0], header.bytes, confounder?.bytes ?? [], Array(pdu[covered]))
            return Bytes8(HMACMD5.code(key: key.key.bytes, digest.bytes).bytes)
        }
    }

    private func conceal(_ number: Bytes8, _ sum: Bytes8) -> Bytes8 {
        switch key.cipher {
        case .aes:
            var out = number
            var feedback = Self.twice(sum)
            sequenceCipher.encrypt(&out, feedback: &feedback)
            return out
        case .strongKey, .des:
            let first = HMACMD5.code(key: key.key.bytes, [0, 0, 0, 0])
            let second = HMACMD5.code(key: first.bytes, sum.bytes)
            return Bytes8(RC4.apply(key: second.bytes, number.bytes))
        }
    }

    private static func twice(_ half: Bytes8) -> Bytes16 {
        var out = Bytes16()
        for index in 0..<16 { out[index] = half[index & 7] }
        return out
    }

    /// Confounder, then body. AES carries one stream over both; RC4 starts anew for each.
    private func encrypt(
        _ pdu: inout [UInt8], _ body: Range<Int>, _ confounder: inout Bytes8, _ number: Bytes8,
        encrypting: Bool
    ) {
        switch key.cipher {
        case .aes:
            var feedback = Self.twice(number)
            if encrypting {
                sealCipher.encrypt(&confounder, feedback: &feedback)
                sealCipher.encrypt(&pdu, body, feedback: &feedback)
            } else {
                sealCipher.decrypt(&confounder, feedback: &feedback)
                sealCipher.decrypt(&pdu, body, feedback: &feedback)
            }
        case .strongKey, .des:
            let first = HMACMD5.code(key: sealKey.bytes, [0, 0, 0, 0])
            let second = HMACMD5.code(key: first.bytes, number.bytes)
            confounder = Bytes8(RC4.apply(key: second.bytes, confounder.bytes))
            var stream = RC4(key: second.bytes)
            stream.apply(&pdu, body)
        }
    }
}
