import RPC
import Wire

/// How much a controller tells of a user (MS-NRPC 2.2.1.4.17, NETLOGON_VALIDATION_INFO_CLASS).
package struct ValidationLevel: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable package static var samInfo: ValidationLevel { ValidationLevel(rawValue: 2) }
    /// And groups of other domains.
    @inlinable package static var samInfo2: ValidationLevel { ValidationLevel(rawValue: 3) }
    /// And DNS names.
    @inlinable package static var samInfo4: ValidationLevel { ValidationLevel(rawValue: 6) }
}

/// What came with a logon (MS-NRPC 2.2.1.4.11, UserFlags).
package struct UserFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let guest = UserFlags(rawValue: 0x1)
    package static let noEncryption = UserFlags(rawValue: 0x2)
    /// The LM response was used.
    package static let lmKey = UserFlags(rawValue: 0x8)
    package static let extraSIDs = UserFlags(rawValue: 0x20)
    package static let subauthSessionKey = UserFlags(rawValue: 0x40)
    package static let serverTrustAccount = UserFlags(rawValue: 0x80)
    package static let ntlmV2 = UserFlags(rawValue: 0x100)
    package static let resourceGroups = UserFlags(rawValue: 0x200)
    package static let profilePath = UserFlags(rawValue: 0x400)
}

/// Who a controller says the user is (MS-NRPC 2.2.1.4.11 to .13, NETLOGON_VALIDATION_SAM_INFO,
/// _SAM_INFO2 and _SAM_INFO4, which differ in their ends only):
/// ```
/// LogonTime LogoffTime KickOffTime PasswordLastSet PasswordCanChange PasswordMustChange (8 each)
/// EffectiveName FullName LogonScript ProfilePath HomeDirectory HomeDirectoryDrive       (8 each)
/// LogonCount(2) BadPasswordCount(2) UserId(4) PrimaryGroupId(4) GroupCount(4) GroupIds(4)
/// UserFlags(4) UserSessionKey(16) LogonServer(8) LogonDomainName(8) LogonDomainId(4)
/// LMKey(8) UserAccountControl(4) SubAuthStatus(4) LastSuccessfulILogon(8) LastFailedILogon(8)
/// FailedILogonCount(4) Reserved4(4)
/// SidCount(4) ExtraSids(4)                                          SAM_INFO2 and SAM_INFO4
/// DnsLogonDomainName(8) Upn(8) ExpansionString1...10 (8 each)       SAM_INFO4
/// ```
/// Times are in 100 ns since 1601; the highest positive number means never. In SAM_INFO and
/// SAM_INFO2 the line from LMKey on is called ExpansionRoom, and carries the same.
package struct ValidationSAMInfo: Equatable, Sendable, CustomStringConvertible {
    package static let never: UInt64 = 0x7fff_ffff_ffff_ffff
    static let expansionStrings = 10

    package var logonTime: UInt64 = 0
    package var logoffTime: UInt64 = never
    package var kickOffTime: UInt64 = never
    package var passwordLastSet: UInt64 = 0
    package var passwordCanChange: UInt64 = 0
    package var passwordMustChange: UInt64 = never
    package var effectiveName = NDRText.absent
    package var fullName = NDRText.absent
    package var logonScript = NDRText.absent
    package var profilePath = NDRText.absent
    package var homeDirectory = NDRText.absent
    package var homeDirectoryDrive = NDRText.absent
    package var logonCount: UInt16 = 0
    package var badPasswordCount: UInt16 = 0
    package var userID: UInt32 = 0
    package var primaryGroupID: UInt32 = 0
    package var groupIDs = GroupList.list([])
    package var userFlags: UserFlags = []
    package var userSessionKey = Bytes16()
    package var logonServer = NDRText.absent
    package var logonDomainName = NDRText.absent
    package var logonDomainID: SID?
    package var lmKey = Bytes8()
    package var userAccountControl: UInt32 = 0
    package var subAuthStatus: UInt32 = 0
    package var lastSuccessfulILogon: UInt64 = 0
    package var lastFailedILogon: UInt64 = 0
    package var failedILogonCount: UInt32 = 0
    package var extraSIDs = ExtraSIDList.list([])
    package var dnsLogonDomainName = NDRText.absent
    package var upn = NDRText.absent

    package init() {}

    package var description: String {
        "user \(userID) group \(primaryGroupID) of \(logonDomainID?.description ?? "no domain")"
            + ", \(groupIDs.count) groups, \(extraSIDs.count) extra SIDs"
            + ", flags 0x\(Hex.string(userFlags.rawValue))"
    }

    /// This message with texts and lists in memory of its own. `reader` reads the span that it was
    /// parsed from.
    package func owned(in reader: borrowing WireReader) throws(WireError) -> ValidationSAMInfo {
        var copy = self
        copy.effectiveName = effectiveName.owned(in: reader)
        copy.fullName = fullName.owned(in: reader)
        copy.logonScript = logonScript.owned(in: reader)
        copy.profilePath = profilePath.owned(in: reader)
        copy.homeDirectory = homeDirectory.owned(in: reader)
        copy.homeDirectoryDrive = homeDirectoryDrive.owned(in: reader)
        copy.groupIDs = .list(try groupIDs.memberships(in: reader))
        copy.logonServer = logonServer.owned(in: reader)
        copy.logonDomainName = logonDomainName.owned(in: reader)
        copy.extraSIDs = .list(try extraSIDs.sids(in: reader))
        copy.dnsLogonDomainName = dnsLogonDomainName.owned(in: reader)
        copy.upn = upn.owned(in: reader)
        return copy
    }
}

// MARK: Parsing

extension ValidationSAMInfo {
    /// The members whose content is yet to come.
    private struct Deferred {
        var effectiveName: CountedString
        var fullName: CountedString
        var logonScript: CountedString
        var profilePath: CountedString
        var homeDirectory: CountedString
        var homeDirectoryDrive: CountedString
        var groupCount = 0
        var hasGroups = false
        var logonServer: CountedString?
        var logonDomainName: CountedString?
        var hasDomainID = false
        var sidCount = 0
        var hasExtraSIDs = false
        var dnsLogonDomainName: CountedString?
        var upn: CountedString?
        var expansion = InlineArray<10, CountedString>(
            repeating: CountedString(length: 0, maximumLength: 0, hasBuffer: false))
    }

    init(parsing stub: inout NDRReader, level: ValidationLevel) throws(WireError) {
        logonTime = try stub.longPair("LogonTime")
        logoffTime = try stub.longPair("LogoffTime")
        kickOffTime = try stub.longPair("KickOffTime")
        passwordLastSet = try stub.longPair("PasswordLastSet")
        passwordCanChange = try stub.longPair("PasswordCanChange")
        passwordMustChange = try stub.longPair("PasswordMustChange")
        var deferred = Deferred(
            effectiveName: try stub.countedString("EffectiveName"),
            fullName: try stub.countedString("FullName"),
            logonScript: try stub.countedString("LogonScript"),
            profilePath: try stub.countedString("ProfilePath"),
            homeDirectory: try stub.countedString("HomeDirectory"),
            homeDirectoryDrive: try stub.countedString("HomeDirectoryDrive"))
        logonCount = try stub.uint16("LogonCount")
        badPasswordCount = try stub.uint16("BadPasswordCount")
        userID = try stub.uint32("UserId")
        primaryGroupID = try stub.uint32("PrimaryGroupId")
        deferred.groupCount = Int(clamping: try stub.uint32("GroupCount"))
        deferred.hasGroups = try stub.pointer("GroupIds")
        userFlags = UserFlags(rawValue: try stub.uint32("UserFlags"))
        userSessionKey = try stub.fixed("UserSessionKey")
        deferred.logonServer = try stub.countedString("LogonServer")
        deferred.logonDomainName = try stub.countedString("LogonDomainName")
        deferred.hasDomainID = try stub.pointer("LogonDomainId")
        try parseExpansionRoom(&stub)
        if level != .samInfo {
            deferred.sidCount = Int(clamping: try stub.uint32("SidCount"))
            deferred.hasExtraSIDs = try stub.pointer("ExtraSids")
        }
        if level == .samInfo4 {
            deferred.dnsLogonDomainName = try stub.countedString("DnsLogonDomainName")
            deferred.upn = try stub.countedString("Upn")
            for index in 0..<Self.expansionStrings {
                deferred.expansion[index] = try stub.countedString("ExpansionString")
            }
        }
        try parsePointees(deferred, from: &stub)
    }

    private mutating func parseExpansionRoom(_ stub: inout NDRReader) throws(WireError) {
        lmKey = try stub.fixed("LMKey")
        userAccountControl = try stub.uint32("UserAccountControl")
        subAuthStatus = try stub.uint32("SubAuthStatus")
        lastSuccessfulILogon = try stub.longPair("LastSuccessfulILogon")
        lastFailedILogon = try stub.longPair("LastFailedILogon")
        failedILogonCount = try stub.uint32("FailedILogonCount")
        _ = try stub.uint32("Reserved4")
    }

    private mutating func parsePointees(
        _ deferred: Deferred, from stub: inout NDRReader
    ) throws(WireError) {
        effectiveName = try Self.text(deferred.effectiveName, &stub, "EffectiveName")
        fullName = try Self.text(deferred.fullName, &stub, "FullName")
        logonScript = try Self.text(deferred.logonScript, &stub, "LogonScript")
        profilePath = try Self.text(deferred.profilePath, &stub, "ProfilePath")
        homeDirectory = try Self.text(deferred.homeDirectory, &stub, "HomeDirectory")
        homeDirectoryDrive = try Self.text(
            deferred.homeDirectoryDrive, &stub, "HomeDirectoryDrive")
        try parseGroups(deferred, from: &stub)
        logonServer = try Self.text(deferred.logonServer, &stub, "LogonServer")
        logonDomainName = try Self.text(deferred.logonDomainName, &stub, "LogonDomainName")
        if deferred.hasDomainID { logonDomainID = try stub.sid("LogonDomainId") }
        if deferred.hasExtraSIDs {
            extraSIDs = try ExtraSIDList(parsing: &stub, announced: deferred.sidCount)
        } else if deferred.sidCount > 0 {
            throw stub.wire.invalid("SidCount", deferred.sidCount)
        }
        dnsLogonDomainName = try Self.text(
            deferred.dnsLogonDomainName, &stub, "DnsLogonDomainName")
        upn = try Self.text(deferred.upn, &stub, "Upn")
        // Reserved for what nobody has defined: read over, and never written.
        for index in 0..<Self.expansionStrings {
            _ = try stub.buffer(of: deferred.expansion[index], "ExpansionString")
        }
    }

    private mutating func parseGroups(
        _ deferred: Deferred, from stub: inout NDRReader
    ) throws(WireError) {
        var count = 0
        if deferred.hasGroups {
            count = try stub.conformance(
                elementSize: GroupMembership.byteCount, limit: GroupList.maximum, "GroupIds")
        }
        if count != deferred.groupCount {
            throw stub.wire.invalid("GroupCount", deferred.groupCount)
        }
        groupIDs = .received(try stub.wire.take(count * GroupMembership.byteCount, "GroupIds"))
    }

    private static func text(
        _ string: CountedString?, _ stub: inout NDRReader, _ field: StaticString
    ) throws(WireError) -> NDRText {
        guard let string else { return .absent }
        return NDRText(received: try stub.buffer(of: string, field))
    }
}

// MARK: Writing

extension ValidationSAMInfo {
    func write(into stub: inout NDRWriter, level: ValidationLevel) {
        stub.longPair(logonTime)
        stub.longPair(logoffTime)
        stub.longPair(kickOffTime)
        stub.longPair(passwordLastSet)
        stub.longPair(passwordCanChange)
        stub.longPair(passwordMustChange)
        stub.countedString(effectiveName.text)
        stub.countedString(fullName.text)
        stub.countedString(logonScript.text)
        stub.countedString(profilePath.text)
        stub.countedString(homeDirectory.text)
        stub.countedString(homeDirectoryDrive.text)
        stub.uint16(logonCount)
        stub.uint16(badPasswordCount)
        stub.uint32(userID)
        stub.uint32(primaryGroupID)
        stub.uint32(UInt32(groupIDs.count))
        stub.pointer(groupIDs.count > 0)
        stub.uint32(userFlags.rawValue)
        stub.fixed(userSessionKey)
        stub.countedString(logonServer.text)
        stub.countedString(logonDomainName.text)
        stub.pointer(logonDomainID != nil)
        stub.fixed(lmKey)
        stub.uint32(userAccountControl)
        stub.uint32(subAuthStatus)
        stub.longPair(lastSuccessfulILogon)
        stub.longPair(lastFailedILogon)
        stub.uint32(failedILogonCount)
        stub.uint32(0)
        if level != .samInfo {
            stub.uint32(UInt32(extraSIDs.count))
            stub.pointer(extraSIDs.count > 0)
        }
        if level == .samInfo4 {
            stub.countedString(dnsLogonDomainName.text)
            stub.countedString(upn.text)
            for _ in 0..<Self.expansionStrings { stub.countedString(nil) }
        }
        writePointees(into: &stub, level: level)
    }

    private func writePointees(into stub: inout NDRWriter, level: ValidationLevel) {
        stub.buffer(of: effectiveName.text)
        stub.buffer(of: fullName.text)
        stub.buffer(of: logonScript.text)
        stub.buffer(of: profilePath.text)
        stub.buffer(of: homeDirectory.text)
        stub.buffer(of: homeDirectoryDrive.text)
        if groupIDs.count > 0 {
            stub.uint32(UInt32(groupIDs.count))
            for group in groupIDs.own {
                stub.uint32(group.relativeID)
                stub.uint32(group.attributes)
            }
        }
        stub.buffer(of: logonServer.text)
        stub.buffer(of: logonDomainName.text)
        if let logonDomainID { stub.sid(logonDomainID) }
        if level != .samInfo, extraSIDs.count > 0 { extraSIDs.write(into: &stub) }
        if level == .samInfo4 {
            stub.buffer(of: dnsLogonDomainName.text)
            stub.buffer(of: upn.text)
        }
    }
}
