import SMB
import Wire

/// A server of one pipe that echoes what is written to it, with the whims of real ones.
struct ScriptedServer {
    enum Chaining {
        case all
        /// Answers the first command only, as if nothing followed.
        case firstOnly
        /// Refuses a message with more than one command.
        case refuses
    }

    var chaining = Chaining.all
    var maxBufferSize: UInt32 = 16644
    var capabilities: SMB1.Capabilities = [.ntStatus, .ntSMBs, .largeReadX]
    var securityMode: SMB1.SecurityMode = [.userSecurity, .encryptPasswords]
    var dialectIndex: UInt16 = 0
    var knowsOpenAndX = true
    var longTreeNameOnly = false
    var needsMessageMode = false
    var sessionStatus = NTStatus.success
    /// Tokens of the logon with extended security.
    var tokens: [[UInt8]] = []
    var partSize = 65535
    var readSize = 65535
    var sayOverflow = true
    var signing: SMB1.Signing?
    var administers = true

    /// Commands of each message that came, and their sizes.
    var log: [[SMB1.Command]] = []
    var sizes: [Int] = []
    var written: [[UInt8]] = []
    private var pending: [UInt8] = []
    private var expected = 0
    private var sequence: UInt32 = 0
    private var signs = false
    static let fid: UInt16 = 0x4711

    enum Answer {
        case body(SMB1.Body, [UInt8])
        case status(NTStatus)
        case warning(NTStatus, SMB1.Body, [UInt8])
    }

    /// The responses to one message.
    mutating func answer(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let message = try Samples.parse(bytes)
        log.append(message.bodies.map(Samples.command))
        sizes.append(bytes.count)
        var header = message.header.response(.success)
        if signs { try check(bytes) }
        if chaining == .refuses && message.bodies.count > 1 {
            return [finish(header, status: .invalidSMB, [])]
        }
        var answers: [(SMB1.Body, [UInt8])] = []
        for body in message.bodies {
            if answers.count == 1 && chaining == .firstOnly { break }
            switch try answer(body, bytes, &header) {
            case .body(let body, let data): answers.append((body, data))
            case .status(let status):
                answers.append((.empty(Samples.command(body)), []))
                return [finish(header, status: status, answers)]
            case .warning(let status, let body, let data):
                answers.append((body, data))
                return [finish(header, status: status, answers)]
            }
        }
        if answers.count == 1, case .transactionResponse = answers[0].0,
            answers[0].1.count > partSize
        {
            return parts(header, answers[0].1)
        }
        return [finish(header, status: .success, answers)]
    }

    private mutating func check(_ bytes: [UInt8]) throws {
        guard let signing, signing.verifies(bytes, sequence: sequence) else {
            throw WireError(.invalid, layer: "server", field: "signature", offset: 14)
        }
    }

    private mutating func finish(
        _ header: SMB1.Header, status: NTStatus, _ answers: [(SMB1.Body, [UInt8])]
    ) -> [UInt8] {
        var header = header
        header.status = SMB1.Status(status, isNT: true)
        var writer = WireWriter()
        var chain = SMB1.ChainWriter(header, into: &writer)
        for (body, data) in answers { body.append(to: &chain, &writer, from: data.span) }
        if answers.isEmpty { chain.appendEmpty(header.command, into: &writer) }
        var bytes = writer.finish()
        if let signing, !status.isError, header.command == .sessionSetupAndX || signs {
            if !signs { sequence = 0 }
            signs = true
            signing.sign(&bytes, sequence: sequence + 1)
            sequence += 2
        }
        return bytes
    }

    private mutating func parts(_ header: SMB1.Header, _ data: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: data.count, by: partSize).map { start in
            let end = min(start + partSize, data.count)
            var part = SMB1.TransactionResponse(data: 0..<(end - start))
            part.totals = .init(parameterCount: 0, dataCount: UInt16(data.count))
            part.dataDisplacement = UInt16(start)
            return finish(
                header, status: .success, [(.transactionResponse(part), Array(data[start..<end]))])
        }
    }

    private mutating func answer(
        _ body: SMB1.Body, _ bytes: [UInt8], _ header: inout SMB1.Header
    ) throws -> Answer {
        switch body {
        case .negotiateRequest: return negotiate(header)
        case .sessionSetupRequest: return sessionSetup(&header)
        case .treeConnectRequest(let tree):
            if longTreeNameOnly && !tree.path.hasPrefix("\\\\") { return .status(.badNetworkName) }
            header.tid = 9
            return .body(.treeConnectResponse(.init(service: "IPC", nativeFileSystem: "")), [])
        case .openRequest:
            if !knowsOpenAndX { return .status(.accessDenied) }
            return .body(.openResponse(
                .init(fid: Self.fid, resourceType: 2, nmPipeStatus: 0x5ff)), [])
        case .ntCreateRequest(let create):
            if create.fileName != "\\netlogon" { return .status(.objectNameNotFound) }
            return .body(.ntCreateResponse(
                .init(fid: Self.fid, resourceType: 2, nmPipeStatus: 0x5ff)), [])
        case .writeRequest(let write): return self.write(write, Array(bytes[write.data]))
        case .readRequest(let read):
            return self.read(Int(read.maxCount)) { .readResponse(.init(data: $0)) }
        case .transactionRequest(let transaction): return transact(transaction, bytes)
        case .closeRequest: return .body(.empty(.close), [])
        case .treeDisconnect: return .body(.empty(.treeDisconnect), [])
        case .logoff: return .body(.logoff(.init()), [])
        default: return .status(.smbBadCommand)
        }
    }

    private func negotiate(_ header: SMB1.Header) -> Answer {
        var answer: SMB1.NegotiateNTLM
        var data: [UInt8] = []
        if header.flags2.contains(.extendedSecurity) {
            data = [7, 7]
            answer = .init(security: .extended(serverGUID: Bytes16(), securityBlob: 0..<2))
            answer.capabilities = capabilities.union(.extendedSecurity)
        } else {
            answer = .init(security: .challenge(
                [1, 2, 3, 4, 5, 6, 7, 8], domainName: "DOMAIN", serverName: nil))
            answer.capabilities = capabilities
        }
        answer.dialectIndex = dialectIndex
        answer.securityMode = securityMode
        answer.maxBufferSize = maxBufferSize
        answer.maxMpxCount = 50
        return .body(.negotiateResponse(.ntLM(answer)), data)
    }

    private mutating func sessionSetup(_ header: inout SMB1.Header) -> Answer {
        header.uid = 5
        if !tokens.isEmpty {
            let token = tokens.removeFirst()
            let body = SMB1.SessionSetupResponse(securityBlob: 0..<token.count)
            if !tokens.isEmpty {
                return .warning(.moreProcessingRequired, .sessionSetupResponse(body), token)
            }
            return .body(.sessionSetupResponse(body), token)
        }
        if sessionStatus != .success { return .status(sessionStatus) }
        return .body(.sessionSetupResponse(.init()), [])
    }

    private mutating func write(_ write: SMB1.WriteRequest, _ data: [UInt8]) -> Answer {
        var data = data
        let count = data.count
        if write.writeMode == [.rawPipe, .messageStart] {
            expected = Int(data[0]) | Int(data[1]) << 8
            data.removeFirst(2)
            pending = data
        } else if write.writeMode == .rawPipe {
            pending += data
        } else {
            expected = data.count
            pending = data
        }
        if pending.count == expected { written.append(pending) }
        return .body(.writeResponse(.init(count: UInt32(count))), [])
    }

    private mutating func transact(
        _ transaction: SMB1.TransactionRequest, _ bytes: [UInt8]
    ) -> Answer {
        if transaction.setup.isEmpty {
            let parameters = transaction.parameters.count
            // Remote administration: the parameters come back, and three bytes with them.
            return administers
                ? .body(
                    .transactionResponse(
                        .init(parameters: 0..<parameters, data: parameters..<(parameters + 3))),
                    Array(bytes[transaction.parameters]) + [1, 2, 3])
                : .status(.accessDenied)
        }
        if transaction.setup[0] == SMB1.NamedPipeCall.Subcommand.setState.rawValue {
            needsMessageMode = false
            return .body(.transactionResponse(.init(data: 0..<0)), [])
        }
        if needsMessageMode { return .status(.invalidReadMode) }
        pending = Array(bytes[transaction.data])
        written.append(pending)
        return read(Int(transaction.maxDataCount)) { .transactionResponse(.init(data: $0)) }
    }

    private mutating func read(_ most: Int, _ make: (Range<Int>) -> SMB1.Body) -> Answer {
        let count = min(most, readSize, pending.count)
        let data = Array(pending[..<count])
        pending.removeFirst(count)
        if pending.isEmpty || !sayOverflow { return .body(make(0..<count), data) }
        return .warning(.bufferOverflow, make(0..<count), data)
    }
}

/// A session and its server, run until both have nothing more to say.
struct Conversation {
    var session: SMB1.ClientSession
    var server: ScriptedServer
    var events: [SMBSessionEvent] = []

    init(
        _ server: ScriptedServer = ScriptedServer(),
        _ configure: (inout SMB1.ClientSession.Configuration) -> Void = { _ in }
    ) {
        var configuration = SMB1.ClientSession.Configuration()
        configure(&configuration)
        session = SMB1.ClientSession(configuration)
        self.server = server
    }

    /// Tells what has happened since the last time.
    mutating func run() throws -> [SMBSessionEvent] {
        var told: [SMBSessionEvent] = []
        while true {
            var sent: [[UInt8]] = []
            var writer = WireWriter()
            while session.writeMessage(into: &writer) { sent.append(writer.finish()) }
            while let event = session.nextEvent() { told.append(event) }
            if sent.isEmpty { return told }
            for message in sent {
                for answer in try server.answer(message) { try session.receive(answer) }
            }
        }
    }
}
