import NetBIOS
import RPC
import SMB
import SecureChannel
import Wire

/// A server that a session is made with.
package struct SMBTarget: Equatable {
    package var address: IPv4Address
    /// Its NetBIOS name, which the session service of port 139 wants.
    package var name: String

    package init(_ address: IPv4Address, name: String) {
        self.address = address
        self.name = name
    }

    /// The same for a channel, to which a name that nobody has is none.
    package var controller: ControllerAddress {
        ControllerAddress(address: address, name: name.hasPrefix("*") ? "" : name)
    }
}

/// One SMB session of a dialogue: TCP, the NetBIOS session, negotiation, session setup, the tree
/// `IPC$`; then calls on its pipes, and a clean end. SMB1, or where the dialogue says so SMB2.
package final class SMBSession<Link: Exchange> {
    /// Whether there is a session, or which of its parts was refused.
    package enum Outcome: Equatable {
        case established(isGuest: Bool)
        case refused(SMBSessionStage, NTStatus)
    }

    private var sessionPort: UInt16 { 139 &+ dialogue.portOffset }
    private var directPort: UInt16 { 445 &+ dialogue.portOffset }
    /// Bytes of an unfinished message that are kept.
    private static var streamLimit: Int { 2 * 131_072 }

    let dialogue: Dialogue<Link>
    package let target: SMBTarget
    private var connection: Dialogue<Link>.Connection?
    private var framing = SessionFraming.netBIOS
    var session: SessionCore
    private var buffer: [UInt8] = []
    private var isEstablished = false
    private let holder: SessionKeyHolder

    /// Connects; what the session is like is settled by `establish`.
    private init(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, _ session: SessionCore,
        _ holder: SessionKeyHolder
    ) throws(FlowError) {
        self.dialogue = dialogue
        self.target = target
        self.holder = holder
        self.session = session
        try connect()
    }

    private static func oldCore(
        _ credentials: SMB1.ClientSession.Credentials, _ way: LogonWay
    ) -> SessionCore {
        var configuration = SMB1.ClientSession.Configuration()
        configuration.credentials = credentials
        configuration.sendsAhead = true
        // Every server takes an unsigned null session: it has no key to sign with.
        configuration.prefersSigning = way != .anonymous
        return .smb1(SMB1.ClientSession(configuration))
    }

    /// SMB2 knows no way of logging on but NTLMSSP's. With a key, no version is offered in which
    /// it would be signed otherwise.
    private static func newCore(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, as identity: SessionIdentity,
        _ holder: SessionKeyHolder
    ) -> SessionCore {
        let link = dialogue.link
        var configuration = SMB2.ClientSession.Configuration.ofNobody(
            at: target.address, computer: dialogue.computer, random: { link.random($0) })
        if case .account(let account) = identity {
            configuration.dialects = SMB2.ClientSession.Configuration.signed
            configuration.authenticate = account.newSteps(
                LogonNonces(link), workstation: dialogue.computer, holder)
        }
        return .smb2(SMB2.ClientSession(configuration))
    }

    /// A session as `identity`, not yet asked for: what is asked of it before `establish`, such as
    /// the opening of a pipe, goes out with the session setup where the server takes that.
    package static func begin(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, as identity: SessionIdentity
    ) throws(FlowError) -> SMBSession {
        if dialogue.speaksSMB2 {
            let holder = SessionKeyHolder()
            let core = newCore(dialogue, target, as: identity, holder)
            return try SMBSession(dialogue, target, core, holder)
        }
        switch identity {
        case .anonymous:
            let core = oldCore(.anonymous, .anonymous)
            return try SMBSession(dialogue, target, core, SessionKeyHolder())
        case .account(let account):
            return try begin(
                dialogue, target, as: account, account.beginsPlain ? .responses : .extended)
        }
    }

    /// A session as `account` for a server without extended security.
    package static func beginPlain(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, as account: SessionAccount
    ) throws(FlowError) -> SMBSession {
        try begin(dialogue, target, as: account, .responses)
    }

    private static func begin(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, as account: SessionAccount,
        _ way: LogonWay
    ) throws(FlowError) -> SMBSession {
        let holder = SessionKeyHolder()
        let credentials = account.credentials(
            way, LogonNonces(dialogue.link), workstation: dialogue.computer, holder)
        return try SMBSession(dialogue, target, oldCore(credentials, way), holder)
    }

    /// Nil before the session is set up, and in one of nobody.
    var sessionKey: Bytes16? { holder.key }

    /// A session that stands, or why it does not. A server of SMB1 without extended security is
    /// asked a second time, in the way that it knows.
    package static func open(
        _ dialogue: Dialogue<Link>, _ target: SMBTarget, as identity: SessionIdentity
    ) throws(FlowError) -> (session: SMBSession, outcome: Outcome) {
        let first = try begin(dialogue, target, as: identity)
        let outcome = try first.establish()
        guard outcome == .refused(.sessionSetup, .notSupported),
            case .account(let account) = identity, !account.beginsPlain, !dialogue.speaksSMB2
        else { return (first, outcome) }
        first.abandon()
        let second = try beginPlain(dialogue, target, as: account)
        return (second, try second.establish())
    }

    // MARK: The connection

    /// Port 139 behind a NetBIOS session, as the documented flows do it; 445 where there is none.
    private func connect() throws(FlowError) {
        if !dialogue.speaksSMB2, let called = NetBIOSName(target.name, .server) {
            do throws(FlowError) {
                connection = try dialogue.connect(
                    to: Endpoint(target.address, sessionPort))
                framing = .netBIOS
                try openSession(called)
                return
            } catch {
                abandon()
                if !error.isUnavailable { throw error }
            }
        }
        connection = try dialogue.connect(to: Endpoint(target.address, directPort))
        framing = .direct
    }

    private func openSession(_ called: NetBIOSName) throws(FlowError) {
        guard let calling = NetBIOSName(dialogue.computer, .workstation) else {
            throw dialogue.contradicted("\(dialogue.computer) is no NetBIOS name")
        }
        let nothing: [UInt8] = []
        var writer = WireWriter(capacity: 80)
        SessionPacket.request(called: ScopedName(called), calling: ScopedName(calling))
            .write(userData: nothing.span, into: &writer, framing)
        try send(writer.finish())
        let deadline = dialogue.link.now + dialogue.patience.answer
        let packet = try nextPacket(deadline)
        switch packet.kind {
        case .positiveResponse: return
        case .negativeResponse(let code):
            throw dialogue.contradicted(
                "\(target.name): the NetBIOS session is refused: \(code.description)")
        case .message, .request, .retargetResponse, .keepAlive:
            throw dialogue.contradicted("\(target.name) answers a session request with nonsense")
        }
    }

    private func send(_ bytes: [UInt8]) throws(FlowError) {
        guard let connection else { throw dialogue.unavailable(.ended, target.name) }
        try dialogue.send(bytes, on: connection)
    }

    /// Ends the connection as it is.
    package func abandon() {
        if let connection { dialogue.close(connection) }
        connection = nil
        buffer = []
    }

    private struct Packet {
        var kind: SessionPacket
        var message: [UInt8]
    }

    /// The next packet of the session service.
    private func nextPacket(_ deadline: UInt64) throws(FlowError) -> Packet {
        while true {
            if let packet = try takePacket() { return packet }
            guard let connection else { throw dialogue.unavailable(.ended, target.name) }
            let bytes = try dialogue.receive(on: connection, deadline: deadline)
            if bytes.isEmpty { throw dialogue.unavailable(.ended, target.name) }
            buffer += bytes
        }
    }

    private func takePacket() throws(FlowError) -> Packet? {
        guard buffer.count >= SessionHeader.byteCount else { return nil }
        do throws(WireError) {
            var reader = WireReader(buffer.span, layer: "NetBIOS session")
            let header = try SessionHeader(parsing: &reader, framing)
            let whole = SessionHeader.byteCount + header.length
            if whole > Self.streamLimit {
                throw WireError(
                    .limit, layer: "NetBIOS session", field: "LENGTH", offset: 1,
                    needed: whole, available: Self.streamLimit)
            }
            if buffer.count < whole { return nil }
            let bytes = Array(buffer[..<whole])
            buffer.removeFirst(whole)
            var packet = WireReader(bytes.span, layer: "NetBIOS session")
            let kind = try SessionPacket(parsing: &packet, framing)
            var message: [UInt8] = []
            if case .message(let range) = kind { message = packet.copy(range) }
            return Packet(kind: kind, message: message)
        } catch {
            throw dialogue.malformed(error)
        }
    }

    // MARK: The session

    /// Negotiates and sets the session up, with all that was asked of it so far.
    package func establish() throws(FlowError) -> Outcome {
        let deadline = dialogue.link.now + dialogue.patience.answer
        while true {
            switch try next(deadline) {
            case .established(let isGuest):
                isEstablished = true
                return .established(isGuest: isGuest)
            case .failed(let stage, let status): return .refused(stage, status)
            case .negotiated: continue
            case .opened, .received, .written, .closed, .pipeFailed, .administered,
                .administrationRefused, .ended:
                throw dialogue.contradicted("\(target.name) answers out of order")
            }
        }
    }

    /// The session's next event; sends what is to be sent and waits for what brings one. A
    /// connection that failed is given up: nobody says good-bye to it.
    func next(_ deadline: UInt64) throws(FlowError) -> SMBSessionEvent {
        do throws(FlowError) {
            return try awaitEvent(deadline)
        } catch {
            abandon()
            throw error
        }
    }

    private func awaitEvent(
        _ deadline: UInt64
    ) throws(FlowError) -> SMBSessionEvent {
        while true {
            if let event = session.nextEvent() { return event }
            try flush()
            // A logon that this server has no way for ends before it is sent.
            if let event = session.nextEvent() { return event }
            if !session.isWaiting {
                throw dialogue.contradicted("\(target.name): the session has come to its end")
            }
            let packet = try nextPacket(deadline)
            guard case .message = packet.kind else { continue }
            do throws(WireError) {
                try session.receive(packet.message)
            } catch {
                throw dialogue.malformed(error)
            }
        }
    }

    /// Sends all messages that may go, in one segment where they fit.
    private func flush() throws(FlowError) {
        var out = WireWriter(capacity: 512)
        while true {
            var writer = WireWriter(capacity: 512)
            guard session.writeMessage(into: &writer) else { break }
            SessionHeader(.message, length: writer.count).write(into: &out, framing)
            out.append(writer.finish())
        }
        if out.count > 0 { try send(out.finish()) }
    }

    /// A call of the remote administration protocol. Nil where the server carries none out.
    package func administer(
        _ parameters: [UInt8], maxDataCount: UInt16
    ) throws(FlowError) -> (parameters: [UInt8], data: [UInt8]) {
        guard case .smb1(var old) = session else {
            throw dialogue.unavailable("\(target.name): SMB2 has no remote administration protocol")
        }
        old.administer(parameters, maxDataCount: maxDataCount)
        session = .smb1(old)
        let deadline = dialogue.link.now + dialogue.patience.answer
        while true {
            switch try next(deadline) {
            case .administered(let parameters, let data): return (parameters, data)
            case .administrationRefused(let status): throw dialogue.refused(status)
            case .failed(let stage, let status): throw failure(stage, status)
            case .established: isEstablished = true
            case .negotiated, .opened, .received, .written, .closed, .pipeFailed, .ended:
                continue
            }
        }
    }

    /// Disconnects the tree, logs off, ends the connection. What the server says to that matters
    /// to nobody.
    package func end() {
        defer { abandon() }
        if !isEstablished || connection == nil { return }
        session.disconnect()
        let deadline = dialogue.link.now + dialogue.patience.answer
        do throws(FlowError) {
            while try next(deadline) != .ended {}
        } catch {
            return
        }
    }

    /// Why there is no session.
    func failure(_ stage: SMBSessionStage, _ status: NTStatus) -> FlowError {
        switch stage {
        case .negotiate:
            dialogue.unavailable(
                "\(target.name) refuses \(dialogue.speaksSMB2 ? "SMB2" : "SMB1"): \(status.name)")
        case .sessionSetup, .treeConnect: dialogue.refused(status)
        }
    }

    /// Told by who waits for something else when the session is up.
    func noteEstablished() { isEstablished = true }
}
