import Front
import Interfaces
import NTLM
import NetBIOS
import RPC
import SMB
import Wire

// What clients of the front may send.

extension FuzzTarget {
    static let servers: [FuzzTarget] = [
        FuzzTarget("rpc-server") { rpcServer($0) },
        FuzzTarget("smb1-server", seeds: [Steps.joined([(0, negotiate)])]) { smbServer($0) },
        FuzzTarget("rap-server") { administration($0) },
    ]

    private static let peer = IPv4Address(10, 77, 0, 50)

    private static func services() -> RPCServer {
        var numbers = FuzzNumbers()
        return RPCServer(
            services: [
                ManagementService(interfaces: [], computerName: "GATE1"),
                EndpointMapperService(
                    [.init(Netlogon.interface, "Netlogon", pipe: "netlogon", port: 49_152)],
                    host: "GATE1", address: IPv4Address(10, 77, 0, 40),
                    random: { numbers.bytes($0) }),
            ],
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            localDomain: "GATE", channels: nil, random: { numbers.bytes($0) })
    }

    private static func rpcServer(_ bytes: [UInt8]) {
        let server = services()
        var now = FrontTime(now: 1_000, unix: 1_700_000_000)
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

    /// NT LM 0.12 and what came before it.
    private static let negotiate: [UInt8] = [
        0xff, 0x53, 0x4d, 0x42, 0x72, 0, 0, 0, 0, 0x18, 1, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 0, 0, 0, 1, 0, 0, 25, 0, 2,
    ] + Array("LANMAN1.0\0".utf8) + [2] + Array("NT LM 0.12\0".utf8)

    private static func smbServer(_ bytes: [UInt8]) {
        var numbers = FuzzNumbers()
        let server = SMBServer(
            SMBServerSettings(computerName: "GATE1", domainName: "GATE"), pipes: services(),
            administration: remoteAdministration(), files: nil, random: { numbers.bytes($0) })
        var now = FrontTime(now: 1_000, unix: 1_700_000_000)
        let id = SMBConnectionID(1)
        guard server.opened(id, from: peer, .direct, now: now) else { return }
        var tokens: [UInt64] = []
        for step in Steps(bytes) {
            switch step.operation & 7 {
            case 7:
                now = FrontTime(now: now.now + UInt64(step.operation) * 64, unix: now.unix)
                server.tick(now: now)
            case 6:
                if !tokens.isEmpty {
                    server.logonAnswered(
                        tokens.removeFirst(), .refused(.wrongPassword), now: now)
                }
            case 5: server.received(id, step.bytes.span, now: now)
            case _:
                let count = step.bytes.count
                let message = [0, 0, UInt8(count >> 8 & 255), UInt8(count & 255)] + step.bytes
                server.received(id, message.span, now: now)
            }
            server.pipesAnswered(now: now)
            while let output = server.nextOutput() {
                if case .logon(let token, _) = output { tokens.append(token) }
            }
        }
    }

    private final class Alone: Neighbourhood {
        let own = RAP.ServerInfo(serverName: "GATE1")
        var servers: [RAP.ServerInfo] { [own] }
        var domains: [RAP.ServerInfo] { [own] }
    }

    private static func remoteAdministration() -> RemoteAdministrationServer {
        RemoteAdministrationServer(
            RemoteAdministrationSettings(
                computerName: "GATE1", domainName: "GATE", shares: []),
            domain: nil, neighbourhood: Alone())
    }

    private static func administration(_ bytes: [UInt8]) {
        let server = remoteAdministration()
        for step in Steps(bytes) {
            let cut = Int(step.operation) % (step.bytes.count + 1)
            let most = step.bytes.count * 64
            let reply = server.call(
                RemoteAdministrationCall(
                    parameters: Array(step.bytes[..<cut]), data: Array(step.bytes[cut...]),
                    maxParameterCount: most, maxDataCount: most, identity: .anonymous,
                    peer: peer),
                now: FrontTime(now: 1_000, unix: 1_700_000_000))
            precondition(reply.parameters.count <= most && reply.data.count <= most)
        }
    }
}
