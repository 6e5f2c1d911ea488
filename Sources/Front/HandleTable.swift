import RPC
import Wire

/// The context handles of an association group: all associations of one client process share
/// them (C706 6.2.2.4), and they live as long as one of these does.
package final class HandleTable {
    package enum Limit {
        /// Handles of one association group.
        package static let group = 1_024
        /// Those of all groups of one address, and of all addresses.
        package static let peer = 8_192
        package static let all = 32_768
    }

    /// Who has opened a handle. Its identifier stands in every call, for anybody on the way to
    /// read: to know it is no right to use it.
    struct Opener: Equatable {
        var kind: FrontIdentity.Kind
        var domainSID: SID?
        var userRID: UInt32
        /// Whose secure channel it was, if one.
        var computer: String?
    }

    private struct Entry {
        var object: AnyObject
        var opener: Opener
        /// How the call was protected that opened it.
        var level: UInt8
    }

    private var entries: [ContextHandle: Entry] = [:]
    private let peer: IPv4Address
    private let count: HandleCount

    package init(peer: IPv4Address = .any, count: HandleCount = HandleCount()) {
        self.peer = peer
        self.count = count
    }

    /// What `opener` has open; nothing where it is another's, or was opened by calls that were
    /// protected better than those of now.
    func object(_ handle: ContextHandle, for opener: Opener, at level: UInt8) -> AnyObject? {
        guard let entry = entries[handle], entry.opener == opener, entry.level <= level else {
            return nil
        }
        return entry.object
    }

    func keep(_ handle: ContextHandle, _ object: AnyObject?, of opener: Opener, at level: UInt8) {
        let before = entries.count
        entries[handle] = object.map { Entry(object: $0, opener: opener, level: level) }
        count.change(entries.count - before, of: peer)
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// Whether there is no room for another one.
    package var isFull: Bool { entries.count >= Limit.group || count.isFull(for: peer) }

    /// The last association of the group has ended.
    func end() {
        count.change(-entries.count, of: peer)
        entries = [:]
    }
}

/// How many handles are open in all: without it, groups without number would have each its own
/// thousand.
package final class HandleCount {
    private var all = 0
    private var peers: [IPv4Address: Int] = [:]

    package init() {}

    func isFull(for peer: IPv4Address) -> Bool {
        all >= HandleTable.Limit.all || peers[peer, default: 0] >= HandleTable.Limit.peer
    }

    func change(_ difference: Int, of peer: IPv4Address) {
        if difference == 0 { return }
        all += difference
        let left = peers[peer, default: 0] + difference
        peers[peer] = left == 0 ? nil : left
    }
}
