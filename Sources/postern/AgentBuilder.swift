import Agent
import Configuration
import Crypto
import Domain
import Locator
import Loop
import SecureChannel
import Store
import Wire

/// What the locator wants to remember, as a record of the state file.
struct LocatorRecord: StateRecord {
    static var kind: StaticString { "located" }
    static var version: UInt8 { 1 }

    var known: LocatorMemory

    init(_ known: LocatorMemory) { self.known = known }

    init(parsing reader: inout WireReader) throws(WireError) {
        known = try LocatorMemory(parsing: &reader)
    }

    func write(into writer: inout WireWriter) { known.write(into: &writer) }
}

/// Makes the cores from the configuration and the state.
enum AgentBuilder {
    static func agent(
        _ configuration: Configuration, store: StateStore, now: UInt64, log: Log
    ) -> Agent {
        let random: (Int) -> [UInt8] = { SystemRandom.bytes($0) }
        // A channel's authenticators need a time that moves on, whatever the clock is set to.
        let epoch = SystemClock.unixSeconds - min(SystemClock.unixSeconds, now / 1_000)
        let domains = configuration.domains.map {
            domain($0, configuration.agent.name, store, epoch, random)
        }
        let locals = LocalDomains.open(configuration, store, log)
        var backups: [AgentBackup] = []
        for (channel, settings) in configuration.domains.enumerated() where settings.isOfBackup {
            guard let local = locals.firstIndex(where: { $0.name == settings.name }) else {
                continue
            }
            backups.append(
                AgentBackup(
                    local: local, channel: channel,
                    pull: ReplicationPull(domain: locals[local], now: 0)))
        }
        let agent = Agent(
            name: configuration.agent.name, domains: domains,
            locals: locals.map { AgentLocalDomain($0) }, backups: backups,
            unixSeconds: { SystemClock.unixSeconds }, random: random)
        agent.listeners.host = proofs(configuration.agent.logons)
        if let listen = configuration.listen {
            agent.listeners.session = proofs(listen.logons139 ?? listen.logons)
            agent.listeners.direct = proofs(listen.logons445 ?? listen.logons)
            agent.listeners.rpc = proofs(listen.logonsRPC ?? listen.logons)
            agent.listeners.member = proofs(listen.logonsMembers ?? listen.logons)
        }
        return agent
    }

    private static func proofs(_ taken: LogonProtocols) -> ProofPolicy {
        ProofPolicy(
            ntlmv1: taken.ntlmv1 ? .allow : taken.mschap ? .mschap : .refuse,
            allowsLM: taken.lm, allowsNTLMv2: taken.ntlmv2)
    }

    private static func domain(
        _ settings: DomainSettings, _ computer: String, _ store: StateStore, _ epoch: UInt64,
        _ random: @escaping (Int) -> [UInt8]
    ) -> AgentDomain {
        let channelSettings = channelSettings(settings, computer)
        let channel = Channel(settings: channelSettings, epoch: epoch, random: random)
        let isByName = settings.profile == .nt4 || settings.isOfBackup
        var search = LocatorConfiguration(
            domain: settings.name, dnsName: settings.dnsName ?? "",
            controllers: settings.controllers,
            profile: isByName ? .nt4 : .modern, wantsPrimary: settings.isOfBackup,
            hostName: computer, portOffset: settings.portOffset)
        // Of a controller behind a firewall no other port need be open.
        if channelSettings.transport == .smb2 { search.probePort = 445 &+ settings.portOffset }
        let locator = Locator(
            search, known: known(settings.name, store),
            random: {
                let bytes = SystemRandom.bytes(4)
                return UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16
                    | UInt32(bytes[3]) << 24
            })
        let ntlmv1: DomainPolicy.NTLMv1
        switch settings.ntlmv1 {
        case .refuse: ntlmv1 = .refuse
        case .mschap: ntlmv1 = .mschap
        case .allow: ntlmv1 = .allow
        }
        return AgentDomain(
            name: settings.name, dnsName: settings.dnsName ?? "",
            policy: DomainPolicy(
                ntlmv1: ntlmv1, allowsLM: settings.lm == .allow, deadline: settings.deadline,
                refusalsKept: settings.refusedPasswords),
            isOfBackup: settings.isOfBackup, locator: locator, channel: channel,
            ports: ports(settings.name, store), sid: sid(settings.name, store), random: random)
    }

    private static func sid(_ name: String, _ store: StateStore) -> SID? {
        let record = try? store.read { state throws(StoreError) in
            try state.get(LearnedDomain.self, name)
        }
        return record.flatMap { $0 }?.sid
    }

    static func channelSettings(_ settings: DomainSettings, _ computer: String) -> ChannelSettings {
        let profile: ChannelSettings.Profile = settings.profile == .modern ? .modern : .nt4
        let kind: ChannelSettings.Kind
        switch settings.channel {
        case .member: kind = .workstation
        case .trust: kind = .trustedDomain
        case .bdc: kind = .backupController
        }
        var made = ChannelSettings(
            domain: settings.name, profile: profile, kind: kind, account: settings.account,
            computer: computer, connections: settings.connections,
            allowsRC4: settings.rc4, allowsUnsealed: settings.unsealed)
        switch settings.transport ?? settings.profile.usualTransport {
        case .tcp: made.transport = .tcp
        case .smb1: made.transport = .smb1
        case .smb2: made.transport = .smb2
        }
        made.portOffset = settings.portOffset
        return made
    }

    /// What is remembered is only a hint: without it, or where it is damaged, the search begins
    /// from nothing.
    private static func known(_ name: String, _ store: StateStore) -> LocatorMemory {
        let record = try? store.read { state throws(StoreError) in
            try state.get(LocatorRecord.self, name)
        }
        return record.flatMap { $0 }?.known ?? LocatorMemory()
    }

    private static func ports(_ name: String, _ store: StateStore) -> [IPv4Address: UInt16] {
        let record = try? store.read { state throws(StoreError) in
            try state.get(Store.KnownControllers.self, name)
        }
        var ports: [IPv4Address: UInt16] = [:]
        let list = record.flatMap { $0 }?.list ?? []
        for controller in list where controller.netlogonPort != 0 {
            ports[controller.address] = controller.netlogonPort
        }
        return ports
    }

    /// The hashes of a domain's secrets in the order to try: a pending change may have reached
    /// the controller or not. Nil where the state cannot be read, which says nothing of them.
    static func secrets(of name: String, in store: StateStore, _ log: Log) -> [Bytes16]? {
        let (hashes, trouble) = secrets(of: name, in: store)
        if let trouble { log.error(trouble) }
        return hashes
    }

    /// The same, and what the log is to be told.
    static func secrets(
        of name: String, in store: StateStore
    ) -> (hashes: [Bytes16]?, trouble: String?) {
        do throws(StoreError) {
            guard let record = try store.read({ state throws(StoreError) in
                try state.get(DomainSecrets.self, name)
            }) else { return ([], "\(name): no secret; run `postern secret import \(name)`") }
            return (hashes(record), nil)
        } catch {
            return (nil, "\(name): \(error.description)")
        }
    }

    static func hashes(_ record: DomainSecrets) -> [Bytes16] {
        [record.pending, record.current, record.previous].compactMap { $0 }.map(hash)
    }

    /// NTOWFv1 (MS-NLMP 3.3.1), the shared secret of MS-NRPC 3.1.1.
    private static func hash(_ stored: StoredSecret) -> Bytes16 {
        if stored.form == .ntHash { return Bytes16(stored.secret.bytes) }
        var units: [UInt8] = []
        for unit in String(decoding: stored.secret.bytes, as: UTF8.self).utf16 {
            units.append(UInt8(truncatingIfNeeded: unit))
            units.append(UInt8(truncatingIfNeeded: unit >> 8))
        }
        defer { Wipe.bytes(&units) }
        return MD4.hash(units)
    }
}
