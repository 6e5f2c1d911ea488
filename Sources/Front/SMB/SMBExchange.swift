import SMB
import Wire

/// One request on its way through its chain of commands, and the response as far as it is there.
///
/// Where a command has to wait for somebody, the exchange waits with it, and goes on with the
/// rest of the chain when the answer has come.
final class SMBExchange {
    /// What the exchange waits for.
    enum Wait {
        case logon(token: UInt64, SMBLogon)
        /// A message of the pipe, to answer a read or a TransactNmPipe.
        case pipe(SMBPipeRead)
        /// The same of a pipe that was opened for this one call.
        case call(SMBPipe)
    }

    let message: [UInt8]
    let header: SMB1.Header
    private(set) var chain: SMB1.Chain
    /// The command that is being carried out.
    private(set) var command: SMB1.Command
    var writer = WireWriter(capacity: 128)
    private var response: SMB1.ChainWriter
    /// The first command of the response.
    private var first: SMB1.Command
    /// As the chain has made them so far.
    var uid: UInt16
    var tid: UInt16
    /// What the chain itself has opened; stands for FID 0xFFFF.
    var openedFID: UInt16?
    var status = NTStatus.success
    var answerSequence: UInt32 = 0
    var wait: Wait?
    /// The most bytes that CallNmPipe is answered with.
    var maxDataCount = 0
    /// A transaction that wants no response (MS-CIFS 2.2.4.33.1, Flags), not even to its faults.
    var isOneWay = false
    /// A transaction with whose end its tree is given back.
    var endsTree = false

    init(_ message: [UInt8]) throws(WireError) {
        self.message = message
        var reader = WireReader(message.span, layer: "SMB1")
        let chain = try SMB1.Chain(parsing: &reader)
        self.chain = chain
        header = chain.header
        command = header.command
        first = header.command
        uid = header.uid
        tid = header.tid
        response = SMB1.ChainWriter(header.response(.success), into: &writer)
    }

    /// The bytes that it has the server keep: of the request, and of what is answered so far.
    var heldBytes: Int { message.count + writer.count }

    var pid: UInt32 { UInt32(header.pidHigh) << 16 | UInt32(header.pidLow) }

    /// How strings and offsets are written in the response.
    var form: SMB1.Form { response.form }

    @_lifetime(reader: copy reader)
    func nextBlock(_ reader: inout WireReader) throws(WireError) -> SMB1.Block? {
        let block = try chain.nextBlock(&reader)
        if let block { command = block.command }
        return block
    }

    /// Adds a command's response.
    func append<Body: SMB1.CommandBody>(_ body: Body, from source: [UInt8] = []) {
        response.append(body, into: &writer, from: source)
    }

    /// Adds a response without words and bytes: of a command that has none, or that failed.
    func appendEmpty() { response.appendEmpty(command, into: &writer) }

    /// A response of AndX commands that have no words of their own.
    func appendEmptyAndX() {
        let nothing: [UInt8] = []
        response.append(
            command, words: 0..<0, bytes: 0..<0, into: &writer, from: nothing.span)
    }

    /// The response with its header as it is in the end.
    func finished() -> [UInt8] {
        var answer = header.response(status)
        answer.command = first
        answer.uid = uid
        answer.tid = tid
        var head = WireWriter(capacity: SMB1.Header.size)
        answer.write(into: &head)
        writer.overwrite(0, with: head.finish())
        return writer.finish()
    }

    /// Begins the response anew, for a further one to the same request.
    func restart() {
        writer.removeAll()
        first = command
        response = SMB1.ChainWriter(header.response(.success), into: &writer)
    }
}

/// How far carrying out a command got.
enum SMBStep {
    /// The response is there; the chain goes on.
    case done
    /// Nothing is there, and the chain ends.
    case failed(NTStatus)
    /// The exchange's `wait` says for what.
    case waiting
    /// All that is to be sent has been sent, or nothing is.
    case answered
}
