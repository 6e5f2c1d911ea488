import NTLM
import RPC
import SecureChannel
import Wire

/// Knows the secure channels, by the computers that made them.
package protocol ChannelKeys: AnyObject {
    /// The channel whose key seals the calls of `computer`, if it has authenticated.
    func channel(of computer: String) -> ChannelSession?
}

/// What the associations of an RPC server share.
final class RPCEnvironment {
    let services: [RemoteService]
    let identity: ServerHandshake.Identity
    let channels: ChannelKeys?
    let random: (Int) -> [UInt8]
    /// Calls that were answered with `badStubData`.
    var badStubs = 0
    private var groups: [UInt32: AssociationGroup] = [:]
    private let handleCount = HandleCount()

    init(
        services: [RemoteService], identity: ServerHandshake.Identity, channels: ChannelKeys?,
        random: @escaping (Int) -> [UInt8]
    ) {
        self.services = services
        self.identity = identity
        self.channels = channels
        self.random = random
    }

    /// The service of an interface in the wanted version or a later minor one.
    func service(of wanted: SyntaxID) -> Int? {
        services.firstIndex {
            $0.interface.uuid == wanted.uuid && $0.interface.majorVersion == wanted.majorVersion
                && $0.interface.minorVersion >= wanted.minorVersion
        }
    }

    // MARK: Association groups (C706 12.6.3.1, assoc_group_id)

    /// The group `id`, or a new one for 0. Nil: there is none, or it is another host's.
    func join(_ id: UInt32, from peer: IPv4Address) -> AssociationGroup? {
        if id != 0 {
            guard let group = groups[id], group.peer == peer else { return nil }
            group.members += 1
            return group
        }
        var fresh: UInt32 = 0
        while fresh == 0 || groups[fresh] != nil {
            let bytes = random(4)
            fresh = UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16
                | UInt32(bytes[3]) << 24
        }
        let group = AssociationGroup(
            id: fresh, peer: peer, handles: HandleTable(peer: peer, count: handleCount))
        groups[fresh] = group
        return group
    }

    func leave(_ group: AssociationGroup) {
        group.members -= 1
        if group.members > 0 { return }
        group.handles.end()
        groups[group.id] = nil
    }
}

/// Associations of one client process, which share context handles.
final class AssociationGroup {
    let id: UInt32
    let peer: IPv4Address
    let handles: HandleTable
    fileprivate var members = 1

    init(id: UInt32, peer: IPv4Address, handles: HandleTable) {
        self.id = id
        self.peer = peer
        self.handles = handles
    }
}
