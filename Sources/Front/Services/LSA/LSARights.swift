import Domain
import Interfaces
import RPC
import Wire

/// Privileges, and the accounts that have them (MS-LSAD 3.1.4.5 and 3.1.4.8).
extension LSAService {
    /// What the handle of an opened account stands for.
    final class AccountHandle {
        let holder: Privileges.Holder
        let granted: UInt32
        init(holder: Privileges.Holder, granted: UInt32) {
            self.holder = holder
            self.granted = granted
        }
    }

    /// MS-LSAD 2.2.1.1.3.
    private static let accountRights = AccessRights(
        read: 0x0002_0001, write: 0x0002_000e, execute: 0x0002_0000, all: 0x000f_000f)

    func right(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply {
        switch opnum {
        case LsarEnumerateAccounts.opnum:
            return enumerate(
                try .init(parsing: &stub), caller, Privileges.holders.map { PointedSID($0.sid) })
        case LsarEnumeratePrivileges.opnum:
            return enumerate(try .init(parsing: &stub), caller, Privileges.definitions)
        case LsarLookupPrivilegeValue.opnum: return value(try .init(parsing: &stub), caller)
        case LsarLookupPrivilegeName.opnum: return name(try .init(parsing: &stub), caller)
        case LsarLookupPrivilegeDisplayName.opnum:
            return displayName(try .init(parsing: &stub), caller)
        case LsarOpenAccount.opnum: return openAccount(try .init(parsing: &stub), caller)
        case LsarEnumeratePrivilegesAccount.opnum:
            return privileges(try .init(parsing: &stub), caller)
        case LsarGetSystemAccessAccount.opnum:
            return systemAccess(try .init(parsing: &stub), caller)
        case LsarEnumerateAccountsWithUserRight.opnum:
            return holders(try .init(parsing: &stub), caller)
        case LsarEnumerateAccountRights.opnum: return rights(try .init(parsing: &stub), caller)
        case _: return .fault(.opRangeError)
        }
    }

    // MARK: Privileges

    private func value(
        _ request: LsarLookupPrivilegeValue.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        func failed(_ status: NTStatus) -> ServiceReply {
            .stub(LsarLookupPrivilegeValue.Response(value: 0, status: status))
        }
        if let refused = refusal(request.policyHandle, caller, needs: LSAAccess.lookupNames) {
            return refused.reply(failed)
        }
        guard let value = Privileges.value(request.name ?? "") else {
            return failed(.noSuchPrivilege)
        }
        return .stub(LsarLookupPrivilegeValue.Response(value: value))
    }

    private func name(
        _ request: LsarLookupPrivilegeName.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        func failed(_ status: NTStatus) -> ServiceReply {
            .stub(LsarLookupPrivilegeName.Response(name: nil, status: status))
        }
        if let refused = refusal(request.policyHandle, caller, needs: LSAAccess.lookupNames) {
            return refused.reply(failed)
        }
        guard let privilege = Privileges.privilege(request.value) else {
            return failed(.noSuchPrivilege)
        }
        return .stub(LsarLookupPrivilegeName.Response(name: privilege.name))
    }

    private func displayName(
        _ request: LsarLookupPrivilegeDisplayName.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        func failed(_ status: NTStatus) -> ServiceReply {
            .stub(
                LsarLookupPrivilegeDisplayName.Response(
                    displayName: nil, languageReturned: 0, status: status))
        }
        if let refused = refusal(request.policyHandle, caller, needs: LSAAccess.lookupNames) {
            return refused.reply(failed)
        }
        guard let value = Privileges.value(request.name ?? ""),
            let privilege = Privileges.privilege(value)
        else { return failed(.noSuchPrivilege) }
        return .stub(
            LsarLookupPrivilegeDisplayName.Response(displayName: privilege.displayName))
    }

    // MARK: Accounts

    private func openAccount(
        _ request: LsarOpenAccount.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        func failed(_ status: NTStatus) -> ServiceReply {
            .stub(OpenedHandle(handle: .null, status: status))
        }
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply(failed)
        }
        guard let holder = Privileges.holders.first(where: { $0.sid == request.accountSID })
        else { return failed(.objectNameNotFound) }
        let allowed = caller.identity.isAdministrator
            ? Self.accountRights.all : Self.accountRights.read
        guard let granted = Self.accountRights.granted(request.desiredAccess, of: allowed) else {
            return failed(.accessDenied)
        }
        guard let handle = caller.open(
            AccountHandle(holder: holder, granted: granted), random: random)
        else { return failed(.insufficientResources) }
        return .stub(OpenedHandle(handle: handle))
    }

    private func privileges(
        _ request: LSAAccountRequest, _ caller: RemoteCaller
    ) -> ServiceReply {
        guard let account = caller[request.accountHandle] as? AccountHandle else {
            return .fault(.contextMismatch)
        }
        guard account.granted & LSAAccess.viewAccount != 0 else {
            return .stub(
                LsarEnumeratePrivilegesAccount.Response(privileges: nil, status: .accessDenied))
        }
        let held = account.holder.privileges.compactMap { name in
            Privileges.value(name).map { HeldPrivilege(value: $0) }
        }
        return .stub(LsarEnumeratePrivilegesAccount.Response(privileges: held))
    }

    private func systemAccess(
        _ request: LSAAccountRequest, _ caller: RemoteCaller
    ) -> ServiceReply {
        guard let account = caller[request.accountHandle] as? AccountHandle else {
            return .fault(.contextMismatch)
        }
        guard account.granted & LSAAccess.viewAccount != 0 else {
            return .stub(
                LsarGetSystemAccessAccount.Response(systemAccess: 0, status: .accessDenied))
        }
        return .stub(
            LsarGetSystemAccessAccount.Response(systemAccess: account.holder.systemAccess))
    }

    private func holders(
        _ request: LsarEnumerateAccountsWithUserRight.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        typealias Answer = LsarEnumerateAccountsWithUserRight.Response
        let needs = LSAAccess.viewLocalInformation | LSAAccess.lookupNames
        if let refused = refusal(request.policyHandle, caller, needs: needs) {
            return refused.reply { .stub(Answer(accounts: [], status: $0)) }
        }
        var found = Privileges.holders
        if let right = request.userRight {
            guard Privileges.isRight(right) else {
                return .stub(Answer(accounts: [], status: .noSuchPrivilege))
            }
            found.removeAll { holder in
                !holder.rights.contains { $0.lowercased() == right.lowercased() }
            }
        }
        return .stub(
            Answer(
                accounts: found.map { PointedSID($0.sid) },
                status: found.isEmpty ? .noMoreEntries : .success))
    }

    private func rights(
        _ request: LsarEnumerateAccountRights.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        typealias Answer = LsarEnumerateAccountRights.Response
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply { .stub(Answer(userRights: [], status: $0)) }
        }
        guard let holder = Privileges.holders.first(where: { $0.sid == request.accountSID })
        else { return .stub(Answer(userRights: [], status: .objectNameNotFound)) }
        return .stub(Answer(userRights: holder.rights.map { CountedName($0) }))
    }
}
