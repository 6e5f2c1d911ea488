import Crypto
import Domain
import Interfaces
import RPC
import SecureChannel
import Testing
import Wire

@testable import Front

/// NetrLogonGetDomainInfo, by which a member learns of its domain (MS-NRPC 3.5.4.4.10).
@Suite struct DomainInformationTests {
    private typealias Call = NetrLogonGetDomainInfo

    private let world: ServiceWorld
    private let service: NetlogonService
    /// PC1, whose channel seals its calls.
    private let member: RemoteCaller

    init() throws {
        world = try ServiceWorld()
        service = world.netlogon()
        member = world.caller()
        let session = try #require(OneKey().channel(of: "PC1"))
        service.channels.keep(session)
        member.channel = session
        member.authLevel = .privacy
    }

    private func chain() -> CredentialChain {
        CredentialChain(sessionKey: OneKey.key, clientCredential: Bytes8())
    }

    private func ask(
        _ chain: inout CredentialChain, from caller: RemoteCaller? = nil,
        as computer: String? = "PC1", _ workstation: WorkstationInfo? = WorkstationInfo()
    ) throws -> Call.Response {
        let authenticator = NetlogonAuthenticator(
            credential: chain.next(timestamp: 5), timestamp: 5)
        return try world.call(
            service, Call.self,
            Call.Request(
                serverName: "\\\\GATE1", computerName: computer, authenticator: authenticator,
                workstation: workstation),
            caller ?? member)
    }

    private func check(_ information: DomainInformation?, flags: UInt32) throws {
        let told = try #require(information)
        #expect(told.primaryDomain.domainName == "GATE")
        #expect(told.primaryDomain.domainSID == ServiceWorld.sid)
        #expect(told.trustedDomains.map(\.domainName) == ["GATE", "ADLAB", "DARK"])
        #expect(told.trustedDomains.map(\.dnsDomainName) == [nil, "ad.lab", nil])
        #expect(
            told.trustedDomains.map(\.domainSID) == [ServiceWorld.sid, ServiceWorld.adSID, nil])
        #expect(
            told.trustedDomains.map { $0.trustExtension?.flags }
                == [DomainTrust.primary, DomainTrust.directOutbound, DomainTrust.directOutbound])
        #expect(told.workstationFlags == flags)
    }

    /// Windows tells all of itself, Samba its flags only; nobody has to tell anything.
    @Test func memberIsToldOfItsDomainAndOfThoseThatItTrusts() throws {
        let windows = WorkstationInfo(
            dnsHostName: "pc1.gate", siteName: "Default-First-Site-Name",
            osVersion: [UInt8](repeating: 5, count: 284), osName: "Windows 2000 Professional",
            workstationFlags: 0x13, supportedEncryptionTypes: 0x1f)
        var chain = chain()
        for (workstation, flags) in [
            (windows, 0x3), (WorkstationInfo(workstationFlags: 0x1), 0x1), (nil, 0),
        ] as [(WorkstationInfo?, UInt32)] {
            let answer = try ask(&chain, workstation)
            #expect(answer.status == .success)
            let isAccepted = chain.accepts(answer.returnAuthenticator.credential)
            #expect(isAccepted)
            try check(answer.domainInformation, flags: flags)
        }
    }

    @Test func trustsOfTheDomainAreAmongThem() throws {
        try world.domain.setTrust(
            Trust(name: "PARTNER", sid: SID("S-1-5-21-4-4-4")!, direction: .outbound))
        try world.domain.setTrust(
            Trust(name: "BELOW", sid: SID("S-1-5-21-5-5-5")!, direction: .inbound))
        var chain = chain()
        let told = try #require(try ask(&chain).domainInformation)
        #expect(told.trustedDomains.map(\.domainName) == ["GATE", "ADLAB", "DARK", "PARTNER"])
    }

    @Test func trustsAreToldByTheirDirections() throws {
        for (name, direction) in [
            ("OUT", .outbound), ("IN", .inbound), ("BOTH", [.inbound, .outbound]),
        ] as [(String, Trust.Direction)] {
            try world.domain.setTrust(Trust(name: name, direction: direction))
        }
        func told(_ wanted: UInt32) throws -> [String: UInt32] {
            let answer = try world.call(
                service, DsrEnumerateDomainTrusts.self, .init(serverName: nil, flags: wanted),
                world.caller())
            var flags: [String: UInt32] = [:]
            for trust in answer.domains {
                guard let name = trust.netBIOSDomainName, world.domain.trust(name) != nil else {
                    continue
                }
                flags[name] = trust.flags
            }
            return flags
        }
        let out = DomainTrust.directOutbound
        let both = DomainTrust.directOutbound | DomainTrust.directInbound
        #expect(try told(out) == ["OUT": out, "BOTH": both])
        let `in` = DomainTrust.directInbound
        #expect(try told(`in`) == ["IN": `in`, "BOTH": both])
        #expect(try told(both).count == 3)
    }

    private func isRefused(_ answer: Call.Response) -> Bool {
        answer.status == .accessDenied && answer.domainInformation == nil
            && answer.returnAuthenticator == NetlogonAuthenticator()
    }

    @Test func withoutAChannelNothingIsTold() throws {
        var chain = chain()
        var other = CredentialChain(
            sessionKey: OneKey.key, clientCredential: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(isRefused(try ask(&other)))
        #expect(isRefused(try ask(&chain, as: "PC2")))
        #expect(isRefused(try ask(&chain, as: nil)))
        chain = self.chain()
        #expect(isRefused(try ask(&chain, from: world.caller())))
        #expect(isRefused(try ask(&chain, from: world.administrator)))
        let signing = world.caller()
        signing.channel = member.channel
        signing.authLevel = .integrity
        chain = self.chain()
        #expect(isRefused(try ask(&chain, from: signing)))
        // None of them has moved the member's own chain.
        chain = self.chain()
        let right = chain
        #expect(try ask(&chain).status == .success)
        chain = right
        #expect(isRefused(try ask(&chain)), "the same authenticator again")
    }

    @Test func levelOfAPolicyThatNeverWasIsAFault() throws {
        var chain = chain()
        var stub = NDRWriter()
        Call.Request(
            serverName: "\\\\GATE1", computerName: "PC1",
            authenticator: NetlogonAuthenticator(
                credential: chain.next(timestamp: 5), timestamp: 5),
            workstation: nil
        ).write(into: &stub)
        var bytes = stub.wire.finish()
        // Level, tag and the null pointer are its end.
        bytes[bytes.count - 12] = 2
        bytes[bytes.count - 8] = 2
        #expect(throws: ServiceWorld.Fault(status: .badStubData)) {
            try world.raw(service, Call.opnum, bytes, member)
        }
    }
}

/// NetrLogonControl, NetrLogonControl2 and NetrLogonControl2Ex (MS-NRPC 3.5.4.9).
@Suite struct LogonControlTests {
    private typealias Function = LogonControlFunction

    private let world: ServiceWorld
    private let service: NetlogonService

    init() throws {
        world = try ServiceWorld()
        world.configured[0].controller = "AD"
        service = world.netlogon()
    }

    private func ask(
        _ function: Function, _ level: UInt32, _ data: LogonControlData = .none,
        _ caller: RemoteCaller? = nil, isExtended: Bool = true
    ) throws -> LogonControlAnswer {
        let request = LogonControl2Request(
            serverName: "\\\\GATE1", functionCode: function, queryLevel: level, data: data)
        let caller = caller ?? world.administrator
        return isExtended
            ? try world.call(service, NetrLogonControl2Ex.self, request, caller)
            : try world.call(service, NetrLogonControl2.self, request, caller)
    }

    private func refusal(_ level: UInt32, _ status: NetStatus) -> LogonControlAnswer {
        LogonControlAnswer(queryLevel: level, buffer: nil, status: status)
    }

    /// The parameter that goes with each function.
    private static func data(_ function: Function, _ name: String?) -> LogonControlData {
        switch function {
        case .rediscover, .trustedChannelQuery, .changePassword, .trustedChannelVerify:
            .trustedDomainName(name)
        case .findUser: .userName(name)
        case .setDebugFlag: .debugFlag(1)
        case _: .none
        }
    }

    private static let controls: [Function] = [
        .replicate, .synchronize, .pdcReplicate, .rediscover, .trustedChannelQuery,
        .transportNotify, .findUser, .changePassword, .trustedChannelVerify, .setDebugFlag,
    ]

    @Test(arguments: [false, true])
    func anybodyIsToldHowItIs(isExtended: Bool) throws {
        for caller in [world.caller(), world.user, world.administrator] {
            let first = try ask(.query, 1, .none, caller, isExtended: isExtended)
            #expect(first.status == .success)
            #expect(first.buffer == .info1(flags: 0, pdcConnectionStatus: .success))
            let third = try ask(.query, 3, .none, caller, isExtended: isExtended)
            #expect(third.status == .success)
            #expect(third.buffer == .info3(flags: 0, logonAttempts: 0))
            for level: UInt32 in [0, 2, 4, 5, .max] {
                #expect(
                    try ask(.query, level, .none, caller, isExtended: isExtended)
                        == refusal(level, .invalidLevel))
            }
        }
    }

    @Test func logonsAreCounted() throws {
        service.counters.logons = 7
        #expect(try ask(.query, 3).buffer == .info3(flags: 0, logonAttempts: 7))
    }

    /// Another domain's administrators have no say in ours.
    @Test func administratorsAloneControl() throws {
        let foreign = world.caller(FrontIdentity(
            kind: .remote, user: "Administrator", domain: "ADLAB",
            domainSID: ServiceWorld.adSID, userRID: 500, groupRIDs: [512, 513]))
        for caller in [world.caller(), world.user, foreign] {
            for function in Self.controls {
                for level: UInt32 in 1...4 {
                    #expect(
                        try ask(function, level, Self.data(function, "ADLAB"), caller)
                            == refusal(level, .accessDenied), "\(function.rawValue)")
                }
            }
        }
    }

    @Test(
        arguments: [
            LogonControlFunction.trustedChannelQuery, .rediscover, .trustedChannelVerify,
        ], [false, true])
    func channelToATrustedDomainIsTold(_ function: LogonControlFunction, isExtended: Bool) throws {
        for name in ["ADLAB", "adlab", "ad.lab"] {
            let answer = try ask(
                function, 2, .trustedDomainName(name), isExtended: isExtended)
            #expect(answer.status == .success)
            #expect(answer.buffer == .info2(
                flags: 0, pdcConnectionStatus: .success, trustedDCName: "\\\\AD",
                tcConnectionStatus: .success))
            let first = try ask(function, 1, .trustedDomainName(name), isExtended: isExtended)
            #expect(first.status == .success)
            #expect(first.buffer == .info1(flags: 0, pdcConnectionStatus: .success))
        }
        let dark = try ask(function, 2, .trustedDomainName("DARK"), isExtended: isExtended)
        #expect(dark.status == .success)
        #expect(dark.buffer == .info2(
            flags: 0, pdcConnectionStatus: .noLogonServers, trustedDCName: nil,
            tcConnectionStatus: .noLogonServers))
        for name in ["NONE", "", nil] {
            #expect(
                try ask(function, 2, .trustedDomainName(name), isExtended: isExtended)
                    == refusal(2, .noSuchDomain))
        }
        #expect(
            try ask(function, 3, .trustedDomainName("ADLAB"), isExtended: isExtended)
                == refusal(3, .invalidLevel))
    }

    @Test func userIsFoundByTheNewestCallAlone() throws {
        let found = try ask(.findUser, 4, .userName("ALICE"))
        #expect(found.status == .success)
        #expect(
            found.buffer == .info4(trustedDCName: "\\\\GATE1", trustedDomainName: "GATE"))
        for name in ["nobody", "", nil] {
            #expect(try ask(.findUser, 4, .userName(name)) == refusal(4, .noSuchDomain))
        }
        #expect(try ask(.findUser, 1, .userName("alice")) == refusal(1, .invalidLevel))
        #expect(
            try ask(.findUser, 4, .userName("alice"), isExtended: false)
                == refusal(4, .invalidLevel))
    }

    @Test func nothingIsReplicatedOrChangedByIt() throws {
        for function in [
            Function.replicate, .synchronize, .pdcReplicate, .transportNotify, .changePassword,
            .setDebugFlag, Function(rawValue: 0x777),
        ] {
            #expect(
                try ask(function, 1, Self.data(function, "ADLAB")) == refusal(1, .notSupported),
                "\(function.rawValue)")
        }
    }

    @Test func oldestCallHasOneLevel() throws {
        func ask(_ function: Function, _ level: UInt32) throws -> LogonControlAnswer {
            try world.call(
                service, NetrLogonControl.self,
                NetrLogonControl.Request(
                    serverName: nil, functionCode: function, queryLevel: level),
                world.user)
        }
        #expect(
            try ask(.query, 1).buffer == .info1(flags: 0, pdcConnectionStatus: .success))
        #expect(try ask(.query, 2) == refusal(2, .notSupported))
        for level: UInt32 in [0, 3, 4, 9] {
            #expect(try ask(.query, level) == refusal(level, .invalidLevel))
        }
        for function in [2, 3, 4, 99, 0xfffc, 0xffff].map({ Function(rawValue: $0) }) {
            #expect(try ask(function, 1) == refusal(1, .accessDenied))
        }
        for function in [5, 7, 8, 10, 12, 0xfffe].map({ Function(rawValue: $0) }) {
            #expect(try ask(function, 1) == refusal(1, .notSupported))
        }
    }

    /// Samba sends a domain's name with it; the specification knows of none.
    @Test func transportsAreNotifiedOfWithAndWithoutADomain() throws {
        for data in [LogonControlData.none, .trustedDomainName("ADLAB")] {
            #expect(try ask(.transportNotify, 1, data) == refusal(1, .notSupported))
        }
    }
}
