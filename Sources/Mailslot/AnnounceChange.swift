import Wire

/// NETLOGON_DB_CHANGE, MS-NRPC 2.2.1.5.1: the primary controller tells its backups that the
/// account database changed. A hint only: what changed is asked for over the secure channel.
///
/// ```
/// MessageType(2) = 0x0A | LowSerialNumber(4) | DateAndTime(4) | Pulse(4) | Random(4)
/// | PrimaryDCName | DomainName | pad to even | UnicodePrimaryDCName | UnicodeDomainName
/// | DBCount(4) | DBChangeInfo: DBIndex(4) LargeSerialNumber(8) DateAndTime(8) …
/// | DomainSidSize(4) | pad to 4 | DomainSid
/// | MessageFormatVersion(4) | MessageToken(4) = 0xFFFFFFFF
/// ```
package struct AnnounceChange: Equatable, Sendable, CustomStringConvertible {
    package struct Database: Equatable, Sendable {
        /// 0 the SAM, 1 its built-in part, 2 the LSA's.
        package var index: UInt32
        package var largeSerialNumber: UInt64
        /// When it was created, as FILETIME.
        package var dateAndTime: UInt64

        package init(index: UInt32, largeSerialNumber: UInt64, dateAndTime: UInt64) {
            self.index = index
            self.largeSerialNumber = largeSerialNumber
            self.dateAndTime = dateAndTime
        }
    }

    /// There are three.
    package static let mostDatabases = 16

    package var lowSerialNumber: UInt32
    /// Seconds since 1970.
    package var dateAndTime: UInt32
    /// Seconds between announcements.
    package var pulse: UInt32
    /// Seconds within which a backup waits at random before it asks.
    package var random: UInt32
    package var primaryDCName: OEMText
    package var domainName: OEMText
    package var unicodePrimaryDCName: UnicodeText
    package var unicodeDomainName: UnicodeText
    package var databases: [Database]
    package var domainSid: SID?
    package var trailer: NetlogonTrailer

    package init(
        lowSerialNumber: UInt32, dateAndTime: UInt32, pulse: UInt32, random: UInt32,
        primaryDCName: String, domainName: String, databases: [Database], domainSid: SID?
    ) {
        precondition(databases.count <= Self.mostDatabases)
        self.lowSerialNumber = lowSerialNumber
        self.dateAndTime = dateAndTime
        self.pulse = pulse
        self.random = random
        self.primaryDCName = OEMText(primaryDCName)
        self.domainName = OEMText(domainName)
        unicodePrimaryDCName = UnicodeText(primaryDCName)
        unicodeDomainName = UnicodeText(domainName)
        self.databases = databases
        self.domainSid = domainSid
        trailer = NetlogonTrailer(.v1)
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        try reader.opcode(.announceChange)
        lowSerialNumber = try reader.uint32LE("LowSerialNumber")
        dateAndTime = try reader.uint32LE("DateAndTime")
        pulse = try reader.uint32LE("Pulse")
        random = try reader.uint32LE("Random")
        primaryDCName = try OEMText(parsing: &reader, "PrimaryDCName")
        domainName = try OEMText(parsing: &reader, "DomainName")
        try reader.align(2, from: start, "UnicodePrimaryDCName")
        unicodePrimaryDCName = try UnicodeText(parsing: &reader, "UnicodePrimaryDCName")
        unicodeDomainName = try UnicodeText(parsing: &reader, "UnicodeDomainName")
        let count = Int(clamping: try reader.uint32LE("DBCount"))
        if count > Self.mostDatabases {
            throw WireError(
                .limit, layer: reader.layer, field: "DBCount", offset: reader.offset - 4,
                needed: count, available: Self.mostDatabases)
        }
        databases = []
        for _ in 0..<count {
            let index = try reader.uint32LE("DBIndex")
            let serialNumber = try reader.uint64LE("LargeSerialNumber")
            databases.append(
                Database(
                    index: index, largeSerialNumber: serialNumber,
                    dateAndTime: try reader.uint64LE("DateAndTime")))
        }
        let length = Int(clamping: try reader.uint32LE("DomainSidSize"))
        domainSid = try reader.paddedSID(length, messageAt: start)
        trailer = try NetlogonTrailer(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(NetlogonOpcode.announceChange.rawValue)
        writer.uint32LE(lowSerialNumber)
        writer.uint32LE(dateAndTime)
        writer.uint32LE(pulse)
        writer.uint32LE(random)
        primaryDCName.write(into: &writer)
        domainName.write(into: &writer)
        writer.align(2, from: start)
        unicodePrimaryDCName.write(into: &writer)
        unicodeDomainName.write(into: &writer)
        writer.uint32LE(UInt32(databases.count))
        for database in databases {
            writer.uint32LE(database.index)
            writer.uint64LE(database.largeSerialNumber)
            writer.uint64LE(database.dateAndTime)
        }
        writer.paddedSID(domainSid, messageAt: start)
        trailer.write(into: &writer)
    }

    package var description: String {
        "change announced by " + primaryDCName.description + " of " + domainName.description
            + ", serial number \(lowSerialNumber)"
    }
}
