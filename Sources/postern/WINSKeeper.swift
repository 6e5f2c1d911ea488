import Loop
import Responder
import Store
import Wire

/// Some of the WINS server's names, as a record of the state file: `wins/0` to `wins/255`.
struct WINSPageRecord: StateRecord {
    static var kind: StaticString { "wins" }
    static var version: UInt8 { 1 }

    var page: WINSPage

    init(_ page: WINSPage) { self.page = page }

    /// The number is in the key; whoever reads a record has it from there.
    init(parsing reader: inout WireReader) throws(WireError) {
        page = try WINSPage(number: 0, parsing: &reader)
    }

    func write(into writer: inout WireWriter) { page.write(into: &writer) }
}

/// Keeps the WINS server's names in the state, so that a restart of ours is none for the network.
final class WINSKeeper {
    private let store: StateStore
    private let log: Log

    init(_ store: StateStore, _ log: Log) {
        self.store = store
        self.log = log
    }

    func load(into responder: Responder, now: UInt64) {
        let unix = SystemClock.unixSeconds
        do throws(StoreError) {
            try store.read { state throws(StoreError) in
                for name in try state.names(of: WINSPageRecord.self) {
                    guard let record = try state.get(WINSPageRecord.self, name) else { continue }
                    responder.loadWINS(record.page, now: now, unix: unix)
                }
            }
        } catch {
            log.error("the WINS server begins without names: \(error.description)")
        }
    }

    /// Writes what is due, or all that changed.
    func keep(_ responder: Responder, now: UInt64, all: Bool) {
        let pages = responder.takeWINSChanges(
            now: now, unix: SystemClock.unixSeconds, all: all)
        if pages.isEmpty { return }
        do throws(StoreError) {
            try store.write { state throws(StoreError) in
                for page in pages {
                    let name = "\(page.number)"
                    if page.entries.isEmpty {
                        try state.remove(WINSPageRecord.self, name)
                    } else {
                        try state.put(WINSPageRecord(page), name)
                    }
                }
            }
        } catch {
            responder.winsNotKept(pages, now: now)
            log.error("the WINS server's names were not written: \(error.description)")
        }
    }
}
