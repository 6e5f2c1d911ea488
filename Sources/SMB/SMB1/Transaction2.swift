import Wire

// SMB_COM_TRANSACTION2 is SMB_COM_TRANSACTION without a name; the first setup word is what it
// asks for.

extension SMB1 {
    /// SMB_COM_TRANSACTION2 request (MS-CIFS 2.2.4.46.1): the words of SMB_COM_TRANSACTION, and a
    /// byte in the place of the name.
    package struct Transaction2Request: CommandBody {
        package static let command = Command.transaction2

        package var call: TransactionRequest

        package init(_ call: TransactionRequest) { self.call = call }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            call = try TransactionRequest(parsing: &reader, block, isNamed: false)
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            call.write(into: &writer, form, Self.command, from: source)
        }

        package var description: String {
            "TRANSACTION2 subcommand \(call.setup.first ?? 0), \(call.parameters.count) parameter "
                + "bytes, \(call.data.count) data bytes"
        }
    }

    /// SMB_COM_TRANSACTION2_SECONDARY request (MS-CIFS 2.2.4.47.1): the words of
    /// SMB_COM_TRANSACTION_SECONDARY, then a FID.
    package struct Transaction2Secondary: CommandBody {
        package static let command = Command.transaction2Secondary

        package var part: TransactionSecondary
        package var fid: UInt16 = 0xffff

        package init(_ part: TransactionSecondary) { self.part = part }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(9, in: reader)
            var words = reader.part(block.words)
            part = try TransactionSecondary(parsing: &words, block, in: reader)
            fid = try words.uint16LE("FID")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            part.write(into: &writer, form, Self.command, fid: fid, from: source)
        }

        package var description: String {
            "TRANSACTION2_SECONDARY \(part.parameters.count) parameter bytes, "
                + "\(part.data.count) data bytes"
        }
    }

    /// SMB_COM_TRANSACTION2 response (MS-CIFS 2.2.4.46.2), as SMB_COM_TRANSACTION's.
    package struct Transaction2Response: CommandBody {
        package static let command = Command.transaction2

        package var answer: TransactionResponse

        package init(_ answer: TransactionResponse) { self.answer = answer }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            answer = try TransactionResponse(parsing: &reader, block)
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            answer.write(into: &writer, form, Self.command, from: source)
        }

        package var description: String {
            "TRANSACTION2 \(answer.parameters.count) parameter bytes at "
                + "\(answer.parameterDisplacement), \(answer.data.count) data bytes at "
                + "\(answer.dataDisplacement)"
        }
    }
}
