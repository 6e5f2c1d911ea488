/// Base64 (RFC 4648 4), as the helper protocols carry it.
package enum Base64 {
    private static var alphabet: StaticString {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    }

    package static func text(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array(alphabet.description.utf8)
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let first = UInt32(bytes[index]) << 16
            let second = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
            let third = left > 2 ? UInt32(bytes[index + 2]) : 0
            let three = first | second | third
            out.append(digits[Int(three >> 18 & 63)])
            out.append(digits[Int(three >> 12 & 63)])
            out.append(left > 1 ? digits[Int(three >> 6 & 63)] : UInt8(ascii: "="))
            out.append(left > 2 ? digits[Int(three & 63)] : UInt8(ascii: "="))
            index += 3
        }
        return out
    }

    /// The bytes that `text` spells. The padding may be missing, as some callers leave it out;
    /// nil for any other character, a digit that stands alone, or text after the padding.
    package static func bytes(_ text: [UInt8]) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3 + 2)
        var held: UInt32 = 0
        var bits: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(character) else { return nil }
            digits += 1
            held = held << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= (1 << bits) - 1
            }
        }
        if digits % 4 == 1 || padding > 2 { return nil }
        if padding > 0 && (digits + padding) % 4 != 0 { return nil }
        return out
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        case _: nil
        }
    }
}
