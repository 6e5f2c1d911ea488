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
        /// Who was asked before the call that is under way.
        var askedBefore: IPv4Address?
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
        rotations[index] = Rotation(guardian: guardian, done: done, since: loop.now)
        daemon.log.info("\(name(index)): the secret is being changed")
        advance(index) { $0.begin(hasPending: secrets.pending != nil) }
    }

    private func name(_ index: Int) -> String { daemon.configuration.domains[index].name }

    // MARK: What happened

    func passwordSet(_ index: Int, _ outcome: PasswordOutcome) {
        if outcome == .notSent, let rotation = rotations[index] {
            change(index) { $0.askedController = rotation.askedBefore }
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
        case .setPending: setPending(index)
        case .makeKey:
            daemon.readSecrets()
            daemon.rebuild(index) { [self] failure in
                if let failure { return advance(index) { $0.keyFailed(failure) } }
                let newest = AgentBuilder.secrets(
                    of: name(index), in: daemon.store, daemon.log
                )?.first
                let channel = daemon.agent.domains[index].channel
                let isNewest = newest != nil && newest == channel.agreedSecret
                let asked = secrets(index)?.askedController
                advance(index) {
                    $0.keyed(
                        withNewest: isNewest, at: channel.controller?.address, asked: asked)
                }
            }
        case .promote:
            change(index) { secrets in
                guard let pending = secrets.pending else { return }
                secrets = DomainSecrets(
                    sequence: secrets.sequence &+ 1, current: pending,
                    previous: secrets.current, askedController: secrets.askedController)
            }
            daemon.readSecrets()
        case .dropPending:
            change(index) { $0.pending = nil }
            daemon.readSecrets()
        case .finish(let outcome): end(index, outcome)
        }
    }

    private func end(_ index: Int, _ outcome: SecretRotation.Outcome) {
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
        let password = Self.password()
        let isStored = change(index) {
            $0.pending = StoredSecret(
                form: .password, since: SystemClock.unixSeconds, secret: password)
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
    /// taken.
    private func setPending(_ index: Int) {
        guard let secrets = secrets(index), let pending = secrets.pending,
            let controller = daemon.agent.domains[index].channel.controller?.address,
            change(index, { $0.askedController = controller })
        else { return advance(index) { $0.passwordSet(.notSent) } }
        rotations[index]?.askedBefore = secrets.askedController
        let password = Self.wide(pending.secret)
        daemon.channel(index) {
            $0.setPassword(password, deadline: $1 + Limit.step, now: $1)
        }
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
