/// A globally unique identifier, MS-DTYP 2.3.4: on the wire three little-endian numbers and
/// eight bytes; as text `138daf55-918c-4170-9d46-d4d50490aa13`.
package struct GUID: Hashable, Sendable, CustomStringConvertible {
    package var data1: UInt32
    package var data2: UInt16
    package var data3: UInt16
    /// The eight bytes, the first one highest.
    package var data4: UInt64

    package init(data1: UInt32, data2: UInt16, data3: UInt16, data4: UInt64) {
        self.data1 = data1
        self.data2 = data2
        self.data3 = data3
        self.data4 = data4
    }

    package static let zero = GUID(data1: 0, data2: 0, data3: 0, data4: 0)

    package init(parsing reader: inout WireReader) throws(WireError) {
        data1 = try reader.uint32("Data1")
        data2 = try reader.uint16("Data2")
        data3 = try reader.uint16("Data3")
        data4 = try reader.uint64LE("Data4").byteSwapped
    }

    package func write(into writer: inout WireWriter) {
        writer.uint32LE(data1)
        writer.uint16LE(data2)
        writer.uint16LE(data3)
        writer.uint64LE(data4.byteSwapped)
    }

    /// The text form, with or without braces; nil for anything else.
    package init?(_ text: String) {
        var digits: [UInt8] = []
        var groups: [Int] = []
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "-"): groups.append(digits.count)
            case UInt8(ascii: "{"), UInt8(ascii: "}"): continue
            case _: digits.append(character)
            }
        }
        guard groups == [8, 12, 16, 20], digits.count == 32,
            let bytes = Hex.bytes(String(decoding: digits, as: UTF8.self))
        else { return nil }
        func number(_ range: Range<Int>) -> UInt64 {
            var value: UInt64 = 0
            for index in range { value = value << 8 | UInt64(bytes[index]) }
            return value
        }
        data1 = UInt32(number(0..<4))
        data2 = UInt16(number(4..<6))
        data3 = UInt16(number(6..<8))
        data4 = number(8..<16)
    }

    package var description: String {
        let head = Hex.string(data1)
        let middle = Hex.string(UInt32(data2) << 16 | UInt32(data3))
        let high = Hex.string(UInt32(truncatingIfNeeded: data4 >> 32))
        let low = Hex.string(UInt32(truncatingIfNeeded: data4))
        func part(_ text: String, _ range: Range<Int>) -> String {
            String(decoding: Array(text.utf8)[range], as: UTF8.self)
        }
        return head + "-" + part(middle, 0..<4) + "-" + part(middle, 4..<8) + "-"
            + part(high, 0..<4) + "-" + part(high, 4..<8) + low
    }
}
