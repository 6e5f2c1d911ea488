import Foundation
import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

/// Other people's stubs.
@Suite(.enabled(if: Material.vectors != nil)) struct PublishedStubTests {
    private func vector(_ name: String, _ function: String? = nil) throws -> [UInt8] {
        try VectorFile("samba_ndr_netlogon.json").array(name, function: function)
    }

    /// What was read, written by us and read again is the same: our pointers differ.
    private func survives<M: NDRMessage & Equatable>(_ message: M) throws -> Bool {
        try NetlogonSamples.parse(NetlogonSamples.stub(message), M.self) == message
    }

    @Test func reqChallenge() throws {
        let request: NetrServerReqChallenge.Request = try NetlogonSamples.parse(
            try vector("netrserverreqchallenge_in_data"))
        #expect(request.primaryName == "\\\\NATIVE-DC.NATIVE.BASE")
        #expect(request.computerName == "NATIVE-2K")
        let challenge = try vector("cred_expected", "netrserverreqchallenge_in_check")
        #expect(request.clientChallenge.bytes == challenge)
        #expect(try survives(request))
        let out = try vector("netrserverreqchallenge_out_data")
        let response: NetrServerReqChallenge.Response = try NetlogonSamples.parse(out)
        #expect(response.status == .success)
        #expect(NetlogonSamples.stub(response) == out)
    }

    @Test func authenticate3() throws {
        let request: NetrServerAuthenticate3.Request = try NetlogonSamples.parse(
            try vector("netrserverauthenticate3_in_data"))
        #expect(request.claim.accountName == "NATIVE-2K$")
        #expect(request.claim.secureChannelType == .workstation)
        #expect(request.claim.computerName == "NATIVE-2K")
        #expect(request.negotiateFlags == 0x6007_ffff)
        #expect(try survives(request))
        let out = try vector("netrserverauthenticate3_out_data")
        let response: NetrServerAuthenticate3.Response = try NetlogonSamples.parse(out)
        #expect(response.accountRID == 0x454)
        #expect(NetlogonSamples.stub(response) == out)
    }

    @Test func samLogonOfWindows2000() throws {
        let request: NetrLogonSamLogon.Request = try NetlogonSamples.parse(
            try vector("netrlogonsamlogon_w2k_in_data"))
        #expect(request.logonServer == "\\\\W2KSRV")
        #expect(request.computerName == "MTHELENA")
        #expect(request.validationLevel == .samInfo4)
        guard case .interactive(let info, transitive: false) = request.logonInformation else {
            Issue.record("another level")
            return
        }
        #expect(info.identity.logonDomainName == "W2KDOM")
        #expect(info.identity.userName == "administrator")
        #expect(info.identity.workstation == "\\\\mthelena")
        #expect(info.identity.logonID == 0xbeef_0000_dead)
        let hash = try vector("ntpassword_expected", "netrlogonsamlogon_w2k_in_check")
        #expect(info.ntOwfPassword.bytes == hash)
        #expect(try survives(request))

        let out = try vector("netrlogonsamlogon_w2k_out_data")
        let response: NetrLogonSamLogon.Response = try NetlogonSamples.parse(out)
        #expect(response.status == .invalidInfoClass)
        #expect(response.validation.level == .samInfo4)
        #expect(response.validation.samInfo == nil)
        #expect(response.isAuthoritative)
        #expect(try survives(response))
    }

    @Test func getDomainInfo() throws {
        let request: NetrLogonGetDomainInfo.Request = try NetlogonSamples.parse(
            try vector("netrlogongetdomaininfo_in_data"))
        #expect(request.serverName == "\\\\gdw2k16dc")
        #expect(request.computerName == "MTHELENA")
        #expect(try survives(request))
        let response: NetrLogonGetDomainInfo.Response = try NetlogonSamples.parse(
            try vector("netrlogongetdomaininfo_out_data"))
        let info = try #require(response.domainInformation)
        #expect(info.primaryDomain.domainName == "W2K16DOM")
        #expect(info.primaryDomain.dnsForestName == "w2k16.dom.ber.redhat.com.")
        #expect(info.trustedDomains.count == 2)
        #expect(info.trustedDomains[0].dnsDomainName == "w2k12dom.ber.redhat.com")
        #expect(info.trustedDomains[0].trustExtension?.flags == 2)
        #expect(info.trustedDomains[0].trustExtension?.trustAttributes == 0x808)
        #expect(info.trustedDomains[1].trustExtension?.flags == 0x1d)
        #expect(info.supportedEncryptionTypes == 0x1f)
        #expect(try survives(response))
    }

    @Test func eptMap() throws {
        let file = try VectorFile("samba_ndr_epmap.json")
        let request: EptMap.Request = try NetlogonSamples.parse(file.array("map_in_data"))
        #expect(request.maximumTowers == 1)
        #expect(request.mapTower?.interface?.uuid.description.hasPrefix("12345778") == true)
        #expect(request.mapTower?.tcpPort == 0)
        #expect(try survives(request))
        // Announces a tower, and its pointer, but ends there.
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(file.array("map_out_data"), EptMap.Response.self)
        }
    }
}

/// Stubs of real traffic.
@Suite(.enabled(if: Material.captures != nil)) struct CapturedStubTests {
    /// The plain calls of `path`: whether a request, the opnum of its call, and the stub.
    private func calls(_ path: String) throws -> [(Bool, UInt16, [UInt8])] {
        var out: [(Bool, UInt16, [UInt8])] = []
        var opnums: [UInt32: UInt16] = [:]
        for packet in try CaptureFile.packets(path) where !packet.payload.isEmpty {
            let bytes = packet.payload
            let whole = WireReader(bytes.span, layer: "RPC")
            var reader = whole
            guard let fragment = try? Fragment(parsing: &reader), fragment.auth == nil,
                let pdu = try? PDU(fragment, in: whole)
            else { continue }
            switch pdu {
            case .request(let request, let stub):
                opnums[fragment.header.callID] = request.opnum
                out.append((true, request.opnum, whole.copy(stub)))
            case .response(_, let stub):
                out.append((false, opnums[fragment.header.callID] ?? 0xffff, whole.copy(stub)))
            default: continue
            }
        }
        return out
    }

    private func file(_ part: String) throws -> String {
        let folder = try #require(Material.captures)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return folder + "/" + (try #require(names.first { $0.contains(part) }))
    }

    @Test func requestsForAChannelThatWereRefused() throws {
        var refusals = 0
        for (isRequest, opnum, stub) in try calls(try file("dce-iface-many-input")) {
            switch (isRequest, opnum) {
            case (true, 4):
                // Some of the capture's requests were made by hand, with lies in their strings.
                guard let request = try? NetlogonSamples.parse(
                    stub, NetrServerReqChallenge.Request.self)
                else { continue }
                #expect(!request.computerName.isEmpty)
            case (false, 4):
                let response: NetrServerReqChallenge.Response = try NetlogonSamples.parse(stub)
                #expect(response.status == .success)
            case (true, 15):
                guard let request = try? NetlogonSamples.parse(
                    stub, NetrServerAuthenticate2.Request.self)
                else { continue }
                #expect(request.claim.accountName.hasSuffix("$"))
            case (false, 15):
                let response: NetrServerAuthenticate2.Response = try NetlogonSamples.parse(stub)
                #expect(response.status == .accessDenied)
                refusals += 1
            default: Issue.record("opnum \(opnum)")
            }
        }
        #expect(refusals > 0)
    }

    @Test func aWholeChannelWithItsEndpoint() throws {
        let packed = try file("dcerpc_msnrpc")
        let unpacked = FileManager.default.temporaryDirectory
            .appendingPathComponent("postern-\(ProcessInfo.processInfo.processIdentifier).pcapng")
        defer { try? FileManager.default.removeItem(at: unpacked) }
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/bin/sh")
        gzip.arguments = ["-c", "exec gzip -dc '\(packed)' > '\(unpacked.path)'"]
        try gzip.run()
        gzip.waitUntilExit()
        var seen: [UInt16] = []
        for (isRequest, opnum, stub) in try calls(unpacked.path) {
            seen.append(opnum)
            switch (isRequest, opnum) {
            case (true, 3):
                let request: EptMap.Request = try NetlogonSamples.parse(stub)
                #expect(request.mapTower?.interface == Netlogon.interface)
            case (false, 3):
                let response: EptMap.Response = try NetlogonSamples.parse(stub)
                #expect(response.towers.map(\.tcpPort) == [49_676, 49_667])
            case (true, 4):
                let request: NetrServerReqChallenge.Request = try NetlogonSamples.parse(stub)
                #expect(request.computerName == "WIN1")
            case (true, 26):
                let request: NetrServerAuthenticate3.Request = try NetlogonSamples.parse(stub)
                #expect(request.claim.accountName == "WIN1$")
            case (false, 26):
                let response: NetrServerAuthenticate3.Response = try NetlogonSamples.parse(stub)
                #expect(response.accountRID == 1105 && response.status == .success)
            default: continue
            }
        }
        #expect(seen == [3, 3, 4, 4, 26, 26])
    }
}
