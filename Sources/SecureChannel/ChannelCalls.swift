import Crypto
import Interfaces
import RPC
import Wire

// Logons over links that are ready: which link, what is asked, what the reply means.

extension Channel {
    /// Hands waiting logons to links that have room, and opens another link where all are busy.
    func dispatch(now: UInt64) {
        guard case .keyed = phase else { return }
        if settings.profile == .nt4, !waiting.isEmpty, isChainLost { return renewKey(now: now) }
        while !waiting.isEmpty {
            guard let id = freeLink() else { break }
            guard let logon = waiting.takeFirst() else { break }
            guard logons[logon] != nil else { continue }
            send(logon, over: id, now: now)
        }
        openSpareIfBusy(now: now)
    }

    /// The ready link with the fewest calls, if one more may be put there.
    func freeLink() -> Int? {
        var best: Int?
        var fewest = Int.max
        for (id, link) in links where link.isOpen && id != chained?.link {
            let calls = link.association.callsInFlight
            if calls < link.association.callLimit, calls < fewest {
                best = id
                fewest = calls
            }
        }
        return best
    }

    /// More is asked for at once than there are connections: one more, up to the configured most.
    /// A logon that is alone on its connection needs no other.
    private func openSpareIfBusy(now: UInt64) {
        guard let session, session.isSealed, settings.profile == .modern else { return }
        var count = 0
        var calls = 0
        for link in links.values where !link.isRetired {
            if !link.isReady || link.association.callsInFlight == 0 { return }
            count += 1
            calls += link.association.callsInFlight
        }
        guard count < settings.connections, now >= noSpareBefore else { return }
        if waiting.isEmpty, calls <= count { return }
        _ = open(.carrier, session.controller, now: now)
    }

    private func send(_ logon: UInt32, over id: Int, now: UInt64) {
        guard let link = links[id], let pending = logons[logon] else { return }
        let (opnum, stub) = call(pending.request, now: now)
        logons[logon]?.link = id
        links[id]?.lastUsed = now
        if link.silentSince == nil { links[id]?.silentSince = now }
        link.association.call(tag: logon, opnum: opnum, stub: stub, random: random)
        flush(id)
    }

    // MARK: Requests

    /// NetrLogonSamLogonEx over a sealed modern link, NetrLogonSamLogon with the credential chain
    /// in the nt4 profile (MS-NRPC 3.5.4.5.1, 3.5.4.5.2).
    ///
    /// SAM_INFO4 carries the user's session key under the seal alone. The smaller levels conceal
    /// it with the key that the controller keeps for our computer name, which is another one once
    /// another host took the channel over: the chain of the nt4 profile notices, a SamLogonEx
    /// does not. Where no key is asked for, the smallest level says all.
    private func call(_ request: LogonRequest, now: UInt64) -> (opnum: UInt16, stub: [UInt8]) {
        guard var session else { preconditionFailure("a call without a session") }
        let information = information(request, session.key)
        var writer = WireWriter()
        if settings.profile == .modern {
            let call = NetrLogonSamLogonEx.Request(
                computerName: settings.computer, logonInformation: information,
                validationLevel: request.wantsKeys ? .samInfo4 : .samInfo)
            call.write(into: &writer)
            return (NetrLogonSamLogonEx.opnum, writer.finish())
        }
        let timestamp = UInt32(truncatingIfNeeded: epoch + now / 1_000)
        let authenticator = NetlogonAuthenticator(
            credential: session.chain.next(timestamp: timestamp), timestamp: timestamp)
        self.session = session
        let call = NetrLogonSamLogon.Request(
            computerName: settings.computer, authenticator: authenticator,
            // A null pointer here ends the RPC server of a Samba 4.17 PDC.
            returnAuthenticator: NetlogonAuthenticator(),
            logonInformation: information, validationLevel: .samInfo)
        call.write(into: &writer)
        return (NetrLogonSamLogon.opnum, writer.finish())
    }

    private func information(_ request: LogonRequest, _ key: SessionKey) -> LogonInformation {
        let identity = LogonIdentityInfo(
            logonDomainName: Self.nilIfEmpty(request.domain),
            parameterControl: ParameterControl(rawValue: request.parameterControl),
            userName: Self.nilIfEmpty(request.user),
            workstation: Self.nilIfEmpty(request.workstation))
        let isTransitive = settings.profile == .modern
        switch request.proof {
        case .network(let challenge, let nt, let lm):
            return .network(
                NetworkLogonInfo(
                    identity: identity, lmChallenge: challenge,
                    ntChallengeResponse: nt.isEmpty ? nil : nt,
                    lmChallengeResponse: lm.isEmpty ? nil : lm),
                transitive: isTransitive)
        case .interactive(let nt, let lm):
            var ntHash = nt.bytes
            var lmHash = lm?.bytes ?? [UInt8](repeating: 0, count: 16)
            key.conceal(&ntHash)
            if lm != nil { key.conceal(&lmHash) }
            return .interactive(
                PasswordLogonInfo(
                    identity: identity, lmOwfPassword: Bytes16(lmHash),
                    ntOwfPassword: Bytes16(ntHash)),
                transitive: isTransitive)
        }
    }

    private static func nilIfEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

    // MARK: Replies

    func logonReplied(_ id: UInt32, link: Int, stub: [UInt8], now: UInt64) {
        links[link]?.lastUsed = now
        do {
            var reader = WireReader(stub.span, layer: "Netlogon")
            if settings.profile == .modern {
                let reply = try NetrLogonSamLogonEx.Response(parsing: &reader)
                try decide(
                    id, reply.status, reply.validation, authoritative: reply.isAuthoritative,
                    in: reader, link: link, now: now)
            } else {
                let reply = try NetrLogonSamLogon.Response(parsing: &reader)
                guard chainHolds(reply.returnAuthenticator, link: link) else {
                    chainBroken(id, reply.status, link: link, now: now)
                    return
                }
                try decide(
                    id, reply.status, reply.validation, authoritative: reply.isAuthoritative,
                    in: reader, link: link, now: now)
            }
        } catch {
            counters.badReplies += 1
            answer(id, .unavailable(.badReply))
        }
        dispatch(now: now)
    }

    /// Under the chain that the call was made: that of a link whose key is given up is its own.
    func chainHolds(_ returned: NetlogonAuthenticator?, link: Int) -> Bool {
        guard let returned else { return false }
        if links[link]?.isRetired == true {
            return links[link]?.session?.chain.accepts(returned.credential) ?? false
        }
        return session?.chain.accepts(returned.credential) ?? false
    }

    func key(of link: Int) -> SessionKey? {
        links[link]?.isRetired == true ? links[link]?.session?.key : session?.key
    }

    /// The controller and we disagree about the chain: nothing was validated if it says so.
    private func chainBroken(_ id: UInt32, _ status: NTStatus, link: Int, now: UInt64) {
        if Self.meansChannel(status), logons[id]?.wasRetried == false {
            sendAgain(id)
        } else {
            counters.badReplies += 1
            answer(id, .unavailable(.badReply))
        }
        keyForgotten(by: link, isReplaced: status != .notFound, now: now)
    }

    private func decide(
        _ id: UInt32, _ status: NTStatus, _ validation: NetlogonValidation, authoritative: Bool,
        in reader: borrowing WireReader, link: Int, now: UInt64
    ) throws(WireError) {
        if status == .success {
            guard let info = validation.samInfo else {
                throw reader.invalid("ValidationInformation", 0)
            }
            let request = logons[id]?.request
            let identity = try identity(
                info, validation.level, under: key(of: link), in: reader,
                whole: request?.wantsWhole ?? false, keys: request?.wantsKeys ?? false)
            counters.accepted += 1
            answer(id, .accepted(identity))
        } else if Self.meansChannel(status) {
            if logons[id]?.wasRetried == false {
                sendAgain(id)
            } else {
                answer(id, .unavailable(.channelRefused(status)))
            }
            keyForgotten(by: link, isReplaced: status != .notFound, now: now)
        } else {
            counters.refused += 1
            answer(id, .refused(status, authoritative: authoritative))
        }
    }

    /// Whether a status is said of the channel and never of the user: the call was not carried
    /// out. Samba 4.17 says "not found" where it has lost the key that a live connection uses.
    private static func meansChannel(_ status: NTStatus) -> Bool {
        status == .accessDenied || status == .notFound
    }

    private func identity(
        _ info: ValidationSAMInfo, _ level: ValidationLevel, under key: SessionKey?,
        in reader: borrowing WireReader, whole: Bool, keys: Bool
    ) throws(WireError) -> LogonIdentity {
        var userKey = keys ? info.userSessionKey.bytes : [UInt8](repeating: 0, count: 16)
        var lmKey = keys ? info.lmKey.bytes : [UInt8](repeating: 0, count: 8)
        // Keys that are all zero stand for none, and are never concealed.
        if level != .samInfo4, let key {
            if userKey.contains(where: { $0 != 0 }) { key.reveal(&userKey) }
            if lmKey.contains(where: { $0 != 0 }) { key.reveal(&lmKey) }
        }
        return LogonIdentity(
            user: try Self.name(info.effectiveName, "EffectiveName", in: reader),
            domain: try Self.name(info.logonDomainName, "LogonDomainName", in: reader),
            fullName: info.fullName.string(in: reader), userRID: info.userID,
            primaryGroupRID: info.primaryGroupID, domainSID: info.logonDomainID,
            groupRIDs: try info.groupIDs.memberships(in: reader).map { $0.relativeID },
            sessionKey: Bytes16(userKey), lmKey: Bytes8(lmKey),
            userFlags: info.userFlags.rawValue,
            whole: whole
                ? try self.whole(info, Bytes16(userKey), Bytes8(lmKey), in: reader) : nil)
    }

    /// A text may have 32,767 units here, which is more than whoever is told the name could take.
    private static func name(
        _ text: NDRText, _ field: StaticString, in reader: borrowing WireReader
    ) throws(WireError) -> String {
        let name = text.string(in: reader)
        let units = name.utf16.count
        if units > ChannelLimit.name { throw reader.invalid(field, units) }
        return name
    }

    private func whole(
        _ info: ValidationSAMInfo, _ userKey: Bytes16, _ lmKey: Bytes8,
        in reader: borrowing WireReader
    ) throws(WireError) -> WholeValidation {
        var owned = try info.owned(in: reader)
        owned.userSessionKey = userKey
        owned.lmKey = lmKey
        return WholeValidation(owned)
    }
}
