import CLibuv
import CPosix

/// An entry of /etc/passwd.
package struct UserAccount: Equatable, Sendable {
    package let name: String
    package let user: UInt32
    package let group: UInt32

    package init(name: String, user: UInt32, group: UInt32) {
        self.name = name
        self.user = user
        self.group = group
    }
}

/// The users and groups of this host, as its files have them. Names that only a directory service
/// knows are not found: asking one would mean loading its module into a static program, and
/// perhaps waiting for ourselves.
package enum UserDatabase {
    /// The account of that name, or with that number.
    package static func user(
        _ name: String, file: String = "/etc/passwd"
    ) throws(SystemError) -> UserAccount? {
        for fields in try entries(file) where fields.count >= 4 {
            guard fields[0] == name || fields[2] == name, let user = UInt32(fields[2]),
                let group = UInt32(fields[3])
            else { continue }
            return UserAccount(name: fields[0], user: user, group: group)
        }
        return nil
    }

    /// The number of the group of that name, or with that number.
    package static func group(
        _ name: String, file: String = "/etc/group"
    ) throws(SystemError) -> UInt32? {
        for fields in try entries(file) where fields.count >= 3 {
            if fields[0] == name || fields[2] == name { return UInt32(fields[2]) }
        }
        return nil
    }

    private static func entries(_ file: String) throws(SystemError) -> [[String]] {
        var lines: [[String]] = []
        for line in try SystemFile.read(file).split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            lines.append(fields.map { String(decoding: $0, as: UTF8.self) })
        }
        return lines
    }
}

/// What the daemon gives up once it has bound its ports.
package enum Privileges {
    package static var isRoot: Bool { geteuid() == 0 }
    package static var user: UInt32 { geteuid() }
    package static var group: UInt32 { getegid() }

    /// Ourselves, by number.
    package static var account: UserAccount {
        UserAccount(name: "\(user)", user: user, group: group)
    }

    /// Whether `other` is who may do here whatever we may.
    package static func isOwner(_ other: UInt32) -> Bool { other == 0 || other == user }

    /// Becomes `account` for good, with no other groups, and keeps one capability of root's: to
    /// bind ports below 1024.
    package static func become(_ account: UserAccount) throws(SystemError) {
        try check("prctl", postern_prctl(PR_SET_KEEPCAPS, 1))
        try check("setgroups", setgroups(0, nil))
        try check("setgid", setgid(account.group))
        try check("setuid", setuid(account.user))
        try check("capset", postern_keep_capabilities(1 << CAP_NET_BIND_SERVICE))
        try check("prctl", postern_prctl(PR_SET_KEEPCAPS, 0))
        // Nothing of root may be left to go back to.
        if account.user != 0, setuid(0) == 0 { throw SystemError("setuid", EPERM, account.name) }
    }

    /// Code that ran only to get this far, a third of what is resident by then, is no longer.
    package static func forgetStart() {
        // Nothing depends on it: where the kernel does not care to, the pages stay.
        _ = postern_forget_code()
    }

    /// No core dumps, no debugger of the same user, and nothing that is executed gains rights.
    /// Once more after `become`, which undoes a part of it.
    package static func protectMemory() throws(SystemError) {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        try check("setrlimit", unsafe setrlimit(number(RLIMIT_CORE), &none))
        try check("prctl", postern_prctl(PR_SET_DUMPABLE, 0))
        try check("prctl", postern_prctl(PR_SET_NO_NEW_PRIVS, 1))
    }

    /// Allows as many open files as the system lets us, for thousands of clients.
    package static func raiseFileLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(number(RLIMIT_NOFILE), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(number(RLIMIT_NOFILE), &limit)
    }

    /// How many files may be open at once.
    package static var fileLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(number(RLIMIT_NOFILE), &limit) == 0 else { return .max }
        return Int(clamping: limit.rlim_cur)
    }

    /// Files that are not for clients from the network: those of 4,096 clients of the control
    /// socket and 1,024 of the winbind socket, and 1,024 of controllers, names and the state.
    private static let ownFiles = 6_144

    /// How many connections clients from the network may have, where `files` may be open: so many
    /// that the agent itself and the clients of its host are not left without.
    package static func networkConnections(of files: Int) -> Int {
        max(files / 2, files - ownFiles)
    }

    private static func number(_ resource: __rlimit_resource) -> Int32 {
        Int32(bitPattern: resource.rawValue)
    }

    private static func check(_ operation: StaticString, _ status: Int32) throws(SystemError) {
        if status != 0 { throw .last(operation) }
    }
}
