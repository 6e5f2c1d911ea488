import CLibuv
import CPosix

// Bytes on their way between spans and libuv.

/// Gives libuv the loop's buffer to receive into: one chunk for a stream, all for datagrams.
func lendBuffer(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int,
    _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    guard let handle = unsafe handle, let buffer = unsafe buffer else { return }
    let isDatagram = unsafe handle.pointee.type == UV_UDP
    let count = EventLoop.chunk * (isDatagram ? EventLoop.datagramsPerCall : 1)
    let base = unsafe handle.pointee.loop.pointee.data.assumingMemoryBound(to: CChar.self)
    unsafe buffer.pointee = uv_buf_init(base, UInt32(count))
}

/// Bytes for a call that only reads them and keeps nothing; C has no way to say so.
@unsafe
func borrowedBuffer(_ bytes: UnsafeBufferPointer<UInt8>) -> uv_buf_t {
    let base = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
    return unsafe uv_buf_init(base?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
}

/// A copy of `bytes` behind a request that was allocated with room for them.
@unsafe
func copy<Request>(
    _ bytes: UnsafeBufferPointer<UInt8>, after request: UnsafeMutablePointer<Request>
) -> uv_buf_t {
    let start = unsafe UnsafeMutableRawPointer(request + 1)
    if let base = bytes.baseAddress {
        unsafe start.copyMemory(from: base, byteCount: bytes.count)
    }
    return unsafe uv_buf_init(
        start.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
}

/// Lends what libuv received to `body`.
@unsafe
func withSpan(_ data: UnsafePointer<uv_buf_t>, _ count: Int, _ body: (Span<UInt8>) -> Void) {
    let base = unsafe UnsafeRawPointer(data.pointee.base)?.assumingMemoryBound(to: UInt8.self)
    let bytes = unsafe UnsafeBufferPointer(start: base, count: count)
    body(unsafe bytes.span)
}
