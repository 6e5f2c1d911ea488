import CLibuv
import CPosix
import Wire

/// A UDP socket on one address. To hear a subnet's broadcasts too, make another one on the
/// subnet's broadcast address: Linux delivers them there and not to the interface's own.
///
/// `@safe`: as `Timer`; and the span of a datagram cannot outlive the callback it is passed to.
@safe package final class UDPSocket {
    package struct Options: Sendable {
        /// May send to broadcast addresses.
        package var broadcast = false
        /// Shares the port with other sockets that say so too.
        package var shared = false

        package init(broadcast: Bool = false, shared: Bool = false) {
            self.broadcast = broadcast
            self.shared = shared
        }
    }

    package typealias Receive = (Span<UInt8>, Endpoint) -> Void

    /// One of several datagrams to send: where its bytes are, and where they go.
    package struct Outgoing: Sendable {
        package var range: Range<Int>
        package var destination: Endpoint

        package init(_ range: Range<Int>, to destination: Endpoint) {
            self.range = range
            self.destination = destination
        }
    }

    /// Bytes that wait for a full socket; what comes on top is dropped, as a network would.
    static let queueLimit = 262_144
    private let loop: EventLoop
    private var raw: UnsafeMutablePointer<uv_udp_t>?
    private var onReceive: Receive?
    private var onBatch: (() -> Void)?
    private var batch: DatagramBatch?
    /// The address bound, with the port that the system chose where it was asked to.
    package let local: Endpoint
    /// Datagrams that were dropped because the queue was full.
    package private(set) var dropped = 0

    /// Port 0 lets the system choose. After some datagrams that came together `onBatch` is called:
    /// whoever answers does so then, for all of them at once.
    package init(
        _ loop: EventLoop, bind endpoint: Endpoint, options: Options = Options(),
        onBatch: (() -> Void)? = nil, onReceive: @escaping Receive
    ) throws(SystemError) {
        let socket = unsafe allocateHandle(uv_udp_t.self)
        let flags = UInt32(AF_INET) | UInt32(UV_UDP_RECVMMSG.rawValue)
        var status = unsafe uv_udp_init_ex(loop.raw, socket, flags)
        if status != 0 {
            unsafe free(socket)
            throw SystemError("socket", status, endpoint.description)
        }
        let reuse = options.shared ? UInt32(UV_UDP_REUSEADDR.rawValue) : 0
        status = unsafe endpoint.withSocketAddress { unsafe uv_udp_bind(socket, $0, reuse) }
        if status == 0, options.broadcast { status = unsafe uv_udp_set_broadcast(socket, 1) }
        if status == 0 {
            status = unsafe uv_udp_recv_start(socket, lendBuffer, datagramArrived)
        }
        if status != 0 {
            unsafe closeHandle(socket)
            throw SystemError("bind", status, endpoint.description)
        }
        let bound = unsafe descriptor(of: socket)
        self.loop = loop
        self.onReceive = onReceive
        self.onBatch = onBatch
        local = Endpoint(localOf: bound) ?? endpoint
        unsafe raw = socket
        unsafe socket.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { close() }

    package func close() {
        guard let socket = unsafe raw else { return }
        unsafe raw = nil
        onReceive = nil
        onBatch = nil
        unsafe closeHandle(socket)
    }

    /// Sends at once where the socket takes it, else when it can. Gives the reason where the
    /// system refuses the destination; a closed socket sends nothing.
    @discardableResult
    package func send(_ bytes: Span<UInt8>, to destination: Endpoint) -> SystemError? {
        unsafe bytes.withUnsafeBufferPointer { unsafe send($0, to: destination) }
    }

    @discardableResult
    package func send(_ bytes: [UInt8], to destination: Endpoint) -> SystemError? {
        unsafe bytes.withUnsafeBufferPointer { unsafe send($0, to: destination) }
    }

    /// Sends datagrams whose bytes are parts of `bytes`, with few system calls. Gives the reason
    /// where the system refused one, the last of them.
    @discardableResult
    package func send(_ bytes: [UInt8], _ list: [Outgoing]) -> SystemError? {
        var sent = 0
        var failure: SystemError?
        while sent < list.count {
            sent += unsafe bytes.withUnsafeBufferPointer { unsafe sendTogether($0, list[sent...]) }
            // What the system did not take is full or wrong; alone it queues, or tells why.
            if sent < list.count {
                let one = list[sent]
                let error = send(bytes.span.extracting(one.range), to: one.destination)
                failure = error ?? failure
                sent += 1
            }
        }
        return failure
    }

    /// Sends the first ones of `list` in one system call; gives how many it took.
    @unsafe
    private func sendTogether(
        _ bytes: UnsafeBufferPointer<UInt8>, _ list: ArraySlice<Outgoing>
    ) -> Int {
        // Alone there is nothing to be gained, and none may overtake those in the queue.
        guard let socket = unsafe raw, list.count > 1,
            unsafe uv_udp_get_send_queue_count(socket) == 0
        else { return 0 }
        let batch = self.batch ?? DatagramBatch()
        self.batch = batch
        return unsafe batch.send(bytes, list, on: descriptor(of: socket))
    }

    @unsafe
    private func send(
        _ bytes: UnsafeBufferPointer<UInt8>, to destination: Endpoint
    ) -> SystemError? {
        guard let socket = unsafe raw else { return nil }
        var buffer = unsafe borrowedBuffer(bytes)
        var status = unsafe destination.withSocketAddress {
            unsafe uv_udp_try_send(socket, &buffer, 1, $0)
        }
        if status == -EAGAIN {
            if unsafe uv_udp_get_send_queue_size(socket) + bytes.count > Self.queueLimit {
                dropped += 1
                return nil
            }
            status = unsafe queue(bytes, to: destination, on: socket)
        }
        return status < 0 ? SystemError("send", status, destination.description) : nil
    }

    @unsafe
    private func queue(
        _ bytes: UnsafeBufferPointer<UInt8>, to destination: Endpoint,
        on socket: UnsafeMutablePointer<uv_udp_t>
    ) -> Int32 {
        let request = unsafe allocateHandle(uv_udp_send_t.self, extra: bytes.count)
        var buffer = unsafe copy(bytes, after: request)
        let status = unsafe destination.withSocketAddress {
            unsafe uv_udp_send(request, socket, &buffer, 1, $0, datagramSent)
        }
        if status != 0 { unsafe free(request) }
        return status
    }

    @unsafe
    fileprivate func arrived(
        _ count: Int, _ data: UnsafePointer<uv_buf_t>, _ source: UnsafePointer<sockaddr>
    ) {
        guard let onReceive, let endpoint = unsafe Endpoint(source) else { return }
        unsafe withSpan(data, count) { onReceive($0, endpoint) }
    }

    fileprivate func batchEnded() { onBatch?() }
}

private func datagramArrived(
    _ raw: UnsafeMutablePointer<uv_udp_t>?, _ count: Int, _ data: UnsafePointer<uv_buf_t>?,
    _ source: UnsafePointer<sockaddr>?, _ flags: UInt32
) {
    // Without a source the call only gives the buffer back, after the last of some datagrams, or
    // reports an error of an earlier send, which concerns no one here.
    guard let source = unsafe source else {
        unsafe owner(raw, UDPSocket.self)?.batchEnded()
        return
    }
    guard count >= 0, flags & UInt32(UV_UDP_PARTIAL.rawValue) == 0, let data = unsafe data
    else { return }
    unsafe owner(raw, UDPSocket.self)?.arrived(count, data, source)
}

private func datagramSent(_ request: UnsafeMutablePointer<uv_udp_send_t>?, _ status: Int32) {
    unsafe free(request)
}
