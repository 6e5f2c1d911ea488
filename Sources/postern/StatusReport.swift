import Agent
import Consumers
import Domain
import Locator
import Loop
import Responder
import SMB
import SecureChannel
import Wire

/// `postern status`.
enum StatusReport {
    static func text(_ daemon: Daemon, json: Bool) -> String {
        json ? self.json(daemon) : table(daemon)
    }

    private static func table(_ daemon: Daemon) -> String {
        let seconds = (daemon.loop.now - daemon.started) / 1_000
        var text = "\(daemon.agent.name), running for \(Columns.age(seconds, since: 0))\n"
        for (index, domain) in daemon.agent.domains.enumerated() {
            let channel = domain.channel
            text += "\ndomain \(domain.name)\n"
            text += line("channel", channel.stateName)
            if let controller = channel.controller {
                text += line(
                    "controller",
                    "\(controller.label), \(channel.connections) connections")
            }
            for controller in domain.locator.controllers {
                text += line("", "\(controller.address.description) \(controller.hostName) "
                    + controller.health.name.description)
            }
            text += lines(domain.ledger)
            if let latency = domain.ledger.latency {
                text += line(
                    "latency", "\(Columns.milliseconds(UInt64(latency.median))) ms median, "
                        + "\(Columns.milliseconds(UInt64(latency.high))) ms 99th percentile")
            }
            let counters = channel.counters
            text += line(
                "keys", "\(counters.keysMade) made, \(counters.takeovers) taken over, "
                    + "\(counters.connectionsLost) connections lost, \(counters.retried) retried")
            text += line("secret", daemon.secretAge(index))
        }
        for (index, local) in daemon.agent.locals.enumerated() {
            text += self.text(local, daemon.agent.pullState(index, now: daemon.loop.now))
        }
        if let winbind = daemon.winbind { text += self.text(winbind) }
        text += ClientReport.text(daemon.agent.clients)
        return text + face(daemon)
    }

    private static func text(_ winbind: WinbindSocket) -> String {
        let counters = winbind.counters
        return "\nwinbind socket\n"
            + line(
                "clients", "\(winbind.openConnections), \(winbind.refusedClients) turned away")
            + line(
                "requests", "\(counters.requests), \(counters.unknown) of a kind unknown here")
    }

    private static func lines(_ ledger: Ledger) -> String {
        var text = line(
            "logons", "\(ledger.accepted) accepted, \(ledger.refused) refused, "
                + "\(ledger.unavailable) unavailable, \(ledger.blockedByPolicy) blocked by policy")
        if ledger.repeated > 0 {
            text += line("", "\(ledger.repeated) refused again without asking")
        }
        for proof in Ledger.Proof.allCases where ledger.counts[proof.rawValue] > 0 {
            text += line("", "\(ledger.counts[proof.rawValue]) by \(proof.name)")
        }
        return text
    }

    private static func text(_ local: AgentLocalDomain, _ pull: PullState?) -> String {
        let domain = local.domain
        var text = "\nlocal domain \(domain.name)\n"
        text += line("role", domain.role.name)
        if let pull { text += line("copy", pull.words) }
        text += line("sid", domain.sid.description)
        text += line(
            "accounts", "\(domain.accounts.count), \(domain.groups.count) groups")
        let trusting = domain.trustingDomains
        if trusting > 0 { text += line("trusts", "may be trusted by \(trusting) domains") }
        text += line("changes", "\(domain.serial(of: .sam))")
        return text + lines(local.ledger)
    }

    /// What the NetBIOS face answered, and what it did not and why.
    private static func face(_ daemon: Daemon) -> String {
        guard let counters = daemon.names.counters else { return "" }
        let names = daemon.names.ownedNames
        var text = "\nlistening\n"
        text += line("names", names.isEmpty ? "none yet" : names.joined(separator: ", "))
        if let count = daemon.names.winsNames { text += line("WINS", "\(count) names") }
        let list = daemon.names.neighbourhood
        if let servers = list?.servers, let domains = list?.domains, !servers.isEmpty {
            let role = daemon.names.isMasterBrowser ? ", master browser" : ""
            text += line(
                "browser", "\(servers.count) servers, \(domains.count) domains" + role)
        }
        text += line("answered", self.list(counters.answered))
        text += line("ignored", self.list(counters.ignored))
        guard let sockets = daemon.front, let front = sockets.front else { return text }
        return text + FrontReport.text(
            front, open: sockets.openConnections, turnedAway: sockets.turnedAway)
    }

    private static func list(_ counts: [ResponderCounters.Count]) -> String {
        let some = counts.filter { $0.count > 0 }.map { "\($0.count) \($0.words)" }
        return some.isEmpty ? "nothing" : some.joined(separator: ", ")
    }

    private static func line(_ name: String, _ text: String) -> String {
        "  " + Columns.padded(name, 12) + text + "\n"
    }

    private static func json(_ daemon: Daemon) -> String {
        var writer = JSONWriter()
        writer.object { root in
            root.member("name", daemon.agent.name)
            root.array("domains") { list in
                for domain in daemon.agent.domains {
                    list.object { member(domain, &$0) }
                }
            }
            root.array("localDomains") { list in
                for local in daemon.agent.locals { list.object { member(local, &$0) } }
            }
            ClientReport.member(daemon.agent.clients, now: daemon.loop.now, &root)
            if let winbind = daemon.winbind {
                root.object("winbindSocket") { socket in
                    socket.member("clients", winbind.openConnections)
                    socket.member("turnedAway", winbind.refusedClients)
                    socket.member("requests", winbind.counters.requests)
                    socket.member("unknown", winbind.counters.unknown)
                }
            }
            if let sockets = daemon.front, let front = sockets.front {
                FrontReport.member(
                    front, open: sockets.openConnections, turnedAway: sockets.turnedAway,
                    &root)
            }
            guard let counters = daemon.names.counters else { return }
            root.object("listening") { face in
                face.array("names") { list in
                    for name in daemon.names.ownedNames { list.value(name) }
                }
                if let count = daemon.names.winsNames { face.member("winsNames", count) }
                face.member("isMasterBrowser", daemon.names.isMasterBrowser)
                face.array("servers") { list in
                    for server in daemon.names.neighbourhood?.servers ?? [] {
                        list.value(server.serverName)
                    }
                }
                face.array("domains") { list in
                    for domain in daemon.names.neighbourhood?.domains ?? [] {
                        list.value(domain.serverName)
                    }
                }
                face.object("answered") { member(counters.answered, &$0) }
                face.object("ignored") { member(counters.ignored, &$0) }
            }
        }
        return writer.finish() + "\n"
    }

    private static func member(
        _ counts: [ResponderCounters.Count], _ object: inout JSONWriter
    ) {
        for entry in counts { object.member(entry.name, entry.count) }
    }

    private static func member(_ domain: AgentDomain, _ object: inout JSONWriter) {
        let channel = domain.channel
        object.member("name", domain.name)
        object.member("channel", channel.stateName)
        object.member("controller", channel.controller?.address.description ?? "")
        object.member("connections", channel.connections)
        object.array("controllers") { list in
            for controller in domain.locator.controllers {
                list.object {
                    $0.member("address", controller.address.description)
                    $0.member("name", controller.hostName)
                    $0.member("health", controller.health.name.description)
                }
            }
        }
        member(domain.ledger, &object)
        if let latency = domain.ledger.latency {
            object.object("latencyMilliseconds") {
                $0.key("median")
                $0.value(thousandths: Int(latency.median))
                $0.key("high")
                $0.value(thousandths: Int(latency.high))
            }
        }
        object.object("channelCounters") {
            let counters = channel.counters
            $0.member("keysMade", counters.keysMade)
            $0.member("takeovers", counters.takeovers)
            $0.member("connectionsLost", counters.connectionsLost)
            $0.member("retried", counters.retried)
            $0.member("deadlines", counters.deadlines)
            $0.member("overloaded", counters.overloaded)
            $0.member("badReplies", counters.badReplies)
        }
    }

    private static func member(_ ledger: Ledger, _ object: inout JSONWriter) {
        object.object("logons") {
            $0.member("accepted", ledger.accepted)
            $0.member("refused", ledger.refused)
            $0.member("unavailable", ledger.unavailable)
            $0.member("blockedByPolicy", ledger.blockedByPolicy)
            $0.member("repeated", ledger.repeated)
        }
        object.object("byProtocol") {
            for proof in Ledger.Proof.allCases {
                $0.key(proof.name)
                $0.value(ledger.counts[proof.rawValue])
            }
        }
    }

    private static func member(_ local: AgentLocalDomain, _ object: inout JSONWriter) {
        let domain = local.domain
        object.member("name", domain.name)
        object.member("role", domain.role.name)
        object.member("sid", domain.sid.description)
        object.member("accounts", domain.accounts.count)
        object.member("groups", domain.groups.count)
        object.member("trustingDomains", domain.trustingDomains)
        object.member("serial", Int(clamping: domain.serial(of: .sam)))
        member(local.ledger, &object)
    }
}

extension LocalDomain {
    /// The domains that may trust this one: those that `postern trust list` shows.
    fileprivate var trustingDomains: Int {
        accounts.elements.count { $0.flags.contains(.interdomainTrust) }
    }
}
