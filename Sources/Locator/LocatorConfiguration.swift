import NetBIOS
import Wire

/// How a domain's controllers are found, and every limit of the search.
package struct LocatorConfiguration: Sendable {
    package enum Profile: Sendable {
        /// DNS and CLDAP.
        case modern
        /// NetBIOS names.
        case nt4
    }

    /// The domain's NetBIOS name, the name of its section.
    package var domain: String
    /// The domain's DNS name; empty where it is not configured.
    package var dnsName: String
    /// Addresses in order of preference. With any, nothing else is searched.
    package var controllers: [IPv4Address]
    package var profile: Profile
    /// Whether none but the primary controller will do; with `nt4` only.
    package var wantsPrimary: Bool
    /// Our computer name, which a ping carries.
    package var hostName: String
    package var ldapPort: UInt16
    /// Where a TCP connection shows that a controller lives which answers no ping.
    package var probePort: UInt16

    package init(
        domain: String, dnsName: String = "", controllers: [IPv4Address] = [],
        profile: Profile = .modern, wantsPrimary: Bool = false, hostName: String,
        portOffset: UInt16 = 0
    ) {
        self.domain = domain
        self.dnsName = dnsName
        self.controllers = controllers
        self.profile = profile
        self.wantsPrimary = wantsPrimary
        self.hostName = hostName
        ldapPort = 389 &+ portOffset
        probePort = (profile == .modern ? 135 : 139) &+ portOffset
    }

    var isFixed: Bool { !controllers.isEmpty }
}

/// Times in milliseconds, and counts.
package enum LocatorLimit {
    /// Most controllers of one domain that are kept; a large domain's DNS names hundreds.
    package static let controllers = 16
    /// Most addresses of one host that are tried.
    package static let addressesPerHost = 2
    /// Most controllers remembered across restarts.
    package static let known = 8
    /// Between one controller's ping and the next one's while none has answered.
    package static let stagger: UInt64 = 100
    package static let pingDeadline: UInt64 = 400
    package static let connectDeadline: UInt64 = 800
    package static let lookupDeadline: UInt64 = 5_000
    /// Pings left unanswered before a controller counts as silent: UDP may lose one.
    package static let lostPings = 2
    /// Between probes of a controller that is down: from the first, doubled up to the second,
    /// which is short of a second so that one that comes back is in use within a second.
    package static let firstBackOff: UInt64 = 100
    package static let lastBackOff: UInt64 = 800
    /// A standby that was silent for so long is asked whether it is still there.
    package static let refresh: UInt64 = 30_000
    /// How many of the candidates are kept fresh: the one in use and its standby.
    package static let refreshed = 2
    /// Controllers beyond the first that a search looks for.
    package static let standbys = 1
    /// Between searches, when one succeeded.
    package static let rediscovery: UInt64 = 900_000
    /// Between searches that failed: from the first, doubled up to the last. While no controller
    /// is known at all the first is kept.
    package static let firstRetry: UInt64 = 1_000
    package static let lastRetry: UInt64 = 30_000

    static func backOff(_ failures: Int) -> UInt64 {
        failures >= 4 ? lastBackOff : min(firstBackOff << UInt64(max(failures - 1, 0)), lastBackOff)
    }

    static func retry(_ failures: Int) -> UInt64 {
        failures >= 6 ? lastRetry : min(firstRetry << UInt64(max(failures - 1, 0)), lastRetry)
    }
}

/// What the locator wants done.
package enum LocatorOutput: Equatable {
    /// Look the name up and call `srvAnswer`.
    case dnsSRV(name: String)
    /// Look the host up and call `addressAnswer`.
    case dnsA(host: String)
    /// Resolve a NetBIOS name (WINS, broadcast) and call `nameAnswer`.
    case nbnsQuery(NetBIOSName)
    /// Ask for the node's names and call `nodeStatusAnswer`.
    case nodeStatus(IPv4Address)
    case udp(to: Endpoint, bytes: [UInt8])
    /// Connect, close at once or at the deadline, and call `connectAnswer`.
    case probeTCP(Endpoint, deadline: UInt64)
    /// Keep this for the next start.
    case persist(KnownControllers)
    /// `candidates` gives another list than before.
    case changed
}
