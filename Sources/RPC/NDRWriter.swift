import Wire

/// Writes a stub in NDR 2.0 (C706 14), aligned from where it begins.
package struct NDRWriter: ~Copyable {
    package var wire: WireWriter
    private let base: Int
    /// The next pointer's identifier. Any number but zero serves; these are the ones that
    /// Windows counts with.
    private var referent: UInt32 = 0x0002_0000

    package init(capacity: Int = 512) {
        wire = WireWriter(capacity: capacity)
        base = 0
    }

    /// Takes over `writer`, whose content stays before the stub. `give(back:)` ends that.
    package init(taking writer: inout WireWriter) {
        wire = WireWriter(capacity: 0)
        base = writer.count
        swap(&wire, &writer)
    }

    package mutating func give(back writer: inout WireWriter) { swap(&wire, &writer) }

    package var count: Int { wire.count - base }

    // MARK: Numbers

    @inline(never)
    package mutating func align(_ alignment: Int) { wire.align(alignment, from: base) }

    package mutating func uint8(_ value: UInt8) { wire.uint8(value) }

    /// A short, or an enumeration.
    @inline(never)
    package mutating func uint16(_ value: UInt16) {
        align(2)
        wire.uint16LE(value)
    }

    @inline(never)
    package mutating func uint32(_ value: UInt32) {
        align(4)
        wire.uint32LE(value)
    }

    @inline(never)
    package mutating func uint64(_ value: UInt64) {
        align(8)
        wire.uint64LE(value)
    }

    /// Two longs that make one number, aligned as longs are.
    @inline(never)
    package mutating func longPair(_ value: UInt64) {
        align(4)
        wire.uint64LE(value)
    }

    package mutating func fixed<let count: Int>(_ value: FixedBytes<count>) { wire.append(value) }

    package mutating func status(_ value: NTStatus) { uint32(value.rawValue) }

    // MARK: Pointers

    /// A unique or full pointer: a fresh identifier, or zero where nothing is pointed to.
    @inline(never)
    package mutating func pointer(_ isPresent: Bool) {
        if isPresent {
            uint32(referent)
            referent &+= 4
        } else {
            uint32(0)
        }
    }

    // MARK: Strings, SIDs and handles

    /// A [string] of wide characters, null-terminated.
    package mutating func wideString(_ text: String) {
        varyingConformance(text.utf16.count + 1)
        wire.utf16LE(text)
        wire.uint16LE(0)
    }

    /// A unique pointer parameter to a wide string.
    package mutating func optionalWideString(_ text: String?) {
        pointer(text != nil)
        if let text { wideString(text) }
    }

    /// The most UTF-16 units, and bytes, that a counted string has room for. What is longer is
    /// no name or response of anybody, and is cut so that the stub stays well-formed.
    private static let maximumUnits = 32_767
    private static let maximumBytes = 65_535

    /// An RPC_UNICODE_STRING as it stands in its structure. Nil is a null pointer; its buffer,
    /// where there is one, is written by `buffer(of:)` when its turn has come.
    @inline(never)
    package mutating func countedString(_ text: String?) {
        let length = UInt16(min(text?.utf16.count ?? 0, Self.maximumUnits) * 2)
        align(4)
        wire.uint16LE(length)
        wire.uint16LE(length)
        pointer(text != nil)
    }

    @inline(never)
    package mutating func buffer(of text: String?) {
        guard let text else { return }
        let count = min(text.utf16.count, Self.maximumUnits)
        varyingConformance(count)
        if count == text.utf16.count { return wire.utf16LE(text) }
        for unit in text.utf16.prefix(count) { wire.uint16LE(unit) }
    }

    /// A STRING as it stands in its structure; nil is a null pointer.
    @inline(never)
    package mutating func countedBytes(_ bytes: [UInt8]?) {
        let length = UInt16(min(bytes?.count ?? 0, Self.maximumBytes))
        align(4)
        wire.uint16LE(length)
        wire.uint16LE(length)
        pointer(bytes != nil)
    }

    @inline(never)
    package mutating func buffer(of bytes: [UInt8]?) {
        guard let bytes else { return }
        let count = min(bytes.count, Self.maximumBytes)
        varyingConformance(count)
        wire.append(bytes.span.extracting(0..<count))
    }

    /// The counts of a conformant and varying array that is full.
    @inline(never)
    package mutating func varyingConformance(_ count: Int) {
        uint32(UInt32(count))
        uint32(0)
        uint32(UInt32(count))
    }

    /// A pointee RPC_SID.
    package mutating func sid(_ sid: SID) {
        uint32(UInt32(sid.count))
        sid.write(into: &wire)
    }

    package mutating func contextHandle(_ handle: ContextHandle) {
        uint32(handle.attributes)
        handle.uuid.write(into: &wire)
    }
}

/// A structure, or one direction of a call, in NDR.
package protocol NDRMessage {
    init(parsing stub: inout NDRReader) throws(WireError)
    func write(into stub: inout NDRWriter)
}

extension NDRMessage {
    /// Parses the stub that `reader` is at and that ends where it ends.
    @inlinable
    package init(parsing reader: inout WireReader) throws(WireError) {
        var stub = NDRReader(reader)
        try self.init(parsing: &stub)
        reader.offset = stub.wire.offset
    }

    /// Writes a stub that begins where `writer` is.
    package func write(into writer: inout WireWriter) {
        var stub = NDRWriter(taking: &writer)
        write(into: &stub)
        stub.give(back: &writer)
    }
}

/// A remote procedure: its number in the interface and its two directions.
package protocol RemoteProcedure {
    associatedtype Request: NDRMessage
    associatedtype Response: NDRMessage
    static var opnum: UInt16 { get }
}
