import Wire

/// From messages to events.
extension SMB1.ClientSession {
    package mutating func receive(_ message: [UInt8]) throws(WireError) {
        var reader = WireReader(message.span, layer: "SMB1")
        try receive(&reader)
    }

    /// Takes the message that begins where the reader is, and ends with it.
    package mutating func receive(_ reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        var chain = try SMB1.Chain(parsing: &reader)
        // A server's own requests (breaks of oplocks, which nobody holds here) and answers to
        // what nobody asked are passed over.
        guard table.state == .working, chain.header.flags.contains(.reply),
            let index = inFlight.firstIndex(where: { $0.mid == chain.header.mid })
        else { return }
        var batch = inFlight[index]
        if chain.header.command != command(batch.operations[0]) {
            throw reader.invalid("Command", Int(chain.header.command.rawValue))
        }
        if let signing {
            let bytes = reader.copy(start..<reader.end)
            if !signing.verifies(bytes, sequence: batch.answerSequence) {
                throw reader.invalid("SecurityFeatures", Int(batch.answerSequence))
            }
        }
        inFlight.remove(at: index)
        if case .transact(let pipe, let written) = batch.operations[0] {
            let isDone = try receiveTransaction(&batch, pipe, written, &chain, &reader)
            if !isDone { inFlight.append(batch) }
        } else if case .administer = batch.operations[0] {
            let isDone = try receiveAdministration(&batch, &chain, &reader)
            if !isDone { inFlight.append(batch) }
        } else {
            try walk(batch, &chain, &reader, start..<reader.end)
        }
    }

    /// Goes through the answers to a batch's operations.
    private mutating func walk(
        _ batch: Batch, _ chain: inout SMB1.Chain, _ reader: inout WireReader, _ whole: Range<Int>
    ) throws(WireError) {
        let status = chain.header.status
        let operations = batch.operations
        for index in operations.indices {
            let isLast = index == operations.count - 1
            guard let block = try chain.nextBlock(&reader) else {
                // The peer has left out the rest: for an error, or because it does not chain that
                // far.
                if status.isError {
                    refused(operations, index, status.ntStatus)
                } else {
                    chainLimit = max(1, index)
                    table.queue.insert(contentsOf: operations[index...], at: 0)
                }
                return
            }
            if block.command != command(operations[index]) {
                throw reader.invalid("AndXCommand", Int(block.command.rawValue))
            }
            let rest = operations[(index + 1)...]
            if operations[index] == .sessionSetup, try goesOn(block, rest, chain.header, &reader) {
                return
            }
            if status.isError && block.andXCommand == .noAndX && (block.isEmpty || isLast) {
                refused(operations, index, status.ntStatus)
                return
            }
            let isOverflow = isLast && status.ntStatus == .bufferOverflow
            try done(operations[index], rest, block, chain.header, &reader, isOverflow)
            if table.state == .failed { return }
            if operations[index] == .sessionSetup {
                try startSigning(batch, reader.copy(whole), reader)
            }
        }
    }

    /// One operation has succeeded.
    private mutating func done(
        _ operation: Operation, _ rest: ArraySlice<Operation>, _ block: SMB1.Block,
        _ header: SMB1.Header, _ reader: inout WireReader, _ isOverflow: Bool
    ) throws(WireError) {
        switch operation {
        case .negotiate:
            negotiated(try SMB1.NegotiateResponse(parsing: &reader, block), reader)
        case .sessionSetup:
            let answer = try SMB1.SessionSetupResponse(parsing: &reader, block)
            uid = header.uid
            isGuest = answer.action & SMB1.SessionSetupResponse.guest != 0
        case .treeConnect:
            _ = try SMB1.TreeConnectResponse(parsing: &reader, block)
            tid = header.tid
            table.tell(.established(isGuest: isGuest))
        case .open(let pipe):
            if block.command == .ntCreateAndX {
                let answer = try SMB1.NTCreateResponse(parsing: &reader, block)
                table[pipe].fileID = answer.fid
            } else {
                table[pipe].fileID = try SMB1.OpenResponse(parsing: &reader, block).fid
            }
            table.tell(.opened(pipe))
        case .setMode(let pipe): table[pipe].isMessageModeSet = true
        case .write(let pipe, let message, let from):
            _ = try SMB1.WriteResponse(parsing: &reader, block)
            let end = writeEnd(message, from)
            if end < message.count {
                table.queue.insert(.write(pipe, message, from: end), at: 0)
            } else if rest.first != .read(pipe) && nextOperation(of: pipe) != .read(pipe) {
                table.tell(.written(pipe))
            }
        case .read(let pipe):
            let answer = try SMB1.ReadResponse(parsing: &reader, block)
            try table.received(pipe, answer.data, reader, isOverflow: isOverflow)
        case .transact, .administer: break
        case .close(let pipe): table.closed(pipe)
        case .treeDisconnect: tid = 0
        case .logoff:
            table.end()
        }
    }

    private func nextOperation(of pipe: SMBClientPipe) -> Operation? {
        table.queue.first { $0.pipe == pipe }
    }

    private mutating func negotiated(
        _ answer: SMB1.NegotiateResponse, _ reader: borrowing WireReader
    ) {
        switch answer {
        case .ntLM(let peer) where peer.dialectIndex == 0:
            self.peer = peer
            if case .extended(_, let blob) = peer.security { peerToken = reader.copy(blob) }
            table.tell(.negotiated)
        case .core, .lanMan, .ntLM: fail(.negotiate, .notSupported)
        }
    }

    /// Whether the logon with extended security needs another step, and if so prepares it. What
    /// was to follow the logon waits.
    private mutating func goesOn(
        _ block: SMB1.Block, _ rest: ArraySlice<Operation>, _ header: SMB1.Header,
        _ reader: inout WireReader
    ) throws(WireError) -> Bool {
        guard header.status.ntStatus == .moreProcessingRequired, step != nil else { return false }
        let answer = try SMB1.SessionSetupResponse(parsing: &reader, block)
        guard let blob = answer.securityBlob else {
            throw reader.invalid("SecurityBlobLength", block.wordCount)
        }
        uid = header.uid
        peerToken = reader.copy(blob)
        step = nil
        table.queue.insert(contentsOf: [.sessionSetup] + rest, at: 0)
        return true
    }

    /// From the answer to session setup on, all is signed, where that was agreed.
    private mutating func startSigning(
        _ batch: Batch, _ message: [UInt8], _ reader: borrowing WireReader
    ) throws(WireError) {
        guard signing == nil, wantsSigning, let agreed = offeredSigning else { return }
        if !agreed.verifies(message, sequence: batch.answerSequence) {
            throw reader.invalid("SecurityFeatures", Int(batch.answerSequence))
        }
        signing = agreed
    }

    // MARK: What pipes bring

    /// Takes a TransactNmPipe's answer, or one of its parts. True when it is complete.
    private mutating func receiveTransaction(
        _ batch: inout Batch, _ pipe: SMBClientPipe, _ written: [UInt8], _ chain: inout SMB1.Chain,
        _ reader: inout WireReader
    ) throws(WireError) -> Bool {
        let status = chain.header.status
        guard !status.isError, let block = try chain.nextBlock(&reader) else {
            refused([.transact(pipe, written)], 0, status.ntStatus)
            return true
        }
        let isOverflow = status.ntStatus == .bufferOverflow
        let answer = try SMB1.TransactionResponse(parsing: &reader, block)
        if batch.assembly == nil && answer.data.count == Int(answer.totals.dataCount) {
            try table.received(pipe, answer.data, reader, isOverflow: isOverflow)
            return true
        }
        var assembly = batch.assembly ?? SMB1.TransactionAssembly(answer.totals)
        try assembly.add(
            answer.totals, parameters: answer.parameters, at: answer.parameterDisplacement,
            data: answer.data, at: answer.dataDisplacement, from: reader)
        batch.assembly = assembly
        if !assembly.isComplete { return false }
        let data = assembly.data
        let whole = WireReader(data.span, layer: "SMB1")
        try table.received(pipe, 0..<data.count, whole, isOverflow: isOverflow)
        return true
    }

    /// Takes the answer to a call of the remote administration protocol, or one of its parts. True
    /// when it is complete.
    private mutating func receiveAdministration(
        _ batch: inout Batch, _ chain: inout SMB1.Chain, _ reader: inout WireReader
    ) throws(WireError) -> Bool {
        let status = chain.header.status
        guard !status.isError, let block = try chain.nextBlock(&reader) else {
            refused(batch.operations, 0, status.ntStatus)
            return true
        }
        let answer = try SMB1.TransactionResponse(parsing: &reader, block)
        var assembly = batch.assembly ?? SMB1.TransactionAssembly(answer.totals)
        try assembly.add(
            answer.totals, parameters: answer.parameters, at: answer.parameterDisplacement,
            data: answer.data, at: answer.dataDisplacement, from: reader)
        batch.assembly = assembly
        if !assembly.isComplete { return false }
        table.tell(
            .administered(parameters: assembly.parameters, data: assembly.data))
        return true
    }

    // MARK: What peers refuse

    /// The operation at `index` of a batch was refused, and those behind it were not done.
    private mutating func refused(_ operations: [Operation], _ index: Int, _ status: NTStatus) {
        let operation = operations[index]
        let rest = Array(operations[index...])
        if operations.count > 1 && Self.meansChaining(status) {
            chainLimit = max(1, index)
            table.queue.insert(contentsOf: rest, at: 0)
            return
        }
        switch operation {
        case .negotiate: fail(.negotiate, status)
        case .sessionSetup: fail(.sessionSetup, status)
        case .treeConnect:
            if treePath + 1 < configuration.treePaths.count && !Self.endsSession(status) {
                treePath += 1
                table.queue.insert(contentsOf: rest, at: 0)
            } else {
                fail(.treeConnect, status)
            }
        case .open(let pipe):
            if Self.endsSession(status) {
                fail(.treeConnect, status)
            } else if table[pipe].opening + 1 < configuration.openings.count {
                table[pipe].opening += 1
                table.queue.insert(contentsOf: rest, at: 0)
            } else {
                fail(pipe, status)
            }
        case .transact(let pipe, let message):
            if status == .invalidReadMode && !table[pipe].isMessageModeSet {
                let again: [Operation] = [
                    .setMode(pipe), .write(pipe, message, from: 0), .read(pipe),
                ]
                table.queue.insert(contentsOf: again, at: 0)
            } else {
                fail(pipe, status)
            }
        case .setMode(let pipe), .write(let pipe, _, _), .read(let pipe): fail(pipe, status)
        case .close(let pipe): table.closed(pipe)
        case .administer:
            if Self.endsSession(status) {
                fail(.treeConnect, status)
            } else {
                table.tell(.administrationRefused(status))
            }
        case .treeDisconnect: break
        case .logoff:
            table.end()
        }
    }

    /// Whether a status says that the peer did not understand the chain, rather than that it
    /// would not do what it asks. Those of the second kind must not be asked for twice: a
    /// password would count as wrong twice.
    private static func meansChaining(_ status: NTStatus) -> Bool {
        switch status {
        case .invalidSMB, .smbBadCommand, .smbBadTID, .smbBadUID, .smbBadFID, .notSupported,
            .notImplemented, .invalidParameter, .invalidHandle, .invalidDeviceRequest,
            .fileClosed, .unsuccessful:
            true
        case _: false
        }
    }

    /// Whether the peer no longer knows session or tree.
    private static func endsSession(_ status: NTStatus) -> Bool {
        switch status {
        case .smbBadUID, .smbBadTID, .networkNameDeleted, .userSessionDeleted,
            .networkSessionExpired:
            true
        case _: false
        }
    }

    mutating func fail(_ stage: SMBSessionStage, _ status: NTStatus) {
        inFlight.removeAll()
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

extension NTStatus {
    package static var invalidReadMode: NTStatus { NTStatus(0xc000_00b4) }
}
