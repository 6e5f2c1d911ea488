import Interfaces
import RPC
import Wire

/// The management interface, as far as it tells anything: nobody may stop the server by it.
package final class ManagementService: RemoteService {
    package let interface = Management.interface
    package let takesUnprotected = true
    private let interfaces: [SyntaxID]
    private let computerName: String
    private var callsIn: UInt32 = 0

    package init(interfaces: [SyntaxID], computerName: String) {
        self.interfaces = interfaces + [Management.interface]
        self.computerName = computerName
    }

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        callsIn &+= 1
        var reader = stub
        do {
            switch opnum {
            case MgmtInqIfIds.opnum:
                return reply(MgmtInqIfIds.Response(interfaces: interfaces))
            case MgmtInqStats.opnum:
                let count = min(
                    Int(clamping: try MgmtInqStats.Request(parsing: &reader).count),
                    MgmtInqStats.statistics)
                let all: [UInt32] = [callsIn, 0, callsIn, callsIn]
                return reply(MgmtInqStats.Response(statistics: Array(all[..<count])))
            case MgmtIsServerListening.opnum:
                return reply(MgmtIsServerListening.Response(isListening: true))
            case MgmtStopServerListening.opnum:
                return reply(
                    MgmtStopServerListening.Response(status: Management.accessDenied))
            case MgmtInqPrincName.opnum:
                return principal(try MgmtInqPrincName.Request(parsing: &reader))
            case _: return .fault(.opRangeError)
            }
        } catch {
            return .fault(.badStubData)
        }
    }

    package func ended(_ caller: RemoteCaller) {}

    private func principal(_ request: MgmtInqPrincName.Request) -> ServiceReply {
        let isKnown = request.authenticationService == UInt32(AuthType.winNT.rawValue)
            || request.authenticationService == UInt32(AuthType.gssNegotiate.rawValue)
        let fits = Int(clamping: request.nameSize) > computerName.utf8.count
        // An answer is as large as its asker says, within reason.
        let room = min(request.nameSize, UInt32(MgmtInqPrincName.maximumName))
        if isKnown, fits {
            return reply(MgmtInqPrincName.Response(nameSize: room, name: computerName))
        }
        return reply(
            MgmtInqPrincName.Response(
                nameSize: room, name: "",
                status: isKnown
                    ? Management.insufficientBuffer : Management.unknownAuthenticationService))
    }

    private func reply(_ response: some NDRMessage) -> ServiceReply {
        var writer = WireWriter()
        response.write(into: &writer)
        return .response(writer.finish())
    }
}
