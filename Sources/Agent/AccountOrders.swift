import Consumers
import Crypto
import Domain
import Wire

/// What an order about the embedded domain ended with, for the terminal.
package struct OrderResult: Equatable {
    package enum Outcome: Equatable {
        case done
        case refused
        /// The order itself makes no sense.
        case misused
    }

    package var outcome: Outcome
    package var text: String

    package init(_ outcome: Outcome, _ text: String) {
        self.outcome = outcome
        self.text = text
    }

    static func done(_ text: String) -> OrderResult { OrderResult(.done, text + "\n") }
    static func refused(_ text: String) -> OrderResult { OrderResult(.refused, text + "\n") }
}

/// What administrators order about accounts: `postern account …`, carried out by the running agent
/// or, where none runs, on the state directly.
///
///     add NAME KIND FULL-NAME COMMENT        the password is the request's secret, if any
///     set-password NAME [must-change]        likewise
///     remove | enable | disable | unlock NAME
///     list [NAME]
///     import FIRST-LINE                      the secret is lines of a smbpasswd file
///     permit DOMAIN | revoke DOMAIN | trusts whether that domain may trust ours
///
/// Before each stands the domain's name, which may be empty where there is one only.
package enum AccountOrders {
    /// What `add` may be told to make.
    package enum Kind: String, CaseIterable {
        case user, machine, bdc, trust

        var flags: AccountFlags {
            switch self {
            case .user: .normal
            case .machine: .workstationTrust
            case .bdc: .serverTrust
            case .trust: .interdomainTrust
            }
        }
    }

    package static func run(
        _ request: CommandRequest, _ domains: [LocalDomain], now: UInt64
    ) -> OrderResult {
        guard request.arguments.count >= 2 else { return OrderResult(.misused, "no order\n") }
        let domain: LocalDomain
        switch find(request.arguments[1], domains) {
        case .found(let found): domain = found
        case .none(let text): return .refused(text)
        }
        var rest = Array(request.arguments.dropFirst(2))
        let verb = request.arguments[0]
        if verb == "list" {
            return AccountListing.run(domain, rest.first, json: request.wantsJSON, now: now)
        }
        if verb == "trusts" { return TrustOrders.list(domain) }
        guard !rest.isEmpty else { return OrderResult(.misused, "\(verb): of whom?\n") }
        let name = rest.removeFirst()
        do throws(DomainError) {
            switch verb {
            case "add": return try add(name, rest, request.secret, domain, now)
            case "set-password":
                return try setPassword(
                    name, request.secret, mustChange: rest.first == "must-change", domain, now)
            case "remove":
                try domain.deleteAccount(try account(name, domain).rid)
                return .done("\(name): removed")
            case "enable", "disable":
                return try setDisabled(name, verb == "disable", domain)
            case "unlock":
                try domain.unlock(try account(name, domain).rid)
                return .done("\(name): not locked out")
            case "import": return importLines(name, request.secret, domain, now)
            case "permit":
                return try TrustOrders.permit(name, request.secret, domain, now: now)
            case "revoke": return try TrustOrders.revoke(name, domain)
            case _: return OrderResult(.misused, "there is no order \(verb)\n")
            }
        } catch {
            return refusal(name, error, domain)
        }
    }

    static func refusal(
        _ name: String, _ error: DomainError, _ domain: LocalDomain
    ) -> OrderResult {
        guard error.status == .invalidDomainRole else {
            return .refused("\(name): \(error.description)")
        }
        let primary = domain.header.replicaSource
        return .refused(
            "\(name): this host is a backup controller of \(domain.name); accounts are changed at "
                + "its primary\(primary.isEmpty ? "" : " " + primary)")
    }

    package enum Found {
        case found(LocalDomain)
        case none(String)
    }

    package static func find(_ name: String, _ domains: [LocalDomain]) -> Found {
        if name.isEmpty, domains.count == 1 { return .found(domains[0]) }
        if domains.isEmpty { return .none("there is no [local domain NAME] with accounts") }
        if let found = domains.first(where: { Agent.same($0.name, name) }) {
            return .found(found)
        }
        let known = domains.map { $0.name }.joined(separator: ", ")
        return .none(
            name.isEmpty
                ? "which domain? --domain may be: \(known)"
                : "there is no local domain \(name); there is: \(known)")
    }

    static func account(
        _ name: String, _ domain: LocalDomain
    ) throws(DomainError) -> Account {
        guard let account = domain.account(name) else { throw DomainError(.noSuchUser) }
        return account
    }

    // MARK: Orders

    private static func add(
        _ name: String, _ rest: [String], _ secret: Secret?, _ domain: LocalDomain, _ now: UInt64
    ) throws(DomainError) -> OrderResult {
        guard rest.count == 3, let kind = Kind(rawValue: rest[0]) else {
            return OrderResult(.misused, "add NAME KIND FULL-NAME COMMENT\n")
        }
        let account = try domain.change { () throws(DomainError) -> Account in
            let account = try domain.createAccount(full(name, kind), flags: kind.flags)
            try domain.updateAccount(account.rid) {
                $0.fullName = rest[1]
                $0.adminComment = rest[2]
                // Their secrets are changed by their owners, when these see fit.
                if account.isMachine { $0.flags.insert(.passwordNeverExpires) }
            }
            if let secret {
                try domain.setPassword(account.rid, NewPassword(secret), now: now)
            }
            return account
        }
        let note = secret == nil ? "; without a password nobody can log on as it" : ""
        return .done("\(account.name): added, \(domain.sid(of: account.rid).description)\(note)")
    }

    /// Names of computers and domains are in capitals and end in `$`.
    private static func full(_ name: String, _ kind: Kind) -> String {
        if kind == .user { return name }
        let upper = LocalDomain.fold(name)
        return upper.utf8.last == UInt8(ascii: "$") ? upper : upper + "$"
    }

    private static func setPassword(
        _ name: String, _ secret: Secret?, mustChange: Bool, _ domain: LocalDomain, _ now: UInt64
    ) throws(DomainError) -> OrderResult {
        guard let secret else { return OrderResult(.misused, "\(name): no password is given\n") }
        let account = try account(name, domain)
        try domain.setPassword(
            account.rid, NewPassword(secret), mustChange: mustChange, now: now)
        return .done("\(account.name): the password is set")
    }

    private static func setDisabled(
        _ name: String, _ isDisabled: Bool, _ domain: LocalDomain
    ) throws(DomainError) -> OrderResult {
        let account = try account(name, domain)
        try domain.updateAccount(account.rid) {
            if isDisabled { $0.flags.insert(.disabled) } else { $0.flags.remove(.disabled) }
        }
        return .done("\(account.name): \(isDisabled ? "disabled" : "enabled")")
    }

    /// Answers with the numbers of new and changed accounts; then a line for each that was not
    /// taken, by its number in the file. What can be taken is, all of it in one change.
    private static func importLines(
        _ firstLine: String, _ lines: Secret?, _ domain: LocalDomain, _ now: UInt64
    ) -> OrderResult {
        guard let first = UInt32(firstLine), first > 0, let bytes = lines?.bytes else {
            return OrderResult(.misused, "import FIRST-LINE\n")
        }
        var number = UInt64(first)
        var counts = (new: 0, changed: 0)
        var problems = ""
        let pieces = bytes.split(separator: 10, omittingEmptySubsequences: false)
        do throws(DomainError) {
            try domain.change { () throws(DomainError) in
                for piece in pieces {
                    let line = Array(piece)
                    defer { number &+= 1 }
                    guard SmbpasswdEntry.isEntry(line) else { continue }
                    if let problem = take(line, domain, now, &counts) {
                        problems += "line \(number): \(problem)\n"
                    }
                }
            }
        } catch {
            return refusal("lines \(firstLine) and following", error, domain)
        }
        return OrderResult(
            problems.isEmpty ? .done : .refused, "\(counts.new) \(counts.changed)\n\(problems)")
    }

    /// What is wrong with the line, or nil.
    private static func take(
        _ line: [UInt8], _ domain: LocalDomain, _ now: UInt64,
        _ counts: inout (new: Int, changed: Int)
    ) -> String? {
        let entry: SmbpasswdEntry
        do throws(SmbpasswdEntry.Malformed) {
            entry = try SmbpasswdEntry(line)
        } catch {
            return error.description
        }
        do throws(DomainError) {
            if try domain.take(entry, now: now) { counts.new += 1 } else { counts.changed += 1 }
            return nil
        } catch {
            return "\(entry.name): \(error.description)"
        }
    }
}
