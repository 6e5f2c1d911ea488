import Crypto
import Domain
import Front
import NTLM
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Agent

/// The policies of listeners before those of domains, and what is counted of each client.
@Suite struct ListenerPolicyTests {
    static let peer = IPv4Address(10, 77, 0, 50)
    static let listeners: [FrontLogon.Listener?] = [nil] + FrontLogon.Listener.allCases

    static func origin(_ listener: FrontLogon.Listener?) -> LogonOrigin {
        listener.map { .network($0, peer) } ?? .host
    }

    /// The policies of `listeners` with `policy` for that one.
    static func policies(
        _ listener: FrontLogon.Listener?, _ policy: ProofPolicy
    ) -> ListenerPolicies {
        var policies = ListenerPolicies()
        switch listener {
        case nil: policies.host = policy
        case .session: policies.session = policy
        case .direct: policies.direct = policy
        case .rpc: policies.rpc = policy
        case .member: policies.member = policy
        }
        return policies
    }

    private func call(_ proof: String, from origin: LogonOrigin) -> LogonCall {
        var call = PolicyTests.call(proof)
        call.origin = origin
        return call
    }

    @Test(arguments: listeners)
    func listenersPolicyIsKeptBeforeAnybodyIsAsked(_ listener: FrontLogon.Listener?) {
        let world = AgentWorld.one(ntlmv1: .allow, allowsLM: true)
        world.agent.listeners = Self.policies(
            listener, ProofPolicy(ntlmv1: .mschap, allowsLM: false, allowsNTLMv2: false))
        let origin = Self.origin(listener)
        for proof in ["lm", "ntlmv1", "ntlmv2"] {
            let caller = world.logon(call(proof, from: origin))
            #expect(world.outcome(caller) == "refused NT_STATUS_NTLM_BLOCKED")
        }
        #expect(world.controllers[0][0].validations.isEmpty)
        for other in Self.listeners where other != listener {
            let caller = world.logon(call("ntlmv1", from: Self.origin(other)))
            #expect(world.runUntilAnswered())
            #expect(world.outcome(caller) == "refused NT_STATUS_WRONG_PASSWORD")
        }
        let mschap = world.logon(call("mschapv2", from: origin))
        #expect(world.runUntilAnswered())
        #expect(world.outcome(mschap) == "refused NT_STATUS_WRONG_PASSWORD")
        let client = world.agent.clients.clients.first { $0.origin == origin }
        #expect(client?.count(.lm, .blocked) == 1 && client?.count(.mschapv2, .refused) == 1)
        #expect(world.agent.domains[0].ledger.blockedByPolicy == 3)
    }

    @Test func theDomainsPolicyIsKeptWhereTheListenersIsWider() {
        let world = AgentWorld.one(ntlmv1: .refuse)
        let caller = world.logon(call("ntlmv1", from: .network(.session, Self.peer)))
        #expect(world.outcome(caller) == "refused NT_STATUS_NTLM_BLOCKED")
        #expect(world.blocked.count == 1)
    }

    /// Whether an LM response beside an NT response goes on.
    @Test(arguments: [false, true])
    func lmBesideAnotherProofGoesNoFurtherThanItsListener(_ isTaken: Bool) {
        let world = AgentWorld.one(ntlmv1: .allow, allowsLM: true)
        world.agent.listeners.session.allowsLM = isTaken
        world.logon(call("ntlmv1", from: .network(.session, Self.peer)))
        #expect(world.runUntilAnswered())
        guard case .network(let info, _) = world.controllers[0][0].lastLogon else {
            Issue.record("not passed on")
            return
        }
        #expect(info.lmChallengeResponse?.isEmpty != isTaken)
    }

    @Test func controllersAreToldTheClientsAddressWhereItHasNoName() {
        let world = AgentWorld.one()
        for (origin, name) in [
            (LogonOrigin.host, "GATE1"), (.network(.direct, Self.peer), "10.77.0.50"),
        ] {
            world.logon(call("ntlmv2", from: origin))
            #expect(world.runUntilAnswered())
            #expect(world.controllers[0][0].lastLogon?.identity.workstation == name)
        }
    }

    // MARK: Members

    private func member(_ user: String, _ nt: [UInt8], workstation: String = "PC7") -> LocalLogon {
        LocalLogon(
            domain: "GATE", user: user, workstation: workstation,
            proof: .responses(challenge: FrontedAgent.challenge, nt: nt, lm: []))
    }

    @Test func usersWhomMembersBringAreCountedAndKeptToTheirPolicy() throws {
        let own = try LocalLogonTests.Own(proofs: ProofPolicy(ntlmv1: .allow))
        let world = AgentWorld.ready([], locals: [own.domain])
        let right = NTLMv1.response(
            owf: NTOWF.v1(password: "own"), challenge: FrontedAgent.challenge).bytes
        let wrong = [UInt8](repeating: 1, count: 24)
        func status(_ logon: LocalLogon) -> NTStatus? {
            let time = FrontTime(now: world.now, unix: 1_700_000_000)
            switch world.agent.validate(logon, local: 0, from: Self.peer, now: time) {
            case .accepted: return nil
            case .refused(let status): return status
            }
        }
        #expect(status(member("emma", right)) == nil)
        #expect(status(member("emma", wrong)) == .wrongPassword)
        world.agent.listeners.member.ntlmv1 = .mschap
        #expect(status(member("emma", right)) == .ntlmBlocked)
        // Whom there is not is refused likewise.
        #expect(status(member("otto", right)) == .ntlmBlocked)
        let ledger = world.agent.locals[0].ledger
        #expect(ledger.accepted == 1 && ledger.refused == 1 && ledger.blockedByPolicy == 2)
        let client = try #require(world.agent.clients.clients.first)
        #expect(client.origin == .network(.member, Self.peer) && client.computer == "PC7")
        #expect(client.count(.ntlmv1, .accepted) == 1 && client.count(.ntlmv1, .refused) == 1)
        #expect(client.count(.ntlmv1, .blocked) == 2)
    }

    @Test func aMembersClientWithoutANameDoesNotPassForThisHost() throws {
        let own = try LocalLogonTests.Own(proofs: ProofPolicy(ntlmv1: .allow))
        let user = try #require(own.domain.account("emma")).rid
        try own.domain.updateAccount(user) { $0.workstations = ["GATE1"] }
        let world = AgentWorld.ready([], locals: [own.domain])
        let right = NTLMv1.response(
            owf: NTOWF.v1(password: "own"), challenge: FrontedAgent.challenge).bytes
        let time = FrontTime(now: world.now, unix: 1_700_000_000)
        guard case .refused(.invalidWorkstation) = world.agent.validate(
            member("emma", right, workstation: ""), local: 0, from: Self.peer, now: time)
        else {
            Issue.record("let in")
            return
        }
    }
}

@Suite struct ClientLedgerTests {
    private func logon(_ last: Int, computer: String = "PC") -> CountedLogon {
        CountedLogon(
            origin: .network(
                .direct, IPv4Address(10, 77, UInt8(last / 256), UInt8(last % 256))),
            proof: .lm, computer: computer, domain: "GATE", user: "emma")
    }

    @Test func theClientThatWasSilentLongestGivesWay() {
        var ledger = ClientLedger()
        for number in 0..<ClientLedger.Limit.clients {
            ledger.note(logon(number), .accepted, now: UInt64(number))
        }
        ledger.note(logon(0), .accepted, now: 1_000)
        ledger.note(logon(999), .refused, now: 1_001)
        let clients = ledger.clients
        #expect(clients.count == ClientLedger.Limit.clients && ledger.forgotten == 1)
        #expect(clients[0].origin == logon(999).origin && clients[0].count(.lm, .refused) == 1)
        #expect(clients[1].origin == logon(0).origin && clients[1].count(.lm, .accepted) == 2)
        #expect(!clients.contains { $0.origin == logon(1).origin })
    }

    @Test func theLogIsToldOnceAMinuteOfEachAndOnceASecondOfAny() {
        var ledger = ClientLedger()
        func tells(_ last: Int, _ now: UInt64) -> Bool {
            ledger.note(logon(last), .blocked, now: now)
            return ledger.tells(of: logon(last).origin, now: now)
        }
        #expect(tells(1, 5_000) && !tells(1, 5_001) && !tells(2, 5_500))
        #expect(tells(2, 6_000) && !tells(1, 64_999))
        #expect(tells(1, 65_000))
    }

    @Test func whatAClientCallsItselfCannotBreakALine() {
        let name = "A\n\u{7f}\u{2028}B" + String(repeating: "x", count: 100)
        var ledger = ClientLedger()
        ledger.note(logon(1, computer: name), .blocked, now: 1)
        let kept = ledger.clients[0].computer
        #expect(kept.hasPrefix("A???Bxx") && kept.count == 32)
        #expect(!logon(1, computer: name).blocked.contains("\n"))
    }
}
