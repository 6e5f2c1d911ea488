import Crypto
import Front
import Interfaces
import NTLM
import RPC
import SecureChannel
import Wire

/// Calls of NETLOGON that need a secure channel, as a member and a backup controller make them.
/// The channels are the same in every run, so that what travels under their keys is right.
enum SealedSeeds {
    private struct Talk {
        let computer: SealedComputer
        let operation: UInt8
        private(set) var steps: [(operation: UInt8, bytes: [UInt8])] = []

        init(_ computer: SealedComputer, _ operation: UInt8) {
            self.computer = computer
            self.operation = operation
        }

        mutating func call<P: RemoteProcedure>(_: P.Type, _ request: P.Request) {
            var stub = NDRWriter()
            request.write(into: &stub)
            steps.append((operation, [UInt8(P.opnum)] + stub.wire.finish()))
        }

        /// The mark in the form of an authenticator.
        var authenticator: NetlogonAuthenticator {
            let mark = SealedComputer.mark
            let timestamp = (0..<4).reduce(0) { $0 | UInt32(mark[8 + $1]) << (8 * UInt32($1)) }
            return NetlogonAuthenticator(
                credential: Bytes8(Array(mark[..<8])), timestamp: timestamp)
        }

        var account: AccountCall {
            AccountCall(
                accountName: computer.account, secureChannelType: computer.type,
                computerName: computer.name, authenticator: authenticator)
        }

        var database: DatabaseCall {
            DatabaseCall(
                primaryName: "\\\\GATE1", computerName: computer.name,
                authenticator: authenticator)
        }
    }

    /// The member's, and the backup's.
    static let all: [[UInt8]] = {
        let world = FrontWorld()
        let (member, backup) = world.computers()
        return [
            Steps.joined(calls(ofMember: Talk(member, FuzzTarget.ServiceCall.isMember))),
            Steps.joined(calls(ofBackup: Talk(backup, FuzzTarget.ServiceCall.isBackup))),
        ]
    }()

    private static let alice = LogonIdentityInfo(
        logonDomainName: "GATE", userName: "alice", workstation: "PC1")

    private static var network: LogonInformation {
        let challenge = Bytes8([8, 7, 6, 5, 4, 3, 2, 1])
        let response = NTLMv2.response(
            ntowf: NTOWF.v1(password: SealedComputer.password), user: "alice", domain: "GATE",
            serverChallenge: challenge, clientChallenge: Bytes8([1, 1, 2, 2, 3, 3, 4, 4]),
            timestamp: 133_000_000_000_000_000, targetInfo: [0, 0, 0, 0])
        return .network(
            NetworkLogonInfo(
                identity: alice, lmChallenge: challenge, ntChallengeResponse: response.nt,
                lmChallengeResponse: nil), transitive: false)
    }

    private static func interactive(_ key: SessionKey) -> LogonInformation {
        var hash = NTOWF.v1(password: SealedComputer.password).bytes
        key.conceal(&hash)
        return .interactive(
            PasswordLogonInfo(identity: alice, ntOwfPassword: Bytes16(hash)), transitive: false)
    }

    private static func calls(
        ofMember begun: Talk
    ) -> [(operation: UInt8, bytes: [UInt8])] {
        var talk = begun
        let (name, key) = (talk.computer.name, talk.computer.key)
        talk.call(
            NetrLogonGetCapabilities.self,
            .init(
                serverName: "\\\\GATE1", computerName: name, authenticator: talk.authenticator))
        talk.call(
            NetrLogonGetDomainInfo.self,
            .init(
                serverName: "\\\\GATE1", computerName: name, authenticator: talk.authenticator,
                workstation: WorkstationInfo(
                    dnsHostName: "pc1.gate", osName: "Windows 2000", workstationFlags: 3)))
        for information in [network, interactive(key)] {
            talk.call(
                NetrLogonSamLogon.self,
                .init(
                    computerName: name, authenticator: talk.authenticator,
                    logonInformation: information, validationLevel: .samInfo2))
            talk.call(
                NetrLogonSamLogonEx.self,
                .init(
                    computerName: name, logonInformation: information,
                    validationLevel: .samInfo4))
        }
        talk.call(
            NetrLogonSamLogoff.self,
            .init(
                computerName: name, authenticator: talk.authenticator,
                logonInformation: interactive(key)))
        talk.call(NetrServerTrustPasswordsGet.self, .init(account: talk.account))
        talk.call(NetrServerGetTrustInfo.self, .init(account: talk.account))
        let hash = HashEncryption.encrypt(NTOWF.v1(password: "second"), key: key.key)
        talk.call(
            NetrServerPasswordSet.self, .init(account: talk.account, newPassword: hash))
        let third: [UInt8] = Array("third".utf8).flatMap { [$0, 0] }
        var plain = [UInt8](repeating: 0x5a, count: 512 - third.count) + third
        plain += [UInt8(third.count), 0, 0, 0]
        key.conceal(&plain)
        talk.call(
            NetrServerPasswordSet2.self,
            .init(account: talk.account, clearNewPassword: EncryptedTrustPassword(plain)))
        return talk.steps
    }

    private static func calls(
        ofBackup begun: Talk
    ) -> [(operation: UInt8, bytes: [UInt8])] {
        var talk = begun
        for database: UInt32 in 0...2 {
            let id = NetlogonDatabase(rawValue: database)
            talk.call(NetrDatabaseSync2.self, .init(call: talk.database, databaseID: id))
            talk.call(NetrDatabaseSync.self, .init(call: talk.database, databaseID: id))
            talk.call(
                NetrDatabaseDeltas.self,
                .init(call: talk.database, databaseID: id, domainModifiedCount: 1))
        }
        talk.call(
            NetrDatabaseRedo.self,
            .init(
                call: talk.database,
                entry: ChangeLogEntry(
                    serialNumber: 2, objectRID: 1_000, database: 0, deltaType: 5)))
        talk.call(NetrServerPasswordGet.self, .init(account: talk.account))
        return talk.steps
    }
}
