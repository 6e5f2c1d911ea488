import Interfaces
import NetBIOS
import SecureChannel
import Wire

/// Verifying a trust (flow F3), which also comes before its accounts are listed: what the trusted
/// domain says of itself to nobody, then to a user.
package struct TrustVerify<Link: Exchange> {
    private let dialogue: Dialogue<Link>
    private let ends: TrustEnds
    /// What follows in the same session lets some frames be saved.
    private let isPrelude: Bool

    private init(_ dialogue: Dialogue<Link>, _ ends: TrustEnds, isPrelude: Bool) {
        self.dialogue = dialogue
        self.ends = ends
        self.isPrelude = isPrelude
    }

    /// `secrets`: those of the channel, which is made with them at the end; none where an agent
    /// holds it, which ours would break. Where the controller speaks no SMB1 that is all there is.
    package static func run(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, as user: SessionAccount?,
        secrets: [Bytes16] = []
    ) throws(FlowError) -> TrustFindings {
        var (findings, session) = try verify(dialogue, ends, as: user, isPrelude: false)
        session?.end()
        if !secrets.isEmpty, let settings = ends.channelSettings {
            try dialogue.proveChannel(
                settings, secrets: secrets, at: [findings.primary.controller])
            findings.isProved = true
        }
        return findings
    }

    /// Verifies, and leaves the user's session open for more. Nil where no user was named.
    static func verify(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, as user: SessionAccount?, isPrelude: Bool
    ) throws(FlowError) -> (findings: TrustFindings, session: SMBSession<Link>?) {
        let flow = TrustVerify(dialogue, ends, isPrelude: isPrelude)
        let desk = try MailslotDesk(dialogue)
        let primary = try TrustEstablish.findPrimary(
            dialogue, desk, ends.domain, ends.directory, ends.controllers)
        var findings = TrustFindings(primary: primary)
        let identity: DomainIdentity
        do throws(FlowError) {
            let first = try nullSession(dialogue, primary)
            // The documented flow says good-bye to the second session only.
            defer { first.abandon() }
            identity = try flow.identify(first, hurries: false)
        } catch {
            guard flow.mayLackSMB1(error) else { throw error }
            dialogue.forgive("\(primary.name) speaks no SMB1 (\(error.description))")
            dialogue.skip("as a user", "only over SMB1, which the controller does not speak")
            return (findings, nil)
        }
        findings.identity = identity
        guard let user else {
            dialogue.skip("as a user", "no user was named; --user does")
            return (findings, nil)
        }
        let session = try flow.meet(primary, user)
        do throws(FlowError) {
            let again = try flow.identify(session, hurries: isPrelude)
            if again != identity {
                throw dialogue.contradicted(
                    "\(primary.name) names another domain to a user than to nobody")
            }
        } catch {
            session.abandon()
            throw error
        }
        return (findings, session)
    }

    /// Whether a controller of today fails so, where the flow can go on with its channel. Accounts
    /// cannot be listed without SMB1.
    private func mayLackSMB1(_ error: FlowError) -> Bool {
        error.isUnavailable && !isPrelude && ends.channelSettings?.profile == .modern
    }

    /// The user's session, and what the server says of itself in it.
    private func meet(
        _ primary: SMBTarget, _ user: SessionAccount
    ) throws(FlowError) -> SMBSession<Link> {
        try dialogue.step(
            "NetrWkstaGetInfo as \(user.user)", documented: "session as the logged-on user"
        ) { () throws(FlowError) -> (String, SMBSession<Link>) in
            let session = try Self.logOn(dialogue, primary, user)
            do throws(FlowError) {
                let server = try session.workstation()
                if server.domain.uppercased() != ends.domain.text {
                    throw dialogue.contradicted(
                        "\(server.computer) is of domain \(server.domain), not of "
                            + ends.domain.text)
                }
                return ("\(server.computer) \(server.version) of \(server.domain)", session)
            } catch {
                session.abandon()
                throw error
            }
        }
    }

    /// Connects for a null session, which is set up together with the first call.
    static func nullSession(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget
    ) throws(FlowError) -> SMBSession<Link> {
        try dialogue.step("connect for a null session") {
            () throws(FlowError) -> (String, SMBSession<Link>) in
            (primary.name, try SMBSession.begin(dialogue, primary, as: .anonymous))
        }
    }

    /// A session as `user`, whose refusal is explained.
    static func logOn(
        _ dialogue: Dialogue<Link>, _ primary: SMBTarget, _ user: SessionAccount
    ) throws(FlowError) -> SMBSession<Link> {
        let (session, outcome) = try SMBSession.open(dialogue, primary, as: .account(user))
        switch outcome {
        case .established(isGuest: false): return session
        case .established(isGuest: true):
            session.abandon()
            throw dialogue.contradicted(
                "\(user.user) is let in as guest only: is it known there?")
        case .refused(_, let status):
            session.abandon()
            throw dialogue.refused(status)
        }
    }

    /// The four LSA calls. Where they are verified for their own sake, the pipe is opened before,
    /// in a step of its own, so that they alone are counted as the documentation counts them.
    private func identify(
        _ session: SMBSession<Link>, hurries: Bool
    ) throws(FlowError) -> DomainIdentity {
        var pipe: PipeCalls<Link>?
        if !isPrelude {
            pipe = try dialogue.step("LSA pipe") {
                () throws(FlowError) -> (String, PipeCalls<Link>) in
                let pipe = PipeCalls(session, pipe: LSA.pipe, LSA.interface)
                try pipe.open()
                return ("", pipe)
            }
        }
        return try dialogue.step("four LSA calls", documented: "1,560 bytes") {
            () throws(FlowError) -> (String, DomainIdentity) in
            let found = try session.domainIdentity(on: pipe, hurries: hurries)
            try dialogue.check(found, ends)
            return ("\(found.name), \(found.sid.description)", found)
        }
    }
}
