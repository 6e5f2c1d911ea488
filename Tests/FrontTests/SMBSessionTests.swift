import NTLM
import SMB
import Testing
import Wire

@testable import Front

private typealias Event = SMBSessionEvent

/// Our own client, in memory, against the server.
@Suite struct SMBSessionTests {
    static let bind: [UInt8] = Array("bind".utf8)
    static let call: [UInt8] = Array("a call".utf8)

    private func received(_ events: [Event]) -> [[UInt8]] {
        events.compactMap { if case .received(_, let bytes) = $0 { bytes } else { nil } }
    }

    @Test func anonymousDoesEverythingInOneMessage() throws {
        var talk = SMBTalk(SMBWorld())
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind, Self.call])
        let events = try talk.run()
        #expect(received(events) == [Self.bind, Self.call])
        #expect(events.contains(.opened(pipe)))
        #expect(talk.world.frames[SMBWorld.connection]?.count == 2)
        #expect(talk.world.pipes.identities.map(\.kind) == [.anonymous])
        #expect(talk.world.logons.isEmpty)
    }

    @Test(arguments: [SMB1.ClientSession.Configuration.Opening.openAndX, .ntCreateAndX])
    func callsAndClosesAPipe(_ opening: SMB1.ClientSession.Configuration.Opening) throws {
        var talk = SMBTalk(SMBWorld()) {
            $0.openings = [opening]
            $0.chains = false
        }
        let pipe = talk.session.open("lsarpc", exchanging: [Self.bind])
        _ = try talk.run()
        talk.session.transact(pipe, Self.call)
        #expect(try received(talk.run()) == [Self.call])
        talk.session.close(pipe)
        talk.session.disconnect()
        #expect(try talk.run().suffix(2) == [.closed(pipe), .ended])
        #expect(talk.world.pipes.openCount == 0)
    }

    @Test func saysThatAPipeIsNotThere() throws {
        var talk = SMBTalk(SMBWorld())
        let pipe = talk.session.open("nosuch", exchanging: [Self.bind])
        #expect(try talk.run().last == .pipeFailed(pipe, .objectNameNotFound))
        let other = talk.session.open("secret")
        #expect(try talk.run().last == .pipeFailed(other, .accessDenied))
    }

    @Test func longMessagesComeAndGoInParts() throws {
        var talk = SMBTalk(SMBWorld())
        let pipe = talk.session.open("netlogon")
        _ = try talk.run()
        let long = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        talk.session.transact(pipe, long)
        #expect(try received(talk.run()).flatMap { $0 } + readRest(&talk, pipe) == long)
        #expect(talk.world.pipes.written.last == long)
    }

    /// Reads on where the server did not say that the message does.
    private func readRest(
        _ talk: inout SMBTalk, _ pipe: SMBClientPipe
    ) throws -> [UInt8] {
        var out: [UInt8] = []
        while true {
            let before = out.count
            talk.session.read(pipe)
            out += try received(talk.run()).flatMap { $0 }
            if out.count == before { return out }
        }
    }

    @Test func anAnswerThatComesLaterEndsTheRead() throws {
        let world = SMBWorld()
        world.pipes.holds = true
        var talk = SMBTalk(world)
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try received(talk.run()).isEmpty)
        world.pipes.answerAll()
        world.server.pipesAnswered(now: world.now)
        world.settle()
        #expect(try received(talk.run()) == [Self.bind])
        talk.session.transact(pipe, Self.call)
        #expect(try received(talk.run()).isEmpty)
        world.pipes.answerAll()
        world.server.pipesAnswered(now: world.now)
        world.settle()
        #expect(try received(talk.run()) == [Self.call])
    }

    @Test func aBrokenPipeIsToldOf() throws {
        var talk = SMBTalk(SMBWorld())
        let pipe = talk.session.open("broken", exchanging: [Self.bind])
        #expect(try talk.run().contains(.pipeFailed(pipe, .pipeDisconnected)))
    }

    /// A second virtual circuit of a client, and one that says that it is the first (MS-CIFS
    /// 2.2.4.53.1, VcNumber), end nothing of what the client has already.
    @Test(arguments: [0, 1] as [UInt16])
    func connectionsOfOneClientAreIndependent(vcNumber: UInt16) throws {
        var (first, fid) = try SMBHand.onPipe()
        var second = SMBHand(first.world, SMBConnectionID(2))
        _ = try second.negotiate()
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 4_356, maxMpxCount: 2, vcNumber: vcNumber, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: [], [.ntStatus]))
        request.accountName = ""
        let answer = try second.ask(.sessionSetupRequest(request))
        #expect(answer.status == .success)
        second.uid = answer.header.uid
        #expect(try second.take("IPC$") == .success)
        let other = try second.openPipe("lsarpc")
        for (hand, fid) in [(first, fid), (second, other)] {
            let call = SMB1.NamedPipeCall.transact(fid: fid, 0..<2).transaction(maxDataCount: 9)
            let echoed = try hand.ask(.transactionRequest(call), payload: [4, 2])
            guard case .transactionResponse(let body) = echoed.bodies[0] else {
                Issue.record("\(echoed.status)")
                return
            }
            #expect(Array(echoed.bytes[body.data]) == [4, 2])
        }
        #expect(first.world.closed.isEmpty && first.world.pipes.openCount == 2)
        first.mid += 1
        #expect(try first.ask(.logoff(.init())).status == .success)
        #expect(first.world.pipes.openCount == 1)
    }

    @Test func whatIsOpenIsReleasedWithTheConnection() throws {
        var talk = SMBTalk(SMBWorld())
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        #expect(talk.world.pipes.openCount == 1)
        talk.world.server.closed(SMBWorld.connection)
        #expect(talk.world.pipes.openCount == 0 && talk.world.server.connectionCount == 0)
    }

    @Test(arguments: [false, true])
    func usersLogOnByTheirResponses(isNTLMv2: Bool) throws {
        for (name, password) in SMBWorld.users {
            var talk = SMBTalk(SMBWorld()) {
                $0.credentials = SMBTalk.user(name, password, isNTLMv2: isNTLMv2)
            }
            _ = talk.session.open("netlogon", exchanging: [Self.bind])
            let events = try talk.run()
            #expect(received(events) == [Self.bind], "\(name)")
            #expect(talk.world.pipes.identities.map(\.user) == [name])
            #expect(talk.world.logons[0].logon.domain == "GATE")
        }
    }

    @Test(arguments: [false, true], [false, true])
    func sessionsAreSignedWhereTheClientDoes(isNTLMv2: Bool, isRequired: Bool) throws {
        let world = SMBWorld { $0.signing = isRequired ? .required : .offered }
        var talk = SMBTalk(world) {
            $0.credentials = SMBTalk.user("alice", "Secret-1", isNTLMv2: isNTLMv2)
            $0.prefersSigning = true
        }
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        for _ in 0..<3 {
            talk.session.transact(pipe, Self.call)
            #expect(try received(talk.run()) == [Self.call])
        }
        let last = try #require(world.frames[SMBWorld.connection]?.last)
        #expect(last[18..<26].contains { $0 != 0 })
        #expect(world.server.counters.badSignatures == 0)
    }

    @Test func aForgedMessageEndsASignedConnection() throws {
        var talk = SMBTalk(SMBWorld()) {
            $0.credentials = SMBTalk.user("alice", "Secret-1")
            $0.prefersSigning = true
        }
        let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
        _ = try talk.run()
        talk.session.transact(pipe, Self.call)
        var writer = WireWriter()
        let isThere = talk.session.writeMessage(into: &writer)
        #expect(isThere)
        var bytes = writer.finish()
        bytes[bytes.count - 1] ^= 1
        #expect(talk.world.exchange(bytes).isEmpty)
        #expect(talk.world.closed == [SMBWorld.connection])
        #expect(talk.world.server.counters.badSignatures == 1)
    }

    @Test(arguments: [false, true], [ClientHandshake.Responses.ntlmv1, .ntlmv2])
    func usersLogOnWithExtendedSecurity(
        isSPNEGO: Bool, responses: ClientHandshake.Responses
    ) throws {
        for signs in [false, true] {
            var talk = SMBTalk(SMBWorld()) {
                $0.credentials = SMBTalk.extended(
                    "alice", "Secret-1", isSPNEGO: isSPNEGO, responses: responses)
                $0.prefersSigning = signs
            }
            let pipe = talk.session.open("netlogon", exchanging: [Self.bind])
            #expect(try received(talk.run()) == [Self.bind])
            talk.session.transact(pipe, Self.call)
            #expect(try received(talk.run()) == [Self.call])
            #expect(talk.world.logons[0].logon.workstation == "PC1")
            // The key is the one that the client chose.
            #expect(talk.world.pipes.identities[0].sessionKey.bytes
                == [UInt8](repeating: 9, count: 16))
        }
    }

    @Test func nullSessionsWithExtendedSecurity() throws {
        var talk = SMBTalk(SMBWorld()) {
            $0.credentials = SMBTalk.extended(nil, "", isSPNEGO: true)
        }
        _ = talk.session.open("netlogon", exchanging: [Self.bind])
        #expect(try received(talk.run()) == [Self.bind])
        #expect(talk.world.logons.isEmpty)
    }

    @Test func wrongPasswordsAndNamesLookTheSame() throws {
        for (name, password) in [("alice", "wrong"), ("nobody", "wrong")] {
            for isExtended in [false, true] {
                var talk = SMBTalk(SMBWorld()) {
                    $0.credentials = isExtended
                        ? SMBTalk.extended(name, password, isSPNEGO: true)
                        : SMBTalk.user(name, password)
                }
                #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
                #expect(talk.world.server.counters.failedLogons == 1)
            }
        }
    }

    @Test(arguments: [
        NTStatus.nologonInterdomainTrustAccount, .nologonServerTrustAccount,
        .nologonWorkstationTrustAccount, .accountDisabled, .passwordExpired,
    ])
    func trustAccountsAndOthersGetTheirOwnStatus(status: NTStatus) throws {
        let world = SMBWorld()
        world.verdict = .refused(status)
        var talk = SMBTalk(world) { $0.credentials = SMBTalk.user("TRUSTING$", "x") }
        #expect(try talk.run().last == .failed(.sessionSetup, status))
        // The Ethernet, IP and TCP headers are 54 bytes.
        #expect(world.frames[SMBWorld.connection]?.last.map { 54 + $0.count } == 93)
    }

    @Test func noLogonServerAndNoGuest() throws {
        let world = SMBWorld()
        world.verdict = .unavailable
        var talk = SMBTalk(world) { $0.credentials = SMBTalk.user("alice", "Secret-1") }
        #expect(try talk.run().last == .failed(.sessionSetup, .noLogonServers))
        world.verdict = .accepted(FrontIdentity(kind: .guest, user: "guest", domain: "GATE"))
        talk = SMBTalk(world, SMBConnectionID(2)) {
            $0.credentials = SMBTalk.user("alice", "Secret-1")
        }
        #expect(try talk.run().last == .failed(.sessionSetup, .logonFailure))
    }

    @Test func nullSessionsWhereTheyAreNotPermitted() throws {
        var talk = SMBTalk(SMBWorld { $0.allowsNullSessions = false })
        #expect(try talk.run().last == .failed(.sessionSetup, .accessDenied))
    }
}
