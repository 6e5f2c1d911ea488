// Bytes are copied in one go: an array checks once that it has the memory, not at every byte.

extension [UInt8] {
    /// A copy of `bytes`.
    @inlinable
    package init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count) { out in
            for index in bytes.indices { out.append(bytes[index]) }
        }
    }

    @inlinable
    package mutating func append(copying bytes: Span<UInt8>) {
        append(addingCapacity: bytes.count) { out in
            for index in bytes.indices { out.append(bytes[index]) }
        }
    }
}
