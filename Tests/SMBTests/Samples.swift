import SMB
import TestSupport
import Wire

/// Every SMB1 message in several shapes.
enum Samples {
    static let request = SMB1.Header(
        command: .negotiate, flags: .caseInsensitive, flags2: [.ntStatus, .longNames])

    static func header(_ command: SMB1.Command, _ isResponse: Bool, unicode: Bool) -> SMB1.Header {
        var header = request
        header.command = command
        header.tid = 0x0102
        header.uid = 0x0304
        header.mid = 0x0506
        header.pidLow = 0xfeff
        if unicode { header.flags2.insert(.unicode) }
        if isResponse { header.flags.insert(.reply) }
        return header
    }

    static let payload: [UInt8] = Array("a payload for pipes and blobs".utf8)

    /// One message of these bodies; their ranges are those of `payload`.
    static func bytes(_ header: SMB1.Header, _ bodies: [SMB1.Body]) -> [UInt8] {
        var writer = WireWriter()
        SMB1.Message(header: header, bodies: bodies).write(into: &writer, from: payload.span)
        return writer.finish()
    }

    static func rewrite(_ bytes: [UInt8]) throws -> [UInt8] {
        var reader = WireReader(bytes.span, layer: "SMB1")
        let message = try SMB1.Message(parsing: &reader)
        _ = message.description
        var writer = WireWriter()
        message.write(into: &writer, from: bytes.span)
        return writer.finish()
    }

    static func parse(_ bytes: [UInt8]) throws -> SMB1.Message {
        var reader = WireReader(bytes.span, layer: "SMB1")
        return try SMB1.Message(parsing: &reader)
    }

    static var all: [MessageSample] {
        var samples: [MessageSample] = []
        func add(
            _ name: String, _ command: SMB1.Command, _ isResponse: Bool, _ bodies: SMB1.Body...
        ) {
            for unicode in [false, true] {
                let header = header(command, isResponse, unicode: unicode)
                samples.append(MessageSample(
                    name: unicode ? name + " in Unicode" : name, bytes: bytes(header, bodies),
                    rewrite: rewrite))
            }
        }
        for (name, body) in requests { add(name, command(body), false, body) }
        for (name, body) in responses { add(name, command(body), true, body) }
        add("chain", .sessionSetupAndX, false,
            requests[3].1, requests[6].1, requests[8].1, requests[13].1, requests[11].1)
        add("chain's response", .sessionSetupAndX, true,
            responses[4].1, responses[6].1, responses[9].1, responses[13].1, responses[12].1)
        add("chain that failed", .sessionSetupAndX, true, responses[4].1, .empty(.treeConnectAndX))
        add("chain to a transaction", .treeConnectAndX, false, requests[6].1, requests[16].1)
        return samples
    }

    static func command(_ body: SMB1.Body) -> SMB1.Command {
        switch body {
        case .negotiateRequest, .negotiateResponse: .negotiate
        case .sessionSetupRequest, .sessionSetupResponse: .sessionSetupAndX
        case .logoff: .logoffAndX
        case .treeConnectRequest, .treeConnectResponse: .treeConnectAndX
        case .treeDisconnect: .treeDisconnect
        case .ntCreateRequest, .ntCreateResponse: .ntCreateAndX
        case .openRequest, .openResponse: .openAndX
        case .readRequest, .readResponse: .readAndX
        case .writeRequest, .writeResponse: .writeAndX
        case .closeRequest: .close
        case .echo: .echo
        case .transactionRequest, .transactionResponse: .transaction
        case .transactionSecondary: .transactionSecondary
        case .coreOpenRequest, .coreOpenResponse: .open
        case .coreReadRequest, .coreReadResponse: .read
        case .coreWriteRequest, .coreWriteResponse: .write
        case .coreTreeRequest, .coreTreeResponse: .treeConnect
        case .processExit: .processExit
        case .queryInformationRequest, .queryInformationResponse: .queryInformation
        case .checkDirectory: .checkDirectory
        case .queryInformation2Request, .queryInformation2Response: .queryInformation2
        case .searchRequest, .searchResponse: .search
        case .findClose2: .findClose2
        case .transaction2Request, .transaction2Response: .transaction2
        case .transaction2Secondary: .transaction2Secondary
        case .queryInformationDiskResponse: .queryInformationDisk
        case .empty(let command): command
        case .other(let command, _, _): command
        }
    }

    static let requests: [(String, SMB1.Body)] = {
        var write = SMB1.WriteRequest(fid: 9, writeMode: .messageStart, data: 0..<11)
        var wide = write
        wide.offsetHigh = 1
        write.remaining = 5
        var read = SMB1.ReadRequest(fid: 9, maxCount: 4280)
        let narrow = read
        read.offsetHigh = 0
        let find = SMB1.TransactionRequest(
            name: "", setup: [1], parameters: 0..<6, data: 6..<9, maxDataCount: 512)
        let second = SMB1.TransactionSecondary(
            totals: .init(parameterCount: 7, dataCount: 9), parameters: 5..<7,
            parameterDisplacement: 5, data: 7..<12, dataDisplacement: 4)
        var part = SMB1.TransactionRequest(
            name: "\\PIPE\\LANMAN", setup: [], parameters: 0..<5, data: 5..<9,
            maxParameterCount: 8, maxDataCount: 1024)
        part.totals = SMB1.TransactionTotals(parameterCount: 7, dataCount: 9)
        return [
            ("NEGOTIATE", .negotiateRequest(.init())),
            ("NEGOTIATE of several", .negotiateRequest(
                .init(dialects: ["PC NETWORK PROGRAM 1.0", "LANMAN1.0", "NT LM 0.12"]))),
            ("SESSION_SETUP_ANDX of LANMAN", .sessionSetupRequest(
                session(.lanMan(password: [1, 2, 3]), "USER"))),
            ("SESSION_SETUP_ANDX of NT LM 0.12", .sessionSetupRequest(
                session(.ntLM(oemPassword: [1, 2, 3], unicodePassword: [4, 5],
                              [.ntSMBs, .ntStatus]), "jürgen"))),
            ("SESSION_SETUP_ANDX of nobody", .sessionSetupRequest(
                session(.ntLM(oemPassword: [], unicodePassword: [], .ntSMBs), nil))),
            ("SESSION_SETUP_ANDX with extended security", .sessionSetupRequest(
                session(.extended(securityBlob: 0..<7, .extendedSecurity), nil))),
            ("TREE_CONNECT_ANDX", .treeConnectRequest(
                .init(password: [0], path: "\\\\PDC\\IPC$", service: SMB1.TreeConnectRequest.ipc))),
            ("TREE_DISCONNECT", .treeDisconnect(.init())),
            ("NT_CREATE_ANDX", .ntCreateRequest(.init(pipe: "\\netlogon"))),
            ("OPEN_ANDX", .openRequest(.init(pipe: "lsarpc"))),
            ("READ_ANDX", .readRequest(read)),
            ("READ_ANDX of ten words", .readRequest(narrow)),
            ("WRITE_ANDX", .writeRequest(wide)),
            ("WRITE_ANDX of twelve words", .writeRequest(write)),
            ("CLOSE", .closeRequest(.init(fid: 9))),
            ("ECHO", .echo(.init(number: 2, data: 0..<4))),
            ("TransactNmPipe", .transactionRequest(
                SMB1.NamedPipeCall.transact(fid: 9, 0..<20).transaction(maxDataCount: 4280))),
            ("WaitNmPipe", .transactionRequest(
                SMB1.NamedPipeCall.wait(pipe: "lsarpc", priority: 0).transaction(maxDataCount: 0))),
            ("SetNmPipeState", .transactionRequest(
                SMB1.NamedPipeCall.setState(fid: 9, .messageReads)
                    .transaction(maxDataCount: 0, parameters: 0..<2))),
            ("TRANSACTION in parts", .transactionRequest(part)),
            ("TRANSACTION_SECONDARY", .transactionSecondary(second)),
            ("TRANSACTION2", .transaction2Request(.init(find))),
            ("TRANSACTION2_SECONDARY", .transaction2Secondary(.init(second))),
            ("LOGOFF_ANDX", .logoff(.init())),
            ("unknown", .other(SMB1.Command(rawValue: 0x27), words: 0..<6, bytes: 6..<9)),
            ("TREE_CONNECT", .coreTreeRequest(
                .init(path: "\\\\GATE\\IPC$", password: [], service: "IPC"))),
            ("OPEN", .coreOpenRequest(.init(fileName: "\\LOGON.BAT"))),
            ("READ", .coreReadRequest(.init(fid: 9, count: 512, offset: 3))),
            ("WRITE", .coreWriteRequest(.init(fid: 9, data: 0..<4))),
            ("PROCESS_EXIT", .processExit(.init())),
            ("QUERY_INFORMATION", .queryInformationRequest(.init(fileName: "\\A"))),
            ("QUERY_INFORMATION2", .queryInformation2Request(.init(fid: 9))),
            ("CHECK_DIRECTORY", .checkDirectory(.init(directoryName: "\\"))),
            ("SEARCH", .searchRequest(.init(
                maxCount: 5, searchAttributes: .directory, fileName: "\\????????.???"))),
            ("SEARCH that goes on", .searchRequest(.init(
                maxCount: 5, searchAttributes: [], fileName: "",
                resumeKey: .init(serverState: Bytes16(payload))))),
            ("FIND_CLOSE2", .findClose2(.init(searchHandle: 3))),
        ]
    }()

    private static func session(
        _ credentials: SMB1.SessionSetupRequest.Credentials, _ account: String?
    ) -> SMB1.SessionSetupRequest {
        var setup = SMB1.SessionSetupRequest(
            maxBufferSize: 16644, maxMpxCount: 2, sessionKey: 7, credentials: credentials)
        setup.accountName = account
        if account != nil {
            setup.primaryDomain = "DOMAIN"
            setup.nativeOS = "Unix"
            setup.nativeLanMan = ""
        }
        return setup
    }

    static let responses: [(String, SMB1.Body)] = {
        var lanMan = SMB1.NegotiateLANMAN()
        lanMan.encryptionKey = [1, 2, 3, 4, 5, 6, 7, 8]
        lanMan.primaryDomain = "OLDDOM"
        var challenge = SMB1.NegotiateNTLM(security: .challenge(
            [1, 2, 3, 4, 5, 6, 7, 8], domainName: "DOMAIN", serverName: "PDC"))
        challenge.capabilities = [.unicode, .ntStatus]
        var extended = SMB1.NegotiateNTLM(
            security: .extended(serverGUID: Bytes16(payload), securityBlob: 3..<9))
        extended.capabilities = .extendedSecurity
        var session = SMB1.SessionSetupResponse(action: 1)
        session.nativeOS = "Unix"
        session.nativeLanMan = "Lan Manager"
        session.primaryDomain = "DOMAIN"
        var create = SMB1.NTCreateResponse(
            fid: 9, resourceType: SMB1.NTCreateResponse.messageModePipe,
            nmPipeStatus: SMB1.PipeState.rpc.rawValue)
        let plain = create
        create.extension = .init(
            volumeGUID: Bytes16(payload), fileId: 0, maximalRights: .init(user: 1, guest: 2))
        var open = SMB1.OpenResponse(fid: 9, resourceType: 2, nmPipeStatus: 0x05ff)
        let narrow = open
        open.maximalRights = .init(user: 1, guest: 2)
        var tree = SMB1.TreeConnectResponse(service: "IPC", nativeFileSystem: nil)
        tree.maximalRights = .init(user: 0x1f_01ff, guest: 0)
        var part = SMB1.TransactionResponse(parameters: 0..<3, data: 3..<9)
        part.totals = .init(parameterCount: 3, dataCount: 20)
        part.setup = [7]
        return [
            ("NEGOTIATE response of core", .negotiateResponse(.core(dialectIndex: 0xffff))),
            ("NEGOTIATE response of LANMAN", .negotiateResponse(.lanMan(lanMan))),
            ("NEGOTIATE response", .negotiateResponse(.ntLM(challenge))),
            ("NEGOTIATE response, extended", .negotiateResponse(.ntLM(extended))),
            ("SESSION_SETUP_ANDX response", .sessionSetupResponse(session)),
            ("SESSION_SETUP_ANDX response, extended", .sessionSetupResponse(
                .init(securityBlob: 0..<9))),
            ("TREE_CONNECT_ANDX response", .treeConnectResponse(
                .init(service: "IPC", nativeFileSystem: ""))),
            ("TREE_CONNECT_ANDX response of LANMAN", .treeConnectResponse(
                .init(optionalSupport: nil, service: "IPC", nativeFileSystem: nil))),
            ("TREE_CONNECT_ANDX response, extended", .treeConnectResponse(tree)),
            ("NT_CREATE_ANDX response", .ntCreateResponse(plain)),
            ("NT_CREATE_ANDX response, extended", .ntCreateResponse(create)),
            ("OPEN_ANDX response", .openResponse(narrow)),
            ("READ_ANDX response", .readResponse(.init(data: 0..<13))),
            ("WRITE_ANDX response", .writeResponse(.init(count: 0x1_0002))),
            ("OPEN_ANDX response, extended", .openResponse(open)),
            ("TRANSACTION response", .transactionResponse(.init(data: 0..<17))),
            ("TRANSACTION response in parts", .transactionResponse(part)),
            ("ECHO response", .echo(.init(number: 1, data: 0..<4))),
            ("CLOSE response", .empty(.close)),
            ("TREE_CONNECT response", .coreTreeResponse(.init(maxBufferSize: 16644, tid: 3))),
            ("OPEN response", .coreOpenResponse(.init(fid: 9, fileSize: 77))),
            ("READ response", .coreReadResponse(.init(data: 0..<9))),
            ("WRITE response", .coreWriteResponse(.init(count: 4))),
            ("QUERY_INFORMATION response", .queryInformationResponse(
                .init(fileAttributes: .archive, lastWriteTime: 7, fileSize: 9))),
            ("QUERY_INFORMATION2 response", .queryInformation2Response(
                .init(time: .init(unix: 1_000_000_000), size: 9, attributes: .archive))),
            ("QUERY_INFORMATION_DISK response", .queryInformationDiskResponse(
                .init(totalUnits: 9, blocksPerUnit: 8, blockSize: 512, freeUnits: 0))),
            ("SEARCH response", .searchResponse(.init(entries: [.init(
                resumeKey: .init(serverState: Bytes16(payload)), fileAttributes: .archive,
                lastWrite: .init(unix: 1_000_000_000), fileSize: 3, fileName: "LOGON.BAT")]))),
            ("TRANSACTION2 response", .transaction2Response(.init(part))),
            ("LOGOFF_ANDX response", .logoff(.init())),
        ]
    }()
}
