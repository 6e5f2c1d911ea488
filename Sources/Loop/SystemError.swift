import CLibuv
import CPosix

/// What the operating system refused, with its number and what it was about.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call that failed: `connect`, `bind` …
    package let operation: StaticString
    /// The value of `errno`, positive.
    package let code: Int32
    /// The address, path or name that it was about, or nothing.
    package let subject: String

    package init(_ operation: StaticString, _ code: Int32, _ subject: String = "") {
        self.operation = operation
        self.code = code < 0 ? 0 &- code : code
        self.subject = subject
    }

    /// With the number of the last failed call.
    static func last(_ operation: StaticString, _ subject: String = "") -> SystemError {
        SystemError(operation, postern_errno(), subject)
    }

    package var isTimeout: Bool { code == ETIMEDOUT }

    /// Nobody listens there, or there is nothing at all.
    package var isAbsence: Bool { code == ECONNREFUSED || code == ENOENT }

    /// It is there, and not for us.
    package var isRefusedRight: Bool { code == EACCES || code == EPERM }

    /// Somebody else has bound the address.
    package var isOccupied: Bool { code == EADDRINUSE }

    package static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && left.subject == right.subject
            && left.operation.description == right.operation.description
    }

    package var description: String {
        var text = [CChar](repeating: 0, count: 128)
        let length = text.count
        unsafe text.withUnsafeMutableBufferPointer { buffer in
            _ = unsafe uv_strerror_r(0 &- code, buffer.baseAddress, length)
        }
        let reason = Self.text(text)
        let place = subject.isEmpty ? "" : " \(subject)"
        return "\(operation.description)\(place): \(reason)"
    }

    /// The characters before the first null.
    static func text(_ characters: [CChar]) -> String {
        var bytes: [UInt8] = []
        for character in characters {
            if character == 0 { break }
            bytes.append(UInt8(bitPattern: character))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
