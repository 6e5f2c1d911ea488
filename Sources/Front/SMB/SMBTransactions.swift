import SMB
import Wire

/// A transaction whose request is whole.
struct SMBTransaction {
    /// Its ranges are those of `source`.
    var request: SMB1.TransactionRequest
    var source: [UInt8]
}

/// A transaction whose request comes in parts.
struct SMBAssembly {
    let exchange: SMBExchange
    let uid: UInt16
    let tid: UInt16
    var request: SMB1.TransactionRequest
    var parts: SMB1.TransactionAssembly
    let expires: UInt64
}

extension SMBConnection {
    // MARK: Requests

    /// SMB_COM_TRANSACTION and SMB_COM_TRANSACTION2.
    func transact(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange,
        _ place: SMBPlace, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        let request: SMB1.TransactionRequest
        if block.command == .transaction {
            request = try SMB1.TransactionRequest(parsing: &reader, block)
        } else {
            request = try SMB1.Transaction2Request(parsing: &reader, block).call
        }
        exchange.isOneWay = request.flags & SMB1.TransactionRequest.noResponse != 0
        exchange.endsTree = request.flags & SMB1.TransactionRequest.disconnectTID != 0
        guard let totals = request.totals else {
            let whole = SMBTransaction(request: request, source: exchange.message)
            return try carryOut(whole, exchange, place, now)
        }
        if assemblies.count >= SMBLimits.assemblies { return .failed(.insuffServerResources) }
        var parts = SMB1.TransactionAssembly(totals)
        try parts.add(
            totals, parameters: request.parameters, at: 0, data: request.data, at: 0, from: reader)
        let expires = now.now + SMBLimits.partialTime
        assemblies.append(
            SMBAssembly(
                exchange: exchange, uid: exchange.uid, tid: exchange.tid, request: request,
                parts: parts, expires: expires))
        context.check(at: expires)
        // The interim response: more is welcome.
        exchange.appendEmpty()
        respond(exchange)
        exchange.restart()
        return .answered
    }

    /// A further part. The response, if it is due now, is the first part's.
    func transactOn(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange,
        _ place: SMBPlace, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        let part: SMB1.TransactionSecondary
        if block.command == .transactionSecondary {
            part = try SMB1.TransactionSecondary(parsing: &reader, block)
        } else {
            part = try SMB1.Transaction2Secondary(parsing: &reader, block).part
        }
        let index = assemblies.firstIndex {
            $0.exchange.header.mid == exchange.header.mid && $0.exchange.pid == exchange.pid
                && $0.uid == exchange.uid && $0.tid == exchange.tid
        }
        guard let index else { return .answered }
        var assembly = assemblies.remove(at: index)
        do throws(WireError) {
            try assembly.parts.add(
                part.totals, parameters: part.parameters, at: part.parameterDisplacement,
                data: part.data, at: part.dataDisplacement, from: reader)
        } catch {
            context.counters.malformed += 1
            resume(assembly.exchange, .failed(.invalidParameter), now)
            return .answered
        }
        guard assembly.parts.isComplete else {
            assemblies.append(assembly)
            return .answered
        }
        let count = assembly.parts.parameters.count
        let source = assembly.parts.parameters + assembly.parts.data
        assembly.request.totals = nil
        assembly.request.parameters = 0..<count
        assembly.request.data = count..<source.count
        let whole = SMBTransaction(request: assembly.request, source: source)
        do throws(WireError) {
            resume(assembly.exchange, try carryOut(whole, assembly.exchange, place, now), now)
        } catch {
            context.counters.malformed += 1
            resume(assembly.exchange, .failed(.invalidParameter), now)
        }
        return .answered
    }

    private func carryOut(
        _ transaction: SMBTransaction, _ exchange: SMBExchange, _ place: SMBPlace,
        _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        let request = transaction.request
        if exchange.command == .transaction2 {
            return try transact2(transaction, exchange, place)
        }
        guard place.share == .ipc else { return .failed(.accessDenied) }
        let reader = WireReader(transaction.source.span, layer: "SMB1")
        let name = request.name.uppercased()
        if name == "\\PIPE\\LANMAN" && request.setup.isEmpty {
            return administer(request, reader, exchange, place, now)
        }
        guard name == "\\PIPE" || name.hasPrefix("\\PIPE\\"), request.setup.count == 2 else {
            return .failed(.notSupported)
        }
        let call: SMB1.NamedPipeCall
        do throws(WireError) {
            call = try SMB1.NamedPipeCall(request, in: reader)
        } catch {
            context.counters.malformed += 1
            return .failed(.invalidParameter)
        }
        return carryOut(call, request, reader, exchange, place, now)
    }

    // MARK: Remote administration

    private func administer(
        _ request: SMB1.TransactionRequest, _ reader: borrowing WireReader,
        _ exchange: SMBExchange, _ place: SMBPlace, _ now: FrontTime
    ) -> SMBStep {
        guard let administration = context.administration else { return .failed(.notSupported) }
        let call = RemoteAdministrationCall(
            parameters: reader.copy(request.parameters), data: reader.copy(request.data),
            maxParameterCount: Int(request.maxParameterCount),
            maxDataCount: Int(request.maxDataCount), identity: place.identity, peer: peer)
        let reply = administration.call(call, now: now)
        if reply.isMalformed { context.counters.malformedCalls += 1 }
        if reply.status != .success { return .failed(reply.status) }
        let parameters = Array(reply.parameters.prefix(Int(request.maxParameterCount)))
        let data = Array(reply.data.prefix(Int(request.maxDataCount)))
        return appendTransaction(parameters, data, exchange)
    }

    // MARK: Named pipes

    private func carryOut(
        _ call: SMB1.NamedPipeCall, _ request: SMB1.TransactionRequest,
        _ reader: borrowing WireReader, _ exchange: SMBExchange, _ place: SMBPlace,
        _ now: FrontTime
    ) -> SMBStep {
        switch call {
        case .wait(let name, _), .call(let name, _, _):
            let path = SMB1.NamedPipeCall.prefix + name
            let (open, status) = openPipe(path, exchange, place, now)
            guard let open, case .pipe(let pipe) = open.kind else { return .failed(status) }
            // It is nobody's to close: it ends with this exchange.
            opens.removeAll { $0 === open }
            exchange.openedFID = nil
            guard case .call(_, _, let data) = call else {
                release(pipe)
                return appendTransaction([], [], exchange)
            }
            context.pipes.write(pipe.id, reader.span.extracting(data), now: now)
            exchange.maxDataCount = Int(request.maxDataCount)
            return endCall(pipe, exchange)
        case .setState(let fid, _), .rawRead(let fid), .queryState(let fid),
            .queryInfo(let fid, _), .peek(let fid), .transact(let fid, _), .rawWrite(let fid, _),
            .read(let fid), .write(let fid, _):
            guard let open = find(fid, exchange), case .pipe(let pipe) = open.kind else {
                return .failed(.smbBadFID)
            }
            return carryOut(call, pipe, request, reader, exchange, now)
        }
    }

    /// Answers CallNmPipe, or waits.
    func endCall(_ pipe: SMBPipe, _ exchange: SMBExchange) -> SMBStep {
        let status = fill(pipe)
        if status == .pending {
            exchange.wait = .call(pipe)
            return .waiting
        }
        release(pipe)
        if let status { return .failed(status) }
        let data = Array(pipe.unread.prefix(exchange.maxDataCount))
        if data.count < pipe.unread.count { exchange.status = .bufferOverflow }
        return appendTransaction([], data, exchange)
    }

    private func carryOut(
        _ call: SMB1.NamedPipeCall, _ pipe: SMBPipe, _ request: SMB1.TransactionRequest,
        _ reader: borrowing WireReader, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        var answer = WireWriter(capacity: 32)
        switch call {
        case .transact(_, let data):
            if !pipe.unread.isEmpty { return .failed(.pipeBusy) }
            give(reader.span.extracting(data), to: pipe, now)
            return read(
                SMBPipeRead(pipe: pipe, form: .transact, maxCount: Int(request.maxDataCount)),
                exchange)
        case .setState(_, let state):
            pipe.readsMessages = state.contains(.messageReads)
            pipe.isNonblocking = state.contains(.nonblocking)
            return appendTransaction([], [], exchange)
        case .queryState:
            answer.uint16LE(pipe.state.rawValue)
            return appendTransaction(answer.finish(), [], exchange)
        case .queryInfo(_, let level):
            if level != SMB1.PipeInfo.level { return .failed(.invalidLevel) }
            SMB1.PipeInfo(
                bufferSize: UInt16(SMBLimits.buffer), maximumInstances: 255,
                pipeName: SMB1.NamedPipeCall.prefix + pipe.name
            ).write(into: &answer, SMB1.Form(
                base: 0, isUnicode: exchange.form.isUnicode, isResponse: true))
            return appendTransaction([], answer.finish(), exchange)
        case .peek:
            if let status = fill(pipe), status != .pending { return .failed(status) }
            let size = UInt16(min(pipe.unread.count, 0xffff))
            SMB1.PipePeek(
                readDataAvailable: size, messageBytesLength: size, state: Self.connectedPipe
            ).write(into: &answer)
            let data = Array(pipe.unread.prefix(Int(request.maxDataCount)))
            return appendTransaction(answer.finish(), data, exchange)
        case .rawRead, .rawWrite, .read, .write, .wait, .call:
            return .failed(.notSupported)
        }
    }

    /// NamedPipeState of a pipe with both ends (MS-CIFS 2.2.5.5.2).
    private static var connectedPipe: UInt16 { 3 }

    // MARK: Responses

    /// Words and padding around parameters and data.
    private static var transactionCost: Int { 32 }

    /// Adds a transaction's response, or sends it in the parts that the client's buffer holds.
    func appendTransaction(
        _ parameters: [UInt8], _ data: [UInt8], _ exchange: SMBExchange
    ) -> SMBStep {
        let source = parameters + data
        let totals = SMB1.TransactionTotals(0..<parameters.count, 0..<data.count)
        var sent = 0
        repeat {
            let end = min(source.count, sent + max(0, room(exchange) - Self.transactionCost))
            let middle = min(max(parameters.count, sent), end)
            var part = SMB1.TransactionResponse(parameters: sent..<middle, data: middle..<end)
            part.totals = totals
            part.parameterDisplacement = UInt16(min(sent, parameters.count))
            part.dataDisplacement = UInt16(max(middle - parameters.count, 0))
            if exchange.command == .transaction2 {
                exchange.append(SMB1.Transaction2Response(part), from: source)
            } else {
                exchange.append(part, from: source)
            }
            sent = end
            if sent == source.count { break }
            respond(exchange)
            exchange.restart()
        } while true
        return .done
    }
}
