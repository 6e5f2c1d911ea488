import Crypto
import Domain
import Front
import NTLM
import SMB
import Testing
import Wire

@Suite struct RemoteAdministrationTests {
    final class Street: Neighbourhood {
        var own = RAP.ServerInfo(
            serverName: "GATE1", versionMajor: 4, serverType: 0x8_900b, serverComment: "Postern")
        var servers: [RAP.ServerInfo] = []
        var domains: [RAP.ServerInfo] = []
    }

    let street = Street()
    let domain: LocalDomain
    let server: RemoteAdministrationServer
    let now = FrontTime(now: 5_000, unix: 1_700_000_000)

    init() throws {
        domain = try #require(LocalDomain.create(
            name: "CREW", sid: SID("S-1-5-21-1-2-3")!, proofs: ProofPolicy(allowsLM: true), now: 0,
            commit: { _ in true }))
        var alice = try domain.createAccount("alice")
        alice.logonScript = "alice.bat"
        alice.fullName = "Alice A."
        alice.passwordLastSet = (1_699_999_000 + 11_644_473_600) * DomainTime.second
        try domain.updateAccount(alice.rid) { $0 = alice }
        street.servers = [street.own]
        for index in 1...3 {
            street.servers.append(RAP.ServerInfo(
                serverName: "DESK\(index)", serverType: index == 2 ? 0x203 : 0x3,
                serverComment: "desk \(index)"))
        }
        street.domains = [
            RAP.ServerInfo(
                serverName: "CREW", serverType: 0x8000_1000, serverComment: "GATE1"),
            RAP.ServerInfo(
                serverName: "FARM", serverType: 0x8000_1000, serverComment: "BARN"),
        ]
        server = RemoteAdministrationServer(
            RemoteAdministrationSettings(
                computerName: "GATE1", domainName: "CREW",
                shares: [
                    RAP.ShareInfo(
                        networkName: "IPC$", type: RAP.ShareInfo.interprocess, remark: "IPC"),
                    RAP.ShareInfo(networkName: "NETLOGON", remark: "Logon scripts"),
                ]),
            domain: domain, neighbourhood: street)
    }

    let alice = FrontIdentity(kind: .local, user: "ALICE", domain: "CREW", userRID: 1_000)
    let root = FrontIdentity(
        kind: .local, user: "root", domain: "CREW", userRID: 1_001, groupRIDs: [512])

    func call(
        _ request: RAP.Request, as identity: FrontIdentity = .anonymous, data: [UInt8] = [],
        most: Int = 0xffff, parameters: Int = 64
    ) throws -> (response: RAP.Response, data: [UInt8]) {
        var writer = WireWriter()
        request.write(into: &writer)
        let reply = server.call(
            RemoteAdministrationCall(
                parameters: writer.finish(), data: data, maxParameterCount: parameters,
                maxDataCount: most, identity: identity, peer: .loopback),
            now: now)
        #expect(reply.status == .success)
        var reader = WireReader(reply.parameters.span, layer: "RAP")
        return (try RAP.Response(parsing: &reader), reply.data)
    }

    func names(
        _ type: UInt32, _ domain: String? = nil, level: UInt16 = 1, size: UInt16 = 0xffff
    ) throws -> [String] {
        let answer = try call(.serverEnum2(
            level: level, receiveBufferSize: size, serverType: type, domain: domain))
        return try RAP.ServerInfo.list(answer.data.span, answer.response, level: level)
            .map(\.serverName)
    }

    @Test func listsServersByTypeAndDomain() throws {
        #expect(try names(0xffff_ffff) == ["DESK1", "DESK2", "DESK3", "GATE1"])
        #expect(try names(0x200) == ["DESK2"])
        #expect(try names(0x8) == ["GATE1"])
        #expect(try names(0x8000_0000) == ["CREW", "FARM"])
        #expect(try names(0xc000_0000, level: 0) == ["CREW", "FARM"])
        #expect(try names(0xffff_ffff, "crew").count == 4)
        #expect(try names(0xffff_ffff, "FARM").isEmpty)
    }

    @Test func listsNoMoreServersThanTheClientTakes() throws {
        let answer = try call(.serverEnum2(
            level: 1, receiveBufferSize: 26 * 2 + 14, serverType: 0xffff_ffff, domain: nil))
        #expect(answer.response.win32ErrorCode == .moreData)
        #expect(answer.response.outParameters == [2, 4])
        let rest = try call(.serverEnum3(
            level: 1, receiveBufferSize: 0xffff, serverType: 0xffff_ffff, domain: "",
            firstNameToReturn: "DESK2"))
        let list = try RAP.ServerInfo.list(rest.data.span, rest.response, level: 1)
        #expect(list.map(\.serverName) == ["DESK2", "DESK3", "GATE1"])
        #expect(rest.response.outParameters == [3, 3])
        #expect(try call(
            .serverEnum2(
                level: 1, receiveBufferSize: 0xffff, serverType: 0xffff_ffff, domain: nil),
            most: 10).response.outParameters == [0, 4])
    }

    @Test func tellsItsShares() throws {
        let answer = try call(.shareEnum(level: 1, receiveBufferSize: 0xffff))
        #expect(answer.response.outParameters == [2, 2])
        var reader = RAP.RecordReader(answer.data.span, converter: 0)
        #expect(try RAP.ShareInfo(parsing: &reader, level: 1).type == 3)
        #expect(try RAP.ShareInfo(parsing: &reader, level: 1).remark == "Logon scripts")
        let one = try call(.shareGetInfo(name: "netlogon", level: 1, receiveBufferSize: 99))
        #expect(one.response.win32ErrorCode == .success && one.data.count == 34)
        let none = try call(.shareGetInfo(name: "C$", level: 1, receiveBufferSize: 99))
        #expect(none.response.win32ErrorCode == .netNameNotFound)
    }

    @Test func tellsWhatItIs() throws {
        let answer = try call(.serverGetInfo(level: 1, receiveBufferSize: 99))
        #expect(answer.response.outParameters == [34])
        var reader = RAP.RecordReader(answer.data.span, converter: 0)
        #expect(try RAP.ServerInfo(parsing: &reader, level: 1) == street.own)
        let small = try call(.serverGetInfo(level: 1, receiveBufferSize: 33))
        #expect(small.response.win32ErrorCode == .moreData && small.data.isEmpty)
        #expect(small.response.outParameters == [34])

        let station = try call(.workstationGetInfo(level: 10, receiveBufferSize: 99), as: alice)
        var second = RAP.RecordReader(station.data.span, converter: 0)
        let info = try RAP.WorkstationInfo(parsing: &second)
        #expect(info.logonDomain == "CREW" && info.userName == "ALICE")
    }

    @Test func tellsTheTime() throws {
        let answer = try call(.remoteTimeOfDay(receiveBufferSize: 99))
        #expect(answer.response.outParameters.isEmpty && answer.data.count == 21)
        var reader = RAP.RecordReader(answer.data.span, converter: 0)
        #expect(try RAP.TimeOfDay(parsing: &reader).elapsed == 1_700_000_000)
    }

    @Test func logsAUserOnWithItsScriptAndPrivilege() throws {
        let request = RAP.UserLogonRequest(
            userName: "alice", workstationName: "DESK1", receiveBufferSize: 1_024)
        let answer = try call(.userLogon(request), as: alice)
        #expect(answer.response.win32ErrorCode == .success)
        var reader = RAP.RecordReader(answer.data.span, converter: 0)
        let info = try RAP.UserLogonInfo(parsing: &reader)
        #expect(info.effectiveName == "alice" && info.privilege == .user)
        #expect(info.computer == "\\\\GATE1" && info.domain == "CREW")
        #expect(info.scriptPath == "alice.bat" && info.passwordAge == 1_000)
        #expect(info.kickoffTime == RAP.UserInfo.never)
        // Nobody logs on as another, and nobody without a name.
        #expect(try call(.userLogon(request)).response.win32ErrorCode == .accessDenied)
        #expect(
            try call(.userLogon(request), as: root).response.win32ErrorCode == .accessDenied)
        let off = RAP.UserLogoffRequest(
            userName: "ALICE", workstationName: "DESK1", receiveBufferSize: 8)
        #expect(try call(.userLogoff(off), as: alice).data.count == 8)
    }

    @Test func logsAUserOfAnotherDomainOn() throws {
        let remote = FrontIdentity(kind: .remote, user: "bob", domain: "ADLAB")
        let answer = try call(
            .userLogon(.init(
                hasTexts: true, userName: "BOB", workstationName: "DESK1",
                receiveBufferSize: 1_024)),
            as: remote)
        var reader = RAP.RecordReader(answer.data.span, converter: 0)
        let info = try RAP.UserLogonInfo(parsing: &reader)
        #expect(info.domain == "ADLAB" && info.scriptPath == "" && info.privilege == .user)
    }

    @Test func tellsUsersOfThemselvesAndAdministratorsOfAll() throws {
        for level in [0, 1, 2, 10, 11] as [UInt16] {
            let request = RAP.Request.userGetInfo(
                name: "Alice", level: level, receiveBufferSize: 1_024)
            for identity in [alice, root] {
                let answer = try call(request, as: identity)
                #expect(answer.response.win32ErrorCode == .success)
                var reader = RAP.RecordReader(answer.data.span, converter: 0)
                let info = try RAP.UserInfo(parsing: &reader, level: level)
                #expect(info.name == "alice")
                if level == 11 { #expect(info.logonServer == "\\\\GATE1") }
            }
            #expect(try call(request).response.win32ErrorCode == .accessDenied)
        }
        let other = RAP.Request.userGetInfo(name: "root", level: 1, receiveBufferSize: 99)
        #expect(try call(other, as: alice).response.win32ErrorCode == .accessDenied)
        let nobody = RAP.Request.userGetInfo(name: "nobody", level: 1, receiveBufferSize: 99)
        #expect(try call(nobody, as: root).response.win32ErrorCode == .userNotFound)
    }

    @Test func refusesWhatItDoesNotKnow() throws {
        let level = try call(.serverGetInfo(level: 7, receiveBufferSize: 99))
        #expect(level.response.win32ErrorCode == .invalidLevel)
        let opcode = try call(.other(RAP.Opcode(rawValue: 999)))
        #expect(opcode.response.win32ErrorCode == .notSupported)
        for parameters in [[], [0], [0, 0], [0, 0, 65, 0, 0, 1]] as [[UInt8]] {
            let reply = server.call(
                RemoteAdministrationCall(
                    parameters: parameters, data: [], maxParameterCount: 64,
                    maxDataCount: 64, identity: .anonymous, peer: .loopback),
                now: now)
            #expect(reply.isMalformed)
            #expect(reply.status == (parameters.count < 2 ? .invalidParameter : .success))
            if parameters.count > 1 { #expect(reply.parameters == [87, 0, 0, 0]) }
        }
    }

    @Test func dataThatCannotBeReadIsToldApartFromAWrongPassword() throws {
        var writer = WireWriter()
        RAP.Request.oemChangePassword(user: "ALICE", dataLength: 532).write(into: &writer)
        let parameters = writer.finish()
        for (data, isMalformed) in [
            ([1, 2, 3], true), (try change(from: "GUESSED", to: "NEWPASS"), false),
        ] {
            let reply = server.call(
                RemoteAdministrationCall(
                    parameters: parameters, data: data, maxParameterCount: 64,
                    maxDataCount: 64, identity: .anonymous, peer: .loopback),
                now: now)
            #expect(reply.isMalformed == isMalformed)
        }
    }

    // MARK: Passwords

    /// The new password under the old LM hash, and that under the new one.
    private func change(from old: String, to new: String) throws -> [UInt8] {
        let oldHash = try #require(LMOWF.v1(password: old))
        let newHash = try #require(LMOWF.v1(password: new))
        var writer = WireWriter()
        writer.append(SAMPassword.seal(
            Secret(Array(new.utf8)), key: oldHash.bytes,
            random: [UInt8](repeating: 5, count: 512)))
        writer.append(HashEncryption.encrypt(oldHash, key: newHash))
        return writer.finish()
    }

    @Test func passwordIsChangedByWhoKnowsTheOldOne() throws {
        try domain.setPassword(
            1_000, NewPassword(Secret(Array("OLDPASS".utf8))), now: now.fileTime)
        let request = RAP.Request.oemChangePassword(user: "ALICE", dataLength: 532)
        func outcome(_ data: [UInt8]) throws -> RAP.ErrorCode {
            try call(request, data: data).response.win32ErrorCode
        }
        #expect(try outcome(change(from: "GUESSED", to: "NEWPASS")) == .invalidPassword)
        #expect(try outcome(change(from: "OLDPASS", to: "NEWPASS")) == .success)
        #expect(domain.account("alice")?.ntHash == NTOWF.v1(password: "NEWPASS"))
        #expect(try outcome(change(from: "OLDPASS", to: "NEWPASS")) == .invalidPassword)
        #expect(try outcome([1, 2, 3]) == .invalidParameter)
        let unknown = RAP.Request.oemChangePassword(user: "NOBODY", dataLength: 532)
        #expect(
            try call(unknown, data: change(from: "OLDPASS", to: "NEWPASS"))
                .response.win32ErrorCode == .invalidPassword)
    }
}
