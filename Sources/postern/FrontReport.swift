import Consumers
import Front
import Loop

/// The front's part of `postern status`.
enum FrontReport {
    private struct Count {
        let name: StaticString
        let words: String
        let count: Int

        init(_ name: StaticString, _ words: String, _ count: Int) {
            self.name = name
            self.words = words
            self.count = count
        }
    }

    private static func smb(_ front: Front) -> [Count] {
        let counters = front.smb.counters
        return [
            Count("connections", "connections", counters.connections),
            Count("refusedConnections", "refused", counters.refusedConnections),
            Count("logons", "logons", counters.logons),
            Count("failedLogons", "logons failed", counters.failedLogons),
            Count("refusedGuesses", "guesses refused", counters.refusedGuesses),
            Count("plainPasswords", "passwords in clear refused", counters.plainPasswords),
            Count("badSignatures", "bad signatures", counters.badSignatures),
            Count("malformed", "malformed", counters.malformed),
            Count("malformedCalls", "malformed calls", counters.malformedCalls),
            Count("expired", "timed out", counters.expired),
            Count("overLimit", "over the limit", counters.overLimit),
        ]
    }

    private static func rpc(_ front: Front) -> [Count] {
        let counters = front.rpc.counters
        return [
            Count("associations", "associations", counters.associations),
            Count("broken", "broken", counters.broken),
            Count("badStubs", "malformed calls", front.rpc.badStubs),
            Count("overLimit", "over the limit", counters.overLimit),
            Count("bindsValidated", "users bound", counters.bindsValidated),
            Count("bindsRefused", "users refused", counters.bindsRefused),
        ]
    }

    private static func netlogon(_ service: NetlogonService) -> [Count] {
        let counters = service.counters
        return [
            Count("channels", "channels", service.channels.count),
            Count("established", "established", service.channels.established),
            Count("claimsRefused", "wrong secrets", service.channels.refused),
            Count("logons", "logons", counters.logons),
            Count("accepted", "accepted", counters.accepted),
            Count("refused", "refused", counters.refused),
            Count("passedOn", "passed on", counters.passedOn),
            Count("unsealed", "unsealed calls refused", counters.unsealed),
        ]
    }

    static func text(_ front: Front, open: Int, turnedAway: Int) -> String {
        var text = "\nfront\n"
        text += line("open", "\(open) connections, \(turnedAway) turned away")
        text += line("SMB", list(smb(front))) + line("RPC", list(rpc(front)))
        if let netlogon = front.netlogon { text += line("NETLOGON", list(self.netlogon(netlogon))) }
        return text
    }

    private static func list(_ counts: [Count]) -> String {
        let some = counts.filter { $0.count > 0 }.map { "\($0.count) \($0.words)" }
        return some.isEmpty ? "nothing" : some.joined(separator: ", ")
    }

    private static func line(_ name: String, _ text: String) -> String {
        "  " + Columns.padded(name, 12) + text + "\n"
    }

    static func member(
        _ front: Front, open: Int, turnedAway: Int, _ root: inout JSONWriter
    ) {
        root.object("front") { object in
            object.member("open", open)
            object.member("turnedAway", turnedAway)
            object.object("smb") { member(smb(front), &$0) }
            object.object("rpc") { member(rpc(front), &$0) }
            if let netlogon = front.netlogon {
                object.object("netlogon") { member(self.netlogon(netlogon), &$0) }
            }
        }
    }

    private static func member(_ counts: [Count], _ object: inout JSONWriter) {
        for entry in counts { object.member(entry.name, entry.count) }
    }
}
