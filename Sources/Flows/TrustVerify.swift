import Interfaces
import NetBIOS
import Wire

/// Verifying a trust (flow F3), which also comes before its accounts are listed: what the trusted
/// domain says of itself to nobody, then to a user.
package enum TrustVerify {
    package static func run<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, as user: SessionAccount?
    ) throws(FlowError) -> TrustFindings {
        let desk = try MailslotDesk(dialogue)
        let primary = try TrustEstablish.findPrimary(dialogue, desk, ends)
        var findings = TrustFindings(primary: primary)
        let identity = try identify(dialogue, primary, ends, as: .anonymous)
        findings.identity = identity
        guard let user else {
            dialogue.skip("as a user", "no user was named; --user does")
            return findings
        }
        let server = try dialogue.step(
            "NetrWkstaGetInfo as \(user.user)", documented: "session as the logged-on user"
        ) { () throws(FlowError) -> (String, ServerIdentity) in
            let session = try logOn(dialogue, primary, user)
            defer { session.end() }
            let server = try session.workstation()
            return ("\(server.computer) \(server.version) of \(server.domain)", server)
        }
        if server.domain.uppercased() != ends.domain.text {
            throw dialogue.contradicted(
                "\(server.computer) is of domain \(server.domain), not of \(ends.domain.text)")
        }
        let again = try identify(dialogue, primary, ends, as: .account(user))
        if again != identity {
            throw dialogue.contradicted(
                "\(primary.name) names another domain to a user than to nobody")
        }
        return findings
    }

    /// A session as `user`, whose refusal is explained.
    static func logOn<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget, _ user: SessionAccount
    ) throws(FlowError) -> SMBSession<Link> {
        let (session, outcome) = try SMBSession.open(dialogue, primary, as: .account(user))
        switch outcome {
        case .established(isGuest: false): return session
        case .established(isGuest: true):
            session.abandon()
            throw dialogue.contradicted("\(user.user) is let in as guest only: is it known there?")
        case .refused(_, let status):
            session.abandon()
            throw dialogue.refused(status)
        }
    }

    /// The four LSA calls, apart from what makes a session for them.
    private static func identify<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget, _ ends: TrustEnds,
        as identity: SessionIdentity
    ) throws(FlowError) -> DomainIdentity {
        let whom: String
        switch identity {
        case .anonymous: whom = "null session"
        case .account(let account): whom = "session as \(account.user)"
        }
        let (session, pipe) = try dialogue.step(whom + ", LSA pipe") {
            () throws(FlowError) -> (String, (SMBSession<Link>, PipeCalls<Link>)) in
            let session: SMBSession<Link>
            switch identity {
            case .anonymous: session = try SMBSession.begin(dialogue, primary, as: identity)
            case .account(let account): session = try logOn(dialogue, primary, account)
            }
            let pipe = PipeCalls(session, pipe: LSA.pipe, LSA.interface)
            do throws(FlowError) {
                try pipe.open()
            } catch {
                session.abandon()
                throw error
            }
            return (primary.name, (session, pipe))
        }
        defer { session.end() }
        return try dialogue.step("four LSA calls", documented: "1,560 bytes") {
            () throws(FlowError) -> (String, DomainIdentity) in
            let found = try session.domainIdentity(on: pipe)
            try dialogue.check(found, ends)
            return ("\(found.name), \(found.sid.description)", found)
        }
    }
}
