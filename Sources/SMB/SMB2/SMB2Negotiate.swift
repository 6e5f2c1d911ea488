import Wire

extension SMB2 {
    /// SMB2 NEGOTIATE request (MS-SMB2 2.2.3).
    ///
    ///     | StructureSize 36 | DialectCount | SecurityMode | Reserved | Capabilities (4) |
    ///     | ClientGuid (16) | NegotiateContextOffset (4) | NegotiateContextCount | Reserved2 |
    ///     | Dialects … | padding to 8 | NegotiateContextList |
    ///
    /// The list goes with SMB 3.1.1 alone, and holds what that version demands: the hash that
    /// protects the negotiation (2.2.3.1.1). No cipher is offered: what the pipes carry is sealed.
    package struct NegotiateRequest: Equatable, Sendable {
        package static let command = Command.negotiate

        package var securityMode: UInt16 = NegotiateResponse.signingEnabled
        package var capabilities: UInt32 = 0
        package var clientGUID: Bytes16
        package var dialects: [Dialect]
        /// The salt of the hash, where SMB 3.1.1 is among the dialects.
        package var salt: Bytes16?

        package init(_ dialects: [Dialect], clientGUID: Bytes16, salt: Bytes16?) {
            self.dialects = dialects
            self.clientGUID = clientGUID
            self.salt = salt
        }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(36)
            let count = Int(try reader.uint16LE("DialectCount"))
            securityMode = try reader.uint16LE("SecurityMode")
            _ = try reader.uint16LE("Reserved")
            capabilities = try reader.uint32LE("Capabilities")
            clientGUID = try reader.fixed("ClientGuid")
            let contexts = Int(try reader.uint32LE("NegotiateContextOffset"))
            let contextCount = try reader.uint16LE("NegotiateContextCount")
            _ = try reader.uint16LE("Reserved2")
            try reader.need(2 * count, "Dialects")
            dialects = []
            for _ in 0..<count {
                dialects.append(Dialect(rawValue: try reader.uint16LE("Dialects")))
            }
            guard dialects.contains(.smb311), contextCount > 0 else {
                _ = reader.takeRest()
                return
            }
            try reader.seek(base + contexts, "NegotiateContextOffset")
            salt = try Self.salt(&reader)
            _ = reader.takeRest()
        }

        /// Of the first context, where it is what this end sends.
        private static func salt(_ reader: inout WireReader) throws(WireError) -> Bytes16? {
            guard try reader.uint16LE("ContextType") == Self.preauthIntegrity else { return nil }
            _ = try reader.uint16LE("DataLength")
            _ = try reader.uint32LE("Reserved")
            _ = try reader.uint16LE("HashAlgorithmCount")
            guard try reader.uint16LE("SaltLength") == 16 else { return nil }
            _ = try reader.uint16LE("HashAlgorithms")
            return try reader.fixed("Salt")
        }

        package func write(into writer: inout WireWriter, from base: Int) {
            writer.uint16LE(36)
            writer.uint16LE(UInt16(dialects.count))
            writer.uint16LE(securityMode)
            writer.uint16LE(0)
            writer.uint32LE(capabilities)
            writer.append(clientGUID)
            let contexts = writer.reserve32()
            writer.uint16LE(salt == nil ? 0 : 1)
            writer.uint16LE(0)
            for dialect in dialects { writer.uint16LE(dialect.rawValue) }
            guard let salt else { return }
            writer.align(8, from: base)
            writer.patch32LE(contexts, writer.count - base)
            writer.uint16LE(Self.preauthIntegrity)
            writer.uint16LE(6 + 16)
            writer.uint32LE(0)
            writer.uint16LE(1)
            writer.uint16LE(16)
            writer.uint16LE(Self.sha512)
            writer.append(salt)
        }

        private static let preauthIntegrity: UInt16 = 1
        private static let sha512: UInt16 = 1
    }

    /// SMB2 NEGOTIATE response (MS-SMB2 2.2.4). What SMB 3.1.1 adds behind the token is passed
    /// over: it says by which hash and cipher, of which one and none were offered.
    ///
    ///     | StructureSize 65 | SecurityMode | DialectRevision | NegotiateContextCount |
    ///     | ServerGuid (16) | Capabilities (4) | MaxTransactSize (4) | MaxReadSize (4) |
    ///     | MaxWriteSize (4) | SystemTime (8) | ServerStartTime (8) |
    ///     | SecurityBufferOffset | SecurityBufferLength | NegotiateContextOffset (4) | Buffer … |
    package struct NegotiateResponse: Equatable, Sendable {
        package static let command = Command.negotiate
        package static let signingEnabled: UInt16 = 1
        package static let signingRequired: UInt16 = 2

        package var securityMode: UInt16
        package var dialect: Dialect
        package var serverGUID: Bytes16
        package var capabilities: UInt32
        package var maxTransactSize: UInt32
        package var maxReadSize: UInt32
        package var maxWriteSize: UInt32
        package var systemTime: UInt64
        package var serverStartTime: UInt64
        package var securityBuffer: Range<Int>

        package init(_ dialect: Dialect, securityMode: UInt16 = signingEnabled) {
            self.dialect = dialect
            self.securityMode = securityMode
            serverGUID = Bytes16()
            capabilities = 0
            (maxTransactSize, maxReadSize, maxWriteSize) = (65_536, 65_536, 65_536)
            (systemTime, serverStartTime) = (0, 0)
            securityBuffer = 0..<0
        }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(65)
            securityMode = try reader.uint16LE("SecurityMode")
            dialect = Dialect(rawValue: try reader.uint16LE("DialectRevision"))
            _ = try reader.uint16LE("NegotiateContextCount")
            serverGUID = try reader.fixed("ServerGuid")
            capabilities = try reader.uint32LE("Capabilities")
            maxTransactSize = try reader.uint32LE("MaxTransactSize")
            maxReadSize = try reader.uint32LE("MaxReadSize")
            maxWriteSize = try reader.uint32LE("MaxWriteSize")
            systemTime = try reader.uint64LE("SystemTime")
            serverStartTime = try reader.uint64LE("ServerStartTime")
            let start = Int(try reader.uint16LE("SecurityBufferOffset"))
            let count = Int(try reader.uint16LE("SecurityBufferLength"))
            _ = try reader.uint32LE("NegotiateContextOffset")
            securityBuffer = try reader.smb2Buffer(
                "SecurityBuffer", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(
            into writer: inout WireWriter, from base: Int, token: [UInt8]
        ) {
            writer.uint16LE(65)
            writer.uint16LE(securityMode)
            writer.uint16LE(dialect.rawValue)
            writer.uint16LE(0)
            writer.append(serverGUID)
            writer.uint32LE(capabilities)
            writer.uint32LE(maxTransactSize)
            writer.uint32LE(maxReadSize)
            writer.uint32LE(maxWriteSize)
            writer.uint64LE(systemTime)
            writer.uint64LE(serverStartTime)
            writer.uint16LE(UInt16(writer.count + 8 - base))
            writer.uint16LE(UInt16(token.count))
            writer.uint32LE(0)
            writer.append(token)
        }
    }
}
