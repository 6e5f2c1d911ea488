import CLibuv
import CPosix
import Wire

// What all handles share. A handle's memory is libuv's from its init to its close callback; the
// object that owns it is found through `data`, unretained, and clears that before it goes.

/// Zeroed memory for a handle, a request, or a C structure with bytes after it.
@unsafe
func allocateHandle<Handle>(_ type: Handle.Type, extra: Int = 0) -> UnsafeMutablePointer<Handle> {
    guard let memory = unsafe calloc(1, MemoryLayout<Handle>.stride + extra) else {
        fatalError("out of memory")
    }
    return unsafe memory.assumingMemoryBound(to: Handle.self)
}

/// The same memory, seen as what all handles begin with.
@unsafe
func asHandle<Handle>(_ raw: UnsafeMutablePointer<Handle>) -> UnsafeMutablePointer<uv_handle_t> {
    unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_handle_t.self)
}

/// The same memory, seen as what all streams begin with.
@unsafe
func asStream<Handle>(_ raw: UnsafeMutablePointer<Handle>) -> UnsafeMutablePointer<uv_stream_t> {
    unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_stream_t.self)
}

/// The handle's socket, or -1 where it has none.
@unsafe
func descriptor<Handle>(of raw: UnsafeMutablePointer<Handle>) -> Int32 {
    var descriptor: Int32 = -1
    return unsafe uv_fileno(asHandle(raw), &descriptor) == 0 ? descriptor : -1
}

/// Closes a handle whose owner wants to hear no more of it.
@unsafe
func closeHandle<Handle>(_ raw: UnsafeMutablePointer<Handle>) {
    let handle = unsafe asHandle(raw)
    unsafe handle.pointee.data = nil
    if unsafe uv_is_closing(handle) == 0 { unsafe uv_close(handle, freeHandle) }
}

func freeHandle(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    unsafe free(handle)
}

/// The object that owns a handle, or nil where it let go.
@unsafe
func owner<Handle, Owner: AnyObject>(
    _ raw: UnsafeMutablePointer<Handle>?, _ type: Owner.Type
) -> Owner? {
    guard let raw = unsafe raw else { return nil }
    let handle = unsafe asHandle(raw)
    guard let data = unsafe handle.pointee.data else { return nil }
    return unsafe Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
}

extension Endpoint {
    /// As the system wants it.
    var socketAddress: sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = self.address.rawValue.bigEndian
        return address
    }

    init(_ address: sockaddr_in) {
        self.init(
            IPv4Address(rawValue: UInt32(bigEndian: address.sin_addr.s_addr)),
            UInt16(bigEndian: address.sin_port))
    }

    /// Calls `body` with a pointer to the address in the system's form.
    @unsafe
    func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>) -> Result
    ) -> Result {
        var address = socketAddress
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe body(
                UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self))
        }
    }

    /// The address that the system gave, or nil where it is of another family.
    @unsafe
    init?(_ pointer: UnsafePointer<sockaddr>) {
        guard unsafe Int32(pointer.pointee.sa_family) == AF_INET else { return nil }
        let address = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr_in.self)
        self.init(unsafe address.pointee)
    }

    /// The local end of a socket, or nil where it has none.
    init?(localOf descriptor: Int32) {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe getsockname(
                descriptor, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                &length)
        }
        guard status == 0, Int32(address.sin_family) == AF_INET else { return nil }
        self.init(address)
    }
}

/// A socket that does not block and that no child process inherits.
func openSocket(_ family: Int32, _ type: __socket_type) throws(SystemError) -> Int32 {
    let flags = type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(family, Int32(bitPattern: flags), 0)
    if descriptor < 0 { throw .last("socket") }
    return descriptor
}

/// Calls `bind` or `connect` with the address of a local socket; gives 0 or `errno`. A path that
/// starts with @ is in the abstract space.
func callLocal(
    _ descriptor: Int32, _ path: String,
    _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_un()
    let length = unsafe postern_local_address(&address, path)
    if length == 0 { return ENAMETOOLONG }
    let status = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe call(
            descriptor, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
    }
    return status == 0 ? 0 : postern_errno()
}
