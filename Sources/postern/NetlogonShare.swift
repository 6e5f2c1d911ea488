import Front
import Loop

/// The share NETLOGON: a directory of this host.
final class NetlogonShare: SharedFiles {
    private let tree: SystemTree

    init(_ directory: String) { tree = SystemTree(root: directory) }

    func entries(of directory: [String]) -> [SharedEntry]? {
        tree.entries(of: directory, limit: SharedEntry.listLimit)?.map {
            SharedEntry(
                name: $0.name, isDirectory: $0.isDirectory, size: $0.size,
                modified: $0.modified)
        }
    }

    func read(_ file: [String], from offset: UInt64, count: Int) -> [UInt8]? {
        tree.read(file, from: offset, count: count)
    }
}
