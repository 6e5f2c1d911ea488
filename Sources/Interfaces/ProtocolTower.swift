import RPC
import Wire

/// One layer of a protocol tower (C706 appendix L): which protocol, and its address there.
package enum TowerFloor: Equatable, Sendable {
    /// 0x0d: an interface or a transfer syntax.
    case syntax(SyntaxID)
    /// 0x0b: connection-oriented RPC, with its minor version.
    case connectionOriented(minorVersion: UInt16)
    case tcp(port: UInt16)
    case ip(IPv4Address)
    /// 0x0f: a named pipe, `\PIPE\…`.
    case namedPipe(String)
    /// 0x11: a NetBIOS name, or an address of any form, of the host.
    case netBIOS(String)
    /// Any other, with both halves as they came.
    case other(left: [UInt8], right: [UInt8])

    private static let uuidIdentifier: UInt8 = 0x0d
    private static let connectionOrientedIdentifier: UInt8 = 0x0b
    private static let tcpIdentifier: UInt8 = 0x07
    private static let ipIdentifier: UInt8 = 0x09
    private static let namedPipeIdentifier: UInt8 = 0x0f
    private static let netBIOSIdentifier: UInt8 = 0x11

    /// ```
    /// left_length(2)   protocol identifier(1), protocol's data
    /// right_length(2)  address
    /// ```
    /// A half of another length than its protocol's is kept as `other`: the tower remains
    /// readable, and the floor means nothing.
    package init(parsing reader: inout WireReader) throws(WireError) {
        let leftLength = Int(try reader.uint16LE("floor left length"))
        let left = try reader.take(leftLength, "floor left")
        let rightLength = Int(try reader.uint16LE("floor right length"))
        let right = try reader.take(rightLength, "floor right")
        var leftReader = reader.part(left)
        // Towers are octets, whatever the order of the stub's numbers.
        leftReader.byteOrder = .littleEndian
        var rightReader = reader.part(right)
        let identifier = leftLength > 0 ? try leftReader.uint8("protocol identifier") : 0
        switch (identifier, leftLength, rightLength) {
        case (Self.uuidIdentifier, 19, 2):
            let uuid = try GUID(parsing: &leftReader)
            let major = try leftReader.uint16LE("major version")
            self = .syntax(SyntaxID(uuid, major, try rightReader.uint16LE("minor version")))
        case (Self.connectionOrientedIdentifier, 1, 2):
            self = .connectionOriented(
                minorVersion: try rightReader.uint16LE("minor version"))
        case (Self.tcpIdentifier, 1, 2):
            self = .tcp(port: try rightReader.uint16BE("port"))
        case (Self.ipIdentifier, 1, 4):
            self = .ip(IPv4Address(rawValue: try rightReader.uint32BE("address")))
        case (Self.namedPipeIdentifier, 1, 1...):
            self = .namedPipe(Self.text(reader.copy(right)))
        case (Self.netBIOSIdentifier, 1, 1...):
            self = .netBIOS(Self.text(reader.copy(right)))
        case _:
            self = .other(left: reader.copy(left), right: reader.copy(right))
        }
    }

    package func write(into writer: inout WireWriter) {
        switch self {
        case .syntax(let syntax):
            writer.uint16LE(19)
            writer.uint8(Self.uuidIdentifier)
            syntax.uuid.write(into: &writer)
            writer.uint16LE(syntax.majorVersion)
            writer.uint16LE(2)
            writer.uint16LE(syntax.minorVersion)
        case .connectionOriented(let minorVersion):
            Self.writeIdentifier(Self.connectionOrientedIdentifier, into: &writer)
            writer.uint16LE(2)
            writer.uint16LE(minorVersion)
        case .tcp(let port):
            Self.writeIdentifier(Self.tcpIdentifier, into: &writer)
            writer.uint16LE(2)
            writer.uint16BE(port)
        case .ip(let address):
            Self.writeIdentifier(Self.ipIdentifier, into: &writer)
            writer.uint16LE(4)
            writer.uint32BE(address.rawValue)
        case .namedPipe(let name):
            Self.writeIdentifier(Self.namedPipeIdentifier, into: &writer)
            Self.writeText(name, into: &writer)
        case .netBIOS(let name):
            Self.writeIdentifier(Self.netBIOSIdentifier, into: &writer)
            Self.writeText(name, into: &writer)
        case .other(let left, let right):
            writer.uint16LE(UInt16(left.count))
            writer.append(left)
            writer.uint16LE(UInt16(right.count))
            writer.append(right)
        }
    }

    private static func writeIdentifier(_ identifier: UInt8, into writer: inout WireWriter) {
        writer.uint16LE(1)
        writer.uint8(identifier)
    }

    private static func writeText(_ text: String, into writer: inout WireWriter) {
        let bytes = Array(text.utf8)
        writer.uint16LE(UInt16(bytes.count + 1))
        writer.append(bytes)
        writer.uint8(0)
    }

    /// Up to the null that ends it.
    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// How an interface is reached (C706 appendix I): floor_count(2), then the floors, the interface
/// on top. Numbers are little-endian, but for the addresses of TCP and IP.
package struct ProtocolTower: Equatable, Sendable {
    package static let maximumFloors = 16
    /// What a tower of any known protocol stays under.
    package static let maximumBytes = 2_048

    package var floors: [TowerFloor]

    package init(floors: [TowerFloor]) { self.floors = floors }

    /// ncacn_ip_tcp. In a request the port and the address are zero: they are asked for.
    package static func tcp(
        _ interface: SyntaxID, port: UInt16 = 0, address: IPv4Address = .any
    ) -> ProtocolTower {
        ProtocolTower(floors: [
            .syntax(interface), .syntax(.ndr), .connectionOriented(minorVersion: 0),
            .tcp(port: port), .ip(address),
        ])
    }

    /// ncacn_np.
    package static func namedPipe(
        _ interface: SyntaxID, pipe: String, host: String
    ) -> ProtocolTower {
        ProtocolTower(floors: [
            .syntax(interface), .syntax(.ndr), .connectionOriented(minorVersion: 0),
            .namedPipe(pipe), .netBIOS(host),
        ])
    }

    package var interface: SyntaxID? {
        if case .syntax(let syntax)? = floors.first { return syntax }
        return nil
    }

    package var transferSyntax: SyntaxID? {
        if floors.count > 1, case .syntax(let syntax) = floors[1] { return syntax }
        return nil
    }

    /// The port of an ncacn_ip_tcp tower.
    package var tcpPort: UInt16? {
        for floor in floors {
            if case .tcp(let port) = floor { return port }
        }
        return nil
    }

    /// The pipe of an ncacn_np tower.
    package var pipe: String? {
        for floor in floors {
            if case .namedPipe(let name) = floor { return name }
        }
        return nil
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let count = Int(try reader.uint16LE("floor_count"))
        if count > Self.maximumFloors {
            throw WireError(
                .limit, layer: reader.layer, field: "floor_count", offset: reader.offset - 2,
                needed: count, available: Self.maximumFloors)
        }
        floors = []
        floors.reserveCapacity(count)
        for _ in 0..<count { floors.append(try TowerFloor(parsing: &reader)) }
        try reader.expectEnd("tower")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(UInt16(floors.count))
        for floor in floors { floor.write(into: &writer) }
    }
}

/// twr_t, the tower in NDR: a conformant structure of its length and its octets.
extension ProtocolTower: NDRMessage {
    package init(parsing stub: inout NDRReader) throws(WireError) {
        let room = try stub.conformance(
            elementSize: 1, limit: Self.maximumBytes, "tower")
        let length = Int(clamping: try stub.uint32("tower_length"))
        if length != room { throw stub.wire.invalid("tower_length", length, width: 4) }
        let range = try stub.wire.take(length, "tower_octet_string")
        var octets = stub.wire.part(range)
        try self.init(parsing: &octets)
    }

    package func write(into stub: inout NDRWriter) {
        stub.align(4)
        stub.wire.zeros(8)
        let start = stub.wire.count
        write(into: &stub.wire)
        let length = stub.wire.count - start
        stub.wire.patch32LE(start - 8, length)
        stub.wire.patch32LE(start - 4, length)
    }
}
