import Wire

/// How a channel came about: the steps with their messages, bytes and time, as seen at the
/// sockets.
struct ChannelTrace {
    struct Step {
        var name: String
        var messages = 0
        var sent = 0
        var received = 0
        /// Microseconds from the step's first byte to its last.
        var begin: UInt64
        var end: UInt64
        var failure: String?
    }

    private(set) var steps: [Step] = []
    let begin: UInt64
    private(set) var end: UInt64

    init(at moment: UInt64) {
        begin = moment
        end = moment
    }

    mutating func opened(_ endpoint: Endpoint, at moment: UInt64) {
        steps.append(
            Step(name: "connect \(endpoint.description)", begin: moment, end: moment))
    }

    mutating func sent(_ count: Int, _ stage: String, at moment: UInt64) {
        if steps.last?.name != stage {
            // The first message ends the connecting.
            if !steps.isEmpty, steps[steps.count - 1].messages == 0 {
                steps[steps.count - 1].end = moment
            }
            steps.append(Step(name: stage, begin: moment, end: moment))
        }
        steps[steps.count - 1].messages += 1
        steps[steps.count - 1].sent += count
    }

    mutating func received(_ count: Int, at moment: UInt64) {
        guard !steps.isEmpty else { return }
        steps[steps.count - 1].messages += 1
        steps[steps.count - 1].received += count
        steps[steps.count - 1].end = moment
    }

    mutating func failed(_ reason: String) {
        guard !steps.isEmpty else { return }
        steps[steps.count - 1].failure = reason
    }

    mutating func end(at moment: UInt64) { end = moment }

    /// A table for a terminal.
    var text: String {
        var lines = Columns.row("step, in bytes", "frames", "sent", "received", "ms") + "\n"
        for step in steps {
            lines += Columns.row(
                step.name, "\(step.messages)", "\(step.sent)", "\(step.received)",
                Columns.milliseconds(step.end - step.begin)) + "\n"
            if let failure = step.failure { lines += "  ! \(failure)\n" }
        }
        let sent = steps.reduce(0) { $0 + $1.sent }
        let received = steps.reduce(0) { $0 + $1.received }
        let messages = steps.reduce(0) { $0 + $1.messages }
        lines += Columns.row(
            "in all", "\(messages)", "\(sent)", "\(received)",
            Columns.milliseconds(end - begin)) + "\n"
        return lines
    }
}

/// Text in columns: the first to the left, numbers to the right.
enum Columns {
    static func row(_ first: String, _ rest: String...) -> String {
        var line = padded(first, 44)
        for text in rest { line += String(repeating: " ", count: max(1, 10 - text.count)) + text }
        return line
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// Microseconds as milliseconds with two decimals.
    static func milliseconds(_ microseconds: UInt64) -> String {
        let hundredths = (microseconds + 5) / 10
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
