import Mailslot
import NetBIOS
import Wire

/// Answers the logon requests that come as mailslot datagrams: GETDC, LM LOGON and SAM LOGON,
/// MS-ADTS 6.3.5 and before it LAN Manager.
///
/// On the way of a request to its answer only the texts it carries are copied; names compare as
/// numbers and the answer is appended to the outbox's one writer.
struct LogonAnswerer {
    private let configuration: ResponderConfiguration
    private let ownName: ScopedName
    private var duplicates = DuplicateFilter()
    private var reassembler = DatagramReassembler()
    private var lastDatagramID: UInt16
    var domains: [DomainAnswers] = []
    var lookup: ((_ domain: String, _ user: String, AccountControl) -> AccountKnowledge)?
    /// Changes that others announced, with where from, until the owner takes them.
    var heard: [(AnnounceChange, IPv4Address)] = []
    private static let mostHeard = 16
    /// What comes to its mailslot is the browser's, where there is one.
    var browser: Browser?

    init(_ configuration: ResponderConfiguration, random: () -> UInt32) {
        self.configuration = configuration
        ownName = ScopedName(
            configuration.computerName.with(.workstation), scope: configuration.scope)
        lastDatagramID = UInt16(truncatingIfNeeded: random())
    }

    /// Where a datagram came from and where its answer goes.
    struct Arrival {
        var source: Endpoint
        var interface: Int
        var now: UInt64
    }

    mutating func receive(
        _ span: Span<UInt8>, _ arrival: Arrival, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        do throws(WireError) {
            var reader = WireReader(span, layer: "NBDGM")
            if span.count > 0 && !DatagramType(rawValue: span[0]).carriesData {
                try parseOther(&reader)
                counters.datagramServices += 1
                return
            }
            let datagram = try DataDatagram(parsing: &reader)
            if !datagram.header.isFragment {
                take(datagram, span, arrival, &outbox, &counters)
                return
            }
            switch reassembler.add(datagram, span, from: arrival.source, now: arrival.now) {
            case .incomplete: break
            case .refused: counters.refusedFragments += 1
            case .complete(let whole):
                var again = WireReader(whole.span, layer: "NBDGM")
                let datagram = try DataDatagram(parsing: &again)
                take(datagram, whole.span, arrival, &outbox, &counters)
            }
        } catch {
            counters.malformedDatagrams += 1
        }
    }

    /// Errors and queries of the datagram service, which concern distribution servers.
    private func parseOther(_ reader: inout WireReader) throws(WireError) {
        if DatagramType(rawValue: reader.span[0]) == .error {
            _ = try DatagramError(parsing: &reader)
        } else {
            _ = try DatagramQuery(parsing: &reader)
        }
    }

    private mutating func take(
        _ datagram: DataDatagram, _ span: Span<UInt8>, _ arrival: Arrival,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        if duplicates.isDuplicate(arrival.source, datagram.header.id, now: arrival.now) {
            counters.duplicates += 1
            return
        }
        if datagram.destination.scope != configuration.scope {
            counters.otherScopes += 1
            return
        }
        let destination = datagram.destination.name.upcased
        let target = target(of: destination)
        let isBrowsers = browser?.listens(to: destination) ?? false
        if target == nil && !isBrowsers {
            countUnknown(destination, &counters)
            return
        }
        let envelope: MailslotWrite
        do throws(WireError) {
            var reader = WireReader(span, layer: "SMB").part(datagram.userData)
            envelope = try MailslotWrite(parsing: &reader)
        } catch {
            counters.malformedMailslots += 1
            return
        }
        switch MailslotName.named(envelope.name, in: span) {
        case .netlogon, .ntlogon: break
        case .browse where isBrowsers:
            browse(datagram, envelope, span, arrival, &outbox, &counters)
            return
        case .browse, .lanman:
            counters.browserMessages += 1
            return
        case .temporaryNetlogon, nil:
            counters.otherMailslots += 1
            return
        }
        guard let target else {
            countUnknown(destination, &counters)
            return
        }
        do throws(WireError) {
            var reader = WireReader(span, layer: "NETLOGON").part(envelope.data)
            let request = Request(target: target, from: datagram.source, arrival)
            try answer(&reader, request, &outbox, &counters)
        } catch {
            counters.malformedMessages += 1
        }
    }

    /// Whom a datagram is for: a domain, or this computer, which then means the domain that the
    /// request's SID says, or the first.
    private enum Target {
        case domain(Int)
        case computer
    }

    private func target(of name: NetBIOSName) -> Target? {
        if name.hasText(of: ownName.name) {
            switch name.suffix {
            case .workstation, .server, .messenger: return .computer
            case _: break
            }
        }
        for index in domains.indices where name.hasText(of: domains[index].domain.name) {
            switch name.suffix {
            case .workstation, .domainMasterBrowser, .domainControllers, .masterBrowser:
                return .domain(index)
            case _:
                return nil
            }
        }
        return nil
    }

    private func countUnknown(_ name: NetBIOSName, _ counters: inout ResponderCounters) {
        switch name.suffix {
        case .domainMasterBrowser, .domainControllers: counters.otherDomains += 1
        case _: counters.otherNames += 1
        }
    }

    private mutating func browse(
        _ datagram: DataDatagram, _ envelope: MailslotWrite, _ span: Span<UInt8>,
        _ arrival: Arrival, _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) {
        do throws(WireError) {
            var reader = WireReader(span, layer: "browser").part(envelope.data)
            try browser?.receive(
                &reader,
                Browser.Arrival(
                    source: arrival.source, sender: datagram.source,
                    destination: datagram.destination.name.upcased,
                    interface: arrival.interface, now: arrival.now),
                &outbox, &counters)
        } catch {
            counters.malformedMessages += 1
        }
    }

    private struct Request {
        var target: Target
        /// The asking node.
        var from: ScopedName
        var arrival: Arrival

        init(target: Target, from: ScopedName, _ arrival: Arrival) {
            self.target = target
            self.from = from
            self.arrival = arrival
        }
    }
}

// MARK: Requests

extension LogonAnswerer {
    private mutating func answer(
        _ reader: inout WireReader, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) throws(WireError) {
        let place = reader.offset
        let opcode = NetlogonOpcode(rawValue: try reader.uint16LE("Opcode"))
        try reader.seek(place, "Opcode")
        switch opcode {
        case .primaryQuery:
            answer(try PrimaryQuery(parsing: &reader), request, &outbox, &counters)
        case .logonRequest:
            answer(try LogonRequest(parsing: &reader), request, &outbox, &counters)
        case .samLogonRequest:
            answer(try SAMLogonRequest(parsing: &reader), request, &outbox, &counters)
        case .announceChange:
            let change = try AnnounceChange(parsing: &reader)
            if heard.count < Self.mostHeard {
                heard.append((change, request.arrival.source.address))
            }
            counters.changesHeard += 1
        case _:
            _ = try NetlogonMessage(parsing: &reader)
            counters.otherMessages += 1
        }
    }

    private mutating func answer(
        _ query: PrimaryQuery, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        guard let index = domain(request.target, sid: nil),
            let controller = domains[index].controller, controller.standsForPrimary,
            !domains[index].isPaused
        else {
            counters.withoutController += 1
            return
        }
        let address = address(index, controller, request)
        guard let open = open(query.mailslotName, ownName, request, &outbox, &counters) else {
            return
        }
        switch query.sender {
        case .lanManager(let lm20Token):
            PrimaryResponse(
                primaryDCName: domains[index].oemName, .lanManager(lm20Token: lm20Token)
            ).write(into: &outbox.writer)
        case .windowsNT(let nt):
            domains[index].writePrimary(
                nt.trailer.ntVersion, address: address, into: &outbox.writer)
        }
        close(open, request, &outbox)
        counters.primaryQueriesAnswered += 1
    }

    private mutating func answer(
        _ query: LogonRequest, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        guard let index = domain(request.target, sid: nil), domains[index].controller != nil
        else {
            counters.withoutController += 1
            return
        }
        let verdict = verdict(
            index, isEmpty: query.userName.bytes.isEmpty, { query.userName.description }, .normal)
        // LAN Manager 1.0 knows only one answer, and the server by where it comes from.
        let isLM10 = query.lm20Token == nil
        if isLM10 && verdict != .welcome {
            count(verdict, &counters)
            return
        }
        var source = ownName
        if isLM10, let name = domains[index].sourceName { source.name = name }
        guard let open = open(query.mailslotName, source, request, &outbox, &counters) else {
            return
        }
        switch verdict {
        case .welcome where isLM10:
            LogonResponseLM10(userName: query.userName).write(into: &outbox.writer)
        case .welcome:
            LogonResponseLM20(logonServer: domains[index].oemServer).write(into: &outbox.writer)
        case .paused:
            LogonRefusalLM20(.logonPausedLM20).write(into: &outbox.writer)
        case .unknownUser:
            LogonRefusalLM20(.logonUserUnknownLM20).write(into: &outbox.writer)
        }
        close(open, request, &outbox)
        count(verdict, &counters)
        counters.lmLogonsAnswered += 1
    }

    private mutating func answer(
        _ query: SAMLogonRequest, _ request: Request, _ outbox: inout DatagramOutbox,
        _ counters: inout ResponderCounters
    ) {
        guard let index = domain(request.target, sid: query.domainSid),
            let controller = domains[index].controller
        else {
            counters.withoutController += 1
            return
        }
        // A controller that looks for its trust's other end has been seen to send its own SID.
        let isTrust = query.allowableAccountControlBits.contains(.interdomainTrust)
        if let asked = query.domainSid, let known = domains[index].domain.sid, asked != known,
            !isTrust
        {
            counters.otherSIDs += 1
            return
        }
        let verdict = verdict(
            index, isEmpty: query.unicodeUserName.bytes.isEmpty,
            { query.unicodeUserName.description }, query.allowableAccountControlBits)
        guard let open = open(query.mailslotName, ownName, request, &outbox, &counters) else {
            return
        }
        domains[index].writeSAMLogon(
            verdict, user: query.unicodeUserName, query.trailer.ntVersion,
            address: address(index, controller, request), into: &outbox.writer)
        close(open, request, &outbox)
        count(verdict, &counters)
        counters.samLogonsAnswered += 1
    }

    // MARK: Parts

    private func domain(_ target: Target, sid: SID?) -> Int? {
        switch target {
        case .domain(let index): return index
        case .computer:
            if let sid, let index = domains.firstIndex(where: { $0.domain.sid == sid }) {
                return index
            }
            return domains.isEmpty ? nil : 0
        }
    }

    /// The named controller's address: where it is this agent, that of the interface it was asked
    /// over.
    private func address(
        _ index: Int, _ controller: NamedController, _ request: Request
    ) -> IPv4Address {
        domains[index].isFront
            ? configuration.interfaces[request.arrival.interface].address : controller.address
    }

    /// The user's name is decoded only where somebody can tell whether it exists.
    private func verdict(
        _ index: Int, isEmpty: Bool, _ user: () -> String, _ control: AccountControl
    ) -> DomainAnswers.Verdict {
        if domains[index].isPaused { return .paused }
        guard let lookup, !isEmpty else { return .welcome }
        switch lookup(domains[index].domain.name.text, user(), control) {
        case .known, .undecided: return .welcome
        case .unknown: return .unknownUser
        }
    }

    private func count(
        _ verdict: DomainAnswers.Verdict, _ counters: inout ResponderCounters
    ) {
        switch verdict {
        case .welcome: break
        case .paused: counters.pausedAnswers += 1
        case .unknownUser: counters.unknownUserAnswers += 1
        }
    }

    private struct Open {
        var datagram: Int
        var mailslot: MailslotWrite.Open
    }

    /// Begins an answer to `mailslot` of the asking node; nil where that is no mailslot.
    private mutating func open(
        _ mailslot: OEMText, _ source: ScopedName, _ request: Request,
        _ outbox: inout DatagramOutbox, _ counters: inout ResponderCounters
    ) -> Open? {
        let name = mailslot.bytes.span
        if !MailslotName.isMailslot(name) || name.count > MailslotWrite.longestName {
            counters.wrongReplyMailslots += 1
            return nil
        }
        lastDatagramID &+= 1
        let own = Endpoint(
            configuration.interfaces[request.arrival.interface].address,
            configuration.ports.datagram)
        let header = DatagramHeader(
            .directUnique, configuration.nodeType, id: lastDatagramID, source: own)
        let datagram = DataDatagram.begin(
            header, from: source, to: request.from, into: &outbox.writer)
        return Open(
            datagram: datagram, mailslot: MailslotWrite.begin(to: name, into: &outbox.writer))
    }

    private func close(_ open: Open, _ request: Request, _ outbox: inout DatagramOutbox) {
        MailslotWrite.finish(open.mailslot, in: &outbox.writer)
        DataDatagram.finish(open.datagram, in: &outbox.writer)
        outbox.send(
            .datagram, interface: request.arrival.interface, to: request.arrival.source)
    }
}
