import CLMDB
import CPosix
import Crypto
import Wire

/// A kind of record in the state file.
package protocol StateRecord {
    /// The first part of the key; the name is the second, as in `secrets/ADLAB`.
    static var kind: StaticString { get }
    /// The first byte of the value. A program refuses a version it does not know.
    static var version: UInt8 { get }

    init(parsing reader: inout WireReader) throws(WireError)
    func write(into writer: inout WireWriter)
}

/// The state that outlives the process: one LMDB file with mode 0600, and its lock file beside it.
///
/// Every change is one transaction, which is on disk when `write` returns or never was. Several
/// processes may have it open: each `read` sees the newest state, and one `write` waits for the
/// other's. LMDB keeps a replaced record's pages until it needs them, so the file may still hold
/// old secrets; they are as protected as the new ones are.
///
/// `@safe`: the environment lives as long as this object; transactions end within the calls
/// that begin them.
@safe package final class StateStore {
    package static let fileName = "state.mdb"
    /// Enough for a hundred thousand accounts; a page is resident only once it is used.
    static let mapSize = 64 * 1_048_576
    /// Processes and transactions that read at the same time.
    static let readerLimit: UInt32 = 16

    private let environment: OpaquePointer
    private let table: MDB_dbi
    package let path: String

    /// Opens the state in `directory`, which must be there, or makes it. `owner` is who the file
    /// must belong to, for a root that prepares it for the daemon's user.
    package init(directory: String, owner: FileOwner = .current) throws(StoreError) {
        let path = directory + "/" + Self.fileName
        try StateFile.checkDirectory(directory, owner: owner)
        try StateFile.prepare(path, owner: owner)
        // LMDB would make this one with our owner, whom the daemon may not be.
        try StateFile.prepare(path + "-lock", owner: owner)
        var made: OpaquePointer?
        try Self.check("open", unsafe mdb_env_create(&made))
        guard let environment = unsafe made else {
            throw .database(operation: "open", code: ENOMEM)
        }
        do throws(StoreError) {
            unsafe table = try Self.open(environment, path)
        } catch {
            unsafe mdb_env_close(environment)
            throw error
        }
        unsafe self.environment = environment
        self.path = path
    }

    deinit { unsafe mdb_env_close(environment) }

    @unsafe
    private static func open(
        _ environment: OpaquePointer, _ path: String
    ) throws(StoreError) -> MDB_dbi {
        try check("open", unsafe mdb_env_set_mapsize(environment, mapSize))
        try check("open", unsafe mdb_env_set_maxreaders(environment, readerLimit))
        let flags = UInt32(MDB_NOSUBDIR | MDB_NOTLS)
        try check("open", unsafe mdb_env_open(environment, path, flags, 0o600))
        try unsafe forgetDead(environment)
        var transaction: OpaquePointer?
        try check("open", unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
        var table: MDB_dbi = 0
        let status = unsafe mdb_dbi_open(transaction, nil, 0, &table)
        // Committed, because only then the table stays open.
        try check("open", unsafe mdb_txn_commit(transaction))
        try check("open", status)
        return table
    }

    /// Clears what killed processes left in the lock file: the pages that a reader sees cannot be
    /// used again, and its place is one of few.
    @unsafe
    private static func forgetDead(_ environment: OpaquePointer) throws(StoreError) {
        var dead: Int32 = 0
        try check("check", unsafe mdb_reader_check(environment, &dead))
    }

    /// The number of the last transaction that was committed, by anyone: a cheap way to see
    /// whether there is something new to read.
    package var generation: UInt64 {
        var info = unsafe MDB_envinfo()
        _ = unsafe mdb_env_info(environment, &info)
        return UInt64(unsafe info.me_last_txnid)
    }

    /// Calls `body` with the state as it is now.
    package func read<Result>(
        _ body: (StateTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let transaction = try begin(UInt32(MDB_RDONLY))
        defer { transaction.abort() }
        return try body(transaction)
    }

    /// Calls `body` and keeps all that it changed, or nothing where it throws.
    package func write<Result>(
        _ body: (StateTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try unsafe Self.forgetDead(environment)
        let transaction = try begin(0)
        defer { transaction.abort() }
        let result = try body(transaction)
        try transaction.commit()
        return result
    }

    private func begin(_ flags: UInt32) throws(StoreError) -> StateTransaction {
        var made: OpaquePointer?
        let status = unsafe mdb_txn_begin(environment, nil, flags, &made)
        guard status == 0, let raw = unsafe made else {
            throw .database(operation: "begin", code: status)
        }
        return unsafe StateTransaction(raw, table)
    }

    fileprivate static func check(
        _ operation: StaticString, _ status: Int32
    ) throws(StoreError) {
        if status != 0 { throw .database(operation: operation, code: status) }
    }
}

/// The state at one moment, for the length of a `read` or `write`.
///
/// `@safe`: LMDB's transaction is set to nil when it has ended, and bytes in the map are parsed
/// before the call that finds them returns.
@safe package final class StateTransaction {
    /// LMDB's limit is 511 bytes for a key.
    static let nameLimit = 200
    package static let recordLimit = 65_536

    private var raw: OpaquePointer?
    private let table: MDB_dbi

    @unsafe
    fileprivate init(_ raw: OpaquePointer, _ table: MDB_dbi) {
        unsafe self.raw = raw
        self.table = table
    }

    fileprivate func abort() {
        if let open = unsafe raw { unsafe mdb_txn_abort(open) }
        unsafe raw = nil
    }

    fileprivate func commit() throws(StoreError) {
        let open = unsafe raw
        unsafe raw = nil
        try StateStore.check("commit", unsafe mdb_txn_commit(open))
    }

    // MARK: Records

    /// The record of that kind and name, or nil where there is none.
    package func get<Record: StateRecord>(
        _ kind: Record.Type, _ name: String
    ) throws(StoreError) -> Record? {
        let key = try Self.key(kind, name)
        var value = unsafe MDB_val()
        let status = unsafe withValue(key) { unsafe mdb_get(raw, table, $0, &value) }
        if status == MDB_NOTFOUND { return nil }
        try StateStore.check("read", status)
        do throws(WireError) {
            return unsafe try Self.parse(value)
        } catch {
            throw .damaged(key: String(decoding: key, as: UTF8.self), error)
        }
    }

    package func put<Record: StateRecord>(
        _ record: Record, _ name: String
    ) throws(StoreError) {
        let key = try Self.key(Record.self, name)
        var writer = WireWriter(capacity: 4_096)
        writer.uint8(Record.version)
        record.write(into: &writer)
        var bytes = writer.finish()
        defer { Wipe.bytes(&bytes) }
        if bytes.count > Self.recordLimit {
            throw .tooLong(key: String(decoding: key, as: UTF8.self), bytes: bytes.count)
        }
        let status = unsafe withValue(key) { key in
            unsafe withValue(bytes) { unsafe mdb_put(raw, table, key, $0, 0) }
        }
        try StateStore.check("write", status)
    }

    /// Says whether there was one.
    @discardableResult
    package func remove<Record: StateRecord>(
        _ kind: Record.Type, _ name: String
    ) throws(StoreError) -> Bool {
        let key = try Self.key(kind, name)
        let status = unsafe withValue(key) { unsafe mdb_del(raw, table, $0, nil) }
        if status == MDB_NOTFOUND { return false }
        try StateStore.check("remove", status)
        return true
    }

    /// The names of all records of a kind, in the order of their bytes.
    package func names<Record: StateRecord>(
        of kind: Record.Type
    ) throws(StoreError) -> [String] {
        var names: [String] = []
        try unsafe walk(kind, under: "") { name, _ throws(StoreError) in names.append(name) }
        return names
    }

    /// Calls `body` with each record of a kind whose name begins with `prefix`, in the order of
    /// their names' bytes, and what follows the prefix.
    package func forEach<Record: StateRecord>(
        _ kind: Record.Type, under prefix: String,
        _ body: (String, Record) throws(StoreError) -> Void
    ) throws(StoreError) {
        try unsafe walk(kind, under: prefix) { name, value throws(StoreError) in
            let record: Record
            do throws(WireError) {
                record = try unsafe Self.parse(value)
            } catch {
                throw .damaged(key: "\(kind.kind.description)/\(prefix)\(name)", error)
            }
            try body(name, record)
        }
    }

    private func walk<Record: StateRecord>(
        _ kind: Record.Type, under prefix: String,
        _ body: (String, MDB_val) throws(StoreError) -> Void
    ) throws(StoreError) {
        var cursor: OpaquePointer?
        try StateStore.check("list", unsafe mdb_cursor_open(raw, table, &cursor))
        defer { unsafe mdb_cursor_close(cursor) }
        let start = Array((kind.kind.description + "/" + prefix).utf8)
        var key = unsafe MDB_val()
        var value = unsafe MDB_val()
        var status = unsafe withValue(start) { sought in
            unsafe key = sought.pointee
            return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
        }
        while status == 0 {
            let found = unsafe Self.bytes(key)
            if !found.starts(with: start) { return }
            unsafe try body(
                String(decoding: found.dropFirst(start.count), as: UTF8.self), value)
            status = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        if status != MDB_NOTFOUND { try StateStore.check("list", status) }
    }

    // MARK: Keys and values

    private static func key<Record: StateRecord>(
        _ kind: Record.Type, _ name: String
    ) throws(StoreError) -> [UInt8] {
        if name.isEmpty || name.utf8.count > nameLimit { throw .badName(name) }
        return Array((kind.kind.description + "/" + name).utf8)
    }

    @unsafe
    private static func parse<Record: StateRecord>(
        _ value: MDB_val
    ) throws(WireError) -> Record {
        let base = unsafe UnsafeRawPointer(value.mv_data)?.assumingMemoryBound(to: UInt8.self)
        let bytes = unsafe UnsafeBufferPointer(start: base, count: value.mv_size)
        var reader = WireReader(unsafe bytes.span, layer: "state")
        let version = try reader.uint8("version")
        if version != Record.version {
            throw reader.invalid("version", Int(version), width: 1)
        }
        let record = try Record(parsing: &reader)
        try reader.expectEnd("record")
        return record
    }

    @unsafe
    private static func bytes(_ value: MDB_val) -> [UInt8] {
        let base = unsafe UnsafeRawPointer(value.mv_data)?.assumingMemoryBound(to: UInt8.self)
        return unsafe Array(UnsafeBufferPointer(start: base, count: value.mv_size))
    }

    /// Calls `body` with `bytes` as LMDB wants them; it only reads them.
    @unsafe
    private func withValue<Result>(
        _ bytes: [UInt8], _ body: (UnsafeMutablePointer<MDB_val>) -> Result
    ) -> Result {
        unsafe bytes.withUnsafeBytes { buffer in
            var value = unsafe MDB_val(
                mv_size: buffer.count,
                mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
            return unsafe body(&value)
        }
    }
}
