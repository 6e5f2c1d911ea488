import Domain
import Interfaces
import RPC
import Wire

extension SAMRService {
    /// The name of `S-1-5-32`.
    static let builtinName = "Builtin"

    func sid(of home: Alias.Home) -> SID {
        switch home {
        case .account: domain.sid
        case .builtin: SID.builtinDomain
        }
    }

    private func name(of home: Alias.Home) -> String {
        switch home {
        case .account: domain.name
        case .builtin: Self.builtinName
        }
    }

    // MARK: Finding and opening

    func lookupDomain(
        _ request: SamrLookupDomainInSamServer.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrSIDResponse {
        try server(
            request.serverHandle, caller, needs: SAMRAccess.Server.lookupDomain)
        if request.name.isEmpty { throw .status(.invalidParameter) }
        let folded = LocalDomain.fold(request.name)
        for home in [Alias.Home.account, .builtin]
        where LocalDomain.fold(name(of: home)) == folded {
            return SamrSIDResponse(sid: sid(of: home))
        }
        throw .status(.noSuchDomain)
    }

    func enumerateDomains(
        _ request: SamrEnumerateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrEnumerateResponse {
        try server(request.handle, caller, needs: SAMRAccess.Server.enumerateDomains)
        let all = [domain.name, Self.builtinName]
        var page = SAMRPage(preferred: request.preferredMaximumLength)
        var next = Int(clamping: request.enumerationContext)
        while next < all.count, page.take(SamrRIDName(relativeID: 0, name: all[next])) { next += 1 }
        return SamrEnumerateResponse(
            enumerationContext: UInt32(min(next, all.count)), entries: page.entries,
            status: next < all.count ? .moreEntries : .success)
    }

    func openDomain(
        _ request: SamrOpenDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> ContextHandle {
        // Clients open with a handle that may connect and no more; the domain's rights decide.
        try server(request.serverHandle, caller, needs: 0)
        for home in [Alias.Home.account, .builtin] where sid(of: home) == request.domainID {
            return try open(.domain(home), request.desiredAccess, caller).handle
        }
        throw .status(.noSuchDomain)
    }

    func sid(
        _ request: SamrRidToSid.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrSIDResponse {
        let object = try object(request.objectHandle, caller)
        if case .server = object.object { throw .status(.objectTypeMismatch) }
        return SamrSIDResponse(sid: sid(of: object.home).appending(request.relativeID))
    }

    // MARK: Querying

    func information(
        ofDomain request: SamrQueryRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrDomainInformation {
        let home = try domain(
            request.handle, caller, needs: Self.rightsToRead(request.informationClass))
        let header = domain.header
        switch request.informationClass {
        case 1: return .password(passwordPolicy)
        case 2: return .general(general(home))
        case 3: return .logoff(forceLogoff: DomainLength.wire(domain.policy.forceLogoff))
        case 4: return .oem(home == .account ? header.comment : "")
        case 5: return .name(name(of: home))
        case 6: return .replication(sourceNodeName: header.replicaSource)
        case 7: return .serverRole(header.role.rawValue)
        case 8:
            return .modified(
                count: modifiedCount(home), creationTime: header.created(database(home)))
        case 9: return .state(SamrDomainGeneral.enabled)
        case 11: return .general2(general(home), lockoutPolicy)
        case 12: return .lockout(lockoutPolicy)
        case 13:
            return .modified2(
                count: modifiedCount(home), creationTime: header.created(database(home)),
                atLastPromotion: 0)
        case _: throw .status(.invalidInfoClass)
        }
    }

    private static func rightsToRead(_ informationClass: UInt16) -> UInt32 {
        let passwords = SAMRAccess.Domain.readPasswordParameters
        let others = SAMRAccess.Domain.readOtherParameters
        switch informationClass {
        case 1, 12: return passwords
        case 11: return passwords | others
        case _: return others
        }
    }

    private func database(_ home: Alias.Home) -> DomainDatabase {
        home == .account ? .sam : .builtin
    }

    private func modifiedCount(_ home: Alias.Home) -> UInt64 {
        domain.serial(of: database(home))
    }

    private var passwordPolicy: SamrPasswordPolicy {
        var policy = SamrPasswordPolicy()
        policy.minPasswordLength = domain.policy.minimumPasswordLength
        policy.passwordHistoryLength = domain.policy.passwordHistoryLength
        policy.passwordProperties = domain.policy.passwordProperties
        policy.maxPasswordAge = DomainLength.wire(domain.policy.maximumPasswordAge)
        policy.minPasswordAge = DomainLength.wire(domain.policy.minimumPasswordAge)
        return policy
    }

    private var lockoutPolicy: SamrLockoutPolicy {
        SamrLockoutPolicy(
            lockoutDuration: DomainLength.wire(domain.policy.lockoutDuration),
            lockoutObservationWindow: DomainLength.wire(domain.policy.lockoutWindow),
            lockoutThreshold: domain.policy.lockoutThreshold)
    }

    private func general(_ home: Alias.Home) -> SamrDomainGeneral {
        var general = SamrDomainGeneral()
        general.forceLogoff = DomainLength.wire(domain.policy.forceLogoff)
        general.domainName = name(of: home)
        general.replicaSourceNodeName = domain.header.replicaSource
        general.domainModifiedCount = modifiedCount(home)
        general.domainServerRole = domain.role.rawValue
        switch home {
        case .account:
            general.oemInformation = domain.header.comment
            general.userCount = UInt32(domain.accounts.count)
            general.groupCount = UInt32(domain.groups.count)
            general.aliasCount = UInt32(domain.aliases.count)
        case .builtin: general.aliasCount = UInt32(domain.builtinAliases.count)
        }
        return general
    }

    // MARK: Password rules

    func passwordRules() -> SamrPasswordInformationResponse {
        SamrPasswordInformationResponse(
            minPasswordLength: domain.policy.minimumPasswordLength,
            passwordProperties: domain.policy.passwordProperties)
    }

    func passwordRules(
        _ request: SamrHandleRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrPasswordInformationResponse {
        let account = try account(request.handle, caller, needs: 0)
        // No rule binds a machine's password.
        return account.isMachine
            ? SamrPasswordInformationResponse(minPasswordLength: 0, passwordProperties: 0)
            : passwordRules()
    }

    /// What is told of a password that was refused.
    func notChanged(_ status: NTStatus) -> SamrUnicodeChangePasswordUser3.Response {
        if status != .passwordRestriction { return .init(status: status) }
        return .init(policy: passwordPolicy, reason: 0, status: status)
    }

    // MARK: Setting

    func setDomain(
        _ request: SamrSetInformationDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let isPolicy: Bool
        switch request.information {
        case .password, .lockout: isPolicy = true
        case _: isPolicy = false
        }
        let home = try domain(
            request.domainHandle, caller,
            needs: isPolicy
                ? SAMRAccess.Domain.writePasswordParameters
                : SAMRAccess.Domain.writeOtherParameters)
        guard home == .account else { throw .status(.accessDenied) }
        switch request.information {
        case .password(let new):
            try changing { () throws(DomainError) in
                try domain.setPolicy {
                    $0.minimumPasswordLength = new.minPasswordLength
                    $0.passwordHistoryLength = min(
                        new.passwordHistoryLength, UInt16(AccountPolicy.historyLimit))
                    $0.passwordProperties = new.passwordProperties
                    $0.maximumPasswordAge = DomainLength.length(new.maxPasswordAge)
                    $0.minimumPasswordAge = DomainLength.length(new.minPasswordAge)
                }
            }
        case .lockout(let new):
            // Who is locked out longer than wrong passwords are counted stays so (MS-SAMR
            // 3.1.1.6, for lockoutDuration).
            guard DomainLength.length(new.lockoutDuration)
                >= DomainLength.length(new.lockoutObservationWindow)
            else { throw .status(.invalidParameter) }
            try changing { () throws(DomainError) in
                try domain.setPolicy {
                    $0.lockoutThreshold = new.lockoutThreshold
                    $0.lockoutDuration = DomainLength.length(new.lockoutDuration)
                    $0.lockoutWindow = DomainLength.length(new.lockoutObservationWindow)
                }
            }
        case .logoff(let forceLogoff):
            try changing { () throws(DomainError) in
                try domain.setPolicy { $0.forceLogoff = DomainLength.length(forceLogoff) }
            }
        case .oem(let comment):
            try changing { () throws(DomainError) in try domain.setComment(comment) }
        case .state(let state) where state == SamrDomainGeneral.enabled: break
        // A role changes by a promotion, which is the administrator's command on this host.
        case .serverRole, .state, .replication: throw .status(.notSupported)
        case .general, .general2, .name, .modified, .modified2: throw .status(.invalidInfoClass)
        }
    }
}
