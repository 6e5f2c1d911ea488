import Crypto
import Domain
import Interfaces
import Locator
import SecureChannel
import Wire

/// How a domain's logons are treated.
package struct DomainPolicy {
    package typealias NTLMv1 = ProofPolicy.NTLMv1

    package var proofs: ProofPolicy
    /// Milliseconds that a logon may take.
    package var deadline: UInt64
    /// Milliseconds that a wrong password is refused again without asking; zero: not at all.
    package var refusalsKept: UInt64

    package init(
        ntlmv1: NTLMv1, allowsLM: Bool, deadline: UInt64, refusalsKept: UInt64 = 0
    ) {
        proofs = ProofPolicy(ntlmv1: ntlmv1, allowsLM: allowsLM)
        self.deadline = deadline
        self.refusalsKept = refusalsKept
    }
}

/// One configured domain: its locator and its channel, and what passes between them.
package final class AgentDomain {
    package let name: String
    package let dnsName: String
    package let policy: DomainPolicy
    /// Whether it is the channel of a backup of a local domain to its primary.
    package let isOfBackup: Bool
    package let locator: Locator
    package let channel: Channel
    package internal(set) var ledger = Ledger()
    var ports: [IPv4Address: UInt16]
    var refusals: RefusalMemory
    /// The domain's, once its controller has told it.
    package internal(set) var sid: SID?
    /// When the waiting for a better controller ends.
    private var settleAt: UInt64?

    package init(
        name: String, dnsName: String, policy: DomainPolicy, isOfBackup: Bool = false,
        locator: Locator, channel: Channel, ports: [IPv4Address: UInt16], sid: SID? = nil,
        random: (Int) -> [UInt8]
    ) {
        self.name = name
        self.dnsName = dnsName
        self.policy = policy
        self.isOfBackup = isOfBackup
        self.locator = locator
        self.channel = channel
        self.ports = ports
        self.sid = sid
        refusals = RefusalMemory(key: random(32), span: policy.refusalsKept)
    }

    package var nextDeadline: UInt64 {
        min(channel.nextDeadline, locator.nextDeadline ?? .max, settleAt ?? .max)
    }

    func tick(now: UInt64) {
        if let due = locator.nextDeadline, due <= now { locator.timerFired(now: now) }
        channel.tick(now: now)
        if let settleAt, settleAt <= now { offerControllers(now: now) }
    }

    /// Tells the channel what the locator knows, unless waiting a little promises better.
    func offerControllers(now: UInt64) {
        if let current = channel.pursued,
            locator.controllers.contains(where: { $0.address == current && $0.health.isDown })
        {
            channel.controllerIsDead(current, now: now)
        }
        settleAt = locator.worthWaiting(now: now)
        if settleAt != nil { return }
        channel.useControllers(
            locator.candidates(now: now).map {
                ControllerAddress(
                    address: $0.address,
                    name: $0.netbiosName.isEmpty ? $0.hostName : $0.netbiosName,
                    netlogonPort: ports[$0.address])
            }, now: now)
    }
}

/// What has been asked for and how it went, for `postern status`: who still uses what.
package struct Ledger {
    /// The protocol that proved the user.
    package enum Proof: Int, CaseIterable {
        case plain, lm, ntlmv1, mschapv2, ntlmv2, interactive

        package var name: String {
            switch self {
            case .plain: "plaintext"
            case .lm: "LM"
            case .ntlmv1: "NTLMv1"
            case .mschapv2: "MS-CHAPv2"
            case .ntlmv2: "NTLMv2"
            case .interactive: "interactive"
            }
        }

        init(_ call: LogonCall) {
            switch call.proof {
            case .password: self = .plain
            case .hashes: self = .interactive
            case .responses(_, let nt, _):
                self.init(nt: nt, ParameterControl(rawValue: call.parameterControl))
            }
        }

        init(_ logon: LocalLogon) {
            switch logon.proof {
            case .password: self = .plain
            case .hashes: self = .interactive
            case .responses(_, let nt, _): self.init(nt: nt, logon.control)
            }
        }

        /// NTLMv2's response is longer than 24 bytes (MS-NLMP 2.2.2.8).
        private init(nt: [UInt8], _ control: ParameterControl) {
            if nt.isEmpty {
                self = .lm
            } else if nt.count > 24 {
                self = .ntlmv2
            } else {
                self = control.contains(.allowMSVCHAPV2) ? .mschapv2 : .ntlmv1
            }
        }
    }

    package private(set) var counts = [Int](repeating: 0, count: Proof.allCases.count)
    package private(set) var accepted = 0
    package private(set) var refused = 0
    package private(set) var unavailable = 0
    package private(set) var blockedByPolicy = 0
    /// Refused without asking, as the same password was a moment before.
    package private(set) var repeated = 0
    /// Microseconds of the last answers, a ring.
    private var latencies: [UInt32] = []
    private var next = 0

    private static let remembered = 512

    mutating func asked(_ proof: Proof) { counts[proof.rawValue] += 1 }
    mutating func repeatedly() { repeated += 1 }

    /// `microseconds` is nil where nobody had to be asked.
    mutating func answered(_ result: LogonResult, microseconds: UInt64? = nil) {
        switch result {
        case .accepted: accepted += 1
        case .refused: refused += 1
        case .blocked: blockedByPolicy += 1
        case .unavailable: unavailable += 1
        }
        guard let microseconds else { return }
        let value = UInt32(clamping: microseconds)
        if latencies.count < Self.remembered {
            latencies.append(value)
        } else {
            latencies[next] = value
            next = (next + 1) % Self.remembered
        }
    }

    /// Median and 99th percentile of the last answers, in microseconds; nil before the first.
    package var latency: (median: UInt32, high: UInt32)? {
        guard !latencies.isEmpty else { return nil }
        let sorted = latencies.sorted()
        return (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
    }
}
