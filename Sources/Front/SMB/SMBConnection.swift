import NetBIOS
import NTLM
import SMB
import Wire

/// One client's connection: its frames, its dialect, and the numbers that it was given for
/// sessions, trees, pipes and files. An idle one holds no buffer.
final class SMBConnection {
    enum Phase: Equatable {
        /// Port 139: the session service's request comes first.
        case sessionRequest
        case negotiation
        case ready(SMBDialect)
        case closed
    }

    let id: SMBConnectionID
    let peer: IPv4Address
    let framing: SessionFraming
    let context: SMBContext
    var phase: Phase
    /// The client's computer name, where the session service told it.
    var clientName = ""
    /// Of the negotiation, where passwords are answered to it.
    var challenge = Bytes8()
    /// MaxBufferSize of the client.
    var clientBuffer = SMBLimits.smallestBuffer

    var sessions: [SMBSession] = []
    var trees: [SMBTree] = []
    var opens: [SMBOpen] = []
    /// Requests whose answer is still to come, oldest first.
    var pending: [SMBExchange] = []
    var assemblies: [SMBAssembly] = []
    var searches: [SMBSearch] = []
    var lastNumber: UInt16 = 0

    var signing: SMB1.Signing?
    var nextSequence: UInt32 = 0
    /// Whether the last request may have taken one number of the sequence instead of two: it was
    /// one without an answer of its own, and clients differ.
    var mayLag = false

    /// What has come of a frame.
    private var partial: [UInt8] = []
    private var partialExpires: UInt64?
    /// When the connection ends unless somebody logs on; nil once one has.
    private var idleExpires: UInt64?
    /// Whether it counts against its address, and with how many bytes against the limit of all
    /// that is kept; `SMBServer` keeps both accounts.
    var countsForPeer = true
    var countedBytes = 0

    init(
        _ id: SMBConnectionID, _ peer: IPv4Address, _ framing: SessionFraming,
        _ context: SMBContext, _ now: FrontTime
    ) {
        self.id = id
        self.peer = peer
        self.framing = framing
        self.context = context
        phase = framing == .netBIOS ? .sessionRequest : .negotiation
        idleExpires = now.now + SMBLimits.logonTime
        context.check(at: now.now + SMBLimits.logonTime)
    }

    var isClosed: Bool { phase == .closed }

    var listener: FrontLogon.Listener { framing == .netBIOS ? .session : .direct }

    /// Somebody who has a password has logged on.
    var isAuthenticated: Bool { idleExpires == nil }

    /// The connection is to be ended by us; its owner does the rest.
    func close() { phase = .closed }

    /// Gives back all that others hold for it. No call is made after it.
    func end() {
        phase = .closed
        for open in opens { release(open) }
        opens = []
        for exchange in pending {
            if case .logon(let token, _) = exchange.wait { context.logons.forget(token) }
            if case .call(let pipe) = exchange.wait { release(pipe) }
        }
        pending = []
        keep([])
    }

    // MARK: Frames

    func receive(_ bytes: Span<UInt8>, _ now: FrontTime) {
        if partial.isEmpty {
            let used = take(bytes, now)
            if isClosed || used == bytes.count { return }
            keep(WireReader(bytes, layer: "SMB1").copy(used..<bytes.count))
        } else {
            var whole = partial
            for index in 0..<bytes.count { whole.append(bytes[index]) }
            let used = take(whole.span, now)
            if isClosed { return }
            if used > 0 { partialExpires = nil }
            whole.removeFirst(used)
            keep(whole)
        }
        guard !partial.isEmpty, partialExpires == nil else { return }
        partialExpires = now.now + SMBLimits.partialTime
        context.check(at: now.now + SMBLimits.partialTime)
    }

    private func keep(_ rest: [UInt8]) {
        partial = rest
        if rest.isEmpty { partialExpires = nil }
    }

    /// The bytes that it has the server keep.
    var heldBytes: Int {
        var count = partial.count
        for exchange in pending { count += exchange.heldBytes }
        for assembly in assemblies {
            count += assembly.exchange.heldBytes + assembly.parts.parameters.count
                + assembly.parts.data.count
        }
        for session in sessions {
            if case .handshaking(let acceptor) = session.state { count += acceptor.heldBytes }
        }
        for open in opens {
            if case .pipe(let pipe) = open.kind { count += pipe.unread.count + pipe.written.count }
        }
        return count
    }

    /// Takes the whole frames that `bytes` begin with, and says how many bytes they have.
    private func take(_ bytes: Span<UInt8>, _ now: FrontTime) -> Int {
        var used = 0
        while !isClosed && bytes.count - used >= SessionHeader.byteCount {
            var reader = WireReader(bytes, layer: "NBSS")
            do throws(WireError) {
                try reader.seek(used, "frame")
                let header = try SessionHeader(parsing: &reader, framing)
                if header.length > SMBLimits.message {
                    context.counters.malformed += 1
                    close()
                    return used
                }
                guard reader.remaining >= header.length else { return used }
                used = reader.offset + header.length
                try take(header.type, reader.part(reader.offset..<used), now)
            } catch {
                context.counters.malformed += 1
                close()
            }
        }
        return used
    }

    private func take(
        _ type: SessionPacketType, _ body: consuming WireReader, _ now: FrontTime
    ) throws(WireError) {
        if type == .keepAlive { return }
        switch phase {
        case .sessionRequest:
            guard type == .request else { throw body.invalid("TYPE", Int(type.rawValue)) }
            let called = try ScopedName(parsing: &body)
            let calling = try ScopedName(parsing: &body)
            answer(called.name.upcased, calling.name)
        case .negotiation, .ready:
            guard type == .message else { throw body.invalid("TYPE", Int(type.rawValue)) }
            take(message: body.copy(body.takeRest()), now)
        case .closed:
            break
        }
    }

    // MARK: Session service

    /// RFC 1002 4.3.2: the client calls us by a name. `*SMBSERVER` is anybody's.
    private func answer(_ called: NetBIOSName, _ calling: NetBIOSName) {
        var response = SessionPacket.positiveResponse
        let names = [context.settings.computerName, "*SMBSERVER"]
        let isOurs = names.contains { name in
            NetBIOSName(name, .server).map { $0.hasText(of: called) } ?? false
        }
        if !isOurs {
            response = .negativeResponse(.calledNameNotPresent)
        } else if called.suffix != .server && called.suffix != .workstation {
            response = .negativeResponse(.notListeningOnCalledName)
        }
        var writer = WireWriter(capacity: 8)
        response.write(userData: [UInt8]().span, into: &writer, framing)
        context.emit(.send(id, writer.finish()))
        if response == .positiveResponse {
            clientName = calling.text
            phase = .negotiation
        } else {
            close()
        }
    }

    /// Sends one SMB message behind its session header.
    func send(_ message: Span<UInt8>) {
        var writer = WireWriter(capacity: SessionHeader.byteCount + message.count)
        SessionPacket.message(0..<message.count)
            .write(userData: message, into: &writer, framing)
        context.emit(.send(id, writer.finish()))
    }

    // MARK: Messages

    private func take(message: [UInt8], _ now: FrontTime) {
        let exchange: SMBExchange
        do throws(WireError) {
            exchange = try SMBExchange(message)
        } catch {
            // Not SMB1, or SMB2 unasked: there is nothing to answer.
            context.counters.malformed += 1
            close()
            return
        }
        // Nobody minds the flag of a reply: nmap sends its second logon under the first's answer.
        if !accepts(exchange) {
            close()
            return
        }
        run(exchange, now)
    }

    /// Whether the message carries the signature that belongs to its place (MS-CIFS 3.3.5.2).
    private func accepts(_ exchange: SMBExchange) -> Bool {
        guard let signing else { return true }
        var sequence = nextSequence
        if !signing.verifies(exchange.message, sequence: sequence) {
            sequence &-= 1
            guard mayLag, signing.verifies(exchange.message, sequence: sequence) else {
                context.counters.badSignatures += 1
                return false
            }
        }
        let command = exchange.header.command
        exchange.answerSequence = sequence &+ 1
        nextSequence = sequence &+ (command == .ntCancel ? 1 : 2)
        mayLag = command == .transactionSecondary || command == .transaction2Secondary
        return true
    }

    // MARK: Time

    /// Somebody has logged on: the connection may stay. With a null session it may for a while.
    func authenticated(_ identity: FrontIdentity, _ now: FrontTime) {
        switch identity.kind {
        case .local, .remote, .guest: idleExpires = nil
        case .anonymous: touch(now)
        }
    }

    /// A null session is used.
    func touch(_ now: FrontTime) {
        guard idleExpires != nil, sessions.contains(where: { $0.identity != nil }) else { return }
        idleExpires = now.now + SMBLimits.nullSessionTime
        context.check(at: now.now + SMBLimits.nullSessionTime)
    }

    /// Ends what is over its time, and has the rest looked at again.
    func expire(_ now: FrontTime) {
        for deadline in [partialExpires, idleExpires] {
            guard let deadline else { continue }
            if deadline <= now.now {
                context.counters.expired += 1
                close()
                return
            }
            context.check(at: deadline)
        }
        assemblies.removeAll { $0.expires <= now.now }
        for assembly in assemblies { context.check(at: assembly.expires) }
    }

    // MARK: Numbers

    /// A number that none of `used` has; not 0 nor those that mean "none" and "all".
    func number(_ isUsed: (UInt16) -> Bool) -> UInt16 {
        repeat {
            lastNumber = lastNumber >= 0xfffd ? 1 : lastNumber + 1
        } while isUsed(lastNumber)
        return lastNumber
    }
}

/// A session of a user, or of nobody, under its UID.
struct SMBSession {
    enum State {
        /// NTLMSSP has been begun.
        case handshaking(SecurityAcceptor)
        /// Somebody is asked.
        case validating
        case valid(FrontIdentity)
    }

    var uid: UInt16
    var state: State

    var identity: FrontIdentity? {
        if case .valid(let identity) = state { return identity }
        return nil
    }
}

/// A share that the client has taken, under its TID.
struct SMBTree {
    enum Share: Equatable {
        case ipc, netlogon
    }

    var tid: UInt16
    var share: Share
    /// The session that took it, with which it ends.
    var uid: UInt16
}

/// A pipe or a file under its FID.
final class SMBOpen {
    enum Kind {
        case pipe(SMBPipe)
        case file(path: [String], SharedEntry)
    }

    let fid: UInt16
    let uid: UInt16
    let tid: UInt16
    let pid: UInt32
    let kind: Kind

    init(fid: UInt16, uid: UInt16, tid: UInt16, pid: UInt32, _ kind: Kind) {
        self.fid = fid
        self.uid = uid
        self.tid = tid
        self.pid = pid
        self.kind = kind
    }
}
