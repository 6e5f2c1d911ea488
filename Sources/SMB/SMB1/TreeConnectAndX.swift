import Wire

extension SMB1 {
    /// SMB_COM_TREE_CONNECT_ANDX request (MS-CIFS 2.2.4.55.1): takes a share.
    ///
    ///     | AndX header | Flags | PasswordLength |
    ///     | ByteCount | Password … | Path | Service (OEM) |
    package struct TreeConnectRequest: CommandBody {
        package static let command = Command.treeConnectAndX
        /// The services (MS-CIFS 2.2.4.55.1).
        package static let ipc = "IPC"
        package static let anyService = "?????"
        package static let disk = "A:"
        package static let printer = "LPT1:"
        /// Flags: a response of seven words is welcome (MS-SMB 2.2.4.7.1).
        package static let extendedResponse: UInt16 = 0x0008

        package var flags: UInt16
        package var password: [UInt8]
        package var path: String
        package var service: String

        package init(
            flags: UInt16 = 0, password: [UInt8] = [], path: String, service: String
        ) {
            self.flags = flags
            self.password = password
            self.path = path
            self.service = service
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(4, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            flags = try words.uint16LE("Flags")
            let length = Int(try words.uint16LE("PasswordLength"))
            password = reader.copy(try bytes.take(length, "Password"))
            path = try bytes.smbString(block.form, "Path")
            service = try bytes.oemString("Service")
            // Some clients pad to an even length.
            _ = bytes.takeRest()
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(flags)
            writer.uint16LE(UInt16(password.count))
            block.beginBytes(&writer)
            writer.append(password)
            writer.smbString(path, form)
            writer.oemString(service)
            block.end(&writer)
        }

        package var description: String {
            "TREE_CONNECT_ANDX \"\(path)\" \(service), password of \(password.count) bytes"
        }
    }

    /// SMB_COM_TREE_CONNECT_ANDX response: two words before NT LM 0.12, three with it (MS-CIFS
    /// 2.2.4.55.2), seven where the request asked for them (MS-SMB 2.2.4.7.2).
    ///
    ///     | AndX header | [OptionalSupport] | [MaximalShareAccessRights (4) |
    ///     | GuestMaximalShareAccessRights (4)] |
    ///     | ByteCount | Service (OEM) | NativeFileSystem |
    package struct TreeConnectResponse: CommandBody {
        package static let command = Command.treeConnectAndX

        package var optionalSupport: UInt16?
        /// Follow `optionalSupport`, so there are none without it.
        package var maximalRights: MaximalRights?
        package var service: String
        package var nativeFileSystem: String?

        package init(optionalSupport: UInt16? = 0, service: String, nativeFileSystem: String?) {
            self.optionalSupport = optionalSupport
            self.service = service
            self.nativeFileSystem = nativeFileSystem
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(2, 3, 7, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            if block.wordCount >= 3 { optionalSupport = try words.uint16LE("OptionalSupport") }
            if block.wordCount == 7 {
                let user = try words.uint32LE("MaximalShareAccessRights")
                let guest = try words.uint32LE("GuestMaximalShareAccessRights")
                maximalRights = MaximalRights(user: user, guest: guest)
            }
            service = try bytes.oemString("Service")
            nativeFileSystem = try bytes.trailingString(block.form, "NativeFileSystem")
            // Some servers pad to an even length.
            _ = bytes.takeRest()
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            if let optionalSupport {
                writer.uint16LE(optionalSupport)
                if let maximalRights {
                    writer.uint32LE(maximalRights.user)
                    writer.uint32LE(maximalRights.guest)
                }
            }
            block.beginBytes(&writer)
            writer.oemString(service)
            writer.trailingStrings([nativeFileSystem], form)
            block.end(&writer)
        }

        package var description: String {
            "TREE_CONNECT_ANDX \(service) file system \"\(nativeFileSystem ?? "")\""
        }
    }

    /// What a user and a guest may do at most (MS-SMB 2.2.1.4), in the extended responses.
    package struct MaximalRights: Equatable, Sendable {
        package var user: UInt32
        package var guest: UInt32

        package init(user: UInt32, guest: UInt32) {
            self.user = user
            self.guest = guest
        }
    }

    /// SMB_COM_TREE_DISCONNECT request (MS-CIFS 2.2.4.51): nothing but the header's TID. Its
    /// response is empty too.
    package struct TreeDisconnect: CommandBody {
        package static let command = Command.treeDisconnect

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

        package var description: String { "TREE_DISCONNECT" }
    }
}
