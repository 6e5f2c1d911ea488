import Wire

/// Puts one call's stub together from its PDUs, in the order they come.
///
/// A stub of one PDU, as most are, needs no assembler: it is parsed where it was received. One
/// that is sealed is opened by the holder of the keys first; what is handed in here is plain.
package struct StubAssembler {
    /// A user in 2,000 groups takes 20 KiB; nothing that this program calls comes near.
    package static let maximumStub = 4 << 20
    package static let maximumFragments = 8192
    /// How far a peer's hint is believed before the bytes are there.
    private static let maximumReserved = 64 << 10

    package private(set) var stub: [UInt8] = []
    private var fragments = 0
    private let limit: Int

    package init(limit: Int = maximumStub) {
        self.limit = limit
    }

    /// Takes the plain stub of one PDU, at `range` of `bytes`. Returns whether it was the last.
    package mutating func append(
        _ fragment: Fragment, stub range: Range<Int>, of bytes: Span<UInt8>, allocHint: UInt32 = 0
    ) throws(WireError) -> Bool {
        if fragment.isFirst != (fragments == 0) {
            throw WireError(
                .invalid, layer: "RPC", field: "pfc_flags", offset: fragment.whole.lowerBound + 3,
                needed: Int(fragment.header.flags.rawValue))
        }
        if range.count > limit - stub.count {
            throw WireError(
                .limit, layer: "RPC", field: "stub", offset: range.lowerBound,
                needed: stub.count + range.count, available: limit)
        }
        fragments += 1
        if fragments > Self.maximumFragments {
            throw WireError(
                .limit, layer: "RPC", field: "fragments", offset: fragment.whole.lowerBound,
                needed: fragments, available: Self.maximumFragments)
        }
        if fragments == 1 {
            stub.reserveCapacity(
                min(max(Int(clamping: allocHint), range.count), Self.maximumReserved, limit))
        }
        for index in range { stub.append(bytes[index]) }
        return fragment.isLast
    }
}
