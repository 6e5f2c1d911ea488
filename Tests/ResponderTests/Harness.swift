import Mailslot
import NetBIOS
import Responder
import Testing
import Wire

/// A responder on a network of its own, with helpers to ask it and to read what it sends.
struct Harness {
    static let own = IPv4Address(10, 77, 0, 40)
    static let server = Endpoint(IPv4Address(10, 77, 0, 20), 137)
    static let secondServer = Endpoint(IPv4Address(10, 77, 0, 21), 137)
    static let client = Endpoint(IPv4Address(10, 77, 0, 9), 138)
    static let adlab = NetBIOSName("ADLAB", .workstation)!
    static let ntlab = NetBIOSName("NTLAB", .workstation)!
    static let gate = NetBIOSName("GATE1", .workstation)!
    static let sid = SID("S-1-5-21-1-2-3")!
    static let guid = GUID("138daf55-918c-4170-9d46-d4d50490aa13")!

    let responder: Responder

    init(
        server: Bool = false, servers: [Endpoint] = [], interfaces: Int = 1,
        domain: Bool = true, wins: Bool = false,
        names: [OwnName]? = nil, prefix: UInt8 = 24, browser: BrowserConfiguration? = nil
    ) {
        let networks = (0..<interfaces).map {
            IPv4Network(IPv4Address(10, 77, UInt8($0), 40), prefixLength: prefix)
        }
        var state: UInt32 = 1
        responder = Responder(
            ResponderConfiguration(
                computerName: Self.gate,
                names: names ?? ResponderConfiguration.names(of: Self.gate, in: Self.adlab),
                interfaces: networks,
                nameServers: (server ? [Self.server] : servers).map(\.address),
                isNameServer: wins),
            browser: browser,
            random: {
                state = state &* 1_664_525 &+ 1_013_904_223
                return state >> 8
            })
        guard domain else { return }
        responder.serve(
            ServedDomain(
                Self.adlab, sid: Self.sid,
                directory: .init(
                    dnsDomainName: "ad.lab", dnsForestName: "ad.lab", domainGuid: Self.guid,
                    siteName: "Site")))
        responder.serve(ServedDomain(Self.ntlab))
        responder.setController(
            Self.adlab,
            NamedController(
                name: "DC1", address: IPv4Address(10, 77, 0, 10), dnsHostName: "dc1.ad.lab"))
        responder.setController(
            Self.ntlab, NamedController(name: "PDC", address: IPv4Address(10, 77, 0, 11)))
    }

    /// What is in the outbox, which is emptied.
    func sent() -> [(envelope: DatagramOutbox.Envelope, bytes: [UInt8])] {
        let all = responder.outbox.envelopes.map { ($0, responder.outbox.datagram($0)) }
        responder.outbox.removeAll()
        return all
    }

    func sentNames() throws -> [(to: Endpoint, packet: NameServicePacket)] {
        try sent().map { ($0.envelope.destination, try Self.nameService($0.bytes)) }
    }

    static func nameService(_ bytes: [UInt8]) throws -> NameServicePacket {
        var reader = WireReader(bytes.span, layer: "NBNS")
        return try NameServicePacket(parsing: &reader)
    }

    /// Claims the names, and lets nobody object.
    func own() {
        responder.start(now: 0)
        for now in [250, 500, 750] as [UInt64] { responder.advance(now: now) }
        responder.outbox.removeAll()
        _ = responder.takeEvents()
    }

    func send(_ packet: NameServicePacket, from source: Endpoint, now: UInt64 = 1_000) {
        var writer = WireWriter()
        packet.write(into: &writer)
        let bytes = writer.finish()
        responder.receive(bytes.span, from: source, at: .name, interface: 0, now: now)
    }

    /// A mailslot datagram's bytes.
    static func datagram(
        to destination: NetBIOSName, slot: MailslotName = .ntlogon, id: UInt16,
        _ message: NetlogonMessage
    ) -> [UInt8] {
        var writer = WireWriter()
        let length = DataDatagram.begin(
            DatagramHeader(.directGroup, .broadcast, id: id, source: client),
            from: ScopedName(NetBIOSName("PC", .workstation)!), to: ScopedName(destination),
            into: &writer)
        let text = slot.bytes
        let none: [UInt8] = []
        let open = MailslotWrite.begin(to: text.span, into: &writer)
        message.write(from: none.span, into: &writer)
        MailslotWrite.finish(open, in: &writer)
        DataDatagram.finish(length, in: &writer)
        return writer.finish()
    }

    func receive(_ bytes: [UInt8], from source: Endpoint = client, now: UInt64 = 1_000) {
        responder.receive(bytes.span, from: source, at: .datagram, interface: 0, now: now)
    }

    struct Answer {
        var envelope: DatagramOutbox.Envelope
        var datagram: DataDatagram
        var mailslot: String
        var message: NetlogonMessage
    }

    /// The one answer in the outbox, read as its client would.
    func answer() throws -> Answer? {
        let all = sent()
        #expect(all.count <= 1)
        guard let (envelope, bytes) = all.first else { return nil }
        var reader = WireReader(bytes.span, layer: "NBDGM")
        let datagram = try DataDatagram(parsing: &reader)
        var part = WireReader(bytes.span, layer: "SMB").part(datagram.userData)
        let mailslot = try MailslotWrite(parsing: &part)
        let data = Array(bytes[mailslot.data])
        var body = WireReader(data.span, layer: "NETLOGON")
        return Answer(
            envelope: envelope, datagram: datagram,
            mailslot: String(decoding: bytes[mailslot.name], as: UTF8.self),
            message: try NetlogonMessage(parsing: &body))
    }

    static let slot = OEMText("\\MAILSLOT\\NET\\GETDC1")

    static func samLogon(
        _ user: String = "me", _ version: NetlogonVersion = .v1, sid: SID? = nil,
        _ control: AccountControl = .normal, slot: OEMText = slot
    ) -> NetlogonMessage {
        .samLogonRequest(SAMLogonRequest(
            unicodeComputerName: UnicodeText("PC"), unicodeUserName: UnicodeText(user),
            mailslotName: slot, allowableAccountControlBits: control, domainSid: sid,
            ntVersion: version))
    }

    static func primaryQuery(_ version: NetlogonVersion? = .v1) -> NetlogonMessage {
        .primaryQuery(PrimaryQuery(
            computerName: OEMText("PC"), mailslotName: slot,
            version.map { .windowsNT(.init(UnicodeText("PC"), $0)) }
                ?? .lanManager(lm20Token: 0xffff)))
    }

    static func lmLogon(_ token: UInt16?) -> NetlogonMessage {
        .logonRequest(LogonRequest(
            computerName: OEMText("PC"), userName: OEMText("ME"),
            mailslotName: OEMText("\\MAILSLOT\\TEMP\\NETLOGON"), lm20Token: token))
    }

    /// Asks and reads the answer.
    func ask(
        _ message: NetlogonMessage, to name: NetBIOSName = adlab.with(.domainControllers),
        slot: MailslotName = .ntlogon, id: UInt16 = 1, now: UInt64 = 1_000
    ) throws -> Answer? {
        receive(Self.datagram(to: name, slot: slot, id: id, message), now: now)
        return try answer()
    }
}
