import RPC
import Wire

/// The workstation service (MS-WKST).
package enum WorkstationServiceInterface {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x6bff_d098, data2: 0xa112, data3: 0x3610, data4: 0x9833_46c3_f87e_345a), 1)

    /// Below `\PIPE\`.
    package static let pipe = "wkssvc"
}

/// A computer and its domain (MS-WKST 2.2.5.1 to 2.2.5.3, WKSTA_INFO_100, 101 and 102):
/// ```
/// platform_id(4)  computername(4)  langroup(4)  ver_major(4)  ver_minor(4)
/// lanroot(4), from 101 on  logged_on_users(4), in 102
/// ```
package struct WkstaInfo: Equatable, Sendable {
    /// MS-DOS, OS/2, Windows NT, OSF, VMS.
    package static let platformNT: UInt32 = 500

    package var platformID: UInt32
    package var computerName: String?
    /// The domain or workgroup.
    package var lanGroup: String?
    package var versionMajor: UInt32
    package var versionMinor: UInt32
    package var lanRoot: String?
    package var loggedOnUsers: UInt32

    package init(
        platformID: UInt32 = platformNT, computerName: String?, lanGroup: String?,
        versionMajor: UInt32, versionMinor: UInt32, lanRoot: String? = nil,
        loggedOnUsers: UInt32 = 0
    ) {
        self.platformID = platformID
        self.computerName = computerName
        self.lanGroup = lanGroup
        self.versionMajor = versionMajor
        self.versionMinor = versionMinor
        self.lanRoot = lanRoot
        self.loggedOnUsers = loggedOnUsers
    }

    init(level: UInt32, parsing stub: inout NDRReader) throws(WireError) {
        platformID = try stub.uint32("wki_platform_id")
        let hasName = try stub.pointer("wki_computername")
        let hasGroup = try stub.pointer("wki_langroup")
        versionMajor = try stub.uint32("wki_ver_major")
        versionMinor = try stub.uint32("wki_ver_minor")
        let hasRoot = level >= 101 ? try stub.pointer("wki_lanroot") : false
        loggedOnUsers = level == 102 ? try stub.uint32("wki_logged_on_users") : 0
        computerName = hasName ? try stub.wideText("wki_computername") : nil
        lanGroup = hasGroup ? try stub.wideText("wki_langroup") : nil
        lanRoot = hasRoot ? try stub.wideText("wki_lanroot") : nil
    }

    func write(level: UInt32, into stub: inout NDRWriter) {
        stub.uint32(platformID)
        stub.pointer(computerName != nil)
        stub.pointer(lanGroup != nil)
        stub.uint32(versionMajor)
        stub.uint32(versionMinor)
        if level >= 101 { stub.pointer(lanRoot != nil) }
        if level == 102 { stub.uint32(loggedOnUsers) }
        if let computerName { stub.wideString(computerName) }
        if let lanGroup { stub.wideString(lanGroup) }
        if level >= 101, let lanRoot { stub.wideString(lanRoot) }
    }
}

/// Tells of the computer and its domain (MS-WKST 3.2.4.1).
package enum NetrWkstaGetInfo: RemoteProcedure {
    package static let opnum: UInt16 = 0

    package typealias Request = LevelledQuery

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Of what is answered; a level without an arm here comes without content.
        package var level: UInt32
        package var wkstaInfo: WkstaInfo?
        package var status: NetStatus

        package init(level: UInt32, wkstaInfo: WkstaInfo?, status: NetStatus = .success) {
            self.level = level
            self.wkstaInfo = wkstaInfo
            self.status = status
        }

        package static func isKnown(_ level: UInt32) -> Bool { (100...102).contains(level) }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            level = try stub.uint32("Level")
            wkstaInfo = nil
            if Self.isKnown(level), try stub.pointer("WkstaInfo") {
                wkstaInfo = try WkstaInfo(level: level, parsing: &stub)
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrWkstaGetInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(level)
            if Self.isKnown(level) {
                stub.pointer(wkstaInfo != nil)
                wkstaInfo?.write(level: level, into: &stub)
            }
            stub.netStatus(status)
        }
    }
}

/// What both services' plain queries ask: of this server, at this level.
package struct LevelledQuery: NDRMessage, Equatable, Sendable {
    package var serverName: String?
    package var level: UInt32

    package init(serverName: String?, level: UInt32) {
        self.serverName = serverName
        self.level = level
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        serverName = try stub.optionalWideText("ServerName")
        level = try stub.uint32("Level")
        try stub.expectEndOfRequest("Level")
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(serverName)
        stub.uint32(level)
    }
}
