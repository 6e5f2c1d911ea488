import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import SecureChannel
import Testing
import Wire

@testable import Front

@Suite struct ReplicationServiceTests {
    /// A backup's sealed channel to the NETLOGON service.
    private final class Backup {
        let world: NetlogonWorld
        let caller: RemoteCaller
        var chain: CredentialChain
        let key: SessionKey

        init(type: SecureChannelType = .server, flags: UInt32 = 0x6007_ffff) throws {
            world = try NetlogonWorld()
            world.service.replication = ReplicationService(domain: world.domain)
            key = SessionKey(cipher: .aes, key: Bytes16((1...16).map { UInt8($0) }))
            let credential = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
            chain = CredentialChain(sessionKey: key, clientCredential: credential)
            let account = try #require(world.domain.account("BDC1$"))
            let session = ChannelSession(
                computer: "BDC1", account: account, of: world.domain,
                secret: NetlogonWorld.machineSecret, type: type, key: key, flags: flags,
                requestedFlags: flags, isOldFashioned: false, chain: chain, now: 0)
            world.service.channels.keep(session)
            caller = RemoteCaller(
                carriage: .tcp, peer: IPv4Address(10, 77, 0, 41), identity: .anonymous)
            caller.channel = session
            caller.authLevel = .privacy
        }

        func call() -> DatabaseCall {
            DatabaseCall(
                primaryName: "\\\\GATE1", computerName: "BDC1",
                authenticator: NetlogonAuthenticator(
                    credential: chain.next(timestamp: 7), timestamp: 7))
        }

        func ask<Call: RemoteProcedure>(
            _: Call.Type, _ request: Call.Request
        ) throws -> Call.Response {
            var writer = WireWriter()
            request.write(into: &writer)
            let stub = writer.finish()
            let reply = world.service.call(
                Call.opnum, WireReader(stub.span, layer: "stub"), from: caller, now: world.time)
            guard case .response(let bytes) = reply else {
                throw WireError(.invalid, layer: "test", field: "fault", offset: 0)
            }
            var reader = WireReader(bytes.span, layer: "test")
            return try Call.Response(parsing: &reader)
        }
    }

    @Test func backupCopiesTheDomainOverItsChannel() throws {
        let backup = try Backup()
        let copy = try #require(
            LocalDomain.createBackup(
                name: "GATE", sid: backup.world.domain.sid, primary: "GATE1") { _ in true })
        let pull = ReplicationPull(domain: copy, now: 0)
        while let request = pull.nextRequest(now: 0) {
            let stub = request.stub(backup.call())
            let reply = backup.world.service.call(
                request.opnum, WireReader(stub.span, layer: "stub"), from: backup.caller,
                now: backup.world.time)
            guard case .response(let bytes) = reply else {
                Issue.record("a fault")
                return
            }
            var reader = NDRReader(WireReader(bytes.span, layer: "test"))
            let answer = try NetlogonAuthenticator(parsing: &reader)
            let isExpected = backup.chain.accepts(answer.credential)
            #expect(isExpected)
            pull.answered(bytes.span, key: backup.key.key, fileTime: 0, now: 0)
        }
        #expect(copy.account("alice")?.ntHash == backup.world.domain.account("alice")?.ntHash)
        #expect(copy.accounts.count == backup.world.domain.accounts.count)
        #expect(copy.stamp(.sam) == backup.world.domain.stamp(.sam))
    }

    /// A backup whose account is gone copies no further, whatever key it holds.
    @Test(arguments: ["removed", "disabled", "reset", "of another kind"])
    func channelEndsWithItsAccount(how: String) throws {
        let backup = try Backup()
        let domain = backup.world.domain
        let request = {
            NetrDatabaseSync.Request(
                call: backup.call(), databaseID: .account, preferredMaximumLength: 100)
        }
        #expect(try backup.ask(NetrDatabaseSync.self, request()).status != .accessDenied)
        let account = try #require(domain.account("BDC1$"))
        switch how {
        case "removed": try domain.deleteAccount(account.rid)
        case "disabled": try domain.updateAccount(account.rid) { $0.flags.insert(.disabled) }
        case "reset":
            try domain.setPassword(account.rid, NewPassword(nt: MD4.hash([9])), now: 2)
        default:
            try domain.updateAccount(account.rid) {
                $0.flags.remove(.serverTrust)
                $0.flags.insert(.workstationTrust)
            }
        }
        #expect(try backup.ask(NetrDatabaseSync.self, request()).status == .accessDenied)
        #expect(backup.caller.channel == nil)
        #expect(backup.world.service.channels.channel(of: "BDC1") == nil)
    }

    @Test func backupPullsThroughAChannelOfOurs() throws {
        let world = try NetlogonWorld(kind: .backupController, account: "BDC1$")
        world.service.replication = ReplicationService(domain: world.domain)
        for number in 0..<200 { _ = try world.domain.createAccount("user\(number)") }
        world.connect()
        let made = LocalDomain.createBackup(name: "GATE") { _ in true }
        let copy = try #require(made)
        let pull = ReplicationPull(domain: copy, now: 0)
        while let request = pull.nextRequest(now: 0) {
            guard case .answered(let stub, let key) = world.pull(request) else {
                Issue.record("\(request.description) was not answered")
                return
            }
            pull.answered(stub.span, key: key, fileTime: 0, now: 0)
        }
        #expect(copy.sid == world.domain.sid)
        #expect(copy.accounts.count == world.domain.accounts.count)
        #expect(copy.account("alice")?.ntHash == world.domain.account("alice")?.ntHash)
        // Logons go on over the same connection, though its answers had several fragments.
        let logon = world.logon(
            LogonRequest(
                domain: "GATE", user: "alice", workstation: "", parameterControl: 0,
                proof: .interactive(
                    nt: Secret(NTOWF.v1(password: NetlogonWorld.password).bytes), lm: nil)))
        guard case .accepted = world.answers[logon] else {
            Issue.record("\(String(describing: world.answers[logon]))")
            return
        }
        #expect(world.notices.count == 1)
    }

    @Test func membersAndTrustsGetNothing() throws {
        for type in [SecureChannelType.workstation, .trustedDomain] {
            let backup = try Backup(type: type)
            let sync = try backup.ask(
                NetrDatabaseSync2.self, .init(call: backup.call(), databaseID: .account))
            #expect(sync.status == .accessDenied && sync.deltas == nil)
        }
    }

    @Test func channelWithoutRC4GetsNoPasswords() throws {
        let backup = try Backup(flags: 0x4000_0000)
        let deltas = try backup.ask(
            NetrDatabaseDeltas.self,
            .init(call: backup.call(), databaseID: .account, domainModifiedCount: 1))
        #expect(deltas.status == .accessDenied && deltas.deltas == nil)
    }

    @Test func unsealedOrRepeatedCallsAreRefused() throws {
        let backup = try Backup()
        let request = NetrDatabaseRedo.Request(
            call: backup.call(),
            entry: ChangeLogEntry(serialNumber: 1, objectRID: 1_000, database: 0, deltaType: 5))
        #expect(try backup.ask(NetrDatabaseRedo.self, request).status == .success)
        #expect(try backup.ask(NetrDatabaseRedo.self, request).status == .accessDenied)
        backup.caller.authLevel = nil
        let again = NetrDatabaseSync.Request(call: backup.call(), databaseID: .account)
        #expect(try backup.ask(NetrDatabaseSync.self, again).status == .accessDenied)
    }

    @Test func lanManagerCallsAreAnswered() throws {
        let backup = try Backup()
        let call = AccountDatabaseCall(
            primaryName: nil, computerName: "BDC1", authenticator: NetlogonAuthenticator())
        let deltas = try backup.ask(
            NetrAccountDeltas.self,
            .init(call: call, recordID: UASInfo(), count: 0, level: 0, bufferSize: 8))
        #expect(deltas.status == .notImplemented)
        let sync = try backup.ask(
            NetrAccountSync.self, .init(call: call, reference: 0, level: 0, bufferSize: 8))
        #expect(sync.status == .notImplemented && sync.buffer.count == 8)
    }
}
