import Wire

extension SMB1 {
    /// SMB_COM_TREE_CONNECT request (MS-CIFS 2.2.4.50.1): a share as the core dialect takes it,
    /// with the share's own password.
    ///
    ///     | WordCount 0 | ByteCount | 0x04 | Path | 0x04 | Password | 0x04 | Service |
    package struct CoreTreeRequest: CommandBody {
        package static let command = Command.treeConnect

        package var path: String
        /// In plain; as bytes, because nothing says that it is text.
        package var password: [UInt8]
        package var service: String

        package init(path: String, password: [UInt8], service: String) {
            self.path = path
            self.password = password
            self.service = service
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(0, in: reader)
            var bytes = reader.part(block.bytes)
            path = try bytes.taggedString(block.form, "Path")
            try bytes.expectTag(4, "Password")
            password = reader.copy(try bytes.take(through: 0, "Password"))
            try bytes.expectTag(4, "Service")
            service = try bytes.oemString("Service")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            writer.taggedString(path, form)
            writer.uint8(4)
            writer.append(password)
            writer.uint8(0)
            writer.uint8(4)
            writer.oemString(service)
            block.end(&writer)
        }

        package var description: String {
            "TREE_CONNECT \"\(path)\" \(service), password of \(password.count) bytes"
        }
    }

    /// SMB_COM_TREE_CONNECT response (MS-CIFS 2.2.4.50.2).
    ///
    ///     | MaxBufferSize | TID | ByteCount 0 |
    package struct CoreTreeResponse: CommandBody {
        package static let command = Command.treeConnect

        package var maxBufferSize: UInt16
        package var tid: UInt16

        package init(maxBufferSize: UInt16, tid: UInt16) {
            self.maxBufferSize = maxBufferSize
            self.tid = tid
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(2, in: reader)
            var words = reader.part(block.words)
            maxBufferSize = try words.uint16LE("MaxBufferSize")
            tid = try words.uint16LE("TID")
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(maxBufferSize)
            writer.uint16LE(tid)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "TREE_CONNECT tid \(tid) buffer \(maxBufferSize)" }
    }

    /// SMB_COM_PROCESS_EXIT (MS-CIFS 2.2.4.18), in both directions: the process in the header has
    /// ended, and what it had open is closed.
    package struct ProcessExit: CommandBody {
        package static let command = Command.processExit

        package init() {}

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(0, in: reader)
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "PROCESS_EXIT" }
    }
}

/// Values behind a byte that names their format (MS-CIFS 2.2.1.2): 1 and 5 for a count and that
/// many bytes, 4 for a string.
extension WireReader {
    @_lifetime(self: copy self)
    mutating func expectTag(_ tag: UInt8, _ field: StaticString) throws(WireError) {
        let found = try uint8("BufferFormat")
        if found != tag { throw invalid("BufferFormat", Int(found), width: 1) }
    }

    @_lifetime(self: copy self)
    mutating func taggedString(
        _ form: SMB1.Form, _ field: StaticString
    ) throws(WireError) -> String {
        try expectTag(4, field)
        return try smbString(form, field)
    }

    @_lifetime(self: copy self)
    mutating func taggedBytes(
        _ tag: UInt8, _ field: StaticString
    ) throws(WireError) -> Range<Int> {
        try expectTag(tag, field)
        let count = Int(try uint16LE(field))
        return try take(count, field)
    }
}

extension WireWriter {
    mutating func taggedString(_ text: String, _ form: SMB1.Form) {
        uint8(4)
        smbString(text, form)
    }

    mutating func taggedBytes(_ tag: UInt8, _ bytes: Span<UInt8>) {
        uint8(tag)
        uint16LE(UInt16(bytes.count))
        append(bytes)
    }
}
