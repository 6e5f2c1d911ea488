import Crypto
import Domain
import Interfaces
import NTLM
import SecureChannel
import Wire

/// A secure channel that a computer or another domain has established with us: it outlives the
/// connection on which that happened (MS-NRPC 3.5.1, ServerSessionInfo).
package final class ChannelSession {
    package let computer: String
    package let account: String
    package let accountRID: UInt32
    package let type: SecureChannelType
    package let key: SessionKey
    /// What was granted, and what was asked for.
    package let flags: UInt32
    package let requestedFlags: UInt32
    /// Its account's entry says that it needs no seal.
    package let isOldFashioned: Bool
    private let domain: LocalDomain
    /// The account's hash that made the key, or what the channel's owner has changed it to since.
    var secret: Bytes16
    fileprivate var chain: CredentialChain
    fileprivate var lastUsed: UInt64

    init(
        computer: String, account: Account, of domain: LocalDomain, secret: Bytes16,
        type: SecureChannelType, key: SessionKey, flags: UInt32, requestedFlags: UInt32,
        isOldFashioned: Bool, chain: CredentialChain, now: UInt64
    ) {
        self.computer = computer
        self.account = account.name
        accountRID = account.rid
        self.domain = domain
        self.secret = secret
        self.type = type
        self.key = key
        self.flags = flags
        self.requestedFlags = requestedFlags
        self.isOldFashioned = isOldFashioned
        self.chain = chain
        lastUsed = now
    }

    /// Whether the account is still what the channel was made by: there, enabled, of the channel's
    /// kind, and with its secret.
    package var isCurrent: Bool {
        guard let account = domain.accounts[accountRID] else { return false }
        return account.mayHaveChannel(type) && account.channelHashes.contains(secret)
    }

    /// Moves the chain on by a client's authenticator (MS-NRPC 3.1.4.5), or leaves it where it was.
    package func advance(_ authenticator: NetlogonAuthenticator) -> NetlogonAuthenticator? {
        let answer = chain.answer(
            authenticator.credential, timestamp: authenticator.timestamp)
        return answer.map { NetlogonAuthenticator(credential: $0) }
    }

    /// Neither AES nor RC4: what travels under the key is encrypted by DES.
    var usesDES: Bool {
        let granted = SecureChannel.NegotiateFlags(rawValue: flags)
        return !granted.contains(.aes) && !granted.contains(.rc4)
    }
}

/// The secure channels of all computers, and the challenges that are on their way to becoming
/// one. Both are bounded; what was used least recently goes first.
package final class ChannelTable: ChannelKeys {
    package enum Limit {
        package static let sessions = 10_000
        package static let challenges = 1_024
        /// Milliseconds that a challenge waits for its answer.
        package static let challengeAge: UInt64 = 120_000
        /// Wrong credentials of one account from one address, within `failureWindow`.
        package static let failures = 20
        package static let failureWindow: UInt64 = 60_000
        package static let failureEntries = 4_096
    }

    /// The challenges of both ends, good for one authentication.
    final class Challenge {
        let computer: String
        let client: Bytes8
        let server: Bytes8
        let since: UInt64
        var isUsed = false

        init(computer: String, client: Bytes8, server: Bytes8, since: UInt64) {
            self.computer = computer
            self.client = client
            self.server = server
            self.since = since
        }
    }

    private struct Guesser: Hashable {
        var account: String
        var peer: IPv4Address
    }

    private var sessions: [String: ChannelSession] = [:]
    private var challenges: [String: Challenge] = [:]
    /// The last challenge of each caller, which is its own whoever else asks for the same name.
    private var ofCallers: [ObjectIdentifier: Challenge] = [:]
    private var failures: [Guesser: (count: Int, since: UInt64)] = [:]
    package private(set) var established = 0
    package private(set) var refused = 0

    package init() {}

    package var count: Int { sessions.count }

    // MARK: Sessions

    package func channel(of computer: String) -> ChannelSession? {
        let name = LocalDomain.fold(computer)
        if sessions[name]?.isCurrent == false { sessions[name] = nil }
        return sessions[name]
    }

    func keep(_ session: ChannelSession) {
        established += 1
        let name = LocalDomain.fold(session.computer)
        if sessions.count >= Limit.sessions, sessions[name] == nil,
            let oldest = sessions.min(by: { $0.value.lastUsed < $1.value.lastUsed })
        {
            sessions[oldest.key] = nil
        }
        sessions[name] = session
    }

    func touch(_ session: ChannelSession, now: UInt64) { session.lastUsed = now }

    // MARK: Challenges

    func keep(_ challenge: Challenge, of caller: RemoteCaller) {
        if challenges.count >= Limit.challenges,
            let oldest = challenges.min(by: { $0.value.since < $1.value.since })
        {
            challenges[oldest.key] = nil
        }
        challenges[LocalDomain.fold(challenge.computer)] = challenge
        ofCallers[ObjectIdentifier(caller)] = challenge
    }

    /// Takes the challenge that `computer` answers: the caller's own, else one that was given on
    /// another connection. It serves once.
    func takeChallenge(
        for computer: String, of caller: RemoteCaller, now: UInt64
    ) -> Challenge? {
        let name = LocalDomain.fold(computer)
        var found = ofCallers.removeValue(forKey: ObjectIdentifier(caller))
        if let own = found, LocalDomain.fold(own.computer) != name { found = nil }
        let challenge = found ?? challenges[name]
        if let challenge, challenges[name] === challenge { challenges[name] = nil }
        guard let challenge, !challenge.isUsed, now <= challenge.since + Limit.challengeAge else {
            return nil
        }
        challenge.isUsed = true
        return challenge
    }

    func ended(_ caller: RemoteCaller) { ofCallers[ObjectIdentifier(caller)] = nil }

    // MARK: Guesses

    /// Whether an account may be tried from `peer`.
    func mayTry(_ account: String, from peer: IPv4Address, now: UInt64) -> Bool {
        let guesser = Guesser(account: LocalDomain.fold(account), peer: peer)
        guard let entry = failures[guesser] else { return true }
        return entry.count < Limit.failures || now > entry.since + Limit.failureWindow
    }

    func noteFailure(_ account: String, from peer: IPv4Address, now: UInt64) {
        refused += 1
        let guesser = Guesser(account: LocalDomain.fold(account), peer: peer)
        if let entry = failures[guesser], now <= entry.since + Limit.failureWindow {
            failures[guesser] = (entry.count + 1, entry.since)
            return
        }
        if failures.count >= Limit.failureEntries {
            failures = failures.filter { now <= $0.value.since + Limit.failureWindow }
            if failures.count >= Limit.failureEntries { failures.removeAll() }
        }
        failures[guesser] = (1, now)
    }

    func noteSuccess(_ account: String, from peer: IPv4Address) {
        failures[Guesser(account: LocalDomain.fold(account), peer: peer)] = nil
    }
}

extension Account {
    /// Whether a channel of `type` may be made by it: it is enabled, has a secret, and is of that
    /// kind.
    func mayHaveChannel(_ type: SecureChannelType) -> Bool {
        guard !isDisabled, ntHash != nil else { return false }
        return switch type {
        case .workstation: flags.contains(.workstationTrust)
        case .server: flags.contains(.serverTrust)
        case .trustedDomain, .trustedDNSDomain: flags.contains(.interdomainTrust)
        case _: false
        }
    }
}
