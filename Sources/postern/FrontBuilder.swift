import Agent
import Configuration
import Crypto
import Domain
import Front
import Interfaces
import Locator
import NTLM
import RPC
import SMB
import SecureChannel
import Wire

/// Makes the front and its services from the configuration and the embedded domain.
enum FrontBuilder {
    /// `rpcPort` is where remote calls are served over TCP, if they are.
    static func front(
        _ configuration: Configuration, _ agent: Agent, rpcPort: UInt16?,
        neighbourhood: BrowsedNeighbourhood?
    ) -> Front {
        let random: (Int) -> [UInt8] = { SystemRandom.bytes($0) }
        let computer = configuration.agent.name
        let domain = agent.locals.first?.domain
        let address = configuration.listen?.interfaces.first?.address ?? .any
        let channels = ChannelTable()
        var services: [RemoteService] = []
        var netlogon: NetlogonService?
        var lsa: LSAService?
        let configured = { known(agent) }
        let anonymous = anonymous(configuration.listen)
        let domainName = domain?.name ?? configuration.domains.first?.name ?? "WORKGROUP"
        if let domain {
            let made = NetlogonService(
                NetlogonService.Settings(
                    computerName: computer, address: address,
                    nt4Accounts: configuration.embedded?.nt4Accounts ?? []),
                domain: domain, channels: channels, random: random)
            made.otherDomains = configured
            made.followsPrimary = { agent.backup(of: 0) != nil }
            netlogon = made
            made.replication = ReplicationService(domain: domain)
            made.validation = { agent.validate($0, local: 0, from: $1, now: $2) }
            let authority = LSAService(
                domain: domain, configured: configured, anonymous: anonymous, random: random)
            lsa = authority
            agent.asksForSIDs = true
            services = [
                made, authority,
                SAMRService(domain: domain, anonymous: anonymous, random: random),
                DirectorySetupService(domain),
            ]
        }
        let host = { served(computer, domainName, domain) }
        services.append(WorkstationService(host: host))
        services.append(
            ServerService(
                host: host,
                netlogonPath: configuration.embedded?.netlogonDirectory))
        services.append(
            EndpointMapperService(
                registrations(services, rpcPort), host: computer, address: address,
                random: random))
        services.append(
            ManagementService(interfaces: services.map { $0.interface }, computerName: computer))
        var identity = ServerHandshake.Identity(
            nbComputerName: computer, nbDomainName: domainName,
            dnsComputerName: computer.lowercased())
        identity.bindsDomain = configuration.domains.count { !$0.isOfBackup }
            + configuration.localDomains.count == 1
        let rpc = RPCServer(
            services: services, identity: identity, channels: channels, random: random)
        var settings = SMBServerSettings(computerName: computer, domainName: domainName)
        settings.bindsDomain = identity.bindsDomain
        settings.dnsComputerName = identity.dnsComputerName
        settings.serverGUID = Bytes16(random(16))
        settings.allowsPlainPasswords = configuration.listen?.plainText == .allow
        settings.allowsNullSessions = anonymous > .nothing
        settings.signing = signing(configuration.listen)
        let smb = SMBServer(
            settings, pipes: rpc,
            administration: administration(configuration, domain, domainName, neighbourhood),
            files: share(configuration), random: random)
        return Front(smb: smb, rpc: rpc, netlogon: netlogon, lsa: lsa)
    }

    private static func anonymous(_ listen: ListenSettings?) -> AnonymousAccess {
        switch listen?.anonymous {
        case .nothing: .nothing
        case .domain, nil: .domain
        case .names: .names
        case .all: .all
        }
    }

    private static func signing(_ listen: ListenSettings?) -> SMBServerSettings.Signing {
        switch listen?.signing {
        case .off: .off
        case .offer, nil: .offered
        case .require: .required
        }
    }

    private static func share(_ configuration: Configuration) -> NetlogonShare? {
        configuration.embedded?.netlogonDirectory.map { NetlogonShare($0) }
    }

    /// SV_TYPE_WORKSTATION, _SERVER, _DOMAIN_CTRL, _DOMAIN_BAKCTRL and _NT (MS-SRVS 2.2.2.7).
    private static func served(
        _ computer: String, _ domainName: String, _ domain: LocalDomain?
    ) -> ServedHost {
        var type: UInt32 = 0x1 | 0x2 | 0x1000
        if let domain { type |= domain.role == .primary ? 0x8 : 0x10 }
        return ServedHost(computerName: computer, domainName: domainName, serverType: type)
    }

    private static func administration(
        _ configuration: Configuration, _ domain: LocalDomain?, _ domainName: String,
        _ neighbourhood: BrowsedNeighbourhood?
    ) -> RemoteAdministrationServer? {
        guard let neighbourhood else { return nil }
        var shares = [
            RAP.ShareInfo(
                networkName: "IPC$", type: RAP.ShareInfo.interprocess, remark: "Remote IPC"),
        ]
        if configuration.embedded?.netlogonDirectory != nil {
            shares.append(RAP.ShareInfo(networkName: "NETLOGON", remark: "Logon scripts"))
        }
        return RemoteAdministrationServer(
            RemoteAdministrationSettings(
                computerName: configuration.agent.name, domainName: domainName,
                shares: shares),
            domain: domain, neighbourhood: neighbourhood)
    }

    /// The domains to which logons are passed on.
    private static func known(_ agent: Agent) -> [ConfiguredDomain] {
        agent.domains.filter { !$0.isOfBackup }.map { domain in
            var controller: String?
            if let current = domain.channel.controller {
                // One that is configured by its address may have told its name since.
                let found = domain.locator.controllers.first { $0.address == current.address }
                let names = [current.name, found?.hostName ?? ""]
                let label = names.first { !$0.isEmpty } ?? ""
                controller = label.split(separator: ".").first.map { $0.uppercased() }
            }
            return ConfiguredDomain(
                name: domain.name, dnsName: domain.dnsName.isEmpty ? nil : domain.dnsName,
                sid: domain.sid, controller: controller)
        }
    }

    /// Which services the endpoint mapper tells of, under what name, on which pipe.
    private static func registrations(
        _ services: [RemoteService], _ port: UInt16?
    ) -> [EndpointMapperService.Registration] {
        var list = services.map { service in
            let (name, pipe) = place(service.interface)
            return EndpointMapperService.Registration(
                service.interface, name, pipe: pipe, port: port)
        }
        list.append(
            EndpointMapperService.Registration(
                EndpointMapper.interface, "endpoint mapper", pipe: EndpointMapper.pipe,
                port: port == nil ? nil : EndpointMapper.port))
        return list
    }

    private static func place(_ interface: SyntaxID) -> (name: String, pipe: String) {
        switch interface {
        case Netlogon.interface: ("Netlogon", "netlogon")
        case LSA.interface: ("Local Security Authority", "lsarpc")
        case SAMR.interface: ("Security Accounts Manager", "samr")
        case DirectorySetup.interface: ("Directory role", "lsarpc")
        case WorkstationServiceInterface.interface: ("Workstation service", "wkssvc")
        case ServerServiceInterface.interface: ("Server service", "srvsvc")
        case _: ("", "lsass")
        }
    }
}
