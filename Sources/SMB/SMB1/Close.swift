import Wire

extension SMB1 {
    /// SMB_COM_CLOSE request (MS-CIFS 2.2.4.5.1). Its response is empty.
    ///
    ///     | FID | LastTimeModified (4) | ByteCount 0 |
    package struct CloseRequest: CommandBody {
        package static let command = Command.close
        /// Leaves the file's time to the server.
        package static let noTime: UInt32 = 0xffff_ffff

        package var fid: UInt16
        package var lastTimeModified: UInt32

        package init(fid: UInt16, lastTimeModified: UInt32 = Self.noTime) {
            self.fid = fid
            self.lastTimeModified = lastTimeModified
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(3, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            lastTimeModified = try words.uint32LE("LastTimeModified")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint32LE(lastTimeModified)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "CLOSE fid \(fid)" }
    }

    /// SMB_COM_ECHO (MS-CIFS 2.2.4.39): the request's word is how many answers are wanted, each
    /// response's word its number; the data comes back as it was.
    ///
    ///     | EchoCount or SequenceNumber | ByteCount | Data … |
    package struct Echo: CommandBody {
        package static let command = Command.echo

        package var number: UInt16
        package var data: Range<Int>

        package init(number: UInt16, data: Range<Int>) {
            self.number = number
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, in: reader)
            var words = reader.part(block.words)
            number = try words.uint16LE("EchoCount")
            data = block.bytes
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(number)
            block.beginBytes(&writer)
            writer.append(source.extracting(data))
            block.end(&writer)
        }

        package var description: String { "ECHO \(number), \(data.count) bytes" }
    }
}
