import Consumers
import Crypto
import Domain
import Interfaces
import Locator
import SecureChannel
import Wire

/// What a request of the winbind socket leads to.
package enum WinbindDecision {
    case answer(WinbindResponse)
    case logon(LogonCall)
    /// The answer is `winbindResponse` to what comes of it.
    case translate(TranslationQuestion, domain: String)
}

/// Answers to programs linked with libwbclient, as winbindd of a host that is a member of the
/// first configured domain would give them.
extension Agent {
    /// The domain that this host is taken for a member of.
    package var winbindDomain: String {
        if let first = firstRoute { return domains[first].name }
        return locals.first?.domain.name ?? name
    }

    package func decide(_ request: WinbindRequest) -> WinbindDecision {
        let interface = request.interface
        switch request.body {
        case .password, .response: return logon(request)
        case .name(let domain, let name): return lookUp(name, in: domain, interface)
        case .sid(let text):
            guard let sid = SID(text) else { break }
            return lookUp(sid, interface)
        case .none: break
        }
        switch request.command {
        case .listTrustedDomains: return .answer(domainList(interface))
        case .listUsers, .listGroups: return .answer(accountList(request))
        case .domainInfo: return domainInfo(request)
        case .checkMachineAccount, .pingDC: return probe(request)
        case _: return .answer(WinbindResponse(interface, isOK: false))
        }
    }

    /// The answer to a request that was to be translated.
    package func winbindResponse(
        to request: WinbindRequest, _ outcome: TranslationOutcome
    ) -> WinbindResponse {
        let interface = request.interface
        let refusal = WinbindResponse(interface, isOK: false)
        switch (request.command, outcome) {
        case (.checkMachineAccount, .translated):
            return Self.response(WinbindLogon(.success), interface)
        case (.checkMachineAccount, .unavailable(let reason)):
            var status = NTStatus.domainControllerNotFound
            if case .channelRefused(let refused) = reason { status = refused }
            return Self.response(WinbindLogon(status), interface)
        case (.pingDC, .translated):
            guard let index = domainIndex(named: request.domainName) else { return refusal }
            return pong(controllerName(index), interface)
        case (_, .unavailable): return refusal
        case (.domainInfo, .translated(let found)):
            guard let index = domainIndex(named: request.domainName),
                let first = found.first, let own = first
            else { return refusal }
            return domainInfo(index, own.sid, interface)
        case (_, .translated(let found)):
            guard let first = found.first, let account = first, isBelieved(account, request)
            else { return refusal }
            return Self.response(to: request.command, account, interface)
        }
    }

    // MARK: Names and SIDs

    private func localDomain(_ name: String) -> LocalDomain? {
        locals.first { Self.same($0.domain.name, name) }?.domain
    }

    private func lookUp(
        _ name: String, in domain: String, _ interface: WinbindInterface
    ) -> WinbindDecision {
        switch home(of: name, in: domain) {
        case .here(let found): .answer(Self.response(to: .lookupName, found, interface))
        case .there(let index, let question):
            .translate(.names([question]), domain: domains[index].name)
        }
    }

    /// Who knows a name.
    enum NameHome {
        /// An embedded domain; or nobody, where nothing was found.
        case here(Translation?)
        case there(domain: Int, question: String)
    }

    /// A name may bring its domain along. One of a domain that nobody here knows is asked of the
    /// first domain's controller, which knows whom it trusts.
    func home(of name: String, in domain: String) -> NameHome {
        var (home, account) = (domain, name)
        if domain.isEmpty { (home, account) = splitAccount(name) }
        if let local = localDomain(home.isEmpty ? winbindDomain : home) {
            return .here(Self.find(local, local.lookup(account)))
        }
        let index = domainIndex(named: home)
        guard let asked = index ?? firstRoute else { return .here(nil) }
        if index != nil { home = domains[asked].name }
        return .there(
            domain: asked, question: home.isEmpty ? account : home + "\\" + account)
    }

    private func lookUp(_ sid: SID, _ interface: WinbindInterface) -> WinbindDecision {
        for local in locals.map({ $0.domain }) {
            if sid == local.sid {
                let own = Translation(use: .domain, sid: sid, name: "", domain: local.name)
                return .answer(Self.response(to: .lookupSID, own, interface))
            }
            guard sid.domain == local.sid, let rid = sid.relativeIdentifier else { continue }
            return .answer(
                Self.response(
                    to: .lookupSID, Self.find(local, local.lookup(rid: rid)), interface))
        }
        let home = domains.firstIndex {
            !$0.isOfBackup && $0.sid != nil && ($0.sid == sid || $0.sid == sid.domain)
        }
        guard let asked = home ?? firstRoute else {
            return .answer(WinbindResponse(interface, isOK: false))
        }
        return .translate(.sids([sid]), domain: domains[asked].name)
    }

    private static func find(_ domain: LocalDomain, _ found: LocalDomain.Named?) -> Translation? {
        let name: String?
        let use: SIDNameUse
        let rid: UInt32
        switch found {
        case .account(let number): (name, use, rid) = (domain.accounts[number]?.name, .user, number)
        case .group(let number): (name, use, rid) = (domain.groups[number]?.name, .group, number)
        case .alias(let number): (name, use, rid) = (domain.aliases[number]?.name, .alias, number)
        case nil: return nil
        }
        guard let name else { return nil }
        return Translation(use: use, sid: domain.sid(of: rid), name: name, domain: domain.name)
    }

    /// A controller's word does not count for other domains that are configured here.
    private func isBelieved(_ account: Translation, _ request: WinbindRequest) -> Bool {
        var asked = firstRoute
        switch request.body {
        case .name(let domain, let name):
            let home = domain.isEmpty ? splitAccount(name).domain : domain
            asked = domainIndex(named: home) ?? asked
        case .sid(let text):
            let home = SID(text)?.domain
            asked = domains.firstIndex { $0.sid != nil && $0.sid == home } ?? asked
        case .none, .password, .response: break
        }
        return isBelieved(account, of: asked)
    }

    /// `asked`: the domain whose controller said it.
    func isBelieved(_ account: Translation, of asked: Int?) -> Bool {
        let home = account.use == .domain ? account.sid : account.sid.domain
        for (index, domain) in domains.enumerated() where index != asked && !domain.isOfBackup {
            if Self.same(domain.name, account.domain) { return false }
            if let sid = domain.sid, sid == home { return false }
        }
        return !locals.contains {
            Self.same($0.domain.name, account.domain) || $0.domain.sid == home
        }
    }

    private static func response(
        to command: WinbindCommand, _ account: Translation?, _ interface: WinbindInterface
    ) -> WinbindResponse {
        guard let account, account.use != .unknown, account.use != .invalid else {
            return WinbindResponse(interface, isOK: false)
        }
        let use = account.use.rawValue
        return command == .lookupName
            ? WinbindResponse(interface, .sid(account.sid, use: use))
            : WinbindResponse(
                interface, .account(domain: account.domain, name: account.name, use: use))
    }

    /// `DOMAIN\user`, `user@DOMAIN` of a domain known here, or a user without a domain.
    func splitAccount(_ text: String) -> (domain: String, user: String) {
        let bytes = Array(text.utf8)
        if let slash = bytes.firstIndex(of: WinbindConversation.separator) {
            return (
                String(decoding: bytes[..<slash], as: UTF8.self),
                String(decoding: bytes[(slash + 1)...], as: UTF8.self)
            )
        }
        if let sign = bytes.lastIndex(of: UInt8(ascii: "@")) {
            let domain = String(decoding: bytes[(sign + 1)...], as: UTF8.self)
            if !domain.isEmpty, domainIndex(named: domain) != nil || localDomain(domain) != nil {
                return (domain, String(decoding: bytes[..<sign], as: UTF8.self))
            }
        }
        return ("", text)
    }

    // MARK: Domains

    private func domainInfo(_ request: WinbindRequest) -> WinbindDecision {
        let interface = request.interface
        if let local = localDomain(request.domainName) {
            return .answer(
                WinbindResponse(
                    interface,
                    .domain(
                        WinbindDomainInfo(
                            name: local.name, dnsName: "", sid: local.sid.description,
                            isActiveDirectory: false, isPrimary: local.name == winbindDomain))))
        }
        guard !request.domainName.isEmpty,
            let index = domainIndex(named: request.domainName)
        else { return .answer(WinbindResponse(interface, isOK: false)) }
        if let sid = domains[index].sid { return .answer(domainInfo(index, sid, interface)) }
        let name = domains[index].name
        return .translate(.names([name]), domain: name)
    }

    private func domainInfo(
        _ index: Int, _ sid: SID, _ interface: WinbindInterface
    ) -> WinbindResponse {
        let domain = domains[index]
        return WinbindResponse(
            interface,
            .domain(
                WinbindDomainInfo(
                    name: domain.name, dnsName: domain.dnsName, sid: sid.description,
                    isActiveDirectory: domain.channel.profile == .modern,
                    isPrimary: index == firstRoute)))
    }

    /// Asks a domain's controller for what it surely knows, over the channel that there is.
    private func probe(_ request: WinbindRequest) -> WinbindDecision {
        let interface = request.interface
        let isPing = request.command == .pingDC
        let asked = request.domainName.isEmpty ? winbindDomain : request.domainName
        if localDomain(asked) != nil {
            return .answer(
                isPing ? pong(name, interface) : Self.response(WinbindLogon(.success), interface))
        }
        guard let index = domainIndex(named: asked) else {
            return .answer(
                isPing
                    ? WinbindResponse(interface, isOK: false)
                    : Self.response(WinbindLogon(.noSuchDomain), interface))
        }
        let name = domains[index].name
        return .translate(.names([name]), domain: name)
    }

    private func pong(_ controller: String, _ interface: WinbindInterface) -> WinbindResponse {
        var response = WinbindResponse(interface)
        response.extra = Array(controller.utf8) + [0]
        return response
    }

    private func controllerName(_ index: Int) -> String {
        guard let current = domains[index].channel.controller else { return "" }
        let known = domains[index].locator.controllers.first { $0.address == current.address }
        if let name = known?.hostName, !name.isEmpty { return name }
        return current.name
    }

    private static let nobody = "S-1-0-0"

    /// A line a domain: its names, its SID, how and in which directions it is trusted, and
    /// whether there is a channel to it.
    private func domainList(_ interface: WinbindInterface) -> WinbindResponse {
        var lines: [String] = []
        for local in locals.map({ $0.domain }) {
            lines.append("\(local.name)\\\\\(local.sid.description)\\Local\\No\\No\\Yes\\Online")
        }
        for domain in domains where !domain.isOfBackup {
            // Without a channel nobody has told its SID yet.
            let sid = domain.sid?.description ?? Self.nobody
            lines.append(
                "\(domain.name)\\\(domain.dnsName.uppercased())\\\(sid)\\Workstation\\Yes\\No\\Yes"
                    + (domain.channel.controller == nil ? "\\Offline" : "\\Online"))
        }
        return .list(lines, separator: "\n", interface)
    }

    /// The embedded domains'; those of others are not listed here.
    private func accountList(_ request: WinbindRequest) -> WinbindResponse {
        let asked = request.domainName.isEmpty ? winbindDomain : request.domainName
        guard let local = localDomain(asked) else {
            return WinbindResponse(request.interface, isOK: false)
        }
        let names = request.command == .listGroups
            ? local.groups.elements.map { $0.name }
            : local.accounts.elements.filter { !$0.isMachine }.map { $0.name }
        return .list(
            names.map { local.name + "\\" + $0 }, separator: ",", request.interface)
    }

    static func response(
        _ logon: WinbindLogon, _ interface: WinbindInterface
    ) -> WinbindResponse {
        WinbindResponse(interface, isOK: !logon.status.isError, .logon(logon))
    }
}
