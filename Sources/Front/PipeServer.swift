import Wire

/// Serves the named pipes of `IPC$`, for whatever carries them: each message that a client writes
/// is a remote procedure call's PDU or a part of one, and each message it reads an answer's.
///
/// It does no I/O. What a pipe has to say is asked for by `read`; an answer that comes later than
/// the write is announced by `nextReady`, which the owner passes on to the carrier.
package protocol PipeServer: AnyObject {
    /// Opens the pipe `name` (in lower case, without `\PIPE\`), or says why not: usually
    /// `objectNameNotFound` for a name that is not served, `accessDenied` for an identity that may
    /// not. The identity's key is the one that the session encrypts secrets with.
    func open(
        _ name: String, as identity: FrontIdentity, from peer: IPv4Address, now: FrontTime
    ) -> PipeOpening

    /// One whole message from the client.
    func write(_ pipe: PipeID, _ message: Span<UInt8>, now: FrontTime)

    /// Takes the next message for the client: one PDU.
    func read(_ pipe: PipeID) -> PipeRead

    /// The client is gone, or has closed the pipe. The number may be given out again.
    func close(_ pipe: PipeID)

    /// A pipe that got something to read, or broke, outside of `write`; nil when all such have
    /// been told. Each is told once, and a pipe that was closed in between is not.
    func nextReady() -> PipeID?
}

/// The number of an open pipe, given by the pipe server.
package struct PipeID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    package var description: String { "pipe \(rawValue)" }
}

package enum PipeOpening {
    case opened(PipeID)
    case refused(NTStatus)
}

package enum PipeRead {
    case message([UInt8])
    /// There is nothing yet: a call is being carried out, or none was written.
    case nothing
    /// The pipe is of no more use, and its client closes it: what it wrote could not be read.
    case broken
}

/// Serves the Remote Administration Protocol: transactions on `\PIPE\LANMAN` (MS-RAP 2.5).
package protocol RemoteAdministration: AnyObject {
    func call(_ request: RemoteAdministrationCall, now: FrontTime) -> RemoteAdministrationReply
}

package struct RemoteAdministrationCall {
    /// The transaction's parameters: opcode, descriptors, arguments.
    package var parameters: [UInt8]
    package var data: [UInt8]
    /// The most bytes that the client takes of each.
    package var maxParameterCount: Int
    package var maxDataCount: Int
    package var identity: FrontIdentity
    package var peer: IPv4Address

    package init(
        parameters: [UInt8], data: [UInt8], maxParameterCount: Int, maxDataCount: Int,
        identity: FrontIdentity, peer: IPv4Address
    ) {
        self.parameters = parameters
        self.data = data
        self.maxParameterCount = maxParameterCount
        self.maxDataCount = maxDataCount
        self.identity = identity
        self.peer = peer
    }
}

/// What goes back; a call's own error code is the first word of the parameters.
package struct RemoteAdministrationReply {
    package var parameters: [UInt8]
    package var data: [UInt8]
    /// An error of the transaction itself, for a call that cannot be read.
    package var status: NTStatus
    /// The call's parameters or data could not be read.
    package var isMalformed = false

    package init(parameters: [UInt8], data: [UInt8] = [], status: NTStatus = .success) {
        self.parameters = parameters
        self.data = data
        self.status = status
    }
}
