/// Writes one message into a buffer that is kept from message to message.
///
/// Lengths and counts are reserved, then patched when the bytes they count are there, so that
/// no message stores a length that could disagree with its content.
package struct WireWriter: ~Copyable {
    package private(set) var bytes: [UInt8]

    @inlinable
    package init(capacity: Int = 512) {
        self.init(keeping: [], capacity: capacity)
    }

    @inline(never)
    @usableFromInline
    init(keeping bytes: [UInt8], capacity: Int) {
        self.bytes = bytes
        self.bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    /// Forgets the content and keeps the memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// The content, leaving the writer empty.
    package mutating func finish() -> [UInt8] {
        var out: [UInt8] = []
        swap(&out, &bytes)
        return out
    }

    // MARK: Numbers

    @inline(never)
    package mutating func uint8(_ value: UInt8) { bytes.append(value) }

    @inline(never)
    package mutating func uint16LE(_ value: UInt16) { number(UInt64(value), 2) }

    package mutating func uint16BE(_ value: UInt16) { uint16LE(value.byteSwapped) }

    @inline(never)
    package mutating func uint32LE(_ value: UInt32) { number(UInt64(value), 4) }

    package mutating func uint32BE(_ value: UInt32) { uint32LE(value.byteSwapped) }

    @inline(never)
    package mutating func uint64LE(_ value: UInt64) { number(value, 8) }

    /// The lowest `count` bytes of `value`, the lowest first.
    private mutating func number(_ value: UInt64, _ count: Int) {
        bytes.append(addingCapacity: count) { out in
            var rest = value
            for _ in 0..<count {
                out.append(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
        }
    }

    // MARK: Bytes

    @inline(never)
    package mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    @inline(never)
    package mutating func append(_ more: Span<UInt8>) { bytes.append(copying: more) }

    package mutating func append<let count: Int>(_ more: FixedBytes<count>) {
        append(more.storage.span)
    }

    @inline(never)
    package mutating func zeros(_ count: Int) {
        bytes.append(addingCapacity: count) { $0.append(repeating: 0, count: count) }
    }

    /// Zeros up to the next multiple of `alignment`, counted from `base`.
    @inline(never)
    package mutating func align(_ alignment: Int, from base: Int = 0) {
        let over = (bytes.count - base) % alignment
        if over != 0 { zeros(alignment - over) }
    }

    /// `text` in UTF-16LE, without a terminator.
    package mutating func utf16LE(_ text: String) {
        // Nearly every name is in ASCII, where a unit is a byte and a zero.
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            for byte in text.utf8 { uint16LE(UInt16(byte)) }
        } else {
            for unit in text.utf16 { uint16LE(unit) }
        }
    }

    // MARK: Patches

    /// Leaves room for a 16-bit number and says where, for `patch16…`.
    package mutating func reserve16() -> Int {
        zeros(2)
        return bytes.count - 2
    }

    /// Leaves room for a 32-bit number and says where, for `patch32…`.
    package mutating func reserve32() -> Int {
        zeros(4)
        return bytes.count - 4
    }

    package mutating func patch8(_ position: Int, _ value: Int) {
        bytes[position] = UInt8(value)
    }

    package mutating func patch16LE(_ position: Int, _ value: Int) {
        let number = UInt16(value)
        bytes[position] = UInt8(truncatingIfNeeded: number)
        bytes[position + 1] = UInt8(truncatingIfNeeded: number >> 8)
    }

    package mutating func patch16BE(_ position: Int, _ value: Int) {
        patch16LE(position, Int(UInt16(value).byteSwapped))
    }

    package mutating func patch32LE(_ position: Int, _ value: Int) {
        let number = UInt32(value)
        patch16LE(position, Int(number & 0xffff))
        patch16LE(position + 2, Int(number >> 16))
    }

    /// Replaces bytes that are there, for a seal made over the message in place.
    package mutating func overwrite(_ position: Int, with replacement: [UInt8]) {
        precondition(position + replacement.count <= bytes.count)
        for index in 0..<replacement.count { bytes[position + index] = replacement[index] }
    }
}
