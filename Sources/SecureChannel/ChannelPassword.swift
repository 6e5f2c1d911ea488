import Crypto
import Interfaces
import RPC
import Wire

/// What became of a change of our account's password.
package enum PasswordOutcome: Equatable, Sendable {
    /// The controller has taken it.
    case set
    /// The controller has looked at it, and keeps the old one.
    case refused(NTStatus)
    /// It was not sent: there is no key, or no connection that is free.
    case notSent
    /// It was sent, and what came of it nobody said: the next key tells.
    case unknown
}

/// A change of our account's own password over the channel (MS-NRPC 3.5.4.4.5 and 3.5.4.4.6), at
/// the controller that holds the key. It is sent once and never again.
extension Channel {
    /// The hash of the secret that the key was made with.
    package var agreedSecret: Bytes16? {
        if case .keyed = phase { return session?.secret }
        return nil
    }

    /// Sets the password, in UTF-16LE. The outcome is told as an output, once.
    package func setPassword(_ password: Secret, deadline: UInt64, now: UInt64) {
        let wasSent = chainedCall(.password, deadline: deadline, now: now) {
            passwordCall(password, $0, $1)
        }
        if !wasSent { outputs.append(.passwordSet(.notSent)) }
    }

    private func passwordCall(
        _ password: Secret, _ session: Session, _ authenticator: NetlogonAuthenticator
    ) -> (opnum: UInt16, stub: [UInt8]) {
        let account = AccountCall(
            accountName: settings.account,
            secureChannelType: SecureChannelType(rawValue: settings.kind.rawValue),
            computerName: settings.computer, authenticator: authenticator)
        var writer = WireWriter(capacity: 640)
        if session.flags.contains(.passwordSet2) {
            var buffer = Self.trustPassword(password, random)
            defer { Wipe.bytes(&buffer) }
            session.key.conceal(&buffer)
            NetrServerPasswordSet2.Request(
                account: account, clearNewPassword: EncryptedTrustPassword(buffer)
            ).write(into: &writer)
            return (NetrServerPasswordSet2.opnum, writer.finish())
        }
        NetrServerPasswordSet.Request(
            account: account,
            newPassword: session.key.concealed(owf: MD4.hash(password.bytes))
        ).write(into: &writer)
        return (NetrServerPasswordSet.opnum, writer.finish())
    }

    /// NL_TRUST_PASSWORD in plain (MS-NRPC 2.2.1.3.7): the password at the end of 512 bytes that
    /// begin at random, then its length.
    private static func trustPassword(
        _ password: Secret, _ random: (Int) -> [UInt8]
    ) -> [UInt8] {
        precondition(password.bytes.count <= passwordSize, "a password that does not fit")
        var buffer: [UInt8] = []
        buffer.reserveCapacity(passwordSize + 4)
        buffer += random(passwordSize - password.bytes.count)
        buffer += password.bytes
        let length = UInt32(password.bytes.count)
        for shift in [0, 8, 16, 24] as [UInt32] {
            buffer.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        return buffer
    }

    private static var passwordSize: Int { 512 }

    func passwordEnded(_ ending: ChainedEnding) {
        let outcome: PasswordOutcome
        switch ending {
        case .answered(_, .success): outcome = .set
        case .answered(_, let status): outcome = status.isError ? .refused(status) : .unknown
        case .notSent: outcome = .notSent
        // An error that is not shown to be the controller's refuses nothing: the next key tells.
        case .lost: outcome = .unknown
        }
        outputs.append(.passwordSet(outcome))
    }
}

extension SessionKey {
    /// ENCRYPTED_NT_OWF_PASSWORD (MS-NRPC 2.2.1.1.4, 3.4.5.2.6): the hash under the session key.
    package func concealed(owf: Bytes16) -> Bytes16 {
        var hash = owf.bytes
        defer { Wipe.bytes(&hash) }
        if cipher == .aes {
            conceal(&hash)
            return Bytes16(hash)
        }
        // MS-SAMR 2.2.11.1.1, with two parts of the session key.
        let secret = key.bytes
        let first = DES.encrypt(Bytes8(Array(hash[0..<8])), key7: Array(secret[0..<7]))
        let second = DES.encrypt(Bytes8(Array(hash[8..<16])), key7: Array(secret[7..<14]))
        return Bytes16(first.bytes + second.bytes)
    }
}
