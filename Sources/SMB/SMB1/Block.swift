import Wire

extension SMB1 {
    /// What the parts of a message need to know of the whole.
    package struct Form: Equatable, Sendable {
        /// Where the header begins: offsets and alignment count from there.
        package var base: Int
        package var isUnicode: Bool
        package var isResponse: Bool

        package init(base: Int, isUnicode: Bool, isResponse: Bool) {
            self.base = base
            self.isUnicode = isUnicode
            self.isResponse = isResponse
        }

        package init(base: Int, header: Header) {
            self.init(
                base: base, isUnicode: header.flags2.contains(.unicode),
                isResponse: header.flags.contains(.reply))
        }
    }

    /// One command's two blocks, SMB_Parameters and SMB_Data (MS-CIFS 2.2.3.2, 2.2.3.3), taken
    /// apart but not yet understood.
    ///
    ///     | WordCount | AndXCommand | AndXReserved | AndXOffset (2) | Words … |
    ///     | ByteCount (2) | Bytes … |
    ///
    /// The AndX header is there for the commands that have one, if there are words at all.
    package struct Block: Equatable, Sendable {
        package let command: Command
        package let form: Form
        /// As on the wire: it counts the AndX header too.
        package let wordCount: Int
        /// The words after the AndX header.
        package let words: Range<Int>
        package let bytes: Range<Int>
        /// The command that follows in the message, `noAndX` if none does.
        package let andXCommand: Command
        /// Where it does, from the header on.
        package let andXOffset: Int

        /// NT_CREATE_ANDX in its extended response has 50 words, yet its WordCount says 42, with
        /// Windows as with MS-SMB 2.2.4.9.2. Windows also leaves its ByteCount unset; there are
        /// no bytes.
        private static let extendedCreateCount = 42
        private static let extendedCreateWords = 50

        package init(
            parsing reader: inout WireReader, command: Command, form: Form
        ) throws(WireError) {
            self.command = command
            self.form = form
            wordCount = Int(try reader.uint8("WordCount"))
            let isExtendedCreate = command == .ntCreateAndX && form.isResponse
                && wordCount == Self.extendedCreateCount
            let length = (isExtendedCreate ? Self.extendedCreateWords : wordCount) * 2
            let end = reader.offset + length
            try reader.need(length, "Words")
            if command.hasAndX && wordCount >= 2 {
                andXCommand = Command(rawValue: try reader.uint8("AndXCommand"))
                _ = try reader.uint8("AndXReserved")
                andXOffset = Int(try reader.uint16LE("AndXOffset"))
            } else {
                andXCommand = .noAndX
                andXOffset = 0
            }
            words = try reader.take(end - reader.offset, "Words")
            let byteCount = Int(try reader.uint16LE("ByteCount"))
            bytes = try reader.take(isExtendedCreate ? 0 : byteCount, "Bytes")
        }

        /// Neither words nor bytes: a response that says no more than the header's status.
        package var isEmpty: Bool { wordCount == 0 && bytes.isEmpty }

        package func requireWords(
            _ counts: Int..., in reader: borrowing WireReader
        ) throws(WireError) {
            for count in counts where count == wordCount { return }
            throw WireError(
                .invalid, layer: reader.layer, field: "WordCount", offset: words.lowerBound,
                needed: wordCount)
        }

        /// The range that a length and an offset field name. It must lie behind the words, within
        /// the message; not within ByteCount, which wraps around in large reads.
        package func range(
            at offset: Int, count: Int, in reader: borrowing WireReader, _ field: StaticString
        ) throws(WireError) -> Range<Int> {
            if count == 0 { return bytes.lowerBound..<bytes.lowerBound }
            let start = form.base + offset
            if start < bytes.lowerBound || count > reader.end - start {
                throw WireError(
                    .truncated, layer: reader.layer, field: field, offset: words.lowerBound,
                    needed: offset + count, available: reader.end - form.base)
            }
            return start..<(start + count)
        }
    }

    /// Writes the frame of one command's blocks around its words and bytes, and counts both.
    package struct BlockWriter {
        private let start: Int
        private var bytesStart = 0

        package init(_ writer: inout WireWriter, _ command: Command) {
            start = writer.count
            writer.uint8(0)
            if command.hasAndX {
                writer.uint8(Command.noAndX.rawValue)
                writer.zeros(3)
            }
        }

        /// The words are all there; the bytes begin.
        package mutating func beginBytes(_ writer: inout WireWriter) {
            writer.patch8(start, (writer.count - start - 1) / 2)
            _ = writer.reserve16()
            bytesStart = writer.count
        }

        /// Replaces a count that does not say how many words there are.
        package func overrideWordCount(_ count: Int, _ writer: inout WireWriter) {
            writer.patch8(start, count)
        }

        package func end(_ writer: inout WireWriter) {
            // A read of 64 KB and more tells its length in its words; ByteCount wraps around.
            writer.patch16LE(bytesStart - 2, (writer.count - bytesStart) & 0xffff)
        }
    }

    /// A command's request or response, written once for both directions.
    package protocol CommandBody: Equatable, Sendable, CustomStringConvertible {
        static var command: Command { get }

        init(parsing reader: inout WireReader, _ block: Block) throws(WireError)

        /// `source` is what payload ranges point into: the datagram that was parsed, or the
        /// bytes to be sent.
        func write(into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>)
    }
}
