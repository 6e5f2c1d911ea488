import RPC
import Wire

/// What every enumeration asks: the next entries after `enumerationContext`, of about
/// `preferredMaximumLength` bytes.
package struct EnumerationRequest: NDRMessage, Equatable, Sendable {
    package var policyHandle: ContextHandle
    /// Zero at first, then what the last response said.
    package var enumerationContext: UInt32
    package var preferredMaximumLength: UInt32

    package init(
        policyHandle: ContextHandle, enumerationContext: UInt32 = 0,
        preferredMaximumLength: UInt32 = 0xffff
    ) {
        self.policyHandle = policyHandle
        self.enumerationContext = enumerationContext
        self.preferredMaximumLength = preferredMaximumLength
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        policyHandle = try stub.contextHandle("PolicyHandle")
        enumerationContext = try stub.uint32("EnumerationContext")
        preferredMaximumLength = try stub.uint32("PreferedMaximumLength")
        try stub.expectEndOfRequest("LsarEnumerate")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(policyHandle)
        stub.uint32(enumerationContext)
        stub.uint32(preferredMaximumLength)
    }
}

/// The entries, and `moreEntries` where others follow, `noMoreEntries` where none are left.
package struct EnumerationResponse<Entry: NDRElement & Equatable & Sendable>: NDRMessage, Equatable,
    Sendable
{
    /// More than any server returns at once.
    package static var maximumEntries: Int { 65_536 }

    package var enumerationContext: UInt32
    package var entries: [Entry]
    package var status: NTStatus

    package init(enumerationContext: UInt32, entries: [Entry], status: NTStatus = .success) {
        self.enumerationContext = enumerationContext
        self.entries = entries
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        enumerationContext = try stub.uint32("EnumerationContext")
        let array = try stub.countedArray("EnumerationBuffer")
        entries = try stub.elements(
            of: array, limit: Self.maximumEntries, "EnumerationBuffer")
        status = try stub.status("status")
        try stub.expectEnd("LsarEnumerate")
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(enumerationContext)
        stub.countedArray(entries.count)
        stub.elements(of: entries)
        stub.status(status)
    }
}

/// A privilege (MS-LSAD 2.2.8.2, LSAPR_POLICY_PRIVILEGE_DEF): Name(8) LocalValue(8).
package struct PrivilegeDefinition: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 16 }

    package var name: String?
    /// A LUID: two longs.
    package var localValue: UInt64

    package init(name: String?, localValue: UInt64) {
        self.name = name
        self.localValue = localValue
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (PrivilegeDefinition, CountedString) {
        let name = try stub.countedString("Name")
        let value = try stub.longPair("LocalValue")
        return (PrivilegeDefinition(name: nil, localValue: value), name)
    }

    package mutating func parsePointees(
        _ pointees: CountedString, from stub: inout NDRReader
    ) throws(WireError) {
        name = try stub.text(of: pointees, "Name")
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.countedString(name)
        stub.longPair(localValue)
    }

    package func writePointees(into stub: inout NDRWriter) { stub.buffer(of: name) }
}

/// Lists the privileges that there are (MS-LSAD 3.1.4.8.1).
package enum LsarEnumeratePrivileges: RemoteProcedure {
    package static let opnum: UInt16 = 2
    package typealias Request = EnumerationRequest
    package typealias Response = EnumerationResponse<PrivilegeDefinition>
}

/// Lists the accounts that have privileges (MS-LSAD 3.1.4.5.2).
package enum LsarEnumerateAccounts: RemoteProcedure {
    package static let opnum: UInt16 = 11
    package typealias Request = EnumerationRequest
    package typealias Response = EnumerationResponse<PointedSID>
}

/// Lists the trusted domains by name and SID (MS-LSAD 3.1.4.7.8).
package enum LsarEnumerateTrustedDomains: RemoteProcedure {
    package static let opnum: UInt16 = 13
    package typealias Request = EnumerationRequest
    package typealias Response = EnumerationResponse<LSADomain>
}

/// Lists the trusted domains with what the trusts are (MS-LSAD 3.1.4.7.7).
package enum LsarEnumerateTrustedDomainsEx: RemoteProcedure {
    package static let opnum: UInt16 = 50
    package typealias Request = EnumerationRequest
    package typealias Response = EnumerationResponse<TrustedDomainInformationEx>
}
