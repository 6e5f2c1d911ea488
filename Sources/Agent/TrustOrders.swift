import Crypto
import Domain
import Wire

/// What administrators order about domains that may trust ours: `postern trust permit` and
/// `revoke`. Each such domain has an interdomain trust account of its name and `$`.
enum TrustOrders {
    /// Makes the account, or gives the one that is there another password.
    static func permit(
        _ name: String, _ secret: Secret?, _ domain: LocalDomain, now: UInt64
    ) throws(DomainError) -> OrderResult {
        guard let secret, !secret.bytes.isEmpty else {
            return OrderResult(.misused, "\(name): no password is given\n")
        }
        let name = accountName(name)
        let known = domain.account(name)
        if let known, !known.flags.contains(.interdomainTrust) {
            return .refused("\(name) is another kind of account; remove it first")
        }
        try domain.change { () throws(DomainError) in
            let account: Account
            if let known {
                account = known
            } else {
                account = try domain.createAccount(name, flags: .interdomainTrust)
                try domain.updateAccount(account.rid) {
                    // The trusting domain changes it, when it sees fit.
                    $0.flags.insert(.passwordNeverExpires)
                }
            }
            try domain.setPassword(account.rid, NewPassword(secret), now: now)
        }
        return .done(
            known == nil
                ? "\(domain.name): may be trusted by \(name.dropLast())"
                : "\(domain.name): \(name.dropLast()) has a new password")
    }

    static func revoke(
        _ name: String, _ domain: LocalDomain
    ) throws(DomainError) -> OrderResult {
        let name = accountName(name)
        guard let account = domain.account(name), account.flags.contains(.interdomainTrust)
        else { return .refused("\(domain.name): \(name.dropLast()) is not permitted to trust it") }
        try domain.deleteAccount(account.rid)
        return .done("\(domain.name): may no longer be trusted by \(name.dropLast())")
    }

    /// The names of the domains that may trust ours, a line each.
    static func list(_ domain: LocalDomain) -> OrderResult {
        var text = ""
        for account in domain.accounts.elements
        where account.flags.contains(.interdomainTrust) {
            text += account.name.dropLast() + "\n"
        }
        return OrderResult(.done, text)
    }

    private static func accountName(_ name: String) -> String {
        let upper = LocalDomain.fold(name)
        return upper.utf8.last == UInt8(ascii: "$") ? upper : upper + "$"
    }
}
