import RPC
import TestSupport
import Wire

@testable import Interfaces

enum EPMSamples {
    static let tcp = ProtocolTower.tcp(
        Netlogon.interface, port: 49_676, address: IPv4Address(192, 168, 122, 17))
    static let pipe = ProtocolTower.namedPipe(
        Netlogon.interface, pipe: "\\PIPE\\lsass", host: "\\\\AD")
    static let odd = ProtocolTower(floors: [
        .other(left: [0x1f], right: [0, 80]), .other(left: [], right: []),
        .other(left: [0x0d, 1], right: [2]),
    ])

    static let all: [MessageSample] = [
        NetlogonSamples.sample(
            "ept_map", EptMap.Request(mapTower: .tcp(Netlogon.interface))),
        NetlogonSamples.sample(
            "ept_map of an object",
            EptMap.Request(
                object: Netlogon.interface.uuid, mapTower: pipe,
                entryHandle: ContextHandle(uuid: EndpointMapper.interface.uuid),
                maximumTowers: 4)),
        NetlogonSamples.sample("ept_map of nothing", EptMap.Request(mapTower: nil)),
        NetlogonSamples.sample(
            "ept_map response", EptMap.Response(towers: [tcp, pipe, odd], maximumTowers: 4)),
        NetlogonSamples.sample(
            "ept_map refusal",
            EptMap.Response(
                towers: [], maximumTowers: 1, status: EndpointMapper.notRegistered)),
    ]
}
