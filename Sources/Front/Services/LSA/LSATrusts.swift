import Domain
import Interfaces
import RPC
import Wire

extension LSAService {
    /// A trust of the embedded domain, or a configured domain, which is one that it trusts.
    struct KnownTrust {
        var name: String
        var dnsName: String
        var sid: SID
        var direction: Trust.Direction

        var information: TrustedDomainInformationEx {
            TrustedDomainInformationEx(
                name: dnsName.isEmpty ? name : dnsName, flatName: name, sid: sid,
                trustDirection: UInt32(direction.rawValue),
                trustType: dnsName.isEmpty
                    ? TrustedDomainInformationEx.downlevel : TrustedDomainInformationEx.uplevel)
        }
    }

    /// Those whose SID is known: nobody can do anything with others.
    func knownTrusts() -> [KnownTrust] {
        var known: [KnownTrust] = []
        for trust in domain.trusts {
            guard let sid = trust.sid else { continue }
            known.append(
                KnownTrust(
                    name: trust.name, dnsName: trust.dnsName, sid: sid,
                    direction: trust.direction))
        }
        for other in configured() {
            guard let sid = other.sid else { continue }
            if let index = known.firstIndex(where: { $0.sid == sid || $0.name == other.name }) {
                known[index].direction.insert(.outbound)
            } else {
                known.append(
                    KnownTrust(
                        name: other.name, dnsName: other.dnsName ?? "", sid: sid,
                        direction: .outbound))
            }
        }
        return known
    }

    // MARK: Lists

    func enumerateTrustedDomains(
        _ request: EnumerationRequest, _ caller: RemoteCaller
    ) -> ServiceReply {
        let trusted = knownTrusts().filter { $0.direction.contains(.outbound) }
        return enumerate(request, caller, trusted.map { LSADomain(name: $0.name, sid: $0.sid) })
    }

    func enumerateTrustedDomainsEx(
        _ request: EnumerationRequest, _ caller: RemoteCaller
    ) -> ServiceReply {
        enumerate(request, caller, knownTrusts().map { $0.information })
    }

    /// A page of `all`. Servers count an entry as so many bytes of the length that the client
    /// prefers, and give one at least; the context goes up even with the last page, as clients
    /// would ask forever otherwise.
    func enumerate<Entry: NDRElement & Equatable & Sendable>(
        _ request: EnumerationRequest, _ caller: RemoteCaller, _ all: [Entry]
    ) -> ServiceReply {
        func page(_ context: UInt32, _ entries: [Entry], _ status: NTStatus) -> ServiceReply {
            .stub(
                EnumerationResponse<Entry>(
                    enumerationContext: context, entries: entries, status: status))
        }
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply { page(0, [], $0) }
        }
        let start = Int(clamping: request.enumerationContext)
        guard start < all.count else { return page(.max, [], .noMoreEntries) }
        let room = 1 + Int(clamping: request.preferredMaximumLength) / Self.bytesOfEntry
        let end = start + min(room, all.count - start)
        let entries = Array(all[start..<end])
        if end < all.count { return page(UInt32(end), entries, .moreEntries) }
        return page(.max, entries, .success)
    }

    private static var bytesOfEntry: Int { 60 }

    // MARK: One trust

    func openTrustedDomain(
        _ request: LsarOpenTrustedDomain.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        func failed(_ status: NTStatus) -> ServiceReply {
            .stub(OpenedHandle(handle: .null, status: status))
        }
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply(failed)
        }
        guard let trust = knownTrusts().first(where: { $0.sid == request.trustedDomainSID }) else {
            return failed(.noSuchDomain)
        }
        let allowed = caller.identity.isAdministrator ? Self.trustRights.all : Self.trustRights.read
        guard let granted = Self.trustRights.granted(request.desiredAccess, of: allowed) else {
            return failed(.accessDenied)
        }
        guard let handle = caller.open(
            TrustHandle(sid: trust.sid, granted: granted), random: random)
        else { return failed(.insufficientResources) }
        return .stub(OpenedHandle(handle: handle))
    }

    func queryInfoTrustedDomain(
        _ request: LsarQueryInfoTrustedDomain.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        guard let handle = caller[request.trustedDomainHandle] as? TrustHandle else {
            return .fault(.contextMismatch)
        }
        guard handle.granted & LSAAccess.queryDomainName != 0 else {
            return Self.trust(nil, .accessDenied)
        }
        return answer(knownTrusts().first { $0.sid == handle.sid }, request.informationClass)
    }

    func queryTrustedDomainInfo(
        _ request: LsarQueryTrustedDomainInfo.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply { Self.trust(nil, $0) }
        }
        return answer(
            knownTrusts().first { $0.sid == request.trustedDomainSID }, request.informationClass)
    }

    func queryTrustedDomainInfoByName(
        _ request: LsarQueryTrustedDomainInfoByName.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        if let refused = refusal(
            request.policyHandle, caller, needs: LSAAccess.viewLocalInformation)
        {
            return refused.reply { Self.trust(nil, $0) }
        }
        let name = LocalDomain.fold(request.trustedDomainName ?? "")
        return answer(
            knownTrusts().first {
                LocalDomain.fold($0.name) == name || LocalDomain.fold($0.dnsName) == name
            }, request.informationClass)
    }

    private func answer(
        _ known: KnownTrust?, _ informationClass: TrustedInformationClass
    ) -> ServiceReply {
        guard let known else { return Self.trust(nil, .objectNameNotFound) }
        switch informationClass {
        case .name: return Self.trust(.name(known.information.name))
        case .posixOffset: return Self.trust(.posixOffset(0))
        case .basic: return Self.trust(.basic(LSADomain(name: known.name, sid: known.sid)))
        case .ex: return Self.trust(.ex(known.information))
        case _: return Self.trust(nil, .invalidParameter)
        }
    }

    private static func trust(
        _ information: TrustedDomainInformation?, _ status: NTStatus = .success
    ) -> ServiceReply {
        .stub(TrustedDomainAnswer(trustedDomainInformation: information, status: status))
    }
}
