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

    static let entries = [
        EndpointEntry(tower: tcp, annotation: "Netlogon"),
        EndpointEntry(object: Netlogon.interface.uuid, tower: nil, annotation: ""),
        EndpointEntry(tower: pipe, annotation: "ab"),
    ]

    static let all: [MessageSample] = mapping + listing + management

    private static let listing: [MessageSample] = [
        NetlogonSamples.sample("ept_lookup", EptLookup.Request(maximumEntries: 10)),
        NetlogonSamples.sample(
            "ept_lookup by interface",
            EptLookup.Request(
                inquiryType: 3, object: .zero, interface: Netlogon.interface,
                entryHandle: ContextHandle(uuid: EndpointMapper.interface.uuid),
                maximumEntries: 1)),
        NetlogonSamples.sample(
            "ept_lookup response", EptLookup.Response(entries: entries, maximumEntries: 10)),
        NetlogonSamples.sample(
            "ept_lookup's end",
            EptLookup.Response(
                entries: [], maximumEntries: 10, status: EndpointMapper.notRegistered)),
        NetlogonSamples.sample(
            "ept_lookup_handle_free", EptLookupHandleFree.Request(entryHandle: .null)),
        NetlogonSamples.sample(
            "ept_lookup_handle_free response", EptLookupHandleFree.Response()),
    ]

    private static let management: [MessageSample] = [
        NetlogonSamples.sample(
            "DsRolerGetPrimaryDomainInformation", DsRolerGetPrimaryDomainInformation.Request()),
        NetlogonSamples.sample(
            "DsRolerGetPrimaryDomainInformation response",
            DsRolerGetPrimaryDomainInformation.Response(
                domainInfo: .basic(
                    .init(
                        machineRole: .primaryController, flags: 1, domainNameFlat: "GATE",
                        domainNameDNS: "gate.lab", domainGUID: Netlogon.interface.uuid)))),
        NetlogonSamples.sample(
            "DsRolerGetPrimaryDomainInformation of an upgrade",
            DsRolerGetPrimaryDomainInformation.Response(
                domainInfo: .upgradeStatus(operationState: 1, previousServerState: 2))),
        NetlogonSamples.sample(
            "DsRolerGetPrimaryDomainInformation of a state",
            DsRolerGetPrimaryDomainInformation.Response(domainInfo: .operationState(1))),
        NetlogonSamples.sample(
            "DsRolerGetPrimaryDomainInformation refused",
            DsRolerGetPrimaryDomainInformation.Response(
                domainInfo: nil, status: .invalidParameter)),
        NetlogonSamples.sample("mgmt_inq_if_ids", MgmtInqIfIds.Request()),
        NetlogonSamples.sample(
            "mgmt_inq_if_ids response",
            MgmtInqIfIds.Response(interfaces: [Netlogon.interface, EndpointMapper.interface])),
        NetlogonSamples.sample(
            "mgmt_inq_if_ids without any", MgmtInqIfIds.Response(interfaces: nil, status: 5)),
        NetlogonSamples.sample("mgmt_inq_stats", MgmtInqStats.Request(count: 4)),
        NetlogonSamples.sample(
            "mgmt_inq_stats response", MgmtInqStats.Response(statistics: [1, 2, 3, 4])),
        NetlogonSamples.sample(
            "mgmt_is_server_listening", MgmtIsServerListening.Response(isListening: true)),
        NetlogonSamples.sample(
            "mgmt_stop_server_listening", MgmtStopServerListening.Response(status: 5)),
        NetlogonSamples.sample(
            "mgmt_inq_princ_name",
            MgmtInqPrincName.Request(authenticationService: 10, nameSize: 64)),
        NetlogonSamples.sample(
            "mgmt_inq_princ_name response",
            MgmtInqPrincName.Response(nameSize: 64, name: "GATE1")),
    ]

    private static let mapping: [MessageSample] = [
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
