import SMB
import Wire

/// A named pipe that a client has open: what it has been sent and has not read, and how it reads.
final class SMBPipe {
    let id: PipeID
    let name: String
    /// The rest of the message that is being read.
    var unread: [UInt8] = []
    /// Whether a read ends with its message, and says when that goes on.
    var readsMessages = false
    var isNonblocking = false
    /// What has come of a message that is written in several requests, and how long it will be:
    /// 16 bits say that.
    var written: [UInt8] = []
    var writtenLength = 0

    init(_ id: PipeID, _ name: String) {
        self.id = id
        self.name = name
    }

    var state: SMB1.PipeState {
        var state = SMB1.PipeState.rpc.subtracting(.messageReads)
        if readsMessages { state.insert(.messageReads) }
        if isNonblocking { state.insert(.nonblocking) }
        return state
    }
}

/// A read from a pipe.
struct SMBPipeRead {
    enum Form {
        case core, andX
        /// The second half of TransactNmPipe.
        case transact
    }

    let pipe: SMBPipe
    let form: Form
    let maxCount: Int
}

extension SMBExchange {
    func waitsFor(_ pipe: SMBPipe) -> Bool {
        switch wait {
        case .pipe(let read): read.pipe === pipe
        case .call(let called): called === pipe
        case .logon, nil: false
        }
    }
}

extension SMBConnection {
    // MARK: Opening

    /// The pipe's name below `\PIPE\`, which is left out with NT_CREATE_ANDX.
    static func pipeName(_ path: String) -> String {
        var name = path.lowercased()
        for prefix in ["\\", "pipe\\"] where name.hasPrefix(prefix) {
            name = String(name.dropFirst(prefix.utf8.count))
        }
        return name
    }

    func openPipe(
        _ path: String, _ exchange: SMBExchange, _ place: SMBPlace, _ now: FrontTime
    ) -> (SMBOpen?, NTStatus) {
        if opens.count >= SMBLimits.opens { return (nil, .tooManyOpenedFiles) }
        let name = Self.pipeName(path)
        switch context.pipes.open(name, as: place.identity, from: peer, now: now) {
        case .refused(let status): return (nil, status)
        case .opened(let id):
            context.pipeOwners[id] = self.id
            return (add(.pipe(SMBPipe(id, name)), exchange), .success)
        }
    }

    func add(_ kind: SMBOpen.Kind, _ exchange: SMBExchange) -> SMBOpen {
        let fid = number { used in opens.contains { $0.fid == used } }
        let open = SMBOpen(
            fid: fid, uid: exchange.uid, tid: exchange.tid, pid: exchange.pid, kind)
        opens.append(open)
        exchange.openedFID = fid
        return open
    }

    // MARK: Reading

    func read(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        let fid: UInt16
        var count: Int
        var offset: UInt64
        let form: SMBPipeRead.Form
        if block.command == .read {
            let request = try SMB1.CoreReadRequest(parsing: &reader, block)
            (fid, count, offset) = (request.fid, Int(request.count), UInt64(request.offset))
            form = .core
        } else {
            let request = try SMB1.ReadRequest(parsing: &reader, block)
            (fid, count, offset) = (request.fid, Int(request.maxCount), UInt64(request.offset))
            if let high = request.offsetHigh { offset |= UInt64(high) << 32 }
            form = .andX
        }
        count = min(count, room(exchange) - Self.readCost(form))
        if count < 0 { return .failed(.insuffServerResources) }
        guard let open = find(fid, exchange) else { return .failed(.smbBadFID) }
        switch open.kind {
        case .pipe(let pipe):
            return read(SMBPipeRead(pipe: pipe, form: form, maxCount: count), exchange)
        case .file(let path, let entry):
            if entry.isDirectory { return .failed(.fileIsADirectory) }
            guard let data = context.files?.read(path, from: offset, count: count) else {
                return .failed(.accessDenied)
            }
            appendRead(data, left: 0xffff, form, exchange)
            return .done
        }
    }

    /// Words, counts and padding around the bytes that are read. Those of SMB_COM_READ to the
    /// byte: its clients ask for all that their buffer holds, and take fewer for the end of the
    /// file (MS-CIFS 2.2.4.11.2).
    private static func readCost(_ form: SMBPipeRead.Form) -> Int { form == .core ? 16 : 32 }

    private func appendRead(
        _ data: [UInt8], left: Int, _ form: SMBPipeRead.Form, _ exchange: SMBExchange
    ) {
        if form == .core {
            exchange.append(SMB1.CoreReadResponse(data: 0..<data.count), from: data)
        } else {
            let available = UInt16(min(left, 0xffff))
            exchange.append(
                SMB1.ReadResponse(available: available, data: 0..<data.count), from: data)
        }
    }

    /// Reads what there is, or waits.
    func read(_ read: SMBPipeRead, _ exchange: SMBExchange) -> SMBStep {
        if pending.contains(where: { $0.waitsFor(read.pipe) }) {
            exchange.wait = .pipe(read)
            return .waiting
        }
        return readNow(read, exchange)
    }

    private func readNow(_ read: SMBPipeRead, _ exchange: SMBExchange) -> SMBStep {
        if let status = fill(read.pipe) {
            if status != .pending { return .failed(status) }
            if read.pipe.isNonblocking { return .failed(.pipeEmpty) }
            exchange.wait = .pipe(read)
            return .waiting
        }
        let pipe = read.pipe
        let count = min(read.maxCount, pipe.unread.count)
        let data = Array(pipe.unread[..<count])
        pipe.unread.removeFirst(count)
        let goesOn = !pipe.unread.isEmpty && (pipe.readsMessages || read.form == .transact)
        exchange.status = goesOn ? .bufferOverflow : .success
        if read.form == .transact { return appendTransaction([], data, exchange) }
        appendRead(data, left: pipe.unread.count, read.form, exchange)
        return .done
    }

    /// Gets the pipe's next message if none is being read; nil where one is there now.
    func fill(_ pipe: SMBPipe) -> NTStatus? {
        if !pipe.unread.isEmpty { return nil }
        switch context.pipes.read(pipe.id) {
        case .message(let message):
            pipe.unread = message
            return nil
        case .nothing: return .pending
        case .broken: return .pipeDisconnected
        }
    }

    /// The pipe has something for those who wait for it.
    func pipeReady(_ id: PipeID, _ now: FrontTime) {
        while let index = pending.firstIndex(where: { $0.waitsFor(id) }) {
            let exchange = pending[index]
            guard let wait = exchange.wait else { return }
            let pipe: SMBPipe
            switch wait {
            case .pipe(let read): pipe = read.pipe
            case .call(let called): pipe = called
            case .logon: return
            }
            if fill(pipe) == .pending { return }
            pending.remove(at: index)
            exchange.wait = nil
            switch wait {
            case .pipe(let read): resume(exchange, readNow(read, exchange), now)
            case .call: resume(exchange, endCall(pipe, exchange), now)
            case .logon: break
            }
        }
    }

    // MARK: Writing

    func write(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        if block.command == .write {
            let request = try SMB1.CoreWriteRequest(parsing: &reader, block)
            guard let open = find(request.fid, exchange) else { return .failed(.smbBadFID) }
            guard case .pipe(let pipe) = open.kind else { return .failed(.accessDenied) }
            give(reader.span.extracting(request.data), to: pipe, now)
            exchange.append(SMB1.CoreWriteResponse(count: UInt16(request.data.count)))
            return .done
        }
        let request = try SMB1.WriteRequest(parsing: &reader, block)
        guard let open = find(request.fid, exchange) else { return .failed(.smbBadFID) }
        guard case .pipe(let pipe) = open.kind else { return .failed(.accessDenied) }
        let status = write(request, to: pipe, reader, now)
        if status != .success { return .failed(status) }
        exchange.append(SMB1.WriteResponse(count: UInt32(request.data.count)))
        return .done
    }

    /// A message that one request does not hold comes in parts, its length before the first.
    private func write(
        _ request: SMB1.WriteRequest, to pipe: SMBPipe, _ reader: borrowing WireReader,
        _ now: FrontTime
    ) -> NTStatus {
        guard request.writeMode.contains(.rawPipe) else {
            give(reader.span.extracting(request.data), to: pipe, now)
            return .success
        }
        var part = request.data
        if request.writeMode.contains(.messageStart) {
            var words = reader.part(part)
            guard let length = try? words.uint16LE("MessageLength") else {
                return .invalidParameter
            }
            part = words.takeRest()
            pipe.written = []
            pipe.writtenLength = Int(length)
        } else if pipe.written.isEmpty {
            return .invalidPipeState
        }
        if part.count > pipe.writtenLength - pipe.written.count || part.isEmpty {
            pipe.written = []
            return .invalidParameter
        }
        pipe.written += reader.copy(part)
        if pipe.written.count == pipe.writtenLength {
            let message = pipe.written
            pipe.written = []
            give(message.span, to: pipe, now)
        }
        return .success
    }

    /// Writes a whole message. Its answer may be there at once, and is that of whoever has waited
    /// longest for something to read (MS-CIFS 3.3.5.57.9): the pipe server tells only of answers
    /// that come later.
    func give(_ message: Span<UInt8>, to pipe: SMBPipe, _ now: FrontTime) {
        context.pipes.write(pipe.id, message, now: now)
        pipeReady(pipe.id, now)
    }
}

extension SMBExchange {
    func waitsFor(_ id: PipeID) -> Bool {
        switch wait {
        case .pipe(let read): read.pipe.id == id
        case .call(let called): called.id == id
        case .logon, nil: false
        }
    }
}

extension NTStatus {
    static var pipeEmpty: NTStatus { NTStatus(0xc000_00d9) }
}
