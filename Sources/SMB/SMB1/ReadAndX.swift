import Wire

extension SMB1 {
    /// SMB_COM_READ_ANDX request: ten words, twelve with the upper half of the offset (MS-CIFS
    /// 2.2.4.42.1, MS-SMB 2.2.4.2.1).
    ///
    ///     | AndX header | FID | Offset (4) | MaxCount | MinCount | Timeout (4) | Remaining |
    ///     [ OffsetHigh (4) ] | ByteCount 0 |
    package struct ReadRequest: CommandBody {
        package static let command = Command.readAndX

        package var fid: UInt16
        package var offset: UInt32 = 0
        package var maxCount: UInt16
        package var minCount: UInt16 = 0
        /// For a file the upper half of MaxCount.
        package var timeout: UInt32 = 0
        package var remaining: UInt16 = 0
        package var offsetHigh: UInt32?

        package init(fid: UInt16, maxCount: UInt16) {
            self.fid = fid
            self.maxCount = maxCount
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(10, 12, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            offset = try words.uint32LE("Offset")
            maxCount = try words.uint16LE("MaxCountOfBytesToReturn")
            minCount = try words.uint16LE("MinCountOfBytesToReturn")
            timeout = try words.uint32LE("Timeout")
            remaining = try words.uint16LE("Remaining")
            if block.wordCount == 12 { offsetHigh = try words.uint32LE("OffsetHigh") }
            // Windows sends a pad byte here when it chains.
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint32LE(offset)
            writer.uint16LE(maxCount)
            writer.uint16LE(minCount)
            writer.uint32LE(timeout)
            writer.uint16LE(remaining)
            if let offsetHigh { writer.uint32LE(offsetHigh) }
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "READ_ANDX fid \(fid), \(maxCount) bytes" }
    }

    /// SMB_COM_READ_ANDX response (MS-CIFS 2.2.4.42.2, MS-SMB 2.2.4.2.2).
    ///
    ///     | AndX header | Available | DataCompactionMode | Reserved | DataLength | DataOffset |
    ///     | DataLengthHigh | Reserved (8) | ByteCount | pad | Data … |
    package struct ReadResponse: CommandBody {
        package static let command = Command.readAndX

        /// What is left in a pipe's message; 0xFFFF where the server does not say.
        package var available: UInt16
        package var dataCompactionMode: UInt16 = 0
        package var data: Range<Int>

        package init(available: UInt16 = 0xffff, data: Range<Int>) {
            self.available = available
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(12, in: reader)
            var words = reader.part(block.words)
            available = try words.uint16LE("Available")
            dataCompactionMode = try words.uint16LE("DataCompactionMode")
            _ = try words.uint16LE("Reserved1")
            let low = Int(try words.uint16LE("DataLength"))
            let offset = Int(try words.uint16LE("DataOffset"))
            let high = Int(try words.uint16LE("DataLengthHigh"))
            data = try block.range(at: offset, count: high << 16 | low, in: reader, "Data")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(available)
            writer.uint16LE(dataCompactionMode)
            writer.zeros(2)
            writer.uint16LE(UInt16(truncatingIfNeeded: data.count))
            let offset = writer.reserve16()
            writer.uint16LE(UInt16(truncatingIfNeeded: data.count >> 16))
            writer.zeros(8)
            block.beginBytes(&writer)
            writer.align(2, from: form.base)
            writer.patch16LE(offset, writer.count - form.base)
            writer.append(source.extracting(data))
            block.end(&writer)
        }

        package var description: String { "READ_ANDX \(data.count) bytes" }
    }
}
