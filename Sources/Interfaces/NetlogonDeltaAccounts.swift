import RPC
import Wire

// What a delta of the account database carries (MS-NRPC 2.2.1.5). Times are in 100 ns since 1601.

/// A domain's policy (MS-NRPC 2.2.1.5.10, NETLOGON_DELTA_DOMAIN):
/// ```
/// DomainName(8) OemInformation(8) ForceLogoff(8) MinPasswordLength(2) PasswordHistoryLength(2)
/// MaxPasswordAge(8) MinPasswordAge(8) DomainModifiedCount(8) DomainCreationTime(8)
/// SecurityInformation(4) SecuritySize(4) SecurityDescriptor*(4) DomainLockoutInformation(8)
/// DummyString2…4 (8 each) PasswordProperties(4) DummyLong2…4 (4 each)
/// ```
package struct NetlogonDeltaDomain: NDRMessage, Equatable, Sendable {
    package var domainName = ""
    package var oemInformation = ""
    package var forceLogoff: UInt64 = 0
    package var minPasswordLength: UInt16 = 0
    package var passwordHistoryLength: UInt16 = 0
    package var maxPasswordAge: UInt64 = 0
    package var minPasswordAge: UInt64 = 0
    package var domainModifiedCount: UInt64 = 0
    package var domainCreationTime: UInt64 = 0
    package var security = NetlogonDeltaSecurity()
    /// In a text's place: LockoutDuration(8), LockoutObservationWindow(8), LockoutThreshold(2)
    /// and six bytes of padding.
    package var lockout: SamrLockoutPolicy?
    package var passwordProperties: UInt32 = 0

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let name = try stub.countedString("DomainName")
        let oem = try stub.countedString("OemInformation")
        forceLogoff = try stub.longPair("ForceLogoff")
        minPasswordLength = try stub.uint16("MinPasswordLength")
        passwordHistoryLength = try stub.uint16("PasswordHistoryLength")
        maxPasswordAge = try stub.longPair("MaxPasswordAge")
        minPasswordAge = try stub.longPair("MinPasswordAge")
        domainModifiedCount = try stub.longPair("DomainModifiedCount")
        domainCreationTime = try stub.longPair("DomainCreationTime")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let lockout = try stub.countedString("DomainLockoutInformation")
        let strings = try NetlogonDeltaReserve(strings: 3, longs: 0, parsing: &stub)
        passwordProperties = try stub.uint32("PasswordProperties")
        _ = try NetlogonDeltaReserve(strings: 0, longs: 3, parsing: &stub)
        domainName = try stub.samText(of: name, "DomainName")
        oemInformation = try stub.samText(of: oem, "OemInformation")
        self.security = try security.pointee(&stub)
        self.lockout = try Self.lockout(lockout, &stub)
        try strings.parsePointees(&stub)
    }

    private static func lockout(
        _ head: CountedString, _ stub: inout NDRReader
    ) throws(WireError) -> SamrLockoutPolicy? {
        guard let range = try stub.buffer(of: head, "DomainLockoutInformation"), !range.isEmpty
        else { return nil }
        var part = stub.wire.part(range)
        let duration = try part.uint64LE("LockoutDuration")
        let window = try part.uint64LE("LockoutObservationWindow")
        return SamrLockoutPolicy(
            lockoutDuration: duration, lockoutObservationWindow: window,
            lockoutThreshold: try part.uint16LE("LockoutThreshold"))
    }

    private var lockoutBytes: [UInt8]? {
        guard let lockout else { return nil }
        var writer = WireWriter(capacity: 24)
        writer.uint64LE(lockout.lockoutDuration)
        writer.uint64LE(lockout.lockoutObservationWindow)
        writer.uint16LE(lockout.lockoutThreshold)
        writer.zeros(6)
        return writer.finish()
    }

    package func write(into stub: inout NDRWriter) {
        let lockout = lockoutBytes
        stub.samText(head: domainName)
        stub.samText(head: oemInformation)
        stub.longPair(forceLogoff)
        stub.uint16(minPasswordLength)
        stub.uint16(passwordHistoryLength)
        stub.longPair(maxPasswordAge)
        stub.longPair(minPasswordAge)
        stub.longPair(domainModifiedCount)
        stub.longPair(domainCreationTime)
        security.writeHead(into: &stub)
        stub.countedBytes(lockout)
        NetlogonDeltaReserve.write(strings: 3, longs: 0, into: &stub)
        stub.uint32(passwordProperties)
        NetlogonDeltaReserve.write(strings: 0, longs: 3, into: &stub)
        stub.samText(buffer: domainName)
        stub.samText(buffer: oemInformation)
        security.writePointee(into: &stub)
        if let lockout {
            stub.varyingConformance(lockout.count / 2)
            stub.wire.append(lockout)
        }
    }
}

/// A group (MS-NRPC 2.2.1.5.13, NETLOGON_DELTA_GROUP):
/// ```
/// Name(8) RelativeId(4) Attributes(4) AdminComment(8) SecurityInformation(4) SecuritySize(4)
/// SecurityDescriptor*(4) DummyString1…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaGroup: NDRMessage, Equatable, Sendable {
    package var name = ""
    package var relativeID: UInt32 = 0
    package var attributes: UInt32 = 0
    package var adminComment = ""
    package var security = NetlogonDeltaSecurity()

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let name = try stub.countedString("Name")
        relativeID = try stub.uint32("RelativeId")
        attributes = try stub.uint32("Attributes")
        let comment = try stub.countedString("AdminComment")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        self.name = try stub.samText(of: name, "Name")
        adminComment = try stub.samText(of: comment, "AdminComment")
        self.security = try security.pointee(&stub)
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.samText(head: name)
        stub.uint32(relativeID)
        stub.uint32(attributes)
        stub.samText(head: adminComment)
        security.writeHead(into: &stub)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        stub.samText(buffer: name)
        stub.samText(buffer: adminComment)
        security.writePointee(into: &stub)
    }
}

/// A new name (MS-NRPC 2.2.1.5.23 to .25, NETLOGON_RENAME_GROUP, _USER and _ALIAS):
/// ```
/// OldName(8) NewName(8) DummyString1…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaRename: NDRMessage, Equatable, Sendable {
    package var oldName: String
    package var newName: String

    package init(oldName: String, newName: String) {
        self.oldName = oldName
        self.newName = newName
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let old = try stub.countedString("OldName")
        let new = try stub.countedString("NewName")
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        oldName = try stub.samText(of: old, "OldName")
        newName = try stub.samText(of: new, "NewName")
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.samText(head: oldName)
        stub.samText(head: newName)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        stub.samText(buffer: oldName)
        stub.samText(buffer: newName)
    }
}

/// All members of a group (MS-NRPC 2.2.1.5.14, NETLOGON_DELTA_GROUP_MEMBER):
/// ```
/// Members*(4) Attributes*(4) MemberCount(4) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaGroupMembers: NDRMessage, Equatable, Sendable {
    package var members: [GroupMembership]

    package init(members: [GroupMembership]) { self.members = members }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let hasMembers = try stub.pointer("Members")
        let hasAttributes = try stub.pointer("Attributes")
        let count = Int(clamping: try stub.uint32("MemberCount"))
        _ = try NetlogonDeltaReserve(strings: 0, longs: 4, parsing: &stub)
        if hasMembers != hasAttributes || count > 0 && !hasMembers {
            throw stub.wire.invalid("MemberCount", count)
        }
        members = []
        guard hasMembers else { return }
        let ids = try stub.longs(announced: count, "Members")
        let attributes = try stub.longs(announced: count, "Attributes")
        members = ids.indices.map {
            GroupMembership(relativeID: ids[$0], attributes: attributes[$0])
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(!members.isEmpty)
        stub.pointer(!members.isEmpty)
        stub.uint32(UInt32(members.count))
        NetlogonDeltaReserve.write(strings: 0, longs: 4, into: &stub)
        if !members.isEmpty {
            stub.longs(members.map { $0.relativeID })
            stub.longs(members.map { $0.attributes })
        }
    }
}

/// An alias (MS-NRPC 2.2.1.5.8, NETLOGON_DELTA_ALIAS):
/// ```
/// Name(8) RelativeId(4) SecurityInformation(4) SecuritySize(4) SecurityDescriptor*(4)
/// Comment(8) DummyString2…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaAlias: NDRMessage, Equatable, Sendable {
    package var name = ""
    package var relativeID: UInt32 = 0
    package var security = NetlogonDeltaSecurity()
    package var comment = ""

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let name = try stub.countedString("Name")
        relativeID = try stub.uint32("RelativeId")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let comment = try stub.countedString("Comment")
        let reserve = try NetlogonDeltaReserve(strings: 3, longs: 4, parsing: &stub)
        self.name = try stub.samText(of: name, "Name")
        self.security = try security.pointee(&stub)
        self.comment = try stub.samText(of: comment, "Comment")
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.samText(head: name)
        stub.uint32(relativeID)
        security.writeHead(into: &stub)
        stub.samText(head: comment)
        NetlogonDeltaReserve.write(strings: 3, longs: 4, into: &stub)
        stub.samText(buffer: name)
        security.writePointee(into: &stub)
        stub.samText(buffer: comment)
    }
}

/// All members of an alias (MS-NRPC 2.2.1.5.9, NETLOGON_DELTA_ALIAS_MEMBER):
/// ```
/// Members: Count(4) Sids*(4)  DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaAliasMembers: NDRMessage, Equatable, Sendable {
    package var members: [SID]

    package init(members: [SID]) { self.members = members }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let count = Int(clamping: try stub.uint32("Count"))
        let hasSIDs = try stub.pointer("Sids")
        if !hasSIDs, count != 0 { throw stub.wire.invalid("Count", count, width: 8) }
        _ = try NetlogonDeltaReserve(strings: 0, longs: 4, parsing: &stub)
        members =
            hasSIDs ? try stub.sids(announced: count, limit: SAMR.maximumElements, "Sids") : []
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(UInt32(members.count))
        stub.pointer(!members.isEmpty)
        NetlogonDeltaReserve.write(strings: 0, longs: 4, into: &stub)
        if !members.isEmpty { stub.sids(members) }
    }
}

/// The name of what was deleted (MS-NRPC 2.2.1.5.15, NETLOGON_DELTA_DELETE_GROUP and _USER):
/// ```
/// AccountName*(4) DummyString1…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaDelete: NDRMessage, Equatable, Sendable {
    package var accountName: String?

    package init(accountName: String?) { self.accountName = accountName }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let hasName = try stub.pointer("AccountName")
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        accountName = hasName ? try stub.wideText("AccountName") : nil
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(accountName != nil)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        if let accountName { stub.wideString(accountName) }
    }
}
