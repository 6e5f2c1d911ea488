import NetBIOS
import TestSupport
import Wire

func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex)! }

func nameService(_ bytes: [UInt8]) throws -> NameServicePacket {
    var reader = WireReader(bytes.span, layer: "NBNS")
    return try NameServicePacket(parsing: &reader)
}

func written(_ packet: NameServicePacket) -> [UInt8] {
    var writer = WireWriter()
    packet.write(into: &writer)
    return writer.finish()
}

func dataDatagram(_ bytes: [UInt8]) throws -> DataDatagram {
    var reader = WireReader(bytes.span, layer: "NBDGM")
    return try DataDatagram(parsing: &reader)
}

/// A data datagram's bytes.
func datagramBytes(
    _ type: DatagramType = .directUnique, id: UInt16 = 1, flags: UInt8? = nil, offset: UInt16 = 0,
    from source: ScopedName, to destination: ScopedName, _ userData: [UInt8]
) -> [UInt8] {
    var writer = WireWriter()
    var header = DatagramHeader(
        type, .broadcast, id: id, source: Endpoint(IPv4Address(10, 0, 0, 9), 138))
    if let flags { header.flags = flags }
    let length = DataDatagram.begin(
        header, packetOffset: offset, from: source, to: destination, into: &writer)
    writer.append(userData)
    DataDatagram.finish(length, in: &writer)
    return writer.finish()
}

enum Sample {
    static let gate = ScopedName(NetBIOSName("GATE1", .server)!)
    static let domain = ScopedName(
        NetBIOSName("ADLAB", .domainControllers)!, scope: ScopedName.scopeLabels("DEPT.EX")!)
    static let entry = AddressEntry(
        NameFlags(group: false, .hybrid), IPv4Address(10, 77, 0, 40))

    static var namePackets: [(String, NameServicePacket)] {
        let query = NameServicePacket.query(7, gate, broadcast: true)
        let registration = NameServicePacket.registration(
            8, gate, entry, timeToLive: 300_000, broadcast: false)
        let release = NameServicePacket.release(9, domain, entry, broadcast: true)
        var status = NodeStatus(
            names: [.init(gate.name, NameFlags(rawValue: 0x6400))], statistics: NodeStatistics())
        status.statistics.numberGoodSends = 99
        return [
            ("query", query),
            ("registration", registration),
            ("scoped registration",
                .registration(1, domain, entry, timeToLive: 0, broadcast: true)),
            ("overwrite", .registration(
                1, gate, entry, timeToLive: 0, broadcast: true, overwrite: true)),
            ("refresh", .registration(
                1, gate, entry, timeToLive: 60, broadcast: false, opcode: .refresh)),
            ("multi-homed registration", .registration(
                1, gate, entry, timeToLive: 60, broadcast: false,
                opcode: .multihomedRegistration)),
            ("release", release),
            ("conflict demand", .conflictDemand(3, gate, entry)),
            ("positive query response", .positiveQueryResponse(
                to: query, gate, [entry, entry, entry], timeToLive: 300)),
            ("negative query response", .negativeQueryResponse(to: query, gate, .nameError)),
            ("positive registration response", .registrationResponse(
                to: registration, gate, entry, timeToLive: 300)),
            ("negative registration response", .registrationResponse(
                to: registration, gate, entry, timeToLive: 0, .active)),
            ("release response", .registrationResponse(
                to: release, domain, entry, timeToLive: 0)),
            ("wait", .waitForAcknowledgement(of: registration, gate, seconds: 2)),
            ("redirect", .redirect(
                of: query, gate, to: domain, at: IPv4Address(10, 77, 0, 20), timeToLive: 60)),
            ("node status request", .nodeStatusRequest(4)),
            ("node status response", .nodeStatusResponse(
                to: .nodeStatusRequest(4), gate, status)),
        ]
    }

    static var messages: [MessageSample] {
        var all = namePackets.map { name, packet in
            MessageSample(name: name, bytes: written(packet)) { written(try nameService($0)) }
        }
        let endpoint = Endpoint(IPv4Address(10, 0, 0, 9), 138)
        for type: DatagramType in [.directUnique, .directGroup, .broadcast] {
            all.append(MessageSample(
                name: type.description,
                bytes: datagramBytes(type, from: gate, to: domain, [1, 2, 3])) { bytes in
                var writer = WireWriter()
                let datagram = try dataDatagram(bytes)
                datagram.write(
                    userData: bytes.span.extracting(datagram.userData), into: &writer)
                return writer.finish()
            })
        }
        for type: DatagramType in [
            .queryRequest, .positiveQueryResponse, .negativeQueryResponse,
        ] {
            var writer = WireWriter()
            DatagramQuery(DatagramHeader(type, .mixed, id: 5, source: endpoint), domain)
                .write(into: &writer)
            all.append(MessageSample(name: type.description, bytes: writer.finish()) {
                var reader = WireReader($0.span, layer: "NBDGM")
                var writer = WireWriter()
                try DatagramQuery(parsing: &reader).write(into: &writer)
                return writer.finish()
            })
        }
        var writer = WireWriter()
        DatagramError(
            DatagramHeader(.error, .broadcast, id: 5, source: endpoint),
            errorCode: DatagramError.destinationNameNotPresent).write(into: &writer)
        all.append(MessageSample(name: "datagram error", bytes: writer.finish()) {
            var reader = WireReader($0.span, layer: "NBDGM")
            var writer = WireWriter()
            try DatagramError(parsing: &reader).write(into: &writer)
            return writer.finish()
        })
        return all + sessionMessages(.netBIOS) + sessionMessages(.direct)
    }

    static func sessionMessages(_ framing: SessionFraming) -> [MessageSample] {
        var packets: [(String, SessionPacket)] = [("message", .message(0..<0))]
        if framing == .netBIOS {
            packets += [
                ("session request", .request(called: gate, calling: domain)),
                ("positive session response", .positiveResponse),
                ("negative session response", .negativeResponse(.calledNameNotPresent)),
                ("retarget", .retargetResponse(Endpoint(IPv4Address(10, 0, 0, 1), 139))),
            ]
        }
        packets.append(("keep-alive", .keepAlive))
        return packets.map { name, packet in
            var writer = WireWriter()
            packet.write(userData: [9, 8, 7].span, into: &writer, framing)
            return MessageSample(name: name, bytes: writer.finish()) { bytes in
                var reader = WireReader(bytes.span, layer: "NBSS")
                let packet = try SessionPacket(parsing: &reader, framing)
                try reader.expectEnd("packet")
                var range = 0..<0
                if case .message(let data) = packet { range = data }
                var writer = WireWriter()
                packet.write(userData: bytes.span.extracting(range), into: &writer, framing)
                return writer.finish()
            }
        }
    }
}
