import Crypto
import SMB
import Simulation
import Testing
import Wire

/// A session and its server, run until both have nothing more to say. The pipe echoes.
private struct Talk {
    var session: SMB2.ClientSession
    var server = SMB2Server()
    var echoes = true
    /// Changes the server's messages on their way, by their command.
    var spoils: (SMB2.Command, inout [UInt8]) -> Void = { _, _ in }

    static let key = Bytes16([UInt8](0..<16))
    static var signing: SMB2.Signing {
        SMB2.Signing(sessionKey: key) { HMACSHA256.code(key: $0, $1) }
    }

    init(_ dialects: [SMB2.Dialect] = SMB2.ClientSession.Configuration.unsigned) {
        self.init(dialects) { SMB2.ClientSession.SecurityStep(token: [0xaa] + $0) }
    }

    init(
        _ dialects: [SMB2.Dialect],
        authenticate: @escaping ([UInt8]) -> SMB2.ClientSession.SecurityStep?
    ) {
        session = SMB2.ClientSession(
            SMB2.ClientSession.Configuration(
                server: "10.77.0.10", clientGUID: Bytes16([UInt8](20..<36)),
                salt: Bytes16([UInt8](40..<56)), dialects: dialects, authenticate: authenticate))
        server.tokens = [[1], [2], [3]]
    }

    /// One in which both ends sign.
    static func signed() -> Talk {
        var talk = Talk(SMB2.ClientSession.Configuration.signed) {
            SMB2.ClientSession.SecurityStep(token: $0, signing: signing)
        }
        talk.server.dialect = .smb21
        talk.server.sessionFlags = 0
        talk.server.signing = signing
        return talk
    }

    mutating func run() throws -> [SMBSessionEvent] {
        var told: [SMBSessionEvent] = []
        while true {
            var writer = WireWriter()
            let sends = session.writeMessage(into: &writer)
            while let event = session.nextEvent() { told.append(event) }
            if !sends { return told }
            if let written = try server.receive(writer.finish()), echoes { server.bring(written) }
            for var message in server.takeOutgoing() {
                let command = SMB2.Command(rawValue: UInt16(message[12]))
                spoils(command, &message)
                try session.receive(message)
            }
        }
    }
}

@Suite struct SMB2ClientSessionTests {
    private static let bind: [UInt8] = Array("bind".utf8)
    private static let call: [UInt8] = Array("a call".utf8)

    @Test(arguments: SMB2.ClientSession.Configuration.unsigned)
    func sessionStandsInEveryVersionThatIsOffered(_ dialect: SMB2.Dialect) throws {
        var talk = Talk()
        talk.server.dialect = dialect
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind, Self.call])
        let events = try talk.run()
        #expect(events == [
            .negotiated, .established(isGuest: false), .opened(pipe),
            .received(pipe, Self.bind), .received(pipe, Self.call),
        ])
        #expect(talk.server.log == [
            .negotiate, .sessionSetup, .sessionSetup, .treeConnect, .create, .ioctl, .ioctl,
        ])
        #expect(talk.session.isIdle)
    }

    @Test func requestsSayWhatTheyAreOf() throws {
        var talk = Talk()
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        let requests = talk.server.requests
        #expect(requests.map(\.header.messageID) == Array(0..<6))
        #expect(requests.allSatisfy { $0.header.credits == 1 && $0.header.creditCharge == 0 })
        #expect(requests.map(\.header.sessionID)
            == [0, 0] + [UInt64](repeating: SMB2Server.sessionID, count: 4))
        #expect(requests.map(\.header.treeID) == [0, 0, 0, 0, SMB2Server.treeID, SMB2Server.treeID])
        // The last token answers the first one's challenge.
        #expect(talk.server.clientTokens == [[0xaa, 1], [0xaa, 2]])
        #expect(requests[3].body == .treeConnectRequest(.init(path: "\\\\10.77.0.10\\IPC$")))
        #expect(requests[4].body == .createRequest(.init(name: "netlogon")))
        guard case .transceiveRequest(let call) = requests[5].body else {
            Issue.record("no FSCTL_PIPE_TRANSCEIVE")
            return
        }
        #expect(call.fileID == SMB2Server.fileID && call.maxOutput == 5_840)
    }

    @Test(arguments: [SMB2.Dialect(rawValue: 0x02ff), SMB2.Dialect(rawValue: 0x0312), .smb311])
    func versionThatWasNotOfferedIsNotTaken(_ dialect: SMB2.Dialect) throws {
        var talk = Talk(SMB2.ClientSession.Configuration.signed)
        talk.server.dialect = dialect
        #expect(try talk.run() == [.failed(.negotiate, .notSupported)])
        #expect(talk.server.log == [.negotiate])
    }

    @Test func announcedAnswersAreWaitedFor() throws {
        var talk = Talk()
        talk.server.pends = [.create, .ioctl]
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind, Self.call])
        #expect(try talk.run().suffix(3)
            == [.opened(pipe), .received(pipe, Self.bind), .received(pipe, Self.call)])
    }

    @Test(arguments: [1, 5, 100])
    func longMessageIsReadToItsEnd(_ most: Int) throws {
        var talk = Talk()
        talk.server.most = most
        let message = [UInt8]((0..<250).map { UInt8($0) })
        let pipe = talk.session.open("netlogon", exchanging: [message])
        #expect(try talk.run().last == .received(pipe, message))
        #expect(talk.server.log.filter { $0 == .read }.count == (250 + most - 1) / most - 1)
    }

    @Test func requestInFragmentsIsWrittenThenCalled() throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.echoes = false
        talk.session.write(pipe, Self.bind)
        talk.session.write(pipe, Self.bind)
        talk.session.transact(pipe, Self.call)
        #expect(try talk.run() == [.written(pipe), .written(pipe)])
        #expect(talk.session.isWaiting)
        talk.server.bring([1, 2, 3])
        for message in talk.server.takeOutgoing() { try talk.session.receive(message) }
        #expect(talk.session.nextEvent() == .received(pipe, [1, 2, 3]))
        // The next fragment of the answer is read by itself.
        talk.server.bring([4])
        talk.session.read(pipe)
        #expect(try talk.run() == [.received(pipe, [4])])
        #expect(talk.server.log.suffix(4) == [.write, .write, .ioctl, .read])
    }

    @Test func closesAndEnds() throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        talk.session.close(pipe)
        // What is asked of a pipe that is closed is dropped.
        talk.session.transact(pipe, Self.call)
        #expect(try talk.run() == [.closed(pipe)])
        let next = talk.session.open("lsarpc")
        #expect(next != pipe)
        talk.session.disconnect()
        #expect(try talk.run() == [.opened(next), .ended])
        #expect(talk.server.log.suffix(4) == [.close, .create, .treeDisconnect, .logoff])
        talk.session.transact(next, Self.call)
        #expect(try talk.run().isEmpty)
    }

    // MARK: Refusals

    @Test(arguments: [
        (SMB2.Command.negotiate, SMBSessionStage.negotiate), (.sessionSetup, .sessionSetup),
        (.treeConnect, .treeConnect),
    ])
    func refusalSaysWhichStage(_ command: SMB2.Command, _ stage: SMBSessionStage) throws {
        var talk = Talk()
        talk.server.refusals = [command: .accessDenied]
        _ = talk.session.open("netlogon")
        #expect(try talk.run().last == .failed(stage, .accessDenied))
        #expect(talk.server.log.last == command)
    }

    @Test func pipeThatIsRefusedLeavesTheOthers() throws {
        var talk = Talk()
        talk.server.refusals = [.create: .objectNameNotFound]
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try talk.run().last == .pipeFailed(pipe, .objectNameNotFound))
        talk.server.refusals = [:]
        let other = talk.session.open("lsarpc", exchanging: [Self.bind])
        #expect(try talk.run() == [.opened(other), .received(other, Self.bind)])
    }

    @Test(arguments: [SMB2.Command.ioctl, .read, .write])
    func callThatIsRefusedFailsItsPipe(_ command: SMB2.Command) throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.server.refusals = [command: .pipeDisconnected]
        talk.session.write(pipe, Self.bind)
        talk.session.transact(pipe, Self.call)
        talk.session.read(pipe)
        talk.echoes = false
        if command == .read { talk.server.bring([1]) }
        #expect(try talk.run().last == .pipeFailed(pipe, .pipeDisconnected))
        talk.session.close(pipe)
        #expect(try talk.run() == [.closed(pipe)])
    }

    @Test(arguments: [NTStatus.networkNameDeleted, .userSessionDeleted, .networkSessionExpired])
    func sessionThatTheServerForgotIsOver(_ status: NTStatus) throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.server.refusals = [.ioctl: status]
        talk.session.transact(pipe, Self.call)
        #expect(try talk.run() == [.failed(.treeConnect, status)])
    }

    @Test func logonThatGoesOnForEverIsGivenUp() throws {
        var talk = Talk()
        talk.server.tokens = [[UInt8]](repeating: [1], count: 20)
        #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
        #expect(talk.server.clientTokens.count == SMB2.ClientSession.stepLimit)
    }

    @Test func logonThatHasNoAnswerIsGivenUp() throws {
        var talk = Talk(SMB2.ClientSession.Configuration.unsigned) { _ in nil }
        #expect(try talk.run() == [.negotiated, .failed(.sessionSetup, .logonFailure)])
    }

    @Test func serverThatWantsCiphersIsNotServed() throws {
        var talk = Talk()
        talk.server.sessionFlags = SMB2.SessionSetupResponse.encryptData
        #expect(try talk.run().last == .failed(.sessionSetup, .notSupported))
    }

    // MARK: Lies

    @Test func serverThatGrantsNoRequestIsLeft() {
        var talk = Talk()
        talk.server.credits = 0
        #expect(throws: WireError.self) { try talk.run() }
        #expect(talk.server.log == [.negotiate])
    }

    @Test func answersToNothingAreLeftOut() throws {
        for place in [24, 16] {
            var talk = Talk()
            // Another MessageId; no flag of a response.
            talk.spoils = { if $0 == .treeConnect { $1[place] ^= 1 } }
            #expect(try talk.run() == [.negotiated])
            #expect(talk.session.isWaiting)
        }
    }

    @Test func answerOfAnotherCommandEndsAll() {
        var talk = Talk()
        talk.spoils = { if $0 == .treeConnect { $1[12] = 5 } }
        #expect(throws: WireError.self) { try talk.run() }
    }

    @Test func compoundThatNobodyAskedForEndsAll() {
        var talk = Talk()
        talk.spoils = { if $0 == .create { $1[20] = 64 } }
        _ = talk.session.open("netlogon")
        #expect(throws: WireError.self) { try talk.run() }
    }

    @Test func moreWrittenThanSentIsALie() throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        talk.spoils = { if $0 == .write { $1[68] += 1 } }
        talk.session.write(pipe, Self.bind)
        #expect(throws: WireError.self) { try talk.run() }
    }

    @Test func messageWithoutEndIsLeft() throws {
        var talk = Talk()
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        // Each part says that more follows.
        talk.spoils = { command, message in
            if command == .ioctl || command == .read {
                for (index, byte) in [UInt8](arrayLiteral: 5, 0, 0, 0x80).enumerated() {
                    message[8 + index] = byte
                }
            }
        }
        for _ in 0..<40 { talk.server.bring([UInt8](repeating: 1, count: 5_000)) }
        talk.session.transact(pipe, Self.call)
        #expect(throws: WireError.self) { try talk.run() }
    }

    // MARK: Signatures

    @Test func allAfterTheLogonIsSigned() throws {
        var talk = Talk.signed()
        let pipe = talk.session.open("samr", exchanging: [Self.bind])
        #expect(try talk.run().last == .received(pipe, Self.bind))
        #expect(talk.server.requests.map { $0.header.flags.contains(.signed) }
            == [false, false, false, true, true, true])
    }

    @Test(arguments: [SMB2.Command.sessionSetup, .treeConnect, .create, .ioctl])
    func wrongSignatureEndsAll(_ command: SMB2.Command) {
        var talk = Talk.signed()
        talk.spoils = { if $0 == command, $1[16] & 8 != 0 { $1[50] ^= 1 } }
        _ = talk.session.open("samr", exchanging: [Self.bind])
        #expect(throws: WireError.self) { try talk.run() }
        #expect(talk.server.log.last == command)
    }

    @Test func missingSignatureEndsAll() {
        var talk = Talk.signed()
        talk.spoils = { if $0 == .create { $1[16] &= ~8 } }
        _ = talk.session.open("samr")
        #expect(throws: WireError.self) { try talk.run() }
    }

    @Test func announcementNeedsNoSignature() throws {
        var talk = Talk.signed()
        talk.server.pends = [.ioctl]
        let pipe = talk.session.open("samr", exchanging: [Self.bind])
        #expect(try talk.run().last == .received(pipe, Self.bind))
    }

    /// Who takes the signatures away by calling a user nobody, is told of as well.
    @Test(arguments: [SMB2.SessionSetupResponse.isGuest, SMB2.SessionSetupResponse.isNull])
    func guestHasNoKeyToSignWith(_ flags: UInt16) throws {
        var talk = Talk.signed()
        talk.server.signing = nil
        talk.server.sessionFlags = flags
        _ = talk.session.open("samr")
        #expect(try talk.run().contains(.established(isGuest: true)))
        #expect(!talk.server.requests.contains { $0.header.flags.contains(.signed) })
    }
}
