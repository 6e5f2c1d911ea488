import Wire

extension SMB1 {
    /// The named-pipe subcommands of SMB_COM_TRANSACTION (MS-CIFS 2.2.5). The subcommand is the
    /// first setup word, the pipe's FID (or a priority) the second.
    package enum NamedPipeCall: Equatable, Sendable, CustomStringConvertible {
        case setState(fid: UInt16, PipeState)
        case rawRead(fid: UInt16)
        case queryState(fid: UInt16)
        case queryInfo(fid: UInt16, level: UInt16)
        case peek(fid: UInt16)
        /// Writes a message and reads the answer, in one exchange.
        case transact(fid: UInt16, Range<Int>)
        case rawWrite(fid: UInt16, Range<Int>)
        case read(fid: UInt16)
        case write(fid: UInt16, Range<Int>)
        /// Waits until the named pipe is free.
        case wait(pipe: String, priority: UInt16)
        /// Opens, transacts and closes.
        case call(pipe: String, priority: UInt16, Range<Int>)

        /// The name in the transaction, alone or before the pipe's own.
        package static let prefix = "\\PIPE\\"

        package enum Subcommand: UInt16, Sendable {
            case setState = 0x01
            case rawRead = 0x11
            case queryState = 0x21
            case queryInfo = 0x22
            case peek = 0x23
            case transact = 0x26
            case rawWrite = 0x31
            case read = 0x36
            case write = 0x37
            case wait = 0x53
            case call = 0x54
        }

        /// Which call a transaction is. The reader is over the message that it was parsed from.
        package init(
            _ transaction: TransactionRequest, in reader: borrowing WireReader
        ) throws(WireError) {
            guard transaction.setup.count == 2 else {
                throw reader.invalid("SetupCount", transaction.setup.count)
            }
            guard let subcommand = Subcommand(rawValue: transaction.setup[0]) else {
                throw reader.invalid("Subcommand", Int(transaction.setup[0]))
            }
            let second = transaction.setup[1]
            var parameters = reader.part(transaction.parameters)
            switch subcommand {
            case .setState:
                let state = PipeState(rawValue: try parameters.uint16LE("PipeState"))
                self = .setState(fid: second, state)
            case .rawRead: self = .rawRead(fid: second)
            case .queryState: self = .queryState(fid: second)
            case .queryInfo:
                self = .queryInfo(fid: second, level: try parameters.uint16LE("Level"))
            case .peek: self = .peek(fid: second)
            case .transact: self = .transact(fid: second, transaction.data)
            case .rawWrite: self = .rawWrite(fid: second, transaction.data)
            case .read: self = .read(fid: second)
            case .write: self = .write(fid: second, transaction.data)
            case .wait:
                self = .wait(pipe: try Self.pipe(transaction, reader), priority: second)
            case .call:
                let pipe = try Self.pipe(transaction, reader)
                self = .call(pipe: pipe, priority: second, transaction.data)
            }
        }

        private static func pipe(
            _ transaction: TransactionRequest, _ reader: borrowing WireReader
        ) throws(WireError) -> String {
            let name = transaction.name
            guard name.utf8.count > prefix.utf8.count,
                name.prefix(prefix.count).uppercased() == prefix
            else { throw reader.invalid("Name", name.utf8.count) }
            return String(name.dropFirst(prefix.count))
        }

        /// The transaction that makes this call. `parameters` is where the caller put the two
        /// bytes of a state or level, for the calls that have them.
        package func transaction(
            maxDataCount: UInt16, parameters: Range<Int> = 0..<0
        ) -> TransactionRequest {
            let (subcommand, second) = setup
            var request = TransactionRequest(
                name: name, setup: [subcommand.rawValue, second], parameters: parameters,
                data: data, maxDataCount: maxDataCount)
            switch self {
            case .queryState: request.maxParameterCount = 2
            case .peek: request.maxParameterCount = 6
            case .rawWrite, .write: request.maxParameterCount = 2
            case .setState, .rawRead, .queryInfo, .transact, .read, .wait, .call: break
            }
            return request
        }

        private var name: String {
            switch self {
            case .wait(let pipe, _), .call(let pipe, _, _): Self.prefix + pipe
            case .setState, .rawRead, .queryState, .queryInfo, .peek, .transact, .rawWrite, .read,
                .write:
                Self.prefix
            }
        }

        private var setup: (Subcommand, UInt16) {
            switch self {
            case .setState(let fid, _): (.setState, fid)
            case .rawRead(let fid): (.rawRead, fid)
            case .queryState(let fid): (.queryState, fid)
            case .queryInfo(let fid, _): (.queryInfo, fid)
            case .peek(let fid): (.peek, fid)
            case .transact(let fid, _): (.transact, fid)
            case .rawWrite(let fid, _): (.rawWrite, fid)
            case .read(let fid): (.read, fid)
            case .write(let fid, _): (.write, fid)
            case .wait(_, let priority): (.wait, priority)
            case .call(_, let priority, _): (.call, priority)
            }
        }

        private var data: Range<Int> {
            switch self {
            case .transact(_, let data), .rawWrite(_, let data), .write(_, let data),
                .call(_, _, let data):
                data
            case .setState, .rawRead, .queryState, .queryInfo, .peek, .read, .wait: 0..<0
            }
        }

        package var description: String {
            switch self {
            case .setState(let fid, let state): "SetNmPipeState fid \(fid) to \(state.rawValue)"
            case .rawRead(let fid): "RawReadNmPipe fid \(fid)"
            case .queryState(let fid): "QueryNmPipeState fid \(fid)"
            case .queryInfo(let fid, let level): "QueryNmPipeInfo fid \(fid) level \(level)"
            case .peek(let fid): "PeekNmPipe fid \(fid)"
            case .transact(let fid, let data): "TransactNmPipe fid \(fid), \(data.count) bytes"
            case .rawWrite(let fid, let data): "RawWriteNmPipe fid \(fid), \(data.count) bytes"
            case .read(let fid): "ReadNmPipe fid \(fid)"
            case .write(let fid, let data): "WriteNmPipe fid \(fid), \(data.count) bytes"
            case .wait(let pipe, _): "WaitNmPipe \"\(pipe)\""
            case .call(let pipe, _, let data): "CallNmPipe \"\(pipe)\", \(data.count) bytes"
            }
        }
    }

    /// How a pipe reads and what it is (MS-CIFS 2.2.1.3, SMB_NMPIPE_STATUS).
    package struct PipeState: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let messageReads = PipeState(rawValue: 0x0100)
        package static let messagePipe = PipeState(rawValue: 0x0400)
        package static let serverEnd = PipeState(rawValue: 0x4000)
        package static let nonblocking = PipeState(rawValue: 0x8000)
        /// A message pipe of 255 instances read message by message, as servers of remote
        /// procedure calls report theirs.
        package static let rpc = PipeState(rawValue: 0x05ff)
    }

    /// The response parameters of TRANS_PEEK_NMPIPE (MS-CIFS 2.2.5.5.2).
    package struct PipePeek: Equatable, Sendable {
        package var readDataAvailable: UInt16
        package var messageBytesLength: UInt16
        package var namedPipeState: UInt16

        package init(readDataAvailable: UInt16, messageBytesLength: UInt16, state: UInt16) {
            self.readDataAvailable = readDataAvailable
            self.messageBytesLength = messageBytesLength
            namedPipeState = state
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            readDataAvailable = try reader.uint16LE("ReadDataAvailable")
            messageBytesLength = try reader.uint16LE("MessageBytesLength")
            namedPipeState = try reader.uint16LE("NamedPipeState")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(readDataAvailable)
            writer.uint16LE(messageBytesLength)
            writer.uint16LE(namedPipeState)
        }
    }

    /// The response data of TRANS_QUERY_NMPIPE_INFO, level 1 (MS-CIFS 2.2.5.4.2).
    package struct PipeInfo: Equatable, Sendable {
        package static let level: UInt16 = 1

        package var outputBufferSize: UInt16
        package var inputBufferSize: UInt16
        package var maximumInstances: UInt8
        package var currentInstances: UInt8
        package var pipeName: String

        package init(bufferSize: UInt16, maximumInstances: UInt8, pipeName: String) {
            outputBufferSize = bufferSize
            inputBufferSize = bufferSize
            self.maximumInstances = maximumInstances
            currentInstances = 1
            self.pipeName = pipeName
        }

        package init(parsing reader: inout WireReader, _ form: Form) throws(WireError) {
            outputBufferSize = try reader.uint16LE("OutputBufferSize")
            inputBufferSize = try reader.uint16LE("InputBufferSize")
            maximumInstances = try reader.uint8("MaximumInstances")
            currentInstances = try reader.uint8("CurrentInstances")
            _ = try reader.uint8("PipeNameLength")
            pipeName = try reader.trailingString(form, "PipeName") ?? ""
        }

        package func write(into writer: inout WireWriter, _ form: Form) {
            writer.uint16LE(outputBufferSize)
            writer.uint16LE(inputBufferSize)
            writer.uint8(maximumInstances)
            writer.uint8(currentInstances)
            let length = writer.count
            writer.uint8(0)
            let start = writer.count
            writer.smbString(pipeName, form)
            writer.patch8(length, min(writer.count - start, 255))
        }
    }
}
