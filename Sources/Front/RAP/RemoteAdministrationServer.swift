import Crypto
import Domain
import NTLM
import SMB
import Wire

/// The network neighbourhood, as whoever keeps a browse list knows it.
package protocol Neighbourhood: AnyObject {
    /// This server; it is the first of `servers` too.
    var own: RAP.ServerInfo { get }
    /// The servers of our own domain.
    var servers: [RAP.ServerInfo] { get }
    /// All domains, each with its master browser for comment.
    var domains: [RAP.ServerInfo] { get }
}

/// What remote administration tells of this server.
package struct RemoteAdministrationSettings: Sendable {
    package var computerName: String
    /// The domain or workgroup that we belong to.
    package var domainName: String
    package var shares: [RAP.ShareInfo]

    package init(computerName: String, domainName: String, shares: [RAP.ShareInfo]) {
        self.computerName = computerName
        self.domainName = domainName
        self.shares = shares
    }
}

/// Answers the calls of MS-RAP that DOS, OS/2 and Windows clients make of a logon server and of a
/// browser (MS-RAP 3.2.5).
package final class RemoteAdministrationServer: RemoteAdministration {
    private let settings: RemoteAdministrationSettings
    private let domain: LocalDomain?
    private let neighbourhood: Neighbourhood

    /// `domain` is the embedded one, where there is one.
    package init(
        _ settings: RemoteAdministrationSettings, domain: LocalDomain?,
        neighbourhood: Neighbourhood
    ) {
        self.settings = settings
        self.domain = domain
        self.neighbourhood = neighbourhood
    }

    package func call(
        _ call: RemoteAdministrationCall, now: FrontTime
    ) -> RemoteAdministrationReply {
        var reply = answer(call, now)
        let most = call.maxParameterCount
        if reply.parameters.count > most {
            reply.parameters.removeLast(reply.parameters.count - most)
        }
        return reply
    }

    private func answer(
        _ call: RemoteAdministrationCall, _ now: FrontTime
    ) -> RemoteAdministrationReply {
        let request: RAP.Request
        do throws(WireError) {
            var reader = WireReader(call.parameters.span, layer: "RAP")
            request = try RAP.Request(parsing: &reader)
        } catch {
            // Too short for an opcode: not even RAP.
            return malformed(
                call.parameters.count < 2
                    ? RemoteAdministrationReply(parameters: [], status: .invalidParameter)
                    : failed(.invalidParameter))
        }
        if !request.hasKnownLevel { return failed(.invalidLevel) }
        switch request {
        case .shareEnum(let level, let size):
            return shares(level, limit(call, size))
        case .shareGetInfo(let name, let level, let size):
            return share(name, level, limit(call, size))
        case .serverGetInfo(let level, let size):
            var writer = RAP.RecordWriter()
            neighbourhood.own.write(into: &writer, level: level)
            return one(writer, limit(call, size))
        case .userGetInfo(let name, let level, let size):
            return user(name, level, limit(call, size), call.identity, now)
        case .workstationGetInfo(_, let size):
            return workstation(limit(call, size), call.identity)
        case .remoteTimeOfDay(let size):
            return time(limit(call, size), now)
        case .serverEnum2(let level, let size, let type, let domain):
            return servers(level, limit(call, size), type, domain, from: "")
        case .serverEnum3(let level, let size, let type, let domain, let first):
            return servers(level, limit(call, size), type, domain, from: first)
        case .userLogon(let request):
            return logon(request, limit(call, request.receiveBufferSize), call.identity, now)
        case .userLogoff(let request):
            return logoff(request, limit(call, request.receiveBufferSize), call.identity)
        case .oemChangePassword(let user, _):
            return changePassword(of: user, call.data, now)
        case .other:
            return failed(.notSupported)
        }
    }

    // MARK: Answers

    private func limit(_ call: RemoteAdministrationCall, _ receiveBufferSize: UInt16) -> Int {
        min(Int(receiveBufferSize), call.maxDataCount)
    }

    private func reply(
        _ response: RAP.Response, _ data: [UInt8] = []
    ) -> RemoteAdministrationReply {
        var writer = WireWriter(capacity: 8)
        response.write(into: &writer)
        return RemoteAdministrationReply(parameters: writer.finish(), data: data)
    }

    private func failed(_ code: RAP.ErrorCode) -> RemoteAdministrationReply {
        reply(RAP.Response(code))
    }

    private func malformed(_ reply: RemoteAdministrationReply) -> RemoteAdministrationReply {
        var reply = reply
        reply.isMalformed = true
        return reply
    }

    /// One record, whole or not at all.
    private func one(
        _ writer: consuming RAP.RecordWriter, _ limit: Int
    ) -> RemoteAdministrationReply {
        let needed = UInt16(clamping: writer.byteCount)
        let (data, count) = writer.finish(limit: limit)
        return reply(RAP.Response(count == 1 ? .success : .moreData, [needed]), data)
    }

    /// As many records as fit, and how many there are from where they begin.
    private func many(
        _ writer: consuming RAP.RecordWriter, _ limit: Int
    ) -> RemoteAdministrationReply {
        let available = writer.count
        let (data, count) = writer.finish(limit: limit)
        return reply(
            RAP.Response(
                count == available ? .success : .moreData,
                [UInt16(clamping: count), UInt16(clamping: available)]),
            data)
    }

    // MARK: Passwords

    /// What Windows 9x changes a password by: the same as SamrOemChangePasswordUser2. No session
    /// is needed, as the proof is in the call; an account without an LM hash has none to show.
    ///
    /// NetUserPasswordSet2 (MS-RAP 2.5.8), which older clients have, is not supported: it sends
    /// both passwords readable, or else LM hashes, of which nobody can make the NT hash that the
    /// account is to have.
    private func changePassword(
        of user: String, _ data: [UInt8], _ now: FrontTime
    ) -> RemoteAdministrationReply {
        guard let domain else { return failed(.notSupported) }
        let encrypted: FixedBytes<516>
        let verifier: Bytes16
        do throws(WireError) {
            var reader = WireReader(data.span, layer: "RAP")
            encrypted = try reader.fixed("EncryptedPassword")
            verifier = try reader.fixed("EncryptedHash")
        } catch {
            return malformed(failed(.invalidParameter))
        }
        do throws(DomainError) {
            try domain.changePassword(of: user, now: now.fileTime) { _, lm in
                lm.flatMap { NewPassword(encrypted, verifier: verifier, oldLM: $0) }
            }
        } catch {
            switch error.status {
            case .passwordRestriction: return failed(.passwordTooShort)
            case .accountLockedOut: return failed(.accountLockedOut)
            case .wrongPassword: return failed(.invalidPassword)
            case _: return failed(.accessDenied)
            }
        }
        return reply(RAP.Response(.success))
    }

    // MARK: Servers and shares

    private func servers(
        _ level: UInt16, _ limit: Int, _ type: UInt32, _ domain: String?, from first: String
    ) -> RemoteAdministrationReply {
        // Every bit set asks for every server; the topmost alone, or among some, for domains.
        let wantsDomains = type != ServerMask.all && type & ServerMask.domainEnum != 0
        var wanted = type & ~(ServerMask.domainEnum | ServerMask.localListOnly)
        if wanted == 0 { wanted = ServerMask.all }
        let list: [RAP.ServerInfo]
        if wantsDomains {
            list = neighbourhood.domains
        } else if isOwn(domain) {
            list = neighbourhood.servers.filter { $0.serverType & wanted != 0 }
        } else {
            // Each domain's list is kept by its own browsers.
            list = []
        }
        let start = LocalDomain.fold(first)
        var writer = RAP.RecordWriter()
        for entry in list.sorted(by: { $0.serverName < $1.serverName })
        where LocalDomain.fold(entry.serverName) >= start {
            entry.write(into: &writer, level: level)
        }
        return many(writer, limit)
    }

    private func isOwn(_ domain: String?) -> Bool {
        guard let domain, !domain.isEmpty else { return true }
        return LocalDomain.fold(domain) == LocalDomain.fold(settings.domainName)
    }

    private func shares(_ level: UInt16, _ limit: Int) -> RemoteAdministrationReply {
        let longest = RAP.ShareInfo.longestName
        var writer = RAP.RecordWriter()
        for share in settings.shares where share.networkName.utf8.count <= longest {
            share.write(into: &writer, level: level)
        }
        return many(writer, limit)
    }

    private func share(
        _ name: String, _ level: UInt16, _ limit: Int
    ) -> RemoteAdministrationReply {
        let wanted = LocalDomain.fold(name)
        for share in settings.shares where LocalDomain.fold(share.networkName) == wanted {
            var writer = RAP.RecordWriter()
            share.write(into: &writer, level: level)
            return one(writer, limit)
        }
        return failed(.netNameNotFound)
    }

    private func workstation(
        _ limit: Int, _ identity: FrontIdentity
    ) -> RemoteAdministrationReply {
        let isDomain = domain != nil
        var writer = RAP.RecordWriter()
        RAP.WorkstationInfo(
            computerName: settings.computerName, userName: identity.user,
            lanGroup: settings.domainName,
            logonDomain: isDomain ? settings.domainName : identity.domain
        ).write(into: &writer)
        return one(writer, limit)
    }

    private func time(_ limit: Int, _ now: FrontTime) -> RemoteAdministrationReply {
        var writer = RAP.RecordWriter()
        RAP.TimeOfDay(unix: now.unix, milliseconds: now.now).write(into: &writer)
        let (data, count) = writer.finish(limit: limit)
        return reply(RAP.Response(count == 1 ? .success : .moreData), data)
    }
}

// MARK: Users

extension RemoteAdministrationServer {
    /// The user of a session asks about itself; an administrator about anyone.
    private func user(
        _ name: String, _ level: UInt16, _ limit: Int, _ identity: FrontIdentity,
        _ now: FrontTime
    ) -> RemoteAdministrationReply {
        guard identity.kind == .local || identity.kind == .remote else {
            return failed(.accessDenied)
        }
        let isSelf = LocalDomain.fold(name) == LocalDomain.fold(identity.user)
        if !isSelf && !identity.isAdministrator { return failed(.accessDenied) }
        var info = RAP.UserInfo(name: name)
        info.logonServer = "\\\\" + settings.computerName
        if identity.kind == .local || !isSelf {
            guard let account = domain?.account(name), !account.isMachine else {
                return failed(.userNotFound)
            }
            fill(&info, account, now)
        }
        var writer = RAP.RecordWriter()
        info.write(into: &writer, level: level)
        return one(writer, limit)
    }

    private func fill(_ info: inout RAP.UserInfo, _ account: Account, _ now: FrontTime) {
        info.name = account.name
        info.privilege = Self.privilege(account.rid, account.groupRIDs)
        info.passwordAge = Self.age(account, now)
        info.homeDirectory = account.homeDirectory
        info.comment = account.adminComment
        if account.isDisabled { info.flags |= RAP.UserInfo.disabledFlag }
        info.scriptPath = account.logonScript
        info.fullName = account.fullName
        info.userComment = account.userComment
        info.workstations = account.workstations.joined(separator: ",")
        info.lastLogon = Self.unix(account.lastLogon)
        info.lastLogoff = Self.unix(account.lastLogoff)
        info.accountExpires = Self.unix(account.accountExpires)
        info.logonHours = account.logonHours.bytes
        info.badPasswordCount = account.badPasswordCount
        info.logonCount = account.logonCount
        info.countryCode = account.countryCode
        info.codePage = account.codePage
    }

    /// Windows 9x logs on: its session has proved who the user is, and now it asks for the logon
    /// script, the privilege and when the password has to change.
    private func logon(
        _ request: RAP.UserLogonRequest, _ limit: Int, _ identity: FrontIdentity,
        _ now: FrontTime
    ) -> RemoteAdministrationReply {
        guard isOwn(request.userName, identity) else { return failed(.accessDenied) }
        var info = RAP.UserLogonInfo(
            effectiveName: identity.user, privilege: .user,
            computer: "\\\\" + settings.computerName, domain: identity.domain, scriptPath: "")
        if identity.kind == .local, let domain, let account = domain.account(identity.user) {
            info.effectiveName = account.name
            info.privilege = Self.privilege(account.rid, account.groupRIDs)
            info.domain = domain.name
            info.scriptPath = account.logonScript
            info.logonCount = account.logonCount
            info.badPasswordCount = account.badPasswordCount
            info.lastLogon = Self.unix(account.lastLogon)
            info.lastLogoff = Self.unix(account.lastLogoff)
            info.logoffTime = Self.unix(account.logonHours.end(after: now.fileTime))
            info.kickoffTime = Self.unix(account.accountExpires)
            info.passwordAge = Self.age(account, now)
            info.passwordCanChange = Self.unix(domain.passwordCanChange(account))
            info.passwordMustChange = Self.unix(domain.passwordMustChange(account))
        }
        var writer = RAP.RecordWriter()
        info.write(into: &writer)
        return one(writer, limit)
    }

    private func logoff(
        _ request: RAP.UserLogoffRequest, _ limit: Int, _ identity: FrontIdentity
    ) -> RemoteAdministrationReply {
        guard isOwn(request.userName, identity) else { return failed(.accessDenied) }
        var writer = RAP.RecordWriter()
        RAP.UserLogoffInfo().write(into: &writer)
        return one(writer, limit)
    }

    private func isOwn(_ user: String, _ identity: FrontIdentity) -> Bool {
        switch identity.kind {
        case .anonymous, .guest: false
        case .local, .remote: LocalDomain.fold(user) == LocalDomain.fold(identity.user)
        }
    }

    private static func privilege(_ rid: UInt32, _ groups: [UInt32]) -> RAP.Privilege {
        if rid == WellKnownRID.administrator || groups.contains(WellKnownRID.domainAdmins) {
            return .administrator
        }
        return rid == WellKnownRID.guest || groups.contains(WellKnownRID.domainGuests)
            ? .guest : .user
    }

    private static func age(_ account: Account, _ now: FrontTime) -> UInt32 {
        let set = account.passwordLastSet
        if set == 0 || set > now.fileTime { return 0 }
        return UInt32(clamping: (now.fileTime - set) / DomainTime.second)
    }

    /// Seconds since 1970; zero stays zero, and what the number cannot say is never.
    private static func unix(_ time: UInt64) -> UInt32 {
        if time == 0 { return 0 }
        guard let seconds = DomainTime.unix(time) else { return RAP.UserInfo.never }
        return UInt32(clamping: seconds)
    }
}

/// SV_TYPE bits of NetServerEnum2 that ask for something else than a kind of server, MS-RAP 2.3.2.
private enum ServerMask {
    static let all: UInt32 = 0xffff_ffff
    static let localListOnly: UInt32 = 0x4000_0000
    static let domainEnum: UInt32 = 0x8000_0000
}
