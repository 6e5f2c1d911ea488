import Domain
import Interfaces
import RPC
import Wire

/// What a handle that a client opened stands for, and what the client may do with it.
final class SAMRHandle {
    typealias Object = SAMObject

    let object: Object
    let granted: UInt32

    init(_ object: Object, granted: UInt32) {
        self.object = object
        self.granted = granted
    }

    /// The domain whose relative identifiers the object has.
    var home: Alias.Home {
        switch object {
        case .domain(let home), .alias(let home, _): home
        case .server, .user, .group: .account
        }
    }
}

/// Why a call is not carried out: its response says a status, or there is none but a fault.
enum SAMRRefusal: Error {
    case status(NTStatus)
    case fault(FaultStatus)
}

/// Rights of each kind of object (MS-SAMR 2.2.1.3 to 2.2.1.7), and who has them.
enum SAMRAccess {
    static let delete: UInt32 = 0x1_0000
    static let readControl: UInt32 = 0x2_0000
    static let writeDACL: UInt32 = 0x4_0000

    enum Server {
        static let connect: UInt32 = 0x1
        static let enumerateDomains: UInt32 = 0x10
        static let lookupDomain: UInt32 = 0x20
    }

    enum Domain {
        static let readPasswordParameters: UInt32 = 0x1
        static let writePasswordParameters: UInt32 = 0x2
        static let readOtherParameters: UInt32 = 0x4
        static let writeOtherParameters: UInt32 = 0x8
        static let createUser: UInt32 = 0x10
        static let createGroup: UInt32 = 0x20
        static let createAlias: UInt32 = 0x40
        static let getAliasMembership: UInt32 = 0x80
        static let listAccounts: UInt32 = 0x100
        static let lookup: UInt32 = 0x200
    }

    enum Group {
        static let readInformation: UInt32 = 0x1
        static let writeAccount: UInt32 = 0x2
        static let addMember: UInt32 = 0x4
        static let removeMember: UInt32 = 0x8
        static let listMembers: UInt32 = 0x10
    }

    enum Alias {
        static let addMember: UInt32 = 0x1
        static let removeMember: UInt32 = 0x2
        static let listMembers: UInt32 = 0x4
        static let readInformation: UInt32 = 0x8
        static let writeAccount: UInt32 = 0x10
    }

    enum User {
        static let readGeneral: UInt32 = 0x1
        static let readPreferences: UInt32 = 0x2
        static let writePreferences: UInt32 = 0x4
        static let readLogon: UInt32 = 0x8
        static let readAccount: UInt32 = 0x10
        static let writeAccount: UInt32 = 0x20
        static let changePassword: UInt32 = 0x40
        static let forcePasswordChange: UInt32 = 0x80
        static let listGroups: UInt32 = 0x100
    }

    /// Who asks, as far as SAM cares.
    enum Standing {
        case administrator
        case user
        /// Nobody proved who it is.
        case nobody
    }

    static func standing(_ caller: RemoteCaller) -> Standing {
        if caller.identity.isAdministrator { return .administrator }
        switch caller.identity.kind {
        case .local, .remote: return .user
        // A computer's secure channel is as good as a user's session.
        case .anonymous, .guest: return caller.netlogonComputer == nil ? .nobody : .user
        }
    }

    /// What everybody needs who wants to change an expired password, one whose user's name he
    /// knows: no list, no detail.
    static func restricted(_ object: SAMRHandle.Object) -> UInt32 {
        switch object {
        case .server: Server.connect | Server.lookupDomain
        case .domain: Domain.readPasswordParameters | Domain.lookup
        case .user: User.changePassword
        case .group, .alias: 0
        }
    }
}

extension SAMRService {
    /// What `caller` is granted of `object`, of which a handle can be opened; or refuses. Whoever
    /// makes an object asks before, with no number yet: one that cannot be opened is not made.
    func grant(
        _ object: SAMRHandle.Object, _ desired: UInt32, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> UInt32 {
        let rights = object.rights
        let allowed: UInt32
        switch SAMRAccess.standing(caller) {
        case .administrator: allowed = rights.all
        case .nobody where anonymous < .all: allowed = SAMRAccess.restricted(object)
        case .nobody, .user:
            let reading = rights.read | rights.execute
            allowed = isOwn(object, caller) ? reading | rights.write : reading
        }
        guard let granted = rights.granted(desired, of: allowed) else {
            throw .status(.accessDenied)
        }
        if caller.handles.isFull { throw .status(.insufficientResources) }
        return granted
    }

    /// Opens `object` for `caller` with what it desires, or refuses.
    func open(
        _ object: SAMRHandle.Object, _ desired: UInt32, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> (handle: ContextHandle, granted: UInt32) {
        let granted = try grant(object, desired, caller)
        guard let handle = caller.open(
            SAMRHandle(object, granted: granted), attributes: object.kind, random: random)
        else { throw .status(.insufficientResources) }
        return (handle, granted)
    }

    private func isOwn(_ object: SAMRHandle.Object, _ caller: RemoteCaller) -> Bool {
        guard case .user(let rid) = object else { return false }
        return caller.identity.kind == .local && caller.identity.userRID == rid
    }

    /// What `handle` stands for; every one of the rights `needs` must have been granted with it.
    func object(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32 = 0
    ) throws(SAMRRefusal) -> SAMRHandle {
        guard let known = caller[handle] as? SAMRHandle else {
            throw .fault(.contextMismatch)
        }
        if known.granted & needs != needs { throw .status(.accessDenied) }
        return known
    }

    func server(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) throws(SAMRRefusal) {
        guard case .server = try object(handle, caller, needs: needs).object else {
            throw .status(.objectTypeMismatch)
        }
    }

    func domain(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) throws(SAMRRefusal) -> Alias.Home {
        guard case .domain(let home) = try object(handle, caller, needs: needs).object else {
            throw .status(.objectTypeMismatch)
        }
        return home
    }

    func account(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) throws(SAMRRefusal) -> Account {
        guard case .user(let rid) = try object(handle, caller, needs: needs).object else {
            throw .status(.objectTypeMismatch)
        }
        guard let account = domain.accounts[rid] else { throw .status(.noSuchUser) }
        return account
    }

    func group(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) throws(SAMRRefusal) -> Group {
        guard case .group(let rid) = try object(handle, caller, needs: needs).object else {
            throw .status(.objectTypeMismatch)
        }
        guard let group = domain.groups[rid] else { throw .status(.noSuchGroup) }
        return group
    }

    func alias(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) throws(SAMRRefusal) -> Alias {
        guard case .alias(let home, let rid) = try object(handle, caller, needs: needs).object
        else { throw .status(.objectTypeMismatch) }
        guard let alias = domain.alias(rid: rid, in: home) else { throw .status(.noSuchAlias) }
        return alias
    }

    /// Runs a change of the domain; why that failed is the response's status.
    func changing<Result>(
        _ body: () throws(DomainError) -> Result
    ) throws(SAMRRefusal) -> Result {
        do throws(DomainError) {
            return try domain.change(body)
        } catch {
            throw .status(error.status)
        }
    }

    func close(_ handle: ContextHandle, _ caller: RemoteCaller) {
        caller[handle] = nil
    }
}

extension SAMObject {
    /// Shown in the handle, as Samba does, so that a handle of another kind is nobody's.
    var kind: UInt32 {
        switch self {
        case .server: 0
        case .domain: 1
        case .user: 2
        case .group: 3
        case .alias: 4
        }
    }
}
