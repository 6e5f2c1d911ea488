/// A FILETIME (MS-DTYP 2.3.3): units of 100 ns since 1601.
package enum FileTime {
    /// Seconds from 1601 to 1970.
    package static let unixEpoch: UInt64 = 11_644_473_600

    package static func at(unixSeconds seconds: UInt64) -> UInt64 {
        (seconds + unixEpoch) * 10_000_000
    }

    package static func at(unixMicroseconds microseconds: UInt64) -> UInt64 {
        (microseconds + unixEpoch * 1_000_000) * 10
    }
}
