import Locator
import Mailslot
import NetBIOS
import Responder
import Wire

// Cores that hear datagrams: each step of the input is one, or lets time pass.

extension FuzzTarget {
    static let datagramCores: [FuzzTarget] = [
        FuzzTarget("reassembly") { bytes in
            var reassembler = DatagramReassembler()
            var now: UInt64 = 0
            for step in Steps(bytes) {
                now += UInt64(step.operation)
                var reader = WireReader(step.bytes.span, layer: "NBDGM")
                guard let datagram = try? DataDatagram(parsing: &reader) else { continue }
                let sender = Endpoint(IPv4Address(10, 77, 0, step.operation & 3), 138)
                _ = reassembler.add(datagram, step.bytes.span, from: sender, now: now)
                precondition(reassembler.count <= DatagramReassembler.mostDatagrams)
            }
        },
        FuzzTarget("resolver") { resolver($0) },
        FuzzTarget("responder", seeds: nameSeeds.map { Steps.joined([(0, $0)]) }) {
            responder($0, isNameServer: false)
        },
        FuzzTarget("name-server", seeds: nameSeeds.map { Steps.joined([(0, $0)]) }) {
            responder($0, isNameServer: true)
        },
        FuzzTarget("locator-modern") { locator($0, .modern) },
        FuzzTarget("locator-nt4") { locator($0, .nt4) },
    ]

    private static let here = IPv4Network(IPv4Address(10, 77, 0, 40), prefixLength: 24)

    private static func resolver(_ bytes: [UInt8]) {
        var numbers = FuzzNumbers()
        let resolver = NameResolver(
            NameResolver.Configuration(
                interfaces: [here], nameServers: [IPv4Address(10, 77, 0, 20)]),
            // A stranger who guesses the numbers gets furthest.
            random: { numbers.next() & 3 })
        var now: UInt64 = 0
        for step in Steps(bytes) {
            switch step.operation & 7 {
            case 0: _ = resolver.resolve(NetBIOSName("ADLAB", .domainControllers)!, now: now)
            case 1: _ = resolver.nodeStatus(of: IPv4Address(10, 77, 0, 10), now: now)
            case 2:
                now = max(now, resolver.nextDeadline ?? now)
                resolver.advance(now: now)
            case let other:
                resolver.receive(
                    step.bytes.span, from: Endpoint(IPv4Address(10, 77, 0, other * 5), 137),
                    now: now)
            }
            _ = resolver.takeCompletions()
            resolver.outbox.removeAll()
        }
    }

    private static func responder(_ bytes: [UInt8], isNameServer: Bool) {
        var numbers = FuzzNumbers()
        let computer = NetBIOSName("GATE1", .workstation)!
        let domain = NetBIOSName("ADLAB", .workstation)!
        let responder = Responder(
            ResponderConfiguration(
                computerName: computer,
                names: ResponderConfiguration.names(of: computer, in: domain),
                interfaces: [here], nameServers: [IPv4Address(10, 77, 0, 20)],
                isNameServer: isNameServer),
            random: { numbers.next() & 3 })
        responder.serve(ServedDomain(
            domain, directory: .init(
                dnsDomainName: "ad.lab", dnsForestName: "ad.lab", 
                domainGuid: GUID(data1: 1, data2: 2, data3: 3, data4: 4))))
        responder.setController(
            domain, NamedController(
                name: "AD", address: IPv4Address(10, 77, 0, 10), dnsHostName: "ad.ad.lab"))
        responder.start(now: 0)
        var now: UInt64 = 0
        for step in Steps(bytes) {
            let source = step.operation & 4 == 0 ? IPv4Address(10, 77, 0, 20)
                : IPv4Address(10, 77, 0, step.operation)
            if step.operation & 8 != 0 {
                now += UInt64(step.operation) * 16
                responder.advance(now: now)
            }
            let service = step.operation & 1 == 0 ? NetBIOSService.name : .datagram
            responder.receive(
                step.bytes.span, from: Endpoint(source, service == .name ? 137 : 138),
                at: service, interface: 0, now: now)
            // An answer is never much more than its question: nobody is flooded through us.
            precondition(responder.outbox.bytes.count < 16_384)
            responder.outbox.removeAll()
            _ = responder.takeEvents()
        }
    }

    private static func locator(_ bytes: [UInt8], _ profile: LocatorConfiguration.Profile) {
        var numbers = FuzzNumbers()
        let locator = Locator(
            LocatorConfiguration(
                domain: "ADLAB", dnsName: profile == .modern ? "ad.lab" : "", profile: profile,
                hostName: "GATE1"),
            random: { numbers.next() & 7 })
        var now: UInt64 = 1_000
        locator.start(now: now)
        var pending: [LocatorOutput] = []
        for step in Steps(bytes) {
            while let output = locator.nextOutput() { pending.append(output) }
            precondition(pending.count < 4_096, "it asks without end")
            if step.operation & 1 != 0 {
                now = max(now, locator.nextDeadline ?? now) + UInt64(step.operation >> 4)
                locator.timerFired(now: now)
                continue
            }
            guard !pending.isEmpty else { continue }
            answer(locator, pending.removeFirst(), step, now)
        }
        precondition(locator.controllers.count <= LocatorLimit.controllers)
    }

    private static func answer(
        _ locator: Locator, _ output: LocatorOutput, _ step: Steps.Step, _ now: UInt64
    ) {
        let text = String(decoding: step.bytes.prefix(64), as: UTF8.self)
        let address = IPv4Address(10, 77, step.operation >> 6, step.bytes.first ?? 1)
        switch output {
        case .dnsSRV(let name):
            let records = (0..<Int(step.operation >> 3)).map {
                SRVRecord(
                    priority: UInt16($0 & 3), weight: UInt16(step.operation), port: 389,
                    target: $0 == 0 ? text : "dc\($0).ad.lab")
            }
            locator.srvAnswer(name, records, now: now)
        case .dnsA(let host): locator.addressAnswer(host, [address], now: now)
        case .nbnsQuery(let name): locator.nameAnswer(name, [address], now: now)
        case .nodeStatus(let node):
            let entries = step.bytes.prefix(18).map {
                NodeStatus.Entry(
                    NetBIOSName("ADLAB", NetBIOSSuffix(rawValue: $0))
                        ?? NetBIOSName("ADLAB", .workstation)!,
                    NameFlags(rawValue: UInt16($0) << 8))
            }
            locator.nodeStatusAnswer(node, entries, now: now)
        case .udp(let endpoint, _):
            _ = locator.datagram(step.bytes.span, from: endpoint, now: now)
        case .probeTCP(let endpoint, _):
            locator.connectAnswer(
                endpoint.address, connected: step.operation & 2 != 0, now: now)
        case .persist, .changed: break
        }
    }
}
