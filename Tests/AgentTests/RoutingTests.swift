import Agent
import Crypto
import Interfaces
import SecureChannel
import Simulation
import Testing
import Wire

@Suite struct RoutingTests {
    static func twoDomains() -> AgentWorld {
        AgentWorld.ready([
            AgentWorld.Domain(name: "ADLAB", dnsName: "ad.lab", controllers: [10]),
            AgentWorld.Domain(name: "OTHER", dnsName: "other.example", controllers: [20]),
        ])
    }

    @Test(arguments: [
        ("", 0), ("ADLAB", 0), ("adlab", 0), ("ad.lab", 0), ("AD.LAB", 0),
        ("OTHER", 1), ("other", 1), ("Other.Example", 1), ("OTHER.", 0), ("NOWHERE", 0),
    ])
    func logonGoesToItsDomain(_ asked: (name: String, domain: Int)) {
        let world = Self.twoDomains()
        let caller = world.logon("anna", domain: asked.name)
        #expect(world.runUntilAnswered())
        #expect(world.isAccepted(caller))
        #expect(world.controllers[asked.domain][0].validations == ["anna": 1])
        #expect(world.controllers[1 - asked.domain][0].validations.isEmpty)
        #expect(world.problems == [])
    }

    @Test func domainThatIsNotConfiguredIsTheFirstOnesToKnow() {
        let world = Self.twoDomains()
        world.logon("anna", domain: "TRUSTED")
        world.logon("berta")
        #expect(world.runUntilAnswered())
        #expect(world.controllers[0][0].lastLogon?.identity.logonDomainName == "ADLAB")
        world.logon("carla", domain: "TRUSTED")
        #expect(world.runUntilAnswered())
        #expect(world.controllers[0][0].lastLogon?.identity.logonDomainName == "TRUSTED")
    }

    @Test func agentWithoutADomainKnowsNobody() {
        let world = AgentWorld.ready([])
        let caller = world.logon("anna")
        #expect(world.outcome(caller) == "refused NT_STATUS_NO_SUCH_DOMAIN, others may know")
        #expect(world.agent.nextDeadline == .max)
    }

    @Test func refusalIsPassedOn() {
        let world = AgentWorld.one()
        let wrong = world.logon("anna", rightPassword: false)
        let nobody = world.logon("nobody at all")
        #expect(world.runUntilAnswered())
        #expect(world.outcome(wrong) == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(world.outcome(nobody) == "refused NT_STATUS_NO_SUCH_USER")
    }

    @Test(arguments: [true, false])
    func passwordIsProvenByNTLMv2(_ isRight: Bool) {
        let world = AgentWorld.one(ntlmv1: .refuse)
        let text = isRight ? SimulatedUser.password("Änne") : "a guess"
        let caller = world.logon(
            LogonCall(
                domain: "", user: "Änne", workstation: "", parameterControl: 0,
                proof: .password(Secret(Array(text.utf8)))))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(caller)
            == (isRight ? "accepted" : "refused NT_STATUS_WRONG_PASSWORD"))
        #expect(world.controllers[0][0].lastLogon?.identity.workstation == "GATE1")
    }

    @Test func patienceIsTheCallersUpToTheDomains() {
        let world = AgentWorld.one()
        world.controllers[0][0].isHung = true
        let short = world.logon("anna", patience: 300)
        let plain = world.logon("berta")
        let long = world.logon("carla", patience: 60_000)
        #expect(world.runUntilAnswered())
        #expect(world.answers[short]?.after == 300)
        #expect(world.answers[plain]?.after == 5_000 && world.answers[long]?.after == 5_000)
        #expect(world.problems == [])
    }
}

@Suite struct PolicyTests {
    struct Case: Sendable {
        var proof: String
        var ntlmv1: DomainPolicy.NTLMv1
        var allowsLM: Bool
        var passes: Bool
    }

    static let matrix: [Case] = {
        var cases: [Case] = []
        for allowsLM in [false, true] {
            for ntlmv1 in [DomainPolicy.NTLMv1.refuse, .mschap, .allow] {
                for proof in ["plain", "lm", "ntlmv1", "mschapv2", "ntlmv2"] {
                    let passes: Bool
                    switch (proof, ntlmv1) {
                    case ("plain", _), ("ntlmv2", _): passes = true
                    case ("lm", _): passes = allowsLM
                    case ("mschapv2", .mschap), (_, .allow): passes = true
                    case _: passes = false
                    }
                    cases.append(Case(
                        proof: proof, ntlmv1: ntlmv1, allowsLM: allowsLM, passes: passes))
                }
            }
        }
        return cases
    }()

    static func call(_ proof: String) -> LogonCall {
        let short = [UInt8](repeating: 7, count: 24)
        let given: LogonCall.Proof
        switch proof {
        case "plain": given = .password(Secret(Array("secret".utf8)))
        case "lm": given = .responses(challenge: Bytes8(), nt: [], lm: short)
        case "ntlmv2":
            given = .responses(challenge: Bytes8(), nt: short + short, lm: short)
        case _: given = .responses(challenge: Bytes8(), nt: short, lm: short)
        }
        return LogonCall(
            domain: "", user: "anna", workstation: "",
            parameterControl: proof == "mschapv2"
                ? ParameterControl.allowMSVCHAPV2.rawValue : 0, proof: given)
    }

    @Test(arguments: matrix)
    func protocolIsTakenAsTheDomainSays(_ each: Case) {
        let world = AgentWorld.one(ntlmv1: each.ntlmv1, allowsLM: each.allowsLM)
        let caller = world.logon(Self.call(each.proof))
        #expect(world.runUntilAnswered())
        #expect(world.controllers[0][0].validations.isEmpty == !each.passes)
        #expect(world.outcome(caller) == (each.passes
            ? "refused NT_STATUS_WRONG_PASSWORD" : "refused NT_STATUS_NTLM_BLOCKED"))
        let ledger = world.agent.domains[0].ledger
        #expect(ledger.blockedByPolicy == (each.passes ? 0 : 1))
        #expect(ledger.refused == (each.passes ? 1 : 0))
        let kinds = ["plain", "lm", "ntlmv1", "mschapv2", "ntlmv2"]
        #expect(ledger.counts[kinds.firstIndex(of: each.proof)!] == 1)
        #expect(ledger.counts.reduce(0, +) == 1)
    }

    /// Whether an LM response of 24 bytes beside an NT response reaches the controller.
    static func passesLM(_ world: AgentWorld, _ call: LogonCall) -> Bool? {
        world.logon(call)
        world.runUntilAnswered()
        guard case .network(let info, _)? = world.controllers[0][0].lastLogon else { return nil }
        return info.lmChallengeResponse != nil
    }

    @Test func lmIsLeftOutBesideNTLMv1() {
        #expect(Self.passesLM(.one(ntlmv1: .allow), Self.call("ntlmv1")) == false)
        #expect(Self.passesLM(.one(ntlmv1: .allow, allowsLM: true), Self.call("ntlmv1")) == true)
    }

    @Test func lmv2StaysBesideNTLMv2() {
        #expect(Self.passesLM(.one(), Self.call("ntlmv2")) == true)
    }

    @Test func clientChallengeInTheLMFieldIsNoLMResponse() {
        var call = Self.call("ntlmv1")
        call.parameterControl |= ParameterControl.useClientChallenge.rawValue
        #expect(Self.passesLM(.one(ntlmv1: .allow), call) == true)
    }
}

@Suite struct LedgerTests {
    @Test func ledgerCountsWhatBecameOfLogons() {
        let world = AgentWorld.one()
        #expect(world.agent.domains[0].ledger.latency == nil)
        for number in 0..<10 { world.logon("user\(number)", rightPassword: number < 7) }
        #expect(world.runUntilAnswered())
        world.controllers[0][0].isHung = true
        world.logon("late", patience: 400)
        #expect(world.runUntilAnswered())
        let ledger = world.agent.domains[0].ledger
        #expect(ledger.accepted == 7 && ledger.refused == 3 && ledger.unavailable == 1)
        #expect(ledger.blockedByPolicy == 0)
        // Of the channel's: 2 ms there and back, and the one that was never answered.
        #expect(ledger.latency?.median == 2_000 && ledger.latency?.high == 400_000)
    }

    @Test func latencyIsOfTheLastAnswers() {
        let world = AgentWorld.one()
        world.controllers[0][0].logonTime = 98
        for number in 0..<5 {
            world.logon("slow\(number)")
            world.runUntilAnswered()
        }
        #expect(world.agent.domains[0].ledger.latency?.median == 100_000)
        world.controllers[0][0].logonTime = 0
        for number in 0..<600 {
            world.logon("user\(number)")
            world.runUntilAnswered()
        }
        #expect(world.agent.domains[0].ledger.latency?.high == 2_000)
        #expect(world.problems == [])
    }

    // MARK: Translations

    private static let sid = SID("S-1-5-21-1-2-3")!

    @Test func namesAreAskedOfTheirDomainsController() {
        let world = AgentWorld.ready([
            AgentWorld.Domain(name: "OTHER", controllers: [20]),
            AgentWorld.Domain(name: "ADLAB", dnsName: "ad.lab", controllers: [10]),
        ])
        world.translate(["ADLAB"], domain: "ad.lab", caller: 1)
        world.translate(["X\\y"], domain: "NOWHERE", caller: 2)
        world.run(200)
        #expect(
            world.translations[1] == .translated([
                Translation(use: .domain, sid: Self.sid, name: "", domain: "ADLAB"),
            ]))
        #expect(world.translations[2] == .unavailable(.noController))
        #expect(world.controllers[0][0].translations == 0)
    }

    @Test func domainsSIDIsAskedForOnceWhereSomebodyNeedsIt() {
        let world = AgentWorld([AgentWorld.Domain(name: "ADLAB", controllers: [10])])
        world.agent.asksForSIDs = true
        world.begin()
        world.run(500)
        #expect(world.learned.map(\.sid) == [Self.sid])
        #expect(world.agent.domains[0].sid == Self.sid)
        world.controllers[0][0].restart()
        world.run(2_000)
        #expect(world.learned.count == 1)
        #expect(world.controllers[0][0].translations == 1)
    }

    @Test func domainsSIDIsLearnedFromItsLogons() {
        let world = AgentWorld.one()
        world.logon("anna")
        world.run(500)
        #expect(world.learned.map(\.sid) == [Self.sid])
        #expect(world.controllers[0][0].translations == 0)
    }
}
