import Foundation
import Testing

@testable import Consumers

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return json.finish()
    }

    @Test func separatesMembersAndElements() {
        let text = written { json in
            json.object { json in
                json.member("a", 1)
                json.member("b", true)
                json.array("c") { json in
                    json.value("x")
                    json.object { _ in }
                    json.array { _ in }
                    json.null()
                }
                json.object("d") { $0.member("e", -5) }
            }
        }
        #expect(text == #"{"a":1,"b":true,"c":["x",{},[],null],"d":{"e":-5}}"#)
    }

    @Test func escapesWhatMustBe() throws {
        let hostile = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{2028}\u{2029}äñ€😀e\u{301}"
        let text = written { $0.array { $0.value(hostile) } }
        let back = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String]
        #expect(back == [hostile])
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x2028 })
        #expect(text.hasPrefix(#"["\"\\/\u0008\u000c\n\r\t\u0000\u001f\u007f\u2028"#))
    }

    @Test func writesThousandths() {
        let cases = [(0, "0"), (13_000, "13"), (13_250, "13.25"), (-7, "-0.007"), (1_900, "1.9")]
        for (value, expected) in cases {
            #expect(written { $0.value(thousandths: value) } == expected)
        }
    }
}

@Suite struct Base64Tests {
    @Test func agreesWithThePlatform() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            let text = Data(bytes).base64EncodedString()
            #expect(Base64.text(bytes) == Array(text.utf8))
            #expect(Base64.bytes(Array(text.utf8)) == bytes)
            #expect(Base64.bytes(Array(text.utf8).filter { $0 != 0x3d }) == bytes)
        }
    }

    @Test func refusesWhatIsNone() {
        for text in ["A", "A===", "AA=A", "!!!!", "QQ=", "QUI==", "AAAA=", "A A=", "QQ===="] {
            #expect(Base64.bytes(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
