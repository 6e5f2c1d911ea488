import Wire

/// Writes a dialogue's frames as a capture file that protocol analysers open: pcap with
/// microseconds (IETF draft-ietf-opsawg-pcap), Ethernet, IPv4, and UDP or TCP.
///
///     magic(4) version(2+2) zone(4) sigfigs(4) snaplen(4) linktype(4)=1
///     { seconds(4) microseconds(4) captured(4) original(4) frame } …
///
/// The hardware addresses are made from the IP addresses, under the prefix for locally assigned
/// ones; all checksums are right.
package enum CaptureWriter {
    private static let magic: UInt32 = 0xa1b2_c3d4
    private static let longestFrame: UInt32 = 65_535
    private static let ethernet: UInt32 = 1
    private static let ipv4: UInt16 = 0x0800
    private static let tcp: UInt8 = 6
    private static let udp: UInt8 = 17
    private static let timeToLive: UInt8 = 64
    private static let window: UInt16 = 64_240

    package static func file(_ frames: [FlowFrame]) -> [UInt8] {
        var writer = WireWriter(capacity: 4_096)
        writer.uint32LE(magic)
        writer.uint16LE(2)
        writer.uint16LE(4)
        writer.zeros(8)
        writer.uint32LE(longestFrame)
        writer.uint32LE(ethernet)
        var identification: UInt16 = 1
        for frame in frames {
            writer.uint32LE(UInt32(truncatingIfNeeded: frame.unixMicroseconds / 1_000_000))
            writer.uint32LE(UInt32(frame.unixMicroseconds % 1_000_000))
            writer.uint32LE(UInt32(frame.byteCount))
            writer.uint32LE(UInt32(frame.byteCount))
            write(frame, identification, into: &writer)
            identification &+= 1
        }
        return writer.finish()
    }

    private static func write(
        _ frame: FlowFrame, _ identification: UInt16, into writer: inout WireWriter
    ) {
        hardwareAddress(frame.destination.address, into: &writer)
        hardwareAddress(frame.source.address, into: &writer)
        writer.uint16BE(ipv4)
        let start = writer.count
        let isDatagram = frame.transport == .datagram
        writer.uint16BE(0x4500)
        writer.uint16BE(UInt16(frame.byteCount - 14))
        writer.uint16BE(identification)
        writer.uint16BE(0x4000)
        writer.uint8(timeToLive)
        writer.uint8(isDatagram ? udp : tcp)
        let headerSum = writer.reserve16()
        writer.uint32BE(frame.source.address.rawValue)
        writer.uint32BE(frame.destination.address.rawValue)
        writer.patch16BE(headerSum, folded(sum(writer.bytes, start..<writer.count)))

        let segment = writer.count
        let place: Int
        writer.uint16BE(frame.source.port)
        writer.uint16BE(frame.destination.port)
        switch frame.transport {
        case .datagram:
            writer.uint16BE(UInt16(8 + frame.payload.count))
            place = writer.reserve16()
        case .segment(let sequence, let acknowledgement, let flags):
            writer.uint32BE(sequence)
            writer.uint32BE(acknowledgement)
            writer.uint8(5 << 4)
            writer.uint8(flags)
            writer.uint16BE(window)
            place = writer.reserve16()
            writer.uint16BE(0)
        }
        writer.append(frame.payload)
        let pseudo = pseudoHeader(
            frame, protocolNumber: isDatagram ? udp : tcp, length: writer.count - segment)
        let check = folded(pseudo &+ sum(writer.bytes, segment..<writer.count))
        // In UDP zero would mean that there is none (RFC 768).
        writer.patch16BE(place, isDatagram && check == 0 ? 0xffff : check)
    }

    private static func hardwareAddress(_ address: IPv4Address, into writer: inout WireWriter) {
        if address.rawValue & 0xff == 0xff {
            writer.uint16BE(0xffff)
            writer.uint32BE(0xffff_ffff)
        } else {
            writer.uint16BE(0x0200)
            writer.uint32BE(address.rawValue)
        }
    }

    // MARK: The Internet's checksum (RFC 1071)

    private static func pseudoHeader(
        _ frame: FlowFrame, protocolNumber: UInt8, length: Int
    ) -> UInt32 {
        var total = UInt32(protocolNumber) + UInt32(length)
        for address in [frame.source.address.rawValue, frame.destination.address.rawValue] {
            total += address >> 16 + address & 0xffff
        }
        return total
    }

    /// At most 65,535 bytes, so that 32 bits hold it.
    private static func sum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
        var total: UInt32 = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let low = index + 1 < range.upperBound ? bytes[index + 1] : 0
            total += UInt32(bytes[index]) << 8 | UInt32(low)
            index += 2
        }
        return total
    }

    private static func folded(_ sum: UInt32) -> Int {
        var total = sum
        while total >> 16 != 0 { total = total & 0xffff + total >> 16 }
        return Int(~total & 0xffff)
    }
}
