/// Server Message Block, version 1: what MS-CIFS and MS-SMB describe, and what legacy clients
/// and NT4-style controllers speak over a NetBIOS session or TCP port 445.
package enum SMB1 {}

extension SMB1 {
    /// A command code (MS-CIFS 2.2.2.1).
    package struct Command: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: UInt8

        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let close = Command(rawValue: 0x04)
        package static let lockingAndX = Command(rawValue: 0x24)
        package static let transaction = Command(rawValue: 0x25)
        package static let transactionSecondary = Command(rawValue: 0x26)
        package static let echo = Command(rawValue: 0x2b)
        package static let openAndX = Command(rawValue: 0x2d)
        package static let readAndX = Command(rawValue: 0x2e)
        package static let writeAndX = Command(rawValue: 0x2f)
        package static let treeDisconnect = Command(rawValue: 0x71)
        package static let negotiate = Command(rawValue: 0x72)
        package static let sessionSetupAndX = Command(rawValue: 0x73)
        package static let logoffAndX = Command(rawValue: 0x74)
        package static let treeConnectAndX = Command(rawValue: 0x75)
        package static let ntCreateAndX = Command(rawValue: 0xa2)
        /// Stands in an AndX header that no command follows.
        package static let noAndX = Command(rawValue: 0xff)

        /// Whether its words begin with an AndX header, by which another command may follow.
        package var hasAndX: Bool {
            switch self {
            case .lockingAndX, .openAndX, .readAndX, .writeAndX, .sessionSetupAndX, .logoffAndX,
                .treeConnectAndX, .ntCreateAndX:
                true
            case _: false
            }
        }

        package var description: String {
            switch self {
            case .close: "CLOSE"
            case .lockingAndX: "LOCKING_ANDX"
            case .transaction: "TRANSACTION"
            case .transactionSecondary: "TRANSACTION_SECONDARY"
            case .echo: "ECHO"
            case .openAndX: "OPEN_ANDX"
            case .readAndX: "READ_ANDX"
            case .writeAndX: "WRITE_ANDX"
            case .treeDisconnect: "TREE_DISCONNECT"
            case .negotiate: "NEGOTIATE"
            case .sessionSetupAndX: "SESSION_SETUP_ANDX"
            case .logoffAndX: "LOGOFF_ANDX"
            case .treeConnectAndX: "TREE_CONNECT_ANDX"
            case .ntCreateAndX: "NT_CREATE_ANDX"
            case _: "command \(rawValue)"
            }
        }
    }
}
