import NetBIOS
import Wire

/// The names of the WINS server, in pages that are kept one by one.
struct WINSTable {
    static let mostNames = 65_536
    static let pageCount = 256
    /// Bytes of a scope's labels: 237 characters, which with the name's 16 and two dots make the
    /// 255 of a domain name. Servers refuse longer ones when they are registered.
    static let longestScope = 238

    private(set) var count = 0
    private var pages: [[ScopedName: WINSRecord]]
    private var dirty: [Bool]
    /// When the changes are due to be kept; nil where there are none.
    private(set) var changesDue: UInt64?
    private var sweepDue: UInt64 = 0

    init() {
        pages = [[ScopedName: WINSRecord]](repeating: [:], count: Self.pageCount)
        dirty = [Bool](repeating: false, count: Self.pageCount)
    }

    /// Which page a name is kept in: FNV-1a over its bytes, the same for ever.
    static func page(of key: ScopedName) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for half in [key.name.high, key.name.low] {
            for shift in 0..<8 {
                hash = (hash ^ (half >> UInt64(shift * 8) & 0xff)) &* 0x100_0000_01b3
            }
        }
        for byte in key.scope { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int((hash ^ hash >> 32) & UInt64(pageCount - 1))
    }

    /// The record of a name that still has an owner.
    func record(_ key: ScopedName, now: UInt64) -> WINSRecord? {
        guard let record = pages[Self.page(of: key)][key], record.isLive(now: now) else {
            return nil
        }
        return record
    }

    /// Puts a record, or with nil removes it. False where the table is full. `isUrgent` is a
    /// change that must not wait to be kept.
    @discardableResult
    mutating func set(
        _ key: ScopedName, _ record: WINSRecord?, isUrgent: Bool, now: UInt64
    ) -> Bool {
        let page = Self.page(of: key)
        let isKnown = pages[page][key] != nil
        if let record {
            if !isKnown {
                // A look at all of them for each new one would leave no time for anything else.
                if count == Self.mostNames { advance(now: now) }
                if count == Self.mostNames { return false }
                count += 1
            }
            pages[page][key] = record
        } else if isKnown {
            pages[page][key] = nil
            count -= 1
        } else {
            return true
        }
        touch(page, isUrgent: isUrgent, now: now)
        return true
    }

    private mutating func touch(_ page: Int, isUrgent: Bool, now: UInt64) {
        dirty[page] = true
        let due = now + (isUrgent ? WINSTimes.keepChanges : WINSTimes.keepRefreshes)
        changesDue = min(changesDue ?? due, due)
    }

    // MARK: Time

    var nextDeadline: UInt64? {
        if count == 0 { return changesDue }
        return min(changesDue ?? sweepDue, sweepDue)
    }

    mutating func advance(now: UInt64) {
        if sweepDue > now { return }
        sweepDue = now + WINSTimes.sweep
        sweep(now: now)
    }

    /// Forgets owners whose time is over, and names without owners.
    private mutating func sweep(now: UInt64) {
        for page in pages.indices {
            var gone: [ScopedName] = []
            for (key, record) in pages[page]
            where record.owners.contains(where: { $0.expires <= now }) {
                gone.append(key)
            }
            if gone.isEmpty { continue }
            for key in gone {
                pages[page][key]?.dropExpired(now: now)
                if pages[page][key]?.owners.isEmpty == true {
                    pages[page][key] = nil
                    count -= 1
                }
            }
            touch(page, isUrgent: false, now: now)
        }
    }

    // MARK: Keeping

    /// The pages that changed, whole, where they are due or `all` is wanted. This agent's own
    /// entries are not kept: it has them again when it starts.
    mutating func takeChanges(now: UInt64, unix: UInt64, all: Bool) -> [WINSPage] {
        guard let due = changesDue, all || due <= now else { return [] }
        changesDue = nil
        var changes: [WINSPage] = []
        for page in pages.indices where dirty[page] {
            dirty[page] = false
            var kept = WINSPage(number: page)
            for (key, record) in pages[page] {
                let owners = record.owners.filter { !$0.isOwn && $0.expires > now }
                if owners.isEmpty { continue }
                kept.append(WINSPage.Entry(
                    key: key, kind: record.kind, nodeType: record.nodeType,
                    owners: owners.map {
                        .init(address: $0.address, expires: unix + ($0.expires - now) / 1_000)
                    }))
            }
            changes.append(kept)
        }
        return changes
    }

    /// Pages that were taken could not be kept: they are due again, when that may have changed.
    mutating func notKept(_ taken: [WINSPage], now: UInt64) {
        for page in taken { touch(page.number, isUrgent: false, now: now) }
    }

    /// Takes in a page that was kept. A clock that was set since cannot make a name outlive what
    /// anybody is granted.
    mutating func load(_ page: WINSPage, now: UInt64, unix: UInt64) {
        for entry in page.entries where count < Self.mostNames {
            let number = Self.page(of: entry.key)
            if pages[number][entry.key] != nil { continue }
            var record = WINSRecord(kind: entry.kind, nodeType: entry.nodeType, owners: [])
            for owner in entry.owners where owner.expires > unix {
                let left = min(owner.expires - unix, UInt64(WINSTimes.longestLife))
                record.add(owner.address, expires: now + left * 1_000)
            }
            if record.owners.isEmpty { continue }
            pages[number][entry.key] = record
            count += 1
        }
    }
}
