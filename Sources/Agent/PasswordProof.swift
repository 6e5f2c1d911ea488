import Crypto
import NTLM
import SecureChannel
import Wire

extension Agent {
    /// What proves a password that the caller gave in full.
    ///
    /// To a modern controller NTLMv2, as if the user had answered a challenge of ours: nothing
    /// of the password leaves this host. To one of NT4's time the hashes of an interactive
    /// logon, concealed by the session key, which all of them take.
    func proof(
        of password: Secret, user: String, domain: String, profile: ChannelSettings.Profile
    ) -> LogonRequest.Proof {
        switch profile {
        case .nt4:
            return .interactive(nt: Secret(NTOWF.v1(password: password).bytes), lm: nil)
        case .modern:
            let challenge = Bytes8(random(8))
            let response = NTLMv2.response(
                ntowf: NTOWF.v1(password: password), user: user, domain: domain,
                serverChallenge: challenge, clientChallenge: Bytes8(random(8)),
                timestamp: fileTime, targetInfo: Self.noTarget)
            return .network(challenge: challenge, nt: response.nt, lm: [])
        }
    }

    /// A list of AV pairs with its end alone (MS-NLMP 2.2.2.1): there is no server's to repeat.
    private static let noTarget: [UInt8] = [0, 0, 0, 0]
}
