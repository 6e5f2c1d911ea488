import NetBIOS
import Wire

/// What a name stands for in a name server: RFC 1001 15.1.2 knows unique names and groups, Windows
/// added the two that list addresses, MS-WINSRA 2.2.10.1.
enum WINSKind: UInt8, Sendable {
    case unique = 0
    /// Its members are reached by broadcast: queries are answered 255.255.255.255.
    case group = 1
    /// DOMAIN<1C>, a domain's controllers, each with its address.
    case internetGroup = 2
    /// One node with several addresses.
    case multihomed = 3

    var isGroup: Bool { self == .group || self == .internetGroup }

    /// What a registration makes of a name. Nobody but a domain's controllers registers <1C>.
    init(_ name: NetBIOSName, _ flags: NameFlags, _ opcode: NameServiceOpcode) {
        if name.suffix == .domainControllers {
            self = .internetGroup
        } else if flags.isGroup {
            self = .group
        } else {
            self = opcode == .multihomedRegistration ? .multihomed : .unique
        }
    }
}

/// One address that owns a name, or is a member of it.
struct WINSOwner: Equatable, Sendable {
    /// The time of an owner that is this agent.
    static let never = UInt64.max

    var address: IPv4Address
    /// On the loop's clock, in milliseconds; from then on it does not count.
    var expires: UInt64

    var isOwn: Bool { expires == Self.never }
}

struct WINSRecord: Equatable, Sendable {
    /// A domain's controllers are 25 at most; of a group's members the last 25 are remembered.
    static let mostOwners = 25

    var kind: WINSKind
    var nodeType: NodeType
    /// Never empty in the table.
    var owners: [WINSOwner]

    /// Whether this agent is among the owners.
    var hasOwn: Bool { owners.contains { $0.isOwn } }

    func isOwned(by address: IPv4Address, now: UInt64) -> Bool {
        owners.contains { $0.address == address && $0.expires > now }
    }

    func isLive(now: UInt64) -> Bool { owners.contains { $0.expires > now } }

    /// Adds an owner or extends its time, which only the owner itself may shorten. Where there are
    /// too many, the one whose time is over first gives way; this agent never does.
    mutating func add(_ address: IPv4Address, expires: UInt64, mayShorten: Bool = true) {
        var oldest = 0
        for index in owners.indices {
            if owners[index].address == address {
                if !owners[index].isOwn, mayShorten || owners[index].expires < expires {
                    owners[index].expires = expires
                }
                return
            }
            if owners[index].expires < owners[oldest].expires { oldest = index }
        }
        let owner = WINSOwner(address: address, expires: expires)
        if owners.count < Self.mostOwners {
            owners.append(owner)
        } else if !owners[oldest].isOwn {
            owners[oldest] = owner
        }
    }

    mutating func dropExpired(now: UInt64) { owners.removeAll { $0.expires <= now } }
}

/// What the name server counts and grants.
enum WINSTimes {
    /// Seconds that a registration is good for: what the node asks, within these.
    static let shortestLife: UInt32 = 3_600
    static let longestLife: UInt32 = 518_400
    /// Milliseconds between looks for owners whose time is over; until then they only do not count.
    static let sweep: UInt64 = 60_000
    /// An owner that is challenged has three times this to say that it is there. RFC 1002 6 gives
    /// it 5 s; whoever registers waits for it, and servers of today take half a second.
    static let challengeRetry: UInt64 = 500
    static let challengeTries = 3
    /// Seconds that a registrant is asked to wait at most for the end of a challenge: what servers
    /// say for so many owners, since nodes take other numbers for mistakes.
    static func patience(_ owners: Int) -> UInt32 { 5 + 4 * UInt32(max(1, owners)) }
    /// How long a refusal is repeated for the same request, which its sender may not have heard.
    static let verdict: UInt64 = 5_000
    /// New and lost names are handed out to be kept this soon, refreshed ones when it costs little.
    static let keepChanges: UInt64 = 1_000
    static let keepRefreshes: UInt64 = 60_000

    /// Seconds granted to who asks for `asked`; 0 means for ever, RFC 1002 4.2.1.3.
    static func granted(_ asked: UInt32) -> UInt32 {
        asked == 0 ? longestLife : max(shortestLife, min(asked, longestLife))
    }
}
