import Crypto
import Simulation
import Testing
import Wire

@testable import SecureChannel

@Suite struct ChannelPasswordTests {
    private static var password: Secret { Secret(Array("n\0e\0w\0".utf8)) }
    private static let hash = MD4.hash(Array("n\0e\0w\0".utf8))

    private func set(_ world: ChannelWorld) {
        world.ask { $0.setPassword(Self.password, deadline: $1 + 5_000, now: $1) }
        world.run(6_000)
    }

    private func account(_ world: ChannelWorld) -> String { world.channel.account }

    @Test func controllerTakesThePasswordAndTheNextKeyIsMadeWithIt() {
        let (world, controller) = ChannelWorld.ready()
        let former = controller.accounts[account(world)]
        #expect(world.channel.agreedSecret == former)
        set(world)
        #expect(world.passwordOutcomes == [.set])
        #expect(controller.accounts[account(world)] == Self.hash)
        world.ask { $0.useSecrets([Self.hash, former!], now: $1) }
        world.ask { $0.rebuild(now: $1) }
        world.run(1_000)
        #expect(world.channel.agreedSecret == Self.hash)
    }

    @Test func refusalIsTold() {
        let (world, controller) = ChannelWorld.ready { $0.passwordRefusal = .accessDenied }
        let former = controller.accounts[account(world)]
        set(world)
        #expect(world.passwordOutcomes == [.refused(.accessDenied)])
        #expect(controller.accounts[account(world)] == former)
    }

    /// Whoever refuses under no authenticator of the controller's refuses nothing.
    @Test func refusalOfAnotherKeyLeavesItUnknown() {
        let (world, controller) = ChannelWorld.ready()
        let former = controller.accounts[account(world)]
        controller.replaceKey(of: ChannelWorld.computer)
        set(world)
        #expect(world.passwordOutcomes == [.unknown])
        #expect(controller.accounts[account(world)] == former)
    }

    @Test func lostConnectionLeavesItUnknown() {
        for isSet in [false, true] {
            let (world, controller) = ChannelWorld.ready {
                $0.losesPasswordCall = !isSet
                $0.losesPasswordAnswer = isSet
            }
            let former = controller.accounts[account(world)]
            set(world)
            #expect(world.passwordOutcomes == [.unknown])
            #expect((controller.accounts[account(world)] == former) != isSet)
        }
    }

    @Test func silenceLeavesItUnknownAtTheDeadline() {
        let (world, controller) = ChannelWorld.ready()
        controller.isHung = true
        set(world)
        #expect(world.passwordOutcomes == [.unknown])
    }

    @Test func pullsAndPasswordsGoOneAfterTheOther() {
        let (world, controller) = ChannelWorld.ready()
        controller.isHung = true
        world.ask { $0.pull(7, deadline: $1 + 5_000, now: $1) { _, _ in [1, 2, 3, 4] } }
        world.ask { $0.setPassword(Self.password, deadline: $1 + 5_000, now: $1) }
        #expect(world.passwordOutcomes == [.notSent] && world.pullOutcomes.isEmpty)
        world.run(6_000)
        guard case .failed = world.pullOutcomes.first else {
            Issue.record("no outcome at its deadline")
            return
        }
        #expect(world.pullOutcomes.count == 1)
    }

    @Test func pullWithoutAKeyFailsAtOnce() {
        let world = ChannelWorld()
        world.ask { $0.pull(7, deadline: $1 + 5_000, now: $1) { _, _ in [] } }
        #expect(world.pullOutcomes.count == 1)
    }

    @Test func nothingIsSentWithoutAKey() {
        let world = ChannelWorld()
        set(world)
        #expect(world.passwordOutcomes == [.notSent])
    }

    @Test func oldControllersGetTheHashUnderTheSessionKey() {
        let key = SessionKey(
            cipher: .des, key: Bytes16((0..<16).map { UInt8($0 * 17) }))
        let hash = Bytes16((0..<16).map { UInt8($0) })
        let concealed = key.concealed(owf: hash).bytes
        let secret = key.key.bytes
        #expect(DES.decrypt(Bytes8(Array(concealed[0..<8])), key7: Array(secret[0..<7]))
            == Bytes8(Array(hash.bytes[0..<8])))
        #expect(DES.decrypt(Bytes8(Array(concealed[8..<16])), key7: Array(secret[7..<14]))
            == Bytes8(Array(hash.bytes[8..<16])))
    }
}

/// What the account's secret is at the controller, and what is kept of it here, through a change
/// that is cut short anywhere.
@Suite struct SecretRotationTests {
    /// The state file and the controller.
    private struct World {
        var core = SecretRotation()
        var controller = "old"
        var current = "old"
        var previous: String?
        var pending: String?
        var outcomes: [SecretRotation.Outcome] = []
        var setOutcome = PasswordOutcome.set
        /// Whether a call without an answer had its effect all the same.
        var unknownIsSet = false
        var hasKey = true
        var steps = 0
        /// The process dies before this step.
        var lifetime = Int.max
        /// Another controller than the one that was asked serves, and has the old secret still.
        var servesLagging = false
        /// What becomes of the next calls that set the password, before `setOutcome` holds.
        var setOutcomes: [PasswordOutcome] = []
        /// The controllers that keys are made at one after the other; the last one stays.
        var places: [IPv4Address] = [IPv4Address(10, 77, 0, 10)]
        /// Who was asked to take the pending secret, as it is kept.
        var asked: IPv4Address?
        /// An administrator keeps another secret while the call is under way.
        var isReplaced = false
        /// The pending secret is older than a controller is waited for.
        var isStale = false
        /// Where it was sent.
        var sentTo: [IPv4Address] = []

        private var place: IPv4Address {
            servesLagging ? IPv4Address(10, 77, 0, 11) : places[0]
        }

        mutating func begin() { perform(core.begin(hasPending: pending != nil)) }

        mutating func perform(_ actions: [SecretRotation.Action]) {
            for action in actions {
                steps += 1
                if steps > lifetime { return }
                perform(action)
            }
        }

        private mutating func perform(_ action: SecretRotation.Action) {
            switch action {
            case .storePending:
                pending = "new"
                asked = nil
                perform(core.pendingStored())
            case .setPending: send(asked: places[0])
            case .setPendingElsewhere: send(asked: .any)
            case .makeKey:
                if places.count > 1 { places.removeFirst() }
                let tried = [pending, current, previous].compactMap { $0 }
                let serving = servesLagging ? "old" : controller
                guard hasKey, let agreed = tried.first(where: { $0 == serving }) else {
                    return perform(core.keyFailed("no key"))
                }
                perform(
                    core.keyed(
                        withNewest: agreed == tried.first, at: place, asked: asked,
                        isStale: isStale))
            case .promote: promote(pending!)
            case .promoteSent: promote("new")
            case .dropPending: pending = nil
            case .finish(let outcome): outcomes.append(outcome)
            }
        }

        private mutating func send(asked controllers: IPv4Address) {
            let sent = pending!
            let outcome = setOutcomes.isEmpty ? setOutcome : setOutcomes.removeFirst()
            switch outcome {
            case .notSent: break
            case .refused: sentTo.append(places[0])
            case .set, .unknown:
                sentTo.append(places[0])
                asked = controllers
            }
            if isReplaced {
                (current, previous, pending) = ("imported", current, nil)
            }
            if outcome == .set || outcome == .unknown && unknownIsSet { controller = sent }
            perform(core.passwordSet(outcome))
        }

        private mutating func promote(_ secret: String) {
            previous = current
            current = secret
            pending = nil
        }

        var knowsTheSecret: Bool { [pending, current, previous].contains(controller) }
    }

    @Test func changesTheSecret() {
        var world = World()
        world.begin()
        #expect(world.outcomes == [.changed])
        #expect(world.current == "new" && world.previous == "old" && world.pending == nil)
        #expect(world.controller == "new" && !world.core.isUnderWay)
    }

    @Test func refusedSecretIsForgotten() {
        var world = World()
        world.setOutcome = .refused(.accessDenied)
        world.begin()
        #expect(world.current == "old" && world.pending == nil)
        guard case .unchanged = world.outcomes.first else {
            Issue.record("\(world.outcomes)")
            return
        }
    }

    @Test func callWithoutAnAnswerIsDecidedByTheNextKey() {
        for isSet in [false, true] {
            var world = World()
            world.setOutcome = .unknown
            world.unknownIsSet = isSet
            world.begin()
            #expect(world.knowsTheSecret && world.pending == nil)
            #expect(world.current == (isSet ? "new" : "old"))
        }
    }

    @Test func aControllerThatWasNotAskedDecidesNothing() {
        var world = World()
        world.setOutcome = .unknown
        world.unknownIsSet = true
        world.servesLagging = true
        world.begin()
        guard case .undecided = world.outcomes.last else {
            Issue.record("\(world.outcomes)")
            return
        }
        #expect(world.pending == "new" && world.current == "old")
        world.servesLagging = false
        world.begin()
        #expect(world.outcomes.last == .changed && world.current == "new")
    }

    /// Nothing was sent at first, so that the first controller's word is final; then it is asked,
    /// and no other knows whether it has taken the secret.
    @Test func aControllerThatWasAskedTheSecondTimeAloneDecides() {
        let c = IPv4Address(10, 77, 0, 12)
        let d = IPv4Address(10, 77, 0, 13)
        var world = World()
        world.places = [IPv4Address(10, 77, 0, 10), c, d]
        world.setOutcomes = [.notSent, .unknown]
        world.begin()
        guard case .undecided = world.outcomes.last else {
            Issue.record("\(world.outcomes)")
            return
        }
        #expect(world.pending == "new" && world.current == "old" && world.asked == c)
        // The one that was asked is back, and has taken it.
        world.controller = "new"
        world.places = [c]
        world.begin()
        #expect(world.outcomes.last == .changed && world.current == "new")
    }

    @Test func whatAControllerTookIsKeptThoughAnotherWasPutInItsPlace() {
        var world = World()
        world.isReplaced = true
        world.begin()
        #expect(world.outcomes == [.changed])
        #expect(world.controller == "new" && world.current == "new")
        #expect(world.previous == "imported")
    }

    private static let gone = IPv4Address(10, 77, 0, 9)

    /// A secret is pending that a controller was asked to take which has not been seen since.
    private func withoutTheAsked(isStale: Bool) -> World {
        var world = World()
        world.pending = "new"
        world.asked = Self.gone
        world.isStale = isStale
        return world
    }

    @Test func aControllerThatDoesNotComeBackIsNotWaitedForForEver() {
        var world = withoutTheAsked(isStale: false)
        world.begin()
        guard case .undecided = world.outcomes.last else {
            Issue.record("\(world.outcomes)")
            return
        }
        #expect(world.sentTo.isEmpty && world.pending == "new")
        world.isStale = true
        world.begin()
        #expect(world.outcomes.last == .changed && world.sentTo == world.places)
        #expect(world.controller == "new" && world.current == "new" && world.pending == nil)
    }

    @Test func anotherControllersRefusalIsNoneOfTheOneThatWasAsked() {
        for outcome in [PasswordOutcome.refused(.accessDenied), .unknown, .notSent] {
            var world = withoutTheAsked(isStale: true)
            world.setOutcome = outcome
            for _ in 0..<2 {
                world.begin()
                guard case .undecided = world.outcomes.last else {
                    Issue.record("\(outcome): \(world.outcomes)")
                    return
                }
                #expect(world.pending == "new" && world.current == "old")
                // Who has it is not known once two may have.
                #expect(world.asked == (outcome == .unknown ? .any : Self.gone))
            }
            world.setOutcome = .set
            world.begin()
            #expect(world.outcomes.last == .changed && world.current == "new")
        }
    }

    @Test func nobodysWordIsFinalWhereItIsNotKnownWhoWasAsked() {
        var core = SecretRotation()
        let place = IPv4Address(10, 77, 0, 10)
        #expect(core.begin(hasPending: false) == [.storePending])
        #expect(core.pendingStored() == [.setPending])
        #expect(core.passwordSet(.unknown) == [.makeKey])
        let end = core.keyed(withNewest: false, at: place, asked: nil, isStale: false)
        guard case .finish(.undecided) = end.first, end.count == 1 else {
            Issue.record("\(end)")
            return
        }
    }

    @Test func withoutAKeyBothSecretsAreKept() {
        var world = World()
        world.setOutcome = .unknown
        world.hasKey = false
        world.begin()
        #expect(world.outcomes == [.undecided("no key")])
        #expect(world.pending == "new" && world.current == "old")
        world.hasKey = true
        world.setOutcome = .set
        world.begin()
        #expect(world.outcomes.last == .changed)
    }

    @Test func deathAtAnyStepLosesNothing() {
        for lifetime in 0..<8 {
            var world = World()
            world.lifetime = lifetime
            world.begin()
            #expect(world.knowsTheSecret, "after \(lifetime) steps")
            // The next process finds what was on disk.
            world.core = SecretRotation()
            world.lifetime = .max
            world.begin()
            #expect(world.knowsTheSecret && world.pending == nil)
            #expect(world.controller == world.current)
            #expect(world.outcomes.last == .changed)
        }
    }

    @Test func secondChangeWaitsForTheFirst() {
        var core = SecretRotation()
        #expect(core.begin(hasPending: false) == [.storePending])
        #expect(core.begin(hasPending: false) == [])
    }
}
