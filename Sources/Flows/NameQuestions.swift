import NetBIOS
import Wire

/// Where NetBIOS names are asked for: name servers, or everyone on our networks.
package struct NameDirectory {
    package var servers: [IPv4Address]
    package var networks: [IPv4Network]

    /// More are not asked.
    package static let serverLimit = 4

    package init(servers: [IPv4Address], networks: [IPv4Network]) {
        self.servers = servers
        self.networks = networks
    }
}

extension Dialogue {
    private var namePort: UInt16 { 137 &+ portOffset }
    private var addressLimit: Int { 64 }

    /// The owners of `name` (RFC 1002 4.2.12): by the first name server that answers, else by
    /// broadcast. Empty where there is none.
    package func addresses(
        of name: NetBIOSName, in directory: NameDirectory
    ) throws(FlowError) -> [IPv4Address] {
        let socket = try port()
        for server in directory.servers.prefix(NameDirectory.serverLimit) {
            let answer = try ask(
                name, [Endpoint(server, namePort)], broadcast: false, socket)
            if let answer { return answer }
        }
        // A name server's no ends the search only where it is the one source.
        if !directory.servers.isEmpty { return [] }
        var places: [Endpoint] = []
        for network in directory.networks where network.prefixLength < 31 {
            places.append(Endpoint(network.broadcast, namePort))
        }
        if places.isEmpty {
            throw unavailable("no name server is configured, and no network to broadcast on")
        }
        return try ask(name, places, broadcast: true, socket) ?? []
    }

    /// Nil where nobody answers.
    private func ask(
        _ name: NetBIOSName, _ places: [Endpoint], broadcast: Bool, _ socket: Link.Port
    ) throws(FlowError) -> [IPv4Address]? {
        let nonce = link.random(2)
        let id = UInt16(nonce[0]) << 8 | UInt16(nonce[1])
        var writer = WireWriter(capacity: 64)
        NameServicePacket.query(id, ScopedName(name), broadcast: broadcast).write(into: &writer)
        let query = writer.finish()
        for _ in 0..<patience.tries {
            for place in places { try send(query, to: place, from: socket) }
            let deadline = link.now + patience.repetition
            while let (bytes, source) = try receive(on: socket, deadline: deadline) {
                // A broadcast is answered by who owns the name; else only by whom was asked.
                if !broadcast && source != places[0] { continue }
                if let answer = Self.answer(bytes, id, name) {
                    return Array(answer.prefix(addressLimit))
                }
            }
        }
        return nil
    }

    /// The addresses of a positive answer, none of a negative one; nil for anything else.
    private static func answer(
        _ bytes: [UInt8], _ id: UInt16, _ name: NetBIOSName
    ) -> [IPv4Address]? {
        var reader = WireReader(bytes.span, layer: "NetBIOS name service")
        do throws(WireError) {
            let packet = try NameServicePacket(parsing: &reader)
            guard packet.flags.isResponse, packet.transactionID == id,
                packet.flags.opcode == .query
            else { return nil }
            guard packet.flags.result == .success, let record = packet.answer else { return [] }
            guard record.name.name.upcased == name.upcased,
                case .addresses(let entries) = record.data
            else { return nil }
            return entries.map { $0.address }
        } catch {
            return nil
        }
    }
}
