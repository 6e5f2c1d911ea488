import Crypto
import TestSupport
import Testing
import Wire

@testable import Consumers

private func frame(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.finish()
}

private func logonRequest(_ credential: ControlLogonRequest.Credential) -> ControlLogonRequest {
    ControlLogonRequest(requestID: 7, domain: "ADLAB", user: "jürgen", credential: credential)
}

/// Every message of the control socket, in several shapes.
let controlSamples: [MessageSample] = {
    func logon(_ name: String, _ request: ControlLogonRequest) -> MessageSample {
        MessageSample(name: name, bytes: frame { request.write(into: &$0) }) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try ControlLogonRequest(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        }
    }
    func reply(_ name: String, _ reply: ControlLogonReply) -> MessageSample {
        MessageSample(name: name, bytes: frame { reply.write(into: &$0) }) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try ControlLogonReply(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        }
    }
    func command(_ name: String, _ request: CommandRequest) -> MessageSample {
        MessageSample(name: name, bytes: frame { request.write(into: &$0) }) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try CommandRequest(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        }
    }
    var byPassword = logonRequest(.password(Secret(Array("Pä55wörd".utf8))))
    byPassword.domain = nil
    byPassword.workstation = ""
    var byResponse = logonRequest(
        .response(
            challenge: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]), nt: [UInt8](repeating: 9, count: 24),
            lm: [UInt8](repeating: 8, count: 24)))
    byResponse.wants = [.ntKey, .lmKey, .text, .groups]
    byResponse.parameterControl = 0x0001_0820
    byResponse.deadline = 5_000
    byResponse.requiredGroup = "S-1-5-32-544"
    var success = ControlLogonReply(requestID: 7, outcome: .success, ntStatus: .success)
    success.ntKey = Secret([UInt8](repeating: 0xa5, count: 16))
    success.lmKey = Secret([UInt8](repeating: 0x5a, count: 8))
    success.domain = "ADLAB"
    success.user = "alice"
    success.groupRIDs = [513, 1104, 0xffff_ffff]
    var unavailable = ControlLogonReply(
        requestID: 8, outcome: .unavailable, ntStatus: .noLogonServers)
    unavailable.text = "no controller of ADLAB answers"
    unavailable.isAuthoritative = false
    return [
        logon("logon by password", byPassword), logon("logon by response", byResponse),
        reply("success", success), reply("unavailable", unavailable),
        command("status", CommandRequest(requestID: 1, command: .status, wantsJSON: true)),
        command(
            "explain",
            CommandRequest(
                requestID: 2, command: .explain, arguments: ["ADLAB", "alice"],
                secret: Secret([1, 2, 3]))),
        MessageSample(
            name: "output",
            bytes: frame { CommandOutput(requestID: 3, text: Array("a\n".utf8)).write(into: &$0) }
        ) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try CommandOutput(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        },
        MessageSample(
            name: "end", bytes: frame { CommandEnd(requestID: 3, exitCode: 1).write(into: &$0) }
        ) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try CommandEnd(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        },
        MessageSample(
            name: "ping",
            bytes: frame { ControlPing(requestID: 9, isAnswer: true).write(into: &$0) }
        ) { bytes in
            var reader = WireReader(bytes.span, layer: "control")
            let parsed = try ControlPing(parsing: &reader)
            return frame { parsed.write(into: &$0) }
        },
    ]
}()

@Suite struct ControlMessageTests {
    @Test func everyMessageKeepsItsBytesAndNoDamageTraps() {
        #expect(checkMessages(controlSamples) == [])
    }

    @Test func everyTruncationIsRefused() {
        for sample in controlSamples where sample.name != "output" {
            for length in 0..<sample.bytes.count {
                #expect(throws: WireError.self, "\(sample.name) cut to \(length)") {
                    try sample.rewrite(Array(sample.bytes[..<length]))
                }
            }
        }
    }

    @Test func bytesAfterTheEndAreRefused() {
        for sample in controlSamples where sample.name != "output" {
            #expect(throws: WireError.self, "\(sample.name)") {
                try sample.rewrite(sample.bytes + [0])
            }
        }
    }

    @Test func secretsAreNeverDescribed() {
        let request = logonRequest(.password(Secret(Array("hunter2".utf8))))
        #expect(!request.description.contains("hunter2"))
        #expect(request.description.contains("ADLAB\\jürgen"))
        var reply = ControlLogonReply(requestID: 1, outcome: .success, ntStatus: .success)
        reply.ntKey = Secret([UInt8](repeating: 0xab, count: 16))
        #expect(!reply.description.lowercased().contains("abab"))
    }

    @Test func anEmptyDomainIsNotNoDomain() throws {
        for domain in [nil, "", "D"] {
            var request = logonRequest(.password(Secret([])))
            request.domain = domain
            let bytes = frame { request.write(into: &$0) }
            var reader = WireReader(bytes.span, layer: "control")
            #expect(try ControlLogonRequest(parsing: &reader).domain == domain)
        }
    }

    @Test func textThatIsNotUTF8IsRefused() {
        let request = logonRequest(.password(Secret([])))
        var bytes = frame { request.write(into: &$0) }
        let place = bytes.firstIndex(of: 0xc3)!
        bytes[place + 1] = 0x41
        #expect(throws: WireError.self) {
            var reader = WireReader(bytes.span, layer: "control")
            _ = try ControlLogonRequest(parsing: &reader)
        }
    }

    @Test func overlongFieldsAreRefusedByBothEnds() {
        var request = logonRequest(.password(Secret([])))
        request.user = String(repeating: "u", count: ControlLogonRequest.maximumName + 1)
        #expect(!request.isWithinLimits)
        let bytes = frame { request.write(into: &$0) }
        #expect(throws: WireError.self) {
            var reader = WireReader(bytes.span, layer: "control")
            _ = try ControlLogonRequest(parsing: &reader)
        }
    }

    @Test func textsOfOthersAreCutBetweenCharacters() throws {
        var reply = ControlLogonReply(requestID: 7, outcome: .success, ntStatus: .success)
        reply.domain = String(repeating: "語", count: 32_767)
        reply.user = "a" + reply.domain
        reply.text = reply.user
        let bytes = frame { reply.write(into: &$0) }
        var reader = WireReader(bytes.span, layer: "control")
        let read = try ControlLogonReply(parsing: &reader)
        #expect(read.domain == String(repeating: "語", count: 256))
        #expect(read.user == "a" + String(repeating: "語", count: 255))
        #expect(read.text == "a" + String(repeating: "語", count: 341))
    }

    @Test func unknownFlagsAreRefused() {
        var bytes = controlSamples[0].bytes
        bytes[8] = 0x80
        #expect(throws: WireError.self) { try controlSamples[0].rewrite(bytes) }
    }

    @Test func headerTellsTheKind() throws {
        let header = try ControlFrame.header(controlSamples[0].bytes)
        #expect(header.kind == .logonRequest && header.requestID == 7)
    }
}

@Suite struct FrameCutterTests {
    private func cut(
        _ stream: [UInt8], pieces: Int, maximum: Int = ControlFrame.maximumRequest
    ) throws -> [[UInt8]] {
        var cutter = FrameCutter(maximum: maximum)
        var frames: [[UInt8]] = []
        var index = 0
        while index < stream.count {
            let piece = Array(stream[index..<min(index + pieces, stream.count)])
            cutter.append(piece.span)
            while let frame = try cutter.next() { frames.append(frame.bytes) }
            index += pieces
        }
        return frames
    }

    @Test func cutsTheSameFramesHoweverTheyArrive() throws {
        var stream: [UInt8] = []
        for sample in controlSamples {
            stream += ControlFrame.bytes { $0.append(sample.bytes) }
        }
        for pieces in [1, 2, 3, 7, 100, 10_000] {
            #expect(try cut(stream, pieces: pieces) == controlSamples.map(\.bytes))
        }
    }

    @Test func refusesALengthOverTheLimitBeforeItsBytesCome() {
        #expect(throws: WireError.self) { try cut([1, 0, 1, 0], pieces: 4) }
        #expect(throws: WireError.self) { try cut([0xff, 0xff, 0xff, 0xff], pieces: 1) }
        #expect(throws: Never.self) {
            try cut([1, 0, 1, 0], pieces: 4, maximum: ControlFrame.maximumReply)
        }
    }

    @Test func refusesAFrameWithoutAHeader() {
        for length in 0..<5 as Range<UInt8> {
            #expect(throws: WireError.self) { try cut([length, 0, 0, 0], pieces: 4) }
        }
    }

    @Test func takesTheLongestFrame() throws {
        let frame = [UInt8](repeating: 3, count: ControlFrame.maximumRequest)
        let stream = ControlFrame.bytes { $0.append(frame) }
        #expect(try cut(stream, pieces: 4_096) == [frame])
    }
}
