import Interfaces
import Mailslot
import NetBIOS
import RPC
import SMB
import TestSupport
import Testing
import Wire

@testable import Decoder

@Suite struct DecoderTests {
    static let name = ScopedName(NetBIOSName("ADLAB", .domainControllers)!)

    static var query: [UInt8] {
        var writer = WireWriter()
        NameServicePacket.query(7, name, broadcast: true).write(into: &writer)
        return writer.finish()
    }

    /// GETDC as Windows NT sends it.
    static var locate: [UInt8] {
        var writer = WireWriter()
        let source = Endpoint(Frames.client, 138)
        let length = DataDatagram.begin(
            DatagramHeader(.directGroup, .broadcast, id: 9, source: source),
            from: ScopedName(NetBIOSName("OLD", .workstation)!), to: name, into: &writer)
        let envelope = MailslotWrite.begin(
            to: Array("\\MAILSLOT\\NET\\NETLOGON".utf8).span, into: &writer)
        PrimaryQuery(
            computerName: OEMText("OLD"), mailslotName: OEMText("\\MAILSLOT\\NET\\GETDC1"),
            .windowsNT(.init(UnicodeText("OLD"), .v1))
        ).write(into: &writer)
        MailslotWrite.finish(envelope, in: &writer)
        DataDatagram.finish(length, in: &writer)
        return writer.finish()
    }

    static var bind: [UInt8] {
        var writer = WireWriter()
        BindPDU(contexts: [PresentationContext(id: 0, EndpointMapper.interface)])
            .write(into: &writer, header: PDUHeader(.bind, callID: 1))
        return writer.finish()
    }

    static var map: [UInt8] {
        var stub = WireWriter()
        EptMap.Request(mapTower: .tcp(Netlogon.interface)).write(into: &stub)
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: EptMap.opnum), callID: 2, maximumFragment: 5840)
        _ = fragmenter.next(stub.finish().span, into: &writer)
        return writer.finish()
    }

    @Test func queryIsPrintedFieldByField() {
        #expect(MessageDecoder.decode(Self.query).text == """
            NBNS query request, id 7
              flags: recursion-desired broadcast
              question: ADLAB<1c> NB

            """)
    }

    @Test func locatingIsPrintedThroughEveryLayer() {
        #expect(MessageDecoder.decode(Self.locate).text == """
            NBDGM direct group, id 9, from 10.77.0.40:138
              source: OLD<00>
              destination: ADLAB<1c>
              mailslot message to \\MAILSLOT\\NET\\NETLOGON, class 2, 44 bytes
                NETLOGON GETDC of OLD, answer to \\MAILSLOT\\NET\\GETDC1
                  ComputerName: OLD
                  MailslotName: \\MAILSLOT\\NET\\GETDC1
                  UnicodeComputerName: OLD
                  NtVersion: 0x00000001 V1

            """)
    }

    @Test func callsAreNamedByTheirBind() {
        let outline = MessageDecoder.decode(Self.bind + Self.map)
        #expect(outline.decoded == 2 && outline.failed == 0)
        #expect(outline.text == """
            RPC bind, call 1, 72 bytes
              fragments: sends 5840, receives 5840
              association group: 0x00000000
              context: 0 epmapper as NDR
            RPC request, call 2, \(Self.map.count) bytes
              call: epmapper, opnum 3 ept_map
              tower of 5 floors
                interface: netlogon
                NDR
                connection-oriented RPC
                TCP port: 0
                IP address: 0.0.0.0
              max_towers: 1

            """)
    }

    @Test func everyKindIsKnownByItsName() {
        for kind in MessageKind.allCases { #expect(MessageKind(name: kind.name) == kind) }
        #expect(MessageKind(name: "smb3") == nil)
    }

    @Test func whatCannotBeDecodedSaysWhere() {
        let outline = MessageDecoder.decode(Array(Self.query.dropLast(3)), as: .nbns)
        #expect(outline.decoded == 0 && outline.failed == 1)
        #expect(outline.text == """
            cannot be decoded: NBNS QUESTION_TYPE at offset 46: needs 2 bytes, 1 left

            """)
        #expect(MessageDecoder.decode([]).decoded == 0)
    }

    /// A name may hold what would move a terminal's cursor or ring its bell.
    @Test func controlCharactersAreSpelled() {
        var writer = WireWriter()
        LogonResponseLM20(logonServer: OEMText(bytes: [0x1b, 0x5b, 0x32, 0x4a, 0x0a, 0x07]))
            .write(into: &writer)
        let text = MessageDecoder.decode(writer.finish()).text
        #expect(text.contains("LogonServer: \\u{0000001b}[2J\\u{0000000a}\\u{00000007}\n"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func longLinesAreCut() {
        var outline = Outline()
        outline.line(String(repeating: "x", count: 1_000))
        #expect(outline.text.count == Outline.longestLine + 2)
    }

    @Test func passwordsAreWithheld() {
        let secret = Array("SECRETPASSWORDSECRETSEC!".utf8)
        let header = SMB1.Header(command: .sessionSetupAndX, flags: [], flags2: [.ntStatus])
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 4356, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: secret, unicodePassword: secret, []))
        request.accountName = "someone"
        request.primaryDomain = "ADLAB"
        var writer = WireWriter()
        var chain = SMB1.ChainWriter(header, into: &writer)
        chain.append(request, into: &writer)
        let outline = MessageDecoder.decode(writer.finish())
        #expect(outline.decoded == 1)
        #expect(outline.text.contains("account: someone"))
        #expect(!outline.text.contains("SECRET"))
        #expect(!outline.text.contains(Hex.string(Array(secret[0..<4]))))
    }

    /// No change of a byte, and no cut, may stop the program.
    @Test func anyChangeIsSurvived() {
        for message in [Self.query, Self.locate, Self.bind + Self.map] {
            for length in 0..<message.count {
                _ = MessageDecoder.decode(Array(message[..<length]))
            }
            for index in 0..<message.count {
                for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                    var changed = message
                    changed[index] = value
                    _ = MessageDecoder.decode(changed)
                }
            }
        }
    }
}

@Suite struct CaptureDecoderTests {
    static let query = DecoderTests.query

    @Test func bothFileFormatsAreRead() {
        let frame = Frames.ethernet(Frames.udp(Self.query, port: 137))
        let (text, summary) = Frames.text(Frames.capture([frame]))
        #expect(summary == CaptureDecoder.Summary(frames: 1, decoded: 1))
        #expect(text == """
            #1 UDP 10.77.0.40:137 > 10.77.0.10:137
              NBNS query request, id 7
                flags: recursion-desired broadcast
                question: ADLAB<1c> NB

            """)
        #expect(Frames.text(Frames.nextGeneration([frame])).0 == text)
    }

    @Test func everyLinkIsRead() {
        let packet = Frames.udp(Self.query, port: 137)
        let zeros = [UInt8](repeating: 0, count: 14)
        for (linkType, frame) in [
            (1, Frames.ethernet(packet, vlan: true)), (101, packet), (0, [2, 0, 0, 0] + packet),
            (113, zeros + [8, 0] + packet), (276, [8, 0] + zeros + [0, 0, 0, 0] + packet),
        ] as [(UInt32, [UInt8])] {
            let (_, summary) = Frames.text(Frames.capture([frame], linkType: linkType))
            #expect(summary.decoded == 1, "\(linkType)")
        }
        #expect(Frames.text(Frames.capture([packet], linkType: 105)).1.foreign == 1)
    }

    @Test func partsOfInternetDatagramsAreCounted() {
        let part = Frames.ethernet(Frames.udp(Self.query, port: 137, fragment: 0x2000))
        let (text, summary) = Frames.text(Frames.capture([part]))
        #expect(text.isEmpty)
        #expect(summary == CaptureDecoder.Summary(frames: 1, fragments: 1))
    }

    @Test func badPacketDoesNotHideTheNext() {
        let bad = Frames.ethernet(Frames.udp([1, 2, 3], port: 137))
        let good = Frames.ethernet(Frames.udp(Self.query, port: 137))
        let (text, summary) = Frames.text(Frames.capture([bad, good]))
        #expect(summary.decoded == 1 && summary.failed == 1)
        #expect(text.contains("cannot be decoded: NBNS NM_FLAGS at offset 2"))
    }

    @Test func brokenFileIsToldAfterWhatCameBefore() {
        let good = Frames.capture([Frames.ethernet(Frames.udp(Self.query, port: 137))])
        let (summary, error) = CaptureDecoder.decode(good + [1, 2, 3]) { _ in }
        #expect(summary.decoded == 1)
        #expect(error?.field.description == "time")
        #expect(CaptureDecoder.isCapture(good))
        #expect(!CaptureDecoder.isCapture(Self.query))
    }

    /// Cut anywhere, in any order, with repetitions: the same messages.
    @Test func segmentsArePutInOrder() {
        let stream = DecoderTests.bind + DecoderTests.map
        func segments(_ cuts: [Range<Int>], port: UInt16) -> (String, CaptureDecoder.Summary) {
            var frames = [Frames.tcp([], 999, port: port, isSynchronizing: true)]
            for cut in cuts {
                frames.append(
                    Frames.tcp(Array(stream[cut]), 1_000 + UInt32(cut.lowerBound), port: port))
            }
            return Frames.text(Frames.capture(frames, linkType: 101))
        }
        let end = stream.count
        for cuts in [
            [0..<end], [0..<10, 10..<end], [80..<end, 0..<80], [0..<80, 0..<80, 40..<end],
            [50..<60, 60..<end, 0..<20, 20..<50],
        ] {
            let (text, summary) = segments(cuts, port: 135)
            #expect(summary.decoded == 2 && summary.failed == 0)
            #expect(text.contains("call: epmapper, opnum 3 ept_map"))
        }
        // On a port that says nothing, the first bytes must tell.
        #expect(segments([0..<80, 80..<end], port: 49_152).1.decoded == 2)
        #expect(segments([5..<72, 72..<end], port: 49_152).1.decoded == 1)
    }

    @Test func missingBytesAreTold() {
        let first = Frames.tcp(DecoderTests.bind, 1_000, port: 135)
        let later = Frames.tcp(DecoderTests.map, 1_172, port: 135)
        let (text, summary) = Frames.text(Frames.capture([first, later], linkType: 101))
        #expect(summary.decoded == 2)
        #expect(text.contains("""
            end TCP 10.77.0.10:135 - 10.77.0.40:1100
              100 bytes before this are not in the capture
              RPC request
            """))
    }

    @Test func segmentQueueKeepsNoMoreThanItsLimits() {
        var queue = SegmentQueue()
        let bytes = [UInt8](repeating: 1, count: 10)
        _ = queue.add(.init(sequence: 0, isSynchronizing: true), 0..<0, of: bytes.span)
        var pieces: [SegmentQueue.Piece] = []
        for index in 0...SegmentQueue.mostWaiting {
            let sequence = UInt32(101 + index * 10)
            #expect(pieces.isEmpty)
            pieces = queue.add(
                .init(sequence: sequence, isSynchronizing: false), 0..<10, of: bytes.span)
        }
        #expect(pieces.first == .gap(100))
        #expect(pieces.count == SegmentQueue.mostWaiting + 2)
        #expect(queue.finish().isEmpty)
    }

    @Test func pipeCallsAreFollowed() {
        let open = SMB1.OpenRequest(pipe: "epmapper")
        func message(_ reply: Bool, _ fill: (inout SMB1.ChainWriter, inout WireWriter) -> Void,
            _ command: SMB1.Command) -> [UInt8]
        {
            var header = SMB1.Header(
                command: command, flags: reply ? [.reply] : [], flags2: [.ntStatus])
            header.mid = 3
            var body = WireWriter()
            var chain = SMB1.ChainWriter(header, into: &body)
            fill(&chain, &body)
            let bytes = body.finish()
            return [0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
        }
        let data = DecoderTests.bind
        let request = message(false, { chain, writer in
            chain.append(open, into: &writer)
            let write = SMB1.WriteRequest(fid: 0, writeMode: [], data: 0..<data.count)
            chain.append(write, into: &writer, from: data.span)
        }, .openAndX)
        let answer = message(true, { chain, writer in
            let opened = SMB1.OpenResponse(fid: 77, resourceType: 2, nmPipeStatus: 0x5ff)
            chain.append(opened, into: &writer)
        }, .openAndX)
        let call = DecoderTests.map
        let second = message(false, { chain, writer in
            let write = SMB1.WriteRequest(fid: 77, writeMode: [], data: 0..<call.count)
            chain.append(write, into: &writer, from: call.span)
        }, .writeAndX)
        let (text, summary) = Frames.text(Frames.capture([
            Frames.tcp(request, 1, port: 445), Frames.tcp(answer, 1, port: 445, fromServer: true),
            Frames.tcp(second, 1 + UInt32(request.count), port: 445),
        ], linkType: 101))
        #expect(summary.failed == 0)
        #expect(text.contains("pipe: \\PIPE\\epmapper") || text.contains("pipe: \\epmapper"))
        #expect(text.contains("call: epmapper, opnum 3 ept_map"))
    }

    @Test func pipeCallsOverSMB2AreFollowed() {
        let file = Bytes16([UInt8](1...16))
        var stream: [[UInt8]] = []
        func message(
            _ command: SMB2.Command, _ id: UInt64, _ flags: SMB2.Flags, _ body: SMB2.Body,
            _ payload: [UInt8] = [], status: NTStatus = .success
        ) -> [UInt8] {
            var header = SMB2.Header(command, messageID: id)
            (header.flags, header.status) = (flags, status)
            var writer = WireWriter()
            SMB2.Message(header, body).write(into: &writer, from: payload.span)
            return writer.finish()
        }
        func framed(_ bytes: [UInt8]) -> [UInt8] {
            [0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
        }
        var bind = SMB2.WriteRequest(fileID: file)
        bind.data = 0..<DecoderTests.bind.count
        var call = SMB2.TransceiveRequest(fileID: file, maxOutput: 4_280)
        call.input = 0..<DecoderTests.map.count
        stream.append(framed(message(.create, 1, [], .createRequest(.init(name: "epmapper")))))
        // A compound: its first message says where the second begins.
        var first = message(.write, 2, [], .writeRequest(bind), DecoderTests.bind)
        while first.count % 8 != 0 { first.append(0) }
        first[20] = UInt8(first.count & 255)
        first[21] = UInt8(first.count >> 8)
        stream.append(framed(
            first + message(.ioctl, 3, [], .transceiveRequest(call), DecoderTests.map)))
        let opened = framed(
            message(.create, 1, .response, .createResponse(.init(fileID: file))))
        let announced = framed(
            message(.ioctl, 3, [.response, .async], .error(.init()), status: .pending))
        let (text, summary) = Frames.text(Frames.capture([
            Frames.tcp(stream[0], 1, port: 445), Frames.tcp(opened, 1, port: 445, fromServer: true),
            Frames.tcp(stream[1], 1 + UInt32(stream[0].count), port: 445),
            Frames.tcp(announced, 1 + UInt32(opened.count), port: 445, fromServer: true),
        ], linkType: 101))
        #expect(summary.failed == 0)
        #expect(text.contains("SMB2 WRITE request, message 2"))
        #expect(text.split(separator: "\n").count { $0.hasSuffix("pipe: epmapper") } == 2)
        #expect(text.contains("call: epmapper, opnum 3 ept_map"))
        #expect(text.contains("SMB2 IOCTL response, NT_STATUS_PENDING, message 3 asynchronous 0"))
    }

    @Test func compoundThatDoesNotGoForwardIsRefused() {
        var header = SMB2.Header(.logoff, messageID: 1)
        for next in [8, 63, 69] as [UInt32] {
            header.nextCommand = next
            var writer = WireWriter()
            let nothing: [UInt8] = []
            SMB2.Message(header, .farewell(.init())).write(into: &writer, from: nothing.span)
            let outline = MessageDecoder.decode(writer.finish())
            #expect(outline.failed == 1 && outline.decoded == 0)
        }
    }
}
