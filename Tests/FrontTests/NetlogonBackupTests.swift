import Domain
import Interfaces
import RPC
import Testing
import Wire

@testable import Front

/// What a backup's NETLOGON service says of its primary, and does for an administrator.
@Suite struct NetlogonBackupTests {
    private static let administrator = FrontIdentity(
        kind: .local, user: "Administrator", domain: "GATE", userRID: 500,
        isInAdministrators: true)

    private func call(
        _ world: NetlogonWorld, _ opnum: UInt16, _ request: some NDRMessage,
        as identity: FrontIdentity = .anonymous
    ) throws -> [UInt8] {
        var writer = WireWriter()
        request.write(into: &writer)
        let stub = writer.finish()
        let caller = RemoteCaller(
            carriage: .tcp, peer: IPv4Address(10, 77, 0, 51), identity: identity)
        let reply = world.service.call(
            opnum, WireReader(stub.span, layer: "test"), from: caller, now: world.time)
        guard case .response(let bytes) = reply else {
            Issue.record("no response")
            return []
        }
        return bytes
    }

    private func named(_ world: NetlogonWorld, any: Bool = false) throws -> ControllerName {
        let stub = any
            ? try call(
                world, NetrGetAnyDCName.opnum,
                NetrGetAnyDCName.Request(serverName: nil, domainName: "GATE"))
            : try call(
                world, NetrGetDCName.opnum,
                NetrGetDCName.Request(serverName: "GATE1", domainName: nil))
        var reader = WireReader(stub.span, layer: "test")
        return try ControllerName(parsing: &reader)
    }

    private func found(_ world: NetlogonWorld, _ flags: UInt32) throws -> FoundController {
        let stub = try call(
            world, DsrGetDcName.opnum,
            DsrGetDcName.Request(computerName: nil, domainName: nil, flags: flags))
        var reader = WireReader(stub.span, layer: "test")
        return try FoundController(parsing: &reader)
    }

    @Test func thePrimaryIsNamedWhereItIsWanted() throws {
        let world = try NetlogonWorld()
        try world.domain.setRole(.backup, primary: "PDC1")
        #expect(try named(world).buffer == "\\\\PDC1")
        #expect(try named(world, any: true).buffer == "\\\\GATE1")
        for flags in [0x80, 0x1000] as [UInt32] {
            let primary = try #require(try found(world, flags).domainControllerInfo)
            #expect(primary.domainControllerName == "\\\\PDC1" && primary.flags == 0x101)
            #expect(primary.domainControllerAddress == "\\\\PDC1")
        }
        let near = try #require(try found(world, 0).domainControllerInfo)
        #expect(near.domainControllerName == "\\\\GATE1" && near.flags == 0)
        try world.domain.setRole(.primary)
        #expect(try named(world).buffer == "\\\\GATE1")
        #expect(
            try found(world, 0x80).domainControllerInfo?.domainControllerName == "\\\\GATE1")
    }

    @Test func aPrimaryThatIsNotKnownIsNotFound() throws {
        let world = try NetlogonWorld()
        try world.domain.setRole(.backup)
        #expect(try named(world).status == .controllerNotFound)
        #expect(try found(world, 0x80).status == .noSuchDomain)
        #expect(try found(world, 0x1000).status == .noSuchDomain)
    }

    private func order(
        _ world: NetlogonWorld, _ function: LogonControlFunction,
        as identity: FrontIdentity = administrator
    ) throws -> NetStatus {
        let stub = try call(
            world, NetrLogonControl.opnum,
            NetrLogonControl.Request(serverName: nil, functionCode: function, queryLevel: 1),
            as: identity)
        var reader = WireReader(stub.span, layer: "test")
        return try LogonControlAnswer(parsing: &reader).status
    }

    @Test func aBackupCopiesWhenItIsTold() throws {
        let world = try NetlogonWorld()
        try world.domain.setRole(.backup, primary: "PDC1")
        #expect(try order(world, .replicate) == .notSupported)
        world.service.followsPrimary = { true }
        #expect(try order(world, .replicate, as: .anonymous) == .accessDenied)
        #expect(world.service.takeCopyOrder() == nil)
        #expect(try order(world, .replicate) == .success)
        #expect(world.service.takeCopyOrder() == .changes)
        #expect(try order(world, .synchronize) == .success)
        #expect(try order(world, .replicate) == .success)
        #expect(world.service.takeCopyOrder() == .whole)
        #expect(world.service.takeCopyOrder() == nil)
        #expect(try order(world, .pdcReplicate) == .notSupported)
    }

    @Test func aPrimaryAnnouncesItselfAndCopiesNothing() throws {
        let world = try NetlogonWorld()
        world.service.followsPrimary = { true }
        #expect(try order(world, .replicate) == .notSupported)
        #expect(try order(world, .synchronize) == .notSupported)
        #expect(world.service.takeCopyOrder() == nil)
        #expect(try order(world, .pdcReplicate) == .notSupported)
        var announced = 0
        world.domain.onLogged = { announced += 1 }
        #expect(try order(world, .pdcReplicate) == .success && announced == 1)
    }
}
