import RPC
import TestSupport
import Wire

@testable import Interfaces

/// Every call of ours in both directions, in several shapes.
enum NetlogonSamples {
    static let all: [MessageSample] = channel + domains + logons + EPMSamples.all
        + LSASamples.all + ServiceSamples.all

    static func sample<M: NDRMessage & Sendable>(_ name: String, _ message: M) -> MessageSample {
        MessageSample(name: name, bytes: stub(message), rewrite: { try rewrite($0, M.self) })
    }

    static func stub(_ message: some NDRMessage) -> [UInt8] {
        var stub = NDRWriter()
        message.write(into: &stub)
        return stub.wire.finish()
    }

    static func parse<M: NDRMessage>(_ bytes: [UInt8], _ type: M.Type = M.self) throws -> M {
        var stub = NDRReader(WireReader(bytes.span, layer: "Netlogon"))
        let message = try M(parsing: &stub)
        try stub.expectEnd("stub")
        return message
    }

    private static func rewrite<M: NDRMessage>(_ bytes: [UInt8], _: M.Type) throws -> [UInt8] {
        let message = try parse(bytes, M.self)
        let reader = WireReader(bytes.span, layer: "Netlogon")
        switch message {
        case let response as NetrLogonSamLogonEx.Response:
            return stub(try response.owned(in: reader))
        case let response as NetrLogonSamLogon.Response:
            return stub(try response.owned(in: reader))
        case let response as NetrLogonSamLogonWithFlags.Response:
            return stub(try response.owned(in: reader))
        default: return stub(message)
        }
    }

    // MARK: Channels

    static let eight = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
    static let sixteen = Bytes16((0..<16).map { UInt8($0) })
    static let authenticator = NetlogonAuthenticator(credential: eight, timestamp: 0x5d81_9839)
    static let claim = ChannelClaim(
        primaryName: "\\\\AD", accountName: "GATE1$", secureChannelType: .workstation,
        computerName: "GATE1", clientCredential: eight)
    static let account = AccountCall(
        accountName: "GATE1$", secureChannelType: .trustedDomain, computerName: "GATE1",
        authenticator: authenticator)

    static let channel: [MessageSample] = [
        sample(
            "ReqChallenge",
            NetrServerReqChallenge.Request(
                primaryName: "\\\\AD", computerName: "GATE1", clientChallenge: eight)),
        sample(
            "ReqChallenge without server",
            NetrServerReqChallenge.Request(computerName: "GÄTE", clientChallenge: eight)),
        sample(
            "ReqChallenge response", NetrServerReqChallenge.Response(serverChallenge: eight)),
        sample("Authenticate", NetrServerAuthenticate.Request(claim: claim)),
        sample(
            "Authenticate response",
            NetrServerAuthenticate.Response(serverCredential: eight, status: .accessDenied)),
        sample(
            "Authenticate2",
            NetrServerAuthenticate2.Request(claim: claim, negotiateFlags: 0x612f_ffff)),
        sample(
            "Authenticate2 response",
            NetrServerAuthenticate2.Response(serverCredential: eight, negotiateFlags: 0x4000_41ff)),
        sample(
            "Authenticate3 response",
            NetrServerAuthenticate3.Response(
                serverCredential: eight, negotiateFlags: 0x610f_ffff, accountRID: 1105)),
        sample(
            "PasswordSet",
            NetrServerPasswordSet.Request(account: account, newPassword: sixteen)),
        sample(
            "PasswordSet2",
            NetrServerPasswordSet2.Request(
                account: account,
                clearNewPassword: EncryptedTrustPassword([UInt8](repeating: 7, count: 516)))),
        sample(
            "PasswordSet response",
            AuthenticatedStatus(returnAuthenticator: authenticator, status: .success)),
        sample(
            "GetCapabilities",
            NetrLogonGetCapabilities.Request(
                serverName: "\\\\AD", computerName: "GATE1", authenticator: authenticator)),
        sample(
            "GetCapabilities response",
            NetrLogonGetCapabilities.Response(
                returnAuthenticator: authenticator, capabilities: 0x610f_ffff)),
    ]

    // MARK: Domains

    static let domain = OneDomainInfo(
        domainName: "ADLAB", dnsDomainName: "ad.lab", dnsForestName: "ad.lab",
        domainGUID: Netlogon.interface.uuid, domainSID: SID("S-1-5-21-1-2-3"),
        trustExtension: TrustExtension(flags: 0x1d, trustType: 2, trustAttributes: 8))
    static let domains: [MessageSample] = [
        sample(
            "GetDomainInfo",
            NetrLogonGetDomainInfo.Request(
                serverName: "\\\\AD", computerName: "GATE1", authenticator: authenticator,
                workstation: WorkstationInfo(
                    dnsHostName: "gate1.ad.lab", siteName: "Default", osVersion: [1, 2, 3, 4],
                    osName: "Linux", workstationFlags: 1, supportedEncryptionTypes: 0x1f))),
        sample(
            "GetDomainInfo of a silent member",
            NetrLogonGetDomainInfo.Request(
                serverName: "", computerName: nil, authenticator: authenticator,
                workstation: WorkstationInfo())),
        sample(
            "GetDomainInfo response",
            NetrLogonGetDomainInfo.Response(
                returnAuthenticator: authenticator,
                domainInformation: DomainInformation(
                    primaryDomain: domain,
                    trustedDomains: [domain, OneDomainInfo(domainName: "NT4LAB", domainSID: nil)],
                    dnsHostNameInDS: "gate1.ad.lab", supportedEncryptionTypes: 0x1f))),
        sample(
            "GetDomainInfo refusal",
            NetrLogonGetDomainInfo.Response(
                returnAuthenticator: authenticator, domainInformation: nil,
                status: .accessDenied)),
    ]

    // MARK: Logons

    static let identity = LogonIdentityInfo(
        logonDomainName: "ADLAB",
        parameterControl: [.allowWorkstationTrustAccount, .allowServerTrustAccount],
        logonID: 0xbeef_0000_dead, userName: "jürgen", workstation: "\\\\PC1")
    static let network = LogonInformation.network(
        NetworkLogonInfo(
            identity: identity, lmChallenge: eight, ntChallengeResponse: sixteen.bytes + [1],
            lmChallengeResponse: [1, 2, 3]), transitive: true)
    static let bareNetwork = LogonInformation.network(
        NetworkLogonInfo(
            identity: LogonIdentityInfo(
                logonDomainName: nil, userName: "alice", workstation: nil),
            lmChallenge: eight, ntChallengeResponse: [UInt8](repeating: 9, count: 24),
            lmChallengeResponse: nil), transitive: false)
    static let emptyTexts = LogonInformation.interactive(
        PasswordLogonInfo(
            identity: LogonIdentityInfo(logonDomainName: "", userName: "bob", workstation: ""),
            lmOwfPassword: sixteen, ntOwfPassword: sixteen), transitive: false)
    static let service = LogonInformation.service(
        PasswordLogonInfo(identity: identity, ntOwfPassword: sixteen), transitive: true)

    static var user: ValidationSAMInfo {
        var user = ValidationSAMInfo()
        user.logonTime = 0x01d9_0102_0304_0506
        user.effectiveName = .text("alice")
        user.fullName = .text("Alice Ångström")
        user.homeDirectory = .text("")
        user.userID = 1104
        user.primaryGroupID = 513
        user.groupIDs = .list([513, 1105, 1106].map { GroupMembership(relativeID: $0) })
        user.userFlags = [.extraSIDs, .ntlmV2]
        user.userSessionKey = sixteen
        user.logonServer = .text("AD")
        user.logonDomainName = .text("ADLAB")
        user.logonDomainID = SID("S-1-5-21-1-2-3")
        user.lmKey = eight
        user.userAccountControl = 0x210
        return user
    }

    static var wideUser: ValidationSAMInfo {
        var user = user
        user.extraSIDs = .list([
            SIDAndAttributes(sid: SID("S-1-18-1")!),
            SIDAndAttributes(sid: SID("S-1-5-21-7-8-9-513")!, attributes: 0x2000_0007),
        ])
        user.dnsLogonDomainName = .text("ad.lab")
        user.upn = .text("alice@ad.lab")
        return user
    }

    static func response(
        _ level: ValidationLevel, _ user: ValidationSAMInfo?
    ) -> NetrLogonSamLogonEx.Response {
        NetrLogonSamLogonEx.Response(
            validation: NetlogonValidation(level: level, samInfo: user),
            status: user == nil ? .wrongPassword : .success)
    }

    static func call(_ information: LogonInformation) -> NetrLogonSamLogon.Request {
        NetrLogonSamLogon.Request(
            logonServer: "\\\\AD", computerName: "GATE1", authenticator: authenticator,
            logonInformation: information, validationLevel: .samInfo2)
    }

    static let logons: [MessageSample] =
        [("network", network), ("bare network", bareNetwork), ("empty texts", emptyTexts),
            ("service", service)].flatMap { name, information in
                [
                    sample("SamLogon \(name)", call(information)),
                    sample(
                        "SamLogonEx \(name)",
                        NetrLogonSamLogonEx.Request(
                            logonInformation: information, validationLevel: .samInfo4,
                            extraFlags: .crossForestHop)),
                    sample(
                        "SamLogonWithFlags \(name)",
                        NetrLogonSamLogonWithFlags.Request(logon: call(information))),
                    sample(
                        "SamLogoff \(name)",
                        NetrLogonSamLogoff.Request(
                            computerName: "GATE1", authenticator: authenticator,
                            logonInformation: information)),
                ]
            } + [
                sample("SamLogonEx response 2", response(.samInfo, user)),
                sample("SamLogonEx response 3", response(.samInfo2, wideUser)),
                sample("SamLogonEx response 6", response(.samInfo4, wideUser)),
                sample("SamLogonEx response of nothing", response(.samInfo2, ValidationSAMInfo())),
                sample("SamLogonEx refusal", response(.samInfo4, nil)),
                sample(
                    "SamLogon response",
                    NetrLogonSamLogon.Response(
                        returnAuthenticator: authenticator,
                        validation: NetlogonValidation(level: .samInfo2, samInfo: wideUser))),
                sample(
                    "SamLogonWithFlags response",
                    NetrLogonSamLogonWithFlags.Response(
                        returnAuthenticator: nil, validation: NetlogonValidation(level: .samInfo),
                        isAuthoritative: false, status: .noSuchUser)),
                sample(
                    "SamLogoff response",
                    NetrLogonSamLogoff.Response(returnAuthenticator: authenticator)),
            ]
}
