import Wire

extension SMB1 {
    /// Any body that this program understands, and any other as its two ranges.
    package enum Body: Equatable, Sendable, CustomStringConvertible {
        case negotiateRequest(NegotiateRequest)
        case negotiateResponse(NegotiateResponse)
        case sessionSetupRequest(SessionSetupRequest)
        case sessionSetupResponse(SessionSetupResponse)
        case logoff(Logoff)
        case treeConnectRequest(TreeConnectRequest)
        case treeConnectResponse(TreeConnectResponse)
        case treeDisconnect(TreeDisconnect)
        case ntCreateRequest(NTCreateRequest)
        case ntCreateResponse(NTCreateResponse)
        case openRequest(OpenRequest)
        case openResponse(OpenResponse)
        case readRequest(ReadRequest)
        case readResponse(ReadResponse)
        case writeRequest(WriteRequest)
        case writeResponse(WriteResponse)
        case closeRequest(CloseRequest)
        case echo(Echo)
        case transactionRequest(TransactionRequest)
        case transactionSecondary(TransactionSecondary)
        case transactionResponse(TransactionResponse)
        case coreOpenRequest(CoreOpenRequest)
        case coreReadRequest(CoreReadRequest)
        case coreWriteRequest(CoreWriteRequest)
        case coreTreeRequest(CoreTreeRequest)
        case processExit(ProcessExit)
        case queryInformationRequest(QueryInformationRequest)
        case checkDirectory(CheckDirectory)
        case queryInformation2Request(QueryInformation2Request)
        case searchRequest(SearchRequest)
        case findClose2(FindClose2)
        case transaction2Request(Transaction2Request)
        case transaction2Secondary(Transaction2Secondary)
        case coreOpenResponse(CoreOpenResponse)
        case coreReadResponse(CoreReadResponse)
        case coreWriteResponse(CoreWriteResponse)
        case coreTreeResponse(CoreTreeResponse)
        case queryInformationResponse(QueryInformationResponse)
        case queryInformation2Response(QueryInformation2Response)
        case searchResponse(SearchResponse)
        case queryInformationDiskResponse(QueryInformationDiskResponse)
        case transaction2Response(Transaction2Response)
        /// No words and no bytes: a response that is a status only.
        case empty(Command)
        case other(Command, words: Range<Int>, bytes: Range<Int>)

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            if block.form.isResponse {
                self = try Self.response(&reader, block)
            } else {
                self = try Self.request(&reader, block)
            }
        }

        private static func request(
            _ reader: inout WireReader, _ block: Block
        ) throws(WireError) -> Body {
            switch block.command {
            case .negotiate: .negotiateRequest(try .init(parsing: &reader, block))
            case .sessionSetupAndX: .sessionSetupRequest(try .init(parsing: &reader, block))
            case .logoffAndX: .logoff(try .init(parsing: &reader, block))
            case .treeConnectAndX: .treeConnectRequest(try .init(parsing: &reader, block))
            case .treeDisconnect: .treeDisconnect(try .init(parsing: &reader, block))
            case .ntCreateAndX: .ntCreateRequest(try .init(parsing: &reader, block))
            case .openAndX: .openRequest(try .init(parsing: &reader, block))
            case .readAndX: .readRequest(try .init(parsing: &reader, block))
            case .writeAndX: .writeRequest(try .init(parsing: &reader, block))
            case .close: .closeRequest(try .init(parsing: &reader, block))
            case .echo: .echo(try .init(parsing: &reader, block))
            case .transaction: .transactionRequest(try .init(parsing: &reader, block))
            case .transactionSecondary:
                .transactionSecondary(try .init(parsing: &reader, block))
            case .open: .coreOpenRequest(try .init(parsing: &reader, block))
            case .read: .coreReadRequest(try .init(parsing: &reader, block))
            case .write: .coreWriteRequest(try .init(parsing: &reader, block))
            case .treeConnect: .coreTreeRequest(try .init(parsing: &reader, block))
            case .processExit: .processExit(try .init(parsing: &reader, block))
            case .queryInformation: .queryInformationRequest(try .init(parsing: &reader, block))
            case .checkDirectory: .checkDirectory(try .init(parsing: &reader, block))
            case .queryInformation2: .queryInformation2Request(try .init(parsing: &reader, block))
            case .search: .searchRequest(try .init(parsing: &reader, block))
            case .findClose2: .findClose2(try .init(parsing: &reader, block))
            case .transaction2: .transaction2Request(try .init(parsing: &reader, block))
            case .transaction2Secondary: .transaction2Secondary(try .init(parsing: &reader, block))
            case _: .other(block.command, words: block.words, bytes: block.bytes)
            }
        }

        private static func response(
            _ reader: inout WireReader, _ block: Block
        ) throws(WireError) -> Body {
            if block.isEmpty { return .empty(block.command) }
            return switch block.command {
            case .negotiate: .negotiateResponse(try .init(parsing: &reader, block))
            case .sessionSetupAndX: .sessionSetupResponse(try .init(parsing: &reader, block))
            case .logoffAndX: .logoff(try .init(parsing: &reader, block))
            case .treeConnectAndX: .treeConnectResponse(try .init(parsing: &reader, block))
            case .ntCreateAndX: .ntCreateResponse(try .init(parsing: &reader, block))
            case .openAndX: .openResponse(try .init(parsing: &reader, block))
            case .readAndX: .readResponse(try .init(parsing: &reader, block))
            case .writeAndX: .writeResponse(try .init(parsing: &reader, block))
            case .echo: .echo(try .init(parsing: &reader, block))
            case .transaction: .transactionResponse(try .init(parsing: &reader, block))
            case .open: .coreOpenResponse(try .init(parsing: &reader, block))
            case .read: .coreReadResponse(try .init(parsing: &reader, block))
            case .write: .coreWriteResponse(try .init(parsing: &reader, block))
            case .treeConnect: .coreTreeResponse(try .init(parsing: &reader, block))
            case .queryInformation: .queryInformationResponse(try .init(parsing: &reader, block))
            case .queryInformation2: .queryInformation2Response(try .init(parsing: &reader, block))
            case .search: .searchResponse(try .init(parsing: &reader, block))
            case .queryInformationDisk:
                .queryInformationDiskResponse(try .init(parsing: &reader, block))
            case .transaction2: .transaction2Response(try .init(parsing: &reader, block))
            case _: .other(block.command, words: block.words, bytes: block.bytes)
            }
        }

        package func append(
            to chain: inout ChainWriter, _ writer: inout WireWriter,
            from source: borrowing Span<UInt8>
        ) {
            switch self {
            case .negotiateRequest(let body): chain.append(body, into: &writer, from: source)
            case .negotiateResponse(let body): chain.append(body, into: &writer, from: source)
            case .sessionSetupRequest(let body): chain.append(body, into: &writer, from: source)
            case .sessionSetupResponse(let body): chain.append(body, into: &writer, from: source)
            case .logoff(let body): chain.append(body, into: &writer, from: source)
            case .treeConnectRequest(let body): chain.append(body, into: &writer, from: source)
            case .treeConnectResponse(let body): chain.append(body, into: &writer, from: source)
            case .treeDisconnect(let body): chain.append(body, into: &writer, from: source)
            case .ntCreateRequest(let body): chain.append(body, into: &writer, from: source)
            case .ntCreateResponse(let body): chain.append(body, into: &writer, from: source)
            case .openRequest(let body): chain.append(body, into: &writer, from: source)
            case .openResponse(let body): chain.append(body, into: &writer, from: source)
            case .readRequest(let body): chain.append(body, into: &writer, from: source)
            case .readResponse(let body): chain.append(body, into: &writer, from: source)
            case .writeRequest(let body): chain.append(body, into: &writer, from: source)
            case .writeResponse(let body): chain.append(body, into: &writer, from: source)
            case .closeRequest(let body): chain.append(body, into: &writer, from: source)
            case .echo(let body): chain.append(body, into: &writer, from: source)
            case .transactionRequest(let body): chain.append(body, into: &writer, from: source)
            case .transactionSecondary(let body): chain.append(body, into: &writer, from: source)
            case .transactionResponse(let body): chain.append(body, into: &writer, from: source)
            case .coreOpenRequest(let body): chain.append(body, into: &writer, from: source)
            case .coreReadRequest(let body): chain.append(body, into: &writer, from: source)
            case .coreWriteRequest(let body): chain.append(body, into: &writer, from: source)
            case .coreTreeRequest(let body): chain.append(body, into: &writer, from: source)
            case .processExit(let body): chain.append(body, into: &writer, from: source)
            case .queryInformationRequest(let body): chain.append(body, into: &writer, from: source)
            case .checkDirectory(let body): chain.append(body, into: &writer, from: source)
            case .queryInformation2Request(let body):
                chain.append(body, into: &writer, from: source)
            case .searchRequest(let body): chain.append(body, into: &writer, from: source)
            case .findClose2(let body): chain.append(body, into: &writer, from: source)
            case .transaction2Request(let body): chain.append(body, into: &writer, from: source)
            case .transaction2Secondary(let body): chain.append(body, into: &writer, from: source)
            case .coreOpenResponse(let body): chain.append(body, into: &writer, from: source)
            case .coreReadResponse(let body): chain.append(body, into: &writer, from: source)
            case .coreWriteResponse(let body): chain.append(body, into: &writer, from: source)
            case .coreTreeResponse(let body): chain.append(body, into: &writer, from: source)
            case .queryInformationResponse(let body):
                chain.append(body, into: &writer, from: source)
            case .queryInformation2Response(let body):
                chain.append(body, into: &writer, from: source)
            case .searchResponse(let body): chain.append(body, into: &writer, from: source)
            case .queryInformationDiskResponse(let body):
                chain.append(body, into: &writer, from: source)
            case .transaction2Response(let body): chain.append(body, into: &writer, from: source)
            case .empty(let command): chain.appendEmpty(command, into: &writer)
            case .other(let command, let words, let bytes):
                chain.append(command, words: words, bytes: bytes, into: &writer, from: source)
            }
        }

        package var description: String {
            switch self {
            case .negotiateRequest(let body): body.description
            case .negotiateResponse(let body): body.description
            case .sessionSetupRequest(let body): body.description
            case .sessionSetupResponse(let body): body.description
            case .logoff(let body): body.description
            case .treeConnectRequest(let body): body.description
            case .treeConnectResponse(let body): body.description
            case .treeDisconnect(let body): body.description
            case .ntCreateRequest(let body): body.description
            case .ntCreateResponse(let body): body.description
            case .openRequest(let body): body.description
            case .openResponse(let body): body.description
            case .readRequest(let body): body.description
            case .readResponse(let body): body.description
            case .writeRequest(let body): body.description
            case .writeResponse(let body): body.description
            case .closeRequest(let body): body.description
            case .echo(let body): body.description
            case .transactionRequest(let body): body.description
            case .transactionSecondary(let body): body.description
            case .transactionResponse(let body): body.description
            case .coreOpenRequest(let body): body.description
            case .coreReadRequest(let body): body.description
            case .coreWriteRequest(let body): body.description
            case .coreTreeRequest(let body): body.description
            case .processExit(let body): body.description
            case .queryInformationRequest(let body): body.description
            case .checkDirectory(let body): body.description
            case .queryInformation2Request(let body): body.description
            case .searchRequest(let body): body.description
            case .findClose2(let body): body.description
            case .transaction2Request(let body): body.description
            case .transaction2Secondary(let body): body.description
            case .coreOpenResponse(let body): body.description
            case .coreReadResponse(let body): body.description
            case .coreWriteResponse(let body): body.description
            case .coreTreeResponse(let body): body.description
            case .queryInformationResponse(let body): body.description
            case .queryInformation2Response(let body): body.description
            case .searchResponse(let body): body.description
            case .queryInformationDiskResponse(let body): body.description
            case .transaction2Response(let body): body.description
            case .empty(let command): command.description
            case .other(let command, let words, let bytes):
                "\(command.description), \(words.count) bytes of words, \(bytes.count) bytes"
            }
        }
    }

    /// A whole message: the header and every chained body. For those who want to see all of it;
    /// the cores walk the chain themselves.
    package struct Message: Equatable, Sendable, CustomStringConvertible {
        package var header: Header
        package var bodies: [Body]

        package init(header: Header, bodies: [Body]) {
            self.header = header
            self.bodies = bodies
        }

        /// Bytes after the last block are not looked at: Windows pads some responses.
        package init(parsing reader: inout WireReader) throws(WireError) {
            var chain = try Chain(parsing: &reader)
            header = chain.header
            bodies = []
            while let block = try chain.nextBlock(&reader) {
                bodies.append(try Body(parsing: &reader, block))
            }
        }

        package func write(into writer: inout WireWriter, from source: borrowing Span<UInt8>) {
            var chain = ChainWriter(header, into: &writer)
            for body in bodies { body.append(to: &chain, &writer, from: source) }
        }

        package var description: String {
            var text = header.description
            for body in bodies { text += "\n  " + body.description }
            return text
        }
    }
}
