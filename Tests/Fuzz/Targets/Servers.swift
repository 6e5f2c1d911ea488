import Front
import Interfaces
import NTLM
import RPC
import Wire

// What clients of the front may send.

extension FuzzTarget {
    static let servers: [FuzzTarget] = [
        FuzzTarget("rpc-server") { rpcServer($0) },
    ]

    private static func rpcServer(_ bytes: [UInt8]) {
        var numbers = FuzzNumbers()
        let server = RPCServer(
            services: [
                ManagementService(interfaces: [], computerName: "GATE1"),
                EndpointMapperService(
                    [.init(Netlogon.interface, "Netlogon", pipe: "netlogon", port: 49_152)],
                    host: "GATE1", address: IPv4Address(10, 77, 0, 40),
                    random: { numbers.bytes($0) }),
            ],
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            localDomain: "GATE", channels: nil, random: { numbers.bytes($0) })
        var now = FrontTime(now: 1_000, unix: 1_700_000_000)
        let peer = IPv4Address(10, 77, 0, 50)
        guard var connection = server.accept(from: peer, port: 135, now: now) else { return }
        for step in Steps(bytes) {
            if step.operation & 7 == 7 {
                now = FrontTime(now: now.now + UInt64(step.operation) * 64, unix: now.unix)
                server.tick(now: now)
            }
            server.received(connection, step.bytes.span, now: now)
            if server.openAssociations == 0 {
                guard let next = server.accept(from: peer, port: 135, now: now) else { return }
                connection = next
            }
            _ = server.takeOutputs()
        }
    }
}
