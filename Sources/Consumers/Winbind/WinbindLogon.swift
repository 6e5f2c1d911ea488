import Crypto
import Interfaces
import Wire

/// How a logon went, or whatever else is answered with a status:
///
///     status(4) statusName[256] statusText[256] pamError(4) userSessionKey(16) lmKey(8)
///     ticketCache[256] rejectReason(4) authoritative(1) padding(1) validationLevel(2) policy(32)
///     user(…) unixName[256]
package struct WinbindLogon {
    /// Pluggable authentication modules' return values, as far as a logon ends with them.
    private enum PAM {
        static let systemError: UInt32 = 4
        static let permissionDenied: UInt32 = 6
        static let authenticationError: UInt32 = 7
        static let informationUnavailable: UInt32 = 9
        static let userUnknown: UInt32 = 10
        static let maximumTries: UInt32 = 11
        static let newTokenRequired: UInt32 = 12
        static let accountExpired: UInt32 = 13
        static let tokenExpired: UInt32 = 27
    }

    private static let ticketCache = 256
    private static let policy = 32

    package var status: NTStatus
    /// Sixteen bytes; nil: zeros, where none was asked for.
    package var userSessionKey: Secret?
    /// Eight bytes.
    package var lmKey: Secret?
    /// Whether no other domain can know better. A success that is not says no more than that.
    package var isAuthoritative: Bool
    package var user: WinbindUser?
    package var unixName = ""

    package init(_ status: NTStatus, isAuthoritative: Bool = true) {
        self.status = status
        self.isAuthoritative = isAuthoritative
    }

    init(
        parsing fields: inout WireReader, isOK: Bool, _ interface: WinbindInterface
    ) throws(WireError) {
        status = NTStatus(rawValue: try fields.uint32LE("status"))
        if isOK && status.isError {
            throw fields.invalid("status", Int(clamping: status.rawValue), width: 4)
        }
        _ = try fields.winbindText("statusName")
        _ = try fields.winbindText("statusText")
        _ = try fields.uint32LE("pamError")
        userSessionKey = Self.key(try fields.take(16, "userSessionKey"), fields)
        lmKey = Self.key(try fields.take(8, "lmKey"), fields)
        _ = try fields.take(Self.ticketCache + 4, "rejectReason")
        isAuthoritative = try fields.uint8("authoritative") != 0
        _ = try fields.take(3, "validationLevel")
        _ = try fields.take(Self.policy, "policy")
        let user = try WinbindUser(parsing: &fields, interface)
        if user.domainSID != nil { self.user = user }
        unixName = try fields.winbindText("unixName")
    }

    func write(into writer: inout WireWriter, _ interface: WinbindInterface) {
        let isTold = status.isError || isAuthoritative
        writer.uint32LE(status.rawValue)
        writer.winbindText(isTold ? status.name : "")
        writer.winbindText(isTold ? status.text : "")
        writer.uint32LE(pamError)
        Self.write(userSessionKey, 16, into: &writer)
        Self.write(lmKey, 8, into: &writer)
        writer.zeros(Self.ticketCache + 4)
        writer.uint8(isAuthoritative ? 1 : 0)
        writer.uint8(0)
        writer.uint16LE(user?.level.rawValue ?? 0)
        writer.zeros(Self.policy)
        (user ?? WinbindUser()).write(into: &writer, interface)
        writer.winbindText(unixName)
    }

    private static func key(_ range: Range<Int>, _ fields: borrowing WireReader) -> Secret? {
        let secret = Secret(fields.copy(range))
        return secret.bytes.allSatisfy { $0 == 0 } ? nil : secret
    }

    private static func write(_ key: Secret?, _ size: Int, into writer: inout WireWriter) {
        guard let key else { return writer.zeros(size) }
        precondition(key.bytes.count == size)
        writer.append(key.bytes)
    }

    private var pamError: UInt32 {
        switch status {
        case .success: 0
        case .wrongPassword, .logonFailure: PAM.authenticationError
        case .noSuchUser: PAM.userUnknown
        case .accountLockedOut: PAM.maximumTries
        case .passwordMustChange: PAM.newTokenRequired
        case .passwordExpired: PAM.tokenExpired
        case .accountDisabled, .accountExpired: PAM.accountExpired
        case .invalidWorkstation, .accessDenied: PAM.permissionDenied
        case .noLogonServers, .domainControllerNotFound: PAM.informationUnavailable
        case _: PAM.systemError
        }
    }
}

/// Who the user is, as a controller says it:
///
///     logonTime(8) logoffTime(8) kickOffTime(8) passwordLastSet(8) passwordCanChange(8)
///     passwordMustChange(8)
///     logonCount(4) badPasswordCount(4) userRID(4) primaryGroupRID(4) groupCount(4) userFlags(4)
///     accountFlags(4) otherCount(4)
///     domainSID[256] name[256] fullName[256] logonScript[256] profilePath[256] homeDirectory[256]
///     homeDrive[256] logonServer[256] domain[256]
///     dnsDomain[256] principalName[256]       from interface 30 on
///
/// Times are in seconds since 1970. The groups follow in the response's extra bytes, without which
/// libwbclient takes the logon for failed: a line each, `0x%08X:0x%08X` with relative identifier
/// and attributes for those of the user's domain, `SID:0x%08X` for all others; then a zero.
package struct WinbindUser {
    /// In the order of the fields.
    package var times = InlineArray<6, UInt64>(repeating: 0)
    package var logonCount: UInt32 = 0
    package var badPasswordCount: UInt32 = 0
    package var userRID: UInt32 = 0
    package var primaryGroupRID: UInt32 = 0
    package var groups: [GroupMembership] = []
    package var userFlags: UInt32 = 0
    package var accountFlags: UInt32 = 0
    package var otherGroups: [SIDAndAttributes] = []
    package var domainSID: SID?
    package var name = ""
    package var fullName = ""
    package var logonScript = ""
    package var profilePath = ""
    package var homeDirectory = ""
    package var homeDrive = ""
    package var logonServer = ""
    package var domain = ""
    package var dnsDomain = ""
    package var principalName = ""
    /// As a response that is being read counts them, until their lines are read.
    private var counts = (groups: 0, others: 0)

    package init() {}

    /// What the controller must have told for that.
    var level: ValidationLevel {
        dnsDomain.isEmpty && principalName.isEmpty ? .samInfo2 : .samInfo4
    }

    init(parsing fields: inout WireReader, _ interface: WinbindInterface) throws(WireError) {
        for index in times.indices { times[index] = try fields.uint64LE("times") }
        logonCount = try fields.uint32LE("logonCount")
        badPasswordCount = try fields.uint32LE("badPasswordCount")
        userRID = try fields.uint32LE("userRID")
        primaryGroupRID = try fields.uint32LE("primaryGroupRID")
        counts.groups = Int(clamping: try fields.uint32LE("groupCount"))
        userFlags = try fields.uint32LE("userFlags")
        accountFlags = try fields.uint32LE("accountFlags")
        counts.others = Int(clamping: try fields.uint32LE("otherCount"))
        let sid = try fields.winbindText("domainSID")
        if !sid.isEmpty {
            guard let parsed = SID(sid) else { throw fields.invalid("domainSID", 0) }
            domainSID = parsed
        }
        name = try fields.winbindText("name")
        fullName = try fields.winbindText("fullName")
        logonScript = try fields.winbindText("logonScript")
        profilePath = try fields.winbindText("profilePath")
        homeDirectory = try fields.winbindText("homeDirectory")
        homeDrive = try fields.winbindText("homeDrive")
        logonServer = try fields.winbindText("logonServer")
        domain = try fields.winbindText("domain")
        if interface.hasDNSNames {
            dnsDomain = try fields.winbindText("dnsDomain")
            principalName = try fields.winbindText("principalName")
        }
    }

    func write(into writer: inout WireWriter, _ interface: WinbindInterface) {
        for index in times.indices { writer.uint64LE(times[index]) }
        writer.uint32LE(logonCount)
        writer.uint32LE(badPasswordCount)
        writer.uint32LE(userRID)
        writer.uint32LE(primaryGroupRID)
        writer.uint32LE(UInt32(groups.count))
        writer.uint32LE(userFlags)
        writer.uint32LE(accountFlags)
        writer.uint32LE(UInt32(otherGroups.count))
        writer.winbindText(domainSID?.description ?? "")
        writer.winbindText(name)
        writer.winbindText(fullName)
        writer.winbindText(logonScript)
        writer.winbindText(profilePath)
        writer.winbindText(homeDirectory)
        writer.winbindText(homeDrive)
        writer.winbindText(logonServer)
        writer.winbindText(domain)
        if interface.hasDNSNames {
            writer.winbindText(dnsDomain)
            writer.winbindText(principalName)
        }
    }

    // MARK: The groups' lines

    mutating func parseGroups(_ reader: inout WireReader) throws(WireError) {
        while !reader.isAtEnd, reader.span[reader.offset] != 0 {
            let line = try reader.take(through: UInt8(ascii: "\n"), "groups")
            let parts = String(decoding: reader.copy(line), as: UTF8.self).split(separator: ":")
            guard parts.count == 2, let attributes = Self.number(parts[1]) else {
                throw reader.invalid("groups", parts.count, width: line.count)
            }
            if groups.count < counts.groups, let rid = Self.number(parts[0]) {
                groups.append(GroupMembership(relativeID: rid, attributes: attributes))
            } else if let sid = SID(String(parts[0])) {
                otherGroups.append(SIDAndAttributes(sid: sid, attributes: attributes))
            } else {
                throw reader.invalid("groups", groups.count, width: line.count)
            }
        }
        if groups.count != counts.groups || otherGroups.count != counts.others {
            throw reader.invalid("groupCount", groups.count + otherGroups.count)
        }
        _ = try reader.uint8("groups")
        try reader.expectEnd("groups")
    }

    func writeGroups(into writer: inout WireWriter) {
        for group in groups {
            Self.write(Self.text(group.relativeID), group.attributes, into: &writer)
        }
        for group in otherGroups {
            Self.write(group.sid.description, group.attributes, into: &writer)
        }
        writer.uint8(0)
    }

    private static func write(
        _ name: String, _ attributes: UInt32, into writer: inout WireWriter
    ) {
        writer.append(Array("\(name):\(text(attributes))\n".utf8))
    }

    private static func text(_ number: UInt32) -> String {
        "0x" + Hex.string(number).uppercased()
    }

    private static func number(_ text: Substring) -> UInt32? {
        text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : nil
    }
}
