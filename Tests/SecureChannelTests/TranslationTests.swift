import Interfaces
import Simulation
import Testing
import Wire

@testable import SecureChannel

@Suite struct TranslationTests {
    private static let domain = SID("S-1-5-21-1-2-3")!

    private static func user(_ name: String) -> Translation {
        Translation(
            use: .user, sid: domain.appending(SimulatedUser.relativeID(name))!, name: name,
            domain: "ADLAB")
    }

    private func ask(
        _ world: ChannelWorld, _ id: UInt32, _ names: [String], isUrgent: Bool = false
    ) {
        world.ask {
            $0.translate(id, .names(names), isUrgent: isUrgent, deadline: $1 + 5_000, now: $1)
        }
    }

    @Test func controllerTranslatesNamesOverAConnectionOfTheirOwn() {
        let (world, controller) = ChannelWorld.ready()
        ask(world, 1, ["ADLAB\\anna", "ADLAB\\nobody", "ADLAB"])
        ask(world, 2, ["ADLAB\\bert"])
        world.run(1_000)
        let home = Translation(use: .domain, sid: Self.domain, name: "", domain: "ADLAB")
        #expect(world.translations[1] == .translated([Self.user("anna"), nil, home]))
        #expect(world.translations[2] == .translated([Self.user("bert")]))
        // The endpoint mapper is asked once.
        #expect(world.opened.count == 2)
        #expect(world.channel.connections == 1)
        world.logon("carl")
        world.runUntilAnswered()
        #expect(world.accepted == 1)
        expectSound(world, [controller])
    }

    @Test func questionsWaitForAKey() {
        let world = ChannelWorld()
        let controller = world.addController()
        ask(world, 1, ["ADLAB\\anna"])
        #expect(world.translations.isEmpty)
        world.use([controller])
        world.run(1_000)
        #expect(world.translations[1] == .translated([Self.user("anna")]))
    }

    @Test func lostQuestionIsAskedOnceMoreAndNoOftener() {
        let (world, controller) = ChannelWorld.ready { $0.losesTranslations = 1 }
        ask(world, 1, ["ADLAB\\anna"])
        world.run(1_000)
        #expect(world.translations[1] == .translated([Self.user("anna")]))
        controller.losesTranslations = 9
        ask(world, 2, ["ADLAB\\anna"])
        world.run(1_000)
        #expect(world.translations[2] == .unavailable(.connectionLost))
        #expect(controller.translations == 4)
        #expect(world.channel.stateName == "ready")
    }

    @Test func silentControllerIsNotWaitedForBeyondTheDeadline() {
        let (world, controller) = ChannelWorld.ready()
        ask(world, 1, ["ADLAB\\anna"])
        world.run(100)
        controller.isHung = true
        ask(world, 2, ["ADLAB\\bert"])
        world.run(4_999)
        #expect(world.translations[2] == nil)
        world.run(1)
        #expect(world.translations[2] == .unavailable(.deadline))
        controller.isHung = false
        ask(world, 3, ["ADLAB\\carl"])
        world.run(1_000)
        #expect(world.translations[3] == .translated([Self.user("carl")]))
    }

    @Test func nobodyWaitsWhereNoControllerIs() {
        let world = ChannelWorld()
        ask(world, 1, ["ADLAB\\anna"])
        world.use([])
        #expect(world.translations[1] == .unavailable(.noController))
        ask(world, 2, ["ADLAB\\anna"])
        #expect(world.translations[2] == .unavailable(.noController))
    }

    @Test func newKeyGetsANewConnection() {
        let (world, controller) = ChannelWorld.ready()
        ask(world, 1, ["ADLAB\\anna"])
        world.run(100)
        world.ask { $0.rebuild(now: $1) }
        world.run(100)
        world.forgetTraffic()
        ask(world, 2, ["ADLAB\\bert"])
        world.run(100)
        #expect(world.opened.count == 1)
        #expect(world.translations[2] == .translated([Self.user("bert")]))
        expectSound(world, [controller])
    }

    @Test func idleConnectionIsClosed() {
        let (world, controller) = ChannelWorld.ready()
        ask(world, 1, ["ADLAB\\anna"])
        world.run(100)
        #expect(controller.openConnections == 2)
        world.run(ChannelLimit.idle)
        #expect(controller.openConnections == 1)
    }

    @Test func tooManyQuestionsAreTurnedAway() {
        let world = ChannelWorld()
        for id in 0...UInt32(ChannelLimit.translations) { ask(world, id, ["ADLAB\\anna"]) }
        #expect(world.translations.count == 1)
        #expect(
            world.translations[UInt32(ChannelLimit.translations)] == .unavailable(.overloaded))
    }

    @Test func urgentQuestionsGoAheadOfOthersInTheirOrder() {
        let world = ChannelWorld()
        let controller = world.addController()
        for id: UInt32 in 1...3 { ask(world, id, ["ADLAB\\bert"]) }
        ask(world, 4, ["ADLAB\\anna"], isUrgent: true)
        ask(world, 5, ["ADLAB\\carl"], isUrgent: true)
        world.use([controller])
        for _ in 0..<1_000 where world.translations[4] == nil { world.run(1) }
        #expect(world.translations.count == 1)
        #expect(world.translations[4] == .translated([Self.user("anna")]))
        for _ in 0..<1_000 where world.translations[5] == nil { world.run(1) }
        #expect(world.translations.count == 2)
        #expect(world.translations[5] == .translated([Self.user("carl")]))
        world.run(1_000)
        #expect(world.translations.count == 5)
    }

    @Test func urgentQuestionsWaitForTheOneUnderWay() {
        let (world, controller) = ChannelWorld.ready()
        ask(world, 0, ["ADLAB"])
        world.run(100)
        controller.isHung = true
        ask(world, 1, ["ADLAB\\anna"])
        ask(world, 2, ["ADLAB\\bert"])
        ask(world, 3, ["ADLAB\\carl"], isUrgent: true)
        world.run(100)
        controller.isHung = false
        for _ in 0..<1_000 where world.translations[3] == nil { world.run(1) }
        #expect(world.translations[1] == .translated([Self.user("anna")]))
        #expect(world.translations[2] == nil)
        #expect(world.translations[3] == .translated([Self.user("carl")]))
        world.run(1_000)
        #expect(world.translations[2] == .translated([Self.user("bert")]))
    }
}
