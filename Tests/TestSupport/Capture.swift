import Foundation
import Wire

/// One UDP datagram or TCP segment of a capture file, with its payload.
package struct CapturedPacket {
    package var isUDP: Bool
    package var sourcePort: Int
    package var destinationPort: Int
    package var source: [UInt8]
    package var destination: [UInt8]
    package var payload: [UInt8]
}

/// Reads pcap and pcapng files (Ethernet, IPv4): enough to give parsers real traffic.
package enum CaptureFile {
    package static var all: [String] {
        guard let folder = Material.captures else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let endings = [".pcap", ".pcapng", ".cap"]
        return names.filter { name in endings.contains { name.hasSuffix($0) } }
            .sorted().map { folder + "/" + $0 }
    }

    package static func packets(_ path: String) throws -> [CapturedPacket] {
        let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        return frames(data).compactMap(packet)
    }

    static func frames(_ data: [UInt8]) -> [[UInt8]] {
        guard data.count > 24 else { return [] }
        let magic = Array(data[0..<4])
        if magic == [0x0a, 0x0d, 0x0d, 0x0a] { return nextGeneration(data) }
        let big = magic == [0xa1, 0xb2, 0xc3, 0xd4] || magic == [0xa1, 0xb2, 0x3c, 0x4d]
        var out: [[UInt8]] = []
        var offset = 24
        while offset + 16 <= data.count {
            let length = number(data, offset + 8, big)
            offset += 16
            guard offset + length <= data.count else { break }
            out.append(Array(data[offset..<(offset + length)]))
            offset += length
        }
        return out
    }

    private static func nextGeneration(_ data: [UInt8]) -> [[UInt8]] {
        var out: [[UInt8]] = []
        var offset = 0
        let big = data[8] == 0x1a
        while offset + 12 <= data.count {
            let kind = number(data, offset, big)
            let length = number(data, offset + 4, big)
            guard length >= 12, offset + length <= data.count else { break }
            if kind == 6, length >= 32 {
                let captured = number(data, offset + 20, big)
                if captured <= length - 32 {
                    out.append(Array(data[(offset + 28)..<(offset + 28 + captured)]))
                }
            }
            offset += length
        }
        return out
    }

    private static func number(_ data: [UInt8], _ at: Int, _ big: Bool) -> Int {
        let four = data[at..<(at + 4)]
        return (big ? Array(four) : four.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func packet(_ frame: [UInt8]) -> CapturedPacket? {
        var type = 12
        while type + 6 <= frame.count, frame[type] == 0x81, frame[type + 1] == 0 { type += 4 }
        guard type + 22 <= frame.count, frame[type] == 8, frame[type + 1] == 0 else { return nil }
        let ip = Array(frame[(type + 2)...])
        let header = Int(ip[0] & 15) * 4
        let total = min(Int(ip[2]) << 8 | Int(ip[3]), ip.count)
        guard ip[0] >> 4 == 4, header >= 20, total >= header + 8 else { return nil }
        let body = Array(ip[header..<total])
        var start = 8
        if ip[9] == 6 {
            guard body.count >= 20 else { return nil }
            start = Int(body[12] >> 4) * 4
        } else if ip[9] != 17 {
            return nil
        }
        guard start <= body.count else { return nil }
        return CapturedPacket(
            isUDP: ip[9] == 17, sourcePort: Int(body[0]) << 8 | Int(body[1]),
            destinationPort: Int(body[2]) << 8 | Int(body[3]), source: Array(ip[12..<16]),
            destination: Array(ip[16..<20]), payload: Array(body[start...]))
    }
}
