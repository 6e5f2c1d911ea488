import Wire

/// The tags of ASN.1 that SPNEGO uses (X.690 8.1.2).
enum DERTag {
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let enumerated: UInt8 = 0x0a
    static let generalString: UInt8 = 0x1b
    static let sequence: UInt8 = 0x30
    /// The tag of a GSS-API token (RFC 2743 3.1).
    static let application0: UInt8 = 0x60

    /// The tag of the explicitly tagged element `number`.
    static func context(_ number: UInt8) -> UInt8 { 0xa0 | number }
}

extension WireReader {
    /// The tag of the next element, which is left, or nil at the end.
    var derTag: UInt8? { isAtEnd ? nil : span[offset] }

    /// The content of the next element, whose tag must be `tag`. Lengths may be longer than they
    /// need to be, as some peers write them, but must be given.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func der(_ tag: UInt8, _ field: StaticString) throws(WireError) -> Range<Int> {
        let found = try uint8(field)
        guard found == tag else { throw invalid(field, Int(found), width: 1) }
        let first = try uint8(field)
        if first < 0x80 { return try take(Int(first), field) }
        // Two bytes of length suffice for any token, three are 16 MB; 0x80 is no length at all.
        guard (0x81...0x83).contains(first) else { throw invalid(field, Int(first), width: 1) }
        var length = 0
        for _ in 0..<(first & 0x7f) { length = length << 8 | Int(try uint8(field)) }
        return try take(length, field)
    }

    /// The content of the next element if its tag is `tag`, which is read then.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func optionalDER(
        _ tag: UInt8, _ field: StaticString
    ) throws(WireError) -> Range<Int>? {
        derTag == tag ? try der(tag, field) : nil
    }

    /// The content of an element of `tag` which is all that an explicit tag holds.
    func onlyDER(
        _ range: Range<Int>, _ tag: UInt8, _ field: StaticString
    ) throws(WireError) -> Range<Int> {
        var inner = part(range)
        let content = try inner.der(tag, field)
        try inner.expectEnd(field)
        return content
    }
}

/// Elements are built from the inside out, because an element starts with its length. A token is
/// a few hundred bytes, so that the copies do not matter.
enum DER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [tag]
        let count = content.count
        precondition(count < 1 << 24, "an element longer than 16 MB")
        if count >= 0x80 {
            let width = count < 1 << 8 ? 1 : count < 1 << 16 ? 2 : 3
            out.append(0x80 | UInt8(width))
            for byte in (0..<width).reversed() {
                out.append(UInt8(truncatingIfNeeded: count >> (8 * byte)))
            }
        } else {
            out.append(UInt8(count))
        }
        return out + content
    }

    /// An element of `tag` under the explicit tag `number`.
    static func explicit(_ number: UInt8, _ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        element(DERTag.context(number), element(tag, content))
    }
}
