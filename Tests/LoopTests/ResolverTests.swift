import CPosix
import Loop
import Testing
import Wire

/// A name server for one question at a time, written out by hand (RFC 1035 4).
private final class NameServer {
    enum Behaviour { case answer, unknown, silent, truncated, garbage }

    let udp: UDPSocket
    private let tcp: TCPListener
    private var connections: [TCPConnection] = []
    var asked: [String] { log.names }
    private let log: Log

    private final class Log {
        var names: [String] = []
        var socket: UDPSocket?
        var connection: TCPConnection?
    }

    init(
        _ loop: EventLoop, _ behaviour: Behaviour, at place: Endpoint = Endpoint(.loopback, 0)
    ) throws {
        let log = Log()
        udp = try UDPSocket(loop, bind: place) { bytes, source in
            var query: [UInt8] = []
            for index in 0..<bytes.count { query.append(bytes[index]) }
            guard let reply = Self.reply(query, behaviour, log) else { return }
            log.socket?.send(reply, to: source)
        }
        log.socket = udp
        tcp = try TCPListener(loop, bind: udp.local) { connection in
            log.connection = connection
            connection.start(
                received: { bytes in
                    var query: [UInt8] = []
                    for index in 2..<bytes.count { query.append(bytes[index]) }
                    let reply = Self.reply(query, .answer, log) ?? []
                    connection.send([UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply)
                }, closed: { _ in })
        }
        self.log = log
    }

    func close() {
        log.socket = nil
        log.connection?.close()
        log.connection = nil
        udp.close()
        tcp.close()
    }

    private static func reply(_ query: [UInt8], _ behaviour: Behaviour, _ log: Log) -> [UInt8]? {
        var name = ""
        var at = 12
        while query[at] != 0 {
            let label = query[(at + 1)...(at + Int(query[at]))]
            name += (name.isEmpty ? "" : ".") + String(decoding: label, as: UTF8.self)
            at += Int(query[at]) + 1
        }
        let type = query[at + 2]
        log.names.append("\(name)/\(type)")
        let question = Array(query[12..<(at + 5)])
        var flags: [UInt8] = [0x81, 0x80]
        var records: [[UInt8]] = []
        switch behaviour {
        case .silent: return nil
        case .garbage: return Array(query[0..<2]) + [0x81, 0x80, 0, 1, 0, 9, 0, 0]
        case .unknown: flags = [0x81, 0x83]
        case .truncated: flags = [0x83, 0x80]
        case .answer:
            let head: [UInt8] = [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60]
            if type == 33 {
                for (number, host) in ["dc1", "dc2"].enumerated() {
                    let target = [3] + Array(host.utf8) + Array("\u{2}ad\u{3}lab\u{0}".utf8)
                    let data = [0, UInt8(number), 0, 100, 1, 0x85] + target
                    records.append(head + [0, UInt8(data.count)] + data)
                }
            } else {
                records = [head + [0, 4, 10, 77, 0, 10], head + [0, 4, 10, 77, 0, 11]]
            }
        }
        let counts: [UInt8] = [0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        return Array(query[0..<2]) + flags + counts + question + records.flatMap { $0 }
    }
}

@Suite struct ResolverTests {
    private func ask(
        _ behaviour: NameServer.Behaviour, wait: UInt64 = 3_000
    ) throws -> (services: Result<[ServiceRecord], ResolverError>?,
        addresses: Result<[IPv4Address], ResolverError>?, asked: [String])
    {
        let loop = EventLoop()
        let server = try NameServer(loop, behaviour)
        let resolver = try Resolver(loop, servers: [server.udp.local])
        var services: Result<[ServiceRecord], ResolverError>?
        var addresses: Result<[IPv4Address], ResolverError>?
        resolver.services("_ldap._tcp.ad.lab", deadline: loop.now + wait) { services = $0 }
        resolver.addresses("dc1.ad.lab", deadline: loop.now + wait) { addresses = $0 }
        run(loop) { services != nil && addresses != nil }
        resolver.close()
        server.close()
        return (services, addresses, server.asked)
    }

    @Test func bringsServicesAndAddresses() throws {
        let answers = try ask(.answer)
        let records = try #require(try answers.services?.get())
        #expect(records.map(\.description) == ["dc1.ad.lab:389 (0/100)", "dc2.ad.lab:389 (1/100)"])
        let addresses = try #require(try answers.addresses?.get())
        #expect(addresses == [IPv4Address(10, 77, 0, 10), IPv4Address(10, 77, 0, 11)])
        #expect(answers.asked.sorted() == ["_ldap._tcp.ad.lab/33", "dc1.ad.lab/1"])
    }

    @Test func tellsAnUnknownNameFromSilence() throws {
        let unknown = try ask(.unknown)
        #expect(unknown.services == .failure(.notFound) && unknown.addresses == .failure(.notFound))
        let silent = try ask(.silent, wait: 60)
        #expect(silent.services == .failure(.timeout) && silent.addresses == .failure(.timeout))
    }

    @Test func asksAgainOverTCPWhereTheAnswerIsCut() throws {
        let answers = try ask(.truncated)
        #expect(try answers.services?.get().count == 2)
    }

    @Test func survivesGarbage() throws {
        let answers = try ask(.garbage, wait: 200)
        guard case .failure = answers.services else { return #expect(Bool(false)) }
    }

    @Test func repeatsALostQuestion() throws {
        let loop = EventLoop()
        let port = try UDPSocket(loop, bind: Endpoint(.loopback, 0)) { _, _ in }
        let resolver = try Resolver(loop, servers: [port.local])
        let record = Record()
        let address = port.local
        port.close()
        loop.runOnce(waiting: false)
        let late = try UDPSocket(loop, bind: address) { bytes, _ in record.take(bytes) }
        resolver.addresses("a.b", deadline: loop.now + 2_000) { _ in }
        #expect(run(loop) { record.counts.count == 2 })
        late.close()
    }

    @Test func boundsTheQueriesInFlightAndAnswersLater() throws {
        let loop = EventLoop()
        let server = try NameServer(loop, .silent)
        let resolver = try Resolver(loop, servers: [server.udp.local])
        var refused = 0
        var timedOut = 0
        for number in 0..<70 {
            resolver.addresses("h\(number).lab", deadline: loop.now + 100) { result in
                if result == .failure(.tooMany) { refused += 1 }
                if result == .failure(.timeout) { timedOut += 1 }
            }
        }
        #expect(refused == 0)
        run(loop) { refused + timedOut == 70 }
        #expect(refused == 6 && timedOut == 64)
        server.close()
    }

    @Test(arguments: [false, true])
    func asksTheHostsNewNameServersWhatIsUnderWayToo(_ isReplaced: Bool) throws {
        let loop = EventLoop()
        let folder = TemporaryFolder()
        let file = folder.path + "/resolv.conf"
        let former = try NameServer(loop, .silent)
        let port = former.udp.local.port
        let other = IPv4Address(127, 0, 0, 9)
        let server = try NameServer(loop, .answer, at: Endpoint(other, port))
        try SystemFile.write(file, Array("nameserver 127.0.0.1\n".utf8))
        let resolver = try Resolver(loop, file: file, port: port)
        var early: Result<[IPv4Address], ResolverError>?
        resolver.addresses("early.lab", deadline: loop.now + 10_000) { early = $0 }
        #expect(run(loop) { !former.asked.isEmpty })
        // It is not looked at before a second has passed since it was read.
        run(loop, limit: 1_050) { false }
        let written = isReplaced ? file + ".new" : file
        try SystemFile.write(written, Array("nameserver 127.0.0.9\n".utf8))
        if isReplaced { #expect(unsafe rename(written, file) == 0) }
        var late: Result<[IPv4Address], ResolverError>?
        resolver.addresses("late.lab", deadline: loop.now + 3_000) { late = $0 }
        #expect(run(loop) { early != nil && late != nil })
        #expect(try early?.get().count == 2 && late?.get().count == 2)
        #expect(server.asked.sorted() == ["early.lab/1", "late.lab/1"])
        #expect(!former.asked.contains("late.lab/1"))
        resolver.close()
        former.close()
        server.close()
    }

    @Test func aFileThatIsGoneForAMomentChangesNothing() throws {
        let loop = EventLoop()
        let folder = TemporaryFolder()
        let file = folder.path + "/resolv.conf"
        let other = IPv4Address(127, 0, 0, 9)
        let server = try NameServer(loop, .answer, at: Endpoint(other, 0))
        try SystemFile.write(file, Array("nameserver 127.0.0.9\n".utf8))
        let resolver = try Resolver(loop, file: file, port: server.udp.local.port)
        SystemFile.remove(file)
        run(loop, limit: 1_050) { false }
        var found: Result<[IPv4Address], ResolverError>?
        resolver.addresses("a.lab", deadline: loop.now + 3_000) { found = $0 }
        #expect(run(loop) { found != nil })
        #expect(try found?.get().count == 2)
        resolver.close()
        server.close()
    }

    @Test func keepsNoClosureAfterClose() throws {
        let loop = EventLoop()
        let server = try NameServer(loop, .silent)
        var gone = 0
        var resolver: Resolver? = try Resolver(loop, servers: [server.udp.local])
        do {
            let canary = Canary { gone += 1 }
            resolver?.addresses("a.lab", deadline: loop.now + 60_000) { _ in _ = canary }
        }
        loop.runOnce(waiting: true)
        #expect(gone == 0)
        resolver = nil
        #expect(gone == 1)
        server.close()
    }

    @Test func mayBeClosedFromAnAnswer() throws {
        let loop = EventLoop()
        let server = try NameServer(loop, .answer)
        var resolver: Resolver? = try Resolver(loop, servers: [server.udp.local])
        var answers = 0
        for _ in 0..<3 {
            resolver?.addresses("dc1.ad.lab", deadline: loop.now + 2_000) { _ in
                answers += 1
                resolver?.close()
                resolver = nil
            }
        }
        run(loop, limit: 200) { false }
        #expect(answers == 1)
        server.close()
    }
}
