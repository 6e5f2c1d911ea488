import Crypto
import Interfaces
import RPC
import SecureChannel
import Wire

/// Whom a secure channel is claimed for.
package struct ChannelAccount {
    /// With its final `$`.
    package var account: String
    package var kind: SecureChannelType
    package var secret: Bytes16
    /// Whether the channel may do without AES.
    package var allowsRC4: Bool

    package init(
        account: String, kind: SecureChannelType, secret: Bytes16, allowsRC4: Bool
    ) {
        self.account = account
        self.kind = kind
        self.secret = secret
        self.allowsRC4 = allowsRC4
    }
}

extension SMBSession {
    /// NetrServerReqChallenge and NetrServerAuthenticate2 over the Netlogon pipe: whether the
    /// controller knows the account, and by this secret. Gives the controller's status.
    ///
    /// The controller then has a new key for our computer's name: where an agent holds a channel
    /// under the same name, that is what should be asked instead.
    package func prove(
        _ claim: ChannelAccount
    ) throws(FlowError) -> (status: NTStatus, cipher: ChannelCipher) {
        let pipe = PipeCalls(self, pipe: Netlogon.pipe, Netlogon.interface)
        let client = Bytes8(dialogue.link.random(8))
        let challenge = try pipe.call(
            NetrServerReqChallenge.self,
            NetrServerReqChallenge.Request(
                computerName: dialogue.computer, clientChallenge: client))
        if challenge.status.isError { return (challenge.status, .aes) }
        // What the controller grants decides the cipher that the credential is made with, so it
        // is asked with the strongest first, and with less where it does not take that.
        let offers: [SecureChannel.NegotiateFlags] =
            claim.allowsRC4 ? [.modern, .strongKeyOnly] : [.modern]
        var last = (NTStatus.accessDenied, ChannelCipher.aes)
        for (index, offer) in offers.enumerated() {
            let cipher = ChannelCipher(negotiated: offer)
            var challenge = challenge.serverChallenge
            var client = client
            if index > 0 {
                client = Bytes8(dialogue.link.random(8))
                let again = try pipe.call(
                    NetrServerReqChallenge.self,
                    NetrServerReqChallenge.Request(
                        computerName: dialogue.computer, clientChallenge: client))
                if again.status.isError { return (again.status, cipher) }
                challenge = again.serverChallenge
            }
            let key = SessionKey(
                cipher: cipher, sharedSecret: claim.secret, clientChallenge: client,
                serverChallenge: challenge)
            let answer = try pipe.call(
                NetrServerAuthenticate2.self,
                NegotiatingChannelClaim(
                    claim: ChannelClaim(
                        accountName: claim.account,
                        secureChannelType: claim.kind, computerName: dialogue.computer,
                        clientCredential: key.credential(client)),
                    negotiateFlags: offer.rawValue))
            // Who demands the strongest has answered to it already.
            if index > 0, answer.status == .downgradeDetected { return last }
            last = (answer.status, cipher)
            if !answer.status.isError {
                if answer.serverCredential == key.credential(challenge) { return last }
                throw dialogue.contradicted(
                    "\(target.name) took the credential and did not prove its own: "
                        + "it is no controller of this domain")
            }
            // An account that is not there is not there under any cipher.
            if answer.status == .noTrustSAMAccount { return last }
        }
        return last
    }
}

/// Why a controller refused an account of ours, in words.
package enum RefusalText {
    package static func channel(
        _ status: NTStatus, account: String, allowsRC4: Bool = true
    ) -> String {
        switch status {
        // A controller that does not know AES takes the credential for a wrong one.
        case .accessDenied where !allowsRC4:
            "\(account) is known, but by another password; or the controller has no AES, for "
                + "which the domain's section needs \"rc4 = yes\""
        case .noTrustSAMAccount:
            "there is no account \(account) of this kind: a trust is not permitted there, a "
                + "computer has not joined"
        case .accessDenied, .wrongPassword, .logonFailure:
            "\(account) is known, but by another password"
        case .accountDisabled: "the account \(account) is disabled"
        case .downgradeDetected: "the controller demands a stronger cipher"
        case _: "\(status.name): \(status.text)"
        }
    }
}
