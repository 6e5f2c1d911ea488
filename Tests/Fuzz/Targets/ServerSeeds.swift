import Front
import Interfaces
import NTLM
import RPC
import SMB
import Wire

/// Whole dialogues with the servers, so that the fuzzer begins where a real client gets.
enum ServerSeeds {
    // MARK: Services

    /// Calls of one service, each with what it had for an answer.
    private struct Talk {
        let world = FrontWorld()
        let index: Int
        private(set) var steps: [(operation: UInt8, bytes: [UInt8])] = []

        init(_ index: Int) { self.index = index }

        var input: [UInt8] { Steps.joined(steps) }

        mutating func call<P: RemoteProcedure>(
            _: P.Type, _ request: P.Request
        ) -> P.Response? {
            var stub = NDRWriter()
            request.write(into: &stub)
            let bytes = stub.wire.finish()
            steps.append((UInt8(index), [UInt8(P.opnum)] + bytes))
            let caller = RemoteCaller(
                carriage: .pipe("samr"), peer: FrontWorld.peer,
                identity: FrontWorld.administrator)
            guard case .response(let answer) = world.services[index].call(
                P.opnum, WireReader(bytes.span, layer: "stub"), from: caller, now: world.now)
            else { return nil }
            var reader = WireReader(answer.span, layer: "answer")
            return try? P.Response(parsing: &reader)
        }

        /// Every call of the service, with the handle that was opened last and zeros.
        mutating func callAll(below limit: UInt8) {
            for opnum in 0..<limit {
                steps.append(
                    (UInt8(index) | 0x80, [opnum] + [UInt8](repeating: 0, count: 96)))
            }
        }
    }

    static let services: [[UInt8]] = {
        var seeds: [[UInt8]] = []
        for index in 0..<8 {
            var talk = Talk(index)
            talk.callAll(below: 80)
            seeds.append(talk.input)
        }
        return seeds + [accounts, authority, netlogon]
    }()

    private static let sid = SID("S-1-5-21-1-2-3")!

    private static var accounts: [UInt8] {
        var talk = Talk(2)
        guard let server = talk.call(SamrConnect5.self, .init(serverName: "\\\\GATE1"))?.handle,
            let domain = talk.call(
                SamrOpenDomain.self,
                .init(
                    serverHandle: server, desiredAccess: SAMR.maximumAllowed, domainID: sid)
            )?.handle
        else { return talk.input }
        _ = talk.call(
            SamrOpenUser.self,
            .init(domainHandle: domain, desiredAccess: SAMR.maximumAllowed, relativeID: 1_000))
        talk.callAll(below: 70)
        return talk.input
    }

    private static var authority: [UInt8] {
        var talk = Talk(1)
        _ = talk.call(
            LsarOpenPolicy2.self,
            LsarOpenPolicy2.Request(
                systemName: "\\\\GATE1", desiredAccess: LSAAccess.maximumAllowed))
        talk.callAll(below: 80)
        return talk.input
    }

    private static var netlogon: [UInt8] {
        var talk = Talk(0)
        _ = talk.call(
            NetrServerReqChallenge.self,
            .init(
                primaryName: "\\\\GATE1", computerName: "PC1",
                clientChallenge: Bytes8([1, 2, 3, 4, 5, 6, 7, 8])))
        talk.callAll(below: 50)
        return talk.input
    }

    // MARK: RPC

    private static let interfaces = [
        Netlogon.interface, LSA.interface, SAMR.interface, DirectorySetup.interface,
        WorkstationServiceInterface.interface, ServerServiceInterface.interface,
        EndpointMapper.interface,
    ]

    private static func bind(
        _ interface: SyntaxID, security: SecurityContext? = nil, token: [UInt8] = []
    ) -> [UInt8] {
        var writer = WireWriter()
        BindPDU(associationGroup: 0, contexts: [PresentationContext(id: 0, interface)]).write(
            into: &writer, header: PDUHeader(.bind, .single, callID: 1), security: security,
            token: token)
        return writer.finish()
    }

    private static func requests(_ opnum: UInt16, _ stub: [UInt8], most: Int = 4_280) -> [UInt8] {
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: opnum), callID: 2, maximumFragment: most)
        var writer = WireWriter()
        while fragmenter.next(stub.span, into: &writer) != nil {}
        return writer.finish()
    }

    /// The service's opening call, and one that is longer than a fragment.
    private static func dialogue(_ interface: SyntaxID) -> [[UInt8]] {
        [bind(interface), requests(0, [UInt8](repeating: 0, count: 64)),
            requests(44, [UInt8](repeating: 0, count: 64)),
            requests(15, [UInt8](repeating: 1, count: 3_000), most: 1_432)]
    }

    static let rpc: [[UInt8]] = interfaces.map { Steps.joined(dialogue($0).map { (1, $0) }) }
        + [withNTLM]

    private static var withNTLM: [UInt8] {
        let client = ClientHandshake(
            account: .init(
                userName: "alice", domainName: "GATE", ntowf: NTOWF.v1(password: "Us3r-Pass!")),
            workstation: "PC1")
        let context = SecurityContext(.winNT, .privacy, id: 7)
        let world = FrontWorld()
        let first = bind(SAMR.interface, security: context, token: client.negotiate)
        guard let connection = world.front.opened(
            from: FrontWorld.peer, on: .rpc(135), now: world.now)
        else { return [] }
        world.receive(connection, first)
        var steps: [(operation: UInt8, bytes: [UInt8])] = [(1, first)]
        guard let answer = world.sent.first else { return Steps.joined(steps) }
        var reader = WireReader(answer.span, layer: "seed")
        guard let fragment = try? Fragment(parsing: &reader), let auth = fragment.auth,
            let (token, _) = try? client.authenticate(
                challenge: Array(answer[auth.token]),
                ClientHandshake.Nonces(
                    clientChallenge: Bytes8(), sessionKey: Bytes16(), now: world.now.fileTime))
        else { return Steps.joined(steps) }
        var writer = WireWriter()
        Auth3PDU().write(
            into: &writer, header: PDUHeader(.auth3, callID: 1), security: context, token: token)
        steps.append((1, writer.finish()))
        steps.append((1, requests(64, [UInt8](repeating: 0, count: 64))))
        return Steps.joined(steps)
    }

    // MARK: SMB

    static let smb: [[UInt8]] = [pipes(named: "samr", SAMR.interface)]
        + [pipes(named: "netlogon", Netlogon.interface), files, enumeration]

    /// What our own client sends, as nobody, to call a service.
    private static func pipes(named name: String, _ interface: SyntaxID) -> [UInt8] {
        converse { session in
            let calls = dialogue(interface)
            let pipe = session.open(name, exchanging: Array(calls.prefix(1)))
            for call in calls.dropFirst() { session.transact(pipe, call) }
        }
    }

    private static var enumeration: [UInt8] {
        converse { session in
            var writer = WireWriter()
            RAP.Request.shareEnum(level: 1, receiveBufferSize: 4_096).write(into: &writer)
            session.administer(writer.finish(), maxDataCount: 4_096)
        }
    }

    private static func converse(
        chains: Bool = false, _ asks: (inout SMB1.ClientSession) -> Void
    ) -> [UInt8] {
        let world = FrontWorld()
        var configuration = SMB1.ClientSession.Configuration()
        configuration.chains = chains
        var session = SMB1.ClientSession(configuration)
        asks(&session)
        var steps: [(operation: UInt8, bytes: [UInt8])] = []
        guard let connection = world.front.opened(
            from: FrontWorld.peer, on: .direct, now: world.now)
        else { return [] }
        while steps.count < 64 {
            var writer = WireWriter()
            guard session.writeMessage(into: &writer) else { break }
            let message = writer.finish()
            steps.append((0, message))
            world.receive(connection, FrontWorld.framed(message))
            for answer in world.sent { try? session.receive(Array(answer.dropFirst(4))) }
            world.sent.removeAll()
        }
        return Steps.joined(steps)
    }

    /// A user of the share, request by request.
    private static var files: [UInt8] {
        let world = FrontWorld()
        guard let connection = world.front.opened(
            from: FrontWorld.peer, on: .direct, now: world.now)
        else { return [] }
        var steps: [(operation: UInt8, bytes: [UInt8])] = []
        var uid: UInt16 = 0
        var tid: UInt16 = 0
        var fid: UInt16 = 0
        func ask(_ command: SMB1.Command, _ bodies: [SMB1.Body], _ payload: [UInt8] = []) {
            var header = SMB1.Header(
                command: command, flags: .caseInsensitive, flags2: [.ntStatus, .longNames])
            (header.uid, header.tid, header.mid) = (uid, tid, UInt16(steps.count + 1))
            var writer = WireWriter()
            SMB1.Message(header: header, bodies: bodies).write(into: &writer, from: payload.span)
            let message = writer.finish()
            steps.append((0, message))
            world.sent.removeAll()
            world.receive(connection, FrontWorld.framed(message))
            guard let answer = world.sent.first.map({ Array($0.dropFirst(4)) }) else { return }
            var reader = WireReader(answer.span, layer: "seed")
            guard let read = try? SMB1.Message(parsing: &reader) else { return }
            (uid, tid) = (read.header.uid, read.header.tid)
            if case .coreOpenResponse(let opened) = read.bodies.first { fid = opened.fid }
        }
        ask(.negotiate, [.negotiateRequest(.init(dialects: [SMB1.NegotiateRequest.ntLM]))])
        var setup = SMB1.SessionSetupRequest(
            maxBufferSize: 65_535, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(
                oemPassword: [], unicodePassword: [UInt8](repeating: 1, count: 24), [.ntStatus]))
        setup.accountName = "alice"
        setup.primaryDomain = "GATE"
        ask(.sessionSetupAndX, [.sessionSetupRequest(setup)])
        ask(.treeConnectAndX, [.treeConnectRequest(.init(
            path: "\\\\GATE1\\NETLOGON", service: SMB1.TreeConnectRequest.anyService))])
        ask(.open, [.coreOpenRequest(.init(fileName: "\\LOGON.BAT"))])
        ask(.readAndX, [.readRequest(.init(fid: fid, maxCount: 100))])
        ask(.read, [.coreReadRequest(.init(fid: fid, count: 9, offset: 1))])
        var policy = SMB1.OpenRequest(pipe: "")
        policy.fileName = "\\NTCONFIG.POL"
        policy.accessMode = 0
        let part = SMB1.Body.readRequest(.init(fid: 0xffff, maxCount: 30_000))
        ask(.openAndX, [.openRequest(policy), part, part, part])
        ask(.queryInformation, [.queryInformationRequest(.init(fileName: "\\scripts\\INNER.CMD"))])
        let find = SMB1.FindFirst2(
            searchAttributes: .directory, searchCount: 100, flags: [],
            informationLevel: 0x104, fileName: "\\*")
        var parameters = WireWriter()
        find.write(into: &parameters, SMB1.Form(base: 0, isUnicode: false, isResponse: false))
        let payload = parameters.finish()
        ask(.transaction2, [.transaction2Request(.init(SMB1.TransactionRequest(
            name: "", setup: [1], parameters: 0..<payload.count, data: 0..<0,
            maxParameterCount: 10, maxDataCount: 4_096)))], payload)
        ask(.close, [.closeRequest(.init(fid: fid))])
        return Steps.joined(steps)
    }

    // MARK: RAP

    static let administration: [[UInt8]] = [
        .serverEnum2(
            level: 1, receiveBufferSize: 6_144, serverType: 0xffff_ffff, domain: nil),
        .shareEnum(level: 1, receiveBufferSize: 4_096),
        .userLogon(.init(userName: "ALICE", workstationName: "DESK1", receiveBufferSize: 1_024)),
        .userLogoff(.init(userName: "ALICE", workstationName: "DESK1", receiveBufferSize: 8)),
        .oemChangePassword(user: "alice", dataLength: 532),
    ].map { (request: RAP.Request) in
        var writer = WireWriter()
        request.write(into: &writer)
        let bytes = writer.finish()
        return Steps.joined([(UInt8(bytes.count), bytes)])
    }
}
