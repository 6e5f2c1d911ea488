import Crypto
import Interfaces
import NetBIOS
import RPC
import SMB
import Wire

/// One RPC connection to a controller, over whatever carries it: bind, secure, calls and replies.
///
/// It is told what came, and brings forth bytes to send and events, both taken by the channel.
final class Association {
    enum Event {
        /// Bound, or secured after `secure`: calls may be made.
        case ready
        case reply(tag: UInt32, stub: [UInt8])
        /// The peer refused to carry the call out: it may be made again.
        case notExecuted(tag: UInt32)
        /// It did so because it does not know the key any more. Other calls may yet be answered.
        case keyForgotten
        case failed(ConnectionLoss)
    }

    /// What a setup reply belongs to.
    enum Step {
        case none
        case map
        case challenge(Bytes8)
        case authenticate(SessionKey, credential: Bytes8, serverCredential: Bytes8)
    }

    /// The key and names of a bind with the Netlogon provider.
    struct Security {
        var key: SessionKey
        var domain: String
        var computer: String
    }

    private enum State {
        case opening
        case binding(secured: Bool)
        case ready
        case closed
    }

    private struct Call {
        var tag: UInt32
        var callID: UInt32
        /// The number that the seal of the response's next fragment has.
        var sequence: UInt64
        var stub: [UInt8] = []
        /// Nobody waits for the reply any more; it is read all the same, in its turn.
        var isAbandoned = false
    }

    private enum Limit {
        /// Bytes of a response in all its fragments: a user in 100,000 groups fits.
        static let stub = 2 * 1_024 * 1_024
        /// Fragment size that this end announces and takes.
        static let fragment = 5_840
    }

    /// What is called over the connection.
    enum Service {
        case mapper
        case netlogon
        /// The Local Security Authority; its port matters where it is reached over TCP.
        case authority(port: UInt16)

        var interface: SyntaxID {
            switch self {
            case .mapper: EndpointMapper.interface
            case .netlogon: Netlogon.interface
            case .authority: LSA.interface
            }
        }

        /// Below `\PIPE\`.
        var pipe: String {
            switch self {
            case .mapper: EndpointMapper.pipe
            case .netlogon: "netlogon"
            case .authority: LSA.pipe
            }
        }
    }

    let endpoint: Endpoint
    var step: Step
    private let service: Service
    /// Calls with the credential chain go one after the other, whatever the connection could take:
    /// each one's authenticator follows from the answer before.
    private let isChained: Bool
    private let carriage: Carriage
    private var security: Security?
    private var state = State.opening
    private var seal: NetlogonSeal?
    private var isMultiplexed = false
    private var peerFragment = 4_280
    private var calls: [Call] = []
    /// The presentation context of the calls.
    private var contextID: UInt16 = 0
    private var nextCallID: UInt32 = 1
    /// The number that the next message of the connection is sealed with.
    private var sequence: UInt64 = 0
    private var events: [Event] = []

    init(
        _ settings: ChannelSettings, _ service: Service, controller: ControllerAddress,
        security: Security? = nil, random: (Int) -> [UInt8]
    ) {
        self.service = service
        isChained = settings.profile == .nt4
        self.security = security
        step = .none
        var known: UInt16?
        switch service {
        case .mapper: step = .map
        case .netlogon: known = controller.netlogonPort
        case .authority(let port): known = port
        }
        switch settings.transport {
        case .tcp:
            endpoint = Endpoint(
                controller.address, known ?? EndpointMapper.port &+ settings.portOffset)
            carriage = Carriage()
        case .smb1:
            endpoint = Endpoint(
                controller.address, controller.sessionPort &+ settings.portOffset)
            // A server that is known by its address alone answers to this name (MS-SMB 3.2.4.2).
            let called = NetBIOSName(controller.name, .server)
                ?? NetBIOSName("*SMBSERVER", .server)
            let calling = NetBIOSName(settings.computer, .workstation)
            var names: (called: NetBIOSName, calling: NetBIOSName)?
            if controller.usesSessionService, let called, let calling {
                names = (called, calling)
            }
            carriage = PipeCarriage(SMB1.ClientSession(), pipe: service.pipe, names: names)
        case .smb2:
            endpoint = Endpoint(
                controller.address, ControllerAddress.directPort &+ settings.portOffset)
            let session = SMB2.ClientSession(
                .ofNobody(at: controller.address, computer: settings.computer, random: random))
            carriage = PipeCarriage(session, pipe: service.pipe, names: nil)
        }
    }

    /// What is under way while the connection is set up, for people.
    var stage: String {
        if case .binding(let secured) = state { return secured ? "bind, sealed" : "bind" }
        switch step {
        case .none: return "open"
        case .map: return "endpoint mapper"
        case .challenge: return "NetrServerReqChallenge"
        case .authenticate: return "NetrServerAuthenticate"
        }
    }

    var callsInFlight: Int { calls.count }

    /// Somebody waits for the answer to a call.
    var isAwaited: Bool { calls.contains { !$0.isAbandoned } }

    /// Calls are out, and nobody waits for any of them.
    var carriesOnlyAbandoned: Bool { !calls.isEmpty && calls.allSatisfy { $0.isAbandoned } }

    /// How many calls the peer takes at once.
    var callLimit: Int {
        guard case .ready = state else { return 0 }
        let several = carriage.carriesSeveral && isMultiplexed && !isChained && seal != nil
        return several ? ChannelLimit.callsPerConnection : 1
    }

    func takeOutgoing() -> [[UInt8]] { carriage.takeOutgoing() }

    func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    // MARK: Inputs

    func opened() {
        carriage.opened()
        drainCarriage()
    }

    func received(_ bytes: Span<UInt8>) {
        if case .closed = state { return }
        carriage.received(bytes)
        drainCarriage()
    }

    func close() { state = .closed }

    /// Binds what is open once more, with the Netlogon provider under `key`.
    func secure(_ key: SessionKey, domain: String, computer: String) {
        security = Security(key: key, domain: domain, computer: computer)
        sendBind(altering: true)
    }

    func abandon(tag: UInt32) {
        for index in calls.indices where calls[index].tag == tag {
            calls[index].isAbandoned = true
        }
    }

    /// Makes a call. Its reply comes as an event with `tag`.
    func call(tag: UInt32, opnum: UInt16, stub: [UInt8], random: (Int) -> [UInt8]) {
        let callID = nextCallID
        nextCallID &+= 1
        // Room for what a request adds to its stub: header 24, padding 15, trailer 8, token 56.
        let room = (peerFragment - 24 - 15 - 8 - 56) / 16 * 16
        var start = 0
        repeat {
            let end = min(start + room, stub.count)
            var flags = PDUFlags()
            if start == 0 { flags.insert(.firstFragment) }
            if end == stub.count { flags.insert(.lastFragment) }
            carriage.send(
                request(
                    callID, flags, opnum, stub, start..<end, random: random),
                isLast: end == stub.count)
            start = end
        } while start < stub.count
        calls.append(Call(tag: tag, callID: callID, sequence: sequence))
        // The response is foreseen to be one fragment, as all but those of users in hundreds of
        // groups are.
        if seal != nil { sequence += 1 }
    }

    private func request(
        _ callID: UInt32, _ flags: PDUFlags, _ opnum: UInt16, _ stub: [UInt8],
        _ range: Range<Int>, random: (Int) -> [UInt8]
    ) -> [UInt8] {
        var writer = WireWriter()
        PDUHeader(.request, flags, callID: callID).write(into: &writer)
        RequestPDU(
            allocHint: UInt32(stub.count - range.lowerBound), contextID: contextID, opnum: opnum
        ).write(into: &writer)
        let body = writer.count
        writer.append(stub.span.extracting(range))
        guard let seal else {
            PDUHeader.finish(&writer, start: 0)
            return writer.finish()
        }
        AuthTrailer.write(
            Self.context, into: &writer, base: body, alignment: AuthTrailer.alignment)
        let token = writer.count
        writer.zeros(seal.tokenLength)
        PDUHeader.finish(&writer, start: 0, authLength: seal.tokenLength)
        var pdu = writer.finish()
        let covered = body..<(token - AuthTrailer.byteCount)
        seal.seal(
            &pdu, body: covered, covered: covered, token: token, sequence: sequence,
            confounder: Bytes8(random(8)))
        sequence += 1
        return pdu
    }

    // MARK: Binding

    /// Any id will do; some peers take 0 for "none".
    private static let context = SecurityContext(.netlogon, .privacy, id: 1)

    private func sendBind(altering: Bool) {
        state = .binding(secured: security != nil)
        // A context of its own for the secured calls: Samba 4.17 takes the first call of an altered
        // context, and then mixes its two securities up.
        contextID = altering ? 1 : 0
        let bind = BindPDU(
            maximumTransmitFragment: UInt16(Limit.fragment),
            maximumReceiveFragment: UInt16(Limit.fragment),
            contexts: [
                PresentationContext(id: contextID, service.interface),
            ])
        let header = PDUHeader(
            altering ? .alterContext : .bind, [.single, .concurrentMultiplexing],
            callID: nextCallID)
        nextCallID &+= 1
        var writer = WireWriter()
        if let security {
            var token = WireWriter()
            NLAuthMessage(
                kind: .negotiate, netbiosDomain: Array(security.domain.utf8),
                netbiosComputer: Array(security.computer.utf8)
            ).write(into: &token)
            bind.write(
                into: &writer, header: header, security: Self.context, token: token.finish())
        } else {
            bind.write(into: &writer, header: header)
        }
        carriage.send(writer.finish(), isLast: true)
    }

    private func bound(_ fragment: Fragment, _ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes.span, layer: "RPC").part(fragment.body)
        guard case .binding(let secured) = state else {
            throw reader.invalid("PTYPE", Int(fragment.header.type.rawValue))
        }
        let reply = try BindAckPDU(parsing: &reader)
        guard reply.results.count == 1, reply.results[0].outcome == .acceptance else {
            throw reader.invalid("p_result_list", reply.results.count)
        }
        isMultiplexed = fragment.header.flags.contains(.concurrentMultiplexing)
        peerFragment = max(1_432, Int(reply.maximumReceiveFragment))
        if secured, let security {
            guard let auth = fragment.auth else {
                fail(.keyForgotten)
                return
            }
            var token = WireReader(bytes.span, layer: "NL_AUTH_MESSAGE").part(auth.token)
            let message = try NLAuthMessage(parsing: &token)
            guard message.kind == .response else {
                fail(.keyForgotten)
                return
            }
            seal = NetlogonSeal(key: security.key, isClient: true)
            sequence = 0
        }
        state = .ready
        events.append(.ready)
    }

    // MARK: What came

    private func drainCarriage() {
        for event in carriage.takeEvents() {
            switch event {
            case .open: sendBind(altering: false)
            case .pdu(let bytes): take(bytes)
            case .failed(let loss): fail(loss)
            }
        }
    }

    private func take(_ bytes: [UInt8]) {
        if case .closed = state { return }
        do {
            var reader = WireReader(bytes.span, layer: "RPC")
            let fragment = try Fragment(parsing: &reader)
            guard fragment.byteOrder == .littleEndian else {
                return fail(.nonsense("RPC in big-endian numbers"))
            }
            switch fragment.header.type {
            case .bindAck, .alterContextResponse: try bound(fragment, bytes)
            case .bindNak: fail(security == nil ? .nonsense("bind refused") : .keyForgotten)
            case .response: try responded(fragment, bytes)
            case .fault: try faulted(fragment, bytes)
            case _: fail(.nonsense("RPC PDU of type \(fragment.header.type.rawValue)"))
            }
        } catch {
            fail(.nonsense(error.description))
        }
    }

    private func responded(_ fragment: Fragment, _ bytes: [UInt8]) throws(WireError) {
        let reader = WireReader(bytes.span, layer: "RPC")
        guard let index = calls.firstIndex(where: { $0.callID == fragment.header.callID }) else {
            throw reader.invalid("call_id", Int(fragment.header.callID))
        }
        var head = reader.part(fragment.body)
        _ = try ResponsePDU(parsing: &head)
        let part = head.takeRest()
        let start = calls[index].stub.count
        guard start + part.count <= Limit.stub else {
            fail(.nonsense("a reply beyond \(Limit.stub) bytes"))
            return
        }
        if let seal {
            guard let auth = fragment.auth else { throw reader.invalid("auth_length", 0) }
            let sealed = part.lowerBound..<auth.trailer.lowerBound
            calls[index].stub.append(copying: bytes.span.extracting(sealed))
            let body = start..<(start + sealed.count)
            do {
                try seal.unseal(
                    &calls[index].stub, body: body, covered: body,
                    token: bytes.span.extracting(auth.token), sequence: calls[index].sequence)
            } catch {
                fail(.nonsense("a reply that its seal does not match"))
                return
            }
            calls[index].stub.removeLast(sealed.count - part.count)
            calls[index].sequence += 1
        } else {
            calls[index].stub.append(copying: bytes.span.extracting(part))
        }
        guard fragment.isLast else { return }
        let call = calls.remove(at: index)
        // Fragments beyond the first took numbers that later messages now begin after.
        sequence = max(sequence, call.sequence)
        if !call.isAbandoned { events.append(.reply(tag: call.tag, stub: call.stub)) }
    }

    private func faulted(_ fragment: Fragment, _ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes.span, layer: "RPC").part(fragment.body)
        let fault = try FaultPDU(parsing: &reader)
        if case .binding(let secured) = state {
            // An alter_context that the peer does not know, or whose key it does not know.
            fail(secured ? .keyForgotten : .nonsense("bind: \(fault.status.description)"))
            return
        }
        guard let index = calls.firstIndex(where: { $0.callID == fragment.header.callID }) else {
            throw reader.invalid("call_id", Int(fragment.header.callID))
        }
        let call = calls.remove(at: index)
        switch fault.status {
        case .secPkgError:
            // Refused unread by the seal's check, and those behind it with it. On a connection
            // that worked, a response in several fragments had shifted the numbers.
            // Of a call before them that has no answer yet, it says nothing.
            for other in calls[index...].reversed() {
                events.append(.notExecuted(tag: other.tag))
            }
            events.append(.notExecuted(tag: call.tag))
            calls.removeSubrange(index...)
            fail(call.sequence > 1 ? .closed : .keyForgotten)
        case .accessDenied:
            // The channel is refused, not the user.
            if call.tag == 0 {
                fail(.keyForgotten)
            } else {
                events.append(.notExecuted(tag: call.tag))
                events.append(.keyForgotten)
            }
        case _:
            if call.tag == 0 {
                fail(.nonsense("fault \(fault.status.description)"))
            } else if fragment.header.flags.contains(.didNotExecute) {
                events.append(.notExecuted(tag: call.tag))
            } else {
                events.append(.reply(tag: call.tag, stub: []))
            }
        }
    }

    private func fail(_ loss: ConnectionLoss) {
        if case .closed = state { return }
        state = .closed
        events.append(.failed(loss))
    }
}
