import Wire

/// The change of our account's secret in a domain, in two phases, so that whenever it is cut short
/// the secret that the controller has is among those that are kept:
///
///     idle ─ begin ─→ storing ─ pending is on disk ─→ setting ─ taken ─→ confirming ─→ idle
///       │                                               │ no answer        a key is made with it
///       └── a pending one is left of before ─→ probing ←┘
///                    a key is made: with the pending one ─→ it was set; with the current ─→ not
///
/// It decides, and its owner does: the state file, the channel and their outcomes are the owner's.
package struct SecretRotation {
    package enum Action: Equatable {
        /// Make a password and keep it as the pending one; then `pendingStored`.
        case storePending
        /// Keep which controller is asked, then set the pending password there; then
        /// `passwordSet`.
        case setPending
        /// Make the channel anew with pending, current and former secret, in that order; then
        /// `keyed` or `keyFailed`.
        case makeKey
        /// The pending secret becomes the current one, and that the former.
        case promote
        case dropPending
        case finish(Outcome)
    }

    package enum Outcome: Equatable {
        case changed
        /// The account has the secret that it had.
        case unchanged(String)
        /// The pending secret stays with the others: which one the controller has will show.
        case undecided(String)
    }

    enum Phase: Equatable {
        case idle, storing, setting, probing, confirming
    }

    /// Sent so often: a second time only where the first is known to have had no effect.
    private static let sendLimit = 2

    private(set) var phase = Phase.idle
    private var sends = 0
    /// Some controller may have been told the pending secret.
    private var wasSent = false

    package init() {}

    package var isUnderWay: Bool { phase != .idle }

    /// Starts; nothing where a change is under way already.
    package mutating func begin(hasPending: Bool) -> [Action] {
        guard phase == .idle else { return [] }
        sends = 0
        wasSent = false
        phase = hasPending ? .probing : .storing
        return [hasPending ? .makeKey : .storePending]
    }

    package mutating func pendingStored() -> [Action] {
        guard phase == .storing else { return [] }
        return send()
    }

    /// Nothing was stored, and nothing begins.
    package mutating func pendingNotStored(_ reason: String) -> [Action] {
        guard phase == .storing else { return [] }
        return end(.unchanged(reason))
    }

    private mutating func send() -> [Action] {
        sends += 1
        phase = .setting
        return [.setPending]
    }

    package mutating func passwordSet(_ outcome: PasswordOutcome) -> [Action] {
        guard phase == .setting else { return [] }
        if outcome != .notSent { wasSent = true }
        switch outcome {
        case .set:
            phase = .confirming
            return [.promote, .makeKey]
        case .refused(let status):
            return [.dropPending] + end(.unchanged("\(status.name): \(status.text)"))
        case .notSent, .unknown:
            phase = .probing
            return [.makeKey]
        }
    }

    /// There is a key at `controller`, made with the pending secret or, where that has become it,
    /// the current one. Made with another one, the word of `asked` alone is final, which is the
    /// controller that was last asked to take it; anybody's is, where nobody was.
    package mutating func keyed(
        withNewest isNewest: Bool, at controller: IPv4Address?, asked: IPv4Address?
    ) -> [Action] {
        switch phase {
        case .idle, .storing, .setting: return []
        case .probing:
            if isNewest { return [.promote] + end(.changed) }
            let isFinal = asked.map { $0 == controller } ?? !wasSent
            if !isFinal {
                return end(
                    .undecided("the controller that was asked does not answer, and others may "
                        + "not have heard of it"))
            }
            if sends < Self.sendLimit { return send() }
            return [.dropPending] + end(.unchanged("the controller does not take it"))
        case .confirming:
            return end(
                isNewest
                    ? .changed
                    : .undecided("a controller takes the former secret only, until it hears of "
                        + "the change"))
        }
    }

    /// There is no key, with whatever secret.
    package mutating func keyFailed(_ reason: String) -> [Action] {
        switch phase {
        case .idle, .storing, .setting: return []
        case .probing, .confirming: return end(.undecided(reason))
        }
    }

    private mutating func end(_ outcome: Outcome) -> [Action] {
        phase = .idle
        return [.finish(outcome)]
    }
}
