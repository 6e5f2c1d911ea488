import Agent
import Configuration
import Consumers
import Crypto
import Loop
import Wire

enum AccountCommand {
    static let usage = """
        usage: postern account add NAME [--full-name TEXT] [--comment TEXT] [--file FILE]
               postern account add NAME --machine | --bdc [--default-password]
               postern account add NAME --trust
               postern account set-password NAME [--must-change] [--file FILE]
               postern account remove | enable | disable | unlock NAME
               postern account list [NAME] [--json]
               postern account import FILE
               (all of them: [--domain DOMAIN] [--config FILE])

        Accounts of the local domain. A password is one line of FILE or of standard input, or
        asked for. --machine, --bdc and --trust make the accounts of a member, a backup controller
        and another domain that may trust ours; --default-password gives a computer its name in
        small letters as password, which members of NT's time expect before they join.

        import reads a file in the form of smbpasswd; - is standard input. Accounts that are there
        already get its passwords and flags. Lines that are not taken are named, the others are.

        """

    private static let options = [
        Options.config, Options.json, text("domain"), text("file"), text("full-name"),
        text("comment"), flag("machine"), flag("bdc"), flag("trust"), flag("must-change"),
        flag("default-password"),
    ]

    private static func text(_ name: StaticString) -> Options.Option {
        Options.Option(name: name, takesValue: true)
    }

    private static func flag(_ name: StaticString) -> Options.Option {
        Options.Option(name: name, takesValue: false)
    }

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, options, usage: usage)
        guard let parsed else { return code }
        let verb = parsed.operands.first ?? ""
        let count = parsed.operands.count
        guard let read = read(by: verb), verb == "list" ? count <= 2 : count == 2 else {
            Terminal.writeError(usage)
            return .usage
        }
        guard parsed.areRead(read, by: "account \(verb)", usage: usage) else { return .usage }
        guard let configuration = Setup.configuration(parsed.configuration) else {
            return .failed
        }
        do throws(SetupFailure) {
            let orders = try LocalOrders(configuration)
            if verb == "import" { return try ImportCommand.run(parsed, orders) }
            var arguments = [verb, parsed.values["domain"] ?? ""] + parsed.operands.dropFirst()
            var secret: Secret?
            switch verb {
            case "add":
                guard let kind = kind(parsed) else {
                    Terminal.writeError(usage)
                    return .usage
                }
                if parsed.has("default-password"), kind != .machine, kind != .bdc {
                    Terminal.writeError(
                        "postern: --default-password is for --machine and --bdc\n\(usage)")
                    return .usage
                }
                arguments += [
                    kind.rawValue, parsed.values["full-name"] ?? "",
                    parsed.values["comment"] ?? "",
                ]
                secret = try password(parsed)
            case "set-password":
                if parsed.has("must-change") { arguments.append("must-change") }
                secret = try password(parsed)
            case _: break
            }
            let result = try orders.run(
                .account, arguments, secret: secret, json: parsed.has("json"))
            return LocalCommand.finish(result, isJSON: parsed.has("json"), usage: usage)
        } catch {
            return error.tell()
        }
    }

    /// The options that a verb reads; nil where there is no such verb.
    private static func read(by verb: String) -> [String]? {
        switch verb {
        case "add":
            ["domain", "file", "full-name", "comment", "default-password"]
                + AccountOrders.Kind.allCases.map { $0.rawValue }
        case "set-password": ["domain", "file", "must-change"]
        case "list": ["domain", "json"]
        case "remove", "enable", "disable", "unlock", "import": ["domain"]
        case _: nil
        }
    }

    /// Nil where more than one kind is asked for.
    private static func kind(_ options: Options) -> AccountOrders.Kind? {
        let asked = AccountOrders.Kind.allCases.filter { options.has($0.rawValue) }
        return asked.count > 1 ? nil : asked.first ?? .user
    }

    private static func password(_ options: Options) throws(SetupFailure) -> Secret {
        let name = options.operands[1]
        guard options.has("default-password") else {
            return try Setup.password(options, prompt: "Password of \(name): ")
        }
        var initial = Array(name.lowercased().utf8)
        if initial.last == UInt8(ascii: "$") { initial.removeLast() }
        // As many characters as NT's members take of their names.
        return Secret(Array(initial.prefix(14)))
    }
}

/// `postern account import`: a smbpasswd file, in pieces of whole lines.
enum ImportCommand {
    private static let fileLimit = 64 * 1_048_576

    static func run(_ options: Options, _ orders: LocalOrders) throws(SetupFailure) -> ExitCode {
        let path = options.operands[1]
        let bytes = try content(path)
        var counts = (new: 0, changed: 0)
        var code = ExitCode.success
        var start = 0
        var line = 1
        while start < bytes.count {
            let end = pieceEnd(bytes, from: start)
            let piece = Secret(Array(bytes.bytes[start..<end]))
            let result = try orders.run(
                .account, ["import", options.values["domain"] ?? "", String(line)],
                secret: piece)
            let lines = result.text.split(separator: "\n")
            guard let first = lines.first, let taken = Self.counts(String(first)) else {
                Terminal.showError("postern: \(path): \(result.text)")
                return result.code == .success ? .failed : result.code
            }
            counts.new += taken.new
            counts.changed += taken.changed
            for problem in lines.dropFirst() {
                Terminal.showError("postern: \(path): \(problem)\n")
            }
            if result.code != .success { code = .failed }
            for byte in piece.bytes where byte == 10 { line += 1 }
            start = end
        }
        Terminal.write("\(counts.new) accounts added, \(counts.changed) changed\n")
        return code
    }

    private static func counts(_ text: String) -> (new: Int, changed: Int)? {
        let words = text.split(separator: " ")
        guard words.count == 2, let new = Int(words[0]), let changed = Int(words[1]) else {
            return nil
        }
        return (new, changed)
    }

    /// Where the lines end that one order takes; a line that is too long for it is cut, and
    /// then refused as what it is.
    private static func pieceEnd(_ bytes: Content, from start: Int) -> Int {
        let most = min(bytes.count, start + CommandRequest.maximumSecret)
        if most == bytes.count { return most }
        var end = most
        while end > start, bytes.bytes[end - 1] != 10 { end -= 1 }
        return end == start ? most : end
    }

    private typealias Content = Secret

    private static func content(_ path: String) throws(SetupFailure) -> Content {
        do throws(SystemError) {
            if path != "-" { return Secret(try SystemFile.read(path, limit: fileLimit)) }
            var bytes: [UInt8] = []
            while true {
                let piece = try Terminal.readPiece()
                if piece.isEmpty || bytes.count > fileLimit { return Secret(bytes) }
                bytes += piece
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
    }
}

extension Secret {
    fileprivate var count: Int { bytes.count }
}
