import SMB
import TestSupport
import Testing
import Wire

private typealias Event = SMBSessionEvent

@Suite struct ClientSessionTests {
    static let bind: [UInt8] = Array("bind".utf8)
    static let call: [UInt8] = Array("a call".utf8)

    /// What pipes have brought.
    private func received(_ events: [Event]) -> [[UInt8]] {
        events.compactMap { if case .received(_, let bytes) = $0 { bytes } else { nil } }
    }

    @Test func negotiatesThenDoesEverythingInOneMessage() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind, Self.call])
        let events = try talk.run()
        #expect(received(events) == [Self.bind, Self.call])
        #expect(events.contains(.established(isGuest: false)) && events.contains(.opened(pipe)))
        #expect(talk.server.log == [
            [.negotiate],
            [.sessionSetupAndX, .treeConnectAndX, .openAndX, .writeAndX, .readAndX, .writeAndX,
             .readAndX],
        ])
        #expect(talk.server.sizes[0] == 47)
    }

    @Test func callsOnAnOpenPipeAreOneTransactionEach() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.session.transact(pipe, Self.call)
        #expect(try received(talk.run()) == [Self.call])
        #expect(talk.server.log.last == [.transaction])
        // Header, sixteen words, "\PIPE\", the call.
        let size = SMB1.Header.size + 1 + 32 + 2 + 7 + Self.call.count
        #expect(talk.server.sizes.last == size)
    }

    @Test func opensAnotherPipeOnTheSameTree() throws {
        var talk = Conversation()
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        _ = talk.session.open("lsarpc", exchanging: [Self.bind])
        #expect(try received(talk.run()) == [Self.bind])
        #expect(talk.server.log.count == 3)
        #expect(talk.server.log.last == [.openAndX, .writeAndX, .readAndX])
    }

    @Test func sendsAheadOfTheNegotiationWhereToldTo() throws {
        var talk = Conversation { $0.sendsAhead = true }
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        var writer = WireWriter()
        let first = talk.session.writeMessage(into: &writer)
        let second = talk.session.writeMessage(into: &writer)
        #expect(first && second)
        let third = talk.session.writeMessage(into: &writer)
        #expect(!third)
    }

    @Test(arguments: [ScriptedServer.Chaining.firstOnly, .refuses])
    func fallsBackToMessagesOfTheirOwn(chaining: ScriptedServer.Chaining) throws {
        var server = ScriptedServer()
        server.chaining = chaining
        var talk = Conversation(server)
        _ = talk.session.open("netlogon", exchanging: [Self.bind, Self.call])
        #expect(try received(talk.run()) == [Self.bind, Self.call])
        #expect(talk.server.log.suffix(3) == [[.openAndX], [.transaction], [.transaction]])
        #expect(talk.server.log.count { $0.contains(.sessionSetupAndX) }
            == (chaining == .refuses ? 2 : 1))
    }

    @Test func neverChainsWhereToldNotTo() throws {
        var talk = Conversation { $0.chains = false }
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try received(talk.run()) == [Self.bind])
        #expect(talk.server.log.allSatisfy { $0.count == 1 })
    }

    @Test func opensTheOtherWayWhereOneIsRefused() throws {
        var server = ScriptedServer()
        server.knowsOpenAndX = false
        var talk = Conversation(server)
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try talk.run().contains(.received(pipe, Self.bind)))
        #expect(talk.server.log.last?.first == .ntCreateAndX)
    }

    @Test func saysThatAPipeIsNotThere() throws {
        var server = ScriptedServer()
        server.knowsOpenAndX = false
        var talk = Conversation(server)
        let pipe = talk.session.open("nosuch", exchanging: [Self.bind])
        #expect(try talk.run().last == .pipeFailed(pipe, .objectNameNotFound))
        talk.session.transact(pipe, Self.call)
        #expect(try talk.run().isEmpty && talk.session.isIdle)
        let other = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try talk.run().contains(.received(other, Self.bind)) && other != pipe)
    }

    @Test func dropsWhatIsAskedOfAPipeBehindItsEnd() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.session.close(pipe)
        talk.session.transact(pipe, Self.call)
        #expect(try talk.run() == [.closed(pipe)] && talk.session.isIdle)
        #expect(talk.server.log.last == [.close])
    }

    @Test func triesTheTreesLongName() throws {
        var server = ScriptedServer()
        server.longTreeNameOnly = true
        var talk = Conversation(server)
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try received(talk.run()) == [Self.bind])
    }

    @Test func setsMessageModeForThoseWhoWantIt() throws {
        var server = ScriptedServer()
        server.needsMessageMode = true
        server.chaining = .refuses
        var talk = Conversation(server)
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try received(talk.run()) == [Self.bind])
    }

    @Test func readsOnAfterAnOverflow() throws {
        var server = ScriptedServer()
        server.readSize = 4
        var talk = Conversation(server)
        let pipe = talk.session.open("netlogon")
        talk.session.transact(pipe, Self.call)
        #expect(try received(talk.run()) == [Self.call])
        talk.session.transact(pipe, Self.call + Self.call)
        #expect(try received(talk.run()) == [Self.call + Self.call])
        #expect(talk.server.log.suffix(3) == [[.transaction], [.readAndX], [.readAndX]])
    }

    @Test func handsOnPartsWhereTheServerDoesNotSayThatMoreComes() throws {
        var server = ScriptedServer()
        server.readSize = 4
        server.sayOverflow = false
        var talk = Conversation(server)
        let pipe = talk.session.open("netlogon")
        talk.session.transact(pipe, Self.call)
        #expect(try received(talk.run()) == [Array(Self.call[..<4])])
        talk.session.read(pipe)
        #expect(try received(talk.run()) == [Array(Self.call[4...])])
    }

    @Test func putsAnAnswerInPartsTogether() throws {
        var server = ScriptedServer()
        server.partSize = 4
        var talk = Conversation(server)
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.session.transact(pipe, Self.call + Self.bind)
        #expect(try received(talk.run()) == [Self.call + Self.bind])
    }

    @Test func writesInPartsWhatThePeersBufferDoesNotHold() throws {
        var server = ScriptedServer()
        server.maxBufferSize = 1024
        var talk = Conversation(server)
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        let long = (0..<2500).map { UInt8($0 & 0xff) }
        talk.session.transact(pipe, long)
        #expect(try received(talk.run()) == [long])
        #expect(talk.server.written.last == long)
        #expect(talk.server.sizes.allSatisfy { $0 <= 1024 })
        #expect(talk.server.log.suffix(3) == [[.writeAndX], [.writeAndX], [.writeAndX, .readAndX]])
    }

    @Test func tellsThatAMessageWasWritten() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.session.write(pipe, Self.call)
        #expect(try talk.run() == [.written(pipe)])
    }

    @Test func pipesDoNotWaitForEachOther() throws {
        var talk = Conversation()
        let first = talk.session.open("netlogon")
        let second = talk.session.open("netlogon")
        _ = try talk.run()
        for _ in 0..<3 {
            talk.session.transact(first, Self.call)
            talk.session.transact(second, Self.call)
        }
        var writer = WireWriter()
        var count = 0
        while talk.session.writeMessage(into: &writer) { count += 1 }
        #expect(count == 2)
    }

    @Test func givesTreeAndSessionBack() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        talk.session.close(pipe)
        talk.session.disconnect()
        #expect(try talk.run().suffix(2) == [.closed(pipe), .ended])
        #expect(talk.server.log.suffix(3) == [[.close], [.treeDisconnect], [.logoffAndX]])
    }
}

@Suite struct ClientLogonTests {
    /// Any function of all its input will do here.
    private static func md5(_ key: [UInt8], _ message: [UInt8]) -> Bytes16 {
        var sum = [UInt8](repeating: 1, count: 16)
        for (index, byte) in (key + message).enumerated() {
            sum[index & 15] = (sum[index & 15] &* 31) ^ byte
        }
        return Bytes16(sum)
    }

    private static func logon(
        _ name: String, signing: SMB1.Signing? = nil
    ) -> SMB1.ClientSession.Credentials {
        .user { peer in
            guard case .challenge(let challenge, _, _) = peer.security else { return .none(name) }
            return .init(
                accountName: name, primaryDomain: "TRUSTING", lmResponse: challenge,
                ntResponse: challenge.reversed(), signing: signing)
        }
    }

    @Test func saysHowATrustAccountIsRefused() throws {
        var server = ScriptedServer()
        server.sessionStatus = .nologonInterdomainTrustAccount
        var talk = Conversation(server) { $0.credentials = Self.logon("TRUSTING$") }
        #expect(try talk.run().last
            == .failed(.sessionSetup, .nologonInterdomainTrustAccount))
    }

    @Test func neverAsksTwiceWithOnePassword() throws {
        var server = ScriptedServer()
        server.sessionStatus = .logonFailure
        var talk = Conversation(server) { $0.credentials = Self.logon("alice") }
        _ = talk.session.open("netlogon", exchanging: [ClientSessionTests.bind])
        #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
        #expect(talk.server.log.count { $0.contains(.sessionSetupAndX) } == 1)
        #expect(talk.session.isIdle)
    }

    @Test func speaksUnicodeOnlyWhereANameNeedsIt() throws {
        for (name, isUnicode) in [("alice", false), ("jürgen", true)] {
            var talk = Conversation { $0.credentials = Self.logon(name) }
            var writer = WireWriter()
            _ = talk.session.writeMessage(into: &writer)
            for answer in try talk.server.answer(writer.finish()) {
                try talk.session.receive(answer)
            }
            _ = talk.session.writeMessage(into: &writer)
            let message = try Samples.parse(writer.finish())
            #expect(message.header.flags2.contains(.unicode) == isUnicode)
            guard case .sessionSetupRequest(let setup) = message.bodies[0] else { continue }
            #expect(setup.accountName == name)
        }
    }

    @Test func refusesADialectItDidNotOffer() throws {
        var server = ScriptedServer()
        server.dialectIndex = 3
        var talk = Conversation(server)
        #expect(try talk.run() == [.failed(.negotiate, .notSupported)])
    }

    @Test func goesThroughTheStepsOfExtendedSecurity() throws {
        var server = ScriptedServer()
        server.tokens = [[1], [2], []]
        var tokens: [[UInt8]] = []
        var talk = Conversation(server) {
            $0.credentials = .extended { token in
                tokens.append(token)
                return .init(token: [UInt8(tokens.count)], isLast: tokens.count == 3)
            }
        }
        let pipe = talk.session.open("netlogon", exchanging: [ClientSessionTests.bind])
        #expect(try talk.run().contains(.received(pipe, ClientSessionTests.bind)))
        #expect(tokens == [[7, 7], [1], [2]])
        #expect(talk.server.log == [
            [.negotiate], [.sessionSetupAndX], [.sessionSetupAndX],
            [.sessionSetupAndX, .treeConnectAndX, .openAndX, .writeAndX, .readAndX],
        ])
    }

    @Test func givesUpALogonWithoutAnEnd() throws {
        var server = ScriptedServer()
        server.tokens = [[UInt8]](repeating: [1], count: 50)
        var talk = Conversation(server) {
            $0.credentials = .extended { _ in .init(token: [1], isLast: true) }
        }
        _ = talk.session.open("netlogon")
        #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
        #expect(talk.server.log.count == 1 + SMB1.ClientSession.stepLimit)
    }

    @Test func givesUpALogonWhoseTokenNoMessageHolds() throws {
        var server = ScriptedServer()
        server.tokens = [[1], []]
        var talk = Conversation(server) {
            $0.credentials = .extended { _ in
                .init(token: [UInt8](repeating: 1, count: 65_536), isLast: true)
            }
        }
        _ = talk.session.open("netlogon")
        #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
        #expect(talk.server.log == [[.negotiate]])
    }

    @Test func signsFromTheSessionSetupOn() throws {
        let signing = SMB1.Signing(sessionKey: [1, 2], challengeResponse: [3], md5: Self.md5)
        var server = ScriptedServer()
        server.securityMode = [.userSecurity, .encryptPasswords, .signaturesRequired]
        server.signing = signing
        var talk = Conversation(server) { $0.credentials = Self.logon("alice", signing: signing) }
        let pipe = talk.session.open("netlogon", exchanging: [ClientSessionTests.bind])
        _ = try talk.run()
        talk.session.transact(pipe, ClientSessionTests.call)
        talk.session.transact(pipe, ClientSessionTests.call)
        #expect(try talk.run().count == 2)
    }

    @Test func refusesAWrongSignature() throws {
        let signing = SMB1.Signing(sessionKey: [1, 2], challengeResponse: [3], md5: Self.md5)
        var server = ScriptedServer()
        server.securityMode = .signaturesRequired
        var talk = Conversation(server) { $0.credentials = Self.logon("alice", signing: signing) }
        #expect(throws: WireError.self) { try talk.run() }
    }

    @Test func noAnswerMakesItTrap() throws {
        var talk = Conversation()
        let pipe = talk.session.open("netlogon", exchanging: [ClientSessionTests.bind])
        var answers: [(SMB1.ClientSession, [UInt8])] = []
        for round in 0..<3 {
            if round == 2 { talk.session.transact(pipe, ClientSessionTests.call) }
            var writer = WireWriter()
            guard talk.session.writeMessage(into: &writer) else { break }
            for answer in try talk.server.answer(writer.finish()) {
                answers.append((talk.session, answer))
                try talk.session.receive(answer)
            }
        }
        #expect(answers.count == 3)
        for (session, answer) in answers {
            for index in answer.indices {
                for value in [0, 1, 0x7f, 0xff, answer[index] ^ 1, answer[index] &+ 1] {
                    var copy = session
                    var changed = answer
                    changed[index] = value
                    try? copy.receive(changed)
                    var writer = WireWriter()
                    while copy.writeMessage(into: &writer) {}
                    while copy.nextEvent() != nil {}
                }
                var copy = session
                try? copy.receive(Array(answer[..<index]))
                // An error as the status of what would be a success.
                for status in [NTStatus.accessDenied, .invalidSMB, .bufferOverflow, .smbBadUID] {
                    var copy = session
                    var changed = answer
                    for place in 0..<4 {
                        changed[5 + place] = UInt8(status.rawValue >> (8 * UInt32(place)) & 0xff)
                    }
                    try? copy.receive(changed)
                }
            }
        }
    }

    @Test func administersWithoutAPipe() throws {
        var talk = Conversation()
        _ = try talk.run()
        talk.session.administer([104, 0, 7], maxDataCount: 100)
        #expect(try talk.run() == [.administered(parameters: [104, 0, 7], data: [1, 2, 3])])

        talk.server.administers = false
        talk.session.administer([104, 0, 7], maxDataCount: 100)
        #expect(try talk.run() == [.administrationRefused(.accessDenied)])
    }

    @Test func theLogoffGoesRightBehindTheTreesEnd() throws {
        var talk = Conversation()
        _ = try talk.run()
        talk.session.disconnect()
        var writer = WireWriter()
        var sent = 0
        while talk.session.writeMessage(into: &writer) { sent += 1 }
        #expect(sent == 2)
    }
}

extension SMB1.ClientSession.Logon {
    fileprivate static func none(_ name: String) -> Self {
        .init(accountName: name, primaryDomain: "", lmResponse: [], ntResponse: [])
    }
}
