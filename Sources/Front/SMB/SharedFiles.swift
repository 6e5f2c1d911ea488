import Wire

/// The files of the one share that there is, NETLOGON, which is read only.
///
/// It keeps nothing open: each read names its file. Paths are components below the share's
/// directory, exactly as `entries` has told them; the server has looked each of them up, so that
/// no other name ever gets here. It follows no symbolic link.
package protocol SharedFiles: AnyObject {
    /// What a directory holds, no more than `SharedEntry.listLimit`; nil where it is none.
    func entries(of directory: [String]) -> [SharedEntry]?

    /// Up to `count` bytes of a file from `offset` on, fewer only at its end; nil where it cannot
    /// be read.
    func read(_ file: [String], from offset: UInt64, count: Int) -> [UInt8]?
}

/// A file or a directory of the share.
package struct SharedEntry: Equatable, Sendable {
    /// The most entries of a directory that are shown.
    package static let listLimit = 4_096

    package var name: String
    package var isDirectory: Bool
    package var size: UInt64
    /// Seconds since 1970.
    package var modified: UInt64

    package init(name: String, isDirectory: Bool, size: UInt64, modified: UInt64) {
        self.name = name
        self.isDirectory = isDirectory
        self.size = size
        self.modified = modified
    }
}
