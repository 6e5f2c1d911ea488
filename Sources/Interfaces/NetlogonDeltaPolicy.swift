import RPC
import Wire

// What a delta of LSA's database carries (MS-NRPC 2.2.1.5).

/// Limits of memory that nobody enforces any more (MS-NRPC 2.2.1.5.3, NLPR_QUOTA_LIMITS).
package struct NetlogonQuotaLimits: NDRMessage, Equatable, Sendable {
    package var pagedPoolLimit: UInt32 = 0
    package var nonPagedPoolLimit: UInt32 = 0
    package var minimumWorkingSetSize: UInt32 = 0
    package var maximumWorkingSetSize: UInt32 = 0
    package var pagefileLimit: UInt32 = 0

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        pagedPoolLimit = try stub.uint32("PagedPoolLimit")
        nonPagedPoolLimit = try stub.uint32("NonPagedPoolLimit")
        minimumWorkingSetSize = try stub.uint32("MinimumWorkingSetSize")
        maximumWorkingSetSize = try stub.uint32("MaximumWorkingSetSize")
        pagefileLimit = try stub.uint32("PagefileLimit")
        _ = try stub.longPair("Reserved")
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(pagedPoolLimit)
        stub.uint32(nonPagedPoolLimit)
        stub.uint32(minimumWorkingSetSize)
        stub.uint32(maximumWorkingSetSize)
        stub.uint32(pagefileLimit)
        stub.longPair(0)
    }
}

/// LSA's policy (MS-NRPC 2.2.1.5.19, NETLOGON_DELTA_POLICY):
/// ```
/// MaximumLogSize(4) AuditRetentionPeriod(8) AuditingMode(1) MaximumAuditEventCount(4)
/// EventAuditingOptions*(4) PrimaryDomainName(8) PrimaryDomainSid*(4) QuotaLimits(28)
/// ModifiedId(8) DatabaseCreationTime(8) SecurityInformation(4) SecuritySize(4)
/// SecurityDescriptor*(4) DummyString1…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaPolicy: NDRMessage, Equatable, Sendable {
    package var maximumLogSize: UInt32 = 0
    package var auditRetentionPeriod: UInt64 = 0
    package var auditingMode: UInt8 = 0
    /// One more than MaximumAuditEventCount says.
    package var eventAuditingOptions: [UInt32] = []
    package var primaryDomainName = ""
    package var primaryDomainSID: SID?
    package var quotaLimits = NetlogonQuotaLimits()
    package var modifiedID: UInt64 = 0
    package var databaseCreationTime: UInt64 = 0
    package var security = NetlogonDeltaSecurity()

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        maximumLogSize = try stub.uint32("MaximumLogSize")
        auditRetentionPeriod = try stub.longPair("AuditRetentionPeriod")
        auditingMode = try stub.uint8("AuditingMode")
        let events = Int(clamping: try stub.uint32("MaximumAuditEventCount"))
        let hasEvents = try stub.pointer("EventAuditingOptions")
        let name = try stub.countedString("PrimaryDomainName")
        let hasSID = try stub.pointer("PrimaryDomainSid")
        quotaLimits = try NetlogonQuotaLimits(parsing: &stub)
        modifiedID = try stub.longPair("ModifiedId")
        databaseCreationTime = try stub.longPair("DatabaseCreationTime")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        if hasEvents {
            eventAuditingOptions = try stub.longs(announced: events + 1, "EventAuditingOptions")
        }
        primaryDomainName = try stub.samText(of: name, "PrimaryDomainName")
        primaryDomainSID = hasSID ? try stub.sid("PrimaryDomainSid") : nil
        self.security = try security.pointee(&stub)
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(maximumLogSize)
        stub.longPair(auditRetentionPeriod)
        stub.uint8(auditingMode)
        stub.uint32(UInt32(max(eventAuditingOptions.count, 1) - 1))
        stub.pointer(!eventAuditingOptions.isEmpty)
        stub.samText(head: primaryDomainName)
        stub.pointer(primaryDomainSID != nil)
        quotaLimits.write(into: &stub)
        stub.longPair(modifiedID)
        stub.longPair(databaseCreationTime)
        security.writeHead(into: &stub)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        if !eventAuditingOptions.isEmpty { stub.longs(eventAuditingOptions) }
        stub.samText(buffer: primaryDomainName)
        if let primaryDomainSID { stub.sid(primaryDomainSID) }
        security.writePointee(into: &stub)
    }
}

/// A domain that this one trusts (MS-NRPC 2.2.1.5.22, NETLOGON_DELTA_TRUSTED_DOMAINS):
/// ```
/// DomainName(8) NumControllerEntries(4) ControllerNames*(4) SecurityInformation(4)
/// SecuritySize(4) SecurityDescriptor*(4) DummyString1…4 (8 each) TrustedPosixOffset(4)
/// DummyLong2…4 (4 each)
/// ```
package struct NetlogonDeltaTrustedDomain: NDRMessage, Equatable, Sendable {
    package static let maximumControllers = 256

    package var domainName = ""
    package var controllerNames: [String] = []
    package var security = NetlogonDeltaSecurity()
    package var trustedPosixOffset: UInt32 = 0

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let name = try stub.countedString("DomainName")
        let count = Int(clamping: try stub.uint32("NumControllerEntries"))
        let hasControllers = try stub.pointer("ControllerNames")
        if !hasControllers, count != 0 {
            throw stub.wire.invalid("NumControllerEntries", count, width: 8)
        }
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 0, parsing: &stub)
        trustedPosixOffset = try stub.uint32("TrustedPosixOffset")
        _ = try NetlogonDeltaReserve(strings: 0, longs: 3, parsing: &stub)
        domainName = try stub.samText(of: name, "DomainName")
        if hasControllers {
            controllerNames = try stub.texts(
                announced: count, limit: Self.maximumControllers, "ControllerNames")
        }
        self.security = try security.pointee(&stub)
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.samText(head: domainName)
        stub.uint32(UInt32(controllerNames.count))
        stub.pointer(!controllerNames.isEmpty)
        security.writeHead(into: &stub)
        NetlogonDeltaReserve.write(strings: 4, longs: 0, into: &stub)
        stub.uint32(trustedPosixOffset)
        NetlogonDeltaReserve.write(strings: 0, longs: 3, into: &stub)
        stub.samText(buffer: domainName)
        if !controllerNames.isEmpty { stub.texts(controllerNames) }
        security.writePointee(into: &stub)
    }
}

/// The privileges of an account (MS-NRPC 2.2.1.5.7, NETLOGON_DELTA_ACCOUNTS):
/// ```
/// PrivilegeEntries(4) PrivilegeControl(4) PrivilegeAttributes*(4) PrivilegeNames*(4)
/// QuotaLimits(28) SystemAccessFlags(4) SecurityInformation(4) SecuritySize(4)
/// SecurityDescriptor*(4) DummyString1…4 (8 each) DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaAccount: NDRMessage, Equatable, Sendable {
    package static let maximumPrivileges = 1_024

    package var privilegeControl: UInt32 = 0
    /// As many as names.
    package var privilegeAttributes: [UInt32] = []
    package var privilegeNames: [String] = []
    package var quotaLimits = NetlogonQuotaLimits()
    package var systemAccessFlags: UInt32 = 0
    package var security = NetlogonDeltaSecurity()

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let count = Int(clamping: try stub.uint32("PrivilegeEntries"))
        privilegeControl = try stub.uint32("PrivilegeControl")
        let hasAttributes = try stub.pointer("PrivilegeAttributes")
        let hasNames = try stub.pointer("PrivilegeNames")
        if hasAttributes != hasNames || count > 0 && !hasNames {
            throw stub.wire.invalid("PrivilegeEntries", count, width: 16)
        }
        quotaLimits = try NetlogonQuotaLimits(parsing: &stub)
        systemAccessFlags = try stub.uint32("SystemAccessFlags")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        if hasNames {
            privilegeAttributes = try stub.longs(announced: count, "PrivilegeAttributes")
            privilegeNames = try stub.texts(
                announced: count, limit: Self.maximumPrivileges, "PrivilegeNames")
        }
        self.security = try security.pointee(&stub)
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        precondition(privilegeAttributes.count == privilegeNames.count)
        stub.uint32(UInt32(privilegeNames.count))
        stub.uint32(privilegeControl)
        stub.pointer(!privilegeNames.isEmpty)
        stub.pointer(!privilegeNames.isEmpty)
        quotaLimits.write(into: &stub)
        stub.uint32(systemAccessFlags)
        security.writeHead(into: &stub)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        if !privilegeNames.isEmpty {
            stub.longs(privilegeAttributes)
            stub.texts(privilegeNames)
        }
        security.writePointee(into: &stub)
    }
}

/// A value that is encrypted with the session key (MS-NRPC 2.2.1.5.2, NLPR_CR_CIPHER_VALUE):
/// Length(4) MaximumLength(4) Buffer*(4).
package struct NetlogonCipherValue: Equatable, Sendable {
    package static let maximumLength = 65_536

    struct Head {
        var length: Int
        var maximum: Int
        var hasBuffer: Bool

        init(parsing stub: inout NDRReader) throws(WireError) {
            length = Int(clamping: try stub.uint32("Length"))
            maximum = Int(clamping: try stub.uint32("MaximumLength"))
            hasBuffer = try stub.pointer("Buffer")
            if !hasBuffer, length != 0 { throw stub.wire.invalid("Length", length, width: 12) }
        }

        func pointee(_ stub: inout NDRReader) throws(WireError) -> [UInt8] {
            guard hasBuffer else { return [] }
            let (room, actual) = try stub.varyingConformance(elementSize: 1, "Buffer")
            if room != maximum || actual != length || actual > NetlogonCipherValue.maximumLength {
                throw stub.wire.invalid("Buffer", actual, width: 4)
            }
            return stub.wire.copy(try stub.wire.take(actual, "Buffer"))
        }
    }

    static func writeHead(_ bytes: [UInt8], into stub: inout NDRWriter) {
        stub.uint32(UInt32(bytes.count))
        stub.uint32(UInt32(bytes.count))
        stub.pointer(!bytes.isEmpty)
    }

    static func writePointee(_ bytes: [UInt8], into stub: inout NDRWriter) {
        if bytes.isEmpty { return }
        stub.varyingConformance(bytes.count)
        stub.wire.append(bytes)
    }
}

/// A secret of LSA's (MS-NRPC 2.2.1.5.20, NETLOGON_DELTA_SECRET):
/// ```
/// CurrentValue(12) CurrentValueSetTime(8) OldValue(12) OldValueSetTime(8)
/// SecurityInformation(4) SecuritySize(4) SecurityDescriptor*(4) DummyString1…4 (8 each)
/// DummyLong1…4 (4 each)
/// ```
package struct NetlogonDeltaSecret: NDRMessage, Equatable, Sendable, CustomStringConvertible {
    /// Both encrypted with the session key.
    package var currentValue: [UInt8] = []
    package var currentValueSetTime: UInt64 = 0
    package var oldValue: [UInt8] = []
    package var oldValueSetTime: UInt64 = 0
    package var security = NetlogonDeltaSecurity()

    package init() {}

    package var description: String {
        "secret of \(currentValue.count) bytes, old one of \(oldValue.count)"
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let current = try NetlogonCipherValue.Head(parsing: &stub)
        currentValueSetTime = try stub.longPair("CurrentValueSetTime")
        let old = try NetlogonCipherValue.Head(parsing: &stub)
        oldValueSetTime = try stub.longPair("OldValueSetTime")
        let security = try NetlogonDeltaSecurity.Head(parsing: &stub)
        let reserve = try NetlogonDeltaReserve(strings: 4, longs: 4, parsing: &stub)
        currentValue = try current.pointee(&stub)
        oldValue = try old.pointee(&stub)
        self.security = try security.pointee(&stub)
        try reserve.parsePointees(&stub)
    }

    package func write(into stub: inout NDRWriter) {
        NetlogonCipherValue.writeHead(currentValue, into: &stub)
        stub.longPair(currentValueSetTime)
        NetlogonCipherValue.writeHead(oldValue, into: &stub)
        stub.longPair(oldValueSetTime)
        security.writeHead(into: &stub)
        NetlogonDeltaReserve.write(strings: 4, longs: 4, into: &stub)
        NetlogonCipherValue.writePointee(currentValue, into: &stub)
        NetlogonCipherValue.writePointee(oldValue, into: &stub)
        security.writePointee(into: &stub)
    }
}
