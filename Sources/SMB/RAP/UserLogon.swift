import Wire

extension RAP {
    /// The two calls by which a user of Windows 9x comes to the domain and leaves it.
    package protocol WorkstationUserCall {
        /// Of the arguments between InfoLevel and BufferLength.
        static var bufferLength: UInt16 { get }
        /// Bytes between the user's name and the workstation's.
        static var gap: Int { get }
    }

    /// NetWkstaUserLogon's arguments (MS-RAP 2.5.10.2.1). Who the user is was proved when the
    /// session was set up; the password that may be there is not looked at.
    ///
    ///     | Reserved texts | InfoLevel (2) |
    ///     | UserName (21) | Pad (1) | Password (15) | Pad (1) | WorkstationName (16) |
    ///     | BufferLength (2) = 54 | ReceiveBufferSize (2) |
    package enum UserLogon: WorkstationUserCall {
        package static var bufferLength: UInt16 { 54 }
        package static var gap: Int { 17 }
    }

    /// NetWkstaUserLogoff's arguments (MS-RAP 2.5.10.3.1).
    ///
    ///     | Reserved texts | InfoLevel (2) | Name (21) | Pad (1) | Workstation (16) |
    ///     | BufferLength (2) = 38 | ReceiveBufferSize (2) |
    package enum UserLogoff: WorkstationUserCall {
        package static var bufferLength: UInt16 { 38 }
        package static var gap: Int { 1 }
    }

    package typealias UserLogonRequest = WorkstationUserRequest<UserLogon>
    package typealias UserLogoffRequest = WorkstationUserRequest<UserLogoff>

    package struct WorkstationUserRequest<Call: WorkstationUserCall>: Equatable, Sendable {
        /// Whether the two reserved texts are there, empty, or left out by the descriptor.
        package var hasTexts: Bool
        package var infoLevel: UInt16
        package var userName: String
        package var workstationName: String
        package var receiveBufferSize: UInt16

        package init(
            hasTexts: Bool = false, infoLevel: UInt16 = 1, userName: String,
            workstationName: String, receiveBufferSize: UInt16
        ) {
            self.hasTexts = hasTexts
            self.infoLevel = infoLevel
            self.userName = userName
            self.workstationName = workstationName
            self.receiveBufferSize = receiveBufferSize
        }

        init(parsing reader: inout WireReader, _ parameters: String) throws(WireError) {
            hasTexts = try reader.reservedTexts(parameters)
            infoLevel = try reader.uint16LE("InfoLevel")
            userName = try reader.fixedText(21, "UserName")
            _ = try reader.take(Call.gap, "Password")
            workstationName = try reader.fixedText(16, "WorkstationName")
            let length = try reader.uint16LE("BufferLength")
            if length != Call.bufferLength {
                throw reader.invalid("BufferLength", Int(length), width: 2)
            }
            receiveBufferSize = try reader.uint16LE("ReceiveBufferSize")
        }

        func write(into writer: inout WireWriter) {
            if hasTexts { writer.zeros(2) }
            writer.uint16LE(infoLevel)
            writer.fixedText(userName, 21)
            writer.zeros(Call.gap)
            writer.fixedText(workstationName, 16)
            writer.uint16LE(Call.bufferLength)
            writer.uint16LE(receiveBufferSize)
        }
    }

    /// What a logon gives: NetWkstaUserLogonResponseData (MS-RAP 2.5.10.4.3).
    ///
    ///     | Code (2) | EffName (21) | Pad (1) | Priv (2) | AuthFlags (4) | NumLogons (2)
    ///     | BadPWCount (2) | LastLogon (4) | LastLogoff (4) | LogoffTime (4) | KickoffTime (4)
    ///     | PasswordAge (4) | PWCanChange (4) | PWMustChange (4) | → Computer | → Domain
    ///     | → ScriptPath | Reserved (4) |
    package struct UserLogonInfo: Equatable, Sendable, CustomStringConvertible {
        package var code = ErrorCode.success
        package var effectiveName: String
        package var privilege: Privilege
        package var authFlags: UInt32 = 0
        package var logonCount: UInt16 = 0
        package var badPasswordCount: UInt16 = 0
        package var lastLogon = UserInfo.never
        package var lastLogoff = UserInfo.never
        package var logoffTime = UserInfo.never
        package var kickoffTime = UserInfo.never
        /// Seconds.
        package var passwordAge: UInt32 = 0
        package var passwordCanChange: UInt32 = 0
        package var passwordMustChange = UserInfo.never
        /// The server that logged the user on, with two backslashes.
        package var computer: String
        package var domain: String
        /// Below the NETLOGON share.
        package var scriptPath: String

        package init(
            effectiveName: String, privilege: Privilege, computer: String, domain: String,
            scriptPath: String
        ) {
            self.effectiveName = effectiveName
            self.privilege = privilege
            self.computer = computer
            self.domain = domain
            self.scriptPath = scriptPath
        }

        static func descriptor(_ level: UInt16) -> String? {
            level == 1 ? "WB21BWDWWDDDDDDDzzzD" : nil
        }

        @_lifetime(reader: copy reader)
        package init(parsing reader: inout RecordReader) throws(WireError) {
            code = ErrorCode(rawValue: try reader.fixed.uint16LE("Code"))
            effectiveName = try reader.text(21, "EffName")
            _ = try reader.fixed.uint8("Pad")
            privilege = Privilege(rawValue: try reader.fixed.uint16LE("Priv"))
            authFlags = try reader.fixed.uint32LE("AuthFlags")
            logonCount = try reader.fixed.uint16LE("NumLogons")
            badPasswordCount = try reader.fixed.uint16LE("BadPWCount")
            lastLogon = try reader.fixed.uint32LE("LastLogon")
            lastLogoff = try reader.fixed.uint32LE("LastLogoff")
            logoffTime = try reader.fixed.uint32LE("LogoffTime")
            kickoffTime = try reader.fixed.uint32LE("KickoffTime")
            passwordAge = try reader.fixed.uint32LE("PasswordAge")
            passwordCanChange = try reader.fixed.uint32LE("PWCanChange")
            passwordMustChange = try reader.fixed.uint32LE("PWMustChange")
            computer = try reader.pointer("Computer") ?? ""
            domain = try reader.pointer("Domain") ?? ""
            scriptPath = try reader.pointer("ScriptPath") ?? ""
            _ = try reader.fixed.uint32LE("Reserved")
        }

        package func write(into writer: inout RecordWriter) {
            writer.uint16(code.rawValue)
            writer.text(effectiveName, 21)
            writer.uint8(0)
            writer.uint16(privilege.rawValue)
            writer.uint32(authFlags)
            writer.uint16(logonCount)
            writer.uint16(badPasswordCount)
            writer.uint32(lastLogon)
            writer.uint32(lastLogoff)
            writer.uint32(logoffTime)
            writer.uint32(kickoffTime)
            writer.uint32(passwordAge)
            writer.uint32(passwordCanChange)
            writer.uint32(passwordMustChange)
            writer.pointer(computer)
            writer.pointer(domain)
            writer.pointer(scriptPath)
            writer.uint32(0)
            writer.endRecord()
        }

        package var description: String {
            "logon of \(effectiveName) at \(domain) by \(computer), script \(scriptPath)"
        }
    }

    /// NetWkstaUserLogoffResponseData (MS-RAP 2.5.10.4.5).
    ///
    ///     | Code (2) | Duration (4) | NumLogons (2) |
    package struct UserLogoffInfo: Equatable, Sendable {
        package var code = ErrorCode.success
        /// Seconds.
        package var duration: UInt32 = 0
        package var logonCount: UInt16 = 0

        package init() {}

        static func descriptor(_ level: UInt16) -> String? { level == 1 ? "WDW" : nil }

        @_lifetime(reader: copy reader)
        package init(parsing reader: inout RecordReader) throws(WireError) {
            code = ErrorCode(rawValue: try reader.fixed.uint16LE("Code"))
            duration = try reader.fixed.uint32LE("Duration")
            logonCount = try reader.fixed.uint16LE("NumLogons")
        }

        package func write(into writer: inout RecordWriter) {
            writer.uint16(code.rawValue)
            writer.uint32(duration)
            writer.uint16(logonCount)
            writer.endRecord()
        }
    }
}

extension WireReader {
    /// The arguments before InfoLevel, which mean nothing: two texts, or none where the descriptor
    /// says "O".
    @_lifetime(self: copy self)
    mutating func reservedTexts(_ parameters: String) throws(WireError) -> Bool {
        if parameters.utf8.first == UInt8(ascii: "O") { return false }
        for _ in 0..<2 {
            let text = try oemString("Reserved")
            if !text.isEmpty { throw invalid("Reserved", text.utf8.count) }
        }
        return true
    }

    /// Text in a field of `count` bytes.
    @_lifetime(self: copy self)
    mutating func fixedText(_ count: Int, _ field: StaticString) throws(WireError) -> String {
        let range = try take(count, field)
        return OEMCodePage.string(Array(copy(range).prefix { $0 != 0 }))
    }
}

extension WireWriter {
    mutating func fixedText(_ text: String, _ count: Int) {
        let bytes = Array(OEMCodePage.bytes(text).prefix(count - 1))
        append(bytes)
        zeros(count - bytes.count)
    }
}
