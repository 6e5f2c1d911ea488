import SMB
import Testing
import Wire

@testable import Front

/// The read-only share.
@Suite struct SMBShareTests {
    private func read(_ answer: SMBHand.Answer) -> [UInt8] {
        switch answer.bodies.last {
        case .readResponse(let body): Array(answer.bytes[body.data])
        case .coreReadResponse(let body): Array(answer.bytes[body.data])
        case _: []
        }
    }

    @Test func filesAreOpenedAndReadInWhateverCase() throws {
        let hand = try SMBHand.onShare()
        let content = SMBWorld.share["LOGON.BAT"] ?? []
        let create = try hand.ask(.ntCreateRequest(reading("\\logon.bat")))
        guard case .ntCreateResponse(let opened) = create.bodies[0] else {
            Issue.record("\(create.status)")
            return
        }
        #expect(opened.endOfFile == UInt64(content.count) && opened.directory == 0)
        var request = SMB1.ReadRequest(fid: opened.fid, maxCount: 1_000)
        #expect(try read(hand.ask(.readRequest(request))) == content)
        request.offset = 4
        request.offsetHigh = 0
        #expect(try read(hand.ask(.readRequest(request))) == Array(content[4...]))
        request.offset = 4_000
        #expect(try read(hand.ask(.readRequest(request))).isEmpty)
        #expect(try hand.ask(.closeRequest(.init(fid: opened.fid))).status == .success)
        var open = SMB1.OpenRequest(pipe: "")
        open.fileName = "SCRIPTS\\DEFAULT USERS.BAT"
        open.accessMode = 0
        let answer = try hand.ask(.openRequest(open), .readRequest(.init(
            fid: 0xffff, maxCount: 9)))
        #expect(read(answer) == Array("rem\r\n".utf8))
        let core = try hand.ask(.coreOpenRequest(.init(fileName: "\\CONFIG.POL")))
        guard case .coreOpenResponse(let file) = core.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(file.fileSize == 3)
        let bytes = try hand.ask(.coreReadRequest(.init(fid: file.fid, count: 9, offset: 1)))
        #expect(read(bytes) == [2, 3])
        let info = try hand.ask(.queryInformation2Request(.init(fid: file.fid)))
        guard case .queryInformation2Response(let body) = info.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(body.fileDataSize == 3 && body.fileAttributes == .readOnly)
    }

    private func reading(_ path: String) -> SMB1.NTCreateRequest {
        var request = SMB1.NTCreateRequest(pipe: path)
        request.desiredAccess = 0x0012_0089
        return request
    }

    @Test func nothingIsEverWritten() throws {
        let hand = try SMBHand.onShare()
        for access: UInt32 in [0x2, 0x4, 0x1_0000, 0x4000_0000, 0x1000_0000, 0x100] {
            var request = reading("\\LOGON.BAT")
            request.desiredAccess = access
            #expect(try hand.ask(.ntCreateRequest(request)).status == .accessDenied)
        }
        for disposition: UInt32 in [0, 2, 4, 5] {
            var request = reading("\\LOGON.BAT")
            request.createDisposition = disposition
            #expect(try hand.ask(.ntCreateRequest(request)).status == .accessDenied)
        }
        for disposition: UInt32 in 0...5 {
            var request = reading("\\none")
            request.createDisposition = disposition
            let creates = disposition != 1 && disposition != 4
            #expect(try hand.ask(.ntCreateRequest(request)).status
                == (creates ? .accessDenied : .objectNameNotFound))
        }
        #expect(try hand.ask(
            .coreOpenRequest(.init(accessMode: 2, fileName: "\\LOGON.BAT"))).status
            == .accessDenied)
        let core = try hand.ask(.coreOpenRequest(.init(fileName: "\\LOGON.BAT")))
        guard case .coreOpenResponse(let file) = core.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(try hand.ask(
            .writeRequest(.init(fid: file.fid, writeMode: [], data: 0..<1)),
            payload: [1]).status == .accessDenied)
        #expect(try hand.ask(
            .coreWriteRequest(.init(fid: file.fid, data: 0..<1)), payload: [1]).status
            == .accessDenied)
        for subcommand: UInt16 in [0, 6, 8, 13] {
            let request = SMB1.TransactionRequest(
                name: "", setup: [subcommand], parameters: 0..<1, data: 0..<0, maxDataCount: 9)
            #expect(try hand.ask(.transaction2Request(.init(request)), payload: [0]).status
                == .accessDenied)
        }
    }

    @Test(arguments: [
        "\\..\\etc\\passwd", "..", "\\Scripts\\..\\..\\x", "\\Scripts/../../x", "\\a:b", "\\\u{1}",
        "\\Scripts\\" + String(repeating: "a", count: 300),
        String(repeating: "\\Scripts", count: 20),
    ])
    func noPathLeavesTheShare(path: String) throws {
        let hand = try SMBHand.onShare()
        hand.world.files.asked = []
        #expect(try hand.ask(.ntCreateRequest(reading(path))).status.isError)
        #expect(try hand.ask(.queryInformationRequest(.init(fileName: path))).status.isError)
        #expect(try hand.ask(.checkDirectory(.init(directoryName: path))).status.isError)
        #expect(hand.world.files.asked.allSatisfy { asked in
            asked.allSatisfy { $0 == "Scripts" }
        })
    }

    @Test func attributesAreToldByName() throws {
        let hand = try SMBHand.onShare()
        let file = try hand.ask(.queryInformationRequest(.init(fileName: "\\scripts\\INNER.CMD")))
        #expect(file.bodies == [.queryInformationResponse(.init(
            fileAttributes: .readOnly, lastWriteTime: 1_000_000_000, fileSize: 4))])
        #expect(try hand.ask(.checkDirectory(.init(directoryName: "\\Scripts"))).status
            == .success)
        #expect(try hand.ask(.checkDirectory(.init(directoryName: ""))).status == .success)
        #expect(try hand.ask(.checkDirectory(.init(directoryName: "\\LOGON.BAT"))).status
            == .notADirectory)
        #expect(try hand.ask(.checkDirectory(.init(directoryName: "\\none"))).status
            == .objectPathNotFound)
        #expect(try hand.ask(.queryInformationRequest(.init(fileName: "\\none"))).status
            == .objectNameNotFound)
        let disk = try hand.ask(.other(.queryInformationDisk, words: 0..<0, bytes: 0..<0))
        guard case .queryInformationDiskResponse = disk.bodies[0] else {
            Issue.record("\(disk.status)")
            return
        }
    }

    // MARK: Searches

    /// The names in a chain of entries of level 0x104.
    private func names(_ data: [UInt8], isUnicode: Bool) throws -> [String] {
        var out: [String] = []
        var reader = WireReader(data.span, layer: "test")
        while true {
            let start = reader.offset
            let next = Int(try reader.uint32LE("Next"))
            try reader.seek(start + 60, "length")
            let length = Int(try reader.uint32LE("FileNameLength"))
            try reader.seek(start + 94, "name")
            let form = SMB1.Form(base: 0, isUnicode: isUnicode, isResponse: true)
            out.append(reader.text(try reader.take(length, "name"), form))
            if next == 0 { return out }
            try reader.seek(start + next, "Next")
        }
    }

    @Test(arguments: [false, true])
    func searchesGoOnWhereTheyStopped(isUnicode: Bool) throws {
        var hand = try SMBHand.onShare()
        if isUnicode { hand.flags2.insert(.unicode) }
        let find = SMB1.FindFirst2(
            searchAttributes: .directory, searchCount: 3, flags: .closeAtEnd,
            informationLevel: 0x104, fileName: "\\*")
        let (status, parameters, data) = try hand.transact2(.findFirst2) {
            find.write(into: &$0, $1)
        }
        #expect(status == .success)
        var reader = WireReader(parameters.span, layer: "test")
        let answer = try SMB1.FindAnswer(parsing: &reader, hasSID: true)
        #expect(!answer.isEnd && answer.searchCount == 3)
        #expect(try names(data, isUnicode: isUnicode) == [".", "..", "LOGON.BAT"])
        let sid = try #require(answer.sid)
        let next = SMB1.FindNext2(
            sid: sid, searchCount: 100, informationLevel: 0x104, flags: [.continueFromLast],
            fileName: "")
        let (_, more, rest) = try hand.transact2(.findNext2) { next.write(into: &$0, $1) }
        reader = WireReader(more.span, layer: "test")
        #expect(try SMB1.FindAnswer(parsing: &reader, hasSID: false).isEnd)
        #expect(try names(rest, isUnicode: isUnicode) == ["Scripts", "config.pol"])
        let (end, _, _) = try hand.transact2(.findNext2) { next.write(into: &$0, $1) }
        #expect(end == .noMoreFiles)
        #expect(try hand.ask(.findClose2(.init(searchHandle: sid))).status == .success)
        // By name.
        let named = SMB1.FindFirst2(
            searchAttributes: [], searchCount: 3, flags: .closeAtEnd, informationLevel: 0x104,
            fileName: "\\scripts\\*.CMD")
        let (_, _, one) = try hand.transact2(.findFirst2) { named.write(into: &$0, $1) }
        #expect(try names(one, isUnicode: isUnicode) == ["inner.cmd"])
        let none = SMB1.FindFirst2(
            searchAttributes: [], searchCount: 3, flags: .closeAtEnd, informationLevel: 0x104,
            fileName: "\\*.exe")
        let (nothing, _, _) = try hand.transact2(.findFirst2) { none.write(into: &$0, $1) }
        #expect(nothing == .noSuchFile)
    }

    /// It would be kept, and matched with each name.
    @Test func patternIsNoLongerThanAName() throws {
        let hand = try SMBHand.onShare()
        for count in [SharePath.nameLimit, SharePath.nameLimit + 1] {
            let find = SMB1.FindFirst2(
                searchAttributes: .directory, searchCount: 1, flags: [], informationLevel: 0x104,
                fileName: "\\" + String(repeating: "?", count: count))
            let (status, _, _) = try hand.transact2(.findFirst2) { find.write(into: &$0, $1) }
            #expect(status == (count == SharePath.nameLimit ? .success : .objectNameInvalid))
        }
    }

    @Test func everyKnownLevelIsAnswered() throws {
        let hand = try SMBHand.onShare()
        for level: UInt16 in [1, 2, 6, 0x101, 0x102, 0x103, 0x104, 0x107, 0x108, 1_004, 1_018] {
            let query = SMB1.QueryPathInformation(informationLevel: level, fileName: "\\LOGON.BAT")
            let (status, _, data) = try hand.transact2(.queryPathInformation) {
                query.write(into: &$0, $1)
            }
            #expect(status == .success && data.isEmpty == (level == 6), "\(level)")
        }
        for level: UInt16 in [1, 2, 0x102, 0x103, 0x104, 0x105, 1_005] {
            let (status, _, _) = try hand.transact2(.queryFSInformation) { writer, _ in
                writer.uint16LE(level)
            }
            #expect(status == .success, "\(level)")
        }
        for level: UInt16 in [1, 2, 0x101, 0x102, 0x103, 0x104] {
            let find = SMB1.FindFirst2(
                searchAttributes: .directory, searchCount: 9, flags: [.closeAtEnd, .resumeKeys],
                informationLevel: level, fileName: "\\*")
            let (status, _, _) = try hand.transact2(.findFirst2) { find.write(into: &$0, $1) }
            #expect(status == .success, "\(level)")
        }
        let (status, _, _) = try hand.transact2(.queryPathInformation) {
            SMB1.QueryPathInformation(informationLevel: 0x777, fileName: "\\LOGON.BAT")
                .write(into: &$0, $1)
        }
        #expect(status == .invalidLevel)
        let (referral, _, _) = try hand.transact2(.getDFSReferral) { writer, _ in
            writer.uint16LE(3)
        }
        #expect(referral == .notSupported)
    }

    @Test func coreSearchesSeeShortNames() throws {
        let hand = try SMBHand.onShare()
        var request = SMB1.SearchRequest(
            maxCount: 2, searchAttributes: .directory, fileName: "\\????????.???")
        var names: [String] = []
        while true {
            let answer = try hand.ask(.searchRequest(request))
            guard case .searchResponse(let found) = answer.bodies[0] else {
                #expect(answer.status == .noMoreFiles)
                break
            }
            names += found.entries.map(\.fileName)
            request.fileName = ""
            request.resumeKey = found.entries.last?.resumeKey
        }
        #expect(names == [".", "..", "LOGON.BAT", "SCRIPTS", "CONFIG.POL"])
        // FIND_CLOSE is the same request under another code, and forgets the search.
        var bytes = hand.bytes([.searchRequest(request)])
        bytes[4] = SMB1.Command.findClose.rawValue
        let closed = try hand.world.exchange(bytes).map { try SMBHand.parse($0) }
        #expect(closed.map(\.status) == [.success] && closed[0].header.command == .findClose)
    }

    @Test(arguments: [
        ("*", "any", true), ("*.*", "noext", true), ("*.bat", "LOGON.BAT", true),
        ("*.bat", "LOGON.BATS", false), ("????????.???", "A.B", true),
        ("l?gon.*", "logon.bat", true),
        ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("<.bat", "x.y.bat", true),
        ("logon", "logon.bat", false), ("", "x", true),
    ])
    func wildcardsMatch(pattern: String, name: String, isMatch: Bool) {
        #expect(SearchPattern(pattern).matches(name) == isMatch)
    }
}
