import CLibuv
import CPosix
import Wire

/// A TCP connection, made by us or accepted.
package final class TCPConnection: StreamConnection {
    package struct Options: Sendable {
        /// The address to connect from; the system chooses without.
        package var source: IPv4Address?
        /// Milliseconds after which a peer that acknowledges nothing is taken for dead
        /// (TCP_USER_TIMEOUT), while connecting and after; 0 leaves it to the system.
        package var userTimeout: UInt32 = 0
        /// Seconds of silence after which the system asks the peer whether it is there; 0 is off.
        package var keepAlive: UInt32 = 0
        package var queueLimit = StreamConnection.defaultQueueLimit

        /// Of accepted connections: a client that vanished without a word is noticed in twelve
        /// minutes, also where nobody has anything to say to it. Where the user timeout were
        /// shorter than the silence, one lost question would end a connection.
        static let accepted = Options(userTimeout: 720_000, keepAlive: 600)

        package init(
            source: IPv4Address? = nil, userTimeout: UInt32 = 0, keepAlive: UInt32 = 0,
            queueLimit: Int = StreamConnection.defaultQueueLimit
        ) {
            self.source = source
            self.userTimeout = userTimeout
            self.keepAlive = keepAlive
            self.queueLimit = queueLimit
        }
    }

    /// What the owner of a connection of ours hears: `failed`, or `connected` and then `closed`.
    package struct Handlers {
        package var connected: () -> Void
        package var failed: (SystemError) -> Void
        package var received: Receive
        package var closed: Closed

        package init(
            connected: @escaping () -> Void, failed: @escaping (SystemError) -> Void,
            received: @escaping Receive, closed: @escaping Closed
        ) {
            self.connected = connected
            self.failed = failed
            self.received = received
            self.closed = closed
        }
    }

    package let peer: Endpoint
    private var onConnected: (() -> Void)?
    private var onFailed: ((SystemError) -> Void)?

    /// Begins to connect. What is sent before the connection stands goes out once it does.
    package init(
        _ loop: EventLoop, to peer: Endpoint, options: Options = Options(), handlers: Handlers
    ) {
        let socket = unsafe allocateHandle(uv_tcp_t.self)
        var status = unsafe uv_tcp_init_ex(loop.raw, socket, UInt32(AF_INET))
        let hasSocket = status == 0
        if !hasSocket { _ = unsafe uv_tcp_init(loop.raw, socket) }
        self.peer = peer
        onConnected = handlers.connected
        onFailed = handlers.failed
        let stream = unsafe asStream(socket)
        unsafe super.init(loop, taking: stream, queueLimit: options.queueLimit)
        hear(received: handlers.received, closed: handlers.closed)
        if status == 0 { status = unsafe apply(options, to: socket) }
        if status == 0 { status = unsafe connect(socket) }
        if status != 0 { end(SystemError("connect", status, peer.description)) }
    }

    /// Takes over an accepted connection.
    @unsafe
    init(_ loop: EventLoop, accepted socket: UnsafeMutablePointer<uv_tcp_t>, peer: Endpoint) {
        self.peer = peer
        let stream = unsafe asStream(socket)
        unsafe super.init(
            loop, taking: stream, queueLimit: Options.accepted.queueLimit)
        // An option that the system refuses is no reason to turn a client away.
        _ = unsafe apply(.accepted, to: socket)
    }

    @unsafe
    private func apply(_ options: Options, to socket: UnsafeMutablePointer<uv_tcp_t>) -> Int32 {
        var status = unsafe uv_tcp_nodelay(socket, 1)
        if status == 0, options.keepAlive > 0 {
            status = unsafe uv_tcp_keepalive(socket, 1, options.keepAlive)
        }
        if status == 0, options.userTimeout > 0 {
            status = unsafe setOption(
                descriptor(of: socket), IPPROTO_TCP, TCP_USER_TIMEOUT, options.userTimeout)
        }
        if status == 0, let source = options.source {
            status = unsafe Endpoint(source, 0).withSocketAddress {
                unsafe uv_tcp_bind(socket, $0, 0)
            }
        }
        return status
    }

    @unsafe
    private func connect(_ socket: UnsafeMutablePointer<uv_tcp_t>) -> Int32 {
        let request = unsafe allocateHandle(uv_connect_t.self)
        let status = unsafe peer.withSocketAddress {
            unsafe uv_tcp_connect(request, socket, $0, connectionMade)
        }
        if status != 0 { unsafe free(request) }
        return status
    }

    fileprivate func made(_ status: Int32) {
        if status != 0 { return end(SystemError("connect", status, peer.description)) }
        let told = onConnected
        onConnected = nil
        onFailed = nil
        read()
        told?()
    }

    /// Our end; nil once it is closed.
    package var local: Endpoint? {
        guard let raw = unsafe raw else { return nil }
        return unsafe Endpoint(localOf: descriptor(of: raw))
    }

    override package func close() {
        onConnected = nil
        onFailed = nil
        super.close()
    }

    override func tell(_ reason: SystemError?) {
        guard let failed = onFailed else { return super.tell(reason) }
        close()
        failed(reason ?? SystemError("connect", ECONNABORTED, peer.description))
    }
}

private func connectionMade(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
    guard let request = unsafe request else { return }
    let stream = unsafe request.pointee.handle
    unsafe free(request)
    if status != -ECANCELED { unsafe owner(stream, TCPConnection.self)?.made(status) }
}

/// Accepts TCP connections on one address.
///
/// `@safe`: as `Timer`.
@safe package final class TCPListener {
    package typealias Accept = (TCPConnection) -> Void

    private let loop: EventLoop
    private var raw: UnsafeMutablePointer<uv_tcp_t>?
    private var onAccept: Accept?
    package let local: Endpoint

    /// `accepted` is given a connection to keep and to `start`.
    package init(
        _ loop: EventLoop, bind endpoint: Endpoint, backlog: Int32 = 1_024,
        accepted: @escaping Accept
    ) throws(SystemError) {
        let socket = unsafe allocateHandle(uv_tcp_t.self)
        var status = unsafe uv_tcp_init(loop.raw, socket)
        if status != 0 {
            unsafe free(socket)
            throw SystemError("socket", status, endpoint.description)
        }
        status = unsafe endpoint.withSocketAddress { unsafe uv_tcp_bind(socket, $0, 0) }
        let stream = unsafe asStream(socket)
        if status == 0 { status = unsafe uv_listen(stream, backlog, connectionWaiting) }
        if status != 0 {
            unsafe closeHandle(socket)
            throw SystemError("listen", status, endpoint.description)
        }
        let bound = unsafe descriptor(of: socket)
        self.loop = loop
        onAccept = accepted
        local = Endpoint(localOf: bound) ?? endpoint
        unsafe raw = socket
        unsafe socket.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { close() }

    package func close() {
        guard let socket = unsafe raw else { return }
        unsafe raw = nil
        onAccept = nil
        unsafe closeHandle(socket)
    }

    @unsafe
    fileprivate func accept(on server: UnsafeMutablePointer<uv_stream_t>) {
        let socket = unsafe allocateHandle(uv_tcp_t.self)
        let stream = unsafe asStream(socket)
        guard unsafe uv_tcp_init(loop.raw, socket) == 0 else { return unsafe free(socket) }
        guard unsafe uv_accept(server, stream) == 0, let peer = unsafe peer(of: socket) else {
            return unsafe closeHandle(socket)
        }
        onAccept?(unsafe TCPConnection(loop, accepted: socket, peer: peer))
    }

    @unsafe
    private func peer(of socket: UnsafeMutablePointer<uv_tcp_t>) -> Endpoint? {
        var address = sockaddr_in()
        var length = Int32(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe uv_tcp_getpeername(
                socket, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                &length)
        }
        return status == 0 ? Endpoint(address) : nil
    }
}

private func connectionWaiting(_ server: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    guard status == 0, let server = unsafe server else { return }
    unsafe owner(server, TCPListener.self)?.accept(on: server)
}

/// Sets a number as a socket's option; 0 or the negative error, as libuv has it.
func setOption(_ descriptor: Int32, _ level: Int, _ name: Int32, _ value: UInt32) -> Int32 {
    var number = value
    let size = socklen_t(MemoryLayout<UInt32>.size)
    let status = unsafe setsockopt(descriptor, Int32(level), name, &number, size)
    return status == 0 ? 0 : 0 &- postern_errno()
}
