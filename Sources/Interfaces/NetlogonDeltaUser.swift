import RPC
import Wire

/// A user, with what proves who it is (MS-NRPC 2.2.1.5.16, NETLOGON_DELTA_USER):
/// ```
/// UserName FullName (8 each) UserId(4) PrimaryGroupId(4) HomeDirectory HomeDirectoryDrive
/// ScriptPath AdminComment WorkStations (8 each) LastLogon(8) LastLogoff(8)
/// LogonHours: UnitsPerWeek(2) LogonHours*(4)  BadPasswordCount(2) LogonCount(2)
/// PasswordLastSet(8) AccountExpires(8) UserAccountControl(4)
/// EncryptedNtOwfPassword(16) EncryptedLmOwfPassword(16)
/// NtPasswordPresent(1) LmPasswordPresent(1) PasswordExpired(1) UserComment(8) Parameters(8)
/// CountryCode(2) CodePage(2) PrivateData: SensitiveData(1) DataLength(4) Data*(4)
/// SecurityInformation(4) SecuritySize(4) SecurityDescriptor*(4) ProfilePath(8)
/// DummyString2…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaUser: NDRMessage, Equatable, Sendable, CustomStringConvertible {
    /// The most bytes of private data: two hashes and their histories.
    package static let maximumPrivateData = 4_096

    package var userName = ""
    package var fullName = ""
    package var userID: UInt32 = 0
    package var primaryGroupID: UInt32 = 0
    package var homeDirectory = ""
    package var homeDirectoryDrive = ""
    package var scriptPath = ""
    package var adminComment = ""
    package var workStations = ""
    package var lastLogon: UInt64 = 0
    package var lastLogoff: UInt64 = 0
    package var logonHours = SamrLogonHours()
    package var badPasswordCount: UInt16 = 0
    package var logonCount: UInt16 = 0
    package var passwordLastSet: UInt64 = 0
    package var accountExpires: UInt64 = 0
    package var userAccountControl: UInt32 = 0
    /// Hashes, encrypted with the RID only; where `sensitiveData` is set, they are in
    /// `privateData` instead.
    package var encryptedNTOwfPassword = Bytes16()
    package var encryptedLMOwfPassword = Bytes16()
    package var ntPasswordPresent = false
    package var lmPasswordPresent = false
    package var passwordExpired: UInt8 = 0
    package var userComment = ""
    package var parameters = ""
    package var countryCode: UInt16 = 0
    package var codePage: UInt16 = 0
    /// Whether the private data is encrypted with the session key.
    package var sensitiveData = false
    package var privateData: [UInt8] = []
    package var security = NetlogonDeltaSecurity()
    package var profilePath = ""

    package init() {}

    package var description: String {
        "user \(userName) \(userID), control 0x\(Hex.string(userAccountControl))"
            + ", private data of \(privateData.count) bytes"
    }
}

// MARK: Parsing

extension NetlogonDeltaUser {
    /// The members whose content is yet to come, in their order.
    private struct Deferred {
        var texts: [CountedString] = []
        var hasHours = false
        var dataLength = 0
        var hasData = false
        var security: NetlogonDeltaSecurity.Head?
        var reserve: NetlogonDeltaReserve?
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        var deferred = Deferred()
        try parseNames(&stub, &deferred)
        try parseNumbers(&stub, &deferred)
        try parseEnd(&stub, &deferred)
        try parsePointees(&stub, deferred)
    }

    private mutating func parseNames(
        _ stub: inout NDRReader, _ deferred: inout Deferred
    ) throws(WireError) {
        deferred.texts.append(try stub.countedString("UserName"))
        deferred.texts.append(try stub.countedString("FullName"))
        userID = try stub.uint32("UserId")
        primaryGroupID = try stub.uint32("PrimaryGroupId")
        deferred.texts.append(try stub.countedString("HomeDirectory"))
        deferred.texts.append(try stub.countedString("HomeDirectoryDrive"))
        deferred.texts.append(try stub.countedString("ScriptPath"))
        deferred.texts.append(try stub.countedString("AdminComment"))
        deferred.texts.append(try stub.countedString("WorkStations"))
    }

    private mutating func parseNumbers(
        _ stub: inout NDRReader, _ deferred: inout Deferred
    ) throws(WireError) {
        lastLogon = try stub.longPair("LastLogon")
        lastLogoff = try stub.longPair("LastLogoff")
        let hours = try SamrLogonHours.head(parsing: &stub)
        logonHours.unitsPerWeek = hours.unitsPerWeek
        deferred.hasHours = hours.hasHours
        badPasswordCount = try stub.uint16("BadPasswordCount")
        logonCount = try stub.uint16("LogonCount")
        passwordLastSet = try stub.longPair("PasswordLastSet")
        accountExpires = try stub.longPair("AccountExpires")
        userAccountControl = try stub.uint32("UserAccountControl")
        encryptedNTOwfPassword = try stub.fixed("EncryptedNtOwfPassword")
        encryptedLMOwfPassword = try stub.fixed("EncryptedLmOwfPassword")
        ntPasswordPresent = try stub.uint8("NtPasswordPresent") != 0
        lmPasswordPresent = try stub.uint8("LmPasswordPresent") != 0
        passwordExpired = try stub.uint8("PasswordExpired")
    }

    private mutating func parseEnd(
        _ stub: inout NDRReader, _ deferred: inout Deferred
    ) throws(WireError) {
        deferred.texts.append(try stub.countedString("UserComment"))
        deferred.texts.append(try stub.countedString("Parameters"))
        countryCode = try stub.uint16("CountryCode")
        codePage = try stub.uint16("CodePage")
        sensitiveData = try stub.uint8("SensitiveData") != 0
        deferred.dataLength = Int(clamping: try stub.uint32("DataLength"))
        deferred.hasData = try stub.pointer("Data")
        if !deferred.hasData, deferred.dataLength != 0 {
            throw stub.wire.invalid("DataLength", deferred.dataLength, width: 8)
        }
        deferred.security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        deferred.texts.append(try stub.countedString("ProfilePath"))
        deferred.reserve = try NetlogonDeltaReserve(strings: 3, longs: 4, parsing: &stub)
    }

    private mutating func parsePointees(
        _ stub: inout NDRReader, _ deferred: Deferred
    ) throws(WireError) {
        userName = try stub.samText(of: deferred.texts[0], "UserName")
        fullName = try stub.samText(of: deferred.texts[1], "FullName")
        homeDirectory = try stub.samText(of: deferred.texts[2], "HomeDirectory")
        homeDirectoryDrive = try stub.samText(of: deferred.texts[3], "HomeDirectoryDrive")
        scriptPath = try stub.samText(of: deferred.texts[4], "ScriptPath")
        adminComment = try stub.samText(of: deferred.texts[5], "AdminComment")
        workStations = try stub.samText(of: deferred.texts[6], "WorkStations")
        if deferred.hasHours {
            logonHours.hours = try SamrLogonHours.hours(
                unitsPerWeek: logonHours.unitsPerWeek, parsing: &stub)
        }
        userComment = try stub.samText(of: deferred.texts[7], "UserComment")
        parameters = try stub.samText(of: deferred.texts[8], "Parameters")
        if deferred.hasData {
            privateData = try stub.octets(
                announced: deferred.dataLength, limit: Self.maximumPrivateData, "Data")
        }
        if let head = deferred.security { security = try head.pointee(&stub) }
        profilePath = try stub.samText(of: deferred.texts[9], "ProfilePath")
        try deferred.reserve?.parsePointees(&stub)
    }
}

// MARK: Writing

extension NetlogonDeltaUser {
    package func write(into stub: inout NDRWriter) {
        stub.samText(head: userName)
        stub.samText(head: fullName)
        stub.uint32(userID)
        stub.uint32(primaryGroupID)
        stub.samText(head: homeDirectory)
        stub.samText(head: homeDirectoryDrive)
        stub.samText(head: scriptPath)
        stub.samText(head: adminComment)
        stub.samText(head: workStations)
        stub.longPair(lastLogon)
        stub.longPair(lastLogoff)
        logonHours.writeHead(into: &stub)
        stub.uint16(badPasswordCount)
        stub.uint16(logonCount)
        stub.longPair(passwordLastSet)
        stub.longPair(accountExpires)
        stub.uint32(userAccountControl)
        stub.fixed(encryptedNTOwfPassword)
        stub.fixed(encryptedLMOwfPassword)
        stub.uint8(ntPasswordPresent ? 1 : 0)
        stub.uint8(lmPasswordPresent ? 1 : 0)
        stub.uint8(passwordExpired)
        stub.samText(head: userComment)
        stub.samText(head: parameters)
        stub.uint16(countryCode)
        stub.uint16(codePage)
        stub.uint8(sensitiveData ? 1 : 0)
        stub.uint32(UInt32(privateData.count))
        stub.pointer(!privateData.isEmpty)
        security.writeHead(into: &stub)
        stub.samText(head: profilePath)
        NetlogonDeltaReserve.write(strings: 3, longs: 4, into: &stub)
        writePointees(into: &stub)
    }

    private func writePointees(into stub: inout NDRWriter) {
        stub.samText(buffer: userName)
        stub.samText(buffer: fullName)
        stub.samText(buffer: homeDirectory)
        stub.samText(buffer: homeDirectoryDrive)
        stub.samText(buffer: scriptPath)
        stub.samText(buffer: adminComment)
        stub.samText(buffer: workStations)
        logonHours.writeHours(into: &stub)
        stub.samText(buffer: userComment)
        stub.samText(buffer: parameters)
        if !privateData.isEmpty { stub.octets(privateData) }
        security.writePointee(into: &stub)
        stub.samText(buffer: profilePath)
    }
}
