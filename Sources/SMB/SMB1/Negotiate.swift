import Wire

extension SMB1 {
    /// SMB_COM_NEGOTIATE request (MS-CIFS 2.2.4.52.1): the dialects that the client speaks.
    ///
    ///     | WordCount 0 | ByteCount | { 0x02, dialect (OEM, null-terminated) } … |
    package struct NegotiateRequest: CommandBody {
        package static let command = Command.negotiate
        /// The most dialects that are read. Known clients list up to thirteen.
        package static let dialectLimit = 64
        package static let ntLM = "NT LM 0.12"

        package var dialects: [String]

        package init(dialects: [String] = [Self.ntLM]) { self.dialects = dialects }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(0, in: reader)
            var bytes = reader.part(block.bytes)
            dialects = []
            while !bytes.isAtEnd {
                if dialects.count == Self.dialectLimit {
                    throw WireError(
                        .limit, layer: "SMB1", field: "Dialects", offset: bytes.offset,
                        needed: dialects.count + 1, available: Self.dialectLimit)
                }
                let format = try bytes.uint8("BufferFormat")
                if format != 2 { throw bytes.invalid("BufferFormat", Int(format), width: 1) }
                dialects.append(try bytes.oemString("DialectString"))
            }
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            for dialect in dialects {
                writer.uint8(2)
                writer.oemString(dialect)
            }
            block.end(&writer)
        }

        package var description: String {
            var text = "NEGOTIATE"
            for dialect in dialects { text += " \"\(dialect)\"" }
            return text
        }
    }

    /// SMB_COM_NEGOTIATE response (MS-CIFS 2.2.4.52.2, MS-SMB 2.2.4.5.2), by dialect.
    package enum NegotiateResponse: CommandBody {
        package static let command = Command.negotiate
        /// The DialectIndex that refuses them all.
        package static let noDialect: UInt16 = 0xffff

        /// A core dialect, or a refusal: one word.
        case core(dialectIndex: UInt16)
        /// LANMAN 1.0 to LANMAN 2.1: thirteen words.
        case lanMan(NegotiateLANMAN)
        /// NT LM 0.12: seventeen words.
        case ntLM(NegotiateNTLM)

        package var dialectIndex: UInt16 {
            switch self {
            case .core(let index): index
            case .lanMan(let answer): answer.dialectIndex
            case .ntLM(let answer): answer.dialectIndex
            }
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, 13, 17, in: reader)
            switch block.wordCount {
            case 13: self = .lanMan(try NegotiateLANMAN(parsing: &reader, block))
            case 17: self = .ntLM(try NegotiateNTLM(parsing: &reader, block))
            case _:
                var words = reader.part(block.words)
                self = .core(dialectIndex: try words.uint16LE("DialectIndex"))
                try reader.part(block.bytes).expectEnd("Bytes")
            }
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            switch self {
            case .core(let index):
                writer.uint16LE(index)
                block.beginBytes(&writer)
            case .lanMan(let answer): answer.write(into: &writer, &block)
            case .ntLM(let answer): answer.write(into: &writer, &block, from: source)
            }
            block.end(&writer)
        }

        package var description: String {
            switch self {
            case .core(let index): "NEGOTIATE dialect \(index)"
            case .lanMan(let answer): answer.description
            case .ntLM(let answer): answer.description
            }
        }
    }

    package struct SecurityMode: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Users have sessions; without it each share has a password.
        package static let userSecurity = SecurityMode(rawValue: 0x01)
        package static let encryptPasswords = SecurityMode(rawValue: 0x02)
        package static let signaturesEnabled = SecurityMode(rawValue: 0x04)
        package static let signaturesRequired = SecurityMode(rawValue: 0x08)
    }

    package struct Capabilities: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let rawMode = Capabilities(rawValue: 0x0000_0001)
        package static let unicode = Capabilities(rawValue: 0x0000_0004)
        package static let largeFiles = Capabilities(rawValue: 0x0000_0008)
        package static let ntSMBs = Capabilities(rawValue: 0x0000_0010)
        package static let rpcRemoteAPIs = Capabilities(rawValue: 0x0000_0020)
        package static let ntStatus = Capabilities(rawValue: 0x0000_0040)
        package static let levelIIOplocks = Capabilities(rawValue: 0x0000_0080)
        package static let lockAndRead = Capabilities(rawValue: 0x0000_0100)
        package static let ntFind = Capabilities(rawValue: 0x0000_0200)
        package static let largeReadX = Capabilities(rawValue: 0x0000_4000)
        package static let largeWriteX = Capabilities(rawValue: 0x0000_8000)
        package static let extendedSecurity = Capabilities(rawValue: 0x8000_0000)
    }
}
