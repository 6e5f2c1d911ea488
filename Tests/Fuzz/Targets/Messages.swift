import Crypto
import Decoder
import Locator
import Mailslot
import NTLM
import NetBIOS
import RPC
import SMB
import SecureChannel
import Wire

// Messages: what is parsed is written again, and what was written is parsed again.

extension FuzzTarget {
    static let messages: [FuzzTarget] = [
        FuzzTarget("nbns", seeds: nameSeeds) { bytes in
            again(bytes) { reader, writer throws(WireError) in
                try NameServicePacket(parsing: &reader).write(into: &writer)
            }
        },
        FuzzTarget("mailslot", seeds: mailslotSeeds) { bytes in
            var reader = WireReader(bytes.span, layer: "mailslot")
            guard let slot = try? MailslotWrite(parsing: &reader) else { return }
            _ = slot.description
            messageInSlot(Array(bytes[slot.data]))
        },
        FuzzTarget("netlogon") { messageInSlot($0) },
        FuzzTarget("smb1") { bytes in
            var reader = WireReader(bytes.span, layer: "SMB1")
            guard let message = try? SMB1.Message(parsing: &reader) else { return }
            _ = message.description
            var writer = WireWriter()
            message.write(into: &writer, from: bytes.span)
        },
        FuzzTarget("smb2", seeds: smb2Seeds) { bytes in
            again(bytes) { reader, writer throws(WireError) in
                let message = try SMB2.Message(parsing: &reader)
                _ = message.header.description
                message.write(into: &writer, from: bytes.span)
            }
        },
        FuzzTarget("rpc") { fragment($0) },
        FuzzTarget("ntlmssp") { bytes in
            handshakes(bytes)
        },
        FuzzTarget("spnego") { bytes in
            var reader = WireReader(bytes.span, layer: "SPNEGO")
            guard let token = try? NegotiationToken(parsing: &reader) else { return }
            _ = token.description
            var writer = WireWriter()
            token.write(from: bytes.span, into: &writer)
            let written = writer.finish()
            var second = WireReader(written.span, layer: "SPNEGO")
            precondition((try? NegotiationToken(parsing: &second)) != nil, "not parsed again")
        },
        FuzzTarget("cldap", seeds: cldapSeeds) { bytes in
            var request = WireReader(bytes.span, layer: "CLDAP")
            _ = try? CLDAPSearchRequest(parsing: &request)
            var response = WireReader(bytes.span, layer: "CLDAP")
            if let answer = try? CLDAPSearchResponse(parsing: &response) {
                _ = ControllerIdentity(answer: answer, in: response)
            }
        },
        FuzzTarget("ldap", seeds: ldapSeeds) { bytes in
            if let length = try? LDAPMessage.length(bytes.span) { precondition(length >= 2) }
            var reader = WireReader(bytes.span, layer: "LDAP")
            guard let message = try? LDAPMessage(parsing: &reader) else { return }
            _ = message.description
            let again = written { message.write(into: &$0) }
            var second = WireReader(again.span, layer: "LDAP")
            precondition(
                (try? LDAPMessage(parsing: &second)) == message, "not the same again")
        },
        FuzzTarget("srv") { bytes in
            var numbers = FuzzNumbers()
            var records: [SRVRecord] = []
            for step in Steps(bytes) {
                let weight = UInt16(step.bytes.first ?? 0) << 8 | UInt16(step.bytes.count & 255)
                records.append(SRVRecord(
                    priority: UInt16(step.operation & 3), weight: weight, port: 389,
                    target: String(decoding: step.bytes, as: UTF8.self)))
            }
            let ordered = SRVRecord.ordered(records) { $0 == .max ? numbers.next()
                : numbers.next() % ($0 + 1) }
            precondition(ordered.count <= SRVRecord.maximumRecords)
        },
        FuzzTarget("pcap") { bytes in
            _ = CaptureDecoder.decode(bytes) { _ in }
        },
        FuzzTarget("decode") { bytes in
            guard let first = bytes.first else { return }
            let kinds = MessageKind.allCases
            let rest = Array(bytes.dropFirst())
            _ = MessageDecoder.decode(rest, as: kinds[Int(first) % kinds.count])
            _ = MessageDecoder.decode(rest)
        },
        FuzzTarget("seal") { bytes in
            // A reply that its seal does not match is refused, and changes nothing that trusts it.
            let key = SessionKey(cipher: .aes, key: Bytes16([UInt8](repeating: 7, count: 16)))
            var seal = NetlogonSeal(key: key, isClient: true)
            guard bytes.count >= seal.tokenLength else { return }
            var pdu = bytes
            let token = bytes.count - seal.tokenLength..<bytes.count
            let body = 0..<token.lowerBound
            let opened: Void? = try? seal.unseal(
                &pdu, body: body, covered: body, token: token, sequence: 0)
            precondition(opened == nil, "a stranger's seal is taken")
        },
    ]

    // MARK: Bodies

    private static func again(
        _ bytes: [UInt8],
        _ rewrite: (inout WireReader, inout WireWriter) throws(WireError) -> Void
    ) {
        var reader = WireReader(bytes.span, layer: "fuzz")
        var writer = WireWriter()
        do throws(WireError) {
            try rewrite(&reader, &writer)
        } catch {
            _ = error.description
            return
        }
        let written = writer.finish()
        if written.isEmpty { return }
        var second = WireReader(written.span, layer: "fuzz")
        var last = WireWriter()
        do throws(WireError) {
            try rewrite(&second, &last)
        } catch {
            preconditionFailure("what was written is refused: \(error.description)")
        }
        precondition(last.finish() == written, "it is written otherwise the second time")
    }

    private static func messageInSlot(_ bytes: [UInt8]) {
        var netlogon = WireReader(bytes.span, layer: "NETLOGON")
        if let message = try? NetlogonMessage(parsing: &netlogon) { _ = message.description }
        var browser = WireReader(bytes.span, layer: "BROWSE")
        if let message = try? BrowserMessage(parsing: &browser) { _ = message.description }
    }

    private static func fragment(_ bytes: [UInt8]) {
        var reader = WireReader(bytes.span, layer: "RPC")
        guard let fragment = try? Fragment(parsing: &reader) else { return }
        let body = reader.part(fragment.body)
        var bind = copy body
        _ = try? BindPDU(parsing: &bind)
        var ack = copy body
        _ = try? BindAckPDU(parsing: &ack)
        var nak = copy body
        _ = try? BindNakPDU(parsing: &nak)
        var fault = copy body
        if let fault = try? FaultPDU(parsing: &fault) { _ = fault.status.description }
        var response = copy body
        _ = try? ResponsePDU(parsing: &response)
        var request = copy body
        _ = try? RequestPDU(parsing: &request, flags: fragment.header.flags)
        if let auth = fragment.auth {
            var token = WireReader(bytes.span, layer: "NL_AUTH_MESSAGE").part(auth.token)
            _ = try? NLAuthMessage(parsing: &token)
        }
        _ = try? FragmentCutter.length(bytes.span, from: 0)
    }

    private static func handshakes(_ bytes: [UInt8]) {
        let account = ClientHandshake.Account(
            userName: "alice", domainName: "ADLAB",
            ntowf: Bytes16([UInt8](repeating: 5, count: 16)))
        let client = ClientHandshake(account: account, workstation: "PC1")
        let nonces = ClientHandshake.Nonces(
            clientChallenge: Bytes8([8, 7, 6, 5, 4, 3, 2, 1]),
            sessionKey: Bytes16([UInt8](repeating: 3, count: 16)), now: 0)
        _ = try? client.authenticate(challenge: bytes, nonces)
        var server = ServerHandshake(
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            serverChallenge: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
        if (try? server.challenge(negotiate: bytes, now: 0)) == nil {
            _ = try? server.challenge(negotiate: client.negotiate, now: 0)
        }
        guard let answer = try? server.accept(authenticate: bytes) else { return }
        _ = answer.description
        _ = try? server.session(answer, sessionBaseKey: Bytes16(), lmSessionKey: Bytes8())
    }

    // MARK: Seeds

    static func written(_ body: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter()
        body(&writer)
        return writer.finish()
    }

    static let gate = ScopedName(NetBIOSName("GATE1", .workstation)!)

    static let smb2Seeds: [[UInt8]] = {
        let payload: [UInt8] = [0x4e, 0x54, 0x4c, 0x4d, 1, 2, 3]
        let file = Bytes16([UInt8](1...16))
        var setup = SMB2.SessionSetupRequest()
        setup.securityBuffer = 0..<7
        var call = SMB2.TransceiveRequest(fileID: file, maxOutput: 4_280)
        call.input = 0..<7
        var called = SMB2.TransceiveResponse(fileID: file)
        called.output = 0..<7
        let bodies: [(SMB2.Command, SMB2.Flags, SMB2.Body)] = [
            (.negotiate, [], .negotiateRequest(
                .init([.smb21, .smb311], clientGUID: file, salt: file))),
            (.negotiate, .response, .negotiateResponse(.init(.smb311))),
            (.sessionSetup, [], .sessionSetupRequest(setup)),
            (.treeConnect, [], .treeConnectRequest(.init(path: "\\\\AD\\IPC$"))),
            (.create, [], .createRequest(.init(name: "netlogon"))),
            (.create, .response, .createResponse(.init(fileID: file))),
            (.ioctl, [], .transceiveRequest(call)),
            (.ioctl, .response, .transceiveResponse(called)),
        ]
        return bodies.map { command, flags, body in
            var header = SMB2.Header(command, messageID: 3)
            header.flags = flags
            return written { SMB2.Message(header, body).write(into: &$0, from: payload.span) }
        }
    }()

    static let nameSeeds: [[UInt8]] = {
        let entry = AddressEntry(
            NameFlags(group: false, .hybrid), IPv4Address(10, 77, 0, 9))
        let query = NameServicePacket.query(7, gate, broadcast: true)
        let packets: [NameServicePacket] = [
            query,
            .registration(8, gate, entry, timeToLive: 300, broadcast: true),
            .release(9, gate, entry, broadcast: true),
            .positiveQueryResponse(to: query, gate, [entry, entry], timeToLive: 60),
            .nodeStatusResponse(
                to: query, gate,
                NodeStatus(
                    names: [.init(gate.name, NameFlags(rawValue: 0x6400))],
                    statistics: NodeStatistics())),
        ]
        return packets.map { packet in written { packet.write(into: &$0) } }
    }()

    static let mailslotSeeds: [[UInt8]] = []

    static let ldapSeeds: [[UInt8]] = {
        let found = LDAPEntry(
            name: "CN=GATE1,CN=Computers,DC=ad,DC=lab",
            [LDAPAttribute("userAccountControl", text: "4096")])
        let operations: [LDAPOperation] = [
            .bindResponse(LDAPResult(.saslBindInProgress), credentials: Array("NTLMSSP".utf8)),
            .searchRequest(
                LDAPSearch(
                    "DC=ad,DC=lab", .subtree, .equal("sAMAccountName", Array("GATE1$".utf8)),
                    attributes: ["cn"])),
            .searchResultEntry(found), .searchResultDone(LDAPResult(.success)),
            .addRequest(found), .modifyRequest(found),
            .addResponse(LDAPResult(.entryAlreadyExists, diagnosticMessage: "00002071")),
        ]
        return operations.map { operation in
            written { LDAPMessage(messageID: 3, operation).write(into: &$0) }
        }
    }()

    static let cldapSeeds: [[UInt8]] = [
        written {
            CLDAPSearchRequest(messageID: 5, dnsDomain: "ad.lab", host: "GATE1").write(into: &$0)
        },
    ]
}
