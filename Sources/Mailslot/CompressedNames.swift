import Wire

/// The DNS-style names in the extended logon responses, MS-ADTS 6.3.7 and RFC 1035 4.1.4: labels,
/// and pointers that count from the message's start.
package enum CompressedName {
    /// RFC 1035 2.3.4: with the lengths of its labels.
    package static let longestName = 255
    package static let longestLabel = 63
    /// Pointers lead backwards only, and a message has few names to point to.
    package static let mostPointers = 16

    /// Reads a name in the message that begins at `start`; labels are joined with dots, and the
    /// empty name is the empty text.
    static func parse(
        _ reader: inout WireReader, messageAt start: Int, _ field: StaticString
    ) throws(WireError) -> String {
        var text: [UInt8] = []
        var pointers = 0
        var after: Int?
        while true {
            let place = reader.offset
            let length = Int(try reader.uint8(field))
            if length == 0 { break }
            if length & 0xc0 == 0xc0 {
                let target = start + (length & 0x3f) << 8 + Int(try reader.uint8(field))
                pointers += 1
                if target >= place || pointers > mostPointers {
                    throw reader.invalid(field, target - start, width: 2)
                }
                after = after ?? reader.offset
                try reader.seek(target, field)
                continue
            }
            if length > longestLabel { throw reader.invalid(field, length, width: 1) }
            if text.count + length + 1 > longestName {
                throw WireError(
                    .limit, layer: reader.layer, field: field, offset: place,
                    needed: text.count + length + 1, available: longestName)
            }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            let range = try reader.take(length, field)
            for index in range { text.append(reader.span[index]) }
        }
        if let after { try reader.seek(after, field) }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Writes names so that each ending that is in the message already becomes a pointer to it.
struct NameCompressor {
    /// Endings that can be pointed to: three DNS names and a site have no more.
    static let mostEndings = 32
    private static let pointerLimit = 0x4000

    /// Where the message begins in the writer.
    let start: Int
    /// Where labels begin, in the writer.
    private var places: InlineArray<32, Int>
    private var count = 0

    init(messageAt start: Int) {
        self.start = start
        places = InlineArray(repeating: 0)
    }

    /// Writes `name`'s labels. Those that are too long for a label are cut, which only a user's
    /// name can need.
    mutating func write(_ name: String, into writer: inout WireWriter) {
        let text = Array(name.utf8)
        var label = 0
        while label < text.count {
            if let place = find(text, from: label, in: writer) {
                writer.uint16BE(0xc000 | UInt16(place - start))
                return
            }
            if count < Self.mostEndings && writer.count - start < Self.pointerLimit {
                places[count] = writer.count
                count += 1
            }
            var end = label
            while end < text.count && text[end] != UInt8(ascii: ".") { end += 1 }
            let length = min(end - label, CompressedName.longestLabel)
            if length > 0 {
                writer.uint8(UInt8(length))
                for index in label..<(label + length) { writer.uint8(text[index]) }
            }
            label = end + 1
        }
        writer.uint8(0)
    }

    /// Where the same ending is in the message.
    private func find(_ text: [UInt8], from label: Int, in writer: borrowing WireWriter) -> Int? {
        let bytes = writer.bytes
        for index in 0..<count where equals(text, label, bytes, places[index]) {
            return places[index]
        }
        return nil
    }

    private func equals(
        _ text: [UInt8], _ label: Int, _ bytes: [UInt8], _ place: Int
    ) -> Bool {
        var label = label
        var place = place
        while place < bytes.count {
            let length = Int(bytes[place])
            if length & 0xc0 == 0xc0 {
                // What this program wrote: the pointer's second byte is there, and it leads back.
                place = start + (length & 0x3f) << 8 + Int(bytes[place + 1])
                continue
            }
            if length == 0 { return label >= text.count }
            if label + length > text.count { return false }
            for index in 0..<length where bytes[place + 1 + index] != text[label + index] {
                return false
            }
            label += length
            if label < text.count && text[label] != UInt8(ascii: ".") { return false }
            label += 1
            place += length + 1
        }
        return false
    }
}
