import Testing
import Wire

@testable import RPC

@Suite struct NDRTests {
    /// Reads `hex` with `read`.
    private func read<T>(
        _ hex: String, _ read: (inout NDRReader) throws -> T
    ) throws -> T {
        let bytes = Hex.bytes(hex)!
        var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
        let value = try read(&stub)
        try stub.expectEnd("end")
        return value
    }

    private func written(_ write: (inout NDRWriter) -> Void) -> String {
        var stub = NDRWriter()
        write(&stub)
        return Hex.string(stub.wire.finish())
    }

    @Test func numbersAreReadInTheirSendersOrder() throws {
        let bytes = Hex.bytes(
            "010200000102030401020304050607080000000200000001"
                + "000400060000000100000003000000000000000200610062"
                + "00000001010100000000000500000020")!
        var wire = WireReader(bytes.span, layer: "NDR")
        wire.byteOrder = .bigEndian
        var stub = NDRReader(wire)
        #expect(try stub.uint16("a") == 0x0102)
        #expect(try stub.uint32("b") == 0x0102_0304)
        #expect(try stub.uint64("c") == 0x0102_0304_0506_0708)
        #expect(try stub.longPair("d") == 0x0000_0001_0000_0002)
        let string = try stub.countedString("e")
        #expect(try stub.text(of: string, "e") == "ab")
        #expect(try stub.sid("f").description == "S-1-5-32")
        try stub.expectEnd("end")
    }

    @Test func alignsFromTheStubsStart() throws {
        let bytes: [UInt8] = [9, 9, 9, 1, 0, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
        var stub = NDRReader(WireReader(bytes.span, layer: "NDR").part(3..<19))
        let values = (
            try stub.uint8("a"), try stub.uint16("b"), try stub.uint32("c"), try stub.uint64("d")
        )
        #expect(values == (1, 2, 3, 4))
        var writer = WireWriter()
        writer.append([9, 9, 9])
        var out = NDRWriter(taking: &writer)
        out.uint8(1)
        out.uint16(2)
        out.uint32(3)
        out.uint64(4)
        out.give(back: &writer)
        #expect(writer.finish() == bytes)
    }

    @Test func pointersCountUp() {
        let hex = written {
            $0.pointer(true)
            $0.pointer(false)
            $0.pointer(true)
        }
        #expect(hex == "000002000000000004000200")
    }

    @Test func wideStringHasItsNull() throws {
        let hex = "020000000000000002000000" + "41000000"
        #expect(written { $0.wideString("A") } == hex)
        #expect(try read(hex) { try $0.wideText("name") } == "A")
    }

    @Test(arguments: [
        "020000000000000003000000410042000000",  // more elements than room
        "020000000100000002000000" + "41000000",  // an offset
        "000000000000000000000000",  // no null
        "010000000000000001000000" + "4100",  // another last character
        "ffffffff00000000ffffffff" + "4100",  // more than is there
        "0200000000000000020000004100",  // truncated
    ])
    func refusesMalformedWideString(_ hex: String) {
        #expect(throws: WireError.self) { _ = try read(hex) { try $0.wideText("name") } }
    }

    @Test func countedStringsDeferTheirBuffers() throws {
        // Three strings, the second one null, and then two buffers.
        let hex =
            "0400040000000200" + "0000000000000000" + "020002000400020002000000" + "00000000"
            + "02000000" + "41004200" + "01000000" + "00000000" + "01000000" + "4300"
        let texts = try read(hex) { stub -> [String?] in
            let first = try stub.countedString("first")
            let second = try stub.countedString("second")
            let third = try stub.countedString("third")
            return [
                try stub.text(of: first, "first"), try stub.text(of: second, "second"),
                try stub.text(of: third, "third"),
            ]
        }
        #expect(texts == ["AB", nil, "C"])
        #expect(
            written { stub in
                for text in texts { stub.countedString(text) }
                for text in texts { stub.buffer(of: text) }
            } == hex)
    }

    @Test(arguments: [
        "0600040000000200",  // longer than its room
        "0400040000000000",  // a length and no buffer
        "0400040000000200" + "020000000000000001000000" + "4100",  // counts disagree
        "0400040000000200" + "030000000000000002000000" + "41004200",  // rooms disagree
        "0300040000000200" + "020000000000000001000000" + "4100",  // an odd length
    ])
    func refusesCountedStringsThatContradictThemselves(_ hex: String) {
        #expect(throws: WireError.self) {
            _ = try read(hex) { stub in
                let string = try stub.countedString("name")
                _ = try stub.text(of: string, "name")
            }
        }
    }

    @Test func longTextsAreCutToWhatACountHolds() throws {
        let text = String(repeating: "x", count: 70_000)
        let bytes = Hex.bytes(
            written {
                $0.countedString(text)
                $0.buffer(of: text)
                $0.countedBytes([UInt8](repeating: 1, count: 70_000))
                $0.buffer(of: [UInt8](repeating: 1, count: 70_000))
            })!
        var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
        let string = try stub.countedString("text")
        #expect(try stub.text(of: string, "text")?.count == 32_767)
        let octets = try stub.countedString("bytes")
        #expect(try stub.bytes(of: octets, "bytes")?.count == 65_535)
    }

    @Test func conformanceIsCheckedBeforeAnythingIsSizedByIt() {
        #expect(throws: WireError.self) {
            _ = try read("ffffff7f") {
                try $0.conformance(elementSize: 8, limit: .max, "array")
            }
        }
        #expect(throws: WireError.self) {
            _ = try read("0400000000000000") {
                try $0.conformance(elementSize: 1, limit: 3, "array")
            }
        }
    }

    @Test func sidComesWithItsCount() throws {
        let sid = try #require(SID("S-1-5-21-1-2-3"))
        let hex = "04000000" + "0104000000000005" + "15000000010000000200000003000000"
        #expect(written { $0.sid(sid) } == hex)
        #expect(try read(hex) { try $0.sid("sid") } == sid)
        let other = "03000000" + String(hex.dropFirst(8))
        #expect(throws: WireError.self) { _ = try read(other) { try $0.sid("sid") } }
    }

    @Test func contextHandleSurvives() throws {
        let handle = ContextHandle(uuid: PDUSamples.netlogon.uuid)
        let hex = written { $0.contextHandle(handle) }
        #expect(hex == "00000000785634123412cdabef0001234567cffb")
        #expect(try read(hex) { try $0.contextHandle("handle") } == handle)
    }
}

@Suite struct VerificationTrailerTests {
    static let full = VerificationTrailer(
        bitmask: 1,
        context: .init(interface: PDUSamples.netlogon, transferSyntax: .ndr),
        header: .init(type: .request, callID: 2, contextID: 0, opnum: 39))

    private func bytes(_ trailer: VerificationTrailer, after stub: [UInt8] = []) -> [UInt8] {
        var writer = WireWriter()
        writer.append(stub)
        writer.align(4)
        trailer.write(into: &writer)
        return writer.finish()
    }

    @Test func requestMayEndWithATrailer() throws {
        for length in 1...8 {
            let bytes = bytes(Self.full, after: [UInt8](repeating: 1, count: length))
            var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
            for _ in 0..<length { _ = try stub.uint8("stub") }
            #expect(try stub.expectEndOfRequest("end") == Self.full)
        }
    }

    @Test func requestMayLeaveLessThanATrailerOver() throws {
        for extra in 0...NDRReader.longestLeftover {
            let bytes = [UInt8](repeating: 0x8a, count: extra)
            var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
            #expect(try stub.expectEndOfRequest("end") == nil)
        }
        for extra in 8...24 {
            let bytes = [UInt8](repeating: 0x8a, count: extra)
            var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
            #expect(throws: WireError.self) { try stub.expectEndOfRequest("end") }
        }
    }

    @Test func withstandsTruncationAndChange() {
        let whole = bytes(Self.full)
        for length in 0..<whole.count {
            let part = Array(whole[..<length])
            #expect(throws: WireError.self) {
                var reader = WireReader(part.span, layer: "NDR")
                _ = try VerificationTrailer(parsing: &reader)
            }
        }
        for index in 0..<whole.count {
            var changed = whole
            changed[index] ^= 0xff
            var reader = WireReader(changed.span, layer: "NDR")
            _ = try? VerificationTrailer(parsing: &reader)
        }
    }
}
