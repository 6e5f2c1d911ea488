import NTLM
import NetBIOS
import RPC
import SMB
import Wire

/// A named pipe of an SMB session with a null user, over port 445, or over 139 behind a NetBIOS
/// session.
///
/// An exchange on a pipe is one SMB request with a PDU in it, whose response brings the answer.
/// In SMB1 the first one goes out with the session setup itself, where the peer takes that.
final class PipeCarriage<Session: PipeSession>: Carriage {
    private let pipeName: String
    private let framing: SessionFraming
    /// Both ends' names, which a NetBIOS session begins with.
    private let names: (called: NetBIOSName, calling: NetBIOSName)?
    private var session: Session
    private var pipe: SMBClientPipe?
    private var stream: [UInt8] = []

    /// Bytes of an unfinished SMB message that are kept.
    private static var streamLimit: Int { 2 * 131_072 }

    /// `names` on port 139 alone.
    init(
        _ session: Session, pipe name: String,
        names: (called: NetBIOSName, calling: NetBIOSName)?
    ) {
        self.session = session
        pipeName = name
        self.names = names
        framing = names == nil ? .direct : .netBIOS
    }

    /// A pipe carries one call at a time.
    override var carriesSeveral: Bool { false }

    // MARK: Sending

    override func opened() {
        if let names {
            let noData: [UInt8] = []
            var writer = WireWriter()
            SessionPacket.request(
                called: ScopedName(names.called), calling: ScopedName(names.calling)
            ).write(userData: noData.span, into: &writer, framing)
            emit(writer.finish())
        } else {
            super.opened()
        }
    }

    override func send(_ pdu: [UInt8], isLast: Bool) {
        if let pipe {
            if isLast {
                session.transact(pipe, pdu)
            } else {
                session.write(pipe, pdu)
            }
        } else {
            pipe = session.open(pipeName, exchanging: [pdu])
        }
        flush()
    }

    private func flush() {
        while true {
            var writer = WireWriter()
            writer.zeros(SessionHeader.byteCount)
            guard session.writeMessage(into: &writer) else { return }
            // The header is patched in front: SMB's alignments count from its own start.
            var message = writer.finish()
            var header = WireWriter(capacity: SessionHeader.byteCount)
            SessionHeader(.message, length: message.count - SessionHeader.byteCount)
                .write(into: &header, framing)
            let bytes = header.finish()
            for index in 0..<SessionHeader.byteCount { message[index] = bytes[index] }
            emit(message)
        }
    }

    // MARK: Receiving

    override func received(_ bytes: Span<UInt8>) {
        guard stream.count + bytes.count <= Self.streamLimit else {
            fail(.nonsense("more than \(Self.streamLimit) bytes of one SMB message"))
            return
        }
        for index in 0..<bytes.count { stream.append(bytes[index]) }
        do throws(WireError) {
            while let message = try nextMessage() { try take(message) }
        } catch {
            fail(.nonsense(error.description))
        }
    }

    /// The next whole packet of the stream with its header, or nil while it is not all there.
    private func nextMessage() throws(WireError) -> [UInt8]? {
        guard stream.count >= SessionHeader.byteCount else { return nil }
        let head = Array(stream[0..<SessionHeader.byteCount])
        var reader = WireReader(head.span, layer: "NetBIOS session")
        let header = try SessionHeader(parsing: &reader, framing)
        if header.length > Self.streamLimit {
            throw WireError(
                .limit, layer: "NetBIOS session", field: "LENGTH", offset: 1,
                needed: header.length, available: Self.streamLimit)
        }
        let whole = SessionHeader.byteCount + header.length
        guard stream.count >= whole else { return nil }
        let message = Array(stream[0..<whole])
        stream.removeFirst(whole)
        return message
    }

    private func take(_ message: [UInt8]) throws(WireError) {
        var reader = WireReader(message.span, layer: "NetBIOS session")
        let packet = try SessionPacket(parsing: &reader, framing)
        switch packet {
        case .message(let range):
            try session.receive(Array(message[range]))
            drain()
            flush()
        case .positiveResponse: super.opened()
        case .negativeResponse(let code): fail(.nonsense("NetBIOS session: \(code.description)"))
        case .keepAlive: break
        case .request, .retargetResponse:
            throw WireError(
                .invalid, layer: "NetBIOS session", field: "TYPE", offset: 0,
                needed: Int(message[0]))
        }
    }

    private func drain() {
        while let event = session.nextEvent() {
            switch event {
            case .received(let from, let bytes) where from == pipe:
                super.received(bytes.span)
                // A part of a PDU, or a fragment that is not the last: the rest is to be read.
                if expectsMore { session.read(from) }
            case .failed(let stage, let status):
                fail(.nonsense("\(Self.name(of: stage)): \(status.name)"))
            case .pipeFailed(let which, let status) where which == pipe:
                fail(
                    status == .pipeDisconnected || status == .invalidHandle
                        ? .closed : .nonsense("pipe \(pipeName): \(status.name)"))
            case .ended: fail(.closed)
            case .negotiated, .established, .opened, .written, .closed, .received, .pipeFailed,
                .administered, .administrationRefused:
                break
            }
        }
    }

    private static func name(of stage: SMBSessionStage) -> String {
        switch stage {
        case .negotiate: "SMB negotiate"
        case .sessionSetup: "SMB session setup"
        case .treeConnect: "SMB tree connect"
        }
    }
}

extension SMB2.ClientSession.Configuration {
    /// A null session with the server at `address`. It has no key, so nothing in it is signed or
    /// enciphered: the channel's own seal protects what the pipe carries.
    package static func ofNobody(
        at address: IPv4Address, computer: String, random: (Int) -> [UInt8]
    ) -> SMB2.ClientSession.Configuration {
        let flags: NTLM.NegotiateFlags = [
            .unicode, .requestTarget, .ntlm, .extendedSessionSecurity, .targetInfo, .encrypt128,
            .encrypt56,
        ]
        let handshake = ClientHandshake(account: nil, workstation: computer, flags: flags)
        let numbers = (guid: Bytes16(random(16)), salt: Bytes16(random(16)))
        // Who names no account answers the challenge with nothing that could be repeated.
        let nonces = ClientHandshake.Nonces(
            clientChallenge: Bytes8(), sessionKey: Bytes16(), now: 0)
        var steps = 0
        return SMB2.ClientSession.Configuration(
            server: address.description, clientGUID: numbers.guid, salt: numbers.salt,
            dialects: unsigned
        ) { token in
            steps += 1
            switch steps {
            case 1: return SMB2.ClientSession.SecurityStep(token: handshake.negotiate)
            case 2:
                do throws(WireError) {
                    let answer = try handshake.authenticate(challenge: token, nonces)
                    return SMB2.ClientSession.SecurityStep(token: answer.message)
                } catch {
                    return nil
                }
            case _: return nil
            }
        }
    }
}
