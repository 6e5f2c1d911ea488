import Wire

extension SMB1 {
    /// A client's connection to the named pipes of one server: negotiation, one session, the tree
    /// `IPC$`, and pipes that are opened, called and closed on it.
    ///
    /// It spends as few and as short frames as the peer takes. Session setup, tree connect, the
    /// opening of a pipe and the first calls on it go as **one** message (MS-CIFS 2.2.3.4), each
    /// call as a write with a chained read; later calls are TransactNmPipe. A peer that refuses a
    /// chain gets the rest of it in messages of their own, and no longer chain later.
    package struct ClientSession: PipeSession {
        /// The most requests in flight, if the peer allows that many.
        package static let requestLimit = 16
        /// The most session setups of one logon with extended security; NTLMSSP takes two.
        package static let stepLimit = 5
        /// The longest token of such a step: its length has 16 bits, and more goes with it.
        package static let tokenLimit = 32_768

        /// Requests that went out as one message.
        struct Batch {
            let mid: UInt16
            let operations: [Operation]
            /// The sequence number that signs the answer.
            let answerSequence: UInt32
            var assembly: TransactionAssembly?
        }

        let configuration: Configuration
        var table = PipeTable<Operation>([.negotiate, .sessionSetup, .treeConnect])
        var inFlight: [Batch] = []

        // What the peer has told.
        var peer: NegotiateNTLM?
        var uid: UInt16 = 0
        var tid: UInt16 = 0
        /// The most operations that the peer takes in one message.
        var chainLimit: Int
        var treePath = 0

        var logon: Logon?
        /// With extended security: what the peer has sent last, and the answer that is to go.
        var peerToken: [UInt8] = []
        var step: SecurityStep?
        var steps = 0
        var signing: Signing?
        var isGuest = false
        var sequence: UInt32 = 0
        private var lastMID: UInt16 = 0

        package init(_ configuration: Configuration = Configuration()) {
            self.configuration = configuration
            chainLimit = configuration.chains ? Chain.limit : 1
        }

        // MARK: What the owner asks

        /// Where the peer takes it, the messages go in the same frame.
        package mutating func open(
            _ name: String, exchanging messages: [[UInt8]] = []
        ) -> SMBClientPipe {
            let pipe = table.open(name)
            for message in messages { transact(pipe, message) }
            return pipe
        }

        package mutating func transact(_ pipe: SMBClientPipe, _ message: [UInt8]) {
            table.enqueue([.write(pipe, message, from: 0), .read(pipe)])
        }

        package mutating func write(_ pipe: SMBClientPipe, _ message: [UInt8]) {
            table.enqueue([.write(pipe, message, from: 0)])
        }

        package mutating func read(_ pipe: SMBClientPipe) {
            table.enqueue([.read(pipe)])
        }

        package mutating func close(_ pipe: SMBClientPipe) {
            table.enqueue([.close(pipe)])
        }

        /// Makes a call of the remote administration protocol (MS-RAP 2.5), a transaction of
        /// `\PIPE\LANMAN` that needs no pipe to be opened. `maxDataCount` bounds its answer's data.
        package mutating func administer(_ parameters: [UInt8], maxDataCount: UInt16) {
            table.enqueue([.administer(parameters, maxDataCount: maxDataCount)])
        }

        package mutating func disconnect() {
            table.enqueue([.treeDisconnect, .logoff])
        }

        package mutating func nextEvent() -> SMBSessionEvent? { table.nextEvent() }

        package var isWaiting: Bool { !inFlight.isEmpty }

        package var isIdle: Bool { table.isIdle && inFlight.isEmpty }

        // MARK: Numbers

        /// A multiplex number that no request in flight has. 0xFFFF is the server's own.
        mutating func nextMID() -> UInt16 {
            repeat {
                lastMID = lastMID >= 0xfffe ? 1 : lastMID + 1
            } while inFlight.contains { $0.mid == lastMID }
            return lastMID
        }

        /// The largest message that the peer takes. Before it has told, what all of them take.
        var peerBuffer: Int {
            guard let peer else { return Self.smallestBuffer }
            return Int(min(max(peer.maxBufferSize, UInt32(Self.smallestBuffer)), 65535))
        }

        /// MS-CIFS 2.2.4.52.2: a server's MaxBufferSize is at least this.
        private static let smallestBuffer = 1024
    }
}

extension SMB1.ClientSession {
    /// How a session is to be made.
    package struct Configuration {
        /// How a pipe is opened: OPEN_ANDX costs 48 bytes less than NT_CREATE_ANDX.
        package enum Opening: Sendable {
            case openAndX, ntCreateAndX
        }

        package var credentials = Credentials.anonymous
        /// Whether several requests may go as one message.
        package var chains = true
        /// Whether the first chain goes out with the negotiation, unasked: one round trip less.
        /// Only an anonymous session can, for a user's needs the challenge.
        package var sendsAhead = false
        /// The ways of opening a pipe, in order; a way that fails is followed by the next.
        package var openings: [Opening] = [.openAndX, .ntCreateAndX]
        /// The names of the tree, in order likewise. Samba takes the short one.
        package var treePaths = ["IPC$", "\\\\*SMBSERVER\\IPC$"]
        /// The most bytes of an answer that one exchange brings; no more than 60,000. An answer
        /// that is longer costs further reads.
        package var maxAnswer: UInt16 = 5840
        /// Signs although the peer only offers it. Signed it is always where the peer demands it
        /// and the logon has a key.
        package var prefersSigning = false

        package init() {}
    }

    /// Whose session it is.
    package enum Credentials {
        case anonymous
        /// Computes the responses from what the server has told, its challenge above all. Samba
        /// takes only NTLMv1 this way, unless its `raw NTLMv2 auth` says otherwise.
        case user((SMB1.NegotiateNTLM) -> Logon)
        /// Extended security: answers the token that the server has sent, the first time the one
        /// of its negotiate response. Nil gives up.
        case extended((_ token: [UInt8]) -> SecurityStep?)

        var isExtended: Bool {
            if case .extended = self { return true }
            return false
        }
    }

    /// One session setup with extended security.
    package struct SecurityStep {
        /// NTLMSSP's or SPNEGO's.
        package var token: [UInt8]
        /// No further step is expected, so what comes after the logon may go with this one.
        package var isLast: Bool
        /// Present in the last step where messages can be signed.
        package var signing: SMB1.Signing?

        package init(token: [UInt8], isLast: Bool, signing: SMB1.Signing? = nil) {
            self.token = token
            self.isLast = isLast
            self.signing = signing
        }
    }

    /// What session setup says of the user.
    package struct Logon {
        package var accountName: String
        package var primaryDomain: String
        package var lmResponse: [UInt8]
        package var ntResponse: [UInt8]
        /// Present where messages can be signed.
        package var signing: SMB1.Signing?

        package init(
            accountName: String, primaryDomain: String, lmResponse: [UInt8],
            ntResponse: [UInt8], signing: SMB1.Signing? = nil
        ) {
            self.accountName = accountName
            self.primaryDomain = primaryDomain
            self.lmResponse = lmResponse
            self.ntResponse = ntResponse
            self.signing = signing
        }

        var isASCII: Bool {
            accountName.utf8.allSatisfy { $0 < 128 } && primaryDomain.utf8.allSatisfy { $0 < 128 }
        }
    }

    /// One thing to be done by the peer.
    enum Operation: SessionOperation {
        typealias FileID = UInt16

        case negotiate, sessionSetup, treeConnect
        case open(SMBClientPipe)
        /// Makes the pipe be read message by message.
        case setMode(SMBClientPipe)
        /// The message from a byte on; a message that is too long takes several requests.
        case write(SMBClientPipe, [UInt8], from: Int)
        case read(SMBClientPipe)
        /// A write and its read as one TransactNmPipe.
        case transact(SMBClientPipe, [UInt8])
        case close(SMBClientPipe)
        case administer([UInt8], maxDataCount: UInt16)
        case treeDisconnect, logoff

        /// Nil for what concerns the whole session, and so waits for all and lets all wait.
        var pipe: SMBClientPipe? {
            switch self {
            case .open(let pipe), .setMode(let pipe), .write(let pipe, _, _), .read(let pipe),
                .transact(let pipe, _), .close(let pipe):
                pipe
            case .negotiate, .sessionSetup, .treeConnect, .administer, .treeDisconnect, .logoff:
                nil
            }
        }
    }
}
