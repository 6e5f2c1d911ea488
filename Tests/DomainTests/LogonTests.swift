import Crypto
import Interfaces
import NTLM
import Testing
import Wire

@testable import Domain

private let challenge = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
private let client = Bytes8([9, 9, 9, 9, 8, 8, 8, 8])
private let nt = NTOWF.v1(password: "secret")
private let lm = LMOWF.v1(password: "secret")!
private let everything = ProofPolicy(ntlmv1: .allow, allowsLM: true)

private func network(
    _ nt: [UInt8], _ lm: [UInt8] = [], user: String = "anna", domain: String = "GATE",
    control: ParameterControl = []
) -> LocalLogon {
    LocalLogon(
        domain: domain, user: user, workstation: "PC1", control: control,
        proof: .responses(challenge: challenge, nt: nt, lm: lm))
}

private func version2(
    _ ntowf: Bytes16 = nt, user: String = "anna", domain: String = "GATE"
) -> (nt: [UInt8], lm: [UInt8], sessionBaseKey: Bytes16) {
    NTLMv2.response(
        ntowf: ntowf, user: user, domain: domain, serverChallenge: challenge,
        clientChallenge: client, timestamp: World.begin, targetInfo: [0, 0, 0, 0])
}

private func response(_ owf: Bytes16, _ challenge: Bytes8 = challenge) -> [UInt8] {
    NTLMv1.response(owf: owf, challenge: challenge).bytes
}

private func broken(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes[0] ^= 1
    return bytes
}

/// What each protocol's proof is worth.
@Suite struct ProofTests {
    @Test func ntlmv2ProvesWhateverTheDomainWasTakenFor() throws {
        let world = World()
        try world.user("anna")
        for domain in ["GATE", "gate", ""] {
            let made = version2(domain: domain)
            let session = try #require(world.session(network(made.nt, made.lm, domain: "gate")))
            #expect(session.sessionKey == made.sessionBaseKey)
            #expect(session.lmKey == Bytes8(made.sessionBaseKey.bytes))
            #expect(session.userFlags == .ntlmV2)
        }
        let other = version2(domain: "OTHER")
        #expect(world.status(of: network(other.nt)) == .wrongPassword)
        let made = version2(user: "ANNA")
        #expect(world.session(network(made.nt, user: "Anna"))?.account.name == "anna")
    }

    @Test func brokenNTLMv2LeavesItToLMv2() throws {
        let world = World()
        try world.user("anna")
        let made = version2()
        for sent in [broken(made.nt), []] {
            let session = try #require(world.session(network(sent, made.lm)))
            let owf = NTOWF.v2(ntowf: nt, user: "anna", domain: "GATE")
            // The client made its keys with the response that it sent, whatever became of that.
            let expected = sent.isEmpty
                ? NTLMv2.sessionBaseKey(owf: owf, proof: Bytes16(made.lm))
                : made.sessionBaseKey
            #expect(session.sessionKey == expected)
        }
        #expect(world.status(of: network(broken(made.nt), broken(made.lm))) == .wrongPassword)
        #expect(world.status(of: network([], broken(made.lm))) == .wrongPassword)
    }

    @Test func ntlmv1IsTakenAsThePolicySays() throws {
        let plain = network(response(nt))
        let mschap = network(response(nt), control: .allowMSVCHAPV2)
        for (policy, first, second) in [
            (ProofPolicy.NTLMv1.refuse, NTStatus.ntlmBlocked, NTStatus.ntlmBlocked),
            (.mschap, .ntlmBlocked, nil), (.allow, nil, nil),
        ] as [(ProofPolicy.NTLMv1, NTStatus?, NTStatus?)] {
            let world = World(proofs: ProofPolicy(ntlmv1: policy))
            try world.user("anna")
            #expect(world.status(of: plain) == first)
            #expect(world.status(of: mschap) == second)
            #expect(world.domain.account("anna")?.badPasswordCount == 0)
        }
    }

    @Test func whatALogonComesByNarrowsThePolicy() throws {
        let world = World(proofs: everything)
        try world.user("anna")
        let made = version2()
        for (taken, logon) in [
            (ProofPolicy(ntlmv1: .mschap, allowsLM: true), network(response(nt))),
            (ProofPolicy(ntlmv1: .allow, allowsNTLMv2: false), network(made.nt)),
        ] {
            var logon = logon
            #expect(world.status(of: logon) == nil)
            logon.taken = taken
            #expect(world.status(of: logon) == .ntlmBlocked)
        }
        // Beside a proof that is taken, one that is not is of no use.
        for (lm, taken) in [
            (response(lm), ProofPolicy(ntlmv1: .allow)),
            (made.lm, ProofPolicy(ntlmv1: .allow, allowsNTLMv2: false)),
        ] {
            var logon = network(Array(broken(response(nt))[..<8]), lm)
            #expect(world.status(of: logon) == nil)
            logon.taken = taken
            #expect(world.status(of: logon) == .wrongPassword)
        }
        var capitals = LocalLogon(
            domain: "GATE", user: "anna", workstation: "",
            proof: .password(Secret(Array("SECRET".utf8))))
        #expect(world.status(of: capitals) == nil)
        capitals.taken.allowsLM = false
        #expect(world.status(of: capitals) == .wrongPassword)
        // No listener takes more than the domain does.
        let strict = World(proofs: ProofPolicy(ntlmv1: .refuse))
        try strict.user("anna")
        #expect(strict.status(of: network(response(nt))) == .ntlmBlocked)
    }

    @Test func ntlmv1KeysComeFromTheHashes() throws {
        let world = World(proofs: everything)
        try world.user("anna")
        let session = try #require(world.session(network(response(nt), response(lm))))
        #expect(session.sessionKey == NTLMv1.sessionBaseKey(ntowf: nt))
        #expect(session.lmKey == Bytes8(lm.bytes))
        #expect(session.userFlags == [])
        #expect(world.status(of: network(broken(response(nt)))) == .wrongPassword)
    }

    @Test func clientChallengeInTheLMFieldIsPartOfTheChallenge() throws {
        let world = World(proofs: ProofPolicy(ntlmv1: .allow))
        try world.user("anna")
        let made = NTLMv1.extendedResponse(
            ntowf: nt, serverChallenge: challenge, clientChallenge: client)
        #expect(world.status(of: network(made.nt.bytes, made.lm.bytes)) == nil)
        let told = network(made.nt.bytes, made.lm.bytes, control: .useClientChallenge)
        #expect(world.status(of: told) == nil)
        // Then the plain challenge alone is no longer enough.
        let plain = network(response(nt), made.lm.bytes, control: .useClientChallenge)
        #expect(world.status(of: plain) == .wrongPassword)
    }

    @Test func lmProvesOnlyWhereItIsTaken() throws {
        let world = World(proofs: everything)
        try world.user("anna")
        let session = try #require(world.session(network([], response(lm))))
        #expect(session.sessionKey.bytes == lm.bytes[..<8] + [UInt8](repeating: 0, count: 8))
        #expect(session.userFlags == .lmKey)
        #expect(world.status(of: network(broken(response(nt)), response(lm))) == nil)
        #expect(world.status(of: network([], broken(response(lm)))) == .wrongPassword)
        // An NT response in the LM field, as some old clients send it.
        let old = try #require(world.session(network([], response(nt))))
        #expect(old.sessionKey.bytes == lm.bytes[..<8] + [UInt8](repeating: 0, count: 8))
        // Beside one that was cut short: such a client's keys are those of an NT response.
        let cut = try #require(world.session(network(Array(response(nt)[..<8]), response(nt))))
        #expect(cut.sessionKey == NTLMv1.sessionBaseKey(ntowf: nt))
        let strict = World()
        try strict.user("anna")
        #expect(strict.status(of: network([], response(lm))) == .wrongPassword)
        #expect(strict.status(of: network(response(nt), response(lm))) == .ntlmBlocked)
    }

    @Test func hashesProveAsAnInteractiveLogonCarriesThem() throws {
        func logon(_ nt: Bytes16?, _ lm: Bytes16?) -> LocalLogon {
            LocalLogon(
                domain: "GATE", user: "anna", workstation: "",
                proof: .hashes(nt: nt.map { Secret($0.bytes) }, lm: lm.map { Secret($0.bytes) }))
        }
        let world = World(proofs: everything)
        try world.user("anna")
        #expect(world.session(logon(nt, nil))?.sessionKey == NTLMv1.sessionBaseKey(ntowf: nt))
        #expect(world.status(of: logon(Bytes16(), lm)) == nil)
        #expect(world.status(of: logon(lm, nt)) == .wrongPassword)
        let strict = World()
        try strict.user("anna")
        #expect(strict.status(of: logon(nt, lm)) == nil)
        #expect(strict.status(of: logon(nil, lm)) == .ntlmBlocked)
        #expect(strict.status(of: logon(lm, nil)) == .wrongPassword)
    }

    @Test func passwordInCapitalsProvesWhereLMIsTaken() throws {
        let world = World(proofs: everything)
        try world.user("anna")
        #expect(world.logon("anna") == nil)
        #expect(world.logon("anna", "SECRET") == nil)
        let strict = World()
        try strict.user("anna")
        #expect(strict.logon("anna", "SECRET") == .wrongPassword)
    }

    @Test func nothingProvesAnAccountWithoutPassword() throws {
        let world = World(proofs: everything)
        try world.user("anna", password: nil)
        #expect(world.logon("anna", "") == .wrongPassword)
        #expect(world.logon("administrator", "") == .wrongPassword)
        #expect(world.status(of: network([])) == .wrongPassword)
        #expect(world.status(of: network(response(Bytes16()))) == .wrongPassword)
        #expect(
            world.status(
                of: LocalLogon(
                    domain: "", user: "anna", workstation: "",
                    proof: .hashes(nt: Secret([UInt8](repeating: 0, count: 16)), lm: nil)))
                == .wrongPassword)
    }

    @Test(arguments: 0..<64)
    func anyLengthOfResponsesIsAnswered(_ length: Int) throws {
        for proofs in [everything, ProofPolicy()] {
            let world = World(proofs: proofs)
            try world.user("anna")
            let bytes = [UInt8](repeating: 7, count: length)
            for logon in [network(bytes), network([], bytes), network(bytes, bytes)] {
                #expect(world.status(of: logon) != nil)
            }
        }
    }
}

/// Who may log on, and what is said to the others.
@Suite struct RestrictionTests {
    @Test func unknownAndWrongAreToldApart() throws {
        let world = World()
        try world.user("anna")
        #expect(world.logon("nobody") == .noSuchUser)
        #expect(world.logon("Domain Admins") == .noSuchUser)
        #expect(world.logon("anna", "wrong") == .wrongPassword)
        #expect(world.logon("ANNA") == nil)
    }

    @Test func restrictionsAreToldOnlyToWhoKnowsThePassword() throws {
        let world = World()
        let user = try world.user("anna")
        try world.domain.updateAccount(user.rid) {
            $0.flags.insert(.disabled)
            $0.accountExpires = world.now
        }
        #expect(world.logon("anna", "wrong") == .wrongPassword)
        #expect(world.logon("anna") == .accountDisabled)
        try world.domain.updateAccount(user.rid) { $0.flags.remove(.disabled) }
        #expect(world.logon("anna") == .accountExpired)
        try world.domain.updateAccount(user.rid) { $0.accountExpires = world.now + 1 }
        #expect(world.logon("anna") == nil)
        try world.domain.updateAccount(user.rid) { $0.accountExpires = 0 }
        #expect(world.logon("anna") == nil)
    }

    @Test func logonHoursAreThoseOfTheWeek() throws {
        let world = World()
        let user = try world.user("anna")
        // 2024-05-13 was a Monday; at 9:30.
        let monday: UInt64 = (1_715_558_400 + 11_644_473_600) * DomainTime.second
        world.now = monday + 9 * DomainTime.hour + DomainTime.hour / 2
        var bits = [UInt8](repeating: 0, count: 21)
        bits[(24 + 9) / 8] = 1 << UInt8((24 + 9) % 8)
        try world.domain.updateAccount(user.rid) { $0.logonHours = LogonHours(bits)! }
        let logon = LocalLogon(
            domain: "", user: "anna", workstation: "",
            proof: .password(Secret(Array("secret".utf8))))
        #expect(world.session(logon)?.logoffTime == monday + 10 * DomainTime.hour)
        world.now += DomainTime.hour
        #expect(world.logon("anna") == .invalidLogonHours)
        world.now -= 2 * DomainTime.hour
        #expect(world.logon("anna") == .invalidLogonHours)
    }

    @Test func workstationsAreComparedWithoutTheirBackslashes() throws {
        let world = World()
        let user = try world.user("anna")
        try world.domain.updateAccount(user.rid) { $0.workstations = ["PC1", "Büro"] }
        #expect(world.logon("anna", workstation: "pc1") == nil)
        #expect(world.logon("anna", workstation: "\\\\BÜRO") == nil)
        #expect(world.logon("anna", workstation: "PC2") == .invalidWorkstation)
        #expect(world.logon("anna", workstation: "") == .invalidWorkstation)
    }

    @Test func passwordsExpireOrMustBeChanged() throws {
        var policy = AccountPolicy()
        policy.maximumPasswordAge = 42 * DomainTime.day
        let world = World(policy: policy)
        let user = try world.user("anna")
        world.now += 42 * DomainTime.day - 1
        #expect(world.logon("anna") == nil)
        world.now += 1
        #expect(world.logon("anna") == .passwordExpired)
        try world.domain.setPassword(
            user.rid, NewPassword(nt: nt), mustChange: true, now: world.now)
        #expect(world.logon("anna") == .passwordMustChange)
        try world.domain.updateAccount(user.rid) { $0.flags.insert(.passwordNeverExpires) }
        #expect(world.logon("anna") == nil)
    }

    @Test func machinesLogOnOnlyWhereTheyAreMeant() throws {
        let world = World()
        try world.user("pc1$", flags: .workstationTrust)
        try world.user("bdc$", flags: .serverTrust)
        try world.user("other$", flags: .interdomainTrust)
        let every: ParameterControl = [.allowServerTrustAccount, .allowWorkstationTrustAccount]
        #expect(world.logon("pc1$") == .nologonWorkstationTrustAccount)
        #expect(
            world.logon("pc1$", control: .allowServerTrustAccount)
                == .nologonWorkstationTrustAccount)
        #expect(world.logon("pc1$", control: .allowWorkstationTrustAccount) == nil)
        #expect(world.logon("bdc$") == .nologonServerTrustAccount)
        #expect(world.logon("bdc$", control: .allowServerTrustAccount) == nil)
        #expect(world.logon("other$", control: every) == .nologonInterdomainTrustAccount)
        #expect(world.logon("other$", "wrong") == .wrongPassword)
        #expect(world.domain.account("pc1$")?.primaryGroupRID == WellKnownRID.domainComputers)
        #expect(world.domain.account("bdc$")?.primaryGroupRID == WellKnownRID.domainControllers)
    }

    @Test func machinesKeepTheirOldSecretForTheChannel() throws {
        let world = World()
        let machine = try world.user("pc1$", password: "first", flags: .workstationTrust)
        try world.domain.setPassword(
            machine.rid, NewPassword(utf16LE: Secret([1, 0xd8, 2, 0])), by: .owner, now: world.now)
        let hashes = try #require(world.domain.account("pc1$")?.channelHashes)
        #expect(hashes == [MD4.hash([1, 0xd8, 2, 0]), NTOWF.v1(password: "first")])
        #expect(
            world.logon("pc1$", "first", control: .allowWorkstationTrustAccount)
                == .wrongPassword)
        // Whoever else sets it does so because the old one is known to somebody, or to nobody.
        let reset = NewPassword(Secret(Array("reset".utf8)))
        try world.domain.setPassword(machine.rid, reset, now: world.now)
        #expect(world.domain.account("pc1$")?.channelHashes == [NTOWF.v1(password: "reset")])
    }

    @Test func whatMembersAreToldIsWhole() throws {
        let world = World(proofs: everything)
        let user = try world.user("anna")
        try world.domain.updateAccount(user.rid) {
            $0.fullName = "Anna"
            $0.logonScript = "a.cmd"
        }
        try world.domain.addMember(user.rid, to: WellKnownRID.domainAdmins)
        let session = try #require(world.session(network(version2().nt)))
        let info = session.validation(server: "GATE1")
        #expect(info.effectiveName.text == "anna" && info.fullName.text == "Anna")
        #expect(info.logonScript.text == "a.cmd" && info.logonServer.text == "GATE1")
        #expect(info.userID == user.rid && info.primaryGroupID == 513)
        #expect(info.groupIDs == .list([
            GroupMembership(relativeID: 513), GroupMembership(relativeID: 512),
        ]))
        #expect(info.logonDomainName.text == "GATE" && info.logonDomainID == World.sid)
        #expect(info.userSessionKey == session.sessionKey && info.userFlags == .ntlmV2)
        #expect(info.logonTime == world.now && info.logonCount == 1)
        #expect(info.kickOffTime == DomainTime.never && info.userAccountControl == 0x10)
    }
}

/// Guessing.
@Suite struct LockoutTests {
    private static var policy: AccountPolicy {
        var policy = AccountPolicy()
        policy.lockoutThreshold = 3
        policy.lockoutDuration = 30 * DomainTime.minute
        policy.lockoutWindow = 10 * DomainTime.minute
        return policy
    }

    @Test func wrongPasswordsLockOutForAWhile() throws {
        let world = World(policy: Self.policy)
        let user = try world.user("anna")
        let commits = world.commits
        for _ in 0..<2 { #expect(world.logon("anna", "wrong") == .wrongPassword) }
        #expect(world.commits == commits)
        #expect(world.logon("anna", "wrong") == .wrongPassword)
        // Written at once, with a serial number that backups are told of at once.
        #expect(world.commits == commits + 1)
        #expect(world.reloaded()?.accounts[user.rid]?.lockoutTime == world.now)
        let last = world.domain.changes(in: .sam, after: world.domain.serial(of: .sam) - 1)?.last
        #expect(last?.flags == .immediate && last?.rid == user.rid)
        #expect(world.logon("anna") == .accountLockedOut)
        let account = try #require(world.domain.account("anna"))
        #expect(world.domain.flags(of: account, now: world.now).contains(.autoLocked))
        world.now += 30 * DomainTime.minute - 1
        #expect(world.logon("anna") == .accountLockedOut)
        world.now += 1
        #expect(!world.domain.flags(of: account, now: world.now).contains(.autoLocked))
        #expect(world.logon("anna") == nil)
        #expect(world.domain.account("anna")?.lockoutTime == 0)
    }

    @Test func lockOutThatEndedBeginsTheCountAnew() throws {
        let world = World(policy: Self.policy)
        try world.user("anna")
        for _ in 0..<3 { _ = world.logon("anna", "wrong") }
        world.now += 30 * DomainTime.minute
        #expect(world.logon("anna", "wrong") == .wrongPassword)
        #expect(world.domain.account("anna")?.badPasswordCount == 1)
        #expect(world.logon("anna") == nil)
    }

    @Test func wrongPasswordsAddUpWithinTheWindowOnly() throws {
        let world = World(policy: Self.policy)
        try world.user("anna")
        for _ in 0..<6 {
            #expect(world.logon("anna", "wrong") == .wrongPassword)
            #expect(world.logon("anna", "wrong") == .wrongPassword)
            world.now += 10 * DomainTime.minute
        }
        for _ in 0..<6 {
            #expect(world.logon("anna", "wrong") == .wrongPassword)
            #expect(world.logon("anna", "wrong") == .wrongPassword)
            #expect(world.logon("anna") == nil)
        }
    }

    @Test func yesterdaysPasswordIsNoGuess() throws {
        let world = World(policy: Self.policy)
        let user = try world.user("anna", password: "yesterday")
        try world.domain.setPassword(user.rid, NewPassword(nt: nt), now: world.now)
        for _ in 0..<10 { #expect(world.logon("anna", "yesterday") == .wrongPassword) }
        #expect(world.status(of: network(version2(NTOWF.v1(password: "yesterday")).nt))
            == .wrongPassword)
        #expect(world.logon("anna") == nil)
    }

    @Test func lockOutHoldsWhereItCannotBeWritten() throws {
        let world = World(policy: Self.policy)
        try world.user("anna")
        world.refuses = true
        for _ in 0..<3 { _ = world.logon("anna", "wrong") }
        #expect(world.logon("anna") == .accountLockedOut)
        world.refuses = false
        #expect(world.domain.saveStatistics())
        #expect(world.reloaded()?.account("anna")?.lockoutTime == world.now)
    }

    @Test func unlockingAndNewPasswordsEndIt() throws {
        let world = World(policy: Self.policy)
        let user = try world.user("anna")
        for _ in 0..<3 { _ = world.logon("anna", "wrong") }
        try world.domain.unlock(user.rid)
        #expect(world.logon("anna") == nil)
        for _ in 0..<3 { _ = world.logon("anna", "wrong") }
        try world.domain.setPassword(user.rid, NewPassword(nt: nt), now: world.now)
        #expect(world.logon("anna") == nil)
    }

    @Test func machinesAreNeverLockedOut() throws {
        let world = World(policy: Self.policy)
        try world.user("pc1$", flags: .workstationTrust)
        for _ in 0..<10 { _ = world.logon("pc1$", "wrong") }
        #expect(world.logon("pc1$", control: .allowWorkstationTrustAccount) == nil)
    }

    @Test func thresholdZeroLocksNobodyOut() throws {
        var policy = Self.policy
        policy.lockoutThreshold = 0
        let world = World(policy: policy)
        try world.user("anna")
        for _ in 0..<70_000 { _ = world.logon("anna", "wrong") }
        #expect(world.logon("anna") == nil)
    }

    @Test func countsAreKeptWhenTheyAreSaved() throws {
        let world = World(policy: Self.policy)
        try world.user("anna")
        #expect(!world.domain.hasUnsavedStatistics)
        #expect(world.logon("anna") == nil)
        #expect(world.logon("anna", "wrong") == .wrongPassword)
        #expect(world.reloaded()?.account("anna")?.logonCount == 0)
        let serial = world.domain.serial(of: .sam)
        world.refuses = true
        #expect(!world.domain.saveStatistics() && world.domain.hasUnsavedStatistics)
        world.refuses = false
        #expect(world.domain.saveStatistics() && !world.domain.hasUnsavedStatistics)
        let account = try #require(world.reloaded()?.account("anna"))
        #expect(account == world.domain.account("anna"))
        #expect(account.logonCount == 1 && account.badPasswordCount == 1)
        #expect(world.domain.serial(of: .sam) == serial)
    }
}
