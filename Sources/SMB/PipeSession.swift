import Wire

/// A client's connection to the named pipes of one server, in whatever version of SMB.
///
/// It does no I/O and has no clock: `writeMessage(into:)` gives what to send, one SMB message at a
/// time without the session service's header, `receive(_:)` takes what came, `nextEvent()` tells
/// what has happened. Deadlines are the owner's.
package protocol PipeSession {
    /// Opens the pipe `name` (`netlogon`, `lsarpc` …). The messages are written to it one after the
    /// other, each with a read of its answer. The answers come as `received`, in order.
    mutating func open(_ name: String, exchanging messages: [[UInt8]]) -> SMBClientPipe

    /// Writes one message and reads its answer.
    mutating func transact(_ pipe: SMBClientPipe, _ message: [UInt8])

    /// Writes one message; `written` says when it is done.
    mutating func write(_ pipe: SMBClientPipe, _ message: [UInt8])

    /// Reads the next message, or the rest of one.
    mutating func read(_ pipe: SMBClientPipe)

    mutating func close(_ pipe: SMBClientPipe)

    /// Gives tree and session back, once what was asked before is done. Who is in a hurry simply
    /// ends the connection.
    mutating func disconnect()

    /// Writes the next message to be sent and says whether there was one.
    mutating func writeMessage(into writer: inout WireWriter) -> Bool

    /// Takes one message. An error is the peer's fault and ends the connection: what follows
    /// cannot be trusted to belong together.
    mutating func receive(_ message: [UInt8]) throws(WireError)

    /// What has happened, in order; nil when all has been told.
    mutating func nextEvent() -> SMBSessionEvent?

    /// Whether a response is awaited.
    var isWaiting: Bool { get }

    /// Whether nothing is asked, awaited or left to tell.
    var isIdle: Bool { get }
}

/// A pipe of a session, until `closed` or a failed opening has been told of it.
package struct SMBClientPipe: Hashable, Sendable {
    let number: Int
    /// Tells it from an earlier pipe in the same place.
    let generation: UInt32
}

/// How far a session got, for whom a failure concerns.
package enum SMBSessionStage: Equatable, Sendable {
    case negotiate, sessionSetup, treeConnect
}

package enum SMBSessionEvent: Equatable, Sendable {
    /// The peer speaks a version that this end knows.
    case negotiated
    /// Session and tree stand. A guest's session was not authenticated.
    case established(isGuest: Bool)
    case opened(SMBClientPipe)
    /// What one read brought from the pipe: a message, or where the peer does not tell so a part
    /// of one; `read(_:)` brings the next.
    case received(SMBClientPipe, [UInt8])
    /// A message without an awaited answer has been written.
    case written(SMBClientPipe)
    case closed(SMBClientPipe)
    /// The pipe could not be opened, and is gone; or it is of no more use, to be closed.
    case pipeFailed(SMBClientPipe, NTStatus)
    /// The answer to a call of the remote administration protocol.
    case administered(parameters: [UInt8], data: [UInt8])
    /// The peer carries no such call out.
    case administrationRefused(NTStatus)
    /// There is no session: it never came to be, or the peer no longer knows it.
    case failed(SMBSessionStage, NTStatus)
    /// The peer has confirmed the logoff.
    case ended
}
