import SMB
import TestSupport
import Testing
import Wire

@Suite struct MessageTests {
    @Test func everyMessageSurvivesRoundTripTruncationAndMutation() {
        let faults = checkMessages(Samples.all)
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    @Test func everyTruncationOfARequestIsRefused() throws {
        for sample in Samples.all {
            for length in 0..<SMB1.Header.size + 3 where length < sample.bytes.count {
                #expect(throws: WireError.self) {
                    try sample.rewrite(Array(sample.bytes[..<length]))
                }
            }
        }
    }

    @Test func refusesAChainThatDoesNotGoForward() throws {
        let header = Samples.header(.sessionSetupAndX, true, unicode: false)
        var bytes = Samples.bytes(header, [
            .sessionSetupResponse(.init()), .treeConnectResponse(
                .init(service: "IPC", nativeFileSystem: nil)),
        ])
        #expect(try Samples.parse(bytes).bodies.count == 2)
        bytes[35] = 33
        #expect(throws: WireError.self) { try Samples.parse(bytes) }
    }

    @Test func refusesAChainOverItsLimit() {
        let header = Samples.header(.logoffAndX, false, unicode: false)
        let many = [SMB1.Body](repeating: .logoff(.init()), count: SMB1.Chain.limit)
        #expect(throws: Never.self) { try Samples.parse(Samples.bytes(header, many)) }
        let tooMany = Samples.bytes(header, many + [.logoff(.init())])
        #expect(throws: WireError.self) { try Samples.parse(tooMany) }
    }

    @Test func countsOffsetsAndAlignmentFromTheHeader() throws {
        let header = Samples.header(.treeConnectAndX, false, unicode: true)
        let plain = Samples.bytes(header, [Samples.requests[6].1])
        let shifted = [0xee] + plain
        var reader = WireReader(shifted.span, layer: "SMB1")
        _ = try reader.uint8("before")
        let message = try SMB1.Message(parsing: &reader)
        #expect(message.bodies == [Samples.requests[6].1])
    }

    @Test func refusesDataOutsideTheMessage() throws {
        let header = Samples.header(.writeAndX, false, unicode: false)
        var bytes = Samples.bytes(header, [.writeRequest(
            .init(fid: 1, writeMode: [], data: 0..<11))])
        let offset = 32 + 1 + 22
        #expect(bytes[offset] == 60)
        bytes[offset] = 61
        #expect(throws: WireError.self) { try Samples.parse(bytes) }
        bytes[offset] = 20
        #expect(throws: WireError.self) { try Samples.parse(bytes) }
    }

    @Test func hidesPasswordsInItsDescription() throws {
        let text = Samples.requests[3].1.description
        #expect(text == "SESSION_SETUP_ANDX \"DOMAIN\\jürgen\" passwords of 3 and 2 bytes")
    }

    @Test func understandsErrorsOfBothForms() throws {
        let refused = SMB1.Status(.nologonInterdomainTrustAccount, isNT: true)
        #expect(refused.rawValue == 0xc000_0198 && refused.isError)
        let dos = SMB1.Status(.nologonInterdomainTrustAccount, isNT: false)
        #expect(dos.dosClass == 1 && dos.dosCode == 1807 && dos.isError)
        #expect(dos.ntStatus == .nologonInterdomainTrustAccount)
        #expect(SMB1.Status(class: 2, code: 9999).ntStatus == .unsuccessful)
        #expect(SMB1.Status(rawValue: 0x0001_0002, isNT: true).isError)
        #expect(!SMB1.Status(rawValue: 0x8000_0005, isNT: true).isError)
        #expect(!SMB1.Status(class: 1, code: 234).isError)
        #expect(!SMB1.Status(rawValue: 0x0000_0103, isNT: true).isError)
    }

    @Test func aRefusedTrustAccountIsAFrameOf93Bytes() {
        let answer = Samples.header(.sessionSetupAndX, false, unicode: false)
            .response(.nologonInterdomainTrustAccount)
        let bytes = Samples.bytes(answer, [.empty(.sessionSetupAndX)])
        #expect(14 + 20 + 20 + 4 + bytes.count == 93)
        #expect(answer.flags.contains(.reply) && answer.flags2.contains(.ntStatus))
    }

    @Test func readsTheExtendedCreateResponseDespiteItsWordCount() throws {
        let body = Samples.responses[10].1
        let bytes = Samples.bytes(Samples.header(.ntCreateAndX, true, unicode: false), [body])
        #expect(bytes[32] == 42 && bytes.count == 32 + 1 + 100 + 2)
        #expect(try Samples.parse(bytes).bodies.count == 1)
    }

    @Test func aFileNamesTerminatorIsNotPartOfIt() throws {
        for unicode in [false, true] {
            let create = SMB1.Body.ntCreateRequest(.init(pipe: "\\lsarpc"))
            var bytes = Samples.bytes(
                Samples.header(.ntCreateAndX, false, unicode: unicode), [create])
            bytes[38] += unicode ? 2 : 1
            #expect(try Samples.parse(bytes).bodies == [create])
        }
    }

    @Test(.enabled(if: Material.vectors != nil))
    func readsSambasSessionSetupBytes() throws {
        let file = try VectorFile("samba_smb1cli_session.json")
        let bytes = file.array("smb1_session_setup_bytes")
        // The blob has 262 bytes, and the block begins at an odd place from the header.
        var writer = WireWriter()
        var header = Samples.header(.sessionSetupAndX, true, unicode: true)
        header.status = SMB1.Status(.moreProcessingRequired, isNT: true)
        header.write(into: &writer)
        writer.append([4, 0xff, 0, 0, 0, 0, 0, 6, 1])
        writer.uint16LE(UInt16(bytes.count))
        writer.append(bytes)
        guard case .sessionSetupResponse(let body) = try Samples.parse(writer.finish()).bodies[0]
        else { throw WireError(.invalid, layer: "test", field: "body", offset: 0) }
        #expect(body.securityBlob?.count == 262)
        #expect(body.nativeOS == "Unix")
        #expect(body.nativeLanMan == "Samba 4.7.0pre1-DEVELOPERBUILD")
        #expect(body.primaryDomain == "SAMBADOMAIN")
    }
}
