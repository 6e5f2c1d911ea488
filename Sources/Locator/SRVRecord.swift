import Wire

/// One answer to a DNS SRV query (RFC 2782): where a service is, and in which order to try.
package struct SRVRecord: Equatable, Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    package var target: String

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }

    /// Most records of one answer that are looked at; DNS may hand over thousands.
    package static let maximumRecords = 256

    /// `records` in the order to try them: lower priority first, and within one priority drawn
    /// by weight, so that a target of weight 3 comes first three times as often as one of 1.
    ///
    /// `draw` gives a uniform number from zero up to and including its argument. A target of
    /// "." says that the service does not exist, and is left out (RFC 2782, "Target").
    package static func ordered(
        _ records: [SRVRecord], draw: (UInt32) -> UInt32
    ) -> [SRVRecord] {
        var rest: [SRVRecord] = []
        for record in records.prefix(maximumRecords)
        where record.target != "." && !record.target.isEmpty { rest.append(record) }
        var out: [SRVRecord] = []
        while !rest.isEmpty {
            var lowest = rest[0].priority
            for record in rest where record.priority < lowest { lowest = record.priority }
            var group: [SRVRecord] = []
            var others: [SRVRecord] = []
            // Weight zero stands first, so that it has its small chance beside larger weights.
            for record in rest where record.priority == lowest && record.weight == 0 {
                group.append(record)
            }
            for record in rest where record.priority == lowest && record.weight != 0 {
                group.append(record)
            }
            for record in rest where record.priority != lowest { others.append(record) }
            while !group.isEmpty { out.append(group.remove(at: pick(group, draw))) }
            rest = others
        }
        return out
    }

    private static func pick(_ group: [SRVRecord], _ draw: (UInt32) -> UInt32) -> Int {
        var total: UInt32 = 0
        for record in group { total += UInt32(record.weight) }
        let mark = draw(total)
        var sum: UInt32 = 0
        for index in 0..<group.count {
            sum += UInt32(group[index].weight)
            if sum >= mark { return index }
        }
        return group.count - 1
    }
}
