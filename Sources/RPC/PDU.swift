import Wire

/// Any PDU, for whoever takes them as they come: a server, a decoder. A client that waits for one
/// kind parses that kind.
package enum PDU: Sendable {
    case request(RequestPDU, stub: Range<Int>)
    case response(ResponsePDU, stub: Range<Int>)
    case fault(FaultPDU)
    case bind(BindPDU)
    case bindAck(BindAckPDU)
    case bindNak(BindNakPDU)
    case alterContext(BindPDU)
    case alterContextResponse(BindAckPDU)
    case auth3
    case shutdown
    case coCancel
    case orphaned
    /// A type that this program does not know, with its body.
    case other(PDUType, body: Range<Int>)

    /// Parses the body of `fragment`, which came from the same span as `reader`.
    package init(_ fragment: Fragment, in reader: borrowing WireReader) throws(WireError) {
        var body = reader.part(fragment.body, layer: "RPC")
        switch fragment.header.type {
        case .request:
            let request = try RequestPDU(parsing: &body, flags: fragment.header.flags)
            self = .request(request, stub: body.takeRest())
        case .response:
            let response = try ResponsePDU(parsing: &body)
            self = .response(response, stub: body.takeRest())
        case .fault: self = .fault(try FaultPDU(parsing: &body))
        case .bind: self = .bind(try BindPDU(parsing: &body))
        case .bindAck: self = .bindAck(try BindAckPDU(parsing: &body))
        case .bindNak: self = .bindNak(try BindNakPDU(parsing: &body))
        case .alterContext: self = .alterContext(try BindPDU(parsing: &body))
        case .alterContextResponse:
            self = .alterContextResponse(try BindAckPDU(parsing: &body))
        case .auth3:
            _ = try Auth3PDU(parsing: &body)
            self = .auth3
        case .shutdown:
            _ = try EmptyPDU(parsing: &body)
            self = .shutdown
        case .coCancel:
            _ = try EmptyPDU(parsing: &body)
            self = .coCancel
        case .orphaned:
            _ = try EmptyPDU(parsing: &body)
            self = .orphaned
        case let type: self = .other(type, body: fragment.body)
        }
    }
}

extension PDU: CustomStringConvertible {
    package var description: String {
        switch self {
        case .request(let request, let stub):
            "opnum \(request.opnum) in context \(request.contextID), \(stub.count) bytes"
        case .response(let response, let stub):
            "response in context \(response.contextID), \(stub.count) bytes"
        case .fault(let fault): fault.status.description
        case .bind(let bind), .alterContext(let bind): bind.description
        case .bindAck(let ack), .alterContextResponse(let ack): ack.description
        case .bindNak(let nak): nak.reason.description
        case .auth3, .shutdown, .coCancel, .orphaned: ""
        case .other(let type, let body): "\(type.description), \(body.count) bytes"
        }
    }
}

extension BindPDU: CustomStringConvertible {
    package var description: String {
        var text = "fragments of \(maximumTransmitFragment) and \(maximumReceiveFragment)"
        for context in contexts {
            text += ", context \(context.id) \(context.abstractSyntax.description) as"
            for syntax in context.transferSyntaxes { text += " \(syntax.description)" }
        }
        return text
    }
}

extension BindAckPDU: CustomStringConvertible {
    package var description: String {
        var text = "fragments of \(maximumTransmitFragment) and \(maximumReceiveFragment)"
        for result in results {
            switch result.outcome {
            case .acceptance: text += ", accepted as \(result.transferSyntax.description)"
            case .negotiateAck: text += ", features \(result.reason.rawValue)"
            case _: text += ", refused for reason \(result.reason.rawValue)"
            }
        }
        return text
    }
}
