import Wire

extension SMB1 {
    /// File attributes (MS-CIFS 2.2.1.2.4), the low bits of the extended ones too.
    package struct FileAttributes: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let readOnly = FileAttributes(rawValue: 0x0001)
        package static let hidden = FileAttributes(rawValue: 0x0002)
        package static let system = FileAttributes(rawValue: 0x0004)
        package static let volume = FileAttributes(rawValue: 0x0008)
        package static let directory = FileAttributes(rawValue: 0x0010)
        package static let archive = FileAttributes(rawValue: 0x0020)
    }

    /// SMB_COM_QUERY_INFORMATION request (MS-CIFS 2.2.4.9.1): attributes by name.
    ///
    ///     | WordCount 0 | ByteCount | 0x04 | FileName |
    package struct QueryInformationRequest: CommandBody {
        package static let command = Command.queryInformation

        package var fileName: String

        package init(fileName: String) { self.fileName = fileName }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(0, in: reader)
            var bytes = reader.part(block.bytes)
            fileName = try bytes.taggedString(block.form, "FileName")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            writer.taggedString(fileName, form)
            block.end(&writer)
        }

        package var description: String { "QUERY_INFORMATION \"\(fileName)\"" }
    }

    /// SMB_COM_QUERY_INFORMATION response (MS-CIFS 2.2.4.9.2).
    ///
    ///     | FileAttributes | LastWriteTime (4) | FileSize (4) | Reserved (10) | ByteCount 0 |
    package struct QueryInformationResponse: CommandBody {
        package static let command = Command.queryInformation

        package var fileAttributes: FileAttributes
        /// Seconds since 1970.
        package var lastWriteTime: UInt32
        package var fileSize: UInt32

        package init(fileAttributes: FileAttributes, lastWriteTime: UInt32, fileSize: UInt32) {
            self.fileAttributes = fileAttributes
            self.lastWriteTime = lastWriteTime
            self.fileSize = fileSize
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(10, in: reader)
            var words = reader.part(block.words)
            fileAttributes = FileAttributes(rawValue: try words.uint16LE("FileAttributes"))
            lastWriteTime = try words.uint32LE("LastWriteTime")
            fileSize = try words.uint32LE("FileSize")
            _ = try words.take(10, "Reserved")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fileAttributes.rawValue)
            writer.uint32LE(lastWriteTime)
            writer.uint32LE(fileSize)
            writer.zeros(10)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "QUERY_INFORMATION \(fileSize) bytes" }
    }

    /// SMB_COM_CHECK_DIRECTORY request (MS-CIFS 2.2.4.17.1). Its response is empty.
    ///
    ///     | WordCount 0 | ByteCount | 0x04 | DirectoryName |
    package struct CheckDirectory: CommandBody {
        package static let command = Command.checkDirectory

        package var directoryName: String

        package init(directoryName: String) { self.directoryName = directoryName }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(0, in: reader)
            var bytes = reader.part(block.bytes)
            directoryName = try bytes.taggedString(block.form, "DirectoryName")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            writer.taggedString(directoryName, form)
            block.end(&writer)
        }

        package var description: String { "CHECK_DIRECTORY \"\(directoryName)\"" }
    }

    /// A time as FAT packs it (MS-CIFS 2.2.1.4): date, then time, in two-second steps.
    package struct DOSTime: Equatable, Sendable {
        package var date: UInt16
        package var time: UInt16

        package init(date: UInt16, time: UInt16) {
            self.date = date
            self.time = time
        }

        /// `unix` is seconds since 1970. What FAT cannot say becomes the nearest that it can.
        package init(unix: UInt64) {
            let first: UInt64 = 315_532_800
            let last: UInt64 = 4_354_819_198
            let seconds = min(max(unix, first), last)
            let day = Int(seconds / 86_400)
            // Days since 1 March 0000 make the leap day the last of its year.
            let shifted = day + 719_468
            let era = shifted / 146_097
            let dayOfEra = shifted % 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524
                - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let month = (5 * dayOfYear + 2) / 153
            let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
            let calendarMonth = month < 10 ? month + 3 : month - 9
            let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
            date = UInt16((year - 1980) << 9 | calendarMonth << 5 | dayOfMonth)
            let rest = Int(seconds % 86_400)
            let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60)
            time = UInt16(hour << 11 | minute << 5 | second / 2)
        }

        init(parsing words: inout WireReader, _ field: StaticString) throws(WireError) {
            date = try words.uint16LE(field)
            time = try words.uint16LE(field)
        }

        func write(into writer: inout WireWriter) {
            writer.uint16LE(date)
            writer.uint16LE(time)
        }
    }

    /// SMB_COM_QUERY_INFORMATION2 request (MS-CIFS 2.2.4.31.1): attributes of an open file.
    package struct QueryInformation2Request: CommandBody {
        package static let command = Command.queryInformation2

        package var fid: UInt16

        package init(fid: UInt16) { self.fid = fid }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "QUERY_INFORMATION2 fid \(fid)" }
    }

    /// SMB_COM_QUERY_INFORMATION2 response (MS-CIFS 2.2.4.31.2).
    ///
    ///     | CreateDate | CreateTime | LastAccessDate | LastAccessTime | LastWriteDate |
    ///     | LastWriteTime | FileDataSize (4) | FileAllocationSize (4) | FileAttributes |
    ///     | ByteCount 0 |
    package struct QueryInformation2Response: CommandBody {
        package static let command = Command.queryInformation2

        package var created: DOSTime
        package var lastAccess: DOSTime
        package var lastWrite: DOSTime
        package var fileDataSize: UInt32
        package var fileAllocationSize: UInt32
        package var fileAttributes: FileAttributes

        /// Of a file with one time for all.
        package init(time: DOSTime, size: UInt32, attributes: FileAttributes) {
            created = time
            lastAccess = time
            lastWrite = time
            fileDataSize = size
            fileAllocationSize = size
            fileAttributes = attributes
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(11, in: reader)
            var words = reader.part(block.words)
            created = try DOSTime(parsing: &words, "CreateDate")
            lastAccess = try DOSTime(parsing: &words, "LastAccessDate")
            lastWrite = try DOSTime(parsing: &words, "LastWriteDate")
            fileDataSize = try words.uint32LE("FileDataSize")
            fileAllocationSize = try words.uint32LE("FileAllocationSize")
            fileAttributes = FileAttributes(rawValue: try words.uint16LE("FileAttributes"))
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            created.write(into: &writer)
            lastAccess.write(into: &writer)
            lastWrite.write(into: &writer)
            writer.uint32LE(fileDataSize)
            writer.uint32LE(fileAllocationSize)
            writer.uint16LE(fileAttributes.rawValue)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "QUERY_INFORMATION2 \(fileDataSize) bytes" }
    }
}
