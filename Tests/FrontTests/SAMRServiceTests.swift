import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import Testing
import Wire

@testable import Front

@Suite struct SAMRReadingTests {
    @Test func twoDomainsAreFoundAndOpened() throws {
        let world = try SAMRWorld(as: .user)
        let server = try world.server()
        let page = try world.call(
            SamrEnumerateDomainsInSamServer.self, SamrEnumerateRequest(handle: server))
        #expect(world.names(page) == ["GATE", "Builtin"])
        for (name, sid) in [("gate", "S-1-5-21-1-2-3"), ("BUILTIN", "S-1-5-32")] {
            let found = try world.call(
                SamrLookupDomainInSamServer.self, .init(serverHandle: server, name: name))
            #expect(found?.sid?.description == sid)
        }
        let missing = try world.call(
            SamrLookupDomainInSamServer.self, .init(serverHandle: server, name: "OTHER"))
        #expect(missing?.status == .noSuchDomain)
        let nameless = try world.call(
            SamrLookupDomainInSamServer.self, .init(serverHandle: server, name: ""))
        #expect(nameless?.status == .invalidParameter)
        let other = try world.call(
            SamrOpenDomain.self, .init(serverHandle: server, domainID: SID("S-1-5-21-9-9-9")!))
        #expect(other?.status == .noSuchDomain)
    }

    @Test func smallPagesGiveEveryUserOnce() throws {
        let world = try SAMRWorld(as: .user)
        for number in 0..<20 { try world.user("user\(number)") }
        let handle = try world.domainHandle()
        var names: [String] = []
        var context: UInt32 = 0
        var pages = 0
        while true {
            let page = try #require(
                try world.call(
                    SamrEnumerateUsersInDomain.self,
                    .init(
                        domainHandle: handle, enumerationContext: context,
                        preferredMaximumLength: pages == 0 ? 0 : 100)))
            names += world.names(page)
            pages += 1
            context = page.enumerationContext
            if page.status != .moreEntries {
                #expect(page.status == .success)
                break
            }
            #expect(pages == 1 ? names.count == 1 : true)
        }
        #expect(names == ["Administrator", "Guest"] + (0..<20).map { "user\($0)" })
        #expect(pages > 5)
    }

    @Test func usersAreFilteredByTheirKind() throws {
        let world = try SAMRWorld(as: .user)
        try world.user("anna")
        _ = try world.domain.createAccount("PC1$", flags: .workstationTrust)
        _ = try world.domain.createAccount("OTHER$", flags: .interdomainTrust)
        let handle = try world.domainHandle()
        for (control, expected) in [(0x80, ["PC1$"]), (0x40, ["OTHER$"])] as [(UInt32, [String])] {
            let page = try world.call(
                SamrEnumerateUsersInDomain.self,
                .init(domainHandle: handle, userAccountControl: control))
            #expect(world.names(page) == expected)
        }
    }

    @Test func groupsAndAliasesOfBothDomains() throws {
        let world = try SAMRWorld(as: .user)
        let account = try world.domainHandle()
        let builtin = try world.domainHandle(.builtinDomain)
        let groups = try world.call(
            SamrEnumerateGroupsInDomain.self, SamrEnumerateRequest(handle: account))
        #expect(world.names(groups).contains("Domain Users"))
        let aliases = try world.call(
            SamrEnumerateAliasesInDomain.self, SamrEnumerateRequest(handle: builtin))
        #expect(world.names(aliases) == ["Administrators", "Users", "Guests"])
        let none = try world.call(
            SamrEnumerateGroupsInDomain.self, SamrEnumerateRequest(handle: builtin))
        #expect(none?.entries == [] && none?.status == .success)
    }

    @Test func displayListIsSortedAndPaged() throws {
        let world = try SAMRWorld(as: .user)
        for name in ["zoe", "Bert", "anna"] { try world.user(name) }
        _ = try world.domain.createAccount("PC1$", flags: .workstationTrust)
        let handle = try world.domainHandle()
        func page(
            _ displayClass: SamrDisplayClass, _ index: UInt32, _ count: UInt32
        ) throws -> SamrQueryDisplayInformation.Response {
            try #require(
                try world.call(
                    SamrQueryDisplayInformation.self,
                    .init(
                        domainHandle: handle, displayClass: displayClass, index: index,
                        entryCount: count)))
        }
        let first = try page(.user, 0, 2)
        guard case .users(let users) = first.page else {
            Issue.record("another page")
            return
        }
        #expect(users.map { $0.accountName } == ["Administrator", "anna"])
        #expect(users.map { $0.index } == [1, 2])
        #expect(first.status == .moreEntries)
        #expect(first.totalReturned > 0 && first.totalAvailable > first.totalReturned)
        guard case .users(let rest) = try page(.user, 2, 100).page else { return }
        #expect(rest.map { $0.accountName } == ["Bert", "Guest", "zoe"])
        #expect(try page(.user, 2, 100).status == .success)
        guard case .machines(let machines) = try page(.machine, 0, 100).page else { return }
        #expect(machines.map { $0.accountName } == ["PC1$"])
        guard case .oemUsers(let oem) = try page(.oemUser, 1, 1).page else { return }
        #expect(oem == [SamrOEMDisplayEntry(index: 2, name: Array("anna".utf8))])
        #expect(try page(.group, 0, 100).page.count == 5)
        #expect(try page(.user, 0, 100).page.count == 5)
        try world.user("carl")
        #expect(try page(.user, 0, 100).page.count == 6)
        let index = try world.call(
            SamrGetDisplayEnumerationIndex2.self,
            .init(domainHandle: handle, displayClass: .user, prefix: "b"))
        #expect(index?.index == 2)
        for (prefix, expected) in [("", 0), ("zoe", 5)] as [(String, UInt32)] {
            let index = try world.call(
                SamrGetDisplayEnumerationIndex2.self,
                .init(domainHandle: handle, displayClass: .user, prefix: prefix))
            #expect(index?.index == expected && index?.status == .success)
        }
        let none = try world.call(
            SamrGetDisplayEnumerationIndex2.self,
            .init(domainHandle: handle, displayClass: .user, prefix: "zz"))
        #expect(none?.status == .noMoreEntries)
        // Whoever asks for one class after the other has none of them sorted anew.
        let kept = world.service.shown
        #expect(kept.count == 4 && kept[.user]?.relativeIDs.count == 6)
        _ = try page(.group, 0, 1)
        #expect(world.service.shown[.user]?.serial == world.domain.serial(of: .sam))
        #expect(world.service.shown[.group]?.serial == world.domain.serial(of: .sam))
    }

    @Test func namesAndNumbersAreLookedUp() throws {
        let world = try SAMRWorld(as: .user)
        let rid = try world.user("anna")
        let handle = try world.domainHandle()
        let some = try world.call(
            SamrLookupNamesInDomain.self,
            .init(domainHandle: handle, names: ["ANNA", "nobody", "domain users"]))
        #expect(some?.relativeIDs == [rid, 0, 513])
        #expect(some?.uses == [.user, .unknown, .group])
        #expect(some?.status == .someNotMapped)
        let none = try world.call(
            SamrLookupNamesInDomain.self, .init(domainHandle: handle, names: ["x"]))
        #expect(none?.status == .noneMapped && none?.relativeIDs == [])
        let numbers = try world.call(
            SamrLookupIdsInDomain.self, .init(domainHandle: handle, relativeIDs: [rid, 512]))
        #expect(numbers?.names == ["anna", "Domain Admins"])
        #expect(numbers?.uses == [.user, .group] && numbers?.status == .success)
        let sid = try world.call(
            SamrRidToSid.self, .init(objectHandle: handle, relativeID: rid))
        #expect(sid?.sid?.description == "S-1-5-21-1-2-3-\(rid)")
    }

    @Test func membershipsOfUsers() throws {
        let world = try SAMRWorld(as: .user)
        let groups = try world.call(
            SamrGetGroupsForUser.self, SamrHandleRequest(handle: try world.userHandle(500)))
        #expect(groups?.groups?.map { $0.relativeID } == [513, 512])
        let aliases = try world.call(
            SamrGetAliasMembership.self,
            .init(
                domainHandle: try world.domainHandle(.builtinDomain),
                sids: [SID("S-1-5-21-1-2-3-512")!]))
        #expect(aliases?.membership == [544])
    }

    @Test func everyDomainClassIsAnswered() throws {
        let world = try SAMRWorld(as: .user)
        let handle = try world.domainHandle()
        for informationClass in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13] as [UInt16] {
            let response = try world.call(
                SamrQueryInformationDomain.self,
                SamrQueryRequest(handle: handle, informationClass: informationClass))
            #expect(response?.status == .success)
            #expect(response?.information?.informationClass == informationClass)
        }
        let wrong = try world.call(
            SamrQueryInformationDomain2.self,
            SamrQueryRequest(handle: handle, informationClass: 10))
        #expect(wrong?.status == .invalidInfoClass)
    }

    @Test func everyUserClassIsAnswered() throws {
        let world = try SAMRWorld(as: .user)
        let handle = try world.userHandle(500)
        for informationClass in (1...14) + [16, 17, 20, 21] {
            let response = try world.call(
                SamrQueryInformationUser2.self,
                SamrQueryRequest(handle: handle, informationClass: UInt16(informationClass)))
            #expect(response?.status == .success)
        }
        for informationClass in [15, 18, 23, 24, 26, 99] as [UInt16] {
            let response = try world.call(
                SamrQueryInformationUser.self,
                SamrQueryRequest(handle: handle, informationClass: informationClass))
            #expect(response?.status == .invalidInfoClass)
        }
    }

    @Test func fieldsAreHiddenThatTheHandleMayNotRead() throws {
        let world = try SAMRWorld(as: .user)
        let handle = try world.userHandle(500, SAMRAccess.User.readGeneral)
        let all = try world.call(
            SamrQueryInformationUser.self, SamrQueryRequest(handle: handle, informationClass: 21))
        guard case .fields(_, let fields) = all?.information else {
            Issue.record("no fields")
            return
        }
        #expect(fields.userName == "Administrator" && fields.userAccountControl == 0)
        #expect(!fields.whichFields.contains(.userAccountControl))
        let control = try world.call(
            SamrQueryInformationUser.self, SamrQueryRequest(handle: handle, informationClass: 16))
        #expect(control?.status == .accessDenied)
    }
}

@Suite struct SAMRAccessTests {
    @Test func onlyAdministratorsOpenToChange() throws {
        for who in [SAMRWorld.Who.user, .nobody] {
            let world = try SAMRWorld(as: who)
            let response = try world.call(
                SamrOpenDomain.self,
                .init(
                    serverHandle: try world.server(),
                    desiredAccess: SAMRAccess.Domain.createUser, domainID: SAMRWorld.sid))
            #expect(response?.status == .accessDenied)
            let created = try world.call(
                SamrCreateUser2InDomain.self,
                .init(domainHandle: try world.domainHandle(), name: "x", accountType: 0x80))
            #expect(created?.status == .accessDenied)
            let set = try world.call(
                SamrSetInformationUser2.self,
                .init(
                    userHandle: try world.userHandle(500),
                    information: .fields(informationClass: 13, SamrUserFields())))
            #expect(set?.status == .accessDenied)
        }
    }

    @Test func usersMaySetTheirOwnPreferencesOnly() throws {
        let world = try SAMRWorld(as: .user)
        let rid = try world.user("anna")
        world.caller = SAMRWorld.caller(.user, rid: rid)
        var fields = SamrUserFields()
        fields.userComment = "mine"
        let own = try world.userHandle(rid)
        let done = try world.call(
            SamrSetInformationUser.self,
            .init(userHandle: own, information: .fields(informationClass: 2, fields)))
        #expect(done?.status == .success)
        #expect(world.domain.accounts[rid]?.userComment == "mine")
        let refused = try world.call(
            SamrSetInformationUser.self,
            .init(userHandle: own, information: .fields(informationClass: 16, fields)))
        #expect(refused?.status == .accessDenied)
    }

    @Test(arguments: [AnonymousAccess.nothing, .domain, .names])
    func nobodyReadsWhereAnonymousIsRestricted(_ anonymous: AnonymousAccess) throws {
        let world = try SAMRWorld(as: .nobody, anonymous: anonymous)
        let handle = try world.domainHandle()
        let page = try world.call(
            SamrEnumerateUsersInDomain.self, .init(domainHandle: handle))
        #expect(page?.status == .accessDenied && page?.entries == nil)
        let display = try world.call(
            SamrQueryDisplayInformation.self, .init(domainHandle: handle, displayClass: .user))
        #expect(display?.status == .accessDenied)
        let query = try world.call(
            SamrQueryInformationUser.self,
            SamrQueryRequest(handle: try world.userHandle(500), informationClass: 21))
        #expect(query?.status == .accessDenied)
        // A name is translated for who changes its password; numbers in turn would be a list.
        let number = try world.call(
            SamrLookupNamesInDomain.self,
            .init(domainHandle: handle, names: ["Administrator"]))
        #expect(number?.relativeIDs == [500])
        let name = try world.call(
            SamrLookupIdsInDomain.self, .init(domainHandle: handle, relativeIDs: [500]))
        #expect(name?.status == (anonymous == .names ? .success : .accessDenied))
        let open = try SAMRWorld(as: .nobody, anonymous: .all)
        let all = try open.call(
            SamrEnumerateUsersInDomain.self, .init(domainHandle: try open.domainHandle()))
        #expect(open.names(all).contains("Administrator"))
    }

    @Test func usersReadWhateverNobodyMay() throws {
        let world = try SAMRWorld(as: .user, anonymous: .nothing)
        let page = try world.call(
            SamrEnumerateUsersInDomain.self, .init(domainHandle: try world.domainHandle()))
        #expect(world.names(page).contains("Administrator"))
    }

    @Test func strangeHandlesFault() throws {
        let world = try SAMRWorld()
        let none = try world.call(
            SamrCloseHandle.self,
            SamrHandleRequest(handle: ContextHandle(uuid: SAMR.interface.uuid)))
        #expect(none == nil && world.fault == .contextMismatch)
        let handle = try world.domainHandle()
        #expect(try world.call(SamrCloseHandle.self, .init(handle: handle))?.handle == .null)
        _ = try world.call(SamrCloseHandle.self, .init(handle: handle))
        #expect(world.fault == .contextMismatch)
        let server = try world.server()
        let kind = try world.call(
            SamrQueryInformationUser.self, SamrQueryRequest(handle: server, informationClass: 7))
        #expect(kind?.status == .objectTypeMismatch)
        let foreign = try world.domainHandle()
        world.caller = SAMRWorld.caller(.administrator)
        _ = try world.call(SamrCloseHandle.self, .init(handle: foreign))
        #expect(world.fault == .contextMismatch)
    }

    @Test func unknownCallsAndBadStubsFault() throws {
        let world = try SAMRWorld()
        for opnum in [4, 42, 59, 66, 68, 500] as [UInt16] {
            guard case .fault(.opRangeError) = world.reply(opnum, []) else {
                Issue.record("opnum \(opnum)")
                continue
            }
        }
        for opnum in [0, 1, 7, 13, 17, 36, 40, 50, 55, 58, 64] as [UInt16] {
            guard case .fault(.badStubData) = world.reply(opnum, [1, 2, 3]) else {
                Issue.record("opnum \(opnum)")
                continue
            }
        }
    }

    @Test func handlesAreBounded() throws {
        let world = try SAMRWorld()
        for _ in 0..<HandleTable.Limit.group { _ = world.caller.open(world.service) {
            _ in SAMRAccessTests.unique() } }
        let response = try world.call(SamrConnect2.self, .init())
        #expect(response?.status == .insufficientResources)
    }

    /// Whoever reads a handle on the way has it by that no more than before.
    @Test func handleIsForItsOpenerAsWellProtected() throws {
        let world = try SAMRWorld()
        let opener = world.caller
        opener.authLevel = .integrity
        let domain = try world.domainHandle()
        func isTaken(_ who: SAMRWorld.Who, _ level: AuthLevel?) throws -> Bool {
            world.caller = SAMRWorld.caller(who, handles: opener.handles)
            world.caller.authLevel = level
            let answer = try world.call(
                SamrLookupNamesInDomain.self,
                .init(domainHandle: domain, names: ["Administrator"]))
            if answer == nil { #expect(world.fault == .contextMismatch) }
            return answer != nil
        }
        #expect(try isTaken(.administrator, .integrity))
        #expect(try isTaken(.administrator, .privacy))
        #expect(try !isTaken(.administrator, nil))
        #expect(try !isTaken(.user, .privacy))
        #expect(try !isTaken(.nobody, .privacy))
    }

    private static nonisolated(unsafe) var counter: UInt64 = 0
    private static func unique() -> [UInt8] {
        unsafe counter += 1
        var writer = WireWriter()
        unsafe writer.uint64LE(counter)
        writer.uint64LE(1)
        return writer.finish()
    }

    @Test func descriptorSaysWhoMayWhat() throws {
        let world = try SAMRWorld()
        let handle = try world.userHandle(500)
        let answer = try world.call(
            SamrQuerySecurityObject.self, .init(objectHandle: handle, securityInformation: 7))
        let descriptor = try #require(answer?.securityDescriptor)
        #expect(Hex.string(Array(descriptor.bytes[0..<4])) == "01000480")
        let same = try world.call(
            SamrSetSecurityObject.self,
            .init(objectHandle: handle, securityInformation: 7, securityDescriptor: descriptor))
        #expect(same?.status == .success)
        let other = try world.call(
            SamrSetSecurityObject.self,
            .init(
                objectHandle: handle, securityInformation: 4,
                securityDescriptor: SamrSecurityDescriptor([1])))
        #expect(other?.status == .notSupported)
    }
}
