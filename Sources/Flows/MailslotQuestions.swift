import Mailslot
import NetBIOS
import Wire

/// Whom a mailslot message goes to: a name, and the addresses at which it is.
struct MailslotDestination {
    var name: NetBIOSName
    var endpoints: [Endpoint]
    var isGroup: Bool
    var isBroadcast: Bool
}

/// One mailslot message that came.
struct MailslotArrival {
    let bytes: [UInt8]
    let data: Range<Int>
    let mailslot: [UInt8]
    let source: IPv4Address
}

/// The datagram side of a dialogue: mailslot messages and their answers.
package final class MailslotDesk<Link: Exchange> {
    private var datagramPort: UInt16 { 138 &+ dialogue.portOffset }

    private let dialogue: Dialogue<Link>
    private let socket: Link.Port
    private let source: NetBIOSName

    /// A controller of old answers to port 138 of who asked, which is ours while no agent runs
    /// here; all others answer to the port that the question came from.
    package init(_ dialogue: Dialogue<Link>) throws(FlowError) {
        self.dialogue = dialogue
        socket = try dialogue.port(preferring: 138 &+ dialogue.portOffset)
        guard let name = NetBIOSName(dialogue.computer, .workstation) else {
            throw dialogue.contradicted("\(dialogue.computer) is no NetBIOS name")
        }
        source = name
    }

    // MARK: GETDC

    /// Asks the node at `address` for the primary controller of `domain` (MS-ADTS 6.3.1.4), and
    /// gives its computer name.
    package func primaryController(
        of domain: NetBIOSName, at address: IPv4Address
    ) throws(FlowError) -> String {
        let slot = answerSlot("GETDC")
        var body = WireWriter(capacity: 128)
        PrimaryQuery(
            computerName: OEMText(dialogue.computer), mailslotName: OEMText(slot),
            .windowsNT(PrimaryQuery.NT(UnicodeText(dialogue.computer), [.v1]))
        ).write(into: &body)
        let destination = MailslotDestination(
            name: domain.with(.domainMasterBrowser),
            endpoints: [Endpoint(address, datagramPort)], isGroup: false,
            isBroadcast: false)
        let found = try ask(.netlogon, body.finish(), destination) {
            arrival -> (name: String, domain: String?)? in
            guard arrival.source == address, Self.matches(arrival.mailslot, slot),
                case .primaryResponse(let answer) = Self.netlogon(arrival)
            else { return nil }
            switch answer.reader {
            case .lanManager: return (answer.primaryDCName.description, nil)
            case .windowsNT(let nt):
                return (
                    nt.unicodePrimaryDCName.description, nt.unicodeDomainName.description
                )
            }
        }
        guard let found else {
            throw dialogue.unavailable("\(address.description) does not answer GETDC")
        }
        if let named = found.domain, NetBIOSName(named, .workstation)?.upcased
            != domain.with(.workstation).upcased
        {
            throw dialogue.contradicted(
                "\(address.description) is a controller of \(named), not of \(domain.text)")
        }
        return found.name
    }

    // MARK: SAM LOGON

    package struct LogonServer: Equatable {
        package var name: String
        package var address: IPv4Address
        package var isPaused: Bool
    }

    package struct LogonAnswers {
        package var servers: [LogonServer] = []
        /// Controllers that do not know the account.
        package var unknowing: [String] = []
    }

    /// Looks for a controller of `domain` that knows our trust's account (flow F2, step 10): asks
    /// everyone on our networks and each of the domain's controllers.
    package func logonServers(
        of domain: NetBIOSName, account: String, sid: SID?, networks: [IPv4Network],
        controllers: [IPv4Address]
    ) throws(FlowError) -> LogonAnswers {
        let slot = MailslotName.ntlogon.text
        var body = WireWriter(capacity: 160)
        SAMLogonRequest(
            unicodeComputerName: UnicodeText(dialogue.computer),
            unicodeUserName: UnicodeText(account), mailslotName: OEMText(slot),
            allowableAccountControlBits: .interdomainTrust, domainSid: sid, ntVersion: [.v1]
        ).write(into: &body)
        let message = body.finish()
        let name = domain.with(.domainControllers)
        var destinations: [MailslotDestination] = []
        let broadcasts = networks.filter { $0.prefixLength < 31 }
            .map { Endpoint($0.broadcast, datagramPort) }
        if !broadcasts.isEmpty {
            destinations.append(
                MailslotDestination(
                    name: name, endpoints: broadcasts, isGroup: true, isBroadcast: true))
        }
        for address in controllers.prefix(Self.controllerLimit) {
            destinations.append(
                MailslotDestination(
                    name: name, endpoints: [Endpoint(address, datagramPort)],
                    isGroup: true, isBroadcast: false))
        }
        return try gather(message, destinations, account, domain)
    }

    /// The group of a domain's controllers has at most this many members (MS-NBTE).
    private static var controllerLimit: Int { 25 }
    private static var answerLimit: Int { 64 }

    private func gather(
        _ message: [UInt8], _ destinations: [MailslotDestination], _ account: String,
        _ domain: NetBIOSName
    ) throws(FlowError) -> LogonAnswers {
        var answers = LogonAnswers()
        var count = 0
        // One answer is expected from each controller that was asked by itself, and one more from
        // whoever heard the broadcast.
        var expected = 0
        for destination in destinations { expected += destination.endpoints.count }
        for _ in 0..<dialogue.patience.tries {
            for destination in destinations { try send(.ntlogon, message, destination) }
            var deadline = dialogue.link.now + dialogue.patience.repetition
            while count < min(expected, Self.answerLimit), let arrival = try next(deadline) {
                guard case .samLogonResponse(let answer) = Self.netlogon(arrival),
                    answer.unicodeUserName.description.uppercased() == account.uppercased()
                else { continue }
                if answer.opcode != .samUserUnknown,
                    NetBIOSName(answer.unicodeDomainName.description, .workstation)?.upcased
                        != domain.with(.workstation).upcased
                {
                    throw dialogue.contradicted(
                        "\(arrival.source.description) answers for domain "
                            + answer.unicodeDomainName.description)
                }
                count += 1
                take(answer, arrival.source, into: &answers)
                deadline = min(deadline, dialogue.link.now + dialogue.patience.gathering)
            }
            if count > 0 { return answers }
        }
        return answers
    }

    private func take(
        _ answer: SAMLogonResponse, _ address: IPv4Address, into answers: inout LogonAnswers
    ) {
        var name = answer.unicodeLogonServer.description
        while name.utf8.first == UInt8(ascii: "\\") { name.removeFirst() }
        if answer.opcode == .samUserUnknown {
            if !answers.unknowing.contains(name) { answers.unknowing.append(name) }
            return
        }
        let server = LogonServer(
            name: name, address: address, isPaused: answer.opcode == .samPauseResponse)
        if !answers.servers.contains(server) { answers.servers.append(server) }
    }

    // MARK: GetBackupList

    /// Names of the domain's backup browsers (MS-BRWS 3.3.5.5), as the node at `address` tells
    /// them: the domain's master browser, which its primary controller is. Nil where it does not
    /// answer.
    package func backupBrowsers(
        of domain: NetBIOSName, at address: IPv4Address, wanted: UInt8 = 4
    ) throws(FlowError) -> [String]? {
        let nonce = dialogue.link.random(4)
        var token: UInt32 = 0
        for byte in nonce { token = token << 8 | UInt32(byte) }
        var body = WireWriter(capacity: 8)
        BrowserMessage.backupListRequest(requestedCount: wanted, token: token)
            .write(from: nonce.span, into: &body)
        let destination = MailslotDestination(
            name: domain.with(.domainMasterBrowser),
            endpoints: [Endpoint(address, datagramPort)], isGroup: false,
            isBroadcast: false)
        return try ask(.browse, body.finish(), destination) { arrival -> [String]? in
            guard arrival.source == address else { return nil }
            var reader = WireReader(arrival.bytes.span, layer: "BROWSE").part(arrival.data)
            do throws(WireError) {
                guard case .backupListResponse(let list) = try BrowserMessage(parsing: &reader),
                    list.token == token
                else { return nil }
                return list.backupServerList.prefix(Int(wanted)).map { $0.description }
            } catch {
                return nil
            }
        }
    }

    // MARK: Asking

    /// A mailslot of ours that nobody answered to before, as Windows NT names them.
    private func answerSlot(_ kind: String) -> String {
        "\\MAILSLOT\\NET\\" + kind + Hex.string(dialogue.link.random(2)).uppercased()
    }

    /// Sends a message until `match` takes an answer; nil where none does.
    private func ask<Answer>(
        _ slot: MailslotName, _ message: [UInt8], _ destination: MailslotDestination,
        match: (MailslotArrival) -> Answer?
    ) throws(FlowError) -> Answer? {
        for _ in 0..<dialogue.patience.tries {
            try send(slot, message, destination)
            let deadline = dialogue.link.now + dialogue.patience.repetition
            while let arrival = try next(deadline) {
                if let answer = match(arrival) { return answer }
            }
        }
        return nil
    }

    private func send(
        _ slot: MailslotName, _ message: [UInt8], _ destination: MailslotDestination
    ) throws(FlowError) {
        for endpoint in destination.endpoints {
            let nonce = dialogue.link.random(2)
            let local = dialogue.link.local(of: socket, towards: endpoint.address)
            let type: DatagramType = destination.isGroup ? .directGroup : .directUnique
            var writer = WireWriter(capacity: 512)
            let length = DataDatagram.begin(
                DatagramHeader(
                    type, destination.isBroadcast ? .broadcast : .hybrid,
                    id: UInt16(nonce[0]) << 8 | UInt16(nonce[1]), source: local),
                from: ScopedName(source), to: ScopedName(destination.name), into: &writer)
            let envelope = MailslotWrite.begin(to: slot.bytes.span, into: &writer)
            writer.append(message)
            MailslotWrite.finish(envelope, in: &writer)
            DataDatagram.finish(length, in: &writer)
            try dialogue.send(writer.finish(), to: endpoint, from: socket)
        }
    }

    /// The next mailslot message that comes; nil at the deadline. What is none is passed over.
    private func next(_ deadline: UInt64) throws(FlowError) -> MailslotArrival? {
        while let (bytes, source) = try dialogue.receive(on: socket, deadline: deadline) {
            var reader = WireReader(bytes.span, layer: "mailslot")
            do throws(WireError) {
                let datagram = try DataDatagram(parsing: &reader)
                var body = reader.part(datagram.userData)
                let write = try MailslotWrite(parsing: &body)
                return MailslotArrival(
                    bytes: bytes, data: write.data, mailslot: reader.copy(write.name),
                    source: source.address)
            } catch {
                continue
            }
        }
        return nil
    }

    private static func netlogon(_ arrival: MailslotArrival) -> NetlogonMessage? {
        var reader = WireReader(arrival.bytes.span, layer: "NETLOGON").part(arrival.data)
        do throws(WireError) {
            return try NetlogonMessage(parsing: &reader)
        } catch {
            return nil
        }
    }

    private static func matches(_ name: [UInt8], _ slot: String) -> Bool {
        String(decoding: name, as: UTF8.self).uppercased() == slot.uppercased()
    }
}
