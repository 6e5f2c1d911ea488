import SMB
import TestSupport
import Testing
import Wire

@Suite struct RAPTests {
    static let requests: [RAP.Request] = [
        .shareEnum(level: 1, receiveBufferSize: 4_096),
        .shareGetInfo(name: "NETLOGON", level: 2, receiveBufferSize: 500),
        .serverGetInfo(level: 1, receiveBufferSize: 500),
        .userGetInfo(name: "jürgen", level: 11, receiveBufferSize: 1_024),
        .workstationGetInfo(level: 10, receiveBufferSize: 1_024),
        .remoteTimeOfDay(receiveBufferSize: 21),
        .serverEnum2(
            level: 1, receiveBufferSize: 0xffe0, serverType: 0xffff_ffff, domain: nil),
        .serverEnum2(
            level: 0, receiveBufferSize: 0xffe0, serverType: 0x8000_0000, domain: "CREW"),
        .serverEnum3(
            level: 1, receiveBufferSize: 0xffe0, serverType: 3, domain: "CREW",
            firstNameToReturn: "DESK2"),
        .userLogon(.init(userName: "ALICE", workstationName: "DESK1", receiveBufferSize: 1_024)),
        .userLogon(.init(
            hasTexts: true, userName: "ALICE", workstationName: "DESK1",
            receiveBufferSize: 1_024)),
        .userLogoff(.init(userName: "ALICE", workstationName: "DESK1", receiveBufferSize: 8)),
        .oemChangePassword(user: "alice", dataLength: 532),
    ]

    static func bytes(_ request: RAP.Request) -> [UInt8] {
        var writer = WireWriter()
        request.write(into: &writer)
        return writer.finish()
    }

    static func parse(_ bytes: [UInt8]) throws -> RAP.Request {
        var reader = WireReader(bytes.span, layer: "RAP")
        return try RAP.Request(parsing: &reader)
    }

    @Test func everyRequestSurvivesRoundTripTruncationAndMutation() throws {
        let samples = Self.requests.map { request in
            MessageSample(name: request.description, bytes: Self.bytes(request)) {
                Self.bytes(try Self.parse($0))
            }
        }
        #expect(checkMessages(samples) == [])
        for request in Self.requests { #expect(try Self.parse(Self.bytes(request)) == request) }
    }

    @Test func readsAPublishedNetServerEnum2() throws {
        // MS-RAP 4.2: 26 bytes, level 1, buffer of 6,144 bytes, all servers of the own domain.
        let bytes = Hex.bytes(
            "680057724c6568444f004231364242447a0001000018ffffffff")!
        #expect(bytes.count == 26)
        #expect(try Self.parse(bytes) == .serverEnum2(
            level: 1, receiveBufferSize: 6_144, serverType: 0xffff_ffff, domain: nil))
    }

    @Test func refusesDescriptorsOfOtherCalls() throws {
        var bytes = Self.bytes(.shareEnum(level: 1, receiveBufferSize: 9))
        bytes[5] = UInt8(ascii: "h")
        #expect(throws: WireError.self) { try Self.parse(bytes) }
        bytes = Self.bytes(.shareEnum(level: 1, receiveBufferSize: 9))
        bytes[9] = UInt8(ascii: "4")
        #expect(throws: WireError.self) { try Self.parse(bytes) }
    }

    @Test func keepsALevelThatDoesNotExistForWhoAnswersIt() throws {
        let request = try Self.parse(Self.bytes(.serverGetInfo(level: 9, receiveBufferSize: 9)))
        #expect(!request.hasKnownLevel)
        #expect(try Self.parse(Self.bytes(request)) == request)
    }

    // MARK: Records

    /// Writes some records as their data.
    static func data(_ body: (inout RAP.RecordWriter) -> Void) -> [UInt8] {
        var writer = RAP.RecordWriter()
        body(&writer)
        return writer.finish(limit: .max).data
    }

    static func sample(
        _ name: String, _ data: [UInt8],
        _ rewrite: @escaping @Sendable (inout RAP.RecordReader, inout RAP.RecordWriter) throws
            -> Void
    ) -> MessageSample {
        MessageSample(name: name, bytes: data) { bytes in
            var reader = RAP.RecordReader(bytes.span, converter: 0)
            var writer = RAP.RecordWriter()
            try rewrite(&reader, &writer)
            return writer.finish(limit: .max).data
        }
    }

    static let user: RAP.UserInfo = {
        var user = RAP.UserInfo(name: "alice")
        user.privilege = .administrator
        user.fullName = "Alice Ägypten"
        user.scriptPath = "alice.bat"
        user.logonServer = "\\\\GATE1"
        user.workstations = "DESK1,DESK2"
        user.logonHours[3] = 0x0f
        return user
    }()

    static var records: [MessageSample] {
        var samples: [MessageSample] = []
        let server = RAP.ServerInfo(
            serverName: "DESK1", versionMajor: 4, versionMinor: 1, serverType: 0x9003,
            serverComment: "a desk")
        for level in [0, 1] as [UInt16] {
            let data = data { server.write(into: &$0, level: level) }
            samples.append(sample("server \(level)", data) {
                try RAP.ServerInfo(parsing: &$0, level: level).write(into: &$1, level: level)
            })
        }
        let share = RAP.ShareInfo(networkName: "NETLOGON", remark: "scripts", pathName: "C:\\N")
        for level in [0, 1, 2] as [UInt16] {
            samples.append(sample("share \(level)", data { share.write(into: &$0, level: level) }) {
                try RAP.ShareInfo(parsing: &$0, level: level).write(into: &$1, level: level)
            })
        }
        for level in [0, 1, 2, 10, 11] as [UInt16] {
            samples.append(sample("user \(level)", data { user.write(into: &$0, level: level) }) {
                try RAP.UserInfo(parsing: &$0, level: level).write(into: &$1, level: level)
            })
        }
        let workstation = RAP.WorkstationInfo(
            computerName: "GATE1", userName: "alice", lanGroup: "CREW", logonDomain: "CREW")
        samples.append(sample("workstation", data { workstation.write(into: &$0) }) {
            try RAP.WorkstationInfo(parsing: &$0).write(into: &$1)
        })
        let logon = RAP.UserLogonInfo(
            effectiveName: "alice", privilege: .user, computer: "\\\\GATE1", domain: "CREW",
            scriptPath: "alice.bat")
        samples.append(sample("logon", data { logon.write(into: &$0) }) {
            try RAP.UserLogonInfo(parsing: &$0).write(into: &$1)
        })
        samples.append(sample("logoff", data { RAP.UserLogoffInfo().write(into: &$0) }) {
            try RAP.UserLogoffInfo(parsing: &$0).write(into: &$1)
        })
        let time = RAP.TimeOfDay(unix: 951_782_399, milliseconds: 17)
        samples.append(sample("time", data { time.write(into: &$0) }) {
            try RAP.TimeOfDay(parsing: &$0).write(into: &$1)
        })
        return samples
    }

    @Test func everyRecordSurvivesRoundTripTruncationAndMutation() {
        #expect(checkMessages(Self.records) == [])
    }

    /// How many bytes the fixed part of a record has that `descriptor` describes, MS-RAP 2.5.3.
    private static func recordSize(_ descriptor: String) -> Int {
        var size = 0
        var letter: UInt8 = 0
        var count = 0
        func take() {
            switch letter {
            case UInt8(ascii: "W"): size += 2
            case UInt8(ascii: "D"), UInt8(ascii: "z"), UInt8(ascii: "b"): size += 4
            case UInt8(ascii: "B"): size += max(count, 1)
            case _: break
            }
        }
        for character in descriptor.utf8 {
            if character >= UInt8(ascii: "0") && character <= UInt8(ascii: "9") {
                count = count * 10 + Int(character - UInt8(ascii: "0"))
                continue
            }
            take()
            letter = character
            count = 0
        }
        take()
        return size
    }

    @Test func recordsAreAsLongAsTheirDescriptors() {
        #expect(Self.recordSize("B16BBDz") == 26)
        #expect(Self.recordSize("B13BWzWWWzB9B") == 40)
        #expect(Self.recordSize("B21BzzzWDDzzDDWWzWzDWb21W") == 86)
        #expect(Self.recordSize("WB21BWDWWDDDDDDDzzzD") == 78)
        for level in [0, 1, 2, 10, 11] as [UInt16] {
            var user = RAP.UserInfo(name: "x")
            user.logonHours = []
            let strings: [UInt16: Int] = [0: 0, 1: 3, 2: 8, 10: 3, 11: 7]
            let descriptor: [UInt16: String] = [
                0: "B21", 1: "B21BB16DWzzWz", 2: "B21BB16DWzzWzDzzzzDDDDWb21WWzWW",
                10: "B21Bzzz", 11: "B21BzzzWDDzzDDWWzWzDWb21W",
            ]
            let length = Self.data { user.write(into: &$0, level: level) }.count
            #expect(length == Self.recordSize(descriptor[level]!) + strings[level]!)
        }
    }

    @Test func givesAsManyRecordsAsFit() throws {
        func write(_ limit: Int) -> (data: [UInt8], count: Int) {
            var writer = RAP.RecordWriter()
            for index in 0..<5 {
                RAP.ServerInfo(serverName: "S\(index)", serverComment: "comment \(index)")
                    .write(into: &writer, level: 1)
            }
            return writer.finish(limit: limit)
        }
        let size = 26 + 10
        #expect(write(size * 5).count == 5)
        #expect(write(size - 1).count == 0 && write(size - 1).data.isEmpty)
        let some = write(size * 3 - 1)
        #expect(some.count == 2 && some.data.count == size * 2)
        let list = try RAP.ServerInfo.list(
            some.data.span, RAP.Response(.moreData, [2, 5]), level: 1)
        #expect(list.map(\.serverComment) == ["comment 0", "comment 1"])
    }

    @Test func subtractsTheConverterFromPointers() throws {
        var data = Self.data {
            RAP.ServerInfo(serverName: "S", serverComment: "far").write(into: &$0, level: 1)
        }
        data[22] = 26 &+ 0x10
        data[23] = 0xff
        data[24] = 0xde
        let list = try RAP.ServerInfo.list(
            data.span, RAP.Response(.success, converter: 0xff10, [1, 1]), level: 1)
        #expect(list[0].serverComment == "far")
    }

    @Test func refusesPointersOutsideTheData() {
        var data = Self.data {
            RAP.ServerInfo(serverName: "S", serverComment: "far").write(into: &$0, level: 1)
        }
        data[22] = UInt8(data.count)
        #expect(throws: WireError.self) {
            try RAP.ServerInfo.list(data.span, RAP.Response(.success, [1, 1]), level: 1)
        }
    }

    @Test func knowsTheCalendar() {
        let leap = RAP.TimeOfDay(unix: 951_782_399, milliseconds: 0)
        #expect((leap.year, leap.month, leap.day) == (2000, 2, 28))
        #expect((leap.hours, leap.minutes, leap.seconds) == (23, 59, 59))
        let next = RAP.TimeOfDay(unix: 951_782_400, milliseconds: 0)
        #expect((next.month, next.day, next.weekDay) == (2, 29, 2))
        let first = RAP.TimeOfDay(unix: 0, milliseconds: 0)
        #expect((first.year, first.month, first.day, first.weekDay) == (1970, 1, 1, 4))
        let end = RAP.TimeOfDay(unix: 1_767_225_599, milliseconds: 0)
        #expect((end.year, end.month, end.day) == (2025, 12, 31))
    }

    @Test func readsResponsesThatEndAfterTheirCode() throws {
        for (words, count) in [([5], 0), ([0, 0, 2, 7], 2)] as [([UInt16], Int)] {
            var writer = WireWriter()
            for word in words { writer.uint16LE(word) }
            let bytes = writer.finish()
            var reader = WireReader(bytes.span, layer: "RAP")
            let response = try RAP.Response(parsing: &reader)
            #expect(response.win32ErrorCode.rawValue == words[0])
            #expect(response.outParameters.count == count)
        }
    }
}
