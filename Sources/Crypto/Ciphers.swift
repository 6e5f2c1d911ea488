import CNettle
import Wire

/// DES of one block under a 56-bit key written as seven bytes (MS-NLMP 6, MS-NRPC 3.1.4.4.2).
package enum DES {
    package static func encrypt(_ block: Bytes8, key7: [UInt8]) -> Bytes8 {
        apply(block, key7, encrypting: true)
    }

    package static func decrypt(_ block: Bytes8, key7: [UInt8]) -> Bytes8 {
        apply(block, key7, encrypting: false)
    }

    private static func apply(_ block: Bytes8, _ key7: [UInt8], encrypting: Bool) -> Bytes8 {
        var context = des_ctx()
        let key = spread(key7)
        // The result says "weak key". Hashes are keys here, so a weak one is used like any other.
        _ = unsafe key.withUnsafeBufferPointer {
            unsafe nettle_des_set_key(&context, $0.baseAddress)
        }
        var out = [UInt8](repeating: 0, count: 8)
        let source = block.bytes
        unsafe source.withUnsafeBufferPointer {
            if encrypting {
                unsafe nettle_des_encrypt(&context, 8, &out, $0.baseAddress)
            } else {
                unsafe nettle_des_decrypt(&context, 8, &out, $0.baseAddress)
            }
        }
        return Bytes8(out)
    }

    /// 56 bits spread over eight bytes, seven in each, the parity bit left clear (MS-SAMR
    /// 2.2.11.1.2).
    package static func spread(_ key7: [UInt8]) -> [UInt8] {
        precondition(key7.count == 7)
        var bits: UInt64 = 0
        for byte in key7 { bits = bits << 8 | UInt64(byte) }
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(49 - 7 * $0) & 0x7f) << 1 }
    }
}

/// RC4: kept for peers that offer nothing better, and for MS-NRPC's encrypted passwords.
package struct RC4 {
    private var context: arcfour_ctx

    package init(key: [UInt8]) {
        precondition((1...256).contains(key.count))
        context = arcfour_ctx()
        unsafe key.withUnsafeBufferPointer {
            unsafe nettle_arcfour_set_key(&context, $0.count, $0.baseAddress)
        }
    }

    /// Encrypts or decrypts in place.
    package mutating func apply(_ data: inout [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= data.count)
        guard !range.isEmpty else { return }
        unsafe data.withUnsafeMutableBufferPointer {
            let start = unsafe $0.baseAddress! + range.lowerBound
            unsafe nettle_arcfour_crypt(&context, range.count, start, start)
        }
    }

    package static func apply(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var cipher = RC4(key: key)
        var out = data
        cipher.apply(&out, 0..<out.count)
        return out
    }
}

/// AES-128 in 8-bit cipher feedback mode, as the Netlogon protocol uses it (MS-NRPC 3.1.4.4.1).
package struct AES128CFB8 {
    private let context: aes128_ctx

    package init(key: Bytes16) {
        var schedule = aes128_ctx()
        let bytes = key.bytes
        unsafe bytes.withUnsafeBufferPointer {
            unsafe nettle_aes128_set_encrypt_key(&schedule, $0.baseAddress)
        }
        context = schedule
    }

    /// Encrypts in place. `feedback` starts as the initialisation vector and is carried on, so
    /// that one stream can cover bytes that do not lie side by side.
    package func encrypt(_ data: inout [UInt8], _ range: Range<Int>, feedback: inout Bytes16) {
        apply(&data, range, &feedback, encrypting: true)
    }

    package func decrypt(_ data: inout [UInt8], _ range: Range<Int>, feedback: inout Bytes16) {
        apply(&data, range, &feedback, encrypting: false)
    }

    package func encrypt<let count: Int>(
        _ data: inout FixedBytes<count>, feedback: inout Bytes16
    ) {
        unsafe withUnsafeMutableBytes(of: &data.storage) {
            unsafe apply($0, &feedback, encrypting: true)
        }
    }

    package func decrypt<let count: Int>(
        _ data: inout FixedBytes<count>, feedback: inout Bytes16
    ) {
        unsafe withUnsafeMutableBytes(of: &data.storage) {
            unsafe apply($0, &feedback, encrypting: false)
        }
    }

    private func apply(
        _ data: inout [UInt8], _ range: Range<Int>, _ feedback: inout Bytes16, encrypting: Bool
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound <= data.count)
        unsafe data.withUnsafeMutableBytes {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[range])
            unsafe apply(part, &feedback, encrypting: encrypting)
        }
    }

    @unsafe
    private func apply(
        _ data: UnsafeMutableRawBufferPointer, _ feedback: inout Bytes16, encrypting: Bool
    ) {
        guard data.count > 0 else { return }
        let block: @convention(c) (
            UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?
        ) -> Void = { context, length, out, source in
            let keyed = unsafe context?.assumingMemoryBound(to: aes128_ctx.self)
            unsafe nettle_aes128_encrypt(keyed, length, out, source)
        }
        let start = unsafe data.baseAddress!.assumingMemoryBound(to: UInt8.self)
        unsafe withUnsafePointer(to: context) { keyed in
            unsafe withUnsafeMutableBytes(of: &feedback.storage) {
                let register = unsafe $0.baseAddress!.assumingMemoryBound(to: UInt8.self)
                if encrypting {
                    unsafe nettle_cfb8_encrypt(
                        keyed, block, 16, register, data.count, start, start)
                } else {
                    unsafe nettle_cfb8_decrypt(
                        keyed, block, 16, register, data.count, start, start)
                }
            }
        }
    }
}
