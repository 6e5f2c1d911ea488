import Domain
import Interfaces
import RPC
import Wire

/// Tells which domain we control and as what; whoever decides between a directory and an NT4
/// domain asks this first.
package final class DirectorySetupService: RemoteService {
    package let interface = DirectorySetup.interface
    private let domain: LocalDomain

    package init(_ domain: LocalDomain) { self.domain = domain }

    package func ended(_ caller: RemoteCaller) {}

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        // The interface's later calls turn a server into a controller: nothing for us.
        guard opnum == DsRolerGetPrimaryDomainInformation.opnum else {
            return .fault(.opRangeError)
        }
        var reader = stub
        do {
            let request = try DsRolerGetPrimaryDomainInformation.Request(parsing: &reader)
            return answer(request.infoLevel)
        } catch {
            return .fault(.badStubData)
        }
    }

    private func answer(_ level: UInt16) -> ServiceReply {
        typealias Call = DsRolerGetPrimaryDomainInformation
        var response = Call.Response(domainInfo: nil, status: .invalidParameter)
        switch level {
        case Call.Request.basic:
            let role: MachineRole =
                domain.role == .primary ? .primaryController : .backupController
            response = Call.Response(
                domainInfo: .basic(.init(machineRole: role, domainNameFlat: domain.name)))
        case Call.Request.upgradeStatus:
            response = Call.Response(
                domainInfo: .upgradeStatus(operationState: 0, previousServerState: 0))
        case Call.Request.operationState:
            response = Call.Response(domainInfo: .operationState(0))
        case _: break
        }
        var writer = WireWriter()
        response.write(into: &writer)
        return .response(writer.finish())
    }
}
