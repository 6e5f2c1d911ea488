import Wire

extension SMB2 {
    /// The SMB2 packet header (MS-SMB2 2.2.1), the same in requests and responses.
    ///
    ///      0            2             4             6            8
    ///     | 0xFE 'S' 'M' 'B'          | StructureSize | CreditCharge |
    ///     | Status (ChannelSequence)  | Command     | Credits      |
    ///     | Flags                     | NextCommand                |
    ///     | MessageId (8)                                          |
    ///     | Reserved | TreeId: or AsyncId (8), as Flags say        |
    ///     | SessionId (8)                                          |
    ///     | Signature (16) …                                       |
    ///
    /// Bytes behind a message are nobody's: some servers fill it up to a multiple of eight, and
    /// those of a structure whose size counts a byte of data write one where there is no data.
    package struct Header: Equatable, Sendable, CustomStringConvertible {
        package static let size = 64

        package var creditCharge: UInt16 = 0
        package var status = NTStatus.success
        package var command: Command
        /// Asked for in a request, granted in a response.
        package var credits: UInt16 = 1
        package var flags: Flags = []
        package var nextCommand: UInt32 = 0
        package var messageID: UInt64
        /// Without meaning where `flags` hold `async`: the tree of the request is meant.
        package var treeID: UInt32 = 0
        package var asyncID: UInt64 = 0
        package var sessionID: UInt64 = 0
        package var signature = Bytes16()

        package init(_ command: Command, messageID: UInt64) {
            self.command = command
            self.messageID = messageID
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            let protocolID = try reader.uint32BE("ProtocolId")
            if protocolID != Self.protocolID {
                throw reader.invalid("ProtocolId", Int(protocolID), width: 4)
            }
            try reader.smb2StructureSize(UInt16(Self.size))
            creditCharge = try reader.uint16LE("CreditCharge")
            status = NTStatus(rawValue: try reader.uint32LE("Status"))
            command = Command(rawValue: try reader.uint16LE("Command"))
            credits = try reader.uint16LE("CreditResponse")
            flags = Flags(rawValue: try reader.uint32LE("Flags"))
            nextCommand = try reader.uint32LE("NextCommand")
            messageID = try reader.uint64LE("MessageId")
            if flags.contains(.async) {
                asyncID = try reader.uint64LE("AsyncId")
            } else {
                _ = try reader.uint32LE("Reserved")
                treeID = try reader.uint32LE("TreeId")
            }
            sessionID = try reader.uint64LE("SessionId")
            signature = try reader.fixed("Signature")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint32BE(Self.protocolID)
            writer.uint16LE(UInt16(Self.size))
            writer.uint16LE(creditCharge)
            writer.uint32LE(status.rawValue)
            writer.uint16LE(command.rawValue)
            writer.uint16LE(credits)
            writer.uint32LE(flags.rawValue)
            writer.uint32LE(nextCommand)
            writer.uint64LE(messageID)
            if flags.contains(.async) {
                writer.uint64LE(asyncID)
            } else {
                writer.uint32LE(0)
                writer.uint32LE(treeID)
            }
            writer.uint64LE(sessionID)
            writer.append(signature)
        }

        /// Whether a response is its command's and not an error's (MS-SMB2 2.2.2).
        package var carriesAnswer: Bool {
            switch status {
            case .success: true
            case .bufferOverflow: command == .read || command == .ioctl
            case .moreProcessingRequired: command == .sessionSetup
            case _: false
            }
        }

        package var description: String {
            let isResponse = flags.contains(.response)
            var text = "SMB2 \(command.description) \(isResponse ? "response" : "request")"
            // In a request these bytes say something else.
            if isResponse { text += ", \(status.name)" }
            text += ", message \(messageID)"
            text += flags.contains(.async) ? " asynchronous \(asyncID)" : " tree \(treeID)"
            return text + " session 0x\(String(sessionID, radix: 16))"
        }

        /// 0xFE 'S' 'M' 'B'.
        package static let protocolID: UInt32 = 0xfe53_4d42
        /// Where the signature begins, for one made over the message in place.
        static let signatureOffset = 48
        static let flagsOffset = 16
    }

    /// MS-SMB2 2.2.1.2.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// SMB2_FLAGS_SERVER_TO_REDIR.
        package static let response = Flags(rawValue: 1)
        package static let async = Flags(rawValue: 2)
        package static let signed = Flags(rawValue: 8)
    }
}

extension WireReader {
    /// StructureSize, by which each part of a message begins, and which is what the specification
    /// says whatever follows.
    @_lifetime(self: copy self)
    mutating func smb2StructureSize(_ size: UInt16) throws(WireError) {
        let told = try uint16LE("StructureSize")
        if told != size { throw invalid("StructureSize", Int(told), width: 2) }
    }

    /// The buffer that an offset, counted from the header at `base`, and a length name. It must lie
    /// behind what has been read.
    func smb2Buffer(
        _ field: StaticString, at start: Int, count: Int, from base: Int
    ) throws(WireError) -> Range<Int> {
        if count == 0 { return offset..<offset }
        let position = base + start
        guard position >= offset, position <= end, count <= end - position else {
            throw WireError(
                .truncated, layer: layer, field: field, offset: offset,
                needed: start + count, available: end - base)
        }
        return position..<(position + count)
    }
}
