import Wire

/// The Remote Administration Protocol (MS-RAP): calls of LAN Manager, carried by transactions on
/// `\PIPE\LANMAN`. Its messages say by descriptors what they consist of.
package enum RAP {
    /// MS-RAP 2.5.1, RAPOpcode.
    package struct Opcode: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let shareEnum = Opcode(rawValue: 0)
        package static let shareGetInfo = Opcode(rawValue: 1)
        package static let serverGetInfo = Opcode(rawValue: 13)
        package static let userGetInfo = Opcode(rawValue: 56)
        package static let workstationGetInfo = Opcode(rawValue: 63)
        package static let remoteTimeOfDay = Opcode(rawValue: 91)
        package static let serverEnum2 = Opcode(rawValue: 104)
        package static let workstationUserLogon = Opcode(rawValue: 132)
        package static let workstationUserLogoff = Opcode(rawValue: 133)
        package static let oemChangePassword = Opcode(rawValue: 214)
        package static let serverEnum3 = Opcode(rawValue: 215)
    }

    /// Win32ErrorCode, the first word of every response: MS-ERREF 2.2 and LAN Manager's own.
    package struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let success = ErrorCode(rawValue: 0)
        package static let accessDenied = ErrorCode(rawValue: 5)
        package static let notSupported = ErrorCode(rawValue: 50)
        package static let invalidPassword = ErrorCode(rawValue: 86)
        package static let invalidParameter = ErrorCode(rawValue: 87)
        package static let invalidLevel = ErrorCode(rawValue: 124)
        package static let moreData = ErrorCode(rawValue: 234)
        package static let accountLockedOut = ErrorCode(rawValue: 1909)
        package static let userNotFound = ErrorCode(rawValue: 2221)
        package static let passwordTooShort = ErrorCode(rawValue: 2245)
        package static let netNameNotFound = ErrorCode(rawValue: 2310)
        package static let noBrowserServers = ErrorCode(rawValue: 6118)

        package var description: String {
            switch self {
            case .success: "success"
            case .accessDenied: "access denied"
            case .notSupported: "not supported"
            case .invalidPassword: "invalid password"
            case .invalidParameter: "invalid parameter"
            case .invalidLevel: "invalid level"
            case .moreData: "more data"
            case .accountLockedOut: "account locked out"
            case .userNotFound: "no such user"
            case .passwordTooShort: "password too short, or used before"
            case .netNameNotFound: "no such share"
            case .noBrowserServers: "no browser servers found"
            case _: "error \(rawValue)"
            }
        }
    }
}
