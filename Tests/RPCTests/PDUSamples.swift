import TestSupport
import Wire

@testable import RPC

/// Every PDU, in several shapes.
enum PDUSamples {
    static let netlogon = SyntaxID(GUID("12345678-1234-abcd-ef00-01234567cffb")!, 1)
    static let sealed = SecurityContext(.netlogon, .privacy, id: 0)

    static let all: [MessageSample] =
        [
            body("bind", .bind, bind),
            body(
                "bind with a token", .bind, bind,
                token: [0, 0, 0, 0, 3, 0, 0, 0, 0x41, 0, 0x42, 0]),
            body("bind with all that Windows offers", .bind, windowsBind),
            body("alter_context", .alterContext, bind, token: [1, 2, 3]),
            body("bind_ack", .bindAck, bindAck("49676")),
            body("bind_ack of a pipe", .bindAck, bindAck("\\PIPE\\lsass"), token: [1, 0, 0, 0]),
            body("alter_context_resp", .alterContextResponse, bindAck("")),
            body("bind_nak", .bindNak, BindNakPDU(.protocolVersionNotSupported)),
            body("bind_nak without versions", .bindNak, BindNakPDU(.notSpecified, versions: [])),
            body("fault", .fault, FaultPDU(contextID: 1, status: .opRangeError)),
            body("auth3", .auth3, Auth3PDU(), token: [0x4e, 0x54, 0x4c, 0x4d]),
            body("shutdown", .shutdown, EmptyPDU()),
            body("co_cancel", .coCancel, EmptyPDU()),
            body("orphaned", .orphaned, EmptyPDU()),
        ]
        + [0, 1, 15, 16, 100].flatMap { count in
            [
                call("request of \(count)", .request(contextID: 0, opnum: 39), count),
                call("response of \(count)", .response(contextID: 0), count),
                call("sealed request of \(count)", .request(contextID: 1, opnum: 2), count, sealed),
                call("sealed response of \(count)", .response(contextID: 1), count, sealed),
            ]
        } + [
            call(
                "request of an object",
                .request(contextID: 0, opnum: 3, object: netlogon.uuid), 20),
        ]

    static let bind = BindPDU(contexts: [PresentationContext(id: 0, netlogon)])

    static let windowsBind = BindPDU(contexts: [
        PresentationContext(id: 0, netlogon, [.ndr]),
        PresentationContext(id: 1, netlogon, [.ndr64, .ndr]),
        PresentationContext(
            id: 2, netlogon,
            [BindTimeFeatures([.securityContextMultiplexing, .keepConnectionOnOrphan]).syntax]),
    ])

    static func bindAck(_ address: String) -> BindAckPDU {
        BindAckPDU(
            maximumTransmitFragment: 5840, maximumReceiveFragment: 5840,
            associationGroup: 0x463d, secondaryAddress: Array(address.utf8),
            results: [
                .accepted(.ndr), .rejected(.proposedTransferSyntaxesNotSupported),
                .features(.keepConnectionOnOrphan),
            ])
    }

    static func body(
        _ name: String, _ type: PDUType, _ pdu: some PDUBody & Sendable, token: [UInt8]? = nil
    ) -> MessageSample {
        var writer = WireWriter()
        pdu.write(
            into: &writer, header: PDUHeader(type, callID: 7),
            security: token == nil ? nil : sealed, token: token ?? [])
        return MessageSample(name: name, bytes: writer.finish(), rewrite: rewrite)
    }

    static func call(
        _ name: String, _ carrier: StubCarrier, _ count: Int, _ security: SecurityContext? = nil
    ) -> MessageSample {
        let stub = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        return MessageSample(
            name: name, bytes: write(carrier, stub, callID: 7, security, tokenLength: 56),
            rewrite: rewrite)
    }

    static func write(
        _ carrier: StubCarrier, _ stub: [UInt8], callID: UInt32, _ security: SecurityContext?,
        tokenLength: Int
    ) -> [UInt8] {
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            carrier, callID: callID, maximumFragment: 5840, security: security,
            tokenLength: security == nil ? 0 : tokenLength)
        while fragmenter.next(stub.span, into: &writer) != nil {}
        return writer.finish()
    }

    /// Parses any single PDU and writes it again.
    static func rewrite(_ bytes: [UInt8]) throws -> [UInt8] {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        let pdu = try PDU(fragment, in: reader)
        let token = fragment.auth.map { reader.copy($0.token) } ?? []
        let security = fragment.auth?.context
        var writer = WireWriter()
        func put(_ body: some PDUBody) {
            body.write(
                into: &writer, header: fragment.header, security: security, token: token)
        }
        switch pdu {
        case .request(let request, let stub):
            let carrier = StubCarrier.request(
                contextID: request.contextID, opnum: request.opnum, object: request.object)
            return call(carrier, reader.copy(stub), fragment, token)
        case .response(let response, let stub):
            return call(
                .response(contextID: response.contextID), reader.copy(stub), fragment, token)
        case .fault(let body): put(body)
        case .bind(let body), .alterContext(let body): put(body)
        case .bindAck(let body), .alterContextResponse(let body): put(body)
        case .bindNak(let body): put(body)
        case .auth3: put(Auth3PDU())
        case .shutdown, .coCancel, .orphaned: put(EmptyPDU())
        case .other: return []
        }
        return writer.finish()
    }

    private static func call(
        _ carrier: StubCarrier, _ stub: [UInt8], _ fragment: Fragment, _ token: [UInt8]
    ) -> [UInt8] {
        var bytes = write(
            carrier, stub, callID: fragment.header.callID, fragment.auth?.context,
            tokenLength: token.count)
        bytes.replaceSubrange((bytes.count - token.count)..., with: token)
        return bytes
    }
}
