import Interfaces
import RPC
import Wire

/// Lengths of time as SAM's structures have them: negative, in 100 ns, the lowest number for ever.
package enum DomainLength {
    private static let forever: UInt64 = 1 << 63

    package static func wire(_ length: UInt64) -> UInt64 {
        length >= DomainTime.never ? forever : 0 &- length
    }

    package static func length(_ wire: UInt64) -> UInt64 {
        if wire == forever { return DomainTime.never }
        return wire >> 63 == 1 ? 0 &- wire : wire
    }
}

/// The objects of a domain as deltas (MS-NRPC 2.2.1.5), for one backup controller, with whose
/// session key the passwords are sealed.
struct DomainDeltas {
    let domain: LocalDomain
    let key: Bytes16
    /// As a FILETIME: a lock-out that is over by then is none.
    let now: UInt64

    func domainDelta(_ database: DomainDatabase) -> NetlogonDelta {
        let policy = domain.policy
        var delta = NetlogonDeltaDomain()
        delta.domainName = database == .builtin ? "Builtin" : domain.name
        delta.oemInformation = database == .builtin ? "" : domain.header.comment
        delta.forceLogoff = DomainLength.wire(policy.forceLogoff)
        delta.minPasswordLength = policy.minimumPasswordLength
        delta.passwordHistoryLength = policy.passwordHistoryLength
        delta.maxPasswordAge = DomainLength.wire(policy.maximumPasswordAge)
        delta.minPasswordAge = DomainLength.wire(policy.minimumPasswordAge)
        delta.domainModifiedCount = domain.serial(of: database)
        delta.domainCreationTime = domain.header.created(database)
        delta.passwordProperties = policy.passwordProperties
        delta.lockout = SamrLockoutPolicy(
            lockoutDuration: DomainLength.wire(policy.lockoutDuration),
            lockoutObservationWindow: DomainLength.wire(policy.lockoutWindow),
            lockoutThreshold: policy.lockoutThreshold)
        delta.security = security(.domain(database == .builtin ? .builtin : .account))
        return .domain(rid: 0, delta)
    }

    func user(_ account: Account) -> NetlogonDelta {
        var delta = NetlogonDeltaUser()
        delta.userName = account.name
        delta.fullName = account.fullName
        delta.userID = account.rid
        delta.primaryGroupID = account.primaryGroupRID
        delta.homeDirectory = account.homeDirectory
        delta.homeDirectoryDrive = account.homeDirectoryDrive
        delta.scriptPath = account.logonScript
        delta.adminComment = account.adminComment
        delta.workStations = account.workstations.joined(separator: ",")
        delta.lastLogon = account.lastLogon
        delta.lastLogoff = account.lastLogoff
        delta.logonHours = SamrLogonHours(hours: account.logonHours.bytes)
        delta.badPasswordCount = account.badPasswordCount
        delta.logonCount = account.logonCount
        delta.passwordLastSet = account.passwordLastSet
        delta.accountExpires = account.accountExpires
        delta.userAccountControl = domain.flags(of: account, now: now).rawValue
        delta.passwordExpired = account.passwordLastSet == 0 && !account.isMachine ? 1 : 0
        delta.userComment = account.userComment
        delta.parameters = Self.text(account.parameters)
        delta.countryCode = account.countryCode
        delta.codePage = account.codePage
        delta.sensitiveData = true
        delta.privateData = UserSecrets(
            nt: account.ntHash, lm: account.lmHash, history: account.history
        ).sealed(rid: account.rid, key: key)
        delta.security = security(.user(account.rid))
        delta.profilePath = account.profilePath
        return .user(rid: account.rid, delta)
    }

    private func security(_ object: SAMObject) -> NetlogonDeltaSecurity {
        NetlogonDeltaSecurity(
            information: SecurityInformation.all,
            descriptor: domain.securityDescriptor(of: object, parts: SecurityInformation.all))
    }

    private static func text(_ utf16: [UInt8]) -> String {
        let reader = WireReader(utf16.span, layer: "parameters")
        return reader.utf16LE(0..<(utf16.count & ~1))
    }

    func group(_ group: Group) -> NetlogonDelta {
        var delta = NetlogonDeltaGroup()
        delta.name = group.name
        delta.relativeID = group.rid
        delta.attributes = group.attributes
        delta.adminComment = group.comment
        delta.security = security(.group(group.rid))
        return .group(rid: group.rid, delta)
    }

    func members(_ group: Group) -> NetlogonDelta {
        let members = domain.members(of: group.rid).map {
            GroupMembership(relativeID: $0, attributes: group.attributes)
        }
        return .groupMembers(rid: group.rid, NetlogonDeltaGroupMembers(members: members))
    }

    func alias(_ alias: Alias) -> NetlogonDelta {
        var delta = NetlogonDeltaAlias()
        delta.name = alias.name
        delta.relativeID = alias.rid
        delta.comment = alias.comment
        delta.security = security(.alias(alias.home, alias.rid))
        return .alias(rid: alias.rid, delta)
    }

    func members(_ alias: Alias) -> NetlogonDelta {
        .aliasMembers(rid: alias.rid, NetlogonDeltaAliasMembers(members: alias.members))
    }

    /// LSA's policy as far as there is one: the domain's name and SID.
    func policy() -> NetlogonDelta {
        var delta = NetlogonDeltaPolicy()
        delta.primaryDomainName = domain.name
        delta.primaryDomainSID = domain.sid
        delta.modifiedID = domain.serial(of: .lsa)
        delta.databaseCreationTime = domain.header.created(.lsa)
        return .policy(sid: domain.sid, delta)
    }

    /// A trust has no place in the other database where its SID is not known yet.
    func trust(_ trust: Trust) -> NetlogonDelta? {
        guard let sid = trust.sid, trust.direction.contains(.outbound) else { return nil }
        var delta = NetlogonDeltaTrustedDomain()
        delta.domainName = trust.name
        return .trustedDomain(sid: sid, delta)
    }

    // MARK: Changes

    /// The deltas that a logged change comes to, as its object is now. A change of what is gone
    /// by now comes to nothing: its deletion is logged, too.
    func deltas(_ entry: ChangeEntry) -> [NetlogonDelta] {
        let rid = entry.rid
        let home: Alias.Home = entry.database == .builtin ? .builtin : .account
        switch entry.type {
        case .changeDomain: return [domainDelta(entry.database)]
        case .changeGroup: return domain.groups[rid].map { [group($0)] } ?? []
        case .renameGroup:
            return domain.groups[rid].map {
                [.renameGroup(rid: rid, rename(entry.name, $0.name))]
            } ?? []
        case .changeGroupMembers: return domain.groups[rid].map { [members($0)] } ?? []
        case .changeUser: return domain.accounts[rid].map { [user($0)] } ?? []
        case .renameUser:
            return domain.accounts[rid].map {
                [.renameUser(rid: rid, rename(entry.name, $0.name))]
            } ?? []
        case .changeAlias:
            // A new alias is logged once, with what members it was made with.
            return domain.alias(rid: rid, in: home).map { [alias($0), members($0)] } ?? []
        case .renameAlias:
            return domain.alias(rid: rid, in: home).map {
                [.renameAlias(rid: rid, rename(entry.name, $0.name))]
            } ?? []
        case .changeAliasMembers:
            return domain.alias(rid: rid, in: home).map { [members($0)] } ?? []
        case .deleteUser: return [.deleteUser(rid: rid)]
        case .deleteGroup: return [.deleteGroup(rid: rid)]
        case .deleteAlias: return [.deleteAlias(rid: rid)]
        case .changePolicy: return [policy()]
        case .changeTrust:
            return domain.trust(entry.name).flatMap { trust($0) }.map { [$0] } ?? []
        case .deleteTrust: return entry.sid.map { [.deleteTrustedDomain(sid: $0)] } ?? []
        case _: return []
        }
    }

    private func rename(_ old: String, _ new: String) -> NetlogonDeltaRename {
        NetlogonDeltaRename(oldName: old, newName: new)
    }
}

extension NetlogonDelta {
    /// Bytes that the delta takes in an answer, near enough.
    var size: Int {
        var stub = NDRWriter()
        NetlogonDeltaArray([self]).write(into: &stub)
        return stub.count
    }

    /// What tells that a later delta says all that this one does.
    struct Subject: Hashable {
        var type: UInt16
        var rid: UInt32
        var sid: SID?
    }

    var subject: Subject? {
        switch self {
        case .domain(let rid, _), .group(let rid, _), .user(let rid, _),
            .groupMembers(let rid, _), .alias(let rid, _), .aliasMembers(let rid, _):
            Subject(type: type.rawValue, rid: rid)
        case .policy(let sid, _), .trustedDomain(let sid, _):
            Subject(type: type.rawValue, rid: 0, sid: sid)
        case .deleteGroup, .renameGroup, .deleteUser, .renameUser, .deleteAlias, .renameAlias,
            .deleteTrustedDomain, .account, .deleteAccount, .secret, .deleteSecret,
            .deleteGroupByName, .deleteUserByName, .serialNumberSkip:
            nil
        }
    }
}
