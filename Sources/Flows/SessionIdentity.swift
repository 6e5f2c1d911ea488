import Crypto
import NTLM
import SMB
import Wire

/// As whom a session is made.
package enum SessionIdentity {
    case anonymous
    case account(SessionAccount)

    package var isAnonymous: Bool {
        if case .anonymous = self { return true }
        return false
    }
}

package struct SessionAccount {
    package var user: String
    package var domain: String
    package var ntowf: Bytes16
    /// Whether an NTLMv1 response may go over the wire, which a weak password does not outlive.
    /// It is how the documented flows log on, and all that old servers take.
    package var allowsNTLMv1: Bool
    /// Whether NTLMSSP is tried first all the same. Without it Samba gives a session no key, under
    /// which passwords could be set.
    package var prefersExtended = false

    package init(user: String, domain: String, ntowf: Bytes16, allowsNTLMv1: Bool) {
        self.user = user
        self.domain = domain
        self.ntowf = ntowf
        self.allowsNTLMv1 = allowsNTLMv1
    }

    var beginsPlain: Bool { allowsNTLMv1 && !prefersExtended }
}

/// The ways of logging on, by what they demand of the server.
enum LogonWay {
    case anonymous
    /// The responses go in the session setup itself.
    case responses
    /// NTLMSSP.
    case extended
}

/// What a logon needs once and must not repeat, as randomness of the exchange.
struct LogonNonces {
    var clientChallenge: Bytes8
    var sessionKey: Bytes16
    /// FILETIME.
    var now: UInt64

    init<Link: Exchange>(_ link: Link) {
        clientChallenge = Bytes8(link.random(8))
        sessionKey = Bytes16(link.random(16))
        now = FileTime.at(unixMicroseconds: link.unixMicroseconds)
    }
}

/// The session's key, once its responses are made: what SAM's passwords go under.
final class SessionKeyHolder {
    var key: Bytes16?
}

extension SessionAccount {
    func credentials(
        _ way: LogonWay, _ nonces: LogonNonces, workstation: String, _ holder: SessionKeyHolder
    ) -> SMB1.ClientSession.Credentials {
        switch way {
        case .anonymous: return .anonymous
        case .responses: return .user { peer in responses(peer, nonces, holder) }
        case .extended:
            let logon = ExtendedLogon(self, nonces, workstation: workstation, holder)
            return .extended { token in
                guard let answer = logon.answer(token) else { return nil }
                guard let key = answer.key else {
                    return SMB1.ClientSession.SecurityStep(token: answer.token, isLast: false)
                }
                return SMB1.ClientSession.SecurityStep(
                    token: answer.token, isLast: true,
                    signing: SMB1.Signing(
                        sessionKey: key.bytes, challengeResponse: [],
                        md5: { key, message in MD5.hash(key, message) }))
            }
        }
    }

    /// The same for SMB2.
    func newSteps(
        _ nonces: LogonNonces, workstation: String, _ holder: SessionKeyHolder
    ) -> (_ token: [UInt8]) -> SMB2.ClientSession.SecurityStep? {
        let logon = ExtendedLogon(self, nonces, workstation: workstation, holder)
        return { token in
            guard let answer = logon.answer(token) else { return nil }
            return SMB2.ClientSession.SecurityStep(
                token: answer.token,
                signing: answer.key.map { key in
                    SMB2.Signing(
                        sessionKey: key,
                        hmacSHA256: { key, message in HMACSHA256.code(key: key, message) })
                })
        }
    }

    private func responses(
        _ peer: SMB1.NegotiateNTLM, _ nonces: LogonNonces, _ holder: SessionKeyHolder
    ) -> SMB1.ClientSession.Logon {
        var challenge = Bytes8()
        if case .challenge(let bytes, _, _) = peer.security, bytes.count == 8 {
            challenge = Bytes8(bytes)
        }
        var nt: [UInt8]
        var lm: [UInt8]
        let key: Bytes16
        if allowsNTLMv1 {
            nt = NTLMv1.response(owf: ntowf, challenge: challenge).bytes
            // In place of an LM response, which would give the password away.
            lm = nt
            key = NTLMv1.sessionBaseKey(ntowf: ntowf)
        } else {
            (nt, lm, key) = NTLMv2.response(
                ntowf: ntowf, user: user, domain: domain, serverChallenge: challenge,
                clientChallenge: nonces.clientChallenge, timestamp: nonces.now,
                targetInfo: [0, 0, 0, 0])
        }
        holder.key = key
        return SMB1.ClientSession.Logon(
            accountName: user, primaryDomain: domain, lmResponse: lm, ntResponse: nt,
            signing: SMB1.Signing(
                sessionKey: key.bytes, challengeResponse: nt,
                md5: { key, message in MD5.hash(key, message) }))
    }
}

/// The two steps of NTLMSSP in session setup.
private final class ExtendedLogon {
    private let handshake: ClientHandshake
    private let nonces: LogonNonces
    private let holder: SessionKeyHolder
    private var isOffered = false

    init(
        _ account: SessionAccount, _ nonces: LogonNonces, workstation: String,
        _ holder: SessionKeyHolder
    ) {
        self.nonces = nonces
        self.holder = holder
        handshake = ClientHandshake(
            account: ClientHandshake.Account(
                userName: account.user, domainName: account.domain, ntowf: account.ntowf),
            workstation: workstation)
    }

    /// The server's first token is its offer of mechanisms, of which NTLMSSP is taken unasked.
    /// The last answer comes with the session's key.
    func answer(_ token: [UInt8]) -> (token: [UInt8], key: Bytes16?)? {
        if !isOffered {
            isOffered = true
            return (handshake.negotiate, nil)
        }
        do throws(WireError) {
            let (message, session) = try handshake.authenticate(
                challenge: token,
                ClientHandshake.Nonces(
                    clientChallenge: nonces.clientChallenge, sessionKey: nonces.sessionKey,
                    now: nonces.now))
            holder.key = session.exportedSessionKey
            return (message, session.exportedSessionKey)
        } catch {
            return nil
        }
    }
}
