import NTLM
import RPC
import SecureChannel
import Wire

// Binds, alter_contexts and the third leg of an authentication (C706 12.6.4.1 to .5,
// MS-RPCE 3.3.1.5.1 to .3).

extension ServerAssociation {
    func bind(_ fragment: Fragment, _ bytes: [UInt8], _ now: FrontTime) throws(WireError) {
        var body = fragment.bodyReader(bytes.span)
        let asked = try BindPDU(parsing: &body)
        guard group == nil else {
            refuse(fragment.header, .notSpecified)
            return giveUp()
        }
        guard let group = environment.join(asked.associationGroup, from: peer) else {
            return refuse(fragment.header, .notSpecified)
        }
        self.group = group
        // No more than the answer will announce.
        peerFragment = min(Int(asked.maximumReceiveFragment), Limit.fragment)
        isMultiplexed = fragment.header.flags.contains(.concurrentMultiplexing)
        signsHeaders = fragment.header.flags.contains(.supportHeaderSign)
        plainCaller = makeCaller()
        guard let results = results(asked.contexts) else {
            return protocolError(fragment.header)
        }
        switch secure(fragment, bytes, now, isBind: true) {
        case .none: acknowledge(fragment.header, results, nil, [])
        case .token(let state, let token):
            acknowledge(fragment.header, results, state.context, token)
        case .waits: heldResults = results
        case .refused(let reason):
            refuse(fragment.header, reason)
            giveUp()
        }
    }

    func alter(_ fragment: Fragment, _ bytes: [UInt8], _ now: FrontTime) throws(WireError) {
        var body = fragment.bodyReader(bytes.span)
        let asked = try BindPDU(parsing: &body)
        if fragment.header.flags.contains(.supportHeaderSign) { signsHeaders = true }
        guard group != nil, let results = results(asked.contexts) else {
            return protocolError(fragment.header)
        }
        switch secure(fragment, bytes, now, isBind: false) {
        case .none: acknowledge(fragment.header, results, nil, [])
        case .token(let state, let token):
            acknowledge(fragment.header, results, state.context, token)
        case .waits: heldResults = results
        case .refused:
            fault(
                .accessDenied, callID: fragment.header.callID, contextID: 0, executed: false)
        }
    }

    /// auth3 has no answer: what is wrong with it shows at the first request.
    func authenticate(
        _ fragment: Fragment, _ bytes: [UInt8], _ now: FrontTime
    ) throws(WireError) {
        guard group != nil, let auth = fragment.auth,
            let state = securities[auth.context.id], state.context == auth.context,
            case .handshake(let acceptor) = state.stage
        else { return protocolError(fragment.header) }
        let token = Array(bytes[auth.token])
        switch advance(state, acceptor, token, reply: nil, now) {
        case .none, .waits: break
        case .token, .refused: state.stage = .refused
        }
    }

    private func makeCaller() -> RemoteCaller {
        RemoteCaller(
            carriage: carriage, peer: peer, identity: identity,
            handles: group?.handles ?? HandleTable())
    }

    // MARK: Presentation contexts

    /// What becomes of each context, or nil where one is given another meaning than it has.
    private func results(_ asked: [PresentationContext]) -> [PresentationResult]? {
        var results: [PresentationResult] = []
        for context in asked {
            if let known = contexts[context.id], known.syntax != context.abstractSyntax,
                BindTimeFeatures(context) == nil
            {
                return nil
            }
            results.append(result(context))
        }
        return results
    }

    private func result(_ context: PresentationContext) -> PresentationResult {
        if let features = BindTimeFeatures(context) {
            return .features(features.intersection(
                [.securityContextMultiplexing, .keepConnectionOnOrphan]))
        }
        guard let service = environment.service(of: context.abstractSyntax) else {
            return .rejected(.abstractSyntaxNotSupported)
        }
        guard context.transferSyntaxes.contains(.ndr) else {
            return .rejected(.proposedTransferSyntaxesNotSupported)
        }
        guard contexts.count < Limit.contexts || contexts[context.id] != nil else {
            return .rejected(.localLimitExceeded)
        }
        contexts[context.id] = (service, context.abstractSyntax)
        return .accepted(.ndr)
    }

    // MARK: Security

    private enum Secured {
        /// No provider is asked for.
        case none
        case token(SecurityState, [UInt8])
        /// The answer goes out once a logon has been validated.
        case waits
        case refused(BindNakPDU.Reason)
    }

    private func secure(
        _ fragment: Fragment, _ bytes: [UInt8], _ now: FrontTime, isBind: Bool
    ) -> Secured {
        guard let auth = fragment.auth else { return .none }
        let token = Array(bytes[auth.token])
        if let state = securities[auth.context.id] {
            guard state.context == auth.context, case .handshake(let acceptor) = state.stage
            else { return .refused(.notSpecified) }
            return advance(state, acceptor, token, reply: fragment.header, now)
        }
        guard securities.count < Limit.securityContexts,
            let level = SecurityState.effective(auth.context.level)
        else { return .refused(.localLimitExceeded) }
        let secured: Secured
        switch auth.context.type {
        case .winNT, .gssNegotiate:
            let acceptor = SecurityAcceptor(
                identity: environment.identity, challenge: Bytes8(environment.random(8)))
            let state = SecurityState(
                auth.context, makeCaller(), signsHeaders: signsHeaders, .handshake(acceptor))
            secured = advance(state, acceptor, token, reply: fragment.header, now)
            if case .refused = secured { return secured }
            securities[auth.context.id] = state
        case .netlogon:
            secured = secureChannel(auth.context, level, token)
            if case .refused = secured { return secured }
        case _: return .refused(.authenticationTypeNotRecognized)
        }
        if isBind { boundSecurity = securities[auth.context.id] }
        return secured
    }

    private func advance(
        _ state: SecurityState, _ acceptor: SecurityAcceptor, _ token: [UInt8],
        reply: PDUHeader?, _ now: FrontTime
    ) -> Secured {
        var acceptor = acceptor
        do {
            switch try acceptor.accept(token, now: now.fileTime) {
            case .continues(let answer):
                state.stage = .handshake(acceptor)
                return .token(state, answer)
            case .validate(let answered):
                state.stage = .validating(acceptor, reply: reply)
                wish(.validate(state, answered))
                return .waits
            case .anonymous:
                state.stage = .validating(acceptor, reply: reply)
                guard let last = state.validated(
                    .anonymous, sessionKey: Bytes16(), lmKey: Bytes8())
                else { return .refused(.notSpecified) }
                return reply == nil ? .none : .token(state, last)
            }
        } catch {
            state.stage = .refused
            return .refused(.notSpecified)
        }
    }

    /// MS-NRPC 3.3.4.1: the token names the computer, whose key seals from the next PDU on.
    private func secureChannel(
        _ context: SecurityContext, _ level: AuthLevel, _ token: [UInt8]
    ) -> Secured {
        guard level == .integrity || level == .privacy else { return .refused(.notSpecified) }
        var computer = ""
        do {
            var reader = WireReader(token.span, layer: "NL_AUTH_MESSAGE")
            let message = try NLAuthMessage(parsing: &reader)
            guard message.kind == .negotiate else { return .refused(.notSpecified) }
            computer = String(decoding: message.netbiosComputer ?? [], as: UTF8.self)
        } catch {
            return .refused(.notSpecified)
        }
        guard let channel = environment.channels?.channel(of: computer) else {
            return .refused(.notSpecified)
        }
        let caller = makeCaller()
        // A computer is nobody: what it may do, its own calls say.
        caller.identity = .anonymous
        caller.authLevel = level
        caller.authType = .netlogon
        caller.channel = channel
        let protection = CallProtection(
            NetlogonSeal(key: channel.key, isClient: false), level: level,
            signsHeaders: signsHeaders)
        let state = SecurityState(
            context, caller, signsHeaders: signsHeaders, .ready(protection))
        securities[context.id] = state
        var writer = WireWriter(capacity: 12)
        NLAuthMessage(kind: .response).write(into: &writer)
        return .token(state, writer.finish())
    }

    /// What became of the answer that was being validated; nil: it is refused.
    func validated(
        _ state: SecurityState, _ identity: FrontIdentity?, sessionKey: Bytes16, lmKey: Bytes8,
        now: FrontTime
    ) {
        guard !isBroken, case .validating(_, let reply) = state.stage else { return }
        var last: [UInt8]?
        if let identity {
            last = state.validated(identity, sessionKey: sessionKey, lmKey: lmKey)
        }
        if last == nil { state.stage = .refused }
        if let reply {
            if let last {
                acknowledge(reply, heldResults, state.context, last)
            } else if reply.type == .bind {
                refuse(reply, .notSpecified)
                giveUp()
            } else {
                fault(.accessDenied, callID: reply.callID, contextID: 0, executed: false)
            }
        }
        heldResults = []
        resume(now)
    }

    // MARK: Answers

    private func acknowledge(
        _ header: PDUHeader, _ results: [PresentationResult], _ security: SecurityContext?,
        _ token: [UInt8]
    ) {
        let isBind = header.type == .bind
        var flags = PDUFlags.single
        if isMultiplexed { flags.insert(.concurrentMultiplexing) }
        if signsHeaders, header.flags.contains(.supportHeaderSign) {
            flags.insert(.supportHeaderSign)
        }
        let size = UInt16(max(peerFragment, Fragmenter.minimumFragment))
        let body = BindAckPDU(
            maximumTransmitFragment: size, maximumReceiveFragment: UInt16(Limit.fragment),
            associationGroup: group?.id ?? 0,
            secondaryAddress: isBind ? secondaryAddress : [], results: results)
        let answer = PDUHeader(
            isBind ? .bindAck : .alterContextResponse, flags, callID: header.callID)
        var writer = WireWriter(capacity: 256)
        if let security, !token.isEmpty {
            body.write(into: &writer, header: answer, security: security, token: token)
        } else {
            body.write(into: &writer, header: answer)
        }
        emit(writer.finish())
    }

    private func refuse(_ header: PDUHeader, _ reason: BindNakPDU.Reason) {
        var writer = WireWriter(capacity: 24)
        BindNakPDU(reason).write(
            into: &writer, header: PDUHeader(.bindNak, callID: header.callID))
        emit(writer.finish())
    }
}

extension BindTimeFeatures {
    /// The features that a context asks for instead of a transfer syntax.
    init?(_ context: PresentationContext) {
        guard let first = context.transferSyntaxes.first,
            let features = BindTimeFeatures(first)
        else { return nil }
        self = features
    }
}
