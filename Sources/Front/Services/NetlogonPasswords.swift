import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import SecureChannel
import Wire

// The secrets of channels' own accounts (MS-NRPC 3.5.4.4.5 to .8, 3.5.4.7.6).

extension NetlogonService {
    /// The account of a call on its own behalf.
    private func own(_ call: AccountCall, _ session: ChannelSession) -> Account? {
        guard LocalDomain.fold(call.accountName) == LocalDomain.fold(session.account),
            call.secureChannelType == session.type
        else { return nil }
        return domain.accounts[session.accountRID]
    }

    func set(
        _ request: NetrServerPasswordSet.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        guard case .through(let session, let answer) = enter(
            request.account.computerName, request.account.authenticator, caller, now)
        else { return Self.refused }
        let hash = HashEncryption.decrypt(request.newPassword, key: session.key.key)
        return set(NewPassword(nt: hash), request.account, session, answer, now)
    }

    func set(
        _ request: NetrServerPasswordSet2.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        guard case .through(let session, let answer) = enter(
            request.account.computerName, request.account.authenticator, caller, now)
        else { return Self.refused }
        guard let password = Self.open(request.clearNewPassword, session) else {
            return Self.reply(
                AuthenticatedStatus(returnAuthenticator: answer, status: .wrongPassword))
        }
        return set(
            NewPassword(utf16LE: password), request.account, session, answer, now)
    }

    private func set(
        _ password: NewPassword, _ call: AccountCall, _ session: ChannelSession,
        _ answer: NetlogonAuthenticator, _ now: FrontTime
    ) -> ServiceReply {
        var status = NTStatus.success
        if let account = own(call, session) {
            do {
                try domain.setPassword(account.rid, password, by: .owner, now: now.fileTime)
                if let hash = domain.accounts[account.rid]?.ntHash { session.secret = hash }
            } catch {
                status = error.status
            }
        } else {
            status = .accessDenied
        }
        return Self.reply(AuthenticatedStatus(returnAuthenticator: answer, status: status))
    }

    private static var refused: ServiceReply {
        reply(
            AuthenticatedStatus(
                returnAuthenticator: NetlogonAuthenticator(), status: .accessDenied))
    }

    /// The password in NL_TRUST_PASSWORD (MS-NRPC 2.2.1.3.7); nil for one that is none, and for
    /// a buffer that no key can have touched: zeros that a weak cipher left as they were would
    /// empty the account (CVE-2020-1472).
    private static func open(
        _ encrypted: EncryptedTrustPassword, _ session: ChannelSession
    ) -> Secret? {
        var bytes = encrypted.bytes
        let before = bytes
        session.key.reveal(&bytes)
        defer { Wipe.bytes(&bytes) }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[512 + $1]) << (8 * $1) }
        guard length > 0, length <= 512, length % 2 == 0 else { return nil }
        let start = 512 - length
        let password = Array(bytes[start..<512])
        guard password.contains(where: { $0 != 0 }), password != Array(before[start..<512]),
            start == 0 || bytes[..<start] != before[..<start]
        else { return nil }
        return Secret(password)
    }

    // MARK: Telling

    /// The account's hashes, for the computer or domain itself; of another account's only for a
    /// backup controller.
    func trustPasswords(
        _ request: TrustQuery, _ opnum: UInt16, _ caller: RemoteCaller, _ now: FrontTime
    ) -> ServiceReply {
        let none = NetlogonAuthenticator()
        guard case .through(let session, let answer) = enter(
            request.account.computerName, request.account.authenticator, caller, now)
        else { return Self.passwords(opnum, none, Bytes16(), Bytes16(), .accessDenied) }
        var account = own(request.account, session)
        if account == nil, session.type == .server {
            account = domain.account(request.account.accountName)
        }
        guard let account, account.isMachine, let current = account.ntHash else {
            return Self.passwords(opnum, answer, Bytes16(), Bytes16(), .accessDenied)
        }
        if opnum == NetrServerPasswordGet.opnum, session.type != .server {
            return Self.passwords(opnum, answer, Bytes16(), Bytes16(), .accessDenied)
        }
        let key = session.key.key
        let former = account.history.first ?? current
        return Self.passwords(
            opnum, answer, HashEncryption.encrypt(current, key: key),
            HashEncryption.encrypt(former, key: key), .success)
    }

    private static func passwords(
        _ opnum: UInt16, _ answer: NetlogonAuthenticator, _ current: Bytes16, _ former: Bytes16,
        _ status: NTStatus
    ) -> ServiceReply {
        switch opnum {
        case NetrServerPasswordGet.opnum:
            return reply(
                NetrServerPasswordGet.Response(
                    returnAuthenticator: answer, encryptedNTOwfPassword: current,
                    status: status))
        case NetrServerTrustPasswordsGet.opnum:
            return reply(
                NetrServerTrustPasswordsGet.Response(
                    returnAuthenticator: answer, encryptedNewOwfPassword: current,
                    encryptedOldOwfPassword: former, status: status))
        case _:
            // One number: the trust's attributes, none of which an NT4 trust has.
            return reply(
                NetrServerGetTrustInfo.Response(
                    returnAuthenticator: answer, encryptedNewOwfPassword: current,
                    encryptedOldOwfPassword: former,
                    trustInfo: status == .success ? GenericRPCData(numbers: [0]) : nil,
                    status: status))
        }
    }
}
