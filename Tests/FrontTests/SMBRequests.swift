import SMB
import Testing
import Wire

@testable import Front

/// Requests made by hand, and what the server answers to them.
struct SMBHand {
    let world: SMBWorld
    let id: SMBConnectionID
    var uid: UInt16 = 0
    var tid: UInt16 = 0
    var mid: UInt16 = 1
    var pid: UInt16 = 0x1234
    var flags2: SMB1.Flags2 = [.ntStatus, .longNames]

    init(_ world: SMBWorld, _ id: SMBConnectionID = SMBWorld.connection) {
        self.world = world
        self.id = id
    }

    struct Answer {
        var header: SMB1.Header
        var bodies: [SMB1.Body]
        var bytes: [UInt8]

        var status: NTStatus { header.status.ntStatus }
    }

    func bytes(_ bodies: [SMB1.Body], _ payload: [UInt8] = []) -> [UInt8] {
        var header = SMB1.Header(
            command: Self.command(bodies[0]), flags: .caseInsensitive, flags2: flags2)
        header.uid = uid
        header.tid = tid
        header.mid = mid
        header.pidLow = pid
        var writer = WireWriter()
        SMB1.Message(header: header, bodies: bodies).write(into: &writer, from: payload.span)
        return writer.finish()
    }

    /// Every message that comes back.
    func all(_ bodies: [SMB1.Body], _ payload: [UInt8] = []) throws -> [Answer] {
        try world.exchange(bytes(bodies, payload), id).map { try Self.parse($0) }
    }

    /// The only message that comes back.
    func ask(_ bodies: SMB1.Body..., payload: [UInt8] = []) throws -> Answer {
        let answers = try all(bodies, payload)
        #expect(answers.count == 1)
        return try #require(answers.first)
    }

    static func parse(_ bytes: [UInt8]) throws -> Answer {
        var reader = WireReader(bytes.span, layer: "SMB1")
        let message = try SMB1.Message(parsing: &reader)
        return Answer(header: message.header, bodies: message.bodies, bytes: bytes)
    }

    static func command(_ body: SMB1.Body) -> SMB1.Command {
        switch body {
        case .negotiateRequest: .negotiate
        case .sessionSetupRequest: .sessionSetupAndX
        case .logoff: .logoffAndX
        case .treeConnectRequest: .treeConnectAndX
        case .treeDisconnect: .treeDisconnect
        case .ntCreateRequest: .ntCreateAndX
        case .openRequest: .openAndX
        case .readRequest: .readAndX
        case .writeRequest: .writeAndX
        case .closeRequest: .close
        case .echo: .echo
        case .transactionRequest: .transaction
        case .transactionSecondary: .transactionSecondary
        case .transaction2Request: .transaction2
        case .coreOpenRequest: .open
        case .coreReadRequest: .read
        case .coreWriteRequest: .write
        case .coreTreeRequest: .treeConnect
        case .processExit: .processExit
        case .queryInformationRequest: .queryInformation
        case .queryInformation2Request: .queryInformation2
        case .checkDirectory: .checkDirectory
        case .searchRequest: .search
        case .findClose2: .findClose2
        case .other(let command, _, _): command
        case .empty(let command): command
        case _: fatalError("not a request of these tests")
        }
    }

    /// Status, parameters and data of the answer to a TRANSACTION2.
    func transact2(
        _ subcommand: SMB1.Transaction2Subcommand, most: UInt16 = 4_000,
        _ write: (inout WireWriter, SMB1.Form) -> Void
    ) throws -> (NTStatus, [UInt8], [UInt8]) {
        var writer = WireWriter()
        write(&writer, SMB1.Form(
            base: 0, isUnicode: flags2.contains(.unicode), isResponse: false))
        let payload = writer.finish()
        let request = SMB1.TransactionRequest(
            name: "", setup: [subcommand.rawValue], parameters: 0..<payload.count,
            data: payload.count..<payload.count, maxParameterCount: 10, maxDataCount: most)
        let answer = try ask(.transaction2Request(.init(request)), payload: payload)
        guard case .transaction2Response(let body) = answer.bodies.last else {
            return (answer.status, [], [])
        }
        return (
            answer.status, Array(answer.bytes[body.answer.parameters]),
            Array(answer.bytes[body.answer.data])
        )
    }

    // MARK: The usual beginning

    mutating func negotiate(_ dialects: [String] = [SMB1.NegotiateRequest.ntLM]) throws -> Answer {
        world.open(id)
        return try ask(.negotiateRequest(.init(dialects: dialects)))
    }

    /// Logs on with NT LM 0.12; nobody without a name.
    mutating func logOn(_ name: String = "", _ password: String = "") throws {
        let negotiated = try negotiate()
        guard case .negotiateResponse(.ntLM(let peer)) = negotiated.bodies[0] else {
            Issue.record("another answer")
            return
        }
        try setUp(peer, name, password)
    }

    mutating func setUp(
        _ peer: SMB1.NegotiateNTLM, _ name: String, _ password: String
    ) throws {
        var nt: [UInt8] = []
        if !name.isEmpty, case .user(let authenticate) = SMBTalk.user(name, password) {
            nt = authenticate(peer).ntResponse
        }
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: nt, [.ntStatus]))
        request.accountName = name
        request.primaryDomain = "GATE"
        let answer = try ask(.sessionSetupRequest(request))
        #expect(answer.status == .success)
        uid = answer.header.uid
    }

    mutating func take(
        _ share: String, _ service: String = SMB1.TreeConnectRequest.anyService
    ) throws -> NTStatus {
        let answer = try ask(
            .treeConnectRequest(.init(path: "\\\\GATE1\\" + share, service: service)))
        tid = answer.header.tid
        return answer.status
    }

    func openPipe(_ name: String) throws -> UInt16 {
        let answer = try ask(.openRequest(.init(pipe: name)))
        guard case .openResponse(let open) = answer.bodies[0] else { return 0 }
        return open.fid
    }

    static func onPipe(_ name: String = "netlogon") throws -> (SMBHand, UInt16) {
        var hand = SMBHand(SMBWorld())
        try hand.logOn()
        #expect(try hand.take("IPC$") == .success)
        return (hand, try hand.openPipe(name))
    }

    static func onShare() throws -> SMBHand {
        var hand = SMBHand(SMBWorld())
        try hand.logOn("alice", "Secret-1")
        #expect(try hand.take("NETLOGON") == .success)
        return hand
    }
}
