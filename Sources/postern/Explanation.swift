import Agent
import Flows
import Interfaces
import Locator
import Loop
import SecureChannel
import Wire

/// `postern explain`: the running agent searches for a domain's controllers once more, makes its
/// channel anew, and logs a user on through it twice, while all that is counted.
///
///     searching ─ found ─→ keying ─ keyed ─→ first logon ─ accepted ─→ next logon ─→ done
///         │                   │                  │
///         └── nobody ─────────┴── refused ───────┴──────────────────────────────────→ done
///
/// The second logon is the one that the documentation counts alone, with the channel established.
final class Explanation {
    private enum Phase {
        case searching(since: UInt64)
        case keying, firstLogon, nextLogon, done
    }

    private let index: Int
    private let daemon: Daemon
    private let loop: EventLoop
    /// Whom to log on; nobody where it is nil.
    private let user: LogonCall?
    private let networks: [IPv4Network]
    private let done: (ChannelTrace, _ words: String, ExitCode) -> Void
    let trace: ChannelTrace
    private var phase = Phase.keying
    private var guardian: Timer?
    /// Why the last controller was given up.
    private var lastReason = ""

    private enum Limit {
        /// Milliseconds for all of it.
        static let whole: UInt64 = 25_000
    }

    private enum Documented {
        static let first = "F6: 20 frames, 3,700 bytes, 200 ms"
        static let next = "F7: 2 frames, 942 bytes, 13 ms"
        static let calls = "three calls: 1,800 bytes, 120 ms"
    }

    init(
        _ index: Int, _ daemon: Daemon, user: LogonCall?, keepsFrames: Bool,
        done: @escaping (ChannelTrace, _ words: String, ExitCode) -> Void
    ) {
        self.index = index
        self.daemon = daemon
        self.user = user
        self.done = done
        loop = daemon.loop
        networks = Setup.networks(daemon.configuration)
        trace = ChannelTrace(
            keepsFrames: keepsFrames, microseconds: loop.microseconds,
            unixMicroseconds: SystemClock.unixMicroseconds)
    }

    private var domain: AgentDomain { daemon.agent.domains[index] }
    private var now: UInt64 { loop.microseconds }

    // MARK: The search

    func start() {
        guardian = Timer(loop) { [self] in
            end("it took longer than \(Limit.whole / 1_000) s: \(lastReason)", .unavailable)
        }
        guardian?.arm(after: Limit.whole)
        phase = .searching(since: loop.now)
        trace.beginChapter("discovery of \(domain.name)", documented: nil, at: now)
        trace.begin("controllers of \(domain.name)", documented: "WINS query", at: now)
        daemon.locator(index) { $0.searchAnew(now: $1) }
        settled()
    }

    /// The cores want nothing more at this time.
    func settled() {
        guard case .searching(let since) = phase, !domain.locator.isSearching(since: since)
        else { return }
        let found = domain.locator.candidates(now: loop.now)
        guard !found.isEmpty else {
            let asked = domain.locator.controllers.map { $0.address.description }
            let words = asked.isEmpty
                ? "nobody answers for \(domain.name)"
                : "no answer from \(asked.joined(separator: ", "))"
            trace.endStep(.failed(words), at: now)
            return end(
                "no controller is reachable: \(words); `postern find \(domain.name)` tries every "
                    + "way there is", .unavailable)
        }
        trace.endStep(.done(found.map(Self.label).joined(separator: ", ")), at: now)
        phase = .keying
        trace.beginChapter(
            user == nil
                ? "channel to \(domain.name)"
                : "channel to \(domain.name), and the first logon through it",
            documented: Documented.first, at: now)
        daemon.rebuild(index) { [self] failure in keyed(failure) }
    }

    private static func label(_ candidate: Candidate) -> String {
        var text = candidate.hostName.isEmpty ? candidate.netbiosName : candidate.hostName
        text += text.isEmpty ? "" : " "
        text += "(\(candidate.address.description))"
        return candidate.isHealthy ? text : text + ", not heard of yet"
    }

    // MARK: The channel

    private func keyed(_ failure: String?) {
        guard case .keying = phase else { return }
        if let failure {
            trace.endStep(.failed(lastReason.isEmpty ? failure : lastReason), at: now)
            return end(failure, .unavailable)
        }
        trace.endStep(.done(""), at: now)
        let place = domain.channel.controller?.label ?? ""
        guard let user else { return end("ready, at \(place)", .success) }
        phase = .firstLogon
        trace.begin("logon of \(user.user)", documented: "NetrLogonSamLogon", at: now)
        daemon.logon(user) { [self] outcome in loggedOn(outcome) }
    }

    private func loggedOn(_ outcome: LogonOutcome) {
        let (words, code) = Self.words(outcome)
        trace.endStep(code == .success ? .done(words) : .failed(words), at: now)
        guard case .firstLogon = phase, code == .success, let user else {
            return end("logon of \(user?.user ?? ""): \(words)", code)
        }
        phase = .nextLogon
        trace.beginChapter(
            "the next logon, with the channel established", documented: Documented.next, at: now)
        trace.begin("logon of \(user.user)", documented: "NetrLogonSamLogon", at: now)
        daemon.logon(user) { [self] outcome in loggedOn(outcome) }
    }

    private static func words(_ outcome: LogonOutcome) -> (String, ExitCode) {
        switch outcome {
        case .accepted(let identity):
            (
                "accepted as \(identity.domain)\\\(identity.user), "
                    + "\(identity.groupRIDs.count) groups", .success
            )
        case .refused(let status, _): ("refused: \(status.name), \(status.text)", .failed)
        case .unavailable(let reason): ("unavailable: \(reason.description)", .unavailable)
        }
    }

    private func end(_ words: String, _ code: ExitCode) {
        if case .done = phase { return }
        trace.endStep(code == .success ? .done("") : .failed(words), at: now)
        phase = .done
        guardian?.close()
        guardian = nil
        daemon.ended(self, index)
        done(trace, words, code)
    }

    // MARK: What passes at the sockets

    func datagram(_ bytes: [UInt8], peer: Endpoint, port: UInt16, isOurs: Bool) {
        guard case .searching = phase else { return }
        let network = networks.first { $0.contains(peer.address) } ?? networks.first
        let local = Endpoint(network?.address ?? .any, port)
        trace.datagram(
            bytes, from: isOurs ? local : peer, to: isOurs ? peer : local, at: now)
    }

    func calls(_ endpoint: Endpoint, link: Int) {
        if case .searching = phase { return }
        trace.calls(endpoint, link: link, at: now)
    }

    func connected(link: Int, from local: Endpoint) {
        trace.connected(link: link, from: local, at: now)
    }

    func sent(_ bytes: [UInt8], link: Int, stage: String) {
        if case .keying = phase {
            let isPipe = domain.channel.transport != .tcp
            trace.begin(
                isPipe && stage == "bind" ? "SMB session, pipe, bind" : stage,
                documented: stage.hasPrefix("Netr") ? Documented.calls : nil, at: now)
        }
        trace.sent(bytes, link: link, at: now)
    }

    func received(_ bytes: Span<UInt8>, link: Int) {
        var copy = WireWriter(capacity: bytes.count)
        copy.append(bytes)
        trace.received(copy.finish(), link: link, at: now)
    }

    func closed(link: Int) { trace.closed(link: link, at: now) }

    func failed(_ address: IPv4Address, _ reason: String) {
        lastReason = "\(address.description): \(reason)"
        if case .keying = phase { trace.endStep(.failed(lastReason), at: now) }
    }
}
