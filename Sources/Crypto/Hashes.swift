import CNettle
import Wire

// Pure functions over nettle. Each hands nettle pointers into arrays for the length of one call;
// that is all the `unsafe` there is here.

/// MD4 (RFC 1320), the hash of NTOWFv1.
package enum MD4 {
    package static func hash(_ data: [UInt8]) -> Bytes16 {
        var context = md4_ctx()
        unsafe nettle_md4_init(&context)
        unsafe data.withUnsafeBufferPointer {
            unsafe nettle_md4_update(&context, $0.count, $0.baseAddress)
        }
        var digest = [UInt8](repeating: 0, count: 16)
        unsafe nettle_md4_digest(&context, 16, &digest)
        return Bytes16(digest)
    }
}

/// MD5 (RFC 1321).
package enum MD5 {
    package static func hash(_ parts: [UInt8]...) -> Bytes16 {
        var context = md5_ctx()
        unsafe nettle_md5_init(&context)
        for part in parts {
            unsafe part.withUnsafeBufferPointer {
                unsafe nettle_md5_update(&context, $0.count, $0.baseAddress)
            }
        }
        var digest = [UInt8](repeating: 0, count: 16)
        unsafe nettle_md5_digest(&context, 16, &digest)
        return Bytes16(digest)
    }
}

/// SHA-1 (FIPS 180-4), for the MS-CHAPv2 challenge hash only.
package enum SHA1 {
    package static func hash(_ parts: [UInt8]...) -> FixedBytes<20> {
        var context = sha1_ctx()
        unsafe nettle_sha1_init(&context)
        for part in parts {
            unsafe part.withUnsafeBufferPointer {
                unsafe nettle_sha1_update(&context, $0.count, $0.baseAddress)
            }
        }
        var digest = [UInt8](repeating: 0, count: 20)
        unsafe nettle_sha1_digest(&context, 20, &digest)
        return FixedBytes<20>(digest)
    }
}

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    package static func hash(_ parts: [UInt8]...) -> FixedBytes<32> {
        var context = sha256_ctx()
        unsafe nettle_sha256_init(&context)
        for part in parts {
            unsafe part.withUnsafeBufferPointer {
                unsafe nettle_sha256_update(&context, $0.count, $0.baseAddress)
            }
        }
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe nettle_sha256_digest(&context, 32, &digest)
        return FixedBytes<32>(digest)
    }
}

/// HMAC-MD5 (RFC 2104).
package enum HMACMD5 {
    package static func code(key: [UInt8], _ parts: [UInt8]...) -> Bytes16 {
        var context = hmac_md5_ctx()
        unsafe key.withUnsafeBufferPointer {
            unsafe nettle_hmac_md5_set_key(&context, $0.count, $0.baseAddress)
        }
        for part in parts {
            unsafe part.withUnsafeBufferPointer {
                unsafe nettle_hmac_md5_update(&context, $0.count, $0.baseAddress)
            }
        }
        var digest = [UInt8](repeating: 0, count: 16)
        unsafe nettle_hmac_md5_digest(&context, 16, &digest)
        return Bytes16(digest)
    }
}

/// HMAC-SHA-256 (RFC 2104). The keyed state is kept: a secure channel makes one code a message
/// under one key.
package struct HMACSHA256 {
    private var keyed: hmac_sha256_ctx

    package init(key: [UInt8]) {
        keyed = hmac_sha256_ctx()
        unsafe key.withUnsafeBufferPointer {
            unsafe nettle_hmac_sha256_set_key(&keyed, $0.count, $0.baseAddress)
        }
    }

    package mutating func update(_ part: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= part.count)
        guard !range.isEmpty else { return }
        unsafe part.withUnsafeBufferPointer {
            let start = unsafe $0.baseAddress! + range.lowerBound
            unsafe nettle_hmac_sha256_update(&keyed, range.count, start)
        }
    }

    package mutating func update<let count: Int>(_ part: FixedBytes<count>) {
        unsafe withUnsafeBytes(of: part.storage) {
            let start = unsafe $0.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe nettle_hmac_sha256_update(&keyed, count, start)
        }
    }

    /// The code over what was given to `update`, or its first `count` bytes; the next code starts
    /// anew under the same key.
    package mutating func code<let count: Int>() -> FixedBytes<count> {
        precondition(count <= 32)
        var digest = FixedBytes<count>()
        unsafe withUnsafeMutableBytes(of: &digest.storage) {
            let start = unsafe $0.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe nettle_hmac_sha256_digest(&keyed, count, start)
        }
        return digest
    }

    package static func code(key: [UInt8], _ parts: [UInt8]...) -> FixedBytes<32> {
        var code = HMACSHA256(key: key)
        for part in parts { code.update(part, 0..<part.count) }
        return code.code()
    }
}

/// CRC-32 (ISO 3309), the checksum of NTLM signatures without extended session security.
package enum CRC32 {
    package static func checksum(_ data: [UInt8]) -> UInt32 {
        var register: UInt32 = 0xffff_ffff
        for byte in data {
            register ^= UInt32(byte)
            for _ in 0..<8 {
                register = register & 1 == 1 ? register >> 1 ^ 0xedb8_8320 : register >> 1
            }
        }
        return ~register
    }
}
