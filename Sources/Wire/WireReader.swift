/// The order of a number's bytes.
package enum ByteOrder: Equatable, Sendable {
    case littleEndian, bigEndian
}

/// Reads one datagram, record or part of one, front to back, without copying.
///
/// Offsets and the ranges it hands out count from the start of the whole span, also in a part
/// that `part(_:)` made, so that an error and a payload's range mean the same everywhere.
package struct WireReader: ~Escapable {
    @usableFromInline package let span: Span<UInt8>
    @usableFromInline package let layer: StaticString
    /// Where the next byte is read.
    package var offset: Int
    /// Where this reader ends; the span may go on.
    package let end: Int
    /// In which order the bytes of numbers are, where the sender has the choice: `uint16` and its
    /// like follow it, those that name an order do not.
    package var byteOrder = ByteOrder.littleEndian

    @inlinable
    @_lifetime(copy span)
    package init(_ span: Span<UInt8>, layer: StaticString) {
        self.span = span
        self.layer = layer
        self.offset = 0
        self.end = span.count
    }

    @usableFromInline
    @_lifetime(copy span)
    init(span: Span<UInt8>, layer: StaticString, offset: Int, end: Int) {
        self.span = span
        self.layer = layer
        self.offset = offset
        self.end = end
    }

    @inlinable package var remaining: Int { end - offset }
    @inlinable package var isAtEnd: Bool { offset == end }

    /// A reader over `range` only, which a reader of the same span handed out. The layer's name
    /// changes where another layer's message begins.
    @inlinable
    @_lifetime(copy self)
    package func part(_ range: Range<Int>, layer: StaticString? = nil) -> WireReader {
        precondition(range.lowerBound >= 0 && range.upperBound <= span.count)
        var part = WireReader(
            span: span, layer: layer ?? self.layer,
            offset: range.lowerBound, end: range.upperBound)
        part.byteOrder = byteOrder
        return part
    }

    // MARK: Numbers

    @inlinable
    @_lifetime(self: copy self)
    package mutating func need(_ count: Int, _ field: StaticString) throws(WireError) {
        if count < 0 || count > end - offset {
            throw WireError(
                .truncated, layer: layer, field: field, offset: offset,
                needed: count, available: end - offset)
        }
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint8(_ field: StaticString) throws(WireError) -> UInt8 {
        try need(1, field)
        let value = span[offset]
        offset += 1
        return value
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint16LE(_ field: StaticString) throws(WireError) -> UInt16 {
        try need(2, field)
        let value = UInt16(span[offset]) | UInt16(span[offset + 1]) << 8
        offset += 2
        return value
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint16BE(_ field: StaticString) throws(WireError) -> UInt16 {
        try uint16LE(field).byteSwapped
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint32LE(_ field: StaticString) throws(WireError) -> UInt32 {
        try need(4, field)
        let low = UInt32(span[offset]) | UInt32(span[offset + 1]) << 8
        let high = UInt32(span[offset + 2]) << 16 | UInt32(span[offset + 3]) << 24
        offset += 4
        return low | high
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint32BE(_ field: StaticString) throws(WireError) -> UInt32 {
        try uint32LE(field).byteSwapped
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint64LE(_ field: StaticString) throws(WireError) -> UInt64 {
        try need(8, field)
        let low = try uint32LE(field)
        let high = try uint32LE(field)
        return UInt64(high) << 32 | UInt64(low)
    }

    // MARK: Numbers in the sender's order

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint16(_ field: StaticString) throws(WireError) -> UInt16 {
        let value = try uint16LE(field)
        return byteOrder == .bigEndian ? value.byteSwapped : value
    }

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint32(_ field: StaticString) throws(WireError) -> UInt32 {
        let value = try uint32LE(field)
        return byteOrder == .bigEndian ? value.byteSwapped : value
    }

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint64(_ field: StaticString) throws(WireError) -> UInt64 {
        let value = try uint64LE(field)
        return byteOrder == .bigEndian ? value.byteSwapped : value
    }

    // MARK: Bytes

    @inlinable
    @_lifetime(self: copy self)
    package mutating func fixed<let count: Int>(
        _ field: StaticString
    ) throws(WireError) -> FixedBytes<count> {
        try need(count, field)
        var value = FixedBytes<count>()
        for index in 0..<count { value[index] = span[offset + index] }
        offset += count
        return value
    }

    /// The next `count` bytes, as their range in the span.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func take(
        _ count: Int, _ field: StaticString
    ) throws(WireError) -> Range<Int> {
        try need(count, field)
        let range = offset..<(offset + count)
        offset += count
        return range
    }

    /// All that is left, as its range in the span.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func takeRest() -> Range<Int> {
        let range = offset..<end
        offset = end
        return range
    }

    /// The bytes before the next `terminator`, which is read too.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func take(
        through terminator: UInt8, _ field: StaticString
    ) throws(WireError) -> Range<Int> {
        let start = offset
        while offset < end {
            offset += 1
            if span[offset - 1] == terminator { return start..<(offset - 1) }
        }
        offset = start
        throw WireError(
            .truncated, layer: layer, field: field, offset: start,
            needed: end - start + 1, available: end - start)
    }

    /// Reads bytes that a rule makes padding: to the next multiple of `alignment`, counted from
    /// `base`. Their values are not looked at.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func align(
        _ alignment: Int, from base: Int, _ field: StaticString
    ) throws(WireError) {
        let over = (offset - base) % alignment
        if over != 0 { _ = try take(alignment - over, field) }
    }

    /// Moves to an absolute offset, which must lie within this reader.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func seek(_ position: Int, _ field: StaticString) throws(WireError) {
        if position < 0 || position > end {
            throw WireError(
                .truncated, layer: layer, field: field, offset: offset,
                needed: position, available: end)
        }
        offset = position
    }

    @inlinable
    package func expectEnd(_ field: StaticString) throws(WireError) {
        if offset != end {
            throw WireError(
                .trailing, layer: layer, field: field, offset: offset, available: end - offset)
        }
    }

    /// The error for a value that the specification does not allow, `width` bytes back.
    @inlinable
    package func invalid(_ field: StaticString, _ value: Int, width: Int = 0) -> WireError {
        WireError(.invalid, layer: layer, field: field, offset: offset - width, needed: value)
    }

    // MARK: Copies out of the span

    @inlinable
    package func copy(_ range: Range<Int>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        for index in range { out.append(span[index]) }
        return out
    }

    /// The UTF-16LE text in `range`, which has an even length. An unpaired surrogate becomes
    /// U+FFFD.
    @inlinable
    package func utf16LE(_ range: Range<Int>) -> String {
        // Nearly every name is in ASCII, which needs no decoding.
        var ascii: [UInt8] = []
        ascii.reserveCapacity(range.count / 2)
        var index = range.lowerBound
        while index + 1 < range.upperBound, span[index] < 0x80, span[index + 1] == 0 {
            ascii.append(span[index])
            index += 2
        }
        if index + 1 >= range.upperBound { return String(decoding: ascii, as: UTF8.self) }
        var units: [UInt16] = []
        units.reserveCapacity(range.count / 2)
        index = range.lowerBound
        while index + 1 < range.upperBound {
            units.append(UInt16(span[index]) | UInt16(span[index + 1]) << 8)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// The same in the sender's order.
    @inlinable
    package func utf16(_ range: Range<Int>) -> String {
        guard byteOrder == .bigEndian else { return utf16LE(range) }
        var units: [UInt16] = []
        units.reserveCapacity(range.count / 2)
        var index = range.lowerBound
        while index + 1 < range.upperBound {
            units.append(UInt16(span[index]) << 8 | UInt16(span[index + 1]))
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// The text before the next UTF-16LE null, which is read too.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func utf16LEZ(_ field: StaticString) throws(WireError) -> String {
        let start = offset
        while true {
            let unit = try uint16LE(field)
            if unit == 0 { return utf16LE(start..<(offset - 2)) }
        }
    }
}
