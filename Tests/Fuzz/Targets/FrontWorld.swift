import Crypto
import Domain
import Front
import Interfaces
import NTLM
import RPC
import SMB
import SecureChannel
import Wire

/// The front with every service behind it, as the program makes it, over a small domain; and what
/// its clients do. The same in every run.
final class FrontWorld {
    static let peer = IPv4Address(10, 77, 0, 50)
    static let administrator = FrontIdentity(
        kind: .local, user: "boss", domain: "GATE", domainSID: sid, userRID: 500,
        groupRIDs: [512, 513])
    private static let sid = SID("S-1-5-21-1-2-3")!
    private static let begin: UInt64 = 133_000_000_000_000_000

    let services: [RemoteService]
    let administration: RemoteAdministrationServer
    let front: Front
    let channels = ChannelTable()
    var now = FrontTime(now: 1_000, unix: 1_700_000_000)
    /// Logons that were not answered at once.
    var waiting: [UInt64] = []
    /// What went to the clients and was not taken.
    var sent: [[UInt8]] = []
    private(set) var closed: Set<FrontConnection> = []

    init() {
        var numbers = FuzzNumbers()
        let random: (Int) -> [UInt8] = { numbers.bytes($0) }
        let domain = LocalDomain.create(
            name: "GATE", sid: Self.sid, proofs: ProofPolicy(allowsLM: true),
            now: Self.begin) { _ in true }!
        for (name, flags) in [
            ("alice", .normal), ("PC1$", .workstationTrust), ("BDC1$", .serverTrust),
        ] as [(String, AccountFlags)] {
            let account = try? domain.createAccount(name, flags: flags)
            try? domain.setPassword(
                account?.rid ?? 0,
                NewPassword(Secret(Array(SealedComputer.password.utf8))), now: Self.begin)
        }
        let netlogon = NetlogonService(
            NetlogonService.Settings(
                computerName: "GATE1", address: IPv4Address(10, 77, 0, 40),
                nt4Accounts: ["PC1$"]),
            domain: domain, channels: channels, random: random)
        netlogon.replication = ReplicationService(domain: domain)
        let configured = { [ConfiguredDomain(name: "ADLAB", dnsName: "ad.lab")] }
        let host = ServedHost(computerName: "GATE1", domainName: "GATE", serverType: 0x102b)
        let authority = LSAService(
            domain: domain, configured: configured, anonymous: .all, random: random)
        services = [
            netlogon, authority,
            SAMRService(domain: domain, anonymous: .all, random: random),
            DirectorySetupService(domain),
            WorkstationService(host: { host }),
            ServerService(host: { host }, netlogonPath: "/srv/netlogon"),
            EndpointMapperService(
                [.init(Netlogon.interface, "Netlogon", pipe: "netlogon", port: 49_152)],
                host: "GATE1", address: IPv4Address(10, 77, 0, 40), random: random),
            ManagementService(interfaces: [Netlogon.interface], computerName: "GATE1"),
        ]
        let rpc = RPCServer(
            services: services,
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            channels: channels, random: random)
        administration = RemoteAdministrationServer(
            RemoteAdministrationSettings(
                computerName: "GATE1", domainName: "GATE",
                shares: [RAP.ShareInfo(networkName: "NETLOGON", remark: "Logon scripts")]),
            domain: domain, neighbourhood: Alone())
        var settings = SMBServerSettings(computerName: "GATE1", domainName: "GATE")
        settings.allowsPlainPasswords = true
        let smb = SMBServer(
            settings, pipes: rpc, administration: administration, files: Scripts(),
            random: random)
        // What an input can have the servers keep is beyond the limits here.
        rpc.heldLimit = 16_384
        smb.heldLimit = 16_384
        front = Front(
            smb: smb, rpc: rpc, netlogon: netlogon, lsa: authority)
    }

    /// A member and a backup controller with their secure channels: before anything else is done,
    /// so that their keys are the same in every run.
    func computers() -> (member: SealedComputer, backup: SealedComputer) {
        (SealedComputer(self, "PC1", .workstation), SealedComputer(self, "BDC1", .server))
    }

    func receive(_ connection: FrontConnection, _ bytes: [UInt8], holdingLogons: Bool = false) {
        front.received(connection, bytes.span, now: now)
        settle(holdingLogons: holdingLogons)
    }

    /// One SMB message, in its frame.
    static func framed(_ message: [UInt8]) -> [UInt8] {
        [0, UInt8(message.count >> 16 & 1), UInt8(message.count >> 8 & 255),
            UInt8(message.count & 255)] + message
    }

    func pass(_ milliseconds: UInt64) {
        now.now += milliseconds
        front.tick(now: now)
        settle(holdingLogons: true)
    }

    func answerLogon(_ isRight: Bool) {
        guard !waiting.isEmpty else { return }
        front.answered(
            waiting.removeFirst(),
            isRight ? Self.accepted : .refused(.wrongPassword, authoritative: true), now: now)
        settle(holdingLogons: true)
    }

    private static var accepted: LogonOutcome {
        .accepted(LogonIdentity(
            user: "boss", domain: "GATE", userRID: 500, primaryGroupRID: 513, domainSID: sid,
            groupRIDs: [512], sessionKey: Bytes16(), isOurs: true))
    }

    private func settle(holdingLogons: Bool) {
        while let output = front.nextOutput() {
            switch output {
            case .send(_, let bytes): sent.append(bytes)
            case .close(let connection): closed.insert(connection)
            case .blocked: break
            case .translate(let token, _, _):
                front.translated(token, .unavailable(.noController), now: now)
            case .logon(let token, _):
                waiting.append(token)
                if !holdingLogons {
                    front.answered(waiting.removeLast(), Self.accepted, now: now)
                }
            }
        }
    }

    private final class Alone: Neighbourhood {
        let own = RAP.ServerInfo(serverName: "GATE1")
        var servers: [RAP.ServerInfo] { [own] }
        var domains: [RAP.ServerInfo] { [own] }
    }

    /// A share of one directory and four files, one of them large.
    private final class Scripts: SharedFiles {
        private static let script = Array("net use h: \\\\gate\\home\r\n".utf8)

        func entries(of directory: [String]) -> [SharedEntry]? {
            switch directory {
            case []:
                [file("LOGON.BAT"), file("A longer name.cmd"), large, folder("Scripts")]
            case ["Scripts"]: [file("inner.cmd")]
            case _: nil
            }
        }

        func read(_ file: [String], from offset: UInt64, count: Int) -> [UInt8]? {
            // Only what `entries` told is ever asked for.
            precondition(entries(of: file.dropLast())?.contains { $0.name == file.last } == true)
            if file == [large.name] {
                return [UInt8](repeating: 7, count: min(count, 60_000 - Int(min(offset, 60_000))))
            }
            return Array(Self.script.dropFirst(Int(min(offset, 64))).prefix(count))
        }

        private let large = SharedEntry(
            name: "NTCONFIG.POL", isDirectory: false, size: 60_000, modified: 1_000_000_000)

        private func file(_ name: String) -> SharedEntry {
            SharedEntry(
                name: name, isDirectory: false, size: UInt64(Self.script.count),
                modified: 1_000_000_000)
        }

        private func folder(_ name: String) -> SharedEntry {
            SharedEntry(name: name, isDirectory: true, size: 0, modified: 1_000_000_000)
        }
    }
}
