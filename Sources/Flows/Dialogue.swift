import Wire

/// The thread of an administrator's flow: its exchange, its patience, and the record of its steps.
///
/// Whatever a flow sends and receives passes here, and is counted for the step that it belongs to.
package final class Dialogue<Link: Exchange> {
    /// Milliseconds.
    package struct Patience {
        /// Until a datagram is sent again, and how often it is sent.
        package var repetition: UInt64 = 250
        package var tries = 3
        /// For one answer of a server.
        package var answer: UInt64 = 5_000
        /// How long answers to a broadcast are gathered once the first has come.
        package var gathering: UInt64 = 20

        package init() {}
    }

    package let link: Link
    package var patience = Patience()
    /// Our computer's name.
    package let computer: String
    /// Added to the peers' ports, for servers that run without privileges.
    package var portOffset: UInt16 = 0
    /// Whether sessions are of SMB2, for servers whose SMB1 is off.
    package var speaksSMB2 = false
    /// Called after each step, for a terminal that shows how far it is.
    package var onStep: ((FlowStep) -> Void)?
    package private(set) var record: FlowRecord
    private(set) var step = ""
    private var streams: [RecordedStream] = []

    package init(_ link: Link, computer: String, keepsFrames: Bool) {
        self.link = link
        self.computer = computer
        record = FlowRecord(keepsFrames: keepsFrames)
    }

    package var report: FlowRecord { record }

    // MARK: Steps

    /// Does one step and notes what it cost. `body` gives what it found, in words.
    @discardableResult
    package func step<Result>(
        _ title: String, documented: String? = nil,
        _ body: () throws(FlowError) -> (String, Result)
    ) throws(FlowError) -> Result {
        step = title
        let began = link.microseconds
        let frames = record.totalFrames
        let bytes = record.totalBytes
        func note(_ outcome: FlowStep.Outcome) {
            let step = FlowStep(
                title: title, outcome: outcome, frames: record.totalFrames - frames,
                bytes: record.totalBytes - bytes, microseconds: link.microseconds - began,
                documented: documented)
            record.steps.append(step)
            onStep?(step)
        }
        do throws(FlowError) {
            let (words, result) = try body()
            note(.done(words))
            return result
        } catch {
            note(.failed(error.description))
            throw error
        }
    }

    /// Notes a step that is not done, and why.
    package func skip(_ title: String, _ reason: String, documented: String? = nil) {
        let step = FlowStep(title: title, outcome: .skipped(reason), documented: documented)
        record.steps.append(step)
        onStep?(step)
    }

    /// Turns the last step, which failed, into one that was skipped: the flow goes on without it.
    package func forgive(_ reason: String) {
        guard !record.steps.isEmpty else { return }
        record.steps[record.steps.count - 1].outcome = .skipped(reason)
    }

    // MARK: Errors

    package func unavailable(_ failure: ExchangeFailure, _ whom: String) -> FlowError {
        .unavailable(step: step, reason: whom + ": " + failure.description)
    }

    package func unavailable(_ reason: String) -> FlowError {
        .unavailable(step: step, reason: reason)
    }

    package func refused(_ status: NTStatus) -> FlowError { .refused(step: step, status) }

    package func malformed(_ error: WireError) -> FlowError {
        .malformed(step: step, error)
    }

    package func contradicted(_ reason: String) -> FlowError {
        .contradicted(step: step, reason: reason)
    }

    // MARK: Datagrams

    func port(preferring wanted: UInt16? = nil) throws(FlowError) -> Link.Port {
        do throws(ExchangeFailure) {
            return try link.port(preferring: wanted)
        } catch {
            throw unavailable(error, "UDP")
        }
    }

    func send(
        _ bytes: [UInt8], to destination: Endpoint, from port: Link.Port
    ) throws(FlowError) {
        do throws(ExchangeFailure) {
            try link.send(bytes, to: destination, from: port)
        } catch {
            throw unavailable(error, destination.description)
        }
        record.datagram(
            bytes, from: link.local(of: port, towards: destination.address), to: destination,
            at: link.unixMicroseconds)
    }

    /// The next datagram, or nil where none comes until the deadline, however many have.
    func receive(
        on port: Link.Port, deadline: UInt64
    ) throws(FlowError) -> (bytes: [UInt8], source: Endpoint)? {
        while link.now < deadline {
            let (bytes, source): ([UInt8], Endpoint)
            do throws(ExchangeFailure) {
                (bytes, source) = try link.receive(on: port, deadline: deadline)
            } catch {
                if error.isTimeout { return nil }
                throw unavailable(error, "UDP")
            }
            let local = link.local(of: port, towards: source.address)
            // Our own broadcast.
            if source == local { continue }
            record.datagram(bytes, from: source, to: local, at: link.unixMicroseconds)
            return (bytes, source)
        }
        return nil
    }

    // MARK: Streams

    /// A TCP connection with its number in the record.
    struct Connection {
        let stream: Link.Stream
        let number: Int
    }

    func connect(to peer: Endpoint) throws(FlowError) -> Connection {
        let began = link.unixMicroseconds
        let stream: Link.Stream
        do throws(ExchangeFailure) {
            stream = try link.connect(to: peer, deadline: link.now + patience.answer)
        } catch {
            throw unavailable(error, peer.description)
        }
        streams.append(
            record.opened(
                link.local(of: stream), peer, from: began, to: link.unixMicroseconds))
        return Connection(stream: stream, number: streams.count - 1)
    }

    func send(_ bytes: [UInt8], on connection: Connection) throws(FlowError) {
        do throws(ExchangeFailure) {
            try link.send(
                bytes, on: connection.stream, deadline: link.now + patience.answer)
        } catch {
            throw unavailable(error, streams[connection.number].peer.description)
        }
        record.sent(bytes, &streams[connection.number], at: link.unixMicroseconds)
    }

    /// What has come; nothing where the peer ended the connection.
    func receive(on connection: Connection, deadline: UInt64) throws(FlowError) -> [UInt8] {
        let whom = streams[connection.number].peer.description
        if link.now >= deadline { throw unavailable(.timeout, whom) }
        do throws(ExchangeFailure) {
            let bytes = try link.receive(on: connection.stream, deadline: deadline)
            record.received(bytes, &streams[connection.number], at: link.unixMicroseconds)
            return bytes
        } catch {
            throw unavailable(error, whom)
        }
    }

    func close(_ connection: Connection) {
        link.close(connection.stream)
        record.closed(&streams[connection.number], at: link.unixMicroseconds)
    }
}
