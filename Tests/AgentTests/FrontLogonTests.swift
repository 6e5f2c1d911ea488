import Crypto
import Domain
import Front
import NTLM
import NetBIOS
import RPC
import SMB
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Agent

/// Clients that log on over SMB at the front, whose logons the agent validates by its own domain.
final class FrontedAgent {
    static let peer = IPv4Address(10, 77, 0, 50)
    /// Monday, 13 May 2024, 9:30.
    static let monday: UInt64 = 1_715_558_400 + 9 * 3_600 + 1_800
    static let challenge = Bytes8([1, 1, 2, 3, 5, 8, 13, 21])

    let domain: LocalDomain
    let agent: Agent
    let front: Front
    let user: UInt32
    private final class Clock {
        var unix = FrontedAgent.monday
    }
    private let clock = Clock()
    var time = FrontTime(now: 5_000, unix: monday) {
        didSet { clock.unix = time.unix }
    }
    private(set) var blocked: [String] = []
    private var sent: [[UInt8]] = []

    init(plain: Bool = false) throws {
        domain = try #require(
            LocalDomain.create(
                name: "GATE", sid: SID("S-1-5-21-7-8-9")!,
                proofs: ProofPolicy(ntlmv1: .allow, allowsLM: true),
                now: FileTime.at(unixSeconds: Self.monday)) { _ in true })
        user = try domain.createAccount("emma").rid
        try domain.setPassword(
            user, NewPassword(Secret(Array("own".utf8))),
            now: FileTime.at(unixSeconds: Self.monday))
        var numbers = SeededNumbers(seed: 5)
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        agent = Agent(
            name: "GATE1", domains: [], locals: [AgentLocalDomain(domain)],
            unixSeconds: { [clock] in clock.unix }, random: random)
        let rpc = RPCServer(
            services: [],
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            channels: nil, random: random)
        var settings = SMBServerSettings(computerName: "GATE1", domainName: "GATE")
        settings.allowsPlainPasswords = plain
        front = Front(
            smb: SMBServer(
                settings, pipes: rpc, administration: nil, files: nil, random: random),
            rpc: rpc, netlogon: nil)
    }

    /// How a client proves its user, without NTLMSSP but in the last case.
    enum Proof {
        case lm, ntlmv1, ntlmv2, plain
        /// With the computer's name that NTLMSSP tells.
        case ssp(String)
    }

    /// What the session setup ends with. On port 139 the client has told its name before.
    func logOn(_ proof: Proof, calling name: String? = nil) throws -> NTStatus {
        let port: FrontPort = name == nil ? .direct : .session
        let id = try #require(front.opened(from: Self.peer, on: port, now: time))
        defer { front.closed(id, now: time) }
        if let name { receive(id, try Self.sessionRequest(name)) }
        sent = []
        var configuration = SMB1.ClientSession.Configuration()
        configuration.credentials = credentials(proof)
        var client = SMB1.ClientSession(configuration)
        for _ in 0..<8 {
            var writer = WireWriter()
            while client.writeMessage(into: &writer) {
                let message = writer.finish()
                let length = [UInt8(message.count >> 8), UInt8(message.count & 0xff)]
                receive(id, [0, 0] + length + message)
            }
            for answer in sent { try client.receive(answer) }
            sent = []
            while let event = client.nextEvent() {
                switch event {
                case .established: return .success
                case .failed(_, let status): return status
                case _: continue
                }
            }
        }
        Issue.record("no end")
        return .unsuccessful
    }

    private static func sessionRequest(_ name: String) throws -> [UInt8] {
        let called = try #require(NetBIOSName("GATE1", .server))
        let calling = try #require(NetBIOSName(name, .workstation))
        var writer = WireWriter()
        let nothing: [UInt8] = []
        SessionPacket.request(called: ScopedName(called), calling: ScopedName(calling))
            .write(userData: nothing.span, into: &writer, .netBIOS)
        return writer.finish()
    }

    private func credentials(_ proof: Proof) -> SMB1.ClientSession.Credentials {
        let hash = NTOWF.v1(password: "own")
        if case .ssp(let computer) = proof {
            let client = ClientHandshake(
                account: .init(userName: "emma", domainName: "GATE", ntowf: hash),
                workstation: computer)
            return .extended { token in
                let isFirst = (try? SecurityBlobs.inner(token)) == nil
                if isFirst { return .init(token: client.negotiate, isLast: false) }
                let nonces = ClientHandshake.Nonces(
                    clientChallenge: Self.challenge, sessionKey: Bytes16(),
                    now: FileTime.at(unixSeconds: Self.monday))
                guard let challenge = try? SecurityBlobs.inner(token),
                    let (message, _) = try? client.authenticate(challenge: challenge, nonces)
                else { return nil }
                return .init(token: message, isLast: true)
            }
        }
        return .user { peer in
            var logon = SMB1.ClientSession.Logon(
                accountName: "emma", primaryDomain: "GATE", lmResponse: [], ntResponse: [])
            guard case .challenge(let bytes, _, _) = peer.security else { return logon }
            let challenge = Bytes8(bytes)
            switch proof {
            case .lm:
                logon.lmResponse = LMOWF.v1(password: "OWN").map {
                    NTLMv1.response(owf: $0, challenge: challenge).bytes
                } ?? []
            case .ntlmv1:
                logon.ntResponse = NTLMv1.response(owf: hash, challenge: challenge).bytes
                logon.lmResponse = logon.ntResponse
            case .ntlmv2:
                let made = NTLMv2.response(
                    ntowf: hash, user: "emma", domain: "GATE", serverChallenge: challenge,
                    clientChallenge: Self.challenge, timestamp: 1, targetInfo: [0, 0, 0, 0])
                (logon.ntResponse, logon.lmResponse) = (made.nt, made.lm)
            case .plain: logon.lmResponse = Array("own".utf8)
            case .ssp: break
            }
            return logon
        }
    }

    private func receive(_ id: FrontConnection, _ bytes: [UInt8]) {
        front.received(id, bytes.span, now: time)
        while let output = front.nextOutput() {
            switch output {
            case .send(_, let frame): if frame[0] == 0 { sent.append(Array(frame[4...])) }
            case .close, .translate: break
            case .blocked(let logon): agent.blocked(LogonCall(logon), now: time.now)
            case .logon(let token, let logon):
                agent.logon(
                    LogonCall(logon), caller: token, now: time.now,
                    microseconds: time.now * 1_000)
            }
            for told in agent.takeOutputs() {
                switch told {
                case .answer(let token, let outcome):
                    front.answered(token, outcome, now: time)
                case .blocked(let logon): blocked.append(logon.blocked)
                case _: Issue.record("nobody else is concerned")
                }
            }
        }
    }
}

@Suite struct FrontLogonTests {
    @Test func aUserEntersFromItsWorkstationsAlone() throws {
        let world = try FrontedAgent()
        try world.domain.updateAccount(world.user) { $0.workstations = ["PC1", "PC2"] }
        #expect(try world.logOn(.ntlmv2, calling: "PC1") == .success)
        #expect(try world.logOn(.ntlmv2, calling: "PC3") == .invalidWorkstation)
        #expect(try world.logOn(.ssp("PC2")) == .success)
        #expect(try world.logOn(.ssp("PC3")) == .invalidWorkstation)
    }

    /// Port 445 without NTLMSSP: nobody has told from which computer the user comes.
    @Test func aClientWithoutANameDoesNotPassForThisHost() throws {
        let world = try FrontedAgent()
        #expect(try world.logOn(.ntlmv2) == .success)
        try world.domain.updateAccount(world.user) { $0.workstations = ["GATE1"] }
        #expect(try world.logOn(.ntlmv2) == .invalidWorkstation)
        #expect(try world.logOn(.ssp("")) == .invalidWorkstation)
        #expect(try world.logOn(.ssp("GATE1")) == .success)
        try world.domain.updateAccount(world.user) { $0.workstations = ["10.77.0.50"] }
        #expect(try world.logOn(.ntlmv2) == .success)
    }

    @Test func aUserEntersAtItsHoursAlone() throws {
        let world = try FrontedAgent()
        var bits = [UInt8](repeating: 0, count: LogonHours.byteCount)
        bits[(24 + 9) / 8] = 1 << UInt8((24 + 9) % 8)
        let hours = try #require(LogonHours(bits))
        try world.domain.updateAccount(world.user) { $0.logonHours = hours }
        #expect(try world.logOn(.ntlmv2) == .success)
        world.time.now += 3_600_000
        world.time.unix += 3_600
        #expect(try world.logOn(.ntlmv2) == .invalidLogonHours)
    }

    @Test func eachPortHasItsPolicyAndEachClientItsCounts() throws {
        let world = try FrontedAgent()
        world.agent.listeners.direct = ProofPolicy(ntlmv1: .refuse)
        for proof in [FrontedAgent.Proof.lm, .ntlmv1, .ntlmv2] {
            #expect(try world.logOn(proof, calling: "OLDPC") == .success)
        }
        #expect(try world.logOn(.lm) == .ntlmBlocked)
        #expect(try world.logOn(.ntlmv1) == .ntlmBlocked)
        #expect(try world.logOn(.ntlmv2) == .success)
        #expect(world.domain.accounts[world.user]?.badPasswordCount == 0)
        let clients = world.agent.clients.clients
        #expect(clients.count == 2)
        for client in clients {
            let isOld = client.origin == .network(.session, FrontedAgent.peer)
            #expect(client.computer == (isOld ? "OLDPC" : ""))
            for proof in [Ledger.Proof.lm, .ntlmv1] {
                #expect(client.count(proof, .accepted) == (isOld ? 1 : 0))
                #expect(client.count(proof, .blocked) == (isOld ? 0 : 1))
            }
            #expect(client.count(.ntlmv2, .accepted) == 1 && !client.uses(.plain))
        }
        // One line a minute: of the first.
        #expect(
            world.blocked == ["10.77.0.50 on port 445: LM is not taken, for GATE\\emma"])
    }

    @Test func passwordsInClearAreCountedByTheirClient() throws {
        for isTaken in [false, true] {
            let world = try FrontedAgent(plain: isTaken)
            let status = try world.logOn(.plain, calling: "DOS1")
            #expect(status == (isTaken ? .success : .logonFailure))
            let client = try #require(world.agent.clients.clients.first)
            #expect(client.count(.plain, isTaken ? .accepted : .blocked) == 1)
            #expect(client.count(.plain, isTaken ? .blocked : .accepted) == 0)
            #expect(world.blocked.count == (isTaken ? 0 : 1))
        }
    }
}
