import Domain
import Interfaces
import RPC
import Testing
import Wire

@testable import Front

@Suite struct LSALookupTests {
    let world: ServiceWorld
    let service: LSAService

    init() throws {
        world = try ServiceWorld()
        service = world.lsa()
    }

    private func sids(
        _ names: [String], level: LookupLevel = .workstation
    ) throws -> LsarLookupNames3.Response {
        let caller = world.caller()
        return try world.call(
            service, LsarLookupNames3.self,
            LookupNamesRequest(
                policyHandle: try world.open(service, caller), names: names,
                lookupLevel: level), caller)
    }

    private func names(
        _ sids: [String], level: LookupLevel = .workstation
    ) throws -> LsarLookupSids.Response {
        let caller = world.caller()
        return try world.call(
            service, LsarLookupSids.self,
            LookupSIDsRequest(
                policyHandle: try world.open(service, caller), sids: sids.map { SID($0)! },
                lookupLevel: level), caller)
    }

    @Test func accountsHaveTheirSIDsHoweverTheyAreCalled() throws {
        let answer = try sids([
            "alice", "gate\\ALICE", "alice@GATE", "Domain Admins", "GATE", "Everyone",
            "nt authority\\system", "Administrators", "BUILTIN\\Users", "ADLAB", "ad.lab\\",
            "BUILTIN",
        ])
        let alice = "S-1-5-21-1-2-3-\(world.alice)"
        #expect(
            answer.translations.map { $0.sid?.description ?? "" } == [
                alice, alice, alice, "S-1-5-21-1-2-3-512", "S-1-5-21-1-2-3", "S-1-1-0",
                "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545", "S-1-5-21-7-8-9", "S-1-5-21-7-8-9",
                "S-1-5-32",
            ])
        #expect(
            answer.translations.map(\.use) == [
                .user, .user, .user, .group, .domain, .wellKnownGroup, .wellKnownGroup, .alias,
                .alias, .domain, .domain, .domain,
            ])
        #expect(answer.status == .success && answer.mappedCount == 12)
        #expect(
            answer.referencedDomains?.domains.map(\.name)
                == ["GATE", "", "NT AUTHORITY", "BUILTIN", "ADLAB"])
        #expect(answer.translations.map(\.domainIndex) == [0, 0, 0, 0, 0, 1, 2, 3, 3, 4, 4, 3])
    }

    @Test func partOfTheNamesMayBeUnknown() throws {
        let some = try sids(["nobody", "alice", "FARAWAY\\bob", "DARK"])
        #expect(some.status == .someNotMapped && some.mappedCount == 1)
        #expect(some.translations.map(\.use) == [.unknown, .user, .unknown, .unknown])
        #expect(some.translations.map(\.domainIndex) == [-1, 0, -1, -1])
        let none = try sids(["nobody", "@"])
        #expect(none.status == .noneMapped && none.mappedCount == 0)
        #expect(none.translations.count == 2)
        #expect(none.referencedDomains == ReferencedDomains())
        let empty = try sids([""])
        #expect(empty.status == .success && empty.translations.map(\.use) == [.domain])
        #expect(empty.referencedDomains?.domains.map(\.name) == ["BUILTIN"])
    }

    @Test func relativeIdentifiersAreTheOldForm() throws {
        let caller = world.caller()
        let answer = try world.call(
            service, LsarLookupNames.self,
            LookupNamesRequest(
                policyHandle: try world.open(service, caller), names: ["alice", "GATE"]), caller)
        #expect(
            answer.translations == [
                TranslatedSID(use: .user, relativeID: world.alice, domainIndex: 0),
                TranslatedSID(use: .domain, relativeID: 0xffff_ffff, domainIndex: 0),
            ])
    }

    @Test func levelsNarrowWhatIsSearched() throws {
        let trusting = try sids(["alice", "Everyone", "ADLAB"], level: .trustedDomain)
        #expect(trusting.translations.map(\.use) == [.user, .unknown, .unknown])
        let member = try sids(["alice", "Everyone", "ADLAB"], level: .primaryDomain)
        #expect(member.translations.map(\.use) == [.user, .unknown, .domain])
        #expect(try sids(["alice"], level: .trustedForest).status == .noneMapped)
        #expect(try names(["S-1-5-21-1-2-3-513"], level: .trustedForest).status == .noneMapped)
        for level in [UInt16(0), 7, 8, 0xffff] {
            let refused = try sids(["alice"], level: LookupLevel(rawValue: level))
            #expect(refused.status == .invalidParameter)
        }
    }

    @Test func sidsHaveTheirNames() throws {
        let answer = try names([
            "S-1-5-21-1-2-3-\(world.alice)", "S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3", "S-1-1-0",
            "S-1-5-11", "S-1-5-32-544", "S-1-5-32", "S-1-5-21-7-8-9",
        ])
        #expect(
            answer.translations.map(\.name) == [
                "alice", "Domain Users", "", "Everyone", "Authenticated Users", "Administrators",
                "", "",
            ])
        #expect(answer.status == .success)
        #expect(
            answer.referencedDomains?.domains.map(\.sid?.description)
                == ["S-1-5-21-1-2-3", "S-1-1", "S-1-5", "S-1-5-32", "S-1-5-21-7-8-9"])
    }

    @Test func anUnknownSIDIsSpeltOut() throws {
        let answer = try names([
            "S-1-5-21-1-2-3-4000", "S-1-5-21-9-9-9-1", "S-1-1-0", "S-1-9",
        ])
        #expect(answer.status == .someNotMapped && answer.mappedCount == 1)
        #expect(
            answer.translations.map(\.name)
                == ["00000fa0", "S-1-5-21-9-9-9-1", "Everyone", "S-1-9"])
        #expect(answer.translations.map(\.domainIndex) == [0, -1, 1, -1])
    }

    @Test func callsWithoutAHandleNeedASecureChannel() throws {
        let request = LsarLookupSids3.Request(sids: [SID("S-1-1-0")!])
        #expect(throws: ServiceWorld.Fault(status: .accessDenied)) {
            _ = try world.call(service, LsarLookupSids3.self, request, world.user)
        }
        let member = world.caller()
        member.channel = OneKey().channel(of: "PC1")
        member.authLevel = .privacy
        let answer = try world.call(service, LsarLookupSids3.self, request, member)
        #expect(answer.translations.map(\.account.name) == ["Everyone"])
        let back = try world.call(
            service, LsarLookupNames4.self, LookupNamesRequest(names: ["alice"]), member)
        #expect(back.translations[0].use == .user)
    }

    @Test(arguments: [AnonymousAccess.nothing, .domain, .names, .all])
    func nobodysLookupsAreAnsweredAsFarAsTheyAreAllowed(_ anonymous: AnonymousAccess) throws {
        let service = world.lsa(anonymous)
        func statuses(_ caller: RemoteCaller) throws -> [NTStatus] {
            // Clients open for all that they might want, and are not refused for that.
            let handle = try world.open(service, caller)
            let policy = try world.call(
                service, LsarQueryInformationPolicy.self,
                PolicyQuery(policyHandle: handle, informationClass: .accountDomain), caller)
            #expect(policy.status == .success)
            let sids = try world.call(
                service, LsarLookupNames.self,
                LookupNamesRequest(policyHandle: handle, names: ["alice"]), caller)
            let names = try world.call(
                service, LsarLookupSids.self,
                LookupSIDsRequest(policyHandle: handle, sids: [SID("S-1-5-21-1-2-3-513")!]),
                caller)
            return [sids.status, names.status]
        }
        let expected = anonymous < .names ? NTStatus.accessDenied : .success
        #expect(try statuses(world.caller()) == [expected, expected])
        #expect(try statuses(world.user) == [.success, .success])
        let member = world.caller()
        member.channel = OneKey().channel(of: "PC1")
        #expect(try statuses(member) == [.success, .success])
    }

    @Test func lookupsNeedTheirRight() throws {
        let caller = world.caller()
        let handle = try world.open(service, caller, access: LSAAccess.viewLocalInformation)
        let answer = try world.call(
            service, LsarLookupNames2.self,
            LookupNamesRequest(policyHandle: handle, names: ["alice"]), caller)
        #expect(answer.status == .accessDenied && answer.referencedDomains == nil)
    }
}
