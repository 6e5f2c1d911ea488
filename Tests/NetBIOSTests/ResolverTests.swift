import NetBIOS
import Testing
import Wire

@Suite struct ResolverTests {
    let server = Endpoint(IPv4Address(10, 77, 0, 20), 137)
    let network = IPv4Network("10.77.0.40/24")!
    let name = NetBIOSName("ADLAB", .domainControllers)!
    let group = NameFlags(group: true, .hybrid)

    func resolver(server: Bool = false, interfaces: Int = 1) -> NameResolver {
        let networks = (0..<interfaces).map {
            IPv4Network(IPv4Address(10, 77, UInt8($0), 40), prefixLength: 24)
        }
        return NameResolver(
            .init(interfaces: networks, nameServers: server ? [self.server.address] : []),
            random: { 0x1234 })
    }

    func sent(_ resolver: NameResolver) throws -> [(Endpoint, NameServicePacket)] {
        let all = try resolver.outbox.envelopes.map {
            ($0.destination, try nameService(resolver.outbox.datagram($0)))
        }
        resolver.outbox.removeAll()
        return all
    }

    func answer(
        _ resolver: NameResolver, _ packet: NameServicePacket, from source: Endpoint,
        now: UInt64
    ) {
        let bytes = written(packet)
        resolver.receive(bytes.span, from: source, now: now)
    }

    func positive(
        _ request: NameServicePacket, _ flags: NameFlags, _ addresses: [IPv4Address]
    ) -> NameServicePacket {
        .positiveQueryResponse(
            to: request, ScopedName(name), addresses.map { AddressEntry(flags, $0) },
            timeToLive: 60)
    }

    @Test func asksServerFirstAndTakesItsList() throws {
        let resolver = resolver(server: true)
        let id = try #require(resolver.resolve(name, now: 0))
        let requests = try sent(resolver)
        #expect(requests.count == 1 && requests[0].0 == server)
        #expect(!requests[0].1.flags.isBroadcast)
        let addresses = [IPv4Address(10, 0, 0, 1), IPv4Address(10, 0, 0, 2)]
        answer(resolver, positive(requests[0].1, group, addresses), from: server, now: 5)
        #expect(resolver.takeCompletions() == [.init(
            id: id, result: .addresses(addresses.map { AddressEntry(group, $0) }))])
        #expect(resolver.nextDeadline == nil)
    }

    @Test func broadcastsWhenServerIsSilent() throws {
        let resolver = resolver(server: true, interfaces: 2)
        _ = resolver.resolve(name, now: 0)
        for now in [0, 500, 1_000] as [UInt64] {
            resolver.advance(now: now)
            #expect(try sent(resolver).map(\.0) == [server])
        }
        for now in [1_500, 1_750, 2_000] as [UInt64] {
            #expect(resolver.nextDeadline == now)
            resolver.advance(now: now)
            #expect(try sent(resolver).map(\.0.address) == [
                IPv4Address(10, 77, 0, 255), IPv4Address(10, 77, 1, 255),
            ])
        }
        resolver.advance(now: 2_250)
        #expect(resolver.takeCompletions().map(\.result) == [.noAnswer])
    }

    @Test func broadcastsAtOnceWhenServerKnowsNoSuchName() throws {
        let resolver = resolver(server: true)
        _ = resolver.resolve(name, now: 0)
        let request = try sent(resolver)[0].1
        answer(
            resolver, .negativeQueryResponse(to: request, ScopedName(name), .nameError),
            from: server, now: 7)
        #expect(try sent(resolver).map(\.1.flags.isBroadcast) == [true])
        for now in [257, 507, 757] as [UInt64] { resolver.advance(now: now) }
        #expect(resolver.takeCompletions().map(\.result) == [.noSuchName])
    }

    @Test func gathersMembersOfGroup() throws {
        let resolver = resolver()
        _ = resolver.resolve(name, now: 0)
        let request = try sent(resolver)[0].1
        let members = [IPv4Address(10, 77, 0, 1), IPv4Address(10, 77, 0, 2)]
        for (index, member) in members.enumerated() {
            let packet = positive(request, group, [member])
            answer(resolver, packet, from: Endpoint(member, 137), now: UInt64(10 + index))
            answer(resolver, packet, from: Endpoint(member, 137), now: UInt64(10 + index))
        }
        #expect(resolver.takeCompletions().isEmpty)
        resolver.advance(now: 260)
        #expect(resolver.takeCompletions().map(\.result) == [
            .addresses(members.map { AddressEntry(group, $0) })
        ])
    }

    @Test func takesFirstOwnerOfUniqueName() throws {
        let resolver = resolver()
        _ = resolver.resolve(name, now: 0)
        let request = try sent(resolver)[0].1
        let owner = IPv4Address(10, 77, 0, 9)
        let unique = NameFlags(group: false, .broadcast)
        answer(
            resolver, positive(request, unique, [owner]), from: Endpoint(owner, 137), now: 1)
        #expect(resolver.takeCompletions().map(\.result) == [
            .addresses([AddressEntry(unique, owner)])
        ])
    }

    @Test func ignoresWhatWasNotAsked() throws {
        let resolver = resolver(server: true)
        _ = resolver.resolve(name, now: 0)
        let request = try sent(resolver)[0].1
        var other = positive(request, group, [IPv4Address(6, 6, 6, 6)])
        let spoofer = Endpoint(IPv4Address(10, 77, 0, 66), 137)
        answer(resolver, other, from: spoofer, now: 1)
        answer(resolver, other, from: Endpoint(server.address, 1_137), now: 1)
        answer(resolver, request, from: server, now: 1)
        other.answer?.name = ScopedName(NetBIOSName("OTHER", .server)!)
        answer(resolver, other, from: server, now: 1)
        other.transactionID = 9
        answer(resolver, other, from: server, now: 1)
        let noise: [UInt8] = [1, 2, 3]
        resolver.receive(noise.span, from: server, now: 1)
        #expect(resolver.takeCompletions().isEmpty)
        var expected = NameResolver.Counters()
        expected.wrongSources = 2
        expected.notResponses = 1
        expected.wrongNames = 1
        expected.unknownTransactions = 1
        expected.malformed = 1
        #expect(resolver.counters == expected)
    }

    @Test func hasPatienceWhenServerAsksForIt() throws {
        let resolver = resolver(server: true)
        _ = resolver.resolve(name, now: 0)
        let request = try sent(resolver)[0].1
        answer(
            resolver, .waitForAcknowledgement(of: request, ScopedName(name), seconds: 3_600),
            from: server, now: 100)
        #expect(resolver.nextDeadline == 100 + NameResolver.longestWait)
    }

    @Test func asksNodeForItsNames() throws {
        let resolver = resolver()
        let node = Endpoint(IPv4Address(10, 77, 0, 9), 137)
        let id = try #require(resolver.nodeStatus(of: node.address, now: 0))
        let request = try sent(resolver)[0]
        #expect(request.0 == node && request.1.question?.type == .nodeStatus)
        let status = NodeStatus(
            names: [.init(name, NameFlags(rawValue: 0x8400))], statistics: NodeStatistics())
        answer(
            resolver, .nodeStatusResponse(to: request.1, ScopedName(.wildcard), status),
            from: node, now: 3)
        #expect(resolver.takeCompletions() == [.init(id: id, result: .nodeStatus(status))])
    }

    @Test func runsNoMoreQueriesThanItsLimitAndNumbersThemApart() throws {
        let resolver = resolver()
        for _ in 0..<NameResolver.mostQueries { #expect(resolver.resolve(name, now: 0) != nil) }
        #expect(resolver.resolve(name, now: 0) == nil)
        #expect(Set(try sent(resolver).map(\.1.transactionID)).count == NameResolver.mostQueries)
    }

    @Test func cancelledQueryCompletesNever() throws {
        let resolver = resolver()
        resolver.cancel(try #require(resolver.resolve(name, now: 0)))
        for now in [250, 500, 750] as [UInt64] { resolver.advance(now: now) }
        #expect(resolver.takeCompletions().isEmpty && resolver.nextDeadline == nil)
    }
}
