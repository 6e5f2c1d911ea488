import Crypto
import Wire

/// One connection of a channel to a controller.
struct Link {
    /// What the connection is for.
    enum Role {
        /// Asks the endpoint mapper for the Netlogon port.
        case mapper
        /// Makes a session key, and stays to carry logons under it.
        case maker
        /// Carries logons under the key that a maker made.
        case carrier
    }

    var role: Role
    var controller: ControllerAddress
    var association: Association
    var openedAt: UInt64
    /// Until when it must be ready; nil once it is.
    var setupDeadline: UInt64?
    var isReady = false
    var lastUsed: UInt64
    /// When the oldest call in flight was sent, or the peer last said anything since.
    var silentSince: UInt64?
    var silenceTold = false

    var nextDeadline: UInt64 {
        var next = setupDeadline ?? .max
        if let silentSince, !silenceTold { next = min(next, silentSince + ChannelLimit.silence) }
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

    var fault: ControllerFault {
        switch self {
        case .refused, .reset, .closed: .unreachable
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
        }
    }
}

extension Channel {
    // MARK: Inputs from connections

    package func linkOpened(_ id: Int, now: UInt64) {
        guard let link = links[id] else { return }
        link.association.opened()
        pump(id, now: now)
    }

    package func linkReceived(_ id: Int, _ bytes: Span<UInt8>, now: UInt64) {
        guard let link = links[id] else { return }
        links[id]?.silentSince = link.association.callsInFlight > 0 ? now : nil
        links[id]?.silenceTold = false
        link.association.received(bytes)
        pump(id, now: now)
    }

    package func linkClosed(_ id: Int, _ loss: ConnectionLoss, now: UInt64) {
        guard let link = links[id] else { return }
        if link.isReady {
            drop(id, abort: false, loss: loss, now: now)
            afterLoss(now: now)
        } else {
            links[id]?.association.close()
            setupFailed(id, loss.fault, loss.reason, now: now)
        }
    }

    // MARK: Opening

    /// Starts towards a key at the current candidate.
    func connect(now: UInt64) {
        guard !isStopped else { return }
        guard candidateIndex < candidates.count else {
            phase = .down
            answerAllWaiting(.unavailable(.noController))
            return
        }
        let controller = candidates[candidateIndex]
        session = nil
        let role: Link.Role
        if settings.profile == .modern, controller.netlogonPort == nil {
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
            profile: settings.profile, mapper: role == .mapper, controller: controller,
            computer: settings.computer, security: security)
        links[id] = Link(
            role: role, controller: controller, association: association, openedAt: now,
            setupDeadline: now + ChannelLimit.setup, lastUsed: now)
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
        let carried = logons.filter { $0.value.link == id }.map { $0.key }
        for logon in carried {
            let harmless: Bool
            switch loss {
            case .refused, .keyForgotten: harmless = true
            // A reset comes where data was not read. With one call out, that data was the call.
            case .reset: harmless = carried.count == 1
            case .closed, .silence, .nonsense: harmless = false
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
    /// that the next logon finds out nothing the hard way.
    func afterLoss(now: UInt64) {
        guard case .keyed = phase, let session else { return }
        if links.isEmpty {
            phase = .connecting(link: open(.carrier, session.controller, now: now))
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
        drop(id, abort: true, loss: .refused, now: now)
        guard case .connecting(let current) = phase, current == id else {
            dispatch(now: now)
            return
        }
        if link.role == .mapper || link.controller.netlogonPort == nil || link.role == .carrier {
            outputs.append(.controllerFailed(link.controller.address, fault, reason: reason))
            candidates.removeAll { $0.address == link.controller.address }
            candidateIndex = 0
        } else {
            // The port that was remembered may be another program's by now: ask the mapper.
            forgetPort(of: link.controller.address)
        }
        connect(now: now)
    }

    private func forgetPort(of address: IPv4Address) {
        for index in candidates.indices where candidates[index].address == address {
            candidates[index].netlogonPort = nil
        }
    }

    /// The session key is of no use any more: all connections under it go, and one new key is
    /// made, for which all logons wait.
    func keyForgotten(now: UInt64) {
        guard case .keyed = phase else { return }
        keyWasReplaced = true
        for id in Array(links.keys) { drop(id, abort: false, loss: .keyForgotten, now: now) }
        candidateIndex = 0
        if let session {
            candidates.removeAll { $0.address == session.controller.address }
            candidates.insert(session.controller, at: 0)
        }
        connect(now: now)
    }
}
