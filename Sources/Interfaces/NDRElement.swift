import RPC
import Wire

/// A structure that stands in arrays: its members, and what they point to, which NDR puts behind
/// the members of the whole array (C706 14.3.12.3).
package protocol NDRElement {
    /// What is read with the members and says which pointees follow.
    associatedtype Pointees

    /// Of the members, with their padding at the least.
    static var byteCount: Int { get }

    static func parse(_ stub: inout NDRReader) throws(WireError) -> (Self, Pointees)
    mutating func parsePointees(
        _ pointees: Pointees, from stub: inout NDRReader) throws(WireError)
    func writeMembers(into stub: inout NDRWriter)
    func writePointees(into stub: inout NDRWriter)
}

/// A count beside a pointer to a conformant array, as they stand in their structure.
struct CountedArray {
    var count: Int
    var hasElements: Bool
}

extension NDRReader {
    /// A conformant array of structures.
    @_lifetime(self: copy self)
    mutating func elements<Element: NDRElement>(
        limit: Int, _ field: StaticString
    ) throws(WireError) -> [Element] {
        let count = try conformance(elementSize: Element.byteCount, limit: limit, field)
        var elements: [Element] = []
        var pointees: [Element.Pointees] = []
        elements.reserveCapacity(count)
        pointees.reserveCapacity(count)
        for _ in 0..<count {
            let (element, rest) = try Element.parse(&self)
            elements.append(element)
            pointees.append(rest)
        }
        for index in 0..<count {
            try elements[index].parsePointees(pointees[index], from: &self)
        }
        return elements
    }

    @_lifetime(self: copy self)
    mutating func countedArray(_ field: StaticString) throws(WireError) -> CountedArray {
        let count = Int(clamping: try uint32(field))
        return CountedArray(count: count, hasElements: try pointer(field))
    }

    /// The deferred elements of a counted array. A null pointer is an empty array whatever the
    /// count says: clients leave theirs unset in arrays that only the server fills.
    @_lifetime(self: copy self)
    mutating func elements<Element: NDRElement>(
        of array: CountedArray, limit: Int, _ field: StaticString
    ) throws(WireError) -> [Element] {
        guard array.hasElements else { return [] }
        let elements: [Element] = try elements(limit: limit, field)
        if elements.count != array.count { throw wire.invalid(field, array.count) }
        return elements
    }

    /// A structure that is not in an array: its members, then at once what they point to.
    @_lifetime(self: copy self)
    mutating func whole<Element: NDRElement>() throws(WireError) -> Element {
        var (element, pointees) = try Element.parse(&self)
        try element.parsePointees(pointees, from: &self)
        return element
    }

    /// An RPC_UNICODE_STRING with its buffer right behind it, as a parameter has it.
    @_lifetime(self: copy self)
    mutating func unicodeString(_ field: StaticString) throws(WireError) -> String? {
        let string = try countedString(field)
        return try text(of: string, field)
    }
}

extension NDRWriter {
    mutating func elements<Element: NDRElement>(_ elements: [Element]) {
        uint32(UInt32(elements.count))
        for element in elements { element.writeMembers(into: &self) }
        for element in elements { element.writePointees(into: &self) }
    }

    /// The count and the pointer, null for an empty array; `elements(of:)` follows in its turn.
    mutating func countedArray(_ count: Int) {
        uint32(UInt32(count))
        pointer(count > 0)
    }

    mutating func elements<Element: NDRElement>(of array: [Element]) {
        if !array.isEmpty { elements(array) }
    }

    mutating func whole<Element: NDRElement>(_ element: Element) {
        element.writeMembers(into: &self)
        element.writePointees(into: &self)
    }

    mutating func unicodeString(_ text: String?) {
        countedString(text)
        buffer(of: text)
    }
}

/// An RPC_UNICODE_STRING in an array.
package struct CountedName: NDRElement, Hashable, Sendable {
    package static var byteCount: Int { 8 }

    package var text: String?

    package init(_ text: String?) { self.text = text }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (CountedName, CountedString) {
        (CountedName(nil), try stub.countedString("Name"))
    }

    package mutating func parsePointees(
        _ pointees: CountedString, from stub: inout NDRReader
    ) throws(WireError) {
        text = try stub.text(of: pointees, "Name")
    }

    package func writeMembers(into stub: inout NDRWriter) { stub.countedString(text) }
    package func writePointees(into stub: inout NDRWriter) { stub.buffer(of: text) }
}

/// A pointer to a SID in an array (MS-LSAT 2.2.17, LSAPR_SID_INFORMATION; MS-LSAD 2.2.8.1,
/// LSAPR_ACCOUNT_INFORMATION).
package struct PointedSID: NDRElement, Hashable, Sendable {
    package static var byteCount: Int { 4 }

    package var sid: SID

    package init(_ sid: SID) { self.sid = sid }

    /// Whoever asks for no SID, or tells one that is none, made a mistake.
    package static func parse(_ stub: inout NDRReader) throws(WireError) -> (PointedSID, Void) {
        guard try stub.pointer("Sid") else { throw stub.wire.invalid("Sid", 0, width: 4) }
        return (PointedSID(SID(identifierAuthority: 0, subAuthorities: [])), ())
    }

    package mutating func parsePointees(
        _ pointees: Void, from stub: inout NDRReader
    ) throws(WireError) {
        sid = try stub.sid("Sid")
    }

    package func writeMembers(into stub: inout NDRWriter) { stub.pointer(true) }
    package func writePointees(into stub: inout NDRWriter) { stub.sid(sid) }
}
