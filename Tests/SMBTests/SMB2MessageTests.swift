import Crypto
import SMB
import TestSupport
import Testing
import Wire

/// Every SMB2 message that sessions with pipes are made of.
enum SMB2Samples {
    static let payload: [UInt8] = Array("a payload for pipes and blobs".utf8)
    static let fileID = Bytes16([UInt8](1...16))

    static func header(_ command: SMB2.Command, _ isResponse: Bool) -> SMB2.Header {
        var header = SMB2.Header(command, messageID: 7)
        if isResponse { header.flags = .response }
        header.treeID = 5
        header.sessionID = 0x0102_0304_0506_0708
        header.signature = Bytes16([UInt8](101...116))
        return header
    }

    static func bytes(_ header: SMB2.Header, _ body: SMB2.Body) -> [UInt8] {
        var writer = WireWriter()
        SMB2.Message(header, body).write(into: &writer, from: payload.span)
        return writer.finish()
    }

    static func parse(_ bytes: [UInt8]) throws -> SMB2.Message {
        var reader = WireReader(bytes.span, layer: "SMB2")
        return try SMB2.Message(parsing: &reader)
    }

    static func rewrite(_ bytes: [UInt8]) throws -> [UInt8] {
        let message = try parse(bytes)
        _ = message.header.description
        var writer = WireWriter()
        message.write(into: &writer, from: bytes.span)
        return writer.finish()
    }

    static let requests: [(SMB2.Command, SMB2.Body)] = {
        var setup = SMB2.SessionSetupRequest()
        setup.securityBuffer = 0..<11
        setup.previousSessionID = 9
        var write = SMB2.WriteRequest(fileID: fileID)
        write.data = 3..<20
        var call = SMB2.TransceiveRequest(fileID: fileID, maxOutput: 4_280)
        call.input = 0..<29
        return [
            (.negotiate, .negotiateRequest(.init([.smb202], clientGUID: fileID, salt: nil))),
            (.negotiate, .negotiateRequest(
                .init([.smb202, .smb21, .smb311], clientGUID: fileID, salt: fileID))),
            (.sessionSetup, .sessionSetupRequest(setup)),
            (.treeConnect, .treeConnectRequest(.init(path: "\\\\10.77.0.10\\IPC$"))),
            (.create, .createRequest(.init(name: "netlogon"))),
            (.write, .writeRequest(write)),
            (.read, .readRequest(.init(fileID: fileID, length: 4_280))),
            (.ioctl, .transceiveRequest(call)),
            (.close, .closeRequest(.init(fileID: fileID))),
            (.treeDisconnect, .farewell(.init())),
            (.logoff, .farewell(.init())),
            (SMB2.Command(rawValue: 14), .other(0..<9)),
        ]
    }()

    static let responses: [(SMB2.Command, SMB2.Body)] = {
        var negotiated = SMB2.NegotiateResponse(.smb311)
        negotiated.securityBuffer = 0..<7
        var setUp = SMB2.SessionSetupResponse(sessionFlags: SMB2.SessionSetupResponse.isNull)
        setUp.securityBuffer = 2..<9
        var read = SMB2.ReadResponse()
        read.data = 0..<29
        var called = SMB2.TransceiveResponse(fileID: fileID)
        called.output = 5..<29
        return [
            (.negotiate, .negotiateResponse(negotiated)),
            (.sessionSetup, .sessionSetupResponse(setUp)),
            (.treeConnect, .treeConnectResponse(.init())),
            (.create, .createResponse(.init(fileID: fileID))),
            (.write, .writeResponse(.init(count: 17))),
            (.read, .readResponse(read)),
            (.ioctl, .transceiveResponse(called)),
            (.close, .closeResponse(.init())),
            (.logoff, .farewell(.init())),
        ]
    }()

    static var all: [MessageSample] {
        var samples: [MessageSample] = []
        func add(_ name: String, _ header: SMB2.Header, _ body: SMB2.Body) {
            samples.append(MessageSample(name: name, bytes: bytes(header, body), rewrite: rewrite))
        }
        for (command, body) in requests { add("\(command)", header(command, false), body) }
        for (command, body) in responses {
            add("\(command)'s response", header(command, true), body)
        }
        var refused = header(.create, true)
        refused.status = .objectNameNotFound
        add("refusal", refused, .error(.init()))
        var announced = header(.ioctl, true)
        (announced.status, announced.flags) = (.pending, [.response, .async])
        (announced.treeID, announced.asyncID) = (0, 77)
        add("announcement", announced, .error(.init()))
        return samples
    }
}

@Suite struct SMB2MessageTests {
    @Test func everyMessageSurvivesRoundTripTruncationAndMutation() {
        let faults = checkMessages(SMB2Samples.all)
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    @Test func everyTruncationOfWhatIsFixedIsRefused() {
        for sample in SMB2Samples.all {
            for length in 0..<(SMB2.Header.size + 4) where length < sample.bytes.count {
                #expect(throws: WireError.self, "\(sample.name), \(length) bytes") {
                    let bytes = Array(sample.bytes[..<length])
                    // Of a body that is not known nothing is asked.
                    if case .other = try SMB2Samples.parse(bytes).body {
                        throw WireError(.truncated, layer: "SMB2", field: "Body", offset: length)
                    }
                }
            }
        }
    }

    @Test func refusesAnotherProtocolAndOtherSizes() {
        let header = SMB2Samples.header(.create, true)
        let bytes = SMB2Samples.bytes(header, .createResponse(.init(fileID: SMB2Samples.fileID)))
        for place in [0, 4, 64] {
            var changed = bytes
            changed[place] ^= 0x10
            #expect(throws: WireError.self) { try SMB2Samples.parse(changed) }
        }
    }

    /// MS-SMB2 2.2.32: OutputOffset at 96, OutputCount at 100.
    @Test(arguments: [(96, 113), (96, 0), (96, 0xff), (99, 0x7f), (100, 25), (103, 0x80)])
    func refusesDataOutsideTheMessage(_ place: Int, _ value: Int) throws {
        let (command, body) = SMB2Samples.responses[6]
        var bytes = SMB2Samples.bytes(SMB2Samples.header(command, true), body)
        guard case .transceiveResponse(let right) = try SMB2Samples.parse(bytes).body else {
            Issue.record("not parsed")
            return
        }
        #expect(right.output == 112..<136 && bytes.count == 136)
        bytes[place] = UInt8(value)
        #expect(throws: WireError.self) { try SMB2Samples.parse(bytes) }
    }

    @Test func countsOffsetsFromTheHeader() throws {
        for (command, body) in SMB2Samples.requests {
            let plain = SMB2Samples.bytes(SMB2Samples.header(command, false), body)
            var writer = WireWriter()
            writer.zeros(3)
            SMB2.Message(SMB2Samples.header(command, false), body)
                .write(into: &writer, from: SMB2Samples.payload.span)
            let shifted = writer.finish()
            #expect(Array(shifted[3...]) == plain, "\(command)")
            var reader = WireReader(shifted.span, layer: "SMB2")
            _ = try reader.take(3, "before")
            let message = try SMB2.Message(parsing: &reader)
            #expect(message.header == SMB2Samples.header(command, false))
        }
    }

    /// MS-SMB2 2.2.3.1: the list begins at a multiple of eight from the header.
    @Test func negotiationOfVersion311CarriesItsHash() throws {
        let bytes = SMB2Samples.bytes(
            SMB2Samples.header(.negotiate, false), SMB2Samples.requests[1].1)
        let place = 64 + 36 + 6 + 6
        #expect(place % 8 == 0 && bytes.count == place + 8 + 6 + 16)
        #expect(Int(bytes[64 + 28]) == place && bytes[64 + 32] == 1)
        #expect(Array(bytes[place..<(place + 14)])
            == [1, 0, 22, 0, 0, 0, 0, 0, 1, 0, 16, 0, 1, 0])
    }

    /// The bytes are Python's: hmac.new(key, message, sha256).digest()[:16].
    @Test func signatureIsHalfOfAnHMAC() throws {
        let signing = SMB2.Signing(sessionKey: Bytes16([UInt8](0..<16))) {
            HMACSHA256.code(key: $0, $1)
        }
        var header = SMB2.Header(.logoff, messageID: 3)
        (header.treeID, header.sessionID) = (5, 0x0000_0400_0000_0011)
        var bytes = SMB2Samples.bytes(header, .farewell(.init()))
        #expect(!signing.verifies(bytes))
        signing.sign(&bytes)
        let signed = try SMB2Samples.parse(bytes).header
        #expect(signed.flags == .signed)
        #expect(signed.signature.hex == "3a5a88328f9d796a358115e0dfd93ab1")
        #expect(signing.verifies(bytes))
        for place in [8, 50, 67] {
            var changed = bytes
            changed[place] ^= 1
            #expect(!signing.verifies(changed))
        }
    }
}
