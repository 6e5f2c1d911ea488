/// Server Message Block, version 1: what MS-CIFS and MS-SMB describe, and what legacy clients
/// and NT4-style controllers speak over a NetBIOS session or TCP port 445.
package enum SMB1 {}

extension SMB1 {
    /// A command code (MS-CIFS 2.2.2.1).
    package struct Command: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: UInt8

        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let open = Command(rawValue: 0x02)
        package static let close = Command(rawValue: 0x04)
        package static let flush = Command(rawValue: 0x05)
        package static let queryInformation = Command(rawValue: 0x08)
        package static let setInformation = Command(rawValue: 0x09)
        package static let read = Command(rawValue: 0x0a)
        package static let write = Command(rawValue: 0x0b)
        package static let checkDirectory = Command(rawValue: 0x10)
        package static let processExit = Command(rawValue: 0x11)
        package static let readRaw = Command(rawValue: 0x1a)
        package static let writeRaw = Command(rawValue: 0x1d)
        package static let queryInformation2 = Command(rawValue: 0x23)
        package static let lockingAndX = Command(rawValue: 0x24)
        package static let transaction = Command(rawValue: 0x25)
        package static let transactionSecondary = Command(rawValue: 0x26)
        package static let echo = Command(rawValue: 0x2b)
        package static let openAndX = Command(rawValue: 0x2d)
        package static let readAndX = Command(rawValue: 0x2e)
        package static let writeAndX = Command(rawValue: 0x2f)
        package static let transaction2 = Command(rawValue: 0x32)
        package static let transaction2Secondary = Command(rawValue: 0x33)
        package static let findClose2 = Command(rawValue: 0x34)
        package static let treeConnect = Command(rawValue: 0x70)
        package static let treeDisconnect = Command(rawValue: 0x71)
        package static let negotiate = Command(rawValue: 0x72)
        package static let sessionSetupAndX = Command(rawValue: 0x73)
        package static let logoffAndX = Command(rawValue: 0x74)
        package static let treeConnectAndX = Command(rawValue: 0x75)
        package static let queryInformationDisk = Command(rawValue: 0x80)
        package static let search = Command(rawValue: 0x81)
        package static let find = Command(rawValue: 0x82)
        package static let findUnique = Command(rawValue: 0x83)
        package static let findClose = Command(rawValue: 0x84)
        package static let ntTransact = Command(rawValue: 0xa0)
        package static let ntCreateAndX = Command(rawValue: 0xa2)
        package static let ntCancel = Command(rawValue: 0xa4)
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
            case .open: "OPEN"
            case .close: "CLOSE"
            case .flush: "FLUSH"
            case .queryInformation: "QUERY_INFORMATION"
            case .setInformation: "SET_INFORMATION"
            case .read: "READ"
            case .write: "WRITE"
            case .checkDirectory: "CHECK_DIRECTORY"
            case .processExit: "PROCESS_EXIT"
            case .readRaw: "READ_RAW"
            case .writeRaw: "WRITE_RAW"
            case .queryInformation2: "QUERY_INFORMATION2"
            case .lockingAndX: "LOCKING_ANDX"
            case .transaction: "TRANSACTION"
            case .transactionSecondary: "TRANSACTION_SECONDARY"
            case .echo: "ECHO"
            case .openAndX: "OPEN_ANDX"
            case .readAndX: "READ_ANDX"
            case .writeAndX: "WRITE_ANDX"
            case .transaction2: "TRANSACTION2"
            case .transaction2Secondary: "TRANSACTION2_SECONDARY"
            case .findClose2: "FIND_CLOSE2"
            case .treeConnect: "TREE_CONNECT"
            case .treeDisconnect: "TREE_DISCONNECT"
            case .negotiate: "NEGOTIATE"
            case .sessionSetupAndX: "SESSION_SETUP_ANDX"
            case .logoffAndX: "LOGOFF_ANDX"
            case .treeConnectAndX: "TREE_CONNECT_ANDX"
            case .queryInformationDisk: "QUERY_INFORMATION_DISK"
            case .search: "SEARCH"
            case .find: "FIND"
            case .findUnique: "FIND_UNIQUE"
            case .findClose: "FIND_CLOSE"
            case .ntTransact: "NT_TRANSACT"
            case .ntCreateAndX: "NT_CREATE_ANDX"
            case .ntCancel: "NT_CANCEL"
            case _: "command \(rawValue)"
            }
        }
    }
}
