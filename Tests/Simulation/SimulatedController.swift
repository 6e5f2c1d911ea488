import Crypto
import Interfaces
import SMB
import SecureChannel
import Wire

/// A domain controller as its clients see it: the endpoint mapper, the Netlogon service over TCP,
/// and whatever can go wrong with them.
///
/// It speaks with the project's own messages. It takes the calls of one connection in their order
/// and numbers all that is sealed on it in one sequence: a request takes one number, each fragment
/// of a response the next.
package final class SimulatedController {
    /// What becomes of a connection that a client asks for.
    package enum Reception {
        case taken
        case refused
        /// Nothing comes back at all.
        case dark
    }

    /// What befalls one logon.
    package enum Fault {
        /// It is counted, and never answered.
        case silence
        /// The connection is reset, with the call unread.
        case reset
        /// The connection ends in order after the call was read and counted, before its answer.
        case close
        /// A sealed reply that no call has.
        case undecodable
        /// Bytes that are no RPC.
        case nonsense
        /// A reply whose token is another's.
        case wrongToken
        /// The key is forgotten before the call is looked at.
        case forgetKey
    }

    /// How a call under a key that is not known is refused.
    package enum Denial {
        /// A fault, as of the RPC runtime.
        case fault
        /// The call's own status.
        case status
    }

    /// A secure channel with one client.
    struct Session {
        var key: SessionKey
        var chain: CredentialChain
        /// Which of the keys that were made for this client it is.
        var generation: Int
    }

    static let pipePort: UInt16 = 445

    package let address: IPv4Address
    package let name: String
    /// What it says of its users.
    package var logonDomain = "ADLAB"
    package var extraSIDs: [SID] = []
    package let clock: VirtualClock
    package var netlogonPort: UInt16 = 49_152
    package var reception = Reception.taken
    /// A port that the mapper names and that nobody listens at.
    package var isFiltered = false
    /// No port but the one of SMB is let through.
    package var isBehindFirewall = false
    /// What its SMB sessions are refused.
    package var smbRefusals: [SMB2.Command: NTStatus] = [:]
    package var grantsMultiplexing = true
    package var capabilities = NegotiateFlags.modern
    /// The machine accounts with their secrets' hashes.
    package var accounts: [String: Bytes16] = [:]
    /// Milliseconds that a logon takes.
    package var logonTime: UInt64 = 0
    package var denial = Denial.fault
    /// A key that was replaced ends the connections that were sealed with it: each of their calls
    /// is refused.
    package var refusesReplacedKeys = false
    package var faults: [Fault] = []
    /// Groups of other domains that every user is in, as the larger answers tell.
    package var foreignGroups: [SID] = []
    /// What it calls every user and their domain instead of their names.
    package var nameOfAll: String?
    /// What a change of an account's password is answered instead of being made.
    package var passwordRefusal: NTStatus?
    /// The connection ends before such a change is looked at, or after it was made.
    package var losesPasswordCall = false
    package var losesPasswordAnswer = false
    /// Whether it knows the calls of replication: each is answered with nothing but a success.
    package var answersPulls = false
    /// How many questions for names end their connection.
    package var losesTranslations = 0
    /// Takes bytes and does nothing.
    package var isHung = false {
        didSet { if !isHung { for connection in connections { connection.work() } } }
    }

    package var trace: ((String) -> Void)?

    // What happened.
    package private(set) var keysMade = 0
    package private(set) var challenges = 0
    package private(set) var refusedAuthentications = 0
    package private(set) var mappings = 0
    package private(set) var translations = 0
    package private(set) var connectionsTaken = 0
    /// How often the password of a user's logon was looked at.
    package private(set) var validations: [String: Int] = [:]

    /// What the last logon that was looked at asked with.
    package private(set) var lastLogon: LogonInformation?

    private(set) var sessions: [String: Session] = [:]
    private var generation = 0
    private var connections: [ControllerConnection] = []
    private var numbers: SeededNumbers

    package init(_ address: IPv4Address, name: String, clock: VirtualClock, seed: UInt64 = 7) {
        self.address = address
        self.name = name
        self.clock = clock
        numbers = SeededNumbers(seed: seed &+ UInt64(address.rawValue))
    }

    package var openConnections: Int { connections.count }

    /// What the most validated user's logon was validated.
    package var mostValidations: Int { validations.values.max() ?? 0 }

    // MARK: What a test does to it

    /// Ends every connection. One with calls unread is reset.
    package func closeConnections(toMapper: Bool = true) {
        for connection in connections where toMapper || connection.port != EndpointMapper.port {
            connection.end()
        }
    }

    package func forgetKeys() { sessions.removeAll() }

    /// Another host authenticates with the account of `computer`.
    package func replaceKey(of computer: String) {
        let challenge = Bytes8(numbers.bytes(8))
        let key = SessionKey(cipher: .aes, key: Bytes16(numbers.bytes(16)))
        keep(
            computer, key,
            CredentialChain(sessionKey: key, clientCredential: key.credential(challenge)))
    }

    /// Ends all connections and starts anew, without what was in memory.
    package func restart(port: UInt16? = nil) {
        closeConnections()
        forgetKeys()
        if let port { netlogonPort = port }
    }

    func dissolve() { connections.removeAll() }

    // MARK: What its connections need

    func takesConnection(on port: UInt16) -> Reception {
        guard reception == .taken else { return reception }
        if port == Self.pipePort { return .taken }
        if isBehindFirewall { return .dark }
        if port == EndpointMapper.port { return .taken }
        return port == netlogonPort && !isFiltered ? .taken : .refused
    }

    func took(_ connection: ControllerConnection) {
        connectionsTaken += 1
        connections.append(connection)
    }

    func lost(_ connection: ControllerConnection) {
        connections.removeAll { $0 === connection }
    }

    func nextFault() -> Fault? { faults.isEmpty ? nil : faults.removeFirst() }

    func random(_ count: Int) -> [UInt8] { numbers.bytes(count) }

    func countMapping() { mappings += 1 }
    func countTranslation() { translations += 1 }
    func countChallenge() { challenges += 1 }
    func countRefusedAuthentication() { refusedAuthentications += 1 }
    func countValidation(_ user: String, _ information: LogonInformation) {
        lastLogon = information
        validations[user, default: 0] += 1
        trace?("\(clock.now) \(name) looks at the password of \(user)")
    }

    func makeKey(_ computer: String, _ key: SessionKey, _ chain: CredentialChain) {
        keysMade += 1
        keep(computer, key, chain)
    }

    private func keep(_ computer: String, _ key: SessionKey, _ chain: CredentialChain) {
        generation += 1
        sessions[computer] = Session(key: key, chain: chain, generation: generation)
    }

    func moveChain(_ computer: String, _ authenticator: NetlogonAuthenticator?) -> Bytes8? {
        guard let authenticator else { return nil }
        return sessions[computer]?.chain.answer(
            authenticator.credential, timestamp: authenticator.timestamp)
    }
}
