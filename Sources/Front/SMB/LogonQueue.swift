import Wire

/// The logons that are being validated, and those that wait because too many of their account
/// are: were they all wrong, the account's limit would be passed before the first one is known.
///
/// `Owner` is who gets the verdict.
struct LogonQueue<Owner> {
    static var waitingLimit: Int { 4_096 }

    private struct Entry {
        /// Nil once the client is gone. The verdict counts all the same.
        var owner: Owner?
        let account: AccountKey
        let peer: IPv4Address
    }

    private struct Waiting {
        let token: UInt64
        let account: AccountKey
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

    private let limiter: GuessLimiter
    private var entries: [UInt64: Entry] = [:]
    private var waiting: [Waiting] = []
    private var lastToken: UInt64 = 0
    /// The limiter's changes after which all that wait had to go on waiting.
    private var seen: UInt64 = .max

    init(_ limiter: GuessLimiter) { self.limiter = limiter }

    mutating func submit(
        _ logon: FrontLogon, for owner: Owner, now: UInt64
    ) -> Submission {
        let account = AccountKey(logon.user)
        let permission = limiter.permission(account, from: logon.peer, now: now)
        if permission == .refuse { return .refuse }
        if permission == .wait && waiting.count >= Self.waitingLimit { return .full }
        lastToken += 1
        entries[lastToken] = Entry(owner: owner, account: account, peer: logon.peer)
        if permission == .wait {
            waiting.append(Waiting(token: lastToken, account: account, logon: logon))
            return .wait(lastToken)
        }
        limiter.begin(account, from: logon.peer)
        return .ask(lastToken)
    }

    /// Counts the verdict, and says whose logon it was.
    mutating func answered(
        _ token: UInt64, _ verdict: FrontVerdict, now: UInt64
    ) -> Owner? {
        guard let entry = entries.removeValue(forKey: token) else { return nil }
        limiter.end(entry.account, from: entry.peer)
        switch verdict {
        case .accepted(let identity):
            if identity.kind != .guest { limiter.succeeded(entry.account) }
        case .refused(let status):
            if status.isGuess { limiter.failed(entry.account, from: entry.peer, now: now) }
        case .unavailable: break
        }
        return entry.owner
    }

    /// Those whom it was for wait no longer.
    mutating func forget(where isGone: (Owner) -> Bool) {
        for (token, entry) in entries {
            if let owner = entry.owner, isGone(owner) { forget(token) }
        }
    }

    /// The client waits no longer.
    mutating func forget(_ token: UInt64) {
        if let index = waiting.firstIndex(where: { $0.token == token }) {
            waiting.remove(at: index)
            entries[token] = nil
        } else {
            entries[token]?.owner = nil
        }
    }

    enum Ready {
        case ask(UInt64, FrontLogon)
        /// As `submit` would have refused it.
        case refuse(Owner, UInt64)
    }

    /// A logon whose turn has come; nil when all must wait.
    mutating func nextReady(now: UInt64) -> Ready? {
        // Nobody's turn comes by time alone: who waits does so for one that is under way.
        if limiter.changes == seen { return nil }
        for index in waiting.indices {
            let logon = waiting[index].logon
            let token = waiting[index].token
            let account = waiting[index].account
            switch limiter.permission(account, from: logon.peer, now: now) {
            case .wait: continue
            case .ask:
                waiting.remove(at: index)
                limiter.begin(account, from: logon.peer)
                return .ask(token, logon)
            case .refuse:
                waiting.remove(at: index)
                guard let entry = entries.removeValue(forKey: token),
                    let owner = entry.owner
                else { return nextReady(now: now) }
                return .refuse(owner, token)
            }
        }
        seen = limiter.changes
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
