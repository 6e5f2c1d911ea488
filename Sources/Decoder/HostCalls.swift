import Interfaces
import RPC
import Wire

/// The calls of the workstation and server services that this program has.
enum HostCalls {
    static func name(_ interface: GUID, _ opnum: UInt16) -> String? {
        if interface == WorkstationServiceInterface.interface.uuid {
            return opnum == NetrWkstaGetInfo.opnum ? "NetrWkstaGetInfo" : nil
        }
        guard interface == ServerServiceInterface.interface.uuid else { return nil }
        switch opnum {
        case NetrShareEnum.opnum: return "NetrShareEnum"
        case NetrShareEnumSticky.opnum: return "NetrShareEnumSticky"
        case NetrShareGetInfo.opnum: return "NetrShareGetInfo"
        case NetrServerGetInfo.opnum: return "NetrServerGetInfo"
        case NetrRemoteTOD.opnum: return "NetrRemoteTOD"
        case _: return nil
        }
    }

    /// Shows a stub; false where the call is not one that this program has.
    static func decode(
        _ interface: GUID, _ opnum: UInt16, _ side: Side, _ reader: inout WireReader,
        into outline: inout Outline
    ) throws(WireError) -> Bool {
        guard name(interface, opnum) != nil else { return false }
        if interface == WorkstationServiceInterface.interface.uuid {
            switch side {
            case .client: try query(&reader, into: &outline)
            case .server: try workstation(&reader, into: &outline)
            }
        } else {
            switch side {
            case .client: try request(opnum, &reader, into: &outline)
            case .server: try response(opnum, &reader, into: &outline)
            }
        }
        return true
    }

    private static func query(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let request = try LevelledQuery(parsing: &reader)
        outline.field("ServerName", request.serverName)
        outline.field("Level", "\(request.level)")
    }

    private static func workstation(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let response = try NetrWkstaGetInfo.Response(parsing: &reader)
        if let info = response.wkstaInfo {
            outline.field("wki_computername", info.computerName)
            outline.field("wki_langroup", info.lanGroup)
            outline.field("version", "\(info.versionMajor).\(info.versionMinor)")
        }
        outline.field("status", response.status.description)
    }

    private static func request(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        switch opnum {
        case NetrShareEnum.opnum, NetrShareEnumSticky.opnum:
            let request = try NetrShareEnum.Request(parsing: &reader)
            outline.field("ServerName", request.serverName)
            outline.field("Level", "\(request.infoStruct.level)")
        case NetrShareGetInfo.opnum:
            let request = try NetrShareGetInfo.Request(parsing: &reader)
            outline.field("ServerName", request.serverName)
            outline.field("NetName", request.netName)
            outline.field("Level", "\(request.level)")
        case NetrRemoteTOD.opnum:
            outline.field("ServerName", try NetrRemoteTOD.Request(parsing: &reader).serverName)
        case _: try query(&reader, into: &outline)
        }
    }

    private static func response(
        _ opnum: UInt16, _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let status: NetStatus
        switch opnum {
        case NetrShareEnum.opnum, NetrShareEnumSticky.opnum:
            let response = try NetrShareEnum.Response(parsing: &reader)
            for share in response.infoStruct.shares { show(share, into: &outline) }
            status = response.status
        case NetrShareGetInfo.opnum:
            let response = try NetrShareGetInfo.Response(parsing: &reader)
            if let share = response.shareInfo { show(share, into: &outline) }
            status = response.status
        case NetrRemoteTOD.opnum:
            let response = try NetrRemoteTOD.Response(parsing: &reader)
            if let time = response.timeOfDay { outline.field("elapsed", "\(time.elapsed)") }
            status = response.status
        case _:
            let response = try NetrServerGetInfo.Response(parsing: &reader)
            if let info = response.serverInfo {
                outline.field("name", info.name)
                outline.field("version", "\(info.versionMajor).\(info.versionMinor)")
                outline.flags("type", info.type)
                outline.field("comment", info.comment)
            }
            status = response.status
        }
        outline.field("status", status.description)
    }

    private static func show(_ share: ShareInfo, into outline: inout Outline) {
        outline.field(
            "share",
            "\(share.netName ?? "") type 0x" + Hex.string(share.type) + " \(share.remark ?? "")")
    }
}
