import Wire

/// Text in indented lines, made from what strangers sent: a line is cut at a limit, and nothing in
/// it can steer a terminal.
package struct Outline {
    /// Characters of one line; the longest names and lists of peers stay below.
    package static let longestLine = 400
    /// Deeper lines stand at this depth. The decoders nest far less.
    static let deepest = 24

    /// The lines so far.
    package private(set) var text = ""
    /// Messages that were understood to their end.
    package private(set) var decoded = 0
    /// Messages that were not, each with a line that says why.
    package private(set) var failed = 0
    private var depth = 0
    /// A heading that is written once a line follows it.
    private var heading: String?

    package init() {}

    /// The lines so far, which the outline forgets.
    package mutating func take() -> String {
        var out = ""
        swap(&out, &text)
        return out
    }

    // MARK: Lines

    /// Begins a packet: the outline returns to the margin. A packet without lines leaves no trace.
    mutating func begin(_ heading: String) {
        self.heading = heading
        depth = 0
    }

    mutating func line(_ content: String) {
        if let heading {
            self.heading = nil
            append(heading, at: 0)
            depth += 1
        }
        append(content, at: min(depth, Self.deepest))
    }

    mutating func field(_ name: String, _ value: String) { line(name + ": " + value) }

    mutating func field(_ name: String, _ value: String?) {
        if let value { field(name, value) }
    }

    mutating func field(_ name: String, _ value: Int) { line("\(name): \(value)") }

    mutating func flags(_ name: String, _ value: UInt32, _ names: String = "") {
        field(name, "0x" + Hex.string(value) + (names.isEmpty ? "" : " " + names))
    }

    /// Something that is not shown, but for its size.
    mutating func withheld(_ name: String, _ count: Int) {
        line("\(name): \(count) bytes, not shown")
    }

    /// A line whose details follow, deeper, up to `close`.
    mutating func open(_ title: String) {
        line(title)
        depth += 1
    }

    mutating func close() { depth = max(depth - 1, 0) }

    // MARK: Outcomes

    /// A message has been shown to its end.
    mutating func succeed() { decoded += 1 }

    /// A message, or the rest of it, cannot be shown.
    mutating func fail(_ error: WireError) {
        failed += 1
        line("cannot be decoded: " + error.description)
    }

    private mutating func append(_ content: String, at depth: Int) {
        for _ in 0..<depth { text += "  " }
        var count = 0
        for scalar in content.unicodeScalars {
            if count == Self.longestLine {
                text += "…"
                break
            }
            count += 1
            if Self.isPlain(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "\\u{" + Hex.string(scalar.value) + "}"
            }
        }
        text += "\n"
    }

    /// Control characters, of both sets, and those that turn the direction of writing are not.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: false
        case _: true
        }
    }
}

/// The names of the bits that are set, for a line.
struct BitNames {
    private(set) var text = ""

    mutating func add(_ isSet: Bool, _ name: String) {
        if isSet { text += (text.isEmpty ? "" : " ") + name }
    }
}
