import Mailslot
import TestSupport
import Wire

func netlogon(_ bytes: [UInt8]) throws -> NetlogonMessage {
    var reader = WireReader(bytes.span, layer: "NETLOGON")
    return try NetlogonMessage(parsing: &reader)
}

func rewriteNetlogon(_ bytes: [UInt8]) throws -> [UInt8] {
    var writer = WireWriter()
    try netlogon(bytes).write(from: bytes.span, into: &writer)
    return writer.finish()
}

func browser(_ bytes: [UInt8]) throws -> BrowserMessage {
    var reader = WireReader(bytes.span, layer: "BROWSE")
    return try BrowserMessage(parsing: &reader)
}

func rewriteBrowser(_ bytes: [UInt8]) throws -> [UInt8] {
    var writer = WireWriter()
    try browser(bytes).write(from: bytes.span, into: &writer)
    return writer.finish()
}

func mailslotWrite(_ bytes: [UInt8]) throws -> MailslotWrite {
    var reader = WireReader(bytes.span, layer: "SMB")
    return try MailslotWrite(parsing: &reader)
}

func rewriteMailslot(_ bytes: [UInt8]) throws -> [UInt8] {
    let message = try mailslotWrite(bytes)
    var writer = WireWriter()
    let open = MailslotWrite.begin(
        to: bytes.span.extracting(message.name), timeout: message.timeout,
        priority: message.priority, messageClass: message.messageClass, into: &writer)
    writer.append(bytes.span.extracting(message.data))
    MailslotWrite.finish(open, in: &writer)
    return writer.finish()
}

enum Sample {
    static let sid = SID("S-1-5-21-1-2-3")!
    static let slot = OEMText("\\MAILSLOT\\NET\\GETDC1")

    static let responseEx = SAMLogonResponseEx(
        .samLogonResponseEx, flags: [.ldap, .writable],
        domainGuid: GUID("138daf55-918c-4170-9d46-d4d50490aa13")!, dnsForestName: "ad.lab",
        dnsDomainName: "sub.ad.lab", dnsHostName: "dc1.sub.ad.lab", netbiosDomainName: "SUB",
        netbiosComputerName: "DC1", userName: "someone", dcSiteName: "Site",
        clientSiteName: "Site")

    static var netlogonMessages: [(String, NetlogonMessage)] {
        let nt5 = SAMLogonResponse.NT5(
            domainGuid: responseEx.domainGuid, dnsForestName: "ad.lab", dnsDomainName: "ad.lab",
            dnsHostName: "dc1.ad.lab", dcIPAddress: IPv4Address(10, 0, 0, 1), flags: [.primary])
        var withAddress = responseEx
        withAddress.dcSockAddr = IPv4Address(10, 0, 0, 1)
        withAddress.nextClosestSiteName = "Other"
        withAddress.trailer.ntVersion = [.v1, .v5Ex, .v5ExWithIP, .withClosestSite]
        func request(
            _ user: String, _ control: AccountControl, _ sid: SID?
        ) -> NetlogonMessage {
            .samLogonRequest(SAMLogonRequest(
                requestCount: 1, unicodeComputerName: UnicodeText("PC"),
                unicodeUserName: UnicodeText(user), mailslotName: slot,
                allowableAccountControlBits: control, domainSid: sid,
                ntVersion: [.v1, .v5ExWithIP]))
        }
        func response(
            _ opcode: NetlogonOpcode, _ nt5: SAMLogonResponse.NT5?
        ) -> NetlogonMessage {
            .samLogonResponse(SAMLogonResponse(
                opcode, unicodeLogonServer: UnicodeText("\\\\DC1"),
                unicodeUserName: UnicodeText("Jos\u{e9}"), unicodeDomainName: UnicodeText("D"),
                nt5: nt5))
        }
        return [
            ("LM1.0 request", .logonRequest(LogonRequest(
                computerName: OEMText("PC"), userName: OEMText("ME"), mailslotName: slot,
                lm20Token: nil))),
            ("LM2.0 request", .logonRequest(LogonRequest(
                computerName: OEMText("PC"), userName: OEMText("ME"), mailslotName: slot))),
            ("Windows 98 request", .logonRequest(LogonRequest(
                computerName: OEMText("PC"), userName: OEMText(""), mailslotName: slot,
                lmNtToken: 1))),
            ("LM1.0 response", .logonResponseLM10(LogonResponseLM10(userName: OEMText("ME")))),
            ("LM2.0 response", .logonResponseLM20(
                LogonResponseLM20(logonServer: OEMText("\\\\DC1")))),
            ("LM2.0 paused", .logonRefusalLM20(LogonRefusalLM20(.logonPausedLM20))),
            ("LM2.0 user unknown", .logonRefusalLM20(LogonRefusalLM20(.logonUserUnknownLM20))),
            ("GETDC of LAN Manager", .primaryQuery(PrimaryQuery(
                computerName: OEMText("PC"), mailslotName: slot, .lanManager(lm20Token: 0xffff)))),
            ("GETDC of NT", .primaryQuery(PrimaryQuery(
                computerName: OEMText("PC1"), mailslotName: slot,
                .windowsNT(.init(UnicodeText("PC1"), .v1))))),
            ("GETDC response to LAN Manager", .primaryResponse(PrimaryResponse(
                primaryDCName: OEMText("DC1"), .lanManager(lm20Token: 0xffff)))),
            ("GETDC response to NT", .primaryResponse(PrimaryResponse(
                primaryDCName: OEMText("DC12"),
                .windowsNT(.init(UnicodeText("DC12"), UnicodeText("LAB")))))),
            ("announce change", .announceChange(AnnounceChange(
                lowSerialNumber: 5, dateAndTime: 6, pulse: 300, random: 1, primaryDCName: "DC1",
                domainName: "LAB",
                databases: [.init(index: 0, largeSerialNumber: 5, dateAndTime: 7)],
                domainSid: sid))),
            ("SAM LOGON", request("me", .normal, nil)),
            ("SAM LOGON with SID", request("PC$", .workstationTrust, sid)),
            ("SAM LOGON of a trust", request("DOMAIN$", .interdomainTrust, sid)),
            ("SAM LOGON response NT4", response(.samLogonResponse, nil)),
            ("SAM LOGON paused NT4", response(.samPauseResponse, nil)),
            ("SAM LOGON user unknown NT5", response(.samUserUnknown, nt5)),
            ("SAM LOGON response NT5", response(.samLogonResponse, nt5)),
            ("SAM LOGON response EX", .samLogonResponseEx(responseEx)),
            ("SAM LOGON response EX with address", .samLogonResponseEx(withAddress)),
        ]
    }

    static var browserMessages: [(String, BrowserMessage)] {
        let opcodes: [BrowserOpcode] = [
            .hostAnnouncement, .domainAnnouncement, .localMasterAnnouncement,
        ]
        return opcodes.map {
            ("announcement", .announcement(BrowserAnnouncement(
                $0, periodicity: 60_000, serverName: OEMText("GATE1"), osVersionMajor: 4,
                osVersionMinor: 0, serverType: [.server, .workstation],
                comment: OEMText("a gate"))))
        } + [
            ("announcement request",
                .announcementRequest(unused: 0, responseName: OEMText("PC"))),
            ("election", .election(RequestElection(
                criteria: 0x2001_0f80, uptime: 5_000, serverName: OEMText("GATE1")))),
            ("backup list request", .backupListRequest(requestedCount: 4, token: 7)),
            ("backup list", .backupListResponse(BackupListResponse(
                token: 7, backupServerList: [OEMText("A"), OEMText("B")]))),
            ("become backup", .becomeBackup(browserToPromote: OEMText("PC"))),
            ("master announcement", .masterAnnouncement(masterBrowserServerName: OEMText("A"))),
            ("reset", .resetState(2)),
        ]
    }

    static var messages: [MessageSample] {
        var all: [MessageSample] = []
        let none: [UInt8] = []
        for (name, message) in netlogonMessages {
            var writer = WireWriter()
            message.write(from: none.span, into: &writer)
            all.append(
                MessageSample(name: name, bytes: writer.finish(), rewrite: rewriteNetlogon))
        }
        for (name, message) in browserMessages {
            var writer = WireWriter()
            message.write(from: none.span, into: &writer)
            all.append(
                MessageSample(name: name, bytes: writer.finish(), rewrite: rewriteBrowser))
        }
        all.append(MessageSample(
            name: "unused NETLOGON message", bytes: [8, 0, 65, 0], rewrite: rewriteNetlogon))
        for name in MailslotName.allCases {
            var writer = WireWriter()
            let text = name.bytes
            let open = MailslotWrite.begin(to: text.span, priority: 1, into: &writer)
            writer.append([1, 2, 3])
            MailslotWrite.finish(open, in: &writer)
            all.append(
                MessageSample(name: name.text, bytes: writer.finish(), rewrite: rewriteMailslot))
        }
        return all
    }
}
