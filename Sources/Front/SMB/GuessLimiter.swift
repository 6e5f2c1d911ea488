import Wire

/// How many failed logons are too many. A failure is forgotten after its time.
///
/// The limits are lower than those after which controllers lock an account, so that whoever
/// guesses here cannot lock it there.
package struct GuessLimits: Sendable {
    /// Failures of one account, from wherever.
    package var perAccount = 4
    /// Failures of one address, for whatever accounts.
    package var perSource = 40
    /// Milliseconds after which one failure is forgotten.
    package var accountDecay: UInt64 = 300_000
    package var sourceDecay: UInt64 = 15_000

    package init() {}
}

/// Counts failed logons by account and by address, and says when the next one is not to be tried.
///
/// Both tables are bounded: where one is full, the entry with the fewest failures that are not
/// forgotten gives way.
///
/// A reference: whoever asks for logons in the front's name counts together.
final class GuessLimiter {
    static let entryLimit = 4_096

    private struct Entry {
        /// When all its failures will be forgotten.
        var clear: UInt64
    }

    private struct Table<Key: Hashable> {
        var entries: [Key: Entry] = [:]
        let decay: UInt64
        let limit: Int

        /// Failures that are not forgotten.
        func failures(_ key: Key, _ now: UInt64) -> Int {
            guard let entry = entries[key], entry.clear > now else { return 0 }
            return Int((entry.clear - now + decay - 1) / decay)
        }

        mutating func fail(_ key: Key, _ now: UInt64) {
            if entries[key] == nil && entries.count >= GuessLimiter.entryLimit { makeRoom(now) }
            let from = max(entries[key]?.clear ?? now, now)
            entries[key] = Entry(clear: from + decay)
        }

        private mutating func makeRoom(_ now: UInt64) {
            for (key, entry) in entries where entry.clear <= now { entries[key] = nil }
            guard entries.count >= GuessLimiter.entryLimit else { return }
            var least: (key: Key, clear: UInt64)?
            for (key, entry) in entries where entry.clear < least?.clear ?? .max {
                least = (key, entry.clear)
            }
            if let least { entries[least.key] = nil }
        }
    }

    enum Permission {
        case ask
        /// Until one of the account's, or of the address's, logons that are under way is known.
        case wait
        case refuse
    }

    private var accounts: Table<AccountKey>
    private var sources: Table<IPv4Address>
    /// Logons of an account, and of an address, that are being validated.
    private var underWay: [AccountKey: Int] = [:]
    private var underWayFrom: [IPv4Address: Int] = [:]
    /// Changes with all that could let somebody go on who was told to wait.
    private(set) var changes: UInt64 = 0

    init(_ limits: GuessLimits) {
        accounts = Table(decay: limits.accountDecay, limit: limits.perAccount)
        sources = Table(decay: limits.sourceDecay, limit: limits.perSource)
    }

    /// Whether a logon may be tried now. One that is refused is so without asking anybody.
    func permission(_ account: AccountKey, from source: IPv4Address, now: UInt64) -> Permission {
        let failures = accounts.failures(account, now)
        let failuresFrom = sources.failures(source, now)
        if failures >= accounts.limit || failuresFrom >= sources.limit { return .refuse }
        let running = underWay[account] ?? 0
        let runningFrom = underWayFrom[source] ?? 0
        if running > 0 && failures + running >= accounts.limit
            || runningFrom > 0 && failuresFrom + runningFrom >= sources.limit
        {
            return .wait
        }
        return .ask
    }

    func begin(_ account: AccountKey, from source: IPv4Address) {
        underWay[account, default: 0] += 1
        underWayFrom[source, default: 0] += 1
    }

    func end(_ account: AccountKey, from source: IPv4Address) {
        changes += 1
        let left = (underWay[account] ?? 1) - 1
        underWay[account] = left > 0 ? left : nil
        let leftFrom = (underWayFrom[source] ?? 1) - 1
        underWayFrom[source] = leftFrom > 0 ? leftFrom : nil
    }

    func failed(_ account: AccountKey, from source: IPv4Address, now: UInt64) {
        changes += 1
        accounts.fail(account, now)
        sources.fail(source, now)
    }

    /// A right password makes the account's failures typing errors.
    func succeeded(_ account: AccountKey) {
        changes += 1
        accounts.entries[account] = nil
    }
}
