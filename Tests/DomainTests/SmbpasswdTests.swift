import Testing
import Wire

@testable import Domain

@Suite struct SmbpasswdTests {
    private func entry(_ line: String) throws -> SmbpasswdEntry {
        try SmbpasswdEntry(Array(line.utf8))
    }

    private static let lm = "E52CAC67419A9A224A3B108F3FA6CB6D"
    private static let nt = "8846F7EAEE8FB117AD06BDD830B7586C"

    @Test func readsEveryField() throws {
        let found = try entry("anna:500:\(Self.lm):\(Self.nt):[UX         ]:LCT-4F7A0A3B:\r")
        #expect(found.name == "anna")
        #expect(found.lmHash?.hex == Self.lm.lowercased())
        #expect(found.ntHash?.hex == Self.nt.lowercased())
        #expect(found.flags == [.normal, .passwordNeverExpires])
        #expect(found.passwordLastSet == DomainTime.at(unix: 0x4f7a_0a3b))
        #expect(found.description == "smbpasswd entry of anna, flags 0x00000210")
    }

    @Test func whatIsMissingIsNone() throws {
        for hash in [String(repeating: "X", count: 32), "NO PASSWORD*********************", ""] {
            let found = try entry("anna:500:\(hash):\(hash)")
            #expect(found.ntHash == nil && found.lmHash == nil && found.flags == .normal)
            #expect(found.passwordLastSet == nil)
        }
        #expect(try entry("anna:500:::[D          ]:LCT-00000000:").passwordLastSet == nil)
        #expect(try entry("anna:500:::[D          ]:").flags == [.normal, .disabled])
    }

    @Test func emptyLinesAndCommentsAreNoEntries() {
        for line in ["", "  ", "\r", "# anna:1", "  # x"] {
            #expect(!SmbpasswdEntry.isEntry(Array(line.utf8)))
        }
        #expect(SmbpasswdEntry.isEntry(Array("anna:1".utf8)))
    }

    @Test(arguments: [
        ("anna", "not name:uid:LM hash:NT hash:…"), (":1:::", "no name"),
        ("anna:1:12::", "the LM hash is not 32 hexadecimal digits"),
        ("anna:1::\(String(repeating: "G", count: 32)):",
            "the NT hash is not 32 hexadecimal digits"),
        ("anna:1:::U:", "the flags are not in brackets"),
        ("anna:1:::[?]:", "unknown flag ?"),
        ("anna:1:::[UW]:", "flags of more than one kind of account"),
        ("anna:1:::[U]:1234", "the time is not LCT- and hexadecimal digits"),
    ])
    func saysWhatIsWrong(_ line: String, _ problem: String) {
        let error = #expect(throws: SmbpasswdEntry.Malformed.self) { try entry(line) }
        #expect(error?.description == problem)
    }

    @Test func neverTrapsOnADamagedLine() {
        let line = Array("anna:500:\(Self.lm):\(Self.nt):[UX         ]:LCT-4F7A0A3B:".utf8)
        for index in line.indices {
            _ = try? SmbpasswdEntry(Array(line[..<index]))
            for value in [0, 10, 58, 88, 91, 255] as [UInt8] {
                var changed = line
                changed[index] = value
                _ = try? SmbpasswdEntry(changed)
            }
        }
        #expect(throws: SmbpasswdEntry.Malformed.self) {
            try SmbpasswdEntry([UInt8](repeating: 58, count: 5_000))
        }
    }
}
