import RPC
import Wire

/// Which part of the policy is asked for (MS-LSAD 2.2.4.1, POLICY_INFORMATION_CLASS).
package struct PolicyInformationClass: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let auditLog = PolicyInformationClass(rawValue: 1)
    package static let auditEvents = PolicyInformationClass(rawValue: 2)
    package static let primaryDomain = PolicyInformationClass(rawValue: 3)
    package static let pdAccount = PolicyInformationClass(rawValue: 4)
    package static let accountDomain = PolicyInformationClass(rawValue: 5)
    package static let serverRole = PolicyInformationClass(rawValue: 6)
    package static let replicaSource = PolicyInformationClass(rawValue: 7)
    package static let defaultQuota = PolicyInformationClass(rawValue: 8)
    package static let dnsDomain = PolicyInformationClass(rawValue: 12)
    package static let dnsDomainInternal = PolicyInformationClass(rawValue: 13)
    package static let localAccountDomain = PolicyInformationClass(rawValue: 14)
}

/// POLICY_AUDIT_LOG_INFO (MS-LSAD 2.2.4.3): how full the log of events is.
package struct PolicyAuditLog: Equatable, Sendable {
    package var percentFull: UInt32 = 0
    /// Kilobytes.
    package var maximumLogSize: UInt32 = 0
    package var retentionPeriod: UInt64 = 0
    package var fullShutdownInProgress = false
    package var timeToShutdown: UInt64 = 0
    package var nextAuditRecordID: UInt32 = 0

    package init() {}
}

/// POLICY_DEFAULT_QUOTA_INFO (MS-LSAD 2.2.4.9): limits of memory, which nobody has set for long.
package struct PolicyQuota: Equatable, Sendable {
    package var pagedPoolLimit: UInt32 = 0
    package var nonPagedPoolLimit: UInt32 = 0
    package var minimumWorkingSetSize: UInt32 = 0
    package var maximumWorkingSetSize: UInt32 = 0
    package var pagefileLimit: UInt32 = 0
    package var timeLimit: UInt64 = 0

    package init() {}
}

/// LSAPR_POLICY_DNS_DOMAIN_INFO (MS-LSAD 2.2.4.14):
/// ```
/// Name(8)  DnsDomainName(8)  DnsForestName(8)  DomainGuid(16)  Sid(4)
/// ```
package struct PolicyDNSDomain: Equatable, Sendable {
    package var name: String?
    package var dnsDomainName: String?
    package var dnsForestName: String?
    package var domainGUID: GUID
    package var sid: SID?

    package init(
        name: String?, dnsDomainName: String? = nil, dnsForestName: String? = nil,
        domainGUID: GUID = .zero, sid: SID?
    ) {
        self.name = name
        self.dnsDomainName = dnsDomainName
        self.dnsForestName = dnsForestName
        self.domainGUID = domainGUID
        self.sid = sid
    }

    init(parsing stub: inout NDRReader) throws(WireError) {
        let first = try stub.countedString("Name")
        let second = try stub.countedString("DnsDomainName")
        let third = try stub.countedString("DnsForestName")
        domainGUID = try GUID(parsing: &stub.wire)
        let hasSID = try stub.pointer("Sid")
        name = try stub.text(of: first, "Name")
        dnsDomainName = try stub.text(of: second, "DnsDomainName")
        dnsForestName = try stub.text(of: third, "DnsForestName")
        sid = hasSID ? try stub.sid("Sid") : nil
    }

    func write(into stub: inout NDRWriter) {
        stub.countedString(name)
        stub.countedString(dnsDomainName)
        stub.countedString(dnsForestName)
        domainGUID.write(into: &stub.wire)
        stub.pointer(sid != nil)
        stub.buffer(of: name)
        stub.buffer(of: dnsDomainName)
        stub.buffer(of: dnsForestName)
        if let sid { stub.sid(sid) }
    }
}

/// A part of the policy (MS-LSAD 2.2.4.2, LSAPR_POLICY_INFORMATION): the class(2), then the
/// part, aligned to 8 because some parts hold a time.
package enum PolicyInformation: Equatable, Sendable {
    /// As many kinds of events as any version counts, and some.
    package static let maximumAuditEvents = 64

    /// PolicyServerRoleBackup and PolicyServerRolePrimary (2.2.4.8).
    package static let backupRole: UInt16 = 2
    package static let primaryRole: UInt16 = 3

    case auditLog(PolicyAuditLog)
    /// Whether events are audited, and for each kind whether its successes (1) or failures (2) are.
    case auditEvents(isAuditing: Bool, options: [UInt32])
    case primaryDomain(LSADomain)
    case pdAccount(String?)
    case accountDomain(LSADomain)
    case serverRole(UInt16)
    case replicaSource(source: String?, account: String?)
    case defaultQuota(PolicyQuota)
    case dnsDomain(PolicyDNSDomain)
    case dnsDomainInternal(PolicyDNSDomain)
    case localAccountDomain(LSADomain)

    package var informationClass: PolicyInformationClass {
        switch self {
        case .auditLog: .auditLog
        case .auditEvents: .auditEvents
        case .primaryDomain: .primaryDomain
        case .pdAccount: .pdAccount
        case .accountDomain: .accountDomain
        case .serverRole: .serverRole
        case .replicaSource: .replicaSource
        case .defaultQuota: .defaultQuota
        case .dnsDomain: .dnsDomain
        case .dnsDomainInternal: .dnsDomainInternal
        case .localAccountDomain: .localAccountDomain
        }
    }
}

extension PolicyInformation: NDRMessage {
    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = PolicyInformationClass(rawValue: try stub.uint16("InformationClass"))
        try stub.align(8, "PolicyInformation")
        switch tag {
        case .auditLog: self = .auditLog(try PolicyAuditLog(parsing: &stub))
        case .auditEvents: self = try Self.auditEvents(&stub)
        case .primaryDomain: self = .primaryDomain(try stub.whole())
        case .pdAccount: self = .pdAccount(try stub.unicodeString("Name"))
        case .accountDomain: self = .accountDomain(try stub.whole())
        case .serverRole: self = .serverRole(try stub.uint16("LsaServerRole"))
        case .replicaSource:
            let first = try stub.countedString("ReplicaSource")
            let second = try stub.countedString("ReplicaAccountName")
            let source = try stub.text(of: first, "ReplicaSource")
            let account = try stub.text(of: second, "ReplicaAccountName")
            self = .replicaSource(source: source, account: account)
        case .defaultQuota: self = .defaultQuota(try PolicyQuota(parsing: &stub))
        case .dnsDomain: self = .dnsDomain(try PolicyDNSDomain(parsing: &stub))
        case .dnsDomainInternal: self = .dnsDomainInternal(try PolicyDNSDomain(parsing: &stub))
        case .localAccountDomain: self = .localAccountDomain(try stub.whole())
        case _: throw stub.wire.invalid("InformationClass", Int(tag.rawValue))
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass.rawValue)
        stub.align(8)
        switch self {
        case .auditLog(let log): log.write(into: &stub)
        case .auditEvents(let isAuditing, let options):
            stub.uint8(isAuditing ? 1 : 0)
            stub.pointer(!options.isEmpty)
            stub.uint32(UInt32(options.count))
            guard !options.isEmpty else { return }
            stub.uint32(UInt32(options.count))
            for option in options { stub.uint32(option) }
        case .primaryDomain(let domain), .accountDomain(let domain),
            .localAccountDomain(let domain):
            stub.whole(domain)
        case .pdAccount(let name): stub.unicodeString(name)
        case .serverRole(let role): stub.uint16(role)
        case .replicaSource(let source, let account):
            stub.countedString(source)
            stub.countedString(account)
            stub.buffer(of: source)
            stub.buffer(of: account)
        case .defaultQuota(let quota): quota.write(into: &stub)
        case .dnsDomain(let domain), .dnsDomainInternal(let domain): domain.write(into: &stub)
        }
    }

    /// LSAPR_POLICY_AUDIT_EVENTS_INFO (2.2.4.4): AuditingMode(1), the options' pointer(4) and
    /// their count(4).
    private static func auditEvents(
        _ stub: inout NDRReader
    ) throws(WireError) -> PolicyInformation {
        let isAuditing = try stub.uint8("AuditingMode") != 0
        let hasOptions = try stub.pointer("EventAuditingOptions")
        let announced = Int(clamping: try stub.uint32("MaximumAuditEventCount"))
        var options: [UInt32] = []
        if hasOptions {
            let count = try stub.conformance(
                elementSize: 4, limit: maximumAuditEvents, "EventAuditingOptions")
            if count != announced { throw stub.wire.invalid("MaximumAuditEventCount", announced) }
            for _ in 0..<count { options.append(try stub.uint32("EventAuditingOptions")) }
        }
        return .auditEvents(isAuditing: isAuditing, options: options)
    }
}

extension PolicyAuditLog {
    init(parsing stub: inout NDRReader) throws(WireError) {
        percentFull = try stub.uint32("AuditLogPercentFull")
        maximumLogSize = try stub.uint32("MaximumLogSize")
        retentionPeriod = try stub.uint64("AuditRetentionPeriod")
        fullShutdownInProgress = try stub.uint8("AuditLogFullShutdownInProgress") != 0
        timeToShutdown = try stub.uint64("TimeToShutdown")
        nextAuditRecordID = try stub.uint32("NextAuditRecordId")
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(percentFull)
        stub.uint32(maximumLogSize)
        stub.uint64(retentionPeriod)
        stub.uint8(fullShutdownInProgress ? 1 : 0)
        stub.uint64(timeToShutdown)
        stub.uint32(nextAuditRecordID)
    }
}

extension PolicyQuota {
    init(parsing stub: inout NDRReader) throws(WireError) {
        pagedPoolLimit = try stub.uint32("PagedPoolLimit")
        nonPagedPoolLimit = try stub.uint32("NonPagedPoolLimit")
        minimumWorkingSetSize = try stub.uint32("MinimumWorkingSetSize")
        maximumWorkingSetSize = try stub.uint32("MaximumWorkingSetSize")
        pagefileLimit = try stub.uint32("PagefileLimit")
        timeLimit = try stub.uint64("TimeLimit")
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(pagedPoolLimit)
        stub.uint32(nonPagedPoolLimit)
        stub.uint32(minimumWorkingSetSize)
        stub.uint32(maximumWorkingSetSize)
        stub.uint32(pagefileLimit)
        stub.uint64(timeLimit)
    }
}
