import SMB
import Wire

/// From requests to responses: each command of a chain in turn.
extension SMBConnection {
    /// Goes on with the exchange's chain until it ends or has to wait.
    func run(_ exchange: SMBExchange, _ now: FrontTime) {
        let message = exchange.message
        var reader = WireReader(message.span, layer: "SMB1")
        touch(now)
        do throws(WireError) {
            while let block = try exchange.nextBlock(&reader) {
                if exchange.writer.count > Self.chainRoom {
                    return fail(exchange, .insuffServerResources)
                }
                if !step(exchange, try perform(block, &reader, exchange, now)) { return }
                // A warning goes with what there is, and the chain on.
            }
        } catch {
            context.counters.malformed += 1
            fail(exchange, .invalidSMB)
            return
        }
        finish(exchange)
    }

    /// How long the response to a chain may be before its next command: offsets have 16 bits, and
    /// what is not bounded by the client's buffer, as reads are, is shorter than the rest.
    private static var chainRoom: Int { 0xffff - 2_048 }

    /// The bytes that the client's buffer has left for the response.
    func room(_ exchange: SMBExchange) -> Int { clientBuffer - exchange.writer.count }

    /// Goes on with an exchange whose answer has come.
    func resume(_ exchange: SMBExchange, _ result: SMBStep, _ now: FrontTime) {
        if step(exchange, result) { run(exchange, now) }
    }

    /// Whether the chain goes on.
    private func step(_ exchange: SMBExchange, _ result: SMBStep) -> Bool {
        switch result {
        case .done:
            return !isClosed
        case .failed(let status):
            fail(exchange, status)
        case .waiting:
            if pending.count < SMBLimits.requests {
                pending.append(exchange)
            } else {
                forget(exchange)
                fail(exchange, .insuffServerResources)
            }
        case .answered:
            break
        }
        return false
    }

    private func fail(_ exchange: SMBExchange, _ status: NTStatus) {
        exchange.status = status
        exchange.appendEmpty()
        finish(exchange)
    }

    /// Nothing more is to be done for the exchange.
    private func finish(_ exchange: SMBExchange) {
        respond(exchange)
        if exchange.endsTree { disconnectTree(exchange.tid) }
    }

    /// Sends the exchange's response, or a part of it, signed where the session is.
    func respond(_ exchange: SMBExchange) {
        if exchange.isOneWay { return }
        var bytes = exchange.finished()
        signing?.sign(&bytes, sequence: exchange.answerSequence)
        send(bytes.span)
    }

    /// What waits for nobody any more.
    func forget(_ exchange: SMBExchange) {
        switch exchange.wait {
        case .logon(let token, let logon):
            context.logons.forget(token)
            sessions.removeAll { $0.uid == logon.uid }
        case .call(let pipe): release(pipe)
        case .pipe, nil: break
        }
        exchange.wait = nil
    }

    // MARK: Commands

    private func perform(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        switch block.command {
        case .negotiate:
            return negotiate(try .init(parsing: &reader, block), exchange, now)
        case .echo:
            return echo(try .init(parsing: &reader, block), exchange)
        case _: break
        }
        guard case .ready(let dialect) = phase else {
            close()
            return .answered
        }
        switch block.command {
        case .sessionSetupAndX:
            let request = try SMB1.SessionSetupRequest(parsing: &reader, block)
            return setUpSession(request, reader, dialect, exchange, now)
        case .treeConnect:
            return connectTree(try .init(parsing: &reader, block), exchange, now)
        case .ntCancel:
            cancel(exchange)
            return .answered
        case .processExit:
            closeOpens { $0.pid == exchange.pid }
            exchange.appendEmpty()
            return .done
        case _: break
        }
        guard let identity = sessions.first(where: { $0.uid == exchange.uid })?.identity else {
            return .failed(.smbBadUID)
        }
        switch block.command {
        case .logoffAndX:
            logOff(exchange.uid)
            exchange.append(SMB1.Logoff())
            return .done
        case .treeConnectAndX:
            let request = try SMB1.TreeConnectRequest(parsing: &reader, block)
            return connectTree(request, dialect, identity, exchange)
        case _: break
        }
        guard let tree = trees.first(where: { $0.tid == exchange.tid }) else {
            return .failed(.smbBadTID)
        }
        let place = SMBPlace(identity: identity, share: tree.share, dialect: dialect)
        return try perform(block, &reader, exchange, place, now)
    }

    /// The commands that need a session and a tree.
    private func perform(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange,
        _ place: SMBPlace, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        switch block.command {
        case .treeDisconnect:
            disconnectTree(exchange.tid)
            exchange.appendEmpty()
            return .done
        case .open, .openAndX, .ntCreateAndX:
            return try open(block, &reader, exchange, place, now)
        case .close:
            let request = try SMB1.CloseRequest(parsing: &reader, block)
            guard let open = find(request.fid, exchange) else { return .failed(.smbBadFID) }
            closeOpens { $0 === open }
            exchange.appendEmpty()
            return .done
        case .read, .readAndX:
            return try read(block, &reader, exchange, now)
        case .readRaw:
            // There is no other way to say no (MS-CIFS 2.2.4.22.2): a frame without a message.
            send([UInt8]().span)
            return .answered
        case .write, .writeAndX:
            return try write(block, &reader, exchange, now)
        case .transaction, .transaction2:
            return try transact(block, &reader, exchange, place, now)
        case .transactionSecondary, .transaction2Secondary:
            return try transactOn(block, &reader, exchange, place, now)
        case .queryInformation, .queryInformation2, .checkDirectory, .queryInformationDisk,
            .search, .find, .findUnique, .findClose:
            return try query(block, &reader, exchange, place)
        case .findClose2:
            let request = try SMB1.FindClose2(parsing: &reader, block)
            searches.removeAll { $0.id == request.searchHandle && $0.uid == exchange.uid }
            exchange.appendEmpty()
            return .done
        case .flush:
            exchange.appendEmpty()
            return .done
        case .lockingAndX:
            // Nobody writes here, so that every lock is free.
            exchange.appendEmptyAndX()
            return .done
        case .ntTransact: return .failed(.notSupported)
        case _: return refuse(block.command)
        }
    }

    /// What changes files is denied; what nobody knows is no command.
    private func refuse(_ command: SMB1.Command) -> SMBStep {
        switch command.rawValue {
        // Directories, files, their attributes and names, raw and locked writes, printing.
        case 0x00, 0x01, 0x03, 0x06, 0x07, 0x09, 0x0e, 0x0f, 0x14, 0x1d, 0x1e, 0x22, 0x29, 0x2a,
            0x2c, 0xa5, 0xc0, 0xc1:
            .failed(.accessDenied)
        case 0x0c, 0x0d, 0x12, 0x13, 0x27: .failed(.notSupported)
        case _: .failed(.smbBadCommand)
        }
    }

    // MARK: Commands without a session

    private func echo(_ request: SMB1.Echo, _ exchange: SMBExchange) -> SMBStep {
        let count = min(Int(request.number), SMBLimits.echoes)
        guard count > 0 else { return .answered }
        for number in 1...count {
            exchange.append(
                SMB1.Echo(number: UInt16(number), data: request.data), from: exchange.message)
            if number == count { return .done }
            respond(exchange)
            exchange.restart()
        }
        return .answered
    }

    /// SMB_COM_NT_CANCEL (MS-CIFS 2.2.4.65): the request of that process and number is answered
    /// that it was cancelled. A logon is not: somebody is already being asked.
    private func cancel(_ exchange: SMBExchange) {
        let index = pending.firstIndex {
            if case .logon = $0.wait { return false }
            return $0.header.mid == exchange.header.mid && $0.pid == exchange.pid
                && $0.header.uid == exchange.header.uid && $0.header.tid == exchange.header.tid
        }
        guard let index else { return }
        let cancelled = pending.remove(at: index)
        forget(cancelled)
        fail(cancelled, .cancelled)
    }

    // MARK: What is open

    /// The pipe or file of a FID, for the session that opened it.
    func find(_ fid: UInt16, _ exchange: SMBExchange) -> SMBOpen? {
        let number = fid == 0xffff ? exchange.openedFID ?? fid : fid
        return opens.first { $0.fid == number && $0.uid == exchange.uid }
    }

    func closeOpens(_ isMeant: (SMBOpen) -> Bool) {
        // Those that wait for one may end with their whole tree: what is left is right by then.
        let closing = opens.filter(isMeant)
        opens.removeAll { isMeant($0) }
        for open in closing {
            cancelReads(of: open)
            release(open)
        }
    }

    /// Who waits for something from a pipe that is closed hears that.
    private func cancelReads(of open: SMBOpen) {
        guard case .pipe(let pipe) = open.kind else { return }
        while let index = pending.firstIndex(where: { $0.waitsFor(pipe) }) {
            let exchange = pending.remove(at: index)
            exchange.wait = nil
            fail(exchange, .pipeBroken)
        }
    }

    func release(_ open: SMBOpen) {
        if case .pipe(let pipe) = open.kind { release(pipe) }
    }

    func release(_ pipe: SMBPipe) {
        context.pipeOwners[pipe.id] = nil
        context.pipes.close(pipe.id)
    }
}

/// Where a command is carried out.
struct SMBPlace {
    let identity: FrontIdentity
    let share: SMBTree.Share
    let dialect: SMBDialect
}
