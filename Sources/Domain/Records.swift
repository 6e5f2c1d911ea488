import Crypto
import Wire

// The records of the state. All numbers are little-endian; a text is its length in 16 bits and its
// UTF-8; a list is its count in 16 bits and its elements. Each begins with its version.

/// Keys of records: what they are, and which one. Numbers are in hexadecimal with leading zeros,
/// so that the order of the keys is theirs.
enum RecordKey {
    static let header = "domain"
    static let account = "account/"
    static let group = "group/"
    static let alias = "alias/"
    static let builtin = "builtin/"
    static let trust = "trust/"
    static let log = "log/"

    static func alias(_ home: Alias.Home, _ rid: UInt32) -> String {
        (home == .account ? alias : builtin) + Hex.string(rid)
    }

    static func log(_ database: DomainDatabase, _ serial: UInt64) -> String {
        let high = Hex.string(UInt32(truncatingIfNeeded: serial >> 32))
        let low = Hex.string(UInt32(truncatingIfNeeded: serial))
        return "\(log)\(database.rawValue)/\(high)\(low)"
    }
}

extension WireWriter {
    /// What is longer than its length can say is cut; no text of ours is.
    fileprivate mutating func text(_ text: String) { block(Array(text.utf8.prefix(65_535))) }

    fileprivate mutating func block(_ bytes: [UInt8]) {
        uint16LE(UInt16(bytes.count))
        append(bytes)
    }

    fileprivate mutating func sid(_ sid: SID?) {
        uint8(sid == nil ? 0 : 1)
        sid?.write(into: &self)
    }
}

extension WireReader {
    @_lifetime(self: copy self)
    fileprivate mutating func text(_ field: StaticString) throws(WireError) -> String {
        String(decoding: try block(field), as: UTF8.self)
    }

    @_lifetime(self: copy self)
    fileprivate mutating func block(_ field: StaticString) throws(WireError) -> [UInt8] {
        let count = Int(try uint16LE(field))
        return copy(try take(count, field))
    }

    /// A count of elements that take `size` bytes at least.
    @_lifetime(self: copy self)
    fileprivate mutating func count(
        _ field: StaticString, size: Int
    ) throws(WireError) -> Int {
        let count = Int(try uint16LE(field))
        try need(count * size, field)
        return count
    }

    @_lifetime(self: copy self)
    fileprivate mutating func flag(_ field: StaticString) throws(WireError) -> Bool {
        let value = try uint8(field)
        guard value <= 1 else { throw invalid(field, Int(value), width: 1) }
        return value == 1
    }

    @_lifetime(self: copy self)
    fileprivate mutating func version(_ known: UInt8) throws(WireError) {
        let version = try uint8("version")
        guard version == known else { throw invalid("version", Int(version), width: 1) }
    }

    @_lifetime(self: copy self)
    fileprivate mutating func optionalSID(_ field: StaticString) throws(WireError) -> SID? {
        try flag(field) ? try SID(parsing: &self) : nil
    }
}

// MARK: Accounts

extension Account {
    private static let version: UInt8 = 1
    private static let hasNTHash: UInt8 = 1
    private static let hasLMHash: UInt8 = 2
    private static let hasHours: UInt8 = 4

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(Self.version)
        let rid = try reader.uint32LE("rid")
        self.init(rid: rid, name: try reader.text("name"))
        flags = AccountFlags(rawValue: try reader.uint32LE("flags"))
        primaryGroupRID = try reader.uint32LE("primaryGroupRID")
        for _ in 0..<(try reader.count("otherGroupRIDs", size: 4)) {
            otherGroupRIDs.append(try reader.uint32LE("otherGroupRIDs"))
        }
        let present = try reader.uint8("present")
        if present & Self.hasNTHash != 0 { ntHash = try reader.fixed("ntHash") }
        if present & Self.hasLMHash != 0 { lmHash = try reader.fixed("lmHash") }
        for _ in 0..<(try reader.count("history", size: 16)) {
            history.append(try reader.fixed("history"))
        }
        if present & Self.hasHours != 0 {
            let bits = reader.copy(try reader.take(LogonHours.byteCount, "logonHours"))
            logonHours = LogonHours(bits) ?? .all
        }
        passwordLastSet = try reader.uint64LE("passwordLastSet")
        accountExpires = try reader.uint64LE("accountExpires")
        try parseStatistics(&reader)
        try parseTexts(&reader)
    }

    private mutating func parseStatistics(_ reader: inout WireReader) throws(WireError) {
        lastLogon = try reader.uint64LE("lastLogon")
        lastLogoff = try reader.uint64LE("lastLogoff")
        lastBadPassword = try reader.uint64LE("lastBadPassword")
        lockoutTime = try reader.uint64LE("lockoutTime")
        logonCount = try reader.uint16LE("logonCount")
        badPasswordCount = try reader.uint16LE("badPasswordCount")
    }

    private mutating func parseTexts(_ reader: inout WireReader) throws(WireError) {
        countryCode = try reader.uint16LE("countryCode")
        codePage = try reader.uint16LE("codePage")
        // Most accounts have none of these: one byte says so.
        guard try reader.flag("texts") else { return }
        fullName = try reader.text("fullName")
        adminComment = try reader.text("adminComment")
        userComment = try reader.text("userComment")
        homeDirectory = try reader.text("homeDirectory")
        homeDirectoryDrive = try reader.text("homeDirectoryDrive")
        logonScript = try reader.text("logonScript")
        profilePath = try reader.text("profilePath")
        for _ in 0..<(try reader.count("workstations", size: 2)) {
            workstations.append(try reader.text("workstations"))
        }
        parameters = try reader.block("parameters")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(Self.version)
        writer.uint32LE(rid)
        writer.text(name)
        writer.uint32LE(flags.rawValue)
        writer.uint32LE(primaryGroupRID)
        writer.uint16LE(UInt16(otherGroupRIDs.count))
        for rid in otherGroupRIDs { writer.uint32LE(rid) }
        writer.uint8(
            (ntHash == nil ? 0 : Self.hasNTHash) | (lmHash == nil ? 0 : Self.hasLMHash)
                | (logonHours.isAll ? 0 : Self.hasHours))
        if let ntHash { writer.append(ntHash) }
        if let lmHash { writer.append(lmHash) }
        writer.uint16LE(UInt16(history.count))
        for hash in history { writer.append(hash) }
        if !logonHours.isAll { writer.append(logonHours.bytes) }
        writer.uint64LE(passwordLastSet)
        writer.uint64LE(accountExpires)
        writer.uint64LE(lastLogon)
        writer.uint64LE(lastLogoff)
        writer.uint64LE(lastBadPassword)
        writer.uint64LE(lockoutTime)
        writer.uint16LE(logonCount)
        writer.uint16LE(badPasswordCount)
        writer.uint16LE(countryCode)
        writer.uint16LE(codePage)
        writeTexts(into: &writer)
    }

    private func writeTexts(into writer: inout WireWriter) {
        let texts = [
            fullName, adminComment, userComment, homeDirectory, homeDirectoryDrive, logonScript,
            profilePath,
        ]
        let hasTexts = texts.contains { !$0.isEmpty } || !workstations.isEmpty
            || !parameters.isEmpty
        writer.uint8(hasTexts ? 1 : 0)
        guard hasTexts else { return }
        for text in texts { writer.text(text) }
        writer.uint16LE(UInt16(workstations.count))
        for name in workstations { writer.text(name) }
        writer.block(parameters)
    }

    var record: DomainChange {
        var writer = WireWriter(capacity: 256)
        write(into: &writer)
        return DomainChange(
            key: RecordKey.account + Hex.string(rid), content: writer.finish())
    }
}

// MARK: Groups, aliases, trusts

extension Group {
    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(1)
        let rid = try reader.uint32LE("rid")
        self.init(rid: rid, name: try reader.text("name"))
        comment = try reader.text("comment")
        attributes = try reader.uint32LE("attributes")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint32LE(rid)
        writer.text(name)
        writer.text(comment)
        writer.uint32LE(attributes)
    }
}

extension Alias {
    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(1)
        let isBuiltin = try reader.flag("home")
        let rid = try reader.uint32LE("rid")
        self.init(home: isBuiltin ? .builtin : .account, rid: rid, name: try reader.text("name"))
        comment = try reader.text("comment")
        for _ in 0..<(try reader.count("members", size: 8)) {
            members.append(try SID(parsing: &reader))
        }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint8(home == .builtin ? 1 : 0)
        writer.uint32LE(rid)
        writer.text(name)
        writer.text(comment)
        writer.uint16LE(UInt16(members.count))
        for member in members { member.write(into: &writer) }
    }
}

extension Trust {
    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(1)
        let name = try reader.text("name")
        let dnsName = try reader.text("dnsName")
        let direction = Direction(rawValue: try reader.uint8("direction"))
        self.init(name: name, sid: try reader.optionalSID("sid"), direction: direction)
        self.dnsName = dnsName
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.text(name)
        writer.text(dnsName)
        writer.uint8(direction.rawValue)
        writer.sid(sid)
    }
}

// MARK: The domain itself

extension DomainHeader {
    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(1)
        let name = try reader.text("name")
        let sid = try SID(parsing: &reader)
        guard sid.appending(0) != nil else { throw reader.invalid("sid", sid.count) }
        let role = try reader.uint32LE("role")
        guard let known = DomainRole(rawValue: role) else {
            throw reader.invalid("role", Int(role), width: 4)
        }
        self.init(name: name, sid: sid, role: known, now: 0)
        nextRID = try reader.uint32LE("nextRID")
        comment = try reader.text("comment")
        replicaSource = try reader.text("replicaSource")
        for index in 0..<3 {
            created[index] = try reader.uint64LE("created")
            serials[index] = try reader.uint64LE("serials")
        }
        policy = try AccountPolicy(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.text(name)
        sid.write(into: &writer)
        writer.uint32LE(role.rawValue)
        writer.uint32LE(nextRID)
        writer.text(comment)
        writer.text(replicaSource)
        for index in 0..<3 {
            writer.uint64LE(created[index])
            writer.uint64LE(serials[index])
        }
        policy.write(into: &writer)
    }
}

extension AccountPolicy {
    init(parsing reader: inout WireReader) throws(WireError) {
        minimumPasswordLength = try reader.uint16LE("minimumPasswordLength")
        passwordHistoryLength = try reader.uint16LE("passwordHistoryLength")
        passwordProperties = try reader.uint32LE("passwordProperties")
        maximumPasswordAge = try reader.uint64LE("maximumPasswordAge")
        minimumPasswordAge = try reader.uint64LE("minimumPasswordAge")
        lockoutThreshold = try reader.uint16LE("lockoutThreshold")
        lockoutDuration = try reader.uint64LE("lockoutDuration")
        lockoutWindow = try reader.uint64LE("lockoutWindow")
        forceLogoff = try reader.uint64LE("forceLogoff")
    }

    func write(into writer: inout WireWriter) {
        writer.uint16LE(minimumPasswordLength)
        writer.uint16LE(passwordHistoryLength)
        writer.uint32LE(passwordProperties)
        writer.uint64LE(maximumPasswordAge)
        writer.uint64LE(minimumPasswordAge)
        writer.uint16LE(lockoutThreshold)
        writer.uint64LE(lockoutDuration)
        writer.uint64LE(lockoutWindow)
        writer.uint64LE(forceLogoff)
    }
}

extension ChangeEntry {
    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.version(1)
        let serial = try reader.uint64LE("serial")
        let database = try reader.uint8("database")
        guard let known = DomainDatabase(rawValue: database) else {
            throw reader.invalid("database", Int(database), width: 1)
        }
        let type = DeltaType(rawValue: try reader.uint8("type"))
        let flags = Flags(rawValue: try reader.uint8("flags"))
        let rid = try reader.uint32LE("rid")
        let name = try reader.text("name")
        self.init(
            serial: serial, database: known, type: type, flags: flags, rid: rid, name: name,
            sid: try reader.optionalSID("sid"))
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint64LE(serial)
        writer.uint8(database.rawValue)
        writer.uint8(type.rawValue)
        writer.uint8(flags.rawValue)
        writer.uint32LE(rid)
        writer.text(name)
        writer.sid(sid)
    }
}
