import NetBIOS
import Wire

/// Tells a datagram that was just here from a new one, by its sender and DGM_ID: a broadcast comes
/// once over each interface, and routers and switches repeat.
///
/// A table of fixed size in which a newer datagram takes an older one's place: it forgets, at
/// worst, and never grows.
struct DuplicateFilter {
    /// Milliseconds. Copies come together; a client that asks again takes a new DGM_ID, and waits
    /// longer.
    static let window: UInt64 = 500
    static let size = 1_024

    private struct Entry {
        var key: UInt64 = 0
        var until: UInt64 = 0
    }

    private var entries = [Entry](repeating: Entry(), count: size)

    /// Whether the datagram was here within the window; remembers it.
    mutating func isDuplicate(_ sender: Endpoint, _ id: UInt16, now: UInt64) -> Bool {
        let key =
            UInt64(sender.address.rawValue) << 32 | UInt64(sender.port) << 16 | UInt64(id)
        // Fibonacci hashing: the product's top bits depend on all of the key.
        let index = Int((key &* 0x9e37_79b9_7f4a_7c15) >> 54)
        if entries[index].key == key && now < entries[index].until { return true }
        entries[index] = Entry(key: key, until: now + Self.window)
        return false
    }
}
