import NetBIOS
import Wire

/// Some of the WINS server's names as they are kept over a restart: those whose hash is the page's
/// number, so that a change rewrites a 256th of all.
///
/// ```
/// count(2) | entries: name(16) scope length(1) scope kind(1) node type(1)
///            owner count(1) owners: address(4) expiry(8, seconds since 1970) …
/// ```
package struct WINSPage: Equatable, Sendable, CustomStringConvertible {
    package struct Owner: Equatable, Sendable {
        package var address: IPv4Address
        /// Seconds since 1970.
        package var expires: UInt64
    }

    package struct Entry: Equatable, Sendable {
        var key: ScopedName
        var kind: WINSKind
        var nodeType: NodeType
        package var owners: [Owner]

        var byteCount: Int { 20 + key.scope.count + owners.count * 12 }
    }

    /// A page that somebody filled with names of one hash keeps the first of them.
    package static let longest = 60_000
    package static let count = WINSTable.pageCount

    /// 0 to 255.
    package let number: Int
    package private(set) var entries: [Entry] = []
    private var byteCount = 2

    package init(number: Int) { self.number = number }

    mutating func append(_ entry: Entry) {
        if byteCount + entry.byteCount > Self.longest { return }
        byteCount += entry.byteCount
        entries.append(entry)
    }

    package init(number: Int, parsing reader: inout WireReader) throws(WireError) {
        self.number = number
        let count = Int(try reader.uint16LE("count"))
        for _ in 0..<count {
            let high = try reader.uint64LE("name").byteSwapped
            let low = try reader.uint64LE("name").byteSwapped
            let length = Int(try reader.uint8("scope"))
            let scope = try reader.take(length, "scope")
            let code = try reader.uint8("kind")
            guard let kind = WINSKind(rawValue: code) else {
                throw reader.invalid("kind", Int(code), width: 1)
            }
            let node = try reader.uint8("node type")
            guard let nodeType = NodeType(rawValue: node) else {
                throw reader.invalid("node type", Int(node), width: 1)
            }
            let ownerCount = Int(try reader.uint8("owner count"))
            if ownerCount > WINSRecord.mostOwners {
                throw reader.invalid("owner count", ownerCount, width: 1)
            }
            var owners: [Owner] = []
            for _ in 0..<ownerCount {
                let address = IPv4Address(rawValue: try reader.uint32LE("address"))
                owners.append(
                    Owner(address: address, expires: try reader.uint64LE("expiry")))
            }
            append(Entry(
                key: ScopedName(
                    NetBIOSName(high: high, low: low), scope: reader.copy(scope)),
                kind: kind, nodeType: nodeType, owners: owners))
        }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(UInt16(entries.count))
        for entry in entries {
            writer.uint64LE(entry.key.name.high.byteSwapped)
            writer.uint64LE(entry.key.name.low.byteSwapped)
            writer.uint8(UInt8(entry.key.scope.count))
            writer.append(entry.key.scope)
            writer.uint8(entry.kind.rawValue)
            writer.uint8(entry.nodeType.rawValue)
            writer.uint8(UInt8(entry.owners.count))
            for owner in entry.owners {
                writer.uint32LE(owner.address.rawValue)
                writer.uint64LE(owner.expires)
            }
        }
    }

    package var description: String { "page \(number) of \(entries.count) names" }
}
