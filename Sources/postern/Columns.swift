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
