import Wire

/// What a browser frame is: its first byte, MS-BRWS 2.2.
package struct BrowserOpcode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let hostAnnouncement = BrowserOpcode(rawValue: 0x01)
    package static let announcementRequest = BrowserOpcode(rawValue: 0x02)
    package static let requestElection = BrowserOpcode(rawValue: 0x08)
    package static let backupListRequest = BrowserOpcode(rawValue: 0x09)
    package static let backupListResponse = BrowserOpcode(rawValue: 0x0a)
    package static let becomeBackup = BrowserOpcode(rawValue: 0x0b)
    package static let domainAnnouncement = BrowserOpcode(rawValue: 0x0c)
    package static let masterAnnouncement = BrowserOpcode(rawValue: 0x0d)
    package static let resetState = BrowserOpcode(rawValue: 0x0e)
    package static let localMasterAnnouncement = BrowserOpcode(rawValue: 0x0f)
}

/// What a server is and offers: MS-BRWS 2.2.1, MS-RAP 2.3.2 SV_TYPE.
package struct ServerType: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let workstation = ServerType(rawValue: 0x0000_0001)
    package static let server = ServerType(rawValue: 0x0000_0002)
    package static let domainController = ServerType(rawValue: 0x0000_0008)
    package static let backupDomainController = ServerType(rawValue: 0x0000_0010)
    package static let timeSource = ServerType(rawValue: 0x0000_0020)
    package static let domainMember = ServerType(rawValue: 0x0000_0100)
    package static let printQueue = ServerType(rawValue: 0x0000_0200)
    package static let unix = ServerType(rawValue: 0x0000_0800)
    package static let windowsNT = ServerType(rawValue: 0x0000_1000)
    package static let windowsForWorkgroups = ServerType(rawValue: 0x0000_2000)
    package static let serverNT = ServerType(rawValue: 0x0000_8000)
    package static let potentialBrowser = ServerType(rawValue: 0x0001_0000)
    package static let backupBrowser = ServerType(rawValue: 0x0002_0000)
    package static let masterBrowser = ServerType(rawValue: 0x0004_0000)
    package static let domainMasterBrowser = ServerType(rawValue: 0x0008_0000)
    package static let windows95 = ServerType(rawValue: 0x0040_0000)
    package static let localListOnly = ServerType(rawValue: 0x4000_0000)
    package static let domainEnum = ServerType(rawValue: 0x8000_0000)
}

/// HostAnnouncement, DomainAnnouncement and LocalMasterAnnouncement, MS-BRWS 2.2.1, 2.2.7 and
/// 2.2.10: one layout, whose last text is a comment, or the local master's name of a domain.
///
/// ```
/// Opcode(1) = 0x01, 0x0C or 0x0F | UpdateCount(1) | Periodicity(4) | ServerName(16)
/// | OSVersionMajor(1) OSVersionMinor(1) | ServerType(4)
/// | BrowserVersionMajor(1) BrowserVersionMinor(1) | Signature(2) = 0xAA55 | Comment
/// ```
///
/// ServerName is padded with zeros; what stands after its first zero is not looked at. The
/// comment's terminator is the end, except that Windows 95 repeats it or leaves it out: bytes
/// after it are not looked at.
package struct BrowserAnnouncement: Equatable, Sendable, CustomStringConvertible {
    package static let signature: UInt16 = 0xaa55
    static let nameLength = 16
    /// The 43 bytes of MS-BRWS are not kept to by everyone.
    static let longestComment = 256

    package var opcode: BrowserOpcode
    package var updateCount: UInt8
    /// Milliseconds.
    package var periodicity: UInt32
    /// At most 15 bytes.
    package var serverName: OEMText
    package var osVersionMajor: UInt8
    package var osVersionMinor: UInt8
    package var serverType: ServerType
    package var browserVersionMajor: UInt8
    package var browserVersionMinor: UInt8
    package var signature: UInt16
    package var comment: OEMText

    package init(
        _ opcode: BrowserOpcode, updateCount: UInt8 = 0, periodicity: UInt32,
        serverName: OEMText, osVersionMajor: UInt8, osVersionMinor: UInt8,
        serverType: ServerType, comment: OEMText
    ) {
        precondition(serverName.bytes.count < Self.nameLength)
        self.opcode = opcode
        self.updateCount = updateCount
        self.periodicity = periodicity
        self.serverName = serverName
        self.osVersionMajor = osVersionMajor
        self.osVersionMinor = osVersionMinor
        self.serverType = serverType
        browserVersionMajor = 15
        browserVersionMinor = 1
        signature = Self.signature
        self.comment = comment
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        opcode = BrowserOpcode(rawValue: try reader.uint8("Opcode"))
        switch opcode {
        case .hostAnnouncement, .domainAnnouncement, .localMasterAnnouncement: break
        case _: throw reader.invalid("Opcode", Int(opcode.rawValue), width: 1)
        }
        updateCount = try reader.uint8("UpdateCount")
        periodicity = try reader.uint32LE("Periodicity")
        let range = try reader.take(Self.nameLength, "ServerName")
        var part = reader.part(range)
        serverName = OEMText(bytes: reader.copy(try part.take(through: 0, "ServerName")))
        osVersionMajor = try reader.uint8("OSVersionMajor")
        osVersionMinor = try reader.uint8("OSVersionMinor")
        serverType = ServerType(rawValue: try reader.uint32LE("ServerType"))
        browserVersionMajor = try reader.uint8("BrowserVersionMajor")
        browserVersionMinor = try reader.uint8("BrowserVersionMinor")
        signature = try reader.uint16LE("Signature")
        let rest = reader.takeRest()
        var text = rest
        if let end = rest.firstIndex(where: { reader.span[$0] == 0 }) {
            text = rest.lowerBound..<end
        }
        if text.count > Self.longestComment {
            throw WireError(
                .limit, layer: reader.layer, field: "Comment", offset: text.lowerBound,
                needed: text.count, available: Self.longestComment)
        }
        comment = OEMText(bytes: reader.copy(text))
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(opcode.rawValue)
        writer.uint8(updateCount)
        writer.uint32LE(periodicity)
        writer.append(serverName.bytes)
        writer.zeros(Self.nameLength - serverName.bytes.count)
        writer.uint8(osVersionMajor)
        writer.uint8(osVersionMinor)
        writer.uint32LE(serverType.rawValue)
        writer.uint8(browserVersionMajor)
        writer.uint8(browserVersionMinor)
        writer.uint16LE(signature)
        comment.write(into: &writer)
    }

    package var description: String {
        let kind: String
        switch opcode {
        case .domainAnnouncement: kind = "domain announcement of "
        case .localMasterAnnouncement: kind = "local master announcement of "
        case _: kind = "host announcement of "
        }
        return kind + serverName.description + ", " + comment.description
    }
}

/// RequestElection, MS-BRWS 2.2.3.
///
/// ```
/// Opcode(1) = 0x08 | Version(1) | Criteria(4) | Uptime(4) | Unused(4) | ServerName
/// ```
package struct RequestElection: Equatable, Sendable, CustomStringConvertible {
    package var version: UInt8
    package var criteria: UInt32
    /// Milliseconds.
    package var uptime: UInt32
    package var serverName: OEMText

    package init(version: UInt8 = 1, criteria: UInt32, uptime: UInt32, serverName: OEMText) {
        self.version = version
        self.criteria = criteria
        self.uptime = uptime
        self.serverName = serverName
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.opcode(.requestElection)
        version = try reader.uint8("Version")
        criteria = try reader.uint32LE("Criteria")
        uptime = try reader.uint32LE("Uptime")
        _ = try reader.take(4, "Unused")
        serverName = try OEMText(parsing: &reader, "ServerName")
        try reader.expectEnd("ServerName")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(BrowserOpcode.requestElection.rawValue)
        writer.uint8(version)
        writer.uint32LE(criteria)
        writer.uint32LE(uptime)
        writer.zeros(4)
        serverName.write(into: &writer)
    }

    package var description: String { "election of " + serverName.description }
}

/// GetBackupListResponse, MS-BRWS 2.2.5.
///
/// ```
/// Opcode(1) = 0x0A | BackupServerCount(1) | Token(4) | BackupServerList: names …
/// ```
package struct BackupListResponse: Equatable, Sendable, CustomStringConvertible {
    package var token: UInt32
    /// At most 255.
    package var backupServerList: [OEMText]

    package init(token: UInt32, backupServerList: [OEMText]) {
        precondition(backupServerList.count <= 255)
        self.token = token
        self.backupServerList = backupServerList
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.opcode(.backupListResponse)
        let count = try reader.uint8("BackupServerCount")
        token = try reader.uint32LE("Token")
        backupServerList = []
        for _ in 0..<count {
            backupServerList.append(try OEMText(parsing: &reader, "BackupServerList"))
        }
        try reader.expectEnd("BackupServerList")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(BrowserOpcode.backupListResponse.rawValue)
        writer.uint8(UInt8(backupServerList.count))
        writer.uint32LE(token)
        for name in backupServerList { name.write(into: &writer) }
    }

    package var description: String {
        var text = "backup browsers"
        for name in backupServerList { text += " " + name.description }
        return text
    }
}

extension WireReader {
    /// Reads a browser frame's opcode, which must be `expected`.
    @_lifetime(self: copy self)
    mutating func opcode(_ expected: BrowserOpcode) throws(WireError) {
        let code = try uint8("Opcode")
        if code != expected.rawValue { throw invalid("Opcode", Int(code), width: 1) }
    }
}
