/// A security identifier: who, in which domain (MS-DTYP 2.4.2).
///
/// Packed form (2.4.2.2), little-endian but for the authority:
/// ```
/// +----------+-----------------+------------------------+--------------------------------+
/// | Revision | SubAuthority-   | IdentifierAuthority[6] | SubAuthority[count], 32 bits   |
/// | (1)      | Count (0...15)  | most significant first | each                           |
/// +----------+-----------------+------------------------+--------------------------------+
/// ```
/// NDR puts the count once more before it, as the array's conformance.
package struct SID: Hashable, Sendable, CustomStringConvertible {
    package static let maximumSubAuthorities = 15

    /// 48 bits.
    package let identifierAuthority: UInt64
    package private(set) var count: Int
    private var storage: InlineArray<15, UInt32>

    /// `subAuthorities` holds at most 15.
    package init(identifierAuthority: UInt64, subAuthorities: [UInt32]) {
        precondition(identifierAuthority >> 48 == 0)
        precondition(subAuthorities.count <= Self.maximumSubAuthorities)
        self.identifierAuthority = identifierAuthority
        count = subAuthorities.count
        storage = InlineArray { $0 < subAuthorities.count ? subAuthorities[$0] : 0 }
    }

    package var subAuthorities: [UInt32] { (0..<count).map { storage[$0] } }

    /// The last sub-authority: in an account's SID its relative identifier.
    package var relativeIdentifier: UInt32? { count > 0 ? storage[count - 1] : nil }

    /// This SID with one more sub-authority, or nil where it has 15 already.
    package func appending(_ relativeIdentifier: UInt32) -> SID? {
        guard count < Self.maximumSubAuthorities else { return nil }
        var longer = self
        longer.storage[count] = relativeIdentifier
        longer.count += 1
        return longer
    }

    /// Without the last sub-authority: of an account's SID its domain's.
    package var domain: SID? {
        guard count > 0 else { return nil }
        var shorter = self
        shorter.count -= 1
        shorter.storage[shorter.count] = 0
        return shorter
    }

    /// The bytes of the packed form.
    package var byteCount: Int { 8 + 4 * count }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let revision = try reader.uint8("Revision")
        guard revision == 1 else { throw reader.invalid("Revision", Int(revision), width: 1) }
        count = Int(try reader.uint8("SubAuthorityCount"))
        guard count <= Self.maximumSubAuthorities else {
            throw WireError(
                .limit, layer: reader.layer, field: "SubAuthorityCount", offset: reader.offset - 1,
                needed: count, available: Self.maximumSubAuthorities)
        }
        let high = try reader.uint16BE("IdentifierAuthority")
        let low = try reader.uint32BE("IdentifierAuthority")
        identifierAuthority = UInt64(high) << 32 | UInt64(low)
        storage = InlineArray(repeating: 0)
        for index in 0..<count { storage[index] = try reader.uint32("SubAuthority") }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint8(UInt8(count))
        writer.uint16BE(UInt16(identifierAuthority >> 32))
        writer.uint32BE(UInt32(truncatingIfNeeded: identifierAuthority))
        for index in 0..<count { writer.uint32LE(storage[index]) }
    }

    package static func == (left: SID, right: SID) -> Bool {
        guard left.identifierAuthority == right.identifierAuthority, left.count == right.count
        else { return false }
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

// MARK: Text

extension SID {
    /// `S-1-5-21-1-2-3`; an authority of 2³² and more is in hexadecimal (MS-DTYP 2.4.2.1).
    package var description: String {
        var text = "S-1-"
        if identifierAuthority >> 32 == 0 {
            text += String(identifierAuthority)
        } else {
            let digits = String(identifierAuthority, radix: 16)
            text += "0x" + String(repeating: "0", count: 12 - digits.utf8.count) + digits
        }
        for index in 0..<count { text += "-" + String(storage[index]) }
        return text
    }

    /// The SID that `text` spells, or nil.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.count <= 3 + Self.maximumSubAuthorities,
            parts[0] == "S" || parts[0] == "s", parts[1] == "1"
        else { return nil }
        let hexadecimal = parts[2].hasPrefix("0x") || parts[2].hasPrefix("0X")
        let digits = hexadecimal ? parts[2].dropFirst(2) : parts[2]
        guard let authority = Self.number(digits, radix: hexadecimal ? 16 : 10),
            authority >> 48 == 0
        else { return nil }
        var subs: [UInt32] = []
        for part in parts.dropFirst(3) {
            guard let wide = Self.number(part, radix: 10), let sub = UInt32(exactly: wide)
            else { return nil }
            subs.append(sub)
        }
        self.init(identifierAuthority: authority, subAuthorities: subs)
    }

    /// Digits only: no sign, which `UInt64.init` would take.
    private static func number(_ digits: Substring, radix: Int) -> UInt64? {
        guard let first = digits.utf8.first, first != 43, first != 45 else { return nil }
        return UInt64(digits, radix: radix)
    }
}
