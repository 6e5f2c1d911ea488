import Wire

/// What to do about a status that a controller gave, in one line for an administrator.
enum Remedy {
    static func text(_ status: NTStatus, account: String, domain: String) -> String {
        switch status {
        case .accessDenied:
            "it knows \(account), but not by this secret: set the account's password and run "
                + "`postern secret import \(domain)`"
        case .noTrustSAMAccount:
            "it has no account \(account): create it there, or mend `account =`"
        case .downgradeDetected:
            "it takes no cipher weaker than AES; leave `rc4 = yes` out"
        case .noTrustLSASecret, .trustedRelationshipFailure:
            "its side of the trust is broken: make the account's password anew on both sides"
        case _:
            "see the controller's log for our account \(account)"
        }
    }
}
