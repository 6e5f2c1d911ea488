import Crypto
import SecureChannel
import Wire

extension Agent {
    func ntlmv2(_ secret: Secret, user: String, domain: String) -> LogonRequest.Proof {
        .network(challenge: Bytes8(), nt: secret.bytes, lm: [])
    }
}
