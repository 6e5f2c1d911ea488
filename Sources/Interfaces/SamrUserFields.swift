import RPC
import Wire

/// When a user may log on (MS-SAMR 2.2.6.5, SAMPR_LOGON_HOURS): a bit for each unit of the week.
package struct SamrLogonHours: Equatable, Sendable {
    /// Room that every client announces.
    static let maximumBytes = 1_260

    /// 168 for hours.
    package var unitsPerWeek: UInt16
    /// A byte for every eight units, from Sunday's first hour in universal time; none at all
    /// where every hour is allowed.
    package var hours: [UInt8]

    package init(unitsPerWeek: UInt16 = 168, hours: [UInt8] = []) {
        self.unitsPerWeek = unitsPerWeek
        self.hours = hours
    }

    /// UnitsPerWeek(2) and the pointer(4), which it says is there.
    static func head(
        parsing stub: inout NDRReader
    ) throws(WireError) -> (unitsPerWeek: UInt16, hasHours: Bool) {
        try stub.align(4, "UnitsPerWeek")
        let units = try stub.uint16("UnitsPerWeek")
        return (units, try stub.pointer("LogonHours"))
    }

    static func hours(
        unitsPerWeek: UInt16, parsing stub: inout NDRReader
    ) throws(WireError) -> [UInt8] {
        let (_, actual) = try stub.varyingConformance(elementSize: 1, "LogonHours")
        if actual != (Int(unitsPerWeek) + 7) / 8 {
            throw stub.wire.invalid("LogonHours", actual, width: 4)
        }
        return stub.wire.copy(try stub.wire.take(actual, "LogonHours"))
    }

    func writeHead(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(unitsPerWeek)
        stub.pointer(!hours.isEmpty)
    }

    func writeHours(into stub: inout NDRWriter) {
        guard !hours.isEmpty else { return }
        stub.uint32(UInt32(Self.maximumBytes))
        stub.uint32(0)
        stub.uint32(UInt32(hours.count))
        stub.wire.append(hours)
    }
}

/// Which fields of a user a message gives or sets (MS-SAMR 2.2.1.8, USER_ALL bits).
package struct SamrWhichFields: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let userName = SamrWhichFields(rawValue: 0x1)
    package static let fullName = SamrWhichFields(rawValue: 0x2)
    package static let userID = SamrWhichFields(rawValue: 0x4)
    package static let primaryGroupID = SamrWhichFields(rawValue: 0x8)
    package static let adminComment = SamrWhichFields(rawValue: 0x10)
    package static let userComment = SamrWhichFields(rawValue: 0x20)
    package static let homeDirectory = SamrWhichFields(rawValue: 0x40)
    package static let homeDirectoryDrive = SamrWhichFields(rawValue: 0x80)
    package static let scriptPath = SamrWhichFields(rawValue: 0x100)
    package static let profilePath = SamrWhichFields(rawValue: 0x200)
    package static let workStations = SamrWhichFields(rawValue: 0x400)
    package static let lastLogon = SamrWhichFields(rawValue: 0x800)
    package static let lastLogoff = SamrWhichFields(rawValue: 0x1000)
    package static let logonHours = SamrWhichFields(rawValue: 0x2000)
    package static let badPasswordCount = SamrWhichFields(rawValue: 0x4000)
    package static let logonCount = SamrWhichFields(rawValue: 0x8000)
    package static let passwordCanChange = SamrWhichFields(rawValue: 0x1_0000)
    package static let passwordMustChange = SamrWhichFields(rawValue: 0x2_0000)
    package static let passwordLastSet = SamrWhichFields(rawValue: 0x4_0000)
    package static let accountExpires = SamrWhichFields(rawValue: 0x8_0000)
    package static let userAccountControl = SamrWhichFields(rawValue: 0x10_0000)
    package static let parameters = SamrWhichFields(rawValue: 0x20_0000)
    package static let countryCode = SamrWhichFields(rawValue: 0x40_0000)
    package static let codePage = SamrWhichFields(rawValue: 0x80_0000)
    package static let ntPasswordPresent = SamrWhichFields(rawValue: 0x100_0000)
    package static let lmPasswordPresent = SamrWhichFields(rawValue: 0x200_0000)
    package static let privateData = SamrWhichFields(rawValue: 0x400_0000)
    package static let passwordExpired = SamrWhichFields(rawValue: 0x800_0000)
    package static let securityDescriptor = SamrWhichFields(rawValue: 0x1000_0000)

    /// What a query gives.
    package static let queried = SamrWhichFields(rawValue: 0x00ff_ffff)
}

/// All that SAM knows of a user (MS-SAMR 2.2.6.6, SAMPR_USER_ALL_INFORMATION). The narrower
/// classes have some of these fields in an order of their own, which `SamrUserLayout` lists.
package struct SamrUserFields: Equatable, Sendable, CustomStringConvertible {
    package var lastLogon: UInt64 = 0
    package var lastLogoff: UInt64 = 0
    package var passwordLastSet: UInt64 = 0
    package var accountExpires: UInt64 = 0
    package var passwordCanChange: UInt64 = 0
    package var passwordMustChange: UInt64 = 0
    package var userName = ""
    package var fullName = ""
    package var homeDirectory = ""
    package var homeDirectoryDrive = ""
    package var scriptPath = ""
    package var profilePath = ""
    package var adminComment = ""
    package var workStations = ""
    package var userComment = ""
    package var parameters = ""
    /// Encrypted hashes, 16 bytes each, of an even length in any case.
    package var lmOwfPassword: [UInt8]?
    package var ntOwfPassword: [UInt8]?
    package var privateData = ""
    package var securityDescriptor = SamrSecurityDescriptor([])
    package var userID: UInt32 = 0
    package var primaryGroupID: UInt32 = 0
    package var userAccountControl: UInt32 = 0
    package var whichFields: SamrWhichFields = []
    package var logonHours = SamrLogonHours()
    package var badPasswordCount: UInt16 = 0
    package var logonCount: UInt16 = 0
    package var countryCode: UInt16 = 0
    package var codePage: UInt16 = 0
    package var lmPasswordPresent: UInt8 = 0
    package var ntPasswordPresent: UInt8 = 0
    package var passwordExpired: UInt8 = 0
    package var privateDataSensitive: UInt8 = 0

    package init() {}

    package var description: String {
        "user \(userName) \(userID), control 0x\(Hex.string(userAccountControl))"
            + ", fields 0x\(Hex.string(whichFields.rawValue))"
    }
}

/// The fields of each class, in wire order.
enum SamrUserLayout {
    enum Text { case userName, fullName, homeDirectory, homeDirectoryDrive, scriptPath
        case profilePath, adminComment, workStations, userComment, parameters, privateData }
    enum Long { case userID, primaryGroupID, userAccountControl, whichFields }
    enum Short { case badPasswordCount, logonCount, countryCode, codePage }
    enum Time { case lastLogon, lastLogoff, passwordLastSet, accountExpires
        case passwordCanChange, passwordMustChange }
    enum Flag { case lmPasswordPresent, ntPasswordPresent, passwordExpired, privateDataSensitive }

    enum Field {
        case text(Text)
        case long(Long)
        case short(Short)
        case time(Time)
        case flag(Flag)
        case logonHours
        case lmOwfPassword
        case ntOwfPassword
        case securityDescriptor
        /// A text that nobody uses.
        case reserved
    }

    /// MS-SAMR 2.2.6.7 to .21; nil for a class that has another shape, or none.
    static func fields(_ informationClass: UInt16) -> [Field]? {
        switch informationClass {
        case 1:
            [.text(.userName), .text(.fullName), .long(.primaryGroupID), .text(.adminComment),
                .text(.userComment)]
        case 2: [.text(.userComment), .reserved, .short(.countryCode), .short(.codePage)]
        case 3:
            [.text(.userName), .text(.fullName), .long(.userID), .long(.primaryGroupID),
                .text(.homeDirectory), .text(.homeDirectoryDrive), .text(.scriptPath),
                .text(.profilePath), .text(.workStations), .time(.lastLogon), .time(.lastLogoff),
                .time(.passwordLastSet), .time(.passwordCanChange), .time(.passwordMustChange),
                .logonHours, .short(.badPasswordCount), .short(.logonCount),
                .long(.userAccountControl)]
        case 4: [.logonHours]
        case 5:
            [.text(.userName), .text(.fullName), .long(.userID), .long(.primaryGroupID),
                .text(.homeDirectory), .text(.homeDirectoryDrive), .text(.scriptPath),
                .text(.profilePath), .text(.adminComment), .text(.workStations),
                .time(.lastLogon), .time(.lastLogoff), .logonHours, .short(.badPasswordCount),
                .short(.logonCount), .time(.passwordLastSet), .time(.accountExpires),
                .long(.userAccountControl)]
        case 6: [.text(.userName), .text(.fullName)]
        case 7: [.text(.userName)]
        case 8: [.text(.fullName)]
        case 9: [.long(.primaryGroupID)]
        case 10: [.text(.homeDirectory), .text(.homeDirectoryDrive)]
        case 11: [.text(.scriptPath)]
        case 12: [.text(.profilePath)]
        case 13: [.text(.adminComment)]
        case 14: [.text(.workStations)]
        case 16: [.long(.userAccountControl)]
        case 17: [.time(.accountExpires)]
        case 20: [.text(.parameters)]
        case 21: all
        case _: nil
        }
    }

    static var all: [Field] {
        [.time(.lastLogon), .time(.lastLogoff), .time(.passwordLastSet), .time(.accountExpires),
            .time(.passwordCanChange), .time(.passwordMustChange), .text(.userName),
            .text(.fullName), .text(.homeDirectory), .text(.homeDirectoryDrive),
            .text(.scriptPath), .text(.profilePath), .text(.adminComment), .text(.workStations),
            .text(.userComment), .text(.parameters), .lmOwfPassword, .ntOwfPassword,
            .text(.privateData), .securityDescriptor, .long(.userID), .long(.primaryGroupID),
            .long(.userAccountControl), .long(.whichFields), .logonHours,
            .short(.badPasswordCount), .short(.logonCount), .short(.countryCode),
            .short(.codePage), .flag(.lmPasswordPresent), .flag(.ntPasswordPresent),
            .flag(.passwordExpired), .flag(.privateDataSensitive)]
    }
}

// MARK: The fields by their names in a layout

extension SamrUserFields {
    subscript(field: SamrUserLayout.Text) -> String {
        get {
            switch field {
            case .userName: userName
            case .fullName: fullName
            case .homeDirectory: homeDirectory
            case .homeDirectoryDrive: homeDirectoryDrive
            case .scriptPath: scriptPath
            case .profilePath: profilePath
            case .adminComment: adminComment
            case .workStations: workStations
            case .userComment: userComment
            case .parameters: parameters
            case .privateData: privateData
            }
        }
        set {
            switch field {
            case .userName: userName = newValue
            case .fullName: fullName = newValue
            case .homeDirectory: homeDirectory = newValue
            case .homeDirectoryDrive: homeDirectoryDrive = newValue
            case .scriptPath: scriptPath = newValue
            case .profilePath: profilePath = newValue
            case .adminComment: adminComment = newValue
            case .workStations: workStations = newValue
            case .userComment: userComment = newValue
            case .parameters: parameters = newValue
            case .privateData: privateData = newValue
            }
        }
    }

    subscript(field: SamrUserLayout.Long) -> UInt32 {
        get {
            switch field {
            case .userID: userID
            case .primaryGroupID: primaryGroupID
            case .userAccountControl: userAccountControl
            case .whichFields: whichFields.rawValue
            }
        }
        set {
            switch field {
            case .userID: userID = newValue
            case .primaryGroupID: primaryGroupID = newValue
            case .userAccountControl: userAccountControl = newValue
            case .whichFields: whichFields = SamrWhichFields(rawValue: newValue)
            }
        }
    }

    subscript(field: SamrUserLayout.Short) -> UInt16 {
        get {
            switch field {
            case .badPasswordCount: badPasswordCount
            case .logonCount: logonCount
            case .countryCode: countryCode
            case .codePage: codePage
            }
        }
        set {
            switch field {
            case .badPasswordCount: badPasswordCount = newValue
            case .logonCount: logonCount = newValue
            case .countryCode: countryCode = newValue
            case .codePage: codePage = newValue
            }
        }
    }

    subscript(field: SamrUserLayout.Time) -> UInt64 {
        get {
            switch field {
            case .lastLogon: lastLogon
            case .lastLogoff: lastLogoff
            case .passwordLastSet: passwordLastSet
            case .accountExpires: accountExpires
            case .passwordCanChange: passwordCanChange
            case .passwordMustChange: passwordMustChange
            }
        }
        set {
            switch field {
            case .lastLogon: lastLogon = newValue
            case .lastLogoff: lastLogoff = newValue
            case .passwordLastSet: passwordLastSet = newValue
            case .accountExpires: accountExpires = newValue
            case .passwordCanChange: passwordCanChange = newValue
            case .passwordMustChange: passwordMustChange = newValue
            }
        }
    }

    subscript(field: SamrUserLayout.Flag) -> UInt8 {
        get {
            switch field {
            case .lmPasswordPresent: lmPasswordPresent
            case .ntPasswordPresent: ntPasswordPresent
            case .passwordExpired: passwordExpired
            case .privateDataSensitive: privateDataSensitive
            }
        }
        set {
            switch field {
            case .lmPasswordPresent: lmPasswordPresent = newValue
            case .ntPasswordPresent: ntPasswordPresent = newValue
            case .passwordExpired: passwordExpired = newValue
            case .privateDataSensitive: privateDataSensitive = newValue
            }
        }
    }
}
