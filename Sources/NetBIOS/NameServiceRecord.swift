import Wire

/// One owner's address, RFC 1002 4.2.2: the RDATA of an NB record is a list of these.
///
/// ```
/// NB_FLAGS(2) NB_ADDRESS(4)
/// ```
package struct AddressEntry: Hashable, Sendable, CustomStringConvertible {
    package var flags: NameFlags
    package var address: IPv4Address

    package init(_ flags: NameFlags, _ address: IPv4Address) {
        self.flags = flags
        self.address = address
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        flags = NameFlags(rawValue: try reader.uint16BE("NB_FLAGS"))
        address = IPv4Address(rawValue: try reader.uint32BE("NB_ADDRESS"))
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16BE(flags.rawValue)
        writer.uint32BE(address.rawValue)
    }

    package var description: String {
        address.description + (flags.isGroup ? " (group)" : "")
    }
}

/// A resource record, RFC 1002 4.2.1.3.
///
/// ```
/// RR_NAME | RR_TYPE(2) | RR_CLASS(2) | TTL(4) | RDLENGTH(2) | RDATA
/// ```
package struct NameServiceRecord: Equatable, Sendable, CustomStringConvertible {
    package enum Data: Equatable, Sendable {
        /// NB: the owners. Empty in a response that has none to tell.
        case addresses([AddressEntry])
        /// NBSTAT.
        case nodeStatus(NodeStatus)
        /// WACK: the flags of the request that is waited for.
        case acknowledged(NameServiceFlags)
        /// A: the address of the server that a redirect names.
        case address(IPv4Address)
        /// NS: the server that a redirect names.
        case nameServer(ScopedName)
        /// NULL and unknown types.
        case other([UInt8])
    }

    /// An NB record's entries: a group of controllers has 25, a packet on the wire less than 240.
    package static let mostAddresses = 256
    /// The class of the Internet, the only one.
    package static let internetClass: UInt16 = 1

    package var name: ScopedName
    package var type: NameServiceType
    /// Seconds; for WACK how long to wait.
    package var timeToLive: UInt32
    package var data: Data

    package init(
        _ name: ScopedName, _ type: NameServiceType, timeToLive: UInt32, _ data: Data
    ) {
        self.name = name
        self.type = type
        self.timeToLive = timeToLive
        self.data = data
    }

    /// `opcode` is the packet's, because WACK gives NB records another content; `start` is where
    /// the packet begins.
    package init(
        parsing reader: inout WireReader, packetAt start: Int, opcode: NameServiceOpcode
    ) throws(WireError) {
        name = try ScopedName(parsing: &reader, packetAt: start)
        type = NameServiceType(rawValue: try reader.uint16BE("RR_TYPE"))
        let number = try reader.uint16BE("RR_CLASS")
        if number != Self.internetClass {
            throw reader.invalid("RR_CLASS", Int(number), width: 2)
        }
        timeToLive = try reader.uint32BE("TTL")
        let length = Int(try reader.uint16BE("RDLENGTH"))
        let range = try reader.take(length, "RDATA")
        var part = reader.part(range)
        data = try Self.parseData(&part, type, opcode, start)
        try part.expectEnd("RDATA")
    }

    private static func parseData(
        _ reader: inout WireReader, _ type: NameServiceType, _ opcode: NameServiceOpcode,
        _ start: Int
    ) throws(WireError) -> Data {
        if opcode == .waitForAcknowledgement && reader.remaining == 2 {
            return .acknowledged(NameServiceFlags(rawValue: try reader.uint16BE("NM_FLAGS")))
        }
        switch type {
        case .netBIOS:
            var entries: [AddressEntry] = []
            while !reader.isAtEnd {
                if entries.count == mostAddresses {
                    throw WireError(
                        .limit, layer: reader.layer, field: "ADDR_ENTRY", offset: reader.offset,
                        needed: entries.count + reader.remaining / 6, available: mostAddresses)
                }
                entries.append(try AddressEntry(parsing: &reader))
            }
            return .addresses(entries)
        case .nodeStatus:
            return .nodeStatus(try NodeStatus(parsing: &reader))
        case .address:
            return .address(IPv4Address(rawValue: try reader.uint32BE("IP_ADDRESS")))
        case .nameServer:
            return .nameServer(try ScopedName(parsing: &reader, packetAt: start))
        case _:
            let range = reader.takeRest()
            return .other(reader.copy(range))
        }
    }

    /// The name is written as a pointer where `pointer` is where the packet has it already.
    package func write(into writer: inout WireWriter, pointer: Int?) {
        if let pointer {
            writer.uint16BE(0xc000 | UInt16(pointer))
        } else {
            name.write(into: &writer)
        }
        writer.uint16BE(type.rawValue)
        writer.uint16BE(Self.internetClass)
        writer.uint32BE(timeToLive)
        let length = writer.reserve16()
        switch data {
        case .addresses(let entries):
            for entry in entries { entry.write(into: &writer) }
        case .nodeStatus(let status): status.write(into: &writer)
        case .acknowledged(let flags): writer.uint16BE(flags.rawValue)
        case .address(let address): writer.uint32BE(address.rawValue)
        case .nameServer(let server): server.write(into: &writer)
        case .other(let bytes): writer.append(bytes)
        }
        writer.patch16BE(length, writer.count - length - 2)
    }

    package var description: String {
        switch data {
        case .addresses(let entries):
            var text = name.description + " is at"
            for entry in entries { text += " " + entry.description }
            return text
        case .nodeStatus(let status): return name.description + " has " + status.description
        case .acknowledged: return name.description + " must wait \(timeToLive) s"
        case .address(let address): return name.description + " is at " + address.description
        case .nameServer(let server):
            return name.description + " is served by " + server.description
        case .other(let bytes): return name.description + " with \(bytes.count) bytes"
        }
    }
}
