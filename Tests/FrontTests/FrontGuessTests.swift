import NTLM
import RPC
import SMB
import SecureChannel
import Simulation
import Testing
import Wire

@testable import Front

/// A whole front, to which clients bind with NTLMSSP.
@Suite struct FrontGuessTests {
    private static let peer = IPv4Address(10, 77, 0, 50)

    private final class World {
        let front: Front
        let now = FrontTime(now: 1_000, unix: 1_700_000_000)
        var logons: [(token: UInt64, logon: FrontLogon)] = []
        var sent: [FrontConnection: [[UInt8]]] = [:]

        init() {
            var numbers: UInt8 = 0
            let random: (Int) -> [UInt8] = { count in
                numbers &+= 1
                return [UInt8](repeating: numbers, count: count)
            }
            let rpc = RPCServer(
                services: [EchoService()],
                identity: ServerHandshake.Identity(
                    nbComputerName: "GATE1", nbDomainName: "GATE"),
                channels: nil, random: random)
            let smb = SMBServer(
                SMBServerSettings(computerName: "GATE1", domainName: "GATE"), pipes: rpc,
                administration: nil, files: nil, random: random)
            front = Front(smb: smb, rpc: rpc, netlogon: nil)
        }

        func give(_ connection: FrontConnection, _ bytes: [UInt8]) {
            front.received(connection, bytes.span, now: now)
            settle()
        }

        func settle() {
            while let output = front.nextOutput() {
                switch output {
                case .send(let to, let bytes): sent[to, default: []].append(bytes)
                case .logon(let token, let logon): logons.append((token, logon))
                case .close, .translate, .blocked, .copy: break
                }
            }
        }

        /// Binds up to the answer that is to be validated, which goes in a PDU of the type that is
        /// not answered, or with SPNEGO's in one that is.
        func bind(_ user: String, _ type: AuthType = .winNT) throws -> FrontConnection {
            let connection = try #require(front.opened(
                from: FrontGuessTests.peer, on: .rpc(135), now: now))
            let client = ClientHandshake(
                account: .init(
                    userName: user, domainName: "ADLAB", ntowf: SecurityBlobs.password),
                workstation: "PC1")
            let context = SecurityContext(type, .privacy, id: 7)
            var first = client.negotiate
            if type == .gssNegotiate {
                first = SecurityBlobs.wrap(
                    NegTokenInit(mechTypes: [.ntlmssp], mechToken: 0..<first.count), first)
            }
            give(connection, RPCPeer.bindPDU(security: context, token: first))
            let ack = try #require(sent.removeValue(forKey: connection)?.first)
            var reader = WireReader(ack.span, layer: "test")
            let fragment = try Fragment(parsing: &reader)
            let token = try #require(fragment.auth).token
            let answer = try client.authenticate(
                challenge: try SecurityBlobs.inner(reader.copy(token)),
                ClientHandshake.Nonces(
                    clientChallenge: Bytes8(), sessionKey: Bytes16(), now: now.fileTime))
            if type == .gssNegotiate {
                let last = SecurityBlobs.wrap(
                    NegTokenResp(responseToken: 0..<answer.message.count), answer.message)
                give(connection, RPCPeer.bindPDU(.alterContext, security: context, token: last))
                return connection
            }
            var writer = WireWriter()
            Auth3PDU().write(
                into: &writer, header: PDUHeader(.auth3, callID: 1), security: context,
                token: answer.message)
            give(connection, writer.finish())
            return connection
        }

        func refuse(_ token: UInt64) {
            front.answered(token, .refused(.wrongPassword, authoritative: true), now: now)
            settle()
        }
    }

    /// Binds are logons: they end before the controller's limit does, and sessions know of them.
    @Test func guessesOfBindsCount() throws {
        let world = World()
        for _ in 0..<6 { _ = try world.bind("alice") }
        #expect(world.logons.count == 4)
        for (token, _) in world.logons { world.refuse(token) }
        #expect(world.logons.count == 4 && world.front.rpc.counters.bindsRefused == 6)
        _ = try world.bind("ALICE")
        #expect(world.logons.count == 4 && world.front.rpc.counters.bindsRefused == 7)
        let permission = world.front.smb.guesses.permission(
            AccountKey("alice"), from: IPv4Address(10, 77, 0, 51), now: world.now.now)
        #expect(permission == .refuse)
        _ = try world.bind("bob")
        #expect(world.logons.count == 5)
    }

    /// Without anything else happening.
    @Test func bindRefusedForItsGuessesIsAnsweredAtOnce() throws {
        let world = World()
        for _ in 0..<4 { _ = try world.bind("alice") }
        for (token, _) in world.logons { world.refuse(token) }
        let connection = try world.bind("alice", .gssNegotiate)
        let answer = try #require(world.sent[connection]?.first)
        var reader = WireReader(answer.span, layer: "test")
        #expect(try Fragment(parsing: &reader).header.type == .fault)
    }

    @Test func bindsWhoseClientIsGoneAreNotAsked() throws {
        let world = World()
        var connections: [FrontConnection] = []
        for _ in 0..<7 { connections.append(try world.bind("alice")) }
        #expect(world.logons.count == 4)
        // One that is asked already, and two that wait.
        for index in [0, 4, 5] { world.front.closed(connections[index], now: world.now) }
        world.settle()
        let identity = LogonIdentity(
            user: "alice", domain: "ADLAB", userRID: 1_000, primaryGroupRID: 513, domainSID: nil,
            groupRIDs: [])
        for index in 0..<2 {
            world.front.answered(
                world.logons[index].token, .accepted(identity), now: world.now)
            world.settle()
        }
        #expect(world.logons.count == 5 && world.front.waitingLogons == 3)
        #expect(world.front.rpc.counters.bindsValidated == 1)
    }

    @Test func bindsThatWaitedAreAskedWhenOthersWereRight() throws {
        let world = World()
        for _ in 0..<5 { _ = try world.bind("alice") }
        #expect(world.logons.count == 4)
        let identity = LogonIdentity(
            user: "alice", domain: "ADLAB", userRID: 1_000, primaryGroupRID: 513, domainSID: nil,
            groupRIDs: [])
        world.front.answered(world.logons[0].token, .accepted(identity), now: world.now)
        world.settle()
        #expect(world.logons.count == 5 && world.front.rpc.counters.bindsValidated == 1)
    }
}
