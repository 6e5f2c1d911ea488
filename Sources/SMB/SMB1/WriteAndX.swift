import Wire

extension SMB1 {
    /// SMB_COM_WRITE_ANDX request: twelve words, fourteen with the upper half of the offset
    /// (MS-CIFS 2.2.4.43.1, MS-SMB 2.2.4.3.1).
    ///
    ///     | AndX header | FID | Offset (4) | Timeout (4) | WriteMode | Remaining |
    ///     | DataLengthHigh | DataLength | DataOffset | [OffsetHigh (4)] |
    ///     | ByteCount | pad | Data … |
    package struct WriteRequest: CommandBody {
        package static let command = Command.writeAndX

        /// A message to a pipe may take several writes. The first of them carries both bits, and
        /// two bytes with the message's length before its data.
        package struct WriteMode: OptionSet, Hashable, Sendable {
            package let rawValue: UInt16
            package init(rawValue: UInt16) { self.rawValue = rawValue }

            package static let writeThrough = WriteMode(rawValue: 0x0001)
            package static let rawPipe = WriteMode(rawValue: 0x0004)
            package static let messageStart = WriteMode(rawValue: 0x0008)
        }

        package var fid: UInt16
        package var offset: UInt32 = 0
        package var timeout: UInt32 = 0
        package var writeMode: WriteMode
        /// What the message's later writes will bring.
        package var remaining: UInt16 = 0
        package var data: Range<Int>
        package var offsetHigh: UInt32?

        package init(fid: UInt16, writeMode: WriteMode, data: Range<Int>) {
            self.fid = fid
            self.writeMode = writeMode
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(12, 14, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            offset = try words.uint32LE("Offset")
            timeout = try words.uint32LE("Timeout")
            writeMode = WriteMode(rawValue: try words.uint16LE("WriteMode"))
            remaining = try words.uint16LE("Remaining")
            let high = Int(try words.uint16LE("DataLengthHigh"))
            let low = Int(try words.uint16LE("DataLength"))
            let offset = Int(try words.uint16LE("DataOffset"))
            if block.wordCount == 14 { offsetHigh = try words.uint32LE("OffsetHigh") }
            data = try block.range(at: offset, count: high << 16 | low, in: reader, "Data")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint32LE(offset)
            writer.uint32LE(timeout)
            writer.uint16LE(writeMode.rawValue)
            writer.uint16LE(remaining)
            writer.uint16LE(UInt16(truncatingIfNeeded: data.count >> 16))
            writer.uint16LE(UInt16(truncatingIfNeeded: data.count))
            let offset = writer.reserve16()
            if let offsetHigh { writer.uint32LE(offsetHigh) }
            block.beginBytes(&writer)
            writer.align(2, from: form.base)
            writer.patch16LE(offset, writer.count - form.base)
            writer.append(source.extracting(data))
            block.end(&writer)
        }

        package var description: String { "WRITE_ANDX fid \(fid), \(data.count) bytes" }
    }

    /// SMB_COM_WRITE_ANDX response (MS-CIFS 2.2.4.43.2, MS-SMB 2.2.4.3.2).
    ///
    ///     | AndX header | Count | Available | CountHigh | Reserved | ByteCount 0 |
    package struct WriteResponse: CommandBody {
        package static let command = Command.writeAndX

        package var count: UInt32
        package var available: UInt16

        package init(count: UInt32, available: UInt16 = 0) {
            self.count = count
            self.available = available
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(6, in: reader)
            var words = reader.part(block.words)
            let low = UInt32(try words.uint16LE("Count"))
            available = try words.uint16LE("Available")
            count = UInt32(try words.uint16LE("CountHigh")) << 16 | low
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(UInt16(truncatingIfNeeded: count))
            writer.uint16LE(available)
            writer.uint16LE(UInt16(truncatingIfNeeded: count >> 16))
            writer.zeros(2)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "WRITE_ANDX \(count) bytes written" }
    }
}
