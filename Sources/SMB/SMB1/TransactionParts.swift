import Wire

extension SMB1 {
    /// How much all parts of a transaction's request or response bring together. A later part may
    /// say less than an earlier one, never more.
    package struct TransactionTotals: Equatable, Sendable {
        package var parameterCount: UInt16
        package var dataCount: UInt16

        package init(parameterCount: UInt16, dataCount: UInt16) {
            self.parameterCount = parameterCount
            self.dataCount = dataCount
        }

        package init(_ parameters: Range<Int>, _ data: Range<Int>) {
            parameterCount = UInt16(parameters.count)
            dataCount = UInt16(data.count)
        }

        init(parsing words: inout WireReader) throws(WireError) {
            parameterCount = try words.uint16LE("TotalParameterCount")
            dataCount = try words.uint16LE("TotalDataCount")
        }

        /// Nil where these ranges are all there is. There cannot be more than all.
        func unless(
            _ parameters: Range<Int>, _ data: Range<Int>, _ words: inout WireReader
        ) throws(WireError) -> TransactionTotals? {
            if parameters.count > Int(parameterCount) || data.count > Int(dataCount) {
                throw words.invalid("TotalDataCount", Int(dataCount))
            }
            return self == TransactionTotals(parameters, data) ? nil : self
        }
    }

    /// The counts, offsets and displacements of one part.
    struct TransactionPlace {
        private var parameterCount = 0
        private var parameterOffset = 0
        private(set) var parameterDisplacement: UInt16 = 0
        private var dataCount = 0
        private var dataOffset = 0
        private(set) var dataDisplacement: UInt16 = 0
        /// Where the words are that get counts and offsets when the bytes are there.
        private var parameterWords = 0
        private var dataWords = 0

        init(parsing words: inout WireReader) throws(WireError) {
            parameterCount = Int(try words.uint16LE("ParameterCount"))
            parameterOffset = Int(try words.uint16LE("ParameterOffset"))
            dataCount = Int(try words.uint16LE("DataCount"))
            dataOffset = Int(try words.uint16LE("DataOffset"))
        }

        init(parsingDisplaced words: inout WireReader) throws(WireError) {
            parameterCount = Int(try words.uint16LE("ParameterCount"))
            parameterOffset = Int(try words.uint16LE("ParameterOffset"))
            parameterDisplacement = try words.uint16LE("ParameterDisplacement")
            dataCount = Int(try words.uint16LE("DataCount"))
            dataOffset = Int(try words.uint16LE("DataOffset"))
            dataDisplacement = try words.uint16LE("DataDisplacement")
        }

        init(reservedIn writer: inout WireWriter) {
            parameterWords = writer.count
            dataWords = writer.count + 4
            writer.zeros(8)
        }

        init(
            reservedIn writer: inout WireWriter, _ parameterDisplacement: UInt16,
            _ dataDisplacement: UInt16
        ) {
            parameterWords = writer.count
            writer.zeros(4)
            writer.uint16LE(parameterDisplacement)
            dataWords = writer.count
            writer.zeros(4)
            writer.uint16LE(dataDisplacement)
        }

        func parameters(
            _ block: Block, _ reader: borrowing WireReader
        ) throws(WireError) -> Range<Int> {
            try block.range(at: parameterOffset, count: parameterCount, in: reader, "Parameters")
        }

        func data(
            _ block: Block, _ reader: borrowing WireReader
        ) throws(WireError) -> Range<Int> {
            try block.range(at: dataOffset, count: dataCount, in: reader, "Data")
        }

        /// The bytes of both, and their counts and offsets in the words. The specification aligns
        /// to four bytes as a recommendation; two are enough for every server known, and cost
        /// nothing behind `\PIPE\`.
        func fill(
            _ writer: inout WireWriter, _ form: Form, _ parameters: Range<Int>,
            _ data: Range<Int>, from source: borrowing Span<UInt8>
        ) {
            if !parameters.isEmpty { writer.align(2, from: form.base) }
            writer.patch16LE(parameterWords, parameters.count)
            writer.patch16LE(parameterWords + 2, writer.count - form.base)
            writer.append(source.extracting(parameters))
            if !data.isEmpty { writer.align(2, from: form.base) }
            writer.patch16LE(dataWords, data.count)
            writer.patch16LE(dataWords + 2, writer.count - form.base)
            writer.append(source.extracting(data))
        }
    }

    /// Puts the parts of a transaction's request or response together.
    package struct TransactionAssembly {
        package private(set) var parameters: [UInt8]
        package private(set) var data: [UInt8]
        private var totals: TransactionTotals
        private var parametersDone = 0
        private var dataDone = 0

        /// The first part's totals bound what is kept; each is at most 65,535 bytes.
        package init(_ totals: TransactionTotals) {
            self.totals = totals
            parameters = [UInt8](repeating: 0, count: Int(totals.parameterCount))
            data = [UInt8](repeating: 0, count: Int(totals.dataCount))
        }

        package var isComplete: Bool {
            parametersDone >= Int(totals.parameterCount) && dataDone >= Int(totals.dataCount)
        }

        /// Takes one part. Parts come in order (MS-CIFS 3.2.5.1.4): one that overlaps, leaves a
        /// gap, brings nothing or raises the totals is refused.
        package mutating func add(
            _ part: TransactionTotals, parameters partParameters: Range<Int>, at first: UInt16,
            data partData: Range<Int>, at second: UInt16, from reader: borrowing WireReader
        ) throws(WireError) {
            if part.parameterCount > totals.parameterCount || part.dataCount > totals.dataCount {
                throw reader.invalid("TotalDataCount", Int(part.dataCount))
            }
            totals = part
            if !partParameters.isEmpty && Int(first) != parametersDone {
                throw reader.invalid("ParameterDisplacement", Int(first))
            }
            if !partData.isEmpty && Int(second) != dataDone {
                throw reader.invalid("DataDisplacement", Int(second))
            }
            if parametersDone + partParameters.count > Int(totals.parameterCount)
                || dataDone + partData.count > Int(totals.dataCount)
            {
                throw reader.invalid("DataCount", partData.count)
            }
            for index in 0..<partParameters.count {
                parameters[parametersDone + index] =
                    reader.span[partParameters.lowerBound + index]
            }
            for index in 0..<partData.count {
                data[dataDone + index] = reader.span[partData.lowerBound + index]
            }
            parametersDone += partParameters.count
            dataDone += partData.count
            if partParameters.isEmpty && partData.isEmpty && !isComplete {
                throw reader.invalid("DataCount", 0)
            }
            if isComplete {
                parameters.removeLast(parameters.count - parametersDone)
                data.removeLast(data.count - dataDone)
            }
        }
    }
}

extension WireReader {
    /// SetupCount, Reserved and the setup words, which end the words.
    @_lifetime(self: copy self)
    mutating func setup() throws(WireError) -> [UInt16] {
        let count = Int(try uint8("SetupCount"))
        _ = try uint8("Reserved")
        try need(count * 2, "Setup")
        var words: [UInt16] = []
        words.reserveCapacity(count)
        for _ in 0..<count { words.append(try uint16LE("Setup")) }
        try expectEnd("Words")
        return words
    }
}

extension WireWriter {
    mutating func setup(_ words: [UInt16]) {
        uint8(UInt8(words.count))
        uint8(0)
        for word in words { uint16LE(word) }
    }
}
