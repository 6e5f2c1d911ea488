import NTLM
import RPC
import SecureChannel
import Wire

/// The server's end of one RPC connection, over whatever carries it (C706 12, MS-RPCE 3.3.1.5).
///
///     new ─ bind ─→ bound ─ alter_context, auth3, requests ─→ …
///      └──────────── what cannot be ────────────→ broken
///
/// It takes bytes as they come and brings forth PDUs, and wishes that its server carries out.
/// PDUs are looked at one after the other. The next one waits while an answer to a challenge is
/// validated, while a call is carried out that another may not overtake, and while the peer
/// leaves too much of what it was sent unread.
final class ServerAssociation {
    /// What the server has to see to.
    enum Wish {
        /// The answer in this security context wants to be validated.
        case validate(SecurityState, SecurityAcceptor.Answered)
        /// `call` is answered by the service with that index, under its ticket.
        case later(call: UInt32, service: Int, ticket: UInt64)
    }

    enum Limit {
        /// The size of fragments that this end announces.
        static let fragment = 5_840
        /// The largest PDU that is taken: some clients' first tokens are large.
        static let received = 16_384
        /// A request in all its fragments.
        static let stub = 1 << 20
        static let contexts = 64
        static let securityContexts = 8
        /// Calls under way, and requests whose fragments are still coming.
        static let calls = 16
        /// Bytes of PDUs that wait for their turn.
        static let backlog = 64 << 10
        /// Bytes for a peer that does not read them, until no further call is looked at.
        static let unread = 256 << 10
        /// What an answer that waits takes beside its bytes: the shortest ones are of 32.
        static let overhead = 64
        /// Milliseconds from the connection to a bind, and for a PDU, a handshake or a call to
        /// become whole.
        static let patience: UInt64 = 30_000
        /// Milliseconds from one PDU to the next on a TCP connection of nobody's.
        static let idle: UInt64 = 600_000
    }

    /// A call, with what its answer needs.
    struct Call {
        var number: UInt32
        var callID: UInt32
        var contextID: UInt16
        var service: Int
        var opnum: UInt16
        var byteOrder: ByteOrder
        var security: SecurityState?
        var assembler = StubAssembler(limit: Limit.stub)
        /// The stub of a call whose fragments are all there is carried out.
        var isUnderWay = false
        /// The client does not want the answer any more.
        var isOrphaned = false
    }

    let id: UInt32
    let environment: RPCEnvironment
    let peer: IPv4Address
    let carriage: RemoteCaller.Carriage
    /// The port or pipe, as a bind's answer names it.
    let secondaryAddress: [UInt8]
    /// Whom the carriage authenticated.
    let identity: FrontIdentity
    private(set) var isBroken = false
    var group: AssociationGroup?
    var contexts: [UInt16: (service: Int, syntax: SyntaxID)] = [:]
    var securities: [UInt32: SecurityState] = [:]
    /// Whoever makes calls in PDUs without a security trailer, where the bind had none.
    var plainCaller: RemoteCaller?
    /// The security context of the bind, if it had one.
    var boundSecurity: SecurityState?
    var isMultiplexed = false
    var signsHeaders = false
    /// The contexts' results, for an answer that waits for a validation.
    var heldResults: [PresentationResult] = []
    var peerFragment = Fragmenter.minimumFragment
    private var calls: [Call] = []
    private var nextCall: UInt32 = 0
    private var buffer: [UInt8] = []
    private var backlog: [[UInt8]] = []
    private var backlogBytes = 0
    private var outgoing: [[UInt8]] = []
    private var unread = 0
    private var wishes: [Wish] = []
    /// When what is unfinished has taken too long; nil where nothing is.
    private var patienceEnds: UInt64?
    /// When nobody's connection has been idle for too long; nil where it is somebody's.
    private var idleEnds: UInt64?

    init(
        id: UInt32, _ environment: RPCEnvironment, peer: IPv4Address,
        carriage: RemoteCaller.Carriage, secondaryAddress: [UInt8], identity: FrontIdentity,
        now: FrontTime
    ) {
        self.id = id
        self.environment = environment
        self.peer = peer
        self.carriage = carriage
        self.secondaryAddress = secondaryAddress
        self.identity = identity
        patienceEnds = now.now + Limit.patience
    }

    // MARK: What the server takes

    func takeWishes() -> [Wish] {
        var taken: [Wish] = []
        swap(&taken, &wishes)
        return taken
    }

    /// The next PDU for the peer.
    func takePDU() -> [UInt8]? {
        guard !outgoing.isEmpty else { return nil }
        let pdu = outgoing.removeFirst()
        unread -= pdu.count + Limit.overhead
        return pdu
    }

    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// The bytes that it has the server keep: of PDUs, calls and handshakes that are not whole or
    /// wait, and of answers that nobody has taken.
    var heldBytes: Int {
        var count = buffer.count + backlogBytes + unread
        for call in calls { count += call.assembler.stub.count }
        for state in securities.values { count += state.heldBytes }
        return count
    }

    /// With how many it counts against the limit of all associations; the server keeps the
    /// account.
    var countedBytes = 0

    // MARK: Inputs

    func received(_ bytes: Span<UInt8>, now: FrontTime) {
        if isBroken { return }
        for index in 0..<bytes.count { buffer.append(bytes[index]) }
        var start = 0
        do throws(WireError) {
            while start < buffer.count,
                let length = try FragmentCutter.length(
                    buffer.span, from: start, limit: Limit.received)
            {
                backlog.append(Array(buffer[start..<(start + length)]))
                backlogBytes += length
                start += length
            }
        } catch {
            return giveUp()
        }
        buffer.removeFirst(start)
        work(now, began: start > 0)
        if backlogBytes > Limit.backlog { giveUp() }
    }

    // MARK: Time

    /// When the server is to look whether something has taken too long.
    var deadline: UInt64? {
        guard let patienceEnds else { return idleEnds }
        return min(patienceEnds, idleEnds ?? .max)
    }

    /// What is not whole has its time, and nobody's connection too; `began`: something became
    /// whole.
    private func judgeProgress(_ now: FrontTime, began: Bool) {
        if isBroken || group == nil { return }
        let isWhole = buffer.isEmpty && !calls.contains { !$0.isUnderWay }
            && !securities.values.contains { $0.isHandshake }
        if isWhole {
            patienceEnds = nil
        } else if patienceEnds == nil || began {
            patienceEnds = now.now + Limit.patience
        }
        if isSomebodys {
            idleEnds = nil
        } else if idleEnds == nil || began {
            idleEnds = now.now + Limit.idle
        }
    }

    /// Somebody authenticated, or whatever carries the pipe sees to its end.
    private var isSomebodys: Bool {
        switch carriage {
        case .pipe: true
        case .tcp: securities.values.contains { $0.isAuthenticated }
        }
    }

    /// The time for what is unfinished, or for nobody, is over. While we are at work ourselves it
    /// is not.
    func expire(now: FrontTime) {
        guard let deadline, deadline <= now.now else { return }
        if !calls.contains(where: { $0.isUnderWay }) && !isValidating { return giveUp() }
        if patienceEnds != nil { patienceEnds = now.now + Limit.patience }
        if idleEnds != nil { idleEnds = now.now + Limit.idle }
    }

    /// The connection is gone, with all that its calls had open.
    func end() {
        isBroken = true
        for state in securities.values { end(state.caller) }
        if let plainCaller { end(plainCaller) }
        securities = [:]
        plainCaller = nil
        boundSecurity = nil
        if let group { environment.leave(group) }
        group = nil
    }

    private func end(_ caller: RemoteCaller) {
        for service in environment.services { service.ended(caller) }
    }

    /// The peer did what cannot be: nothing more of it is looked at.
    func giveUp() {
        isBroken = true
        backlog = []
        backlogBytes = 0
        buffer = []
        calls.removeAll { !$0.isUnderWay }
        for state in securities.values { state.giveUp() }
        patienceEnds = nil
        idleEnds = nil
    }

    /// Too much is kept for the peer: all of it goes, and so do the answers that it has not read.
    func letGo() {
        giveUp()
        outgoing = []
        unread = 0
    }

    func wish(_ wish: Wish) { wishes.append(wish) }

    func emit(_ pdu: [UInt8]) {
        unread += pdu.count + Limit.overhead
        outgoing.append(pdu)
    }

    // MARK: One PDU after the other

    private var isValidating: Bool { securities.values.contains { $0.isValidating } }

    /// Whether the next PDU must wait.
    private var isWaiting: Bool {
        if isValidating || unread > Limit.unread { return true }
        let underWay = calls.filter { $0.isUnderWay }
        if underWay.isEmpty { return false }
        if !isMultiplexed || underWay.count >= Limit.calls { return true }
        // One count for both directions, or one cipher: the answer's turn is before the next call.
        return securities.values.contains {
            if case .ready(let protection) = $0.stage {
                return protection.hasTokens && !protection.countsApart
            }
            return false
        }
    }

    /// Goes on where the peer has read enough, or a validation has ended.
    func resume(_ now: FrontTime) { work(now) }

    private func work(_ now: FrontTime, began: Bool = false) {
        var began = began
        while !isBroken, !backlog.isEmpty, !isWaiting {
            let pdu = backlog.removeFirst()
            backlogBytes -= pdu.count
            began = true
            do throws(WireError) {
                try take(pdu, now)
            } catch {
                giveUp()
            }
        }
        judgeProgress(now, began: began)
    }

    private func take(_ bytes: [UInt8], _ now: FrontTime) throws(WireError) {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        switch fragment.header.type {
        case .bind: try bind(fragment, bytes, now)
        case .alterContext: try alter(fragment, bytes, now)
        case .auth3: try authenticate(fragment, bytes, now)
        case .request: try request(fragment, bytes, now)
        case .orphaned:
            let callID = fragment.header.callID
            calls.removeAll { $0.callID == callID && !$0.isUnderWay }
            for index in calls.indices where calls[index].callID == callID {
                calls[index].isOrphaned = true
            }
        // A call that is under way is carried out all the same, as C706 lets it be.
        case .coCancel: break
        // Clients have nothing else to say (C706 12.6.4).
        case _: protocolError(fragment.header)
        }
    }

    /// Says what the peer did wrong, and no more.
    func protocolError(_ header: PDUHeader, contextID: UInt16 = 0) {
        fault(.protocolError, callID: header.callID, contextID: contextID, executed: false)
        giveUp()
    }

    // MARK: Requests

    private func request(
        _ fragment: Fragment, _ bytes: [UInt8], _ now: FrontTime
    ) throws(WireError) {
        let header = fragment.header
        var body = fragment.bodyReader(bytes.span)
        let request = try RequestPDU(parsing: &body, flags: header.flags)
        let stub = body.takeRest()
        guard group != nil else { return protocolError(header, contextID: request.contextID) }
        var pdu = bytes
        let security: SecurityState?
        switch opened(&pdu, fragment, stub) {
        case .plain: security = nil
        case .under(let state): security = state
        case .refused(let status):
            calls.removeAll { $0.callID == header.callID && !$0.isUnderWay }
            fault(
                status, callID: header.callID, contextID: request.contextID, executed: false)
            return
        }
        guard let index = callIndex(fragment, request, security) else { return }
        let isLast: Bool
        do {
            isLast = try calls[index].assembler.append(
                fragment, stub: stub, of: pdu.span, allocHint: request.allocHint)
        } catch {
            calls.remove(at: index)
            fault(
                .remoteNoMemory, callID: header.callID, contextID: request.contextID,
                executed: false)
            return giveUp()
        }
        if isLast { carryOut(index, now) }
    }

    private enum Opened {
        case plain
        case under(SecurityState)
        case refused(FaultStatus)
    }

    /// Verifies a request's PDU and opens its stub, in place.
    private func opened(
        _ pdu: inout [UInt8], _ fragment: Fragment, _ stub: Range<Int>
    ) -> Opened {
        guard let auth = fragment.auth else {
            guard let boundSecurity else { return .plain }
            // At the connect level it is enough to have been authenticated.
            if case .ready(let protection) = boundSecurity.stage, !protection.hasTokens {
                return .under(boundSecurity)
            }
            return .refused(.accessDenied)
        }
        guard let state = securities[auth.context.id], state.context == auth.context,
            case .ready(var protection) = state.stage
        else { return .refused(.accessDenied) }
        guard protection.hasTokens else { return .under(state) }
        let body = stub.lowerBound..<auth.trailer.lowerBound
        // The old value is let go of, so that the ciphers are not copied with each PDU.
        state.stage = .refused
        let isRight = protection.open(
            &pdu, body: body, signed: fragment.signed, token: auth.token)
        state.stage = .ready(protection)
        return isRight ? .under(state) : .refused(.secPkgError)
    }

    /// The call that a fragment belongs to, or nil where it was answered with a fault.
    private func callIndex(
        _ fragment: Fragment, _ request: RequestPDU, _ security: SecurityState?
    ) -> Int? {
        let callID = fragment.header.callID
        let known = calls.firstIndex { $0.callID == callID && !$0.isUnderWay }
        if !fragment.isFirst {
            guard let known, calls[known].contextID == request.contextID,
                calls[known].security === security
            else {
                protocolError(fragment.header, contextID: request.contextID)
                return nil
            }
            return known
        }
        let isUnfinished = calls.contains { !$0.isUnderWay }
        if known != nil || (isUnfinished && !isMultiplexed) || calls.count >= 2 * Limit.calls {
            protocolError(fragment.header, contextID: request.contextID)
            return nil
        }
        guard let context = contexts[request.contextID] else {
            fault(
                .unknownInterface, callID: callID, contextID: request.contextID,
                executed: false)
            return nil
        }
        nextCall &+= 1
        calls.append(
            Call(
                number: nextCall, callID: callID, contextID: request.contextID,
                service: context.service, opnum: request.opnum, byteOrder: fragment.byteOrder,
                security: security))
        return calls.count - 1
    }

    private func carryOut(_ index: Int, _ now: FrontTime) {
        calls[index].isUnderWay = true
        let call = calls[index]
        guard let caller = call.security?.caller ?? plainCaller else { return giveUp() }
        if !isVerified(call) { return finish(call.number, .fault(.accessDenied)) }
        let service = environment.services[call.service]
        if caller.authLevel == .connect, !service.takesUnprotected {
            return finish(call.number, .fault(.accessDenied))
        }
        let bytes = call.assembler.stub
        var stub = WireReader(bytes.span, layer: "stub")
        stub.byteOrder = call.byteOrder
        let reply = service.call(call.opnum, stub, from: caller, now: now)
        calls[index].assembler = StubAssembler(limit: 0)
        switch reply {
        case .later(let ticket):
            wish(.later(call: call.number, service: call.service, ticket: ticket))
        case .response, .fault: finish(call.number, reply)
        }
    }

    /// Whether what the client says under its protection of the fields that lie outside of it, if
    /// it says anything, is what came: header signing that was taken out of the bind, another
    /// method, another interface (MS-RPCE 2.2.2.13).
    private func isVerified(_ call: Call) -> Bool {
        guard let state = call.security, case .ready(let protection) = state.stage,
            protection.hasTokens
        else { return true }
        let bytes = call.assembler.stub
        do throws(WireError) {
            let stub = WireReader(bytes.span, layer: "stub")
            guard let trailer = try VerificationTrailer.atEnd(of: stub) else { return true }
            if let bits = trailer.bitmask, bits & VerificationTrailer.signsHeaders != 0,
                !signsHeaders
            {
                return false
            }
            if let context = trailer.context,
                context.transferSyntax != .ndr
                    || context.interface != contexts[call.contextID]?.syntax
            {
                return false
            }
            guard let header = trailer.header else { return true }
            return header.type == .request && header.callID == call.callID
                && header.contextID == call.contextID && header.opnum == call.opnum
        } catch {
            return false
        }
    }

    /// The answer of a call that was carried out later.
    func answered(_ number: UInt32, _ reply: ServiceReply, now: FrontTime) {
        finish(number, reply)
        work(now)
    }

    private func finish(_ number: UInt32, _ reply: ServiceReply) {
        guard !isBroken, let index = calls.firstIndex(where: { $0.number == number }) else {
            return
        }
        let call = calls.remove(at: index)
        if case .fault(.badStubData) = reply { environment.badStubs += 1 }
        if call.isOrphaned { return }
        switch reply {
        case .response(let stub): respond(call, stub)
        case .fault(let status):
            fault(status, callID: call.callID, contextID: call.contextID, executed: true)
        case .later: preconditionFailure("an answer that is put off once more")
        }
    }

    // MARK: Answers

    private func respond(_ call: Call, _ stub: [UInt8]) {
        guard let state = call.security, case .ready(var protection) = state.stage,
            protection.hasTokens
        else {
            var fragmenter = Fragmenter(
                .response(contextID: call.contextID), callID: call.callID,
                maximumFragment: peerFragment)
            while true {
                var writer = WireWriter(capacity: 64 + min(stub.count, Limit.fragment))
                guard fragmenter.next(stub.span, into: &writer) != nil else { return }
                emit(writer.finish())
            }
        }
        state.stage = .refused
        var fragmenter = Fragmenter(
            .response(contextID: call.contextID), callID: call.callID,
            maximumFragment: peerFragment, security: state.context,
            tokenLength: protection.tokenLength)
        while true {
            var writer = WireWriter(capacity: 128 + min(stub.count, Limit.fragment))
            guard let layout = fragmenter.next(stub.span, into: &writer) else { break }
            var pdu = writer.finish()
            protection.protect(&pdu, layout, random: environment.random)
            emit(pdu)
        }
        state.stage = .ready(protection)
    }

    /// `executed`: the call may have had an effect.
    func fault(_ status: FaultStatus, callID: UInt32, contextID: UInt16, executed: Bool) {
        var flags = PDUFlags.single
        if !executed { flags.insert(.didNotExecute) }
        var writer = WireWriter(capacity: 32)
        FaultPDU(contextID: contextID, status: status)
            .write(into: &writer, header: PDUHeader(.fault, flags, callID: callID))
        emit(writer.finish())
    }
}
