import Crypto
import NTLM
import SMB
import Wire

/// A session setup whose user is being validated.
struct SMBLogon {
    enum Way {
        /// Responses, or a password, in the request itself.
        case direct
        case extended
        /// The core dialect's: the tree that is taken when the logon is.
        case core(SMBTree.Share)
    }

    var uid: UInt16
    var user: String
    var way: Way
    /// What the key of the signatures is made with beside the session's.
    var response: [UInt8] = []
    /// Whether the client signs what follows.
    var signs = false
}

extension SMBConnection {
    // MARK: Session setup

    func setUpSession(
        _ request: SMB1.SessionSetupRequest, _ reader: borrowing WireReader,
        _ dialect: SMBDialect, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        if !sessions.contains(where: { $0.identity != nil }) {
            let size = max(Int(request.maxBufferSize), SMBLimits.smallestBuffer)
            clientBuffer = min(size, SMBLimits.message)
        }
        var logon = SMBLogon(
            uid: 0, user: request.accountName ?? "", way: .direct)
        logon.signs = wantsSigning(exchange)
        switch request.credentials {
        case .lanMan(let password):
            let proof = proof(lm: password, nt: [])
            return setUp(logon, proof, request.primaryDomain, exchange, now)
        case .ntLM(let oem, let unicode, _):
            logon.response = unicode
            let proof = proof(lm: oem, nt: unicode)
            return setUp(logon, proof, request.primaryDomain, exchange, now)
        case .extended(let blob, _):
            logon.way = .extended
            return negotiateSession(logon, reader.copy(blob), exchange, now)
        }
    }

    /// MS-CIFS 3.2.4.2.4, seen from here: the client says that it signs, or it must.
    private func wantsSigning(_ exchange: SMBExchange) -> Bool {
        switch context.settings.signing {
        case .off: false
        case .offered: exchange.header.flags2.contains(.securitySignature)
        case .required: true
        }
    }

    /// What a session setup proves its user with.
    private enum Proof {
        case nothing
        case responses(lm: [UInt8], nt: [UInt8])
        case password([UInt8])
    }

    /// 24 bytes are LM's or NT's response; NTLMv2's are more. Else it is a password in plain,
    /// with its terminator, and that alone is no password.
    private func proof(lm: [UInt8], nt: [UInt8]) -> Proof {
        if nt.count >= 24 || lm.count == 24 { return .responses(lm: lm, nt: nt) }
        var plain = lm
        while plain.last == 0 { plain.removeLast() }
        let hasUnicode = nt.contains { $0 != 0 }
        return plain.isEmpty && !hasUnicode ? .nothing : .password(plain)
    }

    private func setUp(
        _ logon: SMBLogon, _ proof: Proof, _ domain: String?, _ exchange: SMBExchange,
        _ now: FrontTime
    ) -> SMBStep {
        guard let uid = newSession() else { return .failed(.insuffServerResources) }
        var logon = logon
        logon.uid = uid
        let asked: FrontLogon.Proof
        switch proof {
        case .nothing:
            // Without a password there is nobody but nobody: there are no guests.
            if !logon.user.isEmpty { return refused(logon, .logonFailure) }
            return nullSession(logon, exchange, now)
        case .responses(let lm, let nt):
            asked = .responses(challenge: challenge, nt: nt, lm: lm)
        case .password(let password):
            if password.isEmpty { return refused(logon, .logonFailure) }
            asked = .password(Secret(Array(OEMCodePage.string(password).utf8)))
        }
        let front = FrontLogon(
            domain: domain ?? "", user: logon.user, workstation: clientName, proof: asked,
            at: listener, from: peer)
        if case .password = asked, blocksPlain(front) { return refused(logon, .logonFailure) }
        return validate(front, logon, exchange, now)
    }

    /// Whether a logon by a password in plain is not taken, which is counted.
    func blocksPlain(_ front: FrontLogon) -> Bool {
        if context.settings.allowsPlainPasswords { return false }
        context.counters.plainPasswords += 1
        context.emit(.blocked(front))
        return true
    }

    /// A new session under a UID of its own; nil where there are too many.
    private func newSession() -> UInt16? {
        if sessions.count >= SMBLimits.sessions { return nil }
        if sessions.count(where: { $0.identity == nil }) >= SMBLimits.unfinishedSessions {
            return nil
        }
        let uid = number { used in sessions.contains { $0.uid == used } }
        sessions.append(SMBSession(uid: uid, state: .validating))
        return uid
    }

    private func nullSession(
        _ logon: SMBLogon, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        if !context.settings.allowsNullSessions { return refused(logon, .accessDenied) }
        return accepted(logon, .anonymous, exchange, now)
    }

    // MARK: Extended security

    private func negotiateSession(
        _ logon: SMBLogon, _ blob: [UInt8], _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        var logon = logon
        var acceptor: SecurityAcceptor
        if let index = sessions.firstIndex(where: { $0.uid == exchange.uid }),
            case .handshaking(let begun) = sessions[index].state
        {
            logon.uid = exchange.uid
            acceptor = begun
        } else {
            guard let uid = newSession() else { return .failed(.insuffServerResources) }
            logon.uid = uid
            acceptor = SecurityAcceptor(
                identity: context.settings.identity, challenge: Bytes8(context.random(8)))
        }
        let step: SecurityAcceptor.Step
        do throws(SecurityAcceptor.Refused) {
            step = try acceptor.accept(blob, now: now.fileTime)
        } catch {
            return refused(logon, error == .mechanism ? .notSupported : .logonFailure)
        }
        keep(.handshaking(acceptor), of: logon.uid)
        switch step {
        case .continues(let answer):
            exchange.uid = logon.uid
            exchange.status = .moreProcessingRequired
            appendSetup(exchange, blob: answer)
            // More is needed first: what is chained behind cannot be carried out.
            respond(exchange)
            return .answered
        case .anonymous:
            if !context.settings.allowsNullSessions { return refused(logon, .accessDenied) }
            return accepted(logon, .anonymous, exchange, now)
        case .validate(let answered):
            logon.user = answered.user
            let front = FrontLogon(
                domain: answered.domain, user: answered.user,
                workstation: answered.workstation.isEmpty ? clientName : answered.workstation,
                parameterControl: FrontLogon.computersMayLogOn, proof: answered.proof,
                at: listener, from: peer)
            return validate(front, logon, exchange, now)
        }
    }

    private func keep(_ state: SMBSession.State, of uid: UInt16) {
        guard let index = sessions.firstIndex(where: { $0.uid == uid }) else { return }
        sessions[index].state = state
    }

    // MARK: Validation

    /// Asks the owner, unless too many logons have failed.
    func validate(
        _ front: FrontLogon, _ logon: SMBLogon, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        if pending.count >= SMBLimits.requests { return refused(logon, .insuffServerResources) }
        // Nobody is called so, and what fails is kept by its name.
        if front.longestName > SMBLimits.name { return refused(logon, .logonFailure) }
        context.counters.logons += 1
        switch context.logons.submit(front, for: id, now: now.now) {
        case .ask(let token):
            exchange.wait = .logon(token: token, logon)
            context.emit(.logon(token: token, front))
            return .waiting
        case .wait(let token):
            exchange.wait = .logon(token: token, logon)
            return .waiting
        case .refuse:
            context.counters.refusedGuesses += 1
            return refused(logon, .accountLockedOut)
        case .full:
            return refused(logon, .insuffServerResources)
        }
    }

    func logonAnswered(_ token: UInt64, _ verdict: FrontVerdict, _ now: FrontTime) {
        let index = pending.firstIndex {
            if case .logon(token, _) = $0.wait { return true }
            return false
        }
        guard let index else { return }
        let exchange = pending.remove(at: index)
        guard case .logon(_, let logon) = exchange.wait else { return }
        exchange.wait = nil
        switch verdict {
        case .accepted(let identity):
            if identity.kind == .guest {
                resume(exchange, refused(logon, .logonFailure), now)
                return
            }
            resume(exchange, accepted(logon, identity, exchange, now), now)
        case .refused(let status):
            context.counters.failedLogons += 1
            // A wrong name looks like a wrong password, so that nobody learns who there is.
            resume(exchange, refused(logon, status.isGuess ? .logonFailure : status), now)
        case .unavailable:
            resume(exchange, refused(logon, verdict.status), now)
        }
    }

    private func refused(_ logon: SMBLogon, _ status: NTStatus) -> SMBStep {
        sessions.removeAll { $0.uid == logon.uid }
        return .failed(status)
    }

    /// The session stands. Its key signs from this response on, if it is the first that can.
    private func accepted(
        _ logon: SMBLogon, _ identity: FrontIdentity, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        var identity = identity
        var blob: [UInt8]?
        var response = logon.response
        if case .extended = logon.way {
            guard let end = finishHandshake(logon, identity) else {
                return refused(logon, .logonFailure)
            }
            blob = end.blob
            identity.sessionKey = end.exportedSessionKey
            response = []
        }
        let signs = logon.signs && identity.kind != .anonymous && !isZero(identity.sessionKey)
            && (blob != nil || !response.isEmpty)
        if context.settings.signing == .required && identity.kind != .anonymous && !signs
            && signing == nil
        {
            return refused(logon, .accessDenied)
        }
        keep(.valid(identity), of: logon.uid)
        authenticated(identity, now)
        exchange.uid = logon.uid
        exchange.status = .success
        if signs && signing == nil {
            signing = SMB1.Signing(
                sessionKey: identity.sessionKey.bytes, challengeResponse: response,
                md5: { MD5.hash($0, $1) })
            exchange.answerSequence = 1
            nextSequence = 2
        }
        if case .core(let share) = logon.way {
            return takeTree(share, exchange)
        }
        appendSetup(exchange, blob: blob)
        return .done
    }

    private func finishHandshake(
        _ logon: SMBLogon, _ identity: FrontIdentity
    ) -> SecurityAcceptor.Session? {
        guard let session = sessions.first(where: { $0.uid == logon.uid }),
            case .handshaking(var acceptor) = session.state
        else { return nil }
        do throws(SecurityAcceptor.Refused) {
            return try acceptor.finish(sessionKey: identity.sessionKey, lmKey: Bytes8())
        } catch {
            return nil
        }
    }

    private func isZero(_ key: Bytes16) -> Bool { key == Bytes16() }

    private func appendSetup(_ exchange: SMBExchange, blob: [UInt8]?) {
        var answer = SMB1.SessionSetupResponse(securityBlob: blob.map { 0..<$0.count })
        answer.nativeOS = "Windows NT 4.0"
        answer.nativeLanMan = "NT LAN Manager 4.0"
        answer.primaryDomain = context.settings.domainName
        exchange.append(answer, from: blob ?? [])
    }

    // MARK: Logoff

    func logOff(_ uid: UInt16) {
        closeOpens { $0.uid == uid }
        searches.removeAll { $0.uid == uid }
        assemblies.removeAll { $0.uid == uid }
        trees.removeAll { $0.uid == uid }
        sessions.removeAll { $0.uid == uid }
    }
}
