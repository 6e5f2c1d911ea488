import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import Wire

// Changes by who knows the old password. None needs a session: the proof is in the call. One that
// does not hold counts as a wrong password, so that nobody guesses here without being locked out.

extension SAMRService {
    /// The domain's own lock-out comes first where there is one. There need be none, and a
    /// computer's account is never locked: then it is a few guesses a minute, after a start that
    /// programs with a wrong password in them survive.
    static var guessLimits: GuessLimits {
        var limits = GuessLimits()
        limits.perAccount = 1_000
        limits.accountDecay = 3_000
        limits.perSource = 1_000
        limits.sourceDecay = 1_000
        return limits
    }

    /// Hashes under hashes (MS-SAMR 3.1.5.10.1).
    func changePassword(
        _ request: SamrChangePasswordUser.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(SAMRRefusal) {
        let account = try account(
            request.userHandle, caller, needs: SAMRAccess.User.changePassword)
        guard request.ntPresent || request.lmPresent else { throw .status(.invalidParameter) }
        if !request.ntPresent, !request.ntCrossEncryptionPresent {
            throw .status(.ntCrossEncryptionRequired)
        }
        try prove(account.name, caller, now) { nt, lm in
            if request.ntPresent { return Self.byNT(request, nt) }
            guard let lm else { return nil }
            return Self.byLM(request, lm)
        }
    }

    private static func byNT(
        _ request: SamrChangePasswordUser.Request, _ old: Bytes16
    ) -> NewPassword? {
        guard let oldUnderNew = request.oldNTEncryptedWithNewNT,
            let newUnderOld = request.newNTEncryptedWithOldNT
        else { return nil }
        let new = HashEncryption.decrypt(newUnderOld, key: old)
        guard HashEncryption.decrypt(oldUnderNew, key: new) == old else { return nil }
        var lm: Bytes16?
        if request.lmCrossEncryptionPresent, let under = request.newLMEncryptedWithNewNT {
            lm = HashEncryption.decrypt(under, key: new)
        }
        return NewPassword(nt: new, lm: lm)
    }

    private static func byLM(
        _ request: SamrChangePasswordUser.Request, _ old: Bytes16
    ) -> NewPassword? {
        guard let oldUnderNew = request.oldLMEncryptedWithNewLM,
            let newUnderOld = request.newLMEncryptedWithOldLM,
            let ntUnderLM = request.newNTEncryptedWithNewLM
        else { return nil }
        let new = HashEncryption.decrypt(newUnderOld, key: old)
        guard HashEncryption.decrypt(oldUnderNew, key: new) == old else { return nil }
        return NewPassword(nt: HashEncryption.decrypt(ntUnderLM, key: new), lm: new)
    }

    /// The new password under the old LM hash (MS-SAMR 3.1.5.10.2).
    func changePassword(
        _ request: SamrOemChangePasswordUser2.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(SAMRRefusal) {
        guard let encrypted = request.newPasswordEncryptedWithOldLM,
            let verifier = request.oldLMOwfPasswordEncryptedWithNewLM
        else { throw .status(.invalidParameter) }
        try prove(OEMCodePage.string(request.userName), caller, now) { _, lm in
            lm.flatMap { NewPassword(encrypted, verifier: verifier, oldLM: $0) }
        }
    }

    /// The new password under the old NT hash (MS-SAMR 3.1.5.10.3).
    func changePassword(
        _ request: SamrUnicodeChangePasswordUser2.Request, _ caller: RemoteCaller,
        _ now: FrontTime
    ) throws(SAMRRefusal) {
        guard let encrypted = request.newPasswordEncryptedWithOldNT,
            let verifier = request.oldNTOwfPasswordEncryptedWithNewNT
        else { throw .status(.invalidParameter) }
        try prove(request.userName, caller, now) { nt, _ in
            guard let password = SAMPassword.open(encrypted, key: nt.bytes),
                password.bytes.count % 2 == 0
            else { return nil }
            let new = NTOWF.v1(utf16LE: password)
            guard HashEncryption.decrypt(verifier, key: new) == nt else { return nil }
            return NewPassword(utf16LE: password)
        }
    }

    private func prove(
        _ name: String, _ caller: RemoteCaller, _ now: FrontTime,
        _ proof: (Bytes16, Bytes16?) -> NewPassword?
    ) throws(SAMRRefusal) {
        let account = AccountKey(name)
        if guesses.permission(account, from: caller.peer, now: now.now) == .refuse {
            throw .status(.accountLockedOut)
        }
        do throws(DomainError) {
            try domain.changePassword(of: name, now: now.fileTime, proof)
            guesses.succeeded(account)
        } catch {
            if error.status.isGuess { guesses.failed(account, from: caller.peer, now: now.now) }
            throw .status(error.status)
        }
    }
}

extension NewPassword {
    /// In the OEM code page under the old LM hash, and that under the new one, which shows that
    /// the sender knows both; nil where it does not.
    init?(_ encrypted: FixedBytes<516>, verifier: Bytes16, oldLM: Bytes16) {
        guard let oem = SAMPassword.open(encrypted, key: oldLM.bytes) else { return nil }
        let password = OEMCodePage.string(oem.bytes)
        guard let new = LMOWF.v1(password: password),
            HashEncryption.decrypt(verifier, key: new) == oldLM
        else { return nil }
        self.init(Secret(Array(password.utf8)))
    }
}
