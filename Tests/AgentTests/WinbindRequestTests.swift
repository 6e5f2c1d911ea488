import Agent
import Consumers
import Crypto
import Interfaces
import SecureChannel
import Testing
import Wire

/// What programs linked with libwbclient are answered.
@Suite struct WinbindRequestTests {
    private static let sid = SID("S-1-5-21-1-2-3")!

    private static func world() throws -> AgentWorld {
        let own = try LocalLogonTests.Own()
        let world = AgentWorld(
            [
                LocalLogonTests.adlab,
                AgentWorld.Domain(name: "OTHER", dnsName: "other.example", controllers: [20]),
            ], locals: [own.domain])
        world.agent.asksForSIDs = true
        world.begin()
        world.run(500)
        return world
    }

    private static func request(
        _ command: WinbindCommand, _ body: WinbindRequest.Body = .none, domain: String = "",
        flags: WinbindRequest.Flags = []
    ) -> WinbindRequest {
        var request = WinbindRequest(command, .v32)
        request.body = body
        request.domainName = domain
        request.flags = flags
        return request
    }

    private static func plain(
        _ user: String, sids: String = "", flags: WinbindRequest.Flags = []
    ) -> WinbindRequest {
        request(
            .pamAuth,
            .password(user: user, Secret(Array("secret".utf8)), requiredSIDs: sids), flags: flags)
    }

    private static func answer(
        _ world: AgentWorld, _ request: WinbindRequest
    ) -> WinbindResponse? {
        guard case .answer(let response) = world.agent.decide(request) else {
            return nil
        }
        return response
    }

    private static func status(_ response: WinbindResponse?) -> NTStatus? {
        guard case .logon(let logon) = response?.body, response?.isOK == !logon.status.isError
        else { return nil }
        return logon.status
    }

    private static func question(
        _ world: AgentWorld, _ request: WinbindRequest
    ) -> (TranslationQuestion, String)? {
        guard case .translate(let question, let domain) =
            world.agent.decide(request)
        else { return nil }
        return (question, domain)
    }

    // MARK: Logons

    @Test(arguments: [
        ("ADLAB\\anna", "ADLAB", "anna"), ("anna", "", "anna"), ("\\anna", "", "anna"),
        ("anna@ad.lab", "ad.lab", "anna"), ("anna@GATE", "GATE", "anna"),
        ("anna@elsewhere", "", "anna@elsewhere"), ("A\\b\\c", "A", "b\\c"),
    ])
    func usersNameTheirDomain(_ asked: (text: String, domain: String, user: String)) throws {
        let world = try Self.world()
        guard case .logon(let call) = world.agent.decide(Self.plain(asked.text))
        else {
            Issue.record("no logon")
            return
        }
        #expect(call.domain == asked.domain && call.user == asked.user)
        #expect(!call.wantsKeys && !call.wantsWhole)
    }

    @Test func whatNoControllerNeedsToBeAskedIsRefusedAtOnce() throws {
        let world = try Self.world()
        #expect(Self.status(Self.answer(world, Self.plain("ADLAB\\"))) == .noSuchUser)
        #expect(
            Self.status(Self.answer(world, Self.plain("anna", flags: .infoNDR))) == .notSupported)
        #expect(
            Self.status(Self.answer(world, Self.plain("anna", sids: "users"))) == .noSuchGroup)
    }

    private static func identity() -> LogonIdentity {
        let identity = LogonIdentity(
            user: "anna", domain: "ADLAB", userRID: 1_103, primaryGroupRID: 513,
            domainSID: sid, groupRIDs: [513, 1_200],
            sessionKey: Bytes16([UInt8](repeating: 7, count: 16)),
            lmKey: Bytes8([UInt8](repeating: 9, count: 8)))
        var info = ValidationSAMInfo()
        info.logonTime = FileTime.at(unixSeconds: 1_700_000_000)
        info.passwordLastSet = info.logonTime + 5_000_000
        info.passwordCanChange = info.logonTime + 5_000_001
        info.groupIDs = .list([GroupMembership(relativeID: 513, attributes: 3)])
        info.extraSIDs = .list([SIDAndAttributes(sid: SID("S-1-5-21-9-9-9-1")!)])
        info.upn = .text("anna@ad.lab")
        identity.whole = WholeValidation(info)
        return identity
    }

    @Test func aResponseGivesTheKeysAndTheGroupsThatWereAskedFor() {
        let body = WinbindRequest.Body.response(WinbindChallengeResponse())
        let all = Agent.winbindResponse(
            to: Self.request(
                .pamAuthCrap, body, flags: [.userSessionKey, .lmKey, .infoText, .unixName]),
            .accepted(Self.identity()))
        guard case .logon(let logon) = all.body else { Issue.record("no logon"); return }
        #expect(logon.userSessionKey?.bytes == [UInt8](repeating: 7, count: 16))
        #expect(logon.lmKey?.bytes == [UInt8](repeating: 9, count: 8))
        #expect(logon.isAuthoritative && logon.unixName == "ADLAB\\anna")
        #expect(logon.user?.times[0] == 1_700_000_000)
        #expect(logon.user?.times[3] == 1_700_000_000 && logon.user?.times[4] == 1_700_000_001)
        #expect(logon.user?.times[5] == 910_692_730_085)
        #expect(logon.user?.groups == [GroupMembership(relativeID: 513, attributes: 3)])
        #expect(logon.user?.otherGroups.count == 1)
        #expect(logon.user?.principalName == "anna@ad.lab")
        let none = Agent.winbindResponse(
            to: Self.request(.pamAuthCrap, body), .accepted(Self.identity()))
        guard case .logon(let bare) = none.body else { Issue.record("no logon"); return }
        #expect(bare.userSessionKey == nil && bare.lmKey == nil && bare.user == nil)
    }

    @Test func aPasswordGivesNoKeys() {
        let response = Agent.winbindResponse(
            to: Self.plain("anna", flags: [.userSessionKey, .lmKey]), .accepted(Self.identity()))
        guard case .logon(let logon) = response.body else { Issue.record("no logon"); return }
        #expect(response.isOK && logon.userSessionKey == nil && !logon.isAuthoritative)
    }

    @Test(arguments: [
        ("", true), ("S-1-5-21-1-2-3-513", true), ("S-1-5-21-1-2-3-1103", true),
        ("S-1-5-21-9-9-9-1", true), ("S-1-5-21-1-2-3-512", false),
        ("S-1-5-21-9-9-9-513", false), ("S-1-5-21-1-2-3-512,S-1-5-21-1-2-3-1200", true),
    ])
    func oneOfTheRequiredGroupsIsEnough(_ asked: (sids: String, isLetIn: Bool)) {
        let response = Agent.winbindResponse(
            to: Self.plain("anna", sids: asked.sids), .accepted(Self.identity()))
        #expect(Self.status(response) == (asked.isLetIn ? .success : .logonFailure))
    }

    @Test func requiredGroupsMayBeOfOtherDomains() throws {
        let world = try Self.world()
        let request = Self.plain("ADLAB\\anna", sids: "S-1-5-21-9-9-9-1")
        guard case .logon(let call) = world.agent.decide(request) else {
            Issue.record("no logon")
            return
        }
        #expect(call.wantsWhole, "the smaller answer leaves them out")
    }

    @Test func unavailableAndOverloadedAreNoRefusals() {
        let request = Self.plain("anna")
        func status(_ outcome: SecureChannel.LogonOutcome) -> NTStatus? {
            Self.status(Agent.winbindResponse(to: request, outcome))
        }
        #expect(status(.unavailable(.noController)) == .noLogonServers)
        #expect(status(.unavailable(.deadline)) == .noLogonServers)
        #expect(status(.unavailable(.overloaded)) == .insufficientResources)
        let refused = Agent.winbindResponse(
            to: request, .refused(.noSuchUser, authoritative: false))
        guard case .logon(let logon) = refused.body else { Issue.record("no logon"); return }
        #expect(logon.status == .noSuchUser && !logon.isAuthoritative && !refused.isOK)
    }

    @Test func wrongPasswordsAndUnknownUsersLookTheSameToWhomAsksForThat() {
        for status in [NTStatus.wrongPassword, .noSuchUser, .accountDisabled] {
            let outcome = SecureChannel.LogonOutcome.refused(status, authoritative: true)
            let plain = Agent.winbindResponse(to: Self.plain("anna"), outcome)
            let squashed = Agent.winbindResponse(
                to: Self.plain("anna", flags: .squashesStatus), outcome)
            #expect(Self.status(plain) == status)
            #expect(
                Self.status(squashed) == (status == .accountDisabled ? status : .logonFailure))
        }
    }

    // MARK: Names and SIDs

    @Test func ownAccountsAreAnsweredAtOnce() throws {
        let world = try Self.world()
        let byName = Self.answer(
            world, Self.request(.lookupName, .name(domain: "gate", name: "EMMA")))
        guard case .sid(let sid, 1) = byName?.body else { Issue.record("\(byName!)"); return }
        let bySID = Self.answer(world, Self.request(.lookupSID, .sid(sid.description)))
        guard case .account("GATE", "emma", 1) = bySID?.body else {
            Issue.record("\(bySID!)")
            return
        }
        let nobody = Self.request(.lookupName, .name(domain: "GATE", name: "nobody at all"))
        #expect(Self.answer(world, nobody)?.isOK == false)
        let text = Self.answer(world, Self.request(.lookupSID, .sid("no SID")))
        #expect(text?.isOK == false)
    }

    @Test(arguments: [
        ("ADLAB", "anna", "ADLAB\\anna", "ADLAB"), ("ad.lab", "anna", "ADLAB\\anna", "ADLAB"),
        ("OTHER", "anna", "OTHER\\anna", "OTHER"), ("", "other\\anna", "OTHER\\anna", "OTHER"),
        ("TRUSTED", "anna", "TRUSTED\\anna", "ADLAB"), ("", "anna", "ADLAB\\anna", "ADLAB"),
    ])
    func namesAreAskedOfTheirDomain(
        _ asked: (domain: String, name: String, question: String, of: String)
    ) throws {
        let world = try Self.world()
        let found = Self.question(
            world, Self.request(.lookupName, .name(domain: asked.domain, name: asked.name)))
        #expect(found?.0 == .names([asked.question]) && found?.1 == asked.of)
    }

    @Test func aControllersWordCountsForItsOwnDomainAlone() throws {
        let world = try Self.world()
        let request = Self.request(.lookupName, .name(domain: "OTHER", name: "anna"))
        func response(_ sid: String, _ domain: String) -> WinbindResponse {
            world.agent.winbindResponse(
                to: request, .translated([
                    Translation(use: .user, sid: SID(sid)!, name: "anna", domain: domain),
                ]))
        }
        #expect(response("S-1-5-21-5-5-5-1103", "OTHER").isOK)
        #expect(!response("S-1-5-21-1-2-3-1103", "OTHER").isOK)
        #expect(!response("S-1-5-21-5-5-5-1103", "ADLAB").isOK)
        #expect(!response("S-1-5-21-7-8-9-1103", "OTHER").isOK)
        #expect(!world.agent.winbindResponse(to: request, .translated([nil])).isOK)
        #expect(!world.agent.winbindResponse(to: request, .unavailable(.deadline)).isOK)
    }

    // MARK: Domains

    @Test func domainsAreListedAndDescribed() throws {
        let world = try Self.world()
        #expect(world.agent.winbindDomain == "ADLAB")
        let list = Self.answer(world, Self.request(.listTrustedDomains))
        let lines = String(decoding: list?.extra.dropLast() ?? [], as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first == "GATE\\\\S-1-5-21-7-8-9\\Local\\No\\No\\Yes\\Online")
        #expect(lines[1] == "ADLAB\\AD.LAB\\S-1-5-21-1-2-3\\Workstation\\Yes\\No\\Yes\\Online")
        let info = Self.answer(world, Self.request(.domainInfo, domain: "ad.lab"))
        guard case .domain(let domain) = info?.body else { Issue.record("no domain"); return }
        #expect(
            domain == WinbindDomainInfo(
                name: "ADLAB", dnsName: "ad.lab", sid: "S-1-5-21-1-2-3", isActiveDirectory: true,
                isPrimary: true))
        for name in ["", "NOWHERE"] {
            #expect(Self.answer(world, Self.request(.domainInfo, domain: name))?.isOK == false)
        }
    }

    @Test func aDomainWithoutAChannelIsOffline() throws {
        let world = AgentWorld([LocalLogonTests.adlab])
        let list = Self.answer(world, Self.request(.listTrustedDomains))
        #expect(
            list?.extra == Array(
                "ADLAB\\AD.LAB\\S-1-0-0\\Workstation\\Yes\\No\\Yes\\Offline\0".utf8))
        #expect(Self.question(world, Self.request(.domainInfo, domain: "ADLAB")) != nil)
    }

    @Test func usersAndGroupsAreListedOfTheOwnDomainAlone() throws {
        let world = try Self.world()
        let users = Self.answer(world, Self.request(.listUsers, domain: "GATE"))
        let names = String(decoding: users?.extra ?? [], as: UTF8.self)
        #expect(names.contains("GATE\\emma") && !names.contains("PC1$"))
        #expect(Self.answer(world, Self.request(.listGroups, domain: "GATE"))?.isOK == true)
        #expect(Self.answer(world, Self.request(.listUsers))?.isOK == false)
    }

    // MARK: Health

    @Test func theChannelIsProbedByAQuestionOverIt() throws {
        let world = try Self.world()
        for domain in ["", "ADLAB", "ad.lab"] {
            let request = Self.request(.pingDC, domain: domain)
            let found = Self.question(world, request)
            #expect(found?.0 == .names(["ADLAB"]) && found?.1 == "ADLAB")
            let pong = world.agent.winbindResponse(to: request, .translated([nil]))
            #expect(pong.isOK && pong.extra.count > 1 && pong.extra.last == 0)
        }
        let check = Self.request(.checkMachineAccount, domain: "ADLAB")
        func status(_ outcome: TranslationOutcome) -> NTStatus? {
            Self.status(world.agent.winbindResponse(to: check, outcome))
        }
        #expect(status(.translated([nil])) == .success)
        #expect(status(.unavailable(.noController)) == .domainControllerNotFound)
        #expect(status(.unavailable(.channelRefused(.accessDenied))) == .accessDenied)
    }

    @Test func domainsThatNobodyKnowsAreSaidToBeSo() throws {
        let world = try Self.world()
        let check = Self.request(.checkMachineAccount, domain: "NOWHERE")
        #expect(Self.status(Self.answer(world, check)) == .noSuchDomain)
        #expect(Self.answer(world, Self.request(.pingDC, domain: "NOWHERE"))?.isOK == false)
        #expect(Self.answer(world, Self.request(.pingDC, domain: "GATE"))?.isOK == true)
    }
}
