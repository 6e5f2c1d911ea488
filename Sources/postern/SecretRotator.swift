import Agent
import Configuration
import Consumers
import Crypto
import Loop
import SecureChannel
import Store
import Wire

/// Changes the secrets of our accounts in other domains, when they are due or an administrator
/// asks for it: carries out what `SecretRotation` decides.
final class SecretRotator {
    private let daemon: Daemon
    private let loop: EventLoop
    private var rotations: [Int: Rotation] = [:]
    private var timer: Timer?

    private struct Rotation {
        var core = SecretRotation()
        var guardian: Timer
        var done: (SecretRotation.Outcome) -> Void
        var since: UInt64
        /// What it is about: the state may be given other secrets meanwhile.
        var secret: StoredSecret?
        /// Who was asked to take it, and who was before the call that is under way.
        var asked: IPv4Address?
        var askedBefore: IPv4Address?
        /// Where that call goes.
        var controller: IPv4Address?
    }

    private enum Limit {
        /// Milliseconds after the start until the first look, and from one to the next.
        static let first: UInt64 = 10_000
        static let interval: UInt64 = 3_600_000
        /// For the answer to one step.
        static let step: UInt64 = 15_000
        /// For all of it.
        static let whole: UInt64 = 90_000
        /// Characters of a secret, of 64 kinds.
        static let length = 64
    }

    init(_ daemon: Daemon) {
        self.daemon = daemon
        loop = daemon.loop
        timer = Timer(loop) { [self] in
            lookForDue()
            timer?.arm(after: Limit.interval)
        }
        timer?.arm(after: Limit.first)
    }

    func close() {
        timer?.close()
        timer = nil
        for rotation in rotations.values { rotation.guardian.close() }
        rotations.removeAll()
    }

    // MARK: When

    private func lookForDue() {
        let now = SystemClock.unixSeconds
        for (index, domain) in daemon.configuration.domains.enumerated() {
            guard let secrets = secrets(index) else { continue }
            var isDue = secrets.pending != nil
            if case .limited(let age) = domain.secretAge {
                isDue = isDue || now >= secrets.current.since + age / 1_000
            }
            if isDue { begin(index) { _ in } }
        }
    }

    /// Changes the secret; `done` is told once what came of it.
    func begin(_ index: Int, done: @escaping (SecretRotation.Outcome) -> Void) {
        if rotations[index] != nil {
            return done(.unchanged("a change is under way already"))
        }
        guard let secrets = secrets(index) else {
            return done(.unchanged("there is no secret to change"))
        }
        let guardian = Timer(loop) { [self] in
            advance(index) { $0.keyFailed("no controller answered in time") }
            // Whatever hangs is given up; what is kept is in order at every step.
            end(index, .undecided("it took too long"))
        }
        guardian.arm(after: Limit.whole)
        rotations[index] = Rotation(
            guardian: guardian, done: done, since: loop.now, secret: secrets.pending,
            asked: secrets.pending == nil ? nil : secrets.askedController)
        daemon.log.info("\(name(index)): the secret is being changed")
        advance(index) { $0.begin(hasPending: secrets.pending != nil) }
    }

    private func name(_ index: Int) -> String { daemon.configuration.domains[index].name }

    // MARK: What happened

    func passwordSet(_ index: Int, _ outcome: PasswordOutcome) {
        switch outcome {
        case .notSent, .refused:
            // Nobody has it by that.
            guard let rotation = rotations[index], let secret = rotation.secret else { return }
            rotations[index]?.asked = rotation.askedBefore
            change(index) {
                if $0.pending?.isSame(as: secret) == true {
                    $0.askedController = rotation.askedBefore
                }
            }
        case .set, .unknown: break
        }
        advance(index) { $0.passwordSet(outcome) }
    }

    private func advance(
        _ index: Int, _ step: (inout SecretRotation) -> [SecretRotation.Action]
    ) {
        guard var rotation = rotations[index] else { return }
        let actions = step(&rotation.core)
        rotations[index] = rotation
        for action in actions { perform(action, index) }
    }

    private func perform(_ action: SecretRotation.Action, _ index: Int) {
        switch action {
        case .storePending: storePending(index)
        case .setPending: setPending(index, isElsewhere: false)
        case .setPendingElsewhere: setPending(index, isElsewhere: true)
        case .makeKey:
            keepUndecided(index)
            daemon.readSecrets(tellsAgain: false)
            daemon.rebuild(index) { [self] failure in
                if let failure { return advance(index) { $0.keyFailed(failure) } }
                let newest = AgentBuilder.secrets(
                    of: name(index), in: daemon.store, daemon.log
                )?.first
                let channel = daemon.agent.domains[index].channel
                let isNewest = newest != nil && newest == channel.agreedSecret
                let asked = secrets(index)?.askedController
                let isStale = isStale(index)
                advance(index) {
                    $0.keyed(
                        withNewest: isNewest, at: channel.controller?.address, asked: asked,
                        isStale: isStale)
                }
            }
        case .promote:
            change(index) { secrets in
                if let pending = secrets.pending { secrets.succeed(by: pending) }
            }
            daemon.readSecrets(tellsAgain: false)
        case .promoteSent:
            guard let rotation = rotations[index], let sent = rotation.secret else { return }
            change(index) { secrets in
                secrets.succeed(by: sent)
                secrets.askedController = rotation.controller
            }
            daemon.readSecrets(tellsAgain: false)
        case .dropPending:
            guard let sent = rotations[index]?.secret else { return }
            change(index) { $0.drop(sent) }
            daemon.readSecrets(tellsAgain: false)
        case .finish(let outcome): end(index, outcome)
        }
    }

    private func end(_ index: Int, _ outcome: SecretRotation.Outcome) {
        if case .undecided = outcome { keepUndecided(index) }
        guard let rotation = rotations.removeValue(forKey: index) else { return }
        rotation.guardian.close()
        switch outcome {
        case .changed: daemon.log.info("\(name(index)): the secret is changed")
        case .unchanged(let reason):
            daemon.log.error("\(name(index)): the secret was not changed: \(reason)")
        case .undecided(let reason):
            daemon.log.warning("\(name(index)): the change of the secret goes on later: \(reason)")
        }
        rotation.done(outcome)
    }

    // MARK: The channel and the state

    private func storePending(_ index: Int) {
        let secret = StoredSecret(
            form: .password, since: SystemClock.unixSeconds, secret: Self.password())
        rotations[index]?.secret = secret
        let isStored = change(index) {
            $0.pending = secret
            $0.askedController = nil
        }
        advance(index) {
            isStored ? $0.pendingStored() : $0.pendingNotStored("the state cannot be written")
        }
    }

    /// 384 random bits, in characters that every system takes for a password.
    static func password() -> Secret {
        let kinds = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        return Secret(SystemRandom.bytes(Limit.length).map { kinds[Int($0 & 63)] })
    }

    /// A password that `password()` made, in UTF-16LE.
    static func wide(_ password: Secret) -> Secret {
        var units: [UInt8] = []
        units.reserveCapacity(2 * Limit.length)
        for byte in password.bytes { units += [byte, 0] }
        defer { Wipe.bytes(&units) }
        return Secret(units)
    }

    /// Who is asked is on disk before anything is sent: nobody else can say later that it was not
    /// taken. Of several who were asked nobody can.
    private func setPending(_ index: Int, isElsewhere: Bool) {
        let channel = daemon.agent.domains[index].channel
        guard let secret = rotations[index]?.secret, let secrets = secrets(index),
            secrets.pending?.isSame(as: secret) == true,
            let controller = channel.controller?.address
        else { return advance(index) { $0.passwordSet(.notSent) } }
        let asked = isElsewhere ? .any : controller
        guard change(index, { $0.askedController = asked }) else {
            return advance(index) { $0.passwordSet(.notSent) }
        }
        rotations[index]?.askedBefore = secrets.askedController
        rotations[index]?.asked = asked
        rotations[index]?.controller = controller
        let password = Self.wide(secret.secret)
        daemon.channel(index) {
            $0.setPassword(password, deadline: $1 + Limit.step, now: $1)
        }
    }

    /// Whoever was asked to take the secret may have it, so that no other one takes its place.
    private func keepUndecided(_ index: Int) {
        guard let rotation = rotations[index], let secret = rotation.secret,
            let asked = rotation.asked
        else { return }
        change(index) { $0.keepUndecided(secret, asked: asked) }
    }

    /// Whether the asked controller was waited for as long as it is preferred.
    private func isStale(_ index: Int) -> Bool {
        guard let since = rotations[index]?.secret?.since else { return false }
        let now = SystemClock.unixSeconds
        return now - min(now, since) >= ChannelLimit.preference / 1_000
    }

    private func secrets(_ index: Int) -> DomainSecrets? {
        let found = try? daemon.store.read { state throws(StoreError) in
            try state.get(DomainSecrets.self, name(index))
        }
        return found ?? nil
    }

    @discardableResult
    private func change(_ index: Int, _ body: (inout DomainSecrets) -> Void) -> Bool {
        do throws(StoreError) {
            return try daemon.store.write { state throws(StoreError) in
                guard var secrets = try state.get(DomainSecrets.self, name(index)) else {
                    return false
                }
                body(&secrets)
                try state.put(secrets, name(index))
                return true
            }
        } catch {
            daemon.log.error("\(name(index)): \(error.description)")
            return false
        }
    }
}
