import CLibuv
import CPosix
import Wire

/// An IPv4 address of this host and the interface that has it.
package struct HostAddress: Equatable, Sendable, CustomStringConvertible {
    package let interface: String
    package let network: IPv4Network
    package let isUp: Bool
    package let isLoopback: Bool

    package var description: String { "\(interface) \(network.description)" }
}

package enum Host {
    /// The host's name up to its first dot.
    package static var name: String {
        var text = [CChar](repeating: 0, count: 256)
        _ = unsafe gethostname(&text, 255)
        let whole = SystemError.text(text)
        return String(decoding: whole.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
    }

    /// Every IPv4 address of every interface, with its prefix.
    package static func addresses() throws(SystemError) -> [HostAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        if unsafe getifaddrs(&list) != 0 { throw .last("getifaddrs") }
        defer { unsafe freeifaddrs(list) }
        var found: [HostAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let address = unsafe entry.pointee.ifa_addr,
                let mask = unsafe entry.pointee.ifa_netmask,
                let local = unsafe Endpoint(UnsafePointer(address)),
                let bits = unsafe Endpoint(UnsafePointer(mask))
            else { continue }
            let flags = unsafe entry.pointee.ifa_flags
            let length = UInt8(bits.address.rawValue.nonzeroBitCount)
            found.append(
                HostAddress(
                    interface: unsafe String(cString: entry.pointee.ifa_name),
                    network: IPv4Network(local.address, prefixLength: length),
                    isUp: flags & UInt32(IFF_UP) != 0,
                    isLoopback: flags & UInt32(IFF_LOOPBACK) != 0))
        }
        return found
    }
}
