import Mailslot
import NetBIOS
import Responder
import TestSupport
import Testing
import Wire

@Suite struct LogonTests {
    let nt4Response = PrimaryResponse(
        primaryDCName: OEMText("DC1"),
        .windowsNT(.init(UnicodeText("DC1"), UnicodeText("ADLAB"))))

    @Test func answersGetDCWhereAndAsAsked() throws {
        let harness = Harness()
        let answer = try #require(
            try harness.ask(
                Harness.primaryQuery(), to: Harness.adlab.with(.domainMasterBrowser),
                slot: .netlogon))
        #expect(answer.message == .primaryResponse(nt4Response))
        #expect(answer.mailslot == "\\MAILSLOT\\NET\\GETDC1")
        #expect(answer.envelope.destination == Harness.client)
        #expect(answer.envelope.service == .datagram)
        #expect(answer.datagram.header.type == .directUnique)
        #expect(answer.datagram.header.source == Endpoint(Harness.own, 138))
        #expect(answer.datagram.source.description == "GATE1<00>")
        #expect(answer.datagram.destination.description == "PC<00>")
        #expect(harness.responder.counters.primaryQueriesAnswered == 1)
    }

    @Test func answersGetDCOfLANManagerInItsForm() throws {
        let harness = Harness()
        let answer = try #require(try harness.ask(Harness.primaryQuery(nil)))
        #expect(answer.message == .primaryResponse(
            PrimaryResponse(primaryDCName: OEMText("DC1"), .lanManager(lm20Token: 0xffff))))
    }

    @Test func answersToEveryNameThatMeansTheDomain() throws {
        let harness = Harness()
        var id: UInt16 = 0
        let suffixes: [NetBIOSSuffix] = [
            .workstation, .domainMasterBrowser, .domainControllers, .masterBrowser,
        ]
        for suffix in suffixes {
            id += 1
            #expect(
                try harness.ask(
                    Harness.samLogon(), to: Harness.adlab.with(suffix), id: id) != nil)
        }
        #expect(
            try harness.ask(
                Harness.samLogon(), to: Harness.adlab.with(.browserElections), id: 90) == nil)
        var lower = Harness.adlab
        for index in 0..<5 { lower[index] |= 0x20 }
        #expect(try harness.ask(Harness.samLogon(), to: lower, id: 91) != nil)
        // To our computer name: the first domain, or the one whose SID is asked for.
        guard case .primaryResponse(let first)? = try harness.ask(
            Harness.primaryQuery(), to: Harness.gate, id: 92)?.message
        else {
            Issue.record("no answer")
            return
        }
        #expect(first == nt4Response)
    }

    @Test func answersLMLogonInBothForms() throws {
        let harness = Harness()
        let modern = try #require(try harness.ask(Harness.lmLogon(0xffff), slot: .netlogon))
        #expect(modern.message == .logonResponseLM20(
            LogonResponseLM20(logonServer: OEMText("\\\\DC1"))))
        #expect(modern.mailslot == "\\MAILSLOT\\TEMP\\NETLOGON")
        let old = try #require(try harness.ask(Harness.lmLogon(nil), slot: .netlogon, id: 2))
        #expect(old.message == .logonResponseLM10(LogonResponseLM10(userName: OEMText("ME"))))
        // Its client knows the server by the datagram's source.
        #expect(old.datagram.source.description == "DC1<00>")
        #expect(harness.responder.counters.lmLogonsAnswered == 2)
    }

    @Test func answersSAMLogonInTheFormThatVersionAsksFor() throws {
        let harness = Harness()
        let controller = IPv4Address(10, 77, 0, 10)
        let nt4 = SAMLogonResponse(
            .samLogonResponse, unicodeLogonServer: UnicodeText("\\\\DC1"),
            unicodeUserName: UnicodeText("me"), unicodeDomainName: UnicodeText("ADLAB"))
        #expect(try harness.ask(Harness.samLogon())?.message == .samLogonResponse(nt4))

        let five = try harness.ask(Harness.samLogon("me", [.v1, .v5]), id: 2)
        guard case .samLogonResponse(let nt5)? = five?.message else {
            Issue.record("another message")
            return
        }
        #expect(nt5.nt5?.dnsHostName == "dc1.ad.lab")
        #expect(nt5.nt5?.domainGuid == Harness.guid)
        #expect(nt5.nt5?.dcIPAddress == controller)
        #expect(nt5.trailer.ntVersion == [.v1, .v5])

        let withIP = try harness.ask(
            Harness.samLogon("me", [.v1, .v5, .v5ExWithIP]), id: 3)
        guard case .samLogonResponseEx(let ex)? = withIP?.message else {
            Issue.record("another message")
            return
        }
        #expect(ex == SAMLogonResponseEx(
            .samLogonResponseEx, flags: [.primary, .ldap, .directoryService, .writable],
            domainGuid: Harness.guid, dnsForestName: "ad.lab", dnsDomainName: "ad.lab",
            dnsHostName: "dc1.ad.lab", netbiosDomainName: "ADLAB", netbiosComputerName: "DC1",
            userName: "me", dcSiteName: "Site", clientSiteName: "Site", dcSockAddr: controller))

        let without = try harness.ask(Harness.samLogon("me", [.v1, .v5Ex]), id: 4)
        guard case .samLogonResponseEx(let plain)? = without?.message else {
            Issue.record("another message")
            return
        }
        #expect(plain.dcSockAddr == nil && plain.trailer.ntVersion == [.v1, .v5Ex])

        // A domain without DNS names has but one form.
        let old = try harness.ask(
            Harness.samLogon("me", [.v1, .v5, .v5ExWithIP]),
            to: Harness.ntlab.with(.domainControllers), id: 5)
        #expect(old?.message == .samLogonResponse(SAMLogonResponse(
            .samLogonResponse, unicodeLogonServer: UnicodeText("\\\\PDC"),
            unicodeUserName: UnicodeText("me"), unicodeDomainName: UnicodeText("NTLAB"))))
    }

    @Test func answersGetDCInNewerFormsOnlyWhereTheOldOneIsRefused() throws {
        let harness = Harness()
        let newer: NetlogonVersion = [.v1, .v5, .v5ExWithIP]
        let emulated = try harness.ask(Harness.primaryQuery(newer))
        #expect(emulated?.message == .primaryResponse(nt4Response))
        let answer = try harness.ask(
            Harness.primaryQuery(newer.union(.avoidNT4Emulation)), id: 2)
        guard case .samLogonResponseEx(let ex)? = answer?.message else {
            Issue.record("another message")
            return
        }
        #expect(ex.netbiosComputerName == "DC1" && ex.userName == "")
        #expect(ex.flags.contains(.primary))
    }

    @Test func answersTrustsAndChecksSIDs() throws {
        let harness = Harness()
        let other = SID("S-1-5-21-9-9-9")!
        #expect(try harness.ask(
            Harness.samLogon("PC$", .v1, sid: Harness.sid, .workstationTrust)) != nil)
        #expect(try harness.ask(
            Harness.samLogon("PC$", .v1, sid: other, .workstationTrust), id: 2) == nil)
        #expect(harness.responder.counters.otherSIDs == 1)
        let trust = try harness.ask(
            Harness.samLogon("TRUSTING$", .v1, sid: other, .interdomainTrust), id: 3)
        guard case .samLogonResponse(let response)? = trust?.message else {
            Issue.record("no answer")
            return
        }
        #expect(response.unicodeUserName == UnicodeText("TRUSTING$"))
        // A domain whose SID is not known cannot tell.
        #expect(try harness.ask(
            Harness.samLogon("PC$", .v1, sid: other, .workstationTrust),
            to: Harness.ntlab, id: 4) != nil)
    }

    @Test func namesItselfWhereItsFrontServes() throws {
        let harness = Harness()
        harness.responder.setFront(Harness.adlab, dnsHostName: "gate1.ad.lab")
        let answer = try harness.ask(Harness.samLogon("me", [.v5ExWithIP]))
        guard case .samLogonResponseEx(let ex)? = answer?.message else {
            Issue.record("another message")
            return
        }
        #expect(ex.netbiosComputerName == "GATE1" && ex.dnsHostName == "gate1.ad.lab")
        #expect(ex.dcSockAddr == Harness.own)
    }

    @Test func doesNotAnswerWithoutController() throws {
        let harness = Harness()
        harness.responder.setController(Harness.adlab, nil)
        #expect(try harness.ask(Harness.samLogon()) == nil)
        #expect(try harness.ask(Harness.primaryQuery(), id: 2) == nil)
        #expect(try harness.ask(Harness.lmLogon(0xffff), id: 3) == nil)
        #expect(harness.responder.counters.withoutController == 3)
        harness.responder.setController(
            Harness.adlab,
            NamedController(name: "BDC", address: Harness.own, isPrimary: false))
        #expect(try harness.ask(Harness.samLogon(), id: 4) != nil)
        #expect(try harness.ask(Harness.primaryQuery(), id: 5) == nil)
    }

    @Test func saysWhenLogonsArePaused() throws {
        let harness = Harness()
        harness.responder.setPaused(Harness.adlab, true)
        let sam = try harness.ask(Harness.samLogon())
        guard case .samLogonResponse(let response)? = sam?.message else {
            Issue.record("another message")
            return
        }
        #expect(response.opcode == .samPauseResponse)
        let ex = try harness.ask(Harness.samLogon("me", .v5Ex), id: 2)
        guard case .samLogonResponseEx(let responseEx)? = ex?.message else {
            Issue.record("another message")
            return
        }
        #expect(responseEx.opcode == .samPauseResponseEx)
        #expect(try harness.ask(Harness.lmLogon(0xffff), id: 3)?.message
            == .logonRefusalLM20(LogonRefusalLM20(.logonPausedLM20)))
        #expect(try harness.ask(Harness.lmLogon(nil), id: 4) == nil)
        #expect(try harness.ask(Harness.primaryQuery(), id: 5) == nil)
        #expect(harness.responder.counters.pausedAnswers == 4)
    }

    @Test func saysWhenUserIsUnknown() throws {
        let harness = Harness()
        harness.responder.setLookup { domain, user, control in
            #expect(domain == "ADLAB")
            if control.contains(.interdomainTrust) { return .undecided }
            return user == "me" || user == "ME" ? .known : .unknown
        }
        func opcode(_ answer: Harness.Answer?) -> NetlogonOpcode? {
            switch answer?.message {
            case .samLogonResponse(let response)?: response.opcode
            case .samLogonResponseEx(let response)?: response.opcode
            case _: nil
            }
        }
        let ask = { (user: String, version: NetlogonVersion, id: UInt16) in
            opcode(try harness.ask(Harness.samLogon(user, version), id: id))
        }
        #expect(try ask("me", .v1, 1) == .samLogonResponse)
        #expect(try ask("you", .v1, 2) == .samUserUnknown)
        #expect(try ask("you", .v5, 3) == .samUserUnknown)
        #expect(try ask("you", .v5Ex, 4) == .samUserUnknownEx)
        #expect(try ask("", .v1, 5) == .samLogonResponse)
        #expect(opcode(try harness.ask(
            Harness.samLogon("X$", .v1, .interdomainTrust), id: 6)) == .samLogonResponse)
        #expect(try harness.ask(Harness.lmLogon(0xffff), id: 7)?.message
            == .logonResponseLM20(LogonResponseLM20(logonServer: OEMText("\\\\DC1"))))
        #expect(harness.responder.counters.unknownUserAnswers == 3)
    }

    // MARK: What is not answered

    @Test func answersDuplicatesOnce() throws {
        let harness = Harness()
        #expect(try harness.ask(Harness.samLogon(), now: 1_000) != nil)
        #expect(try harness.ask(Harness.samLogon(), now: 1_001) == nil)
        #expect(try harness.ask(Harness.samLogon(), now: 1_499) == nil)
        #expect(harness.responder.counters.duplicates == 2)
        #expect(try harness.ask(Harness.samLogon(), now: 1_500) != nil)
        let bytes = Harness.datagram(
            to: Harness.adlab, id: 1, Harness.samLogon())
        harness.receive(bytes, from: Endpoint(IPv4Address(10, 77, 0, 8), 138), now: 1_500)
        #expect(try harness.answer() != nil)
    }

    @Test func countsWhatItIgnores() throws {
        let harness = Harness()
        let request = Harness.samLogon()
        let other = NetBIOSName("OTHER", .domainControllers)!
        #expect(try harness.ask(request, to: other, id: 1) == nil)
        #expect(try harness.ask(request, slot: .browse, id: 2) == nil)
        #expect(try harness.ask(request, slot: .temporaryNetlogon, id: 3) == nil)
        #expect(try harness.ask(
            Harness.samLogon(slot: OEMText("\\PIPE\\X")), id: 4) == nil)
        #expect(try harness.ask(
            .logonResponseLM20(LogonResponseLM20(logonServer: OEMText("X"))), id: 5) == nil)
        harness.receive(
            Harness.datagram(to: Harness.adlab, id: 6, request),
            from: Endpoint(Harness.own, 138))
        var lying = Harness.datagram(to: Harness.adlab, id: 7, request)
        lying[11] &-= 1
        harness.receive(lying)
        harness.receive([])
        // A mailslot's counts, then a message's end.
        var broken = Harness.datagram(to: Harness.adlab, id: 8, request)
        broken[82 + 33 + 2] ^= 1
        harness.receive(broken)
        #expect(try harness.ask(.other(.samLogonRequest, 0..<0), id: 9) == nil)
        #expect(harness.sent().isEmpty)
        var expected = ResponderCounters()
        expected.otherDomains = 1
        expected.browserMessages = 1
        expected.otherMailslots = 1
        expected.wrongReplyMailslots = 1
        expected.otherMessages = 1
        expected.ownBroadcasts = 1
        expected.malformedDatagrams = 2
        expected.malformedMailslots = 1
        expected.malformedMessages = 1
        #expect(harness.responder.counters == expected)
    }

    @Test func assemblesFragmentedRequests() throws {
        let harness = Harness()
        let whole = Harness.datagram(
            to: Harness.adlab, id: 3, Harness.samLogon(String(repeating: "u", count: 100)))
        let data = Array(whole[82...])
        func fragment(_ range: Range<Int>, more: Bool) -> [UInt8] {
            var writer = WireWriter()
            var header = DatagramHeader(.directGroup, .broadcast, id: 3, source: Harness.client)
            header.flags = (range.lowerBound == 0 ? 2 : 0) | (more ? 1 : 0)
            let length = DataDatagram.begin(
                header, packetOffset: UInt16(range.lowerBound),
                from: ScopedName(NetBIOSName("PC", .workstation)!),
                to: ScopedName(Harness.adlab), into: &writer)
            writer.append(Array(data[range]))
            DataDatagram.finish(length, in: &writer)
            return writer.finish()
        }
        harness.receive(fragment(200..<data.count, more: false))
        #expect(try harness.answer() == nil)
        harness.receive(fragment(0..<200, more: true))
        #expect(try harness.answer() != nil)
        harness.receive(fragment(0..<200, more: false), now: 9_000)
        harness.receive(fragment(100..<300, more: true), now: 9_100)
        harness.receive(fragment(150..<200, more: true), now: 9_200)
        #expect(harness.sent().isEmpty)
        #expect(harness.responder.counters.refusedFragments == 1)
    }

    @Test func bearsAnyDatagram() throws {
        let harness = Harness()
        harness.own()
        var state: UInt64 = 7
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        var writer = WireWriter()
        NameServicePacket.nodeStatusRequest(3).write(into: &writer)
        let query = writer.finish()
        for round in 0..<20_000 {
            var bytes = round % 2 == 0
                ? Harness.datagram(
                    to: Harness.adlab, id: UInt16(truncatingIfNeeded: round),
                    Harness.samLogon("me", .v5ExWithIP, sid: Harness.sid))
                : query
            for _ in 0...(random() % 4) {
                bytes[Int(random()) % bytes.count] = UInt8(truncatingIfNeeded: random())
            }
            if random() % 4 == 0 { bytes.removeLast(Int(random()) % bytes.count) }
            harness.responder.receive(
                bytes.span, from: Harness.client, at: round % 2 == 0 ? .datagram : .name,
                interface: 0, now: UInt64(round))
            harness.responder.outbox.removeAll()
        }
    }

    @Test func answersManyRequestsASecond() throws {
        let harness = Harness()
        let requests: [(String, [UInt8])] = [
            ("GETDC", Harness.datagram(to: Harness.adlab, id: 1, Harness.primaryQuery())),
            ("SAM LOGON", Harness.datagram(to: Harness.adlab, id: 1, Harness.samLogon())),
            ("SAM LOGON EX", Harness.datagram(
                to: Harness.adlab, id: 1, Harness.samLogon("me", .v5ExWithIP))),
        ]
        let count = 20_000
        var now: UInt64 = 0
        for (name, request) in requests {
            var request = request
            now += 1_000
            let begin = ContinuousClock.now
            for round in 0..<count {
                request[2] = UInt8(truncatingIfNeeded: round >> 8)
                request[3] = UInt8(truncatingIfNeeded: round)
                harness.responder.receive(
                    request.span, from: Harness.client, at: .datagram, interface: 0,
                    now: now)
                #expect(harness.responder.outbox.envelopes.count == 1)
                harness.responder.outbox.removeAll()
            }
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            print("\(name): \(Int(Double(count) / seconds)) answers/s on one core")
        }
    }
}
