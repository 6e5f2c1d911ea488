import RPC
import Wire

/// Relative identifiers by names (MS-SAMR 3.1.5.11.2).
package enum SamrLookupNamesInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 17

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        /// 1,000 at most; the array is always announced with room for that many.
        package var names: [String]

        package init(domainHandle: ContextHandle, names: [String]) {
            self.domainHandle = domainHandle
            self.names = names
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            let count = try samrLookupCount(&stub, elementSize: 8, "Names")
            var heads: [CountedString] = []
            for _ in 0..<count { heads.append(try stub.countedString("Names")) }
            names = []
            for head in heads { names.append(try stub.samText(of: head, "Names")) }
            try stub.expectEndOfRequest("SamrLookupNamesInDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            writeSamrLookupCount(names.count, into: &stub)
            for name in names { stub.samText(head: name) }
            for name in names { stub.samText(buffer: name) }
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Zero where a name stands for nothing here.
        package var relativeIDs: [UInt32]
        package var uses: [SIDNameUse]
        package var status: NTStatus

        package init(relativeIDs: [UInt32], uses: [SIDNameUse], status: NTStatus = .success) {
            self.relativeIDs = relativeIDs
            self.uses = uses
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            relativeIDs = try stub.longArray("RelativeIds")
            uses = try stub.longArray("Use").map { SIDNameUse(rawValue: UInt16(clamping: $0)) }
            status = try stub.status("status")
            try stub.expectEnd("SamrLookupNamesInDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.longArray(relativeIDs)
            stub.longArray(uses.map { UInt32($0.rawValue) })
            stub.status(status)
        }
    }
}

/// Names by relative identifiers (MS-SAMR 3.1.5.11.3).
package enum SamrLookupIdsInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 18

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var relativeIDs: [UInt32]

        package init(domainHandle: ContextHandle, relativeIDs: [UInt32]) {
            self.domainHandle = domainHandle
            self.relativeIDs = relativeIDs
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            let count = try samrLookupCount(&stub, elementSize: 4, "RelativeIds")
            relativeIDs = []
            for _ in 0..<count { relativeIDs.append(try stub.uint32("RelativeIds")) }
            try stub.expectEndOfRequest("SamrLookupIdsInDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            writeSamrLookupCount(relativeIDs.count, into: &stub)
            for relativeID in relativeIDs { stub.uint32(relativeID) }
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Empty where an identifier stands for nothing here.
        package var names: [String]
        package var uses: [SIDNameUse]
        package var status: NTStatus

        package init(names: [String], uses: [SIDNameUse], status: NTStatus = .success) {
            self.names = names
            self.uses = uses
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let count = Int(clamping: try stub.uint32("Count"))
            if try stub.pointer("Element") {
                names = try stub.texts(announced: count, limit: SAMR.maximumLookup, "Names")
            } else {
                if count != 0 { throw stub.wire.invalid("Count", count, width: 8) }
                names = []
            }
            uses = try stub.longArray("Use").map { SIDNameUse(rawValue: UInt16(clamping: $0)) }
            status = try stub.status("status")
            try stub.expectEnd("SamrLookupIdsInDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(UInt32(names.count))
            stub.pointer(!names.isEmpty)
            if !names.isEmpty { stub.texts(names) }
            stub.longArray(uses.map { UInt32($0.rawValue) })
            stub.status(status)
        }
    }
}

/// The count, and the array's own counts: room(4), offset(4), elements(4).
private func samrLookupCount(
    _ stub: inout NDRReader, elementSize: Int, _ field: StaticString
) throws(WireError) -> Int {
    let count = Int(clamping: try stub.uint32("Count"))
    let (_, actual) = try stub.varyingConformance(elementSize: elementSize, field)
    if actual != count { throw stub.wire.invalid(field, actual, width: 4) }
    if count > SAMR.maximumLookup {
        throw WireError(
            .limit, layer: stub.wire.layer, field: field, offset: stub.wire.offset,
            needed: count, available: SAMR.maximumLookup)
    }
    return count
}

private func writeSamrLookupCount(_ count: Int, into stub: inout NDRWriter) {
    precondition(count <= SAMR.maximumLookup)
    stub.uint32(UInt32(count))
    stub.uint32(UInt32(SAMR.maximumLookup))
    stub.uint32(0)
    stub.uint32(UInt32(count))
}

/// The aliases of a domain that any of some SIDs is a member of (MS-SAMR 3.1.5.9.2).
package enum SamrGetAliasMembership: RemoteProcedure {
    package static let opnum: UInt16 = 16
    /// MS-SAMR 2.2.7.5.
    package static let maximumSIDs = 1_024

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var sids: [SID]

        package init(domainHandle: ContextHandle, sids: [SID]) {
            self.domainHandle = domainHandle
            self.sids = sids
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            sids = try stub.sidArray(limit: SamrGetAliasMembership.maximumSIDs, "SidArray")
            try stub.expectEndOfRequest("SamrGetAliasMembership")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.sidArray(sids)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var membership: [UInt32]
        package var status: NTStatus

        package init(membership: [UInt32], status: NTStatus = .success) {
            self.membership = membership
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            membership = try stub.longArray("Membership")
            status = try stub.status("status")
            try stub.expectEnd("SamrGetAliasMembership")
        }

        package func write(into stub: inout NDRWriter) {
            stub.longArray(membership)
            stub.status(status)
        }
    }
}
