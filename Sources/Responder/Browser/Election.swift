import Mailslot
import NetBIOS
import Wire

/// The election of a network's master browser, MS-BRWS 3.1.1 and 3.3.5.8: whoever has the highest
/// criteria says so four times; whoever hears higher ones keeps silent.
///
/// The order is total, so that a round has one winner. Rounds are limited, because a node that
/// does not keep to the order would have everyone call elections for ever.
struct Election {
    /// Times that the criteria are sent, and milliseconds between.
    static let calls = 4
    static let callPause: UInt64 = 500
    /// A controller answers another's call sooner than lesser nodes do.
    static let answerDelay: UInt64 = 100
    /// Rounds in a time, in milliseconds.
    static let mostRounds = 5
    static let roundsTime: UInt64 = 300_000

    /// MS-BRWS 2.2.3: the operating system, the version of the protocol, what the node is.
    static let server: UInt32 = 0x2000_0000
    static let version: UInt32 = 0x0001_0f00
    static let primaryController: UInt32 = 0x80
    static let preferredMaster: UInt32 = 0x08
    static let runningMaster: UInt32 = 0x04
    static let maintainsList: UInt32 = 0x02
    static let backup: UInt32 = 0x01

    enum State: Equatable {
        case idle
        case calling(sent: Int, at: UInt64)
    }

    private(set) var state = State.idle
    private var rounds: [UInt64] = []

    var deadline: UInt64? {
        switch state {
        case .idle: nil
        case .calling(_, let at): at
        }
    }

    /// Begins to call, unless that was done too often lately or is being done.
    mutating func begin(at: UInt64, now: UInt64) {
        if state != .idle { return }
        rounds.removeAll { $0 + Self.roundsTime <= now }
        if rounds.count == Self.mostRounds { return }
        rounds.append(now)
        state = .calling(sent: 0, at: at)
    }

    mutating func giveUp() { state = .idle }

    enum Step {
        case nothing, call, won
    }

    mutating func advance(now: UInt64) -> Step {
        guard case .calling(let sent, let at) = state, at <= now else { return .nothing }
        if sent == Self.calls {
            state = .idle
            return .won
        }
        state = .calling(sent: sent + 1, at: now + Self.callPause)
        return .call
    }

    /// What calls an election without taking part in it.
    static func withoutCandidate() -> RequestElection {
        RequestElection(version: 0, criteria: 0, uptime: 0, serverName: OEMText(bytes: []))
    }

    /// Whether `own` is elected rather than `other`: by version, criteria, time of running, and
    /// at last by the name that comes first.
    static func wins(_ own: RequestElection, over other: RequestElection) -> Bool {
        if own.version != other.version { return own.version > other.version }
        if own.criteria != other.criteria { return own.criteria > other.criteria }
        if own.uptime != other.uptime { return own.uptime > other.uptime }
        return own.serverName.bytes.lexicographicallyPrecedes(other.serverName.bytes)
    }
}
