import Mailslot
import NetBIOS
import Wire

@testable import Locator

/// A network on virtual time for a locator: DNS, NBNS, and controllers that answer or do not.
final class World {
    struct Machine {
        var isUp = true
        var answersPings = true
        var answersTCP = true
        var delay: UInt64 = 2
        var domain = "ad.lab"
        var netbiosDomain = "ADLAB"
        var name = "DC"
        var isClosest = true
        var clientSite = "Site-A"
        var isPaused = false
        var nodeNames: [NodeStatus.Entry] = []
    }

    struct Event {
        var time: UInt64
        var action: (World) -> Void
    }

    var now: UInt64 = 1_000
    var machines: [IPv4Address: Machine] = [:]
    var services: [String: [SRVRecord]] = [:]
    var hosts: [String: [IPv4Address]] = [:]
    var names: [NetBIOSName: [IPv4Address]] = [:]
    /// What a query costs: an answer, or a failure where DNS is gone.
    var lookupDelay: UInt64 = 1
    var nameServiceIsUp = true
    /// Name services that never call back at all.
    var nameServiceIsMute = false
    private(set) var log: [(time: UInt64, output: LocatorOutput)] = []
    private(set) var persisted: KnownControllers?
    private var events: [Event] = []
    private var locatorBox: Locator?
    var locator: Locator { locatorBox! }
    private var state: UInt64 = 42

    func begin(_ configuration: LocatorConfiguration, known: KnownControllers = .init()) {
        let made = Locator(configuration, known: known) { [self] in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(truncatingIfNeeded: state >> 33)
        }
        locatorBox = made
        made.start(now: now)
        drain()
    }

    /// Lets `milliseconds` pass.
    func run(_ milliseconds: UInt64) {
        let end = now + milliseconds
        var turns = 0
        while true {
            turns += 1
            precondition(turns < 100_000, "the locator never rests")
            let event = events.map(\.time).min()
            let timer = locator.nextDeadline
            guard let next = [event, timer].compactMap({ $0 }).min(), next <= end else { break }
            now = max(now, next)
            if let timer, timer <= now { locator.timerFired(now: now) }
            let due = events.filter { $0.time <= now }
            events.removeAll { $0.time <= now }
            for each in due { each.action(self) }
            drain()
        }
        now = end
    }

    /// Runs until the first candidate is healthy; how long that took, or nil within the limit.
    func runUntilHealthy(limit: UInt64) -> UInt64? {
        let start = now
        while now < start + limit {
            if first?.isHealthy == true { return now - start }
            run(1)
        }
        return first?.isHealthy == true ? now - start : nil
    }

    var first: Candidate? { locator.candidates(now: now).first }
    var addresses: [IPv4Address] { locator.candidates(now: now).map(\.address) }

    func failed(_ address: IPv4Address, _ reason: ControllerFailure) {
        locator.failed(address, reason, now: now)
        drain()
    }

    func succeeded(_ address: IPv4Address) {
        locator.succeeded(address, now: now)
        drain()
    }

    func searchAnew() {
        locator.searchAnew(now: now)
        drain()
    }

    func clearLog() { log = [] }

    func sent(to address: IPv4Address) -> Int {
        log.filter {
            switch $0.output {
            case .udp(let to, _): to.address == address
            case .probeTCP(let to, _): to.address == address
            case .nodeStatus(let to): to == address
            case _: false
            }
        }.count
    }

    func count(_ matches: (LocatorOutput) -> Bool) -> Int {
        log.filter { matches($0.output) }.count
    }

    // MARK: Outputs

    private func drain() {
        while let output = locator.nextOutput() {
            log.append((now, output))
            perform(output)
        }
    }

    private func after(_ delay: UInt64, _ action: @escaping (World) -> Void) {
        events.append(Event(time: now + delay, action: action))
    }

    private func perform(_ output: LocatorOutput) {
        switch output {
        case .dnsSRV(let name):
            if nameServiceIsMute { return }
            let records = nameServiceIsUp ? services[name] ?? [] : []
            after(lookupDelay) { $0.locator.srvAnswer(name, records, now: $0.now) }
        case .dnsA(let host):
            if nameServiceIsMute { return }
            let found = nameServiceIsUp ? hosts[host] ?? [] : []
            after(lookupDelay) { $0.locator.addressAnswer(host, found, now: $0.now) }
        case .nbnsQuery(let name):
            if nameServiceIsMute { return }
            let found = nameServiceIsUp ? names[name] ?? [] : []
            after(lookupDelay) { $0.locator.nameAnswer(name, found, now: $0.now) }
        case .nodeStatus(let address):
            guard let machine = machines[address], machine.isUp else { return }
            after(machine.delay) {
                $0.locator.nodeStatusAnswer(address, machine.nodeNames, now: $0.now)
            }
        case .udp(let to, let bytes):
            ping(to, bytes)
        case .probeTCP(let to, let deadline):
            connect(to, deadline)
        case .persist(let known):
            persisted = known
        case .changed:
            break
        }
    }

    private func ping(_ to: Endpoint, _ bytes: [UInt8]) {
        guard let machine = machines[to.address], machine.isUp, machine.answersPings,
            let request = try? parseRequest(bytes)
        else { return }
        let answer = Self.answer(machine, request.messageID)
        after(machine.delay) {
            _ = $0.locator.datagram(answer.span, from: to, now: $0.now)
        }
    }

    private func connect(_ to: Endpoint, _ deadline: UInt64) {
        let machine = machines[to.address]
        let connected = machine?.isUp == true && machine?.answersTCP == true
        let delay = connected ? machine!.delay : deadline - now
        after(delay) { $0.locator.connectAnswer(to.address, connected: connected, now: $0.now) }
    }

    static func answer(_ machine: Machine, _ messageID: Int32) -> [UInt8] {
        var flags: ControllerFlags = [.directoryService, .writable]
        if machine.isClosest { flags.insert(.closest) }
        let response = SAMLogonResponseEx(
            machine.isPaused ? .samPauseResponseEx : .samLogonResponseEx, flags: flags,
            domainGuid: .zero, dnsForestName: machine.domain, dnsDomainName: machine.domain,
            dnsHostName: machine.name.lowercased() + "." + machine.domain,
            netbiosDomainName: machine.netbiosDomain, netbiosComputerName: machine.name,
            userName: "", dcSiteName: machine.isClosest ? machine.clientSite : "Site-Far",
            clientSiteName: machine.clientSite)
        var writer = WireWriter()
        response.write(into: &writer)
        return responseBytes(CLDAPSearchResponse(messageID: messageID), writer.finish())
    }
}

extension World {
    static let service = "_ldap._tcp.dc._msdcs.ad.lab"

    static func address(_ last: UInt8) -> IPv4Address { IPv4Address(10, 77, 0, last) }

    /// `count` controllers dc1, dc2 … of ad.lab in DNS, at 10.77.0.1 and on.
    static func withDNS(_ count: Int) -> World {
        let world = World()
        for number in 1...count {
            let host = "dc\(number).ad.lab"
            world.services[service, default: []].append(
                SRVRecord(priority: UInt16(number), weight: 0, port: 389, target: host + "."))
            let address = address(UInt8(number))
            world.hosts[host] = [address]
            world.machines[address] = Machine(name: "DC\(number)")
        }
        return world
    }

    static var modern: LocatorConfiguration {
        LocatorConfiguration(domain: "ADLAB", dnsName: "ad.lab", hostName: "GATE1")
    }

    static func fixed(_ list: [IPv4Address]) -> LocatorConfiguration {
        LocatorConfiguration(
            domain: "ADLAB", dnsName: "ad.lab", controllers: list, hostName: "GATE1")
    }
}
