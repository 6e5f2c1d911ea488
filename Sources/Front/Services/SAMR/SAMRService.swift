import Domain
import Interfaces
import RPC
import Wire

/// The Security Account Manager of the embedded domain (MS-SAMR): two domains, the one that has
/// the accounts and `S-1-5-32`, which every controller has.
///
/// As on Windows NT every user may read, and who is nobody where `anonymous` says so; only
/// administrators of the embedded domain change anything but their own password.
package final class SAMRService: RemoteService {
    package let interface = SAMR.interface
    let domain: LocalDomain
    let anonymous: AnonymousAccess
    let random: (Int) -> [UInt8]
    /// Of whoever changes a password by knowing the old one.
    let guesses = GuessLimiter(SAMRService.guessLimits)
    /// The list that was shown last: pages of it are asked for one after the other.
    var shown: SAMRShownList?

    /// `random` gives that many unpredictable bytes.
    package init(
        domain: LocalDomain, anonymous: AnonymousAccess,
        random: @escaping (Int) -> [UInt8]
    ) {
        self.domain = domain
        self.anonymous = anonymous
        self.random = random
    }

    package func ended(_ caller: RemoteCaller) {}

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var stub = NDRReader(stub)
        do throws(WireError) {
            if let reply = try connect(opnum, &stub, caller) { return reply }
            if let reply = try list(opnum, &stub, caller) { return reply }
            if let reply = try query(opnum, &stub, caller, now) { return reply }
            if let reply = try create(opnum, &stub, caller) { return reply }
            if let reply = try member(opnum, &stub, caller) { return reply }
            if let reply = try set(opnum, &stub, caller, now) { return reply }
            return .fault(.opRangeError)
        } catch {
            return .fault(.badStubData)
        }
    }

    /// Parses a request and answers it with what `body` gives, or with what `refused` makes of
    /// the status that it was refused with.
    private func answer<Call: RemoteProcedure>(
        _: Call.Type, _ stub: inout NDRReader, refused: (NTStatus) -> Call.Response,
        _ body: (Call.Request) throws(SAMRRefusal) -> Call.Response
    ) throws(WireError) -> ServiceReply {
        let request = try Call.Request(parsing: &stub)
        do throws(SAMRRefusal) {
            return .stub(try body(request))
        } catch {
            switch error {
            case .status(let status): return .stub(refused(status))
            case .fault(let fault): return .fault(fault)
            }
        }
    }

    /// The same for calls that hand out a handle.
    private func opening<Call: RemoteProcedure>(
        _ call: Call.Type, _ stub: inout NDRReader,
        _ body: (Call.Request) throws(SAMRRefusal) -> ContextHandle
    ) throws(WireError) -> ServiceReply where Call.Response == SamrHandleResponse {
        try answer(
            call, &stub, refused: { SamrHandleResponse(handle: .null, status: $0) }
        ) { request throws(SAMRRefusal) in
            SamrHandleResponse(handle: try body(request))
        }
    }

    /// The same for calls that end in a status and nothing else.
    private func doing<Call: RemoteProcedure>(
        _ call: Call.Type, _ stub: inout NDRReader,
        _ body: (Call.Request) throws(SAMRRefusal) -> Void
    ) throws(WireError) -> ServiceReply where Call.Response == SamrStatusResponse {
        try answer(
            call, &stub, refused: { SamrStatusResponse(status: $0) }
        ) { request throws(SAMRRefusal) in
            try body(request)
            return SamrStatusResponse(status: .success)
        }
    }
}

// MARK: Which call is which

extension SAMRService {
    private func connect(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrConnect.opnum:
            return try opening(SamrConnect.self, &stub) { request throws(SAMRRefusal) in
                try self.open(.server, request.desiredAccess, caller).handle
            }
        case SamrConnect2.opnum:
            return try opening(SamrConnect2.self, &stub) { request throws(SAMRRefusal) in
                try self.open(.server, request.desiredAccess, caller).handle
            }
        case SamrConnect4.opnum, SAMR.connect3:
            return try opening(SamrConnect4.self, &stub) { request throws(SAMRRefusal) in
                try self.open(.server, request.desiredAccess, caller).handle
            }
        case SamrConnect5.opnum:
            return try answer(
                SamrConnect5.self, &stub, refused: { .init(handle: .null, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(handle: try self.open(.server, request.desiredAccess, caller).handle)
            }
        case SamrCloseHandle.opnum:
            return try opening(SamrCloseHandle.self, &stub) { request throws(SAMRRefusal) in
                _ = try self.object(request.handle, caller)
                self.close(request.handle, caller)
                return .null
            }
        case SamrOpenDomain.opnum:
            return try opening(SamrOpenDomain.self, &stub) { request throws(SAMRRefusal) in
                try self.openDomain(request, caller)
            }
        case SamrOpenUser.opnum:
            return try opening(SamrOpenUser.self, &stub) { request throws(SAMRRefusal) in
                try self.openUser(request, caller)
            }
        case SamrOpenGroup.opnum:
            return try opening(SamrOpenGroup.self, &stub) { request throws(SAMRRefusal) in
                try self.openGroup(request, caller)
            }
        case SamrOpenAlias.opnum:
            return try opening(SamrOpenAlias.self, &stub) { request throws(SAMRRefusal) in
                try self.openAlias(request, caller)
            }
        case _: return nil
        }
    }

    private func list(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrEnumerateDomainsInSamServer.opnum:
            return try answer(
                SamrEnumerateDomainsInSamServer.self, &stub, refused: Self.noPage
            ) { request throws(SAMRRefusal) in try self.enumerateDomains(request, caller) }
        case SamrEnumerateUsersInDomain.opnum:
            return try answer(SamrEnumerateUsersInDomain.self, &stub, refused: Self.noPage) {
                request throws(SAMRRefusal) in try self.enumerateUsers(request, caller)
            }
        case SamrEnumerateGroupsInDomain.opnum:
            return try answer(SamrEnumerateGroupsInDomain.self, &stub, refused: Self.noPage) {
                request throws(SAMRRefusal) in try self.enumerateGroups(request, caller)
            }
        case SamrEnumerateAliasesInDomain.opnum:
            return try answer(SamrEnumerateAliasesInDomain.self, &stub, refused: Self.noPage) {
                request throws(SAMRRefusal) in try self.enumerateAliases(request, caller)
            }
        case SamrQueryDisplayInformation.opnum, SamrQueryDisplayInformation2.opnum,
            SamrQueryDisplayInformation3.opnum:
            return display(try SamrQueryDisplayInformation3.Request(parsing: &stub), caller)
        case SamrGetDisplayEnumerationIndex.opnum, SamrGetDisplayEnumerationIndex2.opnum:
            return try answer(
                SamrGetDisplayEnumerationIndex2.self, &stub,
                refused: { .init(index: 0, status: $0) }
            ) { request throws(SAMRRefusal) in try self.displayIndex(request, caller) }
        case SamrLookupDomainInSamServer.opnum:
            return try answer(
                SamrLookupDomainInSamServer.self, &stub,
                refused: { .init(sid: nil, status: $0) }
            ) { request throws(SAMRRefusal) in try self.lookupDomain(request, caller) }
        case SamrLookupNamesInDomain.opnum:
            return try answer(
                SamrLookupNamesInDomain.self, &stub,
                refused: { .init(relativeIDs: [], uses: [], status: $0) }
            ) { request throws(SAMRRefusal) in try self.lookupNames(request, caller) }
        case SamrLookupIdsInDomain.opnum:
            return try answer(
                SamrLookupIdsInDomain.self, &stub,
                refused: { .init(names: [], uses: [], status: $0) }
            ) { request throws(SAMRRefusal) in try self.lookupIDs(request, caller) }
        case SamrRidToSid.opnum:
            return try answer(
                SamrRidToSid.self, &stub, refused: { .init(sid: nil, status: $0) }
            ) { request throws(SAMRRefusal) in try self.sid(request, caller) }
        case _: return nil
        }
    }

    private func query(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrQueryInformationDomain.opnum, SamrQueryInformationDomain2.opnum:
            return try answer(
                SamrQueryInformationDomain2.self, &stub,
                refused: { .init(information: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(information: try self.information(ofDomain: request, caller))
            }
        case SamrQueryInformationUser.opnum, SamrQueryInformationUser2.opnum:
            return try answer(
                SamrQueryInformationUser2.self, &stub,
                refused: { .init(information: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(information: try self.information(ofUser: request, caller, now))
            }
        case SamrQueryInformationGroup.opnum:
            return try answer(
                SamrQueryInformationGroup.self, &stub,
                refused: { .init(information: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(information: try self.information(ofGroup: request, caller))
            }
        case SamrQueryInformationAlias.opnum:
            return try answer(
                SamrQueryInformationAlias.self, &stub,
                refused: { .init(information: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(information: try self.information(ofAlias: request, caller))
            }
        case SamrQuerySecurityObject.opnum:
            return try answer(
                SamrQuerySecurityObject.self, &stub,
                refused: { .init(securityDescriptor: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(securityDescriptor: try self.security(request, caller))
            }
        case SamrGetUserDomainPasswordInformation.opnum:
            return try answer(
                SamrGetUserDomainPasswordInformation.self, &stub,
                refused: { .init(minPasswordLength: 0, passwordProperties: 0, status: $0) }
            ) { request throws(SAMRRefusal) in try self.passwordRules(request, caller) }
        case SamrGetDomainPasswordInformation.opnum:
            _ = try SamrGetDomainPasswordInformation.Request(parsing: &stub)
            return .stub(passwordRules())
        case _: return nil
        }
    }

    private func create(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrCreateGroupInDomain.opnum:
            return try answer(SamrCreateGroupInDomain.self, &stub, refused: Self.notCreated) {
                request throws(SAMRRefusal) in try self.createGroup(request, caller)
            }
        case SamrCreateAliasInDomain.opnum:
            return try answer(SamrCreateAliasInDomain.self, &stub, refused: Self.notCreated) {
                request throws(SAMRRefusal) in try self.createAlias(request, caller)
            }
        case SamrCreateUserInDomain.opnum:
            return try answer(SamrCreateUserInDomain.self, &stub, refused: Self.notCreated) {
                request throws(SAMRRefusal) in try self.createUser(request, caller)
            }
        case SamrCreateUser2InDomain.opnum:
            return try answer(
                SamrCreateUser2InDomain.self, &stub,
                refused: { .init(handle: .null, grantedAccess: 0, relativeID: 0, status: $0) }
            ) { request throws(SAMRRefusal) in try self.createUser2(request, caller) }
        case SamrDeleteUser.opnum:
            return try deleting(SamrDeleteUser.self, &stub, caller) {
                request throws(SAMRRefusal) in try self.deleteUser(request, caller)
            }
        case SamrDeleteGroup.opnum:
            return try deleting(SamrDeleteGroup.self, &stub, caller) {
                request throws(SAMRRefusal) in try self.deleteGroup(request, caller)
            }
        case SamrDeleteAlias.opnum:
            return try deleting(SamrDeleteAlias.self, &stub, caller) {
                request throws(SAMRRefusal) in try self.deleteAlias(request, caller)
            }
        case _: return nil
        }
    }

    /// What is deleted gives its handle up; what is not, keeps it.
    private func deleting<Call: RemoteProcedure>(
        _ call: Call.Type, _ stub: inout NDRReader, _ caller: RemoteCaller,
        _ body: (SamrHandleRequest) throws(SAMRRefusal) -> Void
    ) throws(WireError) -> ServiceReply
    where Call.Request == SamrHandleRequest, Call.Response == SamrHandleResponse {
        var handle = ContextHandle.null
        return try answer(
            call, &stub, refused: { SamrHandleResponse(handle: handle, status: $0) }
        ) { request throws(SAMRRefusal) in
            handle = request.handle
            try body(request)
            self.close(request.handle, caller)
            return SamrHandleResponse(handle: .null)
        }
    }

    private func member(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrAddMemberToGroup.opnum:
            return try doing(SamrAddMemberToGroup.self, &stub) { request throws(SAMRRefusal) in
                try self.addMember(request, caller)
            }
        case SamrRemoveMemberFromGroup.opnum:
            return try doing(SamrRemoveMemberFromGroup.self, &stub) {
                request throws(SAMRRefusal) in try self.removeMember(request, caller)
            }
        case SamrAddMemberToAlias.opnum:
            return try doing(SamrAddMemberToAlias.self, &stub) { request throws(SAMRRefusal) in
                try self.addAliasMember(request, caller)
            }
        case SamrRemoveMemberFromAlias.opnum:
            return try doing(SamrRemoveMemberFromAlias.self, &stub) {
                request throws(SAMRRefusal) in try self.removeAliasMember(request, caller)
            }
        case SamrRemoveMemberFromForeignDomain.opnum:
            return try doing(SamrRemoveMemberFromForeignDomain.self, &stub) {
                request throws(SAMRRefusal) in try self.removeForeignMember(request, caller)
            }
        case SamrGetMembersInGroup.opnum:
            return try answer(
                SamrGetMembersInGroup.self, &stub, refused: { .init(members: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(members: try self.members(ofGroup: request, caller))
            }
        case SamrGetMembersInAlias.opnum:
            return try answer(
                SamrGetMembersInAlias.self, &stub, refused: { .init(members: [], status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(members: try self.members(ofAlias: request, caller))
            }
        case SamrGetGroupsForUser.opnum:
            return try answer(
                SamrGetGroupsForUser.self, &stub, refused: { .init(groups: nil, status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(groups: try self.groups(ofUser: request, caller))
            }
        case SamrGetAliasMembership.opnum:
            return try answer(
                SamrGetAliasMembership.self, &stub,
                refused: { .init(membership: [], status: $0) }
            ) { request throws(SAMRRefusal) in
                .init(membership: try self.aliasMembership(request, caller))
            }
        case _: return nil
        }
    }

    private func set(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case SamrSetInformationDomain.opnum:
            return try doing(SamrSetInformationDomain.self, &stub) {
                request throws(SAMRRefusal) in try self.setDomain(request, caller)
            }
        case SamrSetInformationGroup.opnum:
            return try doing(SamrSetInformationGroup.self, &stub) {
                request throws(SAMRRefusal) in try self.setGroup(request, caller)
            }
        case SamrSetInformationAlias.opnum:
            return try doing(SamrSetInformationAlias.self, &stub) {
                request throws(SAMRRefusal) in try self.setAlias(request, caller)
            }
        case SamrSetInformationUser.opnum, SamrSetInformationUser2.opnum:
            return try doing(SamrSetInformationUser2.self, &stub) {
                request throws(SAMRRefusal) in try self.setUser(request, caller, now)
            }
        case SamrSetSecurityObject.opnum:
            return try doing(SamrSetSecurityObject.self, &stub) { request throws(SAMRRefusal) in
                try self.setSecurity(request, caller)
            }
        case SamrChangePasswordUser.opnum:
            return try doing(SamrChangePasswordUser.self, &stub) {
                request throws(SAMRRefusal) in try self.changePassword(request, caller, now)
            }
        case SamrOemChangePasswordUser2.opnum:
            return try doing(SamrOemChangePasswordUser2.self, &stub) {
                request throws(SAMRRefusal) in
                try self.changePassword(request, caller, now)
            }
        case SamrUnicodeChangePasswordUser2.opnum:
            return try doing(SamrUnicodeChangePasswordUser2.self, &stub) {
                request throws(SAMRRefusal) in
                try self.changePassword(request, caller, now)
            }
        case SamrUnicodeChangePasswordUser3.opnum:
            return try answer(
                SamrUnicodeChangePasswordUser3.self, &stub, refused: notChanged
            ) { request throws(SAMRRefusal) in
                try self.changePassword(request.change, caller, now)
                return .init()
            }
        case _: return nil
        }
    }

    private static func noPage(_ status: NTStatus) -> SamrEnumerateResponse {
        SamrEnumerateResponse(enumerationContext: 0, entries: nil, status: status)
    }

    private static func notCreated(_ status: NTStatus) -> SamrCreateResponse {
        SamrCreateResponse(handle: .null, relativeID: 0, status: status)
    }
}
