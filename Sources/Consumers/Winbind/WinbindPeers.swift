/// Which interface the programs of this host were found to speak, where the size of their
/// requests leaves a choice. A client that is told another version than its own disconnects
/// without a word, so that the next one like it is told the next version.
package struct WinbindPeers {
    private struct Peer {
        var user: UInt32
        var process: Int32
        var interface: WinbindInterface
    }

    private enum Limit {
        static let peers = 64
    }

    /// What is presumed of everybody else.
    private let standard: WinbindInterface
    /// The newest last.
    private var peers: [Peer] = []

    package init(standard: WinbindInterface) { self.standard = standard }

    /// The likeliest first: what the process itself was found to speak, then other processes of
    /// its user, who mostly use the same library.
    package func presumed(user: UInt32, process: Int32) -> [WinbindInterface] {
        let known = peers.reversed().filter { $0.user == user }
        return known.filter { $0.process == process }.map { $0.interface }
            + known.map { $0.interface } + [standard]
    }

    /// A client has gone, having heard of `interface` and asked for nothing else.
    package mutating func refused(
        _ interface: WinbindInterface, user: UInt32, process: Int32
    ) {
        let candidates = WinbindInterface.candidates(requestSize: interface.requestSize)
        guard candidates.count > 1, let index = candidates.firstIndex(of: interface) else {
            return
        }
        peers.removeAll {
            $0.user == user && $0.process == process
                && $0.interface.requestSize == interface.requestSize
        }
        if peers.count == Limit.peers { peers.removeFirst() }
        let next = candidates[(index + 1) % candidates.count]
        peers.append(Peer(user: user, process: process, interface: next))
    }
}
