import Wire

/// The controllers that served last, and the domain's names, as kept across restarts.
///
/// A record of ours, not of any specification:
///
///     version(1) clientSite(counted) netbiosDomain(counted) dnsDomain(counted) dnsForest(counted)
///     domainGUID(16) count(1) { address(4, big-endian) hostName(counted) netbiosName(counted) }…
///
/// Counted text is one length byte and UTF-8; a longer name, which none is, is cut.
package struct KnownControllers: Equatable, Sendable, CustomStringConvertible {
    package struct Entry: Equatable, Sendable {
        package var address: IPv4Address
        package var hostName: String
        package var netbiosName: String

        package init(address: IPv4Address, hostName: String, netbiosName: String) {
            self.address = address
            self.hostName = hostName
            self.netbiosName = netbiosName
        }
    }

    static let layer: StaticString = "known controllers"
    static let version: UInt8 = 1

    package var clientSite = ""
    package var netbiosDomain = ""
    package var dnsDomain = ""
    package var dnsForest = ""
    package var domainGUID = GUID.zero
    package var entries: [Entry] = []

    package init() {}

    package init(parsing reader: inout WireReader) throws(WireError) {
        let found = try reader.uint8("version")
        if found != Self.version { throw reader.invalid("version", Int(found), width: 1) }
        clientSite = try Self.text(&reader, "clientSite")
        netbiosDomain = try Self.text(&reader, "netbiosDomain")
        dnsDomain = try Self.text(&reader, "dnsDomain")
        dnsForest = try Self.text(&reader, "dnsForest")
        domainGUID = try GUID(parsing: &reader)
        let count = Int(try reader.uint8("count"))
        if count > LocatorLimit.known {
            throw WireError(
                .limit, layer: Self.layer, field: "count", offset: reader.offset - 1,
                needed: count, available: LocatorLimit.known)
        }
        for _ in 0..<count {
            let address = IPv4Address(rawValue: try reader.uint32BE("address"))
            let hostName = try Self.text(&reader, "hostName")
            let netbiosName = try Self.text(&reader, "netbiosName")
            entries.append(
                Entry(address: address, hostName: hostName, netbiosName: netbiosName))
        }
        try reader.expectEnd("entries")
    }

    @_lifetime(reader: copy reader)
    private static func text(
        _ reader: inout WireReader, _ field: StaticString
    ) throws(WireError) -> String {
        let range = try reader.take(Int(try reader.uint8(field)), field)
        return String(decoding: reader.copy(range), as: UTF8.self)
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(Self.version)
        Self.write(clientSite, &writer)
        Self.write(netbiosDomain, &writer)
        Self.write(dnsDomain, &writer)
        Self.write(dnsForest, &writer)
        domainGUID.write(into: &writer)
        writer.uint8(UInt8(min(entries.count, LocatorLimit.known)))
        for entry in entries.prefix(LocatorLimit.known) {
            writer.uint32BE(entry.address.rawValue)
            Self.write(entry.hostName, &writer)
            Self.write(entry.netbiosName, &writer)
        }
    }

    private static func write(_ text: String, _ writer: inout WireWriter) {
        let bytes = Array(text.utf8.prefix(255))
        writer.uint8(UInt8(bytes.count))
        writer.append(bytes)
    }

    /// Puts those that serve first, in their order, and forgets the last ones where there are
    /// too many. Those that are down stay behind them: all of them may be, for a while.
    mutating func remember(_ healthy: [Candidate]) {
        var list: [Entry] = []
        for candidate in healthy {
            list.append(
                Entry(
                    address: candidate.address, hostName: candidate.hostName,
                    netbiosName: candidate.netbiosName))
        }
        for entry in entries where !healthy.contains(where: { $0.address == entry.address }) {
            list.append(entry)
        }
        entries = Array(list.prefix(LocatorLimit.known))
    }

    /// Takes over what a controller said about its domain.
    mutating func learn(_ identity: ControllerIdentity) {
        clientSite = identity.clientSite
        netbiosDomain = identity.netbiosDomain
        dnsDomain = identity.dnsDomain
        dnsForest = identity.dnsForest
        domainGUID = identity.domainGUID
    }

    package var description: String {
        var text = "\(netbiosDomain) (\(dnsDomain)) site \(clientSite):"
        for entry in entries { text += " \(entry.address.description) \(entry.hostName)" }
        return text
    }
}
