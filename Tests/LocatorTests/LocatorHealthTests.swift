import NetBIOS
import Testing
import Wire

@testable import Locator

@Suite struct LocatorHealthTests {
    private let one = World.address(1)
    private let two = World.address(2)

    private func started(_ count: Int) -> World {
        let world = World.withDNS(count)
        world.begin(World.modern)
        world.run(1_000)
        world.clearLog()
        return world
    }

    @Test func aTimeOutMovesToTheStandbyAtOnce() {
        let world = started(2)
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        #expect(world.addresses == [two])
        #expect(world.count { $0 == .changed } == 1)
    }

    @Test func aSlowControllerIsBackWithItsAnswerToTheProbe() {
        let world = started(2)
        world.failed(one, .timedOut)
        world.run(5)
        #expect(world.addresses == [one, two])
    }

    @Test func aResetIsProbedAtOnceAndKeepsALastResort() {
        let world = started(1)
        world.failed(one, .connectionLost)
        #expect(world.addresses == [one])
        #expect(world.first?.isHealthy == false)
        #expect(world.locator.worthWaiting(now: world.now) == nil)
        world.run(5)
        #expect(world.first?.isHealthy == true)
    }

    @Test func withEverythingDownThereIsNothingToWaitFor() {
        let world = started(2)
        for address in [one, two] {
            world.machines[address]?.isUp = false
            world.failed(address, .timedOut)
        }
        #expect(world.addresses == [])
        #expect(world.locator.worthWaiting(now: world.now) == nil)
        world.nameServiceIsMute = true
        for _ in 0..<100 {
            world.run(50)
            #expect(world.locator.worthWaiting(now: world.now) == nil)
        }
    }

    @Test func aControllerThatComesBackIsUsedWithinASecond() {
        for downtime in [50, 400, 1_234, 10_000, 61_000] as [UInt64] {
            let world = started(1)
            world.machines[one]?.isUp = false
            world.failed(one, .connectionLost)
            world.failed(one, .connectionLost)
            world.run(downtime)
            #expect(world.addresses == [])
            world.machines[one]?.isUp = true
            let took = world.runUntilHealthy(limit: 2_000)
            #expect(took != nil && took! <= 1_000, "after \(downtime) ms")
        }
    }

    @Test func probesOfADownControllerBackOffAndAreBounded() {
        let world = started(1)
        world.nameServiceIsUp = false
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        world.clearLog()
        world.run(60_000)
        let probes = world.sent(to: one)
        #expect(probes >= 60 && probes <= 80)
    }

    @Test func aControllerThatAnswersPingsButNoCallsIsRetriedWithBackOff() {
        let world = started(1)
        var tries = 0
        for _ in 0..<3_000 {
            if world.first != nil {
                tries += 1
                world.failed(one, .connectionLost)
            }
            world.run(1)
        }
        #expect(tries >= 4 && tries <= 10)
    }

    @Test func aSuccessForgetsEarlierFailures() {
        let world = started(1)
        for _ in 0..<20 {
            world.failed(one, .connectionLost)
            world.run(10)
            #expect(world.first?.isHealthy == true)
            world.succeeded(one)
        }
    }

    @Test func aRejectionPrefersTheOther() {
        let world = started(2)
        world.failed(one, .rejected)
        #expect(world.addresses == [two])
    }

    @Test func aControllerBehindAFilterIsProbedByTCP() {
        let world = World.withDNS(1)
        world.machines[one]?.answersPings = false
        world.begin(World.modern)
        let took = world.runUntilHealthy(limit: 3_000)
        #expect(took != nil && took! < 1_000)
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        world.run(10_000)
        #expect(world.addresses == [])
        world.machines[one]?.isUp = true
        // Every second probe is a ping that the filter drops.
        #expect(world.runUntilHealthy(limit: 1_700) != nil)
    }

    @Test func aSilentStandbyIsNoticedBeforeItIsNeeded() {
        let world = started(2)
        world.machines[two]?.isUp = false
        for _ in 0..<60 {
            world.succeeded(one)
            world.run(1_000)
        }
        #expect(world.addresses == [one])
        #expect(world.sent(to: one) == 0)
    }

    @Test func aPreferredControllerIsTakenBackUp() {
        let world = started(2)
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        world.run(20_000)
        #expect(world.addresses == [two])
        world.machines[one]?.isUp = true
        world.run(1_000)
        #expect(world.addresses == [one, two])
    }

    @Test func aNewControllerIsFoundWhileTheOldOneIsDown() {
        let world = started(1)
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        world.services[World.service] = [
            SRVRecord(priority: 0, weight: 0, port: 389, target: "dc9.ad.lab")
        ]
        let nine = World.address(9)
        world.hosts["dc9.ad.lab"] = [nine]
        world.machines[nine] = World.Machine(name: "DC9")
        world.run(3_000)
        #expect(world.addresses == [nine])
        #expect(world.locator.controllers.count == 1)
    }

    /// dc1 of the world gets another address.
    private func move(_ world: World, to last: UInt8) -> IPv4Address {
        let address = World.address(last)
        world.machines[address] = world.machines[one]
        world.machines[one]?.isUp = false
        world.hosts["dc1.ad.lab"] = [address]
        return address
    }

    @Test func aControllerThatChangesItsAddressIsFoundAtItsNewOne() {
        let world = started(1)
        let nine = move(world, to: 9)
        world.failed(one, .timedOut)
        #expect(world.runUntilHealthy(limit: 3_000) != nil)
        #expect(world.addresses == [nine])
        #expect(world.locator.controllers.map(\.address) == [nine])
        #expect(world.persisted?.entries.map(\.address) == [nine])
    }

    @Test func aControllerThatChangesItsAddressBesideOthersIsFoundByTheNextSearch() {
        let world = started(3)
        let nine = move(world, to: 9)
        world.failed(one, .timedOut)
        world.run(LocatorLimit.rediscovery + 1_000)
        #expect(world.locator.controllers.contains { $0.address == nine && $0.health == .healthy })
        #expect(!world.locator.controllers.contains { $0.address == one })
    }

    @Test func aControllerThatIsDownWhereItWasIsKept() {
        let world = started(2)
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        world.run(LocatorLimit.rediscovery + 1_000)
        #expect(world.addresses == [two])
        #expect(world.locator.controllers.map(\.address).contains(one))
        world.machines[one]?.isUp = true
        world.run(1_000)
        #expect(world.addresses == [one, two])
    }

    // MARK: Across restarts

    @Test func aControllerThatChangedItsAddressMeanwhileIsFoundAtItsNewOne() throws {
        let known = try #require(started(1).persisted)
        let world = World.withDNS(1)
        let nine = move(world, to: 9)
        world.begin(World.modern, known: known)
        #expect(world.runUntilHealthy(limit: 5_000) != nil)
        #expect(world.addresses == [nine])
        #expect(world.persisted?.entries.map(\.address) == [nine])
    }

    @Test func startsWithTheLastGoodControllerAndWithoutDNS() throws {
        let before = started(2)
        let known = try #require(before.persisted)
        #expect(known.entries.first?.address == one)
        let world = World.withDNS(2)
        world.begin(World.modern, known: known)
        #expect(world.runUntilHealthy(limit: 1_000) == 2)
        world.run(10_000)
        #expect(world.count { if case .dnsSRV = $0 { true } else { false } } == 0)
        #expect(world.locator.known.dnsForest == "ad.lab")
    }

    @Test func dnsGoneButLastGoodKnown() throws {
        let known = started(2).locator.known
        let world = World.withDNS(2)
        world.nameServiceIsUp = false
        world.machines[one]?.isUp = false
        world.begin(World.modern, known: known)
        let took = world.runUntilHealthy(limit: 2_000)
        #expect(took != nil && took! < 300)
        #expect(world.first?.address == two)
    }

    @Test func lastGoodGoneButDNSKnowsBetter() {
        var known = KnownControllers()
        known.entries = [
            .init(address: World.address(99), hostName: "old.ad.lab", netbiosName: "OLD")
        ]
        let world = World.withDNS(1)
        world.begin(World.modern, known: known)
        let took = world.runUntilHealthy(limit: 2_000)
        #expect(took != nil && took! < 300)
        #expect(world.first?.address == one)
    }

    @Test func persistsOnceAndAgainOnlyForNews() {
        let world = World.withDNS(2)
        world.begin(World.modern)
        world.run(60_000)
        #expect(world.count { if case .persist = $0 { true } else { false } } <= 2)
        #expect(world.persisted == world.locator.known)
        world.clearLog()
        world.machines[one]?.isUp = false
        world.failed(one, .timedOut)
        #expect(world.count { if case .persist = $0 { true } else { false } } == 1)
        #expect(world.persisted?.entries.map(\.address) == [two, one])
    }

    @Test func knownControllersSurviveTheStoreAndDamageIsRefused() throws {
        let known = started(2).locator.known
        var writer = WireWriter()
        known.write(into: &writer)
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "store")
        #expect(try KnownControllers(parsing: &reader) == known)
        for length in 0..<bytes.count {
            let part = Array(bytes[..<length])
            #expect(throws: WireError.self) {
                var reader = WireReader(part.span, layer: "store")
                _ = try KnownControllers(parsing: &reader)
            }
        }
    }

    // MARK: Hostile answers

    @Test func aForgedAnswerIsNotTaken() throws {
        let world = World.withDNS(1)
        world.machines[one]?.isUp = false
        world.begin(World.modern)
        world.run(50)
        let forged = World.answer(World.Machine(), 1)
        for source in [Endpoint(World.address(66), 389), Endpoint(one, 389), Endpoint(one, 99)] {
            let taken = world.locator.datagram(forged.span, from: source, now: world.now)
            #expect(!taken)
        }
        #expect(world.first?.isHealthy != true)
    }

    @Test func damagedAnswersNeverTrap() {
        let world = World.withDNS(1)
        world.begin(World.modern)
        world.run(50)
        let answer = World.answer(World.Machine(), 7)
        for index in answer.indices {
            for value in [0, 0x7f, 0x80, 0xc0, 0xff] as [UInt8] {
                world.failed(one, .timedOut)
                var bytes = answer
                bytes[index] = value
                _ = world.locator.datagram(bytes.span, from: Endpoint(one, 389), now: world.now)
                world.run(3)
            }
        }
    }

    @Test func aSearchThatIsAskedForAsksEverybodyAndForgetsNobodyMeanwhile() {
        let world = started(2)
        let since = world.now
        world.searchAnew()
        #expect(world.addresses == [one, two])
        #expect(world.sent(to: one) == 1)
        #expect(world.sent(to: two) == 1)
        #expect(world.count { if case .dnsSRV = $0 { true } else { false } } == 1)
        #expect(world.locator.isSearching(since: since))
        world.run(200)
        #expect(!world.locator.isSearching(since: since))
        #expect(world.addresses == [one, two])
    }

    @Test func aSearchAmongTheDeadEnds() {
        let world = started(1)
        world.machines[one]?.isUp = false
        world.failed(one, .connectionLost)
        world.failed(one, .connectionLost)
        world.run(5_000)
        world.services = [:]
        let since = world.now
        world.searchAnew()
        #expect(world.locator.isSearching(since: since))
        world.run(5_000)
        #expect(!world.locator.isSearching(since: since))
        #expect(world.addresses == [])
    }
}
