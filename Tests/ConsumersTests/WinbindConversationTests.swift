import Crypto
import Testing
import Wire

@testable import Consumers

/// A client and the core that serves it, without a socket between them.
private struct Client {
    let conversation: WinbindConversation
    let interface: WinbindInterface
    var counters = WinbindCounters()
    var now: UInt64 = 1_000

    init(
        _ interface: WinbindInterface = .v32, isPrivileged: Bool = false,
        presumed: [WinbindInterface] = []
    ) {
        self.interface = interface
        conversation = WinbindConversation(
            WinbindHost(
                name: "GATE1", domain: "ADLAB", version: "Postern",
                privilegedDirectory: "/run/postern/winbindd/privileged"),
            isPrivileged: isPrivileged, now: 0)
        conversation.presumed = presumed
    }

    mutating func hear(_ bytes: [UInt8]) throws {
        try conversation.received(bytes.span, now: now)
    }

    mutating func step() throws -> WinbindConversation.Step? {
        try conversation.next(&counters, now: now)
    }

    /// What is answered at once.
    mutating func ask(
        _ command: WinbindCommand, _ body: WinbindRequest.Body = .none
    ) throws -> WinbindResponse {
        var request = WinbindRequest(command, interface)
        request.body = body
        try hear(winbindBytes(request))
        guard case .send(let bytes) = try step() else { throw NoAnswer() }
        return try winbindResponse(bytes, to: command, interface)
    }

    struct NoAnswer: Error {}
}

@Suite struct WinbindConversationTests {
    @Test(arguments: WinbindInterface.allCases)
    func aClientOfEachInterfaceIsToldWhatItExpects(_ interface: WinbindInterface) throws {
        var client = Client(interface, presumed: [interface])
        guard case .number(interface.rawValue) = try client.ask(.interfaceVersion).body else {
            Issue.record("another version")
            return
        }
        let directory = try client.ask(.privilegedDirectory)
        #expect(directory.extra == Array("/run/postern/winbindd/privileged\0".utf8))
        #expect(try client.ask(.ping).isOK)
        guard case .name("GATE1") = try client.ask(.netbiosName).body,
            case .name("ADLAB") = try client.ask(.domainName).body,
            case .info(UInt8(ascii: "\\"), "Postern") = try client.ask(.info).body
        else {
            Issue.record("another host")
            return
        }
        #expect(client.counters.requests == 6 && client.counters.unknown == 0)
    }

    @Test func whoDisconnectsAfterTheVersionCanBeTold() throws {
        var client = Client()
        #expect(!client.conversation.onlyAskedForVersion)
        _ = try client.ask(.interfaceVersion)
        #expect(client.conversation.onlyAskedForVersion)
        _ = try client.ask(.interfaceVersion)
        #expect(!client.conversation.onlyAskedForVersion)
        var other = Client()
        _ = try other.ask(.ping)
        #expect(!other.conversation.onlyAskedForVersion)
    }

    @Test func whatIsPresumedOfAClientCountsOnlyAmongThoseOfItsSize() throws {
        var newer = Client(.v33, presumed: [.v28, .v33])
        guard case .number(33) = try newer.ask(.interfaceVersion).body else {
            Issue.record("not the presumed version")
            return
        }
        var older = Client(.v31, presumed: [.v28, .v33])
        guard case .number(31) = try older.ask(.interfaceVersion).body else {
            Issue.record("not the only version")
            return
        }
    }

    @Test func aRequestThatComesByteByByteIsAnsweredOnce() throws {
        var client = Client()
        let bytes = winbindBytes(WinbindRequest(.ping, .v32))
        for (index, byte) in bytes.enumerated() {
            try client.hear([byte])
            let step = try client.step()
            #expect((step != nil) == (index == bytes.count - 1))
            #expect((client.conversation.partialSince != nil) == (index < bytes.count - 1))
        }
    }

    @Test func aRequestBehindAnotherWaitsForItsAnswer() throws {
        var client = Client()
        let lookup = winbindRequests(.v32)[2]
        try client.hear(winbindBytes(lookup) + winbindBytes(WinbindRequest(.ping, .v32)))
        guard case .ask(let request) = try client.step() else { throw Client.NoAnswer() }
        #expect(request.command == .lookupName && client.conversation.isBusy)
        #expect(try client.step() == nil)
        let answer = client.conversation.answer(WinbindResponse(.v32, isOK: false))
        #expect(answer.count == 4_008)
        guard case .send = try client.step() else { throw Client.NoAnswer() }
        #expect(try client.step() == nil)
    }

    @Test func aClientThatSendsWithoutEndIsRefused() throws {
        var client = Client()
        try client.hear(winbindBytes(winbindRequests(.v32)[2]))
        _ = try client.step()
        let more = winbindBytes(WinbindRequest(.ping, .v32))
        #expect(throws: WireError.self) {
            for _ in 0..<100 { try client.hear(more) }
        }
    }

    @Test func logonsByResponseAreForThePrivilegedSocketAlone() throws {
        let request = winbindRequests(.v32)[5]
        var client = Client()
        #expect(try !client.ask(.pamAuthCrap, request.body).isOK)
        var member = Client(isPrivileged: true)
        try member.hear(winbindBytes(request))
        guard case .ask(let asked) = try member.step(), case .response(let logon) = asked.body
        else { throw Client.NoAnswer() }
        #expect(logon.user == "jürgen" && logon.nt.count == 24)
    }

    @Test func aLongResponseIsTakenFromTheExtraBytes() throws {
        var member = Client(isPrivileged: true)
        try member.hear(winbindBytes(winbindRequests(.v32)[6]))
        guard case .ask(let asked) = try member.step(), case .response(let logon) = asked.body
        else { throw Client.NoAnswer() }
        #expect(logon.nt.count == 300)
    }

    @Test func unknownCommandsAreAnsweredAndCounted() throws {
        var client = Client()
        for number: UInt32 in [24, 77, 0xffff_ffff] {
            #expect(try !client.ask(WinbindCommand(rawValue: number)).isOK)
        }
        #expect(try !client.ask(.pamChangePassword).isOK)
        #expect(client.counters.unknown == 4)
        #expect(try client.ask(.ping).isOK)
    }

    @Test func nobodyHasANumberOnThisHost() throws {
        var client = Client()
        #expect(try !client.ask(.getgroups).isOK)
        #expect(try !client.ask(.getgrgid).isOK)
        #expect(try client.ask(.setpwent).isOK)
        #expect(client.counters.unknown == 0)
    }

    @Test func lengthsOfNoInterfaceAndBoundlessExtraBytesEndTheConversation() throws {
        for size in [0, 4, 100, 2_135, 0xffff] {
            var client = Client()
            try client.hear([UInt8(size & 0xff), UInt8(size >> 8), 0, 0])
            #expect(throws: WireError.self, "\(size)") { try client.step() }
        }
        var client = Client()
        var bytes = winbindBytes(WinbindRequest(.ping, .v32))
        bytes[2_130] = 1
        try client.hear(bytes)
        #expect(throws: WireError.self) { try client.step() }
        var other = Client()
        _ = try other.ask(.ping)
        try other.hear(winbindBytes(WinbindRequest(.ping, .v31)))
        #expect(throws: WireError.self) { try other.step() }
    }
}

@Suite struct WinbindPeersTests {
    @Test func whoIsToldAnotherVersionIsToldTheNextOne() {
        var peers = WinbindPeers(standard: .v32)
        #expect(peers.presumed(user: 0, process: 7).first == .v32)
        peers.refused(.v32, user: 0, process: 7)
        #expect(peers.presumed(user: 0, process: 7).first == .v33)
        #expect(peers.presumed(user: 0, process: 8).first == .v33)
        #expect(peers.presumed(user: 5, process: 7).first == .v32)
        peers.refused(.v33, user: 0, process: 8)
        #expect(peers.presumed(user: 0, process: 8).first == .v32)
        #expect(peers.presumed(user: 0, process: 7).first == .v33)
        for interface in [WinbindInterface.v30, .v28, .v27] {
            peers.refused(interface, user: 5, process: 1)
        }
        #expect(peers.presumed(user: 5, process: 1).first == .v30)
    }

    @Test func whoHasNoChoiceIsNotRemembered() {
        var peers = WinbindPeers(standard: .v32)
        peers.refused(.v31, user: 0, process: 7)
        #expect(peers.presumed(user: 0, process: 7) == [.v32])
    }

    @Test func strangersAreForgottenInTheEnd() {
        var peers = WinbindPeers(standard: .v32)
        for user in 0..<100 { peers.refused(.v32, user: UInt32(user), process: 1) }
        #expect(peers.presumed(user: 0, process: 1) == [.v32])
        #expect(peers.presumed(user: 99, process: 1).first == .v33)
    }
}
