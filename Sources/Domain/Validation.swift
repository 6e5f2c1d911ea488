import Crypto
import Interfaces
import NTLM
import Wire

extension LocalDomain {
    /// Validates a logon at the FILETIME `now`. What it leaves behind on the account is in memory
    /// until `saveStatistics`, but for a lock-out, which is written at once.
    ///
    /// The order is the one of SAM: nothing but the lock-out is told of an account to who does
    /// not know its password.
    package func validate(_ logon: LocalLogon, now: UInt64) -> LocalOutcome {
        guard let account = account(logon.account ?? logon.user) else {
            return .refused(.noSuchUser)
        }
        if isLockedOut(account, now: now) { return .refused(.accountLockedOut) }
        let check = ProofCheck(logon: logon, policy: proofs.narrowed(by: logon.taken))
        let keys: ProofKeys
        switch check.verdict(nt: account.ntHash, lm: account.lmHash) {
        case .blocked: return .refused(.ntlmBlocked)
        case .wrong:
            countWrongPassword(account, check, now: now)
            return .refused(.wrongPassword)
        case .right(let made): keys = made
        }
        if let status = restriction(account, logon, now: now) { return .refused(status) }
        let accepted = countLogon(account, now: now)
        return .accepted(session(accepted, keys, now: now))
    }

    /// Whether an account is locked out at `now`; a lock-out ends by itself.
    package func isLockedOut(_ account: Account, now: UInt64) -> Bool {
        account.lockoutTime != 0 && now < Self.sum(account.lockoutTime, policy.lockoutDuration)
    }

    /// The flags that others are told: with `autoLocked` where that is so.
    package func flags(of account: Account, now: UInt64) -> AccountFlags {
        isLockedOut(account, now: now) ? account.flags.union(.autoLocked) : account.flags
    }

    // MARK: Restrictions

    private func restriction(
        _ account: Account, _ logon: LocalLogon, now: UInt64
    ) -> NTStatus? {
        if account.isDisabled { return .accountDisabled }
        if account.accountExpires != 0, account.accountExpires <= now { return .accountExpired }
        if let status = kindRestriction(account, logon) { return status }
        if !account.logonHours.allows(now) { return .invalidLogonHours }
        if !mayUse(logon.workstation, account) { return .invalidWorkstation }
        let mustChange = passwordMustChange(account)
        if mustChange == 0 { return .passwordMustChange }
        return mustChange <= now ? .passwordExpired : nil
    }

    /// Computers and domains log on only where the caller says that it means them
    /// (MS-NRPC 2.2.1.4.15).
    private func kindRestriction(_ account: Account, _ logon: LocalLogon) -> NTStatus? {
        if account.flags.contains(.interdomainTrust) { return .nologonInterdomainTrustAccount }
        if account.flags.contains(.workstationTrust),
            !logon.control.contains(.allowWorkstationTrustAccount)
        {
            return .nologonWorkstationTrustAccount
        }
        if account.flags.contains(.serverTrust),
            !logon.control.contains(.allowServerTrustAccount)
        {
            return .nologonServerTrustAccount
        }
        return nil
    }

    private func mayUse(_ workstation: String, _ account: Account) -> Bool {
        if account.workstations.isEmpty { return true }
        var name = Substring(workstation)
        while name.utf8.first == UInt8(ascii: "\\") { name = name.dropFirst() }
        let folded = Self.fold(String(name))
        return account.workstations.contains { Self.fold($0) == folded }
    }

    // MARK: What a logon leaves behind

    private func countWrongPassword(_ account: Account, _ check: ProofCheck, now: UInt64) {
        // Something that still has the password of yesterday is no guess.
        for old in account.history.prefix(Self.oldHashesKept) {
            if case .right = check.verdict(nt: old, lm: nil) { return }
        }
        countGuess(account, now: now)
    }

    func countGuess(_ guessed: Account, now: UInt64) {
        var account = guessed
        let window = Self.sum(account.lastBadPassword, policy.lockoutWindow)
        if account.lockoutTime != 0 || now >= window { account.badPasswordCount = 0 }
        account.lockoutTime = 0
        account.lastBadPassword = now
        account.badPasswordCount = min(account.badPasswordCount, .max - 1) + 1
        let isFull = policy.lockoutThreshold > 0
            && account.badPasswordCount >= policy.lockoutThreshold
        // Nobody types the passwords of machines.
        guard isFull, !account.isMachine else { return keepInMemory(account) }
        account.lockoutTime = now
        lockOut(account)
    }

    private func lockOut(_ account: Account) {
        do throws(DomainError) {
            try change { () throws(DomainError) in
                put(account)
                if role == .primary { log(.sam, .changeUser, flags: .immediate, rid: account.rid) }
            }
        } catch {
            // Locked out nevertheless, for as long as this process lives.
            keepInMemory(account)
        }
    }

    private func countLogon(_ account: Account, now: UInt64) -> Account {
        var account = account
        account.badPasswordCount = 0
        account.lockoutTime = 0
        account.lastLogon = now
        account.logonCount = min(account.logonCount, .max - 1) + 1
        keepInMemory(account)
        return account
    }

    /// Notes that a user logged off (MS-NRPC 3.5.4.5.4).
    package func noteLogoff(_ user: String, now: UInt64) {
        guard var account = account(user) else { return }
        account.lastLogoff = now
        keepInMemory(account)
    }

    /// Undoes a lock-out.
    package func unlock(_ rid: UInt32) throws(DomainError) {
        try updateAccount(rid) {
            $0.lockoutTime = 0
            $0.badPasswordCount = 0
        }
    }

    // MARK: The session

    private func session(_ account: Account, _ keys: ProofKeys, now: UInt64) -> LocalSession {
        var flags: UserFlags = []
        if keys.usedLM { flags.insert(.lmKey) }
        if keys.isNTLMv2 { flags.insert(.ntlmV2) }
        if account.rid == WellKnownRID.guest { flags.insert(.guest) }
        if account.flags.contains(.serverTrust) { flags.insert(.serverTrustAccount) }
        var logoff = account.logonHours.end(after: now)
        if account.accountExpires != 0 { logoff = min(logoff, account.accountExpires) }
        return LocalSession(
            account: account, sessionKey: keys.session, lmKey: keys.lm, userFlags: flags,
            logoffTime: logoff, kickOffTime: Self.sum(logoff, policy.forceLogoff),
            passwordCanChange: passwordCanChange(account),
            passwordMustChange: passwordMustChange(account), domainName: header.name,
            domainSID: header.sid)
    }
}
