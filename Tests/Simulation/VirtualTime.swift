/// A clock that stands still until it is told to go on, and what is to happen when it does.
package final class VirtualClock {
    private struct Event {
        var time: UInt64
        /// Events of one time happen in the order in which they were asked for.
        var number: UInt64
        var action: () -> Void

        func isBefore(_ other: Event) -> Bool {
            time != other.time ? time < other.time : number < other.number
        }
    }

    /// Milliseconds.
    package private(set) var now: UInt64
    private var heap: [Event] = []
    private var count: UInt64 = 0

    package init(now: UInt64 = 1_000) { self.now = now }

    /// When the next event happens; `.max` where none is to.
    package var next: UInt64 { heap.first?.time ?? .max }

    /// Nothing is to happen any more.
    package func clear() { heap.removeAll() }

    package func advance(to time: UInt64) { now = max(now, time) }

    package func after(_ delay: UInt64, _ action: @escaping () -> Void) {
        at(now + delay, action)
    }

    package func at(_ time: UInt64, _ action: @escaping () -> Void) {
        count += 1
        heap.append(Event(time: max(time, now), number: count, action: action))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if !heap[child].isBefore(heap[parent]) { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Lets the next event happen if it is due. False where none is.
    package func happen() -> Bool {
        guard let first = heap.first, first.time <= now else { return false }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        first.action()
        return true
    }

    private func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
package struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678_9abc_def1 }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
