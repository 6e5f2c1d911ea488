import Configuration
import Crypto
import Flows
import Interfaces
import Loop
import NTLM
import NetBIOS
import Store
import Wire

enum TrustCommand {
    static let usage = """
        usage: postern trust permit DOMAIN [--file FILE]
               postern trust establish DOMAIN [--file FILE] [--report] [--pcap FILE]
               postern trust verify DOMAIN [--user USER] [--file FILE] [--report] [--pcap FILE]
               postern trust accounts DOMAIN [--user USER] [--file FILE] [--json]
                             [--report] [--pcap FILE]
               postern trust list [--json]
               postern trust revoke DOMAIN
               (all of them: [--config FILE])

        permit     lets DOMAIN trust our local domain: makes its interdomain trust account. The
                   password, which DOMAIN's side is told too, is one line of FILE or of standard
                   input, or asked for.
        establish  completes a trust that DOMAIN has permitted: its password is one line of FILE
                   or of standard input, or asked for. Nothing is kept unless all of it works.
        verify     asks DOMAIN who it is, as nobody and as USER, and the agent for its channel.
        accounts   lists DOMAIN's global groups and users.
        list       shows the trusts.
        revoke     removes DOMAIN's account, and forgets what is kept of our trust in it.

        The password of USER is read likewise. --report prints each step with its
        frames, bytes and milliseconds, and the documented figures beside them; --pcap writes what
        was sent and received as a capture file.

        """

    private static let options = [
        Options.config, Options.json,
        Options.Option(name: "file", takesValue: true),
        Options.Option(name: "user", takesValue: true),
        Options.Option(name: "report", takesValue: false),
        Options.Option(name: "pcap", takesValue: true),
    ]

    /// The options that a verb reads; nil where there is no such verb.
    private static func read(by verb: String) -> [String]? {
        let dialogue = ["file", "report", "pcap"]
        switch verb {
        case "permit": return ["file"]
        case "establish": return dialogue
        case "verify": return dialogue + ["user"]
        case "accounts": return dialogue + ["user", "json"]
        case "list": return ["json"]
        case "revoke": return []
        case _: return nil
        }
    }

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        let verb = parsed.operands.first ?? ""
        guard let read = read(by: verb), parsed.operands.count == (verb == "list" ? 1 : 2) else {
            Terminal.writeError(usage)
            return .usage
        }
        guard parsed.areRead(read, by: "trust \(verb)", usage: usage) else { return .usage }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        do throws(SetupFailure) {
            if verb == "list" { return try TrustListCommand.run(configuration, parsed) }
            let domain = parsed.operands[1].uppercased()
            switch verb {
            case "permit": return try PermitCommand.run(configuration, parsed, domain)
            case "establish":
                return try EstablishCommand.run(
                    try DomainDialogue(configuration, parsed, domain: domain))
            case "verify":
                return try VerifyCommand.run(
                    try DomainDialogue(configuration, parsed, domain: domain))
            case "accounts":
                return try TrustAccountsCommand.run(
                    try DomainDialogue(configuration, parsed, domain: domain))
            case _: return try RevokeCommand.run(configuration, domain)
            }
        } catch {
            return error.tell()
        }
    }
}
