import Wire

extension SMB2 {
    /// SMB2 TREE_CONNECT request (MS-SMB2 2.2.9).
    ///
    ///     | StructureSize 9 | Flags | PathOffset | PathLength | Path, UTF-16LE … |
    package struct TreeConnectRequest: Equatable, Sendable {
        package static let command = Command.treeConnect

        package var path: String

        /// `\\server\share`.
        package init(path: String) { self.path = path }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(9)
            _ = try reader.uint16LE("Flags")
            let start = Int(try reader.uint16LE("PathOffset"))
            let count = Int(try reader.uint16LE("PathLength"))
            let range = try reader.smb2Buffer("Path", at: start, count: count, from: base)
            path = reader.utf16LE(range)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int) {
            writer.uint16LE(9)
            writer.uint16LE(0)
            writer.uint16LE(UInt16(writer.count + 4 - base))
            let length = writer.reserve16()
            let start = writer.count
            writer.utf16LE(path)
            writer.patch16LE(length, writer.count - start)
        }
    }

    /// SMB2 TREE_CONNECT response (MS-SMB2 2.2.10).
    ///
    ///     | StructureSize 16 | ShareType (1) | Reserved (1) | ShareFlags (4) | Capabilities (4) |
    ///     | MaximalAccess (4) |
    package struct TreeConnectResponse: Equatable, Sendable {
        package static let command = Command.treeConnect
        package static let pipes: UInt8 = 2

        package var shareType = pipes
        package var shareFlags: UInt32 = 0
        package var capabilities: UInt32 = 0
        package var maximalAccess: UInt32 = 0

        package init() {}

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(16)
            shareType = try reader.uint8("ShareType")
            _ = try reader.uint8("Reserved")
            shareFlags = try reader.uint32LE("ShareFlags")
            capabilities = try reader.uint32LE("Capabilities")
            maximalAccess = try reader.uint32LE("MaximalAccess")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(16)
            writer.uint8(shareType)
            writer.uint8(0)
            writer.uint32LE(shareFlags)
            writer.uint32LE(capabilities)
            writer.uint32LE(maximalAccess)
        }
    }

    /// SMB2 TREE_DISCONNECT and LOGOFF, requests and responses alike (MS-SMB2 2.2.7, 2.2.8,
    /// 2.2.11, 2.2.12): `| StructureSize 4 | Reserved |`.
    package struct Farewell: Equatable, Sendable {
        package init() {}

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(4)
            _ = try reader.uint16LE("Reserved")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(4)
            writer.uint16LE(0)
        }
    }
}
