import Crypto
import Interfaces
import NetBIOS
import SecureChannel
import Wire

/// Both ends of a trust, as the trusting side knows them.
package struct TrustEnds {
    /// The trusted domain.
    package var domain: NetBIOSName
    /// Ours, which trusts it.
    package var ourDomain: String
    /// Unknown where we have no domain of our own.
    package var ourSID: SID?
    /// The interdomain trust account that the trusted domain keeps for us: our domain's name and
    /// `$`.
    package var account: String
    /// NTOWFv1 of the trust's password.
    package var secret: Bytes16
    /// Where names are asked for.
    package var directory: NameDirectory
    /// Controllers by address, for when nobody knows their names.
    package var controllers: [IPv4Address] = []
    /// Whether old ways of proving the secret may be used, which the documented flow uses.
    package var allowsNTLMv1 = false
    /// The trusted domain's SID as it was when the trust was established before.
    package var knownSID: SID?
    /// The agent's own channel, by which the secret is proved where there is no SMB1.
    package var channelSettings: ChannelSettings?

    package init(
        domain: NetBIOSName, ourDomain: String, account: String, secret: Bytes16,
        directory: NameDirectory
    ) {
        self.domain = domain
        self.ourDomain = ourDomain
        self.account = account
        self.secret = secret
        self.directory = directory
    }

    var interdomainAccount: SessionAccount {
        SessionAccount(
            user: account, domain: domain.text, ntowf: secret, allowsNTLMv1: allowsNTLMv1)
    }

    var channel: ChannelAccount {
        ChannelAccount(
            account: account, kind: .trustedDomain, secret: secret, allowsRC4: allowsRC4)
    }

    var allowsRC4: Bool { channelSettings?.allowsRC4 ?? false }

    func channelRefusal(_ status: NTStatus) -> String {
        RefusalText.channel(status, account: account, allowsRC4: allowsRC4)
    }
}

/// What establishing a trust found out.
package struct TrustFindings {
    package var primary: SMBTarget
    package var identity: DomainIdentity?
    package var logonServers: [String] = []
    package var browsers: [String] = []
    package var servers: [String] = []
    /// What was not as expected and does not matter enough to give up.
    package var warnings: [String] = []
    /// Whether the trusted domain has shown that it knows the secret.
    package var isProved = false

    package init(primary: SMBTarget) { self.primary = primary }
}

extension Dialogue {
    /// Checks what a controller says of its domain against what is expected.
    func check(_ identity: DomainIdentity, _ ends: TrustEnds) throws(FlowError) {
        if NetBIOSName(identity.name, .workstation) != ends.domain.with(.workstation).upcased {
            throw contradicted(
                "this is a controller of \(identity.name), not of \(ends.domain.text)")
        }
        if let known = ends.knownSID, known != identity.sid {
            throw contradicted(
                "the SID of \(ends.domain.text) is \(identity.sid.description) and was "
                    + "\(known.description): this is another domain of the same name. If that "
                    + "is right, run `postern trust revoke \(ends.domain.text)` first")
        }
        if identity.sid == ends.ourSID {
            throw contradicted("this domain has our own SID: a domain cannot trust itself")
        }
    }
}
