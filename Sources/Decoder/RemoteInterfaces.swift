import Interfaces
import RPC
import Wire

/// The interfaces and procedures by name, and the stubs of those that this program has.
enum RemoteInterface {
    static let layer: StaticString = "NDR"

    private static let names: [(uuid: String, name: String)] = [
        ("12345678-1234-abcd-ef00-0123456789ab", "spoolss"),
        ("12345778-1234-abcd-ef00-0123456789ab", "lsarpc"),
        ("12345778-1234-abcd-ef00-0123456789ac", "samr"),
        ("338cd001-2244-31f1-aaaa-900038001003", "winreg"),
        ("367abb81-9844-35f1-ad32-98f038001003", "svcctl"),
        ("3919286a-b10c-11d0-9ba8-00c04fd92ef5", "dssetup"),
        ("4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc"),
        ("6bffd098-a112-3610-9833-46c3f87e345a", "wkssvc"),
        ("99fcfec4-5260-101b-bbcb-00aa0021347a", "IOXIDResolver"),
        ("afa8bd80-7d8a-11c9-bef4-08002b102989", "mgmt"),
        ("e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi"),
    ]

    static func name(_ interface: SyntaxID) -> String {
        if interface.uuid == Netlogon.interface.uuid { return "netlogon" }
        if interface.uuid == EndpointMapper.interface.uuid { return "epmapper" }
        let text = interface.uuid.description.lowercased()
        for entry in names where entry.uuid == text { return entry.name }
        return interface.description
    }

    /// `opnum` is the highest number where it is not known.
    static func name(_ interface: SyntaxID?, opnum: UInt16) -> String {
        let number = opnum == .max ? "a call not seen" : "opnum \(opnum)"
        guard let interface else { return "interface not seen, " + number }
        var text = name(interface) + ", " + number
        if interface.uuid == Netlogon.interface.uuid, let name = NetlogonCalls.name(opnum) {
            text += " " + name
        } else if interface.uuid == EndpointMapper.interface.uuid, opnum == EptMap.opnum {
            text += " ept_map"
        } else if interface.uuid == LSA.interface.uuid, let name = LSACalls.name(opnum) {
            text += " " + name
        } else if let name = HostCalls.name(interface.uuid, opnum) {
            text += " " + name
        }
        return text
    }

    /// Shows the stub that fills `reader`.
    static func decode(
        _ interface: SyntaxID, _ opnum: UInt16, _ side: Side, _ reader: inout WireReader,
        into outline: inout Outline
    ) throws(WireError) {
        if interface.uuid == Netlogon.interface.uuid {
            if try NetlogonCalls.decode(opnum, side, &reader, into: &outline) { return }
        } else if interface.uuid == EndpointMapper.interface.uuid, opnum == EptMap.opnum {
            try endpoints(side, &reader, into: &outline)
            return
        } else if interface.uuid == LSA.interface.uuid {
            if try LSACalls.decode(opnum, side, &reader, into: &outline) { return }
        } else if try HostCalls.decode(interface.uuid, opnum, side, &reader, into: &outline) {
            return
        }
        outline.field("stub", "\(reader.remaining) bytes")
    }

    // MARK: The endpoint mapper

    private static func endpoints(
        _ side: Side, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        switch side {
        case .client:
            let request = try EptMap.Request(parsing: &reader)
            outline.field("object", request.object?.description)
            show(request.mapTower, into: &outline)
            outline.field("max_towers", "\(request.maximumTowers)")
        case .server:
            let response = try EptMap.Response(parsing: &reader)
            for tower in response.towers { show(tower, into: &outline) }
            outline.flags("status", response.status)
        }
    }

    private static func show(_ tower: ProtocolTower?, into outline: inout Outline) {
        guard let tower else { return }
        outline.open("tower of \(tower.floors.count) floors")
        defer { outline.close() }
        for floor in tower.floors {
            switch floor {
            case .syntax(.ndr): outline.line("NDR")
            case .syntax(let syntax): outline.field("interface", name(syntax))
            case .connectionOriented: outline.line("connection-oriented RPC")
            case .tcp(let port): outline.field("TCP port", Int(port))
            case .ip(let address): outline.field("IP address", address.description)
            case .namedPipe(let pipe): outline.field("named pipe", pipe)
            case .netBIOS(let name): outline.field("NetBIOS name", name)
            case .other(let left, let right):
                outline.field("protocol", Hex.string(left) + ", address " + Hex.string(right))
            }
        }
    }
}
