import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import SecureChannel
import Testing
import Wire

@testable import Front

/// The NETLOGON service with its domain, behind an RPC server, and a channel of ours to it.
final class NetlogonWorld {
    static var password: Secret { Secret(Array("Us3r-Pass!".utf8)) }
    static let machineSecret = NTOWF.v1(password: Secret(Array("machine".utf8)))

    let domain: LocalDomain
    let service: NetlogonService
    let server: RPCServer
    let channel: Channel
    private(set) var now: UInt64 = 10_000
    private var links: [Int: UInt32] = [:]
    private(set) var answers: [UInt32: LogonOutcome] = [:]
    private(set) var passedOn: [(ticket: UInt64, logon: FrontLogon)] = []
    private(set) var notices: [ChannelNotice] = []
    private(set) var pulled: [PullOutcome] = []
    private var nextLogon: UInt32 = 0

    init(
        nt4Accounts: [String] = [], allowsRC4: Bool = false,
        kind: ChannelSettings.Kind = .workstation, account: String = "PC1$"
    ) throws {
        var numbers = SeededRandom(seed: 7)
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        let sid = SID(identifierAuthority: 5, subAuthorities: [21, 1, 2, 3])
        domain = try #require(
            LocalDomain.create(
                name: "GATE", sid: sid, proofs: ProofPolicy(ntlmv1: .allow),
                now: 132_000_000_000_000_000, commit: { _ in true }))
        let time: UInt64 = 133_000_000_000_000_000
        let alice = try domain.createAccount("alice")
        try domain.setPassword(
            alice.rid, NewPassword(NetlogonWorld.password), now: time)
        for (name, flags) in [
            ("PC1$", AccountFlags.workstationTrust), ("BDC1$", .serverTrust),
            ("OTHER$", .interdomainTrust), ("OLD$", .workstationTrust),
        ] {
            let machine = try domain.createAccount(name, flags: flags)
            try domain.setPassword(
                machine.rid, NewPassword(nt: NetlogonWorld.machineSecret), now: time)
        }
        service = NetlogonService(
            NetlogonService.Settings(
                computerName: "GATE1", address: IPv4Address(10, 77, 0, 40),
                nt4Accounts: nt4Accounts),
            domain: domain, channels: ChannelTable(), random: random)
        service.otherDomains = {
            [ConfiguredDomain(name: "ADLAB", dnsName: "ad.lab", controller: "AD")]
        }
        server = RPCServer(
            services: [
                service,
                EndpointMapperService(
                    [.init(Netlogon.interface, "Netlogon", pipe: "lsass", port: 49_152)],
                    host: "GATE1", address: IPv4Address(10, 77, 0, 40), random: random),
            ],
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            channels: service.channels, random: random)
        channel = Channel(
            settings: ChannelSettings(
                domain: "GATE", profile: .modern, kind: kind, account: account,
                computer: String(account.dropLast()), connections: 2, allowsRC4: allowsRC4,
                allowsUnsealed: false),
            epoch: 1_700_000_000, random: random)
        channel.useSecrets([NetlogonWorld.machineSecret], now: now)
    }

    /// What comes back of a backup's pull through the channel.
    func pull(_ request: PullRequest) -> PullOutcome? {
        channel.pull(request.opnum, deadline: now + 5_000, now: now) {
            request.stub(
                DatabaseCall(primaryName: $0, computerName: "BDC1", authenticator: $1))
        }
        settle()
        return pulled.popLast()
    }

    var time: FrontTime { FrontTime(now: now, unix: 1_700_000_000 + now / 1_000) }

    func connect() {
        channel.useControllers(
            [ControllerAddress(address: IPv4Address(10, 77, 0, 40), name: "GATE1")], now: now)
        settle()
    }

    func run(_ milliseconds: UInt64) {
        now += milliseconds
        channel.tick(now: now)
        server.tick(now: time)
        settle()
    }

    func settle() {
        for _ in 0..<1_000 {
            let wanted = channel.takeOutputs()
            for output in wanted { perform(output) }
            let given = server.takeOutputs()
            for output in given { perform(output) }
            passedOn += service.takeLogons()
            if wanted.isEmpty, given.isEmpty { return }
        }
        Issue.record("outputs do not run out")
    }

    private func perform(_ output: Channel.Output) {
        switch output {
        case .open(let link, let endpoint):
            links[link] = server.accept(
                from: IPv4Address(10, 77, 0, 50), port: endpoint.port, now: time)
            channel.linkOpened(link, now: now)
        case .send(let link, let bytes):
            if let id = links[link] { server.received(id, bytes.span, now: time) }
        case .close(let link, _):
            if let id = links.removeValue(forKey: link) { server.closed(id) }
        case .answer(let logon, let outcome): answers[logon] = outcome
        case .notice(let notice): notices.append(notice)
        case .passwordSet, .translated: break
        case .pulled(let outcome): pulled.append(outcome)
        case .controllerFailed, .controllerSilent, .controllerAnswered, .mapped: break
        }
    }

    private func perform(_ output: RPCServer.Output) {
        switch output {
        case .send(let connection, let bytes):
            for (link, id) in links where id == connection {
                channel.linkReceived(link, bytes.span, now: now)
            }
        case .close(let connection):
            for (link, id) in links where id == connection {
                links[link] = nil
                channel.linkClosed(link, .closed, now: now)
            }
        case .logon, .forget: Issue.record("nobody binds with NTLM here")
        }
    }

    /// A logon through the channel; its number.
    func logon(_ request: LogonRequest) -> UInt32 {
        nextLogon += 1
        channel.logon(nextLogon, request, deadline: now + 5_000, now: now)
        settle()
        return nextLogon
    }

    static func network(
        _ user: String, _ domain: String = "GATE", password: Secret = NetlogonWorld.password,
        whole: Bool = false, madeFor server: String? = nil
    ) -> LogonRequest {
        let challenge = Bytes8([8, 7, 6, 5, 4, 3, 2, 1])
        let response = NTLMv2.response(
            ntowf: NTOWF.v1(password: password), user: user, domain: domain,
            serverChallenge: challenge, clientChallenge: Bytes8([1, 1, 2, 2, 3, 3, 4, 4]),
            timestamp: 133_000_000_000_000_000,
            targetInfo: AVPairList(server.map { [AVPair(.nbComputerName, text: $0)] } ?? []).bytes)
        return LogonRequest(
            domain: domain, user: user, workstation: "PC1", parameterControl: 0,
            proof: .network(challenge: challenge, nt: response.nt, lm: []), wantsWhole: whole)
    }

    static func interactive(_ user: String, _ domain: String = "GATE") -> LogonRequest {
        LogonRequest(
            domain: domain, user: user, workstation: "PC1", parameterControl: 0,
            proof: .interactive(nt: Secret(NTOWF.v1(password: password).bytes), lm: nil))
    }

    func passed(_ ticket: UInt64, _ outcome: LogonOutcome) {
        guard let reply = service.answered(ticket, outcome) else { return }
        server.answered(service.interface, ticket: ticket, reply, now: time)
        settle()
    }
}

/// Numbers that are the same in every run.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }
}
