import Loop
import Mailslot
import NetBIOS
import Wire

/// A legacy client of the demonstration: asks by mailslot, and hears the answer on its own socket.
final class DemoClient {
    /// What was seen at the client's socket.
    struct Answer {
        var message: NetlogonMessage
        /// Ethernet bytes of the question and of the answer.
        var bytes: Int
        var microseconds: UInt64
    }

    /// What UDP, IP and Ethernet put in front of a datagram.
    private static let overhead = 8 + 20 + 14

    private let loop: EventLoop
    private let name: String
    private let agent: Endpoint
    private var socket: UDPSocket!
    private var asked: (at: UInt64, bytes: Int, done: (Answer?) -> Void)?
    private var timer: Timer!
    private var lastID: UInt16 = 0

    /// Milliseconds; everything is on this machine.
    private static let patience: UInt64 = 2_000

    init(
        _ loop: EventLoop, name: String, address: IPv4Address, agent: Endpoint
    ) throws(SystemError) {
        self.loop = loop
        self.name = name
        self.agent = agent
        socket = try UDPSocket(loop, bind: Endpoint(address, 0)) { [self] bytes, _ in
            received(bytes)
        }
        timer = Timer(loop) { [self] in finish(nil) }
    }

    func close() {
        socket.close()
        timer.close()
    }

    /// LOGON_PRIMARY_QUERY for `domain`, of a Windows NT client.
    func askForPrimary(of domain: String, done: @escaping (Answer?) -> Void) {
        ask(domain, .domainMasterBrowser, .netlogon, done) { writer in
            PrimaryQuery(
                computerName: OEMText(name), mailslotName: OEMText("\\MAILSLOT\\NET\\GETDC042"),
                .windowsNT(PrimaryQuery.NT(UnicodeText(name), [.v1]))
            ).write(into: &writer)
        }
    }

    /// SAM LOGON for a user of `domain`.
    func askForLogonServer(
        of domain: String, user: String, done: @escaping (Answer?) -> Void
    ) {
        ask(domain, .domainControllers, .ntlogon, done) { writer in
            SAMLogonRequest(
                unicodeComputerName: UnicodeText(name), unicodeUserName: UnicodeText(user),
                mailslotName: OEMText("\\MAILSLOT\\NET\\GETDC043"),
                allowableAccountControlBits: .normal, domainSid: nil, ntVersion: [.v1]
            ).write(into: &writer)
        }
    }

    private func ask(
        _ domain: String, _ suffix: NetBIOSSuffix, _ mailslot: MailslotName,
        _ done: @escaping (Answer?) -> Void, body: (inout WireWriter) -> Void
    ) {
        guard let source = NetBIOSName(name, .workstation),
            let destination = NetBIOSName(domain, suffix)
        else { return done(nil) }
        var writer = WireWriter(capacity: 384)
        let type: DatagramType = suffix == .domainControllers ? .directGroup : .directUnique
        let header = DatagramHeader(type, .broadcast, id: nextID(), source: socket.local)
        let length = DataDatagram.begin(
            header, from: ScopedName(source), to: ScopedName(destination), into: &writer)
        let open = MailslotWrite.begin(to: mailslot.bytes.span, into: &writer)
        body(&writer)
        MailslotWrite.finish(open, in: &writer)
        DataDatagram.finish(length, in: &writer)
        let bytes = writer.finish()
        asked = (loop.microseconds, bytes.count + Self.overhead, done)
        timer.arm(after: Self.patience)
        if socket.send(bytes, to: agent) != nil { finish(nil) }
    }

    /// An agent passes over a datagram whose number it has just seen.
    private func nextID() -> UInt16 {
        lastID += 1
        return lastID
    }

    private func received(_ bytes: Span<UInt8>) {
        guard let asked else { return }
        var reader = WireReader(bytes, layer: "demo")
        do throws(WireError) {
            let datagram = try DataDatagram(parsing: &reader)
            var inner = reader.part(datagram.userData)
            let write = try MailslotWrite(parsing: &inner)
            var body = inner.part(write.data)
            let message = try NetlogonMessage(parsing: &body)
            finish(
                Answer(
                    message: message, bytes: asked.bytes + bytes.count + Self.overhead,
                    microseconds: loop.microseconds - asked.at))
        } catch {
            finish(nil)
        }
    }

    private func finish(_ answer: Answer?) {
        guard let waiting = asked else { return }
        asked = nil
        timer.arm(at: nil)
        waiting.done(answer)
    }
}
