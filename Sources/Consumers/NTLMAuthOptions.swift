import Crypto
import Wire

/// What the program writes and ends with.
package struct ToolOutput: Equatable {
    package var standardOutput: String
    package var standardError: String
    package var exitCode: UInt8

    package init(_ standardOutput: String = "", error: String = "", exitCode: UInt8) {
        self.standardOutput = standardOutput
        standardError = error
        self.exitCode = exitCode
    }
}

/// What a command line of `ntlm_auth` asks for.
package enum NTLMAuthInvocation {
    /// One logon. Where `needsPassword`, the password is read first, after writing the prompt.
    case logon(NTLMAuthOptions)
    /// A helper that reads lines until its input ends.
    case helper(HelperProtocol, NTLMAuthOptions)
    /// Nothing more than this.
    case end(ToolOutput)
}

/// The options of `ntlm_auth`, in the forms that its callers use: `--name=value`, `--name value`,
/// flags with a value that means nothing, values missing at the end, words in between.
///
/// Options that only make sense inside Samba are taken and have no effect, so that a deployed
/// configuration keeps working.
package struct NTLMAuthOptions {
    package static let prompt = "Password: "

    package var username = ""
    /// Nil where it was not given, which is not the same as an empty one.
    package var domain: String?
    package var workstation: String?
    package var challenge: Bytes8?
    package var ntResponse: [UInt8] = []
    package var lmResponse: [UInt8] = []
    package var password: Secret?
    package var requestsNTKey = false
    package var requestsLMKey = false
    package var allowsMSChapV2 = false
    package var requiredGroup = ""
    /// The configuration of this program, not Samba's.
    package var configuration: String?
    private var helper: String?

    package init() {}

    package var needsPassword: Bool { challenge == nil && password == nil }

    // MARK: Reading the command line

    private enum Option {
        case helperProtocol, username, domain, workstation, challenge, lmResponse, ntResponse
        case password, requestLMKey, requestNTKey, allowMSChapV2, requireMembershipOf
        case configuration, help, usage, version
        case ignoredFlag, ignoredValue

        var takesValue: Bool {
            switch self {
            case .helperProtocol, .username, .domain, .workstation, .challenge, .lmResponse,
                .ntResponse, .password, .requireMembershipOf, .configuration, .ignoredValue:
                true
            case .requestLMKey, .requestNTKey, .allowMSChapV2, .help, .usage, .version,
                .ignoredFlag:
                false
            }
        }

        init?(long name: String) {
            switch name {
            case "helper-protocol": self = .helperProtocol
            case "username": self = .username
            case "domain": self = .domain
            case "workstation": self = .workstation
            case "challenge": self = .challenge
            case "lm-response": self = .lmResponse
            case "nt-response": self = .ntResponse
            case "password": self = .password
            case "request-lm-key": self = .requestLMKey
            case "request-nt-key": self = .requestNTKey
            case "allow-mschapv2": self = .allowMSChapV2
            case "require-membership-of": self = .requireMembershipOf
            case "config": self = .configuration
            case "help": self = .help
            case "usage": self = .usage
            case "version": self = .version
            case "use-cached-creds", "offline-logon", "diagnostics", "debug-stdout",
                "leak-report", "leak-report-full":
                self = .ignoredFlag
            case "pam-winbind-conf", "target-service", "target-hostname", "debuglevel",
                "configfile", "option", "log-basename":
                self = .ignoredValue
            case _: return nil
            }
        }

        init?(short letter: UInt8) {
            switch letter {
            case UInt8(ascii: "?"): self = .help
            case UInt8(ascii: "V"): self = .version
            case UInt8(ascii: "d"), UInt8(ascii: "s"), UInt8(ascii: "l"): self = .ignoredValue
            case _: return nil
            }
        }
    }

    /// `arguments` without the program's name; `version` is this program's.
    package static func parse(_ arguments: [String], version: String) -> NTLMAuthInvocation {
        var options = NTLMAuthOptions()
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--" { break }
            // A word that is no option means nothing.
            if argument.utf8.first != UInt8(ascii: "-") || argument == "-" { continue }
            guard let (option, attached) = split(argument) else {
                let text = "\nInvalid option \(argument): unknown option\n\n"
                return .end(ToolOutput(error: text + NTLMAuthText.usage, exitCode: 1))
            }
            var value = attached
            if value == nil && option.takesValue {
                if index == arguments.count { break }
                value = arguments[index]
                index += 1
            }
            if let end = options.take(option, value ?? "", version) { return .end(end) }
        }
        return options.invocation()
    }

    /// The option that `argument` names, with its value where it is in the same word. The cuts are
    /// made between bytes: a value may begin with an accent that would join the sign before it.
    private static func split(_ argument: String) -> (Option, String?)? {
        let bytes = Array(argument.utf8)
        let equals = bytes.firstIndex(of: UInt8(ascii: "="))
        if bytes.count >= 2 && bytes[1] == UInt8(ascii: "-") {
            let name = String(decoding: bytes[2..<max(2, equals ?? bytes.count)], as: UTF8.self)
            let value = equals.map { String(decoding: bytes[($0 + 1)...], as: UTF8.self) }
            return Option(long: name).map { ($0, value) }
        }
        guard bytes.count >= 2, let option = Option(short: bytes[1]) else { return nil }
        if bytes.count == 2 { return (option, nil) }
        let start = bytes[2] == UInt8(ascii: "=") ? 3 : 2
        return (option, String(decoding: bytes[start...], as: UTF8.self))
    }

    /// Sets one option; what ends the program at once is handed back.
    private mutating func take(_ option: Option, _ value: String, _ version: String) -> ToolOutput?
    {
        switch option {
        case .helperProtocol: helper = value
        case .username: username = value
        case .domain: domain = value
        case .workstation: workstation = value
        case .password: password = Secret(Array(value.utf8))
        case .requestLMKey: requestsLMKey = true
        case .requestNTKey: requestsNTKey = true
        case .allowMSChapV2: allowsMSChapV2 = true
        case .requireMembershipOf: requiredGroup = value
        case .configuration: configuration = value
        case .challenge:
            let bytes = LooseHex.bytes(value)
            if bytes.count != 8 { return Self.badHex(value, bytes.count) }
            challenge = Bytes8(bytes)
        case .lmResponse:
            lmResponse = LooseHex.bytes(value)
            if lmResponse.count != 24 { return Self.badHex(value, lmResponse.count) }
        case .ntResponse:
            ntResponse = LooseHex.bytes(value)
            if ntResponse.count < 24 { return Self.badHex(value, ntResponse.count) }
        case .help: return ToolOutput(NTLMAuthText.help, exitCode: 0)
        case .usage: return ToolOutput(NTLMAuthText.usage, exitCode: 0)
        case .version: return ToolOutput("Version \(version)\n", exitCode: 0)
        case .ignoredFlag, .ignoredValue: break
        }
        return nil
    }

    private static func badHex(_ text: String, _ count: Int) -> ToolOutput {
        ToolOutput(error: "hex decode of \(text) failed! (only got \(count) bytes)\n", exitCode: 1)
    }

    /// What the options mean together.
    private func invocation() -> NTLMAuthInvocation {
        if let helper {
            guard let known = HelperProtocol(name: helper) else {
                var text = "unknown helper protocol [\(helper)]\n\nValid helper protocols:\n\n"
                for each in HelperProtocol.allCases { text += each.name.description + "\n" }
                return .end(ToolOutput(error: text, exitCode: 1))
            }
            return .helper(known, self)
        }
        if username.isEmpty {
            let text = "username must be specified!\n\n" + NTLMAuthText.help
            return .end(ToolOutput(error: text, exitCode: 1))
        }
        var options = self
        let name = AccountName(username)
        if let named = name.domain {
            if let domain, !AccountName.sameDomain(domain, named) {
                let text = "Domain specified in username (\(named)) doesn't match specified "
                    + "domain (\(domain))!\n\n" + NTLMAuthText.help
                return .end(ToolOutput(error: text, exitCode: 1))
            }
            options.domain = named
            options.username = name.user
        }
        return .logon(options)
    }
}

/// Hexadecimal as `ntlm_auth` reads it: an optional 0x, then pairs of digits up to the first that
/// is none. What follows is not looked at, and the count of bytes decides.
enum LooseHex {
    static func bytes(_ text: String) -> [UInt8] {
        var digits = Array(text.utf8)
        if digits.count >= 2 && digits[0] == UInt8(ascii: "0") && digits[1] | 0x20 == 0x78 {
            digits.removeFirst(2)
        }
        var out: [UInt8] = []
        var index = 0
        while index + 1 < digits.count, let high = digit(digits[index]),
            let low = digit(digits[index + 1])
        {
            out.append(high << 4 | low)
            index += 2
        }
        return out
    }

    static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 48...57: character - 48
        case 65...70: character - 55
        case 97...102: character - 87
        case _: nil
        }
    }
}

/// `DOMAIN\user`, or a user alone; `user@realm` is a user alone, whose domain the agent finds.
struct AccountName {
    var domain: String?
    var user: String

    init(_ text: String) {
        let bytes = Array(text.utf8)
        guard let separator = bytes.firstIndex(of: UInt8(ascii: "\\")) else {
            user = text
            return
        }
        domain = String(decoding: bytes[..<separator], as: UTF8.self)
        user = String(decoding: bytes[(separator + 1)...], as: UTF8.self)
    }

    init(user: String) { self.user = user }

    /// Domain names compare without regard to case.
    static func sameDomain(_ left: String, _ right: String) -> Bool {
        left.uppercased() == right.uppercased()
    }
}
