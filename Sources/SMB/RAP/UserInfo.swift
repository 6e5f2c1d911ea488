import Wire

extension RAP {
    /// What a user may do: USER_PRIV, MS-RAP 2.5.8.3.2.
    package struct Privilege: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let guest = Privilege(rawValue: 0)
        package static let user = Privilege(rawValue: 1)
        package static let administrator = Privilege(rawValue: 2)
    }

    /// A user: NetUserInfo0, 1, 2, 10 and 11 (MS-RAP 2.5.8.3), which have these fields in orders
    /// of their own. Level 11 is what Windows 9x asks when it logs on.
    ///
    ///     0:  | Name (21) |
    ///     1:  0 | Pad (1) | Password (16) | PasswordAge (4) | Priv (2) | → HomeDir | → Comment
    ///         | Flags (2) | → ScriptPath |
    ///     2:  1 | AuthFlags (4) | → FullName | → UserComment | → Parms | → Workstations
    ///         | LastLogon (4) | LastLogoff (4) | AcctExpires (4) | MaxStorage (4)
    ///         | UnitsPerWeek (2) | → LogonHours | BadPWCount (2) | NumLogons (2)
    ///         | → LogonServer | CountryCode (2) | CodePage (2) |
    ///     10: 0 | Pad (1) | → Comment | → UserComment | → FullName |
    ///     11: 10 | Priv (2) | AuthFlags (4) | PasswordAge (4) | → HomeDir | → Parms
    ///         | LastLogon (4) | LastLogoff (4) | BadPWCount (2) | NumLogons (2) | → LogonServer
    ///         | CountryCode (2) | → Workstations | MaxStorage (4) | UnitsPerWeek (2)
    ///         | → LogonHours | CodePage (2) |
    ///
    /// Times are in seconds since 1970, -1 for never or unknown.
    package struct UserInfo: Equatable, Sendable, CustomStringConvertible {
        package static let never: UInt32 = 0xffff_ffff
        /// UF_SCRIPT, which every account has, and UF_NORMAL_ACCOUNT.
        package static let normalFlags: UInt16 = 0x201
        package static let disabledFlag: UInt16 = 0x2
        package static let hoursLength = 21

        package var name: String
        /// Seconds.
        package var passwordAge: UInt32 = 0
        package var privilege = Privilege.user
        package var homeDirectory = ""
        package var comment = ""
        package var flags = normalFlags
        package var scriptPath = ""
        package var authFlags: UInt32 = 0
        package var fullName = ""
        package var userComment = ""
        package var parms = ""
        package var workstations = ""
        package var lastLogon = never
        package var lastLogoff = never
        package var accountExpires = never
        package var maxStorage = never
        package var unitsPerWeek: UInt16 = 168
        /// A bit an hour, from Sunday on.
        package var logonHours = [UInt8](repeating: 0xff, count: hoursLength)
        package var badPasswordCount: UInt16 = 0
        package var logonCount: UInt16 = 0
        package var logonServer = ""
        package var countryCode: UInt16 = 0
        package var codePage: UInt16 = 0

        package init(name: String) { self.name = name }

        static func descriptor(_ level: UInt16) -> String? {
            switch level {
            case 0: "B21"
            case 1: "B21BB16DWzzWz"
            case 2: "B21BB16DWzzWzDzzzzDDDDWb21WWzWW"
            case 10: "B21Bzzz"
            case 11: "B21BzzzWDDzzDDWWzWzDWb21W"
            case _: nil
            }
        }

        @_lifetime(reader: copy reader)
        package init(
            parsing reader: inout RecordReader, level: UInt16
        ) throws(WireError) {
            self.init(name: try reader.text(21, "Name"))
            if level == 0 { return }
            _ = try reader.fixed.uint8("Pad")
            switch level {
            case 1: try parse1(&reader)
            case 2:
                try parse1(&reader)
                try parse2(&reader)
            case 10: try parse10(&reader)
            case _:
                try parse10(&reader)
                try parse11(&reader)
            }
        }

        @_lifetime(reader: copy reader)
        private mutating func parse1(_ reader: inout RecordReader) throws(WireError) {
            _ = try reader.text(16, "Password")
            passwordAge = try reader.fixed.uint32LE("PasswordAge")
            privilege = Privilege(rawValue: try reader.fixed.uint16LE("Priv"))
            homeDirectory = try reader.pointer("HomeDir") ?? ""
            comment = try reader.pointer("Comment") ?? ""
            flags = try reader.fixed.uint16LE("Flags")
            scriptPath = try reader.pointer("ScriptPath") ?? ""
        }

        @_lifetime(reader: copy reader)
        private mutating func parse2(_ reader: inout RecordReader) throws(WireError) {
            authFlags = try reader.fixed.uint32LE("AuthFlags")
            fullName = try reader.pointer("FullName") ?? ""
            userComment = try reader.pointer("UserComment") ?? ""
            parms = try reader.pointer("Parms") ?? ""
            workstations = try reader.pointer("Workstations") ?? ""
            lastLogon = try reader.fixed.uint32LE("LastLogon")
            lastLogoff = try reader.fixed.uint32LE("LastLogoff")
            accountExpires = try reader.fixed.uint32LE("AcctExpires")
            maxStorage = try reader.fixed.uint32LE("MaxStorage")
            unitsPerWeek = try reader.fixed.uint16LE("UnitsPerWeek")
            logonHours = try reader.pointer(toBytes: Self.hoursLength, "LogonHours") ?? []
            badPasswordCount = try reader.fixed.uint16LE("BadPWCount")
            logonCount = try reader.fixed.uint16LE("NumLogons")
            logonServer = try reader.pointer("LogonServer") ?? ""
            countryCode = try reader.fixed.uint16LE("CountryCode")
            codePage = try reader.fixed.uint16LE("CodePage")
        }

        @_lifetime(reader: copy reader)
        private mutating func parse10(_ reader: inout RecordReader) throws(WireError) {
            comment = try reader.pointer("Comment") ?? ""
            userComment = try reader.pointer("UserComment") ?? ""
            fullName = try reader.pointer("FullName") ?? ""
        }

        @_lifetime(reader: copy reader)
        private mutating func parse11(_ reader: inout RecordReader) throws(WireError) {
            privilege = Privilege(rawValue: try reader.fixed.uint16LE("Priv"))
            authFlags = try reader.fixed.uint32LE("AuthFlags")
            passwordAge = try reader.fixed.uint32LE("PasswordAge")
            homeDirectory = try reader.pointer("HomeDir") ?? ""
            parms = try reader.pointer("Parms") ?? ""
            lastLogon = try reader.fixed.uint32LE("LastLogon")
            lastLogoff = try reader.fixed.uint32LE("LastLogoff")
            badPasswordCount = try reader.fixed.uint16LE("BadPWCount")
            logonCount = try reader.fixed.uint16LE("NumLogons")
            logonServer = try reader.pointer("LogonServer") ?? ""
            countryCode = try reader.fixed.uint16LE("CountryCode")
            workstations = try reader.pointer("Workstations") ?? ""
            maxStorage = try reader.fixed.uint32LE("MaxStorage")
            unitsPerWeek = try reader.fixed.uint16LE("UnitsPerWeek")
            logonHours = try reader.pointer(toBytes: Self.hoursLength, "LogonHours") ?? []
            codePage = try reader.fixed.uint16LE("CodePage")
        }

        package func write(into writer: inout RecordWriter, level: UInt16) {
            writer.text(name, 21)
            if level > 0 { writer.uint8(0) }
            switch level {
            case 0: break
            case 1: write1(&writer)
            case 2:
                write1(&writer)
                write2(&writer)
            case 10: write10(&writer)
            case _:
                write10(&writer)
                write11(&writer)
            }
            writer.endRecord()
        }

        private func write1(_ writer: inout RecordWriter) {
            // The password, which nobody is told.
            writer.zeros(16)
            writer.uint32(passwordAge)
            writer.uint16(privilege.rawValue)
            writer.pointer(homeDirectory)
            writer.pointer(comment)
            writer.uint16(flags)
            writer.pointer(scriptPath)
        }

        private func write2(_ writer: inout RecordWriter) {
            writer.uint32(authFlags)
            writer.pointer(fullName)
            writer.pointer(userComment)
            writer.pointer(parms)
            writer.pointer(workstations)
            writer.uint32(lastLogon)
            writer.uint32(lastLogoff)
            writer.uint32(accountExpires)
            writer.uint32(maxStorage)
            writer.uint16(unitsPerWeek)
            writer.pointer(to: logonHours)
            writer.uint16(badPasswordCount)
            writer.uint16(logonCount)
            writer.pointer(logonServer)
            writer.uint16(countryCode)
            writer.uint16(codePage)
        }

        private func write10(_ writer: inout RecordWriter) {
            writer.pointer(comment)
            writer.pointer(userComment)
            writer.pointer(fullName)
        }

        private func write11(_ writer: inout RecordWriter) {
            writer.uint16(privilege.rawValue)
            writer.uint32(authFlags)
            writer.uint32(passwordAge)
            writer.pointer(homeDirectory)
            writer.pointer(parms)
            writer.uint32(lastLogon)
            writer.uint32(lastLogoff)
            writer.uint16(badPasswordCount)
            writer.uint16(logonCount)
            writer.pointer(logonServer)
            writer.uint16(countryCode)
            writer.pointer(workstations)
            writer.uint32(maxStorage)
            writer.uint16(unitsPerWeek)
            writer.pointer(to: logonHours)
            writer.uint16(codePage)
        }

        package var description: String { "user \(name), privilege \(privilege.rawValue)" }
    }
}
