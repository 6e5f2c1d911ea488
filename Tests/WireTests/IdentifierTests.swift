import Testing
import Wire

@Suite struct IdentifierTests {
    @Test func sidSurvivesTextAndWire() throws {
        let text = "S-1-5-21-4284042908-2889457889-3672286761"
        let sid = try #require(SID(text))
        #expect(sid.description == text)
        var writer = WireWriter()
        sid.write(into: &writer)
        let bytes = writer.finish()
        #expect(bytes.count == sid.byteCount)
        var reader = WireReader(bytes.span, layer: "test")
        #expect(try SID(parsing: &reader) == sid)
        #expect(sid.appending(500)?.description == text + "-500")
        #expect(sid.appending(500)?.domain == sid)
        #expect(sid.appending(500)?.relativeIdentifier == 500)
    }

    @Test(arguments: ["", "S", "S-1", "S-2-5", "S-1-5-", "S-1-5-4294967296", "x-1-5", "S-1--5"])
    func refusesOtherSIDText(_ text: String) {
        #expect(SID(text) == nil)
    }

    @Test func refusesSIDWithTooManyParts() {
        let bytes: [UInt8] = [1, 16] + [UInt8](repeating: 0, count: 70)
        #expect(throws: WireError.self) {
            var reader = WireReader(bytes.span, layer: "test")
            _ = try SID(parsing: &reader)
        }
    }

    @Test func guidSurvivesTextAndWire() throws {
        let text = "138daf55-918c-4170-9d46-d4d50490aa13"
        let guid = try #require(GUID(text))
        #expect(guid.description == text)
        var writer = WireWriter()
        guid.write(into: &writer)
        let bytes = writer.finish()
        #expect(Hex.string(bytes) == "55af8d138c9170419d46d4d50490aa13")
        var reader = WireReader(bytes.span, layer: "test")
        #expect(try GUID(parsing: &reader) == guid)
        #expect(GUID("138daf55-918c-4170-9d46") == nil)
    }
}
