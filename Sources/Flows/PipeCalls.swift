import RPC
import SMB
import Wire

/// A bound named pipe of a session: calls of one remote interface, one at a time.
package final class PipeCalls<Link: Exchange> {
    /// What a call's answer may take, in all its fragments.
    private static var stubLimit: Int { 4 * 1_048_576 }
    private static var fragmentSize: UInt16 { 5_840 }

    private let smb: SMBSession<Link>
    private let name: String
    private let interface: SyntaxID
    private var pipe: SMBClientPipe?
    private var callID: UInt32 = 1
    private var buffer: [UInt8] = []
    private var isBound = false

    private var dialogue: Dialogue<Link> { smb.dialogue }

    /// Opens nothing yet: the first call opens the pipe, binds it and calls, in one message where
    /// the server takes that.
    package init(_ smb: SMBSession<Link>, pipe name: String, _ interface: SyntaxID) {
        self.smb = smb
        self.name = name
        self.interface = interface
    }

    /// Opens and binds the pipe without a call.
    package func open() throws(FlowError) {
        pipe = smb.session.open(name, exchanging: [bind()])
        try takeBindAck(dialogue.link.now + dialogue.patience.answer)
    }

    /// Calls and waits for the answer.
    package func call<Procedure: RemoteProcedure>(
        _ procedure: Procedure.Type, _ request: Procedure.Request
    ) throws(FlowError) -> Procedure.Response {
        let stub = try call(Procedure.opnum, Self.stub(request))
        do throws(WireError) {
            var reader = WireReader(stub.span, layer: "RPC")
            return try Procedure.Response(parsing: &reader)
        } catch {
            throw dialogue.malformed(error)
        }
    }

    /// Calls a procedure of no consequence, such as the closing of a handle, and goes on without
    /// waiting for the answer. The pipe is of no more use then.
    package func callLast<Procedure: RemoteProcedure>(
        _ procedure: Procedure.Type, _ request: Procedure.Request
    ) {
        guard let pipe else { return }
        callID &+= 1
        smb.session.transact(pipe, requests(Procedure.opnum, Self.stub(request))[0])
    }

    /// Calls `opnum` with a request's stub and gives the response's.
    package func call(_ opnum: UInt16, _ stub: [UInt8]) throws(FlowError) -> [UInt8] {
        callID &+= 1
        let request = requests(opnum, stub)
        if let pipe {
            for part in request.dropLast() { smb.session.write(pipe, part) }
            smb.session.transact(pipe, request[request.count - 1])
        } else {
            precondition(request.count == 1, "a first call that needs several fragments")
            pipe = smb.session.open(name, exchanging: [bind(), request[0]])
        }
        let deadline = dialogue.link.now + dialogue.patience.answer
        if !isBound { try takeBindAck(deadline) }
        return try takeResponse(deadline)
    }

    private static func stub<Request: NDRMessage>(_ request: Request) -> [UInt8] {
        var writer = WireWriter(capacity: 256)
        request.write(into: &writer)
        return writer.finish()
    }

    private func bind() -> [UInt8] {
        var writer = WireWriter(capacity: 80)
        BindPDU(
            maximumTransmitFragment: Self.fragmentSize,
            maximumReceiveFragment: Self.fragmentSize,
            contexts: [PresentationContext(id: 0, interface)]
        ).write(into: &writer, header: PDUHeader(.bind, callID: 1))
        return writer.finish()
    }

    private func requests(_ opnum: UInt16, _ stub: [UInt8]) -> [[UInt8]] {
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: opnum), callID: callID,
            maximumFragment: Int(Self.fragmentSize))
        var parts: [[UInt8]] = []
        while true {
            var writer = WireWriter(capacity: 64 + stub.count)
            guard fragmenter.next(stub.span, into: &writer) != nil else { return parts }
            parts.append(writer.finish())
        }
    }

    // MARK: Answers

    private func takeBindAck(_ deadline: UInt64) throws(FlowError) {
        let bytes = try nextPDU(deadline)
        let refusal: String?
        do throws(WireError) {
            refusal = try Self.refusal(ofBind: bytes)
        } catch {
            throw dialogue.malformed(error)
        }
        if let refusal {
            throw dialogue.contradicted(
                "\(smb.target.name) does not serve \(name): \(refusal)")
        }
        isBound = true
    }

    /// Nil where the bind was accepted.
    private static func refusal(ofBind bytes: [UInt8]) throws(WireError) -> String? {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        switch try PDU(fragment, in: reader) {
        case .bindAck(let ack):
            let isAccepted = ack.results.first?.outcome == .acceptance
            return isAccepted ? nil : ack.description
        case .bindNak(let nak): return nak.reason.description
        case .fault(let fault): return fault.status.description
        case .request, .response, .bind, .alterContext, .alterContextResponse, .auth3,
            .shutdown, .coCancel, .orphaned, .other:
            throw reader.invalid("PTYPE", Int(fragment.header.type.rawValue))
        }
    }

    private func takeResponse(_ deadline: UInt64) throws(FlowError) -> [UInt8] {
        var assembler = StubAssembler(limit: Self.stubLimit)
        while true {
            let bytes = try nextPDU(deadline)
            let outcome: (isWhole: Bool, fault: FaultStatus?)
            do throws(WireError) {
                outcome = try take(bytes, into: &assembler)
            } catch {
                throw dialogue.malformed(error)
            }
            if let fault = outcome.fault {
                throw dialogue.contradicted("\(name): fault \(fault.description)")
            }
            if outcome.isWhole { return assembler.stub }
        }
    }

    private func take(
        _ bytes: [UInt8], into assembler: inout StubAssembler
    ) throws(WireError) -> (isWhole: Bool, fault: FaultStatus?) {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        if fragment.header.callID != callID {
            throw reader.invalid("call_id", Int(fragment.header.callID))
        }
        // Servers answer as they are asked.
        if fragment.byteOrder != .littleEndian { throw reader.invalid("packed_drep", 0) }
        switch try PDU(fragment, in: reader) {
        case .response(let response, let stub):
            let isWhole = try assembler.append(
                fragment, stub: stub, of: bytes.span, allocHint: response.allocHint)
            return (isWhole, nil)
        case .fault(let fault): return (true, fault.status)
        case .request, .bind, .bindAck, .bindNak, .alterContext, .alterContextResponse, .auth3,
            .shutdown, .coCancel, .orphaned, .other:
            throw reader.invalid("PTYPE", Int(fragment.header.type.rawValue))
        }
    }

    /// The next whole PDU that the pipe brings; reads on where one came in parts.
    private func nextPDU(_ deadline: UInt64) throws(FlowError) -> [UInt8] {
        while true {
            do throws(WireError) {
                if let length = try FragmentCutter.length(buffer.span) {
                    let pdu = Array(buffer[..<length])
                    buffer.removeFirst(length)
                    return pdu
                }
            } catch {
                throw dialogue.malformed(error)
            }
            if buffer.isEmpty == false, let pipe, !smb.session.isWaiting {
                smb.session.read(pipe)
            }
            try takeMessage(deadline)
        }
    }

    private func takeMessage(_ deadline: UInt64) throws(FlowError) {
        if !smb.session.isWaiting, smb.session.isIdle, let pipe { smb.session.read(pipe) }
        while true {
            switch try smb.next(deadline) {
            case .received(let from, let bytes) where from == pipe:
                buffer += bytes
                return
            case .pipeFailed(let which, let status) where which == pipe:
                throw dialogue.refused(status)
            case .failed(let stage, let status): throw smb.failure(stage, status)
            case .established: smb.noteEstablished()
            case .ended: throw dialogue.unavailable(.ended, smb.target.name)
            case .negotiated, .opened, .received, .written, .closed, .pipeFailed, .administered,
                .administrationRefused:
                continue
            }
        }
    }
}
