/// Server Message Block, versions 2 and 3 (MS-SMB2): what a client of named pipes needs of it.
package enum SMB2 {}

extension SMB2 {
    /// A command code (MS-SMB2 2.2.1.2).
    package struct Command: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let negotiate = Command(rawValue: 0)
        package static let sessionSetup = Command(rawValue: 1)
        package static let logoff = Command(rawValue: 2)
        package static let treeConnect = Command(rawValue: 3)
        package static let treeDisconnect = Command(rawValue: 4)
        package static let create = Command(rawValue: 5)
        package static let close = Command(rawValue: 6)
        package static let read = Command(rawValue: 8)
        package static let write = Command(rawValue: 9)
        package static let ioctl = Command(rawValue: 11)

        private static let names = [
            "NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE",
            "CLOSE", "FLUSH", "READ", "WRITE", "LOCK", "IOCTL", "CANCEL", "ECHO",
            "QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO", "OPLOCK_BREAK",
        ]

        package var description: String {
            let index = Int(rawValue)
            return index < Self.names.count ? Self.names[index] : "command \(rawValue)"
        }
    }

    /// A version of the protocol (MS-SMB2 2.2.3).
    package struct Dialect: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let smb202 = Dialect(rawValue: 0x0202)
        package static let smb21 = Dialect(rawValue: 0x0210)
        package static let smb30 = Dialect(rawValue: 0x0300)
        package static let smb302 = Dialect(rawValue: 0x0302)
        package static let smb311 = Dialect(rawValue: 0x0311)

        package var description: String {
            let parts = (rawValue >> 8, rawValue >> 4 & 15, rawValue & 15)
            return "SMB \(parts.0).\(parts.1).\(parts.2)"
        }
    }
}
