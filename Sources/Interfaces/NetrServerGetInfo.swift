import RPC
import Wire

/// The server service (MS-SRVS).
package enum ServerServiceInterface {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x4b32_4fc8, data2: 0x1670, data3: 0x01d3, data4: 0x1278_5a47_bf6e_e188), 3)

    /// Below `\PIPE\`.
    package static let pipe = "srvsvc"
}

/// A server (MS-SRVS 2.2.4.40 to 2.2.4.42, SERVER_INFO_100, 101 and 102):
/// ```
/// platform_id(4)  name(4)
/// from 101 on: version_major(4)  version_minor(4)  type(4)  comment(4)
/// in 102: users(4)  disc(4)  hidden(4)  announce(4)  anndelta(4)  licenses(4)  userpath(4)
/// ```
package struct ServerInfo: Equatable, Sendable {
    package var platformID: UInt32
    package var name: String?
    package var versionMajor: UInt32
    package var versionMinor: UInt32
    /// SV_TYPE_… (MS-SRVS 2.2.2.7).
    package var type: UInt32
    package var comment: String?
    /// The most users at a time.
    package var users: UInt32
    /// Minutes until an idle session is disconnected.
    package var disconnect: UInt32
    package var isHidden: Bool
    /// Seconds between two announcements, and by how many milliseconds that varies.
    package var announce: UInt32
    package var announceDelta: UInt32
    package var licenses: UInt32
    package var userPath: String?

    package init(
        platformID: UInt32 = WkstaInfo.platformNT, name: String?, versionMajor: UInt32 = 0,
        versionMinor: UInt32 = 0, type: UInt32 = 0, comment: String? = nil
    ) {
        self.platformID = platformID
        self.name = name
        self.versionMajor = versionMajor
        self.versionMinor = versionMinor
        self.type = type
        self.comment = comment
        users = 0
        disconnect = 0
        isHidden = false
        announce = 0
        announceDelta = 0
        licenses = 0
        userPath = nil
    }

    init(level: UInt32, parsing stub: inout NDRReader) throws(WireError) {
        self.init(name: nil)
        platformID = try stub.uint32("platform_id")
        let hasName = try stub.pointer("name")
        var hasComment = false
        var hasPath = false
        if level >= 101 {
            versionMajor = try stub.uint32("version_major")
            versionMinor = try stub.uint32("version_minor")
            type = try stub.uint32("type")
            hasComment = try stub.pointer("comment")
        }
        if level == 102 {
            users = try stub.uint32("users")
            disconnect = try stub.uint32("disc")
            isHidden = try stub.uint32("hidden") != 0
            announce = try stub.uint32("announce")
            announceDelta = try stub.uint32("anndelta")
            licenses = try stub.uint32("licenses")
            hasPath = try stub.pointer("userpath")
        }
        name = hasName ? try stub.wideText("name") : nil
        comment = hasComment ? try stub.wideText("comment") : nil
        userPath = hasPath ? try stub.wideText("userpath") : nil
    }

    func write(level: UInt32, into stub: inout NDRWriter) {
        stub.uint32(platformID)
        stub.pointer(name != nil)
        if level >= 101 {
            stub.uint32(versionMajor)
            stub.uint32(versionMinor)
            stub.uint32(type)
            stub.pointer(comment != nil)
        }
        if level == 102 {
            stub.uint32(users)
            stub.uint32(disconnect)
            stub.uint32(isHidden ? 1 : 0)
            stub.uint32(announce)
            stub.uint32(announceDelta)
            stub.uint32(licenses)
            stub.pointer(userPath != nil)
        }
        if let name { stub.wideString(name) }
        if level >= 101, let comment { stub.wideString(comment) }
        if level == 102, let userPath { stub.wideString(userPath) }
    }
}

/// Tells of the server (MS-SRVS 3.1.4.17).
package enum NetrServerGetInfo: RemoteProcedure {
    package static let opnum: UInt16 = 21

    package typealias Request = LevelledQuery

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Of what is answered; a level without an arm here comes without content.
        package var level: UInt32
        package var serverInfo: ServerInfo?
        package var status: NetStatus

        package init(level: UInt32, serverInfo: ServerInfo?, status: NetStatus = .success) {
            self.level = level
            self.serverInfo = serverInfo
            self.status = status
        }

        package static func isKnown(_ level: UInt32) -> Bool { (100...102).contains(level) }

        /// Levels that the union has pointers for, but this program nothing to point to.
        static func hasArm(_ level: UInt32) -> Bool {
            isKnown(level) || [103, 502, 503, 599].contains(level)
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            level = try stub.uint32("Level")
            serverInfo = nil
            if Self.hasArm(level), try stub.pointer("InfoStruct") {
                guard Self.isKnown(level) else {
                    throw stub.wire.invalid("Level", Int(clamping: level), width: 8)
                }
                serverInfo = try ServerInfo(level: level, parsing: &stub)
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrServerGetInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(level)
            if Self.hasArm(level) {
                stub.pointer(serverInfo != nil)
                serverInfo?.write(level: level, into: &stub)
            }
            stub.netStatus(status)
        }
    }
}
