/// Code that takes bytes from strangers, under a name. It may refuse them, and must not trap, hang
/// or take memory without end, whatever they are.
package struct FuzzTarget: Sendable {
    package var name: String
    /// What the fuzzer begins with, so that it need not find out what a message looks like.
    package var seeds: [[UInt8]]
    package var run: @Sendable ([UInt8]) -> Void

    init(
        _ name: String, seeds: [[UInt8]] = [], _ run: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    /// Every parser and every core. `Tests/Fuzz/run` lists and runs them by name.
    package static let all: [FuzzTarget] =
        messages + [procedures] + consumers + datagramCores + channels + servers
        + replication

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Cuts one input into the steps of a dialogue: an operation, and a piece of at most 64 KiB.
///
///     | operation, 8 | length, 16, little endian | bytes | operation …
struct Steps: Sequence, IteratorProtocol {
    struct Step {
        var operation: UInt8
        var bytes: [UInt8]
    }

    private let input: [UInt8]
    private var offset = 0

    init(_ input: [UInt8]) { self.input = input }

    mutating func next() -> Step? {
        guard offset + 3 <= input.count else { return nil }
        let length = Int(input[offset + 1]) | Int(input[offset + 2]) << 8
        let start = offset + 3
        let end = Swift.min(start + length, input.count)
        defer { offset = end }
        return Step(operation: input[offset], bytes: Array(input[start..<end]))
    }

    /// The input of one step, or of several in a row.
    static func joined(_ steps: [(operation: UInt8, bytes: [UInt8])]) -> [UInt8] {
        var all: [UInt8] = []
        for (operation, bytes) in steps {
            all += [operation, UInt8(bytes.count & 255), UInt8(bytes.count >> 8 & 255)] + bytes
        }
        return all
    }
}

/// Numbers that are the same in every run of one input.
struct FuzzNumbers {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt32(truncatingIfNeeded: state >> 32)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
