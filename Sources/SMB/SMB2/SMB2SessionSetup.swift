import Wire

extension SMB2 {
    /// SMB2 SESSION_SETUP request (MS-SMB2 2.2.5).
    ///
    ///     | StructureSize 25 | Flags (1) | SecurityMode (1) | Capabilities (4) | Channel (4) |
    ///     | SecurityBufferOffset | SecurityBufferLength | PreviousSessionId (8) | Buffer … |
    package struct SessionSetupRequest: Equatable, Sendable {
        package static let command = Command.sessionSetup

        package var flags: UInt8 = 0
        package var securityMode = UInt8(NegotiateResponse.signingEnabled)
        package var capabilities: UInt32 = 0
        package var previousSessionID: UInt64 = 0
        package var securityBuffer: Range<Int> = 0..<0

        package init() {}

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(25)
            flags = try reader.uint8("Flags")
            securityMode = try reader.uint8("SecurityMode")
            capabilities = try reader.uint32LE("Capabilities")
            _ = try reader.uint32LE("Channel")
            let start = Int(try reader.uint16LE("SecurityBufferOffset"))
            let count = Int(try reader.uint16LE("SecurityBufferLength"))
            previousSessionID = try reader.uint64LE("PreviousSessionId")
            securityBuffer = try reader.smb2Buffer(
                "SecurityBuffer", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, token: [UInt8]) {
            writer.uint16LE(25)
            writer.uint8(flags)
            writer.uint8(securityMode)
            writer.uint32LE(capabilities)
            writer.uint32LE(0)
            writer.uint16LE(UInt16(writer.count + 12 - base))
            writer.uint16LE(UInt16(token.count))
            writer.uint64LE(previousSessionID)
            writer.append(token)
        }
    }

    /// SMB2 SESSION_SETUP response (MS-SMB2 2.2.6).
    ///
    ///     | StructureSize 9 | SessionFlags | SecurityBufferOffset | SecurityBufferLength |
    ///     | Buffer … |
    package struct SessionSetupResponse: Equatable, Sendable {
        package static let command = Command.sessionSetup
        package static let isGuest: UInt16 = 1
        package static let isNull: UInt16 = 2
        package static let encryptData: UInt16 = 4

        package var sessionFlags: UInt16
        package var securityBuffer: Range<Int> = 0..<0

        package init(sessionFlags: UInt16 = 0) { self.sessionFlags = sessionFlags }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(9)
            sessionFlags = try reader.uint16LE("SessionFlags")
            let start = Int(try reader.uint16LE("SecurityBufferOffset"))
            let count = Int(try reader.uint16LE("SecurityBufferLength"))
            securityBuffer = try reader.smb2Buffer(
                "SecurityBuffer", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, token: [UInt8]) {
            writer.uint16LE(9)
            writer.uint16LE(sessionFlags)
            writer.uint16LE(UInt16(writer.count + 4 - base))
            writer.uint16LE(UInt16(token.count))
            writer.append(token)
        }
    }
}
