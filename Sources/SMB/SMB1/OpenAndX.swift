import Wire

extension SMB1 {
    /// SMB_COM_OPEN_ANDX request (MS-CIFS 2.2.4.41.1): opens a file or a pipe, for half of the
    /// bytes of NT_CREATE_ANDX.
    ///
    ///     | AndX header | Flags | AccessMode | SearchAttrs | FileAttrs | CreationTime (4) |
    ///     | OpenMode | AllocationSize (4) | Timeout (4) | Reserved (4) | ByteCount | FileName |
    package struct OpenRequest: CommandBody {
        package static let command = Command.openAndX
        /// AccessMode: read and write, compatible sharing.
        package static let readWrite: UInt16 = 2
        /// OpenMode: open what exists, create nothing.
        package static let openExisting: UInt16 = 1

        package var flags: UInt16 = 0
        package var accessMode: UInt16
        package var searchAttrs: UInt16 = 0
        package var fileAttrs: UInt16 = 0
        package var creationTime: UInt32 = 0
        package var openMode: UInt16
        package var allocationSize: UInt32 = 0
        package var timeout: UInt32 = 0
        package var reserved: UInt32 = 0
        package var fileName: String

        /// Opens the named pipe `name`, here without a prefix.
        package init(pipe name: String) {
            accessMode = Self.readWrite
            openMode = Self.openExisting
            fileName = "\\PIPE\\" + name
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(15, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            flags = try words.uint16LE("Flags")
            accessMode = try words.uint16LE("AccessMode")
            searchAttrs = try words.uint16LE("SearchAttrs")
            fileAttrs = try words.uint16LE("FileAttrs")
            creationTime = try words.uint32LE("CreationTime")
            openMode = try words.uint16LE("OpenMode")
            allocationSize = try words.uint32LE("AllocationSize")
            timeout = try words.uint32LE("Timeout")
            reserved = try words.uint32LE("Reserved")
            fileName = try bytes.smbString(block.form, "FileName")
            try bytes.expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(flags)
            writer.uint16LE(accessMode)
            writer.uint16LE(searchAttrs)
            writer.uint16LE(fileAttrs)
            writer.uint32LE(creationTime)
            writer.uint16LE(openMode)
            writer.uint32LE(allocationSize)
            writer.uint32LE(timeout)
            writer.uint32LE(reserved)
            block.beginBytes(&writer)
            writer.smbString(fileName, form)
            block.end(&writer)
        }

        package var description: String { "OPEN_ANDX \"\(fileName)\"" }
    }

    /// SMB_COM_OPEN_ANDX response: fifteen words (MS-CIFS 2.2.4.41.2), nineteen where the request
    /// asked for them (MS-SMB 2.2.4.1.2).
    ///
    ///     | AndX header | FID | FileAttrs | LastWriteTime (4) | FileDataSize (4) |
    ///     | AccessRights | ResourceType | NMPipeStatus | OpenResults | ServerFID (4) | Reserved |
    ///     [ MaximalAccessRights (4) | GuestMaximalAccessRights (4) ] | ByteCount 0 |
    package struct OpenResponse: CommandBody {
        package static let command = Command.openAndX

        package var fid: UInt16
        package var fileAttrs: UInt16 = 0
        package var lastWriteTime: UInt32 = 0
        package var fileDataSize: UInt32 = 0
        package var accessRights: UInt16 = OpenRequest.readWrite
        package var resourceType: UInt16
        package var nmPipeStatus: UInt16
        package var openResults: UInt16 = 1
        package var serverFID: UInt32 = 0
        package var reserved: UInt16 = 0
        package var maximalRights: MaximalRights?

        package init(fid: UInt16, resourceType: UInt16, nmPipeStatus: UInt16) {
            self.fid = fid
            self.resourceType = resourceType
            self.nmPipeStatus = nmPipeStatus
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(15, 19, in: reader)
            var words = reader.part(block.words)
            fid = try words.uint16LE("FID")
            fileAttrs = try words.uint16LE("FileAttrs")
            lastWriteTime = try words.uint32LE("LastWriteTime")
            fileDataSize = try words.uint32LE("FileDataSize")
            accessRights = try words.uint16LE("AccessRights")
            resourceType = try words.uint16LE("ResourceType")
            nmPipeStatus = try words.uint16LE("NMPipeStatus")
            openResults = try words.uint16LE("OpenResults")
            serverFID = try words.uint32LE("ServerFID")
            reserved = try words.uint16LE("Reserved")
            if block.wordCount == 19 {
                let user = try words.uint32LE("MaximalAccessRights")
                let guest = try words.uint32LE("GuestMaximalAccessRights")
                maximalRights = MaximalRights(user: user, guest: guest)
            }
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(fid)
            writer.uint16LE(fileAttrs)
            writer.uint32LE(lastWriteTime)
            writer.uint32LE(fileDataSize)
            writer.uint16LE(accessRights)
            writer.uint16LE(resourceType)
            writer.uint16LE(nmPipeStatus)
            writer.uint16LE(openResults)
            writer.uint32LE(serverFID)
            writer.uint16LE(reserved)
            if let maximalRights {
                writer.uint32LE(maximalRights.user)
                writer.uint32LE(maximalRights.guest)
            }
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "OPEN_ANDX fid \(fid) resource type \(resourceType)" }
    }
}
