import Wire

extension SMB1 {
    /// The LANMAN form of the negotiate response (MS-CIFS 2.2.4.52.2).
    ///
    ///     | DialectIndex | SecurityMode | MaxBufferSize | MaxMpxCount | MaxNumberVcs | RawMode |
    ///     | SessionKey (4) | ServerTime | ServerDate | ServerTimeZone | EncryptionKeyLength |
    ///     | Reserved | ByteCount | EncryptionKey … | PrimaryDomain (OEM) |
    package struct NegotiateLANMAN: Equatable, Sendable, CustomStringConvertible {
        package var dialectIndex: UInt16 = 0
        package var securityMode: SecurityMode = []
        package var maxBufferSize: UInt16 = 0
        package var maxMpxCount: UInt16 = 1
        package var maxNumberVcs: UInt16 = 1
        package var rawMode: UInt16 = 0
        package var sessionKey: UInt32 = 0
        /// Hours, minutes and two-second steps, as FAT packs them.
        package var serverTime: UInt16 = 0
        package var serverDate: UInt16 = 0
        /// Minutes west of Greenwich.
        package var serverTimeZone: Int16 = 0
        package var encryptionKey: [UInt8] = []
        /// Dialects before LANMAN 2.1 may leave it out.
        package var primaryDomain: String?

        package init() {}

        init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            var words = reader.part(block.words)
            dialectIndex = try words.uint16LE("DialectIndex")
            let mode = try words.uint16LE("SecurityMode")
            securityMode = SecurityMode(rawValue: UInt8(truncatingIfNeeded: mode))
            maxBufferSize = try words.uint16LE("MaxBufferSize")
            maxMpxCount = try words.uint16LE("MaxMpxCount")
            maxNumberVcs = try words.uint16LE("MaxNumberVcs")
            rawMode = try words.uint16LE("RawMode")
            sessionKey = try words.uint32LE("SessionKey")
            serverTime = try words.uint16LE("ServerTime")
            serverDate = try words.uint16LE("ServerDate")
            serverTimeZone = Int16(bitPattern: try words.uint16LE("ServerTimeZone"))
            let keyLength = Int(try words.uint16LE("EncryptionKeyLength"))
            _ = try words.uint16LE("Reserved")
            var bytes = reader.part(block.bytes)
            encryptionKey = reader.copy(try bytes.take(keyLength, "EncryptionKey"))
            if !bytes.isAtEnd { primaryDomain = try bytes.oemString("PrimaryDomain") }
            try bytes.expectEnd("Bytes")
        }

        func write(into writer: inout WireWriter, _ block: inout BlockWriter) {
            writer.uint16LE(dialectIndex)
            writer.uint16LE(UInt16(securityMode.rawValue))
            writer.uint16LE(maxBufferSize)
            writer.uint16LE(maxMpxCount)
            writer.uint16LE(maxNumberVcs)
            writer.uint16LE(rawMode)
            writer.uint32LE(sessionKey)
            writer.uint16LE(serverTime)
            writer.uint16LE(serverDate)
            writer.uint16LE(UInt16(bitPattern: serverTimeZone))
            writer.uint16LE(UInt16(encryptionKey.count))
            writer.uint16LE(0)
            block.beginBytes(&writer)
            writer.append(encryptionKey)
            if let primaryDomain { writer.oemString(primaryDomain) }
        }

        package var description: String {
            "NEGOTIATE dialect \(dialectIndex) (LANMAN) buffer \(maxBufferSize) "
                + "domain \"\(primaryDomain ?? "")\""
        }
    }

    /// The NT LM 0.12 form of the negotiate response (MS-CIFS 2.2.4.52.2; MS-SMB 2.2.4.5.2.1
    /// with extended security).
    ///
    ///     | DialectIndex | SecurityMode (1) | MaxMpxCount | MaxNumberVcs | MaxBufferSize (4) |
    ///     | MaxRawSize (4) | SessionKey (4) | Capabilities (4) | SystemTime (8) |
    ///     | ServerTimeZone | ChallengeLength (1) | ByteCount | Challenge … | DomainName |
    ///     | ServerName |  or, with extended security:  | ServerGUID (16) | SecurityBlob … |
    package struct NegotiateNTLM: Equatable, Sendable, CustomStringConvertible {
        package enum Security: Equatable, Sendable {
            /// A challenge of eight bytes, or none where passwords go in plain. The names are
            /// Unicode where the server offers that, and are not aligned.
            case challenge([UInt8], domainName: String?, serverName: String?)
            /// SPNEGO's first offer, as a range of the datagram.
            case extended(serverGUID: Bytes16, securityBlob: Range<Int>)
        }

        package var dialectIndex: UInt16 = 0
        package var securityMode: SecurityMode = []
        package var maxMpxCount: UInt16 = 1
        package var maxNumberVcs: UInt16 = 1
        package var maxBufferSize: UInt32 = 0
        package var maxRawSize: UInt32 = 0
        package var sessionKey: UInt32 = 0
        package var capabilities: Capabilities = []
        /// 100 ns steps since 1601.
        package var systemTime: UInt64 = 0
        /// Minutes west of Greenwich.
        package var serverTimeZone: Int16 = 0
        package var security: Security

        package init(security: Security) { self.security = security }

        init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            var words = reader.part(block.words)
            dialectIndex = try words.uint16LE("DialectIndex")
            securityMode = SecurityMode(rawValue: try words.uint8("SecurityMode"))
            maxMpxCount = try words.uint16LE("MaxMpxCount")
            maxNumberVcs = try words.uint16LE("MaxNumberVcs")
            maxBufferSize = try words.uint32LE("MaxBufferSize")
            maxRawSize = try words.uint32LE("MaxRawSize")
            sessionKey = try words.uint32LE("SessionKey")
            capabilities = Capabilities(rawValue: try words.uint32LE("Capabilities"))
            systemTime = try words.uint64LE("SystemTime")
            serverTimeZone = Int16(bitPattern: try words.uint16LE("ServerTimeZone"))
            let length = Int(try words.uint8("ChallengeLength"))
            var bytes = reader.part(block.bytes)
            if capabilities.contains(.extendedSecurity) {
                let guid: Bytes16 = try bytes.fixed("ServerGUID")
                security = .extended(serverGUID: guid, securityBlob: bytes.takeRest())
                return
            }
            let challenge = reader.copy(try bytes.take(length, "Challenge"))
            var names = block.form
            names.isUnicode = capabilities.contains(.unicode)
            names.base = bytes.offset
            let domain = try bytes.trailingString(names, "DomainName")
            let server = try bytes.trailingString(names, "ServerName")
            security = .challenge(challenge, domainName: domain, serverName: server)
            try bytes.expectEnd("Bytes")
        }

        func write(
            into writer: inout WireWriter, _ block: inout BlockWriter,
            from source: borrowing Span<UInt8>
        ) {
            writer.uint16LE(dialectIndex)
            writer.uint8(securityMode.rawValue)
            writer.uint16LE(maxMpxCount)
            writer.uint16LE(maxNumberVcs)
            writer.uint32LE(maxBufferSize)
            writer.uint32LE(maxRawSize)
            writer.uint32LE(sessionKey)
            writer.uint32LE(capabilities.rawValue)
            writer.uint64LE(systemTime)
            writer.uint16LE(UInt16(bitPattern: serverTimeZone))
            switch security {
            case .challenge(let challenge, let domain, let server):
                writer.uint8(UInt8(challenge.count))
                block.beginBytes(&writer)
                writer.append(challenge)
                let names = Form(
                    base: writer.count, isUnicode: capabilities.contains(.unicode),
                    isResponse: true)
                writer.trailingStrings([domain, server], names)
            case .extended(let guid, let blob):
                writer.uint8(0)
                block.beginBytes(&writer)
                writer.append(guid)
                writer.append(source.extracting(blob))
            }
        }

        package var description: String {
            let text = "NEGOTIATE dialect \(dialectIndex) (NT LM 0.12) buffer \(maxBufferSize) mpx "
                + "\(maxMpxCount) capabilities 0x\(Hex.string(capabilities.rawValue))"
            switch security {
            case .challenge(_, let domain, let server):
                return text + " domain \"\(domain ?? "")\" server \"\(server ?? "")\""
            case .extended(_, let blob):
                return text + " extended security, blob of \(blob.count) bytes"
            }
        }
    }
}
