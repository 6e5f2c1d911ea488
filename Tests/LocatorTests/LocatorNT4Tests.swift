import NetBIOS
import Testing
import Wire

@testable import Locator

@Suite struct LocatorNT4Tests {
    private let pdc = World.address(20)
    private let bdc = World.address(21)

    private func names(_ computer: String, isPrimary: Bool) -> [NodeStatus.Entry] {
        var list = [
            NodeStatus.Entry(NetBIOSName(computer, .workstation)!, NameFlags(rawValue: 0x0400)),
            NodeStatus.Entry(NetBIOSName(computer, .server)!, NameFlags(rawValue: 0x0400)),
            NodeStatus.Entry(
                NetBIOSName("NT4LAB", .domainControllers)!, NameFlags(rawValue: 0x8400)),
        ]
        if isPrimary {
            list.append(.init(
                NetBIOSName("NT4LAB", .domainMasterBrowser)!, NameFlags(rawValue: 0x0400)))
        }
        return list
    }

    private func world() -> World {
        let world = World()
        world.machines[pdc] = World.Machine(nodeNames: names("NT4PDC", isPrimary: true))
        world.machines[bdc] = World.Machine(nodeNames: names("NT4BDC", isPrimary: false))
        world.names[NetBIOSName("NT4LAB", .domainMasterBrowser)!] = [pdc]
        world.names[NetBIOSName("NT4LAB", .domainControllers)!] = [bdc, pdc]
        return world
    }

    private var configuration: LocatorConfiguration {
        LocatorConfiguration(domain: "NT4LAB", profile: .nt4, hostName: "GATE1")
    }

    @Test func findsThePrimaryAndABackupByTheirNames() {
        let world = world()
        world.begin(configuration)
        world.run(1_000)
        #expect(world.addresses == [pdc, bdc])
        #expect(world.first?.netbiosName == "NT4PDC")
        #expect(world.count { if case .udp = $0 { true } else { false } } == 0)
    }

    @Test func aNodeThatIsNoControllerIsNotUsed() {
        let world = world()
        world.machines[pdc]?.nodeNames = [
            NodeStatus.Entry(NetBIOSName("PC1", .server)!, NameFlags(rawValue: 0x0400))
        ]
        world.begin(configuration)
        world.run(1_000)
        #expect(world.addresses == [bdc])
    }

    @Test func aControllerThatIsDownIsProbedByTCPAndBackWithinASecond() {
        let world = world()
        world.names[NetBIOSName("NT4LAB", .domainControllers)!] = []
        world.begin(configuration)
        world.run(1_000)
        world.machines[pdc]?.isUp = false
        world.failed(pdc, .timedOut)
        world.clearLog()
        world.run(5_000)
        #expect(world.addresses == [])
        let probes = world.count { if case .probeTCP = $0 { true } else { false } }
        #expect(probes >= 4 && probes <= 10)
        world.machines[pdc]?.isUp = true
        let took = world.runUntilHealthy(limit: 2_000)
        #expect(took != nil && took! <= 1_000)
        #expect(world.first?.netbiosName == "NT4PDC")
    }

    @Test func namesThatNobodyOwnsAreAskedAgain() {
        let world = world()
        world.nameServiceIsUp = false
        world.begin(configuration)
        world.run(3_000)
        #expect(world.addresses == [])
        world.nameServiceIsUp = true
        #expect(world.runUntilHealthy(limit: 1_100) != nil)
    }
}
