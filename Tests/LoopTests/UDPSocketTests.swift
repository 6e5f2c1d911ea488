import CPosix
import Loop
import Testing
import Wire

@Suite struct UDPSocketTests {
    let anyPort = Endpoint(.loopback, 0)

    @Test func bringsEachDatagramWithItsSource() throws {
        let loop = EventLoop()
        let record = Record()
        let receiver = try UDPSocket(loop, bind: anyPort) {
            record.take($0)
            record.endpoints.append($1)
        }
        let sender = try UDPSocket(loop, bind: anyPort) { _, _ in }
        for size in [1, 0, 576, 65_507] {
            let bytes = [UInt8](repeating: UInt8(size & 255), count: size)
            #expect(sender.send(bytes, to: receiver.local) == nil)
            run(loop) { record.counts.last == size }
        }
        #expect(record.counts == [1, 0, 576, 65_507])
        #expect(record.endpoints == Array(repeating: sender.local, count: 4))
    }

    @Test func answersFromWithinItsCallback() throws {
        let loop = EventLoop()
        let record = Record()
        var server: UDPSocket?
        server = try UDPSocket(loop, bind: anyPort) { bytes, source in
            server?.send(bytes, to: source)
        }
        let client = try UDPSocket(loop, bind: anyPort) { bytes, _ in record.take(bytes) }
        for number in 0..<100 { client.send([UInt8(number)], to: server!.local) }
        #expect(run(loop) { record.counts.count == 100 })
        #expect(record.bytes == Array(0..<100))
        server?.close()
        server = nil
    }

    @Test func mayCloseItselfInAReceivedBatch() throws {
        let loop = EventLoop()
        var received = 0
        var receiver: UDPSocket?
        receiver = try UDPSocket(loop, bind: anyPort) { _, _ in
            received += 1
            receiver?.close()
            receiver = nil
        }
        let sender = try UDPSocket(loop, bind: anyPort) { _, _ in }
        let target = receiver!.local
        for _ in 0..<10 { sender.send([1], to: target) }
        run(loop, limit: 50) { false }
        #expect(received == 1)
    }

    @Test func hearsTheSubnetsBroadcast() throws {
        let loop = EventLoop()
        let record = Record()
        let network = IPv4Network(.loopback, prefixLength: 8)
        let own = try UDPSocket(loop, bind: anyPort, options: .init(broadcast: true)) { _, _ in }
        let heard = try UDPSocket(
            loop, bind: Endpoint(network.broadcast, own.local.port),
            options: .init(broadcast: true)
        ) { bytes, source in
            record.take(bytes)
            record.endpoints.append(source)
        }
        own.send([7], to: heard.local)
        #expect(run(loop) { record.counts == [1] })
        #expect(record.endpoints == [own.local])
    }

    @Test func refusesAPortThatIsTaken() throws {
        let loop = EventLoop()
        let first = try UDPSocket(loop, bind: anyPort) { _, _ in }
        #expect(throws: SystemError("bind", EADDRINUSE, first.local.description)) {
            _ = try UDPSocket(loop, bind: first.local) { _, _ in }
        }
        #expect(throws: SystemError("bind", EADDRNOTAVAIL, "192.0.2.1:9")) {
            _ = try UDPSocket(loop, bind: Endpoint(IPv4Address(192, 0, 2, 1), 9)) { _, _ in }
        }
    }

    @Test func saysWhyItCannotSend() throws {
        let loop = EventLoop()
        let socket = try UDPSocket(loop, bind: anyPort) { _, _ in }
        let error = socket.send([1], to: Endpoint(IPv4Address(127, 255, 255, 255), 9))
        #expect(error?.code == EACCES)
        socket.close()
        #expect(socket.send([1], to: anyPort) == nil)
    }
}
