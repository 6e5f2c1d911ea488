import Wire

/// The logons that are being validated, and those that wait because too many of their account
/// are: were they all wrong, the account's limit would be passed before the first one is known.
struct LogonQueue {
    static let waitingLimit = 4_096

    private struct Entry {
        /// Nil once the client is gone. The verdict counts all the same.
        var connection: SMBConnectionID?
        let user: String
        let peer: IPv4Address
    }

    private struct Waiting {
        let token: UInt64
        let logon: FrontLogon
    }

    enum Submission {
        /// To be asked now.
        case ask(UInt64)
        /// To be asked later.
        case wait(UInt64)
        case refuse
        case full
    }

    private var limiter: GuessLimiter
    private var entries: [UInt64: Entry] = [:]
    private var waiting: [Waiting] = []
    private var lastToken: UInt64 = 0

    init(_ limits: GuessLimits) { limiter = GuessLimiter(limits) }

    mutating func submit(
        _ logon: FrontLogon, for connection: SMBConnectionID, now: UInt64
    ) -> Submission {
        let permission = limiter.permission(logon.user, from: logon.peer, now: now)
        if permission == .refuse { return .refuse }
        if permission == .wait && waiting.count >= Self.waitingLimit { return .full }
        lastToken += 1
        entries[lastToken] = Entry(connection: connection, user: logon.user, peer: logon.peer)
        if permission == .wait {
            waiting.append(Waiting(token: lastToken, logon: logon))
            return .wait(lastToken)
        }
        limiter.begin(logon.user)
        return .ask(lastToken)
    }

    /// Counts the verdict, and says whose logon it was.
    mutating func answered(
        _ token: UInt64, _ verdict: FrontVerdict, now: UInt64
    ) -> SMBConnectionID? {
        guard let entry = entries.removeValue(forKey: token) else { return nil }
        limiter.end(entry.user)
        switch verdict {
        case .accepted(let identity):
            if identity.kind != .guest { limiter.succeeded(entry.user) }
        case .refused(let status):
            if status.isGuess { limiter.failed(entry.user, from: entry.peer, now: now) }
        case .unavailable: break
        }
        return entry.connection
    }

    /// The client waits no longer.
    mutating func forget(_ token: UInt64) {
        if let index = waiting.firstIndex(where: { $0.token == token }) {
            waiting.remove(at: index)
            entries[token] = nil
        } else {
            entries[token]?.connection = nil
        }
    }

    enum Ready {
        case ask(UInt64, FrontLogon)
        /// As `submit` would have refused it.
        case refuse(SMBConnectionID, UInt64)
    }

    /// A logon whose turn has come; nil when all must wait.
    mutating func nextReady(now: UInt64) -> Ready? {
        for index in waiting.indices {
            let logon = waiting[index].logon
            let token = waiting[index].token
            switch limiter.permission(logon.user, from: logon.peer, now: now) {
            case .wait: continue
            case .ask:
                waiting.remove(at: index)
                limiter.begin(logon.user)
                return .ask(token, logon)
            case .refuse:
                waiting.remove(at: index)
                guard let entry = entries.removeValue(forKey: token),
                    let connection = entry.connection
                else { return nextReady(now: now) }
                return .refuse(connection, token)
            }
        }
        return nil
    }
}

extension NTStatus {
    /// Whether a logon was refused for its name or its password.
    var isGuess: Bool {
        switch self {
        case .wrongPassword, .noSuchUser, .logonFailure: true
        case _: false
        }
    }
}
