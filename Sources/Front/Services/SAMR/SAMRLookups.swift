import Domain
import Interfaces
import RPC
import Wire

extension SAMRService {
    func lookupNames(
        _ request: SamrLookupNamesInDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrLookupNamesInDomain.Response {
        let home = try domain(request.domainHandle, caller, needs: SAMRAccess.Domain.lookup)
        var response = SamrLookupNamesInDomain.Response(relativeIDs: [], uses: [])
        var found = 0
        for name in request.names {
            let (rid, use) = lookup(name, home)
            response.relativeIDs.append(rid)
            response.uses.append(use)
            if use != .unknown { found += 1 }
        }
        response.status = Self.status(found, of: request.names.count)
        if response.status == .noneMapped { throw .status(.noneMapped) }
        return response
    }

    private func lookup(_ name: String, _ home: Alias.Home) -> (UInt32, SIDNameUse) {
        switch home {
        case .builtin:
            guard let alias = domain.alias(name, in: .builtin) else { return (0, .unknown) }
            return (alias.rid, .alias)
        case .account:
            switch domain.lookup(name) {
            case .account(let rid): return (rid, .user)
            case .group(let rid): return (rid, .group)
            case .alias(let rid): return (rid, .alias)
            case nil: return (0, .unknown)
            }
        }
    }

    func lookupIDs(
        _ request: SamrLookupIdsInDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrLookupIdsInDomain.Response {
        let home = try domain(request.domainHandle, caller, needs: SAMRAccess.Domain.lookup)
        // Names to numbers are for who knows the names; numbers, one after the other, list them.
        if anonymous < .names, SAMRAccess.standing(caller) == .nobody {
            throw .status(.accessDenied)
        }
        var response = SamrLookupIdsInDomain.Response(names: [], uses: [])
        var found = 0
        for rid in request.relativeIDs {
            let (name, use) = lookup(rid, home)
            response.names.append(name)
            response.uses.append(use)
            if use != .unknown { found += 1 }
        }
        response.status = Self.status(found, of: request.relativeIDs.count)
        if response.status == .noneMapped { throw .status(.noneMapped) }
        return response
    }

    private func lookup(_ rid: UInt32, _ home: Alias.Home) -> (String, SIDNameUse) {
        if let alias = domain.alias(rid: rid, in: home) { return (alias.name, .alias) }
        guard home == .account else { return ("", .unknown) }
        if let account = domain.accounts[rid] { return (account.name, .user) }
        if let group = domain.groups[rid] { return (group.name, .group) }
        return ("", .unknown)
    }

    /// Of nothing that was asked, all is found.
    private static func status(_ found: Int, of asked: Int) -> NTStatus {
        if found == asked { return .success }
        return found == 0 ? .noneMapped : .someNotMapped
    }

    func groups(
        ofUser request: SamrHandleRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> [GroupMembership] {
        let account = try account(
            request.handle, caller, needs: SAMRAccess.User.listGroups)
        return account.groupRIDs.map { GroupMembership(relativeID: $0) }
    }

    func aliasMembership(
        _ request: SamrGetAliasMembership.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> [UInt32] {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.getAliasMembership)
        return domain.aliases(of: request.sids, in: home)
    }
}
