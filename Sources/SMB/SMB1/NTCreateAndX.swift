import Wire

extension SMB1 {
    /// SMB_COM_NT_CREATE_ANDX request (MS-CIFS 2.2.4.64.1): opens a file or a pipe.
    ///
    ///     | AndX header | Reserved (1) | NameLength | Flags (4) | RootDirectoryFID (4) |
    ///     | DesiredAccess (4) | AllocationSize (8) | ExtFileAttributes (4) | ShareAccess (4) |
    ///     | CreateDisposition (4) | CreateOptions (4) | ImpersonationLevel (4) |
    ///     | SecurityFlags (1) | ByteCount | FileName |
    package struct NTCreateRequest: CommandBody {
        package static let command = Command.ntCreateAndX
        /// What a pipe needs: read and write data, attributes and extended attributes, read
        /// control.
        package static let pipeAccess: UInt32 = 0x0002_019f
        package static let shareReadWrite: UInt32 = 3
        package static let openExisting: UInt32 = 1
        package static let impersonation: UInt32 = 2

        package var flags: UInt32 = 0
        package var rootDirectoryFID: UInt32 = 0
        package var desiredAccess: UInt32
        package var allocationSize: UInt64 = 0
        package var extFileAttributes: UInt32 = 0
        package var shareAccess: UInt32
        package var createDisposition: UInt32
        package var createOptions: UInt32 = 0
        package var impersonationLevel: UInt32
        package var securityFlags: UInt8 = 0
        package var fileName: String

        /// Opens the named pipe, `\netlogon` or without the backslash.
        package init(pipe: String) {
            desiredAccess = Self.pipeAccess
            shareAccess = Self.shareReadWrite
            createDisposition = Self.openExisting
            impersonationLevel = Self.impersonation
            fileName = pipe
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(24, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            _ = try words.uint8("Reserved")
            let nameLength = Int(try words.uint16LE("NameLength"))
            flags = try words.uint32LE("Flags")
            rootDirectoryFID = try words.uint32LE("RootDirectoryFID")
            desiredAccess = try words.uint32LE("DesiredAccess")
            allocationSize = try words.uint64LE("AllocationSize")
            extFileAttributes = try words.uint32LE("ExtFileAttributes")
            shareAccess = try words.uint32LE("ShareAccess")
            createDisposition = try words.uint32LE("CreateDisposition")
            createOptions = try words.uint32LE("CreateOptions")
            impersonationLevel = try words.uint32LE("ImpersonationLevel")
            securityFlags = try words.uint8("SecurityFlags")
            if block.form.isUnicode { try bytes.align(2, from: block.form.base, "FileName") }
            let name = try bytes.take(nameLength, "FileName")
            fileName = reader.text(name, block.form)
            // NameLength leaves the terminator out, but some clients count it.
            if fileName.utf8.last == 0 { fileName.unicodeScalars.removeLast() }
            // Not every client sends one.
            _ = bytes.takeRest()
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint8(0)
            let nameLength = writer.reserve16()
            writer.uint32LE(flags)
            writer.uint32LE(rootDirectoryFID)
            writer.uint32LE(desiredAccess)
            writer.uint64LE(allocationSize)
            writer.uint32LE(extFileAttributes)
            writer.uint32LE(shareAccess)
            writer.uint32LE(createDisposition)
            writer.uint32LE(createOptions)
            writer.uint32LE(impersonationLevel)
            writer.uint8(securityFlags)
            block.beginBytes(&writer)
            if form.isUnicode { writer.align(2, from: form.base) }
            let start = writer.count
            writer.smbString(fileName, form)
            writer.patch16LE(nameLength, writer.count - start - (form.isUnicode ? 2 : 1))
            block.end(&writer)
        }

        package var description: String {
            "NT_CREATE_ANDX \"\(fileName)\" access 0x\(Hex.string(desiredAccess))"
        }
    }

    /// SMB_COM_NT_CREATE_ANDX response (MS-CIFS 2.2.4.64.2; MS-SMB 2.2.4.9.2 with the extension).
    ///
    ///     | AndX header | OpLockLevel (1) | FID | CreateDisposition (4) | CreateTime (8) |
    ///     | LastAccessTime (8) | LastWriteTime (8) | LastChangeTime (8) | ExtFileAttributes (4) |
    ///     | AllocationSize (8) | EndOfFile (8) | ResourceType | NMPipeStatus | Directory (1) |
    ///     [ VolumeGUID (16) | FileId (8) | MaximalAccessRights (4) | GuestMaximal… (4) ]
    ///     | ByteCount 0 |
    package struct NTCreateResponse: CommandBody {
        package static let command = Command.ntCreateAndX
        package static let messageModePipe: UInt16 = 2

        package struct Extension: Equatable, Sendable {
            package var volumeGUID: Bytes16
            package var fileId: UInt64
            package var maximalRights: MaximalRights

            package init(volumeGUID: Bytes16, fileId: UInt64, maximalRights: MaximalRights) {
                self.volumeGUID = volumeGUID
                self.fileId = fileId
                self.maximalRights = maximalRights
            }
        }

        package var opLockLevel: UInt8 = 0
        package var fid: UInt16
        package var createDisposition: UInt32 = 1
        package var createTime: UInt64 = 0
        package var lastAccessTime: UInt64 = 0
        package var lastWriteTime: UInt64 = 0
        package var lastChangeTime: UInt64 = 0
        package var extFileAttributes: UInt32 = 0x80
        package var allocationSize: UInt64 = 0
        package var endOfFile: UInt64 = 0
        package var resourceType: UInt16
        package var nmPipeStatus: UInt16
        package var directory: UInt8 = 0
        package var `extension`: Extension?

        package init(fid: UInt16, resourceType: UInt16, nmPipeStatus: UInt16) {
            self.fid = fid
            self.resourceType = resourceType
            self.nmPipeStatus = nmPipeStatus
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(34, 42, in: reader)
            var words = reader.part(block.words)
            opLockLevel = try words.uint8("OpLockLevel")
            fid = try words.uint16LE("FID")
            createDisposition = try words.uint32LE("CreateDisposition")
            createTime = try words.uint64LE("CreateTime")
            lastAccessTime = try words.uint64LE("LastAccessTime")
            lastWriteTime = try words.uint64LE("LastWriteTime")
            lastChangeTime = try words.uint64LE("LastChangeTime")
            extFileAttributes = try words.uint32LE("ExtFileAttributes")
            allocationSize = try words.uint64LE("AllocationSize")
            endOfFile = try words.uint64LE("EndOfFile")
            resourceType = try words.uint16LE("ResourceType")
            nmPipeStatus = try words.uint16LE("NMPipeStatus")
            directory = try words.uint8("Directory")
            if block.wordCount == 42 {
                let guid: Bytes16 = try words.fixed("VolumeGUID")
                let file = try words.uint64LE("FileId")
                let user = try words.uint32LE("MaximalAccessRights")
                let guest = try words.uint32LE("GuestMaximalAccessRights")
                `extension` = Extension(
                    volumeGUID: guid, fileId: file,
                    maximalRights: MaximalRights(user: user, guest: guest))
            }
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint8(opLockLevel)
            writer.uint16LE(fid)
            writer.uint32LE(createDisposition)
            writer.uint64LE(createTime)
            writer.uint64LE(lastAccessTime)
            writer.uint64LE(lastWriteTime)
            writer.uint64LE(lastChangeTime)
            writer.uint32LE(extFileAttributes)
            writer.uint64LE(allocationSize)
            writer.uint64LE(endOfFile)
            writer.uint16LE(resourceType)
            writer.uint16LE(nmPipeStatus)
            writer.uint8(directory)
            if let more = `extension` {
                writer.append(more.volumeGUID)
                writer.uint64LE(more.fileId)
                writer.uint32LE(more.maximalRights.user)
                writer.uint32LE(more.maximalRights.guest)
            }
            block.beginBytes(&writer)
            if `extension` != nil { block.overrideWordCount(42, &writer) }
            block.end(&writer)
        }

        package var description: String {
            "NT_CREATE_ANDX fid \(fid) resource type \(resourceType)"
        }
    }
}
