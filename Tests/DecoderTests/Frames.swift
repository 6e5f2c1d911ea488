import Wire

@testable import Decoder

/// Makes captures.
enum Frames {
    static let client = IPv4Address(10, 77, 0, 40)
    static let server = IPv4Address(10, 77, 0, 10)

    static func capture(_ frames: [[UInt8]], linkType: UInt32 = 1) -> [UInt8] {
        var writer = WireWriter()
        writer.uint32LE(0xa1b2_c3d4)
        writer.uint16LE(2)
        writer.uint16LE(4)
        writer.zeros(12)
        writer.uint32LE(linkType)
        for frame in frames {
            writer.zeros(8)
            writer.uint32LE(UInt32(frame.count))
            writer.uint32LE(UInt32(frame.count))
            writer.append(frame)
        }
        return writer.finish()
    }

    /// A capture of the next generation, in the other byte order.
    static func nextGeneration(_ frames: [[UInt8]]) -> [UInt8] {
        var writer = WireWriter()
        func block(_ type: UInt32, _ body: [UInt8], _ writer: inout WireWriter) {
            let padding = (4 - body.count % 4) % 4
            let length = UInt32(12 + body.count + padding)
            writer.uint32BE(type)
            writer.uint32BE(length)
            writer.append(body)
            writer.zeros(padding)
            writer.uint32BE(length)
        }
        block(
            0x0a0d_0d0a,
            [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0] + [UInt8](repeating: 0xff, count: 8), &writer)
        block(1, [0, 1, 0, 0, 0, 0, 0, 0], &writer)
        for frame in frames {
            var body = WireWriter()
            body.zeros(12)
            body.uint32BE(UInt32(frame.count))
            body.uint32BE(UInt32(frame.count))
            body.append(frame)
            block(6, body.finish(), &writer)
        }
        return writer.finish()
    }

    static func ethernet(_ packet: [UInt8], vlan: Bool = false) -> [UInt8] {
        [UInt8](repeating: 2, count: 12) + (vlan ? [0x81, 0, 0, 7] : []) + [8, 0] + packet
    }

    static func internet(
        _ number: UInt8, _ body: [UInt8], from: IPv4Address, to: IPv4Address,
        fragment: UInt16 = 0
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.uint16BE(0x4500)
        writer.uint16BE(UInt16(20 + body.count))
        writer.uint16BE(1)
        writer.uint16BE(fragment)
        writer.uint8(64)
        writer.uint8(number)
        writer.uint16BE(0)
        writer.uint32BE(from.rawValue)
        writer.uint32BE(to.rawValue)
        writer.append(body)
        return writer.finish()
    }

    static func udp(
        _ payload: [UInt8], port: UInt16, fragment: UInt16 = 0
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.uint16BE(port)
        writer.uint16BE(port)
        writer.uint16BE(UInt16(8 + payload.count))
        writer.uint16BE(0)
        writer.append(payload)
        return internet(17, writer.finish(), from: client, to: server, fragment: fragment)
    }

    /// A segment; the server's end has `port`, the client's 1100.
    static func tcp(
        _ payload: [UInt8], _ sequence: UInt32, port: UInt16, fromServer: Bool = false,
        isSynchronizing: Bool = false
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.uint16BE(fromServer ? port : 1100)
        writer.uint16BE(fromServer ? 1100 : port)
        writer.uint32BE(sequence)
        writer.uint32BE(0)
        writer.uint16BE(0x5010 | (isSynchronizing ? 2 : 0))
        writer.zeros(6)
        writer.append(payload)
        return internet(
            6, writer.finish(), from: fromServer ? server : client,
            to: fromServer ? client : server)
    }

    static func text(_ capture: [UInt8]) -> (String, CaptureDecoder.Summary) {
        var text = ""
        let (summary, _) = CaptureDecoder.decode(capture) { text += $0 }
        return (text, summary)
    }
}
