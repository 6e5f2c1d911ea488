import Wire

extension SMB2 {
    /// Message signing of SMB 2.0.2 and 2.1 (MS-SMB2 3.1.4.1): the first half of HMAC-SHA256, under
    /// the session's key, over the message with zeros in the signature's place.
    ///
    /// The hash's owner is another library, so it is handed in.
    package struct Signing {
        private let key: Bytes16
        private let hmacSHA256: (_ key: [UInt8], _ message: [UInt8]) -> FixedBytes<32>

        package init(
            sessionKey: Bytes16,
            hmacSHA256: @escaping (_ key: [UInt8], _ message: [UInt8]) -> FixedBytes<32>
        ) {
            key = sessionKey
            self.hmacSHA256 = hmacSHA256
        }

        /// Marks `message`, which begins with its header, as signed and puts the signature there.
        package func sign(_ message: inout [UInt8]) {
            precondition(message.count >= Header.size)
            message[Header.flagsOffset] |= UInt8(Flags.signed.rawValue)
            let signature = mac(message)
            for index in 0..<16 { message[Header.signatureOffset + index] = signature[index] }
        }

        package func verifies(_ message: [UInt8]) -> Bool {
            guard message.count >= Header.size else { return false }
            var sent = Bytes16()
            for index in 0..<16 { sent[index] = message[Header.signatureOffset + index] }
            return sent == mac(message)
        }

        private func mac(_ message: [UInt8]) -> Bytes16 {
            var copy = message
            for index in 0..<16 { copy[Header.signatureOffset + index] = 0 }
            let whole = hmacSHA256(key.bytes, copy)
            var half = Bytes16()
            for index in 0..<16 { half[index] = whole[index] }
            return half
        }
    }
}
