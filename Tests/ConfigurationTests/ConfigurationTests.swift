import Configuration
import Testing
import Wire

private func parse(_ text: String, hostName: String = "gate1.ad.lab") throws -> Configuration {
    try Configuration(parsing: Array(text.utf8), file: "postern.conf", hostName: hostName)
}

/// The message for a text that must be refused.
private func refusal(_ text: String) -> String {
    do {
        _ = try parse(text)
        return "accepted"
    } catch {
        return (error as? ConfigurationError)?.description ?? "another error"
    }
}

private let contract = """
    [agent]
    name = GATE1                     ; our NetBIOS computer name
    state directory = /var/lib/postern
    runtime directory = /run/postern ; control socket and local sockets
    log level = info                 ; error | warning | info | debug
    winbind socket = yes             ; serve libwbclient in <runtime directory>/winbindd, or a path

    [listen]                         ; the legacy face; without this section it is off
    interfaces = 10.77.0.40/24       ; addresses with prefix
    port offset = 0                  ; added to 137, 138, 139, 445 and 135
    wins server = 10.77.0.20         ; register and resolve there; or `wins = yes` to be one

    [domain ADLAB]                   ; a domain to which logons are passed
    dns name = ad.lab                ; locate by DNS SRV and CLDAP; or
    controllers = 10.77.0.10         ; fixed list, in order of preference
    profile = modern                 ; modern | nt4
    channel = member                 ; member | trust | bdc
    account = GATE1$
    answer = yes                     ; answer GETDC and SAM LOGON for this domain
    ntlmv1 = mschap                  ; refuse | mschap | allow   (lm = refuse | allow likewise)
    connections = 4                  ; most connections to one controller
    deadline = 5s

    [local domain GATE]              ; the embedded domain: own accounts, trusts, members
    accounts = yes
    """

@Suite struct ConfigurationTests {
    @Test func readsTheContractsExample() throws {
        let found = try parse(contract)
        #expect(found.agent.name == "GATE1")
        #expect(found.agent.winbindDirectory == "/run/postern/winbindd")
        #expect(found.agent.controlSocket == "/run/postern/control")
        let listen = try #require(found.listen)
        #expect(listen.interfaces == [IPv4Network(IPv4Address(10, 77, 0, 40), prefixLength: 24)])
        #expect(listen.winsServers == [IPv4Address(10, 77, 0, 20)] && !listen.wins)
        var domain = DomainSettings(name: "ADLAB")
        domain.dnsName = "ad.lab"
        domain.controllers = [IPv4Address(10, 77, 0, 10)]
        domain.account = "GATE1$"
        domain.answer = true
        domain.winsServers = listen.winsServers
        #expect(found.domains == [domain])
        #expect(found.localDomains == [LocalDomainSettings(name: "GATE")])
    }

    @Test func hasDefaultsForAllThatIsNotSaid() throws {
        let found = try parse("[domain lab]\ncontrollers = 10.0.0.1, 10.0.0.2 10.0.0.3")
        #expect(found.agent == AgentSettings(name: "GATE1"))
        #expect(found.agent.winbindDirectory == nil)
        #expect(found.listen == nil)
        #expect(found.domains[0].name == "LAB" && found.domains[0].account == "GATE1$")
        let controllers = found.domains[0].controllers.map(\.description)
        #expect(controllers == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        let empty = try parse("", hostName: "a-very-long-host-name")
        #expect(empty.agent.name == "A-VERY-LONG-HOS")
        #expect(try parse("", hostName: "gäste").agent.name == "POSTERN")
    }

    @Test func readsEveryValue() throws {
        let found = try parse(
            """
            # another comment
            \u{9}[agent]
              name: gate-2
              state directory = /srv/state/
              winbind socket = /run/samba/winbindd
              log level = debug
              control group = wheel
              user = nobody
              logons = mschap
            [listen]
            interfaces = 10.0.0.1/8,192.168.1.1/16
            port offset = 20000
            wins = yes
            smb = yes
            rpc = yes
            plain text = allow
            logons = ntlmv2, ntlmv1
            logons 139 = all
            logons 445 = ntlmv2
            logons rpc = ntlmv2 mschap
            logons members = lm
            anonymous = names
            signing = require
            [domain NT]
            profile = nt4
            channel = bdc
            unsealed = yes
            rc4 = yes
            lm = allow
            ntlmv1 = allow
            connections = 16
            deadline = 250ms
            wins server = 10.0.0.9
            [domain AD]
            channel = trust
            dns name = AD.Lab
            name servers = 10.0.0.3, 10.0.0.4:5353
            ntlmv1 = refuse
            deadline = 1m
            [local domain OWN]
            accounts = no
            sid = S-1-5-21-1-2-3
            role = bdc
            primary = 10.0.0.7
            netlogon directory = /srv/netlogon
            ntlmv1 = allow
            lm = allow
            nt4 accounts = OLDPC$, BDC1$
            lockout threshold = 5
            lockout duration = 2h
            min password length = 8
            max password age = 42d
            """.replacing("\n", with: "\r\n"))
        #expect(found.agent.name == "GATE-2" && found.agent.stateDirectory == "/srv/state")
        #expect(found.agent.winbindSocket == .directory("/run/samba/winbindd"))
        #expect(found.agent.logLevel == .debug)
        #expect(found.agent.controlGroup == "wheel" && found.agent.user == "nobody")
        #expect(found.agent.logons == LogonProtocols(mschap: true))
        #expect(found.listen?.portOffset == 20_000 && found.listen?.wins == true)
        #expect(found.listen?.interfaces.map(\.prefixLength) == [8, 16])
        let nt = found.domains[0]
        #expect(nt.profile == .nt4 && nt.channel == .bdc && nt.unsealed && nt.rc4)
        #expect(nt.lm == .allow && nt.ntlmv1 == .allow && nt.connections == 16)
        #expect(nt.deadline == 250 && nt.winsServers == [IPv4Address(10, 0, 0, 9)])
        let ad = found.domains[1]
        #expect(ad.channel == .trust && ad.account == "OWN$" && ad.dnsName == "ad.lab")
        #expect(ad.nameServers.map(\.description) == ["10.0.0.3:53", "10.0.0.4:5353"])
        #expect(ad.ntlmv1 == .refuse && ad.deadline == 60_000)
        let listen = try #require(found.listen)
        #expect(listen.smb && listen.rpc && listen.plainText == .allow)
        #expect(listen.logons == LogonProtocols(ntlmv2: true, ntlmv1: true))
        #expect(listen.logons139 == .all && listen.logons445 == LogonProtocols(ntlmv2: true))
        #expect(listen.logonsRPC == LogonProtocols(ntlmv2: true, mschap: true))
        #expect(listen.logonsMembers == LogonProtocols(lm: true))
        #expect(listen.anonymous == .names && listen.signing == .require)
        var own = LocalDomainSettings(name: "OWN")
        own.accounts = false
        own.sid = SID("S-1-5-21-1-2-3")
        own.role = .backup
        own.primary = IPv4Address(10, 0, 0, 7)
        own.netlogonDirectory = "/srv/netlogon"
        own.ntlmv1 = .allow
        own.lm = .allow
        own.nt4Accounts = ["OLDPC$", "BDC1$"]
        own.lockoutThreshold = 5
        own.lockoutDuration = 7_200_000
        own.minimumPasswordLength = 8
        own.maximumPasswordAge = .limited(42 * 86_400_000)
        #expect(found.localDomains == [own])
    }

    @Test(arguments: [
        ("[agent]\nname = A\nnam = B",
            "3: unknown key \"nam\" in [agent]; it takes: name, state directory, "
                + "runtime directory, log level, winbind socket, winbind interface, "
                + "control group, user, logons"),
        ("\n[listne]", "2: unknown section [listne]; expected [agent], [listen], "
            + "[domain NAME] or [local domain NAME]"),
        ("name = A", "1: a key before the first [section]"),
        ("[agent]\nname = A\n\nname = B", "4: \"name\" is given twice, first in line 2"),
        ("[agent]\n[agent]", "2: section [agent] is given twice, first in line 1"),
        ("[domain A]\nprofile = nt4\n[local domain a]", "3: domain A has a section already"),
        ("[domain]", "1: unknown section [domain]; expected [agent], [listen], "
            + "[domain NAME] or [local domain NAME]"),
        ("[domain ]", "1: [domain ]: expected a NetBIOS domain name of 1 to 15 characters"),
        ("[domain A B]",
            "1: [domain A B]: expected a NetBIOS domain name of 1 to 15 characters"),
        ("[domain ABCDEFGHIJKLMNOP]",
            "1: [domain ABCDEFGHIJKLMNOP]: expected a NetBIOS domain name of 1 to 15 characters"),
        ("[agent]\nname", "2: neither [section] nor key = value"),
        ("[agent\nname = A", "1: neither [section] nor key = value"),
        ("[agent]\nname = \u{0}", "2: a control character"),
        ("[agent]\nuser = " + String(repeating: "x", count: 300), "2: longer than 198 bytes"),
        ("[agent]\n" + String(repeating: "x", count: 60) + " = 1", "2: the key is too long"),
        ("[" + String(repeating: "x", count: 60) + "]", "1: the section's name is too long"),
        ("[listen]\nwins = yes", "1: [listen] needs interfaces: IPv4 addresses with prefix"),
        ("[listen]\ninterfaces = 10.0.0.1/8\nwins = yes\nwins server = 10.0.0.2",
            "4: either \"wins server\" or \"wins = yes\", not both"),
        ("[domain A]\nanswer = yes", "1: [domain A] needs \"dns name\" or \"controllers\""),
        ("[domain A]\nprofile = nt4\ntransport = tcp",
            "3: \"transport = tcp\" does not go with profile = nt4, which takes smb1 or smb2"),
        ("[domain A]\ncontrollers = 10.0.0.1\ntransport = smb1",
            "3: \"transport = smb1\" does not go with profile = modern, which takes tcp or smb2"),
        ("[local domain A]\nrole = backup\nprofile = nt4\n\ntransport = tcp",
            "5: \"transport = tcp\" does not go with profile = nt4, which takes smb1 or smb2"),
        ("[domain A]\nprofile = nt4\ndns name = a.b",
            "3: \"dns name\" does not go with profile = nt4, which asks NetBIOS"),
        ("[local domain A]\nprimary = 10.0.0.1", "2: \"primary\" goes with role = backup"),
        ("[domain A]\nchannel = trust\ndns name = a.b",
            "1: [domain A] has channel = trust and needs \"account\""),
        ("[agent]\nname = A\n[local domain A]",
            "3: domain A has this computer's name; set another \"name\" in [agent]"),
        ("[domain A]\nprofile = nt4\n[agent]\nname = A",
            "1: domain A has this computer's name; set another \"name\" in [agent]"),
        ("[local domain A]\n[local domain B]", "2: [local domain B]: there is one already, A"),
    ])
    func refusesWithFileLineAndReason(_ text: String, _ message: String) {
        #expect(refusal(text) == "postern.conf:" + message)
    }

    private static let number = "a number from 1 to 16"
    private static let time = "a time from 100ms to 60s"
    private static let protocols = "all, or some of ntlmv2, mschap, ntlmv1 (mschap too) and lm"
    private static let path = "an absolute path of at most 80 bytes"

    @Test(arguments: [
        ("agent", "name = ABCDEFGHIJKLMNOP", "a NetBIOS name of 1 to 15 characters"),
        ("agent", "name = A B", "a NetBIOS name of 1 to 15 characters"),
        ("agent", "name = ", "a NetBIOS name of 1 to 15 characters"),
        ("agent", "state directory = var", path), ("agent", "runtime directory = /a/../b", path),
        ("agent", "runtime directory = /" + String(repeating: "x", count: 80), path),
        ("agent", "log level = loud", "error, warning, info or debug"),
        ("agent", "winbind socket = maybe", "no, yes or an absolute path of at most 80 bytes"),
        ("agent", "control group = a:b", "the name of a group of this host"),
        ("agent", "user = a/b", "the name of a user of this host"),
        ("listen", "interfaces = 10.0.0.1", "IPv4 addresses with prefix, such as 10.77.0.40/24"),
        ("listen", "interfaces = 10.0.0.1/33",
            "IPv4 addresses with prefix, such as 10.77.0.40/24"),
        ("listen", "port offset = 65091", "a number from 0 to 65090"),
        ("listen", "port offset = -1", "a number from 0 to 65090"),
        ("listen", "wins server = 10.0.0", "IPv4 addresses"),
        ("listen", "wins = true", "yes or no"),
        ("listen", "logons = ntlmv3", protocols),
        ("listen", "logons 139 = all lm", protocols),
        ("agent", "logons = ", protocols),
        ("listen", "anonymous = yes", "none, domain, names or all"),
        ("listen", "signing = yes", "no, offer or require"),
        ("domain A", "dns name = a..b", "a DNS name"),
        ("domain A", "dns name = a b", "a DNS name"),
        ("domain A", "controllers = dc1", "IPv4 addresses"),
        ("domain A", "controllers = 0.0.0.0", "IPv4 addresses"),
        ("domain A", "controllers = 224.0.0.1", "IPv4 addresses"),
        ("domain A", "controllers = ,", "IPv4 addresses"),
        ("domain A", "name servers = 10.0.0.1:0", "IPv4 addresses, perhaps with :port"),
        ("domain A", "name servers = 10.0.0.1:1:2", "IPv4 addresses, perhaps with :port"),
        ("domain A", "profile = NT4", "modern or nt4"),
        ("domain A", "transport = SMB3", "tcp, smb1 or smb2"),
        ("local domain A", "transport = pipes", "tcp, smb1 or smb2"),
        ("domain A", "channel = dc", "member, trust or bdc"),
        ("domain A", "account = A B", "an account's name, such as GATE1$"),
        ("domain A", "connections = 0", number), ("domain A", "connections = 17", number),
        ("domain A", "connections = 4x", number),
        ("domain A", "connections = 99999999999999999999", number),
        ("domain A", "deadline = 5", time), ("domain A", "deadline = 61s", time),
        ("domain A", "deadline = 99ms", time), ("domain A", "deadline = s", time),
        ("domain A", "deadline = 999999999m", time), ("domain A", "deadline = 5 s", time),
        ("domain A", "unsealed = 1", "yes or no"), ("domain A", "rc4 = on", "yes or no"),
        ("domain A", "answer = ja", "yes or no"),
        ("domain A", "ntlmv1 = yes", "refuse, mschap or allow"),
        ("domain A", "lm = mschap", "refuse or allow"),
        ("domain A", "wins server = x", "IPv4 addresses"),
        ("listen", "smb = on", "yes or no"), ("listen", "rpc = on", "yes or no"),
        ("listen", "plain text = yes", "refuse or allow"),
        ("local domain A", "accounts = maybe", "yes or no"),
        ("local domain A", "sid = S-1-5-32", "a domain's SID, such as S-1-5-21-1-2-3"),
        ("local domain A", "role = dc", "primary or backup (or pdc, bdc)"),
        ("local domain A", "primary = pdc1", "an IPv4 address"),
        ("local domain A", "netlogon directory = x", path),
        ("local domain A", "lm = yes", "refuse or allow"),
        ("local domain A", "nt4 accounts = a/b", "names of accounts, such as OLDPC$"),
        ("local domain A", "lockout threshold = 1000", "a number from 0 to 999"),
        ("local domain A", "lockout duration = 1s", "a time from 1m to 99999m"),
        ("local domain A", "min password length = 128", "a number from 0 to 127"),
        ("local domain A", "max password age = 1h", "never, or a time from 1d to 999d"),
    ])
    func saysWhatAValueMayBe(_ section: String, _ entry: String, _ accepted: String) {
        let lines = refusal("[\(section)]\n\(entry)").split(separator: "\n")
        #expect(lines.contains { $0 == "postern.conf:2: \(entry): expected \(accepted)" })
    }

    @Test func tellsAllProblemsInTheOrderOfTheirLines() {
        let text = "[listen]\nwins = maybe\n[agent]\nlog level = loud\nnope = 1"
        let lines = refusal(text).split(separator: "\n").map { $0.prefix(while: { $0 != " " }) }
        #expect(lines == [1, 2, 4, 5].map { "postern.conf:\($0):" })
    }

    @Test func refusesMoreDomainsThanItsLimit() {
        let text = (0...64).map { "[domain D\($0)]\nprofile = nt4\n" }.joined()
        #expect(refusal(text) == "postern.conf:129: more than 64 domains")
    }

    @Test func refusesMoreInterfacesThanAllPortsAreBoundOn() throws {
        func text(_ count: Int) -> String {
            "[listen]\ninterfaces = "
                + (1...count).map { "1.0.0.\($0)/8" }.joined(separator: ",")
        }
        #expect(try parse(text(16)).listen?.interfaces.count == 16)
        #expect(refusal(text(17)) == "postern.conf:2: more than 16 interfaces")
    }

    @Test func aByteOrderMarkMeansNothing() throws {
        #expect(try parse("\u{feff}[agent]\nname = GATE7").agent.name == "GATE7")
        #expect(try parse("\u{feff}; a comment\n[agent]\nname = GATE7").agent.name == "GATE7")
        #expect(try parse("\u{feff}").agent.name == "GATE1")
        // Elsewhere it is a character like any other.
        #expect(refusal("[agent]\n\u{feff}name = A").contains("2: unknown key"))
    }

    @Test func neverTrapsOnADamagedFile() {
        let bytes = Array(contract.utf8)
        for length in 0..<bytes.count {
            _ = try? Configuration(
                parsing: Array(bytes[..<length]), file: "x", hostName: "h")
        }
        for index in bytes.indices {
            for value in [0, 10, 32, 61, 91, 93, 255] as [UInt8] {
                var changed = bytes
                changed[index] = value
                _ = try? Configuration(parsing: changed, file: "x", hostName: "h")
            }
        }
    }
}

@Suite struct KeyTableTests {
    /// Written into a file, each default that is a value must change nothing.
    private func check<Settings: Equatable & Sendable>(
        _ section: String, _ keys: [Key<Settings>], _ pick: (Configuration) -> Settings
    ) throws {
        let words = [
            "required", "none", "the host's name", "our name and $", "a random one", "looked for",
            "7d for trusts", "tcp; smb1 with nt4",
        ]
        let needed = section == "listen" ? "interfaces = 10.0.0.1/8\n" : "controllers = 10.0.0.1\n"
        let head = "[\(section)]\n"
            + (section == "listen" || section == "domain A" ? needed : "")
        let plain = pick(try parse(head))
        for key in keys where !words.contains(key.standard) {
            if key.standard.hasPrefix("those") || key.standard.hasPrefix("kept") { continue }
            let written = pick(try parse(head + "\(key.name) = \(key.standard)"))
            #expect(written == plain, "\(key.name)")
        }
    }

    @Test func printsTheDefaultsThatHold() throws {
        try check("agent", AgentSettings.keys) { $0.agent }
        try check("listen", ListenSettings.keys) { $0.listen ?? ListenSettings() }
        try check("domain A", DomainSettings.keys) { $0.domains[0] }
        try check("local domain A", LocalDomainSettings.keys) { $0.localDomains[0] }
    }

    @Test func fitsATerminal() {
        for line in Configuration.keyTable.split(separator: "\n") { #expect(line.count <= 118) }
        #expect(Configuration.keyTable.contains("  deadline              5s  "))
    }

    @Test func hasEveryKey() {
        let names = AgentSettings.keys.map { $0.name } + ListenSettings.keys.map { $0.name }
            + DomainSettings.keys.map { $0.name } + LocalDomainSettings.keys.map { $0.name }
        let table = Configuration.keyTable
        for name in names { #expect(table.contains("\n  \(name)  "), "\(name)") }
        #expect(table.contains("ntlmv1 (mschap too)"))
    }
}
