import Consumers
import Crypto
import Interfaces
import RPC
import SecureChannel
import Wire

/// Logons by the winbind socket.
extension Agent {
    func logon(_ request: WinbindRequest) -> WinbindDecision {
        let call: LogonCall
        // Groups of other domains are told in the whole answer alone.
        let wantsWhole = request.flags.contains(.infoText) || !request.requiredSIDs.isEmpty
        switch request.body {
        case .password(let account, let password, _):
            let (domain, user) = splitAccount(account)
            call = LogonCall(
                domain: domain, user: user, workstation: "", parameterControl: 0,
                proof: .password(password), wantsWhole: wantsWhole, wantsKeys: false)
        case .response(let response):
            call = LogonCall(
                domain: response.domain, user: response.user, workstation: response.workstation,
                parameterControl: response.parameterControl,
                proof: .responses(
                    challenge: response.challenge, nt: response.nt, lm: response.lm),
                wantsWhole: wantsWhole,
                wantsKeys: !request.flags.isDisjoint(with: [.userSessionKey, .lmKey]))
        case .none, .name, .sid:
            return .answer(WinbindResponse(request.interface, isOK: false))
        }
        var refusal: NTStatus?
        if call.user.isEmpty { refusal = .noSuchUser }
        if request.flags.contains(.infoNDR) { refusal = .notSupported }
        if SIDList.parse(request.requiredSIDs) == nil { refusal = .noSuchGroup }
        if let refusal {
            return .answer(Self.response(WinbindLogon(refusal), request.interface))
        }
        return .logon(call)
    }

    /// The answer to a request that was a logon.
    package static func winbindResponse(
        to request: WinbindRequest, _ outcome: SecureChannel.LogonOutcome
    ) -> WinbindResponse {
        let logon: WinbindLogon
        switch outcome {
        case .accepted(let identity):
            let required = SIDList.parse(request.requiredSIDs) ?? []
            logon = identity.isMember(of: required)
                ? accepted(identity, request) : WinbindLogon(.logonFailure)
        case .refused(let status, let isAuthoritative):
            logon = WinbindLogon(
                Self.told(status, request.flags), isAuthoritative: isAuthoritative)
        case .unavailable(.overloaded): logon = WinbindLogon(.insufficientResources)
        case .unavailable: logon = WinbindLogon(.noLogonServers)
        }
        return response(logon, request.interface)
    }

    private static func told(
        _ status: NTStatus, _ flags: WinbindRequest.Flags
    ) -> NTStatus {
        let isTold = status == .wrongPassword || status == .noSuchUser
        return isTold && flags.contains(.squashesStatus) ? .logonFailure : status
    }

    private static func accepted(
        _ identity: LogonIdentity, _ request: WinbindRequest
    ) -> WinbindLogon {
        let isPlain = request.command == .pamAuth
        var logon = WinbindLogon(.success, isAuthoritative: !isPlain)
        if !isPlain, request.flags.contains(.userSessionKey) {
            logon.userSessionKey = Secret(identity.sessionKey.bytes)
        }
        if !isPlain, request.flags.contains(.lmKey) {
            logon.lmKey = Secret(identity.lmKey.bytes)
        }
        if request.flags.contains(.infoText) { logon.user = WinbindUser(identity) }
        if request.flags.contains(.unixName) {
            logon.unixName = identity.domain + "\\" + identity.user
        }
        return logon
    }
}

/// SIDs in a list with commas, one of which a user must be or be a member of.
package enum SIDList {
    /// Nil where something else is among them.
    package static func parse(_ text: String) -> [SID]? {
        var found: [SID] = []
        for part in text.split(separator: ",") {
            guard let sid = SID(String(part)) else { return nil }
            found.append(sid)
        }
        return found
    }
}

extension LogonIdentity {
    /// Whether the user is one of `groups`, or a member of one; where there are none, anybody.
    package func isMember(of groups: [SID]) -> Bool {
        if groups.isEmpty { return true }
        let ids = groupRIDs + [primaryGroupRID, userRID]
        var others: [SIDAndAttributes] = []
        if case .list(let list) = whole?.info.extraSIDs { others = list }
        return groups.contains { group in
            if others.contains(where: { $0.sid == group }) { return true }
            guard let rid = group.relativeIdentifier, let home = domainSID else { return false }
            return group.domain == home && ids.contains(rid)
        }
    }
}

extension WinbindRequest {
    var requiredSIDs: String {
        switch body {
        case .password(_, _, let sids): sids
        case .response(let response): response.requiredSIDs
        case .none, .name, .sid: ""
        }
    }
}

extension WinbindUser {
    init(_ identity: LogonIdentity) {
        self.init()
        userRID = identity.userRID
        primaryGroupRID = identity.primaryGroupRID
        domainSID = identity.domainSID
        name = identity.user
        fullName = identity.fullName
        domain = identity.domain
        userFlags = identity.userFlags
        groups = identity.groupRIDs.map { GroupMembership(relativeID: $0) }
        guard let info = identity.whole?.info else { return }
        times = [
            Self.seconds(info.logonTime), Self.seconds(info.logoffTime),
            Self.seconds(info.kickOffTime), Self.seconds(info.passwordLastSet),
            Self.seconds(info.passwordCanChange), Self.seconds(info.passwordMustChange),
        ]
        logonCount = UInt32(info.logonCount)
        badPasswordCount = UInt32(info.badPasswordCount)
        accountFlags = info.userAccountControl
        if case .list(let list) = info.groupIDs { groups = list }
        if case .list(let list) = info.extraSIDs { otherGroups = list }
        logonScript = info.logonScript.text ?? ""
        profilePath = info.profilePath.text ?? ""
        homeDirectory = info.homeDirectory.text ?? ""
        homeDrive = info.homeDirectoryDrive.text ?? ""
        logonServer = info.logonServer.text ?? ""
        dnsDomain = info.dnsLogonDomainName.text ?? ""
        principalName = info.upn.text ?? ""
    }

    /// Since 1970, the nearest one, as winbindd has it; zero for what was before, as for what never
    /// was.
    private static func seconds(_ fileTime: UInt64) -> UInt64 {
        let seconds = fileTime / 10_000_000 + (fileTime % 10_000_000 > 5_000_000 ? 1 : 0)
        return seconds > FileTime.unixEpoch ? seconds - FileTime.unixEpoch : 0
    }
}
