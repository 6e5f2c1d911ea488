import Interfaces
import NTLM
import RPC
import Simulation
import Testing
import Wire

@testable import Front

@Suite struct RPCServerBindTests {
    @Test func knownInterfaceIsAcceptedAndOthersRejectedByReason() throws {
        let peer = try RPCPeer()
        var later = EchoService.syntax
        later.minorVersion = 4
        var other = EchoService.syntax
        other.majorVersion = 2
        let ack = try peer.bind(flags: [.single, .concurrentMultiplexing], contexts: [
            PresentationContext(id: 0, EchoService.syntax, [.ndr]),
            PresentationContext(id: 1, EchoService.syntax, [.ndr64]),
            PresentationContext(
                id: 2, EchoService.syntax, [BindTimeFeatures(rawValue: 3).syntax]),
            PresentationContext(id: 3, other), PresentationContext(id: 4, later),
            PresentationContext(id: 5, EchoService.syntax, [.ndr64, .ndr]),
        ])
        #expect(ack.ack.results == [
            .accepted(.ndr), .rejected(.proposedTransferSyntaxesNotSupported),
            .features(BindTimeFeatures(rawValue: 3)),
            .rejected(.abstractSyntaxNotSupported), .rejected(.abstractSyntaxNotSupported),
            .accepted(.ndr),
        ])
        #expect(ack.flags.contains(.concurrentMultiplexing))
        #expect(ack.ack.secondaryAddress == Array("135".utf8) && ack.ack.associationGroup != 0)
        #expect(try peer.call(0, [1, 2, 3]) == [1, 2, 3])
        peer.send(peer.request(0, [1], contextID: 3))
        #expect(try peer.nextFault() == .unknownInterface)
        #expect(!peer.isClosed)
    }

    /// The receiver makes it right (C706 14.1), and answers in its own order.
    @Test func bigEndianRequestsAreRead() throws {
        let peer = try RPCPeer()
        let bind = Hex.bytes(
            "05000b0300000000004800000000000716d016d0000000000100000000000100"
                + "0000123400010002010203040506070800030001"
                + "8a885d041ceb11c99fe808002b10486000000002")!
        peer.send(bind)
        let (fragment, bytes) = try peer.next()
        #expect(fragment.byteOrder == .littleEndian && fragment.header.callID == 7)
        var body = fragment.bodyReader(bytes.span)
        #expect(try BindAckPDU(parsing: &body).results == [.accepted(.ndr)])
        peer.send(Hex.bytes("0500000300000000001b0000000000080000000300000000010203")!)
        let (answer, _) = try peer.next()
        #expect(answer.header.type == .response && answer.header.callID == 8)
        #expect(peer.echo.order == .bigEndian)
    }

    @Test func contextMayBeAlteredButNotChangeItsMeaning() throws {
        let peer = try RPCPeer()
        try peer.bind()
        try peer.bind(.alterContext)
        try peer.bind(
            .alterContext, contexts: [PresentationContext(id: 1, Management.interface)])
        #expect(try peer.call(MgmtIsServerListening.opnum, [], contextID: 1)
            == [0, 0, 0, 0, 1, 0, 0, 0])
        peer.send(RPCPeer.bindPDU(
            .alterContext, contexts: [PresentationContext(id: 0, Management.interface)]))
        #expect(try peer.nextFault() == .protocolError)
        #expect(peer.isClosed && peer.echo.endedCallers == 1)
    }

    @Test func handlesAreSharedWithinAnAssociationGroupOnly() throws {
        let mapper = [PresentationContext(id: 0, EndpointMapper.interface)]
        let first = try RPCPeer()
        let group = try first.bind(contexts: mapper).ack.associationGroup
        func stub(_ message: some NDRMessage) -> [UInt8] {
            var writer = WireWriter()
            message.write(into: &writer)
            return writer.finish()
        }
        let page = try first.call(
            EptLookup.opnum, stub(EptLookup.Request(maximumEntries: 1)))
        var reader = WireReader(page.span, layer: "test")
        let handle = try EptLookup.Response(parsing: &reader).entryHandle
        #expect(handle != .null)
        let more = stub(EptLookup.Request(entryHandle: handle, maximumEntries: 1))

        let stranger = try RPCPeer(first)
        try stranger.bind(contexts: mapper)
        stranger.send(stranger.request(EptLookup.opnum, more))
        #expect(try stranger.nextFault() == .contextMismatch)

        let friend = try RPCPeer(first)
        #expect(try friend.bind(contexts: mapper, group: group).ack.associationGroup == group)
        first.server.closed(first.connection)
        let second = try friend.call(EptLookup.opnum, more)
        var again = WireReader(second.span, layer: "test")
        #expect(try EptLookup.Response(parsing: &again).entries.count == 1)

        let lost = try RPCPeer(first)
        lost.send(RPCPeer.bindPDU(contexts: mapper, group: group ^ 1))
        #expect(try lost.next().0.header.type == .bindNak)
    }

    @Test func listingInPagesEndsWithOneThatSaysSo() throws {
        let peer = try RPCPeer()
        try peer.bind(contexts: [PresentationContext(id: 0, EndpointMapper.interface)])
        var handle = ContextHandle.null
        var counts: [Int] = []
        var status: UInt32 = 0
        repeat {
            var writer = WireWriter()
            EptLookup.Request(entryHandle: handle, maximumEntries: 5).write(into: &writer)
            let page = try peer.call(EptLookup.opnum, writer.finish())
            var reader = WireReader(page.span, layer: "test")
            let response = try EptLookup.Response(parsing: &reader)
            handle = response.entryHandle
            counts.append(response.entries.count)
            status = response.status
        } while handle != .null
        #expect(counts == [5, 5, 2] && status == EndpointMapper.notRegistered)
    }
}

@Suite struct RPCServerSecurityTests {
    @Test(
        arguments: [AuthLevel.integrity, .privacy],
        [PDUFlags.single, [.single, .supportHeaderSign]])
    func secureChannelProtectsBothWays(_ level: AuthLevel, _ flags: PDUFlags) throws {
        let peer = try RPCPeer()
        try peer.bindSecureChannel(level, flags: flags)
        #expect(try peer.call(0, [1, 2, 3]) == [1, 2, 3])
        #expect(try peer.call(2, []).count == 20_000)
        #expect(try peer.call(0, []) == [])
        #expect(peer.echo.callers[0].netlogonComputer == "PC1")
        #expect(peer.echo.callers[0].isSealed == (level == .privacy))
    }

    @Test func connectionThatWasBoundInClearIsSecuredByAnAlterContext() throws {
        let peer = try RPCPeer()
        try peer.bind()
        #expect(try peer.call(0, [1]) == [1])
        try peer.bindSecureChannel(.privacy, altering: true)
        #expect(try peer.call(0, [2], contextID: 1) == [2])
        #expect(peer.echo.callers.map(\.isSealed) == [false, true])
    }

    @Test func unknownComputerHasNoSecureChannel() throws {
        let peer = try RPCPeer()
        var token = WireWriter()
        NLAuthMessageSample.write("NOBODY", into: &token)
        peer.send(RPCPeer.bindPDU(
            security: SecurityContext(.netlogon, .privacy, id: 1), token: token.finish()))
        #expect(try peer.next().0.header.type == .bindNak)
        #expect(peer.isClosed)
    }

    @Test(
        arguments: [AuthType.winNT, .gssNegotiate],
        [AuthLevel.call, .integrity, .packet, .privacy])
    func answerIsValidatedBeforeAnyCallIsLookedAt(_ type: AuthType, _ level: AuthLevel) throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(type, level, flags: [.single, .supportHeaderSign])
        #expect(peer.logons.count == 1 && peer.received.isEmpty)
        #expect(peer.logons[0].logon.listener == .rpc)
        peer.send(peer.request(0, [1, 2, 3]))
        #expect(peer.echo.isAsked == 0)
        try peer.validate()
        if type == .gssNegotiate {
            #expect(try peer.next().0.header.type == .alterContextResponse)
        }
        #expect(try peer.response() == [1, 2, 3])
        #expect(peer.echo.callers[0].identity.isAdministrator)
        #expect(try peer.call(2, []).count == 20_000)
    }

    @Test(arguments: [AuthLevel.call, .packet, .integrity, .privacy])
    func ntlmCoversHeadersThoughNobodySaidSo(_ level: AuthLevel) throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(.winNT, level)
        try peer.validate()
        #expect(try peer.call(0, [1, 2, 3]) == [1, 2, 3])
        var altered = peer.request(0, [1])
        altered[22] ^= 2    // the operation's number
        peer.send(altered)
        #expect(try peer.nextFault() == .secPkgError)
    }

    @Test func refusedUserGetsAFaultForItsFirstCall() throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(.winNT, .privacy)
        peer.send(peer.request(0, [1]))
        try peer.validate(false)
        #expect(try peer.nextFault() == .accessDenied)
        #expect(peer.echo.isAsked == 0)
    }

    @Test func refusedUserOfSPNEGOGetsAFaultAtOnce() throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(.gssNegotiate, .integrity)
        try peer.validate(false)
        #expect(try peer.nextFault() == .accessDenied)
    }

    @Test func alteredCallIsRefusedAndSoIsWhatFollows() throws {
        for level in [AuthLevel.integrity, .privacy] {
            let peer = try RPCPeer()
            try peer.bindSecureChannel(level)
            peer.send(peer.request(0, [1, 2, 3], spoil: true))
            #expect(try peer.nextFault() == .secPkgError)
            peer.send(peer.request(0, [1, 2, 3]))
            #expect(try peer.nextFault() == .secPkgError)
            #expect(peer.echo.isAsked == 0)
        }
    }

    @Test func callWithoutATokenIsRefusedWhereTheBindHadASecurityContext() throws {
        let peer = try RPCPeer()
        try peer.bindSecureChannel(.privacy)
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: 0), callID: 9, maximumFragment: 5_840)
        _ = fragmenter.next([UInt8]([1]).span, into: &writer)
        peer.send(writer.finish())
        #expect(try peer.nextFault() == .accessDenied)
        #expect(peer.echo.isAsked == 0)
    }
}

@Suite struct RPCServerCallTests {
    @Test func unknownOpnumAndBadStubAreFaults() throws {
        let peer = try RPCPeer()
        try peer.bind()
        peer.send(peer.request(9, []))
        #expect(try peer.nextFault() == .opRangeError)
        #expect(peer.server.badStubs == 0)
        peer.send(peer.request(3, []))
        #expect(try peer.nextFault() == .badStubData)
        #expect(peer.server.badStubs == 1)
        #expect(!peer.isClosed)
    }

    @Test func callThatIsAnsweredLaterHoldsUpTheNextUnlessMultiplexed() throws {
        for multiplexed in [false, true] {
            let peer = try RPCPeer()
            try peer.bind(flags: multiplexed ? [.single, .concurrentMultiplexing] : .single)
            peer.send(peer.request(1, [1]) + peer.request(0, [2]))
            #expect(peer.received.count == (multiplexed ? 1 : 0))
            peer.server.answered(
                EchoService.syntax, ticket: 1, .response([9]), now: peer.now)
            peer.settle()
            #expect(try peer.response() == (multiplexed ? [2] : [9]))
            #expect(try peer.response() == (multiplexed ? [9] : [2]))
        }
    }

    @Test func orphanedCallIsNotAnswered() throws {
        let peer = try RPCPeer()
        try peer.bind(flags: [.single, .concurrentMultiplexing])
        peer.send(peer.request(1, [1]))
        var writer = WireWriter()
        EmptyPDU().write(into: &writer, header: PDUHeader(.orphaned, callID: peer.callID))
        peer.send(writer.finish())
        peer.server.answered(EchoService.syntax, ticket: 1, .response([9]), now: peer.now)
        peer.settle()
        #expect(peer.received.isEmpty)
        #expect(try peer.call(0, [2]) == [2])
    }

    @Test func everythingMayComeByteByByte() throws {
        let peer = try RPCPeer()
        for byte in RPCPeer.bindPDU() { peer.send([byte]) }
        #expect(try peer.next().0.header.type == .bindAck)
        for byte in peer.request(0, [1, 2, 3]) { peer.send([byte]) }
        #expect(try peer.response() == [1, 2, 3])
    }

    private func fragment(
        _ flags: PDUFlags, _ stub: [UInt8], callID: UInt32 = 1, opnum: UInt16 = 0
    ) -> [UInt8] {
        var writer = WireWriter()
        PDUHeader(.request, flags, callID: callID).write(into: &writer)
        RequestPDU(contextID: 0, opnum: opnum).write(into: &writer)
        writer.append(stub)
        PDUHeader.finish(&writer, start: 0)
        return writer.finish()
    }

    @Test func fragmentsMakeOneCall() throws {
        let peer = try RPCPeer()
        try peer.bind()
        peer.send(fragment(.firstFragment, [1, 2]))
        peer.send(fragment([], [3]))
        #expect(peer.received.isEmpty)
        peer.send(fragment(.lastFragment, [4]))
        #expect(try peer.response() == [1, 2, 3, 4])
    }

    @Test func fragmentsOutOfOrderEndTheConnection() throws {
        for bad in [fragment([], [3]), fragment(.firstFragment, [1], callID: 2)] {
            let peer = try RPCPeer()
            try peer.bind()
            if bad[3] != 0 { peer.send(fragment(.firstFragment, [1])) }
            peer.send(bad)
            #expect(try peer.nextFault() == .protocolError)
            #expect(peer.isClosed)
        }
    }

    @Test func whoHasUsKeepTheMostGivesWayToTheOthers() throws {
        let greedy = try RPCPeer()
        let server = greedy.server
        server.heldLimit = 100_000
        let part = [UInt8](repeating: 0, count: 5_000)
        try greedy.bind()
        greedy.send(fragment(.firstFragment, part))
        for _ in 0..<4 { greedy.send(fragment([], part)) }
        var others = 0
        while server.counters.overLimit == 0 {
            let peer = try RPCPeer(greedy)
            try peer.bind()
            peer.send(fragment(.firstFragment, part))
            for _ in 0..<2 { peer.send(fragment([], part)) }
            others += 1
        }
        #expect(server.counters.overLimit == 1 && server.openAssociations == others)
        #expect(server.heldBytes == others * 3 * part.count)
    }

    @Test func fragmentBombEndsTheConnection() throws {
        let peer = try RPCPeer()
        try peer.bind()
        let part = [UInt8](repeating: 0, count: 5_000)
        peer.send(fragment(.firstFragment, part))
        for _ in 0..<300 where !peer.isClosed { peer.send(fragment([], part)) }
        #expect(peer.isClosed && peer.echo.isAsked == 0)
        #expect(try peer.nextFault() == .remoteNoMemory)
        let tiny = try RPCPeer()
        try tiny.bind()
        tiny.send(fragment(.firstFragment, [1]))
        for _ in 0..<9_000 where !tiny.isClosed { tiny.send(fragment([], [])) }
        #expect(tiny.isClosed)
    }

    @Test func manyHalfCallsEndTheConnection() throws {
        let peer = try RPCPeer()
        try peer.bind(flags: [.single, .concurrentMultiplexing])
        for id in 0..<100 where !peer.isClosed {
            peer.send(fragment(.firstFragment, [1], callID: UInt32(id)))
        }
        #expect(peer.isClosed)
    }

    @Test func whoeverDoesNotBindOrFinishIsLeftInTime() throws {
        let patience = ServerAssociation.Limit.patience + 1_000
        let silent = try RPCPeer()
        #expect(silent.server.nextDeadline <= silent.now.now + patience)
        silent.wait(patience)
        #expect(silent.isClosed)
        let slow = try RPCPeer()
        try slow.bind()
        slow.send([5, 0, 0])
        slow.wait(patience)
        #expect(slow.isClosed)
        // A handshake without its third leg; what is kept for it counts.
        let offer = ClientHandshake(account: nil, workstation: "PC1").negotiate
        let undecided = try RPCPeer()
        try undecided.bind(security: SecurityContext(.winNT, .integrity, id: 7), token: offer)
        #expect(undecided.server.heldBytes > offer.count)
        undecided.wait(patience)
        #expect(undecided.isClosed && undecided.server.heldBytes == 0)
    }

    @Test func handshakesGiveWayToTheLimit() throws {
        let peer = try RPCPeer()
        peer.server.heldLimit = 1_000
        let now = peer.now
        guard case .opened(let pipe) = peer.server.open(
            "lsarpc", as: .anonymous, from: IPv4Address(1, 2, 3, 4), now: now)
        else { throw SecurityAcceptor.Refused.unexpected }
        let offer = ClientHandshake(account: nil, workstation: "PC1").negotiate
            + [UInt8](repeating: 0, count: 1_000)
        let bind = RPCPeer.bindPDU(
            security: SecurityContext(.winNT, .integrity, id: 7), token: offer)
        peer.server.write(pipe, bind.span, now: now)
        guard case .broken = peer.server.read(pipe) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        #expect(peer.server.heldBytes == 0 && peer.server.counters.overLimit == 1)
    }

    @Test func connectionsOfNobodyEndWhereNothingIsCalled() throws {
        let idle = ServerAssociation.Limit.idle + 1_000
        let nobody = try RPCPeer()
        try nobody.bind()
        nobody.wait(idle / 2)
        #expect(try nobody.call(0, [1]) == [1])
        nobody.wait(idle / 2)
        #expect(!nobody.isClosed)
        nobody.wait(idle / 2)
        #expect(nobody.isClosed)
        // Not while a call is under way.
        let patient = try RPCPeer()
        try patient.bind()
        patient.send(patient.request(1, [1]))
        patient.wait(idle)
        #expect(!patient.isClosed)
        patient.server.answered(EchoService.syntax, ticket: 1, .response([9]), now: patient.now)
        patient.settle()
        #expect(try patient.response() == [9])
        patient.wait(idle)
        #expect(patient.isClosed)
    }

    @Test func connectionsOfSomebodyStay() throws {
        let computer = try RPCPeer()
        try computer.bindSecureChannel(.privacy)
        let user = try RPCPeer()
        _ = try user.bindNTLM(.winNT, .integrity)
        try user.validate()
        for peer in [computer, user] {
            peer.wait(100 * ServerAssociation.Limit.idle)
            #expect(!peer.isClosed && peer.server.nextDeadline == .max)
            #expect(try peer.call(0, [1]) == [1])
        }
    }

    /// The call's first fragment waits behind the third leg, until somebody has validated that.
    @Test func callThatComesWithTheThirdLegHasItsTimeToo() throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(.winNT, .connect)
        peer.send(fragment(.firstFragment, [1, 2]))
        try peer.validate()
        peer.wait(ServerAssociation.Limit.patience + 1_000)
        #expect(peer.isClosed)
    }

    @Test func noFragmentIsLongerThanWeSaid() throws {
        let peer = try RPCPeer()
        peer.send(RPCPeer.bindPDU(most: 65_535))
        let (fragment, bytes) = try peer.next()
        var body = fragment.bodyReader(bytes.span)
        #expect(try BindAckPDU(parsing: &body).maximumTransmitFragment == 5_840)
        peer.send(peer.request(2, []))
        #expect(peer.received.map(\.count).max() ?? .max <= 5_840)
        #expect(try peer.response().count == 20_000)
    }

    @Test func nonsenseEndsTheConnectionAndOthersLive() throws {
        let good = try RPCPeer()
        try good.bind()
        for bytes in [[4, 0, 0, 0], [5, 0, 0, 3, 0x10, 0, 0, 0, 3, 0], [5, 0, 0, 3, 1, 0]]
            as [[UInt8]]
        {
            let bad = try RPCPeer(good)
            bad.send(bytes)
            #expect(bad.isClosed)
        }
        let early = try RPCPeer(good)
        early.send(early.request(0, [1]))
        #expect(try early.nextFault() == .protocolError)
        #expect(try good.call(0, [1]) == [1])
    }

    @Test func mutatedPDUsNeverTrap() throws {
        let samples = [
            RPCPeer.bindPDU(
                security: SecurityContext(.gssNegotiate, .privacy, id: 3),
                token: SecurityBlobs.wrap(
                    .init(mechTypes: [.ntlmssp], mechToken: 0..<2), [1, 2])),
            RPCPeer.bindPDU(.alterContext), fragment(.single, [1, 2, 3, 4]),
        ]
        for sample in samples {
            for index in sample.indices {
                for value in [0, 1, 0x7f, 0xff, sample[index] &+ 1] as [UInt8] {
                    let peer = try RPCPeer()
                    if sample[2] != PDUType.bind.rawValue { try peer.bind() }
                    var changed = sample
                    changed[index] = value
                    peer.send(changed)
                    peer.server.closed(peer.connection)
                }
            }
        }
    }
}

@Suite struct RPCServerPipeTests {
    let now = FrontTime(now: 1_000, unix: 1_700_000_000)

    @Test func pipeCarriesCallsUnderTheSessionsIdentity() throws {
        let peer = try RPCPeer()
        let user = FrontIdentity(kind: .local, user: "alice", domain: "GATE")
        guard case .refused(.objectNameNotFound) = peer.server.open(
            "spoolss", as: user, from: IPv4Address(1, 2, 3, 4), now: now)
        else { throw SecurityAcceptor.Refused.unexpected }
        guard case .opened(let pipe) = peer.server.open(
            "lsarpc", as: user, from: IPv4Address(1, 2, 3, 4), now: now)
        else { throw SecurityAcceptor.Refused.unexpected }
        peer.server.write(pipe, RPCPeer.bindPDU().span, now: now)
        guard case .message(let ack) = peer.server.read(pipe) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        #expect(ack[2] == PDUType.bindAck.rawValue)
        peer.server.write(pipe, peer.request(1, [1]).span, now: now)
        guard case .nothing = peer.server.read(pipe) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        #expect(peer.server.nextReady() == nil)
        peer.server.answered(EchoService.syntax, ticket: 1, .response([9]), now: now)
        #expect(peer.server.nextReady() == pipe && peer.server.nextReady() == nil)
        guard case .message = peer.server.read(pipe) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        #expect(peer.echo.callers[0].identity.user == "alice")
        peer.server.write(pipe, [UInt8]([9]).span, now: now)
        guard case .broken = peer.server.read(pipe) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        peer.server.close(pipe)
        #expect(peer.echo.endedCallers == 1)
    }

    /// Answers that nobody reads are kept, and counted.
    @Test func whoReadsNothingGivesWayToTheOthers() throws {
        let peer = try RPCPeer()
        let server = peer.server
        server.heldLimit = 100_000
        var pipes: [PipeID] = []
        for _ in 0..<3 {
            guard case .opened(let pipe) = server.open(
                "lsarpc", as: .anonymous, from: IPv4Address(1, 2, 3, 4), now: now)
            else { throw SecurityAcceptor.Refused.unexpected }
            server.write(pipe, RPCPeer.bindPDU().span, now: now)
            guard case .message = server.read(pipe) else {
                throw SecurityAcceptor.Refused.unexpected
            }
            pipes.append(pipe)
        }
        for _ in 0..<3 { server.write(pipes[0], peer.request(2, []).span, now: now) }
        for pipe in pipes.dropFirst() {
            server.write(pipe, peer.request(2, []).span, now: now)
        }
        #expect(server.counters.overLimit == 1 && server.heldBytes < server.heldLimit)
        #expect(server.nextReady() == pipes[0])
        guard case .broken = server.read(pipes[0]), case .message = server.read(pipes[1]),
            case .message = server.read(pipes[2])
        else {
            Issue.record("not the greediest")
            return
        }
    }
}
