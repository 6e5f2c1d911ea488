import Crypto
import Wire

/// The server's half of the security blobs that SMB, RPC and HTTP carry: NTLMSSP, bare or within
/// SPNEGO.
///
///     client's offer ─ accept ─→ .continues(challenge)
///     client's answer ─ accept ─→ .validate or .anonymous ─ finish(keys) ─→ last blob, session
///
/// A client whose SPNEGO prefers another mechanism is told to go on with NTLMSSP, and both ends
/// then sign the list of mechanisms, unless the client is of an age that does not.
package struct SecurityAcceptor {
    package enum Step {
        /// Goes to the client, whose next blob is awaited.
        case continues([UInt8])
        /// Somebody must validate this; `finish` once it proved right.
        case validate(Answered)
        /// A null session: `finish` with keys of zeros.
        case anonymous
    }

    /// A client's answer to our challenge, as a network logon carries it.
    package struct Answered {
        package var domain: String
        package var user: String
        package var workstation: String
        package var challenge: Bytes8
        package var ntResponse: [UInt8]
        package var lmResponse: [UInt8]
    }

    /// What the handshake ends in.
    package struct Session {
        /// For the client; empty where nothing more is to be said.
        package var blob: [UInt8]
        package var flags: NegotiateFlags
        package var exportedSessionKey: Bytes16
        package var security: MessageSecurity
    }

    package enum Refused: Error, Equatable {
        /// A blob that cannot be read.
        case malformed
        /// A blob that this state of the handshake has no place for.
        case unexpected
        /// SPNEGO without NTLMSSP among its mechanisms.
        case mechanism
        /// A MIC or a key that does not fit.
        case integrity
    }

    private enum State {
        case begun
        /// SPNEGO agreed on NTLMSSP, whose first token is yet to come.
        case agreed
        case challenged
        case answered(ServerHandshake.Answer)
        case ended
    }

    private var handshake: ServerHandshake
    private var state = State.begun
    private var isSPNEGO = false
    /// What the codes over the mechanisms cover; empty where no list was given.
    private var mechTypes: [UInt8] = []
    /// The client was asked for a code over its list, of which NTLMSSP is not the first.
    private var asksForMIC = false
    private var clientMIC: [UInt8]?

    /// `challenge` is fresh randomness.
    package init(identity: ServerHandshake.Identity, challenge: Bytes8) {
        handshake = ServerHandshake(identity: identity, serverChallenge: challenge)
    }

    /// What a server says first where SMB lets it: which mechanisms it has (MS-SPNG 3.2.5.2).
    package static func hint() -> [UInt8] {
        let nothing: [UInt8] = []
        var writer = WireWriter(capacity: 96)
        NegTokenInit(mechTypes: [.ntlmssp], hasHints: true)
            .write(from: nothing.span, into: &writer)
        return writer.finish()
    }

    /// The bytes that the handshake has its owner keep: of messages, and of parts of them.
    package var heldBytes: Int {
        var count = handshake.heldBytes + mechTypes.count + (clientMIC?.count ?? 0)
        if case .answered(let answer) = state {
            count += answer.ntResponse.count + answer.lmResponse.count
                + answer.encryptedSessionKey.count
        }
        return count
    }

    // MARK: The client's blobs

    /// `now` is a FILETIME.
    package mutating func accept(_ blob: [UInt8], now: UInt64) throws(Refused) -> Step {
        let received: Received
        do {
            received = try Received(blob)
        } catch {
            state = .ended
            throw .malformed
        }
        switch received.kind {
        case .bare: break
        case .initial(let mechanisms):
            guard case .begun = state, !isSPNEGO else { throw .unexpected }
            isSPNEGO = true
            mechTypes = received.mechTypeList
            return try begin(mechanisms, received.token, now)
        case .response:
            guard isSPNEGO else { throw .unexpected }
            if let code = received.mechListMIC { clientMIC = code }
        }
        guard let token = received.token else { throw .unexpected }
        return try take(token, now)
    }

    /// A blob's parts, in memory of their own.
    private struct Received {
        enum Kind {
            case bare
            case initial([MechType])
            case response
        }

        var kind: Kind
        var token: [UInt8]?
        var mechTypeList: [UInt8] = []
        var mechListMIC: [UInt8]?

        init(_ blob: [UInt8]) throws(WireError) {
            var reader = WireReader(blob.span, layer: "security blob")
            let parsed = try NegotiationToken(parsing: &reader)
            if let range = parsed.mechToken { token = reader.copy(range) }
            switch parsed {
            case .bare: kind = .bare
            case .initial(let initial):
                kind = .initial(initial.mechTypes)
                mechTypeList = reader.copy(initial.mechTypeList)
            case .response(let response):
                kind = .response
                if let range = response.mechListMIC { mechListMIC = reader.copy(range) }
            }
        }
    }

    private mutating func begin(
        _ mechanisms: [MechType], _ token: [UInt8]?, _ now: UInt64
    ) throws(Refused) -> Step {
        guard let first = mechanisms.first, mechanisms.contains(.ntlmssp) else {
            throw .mechanism
        }
        if first == .ntlmssp, let token { return try take(token, now) }
        asksForMIC = first != .ntlmssp && !Self.mayKnowNoMIC(mechanisms)
        state = .agreed
        let answer = NegTokenResp(
            negState: asksForMIC ? .requestMIC : .acceptIncomplete, supportedMech: .ntlmssp)
        return .continues(wrapped(answer, []))
    }

    /// Whether the client may be older than RFC 4178, whose state "request-mic" (4.2.2) obliges
    /// an initiator to send a code (section 5, c), and without which some initiators take no other
    /// mechanism than their first. Windows before Vista knows neither state nor code (MS-SPNG
    /// 3.1.5.1 and its product note): it names Kerberos as Windows 2000 misspelled it. Later ones
    /// do too, and take either answer: servers of those days gave them this one.
    private static func mayKnowNoMIC(_ mechanisms: [MechType]) -> Bool {
        mechanisms.contains(.microsoftKerberos)
    }

    private mutating func take(_ token: [UInt8], _ now: UInt64) throws(Refused) -> Step {
        do {
            switch state {
            case .begun: return try offered(token, now, names: isSPNEGO)
            case .agreed: return try offered(token, now, names: false)
            case .challenged: return try answered(token)
            case .answered, .ended: break
            }
        } catch {
            state = .ended
            throw .malformed
        }
        throw .unexpected
    }

    /// `names`: the mechanism is still to be named.
    private mutating func offered(
        _ token: [UInt8], _ now: UInt64, names: Bool
    ) throws(WireError) -> Step {
        let challenge = try handshake.challenge(negotiate: token, now: now)
        state = .challenged
        if !isSPNEGO { return .continues(challenge) }
        let answer = NegTokenResp(
            negState: .acceptIncomplete, supportedMech: names ? .ntlmssp : nil,
            responseToken: 0..<challenge.count)
        return .continues(wrapped(answer, challenge))
    }

    private mutating func answered(_ token: [UInt8]) throws(WireError) -> Step {
        let answer = try handshake.accept(authenticate: token)
        state = .answered(answer)
        if answer.isAnonymous { return .anonymous }
        let proof = answer.networkProof(serverChallenge: handshake.serverChallenge)
        return .validate(
            Answered(
                domain: answer.domainName, user: answer.userName,
                workstation: answer.workstation,
                challenge: proof.challenge, ntResponse: answer.ntResponse,
                lmResponse: proof.lm))
    }

    private func wrapped(_ token: NegTokenResp, _ payload: [UInt8]) -> [UInt8] {
        var writer = WireWriter(capacity: 64 + payload.count)
        token.write(from: payload.span, into: &writer)
        return writer.finish()
    }

    // MARK: The end

    /// The session, once the answer proved right. Both keys come with the validation.
    package mutating func finish(
        sessionKey: Bytes16, lmKey: Bytes8
    ) throws(Refused) -> Session {
        guard case .answered(let answer) = state else { throw .unexpected }
        state = .ended
        let session: NTLMSession
        do {
            session = try handshake.session(
                answer, sessionBaseKey: sessionKey, lmSessionKey: lmKey)
        } catch {
            throw .integrity
        }
        var security = session.security
        var blob: [UInt8] = []
        // Whoever has no MIC in NTLMSSP itself is believed to have none for SPNEGO either. Nothing
        // is lost by that: no attacker can lower a client to the only mechanism there is.
        let isDemanded = asksForMIC && handshake.promisesMIC(answer)
        if isSPNEGO { blob = try lastToken(&security, demandsMIC: isDemanded) }
        return Session(
            blob: blob, flags: session.flags, exportedSessionKey: session.exportedSessionKey,
            security: security)
    }

    private func lastToken(
        _ security: inout MessageSecurity, demandsMIC: Bool
    ) throws(Refused) -> [UInt8] {
        guard let clientMIC else {
            if demandsMIC { throw .integrity }
            return wrapped(NegTokenResp(negState: .acceptCompleted), [])
        }
        do {
            try security.verify(mechListMIC: clientMIC, mechTypes)
        } catch {
            throw .integrity
        }
        let code = security.mechListMIC(mechTypes).bytes
        return wrapped(
            NegTokenResp(negState: .acceptCompleted, mechListMIC: 0..<code.count), code)
    }

    /// What tells a client of SPNEGO that it is refused; nothing to a bare NTLMSSP.
    package var refusal: [UInt8] { isSPNEGO ? wrapped(NegTokenResp(negState: .reject), []) : [] }
}
