import Interfaces
import RPC
import Wire

/// The calls of the Local Security Authority that this program has.
enum LSACalls {
    static func name(_ opnum: UInt16) -> String? {
        switch opnum {
        case LsarClose.opnum: "LsarClose"
        case LsarEnumeratePrivileges.opnum: "LsarEnumeratePrivileges"
        case LsarOpenPolicy.opnum: "LsarOpenPolicy"
        case LsarQueryInformationPolicy.opnum: "LsarQueryInformationPolicy"
        case LsarEnumerateAccounts.opnum: "LsarEnumerateAccounts"
        case LsarEnumerateTrustedDomains.opnum: "LsarEnumerateTrustedDomains"
        case LsarLookupNames.opnum: "LsarLookupNames"
        case LsarLookupSids.opnum: "LsarLookupSids"
        case LsarOpenAccount.opnum: "LsarOpenAccount"
        case LsarEnumeratePrivilegesAccount.opnum: "LsarEnumeratePrivilegesAccount"
        case LsarGetSystemAccessAccount.opnum: "LsarGetSystemAccessAccount"
        case LsarOpenTrustedDomain.opnum: "LsarOpenTrustedDomain"
        case LsarQueryInfoTrustedDomain.opnum: "LsarQueryInfoTrustedDomain"
        case LsarLookupPrivilegeValue.opnum: "LsarLookupPrivilegeValue"
        case LsarLookupPrivilegeName.opnum: "LsarLookupPrivilegeName"
        case LsarLookupPrivilegeDisplayName.opnum: "LsarLookupPrivilegeDisplayName"
        case LsarEnumerateAccountsWithUserRight.opnum: "LsarEnumerateAccountsWithUserRight"
        case LsarEnumerateAccountRights.opnum: "LsarEnumerateAccountRights"
        case LsarQueryTrustedDomainInfo.opnum: "LsarQueryTrustedDomainInfo"
        case LsarOpenPolicy2.opnum: "LsarOpenPolicy2"
        case LsarGetUserName.opnum: "LsarGetUserName"
        case LsarQueryInformationPolicy2.opnum: "LsarQueryInformationPolicy2"
        case LsarQueryTrustedDomainInfoByName.opnum: "LsarQueryTrustedDomainInfoByName"
        case LsarEnumerateTrustedDomainsEx.opnum: "LsarEnumerateTrustedDomainsEx"
        case LsarLookupSids2.opnum: "LsarLookupSids2"
        case LsarLookupNames2.opnum: "LsarLookupNames2"
        case LsarLookupNames3.opnum: "LsarLookupNames3"
        case LsarLookupSids3.opnum: "LsarLookupSids3"
        case LsarLookupNames4.opnum: "LsarLookupNames4"
        case _: nil
        }
    }

    /// Shows a stub; false where the call is not one that this program has.
    static func decode(
        _ opnum: UInt16, _ side: Side, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        switch side {
        case .client: try request(opnum, &reader, into: &outline)
        case .server: try response(opnum, &reader, into: &outline)
        }
    }

    // MARK: Requests

    private static func request(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        switch opnum {
        case LsarClose.opnum: _ = try LsarClose.Request(parsing: &reader)
        case LsarOpenPolicy.opnum:
            let request = try LsarOpenPolicy.Request(parsing: &reader)
            outline.flags("DesiredAccess", request.desiredAccess)
        case LsarOpenPolicy2.opnum:
            let request = try LsarOpenPolicy2.Request(parsing: &reader)
            outline.field("SystemName", request.systemName)
            outline.flags("DesiredAccess", request.desiredAccess)
        case LsarQueryInformationPolicy.opnum, LsarQueryInformationPolicy2.opnum:
            let request = try PolicyQuery(parsing: &reader)
            outline.field("InformationClass", Int(request.informationClass.rawValue))
        case LsarEnumeratePrivileges.opnum, LsarEnumerateAccounts.opnum,
            LsarEnumerateTrustedDomains.opnum, LsarEnumerateTrustedDomainsEx.opnum:
            let request = try EnumerationRequest(parsing: &reader)
            outline.field("EnumerationContext", "\(request.enumerationContext)")
            outline.field("PreferedMaximumLength", "\(request.preferredMaximumLength)")
        case LsarGetUserName.opnum:
            outline.field("SystemName", try LsarGetUserName.Request(parsing: &reader).systemName)
        case LsarLookupNames.opnum:
            show(try LsarLookupNames.Request(parsing: &reader), into: &outline)
        case LsarLookupNames2.opnum:
            show(try LsarLookupNames2.Request(parsing: &reader), into: &outline)
        case LsarLookupNames3.opnum:
            show(try LsarLookupNames3.Request(parsing: &reader), into: &outline)
        case LsarLookupNames4.opnum:
            show(try LsarLookupNames4.Request(parsing: &reader), into: &outline)
        case LsarLookupSids.opnum:
            show(try LsarLookupSids.Request(parsing: &reader), into: &outline)
        case LsarLookupSids2.opnum:
            show(try LsarLookupSids2.Request(parsing: &reader), into: &outline)
        case LsarLookupSids3.opnum:
            show(try LsarLookupSids3.Request(parsing: &reader), into: &outline)
        case _: return try trustRequest(opnum, &reader, into: &outline)
        }
        return true
    }

    private static func trustRequest(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        switch opnum {
        case LsarOpenTrustedDomain.opnum:
            let request = try LsarOpenTrustedDomain.Request(parsing: &reader)
            outline.field("TrustedDomainSid", request.trustedDomainSID.description)
            outline.flags("DesiredAccess", request.desiredAccess)
        case LsarQueryInfoTrustedDomain.opnum:
            let request = try LsarQueryInfoTrustedDomain.Request(parsing: &reader)
            outline.field("InformationClass", Int(request.informationClass.rawValue))
        case LsarQueryTrustedDomainInfo.opnum:
            let request = try LsarQueryTrustedDomainInfo.Request(parsing: &reader)
            outline.field("TrustedDomainSid", request.trustedDomainSID.description)
            outline.field("InformationClass", Int(request.informationClass.rawValue))
        case LsarQueryTrustedDomainInfoByName.opnum:
            let request = try LsarQueryTrustedDomainInfoByName.Request(parsing: &reader)
            outline.field("TrustedDomainName", request.trustedDomainName)
            outline.field("InformationClass", Int(request.informationClass.rawValue))
        case _: return try rightRequest(opnum, &reader, into: &outline)
        }
        return true
    }

    private static func rightRequest(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        switch opnum {
        case LsarOpenAccount.opnum:
            let request = try LsarOpenAccount.Request(parsing: &reader)
            outline.field("AccountSid", request.accountSID.description)
            outline.flags("DesiredAccess", request.desiredAccess)
        case LsarEnumeratePrivilegesAccount.opnum, LsarGetSystemAccessAccount.opnum:
            _ = try LSAAccountRequest(parsing: &reader)
        case LsarLookupPrivilegeValue.opnum:
            outline.field("Name", try LsarLookupPrivilegeValue.Request(parsing: &reader).name)
        case LsarLookupPrivilegeName.opnum:
            let request = try LsarLookupPrivilegeName.Request(parsing: &reader)
            outline.field("Value", "\(request.value)")
        case LsarLookupPrivilegeDisplayName.opnum:
            outline.field(
                "Name", try LsarLookupPrivilegeDisplayName.Request(parsing: &reader).name)
        case LsarEnumerateAccountsWithUserRight.opnum:
            let request = try LsarEnumerateAccountsWithUserRight.Request(parsing: &reader)
            outline.field("UserRight", request.userRight)
        case LsarEnumerateAccountRights.opnum:
            let request = try LsarEnumerateAccountRights.Request(parsing: &reader)
            outline.field("AccountSid", request.accountSID.description)
        case _: return false
        }
        return true
    }

    private static func show<Lookup: LSALookup>(
        _ request: LookupNamesRequest<Lookup>, into outline: inout Outline
    ) {
        for name in request.names { outline.field("Name", name) }
        outline.field("LookupLevel", Int(request.lookupLevel.rawValue))
    }

    private static func show<Lookup: LSALookup>(
        _ request: LookupSIDsRequest<Lookup>, into outline: inout Outline
    ) {
        for sid in request.sids { outline.field("Sid", sid.description) }
        outline.field("LookupLevel", Int(request.lookupLevel.rawValue))
    }
}
