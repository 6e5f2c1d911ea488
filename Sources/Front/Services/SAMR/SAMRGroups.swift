import Domain
import Interfaces
import RPC
import Wire

// MARK: Groups

extension SAMRService {
    func openGroup(
        _ request: SamrOpenRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> ContextHandle {
        let home = try domain(request.domainHandle, caller, needs: SAMRAccess.Domain.lookup)
        guard home == .account, domain.groups[request.relativeID] != nil else {
            throw .status(.noSuchGroup)
        }
        return try open(.group(request.relativeID), request.desiredAccess, caller).handle
    }

    func createGroup(
        _ request: SamrCreateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrCreateResponse {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.createGroup)
        guard home == .account else { throw .status(.accessDenied) }
        _ = try grant(.group(0), request.desiredAccess, caller)
        let group = try changing { () throws(DomainError) in
            try domain.createGroup(request.name)
        }
        let opened = try open(.group(group.rid), request.desiredAccess, caller)
        return SamrCreateResponse(handle: opened.handle, relativeID: group.rid)
    }

    func deleteGroup(_ request: SamrHandleRequest, _ caller: RemoteCaller) throws(SAMRRefusal) {
        let group = try group(request.handle, caller, needs: SAMRAccess.delete)
        try changing { () throws(DomainError) in try domain.deleteGroup(group.rid) }
    }

    func information(
        ofGroup request: SamrQueryRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrGroupInformation {
        let group = try group(
            request.handle, caller, needs: SAMRAccess.Group.readInformation)
        switch request.informationClass {
        case 1:
            return .general(
                name: group.name, attributes: group.attributes,
                memberCount: UInt32(domain.members(of: group.rid).count),
                adminComment: group.comment)
        case 2: return .name(group.name)
        case 3: return .attributes(group.attributes)
        case 4: return .adminComment(group.comment)
        case 5:
            return .replication(
                name: group.name, attributes: group.attributes, memberCount: 0,
                adminComment: group.comment)
        case _: throw .status(.invalidInfoClass)
        }
    }

    func setGroup(
        _ request: SamrSetInformationGroup.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let group = try group(
            request.groupHandle, caller, needs: SAMRAccess.Group.writeAccount)
        try changing { () throws(DomainError) in
            switch request.information {
            case .name(let name): try domain.updateGroup(group.rid) { $0.name = name }
            case .attributes(let attributes):
                try domain.updateGroup(group.rid) { $0.attributes = attributes }
            case .adminComment(let comment):
                try domain.updateGroup(group.rid) { $0.comment = comment }
            case .general, .replication: throw DomainError(.invalidInfoClass)
            }
        }
    }

    func addMember(
        _ request: SamrAddMemberToGroup.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let group = try group(request.groupHandle, caller, needs: SAMRAccess.Group.addMember)
        try changing { () throws(DomainError) in
            try domain.addMember(request.memberID, to: group.rid)
        }
    }

    func removeMember(
        _ request: SamrRemoveMemberFromGroup.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let group = try group(
            request.groupHandle, caller, needs: SAMRAccess.Group.removeMember)
        try changing { () throws(DomainError) in
            try domain.removeMember(request.memberID, from: group.rid)
        }
    }

    func members(
        ofGroup request: SamrHandleRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> [GroupMembership] {
        let group = try group(request.handle, caller, needs: SAMRAccess.Group.listMembers)
        return domain.members(of: group.rid).map {
            GroupMembership(relativeID: $0, attributes: group.attributes)
        }
    }
}

// MARK: Aliases

extension SAMRService {
    func openAlias(
        _ request: SamrOpenRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> ContextHandle {
        let home = try domain(request.domainHandle, caller, needs: SAMRAccess.Domain.lookup)
        guard domain.alias(rid: request.relativeID, in: home) != nil else {
            throw .status(.noSuchAlias)
        }
        return try open(.alias(home, request.relativeID), request.desiredAccess, caller).handle
    }

    func createAlias(
        _ request: SamrCreateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrCreateResponse {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.createAlias)
        guard home == .account else { throw .status(.accessDenied) }
        _ = try grant(.alias(.account, 0), request.desiredAccess, caller)
        let alias = try changing { () throws(DomainError) in
            try domain.createAlias(request.name)
        }
        let opened = try open(.alias(.account, alias.rid), request.desiredAccess, caller)
        return SamrCreateResponse(handle: opened.handle, relativeID: alias.rid)
    }

    func deleteAlias(_ request: SamrHandleRequest, _ caller: RemoteCaller) throws(SAMRRefusal) {
        let alias = try alias(request.handle, caller, needs: SAMRAccess.delete)
        try changing { () throws(DomainError) in
            try domain.deleteAlias(alias.rid, in: alias.home)
        }
    }

    func information(
        ofAlias request: SamrQueryRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrAliasInformation {
        let alias = try alias(
            request.handle, caller, needs: SAMRAccess.Alias.readInformation)
        switch request.informationClass {
        case 1:
            return .general(
                name: alias.name, memberCount: UInt32(alias.members.count),
                adminComment: alias.comment)
        case 2: return .name(alias.name)
        case 3: return .adminComment(alias.comment)
        case _: throw .status(.invalidInfoClass)
        }
    }

    func setAlias(
        _ request: SamrSetInformationAlias.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let alias = try alias(
            request.aliasHandle, caller, needs: SAMRAccess.Alias.writeAccount)
        try changing { () throws(DomainError) in
            switch request.information {
            case .name(let name):
                try domain.updateAlias(alias.rid, in: alias.home) { $0.name = name }
            case .adminComment(let comment):
                try domain.updateAlias(alias.rid, in: alias.home) { $0.comment = comment }
            case .general: throw DomainError(.invalidInfoClass)
            }
        }
    }

    func addAliasMember(
        _ request: SamrMemberRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let alias = try alias(request.handle, caller, needs: SAMRAccess.Alias.addMember)
        try changing { () throws(DomainError) in
            try domain.addMember(request.memberID, toAlias: alias.rid, in: alias.home)
        }
    }

    func removeAliasMember(
        _ request: SamrMemberRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let alias = try alias(request.handle, caller, needs: SAMRAccess.Alias.removeMember)
        try changing { () throws(DomainError) in
            try domain.removeMember(request.memberID, fromAlias: alias.rid, in: alias.home)
        }
    }

    /// What every tool calls before it deletes a user, with a handle that needs no more than
    /// lookups (MS-SAMR 3.1.5.8.8): who may is then asked of the caller.
    func removeForeignMember(
        _ request: SamrMemberRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let home = try domain(request.handle, caller, needs: SAMRAccess.Domain.lookup)
        guard caller.identity.isAdministrator else { throw .status(.accessDenied) }
        let sid = request.memberID
        try changing { () throws(DomainError) in
            for rid in domain.aliases(of: [sid], in: home) {
                try domain.removeMember(sid, fromAlias: rid, in: home)
            }
        }
    }

    func members(
        ofAlias request: SamrHandleRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> [SID] {
        try alias(request.handle, caller, needs: SAMRAccess.Alias.listMembers).members
    }
}
