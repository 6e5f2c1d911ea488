import Crypto
import Domain
import Front
import Interfaces
import Mailslot
import Responder
import SecureChannel
import Wire

/// The embedded domain among those that the router serves.
package final class AgentLocalDomain {
    package let domain: LocalDomain
    package internal(set) var ledger = Ledger()
    /// When what logons left behind is written, by whomever they were validated.
    private(set) var nextDeadline: UInt64 = .max

    /// Milliseconds that the last logons' marks may be lost by when the host fails.
    private static let saveInterval: UInt64 = 60_000

    package init(_ domain: LocalDomain) { self.domain = domain }

    /// There may be marks since. The interval is one of time that passes, whatever clocks say.
    func noteMarks(now: UInt64) {
        guard domain.hasUnsavedStatistics else { return nextDeadline = .max }
        if nextDeadline == .max { nextDeadline = now + Self.saveInterval }
    }

    func tick(now: UInt64) {
        guard nextDeadline <= now else { return }
        nextDeadline = domain.saveStatistics() ? .max : now + Self.saveInterval
    }
}

extension Agent {
    /// Which of the embedded domains a logon is for, or nil where it is for another.
    ///
    /// Who names no domain means a user of ours where there is one of that name, else whoever the
    /// first configured domain knows. A name that nobody knows is taken for ours where no
    /// controller could know it: old clients name their workgroup.
    package func localIndex(domain: String, user: String) -> Int? {
        if locals.isEmpty { return nil }
        for index in locals.indices where Self.same(locals[index].domain.name, domain) {
            return index
        }
        if domain.isEmpty {
            for index in locals.indices where locals[index].domain.account(user) != nil {
                return index
            }
            return firstRoute == nil ? 0 : nil
        }
        if domainIndex(named: domain) != nil { return nil }
        return firstRoute == nil || Self.same(name, domain) ? 0 : nil
    }

    /// Validates a logon by the embedded domain.
    func logon(
        _ call: LogonCall, local index: Int, proof: Ledger.Proof, now: UInt64
    ) -> LogonOutcome {
        let evidence: LocalLogon.Proof
        switch call.proof {
        case .password(let secret): evidence = .password(secret)
        case .hashes(let nt, let lm): evidence = .hashes(nt: nt, lm: lm)
        case .responses(let challenge, let nt, let lm):
            evidence = .responses(challenge: challenge, nt: nt, lm: lm)
        }
        let logon = LocalLogon(
            domain: call.domain, user: call.user, workstation: workstation(of: call),
            control: ParameterControl(rawValue: call.parameterControl), proof: evidence)
        defer { locals[index].noteMarks(now: now) }
        switch validate(logon, local: index, proof, from: call.origin, fileTime) {
        case .accepted(let session):
            let identity = LogonIdentity(session)
            if call.wantsWhole {
                identity.whole = WholeValidation(session.validation(server: name))
            }
            return .accepted(identity)
        case .refused(let status):
            // Under another name than its own the domain does not speak for all there are.
            let isNamed = Self.same(locals[index].domain.name, call.domain)
            return .refused(status, authoritative: isNamed || status != .noSuchUser)
        }
    }

    /// Validates a logon of a user of ours that `peer` brought over its secure channel. The
    /// service does the rest, which is why the domain's answer is given as it is.
    package func validate(
        _ logon: LocalLogon, local index: Int, from peer: IPv4Address, now: FrontTime
    ) -> LocalOutcome {
        let origin = LogonOrigin.network(.member, peer)
        let proof = Ledger.Proof(logon)
        let outcome = validate(logon, local: index, proof, from: origin, now.fileTime)
        count(
            CountedLogon(
                origin: origin, proof: proof, computer: logon.workstation,
                domain: logon.domain, user: logon.user), LogonResult(outcome), now: now.now)
        return outcome
    }

    /// Both policies are kept before the domain compares anything, so that nobody learns by the
    /// answer whom there is, and nobody is locked out by a computer that knows nothing better. An
    /// LM response that stands alone may be one of LMv2: where the listener takes it, the domain
    /// tells, by the password.
    private func validate(
        _ logon: LocalLogon, local index: Int, _ proof: Ledger.Proof, from origin: LogonOrigin,
        _ fileTime: UInt64
    ) -> LocalOutcome {
        let local = locals[index]
        local.ledger.asked(proof)
        var logon = logon
        logon.taken = listeners[origin]
        let policy = local.domain.proofs.narrowed(by: logon.taken)
        let outcome = (proof == .lm ? logon.taken : policy).blocks(proof)
            ? .refused(.ntlmBlocked) : local.domain.validate(logon, now: fileTime)
        local.ledger.answered(LogonResult(outcome))
        return outcome
    }

    /// What a client that looks for a controller is told of the account that it names: one of
    /// ours is known where it may log on at all, and is of a kind that the client asks for.
    package func knowledge(
        of user: String, in domain: String, _ control: AccountControl
    ) -> AccountKnowledge {
        guard let local = locals.first(where: { Self.same($0.domain.name, domain) }) else {
            return .undecided
        }
        guard let account = local.domain.account(user), !account.isDisabled else {
            return .unknown
        }
        // The mailslot's bits are those of SAM (MS-ADTS 6.3.1.5).
        let asked = AccountFlags(rawValue: control.rawValue).intersection(.kinds)
        return asked.isEmpty || !asked.isDisjoint(with: account.flags) ? .known : .unknown
    }

    /// What the time is, as a FILETIME (MS-DTYP 2.3.3). It may go back, and leap.
    package var fileTime: UInt64 { FileTime.at(unixSeconds: unixSeconds()) }

    /// The front has validated logons, or somebody has changed accounts.
    package func noteMarks(now: UInt64) {
        for local in locals { local.noteMarks(now: now) }
    }
}

extension Agent {
    /// What another domain's controller says of a user, as far as it may: of the users and groups
    /// of our own domain, and of this host's, it has no say (MS-PAC 4.1.2.2). Our own domain's
    /// primary, whom a backup asks, speaks for it.
    func believed(_ outcome: LogonOutcome, from domain: AgentDomain) -> LogonOutcome {
        guard case .accepted(let user) = outcome else { return outcome }
        if domain.isOfBackup {
            user.isOurs = Self.same(user.domain, domain.name)
            return outcome
        }
        for local in locals {
            let sid = local.domain.sid
            if Self.same(user.domain, local.domain.name) || user.domainSID == sid {
                return .unavailable(.badReply)
            }
            if let whole = user.whole, case .list(let list) = whole.info.extraSIDs {
                whole.info.extraSIDs = .list(
                    list.filter { $0.sid.domain != sid && $0.sid.domain != SID.builtinDomain })
            }
        }
        return outcome
    }
}

extension LogonIdentity {
    package convenience init(_ session: LocalSession) {
        self.init(
            user: session.account.name, domain: session.domainName,
            fullName: session.account.fullName, userRID: session.account.rid,
            primaryGroupRID: session.account.primaryGroupRID, domainSID: session.domainSID,
            groupRIDs: session.account.groupRIDs, sessionKey: session.sessionKey,
            lmKey: session.lmKey, userFlags: session.userFlags.rawValue, isOurs: true)
    }
}
