import Crypto
import Wire

/// What a frame on the control socket is.
package struct ControlKind: RawRepresentable, Equatable, Hashable, Sendable,
    CustomStringConvertible
{
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let ping = ControlKind(rawValue: 0x01)
    package static let logonRequest = ControlKind(rawValue: 0x02)
    package static let commandRequest = ControlKind(rawValue: 0x03)
    package static let pong = ControlKind(rawValue: 0x81)
    package static let logonReply = ControlKind(rawValue: 0x82)
    package static let commandOutput = ControlKind(rawValue: 0x83)
    package static let commandEnd = ControlKind(rawValue: 0x84)

    package var description: String { "0x" + Hex.string([rawValue]) }
}

/// The control socket's frame: how a sub-command speaks with the running agent, over a Unix
/// stream socket.
///
///     length(4) | kind(1) requestID(4) fields…
///
/// Numbers are little-endian; `length` counts what follows it. Many requests may be under way on
/// one connection: each reply carries its request's `requestID`. A text is counted: length(2) and
/// UTF-8.
package enum ControlFrame {
    /// Longest frame that the agent reads, and longest reply to a logon.
    package static let maximumRequest = 64 * 1024
    /// Longest frame that a client reads.
    package static let maximumReply = 1024 * 1024
    /// kind and requestID.
    package static let minimum = 5

    /// The bytes to send for the message that `body` writes.
    package static func bytes(_ body: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter(capacity: 256)
        let length = writer.reserve32()
        body(&writer)
        writer.patch32LE(length, writer.count - 4)
        return writer.finish()
    }

    /// The kind of a frame, without its fields, to choose who parses it.
    package static func header(
        _ frame: [UInt8]
    ) throws(WireError) -> (kind: ControlKind, requestID: UInt32) {
        var reader = WireReader(frame.span, layer: "control frame")
        let kind = ControlKind(rawValue: try reader.uint8("kind"))
        return (kind, try reader.uint32LE("requestID"))
    }
}

extension WireReader {
    /// The header of a message that must be of `kind`; its requestID.
    @_lifetime(self: copy self)
    mutating func controlHeader(_ kind: ControlKind) throws(WireError) -> UInt32 {
        let found = try uint8("kind")
        if found != kind.rawValue { throw invalid("kind", Int(found), width: 1) }
        return try uint32LE("requestID")
    }

    @_lifetime(self: copy self)
    mutating func countedBytes(
        _ field: StaticString, limit: Int
    ) throws(WireError) -> [UInt8] {
        let count = Int(try uint16LE(field))
        if count > limit {
            throw WireError(
                .limit, layer: layer, field: field, offset: offset - 2,
                needed: count, available: limit)
        }
        return copy(try take(count, field))
    }

    /// Text that is not UTF-8 is refused: it would change on its way, and with it the name that
    /// a response was computed over.
    @_lifetime(self: copy self)
    mutating func countedText(_ field: StaticString, limit: Int) throws(WireError) -> String {
        let bytes = try countedBytes(field, limit: limit)
        let text = String(decoding: bytes, as: UTF8.self)
        if Array(text.utf8) != bytes { throw invalid(field, bytes.count, width: bytes.count) }
        return text
    }
}

extension WireWriter {
    mutating func controlHeader(_ kind: ControlKind, _ requestID: UInt32) {
        uint8(kind.rawValue)
        uint32LE(requestID)
    }

    mutating func countedBytes(_ bytes: [UInt8]) {
        uint16LE(UInt16(bytes.count))
        append(bytes)
    }

    mutating func countedText(_ text: String) { countedBytes(Array(text.utf8)) }

    /// As many of the text's characters as the reader takes, for texts that others made.
    mutating func countedText(_ text: String, limit: Int) {
        if text.utf8.count <= limit { return countedText(text) }
        var bytes: [UInt8] = []
        for character in text {
            if bytes.count + character.utf8.count > limit { break }
            bytes.append(contentsOf: character.utf8)
        }
        countedBytes(bytes)
    }
}

/// Cuts a stream that arrives in pieces of any size into frames.
///
/// Frames may hold passwords, so they are handed out as secrets.
package struct FrameCutter: ~Copyable {
    private let held = SecretBuffer()
    private let maximum: Int

    /// `maximum` is the longest frame to accept, `maximumRequest` or `maximumReply`.
    package init(maximum: Int) { self.maximum = maximum }

    package mutating func append(_ piece: Span<UInt8>) { held.append(piece) }

    /// The next whole frame, without its length; nil while there is none. After an error the
    /// stream cannot be followed further, and the connection ends.
    package mutating func next() throws(WireError) -> Secret? {
        if held.count < 4 { return nil }
        let number = UInt32(held[0]) | UInt32(held[1]) << 8 | UInt32(held[2]) << 16
            | UInt32(held[3]) << 24
        let length = Int(clamping: number)
        if length > maximum {
            throw WireError(
                .limit, layer: "control frame", field: "length", offset: 0,
                needed: length, available: maximum)
        }
        if length < ControlFrame.minimum {
            throw WireError(
                .invalid, layer: "control frame", field: "length", offset: 0, needed: length)
        }
        if held.count - 4 < length { return nil }
        return held.take(from: 4, to: 4 + length)
    }
}
