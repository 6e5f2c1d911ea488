import NTLM
import SMB
import Wire

/// The server's end of an SMB2 connection with one named pipe at a time (MS-SMB2 3.3), with the
/// whims of real ones. What is written to the pipe goes to whoever owns it, who brings what it
/// answers, message by message.
package struct SMB2Server {
    package static let sessionID: UInt64 = 0x0000_0400_0000_0011
    package static let treeID: UInt32 = 5
    package static let fileID = Bytes16([UInt8](1...16))

    package var dialect = SMB2.Dialect.smb311
    /// What the negotiate response and then each session setup is answered with; the last one
    /// comes with success.
    package var tokens: [[UInt8]] = [[], SMB2Server.challenge, []]
    package var sessionFlags = SMB2.SessionSetupResponse.isNull
    /// Commands whose answer is announced before it comes.
    package var pends: Set<SMB2.Command> = []
    package var refusals: [SMB2.Command: NTStatus] = [:]
    package var credits: UInt16 = 1
    /// Bytes that one answer brings at most.
    package var most = 65_536
    /// Present where both ends have a key.
    package var signing: SMB2.Signing?

    package private(set) var log: [SMB2.Command] = []
    package private(set) var requests: [SMB2.Message] = []
    package private(set) var clientTokens: [[UInt8]] = []
    private var signs = false
    private var nextMessageID: UInt64 = 0
    private var unread: [[UInt8]] = []
    private var waiting: Waiting?
    private var outgoing: [[UInt8]] = []

    /// A read that nothing has been brought for yet.
    private struct Waiting {
        var header: SMB2.Header
        var most: Int
        var isTransceive: Bool
    }

    package init() {}

    /// NTLM's, as a server makes it that signs nothing.
    package static let challenge: [UInt8] = {
        let nothing: [UInt8] = []
        var writer = WireWriter()
        ChallengeMessage(
            targetName: "ADLAB",
            negotiateFlags: [.unicode, .ntlm, .requestTarget, .extendedSessionSecurity],
            serverChallenge: Bytes8([UInt8](1...8))
        ).write(from: nothing.span, into: &writer)
        return writer.finish()
    }()

    package mutating func takeOutgoing() -> [[UInt8]] {
        var taken: [[UInt8]] = []
        swap(&taken, &outgoing)
        return taken
    }

    /// Takes one message and gives what it writes to the pipe.
    package mutating func receive(_ bytes: [UInt8]) throws(WireError) -> [UInt8]? {
        var reader = WireReader(bytes.span, layer: "SMB2 server")
        let message = try SMB2.Message(parsing: &reader)
        let header = message.header
        if header.flags.contains(.response) || header.messageID != nextMessageID {
            throw reader.invalid("MessageId", Int(truncatingIfNeeded: header.messageID))
        }
        if let signing, signs, !header.flags.contains(.signed) || !signing.verifies(bytes) {
            throw reader.invalid("Signature", 0)
        }
        nextMessageID += 1
        log.append(header.command)
        requests.append(message)
        if pends.contains(header.command) { respond(header, .error(.init()), status: .pending) }
        if let status = refusals[header.command] {
            respond(header, .error(.init()), status: status)
            return nil
        }
        return try answer(message, reader)
    }

    /// What the pipe answers, as one message.
    package mutating func bring(_ message: [UInt8]) {
        unread.append(message)
        answerRead()
    }

    // MARK: Commands

    private mutating func answer(
        _ message: SMB2.Message, _ reader: borrowing WireReader
    ) throws(WireError) -> [UInt8]? {
        let header = message.header
        switch message.body {
        case .negotiateRequest:
            var answer = SMB2.NegotiateResponse(dialect)
            let token = tokens.removeFirst()
            answer.securityBuffer = 0..<token.count
            respond(header, .negotiateResponse(answer), token)
        case .sessionSetupRequest(let setup):
            clientTokens.append(reader.copy(setup.securityBuffer))
            setUp(header)
        case .treeConnectRequest: respond(header, .treeConnectResponse(.init()))
        case .createRequest:
            unread = []
            respond(header, .createResponse(.init(fileID: Self.fileID)))
        case .writeRequest(let write):
            respond(header, .writeResponse(.init(count: UInt32(write.data.count))))
            return reader.copy(write.data)
        case .readRequest(let read):
            waiting = Waiting(header: header, most: Int(read.length), isTransceive: false)
            answerRead()
        case .transceiveRequest(let call):
            waiting = Waiting(header: header, most: Int(call.maxOutput), isTransceive: true)
            answerRead()
            return reader.copy(call.input)
        case .closeRequest: respond(header, .closeResponse(.init()))
        case .farewell: respond(header, .farewell(.init()))
        case .negotiateResponse, .sessionSetupResponse, .treeConnectResponse, .createResponse,
            .closeResponse, .readResponse, .writeResponse, .transceiveResponse, .error, .other:
            throw reader.invalid("Command", Int(header.command.rawValue))
        }
        return nil
    }

    private mutating func setUp(_ header: SMB2.Header) {
        let token = tokens.removeFirst()
        let isLast = tokens.isEmpty
        var answer = SMB2.SessionSetupResponse(sessionFlags: isLast ? sessionFlags : 0)
        answer.securityBuffer = 0..<token.count
        if isLast, signing != nil { signs = true }
        respond(
            header, .sessionSetupResponse(answer), token,
            status: isLast ? .success : .moreProcessingRequired)
    }

    private mutating func answerRead() {
        guard let waiting, !unread.isEmpty else { return }
        self.waiting = nil
        let message = unread[0]
        let count = min(waiting.most, most, message.count)
        let part = Array(message[..<count])
        let isWhole = count == message.count
        if isWhole { unread.removeFirst() } else { unread[0].removeFirst(count) }
        var read = SMB2.ReadResponse()
        read.data = 0..<count
        var call = SMB2.TransceiveResponse(fileID: Self.fileID)
        call.output = 0..<count
        respond(
            waiting.header, waiting.isTransceive ? .transceiveResponse(call) : .readResponse(read),
            part, status: isWhole ? .success : .bufferOverflow)
    }

    private mutating func respond(
        _ request: SMB2.Header, _ body: SMB2.Body, _ payload: [UInt8] = [],
        status: NTStatus = .success
    ) {
        var header = SMB2.Header(request.command, messageID: request.messageID)
        header.flags = .response
        header.status = status
        header.credits = credits
        if request.command != .negotiate { header.sessionID = Self.sessionID }
        if pends.contains(request.command) {
            header.flags.insert(.async)
            header.asyncID = 7
            // All that there is to grant comes with the announcement (MS-SMB2 3.3.4.2).
            if status != .pending { header.credits = 0 }
        } else {
            header.treeID = request.command == .treeConnect ? Self.treeID : request.treeID
        }
        var writer = WireWriter()
        SMB2.Message(header, body).write(into: &writer, from: payload.span)
        var bytes = writer.finish()
        if let signing, signs, status != .pending { signing.sign(&bytes) }
        outgoing.append(bytes)
    }
}
