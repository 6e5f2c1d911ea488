import Interfaces
import RPC
import Wire

/// What a controller says of the domain that it serves.
package struct DomainIdentity: Equatable {
    package var name: String
    package var sid: SID

    package init(name: String, sid: SID) {
        self.name = name
        self.sid = sid
    }
}

/// What a server says of itself.
package struct ServerIdentity: Equatable {
    package var computer: String
    package var domain: String
    package var version: String
}

// No call names the server that it goes to: none needs it, and it is 40 bytes less each time.

extension SMBSession {
    /// NetrWkstaGetInfo: the server's computer and domain name.
    package func workstation() throws(FlowError) -> ServerIdentity {
        let pipe = PipeCalls(
            self, pipe: WorkstationServiceInterface.pipe, WorkstationServiceInterface.interface)
        let answer = try pipe.call(
            NetrWkstaGetInfo.self, LevelledQuery(serverName: nil, level: 100))
        guard answer.status == .success, let info = answer.wkstaInfo else {
            throw dialogue.contradicted(
                "\(target.name) does not tell of itself: \(answer.status.description)")
        }
        return ServerIdentity(
            computer: info.computerName ?? "", domain: info.lanGroup ?? "",
            version: "\(info.versionMajor).\(info.versionMinor)")
    }

    /// LsarOpenPolicy2, a query for each of `classes`, LsarClose: what the domain is. The answers
    /// must not contradict each other. `bound` is a pipe that is open already; `hurries` does not
    /// wait for the answer to the last call.
    package func domainIdentity(
        _ classes: [PolicyInformationClass] = [.accountDomain, .primaryDomain],
        on bound: PipeCalls<Link>? = nil, hurries: Bool = false
    ) throws(FlowError) -> DomainIdentity {
        let pipe = bound ?? PipeCalls(self, pipe: LSA.pipe, LSA.interface)
        let opened = try pipe.call(
            LsarOpenPolicy2.self,
            LsarOpenPolicy2.Request(
                systemName: nil, desiredAccess: LSAAccess.viewLocalInformation))
        if opened.status.isError { throw dialogue.refused(opened.status) }
        var found: DomainIdentity?
        for information in classes {
            let answer = try pipe.call(
                LsarQueryInformationPolicy.self,
                PolicyQuery(policyHandle: opened.handle, informationClass: information))
            if answer.status.isError { throw dialogue.refused(answer.status) }
            guard let identity = Self.identity(answer.policyInformation) else {
                throw dialogue.contradicted("\(target.name) tells no domain's name and SID")
            }
            if let found, found.sid != identity.sid {
                throw dialogue.contradicted(
                    "\(target.name) keeps the accounts of \(found.name) and is of "
                        + "\(identity.name): it is no controller")
            }
            found = identity
        }
        let close = LsarClose.Request(objectHandle: opened.handle)
        if hurries {
            pipe.callLast(LsarClose.self, close)
        } else {
            _ = try pipe.call(LsarClose.self, close)
        }
        guard let found else { throw dialogue.contradicted("nothing was asked") }
        return found
    }

    /// Whether there is an account of that name, `DOMAIN\USER` (LsarLookupNames). Nil where the
    /// server does not say so to this session's user.
    package func knows(account name: String) throws(FlowError) -> Bool? {
        let pipe = PipeCalls(self, pipe: LSA.pipe, LSA.interface)
        let opened = try pipe.call(
            LsarOpenPolicy2.self,
            LsarOpenPolicy2.Request(systemName: nil, desiredAccess: LSAAccess.lookupNames))
        if opened.status.isError { return nil }
        let answer = try pipe.call(
            LsarLookupNames.self,
            LsarLookupNames.Request(policyHandle: opened.handle, names: [name]))
        if answer.status == .noneMapped { return false }
        return answer.status.isError ? nil : answer.mappedCount > 0
    }

    private static func identity(_ information: PolicyInformation?) -> DomainIdentity? {
        let domain: LSADomain
        switch information {
        case .accountDomain(let part), .primaryDomain(let part), .localAccountDomain(let part):
            domain = part
        case .dnsDomain(let part), .dnsDomainInternal(let part):
            domain = LSADomain(name: part.name, sid: part.sid)
        case .auditLog, .auditEvents, .pdAccount, .serverRole, .replicaSource, .defaultQuota,
            nil:
            return nil
        }
        guard let name = domain.name, let sid = domain.sid else { return nil }
        return DomainIdentity(name: name, sid: sid)
    }
}
