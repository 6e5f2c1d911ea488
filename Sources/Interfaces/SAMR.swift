import RPC
import Wire

/// The Security Account Manager Remote Protocol (MS-SAMR).
package enum SAMR {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x1234_5778, data2: 0x1234, data3: 0xabcd, data4: 0xef00_0123_4567_89ac), 1)

    /// Below `\PIPE\`.
    package static let pipe = "samr"

    /// The most elements of one array of a call (MS-SAMR 3.1.5.11.2 allows 1,000 names).
    package static let maximumLookup = 1_000
    /// The most elements of a page or a membership: as many as a domain's accounts, which may all
    /// be members of one group.
    package static let maximumElements = 100_000
    /// The longest security descriptor (MS-SAMR 2.2.3.11).
    package static let maximumSecurityDescriptor = 262_144
    /// MS-DTYP 2.4.3: all that the caller may have.
    package static let maximumAllowed: UInt32 = 0x0200_0000
    /// SamrConnect4 by another number, of the betas of Windows 2000; some clients try it.
    package static let connect3: UInt16 = 61
}

// MARK: Shapes that many calls have

/// A request that names an object by its handle and says no more.
package struct SamrHandleRequest: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle

    package init(handle: ContextHandle) { self.handle = handle }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        // impacket writes a number behind the handle of SamrCloseHandle, which servers pass over.
        if stub.wire.remaining == 4 { _ = try stub.uint32("padding") }
        try stub.expectEndOfRequest("Handle")
    }

    package func write(into stub: inout NDRWriter) { stub.contextHandle(handle) }
}

/// A response that hands out a handle: a new one, or the null one where it was closed.
package struct SamrHandleResponse: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    package var status: NTStatus

    package init(handle: ContextHandle, status: NTStatus = .success) {
        self.handle = handle
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        status = try stub.status("status")
        try stub.expectEnd("Handle")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.status(status)
    }
}

/// A response that says nothing but how the call ended.
package struct SamrStatusResponse: NDRMessage, Equatable, Sendable {
    package var status: NTStatus

    package init(status: NTStatus) { self.status = status }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        status = try stub.status("status")
        try stub.expectEnd("status")
    }

    package func write(into stub: inout NDRWriter) { stub.status(status) }
}

/// A request for one class of an object's information, which NDR 2.0 gives 16 bits.
package struct SamrQueryRequest: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    package var informationClass: UInt16

    package init(handle: ContextHandle, informationClass: UInt16) {
        self.handle = handle
        self.informationClass = informationClass
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        informationClass = try stub.uint16("InformationClass")
        try stub.expectEndOfRequest("InformationClass")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.uint16(informationClass)
    }
}

/// A request to open an object of a domain by its relative identifier.
package struct SamrOpenRequest: NDRMessage, Equatable, Sendable {
    package var domainHandle: ContextHandle
    package var desiredAccess: UInt32
    package var relativeID: UInt32

    package init(
        domainHandle: ContextHandle, desiredAccess: UInt32 = SAMR.maximumAllowed, relativeID: UInt32
    ) {
        self.domainHandle = domainHandle
        self.desiredAccess = desiredAccess
        self.relativeID = relativeID
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        domainHandle = try stub.contextHandle("DomainHandle")
        desiredAccess = try stub.uint32("DesiredAccess")
        relativeID = try stub.uint32("RelativeId")
        try stub.expectEndOfRequest("RelativeId")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(domainHandle)
        stub.uint32(desiredAccess)
        stub.uint32(relativeID)
    }
}

/// Forgets a handle of any kind (MS-SAMR 3.1.5.13.1).
package enum SamrCloseHandle: RemoteProcedure {
    package static let opnum: UInt16 = 1
    package typealias Request = SamrHandleRequest
    package typealias Response = SamrHandleResponse
}

// MARK: The vocabulary of SAM's structures in NDR

extension NDRReader {
    /// The deferred buffer of an RPC_UNICODE_STRING. SAM knows no difference between a text that
    /// is missing and an empty one.
    @_lifetime(self: copy self)
    mutating func samText(
        of string: CountedString, _ field: StaticString
    ) throws(WireError) -> String {
        try text(of: string, field) ?? ""
    }

    /// An RPC_UNICODE_STRING that is a parameter by itself, with its buffer.
    @_lifetime(self: copy self)
    mutating func samText(_ field: StaticString) throws(WireError) -> String {
        let string = try countedString(field)
        return try samText(of: string, field)
    }

    /// The same behind a unique pointer.
    @_lifetime(self: copy self)
    mutating func optionalSAMText(_ field: StaticString) throws(WireError) -> String? {
        try pointer(field) ? try samText(field) : nil
    }

    /// The values of a conformant array of longs; there must be `announced` of them.
    @_lifetime(self: copy self)
    mutating func longs(announced: Int, _ field: StaticString) throws(WireError) -> [UInt32] {
        let count = try conformance(elementSize: 4, limit: SAMR.maximumElements, field)
        if count != announced { throw wire.invalid(field, count, width: 4) }
        var values: [UInt32] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try uint32(field)) }
        return values
    }

    /// SAMPR_ULONG_ARRAY (MS-SAMR 2.2.7.4): its count, its pointer, its elements.
    @_lifetime(self: copy self)
    mutating func longArray(_ field: StaticString) throws(WireError) -> [UInt32] {
        let count = Int(clamping: try uint32(field))
        if try pointer(field) { return try longs(announced: count, field) }
        if count != 0 { throw wire.invalid(field, count, width: 8) }
        return []
    }

    /// An array of counted texts behind its conformance; there must be `announced` of them.
    @_lifetime(self: copy self)
    mutating func texts(
        announced: Int, limit: Int, _ field: StaticString
    ) throws(WireError) -> [String] {
        let count = try conformance(elementSize: 8, limit: limit, field)
        if count != announced { throw wire.invalid(field, count, width: 4) }
        var heads: [CountedString] = []
        heads.reserveCapacity(count)
        for _ in 0..<count { heads.append(try countedString(field)) }
        var out: [String] = []
        out.reserveCapacity(count)
        for head in heads { out.append(try samText(of: head, field)) }
        return out
    }

    /// An array of pointers to SIDs behind its conformance; there must be `announced` of them.
    @_lifetime(self: copy self)
    mutating func sids(
        announced: Int, limit: Int, _ field: StaticString
    ) throws(WireError) -> [SID] {
        let count = try conformance(elementSize: 4, limit: limit, field)
        if count != announced { throw wire.invalid(field, count, width: 4) }
        for _ in 0..<count where try !pointer(field) { throw wire.invalid(field, 0, width: 4) }
        var out: [SID] = []
        out.reserveCapacity(count)
        for _ in 0..<count { out.append(try sid(field)) }
        return out
    }

    /// SAMPR_PSID_ARRAY (MS-SAMR 2.2.7.5): its count, its pointer, its SIDs.
    @_lifetime(self: copy self)
    mutating func sidArray(limit: Int, _ field: StaticString) throws(WireError) -> [SID] {
        let count = Int(clamping: try uint32(field))
        if try pointer(field) { return try sids(announced: count, limit: limit, field) }
        if count != 0 { throw wire.invalid(field, count, width: 8) }
        return []
    }

    /// The bytes of a conformant array; there must be `announced` of them.
    @_lifetime(self: copy self)
    mutating func octets(
        announced: Int, limit: Int, _ field: StaticString
    ) throws(WireError) -> [UInt8] {
        let count = try conformance(elementSize: 1, limit: limit, field)
        if count != announced { throw wire.invalid(field, count, width: 4) }
        return wire.copy(try wire.take(count, field))
    }
}

extension NDRWriter {
    mutating func samText(head text: String) { countedString(text) }

    mutating func samText(buffer text: String) { buffer(of: text) }

    /// An RPC_UNICODE_STRING that is a parameter by itself, with its buffer.
    mutating func samText(_ text: String) {
        samText(head: text)
        samText(buffer: text)
    }

    mutating func optionalSAMText(_ text: String?) {
        pointer(text != nil)
        if let text { samText(text) }
    }

    mutating func longs(_ values: [UInt32]) {
        uint32(UInt32(values.count))
        for value in values { uint32(value) }
    }

    mutating func longArray(_ values: [UInt32]) {
        uint32(UInt32(values.count))
        pointer(!values.isEmpty)
        if !values.isEmpty { longs(values) }
    }

    mutating func texts(_ values: [String]) {
        uint32(UInt32(values.count))
        for value in values { samText(head: value) }
        for value in values { samText(buffer: value) }
    }

    mutating func sids(_ values: [SID]) {
        uint32(UInt32(values.count))
        for _ in values { pointer(true) }
        for value in values { sid(value) }
    }

    mutating func sidArray(_ values: [SID]) {
        uint32(UInt32(values.count))
        pointer(!values.isEmpty)
        if !values.isEmpty { sids(values) }
    }

    mutating func octets(_ bytes: [UInt8]) {
        uint32(UInt32(bytes.count))
        wire.append(bytes)
    }
}
