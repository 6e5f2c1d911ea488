import NetBIOS
import Responder
import TestSupport
import Testing
import Wire

@Suite struct WINSTests {
    static let first = Endpoint(IPv4Address(10, 77, 0, 61), 137)
    static let second = Endpoint(IPv4Address(10, 77, 0, 62), 137)
    static let desk = NetBIOSName("DESK", .server)!

    /// A name server with its own names, whose time is 1 s.
    func server(_ names: [OwnName]? = nil) -> Harness {
        let harness = Harness(domain: false, wins: true, names: names)
        harness.own()
        return harness
    }

    /// What the server answers to one packet.
    func ask(
        _ harness: Harness, _ packet: NameServicePacket, from source: Endpoint = first,
        now: UInt64 = 1_000
    ) throws -> [(to: Endpoint, packet: NameServicePacket)] {
        harness.send(packet, from: source, now: now)
        return try harness.sentNames()
    }

    func registration(
        _ name: NetBIOSName = desk, group: Bool = false, at address: IPv4Address = first.address,
        id: UInt16 = 7, life: UInt32 = 7_200, scope: [UInt8] = [],
        _ opcode: NameServiceOpcode = .registration
    ) -> NameServicePacket {
        .registration(
            id, ScopedName(name, scope: scope),
            AddressEntry(NameFlags(group: group, .hybrid), address), timeToLive: life,
            broadcast: false, opcode: opcode)
    }

    func release(
        _ name: NetBIOSName = desk, at address: IPv4Address = first.address
    ) -> NameServicePacket {
        .release(
            8, ScopedName(name), AddressEntry(NameFlags(group: false, .hybrid), address),
            broadcast: false)
    }

    func addresses(
        _ harness: Harness, _ name: NetBIOSName = desk, scope: [UInt8] = [], now: UInt64 = 1_000
    ) throws -> [IPv4Address]? {
        let sent = try ask(
            harness, .query(9, ScopedName(name, scope: scope), broadcast: false), now: now)
        try #require(sent.count == 1)
        #expect(sent[0].packet.flags.isRecursionAvailable)
        if sent[0].packet.flags.result == .nameError { return nil }
        return sent[0].packet.addresses.map(\.address)
    }

    @Test func registersAnswersAndReleases() throws {
        let harness = server()
        #expect(try addresses(harness) == nil)
        let sent = try ask(harness, registration())
        #expect(sent.count == 1 && sent[0].to == Self.first)
        #expect(sent[0].packet.flags.result == .success)
        #expect(sent[0].packet.answer?.timeToLive == 7_200)
        #expect(try addresses(harness) == [Self.first.address])
        var lower = Self.desk
        for index in 0..<4 { lower[index] |= 0x20 }
        #expect(try addresses(harness, lower) == nil)
        // Again, as after a lost answer: the same.
        #expect(try ask(harness, registration())[0].packet.flags.result == .success)
        // Another may not release it, and nobody may release another's address.
        #expect(
            try ask(harness, release(), from: Self.second)[0].packet.flags.result == .active)
        let foreign = release(at: Self.second.address)
        #expect(try ask(harness, foreign)[0].packet.flags.result == .active)
        for _ in 0..<2 {
            #expect(try ask(harness, release())[0].packet.flags.result == .success)
        }
        #expect(try addresses(harness) == nil)
        #expect(harness.responder.counters.winsReleases == 1)
    }

    /// A stranger says that an owner is there for an hour, or that its name is a group's.
    @Test func onlyTheOwnerShortensItsTimeOrMakesAGroupOfItsName() throws {
        let harness = server()
        _ = try ask(harness, registration(life: 300_000))
        _ = try ask(harness, registration(life: 1, .refresh), from: Self.second)
        #expect(try addresses(harness, now: 3_700_000) == [Self.first.address])
        _ = try ask(
            harness, registration(life: 300_000, .multihomedRegistration), from: Self.second)
        let sent = try ask(harness, registration(group: true), from: Self.second)
        // It is asked, and its answer decides.
        #expect(sent.contains { $0.to == Self.first && $0.packet.flags.opcode == .query })
        #expect(try addresses(harness) == [Self.first.address])
    }

    @Test func anOwnersLastWordOnItsTimeHolds() throws {
        let harness = server()
        _ = try ask(harness, registration(life: 300_000))
        _ = try ask(harness, registration(life: 1, .refresh))
        #expect(try addresses(harness, now: 3_700_000) == nil)
    }

    /// Its addresses come one by one, each as if there were no other.
    @Test func nodeThatRefreshesWhatTheServerForgotKeepsAllItsAddresses() throws {
        let harness = server()
        _ = try ask(harness, registration(life: 7_200, .refresh))
        let challenge = try ask(
            harness, registration(at: Self.second.address, .refresh), from: Self.second)
        let query = try #require(challenge.first { $0.to == Self.first }?.packet)
        let entries = [Self.first, Self.second].map {
            AddressEntry(NameFlags(group: false, .hybrid), $0.address)
        }
        let done = try ask(
            harness, .positiveQueryResponse(
                to: query, ScopedName(Self.desk), entries, timeToLive: 0,
                recursionAvailable: false))
        #expect(done.contains { $0.to == Self.second && $0.packet.flags.result == .success })
        #expect(try addresses(harness) == [Self.first.address, Self.second.address])
    }

    @Test func grantsWithinItsLimits() throws {
        let harness = server()
        let lives: [(UInt32, UInt32)] = [(0, 518_400), (1, 3_600), (9_999_999, 518_400)]
        for (asked, granted) in lives {
            let sent = try ask(harness, registration(life: asked))
            #expect(sent[0].packet.answer?.timeToLive == granted)
        }
    }

    @Test func forgetsNamesThatAreNotRefreshed() throws {
        let harness = server()
        _ = try ask(harness, registration(life: 3_600))
        let refreshed = 1_000_000 as UInt64
        _ = try ask(harness, registration(life: 3_600, .refresh), now: refreshed)
        #expect(try addresses(harness, now: refreshed + 3_599_999) != nil)
        #expect(try addresses(harness, now: refreshed + 3_600_000) == nil)
        let count = try #require(harness.responder.winsNames)
        harness.responder.advance(now: refreshed + 3_700_000)
        #expect(harness.responder.winsNames == count - 1)
        // Nobody is asked before another takes it.
        let sent = try ask(
            harness, registration(at: Self.second.address), from: Self.second,
            now: refreshed + 3_700_000)
        #expect(sent.count == 1 && sent[0].packet.flags.result == .success)
    }

    @Test func keepsItsOwnNames() throws {
        let gate20 = Harness.gate.with(.server)
        let harness = server()
        #expect(try addresses(harness, gate20) == [Harness.own])
        for opcode in [NameServiceOpcode.registration, .refresh, .multihomedRegistration] {
            let sent = try ask(harness, registration(gate20, opcode))
            #expect(sent.count == 1 && sent[0].packet.flags.result == .active)
            #expect(sent[0].packet.addresses.first?.address == Harness.own)
        }
        let stolen = release(gate20, at: Harness.own)
        #expect(try ask(harness, stolen)[0].packet.flags.result == .active)
        #expect(try addresses(harness, gate20) == [Harness.own])
    }

    @Test func leavesToNodesWhatIsNotTheServers() throws {
        let harness = server()
        _ = try ask(harness, registration())
        #expect(try ask(harness, .query(1, ScopedName(Self.desk), broadcast: true)).isEmpty)
        let direct = NameServicePacket(
            transactionID: 2, NameServiceFlags(.query),
            question: .init(ScopedName(Self.desk), .netBIOS))
        #expect(try ask(harness, direct).isEmpty)
        // Our own names we answer for either way.
        let gate20 = ScopedName(Harness.gate.with(.server))
        #expect(try ask(harness, .query(3, gate20, broadcast: true)).count == 1)
    }

    @Test func challengesThePresentOwnerWhichKeepsItsName() throws {
        let harness = server()
        _ = try ask(harness, registration())
        let claim = registration(at: Self.second.address, id: 21)
        let sent = try ask(harness, claim, from: Self.second)
        try #require(sent.count == 2)
        #expect(sent[0].to == Self.second)
        #expect(sent[0].packet.flags.opcode == .waitForAcknowledgement)
        #expect(sent[0].packet.answer?.timeToLive == 9)
        #expect(sent[1].to == Self.first && sent[1].packet.flags.opcode == .query)
        #expect(!sent[1].packet.flags.isRecursionDesired)
        // The registrant asks again: it is told to wait again, and nobody else is asked. A copy
        // that comes at once is not its.
        #expect(try ask(harness, claim, from: Self.second, now: 1_001).isEmpty)
        let again = try ask(harness, claim, from: Self.second, now: 1_500)
        #expect(again.count == 1 && again[0].packet.flags.opcode == .waitForAcknowledgement)

        let entry = AddressEntry(NameFlags(group: false, .hybrid), Self.first.address)
        let answer = NameServicePacket.positiveQueryResponse(
            to: sent[1].packet, ScopedName(Self.desk), [entry], timeToLive: 0)
        // Whoever was not asked has no say.
        #expect(try ask(harness, answer, from: Self.second, now: 1_550).isEmpty)
        let verdict = try ask(harness, answer, now: 1_600)
        #expect(verdict.count == 1 && verdict[0].to == Self.second)
        #expect(verdict[0].packet.transactionID == 21)
        #expect(verdict[0].packet.flags.result == .active)
        let repeated = try ask(harness, claim, from: Self.second, now: 1_700)
        #expect(repeated.count == 1 && repeated[0].packet.flags.result == .active)
        #expect(try addresses(harness) == [Self.first.address])
        #expect(harness.responder.counters.winsChallenges == 1)
    }

    @Test func givesTheNameOfASilentOwnerToTheNext() throws {
        let harness = server()
        _ = try ask(harness, registration())
        _ = try ask(
            harness, registration(at: Self.second.address, id: 21), from: Self.second)
        _ = harness.responder.takeWINSChanges(now: 1_000, unix: 0, all: true)
        for now in [1_500, 2_000, 2_500] as [UInt64] {
            #expect(harness.responder.nextDeadline == now)
            harness.responder.advance(now: now)
            let sent = try harness.sentNames()
            #expect(sent.count == 1)
            if now < 2_500 { continue }
            #expect(sent[0].to == Self.second && sent[0].packet.flags.result == .success)
        }
        #expect(try addresses(harness, now: 2_600) == [Self.second.address])
        #expect(harness.responder.counters.winsTakeovers == 1)
    }

    @Test func givesTheNameThatItsOwnerDeniesToTheNext() throws {
        let harness = server()
        _ = try ask(harness, registration())
        let sent = try ask(
            harness, registration(at: Self.second.address, id: 21), from: Self.second)
        let denial = NameServicePacket.negativeQueryResponse(
            to: sent[1].packet, ScopedName(Self.desk), .nameError)
        let verdict = try ask(harness, denial, now: 1_010)
        #expect(verdict.count == 1 && verdict[0].packet.flags.result == .success)
        #expect(try addresses(harness) == [Self.second.address])
    }

    @Test func addsAddressesOfOneNode() throws {
        let harness = server()
        _ = try ask(harness, registration(Self.desk, .multihomedRegistration))
        let sent = try ask(
            harness, registration(at: Self.second.address, id: 3, .multihomedRegistration))
        let entries = [Self.first, Self.second].map {
            AddressEntry(NameFlags(group: false, .hybrid), $0.address)
        }
        let verdict = try ask(
            harness,
            .positiveQueryResponse(
                to: sent[1].packet, ScopedName(Self.desk), entries, timeToLive: 0))
        #expect(verdict[0].packet.flags.result == .success)
        #expect(try addresses(harness) == [Self.first.address, Self.second.address])
    }

    @Test func answersGroupsByBroadcastAndRefusesOwnersOfThem() throws {
        let harness = server()
        let group = NetBIOSName("CREW", .workstation)!
        _ = try ask(harness, registration(group, group: true))
        _ = try ask(
            harness, registration(group, group: true, at: Self.second.address),
            from: Self.second)
        #expect(try addresses(harness, group) == [.broadcast])
        let unique = registration(group, at: Self.second.address, id: 50)
        #expect(
            try ask(harness, unique, from: Self.second)[0].packet.flags.result == .active)
        // Nobody's leaving ends it.
        for member in [Self.first, Self.second] {
            let left = release(group, at: member.address)
            #expect(try ask(harness, left, from: member)[0].packet.flags.result == .success)
        }
        #expect(try addresses(harness, group) == [.broadcast])
        #expect(try addresses(harness, group, now: 8_000_000) == nil)
    }

    @Test func listsControllersEachWithItsOwnTimeThePrimaryFirst() throws {
        let harness = server()
        let controllers = NetBIOSName("CREW", .domainControllers)!
        for index in 1...30 {
            let member = Endpoint(IPv4Address(10, 77, 0, UInt8(100 + index)), 137)
            _ = try ask(
                harness,
                registration(
                    controllers, group: true, at: member.address, id: UInt16(index),
                    life: 3_600 + UInt32(index)),
                from: member)
        }
        let primary = IPv4Address(10, 77, 0, 120)
        _ = try ask(
            harness, registration(controllers.with(.domainMasterBrowser), at: primary))
        // The five whose time was over first gave way.
        let all = try #require(try addresses(harness, controllers))
        #expect(all.count == 25 && all[0] == primary)
        #expect(!all.contains(IPv4Address(10, 77, 0, 105)))
        let later = try #require(try addresses(harness, controllers, now: 3_629_000))
        #expect(later.count == 2)
        #expect(try addresses(harness, controllers, now: 3_631_000) == nil)
    }

    @Test func acceptsMasterBrowsersAndDoesNotAnswerForThem() throws {
        let harness = server()
        let master = NetBIOSName("CREW", .masterBrowser)!
        for source in [Self.first, Self.second] {
            let sent = try ask(
                harness, registration(master, at: source.address), from: source)
            #expect(sent.count == 1 && sent[0].packet.flags.result == .success)
        }
        #expect(try addresses(harness, master) == nil)
    }

    @Test func keepsScopesApart() throws {
        let harness = server()
        let scope = ScopedName.scopeLabels("DEPT.EXAMPLE")!
        _ = try ask(harness, registration(scope: scope))
        #expect(try addresses(harness) == nil)
        #expect(try addresses(harness, scope: scope) == [Self.first.address])
    }

    @Test func refusesScopesLongerThanADomainName() throws {
        let harness = server()
        let label = [UInt8](repeating: UInt8(ascii: "a"), count: 63)
        for (last, result) in [(45, NameServiceResult.success), (46, .serverFailure)] {
            var scope: [UInt8] = []
            for _ in 0..<3 { scope += [63] + label }
            scope += [UInt8(last)] + label.prefix(last)
            let sent = try ask(harness, registration(scope: scope))
            #expect(sent.count == 1 && sent[0].packet.flags.result == result)
        }
    }

    @Test func survivesARestart() throws {
        let harness = server()
        _ = harness.responder.takeWINSChanges(now: 1_000, unix: 50, all: true)
        let controllers = NetBIOSName("CREW", .domainControllers)!
        let scope = ScopedName.scopeLabels("DEPT")!
        _ = try ask(harness, registration())
        _ = try ask(harness, registration(controllers, group: true))
        _ = try ask(harness, registration(scope: scope))
        #expect(harness.responder.takeWINSChanges(now: 1_999, unix: 51).isEmpty)
        #expect(harness.responder.nextDeadline == 2_000)
        let pages = harness.responder.takeWINSChanges(now: 2_000, unix: 100)
        #expect(pages.count == 3)
        #expect(harness.responder.takeWINSChanges(now: 9_000, unix: 100).isEmpty)

        let next = Harness(domain: false, wins: true)
        for page in pages {
            var writer = WireWriter()
            page.write(into: &writer)
            let bytes = writer.finish()
            var reader = WireReader(bytes.span, layer: "state")
            let kept = try WINSPage(number: page.number, parsing: &reader)
            #expect(kept == page)
            next.responder.loadWINS(kept, now: 500, unix: 200)
        }
        next.own()
        #expect(try addresses(next) == [Self.first.address])
        #expect(try addresses(next, scope: scope) == [Self.first.address])
        #expect(try addresses(next, controllers) == [Self.first.address])
        // The hours that were granted go on while the server is away.
        #expect(try addresses(next, now: 500 + 7_102_000) == nil)
    }

    /// The disk may be full for a while.
    @Test func handsOutAgainWhatWasNotKept() throws {
        let harness = server()
        _ = harness.responder.takeWINSChanges(now: 1_000, unix: 50, all: true)
        _ = try ask(harness, registration())
        let pages = harness.responder.takeWINSChanges(now: 2_000, unix: 51)
        #expect(pages.count == 1)
        harness.responder.winsNotKept(pages, now: 2_000)
        #expect(harness.responder.takeWINSChanges(now: 61_999, unix: 51).isEmpty)
        #expect(harness.responder.nextDeadline.map { $0 <= 62_000 } == true)
        #expect(harness.responder.takeWINSChanges(now: 62_000, unix: 111) == pages)
        #expect(harness.responder.takeWINSChanges(now: 200_000, unix: 51).isEmpty)
    }

    @Test func forgetsWhatAClockSetBackWouldKeepForEver() throws {
        let harness = server()
        _ = try ask(harness, registration())
        let pages = harness.responder.takeWINSChanges(
            now: 1_000, unix: 2_000_000_000, all: true)
        let next = Harness(domain: false, wins: true)
        for page in pages { next.responder.loadWINS(page, now: 0, unix: 5) }
        next.own()
        #expect(try addresses(next) != nil)
        #expect(try addresses(next, now: 518_400_000) == nil)
    }

    @Test func refusesNamesBeyondItsLimit() throws {
        let harness = server()
        for index in 0..<65_600 {
            let name = NetBIOSName("N\(index)", .workstation)!
            harness.send(registration(name), from: Self.first)
            if index % 1_000 == 0 { harness.responder.outbox.removeAll() }
        }
        harness.responder.outbox.removeAll()
        #expect(harness.responder.winsNames == 65_536)
        #expect(harness.responder.counters.winsFull == 68)
        let sent = try ask(harness, registration())
        #expect(sent[0].packet.flags.result == .serverFailure)
    }

    /// A look at all names for each new one would leave no time for anything else.
    @Test func fullTableIsLookedThroughNowAndThen() throws {
        let harness = server()
        harness.responder.advance(now: 60_000)
        _ = harness.sent()
        var number = 0
        while harness.responder.winsNames! < 65_536 {
            var name = Self.desk
            for index in 0..<4 { name[index + 4] = UInt8(0x41 + number >> (4 * index) & 0xf) }
            harness.send(
                registration(name, life: number == 0 ? 3_600 : 300_000), from: Self.first,
                now: 60_001)
            number += 1
        }
        _ = harness.sent()
        var late = Self.desk
        late[5] = 0x7e
        func result(now: UInt64) throws -> NameServiceResult? {
            try ask(harness, registration(late), now: now).first?.packet.flags.result
        }
        harness.responder.advance(now: 3_659_000)
        #expect(try result(now: 3_660_002) == .serverFailure)
        #expect(try result(now: 3_719_001) == .success)
    }

    @Test func limitsChallengesAtOneTime() throws {
        let harness = server()
        for index in 0..<300 {
            let name = NetBIOSName("N\(index)", .workstation)!
            harness.send(registration(name), from: Self.first)
            harness.send(
                registration(name, at: Self.second.address, id: UInt16(index)),
                from: Self.second)
        }
        #expect(harness.responder.counters.winsChallenges == 256)
        #expect(harness.responder.counters.winsBusy == 44)
    }

    @Test func readsNoPageThatIsCutOrChanged() throws {
        let harness = server()
        _ = try ask(harness, registration(scope: ScopedName.scopeLabels("DEPT")!))
        let pages = harness.responder.takeWINSChanges(now: 1_000, unix: 9, all: true)
        let samples = pages.filter { !$0.entries.isEmpty }.map { page -> MessageSample in
            var writer = WireWriter()
            page.write(into: &writer)
            return MessageSample(name: page.description, bytes: writer.finish()) { bytes in
                var reader = WireReader(bytes.span, layer: "state")
                let page = try WINSPage(number: 0, parsing: &reader)
                try reader.expectEnd("page")
                var writer = WireWriter()
                page.write(into: &writer)
                return writer.finish()
            }
        }
        #expect(samples.count == 1)
        #expect(checkMessages(samples) == [])
    }
}
