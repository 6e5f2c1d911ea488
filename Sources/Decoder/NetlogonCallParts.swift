import Interfaces
import RPC
import Wire

/// What several Netlogon calls have in common, and the longer structures.
extension NetlogonCalls {
    static func show(_ claim: ChannelClaim, into outline: inout Outline) {
        outline.field("PrimaryName", claim.primaryName)
        outline.field("AccountName", claim.accountName)
        outline.field("SecureChannelType", Int(claim.secureChannelType.rawValue))
        outline.field("ComputerName", claim.computerName)
        outline.withheld("ClientCredential", 8)
    }

    static func show(_ account: AccountCall, into outline: inout Outline) {
        outline.field("PrimaryName", account.primaryName)
        outline.field("AccountName", account.accountName)
        outline.field("SecureChannelType", Int(account.secureChannelType.rawValue))
        outline.field("ComputerName", account.computerName)
    }

    static func show(_ request: NetrLogonSamLogon.Request, into outline: inout Outline) {
        outline.field("LogonServer", request.logonServer)
        outline.field("ComputerName", request.computerName)
        show(request.logonInformation, into: &outline)
        outline.field("ValidationLevel", Int(request.validationLevel.rawValue))
    }

    static func show(_ information: LogonInformation, into outline: inout Outline) {
        let identity = information.identity
        outline.field("LogonLevel", Int(information.level.rawValue))
        outline.field("LogonDomainName", identity.logonDomainName)
        outline.field("UserName", identity.userName)
        outline.field("Workstation", identity.workstation)
        outline.flags("ParameterControl", identity.parameterControl.rawValue)
        switch information {
        case .interactive, .service:
            outline.withheld("LmOwfPassword", 16)
            outline.withheld("NtOwfPassword", 16)
        case .network(let network, _):
            outline.withheld("LmChallenge", 8)
            outline.withheld("NtChallengeResponse", network.ntChallengeResponse?.count ?? 0)
            outline.withheld("LmChallengeResponse", network.lmChallengeResponse?.count ?? 0)
        case .absent: break
        }
    }

    static func authoritative(_ is: Bool, into outline: inout Outline) {
        outline.field("Authoritative", `is` ? "yes" : "no")
    }

    static func show(
        _ validation: NetlogonValidation, _ reader: borrowing WireReader,
        into outline: inout Outline
    ) throws(WireError) {
        outline.field("ValidationLevel", Int(validation.level.rawValue))
        guard let info = validation.samInfo else { return }
        outline.field("EffectiveName", info.effectiveName.string(in: reader))
        outline.field("FullName", info.fullName.string(in: reader))
        outline.field("LogonServer", info.logonServer.string(in: reader))
        outline.field("LogonDomainName", info.logonDomainName.string(in: reader))
        outline.field("LogonDomainId", info.logonDomainID?.description)
        outline.field("DnsLogonDomainName", info.dnsLogonDomainName.string(in: reader))
        outline.field("Upn", info.upn.string(in: reader))
        outline.field("UserId", "\(info.userID)")
        outline.field("PrimaryGroupId", "\(info.primaryGroupID)")
        var groups = ""
        for group in try info.groupIDs.memberships(in: reader) { groups += " \(group.relativeID)" }
        outline.field("GroupIds", String(groups.dropFirst()))
        for item in try info.extraSIDs.sids(in: reader) {
            outline.field("ExtraSid", item.sid.description)
        }
        outline.flags("UserFlags", info.userFlags.rawValue)
        outline.flags("UserAccountControl", info.userAccountControl)
        outline.withheld("UserSessionKey", 16)
        outline.withheld("LMKey", 8)
    }

    // MARK: Domains

    static func show(_ request: NetrLogonGetDomainInfo.Request, into outline: inout Outline) {
        outline.field("ServerName", request.serverName)
        outline.field("ComputerName", request.computerName)
        guard let workstation = request.workstation else { return }
        outline.field("DnsHostName", workstation.dnsHostName)
        outline.field("SiteName", workstation.siteName)
        outline.field("OsName", workstation.osName)
        outline.flags("WorkstationFlags", workstation.workstationFlags)
        outline.flags("KerberosSupportedEncryptionTypes", workstation.supportedEncryptionTypes)
    }

    static func show(_ information: DomainInformation?, into outline: inout Outline) {
        guard let information else { return }
        show("primary domain", information.primaryDomain, into: &outline)
        for domain in information.trustedDomains {
            show("trusted domain", domain, into: &outline)
        }
        outline.field("DnsHostNameInDs", information.dnsHostNameInDS)
        outline.flags("WorkstationFlags", information.workstationFlags)
        outline.flags("SupportedEncTypes", information.supportedEncryptionTypes)
    }

    static func show(_ role: String, _ domain: OneDomainInfo, into outline: inout Outline) {
        outline.open(role + " " + (domain.domainName ?? ""))
        defer { outline.close() }
        outline.field("DnsDomainName", domain.dnsDomainName)
        outline.field("DnsForestName", domain.dnsForestName)
        outline.field("DomainGuid", domain.domainGUID.description)
        outline.field("DomainSid", domain.domainSID?.description)
        guard let trust = domain.trustExtension else { return }
        outline.flags("trust flags", trust.flags)
        outline.field("trust type", "\(trust.trustType)")
        outline.flags("trust attributes", trust.trustAttributes)
    }
}
