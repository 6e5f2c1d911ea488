import SMB
import Testing
import Wire

@testable import Front

@Suite struct SMBPipeTests {
    private typealias Call = SMB1.NamedPipeCall

    private func transaction(
        _ call: SMB1.NamedPipeCall, most: UInt16 = 1_024, parameters: Range<Int> = 0..<0
    ) -> SMB1.Body {
        .transactionRequest(call.transaction(maxDataCount: most, parameters: parameters))
    }

    private func data(_ answer: SMBHand.Answer) -> [UInt8] {
        switch answer.bodies.last {
        case .transactionResponse(let body): Array(answer.bytes[body.data])
        case .readResponse(let body): Array(answer.bytes[body.data])
        case _: []
        }
    }

    private func parameters(_ answer: SMBHand.Answer) -> [UInt8] {
        guard case .transactionResponse(let body) = answer.bodies.last else { return [] }
        return Array(answer.bytes[body.parameters])
    }

    @Test func aMessageThatIsTooLongIsReadOn() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let payload: [UInt8] = Array(0..<50)
        let first = try hand.ask(
            transaction(.transact(fid: fid, 0..<50), most: 20), payload: payload)
        #expect(first.status == .bufferOverflow && data(first) == Array(0..<20))
        // Without message mode a read does not say so.
        let second = try hand.ask(.readRequest(.init(fid: fid, maxCount: 10)))
        #expect(second.status == .success && data(second) == Array(20..<30))
        guard case .readResponse(let body) = second.bodies[0] else {
            Issue.record("another answer")
            return
        }
        #expect(body.available == 20)
        _ = try hand.ask(
            transaction(.setState(fid: fid, .messageReads), parameters: 0..<2),
            payload: [0, 1])
        let third = try hand.ask(.readRequest(.init(fid: fid, maxCount: 10)))
        #expect(third.status == .bufferOverflow && data(third) == Array(30..<40))
        let last = try hand.ask(.readRequest(.init(fid: fid, maxCount: 10)))
        #expect(last.status == .success && data(last) == Array(40..<50))
    }

    @Test func answersThatTheClientsBufferDoesNotHoldComeInParts() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let payload = (0..<12_000).map { UInt8(truncatingIfNeeded: $0) }
        let answers = try hand.all(
            [transaction(.transact(fid: fid, 0..<12_000), most: 12_000)], payload)
        #expect(answers.count == 3)
        #expect(answers.allSatisfy { $0.bytes.count <= 4_356 })
        var assembly = SMB1.TransactionAssembly(.init(parameterCount: 0, dataCount: 12_000))
        for answer in answers {
            guard case .transactionResponse(let part) = answer.bodies[0] else { continue }
            let reader = WireReader(answer.bytes.span, layer: "test")
            try assembly.add(
                part.totals, parameters: part.parameters, at: part.parameterDisplacement,
                data: part.data, at: part.dataDisplacement, from: reader)
        }
        #expect(assembly.isComplete && assembly.data == payload)
    }

    @Test func statesAndInformation() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let state = try hand.ask(transaction(.queryState(fid: fid)))
        #expect(parameters(state) == [0xff, 0x04])
        let set = try hand.ask(
            transaction(.setState(fid: fid, .messageReads), parameters: 0..<2), payload: [0, 1])
        #expect(set.status == .success)
        #expect(parameters(try hand.ask(transaction(.queryState(fid: fid)))) == [0xff, 0x05])
        let info = try hand.ask(
            transaction(.queryInfo(fid: fid, level: 1), parameters: 0..<2), payload: [1, 0])
        #expect(data(info).suffix(15) == Array("\\PIPE\\netlogon\0".utf8))
        let other = try hand.ask(
            transaction(.queryInfo(fid: fid, level: 2), parameters: 0..<2), payload: [2, 0])
        #expect(other.status == .invalidLevel)
        #expect(try hand.ask(transaction(.rawRead(fid: fid))).status == .notSupported)
        #expect(try hand.ask(transaction(.peek(fid: 0x7777))).status == .smbBadFID)
    }

    /// TRANS2_QUERY_FILE_INFORMATION needs a FID, of whatever it is (MS-CIFS 2.2.6.8).
    @Test(arguments: [false, true])
    func openPipesAreQueriedAsFilesAre(isUnicode: Bool) throws {
        var (hand, fid) = try SMBHand.onPipe()
        if isUnicode { hand.flags2.insert(.unicode) }
        func ask(_ level: UInt16, _ fid: UInt16) throws -> (NTStatus, [UInt8]) {
            let (status, parameters, data) = try hand.transact2(.queryFileInformation) {
                writer, _ in
                SMB1.QueryFileInformation(fid: fid, informationLevel: level).write(into: &writer)
            }
            #expect(parameters == (status == .success ? [0, 0] : []))
            return (status, data)
        }
        _ = try hand.ask(
            .writeRequest(.init(fid: fid, writeMode: [], data: 0..<3)), payload: [1, 2, 3])
        let none = [UInt8](repeating: 0, count: 4)
        let name = isUnicode
            ? "\\netlogon".utf16.flatMap { [UInt8($0), 0] } : Array("\\netlogon".utf8)
        let basic = [UInt8](repeating: 0, count: 32) + [0x80, 0, 0, 0] + none
        // One link, to be deleted with the last handle, and no directory.
        let standard: [UInt8] = [0, 2, 0, 0] + none + [3, 0, 0, 0] + none + [1, 0, 0, 0, 1, 0, 0, 0]
        let named = [UInt8(name.count), 0, 0, 0] + name
        for (level, expected) in [
            (0x101, basic), (1_004, basic), (0x102, standard), (1_005, standard), (0x103, none),
            (0x104, named), (1_009, named), (0x107, basic + standard + none + named),
            (1, [UInt8](repeating: 0, count: 12) + [3, 0, 0, 0, 0, 2, 0, 0, 0, 0]),
        ] as [(UInt16, [UInt8])] {
            let (status, data) = try ask(level, fid)
            #expect(status == .success && data == expected, "\(level)")
        }
        // Nothing was read by that.
        #expect(data(try hand.ask(.readRequest(.init(fid: fid, maxCount: 9)))) == [1, 2, 3])
        #expect(try ask(0x102, fid).1[8] == 0)
        #expect(try ask(0x777, fid).0 == .invalidLevel)
        #expect(try ask(0x102, 0x7777).0 == .smbBadFID)
        _ = try hand.ask(.closeRequest(.init(fid: fid)))
        #expect(try ask(0x102, fid).0 == .smbBadFID)
    }

    /// There are no paths below `IPC$`, and nothing is set.
    @Test func otherTransactionsOfFilesAreDeniedOnPipes() throws {
        let (hand, fid) = try SMBHand.onPipe()
        for subcommand: SMB1.Transaction2Subcommand in [
            .open2, .findFirst2, .findNext2, .queryPathInformation, .setPathInformation,
            .setFileInformation, .createDirectory,
        ] {
            let (status, _, _) = try hand.transact2(subcommand) { writer, _ in
                writer.uint16LE(fid)
                writer.zeros(30)
            }
            #expect(status == .accessDenied, "\(subcommand)")
        }
        #expect(hand.world.pipes.openCount == 1)
    }

    @Test func peeksWithoutReading() throws {
        let (hand, fid) = try SMBHand.onPipe()
        #expect(parameters(try hand.ask(transaction(.peek(fid: fid)))) == [0, 0, 0, 0, 3, 0])
        _ = try hand.ask(
            .writeRequest(.init(fid: fid, writeMode: [], data: 0..<3)), payload: [1, 2, 3])
        let peek = try hand.ask(transaction(.peek(fid: fid)))
        #expect(parameters(peek) == [3, 0, 3, 0, 3, 0] && data(peek) == [1, 2, 3])
        #expect(data(try hand.ask(.readRequest(.init(fid: fid, maxCount: 9)))) == [1, 2, 3])
    }

    @Test func callsAPipeThatIsNotOpen() throws {
        let (hand, _) = try SMBHand.onPipe()
        #expect(hand.world.pipes.openCount == 1)
        let call = try hand.ask(
            transaction(.call(pipe: "lsarpc", priority: 0, 0..<4), most: 3),
            payload: [1, 2, 3, 4])
        #expect(call.status == .bufferOverflow && data(call) == [1, 2, 3])
        let wait = try hand.ask(transaction(.wait(pipe: "lsarpc", priority: 0)))
        #expect(wait.status == .success)
        let unknown = try hand.ask(transaction(.wait(pipe: "nosuch", priority: 0)))
        #expect(unknown.status == .objectNameNotFound)
        #expect(hand.world.pipes.openCount == 1)
        hand.world.pipes.holds = true
        #expect(try hand.all(
            [transaction(.call(pipe: "lsarpc", priority: 0, 0..<2))], [5, 6]).isEmpty)
        hand.world.pipes.answerAll()
        hand.world.server.pipesAnswered(now: hand.world.now)
        hand.world.settle()
        #expect(try hand.world.take().map { data(try SMBHand.parse($0)) } == [[5, 6]])
        #expect(hand.world.pipes.openCount == 1)
    }

    /// A reader may be waiting for the answer to what another thread is still to write.
    @Test func aReadThatCameBeforeTheWriteIsAnswered() throws {
        var (hand, fid) = try SMBHand.onPipe()
        let writes: [(SMB1.Body, [UInt8])] = [
            (.writeRequest(.init(fid: fid, writeMode: [], data: 0..<3)), [1, 2, 3]),
            (.writeRequest(.init(fid: fid, writeMode: [.rawPipe, .messageStart], data: 0..<5)),
                [3, 0, 1, 2, 3]),
            (.coreWriteRequest(.init(fid: fid, data: 0..<3)), [1, 2, 3]),
        ]
        for (write, payload) in writes {
            hand.mid = 1
            #expect(try hand.all([.readRequest(.init(fid: fid, maxCount: 9))]).isEmpty)
            hand.mid = 2
            let answers = try hand.all([write], payload)
            #expect(answers.map(\.header.mid).sorted() == [1, 2])
            #expect(answers.filter { $0.header.mid == 1 }.map(data) == [[1, 2, 3]])
            #expect(answers.allSatisfy { $0.status == .success })
        }
    }

    @Test func whoWaitedLongestHasTheFirstAnswer() throws {
        var (hand, fid) = try SMBHand.onPipe()
        hand.mid = 1
        #expect(try hand.all([.readRequest(.init(fid: fid, maxCount: 9))]).isEmpty)
        hand.mid = 2
        let first = try hand.all([transaction(.transact(fid: fid, 0..<2))], [1, 2])
        #expect(first.map(\.header.mid) == [1] && first.map(data) == [[1, 2]])
        hand.mid = 3
        let second = try hand.all(
            [.writeRequest(.init(fid: fid, writeMode: [], data: 0..<1))], [3])
        #expect(second.map(\.header.mid).sorted() == [2, 3])
        #expect(second.filter { $0.header.mid == 2 }.map(data) == [[3]])
    }

    private func flagged(_ flags: UInt16, _ call: SMB1.NamedPipeCall) -> SMB1.Body {
        var request = call.transaction(maxDataCount: 100)
        request.flags = flags
        return .transactionRequest(request)
    }

    @Test func transactionsThatWantNoResponseGetNone() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let oneWay = SMB1.TransactionRequest.noResponse
        #expect(try hand.all([flagged(oneWay, .transact(fid: fid, 0..<3))], [1, 2, 3]).isEmpty)
        #expect(hand.world.pipes.written == [[1, 2, 3]])
        // Not even where they fail, or are answered later.
        #expect(try hand.all([flagged(oneWay, .peek(fid: 0x7777))]).isEmpty)
        hand.world.pipes.holds = true
        #expect(try hand.all([flagged(oneWay, .transact(fid: fid, 0..<3))], [1, 2, 3]).isEmpty)
        hand.world.pipes.answerAll()
        hand.world.server.pipesAnswered(now: hand.world.now)
        hand.world.settle()
        #expect(hand.world.take().isEmpty && hand.world.server.heldBytes == 0)
        #expect(try hand.ask(transaction(.queryState(fid: fid))).status == .success)
    }

    @Test func transactionsMayGiveTheirTreeBack() throws {
        for fails in [false, true] {
            let (hand, fid) = try SMBHand.onPipe()
            let ends = SMB1.TransactionRequest.disconnectTID
            let call = Call.transact(fid: fails ? 0x7777 : fid, 0..<3)
            #expect(try hand.ask(flagged(ends, call), payload: [1, 2, 3]).status
                == (fails ? .smbBadFID : .success))
            #expect(hand.world.pipes.openCount == 0)
            #expect(try hand.ask(.treeDisconnect(.init())).status == .smbBadTID)
        }
    }

    @Test func aTreeEndsWithTransactionsThatWaitForIt() throws {
        var (hand, fid) = try SMBHand.onPipe()
        hand.world.pipes.holds = true
        let ends = SMB1.TransactionRequest.disconnectTID
        for mid in 1...2 {
            hand.mid = UInt16(mid)
            #expect(try hand.all([flagged(ends, .transact(fid: fid, 0..<1))], [1]).isEmpty)
        }
        hand.mid = 3
        let answers = try hand.all([.treeDisconnect(.init())])
        #expect(answers.map(\.header.mid) == [1, 2, 3])
        #expect(answers.map(\.status) == [.pipeBroken, .pipeBroken, .success])
        #expect(hand.world.pipes.openCount == 0)
    }

    @Test func aReadThatWaitsCanBeCancelledAndEndsWithItsPipe() throws {
        var (hand, fid) = try SMBHand.onPipe()
        hand.mid = 8
        #expect(try hand.all([.readRequest(.init(fid: fid, maxCount: 9))]).isEmpty)
        hand.mid = 9
        #expect(try hand.all([.readRequest(.init(fid: fid, maxCount: 9))]).isEmpty)
        hand.mid = 8
        let cancelled = try hand.ask(.other(.ntCancel, words: 0..<0, bytes: 0..<0))
        #expect(cancelled.status == .cancelled && cancelled.header.command == .readAndX)
        hand.mid = 10
        let answers = try hand.all([.closeRequest(.init(fid: fid))])
        #expect(answers.map(\.header.mid) == [9, 10])
        #expect(answers.map(\.status) == [.pipeBroken, .success])
    }

    @Test func transactionsInPartsAreAskedForAndPutTogether() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let payload: [UInt8] = Array(0..<30)
        var first = Call.transact(fid: fid, 0..<10).transaction(maxDataCount: 1_024)
        let totals = SMB1.TransactionTotals(parameterCount: 0, dataCount: 30)
        first.totals = totals
        let interim = try hand.ask(.transactionRequest(first), payload: payload)
        #expect(interim.status == .success && interim.bodies == [.empty(.transaction)])
        func part(_ range: Range<Int>) -> SMB1.Body {
            .transactionSecondary(.init(
                totals: totals, parameters: 0..<0, parameterDisplacement: 0, data: range,
                dataDisplacement: UInt16(range.lowerBound)))
        }
        #expect(try hand.all([part(10..<20)], payload).isEmpty)
        let answer = try hand.ask(part(20..<30), payload: payload)
        #expect(answer.header.command == .transaction && data(answer) == payload)
        // A gap ends it, and a part of nothing is not answered.
        _ = try hand.ask(.transactionRequest(first), payload: payload)
        #expect(try hand.ask(part(20..<30), payload: payload).status == .invalidParameter)
        #expect(try hand.all([part(10..<20)], payload).isEmpty)
    }

    @Test func remoteAdministrationIsCalled() throws {
        let (hand, _) = try SMBHand.onPipe()
        let request = SMB1.TransactionRequest(
            name: "\\PIPE\\LANMAN", setup: [], parameters: 0..<4, data: 4..<6,
            maxParameterCount: 8, maxDataCount: 300)
        let answer = try hand.ask(
            .transactionRequest(request), payload: [0xff, 0xff, 3, 4, 5, 6])
        #expect(parameters(answer) == [4, 3, 0xff, 0xff] && data(answer).count == 300)
        let call = hand.world.administration.calls[0]
        #expect(call.data == [5, 6] && call.peer == SMBWorld.peer)
        #expect(call.identity.kind == .anonymous)
    }

    @Test func callsThatCannotBeReadAreCounted() throws {
        let (hand, fid) = try SMBHand.onPipe()
        for isMalformed in [false, true] {
            hand.world.administration.isMalformed = isMalformed
            _ = try hand.ask(
                .transactionRequest(.init(
                    name: "\\PIPE\\LANMAN", setup: [], parameters: 0..<2, data: 2..<2,
                    maxParameterCount: 8, maxDataCount: 8)), payload: [0, 0])
            #expect(hand.world.server.counters.malformedCalls == (isMalformed ? 1 : 0))
        }
        #expect(hand.world.server.counters.malformed == 0)
        // SetNmPipeState without the state.
        var call = Call.setState(fid: fid, .messageReads).transaction(maxDataCount: 64)
        call.parameters = 0..<1
        let answer = try hand.ask(.transactionRequest(call), payload: [0])
        #expect(answer.status == .invalidParameter)
        #expect(hand.world.server.counters.malformed == 1)
    }

    @Test func numbersBelongToTheirSession() throws {
        var (hand, fid) = try SMBHand.onPipe()
        let first = hand.uid
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: [], []))
        request.accountName = ""
        let second = try hand.ask(.sessionSetupRequest(request))
        #expect(second.header.uid != first)
        hand.uid = second.header.uid
        #expect(try hand.ask(.readRequest(.init(fid: fid, maxCount: 9))).status == .smbBadFID)
        hand.uid = first
        #expect(try hand.ask(.logoff(.init())).status == .success)
        #expect(hand.world.pipes.openCount == 0)
        #expect(try hand.ask(.treeDisconnect(.init())).status == .smbBadUID)
        hand.uid = second.header.uid
        #expect(try hand.ask(.treeDisconnect(.init())).status == .smbBadTID)
    }

    @Test func aProcessEndsWithWhatItHasOpen() throws {
        let (hand, _) = try SMBHand.onPipe()
        #expect(try hand.ask(.processExit(.init())).status == .success)
        #expect(hand.world.pipes.openCount == 0)
    }

    @Test func sharesAreFoundByNameAndKind() throws {
        var (hand, _) = try SMBHand.onPipe()
        #expect(try hand.take("ipc$", "IPC") == .success)
        #expect(try hand.take("IPC$", "A:") == .badDeviceType)
        #expect(try hand.take("C$") == .badNetworkName)
        #expect(try hand.take("NETLOGON") == .accessDenied)
        #expect(hand.flags2.contains(.ntStatus))
        hand.flags2 = []
        let answer = try hand.ask(.treeConnectRequest(.init(path: "C$", service: "?????")))
        #expect(answer.header.status.dosClass == 2 && answer.header.status.dosCode == 6)
    }

    @Test func echoesAndRefusals() throws {
        let (hand, _) = try SMBHand.onPipe()
        let echoes = try hand.all([.echo(.init(number: 3, data: 0..<2))], [7, 7])
        #expect(echoes.map(\.bodies).count == 3)
        #expect(try hand.all([.echo(.init(number: 0, data: 0..<2))], [7, 7]).isEmpty)
        #expect(try hand.all([.echo(.init(number: 999, data: 0..<2))], [7, 7]).count
            == SMBLimits.echoes)
        for (code, status) in [
            (UInt8(0x06), NTStatus.accessDenied), (0x00, .accessDenied), (0x1d, .accessDenied),
            (0x27, .notSupported), (0xa0, .notSupported), (0x99, .smbBadCommand),
        ] {
            let body = SMB1.Body.other(
                SMB1.Command(rawValue: code), words: 0..<0, bytes: 0..<0)
            #expect(try hand.ask(body).status == status, "\(code)")
        }
        // A raw read is refused by a frame without a message.
        let frames = hand.world.frames[hand.id]?.count ?? 0
        _ = hand.world.exchange(hand.bytes([.other(.readRaw, words: 0..<0, bytes: 0..<0)]))
        #expect(hand.world.frames[hand.id]?.dropFirst(frames).map { $0 } == [[0, 0, 0, 0]])
    }
}
