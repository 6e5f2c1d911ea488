import Wire

/// The databases that a domain's controllers replicate (MS-NRPC 3.5.4.6.2, DatabaseID).
package enum DomainDatabase: UInt8, CaseIterable, Sendable {
    case sam, builtin, lsa

    /// For people.
    package var name: String {
        switch self {
        case .sam: "the account database"
        case .builtin: "the built-in database"
        case .lsa: "the policy database"
        }
    }
}

/// What happened to an object (MS-NRPC 2.2.1.5.29, NETLOGON_DELTA_TYPE).
package struct DeltaType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let changeDomain = DeltaType(rawValue: 1)
    package static let changeGroup = DeltaType(rawValue: 2)
    package static let deleteGroup = DeltaType(rawValue: 3)
    package static let renameGroup = DeltaType(rawValue: 4)
    package static let changeUser = DeltaType(rawValue: 5)
    package static let deleteUser = DeltaType(rawValue: 6)
    package static let renameUser = DeltaType(rawValue: 7)
    package static let changeGroupMembers = DeltaType(rawValue: 8)
    package static let changeAlias = DeltaType(rawValue: 9)
    package static let deleteAlias = DeltaType(rawValue: 10)
    package static let renameAlias = DeltaType(rawValue: 11)
    package static let changeAliasMembers = DeltaType(rawValue: 12)
    package static let changePolicy = DeltaType(rawValue: 13)
    package static let changeTrust = DeltaType(rawValue: 14)
    package static let deleteTrust = DeltaType(rawValue: 15)
    package static let changeSecret = DeltaType(rawValue: 18)
    package static let deleteSecret = DeltaType(rawValue: 19)
}

/// One entry of the change log (members as in MS-NRPC 3.5.4.6.4, CHANGELOG_ENTRY).
package struct ChangeEntry: Equatable, Sendable, CustomStringConvertible {
    package struct Flags: OptionSet, Equatable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Backup controllers are told at once: a password, a lock-out.
        package static let immediate = Flags(rawValue: 1)
        package static let changedPassword = Flags(rawValue: 2)
    }

    package var serial: UInt64
    package var database: DomainDatabase
    package var type: DeltaType
    package var flags: Flags
    /// Zero where a name says what it is.
    package var rid: UInt32
    /// A trust's or secret's; of a renamed or deleted object the old one.
    package var name: String
    /// Packed, because most entries have none and a SID is large.
    private var packedSID: [UInt8]

    package init(
        serial: UInt64, database: DomainDatabase, type: DeltaType, flags: Flags = [],
        rid: UInt32 = 0, name: String = "", sid: SID? = nil
    ) {
        self.serial = serial
        self.database = database
        self.type = type
        self.flags = flags
        self.rid = rid
        self.name = name
        packedSID = []
        if let sid {
            var writer = WireWriter(capacity: sid.byteCount)
            sid.write(into: &writer)
            packedSID = writer.finish()
        }
    }

    package var sid: SID? {
        var reader = WireReader(packedSID.span, layer: "change")
        return try? SID(parsing: &reader)
    }

    package var description: String {
        "change \(database.rawValue)/\(serial): type \(type.rawValue) of \(rid)\(name)"
    }
}

/// The last changes of one database, in the order of their serial numbers, without gaps.
struct ChangeLog {
    /// About as many as NT's log of 64 KB holds, for each database.
    static let limit = 2_000

    private(set) var entries: [ChangeEntry] = []
    /// Entries before this index are dropped already; the array is cut when they are many.
    private var first = 0

    var isEmpty: Bool { first == entries.count }
    var oldest: UInt64? { isEmpty ? nil : entries[first].serial }
    var newest: UInt64? { entries.last?.serial }

    private var count: Int { entries.count - first }

    /// The serial numbers of the entries that have no room beside `new` more.
    func pushedOut(by new: Int) -> Range<UInt64> {
        let over = min(count, max(0, count + new - Self.limit))
        guard over > 0, let oldest else { return 0..<0 }
        return oldest..<(oldest + UInt64(over))
    }

    mutating func append(_ entry: ChangeEntry) {
        entries.append(entry)
        guard count > Self.limit else { return }
        first += 1
        if first == Self.limit / 4 {
            entries.removeFirst(first)
            first = 0
        }
    }

    mutating func removeAll() {
        entries = []
        first = 0
    }

    /// The entries above `serial`; nil where the log does not reach back so far.
    func after(_ serial: UInt64, current: UInt64) -> ArraySlice<ChangeEntry>? {
        if serial == current { return entries[entries.count...] }
        guard serial < current, let oldest, serial + 1 >= oldest else { return nil }
        return entries[(first + Int(serial + 1 - oldest))...]
    }
}
