import Domain
import Interfaces
import RPC
import SecureChannel
import Testing
import Wire

@testable import Front

/// Lookups of accounts that are a configured domain's.
@Suite struct ForeignAccountTests {
    private static let bob = SID("S-1-5-21-7-8-9-1104")!

    let world: ServiceWorld
    let service: LSAService

    init() throws {
        world = try ServiceWorld()
        service = world.lsa()
    }

    private func call<Lookup: LSALookup & RemoteProcedure>(
        _ lookup: Lookup.Type, _ request: Lookup.Request
    ) throws -> ServiceReply where Lookup.Request: NDRMessage {
        var stub = NDRWriter()
        request.write(into: &stub)
        let member = world.caller()
        member.channel = OneKey().channel(of: "PC1")
        member.authLevel = .privacy
        let bytes = stub.wire.finish()
        return service.call(
            Lookup.opnum, WireReader(bytes.span, layer: "stub"), from: member, now: world.now)
    }

    private func ask(names: [String]) throws -> ServiceReply {
        try call(LsarLookupNames4.self, LsarLookupNames4.Request(names: names))
    }

    private func translations(_ reply: ServiceReply?) throws -> LsarLookupNames4.Response {
        guard case .response(let bytes) = reply else {
            throw ServiceWorld.Fault(status: .callFailed)
        }
        var reader = WireReader(bytes.span, layer: "answer")
        return try LsarLookupNames4.Response(parsing: &reader)
    }

    private func later(_ reply: ServiceReply) -> UInt64? {
        if case .later(let ticket) = reply { return ticket }
        return nil
    }

    private static func translation(_ sid: SID) -> Translation {
        Translation(use: .user, sid: sid, name: "bob", domain: "ADLAB")
    }

    @Test func itsControllerIsAskedAndTheAnswerIsKeptForAWhile() throws {
        let ticket = later(try ask(names: ["alice", "ADLAB\\bob", "carl@ad.lab"]))
        let asked = service.takeQuestions()
        #expect(asked.count == 1 && asked[0].domain == "ADLAB")
        #expect(asked[0].2 == .names(["ADLAB\\bob", "ADLAB\\carl"]))
        let done = service.answered(
            asked[0].token, .translated([Self.translation(Self.bob), nil]), now: world.now)
        #expect(done?.ticket == ticket)
        let answer = try translations(done?.1)
        #expect(answer.status == .someNotMapped && answer.mappedCount == 2)
        #expect(answer.translations.map(\.use) == [.user, .user, .unknown])
        #expect(answer.translations[1].sid == Self.bob)
        #expect(answer.referencedDomains?.domains.map(\.name) == ["GATE", "ADLAB"])
        // Known now, by name and by SID.
        #expect(try translations(try ask(names: ["adlab\\BOB"])).status == .success)
        #expect(later(try call(LsarLookupSids3.self, .init(sids: [Self.bob]))) == nil)
        world.now.now += ForeignAccounts.Limit.age
        #expect(later(try ask(names: ["ADLAB\\bob"])) != nil)
    }

    @Test func sidsAreTranslatedByTheDomainThatTheyAreOf() throws {
        let reply = try call(
            LsarLookupSids3.self,
            .init(sids: [Self.bob, SID("S-1-5-21-9-9-9-1")!, ServiceWorld.adSID.appending(80)!]))
        #expect(later(reply) != nil)
        let asked = service.takeQuestions()
        #expect(asked.map(\.2) == [.sids([Self.bob, ServiceWorld.adSID.appending(80)!])])
        let done = service.answered(
            asked[0].token, .translated([Self.translation(Self.bob), nil]), now: world.now)
        guard case .response(let bytes) = done?.1 else {
            Issue.record("no response")
            return
        }
        var reader = WireReader(bytes.span, layer: "answer")
        let answer = try LsarLookupSids3.Response(parsing: &reader)
        #expect(answer.translations.map(\.account.name) == ["bob", "S-1-5-21-9-9-9-1", "00000050"])
    }

    @Test func controllerSpeaksForItsOwnDomainAlone() throws {
        for sid in ["S-1-5-21-1-2-3-500", "S-1-5-32-544"] {
            _ = try ask(names: ["ADLAB\\bob"])
            let asked = service.takeQuestions()
            let done = service.answered(
                asked[0].token, .translated([Self.translation(SID(sid)!)]), now: world.now)
            #expect(try translations(done?.1).status == .noneMapped)
        }
    }

    @Test func unreachableDomainIsNotAnUnknownName() throws {
        _ = try ask(names: ["ADLAB\\bob", "DARK\\eve"])
        let asked = service.takeQuestions()
        #expect(asked.map(\.domain) == ["ADLAB", "DARK"])
        #expect(
            service.answered(asked[0].token, .unavailable(.deadline), now: world.now) == nil)
        let done = service.answered(asked[1].token, .translated([nil]), now: world.now)
        #expect(try translations(done?.1).status == .trustedDomainFailure)
    }

    @Test func domainsThatTrustOursAreToldOfNoOther() throws {
        let reply = try call(
            LsarLookupNames4.self,
            LsarLookupNames4.Request(names: ["ADLAB\\bob"], lookupLevel: .trustedDomain))
        #expect(try translations(reply).status == .noneMapped)
        #expect(service.takeQuestions().isEmpty)
    }

    @Test func lookupsThatWaitAreBounded() throws {
        for _ in 0..<ForeignAccounts.Limit.lookups { _ = try ask(names: ["ADLAB\\bob"]) }
        #expect(
            try translations(try ask(names: ["ADLAB\\bob"])).status == .insufficientResources)
        for asked in service.takeQuestions() {
            _ = service.answered(asked.token, .unavailable(.noController), now: world.now)
        }
        #expect(later(try ask(names: ["ADLAB\\bob"])) != nil)
    }
}
