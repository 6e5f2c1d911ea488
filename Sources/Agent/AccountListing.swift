import Consumers
import Domain
import Wire

/// Accounts and groups as tables and as JSON.
enum AccountListing {
    static func run(
        _ domain: LocalDomain, _ name: String?, json: Bool, now: UInt64
    ) -> OrderResult {
        var shown = domain.accounts.elements[...]
        if let name {
            shown = shown.filter { Agent.same($0.name, name) }[...]
            if shown.isEmpty { return .refused("\(name): there is no such account") }
        }
        if json {
            var writer = JSONWriter()
            writer.array { list in
                for account in shown { list.object { member(account, domain, now, &$0) } }
            }
            return .done(writer.finish())
        }
        var text = padded("NAME", 21) + padded("RID", 8) + padded("STATE", 26) + "FULL NAME\n"
        for account in shown {
            text += padded(account.name, 21) + padded(String(account.rid), 8)
                + padded(state(of: account, domain, now), 26) + account.fullName + "\n"
        }
        return OrderResult(.done, text)
    }

    static func padded(_ text: String, _ width: Int) -> String {
        let count = text.unicodeScalars.count
        return text + String(repeating: " ", count: max(1, width - count))
    }

    private static func kind(_ account: Account) -> String {
        if account.flags.contains(.workstationTrust) { return "machine" }
        if account.flags.contains(.serverTrust) { return "bdc" }
        return account.flags.contains(.interdomainTrust) ? "trust" : "user"
    }

    private static func state(
        of account: Account, _ domain: LocalDomain, _ now: UInt64
    ) -> String {
        var words: [String] = []
        if account.isMachine { words.append(kind(account)) }
        if account.isDisabled { words.append("disabled") }
        if domain.isLockedOut(account, now: now) { words.append("locked out") }
        if account.ntHash == nil { words.append("no password") }
        if account.accountExpires != 0, account.accountExpires <= now { words.append("expired") }
        if account.ntHash != nil, domain.passwordMustChange(account) <= now {
            words.append("must change")
        }
        return words.joined(separator: ", ")
    }

    private static func member(
        _ account: Account, _ domain: LocalDomain, _ now: UInt64, _ object: inout JSONWriter
    ) {
        object.member("name", account.name)
        object.member("rid", Int(account.rid))
        object.member("sid", domain.sid(of: account.rid).description)
        object.member("kind", kind(account))
        object.member("fullName", account.fullName)
        object.member("comment", account.adminComment)
        object.member("disabled", account.isDisabled)
        object.member("lockedOut", domain.isLockedOut(account, now: now))
        object.member("hasPassword", account.ntHash != nil)
        object.array("groups") { list in
            for rid in account.groupRIDs { list.value(domain.groups[rid]?.name ?? String(rid)) }
        }
        object.member("logonCount", Int(account.logonCount))
        object.member("badPasswordCount", Int(account.badPasswordCount))
        time("passwordLastSet", account.passwordLastSet, &object)
        time("passwordMustChange", domain.passwordMustChange(account), &object)
        time("lastLogon", account.lastLogon, &object)
    }

    /// Seconds since 1970, or null.
    private static func time(_ name: String, _ time: UInt64, _ object: inout JSONWriter) {
        object.key(name)
        if let seconds = DomainTime.unix(time) {
            object.value(Int(clamping: seconds))
        } else {
            object.null()
        }
    }
}
