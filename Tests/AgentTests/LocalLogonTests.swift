import Agent
import Crypto
import Domain
import Interfaces
import NTLM
import SecureChannel
import Simulation
import Testing
import Wire

/// The embedded domain beside others, or alone.
@Suite struct LocalLogonTests {
    /// A domain GATE with the user "emma" and the computer PC1$, and how often it was written.
    final class Own {
        private(set) var writes = 0
        var refuses = false
        private(set) var domain: LocalDomain!

        init(proofs: ProofPolicy = ProofPolicy()) throws {
            domain = LocalDomain.create(
                name: "GATE", sid: SID("S-1-5-21-7-8-9")!, proofs: proofs, now: 1
            ) { [unowned self] _ in
                writes += 1
                return !refuses
            }
            for (name, flags) in [("emma", AccountFlags.normal), ("PC1$", .workstationTrust)] {
                let account = try domain.createAccount(name, flags: flags)
                try domain.setPassword(
                    account.rid, NewPassword(Secret(Array("own".utf8))), now: 1)
            }
        }
    }

    static let adlab = AgentWorld.Domain(name: "ADLAB", dnsName: "ad.lab", controllers: [10])

    private func call(
        _ user: String, domain: String, password: String = "own", control: UInt32 = 0
    ) -> LogonCall {
        LogonCall(
            domain: domain, user: user, workstation: "", parameterControl: control,
            proof: .password(Secret(Array(password.utf8))))
    }

    @Test(arguments: [
        ("GATE", "emma", "accepted"), ("gate", "EMMA", "accepted"), ("", "emma", "accepted"),
        ("GATE1", "emma", "accepted"), ("WORKGROUP", "emma", "accepted"),
        ("GATE", "anna", "refused NT_STATUS_NO_SUCH_USER"),
        ("", "anna", "refused NT_STATUS_NO_SUCH_USER, others may know"),
        ("WORKGROUP", "anna", "refused NT_STATUS_NO_SUCH_USER, others may know"),
    ])
    func aloneItKnowsAllThereAre(_ asked: (domain: String, user: String, outcome: String)) throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        let caller = world.logon(call(asked.user, domain: asked.domain))
        // At once, without a step of time.
        #expect(world.outcome(caller) == asked.outcome)
    }

    /// Another domain's controller says that its user is one of ours.
    @Test func controllersHaveNoSayOfOurDomain() throws {
        let own = try Own()
        let world = AgentWorld.ready([Self.adlab], locals: [own.domain])
        let wanted = SID("S-1-5-21-1-1-1-1000")!
        let local = own.domain.sid.appending(512)!
        world.controllers[0][0].extraSIDs = [local, SID("S-1-5-32-544")!, wanted]
        let user = LogonCall(
            domain: "ADLAB", user: "anna", workstation: "", parameterControl: 0,
            proof: .responses(
                challenge: SimulatedUser.challenge, nt: SimulatedUser.response("anna"), lm: []),
            wantsWhole: true)
        let honest = world.logon(user)
        world.run(1_000)
        guard case .accepted(let identity) = world.answers[honest]?.outcome,
            case .list(let others) = identity.whole?.info.extraSIDs
        else {
            Issue.record("not accepted")
            return
        }
        #expect(others.map(\.sid) == [wanted] && !identity.isOurs)
        world.controllers[0][0].logonDomain = "gate"
        let liar = world.logon(user)
        world.run(1_000)
        #expect(world.outcome(liar) != "accepted")
    }

    @Test(arguments: [
        ("GATE", "emma", true), ("", "emma", true), ("GATE1", "emma", true),
        ("ADLAB", "emma", false), ("", "anna", false), ("NOWHERE", "emma", false),
    ])
    func besideOthersItHasItsOwn(_ asked: (domain: String, user: String, isOwn: Bool)) throws {
        let own = try Own()
        let world = AgentWorld.ready([Self.adlab], locals: [own.domain])
        world.logon(call(asked.user, domain: asked.domain))
        #expect(world.runUntilAnswered())
        #expect(world.controllers[0][0].validations.isEmpty == asked.isOwn)
        #expect(world.agent.locals[0].ledger.counts[Ledger.Proof.plain.rawValue]
            == (asked.isOwn ? 1 : 0))
    }

    @Test func outcomesAreCountedAndPolicyKept() throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        world.logon(call("emma", domain: "GATE"))
        world.logon(call("emma", domain: "GATE", password: "guess"))
        let challenge = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
        let nt = NTLMv1.response(owf: NTOWF.v1(password: "own"), challenge: challenge)
        func logon(_ control: UInt32) -> UInt64 {
            world.logon(
                LogonCall(
                    domain: "GATE", user: "emma", workstation: "", parameterControl: control,
                    proof: .responses(challenge: challenge, nt: nt.bytes, lm: [])))
        }
        #expect(world.outcome(logon(0)) == "refused NT_STATUS_NTLM_BLOCKED")
        #expect(world.isAccepted(logon(ParameterControl.allowMSVCHAPV2.rawValue)))
        let ledger = world.agent.locals[0].ledger
        #expect(ledger.accepted == 2 && ledger.refused == 1 && ledger.blockedByPolicy == 1)
        #expect(ledger.counts[Ledger.Proof.mschapv2.rawValue] == 1)
        #expect(ledger.latency == nil)
    }

    @Test func acceptedUserIsTheDomains() throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        var asked = call("EMMA", domain: "GATE")
        asked.wantsWhole = true
        let caller = world.logon(asked)
        guard case .accepted(let identity) = world.answers[caller]?.outcome else {
            Issue.record("not accepted")
            return
        }
        #expect(identity.user == "emma" && identity.domain == "GATE")
        #expect(identity.domainSID == SID("S-1-5-21-7-8-9") && identity.userRID == 1_000)
        #expect(identity.groupRIDs == [513])
        #expect(identity.sessionKey == NTLMv1.sessionBaseKey(ntowf: NTOWF.v1(password: "own")))
        #expect(identity.whole?.info.logonServer.text == "GATE1")
    }

    @Test func computersLogOnWhereTheyAreMeant() throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        let plain = world.logon(call("PC1$", domain: "GATE"))
        #expect(world.outcome(plain) == "refused NT_STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT")
        let control = ParameterControl.allowWorkstationTrustAccount.rawValue
        #expect(world.isAccepted(world.logon(call("PC1$", domain: "GATE", control: control))))
    }

    @Test func whatLogonsLeaveBehindIsWrittenNowAndThen() throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        let writes = own.writes
        #expect(world.agent.nextDeadline == .max)
        for _ in 0..<100 { world.logon(call("emma", domain: "GATE")) }
        #expect(own.writes == writes)
        own.refuses = true
        world.run(61_000)
        #expect(own.writes == writes + 1 && own.domain.hasUnsavedStatistics)
        own.refuses = false
        world.run(60_000)
        #expect(own.writes == writes + 2 && !own.domain.hasUnsavedStatistics)
        #expect(world.agent.nextDeadline == .max)
        world.logon(call("emma", domain: "GATE"))
        world.stop()
        #expect(!own.domain.hasUnsavedStatistics)
        #expect(world.problems == [])
    }

    /// A small box without a clock of its own starts in 1970, until a time server is heard.
    @Test func whatTheClockIsSetToHoldsFromThenOn() throws {
        let own = try Own()
        let world = AgentWorld.ready([], locals: [own.domain])
        let emma = try #require(own.domain.account("emma"))
        try own.domain.updateAccount(emma.rid) {
            $0.accountExpires = DomainTime.at(unix: world.wall.unix(at: world.now) + 3_600)
        }
        #expect(world.isAccepted(world.logon(call("emma", domain: "GATE"))))
        world.wall.leap = 7_200
        let late = world.logon(call("emma", domain: "GATE"))
        #expect(world.outcome(late) == "refused NT_STATUS_ACCOUNT_EXPIRED")
        #expect(world.agent.fileTime == DomainTime.at(unix: world.wall.unix(at: world.now)))
        #expect(world.problems == [])
    }

    @Test func marksAreWrittenWithinAMinuteWhateverTheClockIsSetTo() throws {
        for isFront in [false, true] {
            let own = try Own()
            let world = AgentWorld.ready([], locals: [own.domain])
            world.wall.leap = 800_000_000
            if isFront {
                let logon = LocalLogon(
                    domain: "GATE", user: "emma", workstation: "",
                    proof: .password(Secret(Array("own".utf8))))
                guard case .accepted = own.domain.validate(logon, now: world.agent.fileTime) else {
                    Issue.record("not accepted")
                    return
                }
                world.agent.noteMarks(now: world.now)
            } else {
                #expect(world.isAccepted(world.logon(call("emma", domain: "GATE"))))
            }
            #expect(own.domain.hasUnsavedStatistics)
            #expect(world.agent.nextDeadline <= world.now + 60_000)
            world.run(60_000)
            #expect(!own.domain.hasUnsavedStatistics && world.problems == [])
        }
    }

    @Test func hashesOfAMemberReachEitherKindOfDomain() throws {
        let own = try Own()
        let world = AgentWorld.ready([Self.adlab], locals: [own.domain])
        let hash = Secret(NTOWF.v1(password: "own").bytes)
        func logon(_ domain: String) -> UInt64 {
            world.logon(
                LogonCall(
                    domain: domain, user: "emma", workstation: "", parameterControl: 0,
                    proof: .hashes(nt: hash, lm: nil)))
        }
        #expect(world.isAccepted(logon("GATE")))
        _ = logon("ADLAB")
        #expect(world.runUntilAnswered())
        guard case .interactive(let info, _) = world.controllers[0][0].lastLogon else {
            Issue.record("not passed on as it came")
            return
        }
        #expect(info.identity.userName == "emma")
    }
}
