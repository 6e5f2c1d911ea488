import SMB
import Wire

/// The bodies of SMB1 messages, field by field. Passwords, responses and challenges are withheld.
enum SMBBodyDecoder {
    static func show(
        _ body: SMB1.Body, _ reader: borrowing WireReader, into outline: inout Outline
    ) {
        outline.open(body.description)
        defer { outline.close() }
        switch body {
        case .negotiateResponse(let response): show(response, reader, into: &outline)
        case .sessionSetupRequest(let request): show(request, reader, into: &outline)
        case .sessionSetupResponse(let response):
            if response.action & SMB1.SessionSetupResponse.guest != 0 {
                outline.line("as a guest")
            }
            token(response.securityBlob, reader, into: &outline)
        case .treeConnectRequest(let request): outline.flags("flags", UInt32(request.flags))
        case .treeConnectResponse(let response):
            if let support = response.optionalSupport {
                outline.flags("optional support", UInt32(support))
            }
            rights(response.maximalRights, into: &outline)
        case .ntCreateRequest(let request):
            outline.flags("desired access", request.desiredAccess)
            outline.flags("share access", request.shareAccess)
            outline.field("create disposition", "\(request.createDisposition)")
        case .ntCreateResponse(let response):
            outline.field("resource type", Int(response.resourceType))
            outline.flags("pipe status", UInt32(response.nmPipeStatus))
        case .openRequest(let request):
            outline.flags("access mode", UInt32(request.accessMode))
            outline.flags("open mode", UInt32(request.openMode))
        case .openResponse(let response):
            outline.flags("pipe status", UInt32(response.nmPipeStatus))
        case .writeRequest(let request):
            outline.flags("write mode", UInt32(request.writeMode.rawValue))
        case .transactionRequest(let request):
            if let totals = request.totals {
                outline.field(
                    "in parts, of", "\(totals.parameterCount) and \(totals.dataCount) bytes")
            }
            if let call = pipeCall(request, reader) { outline.line(call.description) }
        case .negotiateRequest, .logoff, .treeDisconnect, .readRequest, .readResponse,
            .writeResponse, .closeRequest, .echo, .transactionSecondary, .transactionResponse,
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

    /// The named-pipe call that a transaction is, where it is one.
    static func pipeCall(
        _ request: SMB1.TransactionRequest, _ reader: borrowing WireReader
    ) -> SMB1.NamedPipeCall? {
        do throws(WireError) {
            return try SMB1.NamedPipeCall(request, in: reader)
        } catch {
            return nil
        }
    }

    private static func show(
        _ response: SMB1.NegotiateResponse, _ reader: borrowing WireReader,
        into outline: inout Outline
    ) {
        switch response {
        case .core: break
        case .lanMan(let answer):
            outline.flags("security mode", UInt32(answer.securityMode.rawValue))
            outline.field("most requests", Int(answer.maxMpxCount))
            outline.withheld("challenge", answer.encryptionKey.count)
        case .ntLM(let answer):
            outline.flags("security mode", UInt32(answer.securityMode.rawValue))
            outline.field("most requests", Int(answer.maxMpxCount))
            outline.field("buffer", "\(answer.maxBufferSize) bytes")
            outline.flags("capabilities", answer.capabilities.rawValue)
            switch answer.security {
            case .challenge(let challenge, let domainName, let serverName):
                outline.withheld("challenge", challenge.count)
                outline.field("domain", domainName)
                outline.field("server", serverName)
            case .extended(let guid, let blob):
                outline.field("server GUID", Hex.string(guid.bytes))
                token(blob, reader, into: &outline)
            }
        }
    }

    private static func show(
        _ request: SMB1.SessionSetupRequest, _ reader: borrowing WireReader,
        into outline: inout Outline
    ) {
        outline.field("buffer", "\(request.maxBufferSize) bytes")
        outline.field("most requests", Int(request.maxMpxCount))
        outline.field("account", request.accountName)
        outline.field("domain", request.primaryDomain)
        outline.field("native OS", request.nativeOS)
        outline.field("native LAN manager", request.nativeLanMan)
        switch request.credentials {
        case .lanMan(let password): outline.withheld("password", password.count)
        case .ntLM(let oem, let unicode, let capabilities):
            outline.withheld("OEM password", oem.count)
            outline.withheld("Unicode password", unicode.count)
            outline.flags("capabilities", capabilities.rawValue)
        case .extended(let blob, let capabilities):
            outline.flags("capabilities", capabilities.rawValue)
            token(blob, reader, into: &outline)
        }
    }

    private static func rights(_ rights: SMB1.MaximalRights?, into outline: inout Outline) {
        guard let rights else { return }
        outline.flags("maximal rights", rights.user)
        outline.flags("a guest's maximal rights", rights.guest)
    }

    static func token(
        _ blob: Range<Int>?, _ reader: borrowing WireReader, into outline: inout Outline
    ) {
        guard let blob, !blob.isEmpty else { return }
        let part = reader.part(blob, layer: SecurityTokenDecoder.layer)
        do throws(WireError) {
            try SecurityTokenDecoder.decode(part, into: &outline)
        } catch {
            outline.fail(error)
        }
    }
}
