import Wire

/// Asks whether the agent lives, and the answer: both are a header alone.
///
///     kind(1) requestID(4)
package struct ControlPing: Equatable, CustomStringConvertible {
    package var requestID: UInt32
    package var isAnswer: Bool

    package init(requestID: UInt32, isAnswer: Bool = false) {
        self.requestID = requestID
        self.isAnswer = isAnswer
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let kind = ControlKind(rawValue: try reader.uint8("kind"))
        if kind != .ping && kind != .pong {
            throw reader.invalid("kind", Int(kind.rawValue), width: 1)
        }
        isAnswer = kind == .pong
        requestID = try reader.uint32LE("requestID")
        try reader.expectEnd("requestID")
    }

    package func write(into writer: inout WireWriter) {
        writer.controlHeader(isAnswer ? .pong : .ping, requestID)
    }

    package var description: String { (isAnswer ? "pong " : "ping ") + "\(requestID)" }
}
