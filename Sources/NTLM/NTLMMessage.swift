import Wire

// What the three messages of MS-NLMP 2.2.1 share: the signature and type at the start, and fields
// that say where in the message's payload a value lies. The payload has no order of its own, and
// what lies between its values is not looked at.

/// The type of an NTLM message (MS-NLMP 2.2.1), which follows the signature.
package struct NTLMMessageType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let negotiate = NTLMMessageType(rawValue: 1)
    package static let challenge = NTLMMessageType(rawValue: 2)
    package static let authenticate = NTLMMessageType(rawValue: 3)

    /// The eight bytes at the start of every message.
    package static let signature: [UInt8] = Array("NTLMSSP\0".utf8)

    /// Reads the signature and type.
    package init(parsing reader: inout WireReader) throws(WireError) {
        let signature: Bytes8 = try reader.fixed("Signature")
        if signature != Bytes8(Self.signature) {
            throw reader.invalid("Signature", Int(signature[0]), width: 8)
        }
        self.init(rawValue: try reader.uint32LE("MessageType"))
    }

    /// Writes the signature and type.
    package func write(into writer: inout WireWriter) {
        writer.append(Self.signature)
        writer.uint32LE(rawValue)
    }

    static func expect(
        _ type: NTLMMessageType, _ reader: inout WireReader
    ) throws(WireError) {
        let found = try NTLMMessageType(parsing: &reader)
        if found != type {
            throw reader.invalid(
                "MessageType", Int(truncatingIfNeeded: found.rawValue), width: 4)
        }
    }
}

/// The longest name that a message may hold, in bytes: 256 characters of a user's name (MS-NLMP
/// 2.2.1.3 gives no limit) with room for a principal name.
let nameLimit = 1024

/// Reads the fields of one message. Offsets count from the start of the message, which need not
/// be the start of the span.
struct PayloadFields {
    /// The bytes of one field: Len, MaxLen and BufferOffset.
    static let size = 8

    let base: Int
    /// Where the first value of the payload lies, as far as the fields read say: the end of the
    /// header, whose last parts are there or not according to the sender's age.
    private(set) var start: Int

    init(_ reader: borrowing WireReader) {
        base = reader.offset
        start = reader.end
    }

    /// Reads Len, MaxLen and BufferOffset; `header` is how long the message's header is at least.
    /// MaxLen says nothing to a receiver.
    mutating func field(
        _ reader: inout WireReader, _ name: StaticString, header: Int
    ) throws(WireError) -> Range<Int> {
        let length = Int(try reader.uint16LE(name))
        _ = try reader.uint16LE(name)
        let offset = try reader.uint32LE(name)
        if length == 0 { return reader.end..<reader.end }
        guard let distance = Int(exactly: offset), distance >= header,
            distance <= reader.end - base, length <= reader.end - base - distance
        else {
            throw WireError(
                .truncated, layer: "NTLM", field: name, offset: reader.offset - 8,
                needed: length, available: reader.end - base)
        }
        start = min(start, base + distance)
        return (base + distance)..<(base + distance + length)
    }

    /// Whether the header reaches to `length` bytes: no value begins before.
    func reaches(_ length: Int) -> Bool { start - base >= length }
}

extension WireReader {
    /// A name of the payload, in UTF-16LE or the OEM code page.
    func name(
        _ range: Range<Int>, unicode: Bool, _ field: StaticString
    ) throws(WireError) -> String {
        if range.count > nameLimit {
            throw WireError(
                .limit, layer: layer, field: field, offset: range.lowerBound,
                needed: range.count, available: nameLimit)
        }
        if !unicode { return OEMCodePage.string(copy(range)) }
        if range.count % 2 != 0 {
            throw WireError(
                .invalid, layer: layer, field: field, offset: range.lowerBound,
                needed: range.count)
        }
        return utf16LE(range)
    }
}

extension WireWriter {
    /// Leaves room for a field of the payload and says where, for `fill`. Unless it is filled,
    /// it says that the value is empty.
    mutating func reserveField() -> Int {
        zeros(PayloadFields.size)
        return count - PayloadFields.size
    }

    /// Makes the field at `field` say that its value is what was written from `start` on.
    /// `base` is where the message starts.
    mutating func fill(_ field: Int, base: Int, from start: Int) {
        patch16LE(field, count - start)
        patch16LE(field + 2, count - start)
        patch32LE(field + 4, start - base)
    }

    mutating func name(_ text: String, unicode: Bool) {
        if unicode { utf16LE(text) } else { append(OEMCodePage.bytes(text)) }
    }
}
