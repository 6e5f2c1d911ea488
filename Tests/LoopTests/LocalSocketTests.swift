import CPosix
import Foundation
import Loop
import Testing
import Wire

@Suite struct LocalSocketTests {
    let path = temporaryFolder() + "/socket"

    private func mode(_ path: String) -> UInt32 {
        var found = stat()
        return unsafe stat(path, &found) == 0 ? found.st_mode & 0o7777 : 0
    }

    @Test func knowsItsPeerAndEchoes() throws {
        let loop = EventLoop()
        var peer: PeerCredentials?
        var kept: LocalConnection?
        let record = Record()
        let listener = try LocalListener(loop, path: path) { connection in
            peer = connection.peer
            kept = connection
            connection.start(
                received: { connection.send($0) }, closed: { record.closed.append($0) })
        }
        #expect(mode(path) == 0o600)
        let client = try LocalClient(path: path, deadline: SystemClock.milliseconds + 1_000)
        try client.send([1, 2, 3], deadline: SystemClock.milliseconds + 1_000)
        run(loop) { kept?.sentBytes == 3 }
        #expect(try client.receive(deadline: SystemClock.milliseconds + 1_000) == [1, 2, 3])
        #expect(peer?.process == getpid() && peer?.user == getuid() && peer?.group == getgid())
        kept?.closeAfterSending()
        run(loop) { record.closed.count == 1 }
        #expect(try client.receive(deadline: SystemClock.milliseconds + 1_000) == [])
        listener.close()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func setsModeAndGroup() throws {
        let loop = EventLoop()
        var options = LocalListener.Options(mode: 0o660)
        if geteuid() == 0 { options.group = 4 }
        let listener = try LocalListener(loop, path: path, options: options) { _ in }
        var found = stat()
        _ = unsafe stat(path, &found)
        #expect(found.st_mode & 0o7777 == 0o660)
        #expect(found.st_gid == options.group ?? getegid())
        listener.close()
    }

    @Test func replacesAStaleFileButNotALivingOne() throws {
        let loop = EventLoop()
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        let length = unsafe postern_local_address(&address, path)
        unsafe withUnsafePointer(to: &address) { pointer in
            let raw = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            _ = unsafe bind(stale, raw, length)
        }
        close(stale)
        #expect(FileManager.default.fileExists(atPath: path))
        let first = try LocalListener(loop, path: path) { _ in }
        #expect(throws: SystemError("bind", EADDRINUSE, path)) {
            _ = try LocalListener(loop, path: path) { _ in }
        }
        #expect(FileManager.default.fileExists(atPath: path))
        first.close()
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(throws: SystemError("bind", EEXIST, path)) {
            _ = try LocalListener(loop, path: path) { _ in }
        }
        let long = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: SystemError("bind", ENAMETOOLONG, long)) {
            _ = try LocalListener(loop, path: long) { _ in }
        }
    }

    @Test func leavesAFileThatSomebodyElseMadeInItsPlace() throws {
        let loop = EventLoop()
        let listener = try LocalListener(loop, path: path) { _ in }
        _ = unsafe unlink(path)
        try Data().write(to: URL(fileURLWithPath: path))
        listener.close()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func servesThousandsThatComeAtOnce() throws {
        Privileges.raiseFileLimit()
        let loop = EventLoop()
        var connections: [ObjectIdentifier: LocalConnection] = [:]
        let listener = try LocalListener(loop, path: path) { connection in
            let id = ObjectIdentifier(connection)
            connections[id] = connection
            connection.start(
                received: { connections[id]?.send($0) }, closed: { _ in connections[id] = nil })
        }
        // All connect and ask before the loop serves any: the backlog holds them.
        let deadline = SystemClock.milliseconds + 10_000
        var clients: [LocalClient] = []
        for number in 0..<2_000 {
            let client = try LocalClient(path: path, deadline: deadline)
            try client.send([UInt8(truncatingIfNeeded: number)], deadline: deadline)
            clients.append(client)
        }
        #expect(run(loop) { connections.count == 2_000 })
        #expect(run(loop) { connections.values.allSatisfy { $0.sentBytes == 1 } })
        for (number, client) in clients.enumerated() {
            #expect(
                try client.receive(deadline: deadline) == [UInt8(truncatingIfNeeded: number)])
        }
        clients = []
        #expect(run(loop) { connections.isEmpty })
        listener.close()
    }

    @Test func clientGivesUpAtItsDeadline() throws {
        let loop = EventLoop()
        var options = LocalListener.Options()
        options.backlog = 0
        let listener = try LocalListener(loop, path: path, options: options) { _ in }
        let start = SystemClock.milliseconds
        let first = try LocalClient(path: path, deadline: start + 1_000)
        #expect(throws: SystemError("receive", ETIMEDOUT, path)) {
            _ = try first.receive(deadline: start + 50)
        }
        #expect(SystemClock.milliseconds >= start + 50)
        #expect(throws: SystemError("connect", ETIMEDOUT, path)) {
            for _ in 0..<3 { _ = try LocalClient(path: path, deadline: start + 100) }
        }
        listener.close()
        #expect(throws: SystemError("connect", ENOENT, path)) {
            _ = try LocalClient(path: path, deadline: start + 100)
        }
    }
}

@Suite struct BlockingSocketTests {
    /// A server on a thread of its own, because the client blocks.
    private func echo(_ body: (Endpoint) throws -> Void) throws {
        let ready = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var address = Endpoint(.any, 0)
        nonisolated(unsafe) var finished = false
        let thread = Thread {
            let loop = EventLoop()
            var kept: [TCPConnection] = []
            let listener = try? TCPListener(loop, bind: Endpoint(.loopback, 0)) { connection in
                kept.append(connection)
                connection.start(received: { connection.send($0) }, closed: { _ in })
            }
            unsafe address = listener?.local ?? Endpoint(.any, 0)
            ready.signal()
            run(loop) { unsafe finished }
            for connection in kept { connection.close() }
        }
        thread.start()
        ready.wait()
        defer { unsafe finished = true }
        try body(unsafe address)
    }

    @Test func exchangesOverTCP() throws {
        try echo { address in
            let deadline = SystemClock.milliseconds + 5_000
            let source = IPv4Address(127, 0, 0, 7)
            let client = try BlockingTCP(to: address, source: source, deadline: deadline)
            #expect(client.local?.address == source)
            let bytes = [UInt8](repeating: 9, count: 300_000)
            try client.send(Array(bytes[..<1_000]), deadline: deadline)
            #expect(try client.receive(exactly: 1_000, deadline: deadline).count == 1_000)
            #expect(throws: SystemError("receive", ETIMEDOUT, address.description)) {
                _ = try client.receive(exactly: 1, deadline: SystemClock.milliseconds + 20)
            }
        }
    }

    @Test func saysWhoRefused() throws {
        let udp = try BlockingUDP(bind: Endpoint(.loopback, 0))
        let nobody = Endpoint(.loopback, try #require(udp.local).port)
        #expect(throws: SystemError("connect", ECONNREFUSED, nobody.description)) {
            _ = try BlockingTCP(to: nobody, deadline: SystemClock.milliseconds + 1_000)
        }
    }

    @Test func exchangesDatagrams() throws {
        let first = try BlockingUDP(bind: Endpoint(.loopback, 0))
        let second = try BlockingUDP(bind: Endpoint(.loopback, 0), broadcast: true)
        let target = try #require(first.local)
        try second.send([1, 2], to: target)
        let (bytes, source) = try first.receive(deadline: SystemClock.milliseconds + 1_000)
        #expect(bytes == [1, 2] && source == second.local)
        #expect(throws: SystemError("receive", ETIMEDOUT, "127.0.0.1:0")) {
            _ = try first.receive(deadline: SystemClock.milliseconds + 20)
        }
    }
}
