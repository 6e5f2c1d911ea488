import CLibuv
import CPosix
import Wire

/// Who is at the other end of a local socket, as the kernel saw it when the peer connected.
package struct PeerCredentials: Equatable, Sendable, CustomStringConvertible {
    package let process: Int32
    package let user: UInt32
    package let group: UInt32

    package var description: String { "process \(process), user \(user), group \(group)" }

    init?(of descriptor: Int32) {
        var process: Int32 = 0
        var user: uid_t = 0
        var group: gid_t = 0
        guard unsafe postern_peer_credentials(descriptor, &process, &user, &group) == 0 else {
            return nil
        }
        self.process = process
        self.user = user
        self.group = group
    }
}

/// An accepted connection on a local (Unix) socket.
package final class LocalConnection: StreamConnection {
    package let peer: PeerCredentials

    @unsafe
    init(
        _ loop: EventLoop, accepted socket: UnsafeMutablePointer<uv_pipe_t>, peer: PeerCredentials,
        queueLimit: Int
    ) {
        self.peer = peer
        let stream = unsafe asStream(socket)
        unsafe super.init(loop, taking: stream, queueLimit: queueLimit)
    }
}

/// Accepts connections on a local stream socket, whose file it makes and removes.
///
/// `@safe`: as `Timer`.
@safe package final class LocalListener {
    package typealias Accept = (LocalConnection) -> Void

    package struct Options: Sendable {
        /// Who may connect, as permission bits of the socket's file.
        package var mode: UInt32 = 0o600
        /// The file's group; ours without.
        package var group: UInt32?
        package var backlog: Int32 = 4_096
        package var queueLimit = StreamConnection.defaultQueueLimit

        package init(mode: UInt32 = 0o600, group: UInt32? = nil) {
            self.mode = mode
            self.group = group
        }
    }

    private let loop: EventLoop
    private var raw: UnsafeMutablePointer<uv_pipe_t>?
    private var onAccept: Accept?
    private let queueLimit: Int
    private let file: SocketFile

    /// A file that a stopped process left is replaced; one that somebody listens on is not.
    package init(
        _ loop: EventLoop, path: String, options: Options = Options(), accepted: @escaping Accept
    ) throws(SystemError) {
        let file = SocketFile(path)
        let descriptor = try file.bind(mode: options.mode, group: options.group)
        let pipe = unsafe allocateHandle(uv_pipe_t.self)
        _ = unsafe uv_pipe_init(loop.raw, pipe, 0)
        var status = unsafe uv_pipe_open(pipe, descriptor)
        if status != 0 { _ = CPosix.close(descriptor) }
        let stream = unsafe asStream(pipe)
        if status == 0 { status = unsafe uv_listen(stream, options.backlog, clientWaiting) }
        if status != 0 {
            unsafe closeHandle(pipe)
            file.remove()
            throw SystemError("listen", status, path)
        }
        self.loop = loop
        self.file = file
        queueLimit = options.queueLimit
        onAccept = accepted
        unsafe raw = pipe
        unsafe pipe.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { close() }

    /// Whether somebody listens on the local socket at `path`, or may do so where it is not ours
    /// to connect to. Nobody does where there is no such file.
    package static func isServed(_ path: String) -> Bool {
        do throws(SystemError) { return try SocketFile(path).isServed } catch { return false }
    }

    /// Stops listening and removes the file. Accepted connections stay.
    package func close() {
        guard let pipe = unsafe raw else { return }
        unsafe raw = nil
        onAccept = nil
        file.remove()
        unsafe closeHandle(pipe)
    }

    @unsafe
    fileprivate func accept(on server: UnsafeMutablePointer<uv_stream_t>) {
        let pipe = unsafe allocateHandle(uv_pipe_t.self)
        _ = unsafe uv_pipe_init(loop.raw, pipe, 0)
        let stream = unsafe asStream(pipe)
        guard unsafe uv_accept(server, stream) == 0,
            let peer = unsafe PeerCredentials(of: descriptor(of: pipe))
        else {
            return unsafe closeHandle(pipe)
        }
        onAccept?(
            unsafe LocalConnection(loop, accepted: pipe, peer: peer, queueLimit: queueLimit))
    }
}

private func clientWaiting(_ server: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    guard status == 0, let server = unsafe server else { return }
    unsafe owner(server, LocalListener.self)?.accept(on: server)
}

/// The file of a local socket.
private final class SocketFile {
    private let path: String
    /// The file that we made; another's under the same path is not ours to remove.
    private var device: UInt = 0
    private var inode: UInt = 0

    init(_ path: String) { self.path = path }

    /// A bound socket that does not listen yet, so that nobody connects before the file's mode
    /// and group are right.
    func bind(mode: UInt32, group: UInt32?) throws(SystemError) -> Int32 {
        try removeStale()
        let descriptor = try openSocket(AF_UNIX, SOCK_STREAM)
        do throws(SystemError) {
            try place(descriptor, mode, group)
        } catch {
            _ = CPosix.close(descriptor)
            throw error
        }
        return descriptor
    }

    private func place(_ socket: Int32, _ mode: UInt32, _ group: UInt32?) throws(SystemError) {
        let mask = umask(0o177)
        let code = unsafe callLocal(socket, path, CPosix.bind)
        _ = umask(mask)
        if code != 0 { throw SystemError("bind", code, path) }
        if let found = fileStatus() {
            device = UInt(found.st_dev)
            inode = UInt(found.st_ino)
        }
        if let group, unsafe chown(path, uid_t.max, group) != 0 { throw .last("chown", path) }
        if unsafe chmod(path, mode_t(mode)) != 0 { throw .last("chmod", path) }
    }

    func remove() {
        guard let found = fileStatus(), UInt(found.st_dev) == device, UInt(found.st_ino) == inode
        else { return }
        _ = unsafe unlink(path)
    }

    private func removeStale() throws(SystemError) {
        guard let found = fileStatus() else { return }
        if found.st_mode & UInt32(S_IFMT) != UInt32(S_IFSOCK) {
            throw SystemError("bind", EEXIST, path)
        }
        if try isServed { throw SystemError("bind", EADDRINUSE, path) }
        _ = unsafe unlink(path)
    }

    /// Whether somebody listens on the file.
    var isServed: Bool {
        get throws(SystemError) {
            let probe = try openSocket(AF_UNIX, SOCK_STREAM)
            let code = unsafe callLocal(probe, path, CPosix.connect)
            _ = CPosix.close(probe)
            // Only a refusal says that nobody does; a full backlog, say, means that somebody does.
            return code != ECONNREFUSED && code != ENOENT
        }
    }

    private func fileStatus() -> stat? {
        var found = stat()
        return unsafe lstat(path, &found) == 0 ? found : nil
    }
}
