import SMB
import Testing
import Wire

@testable import Front

@Suite struct GuessLimiterTests {
    private typealias Talk = SMBTalk

    private func logOn(
        _ world: SMBWorld, _ number: UInt64, _ user: String, _ password: String
    ) throws -> SMBSessionEvent? {
        var talk = SMBTalk(world, SMBConnectionID(number)) {
            $0.credentials = SMBTalk.user(user, password)
        }
        return try talk.run().last
    }

    private let refused = SMBSessionEvent.failed(.sessionSetup, .logonFailure)
    private let locked = SMBSessionEvent.failed(.sessionSetup, .accountLockedOut)

    @Test func anAccountsGuessesEndBeforeTheControllersDo() throws {
        let world = SMBWorld()
        for number in 1...4 {
            #expect(try logOn(world, UInt64(number), "alice", "guess \(number)") == refused)
        }
        // Now the right one is not asked for either, however the name is written.
        #expect(try logOn(world, 5, "ALICE", "Secret-1") == locked)
        #expect(world.logons.count == 4 && world.server.counters.refusedGuesses == 1)
        #expect(try logOn(world, 6, "bob", "lower") == .established(isGuest: false))
        world.tick(after: 301_000)
        #expect(try logOn(world, 7, "alice", "Secret-1") == .established(isGuest: false))
    }

    @Test func aRightPasswordForgetsTheWrongOnes() throws {
        let world = SMBWorld()
        for round in 0..<3 {
            for number in 0..<3 {
                let id = UInt64(round * 10 + number)
                #expect(try logOn(world, id, "alice", "wrong") == refused)
            }
            let id = UInt64(round * 10 + 9)
            #expect(try logOn(world, id, "alice", "Secret-1") == .established(isGuest: false))
        }
    }

    @Test func guessesThatAreUnderWayCount() throws {
        let world = SMBWorld()
        world.answers = false
        var talks: [SMBTalk] = []
        for number in 1...10 {
            var talk = SMBTalk(world, SMBConnectionID(UInt64(number))) {
                $0.credentials = SMBTalk.user("alice", number == 5 ? "Secret-1" : "wrong")
            }
            #expect(try talk.run().count == 1)
            talks.append(talk)
        }
        #expect(world.logons.count == 4)
        for (token, _) in world.logons { world.answer(token, .refused(.wrongPassword)) }
        #expect(world.logons.count == 4)
        for index in talks.indices {
            #expect(try talks[index].run() == [index < 4 ? refused : locked])
        }
    }

    @Test func logonsThatWaitedAreAskedWhenOthersWereRight() throws {
        let world = SMBWorld()
        world.answers = false
        for number in 1...6 {
            var talk = SMBTalk(world, SMBConnectionID(UInt64(number))) {
                $0.credentials = SMBTalk.user("alice", "Secret-1")
            }
            _ = try talk.run()
        }
        #expect(world.logons.count == 4)
        world.answer(world.logons[0].token, world.judge(world.logons[0].logon))
        #expect(world.logons.count == 5)
        // A client that is gone gives its place up, and its guess counts.
        world.server.closed(SMBConnectionID(2))
        world.answer(world.logons[1].token, .refused(.wrongPassword))
        #expect(world.logons.count == 5)
        world.answer(world.logons[2].token, world.judge(world.logons[2].logon))
        #expect(world.logons.count == 6)
    }

    @Test func aSourceThatTriesManyNamesIsStopped() throws {
        let world = SMBWorld()
        for number in 1...40 {
            #expect(try logOn(world, UInt64(number), "user\(number)", "x") == refused)
        }
        #expect(try logOn(world, 41, "bob", "lower") == locked)
        world.tick(after: 16_000)
        #expect(try logOn(world, 42, "bob", "lower") == .established(isGuest: false))
    }

    @Test func logonsUnderWayOfASourceCount() throws {
        let world = SMBWorld()
        world.answers = false
        for number in 1...60 {
            var talk = SMBTalk(world, SMBConnectionID(UInt64(number))) {
                $0.credentials = SMBTalk.user("user\(number)", "x")
            }
            _ = try talk.run()
        }
        #expect(world.logons.count == 40)
        for (token, _) in world.logons { world.answer(token, .refused(.wrongPassword)) }
        #expect(world.logons.count == 40 && world.server.counters.refusedGuesses == 20)
    }

    /// From an address that has done nothing.
    private func permission(
        _ limiter: GuessLimiter, _ user: String
    ) -> GuessLimiter.Permission {
        limiter.permission(AccountKey(user), from: IPv4Address(rawValue: .max), now: 2)
    }

    @Test func whatFollowsAZeroIsNoOtherName() {
        let limiter = GuessLimiter(GuessLimits())
        for number in 0..<4 {
            limiter.failed(
                AccountKey("admin\0\(number)"), from: IPv4Address(rawValue: UInt32(number)),
                now: 1)
        }
        #expect(permission(limiter, "ADMIN") == .refuse)
    }

    /// Controllers know an account by all of these.
    @Test(arguments: [
        ["alice", "\u{e1}lice", " alice", "\u{ff41}lice", "Alice@ad.lab", "a\u{301}lice",
         "\u{24d0}lice", "al ice", "alice\u{ff20}x"],
        ["stra\u{df}e", "STRASSE", "\u{15b}trasse"], ["\u{e6}gir", "AEGIR"],
        ["\u{44f}\u{43d}", "\u{42f}\u{41d}"],
    ])
    func anotherSpellingIsNoOtherAccount(_ spellings: [String]) {
        #expect(Set(spellings.map { AccountKey($0) }).count == 1)
        #expect(AccountKey("bob") != AccountKey("rob"))
        let long = String(repeating: "x", count: 60_000)
        #expect(AccountKey(long) == AccountKey(String(long.prefix(256))))
    }

    @Test func guessesUnderOtherSpellingsCount() {
        let limiter = GuessLimiter(GuessLimits())
        for (number, user) in ["alice", "\u{e1}lice", " alice", "\u{ff41}lice"].enumerated() {
            limiter.failed(
                AccountKey(user), from: IPv4Address(rawValue: UInt32(number)), now: 1)
        }
        #expect(permission(limiter, "ALICE") == .refuse)
    }

    @Test func namesOfNobodyAreNotAsked() throws {
        let world = SMBWorld()
        #expect(try logOn(world, 1, String(repeating: "x", count: 1_025), "x") == refused)
        #expect(world.logons.isEmpty)
        #expect(try logOn(world, 2, String(repeating: "x", count: 1_024), "x") == refused)
        #expect(world.logons.count == 1)
    }

    /// The one with the fewest failures gives way.
    @Test func theTableIsBounded() {
        let limiter = GuessLimiter(GuessLimits())
        var source: UInt32 = 0
        func fail(_ user: String, times: Int) {
            for _ in 0..<times {
                source += 1
                limiter.failed(AccountKey(user), from: IPv4Address(rawValue: source), now: 1)
            }
        }
        fail("first", times: 1)
        for number in 0..<GuessLimiter.entryLimit { fail("user\(number)", times: 2) }
        fail("first", times: 3)
        #expect(permission(limiter, "first") == .ask)
        fail("first", times: 1)
        #expect(permission(limiter, "first") == .refuse)
    }
}
