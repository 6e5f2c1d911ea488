import Interfaces
import RPC
import Wire

/// The calls of the Netlogon interface. Challenges, credentials, responses, keys and passwords
/// are withheld: a printed trace must not help to guess a password.
enum NetlogonCalls {
    /// By opnum, MS-NRPC 3.5.4.
    private static let names: [StaticString] = [
        "NetrLogonUasLogon", "NetrLogonUasLogoff", "NetrLogonSamLogon", "NetrLogonSamLogoff",
        "NetrServerReqChallenge", "NetrServerAuthenticate", "NetrServerPasswordSet",
        "NetrDatabaseDeltas", "NetrDatabaseSync", "NetrAccountDeltas", "NetrAccountSync",
        "NetrGetDCName", "NetrLogonControl", "NetrGetAnyDCName", "NetrLogonControl2",
        "NetrServerAuthenticate2", "NetrDatabaseSync2", "NetrDatabaseRedo",
        "NetrLogonControl2Ex", "NetrEnumerateTrustedDomains", "DsrGetDcName",
        "NetrLogonGetCapabilities", "NetrLogonSetServiceBits", "NetrLogonGetTrustRid",
        "NetrLogonComputeServerDigest", "NetrLogonComputeClientDigest",
        "NetrServerAuthenticate3", "DsrGetDcNameEx", "DsrGetSiteName", "NetrLogonGetDomainInfo",
        "NetrServerPasswordSet2", "NetrServerPasswordGet", "NetrLogonSendToSam",
        "DsrAddressToSiteNamesW", "DsrGetDcNameEx2", "NetrLogonGetTimeServiceParentDomain",
        "NetrEnumerateTrustedDomainsEx", "DsrAddressToSiteNamesExW", "DsrGetDcSiteCoverageW",
        "NetrLogonSamLogonEx", "DsrEnumerateDomainTrusts", "DsrDeregisterDnsHostRecords",
        "NetrServerTrustPasswordsGet", "DsrGetForestTrustInformation",
        "NetrGetForestTrustInformation", "NetrLogonSamLogonWithFlags", "NetrServerGetTrustInfo",
    ]

    static func name(_ opnum: UInt16) -> String? {
        Int(opnum) < names.count ? names[Int(opnum)].description : nil
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

    private static func request(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        switch opnum {
        case NetrServerReqChallenge.opnum:
            let request = try NetrServerReqChallenge.Request(parsing: &reader)
            outline.field("PrimaryName", request.primaryName)
            outline.field("ComputerName", request.computerName)
            outline.withheld("ClientChallenge", 8)
        case NetrServerAuthenticate.opnum:
            show(try NetrServerAuthenticate.Request(parsing: &reader).claim, into: &outline)
        case NetrServerAuthenticate2.opnum, NetrServerAuthenticate3.opnum:
            let request = try NegotiatingChannelClaim(parsing: &reader)
            show(request.claim, into: &outline)
            outline.flags("NegotiateFlags", request.negotiateFlags)
        case NetrServerPasswordSet.opnum:
            show(try NetrServerPasswordSet.Request(parsing: &reader).account, into: &outline)
            outline.withheld("UasNewPassword", 16)
        case NetrServerPasswordSet2.opnum:
            show(try NetrServerPasswordSet2.Request(parsing: &reader).account, into: &outline)
            outline.withheld("ClearNewPassword", 516)
        case NetrLogonGetCapabilities.opnum:
            let request = try NetrLogonGetCapabilities.Request(parsing: &reader)
            outline.field("ServerName", request.serverName)
            outline.field("ComputerName", request.computerName)
            outline.field("QueryLevel", "\(request.queryLevel)")
        case NetrLogonGetDomainInfo.opnum:
            show(try NetrLogonGetDomainInfo.Request(parsing: &reader), into: &outline)
        case NetrLogonSamLogoff.opnum:
            let request = try NetrLogonSamLogoff.Request(parsing: &reader)
            outline.field("LogonServer", request.logonServer)
            outline.field("ComputerName", request.computerName)
            show(request.logonInformation, into: &outline)
        case NetrLogonSamLogon.opnum:
            show(try NetrLogonSamLogon.Request(parsing: &reader), into: &outline)
        case NetrLogonSamLogonWithFlags.opnum:
            let request = try NetrLogonSamLogonWithFlags.Request(parsing: &reader)
            show(request.logon, into: &outline)
            outline.flags("ExtraFlags", request.extraFlags.rawValue)
        case NetrLogonSamLogonEx.opnum:
            let request = try NetrLogonSamLogonEx.Request(parsing: &reader)
            outline.field("LogonServer", request.logonServer)
            outline.field("ComputerName", request.computerName)
            show(request.logonInformation, into: &outline)
            outline.field("ValidationLevel", Int(request.validationLevel.rawValue))
            outline.flags("ExtraFlags", request.extraFlags.rawValue)
        case _:
            return false
        }
        return true
    }

    private static func response(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) -> Bool {
        let status: NTStatus
        switch opnum {
        case NetrServerReqChallenge.opnum:
            status = try NetrServerReqChallenge.Response(parsing: &reader).status
            outline.withheld("ServerChallenge", 8)
        case NetrServerAuthenticate.opnum:
            status = try NetrServerAuthenticate.Response(parsing: &reader).status
            outline.withheld("ServerCredential", 8)
        case NetrServerAuthenticate2.opnum:
            let response = try NetrServerAuthenticate2.Response(parsing: &reader)
            outline.withheld("ServerCredential", 8)
            outline.flags("NegotiateFlags", response.negotiateFlags)
            status = response.status
        case NetrServerAuthenticate3.opnum:
            let response = try NetrServerAuthenticate3.Response(parsing: &reader)
            outline.withheld("ServerCredential", 8)
            outline.flags("NegotiateFlags", response.negotiateFlags)
            outline.field("AccountRid", "\(response.accountRID)")
            status = response.status
        case NetrServerPasswordSet.opnum, NetrServerPasswordSet2.opnum:
            status = try AuthenticatedStatus(parsing: &reader).status
        case NetrLogonGetCapabilities.opnum:
            let response = try NetrLogonGetCapabilities.Response(parsing: &reader)
            outline.field("QueryLevel", "\(response.queryLevel)")
            outline.flags("ServerCapabilities", response.capabilities)
            status = response.status
        case NetrLogonGetDomainInfo.opnum:
            let response = try NetrLogonGetDomainInfo.Response(parsing: &reader)
            show(response.domainInformation, into: &outline)
            status = response.status
        case NetrLogonSamLogoff.opnum:
            status = try NetrLogonSamLogoff.Response(parsing: &reader).status
        case NetrLogonSamLogon.opnum:
            let response = try NetrLogonSamLogon.Response(parsing: &reader)
            try show(response.validation, reader, into: &outline)
            authoritative(response.isAuthoritative, into: &outline)
            status = response.status
        case NetrLogonSamLogonWithFlags.opnum:
            let response = try NetrLogonSamLogonWithFlags.Response(parsing: &reader)
            try show(response.validation, reader, into: &outline)
            authoritative(response.isAuthoritative, into: &outline)
            outline.flags("ExtraFlags", response.extraFlags.rawValue)
            status = response.status
        case NetrLogonSamLogonEx.opnum:
            let response = try NetrLogonSamLogonEx.Response(parsing: &reader)
            try show(response.validation, reader, into: &outline)
            authoritative(response.isAuthoritative, into: &outline)
            outline.flags("ExtraFlags", response.extraFlags.rawValue)
            status = response.status
        case _:
            return false
        }
        outline.field("status", status.description)
        return true
    }
}
