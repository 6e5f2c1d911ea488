import CLMDB
import CPosix
import Wire

package enum StoreError: Error, Equatable, CustomStringConvertible {
    /// The system refused something about a file or directory; with `errno`.
    case file(path: String, operation: StaticString, code: Int32)
    /// A file or directory is not as private as it must be.
    case unsafe(path: String, reason: String)
    /// LMDB refused, with its code.
    case database(operation: StaticString, code: Int32)
    /// The record under this key cannot be read.
    case damaged(key: String, WireError)
    /// A name that no key can be made of.
    case badName(String)
    /// The record under this key is longer than any may be.
    case tooLong(key: String, bytes: Int)

    package static func == (left: StoreError, right: StoreError) -> Bool {
        left.description == right.description
    }

    package var description: String {
        switch self {
        case .file(let path, let operation, let code):
            return "\(operation.description) \(path): \(Self.text(code))"
        case .unsafe(let path, let reason):
            return "\(path): \(reason)"
        case .database(let operation, MDB_MAP_FULL):
            return "\(operation.description): the state file is full; "
                + "remove accounts that nobody uses"
        case .database(let operation, let code):
            return "\(operation.description) in the state file: \(Self.text(code))"
        case .damaged(let key, let error):
            return "the state file's record \(key) is damaged: \(error.description)"
        case .badName(let name):
            return "not a name for the state file: \(name)"
        case .tooLong(let key, let bytes):
            return "the state file's record \(key) would have \(bytes) bytes"
        }
    }

    /// LMDB's own codes are negative; for others it asks the system.
    private static func text(_ code: Int32) -> String {
        unsafe String(cString: mdb_strerror(code))
    }
}
