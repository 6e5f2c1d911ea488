import Wire

/// From operations to messages.
extension SMB2.ClientSession {
    package mutating func writeMessage(into writer: inout WireWriter) -> Bool {
        guard !table.state.isOver, inFlight == nil, credits > 0,
            let operation = table.queue.first
        else { return false }
        if operation == .sessionSetup, !prepareStep() { return false }
        table.state = .working
        table.queue.removeFirst()
        credits -= 1
        inFlight = operation
        let base = writer.count
        var header = SMB2.Header(operation.command, messageID: messageID)
        header.sessionID = sessionID
        header.treeID = treeID
        header.write(into: &writer)
        append(operation, to: &writer, from: base)
        if let signing {
            var message = Array(writer.bytes[base...])
            signing.sign(&message)
            writer.overwrite(base, with: message)
        }
        return true
    }

    private mutating func prepareStep() -> Bool {
        if step != nil { return true }
        steps += 1
        if steps <= Self.stepLimit { step = configuration.authenticate(peerToken) }
        if step == nil { fail(.sessionSetup, .logonFailure) }
        return step != nil
    }

    private func append(_ operation: Operation, to writer: inout WireWriter, from base: Int) {
        switch operation {
        case .negotiate:
            let dialects = configuration.dialects
            SMB2.NegotiateRequest(
                dialects, clientGUID: configuration.clientGUID,
                salt: dialects.contains(.smb311) ? configuration.salt : nil
            ).write(into: &writer, from: base)
        case .sessionSetup:
            SMB2.SessionSetupRequest().write(
                into: &writer, from: base, token: step?.token ?? [])
        case .treeConnect:
            SMB2.TreeConnectRequest(path: "\\\\\(configuration.server)\\IPC$")
                .write(into: &writer, from: base)
        case .open(let pipe):
            SMB2.CreateRequest(name: table[pipe].name).write(into: &writer, from: base)
        case .write(let pipe, let message):
            SMB2.WriteRequest(fileID: fileID(pipe)).write(into: &writer, from: base, data: message)
        case .read(let pipe):
            SMB2.ReadRequest(fileID: fileID(pipe), length: configuration.maxAnswer)
                .write(into: &writer)
        case .transact(let pipe, let message):
            SMB2.TransceiveRequest(fileID: fileID(pipe), maxOutput: configuration.maxAnswer)
                .write(into: &writer, from: base, message: message)
        case .close(let pipe): SMB2.CloseRequest(fileID: fileID(pipe)).write(into: &writer)
        case .treeDisconnect, .logoff: SMB2.Farewell().write(into: &writer)
        }
    }

    /// An operation on a pipe waits until the pipe is open, and is dropped where it never is.
    private func fileID(_ pipe: SMBClientPipe) -> SMB2.FileID {
        table[pipe].fileID ?? Bytes16()
    }
}

/// From messages to events.
extension SMB2.ClientSession {
    package mutating func receive(_ message: [UInt8]) throws(WireError) {
        var reader = WireReader(message.span, layer: "SMB2")
        let header = try SMB2.Header(parsing: &reader)
        // A break of an oplock, which nobody holds here, has a number of its own.
        guard table.state == .working, let operation = inFlight, header.messageID == messageID,
            header.flags.contains(.response)
        else { return }
        if header.command != operation.command {
            throw reader.invalid("Command", Int(header.command.rawValue))
        }
        if header.nextCommand != 0 {
            throw reader.invalid("NextCommand", Int(header.nextCommand))
        }
        credits = min(credits + Int(header.credits), Self.creditLimit)
        // The response is to come (MS-SMB2 3.2.5.1.5).
        if header.status == .pending, header.flags.contains(.async) { return }
        if credits == 0, operation != .logoff, header.carriesAnswer {
            // No request is left that could ask for one (MS-SMB2 3.3.1.2).
            throw reader.invalid("CreditResponse", 0)
        }
        if let signing, !header.flags.contains(.signed) || !signing.verifies(message) {
            throw reader.invalid("Signature", Int(header.flags.rawValue))
        }
        inFlight = nil
        messageID += 1
        guard header.carriesAnswer else { return refused(operation, header.status) }
        if header.status == .moreProcessingRequired { return try goOn(header, &reader) }
        try done(operation, header, message, &reader)
    }

    /// Credits beyond this are of no use to who sends one request at a time.
    private static var creditLimit: Int { 64 }

    /// The logon needs another step.
    private mutating func goOn(
        _ header: SMB2.Header, _ reader: inout WireReader
    ) throws(WireError) {
        let answer = try SMB2.SessionSetupResponse(parsing: &reader, from: 0)
        sessionID = header.sessionID
        peerToken = reader.copy(answer.securityBuffer)
        step = nil
        table.queue.insert(.sessionSetup, at: 0)
    }

    private mutating func done(
        _ operation: Operation, _ header: SMB2.Header, _ message: [UInt8],
        _ reader: inout WireReader
    ) throws(WireError) {
        switch operation {
        case .negotiate: try negotiated(&reader)
        case .sessionSetup:
            let answer = try SMB2.SessionSetupResponse(parsing: &reader, from: 0)
            sessionID = header.sessionID
            try startSigning(answer, header, message, reader)
        case .treeConnect:
            _ = try SMB2.TreeConnectResponse(parsing: &reader)
            treeID = header.treeID
            table.tell(.established(isGuest: isGuest))
        case .open(let pipe):
            table[pipe].fileID = try SMB2.CreateResponse(parsing: &reader).fileID
            table.tell(.opened(pipe))
        case .write(let pipe, let data):
            let count = try SMB2.WriteResponse(parsing: &reader).count
            if Int(count) != data.count { throw reader.invalid("Count", Int(count)) }
            table.tell(.written(pipe))
        case .read(let pipe):
            let answer = try SMB2.ReadResponse(parsing: &reader, from: 0)
            try table.received(
                pipe, answer.data, reader, isOverflow: header.status == .bufferOverflow)
        case .transact(let pipe, _):
            let answer = try SMB2.TransceiveResponse(parsing: &reader, from: 0)
            try table.received(
                pipe, answer.output, reader, isOverflow: header.status == .bufferOverflow)
        case .close(let pipe): table.closed(pipe)
        case .treeDisconnect: treeID = 0
        case .logoff:
            table.end()
        }
    }

    private mutating func negotiated(_ reader: inout WireReader) throws(WireError) {
        let answer = try SMB2.NegotiateResponse(parsing: &reader, from: 0)
        guard configuration.dialects.contains(answer.dialect) else {
            fail(.negotiate, .notSupported)
            return
        }
        peerToken = reader.copy(answer.securityBuffer)
        table.tell(.negotiated)
    }

    /// From the answer to session setup on, all is signed, where there is a key. Guests and nobody
    /// have none (MS-SMB2 3.2.5.3.1): who logged on as somebody is told that it is a guest's.
    private mutating func startSigning(
        _ answer: SMB2.SessionSetupResponse, _ header: SMB2.Header, _ message: [UInt8],
        _ reader: borrowing WireReader
    ) throws(WireError) {
        typealias Answer = SMB2.SessionSetupResponse
        if answer.sessionFlags & Answer.encryptData != 0 {
            // No cipher was offered: what this server wants cannot be had.
            return fail(.sessionSetup, .notSupported)
        }
        let isNull = answer.sessionFlags & Answer.isNull != 0
        isGuest = answer.sessionFlags & Answer.isGuest != 0 || isNull && step?.signing != nil
        guard !isGuest, let agreed = step?.signing else { return }
        if header.flags.contains(.signed), !agreed.verifies(message) {
            throw reader.invalid("Signature", Int(header.flags.rawValue))
        }
        signing = agreed
    }

    // MARK: What peers refuse

    private mutating func refused(_ operation: Operation, _ status: NTStatus) {
        switch operation {
        case .negotiate: fail(.negotiate, status)
        case .sessionSetup: fail(.sessionSetup, status)
        case .treeConnect: fail(.treeConnect, status)
        case .open(let pipe), .write(let pipe, _), .read(let pipe), .transact(let pipe, _):
            fail(pipe, status)
        case .close(let pipe): table.closed(pipe)
        case .treeDisconnect: break
        case .logoff:
            table.end()
        }
    }

    /// Whether the peer no longer knows session or tree.
    private static func endsSession(_ status: NTStatus) -> Bool {
        switch status {
        case .networkNameDeleted, .userSessionDeleted, .networkSessionExpired: true
        case _: false
        }
    }

    private mutating func fail(_ stage: SMBSessionStage, _ status: NTStatus) {
        inFlight = nil
        table.fail(stage, status)
    }

    private mutating func fail(_ pipe: SMBClientPipe, _ status: NTStatus) {
        if Self.endsSession(status) {
            fail(.treeConnect, status)
        } else {
            table.fail(pipe, status)
        }
    }
}
