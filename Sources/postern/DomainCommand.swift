import Configuration
import Consumers
import Loop
import Wire

enum DomainCommand {
    static let usage = """
        usage: postern domain show [DOMAIN] [--json]
               postern domain promote [DOMAIN] [--force]
               postern domain demote [DOMAIN]
               (all of them: [--config FILE])

        The local domain's role. A backup controller keeps a copy of its primary's accounts and
        answers logons by itself; accounts are changed at the primary alone.

        promote makes this backup the primary, and is refused while the primary answers: demote
        that one first. It is refused too while the primary may be at work, and cannot be asked.
        --force promotes all the same, which leaves two until one is demoted. A role is kept in
        the state, and holds whatever `role =` in the configuration says.

        """

    private static let options = [
        Options.config, Options.json, Options.Option(name: "force", takesValue: false),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        let verb = parsed.operands.first ?? ""
        guard ["show", "promote", "demote"].contains(verb), parsed.operands.count <= 2 else {
            Terminal.writeError(usage)
            return .usage
        }
        let read = verb == "show" ? ["json"] : verb == "promote" ? ["force"] : []
        guard parsed.areRead(read, by: "domain \(verb)", usage: usage) else { return .usage }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        let name = parsed.operands.count == 2 ? parsed.operands[1] : ""
        do throws(SetupFailure) {
            let result = try LocalOrders(configuration).run(
                .domain, [verb, name] + (parsed.has("force") ? ["force"] : []),
                json: parsed.has("json"))
            return LocalCommand.finish(result, isJSON: parsed.has("json"), usage: usage)
        } catch {
            return error.tell()
        }
    }
}
