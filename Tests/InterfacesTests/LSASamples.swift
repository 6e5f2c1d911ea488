import RPC
import TestSupport
import Wire

@testable import Interfaces

/// Every LSA call in both directions, in several shapes.
enum LSASamples {
    static let handle = ContextHandle(uuid: LSA.interface.uuid)
    static let sid = SID("S-1-5-21-1-2-3")!
    static let domain = LSADomain(name: "NT4LAB", sid: sid)
    static let referenced = ReferencedDomains([
        domain, LSADomain(name: "BUILTIN", sid: SID("S-1-5-32")), LSADomain(name: "", sid: nil),
    ])
    static let trust = TrustedDomainInformationEx(
        name: "ad.lab", flatName: "ADLAB", sid: sid, trustDirection: 3, trustType: 2,
        trustAttributes: 8)

    private static func sample<M: NDRMessage & Sendable>(
        _ name: String, _ message: M
    ) -> MessageSample { NetlogonSamples.sample(name, message) }

    static let all = policies + lookups + enumerations + rights + trusts

    // MARK: Policies

    static let dns = PolicyDNSDomain(
        name: "ADLAB", dnsDomainName: "ad.lab", dnsForestName: "lab",
        domainGUID: LSA.interface.uuid, sid: sid)

    static var parts: [PolicyInformation] {
        var log = PolicyAuditLog()
        log.maximumLogSize = 512
        log.retentionPeriod = 0x0102_0304_0506_0708
        log.fullShutdownInProgress = true
        log.nextAuditRecordID = 7
        var quota = PolicyQuota()
        quota.pagefileLimit = 5
        quota.timeLimit = 0x1122_3344_5566_7788
        return [
            .auditLog(log), .auditEvents(isAuditing: true, options: [0, 1, 2, 3]),
            .auditEvents(isAuditing: false, options: []), .primaryDomain(domain),
            .primaryDomain(LSADomain(name: "WORKGROUP", sid: nil)), .pdAccount("PDC"),
            .accountDomain(domain), .serverRole(PolicyInformation.primaryRole),
            .replicaSource(source: "A", account: nil), .defaultQuota(quota), .dnsDomain(dns),
            .dnsDomainInternal(PolicyDNSDomain(name: "NT4LAB", sid: sid)),
            .localAccountDomain(domain),
        ]
    }

    static let policies: [MessageSample] =
        parts.map { part in
            sample(
                "policy \(part.informationClass.rawValue)",
                PolicyAnswer(policyInformation: part))
        } + [
            sample(
                "OpenPolicy2",
                LsarOpenPolicy2.Request(
                    systemName: "\\\\PDC",
                    objectAttributes: LSAObjectAttributes(qualityOfService: .init()))),
            sample("OpenPolicy2 bare", LsarOpenPolicy2.Request(systemName: nil)),
            sample(
                "OpenPolicy",
                LsarOpenPolicy.Request(
                    objectAttributes: LSAObjectAttributes(qualityOfService: .init()))),
            sample("OpenPolicy bare", LsarOpenPolicy.Request(systemName: nil)),
            sample("handle", OpenedHandle(handle: handle)),
            sample("no handle", OpenedHandle(handle: .null, status: .accessDenied)),
            sample("Close", LsarClose.Request(objectHandle: handle)),
            sample(
                "QueryInformationPolicy",
                PolicyQuery(policyHandle: handle, informationClass: .accountDomain)),
            sample(
                "no policy", PolicyAnswer(policyInformation: nil, status: .invalidParameter)),
            sample("GetUserName", LsarGetUserName.Request(systemName: "\\\\PDC")),
            sample(
                "GetUserName with names",
                LsarGetUserName.Request(systemName: nil, userName: "x", wantsDomainName: false)),
            sample(
                "GetUserName response",
                LsarGetUserName.Response(userName: "jürgen", domainName: "NT4LAB")),
            sample(
                "GetUserName response without domain",
                LsarGetUserName.Response(userName: "alice", domainName: nil)),
            sample(
                "GetUserName refusal",
                LsarGetUserName.Response(userName: nil, domainName: nil, status: .accessDenied)),
        ]

    // MARK: Lookups

    static let names = ["alice", "NT4LAB\\Domain Users", "Everyone", "jürgen"]
    static let sids = [sid, SID("S-1-1-0")!, SID("S-1-5-32-544")!]

    private static func names<Lookup: LSALookup & RemoteProcedure>(
        _ lookup: Lookup.Type, _ translations: [Lookup.Translation]
    ) -> [MessageSample] {
        let opnum = Lookup.opnum
        let request = LookupNamesRequest<Lookup>(
            policyHandle: Lookup.hasPolicyHandle ? handle : .null, names: names,
            lookupLevel: .primaryDomain, lookupOptions: Lookup.hasOptions ? 1 : 0,
            clientRevision: Lookup.hasOptions ? 2 : 0)
        return [sample("LookupNames \(opnum)", request)] + responses(lookup, opnum, translations)
    }

    private static func sids<Lookup: LSALookup & RemoteProcedure>(
        _ lookup: Lookup.Type, _ translations: [Lookup.Translation]
    ) -> [MessageSample] {
        let opnum = Lookup.opnum
        let request = LookupSIDsRequest<Lookup>(
            policyHandle: Lookup.hasPolicyHandle ? handle : .null, sids: sids)
        let empty = LookupSIDsRequest<Lookup>(
            policyHandle: Lookup.hasPolicyHandle ? handle : .null, sids: [])
        return [sample("LookupSids \(opnum)", request), sample("no SIDs \(opnum)", empty)]
            + responses(lookup, opnum, translations)
    }

    private static func responses<Lookup: LSALookup>(
        _ lookup: Lookup.Type, _ opnum: UInt16, _ translations: [Lookup.Translation]
    ) -> [MessageSample] {
        [
            sample(
                "Lookup response \(opnum)",
                LookupResponse<Lookup>(
                    referencedDomains: referenced, translations: translations,
                    mappedCount: 1, status: NTStatus(0x107))),
            sample(
                "Lookup refusal \(opnum)",
                LookupResponse<Lookup>(
                    referencedDomains: nil, translations: [], mappedCount: 0,
                    status: .accessDenied)),
            sample(
                "Lookup of nothing known \(opnum)",
                LookupResponse<Lookup>(
                    referencedDomains: ReferencedDomains(), translations: translations,
                    mappedCount: 0, status: .noneMapped)),
        ]
    }

    static let user = TranslatedSID(use: .user, relativeID: 1_001, domainIndex: 0)
    static let userName = TranslatedName(use: .user, name: "alice", domainIndex: 0)
    static let unknown = TranslatedName(use: .unknown, name: nil)
    static let wholeSIDs = [
        TranslatedSIDEx2(use: .alias, sid: SID("S-1-5-32-544"), domainIndex: 1, flags: 4),
        TranslatedSIDEx2(use: .unknown, sid: nil),
        TranslatedSIDEx2(use: .domain, sid: sid, domainIndex: 0),
    ]

    static let lookups: [MessageSample] =
        names(LsarLookupNames.self, [user, TranslatedSID(use: .unknown)])
        + names(
            LsarLookupNames2.self,
            [TranslatedSIDEx(user, flags: 3), TranslatedSIDEx(TranslatedSID(use: .unknown))])
        + names(LsarLookupNames3.self, wholeSIDs) + names(LsarLookupNames4.self, wholeSIDs)
        + sids(LsarLookupSids.self, [userName, unknown])
        + sids(
            LsarLookupSids2.self,
            [TranslatedNameEx(userName, flags: 3), TranslatedNameEx(unknown)])
        + sids(LsarLookupSids3.self, [TranslatedNameEx(unknown), TranslatedNameEx(userName)])

    // MARK: Lists and trusts

    static let enumerations: [MessageSample] = [
        sample("Enumerate", EnumerationRequest(policyHandle: handle, enumerationContext: 3)),
        sample(
            "EnumeratePrivileges response",
            LsarEnumeratePrivileges.Response(
                enumerationContext: 2,
                entries: [
                    PrivilegeDefinition(name: "SeTcbPrivilege", localValue: 7),
                    PrivilegeDefinition(name: nil, localValue: 1 << 40),
                ], status: .moreEntries)),
        sample(
            "EnumerateAccounts response",
            LsarEnumerateAccounts.Response(
                enumerationContext: 3, entries: sids.map { PointedSID($0) })),
        sample(
            "EnumerateTrustedDomains response",
            LsarEnumerateTrustedDomains.Response(
                enumerationContext: 2, entries: [domain, LSADomain(name: "ADLAB", sid: nil)])),
        sample(
            "EnumerateTrustedDomains end",
            LsarEnumerateTrustedDomains.Response(
                enumerationContext: 0, entries: [], status: .noMoreEntries)),
        sample(
            "EnumerateTrustedDomainsEx response",
            LsarEnumerateTrustedDomainsEx.Response(enumerationContext: 1, entries: [trust])),
    ]

    static let rights: [MessageSample] = [
        sample(
            "OpenAccount", LsarOpenAccount.Request(policyHandle: handle, accountSID: sid)),
        sample("account", LSAAccountRequest(accountHandle: handle)),
        sample(
            "EnumeratePrivilegesAccount response",
            LsarEnumeratePrivilegesAccount.Response(privileges: [
                HeldPrivilege(value: 6), HeldPrivilege(value: 1 << 33, attributes: 3),
            ])),
        sample(
            "EnumeratePrivilegesAccount of none",
            LsarEnumeratePrivilegesAccount.Response(privileges: [])),
        sample(
            "EnumeratePrivilegesAccount refused",
            LsarEnumeratePrivilegesAccount.Response(privileges: nil, status: .accessDenied)),
        sample(
            "GetSystemAccessAccount response",
            LsarGetSystemAccessAccount.Response(systemAccess: 3)),
        sample(
            "LookupPrivilegeValue",
            LsarLookupPrivilegeValue.Request(policyHandle: handle, name: "SeTcbPrivilege")),
        sample("LookupPrivilegeValue response", LsarLookupPrivilegeValue.Response(value: 7)),
        sample(
            "LookupPrivilegeName", LsarLookupPrivilegeName.Request(policyHandle: handle, value: 7)),
        sample(
            "LookupPrivilegeName response",
            LsarLookupPrivilegeName.Response(name: "SeTcbPrivilege")),
        sample(
            "LookupPrivilegeName of none",
            LsarLookupPrivilegeName.Response(name: nil, status: .noSuchPrivilege)),
        sample(
            "LookupPrivilegeDisplayName",
            LsarLookupPrivilegeDisplayName.Request(
                policyHandle: handle, name: "SeTcbPrivilege", clientLanguage: 0x407)),
        sample(
            "LookupPrivilegeDisplayName response",
            LsarLookupPrivilegeDisplayName.Response(displayName: "Act as part of the system")),
        sample(
            "EnumerateAccountsWithUserRight",
            LsarEnumerateAccountsWithUserRight.Request(
                policyHandle: handle, userRight: "SeNetworkLogonRight")),
        sample(
            "EnumerateAccountsWithUserRight of any",
            LsarEnumerateAccountsWithUserRight.Request(policyHandle: handle, userRight: nil)),
        sample(
            "EnumerateAccountsWithUserRight response",
            LsarEnumerateAccountsWithUserRight.Response(accounts: sids.map { PointedSID($0) })),
        sample(
            "EnumerateAccountRights",
            LsarEnumerateAccountRights.Request(policyHandle: handle, accountSID: sid)),
        sample(
            "EnumerateAccountRights response",
            LsarEnumerateAccountRights.Response(userRights: [
                CountedName("SeBackupPrivilege"), CountedName("SeNetworkLogonRight"),
            ])),
    ]

    private static let trustParts: [TrustedDomainInformation] = [
        .name("ADLAB"), .controllers([CountedName("DC1"), CountedName("DC2")]), .controllers([]),
        .posixOffset(0x8000_0000), .basic(domain), .ex(trust),
    ]

    static let trusts: [MessageSample] =
        trustParts.map {
            sample(
                "trust \($0.informationClass.rawValue)",
                TrustedDomainAnswer(trustedDomainInformation: $0))
        } + [
            sample(
                "no trust",
                TrustedDomainAnswer(
                    trustedDomainInformation: nil, status: .objectNameNotFound)),
            sample(
                "OpenTrustedDomain",
                LsarOpenTrustedDomain.Request(policyHandle: handle, trustedDomainSID: sid)),
            sample(
                "QueryInfoTrustedDomain",
                LsarQueryInfoTrustedDomain.Request(
                    trustedDomainHandle: handle, informationClass: .ex)),
            sample(
                "QueryTrustedDomainInfo",
                LsarQueryTrustedDomainInfo.Request(
                    policyHandle: handle, trustedDomainSID: sid, informationClass: .name)),
            sample(
                "QueryTrustedDomainInfoByName",
                LsarQueryTrustedDomainInfoByName.Request(
                    policyHandle: handle, trustedDomainName: "ADLABS", informationClass: .ex)),
        ]
}
