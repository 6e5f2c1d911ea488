/// A byte string of a length that the specification fixes: a challenge, a credential, a hash.
///
/// Comparison takes the same time wherever the first difference is, because many of these are
/// digests. The description shows the length only, because many are secrets; `hex` is for those
/// that are not.
package struct FixedBytes<let count: Int>: Equatable, Sendable, CustomStringConvertible {
    package var storage: InlineArray<count, UInt8>

    /// All zero.
    @inlinable
    package init() { storage = InlineArray(repeating: 0) }

    /// The first `count` bytes of `bytes`, which must hold that many.
    @inlinable
    package init(_ bytes: [UInt8]) {
        precondition(bytes.count >= count)
        storage = InlineArray { bytes[$0] }
    }

    @inlinable
    package subscript(index: Int) -> UInt8 {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    @inlinable
    package var bytes: [UInt8] { [UInt8](copying: storage.span) }

    package var hex: String { Hex.string(bytes) }

    package var description: String { "(\(count) bytes)" }

    @inlinable
    package static func == (left: Self, right: Self) -> Bool {
        var difference: UInt8 = 0
        for index in 0..<count { difference |= left.storage[index] ^ right.storage[index] }
        return difference == 0
    }
}

package typealias Bytes8 = FixedBytes<8>
package typealias Bytes16 = FixedBytes<16>

/// Hexadecimal text, as people type it and as the tools print it.
package enum Hex {
    package static func string(_ bytes: [UInt8]) -> String {
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `value` as eight lower-case digits.
    package static func string(_ value: UInt32) -> String {
        string([
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ])
    }

    /// The bytes that `text` spells, or nil where it has an odd length or another character.
    package static func bytes(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 65...70: digit = character - 55
            case 97...102: digit = character - 87
            case _: return nil
            }
            if let first = high {
                out.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? out : nil
    }
}
