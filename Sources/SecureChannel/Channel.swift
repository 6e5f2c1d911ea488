import Crypto
import Wire

/// The secure channel to one domain: finds its key, keeps it, and passes logons through it.
///
/// A core: it is told what happened and when, and says what to do in `outputs`. It owns a session
/// key with one controller and a pool of connections under that key:
///
///     locating ─ controllers known ─→ connecting ─→ keyed ─ lost, forgotten ─→ connecting
///        │                              │ each refuses
///        └── none reachable ─→ down     └─→ refused, tried again after a pause
///
/// Logons wait while a key is made, however many they are: there is one attempt at a time. One
/// that was sent is sent again only where the controller cannot have counted it as a bad
/// password.
package final class Channel {
    package enum Output {
        case open(link: Int, to: Endpoint)
        case send(link: Int, bytes: [UInt8])
        /// `abort`: with a reset, as the peer is not believed to be there.
        case close(link: Int, abort: Bool)
        case answer(logon: UInt32, LogonOutcome)
        /// The controller did not do its part, for the locator to weigh.
        case controllerFailed(IPv4Address, ControllerFault, reason: String)
        /// A call has had no answer for a while: is the controller alive?
        case controllerSilent(IPv4Address)
        case controllerAnswered(IPv4Address)
        /// The endpoint mapper's answer, to be remembered across restarts.
        case mapped(IPv4Address, port: UInt16)
        case notice(ChannelNotice)
        case passwordSet(PasswordOutcome)
        case pulled(PullOutcome)
        case translated(UInt32, TranslationOutcome)
    }

    enum Phase {
        /// The locator has not said yet where the controllers are.
        case locating
        /// None is reachable.
        case down
        /// A link is on its way to a key.
        case connecting(link: Int)
        case keyed
        /// The controllers refuse our account, until they are asked again.
        case refused(NTStatus, until: UInt64)
    }

    let settings: ChannelSettings
    /// Unpredictable bytes: challenges and confounders.
    let random: (Int) -> [UInt8]
    /// Seconds since 1970 at `now` zero, for authenticators.
    let epoch: UInt64

    package internal(set) var outputs: [Output] = []
    package internal(set) var counters = ChannelCounters()
    var phase = Phase.locating
    /// The account's secrets, the one to try first in front.
    var secrets: [Bytes16] = []
    var attempt = KeyAttempt()
    var candidates: [ControllerAddress] = []
    /// The controller that took the newest secret, until when it is preferred to others.
    var pin: Pin?
    /// Those that failed, or refused us, since the search for a key began.
    var tried: Set<IPv4Address> = []
    /// Why the last of them refused our account, if one did.
    var refusal: NTStatus?
    /// Whether one that failed was there, and did not do its part.
    var metSomebody = false
    /// The controller whose port the mapper has just given: if that is refused, so is the next.
    var justMapped: IPv4Address?
    /// The controller that refused SMB on one port, while it is tried on the other.
    var otherPortTried: IPv4Address?
    /// Controllers that were found to speak SMB over NetBIOS sessions.
    var onSessionService: Set<IPv4Address> = []
    var session: Session?
    var links: [Int: Link] = [:]
    var nextLink = 0
    var logons: [UInt32: PendingLogon] = [:]
    var waiting = WaitingLine()
    var earliest: UInt64 = .max
    var refusedPause = ChannelLimit.refusedPause
    /// A spare connection did not come about: there is no other before this.
    var noSpareBefore: UInt64 = 0
    /// Set when a live connection's key was refused: the next key tells whether somebody took it.
    var keyWasReplaced = false
    var isStopped = false
    /// The one call under way that is no logon and has the credential chain.
    var chained: ChainedCall?
    var translations = TranslationLine()
    /// A logon ran out of time at a controller that said nothing at all: nobody else waits for
    /// it, until it says something or another one serves.
    var isDoubtful = false

    /// The key agreed with one controller.
    struct Session {
        var controller: ControllerAddress
        var key: SessionKey
        var chain: CredentialChain
        var flags: NegotiateFlags
        var isSealed: Bool
        /// The hash of the secret that it was made with.
        var secret: Bytes16
    }

    struct Pin: Equatable {
        var address: IPv4Address
        var until: UInt64
    }

    struct PendingLogon {
        var request: LogonRequest
        var deadline: UInt64
        /// The link that carries it, or nil while it waits.
        var link: Int?
        var wasRetried = false
    }

    package init(
        settings: ChannelSettings, epoch: UInt64, random: @escaping (Int) -> [UInt8]
    ) {
        self.settings = settings
        self.epoch = epoch
        self.random = random
    }

    /// What there is to do, oldest first; the list is empty afterwards.
    package func takeOutputs() -> [Output] {
        var taken: [Output] = []
        swap(&taken, &outputs)
        return taken
    }

    // MARK: Inputs

    /// The hashes (NTOWFv1) of the account's secret, the current one first.
    package func useSecrets(_ hashes: [Bytes16], now: UInt64) {
        if hashes == secrets { return }
        secrets = hashes
        attempt = KeyAttempt()
        switch phase {
        case .refused:
            phase = .locating
            refusedPause = ChannelLimit.refusedPause
            useControllers(candidates, now: now)
        case .connecting(let id):
            // What is under way may have begun with a secret that is not among them.
            guard let link = links[id], link.role == .maker else { break }
            drop(id, abort: false, loss: .refused, now: now)
            pursue(link.controller, now: now)
        case .locating, .down, .keyed:
            break
        }
    }

    /// The controller that took the newest secret: until `until` it is tried before others, who may
    /// not have heard of the change, or until one of those has. Nil: all are alike.
    package func prefer(_ address: IPv4Address?, until: UInt64) {
        pin = address.map { Pin(address: $0, until: until) }
    }

    /// The controllers that are believed to answer, the preferred one first; none: the domain is
    /// unreachable, and logons are answered so at once.
    package func useControllers(_ list: [ControllerAddress], now: UInt64) {
        candidates = list
        if list.isEmpty {
            switch phase {
            case .locating, .down:
                phase = .down
                answerAllWaiting(.noController)
            case .connecting, .keyed, .refused:
                // What is established, or being tried, says more than the locator knows.
                break
            }
            return
        }
        switch phase {
        case .locating, .down:
            begin(now: now)
        case .connecting, .keyed, .refused:
            break
        }
    }

    /// Passes a logon through. Its answer comes as an output, at `deadline` at the latest.
    package func logon(_ id: UInt32, _ request: LogonRequest, deadline: UInt64, now: UInt64) {
        counters.logons += 1
        switch phase {
        case .down:
            outputs.append(.answer(logon: id, .unavailable(.noController)))
            return
        case .refused(let status, _):
            outputs.append(.answer(logon: id, .unavailable(.channelRefused(status))))
            return
        case .locating, .connecting, .keyed:
            break
        }
        // A connection that owes no answer is made since, and is as good as any.
        if links.values.contains(where: { $0.isReady && $0.silentSince == nil }) {
            isDoubtful = false
        }
        if isDoubtful {
            outputs.append(.answer(logon: id, .unavailable(.noController)))
            return
        }
        if logons.count >= ChannelLimit.waiting {
            counters.overloaded += 1
            outputs.append(.answer(logon: id, .unavailable(.overloaded)))
            return
        }
        logons[id] = PendingLogon(request: request, deadline: deadline)
        waiting.append(id)
        earliest = min(earliest, deadline)
        dispatch(now: now)
    }

    /// The locator asked a silent controller in another way, and it does not answer either.
    package func controllerIsDead(_ address: IPv4Address, now: UInt64) {
        tried.insert(address)
        let lost = links.filter { $0.value.controller.address == address }.map { $0.key }
        if lost.isEmpty { return }
        let wasPursued = pursued == address
        for id in lost { drop(id, abort: true, loss: .silence, now: now) }
        if wasPursued { connect(now: now) }
    }

    package func stop() {
        isStopped = true
        answerAllWaiting(.noController)
        for id in logons.keys { answer(id, .unavailable(.noController)) }
        chainedEnded(.lost)
        for id in links.keys { outputs.append(.close(link: id, abort: false)) }
        links.removeAll()
        closeTranslator()
        phase = .down
    }

    /// Gives the key up and makes a new one, as an administrator asks for.
    package func rebuild(now: UInt64) {
        retireLinks(now: now)
        refusedPause = ChannelLimit.refusedPause
        phase = .locating
        begin(now: now)
    }

    // MARK: What it is doing

    package var account: String { settings.account }
    package var profile: ChannelSettings.Profile { settings.profile }
    package var transport: ChannelSettings.Transport { settings.transport }

    /// The controller that holds our key, if one does.
    package var controller: ControllerAddress? {
        if case .keyed = phase { return session?.controller }
        return nil
    }

    /// Every controller that is known has been tried, and no connection reaches any.
    package var reachesNobody: Bool {
        if case .down = phase { return !isStopped && !metSomebody }
        return false
    }

    /// Whether there is a secret to make a key with.
    package var hasSecret: Bool { !secrets.isEmpty }

    /// The controller that holds our key, or the one that is being tried.
    package var pursued: IPv4Address? {
        if case .connecting(let id) = phase { return links[id]?.controller.address }
        return controller?.address
    }

    package var connections: Int { links.values.filter { $0.isOpen }.count }
    package var callsInFlight: Int { logons.count }

    /// What the last message of the link being set up was for, for people.
    package var stage: String {
        guard case .connecting(let id) = phase, let link = links[id] else { return "logon" }
        return link.association.stage
    }

    package var stateName: String {
        switch phase {
        case .locating: "locating"
        case .down: isStopped ? "stopped" : "no controller reachable"
        case .connecting: "connecting"
        case .keyed: "ready"
        case .refused(let status, _): "refused: \(status.name)"
        }
    }

    // MARK: Time

    /// When `tick` wants to be called next; `.max`: not before another input.
    package var nextDeadline: UInt64 {
        var next = min(earliest, chained?.deadline ?? .max, translations.nextDeadline)
        if case .refused(_, let until) = phase { next = min(next, until) }
        for link in links.values {
            next = min(next, link.nextDeadline)
            if isSpare(link) { next = min(next, link.lastUsed + ChannelLimit.idle) }
        }
        return next
    }

    package func tick(now: UInt64) {
        if now >= earliest { expireLogons(now: now) }
        expireChainedCall(now: now)
        if now >= translations.nextDeadline { tickTranslator(now: now) }
        for id in Array(links.keys) { tickLink(id, now: now) }
        if case .refused(_, let until) = phase, now >= until {
            begin(now: now)
        }
    }

    private func expireLogons(now: UInt64) {
        defer { waiting.forget(beyond: logons) }
        earliest = .max
        for (id, logon) in logons {
            if logon.deadline <= now {
                if let link = logon.link {
                    links[link]?.association.abandon(tag: id)
                    if let since = links[link]?.silentSince, now >= since + ChannelLimit.silence {
                        isDoubtful = true
                    }
                }
                counters.deadlines += 1
                answer(id, .unavailable(.deadline))
            } else {
                earliest = min(earliest, logon.deadline)
            }
        }
    }

    private func tickLink(_ id: Int, now: UInt64) {
        guard let link = links[id] else { return }
        if let limit = link.setupDeadline, now >= limit {
            let waited = now - link.openedAt
            setupFailed(id, .silent, "no answer within \(waited) ms", now: now)
            return
        }
        if let since = link.silentSince, now >= since + ChannelLimit.silence, !link.silenceTold {
            links[id]?.silenceTold = true
            outputs.append(.controllerSilent(link.controller.address))
        }
        closeIfDone(id, now: now)
        guard let link = links[id] else { return }
        if isSpare(link), now >= link.lastUsed + ChannelLimit.idle {
            links[id] = nil
            outputs.append(.close(link: id, abort: false))
        }
    }

    /// Whether the channel could do without the link for now.
    private func isSpare(_ link: Link) -> Bool {
        links.count > 1 && link.isReady && link.association.callsInFlight == 0
    }

    // MARK: Answers

    func answer(_ id: UInt32, _ outcome: LogonOutcome) {
        guard logons.removeValue(forKey: id) != nil else { return }
        outputs.append(.answer(logon: id, outcome))
    }

    func answerAllWaiting(_ why: Unavailable) {
        while let id = waiting.takeFirst() { answer(id, .unavailable(why)) }
        translationsFailed(why)
    }
}

/// In what way a controller did not do its part.
package enum ControllerFault: Sendable {
    case unreachable
    case silent
    /// It is there, but does not accept us.
    case unwilling
}

/// What an operator should read in the log.
package enum ChannelNotice {
    case keyed(controller: ControllerAddress, cipher: ChannelCipher, sealed: Bool)
    case lost(controller: ControllerAddress, reason: String)
    /// Another host authenticated with our account while our connection was up.
    case takenOver(controller: ControllerAddress)
    /// The controller refuses our account.
    case accountRefused(controller: ControllerAddress, NTStatus)
    case usedFormerSecret(controller: ControllerAddress)
    /// A controller other than the one that was asked to take the newest secret knows it too.
    case secretSpread(controller: ControllerAddress)
    case weakened(controller: ControllerAddress, String)
}

package struct ChannelCounters {
    package var logons = 0
    package var accepted = 0
    package var refused = 0
    package var retried = 0
    package var deadlines = 0
    package var overloaded = 0
    package var keysMade = 0
    package var takeovers = 0
    package var connectionsLost = 0
    package var badReplies = 0
}

/// Logons in the order they came. Ids whose logon has been answered meanwhile are skipped by
/// whoever takes them.
struct WaitingLine {
    private var ids: [UInt32] = []
    private var head = 0

    var isEmpty: Bool { head == ids.count }
    var count: Int { ids.count - head }

    mutating func append(_ id: UInt32) { ids.append(id) }

    mutating func prepend(_ id: UInt32) {
        if head > 0 {
            head -= 1
            ids[head] = id
        } else {
            ids.insert(id, at: 0)
        }
    }

    /// Lets go of ids whose logon is not in `logons` any more, once they are the most.
    mutating func forget(beyond logons: [UInt32: Channel.PendingLogon]) {
        guard count > 2 * logons.count else { return }
        ids = ids[head...].filter { logons[$0] != nil }
        head = 0
    }

    mutating func takeFirst() -> UInt32? {
        guard head < ids.count else { return nil }
        let id = ids[head]
        head += 1
        if head == ids.count || head > 1_024 {
            ids.removeFirst(head)
            head = 0
        }
        return id
    }
}
