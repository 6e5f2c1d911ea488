import Mailslot
import NetBIOS
import Wire

/// A name that this agent owns on the network.
package struct OwnName: Hashable, Sendable {
    package var name: NetBIOSName
    package var isGroup: Bool

    package init(_ name: NetBIOSName, group: Bool = false) {
        self.name = name.upcased
        isGroup = group
    }
}

/// What the responder is told once.
package struct ResponderConfiguration: Sendable {
    /// Our computer name; any suffix.
    package var computerName: NetBIOSName
    /// What to register, defend, answer for and release.
    package var names: [OwnName]
    package var interfaces: [IPv4Network]
    /// Register there too, as a hybrid node does: with the first of them that answers.
    package var nameServers: [IPv4Address]
    /// Whether to be a name server, WINS, for others.
    package var isNameServer: Bool
    package var ports: NetBIOSPorts
    package var scope: [UInt8]
    /// The hardware address that node status tells.
    package var unitID: FixedBytes<6>
    /// Seconds that our names are good for; RFC 1002 leaves it to the node.
    package var timeToLive: UInt32

    package init(
        computerName: NetBIOSName, names: [OwnName], interfaces: [IPv4Network],
        nameServers: [IPv4Address] = [], isNameServer: Bool = false,
        ports: NetBIOSPorts = NetBIOSPorts(), scope: [UInt8] = [],
        unitID: FixedBytes<6> = FixedBytes(), timeToLive: UInt32 = 300_000
    ) {
        precondition(names.count <= Self.mostNames && interfaces.count <= Self.mostInterfaces)
        self.computerName = computerName.upcased
        self.names = names
        self.interfaces = interfaces
        self.nameServers = isNameServer ? [] : nameServers
        self.isNameServer = isNameServer
        self.ports = ports
        self.scope = scope
        self.unitID = unitID
        self.timeToLive = timeToLive
    }

    /// A node status response has to fit a datagram of 576 bytes, RFC 1002 4.2.18.
    package static let mostNames = 24
    /// Each sends every broadcast.
    package static let mostInterfaces = 16

    /// The names of a computer in a workgroup or domain: NAME<00>, NAME<20>, NAME<03> and the
    /// group DOMAIN<00>.
    package static func names(
        of computer: NetBIOSName, in domain: NetBIOSName?
    ) -> [OwnName] {
        var names = [
            OwnName(computer.with(.workstation)), OwnName(computer.with(.server)),
            OwnName(computer.with(.messenger)),
        ]
        if let domain { names.append(OwnName(domain.with(.workstation), group: true)) }
        return names
    }

    /// The names of a domain that we are a controller of: the groups DOMAIN<1C> of its controllers,
    /// DOMAIN<1E> of its browsers and DOMAIN<00>; and of its primary one, DOMAIN<1B>.
    package static func names(
        ofControllerIn domain: NetBIOSName, isPrimary: Bool
    ) -> [OwnName] {
        let primary = isPrimary ? [OwnName(domain.with(.domainMasterBrowser))] : []
        return primary + [
            OwnName(domain.with(.domainControllers), group: true),
            OwnName(domain.with(.browserElections), group: true),
            OwnName(domain.with(.workstation), group: true),
        ]
    }

    /// Whether any of our networks has a broadcast address.
    var hasNeighbours: Bool { interfaces.contains { $0.hasBroadcast } }

    var nodeType: NodeType { nameServers.isEmpty && !isNameServer ? .broadcast : .hybrid }
}

/// A domain that the responder answers for, as far as it is known.
package struct ServedDomain: Sendable {
    /// What an Active Directory has beyond a NetBIOS name; without it all answers have the form
    /// of Windows NT 4.0.
    package struct Directory: Sendable {
        package var dnsDomainName: String
        package var dnsForestName: String
        package var domainGuid: GUID
        package var siteName: String

        package init(
            dnsDomainName: String, dnsForestName: String, domainGuid: GUID, siteName: String = ""
        ) {
            self.dnsDomainName = dnsDomainName
            self.dnsForestName = dnsForestName
            self.domainGuid = domainGuid
            self.siteName = siteName
        }
    }

    /// The NetBIOS name; any suffix.
    package var name: NetBIOSName
    package var sid: SID?
    package var directory: Directory?

    package init(_ name: NetBIOSName, sid: SID? = nil, directory: Directory? = nil) {
        self.name = name.upcased.with(.workstation)
        self.sid = sid
        self.directory = directory
    }
}

/// The controller that answers name.
package struct NamedController: Sendable {
    /// Its computer name, without backslashes.
    package var name: String
    package var address: IPv4Address
    /// Without it answers have the form of Windows NT 4.0.
    package var dnsHostName: String?
    package var flags: ControllerFlags
    package var isPrimary: Bool
    /// Whether it is named to those who look for the primary controller, which old clients mean
    /// when they look for any that takes changes. Only the primary one unless said otherwise.
    package var standsForPrimary: Bool

    package init(
        name: String, address: IPv4Address, dnsHostName: String? = nil,
        flags: ControllerFlags = [.ldap, .directoryService, .writable], isPrimary: Bool = true,
        standsForPrimary: Bool? = nil
    ) {
        self.name = name
        self.address = address
        self.dnsHostName = dnsHostName
        self.flags = flags
        self.isPrimary = isPrimary
        self.standsForPrimary = standsForPrimary ?? isPrimary
    }
}

/// What is known of an account that a logon request asks for.
package enum AccountKnowledge: Sendable {
    case known
    case unknown
    /// Nobody here can tell: the request is answered as if the account were known, because the
    /// client would go without a controller else.
    case undecided
}

/// What the agent should know and log.
package enum ResponderEvent: Equatable, Sendable {
    /// No owner objected.
    case registered(NetBIOSName)
    /// A name server has it, for so many seconds.
    case registeredWithServer(NetBIOSName, UInt32)
    /// Another node owns it; it is not answered for, and tried again later.
    case conflict(NetBIOSName, IPv4Address)
    /// None of the name servers answers.
    case serverUnreachable(NetBIOSName)
    /// Whose address `Responder.found` is to tell.
    case addressWanted(NetBIOSName)
    /// A primary controller, or somebody who says to be one, told of a change.
    case changeAnnounced(AnnounceChange, from: IPv4Address)
}
