import Wire

extension LocalDomain {
    /// Gives an account the password that `proof` finds, by the account's current hashes, in what
    /// its owner sent. One that is found with none counts as a wrong password. A disabled
    /// account's owner may too, as with every SAM (MS-SAMR 3.1.5.10): it stays disabled.
    package func changePassword(
        of name: String, now: UInt64, _ proof: (_ nt: Bytes16, _ lm: Bytes16?) -> NewPassword?
    ) throws(DomainError) {
        try requirePrimary()
        // What the name's owner would learn, others learn too: that it is not known.
        guard let account = account(name), let nt = account.ntHash else {
            throw DomainError(.wrongPassword)
        }
        if isLockedOut(account, now: now) { throw DomainError(.accountLockedOut) }
        guard let new = proof(nt, account.lmHash) else {
            // Something that still has the password of yesterday is no guess.
            if !account.history.prefix(Self.oldHashesKept).contains(where: {
                proof($0, nil) != nil
            }) {
                countGuess(account, now: now)
            }
            throw DomainError(.wrongPassword)
        }
        if account.accountExpires != 0, account.accountExpires <= now {
            throw DomainError(.accountExpired)
        }
        try setPassword(account.rid, new, by: .owner, now: now)
    }
}
