import Wire

extension LocalDomain {
    /// The records of all that the running change touched: each object once, as it is now, the
    /// log's new entries and those that they push out, and the header.
    func changedRecords() -> [DomainChange] {
        var records: [DomainChange] = []
        var seen: Set<String> = []
        for step in edit.undo {
            let key: String
            switch step {
            case .account(let rid, _): key = RecordKey.account + Hex.string(rid)
            case .group(let rid, _): key = RecordKey.group + Hex.string(rid)
            case .alias(let home, let rid, _): key = RecordKey.alias(home, rid)
            case .trust(let name, _): key = RecordKey.trust + Self.fold(name)
            }
            if seen.insert(key).inserted {
                records.append(DomainChange(key: key, content: content(of: step)))
            }
        }
        for database in DomainDatabase.allCases { logRecords(database, into: &records) }
        if header != edit.beginning?.header {
            var writer = WireWriter(capacity: 256)
            header.write(into: &writer)
            records.append(DomainChange(key: RecordKey.header, content: writer.finish()))
        }
        return records
    }

    private func content(of step: Edit.Undo) -> [UInt8]? {
        var writer = WireWriter(capacity: 256)
        switch step {
        case .account(let rid, _):
            guard let account = accounts[rid] else { return nil }
            account.write(into: &writer)
        case .group(let rid, _):
            guard let group = groups[rid] else { return nil }
            group.write(into: &writer)
        case .alias(let home, let rid, _):
            guard let alias = alias(rid: rid, in: home) else { return nil }
            alias.write(into: &writer)
        case .trust(let name, _):
            guard let trust = trust(name) else { return nil }
            trust.write(into: &writer)
        }
        return writer.finish()
    }

    /// A large change may push out some of its own entries, which then are never written.
    private func logRecords(_ database: DomainDatabase, into records: inout [DomainChange]) {
        let new = edit.entries.filter { $0.database == database }
        let log = logs[Int(database.rawValue)]
        for serial in log.pushedOut(by: new.count) {
            records.append(DomainChange(key: RecordKey.log(database, serial), content: nil))
        }
        for entry in new.suffix(ChangeLog.limit) {
            var writer = WireWriter(capacity: 64)
            entry.write(into: &writer)
            records.append(
                DomainChange(
                    key: RecordKey.log(database, entry.serial), content: writer.finish()))
        }
    }
}
