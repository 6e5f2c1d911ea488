import Wire

/// An interface that the client wants to call, and the encodings it offers for it
/// (C706 12.6.3.1, p_cont_elem_t):
/// ```
/// p_cont_id(2)  n_transfer_syn(1)  reserved(1)
/// abstract_syntax(20)
/// transfer_syntaxes(20 each)
/// ```
package struct PresentationContext: Equatable, Sendable {
    package static let maximumTransferSyntaxes = 16

    package var id: UInt16
    package var abstractSyntax: SyntaxID
    package var transferSyntaxes: [SyntaxID]

    package init(
        id: UInt16, _ abstractSyntax: SyntaxID, _ transferSyntaxes: [SyntaxID] = [.ndr]
    ) {
        self.id = id
        self.abstractSyntax = abstractSyntax
        self.transferSyntaxes = transferSyntaxes
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        id = try reader.uint16("p_cont_id")
        let count = Int(try reader.uint8("n_transfer_syn"))
        if count > Self.maximumTransferSyntaxes {
            throw WireError(
                .limit, layer: reader.layer, field: "n_transfer_syn", offset: reader.offset - 1,
                needed: count, available: Self.maximumTransferSyntaxes)
        }
        _ = try reader.uint8("reserved")
        abstractSyntax = try SyntaxID(parsing: &reader)
        transferSyntaxes = []
        transferSyntaxes.reserveCapacity(count)
        for _ in 0..<count { transferSyntaxes.append(try SyntaxID(parsing: &reader)) }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(id)
        writer.uint8(UInt8(transferSyntaxes.count))
        writer.uint8(0)
        abstractSyntax.write(into: &writer)
        for syntax in transferSyntaxes { syntax.write(into: &writer) }
    }
}

/// The body of a bind, and of an alter_context, which asks for more contexts or another security
/// context on the same connection (C706 12.6.4.3, 12.6.4.1):
/// ```
/// max_xmit_frag(2)  max_recv_frag(2)
/// assoc_group_id(4)
/// n_context_elem(1)  reserved(1)  reserved2(2)
/// p_cont_elem, each
/// ```
package struct BindPDU: PDUBody, Equatable, Sendable {
    package static let maximumContexts = 64

    package var maximumTransmitFragment: UInt16
    package var maximumReceiveFragment: UInt16
    package var associationGroup: UInt32
    package var contexts: [PresentationContext]

    package init(
        maximumTransmitFragment: UInt16 = 5840, maximumReceiveFragment: UInt16 = 5840,
        associationGroup: UInt32 = 0, contexts: [PresentationContext]
    ) {
        self.maximumTransmitFragment = maximumTransmitFragment
        self.maximumReceiveFragment = maximumReceiveFragment
        self.associationGroup = associationGroup
        self.contexts = contexts
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        maximumTransmitFragment = try reader.uint16("max_xmit_frag")
        maximumReceiveFragment = try reader.uint16("max_recv_frag")
        associationGroup = try reader.uint32("assoc_group_id")
        let count = Int(try reader.uint8("n_context_elem"))
        if count > Self.maximumContexts {
            throw WireError(
                .limit, layer: reader.layer, field: "n_context_elem", offset: reader.offset - 1,
                needed: count, available: Self.maximumContexts)
        }
        _ = try reader.take(3, "reserved")
        contexts = []
        contexts.reserveCapacity(count)
        for _ in 0..<count { contexts.append(try PresentationContext(parsing: &reader)) }
        try reader.expectEnd("p_context_elem")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(maximumTransmitFragment)
        writer.uint16LE(maximumReceiveFragment)
        writer.uint32LE(associationGroup)
        writer.uint8(UInt8(contexts.count))
        writer.zeros(3)
        for context in contexts { context.write(into: &writer) }
    }
}
