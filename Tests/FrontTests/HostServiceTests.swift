import Interfaces
import RPC
import Testing
import Wire

@testable import Front

@Suite struct HostServiceTests {
    let world: ServiceWorld
    let workstation = WorkstationService(host: { ServiceWorld.host })
    let server = ServerService(host: { ServiceWorld.host }, netlogonPath: "C:\\netlogon")

    init() throws { world = try ServiceWorld() }

    private func wksta(
        _ level: UInt32, _ caller: RemoteCaller
    ) throws -> NetrWkstaGetInfo.Response {
        try world.call(
            workstation, NetrWkstaGetInfo.self, LevelledQuery(serverName: nil, level: level),
            caller)
    }

    private func info(
        _ level: UInt32, _ caller: RemoteCaller
    ) throws -> NetrServerGetInfo.Response {
        try world.call(
            server, NetrServerGetInfo.self, LevelledQuery(serverName: nil, level: level), caller)
    }

    private func shares(
        _ level: UInt32, _ caller: RemoteCaller, resume: UInt32? = nil
    ) throws -> NetrShareEnum.Response {
        try world.call(
            server, NetrShareEnum.self,
            NetrShareEnum.Request(
                serverName: nil, ShareList(level: level), resumeHandle: resume), caller)
    }

    @Test func anyoneLearnsTheDomain() throws {
        let info = try wksta(100, world.caller()).wkstaInfo
        #expect(info?.computerName == "GATE1" && info?.lanGroup == "GATE")
        #expect(info?.platformID == 500 && info?.versionMajor == 4)
    }

    @Test func furtherLevelsAreForUsersAndAdministrators() throws {
        #expect(try wksta(101, world.caller()).status == .accessDenied)
        #expect(try wksta(101, world.user).wkstaInfo?.lanRoot == "")
        #expect(try wksta(102, world.user).status == .accessDenied)
        #expect(try wksta(102, world.administrator).status == .success)
        #expect(try wksta(502, world.user).status == .accessDenied)
        #expect(try wksta(502, world.administrator).info == .settings(.defaults))
        #expect(try wksta(1_013, world.administrator).status == .invalidLevel)
        #expect(try info(101, world.caller()).serverInfo?.type == 0x102b)
        #expect(try info(101, world.user).serverInfo?.comment == "Postern")
        #expect(try info(102, world.user).status == .accessDenied)
        #expect(try info(102, world.administrator).serverInfo?.disconnect == 15)
        #expect(try info(99, world.administrator).status == .invalidLevel)
    }

    @Test func sharesAreListed() throws {
        let list = try shares(1, world.caller()).infoStruct.shares
        #expect(list.map(\.netName) == ["IPC$", "NETLOGON"])
        #expect(list.map(\.type) == [0x8000_0003, 0])
        #expect(try shares(2, world.user).status == .accessDenied)
        let whole = try shares(502, world.administrator)
        #expect(whole.infoStruct.shares.map(\.path) == ["", "C:\\netlogon"])
        #expect(whole.totalEntries == 2)
        #expect(try shares(0, world.user, resume: 1).infoStruct.shares.count == 1)
        #expect(try shares(0, world.user, resume: 9).infoStruct.shares.isEmpty)
        #expect(try shares(7, world.user).status == .invalidLevel)
        #expect(try shares(501, world.caller()).status == .accessDenied)
        #expect(try shares(501, world.user).status == .success)
    }

    @Test func oneShareIsTold() throws {
        func share(_ name: String, _ level: UInt32) throws -> NetrShareGetInfo.Response {
            try world.call(
                server, NetrShareGetInfo.self,
                NetrShareGetInfo.Request(serverName: nil, netName: name, level: level),
                world.caller())
        }
        #expect(try share("netlogon", 1).shareInfo?.netName == "NETLOGON")
        #expect(try share("C$", 1).status == .shareNotFound)
        #expect(try share("IPC$", 2).status == .accessDenied)
        #expect(try share("IPC$", 501).status == .success)
        #expect(try share("IPC$", 1_005).shareInfo?.flags == 0)
        #expect(try share("IPC$", 1_007).status == .invalidLevel)
    }

    @Test func aDirectoryIsCheckedForItsShare() throws {
        func check(_ device: String) throws -> NetrShareCheck.Response {
            try world.call(
                server, NetrShareCheck.self,
                NetrShareCheck.Request(serverName: nil, device: device), world.user)
        }
        #expect(try check("c:\\NETLOGON").status == .success)
        #expect(try check("").type == ShareInfo.ipc | ShareInfo.special)
        #expect(try check("D:\\").status == .deviceNotShared)
    }

    @Test func whatIsInUseIsNobodysToSee() throws {
        func sessions(_ level: UInt32, _ caller: RemoteCaller) throws -> NetStatus {
            try world.call(
                server, NetrSessionEnum.self,
                NetrSessionEnum.Request(serverName: nil, .init(level: level)), caller
            ).status
        }
        #expect(try sessions(10, world.user) == .accessDenied)
        #expect(try sessions(10, world.administrator) == .success)
        #expect(try sessions(11, world.administrator) == .invalidLevel)
        let users = try world.call(
            workstation, NetrWkstaUserEnum.self,
            NetrWkstaUserEnum.Request(serverName: nil, .init(level: 1), resumeHandle: 3),
            world.administrator)
        #expect(users.totalEntries == 0 && users.resumeHandle == 3 && users.status == .success)
        let disks = try world.call(
            server, NetrServerDiskEnum.self,
            NetrServerDiskEnum.Request(serverName: nil, .init(level: 0)), world.administrator)
        #expect(disks.status == .success)
    }

    @Test func sharesThatOutliveARestartHaveNoFlags() throws {
        func sticky(_ level: UInt32) throws -> NetrShareEnumSticky.Response {
            try world.call(
                server, NetrShareEnumSticky.self,
                NetrShareEnumSticky.Request(serverName: nil, .init(level: level)),
                world.administrator)
        }
        #expect(try sticky(1).infoStruct.shares.count == 2)
        #expect(try sticky(501).status == .invalidLevel)
    }

    @Test func withoutADirectoryThereIsNoNetlogonShare() throws {
        let bare = ServerService(host: { ServiceWorld.host }, netlogonPath: nil)
        let answer = try world.call(
            bare, NetrShareEnum.self, NetrShareEnum.Request(serverName: nil, ShareList(level: 0)),
            world.user)
        #expect(answer.infoStruct.shares.map(\.netName) == ["IPC$"])
    }

    @Test func theTimeIsTold() throws {
        let answer = try world.call(
            server, NetrRemoteTOD.self, NetrRemoteTOD.Request(serverName: nil), world.caller())
        let time = try #require(answer.timeOfDay)
        #expect([time.year, time.month, time.day] == [2023, 11, 14])
        #expect([time.hours, time.minutes, time.seconds] == [22, 13, 20])
        #expect(time.milliseconds == 5_000)
    }

    @Test func badCallsAreFaults() {
        for service in [workstation, server] as [RemoteService] {
            #expect(throws: ServiceWorld.Fault(status: .opRangeError)) {
                _ = try world.raw(service, 99, [], world.user)
            }
        }
        #expect(throws: ServiceWorld.Fault(status: .badStubData)) {
            _ = try world.raw(server, NetrServerGetInfo.opnum, [1], world.user)
        }
        #expect(throws: ServiceWorld.Fault(status: .badStubData)) {
            _ = try world.raw(workstation, NetrWkstaGetInfo.opnum, [1], world.user)
        }
    }
}
