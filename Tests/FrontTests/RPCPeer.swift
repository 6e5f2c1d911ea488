import Crypto
import Domain
import Interfaces
import RPC
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Front
@testable import NTLM

/// Echoes stubs: at once (0), later (1), twenty thousand bytes of them (2), or a fault (3).
final class EchoService: RemoteService {
    static let syntax = SyntaxID(
        GUID(data1: 0x1234, data2: 1, data3: 2, data4: 0x0102_0304_0506_0708), 1, 3)
    let interface = EchoService.syntax
    var takesUnprotected = false
    private(set) var callers: [RemoteCaller] = []
    private(set) var endedCallers = 0
    private(set) var ticket: UInt64 = 0
    /// Of the last call's numbers.
    private(set) var order = ByteOrder.littleEndian
    var isAsked: Int { callers.count }

    func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        callers.append(caller)
        var stub = stub
        order = stub.byteOrder
        let bytes = stub.copy(stub.takeRest())
        switch opnum {
        case 0: return .response(bytes)
        case 1:
            ticket += 1
            return .later(ticket: ticket)
        case 2: return .response([UInt8](repeating: 0xab, count: 20_000))
        case 3: return .fault(.badStubData)
        default: return .fault(.opRangeError)
        }
    }

    func ended(_ caller: RemoteCaller) { endedCallers += 1 }
}

/// Knows one computer's key.
final class OneKey: ChannelKeys {
    static let key = SessionKey(cipher: .aes, key: Bytes16([UInt8](repeating: 9, count: 16)))

    private let session: ChannelSession

    init() {
        let secret = MD4.hash([1])
        guard let domain = LocalDomain.create(
                name: "GATE", sid: SID(identifierAuthority: 5, subAuthorities: [21, 1, 2, 3]),
                now: 1, commit: { _ in true }),
            let account = try? domain.createAccount("PC1$", flags: .workstationTrust)
        else { fatalError("no domain for the test") }
        try? domain.setPassword(account.rid, NewPassword(nt: secret), now: 1)
        session = ChannelSession(
            computer: "PC1", account: account, of: domain, secret: secret, type: .workstation,
            key: OneKey.key, flags: 0, requestedFlags: 0, isOldFashioned: false,
            chain: CredentialChain(sessionKey: OneKey.key, clientCredential: Bytes8()), now: 0)
    }

    func channel(of computer: String) -> ChannelSession? { computer == "PC1" ? session : nil }
}

/// A client of the RPC server, a PDU at a time, and all around it.
final class RPCPeer {
    let echo = EchoService()
    let server: RPCServer
    let connection: UInt32
    var now = FrontTime(now: 1_000, unix: 1_700_000_000)
    private(set) var received: [[UInt8]] = []
    private(set) var isClosed = false
    private(set) var logons: [(token: UInt64, logon: FrontLogon)] = []
    private var seal: NetlogonSeal?
    private var sequence: UInt64 = 0
    private var session: MessageSecurity?
    private var level = AuthLevel.privacy
    private var type = AuthType.none
    var callID: UInt32 = 0

    init(_ other: RPCPeer? = nil) throws {
        if let other {
            server = other.server
        } else {
            var numbers: UInt8 = 0
            server = RPCServer(
                services: [echo, ManagementService(interfaces: [], computerName: "GATE1")]
                    + [EndpointMapperService(
                        [EndpointMapperService.Registration](
                            repeating: .init(
                                Netlogon.interface, "Netlogon", pipe: "netlogon", port: 49_152),
                            count: 6), host: "GATE1", address: IPv4Address(10, 77, 0, 40),
                        random: { count in
                            numbers &+= 1
                            return [UInt8](repeating: numbers, count: count)
                        })],
                identity: ServerHandshake.Identity(
                    nbComputerName: "GATE1", nbDomainName: "GATE"),
                channels: OneKey(),
                random: { count in
                    numbers &+= 1
                    return [UInt8](repeating: numbers, count: count)
                })
        }
        connection = try #require(
            server.accept(from: IPv4Address(10, 77, 0, 50), port: 135, now: now))
    }

    func send(_ bytes: [UInt8]) {
        server.received(connection, bytes.span, now: now)
        settle()
    }

    /// Lets time pass.
    func wait(_ milliseconds: UInt64) {
        now.now += milliseconds
        server.tick(now: now)
        settle()
    }

    func settle() {
        for output in server.takeOutputs() {
            switch output {
            case .send(let to, let bytes): if to == connection { received.append(bytes) }
            case .close(let which): if which == connection { isClosed = true }
            case .logon(let token, let logon): logons.append((token, logon))
            case .forget: break
            }
        }
    }

    /// The next PDU that came.
    func next() throws -> (Fragment, [UInt8]) {
        try #require(!received.isEmpty)
        let bytes = received.removeFirst()
        var reader = WireReader(bytes.span, layer: "test")
        return (try Fragment(parsing: &reader), bytes)
    }

    func nextFault() throws -> FaultStatus {
        let (fragment, bytes) = try next()
        #expect(fragment.header.type == .fault)
        var body = WireReader(bytes.span, layer: "test").part(fragment.body)
        return try FaultPDU(parsing: &body).status
    }

    // MARK: Binds

    static func bindPDU(
        _ type: PDUType = .bind, callID: UInt32 = 1, flags: PDUFlags = .single,
        contexts: [PresentationContext] = [PresentationContext(id: 0, EchoService.syntax)],
        group: UInt32 = 0, security: SecurityContext? = nil, token: [UInt8] = [],
        most: UInt16 = 5_840
    ) -> [UInt8] {
        var writer = WireWriter()
        BindPDU(
            maximumReceiveFragment: most, associationGroup: group, contexts: contexts
        ).write(
            into: &writer, header: PDUHeader(type, flags, callID: callID), security: security,
            token: token)
        return writer.finish()
    }

    /// Sends a bind or an alter_context and reads its answer.
    @discardableResult
    func bind(
        _ type: PDUType = .bind, flags: PDUFlags = .single,
        contexts: [PresentationContext] = [PresentationContext(id: 0, EchoService.syntax)],
        group: UInt32 = 0, security: SecurityContext? = nil, token: [UInt8] = []
    ) throws -> (ack: BindAckPDU, token: [UInt8], flags: PDUFlags) {
        send(Self.bindPDU(
            type, flags: flags, contexts: contexts, group: group, security: security,
            token: token))
        let (fragment, bytes) = try next()
        #expect(fragment.header.type == (type == .bind ? .bindAck : .alterContextResponse))
        let reader = WireReader(bytes.span, layer: "test")
        var body = reader.part(fragment.body)
        let ack = try BindAckPDU(parsing: &body)
        return (ack, fragment.auth.map { reader.copy($0.token) } ?? [], fragment.header.flags)
    }

    func bindSecureChannel(
        _ level: AuthLevel, altering: Bool = false, flags: PDUFlags = .single
    ) throws {
        var token = WireWriter()
        NLAuthMessage(
            kind: .negotiate, netbiosDomain: Array("GATE".utf8), netbiosComputer: Array("PC1".utf8)
        ).write(into: &token)
        try bind(
            altering ? .alterContext : .bind, flags: flags,
            contexts: [PresentationContext(id: altering ? 1 : 0, EchoService.syntax)],
            security: SecurityContext(.netlogon, level, id: 1), token: token.finish())
        seal = NetlogonSeal(key: OneKey.key, isClient: true)
        type = .netlogon
        self.level = level
        signsHeaders = flags.contains(.supportHeaderSign)
    }

    private var signsHeaders = false

    /// Binds with NTLMSSP or SPNEGO, up to the logon that is to be validated.
    func bindNTLM(
        _ type: AuthType, _ level: AuthLevel, flags: PDUFlags = .single
    ) throws -> NTLMSession {
        let client = ClientHandshake(
            account: .init(
                userName: "alice", domainName: "GATE", ntowf: SecurityBlobs.password),
            workstation: "PC1")
        let context = SecurityContext(type, level, id: 7)
        var token = client.negotiate
        if type == .gssNegotiate {
            token = SecurityBlobs.wrap(
                NegTokenInit(mechTypes: [.ntlmssp], mechToken: 0..<token.count), token)
        }
        let answered = try bind(flags: flags, security: context, token: token)
        let (answer, ntlm) = try client.authenticate(
            challenge: try SecurityBlobs.inner(answered.token),
            ClientHandshake.Nonces(
                clientChallenge: Bytes8(), sessionKey: Bytes16([UInt8](repeating: 7, count: 16)),
                now: now.fileTime))
        if type == .winNT {
            var writer = WireWriter()
            Auth3PDU().write(
                into: &writer, header: PDUHeader(.auth3, callID: 1), security: context,
                token: answer)
            send(writer.finish())
        } else {
            let last = SecurityBlobs.wrap(
                NegTokenResp(responseToken: 0..<answer.count), answer)
            send(Self.bindPDU(.alterContext, security: context, token: last))
        }
        session = ntlm.security
        self.type = type
        self.level = level
        signsHeaders = true     // NTLM covers them whatever the flag says
        return ntlm
    }

    /// Answers the logon that waits.
    func validate(_ isRight: Bool = true, isOurs: Bool = true) throws {
        let last = logons.popLast()
        let (token, logon) = try #require(last)
        guard case .responses(let challenge, let nt, let lm) = logon.proof else {
            Issue.record("another answer")
            return
        }
        let asked = SecurityAcceptor.Answered(
            domain: logon.domain, user: logon.user, workstation: logon.workstation,
            challenge: challenge, ntResponse: nt, lmResponse: lm)
        let key = try #require(SecurityBlobs.sessionKey(asked))
        let identity = LogonIdentity(
            user: "alice", domain: "GATE", userRID: 1_000, primaryGroupRID: 513,
            domainSID: nil, groupRIDs: [512], sessionKey: key, isOurs: isOurs)
        identity.isInAdministrators = true
        server.validated(
            token, isRight ? .accepted(identity) : .refused(.wrongPassword, authoritative: true),
            now: now)
        settle()
    }

    // MARK: Calls

    /// One call in one PDU, under the security that was bound.
    func request(
        _ opnum: UInt16, _ stub: [UInt8], contextID: UInt16 = 0, spoil: Bool = false
    ) -> [UInt8] {
        callID += 1
        var fragmenter = Fragmenter(
            .request(contextID: contextID, opnum: opnum), callID: callID,
            maximumFragment: 5_840,
            security: type == .none ? nil : SecurityContext(
                type, level, id: type == .netlogon ? 1 : 7),
            tokenLength: seal?.tokenLength ?? (session == nil ? 0 : 16))
        var writer = WireWriter()
        guard let layout = fragmenter.next(stub.span, into: &writer) else { return [] }
        var pdu = writer.finish()
        let covered = signsHeaders ? layout.signed : layout.sealed
        let token = layout.token.lowerBound
        if seal != nil {
            if level == .privacy {
                seal?.seal(
                    &pdu, body: layout.sealed, covered: covered, token: token,
                    sequence: sequence, confounder: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
            } else {
                seal?.sign(&pdu, covered: covered, token: token, sequence: sequence)
            }
            sequence += 1
        } else if level == .privacy {
            session?.seal(&pdu, body: layout.sealed, covered: covered, token: token)
        } else {
            session?.sign(&pdu, body: layout.sealed, covered: covered, token: token)
        }
        if spoil { pdu[layout.sealed.lowerBound] ^= 1 }
        return pdu
    }

    /// The stub of the response that came, opened.
    func response() throws -> [UInt8] {
        var stub: [UInt8] = []
        while true {
            let (fragment, bytes) = try next()
            #expect(fragment.header.type == .response)
            var pdu = bytes
            var head = WireReader(bytes.span, layer: "test").part(fragment.body)
            _ = try ResponsePDU(parsing: &head)
            let part = head.takeRest()
            if let auth = fragment.auth {
                let body = part.lowerBound..<auth.trailer.lowerBound
                let covered = signsHeaders ? fragment.signed : body
                if seal != nil, level == .privacy {
                    try seal?.unseal(
                        &pdu, body: body, covered: covered, token: auth.token,
                        sequence: sequence)
                } else if seal != nil {
                    try seal?.verify(
                        pdu, covered: covered, token: auth.token, sequence: sequence)
                } else if level == .privacy {
                    try session?.unseal(&pdu, body: body, covered: covered, token: auth.token)
                } else {
                    try session?.verify(pdu, body: body, covered: covered, token: auth.token)
                }
                sequence += 1
            } else {
                #expect(type == .none)
            }
            stub += pdu[part]
            if fragment.isLast { return stub }
        }
    }

    func call(_ opnum: UInt16, _ stub: [UInt8], contextID: UInt16 = 0) throws -> [UInt8] {
        send(request(opnum, stub, contextID: contextID))
        return try response()
    }
}

/// The first token of a bind with the Netlogon provider.
enum NLAuthMessageSample {
    static func write(_ computer: String, into writer: inout WireWriter) {
        NLAuthMessage(
            kind: .negotiate, netbiosDomain: Array("GATE".utf8),
            netbiosComputer: Array(computer.utf8)
        ).write(into: &writer)
    }
}
