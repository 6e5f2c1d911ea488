import Consumers
import Locator
import Mailslot
import Wire

/// What a search for a domain's controllers found: one line for each question, then the
/// controllers.
struct SearchReport {
    /// In the order in which they are shown.
    enum Method: Int {
        case srv, host, wins, broadcast, cldap, nodeStatus, tcp

        var name: String {
            switch self {
            case .srv: "DNS SRV"
            case .host: "DNS A"
            case .wins: "WINS"
            case .broadcast: "broadcast"
            case .cldap: "CLDAP"
            case .nodeStatus: "node status"
            case .tcp: "TCP"
            }
        }
    }

    enum Answer {
        case answer(String)
        case failure(String)

        var text: String {
            switch self {
            case .answer(let text), .failure(let text): text
            }
        }

        var isFailure: Bool {
            if case .failure = self { true } else { false }
        }
    }

    struct Line {
        var method: Method
        var subject: String
        var answer: Answer
        var microseconds: UInt64
    }

    /// A controller of the domain, by its own word.
    struct Found {
        var address: IPv4Address
        var identity: ControllerIdentity
    }

    let domain: String
    private var lines: [Line] = []
    private var controllers: [Found] = []
    /// Addresses that take connections, whoever they are.
    var reached: [IPv4Address] = []
    /// Addresses of hosts that say that they are no controllers of the domain.
    var disowned: [IPv4Address] = []

    init(domain: String) { self.domain = domain }

    mutating func add(
        _ method: Method, _ subject: String, _ answer: Answer, microseconds: UInt64
    ) {
        lines.append(
            Line(method: method, subject: subject, answer: answer, microseconds: microseconds))
    }

    /// A ping's answer says more than a node's names, whichever comes first.
    mutating func foundController(_ address: IPv4Address, _ identity: ControllerIdentity) {
        if let index = controllers.firstIndex(where: { $0.address == address }) {
            if !identity.dnsHost.isEmpty { controllers[index].identity = identity }
        } else {
            controllers.append(Found(address: address, identity: identity))
        }
    }

    /// The controllers. One that only takes connections counts, as a filter may stop UDP, unless
    /// it says otherwise.
    var found: [Found] {
        var list = controllers
        for address in reached
        where !disowned.contains(address) && !list.contains(where: { $0.address == address }) {
            list.append(Found(address: address, identity: ControllerIdentity()))
        }
        return list
    }

    private var ordered: [Line] {
        let order = lines.indices.sorted {
            (lines[$0].method.rawValue, $0) < (lines[$1].method.rawValue, $1)
        }
        return order.map { lines[$0] }
    }

    // MARK: For people

    static func noAnswer(_ milliseconds: UInt64) -> String {
        let tenths = (milliseconds + 50) / 100
        return tenths % 10 == 0
            ? "no answer within \(tenths / 10) s"
            : "no answer within \(tenths / 10).\(tenths % 10) s"
    }

    static func words(_ identity: ControllerIdentity) -> String {
        var text = identity.netbiosName
        if !identity.dnsHost.isEmpty { text += " (\(identity.dnsHost))" }
        if !identity.netbiosDomain.isEmpty { text += " of \(identity.netbiosDomain)" }
        if !identity.controllerSite.isEmpty { text += ", site \(identity.controllerSite)" }
        if identity.flags.contains(.primary) { text += ", primary" }
        if identity.flags.contains(.globalCatalog) { text += ", global catalog" }
        if identity.flags.contains(.closest) { text += ", closest" }
        return text
    }

    var text: String {
        let ordered = ordered
        var width = 0
        for line in ordered { width = max(width, line.subject.count) }
        var text = ""
        for line in ordered {
            let time = Columns.milliseconds(line.microseconds)
            text += Columns.padded(line.method.name, 12) + Columns.padded(line.subject, width + 2)
            text += String(repeating: " ", count: max(0, 8 - time.count)) + time + " ms  "
            text += line.answer.text + "\n"
        }
        let found = found
        text += ordered.isEmpty ? "" : "\n"
        if found.isEmpty { return text + "no controller of \(domain) was found\n" }
        for controller in found {
            let words = Self.words(controller.identity)
            text += "controller of \(domain): \(controller.address.description)"
            text += (words.isEmpty ? "" : " \(words)") + "\n"
        }
        return text
    }

    // MARK: For programs

    var json: String {
        var writer = JSONWriter()
        writer.object { root in
            root.member("domain", domain)
            root.member("found", !found.isEmpty)
            root.array("answers") { list in
                for line in ordered {
                    list.object {
                        $0.member("method", line.method.name)
                        $0.member("subject", line.subject)
                        $0.member("answered", !line.answer.isFailure)
                        $0.member("text", line.answer.text)
                        $0.key("milliseconds")
                        $0.value(thousandths: Int(clamping: line.microseconds))
                    }
                }
            }
            root.array("controllers") { list in
                for controller in found {
                    list.object {
                        let identity = controller.identity
                        $0.member("address", controller.address.description)
                        $0.member("name", identity.netbiosName)
                        $0.member("hostName", identity.dnsHost)
                        $0.member("site", identity.controllerSite)
                        $0.member("primary", identity.flags.contains(.primary))
                    }
                }
            }
        }
        return writer.finish() + "\n"
    }
}
