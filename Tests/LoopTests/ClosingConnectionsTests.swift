import Loop
import Testing
import Wire

/// Connections of clients that do not read, until the server is through with them.
private final class Clients {
    let loop = EventLoop()
    let closing: ClosingConnections
    private var listener: TCPListener?
    private var clients: [TCPConnection] = []
    private var accepted: [TCPConnection] = []
    let received = Record()

    init(patience: UInt64) throws {
        closing = ClosingConnections(loop, patience: patience)
        listener = try TCPListener(loop, bind: Endpoint(.loopback, 0)) { [unowned self] in
            let number = UInt64(accepted.count)
            accepted.append($0)
            $0.start(received: { _ in }, closed: { [unowned self] _ in _ = closing.ended(number) })
        }
    }

    /// The server is through with a new client that leaves so many bytes with it, or more.
    func end(leaving bytes: Int) throws {
        let count = accepted.count
        let client = TCPConnection(
            loop, to: try #require(listener?.local),
            handlers: .init(
                connected: {}, failed: { _ in },
                received: { [received] in received.counts.append($0.count) },
                closed: { [received] in received.closed.append($0) }))
        clients.append(client)
        #expect(run(loop) { accepted.count > count })
        client.pauseReading()
        loop.runOnce(waiting: false)
        let connection = accepted[count]
        let part = [UInt8](repeating: 7, count: 10_000)
        while connection.queuedBytes < bytes { connection.send(part) }
        closing.add(UInt64(count), connection)
    }

    func read(_ index: Int) { clients[index].resumeReading() }

    func queued(_ index: Int) -> Int { accepted[index].queuedBytes }
    func sent(_ index: Int) -> Int { accepted[index].sentBytes }

    func dissolve() {
        closing.close()
        for connection in clients + accepted { connection.close() }
        listener?.close()
        listener = nil
    }
}

@Suite struct ClosingConnectionsTests {
    @Test func peerThatNeverReadsHasSoMuchTime() throws {
        let clients = try Clients(patience: 200)
        defer { clients.dissolve() }
        try clients.end(leaving: 100_000)
        let since = clients.loop.now
        run(clients.loop, limit: 100) { false }
        try clients.end(leaving: 100_000)
        #expect(clients.closing.count == 2 && clients.closing.queuedBytes >= 200_000)
        #expect(run(clients.loop, limit: 2_000) { clients.closing.count == 1 })
        #expect(clients.loop.now >= since + 200)
        #expect(clients.queued(0) == 0 && clients.queued(1) >= 100_000)
        #expect(run(clients.loop, limit: 2_000) { clients.closing.count == 0 })
        #expect(clients.closing.queuedBytes == 0)
    }

    @Test func peerThatReadsHasAllOfIt() throws {
        let clients = try Clients(patience: 60_000)
        defer { clients.dissolve() }
        try clients.end(leaving: 100_000)
        let sent = clients.sent(0)
        clients.read(0)
        #expect(run(clients.loop) { !clients.received.closed.isEmpty })
        #expect(clients.closing.count == 0)
        #expect(clients.received.counts.reduce(0, +) == sent)
    }

    @Test func whoLeavesTheMostGivesWay() throws {
        let clients = try Clients(patience: 60_000)
        defer { clients.dissolve() }
        try clients.end(leaving: 50_000)
        try clients.end(leaving: 300_000)
        try clients.end(leaving: 100_000)
        #expect(clients.closing.most == clients.queued(1))
        clients.closing.closeLargest()
        #expect(clients.queued(1) == 0 && clients.closing.count == 2)
        #expect(clients.closing.queuedBytes == clients.queued(0) + clients.queued(2))
    }

    @Test func endOfTheLastOneIsTold() throws {
        let clients = try Clients(patience: 300)
        defer { clients.dissolve() }
        var told = 0
        clients.closing.whenEmpty { told += 1 }
        #expect(told == 1)
        try clients.end(leaving: 100_000)
        try clients.end(leaving: 100_000)
        clients.closing.whenEmpty { told += 1 }
        clients.read(0)
        #expect(run(clients.loop) { clients.closing.count == 1 } && told == 1)
        #expect(run(clients.loop, limit: 2_000) { told == 2 } && clients.closing.count == 0)
    }

    @Test func whoLeavesNothingIsClosedAtOnce() throws {
        let clients = try Clients(patience: 60_000)
        defer { clients.dissolve() }
        try clients.end(leaving: 0)
        #expect(clients.closing.count == 0)
    }
}
