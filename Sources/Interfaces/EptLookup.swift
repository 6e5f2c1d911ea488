import RPC
import Wire

/// One thing that the endpoint mapper knows (C706 appendix O, ept_entry_t):
/// ```
/// object(16)  tower: pointer(4)  annotation: offset(4) count(4) text with its null
/// ```
package struct EndpointEntry: Equatable, Sendable {
    /// Bytes of an annotation with its null.
    package static let maximumAnnotation = 64

    package var object: GUID
    package var tower: ProtocolTower?
    package var annotation: String

    package init(object: GUID = .zero, tower: ProtocolTower?, annotation: String) {
        self.object = object
        self.tower = tower
        self.annotation = annotation
    }

    /// Parses all but the tower, which is deferred: then nil although `hasTower`.
    static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (EndpointEntry, hasTower: Bool) {
        try stub.align(4, "object")
        let object = try GUID(parsing: &stub.wire)
        let hasTower = try stub.pointer("tower")
        let offset = try stub.uint32("annotation")
        if offset != 0 { throw stub.wire.invalid("annotation", Int(offset), width: 4) }
        let count = Int(clamping: try stub.uint32("annotation"))
        if count > maximumAnnotation {
            throw WireError(
                .limit, layer: stub.wire.layer, field: "annotation",
                offset: stub.wire.offset - 4, needed: count, available: maximumAnnotation)
        }
        var bytes = stub.wire.copy(try stub.wire.take(count, "annotation"))
        if bytes.last == 0 { bytes.removeLast() }
        let text = String(decoding: bytes, as: UTF8.self)
        return (EndpointEntry(object: object, tower: nil, annotation: text), hasTower)
    }

    func write(into stub: inout NDRWriter) {
        stub.align(4)
        object.write(into: &stub.wire)
        stub.pointer(tower != nil)
        let bytes = Array(annotation.utf8.prefix(Self.maximumAnnotation - 1))
        stub.uint32(0)
        stub.uint32(UInt32(bytes.count + 1))
        stub.wire.append(bytes)
        stub.wire.uint8(0)
    }
}

/// Lists what is served, page by page (C706 appendix O, ept_lookup).
package enum EptLookup: RemoteProcedure {
    package static let opnum: UInt16 = 2

    package struct Request: NDRMessage, Equatable, Sendable {
        /// rpc_c_ep_all_elts, …_match_by_if, …_match_by_obj, …_match_by_both.
        package var inquiryType: UInt32
        package var object: GUID?
        package var interface: SyntaxID?
        /// rpc_c_vers_all and what narrows it down.
        package var versionOption: UInt32
        /// Null at the start; then what the last response gave.
        package var entryHandle: ContextHandle
        package var maximumEntries: UInt32

        package init(
            inquiryType: UInt32 = 0, object: GUID? = nil, interface: SyntaxID? = nil,
            versionOption: UInt32 = 1, entryHandle: ContextHandle = .null,
            maximumEntries: UInt32
        ) {
            self.inquiryType = inquiryType
            self.object = object
            self.interface = interface
            self.versionOption = versionOption
            self.entryHandle = entryHandle
            self.maximumEntries = maximumEntries
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            inquiryType = try stub.uint32("inquiry_type")
            object = nil
            if try stub.pointer("object") {
                try stub.align(4, "object")
                object = try GUID(parsing: &stub.wire)
            }
            interface = nil
            if try stub.pointer("interface_id") {
                try stub.align(4, "interface_id")
                interface = try SyntaxID(parsing: &stub.wire)
            }
            versionOption = try stub.uint32("vers_option")
            entryHandle = try stub.contextHandle("entry_handle")
            maximumEntries = try stub.uint32("max_ents")
            try stub.expectEndOfRequest("ept_lookup")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(inquiryType)
            stub.pointer(object != nil)
            object?.write(into: &stub.wire)
            stub.pointer(interface != nil)
            interface?.write(into: &stub.wire)
            stub.uint32(versionOption)
            stub.contextHandle(entryHandle)
            stub.uint32(maximumEntries)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var entryHandle: ContextHandle
        package var entries: [EndpointEntry]
        /// How many the caller had asked for: the array's room.
        package var maximumEntries: UInt32
        package var status: UInt32

        package init(
            entryHandle: ContextHandle = .null, entries: [EndpointEntry], maximumEntries: UInt32,
            status: UInt32 = 0
        ) {
            self.entryHandle = entryHandle
            self.entries = entries
            self.maximumEntries = maximumEntries
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            entryHandle = try stub.contextHandle("entry_handle")
            let announced = Int(clamping: try stub.uint32("num_ents"))
            let (maximum, actual) = try stub.varyingConformance(elementSize: 28, "entries")
            if actual != announced { throw stub.wire.invalid("entries", actual, width: 4) }
            if actual > EndpointMapper.maximumTowers {
                throw WireError(
                    .limit, layer: stub.wire.layer, field: "entries",
                    offset: stub.wire.offset - 4, needed: actual,
                    available: EndpointMapper.maximumTowers)
            }
            maximumEntries = UInt32(truncatingIfNeeded: maximum)
            entries = []
            var towers: [Bool] = []
            for _ in 0..<actual {
                let (entry, hasTower) = try EndpointEntry.parse(&stub)
                entries.append(entry)
                towers.append(hasTower)
            }
            for index in 0..<actual where towers[index] {
                entries[index].tower = try ProtocolTower(parsing: &stub)
            }
            status = try stub.uint32("status")
            try stub.expectEnd("ept_lookup")
        }

        package func write(into stub: inout NDRWriter) {
            let count = UInt32(entries.count)
            stub.contextHandle(entryHandle)
            stub.uint32(count)
            stub.uint32(max(maximumEntries, count))
            stub.uint32(0)
            stub.uint32(count)
            for entry in entries { entry.write(into: &stub) }
            for entry in entries { entry.tower?.write(into: &stub) }
            stub.uint32(status)
        }
    }
}

/// Ends a listing before its last page (C706 appendix O, ept_lookup_handle_free).
package enum EptLookupHandleFree: RemoteProcedure {
    package static let opnum: UInt16 = 4

    package struct Request: NDRMessage, Equatable, Sendable {
        package var entryHandle: ContextHandle

        package init(entryHandle: ContextHandle) { self.entryHandle = entryHandle }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            entryHandle = try stub.contextHandle("entry_handle")
            try stub.expectEndOfRequest("ept_lookup_handle_free")
        }

        package func write(into stub: inout NDRWriter) { stub.contextHandle(entryHandle) }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var entryHandle: ContextHandle
        package var status: UInt32

        package init(entryHandle: ContextHandle = .null, status: UInt32 = 0) {
            self.entryHandle = entryHandle
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            entryHandle = try stub.contextHandle("entry_handle")
            status = try stub.uint32("status")
            try stub.expectEnd("ept_lookup_handle_free")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(entryHandle)
            stub.uint32(status)
        }
    }
}
