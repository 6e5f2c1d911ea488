import NTLM
import SMB
import TestSupport
import Testing
import Wire

@testable import Front

/// What no client should send, and clients that do not go on.
@Suite struct SMBHostileTests {
    /// Requests of a conversation that does everything, without session headers.
    private func conversation() throws -> [[UInt8]] {
        var (hand, fid) = try SMBHand.onPipe()
        var all = [hand.bytes([.negotiateRequest(.init())])]
        hand.uid = 0
        hand.tid = 0
        var setup = SMB1.SessionSetupRequest(
            maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: [], []))
        setup.accountName = ""
        setup.primaryDomain = ""
        let tree = SMB1.TreeConnectRequest(path: "\\\\GATE1\\IPC$", service: "IPC")
        all.append(hand.bytes(
            [
                .sessionSetupRequest(setup), .treeConnectRequest(tree),
                .openRequest(.init(pipe: "lsarpc")),
                .writeRequest(.init(fid: 0xffff, writeMode: .messageStart, data: 0..<4)),
                .readRequest(.init(fid: 0xffff, maxCount: 100)),
            ], [1, 2, 3, 4]))
        hand.uid = 1
        hand.tid = 2
        fid = 3
        let calls: [SMB1.NamedPipeCall] = [
            .transact(fid: fid, 0..<8), .peek(fid: fid), .call(pipe: "lsarpc", priority: 1, 0..<8),
        ]
        for call in calls {
            all.append(hand.bytes(
                [.transactionRequest(call.transaction(maxDataCount: 64))],
                [UInt8](repeating: 5, count: 8)))
        }
        all.append(hand.bytes([.transactionRequest(.init(
            name: "\\PIPE\\LANMAN", setup: [], parameters: 0..<4, data: 4..<6,
            maxParameterCount: 8, maxDataCount: 300))], [1, 0, 2, 3, 4, 5]))
        all.append(hand.bytes([.closeRequest(.init(fid: fid))]))
        all.append(hand.bytes([.treeDisconnect(.init())]))
        all.append(hand.bytes([.logoff(.init())]))
        return all
    }

    /// A connection to which the first messages have been given.
    private func fresh(_ messages: ArraySlice<[UInt8]>) -> SMBWorld {
        let world = SMBWorld()
        world.open()
        for message in messages { _ = world.exchange(message) }
        return world
    }

    /// Offsets in a response have 16 bits, however many reads a chain has.
    @Test func chainedReadsStayWithinAMessage() throws {
        var (hand, _) = try SMBHand.onPipe()
        hand = SMBHand(SMBWorld())
        let negotiated = try hand.negotiate()
        guard case .negotiateResponse = negotiated.bodies[0] else {
            Issue.record("another answer")
            return
        }
        var setup = SMB1.SessionSetupRequest(
            maxBufferSize: 65_535, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: [], []))
        setup.accountName = ""
        setup.primaryDomain = ""
        hand.uid = try hand.ask(.sessionSetupRequest(setup)).header.uid
        #expect(try hand.take("IPC$") == .success)
        let fid = try hand.openPipe("netlogon")
        for _ in 0..<2 {
            let write = SMB1.WriteRequest(fid: fid, writeMode: [], data: 0..<40_000)
            _ = try hand.all([.writeRequest(write)], [UInt8](repeating: 1, count: 40_000))
        }
        for count: UInt16 in [40_000, 65_000, 65_535] {
            let read = SMB1.Body.readRequest(.init(fid: fid, maxCount: count))
            let close = SMB1.Body.closeRequest(.init(fid: fid &+ 7))
            for chain in [[read, read], [SMB1.Body](repeating: read, count: 12), [read, close]] {
                for answer in try hand.all(chain) { #expect(answer.bytes.count <= 65_535) }
            }
        }
        let state = SMB1.Body.transactionRequest(
            SMB1.NamedPipeCall.peek(fid: fid).transaction(maxDataCount: 65_000))
        let read = SMB1.Body.readRequest(.init(fid: fid, maxCount: 39_000))
        for answer in try hand.all([read, state]) { #expect(answer.bytes.count <= 65_535) }
    }

    @Test func theConversationItselfGoesWell() throws {
        let world = fresh(try conversation()[...])
        #expect(world.closed.isEmpty && world.server.counters.malformed == 0)
        #expect(world.pipes.openCount == 0)
    }

    @Test func noTruncationAndNoChangedByteTraps() throws {
        let messages = try conversation()
        for (index, message) in messages.enumerated() {
            for length in stride(from: 0, to: message.count, by: 1) {
                let world = fresh(messages[..<index])
                _ = world.exchange(Array(message[..<length]))
            }
            for place in message.indices {
                let world = fresh(messages[..<index])
                for value in [0, 0x7f, 0xff, message[place] ^ 1, message[place] &+ 1] {
                    var changed = message
                    changed[place] = value
                    _ = world.exchange(changed)
                    if world.closed.contains(SMBWorld.connection) { break }
                }
                world.server.closed(SMBWorld.connection)
                #expect(world.pipes.openCount == 0)
            }
        }
    }

    @Test func bytesThatDripAreTakenAsWell() throws {
        let messages = try conversation()
        let whole = SMBWorld()
        let drip = SMBWorld()
        whole.open()
        drip.open()
        for message in messages { whole.raw(SMBWorld.framed(message)) }
        for byte in messages.flatMap({ SMBWorld.framed($0) }) { drip.raw([byte]) }
        let together = SMBWorld()
        together.open()
        together.raw(messages.flatMap { SMBWorld.framed($0) })
        #expect(whole.frames == drip.frames && whole.frames == together.frames)
    }

    @Test func chainsThatOverlapOrGoBackAreRefused() throws {
        let messages = try conversation()
        let second = messages[1]
        for offset in [0, 32, 33, 36, 60, 0xffff] {
            let world = fresh(messages[..<1])
            var changed = second
            changed[35] = UInt8(offset & 0xff)
            changed[36] = UInt8(offset >> 8)
            let answers = try world.exchange(changed).map { try SMBHand.parse($0) }
            // What came before the fault has been done; the rest has not.
            #expect(answers.count == 1 && answers[0].status == .invalidSMB)
            #expect(world.pipes.openCount == 0 && world.server.counters.malformed == 1)
        }
    }

    @Test func aTransactionsLiesAreRefused() throws {
        let messages = try conversation()
        // Words of the transaction: totals, counts and offsets of parameters and data.
        for word in [0, 1, 9, 10, 11, 12] {
            for value: UInt16 in [0x0001, 0x0020, 0x4000, 0xfffe, 0xffff] {
                let world = fresh(messages[..<2])
                var changed = messages[2]
                changed[33 + word * 2] = UInt8(value & 0xff)
                changed[34 + word * 2] = UInt8(value >> 8)
                _ = world.exchange(changed)
                // Where there are no parameters, their place is nobody's business.
                #expect(world.pipes.written.count == (word == 10 ? 2 : 1), "\(word) \(value)")
            }
        }
    }

    @Test func aFrameThatIsNotCompletedInTimeEndsItsConnection() throws {
        let world = SMBWorld()
        world.open()
        var hand = SMBHand(world, SMBConnectionID(2))
        try hand.logOn("alice", "Secret-1")
        world.raw([0, 0, 0, 40, 0xff])
        world.raw([0, 0, 0, 40, 0xff], hand.id)
        world.tick(after: 10_000)
        world.raw([0x53])
        world.tick(after: 4_000)
        #expect(world.closed.isEmpty)
        world.tick(after: 3_000)
        #expect(world.closed == [SMBWorld.connection, hand.id])
        #expect(world.server.counters.expired == 2)
    }

    @Test func whoDoesNotLogOnIsNotKept() throws {
        let world = SMBWorld()
        var nobody = SMBHand(world, SMBConnectionID(1))
        var null = SMBHand(world, SMBConnectionID(2))
        var user = SMBHand(world, SMBConnectionID(3))
        _ = try nobody.negotiate()
        try null.logOn()
        try user.logOn("alice", "Secret-1")
        world.tick(after: 61_000)
        #expect(world.closed == [SMBConnectionID(1)])
        world.tick(after: 500_000)
        _ = try null.take("IPC$")
        world.tick(after: 500_000)
        #expect(world.closed == [SMBConnectionID(1)])
        world.tick(after: 700_000)
        #expect(world.closed == [SMBConnectionID(1), SMBConnectionID(2)])
        world.tick(after: 100_000_000)
        #expect(!world.closed.contains(SMBConnectionID(3)))
        #expect(world.server.nextDeadline == nil)
    }

    @Test func numbersOfAConnectionAreBounded() throws {
        var (hand, _) = try SMBHand.onPipe()
        for _ in 1..<SMBLimits.opens { _ = try hand.openPipe("lsarpc") }
        #expect(hand.world.pipes.openCount == SMBLimits.opens)
        #expect(try hand.ask(.openRequest(.init(pipe: "lsarpc"))).status == .tooManyOpenedFiles)
        for _ in 1..<SMBLimits.trees { #expect(try hand.take("IPC$") == .success) }
        let tid = hand.tid
        #expect(try hand.take("IPC$") == .insuffServerResources)
        hand.tid = tid
        let fid = try #require(hand.world.pipes.openCount > 0 ? UInt16(3) : nil)
        var waiting = 0
        for number in 0..<(SMBLimits.requests + 5) {
            hand.mid = UInt16(100 + number)
            let answers = try hand.all([.readRequest(.init(fid: fid, maxCount: 9))])
            if answers.isEmpty { waiting += 1 }
        }
        #expect(waiting == SMBLimits.requests)
    }

    /// Of one connection, whoever they are of. What ends makes room.
    @Test func sessionsAreBounded() throws {
        var hand = SMBHand(SMBWorld())
        let negotiated = try hand.negotiate()
        guard case .negotiateResponse(.ntLM(let peer)) = negotiated.bodies[0] else {
            Issue.record("another answer")
            return
        }
        var request = SMB1.SessionSetupRequest(
            maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
            credentials: .ntLM(oemPassword: [], unicodePassword: [], [.ntStatus]))
        request.accountName = ""
        var uids: Set<UInt16> = []
        for _ in 0..<SMBLimits.sessions {
            let answer = try hand.ask(.sessionSetupRequest(request))
            #expect(answer.status == .success)
            uids.insert(answer.header.uid)
        }
        #expect(uids.count == SMBLimits.sessions)
        #expect(
            try hand.ask(.sessionSetupRequest(request)).status == .insuffServerResources)
        hand.uid = try #require(uids.first)
        #expect(try hand.ask(.logoff(.init())).status == .success)
        hand.uid = 0
        try hand.setUp(peer, "alice", "Secret-1")
        #expect(
            try hand.ask(.sessionSetupRequest(request)).status == .insuffServerResources)
    }

    /// The oldest search that was not ended makes room for the next.
    @Test func searchesAreBounded() throws {
        let hand = try SMBHand.onShare()
        func begin() throws -> UInt16 {
            let find = SMB1.FindFirst2(
                searchAttributes: .directory, searchCount: 1, flags: [], informationLevel: 0x104,
                fileName: "\\*")
            let (status, parameters, _) = try hand.transact2(.findFirst2) {
                find.write(into: &$0, $1)
            }
            #expect(status == .success)
            var reader = WireReader(parameters.span, layer: "test")
            return try #require(try SMB1.FindAnswer(parsing: &reader, hasSID: true).sid)
        }
        func goOn(_ sid: UInt16) throws -> NTStatus {
            let next = SMB1.FindNext2(
                sid: sid, searchCount: 1, informationLevel: 0x104, flags: [.continueFromLast],
                fileName: "")
            return try hand.transact2(.findNext2) { next.write(into: &$0, $1) }.0
        }
        let sids = try (0..<SMBLimits.searches).map { _ in try begin() }
        #expect(Set(sids).count == SMBLimits.searches)
        for sid in sids { #expect(try goOn(sid) == .success) }
        let last = try begin()
        #expect(try goOn(sids[0]) == .invalidHandle)
        for sid in sids.dropFirst() + [last] { #expect(try goOn(sid) == .success) }
    }

    @Test func transactionsInPartsAreBounded() throws {
        var (hand, fid) = try SMBHand.onPipe()
        var first = SMB1.NamedPipeCall.transact(fid: fid, 0..<1).transaction(maxDataCount: 64)
        let totals = SMB1.TransactionTotals(parameterCount: 0, dataCount: 2)
        first.totals = totals
        for number in 0..<SMBLimits.assemblies {
            hand.mid = UInt16(100 + number)
            #expect(
                try hand.ask(.transactionRequest(first), payload: [7]).bodies
                    == [.empty(.transaction)])
        }
        hand.mid = 99
        #expect(
            try hand.ask(.transactionRequest(first), payload: [7]).status
                == .insuffServerResources)
        // One that becomes whole makes room.
        hand.mid = 101
        let rest = SMB1.TransactionSecondary(
            totals: totals, parameters: 0..<0, parameterDisplacement: 0, data: 0..<1,
            dataDisplacement: 1)
        #expect(try hand.ask(.transactionSecondary(rest), payload: [8]).status == .success)
        hand.mid = 99
        #expect(
            try hand.ask(.transactionRequest(first), payload: [7]).bodies
                == [.empty(.transaction)])
    }

    @Test func connectionsAreBounded() {
        let world = SMBWorld()
        for number in 0..<SMBLimits.connections {
            let peer = IPv4Address(10, 1, UInt8(number >> 8), UInt8(number & 0xff))
            guard world.open(SMBConnectionID(UInt64(number)), from: peer) else {
                Issue.record("refused after \(number)")
                return
            }
        }
        let one = SMBConnectionID(1 << 40)
        #expect(!world.open(one) && world.server.counters.refusedConnections == 1)
        world.server.closed(SMBConnectionID(3))
        #expect(world.open(one) && !world.open(SMBConnectionID(1 << 41)))
        #expect(world.server.connectionCount == SMBLimits.connections)
    }

    @Test func connectionsOfOneAddressAreBounded() {
        let world = SMBWorld()
        for number in 0..<SMBLimits.connectionsOfPeer {
            #expect(world.open(SMBConnectionID(UInt64(number))))
        }
        let one = SMBConnectionID(1 << 40)
        #expect(!world.open(one))
        #expect(world.open(one, from: IPv4Address(10, 0, 0, 9)))
        world.server.closed(SMBConnectionID(3))
        #expect(world.open(SMBConnectionID(1 << 41)))
        #expect(!world.open(SMBConnectionID(1 << 42)))
    }

    @Test func whoHasUsKeepTheMostGivesWayToTheOthers() {
        let world = SMBWorld()
        let partial = [0, 0, 0xff, 0xff] + [UInt8](repeating: 0xff, count: 6_000)
        let greedy = SMBConnectionID(0)
        world.server.heldLimit = 100_000
        let most = world.server.heldLimit / partial.count
        for number in 0...most {
            let id = SMBConnectionID(UInt64(number))
            world.open(id, from: IPv4Address(10, 0, 0, UInt8(number % 4)))
            world.raw(id == greedy ? partial + [1, 2, 3] : partial, id)
            #expect(world.closed.contains(greedy) == (number == most))
        }
        #expect(world.closed == [greedy] && world.server.counters.overLimit == 1)
        #expect(world.server.heldBytes == most * partial.count)
        for number in 1...most { world.server.closed(SMBConnectionID(UInt64(number))) }
        #expect(world.server.heldBytes == 0)
    }

    @Test func whoHasLoggedOnDoesNotCount() throws {
        let world = SMBWorld()
        for number in 0..<(SMBLimits.connectionsOfPeer + 10) {
            var hand = SMBHand(world, SMBConnectionID(UInt64(number)))
            try hand.logOn("alice", "Secret-1")
            world.frames = [:]
        }
        #expect(world.server.connectionCount == SMBLimits.connectionsOfPeer + 10)
    }

    /// nmap sends its second logon under the header of the answer to its first.
    @Test func flagOfAReplyIsNotMinded() throws {
        var hand = SMBHand(SMBWorld())
        _ = try hand.negotiate()
        var message = hand.bytes([.other(.processExit, words: 0..<0, bytes: 0..<0)])
        message[9] |= SMB1.Flags.reply.rawValue
        #expect(hand.world.exchange(message, hand.id).count == 1)
    }

    @Test func unfinishedHandshakesAreBounded() throws {
        var hand = SMBHand(SMBWorld())
        hand.flags2.insert(.extendedSecurity)
        _ = try hand.negotiate()
        let offer = ClientHandshake(account: nil, workstation: "PC1").negotiate
        for number in 0...SMBLimits.unfinishedSessions {
            let answer = try hand.ask(
                .sessionSetupRequest(.init(
                    maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
                    credentials: .extended(
                        securityBlob: 0..<offer.count, .extendedSecurity))),
                payload: offer)
            #expect(answer.status == (number < SMBLimits.unfinishedSessions
                ? .moreProcessingRequired : .insuffServerResources))
        }
    }

    @Test func handshakesCountAgainstTheLimit() throws {
        var hand = SMBHand(SMBWorld())
        hand.flags2.insert(.extendedSecurity)
        _ = try hand.negotiate()
        #expect(hand.world.server.heldBytes == 0)
        let offer = ClientHandshake(account: nil, workstation: "PC1").negotiate
            + [UInt8](repeating: 0, count: 1_000)
        for number in 1...3 {
            _ = try hand.ask(
                .sessionSetupRequest(.init(
                    maxBufferSize: 4_356, maxMpxCount: 2, sessionKey: 0,
                    credentials: .extended(
                        securityBlob: 0..<offer.count, .extendedSecurity))),
                payload: offer)
            #expect(hand.world.server.heldBytes > number * offer.count)
        }
        hand.world.server.closed(hand.id)
        #expect(hand.world.server.heldBytes == 0)
    }

    @Test func answersThatAreHalfWrittenCountAgainstTheLimit() throws {
        let (hand, fid) = try SMBHand.onPipe()
        let payload = [UInt8](repeating: 1, count: 2_000)
        _ = try hand.ask(
            .writeRequest(.init(fid: fid, writeMode: [], data: 0..<2_000)), payload: payload)
        let read = SMB1.Body.readRequest(.init(fid: fid, maxCount: 2_000))
        #expect(try hand.all([read, read]).isEmpty)
        #expect(hand.world.server.heldBytes > 2_000)
    }

    // MARK: Captures

    /// The requests of every capture, in the order that their connections have them.
    @Test(.enabled(if: Material.captures != nil))
    func capturedRequestsAreAnsweredOrRefused() throws {
        var count = 0
        for path in CaptureFile.all {
            let world = SMBWorld()
            world.verdict = .accepted(
                FrontIdentity(kind: .local, user: "alice", domain: "GATE", userRID: 1_001))
            var ids: [[UInt8]: SMBConnectionID] = [:]
            for packet in try CaptureFile.packets(path) {
                guard !packet.isUDP, [139, 445].contains(packet.destinationPort) else { continue }
                let flow = packet.source + packet.destination
                    + [UInt8(packet.sourcePort >> 8), UInt8(packet.sourcePort & 0xff)]
                let id = ids[flow] ?? SMBConnectionID(UInt64(ids.count + 1))
                if ids[flow] == nil {
                    ids[flow] = id
                    world.open(id, packet.destinationPort == 139 ? .netBIOS : .direct)
                }
                world.raw(packet.payload, id)
                count += 1
            }
            world.tick(after: 1_000_000)
        }
        #expect(count > 400, "\(count)")
    }

    /// Whatever the captured requests name, our numbers being put in place of theirs.
    @Test(.enabled(if: Material.captures != nil))
    func capturedRequestsMeetAnOpenSession() throws {
        var count = 0
        for path in CaptureFile.all {
            for packet in try CaptureFile.packets(path) where !packet.isUDP {
                let bytes = packet.payload
                guard bytes.count > 40, bytes[0] == 0, bytes[13] & 0x80 == 0,
                    Array(bytes[4..<8]) == [0xff, 0x53, 0x4d, 0x42]
                else { continue }
                var message = Array(bytes[4...])
                for isShare in [false, true] {
                    var hand = isShare ? try SMBHand.onShare() : try SMBHand.onPipe().0
                    hand.mid = 2
                    message[24] = UInt8(hand.tid & 0xff)
                    message[25] = UInt8(hand.tid >> 8)
                    message[28] = UInt8(hand.uid & 0xff)
                    message[29] = UInt8(hand.uid >> 8)
                    _ = hand.world.exchange(message)
                    count += 1
                }
            }
        }
        #expect(count > 400, "\(count)")
    }
}
