import Wire

/// Any message to the browser's mailslot, MS-BRWS 2.2. The small frames are here whole:
///
/// ```
/// AnnouncementRequest  2.2.2   0x02 | Unused(1) | ResponseName
/// GetBackupListRequest 2.2.4   0x09 | RequestedCount(1) | Token(4)
/// BecomeBackup         2.2.6   0x0B | BrowserToPromote
/// MasterAnnouncement   2.2.8   0x0D | MasterBrowserServerName
/// ResetStateRequest    2.2.9   0x0E | Type(1)
/// ```
package enum BrowserMessage: Equatable, Sendable, CustomStringConvertible {
    /// Host, domain and local master announcements.
    case announcement(BrowserAnnouncement)
    case announcementRequest(unused: UInt8, responseName: OEMText)
    case election(RequestElection)
    case backupListRequest(requestedCount: UInt8, token: UInt32)
    case backupListResponse(BackupListResponse)
    case becomeBackup(browserToPromote: OEMText)
    case masterAnnouncement(masterBrowserServerName: OEMText)
    case resetState(UInt8)
    /// One that is not specified, with what follows its opcode.
    case other(BrowserOpcode, Range<Int>)

    package init(parsing reader: inout WireReader) throws(WireError) {
        let place = reader.offset
        let opcode = BrowserOpcode(rawValue: try reader.uint8("Opcode"))
        switch opcode {
        case .hostAnnouncement, .domainAnnouncement, .localMasterAnnouncement:
            try reader.seek(place, "Opcode")
            self = .announcement(try BrowserAnnouncement(parsing: &reader))
        case .announcementRequest:
            let unused = try reader.uint8("Unused")
            self = .announcementRequest(
                unused: unused, responseName: try OEMText(parsing: &reader, "ResponseName"))
        case .requestElection:
            try reader.seek(place, "Opcode")
            self = .election(try RequestElection(parsing: &reader))
        case .backupListRequest:
            let count = try reader.uint8("RequestedCount")
            self = .backupListRequest(
                requestedCount: count, token: try reader.uint32LE("Token"))
        case .backupListResponse:
            try reader.seek(place, "Opcode")
            self = .backupListResponse(try BackupListResponse(parsing: &reader))
        case .becomeBackup:
            self = .becomeBackup(
                browserToPromote: try OEMText(parsing: &reader, "BrowserToPromote"))
        case .masterAnnouncement:
            self = .masterAnnouncement(
                masterBrowserServerName: try OEMText(
                    parsing: &reader, "MasterBrowserServerName"))
        case .resetState:
            self = .resetState(try reader.uint8("Type"))
        case _:
            self = .other(opcode, reader.takeRest())
        }
        try reader.expectEnd("frame")
    }

    /// `span` is what was parsed; only a frame that is not specified needs it.
    package func write(from span: Span<UInt8>, into writer: inout WireWriter) {
        switch self {
        case .announcement(let frame):
            frame.write(into: &writer)
        case .announcementRequest(let unused, let responseName):
            writer.uint8(BrowserOpcode.announcementRequest.rawValue)
            writer.uint8(unused)
            responseName.write(into: &writer)
        case .election(let frame):
            frame.write(into: &writer)
        case .backupListRequest(let requestedCount, let token):
            writer.uint8(BrowserOpcode.backupListRequest.rawValue)
            writer.uint8(requestedCount)
            writer.uint32LE(token)
        case .backupListResponse(let frame):
            frame.write(into: &writer)
        case .becomeBackup(let name):
            writer.uint8(BrowserOpcode.becomeBackup.rawValue)
            name.write(into: &writer)
        case .masterAnnouncement(let name):
            writer.uint8(BrowserOpcode.masterAnnouncement.rawValue)
            name.write(into: &writer)
        case .resetState(let type):
            writer.uint8(BrowserOpcode.resetState.rawValue)
            writer.uint8(type)
        case .other(let opcode, let range):
            writer.uint8(opcode.rawValue)
            writer.append(span.extracting(range))
        }
    }

    package var description: String {
        switch self {
        case .announcement(let frame): frame.description
        case .announcementRequest(_, let name): "announcement request of " + name.description
        case .election(let frame): frame.description
        case .backupListRequest(let count, _): "backup list request for \(count)"
        case .backupListResponse(let frame): frame.description
        case .becomeBackup(let name): "become backup, " + name.description
        case .masterAnnouncement(let name): "master announcement of " + name.description
        case .resetState(let type): "reset state \(type)"
        case .other(let opcode, let range):
            "browser frame \(opcode.rawValue), \(range.count) bytes"
        }
    }
}
