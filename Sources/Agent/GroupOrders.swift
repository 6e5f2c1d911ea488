import Consumers
import Domain
import Wire

/// What administrators order about groups: `postern group …`.
///
///     add NAME COMMENT
///     remove NAME
///     list [NAME]
///     add-member | remove-member NAME ACCOUNT
///
/// Before each stands the domain's name, which may be empty where there is one only.
package enum GroupOrders {
    package static func run(_ request: CommandRequest, _ domains: [LocalDomain]) -> OrderResult {
        guard request.arguments.count >= 2 else { return OrderResult(.misused, "no order\n") }
        let domain: LocalDomain
        switch AccountOrders.find(request.arguments[1], domains) {
        case .found(let found): domain = found
        case .none(let text): return .refused(text)
        }
        var rest = Array(request.arguments.dropFirst(2))
        let verb = request.arguments[0]
        if verb == "list" { return list(domain, rest.first, json: request.wantsJSON) }
        guard !rest.isEmpty else { return OrderResult(.misused, "\(verb): of which group?\n") }
        let name = rest.removeFirst()
        do throws(DomainError) {
            switch verb {
            case "add": return try add(name, rest.first ?? "", domain)
            case "remove":
                try domain.deleteGroup(try group(name, domain).rid)
                return .done("\(name): removed")
            case "add-member", "remove-member":
                guard let member = rest.first else {
                    return OrderResult(.misused, "\(verb): whom?\n")
                }
                return try change(verb == "add-member", member, name, domain)
            case _: return OrderResult(.misused, "there is no order \(verb)\n")
            }
        } catch {
            return AccountOrders.refusal(name, error, domain)
        }
    }

    private static func group(
        _ name: String, _ domain: LocalDomain
    ) throws(DomainError) -> Group {
        guard let group = domain.group(name) else { throw DomainError(.noSuchGroup) }
        return group
    }

    private static func add(
        _ name: String, _ comment: String, _ domain: LocalDomain
    ) throws(DomainError) -> OrderResult {
        let group = try domain.change { () throws(DomainError) -> Group in
            let group = try domain.createGroup(name)
            try domain.updateGroup(group.rid) { $0.comment = comment }
            return group
        }
        return .done("\(name): added, \(domain.sid(of: group.rid).description)")
    }

    private static func change(
        _ isAddition: Bool, _ member: String, _ name: String, _ domain: LocalDomain
    ) throws(DomainError) -> OrderResult {
        let group = try group(name, domain)
        let account = try AccountOrders.account(member, domain)
        if isAddition {
            try domain.addMember(account.rid, to: group.rid)
        } else {
            try domain.removeMember(account.rid, from: group.rid)
        }
        return .done("\(group.name): \(isAddition ? "has" : "no longer has") \(account.name)")
    }

    private static func list(_ domain: LocalDomain, _ name: String?, json: Bool) -> OrderResult {
        var shown = domain.groups.elements[...]
        if let name {
            shown = shown.filter { Agent.same($0.name, name) }[...]
            if shown.isEmpty { return .refused("\(name): there is no such group") }
        }
        if json {
            var writer = JSONWriter()
            writer.array { list in
                for group in shown { list.object { member(group, domain, &$0) } }
            }
            return .done(writer.finish())
        }
        let padded = AccountListing.padded
        var text = padded("NAME", 28) + padded("RID", 8) + padded("MEMBERS", 9) + "COMMENT\n"
        for group in shown {
            let members = domain.members(of: group.rid)
            text += padded(group.name, 28) + padded(String(group.rid), 8)
                + padded(String(members.count), 9) + group.comment + "\n"
            if name != nil {
                for rid in members { text += "  \(domain.accounts[rid]?.name ?? "")\n" }
            }
        }
        return OrderResult(.done, text)
    }

    private static func member(
        _ group: Group, _ domain: LocalDomain, _ object: inout JSONWriter
    ) {
        object.member("name", group.name)
        object.member("rid", Int(group.rid))
        object.member("sid", domain.sid(of: group.rid).description)
        object.member("comment", group.comment)
        object.array("members") { list in
            for rid in domain.members(of: group.rid) {
                list.value(domain.accounts[rid]?.name ?? "")
            }
        }
    }
}
