import CLibuv
import CPosix
import Wire

/// What TCP and local connections share: bytes in order, both ways, until it is closed.
///
/// A connection ends in one of two ways, once: the owner closes it (or lets go of it), and hears
/// nothing more; or it ends by itself, and the owner is told by `closed`, after which it is as if
/// the owner had closed it. `closed` never comes from within a call of the owner's.
///
/// `@safe`: as `Timer`; and the span of received bytes cannot outlive the callback it is
/// passed to.
@safe package class StreamConnection {
    package typealias Receive = (Span<UInt8>) -> Void
    /// With nil where the peer ended the stream.
    package typealias Closed = (SystemError?) -> Void

    private enum State {
        /// Made or accepted; nothing is read yet.
        case idle
        case open
        /// Nothing is read any more; closes when all that was sent is out.
        case draining
        /// Ended by itself, to be told when libuv is through with the handle.
        case ending(SystemError?)
        case closed
    }

    /// Bytes that may wait for a peer that does not read; one more ends the connection.
    package static let defaultQueueLimit = 1_048_576

    let loop: EventLoop
    private(set) var raw: UnsafeMutablePointer<uv_stream_t>?
    private var state = State.idle
    private let queueLimit: Int
    private var onReceive: Receive?
    private var onClosed: Closed?
    /// Of the bytes that `send` was given, those the system took at once or later.
    package private(set) var sentBytes = 0
    package private(set) var receivedBytes = 0

    /// Takes over a handle that is initialised and not yet read from.
    @unsafe
    init(
        _ loop: EventLoop, taking handle: UnsafeMutablePointer<uv_stream_t>, queueLimit: Int
    ) {
        self.loop = loop
        self.queueLimit = queueLimit
        unsafe raw = handle
        unsafe handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { shut() }

    /// Starts reading. An accepted connection needs this before anything comes.
    package func start(received: @escaping Receive, closed: @escaping Closed) {
        guard case .idle = state else { return }
        hear(received: received, closed: closed)
        read()
    }

    /// Keeps the callbacks for when there is a connection.
    final func hear(received: @escaping Receive, closed: @escaping Closed) {
        onReceive = received
        onClosed = closed
    }

    final func read() {
        guard case .idle = state, let stream = unsafe raw else { return }
        state = .open
        let status = unsafe uv_read_start(stream, lendBuffer, bytesArrived)
        if status != 0 { end(SystemError("read", status)) }
    }

    /// Leaves what comes with the system until `resumeReading()`, which slows the peer down.
    package final func pauseReading() {
        if case .open = state, let stream = unsafe raw { _ = unsafe uv_read_stop(stream) }
    }

    package final func resumeReading() {
        guard case .open = state, let stream = unsafe raw else { return }
        _ = unsafe uv_read_start(stream, lendBuffer, bytesArrived)
    }

    // MARK: Sending

    /// Bytes given to `send` that still wait here.
    package final var queuedBytes: Int {
        guard let stream = unsafe raw else { return 0 }
        return unsafe uv_stream_get_write_queue_size(stream)
    }

    package final func send(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { unsafe send($0) }
    }

    package final func send(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe send($0) }
    }

    @unsafe
    private final func send(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let stream = unsafe raw, accepts, bytes.count > 0 else { return }
        var buffer = unsafe borrowedBuffer(bytes)
        let written = unsafe uv_try_write(stream, &buffer, 1)
        if written < 0, written != -EAGAIN { return end(SystemError("write", written)) }
        let sent = max(0, Int(written))
        sentBytes += sent
        if sent == bytes.count { return }
        let rest = unsafe UnsafeBufferPointer(rebasing: bytes[sent...])
        if queuedBytes + rest.count > queueLimit { return end(SystemError("write", ENOBUFS)) }
        let request = unsafe allocateHandle(uv_write_t.self, extra: rest.count)
        var copied = unsafe copy(rest, after: request)
        let status = unsafe uv_write(request, stream, &copied, 1, bytesWritten)
        if status != 0 {
            unsafe free(request)
            return end(SystemError("write", status))
        }
        sentBytes += rest.count
    }

    private final var accepts: Bool {
        switch state {
        case .idle, .open: true
        case .draining, .ending, .closed: false
        }
    }

    // MARK: Ending

    /// Closes when what was sent is out. The owner still hears `closed` then, and should set
    /// itself a deadline, because the peer may never read.
    package final func closeAfterSending() {
        guard accepts, let stream = unsafe raw else { return }
        _ = unsafe uv_read_stop(stream)
        state = .draining
        onReceive = nil
        if queuedBytes == 0 { end(nil) }
    }

    /// Closes now; what still waits is lost.
    package func close() { shut() }

    private final func shut() {
        if let stream = unsafe raw { unsafe closeHandle(stream) }
        unsafe raw = nil
        forget()
    }

    /// Ends the connection for a reason of the system's or the peer's.
    final func end(_ reason: SystemError?) {
        if case .ending = state { return }
        guard let stream = unsafe raw else { return }
        state = .ending(reason)
        let handle = unsafe asHandle(stream)
        unsafe uv_close(handle, streamEnded)
    }

    private final func forget() {
        state = .closed
        onReceive = nil
        onClosed = nil
    }

    /// Tells the owner how it ended, when everything is given back.
    func tell(_ reason: SystemError?) {
        let told = onClosed
        forget()
        told?(reason)
    }

    fileprivate final func ended() {
        guard case .ending(let reason) = state else { return }
        unsafe raw = nil
        tell(reason)
    }

    fileprivate final func written(_ status: Int32) {
        if status != 0 { return end(SystemError("write", status)) }
        if case .draining = state, queuedBytes == 0 { end(nil) }
    }

    @unsafe
    fileprivate final func arrived(_ count: Int, _ data: UnsafePointer<uv_buf_t>?) {
        if count == Int(UV_EOF.rawValue) { return end(nil) }
        if count < 0 { return end(SystemError("read", Int32(count))) }
        guard count > 0, let data = unsafe data, let onReceive else { return }
        receivedBytes += count
        unsafe withSpan(data, count, onReceive)
    }
}

private func bytesArrived(
    _ raw: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ data: UnsafePointer<uv_buf_t>?
) {
    unsafe owner(raw, StreamConnection.self)?.arrived(count, data)
}

private func bytesWritten(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
    guard let request = unsafe request else { return }
    let stream = unsafe request.pointee.handle
    unsafe free(request)
    unsafe owner(stream, StreamConnection.self)?.written(status)
}

private func streamEnded(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    unsafe owner(handle, StreamConnection.self)?.ended()
    unsafe free(handle)
}
