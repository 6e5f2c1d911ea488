import NetBIOS
import Wire

/// A registration that waits until the name's present owners have said whether they are there.
struct WINSChallenge {
    /// At one time; whoever comes on top asks again later.
    static let most = 256

    var key: ScopedName
    var request: NameServicePacket
    var registrant: Endpoint
    var interface: Int
    var kind: WINSKind
    var entry: AddressEntry
    /// Owners that did not give the name up yet.
    var owners: [IPv4Address]
    /// Of the queries to them.
    var transactionID: UInt16
    var sent: Int
    var deadline: UInt64
    /// When the registrant was last asked to wait.
    var acknowledged: UInt64

    func isFor(_ packet: NameServicePacket, from source: Endpoint) -> Bool {
        registrant == source && request.transactionID == packet.transactionID
    }
}

/// Refusals of the last seconds, so that a request whose answer was lost is refused again without
/// asking its name's owner again. A table of fixed size that forgets.
struct WINSVerdicts {
    static let size = 256

    private struct Entry {
        var source = Endpoint(.any, 0)
        var transactionID: UInt16 = 0
        var name = NetBIOSName(high: 0, low: 0)
        var owner = IPv4Address.any
        var until: UInt64 = 0
    }

    private var entries = [Entry](repeating: Entry(), count: size)

    private static func index(_ source: Endpoint, _ transactionID: UInt16) -> Int {
        let key = UInt64(source.address.rawValue) << 32 | UInt64(source.port) << 16
            | UInt64(transactionID)
        return Int((key &* 0x9e37_79b9_7f4a_7c15) >> 56)
    }

    mutating func refuse(
        _ source: Endpoint, _ transactionID: UInt16, _ name: NetBIOSName,
        owner: IPv4Address, now: UInt64
    ) {
        entries[Self.index(source, transactionID)] = Entry(
            source: source, transactionID: transactionID, name: name, owner: owner,
            until: now + WINSTimes.verdict)
    }

    /// Who owned the name when this request was refused.
    func owner(
        _ source: Endpoint, _ transactionID: UInt16, _ name: NetBIOSName, now: UInt64
    ) -> IPv4Address? {
        let entry = entries[Self.index(source, transactionID)]
        let isSame = entry.source == source && entry.transactionID == transactionID
            && entry.name == name && now < entry.until
        return isSame ? entry.owner : nil
    }
}
