import Interfaces
import RPC
import Wire

/// The server service, as far as it tells of the server, its shares and its clock (MS-SRVS).
package final class ServerService: RemoteService {
    package let interface = ServerServiceInterface.interface
    private let host: () -> ServedHost
    private let shares: [ShareInfo]

    /// The most users that may be connected, as clients are told; what limits us is elsewhere.
    private static let unlimitedUsers: UInt32 = 0xffff_ffff
    /// The disconnection of idle sessions after minutes, and announcements' period in seconds.
    private static let idleMinutes: UInt32 = 15
    private static let announcePeriod: UInt32 = 240
    private static let announceVariation: UInt32 = 3_000

    /// `netlogonPath` is how the directory of the NETLOGON share is called; nil: there is none.
    package init(host: @escaping () -> ServedHost, netlogonPath: String?) {
        self.host = host
        var shares = [
            ShareInfo(
                netName: "IPC$", type: ShareInfo.ipc | ShareInfo.special, remark: "Remote IPC",
                path: ""),
        ]
        if let netlogonPath {
            shares.append(
                ShareInfo(
                    netName: "NETLOGON", remark: "Logon server share", path: netlogonPath))
        }
        self.shares = shares
    }

    package func ended(_ caller: RemoteCaller) {}

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var stub = NDRReader(stub)
        do throws(WireError) {
            switch opnum {
            case NetrServerGetInfo.opnum:
                let request = try NetrServerGetInfo.Request(parsing: &stub)
                return info(request.level, caller.identity)
            case NetrShareEnum.opnum:
                return list(try .init(parsing: &stub), ShareInfo.listLevels, caller.identity)
            case NetrShareEnumSticky.opnum:
                return list(try .init(parsing: &stub), [0, 1, 2, 502], caller.identity)
            case NetrShareGetInfo.opnum: return share(try .init(parsing: &stub), caller.identity)
            case NetrShareCheck.opnum: return check(try .init(parsing: &stub))
            case NetrRemoteTOD.opnum:
                _ = try NetrRemoteTOD.Request(parsing: &stub)
                var time = TimeOfDayInfo(unix: now.unix)
                time.milliseconds = UInt32(truncatingIfNeeded: now.now)
                return .stub(NetrRemoteTOD.Response(timeOfDay: time))
            case _: return try inUse(opnum, &stub, caller.identity)
            }
        } catch {
            return .fault(.badStubData)
        }
    }

    /// The settings of level 102 are the administrators' to see (MS-SRVS 3.1.4.17).
    private func info(_ level: UInt32, _ caller: FrontIdentity) -> ServiceReply {
        guard NetrServerGetInfo.Response.isKnown(level) else {
            return .stub(
                NetrServerGetInfo.Response(level: level, serverInfo: nil, status: .invalidLevel))
        }
        guard level < 102 || caller.isAdministrator else {
            return .stub(
                NetrServerGetInfo.Response(level: level, serverInfo: nil, status: .accessDenied))
        }
        let host = host()
        var server = ServerInfo(
            name: host.computerName, versionMajor: host.versionMajor,
            versionMinor: host.versionMinor, type: host.serverType, comment: host.comment)
        server.users = Self.unlimitedUsers
        server.disconnect = Self.idleMinutes
        server.announce = Self.announcePeriod
        server.announceDelta = Self.announceVariation
        server.userPath = ""
        return .stub(NetrServerGetInfo.Response(level: level, serverInfo: server))
    }

    // MARK: What is in use

    private func inUse(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: FrontIdentity
    ) throws(WireError) -> ServiceReply {
        switch opnum {
        case NetrConnectionEnum.opnum:
            return ListedNothing.reply(try NetrConnectionEnum.Request(parsing: &stub), caller)
        case NetrFileEnum.opnum:
            return ListedNothing.reply(try NetrFileEnum.Request(parsing: &stub), caller)
        case NetrSessionEnum.opnum:
            return ListedNothing.reply(try NetrSessionEnum.Request(parsing: &stub), caller)
        case NetrServerDiskEnum.opnum:
            let request = try NetrServerDiskEnum.Request(parsing: &stub)
            var status = NetStatus.success
            if !caller.isAdministrator {
                status = .accessDenied
            } else if request.infoStruct.level != 0 {
                status = .invalidLevel
            }
            return .stub(
                NetrServerDiskEnum.Response(
                    .init(), resumeHandle: request.resumeHandle, status: status))
        case _: return .fault(.opRangeError)
        }
    }

    // MARK: Shares

    /// Where shares are in the file system is for administrators (MS-SRVS 3.1.4.8).
    private static func isAllowed(_ level: UInt32, _ caller: FrontIdentity) -> Bool {
        switch level {
        case 0, 1, ShareInfo.flagsLevel: true
        case 501: caller.isUser
        case _: caller.isAdministrator
        }
    }

    /// The list is short, so that it is given whole whatever length is preferred.
    private func list(
        _ request: ListRequest<ShareList>, _ levels: [UInt32], _ caller: FrontIdentity
    ) -> ServiceReply {
        let level = request.infoStruct.level
        func answer(_ list: [ShareInfo], _ status: NetStatus) -> ServiceReply {
            .stub(
                ListResponse(
                    ShareList(level: level, shares: list), totalEntries: UInt32(list.count),
                    resumeHandle: request.resumeHandle.map { _ in 0 }, status: status))
        }
        guard levels.contains(level) else { return answer([], .invalidLevel) }
        guard Self.isAllowed(level, caller) else { return answer([], .accessDenied) }
        let start = Int(clamping: request.resumeHandle ?? 0)
        return answer(start < shares.count ? Array(shares[start...]) : [], .success)
    }

    private func share(
        _ request: NetrShareGetInfo.Request, _ caller: FrontIdentity
    ) -> ServiceReply {
        func answer(_ share: ShareInfo?, _ status: NetStatus) -> ServiceReply {
            .stub(
                NetrShareGetInfo.Response(
                    level: request.level, shareInfo: share, status: status))
        }
        guard ShareInfo.levels.contains(request.level) else { return answer(nil, .invalidLevel) }
        // Of one share that they can name, all learn how it is cached (MS-SRVS 3.1.4.10).
        guard request.level == 501 || Self.isAllowed(request.level, caller) else {
            return answer(nil, .accessDenied)
        }
        let name = request.netName.lowercased()
        guard let share = shares.first(where: { $0.netName?.lowercased() == name }) else {
            return answer(nil, .shareNotFound)
        }
        return answer(share, .success)
    }

    private func check(_ request: NetrShareCheck.Request) -> ServiceReply {
        let path = request.device.lowercased()
        // Nothing is what IPC$ shares.
        for share in shares where share.path?.lowercased() == path {
            return .stub(NetrShareCheck.Response(type: share.type))
        }
        return .stub(NetrShareCheck.Response(type: 0, status: .deviceNotShared))
    }
}

/// The answer of calls that list what is in use. Nothing is told to anyone but administrators,
/// and to them that it is nothing: who is connected is in the program's own status.
enum ListedNothing {
    static func reply<Call: ListCall>(
        _ request: ListRequest<EmptyList<Call>>, _ caller: FrontIdentity
    ) -> ServiceReply {
        var status = NetStatus.success
        if !request.infoStruct.isKnown {
            status = .invalidLevel
        } else if !caller.isAdministrator {
            status = .accessDenied
        }
        return .stub(
            ListResponse(
                EmptyList<Call>(level: request.infoStruct.level),
                resumeHandle: request.resumeHandle, status: status))
    }
}
