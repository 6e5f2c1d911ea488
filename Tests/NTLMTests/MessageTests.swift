import NTLM
import TestSupport
import Testing
import Wire

@Suite struct MessageTests {
    @Test func everyMessageSurvivesTheDriver() {
        let faults = checkMessages(Sample.messages)
        #expect(faults == [])
    }

    /// The header says how long it is by where its first value lies.
    @Test func readsTheHeadersOfEveryAge() throws {
        let plain = Sample.authenticates.map(\.1)
        #expect(try authenticate(plain[0]).version == nil)
        #expect(try authenticate(plain[0]).mic == nil)
        #expect(try authenticate(plain[1]).version == Sample.version)
        #expect(try authenticate(plain[1]).mic == nil)
        #expect(try authenticate(plain[2]).mic?.hex == "0102030405060708090a0b0c0d0e0f10")
        #expect(try authenticate(plain[3]).mic != nil)
        #expect(try authenticate(plain[4]).isAnonymous)
        #expect(try !authenticate(plain[0]).isAnonymous)
    }

    /// Windows 9x ends its header after the workstation, and repeats no flags.
    @Test func readsTheAuthenticateOfWindows9x() throws {
        var writer = WireWriter()
        writer.append(NTLMMessageType.signature)
        writer.uint32LE(3)
        // LM 24 bytes at 64, no NT response, domain at 52, user at 55, workstation at 60.
        for (length, offset) in [(24, 64), (0, 64), (3, 52), (5, 55), (4, 60)] {
            writer.uint16LE(UInt16(length))
            writer.uint16LE(UInt16(length))
            writer.uint32LE(UInt32(offset))
        }
        writer.append(Array("LABALICEWS95".utf8))
        writer.append([UInt8](repeating: 9, count: 24))
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "NTLM")
        let message = try AuthenticateMessage(parsing: &reader, negotiated: [.oem])
        #expect(message.domainName == "LAB")
        #expect(message.userName == "ALICE")
        #expect(message.workstation == "WS95")
        #expect(message.negotiateFlags == .oem)
        #expect(message.lmChallengeResponse == 64..<88)
        #expect(message.ntChallengeResponse.isEmpty)
    }

    @Test func readsTheNegotiateThatEndsAfterItsFlags() throws {
        let bytes = NTLMMessageType.signature + [1, 0, 0, 0, 2, 2, 0, 0]
        #expect(try negotiate(bytes).negotiateFlags == [.oem, .ntlm])
    }

    /// Old clients leave anything in them.
    @Test func readsNoFieldsThatTheFlagsDeclareEmpty() throws {
        let garbage: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
        let bytes = NTLMMessageType.signature + [1, 0, 0, 0, 2, 2, 0, 0] + garbage + garbage
        #expect(try negotiate(bytes).domainName == "")
        // The same fields where the flags say that there are names.
        for flag in [0x10, 0x20] as [UInt8] {
            var claimed = bytes
            claimed[13] |= flag
            #expect(throws: WireError.self) { try negotiate(claimed) }
        }
    }

    @Test func countsOffsetsFromTheMessageNotTheDatagram() throws {
        let (_, message) = Sample.authenticates[1]
        let bytes = [UInt8](repeating: 0xee, count: 100) + message + [0xee]
        let whole = WireReader(bytes.span, layer: "SMB")
        var reader = whole.part(100..<(100 + message.count), layer: "NTLM")
        let parsed = try AuthenticateMessage(parsing: &reader)
        #expect(parsed.userName == "jörg")
        #expect(whole.copy(parsed.lmChallengeResponse) == Array(Sample.payload[..<24]))
        #expect(whole.copy(parsed.encryptedRandomSessionKey) == Array(Sample.payload[48...]))
    }

    @Test func refusesFieldsThatLeaveTheMessage() {
        let bytes = Sample.authenticates[1].1
        let user = 36
        let hostile: [(UInt16, UInt32)] = [
            (8, 0), (8, 51), (8, UInt32(bytes.count - 7)), (8, 0xffff_ffff), (8, 0x7fff_ffff),
            (8, 0x8000_0000), (0xffff, 88), (7, 88),
        ]
        for (length, offset) in hostile {
            var writer = WireWriter()
            writer.append(bytes)
            writer.patch16LE(user, Int(length))
            writer.patch32LE(user + 4, Int(offset))
            let changed = writer.finish()
            #expect(throws: WireError.self, "\(length) at \(offset)") {
                try authenticate(changed)
            }
        }
    }

    @Test func refusesNamesOverTheLimit() {
        let message = NegotiateMessage(
            negotiateFlags: .oem, domainName: String(repeating: "x", count: 1025))
        let bytes = Sample.bytes { message.write(into: &$0) }
        #expect(throws: WireError.self) { try negotiate(bytes) }
    }

    @Test func refusesAnotherTypeAndSignature() {
        let bytes = Sample.negotiates[0].1
        #expect(throws: WireError.self) { try challenge(bytes) }
        #expect(throws: WireError.self) { try authenticate(bytes) }
        #expect(throws: WireError.self) { try negotiate([0x6e] + bytes.dropFirst()) }
    }

    @Test func refusesTooManyPairsAndAListWithoutEnd() {
        let pair: [UInt8] = [1, 0, 0, 0]
        let many = [[UInt8]](repeating: pair, count: AVPairList.limit).flatMap { $0 }
        #expect(throws: Never.self) { try pairs(many + [0, 0, 0, 0]) }
        #expect(throws: WireError.self) { try pairs(many + pair + [0, 0, 0, 0]) }
        #expect(throws: WireError.self) { try pairs(many) }
        #expect(throws: WireError.self) { try pairs([]) }
        #expect(throws: WireError.self) { try pairs([0, 0, 1, 0, 9]) }
    }

    @Test func givesTheValuesOfPairs() {
        var list = Sample.list
        #expect(list.text(.nbComputerName) == "DC1")
        #expect(list.text(.dnsTreeName) == nil)
        #expect(list.flags == .messageIntegrity)
        #expect(list.timestamp == 0x01d0_0000_0000_0001)
        list.set(AVPair([.constrained, .messageIntegrity]))
        list.set(AVPair(.targetName, text: "cifs/dc1"))
        #expect(list.flags == [.constrained, .messageIntegrity])
        #expect(list.pairs.count == Sample.list.pairs.count + 1)
        #expect(list.text(.targetName) == "cifs/dc1")
    }

    // MARK: SPNEGO

    @Test func coversTheListOfMechanismsAsSent() throws {
        let bytes = Sample.tokens[0].1
        guard case .initial(let token) = try token(bytes) else {
            Issue.record("not a NegTokenInit")
            return
        }
        #expect(token.mechTypes == [.kerberos, .microsoftKerberos, .ntlmssp])
        #expect(Array(bytes[token.mechTypeList]) == NegTokenInit.mechTypeList(token.mechTypes))
        #expect(token.mechToken.map { Array(bytes[$0]) } == Sample.payload)
    }

    @Test func takesABareTokenForWhatItIs() throws {
        let bytes = Sample.negotiates[1].1
        #expect(try token(bytes).mechToken == 0..<bytes.count)
    }

    @Test func refusesLengthsThatAreNone() {
        for hostile: [UInt8] in [
            [0xa1, 0x80, 0, 0], [0xa1, 0x84, 0, 0, 0, 2, 0x30, 0],
            [0xa1, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xa1, 0xff],
            [0xa1, 0x83, 0xff, 0xff, 0xff], [0xa1], [], [0x30, 0], [0xa1, 2, 0x30, 0, 0],
            [0xa1, 9, 0x30, 7, 0xa0, 5, 0x0a, 3, 1, 1, 1],
        ] {
            #expect(throws: WireError.self, "\(hostile)") { try token(hostile) }
        }
    }

    @Test func refusesTooManyMechanisms() {
        let type = DERBytes.wrap(6, [0x2a])
        func initial(_ count: Int) -> [UInt8] {
            let types = [[UInt8]](repeating: type, count: count).flatMap { $0 }
            let body = DERBytes.wrap(0xa0, DERBytes.wrap(0x30, types))
            let choice = DERBytes.wrap(0xa0, DERBytes.wrap(0x30, body))
            return DERBytes.wrap(0x60, [6, 6] + MechType.spnego.rawValue + choice)
        }
        #expect(throws: Never.self) { try token(initial(NegTokenInit.mechTypeLimit)) }
        #expect(throws: WireError.self) { try token(initial(NegTokenInit.mechTypeLimit + 1)) }
        let long = DERBytes.wrap(6, [UInt8](repeating: 1, count: MechType.limit + 1))
        let response = DERBytes.wrap(0xa1, DERBytes.wrap(0x30, DERBytes.wrap(0xa1, long)))
        #expect(throws: WireError.self) { try token(response) }
    }
}

enum DERBytes {
    static func wrap(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag, UInt8(content.count)] + content
    }
}
