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
