/// What a core has for its owner, in order, until the owner has taken it. The room is kept.
package struct OutputQueue<Output> {
    @usableFromInline var outputs: [Output] = []
    @usableFromInline var taken = 0

    @inlinable
    package init() {}

    /// Those that are not taken yet.
    @inlinable
    package var count: Int { outputs.count - taken }

    @inlinable
    package var isEmpty: Bool { count == 0 }

    @inlinable
    package mutating func append(_ output: Output) { outputs.append(output) }

    /// The next one; nil when all are taken.
    @inlinable
    package mutating func next() -> Output? {
        guard taken < outputs.count else {
            outputs.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        taken += 1
        return outputs[taken - 1]
    }
}
