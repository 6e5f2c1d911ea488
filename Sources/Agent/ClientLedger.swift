import Domain
import SecureChannel
import Wire

/// What became of a logon.
package enum LogonResult: Int, CaseIterable {
    case accepted, refused
    /// The protocol is not taken: by the listener's policy, the domain's, or its controller's.
    case blocked
    case unavailable

    init(_ outcome: LogonOutcome) {
        switch outcome {
        case .accepted: self = .accepted
        case .refused(.ntlmBlocked, _): self = .blocked
        case .refused: self = .refused
        case .unavailable: self = .unavailable
        }
    }

    init(_ outcome: LocalOutcome) {
        switch outcome {
        case .accepted: self = .accepted
        case .refused(.ntlmBlocked): self = .blocked
        case .refused: self = .refused
        }
    }
}

/// What is counted of a logon, and what the log tells of one whose protocol is not taken.
package struct CountedLogon {
    package let origin: LogonOrigin
    package let proof: Ledger.Proof
    package let computer: String
    package let domain: String
    package let user: String

    init(
        origin: LogonOrigin, proof: Ledger.Proof, computer: String, domain: String, user: String
    ) {
        self.origin = origin
        self.proof = proof
        self.computer = computer
        self.domain = domain
        self.user = user
    }

    init(_ call: LogonCall) {
        self.init(
            origin: call.origin, proof: Ledger.Proof(call), computer: call.workstation,
            domain: call.domain, user: call.user)
    }

    /// Without what would break a line of the log: a client wrote the names.
    package var blocked: String {
        let known = computer.isEmpty ? "" : " (\(ClientLedger.printable(computer)))"
        let who = ClientLedger.printable(domain.isEmpty ? user : domain + "\\" + user)
        return "\(origin.description)\(known): \(proof.name) is not taken, for \(who)"
    }
}

/// Who logs on from where by which protocol, for `postern status`: which old machine is there
/// that would be shut out by a stricter policy. The client that was silent for the longest time
/// gives way to a new one.
package struct ClientLedger {
    package enum Limit {
        package static let clients = 256
        /// Characters kept of a computer's name.
        static let name = 32
        /// Milliseconds from one line about a client to the next, and from one about any to the
        /// next: nobody is to fill the log.
        static let quiet: UInt64 = 60_000
        static let spacing: UInt64 = 1_000
    }

    package struct Client {
        package let origin: LogonOrigin
        /// As it called itself last; for a member, the computer that the logon came from.
        package private(set) var computer = ""
        /// Milliseconds on the caller's clock.
        package private(set) var lastSeen: UInt64 = 0
        fileprivate var quietUntil: UInt64 = 0
        private var counts: [UInt32]

        fileprivate init(_ origin: LogonOrigin) {
            self.origin = origin
            counts = [UInt32](
                repeating: 0, count: Ledger.Proof.allCases.count * LogonResult.allCases.count)
        }

        private static func place(_ proof: Ledger.Proof, _ result: LogonResult) -> Int {
            proof.rawValue * LogonResult.allCases.count + result.rawValue
        }

        fileprivate mutating func note(
            _ logon: CountedLogon, _ result: LogonResult, _ now: UInt64
        ) {
            lastSeen = now
            if computer != logon.computer, !logon.computer.isEmpty {
                computer = ClientLedger.printable(logon.computer)
            }
            counts[Self.place(logon.proof, result)] &+= 1
        }

        package func count(_ proof: Ledger.Proof, _ result: LogonResult) -> Int {
            Int(counts[Self.place(proof, result)])
        }

        package func uses(_ proof: Ledger.Proof) -> Bool {
            LogonResult.allCases.contains { count(proof, $0) > 0 }
        }
    }

    private var table: [LogonOrigin: Client] = [:]
    /// Clients that gave way.
    package private(set) var forgotten = 0
    private var quietUntil: UInt64 = 0

    /// The one that was seen last comes first.
    package var clients: [Client] { table.values.sorted { $0.lastSeen > $1.lastSeen } }

    mutating func note(_ logon: CountedLogon, _ result: LogonResult, now: UInt64) {
        let origin = logon.origin
        if table.count >= Limit.clients, table[origin] == nil { makeRoom() }
        table[origin, default: Client(origin)].note(logon, result, now)
    }

    private mutating func makeRoom() {
        guard let oldest = table.values.min(by: { $0.lastSeen < $1.lastSeen }) else { return }
        table[oldest.origin] = nil
        forgotten += 1
    }

    /// Whether the log is to tell of a logon of `origin` that was blocked, which then is told.
    mutating func tells(of origin: LogonOrigin, now: UInt64) -> Bool {
        guard quietUntil <= now, let client = table[origin], client.quietUntil <= now else {
            return false
        }
        table[origin]?.quietUntil = now + Limit.quiet
        quietUntil = now + Limit.spacing
        return true
    }

    static func printable(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(Limit.name) {
            let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
                || scalar.value == 0x2028 || scalar.value == 0x2029
            shown.unicodeScalars.append(isControl ? "?" : scalar)
        }
        return shown
    }
}
