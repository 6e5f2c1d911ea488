import Wire

/// When a user may be logged on: a bit for each hour of a week that begins on Sunday at 0:00 in
/// universal time (MS-SAMR 2.2.6.5, SAMPR_LOGON_HOURS).
package struct LogonHours: Equatable, Sendable {
    package static let byteCount = 21
    package static let unitsPerWeek = 168

    /// 21 bytes, or none where every hour is allowed.
    private let bits: [UInt8]

    package static let all = LogonHours(always: ())

    private init(always: Void) { bits = [] }

    /// The hours that `bits` allow; nil unless they are 21 bytes.
    package init?(_ bits: [UInt8]) {
        guard bits.count == Self.byteCount else { return nil }
        self.bits = bits.contains { $0 != 0xff } ? bits : []
    }

    package var isAll: Bool { bits.isEmpty }

    package var bytes: [UInt8] {
        bits.isEmpty ? [UInt8](repeating: 0xff, count: Self.byteCount) : bits
    }

    package func allows(_ time: UInt64) -> Bool { allows(hour: Self.hour(of: time)) }

    private func allows(hour: Int) -> Bool {
        bits.isEmpty || bits[hour / 8] >> UInt8(hour % 8) & 1 == 1
    }

    /// When the hours that `time` lies in end, or never.
    package func end(after time: UInt64) -> UInt64 {
        if bits.isEmpty { return DomainTime.never }
        let start = time - time % DomainTime.hour
        let hour = Self.hour(of: time)
        for ahead in 0..<Self.unitsPerWeek
        where !allows(hour: (hour + ahead) % Self.unitsPerWeek) {
            return ahead == 0 ? time : start + UInt64(ahead) * DomainTime.hour
        }
        return DomainTime.never
    }

    /// Hours since the last Sunday: the first of January 1601 was a Monday.
    private static func hour(of time: UInt64) -> Int {
        Int((time / DomainTime.hour + 24) % UInt64(unitsPerWeek))
    }
}
