import Wire

/// Connections that their owner is through with: each lives until what was sent on it is out, for
/// as long as its peer is given to read that, and no longer.
///
/// `@safe`: the timer's callback finds this object unretained, and is gone with it.
@safe package final class ClosingConnections {
    private struct Closing {
        var connection: StreamConnection
        var deadline: UInt64
    }

    /// Milliseconds that a peer is given.
    package static let defaultPatience: UInt64 = 5_000
    /// Most connections; one more is closed at once.
    package static let limit = 256

    private let loop: EventLoop
    private let patience: UInt64
    private var list: [UInt64: Closing] = [:]
    private var timer: Timer?
    private var onEmpty: (() -> Void)?

    package init(_ loop: EventLoop, patience: UInt64 = ClosingConnections.defaultPatience) {
        self.loop = loop
        self.patience = patience
        let this = unsafe Unmanaged.passUnretained(self)
        timer = Timer(loop) { unsafe this.takeUnretainedValue().expire() }
    }

    deinit { close() }

    package var count: Int { list.count }

    /// Bytes that wait for the peers of all of them.
    package var queuedBytes: Int {
        var sum = 0
        for closing in list.values { sum += closing.connection.queuedBytes }
        return sum
    }

    /// Bytes that wait for the one peer that leaves the most.
    package var most: Int { list.values.map { $0.connection.queuedBytes }.max() ?? 0 }

    /// Takes over the connection, whose owner passes on by `ended` that it has closed.
    package func add(_ number: UInt64, _ connection: StreamConnection) {
        if connection.queuedBytes == 0 || list.count >= Self.limit { return connection.close() }
        let deadline = loop.now + patience
        list[number] = Closing(connection: connection, deadline: deadline)
        connection.closeAfterSending()
        if timer?.deadline == nil { timer?.arm(at: deadline) }
    }

    /// The connection has closed by itself. False where it is none of these.
    package func ended(_ number: UInt64) -> Bool {
        guard let closing = list.removeValue(forKey: number) else { return false }
        closing.connection.close()
        tellIfEmpty()
        return true
    }

    /// Calls `done` once, when there is none any more: at once where there is none.
    package func whenEmpty(_ done: @escaping () -> Void) {
        onEmpty = done
        tellIfEmpty()
    }

    private func tellIfEmpty() {
        guard list.isEmpty, let done = onEmpty else { return }
        onEmpty = nil
        done()
    }

    /// Closes the one whose peer leaves the most unread.
    package func closeLargest() {
        let largest = list.max { $0.value.connection.queuedBytes < $1.value.connection.queuedBytes }
        if let largest { list.removeValue(forKey: largest.key)?.connection.close() }
        tellIfEmpty()
    }

    private func expire() {
        var next: UInt64?
        for (number, closing) in list {
            if closing.deadline <= loop.now {
                list[number] = nil
                closing.connection.close()
            } else {
                next = min(next ?? .max, closing.deadline)
            }
        }
        timer?.arm(at: next)
        tellIfEmpty()
    }

    package func close() {
        for closing in list.values { closing.connection.close() }
        list = [:]
        timer?.close()
        timer = nil
        onEmpty = nil
    }
}
