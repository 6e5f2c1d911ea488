import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

// Who controls which domain, and whom it trusts (MS-NRPC 3.5.4.3, 3.5.4.7, 3.5.4.9).

extension NetlogonService {
    /// DS_PDC_FLAG and DS_WRITABLE_FLAG of a found controller (MS-NRPC 3.5.4.3.1).
    private static let primaryFlag: UInt32 = 0x1
    private static let writableFlag: UInt32 = 0x100
    /// Flags of a request that nothing but a directory can satisfy: DS_DIRECTORY_SERVICE_REQUIRED,
    /// DS_GC_SERVER_REQUIRED, DS_KDC_REQUIRED, DS_IS_DNS_NAME.
    private static let directoryFlags: UInt32 = 0x10 | 0x40 | 0x400 | 0x2_0000
    /// What a member says of itself that is agreed to (MS-NRPC 2.2.1.3.6, WorkstationFlags): it
    /// takes inbound trusts, and keeps its service principal names itself.
    private static let knownWorkstationFlags: UInt32 = 0x3
    /// Flags that only the primary satisfies: DS_PDC_REQUIRED, DS_WRITABLE_REQUIRED.
    private static let primaryFlags: UInt32 = 0x80 | 0x1000
    private static let uasLogon: UInt16 = 0
    private static let uasLogoff: UInt16 = 1

    func discoveryCall(
        _ opnum: UInt16, _ reader: inout WireReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case NetrGetDCName.opnum:
            let request = try NetrGetDCName.Request(parsing: &reader)
            return controllerName(request.domainName, own: primary, none: .controllerNotFound)
        case NetrGetAnyDCName.opnum:
            let request = try NetrGetAnyDCName.Request(parsing: &reader)
            return controllerName(
                request.domainName, own: settings.computerName, none: .noSuchDomain)
        case DsrGetDcName.opnum:
            let request = try DsrGetDcName.Request(parsing: &reader)
            return find(request.domainName, request.flags)
        case DsrGetDcNameEx.opnum:
            let request = try DsrGetDcNameEx.Request(parsing: &reader)
            return find(request.domainName, request.flags)
        case DsrGetDcNameEx2.opnum:
            let request = try DsrGetDcNameEx2.Request(parsing: &reader)
            return find(request.domainName, request.flags)
        case DsrGetSiteName.opnum:
            _ = try DsrGetSiteName.Request(parsing: &reader)
            return Self.reply(DsrGetSiteName.Response(siteName: nil, status: .noSiteName))
        case DsrAddressToSiteNamesW.opnum:
            let request = try DsrAddressToSiteNamesW.Request(parsing: &reader)
            return Self.reply(
                DsrAddressToSiteNamesW.Response(
                    siteNames: request.socketAddresses.map { _ in CountedName(nil) }))
        case _: return try enumerationCall(opnum, &reader, caller)
        }
    }

    private func enumerationCall(
        _ opnum: UInt16, _ reader: inout WireReader, _ caller: RemoteCaller
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case NetrEnumerateTrustedDomains.opnum:
            _ = try ServerQuery(parsing: &reader)
            return Self.reply(
                NetrEnumerateTrustedDomains.Response(domainNames: trusted.map { $0.name }))
        case NetrEnumerateTrustedDomainsEx.opnum:
            _ = try ServerQuery(parsing: &reader)
            return Self.reply(DomainTrusts(domains: domainTrusts(wanted: .max)))
        case DsrEnumerateDomainTrusts.opnum:
            let request = try DsrEnumerateDomainTrusts.Request(parsing: &reader)
            return Self.reply(DomainTrusts(domains: domainTrusts(wanted: request.flags)))
        case NetrLogonControl.opnum:
            let request = try NetrLogonControl.Request(parsing: &reader)
            // The oldest of these calls has one level, and no functions that need more than it
            // says; members tell by the answer who is there.
            if request.queryLevel == 2 { return Self.refused(2, .notSupported) }
            if request.queryLevel == 1, Self.isOfLaterCalls(request.functionCode) {
                return Self.refused(1, .notSupported)
            }
            return control(
                request.functionCode, request.queryLevel, .none, caller, highestLevel: 1)
        case NetrLogonControl2.opnum, NetrLogonControl2Ex.opnum:
            let request = try LogonControl2Request(parsing: &reader)
            return control(
                request.functionCode, request.queryLevel, request.data, caller,
                highestLevel: opnum == NetrLogonControl2.opnum ? 3 : 4)
        // LAN Manager's own logons, for which nobody has used RPC (3.5.4.10.1, .2): a null
        // pointer, or a structure of 8 bytes, and ERROR_NOT_SUPPORTED.
        case Self.uasLogon: return .response([0, 0, 0, 0, 50, 0, 0, 0])
        case Self.uasLogoff: return .response([0, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0])
        case _: return nil
        }
    }

    // MARK: Controllers

    private func isOwn(_ name: String?) -> Bool {
        guard let name, !name.isEmpty else { return true }
        return LocalDomain.fold(name) == LocalDomain.fold(domain.name)
    }

    /// The computer name of our domain's primary: of a backup once it has been reached.
    private var primary: String? {
        if domain.role == .primary { return settings.computerName }
        return domain.header.replicaSource.isEmpty ? nil : domain.header.replicaSource
    }

    /// `none`: what is said of a domain that is not known.
    private func controllerName(
        _ name: String?, own: String?, none: NetStatus
    ) -> ServiceReply {
        var controller = own
        if !isOwn(name) {
            guard let other = otherDomains().first(where: { Self.names($0, name ?? "") }) else {
                return Self.reply(ControllerName(buffer: nil, status: none))
            }
            controller = other.controller
        }
        guard let controller else {
            return Self.reply(ControllerName(buffer: nil, status: .controllerNotFound))
        }
        return Self.reply(ControllerName(buffer: "\\\\" + controller))
    }

    private func find(_ name: String?, _ flags: UInt32) -> ServiceReply {
        let none = FoundController(domainControllerInfo: nil, status: .noSuchDomain)
        if flags & Self.directoryFlags != 0 { return Self.reply(none) }
        if isOwn(name) {
            let isPrimary = domain.role == .primary
            if !isPrimary, flags & Self.primaryFlags != 0 {
                return Self.reply(
                    primary.map { found($0, in: domain.name, flags: Self.primaryFlag) } ?? none)
            }
            return Self.reply(
                FoundController(
                    domainControllerInfo: DomainControllerInfo(
                        domainControllerName: "\\\\" + settings.computerName,
                        domainControllerAddress: "\\\\" + settings.address.description,
                        addressType: DomainControllerInfo.internetAddress,
                        domainName: domain.name,
                        flags: isPrimary ? Self.primaryFlag | Self.writableFlag : 0)))
        }
        guard let other = otherDomains().first(where: { Self.names($0, name ?? "") }),
            let controller = other.controller
        else { return Self.reply(none) }
        return Self.reply(found(controller, in: other.name))
    }

    /// A controller that is not this one, of which nothing but its name is known here.
    private func found(
        _ controller: String, in domain: String, flags: UInt32 = 0
    ) -> FoundController {
        FoundController(
            domainControllerInfo: DomainControllerInfo(
                domainControllerName: "\\\\" + controller,
                domainControllerAddress: "\\\\" + controller,
                addressType: DomainControllerInfo.netBIOSAddress, domainName: domain,
                flags: Self.writableFlag | flags))
    }

    // MARK: Trusts

    /// The domains whose users we let in: those to which logons are passed, and our trusts.
    private var trusted: [ConfiguredDomain] {
        var list = otherDomains()
        for trust in domain.trusts where trust.direction.contains(.outbound) {
            if let index = list.firstIndex(where: { Self.names($0, trust.name) }) {
                if list[index].sid == nil { list[index].sid = trust.sid }
            } else {
                list.append(
                    ConfiguredDomain(
                        name: trust.name, dnsName: trust.dnsName.isEmpty ? nil : trust.dnsName,
                        sid: trust.sid))
            }
        }
        return list
    }

    private func domainTrusts(wanted: UInt32) -> [DomainTrust] {
        var list: [DomainTrust] = []
        for known in trusted {
            var flags = DomainTrust.directOutbound
            if domain.trust(known.name)?.direction.contains(.inbound) == true {
                flags |= DomainTrust.directInbound
            }
            if wanted & flags == 0 { continue }
            list.append(
                DomainTrust(
                    netBIOSDomainName: known.name, dnsDomainName: known.dnsName, flags: flags,
                    domainSID: known.sid))
        }
        let isInboundWanted = wanted & DomainTrust.directInbound != 0
        for trust in domain.trusts where trust.direction == .inbound && isInboundWanted {
            list.append(
                DomainTrust(
                    netBIOSDomainName: trust.name, flags: DomainTrust.directInbound,
                    domainSID: trust.sid))
        }
        if wanted & (DomainTrust.primary | DomainTrust.inForest) != 0 {
            list.append(
                DomainTrust(
                    netBIOSDomainName: domain.name, flags: DomainTrust.primary,
                    domainSID: domain.sid))
        }
        return list
    }

    func domainInfo(
        _ request: NetrLogonGetDomainInfo.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        guard case .through(_, let answer) = enter(
            request.computerName, request.authenticator, caller, now)
        else {
            return Self.reply(
                NetrLogonGetDomainInfo.Response(
                    returnAuthenticator: NetlogonAuthenticator(), domainInformation: nil,
                    status: .accessDenied))
        }
        let own = OneDomainInfo(domainName: domain.name, domainSID: domain.sid)
        var all = [own]
        all[0].trustExtension = TrustExtension(
            flags: DomainTrust.primary, trustType: TrustedDomainInformationEx.downlevel,
            trustAttributes: 0)
        for known in trusted.prefix(DomainInformation.maximumTrustedDomains - 1) {
            all.append(
                OneDomainInfo(
                    domainName: known.name,
                    dnsDomainName: known.dnsName,
                    domainSID: known.sid,
                    trustExtension: TrustExtension(
                        flags: DomainTrust.directOutbound,
                        trustType: TrustedDomainInformationEx.downlevel, trustAttributes: 0)))
        }
        return Self.reply(
            NetrLogonGetDomainInfo.Response(
                returnAuthenticator: answer,
                domainInformation: DomainInformation(
                    primaryDomain: own, trustedDomains: all,
                    workstationFlags: Self.knownWorkstationFlags
                        & (request.workstation?.workstationFlags ?? 0))))
    }

    // MARK: Control

    /// What has a parameter, and what concerns a directory's DNS: from
    /// NETLOGON_CONTROL_REDISCOVER to NETLOGON_CONTROL_QUERY_DNS_REG.
    private static func isOfLaterCalls(_ function: LogonControlFunction) -> Bool {
        (5...12).contains(function.rawValue) || function == .setDebugFlag
    }

    private static func refused(_ level: UInt32, _ status: NetStatus) -> ServiceReply {
        reply(LogonControlAnswer(queryLevel: level, buffer: nil, status: status))
    }

    /// `highestLevel`: of the call that it is (MS-NRPC 3.5.4.9.1 to .3).
    private func control(
        _ function: LogonControlFunction, _ level: UInt32, _ data: LogonControlData,
        _ caller: RemoteCaller, highestLevel: UInt32
    ) -> ServiceReply {
        guard (1...highestLevel).contains(level) else { return Self.refused(level, .invalidLevel) }
        let success = NetStatus.success
        func answer(_ info: LogonControlInfo?, _ status: NetStatus) -> ServiceReply {
            let fits = info?.level == level ? info : nil
            return Self.reply(
                LogonControlAnswer(
                    queryLevel: level, buffer: fits,
                    status: fits == nil && status == .success ? .invalidLevel : status))
        }
        if function == .query {
            let attempts = UInt32(clamping: counters.logons)
            return level == 3
                ? answer(.info3(flags: 0, logonAttempts: attempts), success)
                : answer(.info1(flags: 0, pdcConnectionStatus: success), success)
        }
        guard caller.identity.isAdministrator else { return answer(nil, .accessDenied) }
        switch function {
        case .trustedChannelQuery, .rediscover, .trustedChannelVerify:
            guard case .trustedDomainName(let name) = data,
                let known = otherDomains().first(where: { Self.names($0, name ?? "") })
            else { return answer(nil, .noSuchDomain) }
            let status = known.controller == nil ? NetStatus.noLogonServers : success
            if level == 1 {
                return answer(.info1(flags: 0, pdcConnectionStatus: status), success)
            }
            return answer(
                .info2(
                    flags: 0, pdcConnectionStatus: status,
                    trustedDCName: known.controller.map { "\\\\" + $0 },
                    tcConnectionStatus: status), success)
        case .findUser:
            guard case .userName(let name) = data, domain.account(name ?? "") != nil else {
                return answer(nil, .noSuchDomain)
            }
            return answer(
                .info4(
                    trustedDCName: "\\\\" + settings.computerName,
                    trustedDomainName: domain.name), success)
        case .replicate, .synchronize, .pdcReplicate:
            guard level == 1 else { return answer(nil, .invalidLevel) }
            guard replicate(function) else { return answer(nil, .notSupported) }
            return answer(.info1(flags: 0, pdcConnectionStatus: success), success)
        case _: return answer(nil, .notSupported)
        }
    }

    /// A backup follows its primary, or copies all of it; a primary announces itself to its
    /// backups. Says whether this controller is the one that does it (3.5.4.9.1).
    private func replicate(_ function: LogonControlFunction) -> Bool {
        if function == .pdcReplicate {
            guard domain.role == .primary, let announce = domain.onLogged else { return false }
            announce()
            return true
        }
        guard domain.role == .backup, followsPrimary() else { return false }
        copyOrder = function == .synchronize || copyOrder == .whole ? .whole : .changes
        return true
    }
}
