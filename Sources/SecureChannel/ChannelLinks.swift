import Crypto
import Wire

/// One connection of a channel to a controller.
final class Link {
    /// What the connection is for.
    enum Role {
        /// Asks the endpoint mapper for the Netlogon port.
        case mapper
        /// Makes a session key, and stays to carry logons under it.
        case maker
        /// Carries logons under the key that a maker made.
        case carrier
    }

    let role: Role
    let controller: ControllerAddress
    let association: Association
    let openedAt: UInt64
    /// Until when it must be ready; nil once it is.
    var setupDeadline: UInt64?
    var isReady = false
    /// TCP has connected; nothing is said of who is there.
    var isConnected = false
    /// Its key is given up: it stays until the calls that it carries are answered.
    var isRetired = false
    /// Once it is retired: under which key and chain these were made.
    var session: Channel.Session?
    var lastUsed: UInt64
    /// When the oldest call in flight was sent, or the peer last said anything since.
    var silentSince: UInt64?
    var silenceTold = false

    init(
        _ role: Role, _ controller: ControllerAddress, _ association: Association, now: UInt64,
        setupDeadline: UInt64
    ) {
        self.role = role
        self.controller = controller
        self.association = association
        openedAt = now
        lastUsed = now
        self.setupDeadline = setupDeadline
    }

    /// More logons may be put there.
    var isOpen: Bool { isReady && !isRetired }

    var nextDeadline: UInt64 {
        var next = setupDeadline ?? .max
        if let silentSince, !silenceTold || association.carriesOnlyAbandoned {
            next = min(next, silentSince + ChannelLimit.silence)
        }
        return next
    }
}

/// How a connection ended, which decides whether its logons may be sent again.
package enum ConnectionLoss: Equatable {
    /// It never came about.
    case refused
    /// The peer's reset: what was sent last was not read.
    case reset
    /// The peer closed in order, and may have read everything before.
    case closed
    /// The peer is silent.
    case silence
    /// The peer said something that cannot be.
    case nonsense(String)
    /// The peer does not know the session key.
    case keyForgotten
    /// Its key was given up, and nothing is awaited from it any more.
    case retired

    var fault: ControllerFault {
        switch self {
        case .refused, .reset, .closed, .retired: .unreachable
        case .silence: .silent
        case .nonsense, .keyForgotten: .unwilling
        }
    }

    var reason: String {
        switch self {
        case .refused: "connection refused"
        case .reset: "connection reset"
        case .closed: "connection closed by the controller"
        case .silence: "the controller is silent"
        case .nonsense(let text): text
        case .keyForgotten: "the controller no longer accepts the session key"
        case .retired: "its session key is given up"
        }
    }
}

extension Channel {
    // MARK: Inputs from connections

    package func linkOpened(_ id: Int, now: UInt64) {
        if isTranslator(id) {
            translations.link?.association.opened()
            return pumpTranslator(now: now)
        }
        guard let link = links[id] else { return }
        links[id]?.setupDeadline = link.openedAt + ChannelLimit.setup
        links[id]?.isConnected = true
        link.association.opened()
        pump(id, now: now)
    }

    package func linkReceived(_ id: Int, _ bytes: Span<UInt8>, now: UInt64) {
        if isTranslator(id) {
            translations.link?.association.received(bytes)
            return pumpTranslator(now: now)
        }
        guard let link = links[id] else { return }
        links[id]?.silentSince = now
        links[id]?.silenceTold = false
        isDoubtful = false
        link.association.received(bytes)
        pump(id, now: now)
        if link.association.callsInFlight == 0 { links[id]?.silentSince = nil }
    }

    package func linkClosed(_ id: Int, _ loss: ConnectionLoss, now: UInt64) {
        if isTranslator(id) { return translatorLost(now: now) }
        guard let link = links[id] else { return }
        if link.isReady {
            drop(id, abort: false, loss: loss, now: now)
            afterLoss(now: now)
        } else {
            links[id]?.association.close()
            if loss == .refused, !link.isConnected, triesOtherPort(id, link, now: now) { return }
            setupFailed(id, loss.fault, loss.reason, now: now)
        }
    }

    /// A controller that refuses SMB on one port may serve it on the other: Windows NT knows only
    /// NetBIOS sessions, and a host of today perhaps only direct ones.
    private func triesOtherPort(_ id: Int, _ link: Link, now: UInt64) -> Bool {
        guard settings.transport == .smb1, otherPortTried != link.controller.address,
            case .connecting(let current) = phase, current == id
        else { return false }
        otherPortTried = link.controller.address
        drop(id, abort: true, loss: .refused, now: now)
        var controller = link.controller
        controller.usesSessionService.toggle()
        pursue(controller, now: now)
        return true
    }

    // MARK: Opening

    /// Starts towards a key, with all candidates before it.
    func begin(now: UInt64) {
        tried = []
        refusal = nil
        metSomebody = false
        connect(now: now)
    }

    /// Goes on to the next candidate. After the last one the domain is down until the locator
    /// says otherwise, or, where a controller refused our account, for a while, so as not to
    /// hammer them with a wrong secret.
    func connect(now: UInt64) {
        guard !isStopped else { return }
        otherPortTried = nil
        if var next = nextCandidate(now: now) {
            next.usesSessionService = onSessionService.contains(next.address)
            pursue(next, now: now)
        } else if let refusal {
            refuse(refusal, until: now + refusedPause)
            refusedPause = min(refusedPause * 2, ChannelLimit.refusedPauseMost)
        } else {
            phase = .down
            answerAllWaiting(.noController)
        }
    }

    private func nextCandidate(now: UInt64) -> ControllerAddress? {
        if let pin, now < pin.until, !tried.contains(pin.address),
            let pinned = candidates.first(where: { $0.address == pin.address })
        {
            return pinned
        }
        return candidates.first { !tried.contains($0.address) }
    }

    private func refuse(_ status: NTStatus, until: UInt64) {
        phase = .refused(status, until: until)
        answerAllWaiting(.channelRefused(status))
    }

    /// Opens the connection that the key at `controller` needs next.
    func pursue(_ controller: ControllerAddress, now: UInt64) {
        if secrets.isEmpty {
            // Nothing can be tried until there is a secret, which `useSecrets` will tell.
            refuse(.noTrustLSASecret, until: .max)
            return
        }
        attempt = KeyAttempt()
        session = nil
        let role: Link.Role
        if settings.transport == .tcp, controller.netlogonPort == nil {
            role = .mapper
        } else {
            role = .maker
        }
        phase = .connecting(link: open(role, controller, now: now))
    }

    func open(_ role: Link.Role, _ controller: ControllerAddress, now: UInt64) -> Int {
        nextLink += 1
        let id = nextLink
        var security: Association.Security?
        if role == .carrier, let session, session.isSealed {
            security = Association.Security(
                key: session.key, domain: settings.domain, computer: settings.computer)
        }
        let association = Association(
            settings, role == .mapper ? .mapper : .netlogon, controller: controller,
            security: security, random: random)
        links[id] = Link(
            role, controller, association, now: now,
            setupDeadline: now + ChannelLimit.connect)
        outputs.append(.open(link: id, to: association.endpoint))
        return id
    }

    // MARK: Losing

    /// Takes a link away. Its logons are sent again where that cannot count twice against the
    /// user, else answered.
    func drop(_ id: Int, abort: Bool, loss: ConnectionLoss, now: UInt64) {
        guard let link = links.removeValue(forKey: id) else { return }
        outputs.append(.close(link: id, abort: abort))
        counters.connectionsLost += 1
        if chained?.link == id { chainedEnded(.lost) }
        // The last one first, as each goes to the front of the line.
        let carried = logons.filter { $0.value.link == id }.map { $0.key }.sorted(by: >)
        for logon in carried {
            let harmless: Bool
            switch loss {
            case .refused: harmless = true
            // A reset comes where data was not read. With one call out, that data was the call.
            case .reset: harmless = link.association.callsInFlight == 1
            case .closed, .silence, .nonsense, .keyForgotten, .retired: harmless = false
            }
            if harmless, logons[logon]?.wasRetried == false {
                sendAgain(logon)
            } else {
                answer(logon, .unavailable(.connectionLost))
            }
        }
        if link.isReady {
            outputs.append(.notice(.lost(controller: link.controller, reason: loss.reason)))
        }
    }

    func sendAgain(_ id: UInt32) {
        logons[id]?.link = nil
        logons[id]?.wasRetried = true
        counters.retried += 1
        waiting.prepend(id)
    }

    /// After links are gone: a key without a connection is tried on a new connection at once, so
    /// that the next logon finds out nothing the hard way. Where a call with the credential chain
    /// went with them, that connection makes a new key.
    func afterLoss(now: UInt64) {
        guard case .keyed = phase, let session else { return }
        if !links.values.contains(where: { $0.isOpen }) {
            if isChainLost { return renewKey(now: now) }
            // A spare that is on its way becomes the one that all wait for.
            let spare = links.first { !$0.value.isRetired }?.key
            phase = .connecting(link: spare ?? open(.carrier, session.controller, now: now))
        }
        dispatch(now: now)
    }

    /// A link did not become ready: with other links the channel lives on, else the next
    /// controller is tried, and after the last one the domain is down until the locator says
    /// otherwise.
    func setupFailed(
        _ id: Int, _ fault: ControllerFault, _ reason: String, now: UInt64
    ) {
        guard let link = links[id] else { return }
        if case .unwilling = fault { metSomebody = true }
        drop(id, abort: true, loss: .refused, now: now)
        guard case .connecting(let current) = phase, current == id else {
            noSpareBefore = now + ChannelLimit.sparePause
            dispatch(now: now)
            return
        }
        var controller = link.controller
        let isRemembered = settings.transport == .tcp && controller.netlogonPort != nil
            && controller.address != justMapped
        justMapped = nil
        if link.role == .maker, isRemembered {
            // The port that was remembered may be another program's by now: ask the mapper.
            controller.netlogonPort = nil
            pursue(controller, now: now)
        } else {
            outputs.append(.controllerFailed(controller.address, fault, reason: reason))
            tried.insert(controller.address)
            connect(now: now)
        }
    }

    /// The session key is of no use any more, `link` says, if it was made with it: one new key is
    /// made, for which all logons wait that are not under way. `isReplaced`: a controller that
    /// keeps the connection and refuses its key has another one for our name; one that has none
    /// at all says so.
    func keyForgotten(by link: Int, isReplaced: Bool = true, now: UInt64) {
        guard case .keyed = phase, links[link]?.isRetired == false else { return }
        keyWasReplaced = isReplaced
        retireLinks(except: link, now: now)
        tried = []
        refusal = nil
        if let session { pursue(session.controller, now: now) }
    }

    /// Gives no link another call. What they carry may have been looked at already, so that only
    /// its answer tells: those links go later, and `pumped`, whose events are being looked at,
    /// after the last of them.
    func retireLinks(except pumped: Int? = nil, now: UInt64) {
        for id in Array(links.keys) {
            if links[id]?.isRetired == false { links[id]?.session = session }
            links[id]?.isRetired = true
            if links[id]?.isReady == false {
                drop(id, abort: false, loss: .refused, now: now)
            } else if id != pumped {
                closeIfDone(id, now: now)
            }
        }
    }

    /// Ends a link from which nothing is awaited: one that is retired, and one that has been
    /// silent on calls which nobody waits for any more, but which are in others' way.
    func closeIfDone(_ id: Int, now: UInt64) {
        guard let link = links[id], link.isReady else { return }
        let isLost = link.association.carriesOnlyAbandoned
        if link.isRetired, isLost || link.association.callsInFlight == 0 {
            drop(id, abort: false, loss: .retired, now: now)
        } else if isLost, let since = link.silentSince, now >= since + ChannelLimit.silence {
            drop(id, abort: true, loss: .silence, now: now)
            afterLoss(now: now)
        }
    }
}
