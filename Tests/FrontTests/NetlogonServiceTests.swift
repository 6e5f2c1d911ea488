import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import SecureChannel
import Testing
import Wire

@testable import Front

/// The channel of ours as the client.
@Suite struct NetlogonOverOurChannelTests {
    @Test func coldStartEndsInASealedChannelAndAUser() throws {
        let world = try NetlogonWorld()
        world.connect()
        #expect(world.channel.stateName == "ready")
        let logon = world.logon(NetlogonWorld.network("alice", whole: true))
        guard case .accepted(let identity) = world.answers[logon] else {
            Issue.record("\(String(describing: world.answers[logon]))")
            return
        }
        let alice = try #require(world.domain.account("alice"))
        #expect(identity.user == "alice" && identity.domain == "GATE")
        #expect(identity.userRID == alice.rid && identity.primaryGroupRID == 513)
        #expect(identity.sessionKey != Bytes16())
        #expect(identity.whole?.info.logonServer == .text("GATE1"))
    }

    @Test func interactiveHashesAreRevealed() throws {
        let world = try NetlogonWorld()
        world.connect()
        let right = world.logon(NetlogonWorld.interactive("alice"))
        guard case .accepted = world.answers[right] else {
            Issue.record("refused")
            return
        }
    }

    /// Nobody gets the keys of sessions with another computer.
    @Test func responsesThatWereMadeForAnotherAreRefused() throws {
        let world = try NetlogonWorld()
        world.connect()
        for (server, isTaken) in [("pc1", true), ("PC2", false), ("", true)] {
            let logon = world.logon(NetlogonWorld.network("alice", madeFor: server))
            switch world.answers[logon] {
            case .accepted: #expect(isTaken)
            case .refused(.logonFailure, true): #expect(!isTaken)
            case let other: Issue.record("\(String(describing: other))")
            }
        }
    }

    @Test func memberWhoseAccountIsDisabledValidatesNobody() throws {
        let world = try NetlogonWorld()
        world.connect()
        let before = world.logon(NetlogonWorld.network("alice"))
        guard case .accepted = world.answers[before] else {
            Issue.record("not accepted")
            return
        }
        let member = try #require(world.domain.account("PC1$"))
        try world.domain.updateAccount(member.rid) { $0.flags.insert(.disabled) }
        let after = world.logon(NetlogonWorld.network("alice"))
        guard case .unavailable(.channelRefused) = world.answers[after] else {
            Issue.record("\(String(describing: world.answers[after]))")
            return
        }
    }

    @Test func refusalsAreTheDomains() throws {
        let world = try NetlogonWorld()
        world.connect()
        let cases: [(LogonRequest, NTStatus, Bool)] = [
            (NetlogonWorld.network("alice", password: Secret([1])), .wrongPassword, true),
            (NetlogonWorld.network("nobody"), .noSuchUser, true),
            (NetlogonWorld.network("alice", "ELSEWHERE"), .noSuchUser, false),
            (NetlogonWorld.network("PC1$", password: Secret(Array("machine".utf8))),
                .nologonWorkstationTrustAccount, true),
        ]
        for (request, status, authoritative) in cases {
            let logon = world.logon(request)
            guard case .refused(let said, let isAuthoritative) = world.answers[logon] else {
                Issue.record("\(request.user) is not refused")
                continue
            }
            #expect(said == status && isAuthoritative == authoritative)
        }
    }

    @Test func whoHasAPolicyValidatesOurUsersForTheDomain() throws {
        let world = try NetlogonWorld()
        var peers: [IPv4Address] = []
        world.service.validation = { logon, peer, now in
            peers.append(peer)
            return logon.user == "alice"
                ? .refused(.ntlmBlocked) : world.domain.validate(logon, now: now.fileTime)
        }
        world.connect()
        for (user, expected) in [("alice", NTStatus.ntlmBlocked), ("nobody", .noSuchUser)] {
            let logon = world.logon(NetlogonWorld.network(user))
            guard case .refused(expected, authoritative: true) = world.answers[logon] else {
                Issue.record("\(user) is not refused as expected")
                continue
            }
        }
        #expect(peers == [IPv4Address(10, 77, 0, 50), IPv4Address(10, 77, 0, 50)])
        world.service.validation = nil
    }

    @Test func userOfAnotherDomainIsPassedOn() throws {
        let world = try NetlogonWorld()
        world.connect()
        let first = world.logon(NetlogonWorld.network("anna", "ad.lab", whole: true))
        let second = world.logon(NetlogonWorld.interactive("berta", "ADLAB"))
        #expect(world.answers.isEmpty)
        let asked = try #require(world.passedOn.first?.logon)
        #expect(asked.listener == .member && asked.peer == IPv4Address(10, 77, 0, 50))
        #expect(asked.user == "anna" && asked.domain == "ADLAB" && asked.wantsWhole)
        var info = ValidationSAMInfo()
        info.effectiveName = .text("anna")
        info.logonDomainName = .text("ADLAB")
        info.userSessionKey = Bytes16([UInt8](repeating: 5, count: 16))
        info.extraSIDs = .list([
            SIDAndAttributes(sid: SID(identifierAuthority: 18, subAuthorities: [1])),
        ])
        let identity = LogonIdentity(
            user: "anna", domain: "ADLAB", userRID: 1_100, primaryGroupRID: 513, domainSID: nil,
            groupRIDs: [], whole: WholeValidation(info))
        world.passed(world.passedOn[0].ticket, .accepted(identity))
        guard case .accepted(let heard) = world.answers[first] else {
            Issue.record("not accepted")
            return
        }
        #expect(heard.sessionKey == info.userSessionKey)
        #expect(heard.whole?.info.extraSIDs.count == 1)
        // Sealed calls go one after the other, so the second is asked only now.
        let next = try #require(world.passedOn.last)
        guard case .hashes(let nt, _) = next.logon.proof else {
            Issue.record("no hashes")
            return
        }
        #expect(nt.bytes == NTOWF.v1(password: NetlogonWorld.password).bytes)
        world.passed(next.ticket, .unavailable(.noController))
        guard case .refused(.noLogonServers, _) = world.answers[second] else {
            Issue.record("not unavailable")
            return
        }
    }

    @Test func weakChannelNeedsTheAccountsEntry() throws {
        for allowed in [false, true] {
            let world = try NetlogonWorld(nt4Accounts: allowed ? ["pc1$"] : [], allowsRC4: true)
            world.connect()
            // Ours has AES, and so uses it; the server alone decides about those who have not.
            #expect(world.channel.stateName == "ready")
            let client = try RawClient(world)
            let status = try client.authenticate("PC1$", flags: .strongKeyOnly)
            #expect(status == (allowed ? .success : .downgradeDetected))
        }
    }

    @Test func whoAskedForTooLittleAsksAgainWithItsChallenge() throws {
        let client = try RawClient(try NetlogonWorld())
        let server = try client.challenge()
        #expect(
            try client.authenticate("PC1$", flags: .strongKeyOnly, answering: server)
                == .downgradeDetected)
        #expect(try client.authenticate("PC1$", answering: server) == .success)
        #expect(try client.authenticate("PC1$", answering: server) == .accessDenied)
    }

    /// A channel goes by its computer's name, which nobody else may take.
    @Test func computerWithAnAccountIsNobodyElse() throws {
        let world = try NetlogonWorld()
        let other = try world.domain.createAccount("PC2$", flags: .workstationTrust)
        try world.domain.setPassword(
            other.rid, NewPassword(Secret(Array("machine".utf8))), now: world.time.fileTime)
        let client = try RawClient(world)
        #expect(try client.authenticate("PC2$", computer: "pc1") == .accessDenied)
        #expect(try client.authenticate("PC2$", computer: "PC3") == .success)
        #expect(try client.authenticate("PC1$") == .success)
    }

    @Test func trustingDomainIsToldOfOurUsersOnly() throws {
        let world = try NetlogonWorld(kind: .trustedDomain, account: "OTHER$")
        world.connect()
        let own = world.logon(NetlogonWorld.network("alice"))
        guard case .accepted = world.answers[own] else {
            Issue.record("refused")
            return
        }
        let other = world.logon(NetlogonWorld.network("anna", "ADLAB"))
        guard case .refused(.noSuchUser, authoritative: false) = world.answers[other] else {
            Issue.record("passed on")
            return
        }
    }

    @Test func formerSecretIsTakenAsWell() throws {
        let world = try NetlogonWorld()
        let pc = try #require(world.domain.account("PC1$"))
        try world.domain.setPassword(
            pc.rid, NewPassword(Secret(Array("newer".utf8))), by: .owner,
            now: world.time.fileTime)
        world.connect()
        #expect(world.channel.stateName == "ready")
    }
}

/// A client that says exactly what a test wants it to.
final class RawClient {
    let world: NetlogonWorld
    private let connection: UInt32
    private var callID: UInt32 = 1
    let client = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
    private(set) var chain: CredentialChain?
    private(set) var key: SessionKey?

    init(_ world: NetlogonWorld) throws {
        self.world = world
        connection = try #require(
            world.server.accept(
                from: IPv4Address(10, 77, 0, 51), port: 49_152, now: world.time))
        _ = exchange(RPCPeer.bindPDU(contexts: [PresentationContext(id: 0, Netlogon.interface)]))
    }

    private func exchange(_ pdu: [UInt8]) -> [[UInt8]] {
        world.server.received(connection, pdu.span, now: world.time)
        var answers: [[UInt8]] = []
        for output in world.server.takeOutputs() {
            if case .send(connection, let bytes) = output { answers.append(bytes) }
        }
        return answers
    }

    /// The response's stub; nil for a fault.
    func call(_ opnum: UInt16, _ message: some NDRMessage) throws -> [UInt8]? {
        var stub = WireWriter()
        message.write(into: &stub)
        callID += 1
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: opnum), callID: callID, maximumFragment: 5_840)
        var writer = WireWriter()
        let bytes = stub.finish()
        _ = fragmenter.next(bytes.span, into: &writer)
        let answer = try #require(exchange(writer.finish()).first)
        var reader = WireReader(answer.span, layer: "test")
        let fragment = try Fragment(parsing: &reader)
        guard fragment.header.type == .response else { return nil }
        var body = reader.part(fragment.body)
        _ = try ResponsePDU(parsing: &body)
        return reader.copy(body.takeRest())
    }

    func challenge(_ computer: String = "PC1", _ challenge: Bytes8? = nil) throws -> Bytes8 {
        let stub = try #require(try call(
            NetrServerReqChallenge.opnum,
            NetrServerReqChallenge.Request(
                computerName: computer, clientChallenge: challenge ?? client)))
        var reader = WireReader(stub.span, layer: "test")
        return try NetrServerReqChallenge.Response(parsing: &reader).serverChallenge
    }

    func claim(
        _ account: String, _ credential: Bytes8, flags: SecureChannel.NegotiateFlags,
        type: SecureChannelType = .workstation, computer: String = "PC1"
    ) throws -> NetrServerAuthenticate3.Response {
        let stub = try #require(try call(
            NetrServerAuthenticate3.opnum,
            NegotiatingChannelClaim(
                claim: ChannelClaim(
                    accountName: account, secureChannelType: type, computerName: computer,
                    clientCredential: credential), negotiateFlags: flags.rawValue)))
        var reader = WireReader(stub.span, layer: "test")
        return try NetrServerAuthenticate3.Response(parsing: &reader)
    }

    func authenticate(
        _ account: String, flags: SecureChannel.NegotiateFlags = .modern,
        type: SecureChannelType = .workstation, secret: Bytes16 = NetlogonWorld.machineSecret,
        answering former: Bytes8? = nil, computer: String? = nil
    ) throws -> NTStatus {
        let computer = computer ?? String(account.prefix { $0 != "$" })
        let server = try former ?? challenge(computer)
        let made = SessionKey(
            cipher: ChannelCipher(negotiated: flags), sharedSecret: secret,
            clientChallenge: client, serverChallenge: server)
        let credential = made.credential(client)
        let answer = try claim(account, credential, flags: flags, type: type, computer: computer)
        if answer.status == .success {
            #expect(answer.serverCredential == made.credential(server))
            key = made
            chain = CredentialChain(sessionKey: made, clientCredential: credential)
        }
        return answer.status
    }

    func authenticator() -> NetlogonAuthenticator {
        NetlogonAuthenticator(
            credential: chain?.next(timestamp: 5) ?? Bytes8(), timestamp: 5)
    }

    func accepts(_ returned: NetlogonAuthenticator) -> Bool {
        chain?.accepts(returned.credential) ?? false
    }
}

@Suite struct NetlogonAuthenticationTests {
    @Test func claimsOfTheWrongKindAreRefused() throws {
        let client = try RawClient(try NetlogonWorld())
        #expect(try client.authenticate("PC1$") == .success)
        #expect(try client.authenticate("BDC1$", type: .server) == .success)
        #expect(try client.authenticate("OTHER$", type: .trustedDomain) == .success)
        #expect(try client.authenticate("PC1$", type: .server) == .noTrustSAMAccount)
        #expect(try client.authenticate("NONE$") == .noTrustSAMAccount)
        #expect(try client.authenticate("alice") == .noTrustSAMAccount)
        #expect(try client.authenticate("PC1$", type: .cdcServer) == .invalidParameter)
        #expect(try client.authenticate("PC1$", secret: Bytes16()) == .accessDenied)
    }

    @Test func chosenChallengesAndCredentialsProveNothing() throws {
        let client = try RawClient(try NetlogonWorld())
        let zero = Bytes8()
        for challenge in [zero, Bytes8([5, 5, 5, 5, 5, 1, 2, 3])] {
            let server = try client.challenge("PC1", challenge)
            let key = SessionKey(
                cipher: .aes, sharedSecret: NetlogonWorld.machineSecret,
                clientChallenge: challenge, serverChallenge: server)
            let answer = try client.claim("PC1$", key.credential(challenge), flags: .modern)
            #expect(answer.status == .accessDenied)
        }
        for _ in 0..<50 {
            _ = try client.challenge()
            let answer = try client.claim("PC1$", zero, flags: .modern)
            #expect(answer.status == .accessDenied && answer.serverCredential == zero)
        }
    }

    @Test func challengeServesOnce() throws {
        let world = try NetlogonWorld()
        let first = try RawClient(world)
        let second = try RawClient(world)
        let server = try first.challenge()
        let key = SessionKey(
            cipher: .aes, sharedSecret: NetlogonWorld.machineSecret,
            clientChallenge: first.client, serverChallenge: server)
        let credential = key.credential(first.client)
        #expect(try second.claim("PC1$", credential, flags: .modern).status == .success)
        #expect(try first.claim("PC1$", credential, flags: .modern).status == .accessDenied)
        #expect(try second.claim("PC1$", credential, flags: .modern).status == .accessDenied)
    }

    @Test func guessingEndsForThatAddressAlone() throws {
        let world = try NetlogonWorld()
        let client = try RawClient(world)
        for _ in 0..<ChannelTable.Limit.failures {
            #expect(try client.authenticate("PC1$", secret: Bytes16()) == .accessDenied)
        }
        #expect(try client.authenticate("PC1$") == .accessDenied)
        world.connect()
        #expect(world.channel.stateName == "ready")
        world.run(ChannelTable.Limit.failureWindow + 1)
        #expect(try client.authenticate("PC1$") == .success)
    }

    @Test func unsealedCallsNeedTheAccountsEntry() throws {
        for allowed in [false, true] {
            let world = try NetlogonWorld(nt4Accounts: allowed ? ["PC1$"] : [])
            let client = try RawClient(world)
            #expect(try client.authenticate("PC1$") == .success)
            let request = NetrLogonSamLogon.Request(
                computerName: "PC1", authenticator: client.authenticator(),
                logonInformation: .network(
                    NetworkLogonInfo(
                        identity: LogonIdentityInfo(
                            logonDomainName: "GATE", userName: "nobody", workstation: ""),
                        lmChallenge: Bytes8(), ntChallengeResponse: nil,
                        lmChallengeResponse: nil), transitive: false),
                validationLevel: .samInfo2)
            let stub = try #require(try client.call(NetrLogonSamLogon.opnum, request))
            var reader = WireReader(stub.span, layer: "test")
            let response = try NetrLogonSamLogon.Response(parsing: &reader)
            #expect(response.status == (allowed ? .noSuchUser : .accessDenied))
            let returned = try #require(response.returnAuthenticator)
            #expect(client.accepts(returned) == allowed)
            // The same authenticator again is none.
            let again = try #require(try client.call(NetrLogonSamLogon.opnum, request))
            var second = WireReader(again.span, layer: "test")
            #expect(try NetrLogonSamLogon.Response(parsing: &second).status == .accessDenied)
            // Without a seal there is nothing that SamLogonEx could go by.
            let ex = NetrLogonSamLogonEx.Request(
                computerName: "PC1", logonInformation: request.logonInformation,
                validationLevel: .samInfo2)
            #expect(try client.call(NetrLogonSamLogonEx.opnum, ex) == nil)
        }
    }

    @Test func passwordIsSetInEitherForm() throws {
        let world = try NetlogonWorld(nt4Accounts: ["PC1$"])
        let client = try RawClient(world)
        #expect(try client.authenticate("PC1$") == .success)
        let key = try #require(client.key)
        func account() -> AccountCall {
            AccountCall(
                accountName: "PC1$", secureChannelType: .workstation, computerName: "PC1",
                authenticator: client.authenticator())
        }
        let hash = NTOWF.v1(password: Secret(Array("second".utf8)))
        let first = try #require(try client.call(
            NetrServerPasswordSet.opnum,
            NetrServerPasswordSet.Request(
                account: account(), newPassword: HashEncryption.encrypt(hash, key: key.key))))
        var reader = WireReader(first.span, layer: "test")
        let set = try AuthenticatedStatus(parsing: &reader)
        #expect(set.status == .success && client.accepts(set.returnAuthenticator))
        #expect(world.domain.account("PC1$")?.ntHash == hash)

        let third = Array("third".utf16).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        var plain = [UInt8](repeating: 0x5a, count: 512 - third.count) + third
        plain += [UInt8(third.count), 0, 0, 0]
        var bad = plain
        key.conceal(&plain)
        let second = try #require(try client.call(
            NetrServerPasswordSet2.opnum,
            NetrServerPasswordSet2.Request(
                account: account(), clearNewPassword: EncryptedTrustPassword(plain))))
        var next = WireReader(second.span, layer: "test")
        let set2 = try AuthenticatedStatus(parsing: &next)
        #expect(set2.status == .success && client.accepts(set2.returnAuthenticator))
        let now = NTOWF.v1(password: Secret(Array("third".utf8)))
        #expect(world.domain.account("PC1$")?.ntHash == now)

        bad[512] = 0
        key.conceal(&bad)
        let third2 = try #require(try client.call(
            NetrServerPasswordSet2.opnum,
            NetrServerPasswordSet2.Request(
                account: account(), clearNewPassword: EncryptedTrustPassword(bad))))
        var last = WireReader(third2.span, layer: "test")
        let refused = try AuthenticatedStatus(parsing: &last)
        #expect(refused.status == .wrongPassword)
        #expect(world.domain.account("PC1$")?.ntHash == now)
    }

    @Test func controllersAndTrustsAreNamed() throws {
        let client = try RawClient(try NetlogonWorld())
        func named(_ domain: String?) throws -> ControllerName {
            let stub = try #require(try client.call(
                NetrGetDCName.opnum,
                NetrGetDCName.Request(serverName: "\\\\GATE1", domainName: domain)))
            var reader = WireReader(stub.span, layer: "test")
            return try ControllerName(parsing: &reader)
        }
        #expect(try named(nil).buffer == "\\\\GATE1")
        #expect(try named("gate").buffer == "\\\\GATE1")
        #expect(try named("ADLAB").buffer == "\\\\AD")
        #expect(try named("NONE").status == .controllerNotFound)
        let any = try #require(try client.call(
            NetrGetAnyDCName.opnum,
            NetrGetAnyDCName.Request(serverName: "\\\\GATE1", domainName: "NONE")))
        var third = WireReader(any.span, layer: "test")
        #expect(try ControllerName(parsing: &third).status == .noSuchDomain)
        let stub = try #require(try client.call(
            DsrEnumerateDomainTrusts.opnum,
            DsrEnumerateDomainTrusts.Request(serverName: nil, flags: 0x3f)))
        var reader = WireReader(stub.span, layer: "test")
        let trusts = try DomainTrusts(parsing: &reader).domains
        #expect(trusts.map(\.netBIOSDomainName) == ["ADLAB", "GATE"])
        let query = try #require(try client.call(
            NetrLogonControl.opnum,
            NetrLogonControl.Request(serverName: nil, functionCode: .query, queryLevel: 1)))
        var second = WireReader(query.span, layer: "test")
        #expect(try LogonControlAnswer(parsing: &second).status == .success)
    }

    @Test func everyOpnumWithstandsNonsense() throws {
        let world = try NetlogonWorld()
        let caller = RemoteCaller(
            carriage: .tcp, peer: IPv4Address(10, 77, 0, 51), identity: .anonymous)
        for opnum in 0...60 as ClosedRange<UInt16> {
            for count in [0, 1, 4, 40, 200] {
                for value in [0, 1, 0xff] as [UInt8] {
                    let stub = [UInt8](repeating: value, count: count)
                    _ = world.service.call(
                        opnum, WireReader(stub.span, layer: "stub"), from: caller,
                        now: world.time)
                }
            }
        }
    }
}
