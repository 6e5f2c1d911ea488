import Interfaces
import RPC
import Wire

extension LSACalls {
    static func response(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        let status: NTStatus
        switch opnum {
        case LsarClose.opnum, LsarOpenPolicy.opnum, LsarOpenPolicy2.opnum,
            LsarOpenTrustedDomain.opnum, LsarOpenAccount.opnum:
            status = try OpenedHandle(parsing: &reader).status
        case LsarQueryInformationPolicy.opnum, LsarQueryInformationPolicy2.opnum:
            let response = try PolicyAnswer(parsing: &reader)
            show(response.policyInformation, into: &outline)
            status = response.status
        case LsarQueryInfoTrustedDomain.opnum, LsarQueryTrustedDomainInfo.opnum,
            LsarQueryTrustedDomainInfoByName.opnum:
            let response = try TrustedDomainAnswer(parsing: &reader)
            show(response.trustedDomainInformation, into: &outline)
            status = response.status
        case LsarGetUserName.opnum:
            let response = try LsarGetUserName.Response(parsing: &reader)
            outline.field("UserName", response.userName)
            outline.field("DomainName", response.domainName)
            status = response.status
        case _:
            if let other = try lookup(opnum, &reader, into: &outline) {
                status = other
            } else if let other = try list(opnum, &reader, into: &outline) {
                status = other
            } else if let other = try right(opnum, &reader, into: &outline) {
                status = other
            } else {
                return false
            }
        }
        outline.field("status", status.description)
        return true
    }

    private static func list(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> NTStatus? {
        switch opnum {
        case LsarEnumeratePrivileges.opnum:
            let response = try LsarEnumeratePrivileges.Response(parsing: &reader)
            for entry in response.entries { outline.field("Privilege", entry.name) }
            return response.status
        case LsarEnumerateAccounts.opnum:
            let response = try LsarEnumerateAccounts.Response(parsing: &reader)
            for entry in response.entries { outline.field("Sid", entry.sid.description) }
            return response.status
        case LsarEnumerateTrustedDomains.opnum:
            let response = try LsarEnumerateTrustedDomains.Response(parsing: &reader)
            for entry in response.entries { show(entry, into: &outline) }
            return response.status
        case LsarEnumerateTrustedDomainsEx.opnum:
            let response = try LsarEnumerateTrustedDomainsEx.Response(parsing: &reader)
            for entry in response.entries { show(entry, into: &outline) }
            return response.status
        case _: return nil
        }
    }

    private static func right(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> NTStatus? {
        switch opnum {
        case LsarEnumeratePrivilegesAccount.opnum:
            let response = try LsarEnumeratePrivilegesAccount.Response(parsing: &reader)
            for held in response.privileges ?? [] { outline.field("Luid", "\(held.value)") }
            return response.status
        case LsarGetSystemAccessAccount.opnum:
            let response = try LsarGetSystemAccessAccount.Response(parsing: &reader)
            outline.flags("SystemAccess", response.systemAccess)
            return response.status
        case LsarLookupPrivilegeValue.opnum:
            let response = try LsarLookupPrivilegeValue.Response(parsing: &reader)
            outline.field("Value", "\(response.value)")
            return response.status
        case LsarLookupPrivilegeName.opnum:
            let response = try LsarLookupPrivilegeName.Response(parsing: &reader)
            outline.field("Name", response.name)
            return response.status
        case LsarLookupPrivilegeDisplayName.opnum:
            let response = try LsarLookupPrivilegeDisplayName.Response(parsing: &reader)
            outline.field("DisplayName", response.displayName)
            return response.status
        case LsarEnumerateAccountsWithUserRight.opnum:
            let response = try LsarEnumerateAccountsWithUserRight.Response(parsing: &reader)
            for account in response.accounts { outline.field("Sid", account.sid.description) }
            return response.status
        case LsarEnumerateAccountRights.opnum:
            let response = try LsarEnumerateAccountRights.Response(parsing: &reader)
            for right in response.userRights { outline.field("UserRight", right.text) }
            return response.status
        case _: return nil
        }
    }

    // MARK: Translations

    private static func lookup(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> NTStatus? {
        switch opnum {
        case LsarLookupNames.opnum:
            let response = try LsarLookupNames.Response(parsing: &reader)
            for item in response.translations { show(item, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupNames2.opnum:
            let response = try LsarLookupNames2.Response(parsing: &reader)
            for item in response.translations { show(item.account, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupNames3.opnum:
            let response = try LsarLookupNames3.Response(parsing: &reader)
            for item in response.translations { show(item, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupNames4.opnum:
            let response = try LsarLookupNames4.Response(parsing: &reader)
            for item in response.translations { show(item, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupSids.opnum:
            let response = try LsarLookupSids.Response(parsing: &reader)
            for item in response.translations { show(item, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupSids2.opnum:
            let response = try LsarLookupSids2.Response(parsing: &reader)
            for item in response.translations { show(item.account, into: &outline) }
            return status(response, into: &outline)
        case LsarLookupSids3.opnum:
            let response = try LsarLookupSids3.Response(parsing: &reader)
            for item in response.translations { show(item.account, into: &outline) }
            return status(response, into: &outline)
        case _: return nil
        }
    }

    private static func status<Lookup: LSALookup>(
        _ response: LookupResponse<Lookup>, into outline: inout Outline
    ) -> NTStatus {
        for domain in response.referencedDomains?.domains ?? [] { show(domain, into: &outline) }
        return response.status
    }

    private static func show(_ item: TranslatedSID, into outline: inout Outline) {
        outline.field(
            "Translated",
            "use \(item.use.rawValue), RelativeId \(item.relativeID), domain \(item.domainIndex)")
    }

    private static func show(_ item: TranslatedSIDEx2, into outline: inout Outline) {
        outline.field(
            "Translated",
            "use \(item.use.rawValue), \(item.sid?.description ?? "no SID"), "
                + "domain \(item.domainIndex)")
    }

    private static func show(_ item: TranslatedName, into outline: inout Outline) {
        outline.field(
            "Translated",
            "use \(item.use.rawValue), \(item.name ?? "no name"), domain \(item.domainIndex)")
    }

    // MARK: Domains

    private static func show(_ domain: LSADomain, into outline: inout Outline) {
        outline.field(
            "Domain", "\(domain.name ?? "") \(domain.sid?.description ?? "without a SID")")
    }

    private static func show(
        _ trust: TrustedDomainInformationEx, into outline: inout Outline
    ) {
        show(LSADomain(name: trust.flatName, sid: trust.sid), into: &outline)
        outline.field("Name", trust.name)
        outline.field(
            "Trust",
            "direction \(trust.trustDirection), type \(trust.trustType), "
                + "attributes 0x" + Hex.string(trust.trustAttributes))
    }

    private static func show(_ part: PolicyInformation?, into outline: inout Outline) {
        guard let part else { return }
        outline.field("InformationClass", Int(part.informationClass.rawValue))
        switch part {
        case .primaryDomain(let domain), .accountDomain(let domain),
            .localAccountDomain(let domain):
            show(domain, into: &outline)
        case .dnsDomain(let domain), .dnsDomainInternal(let domain):
            show(LSADomain(name: domain.name, sid: domain.sid), into: &outline)
            outline.field("DnsDomainName", domain.dnsDomainName)
            outline.field("DnsForestName", domain.dnsForestName)
        case .serverRole(let role): outline.field("LsaServerRole", Int(role))
        case .auditEvents(let isAuditing, let options):
            outline.field("AuditingMode", isAuditing ? "on" : "off")
            outline.field("MaximumAuditEventCount", options.count)
        case .auditLog, .pdAccount, .replicaSource, .defaultQuota: break
        }
    }

    private static func show(
        _ part: TrustedDomainInformation?, into outline: inout Outline
    ) {
        guard let part else { return }
        switch part {
        case .name(let name): outline.field("Name", name)
        case .controllers(let names):
            for name in names { outline.field("Controller", name.text) }
        case .posixOffset(let offset): outline.field("Offset", "\(offset)")
        case .basic(let domain): show(domain, into: &outline)
        case .ex(let trust): show(trust, into: &outline)
        }
    }
}
