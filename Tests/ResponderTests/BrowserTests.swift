import Mailslot
import NetBIOS
import Responder
import Testing
import Wire

@Suite struct BrowserTests {
    static let crew = NetBIOSName("CREW", .workstation)!
    static let other = Endpoint(IPv4Address(10, 77, 0, 70), 138)

    func browser(isPrimary: Bool = true, isBackup: Bool = false) -> Harness {
        let names = ResponderConfiguration.names(of: Harness.gate, in: nil)
            + ResponderConfiguration.names(ofControllerIn: Self.crew, isPrimary: !isBackup)
        return Harness(
            domain: false, names: names,
            browser: BrowserConfiguration(
                domain: Self.crew, isPrimary: isPrimary, isBackup: isBackup))
    }

    struct Frame {
        var destination: String
        var to: Endpoint
        var message: BrowserMessage
    }

    /// The browser's frames in the outbox, which is emptied.
    func frames(_ harness: Harness) throws -> [Frame] {
        var frames: [Frame] = []
        for (envelope, bytes) in harness.sent() where envelope.service == .datagram {
            var reader = WireReader(bytes.span, layer: "NBDGM")
            let datagram = try DataDatagram(parsing: &reader)
            var part = WireReader(bytes.span, layer: "SMB").part(datagram.userData)
            let slot = try MailslotWrite(parsing: &part)
            #expect(String(decoding: bytes[slot.name], as: UTF8.self) == "\\MAILSLOT\\BROWSE")
            #expect(datagram.source.description == "GATE1<00>")
            var body = WireReader(bytes.span, layer: "browser").part(slot.data)
            frames.append(Frame(
                destination: datagram.destination.description, to: envelope.destination,
                message: try BrowserMessage(parsing: &body)))
        }
        return frames
    }

    /// Lets the time pass, step by step.
    func run(_ harness: Harness, until end: UInt64) throws -> [(UInt64, Frame)] {
        var all: [(UInt64, Frame)] = []
        while let next = harness.responder.nextDeadline, next <= end {
            harness.responder.advance(now: next)
            for frame in try frames(harness) { all.append((next, frame)) }
        }
        return all
    }

    func hear(
        _ harness: Harness, _ message: BrowserMessage, from name: String,
        to destination: NetBIOSName = crew.with(.masterBrowser), id: UInt16 = 1,
        now: UInt64 = 20_000, at source: Endpoint = other
    ) {
        var writer = WireWriter()
        let length = DataDatagram.begin(
            DatagramHeader(.directGroup, .broadcast, id: id, source: source),
            from: ScopedName(NetBIOSName(name, .workstation)!), to: ScopedName(destination),
            into: &writer)
        let slot = MailslotName.browse.bytes
        let open = MailslotWrite.begin(to: slot.span, into: &writer)
        let none: [UInt8] = []
        message.write(from: none.span, into: &writer)
        MailslotWrite.finish(open, in: &writer)
        DataDatagram.finish(length, in: &writer)
        harness.receive(writer.finish(), from: source, now: now)
    }

    func announcement(
        _ name: String, _ opcode: BrowserOpcode = .hostAnnouncement,
        type: ServerType = [.workstation, .server], period: UInt32 = 720_000,
        comment: String = "a desk"
    ) -> BrowserMessage {
        .announcement(BrowserAnnouncement(
            opcode, periodicity: period, serverName: OEMText(name), osVersionMajor: 4,
            osVersionMinor: 0, serverType: type, comment: OEMText(comment)))
    }

    func election(_ criteria: UInt32, version: UInt8 = 1) -> BrowserMessage {
        .election(RequestElection(
            version: version, criteria: criteria, uptime: 5, serverName: OEMText("OTHER")))
    }

    func servers(_ harness: Harness, now: UInt64 = 20_000) -> [String] {
        harness.responder.browseList(now: now).servers.map {
            String(decoding: $0.name, as: UTF8.self)
        }
    }

    /// A harness whose browser was elected.
    func master() throws -> Harness {
        let harness = browser()
        harness.responder.start(now: 0)
        _ = try run(harness, until: 10_000)
        #expect(harness.responder.isMasterBrowser)
        return harness
    }

    @Test func isElectedWhereNobodyIsBetter() throws {
        let harness = browser()
        harness.responder.start(now: 0)
        let sent = try run(harness, until: 10_000)
        let calls = sent.filter { if case .election = $0.1.message { true } else { false } }
        #expect(calls.map(\.0) == [1_000, 1_500, 2_000, 2_500])
        #expect(calls.allSatisfy { $0.1.destination == "CREW<1e>" })
        #expect(harness.responder.isMasterBrowser)
        let after = sent.filter { $0.0 == 3_000 }.map(\.1)
        #expect(after.map(\.destination) == [
            "CREW<1e>", "CREW<1e>", NetBIOSName.masterBrowsers.description,
        ])
        guard case .announcementRequest = after[0].message,
            case .announcement(let local) = after[1].message,
            case .announcement(let domain) = after[2].message
        else {
            Issue.record("other frames")
            return
        }
        #expect(local.opcode == .localMasterAnnouncement)
        #expect(local.serverType.isSuperset(of: [
            .masterBrowser, .domainMasterBrowser, .domainController,
        ]))
        #expect(domain.opcode == .domainAnnouncement)
        #expect(domain.serverName == OEMText("CREW") && domain.comment == OEMText("GATE1"))
        let owned = harness.responder.ownedNames.map(\.name)
        #expect(owned.contains(Self.crew.with(.masterBrowser)))
        #expect(owned.contains(.masterBrowsers))
    }

    @Test func announcesItselfLessAndLessOften() throws {
        let harness = browser(isPrimary: false)
        harness.responder.start(now: 0)
        let sent = try run(harness, until: 3_000_000)
        let times: [UInt64] = [0, 60, 300, 780, 1_500, 2_220, 2_940]
        #expect(sent.map(\.0) == times.map { 1_000 + $0 * 1_000 })
        #expect(sent.allSatisfy { $0.1.destination == "CREW<1d>" })
        let periods = sent.compactMap { frame -> UInt32? in
            if case .announcement(let message) = frame.1.message { return message.periodicity }
            return nil
        }
        #expect(periods == [60, 240, 480, 720, 720, 720, 720].map { $0 * 1_000 })
        harness.responder.stop(now: 3_000_000)
        let last = try #require(try frames(harness).first)
        guard case .announcement(let bye) = last.message else {
            Issue.record("another frame")
            return
        }
        #expect(bye.serverType == [])
    }

    @Test func yieldsToABetterOneAndDoesNotCallAgain() throws {
        let harness = try master()
        hear(harness, election(0x2001_0fff), from: "OTHER", to: Self.crew.with(.browserElections))
        #expect(!harness.responder.isMasterBrowser)
        #expect(!harness.responder.ownedNames.map(\.name).contains(.masterBrowsers))
        let sent = try run(harness, until: 60_000)
        #expect(!sent.contains { if case .election = $0.1.message { true } else { false } })
    }

    @Test func winsAgainstALesserOneAndStaysMaster() throws {
        let harness = try master()
        hear(harness, election(0, version: 0), from: "OTHER", id: 1)
        hear(harness, election(0x1001_0f03), from: "OTHER", id: 2)
        let sent = try run(harness, until: 30_000)
        let calls = sent.filter { if case .election = $0.1.message { true } else { false } }
        #expect(calls.map(\.0) == [20_100, 20_600, 21_100, 21_600])
        #expect(harness.responder.isMasterBrowser)
    }

    @Test func takesNoPartInMoreElectionsThanItsLimit() throws {
        let harness = try master()
        var calls = 0
        for round in 0..<20 {
            let now = 20_000 + UInt64(round) * 5_000
            hear(harness, election(0), from: "OTHER", id: UInt16(round), now: now)
            let sent = try run(harness, until: now + 4_900)
            calls += sent.filter { if case .election = $0.1.message { true } else { false } }
                .count
        }
        #expect(calls == 4 * 4)
    }

    @Test func callsAnElectionWhenAnotherMasterAppears() throws {
        let harness = try master()
        hear(
            harness, announcement("OTHER", .localMasterAnnouncement), from: "OTHER",
            to: Self.crew.with(.browserElections))
        let sent = try run(harness, until: 20_200)
        #expect(sent.contains { if case .election = $0.1.message { true } else { false } })
    }

    @Test func callsAnElectionWhenTheMasterIsSilent() throws {
        let harness = browser()
        harness.responder.start(now: 0)
        _ = try run(harness, until: 1_000)
        hear(harness, election(0x2001_0fff), from: "OTHER", now: 1_100)
        #expect(!harness.responder.isMasterBrowser)
        _ = try run(harness, until: 2_160_000)
        #expect(!harness.responder.isMasterBrowser)
        _ = try run(harness, until: 2_170_000)
        #expect(harness.responder.isMasterBrowser)
    }

    @Test func callsAnElectionWhenTheMasterLeaves() throws {
        let harness = try master()
        hear(harness, election(0x2001_0fff), from: "OTHER", id: 1)
        let browsers = Self.crew.with(.browserElections)
        hear(
            harness, announcement("OTHER", .localMasterAnnouncement), from: "OTHER",
            to: browsers, id: 2)
        hear(harness, announcement("DESK1", type: []), from: "DESK1", id: 3)
        _ = try run(harness, until: 40_000)
        #expect(!harness.responder.isMasterBrowser)
        hear(
            harness, announcement("OTHER", .localMasterAnnouncement, type: []), from: "OTHER",
            to: browsers, id: 4, now: 40_000)
        _ = try run(harness, until: 44_000)
        #expect(harness.responder.isMasterBrowser)
    }

    @Test func yieldsWhenTheMastersNameBelongsToAnother() throws {
        let harness = browser()
        harness.responder.start(now: 0)
        _ = try run(harness, until: 3_000)
        let name = ScopedName(Self.crew.with(.masterBrowser))
        #expect(harness.responder.isMasterBrowser)
        harness.responder.advance(now: 3_250)
        let claim = try #require(try harness.sentNames().first { $0.packet.name == name })
        let owner = Endpoint(IPv4Address(10, 77, 0, 70), 137)
        harness.send(
            .registrationResponse(
                to: claim.packet, name,
                AddressEntry(NameFlags(group: false, .broadcast), owner.address),
                timeToLive: 0, .active),
            from: owner, now: 3_300)
        #expect(!harness.responder.isMasterBrowser)
        #expect(!harness.responder.ownedNames.map(\.name).contains(name.name))
    }

    @Test func keepsAListOfWhoAnnouncesItself() throws {
        let harness = try master()
        hear(harness, announcement("desk2"), from: "DESK2", id: 1)
        hear(harness, announcement("DESK1"), from: "DESK1", id: 2)
        hear(
            harness, announcement("FARM", .domainAnnouncement, comment: "OTHER"), from: "OTHER",
            to: .masterBrowsers, id: 3)
        #expect(servers(harness) == ["GATE1", "DESK1", "DESK2"])
        let domains = harness.responder.browseList(now: 20_000).domains
        #expect(domains.map { String(decoding: $0.name, as: UTF8.self) } == ["CREW", "FARM"])
        #expect(String(decoding: domains[1].comment, as: UTF8.self) == "OTHER")
        // One leaves, the other is silent for three periods.
        hear(harness, announcement("DESK1", type: []), from: "DESK1", id: 4)
        #expect(servers(harness) == ["GATE1", "DESK2"])
        #expect(servers(harness, now: 20_000 + 2_160_000) == ["GATE1"])
    }

    @Test func believesNoImpossibleAnnouncement() throws {
        let harness = try master()
        hear(harness, announcement("DESK1"), from: "OTHER", id: 1)
        hear(harness, announcement("A\\B"), from: "OTHER", id: 2)
        hear(harness, announcement(""), from: "OTHER", id: 3)
        #expect(harness.responder.counters.refusedAnnouncements == 3)
        hear(harness, announcement("LONG", period: .max), from: "LONG", id: 4)
        // Another domain's list is none of our business.
        hear(
            harness, announcement("DESK9"), from: "DESK9",
            to: NetBIOSName("FARM", .masterBrowser)!, id: 5)
        #expect(servers(harness) == ["GATE1", "LONG"])
        #expect(servers(harness, now: 20_000 + 3 * 3_600_000) == ["GATE1"])
    }

    @Test func limitsItsList() throws {
        let harness = try master()
        for index in 0..<600 {
            hear(harness, announcement("D\(index)"), from: "D\(index)", id: UInt16(index))
            hear(
                harness, announcement("F\(index)", .domainAnnouncement), from: "OTHER",
                to: .masterBrowsers, id: UInt16(1_000 + index))
        }
        let list = harness.responder.browseList(now: 20_000)
        #expect(list.servers.count == 513 && list.domains.count == 129)
        // Whoever is in it stays.
        hear(harness, announcement("D1"), from: "D1", id: 5_000)
        #expect(harness.responder.counters.refusedAnnouncements == 88 + 472)
    }

    @Test func tellsWhoHasTheList() throws {
        let harness = try master()
        hear(
            harness, announcement("DESK1", type: [.server, .backupBrowser]), from: "DESK1",
            id: 1)
        hear(harness, announcement("DESK2"), from: "DESK2", id: 2)
        for (id, suffix) in [(3, NetBIOSSuffix.masterBrowser), (4, .domainMasterBrowser)] {
            hear(
                harness, .backupListRequest(requestedCount: 4, token: 77), from: "ASKER",
                to: Self.crew.with(suffix), id: UInt16(id))
            let answer = try #require(try frames(harness).first)
            #expect(answer.to == Self.other && answer.destination == "ASKER<00>")
            #expect(answer.message == .backupListResponse(BackupListResponse(
                token: 77, backupServerList: [OEMText("GATE1"), OEMText("DESK1")])))
        }
    }

    // MARK: A role that changes

    /// What the harness announced itself as, in the order of time.
    func types(_ sent: [(UInt64, Frame)]) -> [ServerType] {
        sent.compactMap { frame in
            if case .announcement(let message) = frame.1.message,
                message.opcode != .domainAnnouncement
            {
                return message.serverType
            }
            return nil
        }
    }

    func asksForBackups(_ harness: Harness, id: UInt16, now: UInt64) throws -> [Frame] {
        hear(
            harness, .backupListRequest(requestedCount: 4, token: 77), from: "ASKER",
            to: Self.crew.with(.domainMasterBrowser), id: id, now: now)
        return try frames(harness)
    }

    @Test func aPromotedBackupIsElectedAndAnswersAsThePrimary() throws {
        let harness = browser(isPrimary: false, isBackup: true)
        harness.responder.start(now: 0)
        _ = try run(harness, until: 10_000)
        #expect(try asksForBackups(harness, id: 1, now: 10_000).isEmpty)
        harness.responder.setPrimary(Self.crew, true, now: 20_000)
        let first = try frames(harness).map { (UInt64(20_000), $0) }
        #expect(types(first).first?.contains(.domainController) == true, "said at once")
        #expect(types(first).first?.contains(.backupDomainController) == false)
        let sent = try run(harness, until: 24_000)
        #expect(harness.responder.isMasterBrowser)
        #expect(types(sent).last?.isSuperset(of: [
            .domainController, .domainMasterBrowser, .masterBrowser, .backupBrowser,
        ]) == true)
        let owned = harness.responder.ownedNames.map(\.name)
        #expect(owned.contains(Self.crew.with(.domainMasterBrowser)))
        #expect(owned.contains(Self.crew.with(.masterBrowser)))
        #expect(try asksForBackups(harness, id: 2, now: 24_000).count == 1)
    }

    @Test func aDemotedPrimaryYieldsAndAnnouncesItselfAsABackup() throws {
        let harness = try master()
        harness.responder.setPrimary(Self.crew, false, now: 20_000)
        let sent = try frames(harness)
        let told = types(sent.map { (20_000, $0) })
        #expect(told.count == 1)
        #expect(told.first?.contains(.backupDomainController) == true)
        #expect(told.first?.isDisjoint(with: [
            .domainController, .masterBrowser, .domainMasterBrowser, .potentialBrowser,
            .backupBrowser,
        ]) == true)
        // The others are to elect one.
        let calls = sent.compactMap { frame -> RequestElection? in
            if case .election(let call) = frame.message { return call }
            return nil
        }
        #expect(calls.map(\.version) == [0] && calls.map(\.criteria) == [0])
        #expect(!harness.responder.isMasterBrowser)
        let owned = harness.responder.ownedNames.map(\.name)
        for name in [
            Self.crew.with(.domainMasterBrowser), Self.crew.with(.masterBrowser), .masterBrowsers,
        ] {
            #expect(!owned.contains(name), "\(name.description)")
        }
        #expect(try asksForBackups(harness, id: 1, now: 20_000).isEmpty)
        let later = try run(harness, until: 3_000_000)
        #expect(!later.contains { if case .election = $0.1.message { true } else { false } })
        #expect(!harness.responder.isMasterBrowser)
    }

    /// The others elect one, and nobody is promised what is not there any more.
    @Test func aMasterThatStopsSaysSo() throws {
        let harness = try master()
        harness.responder.stop(now: 20_000)
        let sent = try frames(harness)
        #expect(types(sent.map { (20_000, $0) }) == [[]])
        #expect(sent.map(\.destination) == ["CREW<1d>", "CREW<1e>"])
        guard case .election(let call) = sent.last?.message else {
            Issue.record("no election")
            return
        }
        #expect(call.version == 0 && call.criteria == 0)
        hear(harness, election(0x100), from: "OTHER", now: 20_050)
        #expect(try run(harness, until: 21_000).isEmpty)
    }

    /// Who is on another network has no say in who this one's master is, nor has it call.
    @Test func nobodyFarAwayCallsElections() throws {
        let harness = try master()
        let far = Endpoint(IPv4Address(192, 0, 2, 1), 138)
        hear(harness, election(0x2001_0fff, version: 15), from: "OTHER", at: far)
        #expect(harness.responder.isMasterBrowser)
        let request = BrowserMessage.announcementRequest(
            unused: 0, responseName: OEMText("OTHER"))
        hear(harness, request, from: "OTHER", id: 2, at: far)
        #expect(try run(harness, until: 20_500).isEmpty)
        hear(harness, election(0x2001_0fff, version: 15), from: "OTHER", id: 3)
        #expect(!harness.responder.isMasterBrowser)
    }

    @Test func requestsBringNoMoreThanAnAnnouncementASecond() throws {
        let harness = try master()
        let request = BrowserMessage.announcementRequest(
            unused: 0, responseName: OEMText("OTHER"))
        var sent = 0
        for number in 0..<100 {
            hear(
                harness, request, from: "OTHER", id: UInt16(number + 1),
                now: 20_000 + UInt64(number))
            sent += try run(harness, until: 20_000 + UInt64(number)).count
        }
        #expect(sent == 1)
        #expect(try run(harness, until: 21_100).count == 1)
    }

    @Test func aDroppedNameIsAnothersInOurNameServerToo() throws {
        let names = ResponderConfiguration.names(of: Harness.gate, in: nil)
            + ResponderConfiguration.names(ofControllerIn: Self.crew, isPrimary: true)
        let harness = Harness(
            domain: false, wins: true, names: names,
            browser: BrowserConfiguration(domain: Self.crew, isPrimary: true))
        harness.responder.start(now: 0)
        _ = try run(harness, until: 10_000)
        _ = harness.sent()
        harness.responder.setPrimary(Self.crew, false, now: 20_000)
        _ = harness.sent()
        let name = Self.crew.with(.domainMasterBrowser)
        let other = Endpoint(IPv4Address(10, 77, 0, 70), 137)
        harness.send(
            .registration(
                7, ScopedName(name), AddressEntry(NameFlags(group: false, .hybrid), other.address),
                timeToLive: 7_200, broadcast: false, opcode: .registration),
            from: other, now: 20_001)
        #expect(try harness.sentNames().first?.packet.flags.result == .success)
    }

    @Test func anotherDomainsRoleIsNotTheBrowsers() throws {
        let harness = try master()
        harness.responder.setPrimary(NetBIOSName("FARM", .workstation)!, false, now: 20_000)
        #expect(harness.responder.isMasterBrowser)
    }

    @Test func announcesItselfWhenAsked() throws {
        let harness = browser(isPrimary: false)
        harness.responder.start(now: 0)
        _ = try run(harness, until: 10_000)
        hear(
            harness, .announcementRequest(unused: 0, responseName: OEMText("OTHER")),
            from: "OTHER", to: Self.crew.with(.browserElections), id: 1)
        hear(
            harness, .announcementRequest(unused: 0, responseName: OEMText("OTHER")),
            from: "OTHER", to: Self.crew.with(.browserElections), id: 2)
        let sent = try run(harness, until: 55_000)
        #expect(sent.count == 1)
        #expect(harness.responder.counters.announcementRequests == 2)
    }
}
