import RPC
import TestSupport
import Wire

@testable import Interfaces

/// The calls of the workstation and server services, and those of Netlogon that find controllers,
/// list trusts and control.
enum ServiceSamples {
    private static func sample<M: NDRMessage & Sendable>(
        _ name: String, _ message: M
    ) -> MessageSample { NetlogonSamples.sample(name, message) }

    static let all = services + shares + lists + controllers + control + trusts + secrets

    // MARK: Services

    static let workstation = WkstaInfo(
        computerName: "GATE1", lanGroup: "NT4LAB", versionMajor: 4, versionMinor: 0)

    static let services: [MessageSample] =
        [UInt32(100), 101, 102].flatMap { level in
            var wksta = workstation
            var server = ServerInfo(name: "GATE1")
            if level >= 101 {
                wksta.lanRoot = ""
                server.versionMajor = 4
                server.type = 0x801b
                server.comment = "Postern"
            }
            if level == 102 {
                wksta.loggedOnUsers = 3
                server.users = 0xffff_ffff
                server.disconnect = 15
                server.isHidden = true
                server.userPath = "c:\\"
            }
            return [
                sample(
                    "WkstaGetInfo response \(level)",
                    NetrWkstaGetInfo.Response(level: level, wkstaInfo: wksta)),
                sample(
                    "ServerGetInfo response \(level)",
                    NetrServerGetInfo.Response(level: level, serverInfo: server)),
            ]
        } + [
            sample("query", LevelledQuery(serverName: "\\\\GATE1", level: 100)),
            sample("query of nobody", LevelledQuery(serverName: nil, level: 100)),
            sample(
                "WkstaGetInfo refusal",
                NetrWkstaGetInfo.Response(level: 777, info: nil, status: .invalidLevel)),
            sample(
                "WkstaGetInfo settings",
                NetrWkstaGetInfo.Response(level: 502, info: .settings(.defaults))),
            sample(
                "ServerGetInfo of a level that is only refused",
                NetrServerGetInfo.Response(level: 503, serverInfo: nil, status: .invalidLevel)),
            sample(
                "ServerGetInfo refusal",
                NetrServerGetInfo.Response(level: 101, serverInfo: nil, status: .accessDenied)),
            sample("RemoteTOD", NetrRemoteTOD.Request(serverName: "GATE1")),
            sample(
                "RemoteTOD response",
                NetrRemoteTOD.Response(timeOfDay: TimeOfDayInfo(unix: 1_700_000_000))),
            sample(
                "RemoteTOD refusal",
                NetrRemoteTOD.Response(timeOfDay: nil, status: .accessDenied)),
        ]

    // MARK: Shares

    private static func list(_ level: UInt32) -> [ShareInfo] {
        var ipc = ShareInfo(netName: "IPC$", type: ShareInfo.ipc | ShareInfo.special, remark: "")
        var netlogon = ShareInfo(netName: "NETLOGON", remark: "Logon scripts")
        if level == 0 {
            ipc = ShareInfo(netName: "IPC$")
            netlogon = ShareInfo(netName: "NETLOGON")
        }
        if level == 501 { netlogon.flags = 0x30 }
        if level == 2 || level == 502 {
            netlogon.path = "c:\\netlogon"
            netlogon.maximumUses = 10
            ipc.password = "x"
        }
        if level == 502 { netlogon.securityDescriptor = [1, 0, 4, 128, 5] }
        return [ipc, netlogon]
    }

    static let shares: [MessageSample] =
        ShareInfo.levels.flatMap { level in
            [
                sample(
                    "ShareEnum response \(level)",
                    NetrShareEnum.Response(
                        ShareList(level: level, shares: list(level)),
                        totalEntries: 2, resumeHandle: 0)),
                sample(
                    "ShareGetInfo response \(level)",
                    NetrShareGetInfo.Response(level: level, shareInfo: list(level)[1])),
                sample(
                    "ShareEnum \(level)",
                    NetrShareEnum.Request(
                        serverName: "\\\\GATE1", ShareList(level: level), resumeHandle: 0)),
            ]
        } + [
            sample("ShareEnum of nobody", NetrShareEnum.Request(serverName: nil, .init(level: 1))),
            sample(
                "ShareEnum of no level",
                NetrShareEnum.Request(serverName: nil, .init(level: 9))),
            sample(
                "ShareEnum refusal",
                NetrShareEnum.Response(
                    ShareList(level: 9), totalEntries: 0, status: .invalidLevel)),
            sample(
                "ShareGetInfo",
                NetrShareGetInfo.Request(serverName: nil, netName: "IPC$", level: 1)),
            sample(
                "ShareGetInfo refusal",
                NetrShareGetInfo.Response(level: 1, shareInfo: nil, status: .shareNotFound)),
            sample(
                "ShareGetInfo of flags",
                NetrShareGetInfo.Response(level: 1_005, shareInfo: ShareInfo(netName: nil))),
            sample(
                "ShareCheck", NetrShareCheck.Request(serverName: nil, device: "C:\\netlogon")),
            sample(
                "ShareCheck response", NetrShareCheck.Response(type: 0, status: .deviceNotShared)),
        ]

    private static func list<Call: ListCall>(_ call: Call.Type) -> [MessageSample] {
        [
            sample(
                "list \(Call.levels)",
                ListRequest(
                    serverName: "\\\\GATE1", EmptyList<Call>(level: Call.levels[1]))),
            sample(
                "list of no level", ListRequest(
                    serverName: nil, EmptyList<Call>(level: 9), resumeHandle: 0)),
            sample(
                "list response \(Call.levels)",
                ListResponse(EmptyList<Call>(level: Call.levels[0]), resumeHandle: 0)),
            sample(
                "list refusal", ListResponse(EmptyList<Call>(level: 9), status: .invalidLevel)),
        ]
    }

    static let lists: [MessageSample] =
        list(NetrConnectionEnum.self) + list(NetrFileEnum.self) + list(NetrSessionEnum.self)
        + list(NetrWkstaUserEnum.self) + [
            sample(
                "ServerDiskEnum",
                NetrServerDiskEnum.Request(serverName: nil, .init(level: 0), resumeHandle: 0)),
            sample(
                "ServerDiskEnum response",
                NetrServerDiskEnum.Response(.init(), resumeHandle: 0)),
        ]

    // MARK: Controllers

    static let found = DomainControllerInfo(
        domainControllerName: "\\\\dc1.ad.lab", domainControllerAddress: "\\\\10.77.0.10",
        addressType: 1, domainGUID: Netlogon.interface.uuid, domainName: "ad.lab",
        dnsForestName: "ad.lab", flags: 0xe000_31fd, dcSiteName: "Default-First-Site-Name",
        clientSiteName: "Default-First-Site-Name")
    static let guid = Netlogon.interface.uuid

    static let controllers: [MessageSample] = [
        sample("GetDCName", NetrGetDCName.Request(serverName: "\\\\DC1", domainName: "ADLAB")),
        sample("GetDCName bare", NetrGetDCName.Request(serverName: "", domainName: nil)),
        sample("GetAnyDCName", NetrGetAnyDCName.Request(serverName: nil, domainName: "ADLAB")),
        sample("DCName response", ControllerName(buffer: "\\\\DC1")),
        sample("DCName refusal", ControllerName(buffer: nil, status: .noSuchDomain)),
        sample(
            "DsrGetDcName",
            DsrGetDcName.Request(
                computerName: "DC1", domainName: "ad.lab", domainGUID: guid, siteGUID: guid,
                flags: 0x4000_0000)),
        sample("DsrGetDcName bare", DsrGetDcName.Request(computerName: nil, domainName: nil)),
        sample(
            "DsrGetDcNameEx",
            DsrGetDcNameEx.Request(
                computerName: nil, domainName: "ad.lab", domainGUID: guid, siteName: "Berlin")),
        sample(
            "DsrGetDcNameEx2",
            DsrGetDcNameEx2.Request(
                computerName: "DC1", accountName: "ADLAB$", allowableAccountControlBits: 0x40,
                domainName: "ad.lab", siteName: "")),
        sample("found", FoundController(domainControllerInfo: found)),
        sample(
            "found of old",
            FoundController(
                domainControllerInfo: DomainControllerInfo(
                    domainControllerName: "\\\\PDC", domainControllerAddress: "\\\\PDC",
                    addressType: 2, domainName: "NT4LAB", flags: 1))),
        sample("not found", FoundController(domainControllerInfo: nil, status: .noSuchDomain)),
        sample("GetSiteName", DsrGetSiteName.Request(computerName: "\\\\DC1")),
        sample("GetSiteName response", DsrGetSiteName.Response(siteName: "Berlin")),
        sample(
            "GetSiteName refusal",
            DsrGetSiteName.Response(siteName: nil, status: .noSiteName)),
        sample(
            "AddressToSiteNames",
            DsrAddressToSiteNamesW.Request(
                computerName: "DC1",
                socketAddresses: [
                    SocketAddressBytes([2, 0, 0, 0, 10, 77, 0]), SocketAddressBytes([]),
                    SocketAddressBytes([2, 0]),
                ])),
        sample(
            "AddressToSiteNames response",
            DsrAddressToSiteNamesW.Response(siteNames: [CountedName("Berlin"), CountedName(nil)])),
        sample(
            "AddressToSiteNames refusal",
            DsrAddressToSiteNamesW.Response(siteNames: nil, status: .accessDenied)),
    ]

    // MARK: Control

    private static let requests: [(LogonControlFunction, LogonControlData)] = [
        (.query, .none), (.rediscover, .trustedDomainName("ADLAB")),
        (.trustedChannelQuery, .trustedDomainName(nil)), (.findUser, .userName("alice")),
        (.setDebugFlag, .debugFlag(0x2080_ffff)), (LogonControlFunction(rawValue: 99), .none),
    ]
    private static let answers: [LogonControlInfo] = [
        .info1(flags: 0, pdcConnectionStatus: .success),
        .info2(
            flags: 0x20, pdcConnectionStatus: .noLogonServers, trustedDCName: "\\\\DC1",
            tcConnectionStatus: .success),
        .info3(flags: 0, logonAttempts: 17),
        .info4(trustedDCName: "\\\\DC1", trustedDomainName: "ADLAB"),
        .info4(trustedDCName: nil, trustedDomainName: nil),
    ]

    static let control: [MessageSample] =
        requests.map { function, data in
            sample(
                "LogonControl2 \(function.rawValue)",
                LogonControl2Request(
                    serverName: "\\\\DC1", functionCode: function, queryLevel: 2, data: data))
        }
        + answers.map {
            sample(
                "LogonControl response \($0.level)",
                LogonControlAnswer(queryLevel: $0.level, buffer: $0))
        } + [
            sample(
                "LogonControl",
                NetrLogonControl.Request(serverName: nil, functionCode: .query, queryLevel: 1)),
            sample(
                "LogonControl refusal",
                LogonControlAnswer(queryLevel: 2, buffer: nil, status: .notSupported)),
            sample(
                "LogonControl of no level",
                LogonControlAnswer(queryLevel: 9, buffer: nil, status: .invalidLevel)),
        ]

    // MARK: Trusts

    static let trusts: [MessageSample] = [
        sample("ServerQuery", ServerQuery(serverName: "\\\\DC1")),
        sample(
            "DsrEnumerateDomainTrusts",
            DsrEnumerateDomainTrusts.Request(serverName: "\\\\DC1", flags: 0x3f)),
        sample(
            "DomainTrusts",
            DomainTrusts(domains: [
                DomainTrust(
                    netBIOSDomainName: "ADLAB", dnsDomainName: "ad.lab",
                    flags: DomainTrust.primary, trustType: 2, domainSID: LSASamples.sid,
                    domainGUID: guid),
                DomainTrust(
                    netBIOSDomainName: "NT4", flags: DomainTrust.directOutbound, domainSID: nil),
            ])),
        sample("no DomainTrusts", DomainTrusts(domains: [], status: .accessDenied)),
        sample(
            "EnumerateTrustedDomains response",
            NetrEnumerateTrustedDomains.Response(domainNames: ["ADLAB", "NT4"])),
        sample(
            "EnumerateTrustedDomains of nothing",
            NetrEnumerateTrustedDomains.Response(domainNames: [])),
    ]

    static let secrets: [MessageSample] = [
        sample("TrustQuery", TrustQuery(account: NetlogonSamples.account)),
        sample(
            "ServerPasswordGet response",
            NetrServerPasswordGet.Response(
                returnAuthenticator: NetlogonSamples.authenticator,
                encryptedNTOwfPassword: NetlogonSamples.sixteen)),
        sample(
            "TrustPasswordsGet response",
            NetrServerTrustPasswordsGet.Response(
                returnAuthenticator: NetlogonSamples.authenticator,
                encryptedNewOwfPassword: NetlogonSamples.sixteen,
                encryptedOldOwfPassword: Bytes16())),
        sample(
            "GetTrustInfo response",
            NetrServerGetTrustInfo.Response(
                returnAuthenticator: NetlogonSamples.authenticator,
                encryptedNewOwfPassword: NetlogonSamples.sixteen,
                encryptedOldOwfPassword: Bytes16(),
                trustInfo: GenericRPCData(
                    numbers: [8, 9], texts: [CountedName("x"), CountedName(nil)]))),
        sample(
            "GetTrustInfo refusal",
            NetrServerGetTrustInfo.Response(
                returnAuthenticator: NetlogonSamples.authenticator,
                encryptedNewOwfPassword: Bytes16(), encryptedOldOwfPassword: Bytes16(),
                trustInfo: nil, status: .accessDenied)),
    ]
}
