import Wire

extension RAP {
    /// Writes the data of a response: the fixed parts of its records, then their strings, to which
    /// the fixed parts point (MS-RAP 2.5.2 and 2.5.11). Pointers count from the data's start, so
    /// that the converter is zero.
    package struct RecordWriter: ~Copyable {
        /// A pointer's place in the fixed parts, and its string's in the heap.
        private struct Pointer {
            var place: Int
            var target: Int
        }

        private struct End {
            var fixed: Int
            var heap: Int
            var pointers: Int
        }

        private var fixed = WireWriter()
        private var heap = WireWriter()
        private var pointers: [Pointer] = []
        private var ends: [End] = []

        package init() {}

        package mutating func uint8(_ value: UInt8) { fixed.uint8(value) }
        package mutating func uint16(_ value: UInt16) { fixed.uint16LE(value) }
        package mutating func uint32(_ value: UInt32) { fixed.uint32LE(value) }
        package mutating func zeros(_ count: Int) { fixed.zeros(count) }

        /// Text in a field of `count` bytes, of which the last is its terminator at least.
        package mutating func text(_ text: String, _ count: Int) {
            let bytes = Array(OEMCodePage.bytes(text).prefix(count - 1))
            fixed.append(bytes)
            fixed.zeros(count - bytes.count)
        }

        /// A pointer to `text`, or to nothing.
        package mutating func pointer(_ text: String?) {
            guard let text else {
                fixed.uint32LE(0)
                return
            }
            pointer(to: OEMCodePage.bytes(text).filter { $0 != 0 } + [0])
        }

        package mutating func pointer(to bytes: [UInt8]) {
            pointers.append(Pointer(place: fixed.count, target: heap.count))
            fixed.uint32LE(0)
            heap.append(bytes)
        }

        package mutating func endRecord() {
            ends.append(
                End(fixed: fixed.count, heap: heap.count, pointers: pointers.count))
        }

        package var count: Int { ends.count }

        /// What all records need.
        package var byteCount: Int { fixed.count + heap.count }

        /// The data of as many records as fit `limit` bytes, and how many they are. No pointer
        /// reaches beyond 65,535 bytes.
        package consuming func finish(limit: Int) -> (data: [UInt8], count: Int) {
            let limit = min(limit, 0xffff)
            var count = 0
            while count < ends.count, ends[count].fixed + ends[count].heap <= limit {
                count += 1
            }
            guard count > 0 else { return ([], 0) }
            let end = ends[count - 1]
            for pointer in pointers.prefix(end.pointers) {
                fixed.patch16LE(pointer.place, end.fixed + pointer.target)
            }
            let data = fixed.finish().prefix(end.fixed) + heap.finish().prefix(end.heap)
            return (Array(data), count)
        }
    }

    /// Reads the records of a response's data.
    package struct RecordReader: ~Escapable {
        package var fixed: WireReader
        private let whole: WireReader
        /// Subtracted from every pointer.
        private let converter: UInt16

        @_lifetime(copy data)
        package init(_ data: Span<UInt8>, converter: UInt16) {
            fixed = WireReader(data, layer: "RAP")
            whole = WireReader(data, layer: "RAP")
            self.converter = converter
        }

        /// The text in a field of `count` bytes, which ends at its terminator or fills the field.
        @_lifetime(self: copy self)
        package mutating func text(
            _ count: Int, _ field: StaticString
        ) throws(WireError) -> String {
            let range = try fixed.take(count, field)
            let bytes = fixed.copy(range)
            return OEMCodePage.string(Array(bytes.prefix { $0 != 0 }))
        }

        /// The text that a pointer leads to; nil for one to nothing.
        @_lifetime(self: copy self)
        package mutating func pointer(_ field: StaticString) throws(WireError) -> String? {
            guard let start = try target(field) else { return nil }
            var reader = whole
            try reader.seek(start, field)
            return try reader.oemString(field)
        }

        @_lifetime(self: copy self)
        package mutating func pointer(
            toBytes count: Int, _ field: StaticString
        ) throws(WireError) -> [UInt8]? {
            guard let start = try target(field) else { return nil }
            var reader = whole
            try reader.seek(start, field)
            let range = try reader.take(count, field)
            return reader.copy(range)
        }

        /// A pointer's high half means nothing, unless both are zero.
        @_lifetime(self: copy self)
        private mutating func target(_ field: StaticString) throws(WireError) -> Int? {
            let low = try fixed.uint16LE(field)
            let high = try fixed.uint16LE(field)
            return low == 0 && high == 0 ? nil : Int(low &- converter)
        }
    }
}
