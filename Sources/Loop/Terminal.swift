import CLibuv
import CPosix

/// The three standard streams.
package enum Terminal {
    @inline(never)
    package static func write(_ text: String) { write(text, to: STDOUT_FILENO) }
    @inline(never)
    package static func writeError(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Writes what may hold names from the network.
    @inline(never)
    package static func show(_ text: String) { write(lines(text)) }
    @inline(never)
    package static func showError(_ text: String) { writeError(lines(text)) }

    package static var isInteractive: Bool { isatty(STDIN_FILENO) != 0 }

    /// Longest line that is read from a person or a file: a secret, say.
    package static let lineLimit = 4_096

    /// `text` with a question mark for each control character (C0, DEL, C1), so that it is one
    /// line and moves nothing on a terminal, whoever wrote it.
    package static func line(_ text: String) -> String { plain(text, keepsLines: false) }

    /// The same for a text of several lines, which stay what they are.
    package static func lines(_ text: String) -> String { plain(text, keepsLines: true) }

    private static func plain(_ text: String, keepsLines: Bool) -> String {
        var bytes: [UInt8] = []
        var isPlain = true
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n"), keepsLines {
                bytes.append(byte)
            } else if byte < 0x20 || byte == 0x7f {
                bytes.append(UInt8(ascii: "?"))
                isPlain = false
            } else if bytes.last == 0xc2, byte < 0xa0 {
                // U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
                bytes[bytes.count - 1] = UInt8(ascii: "?")
                isPlain = false
            } else {
                bytes.append(byte)
            }
        }
        return isPlain ? text : String(decoding: bytes, as: UTF8.self)
    }

    @inline(never)
    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CPosix.write(
                    descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if postern_errno() == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe CPosix.poll(&poll, 1, -1)
            } else if postern_errno() != EINTR {
                return
            }
        }
    }

    /// One line for a secret: prompted for without echo where a person types, else read from
    /// standard input as it is. Nil at the end of input or where the person gave up.
    package static func readSecret(prompt: String) throws(SystemError) -> [UInt8]? {
        guard isInteractive else { return try readLine() }
        var before = termios()
        if unsafe tcgetattr(STDIN_FILENO, &before) != 0 { throw .last("tcgetattr") }
        var silent = before
        // Keys come one by one and as bytes, an interrupt too, so that the terminal is never
        // left silent.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        writeError(prompt)
        if unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0 { throw .last("tcsetattr") }
        defer {
            _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            writeError("\n")
        }
        return try readKeys()
    }

    private static func readKeys() throws(SystemError) -> [UInt8]? {
        var line: [UInt8] = []
        // So that it is never moved, leaving a copy behind.
        line.reserveCapacity(lineLimit)
        while let key = try readByte() {
            switch key {
            case 10, 13: return line  // line feed, return
            case 3, 28: return nil  // interrupt, quit
            case 4: return line.isEmpty ? nil : line  // end of input
            case 8, 127: removeCharacter(&line)
            case 21: line.removeAll(keepingCapacity: true)  // kill
            case _:
                if line.count == lineLimit { throw SystemError("read", E2BIG) }
                line.append(key)
            }
        }
        return nil
    }

    /// Takes away the last character, which may be several bytes of UTF-8.
    private static func removeCharacter(_ line: inout [UInt8]) {
        while let last = line.popLast(), last & 0xc0 == 0x80 {}
    }

    /// One line from standard input without its end, and not a byte more; nil at the end.
    package static func readLine() throws(SystemError) -> [UInt8]? {
        var line: [UInt8] = []
        line.reserveCapacity(lineLimit)
        while let byte = try readByte() {
            if byte == UInt8(ascii: "\n") {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return line
            }
            if line.count == lineLimit { throw SystemError("read", E2BIG) }
            line.append(byte)
        }
        return line.isEmpty ? nil : line
    }

    /// What has come on standard input, as soon as something has; nothing at its end.
    package static func readPiece() throws(SystemError) -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: lineLimit)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe read(STDIN_FILENO, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                piece.removeLast(piece.count - count)
                return piece
            }
            if postern_errno() != EINTR { throw .last("read") }
        }
    }

    private static func readByte() throws(SystemError) -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(STDIN_FILENO, &byte, 1)
            if count == 1 { return byte }
            if count == 0 { return nil }
            if postern_errno() != EINTR { throw .last("read") }
        }
    }
}
