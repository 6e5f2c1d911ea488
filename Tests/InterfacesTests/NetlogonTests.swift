import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

@Suite struct InterfaceTests {
    @Test func everyCallWithstandsTheDriver() {
        #expect(checkMessages(NetlogonSamples.all) == [])
    }

    @Test func requestMayCarryAVerificationTrailer() throws {
        var writer = WireWriter()
        NetrServerReqChallenge.Request(
            computerName: "GATE1", clientChallenge: NetlogonSamples.eight
        ).write(into: &writer)
        writer.align(4)
        VerificationTrailer(bitmask: 1).write(into: &writer)
        let bytes = writer.finish()
        let request: NetrServerReqChallenge.Request = try NetlogonSamples.parse(bytes)
        #expect(request.computerName == "GATE1")
    }

    @Test func absentTextsTakeNoBytes() {
        let bare = NetlogonSamples.stub(
            NetrLogonSamLogonEx.Request(
                logonInformation: NetlogonSamples.bareNetwork, validationLevel: .samInfo2))
        // Two null pointers, level, tag, pointer, 60 bytes of members, "alice" and 24 bytes with
        // their counts, level, flags.
        #expect(bare.count == 8 + 8 + 60 + (12 + 10 + 2) + (12 + 24) + 4 + 4)
    }

    @Test func descriptionsKeepSecrets() {
        let texts = [
            NetlogonSamples.network.description, NetlogonSamples.emptyTexts.description,
            NetlogonSamples.user.description,
        ]
        for text in texts {
            #expect(!text.contains("0001020304"))
            #expect(!text.contains("[0, 1, 2, 3"))
        }
        #expect(
            texts[0]
                == "network ADLAB\\jürgen at \\\\PC1 control 0x00000820"
                + ", NT response of 17 bytes, LM response of 3 bytes")
    }
}

@Suite struct ValidationTests {
    @Test func textsAndGroupsStayInTheirBytesUntilAsked() throws {
        let bytes = NetlogonSamples.stub(
            NetlogonSamples.response(.samInfo4, NetlogonSamples.wideUser))
        let response: NetrLogonSamLogonEx.Response = try NetlogonSamples.parse(bytes)
        let user = try #require(response.validation.samInfo)
        let reader = WireReader(bytes.span, layer: "Netlogon")
        guard case .received = user.fullName, case .received = user.groupIDs else {
            Issue.record("copied")
            return
        }
        #expect(user.effectiveName.string(in: reader) == "alice")
        #expect(user.fullName.string(in: reader) == "Alice Ångström")
        #expect(user.profilePath == .absent)
        #expect(user.groupIDs.count == 3)
        #expect(try user.groupIDs.memberships(in: reader).map(\.relativeID) == [513, 1105, 1106])
        #expect(
            try user.extraSIDs.sids(in: reader).map(\.sid.description)
                == ["S-1-18-1", "S-1-5-21-7-8-9-513"])
        #expect(user.userSessionKey == NetlogonSamples.sixteen)
        #expect(user.logonDomainID?.description == "S-1-5-21-1-2-3")
        #expect(user.upn.string(in: reader) == "alice@ad.lab")
        #expect(response.status == .success && response.isAuthoritative)
    }

    @Test func takesAUserInEightThousandGroups() throws {
        var user = NetlogonSamples.user
        user.groupIDs = .list((0..<8_192).map { GroupMembership(relativeID: 1_000 + $0) })
        let bytes = NetlogonSamples.stub(NetlogonSamples.response(.samInfo2, user))
        let response: NetrLogonSamLogonEx.Response = try NetlogonSamples.parse(bytes)
        #expect(response.validation.samInfo?.groupIDs.count == 8_192)
    }

    @Test func refusesMoreGroupsThanTheLimit() throws {
        var user = NetlogonSamples.user
        let many = GroupList.maximum + 1
        user.groupIDs = .list((0..<many).map { GroupMembership(relativeID: UInt32($0)) })
        let bytes = NetlogonSamples.stub(NetlogonSamples.response(.samInfo2, user))
        let error = #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, NetrLogonSamLogonEx.Response.self)
        }
        #expect(error?.reason == .limit)
    }

    @Test func refusesCountsThatContradictTheirArrays() {
        for offset in [8 + 48 + 48 + 12, 8 + 48 + 48 + 60 + 40] {
            var bytes = NetlogonSamples.stub(
                NetlogonSamples.response(.samInfo2, NetlogonSamples.wideUser))
            bytes[offset] &+= 1
            #expect(throws: WireError.self) {
                _ = try NetlogonSamples.parse(bytes, NetrLogonSamLogonEx.Response.self)
            }
        }
    }

    @Test func refusesAStructureOfAnUnknownLevel() {
        var bytes = NetlogonSamples.stub(
            NetlogonSamples.response(.samInfo2, NetlogonSamples.user))
        bytes[0] = 4
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, NetrLogonSamLogonEx.Response.self)
        }
    }
}

@Suite struct TowerTests {
    @Test func tcpTowerGivesItsPort() throws {
        #expect(EPMSamples.tcp.tcpPort == 49_676)
        #expect(EPMSamples.tcp.interface == Netlogon.interface)
        #expect(EPMSamples.tcp.transferSyntax == .ndr)
        #expect(EPMSamples.pipe.pipe == "\\PIPE\\lsass")
        #expect(EPMSamples.pipe.tcpPort == nil)
    }

    @Test func refusesATowerThatIsTooHigh() {
        let tower = ProtocolTower(
            floors: [TowerFloor](repeating: .connectionOriented(minorVersion: 0), count: 17))
        let bytes = NetlogonSamples.stub(EptMap.Request(mapTower: tower))
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, EptMap.Request.self)
        }
    }

    @Test func refusesATowerWithARemainder() {
        var bytes = NetlogonSamples.stub(EptMap.Request(mapTower: EPMSamples.tcp))
        bytes[16] = 4
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, EptMap.Request.self)
        }
    }
}

@Suite struct DecoderTests {
    @Test func saysWhatACallIs() throws {
        let request = NetlogonSamples.stub(NetlogonSamples.call(NetlogonSamples.network))
        let reader = WireReader(request.span, layer: "Netlogon")
        #expect(NetlogonDecoder.name(2) == "NetrLogonSamLogon")
        #expect(
            try NetlogonDecoder.request(2, reader)
                == "from GATE1 level 3, \(NetlogonSamples.network.description)")
        let refusal = NetlogonSamples.stub(NetlogonSamples.response(.samInfo4, nil))
        let answer = WireReader(refusal.span, layer: "Netlogon")
        #expect(try NetlogonDecoder.response(39, answer) == "NT_STATUS_WRONG_PASSWORD")
        #expect(try NetlogonDecoder.response(99, answer) == nil)
    }

    @Test func readsEverySampleOrThrows() {
        for sample in NetlogonSamples.all {
            for opnum in UInt16(0)..<64 {
                let reader = WireReader(sample.bytes.span, layer: "Netlogon")
                _ = try? NetlogonDecoder.request(opnum, reader)
                _ = try? NetlogonDecoder.response(opnum, reader)
            }
        }
    }
}
