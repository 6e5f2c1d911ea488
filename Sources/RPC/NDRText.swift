import Wire

/// A text in a message that may be parsed ten thousand times a second and whose texts are seldom
/// looked at: where it is in the bytes it came in, or a text of ours on its way out.
package enum NDRText: Equatable, Sendable {
    /// A null pointer.
    case absent
    /// UTF-16LE at this range of the span that the message was parsed from.
    case received(Range<Int>)
    case text(String)

    @inlinable
    package init(received range: Range<Int>?) {
        if let range { self = .received(range) } else { self = .absent }
    }

    @inlinable
    package init(_ text: String?) {
        if let text { self = .text(text) } else { self = .absent }
    }

    /// The text; `reader` reads the span that the message was parsed from.
    package func string(in reader: borrowing WireReader) -> String {
        switch self {
        case .absent: ""
        case .received(let range): reader.utf16(range)
        case .text(let text): text
        }
    }

    /// This text in memory of its own, so that the message may outlive its bytes or be written.
    package func owned(in reader: borrowing WireReader) -> NDRText {
        switch self {
        case .absent, .text: self
        case .received(let range): .text(reader.utf16(range))
        }
    }

    /// The text of a message that is ours, or was made so by `owned`.
    package var text: String? {
        switch self {
        case .absent: return nil
        case .text(let text): return text
        case .received: preconditionFailure("a received text is written only once it is owned")
        }
    }
}
