import Crypto
import NTLM
import Testing
import Wire

@testable import Consumers

/// Drives a helper over its input with one fixed answer; what it wrote, and what it asked.
struct HelperRun {
    var output = ""
    var error = ""
    var requests: [ControlLogonRequest] = []

    init(
        _ kind: HelperProtocol, _ input: String, arguments: [String] = [],
        answer: (ControlLogonRequest) -> ControlLogonReply?
    ) {
        let all = ["--helper-protocol=" + kind.name.description] + arguments
        guard case .helper(let parsed, let options) = NTLMAuthOptions.parse(all, version: "")
        else { return }
        let context = HelperContext(
            identity: ServerHandshake.Identity(nbComputerName: "GATE1"),
            random: { [UInt8](repeating: 7, count: $0) }, now: { 0 })
        var helper = StdioHelper(parsed, options, context)
        var cutter = LineCutter()
        let bytes = Array(input.utf8)
        cutter.append(bytes.span)
        while let line = cutter.next() {
            let step = helper.line(line)
            output += String(decoding: step.output, as: UTF8.self)
            error += String(decoding: step.error, as: UTF8.self)
            if let request = step.request {
                requests.append(request)
                output += String(decoding: helper.answered(answer(request)), as: UTF8.self)
            }
        }
    }
}

private func success(_ request: ControlLogonRequest) -> ControlLogonReply? {
    var reply = ControlLogonReply(requestID: 0, outcome: .success, ntStatus: .success)
    reply.ntKey = Secret(Hex.bytes("4884df957e0d7d7633570b21c53cc366")!)
    reply.lmKey = Secret(Hex.bytes("4884df957e0d7d76")!)
    return reply
}

private func refused(_ request: ControlLogonRequest) -> ControlLogonReply? {
    ControlLogonReply(requestID: 0, outcome: .refused, ntStatus: .wrongPassword)
}

private func password(_ request: ControlLogonRequest) -> String {
    guard case .password(let secret) = request.credential else { return "(response)" }
    return String(decoding: secret.bytes, as: UTF8.self)
}

@Suite struct SquidBasicHelperTests {
    @Test func answersEachLine() {
        let run = HelperRun(.squid25Basic, "A\\b c\nd e f\n", answer: success)
        #expect(run.output == "OK\nOK\n")
        #expect(run.requests.map(\.user) == ["b", "d"])
        #expect(run.requests.map(\.domain) == ["A", nil])
        #expect(run.requests.map(password) == ["c", "e f"])
        #expect(HelperRun(.squid25Basic, "a b\n", answer: refused).output == "ERR\n")
        #expect(HelperRun(.squid25Basic, "a b\n", answer: { _ in nil }).output == "ERR\n")
    }

    @Test func unescapesFromVersion25On() {
        let line = "ADLAB%5cj%c3%bcrgen P%c3%a4%2555%20%\n"
        let run = HelperRun(.squid25Basic, line, answer: success)
        #expect(run.requests.first?.user == "jürgen" && run.requests.first?.domain == "ADLAB")
        #expect(run.requests.map(password) == ["Pä%55 %"])
        let old = HelperRun(.squid24Basic, "alice a%21\n", answer: success)
        #expect(old.requests.map(password) == ["a%21"])
        #expect(SquidBasicHelper.unescaped(Array("%zz%2%".utf8)) == Array("%zz%2%".utf8))
        #expect(SquidBasicHelper.unescaped(Array("%+1".utf8)) == Array("%+1".utf8))
    }

    @Test func refusesWhatIsNoUserAndPassword() {
        let input = "alice\n x\na%00b x\na x%00y\n%ff%fe x\n"
        let run = HelperRun(.squid25Basic, input, answer: success)
        #expect(run.output == "ERR\nERR\nERR\nERR\nERR\n")
        #expect(run.requests.isEmpty)
    }

    @Test func anEmptyLineHasNoAnswerAndAnUnendedOneIsNone() {
        let run = HelperRun(.squid25Basic, "\nalice x", answer: success)
        #expect(run.output == "" && run.error == "ERR\n")
    }

    @Test func aLineWithoutEndIsRefusedOnceInOneAnswer() {
        let long = "a " + String(repeating: "x", count: 700_000) + "\na b\n"
        let run = HelperRun(.squid25Basic, long, answer: success)
        #expect(run.output == "ERR\nOK\n")
    }

    @Test func theOptionsGiveDomainAndGroup() {
        let run = HelperRun(
            .squid25Basic, "alice x\nB\\bob y\n",
            arguments: ["--domain=ADLAB", "--require-membership-of=S-1-5-32-544"], answer: success)
        #expect(run.requests.map(\.domain) == ["ADLAB", "B"])
        #expect(run.requests.map(\.requiredGroup) == ["S-1-5-32-544", "S-1-5-32-544"])
    }
}

/// The transcripts are those of Samba 4.17's tool.
@Suite struct NTLMServerHelperTests {
    private let challenge = "LANMAN-Challenge: 0123456789abcdef\n"
    private let response = "NT-Response: 112233445566778811223344556677881122334455667788\n"

    private func output(
        _ input: String, _ answer: (ControlLogonRequest) -> ControlLogonReply? = success
    ) -> String {
        HelperRun(.ntlmServer1, input, answer: answer).output
    }

    @Test func authenticatesByPassword() {
        let input = "Username: alice\nNT-Domain: ADLAB\nPassword: a b\n"
            + "Request-User-Session-Key: Yes\n.\n"
        #expect(output(input) == "Authenticated: Yes\n.\n")
        #expect(output(input, refused) == "Authenticated: No\n.\n")
        #expect(output(input, { _ in nil }) == "Authenticated: No\n.\n")
        let run = HelperRun(.ntlmServer1, input, answer: success)
        #expect(run.requests.map(password) == ["a b"])
        #expect(run.requests.first?.domain == "ADLAB")
    }

    @Test func authenticatesByResponse() {
        let input = challenge + response + "username: alice\nnt-domain: ADLAB\n"
        #expect(output(input + "request-user-session-key: yes\n.\n")
            == "Authenticated: Yes\nUser-Session-Key: 4884DF957E0D7D7633570B21C53CC366\n.\n")
        #expect(output(
            input + "Request-User-Session-Key: Yes\nRequest-LanMan-Session-Key: YES\n.\n")
            == "Authenticated: Yes\nLANMAN-Session-Key: 4884DF957E0D7D76\n"
            + "User-Session-Key: 4884DF957E0D7D7633570B21C53CC366\n.\n")
        #expect(output(input + "Request-User-Session-Key: 1\n.\n") == "Authenticated: Yes\n.\n")
        #expect(output(input + ".\n", refused)
            == "Authenticated: No\nAuthentication-Error: When trying to update a password, this "
            + "return status indicates that the value provided as the current password is not "
            + "correct.\n.\n.\n")
        #expect(output(input + ".\n", { _ in nil })
            == "Authenticated: No\nAuthentication-Error: Reading winbind reply failed!\n.\n.\n")
    }

    @Test func askingWithAPasswordWinsOverAResponse() {
        let run = HelperRun(
            .ntlmServer1, challenge + response + "Username: a\nPassword: x\n.\n", answer: refused)
        #expect(run.output == "Authenticated: No\n.\n")
    }

    @Test func namesWhatIsMissing() {
        let user = "Username: a\n"
        #expect(output(".\n") == "Error: No username supplied!\n.\n")
        #expect(output(user + ".\n") == "Error: No password supplied!\n.\n")
        #expect(output("Username: \n.\n") == "Error: No password supplied!\n.\n")
        #expect(output(challenge + user + ".\n") == "Error: No password supplied!\n.\n")
        #expect(output(response + user + ".\n") == "Error: No lanman-challenge supplied!\n.\n")
        #expect(output("Username: a\nPassword: x\n.\nPassword: x\n.\n")
            == "Authenticated: Yes\n.\nError: No username supplied!\n.\n")
    }

    @Test func saysWhatIsWrongWithALine() {
        #expect(output("Foo: bar\nBar:: !!\n: x\n")
            == "Error: Unknown request Foo\n.\nError: base64 decode of Bar failed!\n.\n"
            + "Error: Unknown request \n.\n")
        for line in ["nocolon", "Username:alice", "Username:", "..", ".x", ". ", ".\r"] {
            #expect(output(line + "\n") == "Error: Parameter not found!\n.\n", "\(line)")
        }
        let short = "LANMAN-Challenge: 0123456789abcdef00\nNT-Response: 00\nLANMAN-Response: 11\n"
        #expect(output(short)
            == "Error: hex decode of 0123456789abcdef00 failed! (got 9 bytes, expected 8)\n.\n"
            + "Error: hex decode of 00 failed! (only got 1 bytes, needed at least 24)\n.\n"
            + "Error: hex decode of 11 failed! (got 1 bytes, expected 24)\n.\n")
        #expect(HelperRun(.ntlmServer1, "\n", answer: success).output == "")
    }

    @Test func aBadChallengeForgetsTheGoodOne() {
        let input = challenge + "LANMAN-Challenge: zz\n" + response + "Username: a\n.\n"
        #expect(output(input)
            == "Error: hex decode of zz failed! (got 0 bytes, expected 8)\n.\n"
            + "Error: No lanman-challenge supplied!\n.\n")
    }

    @Test func decodesBase64() {
        let input = "Username:: YWxpY2U=\nNT-Domain:: QURMQUI=\nPassword:: VXMzci1QYXNzIQ==\n.\n"
        let run = HelperRun(.ntlmServer1, input, answer: success)
        #expect(run.output == "Authenticated: Yes\n.\n")
        #expect(run.requests.first?.user == "alice" && run.requests.first?.domain == "ADLAB")
        #expect(run.requests.map(password) == ["Us3r-Pass!"])
    }

    @Test func aFullNameIsTakenApart() {
        let run = HelperRun(
            .ntlmServer1,
            "Full-Username: ADLAB\\alice\nPassword: x\n.\nFull-Username: alice@ad.lab\n"
                + "Password: x\n.\nFull-Username: A\\b\nUsername: c\nPassword: x\n.\n",
            answer: success)
        #expect(run.requests.map(\.user) == ["alice", "alice@ad.lab", "b"])
        #expect(run.requests.map(\.domain) == ["ADLAB", nil, "A"])
    }

    @Test func withAResponseThePartsOfTheNameCount() {
        let full = "Full-Username: ADLAB\\bob\n"
        let run = HelperRun(
            .ntlmServer1,
            challenge + response + full + "Username: c\n.\n" + challenge + response + full
                + "NT-Domain: FOO\n.\n" + challenge + response + full + ".\n",
            answer: success)
        #expect(run.requests.map(\.user) == ["c", "bob", "bob"])
        #expect(run.requests.map(\.domain) == [nil, "FOO", "ADLAB"])
    }

    @Test func responsesComeFromNetworksThatComputersUseToo() {
        let run = HelperRun(
            .ntlmServer1, challenge + response + "Username: PC1$\n.\n",
            arguments: ["--allow-mschapv2"], answer: success)
        #expect(run.requests.first?.parameterControl == 0x0001_0820)
    }

    @Test func anyInputIsTakenInPiecesOfOneByte() {
        let input = Array((challenge + response + "Username: a\n.\n").utf8)
        var cutter = LineCutter()
        var lines = 0
        for byte in input {
            cutter.append([byte].span)
            while cutter.next() != nil { lines += 1 }
        }
        #expect(lines == 4)
    }
}
