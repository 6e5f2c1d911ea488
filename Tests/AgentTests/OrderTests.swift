import Agent
import Consumers
import Crypto
import Domain
import Mailslot
import Responder
import Testing
import Wire

/// What `postern account` and `postern group` order.
@Suite struct OrderTests {
    private let own: LocalLogonTests.Own
    private var domain: LocalDomain { own.domain }

    init() throws { own = try LocalLogonTests.Own() }

    private func run(
        _ words: String..., secret: String? = nil, kind: CommandKind = .account,
        json: Bool = false
    ) -> OrderResult {
        let request = CommandRequest(
            requestID: 1, command: kind, wantsJSON: json,
            arguments: [words[0], ""] + words.dropFirst(),
            secret: secret.map { Secret(Array($0.utf8)) })
        let now = DomainTime.at(unix: 1_700_000_000)
        return kind == .group
            ? GroupOrders.run(request, [domain]) : AccountOrders.run(request, [domain], now: now)
    }

    @Test func accountsComeAndGo() throws {
        let added = run("add", "Anna", "user", "Anna A", "first", secret: "pässword")
        #expect(added == OrderResult(.done, "Anna: added, S-1-5-21-7-8-9-1002\n"))
        let account = try #require(domain.account("anna"))
        #expect(account.fullName == "Anna A" && account.adminComment == "first")
        #expect(account.passwordLastSet == DomainTime.at(unix: 1_700_000_000))
        #expect(
            run("add", "anna", "user", "", "").text
                == "anna: The specified account already exists.\n")
        #expect(run("disable", "anna").outcome == .done)
        #expect(domain.account("anna")?.isDisabled == true)
        #expect(run("enable", "anna").outcome == .done)
        #expect(run("unlock", "anna").outcome == .done)
        #expect(run("set-password", "anna", "must-change", secret: "x").outcome == .done)
        #expect(domain.account("anna")?.passwordLastSet == 0)
        #expect(run("remove", "ANNA") == OrderResult(.done, "ANNA: removed\n"))
        #expect(run("remove", "anna").outcome == .refused)
    }

    @Test(arguments: [
        ("machine", AccountFlags.workstationTrust), ("bdc", .serverTrust),
        ("trust", .interdomainTrust),
    ])
    func namesOfComputersAndDomainsEndInADollar(
        _ asked: (kind: String, flags: AccountFlags)
    ) throws {
        #expect(run("add", "pc7", asked.kind, "", "", secret: "pc7").outcome == .done)
        let account = try #require(domain.account("PC7$"))
        #expect(account.name == "PC7$")
        #expect(account.flags == asked.flags.union(.passwordNeverExpires))
    }

    @Test func otherDomainsMayTrustOursUntilThatIsRevoked() throws {
        #expect(run("trusts").text == "")
        #expect(run("permit", "other", secret: "one").outcome == .done)
        let account = try #require(domain.account("OTHER$"))
        #expect(account.flags == [.interdomainTrust, .passwordNeverExpires])
        let first = account.ntHash
        #expect(run("permit", "OTHER", secret: "two").outcome == .done)
        #expect(domain.account("OTHER$")?.ntHash != first)
        #expect(run("trusts").text == "OTHER\n")
        #expect(run("revoke", "other").outcome == .done)
        #expect(domain.account("OTHER$") == nil)
        #expect(run("revoke", "other").outcome == .refused)
    }

    @Test func permittingATrustTouchesNoOtherKindOfAccount() throws {
        #expect(run("add", "pc7", "machine", "", "", secret: "pc7").outcome == .done)
        let before = domain.account("PC7$")?.ntHash
        #expect(run("permit", "PC7", secret: "new").outcome == .refused)
        #expect(run("revoke", "PC7").outcome == .refused)
        #expect(domain.account("PC7$")?.ntHash == before)
        #expect(run("permit", "OTHER").outcome == .misused)
    }

    @Test func ordersThatMakeNoSenseAreTold() {
        for words in [["add", "x"], ["add", "x", "robot", "", ""], ["set-password", "emma"]] {
            let request = CommandRequest(
                requestID: 1, command: .account, arguments: [words[0], ""] + words.dropFirst())
            #expect(AccountOrders.run(request, [domain], now: 1).outcome == .misused)
        }
        #expect(run("explode", "emma").outcome == .misused)
        #expect(run("add").outcome == .misused)
        let bare = CommandRequest(requestID: 1, command: .account)
        #expect(AccountOrders.run(bare, [domain], now: 1).outcome == .misused)
        #expect(GroupOrders.run(bare, [domain]).outcome == .misused)
    }

    @Test func domainIsNamedWhereThereAreSeveral() throws {
        let other = try #require(
            LocalDomain.create(name: "LAB", sid: SID("S-1-5-21-1-1-1")!, now: 1) { _ in true })
        func list(_ name: String, _ domains: [LocalDomain]) -> OrderResult {
            AccountOrders.run(
                CommandRequest(
                    requestID: 1, command: .account, arguments: ["list", name, "emma"]),
                domains, now: 1)
        }
        #expect(list("", [domain, other]).text == "which domain? --domain may be: GATE, LAB\n")
        #expect(list("gate", [domain, other]).outcome == .done)
        #expect(list("lab", [domain, other]).text == "emma: there is no such account\n")
        #expect(list("x", [domain]).text == "there is no local domain x; there is: GATE\n")
        #expect(list("", []).text == "there is no [local domain NAME] with accounts\n")
    }

    @Test func listTellsStatesAndNoSecrets() {
        #expect(run("list").text == """
            NAME                 RID     STATE                     FULL NAME
            Administrator        500     no password               
            Guest                501     disabled, no password     
            emma                 1000                              
            PC1$                 1001    machine                   

            """)
        let json = run("list", "emma", json: true).text
        #expect(json.hasPrefix(#"[{"name":"emma","rid":1000,"sid":"S-1-5-21-7-8-9-1000","#))
        #expect(json.contains(#""groups":["Domain Users"],"logonCount":0"#))
        #expect(json.contains(#""lastLogon":null}]"#))
    }

    @Test func groupsComeAndGo() throws {
        let added = run("add", "staff", "all of us", kind: .group)
        #expect(added == OrderResult(.done, "staff: added, S-1-5-21-7-8-9-1002\n"))
        #expect(run("add-member", "STAFF", "Emma", kind: .group).text == "staff: has emma\n")
        #expect(run("list", "staff", kind: .group).text.hasSuffix("all of us\n  emma\n"))
        #expect(run("list", "staff", kind: .group, json: true).text.contains(
            #""members":["emma"]}]"#))
        #expect(run("remove", "staff", kind: .group).outcome == .refused)
        #expect(run("remove-member", "staff", "emma", kind: .group).outcome == .done)
        #expect(run("remove-member", "staff", "emma", kind: .group).outcome == .refused)
        #expect(run("remove", "staff", kind: .group).outcome == .done)
        #expect(run("remove", "Domain Users", kind: .group).outcome == .refused)
        #expect(run("add-member", "staff", kind: .group).outcome == .misused)
    }

    private static let hash = "8846F7EAEE8FB117AD06BDD830B7586C"

    @Test func importTakesWhatItCanAndNamesTheRest() throws {
        let none = String(repeating: "X", count: 32)
        let lines = """
            # smbpasswd
            anna:1001:\(none):\(Self.hash):[U          ]:LCT-5F000000:
            bert:1002:\(none):\(Self.hash.lowercased()):[UDX        ]:LCT-00000000:

            nonsense
            pc9$:1003:\(none):\(Self.hash):[W          ]:LCT-5F000000:
            emma:1004:\(none):\(Self.hash):[U          ]:LCT-5F000000:
            Domain Users:1:\(none):\(Self.hash):[U          ]:LCT-5F000000:
            short:1:\(none):12:[U          ]:LCT-5F000000:
            nobody:1:\(none):NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[NU         ]:LCT-5F000000:
            """
        let writes = own.writes
        let result = run("import", "11", secret: lines)
        #expect(own.writes == writes + 1)
        #expect(result.outcome == .refused)
        #expect(result.text == """
            4 1
            line 15: not name:uid:LM hash:NT hash:…
            line 18: Domain Users: The specified group already exists.
            line 19: the NT hash is not 32 hexadecimal digits

            """)
        let anna = try #require(domain.account("anna"))
        #expect(anna.ntHash?.hex == Self.hash.lowercased())
        #expect(anna.passwordLastSet == DomainTime.at(unix: 0x5f00_0000))
        let bert = try #require(domain.account("bert"))
        #expect(bert.flags == [.normal, .disabled, .passwordNeverExpires])
        #expect(bert.passwordLastSet == DomainTime.at(unix: 1_700_000_000))
        #expect(domain.account("PC9$")?.flags == .workstationTrust)
        #expect(domain.account("emma")?.ntHash == anna.ntHash)
        #expect(domain.account("nobody")?.ntHash == nil)
        // Once more changes nothing.
        let again = run("import", "1", secret: lines)
        #expect(again.text.hasPrefix("0 5\n"))
        own.refuses = true
        #expect(run("import", "1", secret: "new:1::\(Self.hash):").outcome == .refused)
        #expect(domain.account("new") == nil)
    }

    @Test func importCountsFromALineThatAFileCanHave() {
        let wrong = "wrong\nwrong"
        for first in ["9223372036854775807", "4294967296", "0", "-1", "x", ""] {
            #expect(run("import", first, secret: wrong).outcome == .misused)
        }
        let last = run("import", "4294967295", secret: wrong).text
        #expect(last.contains("line 4294967295: ") && last.contains("line 4294967296: "))
    }

    @Test func clientsThatLookForAControllerAreToldOfAccounts() {
        let agent = AgentWorld([], locals: [domain]).agent
        func told(_ user: String, _ control: AccountControl, domain: String = "GATE") -> Bool? {
            switch agent.knowledge(of: user, in: domain, control) {
            case .known: true
            case .unknown: false
            case .undecided: nil
            }
        }
        #expect(told("EMMA", .normal) == true && told("emma", []) == true)
        #expect(told("emma", .workstationTrust) == false)
        #expect(told("PC1$", [.workstationTrust, .serverTrust]) == true)
        #expect(told("nobody", .normal) == false && told("guest", .normal) == false)
        #expect(told("emma", .normal, domain: "ADLAB") == nil)
    }
}
