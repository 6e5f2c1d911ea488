import Agent
import Consumers
import Front
import Wire

/// The part of `postern status` that tells who logs on by which protocol.
enum ClientReport {
    /// A line a client and protocol, the clients that were seen last first.
    static func text(_ ledger: ClientLedger) -> String {
        let clients = ledger.clients
        if clients.isEmpty { return "" }
        var text = "\nlogons by client\n"
        text += "  " + Columns.padded("CLIENT", 18) + Columns.padded("AT", 9)
            + Columns.padded("COMPUTER", 18) + Columns.padded("PROTOCOL", 13)
            + "ACCEPTED   REFUSED  NOT TAKEN  UNAVAILABLE\n"
        for client in clients {
            for proof in Ledger.Proof.allCases where client.uses(proof) {
                text += "  " + Columns.padded(address(client.origin), 18)
                    + Columns.padded(place(client.origin), 9)
                    + Columns.padded(client.computer, 18) + Columns.padded(proof.name, 13)
                    + right(client.count(proof, .accepted), 8)
                    + right(client.count(proof, .refused), 10)
                    + right(client.count(proof, .blocked), 11)
                    + right(client.count(proof, .unavailable), 13) + "\n"
            }
        }
        if ledger.forgotten > 0 {
            text += "  and \(ledger.forgotten) that were silent for longer\n"
        }
        return text
    }

    private static func right(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: " ", count: max(1, width - digits.utf8.count)) + digits
    }

    private static func address(_ origin: LogonOrigin) -> String {
        switch origin {
        case .host: "this host"
        case .network(_, let address): address.description
        }
    }

    /// The listener, as the configuration names it.
    private static func place(_ origin: LogonOrigin) -> String {
        switch origin {
        case .host: "-"
        case .network(.session, _): "139"
        case .network(.direct, _): "445"
        case .network(.rpc, _): "rpc"
        case .network(.member, _): "members"
        }
    }

    private static func name(_ result: LogonResult) -> String {
        switch result {
        case .accepted: "accepted"
        case .refused: "refused"
        case .blocked: "notTaken"
        case .unavailable: "unavailable"
        }
    }

    static func member(_ ledger: ClientLedger, now: UInt64, _ root: inout JSONWriter) {
        root.member("forgottenClients", ledger.forgotten)
        root.array("clients") { list in
            for client in ledger.clients {
                list.object { object in
                    object.member("address", address(client.origin))
                    object.member("listener", place(client.origin))
                    object.member("computer", client.computer)
                    object.member("secondsSilent", Int(clamping: (now - client.lastSeen) / 1_000))
                    object.object("byProtocol") { protocols in
                        for proof in Ledger.Proof.allCases where client.uses(proof) {
                            protocols.key(proof.name)
                            protocols.object { counts in
                                for result in LogonResult.allCases {
                                    counts.key(name(result))
                                    counts.value(client.count(proof, result))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
