import Crypto
import NTLM
import NetBIOS
import SecureChannel
import Testing
import Wire

@testable import Flows

/// A join against a scripted controller, and what was kept when.
final class JoinWorld {
    let world = TrustWorld()
    var terms: JoinTerms
    /// `pending`, `dropped` and `promoted`, in their order, between the controller's calls.
    var stateIsWritable = true
    let password = Secret(Array("s\0e\0c\0r\0e\0t\0".utf8))

    var host: FakeController { world.host }

    init(_ way: JoinTerms.Way, account: String = "GATE1$") {
        terms = JoinTerms(
            domain: NetBIOSName("TRUSTED", .workstation)!, account: account, kind: .member,
            way: way,
            administrator: SessionAccount(
                user: "Administrator", domain: "TRUSTED", ntowf: Bytes16(),
                allowsNTLMv1: way == .sam),
            resets: false, directory: world.ends.directory)
        terms.controllers = [world.host.address]
        terms.dnsName = "ad.lab"
        if way == .directory { world.host.ports = [389] }
    }

    var keeper: JoinKeeper {
        JoinKeeper(
            keepPending: { [self] in
                host.log.append("pending")
                return stateIsWritable
            },
            drop: { [self] in host.log.append("dropped") },
            promote: { [self] in
                host.log.append($0 == host.address ? "promoted" : "promoted elsewhere")
                return true
            })
    }

    /// Why it fails; empty where it does not.
    func join() -> String {
        do throws(FlowError) {
            _ = try Join.run(world.dialogue, terms, password: password, keeper: keeper)
            return ""
        } catch {
            return error.description
        }
    }

    /// What came after the account was found or made.
    func log(after mark: String) -> [String] {
        guard let index = host.log.firstIndex(of: mark) else { return [] }
        return Array(host.log[index...])
    }
}

@Suite struct JoinTests {
    @Test func makesTheAccountAndSetsItsSecretOnceThatIsKept() {
        let world = JoinWorld(.sam)
        #expect(world.join() == "")
        #expect(world.host.accounts["GATE1$"] == 0x80)
        #expect(world.host.passwords["GATE1$"]?.bytes == world.password.bytes)
        #expect(
            world.log(after: "samr 50")
                == ["samr 50", "pending", "samr 58", "samr 58", "promoted", "samr 1", "logoff"])
        #expect(world.world.titles == [
            "address of TRUSTED<1b>", "NETLOGON\\GETDC", "session as Administrator",
            "domain in SAM", "account GATE1$", "secret of GATE1$",
        ])
        #expect(world.world.link.openStreams == 0)
    }

    @Test func aServerOfOldIsSentTheOlderForm() {
        let world = JoinWorld(.sam)
        world.host.knowsSaltedPasswords = false
        #expect(world.join() == "")
        #expect(world.host.passwords["GATE1$"]?.bytes == world.password.bytes)
    }

    @Test func aBackupControllersAccountIsOneOfAController() {
        let world = JoinWorld(.sam)
        world.terms.kind = .backupController
        #expect(world.join() == "")
        #expect(world.host.accounts["GATE1$"] == 0x100)
    }

    @Test func aNameThatAnotherHostHasIsLeftAlone() {
        let world = JoinWorld(.sam, account: "TAKEN$")
        let failure = world.join()
        #expect(failure.hasPrefix("account TAKEN$: TAKEN$ is there already"))
        #expect(failure.contains("--reset"))
        #expect(world.host.passwords.isEmpty)
        #expect(!world.host.log.contains("pending"))
        #expect(world.world.link.openStreams == 0)
    }

    @Test func aNameIsTakenOverWhereThatIsAskedFor() {
        let world = JoinWorld(.sam, account: "TAKEN$")
        world.terms.resets = true
        #expect(world.join() == "")
        #expect(world.host.passwords["TAKEN$"]?.bytes == world.password.bytes)
    }

    @Test func anAccountOfAnotherKindIsNeverTakenOver() {
        let world = JoinWorld(.sam, account: "HUMAN$")
        world.terms.resets = true
        #expect(
            world.join()
                == "account HUMAN$: HUMAN$ is not a computer's account; it is left as it was")
        #expect(world.host.passwords.isEmpty)
    }

    @Test func whoMayNotMakeAccountsIsToldSo() {
        let world = JoinWorld(.sam)
        world.host.mayMakeAccounts = false
        #expect(world.join() == "account GATE1$: Administrator may not make accounts in TRUSTED")
        #expect(!world.host.log.contains("pending"))
    }

    @Test func aWrongAdministratorEndsItBeforeAnything() {
        let world = JoinWorld(.sam)
        world.host.userStatus = .logonFailure
        #expect(world.join().hasPrefix("session as Administrator: "))
        #expect(world.host.accounts["GATE1$"] == nil)
    }

    @Test func aRefusedSecretLeavesNothingBehind() {
        let world = JoinWorld(.sam)
        world.host.setStatus = .passwordRestriction
        #expect(world.join().hasPrefix("secret of GATE1$: "))
        #expect(world.host.accounts["GATE1$"] == nil)
        #expect(
            world.log(after: "pending").prefix(4) == ["pending", "samr 58", "dropped", "samr 35"])
    }

    @Test func aControllerThatDiesMeanwhileLeavesBothSecrets() {
        let world = JoinWorld(.sam)
        world.host.setStatus = nil
        #expect(world.join() != "")
        #expect(world.host.accounts["GATE1$"] != nil)
        #expect(!world.host.log.contains("dropped"))
        #expect(!world.host.log.contains("promoted"))
    }

    @Test func aStateThatCannotBeWrittenSendsNothing() {
        let world = JoinWorld(.sam)
        world.stateIsWritable = false
        #expect(world.join() == "secret of GATE1$: the state cannot be written")
        #expect(world.host.accounts["GATE1$"] == nil)
        #expect(world.host.passwords.isEmpty)
    }
}

@Suite struct DirectoryJoinTests {
    private static let place = "CN=GATE1,CN=Computers,DC=ad,DC=lab"
    private static let quoted = Array("\"\0s\0e\0c\0r\0e\0t\0\"\0".utf8)

    private func withAccount(control: String) -> JoinWorld {
        let world = JoinWorld(.directory)
        world.host.entries[Self.place] = [
            "sAMAccountName": Array("GATE1$".utf8),
            "userAccountControl": Array(control.utf8),
        ]
        return world
    }

    @Test func makesTheAccountWithItsSecretUnderSeal() {
        let world = JoinWorld(.directory)
        #expect(world.join() == "")
        let made = world.host.entries[Self.place]
        #expect(made?["unicodePwd"] == Self.quoted)
        #expect(made?["sAMAccountName"] == Array("GATE1$".utf8))
        #expect(made?["userAccountControl"] == Array("4096".utf8))
        #expect(
            world.log(after: "pending")
                == ["pending", "add \(Self.place)", "promoted", "unbind"])
        let traffic = world.world.dialogue.report.frames.flatMap { $0.payload }
        #expect(!String(decoding: traffic, as: UTF8.self).contains("unicodePwd"))
        #expect(world.world.link.openStreams == 0)
    }

    @Test func answersMayComeInSmallPieces() {
        let world = JoinWorld(.directory)
        world.host.pieceSize = 1
        #expect(world.join() == "")
    }

    @Test func aNameThatAnotherHostHasIsLeftAloneUnlessItIsAskedFor() {
        let world = withAccount(control: "4096")
        #expect(world.join().contains("is there already"))
        #expect(world.host.entries[Self.place]?["unicodePwd"] == nil)

        let taking = withAccount(control: "4098")
        taking.terms.resets = true
        #expect(taking.join() == "")
        #expect(taking.host.entries[Self.place]?["unicodePwd"] == Self.quoted)
    }

    @Test func anAccountOfAnotherKindIsNeverTakenOver() {
        let world = withAccount(control: "512")
        world.terms.resets = true
        #expect(world.join().contains("is not a computer's account"))
        #expect(world.host.entries[Self.place]?["unicodePwd"] == nil)
    }

    @Test func aWrongPasswordOfTheAdministratorIsRefused() {
        let world = JoinWorld(.directory)
        world.host.administrator = Bytes16([UInt8](repeating: 1, count: 16))
        #expect(world.join() == "bind as Administrator: NT_STATUS_LOGON_FAILURE")
    }

    @Test func aRefusalIsToldApartFromSilence() {
        let refused = JoinWorld(.directory)
        refused.host.setStatus = .accessDenied
        #expect(refused.join() == "secret of GATE1$: the right to do that is missing")
        #expect(refused.host.log.contains("dropped"))

        let silent = JoinWorld(.directory)
        silent.host.setStatus = nil
        #expect(silent.join() != "")
        #expect(!silent.host.log.contains("dropped"))
    }

    @Test func noControllerIsSaidSo() {
        let world = JoinWorld(.directory)
        world.host.ports = []
        #expect(world.join().hasPrefix("directory of ad.lab: "))
    }
}

@Suite struct ChannelRunTests {
    static func settings(_ profile: ChannelSettings.Profile = .nt4) -> ChannelSettings {
        ChannelSettings(
            domain: "TRUSTED", profile: profile, kind: .trustedDomain, account: "OURDOM$",
            computer: "GATE1", connections: 1, allowsRC4: true, allowsUnsealed: true)
    }

    private func prove(
        _ world: TrustWorld, secret: Bytes16
    ) throws(FlowError) -> ChannelRun<ScriptedExchange>.Outcome {
        try ChannelRun.prove(
            world.dialogue, Self.settings(), secrets: [secret],
            at: [ControllerAddress(address: world.host.address, name: "TRUSTPDC")])
    }

    @Test func aRightSecretMakesAKey() throws {
        let world = TrustWorld()
        world.host.grantsSeal = false
        guard case .keyed(let controller, _, let isSealed) = try prove(
            world, secret: world.host.secret)
        else {
            Issue.record("no key")
            return
        }
        #expect(controller.name == "TRUSTPDC")
        #expect(!isSealed)
        #expect(world.link.openStreams == 0)
    }

    @Test func aWrongSecretIsRefused() throws {
        let world = TrustWorld()
        guard case .refused(.accessDenied) = try prove(world, secret: Bytes16()) else {
            Issue.record("a key")
            return
        }
        #expect(world.link.openStreams == 0)
    }

    @Test func aControllerThatIsNotThereIsUnavailable() {
        let world = TrustWorld()
        world.host.ports = []
        let error = #expect(throws: FlowError.self) {
            try prove(world, secret: world.host.secret)
        }
        #expect(error?.isUnavailable == true)
    }
}
