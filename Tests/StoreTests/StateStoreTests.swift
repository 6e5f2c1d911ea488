import CPosix
import Crypto
import Foundation
import Testing
import Wire

@testable import Store

/// A folder of one test's own, removed when the test is over.
private final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/postern-store-XXXXXX".utf8CString)
        path = unsafe String(cString: mkdtemp(&template))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

private func password(_ text: String, since: UInt64 = 1_700_000_000) -> StoredSecret {
    StoredSecret(form: .password, since: since, secret: Secret(Array(text.utf8)))
}

@Suite struct StateStoreTests {
    private let temporary = TemporaryFolder()
    private var folder: String { temporary.path }

    private func mode(_ path: String) -> UInt32 {
        var found = stat()
        return unsafe stat(path, &found) == 0 ? found.st_mode & 0o7777 : 0
    }

    @Test func keepsTrustedDomains() throws {
        let store = try StateStore(directory: folder)
        let known = TrustedDomain(
            sid: SID("S-1-5-21-1-2-3"), primary: "PDC", established: 5, verified: 6)
        let unknown = TrustedDomain(sid: nil, primary: "", established: 7, verified: 0)
        try store.write { state throws(StoreError) in
            try state.put(known, "A")
            try state.put(unknown, "B")
        }
        try store.read { state throws(StoreError) in
            #expect(try state.get(TrustedDomain.self, "A") == known)
            #expect(try state.get(TrustedDomain.self, "B") == unknown)
        }
    }

    @Test func keepsSecretsAcrossOpenings() throws {
        do {
            let store = try StateStore(directory: folder)
            try store.write { state throws(StoreError) in
                let hash = Secret([UInt8](repeating: 7, count: 16))
                try state.put(
                    DomainSecrets(
                        sequence: 3, current: password("geheim"),
                        previous: StoredSecret(form: .ntHash, since: 5, secret: hash),
                        pending: password("neu"), askedController: IPv4Address(10, 77, 0, 11)),
                    "ADLAB")
            }
        }
        let store = try StateStore(directory: folder)
        let found = try store.read { state throws(StoreError) in
            try state.get(DomainSecrets.self, "ADLAB")
        }
        #expect(found?.sequence == 3)
        #expect(found?.current.secret.bytes == Array("geheim".utf8))
        #expect(found?.current.since == 1_700_000_000 && found?.current.form == .password)
        #expect(found?.previous?.secret.bytes.count == 16 && found?.previous?.form == .ntHash)
        #expect(found?.pending?.secret.bytes == Array("neu".utf8))
        #expect(found?.askedController == IPv4Address(10, 77, 0, 11))
        #expect(found?.description.contains("geheim") == false)
        #expect(mode(folder + "/state.mdb") == 0o600)
        #expect(mode(folder + "/state.mdb-lock") == 0o600)
    }

    @Test func listsReplacesAndRemovesByKind() throws {
        let store = try StateStore(directory: folder)
        let controller = KnownController(
            name: "DC1", address: IPv4Address(10, 77, 0, 10), netlogonPort: 49_152, lastGood: 9)
        try store.write { state throws(StoreError) in
            for name in ["B", "A", "Ü"] { try state.put(KnownControllers([controller]), name) }
            try state.put(Counter(next: 5), "AA")
            try state.put(KnownControllers([]), "A")
        }
        try store.read { state throws(StoreError) in
            #expect(try state.names(of: KnownControllers.self) == ["A", "B", "Ü"])
            #expect(try state.names(of: DomainSecrets.self) == [])
            #expect(try state.get(KnownControllers.self, "B") == KnownControllers([controller]))
            #expect(try state.get(KnownControllers.self, "A")?.list == [])
            #expect(try state.get(KnownControllers.self, "C") == nil)
        }
        try store.write { state throws(StoreError) in
            #expect(try state.remove(KnownControllers.self, "B"))
            #expect(try !state.remove(KnownControllers.self, "B"))
            #expect(try state.names(of: KnownControllers.self) == ["A", "Ü"])
        }
    }

    @Test func walksRecordsUnderAPrefixInOrder() throws {
        let store = try StateStore(directory: folder)
        try store.write { state throws(StoreError) in
            for (number, name) in ["B/2", "A/2", "B/1", "BB", "A/1/3"].enumerated() {
                try state.put(Counter(next: UInt64(number)), name)
            }
        }
        var found: [String] = []
        try store.read { state throws(StoreError) in
            try state.forEach(Counter.self, under: "B/") { name, counter throws(StoreError) in
                found.append("\(name)=\(counter.next)")
            }
            try state.forEach(Counter.self, under: "C") { name, _ throws(StoreError) in
                found.append(name)
            }
        }
        #expect(found == ["1=2", "2=0"])
        #expect(throws: StoreError.badName("stop")) {
            try store.read { state throws(StoreError) in
                try state.forEach(Counter.self, under: "") { _, _ throws(StoreError) in
                    throw .badName("stop")
                }
            }
        }
    }

    @Test func keepsNothingOfATransactionThatThrows() throws {
        let store = try StateStore(directory: folder)
        let before = store.generation
        #expect(throws: StoreError.badName("")) {
            try store.write { state throws(StoreError) in
                try state.put(Counter(next: 5), "x")
                try state.put(Counter(next: 5), "")
            }
        }
        #expect(store.generation == before)
        let found = try store.read { state throws(StoreError) in try state.get(Counter.self, "x") }
        #expect(found == nil)
    }

    @Test func countsUpAcrossOpenings() throws {
        for expected: UInt64 in [1, 11, 21] {
            let store = try StateStore(directory: folder)
            let first = try store.write { state throws(StoreError) in
                try state.take(10, from: "serial")
            }
            #expect(first == expected)
        }
    }

    @Test func refusesFilesThatOthersCanReach() throws {
        _ = try StateStore(directory: folder)
        let path = folder + "/state.mdb"
        _ = unsafe chmod(path, 0o640)
        let readable = StoreError.unsafe(path: path, reason: "others may read it; chmod 0600 it")
        #expect(throws: readable) { _ = try StateStore(directory: folder) }
        _ = unsafe chmod(path, 0o600)
        _ = unsafe chmod(folder, 0o777)
        let writable = StoreError.unsafe(
            path: folder, reason: "others may write there; chmod go-w it")
        #expect(throws: writable) { _ = try StateStore(directory: folder) }
        _ = unsafe chmod(folder, 0o700)
        _ = unsafe rename(path, folder + "/elsewhere")
        _ = unsafe symlink(folder + "/elsewhere", path)
        #expect(throws: StoreError.unsafe(path: path, reason: "is a symbolic link")) {
            _ = try StateStore(directory: folder)
        }
        _ = unsafe unlink(path)
        _ = unsafe link(folder + "/elsewhere", path)
        #expect(
            throws: StoreError.unsafe(path: path, reason: "is not a plain file with one name")
        ) {
            _ = try StateStore(directory: folder)
        }
        #expect(throws: StoreError.unsafe(path: path, reason: "is not a directory")) {
            _ = try StateStore(directory: path)
        }
        let nowhere = folder + "/none"
        #expect(throws: StoreError.file(path: nowhere, operation: "stat", code: ENOENT)) {
            _ = try StateStore(directory: nowhere)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func preparesTheStateForTheDaemonsUser() throws {
        let owner = FileOwner(user: 65_534, group: 65_534)
        _ = unsafe chown(folder, owner.user, owner.group)
        do { _ = try StateStore(directory: folder, owner: owner) }
        var found = stat()
        for name in ["/state.mdb", "/state.mdb-lock"] {
            _ = unsafe stat(folder + name, &found)
            #expect(found.st_uid == owner.user && found.st_mode & 0o7777 == 0o600)
        }
        _ = unsafe chown(folder, 0, 0)
        let reason = "belongs to user 65534, not to user 0; chown 0:0 it"
        #expect(throws: StoreError.unsafe(path: folder + "/state.mdb", reason: reason)) {
            _ = try StateStore(directory: folder)
        }
    }

    /// A record as a newer program would write it, and one that was cut.
    private struct Newer: StateRecord {
        static var kind: StaticString { "counter" }
        static var version: UInt8 { 9 }
        init() {}
        init(parsing reader: inout WireReader) throws(WireError) {}
        func write(into writer: inout WireWriter) {}
    }
    private struct Cut: StateRecord {
        static var kind: StaticString { "counter" }
        static var version: UInt8 { 1 }
        init() {}
        init(parsing reader: inout WireReader) throws(WireError) {}
        func write(into writer: inout WireWriter) { writer.uint16LE(1) }
    }

    @Test func namesTheKeyOfADamagedRecord() throws {
        let store = try StateStore(directory: folder)
        try store.write { state throws(StoreError) in
            try state.put(Newer(), "a")
            try state.put(Cut(), "b")
        }
        for (name, text) in [
            ("a", "state version at offset 0: invalid value 9"),
            ("b", "state next at offset 1: needs 8 bytes, 2 left"),
        ] {
            do throws(StoreError) {
                _ = try store.read { state throws(StoreError) in
                    try state.get(Counter.self, name)
                }
                Issue.record("a damaged record was read")
            } catch {
                #expect(
                    error.description
                        == "the state file's record counter/\(name) is damaged: \(text)")
            }
        }
    }

    @Test func refusesRecordsCutOrChangedAnywhere() throws {
        var writer = WireWriter()
        DomainSecrets(
            sequence: 1, current: password("a"), previous: password("b"),
            askedController: IPv4Address(10, 77, 0, 11)
        ).write(into: &writer)
        let secrets = writer.finish()
        for length in 0..<secrets.count {
            #expect(throws: WireError.self) { try Self.secrets(Array(secrets[..<length])) }
        }
        for index in 0..<secrets.count {
            for value in [0, 1, 0x7f, 0xff] as [UInt8] {
                var changed = secrets
                changed[index] = value
                _ = try? Self.secrets(changed)
            }
        }
    }

    private static func secrets(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes.span, layer: "state")
        _ = try DomainSecrets(parsing: &reader)
        try reader.expectEnd("record")
    }

    @Test func saysWhenItIsFull() throws {
        struct Large: StateRecord {
            static var kind: StaticString { "large" }
            static var version: UInt8 { 1 }
            init() {}
            init(parsing reader: inout WireReader) throws(WireError) {}
            func write(into writer: inout WireWriter) { writer.zeros(60_000) }
        }
        let store = try StateStore(directory: folder)
        do throws(StoreError) {
            try store.write { state throws(StoreError) in
                for number in 0..<1_200 { try state.put(Large(), "\(number)") }
            }
            Issue.record("more was stored than fits")
        } catch {
            let words = "write: the state file is full; remove accounts that nobody uses"
            #expect(error.description == words)
        }
        _ = try store.write { state throws(StoreError) in try state.take(from: "serial") }
    }
}

extension StateStoreTests {
    @Test func recordBeyondItsLimitIsRefusedAndNothingIsKept() throws {
        struct Long: StateRecord {
            static var kind: StaticString { "long" }
            static var version: UInt8 { 1 }
            var count: Int
            init(_ count: Int) { self.count = count }
            init(parsing reader: inout WireReader) throws(WireError) {
                count = reader.takeRest().count
            }
            func write(into writer: inout WireWriter) { writer.zeros(count) }
        }
        let temporary = TemporaryFolder()
        let store = try StateStore(directory: temporary.path)
        // The version is a byte of it.
        let most = StateTransaction.recordLimit - 1
        try store.write { state throws(StoreError) in try state.put(Long(most), "a") }
        #expect(throws: StoreError.tooLong(key: "long/a", bytes: most + 2)) {
            try store.write { state throws(StoreError) in
                try state.put(Counter(next: 5), "x")
                try state.put(Long(most + 1), "a")
            }
        }
        try store.read { state throws(StoreError) in
            #expect(try state.get(Long.self, "a")?.count == most)
            #expect(try state.get(Counter.self, "x") == nil)
        }
    }
}

/// What is kept of a secret that a controller has or may have, while others replace the record.
@Suite struct SecretChangeTests {
    private static let asked = IPv4Address(10, 77, 0, 11)

    private func texts(_ secrets: DomainSecrets) -> [String] {
        [secrets.current, secrets.previous, secrets.pending].map {
            $0.map { String(decoding: $0.secret.bytes, as: UTF8.self) } ?? "-"
        }
    }

    @Test func whatAControllerTookIsCurrentWhateverIsKeptInItsPlace() {
        var secrets = DomainSecrets(
            sequence: 3, current: password("old"), pending: password("new"))
        secrets.succeed(by: password("new"))
        #expect(texts(secrets) == ["new", "old", "-"] && secrets.sequence == 4)
        secrets = DomainSecrets(
            sequence: 4, current: password("imported"), previous: password("old"))
        secrets.succeed(by: password("new"))
        #expect(texts(secrets) == ["new", "imported", "-"])
        // What is current already is no change.
        secrets.succeed(by: password("new"))
        #expect(texts(secrets) == ["new", "imported", "-"] && secrets.sequence == 5)
        // Another change is under way.
        secrets.begin(password("joined"))
        secrets.succeed(by: password("sent"))
        #expect(texts(secrets) == ["sent", "new", "joined"])
    }

    @Test func whatAControllerMayHaveIsAmongTheSecrets() {
        var secrets = DomainSecrets(sequence: 4, current: password("imported"))
        secrets.keepUndecided(password("new"), asked: Self.asked)
        #expect(texts(secrets) == ["imported", "-", "new"])
        #expect(secrets.askedController == Self.asked)
        secrets.begin(password("joined"))
        #expect(texts(secrets) == ["imported", "new", "joined"])
        secrets.askedController = nil
        secrets.keepUndecided(password("new"), asked: Self.asked)
        #expect(texts(secrets) == ["imported", "new", "joined"])
        #expect(secrets.askedController == nil)
    }

    @Test func whatAControllerRefusedIsDroppedAlone() {
        var secrets = DomainSecrets(
            sequence: 4, current: password("old"), pending: password("joined"))
        secrets.drop(password("new"))
        #expect(texts(secrets) == ["old", "-", "joined"])
        secrets.drop(password("joined"))
        #expect(texts(secrets) == ["old", "-", "-"])
    }
}

/// Two processes with the same state. The folder's name reaches the other one by the environment.
@Suite(.serialized) struct StateSharingTests {
    private static let variable = "POSTERN_STORE_TEST"

    private static var folder: String { unsafe String(cString: getenv(variable)) }

    @Test func seesWhatAnotherProcessWroteMeanwhile() async throws {
        let folder = TemporaryFolder()
        _ = unsafe setenv(Self.variable, folder.path, 1)
        let store = try StateStore(directory: folder.path)
        try store.write { state throws(StoreError) in try state.put(Counter(next: 1), "x") }
        let before = store.generation
        await #expect(processExitsWith: .success) { try StateSharingTests.writeInChild() }
        #expect(store.generation > before)
        let found = try store.read { state throws(StoreError) in try state.get(Counter.self, "x") }
        #expect(found == Counter(next: 2))
    }

    fileprivate static func writeInChild() throws {
        let store = try StateStore(directory: folder)
        let next = try store.write { state throws(StoreError) in try state.take(from: "x") }
        exit(next == 1 ? 0 : 1)
    }

    /// A state that children find, and what is in it.
    private func storeOfSeven(_ folder: TemporaryFolder) throws -> StateStore {
        _ = unsafe setenv(Self.variable, folder.path, 1)
        let store = try StateStore(directory: folder.path)
        try store.write { state throws(StoreError) in try state.put(Counter(next: 7), "x") }
        return store
    }

    @Test func survivesAProcessThatDiesWhileItWrites() async throws {
        let folder = TemporaryFolder()
        let store = try storeOfSeven(folder)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            try StateSharingTests.dieInChild()
        }
        let next = try store.write { state throws(StoreError) in try state.take(from: "x") }
        #expect(next == 7)
    }

    /// What a killed reader saw would be kept for it in a file of limited size.
    @Test func forgetsProcessesThatDiedWhileTheyRead() async throws {
        let folder = TemporaryFolder()
        let store = try storeOfSeven(folder)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            try StateSharingTests.dieReadingInChild()
        }
        let isThere = { () throws(StoreError) -> Bool in
            try store.read { state throws(StoreError) in
                try state.get(Counter.self, "x") != nil
            }
        }
        // The child had all of the places.
        #expect(throws: StoreError.self) { try isThere() }
        _ = try store.write { state throws(StoreError) in try state.take(from: "x") }
        #expect(try isThere())
    }

    fileprivate static func dieReadingInChild() throws {
        try read(StateStore(directory: folder), times: StateStore.readerLimit)
    }

    private static func read(_ store: StateStore, times: UInt32) throws(StoreError) {
        if times == 0 { kill(getpid(), SIGKILL) }
        try store.read { _ throws(StoreError) in try read(store, times: times - 1) }
    }

    fileprivate static func dieInChild() throws {
        let store = try StateStore(directory: folder)
        try store.write { state throws(StoreError) in
            try state.put(Counter(next: 100), "x")
            kill(getpid(), SIGKILL)
        }
    }
}
