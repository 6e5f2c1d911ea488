import SMB
import Wire

/// One SMB2 connection, as far as it must be remembered to follow the pipes on it: which file is
/// which pipe, and which response answers which request.
struct SMB2Conversation {
    static let layer: StaticString = "SMB2"
    static let mostRequests = 128
    static let mostPipes = 128
    /// Messages of one compound.
    static let mostMessages = 64

    /// What a response needs to know of its request.
    private enum Request {
        case opening(String)
        /// The file that the response's data comes from.
        case reading(String)
    }

    private var requests: [UInt64: Request] = [:]
    /// By the file's number, in hexadecimal.
    private var pipes: [String: CapturedPipe] = [:]

    static func looksLike(_ reader: borrowing WireReader) -> Bool {
        reader.starts(with: [0xfe, 0x53, 0x4d, 0x42])
    }

    /// Shows what fills `reader`: one message, or several in a compound (MS-SMB2 3.2.5.1.9).
    mutating func show(_ reader: borrowing WireReader, into outline: inout Outline) {
        var start = reader.offset
        for _ in 0..<Self.mostMessages {
            var message = reader.part(start..<reader.end, layer: Self.layer)
            do throws(WireError) {
                let header = try SMB2.Header(parsing: &message)
                let next = start + Int(header.nextCommand)
                if header.nextCommand != 0, next < message.offset || next > reader.end {
                    throw message.invalid("NextCommand", Int(header.nextCommand))
                }
                let end = header.nextCommand == 0 ? reader.end : next
                show(header, reader.part(message.offset..<end, layer: Self.layer), from: start,
                    into: &outline)
                if header.nextCommand == 0 { return }
                start = next
            } catch {
                return outline.fail(error)
            }
        }
        outline.line("further messages, left out")
    }

    private mutating func show(
        _ header: SMB2.Header, _ reader: borrowing WireReader, from base: Int,
        into outline: inout Outline
    ) {
        outline.open(header.description)
        defer { outline.close() }
        let failures = outline.failed
        var rest = reader.part(reader.offset..<reader.end)
        do throws(WireError) {
            let body = try SMB2.Body(parsing: &rest, header, from: base)
            SMB2BodyDecoder.show(body, reader, into: &outline)
            follow(body, header, reader, into: &outline)
        } catch {
            outline.fail(error)
        }
        if outline.failed == failures { outline.succeed() }
    }

    // MARK: Pipes

    private mutating func follow(
        _ body: SMB2.Body, _ header: SMB2.Header, _ reader: borrowing WireReader,
        into outline: inout Outline
    ) {
        switch body {
        case .createRequest(let create): note(.opening(create.name), header)
        case .createResponse(let created):
            guard case .opening(let name)? = requests.removeValue(forKey: header.messageID) else {
                return
            }
            pipes.bound(to: Self.mostPipes)
            pipes[created.fileID.hex] = CapturedPipe(name: name)
        case .closeRequest(let close): pipes[close.fileID.hex] = nil
        case .writeRequest(let write):
            carried(reader.copy(write.data), on: write.fileID.hex, .client, into: &outline)
        case .transceiveRequest(let call):
            note(.reading(call.fileID.hex), header)
            carried(reader.copy(call.input), on: call.fileID.hex, .client, into: &outline)
        case .readRequest(let read): note(.reading(read.fileID.hex), header)
        case .readResponse(let read): brought(read.data, header, reader, into: &outline)
        case .transceiveResponse(let call): brought(call.output, header, reader, into: &outline)
        case .error:
            // An announcement comes before the answer.
            if header.status != .pending { requests[header.messageID] = nil }
        case .negotiateRequest, .negotiateResponse, .sessionSetupRequest, .sessionSetupResponse,
            .treeConnectRequest, .treeConnectResponse, .closeResponse, .writeResponse, .farewell,
            .other:
            break
        }
    }

    private mutating func note(_ request: Request, _ header: SMB2.Header) {
        requests.bound(to: Self.mostRequests)
        requests[header.messageID] = request
    }

    private mutating func brought(
        _ data: Range<Int>, _ header: SMB2.Header, _ reader: borrowing WireReader,
        into outline: inout Outline
    ) {
        guard case .reading(let file)? = requests.removeValue(forKey: header.messageID) else {
            return
        }
        carried(reader.copy(data), on: file, .server, into: &outline)
    }

    private mutating func carried(
        _ bytes: [UInt8], on file: String, _ side: Side, into outline: inout Outline
    ) {
        // A capture may begin after the pipe was opened.
        var pipe = pipes[file] ?? CapturedPipe()
        guard pipe.carried(bytes, from: side, into: &outline) else { return }
        if pipes[file] == nil { pipes.bound(to: Self.mostPipes) }
        pipes[file] = pipe
    }
}

/// A pipe in a capture: its name, where its opening was seen, and the calls on it.
struct CapturedPipe {
    var name = ""
    var calls = RPCConversation()

    /// Shows bytes on it where they look like remote procedure calls, for files have numbers as
    /// pipes do. False: they do not.
    mutating func carried(_ bytes: [UInt8], from side: Side, into outline: inout Outline) -> Bool {
        let start = WireReader(bytes.span, layer: RPCConversation.layer)
        guard !bytes.isEmpty, calls.isWaiting(side) || RPCConversation.looksLike(start) else {
            return false
        }
        if !name.isEmpty { outline.field("pipe", name) }
        calls.receive(bytes, from: side, into: &outline)
        return true
    }
}

/// The bodies of SMB2 messages, field by field. Responses and challenges are withheld.
enum SMB2BodyDecoder {
    static func show(
        _ body: SMB2.Body, _ reader: borrowing WireReader, into outline: inout Outline
    ) {
        switch body {
        case .negotiateRequest(let request):
            outline.flags("security mode", UInt32(request.securityMode))
            for dialect in request.dialects { outline.field("dialect", dialect.description) }
        case .negotiateResponse(let response):
            outline.flags("security mode", UInt32(response.securityMode))
            outline.field("dialect", response.dialect.description)
            outline.field("server GUID", response.serverGUID.hex)
            SMBBodyDecoder.token(response.securityBuffer, reader, into: &outline)
        case .sessionSetupRequest(let request):
            SMBBodyDecoder.token(request.securityBuffer, reader, into: &outline)
        case .sessionSetupResponse(let response):
            outline.flags("session flags", UInt32(response.sessionFlags))
            SMBBodyDecoder.token(response.securityBuffer, reader, into: &outline)
        case .treeConnectRequest(let request): outline.field("path", request.path)
        case .treeConnectResponse(let response):
            outline.field("share type", Int(response.shareType))
        case .createRequest(let request):
            outline.field("name", request.name)
            outline.flags("desired access", request.desiredAccess)
        case .createResponse(let response): outline.field("file", response.fileID.hex)
        case .closeRequest(let request): outline.field("file", request.fileID.hex)
        case .readRequest(let request): outline.field("bytes at most", Int(request.length))
        case .readResponse(let response): outline.field("bytes", response.data.count)
        case .writeRequest(let request): outline.field("bytes", request.data.count)
        case .writeResponse(let response): outline.field("bytes", Int(response.count))
        case .transceiveRequest(let request):
            outline.line("FSCTL_PIPE_TRANSCEIVE of \(request.input.count) bytes")
        case .transceiveResponse(let response):
            outline.line("FSCTL_PIPE_TRANSCEIVE, \(response.output.count) bytes")
        case .closeResponse, .farewell, .error: break
        case .other(let range): outline.line("\(range.count) bytes, not read")
        }
    }
}
