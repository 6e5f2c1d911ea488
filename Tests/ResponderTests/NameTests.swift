import NetBIOS
import Responder
import Testing
import Wire

@Suite struct NameTests {
    let stranger = Endpoint(IPv4Address(10, 77, 0, 66), 137)
    let broadcast = Endpoint(IPv4Address(10, 77, 0, 255), 137)
    let gate20 = NetBIOSName("GATE1", .server)!

    func registration(
        of name: NetBIOSName, group: Bool = false, by owner: IPv4Address
    ) -> NameServicePacket {
        .registration(
            77, ScopedName(name), AddressEntry(NameFlags(group: group, .broadcast), owner),
            timeToLive: 60, broadcast: true)
    }

    @Test func claimsNamesThreeTimesThenTakesThem() throws {
        let harness = Harness()
        harness.responder.start(now: 0)
        for (round, now) in ([0, 250, 500, 750] as [UInt64]).enumerated() {
            if round > 0 {
                #expect(harness.responder.nextDeadline == now)
                harness.responder.advance(now: now)
            }
            let sent = try harness.sentNames()
            #expect(sent.count == 4)
            for (to, packet) in sent {
                #expect(to == broadcast)
                #expect(packet.flags.opcode == .registration && packet.flags.isBroadcast)
                // The last is the overwrite demand, which asks nobody.
                #expect(packet.flags.isRecursionDesired == (round < 3))
                #expect(packet.addresses.first?.address == Harness.own)
            }
            #expect(harness.responder.ownedNames.count == (round < 3 ? 0 : 4))
            #expect(harness.responder.areNamesDecided == (round == 3))
        }
        #expect(harness.responder.nextDeadline == nil)
        #expect(harness.responder.takeEvents().count == 4)
        #expect(harness.responder.ownedNames.map(\.name.description) == [
            "GATE1<00>", "GATE1<20>", "GATE1<03>", "ADLAB<00>",
        ])
    }

    @Test func namesAreOursAtOnceWhereNobodyHearsBroadcasts() throws {
        let harness = Harness(prefix: 32)
        harness.responder.start(now: 0)
        #expect(try harness.sentNames().isEmpty)
        #expect(harness.responder.ownedNames.count == 4 && harness.responder.areNamesDecided)
        harness.responder.stop(now: 10)
        #expect(try harness.sentNames().isEmpty)
    }

    @Test func givesUpNameThatAnotherOwns() throws {
        let harness = Harness()
        harness.responder.start(now: 0)
        let claim = try #require(try harness.sentNames().first {
            $0.packet.name?.name == gate20
        })
        let entry = AddressEntry(NameFlags(group: false, .broadcast), stranger.address)
        harness.send(
            .registrationResponse(
                to: claim.packet, ScopedName(gate20), entry, timeToLive: 0, .active),
            from: stranger, now: 100)
        for now in [250, 500, 750] as [UInt64] { harness.responder.advance(now: now) }
        #expect(harness.responder.ownedNames.map(\.name).contains(gate20) == false)
        #expect(harness.responder.areNamesDecided)
        #expect(harness.responder.takeEvents().contains(.conflict(gate20, stranger.address)))
        // Later it tries again.
        _ = harness.sent()
        #expect(harness.responder.nextDeadline == 300_100)
        harness.responder.advance(now: 300_100)
        #expect(try harness.sentNames().map(\.packet.name?.name) == [gate20])
    }

    @Test func doesNotObeyUnaskedDemands() throws {
        let harness = Harness()
        harness.own()
        let entry = AddressEntry(NameFlags(group: false, .broadcast), stranger.address)
        harness.send(.conflictDemand(5, ScopedName(gate20), entry), from: stranger)
        harness.send(.release(5, ScopedName(gate20), entry, broadcast: true), from: stranger)
        #expect(harness.responder.ownedNames.count == 4)
        #expect(harness.responder.counters.unaskedDemands == 2)
        #expect(harness.sent().isEmpty)
    }

    @Test func defendsItsNames() throws {
        let harness = Harness()
        harness.own()
        var lower = gate20
        for index in 0..<4 { lower[index] |= 0x20 }
        harness.send(registration(of: lower, by: stranger.address), from: stranger)
        let sent = try harness.sentNames()
        #expect(sent.count == 1 && sent[0].to == stranger)
        #expect(sent[0].packet.transactionID == 77)
        #expect(sent[0].packet.flags.result == .active)
        // A group of ours may have more members, but no owner.
        harness.send(
            registration(of: Harness.adlab, group: true, by: stranger.address), from: stranger)
        #expect(harness.sent().isEmpty)
        harness.send(registration(of: Harness.adlab, by: stranger.address), from: stranger)
        #expect(harness.sent().count == 1)
        #expect(harness.responder.counters.namesDefended == 2)
    }

    @Test func answersNameQueries() throws {
        let harness = Harness(interfaces: 2)
        harness.own()
        harness.send(.query(9, ScopedName(gate20), broadcast: true), from: stranger)
        let sent = try harness.sentNames()
        #expect(sent.count == 1 && sent[0].to == stranger)
        #expect(sent[0].packet.flags.isAuthoritative && sent[0].packet.transactionID == 9)
        #expect(sent[0].packet.addresses.map(\.address) == [
            Harness.own, IPv4Address(10, 77, 1, 40),
        ])
        let other = ScopedName(NetBIOSName("OTHER", .server)!)
        harness.send(.query(9, other, broadcast: true), from: stranger)
        let scoped = ScopedName(gate20, scope: ScopedName.scopeLabels("SCOPE")!)
        harness.send(.query(9, scoped, broadcast: true), from: stranger)
        #expect(harness.sent().isEmpty)
        #expect(harness.responder.counters.otherNames == 1)
        #expect(harness.responder.counters.otherScopes == 1)
    }

    @Test func answersNodeStatus() throws {
        let harness = Harness()
        harness.own()
        harness.send(.nodeStatusRequest(3), from: stranger)
        harness.send(.nodeStatusRequest(4, ScopedName(gate20)), from: stranger)
        let sent = try harness.sentNames()
        #expect(sent.count == 2)
        guard case .nodeStatus(let status)? = sent[0].packet.answer?.data else {
            Issue.record("no node status")
            return
        }
        #expect(status.names.map(\.name.description) == [
            "GATE1<00>", "GATE1<20>", "GATE1<03>", "ADLAB<00>",
        ])
        #expect(status.names.map(\.flags.isGroup) == [false, false, false, true])
        #expect(status.names.allSatisfy { $0.flags.isActive })
        let other = ScopedName(NetBIOSName("OTHER", .server)!)
        harness.send(.nodeStatusRequest(5, other), from: stranger)
        #expect(harness.sent().isEmpty)
    }

    @Test func ignoresItsOwnBroadcasts() throws {
        let harness = Harness()
        harness.own()
        let own = Endpoint(Harness.own, 137)
        harness.send(.query(9, ScopedName(gate20), broadcast: true), from: own)
        #expect(harness.sent().isEmpty)
        #expect(harness.responder.counters.ownBroadcasts == 1)
        // Another program on this host is not us.
        harness.send(
            .query(9, ScopedName(gate20), broadcast: true), from: Endpoint(Harness.own, 40_000))
        #expect(harness.sent().count == 1)
    }

    @Test func ignoresImpossibleSources() throws {
        let harness = Harness()
        harness.own()
        let query = NameServicePacket.query(9, ScopedName(gate20), broadcast: true)
        for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "10.77.0.255"] {
            harness.send(query, from: Endpoint(IPv4Address(address)!, 137))
        }
        harness.send(query, from: Endpoint(stranger.address, 0))
        #expect(harness.sent().isEmpty)
        #expect(harness.responder.counters.impossibleSources == 5)
    }

    @Test func countsMalformedPackets() {
        let harness = Harness()
        harness.own()
        let noise: [UInt8] = [0, 1, 2, 3]
        harness.responder.receive(
            noise.span, from: stranger, at: .name, interface: 0, now: 1_000)
        #expect(harness.responder.counters.malformedNamePackets == 1)
    }

    @Test func releasesItsNamesAtStop() throws {
        let harness = Harness(server: true)
        harness.own()
        harness.responder.stop(now: 5_000)
        for now in [5_000, 5_250, 5_500] as [UInt64] {
            #expect(harness.responder.isStopped == false)
            harness.responder.advance(now: now)
            let sent = try harness.sentNames()
            #expect(sent.count == 8)
            #expect(sent.allSatisfy { $0.packet.flags.opcode == .release })
            #expect(sent.filter { $0.to == broadcast }.count == 4)
            #expect(sent.filter { $0.to == Harness.server }.count == 4)
        }
        #expect(harness.responder.isStopped)
        #expect(harness.responder.nextDeadline == nil)
        // What is being released is not answered for.
        harness.send(.query(9, ScopedName(gate20), broadcast: true), from: stranger)
        #expect(harness.sent().isEmpty)
    }

    // MARK: With a name server

    func serverRequest(
        _ harness: Harness, _ name: NetBIOSName, to server: Endpoint = Harness.server
    ) throws -> NameServicePacket? {
        try harness.sentNames().first { $0.to == server && $0.packet.name?.name == name }?.packet
    }

    func grant(
        _ harness: Harness, _ request: NameServicePacket, seconds: UInt32, now: UInt64,
        _ result: NameServiceResult = .success, from server: Endpoint = Harness.server
    ) {
        let entry = AddressEntry(NameFlags(group: false, .hybrid), stranger.address)
        harness.send(
            .registrationResponse(
                to: request, request.name!, entry, timeToLive: seconds, result,
                recursionAvailable: true),
            from: server, now: now)
    }

    @Test func registersWithServerAndRefreshesAtHalfTime() throws {
        let harness = Harness(server: true)
        harness.responder.start(now: 0)
        let request = try #require(try serverRequest(harness, gate20))
        #expect(request.flags.opcode == .registration && !request.flags.isBroadcast)
        #expect(request.addresses.first?.flags.nodeType == .hybrid)
        grant(harness, request, seconds: 600, now: 10)
        #expect(harness.responder.takeEvents() == [.registeredWithServer(gate20, 600)])
        for now in [250, 500, 750, 300_009] as [UInt64] { harness.responder.advance(now: now) }
        _ = harness.sent()
        harness.responder.advance(now: 300_010)
        let refresh = try #require(try serverRequest(harness, gate20))
        #expect(refresh.flags.opcode == .refresh)
        grant(harness, refresh, seconds: 600, now: 300_020)
        #expect(harness.responder.takeEvents().last == .registeredWithServer(gate20, 600))
    }

    @Test func registersEachAddressOfSeveral() throws {
        let harness = Harness(server: true, interfaces: 2)
        harness.responder.start(now: 0)
        let toServer = try harness.sentNames().filter { $0.to == Harness.server }
        #expect(toServer.count == 8)
        let unique = toServer.filter { $0.packet.name?.name == gate20 }
        #expect(unique.map(\.packet.flags.opcode) == [
            .multihomedRegistration, .multihomedRegistration,
        ])
        #expect(Set(unique.compactMap(\.packet.addresses.first?.address)).count == 2)
    }

    @Test func asksSilentServerThriceThenRests() throws {
        let harness = Harness(server: true)
        harness.responder.start(now: 0)
        var asked = 0
        for now in stride(from: 0, to: 120_000, by: 250) as StrideTo<Int> {
            harness.responder.advance(now: UInt64(now))
            if try serverRequest(harness, gate20) != nil { asked += 1 }
        }
        #expect(asked == 3)
        #expect(harness.responder.takeEvents().contains(.serverUnreachable(gate20)))
        // The broadcast claim stands all the same.
        #expect(harness.responder.ownedNames.count == 4)
        harness.responder.advance(now: 4_500 + 120_000)
        #expect(try serverRequest(harness, gate20) != nil)
    }

    @Test func registersWithTheNextServerWhereTheFirstIsSilent() throws {
        let harness = Harness(servers: [Harness.server, Harness.secondServer])
        harness.responder.start(now: 0)
        let early = try #require(try serverRequest(harness, gate20))
        for now in stride(from: 250, to: 4_500, by: 250) as StrideTo<UInt64> {
            harness.responder.advance(now: now)
            #expect(try serverRequest(harness, gate20, to: Harness.secondServer) == nil)
        }
        harness.responder.advance(now: 4_500)
        let request = try #require(
            try serverRequest(harness, gate20, to: Harness.secondServer))
        #expect(request.flags.opcode == .registration)
        _ = harness.responder.takeEvents()
        // The first one's word comes too late.
        grant(harness, early, seconds: 600, now: 4_510)
        #expect(harness.responder.takeEvents().isEmpty)
        grant(harness, request, seconds: 600, now: 4_520, from: Harness.secondServer)
        #expect(harness.responder.takeEvents() == [.registeredWithServer(gate20, 600)])
        harness.responder.advance(now: 304_520)
        let refresh = try #require(
            try serverRequest(harness, gate20, to: Harness.secondServer))
        #expect(refresh.flags.opcode == .refresh)
        // As it is silent now too, the first one is asked again.
        for now in [306_020, 307_520] as [UInt64] {
            harness.responder.advance(now: now)
            _ = harness.sent()
        }
        harness.responder.advance(now: 309_020)
        #expect(try serverRequest(harness, gate20)?.flags.opcode == .registration)
    }

    @Test func restsOnceEveryServerWasSilent() throws {
        let harness = Harness(servers: [Harness.server, Harness.secondServer])
        harness.responder.start(now: 0)
        var asked: [Endpoint] = []
        for now in stride(from: 0, to: 120_000, by: 250) as StrideTo<UInt64> {
            harness.responder.advance(now: now)
            for (to, packet) in try harness.sentNames()
            where packet.name?.name == gate20 && to.address != broadcast.address {
                asked.append(to)
            }
        }
        #expect(asked == [Harness.server, Harness.secondServer].flatMap { [$0, $0, $0] })
        let silences = harness.responder.takeEvents().filter { $0 == .serverUnreachable(gate20) }
        #expect(silences.count == 1)
        harness.responder.stop(now: 120_000)
        #expect(try serverRequest(harness, gate20)?.flags.opcode == .release)
    }

    @Test func givesUpNameThatServerRefuses() throws {
        let harness = Harness(server: true)
        harness.responder.start(now: 0)
        let request = try #require(try serverRequest(harness, gate20))
        grant(harness, request, seconds: 0, now: 10, .active)
        for now in [250, 500, 750] as [UInt64] { harness.responder.advance(now: now) }
        #expect(!harness.responder.ownedNames.map(\.name).contains(gate20))
        #expect(harness.responder.takeEvents().contains(.conflict(gate20, stranger.address)))
    }

    @Test func waitsAsLongAsServerAsks() throws {
        let harness = Harness(server: true)
        harness.responder.start(now: 0)
        let request = try #require(try serverRequest(harness, gate20))
        harness.send(
            .waitForAcknowledgement(of: request, ScopedName(gate20), seconds: 10),
            from: Harness.server, now: 100)
        for now in [250, 500, 750, 1_500, 3_000, 4_500] as [UInt64] {
            harness.responder.advance(now: now)
            #expect(try serverRequest(harness, gate20) == nil)
        }
        harness.responder.advance(now: 10_100)
        #expect(try serverRequest(harness, gate20) != nil)
    }

    @Test func believesNobodyElseToBeTheServer() throws {
        let harness = Harness(server: true)
        harness.responder.start(now: 0)
        let request = try #require(try serverRequest(harness, gate20))
        let entry = AddressEntry(NameFlags(group: false, .hybrid), stranger.address)
        let refusal = NameServicePacket.registrationResponse(
            to: request, ScopedName(gate20), entry, timeToLive: 0, .active)
        harness.send(refusal, from: stranger, now: 10)
        for now in [250, 500, 750] as [UInt64] { harness.responder.advance(now: now) }
        #expect(harness.responder.ownedNames.count == 4)
        #expect(harness.responder.counters.unexpectedResponses == 1)
    }
}
