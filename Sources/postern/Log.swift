import Loop

/// The agent's log: one event a line on standard error, with the level that journald reads. Names
/// in it may come from anybody on the network: no line holds anything that ends it.
struct Log {
    enum Level: Int, Comparable {
        case error, warning, info, debug

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// syslog's number for it (sd-daemon(3)).
        var priority: String {
            switch self {
            case .error: "<3>"
            case .warning: "<4>"
            case .info: "<6>"
            case .debug: "<7>"
            }
        }
    }

    let level: Level
    /// Whether a service manager reads the lines, and wants their priority in front.
    let isManaged: Bool

    init(_ level: Level) {
        self.level = level
        isManaged = Environment.value("JOURNAL_STREAM") != nil
    }

    @inline(never)
    func error(_ text: @autoclosure () -> String) { write(.error, text) }
    @inline(never)
    func warning(_ text: @autoclosure () -> String) { write(.warning, text) }
    @inline(never)
    func info(_ text: @autoclosure () -> String) { write(.info, text) }
    @inline(never)
    func debug(_ text: @autoclosure () -> String) { write(.debug, text) }

    @inline(never)
    private func write(_ level: Level, _ text: () -> String) {
        guard level <= self.level else { return }
        let line = Terminal.line(text())
        Terminal.writeError((isManaged ? level.priority : "") + "postern: " + line + "\n")
    }
}
