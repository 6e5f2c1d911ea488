import Mailslot
import TestSupport
import Testing
import Wire

@Suite struct MailslotTests {
    @Test func everyMessageSurvives() {
        for fault in checkMessages(Sample.messages) { Issue.record("\(fault)") }
    }

    func named(_ name: [UInt8]) -> MailslotName? {
        MailslotName.named(0..<name.count, in: name.span)
    }

    func isMailslot(_ name: [UInt8]) -> Bool { MailslotName.isMailslot(name.span) }

    @Test func mailslotNamesCompareWithoutCase() {
        let name = Array("\\mailslot\\Net\\NTlogon".utf8)
        #expect(named(name) == .ntlogon)
        #expect(named(Array(name[1...])) == nil)
        #expect(isMailslot(name))
        #expect(!isMailslot(Array("\\PIPE\\NETLOGON".utf8)))
        #expect(!isMailslot(Array("\\MAILSLOT\\".utf8)))
    }

    @Test func refusesDataThatLiesOutside() {
        let sample = Sample.messages.first { $0.name == "\\MAILSLOT\\BROWSE" }!
        for (place, value) in [(33 + 2, UInt8(9)), (33 + 24, 9), (33 + 22, 2), (33 + 24, 40)] {
            var changed = sample.bytes
            changed[place] = value
            #expect(throws: WireError.self) { _ = try mailslotWrite(changed) }
        }
        #expect(throws: WireError.self) { _ = try mailslotWrite(sample.bytes + [0]) }
    }

    @Test func readsRequestWithPaddingButNoSID() throws {
        // `dsgetdcname` of another implementation pads to four even without a SID.
        var bytes: [UInt8] = []
        let none: [UInt8] = []
        for (name, message) in Sample.netlogonMessages where name == "SAM LOGON" {
            var writer = WireWriter()
            message.write(from: none.span, into: &writer)
            bytes = writer.finish()
        }
        let padding = (4 - (bytes.count - 8) % 4) % 4
        #expect(padding != 0)
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: padding), at: bytes.count - 8)
        guard case .samLogonRequest(let request) = try netlogon(bytes) else {
            Issue.record("another message")
            return
        }
        #expect(request.domainSid == nil)
        #expect(request.trailer.ntVersion == [.v1, .v5ExWithIP])
    }

    @Test func sharesEndingsOfNames() throws {
        var writer = WireWriter()
        Sample.responseEx.write(into: &writer)
        let bytes = writer.finish()
        // 24 bytes, then 2ad3lab0, 3sub and a pointer, 3dc1 and a pointer.
        #expect(Array(bytes[24..<44]) == [2, 97, 100, 3, 108, 97, 98, 0]
            + [3, 115, 117, 98, 0xc0, 24, 3, 100, 99, 49, 0xc0, 32])
    }

    @Test func refusesPointerThatDoesNotLeadBackwards() {
        var writer = WireWriter()
        Sample.responseEx.write(into: &writer)
        var bytes = writer.finish()
        bytes[37] = 36
        #expect(throws: WireError.self) { _ = try netlogon(bytes) }
    }

    @Test func refusesTextWithoutEnd() {
        #expect(throws: WireError.self) { _ = try netlogon([0, 0, 65, 66, 67]) }
        let long = [UInt8](repeating: 65, count: 600)
        #expect(throws: WireError.self) { _ = try netlogon([7, 0] + long + [0, 0]) }
        #expect(throws: WireError.self) { _ = try netlogon([0x12, 0, 0, 0] + long + [0, 0]) }
    }

    @Test func textKeepsWhatItCannotRead() {
        #expect(OEMText("M\u{fc}LLER").description == "M?LLER")
        #expect(UnicodeText("M\u{fc}LLER \u{1f600}").description == "M\u{fc}LLER \u{1f600}")
    }
}
