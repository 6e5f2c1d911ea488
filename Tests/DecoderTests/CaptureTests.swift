import Decoder
import Foundation
import TestSupport
import Testing
import Wire

/// Other people's captures, read in place.
@Suite(.enabled(if: Material.captures != nil)) struct PublishedCaptureTests {
    /// What the decoder prints of a file, and what it counted.
    static func decode(_ path: String) throws -> (String, CaptureDecoder.Summary) {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var text = ""
        let (summary, _) = CaptureDecoder.decode(bytes) { text += $0 }
        return (text, summary)
    }

    static func file(_ name: String) -> String { (Material.captures ?? "") + "/" + name }

    /// How many lines begin so, indentation aside.
    static func count(_ text: String, _ start: String) -> Int {
        text.split(separator: "\n").count { $0.drop { $0 == " " }.hasPrefix(start) }
    }

    @Test func everyFileIsReadWithinSeconds() throws {
        let clock = ContinuousClock()
        for path in CaptureFile.all {
            let time = try clock.measure {
                let (text, summary) = try Self.decode(path)
                #expect(summary.frames > 0, "\(path)")
                let lines = text.split(separator: "\n")
                #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
            }
            #expect(time < .seconds(20), "\(path)")
        }
    }

    /// The numbers are those that tshark counted.
    @Test(arguments: [
        ("arkime--tests-pcap-nbns.pcap", "NBNS registration request", 46),
        ("arkime--tests-pcap-nbns.pcap", "NBDGM direct group", 15),
        ("arkime--tests-pcap-nbns.pcap", "BROWSE announcement request", 6),
        ("arkime--tests-pcap-nbns.pcap", "BROWSE election", 5),
        ("tcpdump--tests-eapon1.pcap", "NBNS registration request", 24),
        ("tcpdump--tests-eapon1.pcap", "NBNS query request", 12),
        ("tcpdump--tests-eapon1.pcap", "mailslot message", 17),
        ("nDPI--default-pcap-netbios.pcap", "NBNS ", 256),
        ("nDPI--default-pcap-anyconnect-vpn.pcap", "NBNS release request", 6),
        (
            "ICS-Security-Tools--pcaps-IEC61850-Sample_File_MMS_and_GOOSE.pcap",
            "SMB1 NEGOTIATE", 8
        ),
        (
            "ICS-Security-Tools--pcaps-IEC61850-Sample_File_MMS_and_GOOSE.pcap",
            "SMB1 SESSION_SETUP_ANDX", 16
        ),
        ("zeek--Traces-smb-raw_ntlm_in_smb.pcap", "SMB1 NT_CREATE_ANDX", 22),
        ("zeek--Traces-smb-raw_ntlm_in_smb.pcap", "SMB1 CLOSE", 14),
        ("zeek--Traces-dce-rpc-mapi.pcap", "SMB1 TRANSACTION ", 92),
        ("zeek--Traces-dce-rpc-mapi.pcap", "SMB1 NT_CREATE_ANDX", 18),
        ("zeek--Traces-dce-rpc-mapi.pcap", "context: 0 lsarpc", 8),
        ("zeek--Traces-dce-rpc-mapi.pcap", "context: 0 epmapper", 3),
        ("suricata-verify--tests-ldap-udp-cldap.pcap", "CLDAP search", 2),
        ("suricata-verify--tests-smb2-06-20171220_smb_net_user.pcap", "SMB2 CREATE", 10),
        ("suricata-verify--tests-smb2-06-20171220_smb_net_user.pcap", "SMB2 IOCTL", 92),
        ("zeek--Traces-smb-smb2readwrite.pcap", "SMB2 CREATE", 12),
        ("zeek--Traces-smb-smb2readwrite.pcap", "SMB2 QUERY_DIRECTORY", 8),
        ("zeek--Traces-smb-smb2-multiple-pdus.pcap", "SMB2 ", 6),
        ("suricata-verify--dcerpc-dcerpc-dce-iface-many-input.pcap", "call: netlogon", 12),
    ])
    func countsAgree(_ name: String, _ start: String, _ expected: Int) throws {
        let (text, _) = try Self.decode(Self.file(name))
        #expect(Self.count(text, start) == expected)
    }

    @Test func netlogonBindNamesTheInterface() throws {
        let (text, summary) = try Self.decode(
            Self.file("zeek--Traces-dce-rpc-dce_rpc_netlogon.pcapng"))
        #expect(summary.failed == 0)
        #expect(text.contains("netlogon, opnum 45 NetrLogonSamLogonWithFlags"))
        #expect(text.contains("NetBIOS computer: CBTH-WS-2"))
    }

    @Test func cutFilesAreRead() throws {
        for name in [
            "zeek--Traces-dce-rpc-dce_rpc_netlogon.pcapng", "nDPI--default-pcap-smb_frags.pcap",
        ] {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.file(name))))
            for length in stride(from: 0, to: bytes.count, by: 7) {
                _ = CaptureDecoder.decode(Array(bytes[..<length])) { _ in }
            }
        }
    }
}

@Suite(.enabled(if: Material.vectors != nil)) struct PublishedMessageTests {
    @Test func everyMailslotVectorIsDecoded() throws {
        let file = try VectorFile("samba_ndr_nbt.json")
        let arrays = file.root["arrays"] as? [[String: Any]] ?? []
        #expect(arrays.count == 6)
        for array in arrays {
            let bytes = Hex.bytes(array["hex"] as? String ?? "") ?? []
            let outline = MessageDecoder.decode(bytes)
            #expect(outline.decoded == 1 && outline.failed == 0, "\(array["name"] ?? "")")
            #expect(outline.text.hasPrefix("NETLOGON "))
        }
    }
}
