import NetBIOS
import TestSupport
import Testing
import Wire

@Suite struct NetBIOSTests {
    @Test func everyMessageSurvives() {
        for fault in checkMessages(Sample.messages) { Issue.record("\(fault)") }
    }

    @Test func encodesAndDecodesNames() throws {
        let name = try #require(NetBIOSName("fred", .workstation))
        var writer = WireWriter()
        ScopedName(name).write(into: &writer)
        let expected = [32] + Array("EGFCEFEECACACACACACACACACACACAAA".utf8) + [0]
        #expect(writer.bytes == expected)
        #expect(name.description == "FRED<00>")
        #expect(name.with(.server).suffix == .server)
        #expect(name.with(.server).hasText(of: name))
        #expect(NetBIOSName("SIXTEENCHARACTER", .server) == nil)
        #expect(NetBIOSName("", .server) == nil)
        #expect(NetBIOSName("M\u{fc}LLER", .server) == nil)
    }

    @Test func comparesNamesRegardlessOfCase() throws {
        var lower = try #require(NetBIOSName("ABCXYZ@[`{0", .server))
        for index in 0..<6 { lower[index] += 0x20 }
        lower[15] = 0x61
        var upper = try #require(NetBIOSName("ABCXYZ@[`{0", .server))
        upper[15] = 0x61
        #expect(lower != upper)
        #expect(lower.upcased == upper)
        for byte: UInt8 in 0...255 {
            var name = NetBIOSName.wildcard
            name[3] = byte
            name[4] = 0xff
            let expected = (0x61...0x7a).contains(byte) ? byte - 32 : byte
            #expect(name.upcased[3] == expected && name.upcased[4] == 0xff)
        }
    }

    @Test func masterBrowsersIsTheWellKnownName() {
        let text = [1, 2] + Array("__MSBROWSE__".utf8) + [2, 1]
        #expect((0..<16).map { NetBIOSName.masterBrowsers[$0] } == text)
    }

    @Test func scopesHaveBoundedLabels() {
        #expect(ScopedName.scopeLabels("a.bc") == [1, 97, 2, 98, 99])
        #expect(ScopedName.scopeLabels("a..b") == nil)
        #expect(ScopedName.scopeLabels(String(repeating: "x", count: 64)) == nil)
        #expect(Sample.domain.description == "ADLAB<1c>.DEPT.EX")
    }

    @Test func refusesPointerThatDoesNotLeadBackwards() {
        let head = bytes("000001100001000000000000")
        for pointer in ["c00c", "c00e", "ffff"] {
            #expect(throws: WireError.self) {
                _ = try nameService(head + bytes(pointer + "00200001"))
            }
        }
    }

    @Test func refusesScopeThatLoops() {
        // The scope's end points back to the name's own beginning, which would never end.
        let name = [32] + [UInt8](repeating: 0x41, count: 32)
        let packet = bytes("000001100001000000000000") + name + bytes("c00c00200001")
        #expect(throws: WireError.self) { _ = try nameService(packet) }
    }

    @Test func refusesTrailingBytes() {
        let packet = written(.query(7, Sample.gate, broadcast: true)) + [0]
        #expect(throws: WireError.self) { _ = try nameService(packet) }
    }

    @Test func refusesLengthThatLies() {
        var packet = datagramBytes(from: Sample.gate, to: Sample.gate, [1, 2, 3])
        packet[11] += 1
        #expect(throws: WireError.self) { _ = try dataDatagram(packet) }
        packet[11] -= 2
        #expect(throws: WireError.self) { _ = try dataDatagram(packet) }
    }

    @Test func sessionLengthHasSeventeenOrTwentyFourBits() throws {
        var writer = WireWriter()
        SessionHeader(.message, length: 0x1ffff).write(into: &writer, .netBIOS)
        #expect(writer.bytes == [0, 1, 0xff, 0xff])
        writer.removeAll()
        SessionHeader(.message, length: 0x123456).write(into: &writer, .direct)
        #expect(writer.bytes == [0, 0x12, 0x34, 0x56])
        let large = writer.finish()
        var reader = WireReader(large.span, layer: "NBSS")
        #expect(try SessionHeader(parsing: &reader, .direct).length == 0x123456)
        #expect(throws: WireError.self) {
            var again = WireReader(large.span, layer: "NBSS")
            _ = try SessionHeader(parsing: &again, .netBIOS)
        }
    }
}

@Suite struct ReassemblyTests {
    let sender = Endpoint(IPv4Address(10, 0, 0, 9), 138)

    func add(
        _ reassembler: inout DatagramReassembler, id: UInt16 = 1, _ range: Range<Int>,
        more: Bool, now: UInt64 = 0
    ) throws -> DatagramReassembler.Outcome {
        let flags: UInt8 = (range.lowerBound == 0 ? 2 : 0) | (more ? 1 : 0)
        let packet = datagramBytes(
            id: id, flags: flags, offset: UInt16(range.lowerBound), from: Sample.gate,
            to: Sample.gate, range.map { UInt8(truncatingIfNeeded: $0) })
        let datagram = try dataDatagram(packet)
        return reassembler.add(datagram, packet.span, from: sender, now: now)
    }

    var whole: [UInt8] {
        datagramBytes(
            flags: 2, from: Sample.gate, to: Sample.gate, (0..<300).map { UInt8($0 & 255) })
    }

    @Test func assemblesInAnyOrder() throws {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            var reassembler = DatagramReassembler()
            var outcome = DatagramReassembler.Outcome.incomplete
            for part in order {
                #expect(outcome == .incomplete)
                outcome = try add(
                    &reassembler, part * 100..<(part + 1) * 100, more: part != 2)
            }
            #expect(outcome == .complete(whole))
            #expect(reassembler.count == 0)
        }
    }

    @Test func theSameFragmentOnceMoreChangesNothing() throws {
        var reassembler = DatagramReassembler()
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        #expect(try add(&reassembler, 200..<300, more: false) == .incomplete)
        #expect(try add(&reassembler, 200..<300, more: false) == .incomplete)
        #expect(try add(&reassembler, 100..<200, more: true) == .complete(whole))
        // With other bytes, or another end, it is another fragment.
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        #expect(try add(&reassembler, 0..<100, more: false) == .refused)
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        #expect(try add(&reassembler, 0..<99, more: true) == .refused)
    }

    @Test func refusesOverlapAndExcess() throws {
        var reassembler = DatagramReassembler()
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        #expect(try add(&reassembler, 50..<150, more: false) == .refused)
        #expect(reassembler.count == 0)
        #expect(try add(&reassembler, 4_000..<4_200, more: true) == .refused)
        #expect(try add(&reassembler, 0..<100, more: false, now: 1) != .incomplete)
        #expect(try add(&reassembler, 100..<200, more: false) == .incomplete)
        #expect(try add(&reassembler, 200..<300, more: true) == .refused)
    }

    @Test func forgetsWhatDoesNotBecomeWhole() throws {
        var reassembler = DatagramReassembler()
        #expect(try add(&reassembler, 0..<100, more: true) == .incomplete)
        let late = DatagramReassembler.timeout
        #expect(reassembler.nextDeadline == late)
        #expect(try add(&reassembler, 100..<300, more: false, now: late) == .incomplete)
        #expect(reassembler.abandoned == 1)
    }

    @Test func keepsNoMoreThanItsLimit() throws {
        var reassembler = DatagramReassembler()
        for id in 0..<UInt16(40) {
            #expect(try add(&reassembler, id: id, 0..<10, more: true) == .incomplete)
        }
        #expect(reassembler.count == DatagramReassembler.mostDatagrams)
        #expect(reassembler.abandoned == 40 - DatagramReassembler.mostDatagrams)
    }

    @Test func keepsNoMoreFragmentsThanItsLimit() throws {
        var reassembler = DatagramReassembler()
        for part in 0..<DatagramReassembler.mostFragments {
            #expect(try add(&reassembler, part..<part + 1, more: true) == .incomplete)
        }
        #expect(try add(&reassembler, 50..<60, more: true) == .refused)
    }
}
