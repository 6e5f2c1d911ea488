import Wire

/// A name as packets carry it, RFC 1001 14.1 and RFC 1002 4.1: first-level encoding turns each
/// nibble into a letter `A` to `P`, second-level encoding writes that as a label of 32, then the
/// scope's labels, then a zero. In the name service a pointer may stand for the rest of a name.
///
/// ```
/// 0x20 | 32 letters | length, label … | 0x00        or        0xC0 + offset (14 bits)
/// ```
package struct ScopedName: Hashable, Sendable, CustomStringConvertible {
    /// The whole encoded name, terminator included. RFC 1002 4.1 has 255 for it; nodes count the
    /// name's 16 bytes instead of its 33 and no terminator, so that a scope has 238 characters.
    package static let longestEncoding = 255 + 17 + 1
    /// Pointers must lead backwards, so that a chain ends; this many steps are enough for any
    /// honest packet.
    package static let mostPointers = 4

    package var name: NetBIOSName
    /// The scope's labels, each after its length; empty almost everywhere.
    package var scope: [UInt8]

    @inlinable
    package init(_ name: NetBIOSName, scope: [UInt8] = []) {
        self.name = name
        self.scope = scope
    }

    /// Reads a name without pointers (datagram and session services).
    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        name = try Self.parseName(&reader)
        scope = []
        var length = Int(try reader.uint8("scope"))
        while length != 0 {
            try Self.parseLabel(&reader, length, into: &scope)
            length = Int(try reader.uint8("scope"))
        }
    }

    /// Reads a name in a name-service packet that begins at `start`, from where pointers count.
    package init(parsing reader: inout WireReader, packetAt start: Int) throws(WireError) {
        var pointers = 0
        var after: Int?
        while true {
            let place = reader.offset
            guard let target = try Self.parsePointer(&reader) else { break }
            pointers += 1
            if pointers > Self.mostPointers || start + target >= place {
                throw reader.invalid("pointer", target, width: 2)
            }
            after = after ?? reader.offset
            try reader.seek(start + target, "pointer")
        }
        name = try Self.parseName(&reader)
        scope = []
        while true {
            let place = reader.offset
            if let target = try Self.parsePointer(&reader) {
                pointers += 1
                if pointers > Self.mostPointers || start + target >= place {
                    throw reader.invalid("pointer", target, width: 2)
                }
                after = after ?? reader.offset
                try reader.seek(start + target, "pointer")
                continue
            }
            let length = Int(try reader.uint8("scope"))
            if length == 0 { break }
            try Self.parseLabel(&reader, length, into: &scope)
        }
        if let after { try reader.seek(after, "pointer") }
    }

    @inlinable
    package func write(into writer: inout WireWriter) {
        writer.uint8(32)
        var half = name.high
        for _ in 0..<2 {
            for step in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - step * 4)) & 15
                writer.uint8(UInt8(ascii: "A") + nibble)
            }
            half = name.low
        }
        if !scope.isEmpty { writer.append(scope) }
        writer.uint8(0)
    }

    /// How many bytes `write` writes.
    @inlinable package var byteCount: Int { 34 + scope.count }

    /// The labels of a scope such as `DEPT.EXAMPLE`; nil where one is empty or too long.
    package static func scopeLabels(_ text: String) -> [UInt8]? {
        var labels: [UInt8] = []
        if text.isEmpty { return labels }
        var label: [UInt8] = []
        for character in Array(text.utf8) + [UInt8(ascii: ".")] {
            if character != UInt8(ascii: ".") {
                label.append(character)
                continue
            }
            if label.isEmpty || label.count > 63 { return nil }
            labels.append(UInt8(label.count))
            labels += label
            label = []
        }
        return labels.count + 34 > longestEncoding ? nil : labels
    }

    package var description: String {
        var text = name.description
        var index = 0
        while index < scope.count {
            let label = scope[(index + 1)..<(index + 1 + Int(scope[index]))]
            text += "." + String(decoding: label, as: UTF8.self)
            index += label.count + 1
        }
        return text
    }

    @inlinable
    static func parseName(_ reader: inout WireReader) throws(WireError) -> NetBIOSName {
        let length = try reader.uint8("name")
        if length != 32 { throw reader.invalid("name", Int(length), width: 1) }
        try reader.need(32, "name")
        let high = try parseHalf(&reader)
        return NetBIOSName(high: high, low: try parseHalf(&reader))
    }

    @inlinable
    static func parseHalf(_ reader: inout WireReader) throws(WireError) -> UInt64 {
        var half: UInt64 = 0
        for _ in 0..<16 {
            let letter = try reader.uint8("name")
            if letter < UInt8(ascii: "A") || letter > UInt8(ascii: "P") {
                throw reader.invalid("name", Int(letter), width: 1)
            }
            half = half << 4 | UInt64(letter - UInt8(ascii: "A"))
        }
        return half
    }

    @usableFromInline
    static func parseLabel(
        _ reader: inout WireReader, _ length: Int, into scope: inout [UInt8]
    ) throws(WireError) {
        if length > 63 { throw reader.invalid("scope", length, width: 1) }
        if scope.count + length + 35 > longestEncoding {
            throw WireError(
                .limit, layer: reader.layer, field: "scope", offset: reader.offset,
                needed: scope.count + length + 35, available: longestEncoding)
        }
        let label = try reader.take(length, "scope")
        scope.append(UInt8(length))
        scope += reader.copy(label)
    }

    /// The pointer's offset, or nil, having read nothing, where no pointer is next.
    static func parsePointer(_ reader: inout WireReader) throws(WireError) -> Int? {
        let place = reader.offset
        let first = try reader.uint8("name")
        if first & 0xc0 != 0xc0 {
            try reader.seek(place, "name")
            return nil
        }
        return Int(first & 0x3f) << 8 | Int(try reader.uint8("pointer"))
    }
}
