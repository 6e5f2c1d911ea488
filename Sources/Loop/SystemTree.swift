import CLibuv
import CPosix

/// The directories and plain files below a directory, read only. Symbolic links and everything
/// else that is neither are not seen, and no name leads out of the tree.
package struct SystemTree {
    package struct Entry: Equatable, Sendable {
        package var name: String
        package var isDirectory: Bool
        package var size: UInt64
        /// Seconds since 1970.
        package var modified: UInt64
    }

    private let root: String

    package init(root: String) { self.root = root }

    /// What a directory holds, at most `limit` entries; nil where it cannot be read.
    package func entries(of path: [String], limit: Int) -> [Entry]? {
        guard let descriptor = open(path, O_DIRECTORY) else { return nil }
        guard let directory = unsafe fdopendir(descriptor) else {
            _ = close(descriptor)
            return nil
        }
        defer { unsafe _ = closedir(directory) }
        var out: [Entry] = []
        while out.count < limit, let name = unsafe postern_next_name(directory) {
            let text = unsafe String(cString: name)
            // A name that is no UTF-8 has been repaired, and would not be found again.
            if text == "." || text == ".." || text.unicodeScalars.contains("\u{fffd}") { continue }
            var status = stat()
            let flags = AT_SYMLINK_NOFOLLOW
            guard unsafe fstatat(descriptor, name, &status, flags) == 0 else { continue }
            let kind = status.st_mode & UInt32(S_IFMT)
            if kind != UInt32(S_IFDIR) && kind != UInt32(S_IFREG) { continue }
            out.append(Entry(
                name: text, isDirectory: kind == UInt32(S_IFDIR),
                size: UInt64(max(0, status.st_size)),
                modified: UInt64(max(0, unsafe postern_modified(&status)))))
        }
        return out
    }

    /// Up to `count` bytes of a plain file; nil where it cannot be read.
    package func read(_ path: [String], from offset: UInt64, count: Int) -> [UInt8]? {
        guard let start = off_t(exactly: offset) else { return [] }
        // A pipe put in the file's place must not hold us up.
        guard let descriptor = open(path, O_NONBLOCK) else { return nil }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0,
            status.st_mode & UInt32(S_IFMT) == UInt32(S_IFREG)
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        let got = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, start)
        }
        if got < 0 { return nil }
        bytes.removeLast(bytes.count - got)
        return bytes
    }

    /// Why `account` cannot read the directory at the absolute path `root`, or nil where it can: as
    /// owners and permission bits have it.
    package static func problem(root: String, for account: UserAccount) -> String? {
        let names = root.split(separator: "/")
        var path = ""
        for (index, name) in names.enumerated() {
            path += "/\(name)"
            var found = stat()
            if unsafe stat(path, &found) != 0 { return SystemError.last("stat", path).description }
            if found.st_mode & UInt32(S_IFMT) != UInt32(S_IFDIR) {
                return "\(path) is not a directory"
            }
            let isRoot = index == names.count - 1
            if !account.has(isRoot ? 0o5 : 0o1, found) {
                return "user \(account.name) may not \(isRoot ? "read" : "enter") \(path): "
                    + "chmod o+\(isRoot ? "rx" : "x") \(path)"
            }
        }
        return nil
    }

    /// Opens what the components lead to, each a name in the directory before it.
    private func open(_ path: [String], _ flags: Int32) -> Int32? {
        let common = O_RDONLY | O_CLOEXEC
        var descriptor = unsafe postern_open(root, common | O_DIRECTORY, 0)
        for (index, name) in path.enumerated() {
            if descriptor < 0 { return nil }
            let isName = !name.isEmpty && name != "." && name != ".."
                && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
            let wanted = index == path.count - 1 ? flags : O_DIRECTORY
            let next = isName
                ? unsafe postern_openat(descriptor, name, common | O_NOFOLLOW | wanted) : -1
            _ = close(descriptor)
            descriptor = next
        }
        return descriptor < 0 ? nil : descriptor
    }
}

extension UserAccount {
    /// Whether the account, which is in no group but its own, has the rights on a file.
    fileprivate func has(_ rights: UInt32, _ file: stat) -> Bool {
        if user == 0 { return true }
        let shift = file.st_uid == user ? 6 : file.st_gid == group ? 3 : 0
        return UInt32(file.st_mode) >> UInt32(shift) & rights == rights
    }
}
