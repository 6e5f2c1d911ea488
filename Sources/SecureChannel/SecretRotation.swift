import Wire

/// The change of our account's secret in a domain, in two phases, so that whenever it is cut short
/// the secret that the controller has is among those that are kept:
///
///     idle ─ begin ─→ storing ─ pending is on disk ─→ setting ─ taken ─→ confirming ─→ idle
///       │                                               │ no answer        a key is made with it
///       └── a pending one is left of before ─→ probing ←┘
///                    a key is made: with the pending one ─→ it was set; with the current ─→ not
///
/// Where the controller that was asked does not come back, another one is asked to take the same
/// secret: only to forget it could do harm.
///
/// It decides, and its owner does: the state file, the channel and their outcomes are the owner's.
package struct SecretRotation {
    package enum Action: Equatable {
        /// Make a password and keep it as the pending one; then `pendingStored`.
        case storePending
        /// Keep which controller is asked, then set the pending password there; then
        /// `passwordSet`.
        case setPending
        /// The same at another controller than the one that was asked: until it has answered, keep
        /// that no controller's word is final.
        case setPendingElsewhere
        /// Make the channel anew with pending, current and former secret, in that order; then
        /// `keyed` or `keyFailed`.
        case makeKey
        /// The pending secret becomes the current one, and that the former.
        case promote
        /// The same with the secret that was sent, whatever was kept in its place meanwhile.
        case promoteSent
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
    /// The one under way goes to another controller than the one that was asked before.
    private var isElsewhere = false

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
        return send(elsewhere: false)
    }

    /// Nothing was stored, and nothing begins.
    package mutating func pendingNotStored(_ reason: String) -> [Action] {
        guard phase == .storing else { return [] }
        return end(.unchanged(reason))
    }

    private mutating func send(elsewhere: Bool) -> [Action] {
        sends += 1
        phase = .setting
        isElsewhere = elsewhere
        return [elsewhere ? .setPendingElsewhere : .setPending]
    }

    package mutating func passwordSet(_ outcome: PasswordOutcome) -> [Action] {
        guard phase == .setting else { return [] }
        if outcome != .notSent { wasSent = true }
        switch outcome {
        case .set:
            phase = .confirming
            return [.promoteSent, .makeKey]
        case .refused(let status):
            let reason = "\(status.name): \(status.text)"
            // Whoever was asked before may have taken it.
            if isElsewhere { return end(.undecided(reason)) }
            return [.dropPending] + end(.unchanged(reason))
        case .notSent, .unknown:
            phase = .probing
            return [.makeKey]
        }
    }

    /// There is a key at `controller`, made with the pending secret or, where that has become it,
    /// the current one. Made with another one, the word of `asked` alone is final, which is the
    /// controller that was last asked to take it; anybody's is, where nobody was. `isStale`: the
    /// pending secret is older than the asked controller is waited for.
    package mutating func keyed(
        withNewest isNewest: Bool, at controller: IPv4Address?, asked: IPv4Address?, isStale: Bool
    ) -> [Action] {
        switch phase {
        case .idle, .storing, .setting: return []
        case .probing:
            if isNewest { return [.promote] + end(.changed) }
            let isFinal = asked.map { $0 == controller } ?? !wasSent
            let maySend = sends < Self.sendLimit
            if !isFinal, !isStale || !maySend {
                return end(
                    .undecided("the controller that was asked does not answer, and others may "
                        + "not have heard of it"))
            }
            if maySend { return send(elsewhere: !isFinal) }
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
