import Testing
import TestSupport
import Wire

@Suite struct WireReaderTests {
    @Test func readsNumbersInBothOrders() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
        var reader = WireReader(bytes.span, layer: "test")
        let one = try reader.uint8("a")
        let two = try reader.uint16LE("b")
        let three = try reader.uint16BE("c")
        let four = try reader.uint32LE("d")
        let eight = try reader.uint64LE("e")
        #expect(one == 1 && two == 0x0302 && three == 0x0405)
        #expect(four == 0x0908_0706 && eight == 0x1110_0f0e_0d0c_0b0a)
        try reader.expectEnd("end")
    }

    @Test func namesLayerFieldAndOffsetOfATruncation() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = WireReader(bytes.span, layer: "NBNS")
        var caught: WireError?
        do {
            _ = try reader.uint16LE("flags")
            _ = try reader.uint32BE("ttl")
        } catch {
            caught = error
        }
        #expect(caught?.description == "NBNS ttl at offset 2: needs 4 bytes, 1 left")
    }

    @Test func refusesTrailingBytes() {
        let bytes: [UInt8] = [1, 2]
        var reader = WireReader(bytes.span, layer: "NBNS")
        var caught: WireError?
        do {
            _ = try reader.uint8("a")
            try reader.expectEnd("end")
        } catch {
            caught = error
        }
        #expect(caught?.reason == .trailing)
    }

    @Test func writesBackPatchedLengths() {
        var writer = WireWriter()
        let length = writer.reserve16()
        writer.utf16LE("ä€")
        writer.patch16LE(length, writer.count - 2)
        #expect(writer.finish() == [4, 0, 0xe4, 0, 0xac, 0x20])
    }

    @Test func hexRefusesOddAndForeignText() {
        #expect(Hex.bytes("0aF1") == [0x0a, 0xf1])
        #expect(Hex.bytes("0aF") == nil)
        #expect(Hex.bytes("0g") == nil)
    }
}
