import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

/// The Local Security Authority of the embedded domain's controller: what the domain is, which
/// others it trusts, who the accounts are and what they may (MS-LSAD, MS-LSAT). It changes nothing.
///
/// Accounts of configured domains are known to these domains' controllers: what is to be asked of
/// them comes out of `takeQuestions`, and goes into `answered`.
package final class LSAService: RemoteService {
    package let interface = LSA.interface
    let domain: LocalDomain
    let configured: () -> [ConfiguredDomain]
    let anonymous: AnonymousAccess
    let random: (Int) -> [UInt8]
    let foreign = ForeignAccounts()

    /// What the handle of an opened policy stands for.
    private final class PolicyHandle {
        let granted: UInt32
        init(granted: UInt32) { self.granted = granted }
    }

    /// What the handle of an opened trusted domain stands for.
    final class TrustHandle {
        let sid: SID
        let granted: UInt32
        init(sid: SID, granted: UInt32) {
            self.sid = sid
            self.granted = granted
        }
    }

    /// Why a call is not carried out, which its response or a fault says.
    enum Refusal {
        case fault(FaultStatus)
        case status(NTStatus)

        func reply(_ response: (NTStatus) -> ServiceReply) -> ServiceReply {
            switch self {
            case .fault(let fault): .fault(fault)
            case .status(let status): response(status)
            }
        }
    }

    /// MS-LSAD 2.2.1.1.2 and 2.2.1.1.6.
    private static let policyRights = AccessRights(
        read: 0x0002_0006, write: 0x0002_07f8, execute: 0x0002_0801, all: 0x000f_0fff)
    static var trustRights: AccessRights {
        AccessRights(
            read: 0x0002_0001, write: 0x0002_007c, execute: 0x0002_000c, all: 0x000f_007f)
    }

    /// What everyone may, null sessions too, as on Windows NT: members and domains that trust
    /// this one ask for its name without being anybody here. Whether its accounts' names and SIDs
    /// are translated for nobody is looked at with each call: clients open a policy for all that
    /// they might want.
    private static let everyone: UInt32 =
        LSAAccess.viewLocalInformation | LSAAccess.lookupNames | 0x0002_0000

    /// `configured` are the domains whose logons are passed through.
    package init(
        domain: LocalDomain, configured: @escaping () -> [ConfiguredDomain],
        anonymous: AnonymousAccess, random: @escaping (Int) -> [UInt8]
    ) {
        self.domain = domain
        self.configured = configured
        self.anonymous = anonymous
        self.random = random
    }

    package func ended(_ caller: RemoteCaller) {}

    package func takeQuestions() -> [(token: UInt64, domain: String, TranslationQuestion)] {
        foreign.takeQuestions()
    }

    /// What a domain's controller said; nil while the call waits for others too.
    package func answered(
        _ token: UInt64, _ outcome: TranslationOutcome, now: FrontTime
    ) -> (ticket: UInt64, ServiceReply)? {
        foreign.answered(token, outcome, now: now.now)
    }

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var stub = NDRReader(stub)
        do throws(WireError) {
            switch opnum {
            case LsarClose.opnum: return close(try .init(parsing: &stub), caller)
            case LsarOpenPolicy.opnum:
                let request = try LsarOpenPolicy.Request(parsing: &stub)
                return openPolicy(request.desiredAccess, caller)
            case LsarOpenPolicy2.opnum:
                let request = try LsarOpenPolicy2.Request(parsing: &stub)
                return openPolicy(request.desiredAccess, caller)
            case LsarQueryInformationPolicy.opnum:
                return queryPolicy(try .init(parsing: &stub), caller)
            case LsarQueryInformationPolicy2.opnum:
                let request = try PolicyQuery(parsing: &stub)
                // A controller of NT4's time has no such call, and that is how clients tell it
                // from one with a directory: only what the older call has is answered.
                if policy(request.informationClass) == nil { return .fault(.opRangeError) }
                return queryPolicy(request, caller)
            case LsarGetUserName.opnum: return userName(try .init(parsing: &stub), caller)
            case LsarLookupNames.opnum, LsarLookupNames2.opnum, LsarLookupNames3.opnum,
                LsarLookupNames4.opnum, LsarLookupSids.opnum, LsarLookupSids2.opnum,
                LsarLookupSids3.opnum:
                return try lookup(opnum, &stub, caller, now)
            case _: return try list(opnum, &stub, caller)
            }
        } catch {
            return .fault(.badStubData)
        }
    }

    private func lookup(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(WireError) -> ServiceReply {
        switch opnum {
        case LsarLookupNames.opnum:
            return lookupNames(try LsarLookupNames.Request(parsing: &stub), caller, now)
        case LsarLookupNames2.opnum:
            return lookupNames(try LsarLookupNames2.Request(parsing: &stub), caller, now)
        case LsarLookupNames3.opnum:
            return lookupNames(try LsarLookupNames3.Request(parsing: &stub), caller, now)
        case LsarLookupNames4.opnum:
            return lookupNames(try LsarLookupNames4.Request(parsing: &stub), caller, now)
        case LsarLookupSids.opnum:
            return lookupSIDs(try LsarLookupSids.Request(parsing: &stub), caller, now)
        case LsarLookupSids2.opnum:
            return lookupSIDs(try LsarLookupSids2.Request(parsing: &stub), caller, now)
        case _: return lookupSIDs(try LsarLookupSids3.Request(parsing: &stub), caller, now)
        }
    }

    private func list(
        _ opnum: UInt16, _ stub: inout NDRReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply {
        switch opnum {
        case LsarEnumerateTrustedDomains.opnum:
            return enumerateTrustedDomains(try .init(parsing: &stub), caller)
        case LsarEnumerateTrustedDomainsEx.opnum:
            return enumerateTrustedDomainsEx(try .init(parsing: &stub), caller)
        case LsarOpenTrustedDomain.opnum:
            return openTrustedDomain(try .init(parsing: &stub), caller)
        case LsarQueryInfoTrustedDomain.opnum:
            return queryInfoTrustedDomain(try .init(parsing: &stub), caller)
        case LsarQueryTrustedDomainInfo.opnum:
            return queryTrustedDomainInfo(try .init(parsing: &stub), caller)
        case LsarQueryTrustedDomainInfoByName.opnum:
            return queryTrustedDomainInfoByName(try .init(parsing: &stub), caller)
        case _: return try right(opnum, &stub, caller)
        }
    }

    /// The domains that lookups know beside the own one.
    func trustedDomains() -> [ConfiguredDomain] {
        knownTrusts().map {
            ConfiguredDomain(
                name: $0.name, dnsName: $0.dnsName.isEmpty ? nil : $0.dnsName, sid: $0.sid)
        }
    }

    // MARK: Handles

    /// Nil where `handle` is a policy's and has all of the rights `needs`.
    func refusal(
        _ handle: ContextHandle, _ caller: RemoteCaller, needs: UInt32
    ) -> Refusal? {
        guard let policy = caller[handle] as? PolicyHandle else {
            return .fault(.contextMismatch)
        }
        return policy.granted & needs == needs ? nil : .status(.accessDenied)
    }

    private func openPolicy(_ desired: UInt32, _ caller: RemoteCaller) -> ServiceReply {
        let allowed = caller.identity.isAdministrator ? Self.policyRights.all : Self.everyone
        guard let granted = Self.policyRights.granted(desired, of: allowed) else {
            return .stub(OpenedHandle(handle: .null, status: .accessDenied))
        }
        guard let handle = caller.open(PolicyHandle(granted: granted), random: random) else {
            return .stub(OpenedHandle(handle: .null, status: .insufficientResources))
        }
        return .stub(OpenedHandle(handle: handle))
    }

    private func close(_ request: LsarClose.Request, _ caller: RemoteCaller) -> ServiceReply {
        let object = caller[request.objectHandle]
        guard object is PolicyHandle || object is TrustHandle || object is AccountHandle else {
            return .fault(.contextMismatch)
        }
        caller[request.objectHandle] = nil
        return .stub(OpenedHandle(handle: .null))
    }

    // MARK: Policy

    private func queryPolicy(_ request: PolicyQuery, _ caller: RemoteCaller) -> ServiceReply {
        if let refused = refusal(
            request.policyHandle, caller, needs: Self.rights(request.informationClass))
        {
            return refused.reply { .stub(PolicyAnswer(policyInformation: nil, status: $0)) }
        }
        guard let part = policy(request.informationClass) else {
            return .stub(PolicyAnswer(policyInformation: nil, status: .invalidParameter))
        }
        return .stub(PolicyAnswer(policyInformation: part))
    }

    /// MS-LSAD 3.1.4.4.4.
    private static func rights(_ informationClass: PolicyInformationClass) -> UInt32 {
        switch informationClass {
        case .auditLog, .auditEvents: LSAAccess.viewAuditInformation
        case .pdAccount: LSAAccess.viewPrivateInformation
        case _: LSAAccess.viewLocalInformation
        }
    }

    /// Nil for what is not served. That is the DNS domain too, as on Windows NT: members take a
    /// domain that has one for an Active Directory.
    private func policy(_ informationClass: PolicyInformationClass) -> PolicyInformation? {
        let own = LSADomain(name: domain.name, sid: domain.sid)
        switch informationClass {
        case .auditLog: return .auditLog(PolicyAuditLog())
        case .auditEvents:
            return .auditEvents(
                isAuditing: false, options: [UInt32](repeating: 0, count: Self.eventKinds))
        case .primaryDomain: return .primaryDomain(own)
        case .pdAccount: return .pdAccount(nil)
        case .accountDomain: return .accountDomain(own)
        case .serverRole:
            return .serverRole(
                domain.role == .primary
                    ? PolicyInformation.primaryRole : PolicyInformation.backupRole)
        case .replicaSource: return .replicaSource(source: nil, account: nil)
        case .defaultQuota: return .defaultQuota(PolicyQuota())
        case .localAccountDomain: return .localAccountDomain(own)
        case _: return nil
        }
    }

    /// As many as Windows NT audits (MS-LSAD 2.2.4.20, but for the two that came later).
    private static let eventKinds = 7

    // MARK: Who asks

    private func userName(
        _ request: LsarGetUserName.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        guard request.userName == nil, request.domainName == nil else {
            return .stub(
                LsarGetUserName.Response(
                    userName: nil, domainName: nil, status: .invalidParameter))
        }
        var user = caller.identity.user
        var home = caller.identity.domain
        switch caller.identity.kind {
        case .anonymous:
            user = WellKnownSIDs.anonymous
            home = WellKnownSIDs.ntAuthority
        case .guest, .local, .remote: break
        }
        return .stub(
            LsarGetUserName.Response(
                userName: user, domainName: request.wantsDomainName ? home : nil))
    }
}
