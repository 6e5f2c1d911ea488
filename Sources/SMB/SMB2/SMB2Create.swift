import Wire

extension SMB2 {
    /// SMB2_FILEID (MS-SMB2 2.2.14.1): the persistent half, then the volatile one.
    package typealias FileID = Bytes16

    /// SMB2 CREATE request (MS-SMB2 2.2.13), here of a named pipe: without contexts.
    ///
    ///     | StructureSize 57 | SecurityFlags (1) | OplockLevel (1) | ImpersonationLevel (4) |
    ///     | SmbCreateFlags (8) | Reserved (8) | DesiredAccess (4) | FileAttributes (4) |
    ///     | ShareAccess (4) | CreateDisposition (4) | CreateOptions (4) | NameOffset |
    ///     | NameLength | CreateContextsOffset (4) | CreateContextsLength (4) | Name … |
    package struct CreateRequest: Equatable, Sendable {
        package static let command = Command.create

        /// Impersonation.
        package var impersonationLevel: UInt32 = 2
        /// FILE_READ_DATA, FILE_WRITE_DATA, FILE_APPEND_DATA, the same of attributes and extended
        /// attributes, READ_CONTROL and SYNCHRONIZE.
        package var desiredAccess: UInt32 = 0x0012_019f
        /// Read, write: others may open the pipe too.
        package var shareAccess: UInt32 = 3
        /// FILE_OPEN.
        package var createDisposition: UInt32 = 1
        package var createOptions: UInt32 = 0
        /// Below `\PIPE\`.
        package var name: String

        package init(name: String) { self.name = name }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(57)
            _ = try reader.uint8("SecurityFlags")
            _ = try reader.uint8("RequestedOplockLevel")
            impersonationLevel = try reader.uint32LE("ImpersonationLevel")
            _ = try reader.uint64LE("SmbCreateFlags")
            _ = try reader.uint64LE("Reserved")
            desiredAccess = try reader.uint32LE("DesiredAccess")
            _ = try reader.uint32LE("FileAttributes")
            shareAccess = try reader.uint32LE("ShareAccess")
            createDisposition = try reader.uint32LE("CreateDisposition")
            createOptions = try reader.uint32LE("CreateOptions")
            let start = Int(try reader.uint16LE("NameOffset"))
            let count = Int(try reader.uint16LE("NameLength"))
            _ = try reader.uint32LE("CreateContextsOffset")
            _ = try reader.uint32LE("CreateContextsLength")
            let range = try reader.smb2Buffer("Name", at: start, count: count, from: base)
            name = reader.utf16LE(range)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int) {
            writer.uint16LE(57)
            writer.uint16LE(0)
            writer.uint32LE(impersonationLevel)
            writer.zeros(16)
            writer.uint32LE(desiredAccess)
            writer.uint32LE(0)
            writer.uint32LE(shareAccess)
            writer.uint32LE(createDisposition)
            writer.uint32LE(createOptions)
            writer.uint16LE(UInt16(writer.count + 12 - base))
            let length = writer.reserve16()
            writer.zeros(8)
            let start = writer.count
            writer.utf16LE(name)
            writer.patch16LE(length, writer.count - start)
        }
    }

    /// SMB2 CREATE response (MS-SMB2 2.2.14). What it tells of files, a pipe has not: times, sizes
    /// and attributes are passed over.
    ///
    ///     | StructureSize 89 | OplockLevel (1) | Flags (1) | CreateAction (4) | times (32) |
    ///     | AllocationSize (8) | EndofFile (8) | FileAttributes (4) | Reserved2 (4) |
    ///     | FileId (16) | CreateContextsOffset (4) | CreateContextsLength (4) | contexts … |
    package struct CreateResponse: Equatable, Sendable {
        package static let command = Command.create

        package var fileID: FileID

        package init(fileID: FileID) { self.fileID = fileID }

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(89)
            _ = try reader.take(Self.bytesOfFiles, "EndofFile")
            fileID = try reader.fixed("FileId")
            _ = try reader.uint32LE("CreateContextsOffset")
            _ = try reader.uint32LE("CreateContextsLength")
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(89)
            writer.zeros(Self.bytesOfFiles)
            writer.append(fileID)
            writer.zeros(8)
        }

        private static let bytesOfFiles = 62
    }

    /// SMB2 CLOSE request (MS-SMB2 2.2.15).
    ///
    ///     | StructureSize 24 | Flags | Reserved (4) | FileId (16) |
    package struct CloseRequest: Equatable, Sendable {
        package static let command = Command.close

        package var fileID: FileID

        package init(fileID: FileID) { self.fileID = fileID }

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(24)
            _ = try reader.uint16LE("Flags")
            _ = try reader.uint32LE("Reserved")
            fileID = try reader.fixed("FileId")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(24)
            writer.zeros(6)
            writer.append(fileID)
        }
    }

    /// SMB2 CLOSE response (MS-SMB2 2.2.16): flags and what files have, 58 bytes that nobody here
    /// asks for.
    package struct CloseResponse: Equatable, Sendable {
        package static let command = Command.close

        package init() {}

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(60)
            _ = try reader.take(58, "EndofFile")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(60)
            writer.zeros(58)
        }
    }
}
