import Crypto
import Mailslot
import NetBIOS
import SMB
import Simulation
import Wire

@testable import Flows

/// A primary controller of a trusted domain, with the whims that tests give it.
final class FakeController {
    var address = IPv4Address(10, 77, 0, 70)
    var computer = "TRUSTPDC"
    var domain = "TRUSTED"
    var sid = SID(identifierAuthority: 5, subAuthorities: [21, 11, 22, 33])
    var account = "OURDOM$"
    var ports: Set<UInt16> = [139]
    /// Bytes that one receive brings.
    var pieceSize = 100_000

    // Datagrams.
    var hasName = true
    var answersMailslots = true
    var mailslotDomain: String?
    var knowsAccount = true
    var browsers = ["TRUSTPDC"]
    var servers = ["TRUSTPDC", "FILES"]
    /// Servers that the browse list announces beyond those that it brings.
    var announcedServers = 0

    // SMB and RPC.
    /// What session setup as the trust's account is answered.
    var accountStatus = NTStatus.nologonInterdomainTrustAccount
    var userStatus = NTStatus.success
    var letsInAsGuest = false
    var wkstaDomain: String?
    /// The SID that LSA tells, one for each query; the last one stays.
    var lsaSIDs: [SID] = []
    var lsaKnowsAccount = true
    var authenticateStatus = NTStatus.success
    var secret = Bytes16(Array("0123456789abcdef".utf8))
    var grantsSeal = true
    var groups: [(String, UInt32)] = [("Domain Users", 513), ("Domain Admins", 512)]
    var userCount = 3
    var pageSize = 100
    /// The list of users begins anew after its end.
    var listNeverEnds = false
    var groupsNeverEnd = false
    var log: [String] = []

    // Accounts that a join makes or takes over, by their control.
    var accounts: [String: UInt32] = ["TAKEN$": 0x80, "HUMAN$": 0x10]
    var passwords: [String: Secret] = [:]
    var mayMakeAccounts = true
    /// What the setting of a password is answered; nil is silence.
    var setStatus: NTStatus? = .success
    /// As before Windows 2000.
    var knowsSaltedPasswords = true

    /// The directory on port 389, where the host has one.
    var entries: [String: [String: [UInt8]]] = [:]
    /// NTOWFv1 of Administrator.
    var administrator = Bytes16()
    var sealsDirectory = true

    // MARK: Datagrams

    func datagram(_ bytes: [UInt8], to destination: Endpoint) -> [[UInt8]] {
        let isBroadcast = destination.address.rawValue & 0xff == 0xff
        guard destination.address == address || isBroadcast else { return [] }
        do {
            if destination.port == 137 { return try nameAnswer(bytes) }
            return answersMailslots ? try mailslotAnswer(bytes) : []
        } catch {
            log.append("bad datagram: \(error)")
            return []
        }
    }

    private func nameAnswer(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var reader = WireReader(bytes.span, layer: "test")
        let query = try NameServicePacket(parsing: &reader)
        guard let name = query.question?.name else { return [] }
        log.append("name \(name.description)")
        let answer: NameServicePacket
        if hasName {
            answer = .positiveQueryResponse(
                to: query, name, [AddressEntry(NameFlags(rawValue: 0), address)],
                timeToLive: 60)
        } else {
            answer = .negativeQueryResponse(to: query, name, .nameError)
        }
        var writer = WireWriter()
        answer.write(into: &writer)
        return [writer.finish()]
    }

    private func mailslotAnswer(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var reader = WireReader(bytes.span, layer: "test")
        let datagram = try DataDatagram(parsing: &reader)
        var body = reader.part(datagram.userData)
        let write = try MailslotWrite(parsing: &body)
        var message = reader.part(write.data)
        var answer = WireWriter()
        let slot: [UInt8]
        switch MailslotName.named(write.name, in: bytes.span) {
        case .browse:
            guard case .backupListRequest(_, let token) = try BrowserMessage(parsing: &message)
            else { return [] }
            log.append("GetBackupList")
            slot = MailslotName.browse.bytes
            BackupListResponse(
                token: token, backupServerList: browsers.map { OEMText($0) }
            ).write(into: &answer)
        case _:
            guard let found = try netlogonAnswer(&message, &answer) else { return [] }
            slot = found
        }
        return [envelope(answer.finish(), slot, to: datagram.source)]
    }

    private func netlogonAnswer(
        _ message: inout WireReader, _ answer: inout WireWriter
    ) throws -> [UInt8]? {
        switch try NetlogonMessage(parsing: &message) {
        case .primaryQuery(let query):
            log.append("GETDC")
            PrimaryResponse(
                primaryDCName: OEMText(computer),
                .windowsNT(.init(UnicodeText(computer), UnicodeText(mailslotDomain ?? domain)))
            ).write(into: &answer)
            return query.mailslotName.bytes
        case .samLogonRequest(let query):
            log.append("SAM LOGON \(query.unicodeUserName.description)")
            SAMLogonResponse(
                knowsAccount ? .samLogonResponse : .samUserUnknown,
                unicodeLogonServer: UnicodeText("\\\\" + computer),
                unicodeUserName: query.unicodeUserName,
                unicodeDomainName: UnicodeText(mailslotDomain ?? domain)
            ).write(into: &answer)
            return query.mailslotName.bytes
        default: return nil
        }
    }

    private func envelope(_ message: [UInt8], _ slot: [UInt8], to: ScopedName) -> [UInt8] {
        var writer = WireWriter()
        let from = ScopedName(NetBIOSName(computer, .workstation)!)
        let length = DataDatagram.begin(
            DatagramHeader(.directUnique, .hybrid, id: 1, source: Endpoint(address, 138)),
            from: from, to: to, into: &writer)
        let open = MailslotWrite.begin(to: slot.span, into: &writer)
        writer.append(message)
        MailslotWrite.finish(open, in: &writer)
        DataDatagram.finish(length, in: &writer)
        return writer.finish()
    }
}

extension FakeController {
    /// One TCP connection of a client.
    final class Session {
        private let host: FakeController
        private let isDirect: Bool
        private var buffer: [UInt8] = []
        private var pipes: [UInt16: FakePipe] = [:]
        private var lastFID: UInt16 = 0
        private var smb2 = SMB2Server()
        private var smb2Pipe: FakePipe?

        init(_ host: FakeController, isDirect: Bool) {
            self.host = host
            self.isDirect = isDirect
        }

        /// The answer to what came, or nil where the host ends the connection.
        func receive(_ bytes: [UInt8]) -> [UInt8]? {
            buffer += bytes
            var out: [UInt8] = []
            while buffer.count >= 4 {
                let length = Int(buffer[2]) << 8 | Int(buffer[3])
                if buffer.count < 4 + length { break }
                let kind = buffer[0]
                let message = Array(buffer[4..<(4 + length)])
                buffer.removeFirst(4 + length)
                if kind == 0x81 {
                    host.log.append("NetBIOS session")
                    out += [0x82, 0, 0, 0]
                    continue
                }
                let answers = message[0] == 0xfe ? answerSMB2(message) : answer(message)
                guard let answers else { return nil }
                for answer in answers {
                    out += [0, 0, UInt8(answer.count >> 8), UInt8(answer.count & 0xff)] + answer
                }
            }
            return out
        }

        private func answerSMB2(_ message: [UInt8]) -> [[UInt8]]? {
            do {
                let written = try smb2.receive(message)
                if case .createRequest(let create)? = smb2.requests.last?.body {
                    smb2Pipe = FakePipe(host, create.name)
                }
                if let written { smb2Pipe?.write(written) }
                while let answer = smb2Pipe?.read() { smb2.bring(answer) }
                return smb2.takeOutgoing()
            } catch {
                host.log.append("bad SMB2 message: \(error)")
                return nil
            }
        }

        private func answer(_ message: [UInt8]) -> [[UInt8]]? {
            let answer: [UInt8]? = try? answerSMB1(message)
            return answer.map { [$0] }
        }

        private func answerSMB1(_ bytes: [UInt8]) throws -> [UInt8] {
            var reader = WireReader(bytes.span, layer: "test")
            let message = try SMB1.Message(parsing: &reader)
            var header = message.header.response(.success)
            header.uid = 5
            header.tid = 9
            var writer = WireWriter()
            var parts: [(SMB1.Body, [UInt8])] = []
            var opened: UInt16 = 0
            for body in message.bodies {
                switch try self.answer(body, bytes, &opened) {
                case .body(let answer, let data): parts.append((answer, data))
                case .status(let status):
                    header.status = SMB1.Status(status, isNT: true)
                    var chain = SMB1.ChainWriter(header, into: &writer)
                    for (part, data) in parts {
                        part.append(to: &chain, &writer, from: data.span)
                    }
                    chain.appendEmpty(
                        parts.isEmpty ? message.header.command : .noAndX, into: &writer)
                    return writer.finish()
                }
            }
            var chain = SMB1.ChainWriter(header, into: &writer)
            for (part, data) in parts { part.append(to: &chain, &writer, from: data.span) }
            return writer.finish()
        }

        private enum Answer {
            case body(SMB1.Body, [UInt8])
            case status(NTStatus)
        }

        private func answer(
            _ body: SMB1.Body, _ bytes: [UInt8], _ opened: inout UInt16
        ) throws -> Answer {
            switch body {
            case .negotiateRequest:
                var answer = SMB1.NegotiateNTLM(
                    security: .challenge(
                        [1, 2, 3, 4, 5, 6, 7, 8], domainName: host.domain, serverName: nil))
                answer.maxBufferSize = 16_644
                answer.maxMpxCount = 50
                answer.capabilities = [.ntStatus, .ntSMBs, .largeReadX]
                answer.securityMode = [.userSecurity, .encryptPasswords]
                return .body(.negotiateResponse(.ntLM(answer)), [])
            case .sessionSetupRequest(let setup): return sessionSetup(setup)
            case .treeConnectRequest:
                return .body(.treeConnectResponse(.init(service: "IPC", nativeFileSystem: "")), [])
            case .openRequest(let open): return self.open(open.fileName, &opened)
            case .ntCreateRequest(let create): return self.open(create.fileName, &opened)
            case .writeRequest(let write):
                let fid = write.fid == 0xffff ? opened : write.fid
                pipes[fid]?.write(Array(bytes[write.data]))
                return .body(.writeResponse(.init(count: UInt32(write.data.count))), [])
            case .readRequest(let read):
                let fid = read.fid == 0xffff ? opened : read.fid
                guard let data = pipes[fid]?.read() else { return .status(.pipeDisconnected) }
                return .body(.readResponse(.init(data: 0..<data.count)), data)
            case .transactionRequest(let request): return transact(request, bytes)
            case .treeDisconnect: return .body(.treeDisconnect(.init()), [])
            case .logoff:
                host.log.append("logoff")
                return .body(.logoff(.init()), [])
            default: return .status(.smbBadCommand)
            }
        }

        private func sessionSetup(_ setup: SMB1.SessionSetupRequest) -> Answer {
            let user = setup.accountName ?? ""
            host.log.append("session setup \(user)")
            if user == host.account, !host.letsInAsGuest {
                if host.accountStatus != .success { return .status(host.accountStatus) }
            } else if !user.isEmpty, host.userStatus != .success {
                return .status(host.userStatus)
            }
            let isGuest = host.letsInAsGuest && !user.isEmpty
            return .body(.sessionSetupResponse(.init(action: isGuest ? 1 : 0)), [])
        }

        private func open(_ name: String, _ opened: inout UInt16) -> Answer {
            let bare = name.split(separator: "\\").last.map { $0.lowercased() } ?? ""
            guard ["lsarpc", "wkssvc", "samr", "netlogon"].contains(bare) else {
                return .status(.objectNameNotFound)
            }
            lastFID += 1
            opened = lastFID
            pipes[lastFID] = FakePipe(host, String(bare))
            return .body(
                .openResponse(.init(fid: lastFID, resourceType: 2, nmPipeStatus: 0x5ff)), [])
        }

        private func transact(_ request: SMB1.TransactionRequest, _ bytes: [UInt8]) -> Answer {
            if request.setup.isEmpty { return administer() }
            guard let pipe = pipes[request.setup[1]] else { return .status(.invalidHandle) }
            pipe.write(Array(bytes[request.data]))
            guard let data = pipe.read() else { return .status(.pipeDisconnected) }
            return .body(.transactionResponse(.init(data: 0..<data.count)), data)
        }

        private func administer() -> Answer {
            host.log.append("NetServerEnum2")
            var records = RAP.RecordWriter()
            for name in host.servers {
                RAP.ServerInfo(serverName: name).write(into: &records, level: 0)
            }
            let (data, count) = records.finish(limit: 4_096)
            var writer = WireWriter()
            let announced = UInt16(count + host.announcedServers)
            RAP.Response(.success, [announced, announced]).write(into: &writer)
            let parameters = writer.finish()
            return .body(
                .transactionResponse(
                    .init(
                        parameters: 0..<parameters.count,
                        data: parameters.count..<(parameters.count + data.count))),
                parameters + data)
        }
    }
}
