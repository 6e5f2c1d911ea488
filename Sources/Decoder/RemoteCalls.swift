import RPC
import Wire

/// Who sent something: the end that asks, or the one that answers.
enum Side: Sendable {
    case client, server
}

/// One RPC association, from whatever carries it: what its binds agreed on tells what its calls
/// are.
struct RPCConversation {
    static let layer: StaticString = "RPC"
    /// Calls that wait for their response, and binds for theirs.
    static let mostCalls = 256
    static let mostContexts = 256
    /// Calls whose stubs come in several PDUs at one time, each way.
    static let mostAssemblies = 16
    static let longestStub = 1 << 20

    private struct Context {
        var interface: SyntaxID
        var isNDR64 = false
    }

    private struct Call {
        var contextID: UInt16
        var opnum: UInt16
    }

    private struct Assembly {
        var side: Side
        var callID: UInt32
        var stubs: StubAssembler
    }

    private var contexts: [UInt16: Context] = [:]
    private var proposals: [UInt32: [PresentationContext]] = [:]
    private var calls: [UInt32: Call] = [:]
    private var assemblies: [Assembly] = []
    private var fromClient: [UInt8] = []
    private var fromServer: [UInt8] = []

    /// Whether bytes are the start of a PDU: strict enough to tell RPC from other protocols.
    static func looksLike(_ reader: borrowing WireReader) -> Bool {
        var ahead = reader.part(reader.offset..<reader.end)
        do throws(WireError) {
            let prefix = try FragmentPrefix(parsing: &ahead)
            return prefix.header.type.rawValue <= PDUType.orphaned.rawValue
                && prefix.authLength < prefix.fragmentLength
        } catch {
            return false
        }
    }

    /// Whether a PDU is there in part from `side`.
    func isWaiting(_ side: Side) -> Bool {
        side == .client ? !fromClient.isEmpty : !fromServer.isEmpty
    }

    /// Takes the next bytes that `side` sent, and shows the PDUs that are whole.
    mutating func receive(_ bytes: [UInt8], from side: Side, into outline: inout Outline) {
        var buffer = side == .client ? fromClient : fromServer
        buffer += bytes
        var start = 0
        do throws(WireError) {
            while let length = try FragmentCutter.length(buffer.span, from: start) {
                let reader = WireReader(buffer.span, layer: Self.layer)
                show(reader.part(start..<(start + length)), from: side, into: &outline)
                start += length
            }
            buffer.removeFirst(start)
        } catch {
            outline.fail(error)
            buffer = []
        }
        if side == .client { fromClient = buffer } else { fromServer = buffer }
    }

    /// Bytes are missing: what was there in part is of no use.
    mutating func lose(_ side: Side) {
        if side == .client { fromClient = [] } else { fromServer = [] }
        assemblies.removeAll { $0.side == side }
    }

    /// Shows the PDU that fills `reader`.
    mutating func show(
        _ reader: borrowing WireReader, from side: Side, into outline: inout Outline
    ) {
        var pdu = reader.part(reader.offset..<reader.end)
        do throws(WireError) {
            let fragment = try Fragment(parsing: &pdu)
            outline.open(title(fragment))
            defer { outline.close() }
            let failures = outline.failed
            try show(fragment, reader, from: side, into: &outline)
            if outline.failed == failures { outline.succeed() }
        } catch {
            outline.fail(error)
        }
    }

    private func title(_ fragment: Fragment) -> String {
        var text = "RPC " + fragment.header.type.description + ", call \(fragment.header.callID)"
        if !fragment.isFirst || !fragment.isLast {
            text += fragment.isFirst ? ", first fragment" : fragment.isLast ? ", last fragment"
                : ", middle fragment"
        }
        return text + ", \(fragment.whole.count) bytes"
    }

    private mutating func show(
        _ fragment: Fragment, _ reader: borrowing WireReader, from side: Side,
        into outline: inout Outline
    ) throws(WireError) {
        let callID = fragment.header.callID
        switch try PDU(fragment, in: reader) {
        case .bind(let bind), .alterContext(let bind):
            show(bind, callID, into: &outline)
            try token(fragment, reader, into: &outline)
        case .bindAck(let ack), .alterContextResponse(let ack):
            show(ack, callID, into: &outline)
            try token(fragment, reader, into: &outline)
        case .bindNak(let nak):
            proposals[callID] = nil
            outline.field("reason", nak.reason.description)
        case .auth3: try token(fragment, reader, into: &outline)
        case .request(let request, let stub):
            if fragment.isFirst {
                calls.bound(to: Self.mostCalls)
                calls[callID] = Call(contextID: request.contextID, opnum: request.opnum)
            }
            outline.field("object", request.object?.description)
            try call(
                Call(contextID: request.contextID, opnum: request.opnum), fragment, stub, reader,
                from: .client, hint: request.allocHint, into: &outline)
        case .response(let response, let stub):
            let call = calls[callID] ?? Call(contextID: response.contextID, opnum: .max)
            if fragment.isLast { calls[callID] = nil }
            try self.call(
                call, fragment, stub, reader, from: .server, hint: response.allocHint,
                into: &outline)
        case .fault(let fault):
            calls[callID] = nil
            outline.field("status", fault.status.description)
        case .shutdown, .coCancel, .orphaned: break
        case .other(_, let body): outline.field("body", "\(body.count) bytes")
        }
    }

    // MARK: Binds

    private mutating func show(_ bind: BindPDU, _ callID: UInt32, into outline: inout Outline) {
        outline.field(
            "fragments",
            "sends \(bind.maximumTransmitFragment), receives \(bind.maximumReceiveFragment)")
        outline.flags("association group", bind.associationGroup)
        proposals.bound(to: Self.mostCalls)
        proposals[callID] = bind.contexts
        contexts.bound(to: Self.mostContexts)
        for context in bind.contexts {
            // Until the answer is seen, as a capture may not have it, NDR is taken for granted.
            contexts[context.id] = Context(interface: context.abstractSyntax)
            var syntaxes = ""
            for syntax in context.transferSyntaxes { syntaxes += " " + Self.name(syntax) }
            outline.field(
                "context",
                "\(context.id) " + RemoteInterface.name(context.abstractSyntax) + " as" + syntaxes)
        }
    }

    private mutating func show(_ ack: BindAckPDU, _ callID: UInt32, into outline: inout Outline) {
        outline.field(
            "fragments",
            "sends \(ack.maximumTransmitFragment), receives \(ack.maximumReceiveFragment)")
        outline.flags("association group", ack.associationGroup)
        if !ack.secondaryAddress.isEmpty {
            outline.field(
                "secondary address", String(decoding: ack.secondaryAddress, as: UTF8.self))
        }
        let asked = proposals.removeValue(forKey: callID) ?? []
        for index in 0..<ack.results.count {
            let result = ack.results[index]
            let id = index < asked.count ? "context \(asked[index].id)" : "result \(index)"
            switch result.outcome {
            case .acceptance:
                outline.field(id, "accepted as " + Self.name(result.transferSyntax))
                if index < asked.count {
                    contexts[asked[index].id]?.isNDR64 = result.transferSyntax == .ndr64
                }
            case .negotiateAck:
                outline.field(id, "features 0x" + Hex.string(UInt32(result.reason.rawValue)))
            case _:
                outline.field(
                    id,
                    "rejected, result \(result.outcome.rawValue), reason \(result.reason.rawValue)")
                if index < asked.count { contexts[asked[index].id] = nil }
            }
        }
    }

    private static func name(_ syntax: SyntaxID) -> String {
        if syntax == .ndr { return "NDR" }
        if syntax == .ndr64 { return "NDR64" }
        if BindTimeFeatures(syntax) != nil { return "bind-time features" }
        return syntax.description
    }

    private func token(
        _ fragment: Fragment, _ reader: borrowing WireReader, into outline: inout Outline
    ) throws(WireError) {
        guard let auth = fragment.auth else { return }
        security(auth, into: &outline)
        let part = reader.part(auth.token, layer: SecurityTokenDecoder.layer)
        try SecurityTokenDecoder.decode(part, of: auth.context.type, into: &outline)
    }

    private func security(_ auth: AuthTrailer, into outline: inout Outline) {
        outline.field(
            "security",
            SecurityTokenDecoder.name(auth.context.type) + ", "
                + SecurityTokenDecoder.name(auth.context.level) + ", context \(auth.context.id)")
    }

    // MARK: Calls

    private mutating func call(
        _ call: Call, _ fragment: Fragment, _ stub: Range<Int>, _ reader: borrowing WireReader,
        from side: Side, hint: UInt32, into outline: inout Outline
    ) throws(WireError) {
        let context = contexts[call.contextID]
        outline.field("call", RemoteInterface.name(context?.interface, opnum: call.opnum))
        if let auth = fragment.auth {
            security(auth, into: &outline)
            if auth.context.level == .privacy {
                outline.field("stub", "\(stub.count) bytes, sealed")
                return
            }
        }
        guard let context, !context.isNDR64, call.opnum != .max else {
            outline.field("stub", "\(stub.count) bytes")
            return
        }
        if fragment.isFirst && fragment.isLast {
            var whole = reader.part(stub, layer: RemoteInterface.layer)
            try RemoteInterface.decode(
                context.interface, call.opnum, side, &whole, into: &outline)
            return
        }
        guard let whole = try assemble(fragment, stub, reader, side, hint) else {
            outline.field("stub", "\(stub.count) bytes, part of one in several fragments")
            return
        }
        outline.field("stub", "\(whole.count) bytes, now whole")
        var rest = WireReader(whole.span, layer: RemoteInterface.layer)
        try RemoteInterface.decode(context.interface, call.opnum, side, &rest, into: &outline)
    }

    /// The whole stub, where this fragment is its last one.
    private mutating func assemble(
        _ fragment: Fragment, _ stub: Range<Int>, _ reader: borrowing WireReader, _ side: Side,
        _ hint: UInt32
    ) throws(WireError) -> [UInt8]? {
        let callID = fragment.header.callID
        let known = assemblies.firstIndex { $0.side == side && $0.callID == callID }
        var assembly: Assembly
        if let known {
            assembly = assemblies.remove(at: known)
        } else {
            if assemblies.count == Self.mostAssemblies { assemblies.removeFirst() }
            assembly = Assembly(
                side: side, callID: callID, stubs: StubAssembler(limit: Self.longestStub))
        }
        let isWhole = try assembly.stubs.append(
            fragment, stub: stub, of: reader.span, allocHint: hint)
        if isWhole { return assembly.stubs.stub }
        assemblies.append(assembly)
        return nil
    }
}

extension Dictionary {
    /// Forgets everything where another entry would be too many: strangers fill these tables, and
    /// what is forgotten is shown with less detail only.
    mutating func bound(to limit: Int) {
        if count >= limit { removeAll(keepingCapacity: true) }
    }
}
