import Wire

extension RAP {
    /// What a computer is, to who logs on: NetWkstaInfo10 (MS-RAP 2.5.10.4.1), the only level.
    ///
    ///     | → ComputerName | → UserName | → LanGroup | VerMajor (1) | VerMinor (1)
    ///     | → LogonDomain | → OtherDomains |
    package struct WorkstationInfo: Equatable, Sendable, CustomStringConvertible {
        package var computerName: String
        package var userName: String
        package var lanGroup: String
        package var verMajor: UInt8
        package var verMinor: UInt8
        package var logonDomain: String
        package var otherDomains: String

        package init(
            computerName: String, userName: String, lanGroup: String, verMajor: UInt8 = 4,
            verMinor: UInt8 = 0, logonDomain: String, otherDomains: String = ""
        ) {
            self.computerName = computerName
            self.userName = userName
            self.lanGroup = lanGroup
            self.verMajor = verMajor
            self.verMinor = verMinor
            self.logonDomain = logonDomain
            self.otherDomains = otherDomains
        }

        static func descriptor(_ level: UInt16) -> String? { level == 10 ? "zzzBBzz" : nil }

        @_lifetime(reader: copy reader)
        package init(parsing reader: inout RecordReader) throws(WireError) {
            computerName = try reader.pointer("ComputerName") ?? ""
            userName = try reader.pointer("UserName") ?? ""
            lanGroup = try reader.pointer("LanGroup") ?? ""
            verMajor = try reader.fixed.uint8("VerMajor")
            verMinor = try reader.fixed.uint8("VerMinor")
            logonDomain = try reader.pointer("LogonDomain") ?? ""
            otherDomains = try reader.pointer("OtherDomains") ?? ""
        }

        package func write(into writer: inout RecordWriter) {
            writer.pointer(computerName)
            writer.pointer(userName)
            writer.pointer(lanGroup)
            writer.uint8(verMajor)
            writer.uint8(verMinor)
            writer.pointer(logonDomain)
            writer.pointer(otherDomains)
            writer.endRecord()
        }

        package var description: String { "computer \(computerName) of \(lanGroup)" }
    }

    /// The time at the server: TimeOfDayInfo (MS-RAP 2.5.9.2.1).
    ///
    ///     | ElapsedT (4) | Msecs (4) | Hours (1) | Minutes (1) | Seconds (1) | Hundredths (1)
    ///     | TimeZone (2) | ClockFrequency (2) | Day (1) | Month (1) | Year (2) | WeekDay (1) |
    package struct TimeOfDay: Equatable, Sendable, CustomStringConvertible {
        static let descriptor = "DDBBBBWWBBWB"

        /// Seconds since 1970.
        package var elapsed: UInt32
        /// Milliseconds since some start.
        package var milliseconds: UInt32
        package var hours: UInt8
        package var minutes: UInt8
        package var seconds: UInt8
        package var hundredths: UInt8
        /// Minutes west of Greenwich; -1 where it is not known.
        package var timeZone: Int16
        /// Tenths of a millisecond.
        package var clockFrequency: UInt16
        package var day: UInt8
        package var month: UInt8
        package var year: UInt16
        /// Sunday is 0.
        package var weekDay: UInt8

        /// Greenwich's time, by the proleptic Gregorian calendar.
        package init(unix: UInt64, milliseconds: UInt64) {
            elapsed = UInt32(truncatingIfNeeded: unix)
            self.milliseconds = UInt32(truncatingIfNeeded: milliseconds)
            hours = UInt8(unix / 3_600 % 24)
            minutes = UInt8(unix / 60 % 60)
            seconds = UInt8(unix % 60)
            hundredths = 0
            timeZone = 0
            clockFrequency = 310
            let days = Int(unix / 86_400)
            weekDay = UInt8((days + 4) % 7)
            // Years that begin in March put the leap day at their end; an era has 400 of them.
            let shifted = days + 719_468
            let era = shifted / 146_097
            let dayOfEra = shifted % 146_097
            let yearOfEra =
                (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            day = UInt8(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
            month = UInt8(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
            year = UInt16(clamping: yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
        }

        @_lifetime(reader: copy reader)
        package init(parsing reader: inout RecordReader) throws(WireError) {
            elapsed = try reader.fixed.uint32LE("ElapsedT")
            milliseconds = try reader.fixed.uint32LE("Msecs")
            hours = try reader.fixed.uint8("Hours")
            minutes = try reader.fixed.uint8("Minutes")
            seconds = try reader.fixed.uint8("Seconds")
            hundredths = try reader.fixed.uint8("Hundredths")
            timeZone = Int16(bitPattern: try reader.fixed.uint16LE("TimeZone"))
            clockFrequency = try reader.fixed.uint16LE("ClockFrequency")
            day = try reader.fixed.uint8("Day")
            month = try reader.fixed.uint8("Month")
            year = try reader.fixed.uint16LE("Year")
            weekDay = try reader.fixed.uint8("WeekDay")
        }

        package func write(into writer: inout RecordWriter) {
            writer.uint32(elapsed)
            writer.uint32(milliseconds)
            writer.uint8(hours)
            writer.uint8(minutes)
            writer.uint8(seconds)
            writer.uint8(hundredths)
            writer.uint16(UInt16(bitPattern: timeZone))
            writer.uint16(clockFrequency)
            writer.uint8(day)
            writer.uint8(month)
            writer.uint16(year)
            writer.uint8(weekDay)
            writer.endRecord()
        }

        package var description: String { "\(year)-\(month)-\(day) \(hours):\(minutes):\(seconds)" }
    }
}
