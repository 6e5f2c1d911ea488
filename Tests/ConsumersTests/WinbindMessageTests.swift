import Crypto
import TestSupport
import Testing
import Wire

@testable import Consumers

@Suite struct WinbindMessageTests {
    @Test(arguments: WinbindInterface.allCases)
    func everyMessageKeepsItsBytes(_ interface: WinbindInterface) throws {
        for sample in winbindSamples(interface) {
            #expect(try sample.rewrite(sample.bytes) == sample.bytes, "\(sample.name)")
        }
    }

    /// Of one interface, as the others differ from it in places alone.
    @Test(arguments: 0..<18)
    func noDamageTraps(_ index: Int) {
        #expect(checkMessages([winbindSamples(.v32)[index]]) == [])
    }

    @Test func everyTruncationAndEveryTrailingByteIsRefused() {
        for sample in winbindSamples(.v32) {
            // A request's end is the stream's affair; a response's length counts all of it.
            for length in 0..<sample.bytes.count {
                #expect(throws: WireError.self, "\(sample.name) cut to \(length)") {
                    try sample.rewrite(Array(sample.bytes[..<length]))
                }
            }
            #expect(throws: WireError.self, "\(sample.name)") {
                try sample.rewrite(sample.bytes + [0])
            }
        }
    }

    @Test func sizesNarrowTheInterface() {
        #expect(WinbindInterface.candidates(requestSize: 2_096) == [.v30, .v28, .v27])
        #expect(WinbindInterface.candidates(requestSize: 2_128) == [.v31])
        #expect(WinbindInterface.candidates(requestSize: 2_136) == [.v32, .v33])
        #expect(WinbindInterface.candidates(requestSize: 2_100) == [])
        for interface in WinbindInterface.allCases {
            let requests = winbindRequests(interface)
            #expect(winbindBytes(requests[0]).count == interface.requestSize)
            let responses = winbindResponses(interface)
            #expect(winbindBytes(responses[4].1).count == interface.responseSize)
        }
    }

    /// Where a client of each interface puts what it asks.
    @Test(arguments: [
        (WinbindInterface.v27, 40), (.v28, 40), (.v30, 40), (.v31, 8), (.v32, 0), (.v33, 0),
    ])
    func requestsAreLaidOutAsTheirInterfaceHasThem(
        _ interface: WinbindInterface, _ shift: Int
    ) throws {
        let bytes = winbindBytes(winbindRequests(interface)[5])
        #expect(bytes[(320 - shift)..<(328 - shift)] == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(bytes[(328 - shift)..<(332 - shift)] == [0x20, 0x08, 0x01, 0x00])
        #expect(Self.text(bytes, 332 - shift) == "jürgen")
        #expect(Self.text(bytes, 588 - shift) == "ADLAB")
        #expect(bytes[844 - shift] == 0x4c && bytes[1_100 - shift] == 24)
        #expect(bytes[1_104 - shift] == 0x4e && bytes[1_360 - shift] == 24)
        #expect(Self.text(bytes, 1_364 - shift) == "GATE1")
        #expect(Self.text(bytes, 1_620 - shift) == "S-1-5-32-544")
        let other = winbindBytes(winbindRequests(interface)[7])
        #expect(other[2_128 - shift] == 9 && other.count == interface.requestSize + 9)
        #expect(Self.text(winbindBytes(winbindRequests(interface)[1]), 24) == "ADLAB")
    }

    @Test(arguments: WinbindInterface.allCases)
    func answersToLogonsAreLaidOutAsTheirInterfaceHasThem(_ interface: WinbindInterface) {
        let bytes = winbindBytes(winbindResponses(interface)[1].1)
        let unixName = interface.hasDNSNames ? 3_744 : 3_232
        #expect(bytes[4] == 2)
        #expect(Self.text(bytes, 12) == "NT_STATUS_OK")
        #expect(Array(bytes[528..<544]) == Array(1...16))
        #expect(Array(bytes[544..<552]) == Array(1...8))
        #expect(bytes[812] == 1 && bytes[814] == (interface.hasDNSNames ? 6 : 3))
        #expect(bytes[848] == 1 && bytes[888] == 6)
        #expect(Self.text(bytes, 928) == "S-1-5-21-1-2-3")
        #expect(Self.text(bytes, 1_184) == "alice")
        #expect(Self.text(bytes, 2_976) == "ADLAB")
        #expect(Self.text(bytes, unixName) == "ADLAB\\alice")
        #expect(
            String(decoding: bytes[interface.responseSize...], as: UTF8.self)
                == "0x00000201:0x00000007\n0x000004B0:0x00000007\n"
                + "S-1-5-21-1-2-3-500:0x20000007\n\0")
        let refused = winbindBytes(winbindResponses(interface)[2].1)
        #expect(refused[4] == 0)
        #expect(Array(refused[8..<12]) == [0x34, 0x02, 0x00, 0xc0])
        #expect(Self.text(refused, 12) == "NT_STATUS_ACCOUNT_LOCKED_OUT")
        #expect(refused[524] == 11 && refused[812] == 1)
    }

    /// Nobody knows yet how much the reader of the first answer waits for.
    @Test func theVersionIsToldInTheLongestStructure() {
        for interface in WinbindInterface.allCases {
            let bytes = winbindBytes(winbindResponses(interface)[0].1)
            #expect(bytes.count == 4_008)
            #expect(bytes[8] == UInt8(interface.rawValue))
        }
    }

    @Test func commandsHaveTheirNumbersInEachInterface() {
        let directory: [WinbindInterface: UInt32] = [
            .v27: 47, .v28: 44, .v30: 44, .v31: 44, .v32: 44, .v33: 43,
        ]
        let name: [WinbindInterface: UInt32] = [
            .v27: 46, .v28: 43, .v30: 43, .v31: 43, .v32: 43, .v33: 42,
        ]
        for interface in WinbindInterface.allCases {
            #expect(
                WinbindCommand.privilegedDirectory.number(in: interface) == directory[interface])
            #expect(WinbindCommand.netbiosName.number(in: interface) == name[interface])
            #expect(WinbindCommand.lookupName.number(in: interface) == 22)
            for number in 0..<UInt32(80) {
                let command = WinbindCommand(number: number, in: interface)
                #expect(command.number(in: interface) == number, "\(number) in \(interface)")
            }
        }
        #expect(WinbindCommand(number: 29, in: .v27) != .checkMachineAccount)
        #expect(WinbindCommand(number: 40, in: .v33).rawValue > 0xffff)
    }

    @Test func lengthsThatLieAreRefused() throws {
        var bytes = winbindBytes(winbindRequests(.v32)[5])
        for (place, value) in [(1_100, 257), (1_360, 257), (1_360, 0x7fff), (0, 2_128)] {
            var changed = bytes
            changed[place] = UInt8(value & 0xff)
            changed[place + 1] = UInt8(value >> 8)
            #expect(throws: WireError.self, "\(value) at \(place)") {
                try winbindRequest(changed, .v32)
            }
        }
        bytes.replaceSubrange(2_128..<2_132, with: [0xff, 0xff, 0xff, 0xff])
        #expect(throws: WireError.self) { try winbindRequest(bytes, .v32) }
    }

    @Test func aTextWithoutAnEndIsRefused() {
        var bytes = winbindBytes(winbindRequests(.v32)[2])
        bytes.replaceSubrange(320..<576, with: [UInt8](repeating: 0x41, count: 256))
        #expect(throws: WireError.self) { try winbindRequest(bytes, .v32) }
    }

    @Test func aTextTooLongForItsFieldIsCutBetweenCharacters() throws {
        var request = WinbindRequest(.lookupName, .v32)
        request.body = .name(domain: "D", name: String(repeating: "ü", count: 200))
        let parsed = try winbindRequest(winbindBytes(request), .v32)
        guard case .name(_, let name) = parsed.body else { Issue.record("no name"); return }
        #expect(name == String(repeating: "ü", count: 127))
    }

    /// What a client's memory held before is no fault of it.
    @Test func bytesThatBelongToNoFieldAreNotRead() throws {
        var bytes = winbindBytes(winbindRequests(.v32)[2])
        for index in (320 + 512)..<2_128 { bytes[index] = 0xa5 }
        bytes[320 + 200] = 0xff
        let parsed = try winbindRequest(bytes, .v32)
        guard case .name("ADLAB", "Domain Users") = parsed.body else {
            Issue.record("\(parsed)")
            return
        }
    }

    @Test func secretsAreNeverDescribed() {
        for interface in WinbindInterface.allCases {
            for request in winbindRequests(interface) {
                #expect(!request.description.contains("hunter2"))
            }
        }
    }

    private static func text(_ bytes: [UInt8], _ offset: Int) -> String {
        String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
