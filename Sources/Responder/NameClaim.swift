import NetBIOS
import Wire

/// One name's way to being ours: claimed by broadcast, RFC 1002 5.1.1.1, and from one interface
/// with the name server, 5.1.2.1.
enum NameState: Equatable {
    /// Broadcasts sent so far; the next at the deadline.
    case claiming(sent: Int, at: UInt64)
    case owned
    /// Another node objected; the claim begins again at the deadline.
    case conflict(until: UInt64)
}

/// A registration with the name server, for one name at one of our addresses.
enum ServerState: Equatable {
    case registering(sent: Int, at: UInt64)
    /// The server has it; refreshed at the deadline.
    case held(refreshAt: UInt64)
    case refreshing(sent: Int, at: UInt64)
    /// No server answered, or the one that did could not say; tried again at the deadline.
    case waiting(until: UInt64)

    var isHeld: Bool {
        switch self {
        case .held, .refreshing: true
        case .registering, .waiting: false
        }
    }

    var deadline: UInt64 {
        switch self {
        case .registering(_, let at), .refreshing(_, let at): at
        case .held(let refreshAt): refreshAt
        case .waiting(let until): until
        }
    }
}

struct NameClaim {
    var own: OwnName
    var state: NameState
    var transactionID: UInt16
    /// One for each interface; empty without a name server.
    var servers: [ServerClaim]

    /// A name is ours once no owner was heard of. Where the name server gave it to us, which knows
    /// the owners, it is ours before the broadcasts have ended.
    var isOwned: Bool {
        switch state {
        case .owned: true
        case .claiming: servers.contains { $0.state.isHeld }
        case .conflict: false
        }
    }

    var isDecided: Bool {
        switch state {
        case .owned, .conflict: true
        case .claiming: isOwned
        }
    }
}

struct ServerClaim {
    var state: ServerState
    var transactionID: UInt16
    /// Which of the name servers is asked, or has the name.
    var server = 0
    /// Servers that were silent since one answered last.
    var silent = 0
}

/// The times of names, in milliseconds.
enum NameTimes {
    /// RFC 1002 6: BCAST_REQ_RETRY_COUNT and BCAST_REQ_RETRY_TIMEOUT.
    static let tries = 3
    static let broadcastRetry: UInt64 = 250
    /// UCAST_REQ_RETRY_TIMEOUT is 5 s there; today's nodes take 1.5 s.
    static let serverRetry: UInt64 = 1_500
    /// After servers none of which answered, or after a conflict.
    static let serverPause: UInt64 = 120_000
    static let conflictPause: UInt64 = 300_000
    /// Between refreshes, whatever time to live the server grants; none at all means for ever.
    static let shortestRefresh: UInt64 = 30_000
    static let longestRefresh: UInt64 = 86_400_000
    /// A server that asks for patience gets this at most.
    static let longestWait: UInt64 = 60_000
}
