import Configuration
import Consumers
import Loop
import Wire

enum GroupCommand {
    static let usage = """
        usage: postern group add NAME [--comment TEXT]
               postern group remove NAME
               postern group list [NAME] [--json]
               postern group member add | remove NAME ACCOUNT
               (all of them: [--domain DOMAIN] [--config FILE])

        Groups of the local domain, and who is in them.

        """

    private static let options = [
        Options.config, Options.json, Options.Option(name: "domain", takesValue: true),
        Options.Option(name: "comment", takesValue: true),
    ]

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        guard let arguments = arguments(parsed) else {
            Terminal.writeError(usage)
            return .usage
        }
        let verb = parsed.operands[0]
        var read = ["domain"]
        if verb == "add" { read.append("comment") }
        if verb == "list" { read.append("json") }
        guard parsed.areRead(read, by: "group \(verb)", usage: usage) else { return .usage }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        do throws(SetupFailure) {
            let result = try LocalOrders(configuration).run(
                .group, arguments, json: parsed.has("json"))
            return LocalCommand.finish(result, isJSON: parsed.has("json"), usage: usage)
        } catch {
            return error.tell()
        }
    }

    /// The order, or nil where the words make none.
    private static func arguments(_ options: Options) -> [String]? {
        let words = options.operands
        let domain = options.values["domain"] ?? ""
        switch (words.first, words.count) {
        case ("add", 2): return ["add", domain, words[1], options.values["comment"] ?? ""]
        case ("remove", 2): return ["remove", domain, words[1]]
        case ("list", 1): return ["list", domain]
        case ("list", 2): return ["list", domain, words[1]]
        case ("member", 4):
            guard words[1] == "add" || words[1] == "remove" else { return nil }
            return ["\(words[1])-member", domain, words[2], words[3]]
        case _: return nil
        }
    }
}
