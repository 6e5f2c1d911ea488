import Interfaces
import RPC
import Testing
import Wire

@testable import Decoder

@Suite struct LSACallTests {
    private func text<P: RemoteProcedure>(
        _ interface: SyntaxID, _ procedure: P.Type, _ request: P.Request, _ response: P.Response
    ) throws -> String {
        var outline = Outline()
        outline.line(RemoteInterface.name(interface, opnum: P.opnum))
        var asked = WireWriter()
        request.write(into: &asked)
        let question = asked.finish()
        var reader = WireReader(question.span, layer: RemoteInterface.layer)
        try RemoteInterface.decode(interface, P.opnum, .client, &reader, into: &outline)
        var told = WireWriter()
        response.write(into: &told)
        let answer = told.finish()
        var back = WireReader(answer.span, layer: RemoteInterface.layer)
        try RemoteInterface.decode(interface, P.opnum, .server, &back, into: &outline)
        return outline.text
    }

    private static let sid = SID("S-1-5-21-1-2-3")!

    @Test func policyIsPrinted() throws {
        #expect(
            try text(
                LSA.interface, LsarQueryInformationPolicy.self,
                PolicyQuery(policyHandle: .null, informationClass: .accountDomain),
                PolicyAnswer(
                    policyInformation: .accountDomain(LSADomain(name: "GATE", sid: Self.sid))))
                == """
                lsarpc, opnum 7 LsarQueryInformationPolicy
                InformationClass: 5
                InformationClass: 5
                Domain: GATE S-1-5-21-1-2-3
                status: NT_STATUS_OK

                """)
    }

    @Test func lookupsArePrinted() throws {
        #expect(
            try text(
                LSA.interface, LsarLookupSids.self,
                LookupSIDsRequest(sids: [Self.sid.appending(1_000)!]),
                LookupResponse(
                    referencedDomains: ReferencedDomains([
                        LSADomain(name: "GATE", sid: Self.sid)
                    ]),
                    translations: [TranslatedName(use: .user, name: "alice", domainIndex: 0)],
                    mappedCount: 1))
                == """
                lsarpc, opnum 15 LsarLookupSids
                Sid: S-1-5-21-1-2-3-1000
                LookupLevel: 1
                Translated: use 1, alice, domain 0
                Domain: GATE S-1-5-21-1-2-3
                status: NT_STATUS_OK

                """)
    }

    @Test func servicesArePrinted() throws {
        #expect(
            try text(
                WorkstationServiceInterface.interface, NetrWkstaGetInfo.self,
                LevelledQuery(serverName: "\\\\GATE1", level: 100),
                NetrWkstaGetInfo.Response(
                    level: 100,
                    wkstaInfo: WkstaInfo(
                        computerName: "GATE1", lanGroup: "GATE", versionMajor: 4,
                        versionMinor: 0)))
                == """
                wkssvc, opnum 0 NetrWkstaGetInfo
                ServerName: \\\\GATE1
                Level: 100
                wki_computername: GATE1
                wki_langroup: GATE
                version: 4.0
                status: NERR_Success

                """)
        let shares = try text(
            ServerServiceInterface.interface, NetrShareEnum.self,
            NetrShareEnum.Request(serverName: nil, ShareList(level: 1)),
            NetrShareEnum.Response(
                ShareList(
                    level: 1, shares: [ShareInfo(netName: "IPC$", type: 3, remark: "")]),
                totalEntries: 1))
        #expect(shares.contains("share: IPC$ type 0x00000003"))
    }
}
