import RPC
import Wire

/// The Local Security Authority's policy and translation protocols (MS-LSAD, MS-LSAT), which
/// share one interface.
package enum LSA {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x1234_5778, data2: 0x1234, data3: 0xabcd, data4: 0xef00_0123_4567_89ab), 0)

    /// Below `\PIPE\`.
    package static let pipe = "lsarpc"
}

/// What a handle may be used for (MS-LSAD 2.2.1.1).
package enum LSAAccess {
    package static let viewLocalInformation: UInt32 = 0x0000_0001
    package static let viewAuditInformation: UInt32 = 0x0000_0002
    package static let viewPrivateInformation: UInt32 = 0x0000_0004
    package static let lookupNames: UInt32 = 0x0000_0800
    /// Of an account: to list its privileges.
    package static let viewAccount: UInt32 = 0x0000_0001
    /// Of a trusted domain: to query its name.
    package static let queryDomainName: UInt32 = 0x0000_0001
    /// All that is the caller's to have.
    package static let maximumAllowed: UInt32 = 0x0200_0000
}

/// What comes with the opening of a policy (MS-LSAD 2.2.9, LSAPR_OBJECT_ATTRIBUTES): nothing that
/// anyone heeds.
/// ```
/// Length(4)  RootDirectory(4)  ObjectName(4)  Attributes(4)  SecurityDescriptor(4)
/// SecurityQualityOfService(4)
/// ```
/// The quality of service (2.2.3.7): Length(4) ImpersonationLevel(2) ContextTrackingMode(1)
/// EffectiveOnly(1). Clients set no other pointer, so that one which is set is refused.
package struct LSAObjectAttributes: NDRMessage, Equatable, Sendable {
    package struct QualityOfService: Equatable, Sendable {
        package var impersonationLevel: UInt16
        package var contextTrackingMode: UInt8
        package var effectiveOnly: UInt8

        package init(
            impersonationLevel: UInt16 = 2, contextTrackingMode: UInt8 = 1,
            effectiveOnly: UInt8 = 0
        ) {
            self.impersonationLevel = impersonationLevel
            self.contextTrackingMode = contextTrackingMode
            self.effectiveOnly = effectiveOnly
        }
    }

    package var attributes: UInt32
    package var qualityOfService: QualityOfService?

    package init(attributes: UInt32 = 0, qualityOfService: QualityOfService? = nil) {
        self.attributes = attributes
        self.qualityOfService = qualityOfService
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        _ = try stub.uint32("Length")
        if try stub.pointer("RootDirectory") {
            throw stub.wire.invalid("RootDirectory", 1, width: 4)
        }
        if try stub.pointer("ObjectName") { throw stub.wire.invalid("ObjectName", 1, width: 4) }
        attributes = try stub.uint32("Attributes")
        if try stub.pointer("SecurityDescriptor") {
            throw stub.wire.invalid("SecurityDescriptor", 1, width: 4)
        }
        guard try stub.pointer("SecurityQualityOfService") else { return }
        _ = try stub.uint32("Length")
        qualityOfService = QualityOfService(
            impersonationLevel: try stub.uint16("ImpersonationLevel"),
            contextTrackingMode: try stub.uint8("ContextTrackingMode"),
            effectiveOnly: try stub.uint8("EffectiveOnly"))
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(24)
        stub.pointer(false)
        stub.pointer(false)
        stub.uint32(attributes)
        stub.pointer(false)
        stub.pointer(qualityOfService != nil)
        guard let qualityOfService else { return }
        stub.uint32(12)
        stub.uint16(qualityOfService.impersonationLevel)
        stub.uint8(qualityOfService.contextTrackingMode)
        stub.uint8(qualityOfService.effectiveOnly)
    }
}

/// The response of every call that opens something: a handle, all zero where that failed.
package struct OpenedHandle: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    package var status: NTStatus

    package init(handle: ContextHandle, status: NTStatus = .success) {
        self.handle = handle
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("handle")
        status = try stub.status("status")
        try stub.expectEnd("status")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.status(status)
    }
}

/// A domain's name and SID (MS-LSAT 2.2.11, LSAPR_TRUST_INFORMATION; also MS-LSAD's
/// LSAPR_POLICY_PRIMARY_DOM_INFO and LSAPR_POLICY_ACCOUNT_DOM_INFO): Name(8) Sid(4).
package struct LSADomain: NDRElement, Hashable, Sendable {
    package static var byteCount: Int { 12 }

    package var name: String?
    package var sid: SID?

    package init(name: String?, sid: SID?) {
        self.name = name
        self.sid = sid
    }

    package struct Pointees {
        var name: CountedString
        var hasSID: Bool
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (LSADomain, Pointees) {
        let name = try stub.countedString("Name")
        let hasSID = try stub.pointer("Sid")
        return (LSADomain(name: nil, sid: nil), Pointees(name: name, hasSID: hasSID))
    }

    package mutating func parsePointees(
        _ pointees: Pointees, from stub: inout NDRReader
    ) throws(WireError) {
        name = try stub.text(of: pointees.name, "Name")
        if pointees.hasSID { sid = try stub.sid("Sid") }
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.countedString(name)
        stub.pointer(sid != nil)
    }

    package func writePointees(into stub: inout NDRWriter) {
        stub.buffer(of: name)
        if let sid { stub.sid(sid) }
    }
}
