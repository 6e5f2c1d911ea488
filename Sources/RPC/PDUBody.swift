import Wire

/// What follows the common header of a PDU that carries no stub.
package protocol PDUBody {
    /// Parses a body, which fills `reader`: `Fragment.body`.
    init(parsing reader: inout WireReader) throws(WireError)
    func write(into writer: inout WireWriter)
}

extension PDUBody {
    /// Writes a whole PDU of one fragment, with a provider's token where there is one.
    package func write(
        into writer: inout WireWriter, header: PDUHeader,
        security: SecurityContext? = nil, token: [UInt8] = []
    ) {
        let start = writer.count
        header.write(into: &writer)
        write(into: &writer)
        if let security {
            AuthTrailer.write(
                security, into: &writer, base: start, alignment: AuthTrailer.alignment)
            writer.append(token)
        }
        PDUHeader.finish(&writer, start: start, authLength: security == nil ? 0 : token.count)
    }
}

/// A body without fields: shutdown, co_cancel and orphaned (C706 12.6.4.10, .11, .12).
package struct EmptyPDU: PDUBody, Equatable, Sendable {
    package init() {}

    package init(parsing reader: inout WireReader) throws(WireError) {
        try reader.expectEnd("body")
    }

    package func write(into writer: inout WireWriter) {}
}

/// The third leg of an authentication, which no PDU answers (MS-RPCE 2.2.2.5): four bytes whose
/// values mean nothing, then the security trailer.
package struct Auth3PDU: PDUBody, Equatable, Sendable {
    package init() {}

    package init(parsing reader: inout WireReader) throws(WireError) {
        // The security trailer's padding may count these four, and then they are gone already.
        _ = try reader.take(min(4, reader.remaining), "pad")
        try reader.expectEnd("body")
    }

    package func write(into writer: inout WireWriter) { writer.zeros(4) }
}
