import NetBIOS
import Wire

/// The search: from names to controllers that are asked whether they live.
extension Locator {
    /// Controllers of the site come before the domain's, whatever DNS's order.
    private static var siteRank: Int { 0 }
    private static var domainRank: Int { 1 << 16 }

    // MARK: Asking the name services

    /// An address needs no search: it is a candidate from the start.
    func addConfigured(_ now: UInt64) {
        let list = configuration.controllers.prefix(LocatorLimit.controllers)
        for (rank, address) in list.enumerated() {
            add(address, hostName: "", rank: rank)
            enqueue(.address(address, hostName: ""), rank: rank, at: now)
        }
    }

    func discover(_ now: UInt64) {
        nextDiscovery = now + LocatorLimit.rediscovery
        askedSite = ""
        askedDomain = false
        if configuration.isFixed { return }
        switch configuration.profile {
        case .modern:
            if configuration.dnsName.isEmpty { return }
            if known.clientSite.isEmpty {
                askDomain(now)
            } else {
                askSite(known.clientSite, now)
            }
        case .nt4:
            let suffixes = configuration.wantsPrimary
                ? [NetBIOSSuffix.domainMasterBrowser] : [.domainMasterBrowser, .domainControllers]
            for (place, suffix) in suffixes.enumerated() {
                guard let name = NetBIOSName(configuration.domain, suffix) else { continue }
                ask(.name(name, rank: place << 8), now)
                emit(.nbnsQuery(name))
            }
        }
    }

    private func askDomain(_ now: UInt64) {
        askedDomain = true
        let name = "_ldap._tcp.dc._msdcs." + configuration.dnsName
        ask(.srv(name: name, isSite: false), now)
        emit(.dnsSRV(name: name))
    }

    private func askSite(_ site: String, _ now: UInt64) {
        askedSite = site
        let name = "_ldap._tcp." + site + "._sites.dc._msdcs." + configuration.dnsName
        ask(.srv(name: name, isSite: true), now)
        emit(.dnsSRV(name: name))
    }

    /// A host that DNS named.
    private func lookUp(_ host: String, rank: Int, _ now: UInt64) {
        ask(.host(host, rank: rank), now)
        emit(.dnsA(host: host))
    }

    private func ask(_ kind: Lookup.Kind, _ now: UInt64) {
        lookups.append(Lookup(kind: kind, deadline: now + LocatorLimit.lookupDeadline))
    }

    /// A name service that never answers is taken to have said no.
    func expireLookups(_ now: UInt64) {
        for lookup in lookups where lookup.deadline <= now {
            switch lookup.kind {
            case .srv(let name, _): srvAnswer(name, [], now: now)
            case .host(let host, _): addressAnswer(host, [], now: now)
            case .name(let name, _): nameAnswer(name, [], now: now)
            }
        }
    }

    // MARK: Answers of the name services

    /// The records of `name`; none where the query failed.
    package func srvAnswer(_ name: String, _ records: [SRVRecord], now: UInt64) {
        guard let index = lookups.firstIndex(where: { $0.kind.isService(name) }),
            case .srv(_, let isSite) = lookups.remove(at: index).kind
        else { return }
        let ordered = SRVRecord.ordered(records) { top in
            UInt32((UInt64(random()) * (UInt64(top) + 1)) >> 32)
        }
        if !isSite { forgetUnlisted(ordered) }
        let base = isSite ? Self.siteRank : Self.domainRank
        for (place, record) in ordered.prefix(LocatorLimit.controllers).enumerated() {
            consider(record, rank: base + place, now)
        }
        if isSite && ordered.isEmpty && !askedDomain { askDomain(now) }
        advance(now)
    }

    /// A host of which no address is known, or none at which it is not down: it may have moved.
    private func consider(_ record: SRVRecord, rank: Int, _ now: UInt64) {
        let host = Self.withoutRoot(record.target)
        let known = controllers.indices.filter {
            ASCIICase.equal(controllers[$0].hostName, host)
        }
        if let first = known.first { controllers[first].rank = rank }
        if known.contains(where: { !controllers[$0].health.isDown }) { return }
        enqueue(.host(host), rank: rank, at: now)
    }

    /// A controller that is down and that the domain's records no longer name is gone for good.
    private func forgetUnlisted(_ records: [SRVRecord]) {
        if records.isEmpty { return }
        controllers.removeAll { controller in
            controller.health.isDown
                && !records.contains {
                    ASCIICase.equal(Self.withoutRoot($0.target), controller.hostName)
                }
        }
    }

    /// The addresses of `host`; none where the query failed.
    package func addressAnswer(_ host: String, _ addresses: [IPv4Address], now: UInt64) {
        guard let index = lookups.firstIndex(where: { $0.kind.isHost(host) }),
            case .host(_, let rank) = lookups.remove(at: index).kind
        else { return }
        forgetMoved(host, to: addresses)
        let few = addresses.prefix(LocatorLimit.addressesPerHost)
        found(Array(few), hostName: host, rank: rank, now)
        advance(now)
    }

    /// Where `host` is down and its name has other addresses by now, it is there no more.
    private func forgetMoved(_ host: String, to addresses: [IPv4Address]) {
        if addresses.isEmpty { return }
        let left = controllers.filter {
            $0.health.isDown && ASCIICase.equal($0.hostName, host)
                && !addresses.contains($0.address)
        }.map { $0.address }
        if left.isEmpty { return }
        controllers.removeAll { left.contains($0.address) }
        known.entries.removeAll { left.contains($0.address) }
    }

    /// The addresses of a domain's NetBIOS name; none where nobody answered.
    package func nameAnswer(_ name: NetBIOSName, _ addresses: [IPv4Address], now: UInt64) {
        guard let index = lookups.firstIndex(where: { $0.kind.isName(name) }),
            case .name(_, let rank) = lookups.remove(at: index).kind
        else { return }
        let few = addresses.prefix(LocatorLimit.controllers)
        found(Array(few), hostName: "", rank: rank, now)
        advance(now)
    }

    private func found(
        _ addresses: [IPv4Address], hostName: String, rank: Int, _ now: UInt64
    ) {
        var isFirst = true
        for (place, address) in addresses.enumerated()
        where address != .any && address != .broadcast && !address.isMulticast {
            if isFirst {
                guard let index = add(address, hostName: hostName, rank: rank + place) else {
                    continue
                }
                isFirst = false
                contact(index, now)
            } else {
                enqueue(
                    .address(address, hostName: hostName), rank: rank + place,
                    at: now + LocatorLimit.stagger)
            }
        }
        // A dead end: the next target need not wait.
        if isFirst && !queue.isEmpty { nextStep = now }
    }

    // MARK: Steps

    func enqueue(_ target: Target, rank: Int, at time: UInt64) {
        if queue.count >= LocatorLimit.controllers { return }
        for other in queue where other.target == target { return }
        queue.append(RankedTarget(target: target, rank: rank))
        nextStep = nextStep ?? time
    }

    /// Tries the queue's next target, and the one after it a little later.
    func step(_ now: UInt64) {
        nextStep = nil
        var tried = false
        while !queue.isEmpty && !tried {
            let next = queue.removeFirst()
            switch next.target {
            case .address(let address, let hostName):
                if let index = add(address, hostName: hostName, rank: next.rank) {
                    tried = contact(index, now)
                }
            case .host(let host):
                lookUp(host, rank: next.rank, now)
                tried = true
            }
        }
        if !queue.isEmpty { nextStep = now + LocatorLimit.stagger }
    }

    /// The index of the controller at `address`, made where it is new. Nil where the table is
    /// full of controllers that serve or rank better.
    @discardableResult
    func add(_ address: IPv4Address, hostName: String, rank: Int) -> Int? {
        for index in controllers.indices where controllers[index].address == address {
            if !hostName.isEmpty { controllers[index].hostName = hostName }
            controllers[index].rank = min(controllers[index].rank, rank)
            return index
        }
        let made = Controller(address: address, hostName: hostName, rank: rank)
        if controllers.count < LocatorLimit.controllers {
            controllers.append(made)
            return controllers.count - 1
        }
        guard let worst = order().last, controllers[worst].health != .healthy,
            controllers[worst].rank > rank || controllers[worst].health.isDown
        else { return nil }
        controllers[worst] = made
        return worst
    }

    private func advance(_ now: UInt64) {
        if let time = nextStep, time <= now { step(now) }
        settle(now)
    }

    // MARK: The end of a search

    /// Ends the search where it found enough, and widens it where it found too little.
    func continueSearch(_ now: UInt64) {
        let healthy = controllers.filter { $0.health == .healthy }
        if healthy.isEmpty { return widenSearch(now) }
        if configuration.isFixed { return }
        let foundNear = configuration.profile == .nt4 || healthy.contains { $0.isClosest }
        if foundNear && healthy.count > LocatorLimit.standbys {
            queue = []
            nextStep = nil
        }
        // Whoever answered told our site: its own controllers are better.
        if !foundNear && !known.clientSite.isEmpty && askedSite != known.clientSite
            && !configuration.dnsName.isEmpty
        {
            askSite(known.clientSite, now)
        }
    }

    /// Nobody serves: the name services may know somebody else, or may be back.
    private func widenSearch(_ now: UInt64) {
        if !queue.isEmpty || !lookups.isEmpty { return }
        if controllers.contains(where: { $0.health == .unknown }) { return }
        if !askedSite.isEmpty && !askedDomain { return askDomain(now) }
        let soon = now + LocatorLimit.retry(controllers.isEmpty ? 1 : failedDiscoveries + 1)
        if let next = nextDiscovery, next <= soon { return }
        failedDiscoveries += 1
        nextDiscovery = soon
    }

    static func withoutRoot(_ name: String) -> String {
        name.utf8.last == UInt8(ascii: ".") ? String(name.dropLast()) : name
    }
}

extension Locator.Lookup.Kind {
    func isService(_ name: String) -> Bool {
        if case .srv(let asked, _) = self { asked == name } else { false }
    }

    func isHost(_ name: String) -> Bool {
        if case .host(let asked, _) = self { asked == name } else { false }
    }

    func isName(_ name: NetBIOSName) -> Bool {
        if case .name(let asked, _) = self { asked == name } else { false }
    }
}
