import Interfaces
import RPC
import Wire

/// Serves the calls of one remote interface, whatever carries them.
///
/// A service answers at once, or says that the answer comes later under a ticket. It does no I/O.
package protocol RemoteService: AnyObject {
    var interface: SyntaxID { get }

    /// Carries out `opnum`. `stub` is plain, whole, without its security trailer, and knows the
    /// order of its numbers.
    func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply

    /// Whether it answers callers who authenticated but protect nothing: whose authentication it
    /// was somebody on the way can neither tell nor leave alone (CVE-2016-2118).
    var takesUnprotected: Bool { get }

    /// The caller is gone, with all that it had open.
    func ended(_ caller: RemoteCaller)
}

extension RemoteService {
    package var takesUnprotected: Bool { false }
}

package enum ServiceReply {
    /// The response's stub.
    case response([UInt8])
    case fault(FaultStatus)
    /// The answer is brought by whoever owns the service, under this ticket.
    case later(ticket: UInt64)
}

/// The time that a core is told: on the loop's clock, and what people's clocks show.
package struct FrontTime {
    /// Milliseconds on the monotonic clock.
    package var now: UInt64
    /// Seconds since 1970.
    package var unix: UInt64

    package init(now: UInt64, unix: UInt64) {
        self.now = now
        self.unix = unix
    }

    /// 100-nanosecond steps since 1601 (MS-DTYP 2.3.3, FILETIME).
    package var fileTime: UInt64 { FileTime.at(unixSeconds: unix) }
}

/// One bound caller of remote interfaces: who it is, and how its calls are protected.
///
/// A reference, because handles and credentials that its calls make live as long as it does.
package final class RemoteCaller {
    package enum Carriage: Equatable, Sendable {
        /// A named pipe of an SMB session, with that name below `\PIPE\`.
        case pipe(String)
        case tcp
    }

    package let carriage: Carriage
    package let peer: IPv4Address
    /// Whom the carriage or the RPC bind authenticated; the latter wins.
    package var identity: FrontIdentity
    /// With what passwords in calls are encrypted: the key of the SMB session that carries them.
    /// Over TCP it is a key that everybody knows (MS-SAMR 3.1.5.6.4.4).
    package let transportKey: Bytes16
    /// What protects its calls; `.none` where no security provider was bound.
    package var authLevel: AuthLevel?
    package var authType: AuthType?
    /// The secure channel that protects the calls, where the provider is Netlogon's: as long as
    /// its account is what it was.
    package var channel: ChannelSession? {
        get { boundChannel?.isCurrent == true ? boundChannel : nil }
        set { boundChannel = newValue }
    }
    private var boundChannel: ChannelSession?
    /// The computer that made it.
    package var netlogonComputer: String? { channel?.computer }
    /// What services keep for this caller and for others of its association group.
    package let handles: HandleTable

    package init(
        carriage: Carriage, peer: IPv4Address, identity: FrontIdentity,
        handles: HandleTable = HandleTable()
    ) {
        self.carriage = carriage
        self.peer = peer
        self.identity = identity
        self.handles = handles
        switch carriage {
        case .pipe: transportKey = identity.sessionKey
        case .tcp: transportKey = Bytes16(Array("SystemLibraryDTC".utf8))
        }
    }

    /// Whether its calls are sealed, and so readable to nobody else.
    package var isSealed: Bool { authLevel == .privacy }

    /// What services keep by their context handles. Another caller of the group has its own, unless
    /// both are the same user's, protected as well.
    package subscript(handle: ContextHandle) -> AnyObject? {
        get { handles.object(handle, for: opener, at: authLevel?.rawValue ?? 0) }
        set { handles.keep(handle, newValue, of: opener, at: authLevel?.rawValue ?? 0) }
    }

    private var opener: HandleTable.Opener {
        HandleTable.Opener(
            kind: identity.kind, domainSID: identity.domainSID, userRID: identity.userRID,
            computer: boundChannel?.computer)
    }
}
