import Wire

/// Reads a stub in NDR 2.0 (C706 14). Every number is aligned to its size, counted from the stub's
/// start; pointees come where the structure or parameter that points to them ends.
///
/// Counts are checked against what is left before anything is sized by them, so that a short stub
/// cannot ask for much memory or time.
package struct NDRReader: ~Escapable {
    package var wire: WireReader
    /// The stub's start.
    @usableFromInline let base: Int

    /// Reads from where `wire` is, up to its end.
    @inlinable
    @_lifetime(copy wire)
    package init(_ wire: WireReader) {
        self.wire = wire
        base = wire.offset
    }

    // MARK: Numbers

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func align(_ alignment: Int, _ field: StaticString) throws(WireError) {
        let over = (wire.offset - base) & (alignment - 1)
        if over != 0 { _ = try wire.take(alignment - over, field) }
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func uint8(_ field: StaticString) throws(WireError) -> UInt8 {
        try wire.uint8(field)
    }

    /// A short; also an enumeration, which NDR 2.0 transmits in 16 bits.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint16(_ field: StaticString) throws(WireError) -> UInt16 {
        try align(2, field)
        return try wire.uint16(field)
    }

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint32(_ field: StaticString) throws(WireError) -> UInt32 {
        try align(4, field)
        return try wire.uint32(field)
    }

    /// A hyper. A pair of longs, such as OLD_LARGE_INTEGER, is `longPair`.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func uint64(_ field: StaticString) throws(WireError) -> UInt64 {
        try align(8, field)
        return try wire.uint64(field)
    }

    /// Two longs that make one number, low one first, aligned as longs are.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func longPair(_ field: StaticString) throws(WireError) -> UInt64 {
        try align(4, field)
        let low = try wire.uint32(field)
        return UInt64(try wire.uint32(field)) << 32 | UInt64(low)
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func fixed<let count: Int>(
        _ field: StaticString
    ) throws(WireError) -> FixedBytes<count> {
        try wire.fixed(field)
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func status(_ field: StaticString) throws(WireError) -> NTStatus {
        NTStatus(try uint32(field))
    }

    // MARK: Pointers and arrays

    /// A unique or full pointer's referent identifier: whether its pointee follows, now for a
    /// parameter, deferred for a member. A reference pointer has none.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func pointer(_ field: StaticString) throws(WireError) -> Bool {
        try uint32(field) != 0
    }

    /// A conformant array's size, for elements of at least `elementSize` bytes each: refused
    /// where that many cannot be left, or over `limit`.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func conformance(
        elementSize: Int, limit: Int, _ field: StaticString
    ) throws(WireError) -> Int {
        let count = Int(clamping: try uint32(field))
        if count > limit {
            throw WireError(
                .limit, layer: wire.layer, field: field, offset: wire.offset - 4,
                needed: count, available: limit)
        }
        if count > wire.remaining / elementSize {
            throw WireError(
                .truncated, layer: wire.layer, field: field, offset: wire.offset,
                needed: count &* elementSize, available: wire.remaining)
        }
        return count
    }

    /// A conformant and varying array's three counts: its room, its offset (always zero here) and
    /// how many elements are there, which it returns.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func varyingConformance(
        elementSize: Int, _ field: StaticString
    ) throws(WireError) -> (maximum: Int, actual: Int) {
        let maximum = Int(clamping: try uint32(field))
        let offset = Int(clamping: try uint32(field))
        if offset != 0 { throw wire.invalid(field, offset, width: 4) }
        let actual = Int(clamping: try uint32(field))
        if actual > maximum { throw wire.invalid(field, actual, width: 4) }
        if actual > wire.remaining / elementSize {
            throw WireError(
                .truncated, layer: wire.layer, field: field, offset: wire.offset,
                needed: actual &* elementSize, available: wire.remaining)
        }
        return (maximum, actual)
    }

    // MARK: Ends

    /// Nothing may follow a response.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func expectEnd(_ field: StaticString) throws(WireError) {
        try wire.expectEnd(field)
    }

    /// The most bytes that a client leaves behind a request: some pad the stub, and some send room
    /// for the result too. They mean nothing, and other servers do not look at them either.
    package static let longestLeftover = 7

    /// A request may be followed by a verification trailer, which clients of today append.
    @discardableResult
    @_lifetime(self: copy self)
    package mutating func expectEndOfRequest(
        _ field: StaticString
    ) throws(WireError) -> VerificationTrailer? {
        if wire.isAtEnd { return nil }
        let end = wire.offset
        let over = (end - base) & 3
        if wire.remaining >= 8 + (over == 0 ? 0 : 4 - over) {
            try align(4, field)
            var ahead = wire
            if try ahead.uint64LE(field) == VerificationTrailer.signature {
                let trailer = try VerificationTrailer(parsing: &wire)
                try wire.expectEnd(field)
                return trailer
            }
        }
        wire.offset = end
        if wire.remaining > Self.longestLeftover { try wire.expectEnd(field) }
        _ = wire.takeRest()
        return nil
    }
}

// MARK: Strings, SIDs and handles

extension NDRReader {
    /// The longest string that this program takes, in UTF-16 units.
    package static let maximumString = 32_768

    /// A [string] of wide characters: conformant, varying and null-terminated. The range is of
    /// the characters before the null.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func wideString(_ field: StaticString) throws(WireError) -> Range<Int> {
        let (_, count) = try varyingConformance(elementSize: 2, field)
        if count > Self.maximumString {
            throw WireError(
                .limit, layer: wire.layer, field: field, offset: wire.offset,
                needed: count, available: Self.maximumString)
        }
        if count == 0 { throw wire.invalid(field, 0, width: 4) }
        let text = try wire.take(count * 2 - 2, field)
        let null = try wire.uint16(field)
        if null != 0 { throw wire.invalid(field, Int(null), width: 2) }
        return text
    }

    /// A unique pointer parameter to a wide string.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func optionalWideString(
        _ field: StaticString
    ) throws(WireError) -> Range<Int>? {
        try pointer(field) ? try wideString(field) : nil
    }

    /// The same, copied: for the names that whoever serves a call keeps.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func wideText(_ field: StaticString) throws(WireError) -> String {
        let range = try wideString(field)
        return wire.utf16(range)
    }

    @inline(never)
    @_lifetime(self: copy self)
    package mutating func optionalWideText(_ field: StaticString) throws(WireError) -> String? {
        try pointer(field) ? try wideText(field) : nil
    }

    /// The deferred buffer of an RPC_UNICODE_STRING, copied.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func text(
        of string: CountedString, _ field: StaticString
    ) throws(WireError) -> String? {
        guard let range = try buffer(of: string, field) else { return nil }
        return wire.utf16(range)
    }

    /// The deferred buffer of a STRING, copied.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func bytes(
        of string: CountedString, _ field: StaticString
    ) throws(WireError) -> [UInt8]? {
        guard let range = try byteBuffer(of: string, field) else { return nil }
        return wire.copy(range)
    }

    /// An RPC_UNICODE_STRING or STRING as it stands in its structure (MS-DTYP 2.3.10).
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func countedString(
        _ field: StaticString
    ) throws(WireError) -> CountedString {
        try align(4, field)
        let length = try wire.uint16(field)
        let maximum = try wire.uint16(field)
        if length > maximum { throw wire.invalid(field, Int(length), width: 4) }
        let hasBuffer = try wire.uint32(field) != 0
        if length > 0, !hasBuffer { throw wire.invalid(field, Int(length), width: 8) }
        return CountedString(length: Int(length), maximumLength: Int(maximum), hasBuffer: hasBuffer)
    }

    /// The deferred buffer of an RPC_UNICODE_STRING, as the range of its text; nil where the
    /// pointer is null.
    @inline(never)
    @_lifetime(self: copy self)
    package mutating func buffer(
        of string: CountedString, _ field: StaticString
    ) throws(WireError) -> Range<Int>? {
        try buffer(of: string, unit: 2, field)
    }

    /// The same of a STRING, which counts and carries bytes.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func byteBuffer(
        of string: CountedString, _ field: StaticString
    ) throws(WireError) -> Range<Int>? {
        try buffer(of: string, unit: 1, field)
    }

    @inlinable
    @_lifetime(self: copy self)
    mutating func buffer(
        of string: CountedString, unit: Int, _ field: StaticString
    ) throws(WireError) -> Range<Int>? {
        guard string.hasBuffer else { return nil }
        let (maximum, actual) = try varyingConformance(elementSize: unit, field)
        if actual * unit != string.length {
            throw wire.invalid(field, actual, width: 4)
        }
        if maximum != string.maximumLength / unit {
            throw wire.invalid(field, maximum, width: 12)
        }
        return try wire.take(actual * unit, field)
    }

    /// A pointee RPC_SID (MS-DTYP 2.4.2.3): its conformance, then the packed form.
    @_lifetime(self: copy self)
    package mutating func sid(_ field: StaticString) throws(WireError) -> SID {
        let count = try conformance(
            elementSize: 4, limit: SID.maximumSubAuthorities, field)
        let sid = try SID(parsing: &wire)
        if sid.count != count { throw wire.invalid(field, count, width: sid.byteCount + 4) }
        return sid
    }

    @_lifetime(self: copy self)
    package mutating func contextHandle(_ field: StaticString) throws(WireError) -> ContextHandle {
        try align(4, field)
        let attributes = try wire.uint32(field)
        let uuid = try GUID(parsing: &wire)
        return ContextHandle(attributes: attributes, uuid: uuid)
    }
}

/// The lengths of a counted string, in bytes, while its buffer is yet to come.
package struct CountedString: Equatable, Sendable {
    package var length: Int
    package var maximumLength: Int
    package var hasBuffer: Bool

    @inlinable
    package init(length: Int, maximumLength: Int, hasBuffer: Bool) {
        self.length = length
        self.maximumLength = maximumLength
        self.hasBuffer = hasBuffer
    }
}

/// A server's name for state that it keeps for a client (C706 14.2.16.6, ndr_context_handle):
/// attributes(4) and a UUID(16), which only the server understands.
package struct ContextHandle: Hashable, Sendable {
    package var attributes: UInt32
    package var uuid: GUID

    package init(attributes: UInt32 = 0, uuid: GUID) {
        self.attributes = attributes
        self.uuid = uuid
    }

    /// No state: where an enumeration begins and ends.
    package static let null = ContextHandle(uuid: .zero)
}
