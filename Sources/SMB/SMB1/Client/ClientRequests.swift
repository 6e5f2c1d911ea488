import Wire

/// From the queue of operations to messages.
extension SMB1.ClientSession {
    package mutating func writeMessage(into writer: inout WireWriter) -> Bool {
        guard !table.state.isOver else { return false }
        let operations = nextBatch()
        guard !operations.isEmpty else { return false }
        table.state = .working
        let base = writer.count
        let mid = nextMID()
        let header = header(for: operations, mid)
        var chain = SMB1.ChainWriter(header, into: &writer)
        var opened: SMBClientPipe?
        for operation in operations {
            append(operation, to: &chain, &writer, opened)
            if case .open(let pipe) = operation { opened = pipe }
        }
        if let signing {
            var message = Array(writer.bytes[base...])
            signing.sign(&message, sequence: sequence)
            writer.overwrite(base, with: message)
        }
        // Counted from the last session setup on, whose answer is the first that may be signed.
        if operations[0] == .sessionSetup && signing == nil { sequence = 0 }
        let answer = sequence &+ 1
        sequence &+= 2
        inFlight.append(Batch(mid: mid, operations: operations, answerSequence: answer))
        return true
    }

    private func header(for operations: [Operation], _ mid: UInt16) -> SMB1.Header {
        var flags2: SMB1.Flags2 = [.ntStatus, .longNames]
        if operations[0] == .sessionSetup {
            if let logon, !logon.isASCII { flags2.insert(.unicode) }
            if offeredSigning != nil, wantsSigning { flags2.insert(.securitySignature) }
        }
        if configuration.credentials.isExtended { flags2.insert(.extendedSecurity) }
        if signing != nil { flags2.insert(.securitySignature) }
        var header = SMB1.Header(
            command: command(operations[0]), flags: .caseInsensitive, flags2: flags2)
        header.tid = tid
        header.pidLow = Self.pid
        header.uid = uid
        header.mid = mid
        return header
    }

    /// Not 0 nor 0xFFFF, which have meanings of their own; servers do not look further.
    private static var pid: UInt16 { 0xfeff }
    /// What a chained request says for the file that the chain itself has opened.
    private static var chainedFID: UInt16 { 0xffff }
    /// The size of what the peer may send: a read of 60,000 bytes with its headers.
    private static var ownBuffer: UInt16 { 61_440 }

    /// MS-RAP 2.1.
    private static var administrationPipe: String { "\\PIPE\\LANMAN" }
    /// Status, converter and two counts (MS-RAP 2.5.5.2.2).
    private static var administrationParameters: UInt16 { 8 }

    var offeredSigning: SMB1.Signing? { logon?.signing ?? step?.signing }

    var wantsSigning: Bool {
        guard let mode = peer?.securityMode else { return false }
        return mode.contains(.signaturesRequired)
            || configuration.prefersSigning && mode.contains(.signaturesEnabled)
    }

    func command(_ operation: Operation) -> SMB1.Command {
        switch operation {
        case .negotiate: .negotiate
        case .sessionSetup: .sessionSetupAndX
        case .treeConnect: .treeConnectAndX
        case .open(let pipe): opening(pipe) == .openAndX ? .openAndX : .ntCreateAndX
        case .write: .writeAndX
        case .read: .readAndX
        case .transact, .setMode, .administer: .transaction
        case .close: .close
        case .treeDisconnect: .treeDisconnect
        case .logoff: .logoffAndX
        }
    }

    func opening(_ pipe: SMBClientPipe) -> Configuration.Opening {
        configuration.openings[table[pipe].opening]
    }

    // MARK: Which operations go next

    /// Takes from the queue what goes out as one message now; empty where all must wait.
    private mutating func nextBatch() -> [Operation] {
        let limit = min(Self.requestLimit, max(1, Int(peer?.maxMpxCount ?? 2)))
        guard inFlight.count < limit, let start = firstReady() else { return [] }
        if table.queue[start] == .sessionSetup, !prepareLogon() { return [] }
        var taken = [start]
        var size = SMB1.Header.size + cost(table.queue[start])
        if chainLimit > 1, canChain(table.queue[start]) {
            extend(&taken, &size)
        } else if let read = fusedRead(start) {
            taken.append(read)
        }
        var operations = taken.map { table.queue[$0] }
        for index in taken.reversed() { table.queue.remove(at: index) }
        if operations.count == 2, case .write(let pipe, let message, 0) = operations[0],
            operations[1] == .read(pipe), message.count <= transactLimit
        {
            operations = [.transact(pipe, message)]
        }
        return operations
    }

    /// The first operation whose turn it is. What concerns the session waits for all before it
    /// and lets all behind it wait; pipes do not wait for each other.
    private func firstReady() -> Int? {
        var busy: [SMBClientPipe] = []
        for batch in inFlight {
            for operation in batch.operations {
                if let pipe = operation.pipe {
                    busy.append(pipe)
                } else if !(operation == .negotiate && sendsAhead)
                    && !(operation == .treeDisconnect && table.queue.first == .logoff)
                {
                    return nil
                }
            }
        }
        for index in table.queue.indices {
            guard let pipe = table.queue[index].pipe else {
                // The logoff goes right behind the tree's end: neither is ever refused.
                let mayFollow = inFlight.isEmpty || sendsAhead || table.queue[index] == .logoff
                return index == 0 && mayFollow ? 0 : nil
            }
            if !busy.contains(pipe) { return index }
        }
        return nil
    }

    /// Whether session setup may go while the negotiation is under way.
    private var sendsAhead: Bool {
        guard configuration.sendsAhead, chainLimit > 1, table.queue.first == .sessionSetup else {
            return false
        }
        if case .anonymous = configuration.credentials { return true }
        return false
    }

    private func canChain(_ operation: Operation) -> Bool {
        switch operation {
        case .sessionSetup: step?.isLast ?? true
        case .treeConnect, .open: true
        case .negotiate, .setMode, .write, .read, .transact, .close, .administer,
            .treeDisconnect, .logoff:
            false
        }
    }

    /// Adds what follows the first operation as a chain: the session's own and those of one pipe.
    private func extend(_ taken: inout [Int], _ size: inout Int) {
        var chained = table.queue[taken[0]].pipe
        for index in (taken[0] + 1)..<max(table.queue.count, taken[0] + 1) {
            let operation = table.queue[index]
            if let pipe = operation.pipe {
                if chained == nil, case .open = operation { chained = pipe }
                if pipe != chained { continue }
                if case .close = operation { return }
            } else if operation != .treeConnect || chained != nil {
                return
            }
            size += cost(operation)
            if taken.count == chainLimit || size > peerBuffer { return }
            taken.append(index)
        }
    }

    /// The read that belongs to the write at `start`, if both fit into one TransactNmPipe, or
    /// the write's last part into a chain with it.
    private func fusedRead(_ start: Int) -> Int? {
        guard case .write(let pipe, let message, let from) = table.queue[start] else { return nil }
        let fits = from == 0 && message.count <= transactLimit
        guard fits || chainLimit > 1 && writeEnd(message, from) == message.count else {
            return nil
        }
        for index in (start + 1)..<max(table.queue.count, start + 1)
        where table.queue[index].pipe == pipe {
            if case .read = table.queue[index] { return index }
            return nil
        }
        return nil
    }

    /// Words and bytes around the message in TransactNmPipe, and in WRITE_ANDX.
    private static var transactCost: Int { 1 + 32 + 2 + 8 }
    private static var writeCost: Int { 1 + 24 + 2 + 1 }

    var transactLimit: Int { peerBuffer - SMB1.Header.size - Self.transactCost }
    /// Two bytes less, for the length before a message in parts.
    private var writeLimit: Int { peerBuffer - SMB1.Header.size - Self.writeCost - 2 }

    /// Without large reads, an answer has to fit the buffer that the peer has told.
    private var readLimit: UInt16 {
        guard let peer, !peer.capabilities.contains(.largeReadX) else {
            return configuration.maxAnswer
        }
        return min(configuration.maxAnswer, UInt16(peerBuffer - SMB1.Header.size - Self.writeCost))
    }

    /// An upper bound of the bytes that an operation takes in a message.
    private func cost(_ operation: Operation) -> Int {
        switch operation {
        case .negotiate: 64
        case .sessionSetup:
            64 + 2 * (logon?.accountName.utf16.count ?? 0)
                + 2 * (logon?.primaryDomain.utf16.count ?? 0)
                + (logon?.lmResponse.count ?? 0) + (logon?.ntResponse.count ?? 0)
                + (step?.token.count ?? 0)
        case .treeConnect: 32 + 2 * configuration.treePaths[treePath].utf16.count
        case .open(let pipe): 64 + 2 * table[pipe].name.utf16.count
        case .write(_, let message, let from): Self.writeCost + message.count - from
        case .read: 24
        case .transact(_, let message): Self.transactCost + message.count
        case .administer(let parameters, _): Self.transactCost + parameters.count
        case .setMode, .close, .treeDisconnect, .logoff: 64
        }
    }

    /// Computes what proves the user once the peer has told its challenge. One without a challenge
    /// of eight bytes wants passwords in plain, which nobody gets.
    private mutating func prepareLogon() -> Bool {
        switch configuration.credentials {
        case .anonymous: return true
        case .user(let authenticate):
            if logon != nil { return true }
            guard let peer else { return false }
            if case .challenge(let challenge, _, _) = peer.security, challenge.count == 8 {
                logon = authenticate(peer)
                return true
            }
            fail(.sessionSetup, .notSupported)
        case .extended(let answer):
            if step != nil { return true }
            guard let peer else { return false }
            if case .extended = peer.security {
                steps += 1
                let next = steps <= Self.stepLimit ? answer(peerToken) : nil
                if let next, next.token.count <= Self.tokenLimit {
                    step = next
                    return true
                }
                fail(.sessionSetup, .logonFailure)
            } else {
                fail(.sessionSetup, .notSupported)
            }
        }
        return false
    }

    // MARK: Bodies

    private func append(
        _ operation: Operation, to chain: inout SMB1.ChainWriter, _ writer: inout WireWriter,
        _ opened: SMBClientPipe?
    ) {
        switch operation {
        case .negotiate: chain.append(SMB1.NegotiateRequest(), into: &writer)
        case .sessionSetup:
            chain.append(sessionSetup(chain.form), into: &writer, from: step?.token ?? [])
        case .treeConnect:
            let path = configuration.treePaths[treePath]
            let tree = SMB1.TreeConnectRequest(path: path, service: SMB1.TreeConnectRequest.ipc)
            chain.append(tree, into: &writer)
        case .open(let pipe): appendOpen(pipe, to: &chain, &writer)
        case .setMode(let pipe):
            let mode = SMB1.PipeState.messageReads
            let call = SMB1.NamedPipeCall.setState(fid: fid(pipe, opened), mode)
            let bytes = [UInt8(mode.rawValue & 0xff), UInt8(mode.rawValue >> 8)]
            chain.append(
                call.transaction(maxDataCount: 0, parameters: 0..<2), into: &writer, from: bytes)
        case .write(let pipe, let message, let from):
            appendWrite(fid(pipe, opened), message, from, to: &chain, &writer)
        case .read(let pipe):
            let read = SMB1.ReadRequest(fid: fid(pipe, opened), maxCount: readLimit)
            chain.append(read, into: &writer)
        case .transact(let pipe, let message):
            let call = SMB1.NamedPipeCall.transact(fid: fid(pipe, opened), 0..<message.count)
            let request = call.transaction(maxDataCount: configuration.maxAnswer)
            chain.append(request, into: &writer, from: message)
        case .close(let pipe):
            chain.append(SMB1.CloseRequest(fid: fid(pipe, opened)), into: &writer)
        case .administer(let parameters, let maxDataCount):
            let request = SMB1.TransactionRequest(
                name: Self.administrationPipe, setup: [], parameters: 0..<parameters.count,
                data: 0..<0, maxParameterCount: Self.administrationParameters,
                maxDataCount: maxDataCount)
            chain.append(request, into: &writer, from: parameters)
        case .treeDisconnect: chain.append(SMB1.TreeDisconnect(), into: &writer)
        case .logoff: chain.append(SMB1.Logoff(), into: &writer)
        }
    }

    private func fid(_ pipe: SMBClientPipe, _ opened: SMBClientPipe?) -> UInt16 {
        pipe == opened ? Self.chainedFID : table[pipe].fileID ?? Self.chainedFID
    }

    private func sessionSetup(_ form: SMB1.Form) -> SMB1.SessionSetupRequest {
        var capabilities: SMB1.Capabilities = [.ntSMBs, .ntStatus]
        if form.isUnicode { capabilities.insert(.unicode) }
        let credentials: SMB1.SessionSetupRequest.Credentials
        if let step {
            capabilities.insert(.extendedSecurity)
            credentials = .extended(securityBlob: 0..<step.token.count, capabilities)
        } else {
            credentials = .ntLM(
                oemPassword: logon?.lmResponse ?? [], unicodePassword: logon?.ntResponse ?? [],
                capabilities)
        }
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: Self.ownBuffer, maxMpxCount: UInt16(Self.requestLimit),
            sessionKey: peer?.sessionKey ?? 0, credentials: credentials)
        request.accountName = logon?.accountName ?? ""
        request.primaryDomain = logon?.primaryDomain ?? ""
        return request
    }

    private func appendOpen(
        _ pipe: SMBClientPipe, to chain: inout SMB1.ChainWriter, _ writer: inout WireWriter
    ) {
        let name = table[pipe].name
        switch opening(pipe) {
        case .openAndX: chain.append(SMB1.OpenRequest(pipe: name), into: &writer)
        case .ntCreateAndX: chain.append(SMB1.NTCreateRequest(pipe: "\\" + name), into: &writer)
        }
    }

    private func appendWrite(
        _ fid: UInt16, _ message: [UInt8], _ from: Int, to chain: inout SMB1.ChainWriter,
        _ writer: inout WireWriter
    ) {
        let end = writeEnd(message, from)
        if from == 0 && end == message.count {
            let whole = SMB1.WriteRequest(fid: fid, writeMode: .messageStart, data: 0..<end)
            chain.append(whole, into: &writer, from: message)
            return
        }
        // The message's length goes before its first part.
        let length = [UInt8(message.count & 0xff), UInt8(message.count >> 8 & 0xff)]
        let source = from == 0 ? length + message[..<end] : Array(message[from..<end])
        var part = SMB1.WriteRequest(
            fid: fid, writeMode: from == 0 ? [.rawPipe, .messageStart] : .rawPipe,
            data: 0..<source.count)
        part.remaining = UInt16(truncatingIfNeeded: message.count - from)
        chain.append(part, into: &writer, from: source)
    }

    /// Where the request that writes from `from` on ends.
    func writeEnd(_ message: [UInt8], _ from: Int) -> Int {
        min(message.count, from + writeLimit)
    }
}
