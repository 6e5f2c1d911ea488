import Wire

extension SMB1 {
    /// SMB_COM_TRANSACTION request (MS-CIFS 2.2.4.33.1): a call to a named pipe, a mailslot or
    /// the remote administration protocol.
    ///
    ///     | TotalParameterCount | TotalDataCount | MaxParameterCount | MaxDataCount |
    ///     | MaxSetupCount (1) | Reserved (1) | Flags | Timeout (4) | Reserved |
    ///     | ParameterCount | ParameterOffset | DataCount | DataOffset |
    ///     | SetupCount (1) | Reserved (1) | Setup … |
    ///     | ByteCount | Name | pad | Parameters … | pad | Data … |
    package struct TransactionRequest: CommandBody {
        package static let command = Command.transaction
        /// Flags: the tree is disconnected after the call; no answer is wanted.
        package static let disconnectTID: UInt16 = 1
        package static let noResponse: UInt16 = 2

        /// Of all parts together; nil where this part is all.
        package var totals: TransactionTotals?
        package var maxParameterCount: UInt16
        package var maxDataCount: UInt16
        package var maxSetupCount: UInt8 = 0
        package var flags: UInt16 = 0
        package var timeout: UInt32 = 0
        package var setup: [UInt16]
        package var name: String
        package var parameters: Range<Int>
        package var data: Range<Int>

        package init(
            name: String, setup: [UInt16], parameters: Range<Int> = 0..<0, data: Range<Int>,
            maxParameterCount: UInt16 = 0, maxDataCount: UInt16
        ) {
            self.maxParameterCount = maxParameterCount
            self.maxDataCount = maxDataCount
            self.setup = setup
            self.name = name
            self.parameters = parameters
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try self.init(parsing: &reader, block, isNamed: true)
        }

        /// SMB_COM_TRANSACTION2 differs in having no name.
        init(
            parsing reader: inout WireReader, _ block: Block, isNamed: Bool
        ) throws(WireError) {
            var words = reader.part(block.words)
            let totalParameters = try words.uint16LE("TotalParameterCount")
            let totalData = try words.uint16LE("TotalDataCount")
            maxParameterCount = try words.uint16LE("MaxParameterCount")
            maxDataCount = try words.uint16LE("MaxDataCount")
            maxSetupCount = try words.uint8("MaxSetupCount")
            _ = try words.uint8("Reserved1")
            flags = try words.uint16LE("Flags")
            timeout = try words.uint32LE("Timeout")
            _ = try words.uint16LE("Reserved2")
            let place = try TransactionPlace(parsing: &words)
            setup = try words.setup()
            parameters = try place.parameters(block, reader)
            data = try place.data(block, reader)
            totals = try TransactionTotals(
                parameterCount: totalParameters, dataCount: totalData
            ).unless(parameters, data, &words)
            var bytes = reader.part(block.bytes)
            name = isNamed ? try bytes.smbString(block.form, "Name") : ""
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            write(into: &writer, form, Self.command, from: source)
        }

        func write(
            into writer: inout WireWriter, _ form: Form, _ command: Command,
            from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, command)
            let totals = self.totals ?? TransactionTotals(parameters, data)
            writer.uint16LE(totals.parameterCount)
            writer.uint16LE(totals.dataCount)
            writer.uint16LE(maxParameterCount)
            writer.uint16LE(maxDataCount)
            writer.uint8(maxSetupCount)
            writer.uint8(0)
            writer.uint16LE(flags)
            writer.uint32LE(timeout)
            writer.uint16LE(0)
            let place = TransactionPlace(reservedIn: &writer)
            writer.setup(setup)
            block.beginBytes(&writer)
            if command == Self.command { writer.smbString(name, form) } else { writer.uint8(0) }
            place.fill(&writer, form, parameters, data, from: source)
            block.end(&writer)
        }

        package var description: String {
            "TRANSACTION \"\(name)\" \(setup.count) setup words, \(parameters.count) parameter "
                + "bytes, \(data.count) data bytes"
        }
    }

    /// SMB_COM_TRANSACTION_SECONDARY request (MS-CIFS 2.2.4.34.1): a further part. It has no
    /// response of its own.
    ///
    ///     | TotalParameterCount | TotalDataCount | ParameterCount | ParameterOffset |
    ///     | ParameterDisplacement | DataCount | DataOffset | DataDisplacement |
    ///     | ByteCount | pad | Parameters … | pad | Data … |
    package struct TransactionSecondary: CommandBody {
        package static let command = Command.transactionSecondary

        package var totals: TransactionTotals
        package var parameters: Range<Int>
        package var parameterDisplacement: UInt16
        package var data: Range<Int>
        package var dataDisplacement: UInt16

        package init(
            totals: TransactionTotals, parameters: Range<Int>, parameterDisplacement: UInt16,
            data: Range<Int>, dataDisplacement: UInt16
        ) {
            self.totals = totals
            self.parameters = parameters
            self.parameterDisplacement = parameterDisplacement
            self.data = data
            self.dataDisplacement = dataDisplacement
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(8, in: reader)
            var words = reader.part(block.words)
            try self.init(parsing: &words, block, in: reader)
        }

        init(
            parsing words: inout WireReader, _ block: Block, in reader: borrowing WireReader
        ) throws(WireError) {
            totals = try TransactionTotals(parsing: &words)
            let place = try TransactionPlace(parsingDisplaced: &words)
            parameterDisplacement = place.parameterDisplacement
            dataDisplacement = place.dataDisplacement
            parameters = try place.parameters(block, reader)
            data = try place.data(block, reader)
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            write(into: &writer, form, Self.command, fid: nil, from: source)
        }

        func write(
            into writer: inout WireWriter, _ form: Form, _ command: Command, fid: UInt16?,
            from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, command)
            writer.uint16LE(totals.parameterCount)
            writer.uint16LE(totals.dataCount)
            let place = TransactionPlace(
                reservedIn: &writer, parameterDisplacement, dataDisplacement)
            if let fid { writer.uint16LE(fid) }
            block.beginBytes(&writer)
            place.fill(&writer, form, parameters, data, from: source)
            block.end(&writer)
        }

        package var description: String {
            "TRANSACTION_SECONDARY \(parameters.count) parameter bytes, \(data.count) data bytes"
        }
    }

    /// SMB_COM_TRANSACTION response (MS-CIFS 2.2.4.33.2), one of its parts. The interim response
    /// that asks for a request's further parts is empty instead.
    ///
    ///     | TotalParameterCount | TotalDataCount | Reserved | ParameterCount |
    ///     | ParameterOffset | ParameterDisplacement | DataCount | DataOffset |
    ///     | DataDisplacement | SetupCount (1) | Reserved (1) | Setup … |
    ///     | ByteCount | pad | Parameters … | pad | Data … |
    package struct TransactionResponse: CommandBody {
        package static let command = Command.transaction

        package var totals: TransactionTotals
        package var parameterDisplacement: UInt16 = 0
        package var dataDisplacement: UInt16 = 0
        package var setup: [UInt16] = []
        package var parameters: Range<Int>
        package var data: Range<Int>

        /// A response of one part.
        package init(parameters: Range<Int> = 0..<0, data: Range<Int>) {
            totals = TransactionTotals(parameters, data)
            self.parameters = parameters
            self.data = data
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            var words = reader.part(block.words)
            totals = try TransactionTotals(parsing: &words)
            _ = try words.uint16LE("Reserved1")
            let place = try TransactionPlace(parsingDisplaced: &words)
            parameterDisplacement = place.parameterDisplacement
            dataDisplacement = place.dataDisplacement
            setup = try words.setup()
            parameters = try place.parameters(block, reader)
            data = try place.data(block, reader)
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            write(into: &writer, form, Self.command, from: source)
        }

        func write(
            into writer: inout WireWriter, _ form: Form, _ command: Command,
            from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, command)
            writer.uint16LE(totals.parameterCount)
            writer.uint16LE(totals.dataCount)
            writer.uint16LE(0)
            let place = TransactionPlace(
                reservedIn: &writer, parameterDisplacement, dataDisplacement)
            writer.setup(setup)
            block.beginBytes(&writer)
            place.fill(&writer, form, parameters, data, from: source)
            block.end(&writer)
        }

        package var description: String {
            "TRANSACTION \(parameters.count) parameter bytes at \(parameterDisplacement), "
                + "\(data.count) data bytes at \(dataDisplacement)"
        }
    }
}
