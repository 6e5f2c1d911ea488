import Wire

/// LM1.0 and LM2.0 LOGON request: a LAN Manager, Windows for Workgroups or Windows 95 client looks
/// for a controller that knows its user.
///
/// ```
/// Opcode(2) = 0x00 | ComputerName | UserName | MailslotName | RequestCount(1)
/// | LmNtToken(2) and Lm20Token(2), Lm20Token(2) only, or neither
/// ```
///
/// A LAN Manager 1.0 client has no token; Windows 98 has both, the first being 1.
package struct LogonRequest: Equatable, Sendable, CustomStringConvertible {
    package var computerName: OEMText
    package var userName: OEMText
    package var mailslotName: OEMText
    package var requestCount: UInt8
    package var lmNtToken: UInt16?
    /// Nil, in a request that has no token at all, means a LAN Manager 1.0 client.
    package var lm20Token: UInt16?

    package init(
        computerName: OEMText, userName: OEMText, mailslotName: OEMText, requestCount: UInt8 = 0,
        lmNtToken: UInt16? = nil, lm20Token: UInt16? = 0xffff
    ) {
        self.computerName = computerName
        self.userName = userName
        self.mailslotName = mailslotName
        self.requestCount = requestCount
        self.lmNtToken = lmNtToken
        self.lm20Token = lm20Token
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.opcode(.logonRequest)
        computerName = try OEMText(parsing: &reader, "ComputerName")
        userName = try OEMText(parsing: &reader, "UserName")
        mailslotName = try OEMText(parsing: &reader, "MailslotName")
        requestCount = try reader.uint8("RequestCount")
        if reader.remaining > 2 { lmNtToken = try reader.uint16LE("LmNtToken") }
        if !reader.isAtEnd { lm20Token = try reader.uint16LE("Lm20Token") }
        try reader.expectEnd("Lm20Token")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(NetlogonOpcode.logonRequest.rawValue)
        computerName.write(into: &writer)
        userName.write(into: &writer)
        mailslotName.write(into: &writer)
        writer.uint8(requestCount)
        if let lmNtToken { writer.uint16LE(lmNtToken) }
        if let lm20Token { writer.uint16LE(lm20Token) }
    }

    package var description: String {
        "LM LOGON request \(requestCount) of " + computerName.description + " for "
            + userName.description + ", answer to " + mailslotName.description
    }
}

/// The answer to a LAN Manager 1.0 client's LOGON request. It does not name the server: that is
/// the datagram's source name.
///
/// ```
/// Opcode(2) = 0x01 | UserName | ScriptName
/// ```
package struct LogonResponseLM10: Equatable, Sendable, CustomStringConvertible {
    package var userName: OEMText
    package var scriptName: OEMText

    package init(userName: OEMText, scriptName: OEMText = OEMText(bytes: [])) {
        self.userName = userName
        self.scriptName = scriptName
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.opcode(.logonResponseLM10)
        userName = try OEMText(parsing: &reader, "UserName")
        scriptName = try OEMText(parsing: &reader, "ScriptName")
        try reader.expectEnd("ScriptName")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(NetlogonOpcode.logonResponseLM10.rawValue)
        userName.write(into: &writer)
        scriptName.write(into: &writer)
    }

    package var description: String { "LM1.0 LOGON response for " + userName.description }
}

/// The answer to a LOGON request of LAN Manager 2.0 and later.
///
/// ```
/// Opcode(2) = 0x06 | LogonServer, with two backslashes | Lm20Token(2)
/// ```
package struct LogonResponseLM20: Equatable, Sendable, CustomStringConvertible {
    package var logonServer: OEMText
    package var lm20Token: UInt16

    package init(logonServer: OEMText) {
        self.logonServer = logonServer
        lm20Token = 0xffff
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.opcode(.logonResponseLM20)
        logonServer = try OEMText(parsing: &reader, "LogonServer")
        lm20Token = try reader.uint16LE("Lm20Token")
        try reader.expectEnd("Lm20Token")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(NetlogonOpcode.logonResponseLM20.rawValue)
        logonServer.write(into: &writer)
        writer.uint16LE(lm20Token)
    }

    package var description: String { "LM2.0 LOGON response of " + logonServer.description }
}

/// The answers to a LOGON request of LAN Manager 2.0 and later that say no: logons are paused, or
/// the user is unknown.
///
/// ```
/// Opcode(2) = 0x0F or 0x10 | Lm20Token(2)
/// ```
package struct LogonRefusalLM20: Equatable, Sendable, CustomStringConvertible {
    package var opcode: NetlogonOpcode
    package var lm20Token: UInt16

    /// `opcode` is `logonPausedLM20` or `logonUserUnknownLM20`.
    package init(_ opcode: NetlogonOpcode) {
        self.opcode = opcode
        lm20Token = 0xffff
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        opcode = NetlogonOpcode(rawValue: try reader.uint16LE("Opcode"))
        if opcode != .logonPausedLM20 && opcode != .logonUserUnknownLM20 {
            throw reader.invalid("Opcode", Int(opcode.rawValue), width: 2)
        }
        lm20Token = try reader.uint16LE("Lm20Token")
        try reader.expectEnd("Lm20Token")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(opcode.rawValue)
        writer.uint16LE(lm20Token)
    }

    package var description: String {
        opcode == .logonPausedLM20 ? "LM2.0 LOGON paused" : "LM2.0 LOGON user unknown"
    }
}
