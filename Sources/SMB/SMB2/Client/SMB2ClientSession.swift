import Wire

extension SMB2 {
    /// A client's connection to the named pipes of one server (MS-SMB2 3.2): negotiation, one
    /// session, the tree `IPC$`, and pipes that are opened, called and closed on it.
    ///
    /// Requests go one after the other. Who wants several calls at once makes several connections,
    /// as a pipe carries one at a time anyhow.
    package struct ClientSession: PipeSession {
        /// The most session setups of one logon; NTLMSSP takes two.
        package static let stepLimit = 5

        /// One thing to be done by the peer.
        enum Operation: SessionOperation {
            typealias FileID = SMB2.FileID

            case negotiate, sessionSetup, treeConnect
            case open(SMBClientPipe)
            case write(SMBClientPipe, [UInt8])
            case read(SMBClientPipe)
            /// A write and its read as one FSCTL_PIPE_TRANSCEIVE.
            case transact(SMBClientPipe, [UInt8])
            case close(SMBClientPipe)
            case treeDisconnect, logoff

            var pipe: SMBClientPipe? {
                switch self {
                case .open(let pipe), .write(let pipe, _), .read(let pipe),
                    .transact(let pipe, _), .close(let pipe):
                    pipe
                case .negotiate, .sessionSetup, .treeConnect, .treeDisconnect, .logoff: nil
                }
            }

            var command: Command {
                switch self {
                case .negotiate: .negotiate
                case .sessionSetup: .sessionSetup
                case .treeConnect: .treeConnect
                case .open: .create
                case .write: .write
                case .read: .read
                case .transact: .ioctl
                case .close: .close
                case .treeDisconnect: .treeDisconnect
                case .logoff: .logoff
                }
            }
        }

        let configuration: Configuration
        var table = PipeTable<Operation>([.negotiate, .sessionSetup, .treeConnect])
        /// What was sent last, until its response is there.
        var inFlight: Operation?

        // What the peer has told.
        /// What it has sent last for the logon, and the answer that is to go.
        var peerToken: [UInt8] = []
        var step: SecurityStep?
        var steps = 0
        var signing: Signing?
        var sessionID: UInt64 = 0
        var treeID: UInt32 = 0
        /// Of the request in flight, or of the next one.
        var messageID: UInt64 = 0
        /// Requests that the peer allows (MS-SMB2 3.2.4.1.2).
        var credits = 1
        var isGuest = false

        package init(_ configuration: Configuration) { self.configuration = configuration }

        // MARK: What the owner asks

        package mutating func open(
            _ name: String, exchanging messages: [[UInt8]] = []
        ) -> SMBClientPipe {
            let pipe = table.open(name)
            for message in messages { transact(pipe, message) }
            return pipe
        }

        package mutating func transact(_ pipe: SMBClientPipe, _ message: [UInt8]) {
            table.enqueue([.transact(pipe, message)])
        }

        package mutating func write(_ pipe: SMBClientPipe, _ message: [UInt8]) {
            table.enqueue([.write(pipe, message)])
        }

        package mutating func read(_ pipe: SMBClientPipe) { table.enqueue([.read(pipe)]) }

        package mutating func close(_ pipe: SMBClientPipe) { table.enqueue([.close(pipe)]) }

        package mutating func disconnect() { table.enqueue([.treeDisconnect, .logoff]) }

        package mutating func nextEvent() -> SMBSessionEvent? { table.nextEvent() }

        package var isWaiting: Bool { inFlight != nil }

        package var isIdle: Bool { table.isIdle && inFlight == nil }
    }
}

extension SMB2.ClientSession {
    /// How a session is to be made.
    package struct Configuration {
        /// The server as paths name it: its name or its address.
        package var server: String
        /// A number of this connection's own (MS-SMB2 2.2.3).
        package var clientGUID: Bytes16
        /// Salt of the hash that SMB 3.1.1 begins with.
        package var salt: Bytes16
        /// The versions that are offered: all of them for a session that has nothing to sign;
        /// where there is a key to sign with, those whose signatures this end makes.
        package var dialects: [SMB2.Dialect]
        /// Answers the token that the server has sent, the first time the one of its negotiate
        /// response. Nil gives up.
        package var authenticate: (_ token: [UInt8]) -> SecurityStep?
        /// The most bytes of an answer that one exchange brings. An answer that is longer costs
        /// further reads.
        package var maxAnswer: UInt32 = 5_840

        package static let unsigned: [SMB2.Dialect] = [.smb202, .smb21, .smb30, .smb302, .smb311]
        package static let signed: [SMB2.Dialect] = [.smb202, .smb21]

        package init(
            server: String, clientGUID: Bytes16, salt: Bytes16, dialects: [SMB2.Dialect],
            authenticate: @escaping (_ token: [UInt8]) -> SecurityStep?
        ) {
            self.server = server
            self.clientGUID = clientGUID
            self.salt = salt
            self.dialects = dialects
            self.authenticate = authenticate
        }
    }

    /// One session setup.
    package struct SecurityStep {
        /// NTLMSSP's or SPNEGO's.
        package var token: [UInt8]
        /// Present in the last step where messages are to be signed.
        package var signing: SMB2.Signing?

        package init(token: [UInt8], signing: SMB2.Signing? = nil) {
            self.token = token
            self.signing = signing
        }
    }
}
