import Interfaces
import Mailslot
import NetBIOS
import SMB
import SecureChannel
import Wire

/// The trusting domain completes a trust: `postern trust establish`.
///
/// The steps are those of Windows NT 4.0, in their order. What a controller of today does not
/// offer any more is left out, with a word; what contradicts the trust ends the flow.
package enum TrustEstablish {
    /// Names of a domain's browse list that are told.
    package static let serverLimit = 32

    /// `provesChannel` where no agent holds a secure channel, which would prove the secret itself,
    /// and which ours would break.
    package static func run<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, provesChannel: Bool
    ) throws(FlowError) -> TrustFindings {
        let desk = try MailslotDesk(dialogue)
        let primary = try findPrimary(
            dialogue, desk, ends.domain, ends.directory, ends.controllers)
        var findings = TrustFindings(primary: primary)
        if try proveAccount(dialogue, primary, ends) {
            let browser = try findBrowser(dialogue, desk, ends, &findings)
            try browse(dialogue, browser, ends, &findings)
            try identify(dialogue, ends, provesChannel, &findings)
            findings.isProved = true
        } else {
            skipWithoutSMB1(dialogue)
            if provesChannel, let settings = ends.channelSettings {
                try dialogue.proveChannel(
                    settings, secrets: [ends.secret], at: [primary.controller])
                findings.isProved = true
            }
        }
        try findLogonServers(dialogue, desk, ends, &findings)
        return findings
    }

    // MARK: 1 and 2: the primary controller

    static func findPrimary<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ desk: MailslotDesk<Link>, _ domain: NetBIOSName,
        _ directory: NameDirectory, _ controllers: [IPv4Address]
    ) throws(FlowError) -> SMBTarget {
        let name = domain.with(.domainMasterBrowser)
        let address = try dialogue.step(
            "address of \(name.description)", documented: "WINS query"
        ) { () throws(FlowError) -> (String, IPv4Address) in
            let found = try dialogue.addresses(of: name, in: directory)
            if let first = found.first { return (first.description, first) }
            if let first = controllers.first {
                return ("no such name; configured is \(first.description)", first)
            }
            throw dialogue.unavailable(
                "nobody has the name \(name.description): is the primary controller of "
                    + "\(domain.text) up, and known to our WINS server?")
        }
        do throws(FlowError) {
            let computer = try dialogue.step(
                "NETLOGON\\GETDC", documented: "computer name of the PDC"
            ) { () throws(FlowError) -> (String, String) in
                let computer = try desk.primaryController(of: name, at: address)
                return (computer, computer)
            }
            return SMBTarget(address, name: computer)
        } catch {
            guard error.isUnavailable else { throw error }
            dialogue.forgive("it answers no mailslots, as controllers of today do not")
            return SMBTarget(address, name: "*SMBSERVER")
        }
    }

    /// What nothing stands in for; the secure channel proves more than they did.
    private static func skipWithoutSMB1<Link: Exchange>(_ dialogue: Dialogue<Link>) {
        for title in ["browse list", "server's and domain's names", "domain's name, once more"] {
            dialogue.skip(title, "only over SMB1, which the controller does not speak")
        }
    }

    // MARK: 3 and 4: the account

    /// Session setup as our interdomain trust account, which has to fail in one way. False where
    /// there is no SMB1 to do it with.
    static func proveAccount<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget, _ ends: TrustEnds
    ) throws(FlowError) -> Bool {
        let title = "session setup as \(ends.account)"
        let documented = "refused in 93 bytes: NOLOGON_INTERDOMAIN_TRUST_ACCOUNT"
        var speaksSMB1 = false
        do throws(FlowError) {
            return try dialogue.step(title, documented: documented) {
                () throws(FlowError) -> (String, Bool) in
                let (session, outcome) = try SMBSession.open(
                    dialogue, primary, as: .account(ends.interdomainAccount))
                speaksSMB1 = true
                session.abandon()
                switch outcome {
                case .refused(.sessionSetup, .nologonInterdomainTrustAccount):
                    return ("NOLOGON_INTERDOMAIN_TRUST_ACCOUNT: the trust is permitted", true)
                case .refused(.negotiate, let status):
                    speaksSMB1 = false
                    throw dialogue.unavailable("SMB1 is refused: \(status.name)")
                case .refused(_, let status):
                    let reason = try explain(dialogue, primary, status, ends)
                    throw dialogue.contradicted(reason)
                case .established(let isGuest):
                    throw dialogue.contradicted(unexpected(isGuest, ends))
                }
            }
        } catch {
            guard error.isUnavailable, !speaksSMB1 else { throw error }
            dialogue.forgive("\(primary.name) speaks no SMB1 (\(error.description))")
            return false
        }
    }

    private static func unexpected(_ isGuest: Bool, _ ends: TrustEnds) -> String {
        if isGuest {
            return "\(ends.account) is let in as guest: there is no such account in "
                + "\(ends.domain.text); permit the trust there first"
        }
        return "\(ends.account) may log on: it is an ordinary account, not an interdomain trust "
            + "account; remove it in \(ends.domain.text) and permit the trust there"
    }

    /// What a refusal means. Servers do not tell an unknown account from a wrong password here;
    /// the Netlogon service does.
    private static func explain<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget, _ status: NTStatus, _ ends: TrustEnds
    ) throws(FlowError) -> String {
        switch status {
        case .nologonWorkstationTrustAccount:
            return "\(ends.account) is a workstation's account in \(ends.domain.text), not an "
                + "interdomain trust account"
        case .nologonServerTrustAccount:
            return "\(ends.account) is a backup controller's account in \(ends.domain.text), "
                + "not an interdomain trust account"
        case .noSuchUser: return "there is no account \(ends.account) in \(ends.domain.text)"
        case .wrongPassword:
            return "\(ends.account) has another password in \(ends.domain.text)"
        case .accountDisabled: return "the account \(ends.account) is disabled"
        case .accountLockedOut: return "the account \(ends.account) is locked out"
        case .passwordExpired, .passwordMustChange:
            return "the password of \(ends.account) has expired"
        case .logonFailure, .accessDenied:
            let (session, outcome) = try SMBSession.open(dialogue, primary, as: .anonymous)
            defer { session.abandon() }
            guard case .established = outcome else { break }
            let (proof, _) = try session.prove(ends.channel)
            if !proof.isError {
                return "the password is right, but \(ends.account) was refused with "
                    + "\(status.name): does \(primary.name) take NTLMv1 or NTLMv2 only?"
            }
            // The name may be another domain's host by now, which knows no such account.
            if let identity = try? session.domainIdentity([.accountDomain]) {
                try dialogue.check(identity, ends)
            }
            // Some answer so to an account that is not there too.
            if proof == .accessDenied,
                let isKnown = try? session.knows(
                    account: ends.domain.text + "\\" + ends.account), isKnown == false
            {
                return RefusalText.channel(.noTrustSAMAccount, account: ends.account)
            }
            return ends.channelRefusal(proof)
        case _: break
        }
        return "\(ends.account) is refused: \(status.name), \(status.text)"
    }

    // MARK: 5 and 6: the browse list

    /// The first backup browser that is found; nil where there is none.
    static func findBrowser<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ desk: MailslotDesk<Link>, _ ends: TrustEnds,
        _ findings: inout TrustFindings
    ) throws(FlowError) -> SMBTarget? {
        let primary = findings.primary
        let names = try dialogue.step(
            "backup browsers", documented: "GetBackupList"
        ) { () throws(FlowError) -> (String, [String]) in
            let names = try desk.backupBrowsers(of: ends.domain, at: primary.address) ?? []
            return (names.isEmpty ? "none answers" : names.joined(separator: " "), names)
        }
        findings.browsers = names
        guard let first = names.first else { return nil }
        if first.uppercased() == primary.name.uppercased() { return primary }
        guard let name = NetBIOSName(first, .server) else { return nil }
        let address = try dialogue.step("address of \(name.description)") {
            () throws(FlowError) -> (String, IPv4Address?) in
            let found = try dialogue.addresses(of: name, in: ends.directory)
            return (found.first?.description ?? "nobody has that name", found.first)
        }
        guard let address else {
            findings.warnings.append("the backup browser \(first) is not to be found")
            return nil
        }
        return SMBTarget(address, name: first)
    }

    static func browse<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ browser: SMBTarget?, _ ends: TrustEnds,
        _ findings: inout TrustFindings
    ) throws(FlowError) {
        let title = "browse list"
        guard let browser else {
            return dialogue.skip(title, "no browser of \(ends.domain.text) answers")
        }
        do throws(FlowError) {
            let servers = try dialogue.step(title, documented: "NetServerEnum2") {
                () throws(FlowError) -> (String, [String]) in
                let session = try SMBSession.begin(dialogue, browser, as: .anonymous)
                defer { session.abandon() }
                let servers = try session.servers(of: ends.domain.text)
                return ("\(servers.count) servers, from \(browser.name)", servers)
            }
            findings.servers = Array(servers.prefix(serverLimit))
        } catch {
            // What a browser says is hearsay; the trust does not rest on it.
            dialogue.forgive(error.description)
            findings.warnings.append("no browse list: \(error.description)")
            return
        }
        let own = findings.primary.name.uppercased()
        if !own.hasPrefix("*"), !findings.servers.contains(where: { $0.uppercased() == own }) {
            findings.warnings.append(
                "the browse list of \(browser.name) does not name \(findings.primary.name)")
        }
    }

    // MARK: 7 to 9: who they are

    static func identify<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, _ provesChannel: Bool,
        _ findings: inout TrustFindings
    ) throws(FlowError) {
        let primary = findings.primary
        let identity = try dialogue.step(
            "server's and domain's names", documented: "NetrWkstaGetInfo; 4 LSA calls, 1,560 bytes"
        ) { () throws(FlowError) -> (String, DomainIdentity) in
            let session = try SMBSession.begin(dialogue, primary, as: .anonymous)
            defer { session.end() }
            let server = try session.workstation()
            if server.domain.uppercased() != ends.domain.text {
                throw dialogue.contradicted(
                    "\(server.computer) is of domain \(server.domain), not of "
                        + ends.domain.text)
            }
            let identity = try session.domainIdentity()
            try dialogue.check(identity, ends)
            return (
                "\(server.computer) \(server.version) of \(identity.name), "
                    + identity.sid.description, identity
            )
        }
        findings.identity = identity
        let session = try dialogue.step("domain's name, once more", documented: "3 LSA calls") {
            () throws(FlowError) -> (String, SMBSession<Link>) in
            let session = try SMBSession.begin(dialogue, primary, as: .anonymous)
            let again = try session.domainIdentity([.accountDomain])
            if again != identity {
                throw dialogue.contradicted("\(primary.name) says another domain each time")
            }
            return ("the same", session)
        }
        defer { session.end() }
        if provesChannel { try proveChannel(dialogue, session, ends) }
    }

    /// Proves the secret over a secure channel of its own.
    private static func proveChannel<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ session: SMBSession<Link>, _ ends: TrustEnds
    ) throws(FlowError) {
        try dialogue.step("secure channel as \(ends.account)") {
            () throws(FlowError) -> (String, Void) in
            let (status, cipher) = try session.prove(ends.channel)
            if status.isError {
                throw dialogue.contradicted(ends.channelRefusal(status))
            }
            return (cipher == .aes ? "keyed, AES" : "keyed, RC4", ())
        }
    }

    // MARK: 10 and 11: controllers that know us

    static func findLogonServers<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ desk: MailslotDesk<Link>, _ ends: TrustEnds,
        _ findings: inout TrustFindings
    ) throws(FlowError) {
        let group = ends.domain.with(.domainControllers)
        let answers = try dialogue.step(
            "SAM LOGON as \(ends.account)", documented: "330 bytes asked, 295 answered"
        ) { () throws(FlowError) -> (String, MailslotDesk<Link>.LogonAnswers) in
            let controllers = try dialogue.addresses(of: group, in: ends.directory)
            let answers = try desk.logonServers(
                of: ends.domain, account: ends.account, sid: ends.ourSID,
                networks: ends.directory.networks, controllers: controllers)
            if let first = answers.unknowing.first, answers.servers.isEmpty {
                throw dialogue.contradicted("\(first) does not know \(ends.account)")
            }
            var words = ""
            for server in answers.servers {
                words += (words.isEmpty ? "" : ", ") + server.name
                    + (server.isPaused ? " (paused)" : "")
            }
            return (words.isEmpty ? "no controller answers" : words, answers)
        }
        for server in answers.servers where !findings.logonServers.contains(server.name) {
            findings.logonServers.append(server.name)
        }
        if answers.servers.isEmpty {
            dialogue.forgive("no controller answers mailslots, as those of today do not")
        }
        for name in answers.unknowing {
            findings.warnings.append("\(name) does not know \(ends.account) yet")
        }
    }
}
