import RPC
import Wire

/// What calls of the network management interfaces end with: a Windows error (MS-ERREF 2.2).
package struct NetStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    private init(_ rawValue: UInt32) { self.rawValue = rawValue }

    package static let success = NetStatus(0)
    package static let accessDenied = NetStatus(5)
    package static let notEnoughMemory = NetStatus(8)
    package static let notSupported = NetStatus(50)
    package static let invalidParameter = NetStatus(87)
    package static let invalidLevel = NetStatus(124)
    package static let moreData = NetStatus(234)
    package static let invalidFlags = NetStatus(1_004)
    package static let noLogonServers = NetStatus(1_311)
    package static let noSuchDomain = NetStatus(1_355)
    package static let noSiteName = NetStatus(1_919)
    /// NERR_NetNameNotFound: no such share.
    package static let shareNotFound = NetStatus(2_310)
    /// NERR_DeviceNotShared.
    package static let deviceNotShared = NetStatus(2_311)
    /// NERR_DCNotFound.
    package static let controllerNotFound = NetStatus(2_453)

    package var description: String {
        switch self {
        case .success: "NERR_Success"
        case .accessDenied: "ERROR_ACCESS_DENIED"
        case .notEnoughMemory: "ERROR_NOT_ENOUGH_MEMORY"
        case .notSupported: "ERROR_NOT_SUPPORTED"
        case .invalidParameter: "ERROR_INVALID_PARAMETER"
        case .invalidLevel: "ERROR_INVALID_LEVEL"
        case .moreData: "ERROR_MORE_DATA"
        case .invalidFlags: "ERROR_INVALID_FLAGS"
        case .noLogonServers: "ERROR_NO_LOGON_SERVERS"
        case .noSuchDomain: "ERROR_NO_SUCH_DOMAIN"
        case .noSiteName: "ERROR_NO_SITENAME"
        case .shareNotFound: "NERR_NetNameNotFound"
        case .deviceNotShared: "NERR_DeviceNotShared"
        case .controllerNotFound: "NERR_DCNotFound"
        case _: "error \(rawValue)"
        }
    }
}

extension NDRReader {
    @_lifetime(self: copy self)
    mutating func netStatus(_ field: StaticString) throws(WireError) -> NetStatus {
        NetStatus(rawValue: try uint32(field))
    }
}

extension NDRWriter {
    mutating func netStatus(_ status: NetStatus) { uint32(status.rawValue) }
}
