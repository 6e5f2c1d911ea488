import Wire

/// The token of a bind with the Netlogon security provider (MS-NRPC 2.2.1.3.1):
///
///     MessageType  4   0 negotiate, 1 response
///     Flags        4   which names follow, in this order
///     Buffer           A NetBIOS domain, B NetBIOS computer, each with a zero, in the OEM
///                      character set; C DNS domain, D DNS host, E NetBIOS computer, each in
///                      compressed UTF-8 (RFC 1035 4.1.4)
///
/// The response carries flags of 0 and may be padded: only its type matters.
package struct NLAuthMessage {
    package enum Kind: UInt32, Sendable {
        case negotiate = 0
        case response = 1
    }

    package var kind: Kind
    package var netbiosDomain: [UInt8]?
    package var netbiosComputer: [UInt8]?

    package init(kind: Kind, netbiosDomain: [UInt8]? = nil, netbiosComputer: [UInt8]? = nil) {
        self.kind = kind
        self.netbiosDomain = netbiosDomain
        self.netbiosComputer = netbiosComputer
    }

    private static let domainFlag: UInt32 = 1
    private static let computerFlag: UInt32 = 2

    package init(parsing reader: inout WireReader) throws(WireError) {
        let type = try reader.uint32LE("MessageType")
        guard let kind = Kind(rawValue: type) else {
            throw reader.invalid("MessageType", Int(type), width: 4)
        }
        self.kind = kind
        let flags = try reader.uint32LE("Flags")
        if flags & Self.domainFlag != 0 {
            netbiosDomain = reader.copy(try reader.take(through: 0, "NetBIOS domain"))
        }
        if flags & Self.computerFlag != 0 {
            netbiosComputer = reader.copy(try reader.take(through: 0, "NetBIOS computer"))
        }
        // The DNS forms repeat what the NetBIOS forms say, and responses are padded: not needed.
        _ = reader.takeRest()
    }

    package func write(into writer: inout WireWriter) {
        writer.uint32LE(kind.rawValue)
        var flags: UInt32 = 0
        if netbiosDomain != nil { flags |= Self.domainFlag }
        if netbiosComputer != nil { flags |= Self.computerFlag }
        writer.uint32LE(flags)
        for name in [netbiosDomain, netbiosComputer] {
            guard let name else { continue }
            writer.append(name)
            writer.uint8(0)
        }
        // A response is never shorter than 12 bytes on the wire of the peers.
        if kind == .response { writer.uint32LE(0) }
    }
}
