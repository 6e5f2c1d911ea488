import NTLM
import RPC
import SecureChannel
import Wire

/// One security context of an association: from its first token to the keys that protect calls.
final class SecurityState {
    enum Stage {
        case handshake(SecurityAcceptor)
        /// The client's answer is being validated elsewhere; `reply` is the PDU that it came in,
        /// if that one is to be answered.
        case validating(SecurityAcceptor, reply: PDUHeader?)
        case ready(CallProtection)
        case refused
    }

    let context: SecurityContext
    let caller: RemoteCaller
    /// The client's end signs headers.
    let signsHeaders: Bool
    var stage: Stage

    init(
        _ context: SecurityContext, _ caller: RemoteCaller, signsHeaders: Bool, _ stage: Stage
    ) {
        self.context = context
        self.caller = caller
        self.signsHeaders = signsHeaders
        self.stage = stage
    }

    /// Levels below the packet's protect nothing; those between are raised to integrity, as
    /// MS-RPCE 3.3.1.5.2 lets a server do.
    static func effective(_ level: AuthLevel) -> AuthLevel? {
        switch level {
        case .connect: .connect
        case .call, .packet, .integrity: .integrity
        case .privacy: .privacy
        case _: nil
        }
    }

    var isValidating: Bool {
        if case .validating = stage { return true }
        return false
    }

    /// The client owes its next token.
    var isHandshake: Bool {
        if case .handshake = stage { return true }
        return false
    }

    /// Somebody has proved to be who they are: a user, or a computer by its secure channel.
    var isAuthenticated: Bool {
        guard case .ready = stage else { return false }
        return caller.identity.kind != .anonymous || caller.channel != nil
    }

    /// The bytes that a handshake has the server keep.
    var heldBytes: Int {
        switch stage {
        case .handshake(let acceptor), .validating(let acceptor, _): acceptor.heldBytes
        case .ready, .refused: 0
        }
    }

    /// Lets go of a handshake that will not be finished.
    func giveUp() {
        switch stage {
        case .handshake, .validating: stage = .refused
        case .ready, .refused: break
        }
    }

    /// Takes the keys and the identity that a validation ended in. Returns the last token for the
    /// client, or nil where the answer's own protection does not hold.
    func validated(_ identity: FrontIdentity, sessionKey: Bytes16, lmKey: Bytes8) -> [UInt8]? {
        guard case .validating(var acceptor, _) = stage,
            let level = Self.effective(context.level)
        else { return nil }
        do {
            let session = try acceptor.finish(sessionKey: sessionKey, lmKey: lmKey)
            caller.identity = identity
            caller.identity.sessionKey = session.exportedSessionKey
            caller.authLevel = level
            caller.authType = context.type
            stage = .ready(
                CallProtection(
                    session.security, level: level, signsHeaders: signsHeaders,
                    countsApart: session.flags.contains(.extendedSessionSecurity)))
            return session.blob
        } catch {
            stage = .refused
            return nil
        }
    }
}
