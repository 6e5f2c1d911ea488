import NTLM
import NetBIOS
import SMB
import Testing
import Wire

@testable import Front

@Suite struct SMBDialectTests {
    static let all = [
        "PC NETWORK PROGRAM 1.0", "MICROSOFT NETWORKS 1.03", "MICROSOFT NETWORKS 3.0",
        "LANMAN1.0", "LM1.2X002", "DOS LANMAN2.1", "LANMAN2.1", "Samba", "NT LANMAN 1.0",
        "NT LM 0.12", "SMB 2.002", "SMB 2.???",
    ]

    @Test(arguments: [
        (1, 0), (2, 1), (3, 2), (4, 2), (5, 4), (6, 5), (7, 5), (8, 5), (9, 8), (10, 8), (12, 8),
    ])
    func choosesTheNewestDialect(offered: Int, chosen: Int) throws {
        var hand = SMBHand(SMBWorld())
        let answer = try hand.negotiate(Array(Self.all[..<offered]))
        guard case .negotiateResponse(let response) = answer.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(Int(response.dialectIndex) == chosen)
        switch response {
        case .core: #expect(chosen < 2)
        case .lanMan(let body):
            #expect((2..<8).contains(chosen))
            #expect(body.encryptionKey.count == 8)
            #expect(body.securityMode == [.userSecurity, .encryptPasswords])
            #expect(body.primaryDomain == (chosen == 5 ? "GATE" : nil))
            // 9 November 2004, 11:33:20.
            #expect(body.serverDate == 24 << 9 | 11 << 5 | 9)
            #expect(body.serverTime == 11 << 11 | 33 << 5 | 10)
        case .ntLM(let body):
            #expect(chosen == 8)
            #expect(body.maxBufferSize == 16_644)
        }
    }

    /// Every name that a client may know a dialect by, alone among names that nobody knows.
    @Test(arguments: [
        ("PC NETWORK PROGRAM 1.0", SMBDialect.core), ("PCLAN1.0", .core),
        ("MICROSOFT NETWORKS 1.03", .corePlus),
        ("MICROSOFT NETWORKS 3.0", .lanMan10), ("LANMAN1.0", .lanMan10),
        ("LM1.2X002", .lanMan20), ("DOS LM1.2X002", .lanMan20),
        ("LANMAN2.1", .lanMan21), ("DOS LANMAN2.1", .lanMan21),
        ("NT LM 0.12", .ntLM), ("NT LANMAN 1.0", .ntLM),
    ])
    func eachNameAloneIsChosenInItsForm(name: String, dialect: SMBDialect) throws {
        for before in 0..<3 {
            var hand = SMBHand(SMBWorld())
            let offer = [String](repeating: "XENIX CORE", count: before) + [name, "Samba"]
            let answer = try hand.negotiate(offer)
            guard case .negotiateResponse(let response) = answer.bodies[0] else {
                Issue.record("\(answer.status)")
                return
            }
            #expect(Int(response.dialectIndex) == before)
            switch response {
            case .core: #expect(dialect == .core || dialect == .corePlus)
            case .lanMan(let body):
                #expect([.lanMan10, .lanMan20, .lanMan21].contains(dialect))
                #expect(body.primaryDomain == (dialect == .lanMan21 ? "GATE" : nil))
            case .ntLM: #expect(dialect == .ntLM)
            }
        }
    }

    @Test func refusesSMB2WithoutAnOlderDialect() throws {
        var hand = SMBHand(SMBWorld())
        let answer = try hand.negotiate(["SMB 2.002", "SMB 2.???"])
        #expect(answer.bodies == [.negotiateResponse(.core(dialectIndex: 0xffff))])
        // Another try may follow.
        let again = try hand.ask(.negotiateRequest(.init()))
        guard case .negotiateResponse(.ntLM) = again.bodies[0] else {
            Issue.record("not NT LM 0.12")
            return
        }
    }

    @Test func endsConnectionsOfSMB2AndOfSecondNegotiations() throws {
        let world = SMBWorld()
        world.open()
        #expect(world.exchange([0xfe, 0x53, 0x4d, 0x42] + [UInt8](repeating: 0, count: 64)).isEmpty)
        #expect(world.closed == [SMBWorld.connection])
        var hand = SMBHand(world, SMBConnectionID(2))
        _ = try hand.negotiate()
        #expect(try hand.all([.negotiateRequest(.init())]).isEmpty)
        #expect(world.closed.contains(SMBConnectionID(2)))
    }

    @Test func requestsBeforeTheNegotiationEndTheConnection() throws {
        let hand = SMBHand(SMBWorld())
        hand.world.open()
        #expect(try hand.all([.treeDisconnect(.init())]).isEmpty)
        #expect(hand.world.closed == [SMBWorld.connection])
    }

    @Test func extendedSecurityOffersNTLMSSP() throws {
        var hand = SMBHand(SMBWorld { $0.signing = .required })
        hand.flags2.insert(.extendedSecurity)
        let answer = try hand.negotiate()
        guard case .negotiateResponse(.ntLM(let body)) = answer.bodies[0],
            case .extended(let guid, let blob) = body.security
        else {
            Issue.record("not extended")
            return
        }
        #expect(guid.bytes == [UInt8](repeating: 7, count: 16))
        #expect(body.securityMode.contains(.signaturesRequired))
        var reader = WireReader(answer.bytes.span, layer: "test")
        reader = reader.part(blob)
        #expect(try NegTokenInit(parsing: &reader).mechTypes == [.ntlmssp])
    }

    // MARK: LANMAN

    private func setUp(
        _ hand: inout SMBHand, _ name: String, _ password: [UInt8]
    ) throws -> SMBHand.Answer {
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 2_920, maxMpxCount: 1, sessionKey: 0,
            credentials: .lanMan(password: password))
        request.accountName = name
        request.primaryDomain = "GATE"
        request.nativeOS = "DOS"
        let answer = try hand.ask(.sessionSetupRequest(request))
        hand.uid = answer.header.uid
        return answer
    }

    private func lanMan(_ hand: inout SMBHand) throws -> Bytes8 {
        hand.flags2 = []
        let answer = try hand.negotiate(["LANMAN1.0", "LM1.2X002"])
        guard case .negotiateResponse(.lanMan(let body)) = answer.bodies[0] else {
            return Bytes8()
        }
        return Bytes8(body.encryptionKey)
    }

    @Test func lanManClientsLogOnWithLMResponses() throws {
        var hand = SMBHand(SMBWorld())
        let challenge = try lanMan(&hand)
        let owf = try #require(LMOWF.v1(password: "LOWER"))
        let response = NTLMv1.response(owf: owf, challenge: challenge).bytes
        #expect(try setUp(&hand, "BOB", response).header.status.rawValue == 0)
        let tree = try hand.ask(.treeConnectRequest(
            .init(path: "\\\\GATE1\\IPC$", service: SMB1.TreeConnectRequest.ipc)))
        #expect(tree.bodies == [.treeConnectResponse(
            .init(optionalSupport: nil, service: "IPC", nativeFileSystem: nil))])
        hand.tid = tree.header.tid
        let fid = try hand.openPipe("LSARPC")
        let answer = try hand.ask(
            .transactionRequest(
                SMB1.NamedPipeCall.transact(fid: fid, 0..<3).transaction(maxDataCount: 100)),
            payload: [1, 2, 3])
        guard case .transactionResponse(let body) = answer.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(Array(answer.bytes[body.data]) == [1, 2, 3])
    }

    @Test func lanManClientsAreToldDOSErrors() throws {
        var hand = SMBHand(SMBWorld())
        _ = try lanMan(&hand)
        let wrong = [UInt8](repeating: 1, count: 24)
        let answer = try setUp(&hand, "BOB", wrong)
        #expect(answer.header.status.dosClass == 2 && answer.header.status.dosCode == 2)
        hand.uid = 77
        let tree = try hand.ask(.treeDisconnect(.init()))
        #expect(tree.header.status.dosClass == 2 && tree.header.status.dosCode == 91)
    }

    @Test func passwordsInPlainAreTakenOnlyWherePermitted() throws {
        for isPermitted in [false, true] {
            var hand = SMBHand(SMBWorld { $0.allowsPlainPasswords = isPermitted })
            _ = try lanMan(&hand)
            let answer = try setUp(&hand, "bob", Array("lower\0".utf8))
            #expect((answer.status == .success) == isPermitted)
            #expect(hand.world.logons.count == (isPermitted ? 1 : 0))
            let refused = isPermitted ? [] : ["bob"]
            #expect(hand.world.server.counters.plainPasswords == refused.count)
            #expect(hand.world.blocked.map(\.user) == refused)
        }
    }

    @Test func aNameWithoutAPasswordIsNoNullSession() throws {
        var hand = SMBHand(SMBWorld())
        _ = try lanMan(&hand)
        #expect(try setUp(&hand, "GUEST", [0]).status != .success)
        #expect(try setUp(&hand, "", [0]).header.status.rawValue == 0)
        #expect(hand.world.logons.isEmpty)
    }

    // MARK: Core

    @Test func coreClientsTakeIPCAsNobody() throws {
        var hand = SMBHand(SMBWorld())
        hand.flags2 = []
        _ = try hand.negotiate(["PC NETWORK PROGRAM 1.0"])
        let answer = try hand.ask(.coreTreeRequest(
            .init(path: "\\\\GATE1\\IPC$", password: [], service: "IPC")))
        guard case .coreTreeResponse(let tree) = answer.bodies[0] else {
            Issue.record("refused")
            return
        }
        hand.tid = tree.tid
        let opened = try hand.ask(.coreOpenRequest(.init(fileName: "\\PIPE\\lsarpc")))
        guard case .coreOpenResponse(let open) = opened.bodies[0] else {
            Issue.record("another answer")
            return
        }
        _ = try hand.ask(
            .coreWriteRequest(.init(fid: open.fid, data: 0..<4)), payload: [9, 8, 7, 6])
        let read = try hand.ask(.coreReadRequest(.init(fid: open.fid, count: 99, offset: 0)))
        guard case .coreReadResponse(let body) = read.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(Array(read.bytes[body.data]) == [9, 8, 7, 6])
        let share = try hand.ask(.coreTreeRequest(
            .init(path: "\\\\GATE1\\NETLOGON", password: [], service: "A:")))
        #expect(share.header.status.dosClass == 1 && share.header.status.dosCode == 5)
    }

    @Test func coreClientsLogOnByTheirComputersName() throws {
        for isPermitted in [false, true] {
            let world = SMBWorld { $0.allowsPlainPasswords = isPermitted }
            var hand = SMBHand(world)
            hand.flags2 = []
            world.open(hand.id, .netBIOS)
            world.raw(Self.call("GATE1", .server, from: "BOB"))
            _ = try hand.ask(.negotiateRequest(.init(dialects: ["PC NETWORK PROGRAM 1.0"])))
            let answer = try hand.ask(.coreTreeRequest(.init(
                path: "\\\\GATE1\\NETLOGON", password: Array("lower".utf8), service: "A:")))
            #expect((answer.header.status.rawValue == 0) == isPermitted)
            if !isPermitted { #expect(answer.header.status.dosCode == 2) }
            #expect(world.logons.map(\.logon.user) == (isPermitted ? ["BOB"] : []))
            #expect(world.blocked.map(\.user) == (isPermitted ? [] : ["BOB"]))
            #expect(world.server.counters.plainPasswords == (isPermitted ? 0 : 1))
        }
    }

    // MARK: Reads

    private static let large = ["LARGE.DAT": [UInt8](repeating: 7, count: 3_000)]

    /// How many bytes the server gives of those that are asked for; fewer mean the end of the
    /// file (MS-CIFS 3.2.5.9).
    private func read(_ hand: SMBHand, _ count: UInt16) throws -> Int {
        let opened = try hand.ask(.coreOpenRequest(.init(fileName: "\\LARGE.DAT")))
        guard case .coreOpenResponse(let open) = opened.bodies[0] else { return -1 }
        let read = try hand.ask(.coreReadRequest(.init(fid: open.fid, count: count, offset: 0)))
        guard case .coreReadResponse(let body) = read.bodies[0] else { return -1 }
        return body.data.count
    }

    @Test func coreClientsReadAsMuchAsTheyWereTold() throws {
        let world = SMBWorld(share: Self.large) { $0.allowsPlainPasswords = true }
        var hand = SMBHand(world)
        hand.flags2 = []
        world.open(hand.id, .netBIOS)
        world.raw(Self.call("GATE1", .server, from: "BOB"))
        _ = try hand.ask(.negotiateRequest(.init(dialects: ["PC NETWORK PROGRAM 1.0"])))
        let answer = try hand.ask(.coreTreeRequest(.init(
            path: "\\\\GATE1\\NETLOGON", password: Array("lower".utf8), service: "A:")))
        hand.tid = answer.header.tid
        if case .coreTreeResponse(let tree) = answer.bodies[0] { hand.tid = tree.tid }
        #expect(try read(hand, 2_000) == 2_000)
        #expect(try read(hand, 4_000) == 3_000)
    }

    @Test func readsFillTheClientsBuffer() throws {
        var hand = SMBHand(SMBWorld(share: Self.large))
        let challenge = try lanMan(&hand)
        let owf = try #require(LMOWF.v1(password: "LOWER"))
        let response = NTLMv1.response(owf: owf, challenge: challenge).bytes
        #expect(try setUp(&hand, "BOB", response).header.status.rawValue == 0)
        #expect(try hand.take("NETLOGON") == .success)
        #expect(try read(hand, 2_872) == 2_872)
        #expect(try read(hand, 2_873) == 2_872)
    }

    // MARK: Session service

    static func call(
        _ called: String, _ suffix: NetBIOSSuffix, from calling: String
    ) -> [UInt8] {
        let blank = NetBIOSName(high: 0x2020_2020_2020_2020, low: 0x2020_2020_2020_2000)
        var writer = WireWriter()
        let nothing: [UInt8] = []
        SessionPacket.request(
            called: ScopedName(NetBIOSName(called, suffix) ?? blank),
            calling: ScopedName(NetBIOSName(calling, .workstation) ?? blank)
        ).write(userData: nothing.span, into: &writer, .netBIOS)
        return writer.finish()
    }

    @Test(arguments: [
        ("GATE1", NetBIOSSuffix.server, [UInt8(0x82), 0, 0, 0]),
        ("gate1", .workstation, [0x82, 0, 0, 0]),
        ("*SMBSERVER", .server, [0x82, 0, 0, 0]),
        ("OTHER", .server, [0x83, 0, 0, 1, 0x82]),
        ("GATE1", .messenger, [0x83, 0, 0, 1, 0x80]),
    ])
    func sessionsAreCalledByOurNames(
        name: String, suffix: NetBIOSSuffix, answer: [UInt8]
    ) {
        let world = SMBWorld()
        world.open(SMBWorld.connection, .netBIOS)
        world.raw(Self.call(name, suffix, from: "PC1"))
        #expect(world.frames[SMBWorld.connection] == [answer])
        #expect(world.closed.isEmpty == (answer[0] == 0x82))
    }

    @Test func keepAlivesAreIgnoredAndMessagesNeedASession() {
        let world = SMBWorld()
        world.open(SMBWorld.connection, .netBIOS)
        world.raw([0x85, 0, 0, 0])
        #expect(world.closed.isEmpty)
        world.raw(SMBWorld.framed(SMBHand(world).bytes([.negotiateRequest(.init())])))
        #expect(world.closed == [SMBWorld.connection])
    }
}
