import RPC
import TestSupport
import Wire

@testable import Interfaces

/// Every SAMR call in both directions, in several shapes.
enum SamrSamples {
    static let all: [MessageSample] =
        shapes + domains + lists + creations + objects + users + passwords

    private static func sample<M: NDRMessage & Sendable>(
        _ name: String, _ message: M
    ) -> MessageSample {
        NetlogonSamples.sample("Samr " + name, message)
    }

    static let handle = ContextHandle(attributes: 1, uuid: SAMR.interface.uuid)
    static let sid = SID("S-1-5-21-1-2-3")!
    static let sixteen = NetlogonSamples.sixteen
    static let password = SamrEncryptedPassword([UInt8](repeating: 0xa5, count: 516))
    static let salted = SamrSaltedPassword([UInt8](repeating: 0x5a, count: 532))

    static let shapes: [MessageSample] = [
        sample("handle", SamrHandleRequest(handle: handle)),
        sample("handle response", SamrHandleResponse(handle: .null, status: .invalidHandle)),
        sample("status", SamrStatusResponse(status: .accessDenied)),
        sample("query", SamrQueryRequest(handle: handle, informationClass: 21)),
        sample("open", SamrOpenRequest(domainHandle: handle, relativeID: 1_000)),
        sample("connect", SamrConnect.Request()),
        sample("connect without name", SamrConnect.Request(serverName: nil)),
        sample("connect2", SamrConnect2.Request(serverName: "\\\\GATE")),
        sample("connect2 without name", SamrConnect2.Request()),
        sample("connect4", SamrConnect4.Request(serverName: "\\\\GATE1")),
        sample("connect5", SamrConnect5.Request(serverName: "\\\\GATE1")),
        sample("connect5 response", SamrConnect5.Response(handle: handle)),
    ]

    static let policy: SamrPasswordPolicy = {
        var policy = SamrPasswordPolicy()
        policy.minPasswordLength = 5
        policy.passwordProperties = 1
        return policy
    }()
    static let general: SamrDomainGeneral = {
        var general = SamrDomainGeneral()
        general.oemInformation = "Gatehouse"
        general.domainName = "GATE"
        general.userCount = 3
        return general
    }()
    static let lockout = SamrLockoutPolicy(
        lockoutDuration: 7, lockoutObservationWindow: 8, lockoutThreshold: 9)
    static let domainInformation: [SamrDomainInformation] = [
        .password(policy), .general(general), .logoff(forceLogoff: 1 << 63), .oem("Gate"),
        .name("GATE"), .replication(sourceNodeName: ""), .serverRole(3),
        .modified(count: 17, creationTime: 0x01c0_0000_0000_0000), .state(1),
        .general2(general, lockout), .lockout(lockout),
        .modified2(count: 17, creationTime: 3, atLastPromotion: 0),
    ]
    static let domains: [MessageSample] =
        domainInformation.flatMap { information in
            [
                sample(
                    "domain information \(information.informationClass)",
                    SamrQueryInformationDomain2.Response(information: information)),
                sample(
                    "set domain information \(information.informationClass)",
                    SamrSetInformationDomain.Request(
                        domainHandle: handle, information: information)),
            ]
        } + [
            sample(
                "domain information refused",
                SamrQueryInformationDomain.Response(information: nil, status: .accessDenied)),
            sample(
                "lookup domain",
                SamrLookupDomainInSamServer.Request(serverHandle: handle, name: "GATE")),
            sample("SID", SamrSIDResponse(sid: sid)),
            sample("no SID", SamrSIDResponse(sid: nil, status: .noSuchDomain)),
            sample(
                "open domain", SamrOpenDomain.Request(serverHandle: handle, domainID: sid)),
            sample("RID to SID", SamrRidToSid.Request(objectHandle: handle, relativeID: 500)),
            sample(
                "password rules",
                SamrPasswordInformationResponse(minPasswordLength: 5, passwordProperties: 1)),
            sample(
                "domain password rules",
                SamrGetDomainPasswordInformation.Request(unused: "\\\\GATE1")),
            sample("no name's password rules", SamrGetDomainPasswordInformation.Request()),
        ]

    static let names = [
        SamrRIDName(relativeID: 500, name: "Administrator"),
        SamrRIDName(relativeID: 1_001, name: "jürgen"), SamrRIDName(relativeID: 1_002, name: ""),
    ]
    static let entries = [
        SamrDisplayEntry(
            index: 1, relativeID: 500, accountControl: 0x10, accountName: "Administrator",
            adminComment: "built in"),
        SamrDisplayEntry(
            index: 2, relativeID: 1_001, accountControl: 0x210, accountName: "anna"),
    ]
    static let users3 = entries.map { entry in
        var whole = entry
        whole.fullName = "Anna Ängström"
        return whole
    }
    static let pages: [SamrDisplayPage] = [
        .users(users3), .machines(entries), .groups(entries), .groups([]),
        .oemUsers([SamrOEMDisplayEntry(index: 1, name: Array("anna".utf8))]),
        .oemGroups([SamrOEMDisplayEntry(index: 1, name: Array("Domain Users".utf8))]),
    ]
    static let lists: [MessageSample] =
        pages.map { page in
            sample(
                "display \(page.displayClass.rawValue), \(page.count)",
                SamrQueryDisplayInformation3.Response(
                    totalAvailable: 300, totalReturned: 100, page: page, status: .moreEntries))
        } + [
            sample("enumerate", SamrEnumerateRequest(handle: handle, enumerationContext: 5)),
            sample(
                "enumerate users",
                SamrEnumerateUsersInDomain.Request(domainHandle: handle, userAccountControl: 0x10)),
            sample(
                "page",
                SamrEnumerateResponse(
                    enumerationContext: 3, entries: names, status: .moreEntries)),
            sample("empty page", SamrEnumerateResponse(enumerationContext: 0, entries: [])),
            sample(
                "no page",
                SamrEnumerateResponse(
                    enumerationContext: 0, entries: nil, status: .accessDenied)),
            sample(
                "query display",
                SamrQueryDisplayInformation.Request(domainHandle: handle, displayClass: .group)),
            sample(
                "display index",
                SamrGetDisplayEnumerationIndex.Request(
                    domainHandle: handle, displayClass: .user, prefix: "an")),
            sample(
                "display index response", SamrGetDisplayEnumerationIndex2.Response(index: 2)),
            sample(
                "lookup names",
                SamrLookupNamesInDomain.Request(
                    domainHandle: handle, names: ["anna", "", "Domain Users"])),
            sample(
                "lookup names response",
                SamrLookupNamesInDomain.Response(
                    relativeIDs: [1_001, 0], uses: [.user, .unknown], status: .someNotMapped)),
            sample(
                "lookup names failed",
                SamrLookupNamesInDomain.Response(relativeIDs: [], uses: [], status: .noneMapped)),
            sample(
                "lookup ids",
                SamrLookupIdsInDomain.Request(domainHandle: handle, relativeIDs: [500, 501])),
            sample(
                "lookup ids response",
                SamrLookupIdsInDomain.Response(
                    names: ["Administrator", ""], uses: [.user, .unknown])),
            sample(
                "lookup ids failed",
                SamrLookupIdsInDomain.Response(names: [], uses: [], status: .noneMapped)),
            sample(
                "alias membership",
                SamrGetAliasMembership.Request(
                    domainHandle: handle, sids: [sid, SID("S-1-5-21-1-2-3-513")!])),
            sample(
                "alias membership of nobody",
                SamrGetAliasMembership.Request(domainHandle: handle, sids: [])),
            sample(
                "alias membership response", SamrGetAliasMembership.Response(membership: [544])),
        ]

    static let creations: [MessageSample] = [
        sample("create", SamrCreateRequest(domainHandle: handle, name: "Players")),
        sample("create response", SamrCreateResponse(handle: handle, relativeID: 1_005)),
        sample(
            "create user",
            SamrCreateUser2InDomain.Request(
                domainHandle: handle, name: "PC1$", accountType: 0x80)),
        sample(
            "create user response",
            SamrCreateUser2InDomain.Response(
                handle: handle, grantedAccess: 0xf_07ff, relativeID: 1_006)),
    ]

    static let objects: [MessageSample] =
        ([
            .general(name: "Domain Users", attributes: 7, memberCount: 3, adminComment: "all"),
            .name("Domain Users"), .attributes(7), .adminComment("all"),
            .replication(name: "Domain Users", attributes: 7, memberCount: 0, adminComment: ""),
        ] as [SamrGroupInformation]).flatMap { information in
            [
                sample(
                    "group \(information.informationClass)",
                    SamrQueryInformationGroup.Response(information: information)),
                sample(
                    "set group \(information.informationClass)",
                    SamrSetInformationGroup.Request(groupHandle: handle, information: information)),
            ]
        }
        + ([
            .general(name: "Administrators", memberCount: 2, adminComment: "may all"),
            .name("Administrators"), .adminComment(""),
        ] as [SamrAliasInformation]).flatMap { information in
            [
                sample(
                    "alias \(information.informationClass)",
                    SamrQueryInformationAlias.Response(information: information)),
                sample(
                    "set alias \(information.informationClass)",
                    SamrSetInformationAlias.Request(aliasHandle: handle, information: information)),
            ]
        } + [
            sample(
                "no group",
                SamrQueryInformationGroup.Response(information: nil, status: .invalidInfoClass)),
            sample(
                "no alias",
                SamrQueryInformationAlias.Response(information: nil, status: .invalidInfoClass)),
            sample(
                "add member", SamrAddMemberToGroup.Request(groupHandle: handle, memberID: 1_001)),
            sample(
                "remove member",
                SamrRemoveMemberFromGroup.Request(groupHandle: handle, memberID: 1_001)),
            sample(
                "members",
                SamrGetMembersInGroup.Response(
                    members: [GroupMembership(relativeID: 500), GroupMembership(relativeID: 501)])),
            sample("no members", SamrGetMembersInGroup.Response(members: [])),
            sample(
                "members refused",
                SamrGetMembersInGroup.Response(members: nil, status: .accessDenied)),
            sample(
                "groups",
                SamrGetGroupsForUser.Response(groups: [GroupMembership(relativeID: 513)])),
            sample("no groups", SamrGetGroupsForUser.Response(groups: [])),
            sample(
                "groups refused",
                SamrGetGroupsForUser.Response(groups: nil, status: .accessDenied)),
            sample("alias member", SamrMemberRequest(handle: handle, memberID: sid)),
            sample(
                "alias members",
                SamrGetMembersInAlias.Response(members: [sid, SID("S-1-1-0")!])),
            sample("no alias members", SamrGetMembersInAlias.Response(members: [])),
            sample(
                "set security",
                SamrSetSecurityObject.Request(
                    objectHandle: handle, securityInformation: 4,
                    securityDescriptor: SamrSecurityDescriptor([1, 0, 4, 0x80]))),
            sample(
                "security",
                SamrQuerySecurityObject.Request(objectHandle: handle, securityInformation: 4)),
            sample(
                "security response",
                SamrQuerySecurityObject.Response(
                    securityDescriptor: SamrSecurityDescriptor([1, 0, 0]))),
            sample(
                "no security",
                SamrQuerySecurityObject.Response(
                    securityDescriptor: nil, status: .accessDenied)),
        ]

    // MARK: Users

    static let user: SamrUserFields = {
        var user = SamrUserFields()
        user.lastLogon = 0x01d9_0000_0000_0001
        user.passwordMustChange = 0x7fff_ffff_ffff_ffff
        user.userName = "anna"
        user.fullName = "Anna Ängström"
        user.homeDirectory = "\\\\GATE1\\anna"
        user.workStations = "PC1,PC2"
        user.lmOwfPassword = sixteen.bytes
        user.ntOwfPassword = []
        user.securityDescriptor = SamrSecurityDescriptor([1, 2, 3])
        user.userID = 1_001
        user.primaryGroupID = 513
        user.userAccountControl = 0x10
        user.whichFields = .queried
        user.logonHours = SamrLogonHours(hours: [UInt8](repeating: 0xff, count: 21))
        user.logonCount = 12
        user.passwordExpired = 1
        return user
    }()
    /// `user` as it survives in a class that has few of its fields.
    static func parsed(_ informationClass: UInt16) -> SamrUserInformation {
        .fields(informationClass: informationClass, user)
    }
    static let userInformation: [SamrUserInformation] =
        ((1...14) + [16, 17, 20, 21]).map { parsed(UInt16($0)) } + [
            .fields(informationClass: 21, SamrUserFields()),
            .hashes(
                nt: sixteen, lm: sixteen, ntPresent: true, lmPresent: false, passwordExpired: 0),
            .fieldsWithPassword(user, password), .password(password, passwordExpired: 1),
            .fieldsWithSaltedPassword(user, salted), .saltedPassword(salted, passwordExpired: 0),
        ]
    static let users: [MessageSample] =
        userInformation.map { information in
            sample(
                "set user \(information.informationClass)",
                SamrSetInformationUser2.Request(userHandle: handle, information: information))
        } + [
            sample(
                "user", SamrQueryInformationUser2.Response(information: parsed(3))),
            sample(
                "no user",
                SamrQueryInformationUser.Response(information: nil, status: .accessDenied))
        ]

    // MARK: Passwords

    static let change: SamrUnicodeChangePasswordUser2.Request = {
        var change = SamrUnicodeChangePasswordUser2.Request(
            serverName: "\\\\GATE1", userName: "anna", newPasswordEncryptedWithOldNT: password,
            oldNTOwfPasswordEncryptedWithNewNT: sixteen)
        change.lmPresent = true
        change.oldLMOwfPasswordEncryptedWithNewNT = sixteen
        return change
    }()
    static let hashChange: SamrChangePasswordUser.Request = {
        var change = SamrChangePasswordUser.Request(userHandle: handle)
        change.ntPresent = true
        change.oldNTEncryptedWithNewNT = sixteen
        change.newNTEncryptedWithOldNT = sixteen
        change.lmCrossEncryptionPresent = true
        change.newLMEncryptedWithNewNT = sixteen
        return change
    }()
    static let passwords: [MessageSample] = [
        sample("change by hashes", hashChange),
        sample("change by nothing", SamrChangePasswordUser.Request(userHandle: handle)),
        sample(
            "OEM change",
            SamrOemChangePasswordUser2.Request(
                serverName: Array("\\\\GATE1".utf8), userName: Array("ANNA".utf8),
                newPasswordEncryptedWithOldLM: password,
                oldLMOwfPasswordEncryptedWithNewLM: sixteen)),
        sample(
            "OEM change without anything",
            SamrOemChangePasswordUser2.Request(
                userName: [1], newPasswordEncryptedWithOldLM: nil,
                oldLMOwfPasswordEncryptedWithNewLM: nil)),
        sample("Unicode change", change),
        sample("Unicode change 3", SamrUnicodeChangePasswordUser3.Request(change: change)),
        sample("Unicode change 3 done", SamrUnicodeChangePasswordUser3.Response()),
        sample(
            "Unicode change 3 refused",
            SamrUnicodeChangePasswordUser3.Response(
                policy: policy, reason: 5, status: .passwordRestriction)),
    ]
}
