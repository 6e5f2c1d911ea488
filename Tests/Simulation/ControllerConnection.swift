import Crypto
import Interfaces
import RPC
import SMB
import SecureChannel
import Wire

/// The controller's end of one connection: what RPC's server does (C706 12, MS-RPCE 3.3).
final class ControllerConnection {
    let controller: SimulatedController
    let port: UInt16
    private let wire: SimulatedConnection
    /// On port 445, where the PDUs go over pipes.
    private var smb: SMB2Server?
    private var smbBuffer: [UInt8] = []
    private var isOpen = true
    private var isLeft = false
    private var buffer: [UInt8] = []
    /// PDUs that arrived and were not looked at.
    private var unread: [[UInt8]] = []
    private var isWorking = false
    private var seal: NetlogonSeal?
    private var context = SecurityContext(.netlogon, .privacy, id: 0)
    /// What the next sealed PDU has for a number.
    private var sequence: UInt64 = 0
    private var sealIsBroken = false
    private var clientFragment = 4_280
    private var stub: [UInt8] = []
    /// The computer that this connection is secured for, and with which of its keys.
    private(set) var computer = ""
    private(set) var generation = 0
    private(set) var challenges: (client: Bytes8, server: Bytes8)?

    /// A call, with what its answer needs.
    struct Call {
        var header: PDUHeader
        var contextID: UInt16
        var opnum: UInt16
        var stub: [UInt8]
        var isSealed: Bool
    }

    init(_ controller: SimulatedController, port: UInt16, _ wire: SimulatedConnection) {
        self.controller = controller
        self.port = port
        self.wire = wire
        if port == SimulatedController.pipePort {
            smb = SMB2Server()
            smb?.refusals = controller.smbRefusals
        }
        controller.took(self)
    }

    func received(_ bytes: [UInt8]) {
        guard isOpen else { return }
        do {
            buffer += smb == nil ? bytes : try unwrapped(bytes)
            while let length = try FragmentCutter.length(buffer.span) {
                unread.append(Array(buffer[..<length]))
                buffer.removeFirst(length)
                if buffer.isEmpty { break }
            }
        } catch {
            end()
        }
        work()
    }

    /// The client is gone. What it sent before is looked at all the same, as an operating system
    /// hands it on; nobody hears the answers.
    func clientClosed() {
        isLeft = true
        leaveIfDone()
    }

    private func leaveIfDone() {
        guard isLeft, isOpen, unread.isEmpty else { return }
        isOpen = false
        controller.lost(self)
    }

    /// Ends the connection as an operating system does when its program closes it.
    func end() {
        guard isOpen else { return }
        isOpen = false
        wire.serverCloses(unread.isEmpty ? .closed : .reset)
        controller.lost(self)
    }

    /// Looks at the next PDU, in the time that it takes.
    func work() {
        guard isOpen, !isWorking, !controller.isHung, let next = unread.first else { return }
        let time = Self.isLogon(next) ? controller.logonTime : 0
        if time == 0 {
            handleNext()
            return
        }
        isWorking = true
        controller.clock.after(time) { [self] in
            isWorking = false
            if !controller.isHung { handleNext() }
        }
    }

    private static func isLogon(_ pdu: [UInt8]) -> Bool {
        guard pdu.count > 24, pdu[2] == PDUType.request.rawValue else { return false }
        let opnum = UInt16(pdu[22]) | UInt16(pdu[23]) << 8
        return opnum == NetrLogonSamLogonEx.opnum || opnum == NetrLogonSamLogon.opnum
    }

    private func handleNext() {
        guard isOpen, let pdu = unread.first else { return }
        // What is to be reset stays unread.
        if Self.isLogon(pdu), controller.faults.first == .reset {
            _ = controller.nextFault()
            end()
            return
        }
        unread.removeFirst()
        do {
            try handle(pdu)
        } catch {
            end()
        }
        leaveIfDone()
        work()
    }

    private func handle(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        switch fragment.header.type {
        case .bind, .alterContext: try bind(fragment, bytes)
        case .request: try request(fragment, bytes)
        case _: throw reader.invalid("PTYPE", Int(fragment.header.type.rawValue))
        }
    }

    // MARK: Binding

    private func bind(_ fragment: Fragment, _ bytes: [UInt8]) throws(WireError) {
        var body = WireReader(bytes.span, layer: "RPC").part(fragment.body)
        let asked = try BindPDU(parsing: &body)
        clientFragment = Int(asked.maximumReceiveFragment)
        var token: [UInt8]?
        if let auth = fragment.auth {
            var part = WireReader(bytes.span, layer: "NL_AUTH_MESSAGE").part(auth.token)
            let message = try NLAuthMessage(parsing: &part)
            computer = String(decoding: message.netbiosComputer ?? [], as: UTF8.self)
            guard let session = controller.sessions[computer] else {
                refuseBind(fragment)
                return
            }
            context = auth.context
            generation = session.generation
            seal = NetlogonSeal(key: session.key, isClient: false)
            sequence = 0
            var writer = WireWriter()
            NLAuthMessage(kind: .response).write(into: &writer)
            token = writer.finish()
        }
        let isBind = fragment.header.type == .bind
        var flags = PDUFlags.single
        if controller.grantsMultiplexing { flags.insert(.concurrentMultiplexing) }
        let ack = BindAckPDU(
            maximumTransmitFragment: 5_840, maximumReceiveFragment: 5_840, associationGroup: 1,
            secondaryAddress: isBind ? Array(String(port).utf8) : [],
            results: asked.contexts.map { _ in .accepted(.ndr) })
        let header = PDUHeader(
            isBind ? .bindAck : .alterContextResponse, flags, callID: fragment.header.callID)
        var writer = WireWriter()
        if let token {
            ack.write(into: &writer, header: header, security: context, token: token)
        } else {
            ack.write(into: &writer, header: header)
        }
        deliver(writer.finish())
    }

    private func refuseBind(_ fragment: Fragment) {
        guard fragment.header.type == .bind else {
            fault(.accessDenied, fragment.header, contextID: 0)
            return
        }
        var writer = WireWriter()
        BindNakPDU(.notSpecified).write(
            into: &writer, header: PDUHeader(.bindNak, callID: fragment.header.callID))
        deliver(writer.finish())
    }

    // MARK: Requests

    private func request(_ fragment: Fragment, _ bytes: [UInt8]) throws(WireError) {
        var body = WireReader(bytes.span, layer: "RPC").part(fragment.body)
        let request = try RequestPDU(parsing: &body, flags: fragment.header.flags)
        let part = body.takeRest()
        var pdu = bytes
        if let auth = fragment.auth {
            guard opens(&pdu, part.lowerBound..<auth.trailer.lowerBound, auth.token) else {
                // What follows was sealed for a connection on which this was read.
                sealIsBroken = true
                stub = []
                fault(.secPkgError, fragment.header, contextID: request.contextID)
                return
            }
        }
        stub += pdu[part]
        guard fragment.isLast else { return }
        let call = Call(
            header: fragment.header, contextID: request.contextID, opnum: request.opnum,
            stub: stub, isSealed: fragment.auth != nil)
        stub = []
        try carryOut(call)
    }

    private func opens(
        _ pdu: inout [UInt8], _ covered: Range<Int>, _ token: Range<Int>
    ) -> Bool {
        guard !sealIsBroken, let seal else { return false }
        do {
            try seal.unseal(
                &pdu, body: covered, covered: covered, token: token, sequence: sequence)
        } catch {
            return false
        }
        sequence += 1
        return true
    }

    func noteChallenges(client: Bytes8, server: Bytes8) { challenges = (client, server) }
    func forgetChallenges() { challenges = nil }

    // MARK: Answers

    func answer(_ call: Call, _ response: some NDRMessage) {
        var writer = WireWriter()
        response.write(into: &writer)
        answer(call, stub: writer.finish())
    }

    /// `wrongToken`: one bit of each token is another.
    func answer(_ call: Call, stub: [UInt8], wrongToken: Bool = false) {
        let sealing = call.isSealed ? seal : nil
        var fragmenter = Fragmenter(
            .response(contextID: call.contextID), callID: call.header.callID,
            maximumFragment: clientFragment, security: sealing == nil ? nil : context,
            tokenLength: sealing?.tokenLength ?? 0)
        while true {
            var writer = WireWriter()
            guard let layout = fragmenter.next(stub.span, into: &writer) else { break }
            var pdu = writer.finish()
            if let sealing {
                sealing.seal(
                    &pdu, body: layout.sealed, covered: layout.sealed,
                    token: layout.token.lowerBound, sequence: sequence,
                    confounder: Bytes8(controller.random(8)))
                sequence += 1
                if wrongToken { pdu[layout.token.lowerBound + 12] ^= 1 }
            }
            deliver(pdu)
        }
    }

    func fault(_ status: FaultStatus, _ header: PDUHeader, contextID: UInt16) {
        var writer = WireWriter()
        FaultPDU(contextID: contextID, status: status).write(
            into: &writer, header: PDUHeader(.fault, callID: header.callID))
        deliver(writer.finish())
    }

    /// Sends a PDU as the connection has it: as it is, or for the pipe's next read.
    func deliver(_ bytes: [UInt8]) {
        if smb == nil { return wire.deliver(bytes) }
        smb?.bring(bytes)
        flushMessages()
    }

    // MARK: Pipes

    /// What whole SMB messages, of all that came, write to the pipe.
    private func unwrapped(_ bytes: [UInt8]) throws(WireError) -> [UInt8] {
        smbBuffer += bytes
        var written: [UInt8] = []
        while smbBuffer.count >= 4 {
            let length = Int(smbBuffer[1]) << 16 | Int(smbBuffer[2]) << 8 | Int(smbBuffer[3])
            guard smbBuffer.count >= 4 + length else { break }
            let message = Array(smbBuffer[4..<(4 + length)])
            smbBuffer.removeFirst(4 + length)
            written += try smb?.receive(message) ?? []
            flushMessages()
        }
        return written
    }

    private func flushMessages() {
        for message in smb?.takeOutgoing() ?? [] {
            let length = message.count
            wire.deliver([0, UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255)]
                + message)
        }
    }
}
