import RPC
import Wire

/// The logon information class (MS-NRPC 2.2.1.4.16, NETLOGON_LOGON_INFO_CLASS).
package struct LogonLevel: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable package static var interactive: LogonLevel { LogonLevel(rawValue: 1) }
    @inlinable package static var network: LogonLevel { LogonLevel(rawValue: 2) }
    @inlinable package static var service: LogonLevel { LogonLevel(rawValue: 3) }
    @inlinable package static var interactiveTransitive: LogonLevel { LogonLevel(rawValue: 5) }
    @inlinable package static var networkTransitive: LogonLevel { LogonLevel(rawValue: 6) }
    @inlinable package static var serviceTransitive: LogonLevel { LogonLevel(rawValue: 7) }
}

/// How a controller is to treat a logon (MS-NRPC 2.2.1.4.15, ParameterControl).
package struct ParameterControl: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let cleartextPasswordAllowed = ParameterControl(rawValue: 0x2)
    package static let updateLogonStatistics = ParameterControl(rawValue: 0x4)
    package static let returnUserParameters = ParameterControl(rawValue: 0x8)
    package static let dontTryGuestAccount = ParameterControl(rawValue: 0x10)
    /// A controller's own account may log on.
    package static let allowServerTrustAccount = ParameterControl(rawValue: 0x20)
    package static let returnPasswordExpiry = ParameterControl(rawValue: 0x40)
    /// The LM response's first 8 bytes are a client challenge: MS-CHAPv2, or NTLMv1 with
    /// extended session security.
    package static let useClientChallenge = ParameterControl(rawValue: 0x80)
    package static let tryGuestAccountOnly = ParameterControl(rawValue: 0x100)
    package static let returnProfilePath = ParameterControl(rawValue: 0x200)
    package static let trySpecifiedDomainOnly = ParameterControl(rawValue: 0x400)
    /// A member's account may log on.
    package static let allowWorkstationTrustAccount = ParameterControl(rawValue: 0x800)
    package static let disablePersonalFallback = ParameterControl(rawValue: 0x1000)
    package static let allowForceGuest = ParameterControl(rawValue: 0x2000)
    package static let cleartextPasswordSupplied = ParameterControl(rawValue: 0x4000)
    package static let useDomainForRoutingOnly = ParameterControl(rawValue: 0x8000)
    /// The response is MS-CHAPv2's, which a controller may take where it refuses NTLMv1.
    package static let allowMSVCHAPV2 = ParameterControl(rawValue: 0x1_0000)
    package static let s4u2self = ParameterControl(rawValue: 0x2_0000)
    package static let checkLogonHoursForS4U = ParameterControl(rawValue: 0x4_0000)
    package static let subauthenticationDLLEx = ParameterControl(rawValue: 0x10_0000)
}

/// Who logs on, and where (MS-NRPC 2.2.1.4.15, NETLOGON_LOGON_IDENTITY_INFO):
/// ```
/// LogonDomainName(8)  ParameterControl(4)  Reserved(8)  UserName(8)  Workstation(8)
/// ```
/// Nil is a null buffer, which takes 12 bytes less than an empty one.
package struct LogonIdentityInfo: Equatable, Sendable, CustomStringConvertible {
    package var logonDomainName: String?
    package var parameterControl: ParameterControl
    /// Reserved; old clients put a logon identifier of theirs there.
    package var logonID: UInt64
    package var userName: String?
    package var workstation: String?

    package init(
        logonDomainName: String?, parameterControl: ParameterControl = [], logonID: UInt64 = 0,
        userName: String?, workstation: String?
    ) {
        self.logonDomainName = logonDomainName
        self.parameterControl = parameterControl
        self.logonID = logonID
        self.userName = userName
        self.workstation = workstation
    }

    package var description: String {
        "\(logonDomainName ?? "")\\\(userName ?? "") at \(workstation ?? "")"
            + " control 0x\(Hex.string(parameterControl.rawValue))"
    }

    /// The members, while the texts are yet to come.
    struct Deferred {
        var domain: CountedString
        var user: CountedString
        var workstation: CountedString
    }

    static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (LogonIdentityInfo, Deferred) {
        let domain = try stub.countedString("LogonDomainName")
        let control = ParameterControl(rawValue: try stub.uint32("ParameterControl"))
        let logonID = try stub.longPair("Reserved")
        let user = try stub.countedString("UserName")
        let workstation = try stub.countedString("Workstation")
        let identity = LogonIdentityInfo(
            logonDomainName: nil, parameterControl: control, logonID: logonID, userName: nil,
            workstation: nil)
        return (identity, Deferred(domain: domain, user: user, workstation: workstation))
    }

    mutating func parseTexts(
        _ deferred: Deferred, from stub: inout NDRReader
    ) throws(WireError) {
        logonDomainName = try stub.text(of: deferred.domain, "LogonDomainName")
        userName = try stub.text(of: deferred.user, "UserName")
        workstation = try stub.text(of: deferred.workstation, "Workstation")
    }

    func write(into stub: inout NDRWriter) {
        stub.countedString(logonDomainName)
        stub.uint32(parameterControl.rawValue)
        stub.longPair(logonID)
        stub.countedString(userName)
        stub.countedString(workstation)
    }

    func writeTexts(into stub: inout NDRWriter) {
        stub.buffer(of: logonDomainName)
        stub.buffer(of: userName)
        stub.buffer(of: workstation)
    }
}

/// A logon with the password's hashes (MS-NRPC 2.2.1.4.3 and 2.2.1.4.2,
/// NETLOGON_INTERACTIVE_INFO and NETLOGON_SERVICE_INFO):
/// ```
/// Identity(36)  LmOwfPassword(16)  NtOwfPassword(16)
/// ```
/// Both hashes travel encrypted with the session key.
package struct PasswordLogonInfo: NDRMessage, Equatable, Sendable, CustomStringConvertible {
    package var identity: LogonIdentityInfo
    package var lmOwfPassword: Bytes16
    package var ntOwfPassword: Bytes16

    package init(
        identity: LogonIdentityInfo, lmOwfPassword: Bytes16 = Bytes16(), ntOwfPassword: Bytes16
    ) {
        self.identity = identity
        self.lmOwfPassword = lmOwfPassword
        self.ntOwfPassword = ntOwfPassword
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let deferred: LogonIdentityInfo.Deferred
        (identity, deferred) = try LogonIdentityInfo.parse(&stub)
        lmOwfPassword = try stub.fixed("LmOwfPassword")
        ntOwfPassword = try stub.fixed("NtOwfPassword")
        try identity.parseTexts(deferred, from: &stub)
    }

    package func write(into stub: inout NDRWriter) {
        identity.write(into: &stub)
        stub.fixed(lmOwfPassword)
        stub.fixed(ntOwfPassword)
        identity.writeTexts(into: &stub)
    }

    package var description: String { "\(identity.description), hashes" }
}

/// A logon with the answers to a server's challenge (MS-NRPC 2.2.1.4.5, NETLOGON_NETWORK_INFO):
/// ```
/// Identity(36)  LmChallenge(8)  NtChallengeResponse(8)  LmChallengeResponse(8)
/// ```
package struct NetworkLogonInfo: NDRMessage, Equatable, Sendable, CustomStringConvertible {
    package var identity: LogonIdentityInfo
    package var lmChallenge: Bytes8
    package var ntChallengeResponse: [UInt8]?
    package var lmChallengeResponse: [UInt8]?

    package init(
        identity: LogonIdentityInfo, lmChallenge: Bytes8, ntChallengeResponse: [UInt8]?,
        lmChallengeResponse: [UInt8]?
    ) {
        self.identity = identity
        self.lmChallenge = lmChallenge
        self.ntChallengeResponse = ntChallengeResponse
        self.lmChallengeResponse = lmChallengeResponse
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let deferred: LogonIdentityInfo.Deferred
        (identity, deferred) = try LogonIdentityInfo.parse(&stub)
        lmChallenge = try stub.fixed("LmChallenge")
        let nt = try stub.countedString("NtChallengeResponse")
        let lm = try stub.countedString("LmChallengeResponse")
        try identity.parseTexts(deferred, from: &stub)
        ntChallengeResponse = try stub.bytes(of: nt, "NtChallengeResponse")
        lmChallengeResponse = try stub.bytes(of: lm, "LmChallengeResponse")
    }

    package func write(into stub: inout NDRWriter) {
        identity.write(into: &stub)
        stub.fixed(lmChallenge)
        stub.countedBytes(ntChallengeResponse)
        stub.countedBytes(lmChallengeResponse)
        identity.writeTexts(into: &stub)
        stub.buffer(of: ntChallengeResponse)
        stub.buffer(of: lmChallengeResponse)
    }

    package var description: String {
        "\(identity.description), NT response of \(ntChallengeResponse?.count ?? 0) bytes"
            + ", LM response of \(lmChallengeResponse?.count ?? 0) bytes"
    }
}

/// What proves the user (MS-NRPC 2.2.1.4.6, NETLOGON_LEVEL), with the level that selects it:
/// ```
/// LogonLevel(2), a parameter of the call; the union's tag(2); pointer(4); the structure
/// ```
/// A transitive level lets the controller pass the logon on to a domain that its own trusts.
package enum LogonInformation: Equatable, Sendable, CustomStringConvertible {
    case interactive(PasswordLogonInfo, transitive: Bool)
    case network(NetworkLogonInfo, transitive: Bool)
    case service(PasswordLogonInfo, transitive: Bool)
    /// A null pointer, or a level that the union has no arm for.
    case absent(LogonLevel)

    /// The levels of the union's arms.
    private static let arms: ClosedRange<UInt16> = 1...7

    package var level: LogonLevel {
        switch self {
        case .interactive(_, let transitive): transitive ? .interactiveTransitive : .interactive
        case .network(_, let transitive): transitive ? .networkTransitive : .network
        case .service(_, let transitive): transitive ? .serviceTransitive : .service
        case .absent(let level): level
        }
    }

    package var identity: LogonIdentityInfo {
        switch self {
        case .interactive(let info, _), .service(let info, _): info.identity
        case .network(let info, _): info.identity
        case .absent: LogonIdentityInfo(logonDomainName: nil, userName: nil, workstation: nil)
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let level = LogonLevel(rawValue: try stub.uint16("LogonLevel"))
        let tag = try stub.uint16("LogonInformation tag")
        if tag != level.rawValue {
            throw stub.wire.invalid("LogonInformation tag", Int(tag), width: 2)
        }
        guard Self.arms.contains(level.rawValue) else {
            try stub.align(4, "LogonInformation")
            self = .absent(level)
            return
        }
        if try !stub.pointer("LogonInformation") {
            self = .absent(level)
            return
        }
        switch level {
        case .interactive, .interactiveTransitive:
            self = .interactive(
                try PasswordLogonInfo(parsing: &stub),
                transitive: level == .interactiveTransitive)
        case .network, .networkTransitive:
            self = .network(
                try NetworkLogonInfo(parsing: &stub), transitive: level == .networkTransitive)
        case .service, .serviceTransitive:
            self = .service(
                try PasswordLogonInfo(parsing: &stub), transitive: level == .serviceTransitive)
        case _:
            // Generic information (4) is for security packages that this program has not.
            throw stub.wire.invalid("LogonLevel", Int(tag), width: 8)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(level.rawValue)
        stub.uint16(level.rawValue)
        if case .absent(let level) = self {
            if Self.arms.contains(level.rawValue) { stub.pointer(false) } else { stub.align(4) }
            return
        }
        stub.pointer(true)
        switch self {
        case .interactive(let info, _), .service(let info, _): info.write(into: &stub)
        case .network(let info, _): info.write(into: &stub)
        case .absent: break
        }
    }

    package var description: String {
        switch self {
        case .interactive(let info, _): "interactive \(info.description)"
        case .network(let info, _): "network \(info.description)"
        case .service(let info, _): "service \(info.description)"
        case .absent(let level): "nothing at level \(level.rawValue)"
        }
    }
}
