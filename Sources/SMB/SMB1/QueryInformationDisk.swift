import Wire

extension SMB1 {
    /// SMB_COM_QUERY_INFORMATION_DISK response (MS-CIFS 2.2.4.57.2). The request has no words and
    /// no bytes.
    ///
    ///     | TotalUnits | BlocksPerUnit | BlockSize | FreeUnits | Reserved | ByteCount 0 |
    package struct QueryInformationDiskResponse: CommandBody {
        package static let command = Command.queryInformationDisk

        package var totalUnits: UInt16
        package var blocksPerUnit: UInt16
        package var blockSize: UInt16
        package var freeUnits: UInt16

        package init(
            totalUnits: UInt16, blocksPerUnit: UInt16, blockSize: UInt16, freeUnits: UInt16
        ) {
            self.totalUnits = totalUnits
            self.blocksPerUnit = blocksPerUnit
            self.blockSize = blockSize
            self.freeUnits = freeUnits
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(5, in: reader)
            var words = reader.part(block.words)
            totalUnits = try words.uint16LE("TotalUnits")
            blocksPerUnit = try words.uint16LE("BlocksPerUnit")
            blockSize = try words.uint16LE("BlockSize")
            freeUnits = try words.uint16LE("FreeUnits")
            _ = try words.uint16LE("Reserved")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(totalUnits)
            writer.uint16LE(blocksPerUnit)
            writer.uint16LE(blockSize)
            writer.uint16LE(freeUnits)
            writer.uint16LE(0)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "QUERY_INFORMATION_DISK \(totalUnits) units" }
    }

    /// SMB_COM_FIND_CLOSE2 request (MS-CIFS 2.2.4.48.1): ends a search. Its response is empty.
    package struct FindClose2: CommandBody {
        package static let command = Command.findClose2

        package var searchHandle: UInt16

        package init(searchHandle: UInt16) { self.searchHandle = searchHandle }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, in: reader)
            var words = reader.part(block.words)
            searchHandle = try words.uint16LE("SearchHandle")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(searchHandle)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "FIND_CLOSE2 search \(searchHandle)" }
    }
}
