import Crypto
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Agent

@Suite struct RefusalMemoryTests {
    /// A world that keeps refusals for a second.
    let world = AgentWorld.one(refusalsKept: 1_000)

    func verdict(_ password: String, of user: String = "anna") -> String? {
        let caller = world.logon(
            LogonCall(
                domain: "ADLAB", user: user, workstation: "", parameterControl: 0,
                proof: .password(Secret(Array(password.utf8)))))
        #expect(world.runUntilAnswered())
        return world.outcome(caller)
    }

    var asked: Int { world.agent.domains[0].channel.counters.logons }

    @Test func sameWrongPasswordIsRefusedWithoutAsking() {
        #expect(verdict("a guess") == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(verdict("a guess") == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(verdict("a guess", of: "ANNA") == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(asked == 1)
        #expect(world.agent.domains[0].ledger.repeated == 2)
    }

    @Test func otherPasswordsAndUsersAreAskedFor() {
        _ = verdict("a guess")
        #expect(verdict(SimulatedUser.password("anna")) == "accepted")
        #expect(verdict("a guess", of: "berta") == "refused NT_STATUS_WRONG_PASSWORD")
        #expect(asked == 3)
    }

    @Test func refusalIsForgottenAfterItsTime() {
        _ = verdict("a guess")
        world.run(1_000)
        _ = verdict("a guess")
        #expect(asked == 2)
    }

    @Test func onlyWrongPasswordsAreKept() {
        _ = verdict("any", of: "nobody at all")
        _ = verdict("any", of: "nobody at all")
        #expect(asked == 2)
    }

    @Test func successIsNeverKept() {
        let right = SimulatedUser.password("anna")
        #expect(verdict(right) == "accepted")
        #expect(verdict(right) == "accepted")
        #expect(asked == 2)
    }

    @Test func oldestRefusalMakesRoom() throws {
        var memory = RefusalMemory(key: [1, 2, 3], span: 1_000)
        let marks = (0...4_096).compactMap {
            memory.mark(domain: "D", user: "u\($0)", password: Secret([1]))
        }
        for mark in marks {
            memory.note(mark, .refused(.wrongPassword, authoritative: true), now: 0)
        }
        #expect(memory.refusal(of: marks[0], now: 1) == nil)
        #expect(memory.refusal(of: marks[1], now: 1) == .wrongPassword)
        #expect(memory.refusal(of: marks[4_096], now: 1) == .wrongPassword)
    }
}
