import Wire

extension SMB2 {
    /// SMB2 ERROR response (MS-SMB2 2.2.2), in place of any other where a status says why.
    ///
    ///     | StructureSize 9 | ErrorContextCount (1) | Reserved (1) | ByteCount (4) | ErrorData … |
    package struct ErrorResponse: Equatable, Sendable {
        package init() {}

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(9)
            _ = try reader.uint8("ErrorContextCount")
            _ = try reader.uint8("Reserved")
            _ = try reader.uint32LE("ByteCount")
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(9)
            writer.zeros(6)
            // There is a byte at least, whatever is in it.
            writer.uint8(0)
        }
    }

    /// What follows a header: all that sessions with pipes are made of, and the rest as its range.
    package enum Body: Equatable, Sendable {
        case negotiateRequest(NegotiateRequest)
        case negotiateResponse(NegotiateResponse)
        case sessionSetupRequest(SessionSetupRequest)
        case sessionSetupResponse(SessionSetupResponse)
        case treeConnectRequest(TreeConnectRequest)
        case treeConnectResponse(TreeConnectResponse)
        case createRequest(CreateRequest)
        case createResponse(CreateResponse)
        case closeRequest(CloseRequest)
        case closeResponse(CloseResponse)
        case readRequest(ReadRequest)
        case readResponse(ReadResponse)
        case writeRequest(WriteRequest)
        case writeResponse(WriteResponse)
        case transceiveRequest(TransceiveRequest)
        case transceiveResponse(TransceiveResponse)
        /// TREE_DISCONNECT or LOGOFF.
        case farewell(Farewell)
        case error(ErrorResponse)
        case other(Range<Int>)

        /// `base`: where the header begins.
        package init(
            parsing reader: inout WireReader, _ header: Header, from base: Int
        ) throws(WireError) {
            if !header.flags.contains(.response) {
                self = try Self.request(&reader, header.command, base)
            } else if header.carriesAnswer {
                self = try Self.response(&reader, header.command, base)
            } else {
                self = .error(try .init(parsing: &reader))
            }
        }

        private static func request(
            _ reader: inout WireReader, _ command: Command, _ base: Int
        ) throws(WireError) -> Body {
            switch command {
            case .negotiate: .negotiateRequest(try .init(parsing: &reader, from: base))
            case .sessionSetup: .sessionSetupRequest(try .init(parsing: &reader, from: base))
            case .treeConnect: .treeConnectRequest(try .init(parsing: &reader, from: base))
            case .treeDisconnect, .logoff: .farewell(try .init(parsing: &reader))
            case .create: .createRequest(try .init(parsing: &reader, from: base))
            case .close: .closeRequest(try .init(parsing: &reader))
            case .read: .readRequest(try .init(parsing: &reader))
            case .write: .writeRequest(try .init(parsing: &reader, from: base))
            case .ioctl where try isTransceive(reader):
                .transceiveRequest(try .init(parsing: &reader, from: base))
            case _: .other(reader.takeRest())
            }
        }

        private static func response(
            _ reader: inout WireReader, _ command: Command, _ base: Int
        ) throws(WireError) -> Body {
            switch command {
            case .negotiate: .negotiateResponse(try .init(parsing: &reader, from: base))
            case .sessionSetup: .sessionSetupResponse(try .init(parsing: &reader, from: base))
            case .treeConnect: .treeConnectResponse(try .init(parsing: &reader))
            case .treeDisconnect, .logoff: .farewell(try .init(parsing: &reader))
            case .create: .createResponse(try .init(parsing: &reader))
            case .close: .closeResponse(try .init(parsing: &reader))
            case .read: .readResponse(try .init(parsing: &reader, from: base))
            case .write: .writeResponse(try .init(parsing: &reader))
            case .ioctl where try isTransceive(reader):
                .transceiveResponse(try .init(parsing: &reader, from: base))
            case _: .other(reader.takeRest())
            }
        }

        /// Whether an IOCTL is a pipe's: its code is where it is in requests and responses.
        private static func isTransceive(
            _ reader: borrowing WireReader
        ) throws(WireError) -> Bool {
            var glance = reader.part(reader.offset..<reader.end)
            _ = try glance.uint32LE("StructureSize")
            return try glance.uint32LE("CtlCode") == TransceiveRequest.controlCode
        }

        /// `source` holds the bytes of all ranges.
        package func write(
            into writer: inout WireWriter, from source: Span<UInt8>, base: Int
        ) {
            func bytes(_ range: Range<Int>) -> [UInt8] {
                [UInt8](copying: source.extracting(range))
            }
            switch self {
            case .negotiateRequest(let body): body.write(into: &writer, from: base)
            case .negotiateResponse(let body):
                body.write(into: &writer, from: base, token: bytes(body.securityBuffer))
            case .sessionSetupRequest(let body):
                body.write(into: &writer, from: base, token: bytes(body.securityBuffer))
            case .sessionSetupResponse(let body):
                body.write(into: &writer, from: base, token: bytes(body.securityBuffer))
            case .treeConnectRequest(let body): body.write(into: &writer, from: base)
            case .treeConnectResponse(let body): body.write(into: &writer)
            case .createRequest(let body): body.write(into: &writer, from: base)
            case .createResponse(let body): body.write(into: &writer)
            case .closeRequest(let body): body.write(into: &writer)
            case .closeResponse(let body): body.write(into: &writer)
            case .readRequest(let body): body.write(into: &writer)
            case .readResponse(let body):
                body.write(into: &writer, from: base, data: bytes(body.data))
            case .writeRequest(let body):
                body.write(into: &writer, from: base, data: bytes(body.data))
            case .writeResponse(let body): body.write(into: &writer)
            case .transceiveRequest(let body):
                body.write(into: &writer, from: base, message: bytes(body.input))
            case .transceiveResponse(let body):
                body.write(into: &writer, from: base, message: bytes(body.output))
            case .farewell(let body): body.write(into: &writer)
            case .error(let body): body.write(into: &writer)
            case .other(let range): writer.append(source.extracting(range))
            }
        }
    }

    /// One message: a header and its body.
    package struct Message: Equatable, Sendable {
        package var header: Header
        package var body: Body

        package init(_ header: Header, _ body: Body) {
            self.header = header
            self.body = body
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            let base = reader.offset
            header = try Header(parsing: &reader)
            body = try Body(parsing: &reader, header, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from source: Span<UInt8>) {
            let base = writer.count
            header.write(into: &writer)
            body.write(into: &writer, from: source, base: base)
        }
    }
}
