import CAres
import CLibuv
import CPosix
import Wire

/// A server of a service: what an SRV record says (RFC 2782).
package struct ServiceRecord: Hashable, Sendable, CustomStringConvertible {
    package let priority: UInt16
    package let weight: UInt16
    package let port: UInt16
    /// The host's name, without a dot at its end.
    package let target: String

    package var description: String { "\(target):\(port) (\(priority)/\(weight))" }
}

package enum ResolverError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name does not exist, or has no record of the kind.
    case notFound
    /// No server answered by the query's deadline.
    case timeout
    /// A server refused or failed, or answered what cannot be parsed; the number is c-ares's.
    case failed(Int32)
    /// More queries at once than the resolver's limit.
    case tooMany

    package var description: String {
        switch self {
        case .notFound: "name not found"
        case .timeout: "no answer from the name servers"
        case .failed(let status): unsafe String(cString: ares_strerror(status))
        case .tooMany: "too many names asked for at once"
        }
    }
}

/// Asks DNS servers without waiting for them, over c-ares.
///
/// An answer always comes from the loop, never from within a call, and at the deadline at the
/// latest; after `close()` none comes.
///
/// `@safe`: the channel lives until `close()`, which c-ares's callbacks do not outlive; they find
/// this object unretained.
@safe package final class Resolver {
    package typealias Services = (Result<[ServiceRecord], ResolverError>) -> Void
    package typealias Addresses = (Result<[IPv4Address], ResolverError>) -> Void

    static let queryLimit = 64
    /// Records that one answer may bring; the rest is left.
    static let recordLimit = 64
    /// Milliseconds until the first repetition; c-ares doubles it with each round of servers.
    static let repetition: Int32 = 500
    static let rounds: Int32 = 4
    /// Milliseconds from one look at whether the host's name servers have changed to the next.
    static let lookInterval: UInt64 = 1_000

    private enum Answer {
        case services([ServiceRecord])
        case addresses([IPv4Address])
        case failure(ResolverError)
    }

    private struct Query {
        let name: String
        let kind: Ticket.Kind
        let deadline: UInt64
        let deliver: (Answer) -> Void
        var answer: Answer?
    }

    private let loop: EventLoop
    private var channel: ares_channel?
    private var sockets: [Int32: UnsafeMutablePointer<uv_poll_t>] = unsafe [:]
    private var queries: [Int: Query] = [:]
    private var lastQuery = 0
    private var timer: Timer?
    private let servers: [Endpoint]
    private let file: String
    private let port: UInt16
    /// What the file was when its servers were read, and when to look again.
    private var version: FileVersion?
    private var nextLook: UInt64 = 0

    /// Asks `servers`, or where there are none those that `file` names, which is read now and when
    /// it has changed: a host that moves to another network, or into a VPN, has others from then
    /// on. `port` is theirs.
    package init(
        _ loop: EventLoop, servers: [Endpoint] = [], file: String = "/etc/resolv.conf",
        port: UInt16 = 53
    ) throws(ResolverError) {
        self.loop = loop
        self.servers = servers
        self.file = file
        self.port = port
        let status = ares_library_init(ARES_LIB_INIT_ALL)
        if status != ARES_SUCCESS { throw .failed(status) }
        version = FileVersion(file)
        nextLook = loop.now + Self.lookInterval
        do throws(ResolverError) {
            let made = try unsafe open()
            unsafe channel = made
        } catch {
            ares_library_cleanup()
            throw error
        }
        let this = unsafe Unmanaged.passUnretained(self)
        timer = Timer(loop) { unsafe this.takeUnretainedValue().tick() }
    }

    @unsafe
    private func open() throws(ResolverError) -> ares_channel? {
        var options = unsafe ares_options()
        unsafe options.timeout = Self.repetition
        unsafe options.tries = Self.rounds
        unsafe options.udp_port = port
        unsafe options.tcp_port = port
        unsafe options.sock_state_cb = socketChanged
        unsafe options.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
        let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT
            | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF
        var made: ares_channel?
        var status = unsafe file.withCString { path in
            unsafe options.resolvconf_path = UnsafeMutablePointer(mutating: path)
            return unsafe ares_init_options(&made, &options, mask)
        }
        if status == ARES_SUCCESS, !servers.isEmpty {
            var list = ""
            for server in servers { list += (list.isEmpty ? "" : ",") + server.description }
            status = unsafe ares_set_servers_ports_csv(made, list)
        }
        if status == ARES_SUCCESS { return unsafe made }
        if let made = unsafe made { unsafe ares_destroy(made) }
        throw .failed(status)
    }

    /// Where the host has other name servers than before, those are asked from now on, and what
    /// is under way again. A file that is gone for a moment changes nothing.
    private func renewIfChanged() {
        guard servers.isEmpty, loop.now >= nextLook, let former = unsafe channel else { return }
        nextLook = loop.now + Self.lookInterval
        guard let found = FileVersion(file), found != version,
            let fresh = try? unsafe open()
        else { return }
        version = found
        unsafe channel = fresh
        // Calls back for every query, which only frees its ticket, and for every socket.
        unsafe ares_destroy(former)
        for (number, query) in queries where query.answer == nil {
            unsafe send(fresh, number, query)
        }
    }

    deinit { close() }

    package func close() {
        guard let open = unsafe channel else { return }
        unsafe channel = nil
        queries = [:]
        timer?.close()
        timer = nil
        // Calls back for every query, which only frees its ticket, and for every socket.
        unsafe ares_destroy(open)
        ares_library_cleanup()
    }

    // MARK: Asking

    /// The servers of `name`, such as `_ldap._tcp.dc._msdcs.ad.lab`, in the answer's order, by the
    /// loop's `deadline`.
    package func services(_ name: String, deadline: UInt64, answer: @escaping Services) {
        ask(name, .services, deadline) { result in
            switch result {
            case .services(let records): answer(.success(records))
            case .addresses: answer(.success([]))
            case .failure(let error): answer(.failure(error))
            }
        }
    }

    /// The addresses of the host `name`.
    package func addresses(_ name: String, deadline: UInt64, answer: @escaping Addresses) {
        ask(name, .addresses, deadline) { result in
            switch result {
            case .addresses(let list): answer(.success(list))
            case .services: answer(.success([]))
            case .failure(let error): answer(.failure(error))
            }
        }
    }

    private func ask(
        _ name: String, _ kind: Ticket.Kind, _ deadline: UInt64,
        _ deliver: @escaping (Answer) -> Void
    ) {
        renewIfChanged()
        guard let channel = unsafe channel else { return }
        lastQuery += 1
        var query = Query(name: name, kind: kind, deadline: deadline, deliver: deliver)
        if queries.count >= Self.queryLimit { query.answer = .failure(.tooMany) }
        queries[lastQuery] = query
        if query.answer == nil { unsafe send(channel, lastQuery, query) }
        schedule()
    }

    @unsafe
    private func send(_ channel: ares_channel, _ number: Int, _ query: Query) {
        let ticket = Ticket(self, number, query.kind)
        unsafe ares_query(
            channel, query.name, Int32(ns_c_in.rawValue), query.kind.recordType, queryAnswered,
            Unmanaged.passRetained(ticket).toOpaque())
    }

    @unsafe
    fileprivate func answered(
        _ ticket: Ticket, _ status: Int32, _ message: UnsafePointer<UInt8>?, _ length: Int32
    ) {
        // Whoever asked has had a timeout already.
        guard queries[ticket.query] != nil else { return }
        var answer = Self.failure(status)
        if status == ARES_SUCCESS, let message = unsafe message {
            switch ticket.kind {
            case .services: answer = unsafe Self.services(message, length)
            case .addresses: answer = unsafe Self.addresses(message, length)
            }
        }
        queries[ticket.query]?.answer = answer
    }

    // MARK: Answers

    private static func failure(_ status: Int32) -> Answer {
        switch status {
        case ARES_ENOTFOUND, ARES_ENODATA: .failure(.notFound)
        case ARES_ETIMEOUT: .failure(.timeout)
        case _: .failure(.failed(status))
        }
    }

    @unsafe
    private static func services(_ message: UnsafePointer<UInt8>, _ length: Int32) -> Answer {
        var list: UnsafeMutablePointer<ares_srv_reply>?
        let status = unsafe ares_parse_srv_reply(message, length, &list)
        if status != ARES_SUCCESS { return failure(status) }
        defer { unsafe ares_free_data(list) }
        var records: [ServiceRecord] = []
        var next = unsafe list
        while let record = unsafe next, records.count < recordLimit {
            unsafe records.append(
                ServiceRecord(
                    priority: record.pointee.priority, weight: record.pointee.weight,
                    port: record.pointee.port, target: String(cString: record.pointee.host)))
            unsafe next = record.pointee.next
        }
        return .services(records)
    }

    @unsafe
    private static func addresses(_ message: UnsafePointer<UInt8>, _ length: Int32) -> Answer {
        var found = [ares_addrttl](repeating: ares_addrttl(), count: recordLimit)
        var count = Int32(recordLimit)
        let status = unsafe ares_parse_a_reply(message, length, nil, &found, &count)
        if status != ARES_SUCCESS { return failure(status) }
        return .addresses(
            found.prefix(Int(count)).map {
                IPv4Address(rawValue: UInt32(bigEndian: $0.ipaddr.s_addr))
            })
    }

    // MARK: Time and sockets

    /// Lets c-ares repeat what is due, and hands out what is known or too late.
    private func tick() {
        guard let channel = unsafe channel else { return }
        unsafe ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
        let now = loop.now
        for (number, query) in queries where query.answer != nil || query.deadline <= now {
            // An answer's receiver may close this resolver, or ask more.
            if queries.removeValue(forKey: number) == nil { continue }
            query.deliver(query.answer ?? .failure(.timeout))
        }
        schedule()
    }

    private func schedule() {
        guard let channel = unsafe channel else { return }
        var next: UInt64?
        for query in queries.values {
            let moment = query.answer == nil ? query.deadline : loop.now
            next = min(next ?? moment, moment)
        }
        var wait = timeval()
        if unsafe ares_timeout(channel, nil, &wait) != nil {
            // Rounded up, so as not to wake before it is due.
            let moment = loop.now + UInt64(wait.tv_sec) * 1_000 + UInt64(wait.tv_usec + 999) / 1_000
            next = min(next ?? moment, moment)
        }
        timer?.arm(at: next)
    }

    fileprivate func changed(_ socket: Int32, readable: Bool, writable: Bool) {
        if !readable, !writable {
            guard let poll = unsafe sockets.removeValue(forKey: socket) else { return }
            // c-ares closes the socket next, so libuv must be done with it now.
            _ = unsafe uv_poll_stop(poll)
            unsafe closeHandle(poll)
            return
        }
        guard let poll = unsafe sockets[socket] ?? watch(socket) else { return }
        let events = (readable ? UV_READABLE.rawValue : 0) | (writable ? UV_WRITABLE.rawValue : 0)
        _ = unsafe uv_poll_start(poll, Int32(events), socketReady)
    }

    @unsafe
    private func watch(_ socket: Int32) -> UnsafeMutablePointer<uv_poll_t>? {
        let poll = unsafe allocateHandle(uv_poll_t.self)
        if unsafe uv_poll_init(loop.raw, poll, socket) != 0 {
            unsafe free(poll)
            return nil
        }
        unsafe poll.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        unsafe sockets[socket] = poll
        return unsafe poll
    }

    fileprivate func ready(_ socket: Int32, readable: Bool, writable: Bool) {
        guard let channel = unsafe channel else { return }
        unsafe ares_process_fd(
            channel, readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD)
        schedule()
    }
}

/// What c-ares keeps for us from a query to its answer.
///
/// `@safe`: the resolver outlives its tickets, except in its own `close`, when no answer is
/// passed on.
@safe private final class Ticket {
    enum Kind {
        case services, addresses

        var recordType: Int32 {
            switch self {
            case .services: Int32(ns_t_srv.rawValue)
            case .addresses: Int32(ns_t_a.rawValue)
            }
        }
    }

    let resolver: Unmanaged<Resolver>
    let query: Int
    let kind: Kind

    init(_ resolver: Resolver, _ query: Int, _ kind: Kind) {
        unsafe self.resolver = Unmanaged.passUnretained(resolver)
        self.query = query
        self.kind = kind
    }
}

private func queryAnswered(
    _ argument: UnsafeMutableRawPointer?, _ status: Int32, _ timeouts: Int32,
    _ message: UnsafeMutablePointer<UInt8>?, _ length: Int32
) {
    guard let argument = unsafe argument else { return }
    let ticket = unsafe Unmanaged<Ticket>.fromOpaque(argument).takeRetainedValue()
    if status == ARES_EDESTRUCTION { return }
    unsafe ticket.resolver.takeUnretainedValue().answered(
        ticket, status, UnsafePointer(message), length)
}

private func socketChanged(
    _ argument: UnsafeMutableRawPointer?, _ socket: Int32, _ readable: Int32, _ writable: Int32
) {
    guard let argument = unsafe argument else { return }
    unsafe Unmanaged<Resolver>.fromOpaque(argument).takeUnretainedValue().changed(
        socket, readable: readable != 0, writable: writable != 0)
}

private func socketReady(
    _ raw: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32
) {
    guard let raw = unsafe raw else { return }
    let socket = unsafe descriptor(of: raw)
    // After an error both ways are tried, so that c-ares finds it.
    let events = UInt32(bitPattern: events)
    unsafe owner(raw, Resolver.self)?.ready(
        socket, readable: status < 0 || events & UV_READABLE.rawValue != 0,
        writable: status < 0 || events & UV_WRITABLE.rawValue != 0)
}
