import Crypto
import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

// How a secure channel comes about (MS-NRPC 3.5.4.4.1 to .4).

extension NetlogonService {
    /// What we are capable of; a client's own flags narrow it down.
    private static let capabilities = SecureChannel.NegotiateFlags.modern
    private static let longestComputerName = 15

    func challenge(
        _ request: NetrServerReqChallenge.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        let challenge = ChannelTable.Challenge(
            computer: request.computerName, client: request.clientChallenge,
            server: Bytes8(random(8)), since: now.now)
        channels.keep(challenge, of: caller)
        return Self.reply(NetrServerReqChallenge.Response(serverChallenge: challenge.server))
    }

    /// What an authentication ends in.
    private struct Authenticated {
        var status: NTStatus
        var credential = Bytes8()
        var flags: UInt32 = 0
        var rid: UInt32 = 0
    }

    /// `flags` is nil for NetrServerAuthenticate, which negotiates nothing.
    func authenticate(
        _ claim: ChannelClaim, flags: UInt32?, _ opnum: UInt16, _ caller: RemoteCaller,
        _ now: FrontTime
    ) -> ServiceReply {
        let ended = establish(claim, flags ?? 0, caller, now)
        switch opnum {
        case NetrServerAuthenticate3.opnum:
            return Self.reply(
                NetrServerAuthenticate3.Response(
                    serverCredential: ended.credential, negotiateFlags: ended.flags,
                    accountRID: ended.rid, status: ended.status))
        case NetrServerAuthenticate2.opnum:
            return Self.reply(
                NetrServerAuthenticate2.Response(
                    serverCredential: ended.credential, negotiateFlags: ended.flags,
                    status: ended.status))
        case _:
            return Self.reply(
                NetrServerAuthenticate.Response(
                    serverCredential: ended.credential, status: ended.status))
        }
    }

    private func establish(
        _ claim: ChannelClaim, _ requested: UInt32, _ caller: RemoteCaller, _ now: FrontTime
    ) -> Authenticated {
        let granted = SecureChannel.NegotiateFlags(rawValue: requested)
            .intersection(Self.capabilities)
        let allowsWeak = settings.allowsWeak(claim.accountName)
        // Before anything is told of the account: whoever has no AES learns nothing else.
        if !granted.contains(.aes), !allowsWeak {
            return Authenticated(status: .downgradeDetected)
        }
        // No computer has a longer name (MS-NRPC 3.5.4.4.2 leaves the status to the server).
        if claim.computerName.utf16.count > Self.longestComputerName {
            return Authenticated(status: .bufferOverflow)
        }
        guard Self.isKnown(claim.secureChannelType) else {
            return Authenticated(status: .invalidParameter)
        }
        // Nothing was tried by now: a client that asked for too little asks again for more with
        // the challenge that it has.
        let challenge = channels.takeChallenge(
            for: claim.computerName, of: caller, now: now.now)
        guard let account = domain.account(claim.accountName),
            account.mayHaveChannel(claim.secureChannelType)
        else {
            return Authenticated(status: .noTrustSAMAccount, flags: granted.rawValue)
        }
        let denied = Authenticated(status: .accessDenied, flags: granted.rawValue)
        // A channel goes by its computer's name: one that has an account is nobody else.
        if let owner = domain.account(claim.computerName + "$"), owner.rid != account.rid {
            return denied
        }
        // MS-NRPC 3.1.4.1 step 7: what could be the key's work on zeros is no proof.
        guard let challenge, !Self.repeats(challenge.client),
            !Self.repeats(claim.clientCredential),
            channels.mayTry(account.name, from: caller.peer, now: now.now)
        else { return denied }
        let cipher = ChannelCipher(negotiated: granted)
        for hash in account.channelHashes {
            let key = SessionKey(
                cipher: cipher, sharedSecret: hash, clientChallenge: challenge.client,
                serverChallenge: challenge.server)
            guard key.credential(challenge.client) == claim.clientCredential else { continue }
            channels.noteSuccess(account.name, from: caller.peer)
            channels.keep(
                ChannelSession(
                    computer: claim.computerName, account: account, of: domain, secret: hash,
                    type: claim.secureChannelType, key: key, flags: granted.rawValue,
                    requestedFlags: requested, isOldFashioned: allowsWeak,
                    chain: CredentialChain(
                        sessionKey: key, clientCredential: claim.clientCredential),
                    now: now.now))
            return Authenticated(
                status: .success, credential: key.credential(challenge.server),
                flags: granted.rawValue, rid: account.rid)
        }
        channels.noteFailure(account.name, from: caller.peer, now: now.now)
        return denied
    }

    /// The first five bytes are all the same: that is chosen, not random.
    private static func repeats(_ bytes: Bytes8) -> Bool {
        (1..<5).allSatisfy { bytes[$0] == bytes[0] }
    }

    private static func isKnown(_ type: SecureChannelType) -> Bool {
        type == .workstation || type == .trustedDomain || type == .trustedDNSDomain
            || type == .server
    }

    // MARK: Capabilities

    func capabilities(
        _ request: NetrLogonGetCapabilities.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        typealias Request = NetrLogonGetCapabilities.Request
        // The union has no arm for another level, and so no answer either.
        guard request.queryLevel == Request.negotiated || request.queryLevel == Request.requested
        else { return .fault(.invalidTag) }
        guard case .through(let session, let answer) = enter(
            request.computerName, request.authenticator, caller, now)
        else {
            return Self.reply(
                NetrLogonGetCapabilities.Response(
                    returnAuthenticator: NetlogonAuthenticator(), queryLevel: request.queryLevel,
                    capabilities: 0, status: .accessDenied))
        }
        let isNegotiated = request.queryLevel == Request.negotiated
        return Self.reply(
            NetrLogonGetCapabilities.Response(
                returnAuthenticator: answer, queryLevel: request.queryLevel,
                capabilities: isNegotiated ? session.flags : session.requestedFlags))
    }
}
