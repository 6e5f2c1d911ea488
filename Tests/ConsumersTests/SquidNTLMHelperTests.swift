import Crypto
@testable import NTLM
import Testing
import Wire

@testable import Consumers

/// A browser that logs on through a helper, and the agent behind it.
private struct Conversation {
    static let ntowf = NTOWF.v1(password: "secret")
    static var context: HelperContext {
        HelperContext(
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "LAB"),
            random: { Array(1...UInt8($0)) }, now: { 99 })
    }

    var helper: StdioHelper
    let client = ClientHandshake(
        account: ClientHandshake.Account(userName: "jörg", domainName: "LAB", ntowf: ntowf),
        workstation: "WS1", responses: .ntlmv2)

    init(_ kind: HelperProtocol) {
        helper = StdioHelper(kind, NTLMAuthOptions(), Self.context)
    }

    /// What the helper writes to one line; a logon that it asks for is answered by `agent`.
    mutating func say(
        _ line: String, _ agent: (ControlLogonRequest) -> ControlLogonReply? = { _ in nil }
    ) -> String {
        let step = helper.line(.line(Secret(Array(line.utf8))))
        var output = step.output
        if let request = step.request { output += helper.answered(agent(request)) }
        return String(decoding: output, as: UTF8.self)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.text(bytes), as: UTF8.self)
    }

    /// The challenge in `TT challenge`, and the answer to it.
    func answer(to line: String) throws -> (String, NTLMSession) {
        let word = line.split(separator: " ")[1].split(separator: "\n")[0]
        let challenge = try #require(Base64.bytes(Array(word.utf8)))
        let (message, session) = try client.authenticate(
            challenge: challenge,
            ClientHandshake.Nonces(
                clientChallenge: Bytes8(Array(11...18)), sessionKey: Bytes16(Array(21...36)),
                now: 77))
        return (Self.base64(message), session)
    }

    /// A controller's answer to a right response.
    static func accept(_ request: ControlLogonRequest) -> ControlLogonReply? {
        guard case .response(let challenge, let nt, _) = request.credential else { return nil }
        let owf = NTOWF.v2(ntowf: ntowf, user: request.user, domain: request.domain ?? "")
        let proof = NTLMv2.proof(owf: owf, serverChallenge: challenge, blob: Array(nt[16...]))
        guard proof.bytes == Array(nt[..<16]) else {
            return ControlLogonReply(requestID: 0, outcome: .refused, ntStatus: .wrongPassword)
        }
        var reply = ControlLogonReply(requestID: 0, outcome: .success, ntStatus: .success)
        reply.ntKey = Secret(NTLMv2.sessionBaseKey(owf: owf, proof: proof).bytes)
        reply.domain = "LAB"
        reply.user = "jörg"
        return reply
    }
}

@Suite struct SquidNTLMHelperTests {
    @Test func aBrowserLogsOnAndTheKeyIsBothEnds() throws {
        var talk = Conversation(.squid25NTLMSSP)
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        #expect(challenge.hasPrefix("TT "))
        let (message, session) = try talk.answer(to: challenge)
        #expect(talk.say("KK " + message, Conversation.accept) == "AF LAB\\jörg\n")
        let key = Conversation.base64(session.exportedSessionKey.bytes)
        #expect(talk.say("GK") == "GK \(key)\n")
    }

    @Test func theRequestIsANetworkLogonWithBothKeys() throws {
        var talk = Conversation(.squid25NTLMSSP)
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        let (message, _) = try talk.answer(to: challenge)
        var asked: ControlLogonRequest?
        _ = talk.say("KK " + message) {
            asked = $0
            return nil
        }
        let request = try #require(asked)
        #expect(request.user == "jörg" && request.domain == "LAB")
        #expect(request.workstation == "WS1")
        #expect(request.wants.isSuperset(of: [.ntKey, .lmKey]))
    }

    @Test(arguments: [
        (NTStatus.wrongPassword, false, "NA NT_STATUS_WRONG_PASSWORD\n"),
        (NTStatus.noLogonServers, true, "BH NT_STATUS_NO_LOGON_SERVERS\n"),
    ])
    func refusedAndUnavailableAreTwoAnswers(
        _ status: NTStatus, _ isUnavailable: Bool, _ text: String
    ) throws {
        let reply = ControlLogonReply(
            requestID: 0, outcome: isUnavailable ? .unavailable : .refused, ntStatus: status)
        var talk = Conversation(.squid25NTLMSSP)
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        let (message, _) = try talk.answer(to: challenge)
        #expect(talk.say("KK " + message, { _ in reply }) == text)
        #expect(talk.say("GK") == "BH No session key\n")
    }

    @Test func noAgentIsUnavailable() throws {
        var talk = Conversation(.squid25NTLMSSP)
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        let (message, _) = try talk.answer(to: challenge)
        #expect(talk.say("KK " + message) == "BH NT_STATUS_NO_LOGON_SERVERS\n")
    }

    @Test func anAlteredAnswerIsRefused() throws {
        var talk = Conversation(.squid25NTLMSSP)
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        let (message, _) = try talk.answer(to: challenge)
        var bytes = try #require(Base64.bytes(Array(message.utf8)))
        bytes[AuthenticateMessage.micOffset] ^= 1
        #expect(talk.say("KK " + Conversation.base64(bytes), Conversation.accept)
            == "NA NT_STATUS_LOGON_FAILURE\n")
        #expect(talk.say("KK " + message, Conversation.accept)
            == "NA NT_STATUS_INVALID_PARAMETER\n")
    }

    @Test func spnegoHasThreeWords() throws {
        var talk = Conversation(.gssSPNEGO)
        let hint = talk.say("YR")
        #expect(hint.hasPrefix("TT ") && hint.hasSuffix(" *\n"))
        let challenge = talk.say("YR " + Conversation.base64(talk.client.negotiate))
        #expect(challenge.hasPrefix("TT ") && challenge.hasSuffix(" *\n"))
        let (message, _) = try talk.answer(to: challenge)
        #expect(talk.say("KK " + message, Conversation.accept) == "AF * LAB\\jörg\n")
        #expect(talk.say("KK " + message) == "NA * NT_STATUS_INVALID_PARAMETER\n")
    }

    /// As Samba 4.17's tool answers them.
    @Test(arguments: [
        ("YR", "NA NT_STATUS_INVALID_PARAMETER\n"),
        ("YR !!!", "NA NT_STATUS_INVALID_PARAMETER\n"),
        ("KK AAAA", "NA NT_STATUS_INVALID_PARAMETER\n"),
        ("XX", "BH SPNEGO request invalid prefix\n"),
        ("SF 0x1", "OK\n"), ("PW abc", "OK\n"), ("GK", "BH No session key\n"),
        ("Y", "BH Query invalid\n"), ("", ""),
    ])
    func otherLinesAreAnsweredAsCallersKnowThem(_ line: String, _ answer: String) {
        var talk = Conversation(.squid25NTLMSSP)
        #expect(talk.say(line) == answer)
    }
}
