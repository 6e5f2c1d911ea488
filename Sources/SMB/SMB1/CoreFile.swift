import Wire

extension SMB1 {
    /// SMB_COM_OPEN request (MS-CIFS 2.2.4.3.1), by which clients of the core dialect open a file
    /// or a pipe.
    ///
    ///     | AccessMode | SearchAttributes | ByteCount | 0x04 | FileName |
    package struct CoreOpenRequest: CommandBody {
        package static let command = Command.open

        package var accessMode: UInt16
        package var searchAttributes: UInt16
        package var fileName: String

        package init(accessMode: UInt16 = 0, searchAttributes: UInt16 = 0, fileName: String) {
            self.accessMode = accessMode
            self.searchAttributes = searchAttributes
            self.fileName = fileName
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(2, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            accessMode = try words.uint16LE("AccessMode")
            searchAttributes = try words.uint16LE("SearchAttributes")
            fileName = try bytes.taggedString(block.form, "FileName")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(accessMode)
            writer.uint16LE(searchAttributes)
            block.beginBytes(&writer)
            writer.taggedString(fileName, form)
            block.end(&writer)
        }

        package var description: String { "OPEN \"\(fileName)\"" }
    }

    /// SMB_COM_OPEN response (MS-CIFS 2.2.4.3.2).
    ///
    ///     | FID | FileAttrs | LastModified (4) | FileSize (4) | AccessMode | ByteCount 0 |
    package struct CoreOpenResponse: CommandBody {
        package static let command = Command.open

        package var fid: UInt16
        package var fileAttrs: UInt16
        /// Seconds since 1970.
        package var lastModified: UInt32
        package var fileSize: UInt32
        package var accessMode: UInt16

        package init(
            fid: UInt16, fileAttrs: UInt16 = 0, lastModified: UInt32 = 0, fileSize: UInt32 = 0,
            accessMode: UInt16 = 0
        ) {
            self.fid = fid
            self.fileAttrs = fileAttrs
            self.lastModified = lastModified
            self.fileSize = fileSize
            self.accessMode = accessMode
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(7, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            fileAttrs = try words.uint16LE("FileAttrs")
            lastModified = try words.uint32LE("LastModified")
            fileSize = try words.uint32LE("FileSize")
            accessMode = try words.uint16LE("AccessMode")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint16LE(fileAttrs)
            writer.uint32LE(lastModified)
            writer.uint32LE(fileSize)
            writer.uint16LE(accessMode)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "OPEN fid \(fid), \(fileSize) bytes" }
    }

    /// SMB_COM_READ request (MS-CIFS 2.2.4.11.1).
    ///
    ///     | FID | Count | Offset (4) | EstimateOfRemainingBytes | ByteCount 0 |
    package struct CoreReadRequest: CommandBody {
        package static let command = Command.read

        package var fid: UInt16
        package var count: UInt16
        package var offset: UInt32
        package var estimateOfRemainingBytes: UInt16 = 0

        package init(fid: UInt16, count: UInt16, offset: UInt32) {
            self.fid = fid
            self.count = count
            self.offset = offset
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(5, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            count = try words.uint16LE("CountOfBytesToRead")
            offset = try words.uint32LE("ReadOffsetInBytes")
            estimateOfRemainingBytes = try words.uint16LE("EstimateOfRemainingBytesToBeRead")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint16LE(count)
            writer.uint32LE(offset)
            writer.uint16LE(estimateOfRemainingBytes)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "READ fid \(fid), \(count) bytes at \(offset)" }
    }

    /// SMB_COM_READ response (MS-CIFS 2.2.4.11.2).
    ///
    ///     | Count | Reserved (8) | ByteCount | 0x01 | CountOfBytesRead | Bytes … |
    package struct CoreReadResponse: CommandBody {
        package static let command = Command.read

        package var data: Range<Int>

        package init(data: Range<Int>) { self.data = data }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(5, in: reader)
            var bytes = reader.part(block.bytes)
            data = try bytes.taggedBytes(1, "Bytes")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(UInt16(data.count))
            writer.zeros(8)
            block.beginBytes(&writer)
            writer.taggedBytes(1, source.extracting(data))
            block.end(&writer)
        }

        package var description: String { "READ \(data.count) bytes" }
    }

    /// SMB_COM_WRITE request (MS-CIFS 2.2.4.12.1).
    ///
    ///     | FID | Count | Offset (4) | EstimateOfRemainingBytes |
    ///     | ByteCount | 0x01 | DataLength | Data … |
    package struct CoreWriteRequest: CommandBody {
        package static let command = Command.write

        package var fid: UInt16
        package var offset: UInt32 = 0
        package var estimateOfRemainingBytes: UInt16 = 0
        package var data: Range<Int>

        package init(fid: UInt16, data: Range<Int>) {
            self.fid = fid
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(5, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            fid = try words.uint16LE("FID")
            _ = try words.uint16LE("CountOfBytesToWrite")
            offset = try words.uint32LE("WriteOffsetInBytes")
            estimateOfRemainingBytes = try words.uint16LE("EstimateOfRemainingBytesToBeWritten")
            data = try bytes.taggedBytes(1, "Data")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint16LE(UInt16(data.count))
            writer.uint32LE(offset)
            writer.uint16LE(estimateOfRemainingBytes)
            block.beginBytes(&writer)
            writer.taggedBytes(1, source.extracting(data))
            block.end(&writer)
        }

        package var description: String { "WRITE fid \(fid), \(data.count) bytes" }
    }

    /// SMB_COM_WRITE response (MS-CIFS 2.2.4.12.2): how many bytes were written.
    package struct CoreWriteResponse: CommandBody {
        package static let command = Command.write

        package var count: UInt16

        package init(count: UInt16) { self.count = count }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, in: reader)
            var words = reader.part(block.words)
            count = try words.uint16LE("CountOfBytesWritten")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(count)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "WRITE \(count) bytes written" }
    }
}
