import CLibuv
import CPosix
import Wire

/// The tables by which one system call sends several datagrams, kept from call to call.
///
/// `@safe`: the tables live as long as this object, and the messages point only into them, except
/// to the bytes during a call.
@safe final class DatagramBatch {
    /// Datagrams that one call sends.
    static let limit = 16

    private let addresses: UnsafeMutablePointer<sockaddr_in>
    private let parts: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<postern_message>

    init() {
        unsafe addresses = .allocate(capacity: Self.limit)
        unsafe parts = .allocate(capacity: Self.limit)
        unsafe messages = .allocate(capacity: Self.limit)
        unsafe addresses.initialize(repeating: sockaddr_in(), count: Self.limit)
        unsafe parts.initialize(repeating: iovec(), count: Self.limit)
        unsafe messages.initialize(repeating: postern_message(), count: Self.limit)
        for index in 0..<Self.limit {
            let message = unsafe messages + index
            unsafe message.pointee.header.msg_name = UnsafeMutableRawPointer(addresses + index)
            unsafe message.pointee.header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe message.pointee.header.msg_iov = parts + index
            unsafe message.pointee.header.msg_iovlen = 1
        }
    }

    deinit {
        unsafe addresses.deallocate()
        unsafe parts.deallocate()
        unsafe messages.deallocate()
    }

    /// Sends the first ones of `list`, whose bytes are parts of `bytes`; gives how many the system
    /// took.
    @unsafe
    func send(
        _ bytes: UnsafeBufferPointer<UInt8>, _ list: ArraySlice<UDPSocket.Outgoing>,
        on descriptor: Int32
    ) -> Int {
        let count = min(list.count, Self.limit)
        for index in 0..<count {
            let one = list[list.startIndex + index]
            let part = unsafe UnsafeBufferPointer(rebasing: bytes[one.range])
            unsafe addresses[index] = one.destination.socketAddress
            unsafe parts[index].iov_base = UnsafeMutableRawPointer(mutating: part.baseAddress)
            unsafe parts[index].iov_len = part.count
        }
        return Int(max(0, unsafe postern_send_messages(descriptor, messages, UInt32(count))))
    }
}
