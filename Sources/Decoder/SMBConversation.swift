import SMB
import Wire

/// One SMB connection, as far as it must be remembered to follow the pipes on it: which file
/// number is which pipe, and which response answers which request. What is SMB2 in it is followed
/// apart.
struct SMBConversation {
    static let layer: StaticString = "SMB1"
    static let mostRequests = 128
    static let mostPipes = 128
    static let mostAssemblies = 16

    /// A file number, or before the server has given one the message that opens it.
    private enum Handle: Hashable {
        case file(UInt16)
        case opening(UInt32)
    }

    /// What a response needs to know of its request.
    private struct Request {
        /// Whom the response's data belongs to.
        var pipe: Handle?
        var opens = false
    }

    private var requests: [UInt32: Request] = [:]
    private var pipes: [Handle: CapturedPipe] = [:]
    private var requestParts: [UInt32: SMB1.TransactionAssembly] = [:]
    private var responseParts: [UInt32: SMB1.TransactionAssembly] = [:]
    private var newer = SMB2Conversation()

    static func looksLike(_ reader: borrowing WireReader) -> Bool {
        reader.starts(with: [0xff, 0x53, 0x4d, 0x42]) || SMB2Conversation.looksLike(reader)
    }

    /// Shows the message that fills `reader`, every command of it, and what its pipes carry.
    mutating func show(_ reader: borrowing WireReader, into outline: inout Outline) {
        if SMB2Conversation.looksLike(reader) { return newer.show(reader, into: &outline) }
        var message = reader.part(reader.offset..<reader.end, layer: Self.layer)
        do throws(WireError) {
            var chain = try SMB1.Chain(parsing: &message)
            outline.open(chain.header.description)
            defer { outline.close() }
            let failures = outline.failed
            let exchange = UInt32(chain.header.mid) | UInt32(chain.header.pidLow) << 16
            var opening: Handle?
            if !chain.form.isResponse {
                requests.bound(to: Self.mostRequests)
                requests[exchange] = Request()
            }
            while let block = try chain.nextBlock(&message) {
                command(block, &message, exchange, &opening, into: &outline)
            }
            if outline.failed == failures { outline.succeed() }
        } catch {
            outline.fail(error)
        }
    }

    /// A command that cannot be read does not hide those chained to it.
    private mutating func command(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: UInt32,
        _ opening: inout Handle?, into outline: inout Outline
    ) {
        do throws(WireError) {
            let body = try SMB1.Body(parsing: &reader, block)
            SMBBodyDecoder.show(body, reader, into: &outline)
            if block.form.isResponse {
                try follow(response: body, reader, exchange, into: &outline)
            } else {
                try follow(request: body, reader, exchange, &opening, into: &outline)
            }
        } catch {
            outline.fail(error)
        }
    }

    // MARK: Requests

    private mutating func follow(
        request body: SMB1.Body, _ reader: borrowing WireReader, _ exchange: UInt32,
        _ opening: inout Handle?, into outline: inout Outline
    ) throws(WireError) {
        switch body {
        case .openRequest(let request):
            opening = open(request.fileName, exchange)
        case .ntCreateRequest(let request):
            opening = open(request.fileName, exchange)
        case .writeRequest(let request):
            let pipe = opening ?? .file(request.fid)
            carried(reader.copy(request.data), on: pipe, from: .client, into: &outline)
        case .readRequest(let request):
            requests[exchange]?.pipe = opening ?? .file(request.fid)
        case .closeRequest(let request):
            pipes[.file(request.fid)] = nil
        case .transactionRequest(let request):
            try follow(transaction: request, reader, exchange, into: &outline)
        case .transactionSecondary(let part):
            guard var parts = requestParts.removeValue(forKey: exchange) else { return }
            try parts.add(
                part.totals, parameters: part.parameters, at: part.parameterDisplacement,
                data: part.data, at: part.dataDisplacement, from: reader)
            if !parts.isComplete {
                requestParts[exchange] = parts
            } else if let pipe = requests[exchange]?.pipe {
                carried(parts.data, on: pipe, from: .client, into: &outline)
            }
        case .negotiateRequest, .negotiateResponse, .sessionSetupRequest, .sessionSetupResponse,
            .logoff, .treeConnectRequest, .treeConnectResponse, .treeDisconnect,
            .ntCreateResponse, .openResponse, .readResponse, .writeResponse, .echo,
            .transactionResponse,
            .coreOpenRequest, .coreOpenResponse, .coreReadRequest, .coreReadResponse,
            .coreWriteRequest, .coreWriteResponse, .coreTreeRequest, .coreTreeResponse,
            .processExit, .queryInformationRequest, .queryInformationResponse,
            .queryInformation2Request, .queryInformation2Response, .queryInformationDiskResponse,
            .checkDirectory, .searchRequest, .searchResponse, .findClose2, .transaction2Request,
            .transaction2Secondary, .transaction2Response,
            .empty, .other:
            break
        }
    }

    private mutating func open(_ name: String, _ exchange: UInt32) -> Handle {
        requests[exchange]?.opens = true
        pipes.bound(to: Self.mostPipes)
        pipes[.opening(exchange)] = CapturedPipe(name: name)
        return .opening(exchange)
    }

    private mutating func follow(
        transaction request: SMB1.TransactionRequest, _ reader: borrowing WireReader,
        _ exchange: UInt32, into outline: inout Outline
    ) throws(WireError) {
        guard case .transact(let fid, let data)? = SMBBodyDecoder.pipeCall(request, reader) else {
            return
        }
        requests[exchange]?.pipe = .file(fid)
        guard let totals = request.totals else {
            carried(reader.copy(data), on: .file(fid), from: .client, into: &outline)
            return
        }
        var parts = SMB1.TransactionAssembly(totals)
        try parts.add(
            totals, parameters: request.parameters, at: 0, data: request.data, at: 0, from: reader)
        requestParts.bound(to: Self.mostAssemblies)
        requestParts[exchange] = parts
    }

    // MARK: Responses

    private mutating func follow(
        response body: SMB1.Body, _ reader: borrowing WireReader, _ exchange: UInt32,
        into outline: inout Outline
    ) throws(WireError) {
        switch body {
        case .openResponse(let response): opened(response.fid, exchange)
        case .ntCreateResponse(let response): opened(response.fid, exchange)
        case .readResponse(let response):
            guard let pipe = requests[exchange]?.pipe else { return }
            carried(reader.copy(response.data), on: pipe, from: .server, into: &outline)
        case .transactionResponse(let part):
            guard let pipe = requests[exchange]?.pipe else { return }
            let isWhole = part.totals == SMB1.TransactionTotals(part.parameters, part.data)
            if isWhole && part.dataDisplacement == 0 {
                carried(reader.copy(part.data), on: pipe, from: .server, into: &outline)
                return
            }
            responseParts.bound(to: Self.mostAssemblies)
            var parts =
                responseParts.removeValue(forKey: exchange)
                ?? SMB1.TransactionAssembly(part.totals)
            try parts.add(
                part.totals, parameters: part.parameters, at: part.parameterDisplacement,
                data: part.data, at: part.dataDisplacement, from: reader)
            if parts.isComplete {
                carried(parts.data, on: pipe, from: .server, into: &outline)
            } else {
                responseParts[exchange] = parts
            }
        case .negotiateRequest, .negotiateResponse, .sessionSetupRequest, .sessionSetupResponse,
            .logoff, .treeConnectRequest, .treeConnectResponse, .treeDisconnect,
            .ntCreateRequest, .openRequest, .readRequest, .writeRequest, .writeResponse,
            .closeRequest, .echo, .transactionRequest, .transactionSecondary,
            .coreOpenRequest, .coreOpenResponse, .coreReadRequest, .coreReadResponse,
            .coreWriteRequest, .coreWriteResponse, .coreTreeRequest, .coreTreeResponse,
            .processExit, .queryInformationRequest, .queryInformationResponse,
            .queryInformation2Request, .queryInformation2Response, .queryInformationDiskResponse,
            .checkDirectory, .searchRequest, .searchResponse, .findClose2, .transaction2Request,
            .transaction2Secondary, .transaction2Response,
            .empty, .other:
            break
        }
    }

    /// The server has given a file number to what a request opened.
    private mutating func opened(_ fid: UInt16, _ exchange: UInt32) {
        guard requests[exchange]?.opens == true else { return }
        requests[exchange]?.opens = false
        if requests[exchange]?.pipe == .opening(exchange) { requests[exchange]?.pipe = .file(fid) }
        pipes[.file(fid)] = pipes.removeValue(forKey: .opening(exchange))
    }

    // MARK: Pipes

    private mutating func carried(
        _ bytes: [UInt8], on handle: Handle, from side: Side, into outline: inout Outline
    ) {
        // A capture may begin after the pipe was opened.
        var pipe = pipes[handle] ?? CapturedPipe()
        guard pipe.carried(bytes, from: side, into: &outline) else { return }
        if pipes[handle] == nil { pipes.bound(to: Self.mostPipes) }
        pipes[handle] = pipe
    }
}
