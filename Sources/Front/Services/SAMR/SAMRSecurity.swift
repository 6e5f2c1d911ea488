import Domain
import Interfaces
import RPC
import Wire

/// The security descriptors of SAM's objects, which say what `SAMRAccess` grants.
extension SAMRService {
    func security(
        _ request: SamrQuerySecurityObject.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrSecurityDescriptor {
        let known = try object(
            request.objectHandle, caller, needs: SAMRAccess.readControl)
        return SamrSecurityDescriptor(
            domain.securityDescriptor(
                of: known.object, parts: request.securityInformation))
    }

    /// Setting what is there already does nothing, as a client may that writes back what it read.
    func setSecurity(
        _ request: SamrSetSecurityObject.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let known = try object(
            request.objectHandle, caller, needs: SAMRAccess.writeDACL)
        let own = domain.securityDescriptor(
            of: known.object, parts: request.securityInformation)
        if request.securityDescriptor.bytes != own { throw .status(.notSupported) }
    }
}
