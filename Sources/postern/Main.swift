import CPosix
import Loop

/// The program's entry. SwiftPM names it, and the linker makes it `main`; Embedded Swift has no
/// `CommandLine`, so the arguments are taken here.
@_cdecl("postern_main")
func posternMain(count: Int32, arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>)
    -> Int32
{
    var words: [String] = []
    for index in 0..<Int(count) {
        if let word = unsafe arguments[index] { words.append(unsafe String(cString: word)) }
    }
    let name = words.first.map(Main.baseName) ?? "postern"
    if name == "ntlm_auth" { return NtlmAuthCommand.run(Array(words.dropFirst())).rawValue }
    return Main.run(Array(words.dropFirst())).rawValue
}

/// What the program tells its caller (README, "Exit codes").
enum ExitCode: Int32 {
    case success = 0
    case failed = 1
    case usage = 2
    case unavailable = 3
}

enum Main {
    static let version = "0.1.0"

    static func baseName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    static let overview = """
        postern: domain location and logons for small hosts and old clients

        usage: postern COMMAND [options]

          demo         a domain of its own on loopback: what each flow costs, beside the documents
          serve        the agent: answers clients, keeps the channels to controllers
          status       domains, controllers, channels, logons, ages of secrets
          logon        one logon through the running agent
          find         looks for a domain's controllers by every method
          explain      connects to a controller step by step, and says what fails and why
          account      add | set-password | remove | list | import: the local domain's accounts
          group        add | remove | list | member: and its groups
          domain       show | promote | demote: the local domain's role among its controllers
          join         makes our account in a domain, by an administrator's rights
          secret       import | rotate | show: the machine account's secret
          trust        permit | establish | verify | accounts | list | revoke: trusts
          decode       prints a message given in hexadecimal, or those of a capture file
          ntlm-auth    drop-in for Samba's ntlm_auth (also through a link of that name)

        `postern COMMAND --help` says more. Exit codes: 0 success, 1 refused or failed, 2 usage,
        3 unavailable.

        """

    static func run(_ words: [String]) -> ExitCode {
        guard let command = words.first else {
            Terminal.writeError(overview)
            return .usage
        }
        let rest = Array(words.dropFirst())
        switch command {
        case "demo": return DemoCommand.run(rest)
        case "serve": return ServeCommand.run(rest)
        case "status": return StatusCommand.run(rest)
        case "logon": return LogonCommand.run(rest)
        case "find": return FindCommand.run(rest)
        case "explain": return ExplainCommand.run(rest)
        case "account": return AccountCommand.run(rest)
        case "group": return GroupCommand.run(rest)
        case "domain": return DomainCommand.run(rest)
        case "join": return JoinCommand.run(rest)
        case "secret": return SecretCommand.run(rest)
        case "trust": return TrustCommand.run(rest)
        case "decode": return DecodeCommand.run(rest)
        case "ntlm-auth": return NtlmAuthCommand.run(rest)
        case "--help", "-h", "help":
            Terminal.write(overview)
            return .success
        case "--version", "-V", "version":
            Terminal.write("postern \(version)\n")
            return .success
        case _:
            Terminal.writeError("postern: there is no command '\(command)'\n\n" + overview)
            return .usage
        }
    }
}
