import Interfaces
import RPC
import Wire

/// The workstation service, as far as it tells of the computer and its domain (MS-WKST).
package final class WorkstationService: RemoteService {
    package let interface = WorkstationServiceInterface.interface
    private let host: () -> ServedHost

    package init(host: @escaping () -> ServedHost) { self.host = host }

    package func ended(_ caller: RemoteCaller) {}

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var stub = NDRReader(stub)
        do throws(WireError) {
            switch opnum {
            case NetrWkstaGetInfo.opnum:
                let request = try NetrWkstaGetInfo.Request(parsing: &stub)
                return info(request.level, caller.identity)
            case NetrWkstaUserEnum.opnum:
                return ListedNothing.reply(
                    try NetrWkstaUserEnum.Request(parsing: &stub), caller.identity)
            case _: return .fault(.opRangeError)
            }
        } catch {
            return .fault(.badStubData)
        }
    }

    /// What the domain is called is everyone's to know, the rest is the domain's users', and who
    /// is logged on its administrators' (MS-WKST 3.2.4.1).
    private func info(_ level: UInt32, _ caller: FrontIdentity) -> ServiceReply {
        let isAllowed: Bool
        switch level {
        case 100: isAllowed = true
        case 101: isAllowed = caller.isUser
        case 102, NetrWkstaGetInfo.Response.settingsLevel: isAllowed = caller.isAdministrator
        case _:
            return .stub(
                NetrWkstaGetInfo.Response(level: level, wkstaInfo: nil, status: .invalidLevel))
        }
        guard isAllowed else {
            return .stub(
                NetrWkstaGetInfo.Response(level: level, wkstaInfo: nil, status: .accessDenied))
        }
        if level == NetrWkstaGetInfo.Response.settingsLevel {
            return .stub(
                NetrWkstaGetInfo.Response(level: level, info: .settings(.defaults)))
        }
        let host = host()
        return .stub(
            NetrWkstaGetInfo.Response(
                level: level,
                wkstaInfo: WkstaInfo(
                    computerName: host.computerName, lanGroup: host.domainName,
                    versionMajor: host.versionMajor, versionMinor: host.versionMinor,
                    lanRoot: "")))
    }
}

extension FrontIdentity {
    /// Somebody whom a domain vouched for.
    var isUser: Bool {
        switch kind {
        case .anonymous, .guest: false
        case .local, .remote: true
        }
    }
}
