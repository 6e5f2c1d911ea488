import Crypto
import Wire

/// Signs and seals the messages of one NTLM session, in place (MS-NLMP 3.4.2 to 3.4.4).
///
/// A token is NTLMSSP_MESSAGE_SIGNATURE, with and without extended session security:
///
///     Version 1      4        Version 1      4
///     Checksum       8        RandomPad      4
///     SeqNum         4        Checksum       4   CRC-32
///                             SeqNum         4   the last three under RC4
///
/// Messages are expected in the order sent. After a refusal the session is of no more use,
/// because the ciphers of both ends no longer stand at the same place.
package struct MessageSecurity {
    package static let tokenLength = 16

    package enum Refused: Error, Equatable {
        /// Not a token of this kind.
        case token
        /// Made for another message of the session.
        case sequence
        case checksum
    }

    private struct Direction {
        let signKey: Bytes16
        var cipher: RC4
        var sequence: UInt32 = 0
    }

    private let flags: NegotiateFlags
    private var sending: Direction
    /// Nil without extended session security: one cipher and one count serve both directions,
    /// whose messages alternate.
    private var receiving: Direction?

    package init(flags: NegotiateFlags, exportedSessionKey: Bytes16, isClient: Bool) {
        self.flags = flags
        func direction(fromClient: Bool) -> Direction {
            let seal = SessionKeys.sealKey(
                flags: flags, exported: exportedSessionKey, fromClient: fromClient)
            let sign = SessionKeys.signKey(exported: exportedSessionKey, fromClient: fromClient)
            return Direction(signKey: sign, cipher: RC4(key: seal.bytes))
        }
        sending = direction(fromClient: isClient)
        if flags.contains(.extendedSessionSecurity) {
            receiving = direction(fromClient: !isClient)
        }
    }

    /// Seals `body` and writes the token at `token`. `covered` is what a checksum under extended
    /// session security covers; without that, it covers the body.
    package mutating func seal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Int
    ) {
        let sum = checksum(pdu, body: body, covered: covered, of: sending)
        sending.cipher.apply(&pdu, body)
        place(conceal(sum, &sending), in: &pdu, at: token)
    }

    /// Writes the token of a message that is signed only, at `token`.
    package mutating func sign(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Int
    ) {
        let sum = checksum(pdu, body: body, covered: covered, of: sending)
        place(conceal(sum, &sending), in: &pdu, at: token)
    }

    /// Opens what the peer sealed.
    package mutating func unseal(
        _ pdu: inout [UInt8], body: Range<Int>, covered: Range<Int>, token: Range<Int>
    ) throws(Refused) {
        guard token.count == Self.tokenLength else { throw .token }
        var direction = receiving ?? sending
        direction.cipher.apply(&pdu, body)
        try check(pdu, body: body, covered: covered, token: token, direction)
    }

    /// Checks what the peer signed.
    package mutating func verify(
        _ pdu: [UInt8], body: Range<Int>, covered: Range<Int>, token: Range<Int>
    ) throws(Refused) {
        guard token.count == Self.tokenLength else { throw .token }
        try check(pdu, body: body, covered: covered, token: token, receiving ?? sending)
    }

    // MARK: SPNEGO

    /// The code over the list of mechanisms. It counts as a message, but the cipher goes back to
    /// where it was (MS-SPNG 3.3.5.1).
    package mutating func mechListMIC(_ list: [UInt8]) -> Bytes16 {
        let cipher = sending.cipher
        var signed = list + [UInt8](repeating: 0, count: Self.tokenLength)
        sign(&signed, body: 0..<list.count, covered: 0..<list.count, token: list.count)
        sending.cipher = cipher
        return Bytes16(Array(signed[list.count...]))
    }

    /// Checks the peer's code over the list of mechanisms.
    package mutating func verify(mechListMIC: [UInt8], _ list: [UInt8]) throws(Refused) {
        let cipher = (receiving ?? sending).cipher
        let signed = list + mechListMIC
        try verify(
            signed, body: 0..<list.count, covered: 0..<list.count,
            token: list.count..<signed.count)
        if receiving == nil { sending.cipher = cipher } else { receiving?.cipher = cipher }
    }

    // MARK: Steps of MS-NLMP 3.4.4

    /// What the token's checksum is made of, before RC4: 8 bytes, or the pad, sum and count.
    private func checksum(
        _ pdu: [UInt8], body: Range<Int>, covered: Range<Int>, of direction: Direction
    ) -> [UInt8] {
        if flags.contains(.extendedSessionSecurity) {
            var number = WireWriter(capacity: 4)
            number.uint32LE(direction.sequence)
            var key = direction.signKey.bytes
            defer { Wipe.bytes(&key) }
            let code = HMACMD5.code(key: key, number.bytes, Array(pdu[covered]))
            return (0..<8).map { code[$0] }
        }
        var out = WireWriter(capacity: 12)
        out.zeros(4)
        out.uint32LE(CRC32.checksum(Array(pdu[body])))
        out.zeros(4)
        return out.finish()
    }

    /// The token, and the direction moved on to its next message.
    private func conceal(_ sum: [UInt8], _ direction: inout Direction) -> [UInt8] {
        var sum = sum
        let number = direction.sequence
        direction.sequence &+= 1
        var out = WireWriter(capacity: Self.tokenLength)
        out.uint32LE(1)
        guard flags.contains(.extendedSessionSecurity) else {
            direction.cipher.apply(&sum, 0..<12)
            for index in 0..<4 {
                sum[8 + index] ^= UInt8(truncatingIfNeeded: number >> UInt32(8 * index))
            }
            out.append(sum)
            return out.finish()
        }
        if flags.contains(.keyExchange) { direction.cipher.apply(&sum, 0..<8) }
        out.append(sum)
        out.uint32LE(number)
        return out.finish()
    }

    private func place(_ token: [UInt8], in pdu: inout [UInt8], at start: Int) {
        for index in 0..<Self.tokenLength { pdu[start + index] = token[index] }
    }

    private mutating func check(
        _ pdu: [UInt8], body: Range<Int>, covered: Range<Int>, token: Range<Int>,
        _ current: Direction
    ) throws(Refused) {
        var direction = current
        let sum = checksum(pdu, body: body, covered: covered, of: direction)
        let expected = conceal(sum, &direction)
        let given = Array(pdu[token])
        guard expected[..<4] == given[..<4] else { throw .token }
        guard expected[12...] == given[12...] else { throw .sequence }
        // Without extended session security the pad is random, and peers fill it as they like.
        let start = flags.contains(.extendedSessionSecurity) ? 4 : 8
        var difference: UInt8 = 0
        for index in start..<12 { difference |= expected[index] ^ given[index] }
        guard difference == 0 else { throw .checksum }
        if receiving == nil { sending = direction } else { receiving = direction }
    }
}
