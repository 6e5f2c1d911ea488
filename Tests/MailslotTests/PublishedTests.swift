import Mailslot
import TestSupport
import Testing
import Wire

@Suite struct PublishedMailslotTests {
    @Test(.enabled(if: Material.vectors != nil)) func readsSambasVectors() throws {
        let file = try VectorFile("samba_ndr_nbt.json")
        func message(_ name: String, rewritten: Bool = true) throws -> NetlogonMessage {
            let bytes = file.array(name)
            if rewritten { #expect(try rewriteNetlogon(bytes) == bytes, "\(name)") }
            return try netlogon(bytes)
        }
        #expect(try message("netlogon_logon_request_req_data") == .logonRequest(LogonRequest(
            computerName: OEMText("WIN98"), userName: OEMText("GD"),
            mailslotName: OEMText("\\MAILSLOT\\TEMP\\NETLOGON"), requestCount: 1, lmNtToken: 1,
            lm20Token: 0xffff)))
        #expect(try message("netlogon_logon_request_resp_data") == .logonResponseLM20(
            LogonResponseLM20(logonServer: OEMText("\\\\MTHELENA"))))
        #expect(try message("nbt_netlogon_packet_logon_primary_query_data") == .primaryQuery(
            PrimaryQuery(
                computerName: OEMText("XPDATEV-PRO"),
                mailslotName: OEMText("\\MAILSLOT\\NET\\GETDC817"),
                .windowsNT(.init(
                    UnicodeText("XPDATEV-PRO"), NetlogonVersion(rawValue: 0x0b))))))
        #expect(try message("nbt_netlogon_packet_data") == .samLogonRequest(SAMLogonRequest(
            unicodeComputerName: UnicodeText("LENNY"), unicodeUserName: UnicodeText("LENNY$"),
            mailslotName: OEMText("\\MAILSLOT\\NET\\GETDC52EAA8C0"),
            allowableAccountControlBits: .workstationTrust,
            domainSid: SID("S-1-5-21-4284042908-2889457889-3672286761"), ntVersion: .v1)))
        #expect(try message("netlogon_samlogon_response_data") == .samLogonResponseEx(
            SAMLogonResponseEx(
                .samLogonResponseEx, flags: ControllerFlags(rawValue: 0x33fd),
                domainGuid: GUID("cd441303-001c-464c-a621-e9d6b9b12fe9")!,
                dnsForestName: "w2k8dom.ber.redhat.com", dnsDomainName: "w2k8dom.ber.redhat.com",
                dnsHostName: "gdw2k8r2.w2k8dom.ber.redhat.com", netbiosDomainName: "W2K8DOM",
                netbiosComputerName: "GDW2K8R2", userName: "",
                dcSiteName: "Default-First-Site-Name",
                clientSiteName: "Default-First-Site-Name")))
        // Its user name has a dot inside a label, which no text can tell from one between labels.
        let second = try message("netlogon_samlogon_response_data2", rewritten: false)
        #expect(second == .samLogonResponseEx(SAMLogonResponseEx(
            .samLogonResponseEx, flags: ControllerFlags(rawValue: 0x33fd),
            domainGuid: GUID("138daf55-918c-4170-9d46-d4d50490aa13")!,
            dnsForestName: "bla.base", dnsDomainName: "bla.base",
            dnsHostName: "W2K8R2-219.bla.base", netbiosDomainName: "BLA",
            netbiosComputerName: "W2K8R2-219", userName: "w2012r2-l6.base.",
            dcSiteName: "Default-First-Site-Name",
            clientSiteName: "Default-First-Site-Name")))
    }

    @Test(.enabled(if: Material.vectors != nil)) func readsScapysVectors() throws {
        let files = try VectorFile("scapy_tests.json").root["files"] as? [[String: Any]] ?? []
        let cases = files[1]["cases"] as? [[String: Any]] ?? []
        func message(_ test: String) throws -> NetlogonMessage {
            let found = cases.first { $0["test"] as? String == "Dissect " + test }
            let constants = found?["constants"] as? [[String: Any]] ?? []
            let bytes = Hex.bytes(constants[0]["hex"] as? String ?? "")!
            #expect(try rewriteNetlogon(bytes) == bytes, "\(test)")
            return try netlogon(bytes)
        }
        let guid = GUID("47f1238c-e55e-4cfe-89e8-780937b1cd3b")!
        let ex = SAMLogonResponseEx(
            .samLogonResponseEx, flags: ControllerFlags(rawValue: 0x3f3fd), domainGuid: guid,
            dnsForestName: "domain.local", dnsDomainName: "domain.local",
            dnsHostName: "DC1.domain.local", netbiosDomainName: "DOMAIN",
            netbiosComputerName: "DC1", userName: "", dcSiteName: "Default-First-Site-Name",
            clientSiteName: "Default-First-Site-Name")
        #expect(try message("NETLOGON_SAM_LOGON_RESPONSE_EX - V1+V5EX")
            == .samLogonResponseEx(ex))
        var withAddress = ex
        withAddress.dcSockAddr = IPv4Address(192, 168, 0, 100)
        withAddress.trailer.ntVersion.insert(.v5ExWithIP)
        #expect(try message("NETLOGON_SAM_LOGON_RESPONSE_EX - V1+V5EX+V5EXWITH_IP")
            == .samLogonResponseEx(withAddress))
        let nt40 = SAMLogonResponse(
            .samLogonResponse, unicodeLogonServer: UnicodeText("\\\\DC1"),
            unicodeUserName: UnicodeText(""), unicodeDomainName: UnicodeText("DOMAIN"))
        #expect(try message("NETLOGON_SAM_LOGON_RESPONSE_NT40 - V1") == .samLogonResponse(nt40))
        var nt5 = nt40
        nt5.nt5 = SAMLogonResponse.NT5(
            domainGuid: guid, dnsForestName: "domain.local", dnsDomainName: "domain.local",
            dnsHostName: "DC1.domain.local", dcIPAddress: IPv4Address(192, 168, 0, 100),
            flags: ControllerFlags(rawValue: 0x3f37d))
        nt5.trailer.ntVersion = [.v1, .v5]
        #expect(try message("NETLOGON_SAM_LOGON_RESPONSE - V1+V5") == .samLogonResponse(nt5))
        guard case .primaryQuery(let query) = try message(
            "NETLOGON_LOGON_QUERY - V1+V5+V5EX_WITH_IP - with Padding")
        else {
            Issue.record("another message")
            return
        }
        #expect(query.mailslotName.description == "\\MAILSLOT\\NET\\GETDC725")
        #expect(query.computerName.description == "USER-PC")
    }

    @Test(.enabled(if: Material.captures != nil)) func capturedMessagesParse() throws {
        var seen = 0
        for file in CaptureFile.all {
            // The one of 1kxun has a host's name of 16 characters, one more than MS-BRWS allows.
            let names = ["valgrind", "oobr", "segv", "fuzz", "1kxun"]
            let broken = names.contains { file.contains($0) }
            for packet in try CaptureFile.packets(file) where packet.isUDP {
                guard packet.destinationPort == 138, packet.payload.count > 82 else { continue }
                // 14 bytes, two names of 34, as all captures have them.
                let bytes = Array(packet.payload[82...])
                do {
                    let message = try mailslotWrite(bytes)
                    let data = Array(bytes[message.data])
                    let name = MailslotName.named(message.name, in: bytes.span)
                    switch name {
                    case .browse, .lanman: _ = try browser(data)
                    case .netlogon, .ntlogon, .temporaryNetlogon:
                        #expect(try rewriteNetlogon(data) == data)
                    case nil: Issue.record("\(file): another mailslot")
                    }
                    seen += 1
                } catch where broken {
                } catch {
                    Issue.record("\(file): \(error) \(Hex.string(bytes))")
                }
            }
        }
        #expect(seen > 40)
    }
}
