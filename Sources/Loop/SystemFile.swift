import CLibuv
import CPosix

/// Small files, read whole: the configuration, the user database.
package enum SystemFile {
    package static let defaultLimit = 1_048_576

    /// All bytes of the file; one longer than `limit` is refused.
    package static func read(
        _ path: String, limit: Int = defaultLimit
    ) throws(SystemError) -> [UInt8] {
        let file = unsafe postern_open(path, O_RDONLY | O_CLOEXEC, 0)
        if file < 0 { throw .last("open", path) }
        defer { _ = close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe part.withUnsafeMutableBytes {
                unsafe CPosix.read(file, $0.baseAddress, $0.count)
            }
            if count == 0 { return bytes }
            if count < 0 {
                if postern_errno() == EINTR { continue }
                throw .last("read", path)
            }
            if bytes.count + count > limit { throw SystemError("read", EFBIG, path) }
            bytes += part[..<count]
        }
    }

    /// Makes the file anew with `bytes`, for its owner alone to read.
    package static func write(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let file = unsafe postern_open(path, flags, 0o600)
        if file < 0 { throw .last("open", path) }
        defer { _ = close(file) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CPosix.write(
                    file, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if postern_errno() != EINTR {
                throw .last("write", path)
            }
        }
    }

    /// Makes a directory that nobody else has, below $TMPDIR or /tmp, and gives its path.
    package static func makeTemporaryDirectory(prefix: String) throws(SystemError) -> String {
        var parent = Environment.value("TMPDIR") ?? ""
        if parent.isEmpty { parent = "/tmp" }
        let path = "\(parent)/\(prefix)XXXXXX"
        guard let name = unsafe strdup(path) else { throw SystemError("mkdtemp", ENOMEM, path) }
        defer { unsafe free(name) }
        if unsafe mkdtemp(name) == nil { throw .last("mkdtemp", path) }
        return unsafe String(cString: name)
    }

    /// Removes a file, or an empty directory, if it is there.
    package static func remove(_ path: String) {
        if unsafe unlink(path) != 0 { _ = unsafe rmdir(path) }
    }

    /// Makes a directory where there is none; one that is there stays as it is.
    package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
        if unsafe mkdir(path, mode_t(mode)) == 0 || postern_errno() == EEXIST { return }
        throw .last("mkdir", path)
    }

    /// Makes a directory of ours with just these permissions, or gives them to the one that is
    /// there. One of somebody else's is refused.
    package static func makeOwnDirectory(
        _ path: String, mode: UInt32, group: UInt32
    ) throws(SystemError) {
        try makeDirectory(path, mode: 0o700)
        guard let found = DirectoryEntry(path) else { throw .last("lstat", path) }
        if !found.isDirectory { throw SystemError("mkdir", ENOTDIR, path) }
        if found.user != Privileges.user { throw SystemError("mkdir", EPERM, path) }
        if found.group != group, unsafe chown(path, uid_t.max, group) != 0 {
            throw .last("chown", path)
        }
        if found.mode != mode, unsafe chmod(path, mode_t(mode)) != 0 { throw .last("chmod", path) }
    }
}

/// Whose something in a directory is, and what others may do with it.
package struct DirectoryEntry {
    package let isDirectory: Bool
    package let user: UInt32
    package let group: UInt32
    /// The permission bits.
    package let mode: UInt32

    /// Nil where nothing is there. A link is looked at itself.
    package init?(_ path: String) {
        var found = stat()
        if unsafe lstat(path, &found) != 0 { return nil }
        isDirectory = found.st_mode & UInt32(S_IFMT) == UInt32(S_IFDIR)
        user = found.st_uid
        group = found.st_gid
        mode = found.st_mode & 0o7777
    }
}

/// By which a file is known to be the one that was read. Many programs write resolv.conf anew, and
/// put the new one in its place.
struct FileVersion: Equatable {
    private let inode: UInt64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// Nil where there is none.
    init?(_ path: String) {
        var found = postern_version()
        guard unsafe postern_file_version(path, &found) == 0 else { return nil }
        inode = found.inode
        seconds = found.seconds
        nanoseconds = found.nanoseconds
    }
}
