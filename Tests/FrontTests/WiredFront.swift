import Crypto
import Domain
import Interfaces
import RPC
import SMB
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Front
@testable import NTLM

/// The front as the program builds it (`FrontBuilder`), over a small domain, and what goes to its
/// clients.
final class WiredFront {
    let domain: LocalDomain
    let front: Front
    private(set) var now = FrontTime(now: 10_000, unix: 1_700_000_000)
    private(set) var logons: [(token: UInt64, logon: FrontLogon)] = []
    private(set) var sends = 0
    private var sent: [FrontConnection: [[UInt8]]] = [:]
    private var closed: Set<FrontConnection> = []

    init() throws {
        var numbers = SeededRandom(seed: 11)
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        domain = try #require(
            LocalDomain.create(
                name: "GATE", sid: ServiceWorld.sid, now: 132_000_000_000_000_000,
                commit: { _ in true }))
        for name in ["PC1$", "OLD$"] {
            let account = try domain.createAccount(name, flags: .workstationTrust)
            try domain.setPassword(
                account.rid, NewPassword(nt: NetlogonWorld.machineSecret), now: now.fileTime)
        }
        let channels = ChannelTable()
        let configured = { [ConfiguredDomain(name: "ADLAB", dnsName: "ad.lab", controller: "AD")] }
        let netlogon = NetlogonService(
            NetlogonService.Settings(computerName: "GATE1", address: Self.address),
            domain: domain, channels: channels, random: random)
        netlogon.otherDomains = configured
        netlogon.replication = ReplicationService(domain: domain)
        let lsa = LSAService(
            domain: domain, configured: configured, anonymous: .all, random: random)
        let rpc = RPCServer(
            services: [
                netlogon, lsa,
                EndpointMapperService(
                    [.init(Netlogon.interface, "Netlogon", pipe: "netlogon", port: 49_152)],
                    host: "GATE1", address: Self.address, random: random),
            ],
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            channels: channels, random: random)
        let smb = SMBServer(
            SMBServerSettings(computerName: "GATE1", domainName: "GATE"), pipes: rpc,
            administration: nil, files: nil, random: random)
        front = Front(smb: smb, rpc: rpc, netlogon: netlogon, lsa: lsa)
    }

    static let address = IPv4Address(10, 77, 0, 40)
    static let peer = IPv4Address(10, 77, 0, 50)

    func open(_ port: UInt16) throws -> FrontConnection {
        let place: FrontPort = port == 445 ? .direct : port == 139 ? .session : .rpc(port)
        return try #require(front.opened(from: Self.peer, on: place, now: now))
    }

    func give(_ connection: FrontConnection, _ bytes: [UInt8]) {
        front.received(connection, bytes.span, now: now)
        settle()
    }

    func take(_ connection: FrontConnection) -> [[UInt8]] {
        sent.removeValue(forKey: connection) ?? []
    }

    func close(_ connection: FrontConnection) {
        front.closed(connection, now: now)
        settle()
    }

    func isClosed(_ connection: FrontConnection) -> Bool { closed.contains(connection) }

    func answer(_ token: UInt64, _ outcome: LogonOutcome) {
        front.answered(token, outcome, now: now)
        settle()
    }

    private func settle() {
        while let output = front.nextOutput() {
            switch output {
            case .send(let connection, let bytes):
                sends += 1
                sent[connection, default: []].append(bytes)
            case .close(let connection): closed.insert(connection)
            case .logon(let token, let logon): logons.append((token, logon))
            case .blocked, .translate, .copy: Issue.record("nobody asks for that")
            }
        }
    }
}

/// Somebody whose logon the front passes on.
protocol WiredClient: AnyObject {
    /// Begins a logon that is to wait for its verdict.
    func logOn() throws
    /// Takes what has come; what became of the logon, once something has.
    func verdict() throws -> WiredVerdict?
    /// Ends all of its connections.
    func leave()
}

enum WiredVerdict: Equatable {
    case accepted
    case refused
}

/// Logs on to an SMB session.
final class WiredSession: WiredClient {
    private let world: WiredFront
    private let connection: FrontConnection
    private var session: SMB1.ClientSession
    private var ended: WiredVerdict?

    init(_ world: WiredFront, user: String) throws {
        self.world = world
        connection = try world.open(445)
        var configuration = SMB1.ClientSession.Configuration()
        configuration.credentials = SMBTalk.user(user, "Secret-1", domain: "ADLAB")
        session = SMB1.ClientSession(configuration)
    }

    func logOn() throws { _ = try verdict() }

    func verdict() throws -> WiredVerdict? {
        var isBusy = true
        while isBusy {
            isBusy = false
            var writer = WireWriter()
            while session.writeMessage(into: &writer) {
                world.give(connection, SMBWorld.framed(writer.finish()))
                isBusy = true
            }
            for frame in world.take(connection) {
                try session.receive(Array(frame.dropFirst(4)))
                isBusy = true
            }
        }
        while let event = session.nextEvent() {
            switch event {
            case .established: ended = .accepted
            case .failed: ended = .refused
            case .negotiated, .opened, .received, .written, .closed, .pipeFailed, .administered,
                .administrationRefused, .ended: break
            }
        }
        return ended
    }

    func leave() { world.close(connection) }
}

/// Binds with NTLMSSP, whose signatures protect its calls, and asks who it is.
final class WiredBinder: WiredClient {
    private let world: WiredFront
    private let connection: FrontConnection
    private var ended: WiredVerdict?

    init(_ world: WiredFront) throws {
        self.world = world
        connection = try world.open(49_152)
    }

    func logOn() throws {
        let client = ClientHandshake(
            account: .init(
                userName: "alice", domainName: "GATE", ntowf: SecurityBlobs.password),
            workstation: "PC1")
        let security = SecurityContext(.winNT, .integrity, id: 7)
        world.give(connection, RPCPeer.bindPDU(
            contexts: [PresentationContext(id: 0, LSA.interface)], security: security,
            token: client.negotiate))
        let first = world.take(connection).first
        let bytes = try #require(first)
        var reader = WireReader(bytes.span, layer: "test")
        let auth = try #require(try Fragment(parsing: &reader).auth)
        let (answer, session) = try client.authenticate(
            challenge: Array(bytes[auth.token]),
            ClientHandshake.Nonces(
                clientChallenge: Bytes8(), sessionKey: Bytes16([UInt8](repeating: 7, count: 16)),
                now: world.now.fileTime))
        var writer = WireWriter()
        Auth3PDU().write(
            into: &writer, header: PDUHeader(.auth3, callID: 1), security: security,
            token: answer)
        world.give(connection, writer.finish())
        var stub = NDRWriter()
        LsarGetUserName.Request(systemName: nil).write(into: &stub)
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: LsarGetUserName.opnum), callID: 2,
            maximumFragment: 5_840, security: security,
            tokenLength: MessageSecurity.tokenLength)
        writer = WireWriter()
        let layout = try #require(
            fragmenter.next(stub.wire.finish().span, into: &writer))
        var pdu = writer.finish()
        var signing = session.security
        signing.sign(
            &pdu, body: layout.sealed, covered: layout.signed, token: layout.token.lowerBound)
        world.give(connection, pdu)
    }

    /// Its first call is answered with its name, or with a fault.
    func verdict() throws -> WiredVerdict? {
        for bytes in world.take(connection) {
            var reader = WireReader(bytes.span, layer: "test")
            let fragment = try Fragment(parsing: &reader)
            guard fragment.header.type == .response else {
                #expect(fragment.header.type == .fault)
                ended = .refused
                continue
            }
            var body = fragment.bodyReader(bytes.span)
            _ = try ResponsePDU(parsing: &body)
            let who = try LsarGetUserName.Response(parsing: &body)
            #expect(who.userName == "alice" && who.domainName == "GATE")
            ended = .accepted
        }
        return ended
    }

    func leave() { world.close(connection) }

    /// The key that belongs to the answers that it gave.
    static func sessionKey(_ logon: FrontLogon) -> Bytes16 {
        guard case .responses(let challenge, let nt, let lm) = logon.proof else {
            return Bytes16()
        }
        return SecurityBlobs.sessionKey(
            SecurityAcceptor.Answered(
                domain: logon.domain, user: logon.user, workstation: logon.workstation,
                challenge: challenge, ntResponse: nt, lmResponse: lm)) ?? Bytes16()
    }
}

/// A member whose secure channel carries the logon of a user of another domain: over TCP, or
/// over a pipe of an SMB session.
final class WiredMember: WiredClient {
    private let world: WiredFront
    private let channel: Channel
    private let user: String
    private var links: [Int: FrontConnection] = [:]
    private var ended: WiredVerdict?

    init(_ world: WiredFront, _ profile: ChannelSettings.Profile, account: String, user: String) {
        self.world = world
        self.user = user
        var numbers = SeededRandom(seed: UInt64(account.utf8.count))
        channel = Channel(
            settings: ChannelSettings(
                domain: "GATE", profile: profile, kind: .workstation, account: account,
                computer: String(account.dropLast()), connections: 1, allowsRC4: false,
                allowsUnsealed: false),
            epoch: 1_700_000_000, random: { numbers.bytes($0) })
        channel.useSecrets([NetlogonWorld.machineSecret], now: world.now.now)
        channel.useControllers(
            [ControllerAddress(address: WiredFront.address, name: "GATE1")], now: world.now.now)
    }

    func logOn() throws {
        channel.logon(
            1, NetlogonWorld.network(user, "ADLAB"), deadline: world.now.now + 5_000,
            now: world.now.now)
        _ = try verdict()
    }

    func verdict() throws -> WiredVerdict? {
        var isBusy = true
        while isBusy {
            isBusy = false
            for output in channel.takeOutputs() {
                try perform(output)
                isBusy = true
            }
            for (link, connection) in links {
                for bytes in world.take(connection) {
                    channel.linkReceived(link, bytes.span, now: world.now.now)
                    isBusy = true
                }
            }
        }
        return ended
    }

    private func perform(_ output: Channel.Output) throws {
        switch output {
        case .open(let link, let endpoint):
            links[link] = try world.open(endpoint.port)
            channel.linkOpened(link, now: world.now.now)
        case .send(let link, let bytes):
            if let connection = links[link] { world.give(connection, bytes) }
        case .close(let link, _):
            if let connection = links.removeValue(forKey: link) { world.close(connection) }
        case .answer(_, let outcome):
            switch outcome {
            case .accepted(let identity):
                #expect(identity.user == user)
                ended = .accepted
            case .refused: ended = .refused
            case .unavailable(let why): Issue.record("\(why.description)")
            }
        case .notice, .passwordSet, .translated, .pulled, .controllerFailed, .controllerSilent,
            .controllerAnswered, .mapped: break
        }
    }

    func leave() {
        for connection in links.values { world.close(connection) }
    }

    /// Gives its key up and makes another one.
    func rebuild() throws {
        channel.rebuild(now: world.now.now)
        _ = try verdict()
    }
}
