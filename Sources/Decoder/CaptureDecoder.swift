import NetBIOS
import Wire

/// Shows the messages in a capture file that this program understands.
package struct CaptureDecoder {
    /// Connections followed at one time; the oldest gives way.
    package static let mostConnections = 512

    /// What a capture held.
    package struct Summary: Equatable, Sendable {
        package var frames = 0
        /// Frames that were no UDP or TCP over IPv4.
        package var foreign = 0
        /// Parts of IP datagrams, which are left out.
        package var fragments = 0
        package var decoded = 0
        package var failed = 0
    }

    private struct Ends: Hashable {
        var low: Endpoint
        var high: Endpoint
    }

    private var outline = Outline()
    private var summary = Summary()
    private var connections: [Ends: Connection] = [:]
    /// In order of their beginning.
    private var order: [Ends] = []
    private var reassembler = DatagramReassembler()

    private init() {}

    package static func isCapture(_ bytes: [UInt8]) -> Bool { CaptureFile.isCapture(bytes.span) }

    /// Hands the text of each packet to `write`, in order. An error is one of the file itself,
    /// after which nothing more can be read; what came before it has been written.
    package static func decode(
        _ bytes: [UInt8], write: (String) -> Void
    ) -> (summary: Summary, error: WireError?) {
        var decoder = CaptureDecoder()
        let error = decoder.run(bytes.span, write)
        decoder.summary.decoded = decoder.outline.decoded
        decoder.summary.failed = decoder.outline.failed
        return (decoder.summary, error)
    }

    private mutating func run(_ bytes: Span<UInt8>, _ write: (String) -> Void) -> WireError? {
        do throws(WireError) {
            var file = try CaptureFile(bytes)
            while let frame = try file.next(bytes) {
                summary.frames += 1
                decode(frame, bytes)
                write(outline.take())
            }
        } catch {
            finish(write)
            return error
        }
        finish(write)
        return nil
    }

    /// What TCP connections still keep, in the order of their beginning.
    private mutating func finish(_ write: (String) -> Void) {
        for ends in order {
            outline.begin("end TCP " + ends.low.description + " - " + ends.high.description)
            connections[ends]?.finish(into: &outline)
            write(outline.take())
        }
    }

    private mutating func decode(_ frame: CapturedFrame, _ bytes: Span<UInt8>) {
        let number = "#\(summary.frames)"
        outline.begin(number)
        do throws(WireError) {
            switch try InternetPacket.parse(frame, bytes) {
            case .foreign: summary.foreign += 1
            case .fragment: summary.fragments += 1
            case .packet(let packet):
                outline.begin(
                    number + (packet.segment == nil ? " UDP " : " TCP ")
                        + packet.source.description + " > " + packet.destination.description)
                if packet.segment == nil {
                    try datagram(packet, bytes)
                } else {
                    segment(packet, bytes)
                }
            }
        } catch {
            outline.fail(error)
        }
    }

    // MARK: UDP

    private mutating func datagram(
        _ packet: InternetPacket, _ bytes: Span<UInt8>
    ) throws(WireError) {
        let ports = [packet.source.port, packet.destination.port]
        if ports.contains(137) {
            var reader = reader(packet, bytes, NameServiceDecoder.layer)
            try NameServiceDecoder.decode(&reader, into: &outline)
        } else if ports.contains(138) {
            try netBIOSDatagram(packet, bytes)
        } else if ports.contains(389) {
            var reader = reader(packet, bytes, LDAPPingDecoder.layer)
            try LDAPPingDecoder.decode(&reader, into: &outline)
        } else {
            return
        }
        outline.succeed()
    }

    /// Errors count from the message's beginning, so it becomes a span of its own.
    @_lifetime(copy bytes)
    private func reader(
        _ packet: InternetPacket, _ bytes: Span<UInt8>, _ layer: StaticString
    ) -> WireReader {
        WireReader(bytes.extracting(packet.payload), layer: layer)
    }

    private mutating func netBIOSDatagram(
        _ packet: InternetPacket, _ bytes: Span<UInt8>
    ) throws(WireError) {
        var reader = reader(packet, bytes, DatagramDecoder.layer)
        guard let datagram = try DatagramDecoder.decode(&reader, into: &outline),
            datagram.header.isFragment
        else { return }
        let outcome = reassembler.add(
            datagram, bytes.extracting(packet.payload), from: packet.source, now: 0)
        switch outcome {
        case .incomplete: break
        case .refused: outline.line("its fragments contradict each other")
        case .complete(let whole):
            outline.line("whole:")
            var reader = WireReader(whole.span, layer: DatagramDecoder.layer)
            _ = try DatagramDecoder.decode(&reader, into: &outline)
        }
    }

    // MARK: TCP

    private mutating func segment(_ packet: InternetPacket, _ bytes: Span<UInt8>) {
        let isUpward = Self.isBefore(packet.source, packet.destination)
        let ends = Ends(
            low: isUpward ? packet.source : packet.destination,
            high: isUpward ? packet.destination : packet.source)
        if connections[ends] == nil {
            if order.count == Self.mostConnections {
                connections[order.removeFirst()] = nil
            }
            order.append(ends)
            connections[ends] = Connection(packet.source.port, packet.destination.port)
        }
        connections[ends]?.receive(packet, bytes, from: isUpward ? 0 : 1, into: &outline)
    }

    private static func isBefore(_ left: Endpoint, _ right: Endpoint) -> Bool {
        if left.address == right.address { return left.port < right.port }
        return left.address.rawValue < right.address.rawValue
    }
}
