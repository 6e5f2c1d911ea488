import NetBIOS
import Wire

/// Health: what probes and channels tell of each controller.
///
///     unknown ──answer──▶ healthy ──lost connection, silence──▶ suspect ──silence──▶ down
///                            ▲                                     │                  │
///                            └────────────────answer───────────────┴──────────────────┘
extension Locator {
    // MARK: What channels report

    /// A channel gives up on the controller at `address`.
    package func failed(_ address: IPv4Address, _ reason: ControllerFailure, now: UInt64) {
        guard let index = index(of: address) else { return }
        controllers[index].failures = min(controllers[index].failures + 1, 64)
        let failures = controllers[index].failures
        controllers[index].probe = nil
        switch reason {
        case .connectionLost where failures == 1:
            // A restart, or an idle connection that was closed: a probe tells.
            controllers[index].health = .suspect
            controllers[index].unansweredProbes = LocatorLimit.lostPings
            sendProbe(index, now)
        case .timedOut where failures == 1:
            // Nobody else shall wait for it, until it shows that it was only slow.
            takeDown(index, now)
            sendProbe(index, now)
        case .connectionLost, .timedOut, .rejected:
            takeDown(index, now)
        }
        settle(now)
    }

    /// A call was answered by the controller at `address`.
    package func succeeded(_ address: IPv4Address, now: UInt64) {
        guard let index = index(of: address) else { return }
        // Each logon comes here: where nothing changes, nothing is looked at.
        if controllers[index].health == .healthy && controllers[index].failures == 0 {
            controllers[index].heardAt = now
            return
        }
        controllers[index].failures = 0
        controllers[index].probe = nil
        markHealthy(index, now)
        settle(now)
    }

    /// A channel has waited for an answer for a while: a probe tells whether the controller at
    /// `address` is there at all. Nothing changes until the probe is lost.
    package func probe(_ address: IPv4Address, now: UInt64) {
        guard let index = index(of: address), controllers[index].probe == nil,
            !controllers[index].health.isDown
        else { return }
        sendProbe(index, now)
        settle(now)
    }

    func index(of address: IPv4Address) -> Int? {
        controllers.firstIndex { $0.address == address }
    }

    // MARK: Probes

    /// The first probe of a controller that a search found. False where there is no need.
    @discardableResult
    func contact(_ index: Int, _ now: UInt64) -> Bool {
        if controllers[index].health != .unknown || controllers[index].probe != nil {
            return false
        }
        sendProbe(index, now)
        return true
    }

    /// A probe that is asked for, in place of the one that is under way.
    func probeAnew(_ index: Int, _ now: UInt64) {
        controllers[index].probe = nil
        sendProbe(index, now)
    }

    private func sendProbe(_ index: Int, _ now: UInt64) {
        let controller = controllers[index]
        let kind = probeKind(controller)
        var deadline = now + (kind == .connect ? LocatorLimit.connectDeadline
            : LocatorLimit.pingDeadline)
        if controller.health.isDown {
            deadline = now + backOff(controller)
            controllers[index].health = .down(until: deadline)
        }
        controllers[index].probe = Controller.Probe(kind: kind, sentAt: now, deadline: deadline)
        switch kind {
        case .ping(let messageID):
            let request = CLDAPSearchRequest(
                messageID: messageID,
                dnsDomain: configuration.dnsName.isEmpty ? nil : configuration.dnsName,
                host: configuration.hostName)
            var writer = WireWriter(capacity: 192)
            request.write(into: &writer)
            let endpoint = Endpoint(controller.address, configuration.ldapPort)
            emit(.udp(to: endpoint, bytes: writer.finish()))
        case .nodeStatus:
            emit(.nodeStatus(controller.address))
        case .connect:
            emit(.probeTCP(
                Endpoint(controller.address, configuration.probePort), deadline: deadline))
        }
    }

    /// A ping, or where pings are in vain every second time a connection: a filter may stop UDP.
    private func probeKind(_ controller: Controller) -> Controller.Probe.Kind {
        let lost = controller.unansweredProbes
        let isVain = lost >= LocatorLimit.lostPings && (lost - LocatorLimit.lostPings) % 2 == 0
        switch configuration.profile {
        case .modern:
            if isVain && !controller.answersPings { return .connect }
            // Message numbers that cannot be guessed keep others from answering in its place.
            return .ping(messageID: Int32(random() >> 1))
        case .nt4:
            if controller.isDisowned { return .nodeStatus }
            return isVain || controller.health.isDown ? .connect : .nodeStatus
        }
    }

    private func backOff(_ controller: Controller) -> UInt64 {
        let lost = max(controller.unansweredProbes - LocatorLimit.lostPings, 0)
        return LocatorLimit.backOff(min(controller.failures + lost, 16))
    }

    private func takeDown(_ index: Int, _ now: UInt64) {
        controllers[index].unansweredProbes = max(
            controllers[index].unansweredProbes, LocatorLimit.lostPings)
        controllers[index].health = .down(until: now + backOff(controllers[index]))
    }

    private func probeLost(_ index: Int, _ now: UInt64) {
        controllers[index].probe = nil
        controllers[index].unansweredProbes = min(controllers[index].unansweredProbes + 1, 64)
        let lost = controllers[index].unansweredProbes
        switch controllers[index].health {
        case .unknown, .healthy:
            if lost >= LocatorLimit.lostPings { controllers[index].health = .suspect }
            sendProbe(index, now)
        case .suspect:
            takeDown(index, now)
        case .down(let until):
            if until <= now { sendProbe(index, now) }
        }
    }

    private func markHealthy(_ index: Int, _ now: UInt64) {
        controllers[index].heardAt = now
        controllers[index].unansweredProbes = 0
        if controllers[index].health == .healthy { return }
        controllers[index].health = .healthy
        failedDiscoveries = 0
        // With somebody who serves, the next search has time.
        if lookups.isEmpty && nextDiscovery != nil {
            nextDiscovery = now + LocatorLimit.rediscovery
        }
    }

    private func probeAnswered(_ index: Int, _ probe: Controller.Probe, _ now: UInt64) {
        controllers[index].roundTrip = now - min(probe.sentAt, now)
        controllers[index].probe = nil
        controllers[index].isDisowned = false
        markHealthy(index, now)
    }

    // MARK: Answers to probes

    /// Takes a datagram if it answers a ping of ours; several locators may share one socket.
    package func datagram(
        _ bytes: Span<UInt8>, from source: Endpoint, now: UInt64
    ) -> Bool {
        guard source.port == configuration.ldapPort, let index = index(of: source.address),
            let probe = controllers[index].probe, case .ping(let messageID) = probe.kind
        else { return false }
        var reader = WireReader(bytes, layer: CLDAPSearchResponse.layer)
        guard let response = try? CLDAPSearchResponse(parsing: &reader),
            response.messageID == messageID
        else { return false }
        controllers[index].answersPings = true
        if let identity = ControllerIdentity(answer: response, in: reader), serves(identity) {
            controllers[index].identity = identity
            if !identity.dnsHost.isEmpty { controllers[index].hostName = identity.dnsHost }
            known.learn(identity)
            probeAnswered(index, probe, now)
        } else {
            disown(index, now)
        }
        settle(now)
        return true
    }

    private func serves(_ identity: ControllerIdentity) -> Bool {
        configuration.dnsName.isEmpty
            ? ASCIICase.equal(identity.netbiosDomain, configuration.domain)
            : ASCIICase.equal(identity.dnsDomain, Self.withoutRoot(configuration.dnsName))
    }

    /// The names of the node at `address`; none where it did not answer.
    package func nodeStatusAnswer(
        _ address: IPv4Address, _ names: [NodeStatus.Entry], now: UInt64
    ) {
        guard let index = index(of: address), let probe = controllers[index].probe,
            probe.kind == .nodeStatus
        else { return }
        if names.isEmpty {
            probeLost(index, now)
        } else if let identity = ControllerIdentity(names: names, domain: configuration.domain) {
            controllers[index].identity = identity
            controllers[index].hostName = identity.netbiosName
            known.netbiosDomain = identity.netbiosDomain
            probeAnswered(index, probe, now)
        } else {
            disown(index, now)
        }
        settle(now)
    }

    /// It lives, but is no controller of this domain, or not at this time.
    private func disown(_ index: Int, _ now: UInt64) {
        controllers[index].probe = nil
        controllers[index].isDisowned = true
        controllers[index].failures = min(controllers[index].failures + 1, 64)
        takeDown(index, now)
    }

    /// How a connection that was asked for by `probeTCP` ended.
    package func connectAnswer(_ address: IPv4Address, connected: Bool, now: UInt64) {
        guard let index = index(of: address), let probe = controllers[index].probe,
            probe.kind == .connect
        else { return }
        if connected {
            probeAnswered(index, probe, now)
        } else if !controllers[index].health.isDown {
            probeLost(index, now)
        }
        // The next probe of one that is down has its time, and this may be the end of the last.
        settle(now)
    }

    // MARK: Time

    func tick(_ index: Int, _ now: UInt64) {
        guard let time = deadline(of: index), time <= now else { return }
        if controllers[index].probe != nil {
            probeLost(index, now)
        } else {
            sendProbe(index, now)
        }
    }

    /// When something is due for one controller.
    func deadline(of index: Int) -> UInt64? {
        let controller = controllers[index]
        if let probe = controller.probe { return probe.deadline }
        switch controller.health {
        case .down(let until): return until
        case .healthy where order().prefix(LocatorLimit.refreshed).contains(index):
            return (controller.heardAt ?? 0) + LocatorLimit.refresh
        case .unknown, .healthy, .suspect: return nil
        }
    }
}
