import Wire

/// The identifier octet of a BER element. LDAP needs only tag numbers below 31, so one octet.
struct BERTag: RawRepresentable, Equatable, Sendable {
    var rawValue: UInt8

    static let boolean = BERTag(rawValue: 0x01)
    static let integer = BERTag(rawValue: 0x02)
    static let octetString = BERTag(rawValue: 0x04)
    static let enumerated = BERTag(rawValue: 0x0a)
    static let sequence = BERTag(rawValue: 0x30)
    static let set = BERTag(rawValue: 0x31)

    /// `[APPLICATION number]`, constructed.
    static func application(_ number: UInt8) -> BERTag { BERTag(rawValue: 0x60 | number) }

    /// `[number]` of the surrounding choice, constructed.
    static func context(_ number: UInt8) -> BERTag { BERTag(rawValue: 0xa0 | number) }
}

/// BER as LDAP restricts it (RFC 4511 5.1): definite lengths only, one octet of tag.
///
/// Nothing here recurses: a caller opens an element with `part(_:)` and the depth is that of
/// its code. Lengths may have more octets than they need, because Windows always writes four.
extension WireReader {
    /// Most octets that a long-form length may have.
    static var maximumLengthOctets: Int { 4 }

    /// The content of the next element, which must have `tag`.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func berElement(_ tag: BERTag, _ field: StaticString) throws(WireError) -> Range<Int> {
        let found = try uint8(field)
        if found != tag.rawValue { throw invalid(field, Int(found), width: 1) }
        return try take(berLength(field), field)
    }

    /// The tag of the next element, which stays unread.
    @_lifetime(self: copy self)
    mutating func berPeek(_ field: StaticString) throws(WireError) -> BERTag {
        try need(1, field)
        return BERTag(rawValue: span[offset])
    }

    @_lifetime(self: copy self)
    mutating func berLength(_ field: StaticString) throws(WireError) -> Int {
        let first = try uint8(field)
        if first < 0x80 { return Int(first) }
        let octets = Int(first & 0x7f)
        // Zero octets is the indefinite form, which LDAP forbids.
        if octets == 0 { throw invalid(field, Int(first), width: 1) }
        if octets > Self.maximumLengthOctets {
            throw WireError(
                .limit, layer: layer, field: field, offset: offset - 1,
                needed: octets, available: Self.maximumLengthOctets)
        }
        var length = 0
        for _ in 0..<octets { length = length << 8 | Int(try uint8(field)) }
        return length
    }

    /// An INTEGER or ENUMERATED of at most 32 bits that is not negative, as all of LDAP's are.
    @_lifetime(self: copy self)
    mutating func berNumber(_ tag: BERTag, _ field: StaticString) throws(WireError) -> Int32 {
        let content = try berElement(tag, field)
        if content.isEmpty { throw invalid(field, 0) }
        if content.count > 4 {
            throw WireError(
                .limit, layer: layer, field: field, offset: content.lowerBound,
                needed: content.count, available: 4)
        }
        var value: UInt32 = 0
        for index in content { value = value << 8 | UInt32(span[index]) }
        if span[content.lowerBound] >= 0x80 {
            throw invalid(field, Int(truncatingIfNeeded: value), width: content.count)
        }
        return Int32(value)
    }

    @_lifetime(self: copy self)
    mutating func berBoolean(_ field: StaticString) throws(WireError) -> Bool {
        let content = try berElement(.boolean, field)
        if content.count != 1 { throw invalid(field, content.count, width: content.count) }
        return span[content.lowerBound] != 0
    }

    /// An OCTET STRING that holds text of at most `limit` octets.
    @_lifetime(self: copy self)
    mutating func berText(_ field: StaticString, limit: Int) throws(WireError) -> String {
        String(decoding: try berOctets(field, limit: limit), as: UTF8.self)
    }

    /// An OCTET STRING of at most `limit` octets, copied.
    @_lifetime(self: copy self)
    mutating func berOctets(_ field: StaticString, limit: Int) throws(WireError) -> [UInt8] {
        let content = try berElement(.octetString, field)
        if content.count > limit {
            throw WireError(
                .limit, layer: layer, field: field, offset: content.lowerBound,
                needed: content.count, available: limit)
        }
        return copy(content)
    }
}

extension WireWriter {
    /// An element whose content `body` writes. The length comes before the content in its
    /// shortest form, so the content is written apart and then appended.
    mutating func ber(_ tag: BERTag, _ body: (inout WireWriter) -> Void) {
        var content = WireWriter(capacity: 128)
        body(&content)
        ber(tag, content.finish())
    }

    mutating func ber(_ tag: BERTag, _ content: [UInt8]) {
        uint8(tag.rawValue)
        let length = content.count
        if length < 0x80 {
            uint8(UInt8(length))
        } else if length < 0x100 {
            uint8(0x81)
            uint8(UInt8(length))
        } else if length < 0x1_0000 {
            uint8(0x82)
            uint16BE(UInt16(length))
        } else {
            uint8(0x84)
            uint32BE(UInt32(length))
        }
        append(content)
    }

    mutating func berNumber(_ tag: BERTag, _ value: Int32) {
        precondition(value >= 0)
        var octets: [UInt8] = []
        var rest = value
        repeat {
            octets.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        } while rest != 0
        // A leading one bit would read as a sign.
        if octets[0] >= 0x80 { octets.insert(0, at: 0) }
        ber(tag, octets)
    }

    mutating func berText(_ text: String) { ber(.octetString, Array(text.utf8)) }
}
