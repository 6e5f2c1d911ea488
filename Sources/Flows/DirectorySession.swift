import Locator
import NTLM
import Wire

/// A connection to a controller's directory (LDAP over TCP, RFC 4511), bound by NTLM and sealed by
/// it: the way to a controller of today for who has no Kerberos (MS-ADTS 5.1.1.1.2).
///
/// A sealed buffer, of which each holds whole messages here, though a peer may cut them otherwise:
///
///     length(4, big-endian)  token(16)  messages under the seal
package final class DirectorySession<Link: Exchange> {
    private static var port: UInt16 { 389 }
    private static var lengthSize: Int { 4 }
    /// Octets of one sealed buffer.
    private static var bufferLimit: Int { 1_048_576 }
    /// Messages that one request may bring.
    private static var answerLimit: Int { 64 }

    private let dialogue: Dialogue<Link>
    private let name: String
    private var connection: Dialogue<Link>.Connection?
    private var security: MessageSecurity?
    private var messageID: Int32 = 0
    /// As they came, and what is in them.
    private var sealed: [UInt8] = []
    private var plain: [UInt8] = []

    package init(
        _ dialogue: Dialogue<Link>, at address: IPv4Address
    ) throws(FlowError) {
        self.dialogue = dialogue
        name = address.description
        connection = try dialogue.connect(
            to: Endpoint(address, Self.port &+ dialogue.portOffset))
    }

    /// Ends the connection, with a good-bye.
    package func end() {
        guard let connection else { return }
        _ = try? send(.unbindRequest)
        dialogue.close(connection)
        self.connection = nil
    }

    // MARK: Binding

    /// Binds as `account`. Everything after that is sealed.
    package func bind(as account: SessionAccount) throws(FlowError) {
        let handshake = ClientHandshake(
            account: ClientHandshake.Account(
                userName: account.user, domainName: account.domain, ntowf: account.ntowf),
            workstation: dialogue.computer)
        let challenge = try step(handshake.negotiate)
        guard challenge.result.resultCode == .saslBindInProgress else {
            throw dialogue.contradicted("\(name) does not bind: \(challenge.result.description)")
        }
        let nonces = LogonNonces(dialogue.link)
        let answer: (message: [UInt8], session: NTLMSession)
        do throws(WireError) {
            answer = try handshake.authenticate(
                challenge: challenge.token,
                ClientHandshake.Nonces(
                    clientChallenge: nonces.clientChallenge, sessionKey: nonces.sessionKey,
                    now: nonces.now))
        } catch {
            throw dialogue.malformed(error)
        }
        guard answer.session.flags.isSuperset(of: [.sign, .seal, .extendedSessionSecurity])
        else { throw dialogue.contradicted("\(name) does not seal") }
        let last = try step(answer.message)
        switch last.result.resultCode {
        case .success: security = answer.session.security
        case .invalidCredentials: throw dialogue.refused(.logonFailure)
        case _: throw dialogue.contradicted("\(name) does not bind: \(last.result.description)")
        }
    }

    private func step(
        _ token: [UInt8]
    ) throws(FlowError) -> (result: LDAPResult, token: [UInt8]) {
        try send(.bindRequest(mechanism: "GSS-SPNEGO", credentials: token))
        guard case .bindResponse(let result, let credentials) = try receive() else {
            throw outOfOrder()
        }
        return (result, credentials)
    }

    // MARK: Requests

    /// The objects that are found; none where the base is not there.
    package func search(_ search: LDAPSearch) throws(FlowError) -> [LDAPEntry] {
        try send(.searchRequest(search))
        var found: [LDAPEntry] = []
        for _ in 0..<Self.answerLimit {
            switch try receive() {
            case .searchResultEntry(let entry): found.append(entry)
            case .searchResultReference: continue
            case .searchResultDone(let result):
                if result.resultCode == .noSuchObject { return [] }
                if result.resultCode == .success { return found }
                throw dialogue.contradicted(result.description)
            case .bindRequest, .bindResponse, .unbindRequest, .searchRequest, .modifyRequest,
                .modifyResponse, .addRequest, .addResponse, .deleteRequest, .deleteResponse:
                throw outOfOrder()
            }
        }
        throw dialogue.contradicted("\(name) finds more than was asked for")
    }

    package func add(_ entry: LDAPEntry) throws(FlowError) -> LDAPResult {
        try send(.addRequest(entry))
        guard case .addResponse(let result) = try receive() else { throw outOfOrder() }
        return result
    }

    /// Replaces the values of the attributes that `entry` names.
    package func replace(_ entry: LDAPEntry) throws(FlowError) -> LDAPResult {
        try send(.modifyRequest(entry))
        guard case .modifyResponse(let result) = try receive() else { throw outOfOrder() }
        return result
    }

    private func outOfOrder() -> FlowError {
        dialogue.contradicted("\(name) answers out of order")
    }

    // MARK: Messages

    private func send(_ operation: LDAPOperation) throws(FlowError) {
        guard let connection else { throw dialogue.unavailable(.ended, name) }
        messageID += 1
        var message = WireWriter(capacity: 512)
        if security != nil { message.zeros(Self.lengthSize + MessageSecurity.tokenLength) }
        LDAPMessage(messageID: messageID, operation).write(into: &message)
        var bytes = message.finish()
        if security != nil {
            let body = (Self.lengthSize + MessageSecurity.tokenLength)..<bytes.count
            security?.seal(&bytes, body: body, covered: body, token: Self.lengthSize)
            let length = UInt32(bytes.count - Self.lengthSize)
            for index in 0..<Self.lengthSize {
                bytes[index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index))
            }
        }
        try dialogue.send(bytes, on: connection)
    }

    /// The next message, which must answer the last request.
    private func receive() throws(FlowError) -> LDAPOperation {
        let deadline = dialogue.link.now + dialogue.patience.answer
        while true {
            do throws(WireError) {
                if let message = try takeMessage() {
                    if message.messageID == messageID { return message.operation }
                    continue
                }
            } catch {
                throw dialogue.malformed(error)
            }
            guard let connection else { throw dialogue.unavailable(.ended, name) }
            let bytes = try dialogue.receive(on: connection, deadline: deadline)
            if bytes.isEmpty { throw dialogue.unavailable(.ended, name) }
            if security == nil { plain += bytes } else { sealed += bytes }
            try unseal()
        }
    }

    private func takeMessage() throws(WireError) -> LDAPMessage? {
        let held = plain
        guard let length = try LDAPMessage.length(held.span), held.count >= length else {
            return nil
        }
        let bytes = Array(held[..<length])
        plain.removeFirst(length)
        var reader = WireReader(bytes.span, layer: "LDAP")
        return try LDAPMessage(parsing: &reader)
    }

    /// Opens the sealed buffers that are whole.
    private func unseal() throws(FlowError) {
        while security != nil, sealed.count >= Self.lengthSize {
            let length = sealed[..<Self.lengthSize].reduce(0) { $0 << 8 | Int($1) }
            guard length > MessageSecurity.tokenLength, length <= Self.bufferLimit else {
                throw dialogue.contradicted("\(name) sends a sealed buffer of \(length) bytes")
            }
            let whole = Self.lengthSize + length
            if sealed.count < whole { return }
            var bytes = Array(sealed[..<whole])
            sealed.removeFirst(whole)
            let token = Self.lengthSize..<(Self.lengthSize + MessageSecurity.tokenLength)
            let body = token.upperBound..<whole
            do throws(MessageSecurity.Refused) {
                try security?.unseal(&bytes, body: body, covered: body, token: token)
            } catch {
                throw dialogue.contradicted("\(name): an answer that its seal does not match")
            }
            plain += bytes[body]
        }
    }
}
