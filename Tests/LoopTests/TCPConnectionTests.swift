import CPosix
import Testing
import Wire

@testable import Loop

/// One end of a TCP connection with a record of what it heard.
private struct End {
    let record = Record()

    var handlers: TCPConnection.Handlers {
        let record = record
        return TCPConnection.Handlers(
            connected: { record.connected += 1 }, failed: { record.failed.append($0) },
            received: { record.take($0) }, closed: { record.closed.append($0) })
    }
}

@Suite struct TCPConnectionTests {
    let anyPort = Endpoint(.loopback, 0)

    @Test func connectsAndExchangesInOrder() throws {
        let loop = EventLoop()
        let client = End()
        let server = Record()
        var accepted: TCPConnection?
        let listener = try TCPListener(loop, bind: anyPort) { connection in
            accepted = connection
            connection.start(
                received: {
                    server.take($0)
                    connection.send($0)
                }, closed: { server.closed.append($0) })
        }
        let connection = TCPConnection(
            loop, to: listener.local, options: .init(userTimeout: 2_000, keepAlive: 30),
            handlers: client.handlers)
        connection.send([1, 2])  // before it stands
        #expect(run(loop) { client.record.bytes.count == 2 })
        let large = [UInt8]((0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        connection.send(large)
        #expect(run(loop) { client.record.bytes.count == 500_002 })
        #expect(client.record.connected == 1)
        #expect(Array(client.record.bytes.dropFirst(2)) == large)
        #expect(connection.sentBytes == 500_002 && connection.queuedBytes == 0)
        connection.close()
        #expect(run(loop) { server.closed.count == 1 })
        #expect(server.closed == [nil])
        #expect(client.record.closed.isEmpty && client.record.failed.isEmpty)
        #expect(accepted?.peer.address == .loopback)
    }

    @Test func connectsFromTheAddressAskedFor() throws {
        let loop = EventLoop()
        var peer: Endpoint?
        let listener = try TCPListener(loop, bind: anyPort) { peer = $0.peer }
        let source = IPv4Address(127, 0, 0, 9)
        let connection = TCPConnection(
            loop, to: listener.local, options: .init(source: source), handlers: End().handlers)
        run(loop) { peer != nil }
        #expect(peer?.address == source)
        connection.close()
    }

    @Test func tellsFailureOnceAndNotFromWithinInit() throws {
        let loop = EventLoop()
        let refused = End()
        let gone = try TCPListener(loop, bind: anyPort) { _ in }
        let nobody = gone.local
        gone.close()
        let first = TCPConnection(loop, to: nobody, handlers: refused.handlers)
        let impossible = End()
        let second = TCPConnection(
            loop, to: nobody, options: .init(source: IPv4Address(192, 0, 2, 1)),
            handlers: impossible.handlers)
        #expect(impossible.record.failed.isEmpty)
        run(loop) { !refused.record.failed.isEmpty && !impossible.record.failed.isEmpty }
        #expect(refused.record.failed.map(\.code) == [ECONNREFUSED])
        #expect(impossible.record.failed.map(\.code) == [EADDRNOTAVAIL])
        #expect(refused.record.closed.isEmpty && refused.record.connected == 0)
        first.send([1])
        second.close()
    }

    @Test func endsTheConnectionOfAPeerThatDoesNotRead() throws {
        let loop = EventLoop()
        let end = End()
        var accepted: TCPConnection?
        let listener = try TCPListener(loop, bind: anyPort) { accepted = $0 }  // never started
        let connection = TCPConnection(
            loop, to: listener.local, options: .init(queueLimit: 100_000), handlers: end.handlers)
        run(loop) { end.record.connected == 1 }
        var rounds = 0
        while end.record.closed.isEmpty, rounds < 10_000 {
            connection.send([UInt8](repeating: 0, count: 50_000))
            #expect(connection.queuedBytes <= 100_000)
            loop.runOnce(waiting: false)
            rounds += 1
        }
        #expect(end.record.closed == [SystemError("write", ENOBUFS)])
        _ = accepted
    }

    @Test func noticesAPeerThatVanishes() throws {
        let loop = EventLoop()
        let end = End()
        var accepted: TCPConnection?
        let listener = try TCPListener(loop, bind: anyPort) { connection in
            accepted = connection
            connection.start(received: { _ in }, closed: { _ in })
        }
        let connection = TCPConnection(loop, to: listener.local, handlers: end.handlers)
        run(loop) { accepted != nil && end.record.connected == 1 }
        accepted = nil  // letting go closes
        run(loop) { !end.record.closed.isEmpty }
        #expect(end.record.closed == [nil])
        connection.send([1])
    }

    @Test func asksSilentClientsWhetherTheyAreThere() throws {
        let loop = EventLoop()
        var accepted: TCPConnection?
        let listener = try TCPListener(loop, bind: anyPort) { accepted = $0 }
        let client = TCPConnection(loop, to: listener.local, handlers: End().handlers)
        #expect(run(loop) { accepted != nil })
        let socket = unsafe descriptor(of: try #require(accepted?.raw))
        func option(_ level: Int, _ name: Int32) -> UInt32 {
            var value: UInt32 = 0
            var size = socklen_t(MemoryLayout<UInt32>.size)
            #expect(unsafe getsockopt(socket, Int32(level), name, &value, &size) == 0)
            return value
        }
        #expect(option(Int(SOL_SOCKET), SO_KEEPALIVE) == 1)
        let silence = option(IPPROTO_TCP, TCP_KEEPIDLE)
        #expect(silence == 600)
        #expect(option(IPPROTO_TCP, TCP_USER_TIMEOUT) > silence * 1_000)
        client.close()
    }

    @Test func sendsAllBeforeItCloses() throws {
        let loop = EventLoop()
        let end = End()
        let server = Record()
        var accepted: TCPConnection?
        let listener = try TCPListener(loop, bind: anyPort) { connection in
            accepted = connection
            connection.start(received: { _ in }, closed: { server.closed.append($0) })
            connection.send([UInt8](repeating: 5, count: 900_000))
            connection.closeAfterSending()
            connection.send([6])
        }
        let connection = TCPConnection(loop, to: listener.local, handlers: end.handlers)
        #expect(run(loop) { !end.record.closed.isEmpty })
        #expect(end.record.bytes == [UInt8](repeating: 5, count: 900_000))
        #expect(end.record.closed == [nil] && server.closed == [nil])
        _ = (accepted, connection)
    }

    @Test func mayCloseFromEveryCallback() throws {
        let loop = EventLoop()
        var kept: [TCPConnection] = []
        let listener = try TCPListener(loop, bind: anyPort) { connection in
            connection.start(received: { _ in }, closed: { _ in })
            connection.send([1])
            connection.closeAfterSending()
            kept.append(connection)
        }
        var connection: TCPConnection?
        var events: [String] = []
        connection = TCPConnection(
            loop, to: listener.local,
            handlers: .init(
                connected: {
                    events.append("connected")
                    connection?.close()
                    connection = nil
                }, failed: { _ in events.append("failed") },
                received: { _ in events.append("received") },
                closed: { _ in events.append("closed") }))
        run(loop, limit: 100) { false }
        #expect(events == ["connected"])
        connection = TCPConnection(
            loop, to: listener.local,
            handlers: .init(
                connected: {}, failed: { _ in },
                received: { _ in
                    events.append("received")
                    connection = nil
                }, closed: { _ in events.append("closed") }))
        run(loop, limit: 100) { false }
        #expect(events == ["connected", "received"])
    }

    @Test func keepsNoClosureAfterTheEnd() throws {
        let loop = EventLoop()
        var gone = 0
        let listener = try TCPListener(loop, bind: anyPort) { _ in }  // accepted and let go
        func connect() -> TCPConnection {
            let canary = Canary { gone += 1 }
            return TCPConnection(
                loop, to: listener.local,
                handlers: .init(
                    connected: { _ = canary }, failed: { _ in _ = canary },
                    received: { _ in _ = canary }, closed: { _ in _ = canary }))
        }
        let ended = connect()
        run(loop) { gone == 1 }
        #expect(gone == 1)
        let closed = connect()
        closed.close()
        #expect(gone == 2)
        ended.close()
    }

    @Test func takesABlackHoleForDeadInTime() throws {
        // A listener whose backlog is full answers no further SYN, as a dead host would.
        let loop = EventLoop()
        let (listener, port) = fullListener()
        defer { listener.forEach { close($0) } }
        let end = End()
        let start = loop.now
        let connection = TCPConnection(
            loop, to: Endpoint(.loopback, port), options: .init(userTimeout: 1_000),
            handlers: end.handlers)
        run(loop, limit: 10_000) { !end.record.failed.isEmpty }
        #expect(end.record.failed.map(\.code) == [ETIMEDOUT])
        loop.updateNow()
        #expect(loop.now - start < 5_000)
        connection.close()
    }

    /// Sockets that listen and fill the backlog of one of them.
    private func fullListener() -> ([Int32], UInt16) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var sockets = [server]
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            let raw = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            _ = unsafe bind(server, raw, length)
            _ = listen(server, 0)
            _ = unsafe getsockname(server, raw, &length)
            for _ in 0..<2 {
                let flags = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue
                let client = socket(AF_INET, Int32(flags), 0)
                _ = unsafe connect(client, raw, length)
                sockets.append(client)
            }
        }
        return (sockets, UInt16(bigEndian: address.sin_port))
    }
}
