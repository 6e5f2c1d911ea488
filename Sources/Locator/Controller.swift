import Mailslot
import Wire

/// Whether a controller may be asked.
package enum ControllerHealth: Equatable, Sendable {
    /// Nothing heard of it yet; worth a try.
    case unknown
    case healthy
    /// It failed once, or leaves questions unanswered: a last resort until a probe decides.
    case suspect
    /// It failed for certain. Nothing is sent to it but a probe, at `until` the next.
    case down(until: UInt64)

    package var isDown: Bool {
        if case .down = self { return true }
        return false
    }

    package var name: StaticString {
        switch self {
        case .unknown: "unknown"
        case .healthy: "healthy"
        case .suspect: "suspect"
        case .down: "down"
        }
    }
}

/// Why a channel gives up on a controller.
package enum ControllerFailure: Equatable, Sendable {
    /// Refused, reset, or closed in the middle of a call.
    case connectionLost
    /// A call got no answer by its deadline.
    case timedOut
    /// It is there but will not serve us: it does not know our account, say, for replication lag.
    case rejected
}

/// One controller as the locator knows it.
package struct Controller: Sendable {
    /// A question on its way, by which health is judged.
    struct Probe: Sendable {
        enum Kind: Equatable, Sendable {
            case ping(messageID: Int32)
            case nodeStatus
            case connect
        }

        var kind: Kind
        var sentAt: UInt64
        var deadline: UInt64
    }

    package let address: IPv4Address
    /// DNS host name, or NetBIOS computer name in the nt4 profile; empty until known.
    package var hostName: String
    package internal(set) var identity: ControllerIdentity?
    package internal(set) var health = ControllerHealth.unknown
    /// Milliseconds from the last answered probe's question to its answer.
    package internal(set) var roundTrip: UInt64?
    /// When it last answered anything, a probe or a call.
    package internal(set) var heardAt: UInt64?
    /// The lower the better: the place in the configured list or in DNS's order.
    var rank: Int
    var probe: Probe?
    var unansweredProbes = 0
    /// Failures that channels reported since the last call that succeeded.
    var failures = 0
    /// A controller that never answers pings may sit behind a filter; it is probed by TCP.
    var answersPings = false
    /// It said that it does not serve the domain: that it takes connections means nothing.
    var isDisowned = false

    init(address: IPv4Address, hostName: String, rank: Int) {
        self.address = address
        self.hostName = hostName
        self.rank = rank
    }

    var isClosest: Bool { identity?.flags.contains(.closest) ?? false }
}

/// A controller to try, in the locator's order.
package struct Candidate: Equatable, Sendable {
    package var address: IPv4Address
    package var hostName: String
    package var netbiosName: String
    package var isHealthy: Bool
}
