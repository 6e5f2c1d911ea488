import Wire

extension RAP {
    /// A share: NetShareInfo0 to 2 (MS-RAP 2.5.6.3).
    ///
    ///     | NetworkName (13) |                                                level 0
    ///     | Pad (1) | Type (2) | → Remark |                                   level 1
    ///     | Permissions (2) | MaxUses (2) | CurrentUses (2) | → PathName
    ///     | Password (9) | Pad (1) |                                          level 2
    package struct ShareInfo: Equatable, Sendable, CustomStringConvertible {
        /// STYPE_DISKTREE and STYPE_IPC.
        package static let disk: UInt16 = 0
        package static let interprocess: UInt16 = 3
        /// As many users as there are.
        package static let unlimited: UInt16 = 0xffff
        /// LAN Manager's clients do not see longer names.
        package static let longestName = 12

        package var networkName: String
        package var type: UInt16
        package var remark: String
        package var permissions: UInt16
        package var maxUses: UInt16
        package var currentUses: UInt16
        package var pathName: String

        package init(
            networkName: String, type: UInt16 = disk, remark: String = "",
            permissions: UInt16 = 0, maxUses: UInt16 = unlimited, currentUses: UInt16 = 0,
            pathName: String = ""
        ) {
            self.networkName = networkName
            self.type = type
            self.remark = remark
            self.permissions = permissions
            self.maxUses = maxUses
            self.currentUses = currentUses
            self.pathName = pathName
        }

        static func descriptor(_ level: UInt16) -> String? {
            switch level {
            case 0: "B13"
            case 1: "B13BWz"
            case 2: "B13BWzWWWzB9B"
            case _: nil
            }
        }

        @_lifetime(reader: copy reader)
        package init(
            parsing reader: inout RecordReader, level: UInt16
        ) throws(WireError) {
            self.init(networkName: try reader.text(13, "NetworkName"))
            if level == 0 { return }
            _ = try reader.fixed.uint8("Pad")
            type = try reader.fixed.uint16LE("Type")
            remark = try reader.pointer("Remark") ?? ""
            if level == 1 { return }
            permissions = try reader.fixed.uint16LE("Permissions")
            maxUses = try reader.fixed.uint16LE("MaxUses")
            currentUses = try reader.fixed.uint16LE("CurrentUses")
            pathName = try reader.pointer("PathName") ?? ""
            _ = try reader.text(9, "Password")
            _ = try reader.fixed.uint8("Pad")
        }

        package func write(into writer: inout RecordWriter, level: UInt16) {
            writer.text(networkName, 13)
            if level > 0 {
                writer.uint8(0)
                writer.uint16(type)
                writer.pointer(remark)
            }
            if level > 1 {
                writer.uint16(permissions)
                writer.uint16(maxUses)
                writer.uint16(currentUses)
                writer.pointer(pathName)
                // No share has a password of its own here.
                writer.zeros(10)
            }
            writer.endRecord()
        }

        package var description: String { "share \(networkName), type \(type), \(remark)" }
    }
}
