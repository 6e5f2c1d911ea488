import Mailslot
import Wire

/// NETLOGON mailslot messages, which are also the answers to LDAP pings.
enum NetlogonMailslotDecoder {
    static func show(_ message: NetlogonMessage, into outline: inout Outline) {
        outline.open("NETLOGON " + message.description)
        defer { outline.close() }
        switch message {
        case .logonRequest(let request):
            outline.field("ComputerName", request.computerName.description)
            outline.field("UserName", request.userName.description)
            outline.field("MailslotName", request.mailslotName.description)
            outline.field("RequestCount", Int(request.requestCount))
            token("LmNtToken", request.lmNtToken, into: &outline)
            token("Lm20Token", request.lm20Token, into: &outline)
        case .logonResponseLM10(let response):
            outline.field("UserName", response.userName.description)
            outline.field("ScriptName", response.scriptName.description)
        case .logonResponseLM20(let response):
            outline.field("LogonServer", response.logonServer.description)
        case .logonRefusalLM20: break
        case .primaryQuery(let query): show(query, into: &outline)
        case .primaryResponse(let response): show(response, into: &outline)
        case .announceChange(let change): show(change, into: &outline)
        case .samLogonRequest(let request): show(request, into: &outline)
        case .samLogonResponse(let response): show(response, into: &outline)
        case .samLogonResponseEx(let response): show(response, into: &outline)
        case .other(let opcode, let rest):
            outline.field("opcode", Int(opcode.rawValue))
            outline.field("data", "\(rest.count) bytes")
        }
    }

    private static func token(_ name: String, _ value: UInt16?, into outline: inout Outline) {
        if let value { outline.flags(name, UInt32(value)) }
    }

    private static func show(_ query: PrimaryQuery, into outline: inout Outline) {
        outline.field("ComputerName", query.computerName.description)
        outline.field("MailslotName", query.mailslotName.description)
        switch query.sender {
        case .lanManager(let lm20Token): token("Lm20Token", lm20Token, into: &outline)
        case .windowsNT(let nt):
            outline.field("UnicodeComputerName", nt.unicodeComputerName.description)
            show(nt.trailer, into: &outline)
        }
    }

    private static func show(_ response: PrimaryResponse, into outline: inout Outline) {
        outline.field("PrimaryDCName", response.primaryDCName.description)
        switch response.reader {
        case .lanManager(let lm20Token): token("Lm20Token", lm20Token, into: &outline)
        case .windowsNT(let nt):
            outline.field("UnicodePrimaryDCName", nt.unicodePrimaryDCName.description)
            outline.field("UnicodeDomainName", nt.unicodeDomainName.description)
            show(nt.trailer, into: &outline)
        }
    }

    private static func show(_ change: AnnounceChange, into outline: inout Outline) {
        outline.field("LowSerialNumber", Int(clamping: change.lowSerialNumber))
        outline.field("DateAndTime", "\(change.dateAndTime)")
        outline.field("Pulse", "\(change.pulse) s")
        outline.field("Random", "\(change.random) s")
        outline.field("PrimaryDCName", change.primaryDCName.description)
        outline.field("DomainName", change.domainName.description)
        for database in change.databases {
            outline.field(
                "database", "\(database.index), serial number \(database.largeSerialNumber)")
        }
        outline.field("DomainSid", change.domainSid?.description)
        show(change.trailer, into: &outline)
    }

    private static func show(_ request: SAMLogonRequest, into outline: inout Outline) {
        outline.field("RequestCount", Int(request.requestCount))
        outline.field("UnicodeComputerName", request.unicodeComputerName.description)
        outline.field("UnicodeUserName", request.unicodeUserName.description)
        outline.field("MailslotName", request.mailslotName.description)
        outline.flags(
            "AllowableAccountControlBits", request.allowableAccountControlBits.rawValue)
        outline.field("DomainSid", request.domainSid?.description)
        show(request.trailer, into: &outline)
    }

    private static func show(_ response: SAMLogonResponse, into outline: inout Outline) {
        outline.field("UnicodeLogonServer", response.unicodeLogonServer.description)
        outline.field("UnicodeUserName", response.unicodeUserName.description)
        outline.field("UnicodeDomainName", response.unicodeDomainName.description)
        if let nt5 = response.nt5 {
            outline.field("DomainGuid", nt5.domainGuid.description)
            outline.field("DnsForestName", nt5.dnsForestName)
            outline.field("DnsDomainName", nt5.dnsDomainName)
            outline.field("DnsHostName", nt5.dnsHostName)
            outline.field("DcIpAddress", nt5.dcIPAddress.description)
            outline.flags("Flags", nt5.flags.rawValue, text(nt5.flags))
        }
        show(response.trailer, into: &outline)
    }

    private static func show(_ response: SAMLogonResponseEx, into outline: inout Outline) {
        outline.flags("Flags", response.flags.rawValue, text(response.flags))
        outline.field("DomainGuid", response.domainGuid.description)
        outline.field("DnsForestName", response.dnsForestName)
        outline.field("DnsDomainName", response.dnsDomainName)
        outline.field("DnsHostName", response.dnsHostName)
        outline.field("NetbiosDomainName", response.netbiosDomainName)
        outline.field("NetbiosComputerName", response.netbiosComputerName)
        outline.field("UserName", response.userName)
        outline.field("DcSiteName", response.dcSiteName)
        outline.field("ClientSiteName", response.clientSiteName)
        outline.field("DcSockAddr", response.dcSockAddr?.description)
        outline.field("NextClosestSiteName", response.nextClosestSiteName)
        show(response.trailer, into: &outline)
    }

    private static func show(_ trailer: NetlogonTrailer, into outline: inout Outline) {
        let version = trailer.ntVersion
        var names = BitNames()
        names.add(version.contains(.v1), "V1")
        names.add(version.contains(.v5), "V5")
        names.add(version.contains(.v5Ex), "V5EX")
        names.add(version.contains(.v5ExWithIP), "V5EX_WITH_IP")
        names.add(version.contains(.withClosestSite), "VCS")
        names.add(version.contains(.avoidNT4Emulation), "AVOID_NT4_EMUL")
        names.add(version.contains(.primary), "PDC")
        names.add(version.contains(.ip), "IP")
        names.add(version.contains(.local), "LOCAL")
        names.add(version.contains(.globalCatalog), "GC")
        outline.flags("NtVersion", version.rawValue, names.text)
    }

    private static func text(_ flags: ControllerFlags) -> String {
        var names = BitNames()
        names.add(flags.contains(.primary), "PDC")
        names.add(flags.contains(.globalCatalog), "GC")
        names.add(flags.contains(.ldap), "LDAP")
        names.add(flags.contains(.directoryService), "DS")
        names.add(flags.contains(.keyDistribution), "KDC")
        names.add(flags.contains(.timeService), "TIMESERV")
        names.add(flags.contains(.closest), "CLOSEST")
        names.add(flags.contains(.writable), "WRITABLE")
        return names.text
    }
}
