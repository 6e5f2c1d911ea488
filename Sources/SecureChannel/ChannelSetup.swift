import Crypto
import Interfaces
import RPC
import Wire

// From a connection to a session key: endpoint mapper, challenge, authenticate, seal.

extension Channel {
    /// Carries out what an association brought forth: bytes to send, and events in their order.
    func pump(_ id: Int, now: UInt64) {
        guard let association = links[id]?.association else { return }
        flush(id)
        for event in association.takeEvents() {
            // An event may have taken the link away.
            guard let link = links[id] else { return }
            switch event {
            case .ready: associationReady(id, link, now: now)
            case .reply(0, let stub): setupReplied(id, link, stub, now: now)
            case .reply(ChainedCall.tag, let stub): chainedReplied(stub, link: id, now: now)
            case .reply(let tag, let stub):
                logonReplied(tag, link: id, stub: stub, now: now)
            case .notExecuted(let tag): notExecuted(tag)
            case .keyForgotten: keyForgotten(by: id, now: now)
            case .failed(let loss): associationFailed(id, link, loss, now: now)
            }
        }
        flush(id)
        closeIfDone(id, now: now)
        // What was not carried out may go out again.
        if !waiting.isEmpty { dispatch(now: now) }
    }

    func flush(_ id: Int) {
        guard let association = links[id]?.association else { return }
        for bytes in association.takeOutgoing() { outputs.append(.send(link: id, bytes: bytes)) }
    }

    private func notExecuted(_ tag: UInt32) {
        if tag == ChainedCall.tag { return chainedEnded(.notSent) }
        if logons[tag]?.wasRetried == false {
            sendAgain(tag)
        } else {
            answer(tag, .unavailable(.badReply))
        }
    }

    private func associationFailed(_ id: Int, _ link: Link, _ loss: ConnectionLoss, now: UInt64) {
        if link.isReady {
            if loss == .keyForgotten { keyForgotten(by: id, now: now) }
            drop(id, abort: true, loss: loss, now: now)
            afterLoss(now: now)
        } else if link.role == .carrier, loss == .keyForgotten {
            carrierRefused(id, link, now: now)
        } else {
            setupFailed(id, loss.fault, loss.reason, now: now)
        }
    }

    /// The controller does not know our key any more: it restarted, or made another since.
    private func carrierRefused(_ id: Int, _ link: Link, now: UInt64) {
        guard case .connecting(let current) = phase, current == id else {
            keyForgotten(by: id, now: now)
            return
        }
        drop(id, abort: false, loss: .refused, now: now)
        tried = []
        refusal = nil
        pursue(link.controller, now: now)
    }

    private func associationReady(_ id: Int, _ link: Link, now: UInt64) {
        switch link.role {
        case .mapper:
            var writer = WireWriter()
            EptMap.Request(mapTower: .tcp(Netlogon.interface)).write(into: &writer)
            setupCall(id, EptMap.opnum, writer.finish())
        case .maker:
            if session == nil {
                askChallenge(id)
            } else {
                keyed(id, now: now)
            }
        case .carrier:
            keyed(id, now: now)
        }
    }

    private func setupCall(_ id: Int, _ opnum: UInt16, _ stub: [UInt8]) {
        links[id]?.association.call(tag: 0, opnum: opnum, stub: stub, random: random)
    }

    private func setupReplied(_ id: Int, _ link: Link, _ stub: [UInt8], now: UInt64) {
        do {
            var reader = WireReader(stub.span, layer: "setup")
            switch link.association.step {
            case .map:
                let reply = try EptMap.Response(parsing: &reader)
                mapped(id, link, reply, now: now)
            case .challenge(let clientChallenge):
                let reply = try NetrServerReqChallenge.Response(parsing: &reader)
                guard reply.status == .success else {
                    setupFailed(
                        id, .unwilling, "NetrServerReqChallenge: \(reply.status.name)", now: now)
                    return
                }
                authenticate(id, clientChallenge, reply.serverChallenge)
            case .authenticate where settings.profile == .modern:
                let reply = try NetrServerAuthenticate3.Response(parsing: &reader)
                authenticated(
                    id, Authenticated(
                        status: reply.status, serverCredential: reply.serverCredential,
                        flags: reply.negotiateFlags), now: now)
            case .authenticate:
                let reply = try NetrServerAuthenticate2.Response(parsing: &reader)
                authenticated(
                    id, Authenticated(
                        status: reply.status, serverCredential: reply.serverCredential,
                        flags: reply.negotiateFlags), now: now)
            case .none:
                setupFailed(id, .unwilling, "a reply to nothing", now: now)
            }
        } catch {
            setupFailed(id, .unwilling, error.description, now: now)
        }
    }

    private func mapped(_ id: Int, _ link: Link, _ reply: EptMap.Response, now: UInt64) {
        guard let port = reply.towers.compactMap({ $0.tcpPort }).first, port != 0 else {
            setupFailed(id, .unwilling, "the endpoint mapper knows no Netlogon port", now: now)
            return
        }
        links[id] = nil
        outputs.append(.close(link: id, abort: false))
        outputs.append(.mapped(link.controller.address, port: port))
        justMapped = link.controller.address
        var controller = link.controller
        controller.netlogonPort = port
        for index in candidates.indices
        where candidates[index].address == controller.address {
            candidates[index].netlogonPort = port
        }
        pursue(controller, now: now)
    }

    // MARK: The key (MS-NRPC 3.1.4.1)

    private func askChallenge(_ id: Int) {
        guard let association = links[id]?.association else { return }
        let challenge = Bytes8(random(8))
        association.step = .challenge(challenge)
        var writer = WireWriter()
        NetrServerReqChallenge.Request(
            computerName: settings.computer, clientChallenge: challenge
        ).write(into: &writer)
        setupCall(id, NetrServerReqChallenge.opnum, writer.finish())
    }

    private func authenticate(_ id: Int, _ clientChallenge: Bytes8, _ serverChallenge: Bytes8) {
        guard let association = links[id]?.association else { return }
        let asked = attempt.flags
        let key = SessionKey(
            cipher: ChannelCipher(negotiated: asked), sharedSecret: secrets[attempt.secret],
            clientChallenge: clientChallenge, serverChallenge: serverChallenge)
        let credential = key.credential(clientChallenge)
        association.step = .authenticate(
            key, credential: credential, serverCredential: key.credential(serverChallenge))
        let request = NegotiatingChannelClaim(
            claim: ChannelClaim(
                accountName: settings.account,
                secureChannelType: SecureChannelType(rawValue: settings.kind.rawValue),
                computerName: settings.computer, clientCredential: credential),
            negotiateFlags: asked.rawValue)
        var writer = WireWriter()
        request.write(into: &writer)
        setupCall(
            id, settings.profile == .modern
                ? NetrServerAuthenticate3.opnum : NetrServerAuthenticate2.opnum,
            writer.finish())
    }

    private func authenticated(_ id: Int, _ reply: Authenticated, now: UInt64) {
        guard let link = links[id] else { return }
        guard case .authenticate(let key, let credential, let expected) = link.association.step
        else { return }
        guard reply.status == .success else {
            accountRefused(id, reply.status, now: now)
            return
        }
        // A controller that cannot prove that it knows the secret is not one.
        guard reply.serverCredential == expected else {
            setupFailed(
                id, .unwilling, "its credential does not prove the account's secret", now: now)
            return
        }
        let granted = NegotiateFlags(rawValue: reply.flags)
        guard ChannelCipher(negotiated: granted.intersection(attempt.flags)) == key.cipher else {
            setupFailed(
                id, .unwilling, "it grants another cipher than its credential uses", now: now)
            return
        }
        let seals = granted.contains(.secureRPC)
        guard seals || settings.allowsUnsealed else {
            setupFailed(
                id, .unwilling,
                "it offers no seal; `unsealed = yes` in the domain's section allows that",
                now: now)
            return
        }
        session = Session(
            controller: link.controller, key: key,
            chain: CredentialChain(sessionKey: key, clientCredential: credential),
            flags: granted, isSealed: seals, secret: secrets[attempt.secret])
        if attempt.secret > 0 {
            outputs.append(.notice(.usedFormerSecret(controller: link.controller)))
        } else if let pin, pin.address != link.controller.address {
            self.pin = nil
            outputs.append(.notice(.secretSpread(controller: link.controller)))
        }
        link.association.step = .none
        if seals {
            link.association.secure(
                key, domain: settings.domain, computer: settings.computer)
            pump(id, now: now)
        } else {
            outputs.append(.notice(.weakened(controller: link.controller, "no seal")))
            keyed(id, now: now)
        }
    }

    /// Tries the next secret, or the weaker cipher where the domain allows it, then the next
    /// controller, as a changed password may not have reached them all.
    private func accountRefused(_ id: Int, _ status: NTStatus, now: UInt64) {
        guard let link = links[id] else { return }
        if attempt.advance(secrets: secrets.count, allowsRC4: settings.allowsRC4) {
            askChallenge(id)
            return
        }
        outputs.append(.notice(.accountRefused(controller: link.controller, status)))
        links[id] = nil
        outputs.append(.close(link: id, abort: false))
        tried.insert(link.controller.address)
        refusal = status
        connect(now: now)
    }

    /// A link is ready to carry logons under the session's key.
    private func keyed(_ id: Int, now: UInt64) {
        guard let session, let link = links[id] else { return }
        link.isReady = true
        link.setupDeadline = nil
        link.lastUsed = now
        link.silentSince = nil
        let isNewKey = link.role == .maker
        if isNewKey {
            counters.keysMade += 1
            refusedPause = ChannelLimit.refusedPause
            if keyWasReplaced {
                counters.takeovers += 1
                outputs.append(.notice(.takenOver(controller: session.controller)))
            }
            outputs.append(.notice(.keyed(
                controller: session.controller, cipher: session.key.cipher,
                sealed: session.isSealed)))
        }
        keyWasReplaced = false
        phase = .keyed
        tried = []
        refusal = nil
        justMapped = nil
        otherPortTried = nil
        if session.controller.usesSessionService {
            onSessionService.insert(session.controller.address)
        } else {
            onSessionService.remove(session.controller.address)
        }
        outputs.append(.controllerAnswered(session.controller.address))
        dispatch(now: now)
        askNext(now: now)
    }
}

/// The reply of NetrServerAuthenticate2 and 3, which differ in fields that are not needed.
struct Authenticated {
    var status: NTStatus
    var serverCredential: Bytes8
    var flags: UInt32
}

/// Which secret and which capabilities are being tried.
struct KeyAttempt {
    var secret = 0
    var isWeak = false

    var flags: NegotiateFlags { isWeak ? .strongKeyOnly : .modern }

    /// Moves on to the next combination; false after the last one.
    mutating func advance(secrets: Int, allowsRC4: Bool) -> Bool {
        if secret + 1 < secrets {
            secret += 1
            return true
        }
        guard allowsRC4, !isWeak else { return false }
        self = KeyAttempt(secret: 0, isWeak: true)
        return true
    }
}
