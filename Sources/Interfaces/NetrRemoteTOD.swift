import RPC
import Wire

/// A server's clock (MS-SRVS 2.2.4.105, TIME_OF_DAY_INFO): twelve longs in this order, in UTC.
package struct TimeOfDayInfo: Equatable, Sendable {
    /// Seconds since 1970.
    package var elapsed: UInt32 = 0
    /// Milliseconds since the server started.
    package var milliseconds: UInt32 = 0
    package var hours: UInt32 = 0
    package var minutes: UInt32 = 0
    package var seconds: UInt32 = 0
    package var hundredths: UInt32 = 0
    /// Minutes west of UTC.
    package var timeZone: Int32 = 0
    /// A tick of the clock, in steps of 0.1 ms.
    package var tickInterval: UInt32 = 310
    package var day: UInt32 = 1
    package var month: UInt32 = 1
    package var year: UInt32 = 1970
    /// Sunday is 0.
    package var weekday: UInt32 = 4

    package init() {}

    /// The moment `seconds` after 1970 began, in the Gregorian calendar.
    package init(unix total: UInt64) {
        elapsed = UInt32(truncatingIfNeeded: total)
        hours = UInt32(total / 3_600 % 24)
        minutes = UInt32(total / 60 % 60)
        seconds = UInt32(total % 60)
        let days = total / 86_400
        weekday = UInt32((days + 4) % 7)
        (year, month, day) = Self.date(days)
    }

    /// Counts in eras of 400 years that begin on a 1 March, so that a leap day is a year's last.
    private static func date(_ daysSince1970: UInt64) -> (UInt32, UInt32, UInt32) {
        let days = daysSince1970 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let leaps = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leaps) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (UInt32(truncatingIfNeeded: year), UInt32(month), UInt32(day))
    }

    init(parsing stub: inout NDRReader) throws(WireError) {
        elapsed = try stub.uint32("tod_elapsedt")
        milliseconds = try stub.uint32("tod_msecs")
        hours = try stub.uint32("tod_hours")
        minutes = try stub.uint32("tod_mins")
        seconds = try stub.uint32("tod_secs")
        hundredths = try stub.uint32("tod_hunds")
        timeZone = Int32(bitPattern: try stub.uint32("tod_timezone"))
        tickInterval = try stub.uint32("tod_tinterval")
        day = try stub.uint32("tod_day")
        month = try stub.uint32("tod_month")
        year = try stub.uint32("tod_year")
        weekday = try stub.uint32("tod_weekday")
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(elapsed)
        stub.uint32(milliseconds)
        stub.uint32(hours)
        stub.uint32(minutes)
        stub.uint32(seconds)
        stub.uint32(hundredths)
        stub.uint32(UInt32(bitPattern: timeZone))
        stub.uint32(tickInterval)
        stub.uint32(day)
        stub.uint32(month)
        stub.uint32(year)
        stub.uint32(weekday)
    }
}

/// Tells the time (MS-SRVS 3.1.4.21).
package enum NetrRemoteTOD: RemoteProcedure {
    package static let opnum: UInt16 = 28

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?

        package init(serverName: String?) { self.serverName = serverName }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            try stub.expectEndOfRequest("NetrRemoteTOD")
        }

        package func write(into stub: inout NDRWriter) { stub.optionalWideString(serverName) }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var timeOfDay: TimeOfDayInfo?
        package var status: NetStatus

        package init(timeOfDay: TimeOfDayInfo?, status: NetStatus = .success) {
            self.timeOfDay = timeOfDay
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            timeOfDay = try stub.pointer("BufferPtr") ? try TimeOfDayInfo(parsing: &stub) : nil
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrRemoteTOD")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(timeOfDay != nil)
            timeOfDay?.write(into: &stub)
            stub.netStatus(status)
        }
    }
}
