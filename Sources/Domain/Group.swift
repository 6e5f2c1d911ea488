import Wire

/// A global group of the embedded domain. Its members are accounts, each of which says so itself.
package struct Group: Equatable, Sendable, CustomStringConvertible {
    /// Mandatory, enabled by default, enabled (MS-SAMR 2.2.1.10).
    package static let standardAttributes: UInt32 = 7

    package let rid: UInt32
    package var name: String
    package var comment = ""
    package var attributes = Group.standardAttributes

    package init(rid: UInt32, name: String) {
        self.rid = rid
        self.name = name
    }

    package var description: String { "group \(name) (\(rid))" }
}

/// A local group: its members are accounts and groups of any domain.
package struct Alias: Equatable, Sendable, CustomStringConvertible {
    /// Whose relative identifiers and names an alias has.
    package enum Home: UInt8, Sendable {
        /// The embedded domain.
        case account
        /// `S-1-5-32`, which every controller has.
        case builtin
    }

    package static let memberLimit = 800

    package let home: Home
    package let rid: UInt32
    package var name: String
    package var comment = ""
    package var members: [SID] = []

    package init(home: Home, rid: UInt32, name: String) {
        self.home = home
        self.rid = rid
        self.name = name
    }

    package var description: String { "alias \(name) (\(rid))" }
}

/// Another domain that ours has to do with (MS-LSAD 2.2.7.9).
package struct Trust: Equatable, Sendable, CustomStringConvertible {
    /// MS-LSAD 2.2.7.9, TrustDirection.
    package struct Direction: OptionSet, Equatable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// It trusts us: it has an account of ours.
        package static let inbound = Direction(rawValue: 1)
        /// We trust it: we have an account there.
        package static let outbound = Direction(rawValue: 2)
    }

    /// Its NetBIOS name, in capitals.
    package let name: String
    package var dnsName = ""
    package var sid: SID?
    package var direction: Direction

    package init(name: String, sid: SID? = nil, direction: Direction) {
        self.name = name
        self.sid = sid
        self.direction = direction
    }

    package var description: String { "trust \(name) \(direction.rawValue)" }
}

/// What the domain asks of passwords and does about guessing (MS-SAMR 2.2.3.5 to .16), and where
/// times are lengths, not moments, in steps of 100 ns.
package struct AccountPolicy: Equatable, Sendable {
    package var minimumPasswordLength: UInt16 = 0
    package var passwordHistoryLength: UInt16 = 0
    /// DOMAIN_PASSWORD_… bits.
    package var passwordProperties: UInt32 = 0
    package var maximumPasswordAge = DomainTime.never
    package var minimumPasswordAge: UInt64 = 0
    /// Wrong passwords that lock an account; 0: they never do.
    package var lockoutThreshold: UInt16 = 10
    /// How long; `never`: until an administrator unlocks it.
    package var lockoutDuration = 10 * DomainTime.minute
    /// Within which wrong passwords add up.
    package var lockoutWindow = 10 * DomainTime.minute
    /// How long after their logon hours users may stay.
    package var forceLogoff = DomainTime.never

    /// As many old hashes as SAM keeps.
    package static let historyLimit = 24

    package init() {}
}

/// Which proofs are taken: by a domain, or by whoever takes a logon for it.
package struct ProofPolicy: Equatable, Sendable {
    package enum NTLMv1: Int, Equatable, Sendable {
        case refuse
        /// Only from callers that vouch for MS-CHAPv2.
        case mschap
        case allow
    }

    package var ntlmv1: NTLMv1
    /// LM responses are taken, and LM hashes kept.
    package var allowsLM: Bool
    package var allowsNTLMv2: Bool

    package init(
        ntlmv1: NTLMv1 = .mschap, allowsLM: Bool = false, allowsNTLMv2: Bool = true
    ) {
        self.ntlmv1 = ntlmv1
        self.allowsLM = allowsLM
        self.allowsNTLMv2 = allowsNTLMv2
    }

    package static let all = ProofPolicy(ntlmv1: .allow, allowsLM: true)

    /// What both take.
    package func narrowed(by other: ProofPolicy) -> ProofPolicy {
        ProofPolicy(
            ntlmv1: ntlmv1.rawValue < other.ntlmv1.rawValue ? ntlmv1 : other.ntlmv1,
            allowsLM: allowsLM && other.allowsLM,
            allowsNTLMv2: allowsNTLMv2 && other.allowsNTLMv2)
    }
}

/// Why something was not done, as the protocols say it.
package struct DomainError: Error, Equatable, CustomStringConvertible {
    package let status: NTStatus

    package init(_ status: NTStatus) { self.status = status }

    package var description: String { status.text }
}
