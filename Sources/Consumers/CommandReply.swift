import Wire

/// A piece of a command's answer, in order: text for the terminal, or bytes of a file.
///
///     kind(1) requestID(4) stream(1) text(to the frame's end)
package struct CommandOutput: Equatable, CustomStringConvertible {
    package enum Stream: UInt8, Sendable {
        case standardOutput = 1
        case standardError = 2
        /// Not text: a capture file, which is the caller's to keep.
        case capture = 3
    }

    /// Longest text in one frame; a longer answer is several.
    package static let maximumText = ControlFrame.maximumReply - ControlFrame.minimum - 1

    package var requestID: UInt32
    package var stream: Stream
    package var text: [UInt8]

    package init(requestID: UInt32, stream: Stream = .standardOutput, text: [UInt8]) {
        self.requestID = requestID
        self.stream = stream
        self.text = text
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        requestID = try reader.controlHeader(.commandOutput)
        let code = try reader.uint8("stream")
        guard let known = Stream(rawValue: code) else {
            throw reader.invalid("stream", Int(code), width: 1)
        }
        stream = known
        text = reader.copy(reader.takeRest())
    }

    package func write(into writer: inout WireWriter) {
        precondition(text.count <= Self.maximumText)
        writer.controlHeader(.commandOutput, requestID)
        writer.uint8(stream.rawValue)
        writer.append(text)
    }

    package var description: String { "command \(requestID): \(text.count) bytes of output" }
}

/// The end of a command's answer, with the exit code of the sub-command.
///
///     kind(1) requestID(4) exitCode(1)
package struct CommandEnd: Equatable, CustomStringConvertible {
    package var requestID: UInt32
    package var exitCode: UInt8

    package init(requestID: UInt32, exitCode: UInt8) {
        self.requestID = requestID
        self.exitCode = exitCode
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        requestID = try reader.controlHeader(.commandEnd)
        exitCode = try reader.uint8("exitCode")
        try reader.expectEnd("exitCode")
    }

    package func write(into writer: inout WireWriter) {
        writer.controlHeader(.commandEnd, requestID)
        writer.uint8(exitCode)
    }

    package var description: String { "command \(requestID) ends with \(exitCode)" }
}
