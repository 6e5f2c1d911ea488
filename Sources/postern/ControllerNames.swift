import Loop
import Wire

/// A domain's controllers by DNS, for sub-commands that go through a flow: the loop runs until
/// they are known.
enum ControllerNames {
    private enum Limit {
        /// Milliseconds for all of it.
        static let patience: UInt64 = 5_000
        static let hosts = 16
        static let addresses = 16
    }

    /// In the order of their priority (RFC 2782), near or far.
    static func addresses(of domain: String, servers: [Endpoint]) -> [IPv4Address] {
        let loop = EventLoop()
        guard let resolver = try? Resolver(loop, servers: servers) else { return [] }
        var found: [(order: Int, address: IPv4Address)] = []
        var pending = 1
        let deadline = loop.now + Limit.patience
        func settle() {
            pending -= 1
            if pending == 0 { resolver.close() }
        }
        resolver.services("_ldap._tcp.dc._msdcs." + domain, deadline: deadline) { answer in
            let records = ((try? answer.get()) ?? []).sorted { $0.priority < $1.priority }
            for (order, record) in records.prefix(Limit.hosts).enumerated() {
                pending += 1
                resolver.addresses(record.target, deadline: deadline) { answer in
                    found += ((try? answer.get()) ?? []).map { (order, $0) }
                    settle()
                }
            }
            settle()
        }
        loop.run()
        return found.sorted { $0.order < $1.order }.prefix(Limit.addresses).map { $0.address }
    }
}
