import CPosix
import Loop

/// The options and operands of one sub-command, read by glibc's getopt_long.
struct Options {
    /// One long option: `--name`, or `--name VALUE`.
    struct Option {
        let name: StaticString
        let takesValue: Bool
    }

    private(set) var values: [String: String] = [:]
    private(set) var operands: [String] = []

    static let config = Option(name: "config", takesValue: true)
    static let help = Option(name: "help", takesValue: false)
    static let json = Option(name: "json", takesValue: false)

    static let defaultConfiguration = "/etc/postern/postern.conf"

    var configuration: String { values["config"] ?? Self.defaultConfiguration }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// Whether `verb` reads all that was given, `--config` aside; what it does not read is said.
    func areRead(_ names: [String], by verb: String, usage: String) -> Bool {
        let unread = values.keys.sorted().first { $0 != "config" && !names.contains($0) }
        guard let unread else { return true }
        Terminal.writeError("postern: '\(verb)' takes no --\(unread)\n\(usage)")
        return false
    }

    /// Reads `words`; nil where they are wrong, or ask for help, after saying so on standard error
    /// or output. `more` is what help has beyond the usage.
    static func parse(
        _ words: [String], _ options: [Option], usage: String,
        more: @autoclosure () -> String = ""
    ) -> (options: Options?, code: ExitCode) {
        let known = options + [help]
        var parsed = Options()
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
        unsafe arguments.append(strdup("postern"))
        for word in words { unsafe arguments.append(strdup(word)) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var table: [option] = unsafe []
        for item in known {
            let argument = item.takesValue ? required_argument : no_argument
            let name = unsafe UnsafeRawPointer(item.name.utf8Start)
                .assumingMemoryBound(to: CChar.self)
            unsafe table.append(option(name: name, has_arg: argument, flag: nil, val: 0))
        }
        unsafe table.append(option())
        postern_getopt_start()
        var index: Int32 = 0
        while true {
            let code = unsafe getopt_long(
                Int32(words.count + 1), &arguments, ":", table, &index)
            if code == -1 { break }
            if code != 0 {
                let at = Int(postern_optind()) - 2
                let word = words.indices.contains(at) ? words[at] : ""
                let problem = code == 58 ? "needs a value" : "is not an option here"
                Terminal.writeError("postern: '\(word)' \(problem)\n\(usage)")
                return (nil, .usage)
            }
            let value = unsafe postern_optarg().map { unsafe String(cString: $0) } ?? ""
            parsed.values[known[Int(index)].name.description] = value
        }
        if parsed.has("help") {
            Terminal.write(usage + more())
            return (nil, .success)
        }
        var position = Int(postern_optind())
        while position <= words.count {
            if let word = unsafe arguments[position] {
                parsed.operands.append(unsafe String(cString: word))
            }
            position += 1
        }
        return (parsed, .success)
    }
}
