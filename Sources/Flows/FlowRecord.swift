import Wire

/// One frame of a dialogue as it was on the wire, as far as its two ends can tell: the messages
/// are real, the headers around them are made up from them.
package struct FlowFrame {
    package enum Transport: Equatable {
        case datagram
        /// A TCP segment. Flags as in its header.
        case segment(sequence: UInt32, acknowledgement: UInt32, flags: UInt8)
    }

    package var unixMicroseconds: UInt64
    package var source: Endpoint
    package var destination: Endpoint
    package var transport: Transport
    package var payload: [UInt8]

    static let synchronize: UInt8 = 0x02
    static let finish: UInt8 = 0x01
    static let push: UInt8 = 0x08
    static let acknowledge: UInt8 = 0x10

    /// Bytes of the Ethernet frame, without TCP options and without the check sequence.
    package var byteCount: Int {
        switch transport {
        case .datagram: 14 + 20 + 8 + payload.count
        case .segment: 14 + 20 + 20 + payload.count
        }
    }

    /// An acknowledgement and nothing else, which is not counted as a frame.
    package var isBareAcknowledgement: Bool {
        if case .segment(_, _, Self.acknowledge) = transport { return payload.isEmpty }
        return false
    }
}

/// What one step of a dialogue cost, and what came of it.
package struct FlowStep {
    package enum Outcome: Equatable {
        case done(String)
        case skipped(String)
        case failed(String)
    }

    package var title: String
    package var outcome: Outcome
    /// Without bare acknowledgements.
    package var frames = 0
    package var bytes = 0
    package var microseconds: UInt64 = 0
    /// What the documentation says of it.
    package var documented: String?
}

/// The two directions of a TCP connection, to number its segments.
struct RecordedStream {
    let local: Endpoint
    let peer: Endpoint
    var sent: UInt32 = 1_000
    var received: UInt32 = 2_000
    var isClosed = false
}

/// What a dialogue did, step by step, and where it is wanted frame by frame.
package struct FlowRecord {
    /// Frames beyond this many are counted, and no longer kept.
    package static let frameLimit = 20_000

    package internal(set) var steps: [FlowStep] = []
    package internal(set) var frames: [FlowFrame] = []
    package let keepsFrames: Bool
    private var count = 0
    private var bytes = 0

    package init(keepsFrames: Bool) { self.keepsFrames = keepsFrames }

    package var totalFrames: Int { count }
    package var totalBytes: Int { bytes }

    package var totalMicroseconds: UInt64 {
        var sum: UInt64 = 0
        for step in steps { sum += step.microseconds }
        return sum
    }

    mutating func add(_ frame: FlowFrame) {
        if !frame.isBareAcknowledgement {
            count += 1
            bytes += frame.byteCount
        }
        if keepsFrames, frames.count < Self.frameLimit { frames.append(frame) }
    }

    mutating func datagram(
        _ payload: [UInt8], from source: Endpoint, to destination: Endpoint, at time: UInt64
    ) {
        add(
            FlowFrame(
                unixMicroseconds: time, source: source, destination: destination,
                transport: .datagram, payload: payload))
    }

    // MARK: TCP

    mutating func opened(
        _ local: Endpoint, _ peer: Endpoint, from begin: UInt64, to end: UInt64
    ) -> RecordedStream {
        var stream = RecordedStream(local: local, peer: peer)
        segment(&stream, fromUs: true, FlowFrame.synchronize, [], begin)
        segment(&stream, fromUs: false, FlowFrame.synchronize | FlowFrame.acknowledge, [], end)
        segment(&stream, fromUs: true, FlowFrame.acknowledge, [], end)
        return stream
    }

    mutating func sent(_ payload: [UInt8], _ stream: inout RecordedStream, at time: UInt64) {
        data(payload, &stream, fromUs: true, time)
    }

    mutating func received(_ payload: [UInt8], _ stream: inout RecordedStream, at time: UInt64) {
        data(payload, &stream, fromUs: false, time)
    }

    mutating func closed(_ stream: inout RecordedStream, at time: UInt64) {
        if stream.isClosed { return }
        stream.isClosed = true
        let end = FlowFrame.finish | FlowFrame.acknowledge
        segment(&stream, fromUs: true, end, [], time)
        segment(&stream, fromUs: false, end, [], time)
        segment(&stream, fromUs: true, FlowFrame.acknowledge, [], time)
    }

    /// Bytes of one segment on Ethernet.
    private static let segmentLimit = 1_460

    private mutating func data(
        _ payload: [UInt8], _ stream: inout RecordedStream, fromUs: Bool, _ time: UInt64
    ) {
        var start = 0
        while start < payload.count {
            let end = min(start + Self.segmentLimit, payload.count)
            segment(
                &stream, fromUs: fromUs, FlowFrame.push | FlowFrame.acknowledge,
                Array(payload[start..<end]), time)
            start = end
        }
    }

    private mutating func segment(
        _ stream: inout RecordedStream, fromUs: Bool, _ flags: UInt8, _ payload: [UInt8],
        _ time: UInt64
    ) {
        let sequence = fromUs ? stream.sent : stream.received
        let other = fromUs ? stream.received : stream.sent
        let acknowledgement = flags & FlowFrame.acknowledge == 0 ? 0 : other
        add(
            FlowFrame(
                unixMicroseconds: time, source: fromUs ? stream.local : stream.peer,
                destination: fromUs ? stream.peer : stream.local,
                transport: .segment(
                    sequence: sequence, acknowledgement: acknowledgement, flags: flags),
                payload: payload))
        // A SYN and a FIN take a number each.
        let marks: UInt32 = flags & (FlowFrame.synchronize | FlowFrame.finish) == 0 ? 0 : 1
        let next = sequence &+ UInt32(payload.count) &+ marks
        if fromUs { stream.sent = next } else { stream.received = next }
    }
}
