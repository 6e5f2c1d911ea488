import NetBIOS
import Testing
import Wire

@testable import Flows

/// One flow against a scripted controller.
struct TrustWorld {
    let host = FakeController()
    let link: ScriptedExchange
    let dialogue: Dialogue<ScriptedExchange>
    var ends: TrustEnds

    init() {
        link = ScriptedExchange(host)
        dialogue = Dialogue(link, computer: "GATE1", keepsFrames: true)
        ends = TrustEnds(
            domain: NetBIOSName("TRUSTED", .workstation)!, ourDomain: "OURDOM",
            account: "OURDOM$", secret: host.secret,
            directory: NameDirectory(
                servers: [host.address],
                networks: [IPv4Network(ScriptedExchange.ourAddress, prefixLength: 24)]))
        ends.allowsNTLMv1 = true
    }

    func establish(provesChannel: Bool = true) throws(FlowError) -> TrustFindings {
        try TrustEstablish.run(dialogue, ends, provesChannel: provesChannel)
    }

    /// Why establishing fails; empty where it does not.
    func failure(provesChannel: Bool = true) -> String {
        do throws(FlowError) {
            _ = try establish(provesChannel: provesChannel)
            return ""
        } catch {
            return error.description
        }
    }

    var titles: [String] { dialogue.report.steps.map { $0.title } }

    func outcome(_ title: String) -> FlowStep.Outcome? {
        dialogue.report.steps.last { $0.title == title }?.outcome
    }
}

@Suite struct TrustEstablishTests {
    @Test func goesThroughAllStepsInTheDocumentedOrder() throws {
        let world = TrustWorld()
        let findings = try world.establish()
        #expect(findings.primary == SMBTarget(world.host.address, name: "TRUSTPDC"))
        #expect(findings.identity == DomainIdentity(name: "TRUSTED", sid: world.host.sid))
        #expect(findings.logonServers == ["TRUSTPDC"])
        #expect(findings.servers == ["TRUSTPDC", "FILES"])
        #expect(findings.warnings.isEmpty)
        #expect(world.titles == [
            "address of TRUSTED<1b>", "NETLOGON\\GETDC", "session setup as OURDOM$",
            "backup browsers", "browse list", "server's and domain's names",
            "domain's name, once more", "secure channel as OURDOM$", "SAM LOGON as OURDOM$",
        ])
        for step in world.dialogue.report.steps {
            guard case .done = step.outcome else {
                Issue.record("\(step.title): \(step.outcome)")
                continue
            }
        }
        #expect(world.link.openStreams == 0)
    }

    @Test func asksWhatTheDocumentationSays() throws {
        let world = TrustWorld()
        _ = try world.establish(provesChannel: false)
        let calls = world.host.log.filter { !$0.hasPrefix("name") && $0 != "NetBIOS session" }
        #expect(calls == [
            "GETDC", "session setup OURDOM$", "GetBackupList", "session setup ",
            "NetServerEnum2", "session setup ", "bind wkssvc", "wkssvc 0",
            "bind lsarpc", "lsarpc 44", "lsarpc 7", "lsarpc 7", "lsarpc 0", "logoff",
            "session setup ", "bind lsarpc", "lsarpc 44", "lsarpc 7", "lsarpc 0", "logoff",
            "SAM LOGON OURDOM$", "SAM LOGON OURDOM$",
        ])
    }

    @Test func keepsToTheFramesAndBytesThatWerePromised() throws {
        let world = TrustWorld()
        _ = try world.establish(provesChannel: false)
        #expect(world.dialogue.report.totalFrames <= 80)
        #expect(world.dialogue.report.totalBytes <= 12_000)
        let refusal = world.dialogue.report.frames.first {
            $0.source.port == 139 && $0.payload.count == 39
        }
        #expect(refusal?.byteCount == 93)
    }

    @Test func answersMayComeInSmallPieces() throws {
        let world = TrustWorld()
        world.host.pieceSize = 1
        #expect(world.failure() == "")
    }

    @Test(arguments: [
        (NTStatus.wrongPassword, "has another password"),
        (.noSuchUser, "there is no account OURDOM$"),
        (.nologonWorkstationTrustAccount, "a workstation's account"),
        (.nologonServerTrustAccount, "a backup controller's account"),
        (.accountDisabled, "is disabled"),
        (.accountLockedOut, "is locked out"),
        (.success, "an ordinary account"),
    ])
    func explainsWhyTheAccountIsNotOfTheTrust(_ status: NTStatus, _ words: String) {
        let world = TrustWorld()
        world.host.accountStatus = status
        let failure = world.failure()
        #expect(failure.hasPrefix("session setup as OURDOM$: "))
        #expect(failure.contains(words), "\(failure)")
        #expect(world.link.openStreams == 0)
    }

    @Test func aGuestsSessionMeansThatThereIsNoAccount() {
        let world = TrustWorld()
        world.host.letsInAsGuest = true
        #expect(world.failure().contains("as guest: there is no such account"))
    }

    @Test func aNameThatAnotherDomainsHostHasIsToldSo() {
        let world = TrustWorld()
        world.host.answersMailslots = false
        world.host.domain = "OTHER"
        world.host.accountStatus = .logonFailure
        world.host.authenticateStatus = .noTrustSAMAccount
        #expect(
            world.failure()
                == "session setup as OURDOM$: this is a controller of OTHER, not of TRUSTED")
        #expect(world.link.openStreams == 0)
    }

    @Test func aPrimaryThatAnswersGETDCAndThenRefusesEndsAtItsStep() {
        let world = TrustWorld()
        world.host.ports = []
        #expect(world.failure().hasPrefix("secure channel as OURDOM$: ") == false)
        var proving = TrustWorld()
        proving.host.ports = []
        proving.ends.channelSettings = ChannelRunTests.settings()
        #expect(proving.failure().hasPrefix("secure channel as OURDOM$: "))
        #expect(proving.outcome("NETLOGON\\GETDC") == .done("TRUSTPDC"))
        #expect(proving.link.openStreams == 0)
    }

    @Test func netlogonTellsAWrongPasswordFromAMissingAccount() {
        var world = TrustWorld()
        world.host.accountStatus = .logonFailure
        world.host.authenticateStatus = .noTrustSAMAccount
        #expect(world.failure().contains("there is no account OURDOM$ of this kind"))

        world = TrustWorld()
        world.host.accountStatus = .logonFailure
        world.ends.secret = Bytes16()
        #expect(world.failure().contains("known, but by another password"))
        world.host.lsaKnowsAccount = false
        #expect(world.failure().contains("there is no account OURDOM$ of this kind"))

        world = TrustWorld()
        world.host.accountStatus = .logonFailure
        #expect(world.failure().contains("the password is right"))
    }

    @Test func aChangedSIDEndsTheFlow() {
        var world = TrustWorld()
        world.ends.knownSID = SID("S-1-5-21-1-2-3")
        let failure = world.failure()
        #expect(failure.contains("the SID of TRUSTED is S-1-5-21-11-22-33 and was S-1-5-21-1-2-3"))
    }

    @Test func aSIDThatChangesFromCallToCallEndsTheFlow() {
        var world = TrustWorld()
        world.host.lsaSIDs = [world.host.sid, SID("S-1-5-21-9-9-9")!]
        #expect(world.failure().contains("it is no controller"))

        world = TrustWorld()
        world.host.lsaSIDs = [world.host.sid, world.host.sid, SID("S-1-5-21-9-9-9")!]
        #expect(world.failure().contains("another domain each time"))
    }

    @Test func ourOwnSIDCannotBeTrusted() {
        var world = TrustWorld()
        world.ends.ourSID = world.host.sid
        #expect(world.failure().contains("cannot trust itself"))
    }

    @Test func aNameTakenByAControllerOfAnotherDomainIsNoticed() {
        var world = TrustWorld()
        world.host.mailslotDomain = "OTHER"
        #expect(world.failure() == "NETLOGON\\GETDC: 10.77.0.70 is a controller of OTHER, not of "
            + "TRUSTED")

        world = TrustWorld()
        world.host.wkstaDomain = "OTHER"
        #expect(world.failure().contains("is of domain OTHER, not of TRUSTED"))
    }

    @Test func nobodyHasTheName() {
        let world = TrustWorld()
        world.host.hasName = false
        #expect(world.failure().contains("nobody has the name TRUSTED<1b>"))
    }

    @Test func aConfiguredControllerStandsInForAMissingName() throws {
        var world = TrustWorld()
        world.host.hasName = false
        world.ends.controllers = [world.host.address]
        #expect(try world.establish().primary.address == world.host.address)
    }

    @Test func stepsThatAModernControllerDoesNotOfferAreLeftOut() throws {
        let world = TrustWorld()
        world.host.answersMailslots = false
        world.host.ports = []
        let findings = try world.establish()
        #expect(findings.identity == nil)
        for title in ["NETLOGON\\GETDC", "session setup as OURDOM$", "SAM LOGON as OURDOM$"] {
            guard case .skipped = world.outcome(title) else {
                Issue.record("\(title): \(String(describing: world.outcome(title)))")
                continue
            }
        }
    }

    @Test func port445ServesWhere139IsClosed() throws {
        let world = TrustWorld()
        world.host.ports = [445]
        #expect(try world.establish().identity != nil)
    }

    @Test func aBrowseListThatLiesIsHearsay() throws {
        var world = TrustWorld()
        world.host.announcedServers = 1_000
        var findings = try world.establish()
        #expect(findings.warnings.count == 1)
        #expect(findings.servers.isEmpty)

        world = TrustWorld()
        world.host.servers = ["LIAR"]
        findings = try world.establish()
        #expect(findings.warnings == ["the browse list of TRUSTPDC does not name TRUSTPDC"])

        world = TrustWorld()
        world.host.servers = (0..<200).map { "S\($0)" }
        #expect(try world.establish().servers.count == TrustEstablish.serverLimit)
    }

    @Test func aControllerThatAnswersGETDCAndThenRefusesIsNamed() {
        let world = TrustWorld()
        world.host.knowsAccount = false
        #expect(world.failure() == "SAM LOGON as OURDOM$: TRUSTPDC does not know OURDOM$")
    }

    @Test func aControllerThatDoesNotProveItselfIsNotTrusted() {
        let world = TrustWorld()
        world.host.secret = Bytes16()
        #expect(world.failure().contains("known, but by another password"))
    }
}
