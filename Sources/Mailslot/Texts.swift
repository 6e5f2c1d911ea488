import Wire

/// A null-terminated text of one byte a character, in the sender's code page, as LAN Manager's
/// messages carry it. Kept as its bytes: an answer repeats them, and nobody needs to guess the
/// code page.
package struct OEMText: Hashable, Sendable, CustomStringConvertible {
    /// Without the terminator.
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// Characters beyond ASCII become `?`.
    package init(_ text: String) {
        bytes = text.unicodeScalars.map { $0.isASCII ? UInt8($0.value) : UInt8(ascii: "?") }
    }

    package init(parsing reader: inout WireReader, _ field: StaticString) throws(WireError) {
        let range = try reader.take(through: 0, field)
        if range.count > longestText {
            throw WireError(
                .limit, layer: reader.layer, field: field, offset: range.lowerBound,
                needed: range.count, available: longestText)
        }
        bytes = reader.copy(range)
    }

    package func write(into writer: inout WireWriter) {
        writer.append(bytes)
        writer.uint8(0)
    }

    /// A byte beyond ASCII becomes U+FFFD.
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// A null-terminated UTF-16LE text, kept as its bytes: an answer repeats the user's name as it
/// came, without being decoded.
package struct UnicodeText: Hashable, Sendable, CustomStringConvertible {
    /// An even number, without the terminator.
    package var bytes: [UInt8]

    package init(_ text: String) {
        bytes = []
        for unit in text.utf16 {
            bytes.append(UInt8(truncatingIfNeeded: unit))
            bytes.append(UInt8(truncatingIfNeeded: unit >> 8))
        }
    }

    package init(parsing reader: inout WireReader, _ field: StaticString) throws(WireError) {
        let start = reader.offset
        while try reader.uint16LE(field) != 0 {
            if reader.offset - start > longestText {
                throw WireError(
                    .limit, layer: reader.layer, field: field, offset: start,
                    needed: reader.offset - start, available: longestText)
            }
        }
        bytes = reader.copy(start..<(reader.offset - 2))
    }

    package func write(into writer: inout WireWriter) {
        writer.append(bytes)
        writer.uint16LE(0)
    }

    /// An unpaired surrogate becomes U+FFFD.
    package var description: String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var index = 0
        while index + 1 < bytes.count {
            units.append(UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }
}

/// Bytes of one text: an account's name has at most 256 characters.
package let longestText = 512
