import Domain
import Interfaces
import RPC
import Testing
import Wire

@testable import Front

@Suite struct LSAServiceTests {
    let world: ServiceWorld
    let service: LSAService

    init() throws {
        world = try ServiceWorld()
        service = world.lsa()
    }

    private func query(
        _ informationClass: PolicyInformationClass, _ caller: RemoteCaller
    ) throws -> PolicyAnswer {
        let handle = try world.open(service, caller)
        return try world.call(
            service, LsarQueryInformationPolicy.self,
            PolicyQuery(policyHandle: handle, informationClass: informationClass), caller)
    }

    @Test func aNullSessionIsToldTheDomain() throws {
        let answer = try query(.primaryDomain, world.caller())
        #expect(
            answer.policyInformation
                == .primaryDomain(LSADomain(name: "GATE", sid: ServiceWorld.sid)))
        #expect(
            try query(.accountDomain, world.caller()).policyInformation
                == .accountDomain(LSADomain(name: "GATE", sid: ServiceWorld.sid)))
        #expect(
            try query(.serverRole, world.caller()).policyInformation
                == .serverRole(PolicyInformation.primaryRole))
    }

    @Test func auditingIsForAdministrators() throws {
        #expect(try query(.auditEvents, world.user).status == .accessDenied)
        #expect(try query(.auditLog, world.caller()).status == .accessDenied)
        #expect(
            try query(.auditEvents, world.administrator).policyInformation
                == .auditEvents(isAuditing: false, options: [0, 0, 0, 0, 0, 0, 0]))
    }

    @Test func theDomainIsNoActiveDirectory() throws {
        #expect(try query(.dnsDomain, world.administrator).status == .invalidParameter)
    }

    @Test func rightsBeyondACallersAreRefused() throws {
        let refused = try world.call(
            service, LsarOpenPolicy2.self,
            LsarOpenPolicy2.Request(systemName: nil, desiredAccess: 0x8), world.user)
        #expect(refused.status == .accessDenied && refused.handle == .null)
        let generic = try world.call(
            service, LsarOpenPolicy.self,
            LsarOpenPolicy.Request(desiredAccess: 0x2000_0000), world.caller())
        #expect(generic.status == .success)
        let all = try world.call(
            service, LsarOpenPolicy.self,
            LsarOpenPolicy.Request(desiredAccess: 0x1000_0000), world.administrator)
        #expect(all.status == .success)
    }

    @Test func aHandleIsGoodForWhatItWasOpenedFor() throws {
        let caller = world.user
        let handle = try world.open(service, caller, access: LSAAccess.lookupNames)
        let answer = try world.call(
            service, LsarQueryInformationPolicy.self,
            PolicyQuery(policyHandle: handle, informationClass: .primaryDomain), caller)
        #expect(answer.status == .accessDenied)
    }

    @Test func aClosedHandleIsNone() throws {
        let caller = world.caller()
        let handle = try world.open(service, caller)
        let closed = try world.call(
            service, LsarClose.self, LsarClose.Request(objectHandle: handle), caller)
        #expect(closed.handle == .null && closed.status == .success)
        #expect(caller.handles.isEmpty)
        let mismatch = ServiceWorld.Fault(status: .contextMismatch)
        #expect(throws: mismatch) {
            _ = try world.call(
                service, LsarClose.self, LsarClose.Request(objectHandle: handle), caller)
        }
        #expect(throws: mismatch) {
            _ = try world.call(
                service, LsarQueryInformationPolicy.self,
                PolicyQuery(policyHandle: handle, informationClass: .primaryDomain), caller)
        }
    }

    @Test func handlesAreBounded() throws {
        let caller = world.caller()
        for number in 0..<HandleTable.Limit.group {
            let uuid = GUID(data1: UInt32(number), data2: 0, data3: 0, data4: 77)
            caller[ContextHandle(uuid: uuid)] = caller
        }
        let refused = try world.call(
            service, LsarOpenPolicy2.self, LsarOpenPolicy2.Request(systemName: nil), caller)
        #expect(refused.status == .insufficientResources)
    }

    @Test func badCallsAreFaults() throws {
        let caller = world.caller()
        #expect(throws: ServiceWorld.Fault(status: .opRangeError)) {
            _ = try world.raw(service, 200, [], caller)
        }
        #expect(throws: ServiceWorld.Fault(status: .badStubData)) {
            _ = try world.raw(service, LsarOpenPolicy2.opnum, [1, 2, 3], caller)
        }
    }

    @Test func tellsWhoAsks() throws {
        func name(_ caller: RemoteCaller, domain: Bool = true) throws -> [String?] {
            let answer = try world.call(
                service, LsarGetUserName.self,
                LsarGetUserName.Request(systemName: nil, wantsDomainName: domain), caller)
            return [answer.userName, answer.domainName]
        }
        #expect(try name(world.caller()) == ["ANONYMOUS LOGON", "NT AUTHORITY"])
        #expect(try name(world.user) == ["alice", "GATE"])
        #expect(try name(world.user, domain: false) == ["alice", nil])
        let answer = try world.call(
            service, LsarGetUserName.self,
            LsarGetUserName.Request(systemName: nil, userName: "x"), world.user)
        #expect(answer.status == .invalidParameter)
    }

    // MARK: Trusted domains

    private func trusts(
        _ context: UInt32, length: UInt32 = 1_000, _ caller: RemoteCaller
    ) throws -> LsarEnumerateTrustedDomains.Response {
        try world.call(
            service, LsarEnumerateTrustedDomains.self,
            EnumerationRequest(
                policyHandle: try world.open(service, caller), enumerationContext: context,
                preferredMaximumLength: length), caller)
    }

    @Test func trustedDomainsAreThoseTrustedAndThosePassedThrough() throws {
        let nt4 = SID("S-1-5-21-4-4-4")!
        try world.domain.setTrust(Trust(name: "NT4LAB", sid: nt4, direction: .outbound))
        try world.domain.setTrust(Trust(name: "FRIEND", sid: nt4, direction: .inbound))
        let all = try trusts(0, world.caller())
        #expect(all.entries.map(\.name) == ["NT4LAB", "ADLAB"])
        #expect(all.status == .success && all.enumerationContext == .max)
        let first = try trusts(0, length: 0, world.caller())
        #expect(first.entries.map(\.name) == ["NT4LAB"] && first.status == .moreEntries)
        let second = try trusts(first.enumerationContext, length: 0, world.caller())
        #expect(second.entries.map(\.name) == ["ADLAB"] && second.status == .success)
        #expect(try trusts(second.enumerationContext, world.caller()).status == .noMoreEntries)
    }

    @Test func aTrustIsToldByHandleSIDAndName() throws {
        let caller = world.user
        let policy = try world.open(service, caller)
        let opened = try world.call(
            service, LsarOpenTrustedDomain.self,
            LsarOpenTrustedDomain.Request(
                policyHandle: policy, trustedDomainSID: ServiceWorld.adSID), caller)
        #expect(opened.status == .success)
        let expected = TrustedDomainInformation.ex(
            TrustedDomainInformationEx(
                name: "ad.lab", flatName: "ADLAB", sid: ServiceWorld.adSID, trustType: 2))
        #expect(
            try world.call(
                service, LsarQueryInfoTrustedDomain.self,
                LsarQueryInfoTrustedDomain.Request(
                    trustedDomainHandle: opened.handle, informationClass: .ex), caller
            ).trustedDomainInformation == expected)
        #expect(
            try world.call(
                service, LsarQueryTrustedDomainInfo.self,
                LsarQueryTrustedDomainInfo.Request(
                    policyHandle: policy, trustedDomainSID: ServiceWorld.adSID,
                    informationClass: .ex), caller
            ).trustedDomainInformation == expected)
        for (name, status) in [
            ("adlab", NTStatus.success), ("AD.LAB", .success), ("DARK", .objectNameNotFound),
        ] {
            let answer = try world.call(
                service, LsarQueryTrustedDomainInfoByName.self,
                LsarQueryTrustedDomainInfoByName.Request(
                    policyHandle: policy, trustedDomainName: name, informationClass: .basic),
                caller)
            #expect(answer.status == status)
        }
        #expect(throws: ServiceWorld.Fault(status: .contextMismatch)) {
            _ = try world.call(
                service, LsarQueryInfoTrustedDomain.self,
                LsarQueryInfoTrustedDomain.Request(
                    trustedDomainHandle: policy, informationClass: .ex), caller)
        }
    }

    @Test func privilegesComeInPages() throws {
        let caller = world.caller()
        let policy = try world.open(service, caller)
        var context: UInt32 = 0
        var names: [String] = []
        for _ in 0..<100 {
            let page = try world.call(
                service, LsarEnumeratePrivileges.self,
                EnumerationRequest(
                    policyHandle: policy, enumerationContext: context,
                    preferredMaximumLength: 300), caller)
            names += page.entries.compactMap(\.name)
            context = page.enumerationContext
            if page.status != .moreEntries { break }
        }
        #expect(names.count == 29 && names.first == "SeCreateTokenPrivilege")
    }
}

/// Privileges are told to who asks, and are never given.
@Suite struct LSARightsTests {
    let world: ServiceWorld
    let service: LSAService
    private let administrators = SID("S-1-5-32-544")!

    init() throws {
        world = try ServiceWorld()
        service = world.lsa()
    }

    @Test func aPrivilegeIsKnownByNameAndNumber() throws {
        let caller = world.user
        let policy = try world.open(service, caller)
        let value = try world.call(
            service, LsarLookupPrivilegeValue.self,
            .init(policyHandle: policy, name: "semachineaccountprivilege"), caller)
        #expect(value == .init(value: 6))
        #expect(
            try world.call(
                service, LsarLookupPrivilegeName.self, .init(policyHandle: policy, value: 6), caller
            ) == .init(name: "SeMachineAccountPrivilege"))
        #expect(
            try world.call(
                service, LsarLookupPrivilegeDisplayName.self,
                .init(policyHandle: policy, name: "SeMachineAccountPrivilege"), caller
            ) == .init(displayName: "Add workstations to domain"))
        for value: UInt64 in [0, 1, 31, .max] {
            #expect(
                try world.call(
                    service, LsarLookupPrivilegeName.self,
                    .init(policyHandle: policy, value: value), caller
                ).status == .noSuchPrivilege)
        }
        #expect(
            try world.call(
                service, LsarLookupPrivilegeValue.self,
                .init(policyHandle: policy, name: "SeNonsense"), caller
            ).status == .noSuchPrivilege)
    }

    @Test func anAccountsRightsAreToldByHandleAndSID() throws {
        let caller = world.administrator
        let policy = try world.open(service, caller)
        let opened = try world.call(
            service, LsarOpenAccount.self,
            .init(policyHandle: policy, accountSID: administrators), caller)
        #expect(opened.status == .success)
        let request = LSAAccountRequest(accountHandle: opened.handle)
        let held = try world.call(
            service, LsarEnumeratePrivilegesAccount.self, request, caller
        ).privileges ?? []
        #expect(held.contains(HeldPrivilege(value: 6)) && !held.contains(HeldPrivilege(value: 7)))
        #expect(
            try world.call(service, LsarGetSystemAccessAccount.self, request, caller).systemAccess
                == 3)
        let rights = try world.call(
            service, LsarEnumerateAccountRights.self,
            .init(policyHandle: policy, accountSID: administrators), caller)
        #expect(rights.userRights.count == held.count + 2)
        #expect(rights.userRights.contains(CountedName("SeNetworkLogonRight")))
        #expect(
            try world.call(
                service, LsarOpenAccount.self,
                .init(policyHandle: policy, accountSID: ServiceWorld.sid), caller
            ).status == .objectNameNotFound)
        #expect(
            try world.call(
                service, LsarEnumerateAccountRights.self,
                .init(policyHandle: policy, accountSID: ServiceWorld.sid), caller
            ).status == .objectNameNotFound)
        #expect(throws: ServiceWorld.Fault(status: .contextMismatch)) {
            _ = try world.call(
                service, LsarGetSystemAccessAccount.self, .init(accountHandle: policy), caller)
        }
    }

    @Test func holdersOfARightAreListed() throws {
        let caller = world.caller()
        let policy = try world.open(service, caller)
        for (right, count, status) in [
            ("SeBackupPrivilege", 1, NTStatus.success), ("SeNetworkLogonRight", 3, .success),
            (nil, 3, .success), ("SeTcbPrivilege", 0, .noMoreEntries),
            ("SeNonsense", 0, .noSuchPrivilege),
        ] as [(String?, Int, NTStatus)] {
            let answer = try world.call(
                service, LsarEnumerateAccountsWithUserRight.self,
                .init(policyHandle: policy, userRight: right), caller)
            #expect(answer.accounts.count == count && answer.status == status)
        }
    }

    @Test func onlyAdministratorsAreGrantedMoreThanALook() throws {
        let user = world.user
        let policy = try world.open(service, user)
        for (access, status) in [(UInt32(1), NTStatus.success), (0x2, .accessDenied)] {
            #expect(
                try world.call(
                    service, LsarOpenAccount.self,
                    .init(
                        policyHandle: policy, accountSID: administrators, desiredAccess: access),
                    user
                ).status == status)
        }
    }
}
