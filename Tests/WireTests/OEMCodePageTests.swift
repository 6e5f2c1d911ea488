import Testing
import Wire

@Suite struct OEMCodePageTests {
    @Test func everyOEMByteHasACharacterOfItsOwn() {
        let all = (0...255).map { UInt8($0) }
        let text = OEMCodePage.string(all)
        #expect(text.unicodeScalars.count == 256)
        #expect(OEMCodePage.exactBytes(text) == all)
    }

    @Test func foreignCharactersHaveNoOEMByte() {
        #expect(OEMCodePage.exactBytes("Zürich") == [0x5a, 0x81, 0x72, 0x69, 0x63, 0x68])
        #expect(OEMCodePage.exactBytes("Москва") == nil)
        #expect(OEMCodePage.bytes("aЖ") == [0x61, 0x3f])
    }
}
