import CLMDB
import CPosix

/// Whose the state is: the user that the daemon runs as.
package struct FileOwner: Equatable, Sendable {
    package let user: UInt32
    package let group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    package static var current: FileOwner { FileOwner(user: geteuid(), group: getegid()) }
}

/// Makes sure that a file of secrets is one: ours, nobody else's to read, and not reached through
/// a link that somebody else could have put there.
enum StateFile {
    /// A directory in which nobody but the owner and root can put or replace files.
    static func checkDirectory(_ path: String, owner: FileOwner) throws(StoreError) {
        var found = stat()
        if unsafe stat(path, &found) != 0 { throw failure(path, "stat") }
        guard kind(found) == UInt32(S_IFDIR) else {
            throw .unsafe(path: path, reason: "is not a directory")
        }
        if found.st_uid != owner.user, found.st_uid != 0 {
            throw .unsafe(path: path, reason: wrongOwner(found, owner))
        }
        if found.st_mode & 0o022 != 0 {
            throw .unsafe(path: path, reason: "others may write there; chmod go-w it")
        }
    }

    /// Makes the file with mode 0600 where there is none, and checks it where there is.
    static func prepare(_ path: String, owner: FileOwner) throws(StoreError) {
        let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC
        var file = unsafe postern_open(path, flags | O_CREAT | O_EXCL, 0o600)
        let isNew = file >= 0
        if !isNew {
            if postern_errno() != EEXIST { throw failure(path, "create") }
            file = unsafe postern_open(path, flags, 0)
            if file < 0, postern_errno() == ELOOP {
                throw .unsafe(path: path, reason: "is a symbolic link")
            }
            if file < 0 { throw failure(path, "open") }
        }
        defer { _ = close(file) }
        if isNew, FileOwner.current != owner, fchown(file, owner.user, owner.group) != 0 {
            throw failure(path, "chown")
        }
        var found = stat()
        if unsafe fstat(file, &found) != 0 { throw failure(path, "stat") }
        try check(found, path, owner)
    }

    private static func check(
        _ found: stat, _ path: String, _ owner: FileOwner
    ) throws(StoreError) {
        guard kind(found) == UInt32(S_IFREG), found.st_nlink == 1 else {
            throw .unsafe(path: path, reason: "is not a plain file with one name")
        }
        if found.st_uid != owner.user {
            throw .unsafe(path: path, reason: wrongOwner(found, owner))
        }
        if found.st_mode & 0o077 != 0 {
            throw .unsafe(path: path, reason: "others may read it; chmod 0600 it")
        }
    }

    private static func wrongOwner(_ found: stat, _ owner: FileOwner) -> String {
        let remedy = geteuid() == 0
            ? "chown \(owner.user):\(owner.group) it" : "be root, or user \(found.st_uid)"
        return "belongs to user \(found.st_uid), not to user \(owner.user); \(remedy)"
    }

    private static func kind(_ found: stat) -> UInt32 { found.st_mode & UInt32(S_IFMT) }

    private static func failure(_ path: String, _ operation: StaticString) -> StoreError {
        .file(path: path, operation: operation, code: postern_errno())
    }
}
