import Testing
import Wire

@testable import Flows

@Suite struct ChannelTraceTests {
    static let local = Endpoint(IPv4Address(10, 77, 0, 40), 50_000)
    static let peer = Endpoint(IPv4Address(10, 77, 0, 20), 139)

    /// A search of two datagrams, a channel of one call, and a logon under it.
    static func traced() -> ChannelTrace {
        let trace = ChannelTrace(
            keepsFrames: true, microseconds: 1_000, unixMicroseconds: 5_001_000)
        trace.beginChapter("discovery", documented: nil, at: 1_000)
        trace.begin("controllers", documented: "WINS query", at: 1_000)
        trace.datagram([1, 2], from: local, to: peer, at: 1_100)
        trace.datagram([3, 4, 5], from: peer, to: local, at: 1_300)
        trace.endStep(.done("one"), at: 1_400)
        trace.beginChapter("channel", documented: "F6", at: 1_400)
        trace.calls(peer, link: 7, at: 1_500)
        trace.connected(link: 7, from: local, at: 1_600)
        trace.begin("bind", at: 1_700)
        trace.sent([UInt8](repeating: 9, count: 100), link: 7, at: 1_700)
        trace.received([UInt8](repeating: 8, count: 2_000), link: 7, at: 2_000)
        trace.begin("bind", at: 2_100)
        trace.sent([1], link: 7, at: 2_100)
        trace.begin("logon", at: 2_500)
        trace.sent([1], link: 7, at: 2_500)
        trace.received([1], link: 8, at: 2_600)
        trace.endStep(.failed("refused"), at: 2_700)
        return trace
    }

    @Test func stepsCountWhatPassedInThem() {
        let steps = Self.traced().chapters.map { $0.record.steps }
        #expect(steps[0].map { $0.title } == ["controllers"])
        #expect(steps[0][0].frames == 2)
        #expect(steps[0][0].bytes == 2 * 42 + 5)
        #expect(steps[0][0].microseconds == 400)
        #expect(steps[1].map { $0.title } == ["connect to 10.77.0.20:139", "bind", "logon"])
        // The last of the handshake's three is a bare acknowledgement.
        #expect(steps[1].map { $0.frames } == [2, 4, 1])
        #expect(steps[1][1].bytes == 4 * 54 + 2_101)
        // A step lasts until its last message, not until the next one's first.
        #expect(steps[1].map { $0.microseconds } == [100, 400, 200])
        #expect(steps[1][2].outcome == .failed("refused"))
    }

    @Test func aConnectionThatNobodySawOpenIsLeftOut() {
        let trace = Self.traced()
        let frames = trace.frames.count
        trace.sent([1], link: 99, at: 3_000)
        trace.closed(link: 99, at: 3_000)
        #expect(trace.frames.count == frames)
    }

    @Test func framesOfAllChaptersAreInTheirOrder() {
        let times = Self.traced().frames.map { $0.unixMicroseconds }
        #expect(times == times.sorted())
        #expect(times.first == 5_001_100)
    }

    @Test func theDocumentedFiguresStandBeside() {
        let text = Self.traced().text
        #expect(text.contains("WINS query"))
        #expect(text.contains("  F6\n"))
        #expect(text.contains("failed: refused"))
    }
}
