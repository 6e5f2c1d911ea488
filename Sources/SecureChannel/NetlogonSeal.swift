import Crypto
import Wire

/// Signs and seals RPC fragments with the key of a secure channel (MS-NRPC 3.3.4.2), in place.
///
/// One value belongs to one connection. Both directions of a connection share one sequence of
/// numbers, which the caller counts; a token that is altered, or made for another number, is
/// refused.
package struct NetlogonSeal {
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

    private static let usedToken = 32

    /// Seals `body` and writes the token at `token`. `covered` is what the checksum covers: the
    /// body alone, or the whole PDU up to the token where both ends sign headers.
    package mutating func seal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Int,
        sequence: UInt64, confounder: Bytes8
    ) {
        let header = tokenHeader
        let number = copySequence(sequence, fromClient: isClient)
        var secret = confounder.bytes
        let sum = checksum(header, secret, pdu, covered)
        encrypt(&pdu, body, &secret, number, encrypting: true)
        var out = header
        out.append(contentsOf: concealSequence(number, sum))
        out.append(contentsOf: sum)
        out.append(contentsOf: secret)
        for index in 0..<tokenLength { pdu[token + index] = index < out.count ? out[index] : 0 }
    }

    /// Opens what the peer sealed as message `sequence` of the connection.
    package mutating func unseal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Range<Int>,
        sequence: UInt64
    ) throws(Refused) {
        guard token.count >= Self.usedToken, token.upperBound <= pdu.count else { throw .token }
        let header = Array(pdu[token.lowerBound..<(token.lowerBound + 8)])
        guard header == tokenHeader else { throw .token }
        let concealed = Array(pdu[(token.lowerBound + 8)..<(token.lowerBound + 16)])
        let sum = Array(pdu[(token.lowerBound + 16)..<(token.lowerBound + 24)])
        let number = copySequence(sequence, fromClient: !isClient)
        guard Bytes8(concealSequence(number, sum)) == Bytes8(concealed) else { throw .sequence }
        var secret = Array(pdu[(token.lowerBound + 24)..<(token.lowerBound + 32)])
        encrypt(&pdu, body, &secret, number, encrypting: false)
        guard Bytes8(checksum(header, secret, pdu, covered)) == Bytes8(sum) else {
            throw .checksum
        }
    }

    // MARK: Signing alone

    /// Writes the token of a PDU that is signed and not sealed, at `token`: without a confounder,
    /// and with a header that says so.
    package mutating func sign(
        _ pdu: inout [UInt8], covered: Range<Int>, token: Int, sequence: UInt64
    ) {
        let number = copySequence(sequence, fromClient: isClient)
        let sum = checksum(signHeader, nil, pdu, covered)
        let out = signHeader + concealSequence(number, sum) + sum
        for index in 0..<tokenLength { pdu[token + index] = index < out.count ? out[index] : 0 }
    }

    /// Checks what the peer signed as message `sequence` of the connection.
    package mutating func verify(
        _ pdu: [UInt8], covered: Range<Int>, token: Range<Int>, sequence: UInt64
    ) throws(Refused) {
        guard token.count >= Self.usedToken - 8, token.upperBound <= pdu.count else {
            throw .token
        }
        let start = token.lowerBound
        guard Array(pdu[start..<(start + 8)]) == signHeader else { throw .token }
        let sum = Array(pdu[(start + 16)..<(start + 24)])
        let number = copySequence(sequence, fromClient: !isClient)
        let concealed = Bytes8(Array(pdu[(start + 8)..<(start + 16)]))
        guard Bytes8(concealSequence(number, sum)) == concealed else { throw .sequence }
        guard Bytes8(checksum(signHeader, nil, pdu, covered)) == Bytes8(sum) else {
            throw .checksum
        }
    }

    // MARK: Steps of MS-NRPC 3.3.4.2.1

    /// SealAlgorithm says that nothing is sealed.
    private var signHeader: [UInt8] {
        key.cipher == .aes
            ? [0x13, 0x00, 0xff, 0xff, 0xff, 0xff, 0, 0]
            : [0x77, 0x00, 0xff, 0xff, 0xff, 0xff, 0, 0]
    }

    private var tokenHeader: [UInt8] {
        // SignatureAlgorithm, SealAlgorithm, Pad, Flags.
        key.cipher == .aes
            ? [0x13, 0x00, 0x1a, 0x00, 0xff, 0xff, 0, 0]
            : [0x77, 0x00, 0x7a, 0x00, 0xff, 0xff, 0, 0]
    }

    private func copySequence(_ sequence: UInt64, fromClient: Bool) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 8)
        let low = UInt32(truncatingIfNeeded: sequence)
        let high = UInt32(truncatingIfNeeded: sequence >> 32)
        for index in 0..<4 {
            out[index] = UInt8(truncatingIfNeeded: low >> UInt32(24 - 8 * index))
            out[4 + index] = UInt8(truncatingIfNeeded: high >> UInt32(24 - 8 * index))
        }
        if fromClient { out[4] |= 0x80 }
        return out
    }

    private mutating func checksum(
        _ header: [UInt8], _ confounder: [UInt8]?, _ pdu: [UInt8], _ covered: Range<Int>
    ) -> [UInt8] {
        switch key.cipher {
        case .aes:
            checksumKey.update(header, 0..<8)
            if let confounder { checksumKey.update(confounder, 0..<8) }
            checksumKey.update(pdu, covered)
            let code = checksumKey.code()
            return (0..<8).map { code[$0] }
        case .strongKey, .des:
            let digest = MD5.hash([0, 0, 0, 0], header, confounder ?? [], Array(pdu[covered]))
            return Array(HMACMD5.code(key: key.key.bytes, digest.bytes).bytes[0..<8])
        }
    }

    private func concealSequence(_ number: [UInt8], _ sum: [UInt8]) -> [UInt8] {
        switch key.cipher {
        case .aes:
            var out = number
            var feedback = Bytes16(sum + sum)
            sequenceCipher.encrypt(&out, 0..<8, feedback: &feedback)
            return out
        case .strongKey, .des:
            let first = HMACMD5.code(key: key.key.bytes, [0, 0, 0, 0])
            let second = HMACMD5.code(key: first.bytes, sum)
            return RC4.apply(key: second.bytes, number)
        }
    }

    /// Confounder, then body. AES carries one stream over both; RC4 starts anew for each.
    private func encrypt(
        _ pdu: inout [UInt8], _ body: Range<Int>, _ confounder: inout [UInt8],
        _ number: [UInt8], encrypting: Bool
    ) {
        switch key.cipher {
        case .aes:
            var feedback = Bytes16(number + number)
            if encrypting {
                sealCipher.encrypt(&confounder, 0..<8, feedback: &feedback)
                sealCipher.encrypt(&pdu, body, feedback: &feedback)
            } else {
                sealCipher.decrypt(&confounder, 0..<8, feedback: &feedback)
                sealCipher.decrypt(&pdu, body, feedback: &feedback)
            }
        case .strongKey, .des:
            let first = HMACMD5.code(key: sealKey.bytes, [0, 0, 0, 0])
            let second = HMACMD5.code(key: first.bytes, number)
            var stream = RC4(key: second.bytes)
            stream.apply(&confounder, 0..<8)
            stream = RC4(key: second.bytes)
            stream.apply(&pdu, body)
        }
    }
}
