import Crypto

/// Cuts a helper's input, which arrives in pieces of any size, into lines.
///
/// Lines hold passwords, so they are handed out as secrets.
package struct LineCutter: ~Copyable {
    package enum Line {
        /// Without its line feed.
        case line(Secret)
        /// Longer than `maximum`; its bytes are gone.
        case tooLong
    }

    /// Longest line that is read, the same as in the tool that this one stands in for.
    package static let maximum = 630_000

    private let held = SecretBuffer()
    /// How far the line was searched for its end.
    private var searched = 0
    private var isSkipping = false

    package init() {}

    package mutating func append(_ piece: Span<UInt8>) { held.append(piece) }

    /// The next whole line; nil while there is none. What is left without a line feed at the
    /// end of the input is not a line.
    package mutating func next() -> Line? {
        while searched < held.count {
            if held[searched] == 0x0a { return cut() }
            searched += 1
        }
        if searched > Self.maximum {
            isSkipping = true
            held.drop(searched)
            searched = 0
        }
        return nil
    }

    private mutating func cut() -> Line {
        let length = searched
        searched = 0
        if isSkipping || length > Self.maximum {
            isSkipping = false
            held.drop(length + 1)
            return .tooLong
        }
        let line = held.take(from: 0, to: length)
        held.drop(1)
        return .line(line)
    }
}
