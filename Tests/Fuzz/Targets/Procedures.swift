import Interfaces
import RPC
import Wire

// Every remote procedure, in both directions: the first two bytes of the input choose.

extension FuzzTarget {
    static let procedures = FuzzTarget("ndr", seeds: procedureSeeds) { bytes in
        guard bytes.count >= 2 else { return }
        let run = directions[(Int(bytes[0]) | Int(bytes[1]) << 8) % directions.count]
        run(Array(bytes.dropFirst(2)))
    }

    private static let procedureSeeds: [[UInt8]] =
        directions.indices.map {
            [UInt8($0 & 0xff), UInt8($0 >> 8)] + [UInt8](repeating: 0, count: 64)
        }

    private static let directions: [@Sendable ([UInt8]) -> Void] = [
        procedure(DsrAddressToSiteNamesW.self),
        procedure(DsrEnumerateDomainTrusts.self),
        procedure(DsrGetDcName.self),
        procedure(DsrGetDcNameEx.self),
        procedure(DsrGetDcNameEx2.self),
        procedure(DsrGetSiteName.self),
        procedure(EptLookup.self),
        procedure(EptLookupHandleFree.self),
        procedure(EptMap.self),
        procedure(LsarClose.self),
        procedure(LsarEnumerateAccountRights.self),
        procedure(LsarEnumerateAccounts.self),
        procedure(LsarEnumerateAccountsWithUserRight.self),
        procedure(LsarEnumeratePrivileges.self),
        procedure(LsarEnumeratePrivilegesAccount.self),
        procedure(LsarEnumerateTrustedDomains.self),
        procedure(LsarEnumerateTrustedDomainsEx.self),
        procedure(LsarGetSystemAccessAccount.self),
        procedure(LsarGetUserName.self),
        procedure(LsarLookupNames.self),
        procedure(LsarLookupNames2.self),
        procedure(LsarLookupNames3.self),
        procedure(LsarLookupNames4.self),
        procedure(LsarLookupPrivilegeDisplayName.self),
        procedure(LsarLookupPrivilegeName.self),
        procedure(LsarLookupPrivilegeValue.self),
        procedure(LsarLookupSids.self),
        procedure(LsarLookupSids2.self),
        procedure(LsarLookupSids3.self),
        procedure(LsarOpenAccount.self),
        procedure(LsarOpenPolicy.self),
        procedure(LsarOpenPolicy2.self),
        procedure(LsarOpenTrustedDomain.self),
        procedure(LsarQueryInfoTrustedDomain.self),
        procedure(LsarQueryInformationPolicy.self),
        procedure(LsarQueryInformationPolicy2.self),
        procedure(LsarQueryTrustedDomainInfo.self),
        procedure(LsarQueryTrustedDomainInfoByName.self),
        procedure(MgmtInqIfIds.self),
        procedure(MgmtInqPrincName.self),
        procedure(MgmtInqStats.self),
        procedure(MgmtIsServerListening.self),
        procedure(MgmtStopServerListening.self),
        procedure(NetrAccountDeltas.self),
        procedure(NetrAccountSync.self),
        procedure(NetrDatabaseDeltas.self),
        procedure(NetrDatabaseRedo.self),
        procedure(NetrDatabaseSync.self),
        procedure(NetrDatabaseSync2.self),
        procedure(NetrEnumerateTrustedDomains.self),
        procedure(NetrEnumerateTrustedDomainsEx.self),
        procedure(NetrGetAnyDCName.self),
        procedure(NetrGetDCName.self),
        procedure(NetrLogonControl.self),
        procedure(NetrLogonControl2.self),
        procedure(NetrLogonControl2Ex.self),
        procedure(NetrLogonGetCapabilities.self),
        procedure(NetrLogonGetDomainInfo.self),
        procedure(NetrLogonSamLogoff.self),
        procedure(NetrLogonSamLogon.self),
        procedure(NetrLogonSamLogonEx.self),
        procedure(NetrLogonSamLogonWithFlags.self),
        procedure(NetrRemoteTOD.self),
        procedure(NetrServerAuthenticate.self),
        procedure(NetrServerAuthenticate2.self),
        procedure(NetrServerAuthenticate3.self),
        procedure(NetrServerGetInfo.self),
        procedure(NetrServerGetTrustInfo.self),
        procedure(NetrServerPasswordGet.self),
        procedure(NetrServerPasswordSet.self),
        procedure(NetrServerPasswordSet2.self),
        procedure(NetrServerReqChallenge.self),
        procedure(NetrServerTrustPasswordsGet.self),
        procedure(NetrShareEnum.self),
        procedure(NetrShareGetInfo.self),
        procedure(NetrWkstaGetInfo.self),
        procedure(SamrAddMemberToAlias.self),
        procedure(SamrAddMemberToGroup.self),
        procedure(SamrChangePasswordUser.self),
        procedure(SamrCloseHandle.self),
        procedure(SamrConnect.self),
        procedure(SamrConnect2.self),
        procedure(SamrConnect4.self),
        procedure(SamrConnect5.self),
        procedure(SamrCreateAliasInDomain.self),
        procedure(SamrCreateGroupInDomain.self),
        procedure(SamrCreateUser2InDomain.self),
        procedure(SamrCreateUserInDomain.self),
        procedure(SamrDeleteAlias.self),
        procedure(SamrDeleteGroup.self),
        procedure(SamrDeleteUser.self),
        procedure(SamrEnumerateAliasesInDomain.self),
        procedure(SamrEnumerateDomainsInSamServer.self),
        procedure(SamrEnumerateGroupsInDomain.self),
        procedure(SamrEnumerateUsersInDomain.self),
        procedure(SamrGetAliasMembership.self),
        procedure(SamrGetDisplayEnumerationIndex.self),
        procedure(SamrGetDisplayEnumerationIndex2.self),
        procedure(SamrGetDomainPasswordInformation.self),
        procedure(SamrGetGroupsForUser.self),
        procedure(SamrGetMembersInAlias.self),
        procedure(SamrGetMembersInGroup.self),
        procedure(SamrGetUserDomainPasswordInformation.self),
        procedure(SamrLookupDomainInSamServer.self),
        procedure(SamrLookupIdsInDomain.self),
        procedure(SamrLookupNamesInDomain.self),
        procedure(SamrOemChangePasswordUser2.self),
        procedure(SamrOpenAlias.self),
        procedure(SamrOpenDomain.self),
        procedure(SamrOpenGroup.self),
        procedure(SamrOpenUser.self),
        procedure(SamrQueryDisplayInformation.self),
        procedure(SamrQueryDisplayInformation2.self),
        procedure(SamrQueryDisplayInformation3.self),
        procedure(SamrQueryInformationAlias.self),
        procedure(SamrQueryInformationDomain.self),
        procedure(SamrQueryInformationDomain2.self),
        procedure(SamrQueryInformationGroup.self),
        procedure(SamrQueryInformationUser.self),
        procedure(SamrQueryInformationUser2.self),
        procedure(SamrQuerySecurityObject.self),
        procedure(SamrRemoveMemberFromAlias.self),
        procedure(SamrRemoveMemberFromForeignDomain.self),
        procedure(SamrRemoveMemberFromGroup.self),
        procedure(SamrRidToSid.self),
        procedure(SamrSetInformationAlias.self),
        procedure(SamrSetInformationDomain.self),
        procedure(SamrSetInformationGroup.self),
        procedure(SamrSetInformationUser.self),
        procedure(SamrSetInformationUser2.self),
        procedure(SamrSetSecurityObject.self),
        procedure(SamrUnicodeChangePasswordUser2.self),
        procedure(SamrUnicodeChangePasswordUser3.self),
    ].flatMap { $0 }

    private static func procedure<P: RemoteProcedure>(
        _ type: P.Type
    ) -> [@Sendable ([UInt8]) -> Void]
    where P.Request: SendableMetatype, P.Response: SendableMetatype {
        [rewriting(P.Request.self), rewriting(P.Response.self)]
    }

    private static func rewriting<M: NDRMessage>(
        _ type: M.Type
    ) -> @Sendable ([UInt8]) -> Void where M: SendableMetatype {
        { bytes in
            var stub = NDRReader(WireReader(bytes.span, layer: "NDR"))
            guard let message = try? M(parsing: &stub) else { return }
            // Some hold ranges of what they were parsed from, and cannot be written elsewhere.
            if message is any BorrowingMessage { return }
            var writer = NDRWriter()
            message.write(into: &writer)
        }
    }
}

/// Messages whose texts and arrays are ranges of the stub.
private protocol BorrowingMessage {}
extension NetrLogonSamLogon.Response: BorrowingMessage {}
extension NetrLogonSamLogonEx.Response: BorrowingMessage {}
extension NetrLogonSamLogonWithFlags.Response: BorrowingMessage {}
