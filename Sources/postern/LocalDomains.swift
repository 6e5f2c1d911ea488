import Configuration
import Crypto
import Domain
import Loop
import Store
import Wire

/// One record of an embedded domain as a record of the state file: `local/DOMAIN/KEY`.
struct LocalDomainRecord: StateRecord {
    static var kind: StaticString { "local" }
    static var version: UInt8 { 1 }

    var content: [UInt8]

    init(_ content: [UInt8]) { self.content = content }

    init(parsing reader: inout WireReader) throws(WireError) {
        content = reader.copy(reader.takeRest())
    }

    func write(into writer: inout WireWriter) { writer.append(content) }
}

/// The embedded domains that are configured, with their content from the state.
enum LocalDomains {
    static func open(
        _ configuration: Configuration, _ store: StateStore, _ log: Log
    ) -> [LocalDomain] {
        configuration.localDomains.filter { $0.accounts }.compactMap { open($0, store, log) }
    }

    /// The SID of an embedded domain: as its content says, or the configuration before there is
    /// any.
    static func sid(
        of name: String, _ configuration: Configuration, _ store: StateStore
    ) -> SID? {
        guard let settings = configuration.localDomains.first(where: { $0.name == name }) else {
            return nil
        }
        return header(of: name, store)?.sid ?? settings.sid
    }

    private static func header(of name: String, _ store: StateStore) -> DomainHeader? {
        let kept = try? store.read { state throws(StoreError) in
            try state.get(LocalDomainRecord.self, "\(name)/\(DomainRecords.headerKey)")
        }
        guard let record = kept ?? nil else { return nil }
        var reader = WireReader(record.content.span, layer: "state")
        return try? DomainHeader(parsing: &reader)
    }

    /// The configuration with a channel to the primary for each local domain that is a backup: as
    /// its content says, which a promotion may have changed since it was configured.
    static func withChannels(
        _ configuration: Configuration, _ store: StateStore, _ log: Log
    ) -> Configuration {
        var completed = configuration
        for index in configuration.localDomains.indices {
            let settings = configuration.localDomains[index]
            if !settings.accounts { continue }
            let configured: DomainRole = settings.role == .backup ? .backup : .primary
            // A role without content is none.
            let kept = header(of: settings.name, store)
            let role = kept?.hasCopy == true ? kept?.role ?? configured : configured
            if role != configured {
                log.warning(
                    "\(settings.name): is the \(role.name) since it was "
                        + (role == .primary ? "promoted" : "demoted")
                        + ", whatever its section says; change `role =` there")
            }
            completed.localDomains[index].role = role == .backup ? .backup : .primary
            if role == .backup {
                completed.domains.append(configuration.channel(ofBackup: settings))
            }
        }
        return completed
    }

    /// What is wrong with the content that is there, without making or changing any.
    static func problems(_ configuration: Configuration, _ store: StateStore) -> [String] {
        var problems: [String] = []
        for settings in configuration.localDomains where settings.accounts {
            var loader = DomainLoader()
            do throws(StoreError) {
                try DomainRecords(settings.name, store, Log(.error)).load(into: &loader)
            } catch {
                problems.append("\(settings.name): \(error.description)")
            }
            for (key, error) in loader.damaged {
                problems.append(
                    "\(settings.name): record \(key) is damaged: \(error.description)")
            }
            let isEmpty = loader.isEmpty
            let domain = loader.finish(proofs: proofs(settings)) { _ in false }
            if domain == nil, !isEmpty {
                problems.append("\(settings.name): the domain's own record is missing")
            }
        }
        return problems
    }

    /// Nil where there is no content and none can be made; the log says why.
    private static func open(
        _ settings: LocalDomainSettings, _ store: StateStore, _ log: Log
    ) -> LocalDomain? {
        let records = DomainRecords(settings.name, store, log)
        var loader = DomainLoader()
        do throws(StoreError) {
            try records.load(into: &loader)
        } catch {
            log.error("\(settings.name): \(error.description)")
            return nil
        }
        for (key, error) in loader.damaged {
            log.error(
                "\(settings.name): record \(key) is damaged and left out: \(error.description)")
        }
        let domain = open(settings, records, loader, log)
        if let domain { apply(settings, to: domain, log) }
        return domain
    }

    private static func open(
        _ settings: LocalDomainSettings, _ records: DomainRecords,
        _ loader: consuming DomainLoader, _ log: Log
    ) -> LocalDomain? {
        let proofs = proofs(settings)
        if loader.isEmpty { return create(settings, proofs, records, log) }
        guard let domain = loader.finish(proofs: proofs, commit: { records.commit($0) }) else {
            log.error("\(settings.name): the domain's own record is missing; its accounts are "
                + "not used")
            return nil
        }
        if !domain.hasCopy, settings.role == .primary {
            return create(settings, proofs, records, log)
        }
        if !domain.hasCopy {
            log.info("\(settings.name): nothing has been copied from its primary yet")
        } else if let sid = settings.sid, sid != domain.sid {
            log.warning("\(settings.name): keeps its SID \(domain.sid.description)")
        }
        return domain
    }

    private static func create(
        _ settings: LocalDomainSettings, _ proofs: ProofPolicy, _ records: DomainRecords,
        _ log: Log
    ) -> LocalDomain? {
        guard settings.role == .primary else {
            return LocalDomain.createBackup(
                name: settings.name, sid: settings.sid, proofs: proofs,
                commit: { records.commit($0) })
        }
        let domain = LocalDomain.create(
            name: settings.name, sid: settings.sid ?? .domain(random: SystemRandom.bytes(12)),
            proofs: proofs, now: DomainTime.at(unix: SystemClock.unixSeconds),
            commit: { records.commit($0) })
        if let domain {
            log.info("\(settings.name): a new domain, \(domain.sid.description)")
        }
        return domain
    }

    static func proofs(_ settings: LocalDomainSettings) -> ProofPolicy {
        let ntlmv1: ProofPolicy.NTLMv1
        switch settings.ntlmv1 {
        case .refuse: ntlmv1 = .refuse
        case .mschap: ntlmv1 = .mschap
        case .allow: ntlmv1 = .allow
        }
        return ProofPolicy(ntlmv1: ntlmv1, allowsLM: settings.lm == .allow)
    }

    /// What the configuration says of passwords holds from now on, whatever clients set.
    private static func apply(
        _ settings: LocalDomainSettings, to domain: LocalDomain, _ log: Log
    ) {
        var overrides = PolicyOverrides()
        overrides.lockoutThreshold = settings.lockoutThreshold
        overrides.lockoutDuration = settings.lockoutDuration.map { $0 * 10_000 }
        overrides.minimumPasswordLength = settings.minimumPasswordLength
        switch settings.maximumPasswordAge {
        case .never: overrides.maximumPasswordAge = DomainTime.never
        case .limited(let age): overrides.maximumPasswordAge = age * 10_000
        case nil: break
        }
        do throws(DomainError) {
            try domain.setOverrides(overrides)
        } catch {
            log.error("\(settings.name): the policy was not set: \(error.description)")
        }
    }
}

/// Where one embedded domain's records are kept.
final class DomainRecords {
    private let prefix: String
    private let store: StateStore
    private let log: Log
    /// The header as this process knows it. Each change writes it anew, so that another one in
    /// the state means another process, whose changes ours would undo.
    private var header: [UInt8]?

    fileprivate static let headerKey = "domain"

    init(_ name: String, _ store: StateStore, _ log: Log) {
        prefix = name + "/"
        self.store = store
        self.log = log
    }

    func load(into loader: inout DomainLoader) throws(StoreError) {
        var taken = loader
        var header: [UInt8]?
        try store.read { state throws(StoreError) in
            try state.forEach(LocalDomainRecord.self, under: prefix) { key, record in
                taken.take(key: key, record.content)
                if key == Self.headerKey { header = record.content }
            }
        }
        self.header = header
        loader = taken
    }

    /// Writes all of it in one transaction. Says whether that worked.
    func commit(_ changes: [DomainChange]) -> Bool {
        var isForeign = false
        do throws(StoreError) {
            try store.write { state throws(StoreError) in
                let kept = try state.get(LocalDomainRecord.self, prefix + Self.headerKey)
                isForeign = kept?.content != header
                if isForeign { return }
                for change in changes {
                    if let content = change.content {
                        try state.put(LocalDomainRecord(content), prefix + change.key)
                    } else {
                        try state.remove(LocalDomainRecord.self, prefix + change.key)
                    }
                }
            }
        } catch {
            log.error("\(prefix): accounts were not written: \(error.description)")
            return false
        }
        if isForeign {
            log.error("\(prefix): accounts were changed by another process; start again")
            return false
        }
        for change in changes where change.key == Self.headerKey { header = change.content }
        return true
    }
}
