import Testing
import Wire

@testable import Flows

@Suite struct CaptureWriterTests {
    /// One's complement sum of 16-bit words; a right checksum makes it 0xffff.
    private static func sum(_ bytes: [UInt8]) -> UInt32 {
        var total: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let low = index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0
            total += UInt32(bytes[index]) << 8 | low
        }
        while total >> 16 != 0 { total = total & 0xffff + total >> 16 }
        return total
    }

    @Test func everyChecksumIsRight() throws {
        let world = TrustWorld()
        _ = try world.establish()
        let frames = world.dialogue.report.frames
        let file = CaptureWriter.file(frames)
        var offset = 24
        var count = 0
        while offset < file.count {
            let length = Int(file[offset + 8]) | Int(file[offset + 9]) << 8
            let frame = Array(file[(offset + 16)..<(offset + 16 + length)])
            #expect(Self.sum(Array(frame[14..<34])) == 0xffff)
            let body = Array(frame[34...])
            let pseudo = Array(frame[26..<34])
                + [0, frame[23], UInt8(body.count >> 8), UInt8(body.count & 0xff)]
            #expect(Self.sum(pseudo + body) == 0xffff)
            offset += 16 + length
            count += 1
        }
        #expect(count == frames.count)
    }

    @Test func segmentsFollowEachOther() throws {
        let world = TrustWorld()
        _ = try world.establish()
        var next: [Bool: UInt32] = [:]
        for frame in world.dialogue.report.frames {
            guard case .segment(let sequence, let acknowledgement, let flags) = frame.transport
            else { continue }
            let isOurs = frame.destination.port == 139
            if flags & FlowFrame.synchronize != 0 {
                next[isOurs] = sequence + 1
                continue
            }
            #expect(sequence == next[isOurs])
            #expect(acknowledgement == next[!isOurs])
            let isEnd = flags & FlowFrame.finish != 0
            next[isOurs] = sequence + UInt32(frame.payload.count) + (isEnd ? 1 : 0)
        }
    }

    @Test func aLongMessageTakesSeveralFrames() {
        var record = FlowRecord(keepsFrames: true)
        var stream = record.opened(
            Endpoint(.loopback, 1), Endpoint(.loopback, 139), from: 0, to: 1)
        record.sent([UInt8](repeating: 1, count: 4_000), &stream, at: 2)
        #expect(record.frames.count == 3 + 3)
        // SYN, SYN with acknowledgement, and three segments; a bare acknowledgement is none.
        #expect(record.totalFrames == 5)
    }
}
