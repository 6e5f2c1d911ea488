import NetBIOS
import Testing
import Wire

@testable import Locator

@Suite struct LocatorTests {
    private let one = World.address(1)
    private let two = World.address(2)
    private let three = World.address(3)

    // MARK: Finding

    @Test func findsThePreferredControllerByDNSAndLearnsItsNames() throws {
        let world = World.withDNS(2)
        world.begin(World.modern)
        #expect(world.runUntilHealthy(limit: 1_000) == 4)
        let first = try #require(world.first)
        #expect(first.address == one)
        #expect(first.hostName == "dc1.ad.lab")
        #expect(first.netbiosName == "DC1")
        #expect(world.locator.known.netbiosDomain == "ADLAB")
        #expect(world.locator.known.dnsForest == "ad.lab")
        #expect(world.locator.known.clientSite == "Site-A")
        #expect(world.locator.worthWaiting(now: world.now) == nil)
    }

    @Test func asksOneControllerAtATimeAndStopsWithAStandby() {
        let world = World.withDNS(9)
        world.begin(World.modern)
        world.run(5_000)
        #expect(world.addresses.prefix(2) == [one, two])
        #expect(world.locator.controllers.count == 2)
        #expect(world.sent(to: one) == 1)
        #expect(world.sent(to: two) == 1)
    }

    @Test func aBlackHoleInFrontCostsOneStagger() {
        let world = World.withDNS(3)
        world.machines[one]?.isUp = false
        world.begin(World.modern)
        let took = world.runUntilHealthy(limit: 2_000)
        #expect(took != nil && took! <= LocatorLimit.stagger + 10)
        #expect(world.first?.address == two)
    }

    @Test func aHundredTargetsAreBounded() {
        let world = World.withDNS(100)
        for number in 1...99 as ClosedRange<UInt8> {
            world.machines[World.address(number)]?.isUp = false
        }
        world.begin(World.modern)
        world.run(20_000)
        #expect(world.locator.controllers.count <= LocatorLimit.controllers)
        #expect(world.count { if case .dnsA = $0 { true } else { false } } < 100)
    }

    @Test func anEmptyAnswerIsAskedAgainEachSecond() {
        let world = World.withDNS(1)
        world.nameServiceIsUp = false
        world.begin(World.modern)
        world.run(3_500)
        #expect(world.first == nil)
        #expect(world.locator.worthWaiting(now: world.now) == nil)
        let asked = world.count { $0 == .dnsSRV(name: World.service) }
        #expect(asked >= 3 && asked <= 5)
        world.nameServiceIsUp = true
        let took = world.runUntilHealthy(limit: 5_000)
        #expect(took != nil && took! <= 1_010)
    }

    @Test func aNameServiceThatNeverAnswersDoesNotHoldTheSearch() {
        let world = World.withDNS(1)
        world.nameServiceIsMute = true
        world.begin(World.modern)
        world.run(2 * LocatorLimit.lookupDeadline + 4_000)
        world.nameServiceIsMute = false
        #expect(world.runUntilHealthy(limit: LocatorLimit.lookupDeadline + 2_000) != nil)
    }

    @Test func aFarControllerLeadsToTheSitesOwn() {
        let world = World.withDNS(1)
        world.machines[one]?.isClosest = false
        let near = World.address(50)
        world.machines[near] = World.Machine(name: "NEAR")
        world.hosts["near.ad.lab"] = [near]
        world.services["_ldap._tcp.Site-A._sites.dc._msdcs.ad.lab"] = [
            SRVRecord(priority: 0, weight: 0, port: 389, target: "near.ad.lab")
        ]
        world.begin(World.modern)
        world.run(1_000)
        #expect(world.addresses == [near, one])
    }

    @Test func aSiteWithoutControllersIsAskedOnce() {
        let world = World.withDNS(1)
        world.machines[one]?.isClosest = false
        world.begin(World.modern)
        world.run(30_000)
        #expect(world.addresses == [one])
        let asked = world.count {
            $0 == .dnsSRV(name: "_ldap._tcp.Site-A._sites.dc._msdcs.ad.lab")
        }
        #expect(asked == 1)
    }

    @Test func aControllerOfAnotherDomainIsNotUsed() {
        let world = World.withDNS(2)
        world.machines[one]?.domain = "other.lab"
        world.begin(World.modern)
        world.run(1_000)
        #expect(world.addresses == [two])
    }

    @Test func aPausedControllerIsNotUsedUntilItGoesOn() {
        let world = World.withDNS(2)
        world.machines[one]?.isPaused = true
        world.begin(World.modern)
        world.run(1_000)
        #expect(world.addresses == [two])
        world.machines[one]?.isPaused = false
        world.run(1_000)
        #expect(world.addresses == [one, two])
    }

    @Test func aMachineOfManyAddressesCountsAFew() {
        let world = World.withDNS(1)
        world.hosts["dc1.ad.lab"] = (1...60).map { World.address($0) }
        world.begin(World.modern)
        world.run(3_000)
        #expect(world.locator.controllers.count == LocatorLimit.addressesPerHost)
    }

    // MARK: Lists

    @Test func aSingleConfiguredAddressIsUsedAtOnce() {
        let world = World()
        world.machines[one] = World.Machine()
        world.begin(World.fixed([one]))
        #expect(world.addresses == [one])
        #expect(world.locator.worthWaiting(now: world.now) == nil)
        world.run(10)
        #expect(world.first?.isHealthy == true)
        #expect(world.count { if case .dnsSRV = $0 { true } else { false } } == 0)
    }

    @Test func theListsOrderHolds() {
        let world = World.withDNS(3)
        world.machines[three]?.isClosest = false
        world.begin(World.fixed([three, one, two]))
        #expect(world.locator.worthWaiting(now: world.now) != nil)
        world.run(1_000)
        #expect(world.addresses == [three, one, two])
    }

    @Test func withoutADNSNameTheNetBIOSNameDecides() {
        let world = World()
        world.machines[one] = World.Machine(netbiosDomain: "OTHER")
        world.machines[two] = World.Machine(netbiosDomain: "adlab")
        world.begin(LocatorConfiguration(
            domain: "ADLAB", controllers: [one, two], hostName: "GATE1"))
        world.run(1_000)
        #expect(world.addresses == [two])
    }
}
