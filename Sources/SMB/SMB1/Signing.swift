import Wire

extension SMB1 {
    /// Message signing (MS-CIFS 3.1.4.1, 3.1.5.1): eight bytes of a hash over a key, which is the
    /// session key and the response that proved it, and over the message with a sequence number
    /// in the signature's place.
    ///
    /// The hash is MD5. Its owner is another library, so it is handed in.
    package struct Signing {
        private let key: [UInt8]
        private let md5: (_ key: [UInt8], _ message: [UInt8]) -> Bytes16

        package init(
            sessionKey: [UInt8], challengeResponse: [UInt8],
            md5: @escaping (_ key: [UInt8], _ message: [UInt8]) -> Bytes16
        ) {
            key = sessionKey + challengeResponse
            self.md5 = md5
        }

        /// Puts the signature into `message`, which begins with its header.
        package func sign(_ message: inout [UInt8], sequence: UInt32) {
            let signature = mac(message, sequence)
            for index in 0..<8 { message[Header.securityFeaturesOffset + index] = signature[index] }
        }

        /// Whether the message carries the signature that belongs to its place in the sequence.
        package func verifies(_ message: [UInt8], sequence: UInt32) -> Bool {
            guard message.count >= Header.size else { return false }
            var sent = Bytes8()
            for index in 0..<8 { sent[index] = message[Header.securityFeaturesOffset + index] }
            return sent == mac(message, sequence)
        }

        private func mac(_ message: [UInt8], _ sequence: UInt32) -> Bytes8 {
            precondition(message.count >= Header.size)
            var copy = message
            var number = UInt64(sequence)
            for index in 0..<8 {
                copy[Header.securityFeaturesOffset + index] = UInt8(truncatingIfNeeded: number)
                number >>= 8
            }
            return Bytes8(md5(key, copy).bytes)
        }
    }
}
