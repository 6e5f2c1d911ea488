import RPC
import Wire

/// An account of a page: its relative identifier and its name (MS-SAMR 2.2.7.6,
/// SAMPR_RID_ENUMERATION).
package struct SamrRIDName: Equatable, Sendable {
    package var relativeID: UInt32
    package var name: String

    package init(relativeID: UInt32, name: String) {
        self.relativeID = relativeID
        self.name = name
    }
}

/// A request for the next page. The preferred length is of the page's bytes.
package struct SamrEnumerateRequest: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    /// Zero at first, then what the last page's response said.
    package var enumerationContext: UInt32
    package var preferredMaximumLength: UInt32

    package init(
        handle: ContextHandle, enumerationContext: UInt32 = 0,
        preferredMaximumLength: UInt32 = 0xffff
    ) {
        self.handle = handle
        self.enumerationContext = enumerationContext
        self.preferredMaximumLength = preferredMaximumLength
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        enumerationContext = try stub.uint32("EnumerationContext")
        preferredMaximumLength = try stub.uint32("PreferedMaximumLength")
        try stub.expectEndOfRequest("PreferedMaximumLength")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.uint32(enumerationContext)
        stub.uint32(preferredMaximumLength)
    }
}

/// A page (MS-SAMR 2.2.7.7, SAMPR_ENUMERATION_BUFFER):
/// ```
/// EnumerationContext(4)  Buffer*(4) → EntriesRead(4) Buffer*(4) → (RelativeId(4) Name(8))…
/// CountReturned(4)  status(4)
/// ```
package struct SamrEnumerateResponse: NDRMessage, Equatable, Sendable {
    package var enumerationContext: UInt32
    /// Nil where the call failed.
    package var entries: [SamrRIDName]?
    package var status: NTStatus

    package init(
        enumerationContext: UInt32, entries: [SamrRIDName]?, status: NTStatus = .success
    ) {
        self.enumerationContext = enumerationContext
        self.entries = entries
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        enumerationContext = try stub.uint32("EnumerationContext")
        entries = try stub.pointer("Buffer") ? try Self.page(&stub) : nil
        let count = Int(clamping: try stub.uint32("CountReturned"))
        if count != entries?.count ?? 0 {
            throw stub.wire.invalid("CountReturned", count, width: 4)
        }
        status = try stub.status("status")
        try stub.expectEnd("CountReturned")
    }

    private static func page(_ stub: inout NDRReader) throws(WireError) -> [SamrRIDName] {
        let announced = Int(clamping: try stub.uint32("EntriesRead"))
        guard try stub.pointer("Buffer") else {
            if announced != 0 { throw stub.wire.invalid("EntriesRead", announced, width: 8) }
            return []
        }
        let count = try stub.conformance(
            elementSize: 12, limit: SAMR.maximumElements, "Buffer")
        if count != announced { throw stub.wire.invalid("Buffer", count, width: 4) }
        var entries: [SamrRIDName] = []
        var names: [CountedString] = []
        for _ in 0..<count {
            entries.append(SamrRIDName(relativeID: try stub.uint32("RelativeId"), name: ""))
            names.append(try stub.countedString("Name"))
        }
        for index in 0..<count {
            entries[index].name = try stub.samText(of: names[index], "Name")
        }
        return entries
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(enumerationContext)
        stub.pointer(entries != nil)
        if let entries {
            stub.uint32(UInt32(entries.count))
            stub.pointer(!entries.isEmpty)
            if !entries.isEmpty {
                stub.uint32(UInt32(entries.count))
                for entry in entries {
                    stub.uint32(entry.relativeID)
                    stub.samText(head: entry.name)
                }
                for entry in entries { stub.samText(buffer: entry.name) }
            }
        }
        stub.uint32(UInt32(entries?.count ?? 0))
        stub.status(status)
    }
}

/// The groups of a domain (MS-SAMR 3.1.5.2.3).
package enum SamrEnumerateGroupsInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 11
    package typealias Request = SamrEnumerateRequest
    package typealias Response = SamrEnumerateResponse
}

/// The aliases of a domain (MS-SAMR 3.1.5.2.4).
package enum SamrEnumerateAliasesInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 15
    package typealias Request = SamrEnumerateRequest
    package typealias Response = SamrEnumerateResponse
}

/// The users and machine accounts of a domain (MS-SAMR 3.1.5.2.5).
package enum SamrEnumerateUsersInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 13
    package typealias Response = SamrEnumerateResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var enumerationContext: UInt32
        /// Only accounts with all of these bits (MS-SAMR 2.2.1.12); zero for every account.
        package var userAccountControl: UInt32
        package var preferredMaximumLength: UInt32

        package init(
            domainHandle: ContextHandle, enumerationContext: UInt32 = 0,
            userAccountControl: UInt32 = 0, preferredMaximumLength: UInt32 = 0xffff
        ) {
            self.domainHandle = domainHandle
            self.enumerationContext = enumerationContext
            self.userAccountControl = userAccountControl
            self.preferredMaximumLength = preferredMaximumLength
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            enumerationContext = try stub.uint32("EnumerationContext")
            userAccountControl = try stub.uint32("UserAccountControl")
            preferredMaximumLength = try stub.uint32("PreferedMaximumLength")
            try stub.expectEndOfRequest("SamrEnumerateUsersInDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.uint32(enumerationContext)
            stub.uint32(userAccountControl)
            stub.uint32(preferredMaximumLength)
        }
    }
}
