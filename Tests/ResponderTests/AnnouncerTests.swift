import Mailslot
import NetBIOS
import Testing
import Wire

@testable import Responder

/// What a primary tells its backups, and when.
@Suite struct AnnouncerTests {
    private static let domain = NetBIOSName("OWNDOM", .workstation)!
    private static let first = NetBIOSName("BDC1", .workstation)!
    private static let second = NetBIOSName("BDC2", .workstation)!
    private static let address = IPv4Address(10, 77, 0, 50)

    private final class Primary {
        let harness = Harness(domain: false)
        var news: DomainNews?
        var responder: Responder { harness.responder }

        init(_ backups: [NetBIOSName]) {
            news = DomainNews(
                sid: Harness.sid,
                databases: [
                    .init(index: 0, largeSerialNumber: 7, dateAndTime: 116_444_736_010_000_000),
                ], backups: backups)
            responder.serve(ServedDomain(AnnouncerTests.domain, sid: Harness.sid))
            responder.setAnnouncements(of: AnnouncerTests.domain) { [unowned self] in news }
            harness.own()
        }

        /// The announcements that are sent at `now`, with where to; and whose addresses are wanted.
        func advance(
            _ now: UInt64
        ) throws -> (sent: [(DataDatagram, Endpoint, AnnounceChange)], wanted: [NetBIOSName]) {
            responder.advance(now: now)
            return (try sent(), wanted())
        }

        func wanted() -> [NetBIOSName] {
            responder.takeEvents().compactMap {
                if case .addressWanted(let name) = $0 { name } else { nil }
            }
        }

        func sent() throws -> [(DataDatagram, Endpoint, AnnounceChange)] {
            try harness.sent().filter { $0.envelope.service == .datagram }.map {
                var reader = WireReader($0.bytes.span, layer: "test")
                let datagram = try DataDatagram(parsing: &reader)
                var inner = WireReader($0.bytes.span, layer: "test").part(datagram.userData)
                let slot = try MailslotWrite(parsing: &inner)
                #expect(MailslotName.named(slot.name, in: $0.bytes.span) == .netlogon)
                var message = WireReader($0.bytes.span, layer: "test").part(slot.data)
                let change = try AnnounceChange(parsing: &message)
                return (datagram, $0.envelope.destination, change)
            }
        }

        func change(_ now: UInt64) { responder.domainChanged(now: now) }
    }

    @Test func aChangeIsToldToTheBackupAtItsAddress() throws {
        let primary = Primary([Self.first])
        primary.change(10_000)
        #expect(primary.responder.nextDeadline == 10_100)
        let due = try primary.advance(10_100)
        #expect(due.wanted == [Self.first] && due.sent.isEmpty)
        primary.responder.found(Self.first, Self.address, now: 10_102)
        let sent = try primary.sent()
        #expect(sent.count == 1)
        let (datagram, destination, change) = try #require(sent.first)
        #expect(destination == Endpoint(Self.address, 138))
        #expect(datagram.destination.name == Self.first)
        #expect(datagram.source.name == Harness.gate)
        #expect(change.domainName.description == "OWNDOM")
        #expect(change.domainSid == Harness.sid && change.databases == primary.news?.databases)
        #expect(change.lowSerialNumber == 7 && change.dateAndTime == 1)
        #expect(change.random == 0 && change.pulse == 300)
    }

    @Test func aKnownAddressIsNotAskedForAgain() throws {
        let primary = Primary([Self.first])
        primary.change(10_000)
        _ = try primary.advance(10_100)
        primary.responder.found(Self.first, Self.address, now: 10_100)
        _ = try primary.sent()
        primary.change(20_000)
        let again = try primary.advance(20_100)
        #expect(again.sent.count == 1 && again.wanted.isEmpty)
        primary.change(900_000)
        #expect(try primary.advance(900_100).wanted == [Self.first])
    }

    @Test func changesInARowMakeOneAnnouncement() throws {
        let primary = Primary([Self.first])
        var count = 0
        for now in stride(from: UInt64(10_000), to: 10_900, by: 50) {
            primary.change(now)
            count += try primary.advance(now).wanted.count
        }
        #expect(count == 0)
        // Not longer than a second after the first, even where they go on.
        primary.change(10_950)
        #expect(try primary.advance(11_000).wanted.count == 1)
    }

    @Test func severalBackupsAreAskedToComeAtRandom() throws {
        let primary = Primary([Self.first, Self.second])
        primary.change(10_000)
        _ = try primary.advance(10_100)
        primary.responder.found(Self.first, Self.address, now: 10_100)
        #expect(try primary.sent().first?.2.random == 1)
    }

    @Test func backupsThatAreNotFoundAreToldByBroadcastOnce() throws {
        let primary = Primary([Self.first, Self.second])
        primary.change(10_000)
        _ = try primary.advance(10_100)
        primary.responder.found(Self.first, nil, now: 12_000)
        primary.responder.found(Self.second, nil, now: 12_000)
        let sent = try primary.sent()
        #expect(sent.count == 1)
        #expect(sent.first?.1 == Endpoint(IPv4Address(10, 77, 0, 255), 138))
        #expect(sent.first?.0.destination.name == Self.domain.with(.domainControllers))
    }

    @Test func itIsToldNowAndThenWithoutAChange() throws {
        let primary = Primary([Self.first])
        primary.change(10_000)
        _ = try primary.advance(10_100)
        #expect(try primary.advance(310_000).wanted.isEmpty)
        #expect(try primary.advance(310_100).wanted == [Self.first])
    }

    @Test func whoIsNotThePrimaryAnnouncesNothing() throws {
        let primary = Primary([Self.first])
        primary.news = nil
        primary.change(10_000)
        let due = try primary.advance(10_100)
        #expect(due.sent.isEmpty && due.wanted.isEmpty)
        primary.responder.found(Self.first, Self.address, now: 10_101)
        #expect(try primary.sent().isEmpty)
    }

    @Test func anAnnouncementIsHeardWithItsSource() throws {
        let primary = Primary([])
        let change = AnnounceChange(
            lowSerialNumber: 1, dateAndTime: 2, pulse: 3, random: 4, primaryDCName: "PDC",
            domainName: "OWNDOM", databases: [], domainSid: Harness.sid)
        for number in 0..<40 {
            primary.harness.receive(
                Harness.datagram(
                    to: Self.domain.with(.domainControllers), slot: .netlogon,
                    id: UInt16(number), .announceChange(change)))
        }
        let heard = primary.responder.takeEvents()
        #expect(heard.first == .changeAnnounced(change, from: Harness.client.address))
        #expect(heard.count == 16 && primary.responder.counters.changesHeard == 40)
    }
}
