import Wire

extension SMB1 {
    /// SMB_COM_SEARCH request (MS-CIFS 2.2.4.58.1): a directory as DOS reads it. SMB_COM_FIND,
    /// FIND_UNIQUE and FIND_CLOSE (2.2.4.59 to 2.2.4.61) have the same form, and their responses
    /// that of SMB_COM_SEARCH.
    ///
    ///     | MaxCount | SearchAttributes | ByteCount | 0x04 | FileName |
    ///     | 0x05 | ResumeKeyLength | ResumeKey (0 or 21) |
    package struct SearchRequest: CommandBody {
        package static let command = Command.search

        package var maxCount: UInt16
        package var searchAttributes: FileAttributes
        package var fileName: String
        /// Nil begins a search, or the last entry's key goes on with it.
        package var resumeKey: SearchResumeKey?

        package init(
            maxCount: UInt16, searchAttributes: FileAttributes, fileName: String,
            resumeKey: SearchResumeKey? = nil
        ) {
            self.maxCount = maxCount
            self.searchAttributes = searchAttributes
            self.fileName = fileName
            self.resumeKey = resumeKey
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(2, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            maxCount = try words.uint16LE("MaxCount")
            searchAttributes = FileAttributes(rawValue: try words.uint16LE("SearchAttributes"))
            fileName = try bytes.taggedString(block.form, "FileName")
            let range = try bytes.taggedBytes(5, "ResumeKey")
            if !range.isEmpty {
                var key = reader.part(range)
                resumeKey = try SearchResumeKey(parsing: &key)
                try key.expectEnd("ResumeKey")
            }
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(maxCount)
            writer.uint16LE(searchAttributes.rawValue)
            block.beginBytes(&writer)
            writer.taggedString(fileName, form)
            writer.uint8(5)
            writer.uint16LE(resumeKey == nil ? 0 : UInt16(SearchResumeKey.size))
            resumeKey?.write(into: &writer)
            block.end(&writer)
        }

        package var description: String { "SEARCH \"\(fileName)\", \(maxCount) entries" }
    }

    /// SMB_Resume_Key (MS-CIFS 2.2.4.58.1): where a search stands; the server's part is opaque to
    /// the client, and the other way round.
    ///
    ///     | Reserved (1) | ServerState (16) | ClientState (4) |
    package struct SearchResumeKey: Equatable, Sendable {
        package static let size = 21

        package var reserved: UInt8 = 0
        package var serverState: Bytes16
        package var clientState: FixedBytes<4>

        package init(serverState: Bytes16, clientState: FixedBytes<4> = FixedBytes<4>()) {
            self.serverState = serverState
            self.clientState = clientState
        }

        init(parsing reader: inout WireReader) throws(WireError) {
            reserved = try reader.uint8("Reserved")
            serverState = try reader.fixed("ServerState")
            clientState = try reader.fixed("ClientState")
        }

        func write(into writer: inout WireWriter) {
            writer.uint8(reserved)
            writer.append(serverState)
            writer.append(clientState)
        }
    }

    /// SMB_Directory_Information (MS-CIFS 2.2.4.58.2).
    ///
    ///     | ResumeKey (21) | FileAttributes (1) | LastWriteTime | LastWriteDate | FileSize (4) |
    ///     | FileName (13, OEM) |
    package struct SearchEntry: Equatable, Sendable {
        package static let size = 43
        /// A name of eight characters, a full stop and three.
        package static let longestName = 12

        package var resumeKey: SearchResumeKey
        package var fileAttributes: FileAttributes
        package var lastWrite: DOSTime
        package var fileSize: UInt32
        package var fileName: String

        package init(
            resumeKey: SearchResumeKey, fileAttributes: FileAttributes, lastWrite: DOSTime,
            fileSize: UInt32, fileName: String
        ) {
            self.resumeKey = resumeKey
            self.fileAttributes = fileAttributes
            self.lastWrite = lastWrite
            self.fileSize = fileSize
            self.fileName = fileName
        }

        init(parsing reader: inout WireReader) throws(WireError) {
            resumeKey = try SearchResumeKey(parsing: &reader)
            fileAttributes = FileAttributes(rawValue: UInt16(try reader.uint8("FileAttributes")))
            let time = try reader.uint16LE("LastWriteTime")
            lastWrite = DOSTime(date: try reader.uint16LE("LastWriteDate"), time: time)
            fileSize = try reader.uint32LE("FileSize")
            let range = try reader.take(Self.longestName + 1, "FileName")
            var name = reader.copy(range)
            if let end = name.firstIndex(of: 0) { name.removeLast(name.count - end) }
            fileName = OEMCodePage.string(name)
        }

        func write(into writer: inout WireWriter) {
            resumeKey.write(into: &writer)
            writer.uint8(UInt8(truncatingIfNeeded: fileAttributes.rawValue))
            writer.uint16LE(lastWrite.time)
            writer.uint16LE(lastWrite.date)
            writer.uint32LE(fileSize)
            let name = OEMCodePage.bytes(fileName).prefix(Self.longestName + 1)
            writer.append(Array(name))
            writer.zeros(Self.longestName + 1 - name.count)
        }
    }

    /// SMB_COM_SEARCH response (MS-CIFS 2.2.4.58.2).
    ///
    ///     | Count | ByteCount | 0x05 | DataLength | DirectoryInformationData … |
    package struct SearchResponse: CommandBody {
        package static let command = Command.search

        package var entries: [SearchEntry]

        package init(entries: [SearchEntry]) { self.entries = entries }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(1, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            let count = Int(try words.uint16LE("Count"))
            let range = try bytes.taggedBytes(5, "DirectoryInformationData")
            try bytes.expectEnd("Bytes")
            if range.count != count * SearchEntry.size {
                throw reader.invalid("DataLength", range.count)
            }
            var data = reader.part(range)
            entries = []
            while !data.isAtEnd { entries.append(try SearchEntry(parsing: &data)) }
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(UInt16(entries.count))
            block.beginBytes(&writer)
            writer.uint8(5)
            writer.uint16LE(UInt16(entries.count * SearchEntry.size))
            for entry in entries { entry.write(into: &writer) }
            block.end(&writer)
        }

        package var description: String { "SEARCH \(entries.count) entries" }
    }
}
