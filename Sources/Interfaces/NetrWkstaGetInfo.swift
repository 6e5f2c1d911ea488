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

/// The settings of the redirector (MS-WKST 2.2.5.4, WKSTA_INFO_502): 35 longs, from
/// wki502_char_wait to wki502_use_512_byte_max_transfer.
package struct WkstaSettings: Equatable, Sendable {
    package static let count = 35

    package var values: [UInt32]

    /// What Windows has where nobody set anything, in the structure's order.
    package static let defaults = WkstaSettings(values: [
        3_600, 250, 16, 600, 50, 45, 512, 17, 6_144, 10, 500, 10, 500, 40, 45, 0xffff_ffff, 3,
        20, 5, 60, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0,
    ])

    init(values: [UInt32]) { self.values = values }

    init(parsing stub: inout NDRReader) throws(WireError) {
        values = []
        for _ in 0..<Self.count { values.append(try stub.uint32("wki502")) }
    }

    func write(into stub: inout NDRWriter) {
        for value in values { stub.uint32(value) }
    }
}

/// Tells of the computer and its domain (MS-WKST 3.2.4.1).
package enum NetrWkstaGetInfo: RemoteProcedure {
    package static let opnum: UInt16 = 0

    package typealias Request = LevelledQuery

    package enum Info: Equatable, Sendable {
        case wksta(WkstaInfo)
        case settings(WkstaSettings)
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package static let settingsLevel: UInt32 = 502

        /// Of what is answered; a level without an arm here comes without content.
        package var level: UInt32
        package var info: Info?
        package var status: NetStatus

        package init(level: UInt32, info: Info?, status: NetStatus = .success) {
            self.level = level
            self.info = info
            self.status = status
        }

        package init(level: UInt32, wkstaInfo: WkstaInfo?, status: NetStatus = .success) {
            self.init(level: level, info: wkstaInfo.map { .wksta($0) }, status: status)
        }

        /// At the levels 100 to 102.
        package var wkstaInfo: WkstaInfo? {
            if case .wksta(let wksta) = info { wksta } else { nil }
        }

        package static func isKnown(_ level: UInt32) -> Bool {
            (100...102).contains(level) || level == settingsLevel
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            level = try stub.uint32("Level")
            info = nil
            if Self.isKnown(level), try stub.pointer("WkstaInfo") {
                info =
                    level == Self.settingsLevel
                    ? .settings(try WkstaSettings(parsing: &stub))
                    : .wksta(try WkstaInfo(level: level, parsing: &stub))
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrWkstaGetInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(level)
            if Self.isKnown(level) {
                stub.pointer(info != nil)
                switch info {
                case .wksta(let wksta): wksta.write(level: level, into: &stub)
                case .settings(let settings): settings.write(into: &stub)
                case nil: break
                }
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
