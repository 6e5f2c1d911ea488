import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import SecureChannel
import Wire

// Logons over a secure channel (MS-NRPC 3.5.4.5).

/// A logon that another domain is asked about, with what its answer needs.
struct PendingLogon {
    enum Form {
        case ex
        case chained(returning: NetlogonAuthenticator, withFlags: Bool)
    }

    var form: Form
    var level: ValidationLevel
    var session: ChannelSession
}

extension NetlogonService {
    private typealias Verdict = (
        status: NTStatus, info: ValidationSAMInfo?, isAuthoritative: Bool
    )

    func samLogon(
        _ request: NetrLogonSamLogon.Request, _ opnum: UInt16, _ caller: RemoteCaller,
        _ now: FrontTime
    ) -> ServiceReply {
        let withFlags = opnum == NetrLogonSamLogonWithFlags.opnum
        // What cannot be answered moves no chain.
        var refusal: NTStatus?
        if case .absent = request.logonInformation { refusal = .invalidParameter }
        if !Self.isKnown(request.validationLevel) { refusal = .invalidInfoClass }
        if let refusal {
            return Self.chained(
                request.validationLevel, refusal, nil, returning: NetlogonAuthenticator(),
                withFlags: withFlags)
        }
        guard case .through(let session, let answer) = enter(
            request.computerName, request.authenticator, caller, now)
        else {
            return Self.chained(
                request.validationLevel, .accessDenied, nil, returning: NetlogonAuthenticator(),
                withFlags: withFlags)
        }
        let waiting = PendingLogon(
            form: .chained(returning: answer, withFlags: withFlags),
            level: request.validationLevel, session: session)
        return logOn(request.logonInformation, waiting, caller, now)
    }

    /// Without a chain of credentials, the seal is all that says who asks.
    func samLogon(
        _ request: NetrLogonSamLogonEx.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        guard let session = caller.channel, caller.isSealed || session.isOldFashioned else {
            counters.unsealed += 1
            return .fault(.accessDenied)
        }
        channels.touch(session, now: now.now)
        if let name = request.computerName,
            LocalDomain.fold(name) != LocalDomain.fold(session.computer)
        {
            return .fault(.accessDenied)
        }
        let waiting = PendingLogon(
            form: .ex, level: request.validationLevel, session: session)
        return logOn(request.logonInformation, waiting, caller, now)
    }

    private static func isKnown(_ level: ValidationLevel) -> Bool {
        level == .samInfo || level == .samInfo2 || level == .samInfo4
    }

    // MARK: Which domain

    private func logOn(
        _ information: LogonInformation, _ waiting: PendingLogon, _ caller: RemoteCaller,
        _ now: FrontTime
    ) -> ServiceReply {
        counters.logons += 1
        guard Self.isKnown(waiting.level) else {
            return finish(waiting, (.invalidInfoClass, nil, true))
        }
        // The keys are in it as they are: it goes nowhere without a seal.
        if waiting.level == .samInfo4, !caller.isSealed {
            return finish(waiting, (.invalidParameter, nil, true))
        }
        guard let proof = proof(information, waiting.session, caller) else {
            return finish(waiting, (.invalidParameter, nil, true))
        }
        guard Self.isForSender(proof, waiting.session) else {
            return finish(waiting, (.logonFailure, nil, true))
        }
        let identity = information.identity
        var named = identity.logonDomainName ?? ""
        let user = identity.userName ?? ""
        var account = user
        if named.isEmpty, let at = user.lastIndex(of: "@") {
            named = String(user[user.index(after: at)...])
            account = String(user[..<at])
        }
        if named.isEmpty || isOurs(named) {
            // Computers log on over the network; at a keyboard nobody is one.
            if !Self.isNetwork(information), domain.account(account)?.isMachine == true {
                return finish(waiting, (.noSuchUser, nil, true))
            }
            // A backup's router asks the primary where that may know better.
            if domain.role == .backup, account == user, domain.account(account) != nil,
                pending.count < Self.pendingLimit
            {
                return passOn(
                    logon(identity, for: named, user, proof, caller), waiting)
            }
            return finish(waiting, validate(identity, account, proof, caller, now))
        }
        guard let other = otherDomains().first(where: { Self.names($0, named) }) else {
            // As an NT4 controller says it: perhaps it is the asker's own.
            return finish(waiting, (.noSuchUser, nil, false))
        }
        // Trusts are not passed on: a domain that trusts ours trusts nobody else by that.
        let isTrust = waiting.session.type == .trustedDomain
            || waiting.session.type == .trustedDNSDomain
        if isTrust { return finish(waiting, (.noSuchUser, nil, false)) }
        guard pending.count < Self.pendingLimit else {
            return finish(waiting, (.noLogonServers, nil, true))
        }
        let asked = other.name == named ? named : other.name
        return passOn(logon(identity, for: asked, user, proof, caller), waiting)
    }

    /// Whether an NTLMv2 response was made for a server of whoever passes it on: a member, or a
    /// domain that trusts us. Else each could get the keys of sessions with any other
    /// (CVE-2015-0005). The names are covered by the proof; a client that told none is let through.
    private static func isForSender(_ proof: FrontLogon.Proof, _ session: ChannelSession) -> Bool {
        guard case .responses(_, let nt, _) = proof, nt.count > NTLMv2.proofLength else {
            return true
        }
        let which: AVPairID
        switch session.type {
        case .workstation: which = .nbComputerName
        case .trustedDomain, .trustedDNSDomain: which = .nbDomainName
        case _: return true
        }
        var reader = WireReader(nt.span, layer: "NTLM").part(NTLMv2.proofLength..<nt.count)
        guard let blob = try? NTLMv2ClientChallenge(parsing: &reader) else { return true }
        var list = WireReader(nt.span, layer: "NTLM").part(blob.avPairs)
        guard let pairs = try? AVPairList(parsing: &list), let name = pairs.text(which),
            !name.isEmpty
        else { return true }
        let own = session.account.hasSuffix("$") ? session.account.dropLast() : session.account[...]
        return LocalDomain.fold(name) == LocalDomain.fold(String(own))
    }

    private func logon(
        _ identity: LogonIdentityInfo, for domain: String, _ user: String,
        _ proof: FrontLogon.Proof, _ caller: RemoteCaller
    ) -> FrontLogon {
        FrontLogon(
            domain: domain, user: user, workstation: identity.workstation ?? "",
            parameterControl: identity.parameterControl.rawValue, proof: proof,
            at: .member, from: caller.peer, wantsWhole: true)
    }

    private static func isNetwork(_ information: LogonInformation) -> Bool {
        if case .network = information { return true }
        return false
    }

    private func isOurs(_ name: String) -> Bool {
        LocalDomain.fold(name) == LocalDomain.fold(domain.name)
            || LocalDomain.fold(name) == LocalDomain.fold(settings.computerName)
    }

    static func names(_ known: ConfiguredDomain, _ name: String) -> Bool {
        let folded = LocalDomain.fold(name)
        return LocalDomain.fold(known.name) == folded
            || known.dnsName.map { LocalDomain.fold($0) } == folded
    }

    private func validate(
        _ identity: LogonIdentityInfo, _ account: String, _ proof: FrontLogon.Proof,
        _ caller: RemoteCaller, _ now: FrontTime
    ) -> Verdict {
        let local: LocalLogon.Proof
        switch proof {
        case .responses(let challenge, let nt, let lm):
            local = .responses(challenge: challenge, nt: nt, lm: lm)
        case .hashes(let nt, let lm): local = .hashes(nt: nt, lm: lm)
        case .password(let secret): local = .password(secret)
        }
        let logon = LocalLogon(
            domain: identity.logonDomainName ?? "", user: identity.userName ?? "",
            account: account, workstation: identity.workstation ?? "",
            control: identity.parameterControl, proof: local)
        let outcome = validation?(logon, caller.peer, now)
            ?? domain.validate(logon, now: now.fileTime)
        switch outcome {
        case .accepted(let session):
            return (.success, session.validation(server: settings.computerName), true)
        case .refused(let status): return (status, nil, true)
        }
    }

    /// What proves the user, out of what the channel conceals.
    private func proof(
        _ information: LogonInformation, _ session: ChannelSession, _ caller: RemoteCaller
    ) -> FrontLogon.Proof? {
        switch information {
        case .network(let info, _):
            // A member whose client sent a password in clear passes it on in the responses'
            // places (MS-NRPC 2.2.1.4.15): under a seal only.
            if info.identity.parameterControl.contains(.cleartextPasswordAllowed),
                info.lmChallenge == Bytes8(), caller.isSealed,
                let password = info.ntChallengeResponse, !password.isEmpty
            {
                let hash = NTOWF.v1(utf16LE: Secret(password))
                return .hashes(nt: Secret(hash.bytes), lm: nil)
            }
            return .responses(
                challenge: info.lmChallenge, nt: info.ntChallengeResponse ?? [],
                lm: info.lmChallengeResponse ?? [])
        case .interactive(let info, _), .service(let info, _):
            let nt = Self.reveal(info.ntOwfPassword, session)
            let lm = Self.reveal(info.lmOwfPassword, session)
            guard nt != nil || lm != nil else { return nil }
            let none = [UInt8](repeating: 0, count: 16)
            return .hashes(nt: Secret(nt ?? none), lm: lm.map { Secret($0) })
        case .absent: return nil
        }
    }

    /// All zero is no hash, concealed or not.
    private static func reveal(_ hash: Bytes16, _ session: ChannelSession) -> [UInt8]? {
        var bytes = hash.bytes
        guard bytes.contains(where: { $0 != 0 }) else { return nil }
        if session.usesDES {
            bytes = HashEncryption.decrypt(hash, key: session.key.key).bytes
        } else {
            session.key.reveal(&bytes)
        }
        return bytes.contains { $0 != 0 } ? bytes : nil
    }

    // MARK: Answers

    /// The outcome of a logon that was passed on.
    package func answered(_ ticket: UInt64, _ outcome: LogonOutcome) -> ServiceReply? {
        guard let waiting = pending.removeValue(forKey: ticket) else { return nil }
        switch outcome {
        case .accepted(let identity):
            return finish(waiting, (.success, identity.whole?.info ?? Self.info(identity), true))
        case .refused(let status, let authoritative):
            return finish(waiting, (status, nil, authoritative))
        case .unavailable:
            return finish(waiting, (.noLogonServers, nil, true))
        }
    }

    /// From a validation that was not kept whole.
    private static func info(_ identity: LogonIdentity) -> ValidationSAMInfo {
        var info = ValidationSAMInfo()
        info.effectiveName = .text(identity.user)
        info.fullName = .text(identity.fullName)
        info.logonDomainName = .text(identity.domain)
        info.userID = identity.userRID
        info.primaryGroupID = identity.primaryGroupRID
        info.logonDomainID = identity.domainSID
        info.groupIDs = .list(identity.groupRIDs.map { GroupMembership(relativeID: $0) })
        info.userSessionKey = identity.sessionKey
        info.lmKey = identity.lmKey
        info.userFlags = UserFlags(rawValue: identity.userFlags)
        return info
    }

    private func finish(_ waiting: PendingLogon, _ verdict: Verdict) -> ServiceReply {
        if verdict.info == nil { counters.refused += 1 } else { counters.accepted += 1 }
        var info = verdict.info
        if waiting.level != .samInfo4 { Self.conceal(&info, waiting.session) }
        switch waiting.form {
        case .ex:
            return Self.reply(
                NetrLogonSamLogonEx.Response(
                    validation: NetlogonValidation(level: waiting.level, samInfo: info),
                    isAuthoritative: verdict.isAuthoritative, status: verdict.status))
        case .chained(let answer, let withFlags):
            return Self.chained(
                waiting.level, verdict.status, info, returning: answer, withFlags: withFlags,
                isAuthoritative: verdict.isAuthoritative)
        }
    }

    /// Both keys travel under the channel's (MS-NRPC 2.2.1.4.11), but for keys of zeros.
    private static func conceal(_ info: inout ValidationSAMInfo?, _ session: ChannelSession) {
        guard var plain = info else { return }
        var user = plain.userSessionKey.bytes
        var lm = plain.lmKey.bytes
        if session.usesDES {
            // Without RC4 the LM key alone is encrypted, by the key's first half.
            if lm.contains(where: { $0 != 0 }) {
                let key = Array(session.key.key.bytes[0..<7])
                lm = DES.encrypt(plain.lmKey, key7: key).bytes
            }
        } else {
            if user.contains(where: { $0 != 0 }) { session.key.conceal(&user) }
            if lm.contains(where: { $0 != 0 }) { session.key.conceal(&lm) }
        }
        plain.userSessionKey = Bytes16(user)
        plain.lmKey = Bytes8(lm)
        info = plain
    }

    private static func chained(
        _ level: ValidationLevel, _ status: NTStatus, _ info: ValidationSAMInfo?,
        returning answer: NetlogonAuthenticator, withFlags: Bool, isAuthoritative: Bool = true
    ) -> ServiceReply {
        let validation = NetlogonValidation(level: level, samInfo: info)
        if withFlags {
            return reply(
                NetrLogonSamLogonWithFlags.Response(
                    returnAuthenticator: answer, validation: validation,
                    isAuthoritative: isAuthoritative, status: status))
        }
        return reply(
            NetrLogonSamLogon.Response(
                returnAuthenticator: answer, validation: validation,
                isAuthoritative: isAuthoritative, status: status))
    }

    func samLogoff(
        _ request: NetrLogonSamLogoff.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        guard case .through(_, let answer) = enter(
            request.computerName, request.authenticator, caller, now)
        else {
            return Self.reply(
                NetrLogonSamLogoff.Response(
                    returnAuthenticator: NetlogonAuthenticator(), status: .accessDenied))
        }
        let identity = request.logonInformation.identity
        let named = identity.logonDomainName ?? ""
        if named.isEmpty || isOurs(named) {
            domain.noteLogoff(identity.userName ?? "", now: now.fileTime)
        }
        return Self.reply(NetrLogonSamLogoff.Response(returnAuthenticator: answer))
    }
}
