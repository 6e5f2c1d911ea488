/// A security identifier, MS-DTYP 2.4.2: S-1-*authority*-*sub-authority*-…, kept without a heap
/// allocation because requests that are answered by the ten thousand a second carry one.
///
/// ```
/// Revision(1) SubAuthorityCount(1) IdentifierAuthority(6, big-endian) SubAuthority(4 each, LE)
/// ```
package struct SID: Hashable, Sendable, CustomStringConvertible {
    /// The most sub-authorities that MS-DTYP allows.
    package static let mostSubAuthorities = 15

    /// A number of 48 bits.
    package let identifierAuthority: UInt64
    package private(set) var count: Int
    private var storage: InlineArray<15, UInt32>

    /// `subAuthorities` are at most `mostSubAuthorities`; the authority has 48 bits.
    package init(identifierAuthority: UInt64, subAuthorities: [UInt32]) {
        precondition(subAuthorities.count <= Self.mostSubAuthorities)
        precondition(identifierAuthority >> 48 == 0)
        self.identifierAuthority = identifierAuthority
        count = subAuthorities.count
        storage = InlineArray(repeating: 0)
        for index in 0..<count { storage[index] = subAuthorities[index] }
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let revision = try reader.uint8("Revision")
        if revision != 1 { throw reader.invalid("Revision", Int(revision), width: 1) }
        let number = Int(try reader.uint8("SubAuthorityCount"))
        if number > Self.mostSubAuthorities {
            throw reader.invalid("SubAuthorityCount", number, width: 1)
        }
        let high = UInt64(try reader.uint16BE("IdentifierAuthority"))
        let low = UInt64(try reader.uint32BE("IdentifierAuthority"))
        identifierAuthority = high << 32 | low
        count = number
        storage = InlineArray(repeating: 0)
        for index in 0..<number { storage[index] = try reader.uint32LE("SubAuthority") }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint8(UInt8(count))
        writer.uint16BE(UInt16(truncatingIfNeeded: identifierAuthority >> 32))
        writer.uint32BE(UInt32(truncatingIfNeeded: identifierAuthority))
        for index in 0..<count { writer.uint32LE(storage[index]) }
    }

    /// On the wire.
    package var byteCount: Int { 8 + 4 * count }

    package var subAuthorities: [UInt32] {
        var all: [UInt32] = []
        for index in 0..<count { all.append(storage[index]) }
        return all
    }

    /// The last sub-authority, by which a domain numbers its accounts.
    package var relativeIdentifier: UInt32? { count == 0 ? nil : storage[count - 1] }

    /// The SID of the account that this domain numbers `relativeIdentifier`, or nil where the
    /// domain's SID has no room for it.
    package func appending(_ relativeIdentifier: UInt32) -> SID? {
        if count == Self.mostSubAuthorities { return nil }
        var longer = self
        longer.storage[count] = relativeIdentifier
        longer.count += 1
        return longer
    }

    /// The domain's SID, without the relative identifier.
    package var domain: SID? {
        if count == 0 { return nil }
        var shorter = self
        shorter.count -= 1
        shorter.storage[count - 1] = 0
        return shorter
    }

    /// `S-1-5-21-…`; nil for anything else. Numbers are decimal.
    package init?(_ text: String) {
        var parts: [UInt64] = []
        var value: UInt64 = 0
        var digits = 0
        var characters = Array(text.utf8)[...]
        guard let first = characters.popFirst(), first | 0x20 == UInt8(ascii: "s"),
            characters.popFirst() == UInt8(ascii: "-")
        else { return nil }
        characters.append(UInt8(ascii: "-"))
        for character in characters {
            switch character {
            case UInt8(ascii: "-"):
                if digits == 0 || parts.count > Self.mostSubAuthorities + 1 { return nil }
                parts.append(value)
                value = 0
                digits = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value * 10 + UInt64(character - UInt8(ascii: "0"))
                digits += 1
                if digits > 15 { return nil }
            case _:
                return nil
            }
        }
        if parts.count < 2 || parts[0] != 1 || parts[1] >> 48 != 0 { return nil }
        var subAuthorities: [UInt32] = []
        for part in parts[2...] {
            guard let subAuthority = UInt32(exactly: part) else { return nil }
            subAuthorities.append(subAuthority)
        }
        self.init(identifierAuthority: parts[1], subAuthorities: subAuthorities)
    }

    package var description: String {
        var text = "S-1-\(identifierAuthority)"
        for index in 0..<count { text += "-\(storage[index])" }
        return text
    }

    package static func == (left: SID, right: SID) -> Bool {
        if left.identifierAuthority != right.identifierAuthority { return false }
        if left.count != right.count { return false }
        for index in 0..<left.count where left.storage[index] != right.storage[index] {
            return false
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(identifierAuthority)
        for index in 0..<count { hasher.combine(storage[index]) }
    }
}
