import CLibuv
import CPosix
import Wire

// Sockets that wait, each time by a deadline, for the administrator's flows and the sub-commands.
// The daemon never uses them.

/// The clocks of programs without a loop.
package enum SystemClock {
    /// Milliseconds on the monotonic clock, which is also the loop's.
    package static var milliseconds: UInt64 { microseconds / 1_000 }

    package static var microseconds: UInt64 { postern_microseconds(CLOCK_MONOTONIC) }

    /// Since 1970.
    package static var unixMicroseconds: UInt64 { postern_microseconds(CLOCK_REALTIME) }

    /// Seconds since 1970.
    package static var unixSeconds: UInt64 { UInt64(time(nil)) }
}

/// A socket's descriptor, closed when the last holder lets go.
package final class BlockingSocket {
    let descriptor: Int32
    private let subject: String

    init(_ family: Int32, _ type: __socket_type, subject: String) throws(SystemError) {
        descriptor = try openSocket(family, type)
        self.subject = subject
    }

    deinit { _ = close(descriptor) }

    /// Waits until the socket is ready for `events`, or throws at `deadline`.
    func wait(
        _ operation: StaticString, _ events: Int32, _ deadline: UInt64
    ) throws(SystemError) {
        while true {
            let now = SystemClock.milliseconds
            let left = deadline > now ? min(deadline - now, 60_000) : 0
            var poll = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = unsafe CPosix.poll(&poll, 1, Int32(left))
            if ready > 0 { return }
            if ready < 0, postern_errno() != EINTR { throw failure(operation) }
            if ready == 0, SystemClock.milliseconds >= deadline {
                throw SystemError(operation, ETIMEDOUT, subject)
            }
        }
    }

    func failure(_ operation: StaticString) -> SystemError { .last(operation, subject) }

    func send(_ bytes: [UInt8], deadline: UInt64) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CPosix.send(
                    descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if postern_errno() == EAGAIN {
                try wait("send", POLLOUT, deadline)
            } else if postern_errno() != EINTR {
                throw failure("send")
            }
        }
    }

    /// What has come, at most `limit` bytes; nothing where the peer ended the stream.
    func receive(atMost limit: Int, deadline: UInt64) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, limit, 0)
            }
            if count >= 0 {
                bytes.removeLast(limit - count)
                return bytes
            }
            if postern_errno() == EAGAIN {
                try wait("receive", POLLIN, deadline)
            } else if postern_errno() != EINTR {
                throw failure("receive")
            }
        }
    }

    /// The outcome of a connect that was begun.
    func finishConnecting(_ deadline: UInt64) throws(SystemError) {
        try wait("connect", POLLOUT, deadline)
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        if code != 0 { throw SystemError("connect", code, subject) }
    }
}

/// A client of a local stream socket, such as the running agent's control socket.
package final class LocalClient {
    private let socket: BlockingSocket

    /// Milliseconds until the next try where the server's backlog is full.
    private static let retry: UInt64 = 5

    /// Deadlines are in `SystemClock.milliseconds`.
    package init(path: String, deadline: UInt64) throws(SystemError) {
        socket = try BlockingSocket(AF_UNIX, SOCK_STREAM, subject: path)
        while true {
            let code = unsafe callLocal(socket.descriptor, path, connect)
            if code == 0 { return }
            // A full backlog cannot be waited for by poll.
            guard code == EAGAIN else { throw SystemError("connect", code, path) }
            if SystemClock.milliseconds + Self.retry > deadline {
                throw SystemError("connect", ETIMEDOUT, path)
            }
            _ = usleep(useconds_t(Self.retry) * 1_000)
        }
    }

    package func send(_ bytes: [UInt8], deadline: UInt64) throws(SystemError) {
        try socket.send(bytes, deadline: deadline)
    }

    /// What has come, at most `limit` bytes; nothing where the server ended the stream.
    package func receive(
        atMost limit: Int = 65_536, deadline: UInt64
    ) throws(SystemError) -> [UInt8] {
        try socket.receive(atMost: limit, deadline: deadline)
    }
}

/// One TCP connection of an administrator's flow.
package final class BlockingTCP {
    private let socket: BlockingSocket
    package let peer: Endpoint

    package init(
        to peer: Endpoint, source: IPv4Address? = nil, deadline: UInt64
    ) throws(SystemError) {
        socket = try BlockingSocket(AF_INET, SOCK_STREAM, subject: peer.description)
        self.peer = peer
        _ = setOption(socket.descriptor, IPPROTO_TCP, TCP_NODELAY, 1)
        let descriptor = socket.descriptor
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        if let source {
            let status = unsafe Endpoint(source, 0).withSocketAddress {
                unsafe bind(descriptor, $0, length)
            }
            if status != 0 { throw .last("bind", source.description) }
        }
        let status = unsafe peer.withSocketAddress { unsafe connect(descriptor, $0, length) }
        if status == 0 { return }
        if postern_errno() != EINPROGRESS { throw socket.failure("connect") }
        try socket.finishConnecting(deadline)
    }

    package var local: Endpoint? { Endpoint(localOf: socket.descriptor) }

    package func send(_ bytes: [UInt8], deadline: UInt64) throws(SystemError) {
        try socket.send(bytes, deadline: deadline)
    }

    /// What has come, at most `limit` bytes; nothing where the peer ended the stream.
    package func receive(
        atMost limit: Int = 65_536, deadline: UInt64
    ) throws(SystemError) -> [UInt8] {
        try socket.receive(atMost: limit, deadline: deadline)
    }

    /// Exactly `count` bytes; a stream that ends before is an error.
    package func receive(exactly count: Int, deadline: UInt64) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try receive(atMost: count - bytes.count, deadline: deadline)
            if more.isEmpty { throw SystemError("receive", ECONNRESET, peer.description) }
            bytes += more
        }
        return bytes
    }
}

/// A UDP socket of an administrator's flow.
package final class BlockingUDP {
    private let socket: BlockingSocket

    /// Port 0, or no address, lets the system choose.
    package init(
        bind endpoint: Endpoint = Endpoint(.any, 0), broadcast: Bool = false
    ) throws(SystemError) {
        socket = try BlockingSocket(AF_INET, SOCK_DGRAM, subject: endpoint.description)
        let descriptor = socket.descriptor
        if broadcast { _ = setOption(descriptor, Int(SOL_SOCKET), SO_BROADCAST, 1) }
        let status = unsafe endpoint.withSocketAddress {
            unsafe CPosix.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        if status != 0 { throw socket.failure("bind") }
    }

    package var local: Endpoint? { Endpoint(localOf: socket.descriptor) }

    package func send(_ bytes: [UInt8], to destination: Endpoint) throws(SystemError) {
        let descriptor = socket.descriptor
        let status = unsafe destination.withSocketAddress { address in
            unsafe bytes.withUnsafeBytes {
                unsafe sendto(
                    descriptor, $0.baseAddress, $0.count, 0, address,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status < 0 { throw .last("send", destination.description) }
    }

    /// The next datagram and where it came from.
    package func receive(deadline: UInt64) throws(SystemError) -> ([UInt8], Endpoint) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var address = sockaddr_in()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = socket.descriptor
            let count = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                let source = unsafe UnsafeMutableRawPointer(pointer)
                    .assumingMemoryBound(to: sockaddr.self)
                return unsafe bytes.withUnsafeMutableBytes {
                    unsafe recvfrom(descriptor, $0.baseAddress, $0.count, 0, source, &length)
                }
            }
            if count >= 0 { return (Array(bytes.prefix(count)), Endpoint(address)) }
            if postern_errno() == EAGAIN {
                try socket.wait("receive", POLLIN, deadline)
            } else if postern_errno() != EINTR {
                throw socket.failure("receive")
            }
        }
    }
}
