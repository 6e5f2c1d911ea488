import Wire

/// What a domain's locator and channel send and receive, as a record of steps: the flow that an
/// agent goes through by itself, told in the form of those that an administrator starts.
///
/// It is told at the sockets. Its chapters are what the documentation counts apart: the search for
/// a controller, the first logon, the next one.
package final class ChannelTrace {
    package struct Chapter {
        package var title: String
        package var documented: String?
        package var record: FlowRecord
    }

    package private(set) var chapters: [Chapter] = []
    private let keepsFrames: Bool
    /// Added to a moment's microseconds, it is since 1970.
    private let epoch: UInt64
    private var streams: [Int: RecordedStream] = [:]
    /// Connections on their way: the peer, and when its address was first called.
    private var called: [Int: (peer: Endpoint, since: UInt64)] = [:]
    private var step: Step?

    private struct Step {
        var title: String
        var documented: String?
        var since: UInt64
        /// When the last message came or went.
        var until: UInt64
        var frames: Int
        var bytes: Int
    }

    /// `microseconds` and `unixMicroseconds`: the same moment on the clock of all that follows,
    /// and since 1970.
    package init(keepsFrames: Bool, microseconds: UInt64, unixMicroseconds: UInt64) {
        self.keepsFrames = keepsFrames
        epoch = unixMicroseconds &- microseconds
    }

    /// All frames in their order.
    package var frames: [FlowFrame] { chapters.flatMap { $0.record.frames } }

    package var text: String {
        var parts: [String] = []
        for chapter in chapters where !chapter.record.steps.isEmpty {
            parts.append(
                FlowReport.text(
                    chapter.record, title: chapter.title, documented: chapter.documented))
        }
        return parts.joined(separator: "\n")
    }

    // MARK: Chapters and steps

    package func beginChapter(_ title: String, documented: String?, at moment: UInt64) {
        endStep(.done(""), at: moment)
        chapters.append(
            Chapter(
                title: title, documented: documented,
                record: FlowRecord(keepsFrames: keepsFrames)))
    }

    /// Ends the step before; nothing where that is the same one.
    package func begin(_ title: String, documented: String? = nil, at moment: UInt64) {
        if step?.title == title { return }
        endStep(.done(""), at: step?.until ?? moment)
        guard let record = chapters.last?.record else { return }
        step = Step(
            title: title, documented: documented, since: moment, until: moment,
            frames: record.totalFrames, bytes: record.totalBytes)
    }

    /// `words` say what came of it. The step ends now, or with its last message where nothing was
    /// awaited after that.
    package func endStep(_ outcome: FlowStep.Outcome, at moment: UInt64) {
        guard let done = step, !chapters.isEmpty else { return }
        step = nil
        let last = chapters.count - 1
        let record = chapters[last].record
        chapters[last].record.steps.append(
            FlowStep(
                title: done.title, outcome: outcome, frames: record.totalFrames - done.frames,
                bytes: record.totalBytes - done.bytes,
                microseconds: moment &- min(done.since, moment), documented: done.documented))
    }

    private func note(at moment: UInt64, _ body: (inout FlowRecord, UInt64) -> Void) {
        guard !chapters.isEmpty else { return }
        step?.until = moment
        body(&chapters[chapters.count - 1].record, epoch &+ moment)
    }

    // MARK: What passed at the sockets

    package func datagram(
        _ payload: [UInt8], from source: Endpoint, to destination: Endpoint, at moment: UInt64
    ) {
        note(at: moment) { $0.datagram(payload, from: source, to: destination, at: $1) }
    }

    package func calls(_ peer: Endpoint, link: Int, at moment: UInt64) {
        begin("connect to \(peer.description)", at: moment)
        called[link] = (peer, moment)
    }

    package func connected(link: Int, from local: Endpoint, at moment: UInt64) {
        guard let call = called.removeValue(forKey: link) else { return }
        note(at: moment) { record, time in
            streams[link] = record.opened(local, call.peer, from: epoch &+ call.since, to: time)
        }
    }

    package func sent(_ payload: [UInt8], link: Int, at moment: UInt64) {
        guard var stream = streams[link] else { return }
        note(at: moment) { $0.sent(payload, &stream, at: $1) }
        streams[link] = stream
    }

    package func received(_ payload: [UInt8], link: Int, at moment: UInt64) {
        guard var stream = streams[link] else { return }
        note(at: moment) { $0.received(payload, &stream, at: $1) }
        streams[link] = stream
    }

    package func closed(link: Int, at moment: UInt64) {
        called[link] = nil
        guard var stream = streams.removeValue(forKey: link) else { return }
        note(at: moment) { $0.closed(&stream, at: $1) }
    }
}
