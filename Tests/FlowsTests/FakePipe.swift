import Crypto
import Interfaces
import NTLM
import RPC
import SecureChannel
import Wire

@testable import Flows

/// One open pipe of the fake controller: LSA, the workstation service, SAM or Netlogon.
final class FakePipe {
    private let host: FakeController
    private let name: String
    private var answers: [[UInt8]] = []
    private var challenges: (client: Bytes8, server: Bytes8) = (Bytes8(), Bytes8())
    private static let handle = ContextHandle(
        uuid: GUID(data1: 7, data2: 0, data3: 0, data4: 0))
    /// The account that is open.
    private var account = ""
    /// It answers nothing any more.
    private var isMute = false

    init(_ host: FakeController, _ name: String) {
        self.host = host
        self.name = name
    }

    func read() -> [UInt8]? { answers.isEmpty ? nil : answers.removeFirst() }

    func write(_ bytes: [UInt8]) {
        var reader = WireReader(bytes.span, layer: "test")
        guard let fragment = try? Fragment(parsing: &reader),
            let pdu = try? PDU(fragment, in: reader)
        else { return }
        var writer = WireWriter()
        switch pdu {
        case .bind(let bind):
            host.log.append("bind \(name)")
            BindAckPDU(
                maximumTransmitFragment: 5_840, maximumReceiveFragment: 5_840,
                associationGroup: 1, secondaryAddress: Array("\\PIPE\\\(name)".utf8),
                results: bind.contexts.map { _ in .accepted(.ndr) }
            ).write(into: &writer, header: PDUHeader(.bindAck, callID: fragment.header.callID))
        case .request(let request, let stub):
            let answer = try? answer(request.opnum, Array(bytes[stub]))
            guard let answer else {
                FaultPDU(contextID: 0, status: .opRangeError)
                    .write(into: &writer, header: PDUHeader(.fault, callID: fragment.header.callID))
                break
            }
            if isMute { return }
            var fragmenter = Fragmenter(
                .response(contextID: 0), callID: fragment.header.callID, maximumFragment: 5_840)
            while fragmenter.next(answer.span, into: &writer) != nil {
                answers.append(writer.finish())
            }
            return
        default: return
        }
        answers.append(writer.finish())
    }

    private func stub<Message: NDRMessage>(_ message: Message) -> [UInt8] {
        var writer = WireWriter()
        message.write(into: &writer)
        return writer.finish()
    }

    private func parse<Message: NDRMessage>(
        _ type: Message.Type, _ stub: [UInt8]
    ) throws -> Message {
        var reader = WireReader(stub.span, layer: "test")
        return try Message(parsing: &reader)
    }

    private func answer(_ opnum: UInt16, _ request: [UInt8]) throws -> [UInt8]? {
        host.log.append("\(name) \(opnum)")
        return switch name {
        case "lsarpc": try lsa(opnum, request)
        case "wkssvc": try workstation(request)
        case "samr": try sam(opnum, request)
        default: try netlogon(opnum, request)
        }
    }

    private func lsa(_ opnum: UInt16, _ request: [UInt8]) throws -> [UInt8]? {
        switch opnum {
        case LsarOpenPolicy2.opnum, LsarClose.opnum:
            return stub(OpenedHandle(handle: Self.handle))
        case LsarQueryInformationPolicy.opnum:
            let query = try parse(PolicyQuery.self, request)
            let sid = host.lsaSIDs.count > 1
                ? host.lsaSIDs.removeFirst() : host.lsaSIDs.first ?? host.sid
            let domain = LSADomain(name: host.domain, sid: sid)
            return stub(
                PolicyAnswer(
                    policyInformation: query.informationClass == .accountDomain
                        ? .accountDomain(domain) : .primaryDomain(domain)))
        case LsarLookupNames.opnum:
            return stub(
                LsarLookupNames.Response(
                    referencedDomains: nil, translations: [],
                    mappedCount: host.lsaKnowsAccount ? 1 : 0,
                    status: host.lsaKnowsAccount ? .success : .noneMapped))
        default: return nil
        }
    }

    private func workstation(_ request: [UInt8]) throws -> [UInt8] {
        stub(
            NetrWkstaGetInfo.Response(
                level: 100,
                wkstaInfo: WkstaInfo(
                    computerName: host.computer, lanGroup: host.wkstaDomain ?? host.domain,
                    versionMajor: 4, versionMinor: 0)))
    }

    // MARK: SAM

    private func sam(_ opnum: UInt16, _ request: [UInt8]) throws -> [UInt8]? {
        switch opnum {
        case SamrConnect2.opnum, SamrOpenDomain.opnum, SamrCloseHandle.opnum:
            return stub(SamrHandleResponse(handle: Self.handle))
        case SamrEnumerateDomainsInSamServer.opnum:
            return stub(
                SamrEnumerateResponse(
                    enumerationContext: 2,
                    entries: [
                        SamrRIDName(relativeID: 0, name: host.domain),
                        SamrRIDName(relativeID: 1, name: "Builtin"),
                    ]))
        case SamrLookupDomainInSamServer.opnum:
            return stub(SamrSIDResponse(sid: host.lsaSIDs.last ?? host.sid))
        case SamrEnumerateGroupsInDomain.opnum:
            return stub(
                SamrEnumerateResponse(
                    enumerationContext: UInt32(host.groups.count),
                    entries: host.groups.map { SamrRIDName(relativeID: $0.1, name: $0.0) },
                    status: host.groupsNeverEnd ? .moreEntries : .success))
        case SamrQueryDisplayInformation.opnum:
            return stub(
                users(try parse(SamrQueryDisplayInformation.Request.self, request)))
        case SamrCreateUser2InDomain.opnum: return try create(request)
        case SamrLookupNamesInDomain.opnum:
            account = try parse(SamrLookupNamesInDomain.Request.self, request).names[0]
            return stub(
                SamrLookupNamesInDomain.Response(relativeIDs: [1_005], uses: [.user]))
        case SamrOpenUser.opnum: return stub(SamrHandleResponse(handle: Self.handle))
        case SamrQueryInformationUser2.opnum:
            var fields = SamrUserFields()
            fields.userAccountControl = host.accounts[account] ?? 0
            return stub(
                SamrQueryInformationUser2.Response(
                    information: .fields(informationClass: 16, fields)))
        case SamrSetInformationUser2.opnum: return try change(request)
        case SamrDeleteUser.opnum:
            host.accounts[account] = nil
            return stub(SamrHandleResponse(handle: .null))
        default: return nil
        }
    }

    private func create(_ request: [UInt8]) throws -> [UInt8] {
        let call = try parse(SamrCreateUser2InDomain.Request.self, request)
        var status = NTStatus.success
        if !host.mayMakeAccounts { status = .accessDenied }
        if host.accounts[call.name] != nil { status = .userExists }
        if status == .success {
            account = call.name
            // As a new one is: disabled.
            host.accounts[account] = call.accountType | 0x1
        }
        return stub(
            SamrCreateUser2InDomain.Response(
                handle: status == .success ? Self.handle : .null, grantedAccess: 0,
                relativeID: 1_005, status: status))
    }

    private func change(_ request: [UInt8]) throws -> [UInt8]? {
        let key = NTLMv1.sessionBaseKey(ntowf: Bytes16())
        let call = try parse(SamrSetInformationUser2.Request.self, request)
        let password: Secret?
        switch call.information {
        case .fields(_, let fields):
            host.accounts[account] = fields.userAccountControl
            return stub(SamrStatusResponse(status: .success))
        case .saltedPassword(let sealed, _):
            if !host.knowsSaltedPasswords {
                return stub(SamrStatusResponse(status: .invalidInfoClass))
            }
            password = SAMPassword.open(sealed, sessionKey: key)
        case .password(let sealed, _): password = SAMPassword.open(sealed, key: key.bytes)
        default: return nil
        }
        guard let status = host.setStatus else {
            isMute = true
            return []
        }
        if status == .success { host.passwords[account] = password }
        return stub(SamrStatusResponse(status: status))
    }

    private func users(
        _ request: SamrQueryDisplayInformation.Request
    ) -> SamrQueryDisplayInformation.Response {
        let start = Int(request.index) % max(1, host.userCount)
        let end = min(start + host.pageSize, host.userCount)
        let entries = (start..<max(start, end)).map {
            SamrDisplayEntry(
                index: UInt32($0 + 1), relativeID: UInt32(1_000 + $0), accountControl: 0x10,
                accountName: "user\($0)")
        }
        let isMore = end < host.userCount || host.listNeverEnds
        return SamrQueryDisplayInformation.Response(
            page: .users(entries), status: isMore ? .moreEntries : .success)
    }

    // MARK: Netlogon

    private func netlogon(_ opnum: UInt16, _ request: [UInt8]) throws -> [UInt8]? {
        switch opnum {
        case NetrServerReqChallenge.opnum:
            let call = try parse(NetrServerReqChallenge.Request.self, request)
            challenges = (call.clientChallenge, Bytes8([9, 8, 7, 6, 5, 4, 3, 2]))
            return stub(NetrServerReqChallenge.Response(serverChallenge: challenges.server))
        case NetrServerAuthenticate2.opnum:
            let call = try parse(NegotiatingChannelClaim.self, request)
            let flags = SecureChannel.NegotiateFlags(rawValue: call.negotiateFlags)
            let key = SessionKey(
                cipher: ChannelCipher(negotiated: flags), sharedSecret: host.secret,
                clientChallenge: challenges.client, serverChallenge: challenges.server)
            var status = host.authenticateStatus
            if key.credential(challenges.client) != call.claim.clientCredential {
                status = .accessDenied
            }
            return stub(
                NetrServerAuthenticate2.Response(
                    serverCredential: key.credential(challenges.server),
                    negotiateFlags: host.grantsSeal
                        ? call.negotiateFlags
                        : flags.subtracting(.secureRPC).rawValue,
                    status: status))
        default: return nil
        }
    }
}
