import NetBIOS
import Wire

/// Finds one domain's controllers and knows which of them to ask.
///
/// A core: it does no I/O. Each call takes `now` (milliseconds of a clock that never goes back);
/// afterwards the caller takes the outputs with `nextOutput()`, does them, and calls
/// `timerFired(now:)` when `nextDeadline` has come.
///
///     configured list ──────────────┐
///     remembered controllers ───────┤
///     SRV _ldap._tcp.dc._msdcs.D ───┼─▶ targets, in order ─▶ A ─▶ ping ─▶ healthy ─▶ candidates
///     NBNS D<1B>, D<1C> ────────────┘     one each 100 ms    node status         ▲
///                                                                                │
///                        down ─▶ probe after 100, 200 … 800 ms ──────────────────┘
///
/// A search goes on until a controller in use and a standby are healthy, or nothing is left.
package final class Locator {
    /// Where a controller may be: its address, or a name to look up first.
    enum Target: Equatable {
        case address(IPv4Address, hostName: String)
        case host(String)
    }

    struct RankedTarget {
        var target: Target
        var rank: Int
    }

    /// A question to a name service whose answer the caller owes us.
    struct Lookup: Equatable {
        enum Kind: Equatable {
            case srv(name: String, isSite: Bool)
            case host(String, rank: Int)
            case name(NetBIOSName, rank: Int)
        }

        var kind: Kind
        var deadline: UInt64
    }

    package let configuration: LocatorConfiguration
    package internal(set) var controllers: [Controller] = []
    /// What was learnt of the domain, and who served last.
    package internal(set) var known: KnownControllers

    var queue: [RankedTarget] = []
    var lookups: [Lookup] = []
    /// When the queue's next target is tried; nil while there is none to wait for.
    var nextStep: UInt64?
    var nextDiscovery: UInt64?
    var failedDiscoveries = 0
    /// The site whose controllers were asked for by name.
    var askedSite = ""
    var askedDomain = false
    private var outputs: [LocatorOutput] = []
    private var announced: [Candidate] = []
    private var persisted: KnownControllers
    let random: () -> UInt32

    /// `known` is what the last run persisted. `random` gives uniform unpredictable numbers.
    package init(
        _ configuration: LocatorConfiguration, known: KnownControllers = KnownControllers(),
        random: @escaping () -> UInt32
    ) {
        self.configuration = configuration
        self.known = known
        self.random = random
        persisted = known
    }

    // MARK: In and out

    package func start(now: UInt64) {
        if configuration.isFixed {
            addConfigured(now)
        } else {
            for (rank, entry) in known.entries.enumerated() {
                enqueue(.address(entry.address, hostName: entry.hostName), rank: rank, at: now)
            }
            // A controller that served before is asked first; the name service a step later,
            // and not at all while that controller answers.
            nextDiscovery = queue.isEmpty ? now : now + LocatorLimit.stagger
        }
        timerFired(now: now)
    }

    package func nextOutput() -> LocatorOutput? {
        outputs.isEmpty ? nil : outputs.removeFirst()
    }

    func emit(_ output: LocatorOutput) { outputs.append(output) }

    package var nextDeadline: UInt64? {
        var soonest: UInt64?
        func consider(_ time: UInt64?) {
            guard let time else { return }
            soonest = min(soonest ?? time, time)
        }
        consider(nextStep)
        consider(nextDiscovery)
        for lookup in lookups { consider(lookup.deadline) }
        for index in controllers.indices { consider(deadline(of: index)) }
        return soonest
    }

    package func timerFired(now: UInt64) {
        expireLookups(now)
        for index in controllers.indices { tick(index, now) }
        if let time = nextDiscovery, time <= now { discover(now) }
        if let time = nextStep, time <= now { step(now) }
        settle(now)
    }

    // MARK: Asking anew

    /// Asks the name services and the controllers that it knows once more, as an administrator
    /// wants it. What is known stays until an answer, or the lack of one, says otherwise.
    package func searchAnew(now: UInt64) {
        for index in controllers.indices { probeAnew(index, now) }
        discover(now)
        timerFired(now: now)
    }

    /// Whether an answer is awaited that tells more than is known. Who was down before `since` is
    /// awaited once, and not while it stays down.
    package func isSearching(since: UInt64) -> Bool {
        if !lookups.isEmpty || !queue.isEmpty { return true }
        for controller in controllers {
            guard let probe = controller.probe else { continue }
            if !controller.health.isDown || probe.sentAt <= since { return true }
        }
        return false
    }

    // MARK: Whom to ask

    /// The controllers to try, best first. Those that are down are not among them.
    package func candidates(now: UInt64) -> [Candidate] {
        order().filter { !controllers[$0].health.isDown }.map { candidate($0) }
    }

    /// The time until which waiting for `changed` may give a better candidate than there is now,
    /// or nil where the first one should be used, or none can be had.
    package func worthWaiting(now: UInt64) -> UInt64? {
        let usable = order().filter { !controllers[$0].health.isDown }
        if let first = usable.first {
            if controllers[first].health == .healthy { return nil }
            // The only one there is need not be asked first whether it lives.
            if usable.count == 1 && queue.isEmpty && lookups.isEmpty && controllers.count == 1 {
                return nil
            }
        }
        if !controllers.isEmpty && usable.isEmpty || failedDiscoveries > 0 { return nil }
        var latest: UInt64?
        for lookup in lookups where lookup.deadline > now {
            latest = max(latest ?? 0, lookup.deadline)
        }
        for controller in controllers where !controller.health.isDown {
            guard let probe = controller.probe, probe.deadline > now else { continue }
            latest = max(latest ?? 0, probe.deadline)
        }
        if let nextStep, !queue.isEmpty { latest = max(latest ?? 0, nextStep) }
        return latest
    }

    /// What the controller at `address` said about itself.
    package func identity(of address: IPv4Address) -> ControllerIdentity? {
        index(of: address).flatMap { controllers[$0].identity }
    }

    func candidate(_ index: Int) -> Candidate {
        let controller = controllers[index]
        return Candidate(
            address: controller.address, hostName: controller.hostName,
            netbiosName: controller.identity?.netbiosName ?? "",
            isHealthy: controller.health == .healthy)
    }

    /// Indices of the controllers, best first: by health, then near before far (where the search
    /// and not the administrator decides), then by rank.
    func order() -> [Int] {
        func weight(_ controller: Controller) -> Int {
            switch controller.health {
            case .healthy: return configuration.isFixed || controller.isClosest ? 0 : 1
            case .unknown: return 2
            case .suspect: return 3
            case .down: return 4
            }
        }
        return controllers.indices.sorted {
            let left = (weight(controllers[$0]), controllers[$0].rank, $0)
            let right = (weight(controllers[$1]), controllers[$1].rank, $1)
            return left < right
        }
    }

    /// Tells what has changed. Every input ends here.
    func settle(_ now: UInt64) {
        continueSearch(now)
        let list = candidates(now: now)
        if list != announced {
            announced = list
            emit(.changed)
        }
        known.remember(list.filter { $0.isHealthy })
        if known != persisted {
            persisted = known
            emit(.persist(known))
        }
    }
}
