import Crypto
import Wire

/// The protocols by which a helper serves its caller over standard input and output.
package enum HelperProtocol: CaseIterable, Sendable {
    case squid24Basic
    case squid25Basic
    case squid25NTLMSSP
    case gssSPNEGO
    case ntlmServer1

    package var name: StaticString {
        switch self {
        case .squid24Basic: "squid-2.4-basic"
        case .squid25Basic: "squid-2.5-basic"
        case .squid25NTLMSSP: "squid-2.5-ntlmssp"
        case .gssSPNEGO: "gss-spnego"
        case .ntlmServer1: "ntlm-server-1"
        }
    }

    package init?(name: String) {
        for each in Self.allCases where each.name.description == name {
            self = each
            return
        }
        return nil
    }
}

/// What a helper does about one line.
package struct HelperStep {
    /// To write to standard output.
    package var output: [UInt8]
    /// To standard error.
    package var error: [UInt8]
    /// To ask the agent; its answer goes to `answered`, and no line before that.
    package var request: ControlLogonRequest?

    init(_ output: String = "", error: String = "", request: ControlLogonRequest? = nil) {
        self.output = Array(output.utf8)
        self.error = Array(error.utf8)
        self.request = request
    }
}

/// A helper: lines in, lines out, and a logon in between. The end of the input ends it with exit
/// code 0.
package enum StdioHelper {
    case squidBasic(SquidBasicHelper)
    case squidNTLM(SquidNTLMHelper)
    case ntlmServer(NTLMServerHelper)

    package init(_ kind: HelperProtocol, _ options: NTLMAuthOptions, _ context: HelperContext) {
        switch kind {
        case .squid24Basic: self = .squidBasic(SquidBasicHelper(options, isEscaped: false))
        case .squid25Basic: self = .squidBasic(SquidBasicHelper(options, isEscaped: true))
        case .squid25NTLMSSP:
            self = .squidNTLM(SquidNTLMHelper(options, context, isSPNEGO: false))
        case .gssSPNEGO: self = .squidNTLM(SquidNTLMHelper(options, context, isSPNEGO: true))
        case .ntlmServer1: self = .ntlmServer(NTLMServerHelper(options))
        }
    }

    package mutating func line(_ line: LineCutter.Line) -> HelperStep {
        switch self {
        case .squidBasic(let helper):
            return helper.line(line)
        case .squidNTLM(var helper):
            defer { self = .squidNTLM(helper) }
            return helper.line(line)
        case .ntlmServer(var helper):
            defer { self = .ntlmServer(helper) }
            return helper.line(line)
        }
    }

    /// What to write for the agent's answer; nil where no agent answered.
    package mutating func answered(_ reply: ControlLogonReply?) -> [UInt8] {
        switch self {
        case .squidBasic(let helper):
            return helper.answered(reply)
        case .squidNTLM(var helper):
            defer { self = .squidNTLM(helper) }
            return helper.answered(reply)
        case .ntlmServer(var helper):
            defer { self = .ntlmServer(helper) }
            return helper.answered(reply)
        }
    }
}
