import Wire

extension SMB1 {
    /// Walks the commands of one message (MS-CIFS 2.2.3.4): the header's and those chained to it
    /// by AndX headers.
    package struct Chain {
        /// The most commands in a message that this program follows.
        package static let limit = 16

        package let header: Header
        package let form: Form
        private var next: Command
        private var position: Int
        private var count = 0

        /// Reads the header, which begins where the reader is.
        package init(parsing reader: inout WireReader) throws(WireError) {
            let base = reader.offset
            header = try Header(parsing: &reader)
            form = Form(base: base, header: header)
            next = header.command
            position = reader.offset
        }

        /// The next command, or nil after the last one. A chain goes forward only, so it ends.
        package mutating func nextBlock(
            _ reader: inout WireReader
        ) throws(WireError) -> Block? {
            if next == .noAndX { return nil }
            if count == Self.limit {
                throw WireError(
                    .limit, layer: "SMB1", field: "AndXCommand", offset: position,
                    needed: count + 1, available: Self.limit)
            }
            try reader.seek(position, "AndXOffset")
            let block = try Block(parsing: &reader, command: next, form: form)
            count += 1
            next = block.andXCommand
            if next != .noAndX {
                position = form.base + block.andXOffset
                if position < block.bytes.upperBound {
                    throw WireError(
                        .invalid, layer: "SMB1", field: "AndXOffset",
                        offset: block.words.lowerBound - 2, needed: block.andXOffset)
                }
            }
            return block
        }
    }

    /// Writes a message: the header, then one command after the other, chained.
    package struct ChainWriter {
        package let form: Form
        /// Where the last command's block begins and whether another one may follow it.
        private var last: (start: Int, hasAndX: Bool)?

        /// The header's command must be that of the first body.
        package init(_ header: Header, into writer: inout WireWriter) {
            form = Form(base: writer.count, header: header)
            header.write(into: &writer)
        }

        package mutating func append<Body: CommandBody>(
            _ body: Body, into writer: inout WireWriter, from source: borrowing Span<UInt8>
        ) {
            link(Body.command, &writer)
            body.write(into: &writer, form, from: source)
        }

        package mutating func append<Body: CommandBody>(
            _ body: Body, into writer: inout WireWriter, from source: [UInt8] = []
        ) {
            append(body, into: &writer, from: source.span)
        }

        /// A block without words and bytes: an error, or a response that is a status only.
        package mutating func appendEmpty(_ command: Command, into writer: inout WireWriter) {
            link(command, &writer)
            last?.hasAndX = false
            writer.zeros(3)
        }

        /// Any command's words (without an AndX header) and bytes.
        package mutating func append(
            _ command: Command, words: Range<Int>, bytes: Range<Int>,
            into writer: inout WireWriter, from source: borrowing Span<UInt8>
        ) {
            link(command, &writer)
            var block = BlockWriter(&writer, command)
            writer.append(source.extracting(words))
            block.beginBytes(&writer)
            writer.append(source.extracting(bytes))
            block.end(&writer)
        }

        private mutating func link(_ command: Command, _ writer: inout WireWriter) {
            let start = writer.count
            if let last {
                precondition(last.hasAndX)
                writer.patch8(last.start + 1, Int(command.rawValue))
                writer.patch16LE(last.start + 3, start - form.base)
            }
            last = (start, command.hasAndX)
        }
    }
}
